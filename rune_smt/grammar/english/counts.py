"""Composition of numbers of things: "at least three ships", "half of the planes", "more ships than planes"."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

from ..nodes import (
    And,
    Arithmetic,
    Compare,
    CompareOp,
    Count,
    ExistsCount,
    Formula,
    Not,
    Or,
    Term,
)
from .amounts import PREFIX, number, times
from .meaning import Make, NoAntecedent, NoMeaning, Nominal, Phrase, Scope, both
from .nouns import anything
from .readings import Leaf, Node
from .together import Together


class Counts(Together):
    """Counts, shares, and comparisons of counts."""

    def _count(self, node: Node, noun: Nominal, definite: bool) -> Phrase:
        if noun.parts and noun.joint:
            raise NoMeaning("A number counts one kind of thing.")
        vocabulary = self.vocabulary
        match node.kind:
            case "n_several" | "n_few" | "n_many":
                return self._counted(noun, getattr(vocabulary, node.kind[2:]))
            case "n_or":
                either = [self._bounded("=", noun, self._whole(part.value)) for part in node.parts
                          if isinstance(part, Leaf) and part.kind == "NUM"]  # fmt: skip
                return Phrase(lambda scope: self._hosted(lambda: Or(tuple(bounded(scope) for bounded in either))))
            case "n_both":
                both_counts = [self._count(part, noun, definite) for part in node.nodes]
                return Phrase(lambda s: self._hosted(lambda: And(tuple(phrase.apply(s) for phrase in both_counts))))
            case "n_between":
                low, high = (self._whole(part.value) for part in node.parts if part.kind == "NUM")
                least, most = self._counted(noun, low), self._bounded("<=", noun, high)
                return Phrase(lambda scope: self._hosted(lambda: And((least.apply(scope), most(scope)))))
        count = self._whole(node.value("NUM"))
        match node.kind:
            case "n_ge":
                plain = not node.has("ATLEAST", "ORMORE")
                if plain and count == 0:
                    return Phrase(lambda scope: Not(self.some(noun, scope)))
                return self._counted(noun, count, wide="one" if plain else "")
            case "n_gt":
                return self._counted(noun, count + 1)
            case "n_le":
                return Phrase(self._bounded("<=", noun, count), noun=noun)
            case "n_lt":
                if count == 0:
                    raise NoMeaning("Fewer than 0 there cannot be.")
                return Phrase(self._bounded("<=", noun, count - 1), noun=noun)
            case "n_eq":
                return Phrase(self._bounded("=", noun, count), noun=noun, cls=noun.cls, exact=True,
                              every=lambda scope: self.every(noun, scope, importing=False))  # fmt: skip
            case _:
                raise NoMeaning(f"No count: {node.kind}")

    def _hosted(self, make: Make) -> Formula:
        """Several counts of the same things: "the harbor" in them is one for all."""
        with self.host(counted=True, outermost=True) as host:
            formula = make()
        return self.wrap(host, formula)

    @staticmethod
    def _whole(value: object) -> int:
        count = int(str(value).split(".")[0])
        if str(value) != str(count):
            raise NoMeaning("Things are counted in whole numbers.")
        return count

    def _counted(self, noun: Nominal, least: int, wide: str = "") -> Phrase:
        if noun.first is not None and least > 1:
            noun = noun.first(least)
        if noun.apart and least > 1:
            noun = replace(noun, other=False)  # "two different ships"
        if noun.pairs or noun.groups:
            return self._together(noun, max(2, least))
        if least == 1:
            return self._some(replace(noun, plural=False), wide=wide)
        single = self._some(noun)

        def apply(scope: Scope) -> Formula:
            with self.host(counted=True) as host:
                x = self.fresh()
                before, self.firsts = self.firsts, least
                with self.bound(x, noun):
                    restriction = self.restrict(noun, x)
                    self.firsts = before
                    formula = ExistsCount(">=", least, x, self.then(restriction, lambda: scope(x)))
            return self.wrap(host, formula)

        def one(scope: Scope) -> Formula:
            return self.some(noun, scope)

        return Phrase(
            apply, members=tuple([one] * least), indefinite=True, cls=noun.cls, noun=noun, other=noun.other,
            none=lambda scope: Not(apply(scope)), every=single.every,
        )  # fmt: skip

    def _bounded(self, op: str, noun: Nominal, count: int) -> Callable[[Scope], Formula]:
        def apply(scope: Scope) -> Formula:
            x = self.fresh()
            with self.bound(x, noun):
                body = self.then(self.restrict(noun, x), lambda: scope(x))
            return ExistsCount(op, count, x, body)  # type: ignore[arg-type]

        return apply

    def _share(self, noun: Nominal, op: CompareOp, share: Fraction) -> Phrase:
        """denominator * count x (A & B) op numerator * count x (A), and at least one A."""

        def apply(scope: Scope) -> Formula:
            with self.host(counted=True) as host:
                x = self.fresh()
                with self.bound(x, noun):
                    some = Count(x, self.then(self.restrict(noun, x), lambda: scope(x)))
                whole = self._count_of(noun, anything)
                compared = Compare(op, times(share.denominator, some), times(share.numerator, whole))
            formula = self.wrap(host, compared)
            if op == ">":
                return formula  # more than a share of none there cannot be
            return both(self.some(noun, anything), formula)

        return Phrase(apply, universal=True, noun=noun)

    def _count_of(self, noun: Nominal, scope: Scope) -> Term:
        x = self.fresh()
        with self.bound(x, noun):
            return Count(x, self.then(self.restrict(noun, x), lambda: scope(x)))

    def _compared(self, node: Node) -> Phrase:
        if node.kind == "np_more_where":
            noun, *said = (part for part in node.nodes if part.kind != "times")
            nouns = [self._modified(self.head(noun), self.modifier(mod)) for mod in said]
        elif node.kind == "np_more_adjs":
            adjectives, compared = (part for part in node.nodes if part.kind != "times")
            nouns = [self.head(with_adjectives(compared, adjectives)), self.head(compared)]
        else:
            nouns = [self.head(part) for part in _alike([part for part in node.nodes if part.kind != "times"])]
        if any(noun.pairs or noun.groups for noun in nouns):
            raise NoMeaning("Counts compare things one by one.")
        first, second = nouns
        added_up = any(part.kind == "n_co" and (part.has("SUM") or not part.has("AND")) for part in node.nodes)
        if second.parts and second.joint and not added_up:  # than planes and than helicopters
            parts = [replace(part, mods=(*part.mods, *second.mods)) for part in second.parts]
            return self._joined([self._comparing(node, first, part) for part in parts])
        return self._comparing(node, first, second)

    def _comparing(self, node: Node, first: Nominal, second: Nominal) -> Phrase:
        """More of the first than of the second."""
        factor = next((part for part in node.nodes if part.kind == "times"), None)

        def apply(scope: Scope) -> Formula:
            with suppress(NoAntecedent):
                return compare(self._count_of(first, scope), self._count_of(second, scope))
            with self.host(counted=True, outermost=True) as host:  # "more cars on the bridge than trucks near it"
                a = self._count_of(first, scope)
                frames = len(self.frames)
                self.frames += [x for x, _ in host.wide]
                try:
                    formula = compare(a, self._count_of(second, scope))
                finally:
                    del self.frames[frames:]
            return self.wrap(host, formula)

        def compare(a: Term, b: Term) -> Formula:
            match node.kind:
                case "np_more_by" | "np_same_number" | "np_times_more":
                    pass
                case _ if node.has("MORE", "LESSER"):
                    more: CompareOp = "<=" if node.has("NO") else ">"
                    less: CompareOp = ">=" if node.has("NO") else "<"
                    return Compare(more if node.has("MORE") else less, a, b, node.span)
            match node.kind:
                case "np_same_number":
                    return Compare("=", a, b, node.span)
                case "np_more_by":
                    if node.has("LESSER"):
                        a, b = b, a
                    return Compare(prefix(node), a, Arithmetic("+", b, number(node.value("NUM"))), node.span)
                case _:
                    op, share = self.factor(factor, prefix(node))
                    return Compare(op, times(share.denominator, a), times(share.numerator, b), node.span)

        return Phrase(apply)


def _alike(nbars: list[Node]) -> list[Node]:
    """more cars than trucks on the bridge: cars on it and trucks on it"""
    if len(nbars) != 2:
        return nbars
    first, second = nbars
    mods: list[Node] = []
    while second.kind == "n_mod":
        mods.insert(0, second)
        second = second.nodes[0]
    if first.kind == "n_mod" or second.kind == "n_co":
        return nbars
    for mod in mods:
        first = replace(mod, parts=(first, *mod.parts[1:]))
    return [first, nbars[1]]


def with_adjectives(nbar: Node, adjectives: Node) -> Node:
    """The noun with other adjectives: of "more large than small ships near a harbor", large ships near a harbor."""
    if nbar.kind == "n_mod":
        return replace(nbar, parts=(with_adjectives(nbar.nodes[0], adjectives), *nbar.parts[1:]))
    if nbar.kind != "noun" or not nbar.nodes:
        raise NoMeaning("More of what?")
    return replace(nbar, parts=(adjectives, *nbar.parts[1:]))


def prefix(node: Node) -> CompareOp:
    """at least, exactly, at most, in front of "as many" or "as large"; at least where nothing stands there."""
    return next((PREFIX[kind] for kind in ("ATLEAST", "EXACTLY", "ATMOST") if node.has(kind)), ">=")

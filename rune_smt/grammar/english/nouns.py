"""Composition of nouns: "large ships", "the third largest plane", "ship A", "two parallel ships"."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..nodes import (
    Apply,
    Compare,
    CompareOp,
    Exists,
    ExistsCount,
    Formula,
    Not,
    Or,
    Text,
    Variable,
    disjunction,
)
from ..words import RELATIONS
from .amounts import Amounts
from .lexicon import Noun, Quality, Relation
from .meaning import NoAntecedent, NoMeaning, Nominal, Pair, Predicate, Scope, both
from .readings import Node

DIFFERENT = {"different", "distinct", "separate"}  # from each other: "two different ships"


def anything(x: str) -> Formula:
    """Nothing is said of it."""
    return both()


class Nouns(Amounts):
    """Nouns become restrictions of a variable."""

    @abstractmethod
    def predicate(self, node: Node) -> Predicate:
        """What is said of a thing."""

    @abstractmethod
    def holds(self, predicate: Predicate, x: str) -> Formula:
        """The predicate of x, while x is spoken of."""

    @abstractmethod
    def places(self, node: Node) -> list[Predicate]:
        """on the left and on the right: the places, where nothing is at all of them; else none"""

    @abstractmethod
    def denied(self, predicate: Predicate) -> Predicate:
        """That it is not so."""

    @abstractmethod
    def modifier(self, node: Node) -> Predicate:
        """What stands behind a noun."""

    def nominal(self, node: Node) -> Nominal:
        """A noun with its modifiers."""
        match node.kind:
            case "noun" | "noun_other" | "noun_super" | "noun_comp":
                return self._noun(node)
            case "n_co":
                parts = tuple(self.nominal(part) for part in node.nodes)
                if any(part.letter or part.pairs or part.groups for part in parts):
                    raise NoMeaning("These nouns cannot be joined.")

                def one_of(x: str) -> Formula:
                    return disjunction(self.restrict(part, x) for part in parts)

                return Nominal(one_of, parts=parts, joint=node.has("AND"), plural=True)
            case "n_mod":
                noun, mod = self.nominal(node.nodes[0]), node.nodes[1]
                if mod.kind == "m_except":
                    if any(leaf.kind == "NOUN" and leaf.value.ones for leaf in mod.leaves()) and not any(
                        leaf.kind == "ADJ" for leaf in mod.leaves()
                    ):
                        raise NoMeaning("Except one of what is a number.")
                    others = {leaf.value.cls for leaf in mod.leaves() if leaf.kind == "NOUN"}
                    if noun.cls and any(other and self.excludes(other, noun.cls) for other in others):
                        raise NoMeaning("Nothing is both, so that nothing is left out.")
                places = self.places(mod)
                if places:  # "planes on the left and on the right": some here, some there
                    parts = tuple(self._modified(noun, place) for place in places)
                    return Nominal(lambda x: disjunction(self.restrict(part, x) for part in parts), parts=parts,
                                   joint=True, plural=True, cls=noun.cls)  # fmt: skip
                return self._modified(noun, self.modifier(mod))
            case _:
                raise NoMeaning(f"No noun: {node.kind}")

    def _noun(self, node: Node) -> Nominal:
        leaf = node.leaf("NOUN")
        assert leaf is not None
        noun: Noun = leaf.value
        cls = self.ones.get(leaf.span) if noun.ones else noun.cls
        if noun.ones and cls is None and not noun.other:
            raise NoAntecedent("There is no noun before it that it could repeat.")
        said: list[Scope] = []
        pairs: list[Pair] = []
        groups = []
        if node.nodes and node.nodes[0].kind == "adjs_or":
            choices = [self._adjective(adjective) for adjective in node.nodes[0].nodes]
            if not all(choice.plain for choice in choices):
                raise NoMeaning("'or' joins adjectives that are said of one thing.")
            said.append(lambda x: Or(tuple(choice.of(x) for choice in choices)))
        for adjective in node.nodes[0].nodes if node.nodes and node.nodes[0].kind == "adjs" else ():
            predicate = self._adjective(adjective)
            if predicate.pair:
                pairs.append(predicate.pair)
            elif predicate.group:
                groups.append(predicate.group)
            else:
                said.append(predicate.of)
        if node.kind == "noun_comp":
            said.append(self._than_it(node))
        if cls is not None:
            name = cls
            said.insert(0, lambda x: Apply(name, (Variable(x),), leaf.span))

        def base(x: str) -> Formula:
            return both(*(say(x) for say in said))

        letter = node.leaf("LETTER")
        made = Nominal(
            base, other=node.kind == "noun_other" or noun.other, letter=letter.value if letter else None,
            plural=noun.plural and not node.has("OF"),
            pairs=tuple(pairs), groups=tuple(groups), cls=cls, word=noun.word or leaf.word.text.lower(),
            apart=node.kind == "noun_other" and is_different(node),
            plainly=node.kind == "noun" and len(node.parts) == 1,
        )  # fmt: skip
        if node.kind == "noun_super":
            place = node.value("ORDINAL") if node.has("ORDINAL") else 1
            best = self._best(node, base, place)
            first = replace(made, base=lambda x: both(base(x), best(x)))
            made = replace(first, first=None if place > 1 else lambda n: self._first(node, first, base, n))
        return made

    def _than_it(self, node: Node) -> Scope:
        """smaller ships, around a ship: than that"""
        name, op = node.value("COMP")

        def said(x: str) -> Formula:
            things = [y for y in reversed(self.frames) if y != x]
            if not things:
                raise NoAntecedent("Larger or smaller than what? Nothing before it says.")
            if name == "area":
                return Apply("larger" if op == ">" else "smaller", (Variable(x), Variable(things[0])), node.span)
            sides = [Apply(name, (Variable(y),), node.span) for y in (x, things[0])]
            return Compare(op, sides[0], sides[1], node.span)

        return said

    def _adjective(self, node: Node) -> Predicate:
        if node.has("ADJ"):
            leaf = node.leaf("ADJ")
            assert leaf is not None
            quality: Quality = leaf.value
            said = self.quality(quality, leaf.span)
            return Predicate((lambda x: Not(said(x))) if node.has("NOT") else said)
        leaf = node.leaf("RECIPROCAL")
        if leaf is not None:
            relation: Relation = leaf.value
            return self.reciprocal(lambda x, y: self.relate(relation, x, y, leaf.span))
        return self.grouped(node.value("GROUP"), node.span)

    def quality(self, quality: Quality, span: tuple[int, int]) -> Scope:
        """What an adjective says of a thing."""

        def said(x: str) -> Formula:
            if quality.value is not None:
                return Compare("=", Apply(quality.name, (Variable(x),), span), Text(quality.value), span)
            atom = Apply(quality.name, (Variable(x),), span)
            return Not(atom, span) if quality.negated else atom

        return said

    def reciprocal(self, pair: Pair) -> Predicate:
        """each other: said of two different things"""

        def of(x: str) -> Formula:
            raise NoMeaning("'each other' needs two things.")

        return Predicate(of, pair=pair)

    def grouped(self, name: str, span: tuple[int, int]) -> Predicate:
        """in a row, grouped together: said of all things at once"""

        def of(x: str) -> Formula:
            raise NoMeaning("In a row, together: how many? Say a number, such as 'three ships in a row'.")

        def group(names: tuple[str, ...]) -> Formula:
            least = RELATIONS[name].arity
            if len(names) < least:
                raise NoMeaning(f"A row has at least {least} things in it.")
            return Apply(name, tuple(Variable(x) for x in names), span)

        return Predicate(of, group=group)

    def _best(self, node: Node, base: Scope, place: int) -> Scope:
        """the largest: no other is larger; the third largest: exactly two are"""
        by = node.value("SUPER")

        def best(x: str) -> Formula:
            y = self.fresh()
            better = both(base(y), self.beats(by, y, x, node.span))
            return Not(Exists(y, better)) if place == 1 else ExistsCount("=", place - 1, y, better)

        return best

    def _first(self, node: Node, noun: Nominal, base: Scope, count: int) -> Nominal:
        """the three largest: those than which at most two are larger"""
        by = node.value("SUPER")

        def among(x: str) -> Formula:
            y = self.fresh()
            return both(base(x), ExistsCount("<=", count - 1, y, both(base(y), self.beats(by, y, x, node.span))))

        return replace(noun, base=among, first=None)

    def beats(self, by: str | tuple[str, CompareOp], y: str, x: str, span: tuple[int, int]) -> Formula:
        """y is further left, larger, longer, ... than x"""
        if isinstance(by, str):
            return Apply(by, (Variable(y), Variable(x)), span)
        name, op = by
        return Compare(op, Apply(name, (Variable(y),)), Apply(name, (Variable(x),)), span)

    @contextmanager
    def within(self, said: Scope | None) -> Iterator[None]:
        """While every noun phrase speaks of the things of which this holds: the ships in the harbor."""
        before, self.domain = self.domain, said
        try:
            yield
        finally:
            self.domain = before

    def head(self, node: Node) -> Nominal:
        """The noun of a noun phrase with its modifiers, and with what is said of all that is spoken of: `within`."""
        said = self.domain
        with self.within(None):
            noun = self.nominal(node)
        return replace(noun, mods=(*noun.mods, said)) if said else noun

    @staticmethod
    def _modified(noun: Nominal, mod: Predicate) -> Nominal:
        """The noun with one more phrase behind it."""
        if mod.pair:
            noun = replace(noun, pairs=(*noun.pairs, mod.pair))
        if mod.group:
            noun = replace(noun, groups=(*noun.groups, mod.group))
        said = mod.of if mod.plain else mod.also
        return replace(noun, mods=(*noun.mods, said)) if said else noun


def is_different(node: Node) -> bool:
    """two different ships, in different harbors: different from each other"""
    leaf = node.leaf("OTHER")
    return leaf is not None and leaf.word.text.lower() in DIFFERENT

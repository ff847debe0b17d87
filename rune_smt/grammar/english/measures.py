"""Composition of sizes and distances of things: "at least 50 m away from any bridge", "longer than wide"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from ...errors import Span
from ..nodes import (
    Apply,
    Compare,
    CompareOp,
    Count,
    Exists,
    ExistsCount,
    Formula,
    Not,
    Number,
    Term,
    Variable,
    free_variables,
)
from .amounts import DOWNWARD, OPPOSITE, times
from .counts import prefix
from .lexicon import Relation
from .meaning import NoMeaning, Phrase, Predicate, Scope, both
from .nouns import anything
from .phrases import Phrases
from .readings import Leaf, Node

LENGTHS = {"px", "m", "km"}
AREAS = {"px2", "m2", "ha", "km2"}
MIRROR: dict[CompareOp, CompareOp] = {">=": "<=", ">": "<", "<=": ">=", "<": ">", "=": "="}  # a op b is b MIRROR[op] a


class Measures(Phrases):
    """What is said of a thing by a number."""

    def _whose_closest(self, node: Node) -> Predicate:
        """whose nearest harbor is more than 100 m away: there is one, and none is closer"""
        noun, amount = self.nominal(node.nodes[0]), node.nodes[1]
        if node.value("CLOSEST") != "<" or noun.pairs or noun.groups:
            raise NoMeaning("Whose nearest of which things?")
        limit = self.term(amount) if node.has("WITHIN") else None
        denies = self.amount(amount, opposite=True) if limit is None else None

        def of(x: str) -> Formula:
            with self.object_of(x):
                if limit is not None or amount.kind in ("a_le", "a_lt", "a_eq"):
                    says = self.amount(amount) if limit is None else None
                    return self.some(noun, lambda y: (
                        says(self._distance(x, y, node.span)) if says is not None
                        else limit(lambda q: Compare("<=", self._distance(x, y, node.span), q))  # type: ignore[misc]
                    ))  # fmt: skip
                assert denies is not None
                closer = self.some(noun, lambda y: denies(self._distance(x, y, node.span)))
                return both(self.some(noun, anything), Not(closer))

        return Predicate(of)

    def _sized(self, node: Node, says: Callable[[Term], Formula]) -> Predicate:
        """of 50 m: long; of 2000 m2: large"""
        units = {leaf.value for leaf in node.leaves() if leaf.kind == "UNIT"}
        if units and units <= LENGTHS:
            size = "length"
        elif units and units <= AREAS:
            size = "area"
        else:
            raise NoMeaning("Of what size? A length or an area has a unit: 50 m, 2000 m2.")
        return Predicate(lambda x: says(Apply(size, (Variable(x),), node.span)))

    def _owned_number(self, things: Node, x: str) -> Term:
        """How many of them x has: "cars on it", else those that it contains."""
        with self.frame(x):
            noun = self.nominal(things)
            counted = self._count_of(noun, anything)
            assert isinstance(counted, Count)
            if x in free_variables(counted.body):
                return counted
            return self._count_of(noun, lambda y: self.relate(Relation("contains"), x, y, things.span))

    def _more_than(self, node: Node) -> Predicate:
        """has more cars on it than the other bridge"""
        things, other = node.nodes[0], self.phrase(node.nodes[1])
        if node.nodes[1].kind == "np_bare":
            raise NoMeaning("Compared with which of them?")
        op: CompareOp = ">" if node.has("MORE") else "<" if node.has("LESSER") else ">="
        each = other.every if (other.any or other.definite) and other.every else other.apply

        def of(x: str) -> Formula:
            with self.object_of(x):
                return each(lambda y: Compare(
                    op, self._owned_number(things, x), self._owned_number(things, y), node.span
                ))  # fmt: skip

        return Predicate(of)

    def _with_most(self, node: Node) -> Predicate:
        """the harbor with the most ships: no other has more"""
        things = node.nodes[0]
        op: CompareOp = ">" if node.has("MOSTOF") else "<"

        def of(x: str) -> Formula:
            def better(y: str) -> Formula:
                return Compare(op, self._owned_number(things, y), self._owned_number(things, x), node.span)

            if self.bases:
                return self._none_better(better)
            cls, y = self.class_of.get(x), self.fresh()
            if cls is None:
                raise NoMeaning("The most of which things?")
            return Not(Exists(y, both(Apply(cls, (Variable(y),)), better(y))))

        return Predicate(of)

    def _distance(self, x: str, y: str, span: Span) -> Term:
        return Apply("distance", (Variable(x), Variable(y)), span)

    def _distant(self, says: Callable[[Term], Formula], objects: tuple[Node, ...], span: Span) -> Predicate:
        """Within a distance of an object, of "it" where none is named."""
        phrase = self.phrase(objects[0]) if objects else Phrase(lambda scope: scope(self.it()))

        def of(x: str) -> Formula:
            with self.object_of(x):
                return phrase.apply(lambda y: says(self._distance(x, y, span)))

        return Predicate(of)

    def _apart(self, node: Node) -> Predicate:
        amount, target = node.nodes
        span = node.span
        says, denies = self.amount(amount), self.amount(amount, opposite=True)
        if amount.kind == "a_both":
            bounds = [self._apart(replace(node, parts=(bound, target))) for bound in amount.nodes]
            return Predicate(lambda x: both(*(bound.of(x) for bound in bounds)))
        if amount.kind == "a_between":
            low, high = (part for part in amount.nodes)
            too_close = self._limit(high if low.kind == "t_number" else low, low, "<", span)
            enough = self._distant(self._limit(high, high, "<=", span), (target,), span)
            away = self._nowhere(target, too_close, says, span)
            return Predicate(lambda x: both(enough.of(x), away.of(x)))
        if amount.kind in ("a_ge", "a_gt") and not (amount.has("COMP") and self.direction(amount) == "<"):
            return self._nowhere(target, denies, says, span)
        return self._distant(says, (target,), span)

    def _limit(self, unit: Node, value: Node, op: CompareOp, span: Span) -> Callable[[Term], Formula]:
        terms, units = self.term(value), self.term(unit)

        def says(d: Term) -> Formula:
            def with_unit(u: Term) -> Formula:
                def compare(v: Term) -> Formula:
                    if isinstance(v, Number) and isinstance(u, Number) and v.unit is None:
                        return Compare(op, d, replace(v, unit=u.unit), span)
                    return Compare(op, d, v, span)

                return terms(compare)

            return units(with_unit)

        return says

    def _nowhere(
        self, target: Node, too_close: Callable[[Term], Formula], says: Callable[[Term], Formula], span: Span
    ) -> Predicate:
        """At least 50 m from a harbor: there is no harbor closer; from all harbors, from it: said of each."""
        phrase = self.phrase(target)
        none = phrase.none if phrase.indefinite else None

        def of(x: str) -> Formula:
            with self.object_of(x):
                if none is not None:
                    return none(lambda y: too_close(self._distance(x, y, span)))
                return phrase.apply(lambda y: says(self._distance(x, y, span)))

        return Predicate(of)

    def _compared_predicate(self, node: Node) -> Predicate:
        span = node.span
        phrase = self.phrase(node.nodes[-1])
        factor = next((part for part in node.nodes if part.kind == "times"), None)
        if node.kind in ("p_comp", "p_comp_not"):
            name, op = node.value("COMP")
            op, share = op, None
        elif node.kind == "p_as_than":
            name, direction = node.value("COMP")
            op, share = self.factor(factor)
            op = op if direction == ">" else OPPOSITE[op]
        else:
            leaf = node.leaf("MEASURE")
            assert leaf is not None
            name = leaf.value
            op, share = self.factor(factor, prefix(node))
            if leaf.word.text.lower() in DOWNWARD:
                op = MIRROR[op]
        say = phrase.every if (phrase.any or phrase.definite) and phrase.every else phrase.apply

        def compare(x: str, y: str) -> Formula:
            if share is None and name == "area":
                return Apply("larger" if op == ">" else "smaller", (Variable(x), Variable(y)), span)
            left: Term = Apply(name, (Variable(x),), span)
            right: Term = Apply(name, (Variable(y),), span)
            if share is not None:
                left, right = times(share.denominator, left), times(share.numerator, right)
            return Compare(op, left, right, span)

        def of(x: str) -> Formula:
            with self.object_of(x):
                if node.kind == "p_comp_not":  # no larger than a bridge: there is one than which it is not larger
                    return say(lambda y: Not(compare(x, y), span))
                return say(lambda y: compare(x, y))

        return Predicate(of)

    def _own(self, node: Node) -> Predicate:
        """longer than wide, twice as long as it is wide"""
        span = node.span
        names = [part.value for part in node.parts if isinstance(part, Leaf) and part.kind == "MEASURE"]
        factor = next((part for part in node.nodes if part.kind == "times"), None)
        op: CompareOp
        if node.has("COMP"):
            name, direction = node.value("COMP")
            names.insert(0, name)
            op, share = self.factor(factor, direction)
            op = OPPOSITE[op] if factor is not None and direction == "<" else op
        else:
            op, share = self.factor(factor, prefix(node))
        if set(names) != {"length", "width"}:
            raise NoMeaning("Only its length and its width can be compared.")

        def of(x: str) -> Formula:
            first, second = (Apply(name, (Variable(x),), span) for name in names)
            return Compare(op, times(share.denominator, first), times(share.numerator, second), span)

        return Predicate(of)

    @staticmethod
    def _equal(measure: str, x: str, y: str, span: Span) -> Formula:
        return Compare("=", Apply(measure, (Variable(x),), span), Apply(measure, (Variable(y),), span), span)

    def _nearer(self, node: Node) -> Predicate:
        """closer to a ship than to a bridge, than another plane is; twice as far from a ship as from a bridge"""
        span = node.span
        first, second = (self.phrase(part) for part in node.nodes if part.kind != "times")
        factor = next((part for part in node.nodes if part.kind == "times"), None)
        other_thing = node.kind in ("p_nearer_than", "p_as_near_as")
        op: CompareOp
        share = Fraction(1)
        if node.kind in ("p_nearer", "p_nearer_than"):
            op = "<" if node.has("CLOSER") else ">"
        else:
            op, share = self.factor(factor, prefix(node))
            relation: Relation = node.value("PREP")
            if relation not in (Relation("near"), Relation("far")):
                raise NoMeaning("As close to, as far from: of distances only.")
            if relation.name == "near":
                op = MIRROR[op]

        def of(x: str) -> Formula:
            def compare(y: str, z: str) -> Formula:
                here = self._distance(x, y, span)
                there = self._distance(z, y, span) if other_thing else self._distance(x, z, span)
                return Compare(op, times(share.denominator, here), times(share.numerator, there), span)

            with self.object_of(x):
                each = second.every if (second.any or second.definite) and second.every else second.apply
                return first.apply(lambda y: each(lambda z: compare(y, z)))

        return Predicate(of)

    def _none_better(self, better: Scope) -> Formula:
        if not self.bases:
            raise NoMeaning("Closest of which things?")
        base = self.bases[-1]
        y = self.fresh()
        closer = both(base(y), better(y))
        return Not(Exists(y, closer)) if self.firsts == 1 else ExistsCount("<=", self.firsts - 1, y, closer)

    def _closest(self, node: Node) -> Predicate:
        phrase = self.phrase(node.nodes[0])
        op: CompareOp = node.value("CLOSEST")
        span = node.span

        def of(x: str) -> Formula:
            def closer(z: str) -> Formula:
                here = self._distance(x, z, span)
                return self._none_better(
                    lambda y: both(
                        Compare("!=", Variable(y), Variable(z)), Compare(op, self._distance(y, z, span), here, span)
                    )
                )

            with self.object_of(x):
                return phrase.apply(closer)

        return Predicate(of)

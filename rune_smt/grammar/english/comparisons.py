"""Composition of sentences that compare: "water covers half of the image", "the area of A exceeds 50 m2"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from ..nodes import (
    Apply,
    Compare,
    CompareOp,
    Formula,
    Not,
    Number,
    Term,
    Variable,
)
from .amounts import times
from .clauses import Clauses
from .counts import prefix
from .meaning import Nominal, Predicate, Sentence, both
from .nouns import anything
from .readings import Node


class Comparisons(Clauses):
    """Sentences about numbers, measures and covered areas."""

    def _more_there(self, node: Node) -> Sentence:
        """the left half contains more ships than the right half"""
        here, nbar, there = node.nodes
        noun = self.nominal(nbar)
        places = [self._place_of(replace(node, parts=(side,))) for side in (here, there)]
        op: CompareOp = ">" if node.has("MORE") else "<" if node.has("LESSER") else ">="

        def make() -> Formula:
            a, b = (self._count_of(noun, place.of) for place in places)
            return Compare(op, a, b, node.span)

        return Sentence(make)

    def _place_of(self, node: Node) -> Predicate:
        """the top left corner, as what is said of the things in it"""
        names = self._sides(node.nodes[0])
        return Predicate(lambda x: both(*(Apply(name, (Variable(x),), node.span) for name in names)))

    def _more(self, node: Node) -> Sentence:
        noun, first, second = self.nominal(node.nodes[0]), self.predicate(node.nodes[1]), self.predicate(node.nodes[2])

        def make() -> Formula:
            counts = [self._count_of(noun, lambda x, p=p: self.holds(p, x)) for p in (first, second)]  # type: ignore[misc]
            return Compare(">", counts[0], counts[1], node.span)

        return Sentence(make)

    def _as_many(self, node: Node) -> Sentence:
        """twice as many houses near a river are flooded as houses near a road"""
        first, said, second = (part for part in node.nodes if part.kind != "times")
        nouns, predicate = (self.nominal(first), self.nominal(second)), self.predicate(said)
        factor = next((part for part in node.nodes if part.kind == "times"), None)
        default: CompareOp = ">" if node.has("MORE") else "<" if node.has("LESSER") else prefix(node)
        op, share = self.factor(factor, default)

        def make() -> Formula:
            a, b = (self._count_of(noun, lambda x: self.holds(predicate, x)) for noun in nouns)
            return Compare(op, times(share.denominator, a), times(share.numerator, b), node.span)

        return Sentence(make)

    def _comparison(self, node: Node) -> Callable[[], Formula]:
        left = self.term(node.nodes[0])
        if node.kind == "s_amount":
            says = self.amount(node.nodes[1])
            if node.has("NOT"):
                return lambda: Not(left(says))
            return lambda: left(says)
        right = self.term(node.nodes[1])
        negated = node.has("NOT")
        op: CompareOp = node.value("COMPARE" if node.kind == "s_compare" else "EXCEED")

        def compare(a: Term, b: Term) -> Formula:
            said = Compare(op, a, b, node.span)
            return Not(said) if negated else said

        return lambda: left(lambda a: right(lambda b: compare(a, b)))

    def _share_of(self, node: Node) -> Sentence:
        """flooded roads make up 20 % of all roads: by number"""
        part, whole = self.nominal(node.nodes[0].nodes[0]), self.nominal(node.nodes[-1])
        bounds = self.shares(node.nodes[1])

        def make() -> Formula:
            said = [Compare(op, times(share.denominator, self._count_of(part, anything)),
                            times(share.numerator, self._count_of(whole, anything)), node.span)
                    for op, share in bounds]  # fmt: skip
            some = both() if bounds[0][0] == ">" else self.some(whole, anything)
            return both(some, *said)

        return Sentence(make)

    def _cover(self, node: Node) -> Callable[[], Formula]:
        match node.kind:
            case "cover_more":
                first, second = (self.covered(self.nominal(part.nodes[0])) for part in node.nodes)
                op: CompareOp = ">" if node.has("MORE", "MORETHAN") else "<"
                if node.has("COMP"):
                    op = self.direction(node)
                return lambda: first(lambda a: second(lambda b: Compare(op, a, b, node.span)))
            case "cover_amount":
                covered, says = self.covered(self.nominal(node.nodes[0].nodes[0])), self.amount(node.nodes[1])
                return lambda: covered(says)
        shares = self.shares(next((part for part in node.nodes if part.kind == "share"), None))
        if node.kind == "cover_share":
            covered = self.covered(self.nominal(node.nodes[1]))
        elif node.kind == "cover_under":
            noun = node.value("UNDERNOUN")
            covered = self.covered(Nominal(lambda x: Apply(noun.cls, (Variable(x),), node.span), plural=True))
        else:
            things = next(part for part in node.nodes if part.kind == "things_of")
            covered = self.covered(self.nominal(things.nodes[0]))

        def bound(op: CompareOp, share: Fraction, area: Term) -> Formula:
            percent = share * 100
            factor = percent.denominator if 1000 % percent.denominator else 1
            whole = percent * factor
            limit = Number(Decimal(whole.numerator) / Decimal(whole.denominator), "%", node.span)
            return Compare(op, times(factor, area), limit, node.span)

        return lambda: covered(lambda area: both(*(bound(op, share, area) for op, share in shares)))

    def _named(self, node: Node) -> Sentence:
        """connected holds of A and B"""
        phrase = self.phrase(node.nodes[0])
        name = node.value("NAMED")
        members = phrase.members or (phrase.apply,)

        def bind(names: tuple[str, ...]) -> Formula:
            if len(names) < len(members):
                return members[len(names)](lambda x: bind((*names, x)))
            return Apply(name, tuple(Variable(x) for x in names), node.span)

        return Sentence(lambda: bind(()))

"""Composition of terms and amounts: "the area of a ship", "at least 50 m", "more than half"."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from ..nodes import Apply, Arithmetic, Compare, CompareOp, Count, Cover, Formula, Not, Number, Term, Text, Variable
from .context import Context
from .meaning import NoMeaning, Nominal, Pair, Phrase, Predicate, Terms, both
from .readings import Leaf, Node

PREFIX: dict[str, CompareOp] = {
    "ATLEAST": ">=", "MORETHAN": ">", "ATMOST": "<=", "FEWER": "<", "EXACTLY": "=", "ORMORE": ">=", "ORFEWER": "<=",
}  # fmt: skip
AMOUNT: dict[str, CompareOp] = {
    "a_ge": ">=", "a_gt": ">", "a_le": "<=", "a_lt": "<", "a_eq": "=", "a_ne": "!=",
}  # fmt: skip
OPPOSITE: dict[CompareOp, CompareOp] = {">=": "<", ">": "<=", "<=": ">", "<": ">=", "=": "!=", "!=": "="}
DOWNWARD = {"small", "short", "narrow"}


def number(value: int | Decimal, unit: str | None = None) -> Number:
    """The number as a term."""
    return Number(Decimal(value), unit)


def times(factor: int, term: Term) -> Term:
    """factor * term, the term itself for 1"""
    return term if factor == 1 else Arithmetic("*", number(factor), term)


class Amounts(Context):
    """Terms are composed as functions of what is said of their value, so that "a ship" in them takes scope over it."""

    @abstractmethod
    def phrase(self, node: Node) -> Phrase:
        """A noun phrase."""

    @abstractmethod
    def nominal(self, node: Node) -> Nominal:
        """A noun with its modifiers."""

    @abstractmethod
    def of_each(self, node: Node) -> Terms | None:
        """The number of ships in each harbor: a number for each."""

    @abstractmethod
    def head(self, node: Node) -> Nominal:
        """The noun of a noun phrase."""

    @abstractmethod
    def together(self, phrase: Phrase, predicate: Predicate) -> Formula:
        """Said of several things together."""

    @abstractmethod
    def reciprocal(self, pair: Pair) -> Predicate:
        """Said of two different things."""

    def term(self, node: Node) -> Terms:
        """A term."""
        span = node.span
        match node.kind:
            case "t_quantity":
                return self.term(node.nodes[0])
            case "quantity":
                value, unit = node.value("NUM"), node.value("UNIT")
                return lambda say: say(Number(value, unit, span))
            case "t_number" | "amount1" if node.has("NUM"):
                value = node.value("NUM")
                return lambda say: say(Number(value, None, span))
            case "amount1" | "t_group":
                return self.term(node.nodes[0])
            case "t_text":
                text = node.value("STRING")
                return lambda say: say(Text(text, span))
            case "t_value":
                text = node.value("VALUE")
                return lambda say: say(Text(text, span))
            case "t_func":
                name, owner = node.value("FUNC"), self.phrase(node.nodes[0])

                def of_owner(say: Callable[[Term], Formula]) -> Formula:
                    def said(x: str) -> Formula:
                        with self.frame(x):
                            return say(Apply(name, (Variable(x),), span))

                    return owner.apply(said)

                return of_owner
            case "t_its":
                name = node.value("FUNC")
                return lambda say: say(Apply(name, (Variable(self.it()),), span))
            case "t_distance" | "t_center":
                name = "distance" if node.kind == "t_distance" else "center_distance"
                first, second = (self.phrase(part) for part in node.nodes)
                return lambda say: first.apply(
                    lambda x: second.apply(lambda y: say(Apply(name, (Variable(x), Variable(y)), span)))
                )
            case "t_distance_pair":
                two = self.phrase(node.nodes[0])

                def between(say: Callable[[Term], Formula]) -> Formula:
                    def pair(x: str, y: str) -> Formula:
                        return say(Apply("distance", (Variable(x), Variable(y)), span))

                    return self.together(two, self.reciprocal(pair))

                return between
            case "t_count":
                return self.of_each(node.nodes[0]) or self.counted(self.head(node.nodes[0]))
            case "t_cover":
                return self.covered(self.head(node.nodes[0]))
            case "t_times":
                inner = self.term(node.nodes[-1])
                if node.has("NUM"):
                    return lambda say: inner(lambda term: say(Arithmetic("*", Number(node.value("NUM")), term)))
                factor: Fraction = node.value("TIMES")
                if factor.denominator == 1:
                    return lambda say: inner(lambda term: say(times(factor.numerator, term)))
                share = number(Decimal(factor.numerator) / Decimal(factor.denominator))
                return lambda say: inner(lambda term: say(Arithmetic("*", share, term)))
            case "arithmetic":
                left, right = self.term(node.nodes[0]), self.term(node.nodes[1])
                ops = {"PLUS": "+", "MINUS": "-", "STAR": "*", "SLASH": "/"}
                op = next(sign for kind, sign in ops.items() if node.has(kind))
                return lambda say: left(
                    lambda a: right(lambda b: say(Arithmetic(op, a, b, span)))  # type: ignore[arg-type]
                )
            case _:
                raise NoMeaning(f"No amount: {node.kind}")

    def counted(self, noun: Nominal) -> Terms:
        """count x (noun(x))"""

        def terms(say: Callable[[Term], Formula]) -> Formula:
            x = self.fresh()
            with self.bound(x, noun):
                term = Count(x, self.restrict(noun, x))
            return say(term)

        return terms

    def covered(self, noun: Nominal) -> Terms:
        """cover x (noun(x))"""

        def terms(say: Callable[[Term], Formula]) -> Formula:
            x = self.fresh()
            with self.bound(x, noun):
                term = Cover(x, self.restrict(noun, x))
            return say(term)

        return terms

    def amount(self, node: Node, opposite: bool = False) -> Callable[[Term], Formula]:
        """What an amount says of a term; `opposite`: that the term is not of this amount."""
        if node.kind == "a_both":
            bounds = [self.amount(part) for part in node.nodes]

            def within(x: Term) -> Formula:
                return both(*(bound(x) for bound in bounds))

            return (lambda x: Not(within(x))) if opposite else within
        if node.kind == "a_between":
            low, high = (self.term(part) for part in _units(node))
            span = node.span

            def inside(x: Term) -> Formula:
                return both(low(lambda a: Compare(">=", x, a, span)), high(lambda b: Compare("<=", x, b, span)))

            return (lambda x: Not(inside(x))) if opposite else inside
        op = AMOUNT[node.kind]
        if node.has("COMP"):
            op = self.direction(node)
        if node.nodes:
            value = self.term(node.nodes[-1])
        elif node.has("VALUE"):
            text = node.value("VALUE")
            value = lambda say: say(Text(text, node.span))  # noqa: E731
        else:
            plain = node.value("NUM")
            value = lambda say: say(Number(plain, None, node.span))  # noqa: E731
        said = OPPOSITE[op] if opposite else op
        return lambda x: value(lambda a: Compare(said, x, a, node.span))

    def direction(self, node: Node) -> CompareOp:
        """larger, longer, wider: >; smaller: <"""
        op: CompareOp = node.value("COMP")[1]
        return op

    def factor(self, node: Node | None, default: CompareOp = ">=") -> tuple[CompareOp, Fraction]:
        """at least twice: (>=, 2)"""
        if node is None:
            return default, Fraction(1)
        prefix: CompareOp = next((PREFIX[kind] for kind in PREFIX if node.has(kind)), default)
        return prefix, Fraction(node.value("NUM")) if node.has("NUM") else node.value("TIMES")

    def shares(self, node: Node | None) -> list[tuple[CompareOp, Fraction]]:
        """between 10 and 20 %: (>=, 1/10) and (<=, 1/5); every other share is one bound"""
        if node is None or not node.has("BETWEEN", "TO"):
            return [self.share(node)]
        units = [part.value for part in node.parts if isinstance(part, Leaf) and part.kind == "UNIT"]
        if set(units) != {"%"}:
            raise NoMeaning("A share is a percentage.")
        low, high = (part.value for part in node.parts if isinstance(part, Leaf) and part.kind == "NUM")
        return [(">=", Fraction(low) / 100), ("<=", Fraction(high) / 100)]

    def share(self, node: Node | None) -> tuple[CompareOp, Fraction]:
        """more than half: (>, 1/2); 20 %: (>=, 1/5); most, which is no node: (>, 1/2)"""
        if node is None:
            return ">", Fraction(1, 2)
        op: CompareOp = next((PREFIX[kind] for kind in PREFIX if node.has(kind)), ">=")
        if node.has("FRACTION"):
            return op, node.value("FRACTION")
        if node.value("UNIT") != "%":
            raise NoMeaning("A share is a percentage.")
        return op, Fraction(node.value("NUM")) / 100


def _units(node: Node) -> tuple[Node, Node]:
    """between 50 and 100 m: 50 m as well"""
    low, high = node.nodes
    if low.kind == "t_number" and high.kind == "t_quantity":
        quantity = high.nodes[0]
        parts = (*low.parts, *(part for part in quantity.parts if part.kind in ("UNIT", "OFIMG")))
        low = Node("quantity", parts, low.start, low.end)
    return low, high

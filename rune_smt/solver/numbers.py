"""Units, and comparisons of counts and covers that are known only to lie in a range (LANGUAGE, sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import TypeVar

from ..grammar.nodes import Apply, Arithmetic, Compare, CompareOp, Count, Cover, Node, Number, Term
from ..verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict, of

METRIC = {"m": (Decimal(1), 1), "km": (Decimal(1000), 1), "m2": (Decimal(1), 2), "ha": (Decimal(10_000), 2),
          "km2": (Decimal(1_000_000), 2)}  # unit -> how many metres or square metres, and the power of gsd

REVERSED: dict[CompareOp, CompareOp] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
OPPOSITE: dict[CompareOp, CompareOp] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}

Real = TypeVar("Real", Fraction, float)


def in_metres(number: Number) -> tuple[float, int]:
    """A number with a metric unit as (metres, 1) or (square metres, 2)."""
    assert number.unit is not None
    factor, power = METRIC[number.unit]
    return float(number.value * factor), power


def distance_limit(comparison: Compare) -> tuple[str, str, Number] | None:
    """distance(x, y) or center_distance(x, y) against a length: the function's name, the operator, the length."""
    op, term, limit = comparison.op, comparison.left, comparison.right
    if isinstance(term, Number):
        op, term, limit = REVERSED[op], limit, term
    if not (isinstance(term, Apply) and isinstance(limit, Number) and op in ("<", "<=", ">", ">=")):
        return None
    if term.name not in ("distance", "center_distance") or limit.unit == "%":
        return None
    return term.name, op, limit


def counts_in(comparison: Compare) -> bool:
    """Whether the comparison is one of counts."""
    return any(isinstance(part, Count) for part in aggregates(comparison))


def covers_in(comparison: Compare) -> bool:
    """Whether the comparison is one of covers."""
    return any(isinstance(part, Cover) for part in aggregates(comparison))


def aggregates(node: Node) -> list[Count | Cover]:
    """The counts and covers that a comparison compares, from left to right; not those inside their bodies."""
    match node:
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return [*aggregates(left), *aggregates(right)]
        case Count() | Cover():
            return [node]
        case _:
            return []


# --- counts: exact, over the integers in their ranges -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linear:
    """constant + sum of coefficient * count: what a side of a comparison of counts always is (section 4)."""

    constant: Fraction
    counts: tuple[tuple[Fraction, Count], ...]

    def scaled(self, factor: Fraction) -> Linear:
        """Every coefficient times `factor`."""
        return Linear(self.constant * factor, tuple((c * factor, count) for c, count in self.counts))

    def plus(self, other: Linear) -> Linear:
        """The sum; a count that stands in both stays twice, for each ranges by itself."""
        return Linear(self.constant + other.constant, self.counts + other.counts)

    def in_integers(self) -> tuple[int, tuple[tuple[int, Count], ...]]:
        """The same times the least positive integer that makes every coefficient whole."""
        factor = lcm(self.constant.denominator, *(c.denominator for c, _ in self.counts))
        return int(self.constant * factor), tuple((int(c * factor), count) for c, count in self.counts)


def linear(term: Term) -> Linear:
    """A term of counts and bare numbers as a sum."""
    match term:
        case Number(value, None):
            return Linear(Fraction(value), ())
        case Count():
            return Linear(Fraction(0), ((Fraction(1), term),))
        case Arithmetic("+", left, right):
            return linear(left).plus(linear(right))
        case Arithmetic("-", left, right):
            return linear(left).plus(linear(right).scaled(Fraction(-1)))
        case Arithmetic("*", left, right):
            one, other = linear(left), linear(right)
            return other.scaled(one.constant) if not one.counts else one.scaled(other.constant)
        case Arithmetic("/", left, Number(value)):
            return linear(left).scaled(1 / Fraction(value))
        case _:
            raise TypeError(f"not a term of counts and numbers: {type(term).__name__}")


def difference(comparison: Compare) -> Linear:
    """left - right."""
    return linear(comparison.left).plus(linear(comparison.right).scaled(Fraction(-1)))


def compare_counts(comparison: Compare, ranges: Callable[[Count], tuple[int, int]]) -> Verdict:
    """The verdict when every count may be any whole number of its range, each by itself (section 3)."""
    constant, counts = difference(comparison).in_integers()
    known = [(coefficient, *ranges(count)) for coefficient, count in counts]
    return compare_to_zero(comparison.op, constant, known)


def compare_to_zero(op: CompareOp, constant: int, ranges: Sequence[tuple[int, int, int]]) -> Verdict:
    """constant + sum of c * n OP 0, for all whole n with low <= n <= high; `ranges` holds (c, low, high)."""
    low = constant + sum(min(c * a, c * b) for c, a, b in ranges)
    high = constant + sum(max(c * a, c * b) for c, a, b in ranges)
    if op not in ("=", "!="):
        return compare_intervals(op, (Fraction(low), Fraction(high)), (Fraction(0), Fraction(0)))
    if low == high == 0:
        equal = SATISFIED
    elif low <= 0 <= high and _reaches_zero(constant, ranges):
        equal = UNDECIDED
    else:
        equal = VIOLATED
    return equal if op == "=" else Verdict(2 - equal)


def _reaches_zero(constant: int, ranges: Sequence[tuple[int, int, int]]) -> bool:
    """Whether some choice makes the sum 0. The reachable sums are bits of an integer, doubled up range by range."""
    lowest = constant + sum(min(c * a, c * b) for c, a, b in ranges)
    reachable = 1  # bit i: the sum lowest + i can be reached
    for c, a, b in ranges:
        step, left = abs(c), b - a
        done = 1
        while left and step:
            take = min(done, left)
            reachable |= reachable << (step * take)
            done, left = done + take, left - take
    return bool(reachable >> -lowest & 1)


# --- covers: intervals of areas ---------------------------------------------------------------------------------------


def compare_intervals(op: CompareOp, left: tuple[Real, Real], right: tuple[Real, Real]) -> Verdict:
    """The verdict when both sides may be any number of their interval."""
    match op:
        case "<":
            return of(left[1] < right[0]) if left[1] < right[0] or left[0] >= right[1] else UNDECIDED
        case "<=":
            return of(left[1] <= right[0]) if left[1] <= right[0] or left[0] > right[1] else UNDECIDED
        case ">" | ">=":
            return compare_intervals(REVERSED[op], right, left)
        case "=" | "!=":
            if left[0] == left[1] == right[0] == right[1]:
                equal = SATISFIED
            elif left[1] < right[0] or right[1] < left[0]:
                equal = VIOLATED
            else:
                equal = UNDECIDED
            return equal if op == "=" else Verdict(2 - equal)


def interval(term: Term, leaf: Callable[[Term], tuple[float, float] | None]) -> tuple[float, float] | None:
    """The interval of a term of covers, areas and percentages in float64, None where a number is missing."""
    if not isinstance(term, Arithmetic):
        return leaf(term)
    left, right = interval(term.left, leaf), interval(term.right, leaf)
    if left is None or right is None:
        return None
    match term.op:
        case "+":
            return left[0] + right[0], left[1] + right[1]
        case "-":
            return left[0] - right[1], left[1] - right[0]
        case "*":
            ends = [a * b for a in left for b in right]
            return min(ends), max(ends)
        case "/":
            ends = [a / b for a in left for b in right]
            return min(ends), max(ends)

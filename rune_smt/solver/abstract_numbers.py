"""Comparisons of measures for Z3: numbers known only by their order, and by what rounding leaves of arithmetic.

A scene computes them in float64, from left to right (LANGUAGE, section 4), where `a + b - b` need not be a. So sums,
products and quotients are unknown functions with the laws that IEEE 754 rounding keeps: monotone, commutative, on the
right side of 0 and of their operands. A limit in metres or percent is an unknown number, in order with its like, for
the ground sample distance and the image's size are unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import isfinite
from typing import Any

import z3

from ..grammar.nodes import Apply, Arithmetic, Compare, Count, Cover, Number, Term
from .dimension import is_area
from .numbers import METRIC, in_metres

SMALLEST_GSD, LARGEST_GSD = 0.005, 1000.0  # metres per pixel; outside a scene's is unknown (LANGUAGE, section 1)

Leaf = Callable[[Apply | Count | Cover], Any]


class Numbers:
    """The limits and the arithmetic that the formulas of one context use."""

    def __init__(self, context: Any):
        self.context = context
        self._limits: dict[tuple[str, float], Any] = {}
        self._operators: dict[str, Any] = {}

    def exact(self, value: float) -> Any:
        """The number that float64 holds, not the decimal that was written; unknown where it is beyond float64."""
        if not isfinite(value):
            return self.limit("beyond float64", 1.0)
        fraction = Fraction(value)
        return z3.RealVal(f"{fraction.numerator}/{fraction.denominator}", self.context)

    def limit(self, kind: str, value: float) -> Any:
        """An unknown number for 50 m, 2 ha or 5 %; `kind` says of what."""
        if (kind, value) not in self._limits:
            self._limits[(kind, value)] = z3.Real(f"{value!r} {kind}", self.context)
        return self._limits[(kind, value)]

    def operator(self, op: str) -> Any:
        """The rounded sum, difference, product or quotient."""
        if op not in self._operators:
            real = z3.RealSort(self.context)
            self._operators[op] = z3.Function(f"rounded {op}", real, real, real)
        return self._operators[op]

    def laws(self) -> list[Any]:
        """Of every limit and operator used so far."""
        return [*self._limit_laws(), *(law for op in self._operators for law in self._operator_laws(op))]

    def _limit_laws(self) -> list[Any]:
        made = []
        for (kind, value), limit in self._limits.items():
            made.append(limit >= 0 if value > 0 else limit == 0)
            power = {"m": 1, "m2": 2}.get(kind)
            if power is not None:
                smallest, largest = (gsd * gsd if power == 2 else gsd for gsd in (SMALLEST_GSD, LARGEST_GSD))
                made += [limit >= self.exact(value / largest), limit <= self.exact(value / smallest)]
        for ((kind, value), limit), ((other_kind, other), next_limit) in combinations(self._limits.items(), 2):
            if kind == other_kind:
                made.append(limit <= next_limit if value < other else limit >= next_limit)
        return made

    def _operator_laws(self, op: str) -> list[Any]:
        f = self.operator(op)
        u, v, w = z3.Reals("u v w", self.context)
        match op:
            case "+":
                said = [
                    f(u, v) == f(v, u),
                    z3.And(z3.Implies(v >= 0, f(u, v) >= u), z3.Implies(v <= 0, f(u, v) <= u)),
                ]
                monotone = [z3.Implies(u <= w, f(u, v) <= f(w, v))]
            case "-":
                said = [
                    z3.And((f(u, v) >= 0) == (u >= v), (f(u, v) <= 0) == (u <= v)),
                    z3.And(z3.Implies(v >= 0, f(u, v) <= u), z3.Implies(v <= 0, f(u, v) >= u)),
                ]
                monotone = [z3.Implies(u <= w, f(u, v) <= f(w, v)), z3.Implies(u <= w, f(v, u) >= f(v, w))]
            case "*":
                said = [
                    f(u, v) == f(v, u),
                    z3.Implies(v == 1, f(u, v) == u),
                    z3.Implies(v == 0, f(u, v) == 0),
                    z3.Implies(z3.And(u >= 0, v >= 0), f(u, v) >= 0),
                    z3.Implies(z3.And(u <= 0, v >= 0), f(u, v) <= 0),
                    z3.Implies(z3.And(u >= 0, v >= 1), f(u, v) >= u),
                    z3.Implies(z3.And(u >= 0, v >= 0, v <= 1), f(u, v) <= u),
                ]
                monotone = [z3.Implies(z3.And(u <= w, v >= 0), f(u, v) <= f(w, v))]
            case _:  # the divisor is a number above 0
                said = [
                    z3.Implies(v == 1, f(u, v) == u),
                    z3.Implies(z3.And(u >= 0, v > 0), f(u, v) >= 0),
                    z3.Implies(z3.And(u <= 0, v > 0), f(u, v) <= 0),
                    z3.Implies(z3.And(u >= 0, v >= 1), f(u, v) <= u),
                    z3.Implies(z3.And(u >= 0, v > 0, v <= 1), f(u, v) >= u),
                ]
                monotone = [z3.Implies(z3.And(u <= w, v > 0), f(u, v) <= f(w, v))]
        one = z3.ForAll([u, v], z3.And(said), patterns=[f(u, v)])
        return [
            one,
            *(z3.ForAll([u, v, w], law, patterns=[z3.MultiPattern(*(_terms(f, law, u, v, w)))]) for law in monotone),
        ]


def _terms(f: Any, law: Any, u: Any, v: Any, w: Any) -> tuple[Any, Any]:
    """The two applications that a law of monotony compares."""
    in_second = law.arg(1).arg(0).eq(f(v, u))
    return (f(v, u), f(v, w)) if in_second else (f(u, v), f(w, v))


def compared(numbers: Numbers, node: Compare, leaf: Leaf) -> Any:
    """A comparison of measures or covers; `leaf` gives the unknown number of a function or a cover."""
    left = _value(numbers, node.left, node.right, leaf)
    right = _value(numbers, node.right, node.left, leaf)
    one, other = (numbers.exact(side) if isinstance(side, float) else side for side in (left, right))
    match node.op:
        case "=":
            return one == other
        case "!=":
            return one != other
        case "<":
            return one < other
        case "<=":
            return one <= other
        case ">":
            return one > other
        case ">=":
            return one >= other


def _value(numbers: Numbers, term: Term, other: Term, leaf: Leaf) -> Any:
    """A float where it is known, else a Z3 number."""
    match term:
        case Number(value, "%"):
            of = "area" if is_area(other) else "length"
            return numbers.limit(f"% of the {of}", float(value))
        case Number(_, unit) if unit in METRIC:
            metres, power = in_metres(term)
            return numbers.limit("m" if power == 1 else "m2", metres)
        case Number(value):
            return float(value)
        case Arithmetic(op, left, right):
            a, b = _value(numbers, left, other, leaf), _value(numbers, right, other, leaf)
            if isinstance(a, float) and isinstance(b, float):
                return a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else a / b
            if op in ("+", "-") and isinstance(b, float) and b == 0:
                return a
            one, two = (numbers.exact(side) if isinstance(side, float) else side for side in (a, b))
            return numbers.operator(op)(one, two)
        case Apply() | Count() | Cover():
            return leaf(term)
        case _:
            raise TypeError(f"not a number: {type(term).__name__}")

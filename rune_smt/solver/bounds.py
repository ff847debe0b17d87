"""What can be told of a formula's verdict from classes alone, before any geometry.

An abstract interpretation: class atoms of known variables are decided, every other atom may be anything. The result is
a lowest and a highest verdict. It yields the guards of section 12 (which classes a variable needs to range over) and
the planner's first step (which images their class counts decide).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from .. import verdict
from ..grammar.nodes import (
    And,
    Apply,
    Compare,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Truth,
    Variable,
)
from .numbers import counts_in, difference

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

VIOLATED, SATISFIED = int(verdict.VIOLATED), int(verdict.SATISFIED)  # plain numbers: numpy takes its time over enums
Bounds: TypeAlias = tuple[Any, Any]  # lowest and highest verdict: numbers, or int8 arrays with one for each image
ANYTHING = (VIOLATED, SATISFIED)


@dataclass(frozen=True)
class Histogram:
    """How many entities of each class an image has: counts int64 (images, classes).

    most  where only some of them are certain: how many it may have; `counts` are the certain ones then
    """

    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    most: NDArray[np.int64] | None = None

    @cached_property
    def columns(self) -> NDArray[np.int64]:
        """The counts, those of one class side by side: int64 (classes, images)."""
        return np.ascontiguousarray(self.counts.T)

    @cached_property
    def most_columns(self) -> NDArray[np.int64]:
        """The same of how many there may be."""
        return self.columns if self.most is None else np.ascontiguousarray(self.most.T)


def admitted(var: str, body: Formula, classes: Sequence[str], vocabulary: Vocabulary, wanted: str) -> tuple[str, ...]:
    """The classes whose entities can matter as `var`.

    wanted "exists": the others violate the body for certain, so exists, exists>=N, exists<=N, exists=N and count need
    not look at them; "forall": the others satisfy it for certain.
    """
    kept = []
    for cls in classes:
        low, high = bounds(body, vocabulary, {var: cls}, None)
        if (high > VIOLATED) if wanted == "exists" else (low < SATISFIED):
            kept.append(cls)
    return tuple(kept)


def bounds(
    formula: Formula, vocabulary: Vocabulary, known: Mapping[str, str], histogram: Histogram | None
) -> Bounds:
    """Lowest and highest verdict of `formula`, the classes of some variables known.

    With a histogram the bounds are int8 arrays, one for each image; without one a quantifier over unknown many entities
    may go either way.
    """

    def below(part: Formula) -> Bounds:
        return bounds(part, vocabulary, known, histogram)

    def how_many(var: str, body: Formula) -> tuple[Any, Any]:
        return _how_many(var, body, vocabulary, known, histogram)

    match formula:
        case Truth(value):
            code = SATISFIED if value else VIOLATED
            return code, code
        case Apply(name, (Variable(var),)) if name in vocabulary.classes and var in known:
            code = SATISFIED if vocabulary.is_a(known[var], name) else VIOLATED
            return code, code
        case Apply("same_class", (Variable(a), Variable(b))) if a in known and b in known and known[a] != known[b]:
            return VIOLATED, VIOLATED
        case Apply():
            return ANYTHING
        case Compare("=" | "!=" as op, Variable(a), Variable(b)) if a in known and b in known and known[a] != known[b]:
            code = VIOLATED if op == "=" else SATISFIED
            return code, code
        case Compare():
            return _comparison(formula, how_many, histogram) if counts_in(formula) else ANYTHING
        case Not(body):
            low, high = below(body)
            return 2 - high, 2 - low
        case And(parts):
            return _fold(np.minimum, [below(part) for part in parts])
        case Or(parts):
            return _fold(np.maximum, [below(part) for part in parts])
        case Implies(left, right):
            (low_a, high_a), (low_b, high_b) = below(left), below(right)
            return np.maximum(2 - high_a, low_b), np.maximum(2 - low_a, high_b)
        case Iff(left, right):
            (low_a, high_a), (low_b, high_b) = below(left), below(right)
            low = np.minimum(np.maximum(2 - high_a, low_b), np.maximum(2 - high_b, low_a))
            high = np.minimum(np.maximum(2 - low_a, high_b), np.maximum(2 - low_b, high_a))
            return low, high
        case Exists(var, body):
            sure, possible = how_many(var, body)
            return _compare(">=", sure, possible, 1)
        case ForAll(var, body):
            sure, possible = how_many(var, Not(body))
            return _compare("<=", sure, possible, 0)
        case ExistsCount(op, n, var, body):
            sure, possible = how_many(var, body)
            return _compare(op, sure, possible, n)
        case _:
            assert_never(formula)


def _fold(combine: Callable[[Any, Any], Any], all_bounds: Sequence[Bounds]) -> Bounds:
    low, high = all_bounds[0]
    for other_low, other_high in all_bounds[1:]:
        low, high = combine(low, other_low), combine(high, other_high)
    return low, high


UNBOUNDED = 1 << 40  # more entities than any image has


def _how_many(
    var: str, body: Formula, vocabulary: Vocabulary, known: Mapping[str, str], histogram: Histogram | None
) -> tuple[Any, Any]:
    """The fewest entities that satisfy the body for certain, and the most that may."""
    if histogram is None:
        others = {name: cls for name, cls in known.items() if name != var}
        low, high = bounds(body, vocabulary, others, None)
        return 0, np.where(np.asarray(high) > VIOLATED, UNBOUNDED, 0)
    sure: Any = 0
    possible: Any = 0
    all_sure, all_possible = [], []  # classes of which every entity satisfies, and may satisfy, in all images
    certain, most = histogram.columns, histogram.most_columns
    for code, cls in enumerate(histogram.classes):
        inner = {**known, var: cls}
        if np.max(bounds(body, vocabulary, inner, None)[1]) == VIOLATED:
            continue  # a guard says so: most classes end here, before any work by image
        low, high = bounds(body, vocabulary, inner, histogram)
        if np.ndim(low):
            sure = sure + certain[code] * (low == SATISFIED)
        elif low == SATISFIED:
            all_sure.append(code)
        if np.ndim(high):
            possible = possible + most[code] * (high > VIOLATED)
        elif high > VIOLATED:
            all_possible.append(code)
    return sure + _summed(certain, all_sure), possible + _summed(most, all_possible)


def _summed(counts: NDArray[np.int64], codes: Sequence[int]) -> NDArray[np.int64]:
    """How many entities of these classes each image has; counts (classes, images)."""
    total = np.zeros(counts.shape[1], dtype=np.int64)
    for code in codes:
        total += counts[code]
    return total


def _compare(op: str, sure: Any, possible: Any, n: int) -> Bounds:
    """Bounds of a count's comparison with n: the count's true range lies anywhere in [sure, possible]."""
    sure, possible = np.asarray(sure), np.asarray(possible)
    if op == ">=":
        low, high = np.where(sure >= n, SATISFIED, VIOLATED), np.where(possible >= n, SATISFIED, VIOLATED)
    elif op == "<=":
        low, high = np.where(possible <= n, SATISFIED, VIOLATED), np.where(sure <= n, SATISFIED, VIOLATED)
    else:
        low = np.where((sure == n) & (possible == n), SATISFIED, VIOLATED)
        high = np.where((sure <= n) & (n <= possible), SATISFIED, VIOLATED)
    return low.astype(np.int8), high.astype(np.int8)


def _comparison(
    comparison: Compare, how_many: Callable[[str, Formula], tuple[Any, Any]], histogram: Histogram | None
) -> Bounds:
    """A comparison of counts, each between its fewest and its most."""
    if histogram is None:
        return ANYTHING
    constant, counts = difference(comparison).in_integers()
    low: Any = float(constant)
    high: Any = float(constant)
    for coefficient, count in counts:
        sure, possible = how_many(count.var, count.body)
        ends = (float(coefficient) * sure, float(coefficient) * possible)
        low, high = low + np.minimum(*ends), high + np.maximum(*ends)
    if max(np.max(np.abs(low), initial=0.0), np.max(np.abs(high), initial=0.0)) >= 2**53:
        return ANYTHING  # beyond exact whole numbers in float64: look closer
    sign: dict[str, tuple[Any, Any]] = {
        "<": (high < 0, low < 0),
        "<=": (high <= 0, low <= 0),
        ">": (low > 0, high > 0),
        ">=": (low >= 0, high >= 0),
        "=": ((low == 0) & (high == 0), (low <= 0) & (high >= 0)),
        "!=": ((low > 0) | (high < 0), ~((low == 0) & (high == 0))),
    }
    surely, maybe = sign[comparison.op]
    return (
        np.where(surely, SATISFIED, VIOLATED).astype(np.int8),
        np.where(maybe, SATISFIED, VIOLATED).astype(np.int8),
    )

"""What can be told of a formula's verdict from classes alone, before any geometry.

An abstract interpretation: class atoms of known variables are decided, every other atom may be anything. The result is
a lowest and a highest verdict. It yields the guards of section 12 (which classes a variable needs to range over) and
the planner's first step (which images their class counts decide).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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

# Plain numbers: numpy takes its time over enums.
VIOLATED, UNDECIDED, SATISFIED = int(verdict.VIOLATED), int(verdict.UNDECIDED), int(verdict.SATISFIED)
Bounds: TypeAlias = tuple[Any, Any]  # lowest and highest verdict: numbers, or int8 arrays with one for each image
Numbers: TypeAlias = NDArray[np.integer[Any]]
ANYTHING = (VIOLATED, SATISFIED)


@dataclass(frozen=True)
class Histogram:
    """How many entities of each class an image has: counts, whole numbers (images, classes).

    most  where only some of them are certain: how many it may have; `counts` are the certain ones then
    """

    classes: tuple[str, ...]
    counts: Numbers
    most: Numbers | None = None

    @cached_property
    def columns(self) -> Numbers:
        """The counts, those of one class side by side: (classes, images)."""
        return np.ascontiguousarray(self.counts.T)

    @cached_property
    def most_columns(self) -> Numbers:
        """The same of how many there may be."""
        return self.columns if self.most is None else np.ascontiguousarray(self.most.T)

    @cached_property
    def average(self) -> NDArray[np.float64]:
        """How many of each class an image has on average, float64 (classes,)."""
        mean: NDArray[np.float64] = self.columns.sum(axis=1, dtype=np.int64) / max(1, len(self.counts))
        return mean


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
            return _fold(_least, map(below, parts), VIOLATED)
        case Or(parts):
            return _fold(_greatest, map(below, parts), SATISFIED)
        case Implies(left, right):
            (low_a, high_a), (low_b, high_b) = below(left), below(right)
            return _greatest(2 - high_a, low_b), _greatest(2 - low_a, high_b)
        case Iff(left, right):
            (low_a, high_a), (low_b, high_b) = below(left), below(right)
            low = _least(_greatest(2 - high_a, low_b), _greatest(2 - high_b, low_a))
            high = _least(_greatest(2 - low_a, high_b), _greatest(2 - low_b, high_a))
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


def image_bounds(
    formula: Formula, vocabulary: Vocabulary, histogram: Histogram, images: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Lowest and highest verdict of a closed formula for each of some images, int8; for all where none are named."""
    if images is not None:
        histogram = Histogram(histogram.classes, histogram.counts[images])
    shape = (len(histogram.counts),)
    low, high = (
        np.broadcast_to(np.asarray(bound, dtype=np.int8), shape)
        for bound in bounds(formula, vocabulary, {}, histogram)
    )
    return low.copy(), high


def _fold(combine: Callable[[Any, Any], Any], all_bounds: Iterator[Bounds], settled: int) -> Bounds:
    """`&` or `|`; what comes after a part that settles every image is not looked at."""
    low, high = next(all_bounds)
    for other_low, other_high in all_bounds:
        if _is_known(low, settled) and _is_known(high, settled):
            break
        low, high = combine(low, other_low), combine(high, other_high)
    return low, high


def _is_known(verdicts: Any, code: int) -> bool:
    """Whether it is this one verdict, for all images alike."""
    return isinstance(verdicts, int) and verdicts == code


def _least(a: Any, b: Any) -> Any:
    """numpy takes its time over single numbers."""
    return min(a, b) if isinstance(a, int) and isinstance(b, int) else np.minimum(a, b)


def _greatest(a: Any, b: Any) -> Any:
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else np.maximum(a, b)


UNBOUNDED = 1 << 40  # more entities than any image has


def _how_many(
    var: str, body: Formula, vocabulary: Vocabulary, known: Mapping[str, str], histogram: Histogram | None
) -> tuple[Any, Any]:
    """The fewest entities that satisfy the body for certain, and the most that may: numbers, or one for each image."""
    if histogram is None:
        others = {name: cls for name, cls in known.items() if name != var}
        _, high = bounds(body, vocabulary, others, None)
        return 0, UNBOUNDED if high > VIOLATED else 0
    sure: Any = 0
    possible: Any = 0
    certain, most = histogram.columns, histogram.most_columns
    exact = certain is most
    for code, cls in enumerate(histogram.classes):
        inner = {**known, var: cls}
        if bounds(body, vocabulary, inner, None)[1] == VIOLATED:
            continue  # a guard says so: most classes end here, before any work by image
        low, high = bounds(body, vocabulary, inner, histogram)
        sure = _plus(sure, certain[code], low, SATISFIED)
        possible = _plus(possible, most[code], high, UNDECIDED)
        exact = exact and isinstance(low, int) and isinstance(high, int) and low == high
    return sure, (sure if exact else possible)


def _plus(total: Any, counts: Numbers, verdicts: Any, least: int) -> Any:
    """The total and the counts of those images whose verdict is at least that."""
    if not isinstance(verdicts, int):
        counts = counts * (verdicts >= least)
    elif verdicts < least:
        return total
    return counts if isinstance(total, int) else total + counts


def _compare(op: str, sure: Any, possible: Any, n: int) -> Bounds:
    """Bounds of a count's comparison with n: the count's true range lies anywhere in [sure, possible]."""
    if op == ">=":
        return _code(sure >= n), _code(possible >= n)
    if op == "<=":
        return _code(possible <= n), _code(sure <= n)
    return _code((sure == n) & (possible == n)), _code((sure <= n) & (n <= possible))


def _code(fact: Any) -> Any:
    """Satisfied where it is true, violated elsewhere: a number, or int8 for each image."""
    if isinstance(fact, np.ndarray):
        return fact.view(np.int8) * np.int8(SATISFIED)
    return SATISFIED if fact else VIOLATED


def _comparison(
    comparison: Compare, how_many: Callable[[str, Formula], tuple[Any, Any]], histogram: Histogram | None
) -> Bounds:
    """A comparison of counts, each between its fewest and its most."""
    if histogram is None:
        return ANYTHING
    constant, counts = difference(comparison).in_integers()
    low: Any = float(constant)
    high: Any = low
    for coefficient, count in counts:
        sure, possible = how_many(count.var, count.body)
        if sure is possible:
            exactly = float(coefficient) * sure
            low, high = (low + exactly,) * 2 if low is high else (low + exactly, high + exactly)
        else:
            ends = (float(coefficient) * sure, float(coefficient) * possible)
            low, high = low + np.minimum(*ends), high + np.maximum(*ends)
    if max(-np.min(low, initial=0.0), np.max(high, initial=0.0)) >= 2**53:
        return ANYTHING  # beyond exact whole numbers in float64: look closer
    match comparison.op:
        case "<":
            surely, maybe = high < 0, low < 0
        case "<=":
            surely, maybe = high <= 0, low <= 0
        case ">":
            surely, maybe = low > 0, high > 0
        case ">=":
            surely, maybe = low >= 0, high >= 0
        case "=":
            surely, maybe = (low == 0) & (high == 0), (low <= 0) & (high >= 0)
        case _:
            surely, maybe = (low > 0) | (high < 0), (low != 0) | (high != 0)
    return _code(surely), _code(maybe)

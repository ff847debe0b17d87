"""Formulas over independent propositions, and their exact probability.

Terms are hash-consed: equal terms have one number, parts have lower numbers than what they are part of. The probability
of a term is found by recursion: parts that share no proposition are independent and their probabilities multiply; where
parts share some, the proposition that stands in most of them is taken once true and once false (Shannon expansion), and
what remains often falls apart. Every result is remembered, so equal remainders are computed once. Sums are handled as
distributions: independent parts convolve. The method is that of #SAT solvers with component caching (Sang et al. 2004)
and of compilation to d-DNNF (Darwiche 2001), on formulas as they are instead of clauses.

Propositions that cannot be expanded in this way (the area of a union, reachability over links) are terms with a rule:
a function of the truth of some terms, each true, false or not known yet, that says whether the whole is settled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..grammar.nodes import CompareOp
from ..verdict import Verdict
from .numbers import compare_to_zero

FALSE, TRUE = 0, 1
MAX_WORK = 60_000  # parts looked at while expanding: about half a second; beyond it worlds are sampled
MAX_DEPTH = 120  # propositions taken one inside the other: Python's stack holds about three times that
MAX_SPAN = 1 << 16  # different sums that a distribution is kept of

Weight: TypeAlias = int | tuple[int, ...]


class Rule(Protocol):
    """What a `Ruled` term makes of its parts.

    work  what looking at it once costs, in parts of other terms
    """

    work: int

    def __call__(self, known: Sequence[bool | None], /) -> bool | None:
        """The whole's truth from the parts', None for a part that is not known yet; None while that leaves it open."""
        ...

    def many(self, rows: NDArray[np.bool_], /) -> NDArray[np.bool_]:
        """The truth in many worlds at once, bool (worlds, parts): bool (worlds,)."""
        ...


class TooLarge(Exception):
    """The exact probability would take too long."""


@dataclass(frozen=True, slots=True)
class Holds:
    """The test of a sum: it stands in this relation to 0."""

    op: CompareOp

    def __call__(self, total: Any) -> bool:
        """Whether it does."""
        match self.op:
            case "<":
                return bool(total < 0)
            case "<=":
                return bool(total <= 0)
            case ">":
                return bool(total > 0)
            case ">=":
                return bool(total >= 0)
            case "=":
                return bool(total == 0)
            case "!=":
                return bool(total != 0)


@dataclass(frozen=True, slots=True)
class HoldsInRanges:
    """The test of a vector (fewest, most, fewest, most, ...): constant + factors * counts OP 0 has at least `level`."""

    op: CompareOp
    constant: int
    factors: tuple[int, ...]
    level: Verdict

    def __call__(self, total: Any) -> bool:
        """Whether it does, each count any number of its range."""
        ranges = [(factor, total[2 * i], total[2 * i + 1]) for i, factor in enumerate(self.factors)]
        return compare_to_zero(self.op, self.constant, ranges) >= self.level


Test: TypeAlias = Holds | HoldsInRanges


@dataclass(frozen=True, slots=True)
class Literal:
    """A proposition, or its negation."""

    proposition: int
    positive: bool


@dataclass(frozen=True, slots=True)
class Every:
    """All of the terms, two or more."""

    parts: frozenset[int]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the terms, two or more."""

    parts: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sum:
    """The weights of the true parts and the offset sum up to what passes the test; or do not, if not `wanted`."""

    parts: tuple[tuple[int, Weight], ...]
    offset: Weight
    test: Test
    wanted: bool


@dataclass(frozen=True, slots=True)
class Ruled:
    """What rule number `rule` makes of the parts; or its negation, if not `wanted`."""

    parts: tuple[int, ...]
    rule: int
    wanted: bool


Term: TypeAlias = bool | Literal | Every | Some | Sum | Ruled
Distribution: TypeAlias = dict[Any, float]


class Propositions:
    """Terms over propositions 0, 1, ..., each true with its own probability and independently of the others."""

    def __init__(self, probabilities: Sequence[float], max_work: int = MAX_WORK):
        self.probabilities = probabilities
        self.terms: list[Term] = [False, True]
        self.support: list[int] = [0, 0]  # bit i: proposition i can matter
        self.max_work = max_work
        self.work = 0
        self._numbers: dict[Term, int] = {False: FALSE, True: TRUE}
        self._negations: dict[int, int] = {FALSE: TRUE, TRUE: FALSE}
        self._rules: list[Rule] = []
        self._conditions: dict[tuple[int, int, bool], int] = {}
        self._known: dict[int, float] = {FALSE: 0.0, TRUE: 1.0}
        self._distributions: dict[Hashable, Distribution] = {}

    # --- making terms -------------------------------------------------------------------------------------------------

    def _number(self, term: Term, support: int) -> int:
        number = self._numbers.get(term)
        if number is None:
            number = self._numbers[term] = len(self.terms)
            self.terms.append(term)
            self.support.append(support)
        return number

    def literal(self, proposition: int, positive: bool = True) -> int:
        """A proposition or its negation; one that is certain is a constant."""
        chance = self.probabilities[proposition]
        if chance in (0.0, 1.0):
            return TRUE if (chance == 1.0) == positive else FALSE
        return self._number(Literal(proposition, positive), 1 << proposition)

    def every(self, parts: Iterable[int]) -> int:
        """All of them."""
        return self._joined(parts, Every, TRUE, FALSE)

    def some(self, parts: Iterable[int]) -> int:
        """At least one of them."""
        return self._joined(parts, Some, FALSE, TRUE)

    def _joined(self, parts: Iterable[int], kind: type[Every] | type[Some], neutral: int, settling: int) -> int:
        flat: set[int] = set()
        for part in parts:
            term = self.terms[part]
            if isinstance(term, kind):
                flat |= term.parts
            else:
                flat.add(part)
        flat.discard(neutral)
        if settling in flat:
            return settling
        if not flat:
            return neutral
        if len(flat) == 1:
            return flat.pop()
        if any(self._negations.get(part) in flat for part in flat):
            return settling
        return self._number(kind(frozenset(flat)), self._supports(flat))

    def _supports(self, parts: Iterable[int]) -> int:
        support = 0
        for part in parts:
            support |= self.support[part]
        return support

    def negation(self, number: int) -> int:
        """~a, pushed inward to where it costs nothing: small probabilities then keep their digits."""
        known = self._negations.get(number)
        if known is None:
            term = self.terms[number]
            match term:
                case Literal(proposition, positive):
                    known = self.literal(proposition, not positive)
                case Every(parts):
                    known = self.some(self.negation(part) for part in parts)
                case Some(parts):
                    known = self.every(self.negation(part) for part in parts)
                case Sum(sums, offset, test, wanted):
                    known = self._number(Sum(sums, offset, test, not wanted), self.support[number])
                case Ruled(ruled, rule, wanted):
                    known = self._number(Ruled(ruled, rule, not wanted), self.support[number])
                case bool():
                    known = FALSE if term else TRUE
            self._negations[number] = known
            self._negations.setdefault(known, number)  # a constant keeps its own: the term may be one unknowingly
        return known

    def total(self, parts: Iterable[tuple[int, Weight]], offset: Weight, test: Test, wanted: bool = True) -> int:
        """The weights of the true parts and the offset pass the test."""
        weights: dict[int, Weight] = {}
        for part, weight in parts:
            if part == TRUE:
                offset = _plus(offset, weight)
            elif part != FALSE:
                weights[part] = _plus(weights[part], weight) if part in weights else weight
        listed = tuple(sorted((part, weight) for part, weight in weights.items() if weight != 0))
        if not listed:
            return TRUE if test(offset) == wanted else FALSE
        if isinstance(test, Holds):
            settled = _settled(listed, offset, test)
            if settled is not None:
                return TRUE if settled == wanted else FALSE
        return self._number(Sum(listed, offset, test, wanted), self._supports(part for part, _ in listed))

    def rule(self, rule: Rule) -> int:
        """Registers a rule: its number."""
        self._rules.append(rule)
        return len(self._rules) - 1

    def ruled(self, parts: Sequence[int], rule: int, wanted: bool = True) -> int:
        """What a rule makes of the parts."""
        known = [bool(part) if part <= TRUE else None for part in parts]
        settled = self._rules[rule](known)
        if settled is not None:
            return TRUE if settled == wanted else FALSE
        return self._number(Ruled(tuple(parts), rule, wanted), self._supports(parts))

    # --- taking a proposition as true or false ------------------------------------------------------------------------

    def given(self, number: int, proposition: int, value: bool) -> int:
        """The term when a proposition is known."""
        if not self.support[number] >> proposition & 1:
            return number
        key = (number, proposition, value)
        known = self._conditions.get(key)
        if known is None:
            known = self._conditions[key] = self._given(number, proposition, value)
        return known

    def _given(self, number: int, proposition: int, value: bool) -> int:
        term = self.terms[number]
        match term:
            case Literal(_, positive):
                return TRUE if positive == value else FALSE
            case Every(parts):
                self._spend(len(parts))
                return self.every(self.given(part, proposition, value) for part in parts)
            case Some(parts):
                self._spend(len(parts))
                return self.some(self.given(part, proposition, value) for part in parts)
            case Sum(sums, offset, test, wanted):
                self._spend(len(sums))
                return self.total(
                    [(self.given(part, proposition, value), weight) for part, weight in sums], offset, test, wanted
                )
            case Ruled(ruled, rule, wanted):
                self._spend(len(ruled) + self._rules[rule].work)
                return self.ruled([self.given(part, proposition, value) for part in ruled], rule, wanted)
            case bool():
                return number

    def _spend(self, work: int) -> None:
        self.work += work
        if self.work > self.max_work:
            raise TooLarge

    # --- probability --------------------------------------------------------------------------------------------------

    def probability(self, number: int, depth: int = 0) -> float:
        """How probable a term is, exact up to rounding; 0.0 and 1.0 only where it is. raises TooLarge."""
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = self._probability(number, depth)
        return known

    def _probability(self, number: int, depth: int) -> float:
        term = self.terms[number]
        match term:
            case bool():
                return float(term)
            case Literal(proposition, positive):
                chance = self.probabilities[proposition]
                return chance if positive else 1.0 - chance
            case Every(parts):
                groups = self._groups(parts)
                if len(groups) == 1:
                    return self._expanded(number, parts, depth)
                product = 1.0
                for group in groups:
                    product *= self.probability(self.every(group), depth)
                return product
            case Some(parts):
                groups = self._groups(parts)
                if len(groups) == 1:
                    return self._expanded(number, parts, depth)
                none = 1.0
                largest = 0.0
                for group in groups:
                    chance = self.probability(self.some(group), depth)
                    none *= 1.0 - chance
                    largest = max(largest, chance)
                return max(largest, 1.0 - none)  # at least one of them: never less than one of them
            case Sum(sums, offset, test, wanted):
                return self._chance_of_sum(sums, offset, test, wanted, depth)
            case Ruled(ruled):
                return self._expanded(number, ruled, depth)

    def _expanded(self, number: int, parts: Iterable[int], depth: int) -> float:
        if depth >= MAX_DEPTH:
            raise TooLarge
        proposition = self._most_frequent(parts)
        with_it = self.probability(self.given(number, proposition, True), depth + 1)
        without = self.probability(self.given(number, proposition, False), depth + 1)
        if with_it == without:
            return with_it
        chance = self.probabilities[proposition]
        return chance * with_it + (1.0 - chance) * without

    def model(self, number: int) -> dict[int, bool]:
        """Propositions and values that make a possible term true, the likelier value where both may. raises TooLarge,
        ValueError for a term that is never true.
        """
        if self.probability(number) == 0.0:
            raise ValueError("this is true in no world")
        chosen: dict[int, bool] = {}
        while number != TRUE:
            proposition = _bits(self.support[number])[0]
            likelier = self.probabilities[proposition] >= 0.5
            left = self.given(number, proposition, likelier)
            if self.probability(left) == 0.0:
                likelier = not likelier
                left = self.given(number, proposition, likelier)
            chosen[proposition], number = likelier, left
        return chosen

    def _groups(self, parts: Iterable[int]) -> list[list[int]]:
        """The parts, those together that share a proposition."""
        groups: list[tuple[int, list[int]]] = []
        for part in sorted(parts):
            support, members = self.support[part], [part]
            apart = []
            for group in groups:
                if group[0] & support:
                    support |= group[0]
                    members = group[1] + members
                else:
                    apart.append(group)
            groups = [*apart, (support, members)]
        return [members for _, members in groups]

    def _most_frequent(self, parts: Iterable[int]) -> int:
        """The proposition that can matter to most of the parts; the lowest of these."""
        found: Counter[int] = Counter()
        for part in parts:
            found.update(_bits(self.support[part]))
        self._spend(len(found))
        return min(found, key=lambda proposition: (-found[proposition], proposition))

    # --- sums ---------------------------------------------------------------------------------------------------------

    def _chance_of_sum(
        self, parts: Sequence[tuple[int, Weight]], offset: Weight, test: Test, wanted: bool, depth: int
    ) -> float:
        cap = None
        if isinstance(test, Holds) and all(isinstance(weight, int) and weight > 0 for _, weight in parts):
            assert isinstance(offset, int)
            cap = max(1, 1 - offset)  # every sum above 0 passes or fails alike
        masses = self.distribution(tuple(parts), cap, depth)
        passing = [mass for total, mass in masses.items() if test(_plus(offset, total)) == wanted]
        if len(passing) == len(masses):
            return 1.0
        return min(1.0, sum(sorted(passing)))

    def distribution(self, parts: tuple[tuple[int, Weight], ...], cap: int | None, depth: int = 0) -> Distribution:
        """How probable each sum of the weights of the true parts is; sums above `cap` are put together with it."""
        key = (parts, cap)
        known = self._distributions.get(key)
        if known is None:
            known = self._distributions[key] = self._distribution(parts, cap, depth)
        return known

    def _distribution(self, parts: tuple[tuple[int, Weight], ...], cap: int | None, depth: int) -> Distribution:
        weights = dict(parts)
        groups = self._groups(weights)
        alone = [group[0] for group in groups if len(group) == 1]
        result = self._independent([(self.probability(part, depth), weights[part]) for part in alone], cap)
        for group in groups:
            if len(group) > 1:
                mixed = self._mixed(tuple((part, weights[part]) for part in sorted(group)), cap, depth)
                result = mixed if not alone and len(groups) == 1 else self._convolved(result, mixed, cap)
        return result

    def _independent(self, parts: Sequence[tuple[float, Weight]], cap: int | None) -> Distribution:
        """One part after the other; whole numbers in one array."""
        if not parts:
            return {0: 1.0}
        if isinstance(parts[0][1], tuple):
            result: Distribution = {(0,) * len(parts[0][1]): 1.0}
            zero = (0,) * len(parts[0][1])
            for chance, weight in parts:
                result = self._convolved(result, {zero: 1.0 - chance, weight: chance}, cap)
            return result
        whole = [(chance, weight) for chance, weight in parts if isinstance(weight, int)]
        low = sum(weight for _, weight in whole if weight < 0)
        high = sum(weight for _, weight in whole if weight > 0)
        high = high if cap is None else min(high, cap)
        if high - low > MAX_SPAN:
            raise TooLarge
        self._spend(len(parts) * (1 + (high - low) // 1000))
        masses = np.zeros(high - low + 1)
        masses[-low] = 1.0
        for chance, weight in whole:
            masses = _shifted(masses, weight, chance, folded=cap is not None)
        return {int(i) + low: float(masses[i]) for i in np.flatnonzero(masses)}

    def _convolved(self, one: Distribution, other: Distribution, cap: int | None) -> Distribution:
        self._spend(len(one) * len(other))
        result: Distribution = {}
        for a, p in one.items():
            for b, q in other.items():
                if p * q:
                    total = _plus(a, b)
                    if cap is not None and total > cap:
                        total = cap
                    result[total] = result.get(total, 0.0) + p * q
        return result

    def _mixed(self, parts: tuple[tuple[int, Weight], ...], cap: int | None, depth: int) -> Distribution:
        """The distribution of parts that depend on each other, by taking a proposition true and false."""
        if depth >= MAX_DEPTH:
            raise TooLarge
        proposition = self._most_frequent(part for part, _ in parts)
        chance = self.probabilities[proposition]
        result: Distribution = {}
        for value, share in ((True, chance), (False, 1.0 - chance)):
            shift: Weight = 0 if isinstance(parts[0][1], int) else (0,) * len(parts[0][1])
            zero = shift
            left: dict[int, Weight] = {}
            for part, weight in parts:
                remaining = self.given(part, proposition, value)
                if remaining == TRUE:
                    shift = _plus(shift, weight)
                elif remaining != FALSE:
                    left[remaining] = _plus(left[remaining], weight) if remaining in left else weight
            masses = self.distribution(tuple(sorted(left.items())), cap, depth + 1) if left else {zero: 1.0}
            for total, mass in masses.items():
                at = _plus(total, shift)
                if cap is not None and at > cap:
                    at = cap
                result[at] = result.get(at, 0.0) + share * mass
        return result

    # --- in many worlds at once ---------------------------------------------------------------------------------------

    def in_worlds(self, roots: Sequence[int], worlds: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
        """The truth of terms in each of the worlds, bool (worlds, propositions): bool (worlds,) for each root."""
        values: dict[int, NDArray[np.bool_]] = {}
        for number in self._below(roots):
            values[number] = self._in_worlds(self.terms[number], values, worlds)
        return [values[root] for root in roots]

    def rules_in(self, roots: Sequence[int]) -> bool:
        """Whether anything below these terms has a rule, and so is slow to look at."""
        return any(isinstance(self.terms[number], Ruled) for number in self._below(roots))

    def _below(self, roots: Sequence[int]) -> list[int]:
        needed, stack = set(roots), list(roots)
        while stack:
            term = self.terms[stack.pop()]
            if isinstance(term, Sum):
                parts: Iterable[int] = [part for part, _ in term.parts]
            else:
                parts = term.parts if isinstance(term, Every | Some | Ruled) else ()
            new = [part for part in parts if part not in needed]
            needed.update(new)
            stack.extend(new)
        return sorted(needed)

    def _in_worlds(
        self, term: Term, values: Mapping[int, NDArray[np.bool_]], worlds: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        n = len(worlds)
        match term:
            case bool():
                return np.full(n, term)
            case Literal(proposition, positive):
                return np.asarray(worlds[:, proposition] == positive)
            case Every(parts):
                result = np.ones(n, dtype=bool)
                for part in parts:
                    result &= values[part]
                return result
            case Some(parts):
                result = np.zeros(n, dtype=bool)
                for part in parts:
                    result |= values[part]
                return result
            case Sum(sums, offset, test, wanted):
                first = np.array(offset, dtype=object if _is_huge(sums, offset) else np.int64)
                totals = np.repeat(first[None, ...], n, axis=0)
                for part, weight in sums:
                    totals[values[part]] += np.array(weight, dtype=totals.dtype)
                distinct, back = np.unique(totals, axis=0, return_inverse=True)
                passed = np.array([test(total) == wanted for total in distinct.tolist()], dtype=bool)
                return passed[back.reshape(n)]
            case Ruled(ruled, rule, wanted):
                rows = np.stack([values[part] for part in ruled], axis=1)
                distinct, back = np.unique(rows, axis=0, return_inverse=True)
                settled = self._rules[rule].many(distinct) == wanted
                return np.asarray(settled[back.reshape(n)])


def _plus(one: Any, other: Any) -> Any:
    if isinstance(one, tuple):
        return tuple(a + b for a, b in zip(one, other, strict=True)) if isinstance(other, tuple) else one
    return one + other if not isinstance(other, tuple) else other


def _shifted(masses: NDArray[np.float64], weight: int, chance: float, folded: bool) -> NDArray[np.float64]:
    """The masses after one more part. Beyond the last place nothing is lost if `folded`: it stays in the last."""
    result = masses * (1.0 - chance)
    if weight == 0:
        return masses
    size = len(masses)
    if weight > 0:
        if weight < size:
            result[weight:] += chance * masses[: size - weight]
        if folded:
            result[-1] += chance * masses[max(0, size - weight) :].sum()
    else:
        result[: size + weight] += chance * masses[-weight:]
    return result


def _settled(parts: Sequence[tuple[int, Weight]], offset: Weight, test: Holds) -> bool | None:
    """What the test says if it says so of every number between the least and the greatest sum."""
    numbers = [weight for _, weight in parts if isinstance(weight, int)]
    assert isinstance(offset, int)
    low = offset + sum(weight for weight in numbers if weight < 0)
    high = offset + sum(weight for weight in numbers if weight > 0)
    if low > 0 or high < 0:
        return test(low)
    match test.op:
        case ">=":
            return True if low == 0 else None
        case "<":
            return False if low == 0 else None
        case "<=":
            return True if high == 0 else None
        case ">":
            return False if high == 0 else None
        case _:
            return None


def _is_huge(parts: Sequence[tuple[int, Weight]], offset: Weight) -> bool:
    return any(
        abs(number) > 2**40
        for weight in (offset, *(weight for _, weight in parts))
        for number in (weight if isinstance(weight, tuple) else (weight,))
    )


def _bits(support: int) -> list[int]:
    found = []
    while support:
        lowest = support & -support
        found.append(lowest.bit_length() - 1)
        support ^= lowest
    return found

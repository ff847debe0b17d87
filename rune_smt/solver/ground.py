"""A form expanded into one ground term over its clauses: true or false of each atom put in, the clauses left standing.

A literal that is good for the query becomes true, one that is not becomes "its clause is relaxed". What is left is a
monotone term over these few propositions, and equal terms are one: over hundreds of entities a query usually comes down
to a handful of nodes. Z3 is given exactly this term; the searches for cores evaluate it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import LimitError
from .clauses import ClauseForm, Occurrence
from .expand import MAX_CELLS, Array, Domain, Expander, Level, refuse_if_large
from .tables import Mask
from .world import World

FALSE, TRUE = 0, 1
WORD = 63  # terms that fit into the bits of one int64, sign aside
MAX_COVER_CLAUSES = 12  # a comparison of covers is tried for every set of the clauses inside of it


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The clause is relaxed."""

    clause: int


@dataclass(frozen=True, slots=True)
class Every:
    """All of the terms, two or more."""

    terms: frozenset[int]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the terms, two or more."""

    terms: frozenset[int]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The weights of the terms that are true sum up to the threshold or more; all weights positive."""

    threshold: int
    weights: tuple[tuple[int, int], ...]  # (term, weight), by term


Term: TypeAlias = Relaxed | Every | Some | AtLeast | bool


class Ground:
    """Terms, each numbered once; the parts of a term have lower numbers than the term."""

    def __init__(self) -> None:
        self.terms: list[Term] = [False, True]
        self._numbers: dict[Term, int] = {}
        self.root = FALSE

    def _number(self, term: Term) -> int:
        number = self._numbers.get(term)
        if number is None:
            number = self._numbers[term] = len(self.terms)
            self.terms.append(term)
        return number

    def relaxed(self, clause: int) -> int:
        """The proposition that a clause is relaxed."""
        return self._number(Relaxed(clause))

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
                flat |= term.terms
            else:
                flat.add(part)
        if settling in flat:
            return settling
        flat.discard(neutral)
        other = Some if kind is Every else Every
        for part in list(flat):  # absorption: a & (a | b) is a, a | (a & b) is a
            term = self.terms[part]
            if isinstance(term, other) and not term.terms.isdisjoint(flat):
                flat.discard(part)
        if not flat:
            return neutral
        if len(flat) == 1:
            return flat.pop()
        return self._number(kind(frozenset(flat)))

    def at_least(self, threshold: int, weights: Iterable[tuple[int, int]]) -> int:
        """The weights of the true terms sum up to the threshold."""
        total: Counter[int] = Counter()
        for term, weight in weights:
            total[term] += weight
        threshold -= total.pop(TRUE, 0)
        total.pop(FALSE, 0)
        if threshold <= 0:
            return TRUE
        if sum(total.values()) < threshold:
            return FALSE
        if min(total.values()) >= threshold:
            return self.some(total)
        if sum(total.values()) - min(total.values()) < threshold:
            return self.every(total)
        return self._number(AtLeast(threshold, tuple(sorted(total.items()))))

    def values(self, relaxed: frozenset[int]) -> list[bool]:
        """The truth of every term when exactly these clauses are relaxed."""
        found: list[bool] = []
        for term in self.terms:
            match term:
                case bool():
                    found.append(term)
                case Relaxed(clause):
                    found.append(clause in relaxed)
                case Every(parts):
                    found.append(all(found[part] for part in parts))
                case Some(parts):
                    found.append(any(found[part] for part in parts))
                case AtLeast(threshold, weights):
                    found.append(sum(weight for part, weight in weights if found[part]) >= threshold)
        return found

    def holds(self, relaxed: frozenset[int]) -> bool:
        """Whether the query holds, at the level it was expanded for, when exactly these clauses are relaxed."""
        return self.values(relaxed)[self.root]


class Terms(Expander):
    """The walk that builds the terms; arrays hold their numbers, int32."""

    def __init__(self, form: ClauseForm, world: World, level: Level, domain: Domain | None = None):
        super().__init__(form, world, level, domain)
        self.ground = Ground()

    def known(self, value: bool) -> Array:
        """A constant."""
        return np.array(TRUE if value else FALSE, dtype=np.int32)

    def literal(self, good: Mask, occurrence: Occurrence) -> Array:
        """True where it is good, else that one of its clauses is relaxed."""
        otherwise = self.ground.some(self.ground.relaxed(clause) for clause in sorted(occurrence.clauses))
        return np.where(good, np.int32(TRUE), np.int32(otherwise))

    def join(self, one: Array, other: Array, every: bool) -> Array:
        """Each pair that occurs is joined once."""
        join = self.ground.every if every else self.ground.some
        first, second = self._present(one), self._present(other)
        if len(first) == 1 and len(second) == 1:
            shape = np.broadcast_shapes(one.shape, other.shape)
            return np.full(shape, join((int(first[0]), int(second[0]))), dtype=np.int32)
        places = np.zeros(len(self.ground.terms), dtype=np.int32)
        places[first] = np.arange(len(first), dtype=np.int32) * len(second)
        rank = np.zeros(len(self.ground.terms), dtype=np.int32)
        rank[second] = np.arange(len(second), dtype=np.int32)
        codes = places[one] + rank[other]
        seen = np.zeros(len(first) * len(second), dtype=bool)
        seen[codes.ravel()] = True
        joined = np.zeros(len(seen), dtype=np.int32)
        for code in np.flatnonzero(seen).tolist():
            joined[code] = join((int(first[code // len(second)]), int(second[code % len(second)])))
        result: Array = joined[codes]
        return result

    def gather(self, values: Array, every: bool) -> Array:
        """Each set of terms that occurs along the axis is joined once."""
        join = self.ground.every if every else self.ground.some
        outer = values.shape[:-1]
        if values.shape[-1] == 1:
            return values[..., 0]
        present = self._present(values)
        if len(present) == 1:
            return np.full(outer, present[0], dtype=np.int32)
        if len(present) <= WORD:
            bits = np.zeros(len(self.ground.terms), dtype=np.int64)
            bits[present] = np.int64(1) << np.arange(len(present), dtype=np.int64)
            sets = np.bitwise_or.reduce(bits[values], axis=-1)
            distinct, inverse = np.unique(sets, return_inverse=True)
            joined = [
                join(int(present[i]) for i in range(len(present)) if mask >> i & 1) for mask in distinct.tolist()
            ]
            return np.array(joined, dtype=np.int32)[inverse].reshape(outer)
        rows = values.reshape(-1, values.shape[-1])
        return np.array([join(np.unique(row).tolist()) for row in rows], dtype=np.int32).reshape(outer)

    def at_least(self, parts: Sequence[tuple[int, Array, int]], threshold: int) -> Array:
        """Each multiset of terms that occurs is summed once."""
        outer = np.broadcast_shapes(*(values.shape[:-1] for _, values, _ in parts))
        cells = int(np.prod(outer, dtype=np.int64))
        columns: list[NDArray[np.int64]] = []
        weighted: list[tuple[int, int]] = []  # for each column its term and weight
        for weight, values, entities in parts:
            present = self._present(values)
            if not len(present):
                continue
            rank = np.zeros(len(self.ground.terms), dtype=np.int64)
            rank[present] = np.arange(len(present))
            rows = rank[values].reshape(-1, values.shape[-1])
            codes = rows + np.arange(len(rows))[:, None] * len(present)
            number = np.bincount(codes.ravel(), minlength=len(rows) * len(present)).reshape(len(rows), len(present))
            if values.shape[-1] == 1:
                number = number * entities
            spread = np.broadcast_to(number.reshape(*values.shape[:-1], -1), (*outer, len(present)))
            columns.append(spread.reshape(cells, len(present)))
            weighted += [(int(term), weight) for term in present]
        if not columns:
            return np.full(outer, TRUE if threshold <= 0 else FALSE, dtype=np.int32)
        known: dict[bytes, int] = {}
        result = np.empty(cells, dtype=np.int32)
        for cell, row in enumerate(np.concatenate(columns, axis=1)):
            key = row.tobytes()
            if key not in known:
                amounts = [(term, weight * n) for (term, weight), n in zip(weighted, row.tolist(), strict=True) if n]
                known[key] = self.ground.at_least(threshold, amounts)
            result[cell] = known[key]
        return result.reshape(outer)

    def measured(self, parts: Sequence[tuple[Array, int]], holds: Callable[[Sequence[Mask]], bool]) -> Array:
        """Tried for every set of the clauses inside; the minimal sets that make it hold are joined."""
        clauses = sorted({c for values, _ in parts for term in self._present(values) for c in self._clauses(int(term))})
        if len(clauses) > MAX_COVER_CLAUSES:
            raise LimitError(
                f"A comparison of covers has {len(clauses)} clauses, "
                f"more than the {MAX_COVER_CLAUSES} that can be told apart."
            )
        shape = np.broadcast_shapes(*(values.shape[:-1] for values, _ in parts))
        spread = [np.broadcast_to(values, (*shape, values.shape[-1])) for values, _ in parts]
        result = np.full(shape, FALSE, dtype=np.int32)
        minimal: dict[tuple[int, ...], list[frozenset[int]]] = {cell: [] for cell in np.ndindex(shape)}
        for size in range(len(clauses) + 1):
            for chosen in combinations(clauses, size):
                relaxed = frozenset(chosen)
                truth = np.array(self.ground.values(relaxed), dtype=bool)
                for cell, found in minimal.items():
                    if any(smaller <= relaxed for smaller in found):
                        continue
                    masks = [
                        np.broadcast_to(truth[each[cell]], entities)
                        for each, (_, entities) in zip(spread, parts, strict=True)
                    ]
                    if holds(masks):
                        found.append(relaxed)
        for cell, found in minimal.items():
            ways = [self.ground.every(self.ground.relaxed(c) for c in sorted(way)) for way in found]
            result[cell] = self.ground.some(ways)
        return result

    def undecided(self, need: Mask | None, one: Array, every: bool, literals_only: bool) -> Mask | None:
        """Relaxing leaves everything open but what is settled for good."""
        open_here: Mask = one != (FALSE if every else TRUE)
        return open_here if need is None else need & open_here

    def _present(self, values: Array) -> NDArray[np.int64]:
        seen = np.zeros(len(self.ground.terms), dtype=bool)
        seen[values.ravel()] = True
        return np.flatnonzero(seen)

    def _clauses(self, number: int) -> frozenset[int]:
        term = self.ground.terms[number]
        match term:
            case bool():
                return frozenset()
            case Relaxed(clause):
                return frozenset((clause,))
            case Every(parts) | Some(parts):
                return frozenset().union(*(self._clauses(part) for part in parts))
            case AtLeast(_, weights):
                return frozenset().union(*(self._clauses(part) for part, _ in weights))


def expanded(
    form: ClauseForm, world: World, level: Level, domain: Domain | None = None, max_cells: int = MAX_CELLS
) -> Ground:
    """The ground term of a form: whether it holds at a level, depending on which clauses are relaxed.

    raises LimitError, with the number and before anything is built, where the expansion is too large
    """
    refuse_if_large(form, world, domain, max_cells)
    walk = Terms(form, world, level, domain)
    root: Any = walk.root()
    walk.ground.root = int(root)
    return walk.ground

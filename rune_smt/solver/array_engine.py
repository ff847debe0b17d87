"""Verdicts for a whole archive at once: the formula evaluated over columns of bindings instead of one by one.

A *frame* is a table of bindings: for each variable in scope a column of entity rows, and the image of each binding. A
quantifier extends the frame by every entity its variable may be, evaluates its body there, and takes the greatest, the
least or the number of satisfied verdicts back to each binding. What keeps that small:

- class counts decide most images before anything is bound (`bounds`);
- a variable ranges over the classes its guards admit, less the entities that fail the parts of the body that speak of
  it alone; those parts, quantified ones too, are evaluated once per entity;
- a subformula that does not speak of every variable of the frame is evaluated once per different binding of its own;
- parts of `&` are evaluated cheapest first, each only where the ones before leave the verdict open;
- candidates are tried in rounds, and a binding that has found enough of them is done;
- frames are cut into chunks, so memory is bounded whatever the query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import union_area
from ..grammar.nodes import (
    And,
    Apply,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Node,
    Not,
    Or,
    Term,
    Truth,
    Variable,
    children,
    conjunction,
    disjunction,
    free_variables,
)
from ..grammar.words import WORDS
from ..verdict import SATISFIED, UNDECIDED, VIOLATED
from .atoms import Codes, Facts, Rows
from .bounds import Histogram, bounds
from .decompose import domain
from .numbers import aggregates, compare_intervals, compare_to_zero, counts_in, covers_in, difference, interval
from .world import World

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary

CHUNK = 1 << 20  # bindings evaluated at once: eight columns of it are 64 MB
FIRST_ROUND = 4  # candidates tried first for each that is wanted; most bindings that have one find it among these
ROUND_GROWTH = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """Bindings in order of image: `rows` has for each variable the entity rows, int64 (n,); `image` int64 (n,)."""

    image: Rows
    rows: Mapping[str, Rows]

    def __len__(self) -> int:
        return len(self.image)

    def take(self, index: Any) -> Frame:
        """The bindings at an index or under a mask."""
        return Frame(self.image[index], {name: column[index] for name, column in self.rows.items()})


@dataclass(slots=True)
class Statistics:
    """What a run did: how many images each step decided, how many bindings the rest needed."""

    images: int = 0
    by_counts: int = 0
    bindings: int = 0
    by_node: dict[str, int] = field(default_factory=dict)


class ArrayEngine:
    """Decides formulas over the scenes of a table.

    Entities with score >= min_score exist; or those of the mask `exists`, bool (entities,), where one is given.
    """

    def __init__(
        self,
        table: EntityTable,
        vocabulary: Vocabulary,
        min_score: float = 0.5,
        *,
        exists: NDArray[np.bool_] | None = None,
        chunk: int = CHUNK,
    ):
        self.table = table
        self.vocabulary = vocabulary
        self.min_score = min_score
        self.facts = Facts(table, vocabulary)
        self.chunk = chunk
        self.statistics = Statistics()
        exists = table.score >= min_score if exists is None else exists
        self._exists: NDArray[np.bool_] | None = None if bool(exists.all()) else exists
        self._histogram: Histogram | None = None
        self._codes_of: dict[Node, Rows] = {}
        self._worlds: dict[int, World] = {}

    def decide(self, formula: Formula, images: Sequence[int] | NDArray[np.int64] | None = None) -> Codes:
        """Verdict codes, int8, of a closed normalised formula for each image of the table, or of those given."""
        chosen = np.arange(len(self.table.offsets), dtype=np.int64) if images is None else np.asarray(images, np.int64)
        self.statistics = Statistics(images=len(chosen))
        if not len(chosen):
            return np.zeros(0, dtype=np.int8)
        low, high = self._count_bounds(formula, chosen)
        verdicts = low.copy()
        still_open = np.flatnonzero(low != high)
        self.statistics.by_counts = len(chosen) - len(still_open)
        if len(still_open):
            verdicts[still_open] = self.evaluate(formula, Frame(chosen[still_open], {}))
        return verdicts

    # --- bounds from class counts -------------------------------------------------------------------------------------

    def histogram(self) -> Histogram:
        """Entities of each class in each image, those that do not exist left out."""
        if self._histogram is None:
            counts = np.diff(self.table.offsets, axis=1)
            if self._exists is not None:
                alive = np.concatenate(([0], np.cumsum(self._exists)))
                counts = np.diff(alive[self.table.offsets], axis=1)
            self._histogram = Histogram(tuple(self.table.classes), counts.astype(np.int64))
        return self._histogram

    def _count_bounds(self, formula: Formula, images: NDArray[np.int64]) -> tuple[Codes, Codes]:
        whole = self.histogram()
        low, high = bounds(formula, self.vocabulary, {}, Histogram(whole.classes, whole.counts[images]))
        shape = images.shape
        return (
            np.broadcast_to(np.asarray(low, dtype=np.int8), shape).copy(),
            np.broadcast_to(np.asarray(high, dtype=np.int8), shape).copy(),
        )

    # --- formulas -----------------------------------------------------------------------------------------------------

    def evaluate(self, formula: Formula, frame: Frame) -> Codes:
        """The verdict of the formula for every binding of the frame."""
        n = len(frame)
        if n == 0:
            return np.zeros(0, dtype=np.int8)
        own = free_variables(formula)
        if len(own) < len(frame.rows) and cost(formula) > CHEAP:
            return self._once_per_binding(formula, frame, sorted(own))
        match formula:
            case Truth(value):
                return np.full(n, SATISFIED if value else VIOLATED, dtype=np.int8)
            case Apply(name) if name in self.vocabulary.links:
                return self._link(formula, frame)
            case Apply():
                return self.facts.truth(formula, frame.rows, frame.image)
            case Compare():
                if counts_in(formula):
                    return self._compare_counts(formula, frame)
                if covers_in(formula):
                    return self._compare_covers(formula, frame)
                return self.facts.truth(formula, frame.rows, frame.image)
            case Not(body):
                return (2 - self.evaluate(body, frame)).astype(np.int8)
            case And(parts):
                return self._fold(parts, frame, np.minimum, int(VIOLATED), int(SATISFIED))
            case Or(parts):
                return self._fold(parts, frame, np.maximum, int(SATISFIED), int(VIOLATED))
            case Implies(left, right):
                return self._fold((Not(left), right), frame, np.maximum, int(SATISFIED), int(VIOLATED))
            case Iff(left, right):
                a, b = self.evaluate(left, frame), self.evaluate(right, frame)
                return np.minimum(np.maximum(2 - a, b), np.maximum(2 - b, a)).astype(np.int8)
            case Exists(var, body):
                sure, possible = self._count(formula, var, body, frame, "exists", 1)
                return _codes(sure > 0, possible > 0)
            case ForAll(var, body):
                sure, possible = self._count(formula, var, body, frame, "forall", 1)
                return _codes(possible == 0, sure == 0)
            case ExistsCount(op, number, var, body):
                sure, possible = self._count(formula, var, body, frame, "exists", number if op == ">=" else number + 1)
                return _compare_range(op, sure, possible, number)
            case _:
                assert_never(formula)

    def _fold(
        self, parts: Sequence[Formula], frame: Frame, combine: Callable[[Codes, Codes], Codes], settled: int, start: int
    ) -> Codes:
        """`&` or `|`: cheapest part first, each only where the verdict is still open."""
        verdicts = np.full(len(frame), start, dtype=np.int8)
        still_open = np.arange(len(frame))
        for part in sorted(parts, key=cost):
            whole = len(still_open) == len(frame)
            found = self.evaluate(part, frame if whole else frame.take(still_open))
            combined = combine(verdicts[still_open], found)
            verdicts[still_open] = combined
            still_open = still_open[combined != settled]
            if not len(still_open):
                break
        return verdicts

    def _once_per_binding(self, formula: Formula, frame: Frame, own: list[str]) -> Codes:
        """Evaluates for each different binding of the formula's own variables (or image), and hands the results out."""
        if not own:
            key = frame.image
        elif len(own) == 1:
            key = frame.rows[own[0]]
        else:
            key = _one_key([frame.rows[name] for name in own])
        _, first, back = np.unique(key, return_index=True, return_inverse=True)
        narrow = Frame(frame.image[first], {name: frame.rows[name][first] for name in own})
        order = np.argsort(narrow.image, kind="stable")
        verdicts = np.empty(len(first), dtype=np.int8)
        verdicts[order] = self.evaluate(formula, narrow.take(order))
        return verdicts[back]

    # --- quantifiers --------------------------------------------------------------------------------------------------

    def _count(
        self, binder: Node, var: str, body: Formula, frame: Frame, wanted: str, enough: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For each binding how many entities satisfy the body for certain, and how many may (int64 (n,) each).

        For "forall" the body counted is the negation: how many entities are counter-examples. Where `enough` are
        certain the rest need not be counted, so candidates are tried in rounds, few first.
        """
        alone, rest = self._apart(var, body, wanted)
        rows, verdicts = self._candidates(binder, var, alone, frame, wanted)
        starts, lengths = self._runs(rows, frame)
        if rest is None:  # nothing but the variable itself matters: counts of candidates will do
            running = np.concatenate(([0], np.cumsum(verdicts == SATISFIED)))
            return running[starts + lengths] - running[starts], lengths.astype(np.int64)
        sure = np.zeros(len(frame), dtype=np.int64)
        possible = np.zeros(len(frame), dtype=np.int64)
        waiting = np.flatnonzero(lengths)
        done = 0
        step = int(lengths.max(initial=0)) if enough is None else FIRST_ROUND * enough
        while len(waiting):
            take = np.minimum(lengths[waiting] - done, step)
            for chunk in _chunks(take, self.chunk):
                mine = waiting[chunk]
                parent, position = _expand(starts[mine] + done, take[chunk])
                inner = frame.take(mine[parent])
                inner = Frame(inner.image, {**inner.rows, var: rows[position]})
                self.statistics.bindings += len(inner)
                found = self.evaluate(rest, inner)
                if wanted == "forall":
                    found = (2 - found).astype(np.int8)
                found = np.minimum(found, verdicts[position])
                sure[mine] += np.bincount(parent[found == SATISFIED], minlength=len(mine))
                possible[mine] += np.bincount(parent[found >= UNDECIDED], minlength=len(mine))
            done += step
            step *= ROUND_GROWTH
            waiting = waiting[lengths[waiting] > done]
            if enough is not None:
                waiting = waiting[sure[waiting] < enough]
        return sure, possible

    def _apart(self, var: str, body: Formula, wanted: str) -> tuple[list[Formula], Formula | None]:
        """The parts of the body that speak of the variable alone, and what is left (None: nothing)."""
        kind: type[And] | type[Or] = And if wanted == "exists" else Or
        parts = body.parts if isinstance(body, kind) else (body,)
        alone = [part for part in parts if free_variables(part) <= {var}]
        others = [part for part in parts if not free_variables(part) <= {var}]
        if not others:
            return alone, None
        return alone, conjunction(others) if wanted == "exists" else disjunction(others)

    def _candidates(
        self, binder: Node, var: str, alone: Sequence[Formula], frame: Frame, wanted: str
    ) -> tuple[Rows, Codes]:
        """The rows that the variable may be in the frame's images, in row order, with the verdict of the parts alone.

        For "forall" the verdict is that of their negation. Rows for which it is violated are left out.
        """
        rows = self._domain_rows(binder, frame)
        verdicts = np.full(len(rows), SATISFIED, dtype=np.int8)
        for part in sorted(alone, key=cost):
            if not len(rows):
                break
            inner = Frame(self.table.image[rows].astype(np.int64), {var: rows})
            found = self.evaluate(part, inner)
            if wanted == "forall":
                found = (2 - found).astype(np.int8)
            verdicts = np.minimum(verdicts, found)
            kept = verdicts > VIOLATED
            rows, verdicts = rows[kept], verdicts[kept]
        return rows, verdicts

    def _runs(self, rows: Rows, frame: Frame) -> tuple[Rows, Rows]:
        """For each binding where the rows of its image start, and how many they are; `rows` in order of image."""
        images = self.table.image[rows]
        starts = np.searchsorted(images, frame.image, side="left").astype(np.int64)
        return starts, np.searchsorted(images, frame.image, side="right").astype(np.int64) - starts

    def _domain_rows(self, binder: Node, frame: Frame) -> Rows:
        codes = self._codes_of.get(binder)
        if codes is None:
            classes = domain(binder, self.table.classes, self.vocabulary)
            codes = self._codes_of[binder] = np.flatnonzero([name in classes for name in self.table.classes])
        images = frame.image[np.flatnonzero(np.diff(frame.image, prepend=-1))]
        starts, stops = self.table.offsets[images][:, codes], self.table.offsets[images][:, codes + 1]
        _, rows = _expand(starts.ravel(), (stops - starts).ravel())
        return rows if self._exists is None else rows[self._exists[rows]]

    # --- comparisons of counts and covers -----------------------------------------------------------------------------

    def _compare_counts(self, comparison: Compare, frame: Frame) -> Codes:
        constant, counts = difference(comparison).in_integers()
        columns = [
            (coefficient, *self._count(count, count.var, count.body, frame, "exists")) for coefficient, count in counts
        ]
        low: Any = np.full(len(frame), constant, dtype=object)
        high: Any = np.full(len(frame), constant, dtype=object)
        for coefficient, sure, possible in columns:
            ends = sure.astype(object) * coefficient, possible.astype(object) * coefficient
            low, high = low + np.minimum(*ends), high + np.maximum(*ends)
        verdicts = np.empty(len(frame), dtype=np.int8)
        known = low == high
        verdicts[known] = _compare_exact(comparison.op, low[known])
        for i in np.flatnonzero(~known):
            ranges = [(coefficient, int(sure[i]), int(possible[i])) for coefficient, sure, possible in columns]
            verdicts[i] = compare_to_zero(comparison.op, constant, ranges)
        return verdicts

    def _compare_covers(self, comparison: Compare, frame: Frame) -> Codes:
        """Covers need the union of outlines, so binding by binding."""
        areas = {id(cover): self._cover(cover, frame) for cover in aggregates(comparison) if isinstance(cover, Cover)}
        verdicts = np.full(len(frame), UNDECIDED, dtype=np.int8)
        for i in range(len(frame)):
            world = self._world(int(frame.image[i]))

            def leaf(term: Term, i: int = i, world: World = world) -> tuple[float, float] | None:
                if isinstance(term, Cover):
                    low, high = areas[id(term)]
                    return float(low[i]), float(high[i])
                value = world.area_limit(term)
                return None if value is None else (value, value)

            left, right = interval(comparison.left, leaf), interval(comparison.right, leaf)
            if left is not None and right is not None:
                verdicts[i] = compare_intervals(comparison.op, left, right)
        return verdicts

    def _cover(self, cover: Cover, frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """For each binding the area of the union of the sure outlines, and of the possible ones."""
        low, high = np.zeros(len(frame)), np.zeros(len(frame))
        rows = self._domain_rows(cover, frame)
        starts, lengths = self._runs(rows, frame)
        for chunk in _chunks(lengths, self.chunk):
            parent, position = _expand(starts[chunk], lengths[chunk])
            inner = frame.take(slice(chunk.start, chunk.stop)).take(parent)
            found = self.evaluate(cover.body, Frame(inner.image, {**inner.rows, cover.var: rows[position]}))
            ends = np.searchsorted(parent, np.arange(chunk.stop - chunk.start + 1))
            for i, (start, stop) in enumerate(pairwise(ends)):
                mine, verdicts = rows[position[start:stop]], found[start:stop]
                low[chunk.start + i] = self._union(mine[verdicts == SATISFIED])
                high[chunk.start + i] = self._union(mine[verdicts >= UNDECIDED])
        return low, high

    def _union(self, rows: Rows) -> float:
        return union_area(self.table, rows[np.argsort(self.table.entity_id[rows])]) if len(rows) else 0.0

    # --- links --------------------------------------------------------------------------------------------------------

    def _link(self, atom: Apply, frame: Frame) -> Codes:
        """connected(x, y): the table of each image's links, made once."""
        first, second = (frame.rows[arg.name] for arg in atom.args if isinstance(arg, Variable))
        verdicts = np.empty(len(frame), dtype=np.int8)
        bounds_of = np.flatnonzero(np.diff(frame.image, prepend=-1, append=-1))
        for start, stop in pairwise(bounds_of):
            image = int(frame.image[start])
            world = self._world(image)
            table = world.link(atom.name)
            base, end = int(self.table.offsets[image, 0]), int(self.table.offsets[image, -1])
            place = np.full(end - base, -1)
            place[world.rows - base] = np.arange(len(world.rows))
            verdicts[start:stop] = table[place[first[start:stop] - base], place[second[start:stop] - base]]
        return verdicts

    def _world(self, image: int) -> World:
        from ..entities.scene import Scene

        if image not in self._worlds:
            exists = np.ones(len(self.table), dtype=bool) if self._exists is None else self._exists
            scene = Scene(self.table, image)
            self._worlds[image] = World(scene, self.vocabulary, self.min_score, facts=self.facts, exists=exists)
        return self._worlds[image]


# --- costs: what to evaluate first ------------------------------------------------------------------------------------

CHEAP = 2.0  # class atoms, equality, attributes: cheaper than finding the different bindings
_BY_COLUMNS = ("left_of", "right_of", "above", "below", "larger", "smaller", "same_class", "center_distance")
_PRICES = {
    **dict.fromkeys(_BY_COLUMNS, 3.0),
    **dict.fromkeys(("aligned", "clustered"), 60.0),
    "surrounded_by": 100.0,
}


def cost(formula: Node) -> float:
    """A rough price of an atom by binding, from cheap columns to geometry to quantifiers; only the order matters."""
    match formula:
        case Truth() | Variable():
            return 0.0
        case Exists() | ForAll() | ExistsCount() | Count() | Cover():
            return 1000.0 * (1.0 + cost(formula.body))
        case Apply(name):
            word = WORDS.get(name)
            if word is None:
                return 1.0
            return _PRICES.get(name, 10.0 if word.arity > 1 else 2.0)
        case Compare(_, left, right):
            return 1.0 + max(cost(left), cost(right))
        case And(parts) | Or(parts):
            return sum(cost(part) for part in parts)
        case Not(body):
            return cost(body)
        case Implies(left, right) | Iff(left, right):
            return cost(left) + cost(right)
        case _:
            return max((cost(child) for child in children(formula)), default=0.0)


# --- columns ----------------------------------------------------------------------------------------------------------


def _codes(satisfied: NDArray[np.bool_], possible: NDArray[np.bool_]) -> Codes:
    return satisfied.astype(np.int8) + possible.astype(np.int8)


def _compare_range(op: str, sure: NDArray[np.int64], possible: NDArray[np.int64], n: int) -> Codes:
    if op == ">=":
        return _codes(sure >= n, possible >= n)
    if op == "<=":
        return _codes(possible <= n, sure <= n)
    return _codes((sure == n) & (possible == n), (sure <= n) & (n <= possible))


def _compare_exact(op: str, values: NDArray[Any]) -> Codes:
    truth = {
        "<": values < 0, "<=": values <= 0, ">": values > 0, ">=": values >= 0, "=": values == 0, "!=": values != 0,
    }[op]  # fmt: skip
    return np.where(truth.astype(bool), np.int8(SATISFIED), np.int8(VIOLATED)).astype(np.int8)


def _one_key(columns: Sequence[Rows]) -> Rows:
    """One number for each combination of values: equal exactly where all columns are."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        _, dense = np.unique(column, return_inverse=True)
        key = key * (int(dense.max(initial=0)) + 1) + dense
        _, key = np.unique(key, return_inverse=True)
        key = key.astype(np.int64)
    return key


def _expand(starts: Rows, lengths: Rows) -> tuple[Rows, Rows]:
    """For ranges start, start + 1, ...: the number of the range, and each of its values, one after the other."""
    parent = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    before = np.concatenate(([0], np.cumsum(lengths)))[:-1] if len(lengths) else lengths
    position = np.arange(len(parent), dtype=np.int64) - np.repeat(before, lengths) + np.repeat(starts, lengths)
    return parent, position


def _chunks(lengths: Rows, limit: int) -> Iterator[slice]:
    """Runs of bindings whose extensions together stay under `limit` (a single one may exceed it)."""
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + limit, side="right")))
        yield slice(start, stop)
        start = stop

"""Verdicts for a whole archive at once: the steps of a plan carried out over columns of bindings.

A *frame* is a table of bindings: for each variable in scope a column of entity rows, and the image of each binding. A
binder extends the frame by every entity that its variable may be; the step below it is evaluated there, and the
greatest verdict, or the number of satisfied ones, is taken back to each binding. What keeps that small:

- class counts decide most images before anything is bound (`bounds`), of the whole query and of each component;
- the plan (`plan`) binds few things first, and asks the strip index (`joins`) for what lies within reach;
- in a chain of `exists` nothing but the outermost binding is asked for (a semi-join): one that has been found is done,
  and boxes are asked before outlines;
- what speaks of one variable or none is evaluated once for each entity or image, and equal steps share that;
- images go in batches and frames in chunks, so memory is bounded whatever the query.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import OPEN, by_boxes, by_corners, gap_by_boxes, gap_by_corners, union_area
from ..grammar.nodes import Apply, Cover, Formula, Term, Variable
from ..grammar.printer import written
from ..verdict import SATISFIED, UNDECIDED, VIOLATED
from .atoms import Codes, Facts, Rows
from .bounds import Histogram, bounds
from .frame import Frame, Runs, chunks, expand, one_key, place_in_run, run_starts, shares
from .joins import StripIndex, boxes_of, in_pixels, reach, reach_per_diagonal
from .numbers import aggregates, compare_intervals, compare_to_zero, distance_limit, interval
from .plan import (
    CHEAP,
    EXTREMES,
    AllOf,
    AnyStep,
    Bind,
    Constant,
    CountsCompared,
    CoversCompared,
    Literal,
    Many,
    OneOf,
    Opposite,
    Planner,
    Same,
    Some,
    binders,
    components,
)
from .population import at_least, with_score
from .scan import Scan, is_worth
from .world import World

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary

__all__ = ["ArrayEngine", "ComponentRun", "Frame", "Statistics"]

CHUNK = 1 << 18  # bindings evaluated at once: what one step reads of them stays in the processor's cache
BATCH = 1 << 19  # entities of the images that are worked on at once: bounds indexes and memos
WORTH_A_THREAD = 1 << 16  # entities; fewer are decided as soon by one thread alone
FIRST_ROUND = 4  # candidates tried first for each that is wanted; most bindings that have one find it among these
ROUND_GROWTH = 8
LISTED = 1 << 15  # pairs that a compiled loop lists at once
ONE_ROUND = 1 << 14  # so few bindings are looked at together: going through the steps again takes longer
NEAREST = 3  # candidates of a strip tried first where one will do
UNASKED = 0  # in a memo, which holds verdicts and 1
EXACT = 1 << 53  # whole numbers below it are exact in every column

Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(slots=True)
class ComponentRun:
    """How a closed part of the query was decided.

    images     of how many it was asked, by_counts of which class counts decided, satisfied with what answer
    bindings   made for the others; seconds taken for all
    """

    text: str
    images: int = 0
    by_counts: int = 0
    satisfied: int = 0
    bindings: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Statistics:
    """What a run did: how many images class counts decided, how many bindings the rest needed, and each component."""

    images: int = 0
    by_counts: int = 0
    counts_seconds: float = 0.0
    bindings: int = 0
    components: dict[str, ComponentRun] = field(default_factory=dict)
    plan: AnyStep | None = None

    def blank(self) -> Statistics:
        """The same components, nothing run yet."""
        return Statistics(components={key: ComponentRun(run.text) for key, run in self.components.items()})

    def add(self, other: Statistics) -> None:
        """Takes in what a part of the run did."""
        self.bindings += other.bindings
        for key, run in other.components.items():
            mine = self.components[key]
            for name in ("images", "by_counts", "satisfied", "bindings", "seconds"):
                setattr(mine, name, getattr(mine, name) + getattr(run, name))


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a variable may be in some images of the batch.

    asked     of which images it is known, bool (images of the batch,)
    runs      where their rows start
    rows      int64 (n,), in order of image, ascending in each
    verdicts  of the filters, int8 (n,), none of them violated; sure: all are satisfied
    """

    asked: Bools
    runs: Runs
    rows: Rows
    verdicts: Codes
    sure: bool


class ArrayEngine:
    """Decides formulas over the scenes of a table.

    Entities with score >= min_score exist; or those of the mask `exists`, bool (entities,), where one is given.
    chunk    bindings evaluated at once, batch: entities of the images worked on at once; these two bound memory
    workers  threads, each with a batch of its own; the answers are the same for any number
    """

    def __init__(
        self,
        table: EntityTable,
        vocabulary: Vocabulary,
        min_score: float = 0.5,
        *,
        exists: Bools | None = None,
        chunk: int = CHUNK,
        batch: int = BATCH,
        workers: int = 1,
    ):
        self.table = table
        self.vocabulary = vocabulary
        self.min_score = min_score
        self.facts = Facts(table, vocabulary)
        self.chunk = chunk
        self.batch = batch
        self.workers = workers
        self.statistics = Statistics()
        self._population = with_score(table, min_score) if exists is None else at_least(table, exists, True)
        self._planner: Planner | None = None
        self._worlds: dict[int, World] = {}
        self._asked_already = ""  # key of the step whose bounds from counts are known to be open
        # Of the batch at hand:
        self._first_row = self._rows = 0
        self._first_image = self._images = 0
        self._memo: dict[str, Codes] = {}
        self._found: dict[int, Candidates] = {}
        self._indexes: dict[tuple[int, bool], StripIndex] = {}

    def plan(self, formula: Formula) -> AnyStep:
        """The plan of a formula for this table."""
        if self._planner is None:
            self._planner = Planner(tuple(self.table.classes), self.vocabulary, self._population.histogram.average)
        return self._planner.plan(formula)

    def decide(self, formula: Formula, images: Sequence[int] | NDArray[np.int64] | None = None) -> Codes:
        """Verdict codes, int8, of a closed formula for each image of the table, or of those given."""
        chosen = np.arange(len(self.table.offsets), dtype=np.int64) if images is None else np.asarray(images, np.int64)
        started = time.perf_counter()
        self.statistics = Statistics(images=len(chosen))
        if not len(chosen):
            return np.zeros(0, dtype=np.int8)
        verdicts, high = self._count_bounds(formula, None if images is None else chosen)
        still_open = np.flatnonzero(verdicts != high)
        self.statistics.by_counts = len(chosen) - len(still_open)
        self.statistics.counts_seconds = time.perf_counter() - started
        self.statistics.plan = step = self.plan(formula)
        for part in components(step):
            self.statistics.components.setdefault(part.key, ComponentRun(written(part.formula)))
        order = np.argsort(chosen[still_open], kind="stable")
        still_open = still_open[order]
        self._asked_already = step.key
        verdicts[still_open] = self._in_batches(step, Frame(chosen[still_open], {}))
        self._asked_already = ""
        return verdicts

    def evaluate(self, formula: Formula, frame: Frame) -> Codes:
        """The verdict of a formula for every binding of a frame, which binds its free variables."""
        return self._in_batches(self.plan(formula), frame)

    def _in_batches(self, step: AnyStep, frame: Frame) -> Codes:
        """The verdict of a step for every binding: images in batches, batches in threads where there are several."""
        verdicts = np.empty(len(frame), dtype=np.int8)
        starts = run_starts(frame.image)
        images, ends = frame.image[starts], np.append(starts, len(frame))
        sizes = self._sizes(step, images)
        total = int(sizes.sum())
        several = -(-total // self.batch)
        if total >= self.workers * WORTH_A_THREAD:  # as many for each thread, of one size, so that threads end together
            several += -several % self.workers

        def run(part: slice) -> Statistics:
            engine = copy(self)
            engine.statistics = self.statistics.blank()
            mine = slice(int(ends[part.start]), int(ends[part.stop]))
            verdicts[mine] = engine._in_one_batch(step, frame.take(mine), images[part])
            return engine.statistics

        parts = shares(sizes, several)
        if self.workers == 1 or len(parts) == 1:
            for done in map(run, parts):
                self.statistics.add(done)
        else:
            with ThreadPoolExecutor(self.workers) as pool:
                for done in pool.map(run, parts):
                    self.statistics.add(done)
        return verdicts

    def _sizes(self, step: AnyStep, images: Rows) -> Counts:
        """How many entities the step looks at in each image: those of the classes that its variables range over."""
        codes = sorted({int(code) for bind in binders(step) for code in bind.codes})
        sizes: Counts = self._population.histogram.columns[codes].sum(axis=0, dtype=np.int64)[images]
        return sizes

    def _in_one_batch(self, step: AnyStep, frame: Frame, images: Rows) -> Codes:
        first, last = int(images[0]), int(images[-1])
        self._first_image, self._images = first, last - first + 1
        self._first_row = int(self.table.offsets[first, 0])
        self._rows = int(self.table.offsets[last, -1]) - self._first_row
        self._memo, self._found, self._indexes, self._worlds = {}, {}, {}, {}
        return self._evaluate(step, frame)

    # --- bounds from class counts -------------------------------------------------------------------------------------

    def _count_bounds(self, formula: Formula, images: NDArray[np.int64] | None) -> tuple[Codes, Codes]:
        """The lowest and the highest verdict of each of some images; of all where none are named."""
        whole = self._population.histogram
        histogram = whole if images is None else Histogram(whole.classes, whole.counts[images])
        shape = (len(histogram.counts),)
        low, high = (
            np.broadcast_to(np.asarray(bound, dtype=np.int8), shape)
            for bound in bounds(formula, self.vocabulary, {}, histogram)
        )
        return low.copy(), high

    # --- steps --------------------------------------------------------------------------------------------------------

    def _evaluate(self, step: AnyStep, frame: Frame) -> Codes:
        """The verdict of a step for every binding of the frame."""
        if not len(frame):
            return np.zeros(0, dtype=np.int8)
        if step.price > CHEAP:
            if not step.names:
                return self._once_an_image(step, frame.image)
            if len(step.names) == 1:
                (name,) = step.names
                return self._once_an_entity(step, name, frame)
            if len(step.names) < len(frame.rows):
                return self._once_a_binding(step, frame)
        return self._evaluate_all(step, frame)

    def _evaluate_all(self, step: AnyStep, frame: Frame) -> Codes:
        match step:
            case Constant(value=value):
                return np.full(len(frame), SATISFIED if value else VIOLATED, dtype=np.int8)
            case Literal():
                return self._literal(step, frame)
            case AllOf(parts=parts):
                return self._fold(parts, frame, np.minimum, int(VIOLATED), int(SATISFIED))
            case OneOf(parts=parts):
                return self._fold(parts, frame, np.maximum, int(SATISFIED), int(VIOLATED))
            case Opposite(part=part):
                return (2 - self._evaluate(part, frame)).astype(np.int8)
            case Same(left=left, right=right):
                a, b = self._evaluate(left, frame), self._evaluate(right, frame)
                return np.minimum(np.maximum(2 - a, b), np.maximum(2 - b, a)).astype(np.int8)
            case Some(bind=bind):
                cap = np.full(len(frame), SATISFIED, dtype=np.int8)
                return self._best_extended(bind, frame, cap, np.arange(len(frame), dtype=np.int64), len(frame))
            case Many(op=op, n=n, bind=bind):
                sure, possible = self._count(bind, frame, n if op == ">=" else n + 1)
                return _compare_range(op, sure, possible, n)
            case CountsCompared():
                return self._compare_counts(step, frame)
            case CoversCompared():
                return self._compare_covers(step, frame)
            case _:
                assert_never(step)

    def _fold(
        self, parts: Sequence[AnyStep], frame: Frame, combine: Callable[[Codes, Codes], Codes], settled: int, start: int
    ) -> Codes:
        """`&` or `|`: cheapest part first, each only where the verdict is still open."""
        verdicts = np.full(len(frame), start, dtype=np.int8)
        still_open = np.arange(len(frame))
        for part in parts:
            whole = len(still_open) == len(frame)
            found = self._evaluate(part, frame if whole else frame.take(still_open))
            combined = combine(verdicts[still_open], found)
            verdicts[still_open] = combined
            still_open = still_open[combined != settled]
            if not len(still_open):
                break
        return verdicts

    # --- once for each image, entity, combination ---------------------------------------------------------------------

    def _once_an_image(self, step: AnyStep, images: Rows) -> Codes:
        """A closed step: remembered for each image of the batch; class counts are asked first."""
        memo = self._memory(step.key, self._images)
        place = images - self._first_image
        unknown = _different(images[memo[place] == UNASKED])
        if len(unknown):
            run = self.statistics.components.get(step.key)
            started, bindings = time.perf_counter(), self.statistics.bindings
            if step.key == self._asked_already:
                low, still_open = np.zeros(len(unknown), dtype=np.int8), np.arange(len(unknown))
            else:
                low, high = self._count_bounds(step.formula, unknown)
                still_open = np.flatnonzero(low != high)
            low[still_open] = self._evaluate_all(step, Frame(unknown[still_open], {}))
            memo[unknown - self._first_image] = low + 1
            if run is not None:
                run.images += len(unknown)
                run.by_counts += len(unknown) - len(still_open)
                run.satisfied += int((low == SATISFIED).sum())
                run.bindings += self.statistics.bindings - bindings
                run.seconds += time.perf_counter() - started
        return memo[place] - np.int8(1)

    def _once_an_entity(self, step: AnyStep, name: str, frame: Frame) -> Codes:
        """A step with one free variable: remembered for each entity of the batch."""
        rows = frame.rows[name]
        memo = self._memory(step.key, self._rows)
        place = rows - self._first_row
        unknown = np.flatnonzero(memo[place] == UNASKED)
        unknown = unknown[_one_of_each(rows[unknown])]
        for part in chunks(np.ones(len(unknown), dtype=np.int64), self.chunk):
            mine = unknown[part]
            memo[place[mine]] = 1 + self._evaluate_all(step, Frame(frame.image[mine], {name: rows[mine]}))
        return memo[place] - np.int8(1)

    def _memory(self, key: str, size: int) -> Codes:
        """Verdicts and 1, so that what is zero was not asked: zeros that nobody looks at take no memory."""
        if key not in self._memo:
            self._memo[key] = np.zeros(size, dtype=np.int8)
        return self._memo[key]

    def _once_a_binding(self, step: AnyStep, frame: Frame) -> Codes:
        """Evaluates for each different binding of the step's own variables, and hands the results out."""
        own = sorted(step.names)
        _, first, back = np.unique(one_key([frame.rows[name] for name in own]), return_index=True, return_inverse=True)
        narrow = Frame(frame.image[first], {name: frame.rows[name][first] for name in own})
        order = np.argsort(narrow.image, kind="stable")
        verdicts = np.empty(len(first), dtype=np.int8)
        verdicts[order] = self._evaluate_all(step, narrow.take(order))
        return verdicts[back]

    # --- literals -----------------------------------------------------------------------------------------------------

    def _literal(self, step: Literal, frame: Frame) -> Codes:
        found = self._told_by_boxes(step, frame)
        unknown = np.flatnonzero(found == OPEN)
        if len(unknown):
            found[unknown] = self._exactly(step, frame.take(unknown) if len(unknown) < len(frame) else frame)
        return found

    def _exactly(self, step: Literal, frame: Frame) -> Codes:
        """The verdict of a literal that boxes leave open: by corners where they tell, else by the geometry module."""
        if not step.by_boxes:
            return self._truth(step, frame)
        found = self._told(step, frame, by_corners, gap_by_corners)
        unknown = np.flatnonzero(found == OPEN)
        if len(unknown):
            found[unknown] = self._truth(step, frame.take(unknown) if len(unknown) < len(frame) else frame)
        return found

    def _truth(self, step: Literal, frame: Frame) -> Codes:
        atom = step.atom
        if isinstance(atom, Apply) and atom.name in self.vocabulary.links:
            found = self._link(atom, frame)
        else:
            found = self.facts.truth(atom, frame.rows, frame.image)
        return (2 - found).astype(np.int8) if step.negated else found

    def _told_by_boxes(self, step: Literal, frame: Frame) -> Codes:
        """What boxes tell of a literal: its verdict, OPEN where they do not."""
        return self._told(step, frame, by_boxes, gap_by_boxes) if step.by_boxes else np.full(len(frame), OPEN)

    def _told(self, step: Literal, frame: Frame, relation: Callable[..., Codes], gap: Callable[..., Codes]) -> Codes:
        """What one of two cheap looks tells of a literal that is decided by gap or common area."""
        atom = step.atom
        if isinstance(atom, Apply):
            rows = tuple(frame.rows[arg.name] for arg in atom.args if isinstance(arg, Variable))
            found = relation(atom.name, self.table, rows, self.facts.parameters)
            return np.where(found == OPEN, OPEN, 2 - found).astype(np.int8) if step.negated else found
        comparison = distance_limit(atom)
        assert comparison is not None
        _, op, limit = comparison
        term = atom.left if isinstance(atom.left, Apply) else atom.right
        assert isinstance(term, Apply)
        x, y = (frame.rows[arg.name] for arg in term.args if isinstance(arg, Variable))
        found = gap(self.table, x, y, in_pixels(limit, self.table, x))
        return found if op in ("<", "<=") else np.where(found == OPEN, OPEN, 2 - found).astype(np.int8)

    def _link(self, atom: Apply, frame: Frame) -> Codes:
        """connected(x, y): by the chains of each image, found once."""
        first, second = (frame.rows[arg.name] for arg in atom.args if isinstance(arg, Variable))
        verdicts = np.empty(len(frame), dtype=np.int8)
        bounds_of = np.flatnonzero(np.diff(frame.image, prepend=-1, append=-1))
        for start, stop in pairwise(bounds_of):
            image = int(frame.image[start])
            world = self._world(image)
            base, end = int(self.table.offsets[image, 0]), int(self.table.offsets[image, -1])
            place = np.full(end - base, -1)
            place[world.rows - base] = np.arange(len(world.rows))
            x, y = place[first[start:stop] - base], place[second[start:stop] - base]
            verdicts[start:stop] = world.links(atom.name).codes(x, y)
        return verdicts

    @cached_property
    def _exists(self) -> Bools:
        return self._population.exists

    def _world(self, image: int) -> World:
        from ..entities.scene import Scene

        if image not in self._worlds:
            scene, exists = Scene(self.table, image), self._exists
            self._worlds[image] = World(scene, self.vocabulary, self.min_score, facts=self.facts, exists=exists)
        return self._worlds[image]

    # --- exists: the greatest verdict ---------------------------------------------------------------------------------

    def _best_extended(
        self, bind: Bind, frame: Frame, cap: Codes, group: Rows, groups: int, chain: frozenset[str] = frozenset()
    ) -> Codes:
        """For each group of bindings the greatest verdict of `exists`, each binding's at most its cap; int8 (groups,).

        Groups are what the outermost `exists` is asked for: one that is satisfied is done, whatever else there is.
        chain  the variables of this chain of `exists` that are bound already
        """
        result = np.zeros(groups, dtype=np.int8)
        found = self._candidates(bind, frame)
        if bind.rest is None or bind.extreme is not None:
            best = self._present(found, frame) if bind.rest is None else self._extreme(bind, found, frame)
            np.maximum.at(result, group, np.minimum(cap, best))
            return result
        waiting = cap > VIOLATED
        twin = bind.twin if bind.twin in chain else ""
        if bind.scanned_whole and self._scans(bind, found, frame) and (cap == SATISFIED).all():
            done = np.zeros(groups, dtype=bool)
            counted = self._scan(bind, found, frame, twin).count(group, done, 1)
            result[done] = SATISFIED
            waiting = (counted.open > 0) & ~done[group]
            if not waiting.any():
                return result
        chain |= {bind.var}
        # A scan of the next variable stops by itself where one was found; else candidates are tried a few at a time.
        few = None if isinstance(bind.rest, Some) and bind.rest.bind.scanned_whole and is_worth(len(found.rows)) else 1
        for parent, position, rest in self._spread(bind, found, frame, waiting, few, once_will_do=True, twin=twin):
            inner = frame.extended(parent, bind.var, found.rows[position])
            inner_cap = np.minimum(cap[parent], found.verdicts[position])
            np.maximum(result, self._best(rest, inner, inner_cap, group[parent], groups, chain), out=result)
            waiting &= cap > result[group]
        return result

    def _best(self, step: AnyStep, frame: Frame, cap: Codes, group: Rows, groups: int, chain: frozenset[str]) -> Codes:
        """For each group of bindings the greatest verdict of the step, each binding's at most its cap."""
        parts = step.parts if isinstance(step, AllOf) else (step,)
        literals = [part for part in parts if isinstance(part, Literal)]
        others = [part for part in parts if not isinstance(part, Literal)]
        result = np.zeros(groups, dtype=np.int8)
        asked: list[tuple[Literal, Bools]] = []  # literals that boxes leave open, and of which bindings

        def keep(mask: Bools) -> None:
            nonlocal frame, cap, group, asked
            if not mask.all():
                frame, cap, group = frame.take(mask), cap[mask], group[mask]
                asked = [(literal, still[mask]) for literal, still in asked]

        for literal in literals:
            told = self._told_by_boxes(literal, frame) if literal.by_boxes else self._evaluate(literal, frame)
            if literal.by_boxes:
                asked.append((literal, told == OPEN))
            cap = np.where(told == OPEN, cap, np.minimum(cap, told)).astype(np.int8)
            keep(cap > VIOLATED)
        if not others:
            sure = np.logical_not(np.logical_or.reduce([still for _, still in asked])) if asked else cap >= VIOLATED
            np.maximum.at(result, group[sure], cap[sure])
            keep(~sure & (cap > result[group]))
        size = FIRST_ROUND
        while asked and len(frame):  # outlines, a few bindings of each group at first
            turn = np.full(len(frame), True) if others else place_in_run(group)[0] < size
            for literal, still in asked:
                which = np.flatnonzero(turn & still & (cap > VIOLATED))
                if len(which):
                    cap[which] = np.minimum(cap[which], self._exactly(literal, frame.take(which)))
            if others:
                break
            np.maximum.at(result, group[turn], cap[turn])
            keep(~turn & (cap > result[group]))
            size *= ROUND_GROWTH
        keep(cap > result[group])
        if not others or not len(frame):
            return result
        for part in others[:-1]:
            cap = np.minimum(cap, self._evaluate(part, frame))
            keep(cap > VIOLATED)
        last = others[-1]
        if isinstance(last, Some) and len(last.names) == len(frame.rows) and len(frame):
            return self._best_extended(last.bind, frame, cap, group, groups, chain)
        np.maximum.at(result, group, np.minimum(cap, self._evaluate(last, frame)))
        return result

    def _present(self, found: Candidates, frame: Frame) -> Codes:
        """The greatest verdict of the candidates of each binding's image."""
        sure, possible = self._numbers(found, frame)
        return _codes(sure > 0, possible > 0)

    def _extreme(self, bind: Bind, found: Candidates, frame: Frame) -> Codes:
        """exists y (c(y) & left_of(x, y)): only the rightmost y counts; so for every order, negated ones too."""
        literal = bind.extreme
        assert literal is not None and isinstance(literal.atom, Apply)
        name, below = EXTREMES[literal.atom.name]
        first, second = (arg.name for arg in literal.atom.args if isinstance(arg, Variable))
        other = second if first == bind.var else first
        column: NDArray[np.float64] = getattr(self.table, name)
        greatest = (first == other) == (below != literal.negated)  # whether a large value of the candidate satisfies
        values = column[found.rows]
        outside = -np.inf if greatest else np.inf
        pick = np.maximum if greatest else np.minimum
        _, lengths = found.runs.at(frame.image)
        mine = column[frame.rows[other]]
        result = np.zeros(len(frame), dtype=np.int8)
        some = np.flatnonzero(lengths)
        if not len(some):
            return result
        filled = np.flatnonzero(np.diff(found.runs.starts))  # of every image: more may be known than asked for
        first_of = found.runs.starts[filled]
        back = np.searchsorted(filled, frame.image[some] - found.runs.first)
        for code in (UNDECIDED, SATISFIED):
            extreme = pick.reduceat(np.where(found.verdicts >= code, values, outside), first_of)[back]
            a, b = (mine[some], extreme) if first == other else (extreme, mine[some])
            fact = (a < b) if below else (a > b)
            fact = ~fact if literal.negated else fact
            result[some[fact & np.isfinite(extreme)]] = code
        return result

    # --- counts -------------------------------------------------------------------------------------------------------

    def _count(self, bind: Bind, frame: Frame, enough: int | None = None) -> tuple[Counts, Counts]:
        """For each binding how many entities satisfy the body for certain, and how many may; int64 (n,) each.

        Where `enough` are certain the rest need not be counted, so candidates are tried in rounds, few first.
        """
        found = self._candidates(bind, frame)
        if bind.rest is None:
            return self._numbers(found, frame)
        sure = np.zeros(len(frame), dtype=np.int64)
        possible = np.zeros(len(frame), dtype=np.int64)
        waiting = np.ones(len(frame), dtype=bool)
        if bind.scanned_whole and self._scans(bind, found, frame):
            every, nothing = np.arange(len(frame), dtype=np.int64), np.zeros(len(frame), dtype=bool)
            counted = self._scan(bind, found, frame, "").count(every, nothing, enough or 0)
            waiting = (counted.open > 0) & ~nothing
            sure[~waiting] = possible[~waiting] = counted.sure[~waiting]
        for parent, position, rest in self._spread(bind, found, frame, waiting, enough):
            inner = frame.extended(parent, bind.var, found.rows[position])
            verdicts = np.minimum(self._evaluate(rest, inner), found.verdicts[position])
            sure += np.bincount(parent[verdicts == SATISFIED], minlength=len(frame))
            possible += np.bincount(parent[verdicts >= UNDECIDED], minlength=len(frame))
            if enough is not None:
                waiting &= sure < enough
        return sure, possible

    def _numbers(self, found: Candidates, frame: Frame) -> tuple[Counts, Counts]:
        """How many candidates each binding's image has: for certain, and possibly."""
        starts, lengths = found.runs.at(frame.image)
        running = np.concatenate(([0], np.cumsum(found.verdicts == SATISFIED)))
        return running[starts + lengths] - running[starts], lengths

    # --- candidates ---------------------------------------------------------------------------------------------------

    def _candidates(self, bind: Bind, frame: Frame) -> Candidates:
        """What the variable may be in the frame's images; what was found for more images of the batch serves again."""
        known = self._found.get(id(bind))
        if known is None or not known.asked[frame.image - self._first_image].all():
            known = self._found[id(bind)] = self._find(bind, _different(frame.image))
            self._indexes.pop((id(bind), False), None)
            self._indexes.pop((id(bind), True), None)
        return known

    def _find(self, bind: Bind, images: Rows) -> Candidates:
        rows, count = self._population.of(images, bind.codes)
        verdicts = np.full(len(rows), SATISFIED, dtype=np.int8)
        asked, counts = np.zeros(self._images, dtype=bool), np.zeros(self._images, dtype=np.int64)
        place = images - self._first_image
        asked[place], counts[place] = True, count
        for part in bind.filters:
            if not len(rows):
                break
            found = self._evaluate(part, Frame(self.table.image[rows].astype(np.int64), {bind.var: rows}))
            verdicts = np.minimum(verdicts, found)
            kept = verdicts > VIOLATED
            rows, verdicts = rows[kept], verdicts[kept]
            counts = np.bincount(self.table.image[rows] - self._first_image, minlength=self._images)
        sure = not bind.filters or bool((verdicts == SATISFIED).all())
        return Candidates(asked, Runs.of(counts, self._first_image), rows, verdicts, sure)

    def _index(self, bind: Bind, found: Candidates, once: bool) -> StripIndex:
        """The strip index of a joined variable's candidates, made when it is first asked for."""
        key = id(bind), once
        if key not in self._indexes:
            reach_of = partial(self._reach, bind, bind.var)
            self._indexes[key] = StripIndex(self.table, found.rows, reach_of, bind.unlike, once)
        return self._indexes[key]

    def _reach(self, bind: Bind, var: str, rows: Rows) -> NDArray[np.float64]:
        assert bind.join is not None
        return reach(bind.join.atom, var, self.table, rows, self.facts.parameters)

    def _spread(
        self,
        bind: Bind,
        found: Candidates,
        frame: Frame,
        waiting: Bools,
        enough: int | None,
        once_will_do: bool = False,
        twin: str = "",
    ) -> Iterator[tuple[Rows, Rows, Any]]:
        """The bindings extended by candidates, in chunks.

        Yields numbers of the bindings, places of the candidates, the step that is still to be asked of them. Only
        bindings that are `waiting` are extended; the mask is looked at again before each chunk. Where one candidate
        will do, the nearest come first, and some may come twice.
        twin  a variable with which this one may change places: only candidates from its own place on
        """
        if bind.join is not None:
            if not waiting.any():
                return
            if bind.beyond is not None and self._scans(bind, found, frame):
                for parent, rows, sure in self._scan(bind, found, frame, twin).pairs(waiting, LISTED):
                    position = np.searchsorted(found.rows, rows)
                    for which, rest in ((sure, bind.beyond), (~sure, bind.rest)):
                        if which.any():
                            yield parent[which], position[which], rest
                return
            for parent, position in self._within_reach(bind, found, frame, waiting, once_will_do, twin):
                yield parent, position, bind.rest
            return
        starts, lengths = found.runs.at(frame.image)
        if twin:
            ends = starts + lengths
            starts = np.maximum(starts, np.searchsorted(found.rows, frame.rows[twin]) + bind.apart)
            lengths = np.maximum(ends - starts, 0)
        done = 0
        step = int(lengths.max(initial=0)) if enough is None else FIRST_ROUND * max(1, enough)
        while True:
            turn = np.flatnonzero(waiting & (lengths > done))
            if not len(turn):
                return
            take = np.minimum(lengths[turn] - done, step)
            for chunk in chunks(take, self.chunk):
                mine = turn[chunk]
                parent, position = expand(starts[mine] + done, take[chunk])
                self.statistics.bindings += len(parent)
                yield mine[parent], position, bind.rest
            done += step
            step *= ROUND_GROWTH

    def _scans(self, bind: Bind, found: Candidates, frame: Frame) -> bool:
        """Whether a compiled loop knows literals of the binder, and is worth it."""
        return (
            bool(bind.scanned)
            and found.sure
            and self.table.shapes.in_place
            and is_worth(len(frame) + len(found.rows))
        )

    def _scan(self, bind: Bind, found: Candidates, frame: Frame, twin: str) -> Scan:
        """What the compiled loop is asked; the owners are the bindings."""
        assert bind.join is not None
        rows = frame.rows[bind.other]
        self.statistics.bindings += len(frame)
        return Scan(
            self.table, self.facts.parameters, bind.scanned, (bind.other, bind.var), rows, frame.image, found.rows,
            found.runs,
            self._reach(bind, bind.other, rows), reach_per_diagonal(bind.join.atom, self.facts.parameters),
            0 if twin != bind.other else 1 if bind.apart else 2, bind.unlike,
        )  # fmt: skip

    def _within_reach(
        self, bind: Bind, found: Candidates, frame: Frame, waiting: Bools, once_will_do: bool, twin: str
    ) -> Iterator[tuple[Rows, Rows]]:
        once = bind.unlike and twin == bind.other
        index = self._index(bind, found, once)
        least = index.places(frame.rows[twin]) + bind.apart if twin and not once else None
        for some in chunks(np.ones(len(frame), dtype=np.int64), self.chunk):
            alive = np.flatnonzero(waiting[some]) + some.start
            rows = frame.rows[bind.other][alive]
            first, count = index.groups(rows, frame.image[alive])
            asking = count > 0
            alive, rows, groups = alive[asking], rows[asking], (first[asking], count[asking])
            boxes = boxes_of(self.table, rows, self._reach(bind, bind.other, rows))
            owner, start, length = index.ranges(groups, boxes, None if least is None else least[alive])
            in_turns = once_will_do and int(length.sum()) > ONE_ROUND
            turns = _nearest_first(owner, start, length, least is not None) if in_turns else ((owner, start, length),)
            for mine, begin, many in turns:
                for chunk in chunks(many, self.chunk):
                    still = waiting[alive[mine[chunk]]]
                    each, place = expand(begin[chunk][still], many[chunk][still])
                    parent, place = index.within_reach(mine[chunk][still][each], place, boxes)
                    self.statistics.bindings += len(parent)
                    if len(parent):
                        yield alive[parent], index.order[place]

    # --- comparisons of counts and covers -----------------------------------------------------------------------------

    def _compare_counts(self, step: CountsCompared, frame: Frame) -> Codes:
        columns = [(factor, *self._count(bind, frame)) for factor, bind in step.counts]
        largest = abs(step.constant) + sum(abs(f) * int(possible.max(initial=0)) for f, _, possible in columns)
        kind: Any = np.int64 if largest < EXACT else object
        low, high = np.full(len(frame), step.constant, dtype=kind), np.full(len(frame), step.constant, dtype=kind)
        for factor, sure, possible in columns:
            ends = sure.astype(kind) * factor, possible.astype(kind) * factor
            low, high = low + np.minimum(*ends), high + np.maximum(*ends)
        verdicts = np.empty(len(frame), dtype=np.int8)
        known = np.asarray(low == high, dtype=bool)
        verdicts[known] = _compare_exact(step.op, low[known])
        for i in np.flatnonzero(~known):
            ranges = [(factor, int(sure[i]), int(possible[i])) for factor, sure, possible in columns]
            verdicts[i] = compare_to_zero(step.op, step.constant, ranges)  # type: ignore[arg-type]
        return verdicts

    def _compare_covers(self, step: CoversCompared, frame: Frame) -> Codes:
        """Covers need the union of outlines, so binding by binding."""
        comparison = step.comparison
        covers = [cover for cover in aggregates(comparison) if isinstance(cover, Cover)]
        areas = {id(cover): self._cover(bind, frame) for cover, bind in zip(covers, step.covers, strict=True)}
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

    def _cover(self, bind: Bind, frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """For each binding the area of the union of the sure outlines, and of the possible ones."""
        found = self._candidates(bind, frame)
        parents: list[Rows] = []
        rows: list[Rows] = []
        codes: list[Codes] = []
        for parent, position, rest in self._spread(bind, found, frame, np.ones(len(frame), dtype=bool), None):
            mine, verdicts = found.rows[position], found.verdicts[position]
            if rest is not None:
                verdicts = np.minimum(verdicts, self._evaluate(rest, frame.extended(parent, bind.var, mine)))
            some = verdicts > VIOLATED
            parents.append(parent[some])
            rows.append(mine[some])
            codes.append(verdicts[some])
        low, high = np.zeros(len(frame)), np.zeros(len(frame))
        if not parents:
            return low, high
        parent, row, code = np.concatenate(parents), np.concatenate(rows), np.concatenate(codes)
        order = np.argsort(parent, kind="stable")
        parent, row, code = parent[order], row[order], code[order]
        for start, stop in pairwise(np.flatnonzero(np.diff(parent, prepend=-1, append=-1))):
            mine = row[start:stop]
            low[parent[start]] = union_area(self.table, mine[code[start:stop] == SATISFIED])
            high[parent[start]] = union_area(self.table, mine)
        return low, high


# --- columns ----------------------------------------------------------------------------------------------------------


def _nearest_first(owner: Rows, start: Rows, length: Rows, onwards: bool) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Ranges in turns, what is nearest first: a few of the middle of each owner's middle ranges; more of all; the rest.

    Of a range that is cut in one turn the next has the middle again.
    onwards  the ranges begin at the owner's own place: what is nearest lies first
    """
    rank, size = place_in_run(owner)
    off = rank if onwards else np.abs(rank - (size - 1) / 2)
    unseen = np.ones(len(owner), dtype=bool)
    for around, most in ((1.0, NEAREST), (2.0, 4 * NEAREST), (np.inf, int(length.max(initial=0)))):
        turn = unseen & (off < around)
        long = length > 2 * most
        cut = np.where(long, most, length)
        first = start if onwards else start + (length - cut) // 2
        yield owner[turn], first[turn], cut[turn]
        unseen &= ~turn | long


def _different(rows: Rows) -> Rows:
    """The different values, ascending."""
    return rows[_one_of_each(rows)]


def _one_of_each(rows: Rows) -> Rows:
    """The places of the different values, each once, in order of value; quick where they are sorted already."""
    if len(rows) > 1 and bool((rows[1:] < rows[:-1]).any()):
        return np.unique(rows, return_index=True)[1]
    return run_starts(rows)


def _codes(satisfied: Bools, possible: Bools) -> Codes:
    return satisfied.astype(np.int8) + possible.astype(np.int8)


def _compare_range(op: str, sure: Counts, possible: Counts, n: int) -> Codes:
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

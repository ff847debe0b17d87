"""The steps of a plan, evaluated over columns of bindings of the images of one batch.

A binder extends the frame by every entity that its variable may be (`candidates`); the step below it is evaluated
there, and the greatest verdict, or the number of satisfied ones, is taken back to each binding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import OPEN, by_boxes, by_corners, gap_by_boxes, gap_by_corners, union_area
from ..grammar.nodes import Apply, Cover, Term, Variable
from ..verdict import SATISFIED, UNDECIDED, VIOLATED
from .atoms import Codes, Rows
from .bounds import image_bounds
from .candidates import FIRST_ROUND, ROUND_GROWTH, Bools, Candidates, Finder, Setting
from .frame import Frame, chunks, different, one_key, one_of_each, place_in_run
from .joins import in_pixels
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
    Same,
    Some,
)
from .run_statistics import Statistics
from .scan import is_worth
from .world import World

UNASKED = 0  # in a memo, which holds verdicts and 1
EXACT = 1 << 53  # whole numbers below it are exact in every column

Counts: TypeAlias = NDArray[np.int64]


class Batch:
    """Evaluates steps over bindings of some images of a table.

    first, last    the first image and the last
    asked_already  key of a closed step whose bounds from class counts are known to be open for all images
    """

    def __init__(self, setting: Setting, first: int, last: int, statistics: Statistics, asked_already: str = ""):
        self.setting = setting
        self.table, self.facts, self.chunk = setting.table, setting.facts, setting.chunk
        self.vocabulary = setting.vocabulary
        self.statistics = statistics
        offsets = setting.table.offsets
        self._asked_already = asked_already
        self._first_image, self._images = first, last - first + 1
        self._first_row = int(offsets[first, 0])
        self._rows = int(offsets[last, -1]) - self._first_row
        self._memo: dict[str, Codes] = {}
        self._worlds: dict[int, World] = {}
        self._finder = Finder(setting, first, self._images, statistics)

    def evaluate(self, step: AnyStep, frame: Frame) -> Codes:
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
                return (2 - self.evaluate(part, frame)).astype(np.int8)
            case Same(left=left, right=right):
                a, b = self.evaluate(left, frame), self.evaluate(right, frame)
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
            found = self.evaluate(part, frame if whole else frame.take(still_open))
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
        unknown = different(images[memo[place] == UNASKED])
        if len(unknown):
            run = self.statistics.components.get(step.key)
            started, bindings = time.perf_counter(), self.statistics.bindings
            if step.key == self._asked_already:
                low, still_open = np.zeros(len(unknown), dtype=np.int8), np.arange(len(unknown))
            else:
                histogram = self.setting.population.histogram
                low, high = image_bounds(step.formula, self.vocabulary, histogram, unknown)
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
        unknown = unknown[one_of_each(rows[unknown])]
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
        return self.setting.population.exists

    def _world(self, image: int) -> World:
        from ..entities.scene import Scene

        if image not in self._worlds:
            scene, exists = Scene(self.table, image), self._exists
            self._worlds[image] = World(scene, self.vocabulary, self.setting.min_score, facts=self.facts, exists=exists)
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
        found = self._finder.of(bind, frame, self.evaluate)
        if bind.rest is None or bind.extreme is not None:
            best = self._present(found, frame) if bind.rest is None else self._extreme(bind, found, frame)
            np.maximum.at(result, group, np.minimum(cap, best))
            return result
        waiting = cap > VIOLATED
        twin = bind.twin if bind.twin in chain else ""
        if bind.scanned_whole and self._finder.scans(bind, found, frame) and (cap == SATISFIED).all():
            done = np.zeros(groups, dtype=bool)
            counted = self._finder.scan(bind, found, frame, twin).count(group, done, 1)
            result[done] = SATISFIED
            waiting = (counted.open > 0) & ~done[group]
            if not waiting.any():
                return result
            twin = ""  # the loop and the index have orders of their own: what one leaves open the other asks both ways
        chain |= {bind.var}
        # A scan of the next variable stops by itself where one was found; else candidates are tried a few at a time.
        few = None if isinstance(bind.rest, Some) and bind.rest.bind.scanned_whole and is_worth(len(found.rows)) else 1
        spread = self._finder.spread(bind, found, frame, waiting, few, once_will_do=True, twin=twin)
        for parent, position, rest in spread:
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
            told = self._told_by_boxes(literal, frame) if literal.by_boxes else self.evaluate(literal, frame)
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
            cap = np.minimum(cap, self.evaluate(part, frame))
            keep(cap > VIOLATED)
        last = others[-1]
        if isinstance(last, Some) and len(last.names) == len(frame.rows) and len(frame):
            return self._best_extended(last.bind, frame, cap, group, groups, chain)
        np.maximum.at(result, group, np.minimum(cap, self.evaluate(last, frame)))
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
        found = self._finder.of(bind, frame, self.evaluate)
        if bind.rest is None:
            return self._numbers(found, frame)
        sure = np.zeros(len(frame), dtype=np.int64)
        possible = np.zeros(len(frame), dtype=np.int64)
        waiting = np.ones(len(frame), dtype=bool)
        if bind.scanned_whole and self._finder.scans(bind, found, frame):
            every, nothing = np.arange(len(frame), dtype=np.int64), np.zeros(len(frame), dtype=bool)
            counted = self._finder.scan(bind, found, frame, "").count(every, nothing, enough or 0)
            waiting = (counted.open > 0) & ~nothing
            sure[~waiting] = possible[~waiting] = counted.sure[~waiting]
        for parent, position, rest in self._finder.spread(bind, found, frame, waiting, enough):
            inner = frame.extended(parent, bind.var, found.rows[position])
            verdicts = np.minimum(self.evaluate(rest, inner), found.verdicts[position])
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
        found = self._finder.of(bind, frame, self.evaluate)
        parents: list[Rows] = []
        rows: list[Rows] = []
        codes: list[Codes] = []
        for parent, position, rest in self._finder.spread(bind, found, frame, np.ones(len(frame), dtype=bool), None):
            mine, verdicts = found.rows[position], found.verdicts[position]
            if rest is not None:
                verdicts = np.minimum(verdicts, self.evaluate(rest, frame.extended(parent, bind.var, mine)))
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

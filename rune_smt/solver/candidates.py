"""What a variable may be: the entities of its classes that pass its filters, and bindings extended by them.

A binder that is tied to a variable bound before by a bounded relation asks a compiled loop (`scan`) or the strip index
(`joins`) for what lies within reach; else every candidate of the image is tried, a few first where few are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..verdict import SATISFIED, VIOLATED
from .atoms import Codes, Facts, Rows
from .frame import Frame, Runs, chunks, different, expand, place_in_run
from .joins import StripIndex, boxes_of, reach, reach_per_diagonal
from .plan import AnyStep, Bind
from .population import Population
from .run_statistics import Statistics
from .scan import Scan, is_worth

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary

FIRST_ROUND = 4  # candidates tried first for each that is wanted; most bindings that have one find it among these
ROUND_GROWTH = 8
LISTED = 1 << 15  # pairs that a compiled loop lists at once
ONE_TURN = 1 << 14  # so few pairs are looked at together: going through the steps again takes longer
NEAREST = 3  # candidates of a strip tried first where one will do

Bools: TypeAlias = NDArray[np.bool_]
Evaluate: TypeAlias = Callable[[AnyStep, Frame], Codes]


@dataclass(frozen=True, slots=True)
class Setting:
    """What all batches of a question share; chunk is the number of bindings evaluated at once."""

    table: EntityTable
    vocabulary: Vocabulary
    min_score: float
    facts: Facts
    population: Population
    chunk: int


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


class Finder:
    """Finds the candidates of the binders in a batch, and extends bindings by them.

    first_image, images  the first image of the batch, and how many from there to the last
    """

    def __init__(self, setting: Setting, first_image: int, images: int, statistics: Statistics):
        self.table, self.facts, self.chunk = setting.table, setting.facts, setting.chunk
        self.population = setting.population
        self.first_image = first_image
        self.images = images
        self.statistics = statistics
        self._found: dict[int, Candidates] = {}
        self._indexes: dict[tuple[int, bool], StripIndex] = {}

    def of(self, bind: Bind, frame: Frame, evaluate: Evaluate) -> Candidates:
        """What the variable may be in the frame's images; what was found for more images of the batch serves again.

        evaluate  asks filters: the verdict of a step for every binding of a frame
        """
        known = self._found.get(id(bind))
        if known is None or not known.asked[frame.image - self.first_image].all():
            known = self._found[id(bind)] = self._find(bind, different(frame.image), evaluate)
            self._indexes.pop((id(bind), False), None)
            self._indexes.pop((id(bind), True), None)
        return known

    def _find(self, bind: Bind, images: Rows, evaluate: Evaluate) -> Candidates:
        rows, count = self.population.of(images, bind.codes)
        verdicts = np.full(len(rows), SATISFIED, dtype=np.int8)
        asked, counts = np.zeros(self.images, dtype=bool), np.zeros(self.images, dtype=np.int64)
        place = images - self.first_image
        asked[place], counts[place] = True, count
        for part in bind.filters:
            if not len(rows):
                break
            found = evaluate(part, Frame(self.table.image[rows].astype(np.int64), {bind.var: rows}))
            verdicts = np.minimum(verdicts, found)
            kept = verdicts > VIOLATED
            rows, verdicts = rows[kept], verdicts[kept]
            counts = np.bincount(self.table.image[rows] - self.first_image, minlength=self.images)
        sure = not bind.filters or bool((verdicts == SATISFIED).all())
        return Candidates(asked, Runs.of(counts, self.first_image), rows, verdicts, sure)

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

    def spread(
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
            if bind.beyond is not None and self.scans(bind, found, frame):
                for parent, rows, sure in self.scan(bind, found, frame, twin).pairs(waiting, LISTED):
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

    def scans(self, bind: Bind, found: Candidates, frame: Frame) -> bool:
        """Whether a compiled loop knows literals of the binder, and is worth it."""
        return (
            bool(bind.scanned)
            and found.sure
            and self.table.shapes.in_place
            and is_worth(len(frame) + len(found.rows))
        )

    def scan(self, bind: Bind, found: Candidates, frame: Frame, twin: str) -> Scan:
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
            in_turns = once_will_do and int(length.sum()) > ONE_TURN
            turns = _nearest_first(owner, start, length, least is not None) if in_turns else ((owner, start, length),)
            for mine, begin, many in turns:
                for chunk in chunks(many, self.chunk):
                    still = waiting[alive[mine[chunk]]]
                    each, place = expand(begin[chunk][still], many[chunk][still])
                    parent, place = index.within_reach(mine[chunk][still][each], place, boxes)
                    self.statistics.bindings += len(parent)
                    if len(parent):
                        yield alive[parent], index.order[place]


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

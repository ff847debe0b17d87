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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..grammar.nodes import Formula
from ..grammar.printer import written
from .atoms import Codes, Facts, Rows
from .batch import Batch, Counts
from .bounds import image_bounds
from .candidates import Bools, Setting
from .frame import Frame, run_starts, shares
from .plan import AnyStep, Planner, binders, components, nesting
from .population import Population, at_least, with_score
from .run_statistics import ComponentRun, Statistics

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary

__all__ = ["ArrayEngine", "ComponentRun", "Frame", "Statistics"]

CHUNK = 1 << 18  # bindings evaluated at once: what one step reads of them stays in the processor's cache
BATCH = 1 << 19  # entities of the images that are worked on at once: bounds indexes and memos
WORTH_A_THREAD = 120_000  # entities, times the variables bound inside another; less is done as soon by one thread alone


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
        self.facts = Facts(table, vocabulary)
        self.batch = batch
        self.workers = workers
        self.statistics = Statistics()
        population = with_score(table, min_score) if exists is None else at_least(table, exists, True)
        self._setting = Setting(table, vocabulary, min_score, self.facts, population, chunk)
        self._plans: dict[Formula, AnyStep] = {}

    def among(self, population: Population) -> ArrayEngine:
        """The same engine where other entities of the table exist, with the plans that it has made."""
        other = copy(self)
        other._setting = replace(self._setting, population=population)
        return other

    def plan(self, formula: Formula) -> AnyStep:
        """The plan of a formula for this table."""
        if formula not in self._plans:
            planner = Planner(tuple(self.table.classes), self.vocabulary, self._setting.population.histogram.average)
            self._plans[formula] = planner.plan(formula)
        return self._plans[formula]

    def decide(self, formula: Formula, images: Sequence[int] | NDArray[np.int64] | None = None) -> Codes:
        """Verdict codes, int8, of a closed formula for each image of the table, or of those given."""
        chosen = np.arange(len(self.table.offsets), dtype=np.int64) if images is None else np.asarray(images, np.int64)
        started = time.perf_counter()
        self.statistics = Statistics(images=len(chosen))
        if not len(chosen):
            return np.zeros(0, dtype=np.int8)
        histogram = self._setting.population.histogram
        verdicts, high = image_bounds(formula, self.vocabulary, histogram, None if images is None else chosen)
        still_open = np.flatnonzero(verdicts != high)
        self.statistics.by_counts = len(chosen) - len(still_open)
        self.statistics.counts_seconds = time.perf_counter() - started
        self.statistics.plan = step = self.plan(formula)
        for part in components(step):
            self.statistics.components.setdefault(part.key, ComponentRun(written(part.formula)))
        order = np.argsort(chosen[still_open], kind="stable")
        still_open = still_open[order]
        verdicts[still_open] = self._in_batches(step, Frame(chosen[still_open], {}), step.key)
        return verdicts

    def evaluate(self, formula: Formula, frame: Frame) -> Codes:
        """The verdict of a formula for every binding of a frame, which binds its free variables."""
        return self._in_batches(self.plan(formula), frame)

    def _in_batches(self, step: AnyStep, frame: Frame, asked_already: str = "") -> Codes:
        """The verdict of a step for every binding: images in batches, batches in threads where there are several."""
        verdicts = np.empty(len(frame), dtype=np.int8)
        starts = run_starts(frame.image)
        images, ends = frame.image[starts], np.append(starts, len(frame))
        sizes = self._sizes(step, images)
        total = int(sizes.sum())
        several = -(-total // self.batch)
        if total * (nesting(step) - 1) >= self.workers * WORTH_A_THREAD:
            # As many for each thread, of one size, so that threads end together.
            several += -several % self.workers

        def run(part: slice) -> Statistics:
            mine = slice(int(ends[part.start]), int(ends[part.stop]))
            first, last = int(images[part.start]), int(images[part.stop - 1])
            batch = Batch(self._setting, first, last, self.statistics.blank(), asked_already)
            verdicts[mine] = batch.evaluate(step, frame.take(mine))
            return batch.statistics

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
        sizes: Counts = self._setting.population.histogram.columns[codes].sum(axis=0, dtype=np.int64)[images]
        return sizes

"""Mode graded: the share of thresholds at which a scene is satisfied (LANGUAGE, section 7), exactly.

The verdict changes only at scores that occur, so each image is decided once for every different score in it; all images
are decided together at their first, second, ... score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..grammar.nodes import Formula
from ..verdict import SATISFIED, UNDECIDED, Verdict
from .array_engine import ArrayEngine
from .atoms import Codes, Facts
from .degrees import Degrees, Floats, Stretches, judged
from .population import above
from .world import World

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary

Step: TypeAlias = tuple[NDArray[np.int64], Floats, Floats, Codes]  # images, thresholds above and up to, verdicts


def graded(formula: Formula, table: EntityTable, vocabulary: Vocabulary) -> list[Step]:
    """For each step: images, the thresholds (above, up to and including) it covers, and the verdicts there.

    formula  closed, normalised
    """
    steps = []
    images, lower = np.arange(len(table.offsets)), np.zeros(len(table.offsets))
    scores, starts, stops = _different_scores(table)
    rank, engine = 0, ArrayEngine(table, vocabulary, exists=np.ones(len(table), dtype=bool))
    while len(images):
        has_more = starts[images] + rank < stops[images]
        upper = np.ones(len(images))
        upper[has_more] = scores[starts[images[has_more]] + rank]
        threshold = np.full(len(table.offsets), np.inf)  # beyond its last score an image is empty
        threshold[images[has_more]] = upper[has_more]
        steps.append((images, lower, upper, engine.among(above(table, threshold, images)).decide(formula, images)))
        onward = upper < 1.0
        images, lower = images[onward], upper[onward]
        rank += 1
    return steps


def _different_scores(table: EntityTable) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """The different scores above 0 of every image, ascending, one image after the other; where each image's lie."""
    order = np.lexsort((table.score, table.image))
    image, score = table.image[order], table.score[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (image[1:] != image[:-1]) | (score[1:] != score[:-1])
    first &= score > 0
    image, score = image[first], score[first]
    every = np.arange(len(table.offsets))
    return score, np.searchsorted(image, every, "left"), np.searchsorted(image, every, "right")


def degrees(
    formula: Formula, table: EntityTable, vocabulary: Vocabulary, min_degree: float = 0.0
) -> tuple[Floats, Codes]:
    """Degree of each image, and its verdict: an answer above `min_degree`, undecided if only the upper bound is."""
    found = grades(formula, table, vocabulary, min_degree)
    return found.degree, found.verdicts


def grades(formula: Formula, table: EntityTable, vocabulary: Vocabulary, min_degree: float = 0.0) -> Degrees:
    """Degrees of all images, with the thresholds at which each is satisfied. `formula` is closed and normalised."""
    return collected(graded(formula, table, vocabulary), len(table.offsets), min_degree)


def grades_by(
    decide: Callable[[Formula, World], Verdict],
    formula: Formula,
    table: EntityTable,
    vocabulary: Vocabulary,
    min_degree: float = 0.0,
) -> Degrees:
    """The same by an engine that decides one scene at a time: at each different score, and above the last."""
    return collected(_one_by_one(decide, formula, table, vocabulary), len(table.offsets), min_degree)


def _one_by_one(
    decide: Callable[[Formula, World], Verdict], formula: Formula, table: EntityTable, vocabulary: Vocabulary
) -> Iterator[Step]:
    from ..entities.scene import Scene

    facts = Facts(table, vocabulary)
    scores, starts, stops = _different_scores(table)
    for index in range(len(table.offsets)):
        scene, lower = Scene(table, index), 0.0
        for upper in [*scores[starts[index] : stops[index]].tolist(), inf]:
            if lower < 1.0:
                code = np.array([decide(formula, World(scene, vocabulary, upper, facts=facts))], dtype=np.int8)
                yield np.array([index]), np.array([lower]), np.array([min(upper, 1.0)]), code
            lower = min(upper, 1.0)


def collected(steps: Iterable[Step], images: int, min_degree: float = 0.0) -> Degrees:
    """Degrees from verdicts over neighbouring steps of thresholds, ascending for each image."""
    satisfied, possible = _Stretches(images), _Stretches(images)
    for rows, lower, upper, verdicts in steps:
        satisfied.add(rows, lower, upper, verdicts == SATISFIED)
        possible.add(rows, lower, upper, verdicts >= UNDECIDED)
    degree, upper = satisfied.lengths(), possible.lengths()
    return Degrees(degree, upper, judged(degree, upper, min_degree), stretches=satisfied.found)


class _Stretches:
    """Where something holds: neighbouring steps put together, so that lengths have no rounding where all is one."""

    def __init__(self, images: int):
        self.found: dict[int, Stretches] = {}
        self._images = images

    def add(self, rows: NDArray[np.int64], lower: Floats, upper: Floats, holds: NDArray[np.bool_]) -> None:
        for row, low, high in zip(rows[holds].tolist(), lower[holds].tolist(), upper[holds].tolist(), strict=True):
            before = self.found.get(row, ())
            if before and before[-1][1] == low:
                self.found[row] = (*before[:-1], (before[-1][0], high))
            else:
                self.found[row] = (*before, (low, high))

    def lengths(self) -> Floats:
        result = np.zeros(self._images)
        for row, stretches in self.found.items():
            result[row] = sum(high - low for low, high in stretches)
        return result

"""Mode graded: the share of thresholds at which a scene is satisfied (LANGUAGE, section 7), exactly.

The verdict changes only at scores that occur, so each image is decided once for every different score in it; all images
are decided together at their first, second, ... score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..grammar.nodes import Formula
from ..verdict import SATISFIED, UNDECIDED, VIOLATED
from .array_engine import ArrayEngine
from .atoms import Codes

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary

Floats = NDArray[np.float64]


def graded(
    formula: Formula, table: EntityTable, vocabulary: Vocabulary
) -> list[tuple[NDArray[np.int64], Floats, Floats, Codes]]:
    """For each step: images, the thresholds (above, up to and including) it covers, and the verdicts there.

    formula  closed, normalised
    """
    steps = []
    images, lower = np.arange(len(table.offsets)), np.zeros(len(table.offsets))
    scores, starts, stops = _different_scores(table)
    rank = 0
    while len(images):
        has_more = starts[images] + rank < stops[images]
        upper = np.ones(len(images))
        upper[has_more] = scores[starts[images[has_more]] + rank]
        threshold = np.full(len(table.offsets), np.inf)  # beyond its last score an image is empty
        threshold[images[has_more]] = upper[has_more]
        engine = ArrayEngine(table, vocabulary, exists=table.score >= threshold[table.image])
        steps.append((images, lower, upper, engine.decide(formula, images)))
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
    sure, possible = np.zeros(len(table.offsets)), np.zeros(len(table.offsets))
    for images, lower, upper, verdicts in graded(formula, table, vocabulary):
        sure[images] += np.where(verdicts == SATISFIED, upper - lower, 0.0)
        possible[images] += np.where(verdicts >= UNDECIDED, upper - lower, 0.0)
    codes = np.where(sure > min_degree, SATISFIED, np.where(possible > min_degree, UNDECIDED, VIOLATED))
    return sure, codes.astype(np.int8)

"""What the modes graded and probability find of every image: a number, an upper bound, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..verdict import SATISFIED, UNDECIDED, VIOLATED
from .atoms import Codes

Floats: TypeAlias = NDArray[np.float64]
Stretches: TypeAlias = tuple[tuple[float, float], ...]  # thresholds above the first, up to and including the second

CONFIDENCE = 0.95
Z = 1.959963984540054  # the normal quantile of that confidence, both sides


@dataclass(frozen=True, slots=True)
class Interval:
    """A probability found by sampling: between `low` and `high` with 95 % confidence, from `samples` seeded worlds."""

    low: float
    high: float
    samples: int
    seed: int


@dataclass(frozen=True, eq=False)
class Degrees:
    """One row an image of the archive.

    degree      float64 (m,): the share of thresholds, or the probability, at which it is satisfied
    upper       float64 (m,): the same with what is undecided counted in; the upper end of a sampled interval
    verdicts    int8 (m,): an answer above the least degree, undecided where only `upper` is
    stretches   mode graded: the thresholds at which each image is satisfied, those of none left out
    intervals   mode probability: the images that were sampled; all others are exact
    """

    degree: Floats
    upper: Floats
    verdicts: Codes
    stretches: Mapping[int, Stretches] = field(default_factory=dict)
    intervals: Mapping[int, Interval] = field(default_factory=dict)


def judged(degree: Floats, upper: Floats, min_degree: float) -> Codes:
    """An image is an answer above `min_degree`, undecided if only its upper bound is."""
    codes = np.where(degree > min_degree, SATISFIED, np.where(upper > min_degree, UNDECIDED, VIOLATED))
    return codes.astype(np.int8)


def wilson(hits: int, samples: int) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927): unlike the plain one it is right near 0 and 1 too."""
    share, z2 = hits / samples, Z * Z
    middle = (share + z2 / (2 * samples)) / (1 + z2 / samples)
    half = Z / (1 + z2 / samples) * sqrt(share * (1 - share) / samples + z2 / (4 * samples * samples))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    return low, 1.0 if hits == samples else min(1.0, middle + half)

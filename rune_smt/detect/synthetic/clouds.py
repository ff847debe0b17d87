"""Clouds over a picture, and the shadows that they throw."""

from __future__ import annotations

import numpy as np

from .textures import FIELD, Floats, noise_field, window

BASE = 130.0  # pixels from a cloud to its shadow: an arbitrary height, far above everything else
EDGE = 0.9  # of the noise's deviation: how soft the rim is
HIDES = 0.5  # opacity from which nothing below is seen


def clouds(size: int, share: float, sun: tuple[float, float], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Opacity of the clouds and of their shadows, 0 to 1, each (size, size); opaque from `HIDES` on `share` of it.

    sun  the direction of shadows, in pixels of any length
    """
    row, column = (int(v) for v in rng.integers(0, FIELD, size=2))
    length = float(np.hypot(*sun)) or 1.0
    dx, dy = round(sun[0] / length * BASE), round(sun[1] / length * BASE)
    towers = _field(size, row, column)
    level = float(np.quantile(towers, 1 - share))
    return _opacity(towers, level), _opacity(_field(size, row - dy, column - dx), level)


def _field(size: int, row: int, column: int) -> Floats:
    """Heaps with smaller heaps on them."""
    large, small = noise_field(110.0, 7, 1.7), noise_field(24.0, 8, 1.0)
    return np.asarray(window(large, size, row, column) + 0.22 * window(small, size, 2 * row, 2 * column))


def _opacity(field: Floats, level: float) -> Floats:
    t = np.clip((field - level) / EDGE + HIDES, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)

"""What the corners of two convex quadrilaterals tell of their gap, before the geometry module is asked.

Four corners are plain numbers: no geometry object is made for them. What lies within rounding of a limit, and outlines
of any other shape, are left open, so that what is told here the exact gap would tell alike.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

BLOCK = 1 << 13  # pairs worked on at once: what they need stays in the processor's cache
CONVEX = 1e-7  # a corner's cross product below this share of the squared extent: too flat to reckon with
SLACK = 1e-9  # of the extent of the pair, px: far above rounding, here and in the geometry module


def gaps(a: Floats, b: Floats, enough: Floats) -> tuple[Floats, Floats]:
    """Bounds of the gap of a[i] and b[i], px, float64 (k,) each: 0 and infinity where nothing is told.

    a, b    float64 (k, 4, 2), corners in order around; NaN where an outline is no quadrilateral
    enough  a gap that is surely above it need not be known better
    Convex shapes are apart exactly where an edge of one has the whole other on its outer side (separating axis), and
    their gap is then that of a corner of one and an edge of the other.
    """
    low, high = np.empty(len(a)), np.empty(len(a))
    with np.errstate(all="ignore"):  # NaN means told nothing
        for start in range(0, len(a), BLOCK):
            part = slice(start, start + BLOCK)
            low[part], high[part] = _block(_columns(a[part]), _columns(b[part]), enough[part])
    return low, high


def apart(a: Floats, b: Floats) -> Bools:
    """Which pairs surely have nothing in common; arguments as for `gaps`."""
    result = np.empty(len(a), np.bool_)
    with np.errstate(all="ignore"):
        for start in range(0, len(a), BLOCK):
            part = slice(start, start + BLOCK)
            x, y = _columns(a[part]), _columns(b[part])
            result[part] = _separation(x, y) > SLACK * _extent(x, y)
    return result


def _block(x: Floats, y: Floats, enough: Floats) -> tuple[Floats, Floats]:
    slack = SLACK * _extent(x, y)
    separation = _separation(x, y)  # a lower bound of the gap where it is positive, NaN where nothing is told
    low = np.maximum(separation - slack, 0.0)
    low[np.isnan(low)] = 0.0
    high = np.where(separation < -slack, 0.0, np.inf)
    closer = np.flatnonzero((separation > slack) & (separation - slack <= enough))
    if len(closer):
        gap = _distance(x[:, :, closer], y[:, :, closer])
        low[closer], high[closer] = gap - slack[closer], gap + slack[closer]
    return low, high


def _columns(corners: Floats) -> Floats:
    """(k, 4, 2) as (2, 4, k): a row for each coordinate of each corner."""
    return np.ascontiguousarray(corners.transpose(2, 1, 0))


def _extent(x: Floats, y: Floats) -> Floats:
    """A length that no distance within the pair is above, px, float64 (k,)."""
    high, low = np.maximum(x.max(axis=1), y.max(axis=1)), np.minimum(x.min(axis=1), y.min(axis=1))
    extent: Floats = (high - low).sum(axis=0)
    return extent


def _separation(x: Floats, y: Floats) -> Floats:
    """How far an edge of one keeps the other off, px, float64 (k,); below 0 where they meet, NaN if not convex."""
    best = np.full(x.shape[2], -np.inf)
    for (px, py), (qx, qy) in ((x, y), (y, x)):
        extent = np.maximum(px.max(axis=0) - px.min(axis=0), py.max(axis=0) - py.min(axis=0))
        flat = CONVEX * extent * extent
        for i in range(4):
            ex, ey = px[i - 3] - px[i], py[i - 3] - py[i]
            outside = ((qx - px[i]) * ey - (qy - py[i]) * ex).min(axis=0) / np.sqrt(ex * ex + ey * ey)
            turn = ex * (py[i - 2] - py[i - 3]) - ey * (px[i - 2] - px[i - 3])
            best = np.maximum(best, np.where(turn > flat, outside, np.nan))
    return best


def _distance(x: Floats, y: Floats) -> Floats:
    """The least distance of a corner of one and an edge of the other, px, float64 (k,)."""
    best = np.full(x.shape[2], np.inf)
    for (px, py), (qx, qy) in ((x, y), (y, x)):
        for i in range(4):
            ex, ey = px[i - 3] - px[i], py[i - 3] - py[i]
            dx, dy = qx - px[i], qy - py[i]
            along = np.clip((dx * ex + dy * ey) / (ex * ex + ey * ey), 0.0, 1.0)
            dx -= along * ex
            dy -= along * ey
            best = np.minimum(best, (dx * dx + dy * dy).min(axis=0))
    result: Floats = np.sqrt(best)
    return result

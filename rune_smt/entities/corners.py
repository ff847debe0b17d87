"""What the corners of two convex quadrilaterals tell of their gap and common area, before the geometry module is asked.

Four corners are plain numbers: no geometry object is made for them. What lies within rounding of a limit, and outlines
of any other shape, are left open, so that what is told here the exact gap would tell alike.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

BLOCK = 1 << 13  # pairs worked on at once: what they need stays in the processor's cache
CONVEX = 1e-7  # a corner's cross product below this share of the squared extent: too flat to reckon with
FLAT = 1e-6  # of the extent of the pair: an edge that comes so near to a line over its whole length lies on it
AREA_SLACK = 1e-8  # of the squared extent: above the rounding of where two edges cross that are not so near each other
ROUNDING = 1e-11  # relative, of coordinates: what the geometry module may snap
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


def common_areas(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Bounds of the area that a[i] and b[i] have in common, px2, float64 (k,) each: 0 and infinity if nothing is told.

    a, b    as for `gaps`
    Around the intersection of two convex shapes goes what each one's edges have inside the other, and the area follows
    from the ends of these pieces (Green's theorem). Where an edge nearly lies on one of the other's, nothing is told.
    """
    low, high = np.empty(len(a)), np.empty(len(a))
    with np.errstate(all="ignore"):  # NaN means told nothing
        for start in range(0, len(a), BLOCK):
            part = slice(start, start + BLOCK)
            low[part], high[part] = _common_block(_columns(a[part]), _columns(b[part]))
    return low, high


def _common_block(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    separation, extent = _separation(x, y), _extent(x, y)
    meet = np.flatnonzero(separation <= SLACK * extent)
    high = np.where(np.isnan(separation), np.inf, 0.0)
    low = np.zeros(len(high))
    if len(meet):
        a, b, extent = x[:, :, meet], y[:, :, meet], extent[meet]
        furthest = np.maximum(np.abs(a).max(axis=(0, 1)), np.abs(b).max(axis=(0, 1)))
        origin = b[:, :1].copy()  # near it products lose no digits
        a, b = a - origin, b - origin
        twice = _around(a, b, FLAT * extent) + _around(b, a, FLAT * extent)
        error = AREA_SLACK * extent * extent + ROUNDING * furthest * extent
        told = ~np.isnan(twice)
        low[meet] = np.where(told, np.maximum(np.abs(twice) / 2 - error, 0.0), 0.0)
        high[meet] = np.where(told, np.abs(twice) / 2 + error, np.inf)
    return low, high


def _around(p: Floats, q: Floats, flat: Floats) -> Floats:
    """The sum of cross products of the ends of what each edge of p has inside q, px2; NaN where an edge lies on q's.

    flat  how near both ends of an edge must come to the line of another to lie on it, px
    """
    total = np.zeros(p.shape[2])
    for i in range(4):
        ax, ay, bx, by = p[0, i - 1], p[1, i - 1], p[0, i], p[1, i]
        enters, leaves = np.zeros(len(total)), np.ones(len(total))
        for j in range(4):  # Cyrus & Beck: the edge is cut by the line of each edge of q
            ex, ey = q[0, j] - q[0, j - 1], q[1, j] - q[1, j - 1]
            length = np.sqrt(ex * ex + ey * ey)
            start = (ex * (ay - q[1, j - 1]) - ey * (ax - q[0, j - 1])) / length  # inside where it is above 0
            stop = (ex * (by - q[1, j - 1]) - ey * (bx - q[0, j - 1])) / length
            cut = start / (start - stop)
            enters = np.where((start < 0) & (stop >= 0), np.maximum(enters, cut), enters)
            leaves = np.where((start >= 0) & (stop < 0), np.minimum(leaves, cut), leaves)
            leaves[(start < 0) & (stop < 0)] = -1.0
            total[np.maximum(np.abs(start), np.abs(stop)) <= flat] = np.nan
        inside = leaves > enters
        dx, dy = bx - ax, by - ay
        # (a + t d) x (a + u d) = (u - t) a x d
        total += np.where(inside, (leaves - enters) * (ax * dy - ay * dx), 0.0)
    return total


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

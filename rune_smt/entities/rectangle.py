"""The smallest rectangle, at any angle, around a convex outline: rotating calipers over whole blocks of hulls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIE = 1e-9  # relative; rectangles of all edges of a triangle have one area, and rounding must not choose among them
BLOCK = 1 << 22  # numbers in one intermediate array, about 32 MB


def rectangles(hulls: Floats) -> tuple[Floats, Floats, Floats]:
    """Length, width (px) and angle of the long side (degrees in [0, 180)) of the minimum rotated rectangle.

    hulls  float64 (n, k, 2): n convex outlines of k corners each, in order round the outline, no corner repeated;
           k = 1 is a point, k = 2 a segment

    The smallest rectangle has a side on an edge of the hull (Freeman & Shapira 1975), so every edge is tried. Of
    rectangles with the same area the longest is taken, of these the one with the smallest angle.
    """
    n, k, _ = hulls.shape
    length, width, angle = np.zeros(n), np.zeros(n), np.full(n, np.nan)
    if k == 2:
        delta = hulls[:, 1] - hulls[:, 0]
        length = np.hypot(delta[:, 0], delta[:, 1])
        angle = directions(delta[:, 0], delta[:, 1])
    elif k > 2:
        step = max(1, BLOCK // (k * k))
        for start in range(0, n, step):
            part = slice(start, start + step)
            length[part], width[part], angle[part] = _calipers(hulls[part])
    return length, width, angle


def directions(dx: Floats, dy: Floats) -> Floats:
    """Angle of the vectors as undirected lines, from the x axis towards the y axis, degrees in [0, 180)."""
    angle: Floats = np.degrees(np.arctan2(dy, dx)) % 180.0
    return np.where(angle >= 180.0, 0.0, angle) + 0.0  # the remainder of -1e-17 rounds to 180; + 0.0 clears -0.0


def _calipers(hulls: Floats) -> tuple[Floats, Floats, Floats]:
    points = hulls - hulls[:, :1]  # near the origin, so that products lose no digits
    edges = np.roll(points, -1, axis=1) - points
    x, y = points[:, None, :, 0], points[:, None, :, 1]  # (n, 1, k)
    ex, ey = edges[:, :, None, 0], edges[:, :, None, 1]  # (n, k, 1)
    along = ex * x + ey * y
    across = ex * y - ey * x
    extent_along = along.max(axis=2) - along.min(axis=2)  # (n, k), times the edge's length
    extent_across = across.max(axis=2) - across.min(axis=2)
    ex, ey = ex[:, :, 0], ey[:, :, 0]
    squared = ex * ex + ey * ey
    safe = np.where(squared > 0, squared, 1.0)
    area = np.where(squared > 0, extent_along * extent_across / safe, np.inf)
    edge = np.sqrt(safe)
    lengths = np.maximum(extent_along, extent_across) / edge
    widths = np.minimum(extent_along, extent_across) / edge
    flat = extent_along >= extent_across  # the long side runs along the edge
    angles = directions(np.where(flat, ex, -ey), np.where(flat, ey, ex))

    smallest = area <= area.min(axis=1, keepdims=True) * (1 + TIE)
    longest = np.where(smallest, lengths, -1.0)
    tied = longest >= longest.max(axis=1, keepdims=True) * (1 - TIE)
    chosen = np.where(tied & smallest, angles, np.inf).argmin(axis=1)
    row = np.arange(len(hulls))
    return lengths[row, chosen], widths[row, chosen], angles[row, chosen]

"""Polygons to pixels: exactly those whose centres lie inside, so an outline is never off by more than half a pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Window = tuple[slice, slice]


def inside(points: Sequence[float], size: int) -> tuple[Window, Bools] | None:
    """The window of a square picture that holds a polygon, and which of its pixels lie in it; None for no pixel.

    points  x0, y0, x1, y1, ... in pixels; even-odd where the outline crosses itself
    """
    corners = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    c0, c1 = max(0, math.ceil(left - 0.5)), min(size - 1, math.floor(right - 0.5))
    r0, r1 = max(0, math.ceil(top - 0.5)), min(size - 1, math.floor(bottom - 0.5))
    if c0 > c1 or r0 > r1:
        return None
    xa, ya = corners.T
    xb, yb = np.roll(corners, -1, axis=0).T
    centres = np.arange(r0, r1 + 1) + 0.5
    edge, row = np.nonzero((ya[:, None] <= centres) != (yb[:, None] <= centres))
    at = xa[edge] + (centres[row] - ya[edge]) * (xb[edge] - xa[edge]) / (yb[edge] - ya[edge])
    first = np.clip(np.ceil(at - 0.5).astype(np.int64) - c0, 0, c1 - c0 + 1)
    turns = np.zeros((r1 - r0 + 1, c1 - c0 + 2), dtype=np.int32)
    np.add.at(turns, (row, first), 1)
    filled = np.cumsum(turns[:, :-1], axis=1) % 2 == 1
    return (slice(r0, r1 + 1), slice(c0, c1 + 1)), filled


def union(parts: Iterable[Sequence[float]], size: int) -> tuple[Window, Bools] | None:
    """The same for several polygons together."""
    found = [one for one in (inside(part, size) for part in parts) if one is not None]
    if len(found) < 2:
        return found[0] if found else None
    rows = slice(min(w[0].start for w, _ in found), max(w[0].stop for w, _ in found))
    columns = slice(min(w[1].start for w, _ in found), max(w[1].stop for w, _ in found))
    filled = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=bool)
    for (r, c), part in found:
        filled[r.start - rows.start : r.stop - rows.start, c.start - columns.start : c.stop - columns.start] |= part
    return (rows, columns), filled


def covered(polygons: Iterable[Sequence[float]], size: int) -> Bools:
    """The pixels of the whole picture, (size, size), that lie in any of the polygons."""
    whole = np.zeros((size, size), dtype=bool)
    for polygon in polygons:
        found = inside(polygon, size)
        if found is not None:
            window, filled = found
            whole[window] |= filled
    return whole

"""Connected parts of a mask and their outlines at pixel corners: nothing lost or smoothed, whole arrays at a time.

Pixels of one key that touch, also at a corner, are one component (8-connected). Where parts of it meet at corners only,
its outline is a multipolygon: one polygon for each 4-connected part, with its holes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.records import Ints

Keys = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The components of a mask, in reading order: by their topmost, then leftmost pixel.

    column  dtype    shape  meaning
    key     int32    (n,)   the value of its pixels
    pixels  int64    (n,)   how many it has
    shapes  object   (n,)   polygons and multipolygons with holes, in pixels, valid, corners only
    small   int64    (k,)   the keys of components that were left out for having too few pixels
    """

    key: Keys
    pixels: Ints
    shapes: NDArray[np.object_]
    small: Keys


def components(keys: Keys, *, min_area: int = 0, whole: Keys | None = None) -> Components:
    """The components of a mask.

    keys      int32 (rows, columns), 0 for nothing
    min_area  components of fewer pixels are left out, and counted in `small`
    whole     keys whose pixels are one component wherever they lie: those of instances; sorted
    """
    runs = _runs(keys)
    edges = _touching(runs, keys.shape[1], reach=0)
    strict = _merge(len(runs.key), *edges)  # 4-connected parts, numbered by their first run
    loose = _merge(int(strict.max(initial=-1)) + 1, *(strict[side] for side in _touching(runs, keys.shape[1], reach=1)))
    part_first = _first_of(strict)
    part_key = runs.key[part_first]
    if whole is not None and len(whole):
        loose = _gathered(loose, part_key, whole)
    pixels = np.bincount(loose[strict], weights=runs.length).astype(np.int64)
    key = part_key[_first_of(loose)]
    kept = pixels >= min_area
    number = np.cumsum(kept) - 1  # of those that are kept
    owner = np.where(kept[loose], number[loose], -1)  # component of each part, -1 for none
    by_owner = np.argsort(owner, kind="stable")
    by_owner = by_owner[int((owner < 0).sum()) :]
    label = np.zeros(len(owner), dtype=np.int32)  # parts of one component follow each other, from 1
    label[by_owner] = np.arange(1, len(by_owner) + 1)
    shapes = _outlines(_painted(runs, label[strict], keys.shape), owner[by_owner])
    return Components(key[kept], pixels[kept], shapes, key[~kept])


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Stretches of equal pixels within a row, without those of key 0: first pixel (counted row by row), length, key."""

    start: Ints
    length: Ints
    key: Keys


def _runs(keys: Keys) -> _Runs:
    height, width = keys.shape
    first = np.ones((height, width), dtype=bool)
    np.not_equal(keys[:, 1:], keys[:, :-1], out=first[:, 1:])
    start = np.flatnonzero(first)
    length = np.diff(np.append(start, height * width))
    key = keys.reshape(-1)[start]
    filled = key != 0
    return _Runs(start[filled], length[filled], key[filled])


def _touching(runs: _Runs, width: int, reach: int) -> tuple[Ints, Ints]:
    """Pairs of runs of one key in adjacent rows that share columns, or with reach 1 meet at a corner at least."""
    end = runs.start + runs.length
    row = runs.start // width
    low = np.maximum(runs.start + width - reach, (row + 1) * width)  # what touches in the next row: low <= p < high
    high = np.minimum(end + width + reach, (row + 2) * width)
    first = np.searchsorted(end, low, side="right")
    last = np.searchsorted(runs.start, high, side="left")
    count = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(first)), count)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(count) - count - first, count)
    same = runs.key[upper] == runs.key[lower]
    return upper[same], lower[same]


def _merge(n: int, left: Ints, right: Ints) -> Ints:
    """The connected component of each of n nodes; components are numbered by their lowest node.

    Every root that has a lower neighbour hangs itself below the lowest one, then all paths are shortened: the number of
    roots at least halves in a round.
    """
    parent = np.arange(n, dtype=np.int64)
    while len(left):
        a, b = parent[left], parent[right]
        apart = a != b
        left, right, a, b = left[apart], right[apart], a[apart], b[apart]
        np.minimum.at(parent, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(shorter := parent[parent], parent):
            parent = shorter
    return np.unique(parent, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _first_of(group: Ints) -> Ints:
    """The first member of each group; groups are numbered from 0 without gaps."""
    return np.unique(group, return_index=True)[1].astype(np.int64)


def _gathered(group: Ints, key: Keys, whole: Keys) -> Ints:
    """The groups of parts, those of one key of `whole` put together."""
    place = np.searchsorted(whole, key).clip(0, len(whole) - 1)
    mine = whole[place] == key
    first = np.full(len(whole), len(group), dtype=np.int64)
    np.minimum.at(first, place[mine], np.flatnonzero(mine))
    lowest = _first_of(group)[group]
    lowest[mine] = first[place[mine]]
    return np.unique(lowest, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _painted(runs: _Runs, label: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    """The labels of runs as a picture with a margin of one pixel, int32 (rows + 2, columns + 2)."""
    height, width = shape
    steps = np.zeros(height * width + 1, dtype=np.int32)
    np.add.at(steps, runs.start, label)
    np.subtract.at(steps, runs.start + runs.length, label)
    painted = np.zeros((height + 2, width + 2), dtype=np.int32)
    painted[1:-1, 1:-1] = np.cumsum(steps[:-1], dtype=np.int32).reshape(height, width)
    return painted


# --- outlines ---------------------------------------------------------------------------------------------------------


def _outlines(painted: NDArray[np.int32], owner: Ints) -> NDArray[np.object_]:
    """The outline of each component. Labels are of parts, from 1; owner[label - 1] is the component, ascending."""
    part, x, y, order, ring_starts = _rings(painted)
    n = int(owner[-1]) + 1 if len(owner) else 0
    shapes = np.empty(n, dtype=np.object_)
    if not n:
        return shapes
    # Close every ring with its first corner.
    lengths = np.diff(ring_starts)
    starts = ring_starts[:-1]
    step = np.arange(len(order) + len(lengths)) - np.repeat(np.cumsum(lengths + 1) - lengths - 1, lengths + 1)
    source = order[np.repeat(starts, lengths + 1) + step % np.repeat(lengths, lengths + 1)]
    points = np.stack([x[source], y[source]], axis=1).astype(np.float64)
    ring_ends = np.concatenate([[0], np.cumsum(lengths + 1)])
    ring_part = part[order[starts]]
    polygons = np.searchsorted(ring_part, np.arange(1, len(owner) + 2))  # first ring of each part, then the end
    groups = np.searchsorted(owner, np.arange(n + 1))  # first part of each component, then the end
    multi = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, points, (ring_ends, polygons, groups))
    single = np.diff(groups) == 1
    shapes[single] = shapely.get_geometry(multi[single], 0)
    shapes[~single] = multi[~single]
    return shapes


def _rings(painted: NDArray[np.int32]) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The boundary rings of all parts at once.

    part, x, y   (v,) label and place of each corner; a corner of several parts is several
    order        (v,) the corners ring by ring, part by part, the shell of a part before its holes
    ring_starts  (r + 1,) where each ring begins in `order`
    """
    part, x, y, down, across = _corners(painted)
    rows, columns = painted.shape
    place = part.astype(np.int64)
    in_row = np.argsort(((place * rows + y) * columns + x) * 2 + across)
    in_column = np.argsort(((place * columns + x) * rows + y) * 2 + down)
    beside, below = _pairs(in_row).tolist(), _pairs(in_column).tolist()
    seen = bytearray(len(part))
    order: list[int] = []
    ring_starts = [0]
    for start in in_row.tolist():
        if seen[start]:
            continue
        corner = start
        while not seen[corner]:
            other = beside[corner]
            seen[corner] = seen[other] = 1
            order.append(corner)
            order.append(other)
            corner = below[other]
        ring_starts.append(len(order))
    return part, x, y, np.array(order, dtype=np.int64), np.array(ring_starts, dtype=np.int64)


def _pairs(order: Ints) -> Ints:
    """Corners of one part and row (or column) are joined two by two."""
    partner = np.empty(len(order), dtype=np.int64)
    partner[order[::2]] = order[1::2]
    partner[order[1::2]] = order[::2]
    return partner


def _corners(painted: NDArray[np.int32]) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Part, x, y of every corner, and which of two at one place has the lower (`down`), the right edge (`across`).

    Two pixels of one part that meet at a corner diagonally are connected elsewhere (parts are 4-connected), so the
    corner parts the pixels around it: each of those two turns on its own side, and no ring touches itself.
    """
    differs = np.zeros((painted.shape[0] - 1, painted.shape[1] - 1), dtype=bool)
    upright = painted[:, 1:] != painted[:, :-1]
    level = painted[1:] != painted[:-1]
    # Only where an upright and a level edge meet can a ring turn.
    np.logical_and(upright[:-1] | upright[1:], level[:, :-1] | level[:, 1:], out=differs)
    y, x = np.nonzero(differs)
    quad = (painted[y, x], painted[y, x + 1], painted[y + 1, x], painted[y + 1, x + 1])
    found: list[tuple[Any, Any, Any, Any, Any]] = []
    for index, label in enumerate(quad):
        new = label != 0
        for earlier in quad[:index]:
            new &= label != earlier
        same = [pixel == label for pixel in quad]
        count = np.sum(same, axis=0)
        simple = np.flatnonzero(new & ((count == 1) | (count == 3)))
        none = np.zeros(len(simple), dtype=np.int64)
        found.append((label[simple], x[simple], y[simple], none, none))
        falling = np.flatnonzero(new & (count == 2) & same[0] & same[3])
        rising = np.flatnonzero(new & (count == 2) & same[1] & same[2])
        for crossing, downs in ((falling, (1, 0)), (rising, (0, 1))):
            for across, down in enumerate(downs):
                sides = (np.full(len(crossing), down, dtype=np.int64), np.full(len(crossing), across, dtype=np.int64))
                found.append((label[crossing], x[crossing], y[crossing], *sides))
    part, xs, ys, lower, right = (np.concatenate(column).astype(np.int64) for column in zip(*found, strict=True))
    return part, xs, ys, lower, right

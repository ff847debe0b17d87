"""COCO's run-length masks: counts of unset and set pixels in turn, down the columns; a list, or a compressed text.

The compressed form is that of cocoapi's maskApi.c: each count, from the third on less the one two before, as groups of
five bits, lowest first, each group plus 48 as a character, its sixth bit saying that another follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.records import Floats, Ints

LARGEST_MASK = 1 << 28  # pixels of the part of a mask that is decoded at once: 256 megabytes


def uncompress(text: str | bytes) -> Ints:
    """The counts of a compressed mask. ValueError where the text is none."""
    codes = np.frombuffer(text.encode("ascii") if isinstance(text, str) else text, dtype=np.uint8).astype(np.int64) - 48
    if not len(codes):
        return np.empty(0, dtype=np.int64)
    if codes.min() < 0 or codes.max() > 63:
        raise ValueError("a compressed mask has only the characters from '0' to 'o'")
    last = (codes & 0x20) == 0
    if not last[-1]:
        raise ValueError("a compressed mask breaks off within a number")
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 12:
        raise ValueError("a compressed mask has a number beyond 60 bits")
    place = np.arange(len(codes)) - np.repeat(starts, lengths)
    values = np.add.reduceat((codes & 0x1F) << (5 * place), starts)
    negative = (codes[ends] & 0x10) != 0
    values[negative] -= np.int64(1) << (5 * lengths[negative])
    return undo_differences(values)


def undo_differences(values: Ints) -> Ints:
    """x[i] += x[i - 2] from the fourth number on: the running sums of every second number, the first one apart."""
    result = values.copy()
    result[1::2] = np.cumsum(values[1::2])
    result[2::2] = np.cumsum(values[2::2])
    return result


def compress(counts: Ints) -> str:
    """The compressed text of counts: what `uncompress` reads."""
    values = counts.copy()
    values[3:] -= counts[1:-2]
    groups: list[int] = []
    for value in values.tolist():
        more = True
        while more:
            group, value = value & 0x1F, value >> 5
            more = value != (-1 if group & 0x10 else 0)
            groups.append(group + 48 + (0x20 if more else 0))
    return bytes(groups).decode("ascii")


def encode(mask: NDArray[np.bool_], origin: tuple[int, int], size: tuple[int, int]) -> dict[str, Any]:
    """A part of a mask as COCO writes it, compressed.

    mask    bool (rows, columns), some set
    origin  x and y of its first pixel in the picture
    size    height and width of the picture
    """
    column, row = np.nonzero(mask.T)
    place = (column + origin[0]) * size[0] + row + origin[1]  # down the columns of the picture
    breaks = np.flatnonzero(np.diff(place) != 1) + 1
    starts = place[np.concatenate([[0], breaks])]
    ends = place[np.concatenate([breaks - 1, [len(place) - 1]])] + 1
    edges = np.stack([starts, ends], axis=1).reshape(-1)
    counts = np.diff(np.concatenate([[0], edges, [size[0] * size[1]]])).astype(np.int64)
    return {"size": list(size), "counts": compress(counts if counts[-1] else counts[:-1])}


def runs_of(rle: Any) -> tuple[int, int, Ints]:
    """Height, width and counts of {"size": [height, width], "counts": list or text}. ValueError says what is wrong."""
    size, counts = rle.get("size"), rle.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise ValueError(f"a mask needs a size [height, width], got {size!r}")
    if isinstance(counts, str | bytes):
        try:
            runs = uncompress(counts)
        except UnicodeEncodeError as error:
            raise ValueError("a compressed mask has only the characters from '0' to 'o'") from error
    elif isinstance(counts, Sequence) and all(isinstance(c, int) and not isinstance(c, bool) for c in counts):
        runs = np.array(counts, dtype=np.int64)
    else:
        raise ValueError("a mask needs counts, a list of whole numbers or a text")
    height, width = size
    if len(runs) and runs.min() < 0:
        raise ValueError("a mask has a negative count")
    if int(runs.sum()) != height * width:
        size_text = f"{height} x {width} = {height * width}"
        raise ValueError(f"the counts of a mask add up to {int(runs.sum())}, its size is {size_text}")
    return height, width, runs


def decode(rle: Any) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """The set pixels, cut to the columns and rows they lie in, bool (rows, columns); and the (x, y) of its first pixel.

    ValueError says what is wrong with the mask; an empty one has shape (0, 0).
    """
    height, _, runs = runs_of(rle)
    ends = np.cumsum(runs)
    begins = (ends - runs)[1::2]
    ends = ends[1::2]
    filled = ends > begins
    begins, ends = begins[filled], ends[filled]
    if not len(begins):
        return np.zeros((0, 0), dtype=bool), (0, 0)
    left, right = int(begins[0]) // height, int(ends[-1] - 1) // height
    within = (begins // height) == ((ends - 1) // height)
    if within.all():
        top, bottom = int((begins % height).min()), int(((ends - 1) % height).max())
    else:
        top, bottom = 0, height - 1
    if (right - left + 1) * height > LARGEST_MASK:
        raise ValueError(f"a mask of {right - left + 1} columns of {height} pixels is too large")
    steps = np.zeros((right - left + 1) * height + 1, dtype=np.int8)
    np.add.at(steps, begins - left * height, 1)
    np.add.at(steps, ends - left * height, -1)
    mask = np.cumsum(steps[:-1], dtype=np.int8).astype(bool).reshape(right - left + 1, height).T
    return mask[top : bottom + 1], (left, top)


def mask_outline(mask: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)) -> Any:
    """The area of the set pixels as polygon or multipolygon with holes, corners at pixel corners; None for none set.

    Pixels that only meet at a corner are different parts (4-connected).
    mask    bool (rows, columns)
    origin  (x, y) of its first pixel's upper left corner
    """
    rings = trace(mask)
    if not rings:
        return None
    padded = np.pad(mask, 1)
    solid = [padded[int(ring[0, 1]) + 1, int(ring[0, 0]) + 1] for ring in rings]
    shift = np.array(origin, dtype=np.float64)
    shells = [shapely.Polygon(ring + shift) for ring, is_shell in zip(rings, solid, strict=True) if is_shell]
    holes = [shapely.Polygon(ring + shift) for ring, is_shell in zip(rings, solid, strict=True) if not is_shell]
    shape = shells[0] if len(shells) == 1 else shapely.unary_union([_valid(shell) for shell in shells])
    if holes and len(shells) == 1 and all(map(shapely.is_valid, (shape, *holes))):
        pierced = shapely.Polygon(shape.exterior, [hole.exterior for hole in holes])
        if pierced.is_valid:
            return pierced
    return _difference_of(shells, holes) if holes else _valid(shape)


def _valid(shape: Any) -> Any:
    """A ring that touches itself at a corner, as shell and hole."""
    return shape if shape.is_valid else shapely.make_valid(shape)


def _difference_of(shells: list[Any], holes: list[Any]) -> Any:
    """Islands lie in holes: the larger rings first, shells added and holes cut out in turn."""
    order = sorted([(s.area, True, s) for s in shells] + [(h.area, False, h) for h in holes], key=lambda item: -item[0])
    shape = shapely.Polygon()
    for _, is_shell, ring in order:
        shape = shapely.union(shape, _valid(ring)) if is_shell else shapely.difference(shape, _valid(ring))
    return shape


def trace(mask: NDArray[np.bool_]) -> list[Floats]:
    """The boundary rings of the set pixels: corners (k, 2) as x, y, each ring from its topmost, then leftmost corner.

    At a corner where two set pixels meet diagonally each of them turns on its own side, so that they stay apart.
    """
    padded = np.pad(mask, 1).astype(np.int8)
    upper_left, upper_right = padded[:-1, :-1], padded[:-1, 1:]
    lower_left, lower_right = padded[1:, :-1], padded[1:, 1:]
    turns = (upper_left ^ upper_right ^ lower_left ^ lower_right).astype(bool)
    falling = (upper_left & lower_right & ~upper_right & ~lower_left).astype(bool)
    rising = (upper_right & lower_left & ~upper_left & ~lower_right).astype(bool)
    # A corner met twice is two vertices: the first belongs to the upper pixel, the second to the lower one.
    y, x = np.nonzero(turns)
    falling_y, falling_x = np.nonzero(falling)
    rising_y, rising_x = np.nonzero(rising)
    f, r = len(falling_x), len(rising_x)
    xs = np.concatenate([x, falling_x, falling_x, rising_x, rising_x])
    ys = np.concatenate([y, falling_y, falling_y, rising_y, rising_y])
    none, one = np.zeros, np.ones
    down = np.concatenate([none(len(x)), none(f), one(f), none(r), one(r)])
    across = np.concatenate([none(len(x)), none(f), one(f), one(r), none(r)])  # its horizontal edge is the left one: 0
    in_row = np.lexsort((across, xs, ys))
    in_column = np.lexsort((down, ys, xs))
    beside = _pairs(in_row)
    below = _pairs(in_column)
    return _walk(xs, ys, beside, below, in_row)


def _pairs(order: Ints) -> Ints:
    """Corners of one row (or column) are joined two by two."""
    partner = np.empty(len(order), dtype=np.int64)
    partner[order[::2]] = order[1::2]
    partner[order[1::2]] = order[::2]
    return partner


def _walk(xs: Ints, ys: Ints, beside: Ints, below: Ints, order: Ints) -> list[Floats]:
    seen = np.zeros(len(xs), dtype=bool)
    rings = []
    next_beside, next_below = beside.tolist(), below.tolist()
    for start in order.tolist():
        if seen[start]:
            continue
        ring, corner = [], start
        while not seen[corner]:
            ring.append(corner)
            seen[corner] = True
            corner = next_beside[corner]
            ring.append(corner)
            seen[corner] = True
            corner = next_below[corner]
        rings.append(np.stack([xs[ring], ys[ring]], axis=1).astype(np.float64))
    return rings

"""Large pictures in tiles that overlap; what several tiles saw of one thing becomes one thing again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.detector import Detections, Detector, Shapes, distinct, same_of
from rune_smt.detect.rasters import Raster, Window
from rune_smt.detect.records import Floats, Ints
from rune_smt.detect.suppression import meeting, overlap_ratio, share_inside
from rune_smt.errors import QueryError

Bools: TypeAlias = NDArray[np.bool_]
Once: TypeAlias = Callable[[int, Callable[[], Detections]], Detections]

OVERLAP = 0.25  # of a tile's side: at DOTA's scale most things fit into a quarter of 1024 px
WHOLE = 1.5  # a picture of up to so many tile sides goes through in one piece: things stay large enough to be seen
AGREE = 0.3  # IoU, where two tiles overlap, of two outlines that are one thing
INSIDE = 0.6  # a piece cut off by a tile's edge belongs to a thing that holds this share of it
WHOLE_OF_IT = 0.95  # of all pieces' area together: an outline that holds so much is no piece
CORNERS = 5  # coordinates of a box, whose ring ends where it begins
EDGE = 4.0  # pixels from a tile's edge: what comes nearer may be cut off there


def windows(width: int, height: int, side: int, overlap: float = OVERLAP) -> list[Window]:
    """Windows of side x side pixels that cover a picture, row by row, neighbours sharing at least `overlap` of a side.

    A picture smaller than a tile has windows of its own size. Raises QueryError for a side below 1 or an overlap
    that is not from 0 to 0.9.
    """
    if side < 1 or not 0 <= overlap <= 0.9:
        raise QueryError(f"Tiles need a side of 1 pixel or more and an overlap of 0 to 0.9, got {side} and {overlap}.")
    return [
        (left, top, min(left + side, width), min(top + side, height))
        for top in _starts(height, side, overlap)
        for left in _starts(width, side, overlap)
    ]


def _starts(length: int, side: int, overlap: float) -> list[int]:
    """Where tiles begin along one axis: evenly spread, the last one ends with the picture."""
    if length <= side:
        return [0]
    step = max(1, int(side * (1 - overlap)))
    count = -(-(length - side) // step) + 1
    return [round(k * (length - side) / (count - 1)) for k in range(count)]


def detect_in_tiles(
    detector: Detector,
    raster: Raster,
    side: int,
    overlap: float = OVERLAP,
    tell: Callable[[int, int], None] | None = None,
    once: Once | None = None,
) -> Detections:
    """What a detector sees in a picture that it is shown tile by tile, the best first, in pixels of the whole picture.

    tell  is called with the number of tiles done and of all tiles
    once  takes a tile's number and how to look at it, and gives what is seen there: by looking, or from memory
    Only one tile's pixels are in memory at a time. What two tiles saw of one thing is joined (see `join`), and what
    is seen twice all the same is suppressed.
    """
    places = windows(raster.width, raster.height, side, overlap)
    found: list[Detections] = []
    for number, window in enumerate(places):
        look = partial(_look_at, detector, raster, window)
        seen = look() if once is None else once(number, look)
        found.append(_moved(seen, window[0], window[1]))
        if tell is not None:
            tell(number + 1, len(places))
    if len(places) == 1:
        return found[0].at_least(0.0)
    return distinct(join(found, places, raster.width, raster.height), same_of(detector))


def _look_at(detector: Detector, raster: Raster, window: Window) -> Detections:
    return detector(raster.read(window))


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """All detections of all tiles: the tile of each, and whether an inner edge of its tile may have cut it off."""

    shapes: Shapes
    scores: Floats
    groups: Ints
    tile: Ints
    cut: Bools


def join(
    found: Sequence[Detections], places: Sequence[Window], width: int, height: int, *, annotated: bool = False
) -> Detections:
    """The things seen in tiles of a picture, each once.

    found      what each tile saw, in pixels of the picture
    places     the tiles
    annotated  the outlines are people's: of those of a thing that all lie near an edge, one that holds the others is
               the thing; pieces that are no boxes are joined as they are; pieces that face each other across an edge
               where two tiles meet without overlap are one thing where they agree along it

    Two outlines of one class from different tiles are one thing where they agree in what both tiles show: their IoU
    inside the tiles' common part is above AGREE. Each outline agrees with at most one of every other tile, the one
    that agrees most. Of the outlines of a thing that no edge cut off the best stays; where every tile cut it off it
    becomes the smallest rotated rectangle around all its pieces, with their best score. A cut piece that lies inside
    another thing of its class by INSIDE is part of that.
    """
    everything = [label for seen in found for label in seen.labels]
    if not everything:
        return Detections((), np.empty(0), np.empty(0, object), truncated=any(seen.truncated for seen in found))
    codes = {label: code for code, label in enumerate(dict.fromkeys(everything))}
    tile = np.repeat(np.arange(len(found)), [len(seen) for seen in found])
    shapes: Shapes = np.concatenate([seen.shapes for seen in found])
    pieces = _Pieces(
        shapes,
        np.concatenate([seen.scores for seen in found]),
        np.array([codes[label] for label in everything], np.int64),
        tile,
        _cut(shapes, np.asarray(places, np.float64)[tile], width, height),
    )
    one, other = _pairs(pieces)
    owner = _things(pieces, one, other, np.asarray(places, np.float64), facing=annotated)
    chosen, outlines, scores = _outlines_of(pieces, owner, boxes=not annotated)
    kept = _without_fragments(pieces, chosen, outlines)
    order = kept[np.argsort(-scores[kept], kind="stable")]
    first = np.cumsum([0, *(len(seen) for seen in found)])
    rows = [(int(tile[row]), int(row - first[tile[row]])) for row in chosen[order]]
    names = dict.fromkeys(name for seen in found for name in seen.attributes)
    return Detections(
        [everything[int(chosen[k])] for k in order],
        scores[order],
        outlines[order],
        {name: [_value(found[t], name, row) for t, row in rows] for name in names},
        any(seen.truncated for seen in found),
    )


def _cut(shapes: Shapes, tiles: Floats, width: int, height: int) -> Bools:
    """Whether each outline comes near an edge of its tile that is not the picture's edge too."""
    bounds = shapely.bounds(shapes)
    inner = np.stack([tiles[:, 0] > 0, tiles[:, 1] > 0, tiles[:, 2] < width, tiles[:, 3] < height], axis=1)
    room = np.concatenate([bounds[:, :2] - tiles[:, :2], tiles[:, 2:] - bounds[:, 2:]], axis=1)
    return np.asarray((inner & (room < EDGE)).any(axis=1), bool)


def _pairs(pieces: _Pieces) -> tuple[Ints, Ints]:
    """Pairs of one class from different tiles whose boxes meet."""
    one, other = meeting(pieces.shapes)
    possible = (pieces.groups[one] == pieces.groups[other]) & (pieces.tile[one] != pieces.tile[other])
    return one[possible], other[possible]


def _things(pieces: _Pieces, one: Ints, other: Ints, places: Floats, *, facing: bool) -> Ints:
    """The thing each piece belongs to, numbered from 0: pieces joined where they are each other's best.

    facing  pieces of tiles that only meet at an edge are compared along it
    """
    n = len(pieces.shapes)
    if not len(one):
        return np.arange(n)
    a, b = places[pieces.tile[one]], places[pieces.tile[other]]
    common = np.concatenate([np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])], axis=1)
    sides = common[:, 2:] - common[:, :2]
    shared: Bools = (sides > 0).all(axis=1)
    if facing:
        shared = shared | (sides >= 0).all(axis=1) & (sides > 0).any(axis=1) & pieces.cut[one] & pieces.cut[other]
    one, other, common, sides = one[shared], other[shared], common[shared], sides[shared]
    flat = (sides == 0).any(axis=1)
    part = shapely.box(*(common + np.where(flat, EDGE, 0.0)[:, None] * np.array([-1, -1, 1, 1])).T)
    with np.errstate(all="ignore"):
        mine = shapely.intersection(pieces.shapes[one], part)
        theirs = shapely.intersection(pieces.shapes[other], part)
    agreement = overlap_ratio(mine, theirs)
    across = np.flatnonzero(flat)
    agreement[across] = _agreement_along(mine[across], theirs[across], sides[across, 0] == 0)
    best = _best_of_tile(one, pieces.tile[other], agreement) & _best_of_tile(other, pieces.tile[one], agreement)
    joined = best & (agreement > AGREE)
    return _connected(n, one[joined], other[joined])


def _agreement_along(mine: Shapes, theirs: Shapes, upright: Bools) -> Floats:
    """IoU of the stretches that pieces take of an edge between two tiles, upright or level; 0 for a piece beside it."""
    axis = np.where(upright, 1, 0)
    a, b = shapely.bounds(mine), shapely.bounds(theirs)
    row = np.arange(len(axis))
    low, high = np.maximum(a[row, axis], b[row, axis]), np.minimum(a[row, axis + 2], b[row, axis + 2])
    span = np.maximum(a[row, axis + 2], b[row, axis + 2]) - np.minimum(a[row, axis], b[row, axis])
    with np.errstate(all="ignore"):
        along: Floats = np.nan_to_num(np.maximum(high - low, 0) / span)
    return along


def _best_of_tile(piece: Ints, tile: Ints, agreement: Floats) -> Bools:
    """Whether each pair agrees most among the pairs of its piece with that tile; the first of equal ones."""
    order = np.lexsort((np.arange(len(piece)), -agreement, tile, piece))
    first = np.ones(len(order), bool)
    first[1:] = (piece[order][1:] != piece[order][:-1]) | (tile[order][1:] != tile[order][:-1])
    result = np.zeros(len(order), bool)
    result[order[first]] = True
    return result


def _connected(n: int, left: Ints, right: Ints) -> Ints:
    """Numbers of connected components, by their lowest member."""
    parent = list(range(n))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return np.unique([root(k) for k in range(n)], return_inverse=True)[1].astype(np.int64)


def _outlines_of(pieces: _Pieces, owner: Ints, *, boxes: bool) -> tuple[Ints, Shapes, Floats]:
    """Of each thing: the piece that stands for it, its outline and its score.

    boxes  what every tile cut off becomes a rectangle; else only where all its pieces have four corners and none of
           them holds the others
    """
    order = np.lexsort((np.arange(len(owner)), -pieces.scores, pieces.cut, owner))  # whole before cut, best first
    starts = np.flatnonzero(np.append(True, owner[order][1:] != owner[order][:-1]))
    chosen = order[starts]
    outlines, scores = pieces.shapes[chosen], pieces.scores[chosen]
    ends = np.append(starts[1:], len(order))
    for k in np.flatnonzero(pieces.cut[chosen] & (ends - starts > 1)):
        mine = pieces.shapes[order[starts[k] : ends[k]]]
        outline = shapely.union_all(mine)
        largest = mine[int(shapely.area(mine).argmax())]
        if not boxes and shapely.area(largest) > WHOLE_OF_IT * shapely.area(outline):
            outlines[k] = largest
        elif boxes or (shapely.get_num_coordinates(mine) <= CORNERS).all():
            outlines[k] = shapely.minimum_rotated_rectangle(outline)
        else:
            outlines[k] = outline
    return chosen, outlines, scores


def _without_fragments(pieces: _Pieces, chosen: Ints, outlines: Shapes) -> Ints:
    """The things that are not a cut piece inside another thing of their class, seen by another tile."""
    one, other = meeting(outlines)
    same = pieces.groups[chosen[one]] == pieces.groups[chosen[other]]
    same &= pieces.tile[chosen[one]] != pieces.tile[chosen[other]]
    one, other = one[same], other[same]
    swap = shapely.area(outlines[one]) > shapely.area(outlines[other])
    small, large = np.where(swap, other, one), np.where(swap, one, other)
    fragment = pieces.cut[chosen[small]]
    small, large = small[fragment], large[fragment]
    gone = small[share_inside(outlines[small], outlines[large]) > INSIDE]
    return np.setdiff1d(np.arange(len(chosen)), gone)


def _moved(seen: Detections, left: int, top: int) -> Detections:
    """The same, in pixels of the whole picture."""
    if not len(seen) or not (left or top):
        return seen
    moved = shapely.transform(seen.shapes, lambda points: points + np.array([left, top], np.float64))
    return Detections(seen.labels, seen.scores, moved, seen.attributes, seen.truncated)


def _value(seen: Detections, name: str, row: int) -> Any:
    values = seen.attributes.get(name)
    return None if values is None else values[row]

"""From the corners that readers collect to stored outlines, many at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.records import Ints, Outlines
from rune_smt.entities.geometry import settle, to_storage

Shapes = NDArray[np.object_]


COLLINEAR = 1e-9  # corners whose cross products are below this share of their squared extent are looked at again


def store(outlines: Outlines) -> tuple[Any, Ints, Ints]:
    """WKB of every outline as it was read (object array of bytes), which cross themselves, and which have no area.

    The archive repairs what crosses itself and takes the hull of four corners (language page, section 1); here they are
    only found, so that they can be named by file and line.
    """
    shapes, crossing = as_shapes(outlines)
    quads = _quads(outlines)
    flat = np.zeros(len(shapes), dtype=np.bool_)
    flat[quads] = _flat_quads(outlines, quads)
    rest = np.setdiff1d(np.arange(len(shapes)), quads)
    doubtful = rest[~shapely.is_valid(shapes[rest])]  # what has no area, or crosses itself, is not valid
    settled, repaired = settle(shapes[doubtful])
    flat[doubtful] = shapely.area(settled) == 0
    return to_storage(shapes), np.union1d(doubtful[repaired], crossing), np.flatnonzero(flat)


def _quads(outlines: Outlines) -> Ints:
    """The entities with one ring of four corners."""
    single = np.flatnonzero(np.diff(outlines.parts) == 1)
    quads: Ints = single[np.diff(outlines.rings)[outlines.parts[single]] == 4]
    return quads


def _flat_quads(outlines: Outlines, quads: Ints) -> NDArray[np.bool_]:
    """Whether the hull of four corners has no area."""
    first = outlines.rings[outlines.parts[quads]]
    corners = outlines.points[first[:, None] + np.arange(4)]
    a, b, c = (corners[:, k] - corners[:, 0] for k in (1, 2, 3))
    cross = np.stack([u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] for u, v in ((a, b), (a, c), (b, c))])
    extent = np.ptp(corners, axis=1).max(axis=1)
    flat: NDArray[np.bool_] = (np.abs(cross) <= COLLINEAR * extent * extent).all(axis=0)
    near = np.flatnonzero(flat)
    flat[near] = (
        shapely.area(shapely.convex_hull(shapely.multipoints(list(corners[near])))) == 0 if len(near) else False
    )
    return flat


def as_shapes(outlines: Outlines) -> tuple[Shapes, Ints]:
    """Shapely polygons and multipolygons with exactly these rings; and which of several parts had a crossing one."""
    n = len(outlines)
    shapes: Shapes = np.empty(n, dtype=object)
    for index, shape in outlines.ready.items():
        shapes[index] = shape
    rings_each = np.diff(outlines.parts)
    corners_each = np.diff(outlines.rings)
    single = np.flatnonzero(rings_each == 1)
    ring = outlines.parts[single]
    quads = corners_each[ring] == 4
    if quads.any():
        first = outlines.rings[ring[quads]]
        shapes[single[quads]] = shapely.polygons(outlines.points[first[:, None] + np.arange(4)])
    others = single[~quads]
    if len(others):
        shapes[others] = shapely.polygons(_rings(outlines, ring[~quads]))
    crossing = []
    for index in np.flatnonzero(rings_each > 1).tolist():
        parts = shapely.polygons(_rings(outlines, np.arange(outlines.parts[index], outlines.parts[index + 1])))
        shapes[index], broken = even_odd(parts)
        if broken:
            crossing.append(index)
    return shapes, np.array(crossing, dtype=np.int64)


def _rings(outlines: Outlines, which: Ints) -> Shapes:
    """Linear rings, each closed and with four points at least: shorter ones are filled up with their last point."""
    lengths = outlines.rings[which + 1] - outlines.rings[which]
    closed = np.maximum(lengths, 3)
    owner = np.repeat(np.arange(len(which)), closed)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(closed) - closed, closed)
    step = np.minimum(step, lengths[owner] - 1)
    result: Shapes = shapely.linearrings(outlines.points[outlines.rings[which][owner] + step], indices=owner)
    return result


def even_odd(parts: Shapes) -> tuple[Any, bool]:
    """The points inside an odd number of the parts, polygons; and whether a part crosses itself."""
    solid = parts[shapely.area(shapely.convex_hull(parts)) > 0]
    broken = ~shapely.is_valid(solid)
    solid[broken] = shapely.make_valid(solid[broken])
    shape = shapely.Polygon()
    for part in solid:
        shape = shapely.symmetric_difference(shape, part)
    pieces = shapely.get_parts(shapely.get_parts(shape))
    areas = [piece for piece in pieces if piece.geom_type == "Polygon" and piece.area > 0]
    if not areas:
        return _chord(parts), bool(broken.any())  # they cancel out
    return (areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)), bool(broken.any())


def _chord(parts: Shapes) -> Any:
    """An outline without area: the line from the first corner to the one farthest from it."""
    corners = shapely.get_coordinates(parts)
    far = corners[int(np.hypot(*(corners - corners[0]).T).argmax())]
    return shapely.Polygon([corners[0], far, corners[0], far])

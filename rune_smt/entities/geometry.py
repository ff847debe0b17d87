"""Measures of outlines, and the numbers between two of them: the one place where geometry is computed.

Everything is a pure function over object arrays of settled outlines (see `outline.settle`); lengths in pixels, areas in
square pixels, angles in degrees from the x axis (right) towards the y axis (down).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from .outline import (
    LINE,
    POINT,
    POLYGON,
    OutlineError,
    as_array,
    as_polygons,
    coordinates,
    from_storage,
    outline,
    polygon,
    quiet,
    settle,
    to_storage,
)
from .rectangle import rectangles

__all__ = [
    "DIRECTION_RATIO",
    "MEASURES",
    "OutlineError",
    "as_array",
    "as_polygons",
    "common_area",
    "coordinates",
    "from_storage",
    "gap",
    "measures",
    "outline",
    "polygon",
    "ring_around",
    "settle",
    "to_storage",
    "union_area",
]

Shapes: TypeAlias = NDArray[np.object_]
Floats: TypeAlias = NDArray[np.float64]

DIRECTION_RATIO = 1.1  # the long side of a near-square flips with a pixel of noise (LANGUAGE, section 1)
MEASURES = ("cx", "cy", "area", "length", "width", "diag", "angle", "min_x", "min_y", "max_x", "max_y")


@quiet
def measures(polygons: Shapes) -> dict[str, Floats]:
    """The derived numbers of every outline, float64 (n,) each, by the names in MEASURES.

    polygons  object (n,): settled outlines
    cx, cy: centroid; area: px2; length, width, diag: long side, short side and diagonal of the minimum rotated
    rectangle; angle: of the long side, degrees in [0, 180), NaN where the outline has no direction
    (length < 1.1 * width, or no area); min_x ... max_y: bounds.
    """
    n = len(polygons)
    bounds: Floats = shapely.bounds(polygons).reshape(n, 4)
    min_x, min_y, max_x, max_y = np.ascontiguousarray(bounds.T)
    area: Floats = np.asarray(shapely.area(polygons), np.float64).reshape(n)
    centroid: Floats = shapely.get_coordinates(shapely.centroid(polygons)).reshape(n, 2)
    # Cancellation in slivers can throw the centroid out of its own outline.
    cx, cy = np.clip(centroid[:, 0], min_x, max_x), np.clip(centroid[:, 1], min_y, max_y)
    length, width, angle = _around(polygons)
    directed = (area > 0) & (length > 0) & (length >= DIRECTION_RATIO * width)
    return {
        "cx": cx,
        "cy": cy,
        "area": area,
        "length": length,
        "width": width,
        "diag": np.hypot(length, width),
        "angle": np.where(directed, angle, np.nan),
        "min_x": min_x,
        "min_y": min_y,
        "max_x": max_x,
        "max_y": max_y,
    }


@quiet
def gap(a: Shapes, b: Shapes) -> Floats:
    """Euclidean distance between the outlines a[i] and b[i] in pixels, 0 where they meet."""
    return np.asarray(shapely.distance(a, b), np.float64)


@quiet
def common_area(a: Shapes, b: Shapes) -> Floats:
    """Area of the intersection of a[i] and b[i], px2; 0 where one of them is a point or a line."""
    areal = (shapely.get_dimensions(a) == 2) & (shapely.get_dimensions(b) == 2)
    result: Floats = np.zeros(len(a))
    where = np.flatnonzero(areal)
    where = where[shapely.intersects(a[where], b[where])]  # a tenth of the price of an intersection
    if len(where):
        result[where] = shapely.area(shapely.intersection(a[where], b[where]))
    return result


@quiet
def ring_around(shapes: Shapes, breadth: Floats) -> Shapes:
    """The ring of this breadth (px) around every outline: its buffer less itself."""
    shapes = shapes.copy()
    # A closed path would be buffered as the boundary of something, without its ends; noded it is lines.
    paths = shapely.get_num_coordinates(shapes) * (shapely.get_dimensions(shapes) == 1) > 2
    shapes[paths] = shapely.node(shapes[paths])
    grown = shapely.buffer(shapes, breadth, quad_segs=8)
    return as_array(shapely.difference(grown, shapes))


@quiet
def union_area(shapes: Shapes) -> float:
    """Area that the outlines cover together, px2."""
    solid = shapes[shapely.get_dimensions(shapes) == 2]
    return float(shapely.area(shapely.union_all(solid))) if len(solid) else 0.0


def _around(polygons: Shapes) -> tuple[Floats, Floats, Floats]:
    """Length, width and angle of the minimum rotated rectangles, hulls of the same number of corners together."""
    n = len(polygons)
    length, width, angle = np.zeros(n), np.zeros(n), np.full(n, np.nan)
    hulls = as_array(shapely.convex_hull(polygons))
    kinds = shapely.get_type_id(hulls)
    counts = shapely.get_num_coordinates(hulls)
    corners = np.where(kinds == POLYGON, counts - 1, counts)
    corners[kinds == POINT] = 1
    corners[kinds == LINE] = 2
    coords: Floats = shapely.get_coordinates(hulls)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if n else np.zeros(0, np.int64)
    for k in np.unique(corners):
        rows = np.flatnonzero(corners == k)
        length[rows], width[rows], angle[rows] = rectangles(coords[starts[rows][:, None] + np.arange(k)])
    return length, width, angle

"""Outlines as the language means them: four corners are their hull, zero area is legal, crossings are repaired.

In memory an outline is a shapely Polygon or MultiPolygon with area, or, where the area is zero, a Point, a LineString
or a MultiLineString. On disk every outline is a polygon or multipolygon; those of zero area are collapsed rings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import pairwise
from math import isfinite
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from ..errors import DataError

Shapes: TypeAlias = NDArray[np.object_]  # shapely geometries
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

POINT, LINE, RING, POLYGON, MULTI_LINE, MULTI_POLYGON = 0, 1, 2, 3, 5, 6  # shapely's type numbers
NOT_FINITE = "An outline has a coordinate that is NaN or infinite."
CONVEX = 1e-12  # a corner's cross product below this share of the outline's squared extent is not surely convex

P = ParamSpec("P")
R = TypeVar("R")


def quiet(function: Callable[P, R]) -> Callable[P, R]:
    """GEOS sets the processor's flags for tiny and huge numbers on its way to right results: no warnings of them."""

    @wraps(function)
    def silent(*args: P.args, **kwargs: P.kwargs) -> R:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return silent


class OutlineError(DataError):
    """An outline that cannot be one; `index` is its place among those given."""

    def __init__(self, message: str, *, index: int = 0, hint: str | None = None):
        super().__init__(message, hint=hint)
        self.index = index


def outline(points_or_rings: Any) -> Any:
    """The shapely outline of one entity (LANGUAGE, section 1).

    points_or_rings  a list of points [[x, y], ...]; or a list of rings, the first the outer one, the others holes;
                     or a list of polygons, each a list of rings; or a shapely polygon or multipolygon. Pixels.
    Raises OutlineError (a DataError) where a coordinate is missing, NaN or infinite, or there is no point.
    """
    return settle(as_array([polygon(points_or_rings)]))[0][0]


def polygon(points_or_rings: Any) -> Any:
    """The shapely polygon or multipolygon with exactly these rings, nothing repaired: what `settle` starts from."""
    if isinstance(points_or_rings, shapely.Geometry):
        return points_or_rings
    depth = _depth(points_or_rings)
    try:
        if depth == 2:
            return shapely.Polygon(_ring(points_or_rings))
        if depth == 3:
            return shapely.Polygon(_ring(points_or_rings[0]), [_ring(hole) for hole in points_or_rings[1:]])
        if depth == 4:
            return shapely.MultiPolygon(
                [shapely.Polygon(_ring(rings[0]), [_ring(hole) for hole in rings[1:]]) for rings in points_or_rings]
            )
    except (TypeError, ValueError, LookupError) as error:
        raise OutlineError("An outline has a point that is not two numbers.") from error
    raise OutlineError(
        "An outline has no point.",
        hint="Give a list of points [[x, y], ...], a list of rings, or a list of polygons, each a list of rings.",
    )


@quiet
def settle(shapes: Shapes) -> tuple[Shapes, Bools]:
    """Outlines in the form that every measure and relation takes, and which of them had to be repaired.

    shapes  object (n,): polygons and multipolygons, also collapsed ones, and whatever this function returns
    An outline with one ring of four corners (repeated corners count once) becomes its convex hull, from the
    corner with the smallest x (then y), so that the order of the corners never matters. Another one that crosses
    itself is repaired by `shapely.make_valid`, its area parts kept, and is marked. Settling again changes nothing.
    Raises OutlineError with the index of an outline that is missing, empty, not of area, or not finite.
    """
    _refuse(shapes)
    shapes = as_polygons(shapely.force_2d(shapes))
    repaired = np.zeros(len(shapes), np.bool_)
    plain = _one_ring(shapes) & (shapely.get_num_coordinates(shapes) == 5)
    convex, rings = _convex_quads(shapes, plain)
    done = shapes.copy()
    done[convex] = _from_rings(shapes[convex], rings)
    rest = np.flatnonzero(~convex)
    if len(rest):
        done[rest], repaired[rest] = _settle_others(shapes[rest])
    return done, repaired


def as_polygons(shapes: Shapes) -> Shapes:
    """The same outlines as polygons and multipolygons only: points and lines become collapsed rings. For storage."""
    kinds = shapely.get_type_id(shapes)
    odd = np.flatnonzero((kinds != POLYGON) & (kinds != MULTI_POLYGON))
    if not len(odd):
        return shapes
    result = shapes.copy()
    for i in odd:
        shape = shapes[i]
        if kinds[i] == MULTI_LINE:
            result[i] = shapely.MultiPolygon([shapely.Polygon(_ring(part.coords)) for part in shape.geoms])
        else:
            result[i] = shapely.Polygon(_ring(shape.coords))
    return result


@quiet
def from_storage(wkb: Any, area: Floats) -> Shapes:
    """Outlines from stored WKB; `area` (px2) tells which of them are collapsed rings."""
    shapes = as_array(shapely.from_wkb(wkb))
    flat = np.flatnonzero(area == 0)
    for i in flat:
        shapes[i] = _collapsed(shapes[i])
    return shapes


def to_storage(shapes: Shapes) -> Any:
    """Little-endian WKB polygons and multipolygons, object (n,) of bytes."""
    return shapely.to_wkb(as_polygons(shapes), byte_order=1, output_dimension=2)


def coordinates(shape: Any) -> list[Any]:
    """The outline as lists: of points; of rings where it has holes; of polygons (lists of rings) where it has parts.

    No ring repeats its first point. `outline` reads all three back.
    """
    if shape.geom_type == "Polygon" and not shape.interiors:
        return _points(shape.exterior.coords)
    if shape.geom_type == "Polygon":
        return [_points(shape.exterior.coords), *(_points(hole.coords) for hole in shape.interiors)]
    if shape.geom_type == "MultiPolygon":
        return [[_points(p.exterior.coords), *(_points(hole.coords) for hole in p.interiors)] for p in shape.geoms]
    if shape.geom_type == "MultiLineString":
        return [[_points(line.coords)] for line in shape.geoms]
    return _points(shape.coords)


def has_four_corners(shapes: Shapes) -> Bools:
    """Which outlines have area, one ring, and four corners in it: those are their own hull."""
    four: Bools = _one_ring(shapes) & (shapely.get_num_coordinates(shapes) == 5)
    return four


def coordinates_of(shapes: Shapes) -> Floats:
    """All points of the outlines, one after the other, float64 (k, 2)."""
    points: Floats = shapely.get_coordinates(shapes)
    return points


def areas(shapes: Shapes) -> Floats:
    """Area of each, px2, float64 (n,)."""
    return np.asarray(shapely.area(shapes), np.float64)


def as_array(shapes: Sequence[Any] | Shapes) -> Shapes:
    """An object array (n,), never a nested one."""
    if isinstance(shapes, np.ndarray):
        return shapes
    result: Shapes = np.empty(len(shapes), np.object_)
    result[:] = shapes
    return result


# --- parts ------------------------------------------------------------------------------------------------------------


def _depth(value: Any) -> int:
    """Levels of lists above the first number; 0 where there is none."""
    depth = 0
    while isinstance(value, (list, tuple, np.ndarray)):
        depth += 1
        if len(value) == 0:
            return 0
        value = value[0]
    return depth


def _ring(points: Any) -> list[tuple[float, float]]:
    """Two numbers a point, at least four points, the last one equal to the first."""
    ring = [(float(point[0]), float(point[1])) for point in points]
    if not ring:
        raise OutlineError("An outline has a ring without points.")
    if not all(isfinite(number) for point in ring for number in point):
        raise OutlineError(NOT_FINITE)
    if ring[0] != ring[-1] or len(ring) == 1:
        ring.append(ring[0])
    while len(ring) < 4:
        ring.append(ring[-1])
    return ring


def _points(coords: Any) -> list[list[float]]:
    """Points of a ring or line without the closing one."""
    points = [[x, y] for x, y in coords]
    return points[:-1] if len(points) > 1 and points[0] == points[-1] else points


def _refuse(shapes: Shapes) -> None:
    missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if missing.any():
        raise OutlineError("An outline has no point.", index=int(np.flatnonzero(missing)[0]))
    kinds = shapely.get_type_id(shapes)
    other = ~np.isin(kinds, (POINT, LINE, RING, POLYGON, MULTI_LINE, MULTI_POLYGON))
    if other.any():
        index = int(np.flatnonzero(other)[0])
        raise OutlineError(f"An outline is a {shapes[index].geom_type}, not a polygon or multipolygon.", index=index)
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    finite = np.isfinite(xy).all(axis=1)
    if not finite.all():
        raise OutlineError(NOT_FINITE, index=int(owner[~finite][0]))


def _one_ring(shapes: Shapes) -> Bools:
    result: Bools = (shapely.get_type_id(shapes) == POLYGON) & (shapely.get_num_interior_rings(shapes) == 0)
    return result


def _convex_quads(shapes: Shapes, plain: Bools) -> tuple[Bools, Floats]:
    """Which of the four-corner outlines are surely their own hull, and their corners (q, 4, 2) in canonical order."""
    where = np.flatnonzero(plain)
    corners = shapely.get_coordinates(shapes[where]).reshape(-1, 5, 2)[:, :4]
    edges = np.roll(corners, -1, axis=1) - corners
    after = np.roll(edges, -1, axis=1)
    cross = edges[:, :, 0] * after[:, :, 1] - edges[:, :, 1] * after[:, :, 0]
    extent = np.ptp(corners, axis=1).max(axis=1)
    limit = (CONVEX * extent * extent)[:, None]
    left, right = (cross > limit).all(axis=1), (cross < -limit).all(axis=1)
    sure = left | right
    convex = np.zeros(len(shapes), np.bool_)
    convex[where[sure]] = True
    corners = np.where(right[:, None, None], corners[:, ::-1], corners)[sure]
    return convex, _rotated(corners)


def _rotated(rings: Floats) -> Floats:
    """Rings (n, k, 2) from the corner with the smallest x, then y."""
    x, y = rings[:, :, 0], rings[:, :, 1]
    leftmost = x == x.min(axis=1, keepdims=True)
    first = np.where(leftmost, y, np.inf).argmin(axis=1)
    order = (first[:, None] + np.arange(rings.shape[1])) % rings.shape[1]
    result: Floats = rings[np.arange(len(rings))[:, None], order]
    return result


def _from_rings(shapes: Shapes, rings: Floats) -> Shapes:
    """Polygons with these rings (n, 4, 2); a shape that has its ring already is kept."""
    if not len(shapes):
        return shapes
    same = (shapely.get_coordinates(shapes).reshape(-1, 5, 2)[:, :4] == rings).all(axis=(1, 2))
    result = shapes.copy()
    result[~same] = shapely.polygons(rings[~same])
    return result


def _settle_others(shapes: Shapes) -> tuple[Shapes, Bools]:
    repaired = np.zeros(len(shapes), np.bool_)
    result = shapes.copy()
    hulls = shapely.convex_hull(shapes)
    flat = shapely.area(hulls) == 0
    result[flat] = hulls[flat]
    for i in np.flatnonzero(flat & (shapely.get_type_id(hulls) == POLYGON)):
        result[i] = _segment(hulls[i])  # three points so close to a line that the area rounds to zero

    solid = ~flat
    single = np.flatnonzero(solid & _one_ring(result))
    result[single] = shapely.remove_repeated_points(result[single], 0)
    _hull_of_four(result, solid)

    broken = np.flatnonzero(solid & ~shapely.is_valid(result))
    for i in broken:
        areas = _area_parts(shapely.make_valid(result[i]))
        if areas is None:
            result[i] = _collapsed(result[i])
        else:
            result[i] = areas
            repaired[i] = True
    if len(broken):
        again = np.zeros(len(shapes), np.bool_)
        again[broken] = repaired[broken]
        _hull_of_four(result, again)  # a repaired part with four corners stands for its hull too

    areal = np.isin(shapely.get_type_id(result), (POLYGON, MULTI_POLYGON))
    for i in np.flatnonzero(areal & (shapely.area(result) == 0)):
        result[i] = _collapsed(result[i])
    return result, repaired


def _hull_of_four(shapes: Shapes, among: Bools) -> None:
    """Puts the canonical convex hull in the place of every outline of one ring with four corners."""
    four = np.flatnonzero(among & _one_ring(shapes) & (shapely.get_num_coordinates(shapes) == 5))
    if not len(four):
        return
    hulls = shapely.convex_hull(shapes[four])
    for i, hull in zip(four, hulls, strict=True):
        if hull.area == 0:
            shapes[i] = _segment(hull) if hull.geom_type == "Polygon" else hull
            continue
        ring = np.asarray(hull.exterior.coords)[:-1]
        ring = ring if shapely.is_ccw(hull.exterior) else ring[::-1]
        shapes[i] = shapely.Polygon(_rotated(ring[None])[0])


def _area_parts(shape: Any) -> Any | None:
    """The polygons of a repaired geometry that have area: one of them, a multipolygon, or None."""
    parts = [
        part
        for piece in shapely.get_parts(shape)
        for part in shapely.get_parts(piece)
        if part.geom_type == "Polygon" and part.area > 0
    ]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _collapsed(shape: Any) -> Any:
    """An outline of zero area as point, segment, or the closed path of its ring(s)."""
    hull = shapely.convex_hull(shape)
    if hull.geom_type != "Polygon":
        return hull
    if hull.area <= CONVEX * hull.length * hull.length:  # on one line, but for rounding
        return _segment(hull)
    parts = shapely.get_parts(shape)
    paths = [_path(part.exterior.coords) for part in parts]
    return paths[0] if len(paths) == 1 else shapely.MultiLineString(paths)


def _path(coords: Any) -> Any:
    points = list(coords)
    kept = points[:1] + [b for a, b in pairwise(points) if a != b]
    return shapely.LineString(kept if len(kept) > 1 else [kept[0], kept[0]])


def _segment(hull: Any) -> Any:
    """The longest chord of a hull that has no area in floating point."""
    points = np.asarray(hull.exterior.coords)[:-1]
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    i, j = np.unravel_index(int(apart.argmax()), apart.shape)
    return shapely.LineString([points[i], points[j]])

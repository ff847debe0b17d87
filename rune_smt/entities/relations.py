"""The words that every vocabulary has: the one place where they get their truth (LANGUAGE, section 4).

`truth` and `measure` take whole arrays of rows. Verdicts are int8: 0 violated, 1 undecided, 2 satisfied, so that
"and" is the minimum, "or" the maximum and "not" is 2 - v. A symmetric number is computed with the lower entity_id
first, so that symmetry holds bit for bit. Entities of one tuple are of one image.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import corners, geometry
from .outline import areas
from .table import EntityTable, Floats, Rows

Codes: TypeAlias = NDArray[np.int8]
Bools: TypeAlias = NDArray[np.bool_]

VIOLATED, UNDECIDED, SATISFIED = np.int8(0), np.int8(1), np.int8(2)
OPEN = np.int8(-1)  # no verdict: boxes cannot tell, only outlines

RATIO, PIXELS, METRES = 0, 1, 2  # units of a near limit: times the smaller diagonal, px, m
UNITS = {"x": RATIO, "px": PIXELS, "m": METRES}

TOUCH_PX = 1.0  # outlines drawn by hand or on a pixel grid meet only to within a pixel
OVERLAP_SHARE = 0.001  # of the smaller area: neighbours that share a drawn edge do not overlap
RING_SHARE = 0.75  # of the ring around x that must lie in y for surrounded_by
CHORDS = 0.9  # a circle of 32 chords has 0.994 of its area; below that with room to spare
BOUND = 1e-9  # relative slack of bounds from boxes, far above rounding: what they decide, exact numbers decide alike


@dataclass(frozen=True, eq=False)
class Parameters:
    """The numbers that a vocabulary, or a question about another limit, puts into the words.

    near_value   float64 scalar or (C, C) by class codes, symmetric: near's limit
    near_unit    int8 scalar or (C, C): RATIO, PIXELS or METRES
    far_ratio    times the smaller diagonal
    assume_extent  take the entities' largest x and y where the image size is unknown
    touch_px ... size_factor   the limits of the other words, as the language has them
    """

    near_value: float | Floats = 1.0
    near_unit: int | NDArray[np.int8] = RATIO
    far_ratio: float = 3.0
    assume_extent: bool = False
    touch_px: float = TOUCH_PX
    inside_share: float = 0.5
    parallel_deg: float = 10.0
    perpendicular_deg: float = 80.0
    size_factor: float = 1.5


def truth(word: str, table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    """Verdict codes of a relation for many tuples of entities, int8 (k,).

    rows  one int64 array (k,) of the table's rows for each argument
    A tuple with a repeated entity is violated, whatever is missing. Raises KeyError for a word that is not a relation.
    """
    rows = tuple(np.asarray(argument, np.int64) for argument in rows)
    relation = RELATIONS[word]
    if len(rows) == 1 or not len(rows[0]):
        return relation(table, rows, parameters)
    distinct = _distinct(rows)
    if distinct.all():
        return relation(table, rows, parameters)
    result = np.zeros(len(rows[0]), np.int8)
    where = np.flatnonzero(distinct)
    result[where] = relation(table, tuple(argument[where] for argument in rows), parameters)
    return result


def by_boxes(word: str, table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    """What boxes alone tell of a relation, int8 (k,): its verdict as in `truth`, or OPEN where only outlines can tell.

    A word that is not decided by gap or common area is OPEN throughout.
    """
    if word not in BY_BOXES:
        return np.full(len(rows[0]), OPEN)
    result = BY_BOXES[word](table, rows, parameters)
    result[rows[0] == rows[1]] = VIOLATED
    return result


def by_corners(word: str, table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    """What the corners of quadrilaterals tell of a relation, as `by_boxes`: dearer than boxes, cheaper than `truth`."""
    if word not in BY_CORNERS:
        return np.full(len(rows[0]), OPEN)
    result = BY_CORNERS[word](table, rows, parameters)
    result[rows[0] == rows[1]] = VIOLATED
    return result


def measure(function: str, table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Floats:
    """Values of a function for many tuples of entities, float64 (k,), NaN = missing.

    area (px2), length, width (px), angle (degrees; missing without direction), score; distance, center_distance (px).
    Raises KeyError for a name that is no function.
    """
    return FUNCTIONS[function](table, tuple(np.asarray(argument, np.int64) for argument in rows))


def union_area(table: EntityTable, rows: Rows) -> float:
    """Area covered by the outlines of these rows together, px2: the value of `cover`, whatever the order of rows."""
    rows = np.unique(np.asarray(rows, np.int64))
    rows = rows[np.argsort(table.entity_id[rows], kind="stable")]
    solid = rows[table.area[rows] > 0]
    if len(solid) < 2:
        return float(table.area[solid].sum())
    return geometry.union_area(table.outlines(solid))


# --- the numbers behind the words -------------------------------------------------------------------------------------


def gaps(table: EntityTable, x: Rows, y: Rows) -> Floats:
    """Euclidean distance between the outlines, px, float64 (k,); 0 between an entity and itself."""
    x, y = _lower_first(table, x, y)
    result = np.zeros(len(x))
    other = np.flatnonzero(x != y)
    if len(other):
        result[other] = geometry.gap(table.outlines(x[other]), table.outlines(y[other]))
    return result


def common_areas(table: EntityTable, x: Rows, y: Rows) -> Floats:
    """Area of the intersection of the outlines, px2, float64 (k,)."""
    x, y = _lower_first(table, x, y)
    result = np.zeros(len(x))
    meet = (
        (table.area[x] > 0)
        & (table.area[y] > 0)
        & (table.min_x[x] <= table.max_x[y])
        & (table.min_x[y] <= table.max_x[x])
        & (table.min_y[x] <= table.max_y[y])
        & (table.min_y[y] <= table.max_y[x])
    )
    where = np.flatnonzero(meet)
    if len(where):
        result[where] = geometry.common_area(table.outlines(x[where]), table.outlines(y[where]))
    return result


def near_limits(table: EntityTable, x: Rows, y: Rows, parameters: Parameters) -> Floats:
    """The largest gap at which x and y are near, px, float64 (k,), at least 1 px; NaN where it needs an unknown gsd."""
    if np.ndim(parameters.near_value) == np.ndim(parameters.near_unit) == 0 and parameters.near_unit == RATIO:
        return np.maximum(TOUCH_PX, parameters.near_value * np.minimum(table.diag[x], table.diag[y]))
    first, second = table.label[x], table.label[y]
    value = _by_class(parameters.near_value, first, second)
    unit = _by_class(parameters.near_unit, first, second)
    limit = value * np.minimum(table.diag[x], table.diag[y])
    if np.any(unit != RATIO):
        in_metres = value / table.images.gsd[table.image[x]]
        limit = np.where(unit == PIXELS, value, np.where(unit == METRES, in_metres, limit))
    return np.maximum(TOUCH_PX, limit)


def far_limits(table: EntityTable, x: Rows, y: Rows, parameters: Parameters) -> Floats:
    """The gap beyond which x and y are far, as far as far_ratio goes, px, float64 (k,)."""
    return np.maximum(TOUCH_PX, parameters.far_ratio * np.minimum(table.diag[x], table.diag[y]))


def angle_between(table: EntityTable, x: Rows, y: Rows) -> Floats:
    """Difference of the long sides' directions, degrees in [0, 90], float64 (k,); NaN where one has no direction."""
    difference = np.abs(table.angle[x] - table.angle[y])
    return np.minimum(difference, 180.0 - difference)


def image_sizes(table: EntityTable, x: Rows, parameters: Parameters) -> tuple[Floats, Floats]:
    """Width and height of the rows' images, px, float64 (k,); both NaN where one is unknown and none is assumed."""
    image = table.image[x]
    width, height = table.images.width[image], table.images.height[image]
    unknown = np.isnan(width) | np.isnan(height)
    if unknown.any():
        right, bottom = (extent[image] for extent in table.extent)
        assumed = (right > 0) & (bottom > 0) & parameters.assume_extent
        width = np.where(unknown, np.where(assumed, right, np.nan), width)
        height = np.where(unknown, np.where(assumed, bottom, np.nan), height)
    return width, height


# --- relations --------------------------------------------------------------------------------------------------------


def _limited(limits: Limits, tell: Tell) -> Relation:
    """A relation that a limit of the gap or of the common area decides, as one of the looks at these tells it."""

    def relation(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
        x, y = rows
        return tell(table, x, y, limits(table, x, y, parameters))

    return relation


def _far(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    """A near limit of its own, as "30 m", may exceed far's; what is near is not far."""
    x, y = rows
    far = 2 - _gap_at_most(table, x, y, far_limits(table, x, y, parameters))
    result: Codes = far.astype(np.int8)
    where = np.flatnonzero(result)
    result[where] = np.minimum(result[where], 2 - _near(table, (x[where], y[where]), parameters))
    return result


def _far_by(gap: Tell) -> Relation:
    """Far, as a look that leaves gaps open tells it: neither within far's limit nor near."""
    reached, near = _limited(far_limits, gap), _limited(near_limits, gap)

    def relation(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
        told = reached(table, rows, parameters), near(table, rows, parameters)
        result: Codes = np.full(len(rows[0]), OPEN)
        result[(told[0] == SATISFIED) | (told[1] == SATISFIED)] = VIOLATED
        result[(told[0] == VIOLATED) & (told[1] == VIOLATED)] = SATISFIED
        return result

    return relation


def _touch_limits(table: EntityTable, x: Rows, y: Rows, parameters: Parameters) -> Floats:
    return np.full(len(x), parameters.touch_px)


def _overlap_limits(table: EntityTable, x: Rows, y: Rows, parameters: Parameters) -> Floats:
    """The least common area, px2, as of the two below."""
    return OVERLAP_SHARE * np.minimum(table.area[x], table.area[y])


def _inside_limits(table: EntityTable, x: Rows, y: Rows, parameters: Parameters) -> Floats:
    return parameters.inside_share * table.area[x]


def _contains_limits(table: EntityTable, x: Rows, y: Rows, parameters: Parameters) -> Floats:
    return parameters.inside_share * table.area[y]


def _compare(column: str, first_below: bool) -> Relation:
    """The value of x below that of y, or above it."""

    def relation(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
        values: Floats = getattr(table, column)
        x, y = values[rows[0]], values[rows[1]]
        return _known(x < y if first_below else x > y)

    return relation


def _on_map(axis: int, first_below: bool) -> Relation:
    """By the centroids' map coordinates; axis 0 is easting, 1 northing."""

    def relation(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
        t = table.images.transform[table.image[rows[0]]][:, 3 * axis : 3 * axis + 3]
        x, y = (t[:, 0] + table.cx[row] * t[:, 1] + table.cy[row] * t[:, 2] for row in rows)
        return _known(x < y if first_below else x > y, unless=np.isnan(x) | np.isnan(y))

    return relation


def _parallel(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    return _known(angle_between(table, *rows) <= parameters.parallel_deg)  # NaN, no direction, compares false


def _perpendicular(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    return _known(angle_between(table, *rows) >= parameters.perpendicular_deg)


def _same_class(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    return _known(table.label[rows[0]] == table.label[rows[1]])


def _between(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    x, (y, z) = rows[0], _lower_first(table, rows[1], rows[2])
    along, across, squared = _projection(table, x, y, z)
    return _known((along > 0) & (along < squared) & (np.abs(across) <= 0.25 * squared))


def _aligned(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    members = _by_entity_id(table, rows)  # (k, a)
    k, a = members.shape
    result = np.zeros(k, np.int8)
    for p in range(a):
        for q in range(p + 1, a):
            others = [i for i in range(a) if i not in (p, q)]
            start, end = members[:, p], members[:, q]
            places = np.empty((k, len(others)))
            fits = result < SATISFIED
            for column, i in enumerate(others):
                r = members[:, i]
                along, across, squared = _projection(table, r, start, end)
                length = np.sqrt(squared)
                fits &= (along > 0) & (along < squared) & (np.abs(across) <= 0.5 * table.width[r] * length)
                places[:, column] = along
            where = np.flatnonzero(fits)
            if not len(where):
                continue
            # Equal projections go by entity_id, as the members do: the sort is stable.
            order = np.argsort(places[where], axis=1, kind="stable")
            middle = np.take_along_axis(members[where][:, others], order, axis=1)
            chain = np.concatenate([start[where, None], middle, end[where, None]], axis=1)
            links = truth("near", table, (chain[:, :-1].ravel(), chain[:, 1:].ravel()), parameters)
            result[where] = np.maximum(result[where], links.reshape(len(where), a - 1).min(axis=1))
    return result


def _clustered(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    """Satisfied if the sure links connect all, violated if the sure and the undecided ones together do not."""
    members = _by_entity_id(table, rows)
    k, a = members.shape
    links = np.zeros((k, a, a), np.int8)
    links[:, np.arange(a), np.arange(a)] = SATISFIED
    for i in range(a):
        for j in range(i + 1, a):
            links[:, i, j] = links[:, j, i] = _near(table, (members[:, i], members[:, j]), parameters)
    result: Codes = _connected(links == SATISFIED).astype(np.int8) + _connected(links >= UNDECIDED).astype(np.int8)
    return result


def _surrounded_by(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    x, y = rows
    breadth = np.maximum(1.0, table.width[x])
    wide = np.minimum(table.max_x[y], table.max_x[x] + breadth) - np.maximum(table.min_x[y], table.min_x[x] - breadth)
    high = np.minimum(table.max_y[y], table.max_y[x] + breadth) - np.maximum(table.min_y[y], table.min_y[x] - breadth)
    at_most = np.minimum(np.maximum(wide, 0) * np.maximum(high, 0), table.area[y])
    # The ring of any outline has at least this area (Brunn-Minkowski); buffer's arcs are chords, so a little less.
    disc = np.pi * breadth * breadth
    ring_at_least = CHORDS * (disc + 2 * np.sqrt(disc * table.area[x]))
    where = np.flatnonzero((table.area[y] > 0) & (at_most >= RING_SHARE * ring_at_least))
    result = np.zeros(len(x), np.int8)
    if not len(where):
        return result
    unique, inverse = np.unique(x[where], return_inverse=True)
    rings = geometry.ring_around(table.outlines(unique), np.maximum(1.0, table.width[unique]))
    share = geometry.common_area(rings[inverse], table.outlines(y[where]))
    held = share >= RING_SHARE * areas(rings)[inverse]
    result[where] = _known(held & (_inside(table, (x[where], y[where]), parameters) == VIOLATED))
    return result


def _at_border(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    (x,) = rows
    width, height = image_sizes(table, x, parameters)
    close = (
        (table.min_x[x] <= 1) | (table.min_y[x] <= 1) | (table.max_x[x] >= width - 1) | (table.max_y[x] >= height - 1)
    )
    return _known(close, unless=np.isnan(width))


def _third(side: str) -> Relation:
    """The centroid lies in the outer third of the image on this side."""

    def relation(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
        (x,) = rows
        width, height = image_sizes(table, x, parameters)
        match side:
            case "left":
                there = table.cx[x] < width / 3
            case "right":
                there = table.cx[x] > 2 * width / 3
            case "top":
                there = table.cy[x] < height / 3
            case _:
                there = table.cy[x] > 2 * height / 3
        return _known(there, unless=np.isnan(width))

    return relation


def _in_center(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    sides = [_third(side)(table, rows, parameters) for side in ("left", "right", "top", "bottom")]
    result: Codes = 2 - np.maximum.reduce(sides)
    return result


def _large(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    (x,) = rows
    reference = table.reference_area[table.label[x]]
    return _known(table.area[x] > parameters.size_factor * reference, unless=np.isnan(reference))


def _small(table: EntityTable, rows: tuple[Rows, ...], parameters: Parameters) -> Codes:
    (x,) = rows
    reference = table.reference_area[table.label[x]]
    return _known(table.area[x] < reference / parameters.size_factor, unless=np.isnan(reference))


# --- functions --------------------------------------------------------------------------------------------------------


def _column(name: str) -> Function:
    def function(table: EntityTable, rows: tuple[Rows, ...]) -> Floats:
        values: Floats = getattr(table, name)
        return values[rows[0]]

    return function


def _distance(table: EntityTable, rows: tuple[Rows, ...]) -> Floats:
    return gaps(table, rows[0], rows[1])


def _center_distance(table: EntityTable, rows: tuple[Rows, ...]) -> Floats:
    x, y = rows
    result: Floats = np.hypot(table.cx[x] - table.cx[y], table.cy[x] - table.cy[y])
    return result


# --- parts ------------------------------------------------------------------------------------------------------------


def _known(fact: Bools, unless: Bools | None = None) -> Codes:
    """Satisfied or violated by a fact; undecided where `unless` is true."""
    result: Codes = np.where(fact, SATISFIED, VIOLATED)
    if unless is not None and unless.any():
        result[unless] = UNDECIDED
    return result


def _distinct(rows: tuple[Rows, ...]) -> Bools:
    """Which tuples hold no entity twice."""
    if len(rows) == 2:
        return np.asarray(rows[0] != rows[1])
    members = np.sort(np.stack(rows, axis=1), axis=1)
    return np.asarray((members[:, 1:] != members[:, :-1]).all(axis=1))


def _lower_first(table: EntityTable, x: Rows, y: Rows) -> tuple[Rows, Rows]:
    swap = table.entity_id[x] > table.entity_id[y]
    return np.where(swap, y, x), np.where(swap, x, y)


def _by_entity_id(table: EntityTable, rows: tuple[Rows, ...]) -> Rows:
    """The members of every tuple, (k, a), in order of entity_id: so the order of arguments never matters."""
    members = np.stack(rows, axis=1)
    return np.take_along_axis(members, np.argsort(table.entity_id[members], axis=1, kind="stable"), axis=1)


def _by_class(
    value: float | Floats | NDArray[np.int8], first: NDArray[np.int32], second: NDArray[np.int32]
) -> NDArray[np.float64] | NDArray[np.int8]:
    array = np.asarray(value)
    return np.full(len(first), array[()]) if array.ndim == 0 else array[first, second]


def _gap_at_most(table: EntityTable, x: Rows, y: Rows, limit: Floats) -> Codes:
    """Whether the gap is at most the limit, undecided where that is NaN; boxes decide first what they can."""
    result = gap_by_boxes(table, x, y, limit)
    open_ = np.flatnonzero(result == OPEN)
    if len(open_):
        result[open_] = _known(gaps(table, x[open_], y[open_]) <= limit[open_])
    return result


def gap_by_boxes(table: EntityTable, x: Rows, y: Rows, limit: Floats) -> Codes:
    """What boxes tell of "the gap is below (at most) the limit": its verdict, OPEN where they do not."""
    at_least = _gap_of_boxes(table, x, y)
    result: Codes = np.full(len(x), OPEN)
    result[at_least - BOUND * (limit + at_least) > limit] = VIOLATED
    result[np.isnan(limit)] = UNDECIDED
    open_ = np.flatnonzero(result == OPEN)
    if len(open_):
        a, b, most = x[open_], y[open_], limit[open_]
        close = _gap_at_most_by_centroids(table, a, b) + BOUND * (most + table.diag[a] + table.diag[b]) < most
        close &= np.minimum(table.area[a], table.area[b]) > 0
        close[close] = table.four_cornered(a[close]) & table.four_cornered(b[close])
        result[open_[close]] = SATISFIED
        open_ = open_[~close]
    if len(open_):
        at_most, most = _gap_at_most_by_boxes(table, x[open_], y[open_]), limit[open_]
        result[open_[at_most + BOUND * (most + at_most) < most]] = SATISFIED
    return result


def _gap_at_most_by_centroids(table: EntityTable, x: Rows, y: Rows) -> Floats:
    """An upper bound of the gap of convex outlines: the line between centroids, less what lies inside.

    A centroid is at least a third of the breadth away from every side (Minkowski), and the least breadth at least the
    area over the longest chord.
    """
    apart = _length(table.cx[x] - table.cx[y], table.cy[x] - table.cy[y])
    for row in (x, y):
        apart -= table.area[row] / (3 * np.maximum(table.diag[row], 1e-300))
    return np.maximum(apart, 0.0)


def gap_by_corners(table: EntityTable, x: Rows, y: Rows, limit: Floats) -> Codes:
    """The same, told by the corners of quadrilaterals: all but what lies within rounding of the limit."""
    at_least, at_most = corners.gaps(table.corners(x), table.corners(y), limit * (1 + BOUND))
    slack = BOUND * (limit + at_least)
    result: Codes = np.full(len(x), OPEN)
    result[at_least - slack > limit] = VIOLATED
    result[at_most + slack < limit] = SATISFIED
    result[np.isnan(limit)] = UNDECIDED
    return result


def _gap_of_boxes(table: EntityTable, x: Rows, y: Rows) -> Floats:
    """No outlines are closer than their boxes."""
    aside = np.maximum(table.min_x[x] - table.max_x[y], table.min_x[y] - table.max_x[x])
    above = np.maximum(table.min_y[x] - table.max_y[y], table.min_y[y] - table.max_y[x])
    return _length(np.maximum(aside, 0), np.maximum(above, 0))


def _gap_at_most_by_boxes(table: EntityTable, x: Rows, y: Rows) -> Floats:
    """The greatest gap of points on facing sides: an outline meets all four sides of its box."""
    left, right = table.min_x[x] - table.max_x[y], table.min_x[y] - table.max_x[x]
    top, bottom = table.min_y[x] - table.max_y[y], table.min_y[y] - table.max_y[x]
    span_x = np.maximum(table.max_x[x], table.max_x[y]) - np.minimum(table.min_x[x], table.min_x[y])
    span_y = np.maximum(table.max_y[x], table.max_y[y]) - np.minimum(table.min_y[x], table.min_y[y])
    beside = _length(np.minimum(np.abs(left), np.abs(right)), span_y)
    stacked = _length(np.minimum(np.abs(top), np.abs(bottom)), span_x)
    return np.minimum(beside, stacked)


def _length(x: Floats, y: Floats) -> Floats:
    """As np.hypot to within rounding, in a third of the time: for bounds, which leave room for it."""
    length: Floats = np.sqrt(x * x + y * y)
    return length


def _share_at_least(table: EntityTable, x: Rows, y: Rows, limit: Floats) -> Codes:
    """Whether the common area is above 0 and at least the limit (px2); both areas must be above 0."""
    result = _share_by_boxes(table, x, y, limit)
    open_ = np.flatnonzero(result == OPEN)
    if len(open_):
        common = common_areas(table, x[open_], y[open_])
        result[open_] = _known((common > 0) & (common >= limit[open_]))
    return result


def _share_by_boxes(table: EntityTable, x: Rows, y: Rows, limit: Floats) -> Codes:
    wide = np.minimum(table.max_x[x], table.max_x[y]) - np.maximum(table.min_x[x], table.min_x[y])
    high = np.minimum(table.max_y[x], table.max_y[y]) - np.maximum(table.min_y[x], table.min_y[y])
    smaller = np.minimum(table.area[x], table.area[y])
    at_most = np.minimum(np.maximum(wide, 0) * np.maximum(high, 0), smaller)
    extent = np.maximum(table.diag[x], table.diag[y])
    slack = BOUND * (at_most + limit + extent * extent)  # slivers: rounding goes with the extent, not the area
    may = (smaller > 0) & (wide >= 0) & (high >= 0) & (at_most + slack >= limit)
    return np.where(may, OPEN, VIOLATED)


def _share_by_corners(table: EntityTable, x: Rows, y: Rows, limit: Floats) -> Codes:
    at_least, at_most = corners.common_areas(table.corners(x), table.corners(y))
    result: Codes = np.full(len(x), OPEN)
    result[(at_least > 0) & (at_least >= limit)] = SATISFIED
    result[at_most < limit] = VIOLATED
    return result


def _projection(table: EntityTable, x: Rows, y: Rows, z: Rows) -> tuple[Floats, Floats, Floats]:
    """The centroid of x seen from y's on the way to z's: along and across, each times |yz|, and |yz| squared."""
    zx, zy = table.cx[z] - table.cx[y], table.cy[z] - table.cy[y]
    px, py = table.cx[x] - table.cx[y], table.cy[x] - table.cy[y]
    return px * zx + py * zy, px * zy - py * zx, zx * zx + zy * zy


def _connected(links: Bools) -> Bools:
    """Which graphs, (k, a, a) with loops and symmetric, are connected."""
    reached: NDArray[Any] = links[:, 0]
    for _ in range(links.shape[1] - 1):
        reached = np.any(reached[:, :, None] & links, axis=1)
    return np.asarray(reached.all(axis=1))


Relation: TypeAlias = Callable[[EntityTable, tuple[Rows, ...], Parameters], Codes]
Function: TypeAlias = Callable[[EntityTable, tuple[Rows, ...]], Floats]
Limits: TypeAlias = Callable[[EntityTable, Rows, Rows, Parameters], Floats]
Tell: TypeAlias = Callable[[EntityTable, Rows, Rows, Floats], Codes]  # of a limit


def _looked(gap: Tell, share: Tell) -> Mapping[str, Relation]:
    """What a cheap look at gaps and common areas tells of the words that these decide."""
    return {
        "near": _limited(near_limits, gap),
        "far": _far_by(gap),
        "touches": _limited(_touch_limits, gap),
        "overlaps": _limited(_overlap_limits, share),
        "inside": _limited(_inside_limits, share),
        "contains": _limited(_contains_limits, share),
    }


_near = _limited(near_limits, _gap_at_most)
_inside = _limited(_inside_limits, _share_at_least)

RELATIONS: Mapping[str, Relation] = {
    "near": _near,
    "far": _far,
    "touches": _limited(_touch_limits, _gap_at_most),
    "overlaps": _limited(_overlap_limits, _share_at_least),
    "inside": _inside,
    "contains": _limited(_contains_limits, _share_at_least),
    "left_of": _compare("cx", True),
    "right_of": _compare("cx", False),
    "above": _compare("cy", True),
    "below": _compare("cy", False),
    "larger": _compare("area", False),
    "smaller": _compare("area", True),
    "parallel": _parallel,
    "perpendicular": _perpendicular,
    "between": _between,
    "aligned": _aligned,
    "clustered": _clustered,
    "surrounded_by": _surrounded_by,
    "north_of": _on_map(1, False),
    "south_of": _on_map(1, True),
    "east_of": _on_map(0, False),
    "west_of": _on_map(0, True),
    "at_border": _at_border,
    "same_class": _same_class,
    "in_left": _third("left"),
    "in_right": _third("right"),
    "in_top": _third("top"),
    "in_bottom": _third("bottom"),
    "in_center": _in_center,
    "large": _large,
    "small": _small,
}

BY_BOXES = _looked(gap_by_boxes, _share_by_boxes)
BY_CORNERS = _looked(gap_by_corners, _share_by_corners)

FUNCTIONS: Mapping[str, Function] = {
    "area": _column("area"),
    "length": _column("length"),
    "width": _column("width"),
    "angle": _column("angle"),
    "score": _column("score"),
    "distance": _distance,
    "center_distance": _center_distance,
}

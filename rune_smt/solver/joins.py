"""Which entities may lie within reach of others: candidates for near, touches, overlaps, inside, distance and the like.

A strip index holds the boxes of many images at once, sorted by image, by size (powers of four, so that one large
outline does not widen the search among small ones), by horizontal strip and by left edge. A search is then a few
ranges of it. It only leaves out what lies too far away for certain; the verdict stays with the geometry module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import METRES, RATIO, Parameters
from ..grammar.nodes import Apply, Compare, Number, Variable
from .atoms import Rows
from .frame import expand
from .numbers import METRIC, distance_limit, in_metres

if TYPE_CHECKING:
    from ..entities.table import EntityTable

Floats: TypeAlias = NDArray[np.float64]

SMALL = 24  # entities of one size in an image: below it all of them are looked at, which is cheaper than a search
STRIP = 1.0  # height of a strip in heights of the tallest box in it
SIZES = 16  # powers of four: boxes of 4^15 px and more are one
CELLS = 1 << 24  # left edges in half pixels from HALF_OFFSET on; what is beyond shares the first or last cell
HALF_OFFSET = 1 << 20
ROUNDING = 1e-15  # relative, of coordinates
SLACK = 4e-9  # relative, beyond the slack with which boxes decide in `relations`

# Relations that are violated where the boxes are further apart than the reach of either side; most selective first.
BOUNDED = ("overlaps", "inside", "contains", "touches", "near", "surrounded_by", "clustered", "far")


def is_bounded(atom: Apply | Compare, negated: bool) -> bool:
    """Whether the literal is violated of all pairs that lie further apart than a known reach."""
    if isinstance(atom, Apply):
        two = len(atom.args) == 2 and len({arg.name for arg in atom.args if isinstance(arg, Variable)}) == 2
        return two and atom.name in BOUNDED and negated == (atom.name == "far")
    found = distance_limit(atom)
    return found is not None and not negated and found[1] in ("<", "<=")


def in_pixels(length: Number, table: EntityTable, rows: Rows) -> Floats:
    """A length in pixels of the rows' images, float64 (k,); NaN where it needs an unknown gsd."""
    if length.unit in METRIC:
        return in_metres(length)[0] / table.images.gsd[table.image[rows]]
    return np.full(len(rows), float(length.value))


def reach(atom: Apply | Compare, var: str, table: EntityTable, rows: Rows, parameters: Parameters) -> Floats:
    """How far from the box of each row, as `var`, the other's box may be, px, float64 (k,).

    The lesser reach of the two sides holds. Infinite where nothing is known.
    """
    if isinstance(atom, Compare):
        found = distance_limit(atom)
        assert found is not None
        return _or_infinite(in_pixels(found[2], table, rows))
    match atom.name:
        case "overlaps" | "inside" | "contains":
            return np.zeros(len(rows))
        case "touches":
            return np.full(len(rows), parameters.touch_px)
        case "surrounded_by":
            inner = isinstance(atom.args[0], Variable) and atom.args[0].name == var
            return np.maximum(1.0, table.width[rows]) if inner else np.full(len(rows), np.inf)
        case "far":
            return np.maximum(_near_reach(table, rows, parameters), parameters.far_ratio * table.diag[rows])
        case _:
            return _near_reach(table, rows, parameters)


def _near_reach(table: EntityTable, rows: Rows, parameters: Parameters) -> Floats:
    value, unit = np.asarray(parameters.near_value), np.asarray(parameters.near_unit)
    result = np.ones(len(rows))
    for kind in np.unique(unit):
        largest = float(value[unit == kind].max())
        if kind == RATIO:
            limit = largest * table.diag[rows]
        elif kind == METRES:
            limit = largest / table.images.gsd[table.image[rows]]
        else:
            limit = np.full(len(rows), largest)
        result = np.maximum(result, limit)
    return _or_infinite(result)


def _or_infinite(limit: Floats) -> Floats:
    return np.where(np.isnan(limit), np.inf, limit)


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes in pixels, and how far around them is asked for; float64 (k,) each."""

    left: Floats
    top: Floats
    right: Floats
    bottom: Floats
    reach: Floats

    def take(self, index: Any) -> Boxes:
        """Those at an index or under a mask."""
        return Boxes(*(getattr(self, name)[index] for name in self.__slots__))

    def margin(self, reach: Floats) -> Floats:
        """The reach and what rounding may add to it, px."""
        furthest = np.maximum.reduce([np.abs(side) for side in (self.left, self.top, self.right, self.bottom)])
        margin: Floats = reach * (1 + SLACK) + SLACK + ROUNDING * furthest
        return margin


def boxes_of(table: EntityTable, rows: Rows, reach: Floats) -> Boxes:
    """The boxes of rows."""
    return Boxes(table.min_x[rows], table.min_y[rows], table.max_x[rows], table.max_y[rows], reach)


class StripIndex:
    """Boxes of entities, to be searched by image and place.

    A group is what one image has of one size. Places in the index are those of `order`, which holds places in `rows`.

    rows     int64 (n,), in order of image
    reaches  float64 (n,), see `reach`
    """

    def __init__(self, table: EntityTable, rows: Rows, reaches: Floats):
        self.rows = rows
        boxes, image = boxes_of(table, rows, reaches), table.image[rows].astype(np.int64)
        extent = np.maximum(boxes.right - boxes.left, boxes.bottom - boxes.top)
        size = np.clip(np.log2(np.maximum(extent, 1.0)) / 2, 0, SIZES - 1).astype(np.int64)
        by_group = np.argsort(image * SIZES + size, kind="stable")
        groups = (image * SIZES + size)[by_group]
        first = np.flatnonzero(np.diff(groups, prepend=-1))
        count = np.diff(first, append=len(rows))
        group = np.repeat(np.arange(len(first)), count)
        boxes = boxes.take(by_group)

        self.group_image = groups[first] // SIZES
        self.hull = Boxes(
            _by_run(np.minimum, boxes.left, first),
            _by_run(np.minimum, boxes.top, first),
            _by_run(np.maximum, boxes.right, first),
            _by_run(np.maximum, boxes.bottom, first),
            _by_run(np.maximum, boxes.reach, first),
        )
        self.widest = _by_run(np.maximum, boxes.right - boxes.left, first)
        self.tallest = _by_run(np.maximum, boxes.bottom - boxes.top, first)
        self.searched = count > SMALL
        tall = np.maximum(self.hull.bottom - self.hull.top, 1.0)
        height = np.maximum(STRIP * np.maximum(self.tallest, 1.0), tall * SMALL / count)
        self.height = np.where(self.searched, height, 2 * tall)
        self.strips = np.where(self.searched, np.floor(tall / self.height) + 1, 1).astype(np.int64)
        self.first_strip = np.cumsum(self.strips) - self.strips

        strip = self.first_strip[group] + self._strip(group, boxes.top)
        key = strip * CELLS + np.where(self.searched[group], _cell(boxes.left), 0)
        by_key = np.argsort(key, kind="stable")
        self.key = key[by_key]
        self.order = by_group[by_key]
        self.boxes = boxes.take(by_key)
        self.strip_start = np.searchsorted(self.key, np.arange(int(self.strips.sum()) + 1) * CELLS)

    def _strip(self, group: Rows, y: Floats) -> Rows:
        """The number of the strip inside its group at height y."""
        place = np.floor((y - self.hull.top[group]) / self.height[group])
        strip: Rows = np.clip(place, 0, self.strips[group] - 1).astype(np.int64)
        return strip

    def places(self, rows: Rows) -> Rows:
        """The place in the index of each of some rows of the table; 0 for one that is not in it."""
        if not len(self.rows):
            return np.zeros(len(rows), dtype=np.int64)
        place = np.empty(len(self.rows), dtype=np.int64)
        place[self.order] = np.arange(len(self.rows))
        position = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        return np.where(self.rows[position] == rows, place[position], 0)

    def ranges(self, image: Rows, boxes: Boxes, least: Rows | None = None) -> tuple[Rows, Rows, Rows]:
        """Where what may lie within reach of each box stands: number of the box (ascending), start, length.

        image  of each box, in order
        least  for each box a place before which nothing is asked for
        """
        of_image = np.flatnonzero(np.diff(image, prepend=-1))  # boxes come in order of image
        left = np.searchsorted(self.group_image, image[of_image], "left").astype(np.int64)
        count = np.searchsorted(self.group_image, image[of_image], "right").astype(np.int64) - left
        boxes_of_it = np.diff(of_image, append=len(image))
        owner, group = expand(np.repeat(left, boxes_of_it), np.repeat(count, boxes_of_it))
        mine, hull = boxes.take(owner), self.hull.take(group)
        margin = mine.margin(np.minimum(mine.reach, hull.reach))
        wide = Boxes(mine.left - margin, mine.top - margin, mine.right + margin, mine.bottom + margin, margin)
        meets = (wide.left <= hull.right) & (wide.right >= hull.left)
        meets &= (wide.top <= hull.bottom) & (wide.bottom >= hull.top)
        owner, group, wide = owner[meets], group[meets], wide.take(meets)

        top = self.first_strip[group] + self._strip(group, wide.top - self.tallest[group])
        bottom = self.first_strip[group] + self._strip(group, wide.bottom)
        if least is not None and len(self.key):
            top = np.maximum(top, self.key[np.minimum(least[owner], len(self.key) - 1)] // CELLS)
        each, strip = expand(top, np.maximum(bottom - top + 1, 0))
        start, stop = self.strip_start[strip], self.strip_start[strip + 1]
        long = np.flatnonzero((stop - start > SMALL // 2) & self.searched[group[each]])
        if len(long):
            of, base = each[long], strip[long] * CELLS
            leftmost = _cell(wide.left[of] - self.widest[group[of]])
            start[long] = np.searchsorted(self.key, base + leftmost, "left")
            stop[long] = np.searchsorted(self.key, base + _cell(wide.right[of]), "right")
        if least is not None:
            start = np.maximum(start, least[owner[each]])
        some = stop > start
        return owner[each[some]], start[some], (stop - start)[some]

    def within_reach(self, owner: Rows, place: Rows, boxes: Boxes) -> tuple[Rows, Rows]:
        """The pairs of a box and a place in the index that lie within reach of each other."""
        mine = self.boxes
        up = np.maximum(mine.top[place] - boxes.bottom[owner], boxes.top[owner] - mine.bottom[place])
        reach = np.minimum(mine.reach[place], boxes.reach[owner]) * (1 + SLACK) + SLACK
        near = np.flatnonzero(up <= reach)
        owner, place, up, reach = owner[near], place[near], np.maximum(up[near], 0.0), reach[near]
        side = np.maximum(mine.left[place] - boxes.right[owner], boxes.left[owner] - mine.right[place])
        near = np.flatnonzero(np.hypot(np.maximum(side, 0.0), up) <= reach)
        return owner[near], place[near]


def _by_run(reduce: np.ufunc, values: Floats, first: Rows) -> Floats:
    """The values of each run reduced to one; runs start at `first`."""
    result: Floats = reduce.reduceat(values, first) if len(first) else values[:0]
    return result


def _cell(x: Floats) -> Rows:
    cell: Rows = np.clip(np.floor(x * 2) + HALF_OFFSET, 0, CELLS - 1).astype(np.int64)
    return cell

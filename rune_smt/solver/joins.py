"""Which entities may lie within reach of others: candidates for near, touches, overlaps, inside, distance and the like.

A strip index holds the boxes of many images at once, sorted by image, by size (powers of four, so that one large
outline does not widen the search among small ones), by horizontal strip and by left edge. A search is then a few
ranges of it. It only leaves out what lies too far away for certain; the verdict stays with the geometry module.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import METRES, RATIO, Parameters
from ..grammar.nodes import Apply, Compare, Number, Variable
from .atoms import Rows
from .frame import expand, place_in_run, run_starts
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


def reach_per_diagonal(atom: Apply | Compare, parameters: Parameters) -> float:
    """A number for which `reach` is at most 1 px or that times the row's own diagonal; infinite where there is none."""
    if isinstance(atom, Compare) or atom.name not in ("near", "far") or np.any(parameters.near_unit != RATIO):
        return np.inf
    nearest = float(np.max(parameters.near_value))
    return max(nearest, parameters.far_ratio) if atom.name == "far" else nearest


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


class Ranking:
    """The classes of each image, ranked by how many of each there are among some rows, the fewest first, from 1.

    The kind of an entity is one number for its image and the rank of its class there: `step` times the image, and the
    rank; 0 for a class that is not among the rows.

    rows  int64 (n,), in order of image, ascending in each
    """

    def __init__(self, table: EntityTable, rows: Rows):
        self.table = table
        self.step = len(table.classes) + 1
        first, self._known = self._runs(rows)
        image = self._known // self.step
        by_count = np.lexsort((np.diff(first, append=len(rows)), image))
        self._kind = np.empty(len(first), dtype=np.int64)
        self._kind[by_count] = image * self.step + place_in_run(image)[0] + 1

    def _runs(self, rows: Rows) -> tuple[Rows, Rows]:
        """Where runs of one class of one image start in some rows, and a number for each run's image and class."""
        key = self.table.image[rows].astype(np.int64) * self.step + self.table.label[rows]
        first = run_starts(key)
        return first, key[first]

    def kinds(self, rows: Rows) -> Rows:
        """The kinds of some rows, in order of image; int64 (k,)."""
        first, key = self._runs(rows)
        if not len(self._known):
            return np.repeat(key // self.step * self.step, np.diff(first, append=len(rows)))
        place = np.minimum(np.searchsorted(self._known, key), len(self._known) - 1)
        kind = np.where(self._known[place] == key, self._kind[place], key // self.step * self.step)
        return np.repeat(kind, np.diff(first, append=len(rows)))


def boxes_of(table: EntityTable, rows: Rows, reach: Floats) -> Boxes:
    """The boxes of rows."""
    return Boxes(table.min_x[rows], table.min_y[rows], table.max_x[rows], table.max_y[rows], reach)


class StripIndex:
    """Boxes of entities, to be searched by image and place.

    A group is what one image has of one size, and of one class where classes are kept apart. Places in the index are
    those of `order`, which holds places in the rows that it was made of.

    rows      int64 (n,), in order of image, ascending in each
    reach     how far from the box of each row another may be, see `reach`
    by_class  keep classes apart: those of an image are ranked by how many there are, the fewest first
    once      then only the class with fewer entities is asked about the other; the last in rank is asked about none
    """

    def __init__(
        self,
        table: EntityTable,
        rows: Rows,
        reach: Callable[[Rows], Floats],
        by_class: bool = False,
        once: bool = False,
    ):
        self.ranking = Ranking(table, rows) if by_class else None
        self.once = once
        kept = None
        if self.ranking is None:
            kind = table.image[rows].astype(np.int64)
        else:
            kind = self.ranking.kinds(rows)
            if once:  # nobody asks about the class with the fewest
                kept = np.flatnonzero(kind % self.ranking.step > 1)
                rows, kind = rows[kept], kind[kept]
        self.rows = rows
        boxes = boxes_of(table, rows, reach(rows))
        extent = np.maximum(boxes.right - boxes.left, boxes.bottom - boxes.top)
        size = np.clip(np.log2(np.maximum(extent, 1.0)) / 2, 0, SIZES - 1).astype(np.int64)
        by_group = np.argsort(kind * SIZES + size, kind="stable")
        groups = (kind * SIZES + size)[by_group]
        first = run_starts(groups)
        count = np.diff(first, append=len(rows))
        group = np.repeat(np.arange(len(first)), count)
        boxes = boxes.take(by_group)

        self.kind = groups[first] // SIZES
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
        if kept is not None:
            self.order = kept[self.order]
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

    def asked_about(self, rows: Rows, image: Rows) -> tuple[Rows, Rows]:
        """The kinds that each row asks about: from one number up to another, int64 (k,) each."""
        if self.ranking is None:
            return image, image + 1
        own, whole = self.ranking.kinds(rows), image * self.ranking.step
        return (own + 1 if self.once else whole), whole + self.ranking.step

    def groups(self, rows: Rows, image: Rows) -> tuple[Rows, Rows]:
        """The groups that each row asks about: the first, and how many; int64 (k,) each. Rows in order of image."""
        low, high = image, image + 1
        if self.ranking is not None:
            whole = image * self.ranking.step
            low, high = self.ranking.kinds(rows) + 1 if self.once else whole, whole + self.ranking.step
        starts = run_starts(low)  # many rows after each other ask about the same
        first, last = (np.searchsorted(self.kind, end[starts]).astype(np.int64) for end in (low, high))
        many = np.diff(starts, append=len(rows))
        return np.repeat(first, many), np.repeat(last - first, many)

    def ranges(
        self, groups: tuple[Rows, Rows], boxes: Boxes, least: Rows | None = None
    ) -> tuple[Rows, Rows, Rows]:
        """Where what may lie within reach of each box stands: number of the box (ascending), start, length.

        groups  that each box asks about
        least   for each box a place before which nothing is asked for
        """
        owner, group = expand(*groups)
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
        side = np.maximum(side, 0.0)
        near = np.flatnonzero(side * side + up * up <= reach * reach)
        return owner[near], place[near]


def _by_run(reduce: np.ufunc, values: Floats, first: Rows) -> Floats:
    """The values of each run reduced to one; runs start at `first`."""
    result: Floats = reduce.reduceat(values, first) if len(first) else values[:0]
    return result


def _cell(x: Floats) -> Rows:
    cell: Rows = np.clip(np.floor(x * 2) + HALF_OFFSET, 0, CELLS - 1).astype(np.int64)
    return cell

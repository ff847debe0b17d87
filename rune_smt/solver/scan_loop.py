"""The loop of `scan`, compiled by numba as this module is imported; its result is kept on disk beside the module.

Everything here is scalar code over the table's columns. `scan` says what it is asked; codes of verdicts are 0 violated,
2 satisfied, 3 open: undecided, or not told by bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..entities.corners import CONVEX, SLACK
from ..entities.relations import BOUND, METRES, OVERLAP_SHARE, PIXELS, RATIO, TOUCH_PX
from ..entities.table import HEAD
from .joins import ROUNDING
from .joins import SLACK as REACH_SLACK
from .scan import BELOW, FIELDS, OTHER, SCANNED, SIZES, WITHIN

try:
    from numba import njit
except ImportError:  # then `scan` is never asked; the laws of this loop are tested as it stands here

    def njit(*signature: Any, **options: Any) -> Any:
        """Nothing is compiled."""
        return lambda function: function


VIOLATED, SATISFIED, OPEN = 0, 2, 3
UNKNOWN = -1
NEAR, FAR, TOUCHES, OVERLAPS, INSIDE, CONTAINS, SAME_CLASS, LEFT, RIGHT, ABOVE, BELOW_OF, LARGER, SMALLER = range(
    len(SCANNED)
)
FEW = 24  # candidates of an image that are looked at one by one; more are put into cells
ALIKE = 3.0  # the longest box is at most so many times the mean: then all are put into one grid
FEW_OWNERS = 12  # for so few the candidates are looked at one by one too: putting them into cells takes longer
ROUNDED = 1e-6  # of a cell, far above the rounding of a place among cells

# Nothing is allocated here, so arrays need not be counted: counting them takes longer than comparing two boxes.
OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
Loop = TypeVar("Loop", bound=Callable[..., Any])


def function(body: Loop) -> Loop:
    """Compiled for the types that it is called with below."""
    compiled: Loop = njit(**OPTIONS)(body)
    return compiled


def inlined(body: Loop) -> Loop:
    """Compiled into its caller."""
    compiled: Loop = njit(**OPTIONS, forceinline=True)(body)
    return compiled


def exported(signature: str) -> Callable[[Loop], Loop]:
    """Compiled now, for one signature."""

    def compiled(body: Loop) -> Loop:
        result: Loop = njit(signature, **OPTIONS)(body)
        return result

    return compiled


@inlined
def _length(dx: float, dy: float) -> float:
    return math.sqrt(dx * dx + dy * dy)


@inlined
def _four(stored: Any, heads: Any, first: Any, stride: int, row: int) -> Any:
    """Whether a row is a quadrilateral."""
    start = first[row]
    return first[row + 1] - start == stride and heads[start] == HEAD and not math.isnan(stored[start, 0, 0])


@inlined
def _load(stored: Any, first: Any, row: int, out: Any) -> None:
    """The corners of a row into out (8,)."""
    start = first[row]
    for i in range(4):
        out[2 * i], out[2 * i + 1] = stored[start, i, 0], stored[start, i, 1]


@function
def _separation(a: Any, b: Any) -> float:
    """As in `corners`: how far an edge of one keeps the other off; NaN where one is not surely convex."""
    best = -np.inf
    for turn in range(2):
        if turn == 1:
            a, b = b, a
        left, right, top, bottom = a[0], a[0], a[1], a[1]
        for i in range(1, 4):
            left, right = min(left, a[2 * i]), max(right, a[2 * i])
            top, bottom = min(top, a[2 * i + 1]), max(bottom, a[2 * i + 1])
        extent = max(right - left, bottom - top)
        for i in range(4):
            j, k = (i + 1) % 4, (i + 2) % 4
            ex, ey = a[2 * j] - a[2 * i], a[2 * j + 1] - a[2 * i + 1]
            if not ex * (a[2 * k + 1] - a[2 * j + 1]) - ey * (a[2 * k] - a[2 * j]) > CONVEX * extent * extent:
                return np.nan
            least = np.inf
            for q in range(4):
                least = min(least, (b[2 * q] - a[2 * i]) * ey - (b[2 * q + 1] - a[2 * i + 1]) * ex)
            best = max(best, least / math.sqrt(ex * ex + ey * ey))
    return best


@function
def _distance(a: Any, b: Any, enough: float) -> float:
    """The least distance of a corner of one and an edge of the other, or one below `enough`."""
    best = np.inf
    enough = enough * enough if enough > 0 else -1.0
    for turn in range(2):
        if turn == 1:
            a, b = b, a
        for i in range(4):
            j = (i + 1) % 4
            ex, ey = a[2 * j] - a[2 * i], a[2 * j + 1] - a[2 * i + 1]
            per_length = 1.0 / (ex * ex + ey * ey)
            for q in range(4):
                dx, dy = b[2 * q] - a[2 * i], b[2 * q + 1] - a[2 * i + 1]
                along = min(1.0, max(0.0, (dx * ex + dy * ey) * per_length))
                dx -= along * ex
                dy -= along * ey
                best = min(best, dx * dx + dy * dy)
            if best < enough:
                return math.sqrt(best)
    return math.sqrt(best)


@function
def _common(a: Any, b: Any, work: Any) -> float:
    """The area of the intersection of two convex quadrilaterals: one clipped by each edge of the other.

    Sutherland & Hodgman, Reentrant polygon clipping, CACM 17 (1974). work  float64 (2, 32)
    """
    for i in range(8):
        work[0, i] = a[i] - b[i % 2]  # near the origin, so that products lose no digits
    count, now = 4, 0
    for i in range(4):
        j = (i + 1) % 4
        px, py = b[2 * i] - b[0], b[2 * i + 1] - b[1]
        ex, ey = b[2 * j] - b[2 * i], b[2 * j + 1] - b[2 * i + 1]
        kept, then = 0, 1 - now
        for q in range(count):
            r = (q + 1) % count
            x, y, u, v = work[now, 2 * q], work[now, 2 * q + 1], work[now, 2 * r], work[now, 2 * r + 1]
            here = ex * (y - py) - ey * (x - px)
            there = ex * (v - py) - ey * (u - px)
            if here >= 0:
                work[then, 2 * kept], work[then, 2 * kept + 1] = x, y
                kept += 1
            if (here > 0 and there < 0) or (here < 0 and there > 0):
                share = here / (here - there)
                work[then, 2 * kept], work[then, 2 * kept + 1] = x + share * (u - x), y + share * (v - y)
                kept += 1
        count, now = kept, then
        if count < 3:
            return 0.0
    area = 0.0
    for q in range(count):
        r = (q + 1) % count
        area += work[now, 2 * q] * work[now, 2 * r + 1] - work[now, 2 * r] * work[now, 2 * q + 1]
    return 0.5 * area


@inlined
def _is_beyond(columns: Any, x: int, y: int, limit: float) -> Any:
    """Whether boxes tell that the gap is above the limit; see `relations.gap_by_boxes`."""
    left, top, right, bottom = columns[0], columns[1], columns[2], columns[3]
    aside = max(left[x] - right[y], left[y] - right[x])
    above = max(top[x] - bottom[y], top[y] - bottom[x])
    low = _length(max(aside, 0.0), max(above, 0.0))
    return low - BOUND * (limit + low) > limit


@inlined
def _is_within(columns: Any, x: int, y: int, limit: float) -> Any:
    """Whether boxes tell that the gap is below the limit."""
    left, top, right, bottom = columns[0], columns[1], columns[2], columns[3]
    span_x = max(right[x], right[y]) - min(left[x], left[y])
    span_y = max(bottom[x], bottom[y]) - min(top[x], top[y])
    beside = _length(min(abs(left[x] - right[y]), abs(left[y] - right[x])), span_y)
    stacked = _length(min(abs(top[x] - bottom[y]), abs(top[y] - bottom[x])), span_x)
    high = min(beside, stacked)
    return high + BOUND * (limit + high) < limit


@inlined
def _gap_of_four(columns: Any, x: int, y: int, limit: float, a: Any, b: Any, slack: float, apart: float) -> int:
    """The same, told by centroids and corners."""
    diag, area, cx, cy = columns[4], columns[5], columns[6], columns[7]
    if math.isnan(limit):
        return OPEN
    if _close(diag, area, cx, cy, x, y, limit):
        return SATISFIED
    if math.isnan(apart):
        return OPEN
    if apart < -slack:
        return SATISFIED if BOUND * limit < limit else OPEN
    if apart <= slack:
        return OPEN
    if apart - slack - BOUND * (limit + apart) > limit:
        return VIOLATED
    gap = _distance(a, b, limit - 2 * (slack + BOUND * limit))
    if gap - slack - BOUND * (limit + gap) > limit:
        return VIOLATED
    return SATISFIED if gap + slack + BOUND * (limit + gap) < limit else OPEN


@inlined
def _close(diag: Any, area: Any, cx: Any, cy: Any, x: int, y: int, limit: float) -> Any:
    """Whether the centroids of two quadrilaterals, which lie inside, tell that the gap is below the limit."""
    if not (area[x] > 0 and area[y] > 0):
        return False
    inside = (area[x] / diag[x] + area[y] / diag[y]) / 3.0
    apart = _length(cx[x] - cx[y], cy[x] - cy[y]) - inside
    return max(apart, 0.0) + BOUND * (limit + diag[x] + diag[y]) < limit


@inlined
def _share(columns: Any, x: int, y: int, limit: float) -> int:
    """Whether the common area is above 0 and at least the limit, as far as boxes tell."""
    left, top, right, bottom, diag, area = columns[:6]
    smaller = min(area[x], area[y])
    wide = min(right[x], right[y]) - max(left[x], left[y])
    high = min(bottom[x], bottom[y]) - max(top[x], top[y])
    at_most = min(max(wide, 0.0) * max(high, 0.0), smaller)
    extent = max(diag[x], diag[y])
    rounding = BOUND * (at_most + limit + extent * extent)
    return OPEN if smaller > 0 and wide >= 0 and high >= 0 and at_most + rounding >= limit else VIOLATED


@inlined
def _share_of_four(columns: Any, x: int, y: int, limit: float, a: Any, b: Any, slack: float, apart: float,
                   work: Any) -> int:  # fmt: skip
    """The same, told by corners, far enough from 0 and from the limit."""
    left, top, right, bottom, diag = columns[:5]
    if math.isnan(apart):
        return OPEN
    if apart > slack:
        return VIOLATED
    extent = max(diag[x], diag[y])
    furthest = max(max(abs(left[x]), abs(right[x])), max(abs(top[x]), abs(bottom[x]))) + extent
    common = _common(a, b, work)
    # Corners of an intersection are rounded where they stand, far from the origin.
    rounding = BOUND * (common + limit + extent * extent) + 1e-14 * furthest * extent
    if common - rounding > 0 and common - rounding >= limit:
        return SATISFIED
    return VIOLATED if common + rounding < limit else OPEN


@inlined
def _near_limit(label: Any, image: Any, diag: Any, near_value: Any, near_unit: Any, gsd: Any, x: int, y: int) -> Any:
    first, second = (label[x], label[y]) if len(near_value) > 1 else (0, 0)  # else all classes have one limit
    value, unit = near_value[first, second], near_unit[first, second]
    if unit == RATIO:
        limit = value * min(diag[x], diag[y])
    elif unit == METRES:
        limit = value / gsd[image[x]]
    else:
        assert unit == PIXELS
        limit = value
    return limit if math.isnan(limit) else max(TOUCH_PX, limit)


@inlined
def _pair(columns: Any, label: Any, image: Any, stored: Any, heads: Any, first: Any, stride: int, program: Any,
          limits: Any, at: int, near_value: Any, near_unit: Any, gsd: Any, numbers: Any, x: int, y: int, known: Any,
          a: Any, b: Any, work: Any, corners: bool) -> int:  # fmt: skip
    """All literals of one pair; x is the owner. Corners are asked only where `corners` says so.

    known  int64 (1,): whether x is a quadrilateral, whose corners are in a then; UNKNOWN before it was needed
    """
    diag, area, cx, cy = columns[4], columns[5], columns[6], columns[7]
    far_ratio, touch_px, inside_share = numbers
    looked, four, slack, apart = False, False, 0.0, np.nan
    result = SATISFIED
    for i in range(len(program)):
        word, negated, swapped = program[i, 0], program[i, 1], program[i, 2]
        p, q = (y, x) if swapped else (x, y)
        found, limit = VIOLATED, 0.0
        if word == OTHER:
            found = SATISFIED if x != y else VIOLATED
        elif x == y:  # all relations are false of an entity and itself; its gap is 0
            if word in (WITHIN, BELOW):
                limit = limits[i, at]
                if math.isnan(limit):
                    found = OPEN
                elif limit > 0 or (limit == 0 and word == WITHIN):
                    found = SATISFIED
        elif word == SAME_CLASS:
            found = SATISFIED if label[x] == label[y] else VIOLATED
        elif word == LEFT:
            found = SATISFIED if cx[p] < cx[q] else VIOLATED
        elif word == RIGHT:
            found = SATISFIED if cx[p] > cx[q] else VIOLATED
        elif word == ABOVE:
            found = SATISFIED if cy[p] < cy[q] else VIOLATED
        elif word == BELOW_OF:
            found = SATISFIED if cy[p] > cy[q] else VIOLATED
        elif word == LARGER:
            found = SATISFIED if area[p] > area[q] else VIOLATED
        elif word == SMALLER:
            found = SATISFIED if area[p] < area[q] else VIOLATED
        else:
            share = word in (OVERLAPS, INSIDE, CONTAINS)
            if word == OVERLAPS:
                limit = OVERLAP_SHARE * min(area[x], area[y])
            elif word == INSIDE:
                limit = inside_share * area[p]
            elif word == CONTAINS:
                limit = inside_share * area[q]
            elif word in (WITHIN, BELOW):
                limit = limits[i, at]
            elif word == TOUCHES:
                limit = touch_px
            else:
                limit = _near_limit(label, image, diag, near_value, near_unit, gsd, x, y)
                if word == FAR:  # what is near by a limit of its own is not far
                    limit = max(limit, max(TOUCH_PX, far_ratio * min(diag[x], diag[y])))
            if share:
                found = _share(columns, x, y, limit)
            elif math.isnan(limit):
                found = OPEN
            else:
                found = VIOLATED if _is_beyond(columns, x, y, limit) else OPEN
            if found == OPEN and not looked:  # most pairs end before: outlines lie far from the columns
                looked = True
                if known[0] == UNKNOWN:
                    known[0] = int(_four(stored, heads, first, stride, x))
                    if known[0]:
                        _load(stored, first, x, a)
                four = known[0] == 1 and _four(stored, heads, first, stride, y)
            if found == OPEN and not four:
                if not share and _is_within(columns, x, y, limit):
                    found = SATISFIED
            elif found == OPEN and not corners:
                if not share and _close(diag, area, cx, cy, x, y, limit):
                    found = SATISFIED
            elif found == OPEN:
                if slack == 0.0:
                    _load(stored, first, y, b)
                    apart = _separation(a, b)
                    slack = _slack(columns, x, y)
                if share:
                    found = _share_of_four(columns, x, y, limit, a, b, slack, apart, work)
                else:
                    found = _gap_of_four(columns, x, y, limit, a, b, slack, apart)
            if word == FAR and found != OPEN:
                found = SATISFIED - found
        if negated and found != OPEN:
            found = SATISFIED - found
        if found == VIOLATED:
            return VIOLATED
        if found == OPEN:
            result = OPEN
    return result


@inlined
def _slack(columns: Any, x: int, y: int) -> Any:
    left, top, right, bottom = columns[0], columns[1], columns[2], columns[3]
    wide = max(right[x], right[y]) - min(left[x], left[y])
    return SLACK * (wide + max(bottom[x], bottom[y]) - min(top[x], top[y]))


# --- cells ------------------------------------------------------------------------------------------------------------


@function
def _size_of(extent: float) -> int:
    """Which power of four."""
    size, bound = 0, 4.0
    while size < SIZES - 1 and extent >= bound:
        size += 1
        bound *= 4.0
    return size


@function
def _fill(columns: Any, candidates: Any, begin: int, end: int, grids: Any, cell: Any, starts: Any, order: Any,
          place: Any, boxes: Any) -> int:  # fmt: skip
    """Puts the candidates of an image into cells by the upper left corner, a grid for each size; how many sizes.

    grids   float64 (SIZES, FIELDS): left, top, the greatest breadth and height, side of a cell, columns, rows,
            number of the first cell, how many, the greatest diagonal
    cell    int64 (n,): the cell of each candidate
    starts  int64 (cells + 1,): where each cell's candidates begin in `order`
    place   int64 (n,): the place of each candidate in that order
    boxes   float64 (n, 4): their boxes in that order
    """
    left, top, right, bottom, diag = columns[0], columns[1], columns[2], columns[3], columns[4]
    first_left, first_top, last_left, last_top = np.inf, np.inf, -np.inf, -np.inf
    widest, tallest, longest, together = 0.0, 0.0, 0.0, 0.0
    for i in range(begin, end):
        row = candidates[i]
        wide, high = right[row] - left[row], bottom[row] - top[row]
        first_left, first_top = min(first_left, left[row]), min(first_top, top[row])
        last_left, last_top = max(last_left, left[row]), max(last_top, top[row])
        widest, tallest, longest = max(widest, wide), max(tallest, high), max(longest, diag[row])
        together += max(wide, high)
    if max(widest, tallest) * (end - begin) <= ALIKE * together:  # one size will do
        grid = grids[0]
        grid[0], grid[1], grid[2], grid[3] = first_left, first_top, widest, tallest
        grid[5], grid[6] = last_left, last_top
        grid[8], grid[9] = end - begin, longest
        for i in range(begin, end):
            cell[i - begin] = 0
        sizes = 1
    else:
        for s in range(SIZES):
            for f in range(FIELDS):
                grids[s, f] = 0.0
        for i in range(begin, end):
            row = candidates[i]
            wide, high = right[row] - left[row], bottom[row] - top[row]
            s = _size_of(max(wide, high))
            cell[i - begin] = s
            grid = grids[s]
            if grid[8] == 0:
                grid[0], grid[1], grid[5], grid[6] = left[row], top[row], left[row], top[row]
            grid[0], grid[1] = min(grid[0], left[row]), min(grid[1], top[row])
            grid[5], grid[6] = max(grid[5], left[row]), max(grid[6], top[row])  # for now: the greatest left and top
            grid[2], grid[3] = max(grid[2], wide), max(grid[3], high)
            grid[8] += 1
            grid[9] = max(grid[9], diag[row])
        sizes = SIZES
    cells = 0
    for s in range(sizes):
        grid = grids[s]
        if grid[8] == 0:
            continue
        wide, high = max(grid[5] - grid[0], 1.0), max(grid[6] - grid[1], 1.0)
        side = max(max(grid[2], grid[3]), math.sqrt(wide * high / grid[8]))
        side = max(side, max(wide, high) / (2.0 * grid[8]))  # never more than four cells a candidate
        grid[4], grid[5], grid[6] = side, math.floor(wide / side) + 1, math.floor(high / side) + 1
        grid[7] = cells
        cells += int(grid[5] * grid[6])
    for c in range(cells + 1):
        starts[c] = 0
    for i in range(begin, end):
        row, grid = candidates[i], grids[cell[i - begin]]
        across = min(int((left[row] - grid[0]) / grid[4]), int(grid[5]) - 1)
        down = min(int((top[row] - grid[1]) / grid[4]), int(grid[6]) - 1)
        mine = int(grid[7]) + down * int(grid[5]) + across
        cell[i - begin] = mine
        starts[mine + 1] += 1
    for c in range(cells):
        starts[c + 1] += starts[c]
    for i in range(begin, end):
        mine = cell[i - begin]
        row, where = candidates[i], starts[mine]
        order[where], place[i - begin] = row, where
        boxes[where, 0], boxes[where, 1] = left[row], top[row]
        boxes[where, 2], boxes[where, 3] = right[row], bottom[row]
        starts[mine] += 1
    for c in range(cells, 0, -1):
        starts[c] = starts[c - 1]
    starts[0] = 0
    if sizes == 1:
        return sizes
    sizes = 0
    for s in range(SIZES):  # those that there are stand first
        if grids[s, 8] > 0:
            for f in range(FIELDS):
                grids[sizes, f] = grids[s, f]
            sizes += 1
    return sizes


@exported(
    "void(i8[::1], i8[:, ::1], i8[::1], f8[::1], i8[::1], b1[::1],"
    "UniTuple(Array(f8, 1, 'C', readonly=True), 8), Array(i4, 1, 'C', readonly=True), Array(i4, 1, 'C', readonly=True),"
    "Array(f8, 3, 'A', readonly=True, aligned=False), Array(u8, 1, 'A', readonly=True, aligned=False),"
    "Array(i8, 1, 'C', readonly=True), i8, i8[:, ::1], f8[:, ::1], Array(f8, 2, 'C', readonly=True),"
    "Array(i8, 2, 'C', readonly=True), Array(f8, 1, 'C', readonly=True), UniTuple(f8, 3), f8, i8, i8,"
    "Tuple((f8[:, ::1], f8[:, ::1], f8[::1], f8[::1], f8[:, ::1])), UniTuple(i8[::1], 5), i8[::1], i8[::1],"
    "i8[:, ::1], i8[::1])",
)
def scan_all(owners: Any, rounds: Any, candidates: Any, reach: Any, group: Any, done: Any, columns: Any, label: Any,
             image: Any, stored: Any, heads: Any, first: Any, stride: int, program: Any, limits: Any, near_value: Any,
             near_unit: Any, gsd: Any, numbers: Any, per_diag: float, enough: int, onwards: int, workspace: Any,
             places: Any, sure: Any, open_: Any, listed: Any, state: Any) -> None:  # fmt: skip
    """See `scan.Scan`; a round (rounds, 4) says where some owners start and end, and their candidates.

    listed  int64 (room, 3): pairs that are not violated, owner, row, verdict; without room they are only counted
    state   int64 (3,): the round and the owner to go on from, how many pairs are listed; all rounds done at the end
    """
    left, top, right, bottom, diag = columns[0], columns[1], columns[2], columns[3], columns[4]
    grids, boxes, a, b, work = workspace
    cell, starts, order, place, known = places
    room = len(listed)
    sizes, few, filled_begin, filled_end = 0, False, -1, -1
    for r in range(state[0], len(rounds)):
        begin, end = rounds[r, 2], rounds[r, 3]
        if begin != filled_begin or end != filled_end:
            filled_begin, filled_end = begin, end
            few = end - begin <= FEW or rounds[r, 1] - rounds[r, 0] <= FEW_OWNERS
            if few:  # one cell
                for f in range(FIELDS):
                    grids[0, f] = 1.0 if 4 <= f < 7 else 0.0
                starts[0], starts[1] = 0, end - begin
                for i in range(begin, end):
                    row = candidates[i]
                    grids[0, 9] = max(grids[0, 9], diag[row])
                    order[i - begin], place[i - begin] = row, i - begin
                    boxes[i - begin, 0], boxes[i - begin, 1] = left[row], top[row]
                    boxes[i - begin, 2], boxes[i - begin, 3] = right[row], bottom[row]
                sizes = 1
            else:
                sizes = _fill(columns, candidates, begin, end, grids, cell, starts, order, place, boxes)
        same = begin  # the candidate that is the owner, or comes next
        for at in range(max(rounds[r, 0], state[1]), rounds[r, 1]):
            if done[group[at]]:
                continue
            if room and state[2] + end - begin > room:
                state[0], state[1] = r, at
                return
            x = owners[at]
            least = 0  # the first place that is looked at
            if onwards:  # owners mostly ascend
                while same > begin and candidates[same - 1] >= x:
                    same -= 1
                while same < end and candidates[same] < x:
                    same += 1
                if same < end and candidates[same] == x:
                    least = place[same - begin] + (1 if onwards == 1 else 0)
            known[0] = UNKNOWN
            furthest = max(max(abs(left[x]), abs(right[x])), max(abs(top[x]), abs(bottom[x])))
            found_sure, found_open, stop = 0, 0, False
            for look in range(1 if enough == 1 else 2, 3):  # where one will do, without corners first
                found_sure, found_open = 0, 0
                for s in range(sizes):
                    if stop:
                        break
                    grid = grids[s]
                    margin = reach[at]
                    if per_diag < np.inf:
                        margin = min(margin, max(TOUCH_PX, per_diag * grid[9]))
                    margin = margin * (1.0 + REACH_SLACK) + REACH_SLACK + ROUNDING * furthest
                    here_left, here_right = left[x] - margin, right[x] + margin
                    here_top, here_bottom = top[x] - margin, bottom[x] + margin
                    across, down = int(grid[5]), int(grid[6])
                    first_row, last_row, middle, first_column, last_column = 0, 0, 0, 0, 0
                    if not few:
                        side = 1.0 / grid[4]
                        from_x, from_y = (here_left - grid[2] - grid[0]) * side, (here_top - grid[3] - grid[1]) * side
                        to_x, to_y = (here_right - grid[0]) * side, (here_bottom - grid[1]) * side
                        if to_x < 0 or to_y < 0 or from_x >= across + 1 or from_y >= down + 1:
                            continue
                        first_column = int(max(from_x - ROUNDED, 0.0))
                        last_column = int(min(to_x + ROUNDED, across - 1.0))
                        first_row, last_row = int(max(from_y - ROUNDED, 0.0)), int(min(to_y + ROUNDED, down - 1.0))
                        # What is nearest comes first: the owner's own row of cells, and then those above and below.
                        middle = int(min(max((top[x] - grid[1]) * side, float(first_row)), float(last_row)))
                    for k in range(2 * max(middle - first_row, last_row - middle) + 1):
                        row = middle + (k + 1) // 2 if k % 2 else middle - k // 2
                        if row < first_row or row > last_row:
                            continue
                        base = int(grid[7]) + row * across
                        for i in range(max(starts[base + first_column], least), starts[base + last_column + 1]):
                            if (
                                boxes[i, 0] > here_right or boxes[i, 2] < here_left
                                or boxes[i, 1] > here_bottom or boxes[i, 3] < here_top
                            ):  # fmt: skip
                                continue
                            y = order[i]
                            found = _pair(columns, label, image, stored, heads, first, stride, program, limits, at,
                                          near_value, near_unit, gsd, numbers, x, y, known, a, b,
                                          work, look == 2)  # fmt: skip
                            if found == SATISFIED:
                                found_sure += 1
                                if enough and sure[at] + found_sure >= enough:
                                    stop = True
                                    break
                            elif found == OPEN:
                                found_open += 1
                            if room and found != VIOLATED:
                                listed[state[2], 0], listed[state[2], 1], listed[state[2], 2] = at, y, found
                                state[2] += 1
                        if stop:
                            break
                if stop or found_open == 0:
                    break
            sure[at] += found_sure
            open_[at] = 0 if stop else open_[at] + found_open
            if stop:
                done[group[at]] = True
        state[1] = 0
    state[0] = len(rounds)

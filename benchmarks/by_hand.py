"""The twelve queries planned by hand with numpy and shapely: what the engine has to beat.

Each plan is a function from a `Table` to whether each image satisfies the query, bool (images,). Outlines are decoded
before the clock starts. Pairs come from an STRtree over boxes that images are shifted apart for; boxes decide first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

CHUNK = 2_000_000
APART = 100_000.0  # px between two images in the tree: more than any image is wide
DENSE = 5_000_000  # products up to this size are looked at whole


@dataclass(frozen=True, eq=False)
class Table:
    """Entities with a score of at least 0.5, in order of image and class."""

    images: int
    image: Any
    label: Any
    classes: tuple[str, ...]
    columns: dict[str, Any]
    outlines: Any

    def of(self, name: str) -> Any:
        """Rows of a class."""
        return np.flatnonzero(self.label == self.classes.index(name)) if name in self.classes else np.zeros(0, int)

    def __getattr__(self, name: str) -> Any:
        return self.columns[name]

    def has(self, rows: Any) -> Any:
        """Whether each image has one of the rows."""
        return self.number(rows) > 0

    def number(self, rows: Any) -> Any:
        """How many of the rows each image has."""
        return np.bincount(self.image[rows], minlength=self.images)


def same_image(t: Table, a: Any, b: Any) -> tuple[Any, Any]:
    """All pairs of two lists of rows that share an image."""
    low = np.searchsorted(t.image[b], t.image[a], "left")
    lengths = np.searchsorted(t.image[b], t.image[a], "right") - low
    first = np.repeat(np.arange(len(a)), lengths)
    second = np.arange(len(first)) + (low - (np.cumsum(lengths) - lengths))[first]
    return a[first], b[second]


def within(t: Table, a: Any, b: Any, limit: Callable[[Any, Any], Any], widest: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Pairs whose gap is at most limit(a, b); `widest` bounds the limit from the first alone."""
    here = t.has(a) & t.has(b)
    a, b = a[here[t.image[a]]], b[here[t.image[b]]]
    if not len(a):
        return a, b
    if int((t.number(a).astype(np.int64) * t.number(b)).sum()) <= DENSE:
        a, b = same_image(t, a, b)
    else:
        shift = t.image * APART
        tree = shapely.STRtree(
            shapely.box(t.min_x[b] + shift[b], t.min_y[b], t.max_x[b] + shift[b], t.max_y[b])
        )
        r = widest(a)
        first, second = tree.query(
            shapely.box(t.min_x[a] + shift[a] - r, t.min_y[a] - r, t.max_x[a] + shift[a] + r, t.max_y[a] + r)
        )
        a, b = a[first], b[second]
    found = []
    for start in range(0, len(a), CHUNK):
        x, y = a[start : start + CHUNK], b[start : start + CHUNK]
        x, y = x[x != y], y[x != y]
        r = limit(x, y)
        left, right = t.min_x[x] - t.max_x[y], t.min_x[y] - t.max_x[x]
        top, bottom = t.min_y[x] - t.max_y[y], t.min_y[y] - t.max_y[x]
        near = np.hypot(np.maximum(np.maximum(left, right), 0), np.maximum(np.maximum(top, bottom), 0)) <= r
        x, y, r = x[near], y[near], r[near]
        close = shapely.distance(t.outlines[x], t.outlines[y]) <= r
        found.append((x[close], y[close]))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True)) if found else (a, b)  # type: ignore[return-value]


def near(t: Table, a: Any, b: Any) -> tuple[Any, Any]:
    """Pairs that are near each other."""
    return within(t, a, b, lambda x, y: np.maximum(1, np.minimum(t.diag[x], t.diag[y])),
                  lambda x: np.maximum(1, t.diag[x]))  # fmt: skip


def within_px(t: Table, a: Any, b: Any, px: float) -> tuple[Any, Any]:
    """Pairs at most that far apart."""
    return within(t, a, b, lambda x, y: np.full(len(x), px), lambda x: np.full(len(x), px))


def in_images(t: Table, rows: Any, images: Any) -> Any:
    """The rows in images where the mask is true."""
    return rows[images[t.image[rows]]]


def counts(t: Table) -> Any:
    return (t.number(t.of("ship")) >= 3) & (t.number(t.of("harbor")) == 0)


def twice(t: Table) -> Any:
    return (t.number(t.of("small_vehicle")) > 2 * t.number(t.of("large_vehicle"))) & t.has(t.of("bridge"))


def near_one(t: Table) -> Any:
    return t.has(near(t, t.of("ship"), t.of("harbor"))[0])


def left(t: Table) -> Any:
    x, y = same_image(t, t.of("plane"), t.of("storage_tank"))
    return t.has(x[(t.cx[x] < t.cx[y]) & (t.area[x] > t.area[y])])


def every_one(t: Table) -> Any:
    ships = t.of("ship")
    done = np.zeros(len(t.image), bool)
    done[near(t, ships, t.of("harbor"))[0]] = True
    return t.has(ships) & ~t.has(ships[~done[ships]])


def none_near(t: Table) -> Any:
    planes = t.of("plane")
    done = np.zeros(len(t.image), bool)
    done[near(t, planes, planes)[0]] = True
    return t.has(planes[~done[planes]])


def counted_near(t: Table) -> Any:
    large = in_images(t, t.of("large_vehicle"), t.number(t.of("large_vehicle")) >= 5)
    return t.number(np.unique(near(t, large, t.of("small_vehicle"))[0])) >= 5


def overlap(t: Table) -> Any:
    every = np.arange(len(t.image))
    shift = t.image * APART
    boxes = shapely.box(t.min_x + shift, t.min_y, t.max_x + shift, t.max_y)
    tree = shapely.STRtree(boxes)
    result = np.zeros(t.images, bool)
    for start in range(0, len(every), CHUNK // 8):
        x, y = tree.query(boxes[start : start + CHUNK // 8])
        x = x + start
        pick = (x < y) & (t.label[x] != t.label[y]) & ~result[t.image[x]]
        x, y = x[pick], y[pick]
        smaller = np.minimum(t.area[x], t.area[y])
        meet = shapely.intersects(t.outlines[x], t.outlines[y])
        x, y, smaller = x[meet], y[meet], smaller[meet]
        common = shapely.area(shapely.intersection(t.outlines[x], t.outlines[y]))
        result[t.image[x[(common > 0) & (common >= 0.001 * smaller)]]] = True
    return result


def between(t: Table) -> Any:
    y, z = same_image(t, t.of("harbor"), t.of("harbor"))
    y, z = y[y < z], z[y < z]
    ships = in_images(t, t.of("ship"), t.has(y))
    order = np.argsort(t.image[y], kind="stable")
    y, z = y[order], z[order]
    result = np.zeros(t.images, bool)
    low = np.searchsorted(t.image[y], t.image[ships], "left")
    lengths = np.searchsorted(t.image[y], t.image[ships], "right") - low
    ends = np.cumsum(lengths)
    start = 0
    while start < len(ships):
        stop = max(start + 1, int(np.searchsorted(ends, (ends[start - 1] if start else 0) + CHUNK)))
        some = np.arange(start, stop)[~result[t.image[ships[start:stop]]]]
        mine = lengths[some]
        first = np.repeat(some, mine)
        pair = np.arange(len(first)) + np.repeat(low[some] - (np.cumsum(mine) - mine), mine)
        x, a, b = ships[first], y[pair], z[pair]
        zx, zy = t.cx[b] - t.cx[a], t.cy[b] - t.cy[a]
        px, py = t.cx[x] - t.cx[a], t.cy[x] - t.cy[a]
        along, across, squared = px * zx + py * zy, px * zy - py * zx, zx * zx + zy * zy
        fits = (along > 0) & (along < squared) & (np.abs(across) <= 0.25 * squared)
        result[t.image[x[fits]]] = True
        start = stop
    return result


def triangle(t: Table) -> Any:
    courts, large, small = t.of("tennis_court"), t.of("large_vehicle"), t.of("small_vehicle")
    all_three = t.has(courts) & t.has(large) & t.has(small)
    lx, lz = near(t, in_images(t, large, all_three), in_images(t, courts, all_three))
    sx, sz = near(t, in_images(t, small, t.has(lx)), np.unique(lz))
    sx2, sy = near(t, np.unique(sx), np.unique(lx))
    n = len(t.image)
    large_court = np.unique(lx * n + lz)
    small_court = np.argsort(sx, kind="stable")
    sx, sz = sx[small_court], sz[small_court]
    low = np.searchsorted(sx, sx2, "left")
    lengths = np.searchsorted(sx, sx2, "right") - low
    first = np.repeat(np.arange(len(sx2)), lengths)
    court = sz[np.arange(len(first)) + (low - (np.cumsum(lengths) - lengths))[first]]
    closed = np.isin(sy[first] * n + court, large_court)
    return t.has(sx2[first[closed]])


def chain(t: Table) -> Any:
    bridges = t.of("bridge")
    cars = in_images(t, t.of("small_vehicle"), t.has(bridges))
    done = np.zeros(len(t.image), bool)
    done[near(t, cars, cars)[0]] = True
    bad = np.unique(within_px(t, bridges, cars[~done[cars]], 300.0)[0])
    return t.has(np.setdiff1d(bridges, bad))


def counted_neighbours(t: Table) -> Any:
    cars = in_images(t, t.of("small_vehicle"), t.number(t.of("small_vehicle")) > 4)
    harbors = t.of("harbor")
    close = within(t, cars, harbors, lambda x, y: np.maximum(1, 3 * np.minimum(t.diag[x], t.diag[y])),
                   lambda x: np.maximum(1, 3 * t.diag[x]))[0]  # fmt: skip
    cars = np.setdiff1d(cars, close)
    n = len(t.image)
    neighbours = np.bincount(near(t, cars, t.of("small_vehicle"))[0], minlength=n)
    cars = cars[neighbours[cars] > 3]
    trucks = np.bincount(within_px(t, cars, t.of("large_vehicle"), 100.0)[0], minlength=n)
    return t.has(cars[neighbours[cars] > 2 * trucks[cars] + 3])


PLANS: dict[str, Callable[[Table], Any]] = {
    "counts": counts,
    "more than twice as many": twice,
    "near": near_one,
    "left of": left,
    "every one near some": every_one,
    "none near": none_near,
    "counted near": counted_near,
    "overlap without a class": overlap,
    "between": between,
    "triangle": triangle,
    "chain": chain,
    "counted neighbours": counted_neighbours,
}

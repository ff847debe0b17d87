"""Which entities of a table exist, and where those of a class in an image stand among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from .atoms import Rows
from .bounds import Histogram
from .frame import chunks, ranges

if TYPE_CHECKING:
    from ..entities.table import EntityTable

BLOCK = 1 << 18  # entities counted at once: their numbers stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Population:
    """The entities of a table that exist.

    total      how many entities the table has
    rows       theirs, ascending, int32 (k,); None where all exist
    offsets    int64 (m, C + 1): places in `rows`, as the table's offsets are places in the table
    histogram  how many of each class each image has
    """

    total: int
    rows: NDArray[np.int32] | None
    offsets: Rows
    histogram: Histogram

    def of(self, images: Rows, codes: Rows) -> tuple[Rows, Rows]:
        """The rows of these classes in these images, and how many of each image; images and codes ascending, int64.

        The rows stand in order of image, ascending in each.
        """
        if not len(codes):
            return np.zeros(0, dtype=np.int64), np.zeros(len(images), dtype=np.int64)
        first = np.flatnonzero(np.diff(codes, prepend=-2) != 1)  # classes that stand side by side are one run
        last = np.append(first[1:], len(codes)) - 1
        starts, stops = (
            self.offsets[images[:, None], at] for at in (codes[first][None, :], codes[last][None, :] + 1)
        )
        lengths = stops - starts
        places = ranges(starts.ravel(), lengths.ravel())
        return places if self.rows is None else self.rows[places].astype(np.int64), lengths.sum(axis=1)

    @property
    def exists(self) -> NDArray[np.bool_]:
        """For each row of the table whether it exists, bool (n,)."""
        if self.rows is None:
            return np.ones(self.total, dtype=bool)
        result = np.zeros(self.total, dtype=bool)
        result[self.rows] = True
        return result


_KNOWN: WeakKeyDictionary[EntityTable, tuple[float, Population]] = WeakKeyDictionary()


def with_score(table: EntityTable, min_score: float) -> Population:
    """The entities with that score; the last answer for a table is remembered."""
    known = _KNOWN.get(table)
    if known is None or known[0] != min_score:
        known = _KNOWN[table] = (min_score, at_least(table, table.score, min_score))
    return known[1]


def at_least(table: EntityTable, values: NDArray[Any], least: float | bool) -> Population:
    """The entities whose value is at least that; a block of images at a time, so that nothing large is made beside."""
    offsets, total = table.offsets, len(values)
    places = np.empty_like(offsets)
    rows: list[NDArray[np.int32]] = []
    running = np.zeros(1, dtype=np.int32)
    done = 0
    for images in chunks(offsets[:, -1] - offsets[:, 0], BLOCK):
        first, last = int(offsets[images.start, 0]), int(offsets[images.stop - 1, -1])
        exists = values[first:last] >= least
        if len(running) <= last - first:
            running = np.zeros(last - first + 1, dtype=np.int32)
        np.cumsum(exists, dtype=np.int32, out=running[1 : last - first + 1])
        np.add(running[offsets[images] - first], done, out=places[images])
        rows.append((np.flatnonzero(exists) + first).astype(np.int32))
        done += len(rows[-1])
    histogram = Histogram(tuple(table.classes), np.diff(places, axis=1).astype(np.int32))
    if done == total:
        return Population(total, None, offsets, histogram)
    return Population(total, np.concatenate(rows), places, histogram)


def above(table: EntityTable, thresholds: NDArray[np.float64], images: Rows) -> Population:
    """The entities of some images with at least their image's score, and none of other images.

    thresholds  float64 (m,), for all images of the table; images ascending. The work goes with these images alone
    """
    offsets = table.offsets[images]
    sizes = offsets[:, -1] - offsets[:, 0]
    rows = ranges(offsets[:, 0], sizes)
    exists = table.score[rows] >= np.repeat(thresholds[images], sizes)
    running = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(exists, out=running[1:])
    of_images = running[offsets - (offsets[:, 0] - (np.cumsum(sizes) - sizes))[:, None]]
    places = np.zeros_like(table.offsets)
    places[images] = of_images
    counts = np.zeros((len(places), len(table.classes)), dtype=np.int32)
    counts[images] = np.diff(of_images, axis=1)
    return Population(len(table), rows[exists].astype(np.int32), places, Histogram(tuple(table.classes), counts))

"""Tables of bindings, and the few operations on ranges of rows that everything columnar is written with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .atoms import Rows


@dataclass(frozen=True, slots=True)
class Frame:
    """Bindings in order of image: `rows` has for each variable the entity rows, int64 (n,); `image` int64 (n,)."""

    image: Rows
    rows: Mapping[str, Rows]

    def __len__(self) -> int:
        return len(self.image)

    def take(self, index: Any) -> Frame:
        """The bindings at an index or under a mask."""
        return Frame(self.image[index], {name: column[index] for name, column in self.rows.items()})

    def extended(self, parent: Rows, var: str, rows: Rows) -> Frame:
        """The bindings at `parent`, each with one more variable bound."""
        wider = self.take(parent)
        return Frame(wider.image, {**wider.rows, var: rows})


def expand(starts: Rows, lengths: Rows) -> tuple[Rows, Rows]:
    """For ranges start, start + 1, ...: the number of the range, and each of its values, one after the other."""
    return np.repeat(np.arange(len(lengths), dtype=np.int64), lengths), ranges(starts, lengths)


def ranges(starts: Rows, lengths: Rows) -> Rows:
    """The values of ranges start, start + 1, ..., one range after the other."""
    ends = np.cumsum(lengths)
    values = np.repeat(starts - (ends - lengths), lengths)
    values += np.arange(len(values), dtype=np.int64)
    return values


@dataclass(frozen=True, slots=True)
class Runs:
    """Where the rows of each of some images start: those of image first + i are starts[i] to starts[i + 1]."""

    first: int
    starts: Rows

    @classmethod
    def of(cls, counts: Rows, first: int) -> Runs:
        """Of images from the first on, with so many rows each."""
        starts = np.zeros(len(counts) + 1, dtype=np.int64)
        np.cumsum(counts, out=starts[1:])
        return cls(first, starts)

    def at(self, image: NDArray[Any]) -> tuple[Rows, Rows]:
        """For each image where its rows start, and how many they are; int64 (k,) each."""
        place = image - self.first
        starts = self.starts[place]
        return starts, self.starts[place + 1] - starts


def run_starts(key: NDArray[Any]) -> Rows:
    """Where runs of equal values start."""
    if not len(key):
        return np.zeros(0, dtype=np.int64)
    changes = np.flatnonzero(key[1:] != key[:-1])
    starts = np.empty(len(changes) + 1, dtype=np.int64)
    starts[0] = 0
    np.add(changes, 1, out=starts[1:])
    return starts


def different(rows: Rows) -> Rows:
    """The different values, ascending."""
    return rows[one_of_each(rows)]


def one_of_each(rows: Rows) -> Rows:
    """The places of the different values, each once, in order of value; quick where they are sorted already."""
    if len(rows) > 1 and bool((rows[1:] < rows[:-1]).any()):
        return np.unique(rows, return_index=True)[1]
    return run_starts(rows)


def chunks(lengths: Rows, limit: int) -> Iterator[slice]:
    """Runs of ranges whose lengths together stay under `limit` (a single one may exceed it)."""
    ends = np.cumsum(lengths)
    start = 0
    while start < len(lengths):
        done = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, done + limit, side="right")))
        yield slice(start, stop)
        start = stop


def shares(lengths: Rows, count: int) -> list[slice]:
    """Runs of ranges, at most so many, of about the same length together; all ranges are in one."""
    ends = np.cumsum(lengths)
    cuts = np.searchsorted(ends, np.arange(1, count) * (int(ends[-1]) / max(1, count))) + 1 if len(ends) else ends
    bounds_of = sorted({0, *cuts.tolist(), len(lengths)})
    return [slice(start, stop) for start, stop in pairwise(bounds_of)]


def one_key(columns: Sequence[Rows]) -> Rows:
    """One number for each combination of values: equal exactly where all columns are."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        _, dense = np.unique(column, return_inverse=True)
        key = key * (int(dense.max(initial=0)) + 1) + dense
        _, key = np.unique(key, return_inverse=True)
        key = key.astype(np.int64)
    return key


def place_in_run(key: Rows) -> tuple[Rows, Rows]:
    """For sorted keys the place of each among its equals, from 0, and how many equals there are."""
    first = run_starts(key)
    lengths = np.diff(first, append=len(key))
    return np.arange(len(key), dtype=np.int64) - np.repeat(first, lengths), np.repeat(lengths, lengths)

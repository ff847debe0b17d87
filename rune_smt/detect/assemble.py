"""Gathers the chunks of a reader into columns, in stretches, so that memory holds numbers and bytes but few objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rune_smt.detect.outlines import store
from rune_smt.detect.records import Chunk, Floats, ImageName, ImageRecord, Ints, Journal, Outlines

STRETCH = 50_000  # entities that are shapely objects at one time


@dataclass(frozen=True, slots=True, eq=False)
class Assembled:
    """Everything read, in reading order.

    images      one record an image, in the order of first mention
    image       int64 (n,)  index into `images`
    entity_id   int64 (n,)  number inside the image
    labels      the different names of classes; label int64 (n,) indexes them
    scores      float64 (n,)
    geometry    pyarrow large_binary, WKB as read
    origins     pyarrow string, file:line or file#id
    attributes  columns by the source's own names: numpy numbers, or object arrays with None for missing
    left_out    bool (n,)  numbered, but not to be kept
    areas       reference areas that came along: px2 by label, one set for each image that carried any
    merged      labels of which things that touch are one entity
    """

    images: tuple[ImageRecord, ...]
    image: Ints
    entity_id: Ints
    labels: tuple[str, ...]
    label: Ints
    scores: Floats
    geometry: Any
    origins: Any
    attributes: Mapping[str, NDArray[Any]]
    left_out: NDArray[np.bool_]
    areas: tuple[Mapping[str, float], ...]
    merged: frozenset[str]

    def __len__(self) -> int:
        return len(self.image)


class Assembly:
    """Takes chunks in reading order; `finish` gives the whole."""

    def __init__(self, journal: Journal):
        self.journal = journal
        self.images: list[ImageRecord] = []
        self.positions: dict[ImageName, int] = {}
        self.last: tuple[Sequence[ImageRecord], Ints] | None = None
        self.codes: dict[str, int] = {}
        self.columns: dict[str, list[NDArray[Any]]] = {"image": [], "id": [], "label": [], "score": [], "out": []}
        self.attributes: dict[str, list[tuple[int, NDArray[Any] | Sequence[Any]]]] = {}
        self.areas: list[Mapping[str, float]] = []
        self.merged: set[str] = set()
        self.count = 0
        self.waiting: list[Chunk] = []
        self.waiting_count = 0
        self.geometry: list[Any] = []
        self.origins: list[Any] = []

    def add(self, chunk: Chunk) -> None:
        """One more chunk."""
        place = self._places(chunk.images)
        n = len(chunk.labels)
        if chunk.reference_areas is not None:
            self.areas.append(chunk.reference_areas)
        self.merged |= chunk.merged
        if not n:
            return
        codes = self.codes
        self.columns["image"].append(place[chunk.image])
        self.columns["id"].append(chunk.entity_id if chunk.entity_id is not None else np.full(n, -1, dtype=np.int64))
        labels = np.fromiter((codes.setdefault(label, len(codes)) for label in chunk.labels), dtype=np.int64, count=n)
        self.columns["label"].append(labels)
        self.columns["score"].append(chunk.scores)
        self.columns["out"].append(chunk.left_out if chunk.left_out is not None else np.zeros(n, dtype=bool))
        for name, values in chunk.attributes.items():
            self.attributes.setdefault(name, []).append((self.count, values))
        self.count += n
        self.waiting.append(chunk)
        self.waiting_count += n
        if self.waiting_count >= STRETCH:
            self._flush()

    def _places(self, records: Sequence[ImageRecord]) -> Ints:
        """The position of each record's image; what it says is kept where nothing was known before."""
        if self.last is not None and self.last[0] is records:
            return self.last[1]
        place = np.empty(len(records), dtype=np.int64)
        for index, record in enumerate(records):
            known = self.positions.setdefault(record.name, len(self.images))
            if known == len(self.images):
                self.images.append(record)
            else:
                self.images[known] = merged(self.images[known], record)
            place[index] = known
        self.last = (records, place)
        return place

    def _flush(self) -> None:
        if not self.waiting:
            return
        origins = [origin for chunk in self.waiting for origin in chunk.origins]
        wkb, crossing, flat = store(_joined([chunk.outlines for chunk in self.waiting]))
        self.geometry.append(pa.array(wkb, pa.large_binary()))
        self.origins.append(pa.array(origins, pa.string()))
        self.journal.note_all("repaired", [origins[index] for index in crossing.tolist()])
        self.journal.note_all("zero area", [origins[index] for index in flat.tolist()])
        self.waiting, self.waiting_count = [], 0

    def finish(self) -> Assembled:
        """All columns; entities that the source did not number are numbered in reading order."""
        self._flush()
        image = _concatenated(self.columns["image"], np.int64)
        given = self.given()
        return Assembled(
            images=tuple(self.images),
            image=image,
            entity_id=np.where(given >= 0, given, running_numbers(image)),
            labels=tuple(self.codes),
            label=_concatenated(self.columns["label"], np.int64),
            scores=_concatenated(self.columns["score"], np.float64),
            geometry=pa.chunked_array(self.geometry, pa.large_binary()),
            origins=pa.chunked_array(self.origins, pa.string()),
            attributes={name: self._attribute(pieces) for name, pieces in self.attributes.items()},
            left_out=_concatenated(self.columns["out"], np.bool_),
            areas=tuple(self.areas),
            merged=frozenset(self.merged),
        )

    def given(self) -> Ints:
        """The numbers that the source gave the entities, int64 (n,), -1 for none."""
        return _concatenated(self.columns["id"], np.int64)

    def _attribute(self, pieces: list[tuple[int, NDArray[Any] | Sequence[Any]]]) -> NDArray[Any]:
        """One column over all rows; None where a chunk had no such field."""
        whole = sum(len(values) for _, values in pieces) == self.count
        if whole and all(isinstance(values, np.ndarray) for _, values in pieces):
            return np.concatenate([np.asarray(values) for _, values in pieces])
        column = np.full(self.count, None, dtype=object)
        for start, values in pieces:
            column[start : start + len(values)] = values if isinstance(values, list) else _plain(values)
        return column


def _plain(values: NDArray[Any] | Sequence[Any]) -> list[Any]:
    """As Python's own scalars: a whole number stays one."""
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def merged(first: ImageRecord, second: ImageRecord) -> ImageRecord:
    """What either says of the image; the first is believed where both speak."""
    sized = first.width is not None and first.height is not None
    return replace(
        first,
        width=first.width if sized else second.width or first.width,
        height=first.height if sized else second.height or first.height,
        gsd=first.gsd if first.gsd is not None else second.gsd,
        gsd_source=first.gsd_source if first.gsd is not None else second.gsd_source,
        path=first.path or second.path,
        further={**second.further, **first.further},
    )


def running_numbers(image: Ints) -> Ints:
    """For each row, how many rows before it are of the same image."""
    order = np.argsort(image, kind="stable")
    ordered = image[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(image) else ordered
    lengths = np.diff(np.concatenate([starts, [len(image)]]))
    numbers = np.empty(len(image), dtype=np.int64)
    numbers[order] = np.arange(len(image)) - np.repeat(starts, lengths)
    return numbers


def _concatenated(pieces: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(pieces).astype(dtype, copy=False) if pieces else np.empty(0, dtype=dtype)


def _joined(pieces: list[Outlines]) -> Outlines:
    points, rings, parts, ready = [], [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], {}
    corner, ring, entity = 0, 0, 0
    for piece in pieces:
        points.append(piece.points)
        rings.append(piece.rings[1:] + corner)
        parts.append(piece.parts[1:] + ring)
        ready.update({index + entity: shape for index, shape in piece.ready.items()})
        corner, ring, entity = corner + len(piece.points), ring + len(piece.rings) - 1, entity + len(piece)
    return Outlines(np.concatenate(points), np.concatenate(rings), np.concatenate(parts), ready)

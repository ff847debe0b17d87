"""The entity table: everything seen in every image, one row an entity; a class of an image is one slice of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from threading import Lock
from typing import Any, Literal, TypeAlias, overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import DataError, QueryError
from . import compute as pc
from .geometry import MEASURES, Shapes, as_array, from_storage, measures, to_storage
from .nearest import nearest_name
from .outline import coordinates_of, has_four_corners

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]
AttributeKind: TypeAlias = Literal["boolean", "number", "text"]

SMALLEST_GSD, LARGEST_GSD = 0.005, 1000.0  # metres per pixel; outside it is taken as unknown (LANGUAGE, section 1)
_DECODING = Lock()  # threads share what is decoded
MEMO = 1_000_000  # decoded outlines kept in memory, about half a gigabyte of quadrilaterals

# A quadrilateral as it is stored: a polygon of one ring of five points, the last of which is the first. Nothing else
# that is little-endian and has the same head is as long.
QUADRILATERAL = np.dtype([("head", "<u8"), ("more", "V5"), ("corners", "<f8", (4, 2)), ("again", "<f8", (2,))])
HEAD = int.from_bytes(b"\x01\x03\0\0\0\x01\0\0", "little")


@dataclass(frozen=True, eq=False)
class Attribute:
    """One attribute column.

    kind    boolean (values 0 or 1), number, or text (values index `texts`)
    values  float64 (n,), NaN = missing
    texts   the different texts, in byte order
    """

    kind: AttributeKind
    values: Floats
    texts: tuple[str, ...] = ()

    def of(self, row: int) -> bool | float | str | None:
        """The value in one row, None where it is missing."""
        value = float(self.values[row])
        if value != value:
            return None
        if self.kind == "text":
            return self.texts[int(value)]
        return bool(value) if self.kind == "boolean" else value


class Names(Sequence[str]):
    """A column of strings that stays in Arrow memory; an item is made into a str when it is asked for."""

    def __init__(self, array: Any):
        self.arrow = array

    def __len__(self) -> int:
        return len(self.arrow)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [str(name) for name in self.arrow[index].to_pylist()]
        return str(self.arrow[int(index)].as_py())

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrow.to_pylist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        return f"({shown}{', ...' if len(self) > 3 else ''})"


@dataclass(frozen=True, eq=False)
class ImageTable:
    """One row an image, sorted by image_id (byte order).

    image_id   sequence of str (m,)
    width, height  float64 (m,), pixels, NaN = unknown
    gsd        float64 (m,), metres per pixel, NaN = unknown or outside 0.005 to 1000
    transform  float64 (m, 6), pixel to map in GDAL order, NaN row = unknown
    arrow      pyarrow.Table, these and all further columns
    """

    image_id: Names
    width: Floats
    height: Floats
    gsd: Floats
    transform: Floats
    arrow: Any

    def __post_init__(self) -> None:
        m = len(self.image_id)
        for name, shape in (("width", (m,)), ("height", (m,)), ("gsd", (m,)), ("transform", (m, 6))):
            _expect(name, getattr(self, name), shape, np.float64)

    def __len__(self) -> int:
        return len(self.image_id)

    def index(self, image_id: str) -> int:
        """The row of an image. Raises QueryError with the nearest name where there is none."""
        place = self._place(image_id)
        if place is not None:
            return place
        near = nearest_name(image_id, list(self.image_id))
        if near is not None:
            raise QueryError(f"No image '{image_id}'. Nearest: {near}.")
        held = f"There are {len(self)}, {self.image_id[0]} to {self.image_id[-1]}." if len(self) else "There are none."
        raise QueryError(f"No image '{image_id}'.", hint=held)

    def _place(self, image_id: str) -> int | None:
        wanted = image_id.encode()
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.image_id[middle].encode() < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self.image_id[low] == image_id else None

    def __contains__(self, image_id: object) -> bool:
        return isinstance(image_id, str) and self._place(image_id) is not None

    @classmethod
    def from_arrow(cls, arrow: Any) -> ImageTable:
        """From a table with `image_id` (sorted) and, where known, width, height, gsd and transform."""
        m = arrow.num_rows
        transform = np.full((m, 6), np.nan)
        if "transform" in arrow.column_names:
            transform = _transforms(arrow.column("transform"), m)
        gsd = _float_column(arrow, "gsd", m)
        unknown = ~((gsd >= SMALLEST_GSD) & (gsd <= LARGEST_GSD))
        if not np.isnan(gsd[unknown]).all():
            gsd = np.where(unknown, np.nan, gsd)
        names = arrow.column("image_id")
        names = names.combine_chunks() if names.num_chunks != 1 else names.chunk(0)
        width, height = (_positive(_float_column(arrow, name, m)) for name in ("width", "height"))
        return cls(Names(names), _frozen(width), _frozen(height), _frozen(gsd), _frozen(transform), arrow)


class Outlines:
    """The outlines of a table: held as shapely geometries, or as WKB that is decoded for the rows asked for.

    in_place  whether `corners_in_place` gives those of all rows
    """

    in_place = True

    def __init__(self, *, shapes: Shapes | None = None, wkb: Any = None, area: Floats | None = None):
        self._shapes = shapes
        self._wkb = wkb
        self._area = area
        self._known: NDArray[np.bool_] | None = None if wkb is None else np.zeros(len(wkb), np.bool_)
        self._count = 0

    def take(self, rows: Rows) -> Shapes:
        """Shapely geometries of these rows, in their order."""
        if self._wkb is None:
            assert self._shapes is not None
            return self._shapes[rows]
        with _DECODING:
            return self._decoded(rows)

    def _decoded(self, rows: Rows) -> Shapes:
        assert self._area is not None and self._known is not None
        if self._shapes is None or self._count > MEMO:
            self._shapes, self._count = np.empty(len(self._wkb), np.object_), 0
            self._known[:] = False
        shapes = self._shapes
        missing = np.unique(rows[~self._known[rows]])
        if len(missing):
            offsets, data = self._wkb.buffers()[1:]
            ends = np.frombuffer(offsets, np.int64, count=len(self._wkb) + 1, offset=8 * self._wkb.offset)
            memory = memoryview(data)
            spans = zip(ends[missing].tolist(), ends[missing + 1].tolist(), strict=True)
            wkb = np.array([bytes(memory[start:stop]) for start, stop in spans], np.object_)
            shapes[missing] = from_storage(wkb, self._area[missing])
            self._known[missing] = True
            self._count += len(missing)
        return shapes[rows]

    def corners(self, rows: Rows) -> Floats:
        """The corners of these rows, float64 (k, 4, 2), in order around; NaN where an outline has not just four."""
        if self._wkb is None:
            return self._all_corners[rows]
        four = self.four_cornered(rows)
        if four.all():
            start, records = self._records
            corners: Floats = records[start[rows]]["corners"]
            return corners
        result = np.full((len(rows), 4, 2), np.nan)
        result[four] = self.corners(rows[four])
        return result

    def four_cornered(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows have just four corners: their outlines are convex."""
        if self._wkb is None:
            return np.asarray(~np.isnan(self._all_corners[rows, 0, 0]))
        start, records = self._records
        first = start[rows]
        four: NDArray[np.bool_] = start[rows + 1] - first == QUADRILATERAL.itemsize
        if len(records):
            four &= records["head"][np.minimum(first, len(records) - 1)] == HEAD
        return four

    @cached_property
    def _records(self) -> tuple[Rows, NDArray[Any]]:
        """Where each WKB starts, int64 (n + 1,); and what would be read as a quadrilateral from every byte on."""
        offsets, data = self._wkb.buffers()[1:]
        ends = np.frombuffer(offsets, np.int64, count=len(self._wkb) + 1, offset=8 * self._wkb.offset)
        places = max(0, data.size - QUADRILATERAL.itemsize + 1)
        return ends, np.ndarray((places,), QUADRILATERAL, data, strides=(1,))

    def corners_in_place(self) -> tuple[Floats, NDArray[np.uint64], Rows, int]:
        """Corners as they lie in memory, for compiled loops: corners, heads, where each row has them, their stride.

        Row r is a quadrilateral where first[r + 1] - first[r] is the stride and heads[first[r]] is HEAD; its corners
        are corners[first[r]], NaN where it is none after all.
        """
        if self._wkb is None:
            corners = self._all_corners
            heads = np.full(len(corners), HEAD, np.uint64)
            return corners, heads, np.arange(len(corners) + 1, dtype=np.int64), 1
        start, records = self._records
        return records["corners"], records["head"], start, QUADRILATERAL.itemsize

    @cached_property
    def _all_corners(self) -> Floats:
        assert self._shapes is not None
        result = np.full((len(self._shapes), 4, 2), np.nan)
        where = np.flatnonzero(has_four_corners(self._shapes))
        if len(where):
            result[where] = coordinates_of(self._shapes[where]).reshape(-1, 5, 2)[:, :4]
        return result

    def wkb(self) -> Any:
        """All of them as Arrow large_binary."""
        if self._wkb is not None:
            return self._wkb
        assert self._shapes is not None
        return pa.array(to_storage(self._shapes), pa.large_binary())


class LazyAttributes(Mapping[str, Attribute]):
    """Attribute columns that are read when they are asked for; their kinds are known before."""

    def __init__(self, readers: Mapping[str, Callable[[], Attribute]], kinds: Mapping[str, AttributeKind]):
        self._readers = dict(readers)
        self.kinds = dict(kinds)
        self._read: dict[str, Attribute] = {}

    def __getitem__(self, name: str) -> Attribute:
        if name not in self._read:
            self._read[name] = self._readers[name]()
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)


@dataclass(frozen=True, eq=False)
class EntityTable:
    """Every entity of every image. Row order: image, then class code, then entity_id. Arrays are read-only.

    column     dtype    shape     meaning
    offsets    int64    (m, C+1)  rows of class c in image k: offsets[k, c]:offsets[k, c+1]; of k: offsets[k, 0]:[k, C]
    image      int32    (n,)      row of `images`
    entity_id  int32    (n,)      number inside the image
    classes    str      (C,)      class names, sorted
    label      int32    (n,)      index into `classes`
    score      float64  (n,)      detector confidence, 0 to 1
    cx, cy     float64  (n,)      centroid, px; x to the right, y downwards
    area       float64  (n,)      px2
    length, width, diag  float64 (n,)  sides and diagonal of the minimum rotated rectangle, px
    angle      float64  (n,)      of the long side, x axis towards y axis, degrees in [0, 180); NaN without direction
    min_x, min_y, max_x, max_y  float64 (n,)  bounds, px
    attributes                    Attribute by name
    reference_area  float64 (C,)  median area of the class over the whole archive, px2
    shapes                        the outlines; ask with `outlines(rows)`
    """

    images: ImageTable
    offsets: NDArray[np.int64]
    image: NDArray[np.int32]
    entity_id: NDArray[np.int32]
    classes: tuple[str, ...]
    label: NDArray[np.int32]
    score: Floats
    cx: Floats
    cy: Floats
    area: Floats
    length: Floats
    width: Floats
    diag: Floats
    angle: Floats
    min_x: Floats
    min_y: Floats
    max_x: Floats
    max_y: Floats
    attributes: Mapping[str, Attribute]
    reference_area: Floats
    shapes: Outlines

    def __post_init__(self) -> None:
        n, m, count = len(self.image), len(self.images), len(self.classes)
        _expect("offsets", self.offsets, (m, count + 1), np.int64)
        for name in ("image", "entity_id", "label"):
            _expect(name, getattr(self, name), (n,), np.int32)
        for name in ("score", *MEASURES):
            _expect(name, getattr(self, name), (n,), np.float64)
        _expect("reference_area", self.reference_area, (count,), np.float64)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __len__(self) -> int:
        return len(self.image)

    @property
    def kinds(self) -> dict[str, AttributeKind]:
        """The kind of every attribute; none is read for it where the table is lazy."""
        if isinstance(self.attributes, LazyAttributes):
            return self.attributes.kinds
        return {name: column.kind for name, column in self.attributes.items()}

    def outlines(self, rows: Rows) -> Shapes:
        """Shapely geometries of these rows, object array of the same shape; decoded for these rows only."""
        return self.shapes.take(np.asarray(rows, np.int64))

    def corners(self, rows: Rows) -> Floats:
        """The corners of these rows, float64 (k, 4, 2), px, in order around; NaN where an outline has not just four."""
        return self.shapes.corners(rows)

    def four_cornered(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these rows have outlines of just four corners, so convex ones; bool (k,)."""
        return self.shapes.four_cornered(rows)

    def rows_of(self, image_index: int) -> Rows:
        """Rows of one image in order of entity_id, int64."""
        start, stop = int(self.offsets[image_index, 0]), int(self.offsets[image_index, -1])
        return start + np.argsort(self.entity_id[start:stop], kind="stable").astype(np.int64)

    @cached_property
    def extent(self) -> tuple[Floats, Floats]:
        """Largest x and largest y of every image's entities, float64 (m,) each; NaN where it has none."""
        starts, stops = self.offsets[:, 0], self.offsets[:, -1]
        filled = np.flatnonzero(stops > starts)
        result = []
        for column in (self.max_x, self.max_y):
            largest = np.full(len(self.images), np.nan)
            if len(filled):
                largest[filled] = np.maximum.reduceat(column, starts[filled])
            result.append(_frozen(largest))
        return result[0], result[1]

    @classmethod
    def build(
        cls,
        images: ImageTable,
        *,
        image: Any,
        entity_id: Any,
        label: Any,
        classes: Sequence[str],
        score: Any,
        shapes: Shapes,
        attributes: Mapping[str, Attribute] | None = None,
        reference_areas: Mapping[str, float] | None = None,
    ) -> EntityTable:
        """Sorts, measures and indexes entities given in any order.

        image, entity_id, label, score  (n,): row of `images`, number, index into `classes`, confidence
        classes          names in any order; those without entities are left out
        shapes           object (n,): settled outlines
        reference_areas  px2 by class name; a class that is not among them gets the median of its entities here
        """
        label = np.asarray(label, np.int64)
        image, entity_id = np.asarray(image, np.int32), np.asarray(entity_id, np.int32)
        names, codes = sorted_classes(classes, label)
        order = row_order(image, codes, entity_id)
        shapes = as_array(shapes)[order]
        columns = measures(shapes)
        codes, image = codes[order], image[order]
        return cls(
            images=images,
            offsets=class_offsets(image, codes, len(images), len(names)),
            image=image,
            entity_id=entity_id[order],
            classes=names,
            label=codes,
            score=np.asarray(score, np.float64)[order],
            attributes={
                name: Attribute(a.kind, _frozen(a.values[order]), a.texts) for name, a in (attributes or {}).items()
            },
            reference_area=class_medians(columns["area"], codes, names, reference_areas or {}),
            shapes=Outlines(shapes=shapes),
            **columns,
        )


# --- parts that the archive shares ------------------------------------------------------------------------------------


def sorted_classes(classes: Sequence[str], label: NDArray[np.int64]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The names that occur, sorted, and the labels as indices into them."""
    used = np.unique(label)
    names = tuple(sorted({classes[i] for i in used}))
    place = {name: i for i, name in enumerate(names)}
    codes = np.full(len(classes), -1, np.int32)
    for i in used:
        codes[i] = place[classes[i]]
    return names, codes[label]


def row_order(image: NDArray[np.int32], label: NDArray[np.int32], entity_id: NDArray[np.int32]) -> Rows:
    """Permutation that sorts by image, then class, then entity_id."""
    return np.lexsort((entity_id, label, image)).astype(np.int64)


def class_offsets(image: NDArray[np.int32], label: NDArray[np.int32], m: int, count: int) -> NDArray[np.int64]:
    """Offsets (m, C+1) of sorted rows: see EntityTable."""
    offsets = np.zeros((m, count + 1), np.int64)
    if not count:
        return offsets
    sizes = np.bincount(image.astype(np.int64) * count + label, minlength=m * count)
    ends = np.cumsum(sizes).reshape(m, count)
    offsets[:, 1:] = ends
    offsets[1:, 0] = ends[:-1, -1]
    return offsets


def class_medians(area: Floats, label: NDArray[np.int32], classes: Sequence[str], known: Mapping[str, float]) -> Floats:
    """The reference area of every class: the known one, else the median of its entities here, whatever their score."""
    result = np.full(len(classes), np.nan)
    for code, name in enumerate(classes):
        if name in known:
            result[code] = known[name]
        else:
            own = area[label == code]
            if len(own):
                result[code] = np.median(own)
    return result


def _expect(name: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape:
        raise DataError(f"{name} must have shape {shape}, got {array.shape}")
    if array.dtype != dtype:
        raise DataError(f"{name} must be {np.dtype(dtype).name}, got {array.dtype.name}")


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array


def _positive(values: Floats) -> Floats:
    """A size that is not above 0 is no size."""
    return values if not (values <= 0).any() else np.where(values > 0, values, np.nan)


def _float_column(arrow: Any, name: str, m: int) -> Floats:
    """A numeric column as float64, null as NaN; all NaN where there is none."""
    if name not in arrow.column_names:
        return np.full(m, np.nan)
    column = arrow.column(name)
    kind = {pa.float64(): np.float64, pa.int32(): np.int32, pa.int64(): np.int64}.get(column.type)
    if kind is None or column.null_count:
        column, kind = pc.fill_null(column.cast(pa.float64()), float("nan")), np.float64
    chunks = [over_memory(chunk, kind) for chunk in column.chunks]
    return np.concatenate(chunks).astype(np.float64, copy=False) if chunks else np.zeros(m)


def over_memory(array: Any, dtype: Any) -> NDArray[Any]:
    """Numpy over the memory of a primitive Arrow array, read-only. Raises ValueError where it has nulls.

    Arrow's own to_numpy imports pandas where that is installed: half a second of a fresh process.
    """
    if array.null_count:
        raise ValueError(f"{array.null_count} nulls in a column that has none")
    buffer, itemsize = array.buffers()[1], np.dtype(dtype).itemsize
    if buffer is None or not len(array):
        return np.zeros(0, dtype)
    return np.frombuffer(buffer, dtype, count=len(array), offset=array.offset * itemsize)


def _transforms(column: Any, m: int) -> Floats:
    """Six numbers a row; a null, or a list with a null or not of six numbers, is unknown."""
    result = np.full((m, 6), np.nan)
    if column.null_count == m:
        return result
    flat = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    good = np.asarray(pc.fill_null(pc.equal(pc.list_value_length(flat), 6), False).to_numpy(zero_copy_only=False), bool)
    values = pc.list_flatten(flat.filter(pa.array(good))).cast(pa.float64())
    numbers = np.asarray(pc.fill_null(values, float("nan")).to_numpy(zero_copy_only=False), np.float64).reshape(-1, 6)
    result[good] = np.where(np.isfinite(numbers).all(axis=1, keepdims=True), numbers, np.nan)
    return result

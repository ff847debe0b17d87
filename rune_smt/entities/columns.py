"""The entity table as Arrow: the file that an archive maps into memory, and the table over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import DataError
from . import compute as pc
from .geometry import MEASURES
from .table import Attribute, AttributeKind, EntityTable, Floats, ImageTable, LazyAttributes, Outlines, over_memory

INTEGERS = ("image", "entity_id", "label")
NUMBERS = ("score", *MEASURES)
WKB = "wkb"
PREFIX = "@"  # before the name of an attribute, whose own name may be that of a measure
KIND = b"kind"


def attribute_column(column: Any) -> tuple[AttributeKind, Any] | None:
    """An attribute as it is kept: float64 with NaN for null, or a sorted dictionary of texts; None for other types.

    column  Arrow array or chunked array of booleans, numbers or texts
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = flat(column.cast(pa.string()))
        texts = pc.unique(column.drop_null())
        texts = texts.take(pc.sort_indices(texts))
        return "text", pa.DictionaryArray.from_arrays(pc.index_in(column, texts), texts)
    if pa.types.is_boolean(kind):
        numbers = column.cast(pa.int8()).cast(pa.float64())
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        numbers = column.cast(pa.float64(), safe=False)
    else:
        return None
    return "boolean" if pa.types.is_boolean(kind) else "number", flat(pc.fill_null(numbers, float("nan")))


def flat(column: Any) -> Any:
    """One contiguous array."""
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # more than one array can hold
        raise DataError("A column is too large for one archive.", hint="Split the sources into several archives.")
    return column


def columns_of(table: EntityTable, attributes: Mapping[str, tuple[AttributeKind, Any]]) -> Any:
    """The table's columns as one Arrow table.

    attributes  kind and column (see `attribute_column`) by name, in the table's row order
    """
    fields = [pa.field(name, pa.int32(), False) for name in INTEGERS]
    fields += [pa.field(name, pa.float64(), False) for name in NUMBERS]
    fields.append(pa.field(WKB, pa.large_binary(), False))
    arrays = [pa.array(getattr(table, name)) for name in (*INTEGERS, *NUMBERS)]
    arrays.append(table.shapes.wkb())
    for name, (kind, column) in attributes.items():
        fields.append(pa.field(PREFIX + name, column.type, metadata={KIND: kind.encode()}))
        arrays.append(column)
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def offsets_of(table: EntityTable) -> Any:
    """The offsets as one Arrow column of m * (C + 1) numbers."""
    return pa.table({"offset": pa.array(table.offsets.reshape(-1))})


def table_over(
    columns: Any, offsets: Any, images: ImageTable, classes: Sequence[str], reference_areas: Mapping[str, float]
) -> EntityTable:
    """The entity table over Arrow columns: nothing is copied, every array is read-only."""
    numbers: dict[str, Any] = {name: view(columns.column(name)) for name in (*INTEGERS, *NUMBERS)}
    wkb = flat(columns.column(WKB))
    return EntityTable(
        images=images,
        offsets=np.asarray(view(offsets.column("offset"))).reshape(len(images), len(classes) + 1),
        classes=tuple(classes),
        attributes=attributes_over(columns),
        reference_area=np.array([reference_areas.get(name, np.nan) for name in classes], np.float64),
        shapes=Outlines(wkb=wkb, area=numbers["area"]),
        **numbers,
    )


def attributes_over(columns: Any) -> LazyAttributes:
    """The attribute columns, made into numbers when they are asked for."""
    readers: dict[str, Callable[[], Attribute]] = {}
    kinds: dict[str, AttributeKind] = {}
    for field in columns.schema:
        if field.name.startswith(PREFIX):
            name = field.name.removeprefix(PREFIX)
            kinds[name] = field.metadata[KIND].decode()
            readers[name] = partial(_attribute, kinds[name], columns.column(field.name))
    return LazyAttributes(readers, kinds)


def view(column: Any) -> NDArray[Any]:
    """Read-only numpy over Arrow memory."""
    array = flat(column)
    return over_memory(array, array.type.to_pandas_dtype())


def _attribute(kind: AttributeKind, column: Any) -> Attribute:
    if kind != "text":
        return Attribute(kind, view(column))
    column = flat(column)
    indices = pc.fill_null(column.indices.cast(pa.float64()), float("nan"))
    values: Floats = indices.to_numpy(zero_copy_only=False)
    values.flags.writeable = False
    return Attribute(kind, values, tuple(column.dictionary.to_pylist()))

"""Entities and images as they come in: checked, completed, sorted, measured. Refusals name the row and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import DataError
from . import compute as pc
from .columns import attribute_column, attributes_over, columns_of, flat, offsets_of
from .geometry import MEASURES, OutlineError, measures, settle, to_storage
from .geoparquet import decode, is_geometry, with_metadata
from .table import (
    LARGEST_GSD,
    SMALLEST_GSD,
    EntityTable,
    Floats,
    ImageTable,
    Outlines,
    class_medians,
    class_offsets,
    row_order,
    sorted_classes,
)

CHUNK = 250_000  # outlines that are shapely objects at one time, about a tenth of a gigabyte of quadrilaterals

ENTITY_COLUMNS = {
    "image_id": pa.string(),
    "entity_id": pa.int32(),
    "label": pa.string(),
    "source_label": pa.string(),
    "score": pa.float64(),
    "geometry": pa.binary(),
    "source": pa.string(),
}
IMAGE_COLUMNS = {
    "image_id": pa.string(),
    "width": pa.int32(),
    "height": pa.int32(),
    "gsd": pa.float64(),
    "gsd_source": pa.string(),
    "path": pa.string(),
    "crs": pa.string(),
    "transform": pa.list_(pa.float64()),
    "acquired": pa.timestamp("us"),
    "sha256": pa.string(),
    "truncated": pa.bool_(),
}


@dataclass(frozen=True, eq=False)
class Incoming:
    """What came in, ready to be kept.

    entities      Arrow, as INTERFACE has it, sorted by image_id and entity_id, outlines settled
    images        Arrow, sorted by image_id, with unusable gsd and sizes made null
    table         the entity table over it
    columns, offsets  the table as Arrow
    repaired      how many outlines crossed themselves
    unusable_gsd  images whose gsd was given but is not a number from 0.005 to 1000
    """

    entities: Any
    images: Any
    table: EntityTable
    columns: Any
    offsets: Any
    repaired: int
    unusable_gsd: tuple[str, ...]


def take_in(entities: Any, images: Any, reference_areas: Mapping[str, float] | None = None) -> Incoming:
    """Checks, completes, sorts and measures tables of entities and images (INTERFACE, "Tables").

    reference_areas  px2 by class; a class that is not among them gets its median
    Raises DataError that names the row.
    """
    images, unusable = take_in_images(images)
    image_table = ImageTable.from_arrow(images)
    entities = standard_entities(entities)
    n = entities.num_rows

    image = _image_rows(entities, images)
    entity_id = _entity_ids(entities, image)
    entities = _with_column(entities, "entity_id", pa.array(entity_id))
    _refuse_repeated(entities, image, entity_id)
    entities = _with_column(entities, "score", pa.array(_scores(entities)))
    wkb, measured, repaired = _outlines(entities)
    entities = _with_column(entities, "geometry", wkb)
    classes, label = _labels(entities)

    order = row_order(image, label, entity_id)
    measured = {name: values[order] for name, values in measured.items()}
    image_sorted, label_sorted = image[order], label[order]
    taken = pa.array(order)
    attributes = {}
    for name in entities.column_names:
        if name not in ENTITY_COLUMNS:
            kept = attribute_column(entities.column(name))
            if kept is not None:
                attributes[name] = (kept[0], kept[1].take(taken))
    table = EntityTable(
        images=image_table,
        offsets=class_offsets(image_sorted, label_sorted, len(image_table), len(classes)),
        image=image_sorted,
        entity_id=entity_id[order],
        classes=classes,
        label=label_sorted,
        score=entities.column("score").to_numpy()[order],
        attributes={},
        reference_area=class_medians(measured["area"], label_sorted, classes, reference_areas or {}),
        shapes=Outlines(wkb=wkb.take(taken), area=measured["area"]),
        **measured,
    )
    columns = columns_of(table, attributes)
    object.__setattr__(table, "attributes", attributes_over(columns))

    by_id = np.lexsort((entity_id, image))
    if (by_id != np.arange(n)).any():
        entities = entities.take(pa.array(by_id))
    entities = with_metadata(_narrow_geometry(entities), table)
    return Incoming(entities, images, table, columns, offsets_of(table), repaired, unusable)


def take_in_images(images: Any) -> tuple[Any, tuple[str, ...]]:
    """The images table, standard columns first, sorted by image_id; and the images whose gsd is unusable."""
    images = _standard(images, IMAGE_COLUMNS, "images", needed=("image_id",))
    ids = flat(images.column("image_id"))
    _refuse_null(ids, "images", "image_id", "Give every image a name.")
    order = pc.sort_indices(ids)
    ordered = ids.take(order)
    if len(ordered) > 1:
        same = np.flatnonzero(np.asarray(pc.equal(ordered[1:], ordered[:-1])))
        if len(same):
            first, second = sorted((order[int(same[0])].as_py(), order[int(same[0]) + 1].as_py()))
            raise DataError(
                f"images row {second}: image_id '{ids[second].as_py()}' stands in row {first} already.",
                hint="Give every image once; pictures of the same name in two folders need longer names.",
            )
    images = images.take(order)
    gsd = flat(images.column("gsd"))
    usable = pc.and_(pc.greater_equal(gsd, SMALLEST_GSD), pc.less_equal(gsd, LARGEST_GSD))
    unusable = flat(images.column("image_id")).filter(pc.and_(pc.is_valid(gsd), pc.invert(usable)))
    images = _with_column(images, "gsd", pc.if_else(usable, gsd, pa.scalar(None, pa.float64())))
    for name in ("width", "height"):
        size = flat(images.column(name))
        images = _with_column(images, name, pc.if_else(pc.greater(size, 0), size, pa.scalar(None, pa.int32())))
    return images, tuple(unusable.to_pylist())


def standard_entities(entities: Any) -> Any:
    """The columns of INTERFACE first, cast to their types; score, source_label and source completed."""
    entities = _standard(entities, ENTITY_COLUMNS, "entities", needed=("image_id", "label", "geometry"))
    _refuse_null(entities.column("image_id"), "entities", "image_id", "Say which image the entity is in.")
    label = entities.column("label")
    _refuse_null(label, "entities", "label", "Give every entity a class.")
    empty = np.flatnonzero(np.asarray(pc.equal(label, "").to_numpy()))
    if len(empty):
        raise DataError(f"{_row(entities, int(empty[0]))}: label is empty.", hint="Give every entity a class.")
    entities = _with_column(entities, "source_label", pc.coalesce(entities.column("source_label"), label))
    return _with_column(entities, "source", pc.fill_null(entities.column("source"), ""))


# --- checks -----------------------------------------------------------------------------------------------------------


def _standard(table: Any, columns: Mapping[str, Any], what: str, needed: Sequence[str]) -> Any:
    names = table.column_names
    for name in needed:
        if name not in names:
            raise DataError(
                f"The {what} table has no column '{name}'; it has {', '.join(names) or 'none'}.",
                hint=f"Needed are {', '.join(needed)}.",
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"The {what} table has more than one column '{twice[0]}'.", hint="Rename or drop one of them.")
    fields, arrays = [], []
    for name, kind in columns.items():
        if name in names:
            arrays.append(_cast(table.column(name), kind, f"{what}, column '{name}'"))
        else:
            arrays.append(pa.nulls(table.num_rows, kind))
        fields.append(pa.field(name, arrays[-1].type))
    for name in names:
        if name not in columns:
            fields.append(pa.field(name, table.column(name).type))
            arrays.append(table.column(name))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _cast(column: Any, kind: Any, where: str) -> Any:
    if column.type == kind or (pa.types.is_binary(kind) and not isinstance(column.type, pa.BaseExtensionType)):
        return column  # whether a geometry is binary is seen when it is decoded
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
        return _cast(column, kind, where)
    try:
        if pa.types.is_timestamp(kind):
            return column if pa.types.is_temporal(column.type) else column.cast(kind)
        return column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{where} is {column.type} and cannot be read as {kind}: {error}") from None


def _row(entities: Any, row: int) -> str:
    """entities row 7 (labelTxt/P0012.txt:9)"""
    source = entities.column("source")[row].as_py() if "source" in entities.column_names else None
    return f"entities row {row} ({source})" if source else f"entities row {row}"


def _refuse_null(column: Any, what: str, name: str, hint: str) -> None:
    if column.null_count:
        row = int(np.flatnonzero(np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False)))[0])
        raise DataError(f"{what} row {row}: {name} is null.", hint=hint)


def _image_rows(entities: Any, images: Any) -> NDArray[np.int32]:
    rows = flat(pc.index_in(entities.column("image_id"), flat(images.column("image_id"))))
    if rows.null_count:
        row = int(np.flatnonzero(np.asarray(pc.is_null(rows).to_numpy(zero_copy_only=False)))[0])
        name = entities.column("image_id")[row].as_py()
        raise DataError(
            f"{_row(entities, row)}: the images table has no image '{name}'.",
            hint="Every image needs a row there, also those without entities.",
        )
    return np.asarray(rows.to_numpy(), np.int32)


def _entity_ids(entities: Any, image: NDArray[np.int32]) -> NDArray[np.int32]:
    column = entities.column("entity_id")
    n = len(image)
    if column.null_count == n and n:  # none given: reading order
        order = np.argsort(image, kind="stable")
        starts = np.searchsorted(image[order], image[order], side="left")
        ids = np.empty(n, np.int32)
        ids[order] = np.arange(n) - starts
        return ids
    _refuse_null(column, "entities", "entity_id", "Number all entities of an image from 0, or leave the column out.")
    ids = np.asarray(column.to_numpy(), np.int32)
    negative = np.flatnonzero(ids < 0)
    if len(negative):
        row = int(negative[0])
        raise DataError(f"{_row(entities, row)}: entity_id is {ids[row]}.", hint="Number the entities from 0.")
    return ids


def _refuse_repeated(entities: Any, image: NDArray[np.int32], entity_id: NDArray[np.int32]) -> None:
    order = np.lexsort((entity_id, image))
    same = np.flatnonzero((image[order][1:] == image[order][:-1]) & (entity_id[order][1:] == entity_id[order][:-1]))
    if len(same):
        first, second = sorted((int(order[same[0]]), int(order[same[0] + 1])))
        name = entities.column("image_id")[second].as_py()
        raise DataError(
            f"{_row(entities, second)}: entity {entity_id[second]} of image '{name}' stands in row {first} already.",
            hint="Number the entities of an image with different numbers, or leave entity_id out.",
        )


def _scores(entities: Any) -> Floats:
    scores = np.asarray(pc.fill_null(entities.column("score"), 1.0).to_numpy(), np.float64)
    bad = np.flatnonzero(~((scores >= 0) & (scores <= 1)))
    if len(bad):
        row = int(bad[0])
        raise DataError(
            f"{_row(entities, row)}: score is {scores[row]:g}, and must be a number from 0 to 1.",
            hint="Divide percentages by 100; leave the score null where there is none: it is 1.0 then.",
        )
    return scores


def _labels(entities: Any) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    encoded = flat(entities.column("label").dictionary_encode())
    return sorted_classes(encoded.dictionary.to_pylist(), np.asarray(encoded.indices.to_numpy(), np.int64))


def _outlines(entities: Any) -> tuple[Any, dict[str, Floats], int]:
    """Settled outlines as WKB (large_binary), their measures, and how many were repaired; in chunks, to save memory."""
    column = entities.column("geometry")
    if not is_geometry(column.type):
        raise DataError(
            f"entities, column 'geometry' is {column.type}, and must be binary: WKB polygons in pixels.",
            hint="shapely.to_wkb makes WKB from shapely polygons, shapely.from_wkt shapely polygons from text.",
        )
    n = entities.num_rows
    measured = {name: np.empty(n) for name in MEASURES}
    chunks: list[Any] = []
    repaired = 0
    for start in range(0, n, CHUNK):
        part = flat(column.slice(start, CHUNK).cast(pa.large_binary()))
        shapes = decode(part)
        try:
            shapes, changed = settle(shapes)
        except OutlineError as error:
            row = start + error.index
            message = error.message
            if shapes[error.index] is None:
                message = "geometry is null." if not part[error.index].is_valid else "geometry is no WKB."
            raise DataError(
                f"{_row(entities, row)}: {message}", hint="geometry is a WKB polygon or multipolygon in pixels."
            ) from None
        repaired += int(changed.sum())
        for name, values in measures(shapes).items():
            measured[name][start : start + CHUNK] = values
        chunks.append(pa.array(to_storage(shapes), pa.large_binary()))
    wkb = pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_binary())
    return wkb, measured, repaired


def _with_column(table: Any, name: str, column: Any) -> Any:
    return table.set_column(table.column_names.index(name), name, column)


def _narrow_geometry(entities: Any, rows: int = 1 << 16) -> Any:
    """The geometry as `binary`, which every reader of GeoParquet knows, in pieces that it can hold."""
    column = entities.column("geometry")
    pieces = [flat(column.slice(start, rows)) for start in range(0, len(column), rows)]
    try:
        narrow = pa.chunked_array([piece.cast(pa.binary()) for piece in pieces], pa.binary())
    except pa.ArrowInvalid:
        return entities
    return _with_column(entities, "geometry", narrow)

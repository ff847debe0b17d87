"""Several entity tables as one: the images of all in one order, the rows of all in one table, reference areas over all.

Every image lies in one part with all its entities, so what is asked of one image is asked of one part.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import DataError
from . import compute as pc
from .columns import attribute_column
from .incoming import ENTITY_COLUMNS
from .table import Attribute, AttributeKind, EntityTable, Floats, ImageTable, LazyAttributes, Outlines, Rows

Kinds = Mapping[str, AttributeKind]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the images of the parts stand among all.

    rows   for each part the rows of its images among all images, int64 (images of the part,), ascending
    part   int32 (m,)  the part of each image
    local  int64 (m,)  its row in that part
    """

    rows: tuple[Rows, ...]
    part: NDArray[np.int32]
    local: Rows


def joined_images(parts: Sequence[ImageTable]) -> tuple[ImageTable, Places]:
    """The images of all parts, sorted by image_id, and where those of each part stand. Ids are all different."""
    arrow = pa.concat_tables([part.arrow for part in parts], promote_options="permissive")
    sizes = np.array([len(part) for part in parts], np.int64)
    ends = np.cumsum(sizes)
    filled = [part.image_id for part in parts if len(part)]
    one_after_the_other = all(a[-1].encode() < b[0].encode() for a, b in pairwise(filled))
    place = np.arange(len(arrow), dtype=np.int64)
    if not one_after_the_other:
        order = np.asarray(pc.sort_indices(arrow.column("image_id")).to_numpy(), np.int64)
        place[order] = np.arange(len(order))
        arrow = arrow.take(pa.array(order))
    rows = tuple(np.split(place, ends[:-1]))
    part, local = np.empty(len(place), np.int32), np.empty(len(place), np.int64)
    for number, mine in enumerate(rows):
        part[mine], local[mine] = number, np.arange(len(mine))
    return ImageTable.from_arrow(arrow.combine_chunks()), Places(rows, part, local)


def as_part(table: EntityTable, classes: tuple[str, ...], kinds: Kinds, areas: Mapping[str, float]) -> EntityTable:
    """The table with the classes, attributes and reference areas of all parts; what it has itself is not copied.

    classes  sorted, those of the table among them
    kinds    the attributes of all parts; those that it lacks are missing in all its rows
    """
    own: dict[str, Any] = {}
    if table.classes != classes:
        codes = np.searchsorted(np.array(classes), np.array(table.classes, dtype=str)).astype(np.int32)
        before = np.searchsorted(codes, np.arange(len(classes) + 1))
        own = {"classes": classes, "offsets": table.offsets[:, before], "label": codes[table.label]}
    readers: dict[str, Callable[[], Attribute]] = {}
    for name, kind in kinds.items():
        readers[name] = partial(_attribute_or_missing, table, name, kind)
    reference = np.array([areas.get(name, np.nan) for name in classes], np.float64)
    return replace(table, attributes=LazyAttributes(readers, kinds), reference_area=reference, **own)


def _attribute_or_missing(table: EntityTable, name: str, kind: AttributeKind) -> Attribute:
    if name in table.attributes:
        found = table.attributes[name]
        if found.kind == kind:
            return found
    return Attribute(kind, _frozen(np.full(len(table), np.nan)))


def joined_table(parts: Sequence[EntityTable], images: ImageTable, places: Places, kinds: Kinds) -> EntityTable:
    """One table over parts of the same classes (see `as_part`): numbers are copied, outlines stay where they are."""
    classes = parts[0].classes
    counts = np.zeros((len(images), len(classes)), np.int64)
    for part, mine in zip(parts, places.rows, strict=True):
        counts[mine] = np.diff(part.offsets, axis=1)
    ends = np.cumsum(counts).reshape(counts.shape)
    total = int(ends[-1, -1]) if ends.size else 0
    offsets = np.zeros((len(images), len(classes) + 1), np.int64)
    offsets[:, 1:] = ends
    if len(classes):
        offsets[1:, 0] = ends[:-1, -1]
    targets = [_targets(part, mine, offsets) for part, mine in zip(parts, places.rows, strict=True)]
    columns: dict[str, Any] = {}
    for column in fields(EntityTable):
        if column.name in ("images", "offsets", "classes", "attributes", "reference_area", "shapes"):
            continue
        sources = [getattr(part, column.name) for part in parts]
        if column.name == "image":
            sources = [mine[part.image] for part, mine in zip(parts, places.rows, strict=True)]
        whole = np.empty(total, getattr(parts[0], column.name).dtype)
        for source, target in zip(sources, targets, strict=True):
            whole[target] = source
        columns[column.name] = whole
    attributes = {name: partial(_joined_attribute, parts, targets, name, kind) for name, kind in kinds.items()}
    return EntityTable(
        images=images,
        offsets=offsets,
        classes=classes,
        attributes=LazyAttributes(attributes, kinds),
        reference_area=parts[0].reference_area,
        shapes=_JoinedOutlines(parts, places, columns["image"], offsets[:, 0]),
        **columns,
    )


def _targets(part: EntityTable, mine: Rows, offsets: NDArray[np.int64]) -> Any:
    """Where the rows of a part go among all: a slice where they stay together."""
    if not len(part):
        return slice(0, 0)
    target = np.arange(len(part)) + (offsets[mine, 0] - part.offsets[:, 0])[part.image]
    first, last = int(target[0]), int(target[-1])
    return slice(first, last + 1) if last - first + 1 == len(target) else target


def _joined_attribute(
    parts: Sequence[EntityTable], targets: Sequence[Any], name: str, kind: AttributeKind
) -> Attribute:
    values = np.empty(sum(map(len, parts)))
    found = [part.attributes[name] for part in parts]
    texts = tuple(sorted({text for attribute in found for text in attribute.texts}))
    rank = {text: float(i) for i, text in enumerate(texts)}
    for attribute, target in zip(found, targets, strict=True):
        own = attribute.values
        if kind == "text":
            known = ~np.isnan(own)
            ranks = np.array([rank[text] for text in attribute.texts])
            own = own.copy()
            own[known] = ranks[own[known].astype(np.int64)]
        values[target] = own
    return Attribute(kind, _frozen(values), texts)


class _JoinedOutlines(Outlines):
    """The outlines of several tables, each decoded by its own."""

    in_place = False

    def __init__(self, parts: Sequence[EntityTable], places: Places, image: NDArray[np.int32], first: Rows):
        super().__init__()
        self._parts, self._places, self._image, self._first = parts, places, image, first

    def take(self, rows: Rows) -> Any:
        """Shapely geometries of these rows, in their order."""
        shapes = np.empty(len(rows), np.object_)
        for part, mine, own in self._by_part(rows):
            shapes[mine] = part.outlines(own)
        return shapes

    def corners(self, rows: Rows) -> Floats:
        """See `Outlines`."""
        corners = np.empty((len(rows), 4, 2))
        for part, mine, own in self._by_part(rows):
            corners[mine] = part.corners(own)
        return corners

    def four_cornered(self, rows: Rows) -> NDArray[np.bool_]:
        """See `Outlines`."""
        four = np.empty(len(rows), np.bool_)
        for part, mine, own in self._by_part(rows):
            four[mine] = part.four_cornered(own)
        return four

    def _by_part(self, rows: Rows) -> Iterator[tuple[EntityTable, Rows, Rows]]:
        """Each part that has some of the rows, which of them those are, and their rows in it."""
        image = self._image[rows]
        owner, local = self._places.part[image], self._places.local[image]
        for number in np.unique(owner).tolist():
            mine = np.flatnonzero(owner == number)
            part = self._parts[number]
            yield part, mine, part.offsets[local[mine], 0] + rows[mine] - self._first[image[mine]]

    def wkb(self) -> Any:
        """All of them as Arrow large_binary."""
        from .geometry import to_storage

        return pa.array(to_storage(self.take(np.arange(len(self._image)))), pa.large_binary())


def joined_entities(parts: Sequence[Any], images: ImageTable) -> Any:
    """The Arrow tables of entities as one, sorted by image_id and entity_id; columns that one lacks are null there."""
    metadata = _joined_metadata([part.schema.metadata or {} for part in parts])
    whole = parts[0].replace_schema_metadata(None)
    for part in parts[1:]:
        whole = joined_rows(whole, part, "entities")
    ids = images.arrow.column("image_id").combine_chunks()
    image = np.asarray(pc.index_in(whole.column("image_id"), ids).to_numpy(), np.int64)
    number = np.asarray(whole.column("entity_id").to_numpy())
    if len(image) > 1:
        same = image[1:] == image[:-1]
        if not ((image[1:] > image[:-1]) | (same & (number[1:] > number[:-1]))).all():
            whole = whole.take(pa.array(np.lexsort((number, image))))
    return whole.replace_schema_metadata(metadata)


def _joined_metadata(metadata: Sequence[Mapping[bytes, bytes]]) -> dict[bytes, bytes]:
    """GeoParquet's "geo" of all: the geometry types of any, the bounds of all."""
    documents = [json.loads(mine[b"geo"]) for mine in metadata if b"geo" in mine]
    if not documents:
        return {}
    column = documents[0]["columns"]["geometry"]
    others = [document["columns"]["geometry"] for document in documents]
    column["geometry_types"] = sorted({name for other in others for name in other["geometry_types"]})
    boxes = np.array([other["bbox"] for other in others if "bbox" in other])
    if len(boxes):
        column["bbox"] = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    return {b"geo": json.dumps(documents[0]).encode()}


def joined_rows(old: Any, new: Any, what: str) -> Any:
    """Rows of both; columns that one lacks are null there."""
    new = new.replace_schema_metadata(None)
    shared = [name for name in new.column_names if name in old.column_names]
    for name in shared:
        if pa.types.is_null(new.schema.field(name).type):
            continue
        if pa.types.is_nested(old.schema.field(name).type):
            new = new.set_column(new.column_names.index(name), name, new.column(name).cast(old.schema.field(name).type))
    try:
        return pa.concat_tables([old.replace_schema_metadata(None), new], promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(f"The {what} do not fit those of the archive: {error}") from None


def joined_kinds(schemas: Sequence[Any]) -> dict[str, AttributeKind]:
    """The attributes of all, by the schemas of their entities. Raises DataError where two do not fit."""
    whole = schemas[0].empty_table()
    for schema in schemas[1:]:
        whole = joined_rows(whole, schema.empty_table(), "entities")
    kinds: dict[str, AttributeKind] = {}
    for field in whole.schema:
        kept = None if field.name in ENTITY_COLUMNS else attribute_column(pa.chunked_array([], field.type))
        if kept is not None:
            kinds[field.name] = kept[0]
    return kinds


def medians_over(parts: Sequence[EntityTable]) -> dict[str, float]:
    """The median area of every class over all parts, px2, whatever the scores; one class is in memory at a time."""
    medians: dict[str, float] = {}
    for name in sorted({name for part in parts for name in part.classes}):
        areas = [_areas_of(part, name) for part in parts if name in part.classes]
        whole = np.concatenate(areas)
        if len(whole):
            medians[name] = float(np.median(whole))
    return medians


def _areas_of(part: EntityTable, name: str) -> Floats:
    areas: Floats = part.area[part.label == part.classes.index(name)]
    return areas


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array

"""Any Parquet or Arrow table with the columns image_id, label, geometry: the table `entities` of an archive, or alike.

geometry   WKB or WKT in pixels; without it the columns xmin, ymin, xmax, ymax
images     of an archive, its images.parquet says which images there are, of what size, and where
score      1 where it is missing; entity_id: reading order; every other column of booleans, numbers, texts: an attribute
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.files import as_size
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.gsd import GSD_RANGE
from rune_smt.detect.records import (
    Chunk,
    Chunks,
    ImageName,
    ImageRecord,
    Journal,
    Outlines,
    ReadOptions,
    SourceFile,
    bare_chunk,
)
from rune_smt.entities.archive_folder import ENTITIES, IMAGES, MAPPED, is_archive, read_header
from rune_smt.errors import DataError

PARQUET = frozenset({".parquet", ".pq", ".geoparquet"})
ARROW = frozenset({".arrow", ".feather", ".ipc"})
BOX = ("xmin", "ymin", "xmax", "ymax")
NO_ENTITIES = frozenset({IMAGES, *MAPPED})  # an archive's other tables
OWN = frozenset({"image_id", "entity_id", "label", "score", "geometry", "source", *BOX})


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a file, and before that of an archive one with all its images."""
    for file in files:
        try:
            folder = Path(file.path).parent
            if Path(file.path).name == ENTITIES and is_archive(folder):
                merged = frozenset(read_header(folder).get("merged", ()))
                yield replace(bare_chunk(_images(file)), merged=merged)
            yield _chunk(file, read_arrow(Path(file.path), file.shown), options.journal)
        except DataError as error:
            options.journal.bad(error.message, hint=error.hint)


def read_arrow(path: Path, shown: str) -> Any:
    """The table of a Parquet or Arrow file. DataError where it is none."""
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet as pq

    try:
        table = pyarrow.feather.read_table(path) if path.suffix.lower() in ARROW else pq.read_table(path)
        table.validate(full=True)  # what a damaged file says of its buffers may point anywhere
        return table
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{shown}: cannot be read as a table: {str(error).splitlines()[0]}") from error


def _chunk(file: SourceFile, table: Any, journal: Journal) -> Chunk:
    names = table.column_names
    lacking = [name for name in ("image_id", "label") if name not in names]
    if "geometry" not in names and not set(BOX) <= set(names):
        lacking.append("geometry")
    if lacking:
        raise DataError(
            f"{file.shown}: no column '{lacking[0]}'; it has {', '.join(names[:8])}.",
            hint="Needed are image_id, label and geometry (WKB or WKT in pixels), or xmin, ymin, xmax, ymax.",
        )
    shapes = _shapes(table, file.shown)
    image, label = table.column("image_id").to_pylist(), table.column("label").to_pylist()
    score = table.column("score").to_pylist() if "score" in names else [None] * len(image)
    number = table.column("entity_id").to_pylist() if "entity_id" in names else [None] * len(image)
    kept: list[int] = []
    for row, (name, cls, shape, value) in enumerate(zip(image, label, shapes, score, strict=True)):
        wrong = _wrong(name, cls, shape, value)
        if wrong is None:
            kept.append(row)
        else:
            journal.bad(f"{file.shown}: row {row}: {wrong}.")
    images = {str(name): index for index, name in enumerate(dict.fromkeys(str(image[row]) for row in kept))}
    numbered = all(isinstance(number[row], int) for row in kept) and "entity_id" in names
    return Chunk(
        images=[ImageRecord(ImageName(name, file.folder, file.root)) for name in images],
        image=np.array([images[str(image[row])] for row in kept], dtype=np.int64),
        labels=[str(label[row]) for row in kept],
        scores=np.array([1.0 if score[row] is None else score[row] for row in kept], dtype=np.float64),
        outlines=Outlines.of_lists([()] * len(kept), dict(enumerate(shapes[kept]))),
        origins=[f"{file.origin}#{row}" for row in kept],
        attributes=_attributes(table, kept),
        entity_id=np.array([number[row] for row in kept], dtype=np.int64) if numbered else None,
    )


def _images(file: SourceFile) -> list[ImageRecord]:
    """The images of the archive that a file of entities belongs to."""
    path = Path(file.path).with_name(IMAGES)
    table = read_arrow(path, path.as_posix())
    if "image_id" not in table.column_names:
        raise DataError(f"{path.as_posix()}: no column 'image_id'.")
    records = []
    for row in table.to_pylist():
        known = {key: value for key, value in row.items() if value is not None}
        name = ImageName(str(known.pop("image_id", "")), file.folder, file.root)
        width, height = as_size(known.pop("width", None)), as_size(known.pop("height", None))
        gsd, source = known.pop("gsd", None), known.pop("gsd_source", None)
        usable = isinstance(gsd, float) and GSD_RANGE[0] <= gsd <= GSD_RANGE[1]
        path_of_it = known.pop("path", None)
        picture = None if path_of_it is None else str(path_of_it)
        records.append(
            ImageRecord(name, width, height, gsd if usable else None, source if usable else None, picture, known)
        )
    return records


def _wrong(image: Any, label: Any, shape: Any, score: Any) -> str | None:
    if image in (None, "") or label in (None, ""):
        return "image_id or label is empty"
    if shape is None or shape.is_empty:
        return "its geometry is missing, empty or unreadable"
    if shape.geom_type not in ("Polygon", "MultiPolygon"):
        return f"its geometry is a {shape.geom_type}"
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return "a coordinate is not a finite number"
    if score is not None and (isinstance(score, bool | str) or not 0.0 <= score <= 1.0):
        return f"score must be from 0 to 1, got {score!r}"
    return None


def _shapes(table: Any, shown: str) -> NDArray[np.object_]:
    import pyarrow as pa

    if "geometry" not in table.column_names:
        try:
            corners = [np.asarray(table.column(name).cast(pa.float64()).to_numpy(), dtype=np.float64) for name in BOX]
        except pa.ArrowException as error:
            raise DataError(f"{shown}: {', '.join(BOX)} must be numbers.") from error
        boxes: NDArray[np.object_] = np.asarray(shapely.box(*corners), dtype=np.object_)
        boxes[~np.isfinite(np.stack(corners)).all(axis=0)] = None
        return boxes
    column = table.column("geometry")
    values, kind = column.to_numpy(), column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if text or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        with np.errstate(all="ignore"):
            shapes = (shapely.from_wkt if text else shapely.from_wkb)(values, on_invalid="ignore")
            return np.asarray(shapely.force_2d(shapes), dtype=np.object_)
    raise DataError(f"{shown}: geometry is of type {kind}; WKB or WKT is read.")


def _attributes(table: Any, rows: Sequence[int]) -> dict[str, list[Any]]:
    """Columns of booleans, numbers and texts."""
    import pyarrow as pa

    types = pa.types
    kinds = (types.is_boolean, types.is_integer, types.is_floating, types.is_string, types.is_large_string)
    found = {}
    for field in table.schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if field.name not in OWN and field.name != "source_label" and any(is_kind(kind) for is_kind in kinds):
            values = table.column(field.name).to_pylist()
            found[field.name] = [values[row] for row in rows]
    return found


def parquet_columns(path: Path | None) -> frozenset[str]:
    """The names of the columns, from the schema; none where the file is no table."""
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet as pq

    if path is None:
        return frozenset()
    try:
        if path.suffix.lower() in ARROW:
            with pa.memory_map(str(path)) as source:
                return frozenset(pa.ipc.open_file(source).schema.names)
        return frozenset(pq.read_schema(path).names)
    except (OSError, ValueError, pa.ArrowException):
        return frozenset()


def sniff(sample: Sample) -> str | None:
    """Why a file looks like a table of entities, or None."""
    if sample.path is None or not wanted(PurePosixPath(sample.name)):
        return None
    return "the columns image_id and label" if {"image_id", "label"} <= parquet_columns(sample.path) else None


def wanted(path: PurePosixPath) -> bool:
    """Parquet and Arrow files by their endings."""
    return path.suffix.lower() in PARQUET | ARROW and path.name not in NO_ENTITIES


FORMAT = Format(
    name="table",
    title="Parquet or Arrow table with image_id, label, geometry",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=False,
)

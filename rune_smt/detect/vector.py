"""Map features as entities: on the rasters that they meet, or in a metric frame of their own.

with --images      every raster with a place (crs and transform) is a scene; a feature belongs to each that it meets
without            a file is a scene, or each value of --image-field: UTM, a metre is a pixel, north is up
in pixels          what this program wrote itself: image_id says where
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.images import read_picture
from rune_smt.detect.projection import between, crs_name, from_degrees, to_degrees, utm_zone
from rune_smt.detect.records import (
    Chunk,
    Chunks,
    Floats,
    ImageName,
    ImageRecord,
    Outlines,
    ReadOptions,
    SourceFile,
    bare_chunk,
)
from rune_smt.detect.vector_files import BY_OGR, GEOJSON, GEOPACKAGE, GEOPARQUET, PIXELS, Layer, read_layers
from rune_smt.errors import DataError, QueryError

LABEL_FIELDS = ("class", "label", "category", "type", "damage", "building")
SCORE_FIELDS = ("score", "confidence")
YES = frozenset({"yes", "true", "1"})  # building=yes: a building
OWN_FIELDS = frozenset({"image_id", "entity_id", "label", "score"})
ROUND = 8  # segments of a quarter circle, as in the language's own buffers


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """A chunk for each layer and scene. Entities are numbered in the order of files, layers and features."""
    rasters = _rasters(options) if options.pictures is not None else None
    if rasters:
        yield bare_chunk([raster.record for raster in rasters])
    for file in files:
        try:
            layers = read_layers(file, options.journal)
        except DataError as error:
            options.journal.bad(error.message, hint=error.hint)
            continue
        for layer in layers:
            found = _Features.of(layer, file, options)
            if layer.crs == PIXELS:
                yield from _in_pixels(found, file)
            elif rasters is not None:
                for raster in rasters:
                    yield from _on_raster(found, raster)
            else:
                yield from _in_frames(found, file, options)


# --- features ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Features:
    """The features of a layer that have a geometry, a label and a score: columns of n rows."""

    crs: str
    shapes: NDArray[np.object_]
    labels: list[str]
    scores: Floats
    fields: list[Mapping[str, Any]]
    origins: list[str]
    images: list[Any]
    options: ReadOptions

    @classmethod
    def of(cls, layer: Layer, file: SourceFile, options: ReadOptions) -> _Features:
        field = _label_field(layer, file, options)
        kept: list[int] = []
        labels: list[str] = []
        scores: list[float] = []
        for index, (shape, fields, name) in enumerate(zip(layer.shapes, layer.fields, layer.names, strict=True)):
            if shape is None or shape.is_empty:
                options.journal.note("no geometry", f"{file.shown}: feature {name}")
                continue
            label = _label(fields, field)
            if label is None:
                options.journal.note("no label", f"{file.shown}: feature {name}", field=field)
                continue
            score = next((fields[key] for key in SCORE_FIELDS if key in fields), 1.0)
            if isinstance(score, bool | str) or not 0.0 <= score <= 1.0:
                options.journal.bad(f"{file.shown}: feature {name}: score must be from 0 to 1, got {score!r}.")
                continue
            kept.append(index)
            labels.append(label)
            scores.append(float(score))
        own = {field, *SCORE_FIELDS, *(OWN_FIELDS if layer.crs == PIXELS else ())}
        return cls(
            layer.crs,
            layer.shapes[kept],
            labels,
            np.array(scores, dtype=np.float64),
            [{key: value for key, value in layer.fields[i].items() if key not in own} for i in kept],
            [f"{file.origin}#{layer.names[i]}" for i in kept],
            [layer.fields[i].get("image_id") for i in kept],
            options,
        )

    def chunk(self, record: ImageRecord, rows: NDArray[np.int64], shapes: NDArray[np.object_]) -> Chunk:
        """These rows as entities of one image; `shapes` are theirs in its pixels."""
        n = len(rows)
        fields = [self.fields[i] for i in rows.tolist()]
        return Chunk(
            images=(record,),
            image=np.zeros(n, dtype=np.int64),
            labels=[self.labels[i] for i in rows.tolist()],
            scores=self.scores[rows],
            outlines=Outlines.of_lists([()] * n, dict(enumerate(_areal(shapes, record, self, rows)))),
            origins=[self.origins[i] for i in rows.tolist()],
            attributes={
                key: [field.get(key) for field in fields] for key in dict.fromkeys(k for field in fields for k in field)
            },
        )


def _label_field(layer: Layer, file: SourceFile, options: ReadOptions) -> str:
    if options.label_field is not None:
        wanted: tuple[str, ...] = (options.label_field,)
    else:
        wanted = LABEL_FIELDS
    present = dict.fromkeys(key for fields in layer.fields for key in fields)
    for field in wanted:
        if field in present:
            return field
    if not layer.fields:
        return wanted[0]
    shown = ", ".join(list(present)[:8]) or "no field"
    raise DataError(
        f"{file.shown}: no field '{wanted[0]}'; it has {shown}."
        if options.label_field is not None
        else f"{file.shown}: no field says what the features are; it has {shown}.",
        hint=f"Give --label-field; without it the first of {', '.join(LABEL_FIELDS)} is taken.",
    )


def _label(fields: Mapping[str, Any], field: str) -> str | None:
    value = fields.get(field)
    if value is None or str(value).strip() == "":
        return None
    return field if str(value).strip().lower() in YES else str(value).strip()


def _areal(
    shapes: NDArray[np.object_], record: ImageRecord, features: _Features, rows: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Lines and points with the breadth that the options give them; areas as they are."""
    dimension = shapely.get_dimensions(shapes)
    options = features.options
    for wanted, given, flag, what in (
        (1, options.line_width, "--line-width 6m", "line"),
        (0, options.point_size, "--point-size 3m", "point"),
    ):
        mine = np.flatnonzero(dimension == wanted)
        if not len(mine):
            continue
        if given is None:
            place = features.origins[int(rows[mine[0]])]
            raise DataError(f"{place} is a {what} and has no area ({len(mine)} such features).", hint=f"Give {flag}.")
        size = pixels_of(given, record.gsd, record.name.stem)
        shapes = shapes.copy()
        with np.errstate(all="ignore"):  # coordinates beyond any map: they are refused afterwards
            grown = shapely.buffer(shapes[mine], size / 2, quad_segs=ROUND, cap_style="flat" if wanted else "round")
        shapes[mine] = grown
    return shapes


def pixels_of(length: str, gsd: float | None, image: str) -> float:
    """`6m`, `20px` in pixels. QueryError for what is no length, DataError for metres without a gsd."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(m|px)\s*", length)
    if found is None or float(found[1]) <= 0:
        raise QueryError(f"'{length}' is no length.", hint="Write 6m or 20px.")
    if found[2] == "px":
        return float(found[1])
    if gsd is None:
        reason = f"Image '{image}' has no ground sample distance, so {length} are no pixels."
        raise DataError(reason, hint="Give the breadth in pixels, such as 20px.")
    return float(found[1]) / gsd


# --- frames -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Raster:
    """A picture with a place: transform (GDAL order, pixel to crs) and crs."""

    record: ImageRecord
    transform: Sequence[float]
    crs: str


def _rasters(options: ReadOptions) -> list[_Raster]:
    assert options.pictures is not None
    found = []
    for file in options.pictures.files:
        record = read_picture(file, file.image_name(), options.journal)
        transform, crs = record.further.get("transform"), record.further.get("crs")
        if transform is None or crs is None or record.width is None or record.height is None:
            options.journal.note("no place", file.shown)
            continue
        found.append(_Raster(record, transform, crs))
    if not found:
        raise DataError(
            f"No picture in {options.pictures.shown} says where it lies.",
            hint="GeoTIFFs with crs and transform do; without --images a file is a scene of its own.",
        )
    return found


def _on_raster(features: _Features, raster: _Raster) -> Chunks:
    """The features that meet the raster's footprint, in its pixels; what hangs over its edge is kept whole."""
    project = between(features.crs, raster.crs)
    a, b, c, d, e, f = raster.transform
    determinant = b * f - c * e

    def to_pixels(points: Floats) -> Floats:
        mapped = project(points)
        x, y = mapped[:, 0] - a, mapped[:, 1] - d
        return np.column_stack([(f * x - c * y) / determinant, (b * y - e * x) / determinant])

    shapes = shapely.transform(features.shapes, to_pixels)
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    footprint = shapely.box(0, 0, raster.record.width, raster.record.height)
    rows = np.flatnonzero(finite)
    rows = rows[shapely.intersects(shapes[rows], footprint)]
    if len(rows):
        yield features.chunk(raster.record, rows, shapes[rows])


def _in_frames(features: _Features, file: SourceFile, options: ReadOptions) -> Chunks:
    """One scene for the file, or for each value of --image-field, in metres of a UTM zone."""
    field = options.image_field
    groups: dict[str, list[int]] = {}
    for index, fields in enumerate(features.fields):
        value = fields.get(field) if field is not None else file.path.stem
        if value is None:
            options.journal.bad(f"{features.origins[index]}: no field '{field}', which names its image.")
        else:
            groups.setdefault(str(value), []).append(index)
    if field is None and not groups:
        yield bare_chunk((ImageRecord(file.image_name()),))
    for name, members in groups.items():
        rows = np.array(members, dtype=np.int64)
        crs, shapes = _metric(features.crs, features.shapes[rows])
        west, _, _, north = shapely.total_bounds(shapes)
        left, top = float(np.floor(west)), float(np.ceil(north))
        shapes = shapely.transform(shapes, partial(_turned, left=left, top=top))
        further = {"crs": crs, "transform": [left, 1.0, 0.0, top, 0.0, -1.0]}
        image = replace(file.image_name(), stem=name)
        yield features.chunk(ImageRecord(image, gsd=1.0, gsd_source="map", further=further), rows, shapes)


def _turned(points: Floats, *, left: float, top: float) -> Floats:
    """From easting and northing to x to the right and y downwards."""
    return np.column_stack([points[:, 0] - left, top - points[:, 1]])


def _metric(crs: str, shapes: NDArray[np.object_]) -> tuple[str, NDArray[np.object_]]:
    """The shapes in the UTM zone of their middle; those that are in one already stay there."""
    if re.fullmatch(r"EPSG:32[67]\d\d", crs_name(crs)):
        return crs_name(crs), shapes
    degrees = shapely.transform(shapes, to_degrees(crs))
    west, south, east, north = shapely.total_bounds(degrees)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise DataError(
            f"Coordinates from ({west:g}, {south:g}) to ({east:g}, {north:g}) are no longitude and latitude.",
            hint="The file names no coordinate reference system, or the wrong one.",
        )
    zone = utm_zone((west + east) / 2, (south + north) / 2)
    return zone, shapely.transform(degrees, from_degrees(zone))


def _in_pixels(features: _Features, file: SourceFile) -> Chunks:
    """Features whose coordinates are pixels of the image that `image_id` names."""
    groups: dict[str, list[int]] = {}
    for index, origin in enumerate(features.origins):
        name = features.options.image_field or "image_id"
        value = features.images[index] if name == "image_id" else features.fields[index].get(name)
        if value is None:
            features.options.journal.bad(f"{origin}: coordinates are pixels, and no field '{name}' names the image.")
            continue
        groups.setdefault(str(value), []).append(index)
    for name, members in groups.items():
        rows = np.array(members, dtype=np.int64)
        yield features.chunk(ImageRecord(ImageName(name, file.folder, file.root)), rows, features.shapes[rows])


# --- the format -------------------------------------------------------------------------------------------------------


def sniff(sample: Sample) -> str | None:
    """Why a file looks like map features, or None."""
    ending = PurePosixPath(sample.name).suffix.lower()
    if ending in GEOPACKAGE | BY_OGR:
        return "the ending of a vector file"
    if ending in GEOPARQUET:
        from rune_smt.detect.parquet_table import parquet_columns

        columns = parquet_columns(sample.path)
        return "a GeoParquet without image_id" if "geometry" in columns and "image_id" not in columns else None
    text = sample.text
    if text.lstrip()[:1] == "{" and '"FeatureCollection"' in text and '"bounds_imcoords"' not in text:
        return "a GeoJSON FeatureCollection"
    return None


def wanted(path: PurePosixPath) -> bool:
    """Vector files by their endings."""
    return path.suffix.lower() in GEOJSON | GEOPACKAGE | GEOPARQUET | BY_OGR


FORMAT = Format(
    name="geojson",
    title="GeoJSON, GeoPackage, GeoParquet",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=True,
    aliases=("geopackage", "geoparquet", "vector"),
)

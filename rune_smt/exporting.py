"""Entities, answers and witnesses for other programs: GeoJSON, GeoParquet, COCO, CSV, FiftyOne, supervision.

Every format has rows of an archive's entity table, and columns that say why a row is there. Places are longitude and
latitude where an image has a transform and a crs; what has none is left out and counted, or everything is in pixels.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataError, MissingExtra, QueryError

if TYPE_CHECKING:
    import pyarrow as pa

    from .entities.archive import Archive
    from .searching import SearchResult, Selection

MEASURED = ("cx", "cy", "area", "length", "width", "angle", "min_x", "min_y", "max_x", "max_y")
BY_ENDING = {
    ".geojson": "geojson", ".json": "coco", ".parquet": "geoparquet", ".geoparquet": "geoparquet", ".csv": "csv",
}  # fmt: skip
MATCH_TAG = "rune:match"
VERDICT_WORDS = ("no match", "cannot tell", "match")


@dataclass(frozen=True, eq=False)
class Things:
    """Rows of an archive's entity table, and what is said of each.

    rows      int64 (n,) rows of `archive.table`
    columns   n values each: variable, index (place among those of one variable), degree, ...
    images    int64 (m,) rows of the image table that the export speaks of, with and without things
    verdicts  of a search: the verdict code and the degree of every image of `images`, else None
    """

    archive: Archive
    rows: NDArray[np.int64]
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    images: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    verdicts: tuple[NDArray[np.int8], NDArray[np.float64]] | None = None

    def __len__(self) -> int:
        return len(self.rows)


def things_of(source: Archive | SearchResult | Selection, min_score: float = 0.0) -> Things:
    """What is exported: the entities of an archive that score `min_score` at least, answers, or witnesses."""
    from .entities.archive import Archive
    from .searching import SearchResult

    if isinstance(source, Archive):
        rows = np.flatnonzero(source.table.score >= min_score)
        rows = rows[np.lexsort((source.table.entity_id[rows], source.table.image[rows]))]
        return Things(source, rows, images=np.arange(len(source), dtype=np.int64))
    if isinstance(source, SearchResult):
        return _witnesses(source)
    images = np.unique(source.archive.table.image[source.rows]).astype(np.int64)
    return Things(source.archive, source.rows, {"variable": [source.variable] * len(source.rows)}, images)


def _witnesses(result: SearchResult) -> Things:
    table = result.archive.table
    rows: list[int] = []
    columns: dict[str, list[Any]] = {"variable": [], "index": [], "degree": []}
    for match in result:
        image = table.images.index(match.image_id)
        row_of = {int(table.entity_id[row]): int(row) for row in table.rows_of(image)}
        for variable, ids in match.witness.items():
            for index, entity in enumerate([ids] if isinstance(ids, int) else ids):
                rows.append(row_of[entity])
                for name, value in (("variable", variable), ("index", index), ("degree", match.degree)):
                    columns[name].append(value)
    images = np.arange(len(result.verdicts), dtype=np.int64)
    verdicts = (result.verdicts, result.degrees)
    return Things(result.archive, np.array(rows, dtype=np.int64), columns, images, verdicts)


# --- what every format says of a row ----------------------------------------------------------------------------------


def _attributes(things: Things) -> dict[str, list[Any]]:
    """Attribute columns and the columns of the export, None for missing."""
    table = things.archive.table
    rows = things.rows.tolist()
    found = {name: [table.attributes[name].of(row) for row in rows] for name in sorted(table.attributes)}
    return {**found, **{name: list(values) for name, values in things.columns.items()}}


def _identity(things: Things) -> dict[str, list[Any]]:
    table, rows = things.archive.table, things.rows
    names = table.images.image_id
    return {
        "image_id": [names[int(image)] for image in table.image[rows]],
        "entity_id": table.entity_id[rows].tolist(),
        "label": [table.classes[code] for code in table.label[rows].tolist()],
        "score": table.score[rows].tolist(),
    }


def _placed(archive: Archive) -> NDArray[np.bool_]:
    """Which images have a place on the map."""
    placed: NDArray[np.bool_] = np.asarray(~np.isnan(archive.table.images.transform).any(axis=1), dtype=bool)
    return placed


# --- formats ----------------------------------------------------------------------------------------------------------


def to_geojson(things: Things, *, pixels: bool | None = None) -> dict[str, Any]:
    """A FeatureCollection; `coordinates` says what they are, `left_out` how many things have no place."""
    from .geojson import collection

    properties = [
        dict(zip(things.columns, values, strict=True))
        for values in (zip(*things.columns.values(), strict=True) if things.columns else [()] * len(things))
    ]
    return collection(things.archive, things.rows, properties, pixels)


def to_geoparquet(things: Things, *, pixels: bool | None = None) -> tuple[pa.Table, int]:
    """An Arrow table with the metadata of GeoParquet 1.1, and how many things were left out for want of a place.

    pixels  as for `to_geojson`: crs is null then, else longitude and latitude (OGC:CRS84)
    """
    import pyarrow as pa
    import shapely

    from .entities.geometry import as_polygons
    from .geojson import to_degrees

    placed = _placed(things.archive)
    if pixels is None:
        pixels = not bool(placed.any())
    table = things.archive.table
    keep = np.ones(len(things), dtype=bool) if pixels else placed[table.image[things.rows]]
    mine = Things(things.archive, things.rows[keep], _taken(things.columns, keep), things.images, things.verdicts)
    shapes = table.outlines(mine.rows).copy()
    if pixels:
        shapes = as_polygons(shapes)  # as archives have them
    else:
        images = table.image[mine.rows]
        for image in np.unique(images).tolist():
            shapes[images == image] = shapely.transform(shapes[images == image], to_degrees(things.archive, image))
    described: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted({shape.geom_type for shape in shapes}),
        **({"crs": None} if pixels else {}),
    }
    if len(shapes):
        described["bbox"] = [float(bound) for bound in shapely.total_bounds(shapes)]
    columns = {**_identity(mine), **_attributes(mine)}
    arrow = pa.table({name: pa.array(values) for name, values in columns.items()})
    arrow = arrow.append_column("geometry", pa.array(shapely.to_wkb(shapes).tolist(), pa.binary()))
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": described}}
    return arrow.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), int((~keep).sum())


def _taken(columns: Mapping[str, Sequence[Any]], keep: NDArray[np.bool_]) -> dict[str, list[Any]]:
    return {name: [value for value, kept in zip(values, keep, strict=True) if kept] for name, values in columns.items()}


def to_csv(things: Things) -> str:
    """A row a thing: who it is, its measures in pixels, its attributes, its outline as WKT in pixels."""
    import shapely

    table = things.archive.table
    columns: dict[str, Sequence[Any]] = dict(_identity(things))
    for name in MEASURED:
        values = getattr(table, name)[things.rows].tolist()
        columns[name] = [None if value != value else value for value in values]
    for name, values in _attributes(things).items():
        columns[name if name not in columns else f"{name}_attribute"] = values
    columns["wkt"] = [shapely.to_wkt(shape, rounding_precision=-1) for shape in table.outlines(things.rows)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def to_coco(things: Things) -> dict[str, Any]:
    """COCO's images, annotations and categories: https://cocodataset.org/#format-data

    COCO's polygons have no holes: an outline with holes is cut into parts without, of the same area.
    """
    import shapely

    table = things.archive.table
    arrow = table.images.arrow
    paths = arrow["path"].to_pylist() if "path" in arrow.column_names else [None] * arrow.num_rows
    shown = np.union1d(things.images, table.image[things.rows]).tolist()
    number = {image: index for index, image in enumerate(shown, 1)}
    images = []
    for image in shown:
        name = table.images.image_id[image]
        entry: dict[str, Any] = {"id": number[image], "file_name": Path(paths[image]).name if paths[image] else name}
        for key, value in (("width", table.images.width[image]), ("height", table.images.height[image])):
            if value == value:
                entry[key] = int(value)
        if table.images.gsd[image] == table.images.gsd[image]:
            entry["gsd"] = float(table.images.gsd[image])
        images.append(entry)
    shapes = table.outlines(things.rows)
    attributes = _attributes(things)
    annotations = []
    for index, (row, shape) in enumerate(zip(things.rows.tolist(), shapes, strict=True)):
        left, top, right, bottom = shapely.bounds(shape).tolist()
        annotations.append(
            {
                "id": index + 1,
                "image_id": number[int(table.image[row])],
                "category_id": int(table.label[row]) + 1,
                "segmentation": [_flat(part) for part in without_holes(shape)],
                "bbox": [left, top, right - left, bottom - top],
                "area": float(table.area[row]),
                "iscrowd": 0,
                "score": float(table.score[row]),
                "attributes": {
                    "entity_id": int(table.entity_id[row]),
                    **{name: values[index] for name, values in attributes.items() if values[index] is not None},
                },
            }
        )
    categories = [{"id": code, "name": name} for code, name in enumerate(table.classes, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _flat(ring: Any) -> list[float]:
    points: list[float] = np.asarray(ring)[:-1].reshape(-1).tolist()
    return points


def without_holes(shape: Any) -> list[Any]:
    """The outline as rings (closed coordinates) of parts without holes: each is cut through the middle of a hole.

    An outline without area has the one ring that it was read from.
    """
    import shapely

    rings = []
    stack = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    if not stack:
        points = shapely.get_coordinates(shape)
        return [np.concatenate([points, points[:1]])]
    while stack:
        part = stack.pop()
        if not part.interiors:
            rings.append(shapely.get_coordinates(part.exterior))
            continue
        left, top, right, bottom = part.bounds
        west, _, east, _ = part.interiors[0].bounds
        middle = (west + east) / 2
        for half in (shapely.box(left, top, middle, bottom), shapely.box(middle, top, right, bottom)):
            stack += [piece for piece in shapely.get_parts(shapely.intersection(part, half)) if piece.area > 0]
    return rings


def to_supervision(things: Things) -> dict[str, Any]:
    """`supervision.Detections` by image_id (needs supervision)."""
    from .detect.detector import Detections
    from .detect.supervision_detections import to_supervision as convert

    table = things.archive.table
    codes = {name: code for code, name in enumerate(table.classes)}
    identity, attributes = _identity(things), _attributes(things)
    attributes["entity_id"] = identity["entity_id"]
    images = table.image[things.rows]
    shapes = table.outlines(things.rows)
    found = {}
    for image in np.union1d(things.images, images).tolist():
        mine = np.flatnonzero(images == image)
        seen = Detections(
            [identity["label"][i] for i in mine.tolist()],
            table.score[things.rows[mine]].copy(),
            shapes[mine],
            {name: [values[i] for i in mine.tolist()] for name, values in attributes.items()},
        )
        found[table.images.image_id[image]] = convert(seen, codes)
    return found


def to_fiftyone(things: Things) -> tuple[dict[str, Any], dict[str, Any], int]:
    """metadata.json and samples.json of a data set that `fo.Dataset.from_dir` reads, and how many images were left out.

    Type `fiftyone.types.FiftyOneDataset`, its form without a version. Of an archive the field `entities` has polylines;
    of a search `rune` has the verdict with the degree, `rune_witness` the polylines with the variable as tag, matches
    have the tag `rune:match`. Coordinates are shares of the image: those of unknown size are left out.
    """
    table = things.archive.table
    arrow = table.images.arrow
    paths = arrow["path"].to_pylist() if "path" in arrow.column_names else [None] * arrow.num_rows
    attributes = _attributes(things)
    shapes = table.outlines(things.rows)
    images = table.image[things.rows]
    samples, left_out = [], 0
    for image in np.union1d(things.images, images).tolist():
        name = table.images.image_id[image]
        size = np.array([table.images.width[image], table.images.height[image]])
        if np.isnan(size).any():
            left_out += 1
            continue
        polylines = []
        for i in np.flatnonzero(images == image).tolist():
            row = int(things.rows[i])
            own = {key: values[i] for key, values in attributes.items() if values[i] is not None}
            variable = own.pop("variable", None)
            polylines.append(
                {
                    **own,
                    "_cls": "Polyline",
                    "label": table.classes[int(table.label[row])],
                    "confidence": float(table.score[row]),
                    "points": [(np.asarray(ring)[:-1] / size).tolist() for ring in without_holes(shapes[i])],
                    "closed": True,
                    "filled": True,
                    "entity_id": int(table.entity_id[row]),
                    "tags": [] if variable is None else [variable],
                }
            )
        sample: dict[str, Any] = {
            "filepath": paths[image] or f"data/{name}.png",
            "tags": [],
            "metadata": {"_cls": "ImageMetadata", "width": int(size[0]), "height": int(size[1])},
            "image_id": name,
            "entities" if things.verdicts is None else "rune_witness": {"_cls": "Polylines", "polylines": polylines},
        }
        if things.verdicts is not None:
            verdict, degree = int(things.verdicts[0][image]), float(things.verdicts[1][image])
            word = VERDICT_WORDS[verdict]
            sample["rune"] = {"_cls": "Classification", "label": word, "confidence": degree, "tags": []}
            sample["tags"] = [MATCH_TAG] if verdict == 2 else []
        samples.append(sample)
    metadata = {"name": things.archive.name, "media_type": "image", "info": {"classes": list(table.classes)}}
    return metadata, {"samples": samples}, left_out


def mark_fiftyone(samples: Iterable[Any], result: SearchResult) -> int:
    """Writes a result into samples of a FiftyOne data set, those whose `filepath` has an image's id as its stem.

    The field `rune` gets verdict and degree, `rune_witness` the witness, matches the tag `rune:match`, as in
    `to_fiftyone`; what an earlier result left there goes. Returns how many samples were marked. Raises MissingExtra
    without fiftyone.
    """
    try:
        import fiftyone
    except ImportError as error:
        raise MissingExtra("fiftyone is not installed.", hint="pip install fiftyone") from error
    _, document, _ = to_fiftyone(things_of(result))
    known = {sample["image_id"]: sample for sample in document["samples"]}
    marked = 0
    for sample in samples:
        said = known.get(Path(sample.filepath).stem)
        if said is None:
            continue
        lines = [
            fiftyone.Polyline(**{key: value for key, value in line.items() if key != "_cls"})
            for line in said["rune_witness"]["polylines"]
        ]
        sample["rune"] = fiftyone.Classification(label=said["rune"]["label"], confidence=said["rune"]["confidence"])
        sample["rune_witness"] = fiftyone.Polylines(polylines=lines)
        sample.tags = [*(tag for tag in sample.tags if tag != MATCH_TAG), *said["tags"]]
        if sample.in_dataset:
            sample.save()
        marked += 1
    return marked


# --- files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written: what is in it, and what was left out (things, or images) and why."""

    path: Path
    format: str
    count: int
    left_out: str = ""


def export(
    source: Archive | SearchResult | Selection,
    path: str | Path,
    *,
    format: str | None = None,
    pixels: bool | None = None,
    min_score: float = 0.0,
) -> Written:
    """Writes entities, answers or witnesses to a file; for fiftyone to a folder.

    source     an archive (all its entities), what `select` gives (the answers), what `search` gives (the witnesses)
    format     geojson, geoparquet, coco, csv or fiftyone; None tells by the ending of `path`
    pixels     True: coordinates in pixels; None: longitude and latitude if any image has a place (geojson, geoparquet)
    min_score  of an archive: entities below it are left out
    raises     QueryError for a format that is none, DataError where the file cannot be written
    """
    path = Path(path)
    name = format or BY_ENDING.get(path.suffix.lower(), "")
    if name not in WRITERS:
        what = f"No format '{format}' to export to." if format else f"The ending of {path.name} names no format."
        raise QueryError(what, hint=f"Give one of: {', '.join(WRITERS)}.")
    things = things_of(source, min_score)
    try:
        left_out = WRITERS[name](things, path, pixels)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from None
    return Written(path, name, len(things), left_out)


def _write_geojson(things: Things, path: Path, pixels: bool | None) -> str:
    document = to_geojson(things, pixels=pixels)
    _write_json(path, document)
    return _no_place(document.get("left_out", 0))


def _write_geoparquet(things: Things, path: Path, pixels: bool | None) -> str:
    import pyarrow.parquet as pq

    table, left_out = to_geoparquet(things, pixels=pixels)
    pq.write_table(table, path, compression="zstd")
    return _no_place(left_out)


def _write_coco(things: Things, path: Path, pixels: bool | None) -> str:
    _write_json(path, to_coco(things))
    return ""


def _write_csv(things: Things, path: Path, pixels: bool | None) -> str:
    path.write_text(to_csv(things), encoding="utf-8", newline="")
    return ""


def _write_fiftyone(things: Things, path: Path, pixels: bool | None) -> str:
    path.mkdir(parents=True, exist_ok=True)
    metadata, samples, left_out = to_fiftyone(things)
    _write_json(path / "metadata.json", metadata)
    _write_json(path / "samples.json", samples)
    return f"{left_out} images of unknown size were left out." if left_out else ""


def _write_json(path: Path, document: Any) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False)
        file.write("\n")


def _no_place(count: int) -> str:
    return f"{count} entities of images without a place on the map were left out; --pixels has all." if count else ""


WRITERS: Mapping[str, Callable[[Things, Path, bool | None], str]] = {
    "geojson": _write_geojson,
    "geoparquet": _write_geoparquet,
    "coco": _write_coco,
    "csv": _write_csv,
    "fiftyone": _write_fiftyone,
}

"""Vector files as features: GeoJSON, GeoPackage (an SQLite file), GeoParquet; other formats of OGR by pyogrio."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.files import as_text, parse_json, read_bytes
from rune_smt.detect.records import Journal, SourceFile
from rune_smt.errors import DataError, MissingExtra

GEOJSON = frozenset({".geojson", ".json"})
GEOPACKAGE = frozenset({".gpkg"})
GEOPARQUET = frozenset({".parquet", ".geoparquet", ".pq"})
BY_OGR = frozenset({".shp", ".fgb", ".gml", ".kml"})
PIXELS = "pixels"  # a layer's crs where its coordinates are pixels
ENVELOPES = (0, 32, 48, 48, 64)  # bytes, by the indicator in a GeoPackage geometry's flags
GEOMETRY_TYPES = frozenset({"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The features of a file, or of one of its layers.

    shapes  object (n,) shapely geometries, None for a feature without
    fields  n dictionaries of the scalar properties
    names   n names of features, as messages and the column `source` have them
    crs     coordinate reference system; longitude and latitude where a file names none; "pixels"
    """

    shapes: NDArray[np.object_]
    fields: Sequence[Mapping[str, Any]]
    names: Sequence[str]
    crs: str


def read_layers(file: SourceFile, journal: Journal) -> list[Layer]:
    """The layers of a file. Bad features are told through the journal; DataError for a file that cannot be read."""
    ending = Path(file.path).suffix.lower()
    if ending in GEOPACKAGE:
        return _geopackage(file, journal)
    if ending in GEOPARQUET:
        return [_geoparquet(file)]
    if ending in BY_OGR:
        return _by_ogr(file)
    return [_geojson(file, journal)]


def scalar(value: Any) -> bool:
    """Whether a property is kept: text, number, boolean."""
    return isinstance(value, bool | int | float | str)


def _objects(shapes: Sequence[Any]) -> NDArray[np.object_]:
    result = np.empty(len(shapes), dtype=np.object_)
    result[:] = shapes
    return result


# --- GeoJSON (RFC 7946, and the member crs of its forerunner) ---------------------------------------------------------


def _geojson(file: SourceFile, journal: Journal) -> Layer:
    document = parse_json(as_text(read_bytes(file.path, file.shown), file.shown), file.shown)
    kind = document.get("type") if isinstance(document, dict) else None
    features = document.get("features") if kind == "FeatureCollection" else [document] if kind == "Feature" else None
    if not isinstance(features, list):
        raise DataError(f"{file.shown}: expected a GeoJSON FeatureCollection, got {kind or type(document).__name__}.")
    shapes: list[Any] = []
    fields: list[Mapping[str, Any]] = []
    names: list[str] = []
    for index, feature in enumerate(features):
        name = str(feature["id"]) if isinstance(feature, dict) and scalar(feature.get("id")) else str(index)
        try:
            shape, properties = _feature(feature)
        except (TypeError, ValueError, LookupError, AttributeError, shapely.errors.ShapelyError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            journal.bad(f"{file.shown}: feature {name}: {reason.rstrip('.')}.")
            continue
        shapes.append(shape)
        fields.append({key: value for key, value in properties.items() if scalar(value)})
        names.append(name)
    return Layer(_objects(shapes), fields, names, _geojson_crs(document, file.shown))


def _feature(feature: Any) -> tuple[Any, Mapping[str, Any]]:
    if not isinstance(feature, dict):
        raise TypeError("expected an object")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise TypeError("its properties are no object")
    geometry = feature.get("geometry")
    if geometry is None:
        return None, properties
    if not isinstance(geometry, dict) or geometry.get("type") not in GEOMETRY_TYPES:
        raise TypeError(f"its geometry is a {geometry.get('type') if isinstance(geometry, dict) else geometry!r}")
    with np.errstate(all="ignore"):
        shape = shapely.force_2d(shapely.geometry.shape(geometry))
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        raise ValueError("a coordinate is not a finite number")
    return (None if shape.is_empty else shape), properties


def _geojson_crs(document: Mapping[str, Any], shown: str) -> str:
    if str(document.get("coordinates", "")).startswith("pixels"):
        return PIXELS
    crs = document.get("crs")
    if crs is None:
        return "EPSG:4326"
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise DataError(f"{shown}: the member crs names no coordinate reference system.")
    return name


# --- GeoPackage (OGC 12-128r19, section 2.1.3) ------------------------------------------------------------------------


def _geopackage(file: SourceFile, journal: Journal) -> list[Layer]:
    try:
        with closing(sqlite3.connect(f"{Path(file.path).resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as package:
            package.row_factory = sqlite3.Row
            columns = package.execute(
                "SELECT g.table_name, g.column_name, s.organization, s.organization_coordsys_id "
                "FROM gpkg_geometry_columns g LEFT JOIN gpkg_spatial_ref_sys s ON g.srs_id = s.srs_id "
                "ORDER BY g.table_name"
            ).fetchall()
            return [_geopackage_layer(package, file, row, journal) for row in columns]
    except (sqlite3.Error, ValueError, IndexError, OverflowError) as error:  # IndexError: a column that is not there
        raise DataError(f"{file.shown}: cannot be read as GeoPackage: {error}.") from error


def _geopackage_layer(package: Any, file: SourceFile, described: Any, journal: Journal) -> Layer:
    table, column, organization, number = tuple(described)
    quoted = '"' + str(table).replace('"', '""') + '"'
    shapes, fields, names = [], [], []
    for index, row in enumerate(package.execute(f"SELECT * FROM {quoted}")):
        name = f"{table}.{row['fid'] if 'fid' in row.keys() else index}"  # noqa: SIM118  (a Row is no dictionary)
        try:
            shape = _geopackage_geometry(row[column])
        except (ValueError, IndexError, TypeError, shapely.errors.ShapelyError) as error:
            journal.bad(f"{file.shown}: feature {name}: {error}.")
            continue
        shapes.append(shape)
        fields.append({key: row[key] for key in row.keys() if key not in (column, "fid") and scalar(row[key])})  # noqa: SIM118
        names.append(name)
    crs = f"{organization}:{number}" if organization and number and int(number) > 0 else "EPSG:4326"
    return Layer(_objects(shapes), fields, names, str(crs).upper())


def _geopackage_geometry(blob: Any) -> Any:
    if blob is None:
        return None
    if not isinstance(blob, bytes) or blob[:2] != b"GP":
        raise ValueError("its geometry is no GeoPackage geometry")
    flags = blob[3]
    if flags & 0x10:
        return None  # empty
    envelope = flags >> 1 & 7
    if envelope >= len(ENVELOPES):
        raise ValueError("its geometry has an unknown envelope")
    with np.errstate(all="ignore"):
        return shapely.force_2d(shapely.from_wkb(blob[8 + ENVELOPES[envelope] :]))


# --- GeoParquet (1.1) -------------------------------------------------------------------------------------------------


def _geoparquet(file: SourceFile) -> Layer:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file.path)
        table.validate(full=True)
        described = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{file.shown}: cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    if not isinstance(described, dict):
        described = {}
    primary = described.get("primary_column", "geometry")
    if primary not in table.column_names:
        raise DataError(f"{file.shown}: no geometry column; it has {', '.join(table.column_names[:8])}.")
    columns = described.get("columns")
    facts = columns.get(primary) if isinstance(columns, dict) else None
    if not isinstance(facts, dict):
        facts = {}
    if facts.get("encoding", "WKB") != "WKB":
        raise DataError(f"{file.shown}: its geometry is encoded as {facts['encoding']}, WKB is read.")
    with np.errstate(all="ignore"):
        shapes = shapely.force_2d(shapely.from_wkb(table.column(primary).to_numpy(), on_invalid="ignore"))
    rows = table.drop_columns([primary]).to_pylist()
    fields = [{key: value for key, value in row.items() if scalar(value)} for row in rows]
    return Layer(shapes, fields, [str(index) for index in range(len(fields))], _parquet_crs(facts))


def _parquet_crs(facts: Mapping[str, Any]) -> str:
    """No member crs is longitude and latitude; null is unknown, which here are pixels."""
    if "crs" not in facts:
        return "EPSG:4326"
    crs = facts["crs"]
    if crs is None:
        return PIXELS
    identity = crs.get("id", {}) if isinstance(crs, dict) else {}
    if "authority" in identity and "code" in identity:
        return f"{identity['authority']}:{identity['code']}"
    return json.dumps(crs)


# --- all else ---------------------------------------------------------------------------------------------------------


def _by_ogr(file: SourceFile) -> list[Layer]:
    try:
        import pyogrio
    except ImportError:
        raise MissingExtra(
            f"{file.shown}: pyogrio reads this format, and is not installed.",
            hint="pip install pyogrio, or make it a GeoPackage or GeoJSON.",
        ) from None
    layers = []
    for layer, _ in pyogrio.list_layers(file.path):
        facts, _, geometry, columns = pyogrio.raw.read(file.path, layer=layer, force_2d=True)
        keys = [str(key) for key in facts["fields"]]
        rows = zip(*(column.tolist() for column in columns), strict=True) if keys else [()] * len(geometry)
        fields = [{key: v for key, v in zip(keys, row, strict=True) if scalar(v)} for row in rows]
        names = [f"{layer}.{index}" for index in range(len(geometry))]
        layers.append(Layer(shapely.from_wkb(geometry), fields, names, facts["crs"] or "EPSG:4326"))
    return layers

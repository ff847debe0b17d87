"""The metadata that makes a Parquet file GeoParquet 1.1 (https://geoparquet.org/releases/v1.1.0/), in pixel space."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from . import compute as pc
from .table import EntityTable

VERSION = "1.1.0"
GEOMETRY = "geometry"
TYPE_NAMES = {3: "Polygon", 6: "MultiPolygon"}


def metadata(table: EntityTable) -> dict[bytes, bytes]:
    """Schema metadata for the entities of this table: WKB polygons, no coordinate reference system, their bounds."""
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": _types(table),
        "crs": None,  # pixels; the map's own system, where known, stands in the images table
    }
    if len(table):
        bounds = (table.min_x.min(), table.min_y.min(), table.max_x.max(), table.max_y.max())
        column["bbox"] = [float(v) for v in bounds]
    document = {"version": VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    return {b"geo": json.dumps(document).encode()}


def with_metadata(entities: Any, table: EntityTable) -> Any:
    """The Arrow table of entities, its schema carrying the metadata."""
    kept = {k: v for k, v in (entities.schema.metadata or {}).items() if k != b"pandas"}
    return entities.replace_schema_metadata({**kept, **metadata(table)})


def _types(table: EntityTable) -> list[str]:
    """The geometry types that occur, read from the five leading bytes of little-endian WKB."""
    wkb = table.shapes.wkb()
    if not len(wkb):
        return []
    codes = pc.unique(pc.binary_slice(wkb.cast(pa.large_binary()), 1, 2)).to_pylist()
    return sorted(TYPE_NAMES[code[0]] for code in codes)


def is_geometry(array: Any) -> bool:
    """Whether an Arrow type can hold WKB."""
    return bool(pa.types.is_binary(array) or pa.types.is_large_binary(array))


def decode(wkb: Any) -> Any:
    """Shapely geometries of an Arrow binary array; what is no WKB becomes None, as null does."""
    with np.errstate(invalid="ignore"):  # NaN coordinates are refused later, with their row
        return shapely.from_wkb(wkb.to_numpy(zero_copy_only=False), on_invalid="ignore")

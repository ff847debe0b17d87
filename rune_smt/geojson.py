"""Entities as GeoJSON: longitude and latitude where the image's place is known, or pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .entities.archive import Archive
    from .searching import SearchResult


def witnesses(result: SearchResult, *, pixels: bool | None = None) -> dict[str, Any]:
    """The witnesses of a search, a feature an entity, with image_id, degree, variable and index in its properties."""
    table = result.archive.table
    rows: list[int] = []
    properties: list[dict[str, Any]] = []
    for match in result:
        image = table.images.index(match.image_id)
        row_of = {int(table.entity_id[row]): int(row) for row in table.rows_of(image)}
        for variable, ids in match.witness.items():
            for index, entity in enumerate([ids] if isinstance(ids, int) else ids):
                rows.append(row_of[entity])
                properties.append({"variable": variable, "index": index, "degree": match.degree})
    return collection(result.archive, np.array(rows, np.int64), properties, pixels)


def entities(
    archive: Archive,
    rows: NDArray[np.int64],
    properties: Mapping[str, Any] | None = None,
    *,
    pixels: bool | None = None,
) -> dict[str, Any]:
    """Rows of an archive's entity table, a feature an entity."""
    return collection(archive, rows, [dict(properties or {}) for _ in rows], pixels)


def collection(
    archive: Archive, rows: NDArray[np.int64], properties: list[dict[str, Any]], pixels: bool | None
) -> dict[str, Any]:
    """A FeatureCollection.

    pixels  True: coordinates in pixels, y downwards, said in the member `coordinates`; False: longitude and latitude,
            entities of images without a place are left out and counted in the member `left_out`; None: longitude and
            latitude if any image has a place
    """
    table = archive.table
    placed: NDArray[np.bool_] = np.asarray(~np.isnan(table.images.transform).any(axis=1), dtype=bool)
    if pixels is None:
        pixels = not bool(placed.any())
    meaning = "pixels, y downwards" if pixels else "longitude, latitude"
    collection: dict[str, Any] = {"type": "FeatureCollection", "coordinates": meaning}
    features = []
    left_out = 0
    for row, more, shape in zip(rows.tolist(), properties, table.outlines(rows), strict=True):
        image = int(table.image[row])
        if not pixels and not placed[image]:
            left_out += 1
            continue
        features.append(
            {
                "type": "Feature",
                "geometry": _geometry(shape, None if pixels else to_degrees(archive, image)),
                "properties": {
                    "image_id": table.images.image_id[image],
                    "entity_id": int(table.entity_id[row]),
                    "label": table.classes[int(table.label[row])],
                    "score": float(table.score[row]),
                    **{name: table.attributes[name].of(row) for name in sorted(table.attributes)},
                    **more,
                },
            }
        )
    if left_out:
        collection["left_out"] = left_out
    collection["features"] = features
    return collection


def _geometry(shape: Any, transform: Callable[[Any], Any] | None) -> dict[str, Any]:
    import shapely

    moved = shape if transform is None else shapely.transform(shape, transform)
    document: dict[str, Any] = shapely.geometry.mapping(moved)
    return document


def to_degrees(archive: Archive, image: int) -> Callable[[Any], Any]:
    """From pixels of an image to longitude and latitude: its transform (GDAL order), then its CRS."""
    from .detect.projection import to_degrees as project_from

    a, b, c, d, e, f = (float(v) for v in archive.table.images.transform[image])
    columns = archive.table.images.arrow
    crs = columns["crs"][image].as_py() if "crs" in columns.column_names else None
    project = project_from(crs) if crs is not None else None

    def place(points: Any) -> Any:
        x, y = points[:, 0], points[:, 1]
        mapped = np.column_stack([a + b * x + c * y, d + e * x + f * y])
        return mapped if project is None else project(mapped)

    return place

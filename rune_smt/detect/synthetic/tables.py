"""Made scenes as the tables and picture files that an archive is built from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .scenes import CRS, SyntheticScene

QUALITY = 88  # JPEG


def to_arrow(scenes: Iterable[SyntheticScene], pictures: Path | None = None) -> tuple[Any, Any]:
    """(entities, images): two pyarrow tables as an archive takes them; pictures go to a folder where one is given.

    Every scene has its row in `images`, also one in which nothing stands. `path` is null without pictures.
    """
    import pyarrow as pa
    import shapely

    entities: dict[str, list[Any]] = {
        name: []
        for name in (
            *("image_id", "entity_id", "label", "source_label", "score", "geometry", "source", "difficult"),
            *("occluded", "flooded"),
        )
    }
    images: dict[str, list[Any]] = {
        name: [] for name in ("image_id", "width", "height", "gsd", "gsd_source", "path", "crs", "transform", "kind")
    }
    for scene in scenes:
        n = len(scene.labels)
        entities["image_id"] += [scene.image_id] * n
        entities["entity_id"] += range(n)
        entities["label"] += scene.labels
        entities["source_label"] += scene.labels
        entities["score"] += [1.0] * n
        entities["geometry"] += list(shapely.to_wkb(_geometry(scene))) if n else []
        entities["source"] += [f"synthetic:{scene.seed[0]}:{scene.image_id}:{i}" for i in range(n)]
        for name in ("difficult", "occluded"):
            entities[name] += _known(scene.attributes[name])
        entities["flooded"] += [None if v is None else v > 0 for v in _known(scene.attributes.get("flooded"), n)]
        path = write_picture(scene, pictures).resolve() if pictures is not None else None
        images["image_id"].append(scene.image_id)
        images["width"].append(scene.width)
        images["height"].append(scene.height)
        images["gsd"].append(scene.gsd)
        images["gsd_source"].append("synthetic" if scene.gsd is not None else None)
        images["path"].append(str(path) if path is not None else None)
        images["crs"].append(CRS if scene.transform is not None else None)
        images["transform"].append(list(scene.transform) if scene.transform is not None else None)
        images["kind"].append(scene.kind)
    text, number = pa.string(), pa.float64()
    entity_schema = pa.schema(
        [
            ("image_id", text), ("entity_id", pa.int32()), ("label", text), ("source_label", text), ("score", number),
            ("geometry", pa.binary()), ("source", text), ("difficult", number), ("occluded", number),
        ]
    )  # fmt: skip
    if any(value is not None for value in entities["flooded"]):
        entity_schema = entity_schema.append(pa.field("flooded", pa.bool_()))
    else:
        del entities["flooded"]
    image_schema = pa.schema(
        [
            ("image_id", text), ("width", pa.int32()), ("height", pa.int32()), ("gsd", number), ("gsd_source", text),
            ("path", text), ("crs", text), ("transform", pa.list_(number)), ("kind", text),
        ]
    )  # fmt: skip
    return pa.table(entities, schema=entity_schema), pa.table(images, schema=image_schema)


def _known(values: npt.NDArray[np.float64] | None, n: int = 0) -> list[float | None]:
    """Numbers with None for NaN; n times None where there are none at all."""
    return [None] * n if values is None else [None if v != v else v for v in values.tolist()]


def _geometry(scene: SyntheticScene) -> npt.NDArray[np.object_]:
    """Boxes; of a flood what is seen, with holes."""
    import shapely

    return scene.outlines if scene.flood is not None else np.asarray(shapely.polygons(scene.polygons))


def write_picture(scene: SyntheticScene, folder: Path, kind: str = "jpg") -> Path:
    """Paint a scene into `folder`, as "jpg" or "png"; the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{scene.image_id}.{kind}"
    picture = scene.render()
    if kind == "jpg":
        picture.save(path, quality=QUALITY)
    else:
        picture.save(path)
    return path

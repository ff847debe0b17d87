"""The exact annotation of one scene in the formats of others: DOTA, COCO, YOLO-OBB, masks, scenes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .raster import Bools, Window, inside
from .scenes import SyntheticScene

# class numbers of YOLO, COCO and masks: the first fifteen in the order of Ultralytics' DOTA set, the flood's in that of
# FloodNet's masks
CLASSES: Mapping[str, tuple[str, ...]] = {
    "dota-v1.5": (
        *("plane", "ship", "storage_tank", "baseball_diamond", "tennis_court", "basketball_court"),
        *("ground_track_field", "harbor", "bridge", "large_vehicle", "small_vehicle", "helicopter", "roundabout"),
        *("soccer_ball_field", "swimming_pool", "container_crane"),
    ),
    "flood": (
        *("building-flooded", "building-non-flooded", "road-flooded", "road-non-flooded", "water", "tree", "vehicle"),
        *("pool", "grass-non-flooded"),
    ),
}
ROUNDED = 3  # decimals of a pixel


@dataclass(frozen=True, slots=True)
class Annotations:
    """What of one scene goes into files that the whole set shares.

    labels   class of each thing
    image    its row of images.csv
    objects  rows of objects.csv
    coco     annotations as COCO has them, without ids; empty for other formats
    scene    the scene as a line of JSON; empty for other formats
    """

    kind: str
    vocabulary: str
    file_name: str
    labels: tuple[str, ...]
    image: dict[str, Any]
    objects: list[dict[str, Any]]
    coco: list[dict[str, Any]] = field(default_factory=list)
    scene: str = ""


def write_annotations(scene: SyntheticScene, folder: Path, format: str, file_name: str, *, clip: bool) -> Annotations:
    """Writes the files of one scene, and gives what goes into shared ones.

    clip  corners outside the picture are moved to its border
    """
    boxes = scene.polygons
    if clip:
        boxes = np.clip(boxes, 0, [scene.width, scene.height])
    made = Annotations(
        kind=scene.kind,
        vocabulary=scene.vocabulary,
        file_name=file_name,
        labels=scene.labels,
        image={
            "image_id": scene.image_id,
            "width": scene.width,
            "height": scene.height,
            "gsd": scene.gsd,
            "kind": scene.kind,
        },
        objects=_objects(scene),
        coco=list(_coco(scene, boxes, clip)) if format == "coco" else [],
        scene=_scene_line(scene, boxes, clip) if format == "scenes" else "",
    )
    match format:
        case "dota":
            _write(folder / "labelTxt" / f"{scene.image_id}.txt", _dota(scene, boxes))
        case "yolo-obb":
            _write(folder / "labels" / f"{scene.image_id}.txt", _yolo(scene, boxes))
        case "masks":
            _write_masks(scene, folder / "masks")
    return made


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _objects(scene: SyntheticScene) -> list[dict[str, Any]]:
    """Rows of objects.csv; what a thing does not have is left empty."""
    columns: dict[str, Sequence[Any]] = {name: values.tolist() for name, values in scene.attributes.items()}
    if scene.flood is not None:
        houses = np.isin(scene.labels, "building")
        dry = scene.flood.networks()
        columns |= {
            "network": [None if number < 0 else number for number in dry.tolist()],
            "leads_out": _where(dry >= 0, scene.flood.ways_out()),
            "cut_off": _where(houses, scene.flood.cut_off()),
        }
    rows = []
    for i, label in enumerate(scene.labels):
        row: dict[str, Any] = {"image_id": scene.image_id, "entity_id": i, "label": label}
        row |= {name: _short(values[i]) for name, values in columns.items()}
        rows.append(row)
    return rows


def _where(asked: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> list[int | None]:
    return [int(t) if a else None for a, t in zip(asked.tolist(), truth.tolist(), strict=True)]


def _short(value: Any) -> Any:
    """A number of at most four decimals; None for what a thing does not have."""
    if value is None or value != value:
        return None
    return int(value) if float(value).is_integer() else round(float(value), 4)


def _dota(scene: SyntheticScene, boxes: npt.NDArray[np.float64]) -> str:
    lines = ["imagesource:synthetic", f"gsd:{scene.gsd}"]
    for label, box, hard in zip(scene.labels, boxes.tolist(), scene.attributes["difficult"].tolist(), strict=True):
        corners = " ".join(f"{v:.2f}" for corner in box for v in corner)
        lines.append(f"{corners} {label.replace('_', '-')} {int(hard)}")
    return "\n".join(lines) + "\n"


def _yolo(scene: SyntheticScene, boxes: npt.NDArray[np.float64]) -> str:
    names = CLASSES[scene.vocabulary]
    shares = (boxes / [scene.width, scene.height]).reshape(-1, 8)
    lines = [
        f"{names.index(label)} " + " ".join(f"{v:.7f}" for v in row)
        for label, row in zip(scene.labels, shares.tolist(), strict=True)
    ]
    return "".join(line + "\n" for line in lines)


# --- COCO -------------------------------------------------------------------------------------------------------------


def coco_document(rows: Sequence[Annotations], names: Sequence[str]) -> dict[str, Any]:
    """The whole COCO file; images and annotations are numbered from 1 in the order of the set."""
    annotations: list[dict[str, Any]] = []
    for number, row in enumerate(rows, 1):
        for thing in row.coco:
            annotations.append({"id": len(annotations) + 1, "image_id": number, **thing})
    images = [
        {"id": number, "file_name": row.file_name} | {key: row.image[key] for key in ("width", "height", "gsd", "kind")}
        for number, row in enumerate(rows, 1)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _coco(scene: SyntheticScene, boxes: npt.NDArray[np.float64], clip: bool) -> Iterator[dict[str, Any]]:
    import shapely

    names = CLASSES[scene.vocabulary]
    frame = shapely.box(0, 0, scene.width, scene.height)
    for i, (name, outline) in enumerate(zip(_names(scene), scene.outlines, strict=True)):
        shape = shapely.intersection(outline, frame) if clip else outline
        left, top, right, bottom = shape.bounds
        thing: dict[str, Any] = {
            "category_id": names.index(name) + 1,
            "bbox": [round(v, ROUNDED) for v in (left, top, right - left, bottom - top)],
            "area": round(float(shape.area), ROUNDED),
            "iscrowd": 0,
            "segmentation": _mask_of(scene, outline) if scene.flood is not None else _rings_of(shape),
        }
        if scene.flood is None:
            thing["obb"] = [round(v, ROUNDED) for corner in boxes[i].tolist() for v in corner]
        thing["attributes"] = {
            column: _short(values[i])
            for column, values in scene.attributes.items()
            if column != "flooded" and values[i] == values[i]
        }
        yield thing


def _names(scene: SyntheticScene) -> list[str]:
    """The names that a data set has for the classes: a flood's say whether the thing is under water."""
    if scene.flood is None:
        return list(scene.labels)
    return [CLASSES["flood"][value - 1] for value in scene.flood.value.tolist()]


def _rings_of(shape: Any) -> list[list[float]]:
    """The corners of each part; outlines of things on dry land have no holes."""
    import shapely

    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return [
        [round(v, ROUNDED) for v in shapely.get_coordinates(part.exterior)[:-1].reshape(-1).tolist()] for part in parts
    ]


def _mask_of(scene: SyntheticScene, outline: Any) -> dict[str, Any]:
    """The pixels of an outline that runs along pixel corners, as COCO's run lengths."""
    from ..rle import encode

    window, filled = _pixels_of(outline, scene.width)
    return encode(filled, (window[1].start, window[0].start), (scene.height, scene.width))


def _pixels_of(outline: Any, size: int) -> tuple[Window, Bools]:
    import shapely

    left, top, right, bottom = (int(v) for v in outline.bounds)
    filled = np.zeros((bottom - top, right - left), dtype=bool)
    for part in shapely.get_parts(outline):
        for ring in (part.exterior, *part.interiors):
            found = inside(shapely.get_coordinates(ring)[:-1].reshape(-1).tolist(), size)
            if found is not None:
                (rows, columns), pixels = found
                filled[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] ^= pixels
    return (slice(top, bottom), slice(left, right)), filled


# --- masks and scenes -------------------------------------------------------------------------------------------------


def _write_masks(scene: SyntheticScene, folder: Path) -> None:
    """Classes as NAME_lab.png, 8 bits; numbers of things as NAME_inst.png, 16 bits; 0 for none."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    numbers = scene.instances()
    if scene.flood is not None:
        values = scene.flood.values
    else:
        names = CLASSES[scene.vocabulary]
        value_of = np.array([0, *(names.index(label) + 1 for label in scene.labels)], dtype=np.uint8)
        values = value_of[numbers]
    Image.fromarray(values).save(folder / f"{scene.image_id}_lab.png")
    Image.fromarray(numbers.astype(np.uint16)).save(folder / f"{scene.image_id}_inst.png")


def _scene_line(scene: SyntheticScene, boxes: npt.NDArray[np.float64], clip: bool) -> str:
    """The scene as `Scene.to_json` writes it: boxes, or of a flood what is seen, with holes."""
    import shapely

    entities = []
    for i, label in enumerate(scene.labels):
        if scene.flood is None:
            polygon: Any = [[round(v, ROUNDED) for v in corner] for corner in boxes[i].tolist()]
        else:
            parts = shapely.get_parts(scene.outlines[i])
            rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
            polygon = [shapely.get_coordinates(ring)[:-1].tolist() for ring in rings]
        attributes = {name: _short(values[i]) for name, values in scene.attributes.items() if values[i] == values[i]}
        if "flooded" in attributes:
            attributes["flooded"] = bool(attributes["flooded"])
        entities.append({"entity_id": i, "label": label, "score": 1.0, "polygon": polygon, "attributes": attributes})
    document = {
        "image_id": scene.image_id,
        "width": scene.width,
        "height": scene.height,
        "gsd": scene.gsd,
        "entities": entities,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

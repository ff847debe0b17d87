"""Scored detections of a made scene, as a detector with known errors reports them, in the formats of detectors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from ..error_model import ErrorModel
from ..error_sampling import sample
from .scenes import SyntheticScene

STREAM = 4  # of the scene's random numbers: the layout, the picture and the clouds have others


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """What is reported of one image, the best score first.

    labels  (n,)
    scores  float64 (n,), four decimals
    boxes   float64 (n, 4, 2), pixels
    """

    image_id: str
    size: tuple[int, int]
    gsd: float | None
    labels: list[str]
    scores: npt.NDArray[np.float64]
    boxes: npt.NDArray[np.float64]


def detect(scene: SyntheticScene, errors: ErrorModel, classes: Sequence[str]) -> Detected:
    """The boxes that a detector with these errors reports of a scene; the same every time."""
    rng = np.random.default_rng((*scene.seed, STREAM))
    shapes = np.asarray(shapely.polygons(scene.polygons), dtype=object)
    size = scene.width, scene.height
    found = sample(errors, scene.labels, shapes, scene.attributes["occluded"], size, rng, classes).detections
    boxes = [shapely.get_coordinates(shape)[:4] for shape in found.shapes]
    # rounded down, so that nothing comes to lie above another model's limit
    scores = np.maximum(np.floor(found.scores * 1e4) / 1e4, errors.min_score)
    return Detected(scene.image_id, size, scene.gsd, list(found.labels), scores, np.array(boxes).reshape(-1, 4, 2))


def write_detections(found: Sequence[Detected], folder: Path, format: str, names: Sequence[str]) -> None:
    """All detections of a set into `folder`/detections: Task1 files, COCO results, YOLO results or scenes."""
    out = folder / "detections"
    out.mkdir()
    match format:
        case "dota":
            _task1(found, out)
        case "coco":
            _write(out / "results.json", json.dumps(_results(found, names), separators=(",", ":")) + "\n")
        case "yolo-obb":
            (out / "labels").mkdir()
            for one in found:
                shares = (one.boxes / one.size).reshape(-1, 8).tolist()
                lines = [
                    f"{names.index(label)} {' '.join(f'{v:.7f}' for v in row)} {score:.4f}\n"
                    for label, row, score in zip(one.labels, shares, one.scores.tolist(), strict=True)
                ]
                _write(out / "labels" / f"{one.image_id}.txt", "".join(lines))
        case _:
            _write(out / "detections.scenes.jsonl", "".join(f"{json.dumps(_scene(one))}\n" for one in found))


def _task1(found: Sequence[Detected], out: Path) -> None:
    """One file a class, also for classes of which nothing was reported anywhere: no file, no class."""
    lines: dict[str, list[str]] = {}
    for one in found:
        for label, score, box in zip(one.labels, one.scores.tolist(), one.boxes.reshape(-1, 8).tolist(), strict=True):
            row = f"{one.image_id} {score:.4f} {' '.join(f'{v:.2f}' for v in box)}\n"
            lines.setdefault(label, []).append(row)
    for label, rows in sorted(lines.items()):
        _write(out / f"Task1_{label.replace('_', '-')}.txt", "".join(rows))


def _results(found: Sequence[Detected], names: Sequence[str]) -> list[dict[str, Any]]:
    results = []
    for number, one in enumerate(found, 1):
        for label, score, box in zip(one.labels, one.scores.tolist(), one.boxes, strict=True):
            (left, top), (right, bottom) = box.min(axis=0).tolist(), box.max(axis=0).tolist()
            results.append(
                {
                    "image_id": number,
                    "category_id": names.index(label) + 1,
                    "bbox": [round(v, 2) for v in (left, top, right - left, bottom - top)],
                    "segmentation": [[round(v, 2) for v in box.reshape(-1).tolist()]],
                    "score": round(score, 4),
                }
            )
    return results


def _scene(one: Detected) -> dict[str, Any]:
    entities = [
        {"entity_id": i, "label": label, "score": round(score, 4), "polygon": np.round(box, 2).tolist()}
        for i, (label, score, box) in enumerate(zip(one.labels, one.scores.tolist(), one.boxes, strict=True))
    ]
    return {"image_id": one.image_id, "width": one.size[0], "height": one.size[1], "gsd": one.gsd, "entities": entities}


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")

"""Ultralytics models, from .pt files or by name: oriented boxes, boxes and segments. Needs the extra `ultralytics`.

Ultralytics is under AGPL-3.0, which reaches programs that use it and services built on them; this package does not
need it otherwise. A .pt file is a pickle: loading one runs what is in it, so load only files that you trust.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import shapely

from rune_smt.detect.detector import (
    SAME_ROTATED,
    SAME_UPRIGHT,
    SIDE,
    Detections,
    DetectorKind,
    ModelOptions,
    Pixels,
    Shapes,
    distinct,
    model_file,
    named,
)
from rune_smt.detect.records import Floats
from rune_smt.errors import DataError, MissingExtra, QueryError

MOST = 20_000  # detections a picture: Ultralytics stops at 300 unless told otherwise, which cuts crowded harbours
LOOSE = 0.7  # Ultralytics' own suppression only thins out: what is one thing is decided here, by exact overlap
BY_NAME = re.compile(r"(yolo|rtdetr)[\w.-]*", re.IGNORECASE)


class YoloResults(Protocol):
    """What is read of `ultralytics.engine.results.Results`: one picture's result, on any device."""

    names: Mapping[int, str]
    obb: Any
    masks: Any
    boxes: Any


def detections_of(results: YoloResults, *, most: int | None = None) -> Detections:
    """The detections of one picture's results.

    `obb.xyxyxyxy` (n, 4, 2) comes first, then `masks.xy` (n outlines in pixels), then `boxes.xyxy` (n, 4); angles are
    never used, since their meaning differs between versions. A mask without an outline gives its box.
    most  the number of detections at which the model stops: a list as long as that is marked truncated
    """
    found = results.obb if results.obb is not None else results.boxes
    if found is None:
        raise DataError(
            "The results hold neither oriented boxes nor boxes.", hint="Use a model for obb, detect or segment."
        )
    scores = _numbers(found.conf)
    classes = _numbers(found.cls).astype(np.int64)
    if results.obb is not None:
        shapes = shapely.polygons(_numbers(found.xyxyxyxy).reshape(-1, 4, 2))
    else:
        shapes = shapely.box(*_numbers(found.xyxy).reshape(-1, 4).T)
        if results.masks is not None:
            shapes = _outlines(results.masks.xy, shapes)
    names = {int(number): str(name) for number, name in dict(results.names).items()}
    labels = named(names, classes, "the results")
    return Detections(labels, scores.clip(0, 1), shapes, truncated=most is not None and len(scores) >= most)


def _outlines(segments: Sequence[Any], boxes: Shapes) -> Shapes:
    """The polygon of each segment with three corners or more, else the box."""
    shapes = boxes.copy()
    for number, segment in enumerate(segments):
        corners = _numbers(segment)
        if len(corners) >= 3:
            shapes[number] = shapely.Polygon(corners)
    return shapes


def _numbers(values: Any) -> Floats:
    """A tensor on any device, or an array, as float64."""
    if hasattr(values, "cpu"):
        values = values.cpu()
    if hasattr(values, "numpy"):
        values = values.numpy()
    return np.asarray(values, np.float64)


@dataclass(frozen=True, slots=True)
class UltralyticsDetector:
    """A model run by Ultralytics.

    model     ultralytics.YOLO
    side      of its input, pixels
    same      IoU above which two outlines of a class are one thing
    identity  changes with the weights and the limits
    """

    model: Any = field(repr=False)
    options: ModelOptions
    side: int
    same: float
    identity: str

    def __call__(self, image: Pixels, /) -> Detections:
        """What is seen in a picture, uint8 (height, width, 3) RGB."""
        return self.see([image])[0]

    def see(self, images: Sequence[Pixels]) -> list[Detections]:
        """What is seen in several pictures, run as one batch."""
        results = self.model.predict(
            [np.ascontiguousarray(image[:, :, ::-1]) for image in images],  # Ultralytics takes BGR
            imgsz=self.side,
            conf=self.options.min_score,
            iou=LOOSE,
            max_det=MOST,
            device={"auto": None, "cuda": 0}.get(self.options.device, self.options.device),
            verbose=False,
        )
        return [distinct(detections_of(result, most=MOST), self.same) for result in results]


def load(model: str, options: ModelOptions) -> UltralyticsDetector:
    """The detector of a .pt file, or of a model name, whose weights Ultralytics downloads as usual.

    Raises MissingExtra without ultralytics, DataError for weights that cannot be read.
    """
    is_file = Path(model).suffix.lower() == ".pt" and not _by_name(model)
    if is_file:
        model_file(model)
    try:
        from ultralytics import YOLO
    except ImportError as error:
        raise MissingExtra(
            "ultralytics is not installed.", hint="pip install 'rune-smt[ultralytics]' (AGPL-3.0, and it brings torch)"
        ) from error
    if options.device not in ("auto", "cpu", "cuda"):
        raise QueryError(f"--device is auto, cpu or cuda, got '{options.device}'.")
    try:
        loaded = YOLO(model)
    except Exception as error:  # torch, pickle and the network all fail in their own ways
        raise DataError(f"{model}: cannot be loaded by ultralytics: {str(error).splitlines()[0]}") from error
    settings = getattr(loaded, "overrides", {})
    size = settings.get("imgsz", SIDE)
    side = int(max(size) if isinstance(size, list | tuple) else size)
    weights = Path(model)
    mark = hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else model
    usual = SAME_ROTATED if getattr(loaded, "task", "") == "obb" else SAME_UPRIGHT
    same = options.same if options.same is not None else usual
    return UltralyticsDetector(loaded, options, side, same, f"{mark} score {options.min_score} same {same}")


def _by_name(text: str) -> bool:
    """Whether a text is a model's own name (yolo11n-obb, yolo11n-obb.pt) and no file here."""
    return "/" not in text and "\\" not in text and not Path(text).exists() and BY_NAME.fullmatch(text) is not None


KIND = DetectorKind(
    name="Ultralytics, AGPL-3.0",
    looks="FILE.pt or a name such as yolo11n-obb",
    takes=lambda text: Path(text).suffix.lower() == ".pt" or _by_name(text),
    load=load,
)

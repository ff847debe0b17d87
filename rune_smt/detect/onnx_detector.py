"""YOLO models in ONNX files: oriented and plain boxes, with and without suppression built in. Needs the extra `detect`.

The output layouts are those that Ultralytics documents for its exports (https://docs.ultralytics.com/modes/export and
https://docs.ultralytics.com/guides/end2end-detection), and that of YOLOv5.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rune_smt.detect.detector import (
    SAME_ROTATED,
    SAME_UPRIGHT,
    SIDE,
    Detections,
    DetectorKind,
    ModelOptions,
    Pixels,
    distinct,
    model_file,
    named,
)
from rune_smt.detect.records import Floats, Ints
from rune_smt.errors import DataError, MissingExtra, QueryError

Task: TypeAlias = Literal["obb", "detect"]
PADDING = 114  # the grey around a picture that Ultralytics' models were trained with
SMALLEST = 1e-3  # pixels of the input: boxes thinner than this are no boxes
SUPPRESSED: Mapping[Task, int] = {"obb": 7, "detect": 6}  # numbers a box once suppression is done


@dataclass(frozen=True, slots=True)
class Layout:
    """How the numbers of an output array stand for boxes.

    oriented    boxes have an angle
    suppressed  rows are finished boxes: box, score, class (and angle); else box, a score for each class (and angle)
    objectness  a score for being anything stands before the classes' (YOLOv5)
    box_axis    the axis of the array, without the batch, along which boxes follow each other
    classes     number of scores a box, 0 where suppression is done
    """

    oriented: bool
    suppressed: bool
    objectness: bool
    box_axis: Literal[0, 1]
    classes: int


def layout_of(shape: tuple[int, int], classes: int, task: Task | None = None) -> Layout:
    """The layout of an output of this shape, without the batch.

    classes  how many classes the model has, 0 if unknown
    task     what the model says that it does, None if it says nothing
    Raises DataError for a shape that is none of them.

        (4 + classes, boxes)            detect, before suppression (YOLOv8, 11, 26)      x y w h, scores
        (4 + classes + 1, boxes)        obb, before suppression                          x y w h, scores, angle
        (boxes, 5 + classes)            detect, YOLOv5                                   x y w h, objectness, scores
        (boxes, 6)                      detect, suppressed (YOLOv10, 26, nms=True)       x0 y0 x1 y1 score class
        (boxes, 7)                      obb, suppressed                                  x y w h score class angle
    The first two are also read with their axes the other way round.
    """
    tasks: tuple[Task, ...] = (task,) if task is not None else ("obb", "detect")
    for one in tasks:  # as exported, which no other reading can be mistaken for: channels first, many boxes
        own = 4 + classes + (one == "obb")
        if classes and shape[0] == own and shape[1] != SUPPRESSED[one]:
            return Layout(one == "obb", False, False, 1, classes)
    for one in tasks:
        if shape[1] == SUPPRESSED[one]:
            return Layout(one == "obb", True, False, 0, 0)
    if classes and task != "obb" and shape[1] == 5 + classes:
        return Layout(False, False, True, 0, classes)
    for one in tasks:
        if classes and shape[1] == 4 + classes + (one == "obb"):
            return Layout(one == "obb", False, False, 0, classes)
    known = f"{classes} classes" if classes else "an unknown number of classes"
    raise DataError(
        f"its output of shape {shape[0]} x {shape[1]} is no box layout known here for {known}.",
        hint="Export a YOLO model for detection or oriented boxes; --names FILE tells how many classes it has.",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes in pixels of the model's input: corners float64 (n, 4, 2), scores float64 (n,), classes int64 (n,)."""

    corners: Floats
    scores: Floats
    classes: Ints


def boxes_of(output: NDArray[Any], layout: Layout, min_score: float) -> Boxes:
    """The boxes of an output array without its batch axis, those below `min_score` left out.

    A box before suppression counts for its best class. Boxes without extent or with numbers that are not finite are
    left out: padding rows of suppressed outputs are such.
    """
    rows = output.T if layout.box_axis == 1 else output
    if layout.suppressed:
        scores, classes = rows[:, 4], rows[:, 5]
        angles = rows[:, 6] if layout.oriented else None
    else:
        first = 5 if layout.objectness else 4
        each = rows[:, first : first + layout.classes]
        classes = each.argmax(axis=1)
        scores = np.take_along_axis(each, classes[:, None], axis=1)[:, 0]
        if layout.objectness:
            scores = scores * rows[:, 4]
        angles = rows[:, first + layout.classes] if layout.oriented else None
    kept = np.flatnonzero(scores >= min_score)
    box = rows[kept, :4].astype(np.float64)
    turn = np.zeros(len(kept)) if angles is None else angles[kept].astype(np.float64)
    if layout.suppressed and not layout.oriented:
        box = np.concatenate([(box[:, :2] + box[:, 2:]) / 2, box[:, 2:] - box[:, :2]], axis=1)
    usable = np.isfinite(box).all(axis=1) & np.isfinite(turn) & (box[:, 2:] > SMALLEST).all(axis=1)
    kept, box, turn = kept[usable], box[usable], turn[usable]
    numbers = np.asarray(classes[kept], np.float64).round().astype(np.int64)
    return Boxes(corners_of(box, turn), np.clip(scores[kept].astype(np.float64), 0.0, 1.0), numbers)


def corners_of(box: Floats, angle: Floats) -> Floats:
    """Corners (n, 4, 2) of boxes x, y (centre), w, h of shape (n, 4), turned by angles in radians from x towards y."""
    cos, sin = np.cos(angle), np.sin(angle)
    along = np.stack([box[:, 2] * cos, box[:, 2] * sin], axis=1) / 2
    across = np.stack([-box[:, 3] * sin, box[:, 3] * cos], axis=1) / 2
    centre = box[:, :2]
    corners = (centre + along + across, centre + along - across, centre - along - across, centre - along + across)
    return np.stack(corners, axis=1)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture lies in the model's input: a pixel (x, y) of it is (x * scale + left, y * scale + top) there."""

    scale: float
    left: float
    top: float

    def back(self, corners: Floats) -> Floats:
        """From the input's pixels to the picture's."""
        moved: Floats = (corners - np.array([self.left, self.top])) / self.scale
        return moved


def letterbox(image: Pixels, height: int, width: int, *, enlarge: bool = True) -> tuple[Pixels, Fit]:
    """The picture scaled to fit into height x width pixels, in the middle, with grey around it.

    enlarge  also scale up a picture that is smaller
    """
    from PIL import Image

    own_height, own_width = image.shape[:2]
    scale = min(height / own_height, width / own_width)
    if not enlarge:
        scale = min(scale, 1.0)
    new_height, new_width = max(1, round(own_height * scale)), max(1, round(own_width * scale))
    if (new_height, new_width) != (own_height, own_width):
        image = np.asarray(Image.fromarray(image).resize((new_width, new_height), Image.Resampling.BILINEAR))
    top, left = (height - new_height) // 2, (width - new_width) // 2
    canvas = np.full((height, width, 3), PADDING, np.uint8)
    canvas[top : top + new_height, left : left + new_width] = image
    return canvas, Fit(scale, left, top)


@dataclass(frozen=True, slots=True)
class OnnxDetector:
    """A YOLO model run by ONNX Runtime.

    shown     the model file, for messages
    session   onnxruntime.InferenceSession
    height, width   of its input, pixels
    names     class names by number
    task      what the model says that it does
    options   limits
    same      IoU above which two boxes of a class are one thing
    identity  changes with the model's bytes and the limits
    enlarge   pictures smaller than the input are scaled up
    """

    shown: str
    session: Any = field(repr=False)
    height: int
    width: int
    names: Mapping[int, str]
    task: Task | None
    options: ModelOptions
    same: float
    identity: str
    enlarge: bool = True

    @property
    def side(self) -> int:
        """The tile that goes through unscaled, pixels."""
        return min(self.height, self.width)

    def __call__(self, image: Pixels, /) -> Detections:
        """What is seen in a picture, uint8 (height, width, 3) RGB, of any size."""
        canvas, fit = letterbox(image, self.height, self.width, enlarge=self.enlarge)
        port = self.session.get_inputs()[0]
        batch = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        output = self.session.run(None, {port.name: batch.astype(np.float16) if "16" in port.type else batch})[0]
        return self.read(output, fit)

    def read(self, output: NDArray[Any], fit: Fit) -> Detections:
        """The detections of the model's first output, (1, a, b), for a picture that lay so in its input."""
        if output.ndim != 3 or output.shape[0] != 1:
            raise DataError(f"{self.shown}: its first output has shape {output.shape}, and must have (1, a, b).")
        try:
            layout = layout_of((output.shape[1], output.shape[2]), len(self.names), self.task)
        except DataError as error:
            raise DataError(f"{self.shown}: {error.message}", hint=error.hint) from None
        found = boxes_of(output[0], layout, self.options.min_score)
        full = layout.suppressed and len(found.scores) == output.shape[1]
        labels = named(self.names, found.classes, self.shown)
        return distinct(Detections.of_corners(labels, found.scores, fit.back(found.corners), truncated=full), self.same)


def load(model: str, options: ModelOptions) -> OnnxDetector:
    """The detector of an ONNX file.

    Raises MissingExtra without onnxruntime, DataError for a file that is no such model, QueryError for a device that
    is not there.
    """
    path = model_file(model)
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("onnxruntime is not installed.", hint="pip install 'rune-smt[detect]'") from error
    shown = path.as_posix()
    data = path.read_bytes()
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3  # errors only: its warnings speak of graphs, not of pictures
    try:
        session = onnxruntime.InferenceSession(str(path), quiet, providers=providers(options.device))
    except QueryError:
        raise
    except Exception as error:  # the runtime's own classes derive from Exception alone
        raise DataError(f"{shown}: cannot be read as an ONNX model: {str(error).splitlines()[0]}") from error
    facts = session.get_modelmeta().custom_metadata_map
    height, width = input_size(session.get_inputs()[0].shape, facts, shown)
    task = task_of(facts, shown)
    same = options.same if options.same is not None else SAME_UPRIGHT if task == "detect" else SAME_ROTATED
    return OnnxDetector(
        shown=shown,
        session=session,
        height=height,
        width=width,
        names=options.names or class_names(facts, shown),
        task=task,
        options=options,
        same=same,
        identity=f"{hashlib.sha256(data).hexdigest()} score {options.min_score} same {same}",
    )


def providers(device: str) -> list[str]:
    """ONNX Runtime's execution providers for a device, auto: CUDA if it is there. QueryError where it is not."""
    import onnxruntime

    present = onnxruntime.get_available_providers()
    wanted = {"auto": ["CUDAExecutionProvider"], "cuda": ["CUDAExecutionProvider"], "cpu": []}.get(device)
    if wanted is None:
        raise QueryError(f"--device is auto, cpu or cuda, got '{device}'.")
    if device == "cuda" and wanted[0] not in present:
        raise QueryError("This onnxruntime has no CUDA.", hint="pip install onnxruntime-gpu in its place.")
    return [name for name in wanted if name in present] + ["CPUExecutionProvider"]


def input_size(shape: list[Any], facts: Mapping[str, str], shown: str) -> tuple[int, int]:
    """Height and width of the input (1, 3, height, width); where it takes any, those of the metadata, else SIDE."""
    if len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
        raise DataError(f"{shown}: its input has shape {shape}, and must have (1, 3, height, width).")
    said = _literal(facts.get("imgsz"))
    usual = [int(side) for side in said] if isinstance(said, list | tuple) and len(said) == 2 else [SIDE, SIDE]
    height, width = (side if isinstance(side, int) else usual[k] for k, side in enumerate(shape[2:]))
    return height, width


def class_names(facts: Mapping[str, str], shown: str) -> dict[int, str]:
    """The class names in a model's metadata. DataError where it has none."""
    said = _literal(facts.get("names"))
    if isinstance(said, list | tuple):
        said = dict(enumerate(said))
    if not isinstance(said, dict) or not said or not all(str(key).isdigit() for key in said):
        raise DataError(
            f"{shown}: the model does not name its classes.",
            hint="Give them: --names FILE, a data.yaml or one name a line.",
        )
    return {int(key): str(name) for key, name in said.items()}


def task_of(facts: Mapping[str, str], shown: str) -> Task | None:
    """What the model says that it does, None for nothing. DataError where that is not to find boxes."""
    said = facts.get("task")
    match said:
        case None | "":
            return None
        case "obb":
            return "obb"
        case "detect":
            return "detect"
        case _:
            raise DataError(f"{shown}: is a model for '{said}'; models for detect and obb are read here.")


def _literal(text: str | None) -> Any:
    """The value of a metadata text, which is a Python literal; None for what is none."""
    try:
        return ast.literal_eval(text) if text else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


KIND = DetectorKind(
    name="ONNX Runtime",
    looks="FILE.onnx",
    takes=lambda text: Path(text).suffix.lower() == ".onnx",
    load=load,
)

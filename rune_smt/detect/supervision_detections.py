"""`supervision.Detections` both ways: reading them needs nothing of supervision, writing them needs the extra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import shapely

from rune_smt.detect.detector import Detections, Shapes, named
from rune_smt.detect.rle import mask_outline
from rune_smt.errors import DataError, MissingExtra

CORNERS, NAMES = "xyxyxyxy", "class_name"  # supervision's own keys of `data`


class SupervisionDetections(Protocol):
    """What is read of `supervision.Detections` (fields as of 0.31)."""

    xyxy: Any
    mask: Any
    confidence: Any
    class_id: Any
    tracker_id: Any
    data: dict[str, Any]


def from_supervision(
    found: SupervisionDetections, names: Mapping[int, str] | Sequence[str] | None = None
) -> Detections:
    """The detections of one picture.

    Outlines are `data["xyxyxyxy"]` (n, 4, 2), else `mask` (n, height, width), else `xyxy` (n, 4), in pixels. Labels are
    `data["class_name"]`, else `class_id` with `names`. Without `confidence` every score is 1. `tracker_id` becomes the
    attribute object_id, and other arrays of `data` with one scalar a row become attributes.
    Raises DataError where labels or coordinates are missing.
    """
    boxes = np.asarray(found.xyxy, np.float64).reshape(-1, 4)
    n = len(boxes)
    scores = np.ones(n) if found.confidence is None else np.asarray(found.confidence, np.float64)
    attributes: dict[str, Sequence[Any]] = {}
    if found.tracker_id is not None:
        attributes["object_id"] = np.asarray(found.tracker_id).tolist()
    for name, values in found.data.items():
        array = np.asarray(values)
        if name not in (CORNERS, NAMES) and array.shape == (n,) and array.dtype.kind in "biufUSO":
            attributes[name] = [value.decode() if isinstance(value, bytes) else value for value in array.tolist()]
    try:
        return Detections(_labels(found, names, n), scores, _shapes(found, boxes), attributes)
    except ValueError as error:
        raise DataError(f"These supervision.Detections cannot be read: {error}.") from error


def to_supervision(seen: Detections, codes: Mapping[str, int] | None = None) -> Any:
    """As `supervision.Detections`: boxes, corners of the smallest rotated rectangles, scores, names and attributes.

    codes  number of each label; None numbers them in the order of their names
    Raises MissingExtra without supervision. Outlines that are no rectangles are only boxed: masks of whole pictures are
    left to whoever needs them.
    """
    try:
        import supervision
    except ImportError as error:
        raise MissingExtra("supervision is not installed.", hint="pip install 'rune-smt[supervision]'") from error
    return supervision.Detections(**supervision_fields(seen, codes))


def supervision_fields(seen: Detections, codes: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The arguments of `supervision.Detections` for these detections."""
    numbers = codes or {label: code for code, label in enumerate(sorted(set(seen.labels)))}
    data: dict[str, Any] = {
        CORNERS: corners_of(seen.shapes).astype(np.float32),
        NAMES: np.array(list(seen.labels), dtype=str),
    }
    attributes = {name: np.array(list(values)) for name, values in seen.attributes.items() if name != "object_id"}
    tracked = seen.attributes.get("object_id")
    return {
        "xyxy": shapely.bounds(seen.shapes).reshape(-1, 4).astype(np.float32),
        "confidence": seen.scores.astype(np.float32),
        "class_id": np.array([numbers[label] for label in seen.labels], np.int64),
        "tracker_id": np.array(tracked, np.int64) if tracked is not None and None not in tracked else None,
        "data": {**data, **attributes},
    }


def corners_of(shapes: Shapes) -> Any:
    """Four corners each, float64 (n, 4, 2): the outline's own where it has four, else of the smallest rectangle."""
    corners = np.empty((len(shapes), 4, 2))
    for number, shape in enumerate(shapes):
        own = shapely.get_coordinates(shape)
        if shapely.get_num_interior_rings(shape) > 0 or len(own) != 5:
            around = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))
            own = around if len(around) == 5 else shapely.get_coordinates(shapely.box(*shapely.bounds(shape)))
        corners[number] = own[:4]
    return corners


def _labels(found: SupervisionDetections, names: Mapping[int, str] | Sequence[str] | None, n: int) -> list[str]:
    given = found.data.get(NAMES)
    if given is not None:
        return [str(name) for name in np.asarray(given).tolist()]
    if found.class_id is None or names is None:
        if n == 0:
            return []
        lacking = "class_id" if found.class_id is None else "names for its class_id"
        raise DataError(
            f'These supervision.Detections have no data["class_name"] and no {lacking}.',
            hint="Give names=, a list or a dictionary of class names by number.",
        )
    known = names if isinstance(names, Mapping) else dict(enumerate(names))
    return named(known, np.asarray(found.class_id, np.int64), "supervision.Detections")


def _shapes(found: SupervisionDetections, boxes: Any) -> Shapes:
    corners = found.data.get(CORNERS)
    if corners is not None:
        return np.asarray(shapely.polygons(np.asarray(corners, np.float64).reshape(-1, 4, 2)), object)
    shapes: Shapes = np.asarray(shapely.box(*boxes.T), object)
    if found.mask is not None:
        for number, mask in enumerate(found.mask):
            if np.any(mask):
                shapes[number] = mask_outline(np.asarray(mask, np.bool_))
    return shapes

"""Samples of FiftyOne as detections: Polylines and Detections, coordinates as shares of the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from rune_smt.detect.detector import Detections
from rune_smt.detect.images import read_picture
from rune_smt.detect.outlines import as_shapes
from rune_smt.detect.records import ImageName, Journal, Outlines, SourceFile
from rune_smt.detect.rle import mask_outline
from rune_smt.errors import DataError

# of a label: what has a meaning of its own here, and what is no attribute
OWN = frozenset(
    {"id", "label", "confidence", "points", "bounding_box", "mask", "mask_path", "closed", "filled", "tags"}
)
CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)


def detections_of(sample: Any, field: str, size: tuple[int, int]) -> Detections:
    """What a sample's field says is in its picture of (width, height) pixels.

    Polylines are outlines where they are closed or filled, several rings by the even-odd rule; of Detections the mask,
    else the box. Scalar fields of a label become attributes, its tags one text. Raises DataError for other labels.
    """
    place = f"{sample.filepath}: {field}"
    shapes: list[Any] = []
    labels: list[str] = []
    scores: list[float] = []
    fields: list[dict[str, Any]] = []
    for number, label in enumerate(_labels(sample, field, place)):
        try:
            shapes.append(_shape(label, np.asarray(size, np.float64)))
        except (TypeError, ValueError, IndexError) as error:
            raise DataError(f"{place} {number}: {error}.") from error
        labels.append(str(label.label))
        score = getattr(label, "confidence", None)
        scores.append(1.0 if score is None else float(score))
        fields.append(_attributes(label))
    names = dict.fromkeys(name for mine in fields for name in mine)
    column = np.empty(len(shapes), object)
    column[:] = shapes
    try:
        attributes = {name: [mine.get(name) for mine in fields] for name in names}
        return Detections(labels, np.array(scores, np.float64), column, attributes)
    except ValueError as error:
        raise DataError(f"{place}: {error}.") from error


def size_of(sample: Any) -> tuple[int, int]:
    """Width and height in pixels: of the sample's metadata, else of its picture. DataError where neither tells."""
    said = getattr(sample, "metadata", None)
    width, height = getattr(said, "width", None), getattr(said, "height", None)
    if width and height:
        return int(width), int(height)
    path = Path(sample.filepath)
    journal = Journal(skip_bad=True)
    record = read_picture(SourceFile(path, path.as_posix(), path.name, "", ""), ImageName(path.stem), journal)
    if record.width is None or record.height is None:
        raise DataError(
            f"{path.as_posix()}: its size is unknown: the sample has no metadata and the picture cannot be read.",
            hint="Call compute_metadata() on the data set.",
        )
    return record.width, record.height


def _labels(sample: Any, field: str, place: str) -> Iterator[Any]:
    """The single labels of a field; none where it is empty."""
    try:
        held = sample[field]
    except (KeyError, AttributeError) as error:
        raise DataError(f"{sample.filepath}: no field '{field}'.") from error
    if held is None:
        return
    for name in ("polylines", "detections"):
        if isinstance(found := getattr(held, name, None), Sequence | list):
            yield from found
            return
    if hasattr(held, "points") or hasattr(held, "bounding_box"):
        yield held
        return
    raise DataError(f"{place} holds {type(held).__name__}; Polylines and Detections are read.")


def _shape(label: Any, size: Any) -> Any:
    if hasattr(label, "points"):
        if not (label.closed or label.filled):
            raise ValueError("a polyline is neither closed nor filled, so it has no area")
        return _even_odd([np.asarray(ring, np.float64).reshape(-1, 2) * size for ring in label.points if len(ring)])
    x, y, w, h = (float(value) for value in label.bounding_box)
    mask = getattr(label, "mask", None)
    if mask is None or not np.any(mask):
        return _even_odd([(CORNERS * [w, h] + [x, y]) * size])
    rows, columns = np.shape(mask)
    step = np.array([w / columns, h / rows]) * size
    return shapely.transform(mask_outline(np.asarray(mask) > 0), lambda points: points * step + np.array([x, y]) * size)


def _even_odd(rings: Sequence[Any]) -> Any:
    if not rings or not all(np.isfinite(ring).all() for ring in rings):
        raise ValueError("a label has no point, or one that is not finite")
    shapes, _ = as_shapes(Outlines.of_lists([rings]))
    return shapes[0]


def _attributes(label: Any) -> dict[str, Any]:
    names = getattr(label, "field_names", None) or vars(label)
    found = {name: getattr(label, name, None) for name in names if name not in OWN and not name.startswith("_")}
    kept = {name: value for name, value in found.items() if isinstance(value, bool | int | float | str)}
    tags = list(getattr(label, "tags", None) or ())
    return {**kept, "tags": ",".join(map(str, tags))} if tags else kept

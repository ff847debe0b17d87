"""Archives from what other libraries hold: Ultralytics results, supervision.Detections, samples of FiftyOne."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import DataError
from .query import VocabularyLike, vocabulary_of

if TYPE_CHECKING:
    from .detect.detector import Detections
    from .entities.archive import Archive


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in one image of `width` x `height` pixels; sizes and path None where unknown.

    sample_id  of FiftyOne, None elsewhere
    """

    image_id: str
    detections: Detections
    width: int | None = None
    height: int | None = None
    path: str | None = None
    sample_id: str | None = None


def from_ultralytics(
    results: Iterable[Any],
    out: str | Path | None = None,
    *,
    vocabulary: VocabularyLike = None,
    most: int | None = None,
    overwrite: bool = False,
) -> Archive:
    """An archive from a list of `ultralytics` Results, one an image; the image's id is the stem of its `path`.

    most    the max_det that the model ran with: lists as long as that are marked `truncated`
    raises  DataError for results without boxes, or two of one name
    """
    from .detect.ultralytics_detector import detections_of

    seen = []
    for result in results:
        path = Path(result.path)
        height, width = (int(side) for side in result.orig_shape)
        seen.append(Seen(path.stem, detections_of(result, most=most), width, height, path.as_posix()))
    return archive_of(seen, out, vocabulary=vocabulary, overwrite=overwrite)


def from_supervision(
    detections: Mapping[str, Any],
    out: str | Path | None = None,
    *,
    names: Mapping[int, str] | Sequence[str] | None = None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    vocabulary: VocabularyLike = None,
    overwrite: bool = False,
) -> Archive:
    """An archive from `supervision.Detections` by image id.

    names   class names by number, where the detections have no `data["class_name"]`
    sizes   (width, height) in pixels by image id; else `metadata["width"]` and `metadata["height"]`, else unknown
    raises  DataError where labels or coordinates are missing
    """
    from .detect.supervision_detections import from_supervision as detections_of

    seen = []
    for image_id, found in detections.items():
        said = getattr(found, "metadata", None) or {}
        width, height = (sizes or {}).get(image_id, (said.get("width"), said.get("height")))
        seen.append(Seen(image_id, detections_of(found, names), width, height))
    return archive_of(seen, out, vocabulary=vocabulary, overwrite=overwrite)


def from_fiftyone(
    samples: Iterable[Any],
    field: str = "ground_truth",
    out: str | Path | None = None,
    *,
    vocabulary: VocabularyLike = None,
    overwrite: bool = False,
) -> Archive:
    """An archive from a FiftyOne data set or view, or any list of samples; an image's id is the stem of its `filepath`.

    field   Polylines or Detections
    Sizes are those of `metadata`, else of the picture. `to_fiftyone` of `rune_smt.exporting` is the way back, and
    `mark_fiftyone` writes a result into a data set.
    raises  DataError for a field of other labels, a picture of unknown size, or two of one name
    """
    from .detect.fiftyone_samples import detections_of, size_of

    seen = []
    for sample in samples:
        path = Path(sample.filepath)
        width, height = size_of(sample)
        found = detections_of(sample, field, (width, height))
        identity = getattr(sample, "id", None)
        seen.append(Seen(path.stem, found, width, height, path.as_posix(), None if identity is None else str(identity)))
    return archive_of(seen, out, vocabulary=vocabulary, overwrite=overwrite)


def archive_of(
    seen: Iterable[Seen],
    out: str | Path | None = None,
    *,
    vocabulary: VocabularyLike = None,
    overwrite: bool = False,
) -> Archive:
    """An archive of what was seen in images, entities numbered in the detector's order.

    vocabulary  maps the detector's labels to classes; one that it lacks becomes a class without parent
    raises      DataError for an image given twice
    """
    import numpy as np
    import pyarrow as pa
    import shapely

    from .detect.columns import arrow_column
    from .entities.archive import archive_from_arrow
    from .grammar.vocabulary import class_name
    from .resolving import column_name

    given = list(seen)
    ids = [one.image_id for one in given]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise DataError(f"Image '{twice[0]}' is given twice.", hint="Give images of different names.")
    known = vocabulary_of(vocabulary)
    resolved: dict[str, str] = {}
    values: dict[str, Mapping[str, Any]] = {}
    for label in dict.fromkeys(label for one in given for label in one.detections.labels):
        entry = known.resolve(label)
        resolved[label] = entry.label if entry is not None else class_name(label)
        values[label] = entry.attributes if entry is not None else {}
    labels = [label for one in given for label in one.detections.labels]
    columns: dict[str, Any] = {
        "image_id": pa.array([one.image_id for one in given for _ in one.detections.labels], pa.string()),
        "label": pa.array([resolved[label] for label in labels], pa.string()),
        "source_label": pa.array(labels, pa.string()),
        "score": pa.array(np.concatenate([np.empty(0), *(one.detections.scores for one in given)])),
        "geometry": pa.array(
            [wkb for one in given for wkb in shapely.to_wkb(one.detections.shapes).tolist()], pa.large_binary()
        ),
    }
    types: dict[str, Any] = {}
    for own in dict.fromkeys(name for one in given for name in one.detections.attributes):
        name = column_name(own, columns)
        listed = [v for one in given for v in one.detections.attributes.get(own, [None] * len(one.detections))]
        columns[name], types[name], _ = arrow_column(listed)
    for own in dict.fromkeys(name for held in values.values() for name in held if name not in columns):
        columns[own], types[own], _ = arrow_column([values[label].get(own) for label in labels])
    images = pa.table(
        {
            "image_id": pa.array(ids, pa.string()),
            "width": pa.array([one.width for one in given], pa.int32()),
            "height": pa.array([one.height for one in given], pa.int32()),
            "path": pa.array([one.path for one in given], pa.string()),
            "truncated": pa.array([one.detections.truncated for one in given], pa.bool_()),
            **(
                {"sample_id": pa.array([one.sample_id for one in given], pa.string())}
                if any(one.sample_id is not None for one in given)
                else {}
            ),
        }
    )
    used = known.with_classes(sorted(set(resolved.values()))).with_attributes(types)
    return archive_from_arrow(
        pa.table(columns),
        images,
        vocabulary={"name": used.name, "toml": used.to_toml()},
        out=None if out is None else Path(out),
        overwrite=overwrite,
    )

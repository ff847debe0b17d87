"""How well a detector sees: recall and precision of each class, against labels of the same images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import QueryError

if TYPE_CHECKING:
    from ..entities.table import EntityTable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MIN_SCORE = 0.25
MIN_IOU = 0.5


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class over all images compared.

    labelled  things in the labels that count
    seen      detections that count
    right     detections that are a labelled thing of the class: one for each thing
    """

    label: str
    labelled: int
    seen: int
    right: int

    @property
    def recall(self) -> float:
        """The share of labelled things that was seen; NaN where there are none."""
        return self.right / self.labelled if self.labelled else float("nan")

    @property
    def precision(self) -> float:
        """The share of detections that are right; NaN where there are none."""
        return self.right / self.seen if self.seen else float("nan")


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """Recall and precision.

    classes       one row a class that is labelled or seen, by name
    total         the sum over all classes
    images        images compared
    only_labelled, only_seen  images that only one side has; they are not compared
    min_score, min_iou        the limits
    """

    classes: tuple[ClassFigures, ...]
    total: ClassFigures
    images: tuple[str, ...]
    only_labelled: tuple[str, ...]
    only_seen: tuple[str, ...]
    min_score: float
    min_iou: float

    def of(self, label: str) -> ClassFigures:
        """The figures of a class; zeros for one that is neither labelled nor seen."""
        return next((row for row in self.classes if row.label == label), ClassFigures(label, 0, 0, 0))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists; recall and precision are None where they mean nothing."""
        plain = asdict(self)
        plain["classes"] = [_figures(row) for row in self.classes]
        plain["total"] = _figures(self.total)
        return plain

    def render(self) -> str:
        """A table in plain text."""
        rows = [*self.classes, self.total]
        width = max(len(row.label) for row in rows)
        lines = [f"{'class':<{width}}  labelled    seen   right  recall  precision"]
        for row in rows:
            counts = f"{row.labelled:8,}{row.seen:8,}{row.right:8,}"
            lines.append(f"{row.label:<{width}}  {counts}  {_share(row.recall):>6}  {_share(row.precision):>9}")
        lines.append(
            f"{len(self.images)} images, score at least {self.min_score:g}, IoU at least {self.min_iou:g}."
            + (f" {len(self.only_labelled)} labelled images were not looked at." if self.only_labelled else "")
            + (f" {len(self.only_seen)} images have no labels." if self.only_seen else "")
        )
        return "\n".join(lines)


def compare_detections(
    labels: EntityTable,
    seen: EntityTable,
    *,
    min_score: float = MIN_SCORE,
    min_iou: float = MIN_IOU,
    difficult: str | None = "difficult",
) -> DetectionReport:
    """Recall and precision by class, over the images that both tables have.

    labels     the table of an archive of labels
    seen       the table of an archive of detections
    min_score  detections below do not count
    min_iou    of outlines that are taken for the same thing, above 0 to 1
    difficult  attribute of labels: where it is not 0 the thing counts neither as missed nor as seen wrongly, as in
               DOTA's own evaluation; None counts every label

    In each image the detections of a class take, the best score first, the free labelled thing with which they overlap
    most; things that count are preferred to difficult ones. Raises QueryError where no image is in both.
    """
    ours, theirs = labels.images.image_id, seen.images.image_id
    names = sorted({*labels.classes, *seen.classes})
    counts = {name: np.zeros(3, np.int64) for name in names}
    for outcome in outcomes(labels, seen, min_score=min_score, min_iou=min_iou, difficult=difficult):
        counts[outcome.label] += outcome.counts
    rows = [ClassFigures(name, *(int(n) for n in counts[name])) for name in names if counts[name].any()]
    total = ClassFigures("all", *(sum(getattr(row, name) for row in rows) for name in ("labelled", "seen", "right")))
    return DetectionReport(
        tuple(rows),
        total,
        tuple(_common(labels, seen)),
        tuple(sorted(set(ours) - set(theirs))),
        tuple(sorted(set(theirs) - set(ours))),
        min_score,
        min_iou,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of the things and the detections of one class in one image: rows of the two tables, int64 each.

    right   detections that are a labelled thing
    wrong   detections that are none
    missed  labelled things that no detection is
    Difficult things, and the detections on them, are in none of these.
    """

    image_id: str
    label: str
    right: Ints
    wrong: Ints
    missed: Ints

    @property
    def counts(self) -> Ints:
        """Labelled, seen and right."""
        right = len(self.right)
        return np.array([right + len(self.missed), right + len(self.wrong), right], np.int64)


def outcomes(
    labels: EntityTable,
    seen: EntityTable,
    *,
    min_score: float = MIN_SCORE,
    min_iou: float = MIN_IOU,
    difficult: str | None = "difficult",
) -> Iterator[Outcome]:
    """What became of every thing and detection: image by image, class by class. As for `compare_detections`."""
    hard = _difficult(labels, difficult)
    for image_id in _common(labels, seen):
        one, other = labels.images.index(image_id), seen.images.index(image_id)
        for name in sorted({*labels.classes, *seen.classes}):
            truth, found = _rows(labels, one, name), _rows(seen, other, name)
            found = found[seen.score[found] >= min_score]
            taken = assign(overlaps(labels, truth, seen, found), seen.score[found], hard[truth], min_iou)
            on_hard = np.append(hard[truth], False)[taken]
            missed = np.setdiff1d(np.arange(len(truth)), taken)
            yield Outcome(
                image_id,
                name,
                found[(taken >= 0) & ~on_hard],
                found[taken < 0],
                truth[missed[~hard[truth][missed]]],
            )


def scored_detections(
    labels: EntityTable, seen: EntityTable, *, min_iou: float = MIN_IOU, difficult: str | None = "difficult"
) -> tuple[list[str], Floats, NDArray[np.bool_]]:
    """Class, score and whether it is right, of every detection in the images that both tables have.

    Detections on difficult things are left out. Arguments and QueryError as for `compare_detections`.
    """
    hard = _difficult(labels, difficult)
    names: list[str] = []
    scores: list[Floats] = []
    right: list[NDArray[np.bool_]] = []
    for image_id in _common(labels, seen):
        one, other = labels.images.index(image_id), seen.images.index(image_id)
        for name in seen.classes:
            truth, found = _rows(labels, one, name), _rows(seen, other, name)
            taken = assign(overlaps(labels, truth, seen, found), seen.score[found], hard[truth], min_iou)
            counts = (taken < 0) | ~np.append(hard[truth], False)[taken]
            names += [name] * int(counts.sum())
            scores.append(seen.score[found][counts])
            right.append((taken >= 0)[counts])
    return names, np.concatenate([np.empty(0), *scores]), np.concatenate([np.empty(0, bool), *right])


def assign(iou: Floats, scores: Floats, hard: NDArray[np.bool_], min_iou: float) -> Ints:
    """The labelled thing that each detection is, int64 (d,), -1 for none.

    iou     float64 (d, t) of each detection and each thing of the same class and image
    scores  float64 (d,)
    hard    bool (t,), difficult things: taken only where no other will do
    """
    taken = np.full(iou.shape[0], -1, np.int64)
    free = np.ones(iou.shape[1], bool)
    for row in np.argsort(-scores, kind="stable").tolist():
        for group in (~hard, hard):
            open_to = np.where(free & group & (iou[row] >= min_iou), iou[row], -1.0)
            best = int(open_to.argmax()) if len(open_to) else -1
            if best >= 0 and open_to[best] >= 0:
                taken[row], free[best] = best, False
                break
    return taken


def overlaps(labels: EntityTable, truth: Ints, seen: EntityTable, found: Ints) -> Floats:
    """IoU of rows of one image, float64 (found, truth), exact where the bounding boxes meet."""
    import shapely

    from ..detect.suppression import overlap_ratio

    iou = np.zeros((len(found), len(truth)))
    if not iou.size:
        return iou
    left, right = seen.outlines(found), labels.outlines(truth)
    row, column = shapely.STRtree(right).query(left)
    iou[row, column] = overlap_ratio(left[row], right[column])
    return iou


def _common(labels: EntityTable, seen: EntityTable) -> list[str]:
    """The images of both; QueryError where there are none."""
    common = sorted(set(labels.images.image_id) & set(seen.images.image_id))
    if not common:
        raise QueryError("The labels and the detections have no image in common.")
    return common


def _rows(table: EntityTable, image: int, label: str) -> Ints:
    """The rows of a class in an image."""
    if label not in table.classes:
        return np.empty(0, np.int64)
    code = table.classes.index(label)
    return np.arange(table.offsets[image, code], table.offsets[image, code + 1])


def _difficult(table: EntityTable, name: str | None) -> NDArray[np.bool_]:
    column = table.attributes.get(name) if name is not None else None
    if column is None or column.kind == "text":
        return np.zeros(len(table), bool)
    return np.asarray(np.nan_to_num(column.values) != 0, bool)


def _figures(row: ClassFigures) -> dict[str, Any]:
    shares = {"recall": row.recall, "precision": row.precision}
    return {**asdict(row), **{name: None if np.isnan(share) else share for name, share in shares.items()}}


def _share(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"

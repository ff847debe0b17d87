"""Probabilities in the place of a detector's scores: fitted on labelled images, kept in the archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import DataError

if TYPE_CHECKING:
    from .detect.calibration import Calibration, Method
    from .entities.archive import Archive

RAW = "detector_score"  # the attribute that keeps what the detector said


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A calibration, and how well scores and probabilities hold on the images that it was fitted on.

    before, after  expected calibration error, 0 to 1
    picture        reliability diagram, a PIL image
    """

    calibration: Calibration
    before: float
    after: float
    picture: Any


def fit_calibration(seen: Archive, labels: Archive, method: Method = "isotonic", min_iou: float = 0.5) -> Fitted:
    """How the scores of `seen` become probabilities, learnt from the images that `labels` has too.

    A detection is right where it is a labelled thing of its class (see evaluate.detection); those on difficult things
    are left out. Raises QueryError where no image is in both, or all detections are right, or none.
    """
    from .detect.calibration import calibration_error, fit, reliability, reliability_picture
    from .evaluate.detection import scored_detections

    names, scores, right = scored_detections(labels.table, seen.table, min_iou=min_iou)
    calibration = fit(names, scores, right, method)
    before, after = reliability(scores, right), reliability(calibration(names, scores), right)
    picture = reliability_picture({"scores": before, "probabilities": after})
    return Fitted(calibration, calibration_error(before), calibration_error(after), picture)


def calibration_of(archive: Archive) -> Calibration:
    """The calibration that an archive keeps. Raises DataError where it keeps none, or one that cannot be read."""
    from .detect.calibration import Calibration

    if archive.facts.calibration is None:
        raise DataError(f"The scores of {archive.name} are those of a detector: it keeps no calibration.")
    return Calibration.from_json(archive.facts.calibration)


def calibrated(
    archive: Archive, calibration: Calibration, out: str | Path | None = None, *, overwrite: bool = False
) -> Archive:
    """The same archive with probabilities as scores; what the detector said is the attribute `detector_score`.

    The calibration is kept in the archive's facts. Raises DataError for an archive that is calibrated already, or where
    `out` exists.
    """
    import pyarrow as pa

    from .entities.archive import archive_from_arrow
    from .grammar.vocabulary import Vocabulary

    if archive.facts.calibration is not None:
        raise DataError(f"The scores of {archive.name} are probabilities already.", hint="Calibrate what was indexed.")
    entities = archive.entities
    raw = entities.column("score")
    probabilities = calibration(entities.column("label").to_pylist(), np.asarray(raw.to_numpy(), np.float64))
    place = entities.column_names.index("score")
    changed = entities.set_column(place, "score", pa.array(probabilities)).append_column(RAW, raw)
    vocabulary = archive.facts.vocabulary
    if vocabulary is not None:
        own = Vocabulary.from_toml(archive.vocabulary_toml, source=archive.name).with_attributes({RAW: "number"})
        vocabulary = {"name": own.name, "toml": own.to_toml()}
    return archive_from_arrow(
        changed,
        archive.images,
        vocabulary=vocabulary,
        out=out,
        overwrite=overwrite,
        reference_areas=archive.reference_areas,
        assumptions=archive.assumptions,
        merged=archive.facts.merged,
        calibration=calibration.to_json(),
    )

"""What a detector is: anything that turns pixels into detections. The registry, and the detector that knows already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.records import Chunk, Floats, ImageRecord, Ints, Outlines
from rune_smt.detect.suppression import suppress
from rune_smt.errors import DataError, QueryError

Pixels: TypeAlias = NDArray[np.uint8]
Shapes: TypeAlias = NDArray[np.object_]

MIN_SCORE = 0.05  # archives keep weak detections: queries choose their own limit
# Two boxes of a class are one thing above this IoU. Rotated boxes of neighbours share next to nothing: in DOTA's
# harbours 0.3 finds as many ships as 0.5 and reports 2 to 5 % fewer twice. Upright boxes of slanting things do share.
SAME_ROTATED, SAME_UPRIGHT = 0.3, 0.5
SIDE = 1024  # pixels, the tile of a detector that does not say what it takes


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector sees in one image, one row a thing.

    column      dtype    shape  meaning
    labels      str      (n,)   class, as the detector spells it
    scores      float64  (n,)   its confidence, 0 to 1
    shapes      object   (n,)   shapely polygons in pixels, x to the right, y downwards, origin at the top left corner
    attributes  any further columns, (n,) each, None for missing

    truncated  the detector reports only so many things and this list is full: there may be more
    """

    labels: Sequence[str]
    scores: Floats
    shapes: Shapes
    attributes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    truncated: bool = False

    def __post_init__(self) -> None:
        n = len(self.labels)
        lengths = {"scores": len(self.scores), "shapes": len(self.shapes)}
        lengths |= {name: len(values) for name, values in self.attributes.items()}
        for column, length in lengths.items():
            if length != n:
                raise ValueError(f"{column} must have shape ({n},), got ({length},)")
        outside = np.flatnonzero(~((self.scores >= 0) & (self.scores <= 1)))
        if len(outside):
            raise ValueError(f"scores go from 0 to 1, got {self.scores[outside[0]]:g}")

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def none(cls) -> Detections:
        """Nothing was seen."""
        return cls((), np.empty(0), np.empty(0, object))

    @classmethod
    def of_corners(
        cls, labels: Sequence[str], scores: Floats, corners: Floats, *, truncated: bool = False
    ) -> Detections:
        """From boxes with corners of shape (n, 4, 2)."""
        return cls(labels, scores, shapely.polygons(corners.reshape(-1, 4, 2)), truncated=truncated)

    def take(self, rows: Ints) -> Detections:
        """These rows, in this order."""
        return Detections(
            [self.labels[row] for row in rows.tolist()],
            self.scores[rows],
            self.shapes[rows],
            {name: [values[row] for row in rows.tolist()] for name, values in self.attributes.items()},
            self.truncated,
        )

    def at_least(self, score: float) -> Detections:
        """Those with this score or more, the best first; equal scores keep their order."""
        order = np.argsort(-self.scores, kind="stable")
        return self.take(order[self.scores[order] >= score])

    def chunk(self, record: ImageRecord, origin: str) -> Chunk:
        """As the readers' chunk of one image. Each thing's source is `origin#` and its number."""
        n = len(self)
        return Chunk(
            images=[record],
            image=np.zeros(n, np.int64),
            labels=self.labels,
            scores=self.scores,
            outlines=Outlines.of_lists([()] * n, dict(enumerate(self.shapes))),
            origins=[f"{origin}#{number}" for number in range(n)],
            attributes=self.attributes,
        )


class Detector(Protocol):
    """Turns an image, uint8 (height, width, 3) RGB, into what is seen in it.

    Three attributes are used where a detector has them:
    side      the tile in pixels that suits it best (the side of its input); SIDE otherwise
    same      IoU above which two outlines of a class are one thing; SAME_UPRIGHT otherwise
    identity  a text that changes when its answers would: what it saw before an interruption is kept under this name
    """

    def __call__(self, image: Pixels, /) -> Detections:
        """What is seen."""
        ...


@dataclass(frozen=True, slots=True)
class FixedDetector:
    """Sees the same in every image: annotations or earlier results in the place of a model."""

    detections: Detections

    def __call__(self, image: Pixels, /) -> Detections:
        """The detections given."""
        return self.detections


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How a model is to be run.

    min_score  detections below are not reported
    same       IoU above which two boxes of a class are one thing, the better one stays; None for the usual
    device     auto, cpu or cuda
    names      class names by number, where the model does not bring them
    """

    min_score: float = MIN_SCORE
    same: float | None = None
    device: str = "auto"
    names: Mapping[int, str] | None = None


@dataclass(frozen=True, slots=True)
class DetectorKind:
    """A family of models.

    name   in messages
    looks  what its models look like on the command line
    takes  whether a text names one of them
    load   the detector. Raises DataError for a model that cannot be read, MissingExtra for a package that is missing
    """

    name: str
    looks: str
    takes: Callable[[str], bool]
    load: Callable[[str, ModelOptions], Detector]


DETECTORS: tuple[str, ...] = (  # modules with a KIND, asked in this order
    "rune_smt.detect.onnx_detector",
    "rune_smt.detect.ultralytics_detector",
    "rune_smt.detect.huggingface_detector",
)


@cache
def detector_kinds() -> tuple[DetectorKind, ...]:
    """Every family of detectors; their frameworks are imported when a model is loaded."""
    return tuple(import_module(module).KIND for module in DETECTORS)


def load_detector(model: str | Path, options: ModelOptions | None = None) -> Detector:
    """The detector of a model file or name. QueryError where no family takes it; see DetectorKind for the others."""
    text = str(model)
    for kind in detector_kinds():
        if kind.takes(text):
            return kind.load(text, options or ModelOptions())
    ways = "; ".join(f"{kind.looks} ({kind.name})" for kind in detector_kinds())
    raise QueryError(f"No kind of detector takes '{text}'.", hint=f"Models are: {ways}.")


def model_file(text: str) -> Path:
    """The path of a model; DataError where no file is there."""
    path = Path(text)
    if not path.is_file():
        raise DataError(f"{path.as_posix()}: no such model file.")
    return path


def side_of(detector: Detector) -> int:
    """The tile in pixels that suits a detector best."""
    return int(getattr(detector, "side", SIDE))


def same_of(detector: Detector) -> float:
    """The IoU above which two outlines of a class are one thing to a detector."""
    return float(getattr(detector, "same", SAME_UPRIGHT))


def distinct(seen: Detections, same: float) -> Detections:
    """Each thing once, the best outline first: `suppress` within each class."""
    codes = {label: code for code, label in enumerate(dict.fromkeys(seen.labels))}
    return seen.take(suppress(seen.shapes, seen.scores, np.array([codes[label] for label in seen.labels], int), same))


def named(names: Mapping[int, str], numbers: Ints, model: str) -> list[str]:
    """The class names of numbers; DataError for a number without one."""
    lacking = sorted({int(n) for n in numbers} - set(names))
    if lacking:
        raise DataError(
            f"{model}: class {lacking[0]} has no name; {len(names)} are known.",
            hint="Give them: --names FILE, a data.yaml or one name a line.",
        )
    return [names[int(number)] for number in numbers]

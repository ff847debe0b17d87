"""How a detector errs: what it misses, what it sees that is not there, how its boxes and scores scatter. Numbers only.

`error_sampling.py` makes scored detections of exact scenes with them; `rune_smt.evaluate.detector_errors` fits them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rune_smt.errors import DataError

Floats = npt.NDArray[np.float64]

REFERENCE = 32.0  # px: the size of a thing for which intercepts and means are told
FORMAT, VERSION = "rune-smt detector errors", 1
SHIPPED = "default"
LISTS = re.compile(r"\[[\d\s.,e+-]*\]")
PAIRS = ("length_px", "aspect", "reach", "stretch")


@dataclass(frozen=True, slots=True)
class Seen:
    """The log-odds that a thing is reported at all, at whatever score.

    intercept   of a thing of 32 px that nothing hides; its size is the root of length times width
    per_octave  more for each doubling of that size
    occluded    more where all of it is hidden, and in proportion where a part is; a negative number
    """

    intercept: float
    per_octave: float = 0.0
    occluded: float = 0.0


@dataclass(frozen=True, slots=True)
class Scores:
    """The log-odds of the score of what is reported and right: normal, cut off below the model's least score.

    mean, per_octave, occluded  as for `Seen`
    deviation                   around them
    """

    mean: float
    per_octave: float = 0.0
    occluded: float = 0.0
    deviation: float = 0.0


@dataclass(frozen=True, slots=True)
class Jitter:
    """How far boxes lie from the things, standard deviations of normal errors.

    shift_px, shift_share      of the centre along each side: pixels, and a share of that side (added as variances)
    stretch_px, stretch_share  of the logarithm of each side: pixels over the side, and a constant
    stretch_bias               mean of that logarithm: above 0 boxes are too large
    angle_deg                  of the heading, degrees
    """

    shift_px: float = 0.0
    shift_share: float = 0.0
    stretch_px: float = 0.0
    stretch_share: float = 0.0
    stretch_bias: float = 0.0
    angle_deg: float = 0.0


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Detections of nothing, anywhere or beside things of the class: parts, shadows and second sightings of them.

    per_megapixel  mean number in a million pixels, anywhere
    spread         shape of the gamma distribution by which images differ (small: in few images many); None: they do not
    length_px      of those: median, and deviation of the logarithm, of the longer side
    aspect         of those: the same of longer over shorter side, less 1
    per_thing      mean number beside each thing
    reach          of those: the same of the distance of the centres over the thing's length
    stretch        of those: the same of size over the thing's size; they lie as the thing does
    scores         quantiles of the scores of both at equal steps from 0 to 1, rising; two or more
    """

    per_megapixel: float = 0.0
    spread: float | None = None
    length_px: tuple[float, float] = (32.0, 0.0)
    aspect: tuple[float, float] = (0.5, 0.0)
    per_thing: float = 0.0
    reach: tuple[float, float] = (0.8, 0.0)
    stretch: tuple[float, float] = (1.0, 0.0)
    scores: tuple[float, ...] = (0.05, 0.05)


@dataclass(frozen=True, slots=True)
class ClassErrors:
    """The errors of one class.

    confused  other class to the share of the things that are reported as it too
    things    how many labelled things it was fitted on; 0 where none was
    """

    seen: Seen
    scores: Scores
    jitter: Jitter = field(default_factory=Jitter)
    false_alarms: FalseAlarms = field(default_factory=FalseAlarms)
    confused: Mapping[str, float] = field(default_factory=dict)
    things: int = 0


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """The errors of a detector.

    classes    of each class that was seen often enough
    other      of every other class
    min_score  the least score that is reported
    min_iou    the least overlap of a box with its thing: what lies farther off is counted among misses and false alarms
    sizes      least and greatest size, px, that it was fitted on: smaller and larger things count as these
    about      where the numbers come from, and what was assumed; kept as it is
    """

    classes: Mapping[str, ClassErrors]
    other: ClassErrors
    min_score: float
    min_iou: float = 0.0
    sizes: tuple[float, float] = (1e-3, 1e6)
    about: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def none(cls) -> ErrorModel:
        """No errors: every thing is seen as it is, with score 1."""
        sure = 60.0  # log-odds: 1 in float64
        return cls({}, ClassErrors(Seen(sure), Scores(sure)), 0.0)

    def of(self, label: str) -> ClassErrors:
        """The errors of a class."""
        return self.classes.get(label, self.other)

    def octaves(self, sizes: Floats) -> Floats:
        """How many doublings things are above 32 px, (n,); no more than the model knows of."""
        return np.asarray(np.log2(np.clip(sizes, *self.sizes) / REFERENCE), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists, numbers to four digits."""
        plain = asdict(self)
        kept = ("min_score", "min_iou", "sizes", "classes", "other")
        numbers: dict[str, Any] = _rounded({key: plain[key] for key in kept})
        return {"format": FORMAT, "version": VERSION, "about": dict(self.about), **numbers}

    @classmethod
    def from_json(cls, plain: Any, shown: str = "The model") -> ErrorModel:
        """What `to_json` gave; DataError that says what is wrong with anything else."""
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise DataError(f"{shown} is no model of detector errors.", hint=f'It has "format": "{FORMAT}".')
        if plain.get("version") != VERSION:
            raise DataError(f"{shown} has version {plain.get('version')!r}; this program reads version {VERSION}.")
        try:
            low, high = (float(v) for v in plain["sizes"])
            model = cls(
                classes={str(name): _class(entry) for name, entry in plain["classes"].items()},
                other=_class(plain["other"]),
                min_score=float(plain["min_score"]),
                min_iou=float(plain["min_iou"]),
                sizes=(low, high),
                about=dict(plain.get("about") or {}),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{shown} cannot be read: {type(error).__name__}: {error}.") from error
        _check(model, shown)
        return model


def load_error_model(name: str | Path) -> ErrorModel:
    """The model of a JSON file, or `default`: the shipped one. DataError for what cannot be read."""
    if str(name) == SHIPPED:
        text, shown = (files("rune_smt.detect") / "error_models" / f"{SHIPPED}.json").read_text("utf-8"), SHIPPED
    else:
        shown = Path(name).as_posix()
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            hint = f"The shipped model is called {SHIPPED}."
            raise DataError(f"{shown} cannot be read: {reason}.", hint=hint) from error
    try:
        return ErrorModel.from_json(json.loads(text), shown)
    except json.JSONDecodeError as error:
        raise DataError(f"{shown}:{error.lineno}: not valid JSON: {error.msg}.") from error


def save_error_model(model: ErrorModel, path: str | Path) -> None:
    """Writes the model as JSON. DataError where that cannot be done."""
    text = json.dumps(model.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    text = LISTS.sub(lambda found: f"[{' '.join(found[0][1:-1].split())}]", text)  # numbers of a list on one line
    try:
        Path(path).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{Path(path).as_posix()} cannot be written: {error.strerror or error}.") from error


def _class(plain: Mapping[str, Any]) -> ClassErrors:
    alarms = dict(plain["false_alarms"])
    for name in ("scores", *PAIRS):
        alarms[name] = tuple(float(v) for v in alarms[name])
    return ClassErrors(
        seen=Seen(**_numbers(plain["seen"])),
        scores=Scores(**_numbers(plain["scores"])),
        jitter=Jitter(**_numbers(plain["jitter"])),
        false_alarms=FalseAlarms(**alarms),
        confused={str(name): float(share) for name, share in plain.get("confused", {}).items()},
        things=int(plain.get("things", 0)),
    )


def _numbers(plain: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(value) for name, value in plain.items()}


def _check(model: ErrorModel, shown: str) -> None:
    """DataError for numbers that mean nothing."""

    def refuse(label: str, what: str) -> None:
        raise DataError(f"{shown}: {label}: {what}.")

    if not (0 <= model.min_score < 1 and 0 <= model.min_iou < 1 and 0 < model.sizes[0] <= model.sizes[1]):
        refuse("the model", "min_score and min_iou go from 0 to below 1, and sizes rise from above 0")
    for label, errors in [*model.classes.items(), ("other", model.other)]:
        alarms = errors.false_alarms
        numbers = [*asdict(errors.seen).values(), *asdict(errors.scores).values(), *asdict(errors.jitter).values()]
        pairs = [getattr(alarms, name) for name in PAIRS]
        numbers += [alarms.per_megapixel, alarms.per_thing, *alarms.scores, *errors.confused.values()]
        numbers += [v for pair in pairs for v in pair]
        if not np.isfinite(numbers).all():
            refuse(label, "every number is finite")
        jitter = asdict(errors.jitter)
        if errors.scores.deviation < 0 or any(v < 0 for name, v in jitter.items() if name != "stretch_bias"):
            refuse(label, "deviations are not negative")
        if min(alarms.per_megapixel, alarms.per_thing) < 0 or (alarms.spread is not None and not alarms.spread > 0):
            refuse(label, "per_megapixel and per_thing are not negative, and spread is above 0 or null")
        scores = np.asarray(alarms.scores)
        if len(scores) < 2 or (np.diff(scores) < 0).any() or scores[0] < 0 or scores[-1] > 1:
            refuse(label, "scores of false alarms are two or more, rising from 0 to 1")
        if any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
            refuse(label, f"{', '.join(PAIRS)} are a median and a deviation each")
        if any(not 0 <= share <= 1 for share in errors.confused.values()):
            refuse(label, "shares of confused things go from 0 to 1")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list | tuple) else value

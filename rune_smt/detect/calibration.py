"""Scores that mean something: of the detections with probability 0.8, eight in ten are right.

Fitted on detections of which it is known whether they are right, by temperature (one number) or isotonic regression
(any rising curve), for each class that has enough of them and for all together.
C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On Calibration of Modern Neural Networks, ICML 2017; pool adjacent violators:
M. Ayer et al., An Empirical Distribution Function for Sampling with Incomplete Information, Ann. Math. Stat. 26 (1955).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rune_smt.detect.records import Floats
from rune_smt.errors import DataError, QueryError

Bools: TypeAlias = NDArray[np.bool_]
Method: TypeAlias = Literal["temperature", "isotonic"]

ENOUGH = 50  # detections of a class below which it takes the curve of all classes
EDGE = 1e-6  # scores nearer to 0 or 1 have no log-odds to speak of
COLDEST, HOTTEST = 0.05, 20.0
BINS = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """From score to probability, along straight lines between points; level outside them.

    scores, probabilities  rising, of the same length, 0 to 1
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __call__(self, scores: Floats) -> Floats:
        """Probabilities, float64 (n,)."""
        return np.interp(scores, self.scores, self.probabilities)


@dataclass(frozen=True, slots=True)
class Temperature:
    """From score to probability: the log-odds divided by `value`. Above 1 the detector was too sure of itself."""

    value: float

    def __call__(self, scores: Floats) -> Floats:
        """Probabilities, float64 (n,)."""
        return _sigmoid(_log_odds(scores) / self.value)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the scores of a detector become probabilities.

    method      temperature or isotonic
    by_label    the curve of each class that had enough detections
    of_all      the curve of every other class
    detections  how many it was fitted on
    """

    method: Method
    by_label: Mapping[str, Curve | Temperature]
    of_all: Curve | Temperature
    detections: int

    def __call__(self, labels: Sequence[str], scores: Floats) -> Floats:
        """Probabilities of detections, float64 (n,)."""
        result = self.of_all(scores)
        names = np.asarray(labels, dtype=object)
        for label, curve in self.by_label.items():
            mine = names == label
            result[mine] = curve(scores[mine])
        return result

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return {
            "method": self.method,
            "of_all": _plain(self.of_all),
            "by_label": {label: _plain(curve) for label, curve in self.by_label.items()},
            "detections": self.detections,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Calibration:
        """What `to_json` gave; DataError for anything else."""
        try:
            by_label = {str(label): _curve(curve) for label, curve in plain["by_label"].items()}
            return cls(plain["method"], by_label, _curve(plain["of_all"]), int(plain["detections"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"The calibration cannot be read: {error}.") from error


def fit(labels: Sequence[str], scores: Floats, right: Bools, method: Method = "isotonic") -> Calibration:
    """The calibration that fits detections of which it is known whether they are right.

    labels, scores, right  (n,) each: class, score from 0 to 1, whether a labelled thing is there
    Raises QueryError for another method, or where all are right, or none is: then nothing can be learnt.
    """
    fits: Mapping[str, Callable[[Floats, Bools], Curve | Temperature]]
    fits = {"temperature": fit_temperature, "isotonic": fit_isotonic}
    if method not in fits:
        raise QueryError(f"A calibration is by temperature or isotonic, got '{method}'.")
    if right.all() or not right.any():
        raise QueryError(
            f"Of {len(right)} detections {'all are' if len(right) and right.all() else 'none is'} right: "
            "nothing can be learnt from that.",
            hint="Index with a low --min-score, so that false alarms are kept too.",
        )
    names = np.asarray(labels, dtype=object)
    by_label: dict[str, Curve | Temperature] = {}
    for label in sorted(set(labels)):
        mine = names == label
        if mine.sum() >= ENOUGH and 0 < right[mine].sum() < mine.sum():
            by_label[label] = fits[method](scores[mine], right[mine])
    return Calibration(method, by_label, fits[method](scores, right), len(right))


def fit_temperature(scores: Floats, right: Bools) -> Temperature:
    """The temperature under which what happened is most likely: golden section over its logarithm."""
    odds = _log_odds(scores)

    def surprise(log_value: float) -> float:
        x = odds / math.exp(log_value)
        return float(np.mean(np.logaddexp(0.0, np.where(right, -x, x))))

    low, high = math.log(COLDEST), math.log(HOTTEST)
    ratio = (math.sqrt(5) - 1) / 2
    while high - low > 1e-6:
        left, other = high - ratio * (high - low), low + ratio * (high - low)
        if surprise(left) < surprise(other):
            high = other
        else:
            low = left
    return Temperature(math.exp((low + high) / 2))


def fit_isotonic(scores: Floats, right: Bools) -> Curve:
    """The rising curve nearest to what happened: neighbours that fall are pooled until none does.

    Each pool stands at the mean of its scores. One right and one wrong detection, spread over all pools by their share,
    keep probabilities off 0 and 1, which no number of detections shows.
    """
    order = np.argsort(scores, kind="stable")
    pools: list[list[float]] = []  # sum of scores, number right, number
    for score, hit in zip(scores[order].tolist(), right[order].tolist(), strict=True):
        pools.append([score, float(hit), 1.0])
        while len(pools) > 1 and pools[-2][1] * pools[-1][2] >= pools[-1][1] * pools[-2][2]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    n = len(scores)
    middle = [total / count for total, _, count in pools]
    share = [(hits + count / n) / (count + 2 * count / n) for _, hits, count in pools]
    return Curve(tuple(middle), tuple(np.maximum.accumulate(share).tolist()))


# --- how well probabilities hold --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bin:
    """Detections with probabilities from `low` to `high`: how many, their mean probability, the share that is right."""

    low: float
    high: float
    count: int
    said: float
    right: float


def reliability(probabilities: Floats, right: Bools, bins: int = BINS) -> tuple[Bin, ...]:
    """What was said and what was so, in `bins` equal stretches from 0 to 1; empty ones are left out."""
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    return tuple(
        Bin(k / bins, (k + 1) / bins, int(mine.sum()), float(probabilities[mine].mean()), float(right[mine].mean()))
        for k in range(bins)
        if (mine := place == k).any()
    )


def calibration_error(rows: Sequence[Bin]) -> float:
    """The expected calibration error: the mean distance of what was said and what was so, weighted by counts."""
    total = sum(row.count for row in rows)
    return sum(row.count * abs(row.said - row.right) for row in rows) / total if total else 0.0


def reliability_picture(curves: Mapping[str, Sequence[Bin]], size: int = 480) -> Any:
    """A reliability diagram, RGB: share that is right over probability said, dots by count, one colour a curve.

    curves  name to bins, two at most are told apart: grey, then blue
    """
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    edge, span = 52, size - 52 - 20

    def at(x: float, y: float) -> tuple[float, float]:
        return edge + x * span, 20 + (1 - y) * span

    for k in range(6):
        draw.line([at(k / 5, 0), at(k / 5, 1)], fill=(228, 230, 233))
        draw.line([at(0, k / 5), at(1, k / 5)], fill=(228, 230, 233))
        draw.text((at(k / 5, 0)[0], at(0, 0)[1] + 6), f"{k / 5:.1f}", fill=(70, 76, 84), font=font, anchor="mt")
        draw.text((edge - 8, at(0, k / 5)[1]), f"{k / 5:.1f}", fill=(70, 76, 84), font=font, anchor="rm")
    draw.line([at(0, 0), at(1, 1)], fill=(150, 156, 164), width=1)
    draw.text((edge + span / 2, size - 6), "probability said", fill=(40, 44, 50), font=font, anchor="mb")
    draw.text((edge, 4), "share that is right", fill=(40, 44, 50), font=font, anchor="lt")
    for number, ((name, rows), colour) in enumerate(zip(curves.items(), ((130, 134, 140), (0, 95, 175)), strict=False)):
        points = [at(row.said, row.right) for row in rows]
        if len(points) > 1:
            draw.line(points, fill=colour, width=2)
        most = max((row.count for row in rows), default=1)
        for (x, y), row in zip(points, rows, strict=True):
            radius = 3 + 5 * math.sqrt(row.count / most)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        text = f"{name}: error {calibration_error(rows):.3f}"
        draw.text((edge + 10, 28 + 18 * number), text, fill=colour, font=font)
    return picture


def _log_odds(scores: Floats) -> Floats:
    held = np.clip(scores, EDGE, 1 - EDGE)
    return np.asarray(np.log(held) - np.log1p(-held), np.float64)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)), np.float64)


def _plain(curve: Curve | Temperature) -> dict[str, Any]:
    match curve:
        case Temperature(value):
            return {"temperature": value}
        case Curve(scores, probabilities):
            return {"scores": list(scores), "probabilities": list(probabilities)}


def _curve(plain: Mapping[str, Any]) -> Curve | Temperature:
    if "temperature" in plain:
        return Temperature(float(plain["temperature"]))
    scores, probabilities = (tuple(float(v) for v in plain[name]) for name in ("scores", "probabilities"))
    if len(scores) != len(probabilities) or not scores:
        raise ValueError("a curve needs as many scores as probabilities, one at least")
    return Curve(scores, probabilities)

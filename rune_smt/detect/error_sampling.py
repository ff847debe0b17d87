"""Scored detections of an exact scene, as a detector with known errors would report them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import shapely

from rune_smt.detect.detector import Detections, Shapes
from rune_smt.detect.error_model import ErrorModel, FalseAlarms, Floats, Jitter
from rune_smt.detect.records import Ints
from rune_smt.detect.suppression import overlap_ratio

NORMAL = NormalDist()
SURE = 1 - 1e-12  # quantiles of the normal distribution beyond this one are all alike
BESIDE = 2.0  # lengths of a thing up to which a false alarm is beside it
TRIES = 20
FLATTEST = 40.0  # longer over shorter side of a false alarm


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """What is reported of one image, the best score first.

    detections  labels, scores, outlines
    thing       int64 (n,): the thing that each is of, -1 for a false alarm
    """

    detections: Detections
    thing: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Rectangles:
    """The smallest rotated rectangle around each outline, float64 (n,) each, in pixels and radians.

    angle  of the longer side, from the x axis towards the y axis, 0 to pi
    """

    x: Floats
    y: Floats
    length: Floats
    width: Floats
    angle: Floats

    @property
    def size(self) -> Floats:
        """The root of length times width."""
        return np.sqrt(self.length * self.width)


def rectangles(shapes: Shapes) -> Rectangles:
    """The rectangles around outlines of some area."""
    n = len(shapes)
    if not n:
        return Rectangles(*(np.empty(0) for _ in range(5)))
    corners = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(n, 5, 2)[:, :4]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    one, other = np.hypot(*first.T), np.hypot(*second.T)
    along = np.where((one >= other)[:, None], first, second)
    x, y = corners.mean(axis=1).T
    angle = np.arctan2(along[:, 1], along[:, 0]) % np.pi
    return Rectangles(x, y, np.maximum(one, other), np.minimum(one, other), angle)


def sample(
    model: ErrorModel,
    labels: Sequence[str],
    shapes: Shapes,
    occluded: Floats,
    size: tuple[int, int],
    rng: np.random.Generator,
    classes: Iterable[str] = (),
) -> Sampled:
    """Detections of one image.

    labels, shapes, occluded  (n,) each: class, outline in pixels, hidden share (NaN counts as 0) of every thing
    size     width and height of the image, pixels
    rng      the same state gives the same detections
    classes  further ones that false alarms may have, beside those of the model and of the things

    Things are seen independently of each other, and false alarms lie anywhere or beside things of their class: what is
    known of real detectors tells no more (see the shipped model's `about`).
    """
    around = rectangles(shapes)
    hidden = np.nan_to_num(np.asarray(occluded, dtype=np.float64))
    octaves = model.octaves(around.size) if len(shapes) else np.empty(0)
    names: list[str] = []
    scores: list[Floats] = []
    outlines: list[Shapes] = []
    things: list[Ints] = []

    def report(label: str, score: Floats, shape: Shapes, thing: Ints) -> None:
        names.extend([label] * len(score))
        scores.append(score)
        outlines.append(shape)
        things.append(thing)

    of = np.asarray(labels, dtype=object)
    for label in dict.fromkeys(sorted(labels)):
        errors, mine = model.of(label), np.flatnonzero(of == label)
        seen, told = errors.seen, errors.scores
        odds = seen.intercept + seen.per_octave * octaves[mine] + seen.occluded * hidden[mine]
        found = mine[rng.random(len(mine)) < _sigmoid(odds)]
        mean = told.mean + told.per_octave * octaves[found] + told.occluded * hidden[found]
        score = _sigmoid(_above(mean, told.deviation, model.min_score, rng.random(len(found))))
        boxes = jittered(shapes, around, found, errors.jitter, rng, model.min_iou)
        report(label, np.maximum(score, model.min_score), boxes, found)
        for wrong, share in sorted(errors.confused.items()):
            taken = mine[rng.random(len(mine)) < share]
            alarms = model.of(wrong).false_alarms
            boxes = jittered(shapes, around, taken, errors.jitter, rng, model.min_iou)
            report(wrong, _quantile(alarms, rng.random(len(taken))), boxes, taken)
    for label in sorted({*model.classes, *labels, *classes}):
        alarms = model.of(label).false_alarms
        mine = np.flatnonzero(of == label)
        boxes = np.concatenate([_false_boxes(alarms, size, rng), _beside(alarms, around, mine, rng)])
        report(label, _quantile(alarms, rng.random(len(boxes))), boxes, np.full(len(boxes), -1, dtype=np.int64))

    score, thing = np.concatenate([np.empty(0), *scores]), np.concatenate([np.empty(0, np.int64), *things])
    every = Detections(names, score, np.concatenate([np.empty(0, object), *outlines]))
    order = np.argsort(-score, kind="stable")
    return Sampled(every.take(order), thing[order])


def jittered(
    shapes: Shapes, around: Rectangles, rows: Ints, jitter: Jitter, rng: np.random.Generator, min_iou: float = 0.0
) -> Shapes:
    """The outlines of these rows moved, stretched along their sides and turned; without jitter as they are.

    What overlaps its thing by less than `min_iou` is drawn again, `TRIES` times at most.
    """
    made = _moved(shapes, around, rows, jitter, rng)
    again = np.arange(len(rows))
    for _ in range(TRIES):
        again = again[overlap_ratio(made[again], shapes[rows[again]]) < min_iou]
        if not len(again):
            break
        made[again] = _moved(shapes, around, rows[again], jitter, rng)
    return made


def _moved(shapes: Shapes, around: Rectangles, rows: Ints, jitter: Jitter, rng: np.random.Generator) -> Shapes:
    made = np.empty(len(rows), dtype=object)
    draws = rng.standard_normal((len(rows), 5))
    if jitter == Jitter():
        made[:] = shapes[rows]
        return made
    for i, (row, draw) in enumerate(zip(rows.tolist(), draws.tolist(), strict=True)):
        sides = np.array([around.length[row], around.width[row]])
        shift = np.hypot(jitter.shift_px, jitter.shift_share * sides) * draw[:2]
        share = np.hypot(jitter.stretch_px / np.maximum(sides, 1e-9), jitter.stretch_share)
        stretch = np.exp(jitter.stretch_bias + share * draw[2:4])
        before, after = _turn(around.angle[row]), _turn(around.angle[row] + np.radians(jitter.angle_deg) * draw[4])
        centre = np.array([around.x[row], around.y[row]])
        matrix = after @ np.diag(stretch) @ before.T
        moved = centre + before @ shift
        made[i] = shapely.transform(shapes[row], lambda p, m=matrix, c=centre, to=moved: (p - c) @ m.T + to)
    return made


def _false_boxes(alarms: FalseAlarms, size: tuple[int, int], rng: np.random.Generator) -> Shapes:
    mean = alarms.per_megapixel * size[0] * size[1] / 1e6
    if alarms.spread is not None and mean > 0:
        mean = float(rng.gamma(alarms.spread, mean / alarms.spread))
    n = int(rng.poisson(mean))
    centre = rng.random((n, 2)) * size
    median, deviation = alarms.length_px
    length = median * np.exp(deviation * rng.standard_normal(n))
    flat, deviation = alarms.aspect
    aspect = np.minimum(1 + flat * np.exp(deviation * rng.standard_normal(n)), FLATTEST)
    angle = rng.random(n) * np.pi
    return _boxes(centre, length, length / aspect, angle)


def _beside(alarms: FalseAlarms, around: Rectangles, rows: Ints, rng: np.random.Generator) -> Shapes:
    """False alarms beside these things, which lie as they do."""
    rows = np.repeat(rows, rng.poisson(alarms.per_thing, len(rows)))
    n = len(rows)
    median, deviation = alarms.reach
    away = around.length[rows] * np.minimum(median * np.exp(deviation * rng.standard_normal(n)), BESIDE)
    median, deviation = alarms.stretch
    stretch = median * np.exp(deviation * rng.standard_normal(n))
    to = rng.random(n) * 2 * np.pi
    centre = np.stack([around.x[rows] + away * np.cos(to), around.y[rows] + away * np.sin(to)], axis=1)
    return _boxes(centre, around.length[rows] * stretch, around.width[rows] * stretch, around.angle[rows])


def _boxes(centre: Floats, length: Floats, width: Floats, angle: Floats) -> Shapes:
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (length / 2)[:, None]
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * (width / 2)[:, None]
    a, b = centre - along, centre + along
    corners = np.stack([a - across, b - across, b + across, a + across], axis=1)
    return np.asarray(shapely.polygons(corners), dtype=object).reshape(-1)


def _quantile(alarms: FalseAlarms, chance: Floats) -> Floats:
    """Scores at these places of the distribution, on straight lines between its quantiles."""
    return np.interp(chance, np.linspace(0, 1, len(alarms.scores)), alarms.scores)


def _above(mean: Floats, deviation: float, least: float, chance: Floats) -> Floats:
    """Draws from a normal distribution cut off below the log-odds of the least score."""
    if deviation == 0 or least <= 0:
        low = np.zeros(len(mean))
    else:
        low = np.array([NORMAL.cdf(v) for v in ((np.log(least / (1 - least)) - mean) / deviation).tolist()])
    places = np.clip(low + chance * (1 - low), 1 - SURE, SURE)
    return mean + deviation * np.array([NORMAL.inv_cdf(v) for v in places.tolist()])


def _sigmoid(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -700, 700))), dtype=np.float64)


def _turn(angle: float) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])

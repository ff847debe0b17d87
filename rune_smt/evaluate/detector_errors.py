"""Fits the errors of a detector to its detections: with labels of the same images, or scores and false alarms without.

Every class is drawn towards all classes together, and those towards what is assumed where nothing is known, the more so
the fewer of its things were labelled: normal priors, of which `about` lists the ones that the data hardly moved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..detect.error_model import ClassErrors, ErrorModel, FalseAlarms, Jitter, Scores, Seen
from ..detect.error_sampling import BESIDE, Rectangles, rectangles
from ..errors import QueryError
from .detection import MIN_IOU, Floats, Ints, assign, overlaps

if TYPE_CHECKING:
    from ..entities.table import EntityTable

MIN_SCORE = 0.05
FEWEST = 10  # things or false alarms of a class below which it has no figures of its own
FEWEST_BOXES = 30  # boxes that are right, for the jitter of a class
SQUARE = 1.2  # longer over shorter side below which a box has no heading of its own
WITHIN_ONE = 0.6827  # of a normal distribution, within one deviation of its mean
STEPS = 40  # between the quantiles of the scores of false alarms
MOST_HIDDEN = 20.0  # detections below the least score that one above it may stand for
# what is assumed before anything is seen: intercept or mean, per octave, occluded; and how firmly (deviations)
ASSUMED_SEEN = ((2.0, 0.5, -3.0), (4.0, 1.0, 2.0))
ASSUMED_SCORES = ((0.5, 0.3, -1.5), (4.0, 1.0, 1.5))
OF_A_CLASS = (1.0, 0.5, 1.0)  # deviations of a class from all together
UNMOVED = 0.8  # of an assumption's deviation: where as much is left of it, the data said next to nothing


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Every labelled thing that counts, and what was reported of it; (n,) each.

    label    its class
    size     the root of length times width, px
    hidden   the share of it that is hidden
    score    of the detection, NaN where none is
    truth, box  rectangles around the thing and around the detection (NaN where none is)
    """

    label: np.ndarray[Any, np.dtype[np.object_]]
    size: Floats
    hidden: Floats
    score: Floats
    truth: Rectangles
    box: Rectangles

    def of(self, rows: Any) -> Pairs:
        """These rows."""
        return Pairs(
            self.label[rows], self.size[rows], self.hidden[rows], self.score[rows],
            _taken(self.truth, rows), _taken(self.box, rows),
        )  # fmt: skip


@dataclass(slots=True)
class Alarms:
    """What was reported where no such thing is.

    score, weight   of each; the weight is below 1 for what may be right
    length, aspect  longer side, px, and longer over shorter side
    reach, stretch  of what lies beside a thing: distance over its length, size over its size; NaN for the others
    counts          of those that lie beside none, in each image
    beside          pixels beside things, in each image
    """

    score: list[float] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    length: list[float] = field(default_factory=list)
    aspect: list[float] = field(default_factory=list)
    reach: list[float] = field(default_factory=list)
    stretch: list[float] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)


def fit_error_model(
    truth: EntityTable,
    seen: EntityTable,
    *,
    min_score: float = MIN_SCORE,
    min_iou: float = MIN_IOU,
    difficult: str | None = "difficult",
    occluded: str | None = "occluded",
    about: Mapping[str, Any] | None = None,
) -> ErrorModel:
    """The errors of a detector, from labels and detections of the same images.

    truth      the table of an archive of labels, every thing labelled
    seen       the table of an archive of detections with all scores from `min_score` on
    min_iou    of outlines that are taken for the same thing; boxes that lie farther off count as missed and as false
    difficult  attribute of labels: where it is not 0 the thing, and what is reported on it, count for nothing; None
               counts every label
    occluded   attribute of labels: the hidden share; None where it is not known
    about      further facts to keep with the model

    A reported thing of one class that is a labelled thing of another (and no other of its own) is a confusion, not a
    false alarm. Raises QueryError where no image is in both, or an image is without size.
    """
    pairs, alarms, confusions, pixels = _compare(truth, seen, min_score, min_iou, difficult, occluded)
    if not len(pairs.label):
        raise QueryError("The labels have nothing that counts: no error can be fitted.")
    known = _known_sizes(pairs)
    octaves = np.log2(pairs.size / 32.0)
    found = ~np.isnan(pairs.score)
    untold: list[str] = []
    columns = np.stack([np.ones(len(octaves)), octaves, pairs.hidden], axis=1)
    least = _odds(min_score)
    seen_all = _fit_seen(columns, found, *ASSUMED_SEEN, untold, "seen")
    scores_all = _fit_scores(columns[found], _log_odds(pairs.score[found]), least, *ASSUMED_SCORES, untold, "scores")
    jitter_all = _fit_jitter(pairs.of(found))
    alarms_all = _fit_alarms(_joined(alarms.values()), pixels * len(alarms), len(found))
    alarms_all = replace(alarms_all, spread=None)
    classes: dict[str, ClassErrors] = {}
    counts = {name: int((pairs.label == name).sum()) for name in sorted(alarms)}
    for name, things in counts.items():
        own = alarms[name]
        if things < FEWEST and len(own.score) < FEWEST:
            continue
        mine = pairs.label == name
        both = mine & found
        mean = tuple(seen_all), tuple(scores_all[:3])
        seen_mine = _fit_seen(columns[mine], found[mine], mean[0], OF_A_CLASS) if things else seen_all
        scores_mine = scores_all
        if both.any():
            scores_mine = _fit_scores(columns[both], _log_odds(pairs.score[both]), least, mean[1], OF_A_CLASS,
                                      deviation=scores_all[3])  # fmt: skip
        classes[name] = ClassErrors(
            seen=Seen(*seen_mine),
            scores=Scores(*scores_mine),
            jitter=_fit_jitter(pairs.of(both)) if both.sum() >= FEWEST_BOXES else jitter_all,
            false_alarms=_fit_alarms(own, pixels, things, alarms_all),
            confused={wrong: count / things for (of, wrong), count in sorted(confusions.items()) if of == name},
            things=things,
        )
    facts = {
        "images": len(pixels),
        "megapixels": round(float(pixels.sum()) / 1e6, 3),
        "things": len(found),
        "missed": int((~found).sum()),
        "false_alarms": sum(len(a.score) for a in alarms.values()),
        "min_iou": min_iou,
        "hardly_told_by_the_data": untold,
    }
    other = ClassErrors(Seen(*seen_all), Scores(*scores_all), jitter_all, alarms_all, {}, 0)
    return ErrorModel(classes, other, min_score, min_iou, known, {**facts, **(about or {})})


def fit_without_labels(
    scores: Floats, lengths: Floats, widths: Floats, images: Sequence[int], megapixels: float, *, of: int,
    min_score: float = MIN_SCORE,
) -> tuple[Scores, FalseAlarms, float]:  # fmt: skip
    """Scores of things and false alarms of one class, from detections of which nobody knows which are right.

    scores, lengths, widths, images  (n,) each: score, sides in px, number of the image from 0
    megapixels  of all images together
    of          how many images there are, those without detections too

    Two kinds are told apart by expectation and maximisation: right ones with normal log-odds of the score (cut off
    below `min_score`), false alarms with log-odds that fall off exponentially from there. That there are two such
    kinds, and that the falling one is false, is assumed; misses cannot be told. Also returns the share taken for right.
    """
    odds, least = _log_odds(scores), _odds(min_score)
    octaves = np.log2(np.sqrt(lengths * widths) / 32.0)
    columns = np.stack([np.ones(len(odds)), octaves, np.zeros(len(odds))], axis=1)
    right = np.clip((odds - least) / (2 * -least), 0.02, 0.98)
    mean = np.array([1.0, 0.0, ASSUMED_SCORES[0][2]])
    deviation, share, fall = 1.0, float(right.mean()), 1.0
    for _ in range(300):
        share = float(right.mean())
        fall = float((1 - right).sum() / ((1 - right) * (odds - least)).sum())
        fitted = _fit_scores(columns, odds, least, *ASSUMED_SCORES, weights=right, start=(mean, deviation), rounds=5)
        mean, deviation = np.array(fitted[:3]), fitted[3]
        centre = columns @ mean
        above = 1 - _cdf((least - centre) / deviation)
        of_right = (
            share
            * np.exp(-0.5 * ((odds - centre) / deviation) ** 2)
            / (deviation * math.sqrt(2 * math.pi) * np.maximum(above, 1 / MOST_HIDDEN))
        )
        of_false = (1 - share) * fall * np.exp(-fall * (odds - least))
        now = of_right / (of_right + of_false)
        done = float(np.abs(now - right).max()) < 1e-5
        right = now
        if done:
            break
    counts = np.bincount(np.asarray(images), weights=1 - right, minlength=of).tolist()
    nowhere = [math.nan] * len(scores)
    alarms = Alarms(
        scores.tolist(), (1 - right).tolist(), lengths.tolist(), (lengths / widths).tolist(), nowhere, nowhere, counts
    )
    fitted_alarms = _fit_alarms(alarms, np.full(of, megapixels * 1e6 / of), 0)
    return Scores(float(mean[0]), float(mean[1]), float(mean[2]), deviation), fitted_alarms, share


# --- things and detections, side by side ------------------------------------------------------------------------------


def _compare(
    truth: EntityTable, seen: EntityTable, min_score: float, min_iou: float, difficult: str | None, occluded: str | None
) -> tuple[Pairs, dict[str, Alarms], dict[tuple[str, str], int], Floats]:
    common = sorted(set(truth.images.image_id) & set(seen.images.image_id))
    if not common:
        raise QueryError("The labels and the detections have no image in common.")
    hard, hidden = _column(truth, difficult) != 0, _column(truth, occluded)
    labels: list[str] = []
    of_thing: list[Ints] = []
    of_box: list[Ints] = []
    alarms: dict[str, Alarms] = {}
    confusions: dict[tuple[str, str], int] = {}
    pixels = np.empty(len(common))
    for number, image_id in enumerate(common):
        one, other = truth.images.index(image_id), seen.images.index(image_id)
        pixels[number] = _area(truth, one, seen, other)
        things = np.arange(truth.offsets[one, 0], truth.offsets[one, -1])
        found = np.arange(seen.offsets[other, 0], seen.offsets[other, -1])
        found = found[seen.score[found] >= min_score]
        iou = overlaps(truth, things, seen, found)
        everything = rectangles(truth.outlines(things))
        ours = np.array([truth.classes[code] for code in truth.label[things]], dtype=object)
        theirs = np.array([seen.classes[code] for code in seen.label[found]], dtype=object)
        box_of = np.full(len(things), -1, dtype=np.int64)
        for name in sorted({*ours.tolist(), *theirs.tolist()}):
            own = alarms.setdefault(name, Alarms(counts=[0.0] * len(common), beside=[0.0] * len(common)))
            mine, boxes = np.flatnonzero(ours == name), np.flatnonzero(theirs == name)
            taken = assign(iou[np.ix_(boxes, mine)], seen.score[found[boxes]], hard[things[mine]], min_iou)
            box_of[mine[taken[taken >= 0]]] = found[boxes[taken >= 0]]
            own.beside[number] = _area_beside(_taken(everything, mine), truth, one, seen, other)
            for box in boxes[taken < 0].tolist():
                meets = np.flatnonzero((iou[box] >= min_iou) & (ours != name))
                if len(meets) and not hard[things[meets]].all():
                    right = str(ours[meets[iou[box][meets].argmax()]])
                    confusions[right, name] = confusions.get((right, name), 0) + 1
                elif not len(meets):
                    around = rectangles(seen.outlines(found[[box]]))
                    own.score.append(float(seen.score[found[box]]))
                    own.weight.append(1.0)
                    own.length.append(float(around.length[0]))
                    own.aspect.append(float(around.length[0] / max(around.width[0], 1e-9)))
                    reach, stretch = _beside(around, _taken(everything, mine))
                    own.reach.append(reach)
                    own.stretch.append(stretch)
                    own.counts[number] += reach != reach
        counts = ~hard[things]
        labels += ours[counts].tolist()
        of_thing.append(things[counts])
        of_box.append(box_of[counts])
    rows, boxes = np.concatenate(of_thing), np.concatenate(of_box)
    score = np.where(boxes >= 0, seen.score[boxes] if len(seen) else np.nan, np.nan)
    around = rectangles(truth.outlines(rows))
    return (
        Pairs(np.array(labels, dtype=object), around.size, hidden[rows], score, around, _boxes(seen, boxes)),
        alarms,
        confusions,
        pixels,
    )


def _area_beside(things: Rectangles, truth: EntityTable, one: int, seen: EntityTable, other: int) -> float:
    """The pixels of an image that lie beside any of the things."""
    import shapely

    area = _area(truth, one, seen, other)
    if not len(things.x):
        return 0.0
    discs = shapely.buffer(shapely.points(things.x, things.y), BESIDE * things.length)
    return min(area, float(shapely.area(shapely.union_all(discs))))


def _beside(box: Rectangles, things: Rectangles) -> tuple[float, float]:
    """Of a box beside one of the things: distance over the nearest one's length, size over its size; NaN for none."""
    if not len(things.x):
        return math.nan, math.nan
    reach = np.hypot(things.x - box.x, things.y - box.y) / np.maximum(things.length, 1e-9)
    nearest = int(reach.argmin())
    if reach[nearest] > BESIDE:
        return math.nan, math.nan
    return float(reach[nearest]), float(box.size[0] / max(things.size[nearest], 1e-9))


def _boxes(seen: EntityTable, rows: Ints) -> Rectangles:
    """Rectangles of rows; NaN where the row is -1."""
    made = [np.full(len(rows), np.nan) for _ in range(5)]
    there = rows >= 0
    if there.any():
        around = rectangles(seen.outlines(rows[there]))
        for column, values in zip(made, (around.x, around.y, around.length, around.width, around.angle), strict=True):
            column[there] = values
    return Rectangles(*made)


def _taken(around: Rectangles, rows: Any) -> Rectangles:
    return Rectangles(around.x[rows], around.y[rows], around.length[rows], around.width[rows], around.angle[rows])


def _area(truth: EntityTable, one: int, seen: EntityTable, other: int) -> float:
    for table, image in ((truth, one), (seen, other)):
        area = float(table.images.width[image] * table.images.height[image])
        if area == area:
            return area
    name = truth.images.image_id[one]
    raise QueryError(f"The size of image '{name}' is unknown.", hint="Index with --images, or give --image-size.")


def _column(table: EntityTable, name: str | None) -> Floats:
    column = table.attributes.get(name) if name is not None else None
    if column is None or column.kind == "text":
        return np.zeros(len(table))
    return np.nan_to_num(column.values)


def _known_sizes(pairs: Pairs) -> tuple[float, float]:
    """Sizes that all but the fewest things lie between."""
    low, high = np.quantile(pairs.size, [0.01, 0.99])
    return float(low), float(max(high, low))


def _joined(parts: Any) -> Alarms:
    whole = Alarms()
    for part in parts:
        whole.score += part.score
        whole.length += part.length
        whole.aspect += part.aspect
        whole.weight += part.weight
        whole.reach += part.reach
        whole.stretch += part.stretch
        whole.counts = [a + b for a, b in zip(whole.counts or [0.0] * len(part.counts), part.counts, strict=True)]
        whole.beside = [a + b for a, b in zip(whole.beside or [0.0] * len(part.beside), part.beside, strict=True)]
    return whole


# --- the fits ---------------------------------------------------------------------------------------------------------

Triple = Sequence[float]


def _fit_seen(
    columns: Floats, found: Any, mean: Triple, deviation: Triple, untold: list[str] | None = None, name: str = ""
) -> tuple[float, float, float]:
    """Logistic regression with a normal prior, by Newton's method (halving steps that overshoot)."""
    prior, firm = np.array(mean), np.diag(1 / np.square(deviation))
    beta, hit = prior.copy(), found.astype(np.float64)

    def loss(at: Floats) -> float:
        odds = columns @ at
        return float(np.logaddexp(0, odds).sum() - odds @ hit + 0.5 * (at - prior) @ firm @ (at - prior))

    curve = firm
    for _ in range(100):
        chance = 1 / (1 + np.exp(-columns @ beta))
        slope = columns.T @ (chance - hit) + firm @ (beta - prior)
        curve = columns.T @ (columns * (chance * (1 - chance))[:, None]) + firm
        step = np.linalg.solve(curve, slope)
        while loss(beta - step) > loss(beta) + 1e-12 and np.abs(step).max() > 1e-9:
            step /= 2
        beta = beta - step
        if np.abs(step).max() < 1e-8:
            break
    _note(untold, name, curve, deviation)
    return float(beta[0]), float(beta[1]), float(beta[2])


def _fit_scores(
    columns: Floats,
    odds: Floats,
    least: float,
    mean: Triple,
    spread: Triple,
    untold: list[str] | None = None,
    name: str = "",
    *,
    deviation: float = 1.0,
    weights: Floats | None = None,
    start: tuple[Floats, float] | None = None,
    rounds: int = 300,
) -> tuple[float, float, float, float]:
    """Normal regression cut off below `least`, with a normal prior, by expectation and maximisation.

    Each observation stands for as many below the cut as its own normal distribution has there. `deviation` is where the
    deviation is drawn to, as if `FEWEST` observations more had shown it.
    """
    prior, firm = np.array(mean), np.diag(1 / np.square(spread))
    beta, sigma = (prior.copy(), deviation) if start is None else start
    weight = np.ones(len(odds)) if weights is None else weights
    curve = firm
    for _ in range(rounds):
        centre = columns @ beta
        cut = (least - centre) / sigma
        below = _cdf(cut)
        density = np.exp(-0.5 * cut**2) / math.sqrt(2 * math.pi)
        ratio = density / np.maximum(below, 1e-300)
        hidden = weight * np.minimum(below / np.maximum(1 - below, 1e-12), MOST_HIDDEN)
        hidden_mean = centre - sigma * ratio
        hidden_variance = sigma**2 * np.clip(1 - cut * ratio - ratio**2, 0, 1)
        curve = columns.T @ (columns * (weight + hidden)[:, None]) / sigma**2 + firm
        target = columns.T @ (weight * odds + hidden * hidden_mean) / sigma**2 + firm @ prior
        now = np.linalg.solve(curve, target)
        centre = columns @ now
        squares = weight @ (odds - centre) ** 2 + hidden @ (hidden_variance + (hidden_mean - centre) ** 2)
        sigma_now = math.sqrt((float(squares) + FEWEST * deviation**2) / (float((weight + hidden).sum()) + FEWEST))
        done = np.abs(now - beta).max() < 1e-7 and abs(sigma_now - sigma) < 1e-7
        beta, sigma = now, max(sigma_now, 1e-3)
        if done:
            break
    _note(untold, name, curve, spread)
    return float(beta[0]), float(beta[1]), float(beta[2]), float(sigma)


def _note(untold: list[str] | None, name: str, curve: Floats, deviation: Triple) -> None:
    """Names the parameters of which the data left most of what was assumed."""
    if untold is None:
        return
    left = np.sqrt(np.diag(np.linalg.inv(curve)))
    for part, now, before in zip(("intercept", "per_octave", "occluded"), left, deviation, strict=True):
        if now > UNMOVED * before:
            untold.append(f"{name}.{part}")


def _fit_jitter(pairs: Pairs) -> Jitter:
    """Variances of a constant part in pixels and a part in proportion, by weighted least squares on squared errors."""
    if not len(pairs.label):
        return Jitter()
    a, b = pairs.truth, pairs.box
    turn = (b.angle - a.angle + np.pi / 2) % np.pi - np.pi / 2  # of the longer sides, -90 to 90 degrees
    square = a.length < SQUARE * a.width
    swapped = square & (np.abs(turn) > np.pi / 4)
    length, width = np.where(swapped, b.width, b.length), np.where(swapped, b.length, b.width)
    dx, dy = b.x - a.x, b.y - a.y
    along = dx * np.cos(a.angle) + dy * np.sin(a.angle)
    across = dy * np.cos(a.angle) - dx * np.sin(a.angle)
    sides = np.concatenate([a.length, a.width])
    stretch = np.log(np.concatenate([length, width]) / sides)
    bias = float(stretch.mean())
    shift_px, shift_share = _two_parts(np.concatenate([along, across]) ** 2, np.ones(len(sides)), sides**2)
    stretch_px, stretch_share = _two_parts((stretch - bias) ** 2, 1 / sides**2, np.ones(len(sides)))
    clear = ~square
    # two thirds lie within one deviation; squares would be those of the few that are matched by chance
    angle = math.degrees(float(np.quantile(np.abs(turn[clear]), WITHIN_ONE))) if clear.any() else 0.0
    return Jitter(shift_px, shift_share, stretch_px, stretch_share, bias, angle)


def _two_parts(squares: Floats, one: Floats, other: Floats) -> tuple[float, float]:
    """p, q >= 0 with p^2 * one + q^2 * other the variances of errors with these squares."""
    columns = np.stack([one, other], axis=1)
    best = np.array([float(squares.mean() / one.mean()) / 2, float(squares.mean() / other.mean()) / 2])
    for _ in range(100):
        variance = np.maximum(columns @ best, 1e-12)
        weighted = columns / variance[:, None] ** 2
        now = np.linalg.lstsq(weighted.T @ columns, weighted.T @ squares, rcond=None)[0]
        for low in np.flatnonzero(now < 0).tolist():
            now[low], keep = 0.0, 1 - low
            now[keep] = float(weighted[:, keep] @ squares) / float(weighted[:, keep] @ columns[:, keep])
        if np.allclose(now, best, rtol=1e-8, atol=1e-15):
            break
        best = now
    return math.sqrt(max(best[0], 0.0)), math.sqrt(max(best[1], 0.0))


def _fit_alarms(alarms: Alarms, pixels: Floats, things: int, fallback: FalseAlarms | None = None) -> FalseAlarms:
    """Rates, spread over images, sides, quantiles of scores; what is no rate is `fallback`'s where there are few."""
    away = np.maximum(pixels - np.array(alarms.beside or [0.0] * len(pixels)), 1.0)
    rate = sum(alarms.counts) / float(away.sum()) * 1e6
    reach, stretch = np.array(alarms.reach), np.array(alarms.stretch)
    by = reach == reach
    by_chance = rate * float(np.sum(alarms.beside)) / 1e6  # of those anywhere some lie beside things
    per_thing = max(0.0, float(by.sum()) - by_chance) / things if things else 0.0
    if len(alarms.score) < FEWEST:
        return replace(fallback or FalseAlarms(), per_megapixel=rate, per_thing=per_thing, spread=None)
    weight, score = np.array(alarms.weight), np.array(alarms.score)
    expected, counts = rate * away / 1e6, np.array(alarms.counts)
    excess = float(((counts - expected) ** 2).sum() - counts.sum())
    spread = float((expected**2).sum()) / excess if excess > 0 and len(pixels) > 1 else None
    usual = fallback or FalseAlarms()
    enough, beside = int((~by).sum()) >= FEWEST, int(by.sum()) >= FEWEST
    return FalseAlarms(
        per_megapixel=rate,
        spread=spread,
        length_px=_log_normal(np.array(alarms.length)[~by], weight[~by]) if enough else usual.length_px,
        aspect=_log_normal(np.maximum(np.array(alarms.aspect)[~by] - 1, 0.01), weight[~by]) if enough else usual.aspect,
        per_thing=per_thing,
        reach=_log_normal(reach[by], weight[by]) if beside else usual.reach,
        stretch=_log_normal(stretch[by], weight[by]) if beside else usual.stretch,
        scores=tuple(_weighted_quantiles(score, weight, np.linspace(0, 1, STEPS + 1)).tolist()),
    )


def _log_normal(values: Floats, weight: Floats) -> tuple[float, float]:
    """Median, and deviation of the logarithm."""
    logs = np.log(np.maximum(values, 1e-6))
    mean = float(np.average(logs, weights=weight))
    return math.exp(mean), math.sqrt(float(np.average((logs - mean) ** 2, weights=weight)))


def _weighted_quantiles(values: Floats, weight: Floats, at: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    places = np.cumsum(weight[order]) - 0.5 * weight[order]
    return np.interp(at, places / weight.sum(), values[order])


def _odds(score: float) -> float:
    return math.log(score / (1 - score)) if score > 0 else -math.inf


def _log_odds(scores: Floats) -> Floats:
    kept = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(kept / (1 - kept)))


def _cdf(values: Floats) -> Floats:
    """Of the standard normal distribution."""
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in values.tolist()])

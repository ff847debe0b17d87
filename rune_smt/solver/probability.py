"""Mode probability: detections exist independently, each with its score as probability (LANGUAGE, section 7).

An image in which no uncertain detection can matter is decided like any other, all such images together; where the class
counts of the certain and of the possible entities decide it, nothing more is asked. Else the query becomes a formula
over which entities exist (`existence`), whose probability is exact (`propositions`); where that takes too long, worlds
are drawn from a stated seed and the answer carries its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..errors import LimitError
from ..grammar.nodes import Apply, Count, Cover, Exists, ExistsCount, ForAll, Formula, walk
from ..verdict import SATISFIED, UNDECIDED, Verdict
from .array_engine import ArrayEngine
from .atoms import Facts
from .bounds import Histogram, bounds
from .decompose import domain
from .degrees import Degrees, Floats, Interval, judged, wilson
from .evaluate import query_verdict
from .existence import Existence
from .normalise import normalise
from .propositions import TooLarge
from .world import World

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary

SEED = 1
SAMPLES = 10_000  # worlds drawn where a probability is not exact: an interval of at most two hundredths
SAMPLES_WITH_RULES = 1_000  # where every world takes a union of outlines, or a search for chains
FEW_SAMPLES = 200  # where not even the formula over the entities can be built, and every world is decided by itself
BATCH = 2_000  # worlds looked at together
MAX_ENUMERATED = 14  # uncertain entities of an image whose worlds are all decided one by one

Decide: TypeAlias = Callable[[Formula, World], Verdict]
Mask: TypeAlias = NDArray[np.bool_]


def probabilities(
    formula: Formula,
    table: EntityTable,
    vocabulary: Vocabulary,
    min_degree: float = 0.0,
    *,
    seed: int = SEED,
    samples: int = SAMPLES,
    max_work: int | None = None,
) -> Degrees:
    """The probability that each image satisfies a closed, normalised formula.

    seed, samples   of the worlds drawn where the exact probability would take too long; an image's do not depend on
                    what else is in the archive
    max_work        how long it may take: see `propositions`
    """
    m = len(table.offsets)
    degree, upper = np.zeros(m), np.zeros(m)
    facts = Facts(table, vocabulary)
    certain, low, high = _without_chance(formula, table, vocabulary)
    degree[certain], upper[certain] = low[certain] == SATISFIED, high[certain] >= UNDECIDED
    intervals = {}
    for index in np.flatnonzero(~certain):
        found = probability(formula, _scene(table, int(index)), vocabulary, facts, seed, samples, max_work)
        degree[index], upper[index] = found[0], found[1]
        if found[2] is not None:
            intervals[int(index)] = found[2]
    return Degrees(degree, upper, judged(degree, upper, min_degree), intervals=intervals)


def probability(
    formula: Formula,
    scene: Scene,
    vocabulary: Vocabulary,
    facts: Facts | None = None,
    seed: int = SEED,
    samples: int = SAMPLES,
    max_work: int | None = None,
) -> tuple[float, float, Interval | None]:
    """How probable it is that a scene satisfies the formula, or is undecided too; the interval where it is sampled."""
    existence = Existence(scene, vocabulary, facts, max_work=max_work)
    try:
        sure, possible = existence.query(formula)
    except TooLarge:
        return _by_worlds(formula, scene, vocabulary, seed, min(samples, FEW_SAMPLES))
    try:
        below = existence.terms.probability(sure)
        above = below if possible == sure else existence.terms.probability(possible)
        return below, max(below, above), None
    except (TooLarge, RecursionError):
        return _sampled(existence, sure, possible, seed, samples)


# --- what no chance can change ----------------------------------------------------------------------------------------


def _without_chance(
    formula: Formula, table: EntityTable, vocabulary: Vocabulary
) -> tuple[Mask, NDArray[np.int8], NDArray[np.int8]]:
    """Images whose verdict is the same in every world, and the verdict: a lowest and a highest that agree."""
    certain, possible = table.score >= 1, table.score > 0
    least, most = _counts(table, certain), _counts(table, possible)
    low, high = (
        np.broadcast_to(np.asarray(bound, dtype=np.int8), (len(table.offsets),)).copy()
        for bound in bounds(formula, vocabulary, {}, Histogram(tuple(table.classes), least, most))
    )
    codes = _codes_that_matter(formula, table, vocabulary)
    uncertain = most[:, codes].sum(axis=1) > least[:, codes].sum(axis=1)
    fixed = np.flatnonzero(~uncertain & (low != high))
    low[fixed] = high[fixed] = ArrayEngine(table, vocabulary, exists=possible).decide(formula, fixed)
    return ~uncertain | (low == high), low, high


def _counts(table: EntityTable, exists: Mask) -> NDArray[np.int64]:
    """Entities of each class in each image, int64 (images, classes), of those that exist."""
    running = np.concatenate(([0], np.cumsum(exists)))
    return np.asarray(np.diff(running[table.offsets], axis=1), dtype=np.int64)


def _codes_that_matter(formula: Formula, table: EntityTable, vocabulary: Vocabulary) -> list[int]:
    """The classes over which something in the formula ranges; all of them where a link is asked for."""
    if any(isinstance(node, Apply) and node.name in vocabulary.links for node in walk(formula)):
        return list(range(len(table.classes)))
    binders = [node for node in walk(formula) if isinstance(node, Exists | ForAll | ExistsCount | Count | Cover)]
    names = {name for binder in binders for name in domain(binder, table.classes, vocabulary)}
    return [code for code, name in enumerate(table.classes) if name in names]


# --- sampling ---------------------------------------------------------------------------------------------------------


def _generator(scene: Scene, seed: int) -> np.random.Generator:
    return np.random.default_rng((seed, crc32(scene.image_id.encode())))


def _sampled(
    existence: Existence, sure: int, possible: int, seed: int, samples: int
) -> tuple[float, float, Interval]:
    if existence.terms.rules_in((sure, possible)):
        samples = min(samples, SAMPLES_WITH_RULES)
    chances = np.array(existence.terms.probabilities)
    generator = _generator(existence.scene, seed)
    satisfied = maybe = done = 0
    while done < samples:
        worlds = generator.random((min(BATCH, samples - done), len(chances))) < chances
        below, above = existence.terms.in_worlds((sure, possible), worlds)
        satisfied, maybe, done = satisfied + int(below.sum()), maybe + int(above.sum()), done + len(worlds)
    return _estimate(satisfied, maybe, samples, seed)


def _by_worlds(
    formula: Formula, scene: Scene, vocabulary: Vocabulary, seed: int, samples: int
) -> tuple[float, float, Interval]:
    generator = _generator(scene, seed)
    rows = scene.rows
    chances = scene.table.score[rows]
    satisfied = maybe = 0
    for _ in range(samples):
        exists = np.zeros(len(scene.table), dtype=bool)
        exists[rows] = generator.random(len(rows)) < chances
        code = int(ArrayEngine(scene.table, vocabulary, exists=exists).decide(formula, [scene.index])[0])
        satisfied, maybe = satisfied + (code == SATISFIED), maybe + (code >= UNDECIDED)
    return _estimate(satisfied, maybe, samples, seed)


def _estimate(satisfied: int, maybe: int, samples: int, seed: int) -> tuple[float, float, Interval]:
    low, high = wilson(satisfied, samples)
    return satisfied / samples, wilson(maybe, samples)[1], Interval(low, high, samples, seed)


# --- a world to show --------------------------------------------------------------------------------------------------


def likely_world(formula: Formula, scene: Scene, vocabulary: Vocabulary, seed: int = SEED) -> World | None:
    """A world in which a scene satisfies the formula: that of score 0.5, else of the highest score at which it does,
    else one found proposition by proposition, or drawn. None where none of this finds one.
    """
    facts = Facts(scene.table, vocabulary)
    scores = np.unique(scene.table.score[scene.rows])[::-1]
    for least in (0.5, *(float(score) for score in scores if score > 0)):
        world = World(scene, vocabulary, least, facts=facts)
        try:
            found = query_verdict(formula, world)
        except LimitError:
            return None
        if found == SATISFIED:
            return world
    existence = Existence(scene, vocabulary, facts)
    try:
        sure, _ = existence.query(normalise(formula))
    except TooLarge:
        return None
    exists = np.zeros(len(scene.table), dtype=bool)
    rows = existence.tables.rows
    exists[rows] = scene.table.score[rows] >= 0.5
    try:
        chosen = existence.terms.model(sure)
    except (TooLarge, RecursionError, ValueError):
        chances = np.array(existence.terms.probabilities)
        drawn = _generator(scene, seed).random((BATCH, len(chances))) < chances
        hits = np.flatnonzero(existence.terms.in_worlds((sure,), drawn)[0])
        if not len(hits):
            return None
        exists[rows] = drawn[hits[0]]
    else:
        for proposition, value in chosen.items():
            exists[rows[proposition]] = value
    return World(scene, vocabulary, 0.0, facts=facts, exists=exists)


# --- by the definition ------------------------------------------------------------------------------------------------


def by_enumeration(
    formula: Formula, table: EntityTable, vocabulary: Vocabulary, decide: Decide, min_degree: float = 0.0
) -> Degrees:
    """The same by an engine that decides one world at a time: every world, weighed by its probability.

    raises LimitError where an image has more than MAX_ENUMERATED uncertain entities
    """
    facts = Facts(table, vocabulary)
    degree, upper = np.zeros(len(table.offsets)), np.zeros(len(table.offsets))
    for index in range(len(table.offsets)):
        scene = _scene(table, index)
        for chance, world in worlds(scene, vocabulary, facts):
            verdict = decide(formula, world)
            degree[index] += chance * (verdict == SATISFIED)
            upper[index] += chance * (verdict >= UNDECIDED)
    return Degrees(degree, upper, judged(degree, upper, min_degree))


def worlds(scene: Scene, vocabulary: Vocabulary, facts: Facts | None = None) -> Iterator[tuple[float, World]]:
    """Every world of a scene that has a chance, with its probability. raises LimitError where they are too many."""
    scores: Floats = scene.table.score
    rows = scene.rows
    uncertain = rows[(scores[rows] > 0) & (scores[rows] < 1)]
    if len(uncertain) > MAX_ENUMERATED:
        raise LimitError(
            f"Image '{scene.image_id}' has {len(uncertain)} uncertain entities, 2^{len(uncertain)} worlds; this engine "
            f"looks at each, and no more than 2^{MAX_ENUMERATED}.",
            hint="Use --engine auto, which computes or samples the probability.",
        )
    for number in range(1 << len(uncertain)):
        exists = scores >= 1
        there = np.array([bool(number >> i & 1) for i in range(len(uncertain))], dtype=bool)
        exists[uncertain[there]] = True
        chance = float(np.prod(np.where(there, scores[uncertain], 1.0 - scores[uncertain])))
        yield chance, World(scene, vocabulary, 0.0, facts=facts, exists=exists)


def _scene(table: EntityTable, index: int) -> Scene:
    from ..entities.scene import Scene

    return Scene(table, index)

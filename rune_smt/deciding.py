"""The verdicts of every image of an archive, part by part: what is asked, of one part, and the answers put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import QueryError
from .verdict import SATISFIED, UNDECIDED, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from .entities.archive import Archive
    from .grammar.nodes import Formula
    from .grammar.vocabulary import Vocabulary
    from .side_by_side import Runner
    from .solver.array_engine import Statistics
    from .solver.degrees import Degrees
    from .solver.world import World

MOST_THREADS = 8  # by default: each has a batch in memory
OPEN = 16  # parts that a process keeps open for further queries; mapped, not in its own memory

Mode: TypeAlias = Literal["threshold", "graded", "probability"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of every part.

    formula  closed, definitions expanded; normal is the same normalised
    """

    formula: Formula
    normal: Formula
    mode: Mode
    engine: str
    min_score: float
    min_degree: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What was found of some images, in their order: verdict codes int8 (m,), degrees float64 (m,), and how."""

    verdicts: NDArray[np.int8]
    degrees: NDArray[np.float64]
    grades: Degrees | None = None
    statistics: Statistics | None = None


def decide_part(part: Archive, vocabulary: Vocabulary, asked: Asked, workers: int = 1) -> Answer:
    """The answer for the images of an archive of one part.

    workers  threads of the array engine (mode threshold)
    """
    if asked.mode != "threshold":
        grades = _grades(part, vocabulary, asked)
        return Answer(grades.verdicts, grades.degree, grades)
    statistics = None
    if asked.engine in ("auto", "array"):
        from .solver.array_engine import ArrayEngine

        engine = ArrayEngine(part.table, vocabulary, asked.min_score, workers=workers)
        verdicts = engine.decide(asked.normal)
        statistics = engine.statistics
    else:
        verdicts = _one_by_one(part, vocabulary, asked)
    return Answer(verdicts, (verdicts == SATISFIED).astype(np.float64), statistics=statistics)


@dataclass(frozen=True, slots=True)
class PartTask:
    """What is asked of one part of an archive on disk, for a process that has nothing of it yet.

    header  see `rune_smt.entities.archive.part_headers`
    """

    path: str
    header: bytes
    asked: Asked


def tasks_of(path: Path | None, header: bytes, asked: Asked) -> list[PartTask]:
    """A task for each part of the archive whose archive.json this is.

    Raises QueryError where it has no folder.
    """
    from .entities.archive import part_headers

    if path is None:
        raise QueryError("An archive in memory cannot be searched by other processes.", hint="Give it a folder (out).")
    return [PartTask(str(path.absolute()), mine, asked) for mine in part_headers(header)]


def decide_task(task: PartTask) -> Answer:
    """`decide_part` of a part that is opened for it."""
    part, vocabulary = _opened(task.path, task.header)
    return decide_part(part, vocabulary, task.asked)


@dataclass(frozen=True, slots=True)
class Named:
    """The answers of a part by name: its images, those that satisfy, those that cannot be told; names are sorted."""

    images: int
    satisfied: tuple[str, ...]
    undecided: tuple[str, ...]


def name_task(task: PartTask) -> Named:
    """The same for whoever has not opened the archive."""
    part, vocabulary = _opened(task.path, task.header)
    verdicts = decide_part(part, vocabulary, task.asked).verdicts
    names = part.table.images.image_id
    satisfied, undecided = (
        tuple(names[int(i)] for i in np.flatnonzero(verdicts == code)) for code in (SATISFIED, UNDECIDED)
    )
    return Named(len(verdicts), satisfied, undecided)


@lru_cache(maxsize=OPEN)
def _opened(path: str, header: bytes) -> tuple[Archive, Vocabulary]:
    from .entities.archive import open_part
    from .query import vocabulary_of

    part = open_part(path, header)
    return part, vocabulary_of(part)


def decide(
    archive: Archive, vocabulary: Vocabulary, asked: Asked, workers: int | None = None, runner: Runner | None = None
) -> Answer:
    """The answer for all images of an archive: part by part, several at a time where there are several workers.

    workers  threads of the array engine, over parts or inside the one part: numpy and shapely work side by side, and
             nothing has to be handed from process to process. Other engines take one image after the other. None: one
             for each core
    runner   carries out a task for each part in the place of threads
    """
    if runner is not None:
        return put_together(archive, enumerate(runner(decide_task, tasks_of(archive.path, archive.header, asked))))
    count = len(archive.parts)
    if workers is None:
        workers = min(cores(), MOST_THREADS)
    if asked.engine not in ("auto", "array"):
        workers = 1
    if count == 1 or workers == 1:
        return put_together(
            archive, ((i, decide_part(part, vocabulary, asked, workers)) for i, part in enumerate(archive.parts))
        )
    with ThreadPoolExecutor(workers) as pool:
        found = pool.map(lambda part: decide_part(part, vocabulary, asked), archive.parts)
        return put_together(archive, enumerate(found))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def put_together(archive: Archive, answers: Iterable[tuple[int, Answer]]) -> Answer:
    """The answer for all images of an archive, from (number of the part, answer) in any order."""
    found = sorted(answers, key=lambda answer: answer[0])
    if len(found) == 1:
        return found[0][1]
    verdicts, degrees = np.zeros(len(archive), np.int8), np.zeros(len(archive))
    for number, answer in found:
        mine = archive.places.rows[number]
        verdicts[mine], degrees[mine] = answer.verdicts, answer.degrees
    return Answer(verdicts, degrees, _grades_together(archive, found), _statistics_together(found))


def _grades_together(archive: Archive, found: list[tuple[int, Answer]]) -> Degrees | None:
    from .solver.degrees import Degrees

    if any(answer.grades is None for _, answer in found):
        return None
    whole = Degrees(np.zeros(len(archive)), np.zeros(len(archive)), np.zeros(len(archive), np.int8), {}, {})
    stretches, intervals = {}, {}
    for number, answer in found:
        mine, grades = archive.places.rows[number], answer.grades
        assert grades is not None
        whole.degree[mine], whole.upper[mine], whole.verdicts[mine] = grades.degree, grades.upper, grades.verdicts
        stretches.update({int(mine[index]): value for index, value in grades.stretches.items()})
        intervals.update({int(mine[index]): value for index, value in grades.intervals.items()})
    return replace(whole, stretches=stretches, intervals=intervals)


def _statistics_together(found: list[tuple[int, Answer]]) -> Statistics | None:
    """Sums over the parts, and the plan of the first."""
    from .solver.array_engine import ComponentRun, Statistics

    whole = Statistics()
    for _, answer in found:
        mine = answer.statistics
        if mine is None:
            return None
        whole.images += mine.images
        whole.by_counts += mine.by_counts
        whole.counts_seconds += mine.counts_seconds
        whole.plan = whole.plan or mine.plan
        for key, run in mine.components.items():
            whole.components.setdefault(key, ComponentRun(run.text))
        whole.add(mine)
    return whole


# --- one part ---------------------------------------------------------------------------------------------------------


def _grades(part: Archive, vocabulary: Vocabulary, asked: Asked) -> Degrees:
    """Degrees or probabilities of all images: vectorised, or by an engine that takes one world at a time."""
    from .solver.graded import grades, grades_by
    from .solver.probability import by_enumeration, probabilities

    if asked.engine in ("auto", "array"):
        vectorised = grades if asked.mode == "graded" else probabilities
        return vectorised(asked.normal, part.table, vocabulary, asked.min_degree)
    decide = _decider(asked.engine)
    if asked.mode == "graded":
        return grades_by(decide, asked.formula, part.table, vocabulary, asked.min_degree)
    return by_enumeration(asked.formula, part.table, vocabulary, decide, asked.min_degree)


def _one_by_one(part: Archive, vocabulary: Vocabulary, asked: Asked) -> NDArray[np.int8]:
    """Verdicts by an engine that takes one image at a time."""
    from .solver.atoms import Facts
    from .solver.world import World

    decide = _decider(asked.engine)
    facts = Facts(part.table, vocabulary)
    worlds = (World(scene, vocabulary, asked.min_score, facts=facts) for scene in part)
    return np.array([decide(asked.formula, world) for world in worlds], dtype=np.int8)


def _decider(engine: str) -> Callable[[Formula, World], Verdict]:
    if engine == "z3":
        from .solver.z3_engine import decide

        return decide
    from .solver.holds import holds

    return holds

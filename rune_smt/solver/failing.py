"""Where a query fails in a scene: the candidates there were and how far each got, the offenders, have and need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..grammar.nodes import And, Compare, Count, Cover, Exists, ExistsCount, ForAll, Formula, Or
from ..grammar.printer import written
from .clauses import ClauseForm, clause_form
from .evaluate import Booleans, count_ranges
from .numbers import aggregates
from .tables import Places, Tables
from .world import World

Kind: TypeAlias = Literal["candidates", "offenders", "too few", "too many", "amounts"]

SHOWN = 5  # entities that are named; the others are counted


@dataclass(frozen=True, slots=True)
class Stage:
    """How many candidates are left once a part is asked of them too."""

    part: str
    left: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity in the place of a variable: the parts that it fails."""

    entity: int
    fails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failing:
    """One place where the query fails.

    kind      candidates: no entity (or too few) gets through the stages; offenders: some are not as all should be;
              too few, too many: have and need of a count; amounts: the counts or covers that are compared
    part      the failing part as text
    variable  whose entities are told of
    have      how many there are; `need` how many there should be, at least or at most
    stages    of candidates: the parts in the order of the query, each with the candidates left
    entities  candidates: the best ones, those that fail least; offenders and too many: who they are; lowest ids first
    amounts   the fewest (smallest) and most (largest) of each count or cover, as text
    """

    kind: Kind
    part: str
    variable: str = ""
    have: int = 0
    need: int = 0
    stages: tuple[Stage, ...] = ()
    entities: tuple[Candidate, ...] = ()
    amounts: tuple[tuple[str, float, float], ...] = ()


def failing(formula: Formula, world: World) -> tuple[Failing, ...]:
    """Every closed part that stops a violated query, from left to right; none inside of a part that stops it.

    formula   closed, definitions expanded
    """
    form = clause_form(formula, halves=False)
    return tuple(_below(form.formula, world))


def _below(node: Formula, world: World) -> Iterator[Failing]:
    if _possible(node, world):
        return
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _below(part, world)
        case Exists(var, body):
            yield _candidates(node, var, body, 1, world)
        case ExistsCount(">=", n, var, body):
            yield _candidates(node, var, body, n, world)
        case ForAll(var, body):
            good = _for_each(var, body, world)
            yield Failing("offenders", written(node), var, int((~good).sum()), 0, (), _named(~good, world))
        case ExistsCount(_, n, var, body):
            held = _for_each(var, body, world, "sure")
            yield Failing("too many", written(node), var, int(held.sum()), n, (), _named(held, world))
        case Compare() if aggregates(node):
            yield Failing("amounts", written(node), amounts=tuple(_amounts(node, world)))
        case _:
            yield Failing("candidates", written(node))


def _candidates(node: Formula, var: str, body: Formula, need: int, world: World) -> Failing:
    parts = body.parts if isinstance(body, And) else (body,)
    passed = [_for_each(var, part, world) for part in parts]
    left, stages = np.ones(len(world.entities), dtype=bool), []
    for part, good in zip(parts, passed, strict=True):
        left = left & good
        stages.append(Stage(written(part), int(left.sum())))
    fails = np.sum([~good for good in passed], axis=0)
    order = [i for i in np.argsort(fails, kind="stable").tolist() if fails[i] < len(parts) and fails[i] > 0]
    best = tuple(
        Candidate(
            world.entities[i], tuple(written(part) for part, good in zip(parts, passed, strict=True) if not good[i])
        )
        for i in order[:SHOWN]
    )
    kind: Kind = "candidates" if need == 1 else "too few"
    return Failing(kind, written(node), var, int(left.sum()), need, tuple(stages), best)


def _amounts(node: Compare, world: World) -> Iterator[tuple[str, float, float]]:
    everything = Tables.of(world).places(world)
    for term in aggregates(node):
        if isinstance(term, Count):
            fewest, most = count_ranges(term, world, (), lambda _: everything)
            yield f"count {term.var} ({written(term.body)})", float(fewest.item()), float(most.item())
        elif isinstance(term, Cover):
            tables = Tables.of(world)
            areas = [
                tables.cover(everything[_for_each(term.var, term.body, world, level)]) for level in ("sure", "open")
            ]
            yield f"cover {term.var} ({written(term.body)})", areas[0], areas[1]


def _possible(node: Formula, world: World) -> bool:
    return bool(Booleans(_form(node), world, "open").root())


def _for_each(var: str, body: Formula, world: World, level: Any = "open") -> NDArray[np.bool_]:
    """For each entity that exists whether the body may hold (open) or holds (sure) of it."""
    everything: Places = Tables.of(world).places(world)
    form = _form(body)
    values = Booleans(form, world, level).good(form.formula, 0, True, ((var, everything),), None)
    return np.broadcast_to(values, len(everything)).copy()


def _form(node: Formula) -> ClauseForm:
    return clause_form(node, halves=False)


def _named(which: NDArray[np.bool_], world: World) -> tuple[Candidate, ...]:
    return tuple(Candidate(world.entities[i], ()) for i in np.flatnonzero(which)[:SHOWN].tolist())


__all__ = ["Candidate", "Failing", "Stage", "failing"]

"""Where a query fails in a scene: the candidates there were and how far each got, the offenders, have and need.

Candidates go through the parts of a body one after the other. Where those that got furthest are stopped by a quantifier
inside, the parts in there are asked too, of each of them with every entity: so the bindings that come closest are told
with the fact that stops each, those first whose measure is nearest to its limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..grammar.nodes import And, Apply, Compare, Count, Cover, Exists, ExistsCount, ForAll, Formula, Not, Or
from ..grammar.printer import written
from .clauses import ClauseForm, clause_form
from .evaluate import Booleans, count_ranges
from .nearest import scale_of, sentence
from .numbers import aggregates
from .tables import Mask, Places, Scope, Tables
from .world import World, variables_of

Kind: TypeAlias = Literal["candidates", "offenders", "too few", "too many", "amounts"]

SHOWN = 5  # entities and bindings that are named; the others are counted
MAX_BINDINGS = 4_000_000  # asked one by one; beyond that a quantifier inside is one part
MAX_RANKED = 20_000  # measured to find the nearest; beyond that those with the lowest ids are told


@dataclass(frozen=True, slots=True)
class Stage:
    """How many candidates are left once a part is asked of them too: entities, or bindings of several variables."""

    part: str
    left: int
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """A candidate that got far: an entity for each variable, the part that stops it, and how in words."""

    entities: Mapping[str, int] = field(hash=False)
    stopped_by: str
    text: str


@dataclass(frozen=True, slots=True)
class Failing:
    """One place where the query fails.

    kind      candidates: no entity (or too few) gets through the stages; offenders: some are not as all should be;
              too few, too many: have and need of a count; amounts: the counts or covers that are compared
    part      the failing part as text
    variable  whose entities are told of
    have      how many there are; `need` how many there should be, at least or at most
    stages    the parts in the order in which they are asked of candidates, or of offenders with every other entity,
              each with those left
    bindings  the ones that got furthest, the nearest first
    entities  offenders and too many: who they are, lowest ids first
    amounts   the fewest (smallest) and most (largest) of each count or cover, as text
    """

    kind: Kind
    part: str
    variable: str = ""
    have: int = 0
    need: int = 0
    stages: tuple[Stage, ...] = ()
    bindings: tuple[Binding, ...] = ()
    entities: tuple[int, ...] = ()
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
            stages, bindings = _of_offenders(var, body, ~good, world)
            yield Failing(
                "offenders", written(node), var, int((~good).sum()), 0, tuple(stages), tuple(bindings),
                _named(~good, world),
            )  # fmt: skip
        case ExistsCount(_, n, var, body):
            held = _for_each(var, body, world, "sure")
            yield Failing("too many", written(node), var, int(held.sum()), n, entities=_named(held, world))
        case Compare() if aggregates(node):
            yield Failing("amounts", written(node), amounts=tuple(_amounts(node, world)))
        case _:
            yield Failing("candidates", written(node))


def _candidates(node: Formula, var: str, body: Formula, need: int, world: World) -> Failing:
    everything = Tables.of(world).places(world)
    stages, bindings = _staged(body, ((var, everything),), np.ones(len(everything), dtype=bool), world)
    have = min((stage.left for stage in stages if stage.variables == (var,)), default=len(everything))
    return Failing(
        "candidates" if need == 1 else "too few", written(node), var, have, need, tuple(stages), tuple(bindings)
    )


def _of_offenders(var: str, body: Formula, offends: Mask, world: World) -> tuple[list[Stage], list[Binding]]:
    """How far the offenders got in the last part of ~a | b that asks something of them."""
    scope: Scope = ((var, Tables.of(world).places(world)),)
    part = body.parts[-1] if isinstance(body, Or) else body
    if isinstance(part, Exists) and int(offends.sum()) * len(world) <= MAX_BINDINGS:
        inner = (*scope, (part.var, Tables.of(world).places(world)))
        return _staged(part.body, inner, np.broadcast_to(offends[:, None], (len(world),) * 2).copy(), world)
    return [], _best(part, scope, offends, world, passed_none=True)


def _staged(body: Formula, scope: Scope, left: Mask, world: World) -> tuple[list[Stage], list[Binding]]:
    """The parts of a body asked one after the other of the candidates `left`, an array with the scope's axes."""
    variables = tuple(name for name, _ in scope)
    stages: list[Stage] = []
    stopped: tuple[Formula, Mask] | None = None  # the last part that stopped some, and whom
    parts = body.parts if isinstance(body, And) else (body,)
    for part in sorted(parts, key=lambda part: isinstance(part, Exists | ExistsCount)):
        form = _form(part)
        good = Booleans(form, world, "open").good(form.formula, 0, True, scope, left)
        here = left & ~good
        left = left & good
        stages.append(Stage(written(part), int(left.sum()), variables))
        if here.any():
            stopped = part, here
    if stopped is None:
        return stages, []
    part, here = stopped
    passed_none = written(part) == stages[0].part
    if isinstance(part, Exists) and int(here.sum()) * len(world) <= MAX_BINDINGS and len(world):
        inner = (*scope, (part.var, Tables.of(world).places(world)))
        candidates = np.broadcast_to(here[..., None], (*here.shape, len(world))).copy()
        deeper, bindings = _staged(part.body, inner, candidates, world)
        return stages + deeper, bindings
    return stages, _best(part, scope, here, world, passed_none)


def _best(part: Formula, scope: Scope, here: Mask, world: World, passed_none: bool) -> list[Binding]:
    """Those of the candidates that come nearest to the limit of the part that stops them; else the lowest ids.

    None where they got through no part at all and nothing was measured: that tells of no entity more than of another.
    """
    tables = Tables.of(world)
    cells = np.nonzero(here)
    places = {name: ranged[cell] for (name, ranged), cell in zip(scope, cells, strict=True)}
    atom = part.body if isinstance(part, Not) else part
    scale = scale_of(atom, world) if isinstance(atom, Apply | Compare) and not aggregates(atom) else None
    names = variables_of(atom) if isinstance(atom, Apply | Compare) and scale is not None else ()
    if scale is None and passed_none:
        return []
    order = np.arange(len(cells[0]))
    if scale is not None and names and len(order) <= MAX_RANKED:
        away = np.abs(scale.values(tuple(tables.rows[places[name]] for name in names)) - scale.now)
        order = np.argsort(np.where(np.isnan(away), np.inf, away), kind="stable")
    found = []
    for i in order[:SHOWN].tolist():
        entities = {name: int(tables.ids[place[i]]) for name, place in places.items()}
        if scale is not None and names:
            told = scale.told(tuple(tables.rows[places[name][i : i + 1]] for name in names))
            assert isinstance(atom, Apply | Compare)
            text = sentence(world, atom, told, [entities[name] for name in names], isinstance(part, Not))
        else:
            named = ", ".join(f"{name} = {world.label(e).replace('_', ' ')} {e}" for name, e in entities.items())
            text = f"{written(part)} does not hold of {named}"
        found.append(Binding(entities, written(part), text))
    return found


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


def _named(which: NDArray[np.bool_], world: World) -> tuple[int, ...]:
    return tuple(world.entities[i] for i in np.flatnonzero(which)[:SHOWN].tolist())


__all__ = ["Binding", "Failing", "Stage", "failing"]

"""The entities that make a query true (LANGUAGE, section 9): its witness, and what answers its outermost variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from ..grammar.nodes import And, Exists, ExistsCount, Formula, Or
from ..verdict import SATISFIED
from .clauses import clause_form, within_definition
from .holds import NOTHING_BOUND, holds
from .world import World

Witness: TypeAlias = dict[str, int | list[int]]  # variable -> entity id, or N ids for exists>=N


def witness(formula: Formula, world: World) -> Witness:
    """The witness of a query that is satisfied, keyed by its variables; empty where there is nothing to show.

    formula   closed, definitions expanded; with canonical names (x1, x2, ...) these are the keys
    Over the clause form, in which `a -> b` is `~a | b` and ~forall is exists: from the root through `&`, the first
    satisfied part of an `|`, exists and exists>=N, the lowest entity ids for which the body is satisfied. What stands
    inside the body of exists>=N is shown for the first of its entities. Nothing below a forall, an upper count or a
    comparison of counts, and nothing inside a definition, which is one word.
    """
    return dict(_shown(clause_form(formula, halves=False).formula, world, NOTHING_BOUND))


def _shown(formula: Formula, world: World, env: Mapping[str, int]) -> Iterator[tuple[str, int | list[int]]]:
    if within_definition(formula):
        return
    match formula:
        case And(parts):
            for part in parts:
                yield from _shown(part, world, env)
        case Or(parts):
            chosen = next(part for part in parts if holds(part, world, env) == SATISFIED)
            yield from _shown(chosen, world, env)
        case Exists(var, body):
            entity = next(_satisfying(var, body, world, env))
            yield var, entity
            yield from _shown(body, world, {**env, var: entity})
        case ExistsCount(">=", n, var, body) if n > 0:
            found = _satisfying(var, body, world, env)
            entities = [next(found) for _ in range(n)]
            yield var, entities
            yield from _shown(body, world, {**env, var: entities[0]})
        case _:
            return


def _satisfying(var: str, body: Formula, world: World, env: Mapping[str, int]) -> Iterator[int]:
    """The entities that satisfy the body, lowest id first."""
    return (entity for entity in world.entities if holds(body, world, {**env, var: entity}) == SATISFIED)


def answers(formula: Formula, world: World) -> tuple[int, ...]:
    """The entities that answer the outermost variable of `exists x (f)` or `exists>=N x (f)`; ascending.

    raises ValueError for any other formula, which has no outermost variable
    """
    match formula:
        case Exists(var, body) | ExistsCount(_, _, var, body):
            return tuple(_satisfying(var, body, world, NOTHING_BOUND))
        case _:
            raise ValueError("a query for things begins with exists or exists>=N")

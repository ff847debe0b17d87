"""The meaning of a query, by brute force. The first thing to read, and the judge of every engine.

LANGUAGE, section 3: strong Kleene logic over the entities of one scene.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, assert_never

from ..grammar.nodes import (
    And,
    Apply,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Term,
    Truth,
)
from ..verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict, conjunction, disjunction, negation, of
from .numbers import compare_counts, compare_intervals, compare_to_zero, counts_in, covers_in, interval

if TYPE_CHECKING:
    from .world import World

NOTHING_BOUND: Mapping[str, int] = {}


def holds(formula: Formula, world: World, env: Mapping[str, int] = NOTHING_BOUND) -> Verdict:
    """Three-valued truth of `formula` in a finite world, each free variable bound to an entity id by `env`.

    Slow, obvious, and the judge of every other engine.
    """
    match formula:
        case Truth(value):
            return of(value)
        case Apply():
            return world.truth(formula, env)
        case Compare():
            if counts_in(formula):
                return compare_counts(formula, lambda count: count_range(count, world, env))
            if covers_in(formula):
                return compare_covers(formula, world, env)
            return world.truth(formula, env)
        case Not(body):
            return negation(holds(body, world, env))
        case And(parts):
            return conjunction(holds(part, world, env) for part in parts)
        case Or(parts):
            return disjunction(holds(part, world, env) for part in parts)
        case Implies(left, right):
            return disjunction(holds(side, world, env) for side in (Not(left), right))
        case Iff(left, right):
            a, b = holds(left, world, env), holds(right, world, env)
            return conjunction((disjunction((negation(a), b)), disjunction((negation(b), a))))
        case Exists(var, body):
            tried = world.range(var, body, VIOLATED, env)
            return disjunction(holds(body, world, {**env, var: entity}) for entity in tried)
        case ForAll(var, body):
            tried = world.range(var, body, SATISFIED, env)
            return conjunction(holds(body, world, {**env, var: entity}) for entity in tried)
        case ExistsCount(op, n, var, body):
            settled = n if op == ">=" else n + 1  # with so many that are sure, the others change nothing
            low, high = count_range(Count(var, body), world, env, settled)
            return compare_to_zero(op, -n, [(1, low, high)])
        case _:
            assert_never(formula)


def satisfying(
    var: str, body: Formula, world: World, env: Mapping[str, int], enough: float = inf
) -> tuple[list[int], list[int]]:
    """The entities that satisfy the body, the first `enough` of them, and those for which it is undecided."""
    sure: list[int] = []
    undecided: list[int] = []
    for entity in world.range(var, body, VIOLATED, env):
        if len(sure) >= enough:
            break
        verdict = holds(body, world, {**env, var: entity})
        if verdict != VIOLATED:
            (sure if verdict == SATISFIED else undecided).append(entity)
    return sure, undecided


def count_range(count: Count, world: World, env: Mapping[str, int], enough: float = inf) -> tuple[int, int]:
    """`count x (f)` is any number from s to s + u, where s entities satisfy f and u more are undecided."""
    sure, undecided = satisfying(count.var, count.body, world, env, enough)
    return len(sure), len(sure) + len(undecided)


def compare_covers(comparison: Compare, world: World, env: Mapping[str, int]) -> Verdict:
    """A comparison of covers: each lies between the union of the sure outlines and that of the possible ones."""

    def leaf(term: Term) -> tuple[float, float] | None:
        if isinstance(term, Cover):
            sure, undecided = satisfying(term.var, term.body, world, env)
            return world.cover(sure), world.cover(sorted(sure + undecided))
        value = world.area_limit(term)
        return None if value is None else (value, value)

    left, right = interval(comparison.left, leaf), interval(comparison.right, leaf)
    if left is None or right is None:
        return UNDECIDED
    return compare_intervals(comparison.op, left, right)


__all__ = ["SATISFIED", "UNDECIDED", "VIOLATED", "Verdict", "holds"]

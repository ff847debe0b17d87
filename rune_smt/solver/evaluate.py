"""The verdict of a form in one scene, whole columns at a time: what the searches for repairs steer by.

It answers to `holds` like every engine, and what is told to people is confirmed by `holds` in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grammar.nodes import Count, Formula
from ..verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict
from .clauses import ClauseForm, Occurrence, clause_form
from .expand import Array, Domain, Expander, Level, refuse_if_large
from .tables import Mask, Scope
from .world import World


class Booleans(Expander):
    """Whether each subformula is good. Clauses outside of `keep` are relaxed; None keeps all."""

    keep: frozenset[int] | None = None

    def known(self, value: bool) -> Array:
        """A constant."""
        return np.array(value)

    def literal(self, good: Mask, occurrence: Occurrence) -> Array:
        """Good where it is, and where it is relaxed."""
        if self.keep is None or occurrence.clauses <= self.keep:
            return good
        return np.ones((1,) * good.ndim, dtype=bool)

    def join(self, one: Array, other: Array, every: bool) -> Array:
        """And, or."""
        return one & other if every else one | other

    def gather(self, values: Array, every: bool) -> Array:
        """All, any."""
        return np.asarray(values.all(axis=-1) if every else values.any(axis=-1))

    def at_least(self, parts: Sequence[tuple[int, Array, int]], threshold: int) -> Array:
        """Counted."""
        total: Any = 0
        for weight, values, entities in parts:
            number = values.sum(axis=-1, dtype=np.int64)
            total = total + weight * (number * entities if values.shape[-1] == 1 and entities != 1 else number)
        return np.asarray(total >= threshold)

    def measured(self, parts: Sequence[tuple[Array, int]], holds: Callable[[Sequence[Mask]], bool]) -> Array:
        """One union for each cell."""
        shape = np.broadcast_shapes(*(mask.shape[:-1] for mask, _ in parts))
        result = np.empty(shape, dtype=bool)
        for cell in np.ndindex(shape):
            here = []
            for mask, entities in parts:
                row = np.broadcast_to(mask, (*shape, mask.shape[-1]))[cell]
                here.append(np.broadcast_to(row, entities))
            result[cell] = holds(here)
        return result

    def undecided(self, need: Mask | None, one: Array, every: bool, literals_only: bool) -> Mask | None:
        """Where the value so far is not yet the one that settles it."""
        open_here = one if every else ~one
        return open_here if need is None else need & open_here


def verdict(form: ClauseForm, world: World, domain: Domain | None = None) -> Verdict:
    """The verdict of a form. raises LimitError where its expansion is too large."""
    refuse_if_large(form, world, domain)
    if not Booleans(form, world, "open", domain).root():
        return VIOLATED
    return SATISFIED if Booleans(form, world, "sure", domain).root() else UNDECIDED


def query_verdict(formula: Formula, world: World) -> Verdict:
    """The verdict of any closed formula without definitions: that of `holds`, sooner."""
    return verdict(clause_form(formula, halves=False), world)


def count_ranges(
    count: Count, world: World, scope: Scope, domain: Domain
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fewest and the most entities that a count may have, with the axes of the scope."""
    form = clause_form(count.body, halves=False)
    places = domain(count)
    bounds = []
    levels: tuple[Level, ...] = ("sure", "open")
    for level in levels:
        if not len(places):
            bounds.append(np.zeros((1,) * len(scope), dtype=np.int64))
            continue
        walk = Booleans(form, world, level)
        values = walk.good(form.formula, 0, True, (*scope, (count.var, places)), None)
        number = values.sum(axis=-1, dtype=np.int64)
        bounds.append(number * len(places) if values.shape[-1] == 1 else number)
    return bounds[0], bounds[1]

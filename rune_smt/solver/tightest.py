"""The atom on which a verdict turns first: how little one measure would have to change for another verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from .nearest import Nearest, amount
from .world import World


@dataclass(frozen=True, slots=True)
class Tightest:
    """The smallest margin among the limits of single clauses that would change the verdict.

    quantity, unit, actual, limit  as in `Nearest`: what was measured of `entities`, and where its limit lies
    margin                         |actual - limit|, in unit
    text                           all this in words
    """

    quantity: str
    unit: str
    actual: float
    limit: float
    margin: float
    entities: tuple[int, ...]
    text: str


def tightest(changes: Iterable[Nearest], world: World) -> Tightest | None:
    """Of the limits that would change the verdict the one with the smallest margin relative to its limit.

    changes  nearest limits: of the query where it is violated, of its negation where it is satisfied
    None where no single numeric clause changes it
    """
    found = sorted(changes, key=lambda near: (_relative(near), near.clause))
    if not found:
        return None
    near = found[0]
    named = [f"{world.label(entity).replace('_', ' ')} {entity}" for entity in near.entities]
    things = " and ".join(named) or "the image"
    margin = abs(near.actual - near.limit)
    text = (
        f"{near.quantity} of {things}: {amount(near.actual, near.unit)} against a limit of "
        f"{amount(near.limit, near.unit)}, a margin of {amount(margin, near.unit)}"
    )
    if near.metres is not None:
        text += f" ({amount(abs(near.metres[0] - near.metres[1]), 'm' if near.unit == 'px' else 'm2')})"
    return Tightest(near.quantity, near.unit, near.actual, near.limit, margin, near.entities, text)


def _relative(near: Nearest) -> float:
    margin = abs(near.actual - near.limit)
    return margin / abs(near.limit) if near.limit else inf if margin else 0.0

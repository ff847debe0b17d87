"""Links of a scene: the pairs that a link's formula joins, and what chains of such pairs connect (LANGUAGE, section 5).

Masks have thousands of entities, so pairs are not all tried: what the formula asks of one entity alone is asked first,
and where it bounds how far apart the two may be, an index of boxes gives the pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..grammar.definitions import link_body
from ..grammar.nodes import And, Apply, Compare, Formula, Iff, Implies, Not, Or, Truth, free_variables
from ..verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict
from .atoms import Codes
from .joins import SLACK, is_bounded, reach
from .numbers import aggregates

if TYPE_CHECKING:
    from .world import World

Places: TypeAlias = NDArray[np.int64]  # entities as places in the world's list

BLOCK = 1 << 20  # pairs tried at once: bounds memory
FURTHEST = 1e12  # px: further than anything lies, for a reach that is not known


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """What chains of linked pairs connect among the n entities of a world.

    sure, possible  int64 (n,): which chain an entity belongs to, of pairs that are linked for sure, or may be linked;
                    -1 where no pair links it
    """

    sure: Places
    possible: Places

    def codes(self, x: Places, y: Places) -> Codes:
        """Verdict codes of places x and y, which broadcast: a chain leads from one to the other."""
        result = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.int8)
        for chain, code in ((self.possible, UNDECIDED), (self.sure, SATISFIED)):
            result[(chain[x] == chain[y]) & (chain[x] >= 0)] = code
        return result

    def verdict(self, x: int, y: int) -> Verdict:
        """Whether a chain leads from place x to place y."""
        if 0 <= self.sure[x] == self.sure[y]:
            return SATISFIED
        return UNDECIDED if 0 <= self.possible[x] == self.possible[y] else VIOLATED

    def table(self) -> Codes:
        """The codes of all pairs, int8 (n, n)."""
        every = np.arange(len(self.sure))
        return self.codes(every[:, None], every[None, :])


def links_of(world: World, name: str) -> Links:
    """The chains of a link: sure where every step is sure, possible where no step is violated."""
    found = list(linked_pairs(world, name))
    one, other, codes = (np.concatenate([part[k] for part in found]) for k in range(3))
    sure = codes == SATISFIED
    return Links(_chains(len(world), one[sure], other[sure]), _chains(len(world), one, other))


def linked_pairs(world: World, name: str) -> Iterator[tuple[Places, Places, Codes]]:
    """Ordered pairs of places of which the link's formula is not violated, and its verdict codes; block by block."""
    first, second = world.vocabulary.links[name].params
    body = link_body(name, world.vocabulary)
    parts = body.parts if isinstance(body, And) else (body,)
    spoken_of = [free_variables(part) for part in parts]
    both = [part for part, names in zip(parts, spoken_of, strict=True) if len(names) == 2]
    alone = {}
    for variable in (first, second):
        codes = np.full(len(world), SATISFIED, dtype=np.int8)
        mine = [part for part, names in zip(parts, spoken_of, strict=True) if set(names) <= {variable}]
        every = np.arange(len(world), dtype=np.int64)
        alone[variable] = _all_of(mine, world, {variable: every}, codes)
    for x, y in _candidates(world, both, (first, second), alone):
        codes = np.minimum(alone[first][x], alone[second][y])
        codes = _all_of(both, world, {first: x, second: y}, codes)
        kept = codes > VIOLATED
        yield x[kept], y[kept], codes[kept]


def _candidates(
    world: World, both: Sequence[Formula], names: tuple[str, str], alone: Mapping[str, Codes]
) -> Iterator[tuple[Places, Places]]:
    """Ordered pairs of different places that may be linked: none is left out. At least one block, maybe empty."""
    mine, theirs = (np.flatnonzero(alone[name] > VIOLATED).astype(np.int64) for name in names)
    atom = next((part for part in both if isinstance(part, Apply | Compare) and is_bounded(part, False)), None)
    size = max(1, BLOCK // max(1, len(theirs)))
    for start in range(0, max(1, len(mine)), size):
        block = mine[start : start + size]
        if atom is None:
            x, y = np.repeat(block, len(theirs)), np.tile(theirs, len(block))
        else:
            x, y = _within_reach(world, atom, names[0], block, theirs)
        yield x[x != y], y[x != y]


def _within_reach(
    world: World, atom: Apply | Compare, name: str, mine: Places, theirs: Places
) -> tuple[Places, Places]:
    """The pairs whose boxes are no further apart than the atom allows."""
    import shapely

    table, rows, others = world.scene.table, world.rows[mine], world.rows[theirs]
    limit = np.minimum(reach(atom, name, table, rows, world.facts.parameters), FURTHEST)
    sides = np.stack([column[rows] for column in (table.min_x, table.min_y, table.max_x, table.max_y)])
    limit = limit * (1 + SLACK) + np.abs(sides).max(axis=0, initial=0.0) * SLACK
    grown = shapely.box(sides[0] - limit, sides[1] - limit, sides[2] + limit, sides[3] + limit)
    boxes = shapely.box(table.min_x[others], table.min_y[others], table.max_x[others], table.max_y[others])
    one, other = shapely.STRtree(boxes).query(grown)
    return mine[one], theirs[other]


# --- the verdict of a formula for many bindings -----------------------------------------------------------------------


def _all_of(parts: Sequence[Formula], world: World, places: Mapping[str, Places], codes: Codes) -> Codes:
    """The least of `codes` and the parts' verdicts, each part asked only where the verdict is not settled yet."""
    for part in parts:
        still_open = np.flatnonzero(codes > VIOLATED)
        found = _verdicts(part, world, {name: column[still_open] for name, column in places.items()}, len(still_open))
        codes[still_open] = np.minimum(codes[still_open], found)
    return codes


def _verdicts(formula: Formula, world: World, places: Mapping[str, Places], n: int) -> Codes:
    """Verdict codes, int8 (n,), that of `holds` for every binding; what quantifies or counts is left to `holds`."""
    from .holds import holds

    match formula:
        case Truth(value):
            return np.full(n, SATISFIED if value else VIOLATED, dtype=np.int8)
        case Not(body):
            return _opposite(_verdicts(body, world, places, n))
        case And(parts):
            return _all_of(parts, world, places, np.full(n, SATISFIED, dtype=np.int8))
        case Or(parts):
            return _opposite(_verdicts(And(tuple(map(Not, parts))), world, places, n))
        case Implies(left, right):
            return _verdicts(Or((Not(left), right)), world, places, n)
        case Iff(left, right):
            return _verdicts(And((Implies(left, right), Implies(right, left))), world, places, n)
        case Apply():
            return _atom(formula, world, places, n)
        case Compare() if not aggregates(formula):
            return _atom(formula, world, places, n)
        case _:
            bound = {name: [world.entities[place] for place in column.tolist()] for name, column in places.items()}
            envs = ({name: ids[k] for name, ids in bound.items()} for k in range(n))
            return np.fromiter((holds(formula, world, env) for env in envs), dtype=np.int8, count=n)


def _atom(atom: Apply | Compare, world: World, places: Mapping[str, Places], n: int) -> Codes:
    rows = {name: world.rows[column] for name, column in places.items()}
    image = np.full(n, world.scene.index, dtype=np.int64)
    return world.facts.truth(atom, rows, image)


def _opposite(codes: Codes) -> Codes:
    return (SATISFIED - codes).astype(np.int8)


def _chains(n: int, one: Places, other: Places) -> Places:
    """For each of n places the lowest place that chains of these pairs lead to; -1 for places in no pair."""
    parent = list(range(n))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in zip(one.tolist(), other.tolist(), strict=True):
        a, b = root(i), root(j)
        if a != b:
            parent[max(a, b)] = min(a, b)
    chains = np.array([root(i) for i in range(n)], dtype=np.int64)
    alone = np.ones(n, dtype=bool)
    alone[one] = alone[other] = False
    chains[alone] = -1
    return chains

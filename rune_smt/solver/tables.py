"""The truth of atoms over many tuples of one scene at once, each computed when it is first asked for.

Cores, repairs and nearest values ask the same atoms of the same scene again and again, with clauses relaxed, entities
left out or let in: the tables are made over all entities of the scene, whatever their score, and serve all of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import union_area
from ..grammar.nodes import Apply, Compare, Formula, rename
from .atoms import Codes, Facts, Rows
from .world import World, variables_of

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..grammar.vocabulary import Vocabulary

Places: TypeAlias = NDArray[np.intp]  # entities as places in the scene's list of all entities
Scope: TypeAlias = tuple[tuple[str, Places], ...]  # the variables around a subformula, and what each ranges over
Mask: TypeAlias = NDArray[np.bool_]

UNKNOWN = -1  # not computed yet
BATCH = 1 << 18  # tuples that geometry is asked for at once: keeps its own arrays small


class Tables:
    """Truth tables of a scene's atoms.

    rows    int64 (n,): the rows of all entities of the scene, by entity_id, those below min_score included
    Memory is one byte for each tuple of every atom that was asked about.
    """

    def __init__(self, scene: Scene, vocabulary: Vocabulary, facts: Facts | None = None):
        self.scene = scene
        self.vocabulary = vocabulary
        self.facts = facts if facts is not None else Facts(scene.table, vocabulary)
        self.rows: Rows = np.asarray(scene.rows, dtype=np.int64)
        self.ids = scene.table.entity_id[self.rows]
        self._tables: dict[Formula, Codes] = {}
        self._entries: dict[int, tuple[Formula, Formula, tuple[str, ...], Codes]] = {}
        self._covers: dict[tuple[int, ...], float] = {}

    @classmethod
    def of(cls, world: World) -> Tables:
        """The tables of a world's scene, made once for each world."""
        if world not in _TABLES:
            _TABLES[world] = cls(world.scene, world.vocabulary, world.facts)
        return _TABLES[world]

    def share(self, world: World) -> None:
        """Lets another world of the same scene and vocabulary use these tables."""
        _TABLES[world] = self

    def places(self, world: World) -> Places:
        """The entities that exist in a world, ascending by id."""
        return np.flatnonzero(np.isin(self.rows, world.rows))

    def atom(self, atom: Apply | Compare, scope: Scope, need: Mask | None, world: World) -> Codes:
        """Verdict codes with one axis for each variable of the scope, of length 1 for those the atom does not speak of.

        need    where the truth matters, an array that broadcasts over the scope; elsewhere the code may be UNKNOWN
        """
        canon, names, table = self._entry(atom)
        at = {name: axis for axis, (name, _) in enumerate(scope)}
        axes = [at[name] for name in names]
        ranges = [scope[axis][1] for axis in axes]
        if isinstance(atom, Apply) and atom.name in self.vocabulary.links:
            alive = self.places(world)
            positions = [np.searchsorted(alive, scope[at[arg.name]][1]) for arg in atom.args]  # type: ignore[union-attr]
            codes = world.links(atom.name).codes(positions[0][:, None], positions[1][None, :])
            if len(names) == 1:
                codes = np.diagonal(codes)
            else:
                ranges = [scope[at[arg.name]][1] for arg in atom.args]  # type: ignore[union-attr]
                axes = [at[arg.name] for arg in atom.args]  # type: ignore[union-attr]
        else:
            codes = self._look_up(canon, table, ranges, _needed(need, axes, len(scope)))
        order = np.argsort(axes).tolist() if axes else []
        shape = [1] * len(scope)
        for axis in axes:
            shape[axis] = len(scope[axis][1])
        return codes.transpose(order).reshape(shape)

    def _entry(self, atom: Apply | Compare) -> tuple[Formula, tuple[str, ...], Codes]:
        known = self._entries.get(id(atom))
        if known is None:
            names = variables_of(atom)
            canon = rename(atom, {name: f"v{i}" for i, name in enumerate(names)})
            if canon not in self._tables:
                self._tables[canon] = np.full((len(self.rows),) * len(names), UNKNOWN, dtype=np.int8)
            known = self._entries[id(atom)] = (atom, canon, names, self._tables[canon])
        return known[1:]

    def _look_up(self, canon: Formula, table: Codes, ranges: Sequence[Places], need: Mask | None) -> Codes:
        assert isinstance(canon, Apply | Compare)
        whole = all(len(places) == len(self.rows) for places in ranges)
        codes = table if whole else table[np.ix_(*ranges)] if ranges else table
        unknown = codes < 0
        if need is not None:
            unknown &= need
        if not unknown.any():
            return codes
        places = [r[i] for r, i in zip(ranges, np.nonzero(unknown), strict=True)] if ranges else []
        count = len(places[0]) if places else 1
        for start in range(0, count, BATCH):
            part = [p[start : start + BATCH] for p in places]
            bound = {f"v{i}": self.rows[p] for i, p in enumerate(part)}
            images = np.full(len(part[0]) if part else 1, self.scene.index, dtype=np.int64)
            values = self.facts.truth(canon, bound, images)
            table[tuple(part)] = values if part else values[0]
        return table if whole else table[np.ix_(*ranges)] if ranges else table

    def cover(self, places: Places) -> float:
        """The area, px2, of the union of the outlines."""
        key = tuple(places.tolist())
        if key not in self._covers:
            self._covers[key] = float(union_area(self.scene.table, self.rows[places])) if key else 0.0
        return self._covers[key]


_TABLES: WeakKeyDictionary[World, Tables] = WeakKeyDictionary()


def _needed(need: Mask | None, axes: Sequence[int], dims: int) -> Mask | None:
    """A mask over the scope as one over the atom's own variables, in their order."""
    if need is None:
        return None
    others = tuple(axis for axis in range(dims) if axis not in axes)
    kept: Any = need.any(axis=others) if others else need
    remaining = sorted(axes)
    mask: Mask = kept.transpose([remaining.index(axis) for axis in axes])
    return mask

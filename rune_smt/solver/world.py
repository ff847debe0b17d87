"""One scene as a finite structure: which entities exist, and the truth of every ground atom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import union_area
from ..grammar.definitions import link_body
from ..grammar.nodes import And, Apply, Compare, Formula, Node, Not, Number, Or, Term, Variable, walk
from ..grammar.words import WORDS
from ..verdict import VERDICTS, VIOLATED, Verdict
from .atoms import Codes, Facts, Rows
from .numbers import METRIC, aggregates

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..grammar.vocabulary import Vocabulary
    from .links import Links

# Rings around outlines of masks: a column over all entities costs seconds where a few pairs are asked for.
DEAR = frozenset({"surrounded_by"})

Columns: TypeAlias = dict[tuple[int, ...], Codes]  # the other variables' entities -> codes over all entities
Places: TypeAlias = NDArray[np.intp]  # entities as places in `World.entities`

UNKNOWN = -1  # not computed yet


class World:
    """A scene under a vocabulary, at a least score: what `holds` and the Z3 engine reason about.

    entities  ids of the entities with score >= min_score (or those of the mask `exists` over the table's rows),
              ascending; the others do not exist
    Truths come from the geometry module and are remembered: for each atom and each choice of all arguments but one,
    the column over that one is computed at once; those of DEAR words one by one.
    """

    sifts = False

    def __init__(
        self,
        scene: Scene,
        vocabulary: Vocabulary,
        min_score: float = 0.5,
        *,
        facts: Facts | None = None,
        exists: NDArray[np.bool_] | None = None,
    ):
        self.scene = scene
        self.vocabulary = vocabulary
        self.min_score = min_score
        self.facts = facts if facts is not None else Facts(scene.table, vocabulary)
        rows = np.asarray(scene.rows, dtype=np.int64)
        self.rows: Rows = rows[scene.table.score[rows] >= min_score if exists is None else exists[rows]]
        self.entities: tuple[int, ...] = tuple(int(i) for i in scene.table.entity_id[self.rows])
        self._position = {entity: position for position, entity in enumerate(self.entities)}
        self._everything: Places = np.arange(len(self.rows))
        self._columns: dict[int, tuple[Node, tuple[str, ...], Columns]] = {}  # kept with the node: ids are used again
        self._sieved: dict[int, tuple[Node, list[tuple[Apply | Compare, bool]]]] = {}
        self._links: dict[str, Links] = {}

    def __len__(self) -> int:
        return len(self.entities)

    def label(self, entity: int) -> str:
        """The class of an entity."""
        table = self.scene.table
        return table.classes[int(table.label[self.row(entity)])]

    def row(self, entity: int) -> int:
        """The row of an entity in the table."""
        return int(self.rows[self._position[entity]])

    def rows_of(self, entities: Iterable[int]) -> Rows:
        """The rows of entities in the table."""
        return self.rows[[self._position[entity] for entity in entities]]

    def truth(self, atom: Apply | Compare, env: Mapping[str, int]) -> Verdict:
        """The truth of an atom without counts, each of its variables bound to an entity id."""
        if isinstance(atom, Apply) and atom.name in self.vocabulary.links:
            x, y = (self._position[env[arg.name]] for arg in atom.args if isinstance(arg, Variable))
            return self.links(atom.name).verdict(x, y)
        names, columns = self._columns_of(atom, env)
        if not names:
            return Verdict(int(self.facts_of(atom).truth(atom, {}, np.array([self.scene.index]))[0]))
        fixed = tuple([env[name] for name in names[1:]])
        place = self._position[env[names[0]]]
        column = columns.get(fixed)
        code = UNKNOWN if column is None else column.item(place)
        if code == UNKNOWN:
            dear = isinstance(atom, Apply) and atom.name in DEAR
            asked = self._everything[place : place + 1] if dear else self._everything
            code = self._filled(atom, names, columns, fixed, asked).item(place)
        return VERDICTS[code]

    def facts_of(self, atom: Apply | Compare) -> Facts:
        """What judges an atom."""
        return self.facts

    def _columns_of(self, atom: Apply | Compare, env: Iterable[str]) -> tuple[tuple[str, ...], Columns]:
        known = self._columns.get(id(atom))
        if known is None:
            innermost = list(env)[::-1]  # columns go over the variable that changes first
            names = tuple(sorted(variables_of(atom), key=innermost.index))
            known = self._columns[id(atom)] = (atom, names, {})
        return known[1:]

    def _filled(
        self, atom: Apply | Compare, names: tuple[str, ...], columns: Columns, fixed: tuple[int, ...], places: Places
    ) -> Codes:
        """The column over the first variable for one choice of the others, known at these places at least."""
        column = columns.get(fixed)
        if column is None:
            column = columns[fixed] = np.full(len(self.rows), UNKNOWN, dtype=np.int8)
        unknown = places[column[places] == UNKNOWN]
        if len(unknown):
            bound = {name: np.full(len(unknown), self.row(e)) for name, e in zip(names[1:], fixed, strict=True)}
            bound[names[0]] = self.rows[unknown]
            images = np.full(len(unknown), self.scene.index)
            column[unknown] = self.facts_of(atom).truth(atom, bound, images)
        return column

    # --- what quantifiers range over ----------------------------------------------------------------------------------

    def range(self, var: str, body: Formula, void: Verdict, env: Mapping[str, int]) -> Sequence[int]:
        """The entities that a quantifier or count tries, ascending: all of them.

        In a sifting world those are left out for which one part of the body is seen at once to make its verdict `void`:
        violated below exists and count, satisfied below forall, where it adds nothing.
        """
        if not self.sifts:
            return self.entities
        left = self._everything
        for atom, negated in self._sieves(var, body, void):
            codes = self.column(atom, var, env, left) if len(left) else None
            if codes is not None:
                left = left[codes[left] != (2 - void if negated else void)]
        return self.entities if len(left) == len(self.entities) else [self.entities[i] for i in left.tolist()]

    def column(
        self, atom: Apply | Compare, var: str, env: Mapping[str, int], places: Places | None = None
    ) -> Codes | None:
        """The codes of an atom over all entities in the place of `var`, int8 (n,), the other variables bound by `env`.

        places  where in `entities` the codes are asked for; elsewhere they may be UNKNOWN
        None where it has to be asked entity by entity
        """
        if var not in variables_of(atom) or (isinstance(atom, Apply) and atom.name in self.vocabulary.links):
            return None
        names, columns = self._columns_of(atom, (*env, var))
        if names[0] != var:
            return None
        fixed = tuple([env[name] for name in names[1:]])
        return self._filled(atom, names, columns, fixed, self._everything if places is None else places)

    def sifting(self) -> World:
        """The same world, what it remembers included, with ranges in which `holds` has less to try."""
        other = copy(self)
        other.sifts = True
        return other

    def _sieves(self, var: str, body: Formula, void: Verdict) -> list[tuple[Apply | Compare, bool]]:
        """The literals over `var` that make the body's verdict void where theirs is; fewer variables first."""
        known = self._sieved.get(id(body))
        if known is None:
            joined = And if void == VIOLATED else Or
            literals = [
                (part.body, True) if isinstance(part, Not) else (part, False)
                for part in (body.parts if isinstance(body, joined) else (body,))
            ]
            found = [
                (len(variables_of(atom)), at, (atom, negated))
                for at, (atom, negated) in enumerate(literals)
                if isinstance(atom, Apply | Compare)
                and not aggregates(atom)
            ]
            known = self._sieved[id(body)] = (body, [sieve for _, _, sieve in sorted(found, key=lambda each: each[:2])])
        return known[1]

    # --- covers -------------------------------------------------------------------------------------------------------

    def cover(self, entities: Iterable[int]) -> float:
        """The area, px2, of the union of the outlines."""
        rows = self.rows_of(entities)
        return union_area(self.scene.table, rows) if len(rows) else 0.0

    def area_limit(self, term: Term) -> float | None:
        """A number beside a cover, in px2 (a factor stays as it is); None where gsd or image size is missing."""
        assert isinstance(term, Number)
        if term.unit == "%":
            width, height = self.scene.width, self.scene.height
            return None if width is None or height is None else float(term.value) * (width * height) / 100.0
        if term.unit in METRIC:
            factor, _ = METRIC[term.unit]
            gsd = self.scene.gsd
            return None if gsd is None else float(term.value * factor) / (gsd * gsd)
        return float(term.value)

    # --- links --------------------------------------------------------------------------------------------------------

    def links(self, name: str) -> Links:
        """What chains of the link connect, found once."""
        from .links import links_of

        if name not in self._links:
            self._links[name] = links_of(self, name)
        return self._links[name]

    # --- what is missing ----------------------------------------------------------------------------------------------

    def missing(self, formula: Formula) -> list[str]:
        """What the query asks for and the scene lacks: gsd, image size, transform, or names of attributes; sorted."""
        asked = needs(formula, self.vocabulary)
        scene, table = self.scene, self.scene.table
        missing = set()
        if "gsd" in asked and scene.gsd is None:
            missing.add("gsd")
        if "image size" in asked and (scene.width is None or scene.height is None):
            missing.add("image size")
        if "transform" in asked and scene.transform is None:
            missing.add("transform")
        if "angle" in asked and bool(np.isnan(table.angle[self.rows]).any()):
            missing.add("angle")
        for name in asked.intersection(self.vocabulary.attributes):
            column = table.attributes.get(name)
            if len(self.rows) and (column is None or bool(np.isnan(column.values[self.rows]).any())):
                missing.add(name)
        return sorted(missing)


def needs(formula: Formula, vocabulary: Vocabulary) -> frozenset[str]:
    """What a scene has to know for `formula` to be decided: gsd, image size, transform, angle, names of attributes."""
    found: set[str] = set()
    for node in walk(formula):
        match node:
            case Number(_, "%"):
                found.add("image size")
            case Number(_, unit) if unit in METRIC:
                found.add("gsd")
            case Apply(name) if name in WORDS:
                need = WORDS[name].needs
                found.update(() if need in ("", "direction") else (need,))
                if name == "angle":
                    found.add("angle")
                if name in ("near", "aligned", "clustered") and _near_in_metres(vocabulary):
                    found.add("gsd")
            case Apply(name) if name in vocabulary.attributes:
                found.add(name)
            case Apply(name) if name in vocabulary.links:
                found |= needs(link_body(name, vocabulary), vocabulary)
            case _:
                pass
    return frozenset(found)


def _near_in_metres(vocabulary: Vocabulary) -> bool:
    return any(limit.unit == "m" for limit in (vocabulary.near.default, *vocabulary.near.pairs.values()))


def variables_of(atom: Apply | Compare) -> tuple[str, ...]:
    """The variables of an atom, each once, in the order in which they stand."""
    return tuple(dict.fromkeys(node.name for node in walk(atom) if isinstance(node, Variable)))

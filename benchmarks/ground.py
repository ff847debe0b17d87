"""Images as plain facts for solvers that know no geometry: which entities, of which class, and what is true of them.

Relations and distances are computed before the clock starts; a solver gets the tuples of which each atom is true.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rune_smt.entities.relations import OPEN, SATISFIED, by_boxes
from rune_smt.grammar.nodes import (
    Apply,
    Compare,
    Count,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Variable,
    free_variables,
    walk,
)
from rune_smt.solver.atoms import Facts
from rune_smt.solver.decompose import domain
from rune_smt.solver.numbers import counts_in

CHUNK = 1 << 20


def is_class(node: Any, vocabulary: Any) -> bool:
    """Whether a node is an atom of a class."""
    return isinstance(node, Apply) and node.name in vocabulary.classes


def is_equality(node: Any) -> bool:
    """Whether a node compares two variables."""
    return isinstance(node, Compare) and isinstance(node.left, Variable) and isinstance(node.right, Variable)


def is_relation(node: Any, vocabulary: Any) -> bool:
    """Whether a node is an atom that geometry decides."""
    if isinstance(node, Compare):
        return not is_equality(node) and not counts_in(node)
    return isinstance(node, Apply) and not is_class(node, vocabulary) and node.name not in ("same_class", "distance")


@dataclass
class Ground:
    """Some images of a table as facts.

    entities  image -> rows of the entities that some variable may be
    label     row -> name of the class
    true      atom -> image -> the tuples of rows, by its variables in order of name, of which it is true
    """

    formula: Formula
    vocabulary: Any
    entities: dict[int, list[int]] = field(default_factory=dict)
    label: dict[int, str] = field(default_factory=dict)
    true: dict[Formula, dict[int, list[tuple[int, ...]]]] = field(default_factory=dict)

    def names(self, atom: Formula) -> list[str]:
        """The variables of an atom, in the order of its tuples."""
        return sorted(free_variables(atom))


def ground(formula: Formula, table: Any, vocabulary: Any, images: Any, min_score: float = 0.5) -> Ground:
    """Facts about the images that a formula, its bound names all different, needs to be decided."""
    result, facts = Ground(formula, vocabulary), Facts(table, vocabulary)
    binders = [node for node in walk(formula) if isinstance(node, Exists | ForAll | ExistsCount | Count)]
    admitted = {node.var: set(domain(node, table.classes, vocabulary)) for node in binders}
    everywhere = set().union(*admitted.values())
    rows = {}
    for image in map(int, images):
        mine = np.arange(table.offsets[image, 0], table.offsets[image, -1])
        mine = mine[table.score[mine] >= min_score]
        names = np.array(table.classes)[table.label[mine]] if len(mine) else np.zeros(0, str)
        keep = np.isin(names, list(everywhere))
        rows[image] = (mine[keep], names[keep])
        result.entities[image] = mine[keep].tolist()
        result.label.update(zip(mine[keep].tolist(), names[keep].tolist(), strict=True))
    for atom in {node for node in walk(formula) if is_relation(node, vocabulary)}:
        found = result.true[atom] = {}
        for image, (mine, names) in rows.items():
            columns = [mine[np.isin(names, list(admitted[var]))] for var in result.names(atom)]
            found[image] = _true_tuples(atom, result.names(atom), columns, facts, image)
    return result


def _true_tuples(atom: Any, names: list[str], columns: list[Any], facts: Facts, image: int) -> list[tuple[int, ...]]:
    """The tuples of a product of rows of which an atom is true, a part of the product at a time."""
    found: list[tuple[int, ...]] = []
    first, *others = columns
    width = int(np.prod([len(column) for column in others]))
    step = max(1, CHUNK // max(1, width))
    for start in range(0, len(first), step):
        grid = np.meshgrid(first[start : start + step], *others, indexing="ij")
        tuples = [axis.ravel() for axis in grid]
        if isinstance(atom, Apply):
            order = [names.index(arg.name) for arg in atom.args]  # type: ignore[union-attr]
            told = by_boxes(atom.name, facts.table, tuple(tuples[i] for i in order), facts.parameters)
        else:
            told = np.full(len(tuples[0]), OPEN)
        unknown = np.flatnonzero(told == OPEN)
        if len(unknown):
            bound = {name: column[unknown] for name, column in zip(names, tuples, strict=True)}
            told[unknown] = facts.truth(atom, bound, np.full(len(unknown), image))
        keep = np.flatnonzero(told == SATISFIED)
        found += zip(*(column[keep].tolist() for column in tuples), strict=True)
    return found

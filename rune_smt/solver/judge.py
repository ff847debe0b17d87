"""`holds` asked about large scenes: the last word on every core, repair and nearest value."""

from __future__ import annotations

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
    Node,
    Not,
    Or,
    children,
    free_variables,
    map_formulas,
)
from ..verdict import Verdict
from .holds import holds
from .numbers import aggregates
from .passes.fold_constants import fold_constants
from .passes.miniscope import miniscope
from .world import World

LARGE = 300  # bindings that brute force may have to try: half a millisecond


def judged(formula: Formula, world: World) -> Verdict:
    """What `holds` says of a closed formula without definitions.

    Where brute force may have to try many bindings, the formula is first put into an order in which it gets through
    sooner: constants folded, quantifiers as far inside as they go, cheap parts before others. This keeps all three
    verdicts (a law of the passes; `&` and `|` are a minimum and a maximum), and `holds` stops at the first part that
    settles a body. Entities that a class or a relation rules out at once are not tried (`World.range`).
    """
    if len(world.entities) ** nesting(formula) <= LARGE:
        return holds(formula, world)
    return holds(cheap_first(miniscope(fold_constants(formula))), world.sifting())


def cheap_first(formula: Formula) -> Formula:
    """a & b -> b & a;   a | b -> b | a        where b is an atom of fewer variables, or an atom and a is none"""
    inner = map_formulas(cheap_first, formula) if not _is_atom(formula) else formula
    match inner:
        case And(parts):
            return And(tuple(sorted(parts, key=_cost)), inner.span)
        case Or(parts):
            return Or(tuple(sorted(parts, key=_cost)), inner.span)
        case _:
            return inner


def _cost(part: Formula) -> tuple[int, int]:
    """Atoms by their variables, then what holds atoms, then what binds variables by how deep it nests."""
    atom = part.body if isinstance(part, Not) else part
    if _is_atom(atom):
        return 0, len(free_variables(atom))
    return 1 + nesting(part), 0


def _is_atom(node: Formula) -> bool:
    return isinstance(node, Apply) or (isinstance(node, Compare) and not aggregates(node))


def nesting(node: Node) -> int:
    """How many quantifiers, counts and covers stand inside each other."""
    inner = max((nesting(child) for child in children(node)), default=0)
    return inner + isinstance(node, Exists | ForAll | ExistsCount | Count | Cover)

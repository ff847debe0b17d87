"""`holds` asked about large scenes: the last word on every core, repair and nearest value."""

from __future__ import annotations

from math import prod

from ..grammar.nodes import Count, Cover, Exists, ExistsCount, ForAll, Formula, Node, children
from ..verdict import Verdict
from .holds import holds
from .passes.miniscope import miniscope
from .world import World

LARGE = 50_000  # bindings that brute force may have to try; about a tenth of a second


def judged(formula: Formula, world: World) -> Verdict:
    """What `holds` says of a closed formula without definitions.

    Where brute force may have to try many bindings, quantifiers are first moved inwards as far as they go. This keeps
    all three verdicts (a law of the passes), and `holds` then stops at the first part of a body that settles it.
    """
    if prod([len(world.entities)] * _nesting(formula)) <= LARGE:
        return holds(formula, world)
    return holds(miniscope(formula), world)


def _nesting(node: Node) -> int:
    """How many quantifiers and counts stand inside each other."""
    inner = max((_nesting(child) for child in children(node)), default=0)
    return inner + isinstance(node, Exists | ForAll | ExistsCount | Count | Cover)

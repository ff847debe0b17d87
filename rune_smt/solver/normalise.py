"""The pipeline that every engine's formula goes through: a tuple of passes, to be read from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..grammar.nodes import Formula
from .passes.eliminate_implications import eliminate_implications
from .passes.fold_constants import fold_constants
from .passes.miniscope import miniscope
from .passes.push_negations_inward import push_negations_inward
from .passes.simplify_quantifiers import simplify_quantifiers

Pass: TypeAlias = Callable[[Formula], Formula]

NORMALISE: tuple[Pass, ...] = (
    eliminate_implications,  # afterwards: no ->
    push_negations_inward,   # afterwards: ~ only in front of applications and exists=N
    simplify_quantifiers,    # afterwards: counting quantifiers only where the plain ones do not do
    fold_constants,          # afterwards: true and false only where they are needed
    miniscope,               # afterwards: no quantifier over a part that does not speak of its variable
    push_negations_inward,   # miniscope may have put ~ in front of what it took out of exists<=N
)  # fmt: skip


def normalise(formula: Formula, passes: Sequence[Pass] = NORMALISE) -> Formula:
    """The formula after every pass. Each pass keeps all three verdicts in every scene (a law of the tests)."""
    for rewrite in passes:
        formula = rewrite(formula)
    return formula


def stages(formula: Formula, passes: Sequence[Pass] = NORMALISE) -> list[tuple[str, Formula]]:
    """The formula after each pass, with the pass's name; what `check --passes` prints."""
    shown = []
    for rewrite in passes:
        formula = rewrite(formula)
        shown.append((rewrite.__name__, formula))
    return shown

"""How far a verdict depends on the least score: the interval of min_score over which it stands."""

from __future__ import annotations

import numpy as np

from ..grammar.nodes import Formula
from ..verdict import Verdict
from .clauses import clause_form
from .evaluate import verdict as verdict_of
from .repairs import with_rows
from .tables import Tables
from .world import World


def stability(formula: Formula, world: World, verdict: Verdict) -> tuple[float, float]:
    """Low and high: the verdict is the same at every min_score with low < min_score <= high.

    formula   closed, definitions expanded; `verdict` its verdict in `world`
    The scene changes only at scores that occur, so these are tried outwards from the present one. Low is 0 where the
    verdict stands however low min_score is, high is 1 where it stands up to the last.
    raises LimitError where the expansion is too large
    """
    form = clause_form(formula, halves=False)
    rows = Tables.of(world).rows
    scores = world.scene.table.score[rows]
    steps = np.unique(scores)  # at a min_score of steps[i] or just below, the entities with at least that score exist

    def stands(least: float) -> bool:
        return verdict_of(form, with_rows(world, rows[scores >= least])) == verdict

    low, high = 0.0, 1.0
    for step in steps[steps < world.min_score][::-1].tolist():
        if not stands(step):
            low = step
            break
    above = steps[steps >= world.min_score].tolist()
    for i, step in enumerate(above):
        following = above[i + 1] if i + 1 < len(above) else np.inf  # beyond the last score nothing exists
        if step < 1.0 and not stands(following):
            high = step
            break
    return low, high

"""Uncertain detections: probabilities are those of all worlds, degrees the measure of thresholds, in every engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities.scene import Scene
from rune_smt.grammar.nodes import Not
from rune_smt.solver.degrees import wilson
from rune_smt.solver.graded import grades, grades_by
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.probability import by_enumeration, probabilities, probability, worlds
from rune_smt.solver.z3_engine import decide
from rune_smt.verdict import SATISFIED, UNDECIDED
from tests.laws import VOCABULARY, joined, law_scenes, queries


@settings(max_examples=250)
@given(formula=queries(), scene=law_scenes())
def test_a_probability_is_the_sum_over_all_worlds(formula, scene):
    below, above = 0.0, 0.0
    for chance, world in worlds(scene, VOCABULARY):
        verdict = holds(formula, world)
        below += chance * (verdict == SATISFIED)
        above += chance * (verdict >= UNDECIDED)
    found = probability(normalise(formula), scene, VOCABULARY)
    assert found[0] == pytest.approx(below, abs=1e-12)
    assert found[1] == pytest.approx(above, abs=1e-12)
    assert found[2] is None
    assert (found[0] > 0) == (below > 0)
    assert (found[1] > 0) == (above > 0)

"""Every pass keeps all three verdicts, settles, and leaves what it promises."""

import pytest
from hypothesis import given, settings

from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import NORMALISE, normalise
from rune_smt.solver.passes.eliminate_implications import is_without_implications
from rune_smt.solver.passes.fold_constants import is_folded
from rune_smt.solver.passes.miniscope import is_miniscoped
from rune_smt.solver.passes.push_negations_inward import is_negation_normal
from rune_smt.solver.passes.simplify_quantifiers import has_simple_quantifiers
from rune_smt.solver.world import World
from tests.laws import VOCABULARY, law_scenes, queries

PASSES = list(dict.fromkeys(NORMALISE))
PROMISES = {
    "eliminate_implications": is_without_implications,
    "push_negations_inward": is_negation_normal,
    "simplify_quantifiers": has_simple_quantifiers,
    "fold_constants": is_folded,
    "miniscope": is_miniscoped,
}


@pytest.mark.parametrize("rewrite", PASSES, ids=lambda p: p.__name__)
@settings(max_examples=150)
@given(formula=queries(), scene=law_scenes())
def test_a_pass_keeps_the_verdict(rewrite, formula, scene):
    world = World(scene, VOCABULARY)
    assert holds(rewrite(formula), world) == holds(formula, world)


@settings(max_examples=200)
@given(formula=queries(), scene=law_scenes())
def test_all_passes_together_keep_the_verdict(formula, scene):
    world = World(scene, VOCABULARY)
    assert holds(normalise(formula), world) == holds(formula, world)


@settings(max_examples=200)
@given(formula=queries())
def test_each_pass_leaves_what_it_promises(formula):
    for rewrite in NORMALISE:
        formula = rewrite(formula)
        assert PROMISES[rewrite.__name__](formula), rewrite.__name__


@pytest.mark.parametrize("rewrite", PASSES, ids=lambda p: p.__name__)
@settings(max_examples=100)
@given(formula=queries())
def test_a_pass_settles(rewrite, formula):
    once = rewrite(formula)
    assert rewrite(once) == once

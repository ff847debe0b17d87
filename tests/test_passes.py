"""Every pass keeps all three verdicts, settles, and leaves what it promises."""

import pytest
from hypothesis import given, settings

from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.nodes import And, Not, Or, Truth, Variable, walk
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import NORMALISE, normalise, stages
from rune_smt.solver.passes.eliminate_implications import is_without_implications
from rune_smt.solver.passes.fold_constants import is_folded
from rune_smt.solver.passes.miniscope import is_miniscoped, miniscope
from rune_smt.solver.passes.push_negations_inward import is_negation_normal, push_negations_inward
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


@pytest.mark.parametrize("rewrite", PASSES, ids=lambda p: p.__name__)
@settings(max_examples=40)
@given(formula=queries())
def test_a_pass_keeps_where_in_the_query_it_was_said(rewrite, formula):
    """Only what a rule makes of several parts stands nowhere: an `&` or `|`, the `~` of one, a constant for none."""
    query = expand_definitions(read(canonical(formula)), VOCABULARY)
    assert all(node.span is not None for node in walk(query) if hasattr(node, "span"))
    assert all(isinstance(node, Truth) for node in unplaced(rewrite, rewrite(query)))


def unplaced(rewrite, formula):
    """Parts that ought to stand somewhere in the query and do not."""
    made = And | Or | Not | Truth if rewrite is miniscope else And | Or
    nowhere = [node for node in walk(formula) if getattr(node, "span", ()) is None and not isinstance(node, made)]
    return [node for node in nowhere if not (isinstance(node, Not) and node.body.span is None)]


# --- the rules, one by one --------------------------------------------------------------------------------------------

A, B, CLOSED = "ship(x)", "near(x, x)", "exists y (harbor(y))"
RULES = [
    ("eliminate_implications", f"exists x ({A} -> {B})", f"exists x (~{A} | {B})"),
    ("eliminate_implications", f"exists x ({A} <-> ({B} -> {A}))", f"exists x ({A} <-> (~{B} | {A}))"),
    ("push_negations_inward", "~true", "false"),
    ("push_negations_inward", "~false", "true"),
    ("push_negations_inward", f"exists x (~~{A})", f"exists x ({A})"),
    ("push_negations_inward", f"exists x (~({A} & ~{B}))", f"exists x (~{A} | {B})"),
    ("push_negations_inward", f"exists x (~({A} | ~{B}))", f"exists x (~{A} & {B})"),
    ("push_negations_inward", f"exists x (~(~~{A} -> {B}))", f"exists x ({A} & ~{B})"),
    ("push_negations_inward", f"exists x (~({A} <-> ~~{B}))", f"exists x (~{A} <-> {B})"),
    ("push_negations_inward", f"~(exists x ({A}))", f"forall x (~{A})"),
    ("push_negations_inward", f"~(forall x ({A}))", f"exists x (~{A})"),
    ("push_negations_inward", f"~(exists>=0 x ({A}))", "false"),
    ("push_negations_inward", f"~(exists>=1 x (~~{A}))", f"exists<=0 x ({A})"),
    ("push_negations_inward", f"~(exists>=3 x (~~{A}))", f"exists<=2 x ({A})"),
    ("push_negations_inward", f"~(exists<=2 x (~~{A}))", f"exists>=3 x ({A})"),
    ("push_negations_inward", f"~(exists=2 x (~~{A}))", f"~(exists=2 x ({A}))"),
    ("push_negations_inward", f"~(count x (~~{A}) = 2)", f"count x ({A}) != 2"),
    ("push_negations_inward", "exists x (~(area(x) != 2 px2))", "exists x (area(x) = 2 px2)"),
    ("push_negations_inward", "exists x (~(area(x) < 2 px2))", "exists x (area(x) >= 2 px2)"),
    ("push_negations_inward", "exists x (~(area(x) >= 2 px2))", "exists x (area(x) < 2 px2)"),
    ("push_negations_inward", "exists x (~(area(x) > 2 px2))", "exists x (area(x) <= 2 px2)"),
    ("push_negations_inward", "exists x (~(area(x) <= 2 px2))", "exists x (area(x) > 2 px2)"),
    ("simplify_quantifiers", f"exists>=0 x ({A})", "true"),
    ("simplify_quantifiers", f"exists>=1 x ({A})", f"exists x ({A})"),
    ("simplify_quantifiers", f"exists>=2 x ({A})", f"exists>=2 x ({A})"),
    ("simplify_quantifiers", f"exists<=0 x ({A})", f"forall x (~{A})"),
    ("simplify_quantifiers", f"exists<=1 x ({A})", f"exists<=1 x ({A})"),
    ("simplify_quantifiers", f"exists=0 x (~{A})", f"forall x ({A})"),
    ("simplify_quantifiers", f"exists=1 x (exists>=1 y ({A}))", f"exists=1 x (exists y ({A}))"),
    ("fold_constants", "~false", "true"),
    ("fold_constants", f"exists x ({A} & true & {B})", f"exists x ({A} & {B})"),
    ("fold_constants", f"exists x ({A} & false)", "false"),
    ("fold_constants", f"exists x ({A} | false | {B})", f"exists x ({A} | {B})"),
    ("fold_constants", f"forall x ({A} | true)", "true"),
    ("fold_constants", f"exists x (true -> {A})", f"exists x ({A})"),
    ("fold_constants", f"forall x (false -> {A})", "true"),
    ("fold_constants", f"forall x ({A} -> true)", "true"),
    ("fold_constants", f"exists x ({A} -> false)", f"exists x (~{A})"),
    ("fold_constants", f"exists x ({A} <-> true)", f"exists x ({A})"),
    ("fold_constants", f"exists x (false <-> {A})", f"exists x (~{A})"),
    ("fold_constants", f"forall x ({A} & false)", "forall x (false)"),
    ("fold_constants", f"exists x ({A} | true)", "exists x (true)"),
    ("fold_constants", f"exists x (false -> {A})", "exists x (true)"),
    ("fold_constants", f"exists x ({A} -> true)", "exists x (true)"),
    ("fold_constants", "exists x (true)", "exists x (true)"),
    ("fold_constants", "forall x (false)", "forall x (false)"),
    ("fold_constants", "exists>=1 x (false)", "false"),
    ("fold_constants", "exists>=0 x (false)", "true"),
    ("fold_constants", "exists<=1 x (false)", "true"),
    ("fold_constants", "exists=0 x (false)", "true"),
    ("fold_constants", "exists=1 x (false)", "false"),
    ("fold_constants", "exists<=1 x (true)", "exists<=1 x (true)"),
    ("miniscope", f"exists x ({CLOSED} & {A})", f"{CLOSED} & exists x ({A})"),
    ("miniscope", f"forall x ({CLOSED} | {A})", f"{CLOSED} | forall x ({A})"),
    ("miniscope", f"exists x ({A} | {B})", f"exists x ({A}) | exists x ({B})"),
    ("miniscope", f"forall x ({A} & {B})", f"forall x ({A}) & forall x ({B})"),
    ("miniscope", f"exists x ({CLOSED} | {A})", f"{CLOSED} & exists x (true) | exists x ({A})"),
    ("miniscope", f"forall x ({CLOSED} & {A})", f"({CLOSED} | forall x (false)) & forall x ({A})"),
    ("miniscope", f"exists x (({A} | {B}) & {CLOSED})", f"{CLOSED} & (exists x ({A}) | exists x ({B}))"),
    ("miniscope", f"forall x (({A} & {B}) | {CLOSED})", f"{CLOSED} | forall x ({A}) & forall x ({B})"),
    ("miniscope", f"exists>=1 x ({CLOSED} & {A})", f"{CLOSED} & exists>=1 x ({A})"),
    ("miniscope", f"exists>=0 x ({CLOSED} & {A})", f"exists>=0 x ({CLOSED} & {A})"),
    ("miniscope", f"exists<=2 x ({CLOSED} & {A})", f"~({CLOSED}) | exists<=2 x ({A})"),
    ("miniscope", f"exists=2 x ({CLOSED} & {A})", f"exists=2 x ({CLOSED} & {A})"),
    ("miniscope", f"exists>=2 x ({A} | {B})", f"exists>=2 x ({A} | {B})"),
    ("miniscope", f"exists z (exists x ({A} & harbor(z)))", f"exists x ({A}) & exists z (harbor(z))"),
    ("miniscope", f"exists x ({A} & {B})", f"exists x ({A} & {B})"),
]


@pytest.mark.parametrize(("name", "before", "after"), RULES)
def test_a_pass_follows_its_rules(name, before, after):
    (rewrite,) = [p for p in PASSES if p.__name__ == name]
    rewritten = rewrite(read(before))
    assert rewritten == read(after)
    assert PROMISES[name](rewritten)
    if read(before) != read(after):
        assert not PROMISES[name](read(before))
    assert not unplaced(rewrite, rewritten)


def test_stages_are_the_passes_one_after_the_other():
    formula = read("~(exists>=1 x (ship(x) -> false))")
    shown = [(name, canonical(after)) for name, after in stages(formula)]
    assert shown == [
        ("eliminate_implications", "~(exists>=1 x1 (~ship(x1) | false))"),
        ("push_negations_inward", "exists<=0 x1 (~ship(x1) | false)"),
        ("simplify_quantifiers", "forall x1 (ship(x1) & true)"),
        ("fold_constants", "forall x1 (ship(x1))"),
        ("miniscope", "forall x1 (ship(x1))"),
        ("push_negations_inward", "forall x1 (ship(x1))"),
    ]
    assert stages(formula)[-1][1] == normalise(formula)


def test_what_is_no_formula_is_refused():
    with pytest.raises(TypeError, match=r"^not a formula: Variable$"):
        push_negations_inward(Not(Variable("x")))

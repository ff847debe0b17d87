"""Laws of repairs: each does what it says, none smaller or closer does, and none is missed."""

from itertools import combinations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.solver.clauses import clause_form, relax
from rune_smt.solver.holds import holds
from rune_smt.solver.nearest import nearest
from rune_smt.solver.repairs import admissible, drops, numbers, removable, repairs
from rune_smt.solver.world import World
from rune_smt.testing.formulas import formulas
from rune_smt.testing.scenes import scenes
from rune_smt.verdict import SATISFIED
from tests.solver_cases import CLASSES, VOCABULARY, counting, world_of

queries = st.one_of(formulas(VOCABULARY, classes=CLASSES, max_depth=3, definitions=True), counting(depth=2))
nearby = formulas(VOCABULARY, classes=CLASSES, words=("near",), max_depth=4, numbers=False)
counts = st.one_of(nearby, counting(depth=2))
places = scenes(classes=CLASSES, max_entities=4)


def missed(formula, scene):
    """The expanded query and its world, where it is not satisfied."""
    world = World(scene, VOCABULARY)
    formula = expand_definitions(formula, VOCABULARY)
    assume(holds(formula, world) != SATISFIED)
    return formula, world


def existing(world, entities):
    exists = np.isin(world.scene.table.entity_id, sorted(entities))
    return World(world.scene, VOCABULARY, world.min_score, exists=exists)


@given(formula=queries, scene=places)
@settings(max_examples=150)
def test_drops_are_the_minimal_sets_whose_relaxing_satisfies(formula, scene):
    formula, world = missed(formula, scene)
    form = clause_form(formula)
    assume(holds(form.formula, world) != SATISFIED and len(form.clauses) <= 6)
    every = sorted(form.every)
    sets = [frozenset(s) for size in range(len(every) + 1) for s in combinations(every, size)]
    good = [dropped for dropped in sets if holds(relax(form, form.every - dropped), world) == SATISFIED]
    assert set(drops(form, world)) == {dropped for dropped in good if not any(less < dropped for less in good)}


@given(formula=queries, scene=places)
@settings(max_examples=120)
def test_removable_entities_equal_brute_force(formula, scene):
    formula, world = missed(formula, scene)
    every = set(world.entities)
    expected = tuple(e for e in sorted(every) if holds(formula, existing(world, every - {e})) == SATISFIED)
    assert removable(formula, world, time_limit_s=60) == (expected, True)


@given(formula=queries, scene=places)
@settings(max_examples=120)
def test_the_entity_let_in_is_the_highest_scored_that_does(formula, scene):
    formula, world = missed(formula, scene)
    table = scene.table
    below = [int(e) for e, s in zip(table.entity_id, table.score, strict=True) if s < 0.5]
    scores = dict(zip(table.entity_id.tolist(), table.score.tolist(), strict=True))
    good = [e for e in below if holds(formula, existing(world, {*world.entities, e})) == SATISFIED]
    expected = min(good, key=lambda e: (-scores[e], e), default=None)
    assert admissible(formula, world, time_limit_s=60) == (expected, True)


@given(formula=counts, scene=scenes(classes=CLASSES, max_entities=5, missing=False))
@settings(max_examples=120)
def test_the_new_number_is_the_closest_that_does(formula, scene):
    formula, world = missed(formula, scene)
    for new in numbers(formula, world):
        assert holds(new.formula, world) == SATISFIED
        closer = [n for n in range(int(new.old) * 2 + len(world) + 3) if abs(n - new.old) < abs(new.new - new.old)]
        before, after = canonical(formula), canonical(new.formula)
        assert before != after
        for n in closer:
            assert holds(replaced(formula, new.site, n), world) != SATISFIED


def replaced(formula, site, n):
    """The formula with another number at one site, found by identity."""
    from rune_smt.solver.repairs import _counts, _number_of

    for found, _, put in _counts(formula, (), lambda changed: changed):
        if found is site:
            return put(_number_of(found)[2](n))
    raise AssertionError("the site is not in the formula")


def test_a_number_is_found_wherever_one_does():
    world = world_of([("ship", 20 * i, 0, 9, 3) for i in range(5)])
    for query, new in [
        ("exists>=8 x (ship(x))", 5),
        ("exists<=3 x (ship(x))", 5),
        ("exists=7 x (ship(x))", 5),
        ("~(exists>=4 x (ship(x)))", 6),
        ("count x (ship(x)) > 6", 4),
        ("9 <= count x (ship(x))", 5),
        ("exists x (ship(x) & exists>=3 y (y != x & near(x, y)))", 0),
    ]:
        assert [each.new for each in numbers(read(query), world)] == [new]
    assert numbers(read("exists>=2 x (plane(x)) & exists x (harbor(x))"), world) == ()


def test_all_five_kinds():
    entities = [("ship", 0, 0, 20, 6), ("harbor", 60, 0, 30, 30), ("ship", 85, 35, 20, 6, 0.4)]
    world = world_of(entities, gsd=0.5)
    query = read("exists>=1 x (ship(x) & exists y (harbor(y) & near(x, y)))")
    form = clause_form(query)
    found = repairs(query, form, world, nearest(form, world))
    assert [(r.kind, r.text) for r in found.found] == [
        ("drop", "without near(x, y)"),
        ("number", "at least 0 instead of 1"),
        ("limit", "a limit 1.92 x instead of 1 x"),
        ("admit", "with ship 2, whose score 0.4 is below 0.5"),
    ]
    world = world_of(entities[:2])
    query = read("forall x (ship(x) -> exists y (harbor(y) & near(x, y)))")
    found = repairs(query, clause_form(query), world)
    assert ("remove", "without ship 0") in [(r.kind, r.text) for r in found.found]
    assert found.unfinished == ()


def test_either_part_of_a_disjunction_may_be_saved_by_leaving_out_its_offender():
    world = world_of([("ship", 0, 0, 20, 6), ("plane", 60, 0, 30, 30)])
    assert removable(read("forall x (ship(x)) | forall x (plane(x))"), world) == ((0, 1), True)
    world = world_of([("ship", 0, 0, 20, 6), ("plane", 60, 0, 30, 30), ("harbor", 200, 0, 30, 30)])
    either = "plane(z) | forall x (ship(x) | harbor(x)) | forall x (plane(x) | harbor(x))"
    assert removable(read(f"exists z (harbor(z) & ({either}))"), world) == ((0, 1), True)

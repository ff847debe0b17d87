"""Laws of cores: violated, minimal, all of them found, and dual to the correction sets."""

from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.errors import DisagreementError
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.reader import read
from rune_smt.solver.clauses import clause_form, relax
from rune_smt.solver.cores import all_cores, by_size, confirm_core, marco, minimal_core
from rune_smt.solver.holds import holds
from rune_smt.solver.world import World
from rune_smt.solver.z3_engine import Answer
from rune_smt.testing.formulas import formulas
from rune_smt.testing.scenes import scenes
from rune_smt.verdict import VIOLATED
from tests.solver_cases import CLASSES, VOCABULARY, counting, world_of

queries = st.one_of(formulas(VOCABULARY, classes=CLASSES, max_depth=3, definitions=True), counting(depth=2))
places = scenes(classes=CLASSES, max_entities=3)


def subsets(things):
    things = sorted(things)
    return [frozenset(s) for s in chain.from_iterable(combinations(things, n) for n in range(len(things) + 1))]


def minimal(sets):
    return tuple(sorted((s for s in sets if not any(t < s for t in sets)), key=by_size))


def by_brute_force(every, stopped):
    """Minimal cores and minimal correction sets, from every subset."""
    stopping = {keep for keep in subsets(every) if stopped(keep)}
    passing = {every - keep for keep in subsets(every) if keep not in stopping}
    return minimal(stopping), minimal(passing)


def hitting_sets(sets, every):
    """The minimal sets that have something in common with each."""
    return minimal([chosen for chosen in subsets(every) if all(chosen & each for each in sets)])


@st.composite
def monotone_oracles(draw):
    every = frozenset(range(draw(st.integers(0, 6))))
    cores = draw(st.lists(st.frozensets(st.sampled_from(sorted(every)) if every else st.nothing()), max_size=5))
    return every, lambda keep: any(core <= keep for core in cores)


@given(monotone_oracles())
@settings(max_examples=200)
def test_marco_equals_brute_force(case):
    every, stopped = case
    found = marco(every, stopped)
    assert (found.cores, found.corrections) == by_brute_force(every, stopped)
    assert found.complete
    first = marco(every, stopped, smallest_only=True)
    assert first.cores == tuple(core for core in found.cores if len(core) == len(found.cores[0]))


@given(monotone_oracles())
@settings(max_examples=200)
def test_cores_and_correction_sets_are_each_others_minimal_hitting_sets(case):
    every, stopped = case
    found = marco(every, stopped)
    assert hitting_sets(found.corrections, every) == found.cores
    assert hitting_sets(found.cores, every) == found.corrections


@given(formula=queries, scene=places)
@settings(max_examples=100)
def test_all_cores_of_a_scene_equal_brute_force(formula, scene):
    world = World(scene, VOCABULARY)
    form = clause_form(expand_definitions(formula, VOCABULARY))
    if len(form.clauses) > 7:
        return
    found = all_cores(form, world)
    cores, corrections = by_brute_force(form.every, lambda keep: holds(relax(form, keep), world) == VIOLATED)
    assert found.cores == cores
    assert found.corrections == corrections


@given(formula=queries, scene=places)
@settings(max_examples=100)
def test_a_core_is_violated_and_minimal(formula, scene):
    world = World(scene, VOCABULARY)
    formula = expand_definitions(formula, VOCABULARY)
    form = clause_form(formula)
    core = minimal_core(form, world)
    assert (core is None) == (holds(formula, world) != VIOLATED)
    if core is not None:
        assert holds(relax(form, core), world) == VIOLATED
        for clause in core:
            assert holds(relax(form, core - {clause}), world) != VIOLATED


def test_a_budget_reached_is_said():
    every = frozenset(range(12))
    found = marco(every, lambda keep: len(keep) >= 6, max_number=10)
    assert found.budget == "number"
    assert len(found.cores) + len(found.corrections) == 10
    assert marco(every, lambda keep: len(keep) >= 6, time_limit_s=0.0).budget == "time"


def test_the_empty_core_says_that_there_are_too_few_entities():
    world = world_of([("ship", 0, 0, 9, 3)])
    found = all_cores(clause_form(read("exists>=2 x (ship(x))")), world)
    assert found.cores == (frozenset(),)
    assert found.corrections == ()


def test_the_cores_of_a_ship_too_far_from_a_harbor():
    world = world_of([("ship", 0, 0, 12, 4), ("harbor", 100, 0, 20, 20)])
    form = clause_form(read("exists x (ship(x) & exists y (harbor(y) & near(x, y)))"))
    assert all_cores(form, world).cores == (frozenset((2,)),)
    world = world_of([("ship", 0, 0, 12, 4), ("plane", 10, 0, 12, 4), ("harbor", 100, 0, 20, 20)])
    assert all_cores(form, world).cores == (frozenset((1, 2)),)


class Lazy:
    """A solver whose cores are all that was kept."""

    def __init__(self, form, world):
        self.form, self.world = form, world

    def check(self, keep):
        satisfiable = holds(relax(self.form, frozenset(keep)), self.world) != VIOLATED
        return Answer(satisfiable, frozenset() if satisfiable else frozenset(keep))


class Wrong(Lazy):
    """A solver whose cores are too small."""

    def check(self, keep):
        return Answer(False, frozenset(sorted(keep)[1:]))


@given(formula=queries, scene=places)
@settings(max_examples=100)
def test_a_core_is_minimal_even_where_the_solvers_is_not(formula, scene):
    world = World(scene, VOCABULARY)
    form = clause_form(expand_definitions(formula, VOCABULARY))
    core = minimal_core(form, world, Lazy(form, world))
    if core is not None:
        assert core in all_cores(form, world).cores


def test_a_wrong_core_of_the_solver_is_refused():
    world = world_of([("ship", 0, 0, 12, 4), ("harbor", 100, 0, 20, 20)])
    form = clause_form(read("exists x (ship(x) & exists y (harbor(y) & near(x, y)))"))
    with pytest.raises(DisagreementError, match="does not find the relaxed query violated") as raised:
        minimal_core(form, world, Wrong(form, world))
    assert "Clause form: exists x1 (ship(x1)" in raised.value.message
    with pytest.raises(DisagreementError, match="without clause 1 too"):
        confirm_core(form, world, frozenset((1, 2)))

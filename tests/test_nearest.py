"""Laws of the nearest limit: at it the query is satisfied, nearer it is not, and it turns on the entities it names."""

from math import isclose

import numpy as np
import pytest
from hypothesis import given, settings

from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.nodes import Compare, Not
from rune_smt.grammar.reader import read
from rune_smt.solver.clauses import clause_form, relax
from rune_smt.solver.holds import holds
from rune_smt.solver.nearest import nearest, satisfied_at, scale_of
from rune_smt.solver.world import World, variables_of
from rune_smt.testing.formulas import formulas
from rune_smt.testing.scenes import scenes
from rune_smt.verdict import SATISFIED
from tests.solver_cases import CLASSES, VOCABULARY, world_of

WORDS = ("near", "far", "touches", "inside", "contains", "parallel", "perpendicular", "large", "small", "area",
         "length", "distance", "left_of")  # fmt: skip
queries = formulas(VOCABULARY, classes=CLASSES, words=WORDS, max_depth=3)
places = scenes(classes=CLASSES, max_entities=4)


def atom_of(clause):
    return clause.formula.body if isinstance(clause.formula, Not) else clause.formula


@given(formula=queries, scene=places)
@settings(max_examples=180)
def test_nearest_is_tight_and_confirmed(formula, scene):
    world = World(scene, VOCABULARY)
    form = clause_form(expand_definitions(formula, VOCABULARY))
    for near in nearest(form, world):
        clause = form.clauses[near.clause]
        assert holds(relax(form, form.every - {near.clause}), world) == SATISFIED
        assert holds(form.formula, world) != SATISFIED
        scale = scale_of(atom_of(clause), world)
        now, needed = near.limit_now, near.limit_needed
        assert scale.now == now
        beyond = needed + (needed - now) * 1e-6 + (1e-9 if needed >= now else -1e-9)
        if not isinstance(atom_of(clause), Compare) or atom_of(clause).op not in ("=", "!="):
            assert satisfied_at(form, world, clause, scale, beyond)
        for share in (0.0, 0.5, 0.999999):
            limit = now + (needed - now) * share
            if not isclose(limit, needed, rel_tol=1e-7, abs_tol=1e-12):
                assert not satisfied_at(form, world, clause, scale, limit)
        rows = tuple(np.array([world.row(e)]) for e in near.entities)
        assert isclose(float(scale.values(rows)[0]), needed, rel_tol=1e-9, abs_tol=1e-9)
        assert len(near.entities) == len(variables_of(atom_of(clause)))


@given(formula=queries, scene=places)
@settings(max_examples=140)
def test_no_nearest_is_missed(formula, scene):
    """Where a numeric clause has none, no value that occurs would do either."""
    world = World(scene, VOCABULARY)
    form = clause_form(expand_definitions(formula, VOCABULARY))
    if holds(form.formula, world) == SATISFIED:
        assert nearest(form, world) == ()
        return
    found = {near.clause for near in nearest(form, world)}
    for clause in form.clauses:
        scale = scale_of(atom_of(clause), world) if clause.origin is None else None
        alone = holds(relax(form, form.every - {clause.index}), world) == SATISFIED
        if clause.index in found:
            assert alone
        elif scale is not None and alone and scale.op not in ("=", "!="):
            for value in all_values(clause, scale, world):
                for limit in (value - 1e-6, value, value + 1e-6):
                    if limit >= 0 or isinstance(atom_of(clause), Compare):
                        assert not satisfied_at(form, world, clause, scale, limit)


def all_values(clause, scale, world):
    names = variables_of(atom_of(clause))
    grids = np.meshgrid(*[world.rows] * len(names), indexing="ij") if names else []
    values = scale.values(tuple(grid.ravel() for grid in grids))
    return [float(v) for v in np.unique(values[np.isfinite(values)])]


HARBOR = [("ship", 0, 0, 20, 6), ("ship", 300, 0, 20, 6), ("harbor", 163, 0, 100, 20), ("plane", 400, 300, 30, 30)]


@pytest.mark.parametrize(
    ("query", "quantity", "unit", "actual", "limit", "needed", "entities", "text"),
    [
        ("exists x (ship(x) & exists y (harbor(y) & near(x, y)))", "gap", "px", 37, 20.88, 1.772, (1, 2),
         "ship 1 and harbor 2 are 37 px (18.5 m) apart, near allows 20.9 px (10.4 m)"),
        ("forall x (ship(x) -> exists y (harbor(y) & near(x, y)))", "gap", "px", 143, 20.88, 6.849, (0, 2),
         "ship 0 and harbor 2 are 143 px (71.5 m) apart, near allows 20.9 px (10.4 m)"),
        ("exists x (plane(x) & large(x))", "area", "px2", 900, 1350, 1, (3,),
         "plane 3 has an area of 900 px2 (225 m2), large begins at 1350 px2 (338 m2)"),
        ("exists x (ship(x) & length(x) > 50 px)", "length", "px", 20, 50, -30, (0,),
         "length of ship 0 is 20 px (10 m), the query asks for > 50 px (25 m)"),
        ("exists>=2 x (ship(x) & exists y (harbor(y) & distance(x, y) <= 20 m))", "distance", "px", 143, 40, 103,
         (0, 2), "distance of ship 0 and harbor 2 is 143 px (71.5 m), the query asks for <= 40 px (20 m)"),
        ("exists x (ship(x) & exists y (harbor(y) & perpendicular(x, y)))", "angle", "deg", 0, 80, 0, (0, 2),
         "ship 0 and harbor 2 differ by 0 deg in direction, perpendicular asks for 80 deg"),
    ],
)  # fmt: skip
def test_examples(query, quantity, unit, actual, limit, needed, entities, text):
    world = world_of(HARBOR, gsd=0.5, reference_areas={"plane": 900.0, "ship": 120.0})
    (near,) = nearest(clause_form(read(query)), world)
    assert (near.quantity, near.unit, near.entities, near.text) == (quantity, unit, entities, text)
    assert near.actual == pytest.approx(actual)
    assert near.limit == pytest.approx(limit, abs=0.01)
    assert near.limit_needed == pytest.approx(needed, abs=0.001)
    assert near.metres == (None if unit == "deg" else pytest.approx(
        (near.actual * (0.5 if unit == "px" else 0.25), near.limit * (0.5 if unit == "px" else 0.25))))  # fmt: skip


def test_not_numeric_and_not_alone_have_none():
    world = world_of(HARBOR)
    for query in (
        "exists x (ship(x) & exists y (harbor(y) & left_of(y, x) & above(y, x)))",
        "exists x (ship(x) & plane(x))",
        "exists x (helicopter(x) & exists y (harbor(y) & near(x, y)))",
        "exists x (alone(x) & plane(x) & ship(x))",
    ):
        assert nearest(clause_form(expand_definitions(read(query), VOCABULARY)), world) == ()


def test_of_equal_values_the_one_that_decides_is_told():
    world = world_of([("ship", 20, 0, 20, 20), ("ship", 180, 0, 20, 20), ("harbor", 100, 0, 20, 20),
                      ("plane", 150, 100, 20, 20)])  # fmt: skip
    query = "exists x (ship(x) & exists y (harbor(y) & near(x, y)) & exists z (plane(z) & left_of(z, x)))"
    (near,) = nearest(clause_form(read(query)), world)
    assert (near.actual, near.entities) == (60, (1, 2))


def test_a_count_whose_body_is_the_same_for_all():
    world = world_of([("ship", 0, 0, 20, 6), ("ship", 60, 0, 20, 6)])
    (near,) = nearest(clause_form(read("exists>=2 x (exists y (length(y) > 25 px))")), world)
    assert (near.limit_needed, near.entities) == (-5, (0,))

"""Scenes made to order: confirmed by `holds` after a way through JSON, small, and the same every time."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities.scene import Scene
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.nodes import Not
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.solver.clauses import clause_form
from rune_smt.solver.holds import holds
from rune_smt.solver.scene_finder import SceneFinder
from rune_smt.solver.scene_goal import Goal
from rune_smt.solver.sketch import Picture
from rune_smt.solver.world import World
from rune_smt.verdict import SATISFIED, VIOLATED
from tests.laws import VOCABULARY, queries

DOTA = load_vocabulary("dota-v1.5")
FLOOD = load_vocabulary("flood")

ORDERS = [  # query, entities of the smallest scene
    ("exists x (ship(x) & exists y (harbor(y) & near(x, y)))", 2),
    ("exists x (ship(x) & ~(exists y (harbor(y) & near(x, y)))) & exists y (harbor(y))", 2),
    ("exists>=3 x (ship(x) & exists y (harbor(y) & inside(x, y)))", 4),
    ("exists=2 x (plane(x) & exists y (plane(y) & parallel(x, y) & near(x, y)))", 2),
    ("exists x (exists y (exists z (storage_tank(x) & storage_tank(y) & storage_tank(z) & aligned(x, y, z))))", 3),
    ("count x (ship(x)) > 2 * count x (harbor(x)) & exists x (harbor(x))", 4),
    ("cover x (ship(x)) >= 5 %", 1),
    ("exists x (ship(x) & forall y (ship(y) & x != y -> larger(x, y))) & exists>=3 x (ship(x))", 3),
    ("exists x (exists y (ship(x) & harbor(y) & distance(x, y) < 50 m & distance(x, y) > 20 m))", 2),
    ("exists x (ship(x) & area(x) > 2000 m2 & length(x) > 3 * width(x))", 1),
    ("exists x (exists y (exists z (bridge(x) & ship(y) & ship(z) & between(x, y, z) & perpendicular(x, y))))", 3),
    ("exists x (exists y (ship(x) & harbor(y) & surrounded_by(x, y)))", 2),
    ("exists x (ship(x) & in_left(x) & exists y (harbor(y) & in_right(y) & above(y, x)))", 2),
    ("exists x (exists y (overlaps(x, y) & ~inside(x, y) & ~inside(y, x) & same_class(x, y)))", 2),
    ("exists x (angle(x) > 40 deg & angle(x) < 50 deg) & exists x (at_border(x) & small(x))", 1),
    ("exists x (exists y (ship(x) & harbor(y) & distance(x, y) > 2 km))", 2),
    ("exists>=20 x (ship(x))", 20),
    ("forall x (ship(x))", 0),
]


@pytest.mark.parametrize(("text", "entities"), ORDERS)
def test_a_scene_for_a_query(text, entities):
    formula = read(text)
    found, failing = SceneFinder(DOTA).pair(formula)
    assert found.scene is not None
    assert len(found.scene) == entities
    assert holds(formula, World(found.scene, DOTA)) == SATISFIED
    assert failing is not None
    assert holds(formula, World(failing, DOTA)) == VIOLATED


@pytest.mark.parametrize(
    "text",
    [
        "exists x (exists y (road(x) & road(y) & x != y & connected(x, y) & distance(x, y) > 20 px))",
        'exists x (building(x) & damage(x) >= "major_damage" & cut_off(x)) & exists x (passable(x))',
        "count x (building(x) & flooded(x)) >= 2 * count x (building(x) & ~flooded(x)) & exists x (~flooded(x))",
    ],
)
def test_attributes_and_links(text):
    found = SceneFinder(FLOOD).find(read(text))
    assert found.scene is not None
    assert holds(expand_definitions(read(text), FLOOD), World(found.scene, FLOOD)) == SATISFIED


@given(queries(max_depth=3))
@settings(max_examples=30)
def test_what_is_found_is_confirmed(formula):
    known = VOCABULARY
    for wanted in (formula, Not(formula)):
        found = SceneFinder(VOCABULARY, steps=20_000).find(wanted)
        if found.scene is not None:
            scene = Scene.from_json(json.loads(json.dumps(found.scene.to_json())))
            world = World(scene, known, 0.0)
            assert holds(wanted, world) == SATISFIED
            assert world.missing(wanted) in ([], ["angle"])


@given(queries(max_depth=3), st.integers(0, 3))
@settings(max_examples=40)
def test_the_cost_is_zero_exactly_where_the_goal_holds(formula, entities):
    known = VOCABULARY
    search = SceneFinder(VOCABULARY)._search_for(formula)
    sketch = search.blank()
    for _ in range(entities):
        search.moves(sketch).add()
    form = clause_form(formula, halves=False).formula
    satisfied = Goal(form).cost(form, Picture(sketch, known), {}) == 0
    assert satisfied == (holds(formula, World(sketch.scene(), known, 0.0)) == SATISFIED)


def test_just_failing_is_one_thing_changed():
    found, failing = SceneFinder(DOTA).pair(read("exists x (ship(x) & exists y (harbor(y) & near(x, y)))"))
    before, after = found.scene.to_json()["entities"], failing.to_json()["entities"]
    assert len(before) == len(after)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_the_same_call_gives_the_same_scene():
    formula = read("exists>=4 x (ship(x) & exists y (ship(y) & parallel(x, y) & near(x, y)))")
    one, other = (SceneFinder(DOTA).find(formula) for _ in range(2))
    assert one.scene.to_json() == other.scene.to_json()
    assert one.steps == other.steps


def test_what_cannot_be_is_not_found_within_its_steps():
    found = SceneFinder(DOTA, steps=5_000).find(read("exists x (ship(x) & harbor(x))"))
    assert found.scene is None
    assert found.entities == 12


def test_a_line_has_no_area():
    found = SceneFinder(DOTA).find(read("exists x (area(x) = 0 px2)"))
    assert found.scene is not None and found.scene.table.area[0] == 0


def test_a_removed_thing_is_no_longer_spoken_of():
    text = "count x (ship(x)) = 0 & exists<=0 x (ship(x)) & exists x (ship(x))"
    assert SceneFinder(DOTA, steps=20_000).find(read(text)).scene is None

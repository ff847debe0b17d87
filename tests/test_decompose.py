"""Components decided apart are the whole, and no entity outside of a domain matters."""

import pytest
from hypothesis import given, settings

from rune_smt.grammar.nodes import Count, Cover, Exists, ExistsCount, ForAll, free_variables, walk
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.solver.decompose import decompose, domain
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.world import World
from rune_smt.verdict import SATISFIED, VIOLATED
from tests.laws import CLASSES, VOCABULARY, law_scenes, queries


@settings(max_examples=200)
@given(formula=queries(), scene=law_scenes())
def test_components_decided_apart_give_the_whole(formula, scene):
    world = World(scene, VOCABULARY)
    for form in (formula, normalise(formula)):
        split = decompose(form, scene.table.classes, VOCABULARY)
        verdicts = {component.formula: holds(component.formula, world) for component in split.components}
        assert split.combine(verdicts) == holds(formula, world)


@settings(max_examples=150)
@given(formula=queries(), scene=law_scenes())
def test_an_entity_outside_its_domain_changes_nothing(formula, scene):
    world = World(scene, VOCABULARY)
    for node in walk(formula):
        if isinstance(node, Exists | ExistsCount | Count | Cover | ForAll) and not free_variables(node):
            kept = domain(node, CLASSES, VOCABULARY)
            for entity in world.entities:
                if world.label(entity) not in kept:
                    settled = SATISFIED if isinstance(node, ForAll) else VIOLATED
                    assert holds(node.body, world, {node.var: entity}) == settled


@pytest.mark.parametrize(
    ("query", "components"),
    [
        ("true | ~false", {}),
        ("exists x (ship(x)) -> ~(exists x (ship(x)))", {"exists x1 (ship(x1))": [("x", "ship")]}),
        (
            "forall x (ship(x) -> exists y (harbor(y) & near(x, y))) & (false <-> exists<=2 x (vehicle(x)))",
            {
                "forall x1 (ship(x1) -> exists x2 (harbor(x2) & near(x1, x2)))": [("x", "ship"), ("y", "harbor")],
                "exists<=2 x1 (vehicle(x1))": [("x", "vehicle small_vehicle")],
            },
        ),
        (
            "count x (ship(x) | harbor(x)) > count y (true) | cover x (small_vehicle(x)) > 2 px2",
            {
                "count x1 (ship(x1) | harbor(x1)) > count x2 (true)": [
                    ("x", "ship harbor"), ("y", "ship harbor vehicle small_vehicle"),
                ],
                "cover x1 (small_vehicle(x1)) > 2 px2": [("x", "small_vehicle")],
            },
        ),
    ],
)  # fmt: skip
def test_components_and_what_they_range_over(query, components):
    found = {
        canonical(component.formula): [(var, " ".join(names)) for var, names in component.domains]
        for component in decompose(read(query), CLASSES, VOCABULARY).components
    }
    assert found == components


def test_what_binds_nothing_has_no_domain():
    with pytest.raises(TypeError, match=r"^Not binds nothing$"):
        domain(read("~true"), CLASSES, VOCABULARY)

"""The atom on which a verdict turns: a margin worked out by hand, and moved past its limit the verdict changes."""

import pytest

from rune_smt.entities.scene import Scene
from rune_smt.grammar.reader import read
from rune_smt.solver.explain import explain_scene
from rune_smt.verdict import SATISFIED, VIOLATED
from tests.laws import VOCABULARY


def ship_and_harbor(gap):
    """A ship of 10 x 4 px and a harbor to its right, `gap` px apart."""
    outlines = {"ship": (0, 10), "vehicle": (10 + gap, 40 + gap)}
    entities = [
        {"entity_id": i, "label": label, "polygon": [[left, 0], [right, 0], [right, 4], [left, 4]]}
        for i, (label, (left, right)) in enumerate(outlines.items())
    ]
    return Scene.from_json({"image_id": "s", "gsd": 0.5, "entities": entities})


NEAR = "exists x (ship(x) & exists y (vehicle(y) & distance(x, y) <= 20 px))"


@pytest.mark.parametrize(("gap", "verdict", "margin"), [(18, SATISFIED, 2.0), (25, VIOLATED, 5.0)])
def test_the_margin_of_a_verdict_is_the_distance_to_its_limit(gap, verdict, margin):
    why = explain_scene(read(NEAR), ship_and_harbor(gap), VOCABULARY)
    assert why.verdict == verdict
    assert why.tightest.margin == pytest.approx(margin)
    assert why.tightest.entities == (0, 1)
    assert f"a margin of {margin:g} px ({margin / 2:g} m)" in why.tightest.text
    moved = ship_and_harbor(gap + (margin + 0.01 if verdict == SATISFIED else -margin - 0.01))
    assert explain_scene(read(NEAR), moved, VOCABULARY).verdict != verdict


def test_of_several_the_smallest_relative_margin_is_told():
    query = "exists x (ship(x) & length(x) > 9 px & exists y (vehicle(y) & distance(x, y) <= 20 px))"
    why = explain_scene(read(query), ship_and_harbor(19.9), VOCABULARY)
    assert why.tightest.quantity == "distance"
    assert why.tightest.margin == pytest.approx(0.1)


def test_a_verdict_that_no_single_limit_changes_has_none():
    why = explain_scene(read("exists x (ship(x))"), ship_and_harbor(5), VOCABULARY)
    assert why.tightest is None

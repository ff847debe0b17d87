"""The array engine gives what `holds` gives, on many scenes at once and in chunks of any size."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities.scene import Scene
from rune_smt.grammar.reader import read
from rune_smt.solver.array_engine import ArrayEngine
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.world import World
from tests.laws import VOCABULARY, joined, law_scenes, queries


@settings(max_examples=300)
@given(formula=queries(), scenes=st.lists(law_scenes(), min_size=1, max_size=3), min_score=st.sampled_from([0.0, 0.5]))
def test_the_array_engine_agrees_with_the_meaning(formula, scenes, min_score):
    table = joined(scenes)
    expected = [holds(formula, World(Scene(table, i), VOCABULARY, min_score)) for i in range(len(scenes))]
    assert ArrayEngine(table, VOCABULARY, min_score).decide(normalise(formula)).tolist() == expected


@settings(max_examples=100)
@given(formula=queries(), scene=law_scenes(max_entities=6), chunk=st.integers(1, 7))
def test_chunks_make_no_difference(formula, scene, chunk):
    world = World(scene, VOCABULARY)
    engine = ArrayEngine(scene.table, VOCABULARY, chunk=chunk)
    assert engine.decide(formula).tolist() == [holds(formula, world)]


@pytest.mark.parametrize("images", [[2, 0, 1], [1, 2, 0], [2, 2, 1], [1, 1, 1, 0], [2], []])
def test_images_may_be_asked_in_any_order(images):
    box = [[0, 0], [9, 0], [9, 9], [0, 9]]
    scenes = [
        Scene.from_json({"image_id": "a", "entities": [{"polygon": box, "label": label} for label in labels]})
        for labels in (["ship", "ship"], ["harbor"], ["ship", "harbor"])
    ]
    engine = ArrayEngine(joined(scenes), VOCABULARY)
    for text in ("exists x (harbor(x))", "exists x (ship(x) & exists y (harbor(y) & overlaps(x, y)))"):
        whole = engine.decide(read(text))
        assert engine.decide(read(text), images).tolist() == [int(whole[i]) for i in images]

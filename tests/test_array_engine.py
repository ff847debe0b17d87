"""The array engine gives what `holds` gives, on many scenes at once and in chunks of any size."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities.scene import Scene
from rune_smt.solver.array_engine import ArrayEngine
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.world import World
from tests.laws import VOCABULARY, joined, law_scenes, queries


@settings(max_examples=60)
@given(formula=queries(), scenes=st.lists(law_scenes(), min_size=2, max_size=4), data=st.data())
def test_images_may_be_asked_in_any_order(formula, scenes, data):
    table, every = joined(scenes), range(len(scenes))
    images = data.draw(st.permutations(every) | st.lists(st.sampled_from(every), max_size=6))
    engine = ArrayEngine(table, VOCABULARY)
    whole = engine.decide(normalise(formula))
    assert engine.decide(normalise(formula), images).tolist() == [int(whole[i]) for i in images]


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

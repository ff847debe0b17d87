"""The array engine gives what `holds` gives, on many scenes at once and in chunks of any size."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities.scene import Scene
from rune_smt.solver.array_engine import ArrayEngine
from rune_smt.solver.decompose import decompose
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.world import World
from tests.laws import CLASSES, VOCABULARY, joined, law_scenes, queries


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


@settings(max_examples=200)
@given(formula=queries(), scene=law_scenes())
def test_components_decided_apart_give_the_whole(formula, scene):
    world = World(scene, VOCABULARY)
    split = decompose(normalise(formula), scene.table.classes, VOCABULARY)
    verdicts = {component.formula: holds(component.formula, world) for component in split.components}
    assert split.combine(verdicts) == holds(formula, world)


@settings(max_examples=150)
@given(formula=queries(), scene=law_scenes())
def test_an_entity_outside_its_domain_changes_nothing(formula, scene):
    from rune_smt.grammar.nodes import Count, Cover, Exists, ExistsCount, ForAll, walk
    from rune_smt.solver.decompose import domain
    from rune_smt.verdict import SATISFIED, VIOLATED

    world = World(scene, VOCABULARY)
    for node in walk(formula):
        if isinstance(node, Exists | ExistsCount | Count | Cover | ForAll) and not _free(node):
            kept = domain(node, CLASSES, VOCABULARY)
            for entity in world.entities:
                if world.label(entity) not in kept:
                    settled = SATISFIED if isinstance(node, ForAll) else VIOLATED
                    assert holds(node.body, world, {node.var: entity}) == settled


def _free(node):
    from rune_smt.grammar.nodes import free_variables

    return free_variables(node)

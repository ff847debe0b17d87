"""The assertions for users' own translators and engines: the page that shows them runs, and what is wrong is found."""

from pathlib import Path

import pytest
from hypothesis import given, settings

import rune_smt as rune
from rune_smt.entities.scene import Scene
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.solver.holds import holds
from rune_smt.solver.world import World
from rune_smt.solver.z3_engine import decide
from rune_smt.testing import assert_engine, assert_translation, formulas, scenes
from rune_smt.verdict import SATISFIED
from tests.laws import VOCABULARY, law_scenes

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "rune_smt" / "testing" / "README.md"


def test_the_page_runs():
    names = {}
    blocks = PAGE.read_text(encoding="utf-8").split("```python\n")[1:]
    for block in blocks:
        exec(compile(block.split("```")[0], str(PAGE), "exec"), names)
    assert len(blocks) == 4
    assert "ship" in names["message"]


def test_english_is_held_to_its_own_cases():
    lines = [line.split("\t") for line in (ROOT / "grammar" / "english.tsv").read_text(encoding="utf-8").splitlines()]
    cases = [line for line in lines if len(line) == 3 and line[0] == "dota-v1.5"][::25]
    assert len(cases) >= 3
    for vocabulary, text, meaning in cases:
        said = assert_translation(lambda text, v=vocabulary: rune.translate(text, v), text, meaning)
        assert said == "same"


@given(formulas(VOCABULARY, definitions=True), law_scenes())
@settings(max_examples=60)
def test_z3_is_an_engine(formula, scene):
    assert_engine(lambda f, s: decide(f, World(s, VOCABULARY)), formula, scene, vocabulary=VOCABULARY)


def test_a_translation_may_be_spelled_in_another_way():
    other = "exists a (harbor(a) & exists b (ship(b) & near(a, b)))"
    meaning = "exists x (ship(x) & exists y (harbor(y) & near(x, y)))"
    assert assert_translation(lambda text: other, "ships near a harbor", meaning) == "proved"
    assert assert_translation(lambda text: meaning, "ships near a harbor", meaning) == "same"


@pytest.mark.parametrize(
    ("translation", "meaning"),
    [
        ("exists x (ship(x))", "exists x (ship(x) & large(x))"),
        ("exists>=2 x (ship(x))", "exists>=3 x (ship(x))"),
        ("forall x (ship(x) -> in_left(x))", "exists x (ship(x)) & forall x (ship(x) -> in_left(x))"),
    ],
)
def test_a_wrong_translation_is_shown_by_a_scene(translation, meaning):
    with pytest.raises(AssertionError, match="does not mean what it should") as failed:
        assert_translation(lambda text: translation, "a text", meaning)
    import json

    scene = Scene.from_json(json.loads(str(failed.value).split("in this scene they differ: ")[1]))
    world = World(scene, load_vocabulary("dota-v1.5"), 0.0)
    one, other = (holds(rune.parse(text).formula, world) for text in (translation, meaning))
    assert {one, other} & {SATISFIED} and one != other


def test_what_is_not_known_fails_only_where_a_proof_is_asked_for():
    one, other = "exists x (ship(x) & length(x) * length(x) >= 9 px2)", "exists x (ship(x) & length(x) >= 3 px)"
    assert assert_translation(lambda text: one, "a ship of 3 px", other, seconds=0.2) in ("proved", "unknown")
    if assert_translation(lambda text: one, "a ship of 3 px", other, seconds=0.2) == "unknown":
        with pytest.raises(AssertionError, match="is not proved to mean"):
            assert_translation(lambda text: one, "a ship of 3 px", other, seconds=0.2, proved=True)


def test_what_is_not_translated_is_said():
    with pytest.raises(AssertionError, match="'shps' is not translated"):
        assert_translation(rune.translate, "shps", "exists x (ship(x))")


def test_a_wrong_engine_is_found_with_a_program():
    document = scenes_document()
    with pytest.raises(AssertionError, match="holds: satisfied, the engine: violated") as failed:
        assert_engine(lambda formula, scene: "violated", "exists x (ship(x))", document)
    assert "from rune_smt.solver.reproducer import replay" in str(failed.value)
    assert_engine(lambda formula, scene: "satisfied", "exists x (ship(x))", document)


def scenes_document():
    entity = {"entity_id": 0, "label": "ship", "score": 1.0, "polygon": [[0, 0], [4, 0], [4, 2], [0, 2]]}
    return Scene.from_json({"image_id": "s", "entities": [{**entity, "attributes": {}}]})


def test_strategies_have_the_names_of_the_interface():
    assert callable(formulas) and callable(scenes)

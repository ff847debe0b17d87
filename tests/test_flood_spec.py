"""The cases of solver/flood: masks drawn with letters, a relief desk's questions, verdicts worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rune_smt.entities.scene import Scene
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.hints import lower_bound_hint
from rune_smt.indexing import index
from rune_smt.query import parse, translate, vocabulary_of
from rune_smt.searching import search, select
from rune_smt.solver.holds import holds
from rune_smt.solver.world import World
from rune_smt.verdict import Verdict

FOLDER = Path(__file__).resolve().parents[1] / "solver" / "flood"
QUESTIONS = json.loads((FOLDER / "questions.json").read_text(encoding="utf-8"))["questions"]
SCENES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*.json"))
    if path.stem != "questions"
}
CASES = [(name, number) for name, scene in SCENES.items() for number in range(len(scene["cases"]))]
LEGEND = {
    ".": "background", "F": "building-flooded", "D": "building-non-flooded", "f": "road-flooded",
    "d": "road-non-flooded", "h": "hospital-flooded", "H": "hospital-non-flooded", "B": "bridge-flooded",
    "b": "bridge-non-flooded", "w": "water", "t": "tree", "v": "vehicle", "g": "grass-non-flooded",
}  # fmt: skip
LETTERS = list(LEGEND)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    made = {}
    for name, scene in SCENES.items():
        cells = np.array([[LETTERS.index(letter) for letter in row] for row in scene["rows"]], dtype=np.uint8)
        path = tmp_path_factory.mktemp(name) / f"{name}_lab.png"
        Image.fromarray(np.kron(cells, np.ones((scene["cell"], scene["cell"]), dtype=np.uint8))).save(path)
        made[name] = index(
            path, format="masks", names=list(LEGEND.values()), vocabulary="flood", gsd=scene["gsd"], progress=False
        )
    return made


@pytest.mark.parametrize("spelling", ["english", "formula"])
@pytest.mark.parametrize(("name", "number"), CASES)
def test_a_question(archives, name, number, spelling):
    archive, case = archives[name], SCENES[name]["cases"][number]
    text = QUESTIONS[case["question"]][spelling]
    query = translate(text, archive) if spelling == "english" else parse(text, archive)
    found = search(archive, query)
    verdict = Verdict(int(found.verdicts[0]))
    assert verdict.word == case["verdict"], str(query)
    world = World(Scene(archive.table, 0), vocabulary_of(archive))
    assert holds(expand_definitions(query.formula, vocabulary_of(archive)), world) == verdict
    if "answers" in case:
        cell, table = SCENES[name]["cell"], archive.table
        rows = select(archive, query).rows
        shapes = table.outlines(rows)
        places = [min((y, x) for x, y in shape_points(shape)) for shape in shapes]
        assert sorted([x / cell, y / cell] for y, x in places) == sorted(case["answers"])
    if "missing" in case:
        assert found.undecided == {name: case["missing"]}


def shape_points(shape):
    return [point for part in getattr(shape, "geoms", [shape]) for point in part.exterior.coords]


def test_every_scene_answers_every_question():
    assert len(QUESTIONS) == 12
    for scene in SCENES.values():
        assert [case["question"] for case in scene["cases"]] == list(QUESTIONS)
    verdicts = {name: {s["cases"][n]["verdict"] for s in SCENES.values()} for n, name in enumerate(QUESTIONS)}
    assert all({"satisfied", "violated"} <= found for found in verdicts.values())


def test_answers_that_count_what_masks_merge_say_so(archives):
    def hint(text):
        return lower_bound_hint(search(archives["village"], translate(text, archives["village"])))

    said = "Their outlines come from masks, in which what touches is one entity: the number of {} is a lower bound."
    assert hint("more flooded than dry houses") == said.format("buildings")
    assert hint("at least two houses and at least two roads") == said.format("buildings and roads")
    assert hint("flooded houses") == ""
    assert hint("no dry building") == ""
    assert hint("two hospitals") == ""

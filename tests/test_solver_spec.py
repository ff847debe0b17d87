"""The cases of solver/: a scene and queries in; verdict, evidence, cores, nearest values and repairs out."""

import json
from pathlib import Path

import pytest

from rune_smt.entities.scene import Scene
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.solver.explain import explain_scene
from rune_smt.solver.render import to_json
from rune_smt.solver.world import World
from rune_smt.solver.z3_engine import decide

FOLDER = Path(__file__).resolve().parents[1] / "solver" / "cases"
FILES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
CASES = [(name, number) for name, file in FILES.items() for number in range(len(file["cases"]))]


def rounded(value):
    return float(f"{value:.6g}")


def facts(why):
    """What a case fixes of an explanation: independent of the engine, the words and the versions of libraries."""
    document = to_json(why)
    found = {"formula": document["formula"], "verdict": document["verdict"]}
    if document["verdict"] == "satisfied":
        found["witness"] = document["witness"]
    elif document["verdict"] == "undecided":
        found["missing"] = document["missing"]
    else:
        found["cores"] = [[clause["formula"] for clause in core["clauses"]] for core in document["cores"]]
        found["corrections"] = document["corrections"]
        found["nearest"] = [
            {
                key: rounded(near[key]) if isinstance(near[key], float) else near[key]
                for key in ("clause", "quantity", "unit", "actual", "limit", "limit_needed", "past", "entities")
            }
            for near in document["nearest"]
        ]
        found["repairs"] = [repair(each) for each in document["repairs"] if each["kind"] != "limit"]
    found["stability"] = document["stability"]["min_score"]
    return found


def repair(each):
    changes = each["changes"]
    match each["kind"]:
        case "drop":
            return {"drop": changes["clauses"]}
        case "number":
            return {"number": [changes["from"], changes["to"]]}
        case kind:
            return {kind: changes["entity"]}


@pytest.mark.parametrize(("name", "number"), CASES, ids=lambda part: str(part))
def test_case(name, number):
    file = FILES[name]
    case = file["cases"][number]
    vocabulary = load_vocabulary(file["vocabulary"])
    scene = Scene.from_json(file["scene"])
    query = check(read(case["query"]), vocabulary, case["query"])
    why = explain_scene(query, scene, vocabulary, file["min_score"], all_cores=True, time_limit_s=60)
    assert {"query": case["query"], **facts(why)} == case
    assert decide(why.expanded, World(scene, vocabulary, file["min_score"])) == why.verdict


def test_there_are_cases_of_every_kind():
    cases = [case for file in FILES.values() for case in file["cases"]]
    assert {case["verdict"] for case in cases} == {"satisfied", "violated", "undecided"}
    assert {kind for case in cases for r in case.get("repairs", ()) for kind in r} == {
        "drop", "number", "remove", "admit",
    }  # fmt: skip
    assert any(case.get("cores") == [[]] for case in cases)
    assert any(len(case.get("cores", ())) > 1 for case in cases)

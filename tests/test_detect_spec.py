"""The cases of detect/: source files in, entity table or message out."""

import json
import math
from pathlib import Path

import pytest
import shapely

from rune_smt.entities.geometry import outline
from rune_smt.errors import RuneError
from rune_smt.indexing import index_with_report

CASES = Path(__file__).resolve().parents[1] / "detect" / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/case.json"))
OWN_COLUMNS = {"image_id", "entity_id", "label", "source_label", "score", "geometry", "source"}


def outcome(name):
    """What indexing the case gives, in the form of expected.json; run in the case's folder."""
    case = json.loads((CASES / name / "case.json").read_text(encoding="utf-8"))
    try:
        indexed = index_with_report(case["sources"], progress=False, **case["options"])
    except RuneError as error:
        return {"error": str(error).split("\n"), "exit_status": error.exit_status}
    images, entities = indexed.archive.images, indexed.archive.entities
    empty = {column for column in images.column_names if images.column(column).null_count == images.num_rows}
    return {
        "format": indexed.report.format,
        "vocabulary": indexed.report.vocabulary,
        "images": [
            {key: value for key, value in row.items() if key not in empty and key != "path"}
            for row in images.to_pylist()
        ],
        "entities": [entity(row) for row in entities.to_pylist()],
        "names": [[row.source, row.label, row.how, row.count] for row in indexed.report.labels],
        "notes": [f"{note.level}: {note.text}" for note in indexed.report.notes],
        "skipped": list(indexed.report.skipped),
    }


def entity(row):
    shape = shapely.normalize(outline(shapely.from_wkb(row["geometry"])))
    plain = {key: row[key] for key in ("image_id", "entity_id", "label", "source_label", "score", "source")}
    attributes = {key: row[key] for key in sorted(set(row) - OWN_COLUMNS)}
    return {**plain, "outline": shapely.to_wkt(shape, rounding_precision=-1), "attributes": attributes}


def same_outline(left, right):
    one, other = shapely.normalize(shapely.from_wkt(left)), shapely.normalize(shapely.from_wkt(right))
    return shapely.equals_exact(one, other, tolerance=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_a_case(name, monkeypatch):
    monkeypatch.chdir(CASES / name)
    expected = json.loads((CASES / name / "expected.json").read_text(encoding="utf-8"))
    found = outcome(name)
    for ours, theirs in zip(found.get("entities", ()), expected.get("entities", ()), strict=True):
        assert same_outline(ours.pop("outline"), theirs.pop("outline")), (ours["image_id"], ours["entity_id"])
        assert math.isclose(ours.pop("score"), theirs.pop("score"))
    assert found == expected


def test_every_case_says_what_it_decides():
    assert len(NAMES) >= 30
    for name in NAMES:
        assert json.loads((CASES / name / "case.json").read_text(encoding="utf-8"))["says"].endswith(".")

"""The command line as a person or a program meets it: output shapes, messages with their full text, exit statuses."""

import io
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rune_smt.cli import main
from rune_smt.detect.synthetic import make_scenes, to_arrow


class Stream(io.StringIO):
    encoding = "utf-8"


def rune(*arguments, stdin=""):
    """Runs the program; (exit status, standard output, standard error)."""
    out, err = Stream(), Stream()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["rune-smt", *map(str, arguments)])
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from rune_smt import archive_from_arrow

    here = tmp_path_factory.mktemp("cli")
    archive_from_arrow(*to_arrow(make_scenes(40, seed=0)), out=here / "made.rune")
    return here


@pytest.fixture(scope="module")
def archive(folder):
    return folder / "made.rune"


def document(*arguments):
    status, out, err = rune(*arguments, "--json")
    assert status == 0, err
    return json.loads(out)


def test_search_has_the_promised_shape(archive):
    found = document("search", archive, "ships that are not near any harbor")
    assert set(found) == {"query", "engine", "mode", "counts", "matches", "undecided", "elapsed_ms"}
    assert set(found["query"]) == {"text", "formula", "reading", "left_out"}
    assert found["counts"]["images"] == 40 == sum(found["counts"][v] for v in ("satisfied", "violated", "undecided"))
    assert len(found["matches"]) == found["counts"]["satisfied"] > 0
    assert set(found["matches"][0]) == {"image_id", "degree", "witness"}
    assert set(found["elapsed_ms"]) == {"load", "translate", "plan", "decide", "explain"}


@pytest.mark.parametrize("engine", ["array", "z3", "reference"])
def test_every_engine_finds_the_same(archive, engine):
    wanted = document("search", archive, "at least two large vehicles near a storage tank")
    found = document("search", archive, "at least two large vehicles near a storage tank", "--engine", engine)
    assert (found["matches"], found["undecided"]) == (wanted["matches"], wanted["undecided"])


def test_any_number_of_workers_finds_the_same(archive):
    found = [
        document("search", archive, "a large vehicle near a storage tank", "--workers", n) for n in (1, 2, 3)
    ]
    assert found[0]["matches"] == found[1]["matches"] == found[2]["matches"] != []


def test_undecided_images_name_what_is_missing(archive):
    found = document("search", archive, "a small vehicle longer than 500 m")
    assert {"image_id", "missing"} == set(found["undecided"][0])
    assert found["undecided"][0]["missing"] == ["gsd"]


def test_missing_gsd_is_said_with_the_way_out(folder):
    scenes = folder / "three.scenes.jsonl"
    box = [[0, 0], [9, 0], [9, 4], [0, 4]]
    lines = []
    for number, gsd in enumerate((None, None, 0.5)):
        entities = [{"entity_id": i, "label": label, "polygon": box} for i, label in enumerate(("plane", "helicopter"))]
        lines.append(json.dumps({"image_id": f"s{number}", "gsd": gsd, "entities": entities}))
    scenes.write_text("\n".join(lines))
    assert rune("index", scenes, "-o", folder / "three.rune", "--quiet")[0] == 0
    status, _, err = rune("search", folder / "three.rune", "planes within 50 m of a helicopter")
    assert status == 0
    assert err == (
        "'within 50 m' needs a ground sample distance; 2 of 3 images have none, so they cannot be told.\n"
        "Give it: --image-table FILE (image_id,gsd) or --gsd 0.3 at index. Or ask in pixels: 'within 170 px'.\n"
    )


def test_explain_has_the_promised_shape(archive):
    query = "ships that are not near any harbor"
    matches = {m["image_id"] for m in document("search", archive, query)["matches"]}
    missed = next(f"harbor-{i:04d}" for i in (0, 7, 14, 21, 28) if f"harbor-{i:04d}" not in matches)
    for image, verdict in ((sorted(matches)[0], "satisfied"), (missed, "violated")):
        why = document("explain", archive, image, query)
        promised = {"image_id", "verdict", "formula", "witness", "cores", "nearest", "repairs", "stability"}
        promised.add("certificate")
        assert promised <= set(why)
        assert (why["image_id"], why["verdict"]) == (image, verdict)
    assert {"clauses", "text"} <= set(why["cores"][0])
    assert {"formula", "reading", "span"} <= set(why["cores"][0]["clauses"][0])


def test_a_certificate_travels(archive, folder):
    certificate = folder / "why.json"
    status, out, _ = rune("explain", archive, "harbor-0000", "a ship near a harbor", "--certificate", certificate)
    assert status == 0 and "harbor-0000" in out
    assert rune("verify", certificate, archive)[0] == 0
    changed = json.loads(certificate.read_text())
    changed["min_score"] = 0.25
    (folder / "changed.json").write_text(json.dumps(changed))
    status, _, err = rune("verify", folder / "changed.json", archive)
    assert status == 5 and err


def test_a_core_has_a_certificate_of_its_own(archive, folder):
    core = folder / "core.json"
    query = "two helicopters near a storage tank"
    status, _, _ = rune("explain", archive, "harbor-0000", query, "--core-certificate", core, "--seconds", "3")
    assert status == 0
    assert json.loads(core.read_text())["kind"] == "core"
    assert rune("verify", core, archive)[0] == 0
    status, _, err = rune("explain", archive, "harbor-0000", "exists x (true)", "--fol", "--core-certificate", core)
    assert status == 2 and "has no core: it is satisfied" in err


def test_select_finds_the_things(archive):
    ships = document("select", archive, "{x | ship(x) & large(x)}", "--fol")
    assert ships["variable"] == "x1" and ships["count"] == len(ships["entities"]) > 0
    assert {entity["label"] for entity in ships["entities"]} == {"ship"}
    by_english = document("select", archive, "large ships")
    assert by_english["entities"] == ships["entities"]


def test_files_hold_all_matches(archive, folder):
    status, _, _ = rune(
        "search", archive, "a ship", "--csv", folder / "a.csv", "--geojson", folder / "a.geojson", "--html",
        folder / "a.html", "--quiet",
    )  # fmt: skip
    assert status == 0
    count = document("search", archive, "a ship")["counts"]["satisfied"]
    assert len((folder / "a.csv").read_text().splitlines()) == count + 1
    places = json.loads((folder / "a.geojson").read_text())
    assert len(places["features"]) + places["left_out"] == count  # some of these images have no place on the map
    assert all(
        -180 <= x <= 180 and -90 <= y <= 90 for f in places["features"] for x, y in f["geometry"]["coordinates"][0]
    )
    page = (folder / "a.html").read_text()
    assert "<script" not in page and "http://" not in page and "https://" not in page.replace("https://www.w3.org", "")


def test_why_none_counts_cores(archive):
    answer = document("why-none", archive, "two helicopters near a storage tank")
    assert sum(core["images"] for core in answer["cores"]) == answer["explained"] == answer["counts"]["violated"]


def test_translate_and_parse_have_the_promised_shapes():
    said = document("translate", "ships near a harbor")
    assert set(said) >= {"text", "formula", "reading", "left_out", "with", "candidates"}
    assert said["formula"] == "exists x1 (ship(x1) & exists x2 (harbor(x2) & near(x1, x2)))"
    assert document("parse", "∃x (Ship(x))") == {"ok": True, "canonical": "exists x1 (ship(x1))"}
    status, out, _ = rune("parse", "--lines", "-", "--open", stdin="∀x (P(x) → Q(x))\n∃x (\n")
    first, second = map(json.loads, out.splitlines())
    assert status == 0
    assert first == {"ok": True, "canonical": "forall x1 (p(x1) -> q(x1))"}
    assert second["ok"] is False
    assert set(second["error"]) == {"line", "column", "message", "expected", "hint"}


def test_check_writes_its_scenes(tmp_path):
    query = "exists x (ship(x) & exists y (harbor(y) & near(x, y)))"
    page, made = tmp_path / "check.html", tmp_path / "check.scenes.jsonl"
    status, _, _ = rune("check", query, "--fol", "--against", "exists x (ship(x))", "--html", page, "--scenes", made)
    assert status == 0
    assert page.read_text().count("<svg") == page.read_text().count("<figcaption>") == 3
    assert ">ship 0<" in page.read_text() or ">ship 1<" in page.read_text()
    rune("index", made, "-o", tmp_path / "a.rune", "--quiet")
    answer = document("search", tmp_path / "a.rune", query, "--fol")
    assert [match["image_id"] for match in answer["matches"]] == ["satisfies"]
    assert answer["counts"]["images"] == 3


def test_check_shows_the_passes():
    status, out, _ = rune("check", "~(exists x (ship(x) -> false))", "--fol", "--passes")
    assert status == 0
    assert "push_negations_inward" in out


def test_words_and_info_and_doctor(archive):
    words = document("words")["words"]
    assert {"ship(x)", "near(x, y)", "area(x)"} <= {word["name"] for word in words}
    info = document("info", archive)
    assert info["images"] == 40 and info["vocabulary"] == "dota-v1.5"
    doctor = document("doctor")
    assert doctor["packages"]["z3-solver"]
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {entry["extra"] for entry in doctor["extras"].values()} == set(project["optional-dependencies"]) - {"dev"}


def test_help_names_every_command():
    status, out, _ = rune("--help")
    assert status == 0
    commands = "demo doctor index info words search select explain why-none check parse translate verify"
    assert [name for name in commands.split() if name not in out] == []


def test_ascii_streams_get_ascii(archive):
    command = [sys.executable, "-c", "from rune_smt.cli import main; main()", "search", str(archive), "a ship"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and done.stdout.isascii() and b"ship" in done.stdout


BAD = [
    (["search", "{archive}", ""], 2, "The query is empty."),
    (["search", "{archive}", "exists x (ship(x))"], 2, "This is a formula: add --fol."),
    (["search", "{archive}", "--fol", "exists x (shp(x))"], 2, "Nearest: ship"),
    (["search", "{archive}", "--fol", "exists x (near(x))"], 2, "near"),
    (["search", "{archive}", "--fol", "ship(x)"], 2, "x"),
    (["search", "{archive}", "--fol", "exists x (area(x) > 5 m)"], 2, "area"),
    (["search", "{archive}", "a ship", "--engine", "fast"], 2, "No engine 'fast'."),
    (["search", "{archive}", "a ship", "--mode", "some"], 2, "No mode 'some'."),
    (["search", "{archive}", "a ship", "--min-score", "2"], 2, "min_score lies between 0 and 1"),
    (["search", "{archive}"], 2, "Give one QUERY"),
    (["search", "{folder}/nothing.rune", "a ship"], 3, "No archive at"),
    (["explain", "{archive}", "harbor-0", "a ship"], 2, "No image 'harbor-0'. Nearest: harbor-00"),
    (["select", "{archive}", "--fol", "~(exists x (ship(x)))"], 2, "No entity can answer"),
    (["translate", "two planes near helipads"], 2, "No class or attribute 'helipads' in vocabulary dota-v1.5."),
    (["translate", "ships", "--vocabulary", "dota"], 2, "dota"),
    (["translate", "ships", "--with", "parrot"], 2, "parrot"),
    (["verify", "{folder}/made.rune/archive.json", "{archive}"], 5, ""),
    (["verify", "{folder}/made.rune/images.parquet", "{archive}"], 3, "is no certificate"),
    (["index", "{folder}/none", "-o", "{folder}/x.rune"], 3, "none"),
    (["index", "{folder}", "-o", "{archive}"], 3, ""),
    (["parse", "exists x ("], 2, ""),
    (["parse"], 2, "Give TEXT"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "status", "message"), BAD, ids=lambda value: str(value)[:60])
def test_bad_input_ends_with_a_message_and_a_status(archive, folder, arguments, status, message):
    filled = [argument.format(archive=archive, folder=folder) for argument in arguments]
    found, _, err = rune(*filled)
    assert found == status
    assert message in err and "Traceback" not in err


def test_an_unknown_word_is_shown_with_its_place():
    _, _, err = rune("translate", "two planes near helipads")
    assert err == (
        "No class or attribute 'helipads' in vocabulary dota-v1.5.\n"
        "  two planes near helipads\n"
        "                  ^^^^^^^^\n"
        "Nearest: helicopter. dota-v2.0 has 'helipad': index or search with --vocabulary dota-v2.0.\n"
    )


def test_an_archive_of_another_version_is_refused(archive, folder):
    import shutil

    other = folder / "other.rune"
    shutil.copytree(archive, other)
    facts = json.loads((other / "archive.json").read_text())
    key = next(name for name in facts if "version" in name)
    facts[key] = 99
    (other / "archive.json").write_text(json.dumps(facts))
    status, _, err = rune("info", other)
    assert status == 3 and "99" in err and "Traceback" not in err

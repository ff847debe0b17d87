"""Certificates for a whole result, all of them checked; Z3 beside the engine, and what a disagreement looks like."""

import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

import rune_smt as rune
from rune_smt.archive_certificates import SUFFIX, file_name
from rune_smt.confirming import confirm
from rune_smt.errors import DataError, DisagreementError, QueryError
from rune_smt.query import vocabulary_of
from rune_smt.solver.certificate import make_certificate
from rune_smt.solver.reproducer import by_engine
from rune_smt.solver.world import World
from rune_smt.verdict import SATISFIED, VIOLATED


def box(x, y, w=10, h=4):
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An archive on disk: twelve images, their names awkward, half with a gsd."""
    root = tmp_path_factory.mktemp("archive")
    lines = []
    for i in range(12):
        entities = [
            {"label": "ship", "polygon": box(20 * k, 0), "score": 0.9 - 0.1 * k} for k in range(i % 4)
        ] + [{"label": "harbor", "polygon": box(0, 6, 30, 20), "score": 1.0} for _ in range(i % 3 == 1)]
        name = f"a/b {i:02d}" if i % 2 else f"P{i:04d}"
        lines.append(json.dumps({"image_id": name, "gsd": 0.5 if i % 2 else None, "entities": entities}))
    source = root / "made.scenes.jsonl"
    source.write_text("\n".join(lines) + "\n")
    rune.index(str(source), out=str(root / "made.rune"), progress=False)
    return root


@pytest.fixture(scope="module")
def archive(folder):
    return rune.open_archive(str(folder / "made.rune"))


QUERY = "exists>=2 x (ship(x) & ~(exists y (harbor(y) & near(x, y))))"
METRES = "exists x (ship(x) & length(x) >= 4 m)"


@pytest.mark.parametrize("query", [QUERY, METRES])
def test_every_verdict_of_an_archive_is_proved(archive, tmp_path, query):
    result = rune.search(archive, query)
    written = result.certify(tmp_path / "all", violated=True, progress=False)
    assert written.certificates == len(archive)
    assert not written.without
    checked = rune.verify_all(tmp_path / "all", archive, progress=False)
    assert checked.ok
    expected = {archive.table.images.image_id[i]: code for i, code in enumerate(result.verdicts)}
    words = {SATISFIED: "satisfied", VIOLATED: "violated", 1: "undecided"}
    assert checked.verdicts == {name: words[code] for name, code in expected.items()}
    assert checked.query == str(result.query)


def test_returned_verdicts_alone_leave_the_others_lacking(archive, tmp_path):
    result = rune.search(archive, METRES)
    result.certify(tmp_path, progress=False)
    checked = rune.verify_all(tmp_path, archive, progress=False)
    assert not checked.ok
    assert not checked.failed
    assert set(checked.verdicts) == {*result.ids, *result.undecided}
    assert set(checked.lacking) | set(checked.verdicts) == set(archive.table.images.image_id)
    assert f"No valid certificate for {len(checked.lacking)} of {len(archive)} images: " in checked.text


def test_what_is_changed_missing_twice_or_of_another_query_is_named(archive, tmp_path):
    result = rune.search(archive, QUERY)
    result.certify(tmp_path, violated=True, progress=False)
    names = list(archive.table.images.image_id)
    files = [tmp_path / file_name(name) for name in names]
    changed = json.loads(files[0].read_text())
    files[0].write_text(json.dumps({**changed, "verdict": "undecided"}))
    files[1].unlink()
    files[2].write_text("[]")
    (tmp_path / f"zz{SUFFIX}").write_text(files[3].read_text())
    other = rune.parse("exists x (ship(x))", archive)
    scene = archive[names[4]]
    world = World(scene, vocabulary_of(archive))
    from rune_smt.solver.holds import holds

    certificate = make_certificate(other.formula, world, holds(other.formula, world))
    files[4].write_text(json.dumps(certificate))
    files[5].write_text(json.dumps({**json.loads(files[5].read_text()), "image_id": "nowhere"}))
    checked = rune.verify_all(tmp_path, archive, progress=False)
    assert set(checked.failed) == {files[i].name for i in (0, 2, 4, 5)} | {f"zz{SUFFIX}"}
    assert "another certificate already" in checked.failed[f"zz{SUFFIX}"]
    assert checked.failed[files[4].name].startswith("Its query is ")
    assert set(checked.lacking) == {names[i] for i in (0, 1, 2, 4, 5)}
    assert not checked.ok


def test_certificates_are_replaced_and_refused_where_there_are_none(archive, tmp_path):
    rune.search(archive, QUERY).certify(tmp_path, violated=True, progress=False)
    rune.search(archive, METRES).certify(tmp_path, violated=True, progress=False)
    assert rune.verify_all(tmp_path, archive, progress=False).ok
    with pytest.raises(QueryError, match="mode threshold only"):
        rune.search(archive, QUERY, mode="graded").certify(tmp_path)
    with pytest.raises(DataError, match="holds no certificate"):
        (tmp_path / "empty").mkdir()
        rune.verify_all(tmp_path / "empty", archive)
    with pytest.raises(DataError, match="is no folder"):
        rune.verify_all(tmp_path / "nowhere", archive)


def test_a_verdict_whose_proof_is_too_large_is_named(archive, tmp_path, monkeypatch):
    monkeypatch.setattr("rune_smt.solver.certificate.MAX_STEPS", 3)
    result = rune.search(archive, QUERY)
    written = result.certify(tmp_path, violated=True, progress=False)
    assert 0 < len(written.without) < len(archive)
    assert "more than 3 steps" in written.text
    assert set(rune.verify_all(tmp_path, archive, progress=False).lacking) == set(written.without)


# --- the command line -------------------------------------------------------------------------------------------------


def run(*arguments):
    from rune_smt.cli.app import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_line_writes_and_checks_them(folder, tmp_path):
    archive, certificates = folder / "made.rune", tmp_path / "certificates"
    asked = run("search", archive, QUERY, "--fol", "--certificates", certificates, "--certify-all")
    assert asked.exit_code == 0, asked.output
    every = run("verify", certificates, archive, "--all")
    assert every.exit_code == 0
    assert every.output.startswith("12 certificates hold: ")
    document = json.loads(run("verify", certificates, archive, "--all", "--json").output)
    assert document["ok"] is True
    assert document["lacking"] == []
    (certificates / file_name("P0004")).unlink()
    lacking = run("verify", certificates, archive, "--all")
    assert lacking.exit_code == 5
    assert "No valid certificate for 1 of 12 images: P0004." in lacking.output
    assert run("verify", certificates, archive).exit_code == 0
    assert run("verify", certificates / file_name("a/b 01"), archive).exit_code == 0


def test_the_command_line_shows_degrees_with_what_they_rest_on(folder):
    archive = folder / "made.rune"
    graded = run("search", archive, "exists>=2 x (ship(x))", "--fol", "--mode", "graded")
    assert graded.exit_code == 0
    assert "from 0 to 0.8" in graded.output
    probable = json.loads(
        run("search", archive, "exists>=2 x (ship(x))", "--fol", "--mode", "probability", "--json").output
    )
    assert probable["mode"] == "probability"
    degrees = [match["degree"] for match in probable["matches"]]
    assert degrees == sorted(degrees, reverse=True)
    assert max(degrees) == pytest.approx(0.902)
    assert {match["interval"] for match in probable["matches"]} == {None}


def test_certificates_in_other_modes_are_refused_before_anything_runs(folder, tmp_path):
    asked = run("search", folder / "made.rune", QUERY, "--fol", "--mode", "graded", "--certificates", tmp_path)
    assert isinstance(asked.exception, QueryError)
    assert not list(tmp_path.iterdir())


# --- Z3 beside the engine ---------------------------------------------------------------------------------------------


def test_z3_confirms_what_is_returned_and_a_sample_of_the_others(archive):
    result = rune.search(archive, QUERY, verify=True)
    counts = result.counts
    assert result.confirmation.returned == counts["satisfied"] + counts["undecided"]
    assert result.confirmation.others == result.confirmation.others_of == counts["violated"]
    sampled = confirm(
        archive, result.query.formula, vocabulary_of(archive), 0.5, result.verdicts, "array", sample=3
    )  # fmt: skip
    assert (sampled.others, sampled.seed) == (3, 1)
    assert f"3 of the {counts['violated']} others (drawn with seed 1)" in sampled.text


@pytest.mark.parametrize("lost", [True, False])
def test_a_disagreement_comes_with_a_program_that_shows_it(archive, lost, tmp_path):
    result = rune.search(archive, QUERY)
    wrong = result.verdicts.copy()
    place = int(np.flatnonzero(wrong == (SATISFIED if lost else VIOLATED))[0])
    wrong[place] = VIOLATED if lost else SATISFIED
    with pytest.raises(DisagreementError) as caught:
        confirm(archive, result.query.formula, vocabulary_of(archive), 0.5, wrong, "array")
    assert caught.value.exit_status == 5
    assert "Two engines disagree on image" in caught.value.message
    program = tmp_path / "again.py"
    program.write_text(caught.value.hint.split("\n\n", 1)[1])
    ran = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    word = "satisfied" if lost else "violated"
    said = [f"{engine}: {word}" for engine in ("reference", "columns", "array", "z3")]
    assert ran.stdout.splitlines() == said, ran.stderr
    assert ran.returncode == 0  # here it was the caller who was wrong: all engines agree


def test_a_disagreement_of_engines_is_exit_status_5(archive, monkeypatch):
    from rune_smt.solver.reproducer import replay

    result = rune.search(archive, QUERY)
    scene = archive[result.ids[0]]
    document = {
        "formula": str(result.query), "min_score": 0.5, "scene": scene.to_json(),
        "vocabulary": vocabulary_of(archive).to_toml(),
    }  # fmt: skip
    assert replay(document) == 0
    monkeypatch.setattr("rune_smt.solver.z3_engine.decide", lambda formula, world: VIOLATED)
    assert by_engine(document) == {
        "reference": "satisfied", "columns": "satisfied", "array": "satisfied", "z3": "violated"
    }  # fmt: skip
    assert replay(document) == 5
    with pytest.raises(DisagreementError):
        rune.search(archive, QUERY, verify=True)

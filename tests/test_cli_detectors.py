"""evaluate detection and calibrate, as a person meets them: tables, pictures, probabilities, messages."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rune_smt import open_archive
from rune_smt.cli.app import app
from rune_smt.errors import DataError, QueryError
from rune_smt.evaluate.overlay import MISSED, RIGHT, WRONG


def scene(name, things, size=(400, 300)):
    entities = [
        {"label": label, "score": score, "polygon": [[x, y], [x + 20, y], [x + 20, y + 20], [x, y + 20]]}
        for label, x, y, score in things
    ]
    return json.dumps({"image_id": name, "width": size[0], "height": size[1], "entities": entities})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("detectors")
    rng = np.random.default_rng(0)
    truth, found = [], []
    for number in range(12):
        things = [("ship", 40 * k, 40 * int(rng.integers(0, 6)), 1.0) for k in range(9)]
        seen = [(label, x + 2, y, round(float(rng.uniform(0.3, 0.9)), 3)) for label, x, y, _ in things[:8]]
        seen += [("ship", 360, 260, round(float(rng.uniform(0.05, 0.6)), 3))]
        truth.append(scene(f"p{number}", things))
        found.append(scene(f"p{number}", seen))
    (here / "truth.scenes.jsonl").write_text("\n".join(truth))
    (here / "found.scenes.jsonl").write_text("\n".join(found))
    (here / "pictures").mkdir()
    for number in range(3):
        Image.new("RGB", (400, 300), (20, 60, 90)).save(here / "pictures" / f"p{number}.png")
    for name in ("truth", "found"):
        call("index", here / f"{name}.scenes.jsonl", "-o", here / f"{name}.rune", "--images", here / "pictures", "-q")
    return here


def call(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, DataError | QueryError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def more_of(folder):
    (folder / "more.scenes.jsonl").write_text(scene("q", [("ship", 0, 0, 0.5)]))
    return folder / "more.scenes.jsonl"


def test_the_table_and_the_pictures_of_a_detector(folder):
    compare = ("evaluate", "detection", folder / "truth.rune", folder / "found.rune")
    said = call(*compare, "--overlay", folder / "drawn")
    assert "Wrote 12 pictures" in said and "12 images, score at least 0.25, IoU at least 0.5." in said
    report = json.loads(call(*compare, "--json"))
    ship = report["classes"][0]
    assert (ship["labelled"], ship["right"]) == (108, 96) and ship["recall"] == 96 / 108
    with Image.open(folder / "drawn" / "p0.png") as drawn:
        assert drawn.size == (400, 300)
        colours = {colour for _, colour in drawn.convert("RGB").getcolors(100_000)}
    assert {RIGHT, MISSED, WRONG} <= colours
    strict = json.loads(call(*compare, "--min-iou", 0.95, "--json"))
    assert strict["total"]["right"] == 0


def test_scores_become_probabilities(folder):
    made, drawn = folder / "calibrated.rune", folder / "r.png"
    said = call("calibrate", folder / "found.rune", "-o", made, "--labels", folder / "truth.rune", "--diagram", drawn)
    assert "Learnt by isotonic from 108 detections; a curve of their own have ship." in said
    assert size_of(drawn) == (480, 480)
    table = open_archive(made).table
    assert set(table.attributes) == {"detector_score"}
    with pytest.raises(DataError, match="The scores of calibrated are probabilities, and what is to be"):
        call("index", more_of(folder), "-o", made, "--append", "-q")
    again = json.loads(call("calibrate", folder / "found.rune", "-o", folder / "like.rune", "--like", made, "--json"))
    assert again["detections"] == 108 and again["classes_of_their_own"] == ["ship"]
    assert open_archive(folder / "like.rune").table.score.tolist() == table.score.tolist()


def test_calls_that_cannot_be(folder):
    truth, found = folder / "truth.rune", folder / "found.rune"
    for words, message in (
        ((), "Give --labels, or --like: one of them says what the probabilities are learnt from."),
        (("--like", found), "The scores of found are those of a detector: it keeps no calibration."),
        (("--like", found, "--on", found), "--on and --diagram go with --labels."),
        (("--labels", truth, "--method", "magic"), "A calibration is by temperature or isotonic, got 'magic'."),
    ):
        with pytest.raises((DataError, QueryError)) as caught:
            call("calibrate", found, "-o", folder / "no.rune", *words)
        assert str(caught.value) == message

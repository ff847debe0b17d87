"""The model of a detector's errors: without them nothing changes, fits find what was put in, scores mean something."""

import json
import shlex
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import rune_smt as rune
from rune_smt.cli.app import app
from rune_smt.detect.error_model import (
    ClassErrors,
    ErrorModel,
    FalseAlarms,
    Jitter,
    Scores,
    Seen,
    load_error_model,
    save_error_model,
)
from rune_smt.detect.error_sampling import rectangles, sample
from rune_smt.detect.synthetic import make_scene, make_scenes, write_set
from rune_smt.errors import DataError, QueryError
from rune_smt.evaluate.detection import compare_detections, scored_detections
from rune_smt.evaluate.detector_errors import fit_error_model, fit_without_labels

run = CliRunner().invoke
SIDE, CELL = 2000, 200  # a picture of 100 cells, each with one thing in its middle
ALARMS = FalseAlarms(
    per_megapixel=6, spread=1.5, length_px=(30, 0.3), aspect=(0.8, 0.4), per_thing=0.25, reach=(1.2, 0.2),
    stretch=(0.8, 0.2), scores=tuple(np.linspace(0.05, 0.5, 41)),
)  # fmt: skip
MODEL = ErrorModel(
    {
        "ship": ClassErrors(Seen(2.0, 0.8, -3.0), Scores(1.2, 0.5, -1.5, 0.7), Jitter(0.8, 0.03, 0.6, 0.05, 0.02, 3.0),
                            ALARMS),
        "plane": ClassErrors(Seen(0.5, 0.4, -2.0), Scores(0.2, 0.3, -1.0, 0.9), Jitter(1.5, 0.01, 0.2, 0.1, -0.05, 1.5),
                             FalseAlarms(per_megapixel=4, scores=tuple(np.linspace(0.05, 0.3, 41))), {"ship": 0.08}),
    },
    ClassErrors(Seen(1.0), Scores(0.5, deviation=1.0)),
    0.05,
    0.5,
    (5.0, 200.0),
)  # fmt: skip


def boxes(rng, n):
    """(labels, outlines, hidden shares): one thing in each cell, 12 to 60 px long, two or three to one."""
    cell = np.arange(n)
    centre = (np.stack([cell % 10, cell // 10], axis=1) + 0.5) * CELL + rng.uniform(-4, 4, (n, 2))
    length = np.exp(rng.uniform(np.log(12), np.log(60), n))
    width, angle = length / rng.uniform(1.6, 3, n), rng.uniform(0, np.pi, n)
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (length / 2)[:, None]
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * (width / 2)[:, None]
    a, b = centre - along, centre + along
    corners = np.stack([a - across, b - across, b + across, a + across])
    labels = rng.choice(["ship", "plane"], n).tolist()
    hidden = np.where(rng.random(n) < 0.5, 0, rng.uniform(0, 0.9, n))
    return labels, np.asarray(shapely.polygons(corners.transpose(1, 0, 2)), dtype=object), hidden


def table_of(folder, name, images):
    """The table of (labels, scores, outlines, hidden) by image."""
    lines = []
    for image_id, (labels, scores, shapes, hidden) in images.items():
        entities = [
            {"entity_id": i, "label": label, "score": float(score), "attributes": {"occluded": float(share)},
             "polygon": shapely.get_coordinates(shape)[:4].tolist()}
            for i, (label, score, shape, share) in enumerate(zip(labels, scores, shapes, hidden, strict=True))
        ]  # fmt: skip
        lines.append(json.dumps({"image_id": image_id, "width": SIDE, "height": SIDE, "entities": entities}))
    path = folder / f"{name}.scenes.jsonl"
    path.write_text("\n".join(lines))
    return rune.index(path, vocabulary="dota-v1.5", progress=False).table


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    """Labels and detections of 60 pictures of 100 things, made with MODEL."""
    rng, folder = np.random.default_rng(5), tmp_path_factory.mktemp("sampled")
    truth, seen = {}, {}
    for number in range(60):
        labels, shapes, hidden = boxes(rng, 100)
        found = sample(MODEL, labels, shapes, hidden, (SIDE, SIDE), rng).detections
        truth[f"p{number}"] = labels, np.ones(100), shapes, hidden
        seen[f"p{number}"] = found.labels, found.scores, found.shapes, np.zeros(len(found))
    return table_of(folder, "truth", truth), table_of(folder, "seen", seen)


def test_a_fit_finds_what_was_put_in(sampled):
    fitted = fit_error_model(*sampled)
    assert fitted.about["things"] == 6000 and fitted.about["hardly_told_by_the_data"] == []
    for name, true in MODEL.classes.items():
        got = fitted.of(name)
        assert got.things == pytest.approx(3000, rel=0.1)
        for part, least in (("seen", 0.3), ("scores", 0.12)):
            ours, theirs = getattr(true, part), getattr(got, part)
            assert theirs.intercept == pytest.approx(ours.intercept, abs=least) if part == "seen" else True
            assert theirs.per_octave == pytest.approx(ours.per_octave, abs=least)
            assert theirs.occluded == pytest.approx(ours.occluded, abs=3 * least)
        assert got.scores.mean == pytest.approx(true.scores.mean, abs=0.12)
        assert got.scores.deviation == pytest.approx(true.scores.deviation, abs=0.06)
        for field in ("shift_px", "stretch_px", "angle_deg"):
            assert getattr(got.jitter, field) == pytest.approx(getattr(true.jitter, field), rel=0.25, abs=0.15), field
        for field in ("shift_share", "stretch_share", "stretch_bias"):
            assert getattr(got.jitter, field) == pytest.approx(getattr(true.jitter, field), abs=0.02), field
        alarms, wanted = got.false_alarms, true.false_alarms
        assert alarms.per_megapixel == pytest.approx(wanted.per_megapixel, rel=0.3)
        assert np.allclose(alarms.scores, wanted.scores, atol=0.05)
    ship = fitted.of("ship").false_alarms
    assert ship.per_thing == pytest.approx(0.25, abs=0.04) and ship.spread == pytest.approx(1.5, rel=0.5)
    assert ship.reach[0] == pytest.approx(1.2, abs=0.1) and ship.stretch[0] == pytest.approx(0.8, abs=0.08)
    assert ship.length_px[0] == pytest.approx(30, rel=0.1) and ship.aspect[0] == pytest.approx(0.8, rel=0.15)
    assert fitted.of("plane").confused == {"ship": pytest.approx(0.08, abs=0.02)}
    assert fitted.of("plane").false_alarms.spread is None or fitted.of("plane").false_alarms.spread > 4
    assert fitted.sizes[0] < 10 and fitted.sizes[1] > 35


def test_where_nothing_was_hidden_the_fit_says_that_it_assumes(sampled):
    truth, seen = sampled
    fitted = fit_error_model(truth, seen, occluded=None)
    assert fitted.about["hardly_told_by_the_data"] == ["seen.occluded", "scores.occluded"]
    assert fitted.other.seen.occluded == pytest.approx(-3.0)


def test_scores_and_false_alarms_are_told_apart_without_labels():
    rng = np.random.default_rng(2)
    n, false = 800, 5200
    lengths, widths = rng.uniform(30, 120, n + false), rng.uniform(20, 30, n + false)
    octaves = np.log2(np.sqrt(lengths * widths) / 32)
    right = 1.3 + 0.4 * octaves[:n] + 0.6 * rng.standard_normal(n)
    odds = np.concatenate([right, rng.exponential(0.6, false) - np.log(19)])
    kept = odds >= -np.log(19)
    images = rng.integers(0, 300, n + false)
    scores, alarms, share = fit_without_labels(
        1 / (1 + np.exp(-odds[kept])), lengths[kept], widths[kept], images[kept], 600.0, of=300
    )
    assert share == pytest.approx(n / (n + false), abs=0.02)
    assert scores.mean == pytest.approx(1.3, abs=0.15) and scores.deviation == pytest.approx(0.6, abs=0.1)
    assert scores.per_octave == pytest.approx(0.4, abs=0.15)
    assert alarms.per_megapixel == pytest.approx(false / 600, rel=0.05)


# --- samples ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 500))
@settings(max_examples=10)
def test_without_errors_everything_is_seen_as_it_is(index):
    scene = make_scene(index, 1, 256)
    shapes = np.asarray(shapely.polygons(scene.polygons), dtype=object)
    hidden = scene.attributes["occluded"]
    found = sample(ErrorModel.none(), scene.labels, shapes, hidden, (256, 256), np.random.default_rng(0))
    assert sorted(found.thing.tolist()) == list(range(len(scene.labels)))
    assert (found.detections.scores == 1).all()
    for label, shape, thing in zip(found.detections.labels, found.detections.shapes, found.thing, strict=True):
        assert label == scene.labels[thing] and shape == shapes[thing]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_samples_are_seeded_and_keep_to_the_model(seed):
    labels, shapes, hidden = boxes(np.random.default_rng(seed), 40)
    once, again = (sample(MODEL, labels, shapes, hidden, (SIDE, SIDE), np.random.default_rng(seed)) for _ in range(2))
    found = once.detections
    assert found.labels == again.detections.labels and np.array_equal(found.scores, again.detections.scores)
    assert shapely.equals_exact(found.shapes, again.detections.shapes, 0).all()
    assert (found.scores >= MODEL.min_score).all() and (np.diff(found.scores) <= 0).all()
    for label, shape, thing in zip(found.labels, found.shapes, once.thing, strict=True):
        if thing >= 0 and label == labels[thing]:
            assert shape.intersection(shapes[thing]).area >= 0.49 * shape.union(shapes[thing]).area
    assert len({(label, thing) for label, thing in zip(found.labels, once.thing, strict=True) if thing >= 0}) == int(
        (once.thing >= 0).sum()
    )


def test_higher_scores_are_right_more_often_and_large_clear_things_are_seen_more():
    model, rng = load_error_model("default"), np.random.default_rng(1)
    score, right, size, hidden, seen = [], [], [], [], []
    for scene in make_scenes(60, 2, 512, kinds=["harbor", "car_park", "sports_ground", "airfield"]):
        shapes = np.asarray(shapely.polygons(scene.polygons), dtype=object)
        share = rng.uniform(0, 0.9, len(shapes)) * (rng.random(len(shapes)) < 0.5)
        found = sample(model, scene.labels, shapes, share, (512, 512), rng)
        score += found.detections.scores.tolist()
        right += (found.thing >= 0).tolist()
        size += rectangles(shapes).size.tolist()
        hidden += share.tolist()
        seen += np.isin(np.arange(len(shapes)), found.thing).tolist()
    score, right = np.array(score), np.array(right)
    shares = [right[(score >= low) & (score < high)].mean() for low, high in pairwise((0.05, 0.15, 0.4, 1))]
    assert all(a < b - 0.05 for a, b in pairwise(shares)), shares
    size, hidden, seen = np.array(size), np.array(hidden), np.array(seen)
    assert seen[size < 12].mean() < seen[size > 20].mean()
    assert seen[hidden > 0.6].mean() < seen[hidden == 0].mean() - 0.1


# --- files and the command --------------------------------------------------------------------------------------------


def test_the_shipped_model_says_where_it_comes_from():
    model = load_error_model("default")
    assert {"ship", "large_vehicle", "tennis_court", "roundabout"} <= set(model.classes)
    assert model.about["labelled_pictures"]["things"] > 700
    assert sum(model.about["detections_without_labels"]["detections"].values()) == 28_120
    assert len(model.about["assumed"]) > 5
    assert all(errors.seen.occluded < 0 and errors.seen.per_octave > 0 for errors in model.classes.values())


def test_models_come_back_from_their_files(tmp_path):
    path = tmp_path / "model.json"
    save_error_model(MODEL, path)
    again = load_error_model(path)
    assert again.to_json() == MODEL.to_json()
    assert again.of("ship").jitter == MODEL.of("ship").jitter and again.of("harbor") == MODEL.other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("format"), "model.json is no model of detector errors.\n"
         'It has "format": "rune-smt detector errors".'),
        (lambda m: m.update(version=7), "model.json has version 7; this program reads version 1."),
        (lambda m: m["other"].pop("seen"), "model.json cannot be read: KeyError: 'seen'."),
        (lambda m: m["other"]["scores"].update(deviation=-1), "model.json: other: deviations are not negative."),
        (lambda m: m["classes"]["ship"]["false_alarms"].update(scores=[0.5, 0.1]),
         "model.json: ship: scores of false alarms are two or more, rising from 0 to 1."),
        (lambda m: m["classes"]["plane"].update(confused={"ship": 3}),
         "model.json: plane: shares of confused things go from 0 to 1."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    save_error_model(MODEL, "model.json")
    plain = json.loads((tmp_path / "model.json").read_text())
    change(plain)
    (tmp_path / "model.json").write_text(json.dumps(plain))
    with pytest.raises(DataError) as raised:
        load_error_model("model.json")
    assert str(raised.value) == message


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(DataError, match="The shipped model is called default"):
        load_error_model(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"format":')
    with pytest.raises(DataError, match=r"half.json:1: not valid JSON"):
        load_error_model(tmp_path / "half.json")


@pytest.mark.parametrize("format", ["dota", "coco", "yolo-obb", "scenes"])
def test_the_command_writes_detections_that_are_read_back(tmp_path, format):
    out = tmp_path / "set"
    call = ["synth", str(out), "--images", "4", "--seed", "3", "--size", "256", "--format", format, "--workers", "1"]
    made = run(app, [*call, "--kind", "harbor,car_park", "--detector-errors", "default", "--json"])
    assert made.exit_code == 0, made.output
    report = json.loads(made.stdout)
    tables = []
    for command in (report["read_with"], report["read_detections_with"]):
        arguments = shlex.split(command)[1:]
        read = run(app, [*arguments, "--json"])
        assert read.exit_code == 0, read.output
        tables.append(rune.open_archive(arguments[arguments.index("-o") + 1]).table)
    truth, seen = tables
    assert len(seen) == report["detections"] > 20 and len(seen.images) == 4
    assert np.allclose(seen.images.gsd, truth.images.gsd)
    assert compare_detections(truth, seen, min_score=0.05, difficult=None).total.recall > 0.5
    _, scores, right = scored_detections(truth, seen, difficult=None)
    assert scores.min() >= 0.05 and scores[right].mean() > scores[~right].mean()


def test_a_model_is_fitted_and_used_from_the_command_line(tmp_path):
    call = ["synth", str(tmp_path / "set"), "--images", "6", "--size", "256", "--kind", "car_park", "--workers", "1"]
    report = json.loads(run(app, [*call, "--detector-errors", "default", "--json"]).stdout)
    for command in (report["read_with"], report["read_detections_with"]):
        assert run(app, shlex.split(command)[1:]).exit_code == 0
    labels, seen, model = (str(tmp_path / name) for name in ("set.rune", "set-detections.rune", "model.json"))
    fitted = run(app, ["evaluate", "errors", labels, seen, "-o", model, "--difficult"])
    assert fitted.exit_code == 0, fitted.output
    assert "small_vehicle" in fitted.output and "Assumed, for the data hardly tell: " in fitted.output
    assert load_error_model(model).of("small_vehicle").seen.intercept > 1
    again = run(app, [*call, "--overwrite", "--detector-errors", model])
    assert again.exit_code == 0 and "scored detections" in again.output
    missing = run(app, [*call, "--overwrite", "--detector-errors", "none.json"])
    assert "none.json cannot be read" in str(missing.exception)


def test_detections_with_errors_are_of_boxes(tmp_path):
    errors = ErrorModel.none()
    with pytest.raises(QueryError, match="Masks have no scores"):
        write_set(tmp_path / "a", 1, format="masks", errors=errors)
    with pytest.raises(QueryError, match="The errors of a detector are those of boxes"):
        write_set(tmp_path / "b", 1, format="coco", kinds=["flooded_street"], errors=errors)

"""Probabilities that hold: what is fitted comes back, curves rise, the archive keeps what was done."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rune_smt as rune
from rune_smt.calibrating import RAW, calibrated, fit_calibration
from rune_smt.detect.calibration import (
    Calibration,
    Temperature,
    calibration_error,
    fit,
    fit_isotonic,
    fit_temperature,
    reliability,
    reliability_picture,
)
from rune_smt.errors import DataError, QueryError
from tests.shared import shared


def happened(n, truth, seed=0):
    """Scores, and whether each is right with the probability that `truth` gives."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.02, 0.98, n)
    return scores, rng.uniform(size=n) < truth(scores)


@pytest.mark.parametrize("value", [0.5, 1.0, 2.5])
def test_a_temperature_comes_back(value):
    scores, right = happened(20_000, Temperature(value))
    assert fit_temperature(scores, right).value == pytest.approx(value, rel=0.06)


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
def test_probabilities_hold_on_detections_not_fitted_on(method):
    truth = Temperature(2.5)
    scores, right = happened(4000, truth)
    calibration = fit(["ship"] * 4000, scores, right, method)
    fresh, so = happened(4000, truth, seed=1)
    before, after = (reliability(p, so) for p in (fresh, calibration(["ship"] * 4000, fresh)))
    assert calibration_error(after) < 0.03 < calibration_error(before)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
@settings(max_examples=120)
def test_isotonic_curves_rise_and_keep_off_the_ends(drawn):
    scores, right = np.array([s for s, _ in drawn]), np.array([r for _, r in drawn])
    fitted = fit_isotonic(scores, right)(np.linspace(0, 1, 50))
    assert (np.diff(fitted) >= -1e-12).all() and (fitted > 0).all() and (fitted < 1).all()


def test_isotonic_pools_what_falls():
    scores, right = np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, True, False, True])
    assert fit_isotonic(scores, right).scores == pytest.approx((0.1, 0.25, 0.4))


def test_classes_with_enough_detections_have_their_own_curve():
    sure, right_sure = happened(300, Temperature(0.5))
    unsure, right_unsure = happened(300, Temperature(4.0), seed=1)
    few, right_few = happened(20, Temperature(1.0), seed=2)
    labels = ["plane"] * 300 + ["ship"] * 300 + ["harbor"] * 20
    scores, right = np.concatenate([sure, unsure, few]), np.concatenate([right_sure, right_unsure, right_few])
    calibration = fit(labels, scores, right, "temperature")
    assert set(calibration.by_label) == {"plane", "ship"} and calibration.detections == 620
    plane, ship, harbor = calibration(["plane", "ship", "harbor"], np.full(3, 0.9))
    assert plane > harbor > ship
    again = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert again(labels, scores).tolist() == calibration(labels, scores).tolist()


def test_what_nothing_can_be_learnt_from():
    for right, words in ((np.ones(3, bool), "all are"), (np.zeros(3, bool), "none is")):
        with pytest.raises(QueryError, match=f"Of 3 detections {words} right: nothing can be learnt from that"):
            fit(["a"] * 3, np.full(3, 0.5), right)
    with pytest.raises(QueryError, match="by temperature or isotonic, got 'magic'"):
        fit(["a"] * 2, np.full(2, 0.5), np.array([True, False]), "magic")
    with pytest.raises(DataError, match="The calibration cannot be read"):
        Calibration.from_json({"method": "isotonic"})


def test_the_diagram_is_drawn():
    scores, right = happened(500, Temperature(2))
    picture = reliability_picture({"scores": reliability(scores, right), "nothing": ()})
    assert picture.size == (480, 480) and len(picture.getcolors(100_000)) > 5


def test_a_real_detector_is_calibrated_and_its_archive_remembers(tmp_path):
    pytest.importorskip("onnxruntime")
    model, pictures = shared("models", "yolo26n-obb.onnx"), shared("data", "dota", "images")
    labels = rune.index(shared("data", "dota", "labelTxt"), vocabulary="dota-v1.5", progress=False)
    seen = rune.index(pictures, detector=model, vocabulary="dota-v1.5", progress=False)
    fitted = fit_calibration(seen, labels)
    assert fitted.after < fitted.before
    made = calibrated(seen, fitted.calibration, tmp_path / "p.rune")
    back = rune.open_archive(tmp_path / "p.rune")
    assert back.facts.calibration == fitted.calibration.to_json() == made.facts.calibration
    assert back.entities.column(RAW).to_pylist() == seen.entities.column("score").to_pylist()
    assert rune.search(back, "exists x (ship(x) & detector_score(x) > 0.5)").ids == ("P0706",)
    with pytest.raises(DataError, match="are probabilities already"):
        calibrated(back, fitted.calibration)

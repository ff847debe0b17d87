"""A real detector on real pictures: what it finds, in tiles and whole, and what can be asked of it."""

from functools import cache

import numpy as np
import pytest

import rune_smt as rune
from rune_smt.evaluate.detection import compare_detections
from tests.shared import shared

DOTA8 = [  # the order of the numbers in DOTA8's label files
    *("plane", "ship", "storage_tank", "baseball_diamond", "tennis_court", "basketball_court", "ground_track_field"),
    *("harbor", "bridge", "large_vehicle", "small_vehicle", "helicopter", "roundabout", "soccer_ball_field"),
    "swimming_pool",
]


@cache
def seen(*parts, tile=None):
    pytest.importorskip("onnxruntime")
    model, pictures = shared("models", "yolo26n-obb.onnx"), shared("data", *parts)
    return rune.index(pictures, detector=model, tile=tile, vocabulary="dota-v1.5", progress=False)


def counts(archive, score=0.25):
    table = archive.table
    found = np.bincount(table.label[table.score >= score], minlength=len(table.classes))
    return dict(zip(table.classes, found.tolist(), strict=True))


def test_nine_in_ten_ships_and_large_vehicles_are_found():
    labels = rune.index(shared("data", "dota", "labelTxt"), vocabulary="dota-v1.5", progress=False)
    report = compare_detections(labels.table, seen("dota", "images").table)
    for name in ("ship", "large_vehicle"):
        assert report.of(name).recall > 0.95 and report.of(name).precision > 0.85, report.render()
    assert report.of("ship").labelled == 525  # and six difficult ones: no limit of 300 in the way


def test_crops_of_eight_pictures():
    labels = rune.index(shared("data", "dota8", "labels"), names=DOTA8, vocabulary="dota-v1.5", progress=False)
    report = compare_detections(labels.table, seen("dota8", "images").table)
    assert report.total.recall > 0.95 and report.total.precision > 0.75, report.render()


def test_tiles_see_what_the_whole_shows():
    whole, tiles = counts(seen("dota", "images", tile=0)), counts(seen("dota", "images", tile=512))
    for name in ("ship", "large_vehicle"):
        assert tiles[name] == pytest.approx(whole[name], rel=0.04)


def test_english_over_what_the_detector_saw():
    archive = seen("dota", "images")
    assert rune.search(archive, rune.translate("images with at least 400 ships and a harbor")).ids == ("P0706",)
    assert rune.search(archive, rune.translate("at least 30 large vehicles and no ship")).ids == ("P1888",)
    why = rune.explain(archive, rune.translate("at least 30 large vehicles and no ship"), "P1888")
    assert why.picture().size[0] > 200

"""Recall and precision: the matching on cases counted by hand, and laws of it."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import rune_smt as rune
from rune_smt.errors import QueryError
from rune_smt.evaluate.detection import assign, compare_detections


def archive(images, **attributes):
    """{image: [(label, (left, top, right, bottom), score)]}"""
    import pyarrow as pa

    rows = [(name, *row) for name, things in images.items() for row in things]
    entities = pa.table(
        {
            "image_id": pa.array([row[0] for row in rows], pa.string()),
            "label": pa.array([row[1] for row in rows], pa.string()),
            "score": pa.array([row[3] for row in rows], pa.float64()),
            "geometry": pa.array([shapely.to_wkb(shapely.box(*row[2])) for row in rows], pa.binary()),
            **{name: pa.array(values) for name, values in attributes.items()},
        }
    )
    return rune.archive_from_arrow(entities, pa.table({"image_id": pa.array(list(images), pa.string())})).table


SQUARE, NEAR, FAR = (0, 0, 10, 10), (1, 0, 11, 10), (50, 50, 60, 60)


def test_counted_by_hand():
    labels = archive({"a": [("ship", SQUARE, 1), ("ship", FAR, 1)], "b": [("plane", SQUARE, 1)], "c": []})
    seen = archive(
        {
            "a": [("ship", NEAR, 0.9), ("ship", SQUARE, 0.4), ("plane", FAR, 0.8), ("ship", FAR, 0.1)],
            "b": [("plane", NEAR, 0.3)],
            "d": [("ship", SQUARE, 0.9)],
        }
    )
    report = compare_detections(labels, seen)
    ship, plane = report.of("ship"), report.of("plane")
    assert (ship.labelled, ship.seen, ship.right) == (2, 2, 1)
    assert (plane.labelled, plane.seen, plane.right) == (1, 2, 1)
    assert (report.total.recall, report.total.precision) == (2 / 3, 0.5)
    assert report.images == ("a", "b") and report.only_labelled == ("c",) and report.only_seen == ("d",)
    assert compare_detections(labels, seen, min_iou=0.95).of("ship").right == 1
    assert compare_detections(labels, seen, min_score=0.05).of("ship").recall == 1
    assert report.render().splitlines() == [
        "class  labelled    seen   right  recall  precision",
        "plane         1       2       1   1.000      0.500",
        "ship          2       2       1   0.500      0.500",
        "all           3       4       2   0.667      0.500",
        "2 images, score at least 0.25, IoU at least 0.5. 1 labelled images were not looked at. "
        "1 images have no labels.",
    ]


def test_the_difficult_neither_help_nor_harm():
    labels = archive({"a": [("ship", SQUARE, 1), ("ship", FAR, 1)]}, difficult=[0, 1])
    seen = archive({"a": [("ship", SQUARE, 0.9), ("ship", FAR, 0.8)]})
    ship = compare_detections(labels, seen).of("ship")
    assert (ship.labelled, ship.seen, ship.right) == (1, 1, 1)
    assert compare_detections(labels, seen, difficult=None).of("ship").labelled == 2


def test_nothing_in_common():
    with pytest.raises(QueryError, match="have no image in common"):
        compare_detections(archive({"a": []}), archive({"b": []}))


def test_nothing_labelled_or_seen():
    report = compare_detections(archive({"a": []}), archive({"a": [("ship", SQUARE, 0.9)]}))
    assert np.isnan(report.of("ship").recall) and report.to_json()["classes"][0]["recall"] is None
    assert report.of("plane").labelled == 0


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 999))
@settings(max_examples=80)
def test_each_thing_is_taken_once_and_only_by_what_overlaps_enough(found, things, seed):
    rng = np.random.default_rng(seed)
    iou, scores, hard = rng.uniform(0, 1, (found, things)), rng.uniform(0, 1, found), rng.uniform(0, 1, things) < 0.3
    taken = assign(iou, scores, hard, 0.5)
    used = taken[taken >= 0].tolist()
    assert len(set(used)) == len(used)
    for row, thing in enumerate(taken.tolist()):
        if thing >= 0:
            assert iou[row, thing] >= 0.5
        else:  # whatever it could have been is taken by a better one
            for other in np.flatnonzero(iou[row] >= 0.5).tolist():
                assert other in used and scores[taken.tolist().index(other)] >= scores[row]

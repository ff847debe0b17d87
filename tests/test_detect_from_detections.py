"""Archives from other libraries' detections: image names, sizes, classes of the vocabulary, attributes."""

from types import SimpleNamespace

import numpy as np
import pytest

import rune_smt as rune
from rune_smt.errors import DataError
from rune_smt.from_detections import from_supervision, from_ultralytics

NAMES = {0: "storage tank", 1: "zeppelin"}


def result(path, *boxes):
    """(class number, score, corners) each."""
    obb = SimpleNamespace(
        xyxyxyxy=np.array([box for *_, box in boxes], float).reshape(-1, 4, 2),
        conf=np.array([score for _, score, _ in boxes], float),
        cls=np.array([number for number, *_ in boxes], float),
    )
    return SimpleNamespace(path=path, orig_shape=(60, 80), names=NAMES, obb=obb, masks=None, boxes=None)


BOX = [[0, 0], [9, 0], [9, 4], [0, 4]]


def test_results_become_an_archive():
    archive = from_ultralytics([result("in/a.png", (0, 0.9, BOX), (1, 0.6, BOX)), result("in/b.png")], most=2)
    assert archive.class_counts() == {"storage_tank": 1, "zeppelin": 1}
    assert archive.images.column("image_id").to_pylist() == ["a", "b"]
    assert archive.images.column("width").to_pylist() == [80, 80]
    assert archive.images.column("truncated").to_pylist() == [True, False]
    assert archive.entities.column("source_label").to_pylist() == ["storage tank", "zeppelin"]
    assert rune.search(archive, "exists x (storage_tank(x) & exists y (zeppelin(y)))").ids == ("a",)
    assert rune.search(archive, "~(exists x (storage_tank(x)))").ids == ("b",)


def test_the_same_image_twice_is_refused():
    with pytest.raises(DataError, match="Image 'a' is given twice"):
        from_ultralytics([result("x/a.png"), result("y/a.png")])


def test_supervision_becomes_an_archive(tmp_path):
    found = SimpleNamespace(
        xyxy=np.array([[0, 0, 9, 4], [20, 20, 30, 30]]),
        mask=None,
        confidence=np.array([0.9, 0.4]),
        class_id=np.array([0, 0]),
        tracker_id=np.array([3, 4]),
        data={"speed": np.array([1.5, 9.0])},
        metadata={"width": 80, "height": 60},
    )
    archive = from_supervision({"a": found, "b": found}, tmp_path / "s.rune", names=NAMES, sizes={"b": (500, 400)})
    assert archive.images.column("width").to_pylist() == [80, 500]
    assert rune.search(archive, "exists x (storage_tank(x) & speed(x) > 5)", min_score=0.3).ids == ("a", "b")
    assert archive.entities.column("object_id").to_pylist() == [3, 4, 3, 4]

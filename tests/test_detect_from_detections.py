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


def sample(name, size=(80, 60), **fields):
    """As FiftyOne's samples: attributes, and fields by their names."""

    class Sample(SimpleNamespace):
        def __getitem__(self, field):
            return fields[field]

    metadata = None if size is None else SimpleNamespace(width=size[0], height=size[1])
    return Sample(filepath=f"/in/{name}.png", id=f"id-{name}", metadata=metadata)


def test_fiftyone_detections_and_polylines_become_an_archive():
    mask = np.zeros((4, 8), bool)
    mask[1:3, 2:6] = True
    boxes = SimpleNamespace(
        detections=[
            SimpleNamespace(
                label="ship", bounding_box=[0.5, 0.5, 0.25, 0.1], confidence=None, mask=None, tags=["a", "b"]
            ),
            SimpleNamespace(label="plane", bounding_box=[0, 0, 0.5, 0.5], confidence=0.25, mask=mask, iscrowd=True),
        ]
    )
    ring = [[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)], [(0.4, 0.4), (0.5, 0.4), (0.5, 0.5), (0.4, 0.5)]]
    lines = SimpleNamespace(polylines=[SimpleNamespace(label="harbor", points=ring, closed=True, filled=False)])
    archive = rune.from_fiftyone([sample("a", gt=boxes), sample("b", gt=lines), sample("c", gt=None)], "gt")
    table = archive.table
    assert archive.images.column("sample_id").to_pylist() == ["id-a", "id-b", "id-c"]
    rows = {table.classes[code]: row for row, code in enumerate(table.label)}
    shapes = table.outlines(np.arange(3))
    assert shapes[rows["ship"]].bounds == (40, 30, 60, 36) and table.score[rows["ship"]] == 1
    assert shapes[rows["plane"]].bounds == pytest.approx((10, 7.5, 30, 22.5)) and table.score[rows["plane"]] == 0.25
    assert shapes[rows["harbor"]].area == pytest.approx(40 * 30 - 8 * 6)
    assert set(table.attributes) == {"iscrowd", "tags"}


def test_fiftyone_labels_that_cannot_be_read():
    line = SimpleNamespace(
        polylines=[SimpleNamespace(label="x", points=[[(0, 0), (1, 1)]], closed=False, filled=False)]
    )
    for made, message in (
        (sample("a", gt=line), "/in/a.png: gt 0: a polyline is neither closed nor filled, so it has no area."),
        (
            sample("a", gt=SimpleNamespace(label="x")),
            "/in/a.png: gt holds SimpleNamespace; Polylines",
        ),
        (sample("a"), "/in/a.png: no field 'gt'."),
        (sample("a", None, gt=None), "/in/a.png: its size is unknown: the sample has no metadata and"),
    ):
        with pytest.raises(DataError) as caught:
            rune.from_fiftyone([made], "gt")
        assert caught.value.message.startswith(message)

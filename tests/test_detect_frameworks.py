"""From other libraries' results to detections: their documented attributes in plain arrays, no library, no weights."""

from types import SimpleNamespace

import numpy as np
import pytest
import shapely

from rune_smt.detect.detector import Detections, DetectorKind, detector_kinds, load_detector
from rune_smt.detect.huggingface_detector import detections_of as from_pipeline
from rune_smt.detect.huggingface_detector import no_pickles
from rune_smt.detect.supervision_detections import from_supervision, supervision_fields, to_supervision
from rune_smt.detect.ultralytics_detector import detections_of as from_results
from rune_smt.errors import DataError, MissingExtra

NAMES = {0: "plane", 1: "ship"}
DIAMOND = np.array([[10, 0], [20, 10], [10, 20], [0, 10]], float)


class Tensor:
    """A tensor on a device: numbers only after `.cpu().numpy()`."""

    def __init__(self, values):
        self.values = np.asarray(values, np.float32)

    def cpu(self):
        return self

    def numpy(self):
        return self.values


def results(**parts):
    return SimpleNamespace(**{"names": NAMES, "obb": None, "masks": None, "boxes": None, **parts})


def boxes(n, **more):
    xyxy = Tensor(np.tile([0, 0, 20, 20], (n, 1)))
    return SimpleNamespace(xyxy=xyxy, conf=Tensor(np.linspace(0.9, 0.3, n)), cls=Tensor(np.arange(n) % 2), **more)


# --- Ultralytics ------------------------------------------------------------------------------------------------------


def test_oriented_boxes_of_results():
    obb = SimpleNamespace(xyxyxyxy=Tensor(DIAMOND[None]), conf=Tensor([0.75]), cls=Tensor([1]))
    seen = from_results(results(obb=obb))
    assert list(seen.labels) == ["ship"] and seen.scores.tolist() == [0.75]
    assert seen.shapes[0].equals(shapely.Polygon(DIAMOND)) and not seen.truncated


def test_boxes_of_results():
    seen = from_results(results(boxes=boxes(2)))
    assert list(seen.labels) == ["plane", "ship"] and seen.shapes[0].bounds == (0, 0, 20, 20)


def test_outlines_of_masks_come_before_boxes_but_for_empty_ones():
    masks = SimpleNamespace(xy=[DIAMOND.astype(np.float32), np.zeros((0, 2), np.float32)])
    seen = from_results(results(boxes=boxes(2), masks=masks))
    assert [shape.area for shape in seen.shapes] == [200, 400]


def test_a_full_list_of_results_is_marked():
    assert from_results(results(boxes=boxes(3)), most=3).truncated
    assert not from_results(results(boxes=boxes(3)), most=4).truncated


def test_nothing_seen():
    none = SimpleNamespace(xyxyxyxy=Tensor(np.zeros((0, 4, 2))), conf=Tensor([]), cls=Tensor([]))
    assert len(from_results(results(obb=none))) == 0
    assert len(from_results(results(boxes=boxes(0)))) == 0
    assert len(from_pipeline([])) == 0


def test_results_without_boxes_are_refused():
    with pytest.raises(DataError, match="The results hold neither oriented boxes nor boxes"):
        from_results(results())


def test_a_class_without_name_is_refused():
    with pytest.raises(DataError, match="the results: class 1 has no name; 1 are known"):
        from_results(results(boxes=boxes(2), names={0: "plane"}))


# --- Hugging Face -----------------------------------------------------------------------------------------------------


def test_a_pipelines_result():
    seen = from_pipeline(
        [
            {"score": 0.98, "label": "boat", "box": {"xmin": 1, "ymin": 2, "xmax": 11, "ymax": 22}},
            {"score": 0.5, "label": "car", "box": {"xmin": 5, "ymin": 5, "xmax": 8, "ymax": 6}},
        ]
    )
    assert list(seen.labels) == ["boat", "car"]
    assert [shape.bounds for shape in seen.shapes] == [(1, 2, 11, 22), (5, 5, 8, 6)]


# --- supervision ------------------------------------------------------------------------------------------------------


def fields(**parts):
    empty = {"xyxy": np.tile([0, 0, 20, 20], (2, 1)), "mask": None, "confidence": None, "class_id": None}
    return SimpleNamespace(**{**empty, "tracker_id": None, "data": {}, **parts})


def test_supervision_names_before_numbers():
    named = fields(data={"class_name": np.array(["ship", "plane"])}, class_id=np.array([0, 1]))
    assert list(from_supervision(named, NAMES).labels) == ["ship", "plane"]
    assert list(from_supervision(fields(class_id=np.array([0, 1])), NAMES).labels) == ["plane", "ship"]
    assert list(from_supervision(fields(class_id=np.array([0, 1])), ["a", "b"]).labels) == ["a", "b"]
    with pytest.raises(DataError) as error:
        from_supervision(fields(class_id=np.array([0, 1])))
    assert str(error.value) == (
        'These supervision.Detections have no data["class_name"] and no names for its class_id.\n'
        "Give names=, a list or a dictionary of class names by number."
    )


def test_supervision_corners_before_masks_before_boxes():
    mask = np.zeros((2, 30, 30), bool)
    mask[0, 4:8, 5:15] = True
    named = {"class_name": np.array(["ship", "plane"])}
    corners = from_supervision(fields(mask=mask, data={**named, "xyxyxyxy": np.stack([DIAMOND, DIAMOND])}))
    assert [shape.area for shape in corners.shapes] == [200, 200]
    masks = from_supervision(fields(mask=mask, data=named))
    assert [shape.bounds for shape in masks.shapes] == [(5, 4, 15, 8), (0, 0, 20, 20)]
    assert [shape.area for shape in from_supervision(fields(data=named)).shapes] == [400, 400]


def test_supervision_scores_trackers_and_further_columns():
    data = {"class_name": np.array(["ship", "plane"]), "speed": np.array([1.5, 2.0]), "feature": np.zeros((2, 9))}
    seen = from_supervision(fields(data=data, tracker_id=np.array([7, 9])))
    assert seen.scores.tolist() == [1, 1] and seen.attributes == {"object_id": [7, 9], "speed": [1.5, 2.0]}


def test_detections_come_back_from_supervisions_fields():
    shapes = np.array([shapely.Polygon(DIAMOND), shapely.box(3, 4, 9, 30)], object)
    seen = Detections(["ship", "plane"], np.array([0.5, 0.25]), shapes, {"object_id": [1, 2], "wet": [True, False]})
    back = from_supervision(fields(**supervision_fields(seen)))
    assert list(back.labels) == ["ship", "plane"] and back.scores.tolist() == [0.5, 0.25]
    assert all(one.equals(other) for one, other in zip(back.shapes, shapes, strict=True))
    assert back.attributes == seen.attributes


def test_other_outlines_become_their_smallest_rectangle():
    ring = shapely.Polygon([(0, 0), (10, 0), (10, 4), (5, 4.0), (0, 4)], [[(2, 1), (3, 1), (3, 2)]])
    line = shapely.Polygon([(0, 0), (5, 5), (0, 0)])
    seen = Detections(["a", "b"], np.ones(2), np.array([ring, line], object))
    corners = supervision_fields(seen)["data"]["xyxyxyxy"]
    assert shapely.Polygon(corners[0]).equals(shapely.box(0, 0, 10, 4)) and corners.shape == (2, 4, 2)


# --- what is missing --------------------------------------------------------------------------------------------------


def test_missing_packages_name_their_extra(tmp_path, monkeypatch):
    import sys

    for package in ("ultralytics", "transformers", "supervision"):
        monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "m.pt").write_bytes(b"")
    with pytest.raises(MissingExtra) as error:
        load_detector(tmp_path / "m.pt")
    assert str(error.value) == (
        "ultralytics is not installed.\npip install 'rune-smt[ultralytics]' (AGPL-3.0, and it brings torch)"
    )
    with pytest.raises(MissingExtra, match=r"rune-smt\[transformers\]"):
        load_detector("hf:someone/something")
    with pytest.raises(MissingExtra, match=r"rune-smt\[supervision\]"):
        to_supervision(Detections.none())
    with pytest.raises(DataError, match=r"n\.pt: no such model file"):
        load_detector(tmp_path / "n.pt")


def test_pickled_weights_are_loaded_from_named_folders_only(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    assert no_pickles("hf:someone/model") and not no_pickles(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert no_pickles(str(tmp_path))


def test_kinds_take_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "detr").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "detr" / name).write_text("{}")

    def taker(text: str) -> str:
        return next((kind.name for kind in detector_kinds() if kind.takes(text)), "")

    assert all(isinstance(kind, DetectorKind) for kind in detector_kinds())
    assert taker("a/b.onnx") == taker("B.ONNX") == "ONNX Runtime"
    assert taker("best.pt") == taker("yolo11n-obb") == taker("yolov8n-obb.pt") == "Ultralytics, AGPL-3.0"
    assert taker("hf:a/b") == taker("detr") == "Hugging Face"
    assert taker("yolo/other") == taker("model.bin") == ""

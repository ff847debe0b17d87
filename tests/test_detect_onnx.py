"""From a YOLO model's numbers to outlines: every layout of the output, the letterbox, the session, its errors."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.detect.detector import ModelOptions, load_detector
from rune_smt.detect.onnx_detector import (
    PADDING,
    Fit,
    Layout,
    OnnxDetector,
    boxes_of,
    class_names,
    corners_of,
    input_size,
    layout_of,
    letterbox,
    task_of,
)
from rune_smt.errors import DataError, MissingExtra, QueryError

LAYOUTS = {
    ((20, 21504), 15, "obb"): Layout(True, False, False, 1, 15),
    ((20, 21504), 15, None): Layout(True, False, False, 1, 15),
    ((84, 8400), 80, "detect"): Layout(False, False, False, 1, 80),
    ((84, 8400), 80, None): Layout(False, False, False, 1, 80),
    ((300, 7), 15, "obb"): Layout(True, True, False, 0, 0),
    ((300, 7), 0, None): Layout(True, True, False, 0, 0),
    ((300, 6), 80, "detect"): Layout(False, True, False, 0, 0),
    ((25200, 85), 80, "detect"): Layout(False, False, True, 0, 80),
    ((25200, 85), 80, None): Layout(False, False, True, 0, 80),
    ((21504, 20), 15, "obb"): Layout(True, False, False, 0, 15),
    ((8400, 84), 80, "detect"): Layout(False, False, False, 0, 80),
    ((7, 8400), 2, "obb"): Layout(True, False, False, 1, 2),  # two classes: 4 + 2 + 1 numbers a box
    ((300, 7), 2, "obb"): Layout(True, True, False, 0, 0),
    ((6, 8400), 2, "detect"): Layout(False, False, False, 1, 2),
    ((300, 6), 1, "detect"): Layout(False, True, False, 0, 0),
}


@pytest.mark.parametrize(("case", "layout"), LAYOUTS.items(), ids=str)
def test_the_layout_is_told_by_shape_task_and_classes(case, layout):
    assert layout_of(*case) == layout


def test_another_shape_is_refused():
    with pytest.raises(DataError) as error:
        layout_of((17, 21504), 15, "obb")
    assert str(error.value) == (
        "its output of shape 17 x 21504 is no box layout known here for 15 classes.\n"
        "Export a YOLO model for detection or oriented boxes; --names FILE tells how many classes it has."
    )


def written(layout, box, angle, scores, classes, count):
    """The output array of this layout that holds these boxes: the other way round, straight from the documents."""
    n = len(box)
    if layout.suppressed:
        if layout.oriented:
            return np.column_stack([box, scores, classes, angle])
        return np.column_stack([box[:, :2] - box[:, 2:] / 2, box[:, :2] + box[:, 2:] / 2, scores, classes])
    each = np.zeros((n, count))
    each[np.arange(n), classes] = scores / 0.5 if layout.objectness else scores
    columns = [box, np.full((n, 1), 0.5), each] if layout.objectness else [box, each]
    rows = np.column_stack([*columns, angle] if layout.oriented else columns)
    return rows.T if layout.box_axis == 1 else rows


@given(st.data())
@settings(max_examples=80)
def test_boxes_come_back_from_every_layout(data):
    layout = data.draw(st.sampled_from(sorted(set(LAYOUTS.values()), key=repr)))
    count = layout.classes or 4
    n = data.draw(st.integers(0, 5))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    box = np.column_stack([rng.uniform(0, 500, (n, 2)), rng.uniform(2, 90, (n, 2))])
    angle = rng.uniform(-4, 4, n) if layout.oriented else np.zeros(n)
    scores, classes = rng.uniform(0.1, 0.45, n), rng.integers(0, count, n)
    output = written(layout, box, angle, scores, classes, count).astype(np.float32)
    found = boxes_of(output, layout, 0.05)
    assert found.corners == pytest.approx(corners_of(box, angle), abs=1e-2)
    assert found.scores == pytest.approx(scores, abs=1e-5)
    assert found.classes.tolist() == classes.tolist()
    assert len(boxes_of(output, layout, 0.3).scores) == (scores.astype(np.float32) >= 0.3).sum()


@given(
    st.tuples(*[st.floats(-500, 500)] * 2, *[st.floats(1, 300)] * 2, st.floats(-7, 7)),
)
def test_corners_are_those_of_the_turned_rectangle(drawn):
    x, y, w, h, angle = drawn
    expected = shapely.affinity.rotate(shapely.box(x - w / 2, y - h / 2, x + w / 2, y + h / 2), angle, use_radians=True)
    found = shapely.Polygon(corners_of(np.array([[x, y, w, h]]), np.array([angle]))[0])
    assert found.hausdorff_distance(expected) < 1e-9


def test_boxes_that_are_none_are_left_out():
    rows = np.zeros((6, 7), np.float32)
    rows[0] = 10, 10, 4, 2, 0.9, 1, 0
    rows[1] = 10, 10, 0, 2, 0.9, 1, 0  # no width
    rows[2] = np.nan, 10, 4, 2, 0.9, 1, 0
    rows[3] = 10, 10, 4, 2, 0.9, 1, np.inf
    rows[4] = 10, 10, 4, 2, np.nan, 1, 0
    assert len(boxes_of(rows, layout_of((6, 7), 2, "obb"), 0.05).scores) == 1


@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([(64, 64), (32, 96)]), st.booleans())
@settings(max_examples=50)
def test_points_come_back_from_the_letterbox(width, height, size, enlarge):
    image = np.full((height, width, 3), 200, np.uint8)
    canvas, fit = letterbox(image, *size, enlarge=enlarge)
    assert canvas.shape == (*size, 3)
    assert enlarge or fit.scale <= 1
    inside = np.argwhere((canvas == 200).all(axis=2))
    assert (inside.min(axis=0) == (fit.top, fit.left)).all()
    corner = fit.back(np.array([[[fit.left + width * fit.scale, fit.top + height * fit.scale]]]))
    assert corner.reshape(2) == pytest.approx([width, height])
    assert (canvas[0, 0] == 200).all() or (canvas[0, 0] == PADDING).all()


def test_a_crowd_is_not_cut_off():
    n = 900
    box = np.column_stack([np.arange(n) % 30 * 30 + 15, np.arange(n) // 30 * 30 + 15, np.full((n, 2), (20, 10))])
    output = written(layout_of((6, n), 1, "obb"), box, np.full(n, 0.4), np.full(n, 0.8), np.zeros(n, int), 1)
    seen = detector_of(None, {0: "ship"}).read(output[None].astype(np.float32), Fit(1.0, 0, 0))
    assert len(seen) == n and not seen.truncated


def test_a_full_list_is_marked_as_cut_off():
    rows = np.column_stack(
        [np.arange(4) * 50, np.zeros(4), np.full((4, 2), 20), np.full(4, 0.5), np.zeros(4), np.zeros(4)]
    )
    detector = detector_of(None, {0: "ship"})
    assert detector.read(rows[None], Fit(1.0, 0, 0)).truncated
    rows[3, 4] = 0.0
    assert not detector.read(rows[None], Fit(1.0, 0, 0)).truncated


def detector_of(session, names):
    return OnnxDetector("model.onnx", session, 64, 64, names, "obb", ModelOptions(), 0.3, "test")


# --- the session ------------------------------------------------------------------------------------------------------


def write_model(path, *, names="{0: 'ship', 1: 'storage tank'}", task="obb", side=64):
    """A model that sees one box: its place is fixed, the score of class 1 is the brightness of the picture's middle."""
    onnx = pytest.importorskip("onnx")
    helper, proto = onnx.helper, onnx.TensorProto
    fixed = np.array([32, 24, 20, 10, 0, 0, 0.5], np.float32).reshape(1, 7, 1)
    pick = np.zeros((1, 7, 1), np.float32)
    pick[0, 5] = 1
    nodes = [
        helper.make_node("Slice", ["images", "from", "to", "axes"], ["middle"]),
        helper.make_node("ReduceMean", ["middle"], ["bright"], keepdims=0),
        helper.make_node("Mul", ["pick", "bright"], ["scores"]),
        helper.make_node("Add", ["fixed", "scores"], ["one"]),
        helper.make_node("Tile", ["one", "times"], ["output0"]),
    ]
    constants = {
        "fixed": fixed,
        "pick": pick,
        "from": np.array([24, 24]),
        "to": np.array([40, 40]),
        "axes": np.array([2, 3]),
        "times": np.array([1, 1, 9]),
    }
    graph = helper.make_graph(
        nodes,
        "one box",
        [helper.make_tensor_value_info("images", proto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("output0", proto.FLOAT, [1, 7, 9])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    facts = {"names": names, "task": task, "imgsz": f"[{side}, {side}]"}
    helper.set_model_props(model, {key: value for key, value in facts.items() if value is not None})
    path.write_bytes(model.SerializeToString())
    return path


def test_a_model_file_sees(tmp_path):
    pytest.importorskip("onnxruntime")
    detector = load_detector(write_model(tmp_path / "one.onnx"))
    assert detector.side == 64 and detector.same == 0.3
    picture = np.zeros((128, 128, 3), np.uint8)
    assert len(detector(picture)) == 0
    picture[48:80, 48:80] = 204
    seen = detector(picture)
    assert list(seen.labels) == ["storage tank"] and seen.scores == pytest.approx(
        [0.8], abs=0.05
    )  # its edge is blurred by the scaling
    expected = shapely.affinity.rotate(shapely.box(44, 38, 84, 58), 0.5, use_radians=True)
    assert seen.shapes[0].symmetric_difference(expected).area < 0.01


def test_names_may_be_given(tmp_path):
    pytest.importorskip("onnxruntime")
    path = write_model(tmp_path / "one.onnx", names=None)
    bright = np.full((64, 64, 3), 255, np.uint8)
    seen = load_detector(path, ModelOptions(names={0: "boat", 1: "tank"}))(bright)
    assert list(seen.labels) == ["tank"]
    with pytest.raises(DataError) as error:
        load_detector(path)
    assert str(error.value) == (
        f"{path.as_posix()}: the model does not name its classes.\n"
        "Give them: --names FILE, a data.yaml or one name a line."
    )


def test_identity_changes_with_the_model_and_the_limits(tmp_path):
    pytest.importorskip("onnxruntime")
    one, other = write_model(tmp_path / "a.onnx"), write_model(tmp_path / "b.onnx", task=None)
    load = load_detector
    assert load(one).identity == load(one).identity
    assert len({load(one).identity, load(other).identity, load(one, ModelOptions(min_score=0.2)).identity}) == 3


def test_what_can_be_wrong_with_a_model(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(DataError, match=r"broken\.onnx: cannot be read as an ONNX model: "):
        load_detector(broken)
    with pytest.raises(DataError, match=r"none\.onnx: no such model file\."):
        load_detector(tmp_path / "none.onnx")
    with pytest.raises(DataError, match="is a model for 'segment'; models for detect and obb are read here"):
        load_detector(write_model(tmp_path / "seg.onnx", task="segment"))
    with pytest.raises(QueryError, match="--device is auto, cpu or cuda, got 'tpu'"):
        load_detector(write_model(tmp_path / "one.onnx"), ModelOptions(device="tpu"))
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(MissingExtra) as error:
        load_detector(tmp_path / "one.onnx")
    assert str(error.value) == "onnxruntime is not installed.\npip install 'rune-smt[detect]'"


def test_what_no_detector_takes():
    with pytest.raises(QueryError) as error:
        load_detector("model.tflite")
    assert str(error.value) == (
        "No kind of detector takes 'model.tflite'.\n"
        "Models are: FILE.onnx (ONNX Runtime); FILE.pt or a name such as yolo11n-obb (Ultralytics, AGPL-3.0); "
        "hf:OWNER/NAME or a folder with config.json and weights (Hugging Face)."
    )


def test_metadata_is_read_as_literals_only():
    assert class_names({"names": "['a', 'b']"}, "m") == {0: "a", 1: "b"}
    assert class_names({"names": "{0: 'a', 3: 'b'}"}, "m") == {0: "a", 3: "b"}
    for bad in ("__import__('os')", "{'x': 1}", "{}", "", "[" * 5000):
        with pytest.raises(DataError):
            class_names({"names": bad}, "m")
    assert task_of({}, "m") is None and task_of({"task": "detect"}, "m") == "detect"


def test_the_input_may_take_any_size():
    assert input_size([1, 3, "height", "width"], {"imgsz": "[640, 960]"}, "m") == (640, 960)
    assert input_size(["batch", 3, 512, 256], {}, "m") == (512, 256)
    with pytest.raises(DataError, match=r"m: its input has shape \[1, 1, 64, 64\]"):
        input_size([1, 1, 64, 64], {}, "m")

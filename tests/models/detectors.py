"""Detectors of other libraries with the libraries: Ultralytics, supervision, transformers. `make test-ultralytics`.

Not collected by `make test`: torch alone takes gigabytes.
"""

import numpy as np
import pytest
from PIL import Image

import rune_smt as rune
from rune_smt.detect.detector import ModelOptions, load_detector
from rune_smt.detect.supervision_detections import from_supervision, to_supervision
from rune_smt.errors import DataError
from rune_smt.evaluate.detection import compare_detections
from tests.shared import shared


@pytest.fixture(scope="module")
def weights():
    pytest.importorskip("ultralytics")
    return shared("models", "yolov8n-obb.pt")


@pytest.fixture(scope="module")
def harbor():
    return np.asarray(Image.open(shared("data", "dota", "images", "P0706.png")).convert("RGB"))


def test_ultralytics_finds_nine_in_ten_ships_and_large_vehicles(weights):
    labels = rune.index(shared("data", "dota", "labelTxt"), vocabulary="dota-v1.5", progress=False)
    seen = rune.index(
        shared("data", "dota", "images"), detector=weights, device="cpu", vocabulary="dota-v1.5", progress=False
    )
    report = compare_detections(labels.table, seen.table)
    print(report.render())
    assert report.of("ship").recall > 0.9 and report.of("large_vehicle").recall > 0.9, report.render()
    assert "truncated" not in seen.images.column_names or seen.images.column("truncated").null_count == len(seen)


def test_ultralytics_sees_a_batch_as_it_sees_one(weights, harbor):
    detector = load_detector(weights, ModelOptions(min_score=0.3, device="cpu"))
    crops = [harbor[:512, :512], harbor[500:1012, 300:812]]
    batch, single = detector.see(crops), [detector(crop) for crop in crops]
    for one, other in zip(batch, single, strict=True):
        assert list(one.labels) == list(other.labels) and one.scores == pytest.approx(other.scores, abs=1e-3)


def test_weights_that_are_none_are_an_error(weights, tmp_path):
    (tmp_path / "bad.pt").write_bytes(b"no pickle")
    with pytest.raises(DataError, match=r"bad\.pt: cannot be loaded by ultralytics: "):
        load_detector(tmp_path / "bad.pt")


@pytest.mark.parametrize("kind", ["yolo11n.yaml", "yolo11n-seg.yaml"])
def test_ultralytics_boxes_and_segments_of_a_model_with_random_weights(weights, kind):
    from ultralytics import YOLO

    from rune_smt.detect.ultralytics_detector import UltralyticsDetector

    model = YOLO(kind)
    detector = UltralyticsDetector(model, ModelOptions(min_score=0.0, device="cpu"), 64, 0.5, "random")
    seen = detector(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    assert len(seen) and set(seen.labels) <= set(model.names.values())


def test_ultralytics_to_supervision_and_here(weights, harbor):
    supervision = pytest.importorskip("supervision")
    detector = load_detector(weights, ModelOptions(min_score=0.3, device="cpu"))
    results = detector.model.predict(harbor[:600, :600, ::-1], imgsz=640, conf=0.3, max_det=1000, verbose=False)[0]
    theirs = supervision.Detections.from_ultralytics(results)
    seen = from_supervision(theirs)
    assert len(seen) == len(theirs) > 20
    back = to_supervision(seen)
    assert isinstance(back, supervision.Detections)
    assert np.allclose(back.xyxy, theirs.xyxy, atol=0.01) and np.allclose(back.confidence, theirs.confidence)
    assert (back.data["class_name"] == theirs.data["class_name"]).all()


def test_supervision_with_nothing_in_it():
    supervision = pytest.importorskip("supervision")
    assert len(from_supervision(supervision.Detections.empty())) == 0
    assert len(to_supervision(from_supervision(supervision.Detections.empty()))) == 0


def test_a_transformers_pipeline_with_random_weights(tmp_path, monkeypatch):
    transformers = pytest.importorskip("transformers")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    config = transformers.YolosConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=37,
        image_size=[64, 64],
        patch_size=16,
        num_detection_tokens=8,
        num_labels=3,
        id2label={0: "ship", 1: "plane", 2: "harbor"},
        label2id={"ship": 0, "plane": 1, "harbor": 2},
    )
    folder = tmp_path / "tiny"
    transformers.YolosForObjectDetection(config).save_pretrained(folder)
    transformers.YolosImageProcessor(size={"height": 64, "width": 64}, do_pad=False).save_pretrained(folder)
    detector = load_detector(folder, ModelOptions(min_score=0.0, device="cpu"))
    assert detector.side == 64
    picture = np.random.default_rng(0).integers(0, 255, (90, 120, 3), np.uint8)
    seen = detector(picture)
    assert 0 < len(seen) <= 8 and set(seen.labels) <= {"ship", "plane", "harbor"}
    Image.fromarray(picture).save(tmp_path / "p.png")
    archive = rune.index(tmp_path / "p.png", detector=folder, device="cpu", tile=0, min_score=0.0, progress=False)
    assert len(archive.table) == len(seen)


def test_fiftyone_samples_both_ways(tmp_path):
    fiftyone = pytest.importorskip("fiftyone")
    from rune_smt.exporting import mark_fiftyone

    mask = np.zeros((4, 8), bool)
    mask[1:3, 2:6] = True
    ship = fiftyone.Detection(label="ship", bounding_box=[0.5, 0.5, 0.25, 0.1], confidence=0.75, tags=["x"], depth=3)
    harbor = fiftyone.Detection(label="harbor", bounding_box=[0, 0, 0.5, 0.5], mask=mask)
    metadata = fiftyone.ImageMetadata(width=80, height=60)
    samples = [
        fiftyone.Sample(f"/in/{name}.png", metadata=metadata, gt=fiftyone.Detections(detections=found))
        for name, found in (("a", [ship, harbor]), ("b", []))
    ]
    archive = rune.from_fiftyone(samples, "gt")
    assert archive.class_counts() == {"ship": 1, "harbor": 1} and set(archive.table.attributes) == {"depth", "tags"}
    result = rune.search(archive, rune.translate("a ship", archive))
    assert mark_fiftyone(samples, result) == 2
    assert [sample["rune"].label for sample in samples] == ["match", "no match"]
    assert [sample.tags for sample in samples] == [["rune:match"], []]
    again = rune.from_fiftyone(samples, "rune_witness")
    table = archive.table
    ship_again = table.outlines(np.flatnonzero(table.label == table.classes.index("ship")))[0]
    assert again.table.outlines(np.arange(1))[0].equals(ship_again)
    assert mark_fiftyone(samples, rune.search(archive, rune.translate("no ship", archive))) == 2
    assert [sample.tags for sample in samples] == [[], ["rune:match"]]

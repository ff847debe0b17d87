"""A detector over a folder: damaged pictures, the same picture twice, interruption and resumption, and the archive."""

import json
import shutil

import numpy as np
import pytest
import shapely
from PIL import Image

import rune_smt as rune
from rune_smt.detect.detector import Detections, FixedDetector
from rune_smt.detect.memory import Memory, from_plain, to_plain
from rune_smt.errors import DataError, QueryError
from rune_smt.indexing import index_with_report
from tests.pixel_detector import PixelDetector, paint
from tests.test_detect_rasters import write_geotiff
from tests.test_detect_tiling import rectangle

SHIP, SHIP_2 = ("ship", rectangle(30, 30, 20, 8, 30)), ("ship", rectangle(30, 60, 20, 8, 0))
PLANE = ("plane", rectangle(70, 50, 12, 12, 0))


def draw(path, *things, size=(96, 80)):
    path.parent.mkdir(exist_ok=True)
    paint(*size, [(label, shape.exterior.coords) for label, shape in things]).save(path)


@pytest.fixture
def folder(tmp_path):
    draw(tmp_path / "in" / "a.png", SHIP, PLANE)
    draw(tmp_path / "in" / "b.png", SHIP, SHIP_2)
    draw(tmp_path / "in" / "c.png")
    return tmp_path / "in"


def test_pictures_become_an_archive(folder, tmp_path):
    made = index_with_report(folder, tmp_path / "out.rune", detector=PixelDetector(), progress=False)
    archive = made.archive
    assert archive.images.column("image_id").to_pylist() == ["a", "b", "c"]
    assert archive.images.column("width").to_pylist() == [96] * 3
    assert archive.class_counts() == {"plane": 1, "ship": 3}
    assert archive.images.column("sha256").null_count == 0
    assert archive.entities.column("source").to_pylist()[0] == "in/a.png#0"
    assert made.report.format == "detector" and made.report.empty_images == 1
    assert not list(tmp_path.glob(".*"))  # what was kept against interruption is gone
    assert rune.search(archive, rune.parse("exists x (ship(x) & exists y (plane(y)))")).ids == ("a",)
    assert rune.search(archive, rune.translate("no ship")).ids == ("c",)


def test_annotations_may_stand_for_a_detector(folder):
    known = Detections(["ship"], np.array([0.7]), np.array([SHIP[1]], object))
    archive = rune.index(folder, detector=FixedDetector(known), progress=False)
    assert archive.class_counts() == {"ship": 3} and set(archive.entities.column("score").to_pylist()) == {0.7}


def test_a_damaged_picture_is_reported_and_is_no_image(folder, tmp_path):
    data = (folder / "b.png").read_bytes()
    (folder / "b.png").write_bytes(data[:150])
    (folder / "d.jpg").write_bytes(b"no picture")
    made = index_with_report(folder, detector=PixelDetector(), progress=False)
    assert made.archive.images.column("image_id").to_pylist() == ["a", "c"]
    assert [line.split(": ")[0].rsplit("/", 1)[1] for line in made.report.skipped] == ["b.png", "d.jpg"]
    assert made.report.note("skipped").count == 2


def test_nothing_but_damaged_pictures_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError) as error:
        rune.index(tmp_path, detector=PixelDetector(), progress=False)
    assert str(error.value) == (
        f"{tmp_path.as_posix()}/a.png: cannot be read: "
        "no picture that this program knows, or cut off within its header.\n"
        "None of the pictures can be read."
    )


def test_the_same_picture_twice_is_noticed_and_looked_at_once(folder):
    (folder / "more").mkdir()
    shutil.copy(folder / "a.png", folder / "more" / "z.png")
    detector = PixelDetector()
    made = index_with_report(folder, detector=detector, tile=0, progress=False)
    assert len(detector.shown) == 3 and made.archive.class_counts() == {"plane": 2, "ship": 4}
    note = made.report.note("picture twice")
    assert note.text == "1 picture is the same file as another, byte for byte; both are images"
    assert note.examples == (f"{folder.as_posix()}/more/z.png ({folder.as_posix()}/a.png)",)


class Interrupted(PixelDetector):
    """Stops at the third picture, as a person would."""

    def __call__(self, image):
        if len(self.shown) == 2:
            raise KeyboardInterrupt
        return super().__call__(image)


@pytest.mark.parametrize("damage", ["", '{"sha256": "ab", "labels": ["sh'])
def test_an_interrupted_run_goes_on_where_it_stopped(folder, tmp_path, damage):
    out = tmp_path / "out.rune"
    with pytest.raises(KeyboardInterrupt):
        rune.index(folder, out, detector=Interrupted(), tile=0, progress=False)
    kept = tmp_path / ".out.rune.detections.jsonl"
    assert len(kept.read_text().splitlines()) == 3 and not out.exists()
    with kept.open("a") as file:
        file.write(damage)
    detector = PixelDetector()
    made = index_with_report(folder, out, detector=detector, tile=0, progress=False)
    assert len(detector.shown) == 1 and made.report.note("resumed").count == 2 and not kept.exists()
    fresh = rune.index(folder, detector=PixelDetector(), tile=0, progress=False)
    assert made.archive.entities.equals(fresh.entities)


def test_a_large_picture_goes_on_at_the_tile_where_it_stopped(tmp_path):
    draw(tmp_path / "in" / "a.png", SHIP, PLANE, size=(200, 180))
    out, options = tmp_path / "out.rune", {"tile": 96, "progress": False}
    with pytest.raises(KeyboardInterrupt):
        rune.index(tmp_path / "in", out, detector=Interrupted(), **options)
    detector = PixelDetector()
    made = index_with_report(tmp_path / "in", out, detector=detector, **options)
    fresh = PixelDetector()
    again = rune.index(tmp_path / "in", detector=fresh, **options)
    assert made.report.note("tiles resumed").count == 2 and len(detector.shown) == len(fresh.shown) - 2
    assert made.archive.entities.equals(again.entities)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("change", [{"identity": "pixels 2"}, {}])
def test_another_detector_or_setting_begins_anew(folder, tmp_path, change):
    out = tmp_path / "out.rune"
    with pytest.raises(KeyboardInterrupt):
        rune.index(folder, out, detector=Interrupted(), tile=0, progress=False)
    detector = PixelDetector(**change)
    rune.index(folder, out, detector=detector, tile=0 if change else 96, progress=False)
    assert len(detector.shown) == 3


def test_large_pictures_go_through_in_tiles(tmp_path):
    pytest.importorskip("rasterio")
    thing = rectangle(430, 300, 300, 10, 25)
    picture = paint(900, 700, [("ship", thing.exterior.coords)])
    write_geotiff(tmp_path / "a.tif", np.asarray(picture).transpose(2, 0, 1))
    detector = PixelDetector(side=128)
    made = index_with_report(tmp_path / "a.tif", detector=detector, progress=False)
    assert set(detector.shown) == {(128, 128)}
    assert made.report.note("in tiles").count == 1
    (seen,) = made.archive.table.outlines(np.array([0]))
    assert len(made.archive.table) == 1 and seen.intersection(thing).area > 0.8 * seen.union(thing).area
    assert made.archive.images.column("gsd").to_pylist() == [0.5]
    assert made.archive.images.column("crs").to_pylist() == ["EPSG:32633"]


def test_a_picture_a_little_larger_than_a_tile_is_shown_whole(folder):
    detector = PixelDetector(side=64)
    rune.index(folder, detector=detector, progress=False)
    assert set(detector.shown) == {(80, 96)}


def test_a_full_list_is_a_warning_and_a_column(folder):
    known = Detections(["ship"], np.array([0.7]), np.array([SHIP[1]], object), truncated=True)
    made = index_with_report(folder, detector=FixedDetector(known), progress=False)
    assert made.report.note("list full").count == 3
    assert made.archive.images.column("truncated").to_pylist() == [True] * 3


def test_calls_that_cannot_be(folder, tmp_path):
    known = FixedDetector(Detections.none())
    with pytest.raises(QueryError, match="--detector looks at pictures itself; --format coco reads files"):
        rune.index(folder, detector=known, format="coco")
    with pytest.raises(QueryError, match="Tiles need a side"):
        rune.index(folder, detector=known, overlap=2.0)
    with pytest.raises(QueryError, match="--tile is a number of pixels"):
        rune.index(folder, detector=known, tile=-1)
    with pytest.raises(DataError, match="no files of format detector"):
        (tmp_path / "none").mkdir()
        rune.index(tmp_path / "none", detector=known)


def test_detections_are_checked():
    with pytest.raises(ValueError, match=r"^scores must have shape \(1,\), got \(2,\)$"):
        Detections(["ship"], np.ones(2), np.array([SHIP[1]], object))
    with pytest.raises(ValueError, match=r"^scores go from 0 to 1, got 1\.5$"):
        Detections(["ship"], np.array([1.5]), np.array([SHIP[1]], object))


def test_detections_come_back_from_plain_json():
    shapes = np.array([SHIP[1], shapely.MultiPolygon([SHIP[1], SHIP_2[1]])], object)
    seen = Detections(["ship", "raft"], np.array([0.1, 1 / 3]), shapes, {"object_id": [4, None]}, True)
    back = from_plain(json.loads(json.dumps(to_plain(seen))))
    assert list(back.labels) == list(seen.labels) and back.scores.tolist() == seen.scores.tolist()
    assert (shapely.to_wkb(back.shapes) == shapely.to_wkb(seen.shapes)).all()
    assert back.attributes == {"object_id": [4, None]} and back.truncated


def test_memory_of_nothing_remembers_nothing():
    with Memory(None, "key") as memory:
        memory.keep("ab", Detections.none())
        assert memory.recall("ab") is None


def test_the_command_line(folder, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    from typer.testing import CliRunner

    from rune_smt.cli.app import app
    from tests.test_detect_onnx import write_model

    model = write_model(tmp_path / "one.onnx")
    Image.new("RGB", (64, 64), "white").save(folder / "bright.png")
    out = tmp_path / "seen.rune"
    call = ["index", str(folder), "--detector", str(model), "-o", str(out), "--json", "--tile", "0", "--device", "cpu"]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["format"] == "detector" and report["why"] == "one.onnx" and report["images"] == 4
    assert {row["source"] for row in report["labels"]} == {"storage tank"}

"""Readers: lines, names, pictures and tables, and what each says of bad data."""

import json
import re
import struct
import zlib

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rune_smt.detect.auto import choose_format
from rune_smt.detect.columns import arrow_column, typed_texts
from rune_smt.detect.files import as_text, list_files
from rune_smt.detect.formats import FORMATS, find_format, formats
from rune_smt.detect.geotiff import metres_per_degree
from rune_smt.detect.images import find_pictures, read_picture, read_table, without_picture_suffix
from rune_smt.detect.records import ImageName, Journal, ReadOptions
from rune_smt.detect.yolo import read_names
from rune_smt.errors import DataError, QueryError

finite = st.floats(-1e5, 1e5, allow_nan=False).map(lambda value: round(value, 3))
YOLO = "expected a class number and 4, 8 or more shares of the picture"
quads = st.lists(st.lists(finite, min_size=8, max_size=8), min_size=1, max_size=8)


def read(format_name, folder, **options):
    """Chunks of a folder in one format."""
    known = find_format(format_name)
    files = list_files([folder], known.wanted).files
    return list(known.read(files, ReadOptions(journal=Journal(), **options)))


@given(quads=quads, ends=st.sampled_from(["\n", "\r\n", "\r"]), gap=st.sampled_from([" ", "\t", "  "]))
def test_what_a_label_file_says_is_what_is_read(tmp_path_factory, quads, ends, gap):
    folder = tmp_path_factory.mktemp("labels")
    lines = [gap.join([*map(repr, quad), "ship", str(index % 3)]) for index, quad in enumerate(quads)]
    (folder / "P1.txt").write_bytes(ends.join(["gsd:0.5", *lines, ""]).encode("utf-8-sig"))
    (chunk,) = read("dota", folder)
    assert chunk.outlines.points.reshape(-1, 8).tolist() == quads
    assert chunk.attributes["difficult"].tolist() == [index % 3 for index in range(len(quads))]
    assert [origin.split(":")[1] for origin in chunk.origins] == [str(index + 2) for index in range(len(quads))]
    assert chunk.images[0].gsd == 0.5


@given(quads=quads, scores=st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_what_a_result_file_says_is_what_is_read(tmp_path_factory, quads, scores):
    folder = tmp_path_factory.mktemp("results")
    lines = [f"P{i % 2} {scores[i]!r} " + " ".join(map(repr, quad)) for i, quad in enumerate(quads)]
    (folder / "Task1_large-vehicle.txt").write_text("\n".join(lines))
    (chunk,) = read("dota-task1", folder)
    assert chunk.outlines.points.reshape(-1, 8).tolist() == quads
    assert chunk.scores.tolist() == scores[: len(quads)]
    assert [chunk.images[i].name.stem for i in chunk.image] == [f"P{i % 2}" for i in range(len(quads))]
    assert set(chunk.labels) == {"large-vehicle"}


def test_files_come_in_byte_order_of_their_names(tmp_path):
    for name in ("b/a.txt", "a/b.txt", "B.txt", "é.txt", "a/a.txt", ".hidden.txt", "__MACOSX/x.txt", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    listing = list_files([tmp_path], lambda path: path.suffix == ".txt")
    assert [f"{f.folder}/{f.path.name}" for f in listing.files] == ["/B.txt", "a/a.txt", "b/a.txt", "a/b.txt", "/é.txt"]
    assert [path.rsplit("/", 1)[1] for path in listing.others] == ["notes.md"]


def test_a_file_named_twice_is_read_once_and_named(tmp_path):
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path)
    listing = list_files([tmp_path, tmp_path / "a.txt"], lambda path: True)
    assert [f.path.name for f in listing.files] == ["a.txt"]
    assert listing.twice == [(tmp_path / "a.txt").as_posix()]


def test_a_difficulty_may_be_written_as_a_decimal(tmp_path):
    (tmp_path / "P1.txt").write_text("1 2 3 4 5 6 7 8 ship 2.0\n1 2 3 4 5 6 7 8 ship 01\n")
    assert read("dota", tmp_path)[0].attributes["difficult"].tolist() == [2, 1]


def test_binary_junk_is_named_with_its_line():
    with pytest.raises(DataError) as caught:
        as_text(b"1 2 3\nab\xff\xfe", "labelTxt/P1.txt")
    assert str(caught.value) == "labelTxt/P1.txt:2: not a text file (byte 0xff where UTF-8 text was expected)."


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1 2 3", "expected 8 numbers, a class and a difficulty, got 3 fields: '1 2 3'"),
        ("1 2 3 4 5 6 7 8 ship 0 1", "expected 8 numbers, a class and a difficulty, got 11 fields: '1 2 3 ...'"),
        (
            "1 2 3 4 5 6 7 8 ship -1",
            "expected 8 numbers, a class and a difficulty, but the difficulty is '-1': '1 2 3 ...'",
        ),
        (
            "1 2 3 4 5 6 7 inf ship 0",
            "expected 8 numbers, a class and a difficulty, but 'inf' is not a finite number: '1 2 3 ...'",
        ),
        ("1 2 3 4 5 6 7 8 12 0", "class number 12 has no name: '1 2 3 ...'"),
        (
            "P1 0.9 3 4 5 6 7 8 9 10",
            "expected 8 numbers, a class and a difficulty, but the difficulty is '10.5': 'P1 0.9 3 ...'",
        ),
    ],
)
def test_a_line_that_is_no_label_is_named(tmp_path, monkeypatch, line, says):
    monkeypatch.chdir(tmp_path)
    if "10.5" in says:
        line = line.replace("9 10", "9 10.5")
        says += "\nThis line looks like a DOTA Task1 result. Try --format dota-task1."
    (tmp_path / "labelTxt").mkdir()
    (tmp_path / "labelTxt/P1.txt").write_text(f"1 2 3 4 5 6 7 8 ship 0\n{line}\n")
    with pytest.raises(DataError) as caught:
        read("dota", "labelTxt")
    assert str(caught.value) == f"labelTxt/P1.txt:2: {says}"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0 0.5 0.5", f"{YOLO}, got 3 fields: '0 0.5 0.5'"),
        ("a 0.5 0.5 0.1 0.1", f"{YOLO}, but 'a' is not a number: 'a 0.5 0.5 ...'"),
        ("0 50 60 10 10", f"{YOLO}, but 60 is no share: these are pixels: '0 50 60 ...'"),
        ("0 0.5 0.5 0.1 0.1 1.5", "confidence must be from 0 to 1, got 1.5: '0 0.5 0.5 ...'"),
        ("0 0.5 0.5 -0.1 0.1", "width and height of a box must not be negative, got -0.1 and 0.1: '0 0.5 0.5 ...'"),
        (
            "10 10 20 10 20 20 10 20 ship 0",
            f"{YOLO}, but 'ship' is not a number: '10 10 20 ...'\n"
            "This line looks like DOTA labelTxt. Try --format dota.",
        ),
    ],
)
def test_a_line_that_is_no_yolo_label_is_named(tmp_path, monkeypatch, line, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/P1.txt").write_text(line)
    with pytest.raises(DataError) as caught:
        read("yolo-obb", "labels", names={0: "ship"}, image_size=(10, 10))
    assert str(caught.value) == f"labels/P1.txt:1: {says}"


def test_yolo_finds_its_pictures_and_names(tmp_path):
    for part in ("train", "val"):
        (tmp_path / "images" / part).mkdir(parents=True)
        (tmp_path / "labels" / part).mkdir(parents=True)
        Image.new("RGB", (200, 100)).save(tmp_path / "images" / part / "P1.png")
    Image.new("RGB", (60, 50)).save(tmp_path / "images/val/P2.jpg")
    (tmp_path / "labels/train/P1.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    (tmp_path / "labels/val/P1.txt").write_text("")
    (tmp_path / "data.yaml").write_text("names: [ship, plane]\n")
    chunks = read("yolo", tmp_path / "labels")
    assert [chunk.labels for chunk in chunks] == [["plane"], [], ()]
    assert chunks[0].outlines.points.tolist() == [[50, 25], [150, 25], [150, 75], [50, 75]]
    names = [(record.name.folder, record.name.stem, record.width) for chunk in chunks for record in chunk.images]
    assert names == [("train", "P1", 200), ("val", "P1", 200), ("val", "P2", 60)]


def test_names_of_classes(tmp_path):
    (tmp_path / "list.yaml").write_text("nc: 2\nnames:\n - small vehicle\n - ship\n")
    (tmp_path / "dict.yaml").write_text("names:\n  3: ship\n")
    (tmp_path / "names.txt").write_text("plane\nship\n\n")
    (tmp_path / "bad.yaml").write_text("names: [a\nb: 1\n")
    (tmp_path / "none.yaml").write_text("path: x\n")
    assert read_names(tmp_path / "list.yaml") == {0: "small vehicle", 1: "ship"}
    assert read_names(tmp_path / "dict.yaml") == {3: "ship"}
    assert read_names(tmp_path / "names.txt") == {0: "plane", 1: "ship"}
    with pytest.raises(DataError, match=r"bad\.yaml:2: not valid YAML"):
        read_names(tmp_path / "bad.yaml")
    with pytest.raises(DataError, match=r"none\.yaml: no 'names' that is a list, or a dictionary of class numbers"):
        read_names(tmp_path / "none.yaml")
    for text, said in (
        ("a: &a [x, x]\nb: &b [*a, *a]\nnames: {0: *b, 1: ship}\n", "the name of class 0 is a list, not a text"),
        ("names: [ship, 2020-99-99]\n", "not valid YAML: month must be in 1..12"),
        ("names: " + "[" * 5000 + "\n", "not valid YAML: "),
    ):
        (tmp_path / "odd.yaml").write_text(text)
        with pytest.raises(DataError, match=rf"odd\.yaml: {re.escape(said)}"):
            read_names(tmp_path / "odd.yaml")


COCO = {
    "images": [{"id": 1, "file_name": "x.png", "width": 9, "height": 9}],
    "categories": [{"id": 1, "name": "ship"}],
}


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        ({"bbox": [1, 2, -3, 4]}, "width and height of bbox must not be negative, got [1, 2, -3, 4]."),
        ({"bbox": [1, 2, 3]}, "bbox must be [x, y, width, height], got [1, 2, 3]."),
        ({"bbox": [1, 2, "x", 4]}, "bbox has 'x' where a number was expected."),
        ({"bbox": [1, 2, float("nan"), 4]}, "bbox has the coordinate nan, which is not a finite number."),
        ({"bbox": [1, 2, 3, 1e300]}, "bbox has the coordinate 1e+300, which is beyond any picture."),
        ({}, "neither segmentation nor bbox."),
        ({"segmentation": [[1, 2, 3]]}, "a part of segmentation must be [x1, y1, x2, y2, ...], got 3 numbers."),
        ({"segmentation": "x"}, "segmentation must be a list of parts or a mask, got str."),
        (
            {"segmentation": {"size": [2, 2], "counts": [1, 2]}},
            "the counts of a mask add up to 3, its size is 2 x 2 = 4.",
        ),
        ({"segmentation": {"size": [2, 2], "counts": [4]}}, "its mask is empty: an entity needs one point at least."),
        (
            {"segmentation": {"size": [2, 2], "counts": "P"}},
            "a compressed mask breaks off within a number.",
        ),
        ({"segmentation": {"size": [2], "counts": "4"}}, "a mask needs a size [height, width], got [2]."),
        ({"bbox": [1, 2, 3, 4], "score": 1.5}, "score must be from 0 to 1, got 1.5."),
        ({"bbox": [1, 2, 3, 4], "score": float("nan")}, "score must be from 0 to 1, got nan."),
    ],
)
def test_an_annotation_that_is_none_is_named(tmp_path, monkeypatch, annotation, says):
    monkeypatch.chdir(tmp_path)
    document = {**COCO, "annotations": [{"id": 5, "image_id": 1, "category_id": 1, **annotation}]}
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(DataError) as caught:
        read("coco", "a.json")
    assert str(caught.value) == f"a.json: annotation 5: {says}"


@pytest.mark.parametrize(
    ("scene", "says"),
    [
        (
            {"image_id": 3, "entities": []},
            ": expected a scene: an object with a text 'image_id' and a list 'entities'.",
        ),
        ({"image_id": "P1"}, ": scene 'P1' has no list 'entities'."),
        ({"entities": [{"label": "", "polygon": [[0, 0]]}]}, ": entity 0: label must be a class name, got ''."),
        ({"entities": [{"label": "ship", "polygon": []}]}, ": entity 0: An outline has no point."),
        (
            {"entities": [{"label": "ship", "polygon": [[0, float("nan")]]}]},
            ": entity 0: an outline has a coordinate that is NaN or infinite.",
        ),
        (
            {"entities": [{"label": "ship", "score": 2, "polygon": [[0, 0]]}]},
            ": entity 0: score must be from 0 to 1, got 2.",
        ),
        (
            {"entities": [{"entity_id": 1, "label": "ship", "polygon": [[0, 0]]}] * 2},
            ": entity 1: entity_id 1 occurs twice in its scene.",
        ),
        ({"entities": [], "width": -1}, ": width must be a whole number of pixels above 0, got -1."),
        ({"entities": [], "transform": [1]}, ": transform must be six numbers, got [1]."),
    ],
)
def test_a_scene_that_is_none_is_named(tmp_path, monkeypatch, scene, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.scenes.jsonl").write_text("\n" + json.dumps({"image_id": "P1", **scene}))
    with pytest.raises(DataError) as caught:
        read("scenes", "a.scenes.jsonl")
    assert str(caught.value).split("\n")[0] == f"a.scenes.jsonl:2{says}"


# --- pictures and tables ----------------------------------------------------------------------------------------------


def test_a_picture_is_not_decoded(tmp_path):
    header = struct.pack(">IIBBBBB", 60_000, 50_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header
    chunk += struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (tmp_path / "P1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + b"\0" * 4)
    pictures = find_pictures(tmp_path)
    record = read_picture(pictures.files[0], ImageName("P1"), Journal())
    assert (record.width, record.height) == (60_000, 50_000)


@pytest.mark.parametrize(
    ("size", "says"),
    [
        ((4_000_000_000, 1), "the header says 4000000000 x 1 pixels; sides go from 1 to 10,000,000."),
        ((0, 5), "cannot be read: no picture that this program knows, or cut off within its header."),
    ],
)
def test_absurd_sizes_in_a_header(tmp_path, monkeypatch, size, says):
    monkeypatch.chdir(tmp_path)
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (tmp_path / "P1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + b"\0" * 4)
    with pytest.raises(DataError) as caught:
        read_picture(find_pictures("P1.png").files[0], ImageName("P1"), Journal())
    assert str(caught.value) == f"P1.png: {says}"


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"hello", b"II*\0\xff\xff\xff\xff"])
def test_a_picture_that_is_none(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "P1.png").write_bytes(data)
    with pytest.raises(DataError, match=r"^P1\.png: cannot be read: "):
        read_picture(find_pictures("P1.png").files[0], ImageName("P1"), Journal())
    journal = Journal(skip_bad=True)
    record = read_picture(find_pictures("P1.png").files[0], ImageName("P1"), journal)
    assert record.width is None
    assert len(journal.skipped) == 1


def test_a_folder_without_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(DataError, match=r"^images has no pictures"):
        find_pictures("images")


def test_pictures_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for part in ("train", "val"):
        (tmp_path / part).mkdir()
        Image.new("L", (3, 4)).save(tmp_path / part / "P1.png")
    pictures = find_pictures(tmp_path)
    journal = Journal()
    assert pictures.of(ImageName("P1", "labels/val"), journal).folder == "val"
    assert pictures.of(ImageName("P2", "labels/val"), journal) is None
    assert pictures.of(ImageName("P1", "other"), journal) is None
    assert journal.tallies["picture ambiguous"].count == 1


def test_what_a_geotiff_says(tmp_path):
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    tags.tagtype.update({33550: 12, 33922: 12, 34735: 3})
    tags[33550] = (0.5, 0.5, 0.0)
    tags[33922] = (0.0, 0.0, 0.0, 500_000.0, 4_000_000.0, 0.0)
    tags[34735] = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32631)
    tags[306] = "2021:08:29 16:05:00"
    Image.new("L", (8, 6)).save(tmp_path / "P1.tif", tiffinfo=tags)
    record = read_picture(find_pictures(tmp_path).files[0], ImageName("P1"), Journal())
    assert (record.width, record.height, record.gsd, record.gsd_source) == (8, 6, 0.5, "geotiff")
    assert record.further["crs"] == "EPSG:32631"
    assert record.further["transform"] == [500_000.0, 0.5, 0.0, 4_000_000.0, 0.0, -0.5]
    assert record.further["acquired"].isoformat() == "2021-08-29T16:05:00"


def test_a_degree_on_the_ellipsoid():
    # a degree of latitude at the equator and the pole, of longitude at the equator: WGS 84, NGA.STND.0036
    assert metres_per_degree(0.0) == pytest.approx((111_319.49, 110_574.28), abs=0.01)
    assert metres_per_degree(89.999999)[1] == pytest.approx(111_693.98, abs=0.02)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("image_id\nP1\n", "t.csv: no column beside 'image_id'."),
        ("image_id,gsd,gsd\n", "t.csv:1: column 'gsd' occurs twice."),
        ("image_id,gsd\nP1\n", "t.csv:2: expected 2 columns (image_id, gsd), got 1."),
        ("image_id,gsd\nP1,x\n", "t.csv:2: gsd must be a number of metres a pixel, got 'x'."),
        ("image_id,gsd\nP1,1\nP1,2\n", "t.csv:3: image 'P1' is named twice."),
        ("image_id,gsd\n,1\n", "t.csv:2: image_id is empty."),
        ("image_id,width\nP1,1.5\n", "t.csv:2: width must be a whole number of pixels above 0, got 1.5."),
        ("image_id,width\nP1,-3\n", "t.csv:2: width must be a whole number of pixels above 0, got -3."),
    ],
)
def test_a_table_that_is_none(tmp_path, monkeypatch, text, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        read_table("t.csv", Journal())
    assert str(caught.value).split("\n")[0] == says


def test_a_table_as_csv_and_as_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {"gsd": 0.5, "width": 10, "height": 20, "cloud": 0.25}
    (tmp_path / "t.csv").write_text("image_id;gsd;width;height;cloud\nP1.png;0.5;10;20;0.25\nP2;;;;\n")
    pq.write_table(
        pa.table({"image_id": ["P1", "P2"], **{name: [value, None] for name, value in columns.items()}}),
        tmp_path / "t.parquet",
    )
    assert read_table(tmp_path / "t.csv", Journal()) == read_table(tmp_path / "t.parquet", Journal())
    row = read_table(tmp_path / "t.csv", Journal())[0]
    assert (row.image_id, row.record.gsd, row.record.width, row.record.further) == ("P1", 0.5, 10, {"cloud": 0.25})
    (tmp_path / "t.parquet").write_bytes(b"PAR1 junk")
    with pytest.raises(DataError, match=r"t\.parquet: cannot be read as Parquet"):
        read_table(tmp_path / "t.parquet", Journal())


def test_types_of_columns():
    assert typed_texts(["1", "", "3"]) == [1, None, 3]
    assert typed_texts(["1.5", "2"]) == [1.5, 2.0]
    assert typed_texts(["true", "False", ""]) == [True, False, None]
    assert typed_texts(["007", "8"]) == ["007", "8"]
    assert arrow_column([True, None, False])[0].to_pylist() == [True, None, False]
    assert arrow_column([1, 0, None], want="boolean")[0].to_pylist() == [True, False, None]
    assert arrow_column([1, True])[1] == "number"
    assert arrow_column([1, "a", True])[0].to_pylist() == ["1", "a", "true"]
    assert arrow_column([float("nan"), 2.5])[0].to_pylist() == [None, 2.5]
    assert arrow_column([2**70, 1])[1] == "number"
    assert arrow_column(np.array([1, 2]))[1:] == ("number", False)


def test_names_of_pictures():
    assert [without_picture_suffix(n) for n in ("P1.PNG", "a.b.tif", "P1.v2", ".png")] == ["P1", "a.b", "P1.v2", ".png"]


# --- formats ----------------------------------------------------------------------------------------------------------


def test_every_module_registers_a_format_of_its_own():
    names = [name for known in formats() for name in (known.name, *known.aliases)]
    assert len(formats()) == len(FORMATS)
    assert len(set(names)) == len(names)


def test_a_format_that_is_none():
    with pytest.raises(QueryError) as caught:
        find_format("doat")
    assert str(caught.value) == (
        "No format 'doat'.\n"
        "Formats: auto, dota, dota-task1, yolo-obb, coco, scenes, masks, geojson, xview, xbd, table."
    )


def test_a_bad_line_does_not_hide_a_format(tmp_path):
    (tmp_path / "P1.txt").write_text("1 1 5 1 5 5 1 5 ship 0\n" * 3 + "0 0.1 0.2 0.3 0.4\n")
    assert choose_format([tmp_path]).format.name == "dota"


def test_other_formats_beside_are_told(tmp_path):
    (tmp_path / "a.txt").write_text("1 1 5 1 5 5 1 5 ship 0\n")
    (tmp_path / "b.txt").write_text("1 1 5 1 5 5 1 5 ship 0\n")
    (tmp_path / "c.json").write_text(json.dumps({**COCO, "annotations": []}))
    choice = choose_format([tmp_path])
    assert choice.why == "2 of the first 3 files have eight numbers and a class a line"
    assert [text.rsplit("/", 1)[1] for text in choice.others] == ["c.json (coco)"]


def test_a_source_of_no_known_format(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("hello world\n")
    with pytest.raises(DataError) as caught:
        choose_format(["a.txt"])
    assert str(caught.value) == (
        "a.txt: no known format; a.txt begins with 'hello world'.\n"
        "Give --format. Formats: dota, dota-task1, yolo-obb, coco, scenes, masks, geojson, xview, xbd, table."
    )


def test_large_json_is_judged_by_what_stands_far_behind(tmp_path):
    images = [{"id": n, "file_name": f"{n}.png"} for n in range(20_000)]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "categories": [], "annotations": []}))
    assert choose_format([tmp_path]).format.name == "coco"


def test_a_mask_comes_as_a_geometry(tmp_path):
    mask = {"size": [2, 2], "counts": [0, 4]}
    document = {**COCO, "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": mask}]}
    (tmp_path / "a.json").write_text(json.dumps(document))
    chunk = read("coco", tmp_path)[1]
    assert shapely.equals(chunk.outlines.ready[0], shapely.box(0, 0, 2, 2))

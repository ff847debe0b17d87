"""Whatever a file holds, reading it gives a table or an error that people can read: never anything else."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rune_smt import open_archive
from rune_smt.errors import RuneError
from rune_smt.indexing import index_with_report

GOOD = {
    "dota": "imagesource:GF\ngsd:0.5\n1 1 5 1 5 5 1 5 ship 0\n2 2 9 2 9 9 2 9 small-vehicle 1\n",
    "dota-task1": "P1 0.9 1 1 5 1 5 5 1 5\nP2 0.1 2 2 9 2 9 9 2 9\n",
    "yolo-obb": "0 0.5 0.5 0.1 0.2\n1 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2 0.75\n",
    "coco": json.dumps(
        {
            "images": [{"id": 1, "file_name": "a/x.png", "width": 9, "height": 9, "gsd": 0.5}],
            "categories": [{"id": 1, "name": "ship"}],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]], "iscrowd": 0},
                {"id": 2, "image_id": 1, "category_id": 1, "segmentation": {"size": [3, 3], "counts": "0410"}},
                {"id": 3, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5},
            ],
        }
    ),
    "scenes": json.dumps(
        {
            "image_id": "P1", "width": 9, "height": 9, "gsd": 0.5, "reference_areas": {"ship": 4}, "entities": [
                {"label": "ship", "score": 0.5, "polygon": [[0, 0], [4, 0], [4, 4]], "attributes": {"a": 1}},
            ],
        }
    ),
    "geojson": json.dumps(
        {
            "type": "FeatureCollection",
            "crs": {"type": "name", "properties": {"name": "EPSG:32615"}},
            "features": [
                {"type": "Feature", "properties": {"class": "building", "score": 0.5}, "geometry": {
                    "type": "Polygon", "coordinates": [[[300001, 3249995], [300008, 3249995], [300008, 3249990]]]}},
                {"type": "Feature", "properties": {"class": "road"}, "geometry": {
                    "type": "LineString", "coordinates": [[300001, 3249995], [300010, 3249990]]}},
            ],
        }
    ),
    "xview": json.dumps(
        {"type": "FeatureCollection", "features": [
            {"properties": {"bounds_imcoords": "1,2,30,40", "type_id": 18, "image_id": "104.tif"}}]}
    ),
    "xbd": json.dumps(
        {
            "features": {"xy": [{"properties": {"feature_type": "building", "subtype": "destroyed", "uid": "a"},
                                 "wkt": "POLYGON ((1 1, 5 1, 5 5, 1 1))"}]},
            "metadata": {"width": 1024, "height": 1024, "gsd": 1.2, "capture_date": "2018-08-29T16:00:00.000Z"},
        }
    ),
}  # fmt: skip
ENDINGS = {
    "coco": "x.json", "scenes": "x.scenes.jsonl", "geojson": "x.geojson", "xview": "x.geojson",
    "xbd": "x_post_disaster.json",
}  # fmt: skip
PIECES = ["", " ", "\n", "0", "-1", "9" * 30, "9" * 5000, "1e300", "1e400", "nan", "2.5", "null", "[]", "{}", "[[]]"]
PIECES += ['"', "é", "x", ",", "true"]


@pytest.mark.parametrize("format_name", GOOD)
@pytest.mark.parametrize("skip_bad", [False, True])
@settings(max_examples=40)
@given(cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 6), st.sampled_from(PIECES)), min_size=1, max_size=3))
def test_a_damaged_file_is_a_table_or_a_message(tmp_path_factory, format_name, skip_bad, cuts):
    text = GOOD[format_name]
    for where, length, piece in cuts:
        start = int(where * len(text))
        text = text[:start] + piece + text[start + length :]
    folder = tmp_path_factory.mktemp("damaged")
    (folder / ENDINGS.get(format_name, "ship.txt")).write_text(text, encoding="utf-8")
    try:
        done = index_with_report(
            folder,
            format=format_name,
            names=["ship", "plane"],
            image_size=(9, 9),
            line_width="6m",
            skip_bad=skip_bad,
            progress=False,
        )
    except RuneError as error:
        assert error.message
        assert error.exit_status == 3
    else:
        assert done.report.entities == len(done.archive.table)


@pytest.mark.parametrize("format_name", GOOD)
@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_table_or_a_message(tmp_path_factory, format_name, data):
    folder = tmp_path_factory.mktemp("bytes")
    (folder / ENDINGS.get(format_name, "ship.txt")).write_bytes(data)
    for chosen in (format_name, "auto"):
        try:
            index_with_report(folder, format=chosen, names=["ship"], image_size=(9, 9), progress=False)
        except RuneError as error:
            assert error.exit_status == 3


def write_mask(path):
    values = np.zeros((20, 30), np.uint8)
    values[2:14, 3:20], values[5:9, 6:10] = 2, 5
    Image.fromarray(values).save(path)


def write_arrow(path):
    shapes = [shapely.to_wkb(shapely.box(k, 0, k + 3, 4)) for k in range(3)]
    columns = {"image_id": ["a", "a", "b"], "label": ["ship", "car", "ship"], "score": [0.5, 1.0, None]}
    table = pa.table({**columns, "geometry": shapes})
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, path, compression="uncompressed")


BINARY = {
    "7_lab.png": ("masks", write_mask), "7_lab.tif": ("masks", write_mask), "t.arrow": ("table", write_arrow),
    "t.parquet": ("table", write_arrow),
}  # fmt: skip
NUMBERS = (b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80")


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=40)
@given(
    cuts=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(NUMBERS)), max_size=3),
    end=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_a_damaged_binary_file_is_a_table_or_a_message(tmp_path_factory, name, cuts, end):
    format_name, write = BINARY[name]
    path = tmp_path_factory.mktemp("binary") / name
    write(path)
    data = bytearray(path.read_bytes())
    for where, number in cuts:
        start = int(where * (len(data) - 4))
        data[start : start + 4] = number
    path.write_bytes(data[: int(end * len(data))])
    try:
        done = index_with_report(path, format=format_name, vocabulary="flood", progress=False)
    except RuneError as error:
        assert error.message and error.exit_status in (3, 4)
    else:
        assert done.report.entities == len(done.archive.table)


def test_half_a_character_is_no_text(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(GOOD["coco"].replace('"ship"', '"\\ud800"'))
    with pytest.raises(RuneError, match=r"x\.json:1: not valid JSON: a text ends or begins within a character"):
        index_with_report(path, format="coco", progress=False)
    path.write_text(GOOD["coco"].replace('"ship"', '"\\ud83d\\udea2"'))
    assert index_with_report(path, format="coco", progress=False).report.labels[0].source == "\U0001f6a2"


@pytest.mark.parametrize(
    ("member", "value"),
    [("version", []), ("classes", 3), ("vocabulary", {"name": "v"}), ("files", {"x": 1}), ("repaired", "x")],
)
def test_an_archive_whose_header_is_of_other_shapes(tmp_path, member, value):
    (tmp_path / "P1.txt").write_text(GOOD["dota"])
    index_with_report(tmp_path / "P1.txt", tmp_path / "a.rune", format="dota", progress=False)
    header = tmp_path / "a.rune" / "archive.json"
    header.write_text(json.dumps({**json.loads(header.read_text()), member: value}))
    with pytest.raises(RuneError) as caught:
        open_archive(tmp_path / "a.rune")
    assert caught.value.exit_status == 3 and "archive" in caught.value.message

"""Whatever a file holds, reading it gives a table or an error that people can read: never anything else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
}  # fmt: skip
ENDINGS = {"coco": "x.json", "scenes": "x.scenes.jsonl"}
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
            folder, format=format_name, names=["ship", "plane"], image_size=(9, 9), skip_bad=skip_bad, progress=False
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

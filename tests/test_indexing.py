"""From files to an archive: ids, scores, vocabularies, images, what is reported."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rune_smt.detect.records import ImageName
from rune_smt.detect.report import render_report
from rune_smt.entities.archive import open_archive
from rune_smt.entities.scene import Scene
from rune_smt.errors import DataError, QueryError
from rune_smt.grammar.vocabulary import Vocabulary, load_vocabulary
from rune_smt.indexing import image_ids, index, index_with_report
from rune_smt.resolving import column_name
from tests.shared import shared

DOTA8 = (
    "plane", "ship", "storage tank", "baseball diamond", "tennis court", "basketball court", "ground track field",
    "harbor", "bridge", "large vehicle", "small vehicle", "helicopter", "roundabout", "soccer ball field",
    "swimming pool",
)  # fmt: skip


def make(folder, files):
    """Files of a folder, parents included."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def label(name="ship", shift=0):
    a, b = 1 + shift, 5 + shift
    return f"{a} {a} {b} {a} {b} {b} {a} {b} {name} 0\n"


# --- real data --------------------------------------------------------------------------------------------------------


def test_dota_labels():
    folder = shared("data", "dota")
    done = index_with_report(folder, images=folder / "images")
    archive, report = done.archive, done.report
    counts = archive.class_counts()
    assert (len(archive), len(archive.table)) == (5, 800)
    assert (counts["ship"], counts["harbor"]) == (555, 9)
    ships = archive["P0706"]
    assert (ships.gsd, len(ships)) == (0.255589285596, 536)
    assert report.note("picture missing").examples == ("P0770", "P1088", "P1234")
    assert report.without_size == 3
    row = archive.entities.slice(0, 1).to_pylist()[0]
    assert (row["source"], row["source_label"], row["difficult"]) == ("dota/labelTxt/P0706.txt:3", "ship", 1)


def test_vhr10():
    done = index_with_report(shared("data", "vhr10"))
    assert (len(done.archive), len(done.archive.table)) == (488, 2933)
    assert {row.source: row.label for row in done.report.labels}["airplane"] == "plane"
    assert done.report.note("repaired").count == 1
    kinds = shapely.get_type_id(shapely.from_wkb(done.archive.entities.column("geometry").to_pylist()))
    assert np.count_nonzero(kinds == shapely.GeometryType.MULTIPOLYGON) >= 1
    assert done.report.empty_images == 0


def test_detections():
    done = index_with_report(shared("data", "detections"))
    assert (done.report.format, len(done.archive), len(done.archive.table)) == ("dota-task1", 823, 28_120)
    assert done.report.note("only detections").text == (
        'This format names only images with detections: 823 images. Queries with "no ..." cannot return the others. '
        "Give --images, --image-list or --image-table."
    )


def test_dota8():
    done = index_with_report(shared("data", "dota8"), names=DOTA8)
    assert (done.report.format, len(done.archive), len(done.archive.table)) == ("yolo-obb", 8, 133)
    assert done.report.without_size == 0
    with pytest.raises(DataError) as caught:
        index(shared("data", "dota8"))
    assert caught.value.hint == (
        "Put a data.yaml with 'names', or a classes.txt, beside or above the labels, or give --names FILE."
    )


# --- ids and scores ---------------------------------------------------------------------------------------------------


@given(scores=st.lists(st.integers(0, 100), min_size=1, max_size=12), limit=st.integers(0, 100))
def test_leaving_out_low_scores_renumbers_nothing(tmp_path_factory, scores, limit):
    folder = tmp_path_factory.mktemp("results")
    lines = [f"P{n % 3} {score / 100} 0 0 {n + 1} 0 {n + 1} 1 0 1\n" for n, score in enumerate(scores)]
    (folder / "ship.txt").write_text("".join(lines[::2]))
    (folder / "plane.txt").write_text("".join(lines[1::2]))
    every, some = (index(folder, format="dota-task1", min_score=low, progress=False) for low in (0.0, limit / 100))
    rows = {(row["image_id"], row["entity_id"]): row for row in every.entities.to_pylist()}
    kept = some.entities.to_pylist()
    assert len(kept) == sum(score >= limit for score in scores)
    assert all(rows[row["image_id"], row["entity_id"]] == row for row in kept)
    assert len(every) == len(some)


def test_sources_in_any_order_give_the_same_archive(tmp_path):
    make(tmp_path, {"a/z.txt": label(), "b/y.txt": label("plane"), "b/x.txt": label("harbor")})
    one = index([tmp_path / "a", tmp_path / "b"], progress=False)
    other = index([tmp_path / "b", tmp_path / "a"], progress=False)
    assert one.entities.to_pylist() == other.entities.to_pylist()


@given(
    names=st.lists(
        st.builds(ImageName, st.sampled_from("ab"), st.sampled_from(["", "t", "v"]), st.sampled_from("xy")),
        unique=True,
        max_size=8,
    )
)
def test_image_ids_are_different_and_short_where_they_can_be(names):
    ids = image_ids(names)
    assert len(set(ids)) == len(ids)
    stems = [name.stem for name in names]
    assert all((image_id == name.stem) == (stems.count(name.stem) == 1 or image_id == name.stem)
               for image_id, name in zip(ids, names, strict=True))  # fmt: skip
    assert all(image_id == name.stem for image_id, name in zip(ids, names, strict=True) if stems.count(name.stem) == 1)


def test_scenes_come_back_as_they_were_written(tmp_path):
    make(tmp_path, {"labelTxt/P1.txt": "gsd:0.3\n" + label() + label("harbor", 3), "labelTxt/P2.txt": ""})
    first = index(tmp_path / "labelTxt", gsd=0.5, image_size="64x48", progress=False)
    lines = [json.dumps(scene.to_json()) for scene in first]
    (tmp_path / "all.scenes.jsonl").write_text("\n".join(lines))
    second = index(tmp_path / "all.scenes.jsonl", progress=False)
    assert [scene.to_json() for scene in second] == [scene.to_json() for scene in first]
    assert [Scene.from_json(json.loads(line)).to_json() for line in lines] == [scene.to_json() for scene in second]


# --- vocabulary -------------------------------------------------------------------------------------------------------


def test_names_that_the_vocabulary_lacks(tmp_path):
    make(tmp_path, {"P1.txt": label() + label("windmill") + label("windmill") + label("near")})
    kept = index_with_report(tmp_path, vocabulary="dota-v1.5", progress=False)
    assert [(row.source, row.label, row.how, row.count) for row in kept.report.labels] == [
        ("windmill", "windmill", "kept", 2),
        ("near", "near_class", "kept", 1),
        ("ship", "ship", "class", 1),
    ]
    assert (
        kept.report.note("unknown kept").text == "2 names that vocabulary dota-v1.5 lacks became classes without parent"
    )
    own = Vocabulary.from_toml(kept.archive.vocabulary_toml)
    assert own.classes["windmill"].parent is None
    assert own.name == "dota-v1.5"
    dropped = index_with_report(tmp_path, vocabulary="dota-v1.5", unknown="drop", progress=False)
    assert dropped.archive.class_counts() == {"ship": 1}
    assert dropped.report.note("unknown dropped").count == 3
    assert dropped.archive.entities.column("entity_id").to_pylist() == [0]
    with pytest.raises(DataError) as caught:
        index(tmp_path, vocabulary="dota-v1.5", unknown="error", progress=False)
    assert str(caught.value) == (
        "Vocabulary dota-v1.5 lacks the classes 'windmill', 'near'.\n"
        "Map it in a vocabulary of your own ([map]), or give --unknown keep or drop."
    )


@pytest.mark.parametrize(
    ("names", "chosen"),
    [(("ship",), "dota-v1.5"), (("ship", "helipad"), "dota-v2.0"), (("building-flooded",), "flood"), ((), "dota-v1.5")],
)
def test_the_vocabulary_that_knows_most_names_is_taken(tmp_path, names, chosen):
    make(tmp_path, {"P1.txt": "gsd:1\n" + "".join(map(label, names))})
    assert index_with_report(tmp_path, progress=False).report.vocabulary == chosen


def test_attributes_have_the_type_that_the_vocabulary_declares(tmp_path):
    house = {"label": "building", "polygon": [[0, 0], [4, 0], [4, 4]]}
    scene = {"image_id": "P1", "entities": [
        {**house, "attributes": {"flooded": 1, "Roof Type": "flat", "label": 3}},
        {**house, "attributes": {"flooded": 0, "damage": "destroyed"}},
    ]}  # fmt: skip
    (tmp_path / "a.scenes.jsonl").write_text(json.dumps(scene))
    done = index_with_report(tmp_path, vocabulary="flood", progress=False)
    kinds = {name: column.kind for name, column in done.archive.table.attributes.items()}
    assert kinds == {"flooded": "boolean", "damage": "text", "roof_type": "text", "label_in_source": "number"}
    assert done.report.note("column renamed").examples == ("Roof Type is roof_type", "label is label_in_source")
    own = Vocabulary.from_toml(done.archive.vocabulary_toml)
    assert own.attributes["roof_type"].type == "text"
    assert own.attributes["damage"] == load_vocabulary("flood").attributes["damage"]


def test_names_of_columns():
    assert column_name("Is Flooded", {}) == "is_flooded"
    assert column_name("score", {}) == "score_in_source"
    assert column_name("a", {"a": 1, "a_2": 1}) == "a_3"


# --- images -----------------------------------------------------------------------------------------------------------


def test_pictures_give_sizes_and_the_images_without_detections(tmp_path):
    make(tmp_path, {"results/ship.txt": "P1 0.9 1 1 5 1 5 5 1 5\nP9 0.9 1 1 5 1 5 5 1 5\n"})
    (tmp_path / "images").mkdir()
    for name in ("P1", "P2"):
        Image.new("L", (30, 20)).save(tmp_path / "images" / f"{name}.png")
    done = index_with_report(tmp_path / "results", images=tmp_path / "images", progress=False)
    rows = {row["image_id"]: row for row in done.archive.images.to_pylist()}
    assert {name: row["width"] for name, row in rows.items()} == {"P1": 30, "P2": 30, "P9": None}
    assert rows["P1"]["path"] == (tmp_path / "images/P1.png").resolve().as_posix()
    assert done.report.note("only detections") is None
    assert done.report.note("picture missing").text == f"1 image has no picture in {(tmp_path / 'images').as_posix()}"
    assert done.report.empty_images == 1


def test_pictures_without_label_files_are_not_taken_for_empty_images(tmp_path):
    make(tmp_path, {"labelTxt/P1.txt": label(), "list.txt": "P2.png\n"})
    (tmp_path / "images").mkdir()
    for name in ("P1", "P2", "P3"):
        Image.new("L", (30, 20)).save(tmp_path / "images" / f"{name}.png")
    done = index_with_report(
        tmp_path / "labelTxt", images=tmp_path / "images", image_list=tmp_path / "list.txt", progress=False
    )
    assert list(done.archive.table.images.image_id) == ["P1", "P2"]
    assert done.report.note("picture not indexed").examples == ("P3",)
    assert done.report.note("not in list").examples == ("P1",)


def test_a_size_that_differs_is_told(tmp_path):
    document = {
        "images": [{"id": 1, "file_name": "P1.png", "width": 9, "height": 9}],
        "categories": [],
        "annotations": [],
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    Image.new("L", (30, 20)).save(tmp_path / "P1.png")
    done = index_with_report(tmp_path / "a.json", images=tmp_path / "P1.png", progress=False)
    assert done.report.note("size differs").examples == ("P1 (9 x 9, picture 30 x 20)",)
    assert done.archive.images.column("width").to_pylist() == [9]


def test_what_is_known_of_an_image_comes_from_table_then_source_then_option(tmp_path):
    make(tmp_path, {
        "labelTxt/P1.txt": "gsd:0.1\n", "labelTxt/P2.txt": "gsd:0.2\n", "labelTxt/P3.txt": "",
        "t.csv": "image_id,gsd,truncated,acquired,transform\nP1,0.5,true,2021-08-29T16:05:00,0 1 0 0 0 -1\n",
    })  # fmt: skip
    archive = index(tmp_path / "labelTxt", format="dota", image_table=tmp_path / "t.csv", gsd=0.9, progress=False)
    rows = archive.images.to_pylist()
    assert [(row["gsd"], row["gsd_source"]) for row in rows] == [
        (0.5, "image table"),
        (0.2, "labelTxt"),
        (0.9, "option"),
    ]
    assert rows[0]["truncated"] is True
    assert rows[0]["acquired"].year == 2021
    assert rows[0]["transform"] == [0, 1, 0, 0, 0, -1]


def test_the_extent_is_assumed_only_when_asked(tmp_path):
    make(tmp_path, {"P1.txt": label()})
    assert index(tmp_path, progress=False).assumptions == ()
    done = index_with_report(tmp_path, assume_extent=True, progress=False)
    assert done.archive.assumptions == ("assume_extent",)
    assert done.report.note("extent assumed").count == 1
    assert done.archive.images.column("width").to_pylist() == [None]


def test_crowds(tmp_path):
    listed = {"images": [{"id": 1, "file_name": "P1.png"}], "categories": [{"id": 1, "name": "ship"}]}
    document = {**listed, "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 0},
    ]}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert index(tmp_path, progress=False).entities.column("entity_id").to_pylist() == [1]
    kept = index(tmp_path, crowd="keep", progress=False)
    assert kept.entities.column("crowd").to_pylist() == [True, False]


# --- the archive ------------------------------------------------------------------------------------------------------


def test_an_output_that_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path, {"a/P1.txt": label(), "b/P2.txt": label("windmill"), "folder/x": ""})
    assert len(index("a", "out.rune", progress=False)) == 1
    with pytest.raises(DataError) as caught:
        index("a", "out.rune", progress=False)
    assert str(caught.value) == "out.rune exists.\nAdd to it with --append, or replace it with --overwrite."
    with pytest.raises(DataError, match="folder exists and is not an archive"):
        index("a", "folder", overwrite=True, progress=False)
    both = index("b", "out.rune", append=True, progress=False)
    assert list(both.table.images.image_id) == ["P1", "P2"]
    assert "windmill" in Vocabulary.from_toml(open_archive("out.rune").vocabulary_toml).classes
    with pytest.raises(DataError) as caught:
        index("b", "out.rune", append=True, progress=False)
    assert str(caught.value) == (
        "Image 'P2' is in out.rune already.\nAppend only new images, or make the archive anew with --overwrite."
    )
    with pytest.raises(QueryError, match=r"The archive's vocabulary is dota-v1\.5, not flood"):
        index("b", "out.rune", append=True, vocabulary="flood", progress=False)
    assert len(index("b", "out.rune", overwrite=True, progress=False)) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"unknown": "ask"}, "--unknown is keep, drop or error, got 'ask'."),
        ({"crowd": "all"}, "--crowd is exclude or keep, got 'all'."),
        ({"min_score": 2.0}, "--min-score goes from 0 to 1, got 2.0."),
        ({"gsd": 0.0}, "--gsd goes from 0.005 to 1,000 m per pixel, got 0.0."),
        ({"image_size": "0x5"}, "--image-size is WxH in pixels, both above 0, such as 1024x768; got '0x5'."),
        ({"image_size": "big"}, "--image-size is WxH in pixels, both above 0, such as 1024x768; got 'big'."),
        ({"append": True, "overwrite": True}, "--append and --overwrite exclude each other."),
        ({"append": True}, "--append needs the archive to add to."),
    ],
)
def test_options_that_cannot_be(tmp_path, options, says):
    make(tmp_path, {"P1.txt": label()})
    with pytest.raises(QueryError) as caught:
        index(tmp_path, progress=False, **options)
    assert str(caught.value) == says


def test_sources_that_cannot_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    for sources, options, says in (
        ([], {}, "No source to index."),
        (["none"], {}, "none does not exist."),
        (["a"], {"format": "coco"}, "a: no files of format coco (COCO json) found."),
    ):
        with pytest.raises((DataError, QueryError)) as caught:
            index(sources, progress=False, **options)
        assert str(caught.value) == says


def test_nothing_is_written_when_a_file_is_bad(tmp_path):
    make(tmp_path, {"a/P1.txt": label(), "a/P2.txt": "1 2 3\n"})
    with pytest.raises(DataError):
        index(tmp_path / "a", tmp_path / "out.rune", format="dota", progress=False)
    assert not (tmp_path / "out.rune").exists()


# --- the report -------------------------------------------------------------------------------------------------------


def test_the_text_of_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(
        tmp_path,
        {"labelTxt/P1.txt": label() + label("small-vehicle") + label("windmill") + "1 2 3\n", "labelTxt/P2.txt": ""},
    )
    done = index_with_report("labelTxt", skip_bad=True, vocabulary="dota-v1.5", progress=False)
    assert done.render() == (
        "Format dota: 1 of the first 2 files has eight numbers and a class a line.\n"
        "Vocabulary dota-v1.5.\n"
        "  ship → ship (class)                       1\n"
        "  small-vehicle → small_vehicle (spelling)  1\n"
        "  windmill → windmill (kept)                1\n"
        "3 entities in 2 images, 1 with nothing in it, 2 of unknown size, 2 of unknown ground sample distance.\n"
        "warning: 1 unreadable place was skipped:\n"
        "  labelTxt/P1.txt:4: expected 8 numbers, a class and a difficulty, got 3 fields: '1 2 3'\n"
        "warning: 1 name that vocabulary dota-v1.5 lacks became a class without parent: windmill."
    )
    assert render_report(done.report, ascii_only=True).isascii()
    assert json.loads(json.dumps(done.to_json()))["labels"][0] == {
        "source": "ship", "label": "ship", "how": "class", "count": 1,
    }  # fmt: skip

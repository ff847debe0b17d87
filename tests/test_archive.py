"""Archives: what goes in comes out, on disk as in memory; a refusal names row or file; a crash leaves old or none."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities import archive_folder
from rune_smt.entities.archive import archive_from_arrow, open_archive
from rune_smt.entities.scene import Scene
from rune_smt.errors import DataError, QueryError
from rune_smt.testing.scenes import scenes

VOCABULARY = {"name": "harbors", "toml": 'name = "harbors"\n'}


def wkb(x, y, w=10, h=4):
    return shapely.to_wkb(shapely.box(x, y, x + w, y + h))


def entities(**changes):
    """Four entities in two images, given in no order."""
    columns = {
        "image_id": ["P0770", "P0706", "P0706", "P0706"],
        "entity_id": [0, 2, 0, 1],
        "label": ["ship", "ship", "harbor", "ship"],
        "source_label": ["Ship", "Ship", "Harbor", "Ship"],
        "score": [0.25, None, 1.0, 0.5],
        "geometry": [wkb(0, 0), wkb(5, 5), wkb(20, 20, 40, 40), wkb(7, 1, 2, 2)],
        "source": ["a.txt:3", "b.txt:5", "b.txt:3", "b.txt:4"],
        "difficult": [0, 1, None, 2],
        "flooded": [True, None, False, True],
        "damage": ["minor", None, "none", "minor"],
    }
    columns.update(changes)
    return pa.table({name: values for name, values in columns.items() if values is not None})


def images(**changes):
    columns = {
        "image_id": ["P1888", "P0706", "P0770"],
        "width": [100, 200, None],
        "height": [100, 150, None],
        "gsd": [0.3, None, 5000.0],
        "path": [None, "P0706.png", None],
        "sensor": ["GF2", None, "JL1"],
    }
    columns.update(changes)
    return pa.table({name: values for name, values in columns.items() if values is not None})


@pytest.fixture
def folder(tmp_path):
    archive_from_arrow(entities(), images(), vocabulary=VOCABULARY, out=tmp_path / "harbors.rune")
    return tmp_path / "harbors.rune"


def columns_of(table):
    names = ("image", "entity_id", "label", "score", "cx", "area", "length", "width", "diag", "angle", "min_x", "max_y")
    return {name: getattr(table, name).tolist() for name in names}


# --- what goes in comes out -------------------------------------------------------------------------------------------


def test_an_archive_on_disk_is_the_one_in_memory(folder):
    memory, disk = archive_from_arrow(entities(), images(), vocabulary=VOCABULARY), open_archive(folder)
    assert repr(columns_of(memory.table)) == repr(columns_of(disk.table))  # NaN too
    assert memory.entities.to_pylist() == disk.entities.to_pylist()
    assert memory.images.to_pylist() == disk.images.to_pylist()
    assert [s.to_json() for s in memory] == [s.to_json() for s in disk]
    assert disk.vocabulary_toml == VOCABULARY["toml"] and disk.vocabulary_name == "harbors"
    assert (disk.name, memory.name) == ("harbors", "memory")
    disk.verify()


def test_rows_are_sorted_by_image_then_class_then_number(folder):
    table = open_archive(folder).table
    assert list(table.images.image_id) == ["P0706", "P0770", "P1888"]
    assert table.classes == ("harbor", "ship")
    assert table.image.tolist() == [0, 0, 0, 1]
    assert table.label.tolist() == [0, 1, 1, 1]
    assert table.entity_id.tolist() == [0, 1, 2, 0]
    assert table.offsets.tolist() == [[0, 1, 3], [3, 3, 4], [4, 4, 4]]
    assert table.score.tolist() == [1.0, 0.5, 1.0, 0.25]  # null is 1.0
    assert table.rows_of(0).tolist() == [0, 1, 2] and table.rows_of(2).tolist() == []


def test_an_image_without_entities_is_a_scene(folder):
    scene = open_archive(folder)["P1888"]
    assert len(scene) == 0 and scene.gsd == 0.3 and scene.to_json()["entities"] == []


def test_attributes_by_kind(folder):
    attributes = open_archive(folder).table.attributes
    assert set(attributes) == {"difficult", "flooded", "damage"}
    assert {name: attributes[name].kind for name in attributes} == {
        "difficult": "number",
        "flooded": "boolean",
        "damage": "text",
    }
    assert [attributes["difficult"].of(row) for row in range(4)] == [None, 2.0, 1.0, 0.0]
    assert [attributes["flooded"].of(row) for row in range(4)] == [False, True, None, True]
    assert attributes["damage"].texts == ("minor", "none")
    assert [attributes["damage"].of(row) for row in range(4)] == ["none", "minor", None, "minor"]


def test_an_unusable_gsd_is_unknown_and_named(folder):
    archive = open_archive(folder)
    assert archive.facts.unusable_gsd == ("P0770",)
    assert archive["P0770"].gsd is None
    assert archive.images.column("gsd").to_pylist() == [None, None, 0.3]


def test_defaults_for_columns_that_are_not_given():
    plain = entities(entity_id=None, score=None, source=None, source_label=None)
    archive = archive_from_arrow(plain, images(width=None, height=None, gsd=None, path=None))
    rows = archive.entities.to_pylist()
    assert [(r["image_id"], r["entity_id"]) for r in rows] == [("P0706", 0), ("P0706", 1), ("P0706", 2), ("P0770", 0)]
    assert [r["difficult"] for r in rows] == [1, None, 2, 0]  # reading order
    assert {r["score"] for r in rows} == {1.0}
    assert [r["source_label"] for r in rows] == ["ship", "harbor", "ship", "ship"]


def test_a_crossing_outline_is_repaired_and_counted():
    crossing = shapely.Polygon([(0, 0), (4, 4), (8, 4), (8, 0), (4, 0), (0, 4)])
    archive = archive_from_arrow(entities(geometry=[crossing.wkb, wkb(0, 0), wkb(1, 1), wkb(2, 2)]), images())
    assert archive.facts.repaired == 1
    assert all(shape.is_valid for shape in archive.table.outlines(np.arange(4)))


def test_points_and_lines_are_kept_as_collapsed_polygons(tmp_path):
    flat = [shapely.Point(3, 4).wkb, shapely.LineString([(0, 0), (3, 4)]).wkb, wkb(0, 0), wkb(1, 1)]
    archive = archive_from_arrow(entities(geometry=flat), images(), out=tmp_path / "a.rune")
    stored = shapely.from_wkb(archive.entities.column("geometry").to_numpy())
    assert {shape.geom_type for shape in stored} == {"Polygon"}
    assert sorted(s.geom_type for s in archive.table.outlines(np.arange(4))) == [
        "LineString",
        "Point",
        "Polygon",
        "Polygon",
    ]


@settings(max_examples=40)
@given(drawn=st.lists(scenes(), min_size=1, max_size=2))
def test_scenes_survive_an_archive(drawn, tmp_path_factory):
    rows, pictures = [], []
    for number, scene in enumerate(drawn):
        name = f"P{number}"
        pictures.append(scene.table.images.arrow.set_column(0, "image_id", pa.array([name])).to_pylist()[0])
        outlines = scene.table.outlines(scene.rows)
        for entity, shape in zip(scene.to_json()["entities"], outlines, strict=True):
            rows.append(
                {
                    "image_id": name,
                    **{key: entity[key] for key in ("entity_id", "label", "score")},
                    "geometry": shapely.to_wkb(shape),
                    "flooded": entity["attributes"].get("flooded"),
                    "difficult": entity["attributes"].get("difficult"),
                }
            )
    strings = [(name, pa.string()) for name in ("image_id", "label")]
    numbers = [("entity_id", pa.int32()), ("score", pa.float64()), ("difficult", pa.float64()), ("flooded", pa.bool_())]
    schema = pa.schema([*strings, *numbers, ("geometry", pa.binary())])
    out = tmp_path_factory.mktemp("archive") / "a.rune"
    archive = archive_from_arrow(pa.Table.from_pylist(rows, schema), pa.Table.from_pylist(pictures), out=out)
    for number, scene in enumerate(drawn):
        ours, theirs = archive[f"P{number}"].to_json(), scene.to_json()
        for document in (ours, theirs):
            for entity in document["entities"]:
                entity["attributes"] = {k: v for k, v in entity["attributes"].items() if v is not None}
            del document["image_id"], document["reference_areas"]
        assert ours == theirs


@settings(max_examples=100)
@given(scene=scenes(attributes={"flooded": "boolean", "difficult": "number", "damage": ("none", "minor")}))
def test_a_scene_survives_json(scene):
    document = json.loads(json.dumps(scene.to_json()))
    again = Scene.from_json(document)
    assert again.to_json() == scene.to_json()
    assert repr(columns_of(again.table)) == repr(columns_of(scene.table))


# --- on disk ----------------------------------------------------------------------------------------------------------


def test_the_folder_is_geoparquet_in_pixel_space(folder):
    assert {file.name for file in folder.iterdir()} >= {"entities.parquet", "images.parquet", "archive.json"}
    geo = json.loads(pq.read_schema(folder / "entities.parquet").metadata[b"geo"])
    assert geo["version"] == "1.1.0" and geo["primary_column"] == "geometry"
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB" and column["crs"] is None and "crs" in column
    assert column["geometry_types"] == ["Polygon"] and column["bbox"] == [0, 0, 60, 60]
    schema = pq.read_schema(folder / "entities.parquet")
    assert schema.names[:7] == ["image_id", "entity_id", "label", "source_label", "score", "geometry", "source"]
    assert [str(schema.field(n).type) for n in schema.names[:7]] == [
        *("string", "int32", "string", "string", "double", "binary", "string")
    ]


def test_the_same_sources_give_the_same_bytes(tmp_path):
    for name in ("a.rune", "b.rune"):
        archive_from_arrow(entities(), images(), out=tmp_path / name)
    for file in (tmp_path / "a.rune").iterdir():
        assert file.read_bytes() == (tmp_path / "b.rune" / file.name).read_bytes()


def test_arrays_are_read_only(folder):
    for archive in (open_archive(folder), archive_from_arrow(entities(), images())):
        for name in ("cx", "score", "label", "offsets", "reference_area"):
            array = getattr(archive.table, name)
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
        with pytest.raises(ValueError, match="read-only"):
            archive.table.attributes["damage"].values[0] = 1


def test_numbers_are_mapped_not_copied(folder):
    with pa.memory_map(str(folder / "columns.arrow")) as source:
        assert pyarrow.ipc.open_file(source).num_record_batches == 1
    before = pa.total_allocated_bytes()
    archive = open_archive(folder)
    assert archive.table.cx.base is not None
    assert pa.total_allocated_bytes() - before < 4096


def test_mapped_files_that_are_missing_are_made_again(folder):
    whole = open_archive(folder)
    expected, scenes_before = repr(columns_of(whole.table)), [s.to_json() for s in whole]
    for name in ("columns.arrow", "offsets.arrow", "images.arrow"):
        (folder / name).unlink()
    archive = open_archive(folder)
    assert repr(columns_of(archive.table)) == expected
    assert [s.to_json() for s in archive] == scenes_before
    archive.verify()


def test_a_crash_leaves_the_old_archive_and_nothing_beside_it(folder, monkeypatch):
    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive_folder, "sync", full_disk)
    with pytest.raises(DataError) as error:
        archive_from_arrow(entities(), images(), out=folder, overwrite=True)
    assert error.value.message == f"{folder} cannot be written: No space left on device."
    assert [file.name for file in folder.parent.iterdir()] == ["harbors.rune"]
    open_archive(folder).verify()


def test_an_archive_may_be_replaced(folder):
    fewer = entities().slice(1)
    archive = archive_from_arrow(fewer, images(), out=folder, overwrite=True)
    assert len(archive.table) == 3 and len(open_archive(folder).table) == 3
    assert [file.name for file in folder.parent.iterdir()] == ["harbors.rune"]


# --- reference areas and appending ------------------------------------------------------------------------------------


def test_reference_areas_are_medians_over_the_archive_whatever_the_score(folder):
    archive = open_archive(folder)
    assert archive.reference_areas == {"harbor": 1600.0, "ship": 40.0}
    assert archive["P0770"].reference_areas == {"ship": 40.0}
    even = archive_from_arrow(entities(label=["ship", "ship", "harbor", "harbor"]), images())
    assert even.reference_areas == {"harbor": (1600 + 4) / 2, "ship": 40.0}
    given_areas = archive_from_arrow(entities(), images(), reference_areas={"ship": 7.5, "plane": 3.0})
    assert given_areas.reference_areas == {"harbor": 1600.0, "plane": 3.0, "ship": 7.5}


def more():
    """One more image, with a class that the archive has and one that it lacks, and one more entity of an old image."""
    rows = {
        "image_id": ["P2000", "P2000", "P1888"],
        "entity_id": [0, 1, 0],
        "label": ["ship", "plane", "ship"],
        "geometry": [wkb(0, 0, 50, 50), wkb(0, 0, 3, 3), wkb(9, 9)],
        "cloudy": [True, False, None],
    }
    return pa.table(rows), pa.table({"image_id": ["P2000"], "gsd": [0.5], "transform": [[0.0, 1.0, 0, 0, 0, -1.0]]})


@pytest.mark.parametrize("in_memory", [False, True])
def test_appending_keeps_reference_areas_and_old_scenes(folder, in_memory):
    archive = archive_from_arrow(entities(), images()) if in_memory else open_archive(folder)
    old = archive["P0706"].to_json()
    grown = archive.append(*more(), assumptions=["assume_extent"])
    assert len(archive) == 3 and len(grown) == 4  # what is open stays as it was
    assert grown.reference_areas == {"harbor": 1600.0, "plane": 9.0, "ship": 40.0}
    assert grown.assumptions == ("assume_extent",)
    assert len(grown["P1888"]) == 1 and grown["P2000"].transform == (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
    for entity in old["entities"]:
        entity["attributes"]["cloudy"] = None
    assert grown["P0706"].to_json() == old
    assert grown.table.attributes["cloudy"].kind == "boolean"
    assert grown.append(*(t.slice(0, 0) for t in more()), refit_sizes=True).reference_areas["ship"] == 40.0
    if not in_memory:
        assert open_archive(folder).reference_areas["plane"] == 9.0
        assert open_archive(folder).vocabulary_toml == VOCABULARY["toml"]


def test_refitting_takes_the_new_entities_in(folder):
    rows, pictures = more()
    many = pa.concat_tables([rows.slice(0, 1).set_column(1, "entity_id", pa.array([i])) for i in range(5)])
    grown = open_archive(folder).append(many, pictures, refit_sizes=True)
    assert grown.reference_areas["ship"] == 2500.0


def test_new_images_are_appended_without_reading_the_outlines_that_are_there(folder, monkeypatch):
    def read(*args):
        raise AssertionError("an append of new images needs no more than the schema")

    rows, pictures = more()
    new = rows.filter(pc.equal(rows.column("image_id"), "P2000"))
    archive = open_archive(folder)
    with monkeypatch.context() as patched:
        patched.setattr("rune_smt.entities.archive.read_parquet", read)
        archive.append(new, pictures)
    grown = open_archive(folder)
    assert len(grown.parts) == 2 and len(grown.entities) == len(archive.entities) + len(new)


def test_a_refused_append_leaves_the_archive_as_it_was(folder):
    with pytest.raises(DataError) as error:
        open_archive(folder).append(entities(), images())
    assert "image_id 'P0706' stands in row 0 already." in error.value.message
    open_archive(folder).verify()
    with pytest.raises(DataError) as error:
        open_archive(folder).append(entities(), images().slice(0, 0))
    assert "stands in row" in error.value.message
    with pytest.raises(DataError) as error:
        open_archive(folder).append(entities(entity_id=[7, 8, 9, 10], damage=[1, 2, 3, 4]), images().slice(0, 0))
    assert error.value.message.startswith("The entities do not fit those of the archive:")


# --- refusals ---------------------------------------------------------------------------------------------------------

ONE_TO_FOUR = [wkb(0, 0)] * 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"score": [0.1, 0.2, float("nan"), 1]},
            "entities row 2 (b.txt:3): score is nan, and must be a number from 0 to 1.",
        ),
        ({"score": [0.1, 1.5, 0.2, 1]}, "entities row 1 (b.txt:5): score is 1.5, and must be a number from 0 to 1."),
        ({"score": [-0.1, 1.5, 0.2, 1]}, "entities row 0 (a.txt:3): score is -0.1, and must be a number from 0 to 1."),
        (
            {"image_id": ["P0770", "P0706", "P9", "P0706"]},
            "entities row 2 (b.txt:3): the images table has no image 'P9'.",
        ),
        ({"image_id": ["P0770", "P0706", None, "P0706"]}, "entities row 2: image_id is null."),
        (
            {"entity_id": [0, 1, 0, 1]},
            "entities row 3 (b.txt:4): entity 1 of image 'P0706' stands in row 1 already.",
        ),
        ({"entity_id": [0, 1, None, 2]}, "entities row 2: entity_id is null."),
        ({"entity_id": [0, 1, -4, 2]}, "entities row 2 (b.txt:3): entity_id is -4."),
        ({"label": ["ship", None, "harbor", "ship"]}, "entities row 1: label is null."),
        ({"label": ["ship", "", "harbor", "ship"]}, "entities row 1 (b.txt:5): label is empty."),
        ({"geometry": [*ONE_TO_FOUR[:3], None]}, "entities row 3 (b.txt:4): geometry is null."),
        ({"geometry": [*ONE_TO_FOUR[:3], b"x"]}, "entities row 3 (b.txt:4): geometry is no WKB."),
        (
            {"geometry": [wkb(0, 0), *ONE_TO_FOUR[:2], shapely.Polygon().wkb]},
            "entities row 3 (b.txt:4): An outline has no point.",
        ),
        (
            {"geometry": [wkb(0, float("inf")), *ONE_TO_FOUR[:3]]},
            "entities row 0 (a.txt:3): An outline has a coordinate that is NaN or infinite.",
        ),
        (
            {"geometry": ["a", "b", "c", "d"]},
            "entities, column 'geometry' is string, and must be binary: WKB polygons in pixels.",
        ),
        (
            dict.fromkeys(("geometry", "source", "difficult", "flooded", "damage", "source_label")),
            "The entities table has no column 'geometry'; it has image_id, entity_id, label, score.",
        ),
    ],
)
def test_entities_that_are_refused(changes, message):
    with pytest.raises(DataError) as error:
        archive_from_arrow(entities(**changes), images())
    assert error.value.message == message
    assert error.value.hint


def test_images_that_are_refused():
    with pytest.raises(DataError) as error:
        archive_from_arrow(entities(), images(image_id=["P0706", "P0770", "P0706"]))
    assert error.value.message == "images row 2: image_id 'P0706' stands in row 0 already."
    with pytest.raises(DataError) as error:
        archive_from_arrow(entities(), images(image_id=["P0706", None, "P0707"]))
    assert error.value.message == "images row 1: image_id is null."
    with pytest.raises(DataError) as error:
        archive_from_arrow(entities(), images(width=["wide", "a", "b"]))
    assert error.value.message.startswith("images, column 'width' is string and cannot be read as int32:")


def test_an_output_that_exists_is_refused(folder, tmp_path):
    with pytest.raises(DataError) as error:
        archive_from_arrow(entities(), images(), out=folder)
    assert str(error.value) == f"{folder} exists.\nAdd to it with --append, or replace it with --overwrite."
    other = tmp_path / "photos"
    other.mkdir()
    (other / "a.png").write_bytes(b"")
    with pytest.raises(DataError) as error:
        archive_from_arrow(entities(), images(), out=other, overwrite=True)
    assert str(error.value) == f"{other} exists and is not an archive; it is left alone.\nChoose another output."
    assert (other / "a.png").exists()


def test_an_image_that_is_not_there(folder):
    archive = open_archive(folder)
    with pytest.raises(QueryError) as error:
        archive["P706"]
    assert str(error.value) == "No image 'P706'. Nearest: P0706."
    with pytest.raises(QueryError) as error:
        archive["helipad"]
    assert str(error.value) == "No image 'helipad'.\nThere are 3, P0706 to P1888."
    assert "P0706" in archive and "P706" not in archive and 7 not in archive


def test_what_is_no_archive(folder, tmp_path):
    with pytest.raises(DataError) as error:
        open_archive(tmp_path / "harbor.rune")
    assert str(error.value) == f"No archive at {tmp_path / 'harbor.rune'}.\nNearest: {folder}."
    (tmp_path / "labels").mkdir()
    with pytest.raises(DataError) as error:
        open_archive(tmp_path / "labels")
    assert error.value.message == f"{tmp_path / 'labels'} is not an archive: it has no archive.json."
    with pytest.raises(DataError) as error:
        open_archive(folder / "entities.parquet")
    assert "is not an archive" in error.value.message


def test_an_archive_of_another_version(folder):
    header = json.loads((folder / "archive.json").read_text())
    (folder / "archive.json").write_text(json.dumps({**header, "version": 99}))
    with pytest.raises(DataError) as error:
        open_archive(folder)
    assert str(error.value) == (
        f"{folder} is an archive of another version: 99; this program reads versions 1 and 2.\n"
        f"Index the sources again: rune-smt index SOURCE... -o {folder} --overwrite. "
        "Or open it with the rune-smt that made it."
    )


@pytest.mark.parametrize(
    "name", ["entities.parquet", "images.parquet", "columns.arrow", "offsets.arrow", "images.arrow"]
)
def test_a_file_that_is_cut_short_or_missing(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-20])
    with pytest.raises(DataError) as error:
        open_archive(folder)
    assert error.value.message == (
        f"{folder / name} is damaged: it has {len(whole) - 20} bytes, {len(whole)} were written."
    )
    assert error.value.hint == f"Index the sources again: rune-smt index SOURCE... -o {folder} --overwrite"
    (folder / name).unlink()
    if name.endswith("parquet"):
        with pytest.raises(DataError) as error:
            open_archive(folder)
        assert error.value.message == f"{folder / name} is missing."


@pytest.mark.parametrize("name", ["entities.parquet", "columns.arrow", "images.arrow"])
def test_a_file_with_other_contents(folder, name):
    size = (folder / name).stat().st_size
    (folder / name).write_bytes(b"\x00" * size)
    with pytest.raises(DataError) as error:
        open_archive(folder).entities.num_rows  # noqa: B018
    assert error.value.message.startswith(f"{folder / name} is damaged: ")


def test_a_changed_byte_is_found_by_verify(folder):
    written = (folder / "columns.arrow").read_bytes()
    score, other = np.float64(0.25).tobytes(), np.float64(0.75).tobytes()
    (folder / "columns.arrow").write_bytes(written.replace(score, other, 1))
    assert open_archive(folder).table.score[3] == 0.75
    with pytest.raises(DataError) as error:
        open_archive(folder).verify()
    assert error.value.message == (
        f"{folder / 'columns.arrow'} is damaged: its contents are not those that were written."
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "rune-smt archive", "version": 1}'])
def test_a_header_that_cannot_be_read(folder, text):
    (folder / "archive.json").write_text(text)
    with pytest.raises(DataError) as error:
        open_archive(folder)
    assert "archive.json" in error.value.message


# --- scenes as JSON ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        (
            {"polygon": [[0, 0], [1, float("nan")]]},
            "Scene 'P1', entity 0: An outline has a coordinate that is NaN or infinite.",
        ),
        ({"polygon": []}, "Scene 'P1', entity 0: An outline has no point."),
        ({"score": 1.2}, "Scene 'P1', entity 0: score is 1.2, and must be a number from 0 to 1."),
        ({"score": "high"}, "Scene 'P1', entity 0: score is 'high', and must be a number from 0 to 1."),
        ({"label": None}, "Scene 'P1', entity 0: label is None, and must be a class name."),
        ({"entity_id": -1}, "Scene 'P1': entity_id is -1, and must be a whole number from 0 to 2147483647."),
        ({"entity_id": 1}, "Scene 'P1': entity_id 1 occurs twice; each must be given once."),
        (
            {"attributes": {"flooded": 1.5}},
            "Scene 'P1', attribute 'flooded': the values must all be booleans, all numbers or all texts; "
            "there are bool, float.",
        ),
    ],
)
def test_scenes_that_are_refused(entity, message):
    good = {"entity_id": 0, "label": "ship", "score": 1.0, "polygon": [[0, 0], [1, 1]], "attributes": {"flooded": True}}
    document = {"image_id": "P1", "entities": [{**good, **entity}, {**good, "entity_id": 1}]}
    with pytest.raises(DataError) as error:
        Scene.from_json(document)
    assert error.value.message == message


def test_a_scene_needs_a_name_and_a_list():
    for document in ({"entities": []}, {"image_id": "P1"}, {"image_id": "P1", "entities": [3]}):
        with pytest.raises(DataError):
            Scene.from_json(document)


def test_the_shape_of_a_scene():
    ring = [[[0, 0], [9, 0], [9, 9], [0, 9]], [[2, 2], [4, 2], [4, 4], [2, 4]]]
    document = {"image_id": "P1", "width": 30, "height": 20, "gsd": 0.5}
    assert Scene.from_json({**document, "entities": [{"label": "water", "polygon": ring}]}).to_json() == {
        "image_id": "P1",
        "width": 30,
        "height": 20,
        "gsd": 0.5,
        "reference_areas": {"water": 77.0},
        "entities": [{"entity_id": 0, "label": "water", "score": 1.0, "polygon": ring, "attributes": {}}],
    }


def test_representations_are_short_and_html_stands_alone(folder):
    archive = open_archive(folder)
    assert repr(archive) == f"Archive({str(folder)!r}, 3 images, 4 entities: 3 ship, 1 harbor)"
    assert repr(archive_from_arrow(entities(), images())) == "Archive(3 images, 4 entities: 3 ship, 1 harbor)"
    assert repr(archive["P0706"]) == "Scene('P0706': 2 ship, 1 harbor)"
    for text in (archive._repr_html_(), archive["P0706"]._repr_html_()):
        assert "<svg" in text and "http" not in text and "<script" not in text
    strange = archive_from_arrow(entities(label=["<b>"] * 4), images())
    assert "<td><b></td>" not in strange._repr_html_()

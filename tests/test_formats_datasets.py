"""xView, xBD and tables of any origin."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import shapely

from rune_smt.errors import DataError
from rune_smt.indexing import index_with_report


def bounds(archive):
    return [shapely.from_wkb(row["geometry"]).bounds for row in archive.entities.to_pylist()]


def xview(path, *rows):
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [[[-90, 15], [-90, 15.1], [-89.9, 15.1], [-90, 15]]]},
            "properties": {
                "bounds_imcoords": box,
                "type_id": kind,
                "image_id": image,
                "feature_id": number,
                "edge_num": 0,
            },
        }
        for number, (image, kind, box) in enumerate(rows)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_xview_boxes_are_pixels(tmp_path):
    source = xview(
        tmp_path / "xView_train.geojson",
        ("104.tif", 73, "10,20,30,50"), ("104.tif", 18, "2712,1145,2746,1177"), ("9.tif", 75, "0,0,5,5"),
        ("9.tif", 73, ""),
    )  # fmt: skip
    indexed = index_with_report(source, vocabulary="flood", progress=False)
    assert (indexed.report.format, indexed.report.why) == ("xview", "the only file has features with bounds_imcoords")
    rows = indexed.archive.entities.to_pylist()
    assert [(row["image_id"], row["label"], row["source_label"], row["feature_id"]) for row in rows] == [
        ("104", "building", "Building", 0), ("104", "small_car", "Small Car", 1), ("9", "unknown_75", "unknown_75", 2),
    ]  # fmt: skip
    assert bounds(indexed.archive)[0] == (10, 20, 30, 50)
    assert indexed.report.note("no bounds").count == 1


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "nan,0,1,1", "1e300,0,1,1"])
def test_xview_bounds_that_are_none(tmp_path, box):
    with pytest.raises(DataError, match="feature 0: bounds_imcoords must be 'xmin,ymin,xmax,ymax', got"):
        index_with_report(xview(tmp_path / "a.geojson", ("1.tif", 73, box)), format="xview", progress=False)


def xbd(folder, name, *buildings, **metadata):
    folder.mkdir(exist_ok=True)
    xy = [
        {"properties": {"feature_type": "building", "subtype": damage, "uid": uid}, "wkt": wkt}
        for wkt, damage, uid in buildings
    ]
    facts = {"width": 1024, "height": 1024, "gsd": 2.09, "capture_date": "2018-09-20T16:04:41.000Z",
             "disaster": "hurricane-florence", "disaster_type": "flooding", **metadata}  # fmt: skip
    document = {"features": {"lng_lat": [], "xy": xy}, "metadata": facts}
    (folder / f"{name}.json").write_text(json.dumps(document))


def test_xbd_buildings_with_damage(tmp_path):
    square = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))"
    xbd(tmp_path / "labels", "hurricane-florence_00000001_pre_disaster", (square, None, "u1"))
    xbd(
        tmp_path / "labels", "hurricane-florence_00000001_post_disaster",
        (square, "major-damage", "u1"), (square, "un-classified", "u2"), (square, "no-damage", "u3"),
    )  # fmt: skip
    xbd(tmp_path / "labels", "hurricane-florence_00000002_post_disaster")
    indexed = index_with_report(tmp_path / "labels", progress=False)
    assert (indexed.report.format, indexed.report.vocabulary) == ("xbd", "flood")
    images = indexed.archive.images.to_pylist()
    assert [(row["group"], row["epoch"]) for row in images] == [
        ("hurricane-florence_00000001", "post"), ("hurricane-florence_00000001", "pre"),
        ("hurricane-florence_00000002", "post"),
    ]  # fmt: skip
    assert (images[0]["width"], images[0]["gsd"], images[0]["disaster"]) == (1024, 2.09, "hurricane-florence")
    assert images[0]["acquired"].isoformat() == "2018-09-20T16:04:41"
    rows = indexed.archive.entities.to_pylist()
    assert [(row["damage"], row["object_id"]) for row in rows] == [
        ("major_damage", "u1"), (None, "u2"), ("no_damage", "u3"), (None, "u1"),
    ]  # fmt: skip
    from rune_smt import search, translate

    archive = indexed.archive
    found = search(archive, translate("a building with major damage", archive))
    assert found.ids == ("hurricane-florence_00000001_post_disaster",)


@pytest.mark.parametrize("wkt", ["POLYGON ((0 0, 1 1", "POINT (1 1)", "POLYGON EMPTY", 5, None])
def test_an_xbd_building_without_outline(tmp_path, wkt):
    xbd(tmp_path / "labels", "a_1_post_disaster", (wkt, "no-damage", "u"))
    with pytest.raises(DataError, match=r"features\.xy 0: no outline as WKT"):
        index_with_report(tmp_path / "labels", format="xbd", progress=False)


SHAPES = [shapely.box(0, 0, 10, 5), shapely.box(20, 20, 30, 40)]


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".feather"])
@pytest.mark.parametrize("spelling", ["wkb", "wkt", "box"])
def test_a_table_with_the_columns(tmp_path, ending, spelling):
    columns = {"image_id": ["a", "b"], "label": ["ship", "harbor"], "score": [0.5, None], "speed": [3, None]}
    match spelling:
        case "wkb":
            columns["geometry"] = pa.array([shapely.to_wkb(shape) for shape in SHAPES], pa.binary())
        case "wkt":
            columns["geometry"] = [shape.wkt for shape in SHAPES]
        case _:
            corners = np.array([shape.bounds for shape in SHAPES]).T
            columns |= dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
    table = pa.table(columns)
    path = tmp_path / f"t{ending}"
    if ending == ".parquet":
        pq.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, path)
    indexed = index_with_report(path, progress=False)
    assert (indexed.report.format, indexed.report.why) == ("table", "the only file has the columns image_id and label")
    rows = indexed.archive.entities.to_pylist()
    assert [(r["image_id"], r["label"], r["score"], r["speed"]) for r in rows] == [
        ("a", "ship", 0.5, 3),
        ("b", "harbor", 1, None),
    ]
    assert bounds(indexed.archive) == [shape.bounds for shape in SHAPES]


def test_the_entities_of_an_archive_are_such_a_table(tmp_path):
    (tmp_path / "labelTxt").mkdir()
    (tmp_path / "labelTxt" / "P1.txt").write_text("10 10 30 10 30 20 10 20 ship 1\n50 50 60 50 60 60 50 60 harbor 0\n")
    made = index_with_report(tmp_path / "labelTxt", tmp_path / "a.rune", progress=False).archive
    again = index_with_report(tmp_path / "a.rune" / "entities.parquet", format="table", progress=False).archive
    columns = ["image_id", "entity_id", "label", "score", "difficult"]
    assert again.entities.select(columns).to_pylist() == made.entities.select(columns).to_pylist()
    assert bounds(again) == bounds(made)


def test_a_table_without_the_columns(tmp_path):
    pq.write_table(pa.table({"image_id": ["a"], "geometry": ["POINT (1 1)"]}), tmp_path / "t.parquet")
    with pytest.raises(DataError) as caught:
        index_with_report(tmp_path / "t.parquet", format="table", progress=False)
    assert str(caught.value) == (
        f"{tmp_path}/t.parquet: no column 'label'; it has image_id, geometry.\n"
        "Needed are image_id, label and geometry (WKB or WKT in pixels), or xmin, ymin, xmax, ymax."
    )


def test_bad_rows_of_a_table(tmp_path):
    table = pa.table(
        {
            "image_id": ["a", None, "a", "a"],
            "label": ["ship"] * 4,
            "score": [1.5, 1, 1, 1],
            "geometry": [SHAPES[0].wkt] * 2 + ["nonsense", SHAPES[1].wkt],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"row 0: score must be from 0 to 1, got 1\.5"):
        index_with_report(tmp_path / "t.parquet", progress=False)
    indexed = index_with_report(tmp_path / "t.parquet", skip_bad=True, progress=False)
    assert [place.split(": ", 1)[1] for place in indexed.report.skipped] == [
        "row 0: score must be from 0 to 1, got 1.5.",
        "row 1: image_id or label is empty.",
        "row 2: its geometry is missing, empty or unreadable.",
    ]
    assert len(indexed.archive.table) == 1


def test_damaged_tables(tmp_path):
    for name in ("t.parquet", "t.arrow"):
        (tmp_path / name).write_bytes(b"PAR1nonsense")
        with pytest.raises(DataError, match=f"{name}: cannot be read as a table"):
            index_with_report(tmp_path / name, format="table", progress=False)

"""What is exported lies where it should: read back by shapely, by our readers, by GeoPandas where it is installed."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rune_smt import archive_from_arrow, search, select, translate
from rune_smt.cli.app import app
from rune_smt.detect.components import components
from rune_smt.detect.projection import to_degrees
from rune_smt.errors import DataError, QueryError
from rune_smt.exporting import (
    export,
    things_of,
    to_coco,
    to_csv,
    to_fiftyone,
    to_geojson,
    to_geoparquet,
    without_holes,
)
from rune_smt.indexing import index

EAST, NORTH = 300_000.0, 3_250_000.0  # the upper left corner of image a, in EPSG:32615, a pixel half a metre


@pytest.fixture(scope="module")
def archive():
    import pyarrow as pa

    ring = shapely.Polygon(shapely.box(40, 40, 80, 80).exterior, [shapely.box(50, 50, 60, 60).exterior])
    shapes = [shapely.box(0, 0, 20, 10), ring, shapely.box(10, 10, 20, 20), shapely.Polygon([(1, 1), (5, 5), (5, 5)])]
    entities = pa.table(
        {
            "image_id": ["a", "a", "b", "b"],
            "label": ["building", "water", "building", "road"],
            "score": [0.9, 0.4, 1.0, 1.0],
            "geometry": pa.array([shapely.to_wkb(shape) for shape in shapes], pa.binary()),
            "flooded": [True, None, False, None],
        }
    )  # fmt: skip
    images = pa.table(
        {
            "image_id": ["a", "b", "empty"], "width": [100, 100, 50], "height": [100, 100, 50],
            "gsd": [0.5, None, None], "crs": ["EPSG:32615", None, None],
            "transform": [[EAST, 0.5, 0.0, NORTH, 0.0, -0.5], None, None], "path": ["/data/a.tif", None, None],
        }
    )  # fmt: skip
    return archive_from_arrow(entities, images, vocabulary="flood")


def on_the_map(x, y):
    return to_degrees("EPSG:32615")(np.array([[EAST + 0.5 * x, NORTH - 0.5 * y]]))[0]


def test_geojson_lies_where_it_should(archive):
    document = to_geojson(things_of(archive))
    assert document["coordinates"] == "longitude, latitude"
    assert document["left_out"] == 2
    shape = shapely.geometry.shape(document["features"][0]["geometry"])
    assert shape.distance(shapely.Point(on_the_map(20, 10))) < 1e-12
    assert len(shapely.geometry.shape(document["features"][1]["geometry"]).interiors) == 1
    assert to_geojson(things_of(archive), pixels=True)["features"][2]["properties"]["flooded"] is False


def test_geoparquet_lies_where_it_should(archive, tmp_path):
    written = export(archive, tmp_path / "a.parquet")
    assert written.left_out == "2 entities of images without a place on the map were left out; --pixels has all."
    table = pq.read_table(tmp_path / "a.parquet")
    geo = json.loads(table.schema.metadata[b"geo"])
    assert "crs" not in geo["columns"]["geometry"]
    assert table.column("label").to_pylist() == ["building", "water"]
    assert table.column("flooded").to_pylist() == [True, None]
    shape = shapely.from_wkb(table.column("geometry")[0].as_py())
    assert shape.distance(shapely.Point(on_the_map(0, 0))) < 1e-12
    assert np.allclose(geo["columns"]["geometry"]["bbox"][::3], [on_the_map(0, 0)[0], on_the_map(0, 0)[1]], atol=1e-4)


def test_geopandas_opens_it(archive, tmp_path):
    geopandas = pytest.importorskip("geopandas")
    for name in ("a.parquet", "a.geojson"):
        export(archive, tmp_path / name)
        frame = geopandas.read_parquet(tmp_path / name) if name == "a.parquet" else geopandas.read_file(tmp_path / name)
        assert len(frame) == 2
        metres = frame.to_crs("EPSG:32615")
        assert np.allclose(metres.geometry.iloc[0].bounds, (EAST, NORTH - 5, EAST + 10, NORTH), atol=1e-3)
        assert np.isclose(metres.geometry.area.iloc[1], (1600 - 100) / 4, atol=1e-2)


def test_pixels_have_no_reference_system(archive, tmp_path):
    table, left_out = to_geoparquet(things_of(archive), pixels=True)
    assert left_out == 0
    assert json.loads(table.schema.metadata[b"geo"])["columns"]["geometry"]["crs"] is None
    pq.write_table(table, tmp_path / "t.parquet")
    again = index(tmp_path / "t.parquet", format="table", vocabulary="flood", progress=False)
    columns = ["image_id", "entity_id", "label", "score", "flooded"]
    assert again.entities.select(columns).to_pylist() == archive.entities.select(columns).to_pylist()


def test_coco_is_read_back(archive, tmp_path):
    written = export(archive, tmp_path / "a.json")
    assert (written.format, written.count) == ("coco", 4)
    document = json.loads((tmp_path / "a.json").read_text())
    assert [image["file_name"] for image in document["images"]] == ["a.tif", "b", "empty"]
    assert document["annotations"][1]["area"] == 1500
    again = index(tmp_path / "a.json", vocabulary="flood", progress=False)
    for ours, theirs in zip(again.entities.to_pylist(), archive.entities.to_pylist(), strict=True):
        assert (ours["image_id"], ours["label"], ours["score"]) == (
            theirs["image_id"],
            theirs["label"],
            theirs["score"],
        )
        one, other = shapely.from_wkb(ours["geometry"]), shapely.from_wkb(theirs["geometry"])
        assert one.area == other.area
        assert one.area == 0 or shapely.equals(one, other)
    assert again.images.column("image_id").to_pylist() == ["a", "b", "empty"]


@given(keys=st.lists(st.lists(st.integers(0, 1), min_size=6, max_size=6), min_size=1, max_size=6))
def test_parts_without_holes_are_the_same_area(keys):
    for shape in components(np.array(keys, dtype=np.int32)).shapes:
        parts = [shapely.Polygon(ring) for ring in without_holes(shape)]
        assert np.isclose(sum(part.area for part in parts), shape.area)
        assert shapely.equals(shapely.union_all(parts), shape)


def test_csv_has_measures_and_outlines(archive):
    rows = list(csv.DictReader(io.StringIO(to_csv(things_of(archive, min_score=0.5)))))
    assert [(row["image_id"], row["label"], row["area"], row["flooded"]) for row in rows] == [
        ("a", "building", "200.0", "True"), ("b", "building", "100.0", "False"), ("b", "road", "0.0", ""),
    ]  # fmt: skip
    assert shapely.from_wkt(rows[0]["wkt"]).bounds == (0, 0, 20, 10)


def test_fiftyone_samples_have_shares_of_the_image(archive):
    metadata, samples, left_out = to_fiftyone(things_of(archive))
    assert (left_out, metadata["media_type"], len(samples["samples"])) == (0, "image", 3)
    first = samples["samples"][0]
    assert first["filepath"] == "/data/a.tif"
    line = first["entities"]["polylines"][0]
    assert line["points"] == [[[0.0, 0.0], [0.0, 0.1], [0.2, 0.1], [0.2, 0.0]]] or len(line["points"][0]) == 4
    assert (line["_cls"], line["label"], line["closed"], line["flooded"]) == ("Polyline", "building", True, True)


def test_a_search_exports_witnesses_and_verdicts(archive):
    result = search(archive, translate("a flooded building", archive))
    _, samples, _ = to_fiftyone(things_of(result))
    assert [sample["rune"]["label"] for sample in samples["samples"]] == ["match", "no match", "no match"]
    assert samples["samples"][0]["tags"] == ["rune:match"]
    assert samples["samples"][0]["rune_witness"]["polylines"][0]["tags"] == ["x1"]
    coco = to_coco(things_of(result))
    assert coco["annotations"][0]["attributes"] == {
        "entity_id": 0, "flooded": True, "variable": "x1", "index": 0, "degree": 1.0,
    }  # fmt: skip
    answers = select(archive, translate("a building", archive))
    assert [f["properties"]["variable"] for f in to_geojson(things_of(answers), pixels=True)["features"]] == ["x1"] * 2


def test_supervision_detections(archive):
    supervision = pytest.importorskip("supervision")
    from rune_smt.exporting import to_supervision

    found = to_supervision(things_of(archive))
    assert set(found) == {"a", "b", "empty"}
    assert isinstance(found["a"], supervision.Detections)
    assert found["a"].xyxy.tolist() == [[0, 0, 20, 10], [40, 40, 80, 80]]
    assert len(found["empty"]) == 0


def test_what_cannot_be_exported(archive, tmp_path):
    with pytest.raises(QueryError) as caught:
        export(archive, tmp_path / "a.xml")
    assert str(caught.value) == (
        "The ending of a.xml names no format.\nGive one of: geojson, geoparquet, coco, csv, fiftyone."
    )
    with pytest.raises(QueryError, match="No format 'voc' to export to"):
        export(archive, tmp_path / "a", format="voc")
    with pytest.raises(DataError, match="cannot be written"):
        export(archive, tmp_path / "none" / "a.csv")


def test_from_the_command_line(tmp_path):
    from typer.testing import CliRunner

    values = np.zeros((40, 60), dtype=np.uint8)
    values[2:12, 2:12], values[20:, :] = 1, 5
    Image.fromarray(values).save(tmp_path / "7_lab.png")
    run = CliRunner()

    def call(*words):
        done = run.invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        return done.output

    made = tmp_path / "a.rune"
    call("index", tmp_path / "7_lab.png", "-o", made, "--quiet")
    assert "Wrote 2 entities" in call("export", made, "--format", "coco", "-o", tmp_path / "a.coco")
    call("export", made, "-o", tmp_path / "fo", "--format", "fiftyone", "--json")
    assert json.loads((tmp_path / "fo" / "samples.json").read_text())["samples"][0]["image_id"] == "7"
    call("select", made, "flooded houses", "--export", tmp_path / "houses.geojson", "--quiet")
    assert len(json.loads((tmp_path / "houses.geojson").read_text())["features"]) == 1
    call("search", made, "flooded houses", "--export", tmp_path / "houses.csv", "--quiet")
    assert (tmp_path / "houses.csv").read_text().count("\n") == 2
    said = call("search", made, "at least one house and at most 3 houses")
    assert "the number of buildings is a lower bound" in said

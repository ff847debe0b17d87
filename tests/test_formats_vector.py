"""Map features: projections held to PROJ, files to features, rasters and metric frames, lines, points, layers."""

import json
import sqlite3

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from rune_smt.detect.projection import between, crs_name, from_degrees, to_degrees, utm_zone
from rune_smt.detect.vector import pixels_of
from rune_smt.errors import DataError, QueryError
from rune_smt.indexing import index, index_with_report


@given(
    zone=st.integers(1, 60),
    away=st.floats(-4, 4),
    latitude=st.floats(-80, 84),
    name=st.sampled_from(["utm", "EPSG:3857"]),
)
def test_projections_are_those_of_proj(zone, away, latitude, name):
    pyproj = pytest.importorskip("pyproj")
    crs = f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}" if name == "utm" else name
    place = np.array([[zone * 6 - 183 + away, latitude]])
    theirs = pyproj.Transformer.from_crs("OGC:CRS84", crs, always_xy=True).transform(*place[0])
    found = from_degrees(crs)(place)
    assert np.allclose(found[0], theirs, rtol=0, atol=1e-5)
    assert np.allclose(to_degrees(crs)(found), place, rtol=0, atol=1e-9)
    assert between(crs, crs)(place) is place


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"), ("urn:ogc:def:crs:EPSG::32616", "EPSG:32616"),
        ("http://www.opengis.net/def/crs/EPSG/0/32616", "EPSG:32616"), ("epsg:4326", "EPSG:4326"), ("WGS 84", "WGS 84"),
    ],
)  # fmt: skip
def test_names_of_reference_systems(text, name):
    assert crs_name(text) == name


def test_zones():
    assert [utm_zone(lon, lat) for lon, lat in ((-95.1, 29.4), (-180, 0), (180, -1), (9, 45))] == [
        "EPSG:32615", "EPSG:32601", "EPSG:32760", "EPSG:32632",
    ]  # fmt: skip


EAST, NORTH = 300_000.0, 3_250_000.0  # in EPSG:32615


def square(x, y, side):
    """A square in UTM 15, its lower left corner (x, y) metres from the origin."""
    corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]
    return [[EAST + east, NORTH + north] for east, north in corners]


def degrees(points):
    return to_degrees("EPSG:32615")(np.array(points)).tolist()


def feature(geometry, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def write(path, *features, **members):
    path.write_text(json.dumps({"type": "FeatureCollection", **members, "features": list(features)}))
    return path


def shapes(archive):
    return [shapely.from_wkb(row["geometry"]) for row in archive.entities.to_pylist()]


def geotiff(path, width=100, height=100, east=EAST, north=NORTH + 100, gsd=1.0):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[33550], tags[33922] = (gsd, gsd, 0.0), (0.0, 0.0, 0.0, east, north, 0.0)
    tags[34735] = (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 32615)
    tags.tagtype[34735] = 3
    tags.tagtype[33550] = tags.tagtype[33922] = 12
    Image.fromarray(np.zeros((height, width), dtype=np.uint8)).save(path, tiffinfo=tags)
    return path


def test_a_file_is_a_scene_in_metres_and_north_is_up(tmp_path):
    south = {"type": "Polygon", "coordinates": [degrees(square(0, 0, 10))]}
    north = {"type": "Polygon", "coordinates": [degrees(square(20, 90, 10))]}
    source = write(
        tmp_path / "town.geojson", feature(south, building="yes", levels=2), feature(north, building="hospital")
    )
    indexed = index_with_report(source, vocabulary="flood", progress=False)
    assert indexed.report.format == "geojson"
    first, second = shapes(indexed.archive)
    assert np.allclose(first.bounds, (0, 90, 10, 100), atol=1e-5)
    assert np.allclose(second.bounds, (20, 0, 30, 10), atol=1e-5)
    rows = indexed.archive.entities.to_pylist()
    assert [(row["label"], row["levels"], row["source"]) for row in rows] == [
        ("building", 2, "town.geojson#0"), ("hospital", None, "town.geojson#1"),
    ]  # fmt: skip
    image = indexed.archive.images.to_pylist()[0]
    assert (image["image_id"], image["gsd"], image["crs"], image["width"]) == ("town", 1.0, "EPSG:32615", None)
    assert image["transform"][1:] == [1.0, 0.0, NORTH + 100, 0.0, -1.0]


def test_it_comes_back_where_it_was(tmp_path):
    from rune_smt.geojson import entities

    place = degrees(square(0, 0, 10))
    source = write(tmp_path / "town.geojson", feature({"type": "Polygon", "coordinates": [place]}, label="building"))
    archive = index_with_report(source, progress=False).archive
    back = entities(archive, np.arange(1))["features"][0]["geometry"]
    assert shapely.hausdorff_distance(shapely.geometry.shape(back), shapely.Polygon(place)) < 1e-9


def test_features_go_to_every_raster_that_they_meet(tmp_path):
    (tmp_path / "tif").mkdir()
    geotiff(tmp_path / "tif" / "west.tif")
    geotiff(tmp_path / "tif" / "east.tif", east=EAST + 100, gsd=0.5)
    geotiff(tmp_path / "tif" / "far.tif", east=EAST + 9000)
    both = {"type": "MultiPolygon", "coordinates": [[degrees(square(95, 60, 10))], [degrees(square(5, 5, 5))]]}
    source = write(tmp_path / "map.geojson", feature(both, label="building"))
    archive = index_with_report(source, images=tmp_path / "tif", progress=False).archive
    assert archive.images.column("image_id").to_pylist() == ["east", "far", "west"]
    assert archive.entities.column("image_id").to_pylist() == ["east", "west"]
    east, west = shapes(archive)
    assert np.allclose(west.bounds, (5, 30, 105, 95), atol=1e-5)
    assert np.allclose(east.bounds, (-190, 60, 10, 190), atol=1e-4)
    assert west.geom_type == "MultiPolygon"
    assert archive["east"].gsd == 0.5


def test_lines_and_points_need_a_breadth(tmp_path):
    line = {"type": "LineString", "coordinates": degrees([(EAST, NORTH), (EAST + 100, NORTH)])}
    point = {"type": "Point", "coordinates": degrees([(EAST + 50, NORTH + 50)])[0]}
    source = write(tmp_path / "roads.geojson", feature(line, label="road"), feature(point, label="tree"))
    with pytest.raises(DataError) as caught:
        index_with_report(source, progress=False)
    assert str(caught.value) == "roads.geojson#0 is a line and has no area (1 such features).\nGive --line-width 6m."
    archive = index_with_report(source, line_width="6m", point_size="3 m", progress=False).archive
    road, tree = shapes(archive)
    assert np.isclose(road.area, 600, atol=0.5)
    assert np.isclose(tree.area, np.pi * 1.5**2, atol=0.1)


@pytest.mark.parametrize("text", ["6", "0m", "six metres", "6 km"])
def test_a_breadth_that_is_none(text):
    with pytest.raises(QueryError):
        pixels_of(text, 1.0, "a")


def test_fields_scores_and_what_is_left_out(tmp_path):
    shape = {"type": "Polygon", "coordinates": [degrees(square(0, 0, 10))]}
    source = write(
        tmp_path / "a.geojson",
        feature(shape, kind="ship", confidence=0.5, tile="x"),
        feature(None, kind="ship", tile="x"),
        feature(shape, tile="x"),
        feature(shape, kind="plane", tile="y"),
    )
    with pytest.raises(DataError, match="no field says what the features are; it has kind, confidence, tile"):
        index_with_report(source, progress=False)
    indexed = index_with_report(source, label_field="kind", image_field="tile", progress=False)
    rows = indexed.archive.entities.to_pylist()
    assert [(row["image_id"], row["label"], row["score"]) for row in rows] == [("x", "ship", 0.5), ("y", "plane", 1.0)]
    assert [indexed.report.note(kind).count for kind in ("no geometry", "no label")] == [1, 1]


def test_pixels_are_read_back_as_they_were_written(tmp_path):
    from rune_smt.geojson import entities

    (tmp_path / "labelTxt").mkdir()
    (tmp_path / "labelTxt" / "P1.txt").write_text("10 10 30 10 30 20 10 20 ship 1\n50 50 60 50 60 60 50 60 harbor 0\n")
    archive = index_with_report(tmp_path / "labelTxt", progress=False).archive
    (tmp_path / "out.geojson").write_text(json.dumps(entities(archive, np.arange(2), pixels=True)))
    again = index_with_report(tmp_path / "out.geojson", progress=False).archive
    assert sorted(s.wkt for s in shapes(again)) == sorted(s.wkt for s in shapes(archive))
    assert again.images.column("image_id").to_pylist() == ["P1"]
    assert sorted(again.entities.column("difficult").to_pylist()) == [0, 1]


def test_coordinates_that_are_no_degrees(tmp_path):
    source = write(
        tmp_path / "a.geojson", feature({"type": "Polygon", "coordinates": [square(0, 0, 10)]}, label="ship")
    )
    with pytest.raises(DataError, match="are no longitude and latitude"):
        index_with_report(source, progress=False)
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32615"}}
    write(source, feature({"type": "Polygon", "coordinates": [square(0, 0, 10)]}, label="ship"), crs=named)
    assert shapes(index_with_report(source, progress=False).archive)[0].bounds == (0, 0, 10, 10)


@pytest.mark.parametrize(
    "bad",
    ['{"type": "FeatureCollection", "features": 3}', '{"type": "Feature"', "[]", '{"type": "Topology"}'],
)
def test_a_file_that_is_no_geojson(tmp_path, bad):
    (tmp_path / "a.geojson").write_text(bad)
    with pytest.raises(DataError, match=r"a\.geojson"):
        index_with_report(tmp_path / "a.geojson", format="geojson", progress=False)


@pytest.mark.parametrize(
    "geometry",
    [3, {"type": "Polygon"}, {"type": "Polygon", "coordinates": [[[0, "a"]]]}, {"type": "GeometryCollection"},
     {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}, {"type": "Point", "coordinates": [1e400, 0]},
     {"type": "Polygon", "coordinates": 5}, {"type": "MultiPolygon", "coordinates": [[[[1]]]]}],
)  # fmt: skip
def test_a_bad_feature_is_told_or_skipped(tmp_path, geometry):
    good = {"type": "Polygon", "coordinates": [degrees(square(0, 0, 10))]}
    source = write(tmp_path / "a.geojson", feature(good, label="ship"), feature(geometry, label="ship"))
    with pytest.raises(DataError, match=r"a\.geojson: feature 1: "):
        index_with_report(source, format="geojson", progress=False)
    indexed = index_with_report(source, format="geojson", skip_bad=True, progress=False)
    assert (len(indexed.archive.table), len(indexed.report.skipped)) == (1, 1)


def geopackage(path, blobs, columns="name TEXT", values=("ship",)):
    with sqlite3.connect(path) as package:
        package.executescript(
            "CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);"
            "CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER, organization TEXT, organization_coordsys_id INTEGER);"
            f"CREATE TABLE things (fid INTEGER PRIMARY KEY, geom BLOB, label TEXT, {columns});"
            "INSERT INTO gpkg_geometry_columns VALUES ('things', 'geom', 32615);"
            "INSERT INTO gpkg_spatial_ref_sys VALUES (32615, 'EPSG', 32615);"
        )
        for blob in blobs:
            package.execute("INSERT INTO things (geom, label, name) VALUES (?, 'ship', ?)", (blob, *values))
    package.close()
    return path


def blob_of(shape, envelope=0):
    sizes = {0: 0, 1: 32}
    return (
        b"GP\0"
        + bytes([1 | envelope << 1])
        + (32615).to_bytes(4, "little")
        + b"\0" * sizes[envelope]
        + shapely.to_wkb(shape)
    )


def test_a_geopackage(tmp_path):
    shape = shapely.Polygon(square(0, 0, 10))
    source = geopackage(tmp_path / "a.gpkg", [blob_of(shape), blob_of(shape, 1), None])
    indexed = index_with_report(source, progress=False)
    assert indexed.report.format == "geojson"
    assert [s.bounds for s in shapes(indexed.archive)] == [(0, 0, 10, 10)] * 2
    assert indexed.archive.entities.column("source").to_pylist() == ["a.gpkg#things.1", "a.gpkg#things.2"]
    assert indexed.report.note("no geometry").count == 1


@pytest.mark.parametrize("blob", [b"", b"GP", b"GP\0\x0f" + b"\0" * 20, b"XX\0\1\0\0\0\0", b"GP\0\1\0\0\0\0\1\2"])
def test_a_damaged_geopackage(tmp_path, blob):
    with pytest.raises(DataError, match=r"a\.gpkg: feature things\.1: "):
        index_with_report(geopackage(tmp_path / "a.gpkg", [blob]), progress=False)
    (tmp_path / "b.gpkg").write_bytes(b"not a database")
    with pytest.raises(DataError, match=r"b\.gpkg: cannot be read as GeoPackage: "):
        index_with_report(tmp_path / "b.gpkg", progress=False)


def test_a_geoparquet(tmp_path):
    wkb = [shapely.to_wkb(shapely.Polygon(degrees(square(0, 0, 10))))]
    table = pa.table({"geometry": pa.array(wkb, pa.binary()), "class": ["ship"], "height": [2.5]})
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo).encode()}), tmp_path / "a.parquet")
    indexed = index_with_report(tmp_path / "a.parquet", progress=False)
    assert (indexed.report.format, indexed.report.why) == ("geojson", "the only file has a GeoParquet without image_id")
    assert np.allclose(shapes(indexed.archive)[0].bounds, (0, 0, 10, 10), atol=1e-5)
    assert indexed.archive.entities.column("height").to_pylist() == [2.5]


def test_layers_of_one_scene_are_joined(tmp_path):
    geotiff(tmp_path / "7.tif")
    values = np.zeros((100, 100), dtype=np.uint8)
    values[:20] = 5
    (tmp_path / "masks").mkdir()
    Image.fromarray(values).save(tmp_path / "masks" / "7_lab.png")
    house = {"type": "Polygon", "coordinates": [degrees(square(10, 10, 10))]}
    write(tmp_path / "map.geojson", feature(house, label="hospital"))
    archive = index_with_report(
        [tmp_path / "masks", tmp_path / "map.geojson"], format="masks,geojson", join=True, images=tmp_path / "7.tif",
        vocabulary="flood", progress=False,
    ).archive  # fmt: skip
    rows = archive.entities.to_pylist()
    assert [(row["image_id"], row["entity_id"], row["label"]) for row in rows] == [
        ("7", 0, "water"),
        ("7", 1, "hospital"),
    ]
    assert archive.facts.merged == ("water",)
    assert (archive["7"].gsd, archive["7"].width) == (1.0, 100.0)
    index(tmp_path / "masks", tmp_path / "water.rune", format="masks", vocabulary="flood", progress=False)
    layers = [tmp_path / "water.rune", tmp_path / "map.geojson"]
    more = {"join": True, "images": tmp_path / "7.tif", "vocabulary": "flood", "progress": False}
    again = index(layers, format="table,geojson", **more)
    assert again.entities.column("label").to_pylist() == ["water", "hospital"]
    assert again.facts.merged == ("water",) and again["7"].width == 100.0
    with pytest.raises(QueryError, match="--format names 2 formats for 1 sources"):
        index_with_report(tmp_path / "masks", format="masks,dota", join=True, progress=False)

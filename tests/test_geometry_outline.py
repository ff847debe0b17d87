"""Outlines: four corners are their hull in any order, zero area is legal, crossings are repaired, settling settles."""

import math
from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities.geometry import (
    OutlineError,
    as_array,
    coordinates,
    from_storage,
    measures,
    outline,
    polygon,
    settle,
    to_storage,
)
from rune_smt.entities.geoparquet import decode
from rune_smt.testing.scenes import outlines

coordinate = st.integers(-8, 8) | st.sampled_from((0.1, 0.3, 2.5, 1e-9, 1234.5678))
points = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=7)


@settings(max_examples=200)
@given(corners=st.lists(st.tuples(coordinate, coordinate), min_size=4, max_size=4, unique=True))
def test_the_order_of_four_corners_never_matters(corners):
    shapes = as_array([outline(list(order)) for order in permutations(corners)])
    assert all(shapely.equals_exact(shapes, shapes[0], 0))
    hull = shapely.MultiPoint(corners).convex_hull
    assert math.isclose(shapes[0].area, hull.area, rel_tol=1e-9, abs_tol=1e-9)
    for values in measures(shapes).values():
        assert len({repr(float(v)) for v in values}) == 1  # bit for bit


@settings(max_examples=300)
@given(points=points)
def test_every_list_of_finite_points_is_an_outline(points):
    shape = outline(points)
    numbers = measures(as_array([shape]))
    assert shape.geom_type in {"Point", "LineString"} if shape.area == 0 else shape.is_valid
    assert all(np.isfinite(numbers[name]).all() for name in numbers if name != "angle")
    if shape.area == 0:
        assert math.isnan(numbers["angle"][0])


@settings(max_examples=300)
@given(points=points | outlines())
def test_settling_again_changes_nothing_and_json_and_storage_give_the_outline_back(points):
    shape = outline(points)
    again, repaired = settle(as_array([shape]))
    assert again[0].equals_exact(shape, 0) and again[0].geom_type == shape.geom_type
    assert not repaired[0]
    assert outline(coordinates(shape)).equals_exact(shape, 0)
    stored = from_storage(to_storage(as_array([shape])), np.array([shape.area]))[0]
    assert stored.equals_exact(shape, 0) and stored.geom_type == shape.geom_type
    assert shapely.from_wkb(to_storage(as_array([shape])))[0].geom_type in {"Polygon", "MultiPolygon"}


@given(ring=st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=5, max_size=8))
def test_only_what_crosses_itself_and_has_area_is_repaired(ring):
    raw = polygon(ring)
    shape, repaired = settle(as_array([raw]))
    if repaired[0]:
        assert not raw.is_valid and shape[0].area > 0 and shape[0].is_valid
    elif raw.is_valid and shapely.get_num_coordinates(shapely.remove_repeated_points(raw, 0)) != 5:
        assert shape[0].equals(raw)


@pytest.mark.parametrize(
    ("given_points", "text"),
    [
        ([[3, 4]], "POINT (3 4)"),
        ([[3, 4]] * 6, "POINT (3 4)"),
        ([[0, 0], [4, 3]], "LINESTRING (0 0, 4 3)"),
        ([[0, 0], [1, 1], [3, 3], [2, 2]], "LINESTRING (0 0, 3 3)"),
        ([[0, 0], [4, 4], [4, 0], [0, 4]], "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"),
        ([[0, 0], [0, 4], [4, 4], [4, 0], [0, 0]], "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"),
        ([[0, 0], [4, 0], [1, 1], [0, 4]], "POLYGON ((0 0, 4 0, 0 4, 0 0))"),  # the reflex corner is in the hull
        ([[0, 0], [5, 0], [5, 5], [5, 0], [2, 0]], "LINESTRING (0 0, 5 0, 5 5, 5 0, 2 0, 0 0)"),
        ([[0, 0], [2, 0], [2, 2], [0, 2], [0, 2], [0, 0]], "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))"),
    ],
)
def test_small_cases(given_points, text):
    assert outline(given_points).equals_exact(shapely.from_wkt(text), 0)


def test_a_bow_tie_with_a_fifth_corner_keeps_its_two_halves_and_is_marked():
    shape, repaired = settle(as_array([polygon([[0, 0], [4, 4], [8, 4], [8, 0], [4, 0], [0, 4]])]))
    assert repaired.tolist() == [True]
    assert shape[0].geom_type == "MultiPolygon" or shape[0].is_valid
    assert shape[0].area == shapely.make_valid(polygon([[0, 0], [4, 4], [8, 4], [8, 0], [4, 0], [0, 4]])).area


def test_holes_and_parts_are_read_and_written():
    ring = [[[0, 0], [9, 0], [9, 9], [0, 9]], [[2, 2], [4, 2], [4, 4], [2, 4]]]
    assert outline(ring).area == 77
    assert coordinates(outline(ring)) == ring
    parts = [[[[0, 0], [1, 0], [1, 1]]], [[[5, 5], [7, 7], [5, 7]]]]
    assert outline(parts).geom_type == "MultiPolygon"
    assert coordinates(outline(parts)) == parts


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[0, 0], [math.nan, 1], [1, 1]], "An outline has a coordinate that is NaN or infinite."),
        ([[0, 0], [math.inf, 1], [1, 1], [0, 1]], "An outline has a coordinate that is NaN or infinite."),
        ([], "An outline has no point."),
        (None, "An outline has no point."),
        ([[]], "An outline has no point."),
        ([[0, 0], ["a", 1], [1, 1]], "An outline has a point that is not two numbers."),
        ([[0, 0], [1], [1, 1]], "An outline has a point that is not two numbers."),
    ],
)
def test_what_is_no_outline_is_refused(bad, message):
    with pytest.raises(OutlineError) as error:
        outline(bad)
    assert error.value.message == message
    assert error.value.exit_status == 3


def test_a_refusal_names_the_place_among_many():
    wkb = to_storage(as_array([outline([[0, 0], [1, 0], [1, 1]])]))[0]
    broken = wkb[:29] + np.float64("nan").tobytes() + wkb[37:]  # the x of the second point
    with pytest.raises(OutlineError) as error:
        settle(decode(pa.array([wkb, broken])))
    assert error.value.index == 1
    assert error.value.message == "An outline has a coordinate that is NaN or infinite."

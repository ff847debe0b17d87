"""Measures: the rectangle is the smallest, moving and turning change nothing, batches equal single outlines."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rune_smt.entities.geometry import MEASURES, as_array, common_area, gap, measures, outline, ring_around, union_area
from rune_smt.testing.scenes import outlines, scenes

points = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=3, max_size=8)


def one(shape):
    return {name: float(values[0]) for name, values in measures(as_array([shape])).items()}


@settings(max_examples=150)
@given(polygon=outlines() | points)
def test_no_rectangle_around_the_outline_is_smaller(polygon):
    shape = outline(polygon)
    numbers = one(shape)
    xy = shapely.get_coordinates(shape)
    xy = xy - xy[0]
    for degrees in np.linspace(0, 90, 181):
        turn = math.radians(degrees)
        along, across = (xy @ [math.cos(turn), math.sin(turn)], xy @ [-math.sin(turn), math.cos(turn)])
        area = np.ptp(along) * np.ptp(across)
        assert numbers["length"] * numbers["width"] <= area * (1 + 1e-9) + 1e-9
    assert numbers["length"] * numbers["width"] >= numbers["area"] * (1 - 1e-9) - 1e-9
    assert 0 <= numbers["width"] <= numbers["length"] <= numbers["diag"]


@settings(max_examples=150)
@given(polygon=outlines() | points)
def test_the_rectangle_at_the_angle_has_the_length_and_width(polygon):
    numbers = one(outline(polygon))
    assume(not math.isnan(numbers["angle"]))
    assert 0 <= numbers["angle"] < 180
    xy = shapely.get_coordinates(outline(polygon))
    turn = math.radians(numbers["angle"])
    assert math.isclose(np.ptp(xy @ [math.cos(turn), math.sin(turn)]), numbers["length"], rel_tol=1e-6, abs_tol=1e-6)
    assert math.isclose(np.ptp(xy @ [-math.sin(turn), math.cos(turn)]), numbers["width"], rel_tol=1e-6, abs_tol=1e-6)


@given(polygon=outlines())
def test_measures_agree_with_shapely_where_it_has_them(polygon):
    shape = outline(polygon)
    numbers = one(shape)
    assert math.isclose(numbers["area"], shape.area, rel_tol=1e-12)
    assert math.isclose(numbers["cx"], shape.centroid.x, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(numbers["cy"], shape.centroid.y, rel_tol=1e-9, abs_tol=1e-9)
    assert (numbers["min_x"], numbers["min_y"], numbers["max_x"], numbers["max_y"]) == shape.bounds
    assert numbers["min_x"] <= numbers["cx"] <= numbers["max_x"]
    assert numbers["min_y"] <= numbers["cy"] <= numbers["max_y"]


@given(scene=scenes(min_entities=1))
def test_many_outlines_measure_as_each_does_alone(scene):
    table = scene.table
    for row, shape in enumerate(table.outlines(np.arange(len(table)))):
        numbers = one(shape)
        for name in MEASURES:
            np.testing.assert_array_equal(getattr(table, name)[row], numbers[name])


@pytest.mark.parametrize(
    ("polygon", "length", "width", "angle"),
    [
        ([[0, 0], [4, 0], [4, 2], [0, 2]], 4, 2, 0),
        ([[0, 0], [2, 0], [2, 4], [0, 4]], 4, 2, 90),
        ([[0, 0], [4, 3], [2.5, 5], [-1.5, 2]], 5, 2.5, math.degrees(math.atan2(3, 4))),  # y downwards
        ([[0, 0], [-4, 3], [-2.5, 5], [1.5, 2]], 5, 2.5, 180 - math.degrees(math.atan2(3, 4))),
        ([[0, 0], [4, 0], [4, 4], [0, 4]], 4, 4, math.nan),  # a square has no direction
        ([[0, 0], [11, 0], [11, 10], [0, 10]], 11, 10, 0),  # 1.1 times the width is enough
        ([[0, 0], [10.9, 0], [10.9, 10], [0, 10]], 10.9, 10, math.nan),
        ([[1, 1]], 0, 0, math.nan),
        ([[0, 0], [3, 4]], 5, 0, math.nan),  # no area, no direction
    ],
)
def test_small_cases(polygon, length, width, angle):
    numbers = one(outline(polygon))
    assert numbers["length"] == pytest.approx(length, abs=1e-12)
    assert numbers["width"] == pytest.approx(width, abs=1e-12)
    assert numbers["angle"] == pytest.approx(angle, abs=1e-12, nan_ok=True)
    assert numbers["diag"] == pytest.approx(math.hypot(length, width), abs=1e-12)


def test_of_rectangles_of_one_area_the_longest_is_taken():
    numbers = one(outline([[0, 0], [4, 0], [0, 3]]))  # every edge of a triangle gives the same area
    assert (numbers["length"], numbers["width"]) == pytest.approx((5, 2.4))


def test_a_hull_of_many_corners():
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.stack([20 * np.cos(turns), 5 * np.sin(turns)], axis=1)
    numbers = one(outline(ring.tolist()))
    assert numbers["length"] == pytest.approx(40, rel=1e-2)
    assert min(numbers["angle"], 180 - numbers["angle"]) < 3


def test_numbers_between_two_outlines():
    a, b, c = (as_array([outline(p)]) for p in ([[0, 0], [4, 0], [4, 4], [0, 4]], [[7, 4], [9, 8]], [[2, 0], [9, 3]]))
    assert gap(a, b)[0] == 3
    assert common_area(a, c)[0] == 0  # a line overlaps nothing
    d = as_array([outline([[2, 2], [8, 2], [8, 8], [2, 8]])])
    assert common_area(a, d)[0] == 4
    assert union_area(np.concatenate([a, d, b])) == 16 + 36 - 4
    assert union_area(b) == 0


@settings(max_examples=150)
@given(polygon=outlines() | points, breadth=st.sampled_from((1.0, 2.5, 7.0)))
def test_a_ring_has_at_least_the_area_that_lets_pairs_be_skipped(polygon, breadth):
    shape = outline(polygon)
    ring = ring_around(as_array([shape]), np.array([breadth]))[0]
    disc = math.pi * breadth**2
    assert ring.area >= 0.99 * (disc + 2 * math.sqrt(disc * shape.area))  # 32 chords for the circle
    if shape.area == 0:  # points, segments and paths there and back
        assert ring.area <= disc + 2 * breadth * shape.length


@pytest.mark.parametrize("shape", ["quadrilaterals", "triangles"])
def test_no_length_of_batch_is_special(shape):
    corners = 4 if shape == "quadrilaterals" else 3
    rng = np.random.default_rng(5)
    shapes = as_array([outline(ring) for ring in rng.uniform(0, 50, (70, corners, 2)).tolist()])
    together = measures(shapes)
    assert all(len(together[name]) == 70 for name in MEASURES)
    assert all(len(values) == 0 for values in measures(shapes[:0]).values())

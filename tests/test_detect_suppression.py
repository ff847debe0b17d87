"""Suppression is greedy suppression, whatever the order of its work; the overlap of rotated boxes is exact."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.detect.suppression import meeting, overlap_ratio, share_inside, suppress

boxes = st.tuples(
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([0, 17, 45, 90, 120]),
)
things = st.tuples(boxes, st.sampled_from([0.1, 0.3, 0.5, 0.5, 0.9]), st.integers(0, 1))


def shape_of(box):
    x, y, w, h, degrees = box
    return shapely.affinity.rotate(shapely.box(x - w / 2, y - h / 2, x + w / 2, y + h / 2), degrees)


def as_arrays(drawn):
    shapes = np.empty(len(drawn), object)
    shapes[:] = [shape_of(box) for box, _, _ in drawn]
    return shapes, np.array([score for _, score, _ in drawn], float), np.array([group for *_, group in drawn], np.int64)


def one_by_one(shapes, scores, groups, same):
    """The definition."""
    stay = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if all(
            groups[row] != groups[k]
            or shapes[row].intersection(shapes[k]).area <= same * shapes[row].union(shapes[k]).area
            for k in stay
        ):
            stay.append(row)
    return stay


@given(st.lists(things, max_size=14), st.sampled_from([0.0, 0.21, 0.5, 0.7]))
@settings(max_examples=150)
def test_it_is_greedy_suppression(drawn, same):
    arrays = as_arrays(drawn)
    assert suppress(*arrays, same).tolist() == one_by_one(*arrays, same)


@given(st.lists(things, max_size=14))
@settings(max_examples=60)
def test_what_stays_stays_again(drawn):
    shapes, scores, groups = as_arrays(drawn)
    rows = suppress(shapes, scores, groups, 0.3)
    assert suppress(shapes[rows], scores[rows], groups[rows], 0.3).tolist() == list(range(len(rows)))


def test_the_overlap_of_a_square_and_the_same_square_turned():
    square = shapely.box(-1, -1, 1, 1)
    diamond = shapely.affinity.rotate(square, 45)
    common = 8 * (math.sqrt(2) - 1)  # the regular octagon
    one, other = np.array([square], object), np.array([diamond], object)
    assert overlap_ratio(one, other)[0] == pytest.approx(common / (8 - common))
    assert share_inside(one, other)[0] == pytest.approx(common / 4)


def test_things_without_area_overlap_nothing():
    flat = np.array([shapely.box(0, 0, 5, 0), shapely.box(0, 0, 5, 0)], object)
    assert overlap_ratio(flat[:1], flat[1:])[0] == 0
    assert suppress(flat, np.ones(2), np.zeros(2, np.int64), 0.5).tolist() == [0, 1]


def test_there_is_no_limit_on_their_number():
    shapes = shapely.box(
        *(np.stack(np.mgrid[0:60, 0:60], -1).reshape(-1, 2) * 3.0).T,
        *(np.stack(np.mgrid[0:60, 0:60], -1).reshape(-1, 2) * 3.0 + 2).T,
    )
    assert len(suppress(np.repeat(shapes, 3), np.tile([0.9, 0.5, 0.7], 3600), np.zeros(10800, np.int64), 0.5)) == 3600


@given(st.lists(boxes, max_size=12))
@settings(max_examples=60)
def test_meeting_pairs_are_those_whose_boxes_meet(drawn):
    shapes = np.empty(len(drawn), object)
    shapes[:] = [shape_of(box) for box in drawn]
    around = [shapely.box(*shape.bounds) for shape in shapes]
    expected = {(i, j) for j in range(len(around)) for i in range(j) if around[i].intersects(around[j])}
    assert set(zip(*(side.tolist() for side in meeting(shapes)), strict=True)) == expected

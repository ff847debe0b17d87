"""Tiles cover a picture, and what is seen in tiles is what is seen in the whole."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.detect.detector import Detections, FixedDetector
from rune_smt.detect.rasters import ArrayRaster
from rune_smt.detect.suppression import overlap_ratio
from rune_smt.detect.tiling import detect_in_tiles, join, windows
from rune_smt.errors import QueryError
from tests.pixel_detector import PixelDetector, paint


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 130), st.sampled_from([0.0, 0.2, 0.25, 0.5]))
@settings(max_examples=120)
def test_windows_cover_the_picture_and_share_what_they_should(width, height, side, overlap):
    places = windows(width, height, side, overlap)
    covered = np.zeros((height, width), bool)
    for left, top, right, bottom in places:
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert right - left == min(side, width) and bottom - top == min(side, height)
        covered[top:bottom, left:right] = True
    assert covered.all() and len(set(places)) == len(places)
    lefts = sorted({left for left, *_ in places})
    for one, other in pairwise(lefts):
        assert one + side - other >= int(side * overlap)


@pytest.mark.parametrize(("side", "overlap"), [(0, 0.2), (64, 0.95), (64, -0.1), (64, float("nan"))])
def test_tiles_that_cannot_be(side, overlap):
    with pytest.raises(QueryError, match=r"Tiles need a side of 1 pixel or more and an overlap of 0 to 0\.9"):
        windows(100, 100, side, overlap)


def rectangle(x, y, length, width, degrees):
    box = shapely.box(x - length / 2, y - width / 2, x + length / 2, y + width / 2)
    return shapely.affinity.rotate(box, degrees)


def apart(things, gap=4):
    """Those that keep their distance from every earlier one."""
    kept = []
    for label, shape in things:
        if all(shape.distance(other) > gap for _, other in kept):
            kept.append((label, shape))
    return kept


spots = st.tuples(
    st.sampled_from(["ship", "plane"]),
    st.integers(15, 285),
    st.integers(15, 205),
    st.integers(8, 26),
    st.integers(6, 12),
    st.sampled_from([0, 20, 45, 70, 90, 130]),
)


@given(st.lists(spots, max_size=25), st.sampled_from([(64, 0.5), (80, 0.4), (100, 0.35)]))
@settings(max_examples=60)
def test_things_smaller_than_the_overlap_are_seen_as_in_the_whole(drawn, tiles):
    things = apart([(label, rectangle(*rest)) for label, *rest in drawn])
    raster = ArrayRaster(np.asarray(paint(300, 220, [(label, shape.exterior.coords) for label, shape in things])))
    whole = PixelDetector()(raster.pixels)
    tiled = detect_in_tiles(PixelDetector(), raster, *tiles)
    assert sorted(tiled.labels) == sorted(whole.labels)
    for label, shape in zip(tiled.labels, tiled.shapes, strict=True):
        best = max(
            overlap_ratio(np.array([shape]), np.array([other]))[0]
            for name, other in zip(whole.labels, whole.shapes, strict=True)
            if name == label
        )
        assert best == pytest.approx(1)


@pytest.mark.parametrize("degrees", [0, 8, 45, 90, 130])
@pytest.mark.parametrize("length", [70, 150, 205])
def test_a_thing_longer_than_a_tile_becomes_one_again(length, degrees):
    thing = rectangle(150, 110, length, 9, degrees)
    raster = ArrayRaster(np.asarray(paint(300, 220, [("ship", thing.exterior.coords)])))
    seen = detect_in_tiles(PixelDetector(), raster, 64, 0.5)
    assert list(seen.labels) == ["ship"]
    assert overlap_ratio(seen.shapes, np.array([thing]))[0] > 0.55  # two pixels more of nine are 0.8
    assert max(np.ptp(shapely.get_coordinates(seen.shapes), axis=0)) == pytest.approx(
        max(np.ptp(shapely.get_coordinates(thing), axis=0)), abs=5
    )


def test_pieces_of_different_classes_stay_apart():
    places = [(0, 0, 64, 64), (32, 0, 96, 64)]
    one = Detections.of_corners(["ship"], np.array([0.6]), square(30, 20, 64, 30))
    other = Detections.of_corners(["plane"], np.array([0.8]), square(32, 20, 70, 30))
    assert list(join([one, other], places, 96, 64).labels) == ["plane", "ship"]


def test_the_whole_outline_is_preferred_to_a_better_scored_piece():
    places = [(0, 0, 64, 64), (32, 0, 96, 64)]
    piece = Detections(["ship"], np.array([0.9]), shapely.polygons(square(40, 20, 64, 30)), {"object_id": [7]})
    whole = Detections(["ship"], np.array([0.5]), shapely.polygons(square(40, 20, 80, 30)), {"object_id": [8]})
    seen = join([piece, whole], places, 96, 64)
    assert seen.shapes[0].bounds == (40, 20, 80, 30) and seen.scores.tolist() == [0.5]
    assert seen.attributes == {"object_id": [8]}


def test_what_touches_the_pictures_own_edge_is_not_cut_off():
    places = [(0, 0, 64, 64), (32, 0, 96, 64)]
    at_edge = Detections.of_corners(["ship"], np.array([0.9]), square(0, 0, 64 - 20, 10))
    again = Detections.of_corners(["ship"], np.array([0.4]), square(32, 0, 45, 10))
    seen = join([at_edge, again], places, 96, 64)
    assert seen.shapes[0].bounds == (0, 0, 44, 10) and len(seen) == 1


def test_a_full_list_in_one_tile_is_remembered():
    full = Detections.of_corners(["ship"], np.array([0.9]), square(3, 3, 9, 9), truncated=True)
    picture = ArrayRaster(np.zeros((90, 90, 3), np.uint8))
    assert detect_in_tiles(FixedDetector(full), picture, 64).truncated
    nothing = FixedDetector(Detections((), np.empty(0), np.empty(0, object), truncated=True))
    assert detect_in_tiles(nothing, picture, 64).truncated


def test_one_tile_at_a_time():
    detector, told = PixelDetector(), []
    detect_in_tiles(detector, ArrayRaster(np.zeros((500, 400, 3), np.uint8)), 64, 0.25, lambda *n: told.append(n))
    assert set(detector.shown) == {(64, 64)}
    assert told[-1] == (len(detector.shown),) * 2 and [done for done, _ in told] == list(range(1, len(told) + 1))


def square(left, top, right, bottom):
    return np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], float)

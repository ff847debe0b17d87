"""Run-length masks and outlines of several parts, held to slow definitions."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rune_smt.detect.outlines import as_shapes, even_odd, store
from rune_smt.detect.records import Outlines
from rune_smt.detect.rle import decode, mask_outline, uncompress
from rune_smt.entities.geometry import outline, settle

masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7))
coordinates = st.integers(-6, 6).map(float)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=7).map(lambda points: np.array(points))


def run_lengths(mask):
    """Counts of unset and set pixels in turn, down the columns."""
    counts, current, length = [], False, 0
    for pixel in mask.T.reshape(-1).tolist():
        if pixel != current:
            counts.append(length)
            current, length = pixel, 0
        length += 1
    return [*counts, length]


def compressed(counts):
    """As maskApi.c writes them."""
    text = ""
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            group = value & 0x1F
            value >>= 5
            more = value != -1 if group & 0x10 else value != 0
            text += chr((group | 0x20 if more else group) + 48)
    return text


@given(counts=st.lists(st.integers(0, 2**40), max_size=12))
def test_compressed_counts_are_read_back(counts):
    assert uncompress(compressed(counts)).tolist() == counts


@given(mask=masks, short=st.booleans())
def test_a_mask_is_read_back(mask, short):
    counts = run_lengths(mask)
    found, (x, y) = decode({"size": list(mask.shape), "counts": compressed(counts) if short else counts})
    whole = np.zeros_like(mask)
    whole[y : y + found.shape[0], x : x + found.shape[1]] = found
    assert (whole == mask).all()


@given(mask=masks)
def test_the_outline_of_a_mask_is_the_union_of_its_pixels(mask):
    shape = mask_outline(mask, (3, 5))
    if not mask.any():
        assert shape is None
        return
    pixels = [shapely.box(x + 3, y + 5, x + 4, y + 6) for y, x in zip(*np.nonzero(mask), strict=True)]
    assert shape.is_valid
    assert shape.geom_type in ("Polygon", "MultiPolygon")
    assert shapely.equals(shape, shapely.union_all(pixels))


def test_pixels_that_meet_at_a_corner_are_two_parts():
    assert mask_outline(np.eye(2, dtype=bool)).geom_type == "MultiPolygon"
    assert mask_outline(np.eye(2, dtype=bool)[::-1]).geom_type == "MultiPolygon"


def test_a_mask_of_many_pixels_is_not_decoded():
    with pytest.raises(ValueError, match="a mask of 100000 columns of 100000 pixels is too large"):
        decode({"size": [100_000, 100_000], "counts": [0, 10**10]})


@given(entities=st.lists(rings, min_size=1, max_size=8))
def test_many_outlines_at_once_are_each_outline_by_itself(entities):
    together, _ = settle(as_shapes(Outlines.of_lists([[ring] for ring in entities]))[0])
    for ring, shape in zip(entities, together, strict=True):
        assert shapely.normalize(outline(ring.tolist())).wkt == shapely.normalize(shape).wkt


@given(entities=st.lists(rings, min_size=1, max_size=8))
def test_what_is_repaired_and_flat_is_what_settling_says(entities):
    outlines = Outlines.of_lists([[ring] for ring in entities])
    settled, repaired = settle(as_shapes(outlines)[0])
    wkb, crossing, flat = store(outlines)
    assert crossing.tolist() == np.flatnonzero(repaired).tolist()
    assert flat.tolist() == np.flatnonzero(shapely.area(settled) == 0).tolist()
    again, _ = settle(shapely.from_wkb(wkb))
    assert [shape.wkt for shape in again] == [shape.wkt for shape in settled]


boxes = st.tuples(*[st.integers(0, 5)] * 2, *[st.integers(1, 4)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(boxes=st.lists(boxes, min_size=2, max_size=4))
def test_several_parts_fill_by_the_even_odd_rule(boxes):
    parts = np.array([shapely.box(*box) for box in boxes], dtype=object)
    shape, crossing = even_odd(parts.copy())
    assert not crossing
    filled = np.zeros((10, 10), dtype=int)
    for x0, y0, x1, y1 in boxes:
        filled[y0:y1, x0:x1] += 1
    cells = [shapely.box(x, y, x + 1, y + 1) for y, x in zip(*np.nonzero(filled % 2), strict=True)]
    if cells:
        assert shapely.equals(shape, shapely.union_all(cells))
    else:
        assert outline(shape).area == 0


def test_a_crossing_part_among_several_is_told():
    bow = np.array([[0, 0], [4, 4], [4, 0], [0, 4], [-1, 2]], dtype=float)
    box = np.array([[9, 9], [10, 9], [10, 10], [9, 10]], dtype=float)
    _, crossing, _ = store(Outlines.of_lists([[bow, box], [box, box + 5]]))
    assert crossing.tolist() == [0]

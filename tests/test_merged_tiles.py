"""Tiles of one picture become one image: what was cut is whole again, what several tiles show is there once."""

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rune_smt.detect.tile_names import TileName, TilePattern
from rune_smt.errors import DataError, QueryError
from rune_smt.indexing import index, index_with_report

SIDE = 100


@pytest.mark.parametrize(
    ("pattern", "stem", "expected"),
    [
        ("dota", "P0861__1024__0___1648", TileName("P0861", 0, 1648, False, 1024, 1.0)),
        ("dota", "P0861__0.5__512___0", TileName("P0861", 512, 0, False, None, 0.5)),
        ("dota", "P0861", None),
        ("{image}_{x}_{y}", "a_b_7_8", TileName("a_b", 7, 8)),
        ("{any}-{row}-{column}-{image}", "v2-3-4-town", TileName("town", 4, 3, True)),
    ],
)
def test_names_of_tiles(pattern, stem, expected):
    assert TilePattern.of(pattern).read(stem) == expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{image}_{x}", "'{image}_{x}' does not say which picture a tile is of, and where it lies in it."),
        ("{image}_{x}_{row}_{y}_{column}", "does not say which picture"),
        ("{picture}_{x}_{y}", "'{picture}' is no field of names of tiles."),
    ],
)
def test_patterns_that_say_too_little(pattern, message):
    with pytest.raises(QueryError) as caught:
        TilePattern.of(pattern)
    assert message in caught.value.message and "{image}_{x}_{y}" in caught.value.hint


def write(folder, boxes, corners, side=SIDE, clip=True):
    """Boxes (label, left, top, width, height) as the DOTA tools cut them: one file a tile."""
    folder.mkdir(parents=True, exist_ok=True)
    for left, top in corners:
        tile, lines = shapely.box(left, top, left + side, top + side), []
        for label, x, y, w, h in boxes:
            part = shapely.box(x, y, x + w, y + h)
            part = part.intersection(tile) if clip else part
            if part.intersection(tile).area >= 20:
                a, b, c, d = (value - origin for value, origin in zip(part.bounds, (left, top) * 2, strict=True))
                lines.append(f"{a} {b} {c} {b} {c} {d} {a} {d} {label} 0")
        (folder / f"P1__1__{left}___{top}.txt").write_text("".join(line + "\n" for line in lines))
    return folder


OVERLAPPING = list(itertools.product((0, 60, 120), (0, 60)))  # 220 x 160
GRID = list(itertools.product((0, 100), (0, 100)))
# well apart, so that what is one thing is beyond doubt
PLACES = [(x, y) for x in range(4, 190, 36) for y in range(4, 130, 32)]


@settings(max_examples=25)
@given(
    chosen=st.lists(st.sampled_from(PLACES), unique=True, max_size=12),
    sizes=st.lists(st.tuples(st.integers(8, 30), st.integers(8, 26)), min_size=12, max_size=12),
    corners=st.sampled_from([OVERLAPPING, GRID]),
    clip=st.booleans(),
)
def test_what_tiles_cut_is_whole_again_and_there_once(tmp_path_factory, chosen, sizes, corners, clip):
    wide, high = (max(corner[axis] for corner in corners) + SIDE for axis in (0, 1))
    boxes = [
        (("ship", "plane")[k % 2], x, y, *size) for k, ((x, y), size) in enumerate(zip(chosen, sizes, strict=False))
    ]
    boxes = [box for box in boxes if box[1] + box[3] <= wide - 4 and box[2] + box[4] <= high - 4]
    # pieces too small to be labelled are lost by the cutting, not by the merging
    whole = [
        b for b in boxes if all(_piece(b, corner) in (0, b[3] * b[4]) or _piece(b, corner) >= 20 for corner in corners)
    ]
    folder = write(tmp_path_factory.mktemp("tiles") / "t", whole, corners, clip=clip)
    archive = index(folder, format="dota", tiles="dota", image_size=(SIDE, SIDE), progress=False)
    assert archive.images["image_id"].to_pylist() == ["P1"]
    assert (archive.images["width"].to_pylist(), archive.images["height"].to_pylist()) == ([wide], [high])
    table = archive.table
    found = {
        (table.classes[table.label[row]], *np.round(shapely.bounds(table.outlines(np.array([row])))[0], 6))
        for row in range(len(table))
    }
    assert found == {(label, x, y, x + w, y + h) for label, x, y, w, h in whole}
    assert sorted(table.entity_id.tolist()) == list(range(len(table)))


def _piece(box, corner):
    _, x, y, w, h = box
    return shapely.box(x, y, x + w, y + h).intersection(shapely.box(*corner, corner[0] + SIDE, corner[1] + SIDE)).area


def test_masks_cut_into_a_grid_are_joined_as_they_are(tmp_path):
    values = np.zeros((200, 200), np.uint8)
    values[40:60, 20:180] = 5
    values[20:180, 90:110] = 5  # a cross over all four tiles
    values[150:170, 20:40] = 2
    for row, column in itertools.product((0, 1), (0, 1)):
        part = values[100 * row : 100 * row + 100, 100 * column : 100 * column + 100]
        Image.fromarray(part).save(tmp_path / f"town-{row}-{column}_lab.png")
    done = index_with_report(
        tmp_path, format="masks", tiles="{image}-{row}-{column}", vocabulary="flood", progress=False
    )
    table = done.archive.table
    assert sorted(table.classes[code] for code in table.label) == ["building", "water"]
    water = table.outlines(np.array([table.classes.index("water") == code for code in table.label]).nonzero()[0])[0]
    assert water.area == (values == 5).sum()
    assert "1 image is put together from tiles: town (4)." in done.render()


def test_what_is_not_known_is_said(tmp_path):
    write(tmp_path / "t", [("ship", 10, 10, 20, 20)], [(0, 0), (300, 0)])
    with pytest.raises(DataError, match="Tile 'P1__1__0___0' is of unknown size"):
        index(tmp_path / "t", tiles="dota", progress=False)
    with pytest.raises(QueryError, match="No image is called as tiles are by "):
        index(tmp_path / "t", format="dota", tiles="{image}_{x}_{y}_{any}q", image_size=(SIDE, SIDE), progress=False)
    done = index_with_report(tmp_path / "t", tiles="dota", image_size=(SIDE, SIDE), progress=False)
    assert done.archive.images["width"].to_pylist() == [None]
    assert "the tiles of 1 image leave gaps: its size is unknown" in done.render()


def test_images_that_are_no_tiles_stay(tmp_path):
    folder = write(tmp_path / "t", [("ship", 10, 10, 20, 20)], [(0, 0)])
    (folder / "P9.txt").write_text("1 1 5 1 5 5 1 5 plane 0\n")
    archive = index(folder, tiles="dota", image_size=(SIDE, SIDE), progress=False)
    assert archive.images["image_id"].to_pylist() == ["P1", "P9"] and len(archive.table) == 2
    assert archive.images["width"].to_pylist() == [SIDE, SIDE]

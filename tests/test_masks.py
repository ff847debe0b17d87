"""Masks: components and outlines held to slow definitions, then files, names, palettes, instances and warnings."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from rune_smt.detect.components import components
from rune_smt.detect.masks import image_stem, read_palette
from rune_smt.errors import DataError
from rune_smt.indexing import index_with_report

pictures = arrays.arrays(np.int32, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8),
                         elements=st.integers(0, 3))  # fmt: skip


def flooded_with(keys, whole=()):
    """Sets of pixels (y, x), each a component, in reading order: by filling, pixel after pixel."""
    left = {(y, x): int(key) for (y, x), key in np.ndenumerate(keys) if key}
    found = []
    for start in sorted(left):
        if start not in left:
            continue
        key, group, todo = left[start], set(), [start]
        if key in whole:
            group = {place for place, other in left.items() if other == key}
            todo = []
        while todo:
            y, x = todo.pop()
            if left.get((y, x)) == key and (y, x) not in group:
                group.add((y, x))
                todo += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        for place in group:
            del left[place]
        found.append((key, group))
    return found


def area_of(pixels):
    return shapely.union_all([shapely.box(x, y, x + 1, y + 1) for y, x in pixels])


@given(keys=pictures, min_area=st.integers(0, 4), whole=st.sets(st.integers(1, 3), max_size=2))
def test_components_are_what_touches_also_at_a_corner(keys, min_area, whole):
    found = components(keys, min_area=min_area, whole=np.array(sorted(whole), dtype=np.int32))
    slow = flooded_with(keys, whole)
    kept = [(key, group) for key, group in slow if len(group) >= min_area]
    assert found.key.tolist() == [key for key, _ in kept]
    assert found.pixels.tolist() == [len(group) for _, group in kept]
    assert found.small.tolist() == [key for key, group in slow if len(group) < min_area]
    for shape, (_, group) in zip(found.shapes, kept, strict=True):
        assert shape.is_valid
        assert shape.geom_type in ("Polygon", "MultiPolygon")
        assert shapely.equals(shape, area_of(group))
        assert shapely.get_num_coordinates(shape) == shapely.get_num_coordinates(shapely.remove_repeated_points(shape))


@given(keys=pictures)
def test_outlines_have_corners_only_and_lie_side_by_side(keys):
    found = components(keys)
    assert sum(shape.area for shape in found.shapes) == (keys != 0).sum()
    for shape in found.shapes:
        for part in shapely.get_parts(shape):
            for ring in (part.exterior, *part.interiors):
                points = np.asarray(ring.coords)
                level = (np.diff(points, axis=0) != 0)[:, 0]
                assert (level != np.roll(level, 1)).all()


def test_a_house_on_an_island_is_not_in_the_water():
    keys = np.full((7, 7), 5, dtype=np.int32)
    keys[2:5, 2:5] = 9
    keys[3, 3] = 2
    found = components(keys)
    assert found.key.tolist() == [5, 9, 2]
    assert [shape.area for shape in found.shapes] == [40.0, 8.0, 1.0]
    assert not found.shapes[0].intersects(found.shapes[2])


def write(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values)).save(path, **options)
    return path


def floodnet():
    """40 x 60: a flooded house of two that touch, a dry one, a road, water with an island, and a speck."""
    values = np.zeros((40, 60), dtype=np.uint8)
    values[2:12, 2:12] = 1
    values[12:20, 11:21] = 1  # touches the first one
    values[2:12, 30:42] = 2
    values[22:26, :] = 4
    values[28:40, 0:40] = 5
    values[32:36, 10:20] = 9
    values[0, 59] = 7
    return values


def test_floodnet_values_become_classes_with_attributes(tmp_path):
    write(tmp_path / "train" / "6279_lab.png", floodnet())
    indexed = index_with_report(tmp_path / "train", progress=False, min_area=40)
    report, archive = indexed.report, indexed.archive
    assert report.format == "masks"
    assert report.why == "the only file has a mask's name and one band"
    assert report.vocabulary == "flood"
    rows = archive.entities.to_pylist()
    assert [(row["label"], row["flooded"], row["source_label"]) for row in rows] == [
        ("building", True, "1"), ("building", False, "2"), ("road", False, "4"), ("water", None, "5"),
        ("grass", False, "9"),
    ]  # fmt: skip
    assert archive.images.column("image_id").to_pylist() == ["6279"]
    assert (archive["6279"].width, archive["6279"].height) == (60, 40)
    assert shapely.from_wkb(rows[3]["geometry"]).area == 12 * 40 - 40
    assert [note.text for note in report.notes] == [
        "In masks what touches is one entity, such as houses side by side: "
        "counts of building, grass, road, water are lower bounds",
        "1 part of a mask of fewer than 40 pixels was left out (--min-area)",
    ]
    assert archive.facts.merged == ("building", "grass", "road", "water")


def test_the_warning_is_kept_in_the_archive(tmp_path):
    write(tmp_path / "a_mask.png", floodnet())
    made = index_with_report(tmp_path / "a_mask.png", tmp_path / "a.rune", progress=False).archive
    assert made.facts.merged == ("building", "road", "water")
    write(tmp_path / "b_mask.png", np.full((10, 10), 9, dtype=np.uint8))
    more = index_with_report(tmp_path / "b_mask.png", tmp_path / "a.rune", append=True, progress=False).archive
    assert more.facts.merged == ("building", "grass", "road", "water")


def test_instances_keep_touching_houses_apart(tmp_path):
    write(tmp_path / "1_lab.png", floodnet())
    numbers = np.zeros((40, 60), dtype=np.uint16)
    numbers[2:12, 2:12], numbers[12:20, 11:21], numbers[2:12, 30:42] = 1, 2, 300
    write(tmp_path / "1_inst.png", numbers)
    archive = index_with_report(tmp_path, progress=False).archive
    rows = [(row["label"], row["instance"]) for row in archive.entities.to_pylist()]
    assert rows == [("building", 1), ("building", 2), ("building", 300), ("road", None), ("water", None)]
    assert archive.facts.merged == ("road", "water")


def test_names_and_values_that_are_background(tmp_path):
    values = np.full((20, 20), 0, dtype=np.uint8)
    values[:10], values[10:, :10] = 3, 255
    write(tmp_path / "a.png", values)
    (tmp_path / "names.yaml").write_text("names: {0: water, 3: Building-Flooded, 255: void}")
    indexed = index_with_report(
        tmp_path / "a.png", format="masks", names=tmp_path / "names.yaml", vocabulary="flood", progress=False
    )
    rows = indexed.archive.entities.to_pylist()
    assert [(row["label"], row["flooded"]) for row in rows] == [("water", None), ("building", True)]


def test_a_class_number_without_name(tmp_path):
    write(tmp_path / "a_lab.png", floodnet())
    with pytest.raises(DataError) as caught:
        index_with_report(tmp_path, names={1: "building", 2: "building", 4: "road"}, progress=False)
    assert str(caught.value) == f"{tmp_path}/a_lab.png: class number 5 has no name.\nThe names go from 1 to 4."


COLOURS = {(0, 0, 0): "Background", (61, 230, 250): "water", (180, 120, 120): "building-non-flooded"}


def coloured():
    values = np.zeros((20, 30, 3), dtype=np.uint8)
    values[:10, :10] = (180, 120, 120)
    values[12:] = (61, 230, 250)
    return values


def test_a_picture_of_three_bands_needs_a_palette(tmp_path):
    write(tmp_path / "a_lab.png", coloured())
    with pytest.raises(DataError) as caught:
        index_with_report(tmp_path, format="masks", progress=False)
    assert str(caught.value) == (
        f"{tmp_path}/a_lab.png: is a picture of 3 bands, not of one with class numbers.\n"
        "Give --palette FILE with a line 'R G B name' for each colour: colour tables of one data set differ from place "
        "to place."
    )


@pytest.mark.parametrize(
    "text",
    [
        "0 0 0 Background\n61 230 250 water\n180 120 120 building-non-flooded\n",
        "name,r,g,b\nBackground,0,0,0\nwater,61,230,250\r\nbuilding-non-flooded,180,120,120",
        "# of the third release\n\n#000000 Background\n#3de6fa water\n#B47878\tbuilding-non-flooded\n",
    ],
)
def test_a_palette(tmp_path, text):
    (tmp_path / "palette.txt").write_text(text)
    assert read_palette(tmp_path / "palette.txt") == COLOURS
    write(tmp_path / "a_lab.png", coloured())
    archive = index_with_report(tmp_path / "a_lab.png", format="masks", palette=tmp_path / "palette.txt",
                                vocabulary="flood", progress=False).archive  # fmt: skip
    assert [row["label"] for row in archive.entities.to_pylist()] == ["water", "building"]


def test_a_colour_that_the_palette_lacks(tmp_path):
    (tmp_path / "palette.txt").write_text("0 0 0 background\n61 230 250 water\n")
    write(tmp_path / "a_lab.png", coloured())
    with pytest.raises(DataError) as caught:
        index_with_report(tmp_path / "a_lab.png", format="masks", palette=tmp_path / "palette.txt", progress=False)
    assert str(caught.value) == (
        f"{tmp_path}/a_lab.png: the colour 180 120 120 of pixel (0, 0) is not in the palette (100 such pixels).\n"
        "Add it to the palette; a mask that was resized or saved as JPEG has colours in between."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0 0 a\n1 2 b\n", ":2: expected 'R G B name', the three from 0 to 255, got '1 2 b'."),
        ("0 0 0 a\n0 0 256 b\n", ":2: expected 'R G B name', the three from 0 to 255, got '0 0 256 b'."),
        ("0 0 0 a\n0 0 0 b\n", ":2: the colour 0 0 0 has two names."),
    ],
)
def test_a_palette_that_is_none(tmp_path, text, message):
    path = tmp_path / "p.txt"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_palette(path)
    assert str(caught.value) == f"{path}{message}"


@pytest.mark.parametrize(
    ("stem", "suffix", "image"),
    [("6279_lab", None, "6279"), ("a_b_mask", None, "a_b"), ("7", None, "7"), ("7_gt", "_gt", "7"),
     ("7_lab", "", "7_lab"), ("_lab", None, "_lab")],
)  # fmt: skip
def test_the_image_of_a_mask(stem, suffix, image):
    assert image_stem(stem, suffix) == image


def test_a_suffix_of_ones_own_and_the_pictures(tmp_path):
    write(tmp_path / "gt" / "7_gt.png", floodnet())
    write(tmp_path / "images" / "7.jpg", np.zeros((40, 60, 3), dtype=np.uint8))
    indexed = index_with_report(
        tmp_path / "gt", format="masks", mask_suffix="_gt", images=tmp_path / "images", progress=False
    )
    assert indexed.archive.images.column("path").to_pylist() == [(tmp_path / "images" / "7.jpg").as_posix()]
    with pytest.raises(DataError, match="No mask's name ends in '_x'"):
        index_with_report(tmp_path / "gt", format="masks", mask_suffix="_x", progress=False)


def test_a_damaged_mask_is_told(tmp_path):
    whole = write(tmp_path / "1_lab.png", floodnet()).read_bytes()
    (tmp_path / "2_lab.png").write_bytes(whole[: len(whole) * 2 // 3])
    write(tmp_path / "3_lab.tif", floodnet().astype(np.float32))
    with pytest.raises(DataError, match=r"2_lab\.png: cannot be read: "):
        index_with_report(tmp_path, format="masks", progress=False)
    indexed = index_with_report(tmp_path, format="masks", skip_bad=True, progress=False)
    assert len(indexed.report.skipped) == 2
    assert indexed.report.skipped[1].endswith("3_lab.tif: is of mode F; class numbers are a band of whole numbers.")
    assert indexed.archive.class_counts() == {"building": 2, "road": 1, "water": 1}


def test_a_header_that_promises_too_much(tmp_path):
    data = bytearray(write(tmp_path / "1_lab.png", floodnet()).read_bytes())
    data[16:24] = (90_000).to_bytes(4) * 2
    import zlib

    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4)
    (tmp_path / "1_lab.png").write_bytes(bytes(data))
    with pytest.raises(DataError, match="90000 x 90000 pixels are too many for one mask"):
        index_with_report(tmp_path, format="masks", progress=False)


def test_simplified_outlines_stay_close(tmp_path):
    y, x = np.mgrid[:120, :120]
    values = ((x - 60) ** 2 + (y - 60) ** 2 < 50**2).astype(np.uint8) * 5
    write(tmp_path / "1_lab.png", values)
    def outline(tolerance):
        archive = index_with_report(tmp_path, simplify=tolerance, progress=False).archive
        return shapely.from_wkb(archive.entities["geometry"][0].as_py())

    exact, loose = outline(0), outline(1.5)
    assert exact.area == (values > 0).sum()
    assert loose.is_valid
    assert shapely.get_num_coordinates(loose) < shapely.get_num_coordinates(exact) / 3
    assert shapely.hausdorff_distance(exact, loose) <= 1.5

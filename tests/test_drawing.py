"""The drawing of evidence: it shows what is marked, at every size, with and without a picture file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rune_smt.drawing import (
    COLOURS,
    FAULT,
    Pair,
    colour_of,
    length_text,
    letter,
    letters,
    outlines_of,
    picture,
    picture_path,
)
from rune_smt.entities.scene import Scene


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]


def scene(
    *boxes: tuple[float, float, float], width: int | None = 400, height: int | None = 300, gsd: float | None = 0.5
):
    entities = [{"entity_id": i, "label": "ship", "polygon": square(*box)} for i, box in enumerate(boxes)]
    return Scene.from_json({"image_id": "P1", "width": width, "height": height, "gsd": gsd, "entities": entities})


def share_of(image: Image.Image, colour: tuple[int, int, int]) -> float:
    """The share of pixels close to a colour."""
    return float((np.abs(np.asarray(image, dtype=int) - colour).max(axis=-1) < 40).mean())


@given(
    st.lists(st.tuples(st.floats(-50, 450), st.floats(-50, 350), st.floats(0, 200)), min_size=2, max_size=6),
    st.integers(20, 700),
    st.booleans(),
)
@settings(max_examples=30)
def test_a_drawing_has_its_size_and_never_fails(boxes, size: int, crop: bool) -> None:
    drawn = picture(scene(*boxes), letters({"x1": 0}), [Pair(0, 1, "9 px")], size=size, crop=crop)
    assert max(drawn.size) == size
    assert drawn.mode == "RGB"


def test_a_sketch_shows_every_entity_and_letters_stand_out() -> None:
    plain = picture(scene((50, 50, 80), (200, 100, 80)))
    marked = picture(scene((50, 50, 80), (200, 100, 80)), {"A": 0}, crop=False)
    assert share_of(plain, COLOURS[0]) == 0
    assert share_of(marked, COLOURS[0]) > 0.003
    assert np.asarray(plain).std() > 5


def test_a_failing_pair_is_joined_by_a_line() -> None:
    drawn = picture(scene((50, 50, 60), (250, 50, 60)), {"A": 0, "B": 1}, [Pair(0, 1, "140 px")], size=400, crop=False)
    between = np.asarray(drawn, dtype=int)[70:120, 130:230]
    assert (np.abs(between - FAULT).max(axis=-1) < 60).sum() > 40


def test_the_crop_is_around_what_is_marked_and_keeps_it_in_view() -> None:
    large = scene((3900, 2900, 20), width=4000, height=3000)
    small = picture(large, {"A": 0}, crop=False, size=300)
    cropped = picture(large, {"A": 0}, size=300)
    assert share_of(cropped, COLOURS[0]) > 1.5 * share_of(small, COLOURS[0]) > 0


def test_the_picture_file_is_used_scaled_and_cropped(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    values = np.zeros((1500, 2000, 3), dtype=np.uint8)
    values[:, 1000:] = (30, 60, 200)
    Image.fromarray(values).save(path, quality=95)
    described = scene((700, 100, 30), width=1000, height=750)  # the annotation is of a picture half as large
    whole = np.asarray(picture(described, path=path, size=200), dtype=int)
    assert whole.shape == (150, 200, 3)
    assert whole[20, 20].max() < 20
    assert np.abs(whole[20, 150] - (30, 60, 200)).max() < 20
    near = np.asarray(picture(described, {"A": 0}, path=path, size=200), dtype=int)
    assert np.abs(near[100, 10] - (30, 60, 200)).max() < 20  # the crop lies in the right half


@pytest.mark.parametrize("damage", ["missing", "text", "truncated"])
def test_an_unreadable_picture_becomes_a_sketch(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "p.png"
    if damage == "text":
        path.write_text("not a picture")
    elif damage == "truncated":
        Image.effect_noise((400, 300), 80).save(path)
        path.write_bytes(path.read_bytes()[:900])
    drawn = picture(scene((50, 50, 60)), {"A": 0}, path=path)
    assert drawn.size[0] == 480
    assert share_of(drawn, COLOURS[0]) > 0


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "I;16", "F", "1", "CMYK"])
def test_pictures_of_every_depth_are_shown(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "deep.tif"
    ramp = np.tile(np.linspace(0, 1, 400), (300, 1))
    image = Image.fromarray((ramp * 255).astype(np.uint8)).convert(mode) if mode not in ("I;16", "F") else None
    if mode == "I;16":
        image = Image.fromarray((ramp * 9000).astype(np.uint16))
    elif mode == "F":
        image = Image.fromarray((ramp * 0.2).astype(np.float32))
    assert image is not None
    image.save(path)
    shown = np.asarray(picture(scene(), path=path, crop=False), dtype=int)
    assert shown[50, -20].mean() > shown[50, 20].mean() + 60


def test_a_scene_without_size_is_as_large_as_its_entities() -> None:
    drawn = picture(scene((10, 10, 90), (300, 40, 60), width=None, height=None, gsd=None))
    assert max(drawn.size) == 480


def test_an_entity_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="'P1' has no entity 7"):
        picture(scene((1, 1, 5)), {"A": 7})


def test_letters_follow_the_variables_and_are_given_once() -> None:
    assert letters({"x1": 17, "x2": [3, 17, 5]}) == {"A": 17, "B": 3, "C": 5}
    assert [letter(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert colour_of(len(COLOURS)) == COLOURS[0]


def test_lengths_are_told_with_metres_where_they_are_known() -> None:
    assert length_text(143.4, None) == "143 px"
    assert length_text(143.4, 0.6) == "143 px (86 m)"
    assert length_text(3.25, 0.5) == "3.2 px (1.6 m)"


def test_outlines_keep_parts_and_holes() -> None:
    ring, hole = square(0, 0, 50), square(10, 10, 20)
    document = {
        "image_id": "P2", "width": 100, "height": 100,
        "entities": [{"entity_id": 4, "label": "water", "polygon": [ring, hole]}],
    }  # fmt: skip
    outlines = outlines_of(Scene.from_json(document))
    assert len(outlines[4].rings) == 2
    assert outlines[4].bounds == (0, 0, 50, 50)
    assert picture_path(Scene.from_json(document)) is None

"""Laws of the made scenes: repeatable, physically plausible, annotated exactly, and varied enough to ask about."""

import io
import math
from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.detect.synthetic import KINDS, SyntheticScene, make_scene, make_scenes, to_arrow, write_picture
from rune_smt.grammar.vocabulary import load_vocabulary

# length and width in metres that a thing of the class may have; a court is smaller where its ground had no room
SIZES = {
    "ship": ((20, 121), (4, 20)),
    "small_vehicle": ((4, 5.5), (1.7, 2.1)),
    "large_vehicle": ((7.9, 17.1), (2.5, 2.6)),
    "plane": ((24, 64), (21, 63)),
    "helicopter": ((13, 18), (10, 15)),
    "harbor": ((14, 301), (3, 35)),
    "bridge": ((45, 110), (10, 18)),
    "storage_tank": ((10, 60), (10, 60)),
    "container_crane": ((60, 63), (16, 18)),
    "tennis_court": ((23.7, 23.9), (10.9, 11.1)),
    "basketball_court": ((29.9, 30.1), (16.9, 17.1)),
    "soccer_ball_field": ((50, 121), (30, 80)),
    "ground_track_field": ((100, 178), (50, 94)),
    "baseball_diamond": ((20, 95), (20, 95)),
    "roundabout": ((22, 41), (22, 41)),
    "swimming_pool": ((7, 51), (3, 22)),
}

scene_numbers = st.integers(0, 2000)


def sides(scene: SyntheticScene) -> tuple[np.ndarray, np.ndarray]:
    """Longer and shorter side of every box, metres."""
    first = np.hypot(*(scene.polygons[:, 1] - scene.polygons[:, 0]).T) * scene.site.gsd
    second = np.hypot(*(scene.polygons[:, 2] - scene.polygons[:, 1]).T) * scene.site.gsd
    return np.maximum(first, second), np.minimum(first, second)


@given(scene_numbers, st.integers(0, 3))
@settings(max_examples=60)
def test_things_have_the_sizes_of_their_class(index: int, seed: int) -> None:
    scene = make_scene(index, seed)
    for label, long, short in zip(scene.labels, *sides(scene), strict=True):
        (low_l, high_l), (low_s, high_s) = SIZES[label]
        assert low_l <= long <= high_l, (scene.image_id, label, long)
        assert low_s <= short <= high_s, (scene.image_id, label, short)


@given(scene_numbers)
@settings(max_examples=40)
def test_boxes_are_rectangles_that_reach_into_the_picture(index: int) -> None:
    scene = make_scene(index)
    frame = shapely.box(0, 0, scene.width, scene.height)
    for corners in scene.polygons:
        a, b, c, d = corners
        assert np.allclose(a + c, b + d)
        assert abs(np.dot(b - a, d - a)) < 1e-6 * np.dot(b - a, b - a) + 1e-6
        box = shapely.Polygon(corners)
        assert box.intersection(frame).area >= 0.2 * box.area
    assert len(scene.labels) == len(scene.polygons) == len(scene.attributes["difficult"])
    assert set(scene.attributes["difficult"]) <= {0.0, 1.0}


@given(scene_numbers)
@settings(max_examples=40)
def test_ships_do_not_lie_in_each_other(index: int) -> None:
    scene = make_scene(index)
    ships = [shapely.Polygon(p) for p, label in zip(scene.polygons, scene.labels, strict=True) if label == "ship"]
    for a, b in combinations(ships, 2):
        assert a.intersection(b).area < 0.05 * min(a.area, b.area)


@given(scene_numbers, st.integers(0, 5))
@settings(max_examples=15)
def test_a_scene_is_the_same_every_time(index: int, seed: int) -> None:
    first, again = make_scene(index, seed), make_scene(index, seed)
    assert first.labels == again.labels
    assert np.array_equal(first.polygons, again.polygons)
    assert (first.image_id, first.gsd, first.transform) == (again.image_id, again.gsd, again.transform)


def test_a_picture_is_the_same_every_time_and_knows_its_size() -> None:
    scene = make_scene(4)
    once, twice = scene.render(), scene.render()
    assert once.tobytes() == twice.tobytes() == make_scene(4).render().tobytes()
    assert (once.size, once.mode) == ((512, 512), "RGB")
    assert make_scene(4, size=256).render().size == (256, 256)


def test_scene_i_does_not_depend_on_how_many_are_made() -> None:
    few, many = list(make_scenes(3, seed=9)), list(make_scenes(8, seed=9))
    assert [s.image_id for s in few] == [s.image_id for s in many[:3]]
    assert all(np.array_equal(a.polygons, b.polygons) for a, b in zip(few, many, strict=False))
    assert not np.array_equal(make_scene(0, 1).polygons, make_scene(0, 2).polygons)


def test_what_is_annotated_is_seen() -> None:
    """Tanks are lighter than the ground around them, pools bluer: the boxes lie where the painter painted."""
    checked = 0
    for index in range(5, 60, 7):
        scene = make_scene(index)
        pixels = np.asarray(scene.render(), dtype=float)
        for label, corners in zip(scene.labels, scene.polygons, strict=True):
            cx, cy = corners.mean(axis=0)
            r = math.dist(corners[0], corners[1]) / 2
            if label != "storage_tank" or not (2 * r < cx < 512 - 2 * r and 2 * r < cy < 512 - 2 * r):
                continue
            ys, xs = np.mgrid[0:512, 0:512] + 0.5
            away = np.hypot(xs - cx, ys - cy)
            inside, around = pixels[away < 0.85 * r].mean(), pixels[(away > 1.05 * r) & (away < 1.25 * r)].mean()
            checked += 1
            assert inside > around, (scene.image_id, cx, cy)
    assert checked > 10


def test_the_kinds_take_turns_and_every_class_occurs() -> None:
    scenes = list(make_scenes(140))
    assert [s.kind for s in scenes[: len(KINDS)]] == list(KINDS)
    classes = {label for scene in scenes for label in scene.labels}
    assert classes == set(SIZES)
    assert classes <= set(load_vocabulary("dota-v1.5").classes)


def test_there_is_something_to_ask_about() -> None:
    scenes = list(make_scenes(280))
    ships = [s for s in scenes if "ship" in s.labels]
    assert any("harbor" not in s.labels for s in ships) and any("harbor" in s.labels for s in ships)
    assert any("harbor" in s.labels and "ship" not in s.labels for s in scenes)
    assert any("bridge" in s.labels for s in scenes) and any(
        s.kind == "river" and "bridge" not in s.labels for s in scenes
    )
    without_gsd = [s for s in scenes if s.gsd is None]
    assert 0.05 < len(without_gsd) / len(scenes) < 0.3
    assert all(s.transform is None for s in without_gsd)
    assert any(s.transform is not None for s in scenes) and any(s.gsd and s.transform is None for s in scenes)


def test_tables_have_a_row_for_every_thing_and_every_image(tmp_path) -> None:
    scenes = list(make_scenes(9))
    entities, images = to_arrow(scenes, tmp_path)
    assert images.num_rows == 9
    assert entities.num_rows == sum(len(s.labels) for s in scenes)
    assert entities.schema.field("entity_id").type == "int32"
    paths = images["path"].to_pylist()
    assert all(path.endswith(".jpg") for path in paths)
    shapes = shapely.from_wkb(entities["geometry"].to_pylist())
    assert shapely.equals_exact(shapes[0], shapely.Polygon(scenes[0].polygons[0]), tolerance=0)
    first = [i for i, name in enumerate(entities["image_id"].to_pylist()) if name == scenes[1].image_id]
    assert entities["entity_id"].to_numpy()[first].tolist() == list(range(len(first)))
    assert set(to_arrow(scenes)[1]["path"].to_pylist()) == {None}


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_pictures_are_written_in_the_kind_asked_for(tmp_path, kind: str) -> None:
    from PIL import Image

    path = write_picture(make_scene(1), tmp_path / "pictures", kind)
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        assert image.size == (512, 512)
        assert image.format == {"jpg": "JPEG", "png": "PNG"}[kind]


@given(scene_numbers)
@settings(max_examples=25)
def test_vehicles_do_not_stand_in_each_other(index: int) -> None:
    scene = make_scene(index)
    vehicles = [shapely.Polygon(p) for p, label in zip(scene.polygons, scene.labels, strict=True) if "vehicle" in label]
    one, other = shapely.STRtree(vehicles).query(vehicles)
    for i, j in zip(one.tolist(), other.tolist(), strict=True):
        assert i == j or vehicles[i].intersection(vehicles[j]).area < 1e-6

"""Made sets on disk: what `index` reads back is what was made, whatever the format; and the dials do what they say."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import rune_smt as rune
from rune_smt.cli.app import app
from rune_smt.detect.rle import decode, encode
from rune_smt.detect.synthetic import Dials, make_scene, make_scenes, write_set
from rune_smt.detect.synthetic.raster import covered, inside
from rune_smt.errors import DataError, QueryError

run = CliRunner().invoke
SIZE, SEED = 320, 4
DIALS = Dials(clouds=0.08, trees=0.3)
FLOOD = ["flooded_street"]


def read_back(report):
    """The archive that the command in the report makes."""
    made = run(app, [*shlex.split(report.read_with)[1:], "--json"])
    assert made.exit_code == 0, made.output
    return rune.open_archive(report.out.with_name(report.out.name + ".rune")).table


def rows_of(table, image_id):
    image = table.images.index(image_id)
    rows = np.flatnonzero(table.image == image)
    return image, rows, [table.classes[code] for code in table.label[rows]]


@pytest.mark.parametrize(
    ("format", "kinds"),
    [("dota", None), ("coco", None), ("yolo-obb", None), ("scenes", None), ("coco", FLOOD), ("scenes", FLOOD)],
    ids=lambda value: value if isinstance(value, str) else value and value[0],
)
def test_a_set_is_read_back_as_it_was_made(tmp_path, format, kinds):
    count = 2 if kinds else 7
    report = write_set(tmp_path / "set", count, SEED, format=format, kinds=kinds, size=SIZE, dials=DIALS)
    table, things = read_back(report), 0
    for scene in make_scenes(count, SEED, SIZE, kinds=kinds, dials=DIALS, withhold=False):
        image, rows, labels = rows_of(table, scene.image_id)
        assert table.images.gsd[image] == pytest.approx(scene.gsd)
        assert (table.images.width[image], table.images.height[image]) == (SIZE, SIZE)
        boxes = format != "coco" and scene.flood is None
        wanted = shapely.polygons(scene.polygons) if boxes else scene.outlines
        ids = table.entity_id[rows]
        assert labels == [scene.labels[i] for i in ids] and len(ids) == len(scene.labels)
        for outline, i in zip(table.outlines(rows), ids, strict=True):
            assert shapely.hausdorff_distance(outline, wanted[i]) < 0.01  # of a pixel
        if scene.flood is not None:
            flooded = table.attributes["flooded"].values[rows]
            assert np.array_equal(flooded, scene.attributes["flooded"][ids], equal_nan=True)
        things += len(ids)
    assert things == sum(report.classes.values()) > 30


def test_masks_of_boxes_are_the_outlines_to_half_a_pixel(tmp_path):
    report = write_set(tmp_path / "set", 7, SEED, format="masks", size=SIZE)
    table, compared = read_back(report), 0
    for scene in make_scenes(7, SEED, SIZE, withhold=False):
        _, rows, labels = rows_of(table, scene.image_id)
        numbers = table.attributes["instance"].values[rows].astype(int)
        assert labels == [scene.labels[n - 1] for n in numbers]
        seen = scene.instances()
        assert set(numbers) == set(np.unique(seen)) - {0}
        picture = shapely.box(0, 0, SIZE, SIZE)
        for outline, n in zip(table.outlines(rows), numbers, strict=True):
            assert outline.area == (seen == n).sum()
            whole = shapely.intersection(scene.outlines[n - 1], picture)
            above = shapely.union_all([o for k, o in enumerate(scene.outlines) if k != n - 1])
            if scene.attributes["occluded"][n - 1] == 0 and not whole.intersects(above) and whole.area > 40:
                compared += 1
                # corners of pixels lie off the outline by at most half the diagonal of a pixel
                assert max(shapely.distance(whole.boundary, p) for p in shapely.points(corners(outline))) < 0.72
    assert compared > 50


def corners(outline):
    return np.concatenate([shapely.get_coordinates(part.exterior) for part in shapely.get_parts(outline)])


def test_masks_of_a_flood_are_read_back_exactly_and_answer_for_what_is_cut_off(tmp_path):
    report = write_set(tmp_path / "set", 3, 5, format="masks", kinds=FLOOD, size=512)
    table = read_back(report)
    archive = rune.open_archive(tmp_path / "set.rune")
    cut = rune.select(archive, rune.parse("{x | building(x) & cut_off(x)}", archive))
    dry = rune.select(archive, rune.parse("{x | road(x) & leads_out(x)}", archive))
    found = {"cut_off": 0, "leads_out": 0}
    for scene in make_scenes(3, 5, 512, kinds=FLOOD, withhold=False):
        image, rows, labels = rows_of(table, scene.image_id)
        ids = table.entity_id[rows]
        assert labels == [scene.labels[i] for i in ids]
        assert all(o.equals(scene.outlines[i]) for o, i in zip(table.outlines(rows), ids, strict=True))
        for name, result, wanted in (
            ("cut_off", cut, scene.flood.cut_off()), ("leads_out", dry, scene.flood.ways_out()),
        ):  # fmt: skip
            answers = {int(table.entity_id[row]) for row in result.rows if table.image[row] == image}
            assert answers == set(np.flatnonzero(wanted).tolist()), (scene.image_id, name)
            found[name] += len(answers)
    assert min(found.values()) > 2


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    for workers, folder in enumerate(folders, 1):
        write_set(folder, 3, 11, format="coco", size=128, dials=Dials(noise=5), pictures="png", workers=workers)
    first, second = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders)
    assert {p for p in first if p.suffix != ".md"} == {p for p in second if p.suffix != ".md"}
    assert all(first[p] == second[p] for p in first if p.suffix != ".md")


def test_a_script_that_starts_itself_again_is_told(tmp_path):
    script = tmp_path / "make.py"
    call = f"write_set({str(tmp_path / 'set')!r}, 2, size=64, workers=2)"
    script.write_text(f"from rune_smt.detect.synthetic import write_set\n{call}\n")
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert ended.returncode == 1 and not (tmp_path / "set").exists()
    assert "A worker ended before its work was done: out of memory, or it could not start." in ended.stderr


def test_clipped_boxes_lie_in_the_picture_as_ultralytics_wants_them(tmp_path):
    write_set(tmp_path / "kept", 3, 1, format="yolo-obb", kinds=["car_park"], size=256)
    write_set(tmp_path / "cut", 3, 1, format="yolo-obb", kinds=["car_park"], size=256, border="clip")

    def shares(folder):
        texts = [path.read_text() for path in sorted((folder / "labels").iterdir())]
        return np.array([line.split()[1:] for text in texts for line in text.splitlines()], dtype=float)

    kept, cut = shares(tmp_path / "kept"), shares(tmp_path / "cut")
    assert kept.min() < 0 and cut.min() == 0 and cut.max() == 1
    assert np.allclose(cut, np.clip(kept, 0, 1))


# --- dials ------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 400), st.sampled_from([0.1, 0.4]), st.sampled_from([0.0, 0.9]))
@settings(max_examples=10)
def test_occluded_is_the_share_of_pixels_that_crowns_and_clouds_cover(index, clouds, trees):
    """Held to the difference between masks with and without them, for things that nothing else lies over."""
    kinds = ["car_park", "neighbourhood"]
    scene = make_scene(index, 2, 256, kinds=kinds, dials=Dials(clouds=clouds, trees=trees))
    clear = make_scene(index, 2, 256, kinds=kinds, dials=Dials(trees=trees))
    assert scene.labels == clear.labels and np.array_equal(scene.polygons, clear.polygons)
    assert (scene.attributes["occluded"] >= clear.attributes["occluded"]).all()
    crowns = covered(scene.site.crowns, 256)
    seen = scene.instances()
    for number, parts in enumerate(scene.site.shapes, 1):
        window, own = inside(parts[0], 256) or (None, None)
        if len(parts) == 1 and own is not None and own.any():
            hidden = scene.attributes["occluded"][number - 1]
            assert hidden >= crowns[window][own].mean() - 1e-9
            assert (seen[window][own] == number).mean() <= 1 - hidden + 1e-9
            assert not (seen[window][own & crowns[window]] == number).any()


def test_dials_change_the_picture_as_they_say():
    def look(**dials):
        return np.asarray(make_scene(3, 1, 256, kinds=["car_park"], dials=Dials(**dials)).render(), dtype=float)

    plain = look(haze=0, blur=0, noise=0)
    assert look(haze=0.8, blur=0, noise=0).std() < 0.4 * plain.std()
    assert np.std(look(haze=0, blur=0, noise=20) - plain) == pytest.approx(20, rel=0.15)
    assert np.abs(np.diff(look(haze=0, blur=3, noise=0), axis=1)).mean() < 0.5 * np.abs(np.diff(plain, axis=1)).mean()
    assert look(shadows=3).mean() < look(shadows=0).mean()
    covered_share = (look(clouds=0.4, haze=0, noise=0, blur=0).min(axis=2) > 150).mean()
    assert covered_share > (plain.min(axis=2) > 150).mean() + 0.2


def test_a_coarser_picture_shows_more_ground():
    fine, coarse = (make_scene(2, 1, 512, kinds=["car_park"], dials=Dials(gsd=g)) for g in (0.1, 0.4))
    assert (fine.site.gsd, coarse.site.gsd) == (0.1, 0.4)
    assert len(coarse.labels) > len(fine.labels)
    cars = [np.hypot(*(s.polygons[0, 1] - s.polygons[0, 0])) for s in (fine, coarse)]
    assert 2.5 < cars[0] / cars[1] < 6


@given(st.data())
@settings(max_examples=60)
def test_run_lengths_of_a_window_are_those_of_the_mask(data):
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    rows, columns = data.draw(st.integers(1, height - top)), data.draw(st.integers(1, width - left))
    cells = data.draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns).filter(any))
    mask = np.array(cells, dtype=bool).reshape(rows, columns)
    whole = np.zeros((height, width), dtype=bool)
    whole[top : top + rows, left : left + columns] = mask
    found, (x, y) = decode(encode(mask, (left, top), (height, width)))
    again = np.zeros_like(whole)
    again[y : y + found.shape[0], x : x + found.shape[1]] = found
    assert np.array_equal(again, whole)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_a_set_and_says_what_is_in_it(tmp_path):
    out = tmp_path / "set"
    call = ["synth", str(out), "--images", "2", "--kind", "harbor,river", "--size", "128", "--workers", "1"]
    made = run(app, [*call, "--gsd", "0.5", "--json"])
    assert made.exit_code == 0, made.output
    document = json.loads(made.stdout)
    assert document["kinds"] == {"harbor": 1, "river": 1} and document["dials"] == {"gsd": 0.5}
    assert sorted(path.name for path in (out / "images").iterdir()) == ["harbor-0000.jpg", "river-0001.jpg"]
    assert (out / "labelTxt" / "harbor-0000.txt").read_text().startswith("imagesource:synthetic\ngsd:0.5\n")
    assert "rune-smt index" in run(app, [*call, "--overwrite"]).stdout
    again = run(app, call)
    assert isinstance(again.exception, DataError)
    assert str(again.exception) == f"{out} exists.\nGive another name, or --overwrite to replace it."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ["habor"]}, "No kind of scene 'habor'.\nDid you mean harbor? There are: harbor, airfield, "
         "car_park, sports_ground, river, tank_farm, neighbourhood, flooded_street."),
        ({"kinds": ["harbor", "flooded_street"]}, "flooded_street has the classes of the vocabulary flood, the other "
         "kinds those of dota-v1.5.\nMake two sets."),
        ({"kinds": FLOOD}, "A flood's water, roads and lawns have holes, which the boxes of dota cannot hold.\n"
         "Write it as masks, coco or scenes."),
        ({"format": "voc"}, "No format 'voc'.\nThere are: dota, coco, yolo-obb, masks, scenes."),
        ({"size": 256, "dials": Dials(gsd=0.1)}, "A picture of 256 px shows 25.6 m of ground at 0.1 m a pixel; a place "
         "needs 50 m.\nGive a coarser --gsd, or larger pictures."),
        ({"size": 20}, "Pictures have sides of 64 to 4,096 pixels, got 20."),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_said(tmp_path, options, message):
    with pytest.raises(QueryError) as raised:
        write_set(tmp_path / "set", 1, **options)
    assert str(raised.value) == message
    assert not list(tmp_path.iterdir())


def test_a_dial_out_of_range_is_said():
    with pytest.raises(QueryError) as raised:
        Dials(haze=3)
    assert str(raised.value) == "haze goes from 0 to 1, got 3."


def test_a_folder_that_is_no_set_is_not_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(DataError, match="is no set of made pictures"):
        write_set(tmp_path / "mine", 1, size=64, overwrite=True)
    assert Path(tmp_path / "mine" / "thesis.tex").exists()

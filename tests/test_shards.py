"""Much text is read in shards and becomes parts: the archive that reading it whole gives, whatever is interrupted."""

import json
import signal
import subprocess
import sys
from random import Random

import pytest

from rune_smt import indexing
from rune_smt.building_parts import working_folder
from rune_smt.entities.archive import open_archive
from rune_smt.errors import DataError
from rune_smt.indexing import index_with_report

SMALL = {"SHARD_BYTES": 1500, "PART_ENTITIES": 60}
LABELS = ("ship", "harbor", "small-vehicle", "plane", "Kite")


def quad(random):
    x, y, w, h = random.uniform(0, 900), random.uniform(0, 900), random.uniform(2, 60), random.uniform(2, 30)
    corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    if random.random() < 0.05:
        corners[2], corners[3] = corners[3], corners[2]  # crosses itself
    return " ".join(f"{value:.1f}" for corner in corners for value in corner)


def label_files(folder, images=24):
    random = Random(3)
    folder.mkdir(parents=True)
    for number in range(images):
        lines = ["imagesource:GoogleEarth"]
        if random.random() < 0.8:
            lines.append(f"gsd:{random.choice(('0.3', 'null', '0.5'))}")
        for _ in range(random.choice((0, 1, 5, 20))):
            tail = random.choice((" 0", " 1", ""))
            lines.append(f"{quad(random)} {random.choice(LABELS)}{tail}")
        if number == 7:
            lines.append("1 2 3 ship")
        (folder / f"P{number:04d}.txt").write_text("\n".join(lines) + "\n")
    return folder


def task1_files(folder):
    random = Random(4)
    folder.mkdir(parents=True)
    for label in LABELS[:4]:
        lines = [f"P{random.randrange(30):04d} {random.uniform(0, 1):.2f} {quad(random)}" for _ in range(30)]
        (folder / f"Task1_{label}.txt").write_text("\n".join(lines) + "\n")
    return folder


def xbd_files(folder):
    random = Random(5)
    folder.mkdir(parents=True)
    for number in range(12):
        buildings = []
        for index in range(random.choice((0, 8, 20))):
            x, y = random.randint(0, 900), random.randint(0, 900)
            properties = {"feature_type": "building", "uid": f"b{index}" if index % 3 else None}
            if number % 2:
                properties["subtype"] = random.choice(("no-damage", "major-damage", "un-classified"))
            wkt = f"POLYGON (({x} {y}, {x + 9} {y}, {x + 9} {y + 5}, {x} {y}))"
            buildings.append({"wkt": wkt, "properties": properties})
        metadata = {"width": 1024, "height": 1024, "gsd": 1.5 + number, "disaster": "hurricane"}
        document = {"features": {"xy": buildings}, "metadata": metadata}
        epoch = "post" if number % 2 else "pre"
        (folder / f"coast_{number:04d}_{epoch}_disaster.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def small(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(indexing, name, value)


def everything(archive):
    return (
        archive.entities.to_pylist(), archive.images.to_pylist(), archive.reference_areas, archive.kinds,
        archive.vocabulary_toml, archive.facts, [scene.to_json() for scene in archive],
    )  # fmt: skip


def told(indexed):
    document = indexed.report.to_json()
    document.pop("archive", None)
    return document


@pytest.mark.parametrize(("make", "format"), [(label_files, "dota"), (task1_files, "dota-task1"), (xbd_files, "xbd")])
def test_shards_give_what_reading_whole_gives(tmp_path, monkeypatch, make, format):
    source = make(tmp_path / "labelTxt")
    options = {"format": format, "skip_bad": True, "progress": False}
    whole = index_with_report(source, tmp_path / "whole.rune", **options)
    for name, value in SMALL.items():
        monkeypatch.setattr(indexing, name, value)
    parts = index_with_report(source, tmp_path / "parts.rune", **options)
    assert len(whole.archive.parts) == 1 < len(parts.archive.parts)
    assert everything(parts.archive) == everything(whole.archive)
    assert told(parts) == told(whole)
    assert {path.name for path in tmp_path.iterdir()} == {"labelTxt", "whole.rune", "parts.rune"}
    parts.archive.verify()


def test_processes_give_what_one_gives(tmp_path, small):
    source = label_files(tmp_path / "labelTxt")
    one = index_with_report(source, tmp_path / "one.rune", skip_bad=True, progress=False)
    two = index_with_report(source, tmp_path / "two.rune", skip_bad=True, progress=False, workers=2)
    assert everything(two.archive) == everything(one.archive) and told(two) == told(one)
    files = sorted(path.relative_to(tmp_path / "one.rune") for path in (tmp_path / "one.rune").rglob("*.*"))
    for file in files:
        assert (tmp_path / "one.rune" / file).read_bytes() == (tmp_path / "two.rune" / file).read_bytes()
    with pytest.raises(DataError) as caught:
        index_with_report(source, tmp_path / "bad.rune", progress=False, workers=2)
    assert "P0007.txt" in caught.value.message and "expected 8 numbers" in caught.value.message
    assert not (tmp_path / "bad.rune").exists()


def test_an_append_of_many_shards_keeps_reference_areas(tmp_path, small):
    first = label_files(tmp_path / "a" / "labelTxt")
    one = index_with_report(first, tmp_path / "a.rune", skip_bad=True, progress=False).archive
    more = tmp_path / "b" / "labelTxt"
    label_files(more)
    for file in more.iterdir():
        file.rename(more / f"Q{file.name[1:]}")
    grown = index_with_report(more, tmp_path / "a.rune", append=True, skip_bad=True, progress=False).archive
    assert grown.reference_areas == one.reference_areas and len(grown) == 2 * len(one)
    assert len(grown.parts) == 2 * len(one.parts) and grown.entity_count == 2 * one.entity_count
    assert grown["P0003"].to_json() == one["P0003"].to_json()
    with pytest.raises(DataError) as caught:
        index_with_report(more, tmp_path / "a.rune", append=True, skip_bad=True, progress=False)
    assert caught.value.message == f"Image 'Q0000' and 23 more are in {tmp_path / 'a.rune'} already."


KILLED = """
import os, pathlib, signal, sys
from rune_smt import indexing
from rune_smt.building_parts import working_folder

left = int(sys.argv[3])

def killing(real):
    def step(self, target):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, target)
    return step

for name in ("rename", "replace"):
    setattr(pathlib.Path, name, killing(getattr(pathlib.Path, name)))
indexing.SHARD_BYTES, indexing.PART_ENTITIES = 1500, 60
indexing.index(sys.argv[1], sys.argv[2], skip_bad=True, overwrite=True, progress=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed by signal")
@pytest.mark.parametrize("step", [3, 19, 25])
def test_an_interrupted_index_goes_on_where_it_was(tmp_path, small, step):
    """Killed between shards, between parts, and while the finished parts are put in the place of an older archive."""
    source = label_files(tmp_path / "labelTxt")
    expected = index_with_report(source, tmp_path / "expected.rune", skip_bad=True, progress=False)
    old = tmp_path / "made.rune"
    index_with_report(source / "P0001.txt", old, progress=False)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(source), str(old), str(step)], check=False)
    assert ended.returncode == -signal.SIGKILL
    open_archive(old).verify()
    assert open_archive(old).images["image_id"].to_pylist() == ["P0001"]
    assert (tmp_path / ".made.rune.indexing").is_dir()
    again = index_with_report(source, old, skip_bad=True, overwrite=True, progress=False)
    assert everything(again.archive) == everything(expected.archive)
    assert any("before an interruption" in note.text for note in again.report.notes)
    assert {path.name for path in tmp_path.iterdir()} == {"labelTxt", "expected.rune", "made.rune"}


@pytest.mark.skipif(sys.platform == "win32", reason="files are not locked there")
def test_an_archive_is_made_by_one_process_at_a_time(tmp_path):
    out = tmp_path / "a.rune"
    with working_folder(out), pytest.raises(DataError) as caught, working_folder(out):
        pass
    assert str(caught.value) == f"{out} is being made by another process.\nWait for it, or end it."
    assert not list(tmp_path.iterdir())


def test_what_has_changed_is_read_again(tmp_path, small):
    source = label_files(tmp_path / "labelTxt")
    with pytest.raises(DataError) as caught:
        index_with_report(source, tmp_path / "a.rune", progress=False)
    assert "P0007.txt" in caught.value.message
    bad = source / "P0007.txt"
    bad.write_text(bad.read_text().replace("1 2 3 ship\n", ""))
    mended = index_with_report(source, tmp_path / "a.rune", progress=False)
    assert mended.report.images == 24
    indexing.SHARD_BYTES = 1 << 20
    whole = index_with_report(source, tmp_path / "whole.rune", progress=False)
    assert everything(mended.archive) == everything(whole.archive)

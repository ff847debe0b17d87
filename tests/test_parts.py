"""Archives of many parts answer as one; appending leaves readers alone, and a crash leaves what was there before."""

import json
import signal
import subprocess
import sys
import threading
from random import Random

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.cluster import connected
from rune_smt.entities.archive import open_archive
from rune_smt.entities.compacting import compact
from rune_smt.errors import DataError, MissingExtra, QueryError
from rune_smt.explaining import explain, why_none
from rune_smt.indexing import index
from rune_smt.searching import search, select
from rune_smt.side_by_side import in_this_process
from rune_smt.testing.batches import scene

from .laws import CLASSES, VOCABULARY, queries

ATTRIBUTES = {"flooded": "boolean", "height": "number", "damage": ("none", "minor", "major")}
AREAS = dict.fromkeys(CLASSES, 20.0)
SCENES = 48


def documents():
    """Scenes of which those with an odd number lack a class and an attribute."""
    random = Random(7)
    found = []
    for number in range(SCENES):
        odd = number % 2
        kinds = {name: kind for name, kind in ATTRIBUTES.items() if not (odd and name == "damage")}
        found.append(scene(random, number, CLASSES[odd:], kinds, AREAS, plain=False))
    return found


def write(path, scenes):
    path.write_text("".join(json.dumps(document) + "\n" for document in scenes))
    return path


def made(folder, name, *shares):
    """An archive of the shares, each appended to those before."""
    for number, share in enumerate(shares):
        source = write(folder / f"{name}{number}.scenes.jsonl", share)
        index(source, folder / f"{name}.rune", vocabulary=VOCABULARY, append=number > 0, progress=False)
    return open_archive(folder / f"{name}.rune")


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The same scenes as one part; as halves one after the other; as three parts that lie in each other."""
    folder = tmp_path_factory.mktemp("parts")
    every = documents()
    whole = made(folder, "whole", every)
    halves = made(folder, "halves", every[: SCENES // 2], every[SCENES // 2 :])
    mixed = made(folder, "mixed", every[1::2], every[0::4], every[2::4])
    assert [len(archive.parts) for archive in (whole, halves, mixed)] == [1, 2, 3]
    return whole, halves, mixed


def answers(archive, formula, mode, workers=1, runner=None):
    result = search(archive, formula, mode=mode, workers=workers, runner=runner)
    return (
        result.verdicts.tolist(), result.degrees.tolist(), result.uppers.tolist(), result.ids, result.undecided,
        [(match.image_id, match.witness, match.said) for match in result[:5]], result.intervals,
    )  # fmt: skip


@settings(max_examples=40)
@given(
    formula=queries(),
    mode=st.sampled_from(("threshold", "threshold", "graded", "probability")),
    workers=st.integers(1, 4),
)
def test_many_parts_answer_as_one_with_any_number_of_workers(archives, formula, mode, workers):
    whole, *others = archives
    expected = answers(whole, formula, mode)
    if workers > 1:
        assert answers(whole, formula, mode, workers) == expected
    for archive in others:
        assert answers(archive, formula, mode, workers) == expected
    assert answers(others[-1], formula, mode, runner=in_this_process) == expected


@settings(max_examples=20)
@given(formula=queries())
def test_many_parts_select_as_one(archives, formula):
    def selected(archive):
        try:
            return select(archive, formula).to_json()
        except QueryError as error:
            return error.message

    whole, *others = archives
    expected = selected(whole)
    for archive in others:
        assert selected(archive) == expected


def test_corners_over_many_parts_are_those_of_one(archives):
    whole, *others = archives
    rows = np.arange(len(whole.table))[::-1]
    for archive in others:
        np.testing.assert_array_equal(archive.table.corners(rows), whole.table.corners(rows))
        np.testing.assert_array_equal(archive.table.four_cornered(rows), whole.table.four_cornered(rows))
    assert whole.table.four_cornered(rows).any()


@pytest.mark.parametrize("engine", ["z3", "reference"])
def test_engines_of_one_image_go_through_parts(archives, engine):
    formula = "exists x (ship(x) & flooded(x) & ~(exists y (harbor(y) & near(x, y))))"
    whole, *others = archives
    expected = search(whole, formula).verdicts.tolist()
    for archive in others:
        assert search(archive, formula, engine=engine, verify=engine == "z3").verdicts.tolist() == expected


def test_many_parts_hold_what_one_holds(archives):
    whole, *others = archives
    name = whole.images["image_id"][5].as_py()
    query = "exists x (ship(x) & height(x) > 1 & damage(x) = \"major\")"
    for archive in others:
        assert archive.images.to_pylist() == whole.images.to_pylist()
        assert archive.entities.select(whole.entities.column_names).to_pylist() == [
            {**row, "source": mine["source"]}
            for row, mine in zip(whole.entities.to_pylist(), archive.entities.to_pylist(), strict=True)
        ]
        mine, theirs = (json.loads(some.entities.schema.metadata[b"geo"]) for some in (archive, whole))
        assert mine == theirs
        assert [scene.to_json() for scene in archive] == [scene.to_json() for scene in whole]
        assert (archive.classes, archive.kinds) == (whole.classes, whole.kinds)
        assert archive.class_counts() == whole.class_counts()
        assert archive.known(["s0007", "zz", "", "s0000"]) == ["s0000", "s0007"]
        assert archive.reference_areas == whole.reference_areas
        for column in ("image", "entity_id", "label", "score", "cx", "area", "offsets"):
            assert getattr(archive.table, column).tolist() == getattr(whole.table, column).tolist()
        for attribute in whole.kinds:
            mine, theirs = archive.table.attributes[attribute], whole.table.attributes[attribute]
            assert repr(mine.values.tolist()) == repr(theirs.values.tolist()) and mine.texts == theirs.texts
        assert explain(archive, query, name).render("text") == explain(whole, query, name).render("text")
        assert why_none(archive, query).render() == why_none(whole, query).render()
        assert search(archive, query).to_geojson() == search(whole, query).to_geojson()
        archive.verify()


# --- files ------------------------------------------------------------------------------------------------------------


def ship(name, side=10):
    box = [[0, 0], [side, 0], [side, 4], [0, 4]]
    return {"image_id": name, "entities": [{"label": "ship", "score": 1.0, "polygon": box}]}


def test_the_folder_of_many_parts(tmp_path):
    archive = made(tmp_path, "a", [ship("P1")], [ship("P0")])
    files = {"entities.parquet", "images.parquet", "columns.arrow", "offsets.arrow", "images.arrow", "archive.json"}
    assert {file.name for file in (tmp_path / "a.rune").iterdir()} == {".lock", "archive.json", "parts"}
    for number, name in ((1, "P1"), (2, "P0")):
        part = tmp_path / "a.rune" / "parts" / f"0000{number}"
        assert {file.name for file in part.iterdir()} == files
        assert pq.read_table(part / "entities.parquet").column("image_id").to_pylist() == [name]
        assert list(open_archive(part).images["image_id"].to_pylist()) == [name]  # an archive by itself
    assert archive.images["image_id"].to_pylist() == ["P0", "P1"]
    assert repr(archive) == f"Archive({str(tmp_path / 'a.rune')!r}, 2 images, 2 entities: 2 ship)"


def test_what_is_open_stays_as_it_is(tmp_path):
    one = made(tmp_path, "a", [ship("P0")])
    index(write(tmp_path / "second.scenes.jsonl", [ship("P1")]), one.path, append=True, progress=False)
    two = open_archive(one.path)
    more = index(write(tmp_path / "third.scenes.jsonl", [ship("P2")]), one.path, append=True, progress=False)
    assert [len(one), len(two), len(more)] == [1, 2, 3]
    assert one.entities["image_id"].to_pylist() == ["P0"]  # read only now, from a file that has moved
    assert two.entities["image_id"].to_pylist() == ["P0", "P1"]
    assert [scene.to_json()["image_id"] for scene in two] == ["P0", "P1"]
    assert more.entities["image_id"].to_pylist() == ["P0", "P1", "P2"]


def test_tasks_of_parts_are_of_the_archive_as_it_was_opened(tmp_path):
    query = "exists x (ship(x))"
    one = made(tmp_path, "a", [ship("P0")])
    index(write(tmp_path / "b.scenes.jsonl", [ship("P1")]), one.path, append=True, progress=False)
    two = open_archive(one.path)
    index(write(tmp_path / "c.scenes.jsonl", [ship("P2")]), one.path, append=True, progress=False)
    assert search(one, query, runner=in_this_process).ids == ("P0",)
    assert search(two, query, runner=in_this_process).ids == ("P0", "P1")
    with pytest.raises(QueryError) as caught:
        search(index(tmp_path / "c.scenes.jsonl", progress=False), query, runner=in_this_process)
    assert caught.value.message == "An archive in memory cannot be searched by other processes."


def test_a_cluster_needs_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra) as caught, connected():
        pass
    assert str(caught.value) == "ray is not installed.\npip install 'rune-smt[cluster]'"


def test_two_writers_do_not_lose_each_other(tmp_path):
    archive = made(tmp_path, "a", [ship("P0")])
    late = open_archive(archive.path)
    index(write(tmp_path / "b.scenes.jsonl", [ship("P1")]), archive.path, append=True, progress=False)
    other = made(tmp_path, "other", [ship("P2")])
    with pytest.raises(DataError) as caught:
        late.append(other.entities, other.images)
    assert str(caught.value) == (
        f"{archive.path} was changed by another process meanwhile; nothing was added.\nRun it again."
    )
    assert open_archive(archive.path).images["image_id"].to_pylist() == ["P0", "P1"]


def test_a_part_is_refused_whole(tmp_path):
    archive = made(tmp_path, "a", [ship("P0")])
    bad = ship("P1")
    bad["entities"][0]["attributes"] = {"height": "tall"}
    good = ship("P2")
    good["entities"][0]["attributes"] = {"height": 3}
    archive = archive.append(*tables(tmp_path, good))
    with pytest.raises(DataError) as caught:
        archive.append(*tables(tmp_path, bad))
    assert caught.value.message.startswith("The entities do not fit those of the archive: ")
    with pytest.raises(DataError) as caught:
        index(write(tmp_path / "b.scenes.jsonl", [ship("P2")]), archive.path, append=True, progress=False)
    assert caught.value.message == f"Image 'P2' is in {archive.path} already."
    assert [len(open_archive(archive.path).parts), len(list((archive.path / "parts").iterdir()))] == [2, 2]


def tables(folder, *scenes):
    found = index(write(folder / "tables.scenes.jsonl", scenes), progress=False)
    return found.entities, found.images


def test_entities_of_old_images_go_to_their_images(tmp_path):
    archive = made(tmp_path, "a", [ship("P0")], [ship("P1")])
    entities, images = tables(tmp_path, ship("P1"))
    more = entities.set_column(1, "entity_id", [[1]])
    grown = archive.append(more, images.slice(0, 0))
    assert [len(scene) for scene in grown] == [1, 2] and len(grown.parts) == 1
    assert [len(scene) for scene in archive] == [1, 1]


def test_reference_areas_are_kept_or_fitted_over_all_parts(tmp_path):
    archive = made(tmp_path, "a", [ship("P0")], [ship("P1", 20), ship("P2", 30)])
    assert archive.reference_areas == {"ship": 40.0}
    assert archive.refit_sizes().reference_areas == {"ship": 80.0}
    assert open_archive(archive.path).table.reference_area.tolist() == [80.0]
    source = write(tmp_path / "more.scenes.jsonl", [ship("P3", 50)])
    grown = index(source, archive.path, append=True, refit_sizes=True, progress=False)
    assert grown.reference_areas == {"ship": 100.0} == grown["P0"].reference_areas
    with pytest.raises(QueryError) as caught:
        index(source, tmp_path / "b.rune", refit_sizes=True, progress=False)
    assert caught.value.message == "--refit-sizes goes with --append: a new archive has its own sizes."


@pytest.mark.parametrize(("size", "parts"), [(1, 5), (35, 3), (10_000, 1)])
def test_small_parts_are_put_together(tmp_path, size, parts):
    every = documents()[:30]
    whole = made(tmp_path, "whole", every)
    small = made(tmp_path, "small", *(every[start:start + 6] for start in range(0, 30, 6)))
    shown = [scene.to_json() for scene in whole]
    found = compact(small, size)
    assert [len(small.parts), len(found.parts)] == [5, parts]
    for archive in (found, open_archive(small.path), small):  # what was open before is still there
        assert [scene.to_json() for scene in archive] == shown
        assert archive.facts == small.facts and archive.entities["image_id"] == whole.entities["image_id"]
    found.verify()
    listed = sorted(path.name for path in (small.path / "parts").iterdir()) if parts > 1 else []
    assert len(listed) == (parts if parts > 1 else 0)
    grown = found.append(*tables(tmp_path, ship("P0")))
    assert len(grown.parts) == parts + 1 and "P0" in grown
    with pytest.raises(DataError) as caught:
        compact(small, 20_000)
    assert "was changed by another process meanwhile" in caught.value.message


def test_damage_in_a_part_is_named(tmp_path):
    archive = made(tmp_path, "a", [ship("P0")], [ship("P1")])
    file = archive.path / "parts" / "00002" / "columns.arrow"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(DataError) as caught:
        open_archive(archive.path)
    assert caught.value.message == f"{file} is damaged: it has {len(whole) - 1} bytes, {len(whole)} were written."
    file.write_bytes(whole[:-9] + b"x" + whole[-8:])
    with pytest.raises(DataError) as caught:
        archive.verify()
    assert caught.value.message == f"{file} is damaged: its contents are not those that were written."
    header = archive.path / "parts" / "00001" / "archive.json"
    header.write_text(header.read_text().replace("40.0", "41.0"))
    with pytest.raises(DataError) as caught:
        archive.verify()
    assert caught.value.message.startswith(f"{header} is damaged")


def test_readers_see_all_of_an_append_or_nothing(tmp_path):
    """Pairs of images are appended while two threads keep opening the archive and searching it."""
    path = made(tmp_path, "a", [ship("P00"), ship("P01")]).path
    sources = [
        write(tmp_path / f"{i}.scenes.jsonl", [ship(f"P{2 * i:02}"), ship(f"P{2 * i + 1:02}")]) for i in range(1, 6)
    ]
    done, wrong = threading.Event(), []

    def keep_reading():
        while not done.is_set():
            try:
                found = search(open_archive(path), "exists x (ship(x))").counts["satisfied"]
            except Exception as error:  # a thread has to hand it over
                found = error
            if found not in range(2, 13, 2):
                wrong.append(found)

    readers = [threading.Thread(target=keep_reading) for _ in range(2)]
    for reader in readers:
        reader.start()
    for source in sources:
        index(source, path, append=True, progress=False)
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert len(open_archive(path)) == 12


KILLED = """
import os, signal, sys
from rune_smt.entities import archive_folder, part_files
from rune_smt.indexing import index

left = int(sys.argv[3])

def sync_or_die(path, real=archive_folder.sync):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(path)

archive_folder.sync = part_files.sync = sync_or_die
index(sys.argv[1], sys.argv[2], append=True, progress=False)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed by signal")
@pytest.mark.parametrize("sync", [3, 9, 11, 12])
def test_a_killed_append_leaves_the_archive_and_can_be_done_again(tmp_path, sync):
    """Killed while the files of the part are written, while the first part moves, before and after the commit."""
    path = made(tmp_path, "a", [ship("P0")]).path
    source = write(tmp_path / "more.scenes.jsonl", [ship("P1")])
    ended = subprocess.run([sys.executable, "-c", KILLED, str(source), str(path), str(sync)], check=False)
    assert ended.returncode == -signal.SIGKILL
    after = open_archive(path)
    after.verify()
    committed = len(after) == 2
    assert committed == (sync == 12)
    if not committed:
        assert after.entities["image_id"].to_pylist() == ["P0"]
        index(source, path, append=True, progress=False)
        assert sorted(file.name for file in (path / "parts").iterdir()) == ["00001", "00002"]
    again = open_archive(path)
    again.verify()
    assert again.images["image_id"].to_pylist() == ["P0", "P1"]

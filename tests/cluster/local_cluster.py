"""A Ray cluster of this machine: the answers of one process, whichever worker is lost; nothing listens on the network.

Run by `make test-cluster`, in an environment with ray.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from rune_smt import indexing
from rune_smt.cluster import connected
from rune_smt.deciding import decide_task
from rune_smt.entities.archive import open_archive
from rune_smt.errors import DataError, QueryError
from rune_smt.indexing import index_with_report
from rune_smt.searching import search

from ..test_parts import documents, made, ship, write
from ..test_shards import SMALL, everything, label_files, told

if find_spec("ray") is None:  # not imported here: that `connected` does, for what it sets before
    pytest.skip("ray is not installed", allow_module_level=True)

QUERIES = (
    "exists x (ship(x) & flooded(x))",
    "forall x (vehicle(x) -> exists y (harbor(y) & near(x, y)))",
    "exists>=2 x (ship(x) & height(x) > 0.5 & damage(x) = \"minor\")",
    "exists x (large(x) & ~(exists y (y != x & overlaps(x, y))))",
)  # fmt: skip
PATIENCE_S = 60


@pytest.fixture(scope="module")
def cluster():
    with connected("local", workers=2, progress=False) as joined:
        yield joined
    deadline = time.monotonic() + PATIENCE_S
    while _children() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _children(), "the cluster stops with its last user"


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder, every = tmp_path_factory.mktemp("cluster"), documents()
    return made(folder, "whole", every), made(folder, "parts", every[1::2], every[0::4], every[2::4])


def _children():
    """Processes that descend from this one, by their names."""
    parents, names = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
                if rest.split()[0] != "Z":
                    parents[int(entry.name)], names[int(entry.name)] = int(rest.split()[1]), name
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: names[pid] for pid in found - {os.getpid()}}


def test_it_listens_on_this_machine_alone(cluster):
    mine = set()
    for pid in (os.getpid(), *_children()):
        with contextlib.suppress(OSError):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    mine.add(str(handle.readlink()))
    places = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine:  # listening
                places.append(fields[1].partition(":")[0])
    home = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    assert places and set(places) <= home
    assert not any("dashboard" in name for name in _children().values())


@pytest.mark.parametrize("mode", ["threshold", "graded", "probability"])
@pytest.mark.parametrize("formula", QUERIES)
def test_the_cluster_answers_as_one_process(cluster, archives, formula, mode):
    whole, parts = archives
    expected, found = search(whole, formula, mode=mode), cluster.search(parts, formula, mode=mode)
    assert found.verdicts.tolist() == expected.verdicts.tolist()
    assert found.degrees.tolist() == expected.degrees.tolist()
    assert (found.ids, found.undecided, found.intervals) == (expected.ids, expected.undecided, expected.intervals)
    assert [match.witness for match in found] == [match.witness for match in expected]
    if mode == "threshold":
        assert found.statistics.images == len(whole)


def test_answers_come_part_by_part(cluster, archives):
    whole, parts = archives
    expected = search(whole, QUERIES[0])
    found = list(cluster.stream(parts.path, QUERIES[0]))
    assert sorted(one.part for one in found) == [0, 1, 2] and [one.done for one in found] == [1, 2, 3]
    assert sorted(name for one in found for name in one.ids) == sorted(expected.ids)
    assert sorted(name for one in found for name in one.undecided) == sorted(expected.undecided)
    (alone,) = cluster.stream(whole.path, QUERIES[0])
    assert (alone.ids, alone.images) == (expected.ids, len(whole))


def test_a_lost_worker_changes_nothing(cluster, archives, tmp_path):
    whole, parts = archives
    expected = search(whole, QUERIES[1]).verdicts.tolist()
    killed = []

    def kill_the_first():
        deadline = time.monotonic() + PATIENCE_S
        while not killed and time.monotonic() < deadline:
            for file in tmp_path.glob("*.pid"):
                os.kill(int(file.stem), signal.SIGKILL)
                killed.append(int(file.stem))
                return
            time.sleep(0.02)

    def run(function, tasks):
        assert function is decide_task
        folder = str(tmp_path)

        def told_first(task):
            file = Path(folder) / f"{os.getpid()}.pid"
            if not list(Path(folder).glob("*.pid")):
                file.touch()
                time.sleep(PATIENCE_S)  # until it is killed
            return decide_task(task)

        return cluster.run(told_first, tasks)

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    assert search(parts, QUERIES[1], runner=run).verdicts.tolist() == expected
    killer.join()
    assert len(killed) == 1


def test_the_cluster_indexes_as_one_process(cluster, tmp_path, monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(indexing, name, value)
    source = label_files(tmp_path / "labelTxt")
    one = index_with_report(source, tmp_path / "one.rune", skip_bad=True, progress=False)
    found = cluster.index(source, tmp_path / "found.rune", skip_bad=True)
    assert len(found.archive.parts) == len(one.archive.parts) > 2
    assert everything(found.archive) == everything(one.archive) and told(found) == told(one)
    for file in (tmp_path / "one.rune").rglob("*.*"):
        assert (tmp_path / "found.rune" / file.relative_to(tmp_path / "one.rune")).read_bytes() == file.read_bytes()
    with pytest.raises(DataError) as caught:
        cluster.index(source, tmp_path / "bad.rune")
    assert "P0007.txt" in caught.value.message and "expected 8 numbers" in caught.value.message


def test_a_worker_that_is_lost_while_it_indexes_changes_nothing(cluster, tmp_path, monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(indexing, name, value)
    source = label_files(tmp_path / "labelTxt")
    one = index_with_report(source, tmp_path / "one.rune", skip_bad=True, progress=False)

    def run(function, tasks):
        marker = tmp_path / f"{function.__name__}.lost"

        def lost_once(task):
            result = function(task)  # done, but nobody hears of it: it is done twice
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return cluster.run(lost_once, tasks)

    found = index_with_report(source, tmp_path / "found.rune", skip_bad=True, progress=False, runner=run)
    assert everything(found.archive) == everything(one.archive)
    assert {file.stem for file in tmp_path.glob("*.lost")} == {"read_shard", "build_piece"}


def test_what_is_appended_meanwhile_does_not_matter(cluster, tmp_path):
    archive = made(tmp_path, "a", [ship("P0")])
    index_with_report(write(tmp_path / "b.scenes.jsonl", [ship("P1")]), archive.path, append=True, progress=False)
    assert cluster.search(archive, "exists x (ship(x))").ids == ("P0",)
    assert cluster.search(open_archive(archive.path), "exists x (ship(x))").ids == ("P0", "P1")
    gone = made(tmp_path, "gone", [ship("P2")])
    index_with_report(write(tmp_path / "c.scenes.jsonl", [ship("P3")]), gone.path, overwrite=True, progress=False)
    with pytest.raises(DataError) as caught:
        cluster.search(gone, "exists x (ship(x))")
    assert caught.value.message == f"{gone.path} was replaced by another archive meanwhile."


def test_short_tasks_are_handed_out_in_groups(cluster):
    assert list(cluster.run_in_groups(lambda number: number + 1, range(101))) == list(range(1, 102))
    assert list(cluster.run_in_groups(lambda number: number + 1, [])) == []


def test_it_is_joined_once(cluster):
    with pytest.raises(QueryError) as caught, connected("local"):
        pass
    assert caught.value.message == "This process is connected to Ray already."


def test_from_the_command_line_of_no_cluster(archives):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    command = [sys.executable, "-m", "rune_smt", "search", str(archives[1].path), QUERIES[0], "--fol"]
    run = subprocess.run([*command, "--ray", f"127.0.0.1:{free}"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert f"The Ray cluster at '127.0.0.1:{free}' cannot be joined: [Errno 111] Connection refused" in run.stderr


def test_from_the_command_line(archives, tmp_path):
    whole, parts = archives
    command = [sys.executable, "-m", "rune_smt", "search", str(parts.path), QUERIES[0], "--fol", "--json"]
    run = subprocess.run([*command, "--ray", "local", "--workers", "2"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert [match["image_id"] for match in found["matches"]] == list(search(whole, QUERIES[0]).ids)

"""Twelve queries over synthetic archives: this project beside hand-written numpy and shapely, and DuckDB.

    python benchmarks/search.py                              1,000 and 10,000 images
    python benchmarks/search.py --images 100000 --runs 2

Archives are made once and kept in the folder --cache. Every contestant runs in a process of its own, one after the
other, and hands back its verdicts, which must agree. "floor" is reading the numeric columns that the query needs
(outlines' corners too, where it needs outlines) from Parquet and one pass over them. "cold" is a fresh process, from
start to end. DuckDB needs `pip install duckdb`; it is left out where it is missing. Times are wall time, best of --runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from queries import QUERIES

TIMEOUT_S = 60.0  # for one query of one contestant
MEASURES = ("cx", "cy", "area", "diag", "min_x", "min_y", "max_x", "max_y")
CORNERS = tuple(f"corner_{i}" for i in range(8))
BASE = ("image", "label", "score")
BOXES = (*BASE, "diag", "min_x", "min_y", "max_x", "max_y", *CORNERS)
NEEDED = {
    **dict.fromkeys(QUERIES, BOXES),
    "counts": BASE,
    "more than twice as many": BASE,
    "left of": (*BASE, "cx", "area"),
    "between": (*BASE, "cx", "cy"),
}


def main() -> None:
    """Makes what is missing, runs every contestant, prints a table a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--query", default="", help="only those whose name contains it")
    parser.add_argument("--contestants", nargs="+", default=["floor", "ours", "cold", "numpy", "duckdb"])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "rune_smt_benchmark")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        for line in CHILDREN[options.child](options.cache / str(options.images[0]), options.runs, options.query):
            print(json.dumps(line), flush=True)
        return
    print(versions())
    for images in options.images:
        prepare(options.cache / str(images), images)
        measure(options, images)


def versions() -> str:
    """The machine and what runs on it."""
    import pyarrow
    import shapely

    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    text = f"{platform.platform()}, {os.cpu_count()} cores{load}, Python {platform.python_version()}, "
    text += f"numpy {np.__version__}, shapely {shapely.__version__}, pyarrow {pyarrow.__version__}"
    if find_spec("duckdb"):
        import duckdb

        text += f", duckdb {duckdb.__version__}"
    return text


def prepare(folder: Path, images: int) -> None:
    """The archive, and a Parquet file of the numeric columns."""
    if (folder / "numbers.parquet").exists():
        return
    import pyarrow as pa
    import pyarrow.parquet as pq
    import shapely
    from synthetic_archive import make_archive

    from rune_smt.entities.archive import is_archive, open_archive

    folder.mkdir(parents=True, exist_ok=True)
    if not is_archive(folder / "archive.rune"):
        started = time.perf_counter()
        make_archive(folder / "archive.rune", images)
        print(f"made {images} images in {time.perf_counter() - started:.0f} s")
    table = open_archive(folder / "archive.rune").table
    columns: dict[str, Any] = {name: pa.array(getattr(table, name)) for name in (*BASE, *MEASURES)}
    corners = np.empty((len(table), 8))
    for start in range(0, len(table), 1 << 18):
        outlines = table.outlines(np.arange(start, min(start + (1 << 18), len(table))))
        ring = shapely.get_coordinates(outlines)
        first = np.cumsum(shapely.get_num_coordinates(outlines)) - shapely.get_num_coordinates(outlines)
        for corner in range(4):
            corners[start : start + len(outlines), 2 * corner : 2 * corner + 2] = ring[first + min(corner, 3)]
    columns.update({name: pa.array(corners[:, i]) for i, name in enumerate(CORNERS)})
    pq.write_table(pa.table(columns), folder / "numbers.parquet")


# --- the contestants, each in its process -----------------------------------------------------------------------------


def chosen(query: str) -> list[str]:
    return [name for name in QUERIES if query in name]


def best_of(runs: int, call: Callable[[], Any]) -> tuple[float, Any]:
    """The least wall time in seconds, and the last result."""
    best, result = float("inf"), None
    for _ in range(runs):
        started = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - started)
        if best > TIMEOUT_S / 4:
            break
    return best, result


def line(folder: Path, contestant: str, name: str, seconds: float, satisfied: Any) -> dict[str, Any]:
    np.save(folder / f"{contestant}.{name}.npy", np.asarray(satisfied, bool))
    return {"query": name, "seconds": seconds, **memory()}


def memory() -> dict[str, int]:
    """Peak memory of this process and what of it is its own now, MB; the rest is mapped from files."""
    status = Path("/proc/self/status")
    if not status.exists():
        return {}
    found = dict(row.split(":") for row in status.read_text().splitlines() if row.startswith(("VmHWM", "RssAnon")))
    return {"peak_mb": int(found["VmHWM"].split()[0]) >> 10, "own_mb": int(found["RssAnon"].split()[0]) >> 10}


def run_floor(folder: Path, runs: int, query: str) -> Iterator[dict[str, Any]]:
    """Reading the needed columns from Parquet and one pass."""
    import pyarrow.parquet as pq

    def read(name: str) -> None:
        table = pq.read_table(folder / "numbers.parquet", columns=list(NEEDED[name]))
        for column in table.columns:
            for chunk in column.chunks:
                chunk.to_numpy().sum()

    for name in chosen(query):
        seconds, _ = best_of(runs, lambda name=name: read(name))  # type: ignore[misc]
        yield {"query": name, "seconds": seconds, **memory()}


def run_ours(folder: Path, runs: int, query: str) -> Iterator[dict[str, Any]]:
    """`search` in a process that has the archive open and has answered another query."""
    from rune_smt.entities.archive import open_archive
    from rune_smt.searching import search

    archive = open_archive(folder / "archive.rune")
    search(archive, "exists x (ship(x) & exists y (plane(y) & near(x, y)))")
    for name in chosen(query):
        seconds, result = best_of(runs, lambda name=name: search(archive, QUERIES[name]))  # type: ignore[misc]
        yield {**line(folder, "ours", name, seconds, result.verdicts == 2), "by_counts": result.statistics.by_counts}


def run_cold(folder: Path, runs: int, query: str) -> Iterator[dict[str, Any]]:
    """One query in this fresh process; the parent takes the time."""
    from rune_smt.entities.archive import open_archive
    from rune_smt.searching import search

    (name,) = (name for name in QUERIES if name == query)
    result = search(open_archive(folder / "archive.rune"), QUERIES[name])
    yield line(folder, "cold", name, 0.0, result.verdicts == 2)


def run_numpy(folder: Path, runs: int, query: str) -> Iterator[dict[str, Any]]:
    """The plans of `by_hand`."""
    from by_hand import PLANS, Table

    columns, outlines, classes, images = decoded(folder)
    image, label = columns.pop("image"), columns.pop("label")
    table = Table(images, image, label, classes, columns, outlines)
    for name in chosen(query):
        seconds, satisfied = best_of(runs, lambda name=name: PLANS[name](table))  # type: ignore[misc]
        yield line(folder, "numpy", name, seconds, satisfied)


def run_duckdb(folder: Path, runs: int, query: str) -> Iterator[dict[str, Any]]:
    """The statements of `in_sql`."""
    import duckdb
    import pyarrow as pa
    import shapely
    from in_sql import SQL

    columns, outlines, classes, images = decoded(folder)
    label = pa.array(list(classes)).take(pa.array(columns.pop("label")))
    arrays = {name: pa.array(values) for name, values in columns.items()}
    source = pa.table({"id": pa.array(np.arange(len(outlines))), "label": label, **arrays})
    database = duckdb.connect()
    database.register("source", source)
    database.execute("create type class as enum (select distinct label from source)")
    database.execute("create table e as select * replace (label::class as label) from source")
    database.unregister("source")
    del source, arrays, label

    def gap(x: Any, y: Any) -> Any:
        return pa.array(shapely.distance(outlines[x.to_numpy()], outlines[y.to_numpy()]))

    def common(x: Any, y: Any) -> Any:
        a, b = outlines[x.to_numpy()], outlines[y.to_numpy()]
        area = np.zeros(len(a))
        meet = np.flatnonzero(shapely.intersects(a, b))
        area[meet] = shapely.area(shapely.intersection(a[meet], b[meet]))
        return pa.array(area)

    for function in (gap, common):
        database.create_function(function.__name__, function, ["BIGINT", "BIGINT"], "DOUBLE", type="arrow")
    for name in chosen(query):
        clock = threading.Timer(TIMEOUT_S, database.interrupt)
        clock.start()
        try:
            seconds, found = best_of(runs, lambda name=name: database.execute(SQL[name]).fetchnumpy()["image"])  # type: ignore[misc]
        except duckdb.Error as error:
            yield {"query": name, "seconds": None, "error": str(error)[:200], **memory()}
            continue
        finally:
            clock.cancel()
        satisfied = np.zeros(images, bool)
        satisfied[np.asarray(found, np.int64)] = True
        yield line(folder, "duckdb", name, seconds, satisfied)


def decoded(folder: Path) -> tuple[dict[str, Any], Any, tuple[str, ...], int]:
    """Columns and outlines of the entities with a score of at least 0.5, the class names, the number of images."""
    from rune_smt.entities.archive import open_archive

    table = open_archive(folder / "archive.rune").table
    rows = np.flatnonzero(table.score >= 0.5)
    columns = {name: getattr(table, name)[rows] for name in ("image", "label", *MEASURES)}
    outlines = np.empty(len(rows), object)
    for start in range(0, len(rows), 1 << 18):
        outlines[start : start + (1 << 18)] = table.outlines(rows[start : start + (1 << 18)])
    return columns, outlines, tuple(table.classes), len(table.images)


CHILDREN: dict[str, Callable[[Path, int, str], Iterator[dict[str, Any]]]] = {
    "floor": run_floor,
    "ours": run_ours,
    "cold": run_cold,
    "numpy": run_numpy,
    "duckdb": run_duckdb,
}

# --- the parent -------------------------------------------------------------------------------------------------------


def measure(options: argparse.Namespace, images: int) -> None:
    """Runs the contestants at one size, and prints times, ratios to the floor, agreement and peak memory."""
    folder = options.cache / str(images)
    found: dict[str, dict[str, Any]] = {}
    for contestant in options.contestants:
        if contestant == "duckdb" and not find_spec("duckdb"):
            print("duckdb is not installed: left out")
            continue
        found[contestant] = {}
        for name in chosen(options.query) if contestant == "cold" else [options.query]:
            started = time.perf_counter()
            for answer in child(contestant, images, name, options):
                if contestant == "cold":
                    answer["seconds"] = time.perf_counter() - started
                found[contestant][answer["query"]] = answer
    others = [contestant for contestant in found if contestant not in ("floor", "ours")]
    print(f"\n{images:,} images; seconds, and in brackets times the floor\n")
    print("| query | " + " | ".join(found) + " | matches | by counts | agree |")
    print("| --- |" + " ---: |" * (len(found) + 2) + " --- |")
    for name in chosen(options.query):
        cells = [cell(found, contestant, name) for contestant in found]
        reference = folder / f"ours.{name}.npy"
        matches, by_counts = "", ""
        disagreeing = []
        if "ours" in found and reference.exists():
            satisfied = np.load(reference)
            matches, by_counts = f"{satisfied.sum():,}", f"{found['ours'][name]['by_counts'] / images:.1%}"
            for contestant in others:
                if found[contestant].get(name, {}).get("seconds") is not None:
                    other = np.load(folder / f"{contestant}.{name}.npy")
                    if (other != satisfied).any():
                        disagreeing.append(f"{contestant}: {(other != satisfied).sum()} images")
        print(f"| {name} | " + " | ".join(cells) + f" | {matches} | {by_counts} | {', '.join(disagreeing) or 'yes'} |")
    print()
    for contestant in found:
        answers = [answer for answer in found[contestant].values() if answer.get("seconds") is not None]
        peak = max((answer.get("peak_mb", 0) for answer in answers), default=0)
        own = max((answer.get("own_mb", 0) for answer in answers), default=0)
        ratios = ratios_to(found, contestant, "floor")
        told = f"{contestant}: peak memory {peak} MB (own {own} MB at the end of a query)"
        if ratios:
            told += f"; times the floor: median {statistics.median(ratios):.2g}, worst {max(ratios):.2g}"
        if contestant in ("numpy", "duckdb") and "ours" in found:
            ahead = ratios_to(found, contestant, "ours")
            told += f"; times ours: median {statistics.median(ahead):.2g}, least {min(ahead):.2g}"
        print(told)


def child(contestant: str, images: int, query: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The answers of a contestant, one after the other."""
    command = [sys.executable, __file__, "--child", contestant, "--images", str(images), "--runs", str(options.runs)]
    command += ["--query", query, "--cache", str(options.cache)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            yield json.loads(text)
    if process.returncode:
        print(f"{contestant} ended with {process.returncode}")


def cell(found: dict[str, dict[str, Any]], contestant: str, name: str) -> str:
    seconds = found[contestant].get(name, {}).get("seconds")
    if seconds is None:
        return "none"
    floor = found.get("floor", {}).get(name, {}).get("seconds")
    return f"{seconds:.3f}" + (f" ({seconds / floor:.2g})" if floor and contestant != "floor" else "")


def ratios_to(found: dict[str, dict[str, Any]], contestant: str, base: str) -> list[float]:
    if contestant == base or base not in found:
        return []
    pairs = ((found[contestant][name].get("seconds"), found[base].get(name, {}).get("seconds"))
             for name in found[contestant])  # fmt: skip
    return [seconds / other for seconds, other in pairs if seconds is not None and other]


if __name__ == "__main__":
    main()

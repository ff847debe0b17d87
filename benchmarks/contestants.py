"""Who takes part in `search.py`: each a function that runs in a process of its own and hands back a line for each query.

A line is a dict: query; wall and cpu, seconds (the least of the runs); memory in MB: `peak_mb` with mapped files,
`own_mb` without. General solvers work on a sample: their seconds are scaled to what they would have to decide, `sample`
says how many images they were timed on, and `wrong` how many of their verdicts were not ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from queries import QUERIES

TIMEOUT_S = float(os.environ.get("TIMEOUT_S", "60"))  # for one query of one contestant
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
SAMPLE_CLINGO = 1_000  # images of one batch
BUDGET_S = 10.0  # of one query of Z3 and of IDP-Z3
SMALL_IDP = 60  # entities of an image that IDP-Z3 is asked about
SEED = 7


def prepare(folder: Path, images: int) -> None:
    """The archive, and Parquet files of its numeric columns, one for each part."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from synthetic_archive import make_archive

    from rune_smt.entities.archive import is_archive, open_archive

    numbers = folder / "numbers"
    if numbers.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    if not is_archive(folder / "archive.rune"):
        started = time.perf_counter()
        make_archive(folder / "archive.rune", images)
        print(f"made {images} images in {time.perf_counter() - started:.0f} s")
    numbers.mkdir()
    for number, part in enumerate(open_archive(folder / "archive.rune").parts):
        table = part.table
        columns: dict[str, Any] = {name: pa.array(getattr(table, name)) for name in (*BASE, *MEASURES)}
        corners = table.corners(np.arange(len(table))).reshape(-1, 8)
        columns.update({name: pa.array(np.ascontiguousarray(corners[:, i])) for i, name in enumerate(CORNERS)})
        pq.write_table(pa.table(columns), numbers / f"{number:05}.parquet")


class Memory(threading.Thread):
    """The greatest memory of this process while it runs: looks every few milliseconds."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own = 0
        self.start()

    def run(self) -> None:
        """Looks for as long as the process lives."""
        while True:
            self.look()
            time.sleep(0.05)

    def look(self) -> dict[str, int]:
        """Peak memory of this process so far, MB: with files that are mapped, and without."""
        status = Path("/proc/self/status")
        if not status.exists():
            return {}
        found = dict(row.split(":") for row in status.read_text().splitlines() if row.startswith(("VmHWM", "RssAnon")))
        self.own = max(self.own, int(found["RssAnon"].split()[0]) >> 10)
        return {"peak_mb": int(found["VmHWM"].split()[0]) >> 10, "own_mb": self.own}


MEMORY: Memory | None = None


def memory() -> dict[str, int]:
    """See `Memory`."""
    return {} if MEMORY is None else MEMORY.look()


def best_of(runs: int, call: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    """The least wall time and the least CPU time in seconds, and the last result."""
    wall = cpu = float("inf")
    result = None
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        result = call()
        wall, cpu = min(wall, time.perf_counter() - started), min(cpu, time.process_time() - used)
        if wall > TIMEOUT_S / 4:
            break
    return {"wall": wall, "cpu": cpu}, result


def line(folder: Path, contestant: str, name: str, times: dict[str, float], satisfied: Any) -> dict[str, Any]:
    """One query's line; the verdicts go into a file."""
    np.save(folder / f"{contestant}.{name}.npy", np.asarray(satisfied, bool))
    return {"query": name, **times, **memory()}


# --- the floor, and this project --------------------------------------------------------------------------------------


def run_floor(folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """Reading the needed columns from Parquet and one pass."""
    import pyarrow.parquet as pq

    def read(name: str) -> None:
        for file in sorted((folder / "numbers").iterdir()):
            for column in pq.read_table(file, columns=list(NEEDED[name])).columns:
                for chunk in column.chunks:
                    chunk.to_numpy().sum()

    for name in names:
        times, _ = best_of(runs, partial(read, name))
        yield {"query": name, **times, **memory()}


def run_ours(folder: Path, runs: int, names: list[str], contestant: str = "ours") -> Iterator[dict[str, Any]]:
    """`search` in a process that has the archive open and has answered another query."""
    from rune_smt.entities.archive import open_archive
    from rune_smt.searching import search

    archive = open_archive(folder / "archive.rune")
    search(archive, "exists x (ship(x) & exists y (plane(y) & near(x, y)))")
    for name in names:
        times, result = best_of(runs, partial(search, archive, QUERIES[name]))
        by_counts = result.statistics.by_counts
        yield {**line(folder, contestant, name, times, result.verdicts == 2), "by_counts": by_counts}


def run_compiled(folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """The same with numba, compiled before the clock starts."""
    os.environ["RUNE_SMT_CACHE"] = str(folder.parent / "kept-compiled")
    from rune_smt.solver import scan

    scan.prepare()
    yield from run_ours(folder, runs, names, "compiled")


def run_cold(folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """One query in this fresh process; the parent takes the time."""
    from rune_smt.entities.archive import open_archive
    from rune_smt.searching import search

    (name,) = names
    result = search(open_archive(folder / "archive.rune"), QUERIES[name])
    yield line(folder, "cold", name, {"wall": 0.0, "cpu": 0.0}, result.verdicts == 2)


# --- plans by hand ----------------------------------------------------------------------------------------------------


def run_numpy(folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """The plans of `by_hand`."""
    from by_hand import PLANS, Table

    columns, outlines, classes, images = decoded(folder)
    image, label = columns.pop("image"), columns.pop("label")
    table = Table(images, image, label, classes, columns, outlines)
    for name in names:
        times, satisfied = best_of(runs, partial(PLANS[name], table))
        yield line(folder, "numpy", name, times, satisfied)


def run_duckdb(folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
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
    for name in names:
        clock = threading.Timer(TIMEOUT_S, database.interrupt)
        clock.start()
        try:
            times, found = best_of(runs, lambda name=name: database.execute(SQL[name]).fetchnumpy()["image"])  # type: ignore[misc]
        except duckdb.Error as error:
            yield {"query": name, "error": str(error)[:200], **memory()}
            continue
        finally:
            clock.cancel()
        satisfied = np.zeros(images, bool)
        satisfied[np.asarray(found, np.int64)] = True
        yield line(folder, "duckdb", name, times, satisfied)


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


# --- general solvers, on samples --------------------------------------------------------------------------------------


class Sampled:
    """The archive's first part, what a query is in it, and which verdicts are expected: those of `ours`."""

    def __init__(self, folder: Path):
        from rune_smt.entities.archive import open_archive
        from rune_smt.query import vocabulary_of

        self.folder = folder
        self.table = open_archive(folder / "archive.rune").parts[0].table
        self.vocabulary = vocabulary_of(open_archive(folder / "archive.rune"))
        self.rng = np.random.default_rng(SEED)

    def formula(self, name: str) -> Any:
        """The formula, bound names all different."""
        from rune_smt.query import parse

        return parse(QUERIES[name], self.vocabulary).formula

    def open_images(self, name: str) -> Any:
        """Images that class counts do not decide, in an order drawn by lot."""
        from rune_smt.solver.bounds import image_bounds
        from rune_smt.solver.normalise import normalise
        from rune_smt.solver.population import with_score

        histogram = with_score(self.table, 0.5).histogram
        low, high = image_bounds(normalise(self.formula(name)), self.vocabulary, histogram)
        return self.rng.permutation(np.flatnonzero(low != high))

    def expected(self, name: str, images: Any) -> Any:
        """The verdicts of `ours`."""
        return np.load(self.folder / f"ours.{name}.npy")[images]


def run_clingo(folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """Batches of images as facts and rules; seconds for a batch, times the batches there are."""
    from ground import ground
    from in_solvers import clingo_batch

    sampled = Sampled(folder)
    count = len(sampled.table.images)
    images = np.sort(sampled.rng.permutation(count)[:SAMPLE_CLINGO])
    for name in names:
        facts = ground(sampled.formula(name), sampled.table, sampled.vocabulary, images)
        times, found = best_of(1, partial(clingo_batch, facts))
        wrong = int((np.isin(images, list(found)) != sampled.expected(name, images)).sum())
        scaled = {clock: seconds * count / len(images) for clock, seconds in times.items()}
        yield {"query": name, **scaled, "sample": len(images), "wrong": wrong, **memory()}


def run_z3(folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """Plain Z3 on images that class counts leave open, as many as the budget allows; scaled to all of these."""
    from ground import ground
    from in_solvers import TooLarge, z3_image

    from rune_smt.grammar.nodes import Count, Exists, ExistsCount, ForAll, walk
    from rune_smt.solver.decompose import domain

    sampled = Sampled(folder)
    for name in names:
        formula, images = sampled.formula(name), sampled.open_images(name)
        binders = [node for node in walk(formula) if isinstance(node, Exists | ForAll | ExistsCount | Count)]
        domains = {node.var: set(domain(node, sampled.table.classes, sampled.vocabulary)) for node in binders}
        spent = {"wall": 0.0, "cpu": 0.0}
        done = wrong = large = 0
        for image in images:
            if spent["wall"] > BUDGET_S:
                break
            facts = ground(formula, sampled.table, sampled.vocabulary, [image])
            try:
                times, found = best_of(1, partial(z3_image, facts, int(image), domains))
            except TooLarge:
                large += 1
                continue
            done += 1
            wrong += found != bool(sampled.expected(name, image))
            spent = {clock: spent[clock] + seconds for clock, seconds in times.items()}
        if done:
            scaled = {clock: seconds / done * len(images) for clock, seconds in spent.items()}
            yield {"query": name, **scaled, "sample": done, "wrong": wrong, "large": large, **memory()}


def run_idp(folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """IDP-Z3 on small images that class counts leave open; scaled to all open images, which are larger."""
    from ground import ground
    from in_solvers import idp_text

    python = os.environ["IDP_PYTHON"]
    sampled = Sampled(folder)
    command = [python, str(Path(__file__).with_name("idp_child.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        sizes = sampled.table.offsets[:, -1] - sampled.table.offsets[:, 0]
        for name in names:
            formula, images = sampled.formula(name), sampled.open_images(name)
            spent, done, wrong, peak = 0.0, 0, 0, 0
            for image in images[sizes[images] <= SMALL_IDP]:
                if spent > BUDGET_S:
                    break
                facts = ground(formula, sampled.table, sampled.vocabulary, [image])
                child.stdin.write(json.dumps(idp_text(facts, int(image))) + "\n")
                child.stdin.flush()
                found, seconds, peak = json.loads(child.stdout.readline())
                spent, done = spent + seconds, done + 1
                wrong += found != bool(sampled.expected(name, image))
            if done:
                scaled = spent / done * len(images)
                yield {"query": name, "wall": scaled, "cpu": scaled, "sample": done, "wrong": wrong,
                       "peak_mb": peak, "own_mb": peak}  # fmt: skip
        child.stdin.close()


CHILDREN: dict[str, Callable[[Path, int, list[str]], Iterator[dict[str, Any]]]] = {
    "floor": run_floor,
    "ours": run_ours,
    "compiled": run_compiled,
    "cold": run_cold,
    "numpy": run_numpy,
    "duckdb": run_duckdb,
    "clingo": run_clingo,
    "z3": run_z3,
    "idp": run_idp,
}


def run(contestant: str, folder: Path, runs: int, names: list[str]) -> Iterator[dict[str, Any]]:
    """A contestant's lines."""
    global MEMORY
    MEMORY = Memory()
    return CHILDREN[contestant](folder, runs, names)

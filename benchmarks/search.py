"""Twelve queries over synthetic archives: this project beside plans written by hand and general solvers.

    python benchmarks/search.py                              1,000 and 10,000 images
    python benchmarks/search.py --images 100000 --runs 2
    python benchmarks/search.py --images 1000000 --contestants floor ours --queries counts near "left of"

Archives are made once and kept in the folder --cache. Every contestant runs in a process of its own, one after the
other, and hands back its verdicts, which must agree with ours. What is not installed is left out.

floor     reading the numeric columns that the query needs (outlines' corners too, where it needs outlines) from
          Parquet, and one pass over them
ours      `search` in a process that has the archive open and has answered another query, with numpy and shapely alone
compiled  the same where numba is installed
cold      a fresh process with one query, from start to end
numpy     plans by hand with numpy and shapely (by_hand.py); duckdb: SQL by hand (in_sql.py)
clingo    a batch of 1,000 images as facts and rules, scaled to all images
z3, idp   Z3 and IDP-Z3 on images that class counts leave open, one at a time for 10 s each query, scaled to all of
          those (in_solvers.py); IDP-Z3 wants an environment of its own: --idp PATH/TO/ITS/python

Times are the least of --runs, of wall time; or, on a machine that others use too, with --clock cpu of CPU time, all
threads together.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from contestants import CHILDREN, prepare, run
from queries import QUERIES

PACKAGES = {"compiled": "numba", "duckdb": "duckdb", "clingo": "clingo"}  # what a contestant needs beyond this project
VERSIONS = ("numpy", "shapely", "pyarrow", "numba", "duckdb", "clingo", "z3-solver")


def main() -> None:
    """Makes what is missing, runs every contestant, prints a table a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--queries", nargs="+", default=list(QUERIES), choices=list(QUERIES), metavar="NAME")
    parser.add_argument("--contestants", nargs="+", default=list(CHILDREN), choices=list(CHILDREN), metavar="WHO")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for one query of DuckDB")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--idp", default="", help="the python of the environment that idp-engine is installed in")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "rune_smt_benchmark")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        folder = options.cache / str(options.images[0])
        for answer in run(options.child, folder, options.runs, options.queries):
            print(json.dumps(answer), flush=True)
        return
    print(versions(options))
    for images in options.images:
        prepare(options.cache / str(images), images)
        measure(options, images)


def versions(options: argparse.Namespace) -> str:
    """The machine and what runs on it."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    found = []
    for package in VERSIONS:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    clock = "CPU time, all threads" if options.clock == "cpu" else "wall time"
    return (
        f"{platform.platform()}, {os.cpu_count()} cores{load}, Python {platform.python_version()}, {', '.join(found)}; "
        f"{clock}, the least of {options.runs} runs"
    )


def measure(options: argparse.Namespace, images: int) -> None:
    """Runs the contestants at one size, and prints times, ratios to the floor, agreement and peak memory."""
    folder = options.cache / str(images)
    found: dict[str, dict[str, Any]] = {}
    for contestant in options.contestants:
        package = PACKAGES.get(contestant)
        if (package is not None and not find_spec(package)) or (contestant == "idp" and not options.idp):
            print(f"{contestant} is not installed: left out")
            continue
        found[contestant] = {}
        for names in [[name] for name in options.queries] if contestant == "cold" else [options.queries]:
            for answer in child(contestant, images, names, options):
                found[contestant][answer["query"]] = answer
    print(f"\n{images:,} images; seconds, and in brackets times the floor\n")
    print("| query | " + " | ".join(found) + " | matches | by counts | agree |")
    print("| --- |" + " ---: |" * (len(found) + 2) + " --- |")
    for name in options.queries:
        cells = [cell(found, contestant, name, options.clock) for contestant in found]
        print(f"| {name} | " + " | ".join(cells) + f" | {' | '.join(verdicts(found, name, folder, images))} |")
    print()
    for contestant in found:
        print(summary(found, contestant, options.clock))


def child(contestant: str, images: int, names: list[str], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The answers of a contestant, one after the other; those of a cold start with the whole process's time."""
    command = [sys.executable, __file__, "--child", contestant, "--images", str(images), "--runs", str(options.runs)]
    command += ["--cache", str(options.cache), "--queries", *names]
    environment = {**os.environ, "RUNE_SMT_CACHE": str(options.cache / "kept"), "IDP_PYTHON": options.idp}
    environment["TIMEOUT_S"] = str(options.timeout)
    started, used = time.perf_counter(), cpu_of_children()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for text in process.stdout:
            answer = json.loads(text)
            if contestant == "cold":  # one query, and then the process ends
                process.wait()
                answer.update(wall=time.perf_counter() - started, cpu=cpu_of_children() - used)
            yield answer
    if process.returncode:
        print(f"{contestant} ended with {process.returncode}")


def cpu_of_children() -> float:
    """CPU seconds of the processes that were started and have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


# --- the table --------------------------------------------------------------------------------------------------------


def cell(found: dict[str, dict[str, Any]], contestant: str, name: str, clock: str) -> str:
    """Seconds, and times the floor; with ~ what was scaled from a sample."""
    answer = found[contestant].get(name, {})
    seconds = answer.get(clock)
    if seconds is None:
        return "none"
    floor = found.get("floor", {}).get(name, {}).get(clock)
    about = "~" if "sample" in answer else ""
    digits = f"{seconds:.3f}" if seconds < 100 else f"{seconds:,.0f}"
    return f"{about}{digits}" + (f" ({seconds / floor:.2g})" if floor and contestant != "floor" else "")


def verdicts(found: dict[str, dict[str, Any]], name: str, folder: Path, images: int) -> tuple[str, str, str]:
    """How many images match, how many class counts decide, and who says otherwise."""
    if "ours" not in found:
        return "", "", ""
    satisfied = np.load(folder / f"ours.{name}.npy")
    disagreeing, samples = [], []
    for contestant, answers in found.items():
        answer = answers.get(name, {})
        if "sample" in answer:
            samples.append(f"{contestant} {answer['sample'] - answer['wrong']} of {answer['sample']}")
        elif contestant not in ("floor", "ours") and answer.get("wall") is not None:
            wrong = int((np.load(folder / f"{contestant}.{name}.npy") != satisfied).sum())
            if wrong:
                disagreeing.append(f"{contestant}: {wrong} images")
    agree = "; ".join([", ".join(disagreeing) or "yes", *samples])
    return f"{satisfied.sum():,}", f"{found['ours'][name]['by_counts'] / images:.1%}", agree


def summary(found: dict[str, dict[str, Any]], contestant: str, clock: str) -> str:
    """A contestant's memory, and its ratios to the floor and to ours."""
    answers = [answer for answer in found[contestant].values() if answer.get("wall") is not None]
    peak = max((answer.get("peak_mb", 0) for answer in answers), default=0)
    own = max((answer.get("own_mb", 0) for answer in answers), default=0)
    told = f"{contestant}: peak memory {peak:,} MB, {own:,} MB of it its own"
    for base in ("floor", "ours"):
        ratios = ratios_to(found, contestant, base, clock)
        if ratios:
            told += f"; times {base}: least {min(ratios):.2g}, median {statistics.median(ratios):.2g}, "
            told += f"most {max(ratios):.2g}"
    return told


def ratios_to(found: dict[str, dict[str, Any]], contestant: str, base: str, clock: str) -> list[float]:
    """For each query that both answered, the seconds of one over those of the other."""
    if contestant == base or base not in found:
        return []
    pairs = ((answer.get(clock), found[base].get(name, {}).get(clock)) for name, answer in found[contestant].items())
    return [seconds / other for seconds, other in pairs if seconds is not None and other]


if __name__ == "__main__":
    main()

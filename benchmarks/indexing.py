"""Indexing DOTA text: entities a minute, and the most memory any process took, for one worker and for several.

    python benchmarks/indexing.py                       10,000 images, 1 and 2 workers
    python benchmarks/indexing.py --images 30000 --workers 1 2

The text is that of synthetic archives (synthetic_archive.py), made once in the folder --cache. Every run is a process
of its own, from start to end; times are wall time, memory is that of the largest process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

STRETCH = 5000  # images made at once


def main() -> None:
    """Makes the text where it is missing, and prints a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "rune_smt_benchmark")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    source = options.cache / f"text{options.images}" / "labelTxt"
    if options.child:
        child(source, Path(options.child), options.workers[0])
        return
    if not source.exists():
        make_text(source, options.images)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.images:,} files")
    for workers in options.workers:
        with tempfile.TemporaryDirectory(dir=options.cache) as folder:
            command = [sys.executable, __file__, "--images", str(options.images), "--workers", str(workers)]
            command += ["--cache", str(options.cache), "--child", folder]
            started = time.perf_counter()
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            seconds = time.perf_counter() - started
        seen = json.loads(said)
        print(
            f"workers {workers}: {seen['entities']:,} entities in {seen['parts']} parts, {seconds:.1f} s, "
            f"{seen['entities'] / seconds * 60 / 1e6:.2f} million a minute; processor {seen['cpu']:.1f} s, "
            f"{seen['entities'] / seen['cpu'] * 60 / 1e6:.2f} million a processor minute; "
            f"largest process {seen['megabytes']:,} MB; {seen['bytes'] / seen['entities']:.0f} bytes an entity on disk"
        )


def child(source: Path, folder: Path, workers: int) -> None:
    from rune_smt.indexing import index

    archive = index(source, folder / "made.rune", workers=workers, progress=False)
    mine, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    files = [file for file in (folder / "made.rune").rglob("*") if file.is_file()]
    print(json.dumps({
        "entities": archive.entity_count,
        "parts": len(archive.parts),
        "cpu": sum(used.ru_utime + used.ru_stime for used in (mine, others)),
        "megabytes": max(mine.ru_maxrss, others.ru_maxrss) // 1024,
        "bytes": sum(file.stat().st_size for file in files),
    }))  # fmt: skip


def make_text(source: Path, images: int) -> None:
    """Label files as DOTA has them, from the entities of a synthetic archive."""
    import shapely
    from synthetic_archive import _entities, _name

    rng = np.random.default_rng(1)
    beside = source.with_name("labelTxt.tmp")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    for start in range(0, images, STRETCH):
        size = min(STRETCH, images - start)
        _, table = _entities(rng, start, size)
        outlines = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
        corners = shapely.get_coordinates(outlines).reshape(-1, 5, 2)[:, :4].reshape(-1, 8)
        lines: dict[str, list[str]] = {}
        names = zip(table["image_id"].to_pylist(), table["label"].to_pylist(), corners.tolist(), strict=True)
        for image, label, values in names:
            text = " ".join(f"{value:.1f}" for value in values)
            lines.setdefault(image, []).append(f"{text} {label.replace('_', '-')} 0")
        for number in range(start, start + size):
            name = _name(number)
            text = "\n".join(["imagesource:synthetic", "gsd:0.3", *lines.get(name, [])])
            (beside / f"{name}.txt").write_text(text + "\n")
    beside.rename(source)


if __name__ == "__main__":
    main()

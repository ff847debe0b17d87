"""demo and doctor: a first look, and what is installed."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from . import options as o
from .output import print_json, print_table, say

CORE = ("lark", "numpy", "pillow", "pyarrow", "pyyaml", "rich", "shapely", "typer", "z3-solver")
EXTRAS = {
    "hypothesis": ("testing", "strategies and laws for your own translators and engines"),
    "numba": ("speed", "dear queries several times faster, after one `python -m rune_smt.solver.scan`"),
    "ray": ("cluster", "indexing and searching on a Ray cluster"),
    "onnxruntime": ("detect", "detectors exported as ONNX"),
    "ultralytics": ("ultralytics", "Ultralytics' detectors (AGPL-3.0)"),
    "supervision": ("supervision", "results as supervision.Detections"),
    "rasterio": ("geo", "GeoTIFF: ground sample distance and map coordinates from the file"),
    "pyproj": ("geo", "GeoJSON in longitude and latitude from projected images"),
    "pandas": ("pandas", "SearchResult.to_pandas()"),
    "openai": ("openai", "translation by an OpenAI-compatible server"),
    "transformers": ("transformers", "translation by a local language model"),
}


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("demo")(demo)
    app.command("doctor")(doctor)


def demo(
    out: Annotated[Path, typer.Option("--out", help="The folder to make.")] = Path("demo-out"),
    images: Annotated[int, typer.Option("--images", min=1, help="How many scenes.")] = 300,
    quiet: o.Quiet = False,
) -> None:
    """Make a synthetic archive, run queries from easy to hard, explain misses, write a page to open in a browser."""
    from ..demo import run_demo

    page = run_demo(out, images=images, progress=not quiet)
    say(f"Open {page} in a browser.")


def doctor(as_json: o.Json = False) -> None:
    """Versions, which extras are present, what each missing one would add."""
    from .. import __version__

    packages = {"rune-smt": __version__, "python": platform.python_version()}
    packages.update({name: _version(name) or "missing" for name in CORE})
    extras = {
        name: {"version": _version(name), "extra": extra, "adds": adds} for name, (extra, adds) in EXTRAS.items()
    }
    if as_json:
        print_json({"packages": packages, "extras": extras})
        return
    print_table(["package", "version"], list(packages.items()))
    rows = []
    for name, entry in extras.items():
        have = entry["version"] or f"missing: pip install 'rune-smt[{entry['extra']}]'"
        rows.append([name, str(have), str(entry["adds"])])
    print_table(["optional", "version", "adds"], rows)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

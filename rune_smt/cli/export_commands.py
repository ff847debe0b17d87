"""export: entities, answers or witnesses for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from .output import print_json, say, warn

if TYPE_CHECKING:
    from ..searching import SearchResult, Selection

FormatOption = Annotated[
    str | None,
    typer.Option("--export-format", help="geojson, geoparquet, coco, csv or fiftyone; else by the ending of --export."),
]
ExportOption = Annotated[
    Path | None, typer.Option("--export", help="Write them for another program: .geojson, .parquet, .json (COCO), .csv.")
]
Pixels = Annotated[bool, typer.Option("--pixels", help="Coordinates in pixels, whatever is known of places.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("export")(export)


def export(
    archive: o.ArchiveArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file; for fiftyone a folder.")],
    format: Annotated[
        str | None,
        typer.Option("--format", help="geojson, geoparquet, coco, csv or fiftyone; else by the ending of FILE."),
    ] = None,
    pixels: Pixels = False,
    min_score: Annotated[float, typer.Option("--min-score", help="Entities below are left out.")] = 0.0,
    as_json: o.Json = False,
) -> None:
    """Write an archive's entities as GeoJSON, GeoParquet, COCO, CSV or a FiftyOne data set."""
    from ..exporting import export as run

    written = run(o.open_archive(archive), out, format=format, pixels=pixels or None, min_score=min_score)
    if as_json:
        document = {"path": str(written.path), "format": written.format, "entities": written.count}
        print_json({**document, "left_out": written.left_out})
        return
    if written.left_out:
        warn(written.left_out)
    say(f"Wrote {written.count} entities to {written.path} ({written.format}).")


def write_export(
    source: SearchResult | Selection, path: Path | None, format: str | None, pixels: bool, quiet: bool
) -> None:
    """What --export of another command asks for."""
    if path is None:
        return
    from ..exporting import export as run

    written = run(source, path, format=format, pixels=pixels or None)
    if written.left_out:
        warn(written.left_out)
    if not quiet:
        warn(f"Wrote {written.path}.")

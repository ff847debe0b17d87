"""synth: made pictures with exact annotations, as a set on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from . import options as o
from .output import print_json, print_table, say


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("synth")(synth)


def synth(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make.")],
    images: Annotated[int, typer.Option("--images", min=1, help="How many pictures.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same bytes.")] = 0,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="harbor, airfield, car_park, sports_ground, river, tank_farm, neighbourhood (all of these by default), or flooded_street; several with commas."),
    ] = None,
    format: Annotated[str, typer.Option("--format", help="dota, coco, yolo-obb, masks or scenes.")] = "dota",
    size: Annotated[int, typer.Option("--size", help="Side of the pictures, pixels.")] = 1024,
    gsd: Annotated[float | None, typer.Option("--gsd", help="Metres a pixel, 0.05 to 2; by default as the kind is usually seen.")] = None,
    shadows: Annotated[float, typer.Option("--shadows", help="Length of shadows, times the sun's own: 0 is overcast, 3 a low sun.")] = 1.0,
    haze: Annotated[float | None, typer.Option("--haze", help="0 (clear) to 1 (nothing but haze); by default a little, by chance.")] = None,
    blur: Annotated[float | None, typer.Option("--blur", help="The lens's blur, standard deviation in pixels, up to 10.")] = None,
    noise: Annotated[float | None, typer.Option("--noise", help="The sensor's noise, standard deviation in grey levels, up to 64.")] = None,
    clouds: Annotated[float, typer.Option("--clouds", help="Share of the picture under clouds, up to 0.9.")] = 0.0,
    trees: Annotated[float, typer.Option("--trees", help="Share of vehicles, pools and courts that a tree hangs over.")] = 0.0,
    pictures: Annotated[str, typer.Option("--pictures", help="jpg or png.")] = "jpg",
    border: Annotated[str, typer.Option("--border", help="What reaches beyond the picture: keep, or clip to it.")] = "keep",
    detector_errors: Annotated[
        str | None, typer.Option("--detector-errors", metavar="MODEL.json|default", help="Write scored detections too, as a detector with these errors reports them.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes; by default one for each core.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a set that is there.")] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Make aerial pictures with exact annotations, as a DOTA, COCO, YOLO-OBB, masks or scenes set."""
    from ..deciding import cores
    from ..detect.error_model import load_error_model
    from ..detect.synthetic import Dials, write_set

    dials = Dials(gsd=gsd, shadows=shadows, haze=haze, blur=blur, noise=noise, clouds=clouds, trees=trees)
    errors = load_error_model(detector_errors) if detector_errors is not None else None
    asked = [name.strip() for part in kind or [] for name in part.split(",") if name.strip()]
    with _bar(images, not quiet) as tell:
        report = write_set(
            out,
            images,
            seed,
            format=format,
            kinds=asked or None,
            size=size,
            dials=dials,
            pictures=pictures,
            border=border,
            errors=errors,
            workers=workers or cores(),
            overwrite=overwrite,
            tell=tell,
        )
    if as_json:
        print_json(report.to_json())
        return
    say(f"{report.out}: {report.images:,} pictures, {sum(report.classes.values()):,} things, {report.seconds:.1f} s")
    rows = [[name, f"{count:,}"] for name, count in report.classes.items()]
    print_table(["class", "things"], rows, right=("things",))
    say(f"Read it with: {report.read_with}")
    if report.detections is not None:
        say(f"{report.detections:,} scored detections. Read them with: {report.read_detections_with}")


@contextmanager
def _bar(total: int, wanted: bool) -> Iterator[Callable[[int], None] | None]:
    """Where to tell how many are done: a bar on standard error while there is someone to see it."""
    from ..progress import visible

    if not wanted or not visible():
        yield None
        return
    from rich.progress import Progress

    from .output import error_console

    with Progress(console=error_console(), transient=True) as progress:
        task = progress.add_task("making pictures", total=total)
        yield lambda done: progress.update(task, completed=done)

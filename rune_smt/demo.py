"""The demonstration: made-up aerial pictures, ten questions from easy to hard, and a page with the answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .report import QuerySection, Report, write_page

VOCABULARY = "dota-v1.5"

QUERIES: tuple[str, ...] = (
    "a helicopter",
    "at least 10 storage tanks",
    "a ship but no harbor",
    "ships that are not near any harbor",
    "all ships are near a harbor",
    "more large vehicles than small vehicles",
    "at least three vehicles on a bridge",
    "three planes in a row",
    "a large vehicle within 20 m of a storage tank",
    "two parallel ships near the same harbor",
)
EXPLAINED = {3: 1, 6: 1}  # query number, from 0, to how many of its misses are explained in full
SECONDS = 40.0  # to explain misses in, all queries together: the whole demonstration stays under two minutes


def run_demo(out: str | Path = "demo-out", images: int = 300, seed: int = 0, *, progress: bool = True) -> Path:
    """Make scenes, pictures and an archive, ask ten questions, and write the page; the page's path.

    out       folder for pictures, archive and page; made if it is not there, and what an earlier run left is replaced
    images    how many scenes; the same seed gives the same scenes
    progress  tells each step on standard error, if that is a terminal
    """
    from .archives import archive_from_arrow
    from .detect.synthetic import make_scenes, to_arrow
    from .pages import TRUSTED, VERIFIED, facts_of, footer, section_of
    from .query import translate
    from .searching import search

    folder = Path(out)
    started = time.monotonic()
    with _step(f"painting {images} aerial pictures", progress):
        entities, rows = to_arrow(make_scenes(images, seed), folder / "pictures")
    with _step("building the archive", progress):
        archive = archive_from_arrow(entities, rows, folder / "demo.rune", vocabulary=VOCABULARY, overwrite=True)
    sections: list[QuerySection] = []
    spent = 0.0
    for number, text in enumerate(QUERIES):
        with _step(f"asking: {text}", progress):
            before = time.monotonic()
            result = search(archive, translate(text, archive))
            share = (SECONDS - spent) / (len(QUERIES) - number)
            sections.append(section_of(result, seconds=max(1.0, share), explained=EXPLAINED.get(number, 0)))
            spent += time.monotonic() - before
    page = folder / "index.html"
    report = Report(
        title="Asking pictures in plain English",
        lead=f"{len(QUERIES)} questions, from easy to hard, asked of {images} made-up aerial pictures. "
        "Every answer shows the things that make it true; every near miss shows the number it failed by and what would "
        "bring it back.",
        sections=tuple(sections),
        trusted=TRUSTED,
        verified=VERIFIED,
        facts=(*facts_of(archive), ("Seed", str(seed)), ("Took", f"{time.monotonic() - started:.0f} s")),
        footer=footer(),
    )
    with _step("writing the page", progress):
        write_page(report, page)
    return page


@contextmanager
def _step(text: str, progress: bool) -> Iterator[None]:
    """Tell a step and how long it took, on a terminal."""
    shown = progress and sys.stderr.isatty()
    started = time.monotonic()
    if shown:
        print(f"  {text} ...", end="", file=sys.stderr, flush=True)
    yield
    if shown:
        print(f" {time.monotonic() - started:.1f} s", file=sys.stderr)

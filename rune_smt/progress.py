"""Progress bars: on a terminal or in a notebook, and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")

FEW = 50  # steps that need no bar


def track(items: Iterable[T], what: str, progress: bool = True) -> Iterator[T]:
    """The items one by one, with a bar on standard error while there is someone to see it."""
    total = len(items) if isinstance(items, Sized) else None
    if not progress or not visible() or (total is not None and total < FEW):
        yield from items
        return
    from rich.console import Console
    from rich.progress import track as bar

    yield from bar(items, what, total=total, console=Console(stderr=True), transient=True)


def visible() -> bool:
    """Whether standard error is a terminal or a notebook's, and nobody asked for quiet."""
    if os.environ.get("RUNE_SMT_QUIET"):
        return False
    return sys.stderr.isatty() or "ipykernel" in sys.modules

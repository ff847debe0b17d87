"""What commands print with: tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import ASCII, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


def console() -> Console:
    """Standard output: colours on a terminal only, NO_COLOR honoured, never folded in a file."""
    return Console(soft_wrap=not sys.stdout.isatty(), highlight=False)


def error_console() -> Console:
    """Standard error: messages, warnings, progress."""
    return Console(stderr=True, soft_wrap=not sys.stderr.isatty(), highlight=False)


def say(text: str = "") -> None:
    """A line for people on standard output, as it is."""
    console().print(encodable(text), markup=False, soft_wrap=True)


def warn(text: str) -> None:
    """A line on standard error."""
    error_console().print(encodable(text, sys.stderr), markup=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """One JSON document on standard output, and nothing else there."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=None if not sys.stdout.isatty() else 2, allow_nan=False)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """A table for people; columns named in `right` are set to the right."""
    unicode = (sys.stdout.encoding or "ascii").lower().startswith("utf")
    table = Table(box=SIMPLE_HEAD if unicode else ASCII, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(encodable(cell).replace("[", "\\[") for cell in row))
    console().print(table)


def encodable(text: str, stream: Any = None) -> str:
    """The text with what the stream cannot encode replaced."""
    encoding = (stream or sys.stdout).encoding or "ascii"
    return text.encode(encoding, "replace").decode(encoding)

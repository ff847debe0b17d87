"""The shape of a format, and the registry: a further format is one file and one line in FORMATS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from rune_smt.errors import QueryError

if TYPE_CHECKING:
    from rune_smt.detect.records import Chunks, ReadOptions, SourceFile

    Reader: TypeAlias = Callable[[Sequence[SourceFile], ReadOptions], Chunks]


@dataclass(frozen=True, slots=True)
class Sample:
    """The beginning of a file, to judge its format by.

    name   the file's name
    text   its first characters, empty if they are no text
    lines  the first whole lines of these
    holds  whether the whole file holds a piece of text
    path   where it lies, for formats that are no text
    """

    name: str
    text: str
    lines: tuple[str, ...]
    holds: Callable[[str], bool]
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """How annotations or detections are written down.

    name               as --format has it
    title              in words
    read               files in reading order -> chunks; raises DataError through the journal, with file and line
    sniff              why a file looks like this format, or None
    wanted             which files below a folder are read, by path
    wanted_when_named  the same where --format names this one; None for no difference
    names_every_image  the source itself names images without entities; if not, "no ..." cannot be asked of the others
    files_apart        what a file says does not depend on the other files, so that they may be read side by side
    """

    name: str
    title: str
    read: Reader
    sniff: Callable[[Sample], str | None]
    wanted: Callable[[PurePosixPath], bool]
    names_every_image: bool
    files_apart: bool = False
    aliases: tuple[str, ...] = ()
    wanted_when_named: Callable[[PurePosixPath], bool] | None = None


FORMATS: tuple[str, ...] = (  # modules with a FORMAT; the order is the one in which help lists them
    "rune_smt.detect.dota",
    "rune_smt.detect.dota_task1",
    "rune_smt.detect.yolo",
    "rune_smt.detect.coco",
    "rune_smt.detect.scenes",
    "rune_smt.detect.masks",
    "rune_smt.detect.vector",
    "rune_smt.detect.xview",
    "rune_smt.detect.xbd",
    "rune_smt.detect.parquet_table",
)


@cache
def formats() -> tuple[Format, ...]:
    """Every format, read from its module at first use."""
    return tuple(import_module(module).FORMAT for module in FORMATS)


def find_format(name: str) -> Format:
    """The format of a name or an alias; QueryError with the names there are."""
    for known in formats():
        if name == known.name or name in known.aliases:
            return known
    names = ", ".join(["auto", *(known.name for known in formats())])
    raise QueryError(f"No format '{name}'.", hint=f"Formats: {names}.")

"""The files of a source, their lines and their numbers; every complaint names file and line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rune_smt.detect.records import Floats, Ints, Journal, SourceFile
from rune_smt.errors import DataError

LONG_NUMBER = re.compile(r"\d{300}")  # whole numbers too large for a float, which are read as infinite
HALF_CHARACTER = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")
LARGEST_SIDE = 10_000_000  # pixels: beyond any picture; TIFF and PNG headers can claim 4,294,967,295
LARGEST_COORDINATE = 1e9  # pixels: beyond it products of coordinates lose what areas are made of

Wanted = Callable[[PurePosixPath], bool]


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies below some sources.

    files   those that a format wants, in reading order
    others  paths of those that it does not
    twice   paths that were named more than once, by two sources or through a link
    """

    files: list[SourceFile]
    others: list[str]
    twice: list[str]


def list_files(sources: Sequence[str | os.PathLike[str]], wanted: Wanted) -> Listing:
    """The files below the sources.

    Sorted by file name in byte order, then by path: the order in which entities are numbered. A source that is a file
    is taken whatever its name. Hidden files (a leading dot) and `__MACOSX` are passed over without a word.
    DataError if a source does not exist or cannot be listed.
    """
    found: dict[str, SourceFile] = {}
    others: list[str] = []
    twice: list[str] = []
    for source in sources:
        top = Path(source)
        if not top.exists():
            raise DataError(f"{_shown(source)} does not exist.")
        if top.is_dir():
            inside = _walk(top, (), frozenset({os.path.realpath(top)}))
            mine = _preferred([rel for rel in inside if wanted(rel)])
            others += [_join(_shown(source), str(rel)) for rel in sorted(set(inside) - set(mine))]
            own_name = top.resolve().name
            new = [_below(source, own_name, rel) for rel in mine]
        else:
            new = [SourceFile(top, _shown(top), top.name, "", _shown(top.parent))]
        for file in new:
            if found.setdefault(os.path.realpath(file.path), file) is not file:
                twice.append(file.shown)
    return Listing(sorted(found.values(), key=_reading_order), others, twice)


def _below(source: str | os.PathLike[str], own_name: str, rel: PurePosixPath) -> SourceFile:
    folder = "" if rel.parent == PurePosixPath(".") else str(rel.parent)
    shown = _shown(source)
    return SourceFile(Path(source) / rel, _join(shown, str(rel)), f"{own_name}/{rel}", folder, shown)


def _reading_order(file: SourceFile) -> tuple[bytes, bytes, bytes]:
    return os.fsencode(file.path.name), os.fsencode(file.folder), os.fsencode(file.shown)


def _preferred(files: list[PurePosixPath]) -> list[PurePosixPath]:
    """Where some of the files lie in folders that hold labels by name, only these: readme.txt beside them is none."""
    labelled = [rel for rel in files if any(part == "labels" or part.startswith("labelTxt") for part in rel.parts[:-1])]
    return labelled or files


def _walk(top: Path, below: tuple[str, ...], above: frozenset[str]) -> list[PurePosixPath]:
    """Every file below a folder; a link to a folder that it lies in is not followed."""
    files: list[PurePosixPath] = []
    folder = top.joinpath(*below)
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise DataError(f"{_shown(folder)} cannot be listed: {error.strerror}.") from error
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        if entry.is_dir():
            real = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            if real not in above:
                files += _walk(top, (*below, entry.name), above | {os.path.realpath(entry.path)})
        else:
            files.append(PurePosixPath(*below, entry.name))  # also a broken link: opening it says so
    return files


def _shown(path: str | os.PathLike[str]) -> str:
    return Path(path).as_posix()


def _join(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder.rstrip('/')}/{name}"


def read_bytes(path: Path, shown: str) -> bytes:
    """The file; DataError if it cannot be opened."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{shown}: cannot be read: {error.strerror or error}.") from error


def as_text(data: bytes, shown: str) -> str:
    """UTF-8 with or without byte order mark, any line ends; DataError names the line of what is no text."""
    zero = data.find(b"\0")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        zero = min(zero, error.start) if zero >= 0 else error.start
    if zero >= 0:
        line = data.count(b"\n", 0, zero) + 1
        raise DataError(f"{shown}:{line}: not a text file (byte 0x{data[zero]:02x} where UTF-8 text was expected).")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(file: SourceFile, journal: Journal) -> list[str] | None:
    """The lines of a text file without their ends; None after a bad file under skip_bad."""
    try:
        return as_text(read_bytes(file.path, file.shown), file.shown).split("\n")
    except DataError as error:
        journal.bad(error.message, hint=error.hint)
        return None


def parse_json(text: str, shown: str, first_line: int = 1) -> Any:
    """The value; DataError with line and column, and a word when the text just stops."""
    try:
        if LONG_NUMBER.search(text):
            value = json.loads(text, parse_int=lambda digits: int(digits) if len(digits) < 300 else float(digits))
        else:
            value = json.loads(text)
        if half := HALF_CHARACTER.search(text):
            _refuse_half_characters(value, f"{shown}:{first_line + text.count(chr(10), 0, half.start())}")
        return value
    except json.JSONDecodeError as error:
        place = f"{shown}:{first_line + error.lineno - 1}:{error.colno}"
        cut = not text[error.pos :].strip() or error.msg.startswith("Unterminated")
        hint = "The text ends too early: the file may be cut off." if cut else None
        raise DataError(f"{place}: not valid JSON: {error.msg.removesuffix(' starting at')}.", hint=hint) from error
    except RecursionError as error:
        raise DataError(f"{shown}:{first_line}: not valid JSON: nested too deep.") from error


def _refuse_half_characters(value: Any, place: str) -> None:
    """JSON can spell half of a character of UTF-16; no file of ours could hold it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{place}: not valid JSON: a text ends or begins within a character.") from error


def excerpt(fields: Sequence[str]) -> str:
    """The first three fields of a line, each cut to a length that fits a message."""
    short = " ".join(field if len(field) <= 40 else field[:37] + "..." for field in fields[:3])
    return f"{short} ..." if len(fields) > 3 else short


def is_number(text: str) -> bool:
    """Whether a field reads as a number; nan and inf do."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def to_numbers(fields: list[str]) -> tuple[Floats, NDArray[np.bool_] | None]:
    """Every field as a float64, and where it is no number or beyond any picture; None for nowhere."""
    try:
        values = np.fromiter(map(float, fields), dtype=np.float64, count=len(fields))
    except ValueError:
        values = np.array([float(f) if is_number(f) else np.nan for f in fields], dtype=np.float64)
    bad = ~(np.abs(values) <= LARGEST_COORDINATE)
    return values, bad if bad.any() else None


def what_is_wrong(field: str) -> str:
    """Words for a field that `to_numbers` marks."""
    shown = f"'{excerpt([field])}'"
    if not is_number(field):
        return f"{shown} is not a number"
    return f"{shown} is beyond any picture" if np.isfinite(float(field)) else f"{shown} is not a finite number"


def as_size(value: Any) -> int | None:
    """A width or height as a whole number of pixels above 0, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 < value <= LARGEST_SIDE and value == int(value) else None


def where_lines(first: str, numbers: Ints) -> list[str]:
    """file:line for each line number."""
    return [f"{first}:{number}" for number in numbers.tolist()]

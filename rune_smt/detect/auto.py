"""`--format auto`: which format the first files of a source are in, and why; a tie is refused."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rune_smt.detect.files import list_files
from rune_smt.detect.formats import Format, Sample, formats
from rune_smt.detect.records import SourceFile
from rune_smt.errors import DataError

FIRST_FILES = 20
HEAD = 1 << 16  # bytes of a file that are looked at
HEAD_LINES = 50
BLOCK = 1 << 24  # a large JSON file is searched for its keys in blocks of this size


@dataclass(frozen=True, slots=True)
class Choice:
    """The format chosen, and why, in a sentence; `others` are files among the first that look like another one."""

    format: Format
    why: str
    others: tuple[str, ...] = ()


def choose_format(sources: Sequence[str | os.PathLike[str]]) -> Choice:
    """The format that most of the first 20 files look like. DataError if none does, or two do equally often."""
    files = list_files(sources, lambda path: any(known.wanted(path) for known in formats())).files
    if not files:
        endings = "labels in .txt, .json, .jsonl, .geojson, .gpkg and .parquet files, and masks such as 7_lab.png"
        raise DataError(f"{_shown(sources)}: no annotation files found.", hint=f"Looked for {endings}. {_known()}")
    votes: dict[str, list[tuple[SourceFile, str]]] = {}
    for file in files[:FIRST_FILES]:
        sample = take_sample(file)
        for known in formats():
            reason = known.sniff(sample)
            if reason is not None:
                votes.setdefault(known.name, []).append((file, reason))
    seen = len(files[:FIRST_FILES])
    if not votes:
        first = take_sample(files[0])
        begins = f"begins with '{first.text.strip()[:40]}'" if first.text.strip() else "is empty or no text"
        message = f"{_shown(sources)}: no known format; {files[0].shown} {begins}."
        raise DataError(message, hint=f"Give --format. {_known()}")
    most = max(len(found) for found in votes.values())
    best = [name for name, found in votes.items() if len(found) == most]
    if len(best) > 1:
        sides = ", ".join(f"{most} like {name} ({votes[name][0][0].shown}: {votes[name][0][1]})" for name in best)
        raise DataError(
            f"{_shown(sources)}: of the first {seen} files {sides}.",
            hint="Give " + " or ".join(f"--format {name}" for name in best) + ".",
        )
    mine = {file.shown for file, _ in votes[best[0]]}
    others = tuple(
        f"{file.shown} ({name})"
        for name, found in votes.items()
        if name != best[0]
        for file, _ in found
        if file.shown not in mine
    )
    files_text = (
        "the only file has" if seen == 1 else f"{most} of the first {seen} files {'has' if most == 1 else 'have'}"
    )
    chosen = next(known for known in formats() if known.name == best[0])
    return Choice(chosen, f"{files_text} {votes[best[0]][0][1]}", others)


def take_sample(file: SourceFile) -> Sample:
    """The head of a file; one that cannot be read, or is no text, has none."""
    path = Path(file.path)
    try:
        with path.open("rb") as stream:
            data = stream.read(HEAD + 1)
    except OSError:
        data = b""
    whole = len(data) <= HEAD
    data = data[:HEAD]
    text = "" if b"\0" in data else _decode(data)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not whole:
        lines = lines[:-1]
    return Sample(path.name, text, tuple(lines[:HEAD_LINES]), partial(_holds, path), path)


def _decode(data: bytes) -> str:
    """As UTF-8; a character cut at the end is left out, text that is none gives nothing."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return data[: error.start].decode("utf-8-sig") if error.start >= len(data) - 3 else ""


def _holds(path: Path, text: str) -> bool:
    wanted = text.encode()
    tail = b""
    try:
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                if wanted in tail + block:
                    return True
                tail = block[-len(wanted) :]
    except OSError:
        return False
    return False


def _shown(sources: Sequence[str | os.PathLike[str]]) -> str:
    return ", ".join(Path(source).as_posix() for source in sources)


def _known() -> str:
    return f"Formats: {', '.join(known.name for known in formats())}."

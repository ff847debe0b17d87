"""DOTA results: Task1 `image score x1 y1 ... x4 y4`, Task2 `image score xmin ymin xmax ymax`; one file a class.

The files name only images in which something was found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TypeAlias

import numpy as np

from rune_smt.detect.dota import first_bad, looks_like_task1, mostly
from rune_smt.detect.files import excerpt, read_lines, to_numbers, what_is_wrong, where_lines
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.images import without_picture_suffix
from rune_smt.detect.records import (
    Chunk,
    Chunks,
    ImageName,
    ImageRecord,
    Ints,
    Outlines,
    ReadOptions,
    SourceFile,
)

Problem: TypeAlias = tuple[int, str, str | None]  # line, message, hint
EXPECTED = "expected an image, a score and 8 numbers (Task1) or 4 (Task2)"


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a file."""
    for file in files:
        lines = read_lines(file, options.journal)
        if lines is not None:
            yield _read_file(file, lines, options)


def class_of(file: SourceFile) -> str:
    """The class that a file's name gives: Task1_ship.txt, ship.txt -> ship."""
    return re.sub(r"^task[12]_", "", str(file.path.stem), flags=re.IGNORECASE)


def _read_file(file: SourceFile, lines: list[str], options: ReadOptions) -> Chunk:
    problems: list[Problem] = []
    rows: dict[int, list[list[str]]] = {6: [], 10: []}
    numbers: dict[int, list[int]] = {6: [], 10: []}
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if len(fields) in rows:
            rows[len(fields)].append(fields)
            numbers[len(fields)].append(number)
        elif fields:
            got = f"{len(fields)} field{'s' if len(fields) > 1 else ''}"
            problems.append((number, f"{file.shown}:{number}: {EXPECTED}, got {got}: '{excerpt(fields)}'", None))
    if rows[6] and rows[10]:
        second = max(numbers[6][0], numbers[10][0])
        mixed = f"{file.shown}:{second}: lines of Task1 (10 fields) and Task2 (6 fields) are mixed in one file."
        problems.append((second, mixed, None))
        rows[6], numbers[6] = [], []
    width = 6 if rows[6] else 10
    chunk = _table(file, rows[width], np.array(numbers[width], dtype=np.int64), width, problems)
    options.journal.bad_lines(problems)
    return chunk


def _table(file: SourceFile, rows: list[list[str]], numbers: Ints, width: int, problems: list[Problem]) -> Chunk:
    values, bad = to_numbers([field for fields in rows for field in fields[1:]])
    table = values.reshape(-1, width - 1)
    wrong = np.zeros(table.shape, dtype=bool) if bad is None else bad.reshape(table.shape)
    for row, column in first_bad(wrong):
        what = what_is_wrong(rows[row][column + 1])
        message = f"{file.shown}:{numbers[row]}: {EXPECTED}, but {what}: '{excerpt(rows[row])}'"
        problems.append((int(numbers[row]), message, None))
    good = ~wrong.any(axis=1)
    outside = good & ~((table[:, 0] >= 0.0) & (table[:, 0] <= 1.0))
    for row in np.flatnonzero(outside).tolist():
        message = f"{file.shown}:{numbers[row]}: score must be from 0 to 1, got {rows[row][1]}."
        problems.append((int(numbers[row]), message, None))
    good &= ~outside
    kept = np.flatnonzero(good)
    table = table[kept]
    codes: dict[str, int] = {}
    image = np.fromiter((codes.setdefault(rows[row][0], len(codes)) for row in kept), dtype=np.int64, count=len(kept))
    if width == 10:
        corners = table[:, 1:]
    else:
        corners = table[:, [1, 2, 3, 2, 3, 4, 1, 4]]
    return Chunk(
        images=tuple(ImageRecord(image_name(text)) for text in codes),
        image=image,
        labels=[class_of(file)] * len(kept),
        scores=table[:, 0].copy(),
        outlines=Outlines.of_quads(np.ascontiguousarray(corners)),
        origins=where_lines(file.origin, numbers[kept]),
    )


def image_name(text: str) -> ImageName:
    """An image as a result line names it: most programs leave the suffix off, some do not."""
    return ImageName(without_picture_suffix(text))


def sniff(sample: Sample) -> str | None:
    """Why the text looks like results, or None."""
    rows = [fields for fields in (line.split() for line in sample.lines) if fields]
    if mostly(looks_like_task1, rows):
        return "an image, a score and corners a line" if len(rows[0]) == 10 else "an image, a score and a box a line"
    return None


def wanted(path: PurePosixPath) -> bool:
    """Any text file."""
    return path.suffix.lower() == ".txt"


FORMAT = Format(
    name="dota-task1",
    title="DOTA Task1 or Task2 results",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=False,
    files_apart=True,
    aliases=("dota-task2",),
)

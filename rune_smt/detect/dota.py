"""DOTA labelTxt: `x1 y1 x2 y2 x3 y3 x4 y4 class difficulty` a line, one file an image, ground truth.

Xia et al., "DOTA: A Large-scale Dataset for Object Detection in Aerial Images", CVPR 2018; the header lines
`imagesource:` and `gsd:` may be absent or in either order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from rune_smt.detect.files import excerpt, is_number, list_files, read_lines, to_numbers, what_is_wrong, where_lines
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.gsd import parse_gsd
from rune_smt.detect.records import Chunk, Chunks, ImageRecord, Journal, Outlines, ReadOptions, SourceFile
from rune_smt.errors import DataError

EXPECTED = "expected 8 numbers, a class and a difficulty"
LARGEST_DIFFICULTY = 1000  # DOTA has 0, 1 and 2; other data sets may grade finer
YOLO_HINT = "This line looks like YOLO-OBB. Try --format yolo-obb."
TASK1_HINT = "This line looks like a DOTA Task1 result. Try --format dota-task1."


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a file. A line that does not parse is bad data at file:line."""
    for file in files:
        lines = read_lines(file, options.journal)
        if lines is not None:
            yield _read_file(file, lines, options)


def _read_file(file: SourceFile, lines: list[str], options: ReadOptions) -> Chunk:
    record, start = read_header(file, lines, options.journal)
    numbers, coordinates, labels, difficulties = [], [], [], []
    problems: list[tuple[int, str, str | None]] = []
    for number, line in enumerate(lines[start:], start + 1):
        fields = line.split()
        if not fields:
            continue
        wrong = None
        if len(fields) == 10:
            if not fields[9].isdecimal() or len(fields[9]) > 1:
                wrong = _wrong_difficulty(fields)
            difficulty = fields[9]
        elif len(fields) == 9:
            difficulty = "0"
            if is_number(fields[8]):
                wrong = f"{EXPECTED}, got 9 fields"
        else:
            wrong = f"{EXPECTED}, got {len(fields)} field{'s' if len(fields) > 1 else ''}"
        if wrong is None and is_number(fields[8]):
            name = class_name(fields[8], options)
            if name is None:
                wrong = f"class number {fields[8]} has no name"
            else:
                fields[8] = name
        if wrong is not None:
            problems.append((number, f"{file.shown}:{number}: {wrong}: '{excerpt(fields)}'", _hint(fields)))
            continue
        numbers.append(number)
        coordinates += fields[:8]
        labels.append(fields[8])
        difficulties.append(int(difficulty))
    values, bad = to_numbers(coordinates)
    difficult = np.array(difficulties, dtype=np.int64)
    places = np.array(numbers, dtype=np.int64)
    corners = values.reshape(-1, 8)
    if bad is not None:
        wrong_rows = bad.reshape(-1, 8)
        for row, column in first_bad(wrong_rows):
            fields = [*coordinates[row * 8 : row * 8 + 8], labels[row]]
            wrong = f"{EXPECTED}, but {what_is_wrong(fields[column])}: '{excerpt(fields)}'"
            problems.append((numbers[row], f"{file.shown}:{numbers[row]}: {wrong}", _hint(fields)))
        good: NDArray[np.bool_] = np.logical_not(wrong_rows.any(axis=1))
        corners, difficult, places = corners[good], difficult[good], places[good]
        labels = [label for label, keep in zip(labels, good, strict=True) if keep]
    options.journal.bad_lines(problems)
    return Chunk(
        images=(record,),
        image=np.zeros(len(labels), dtype=np.int64),
        labels=labels,
        scores=np.ones(len(labels)),
        outlines=Outlines.of_quads(corners),
        origins=where_lines(file.origin, places),
        attributes={"difficult": difficult},
    )


def first_bad(bad: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """For each row with a bad field: the row and its first bad column."""
    rows = np.flatnonzero(bad.any(axis=1))
    return [(int(row), int(bad[row].argmax())) for row in rows]


def class_name(text: str, options: ReadOptions) -> str | None:
    """The name of a class number under --names, else None."""
    if options.names is None or not text.isdecimal():
        return None
    return options.names.get(int(text))


def read_header(file: SourceFile, lines: list[str], journal: Journal) -> tuple[ImageRecord, int]:
    """The image that `imagesource:` and `gsd:` describe, and how many lines stand before the first entity."""
    gsd: float | None = None
    further: dict[str, str] = {}
    start = 0
    for start, line in enumerate(lines):
        text = line.strip()
        key, colon, value = text.partition(":")
        match key.lower() if colon else "":
            case "imagesource":
                further["source"] = value.strip()
            case "gsd":
                gsd = parse_gsd(value.strip(), f"{file.shown}:{start + 1}", journal)
            case _ if text:
                break
    else:
        start = len(lines)
    name = file.image_name()
    return ImageRecord(name, gsd=gsd, gsd_source="labelTxt" if gsd is not None else None, further=further), start


def read_headers(folder: str | os.PathLike[str], journal: Journal) -> list[ImageRecord]:
    """Source and gsd of the images whose label files lie in `folder`; for formats that know neither (--headers)."""
    files = list_files([folder], wanted).files
    if not files:
        raise DataError(f"{Path(folder).as_posix()} has no .txt files to read header lines from.")
    found = []
    for file in files:
        lines = read_lines(file, journal)
        if lines is not None:
            found.append(read_header(file, lines, journal)[0])
    return found


def _wrong_difficulty(fields: list[str]) -> str | None:
    """None for what reads as a whole number from 0 on after all."""
    text = fields[9]
    if is_number(text) and 0 <= float(text) <= LARGEST_DIFFICULTY and float(text).is_integer():
        fields[9] = str(int(float(text)))
        return None
    return f"{EXPECTED}, but the difficulty is '{excerpt([text])}'"


def _hint(fields: list[str]) -> str | None:
    """The format that a line of the wrong shape looks like."""
    if looks_like_yolo(fields):
        return YOLO_HINT
    if looks_like_task1(fields):
        return TASK1_HINT
    return None


def looks_like_yolo(fields: list[str]) -> bool:
    """A class number, then corners or a box as shares of the picture, then perhaps a confidence."""
    if len(fields) < 5 or not fields[0].isdecimal() or not all(map(is_number, fields)):
        return False
    return all(-1.0 <= float(field) <= 2.0 for field in fields[1:])


def looks_like_task1(fields: list[str]) -> bool:
    """A name, a score, corners (Task1) or a box (Task2)."""
    if len(fields) not in (6, 10) or not all(map(is_number, fields[1:])):
        return False
    return 0.0 <= float(fields[1]) <= 1.0 and not looks_like_yolo(fields)


def looks_like_dota(fields: list[str]) -> bool:
    """Eight numbers, a class, perhaps a difficulty."""
    return len(fields) in (9, 10) and all(map(is_number, fields[:8])) and not is_number(fields[8])


def mostly(test: Callable[[list[str]], bool], rows: Sequence[list[str]]) -> bool:
    """Whether more than half of the rows pass: a few bad lines do not hide a format."""
    return 2 * sum(map(test, rows)) > len(rows)


def sniff(sample: Sample) -> str | None:
    """Why the text looks like labelTxt, or None."""
    lines = [line.split() for line in sample.lines]
    headed = [f for f in lines if f and f[0].lower().startswith(("imagesource:", "gsd:"))]
    rows = [f for f in lines if f and f not in headed]
    if mostly(looks_like_dota, rows):
        return "eight numbers and a class a line"
    return "header lines imagesource: or gsd:" if headed and not rows else None


def wanted(path: PurePosixPath) -> bool:
    """Any text file; where there are labelTxt folders, only theirs."""
    return path.suffix.lower() == ".txt"


FORMAT = Format(
    name="dota",
    title="DOTA labelTxt",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=True,
    files_apart=True,
)

"""YOLO txt: a class number and shares of the picture a line, one file an image.

fields    meaning
5, 6      cls cx cy w h [conf]: an upright box
9, 10     cls x1 y1 ... x4 y4 [conf]: an oriented box
odd, >= 7   cls x1 y1 x2 y2 ...: a polygon
even, >= 8  the same and a confidence
As Ultralytics reads its data sets and writes results (save_txt, save_conf): https://docs.ultralytics.com/datasets/obb/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from rune_smt.detect.dota import looks_like_dota, looks_like_task1, looks_like_yolo, mostly
from rune_smt.detect.files import as_text, excerpt, read_bytes, read_lines, to_numbers, what_is_wrong
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.images import Pictures, is_picture, pictures_of, read_picture
from rune_smt.detect.records import (
    Chunk,
    Chunks,
    ImageRecord,
    Outlines,
    ReadOptions,
    SourceFile,
    bare_chunk,
    offsets,
)
from rune_smt.errors import DataError

EXPECTED = "expected a class number and 4, 8 or more shares of the picture"
SHARES = (-2.0, 3.0)  # a box may reach beyond its crop, but numbers beyond this are pixels
NAME_LISTS = ("classes.txt", "obj.names", "classes.names", "_darknet.labels")
YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
UPWARD = 3  # folders above SOURCE in which data.yaml is looked for
DOTA_HINT = "This line looks like DOTA labelTxt. Try --format dota."
TASK1_HINT = "This line looks like a DOTA Task1 result. Try --format dota-task1."


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a file, then the pictures without labels: images in which nothing is."""
    names = options.names if options.names is not None else find_names(files)
    shelf = _Shelf(options)
    for file in files:
        lines = read_lines(file, options.journal)
        if lines is None:
            continue
        record = shelf.record(file)
        if record.width is None or record.height is None:
            options.journal.bad(
                f"{file.shown}: the size of image '{file.path.stem}' is unknown, so shares of it are no pixels.",
                hint="Give --images DIR with its picture, or --image-size WxH.",
            )
            continue
        yield _read_file(file, lines, record, record.width, record.height, names, options)
    left = shelf.without_labels()
    if left:
        yield bare_chunk(left)


class _Shelf:
    """The pictures that belong to label files: those of --images, else those of the `images` folder beside `labels`."""

    def __init__(self, options: ReadOptions):
        self.options = options
        self.beside: dict[str, Pictures | None] = {}
        self.taken: set[Path] = set()

    def record(self, file: SourceFile) -> ImageRecord:
        name = file.image_name()
        pictures = self.options.pictures or self._sibling(file)
        picture = pictures.of(name, self.options.journal) if pictures is not None else None
        if picture is not None:
            self.taken.add(picture.path)
            return read_picture(picture, name, self.options.journal)
        width, height = self.options.image_size or (None, None)
        return ImageRecord(name, width, height)

    def _sibling(self, file: SourceFile) -> Pictures | None:
        """Pictures of .../images/train for .../labels/train/P1.txt: the last folder called labels is exchanged."""
        folder = Path(file.path).parent
        key = folder.as_posix()
        if key not in self.beside:
            self.beside[key] = self._pictures_for(folder, file)
        return self.beside[key]

    def _pictures_for(self, folder: Path, file: SourceFile) -> Pictures | None:
        parts = folder.resolve().parts
        if "labels" not in parts:
            return None
        last = len(parts) - 1 - parts[::-1].index("labels")
        images = Path(*parts[:last], "images", *parts[last + 1 :])
        if not images.is_dir():
            return None
        found = [
            SourceFile(path, path.as_posix(), path.name, file.folder, file.root)
            for path in sorted(images.iterdir())
            if path.is_file() and is_picture(PurePosixPath(path.name)) and not path.name.startswith(".")
        ]
        return pictures_of(found, images.as_posix()) if found else None

    def without_labels(self) -> list[ImageRecord]:
        shelves = [self.options.pictures] if self.options.pictures else [s for s in self.beside.values() if s]
        left = [f for shelf in shelves for f in shelf.files if f.path not in self.taken]
        for file in left:
            self.options.journal.note("picture without labels", file.path.stem)
        return [read_picture(file, file.image_name(), self.options.journal) for file in left]


def _read_file(
    file: SourceFile,
    lines: list[str],
    record: ImageRecord,
    width: int,
    height: int,
    names: Mapping[int, str] | None,
    options: ReadOptions,
) -> Chunk:
    rows = [(number, fields) for number, line in enumerate(lines, 1) if (fields := line.split())]
    values, _ = to_numbers([field for _, fields in rows for field in fields])
    starts = offsets(len(fields) for _, fields in rows)
    labels: list[str] = []
    scores: list[float] = []
    rings: list[list[np.ndarray[Any, np.dtype[np.float64]]]] = []
    origins: list[str] = []
    size = np.array([width, height], dtype=np.float64)
    for (number, fields), start in zip(rows, starts.tolist(), strict=False):
        line = values[start : start + len(fields)]
        wrong = _wrong(fields, line)
        hint = _hint(fields) if wrong else None
        label = None
        if wrong is None:
            cls = int(line[0])
            label = names.get(cls) if names is not None else None
            if label is None:
                wrong = f"class number {cls} has no name"
                hint = _no_name_hint(names)
        if wrong is not None or label is None:
            options.journal.bad(f"{file.shown}:{number}: {wrong}: '{excerpt(fields)}'", hint=hint)
            continue
        even = len(fields) % 2 == 0
        scores.append(float(line[-1]) if even else 1.0)
        numbers = line[1:-1] if even else line[1:]
        if len(numbers) == 4:
            cx, cy, w, h = numbers
            left, top, right, bottom = cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2
            numbers = np.array([left, top, right, top, right, bottom, left, bottom])
        rings.append([numbers.reshape(-1, 2) * size])
        labels.append(label)
        origins.append(f"{file.origin}:{number}")
    return Chunk(
        images=(record,),
        image=np.zeros(len(labels), dtype=np.int64),
        labels=labels,
        scores=np.array(scores, dtype=np.float64),
        outlines=Outlines.of_lists(rings),
        origins=origins,
    )


def _wrong(fields: list[str], line: np.ndarray[Any, np.dtype[np.float64]]) -> str | None:
    """What is wrong with a line, or None."""
    count = len(fields)
    if count < 5:
        return f"{EXPECTED}, got {count} field{'s' if count > 1 else ''}"
    if not np.isfinite(line).all():
        return f"{EXPECTED}, but {what_is_wrong(fields[int(np.argmin(np.isfinite(line)))])}"
    if line[0] < 0 or line[0] != int(line[0]):
        return f"{EXPECTED}, but the class number is '{excerpt(fields[:1])}'"
    even = count % 2 == 0
    shares = line[1:-1] if even else line[1:]
    if shares.min() < SHARES[0] or shares.max() > SHARES[1]:
        worst = shares[int(np.argmax(np.abs(shares)))]
        return f"{EXPECTED}, but {worst:g} is no share: these are pixels"
    if even and not 0.0 <= line[-1] <= 1.0:
        return f"confidence must be from 0 to 1, got {fields[-1]}"
    if count in (5, 6) and (line[3] < 0 or line[4] < 0):
        return f"width and height of a box must not be negative, got {fields[3]} and {fields[4]}"
    return None


def _no_name_hint(names: Mapping[int, str] | None) -> str:
    if names:
        return f"The names go from 0 to {max(names)}: mend data.yaml, or give others with --names FILE."
    return "Put a data.yaml with 'names', or a classes.txt, beside or above the labels, or give --names FILE."


def _hint(fields: list[str]) -> str | None:
    if looks_like_dota(fields):
        return DOTA_HINT
    return TASK1_HINT if looks_like_task1(fields) else None


def find_names(files: Sequence[SourceFile]) -> Mapping[int, str] | None:
    """The class names that lie with the labels: data.yaml or a list like classes.txt, in their folder or above it."""
    seen: set[Path] = set()
    for file in files:
        folder = Path(file.path).resolve().parent
        depth = len(PurePosixPath(file.folder).parts) + UPWARD
        for place in (folder, *list(folder.parents)[:depth]):
            if place in seen:
                break
            seen.add(place)
            found = _names_in(place)
            if found is not None:
                return read_names(found)
    return None


def _names_in(folder: Path) -> Path | None:
    for name in (*YAML_NAMES, *NAME_LISTS):
        if (folder / name).is_file():
            return folder / name
    try:
        others = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"} and path.is_file())
    except OSError:
        return None
    if len(others) == 1 and any(line.startswith("names:") for line in _lines_or_none(others[0])):
        return others[0]
    return None


def _lines_or_none(path: Path) -> list[str]:
    try:
        return as_text(read_bytes(path, path.as_posix()), path.as_posix()).split("\n")
    except DataError:
        return []


def read_names(path: Path) -> dict[int, str]:
    """Class names by number, from a data.yaml (`names`: list or dictionary) or a file with one name a line.

    DataError where the file is neither.
    """
    shown = path.as_posix()
    text = as_text(read_bytes(path, shown), shown)
    if path.suffix.lower() not in {".yaml", ".yml"}:
        found = [line.strip() for line in text.split("\n")]
        while found and not found[-1]:
            found.pop()
        return dict(enumerate(found))
    import yaml  # type: ignore[import-untyped, unused-ignore]

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{shown}:{mark.line + 1}" if mark is not None else shown
        raise DataError(f"{place}: not valid YAML: {getattr(error, 'problem', None) or 'unreadable'}.") from error
    except (ValueError, OverflowError, RecursionError) as error:  # a date that is none; brackets without end
        raise DataError(f"{shown}: not valid YAML: {str(error).splitlines()[0]}.") from error
    names = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if isinstance(names, dict) and all(isinstance(number, int | str) and str(number).isdecimal() for number in names):
        for number, name in names.items():
            if not isinstance(name, str | int | float):  # never written out: aliases make short lists of any length
                raise DataError(f"{shown}: the name of class {number} is a {type(name).__name__}, not a text.")
        return {int(number): str(name) for number, name in names.items()}
    raise DataError(f"{shown}: no 'names' that is a list, or a dictionary of class numbers.")


def sniff(sample: Sample) -> str | None:
    """Why the text looks like YOLO labels, or None."""
    rows = [fields for fields in (line.split() for line in sample.lines) if fields]
    if mostly(looks_like_yolo, rows):
        return "a class number and shares of the picture a line"
    return None


def wanted(path: PurePosixPath) -> bool:
    """Any text file but lists of class names; where there are folders `labels`, only theirs."""
    return path.suffix.lower() == ".txt" and path.name not in NAME_LISTS


FORMAT = Format(
    name="yolo-obb",
    title="YOLO txt labels or results",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=False,
    aliases=("yolo",),
)

"""The images themselves: pictures of --images (headers only, nothing is decoded), --image-list and --image-table."""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from rune_smt.detect.columns import typed_texts
from rune_smt.detect.files import LARGEST_SIDE, as_size, as_text, list_files, read_bytes
from rune_smt.detect.geotiff import read_geotiff
from rune_smt.detect.gsd import MISSING, parse_gsd
from rune_smt.detect.records import ImageName, ImageRecord, Journal, SourceFile
from rune_smt.entities.incoming import IMAGE_COLUMNS
from rune_smt.errors import DataError

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".jp2", ".gif", ".ppm"})


def without_picture_suffix(name: str) -> str:
    """`P0706.png` -> `P0706`; any other name as it is, dots included."""
    dot = name.rfind(".")
    return name[:dot] if dot > 0 and name[dot:].lower() in PICTURE_SUFFIXES else name


def is_picture(path: PurePosixPath) -> bool:
    """Whether the file's name ends as pictures' names do."""
    return path.suffix.lower() in PICTURE_SUFFIXES


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures by file stem.

    files    every picture below the folder, sorted by name
    shown    the folder as it was given
    by_stem  the pictures of a stem
    """

    shown: str
    files: tuple[SourceFile, ...]
    by_stem: Mapping[str, tuple[SourceFile, ...]] = field(repr=False)

    def of(self, name: ImageName, journal: Journal) -> SourceFile | None:
        """The picture of an image: by its stem; among several by the folders that both paths end in.

        None where there is none, or where several fit equally well, which is noted.
        """
        candidates = self.by_stem.get(name.stem, ())
        if len(candidates) <= 1:
            return candidates[0] if candidates else None
        marks = [_common_end(name.folder, file.folder) for file in candidates]
        best = [file for file, mark in zip(candidates, marks, strict=True) if mark == max(marks)]
        if len(best) == 1:
            return best[0]
        journal.note("picture ambiguous", f"{name.stem} ({', '.join(file.shown for file in best[:3])})")
        return None


def _common_end(left: str, right: str) -> int:
    """How many folders two paths have in common at their end."""
    count = 0
    for one, other in zip(reversed(left.split("/")), reversed(right.split("/")), strict=False):
        if one != other:
            break
        count += 1
    return count


def find_pictures(folder: str | os.PathLike[str]) -> Pictures:
    """The pictures below a folder, or the one picture given. DataError if there are none."""
    files = list_files([folder], is_picture).files
    shown = Path(folder).as_posix()
    if not files:
        raise DataError(f"{shown} has no pictures.", hint=f"Known endings: {' '.join(sorted(PICTURE_SUFFIXES))}")
    return pictures_of(files, shown)


def pictures_of(files: Sequence[SourceFile], shown: str) -> Pictures:
    """A table of pictures by stem."""
    by_stem: dict[str, list[SourceFile]] = {}
    for file in files:
        by_stem.setdefault(file.path.stem, []).append(file)
    return Pictures(shown, tuple(files), {stem: tuple(found) for stem, found in by_stem.items()})


def read_picture(file: SourceFile, name: ImageName, journal: Journal) -> ImageRecord:
    """Size from the header; of a GeoTIFF also gsd, crs, transform and date. An unreadable header is bad data."""
    try:
        width, height, further = _read_header(file.path)
    except OSError as error:
        reason = error.strerror or "no picture that this program knows, or cut off within its header"
        journal.bad(f"{file.shown}: cannot be read: {reason}.")
        return ImageRecord(name)
    except (ValueError, SyntaxError, OverflowError) as error:
        journal.bad(f"{file.shown}: cannot be read: {error}.")
        return ImageRecord(name)
    if as_size(width) is None or as_size(height) is None:
        journal.bad(f"{file.shown}: the header says {width} x {height} pixels; sides go from 1 to {LARGEST_SIDE:,}.")
        return ImageRecord(name)
    gsd = parse_gsd(further.pop("gsd", None), file.shown, journal)
    path = Path(file.path).resolve().as_posix()
    return ImageRecord(name, width, height, gsd, "geotiff" if gsd is not None else None, path, further)


def _read_header(path: Path) -> tuple[int, int, dict[str, Any]]:
    from PIL import Image

    with without_size_limit(), Image.open(path) as picture:
        width, height = picture.size
        return width, height, read_geotiff(picture) if picture.format == "TIFF" else {}


_limit = threading.Lock()


@contextmanager
def without_size_limit() -> Iterator[None]:
    """Pillow refuses to open what takes much memory to decode, as some of DOTA; here only headers are read."""
    import warnings

    from PIL import Image

    with _limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd TIFF tags: the size is all that is needed
        kept, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = kept


def read_list(path: str | os.PathLike[str]) -> list[str]:
    """--image-list: one image name a line, with or without ending and folder. DataError if there are none."""
    shown = Path(path).as_posix()
    lines = as_text(read_bytes(Path(path), shown), shown).split("\n")
    paths = [PurePosixPath(line.strip().replace("\\", "/")) for line in lines if line.strip()]
    names = [without_picture_suffix(path.name) for path in paths]
    if not names:
        raise DataError(f"{shown} names no image.", hint="--image-list FILE has one image name a line.")
    return list(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A row of --image-table: an image id, and what the table says of the image."""

    image_id: str
    record: ImageRecord


OWN_COLUMNS = frozenset(IMAGE_COLUMNS)  # these have a type of their own
TABLE_COLUMNS = "image_id, and any of width, height, gsd, crs, path, acquired, truncated"


def read_table(path: str | os.PathLike[str], journal: Journal) -> list[ImageRow]:
    """--image-table: a CSV (comma, semicolon or tab) or Parquet file with a column `image_id`.

    `width`, `height` (pixels) and `gsd` (metres a pixel) are checked, every other column is kept as it is.
    DataError for other columns than these take, for a row that is too short or long and for an image named twice.
    """
    shown = Path(path).as_posix()
    if Path(path).suffix.lower() in {".parquet", ".pq"}:
        header, rows = _parquet_rows(Path(path), shown)
    else:
        header, rows = _csv_rows(as_text(read_bytes(Path(path), shown), shown), shown, journal)
    if "image_id" not in header:
        columns = ", ".join(header[:8]) or "none"
        message = f"{shown}: no column 'image_id'; it has {columns}."
        raise DataError(message, hint=f"--image-table takes {TABLE_COLUMNS}.")
    if len(header) == 1:
        raise DataError(
            f"{shown}: no column beside 'image_id'.",
            hint=f"--image-table takes {TABLE_COLUMNS}. For names alone there is --image-list.",
        )
    table: dict[str, ImageRow] = {}
    for place, row in rows:
        image_id = without_picture_suffix(str(row.pop("image_id") or "").strip())
        if not image_id:
            journal.bad(f"{place}: image_id is empty.")
        elif image_id in table:
            journal.bad(f"{place}: image '{image_id}' is named twice.")
        else:
            table[image_id] = ImageRow(image_id, _table_record(image_id, place, row, journal))
    return list(table.values())


def _table_record(image_id: str, place: str, row: dict[str, Any], journal: Journal) -> ImageRecord:
    sizes: dict[str, int | None] = {}
    for side in ("width", "height"):
        text = row.pop(side, None)
        value = _number(text)
        sizes[side] = as_size(value)
        if value is not None and sizes[side] is None:
            journal.bad(f"{place}: {side} must be a whole number of pixels above 0, got {text}.")
    gsd_text = row.pop("gsd", None)
    gsd_value = _number(gsd_text)
    if isinstance(gsd_value, str):
        journal.bad(f"{place}: gsd must be a number of metres a pixel, got '{gsd_text}'.")
        gsd_value = None
    gsd = parse_gsd(gsd_value, place, journal)
    picture = row.pop("path", None)
    further = {key: value for key, value in row.items() if value is not None and value != ""}
    source = further.pop("gsd_source", None) or "image table"
    gsd_source = source if gsd is not None else None
    name = ImageName(image_id)
    return ImageRecord(name, sizes["width"], sizes["height"], gsd, gsd_source, picture or None, further)


def _number(value: Any) -> Any:
    """A field of the table as a number where it reads as one, None where it is missing, else as it is."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() in MISSING:
        return None
    try:
        return float(value)
    except ValueError:
        return value.strip()


def _csv_rows(text: str, shown: str, journal: Journal) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise DataError(f"{shown}:1: column '{doubled[0]}' occurs twice.")
    rows: list[tuple[str, dict[str, Any]]] = []
    try:
        for fields in reader:
            place = f"{shown}:{reader.line_num}"
            if not any(value.strip() for value in fields):
                continue
            if len(fields) != len(header):
                journal.bad(f"{place}: expected {len(header)} columns ({', '.join(header[:8])}), got {len(fields)}.")
                continue
            rows.append((place, dict(zip(header, (value.strip() for value in fields), strict=True))))
    except csv.Error as error:
        raise DataError(f"{shown}:{reader.line_num}: not a CSV table: {error}.") from error
    for name in set(header) - OWN_COLUMNS:
        for (_, row), value in zip(rows, typed_texts([row[name] for _, row in rows]), strict=True):
            row[name] = value
    return header, rows


def _parquet_rows(path: Path, shown: str) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        table.validate(full=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{shown}: cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    rows = [(f"{shown}: row {number}", row) for number, row in enumerate(table.to_pylist())]
    return list(table.column_names), rows

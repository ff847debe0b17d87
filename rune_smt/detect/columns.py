"""Columns of mixed scalars to Arrow: one type a column, missing values null."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rune_smt.detect.records import ImageRecord, Journal
from rune_smt.entities.incoming import IMAGE_COLUMNS

LARGEST_INT = 2**63 - 1
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def arrow_column(values: NDArray[Any] | Sequence[Any], *, want: str | None = None) -> tuple[Any, str, bool]:
    """An Arrow array, its kind (boolean, number or text), and whether values of several kinds had to become text.

    want  the kind that a vocabulary declares: 0 and 1 become booleans, booleans numbers, anything a text, if it asks
    """
    if isinstance(values, np.ndarray) and values.dtype != object:
        kind = "boolean" if values.dtype == np.bool_ else "number"
        if want in (None, kind):
            return pa.array(values, from_pandas=True), kind, False
        values = values.tolist()
    listed = [None if _missing(value) else value for value in values]
    kinds = {_kind(value) for value in listed if value is not None}
    kind = _common(kinds, listed, want)
    match kind:
        case "boolean":
            return pa.array([None if v is None else bool(v) for v in listed], pa.bool_()), kind, False
        case "number":
            whole = all(v is None or (isinstance(v, int) and abs(v) <= LARGEST_INT) for v in listed)
            convert, dtype = (int, pa.int64()) if whole else (float, pa.float64())
            return pa.array([None if v is None else convert(v) for v in listed], dtype), kind, False
        case _:
            return pa.array([None if v is None else _text(v) for v in listed], pa.string()), "text", len(kinds) > 1


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "boolean"
    return "number" if isinstance(value, int | float | np.number) else "text"


def _common(kinds: set[str], values: Iterable[Any], want: str | None) -> str:
    if want == "text":
        return "text"
    if want == "boolean" and kinds <= {"boolean", "number"} and all(v is None or v in (0, 1) for v in values):
        return "boolean"
    if kinds <= {"boolean"} and kinds and want != "number":
        return "boolean"
    return "number" if kinds <= {"boolean", "number"} and (kinds or want != "boolean") else (want or "text")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def images_table(ids: Sequence[str], records: Sequence[ImageRecord], journal: Journal) -> Any:
    """The table `images` (INTERFACE, "Tables"): the standard columns, then every further field of the sources."""
    columns: dict[str, Any] = {
        "image_id": pa.array(ids, pa.string()),
        "width": pa.array([record.width for record in records], pa.int32()),
        "height": pa.array([record.height for record in records], pa.int32()),
        "gsd": pa.array([record.gsd for record in records], pa.float64()),
        "gsd_source": pa.array([record.gsd_source for record in records], pa.string()),
        "path": pa.array([record.path for record in records], pa.string()),
    }
    names = dict.fromkeys(name for record in records for name in record.further)
    for name in (*(n for n in IMAGE_COLUMNS if n not in columns), *(n for n in names if n not in IMAGE_COLUMNS)):
        values = [record.further.get(name) for record in records]
        if name not in IMAGE_COLUMNS:
            columns[name], _, mixed = arrow_column(values)
            if mixed:
                journal.note("column mixed", f"{name} of the images")
            continue
        convert = CONVERT[name]
        checked = []
        for image_id, value in zip(ids, values, strict=True):
            try:
                checked.append(None if _missing(value) or value == "" else convert(value))
            except ValueError as error:
                journal.bad(f"image '{image_id}': {name} {error}.")
                checked.append(None)
        columns[name] = pa.array(checked, IMAGE_COLUMNS[name])
    return pa.table(columns)


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    try:
        return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None)
    except ValueError as error:
        raise ValueError(f"must be a date like 2021-08-29T16:05:00, got '{value}'") from error


def _truth(value: Any) -> bool:
    found = value if isinstance(value, bool) else TRUTH.get(str(value).strip().lower())
    if found is None:
        raise ValueError(f"must be true or false, got '{value}'")
    return found


def _six_numbers(value: Any) -> list[float]:
    try:
        numbers = [float(v) for v in (re.split(r"[\s,;]+", value.strip("[] ")) if isinstance(value, str) else value)]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 6 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"must be six numbers, got '{value}'")
    return numbers


CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "crs": _text,
    "transform": _six_numbers,
    "acquired": _time,
    "sha256": _text,
    "truncated": _truth,
}


def typed_texts(values: Sequence[str | None]) -> list[Any]:
    """Texts of a CSV column as numbers or booleans, where every one of them reads so; 007 stays a text."""
    known = [value for value in values if value not in (None, "")]
    for convert in (_whole, _decimal, _word_truth):
        try:
            found = {value: convert(value) for value in known if value is not None}
        except ValueError:
            continue
        return [found.get(value) if value not in (None, "") else None for value in values]
    return [value if value != "" else None for value in values]


def _whole(text: str) -> int:
    if text != str(int(text)):
        raise ValueError(text)
    return int(text)


def _decimal(text: str) -> float:
    if len(text) > 1 and text[0] == "0" and text[1].isdigit():
        raise ValueError(text)
    return float(text)


def _word_truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"

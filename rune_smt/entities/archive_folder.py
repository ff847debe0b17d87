"""The files of an archive that is one folder: written whole or not at all, checked and mapped when they are read."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from ..errors import DataError
from .columns import table_over
from .incoming import Incoming
from .nearest import nearest_name
from .table import EntityTable, ImageTable

FORMAT = "rune-smt archive"
VERSION = 1
MANY_PARTS = 2  # the version of a header that lists parts: programs that know none refuse it

ENTITIES, IMAGES, HEADER = "entities.parquet", "images.parquet", "archive.json"
COLUMNS, OFFSETS, IMAGES_MAPPED = "columns.arrow", "offsets.arrow", "images.arrow"
MAPPED = (COLUMNS, OFFSETS, IMAGES_MAPPED)
FILES = (ENTITIES, IMAGES, *MAPPED)

ROW_GROUP = 1 << 16
HERE, EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of linux/fcntl.h and linux/fs.h


@dataclass(frozen=True)
class Facts:
    """What archive.json holds beside the files' sizes.

    vocabulary       {"name": ..., "toml": ...}, opaque here; None where there is none
    reference_areas  px2 by class, kept from when the archive was first made
    assumptions      what was assumed when it was made, such as "assume_extent"
    repaired         how many outlines crossed themselves when read
    unusable_gsd     images whose gsd was given but is no number from 0.005 to 1000
    merged           classes of which some entities are masks: things that touch are one, so counts are lower bounds
    calibration      how a detector's scores became the probabilities that stand here, opaque; None for scores as given
    """

    vocabulary: Mapping[str, str] | None = None
    reference_areas: Mapping[str, float] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    repaired: int = 0
    unusable_gsd: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    calibration: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As they stand in archive.json."""
        return {
            "reference_areas": dict(self.reference_areas),
            "assumptions": list(self.assumptions),
            "repaired": self.repaired,
            "unusable_gsd": list(self.unusable_gsd),
            "merged": list(self.merged),
            "calibration": self.calibration,
            "vocabulary": None if self.vocabulary is None else dict(self.vocabulary),
        }

    @classmethod
    def from_json(cls, header: Mapping[str, Any]) -> Facts:
        """From what `read_header` gives."""
        return cls(
            vocabulary=header["vocabulary"],
            reference_areas=header["reference_areas"],
            assumptions=tuple(header["assumptions"]),
            repaired=header["repaired"],
            unusable_gsd=tuple(header["unusable_gsd"]),
            merged=tuple(header.get("merged", ())),
            calibration=header.get("calibration"),
        )


def is_archive(path: str | Path) -> bool:
    """Whether a path looks like an archive: a folder with archive.json."""
    return (Path(path) / HEADER).is_file()


# --- writing ----------------------------------------------------------------------------------------------------------


def refuse_existing(path: Path, overwrite: bool) -> None:
    """DataError where something is in the way: a folder that is no archive, or an archive that is to stay."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not is_archive(path):
        raise DataError(f"{path} exists and is not an archive; it is left alone.", hint="Choose another output.")
    if not overwrite:
        raise DataError(f"{path} exists.", hint="Add to it with --append, or replace it with --overwrite.")


def write_folder(path: Path, fill: Callable[[Path], None], overwrite: bool, beside: Path | None = None) -> None:
    """Has a folder filled beside `path` and puts it there: a crash leaves the old archive, or none.

    beside  that folder, on the same disk; None for one with a name of its own
    """
    path = path.absolute()
    beside = beside or path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        try:
            fill(beside)
            refuse_existing(path, overwrite)
            _move_into_place(beside, path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from None


def write_files(incoming: Incoming, facts: Facts, folder: Path) -> None:
    """The files of an archive, into a folder that is there."""
    pq.write_table(incoming.entities, folder / ENTITIES, compression="zstd", row_group_size=ROW_GROUP)
    pq.write_table(incoming.images, folder / IMAGES, compression="zstd")
    for name, table in (
        (COLUMNS, incoming.columns),
        (OFFSETS, incoming.offsets),
        (IMAGES_MAPPED, incoming.images.combine_chunks()),
    ):
        with pa.OSFile(str(folder / name), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    table = incoming.table
    header = {
        "format": FORMAT,
        "version": VERSION,
        "counts": {"images": len(table.images), "entities": len(table)},
        "classes": list(table.classes),
        **facts.to_json(),
        "files": {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in FILES},
    }
    (folder / HEADER).write_text(as_text(header), encoding="utf-8")
    for file in folder.iterdir():
        sync(file)
    sync(folder)


def as_text(header: Mapping[str, Any]) -> str:
    """The text of archive.json."""
    return json.dumps(header, indent=1, ensure_ascii=False) + "\n"


def _move_into_place(beside: Path, path: Path) -> None:
    """`beside` becomes `path`; what was there is `beside` then, or gone."""
    if not path.exists():
        beside.rename(path)
    elif not _exchange(beside, path):
        old = path.parent / f".{path.name}.{secrets.token_hex(4)}.old"
        path.rename(old)
        try:
            beside.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    sync(path.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Has two folders take each other's names in one step, where the system can (Linux: renameat2)."""
    import ctypes

    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    return bool(rename(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)


def sync(path: Path) -> None:
    """Hands a file or folder to the disk; where folders cannot be opened, as on Windows, only files."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Of a file's contents. Raises DataError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


# --- reading ----------------------------------------------------------------------------------------------------------


def again(path: Path) -> str:
    """The way out of a damaged archive."""
    return f"Index the sources again: rune-smt index SOURCE... -o {path} --overwrite"


def read_header(path: Path) -> dict[str, Any]:
    """What archive.json says. Raises DataError where there is none, or it is damaged or of another version."""
    file = path / HEADER
    if not path.exists():
        near = nearest_name(path.name, _archives_beside(path))
        hint = (
            f"Nearest: {path.parent / near}." if near is not None else f"Make one: rune-smt index SOURCE... -o {path}"
        )
        raise DataError(f"No archive at {path}.", hint=hint)
    if not file.is_file():
        raise DataError(
            f"{path} is not an archive: it has no {HEADER}.", hint=f"Make one: rune-smt index {path} -o NAME.rune"
        )
    try:
        header = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(f"{file} is damaged: {error}", hint=again(path)) from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(f"{path} is not an archive: its {HEADER} is of something else.")
    version = header.get("version")
    if not isinstance(version, int) or version not in _NEEDED:
        raise DataError(
            f"{path} is an archive of another version: {version}; this program reads versions 1 and 2.",
            hint=f"{again(path)}. Or open it with the rune-smt that made it.",
        )
    missing = [name for name in _NEEDED[version] if name not in header]
    if missing:
        raise DataError(f"{file} is damaged: it has no '{missing[0]}'.", hint=again(path))
    wrong = next((name for name, right in _SHAPES.items() if name in header and not right(header[name])), None)
    if wrong is not None:
        raise DataError(f"{file} is damaged: its '{wrong}' is not what an archive writes.", hint=again(path))
    return header


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _folder(value: Any, of: type | tuple[type, ...]) -> bool:
    return isinstance(value, dict) and all(isinstance(each, of) and each is not True for each in value.values())


# What every member of archive.json has to look like, whatever else it says.
_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "classes": _texts,
    "reference_areas": lambda value: _folder(value, (int, float)),
    "assumptions": _texts,
    "repaired": lambda value: isinstance(value, int),
    "unusable_gsd": _texts,
    "merged": _texts,
    "calibration": lambda value: value is None or isinstance(value, dict),
    "vocabulary": lambda value: value is None or (_folder(value, str) and {"name", "toml"} <= value.keys()),
    "files": lambda value: _folder(value, dict),
    "attributes": lambda value: isinstance(value, dict),
    "parts": lambda value: isinstance(value, list) and all(isinstance(e, dict) and "path" in e for e in value),
}


_FACTS = ("classes", "reference_areas", "assumptions", "repaired", "unusable_gsd", "vocabulary")
_NEEDED: Mapping[Any, Iterable[str]] = {
    VERSION: (*_FACTS, "files"),
    MANY_PARTS: (*_FACTS, "attributes", "parts"),
}


def _archives_beside(path: Path) -> list[str]:
    try:
        return [other.name for other in path.parent.iterdir() if is_archive(other)]
    except OSError:
        return []


def open_files(path: Path, header: Mapping[str, Any]) -> tuple[EntityTable, Any, Any]:
    """The table of an archive that is one folder, mapped; its entities where they had to be read; a map of them else.

    Raises DataError where a file is missing or damaged.
    """
    areas = header["reference_areas"]
    if not _check_sizes(path, header["files"]):
        from .incoming import take_in

        incoming = take_in(read_parquet(path / ENTITIES), read_parquet(path / IMAGES), areas)
        return incoming.table, incoming.entities, None
    columns, offsets, images = (_map(path / name) for name in (COLUMNS, OFFSETS, IMAGES_MAPPED))
    try:
        table = table_over(columns, offsets, ImageTable.from_arrow(images), header["classes"], areas)
    except (pa.ArrowException, KeyError, ValueError, TypeError, DataError) as error:
        raise DataError(f"{path / COLUMNS} is damaged: {error}", hint=again(path)) from None
    try:
        with pa.memory_map(str(path / ENTITIES)) as source:
            return table, None, source.read_buffer()
    except OSError as error:
        raise DataError(f"{path / ENTITIES} cannot be read: {error}", hint=again(path)) from None


def verify_files(path: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Compares every file with its checksum. Raises DataError that names the first that differs."""
    for name, known in files.items():
        file = path / name
        if name in MAPPED and not file.exists():
            continue
        if sha256(file) != known["sha256"]:
            raise DataError(f"{file} is damaged: its contents are not those that were written.", hint=again(path))


def _check_sizes(path: Path, files: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether all mapped files are there. Raises DataError for a missing Parquet file, or any that is cut short."""
    mapped = True
    for name in FILES:
        file = path / name
        if not file.is_file():
            if name not in MAPPED:
                raise DataError(f"{file} is missing.", hint=again(path))
            mapped = False
            continue
        size, written = file.stat().st_size, files.get(name, {}).get("bytes")
        if size != written:
            raise DataError(f"{file} is damaged: it has {size} bytes, {written} were written.", hint=again(path))
    return mapped


def _map(file: Path) -> Any:
    try:
        with pa.memory_map(str(file)) as source:
            table = pyarrow.ipc.open_file(source).read_all()
        table.validate()  # lengths of buffers only; contents are `Archive.verify`'s
        return table
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is damaged: {error}", hint=again(file.parent)) from None


def read_parquet(file: Path, mapped: Any = None) -> Any:
    """A table. Raises DataError where the file is damaged.

    mapped  its contents, where they were mapped before: the file may be another by now
    """
    return _read(file, mapped, partial(pq.read_table, memory_map=True))


def read_schema(file: Path, mapped: Any = None) -> Any:
    """Its schema alone: nothing else of the file is read. As `read_parquet`."""
    return _read(file, mapped, pq.read_schema)


def _read(file: Path, mapped: Any, read: Callable[[Any], Any]) -> Any:
    try:
        return read(file if mapped is None else pa.BufferReader(mapped))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is damaged: {error}", hint=again(file.parent)) from None

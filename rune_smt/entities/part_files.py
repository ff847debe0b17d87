"""An archive of many parts on disk: each a folder below `parts/` that is an archive by itself, listed by the whole.

Parts are never changed. What makes one part of the archive is its line in archive.json, which is replaced in one step:
a reader sees all of an append or nothing, and a crash leaves what was there before.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ..errors import DataError
from .archive_folder import (
    ENTITIES,
    FILES,
    FORMAT,
    HEADER,
    MANY_PARTS,
    VERSION,
    Facts,
    again,
    as_text,
    read_header,
    sha256,
    sync,
    verify_files,
    write_files,
)
from .incoming import Incoming
from .parts import joined_kinds

PARTS = "parts"
LOCK = ".lock"


def part_name(number: int) -> str:
    """parts/00001"""
    return f"{PARTS}/{number:05d}"


def number_of(name: str) -> int:
    """1"""
    return int(name.rpartition("/")[2])


def header_over(folder: Path, names: Sequence[str], facts: Facts) -> dict[str, Any]:
    """The header of an archive of these parts, which lie below `folder`.

    Raises DataError where the columns of two parts do not fit.
    """
    headers = [read_header(folder / name) for name in names]
    lines = [
        {"path": name, "counts": header["counts"], "sha256": sha256(folder / name / HEADER)}
        for name, header in zip(names, headers, strict=True)
    ]
    counts = {key: sum(header["counts"][key] for header in headers) for key in ("images", "entities")}
    return {
        "format": FORMAT,
        "version": MANY_PARTS,
        "counts": counts,
        "classes": sorted({name for header in headers for name in header["classes"]}),
        "attributes": joined_kinds([pq.read_schema(folder / name / ENTITIES) for name in names]),
        **facts.to_json(),
        "parts": lines,
    }


def commit(folder: Path, header: Mapping[str, Any]) -> None:
    """Puts archive.json in the place of the one that is there, in one step."""
    beside = folder / f".{HEADER}.{secrets.token_hex(4)}.tmp"
    try:
        beside.write_text(as_text(header), encoding="utf-8")
        sync(beside)
        beside.replace(folder / HEADER)
    finally:
        beside.unlink(missing_ok=True)
    sync(folder)


def add_folders(
    path: Path, facts: Facts, known: bytes, fill: Callable[[Path], Sequence[Path]], instead_of: Sequence[str] = ()
) -> None:
    """Adds parts to an archive of one part or many, all or none.

    facts   of the whole, the new parts included
    known   archive.json as it was when the archive was opened
    fill    gives the parts' folders, in order; it may make them in the folder that it is given
    instead_of  parts, as the header names them, that are left out and deleted then
    Raises DataError where another process has changed the archive since, or it cannot be written.
    """
    folder = path / PARTS
    beside = folder / f".{secrets.token_hex(4)}.tmp"
    try:
        with locked(path):
            refuse_changed(path, known)
            for left in folder.glob(".*.tmp"):  # by a writer that was killed
                shutil.rmtree(left, ignore_errors=True)
            beside.mkdir(parents=True)
            try:
                _list_parts(path, fill(beside), facts, instead_of)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from None


def add_part(path: Path, incoming: Incoming, facts: Facts, known: bytes) -> None:
    """Adds one part; see `add_folders`."""

    def fill(beside: Path) -> list[Path]:
        (beside / "0").mkdir()
        write_files(incoming, facts, beside / "0")
        return [beside / "0"]

    add_folders(path, facts, known, fill)


def _list_parts(path: Path, folders: Sequence[Path], facts: Facts, instead_of: Sequence[str]) -> None:
    header = read_header(path)
    names = [part["path"] for part in header.get("parts", ())]
    if header["version"] == VERSION:
        names = [part_name(1)]
        _link_first(path, path / names[0])
    for number, folder in enumerate(folders, max(map(number_of, names)) + 1):
        name = part_name(number)
        shutil.rmtree(path / name, ignore_errors=True)  # what a crash left there is not listed
        folder.rename(path / name)
        names.append(name)
    sync(path / PARTS)
    commit(path, header_over(path, [name for name in names if name not in instead_of], facts))
    for file in FILES:  # now those of the first part
        (path / file).unlink(missing_ok=True)
    for name in instead_of:
        shutil.rmtree(path / name, ignore_errors=True)


def fill_with(folders: Sequence[Path], facts: Facts, path: Path) -> None:
    """Makes the folder of a new archive from those of its parts: of one its files, of more a header over them."""
    if len(folders) == 1:
        for file in folders[0].iterdir():
            file.rename(path / file.name)
    else:
        (path / PARTS).mkdir()
        names = [part_name(number) for number in range(1, len(folders) + 1)]
        for folder, name in zip(folders, names, strict=True):
            folder.rename(path / name)
        sync(path / PARTS)
        commit(path, header_over(path, names, facts))
    sync(path)


def replace_facts(path: Path, facts: Facts, known: bytes) -> None:
    """Changes what an archive's header says of the whole. Raises DataError as `add_part` does."""
    try:
        with locked(path):
            refuse_changed(path, known)
            commit(path, {**read_header(path), **facts.to_json()})
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from None


def _link_first(path: Path, part: Path) -> None:
    """The files of an archive of one part as its first part too: links where the disk has them, else copies."""
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name in FILES:
        if not (path / name).exists():
            continue
        try:
            os.link(path / name, part / name)
        except OSError:
            shutil.copy2(path / name, part / name)
            sync(part / name)
    shutil.copy2(path / HEADER, part / HEADER)  # a copy: that of the whole is replaced
    sync(part / HEADER)
    sync(part)


def refuse_changed(path: Path, known: bytes) -> None:
    """DataError where archive.json is not what it was."""
    if (path / HEADER).read_bytes() != known:
        raise DataError(f"{path} was changed by another process meanwhile; nothing was added.", hint="Run it again.")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other writers of the archive out, on systems that have file locks; a crash lets go of it."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (path / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def verify_parts(path: Path, header: Mapping[str, Any]) -> None:
    """Compares every file of every part with its checksum. Raises DataError that names the first that differs."""
    for part in header["parts"]:
        folder = path / part["path"]
        text = _bytes_of(folder / HEADER, path)
        if hashlib.sha256(text).hexdigest() != part["sha256"]:
            raise DataError(
                f"{folder / HEADER} is damaged: its contents are not those that were written.", hint=again(path)
            )
        verify_files(folder, read_header(folder)["files"])


def _bytes_of(file: Path, path: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.", hint=again(path)) from None

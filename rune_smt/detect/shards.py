"""Reads many files in stretches of them, side by side, and keeps what was read on disk until the archive is written.

A shard is a stretch of the files in reading order. What a reader finds in it goes to two files in a folder beside the
archive: NNNNN.arrow (columns and outlines, mapped when they are needed) and NNNNN.json (images, labels, journal). The
second is written when the first is whole, and holds the digest of what it was made from: a run that was interrupted
goes on with the shards that lie there already.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.ipc

from rune_smt.detect.assemble import Assembled, Assembly, merged, running_numbers
from rune_smt.detect.formats import find_format
from rune_smt.detect.records import ImageName, ImageRecord, Journal, ReadOptions, SourceFile, Tally

SHARD_BYTES = 16 << 20  # text of one shard, about 250,000 entities of labelTxt, and half a gigabyte while it is read
WRITTEN = 1  # of these files; another number is read anew
PLAIN = ("image", "given", "label", "score", "out")


Run: TypeAlias = Callable[[Callable[["Shard"], None], Sequence["Shard"]], Iterable[None]]  # carries out tasks in order


@dataclass(frozen=True, slots=True)
class Shard:
    """A stretch of files to read, and where what is found in them is kept.

    place  the two files' common path without ending
    """

    format: str
    files: tuple[SourceFile, ...]
    options: ReadOptions
    place: Path

    @property
    def digest(self) -> str:
        """Of everything that what is read depends on: options, and name, size and time of every file."""
        options = {
            name: str(getattr(self.options, name))
            for name in ("image_size", "names", "mask_suffix", "min_area", "keep_crowd", "simplify")
        }
        listed = [(file.origin, file.shown, *_stamp(file.path)) for file in self.files]
        known = json.dumps([WRITTEN, self.format, options, self.options.journal.skip_bad, listed])
        return hashlib.sha256(known.encode()).hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return -1, -1  # reading says what is the matter
    return stat.st_size, stat.st_mtime_ns


def shards_of(
    format: str, files: Sequence[SourceFile], options: ReadOptions, folder: Path, size: int
) -> list[Shard]:
    """The files in stretches of about `size` bytes, in their order."""
    sizes = np.array([max(_stamp(file.path)[0], 0) for file in files], np.int64)
    number = (np.cumsum(sizes) - sizes) // size
    starts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(files)]
    plain = replace(options, journal=Journal(skip_bad=options.journal.skip_bad), pictures=None, tell=None)
    absolute = [replace(file, path=Path(file.path).absolute()) for file in files]  # other processes may stand elsewhere
    return [
        Shard(format, tuple(absolute[start:stop]), plain, folder / f"{i:05d}")
        for i, (start, stop) in enumerate(pairwise(starts))
    ]


def read_shards(
    shards: Sequence[Shard], run: Run, journal: Journal, tell: Callable[[float], None] | None
) -> Spilled:
    """Has every shard read that is not there yet, and gathers what was found.

    Raises DataError for the first bad place in the order of the files.
    """
    there = {shard.place for shard in shards if _kept_digest(shard.place) == shard.digest}
    missing = [shard for shard in shards if shard.place not in there]
    files = sum(len(shard.files) for shard in shards if shard.place in there)
    if files:
        journal.note("shards resumed", count=files)
    for shard, _ in zip(missing, run(read_shard, missing), strict=True):
        files += len(shard.files)
        if tell is not None:
            tell(files)
    return _gathered(shards, journal)


def read_shard(shard: Shard) -> None:
    """Reads the files of a shard and writes what was found."""
    journal = Journal(skip_bad=shard.options.journal.skip_bad)
    assembly = Assembly(journal)
    for chunk in find_format(shard.format).read(shard.files, replace(shard.options, journal=journal)):
        assembly.add(chunk)
    read = assembly.finish()
    columns: dict[str, Any] = {
        "image": read.image,
        "given": assembly.given(),
        "label": read.label,
        "score": read.scores,
        "out": read.left_out,
        "geometry": read.geometry,
        "origin": read.origins,
    }
    for name, values in read.attributes.items():
        if values.dtype == object:
            texts = [None if value is None else json.dumps(value) for value in values.tolist()]
            columns[f"json {name}"] = pa.array(texts, pa.string())
        else:
            columns[f"flat {name}"] = values
    table = pa.table(columns)
    beside = shard.place.with_suffix(f".{secrets.token_hex(4)}.tmp")
    with pa.OSFile(str(beside), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    beside.replace(shard.place.with_suffix(".arrow"))
    told = {
        "digest": shard.digest,
        "images": [asdict(record) for record in read.images],
        "labels": read.labels,
        "areas": read.areas,
        "merged": sorted(read.merged),
        "tallies": {kind: asdict(tally) for kind, tally in journal.tallies.items()},
        "skipped": journal.skipped,
    }
    beside.write_text(json.dumps(told), encoding="utf-8")
    beside.replace(shard.place.with_suffix(".json"))


def _kept_digest(place: Path) -> str:
    try:
        return str(json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))["digest"])
    except (OSError, ValueError, KeyError):
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class Spilled:
    """What all shards hold, as one: numbers in memory, outlines and origins mapped.

    read    as a reader in one process would have found it
    places  the shards' files, and first: int64 (shards+1,), the row at which each begins
    """

    read: Assembled
    places: tuple[Path, ...]
    first: np.ndarray[Any, np.dtype[np.int64]]


def map_shard(place: Path) -> Any:
    """The columns of a shard, mapped."""
    with pa.memory_map(str(place.with_suffix(".arrow"))) as source:
        return pyarrow.ipc.open_file(source).read_all()


def _gathered(shards: Sequence[Shard], journal: Journal) -> Spilled:
    images: dict[ImageName, int] = {}
    records: list[ImageRecord] = []
    codes: dict[str, int] = {}
    columns: dict[str, list[Any]] = {name: [] for name in (*PLAIN, "geometry", "origin")}
    attributes: list[dict[str, Any]] = []
    areas: list[Mapping[str, float]] = []
    together: set[str] = set()
    sizes: list[int] = []
    for shard in shards:
        told = json.loads(shard.place.with_suffix(".json").read_text(encoding="utf-8"))
        table = map_shard(shard.place)
        place = _placed([_record(document) for document in told["images"]], images, records)
        label = np.array([codes.setdefault(text, len(codes)) for text in told["labels"]], np.int64)
        plain = {name: table.column(name).to_numpy() for name in PLAIN}
        plain["image"] = place[plain["image"]] if len(place) else plain["image"]
        plain["label"] = label[plain["label"]] if len(label) else plain["label"]
        for name, values in plain.items():
            columns[name].append(values)
        for name in ("geometry", "origin"):
            columns[name] += table.column(name).chunks
        attributes.append(_attributes_of(table))
        areas += told["areas"]
        together |= set(told["merged"])
        sizes.append(len(table))
        for kind, tally in told["tallies"].items():
            journal.take_in(kind, Tally(**tally))
        journal.skipped += told["skipped"]
    image, given = np.concatenate(columns["image"]), np.concatenate(columns["given"])
    read = Assembled(
        images=tuple(records),
        image=image,
        entity_id=np.where(given >= 0, given, running_numbers(image)),
        labels=tuple(codes),
        label=np.concatenate(columns["label"]),
        scores=np.concatenate(columns["score"]),
        geometry=pa.chunked_array(columns["geometry"], pa.large_binary()),
        origins=pa.chunked_array(columns["origin"], pa.string()),
        attributes=_joined_attributes(attributes, sizes),
        left_out=np.concatenate(columns["out"]),
        areas=tuple(areas),
        merged=frozenset(together),
    )
    return Spilled(read, tuple(shard.place for shard in shards), np.concatenate([[0], np.cumsum(sizes)]))


def _record(document: Mapping[str, Any]) -> ImageRecord:
    return ImageRecord(**{**document, "name": ImageName(**document["name"])})


def _placed(mine: Sequence[ImageRecord], images: dict[ImageName, int], records: list[ImageRecord]) -> Any:
    """The position of each record's image among all, int64; what it says is kept where nothing was known before."""
    place = np.empty(len(mine), np.int64)
    for index, record in enumerate(mine):
        known = images.setdefault(record.name, len(records))
        if known == len(records):
            records.append(record)
        else:
            records[known] = merged(records[known], record)
        place[index] = known
    return place


def _attributes_of(table: Any) -> dict[str, Any]:
    """Columns by the source's own names, as `Assembled` has them."""
    found: dict[str, Any] = {}
    for column in table.column_names:
        kind, _, name = column.partition(" ")
        if kind == "flat":
            found[name] = table.column(column).to_numpy()
        elif kind == "json":
            values = np.empty(len(table), object)
            values[:] = [None if text is None else json.loads(text) for text in table.column(column).to_pylist()]
            found[name] = values
    return found


def _joined_attributes(pieces: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> dict[str, Any]:
    """One column over all rows; None where a shard had no such field."""
    joined: dict[str, Any] = {}
    for name in dict.fromkeys(name for piece in pieces for name in piece):
        own = [piece.get(name) for piece in pieces]
        flat: list[Any] = [values for values, size in zip(own, sizes, strict=True) if size]
        if all(values is not None and values.dtype != object for values in flat):
            joined[name] = np.concatenate(flat)
            continue
        column = np.full(sum(sizes), None, object)
        start = 0
        for values, size in zip(own, sizes, strict=True):
            if values is not None:
                column[start : start + size] = values.tolist()
            start += size
        joined[name] = column
    return joined

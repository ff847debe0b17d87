"""Builds an archive's parts side by side from what readers left on disk, and puts them in place together.

Everything lies in a folder beside the archive, `.NAME.indexing`, until the archive is written: shards (see
detect/shards.py), and finished parts in a folder that is named for all they depend on. A run that was interrupted goes
on with them when the same command is given again; the folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa

from rune_smt.detect.shards import Spilled, map_shard
from rune_smt.entities import compute as pc
from rune_smt.entities.archive import Archive, add_parts, write_parts
from rune_smt.entities.archive_folder import Facts, write_files
from rune_smt.entities.incoming import take_in
from rune_smt.errors import DataError
from rune_smt.resolving import Classes, entities_table
from rune_smt.side_by_side import Runner

LOCK = "lock"


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What becomes one part.

    place      the folder to make
    images     Arrow table of its images
    image      int64 (n,) row of `images`; label int64 (n,) index of `labels` and `sources`
    columns    entity_id, score and attributes, Arrow arrays (n,)
    picks      files of shards, and the rows of each whose outlines and origins follow one another
    areas      reference areas that are known, px2 by class
    """

    place: Path
    images: Any
    image: Any
    label: Any
    labels: tuple[str, ...]
    sources: tuple[str, ...]
    columns: Mapping[str, Any]
    picks: tuple[tuple[Path, Any], ...]
    areas: Mapping[str, float]
    facts: Facts


def build_piece(piece: Piece) -> None:
    """Writes a part, all of it or nothing; what is there already stays."""
    if piece.place.exists():
        return
    geometry, origins = [], []
    for place, rows in piece.picks:
        shard, taken = map_shard(place), pa.array(rows)
        geometry.append(shard.column("geometry").combine_chunks().take(taken))
        origins.append(shard.column("origin").combine_chunks().take(taken))
    columns = {
        **piece.columns,
        "geometry": pa.chunked_array(geometry, pa.large_binary()),
        "source": pa.chunked_array(origins, pa.string()),
    }
    ids = piece.images.column("image_id").to_pylist()
    entities = entities_table(ids, piece.labels, piece.sources, piece.image, piece.label, columns)
    incoming = take_in(entities, piece.images, piece.areas)
    beside = piece.place.with_suffix(f".{secrets.token_hex(4)}.tmp")
    beside.mkdir(parents=True)
    table = incoming.table
    fitted = {name: float(area) for name, area in zip(table.classes, table.reference_area, strict=True)}
    facts = replace(
        piece.facts,
        reference_areas={**piece.areas, **fitted},
        repaired=incoming.repaired,
        unusable_gsd=incoming.unusable_gsd,
    )
    write_files(incoming, facts, beside)
    try:
        beside.rename(piece.place)
    except OSError:  # done twice, as a worker that was taken for lost may do
        if not piece.place.exists():
            raise
        shutil.rmtree(beside)


class Pieces(Sequence[Piece]):
    """The pieces of an archive, each made when it is asked for.

    Images go to parts in the order of their ids, so that parts follow one another; an image's entities stay together.
    """

    def __init__(
        self, folder: Path, spilled: Spilled, rows: Any, ids: Sequence[str], images: Any, classes: Classes,
        attributes: Mapping[str, Any], areas: Mapping[str, float], facts: Facts, size: int,
    ):  # fmt: skip
        self.spilled, self.rows, self.images, self.classes = spilled, rows, images, classes
        self.attributes, self.areas, self.facts = attributes, areas, facts
        image = spilled.read.image[rows]
        order = np.asarray(pc.sort_indices(pa.array(ids, pa.string())).to_numpy(), np.int64)
        weight = np.bincount(image, minlength=len(ids))[order] + 1
        number = np.empty(len(ids), np.int64)
        number[order] = (np.cumsum(weight) - weight) // size
        _, self._part = np.unique(number, return_inverse=True)
        self._order, self._image = order, image
        self._count = int(self._part.max(initial=-1)) + 1
        key = [*map(str, spilled.places), vocabulary_key(facts), *classes.label, str(size), str(sorted(areas.items()))]
        digest = hashlib.sha256("\n".join(key).encode())
        for column in (self._part, rows, spilled.read.label, spilled.read.scores):
            digest.update(np.ascontiguousarray(column).tobytes())
        for place in spilled.places:
            digest.update(place.with_suffix(".json").read_bytes())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, images.schema) as writer:
            writer.write_table(images)
        digest.update(sink.getvalue())
        self.folder = folder / f"parts-{digest.hexdigest()[:16]}"

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Piece: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Piece]: ...
    def __getitem__(self, index: int | slice) -> Piece | Sequence[Piece]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        mine = self._order[self._part[self._order] == index]
        local = np.full(len(self._part), -1, np.int64)
        local[mine] = np.arange(len(mine))
        taken = np.flatnonzero(self._part[self._image] == index)
        rows, read = self.rows[taken], self.spilled.read
        shard = np.searchsorted(self.spilled.first, rows, "right") - 1
        picks = tuple(
            (self.spilled.places[number], rows[shard == number] - self.spilled.first[number])
            for number in np.unique(shard).tolist()
        )
        return Piece(
            self.folder / f"{index:05d}",
            self.images.take(pa.array(mine)),
            local[self._image[taken]],
            read.label[rows],
            self.classes.label,
            read.labels,
            {
                "entity_id": pa.array(read.entity_id[rows], pa.int32()),
                "score": pa.array(read.scores[rows], pa.float64()),
                **{name: column.take(pa.array(taken)) for name, column in self.attributes.items()},
            },
            picks,
            self.areas,
            self.facts,
        )


def vocabulary_key(facts: Facts) -> str:
    """What parts take from the vocabulary."""
    return (facts.vocabulary or {}).get("toml", "")


def build(
    pieces: Pieces, run: Runner, out: Path, *, present: Archive | None, refit_sizes: bool, overwrite: bool
) -> Archive:
    """Has every piece built that is not there yet; they become the archive at `out`, or its further parts."""
    pieces.folder.mkdir(parents=True, exist_ok=True)
    missing = [i for i in range(len(pieces)) if not (pieces.folder / f"{i:05d}").exists()]
    for _ in run(build_piece, _Some(pieces, missing)):
        pass
    folders = [pieces.folder / f"{i:05d}" for i in range(len(pieces))]
    if present is None:
        return write_parts(out, folders, pieces.facts, pieces.areas, overwrite)
    return add_parts(present, folders, pieces.facts, refit_sizes)


class _Some(Sequence[Piece]):
    """Some of the pieces."""

    def __init__(self, pieces: Pieces, chosen: list[int]):
        self.pieces, self.chosen = pieces, chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self.pieces[i] for i in self.chosen[index]]
        return self.pieces[self.chosen[index]]


@contextmanager
def working_folder(out: Path) -> Iterator[Path]:
    """The folder beside an archive that is being made; it stays where the work is interrupted, and only then.

    Raises DataError where another process is making the same archive.
    """
    out = out.absolute()
    folder = out.parent / f".{out.name}.indexing"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as file:
            _lock(file, out)
            yield folder
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}.") from None


def _lock(file: Any, out: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise DataError(f"{out} is being made by another process.", hint="Wait for it, or end it.") from None

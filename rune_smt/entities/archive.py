"""An archive: a folder of images and entities that opens by mapping memory, and is written whole or not at all.

entities.parquet  one row an entity, GeoParquet 1.1 in pixel space, sorted by image_id and entity_id
images.parquet    one row an image, sorted by image_id
archive.json      version, vocabulary, reference areas, counts, assumptions, size and SHA-256 of every file
columns.arrow, offsets.arrow, images.arrow   the same in the form that is mapped; made from the two Parquet files, and
                  made again in memory where they are missing
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from ..errors import DataError
from .columns import table_over
from .incoming import Incoming, standard_entities, take_in
from .nearest import nearest_name
from .scene import Scene, describe_counts
from .table import EntityTable, ImageTable

FORMAT = "rune-smt archive"
VERSION = 1

ENTITIES, IMAGES, HEADER = "entities.parquet", "images.parquet", "archive.json"
COLUMNS, OFFSETS, IMAGES_MAPPED = "columns.arrow", "offsets.arrow", "images.arrow"
MAPPED = (COLUMNS, OFFSETS, IMAGES_MAPPED)
FILES = (ENTITIES, IMAGES, *MAPPED)

THUMBNAILS = 12
ROW_GROUP = 1 << 16


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


class Archive:
    """Images and their entities, ready to be searched.

    `archive["P0706"]` is a scene; iterating gives every scene, by image_id; `len` is the number of images.

    path      the folder, None where the archive is in memory only
    table     the entity table, memory-mapped where there is a folder
    facts     vocabulary, reference areas, assumptions
    """

    def __init__(self, table: EntityTable, facts: Facts, *, path: Path | None = None, entities: Any = None):
        self.table = table
        self.facts = facts
        self.path = path
        self._entities = entities

    @property
    def name(self) -> str:
        """The folder's name without its ending; "memory" where there is no folder."""
        return self.path.stem if self.path is not None else "memory"

    @property
    def images(self) -> Any:
        """pyarrow.Table, one row an image: INTERFACE, "Tables"."""
        return self.table.images.arrow

    @property
    def entities(self) -> Any:
        """pyarrow.Table, one row an entity, sorted by image_id and entity_id: INTERFACE, "Tables"."""
        if self._entities is None:
            assert self.path is not None
            self._entities = _read_parquet(self.path / ENTITIES)
        return self._entities

    @property
    def vocabulary_toml(self) -> str:
        """The vocabulary's TOML text; empty where the archive has none."""
        return (self.facts.vocabulary or {}).get("toml", "")

    @property
    def vocabulary_name(self) -> str:
        """The vocabulary's name; empty where the archive has none."""
        return (self.facts.vocabulary or {}).get("name", "")

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What was assumed when the archive was made."""
        return self.facts.assumptions

    @property
    def reference_areas(self) -> dict[str, float]:
        """Median area (px2) of every class, as fixed when the archive was made."""
        return dict(self.facts.reference_areas)

    def __len__(self) -> int:
        return len(self.table.images)

    def __getitem__(self, image_id: str) -> Scene:
        return Scene(self.table, self.table.images.index(image_id))

    def __contains__(self, image_id: object) -> bool:
        return image_id in self.table.images

    def __iter__(self) -> Iterator[Scene]:
        return (Scene(self.table, index) for index in range(len(self)))

    def class_counts(self) -> dict[str, int]:
        """How many entities every class has, by class name."""
        sizes = (self.table.offsets[:, 1:] - self.table.offsets[:, :-1]).sum(axis=0)
        return {name: int(size) for name, size in zip(self.table.classes, sizes, strict=True)}

    def append(
        self,
        entities: Any,
        images: Any,
        *,
        vocabulary: Mapping[str, str] | None = None,
        refit_sizes: bool = False,
        assumptions: Iterable[str] = (),
        merged: Iterable[str] = (),
    ) -> Archive:
        """A new archive with these rows added, written in the place of this one where there is a folder.

        entities, images  pyarrow tables, as for `archive_from_arrow`; entities may belong to images already there
        vocabulary        takes the place of the archive's
        refit_sizes       reference areas are fitted anew; else they stay, and new classes get theirs
        merged            classes of which things that touch are one entity in these rows
        Raises DataError that names the row; the archive is unchanged then.
        """
        both = _joined(self.entities, standard_entities(entities), "entities")
        incoming = take_in(
            both, _joined(self.images, images, "images"), None if refit_sizes else self.facts.reference_areas
        )
        facts = _facts(
            incoming,
            self.facts.vocabulary if vocabulary is None else vocabulary,
            {} if refit_sizes else self.facts.reference_areas,
            tuple(dict.fromkeys((*self.facts.assumptions, *assumptions))),
        )
        facts = replace(
            facts,
            repaired=facts.repaired + self.facts.repaired,
            unusable_gsd=tuple(sorted({*self.facts.unusable_gsd, *facts.unusable_gsd})),
            merged=tuple(sorted({*self.facts.merged, *merged})),
            calibration=self.facts.calibration,
        )
        return _keep(incoming, facts, self.path, replacing=True)

    def verify(self) -> None:
        """Compares every file with its checksum. Raises DataError that names the first that differs."""
        if self.path is None:
            return
        for name, known in _header(self.path)["files"].items():
            file = self.path / name
            if name in MAPPED and not file.exists():
                continue
            if _sha256(file) != known["sha256"]:
                raise DataError(
                    f"{file} is damaged: its contents are not those that were written.", hint=_again(self.path)
                )

    def __repr__(self) -> str:
        place = f"{str(self.path)!r}, " if self.path is not None else ""
        counts = describe_counts(self.class_counts(), 4)
        told = f"{len(self)} images, {len(self.table)} entities" + (f": {counts}" if counts else "")
        return f"Archive({place}{told})"

    def _repr_html_(self) -> str:
        counts = sorted(self.class_counts().items(), key=lambda item: (-item[1], item[0]))
        rows = "".join(f"<tr><td>{html.escape(name)}</td><td>{count:,}</td></tr>" for name, count in counts)
        pictures = "".join(
            f'<figure style="display:inline-block;margin:4px">{scene.drawing(120)}'
            f"<figcaption>{html.escape(scene.image_id)}</figcaption></figure>"
            for scene in (Scene(self.table, i) for i in range(min(len(self), THUMBNAILS)))
        )
        return (
            f"<div><b>{html.escape(self.name)}</b> {len(self):,} images, {len(self.table):,} entities"
            f"<div>{pictures}</div><table><tr><th>class</th><th>entities</th></tr>{rows}</table></div>"
        )


def archive_from_arrow(
    entities: Any,
    images: Any,
    *,
    vocabulary: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    reference_areas: Mapping[str, float] | None = None,
    assumptions: Iterable[str] = (),
    merged: Iterable[str] = (),
    calibration: Mapping[str, Any] | None = None,
) -> Archive:
    """An archive from tables of entities and images (INTERFACE, "Tables").

    entities         pyarrow.Table with image_id, label, geometry (WKB polygons, pixels); entity_id is reading order and
                     score 1.0 where they are not given; further columns of booleans, numbers or texts are attributes
    images           pyarrow.Table with image_id, one row an image, also those without entities
    vocabulary       {"name": ..., "toml": ...}, kept as it is
    out              folder to write; None keeps the archive in memory
    reference_areas  px2 by class; a class that is not among them gets the median area of its entities
    assumptions      what was assumed, such as "assume_extent"
    merged           classes of which things that touch are one entity, so that their counts are lower bounds
    calibration      how scores became probabilities, kept as it is
    Raises DataError that names the row, or where `out` exists.
    """
    path = None if out is None else Path(out)
    if path is not None:
        _refuse_existing(path, overwrite)  # before the work, and again when it is done
    incoming = take_in(entities, images, reference_areas)
    facts = _facts(incoming, vocabulary, reference_areas or {}, tuple(assumptions))
    facts = replace(facts, merged=tuple(sorted(set(merged))), calibration=calibration)
    return _keep(incoming, facts, path, overwrite)


def open_archive(path: str | Path) -> Archive:
    """The archive in a folder, memory-mapped; its arrays are read-only.

    Raises DataError where there is none, it is of another version, or a file is missing or damaged.
    """
    path = Path(path)
    header = _header(path)
    mapped = _check_sizes(path, header["files"])
    vocabulary = header["vocabulary"]
    facts = Facts(
        vocabulary=vocabulary,
        reference_areas=header["reference_areas"],
        assumptions=tuple(header["assumptions"]),
        repaired=header["repaired"],
        unusable_gsd=tuple(header["unusable_gsd"]),
        merged=tuple(header.get("merged", ())),
        calibration=header.get("calibration"),
    )
    if not mapped:
        incoming = take_in(_read_parquet(path / ENTITIES), _read_parquet(path / IMAGES), facts.reference_areas)
        return Archive(incoming.table, facts, path=path, entities=incoming.entities)
    columns, offsets, images = (_map(path / name) for name in (COLUMNS, OFFSETS, IMAGES_MAPPED))
    try:
        table = table_over(columns, offsets, ImageTable.from_arrow(images), header["classes"], facts.reference_areas)
    except (pa.ArrowException, KeyError, ValueError, TypeError, DataError) as error:
        raise DataError(f"{path / COLUMNS} is damaged: {error}", hint=_again(path)) from None
    return Archive(table, facts, path=path)


def is_archive(path: str | Path) -> bool:
    """Whether a path looks like an archive: a folder with archive.json."""
    return (Path(path) / HEADER).is_file()


# --- writing ----------------------------------------------------------------------------------------------------------


def _facts(
    incoming: Incoming,
    vocabulary: Mapping[str, str] | None,
    known: Mapping[str, float],
    assumptions: tuple[str, ...],
) -> Facts:
    table = incoming.table
    fitted = {name: float(area) for name, area in zip(table.classes, table.reference_area, strict=True)}
    return Facts(
        vocabulary=vocabulary,
        reference_areas={**{name: float(area) for name, area in known.items()}, **fitted},
        assumptions=assumptions,
        repaired=incoming.repaired,
        unusable_gsd=incoming.unusable_gsd,
    )


def _keep(incoming: Incoming, facts: Facts, path: Path | None, replacing: bool) -> Archive:
    if path is None:
        return Archive(incoming.table, facts, entities=incoming.entities)
    _write(incoming, facts, path, replacing)
    return open_archive(path)


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not is_archive(path):
        raise DataError(f"{path} exists and is not an archive; it is left alone.", hint="Choose another output.")
    if not overwrite:
        raise DataError(f"{path} exists.", hint="Add to it with --append, or replace it with --overwrite.")


def _write(incoming: Incoming, facts: Facts, path: Path, overwrite: bool) -> None:
    """Writes a folder beside `path` and renames it: a crash leaves the old archive, or none."""
    path = path.absolute()
    beside = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.mkdir()
        try:
            _write_files(incoming, facts, beside)
            _refuse_existing(path, overwrite)
            _move_into_place(beside, path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from None


def _write_files(incoming: Incoming, facts: Facts, folder: Path) -> None:
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
        "reference_areas": dict(facts.reference_areas),
        "assumptions": list(facts.assumptions),
        "repaired": facts.repaired,
        "unusable_gsd": list(facts.unusable_gsd),
        "merged": list(facts.merged),
        "calibration": facts.calibration,
        "vocabulary": None if facts.vocabulary is None else dict(facts.vocabulary),
        "files": {name: {"bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)} for name in FILES},
    }
    (folder / HEADER).write_text(json.dumps(header, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for file in folder.iterdir():
        _sync(file)
    _sync(folder)


def _move_into_place(beside: Path, path: Path) -> None:
    if not path.exists():
        beside.rename(path)
    else:
        old = path.parent / f".{path.name}.{secrets.token_hex(4)}.old"
        path.rename(old)
        try:
            beside.rename(path)
        except OSError:
            old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Hands a file or folder to the disk; where folders cannot be opened, as on Windows, only files."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None


# --- reading ----------------------------------------------------------------------------------------------------------


def _again(path: Path) -> str:
    return f"Index the sources again: rune-smt index SOURCE... -o {path} --overwrite"


def _header(path: Path) -> dict[str, Any]:
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
        raise DataError(f"{file} is damaged: {error}", hint=_again(path)) from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(f"{path} is not an archive: its {HEADER} is of something else.")
    if header.get("version") != VERSION:
        raise DataError(
            f"{path} is an archive of another version: {header.get('version')}; this program reads version {VERSION}.",
            hint=f"{_again(path)}. Or open it with the rune-smt that made it.",
        )
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise DataError(f"{file} is damaged: it has no '{missing[0]}'.", hint=_again(path))
    return header


_NEEDED = ("classes", "reference_areas", "assumptions", "repaired", "unusable_gsd", "vocabulary", "files")


def _archives_beside(path: Path) -> list[str]:
    try:
        return [other.name for other in path.parent.iterdir() if is_archive(other)]
    except OSError:
        return []


def _check_sizes(path: Path, files: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether all mapped files are there. Raises DataError for a missing Parquet file, or any that is cut short."""
    mapped = True
    for name in FILES:
        file = path / name
        if not file.is_file():
            if name not in MAPPED:
                raise DataError(f"{file} is missing.", hint=_again(path))
            mapped = False
            continue
        size, written = file.stat().st_size, files.get(name, {}).get("bytes")
        if size != written:
            raise DataError(f"{file} is damaged: it has {size} bytes, {written} were written.", hint=_again(path))
    return mapped


def _map(file: Path) -> Any:
    try:
        with pa.memory_map(str(file)) as source:
            table = pyarrow.ipc.open_file(source).read_all()
        table.validate()  # lengths of buffers only; contents are `Archive.verify`'s
        return table
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is damaged: {error}", hint=_again(file.parent)) from None


def _read_parquet(file: Path) -> Any:
    try:
        return pq.read_table(file, memory_map=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is damaged: {error}", hint=_again(file.parent)) from None


def _joined(old: Any, new: Any, what: str) -> Any:
    """Rows of both; columns that one lacks are null there."""
    new = new.replace_schema_metadata(None)
    shared = [name for name in new.column_names if name in old.column_names]
    for name in shared:
        if pa.types.is_null(new.schema.field(name).type):
            continue
        if pa.types.is_nested(old.schema.field(name).type):
            new = new.set_column(new.column_names.index(name), name, new.column(name).cast(old.schema.field(name).type))
    try:
        return pa.concat_tables([old.replace_schema_metadata(None), new], promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(f"The {what} do not fit those of the archive: {error}") from None

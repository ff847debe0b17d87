"""An archive: a folder of images and entities that opens by mapping memory, and is written whole or not at all.

entities.parquet  one row an entity, GeoParquet 1.1 in pixel space, sorted by image_id and entity_id
images.parquet    one row an image, sorted by image_id
archive.json      version, vocabulary, reference areas, counts, assumptions, size and SHA-256 of every file
columns.arrow, offsets.arrow, images.arrow   the same in the form that is mapped; made from the two Parquet files, and
                  made again in memory where they are missing

Appending new images adds a part. Then all parts, the first too, lie below `parts/` (parts/00001, parts/00002, ...),
each a folder with these files and an archive by itself, and the archive.json above lists them. `entities.parquet` is no
longer at the top then: who reads the files reads all of parts/*/entities.parquet or gets an error, never one unaware.
"""

from __future__ import annotations

import hashlib
import html
import json
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..errors import DataError
from . import compute as pc
from .archive_folder import (
    ENTITIES,
    HEADER,
    VERSION,
    Facts,
    is_archive,
    open_files,
    read_header,
    read_parquet,
    read_schema,
    refuse_existing,
    verify_files,
    write_files,
    write_folder,
)
from .incoming import Incoming, standard_entities, take_in
from .part_files import add_folders, add_part, fill_with, part_name, replace_facts, verify_parts
from .parts import (
    Places,
    as_part,
    joined_entities,
    joined_images,
    joined_kinds,
    joined_rows,
    joined_table,
    medians_over,
)
from .scene import Scene, describe_counts
from .table import AttributeKind, EntityTable, ImageTable

__all__ = ["Archive", "Facts", "archive_from_arrow", "is_archive", "open_archive"]

THUMBNAILS = 12
PATIENCE = 50  # times that opening looks again where a writer was just replacing the archive
PAUSE_S = 0.02
WHOLE = "whole"  # beside the folders of parts, what is made of them


class Archive:
    """Images and their entities, ready to be searched.

    `archive["P0706"]` is a scene; iterating gives every scene, by image_id; `len` is the number of images.

    path      the folder, None where the archive is in memory only
    facts     vocabulary, reference areas, assumptions
    parts     the archives that it is made of; itself where it is one
    """

    def __init__(
        self,
        table: EntityTable | None,
        facts: Facts,
        *,
        path: Path | None = None,
        entities: Any = None,
        mapped: Any = None,
        parts: Sequence[Archive] = (),
        header: bytes = b"",
    ):
        self.facts = facts
        self.path = path
        self.parts: tuple[Archive, ...] = tuple(parts) or (self,)
        self._table = table
        self._entities = entities
        self._mapped = mapped
        self._header = header

    @property
    def name(self) -> str:
        """The folder's name without its ending; "memory" where there is no folder."""
        return self.path.stem if self.path is not None else "memory"

    @property
    def table(self) -> EntityTable:
        """The entity table, memory-mapped where there is a folder of one part.

        That of many parts is made when it is asked for, its numbers in memory (about 140 bytes an entity), outlines
        mapped: what goes through a whole archive asks part by part.
        """
        if self._table is None:
            images, places = self._joined
            self._table = joined_table([part.table for part in self.parts], images, places, self.kinds)
        return self._table

    @property
    def image_table(self) -> ImageTable:
        """The images of all parts, sorted by image_id."""
        return self._joined[0]

    @property
    def places(self) -> Places:
        """Where the images of each part stand among all."""
        return self._joined[1]

    @cached_property
    def _joined(self) -> tuple[ImageTable, Places]:
        if len(self.parts) > 1:
            return joined_images([part.table.images for part in self.parts])
        images = self.parts[0].table.images
        everyone = np.arange(len(images), dtype=np.int64)
        return images, Places((everyone,), np.zeros(len(images), np.int32), everyone)

    @property
    def images(self) -> Any:
        """pyarrow.Table, one row an image: INTERFACE, "Tables"."""
        return self.image_table.arrow

    @property
    def entities(self) -> Any:
        """pyarrow.Table, one row an entity, sorted by image_id and entity_id: INTERFACE, "Tables"."""
        if self._entities is None:
            if self.parts != (self,):
                self._entities = joined_entities([part.entities for part in self.parts], self.image_table)
            else:
                assert self.path is not None
                self._entities = read_parquet(self.path / ENTITIES, self._mapped)
        return self._entities

    @property
    def entity_schema(self) -> Any:
        """pyarrow.Schema of `entities`, of an archive of one part; they are not read for it."""
        if self._entities is not None or self.path is None:
            return self.entities.schema
        return read_schema(self.path / ENTITIES, self._mapped)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that occur, sorted."""
        return self.parts[0].table.classes

    @property
    def kinds(self) -> dict[str, AttributeKind]:
        """The kind of every attribute column: boolean, number or text."""
        return self.parts[0].table.kinds

    @property
    def entity_count(self) -> int:
        """How many entities there are."""
        return sum(len(part.table) for part in self.parts)

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

    @property
    def header(self) -> bytes:
        """archive.json as it was when the archive was opened; empty where it is in memory only."""
        return self._header

    def __len__(self) -> int:
        return sum(len(part.table.images) for part in self.parts)

    def scene(self, index: int) -> Scene:
        """The image in that row of `images`."""
        if self.parts == (self,):
            return Scene(self.table, index)
        places = self.places
        return Scene(self.parts[int(places.part[index])].table, int(places.local[index]))

    def __getitem__(self, image_id: str) -> Scene:
        return self.scene(self.image_table.index(image_id))

    def __contains__(self, image_id: object) -> bool:
        return any(image_id in part.table.images for part in self.parts)

    def __iter__(self) -> Iterator[Scene]:
        return (self.scene(index) for index in range(len(self)))

    def class_counts(self) -> dict[str, int]:
        """How many entities every class has, by class name."""
        sizes = sum((np.diff(part.table.offsets, axis=1).sum(axis=0) for part in self.parts), np.zeros((), np.int64))
        return {name: int(size) for name, size in zip(self.classes, np.atleast_1d(sizes), strict=True)}

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
        """The archive with these rows added; on disk in the place of this one, which stays as it is while it is open.

        New images become a part of their own. Entities of images already there go to them: all is written anew then.

        entities, images  pyarrow tables, as for `archive_from_arrow`; entities may belong to images already there
        vocabulary        takes the place of the archive's
        refit_sizes       reference areas are fitted anew, over all; else they stay, and new classes get theirs
        merged            classes of which things that touch are one entity in these rows
        Raises DataError that names the row, or where another process changed the archive; it is unchanged then.
        """
        entities = standard_entities(entities)
        apart = self.path is not None and self._are_apart(entities, images)
        if apart:
            known = None if refit_sizes else self.facts.reference_areas
            joined_kinds([*(part.entity_schema for part in self.parts), entities.schema])
            joined_rows(self.images.schema.empty_table(), images.schema.empty_table(), "images")
            incoming = take_in(entities, images, known)
        else:
            both = joined_rows(self.entities, entities, "entities")
            known = None if refit_sizes else self.facts.reference_areas
            incoming = take_in(both, joined_rows(self.images, images, "images"), known)
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
        if not apart:
            return _keep(incoming, facts, self.path, replacing=True)
        assert self.path is not None
        if refit_sizes:
            over_all = medians_over([*(part.table for part in self.parts), incoming.table])
            facts = replace(facts, reference_areas=over_all)
        add_part(self.path, incoming, facts, self._header)
        return open_archive(self.path)

    def _are_apart(self, entities: Any, images: Any) -> bool:
        """Whether these are images that the archive has not, and all entities theirs."""
        if "image_id" not in images.column_names or not images.num_rows:
            return False
        names = pc.unique(images.column("image_id"))
        if not pc.all(pc.is_in(entities.column("image_id"), names), min_count=0).as_py():
            return False
        return not self.known(names.to_pylist())

    def known(self, image_ids: Iterable[str]) -> list[str]:
        """Those of the ids that are images here, sorted; no part is asked that cannot have them."""
        wanted = sorted((name for name in image_ids if name is not None), key=str.encode)
        found: list[str] = []
        for part in self.parts:
            own = part.table.images.image_id
            if len(own):
                low = bisect_left(wanted, own[0].encode(), key=str.encode)
                high = bisect_right(wanted, own[-1].encode(), key=str.encode)
                mine = pa.array(wanted[low:high], pa.string())
                found += mine.filter(pc.is_in(mine, own.arrow)).to_pylist() if len(mine) else []
        return sorted(found, key=str.encode)

    def refit_sizes(self) -> Archive:
        """The archive with its reference areas fitted anew: the median area of every class, over all its entities."""
        facts = replace(self.facts, reference_areas=medians_over([part.table for part in self.parts]))
        if self.path is not None:
            replace_facts(self.path, facts, self._header)
            return open_archive(self.path)
        table = as_part(self.table, self.classes, self.kinds, facts.reference_areas)
        return Archive(table, facts, entities=self._entities)

    def verify(self) -> None:
        """Compares every file with its checksum. Raises DataError that names the first that differs."""
        if self.path is None:
            return
        header = read_header(self.path)
        if header["version"] == VERSION:
            verify_files(self.path, header["files"])
        else:
            verify_parts(self.path, header)

    def __repr__(self) -> str:
        place = f"{str(self.path)!r}, " if self.path is not None else ""
        counts = describe_counts(self.class_counts(), 4)
        told = f"{len(self)} images, {self.entity_count} entities" + (f": {counts}" if counts else "")
        return f"Archive({place}{told})"

    def _repr_html_(self) -> str:
        counts = sorted(self.class_counts().items(), key=lambda item: (-item[1], item[0]))
        rows = "".join(f"<tr><td>{html.escape(name)}</td><td>{count:,}</td></tr>" for name, count in counts)
        pictures = "".join(
            f'<figure style="display:inline-block;margin:4px">{scene.drawing(120)}'
            f"<figcaption>{html.escape(scene.image_id)}</figcaption></figure>"
            for scene in (self.scene(i) for i in range(min(len(self), THUMBNAILS)))
        )
        return (
            f"<div><b>{html.escape(self.name)}</b> {len(self):,} images, {self.entity_count:,} entities"
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
        refuse_existing(path, overwrite)  # before the work, and again when it is done
    incoming = take_in(entities, images, reference_areas)
    facts = _facts(incoming, vocabulary, reference_areas or {}, tuple(assumptions))
    facts = replace(facts, merged=tuple(sorted(set(merged))), calibration=calibration)
    return _keep(incoming, facts, path, overwrite)


def open_archive(path: str | Path) -> Archive:
    """The archive in a folder, memory-mapped; its arrays are read-only.

    What is open stays as it is, whatever is appended or put in its place.
    Raises DataError where there is none, it is of another version, or a file is missing or damaged.
    """
    path = Path(path)
    for _ in range(PATIENCE):
        known = _header_of(path)
        try:
            archive = _opened(path, known)
        except (DataError, OSError):
            if known == _header_of(path) and not (known == b"" and _is_being_replaced(path)):
                raise
        else:
            if known == _header_of(path):
                return archive
        time.sleep(PAUSE_S)
    return _opened(path, _header_of(path))


def write_parts(
    path: Path, folders: Sequence[Path], facts: Facts, areas: Mapping[str, float], overwrite: bool
) -> Archive:
    """An archive of parts that lie ready in folders of the same disk, each an archive by itself; they are moved there.

    areas  reference areas that are known, px2 by class; all others are medians over all parts
    """
    parts = [open_archive(folder) for folder in folders]
    fitted = {**medians_over([part.table for part in parts]), **areas}
    facts = _facts_over(facts, parts, fitted)
    write_folder(path, lambda beside: fill_with(folders, facts, beside), overwrite, folders[0].parent / WHOLE)
    return open_archive(path)


def add_parts(archive: Archive, folders: Sequence[Path], facts: Facts, refit_sizes: bool) -> Archive:
    """The archive with further parts that lie ready in folders; see `write_parts` and `Archive.append`."""
    assert archive.path is not None
    parts = [open_archive(folder) for folder in folders]
    joined_kinds([part.entity_schema for part in (*archive.parts, *parts)])
    tables = [part.table for part in parts]
    if refit_sizes:
        areas = medians_over([*(part.table for part in archive.parts), *tables])
    else:
        areas = {**medians_over(tables), **archive.facts.reference_areas}
    facts = _facts_over(facts, [archive, *parts], areas)
    add_folders(archive.path, facts, archive.header, lambda beside: folders)
    return open_archive(archive.path)


def _facts_over(facts: Facts, parts: Sequence[Archive], areas: Mapping[str, float]) -> Facts:
    return replace(
        facts,
        reference_areas=dict(sorted(areas.items())),
        assumptions=tuple(dict.fromkeys(a for mine in (*(p.facts for p in parts), facts) for a in mine.assumptions)),
        repaired=sum(part.facts.repaired for part in parts),
        unusable_gsd=tuple(sorted({name for part in parts for name in part.facts.unusable_gsd})),
        merged=tuple(sorted({name for mine in (*(p.facts for p in parts), facts) for name in mine.merged})),
        calibration=parts[0].facts.calibration,
    )


def _opened(path: Path, known: bytes) -> Archive:
    header = read_header(path)
    facts = Facts.from_json(header)
    if header["version"] == VERSION:
        table, entities, mapped = open_files(path, header)
        return Archive(table, facts, path=path, entities=entities, mapped=mapped, header=known)
    classes, parts = tuple(header["classes"]), []
    for line in header["parts"]:
        table, entities, mapped = open_files(path / line["path"], read_header(path / line["path"]))
        view = as_part(table, classes, header["attributes"], facts.reference_areas)
        parts.append(Archive(view, facts, path=path / line["path"], entities=entities, mapped=mapped))
    return Archive(None, facts, path=path, parts=parts, header=known)


def part_headers(header: bytes) -> list[bytes]:
    """For each part what `open_part` needs to know of it: archive.json, as it was read, with that part alone."""
    whole = json.loads(header)
    if whole["version"] == VERSION:
        return [header]
    return [json.dumps({**whole, "parts": [line]}).encode() for line in whole["parts"]]


def open_part(path: str | Path, header: bytes) -> Archive:
    """One part of an archive, as it was when `part_headers` was asked: what was appended since does not matter.

    Raises DataError where another archive was put in its place.
    """
    path = Path(path)
    whole = json.loads(header)
    many = whole["version"] != VERSION
    if many:
        folder = path / whole["parts"][0]["path"]
        same = hashlib.sha256(_header_of(folder)).hexdigest() == whole["parts"][0]["sha256"]
    else:
        folder = path if _header_of(path) == header else path / part_name(1)  # where an append has put it
        same = _header_of(folder) == header
    if not same:
        raise DataError(f"{path} was replaced by another archive meanwhile.", hint="Run it again.")
    table, entities, mapped = open_files(folder, read_header(folder))
    facts = Facts.from_json(whole)
    if many:
        table = as_part(table, tuple(whole["classes"]), whole["attributes"], facts.reference_areas)
    return Archive(table, facts, path=folder, entities=entities, mapped=mapped, header=header)


def _header_of(path: Path) -> bytes:
    try:
        return (path / HEADER).read_bytes()
    except OSError:
        return b""


def _is_being_replaced(path: Path) -> bool:
    """Whether a writer has just put the old archive aside, and not yet the new one in its place."""
    return any(path.parent.glob(f".{path.name}.*.old"))


# --- keeping ----------------------------------------------------------------------------------------------------------


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
    write_folder(path, lambda folder: write_files(incoming, facts, folder), replacing)
    return open_archive(path)

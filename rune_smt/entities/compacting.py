"""Many small parts as few large ones: each part that a query goes through costs it a few milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import DataError
from .archive import Archive, open_archive
from .archive_folder import write_files, write_folder
from .incoming import Incoming, take_in
from .part_files import add_folders, locked, refuse_changed
from .parts import joined_entities, joined_images

PART_ENTITIES = 1_000_000  # a part of this size takes about a gigabyte while it is built


def compact(archive: Archive, size: int = PART_ENTITIES) -> Archive:
    """The archive on disk with neighbouring parts put together, as long as they have at most `size` entities.

    Where all fit into one, it is an archive of one part again. Scenes, answers and reference areas stay; who has the
    archive open keeps what was there. Raises DataError where it is in memory, or another process changed it.
    """
    if archive.path is None:
        raise DataError("An archive in memory is one part.")
    groups = _groups([part.entity_count for part in archive.parts], size)
    if len(groups) == len(archive.parts):
        return archive
    path = archive.path
    if len(groups) == 1:
        incoming = _together(archive.parts, archive)
        with locked(path):
            refuse_changed(path, archive.header)
            write_folder(path, lambda folder: write_files(incoming, archive.facts, folder), overwrite=True)
        return open_archive(path)
    merged = [[archive.parts[number] for number in group] for group in groups if len(group) > 1]

    def fill(beside: Path) -> list[Path]:
        folders = []
        for number, parts in enumerate(merged):
            incoming = _together(parts, archive)
            folders.append(beside / str(number))
            folders[-1].mkdir()
            facts = replace(archive.facts, repaired=sum(part.facts.repaired for part in parts))
            write_files(incoming, facts, folders[-1])
        return folders

    gone = [part.path.relative_to(path).as_posix() for parts in merged for part in parts if part.path is not None]
    add_folders(path, archive.facts, archive.header, fill, instead_of=gone)
    return open_archive(path)


def _groups(sizes: Sequence[int], most: int) -> list[list[int]]:
    """Numbers of parts that follow one another, together at most `most`; one that is larger stays alone."""
    groups: list[list[int]] = []
    total = 0
    for number, size in enumerate(sizes):
        if groups and total + size <= most:
            groups[-1].append(number)
            total += size
        else:
            groups.append([number])
            total = size
    return groups


def _together(parts: Sequence[Archive], archive: Archive) -> Incoming:
    images, _ = joined_images([part.table.images for part in parts])
    return take_in(joined_entities([part.entities for part in parts], images), images.arrow, archive.reference_areas)

"""Tiles of one picture made one image again: outlines moved to their place, things that tiles share or cut joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from rune_smt.detect.assemble import Assembled, running_numbers
from rune_smt.detect.detector import Detections
from rune_smt.detect.rasters import Window
from rune_smt.detect.records import Floats, ImageRecord, Ints, Journal
from rune_smt.detect.tile_names import TileName, TilePattern
from rune_smt.detect.tiling import join
from rune_smt.errors import DataError, QueryError


@dataclass(frozen=True, slots=True)
class _Tile:
    """A record that is a tile: its place among the records, what its name says, its size in pixels."""

    number: int
    name: TileName
    width: int
    height: int

    @property
    def window(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels of the picture."""
        left, top = (self.name.x * self.width, self.name.y * self.height) if self.name.in_tiles else self._corner
        return left, top, left + self.width / self.name.scale, top + self.height / self.name.scale

    @property
    def _corner(self) -> tuple[float, float]:
        return self.name.x / self.name.scale, self.name.y / self.name.scale


def merge_tiles(
    read: Assembled,
    records: Sequence[ImageRecord],
    pattern: TilePattern,
    size: tuple[int, int] | None,
    journal: Journal,
) -> tuple[Assembled, list[ImageRecord]]:
    """The same with one image for the tiles of a picture, entities numbered anew in reading order.

    records  of all images; the first are those of `read`
    size     (width, height) of tiles and other images of unknown size, pixels, or None
    An image whose name is not of the pattern stays what it is. Tiles belong together where picture and folder agree.
    Raises QueryError where no name is of the pattern, DataError for a tile of unknown size.
    """
    groups = _groups(records, pattern, size)
    new_records: list[ImageRecord] = []
    place = np.zeros(len(records), np.int64)  # of each record's image among the new ones
    for group in groups:
        if isinstance(group, list):
            place[[tile.number for tile in group]] = len(new_records)
            new_records.append(_merged_record(records, group, journal))
        else:
            place[group] = len(new_records)
            new_records.append(_sized(records[group], size, journal))
    rows, shapes, scores = _joined(read, [group for group in groups if isinstance(group, list)], journal)
    image = place[read.image[rows]]
    moved = np.isin(read.image[rows], [tile.number for group in groups if isinstance(group, list) for tile in group])
    geometry = pa.array(shapely.to_wkb(shapes).tolist(), pa.large_binary())
    taken = pa.array(rows)
    merged = replace(
        read,
        images=tuple(new_records),
        image=image,
        entity_id=np.where(moved, running_numbers(image), read.entity_id[rows]),
        label=read.label[rows],
        scores=scores,
        geometry=geometry,
        origins=read.origins.take(taken),
        attributes={name: values[rows] for name, values in read.attributes.items()},
        left_out=read.left_out[rows],
    )
    return merged, new_records


def _sized(record: ImageRecord, size: tuple[int, int] | None, journal: Journal) -> ImageRecord:
    if size is None or (record.width is not None and record.height is not None):
        return record
    journal.note("size given", record.name.stem, size=f"{size[0]} x {size[1]}")
    return replace(record, width=size[0], height=size[1])


def _groups(
    records: Sequence[ImageRecord], pattern: TilePattern, size: tuple[int, int] | None
) -> list[list[_Tile] | int]:
    """The tiles of each picture, and the images that are no tiles, in the order of first mention."""
    groups: dict[Any, list[_Tile] | int] = {}
    for number, record in enumerate(records):
        name = pattern.read(record.name.stem)
        if name is None:
            groups[number] = number
            continue
        width, height = record.width, record.height
        if width is None or height is None:
            width, height = size if size is not None else (name.side, name.side)
        if width is None or height is None:
            raise DataError(
                f"Tile '{record.name.stem}' is of unknown size, so what its edges cut off cannot be told.",
                hint="Give --images DIR, or --image-size WxH of the tiles.",
            )
        mine = groups.setdefault((name.image, record.name.folder, record.name.root), [])
        assert isinstance(mine, list)
        mine.append(_Tile(number, name, width, height))
    if records and not any(isinstance(group, list) for group in groups.values()):
        raise QueryError(
            f"No image is called as tiles are by '{pattern.text}'; the first is called '{records[0].name.stem}'.",
            hint="Write a pattern such as {image}_{x}_{y}.",
        )
    return list(groups.values())


def _merged_record(records: Sequence[ImageRecord], group: Sequence[_Tile], journal: Journal) -> ImageRecord:
    """What is known of the whole picture: what all of its tiles say."""
    tiles = [records[tile.number] for tile in group]
    name = replace(tiles[0].name, stem=group[0].name.image)
    windows = np.array([tile.window for tile in group])
    right, bottom = windows[:, 2:].max(axis=0)
    covered = shapely.area(shapely.union_all(shapely.box(*windows.T)))
    whole = bool(covered >= (1 - 1e-9) * right * bottom)
    journal.note("tiles merged", f"{name.stem} ({len(group)})")
    if not whole:
        journal.note("tiles with gaps", f"{name.stem} ({covered / (right * bottom):.0%} seen)")
    gsd = _agreed([None if t.gsd is None else t.gsd * g.name.scale for t, g in zip(tiles, group, strict=True)])
    further = {key: _agreed([tile.further.get(key) for tile in tiles]) for key in tiles[0].further}
    further["transform"] = _agreed([_whole_transform(t, g) for t, g in zip(tiles, group, strict=True)])
    return ImageRecord(
        name,
        round(right) if whole else None,
        round(bottom) if whole else None,
        gsd,
        tiles[0].gsd_source if gsd is not None else None,
        None,
        {key: value for key, value in further.items() if value is not None and key != "sha256"},
    )


def _agreed(values: Sequence[Any]) -> Any:
    """The value that all have, else None."""
    return values[0] if all(value == values[0] for value in values) else None


def _whole_transform(record: ImageRecord, tile: _Tile) -> list[float] | None:
    """The picture's transform from that of a tile, to a millionth of a unit, so that those of its tiles agree."""
    t = record.further.get("transform")
    if t is None:
        return None
    left, top, _, _ = tile.window
    s = tile.name.scale
    b, c, e, f = t[1] * s, t[2] * s, t[4] * s, t[5] * s
    return [round(v, 6) for v in (t[0] - left * b - top * c,)] + [b, c] + [round(t[3] - left * e - top * f, 6), e, f]


def _joined(
    read: Assembled, groups: Sequence[Sequence[_Tile]], journal: Journal
) -> tuple[Ints, NDArray[np.object_], Floats]:
    """The rows that stay, in reading order, their outlines and scores: things of several tiles are one row."""
    shapes = np.asarray(shapely.from_wkb(np.asarray(read.geometry.to_pylist(), object)), object)
    scores = read.scores.copy()
    stays = np.ones(len(read), bool)
    order = np.argsort(read.image, kind="stable")
    starts = np.searchsorted(read.image[order], np.arange(len(read.images) + 1))
    for group in groups:
        found: list[Detections] = []
        for tile in group:
            mine = order[starts[tile.number] : starts[tile.number + 1]] if tile.number < len(read.images) else order[:0]
            left, top, _, _ = tile.window
            shapes[mine] = _placed(shapes[mine], left, top, tile.name.scale)
            mine = mine[~read.left_out[mine]]
            labels = [str(code) for code in read.label[mine].tolist()]
            found.append(Detections(labels, scores[mine], shapes[mine], {"row": mine.tolist()}))
        if len(group) < 2:
            continue
        windows = np.array([tile.window for tile in group])
        places: list[Window] = [tuple(window) for window in windows.tolist()]
        right, bottom = windows[:, 2:].max(axis=0)
        things = join(found, places, right, bottom, annotated=True)
        before = sum(len(seen) for seen in found)
        rows = np.array(things.attributes.get("row", ()), np.int64)
        for seen in found:
            stays[np.array(seen.attributes["row"], np.int64)] = False
        stays[rows], shapes[rows], scores[rows] = True, things.shapes, things.scores
        if before > len(things):
            journal.note("tiles joined", count=before - len(things))
    kept = np.flatnonzero(stays)
    return kept, shapes[kept], scores[kept]


def _placed(shapes: NDArray[np.object_], left: float, top: float, scale: float) -> NDArray[np.object_]:
    if not len(shapes) or (left, top, scale) == (0, 0, 1):
        return shapes
    return np.asarray(shapely.transform(shapes, lambda points: points / scale + np.array([left, top])), object)

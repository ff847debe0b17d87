"""A scene: one image of an entity table, and its JSON."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ..errors import DataError
from .geometry import OutlineError, as_array, coordinates, polygon, settle
from .table import Attribute, EntityTable, Floats, ImageTable, Rows


@dataclass(frozen=True, eq=False)
class Scene:
    """One image seen as a finite set of entities: row `index` of the table's images.

    A scene that an archive hands out is a view: attributes and reference areas are the archive's.
    """

    table: EntityTable
    index: int

    @property
    def image_id(self) -> str:
        """The image's name."""
        return self.table.images.image_id[self.index]

    @property
    def width(self) -> float | None:
        """Pixels, None where unknown."""
        return _known(self.table.images.width[self.index])

    @property
    def height(self) -> float | None:
        """Pixels, None where unknown."""
        return _known(self.table.images.height[self.index])

    @property
    def gsd(self) -> float | None:
        """Metres per pixel, None where unknown."""
        return _known(self.table.images.gsd[self.index])

    @property
    def transform(self) -> tuple[float, ...] | None:
        """Pixel to map, six numbers in GDAL order, None where unknown."""
        row = self.table.images.transform[self.index]
        return None if np.isnan(row).any() else tuple(float(v) for v in row)

    @property
    def rows(self) -> Rows:
        """The table's rows of this image, int64, in order of entity_id."""
        return self.table.rows_of(self.index)

    @property
    def reference_areas(self) -> dict[str, float]:
        """The reference area (px2) of every class that occurs in this image."""
        start = self.table.offsets[self.index]
        present = np.flatnonzero(start[1:] > start[:-1])
        return {self.table.classes[c]: float(self.table.reference_area[c]) for c in present}

    def __len__(self) -> int:
        return int(self.table.offsets[self.index, -1] - self.table.offsets[self.index, 0])

    def to_json(self) -> dict[str, Any]:
        """The scene as JSON: see INTERFACE, "A scene".

        `polygon` is a list of points [[x, y], ...]; of rings (the outer one, then holes) where it has holes; of
        polygons, each a list of rings, where it has several parts. Unknown numbers are null, also among the attributes.
        `transform` and `crs` are given where they are known.
        """
        table = self.table
        rows = self.rows
        shapes = table.outlines(rows)
        document: dict[str, Any] = {
            "image_id": self.image_id,
            "width": _plain(self.width),
            "height": _plain(self.height),
            "gsd": self.gsd,
            "reference_areas": self.reference_areas,
            "entities": [
                {
                    "entity_id": int(table.entity_id[row]),
                    "label": table.classes[table.label[row]],
                    "score": float(table.score[row]),
                    "polygon": coordinates(shape),
                    "attributes": {name: _plain(table.attributes[name].of(row)) for name in sorted(table.attributes)},
                }
                for row, shape in zip(rows.tolist(), shapes, strict=True)
            ],
        }
        if self.transform is not None:
            document["transform"] = list(self.transform)
        arrow = table.images.arrow
        crs = arrow.column("crs")[self.index].as_py() if "crs" in arrow.column_names else None
        if crs is not None:
            document["crs"] = crs
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any], *, reference_areas: Mapping[str, float] | None = None) -> Scene:
        """The scene of a JSON document, as a table of one image.

        reference_areas  px2 by label; else those of the document; a label in neither takes its own entities' median
        Raises DataError that names image and entity.
        """
        image_id = document.get("image_id")
        if not isinstance(image_id, str):
            raise DataError(f"A scene needs a text as image_id, got {image_id!r}.")
        entities = document.get("entities")
        if not isinstance(entities, list) or not all(isinstance(e, Mapping) for e in entities):
            raise DataError(f"Scene '{image_id}': 'entities' must be a list of objects.")
        ids = [_entity_id(image_id, i, e) for i, e in enumerate(entities)]
        twice = [i for i, count in Counter(ids).items() if count > 1]
        if twice:
            raise DataError(f"Scene '{image_id}': entity_id {twice[0]} occurs twice; each must be given once.")
        labels = [_label(image_id, i, e) for i, e in zip(ids, entities, strict=True)]
        classes = sorted(set(labels))
        scores = [
            checked_score(e.get("score"), f"Scene '{image_id}', entity {i}") for i, e in zip(ids, entities, strict=True)
        ]
        areas = reference_areas if reference_areas is not None else document.get("reference_areas") or {}
        table = EntityTable.build(
            ImageTable.from_arrow(_image_row(image_id, document)),
            image=np.zeros(len(ids), np.int32),
            entity_id=ids,
            label=[classes.index(label) for label in labels],
            classes=classes,
            score=scores,
            shapes=_shapes(image_id, ids, entities),
            attributes=_attributes(image_id, ids, entities),
            reference_areas=areas,
        )
        return cls(table, 0)

    def __repr__(self) -> str:
        return f"Scene({self.image_id!r}: {describe_counts(self._counts()) or 'no entities'})"

    def _counts(self) -> dict[str, int]:
        sizes = np.diff(self.table.offsets[self.index])
        return {self.table.classes[c]: int(sizes[c]) for c in np.flatnonzero(sizes)}

    def _repr_html_(self) -> str:
        size = f"{self.width:g} x {self.height:g} px" if self.width and self.height else "size unknown"
        gsd = f"{self.gsd:g} m per pixel" if self.gsd else "ground sample distance unknown"
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{count}</td></tr>" for name, count in self._counts().items()
        )
        return (
            f"<div><b>{html.escape(self.image_id)}</b> <span>{size}, {gsd}</span>{self.drawing()}"
            f"<table><tr><th>class</th><th>entities</th></tr>{rows}</table></div>"
        )

    def drawing(self, side: int = 240, *, close: bool = False, named: bool = False) -> str:
        """The outlines as a small inline SVG.

        side   of the drawing, in pixels of the screen
        close  only the part of the image where there is something, with a margin
        named  each thing with its class and number
        """
        rows = self.rows[:2000]
        if not len(rows):
            return ""
        table = self.table
        low_x, low_y = float(table.min_x[rows].min()), float(table.min_y[rows].min())
        high_x, high_y = float(table.max_x[rows].max()), float(table.max_y[rows].max())
        if close:
            margin = max(1.0, 0.2 * max(high_x - low_x, high_y - low_y))
            left, top, right, bottom = low_x - margin, low_y - margin, high_x + margin, high_y + margin
        else:
            left, top, right, bottom = 0.0, 0.0, max(self.width or high_x, 1.0), max(self.height or high_y, 1.0)
        scale = side / max(right - left, bottom - top)
        drawn = []
        for number, (row, shape) in enumerate(zip(rows.tolist(), table.outlines(rows), strict=True)):
            ink = f"hsl({int(table.label[row]) * 137 % 360},70%,40%)"
            lines = coordinates(shape)
            while lines and not isinstance(lines[0][0], (int, float)):
                if isinstance(lines[0][0][0], (int, float)):
                    break
                lines = [ring for part in lines for ring in part]
            rings = [lines] if isinstance(lines[0][0], (int, float)) else lines
            d = "".join("M" + "L".join(f"{x:.6g} {y:.6g}" for x, y in ring) + "Z" for ring in rings)
            drawn.append(f'<path d="{d}" stroke="{ink}"/>')
            if named:
                name = html.escape(f"{table.classes[int(table.label[row])].replace('_', ' ')} {table.entity_id[row]}")
                over, under = float(table.min_y[row]) - 3 / scale, float(table.max_y[row]) + 11 / scale
                place = f'x="{float(table.min_x[row]):.6g}" y="{under if number % 2 else over:.6g}"'
                look = f'font-size="{10 / scale:.3g}" font-family="sans-serif" fill="{ink}" stroke="none"'
                drawn.append(f"<text {place} {look}>{name}</text>")
        wide, high = right - left, bottom - top
        return (
            f'<svg width="{wide * scale:.0f}" height="{high * scale:.0f}" viewBox="{left:g} {top:g} {wide:g} {high:g}" '
            f'style="display:block;background:#f4f4f4" fill="none" stroke-width="{1 / scale:.3g}">'
            f"{''.join(drawn)}</svg>"
        )


def describe_counts(counts: Mapping[str, int], limit: int = 6) -> str:
    """3 ship, 1 harbor, ...: the most frequent first."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{count} {name}" for name, count in ranked[:limit])
    return shown + (", ..." if len(ranked) > limit else "")


def checked_score(score: Any, where: str) -> float:
    """A score in [0, 1], 1.0 for null. Raises DataError that begins with `where`."""
    if score is None:
        return 1.0
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
        raise DataError(
            f"{where}: score is {score!r}, and must be a number from 0 to 1.",
            hint="Leave the score out (or null) where there is none: it is 1.0 then.",
        )
    return float(score)


# --- reading ----------------------------------------------------------------------------------------------------------


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _plain(value: bool | float | str | None) -> bool | float | str | None:
    """Whole numbers without a decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _entity_id(image_id: str, index: int, entity: Mapping[str, Any]) -> int:
    value = entity.get("entity_id", index)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise DataError(f"Scene '{image_id}': entity_id is {value!r}, and must be a whole number from 0 to 2147483647.")
    return value


def _label(image_id: str, entity_id: int, entity: Mapping[str, Any]) -> str:
    label = entity.get("label")
    if not isinstance(label, str) or not label:
        raise DataError(f"Scene '{image_id}', entity {entity_id}: label is {label!r}, and must be a class name.")
    return label


def _image_row(image_id: str, document: Mapping[str, Any]) -> Any:
    """The images table of this scene, one row."""
    transform = document.get("transform")
    if transform is not None and (not isinstance(transform, (list, tuple)) or len(transform) != 6):
        raise DataError(f"Scene '{image_id}': transform must be six numbers, got {transform!r}.")
    numbers = [document.get("width"), document.get("height"), document.get("gsd"), *(transform or ())]
    if any(isinstance(v, (bool, str, list, dict)) for v in numbers):
        raise DataError(f"Scene '{image_id}': width, height, gsd and transform must be numbers.")
    size = []
    for name in ("width", "height"):
        value = document.get(name)
        if isinstance(value, float) and not math.isnan(value) and not value.is_integer():
            raise DataError(f"Scene '{image_id}': {name} is {value!r}, and must be a whole number of pixels.")
        size.append(None if value is None or value != value else int(value))
    gsd = document.get("gsd")
    crs = document.get("crs")
    return pa.table(
        {
            "image_id": pa.array([image_id], pa.string()),
            "width": pa.array([size[0]], pa.int32()),
            "height": pa.array([size[1]], pa.int32()),
            "gsd": pa.array([None if gsd is None else float(gsd)], pa.float64()),
            "crs": pa.array([None if crs is None else str(crs)], pa.string()),
            "transform": pa.array([None if transform is None else list(map(float, transform))], pa.list_(pa.float64())),
        }
    )


def _shapes(image_id: str, ids: list[int], entities: list[Mapping[str, Any]]) -> Any:
    raw = []
    for entity_id, entity in zip(ids, entities, strict=True):
        try:
            raw.append(polygon(entity.get("polygon")))
        except OutlineError as error:
            raise DataError(f"Scene '{image_id}', entity {entity_id}: {error.message}", hint=error.hint) from None
    try:
        return settle(as_array(raw))[0]
    except OutlineError as error:
        raise DataError(f"Scene '{image_id}', entity {ids[error.index]}: {error.message}", hint=error.hint) from None


def _attributes(image_id: str, ids: list[int], entities: list[Mapping[str, Any]]) -> dict[str, Attribute]:
    names = sorted({name for entity in entities for name in entity.get("attributes") or {}})
    result = {}
    for name in names:
        values = [(entity.get("attributes") or {}).get(name) for entity in entities]
        result[name] = attribute_of(values, f"Scene '{image_id}', attribute '{name}'")
    return result


def attribute_of(values: list[Any], where: str) -> Attribute:
    """A column of booleans, numbers or texts, None or NaN where missing. Raises DataError for a mixture."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in known) and known:
        return Attribute("boolean", _numbers(values))
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
        return Attribute("number", _numbers(values))
    if all(isinstance(value, str) for value in known):
        texts = tuple(sorted(set(known)))
        place = {text: float(i) for i, text in enumerate(texts)}
        return Attribute("text", _numbers([None if v is None else place[v] for v in values]), texts)
    kinds = ", ".join(sorted({type(value).__name__ for value in known}))
    raise DataError(f"{where}: the values must all be booleans, all numbers or all texts; there are {kinds}.")


def _numbers(values: list[Any]) -> Floats:
    return np.array([math.nan if value is None else float(value) for value in values], np.float64)

"""Random formulas and batches of random scenes without Hypothesis: quick enough for a hundred thousand pairs.

A batch is a list of scene documents (INTERFACE, "A scene") and the table of all of them. Scenes of a *plain* batch hold
rectangles whose coordinates are halves of pixels, or whose sides, places and turns are random reals: there, nothing in
the geometry is on the edge of a limit by more than rounding can move, so truths survive moving and mirroring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import cos, pi, sin
from random import Random
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pyarrow as pa

from ..entities.geometry import as_array, polygon, settle
from ..entities.scene import attribute_of
from ..entities.table import EntityTable, ImageTable
from .formulas import Pool, Queries

T = TypeVar("T")
Document: TypeAlias = dict[str, Any]

SCORES = (1.0, 1.0, 0.9, 0.6, 0.5, 0.3, 0.0)
AREAS = (4.0, 20.0, 60.0)  # reference areas, px2
DEGENERATE = ("box", "box", "corners", "point", "line", "ring", "hole", "parts")


class RandomQueries(Queries):
    """Well-dimensioned queries from a seeded source."""

    def __init__(self, random: Random, pool: Pool, counts: bool = True):
        super().__init__(_refuse, pool, counts, True)
        self.random = random

    def one_of(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[int(self.random.random() * len(choices))]

    def yes(self) -> bool:
        """One of two."""
        return self.random.random() < 0.5

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)

    def small(self) -> Decimal:
        """A limit."""
        return self.one_of((Decimal("0.5"), Decimal("1.5"), Decimal(50), *map(Decimal, range(11))))


def _refuse(strategy: Any) -> Any:
    raise NotImplementedError("this source draws without strategies")


@dataclass(frozen=True, eq=False)
class Batch:
    """Scenes as documents, and their table: image i is documents[i]. `plain`: see this module."""

    documents: tuple[Document, ...]
    table: EntityTable
    plain: bool


def batch(random: Random, size: int, classes: Sequence[str], attributes: Mapping[str, Any], plain: bool) -> Batch:
    """Random scenes of at most five entities over these classes; values and metadata may be missing.

    attributes  "boolean", "number" or a sequence of texts, by name
    """
    areas = {name: random.choice(AREAS) for name in classes}
    documents = tuple(scene(random, i, classes, attributes, areas, plain) for i in range(size))
    return Batch(documents, table_of(documents), plain)


def scene(
    random: Random, number: int, classes: Sequence[str], attributes: Mapping[str, Any], areas: Mapping[str, float],
    plain: bool,
) -> Document:  # fmt: skip
    """One random scene document."""
    polygons: list[Any] = []
    for _ in range(random.choice((0, 1, 2, 3, 3, 4, 4, 5))):
        if polygons and random.random() < 0.4:
            polygons.append(_related(random, random.choice(polygons), plain))
        else:
            polygons.append(_outline(random, plain))
    size = random.choice(((None, None), (32, 32), (64, 48)))
    return {
        "image_id": f"s{number:04d}",
        "width": size[0],
        "height": size[1],
        "gsd": random.choice((None, 0.5, 1.0, 0.25)),
        "transform": random.choice((None, [512.0, 0.5, 0.0, 4096.0, 0.0, -0.5], [0.0, 0.5, 0.25, 0.0, 0.25, -0.5])),
        "reference_areas": dict(areas),
        "entities": [
            {
                "entity_id": i,
                "label": random.choice(classes),
                "score": random.choice(SCORES),
                "polygon": outline,
                "attributes": {name: _value(random, kind) for name, kind in attributes.items()},
            }
            for i, outline in enumerate(polygons)
        ],
    }


def _value(random: Random, kind: Any) -> bool | float | str | None:
    if random.random() < 0.25:
        return None
    if kind == "boolean":
        return random.random() < 0.5
    if kind == "number":
        return random.choice((0.0, 1.0, 2.0, 0.5))
    text: str = random.choice(kind)
    return text


def _outline(random: Random, plain: bool) -> Any:
    x, y = random.randint(0, 52) / 2, random.randint(0, 52) / 2
    w, h = random.randint(2, 20) / 2, random.randint(2, 12) / 2
    kind = random.choice(("box", "turned") if plain else DEGENERATE)
    match kind:
        case "turned":
            return _turned(random)
        case "corners" | "ring":
            points = 4 if kind == "corners" else random.randint(3, 7)
            return [[random.randint(-2, 24), random.randint(-2, 24)] for _ in range(points)]
        case "point":
            return [[x, y]]
        case "line":
            return [[x, y], [x + w, y + h]]
        case "hole":
            return [_box(x, y, x + w + 4, y + h + 4), _box(x + 2, y + 2, x + w + 2, y + h + 2)]
        case "parts":
            return [[_box(x, y, x + w, y + h)], [_box(x + 14, y, x + w + 14, y + h)]]
        case _:
            return _box(x, y, x + w, y + h)


def _turned(random: Random) -> Any:
    """A rectangle whose place, sides and turn are real numbers: on the edge of no limit."""
    x, y, turn = random.uniform(2, 28), random.uniform(2, 28), random.uniform(0, pi)
    a, b = random.uniform(1, 8), random.uniform(1, 5)
    return [
        [x + u * cos(turn) - v * sin(turn), y + u * sin(turn) + v * cos(turn)]
        for u, v in ((-a, -b), (a, -b), (a, b), (-a, b))
    ]


def _related(random: Random, earlier: Any, plain: bool) -> Any:
    """The same outline again, one beside it with a common edge, within it, or around it."""
    points = [point for part in _rings(earlier) for point in part]
    left, top = min(p[0] for p in points), min(p[1] for p in points)
    right, bottom = max(p[0] for p in points), max(p[1] for p in points)
    halves = all(2 * value == int(2 * value) for point in points for value in point)
    if plain and not halves:
        return earlier if random.random() < 0.3 else _turned(random)
    match random.choice(("same", "beside", "within", "around", "half")):
        case "same":
            return earlier
        case "beside":
            return _box(right, top, right + (right - left) + 1, bottom)
        case "within":
            return _box(left + (right - left) / 4, top + (bottom - top) / 4, right, bottom)
        case "around":
            return _box(left - 6, top - 6, right + 6, bottom + 6)
        case _:
            return _box(left + (right - left) / 2, top, right + (right - left) / 2, bottom)


def _rings(outline: Any) -> list[Any]:
    if isinstance(outline[0][0], (int, float)):
        return [outline]
    return [ring for part in outline for ring in _rings(part)]


def _box(left: float, top: float, right: float, bottom: float) -> Any:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


# --- the same scenes, changed -----------------------------------------------------------------------------------------


def table_of(documents: Sequence[Document]) -> EntityTable:
    """One table of scene documents, in their order; reference areas are those of the first that has any."""
    entities = [(i, entity) for i, document in enumerate(documents) for entity in document["entities"]]
    labels = [entity["label"] for _, entity in entities]
    classes = sorted(set(labels))
    names = sorted({name for _, entity in entities for name in entity["attributes"]})
    float64 = pa.float64()
    images = pa.table(
        {
            "image_id": pa.array([document["image_id"] for document in documents], pa.string()),
            "width": pa.array([document["width"] for document in documents], pa.int32()),
            "height": pa.array([document["height"] for document in documents], pa.int32()),
            "gsd": pa.array([document["gsd"] for document in documents], float64),
            "transform": pa.array([document.get("transform") for document in documents], pa.list_(float64)),
        }
    )
    return EntityTable.build(
        ImageTable.from_arrow(images),
        image=[i for i, _ in entities],
        entity_id=[entity["entity_id"] for _, entity in entities],
        label=[classes.index(label) for label in labels],
        classes=classes,
        score=[entity["score"] for _, entity in entities],
        shapes=settle(as_array([polygon(entity["polygon"]) for _, entity in entities]))[0],
        attributes={
            name: attribute_of([entity["attributes"].get(name) for _, entity in entities], name) for name in names
        },
        reference_areas=next((d["reference_areas"] for d in documents if d.get("reference_areas")), {}),
    )


def changed(
    document: Document, *, move: Callable[[float, float], tuple[float, float]] | None = None,
    labels: Mapping[str, str] | None = None, backwards: bool = False, **image: Any,
) -> Document:  # fmt: skip
    """With points moved, classes renamed, entities numbered backwards, image fields replaced."""

    def moved(outline: Any) -> Any:
        if isinstance(outline[0], (int, float)):
            return list(move(*outline)) if move is not None else outline
        return [moved(part) for part in outline]

    names = labels or {}
    entities = document["entities"]
    return {
        **document,
        **image,
        "reference_areas": {names.get(name, name): area for name, area in document["reference_areas"].items()},
        "entities": [
            {
                **entity,
                "entity_id": len(entities) - 1 - entity["entity_id"] if backwards else entity["entity_id"],
                "label": names.get(entity["label"], entity["label"]),
                "polygon": moved(entity["polygon"]),
            }
            for entity in entities
        ],
    }


def shifted(document: Document, x: float, y: float) -> Document:
    """Everything moved by whole pixels."""
    return changed(document, move=lambda a, b: (a + x, b + y))


def mirrored(document: Document, axis: float = 64.0) -> Document:
    """Left and right swapped, the map staying where it is."""
    width = document["width"] or axis
    transform = document.get("transform")
    if transform is not None:
        a, b, c, d, e, f = transform
        transform = [a + b * width, -b, c, d + e * width, -e, f]
    return changed(document, move=lambda x, y: (width - x, y), transform=transform)


def coarser(document: Document, factor: float) -> Document:
    """Every pixel so many times as large on the ground."""
    gsd = document["gsd"]
    return {**document, "gsd": None if gsd is None else gsd * factor}


def kept(document: Document, entities: Sequence[int]) -> Document:
    """Only these entities."""
    chosen = set(entities)
    return {**document, "entities": [one for one in document["entities"] if one["entity_id"] in chosen]}


def joined_with(document: Document, others: Sequence[Mapping[str, Any]]) -> Document:
    """With entities of another scene added, numbered after its own."""
    first = 1 + max((one["entity_id"] for one in document["entities"]), default=-1)
    added = [{**other, "entity_id": first + i} for i, other in enumerate(others)]
    return {**document, "entities": [*document["entities"], *added]}


def without_last(table: EntityTable) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The entities but the one with the highest id of every image, bool (entities,)."""
    highest = np.full(len(table.offsets), -1)
    np.maximum.at(highest, table.image, table.entity_id)
    return np.asarray(table.entity_id != highest[table.image])

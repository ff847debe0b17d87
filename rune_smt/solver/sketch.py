"""Scenes made to order, while they are being made: boxes on a blank image, and what is true of them.

A sketch is changed in place by `scene_moves`; a `Picture` is one state of it under the geometry module, with the truth
of every atom as a table. Nothing here is evidence: `scene_finder` confirms what it hands out by `holds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import cos, radians, sin
from typing import Any, TypeAlias

import numpy as np
import shapely

from ..entities.geometry import as_array, polygon, settle
from ..entities.scene import Scene, attribute_of
from ..entities.table import EntityTable
from ..grammar.nodes import Apply, Compare, Text
from ..grammar.vocabulary import Vocabulary
from .atoms import Facts
from .world import World, variables_of

Value: TypeAlias = bool | float | str

LENGTH, WIDTH = 30.0, 12.0  # px, of a new box: long enough to have a direction
USUAL_AREA = LENGTH * WIDTH  # px2, the reference area of every class: a new box is neither large nor small
CELL = 150.0  # px between new boxes: far from each other, far_ratio 3 being 97 px
DIGITS = 6  # of coordinates
MAX_CELLS = 50_000  # cells of one atom's table; a larger one is filled where it is asked


@dataclass
class Thing:
    """One entity: a box around (x, y), `w` along its `angle` (degrees) and `h` across, perhaps with a hole.

    hole  width and height of the hole, in the middle; None for none
    """

    label: str
    x: float
    y: float
    w: float = LENGTH
    h: float = WIDTH
    angle: float = 0.0
    score: float = 1.0
    hole: tuple[float, float] | None = None
    attributes: dict[str, Value] = field(default_factory=dict)

    def copy(self) -> Thing:
        """A copy that can be changed by itself."""
        return replace(self, attributes=dict(self.attributes))

    @property
    def opening(self) -> tuple[float, float] | None:
        """The hole, where it fits into the box."""
        return self.hole if self.hole and self.hole[0] < self.w and self.hole[1] < self.h else None

    @property
    def area(self) -> float:
        """Of the outline, px2."""
        return self.w * self.h - (self.opening[0] * self.opening[1] if self.opening else 0.0)

    @property
    def reach(self) -> tuple[float, float]:
        """Half the width and height of the upright box around it, px."""
        c, s = abs(cos(radians(self.angle))), abs(sin(radians(self.angle)))
        return (self.w * c + self.h * s) / 2, (self.w * s + self.h * c) / 2

    @property
    def diagonal(self) -> float:
        """Px."""
        return float(np.hypot(self.w, self.h))

    def rings(self) -> list[list[list[float]]]:
        """Corners of the outer ring, then of the hole."""
        sizes = [(self.w, self.h), *([self.opening] if self.opening else [])]
        return [self._ring(w / 2, h / 2) for w, h in sizes]

    def _ring(self, a: float, b: float) -> list[list[float]]:
        upright = self.angle % 180 == 0
        c, s = (1.0, 0.0) if upright else (cos(radians(self.angle)), sin(radians(self.angle)))
        corners = ((-a, -b), (a, -b), (a, b), (-a, b))
        return [[round(self.x + u * c - v * s, DIGITS), round(self.y + u * s + v * c, DIGITS)] for u, v in corners]


@dataclass(frozen=True)
class Frame:
    """The image that things are placed in: size in px, metres per pixel, attributes with a value for new things."""

    side: int = 1000
    gsd: float = 0.5
    attributes: Mapping[str, Value] = field(default_factory=dict)

    def document(self, entities: list[dict[str, Any]], labels: list[str]) -> dict[str, Any]:
        """The scene as JSON."""
        return {
            "image_id": "sketch",
            "width": self.side,
            "height": self.side,
            "gsd": self.gsd,
            "transform": [500000.0, self.gsd, 0.0, 4000000.0, 0.0, -self.gsd],
            "reference_areas": dict.fromkeys(sorted(set(labels)), USUAL_AREA),
            "entities": entities,
        }

    @cached_property
    def images(self) -> Any:
        """The one row of the image table."""
        return Scene.from_json(self.document([], [])).table.images


@dataclass
class Sketch:
    """Things in a frame; the number of a thing is its entity id."""

    frame: Frame
    things: list[Thing] = field(default_factory=list)

    def copy(self) -> Sketch:
        """A copy that can be changed by itself."""
        return Sketch(self.frame, [thing.copy() for thing in self.things])

    def without(self, number: int) -> Sketch:
        """A copy that lacks one thing."""
        return Sketch(self.frame, [thing.copy() for i, thing in enumerate(self.things) if i != number])

    def document(self) -> dict[str, Any]:
        """The scene as JSON, nothing missing."""
        entities = [
            {
                "entity_id": i,
                "label": thing.label,
                "score": thing.score,
                "polygon": thing.rings() if thing.opening else thing.rings()[0],
                "attributes": {name: thing.attributes[name] for name in sorted(thing.attributes)},
            }
            for i, thing in enumerate(self.things)
        ]
        return self.frame.document(entities, [thing.label for thing in self.things])

    def scene(self) -> Scene:
        """The scene, read as a file's would be."""
        return Scene.from_json(self.document())

    def table(self) -> EntityTable:
        """The same entities without the way through JSON, for the search."""
        labels = [thing.label for thing in self.things]
        classes = sorted(set(labels))
        shapes = np.empty(len(labels), object)
        plain = [i for i, thing in enumerate(self.things) if not thing.opening and thing.area > 0]
        if plain:
            shapes[plain] = shapely.polygons(np.array([self.things[i].rings()[0] for i in plain]))
        for i, thing in enumerate(self.things):
            if thing.opening:
                outer, hole = thing.rings()
                shapes[i] = shapely.Polygon(outer, [hole])
            elif thing.area <= 0:
                shapes[i] = settle(as_array([polygon(thing.rings()[0])]))[0][0]
        names = sorted(self.frame.attributes)
        return EntityTable.build(
            self.frame.images,
            image=np.zeros(len(labels), np.int32),
            entity_id=np.arange(len(labels)),
            label=[classes.index(label) for label in labels],
            classes=classes,
            score=[thing.score for thing in self.things],
            shapes=shapes,
            attributes={name: attribute_of([t.attributes[name] for t in self.things], name) for name in names},
            reference_areas=dict.fromkeys(classes, USUAL_AREA),
        )


class Picture:
    """One state of a sketch under the geometry module: the truth of every atom, remembered by atom."""

    def __init__(self, sketch: Sketch, vocabulary: Vocabulary):
        self.sketch = sketch
        self.count = len(sketch.things)
        self.vocabulary = vocabulary
        self.table = sketch.table()
        self.facts = Facts(self.table, vocabulary)
        self.rows = self.table.rows_of(0)
        self.work = 0  # for links, which are costly
        self._codes: dict[int, tuple[object, bytes]] = {}
        self._single: dict[tuple[int, tuple[int, ...]], int] = {}

    @cached_property
    def world(self) -> World:
        """For links and covers."""
        return World(Scene(self.table, 0), self.vocabulary, 0.0, facts=self.facts)

    def codes(self, atom: Apply | Compare) -> bytes | None:
        """Verdict codes for all tuples of things, the last variable running fastest; None where these are too many."""
        known = self._codes.get(id(atom))
        if known is not None:
            return known[1]
        names = variables_of(atom)
        if self.count ** len(names) > MAX_CELLS:
            return None
        if isinstance(atom, Apply) and atom.name in self.vocabulary.links:
            self.work += 100 * self.count * self.count
            found = self.world.links(atom.name).table()
            codes = (found if len(names) == 2 else np.diagonal(found)).tobytes()
        else:
            grid = np.indices((self.count,) * len(names)).reshape(len(names), self.count ** len(names))
            codes = self._truth(atom, dict(zip(names, grid, strict=True)), max(self.count ** len(names), 1)).tobytes()
        self._codes[id(atom)] = (atom, codes)
        return codes

    def code(self, atom: Apply | Compare, env: Mapping[str, int]) -> int:
        """The verdict code of one atom with its variables bound."""
        names = variables_of(atom)
        codes = self.codes(atom)
        if codes is not None:
            place = 0
            for name in names:
                place = place * self.count + env[name]
            return codes[place]
        key = (id(atom), tuple(env[name] for name in names))
        if key not in self._single:
            bound = {name: np.array([env[name]]) for name in names}
            self._single[key] = int(self._truth(atom, bound, 1)[0])
        return self._single[key]

    def _truth(self, atom: Apply | Compare, bound: Mapping[str, Any], n: int) -> Any:
        rows = {name: self.rows[numbers] for name, numbers in bound.items()}
        return self.facts.truth(atom, rows, np.zeros(n, np.int64))


def first_value(vocabulary: Vocabulary, name: str, formulas_texts: tuple[Text, ...]) -> Value:
    """What a new thing has for an attribute: false, 0, or the lowest of its texts."""
    attribute = vocabulary.attributes[name]
    if attribute.type == "boolean":
        return False
    if attribute.type == "number":
        return 0.0
    if attribute.ordered:
        return attribute.ordered[0]
    return formulas_texts[0].value if formulas_texts else "a"

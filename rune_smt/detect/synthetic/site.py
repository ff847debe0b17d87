"""A place being laid out, in metres: what lies on the ground, what stands on it, the exact box of each labelled thing.

A layout routine draws through frames: a frame is a spot with a heading, x forward and y to the right, in metres.
Nothing is painted here; marks are kept in pixels for `paint.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from .textures import MATERIALS, Colour, Floats

Point = tuple[float, float]
Layer = Literal["ground", "object", "canopy"]
Paint = tuple[int, ...]  # red, green, blue and, on the ground, opacity

CELL = 24.0  # metres: side of the squares by which kept ground is found
NEIGHBOURS = 18.0  # metres: no solid thing is longer
VISIBLE = 0.3  # a thing of which less than this share lies in the picture is left out, drawing and label both


class Mark(NamedTuple):
    """One stroke for the painter, in pixels. A width of 0 fills the polygon; a round mark is its bounding box."""

    layer: Layer
    shape: Literal["polygon", "line", "ellipse"]
    points: list[float]  # x0, y0, x1, y1, ...
    paint: Paint
    width: float
    texture: int  # code of a material; -1 leaves the texture below


class Shade(NamedTuple):
    """A shadow on the ground, in pixels."""

    shape: Literal["polygon", "ellipse"]
    points: list[float]


@dataclass(frozen=True, slots=True)
class Frame:
    """A spot and a heading: local metres (x forward, y right) to pixels."""

    ox: float
    oy: float
    cos: float  # of the heading, times pixels per metre
    sin: float

    def px(self, x: float, y: float) -> Point:
        """A local point, in pixels."""
        return self.ox + x * self.cos - y * self.sin, self.oy + x * self.sin + y * self.cos

    def flat(self, points: Iterable[Point]) -> list[float]:
        """Local points as x0, y0, x1, y1, ... in pixels."""
        ox, oy, cos, sin = self.ox, self.oy, self.cos, self.sin
        out: list[float] = []
        for x, y in points:
            out.append(ox + x * cos - y * sin)
            out.append(oy + x * sin + y * cos)
        return out

    def at(self, x: float, y: float, heading: float = 0.0) -> Frame:
        """The frame at a local point, turned by `heading` radians from x towards y."""
        ox, oy = self.px(x, y)
        c, s = math.cos(heading), math.sin(heading)
        return Frame(ox, oy, self.cos * c - self.sin * s, self.sin * c + self.cos * s)

    @property
    def scale(self) -> float:
        """Pixels per metre."""
        return math.hypot(self.cos, self.sin)


@dataclass(slots=True)
class Site:
    """What a layout routine writes on: marks and shades for the painter, labels and boxes for the annotation."""

    rng: np.random.Generator
    size: int
    gsd: float
    frame: Frame
    sun: Point  # shift of a shadow, in pixels per metre of height
    base: str = "grass"
    tints: dict[str, Colour] = field(default_factory=dict)  # this place's own colours of the materials
    marks: list[Mark] = field(default_factory=list)
    shades: list[Shade] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    boxes: list[list[Point]] = field(default_factory=list)
    shapes: list[list[list[float]]] = field(default_factory=list)  # of each thing, parts x0, y0, x1, ... in pixels
    crowns: list[list[float]] = field(default_factory=list)  # of trees, in pixels: they hide what lies below
    roads: list[list[float]] = field(default_factory=list)  # of a flood, in pixels
    paved: list[list[float]] = field(default_factory=list)  # of a flood: drives and terraces, in pixels
    difficult: list[float] = field(default_factory=list)
    standing: dict[tuple[int, int], list[list[Point]]] = field(default_factory=dict)  # solid things by squares
    depth: Floats | None = None  # of flood water, metres, (size, size); dry where it is not above 0
    taken: dict[tuple[int, int], list[tuple[float, float, float]]] = field(default_factory=dict)  # discs, by squares

    @property
    def half(self) -> float:
        """Half the side of the picture, in metres."""
        return self.size * self.gsd / 2

    @property
    def reach(self) -> float:
        """A radius, in metres, beyond every corner of the picture."""
        return self.half * 1.5

    # --- chance

    def between(self, low: float, high: float) -> float:
        """A number between the two."""
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        """True in that share of cases."""
        return bool(self.rng.random() < share)

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def pick(self, options: Sequence[Colour]) -> Colour:
        """One of the colours."""
        return options[int(self.rng.integers(len(options)))]

    def vary(self, colour: Colour, amount: float = 0.06) -> Colour:
        """The colour, a little lighter or darker."""
        factor = 1 + float(self.rng.normal(0, amount))
        r, g, b = (max(0, min(255, int(c * factor))) for c in colour)
        return r, g, b

    # --- room

    def free(self, x: float, y: float, radius: float) -> bool:
        """Nothing that was kept free lies within the radius, in metres."""
        return all(
            math.hypot(x - tx, y - ty) > radius + tr
            for cell in _cells(x, y, radius)
            for tx, ty, tr in self.taken.get(cell, ())
        )

    def take(self, x: float, y: float, radius: float) -> None:
        """Keep trees and houses off this disc."""
        for cell in _cells(x, y, radius):
            self.taken.setdefault(cell, []).append((x, y, radius))

    def take_rectangle(self, x: float, y: float, length: float, width: float, heading: float = 0.0) -> None:
        """Keep trees and houses off a rectangle, as a chain of discs along it."""
        if length < width:
            length, width, heading = width, length, heading + math.pi / 2
        steps = max(1, math.ceil(length / width))
        for i in range(steps):
            t = ((i + 0.5) / steps - 0.5) * length
            self.take(x + t * math.cos(heading), y + t * math.sin(heading), width * 0.62)

    # --- strokes

    def colour_of(self, material: str) -> Colour:
        """The material's colour at this place."""
        return self.tints.get(material, MATERIALS[material].colour)

    def ground(
        self, points: Iterable[Point], material: str, *, frame: Frame | None = None, paint: Paint | None = None
    ) -> None:
        """Cover a polygon of the ground."""
        paint = paint if paint is not None else self.colour_of(material)
        flat = (frame or self.frame).flat(points)
        self.marks.append(Mark("ground", "polygon", flat, paint, 0, MATERIALS[material].code))

    def ground_disc(
        self,
        x: float,
        y: float,
        radius: float,
        material: str,
        *,
        frame: Frame | None = None,
        paint: Paint | None = None,
    ) -> None:
        """Cover a disc of the ground."""
        paint = paint if paint is not None else self.colour_of(material)
        box = self._round(frame or self.frame, x, y, radius)
        self.marks.append(Mark("ground", "ellipse", box, paint, 0, MATERIALS[material].code))

    def strip(
        self,
        points: Iterable[Point],
        width: float,
        material: str,
        *,
        frame: Frame | None = None,
        paint: Paint | None = None,
    ) -> None:
        """Cover a band of the ground along a line, `width` metres wide."""
        paint = paint if paint is not None else self.colour_of(material)
        flat = (frame or self.frame).flat(points)
        self.marks.append(Mark("ground", "line", flat, paint, width / self.gsd, MATERIALS[material].code))

    def line(
        self,
        points: Iterable[Point],
        width: float,
        paint: Paint,
        *,
        frame: Frame | None = None,
        layer: Layer = "ground",
    ) -> None:
        """A painted line, `width` metres wide, that leaves the texture below as it is."""
        flat = (frame or self.frame).flat(points)
        self.marks.append(Mark(layer, "line", flat, paint, width / self.gsd, -1))

    def stain(self, points: Iterable[Point], paint: Paint, *, frame: Frame | None = None) -> None:
        """A translucent polygon on the ground (the fourth number is its opacity)."""
        self.marks.append(Mark("ground", "polygon", (frame or self.frame).flat(points), paint, 0, -1))

    def stain_disc(
        self, x: float, y: float, radius: float, paint: Paint, *, frame: Frame | None = None, width: float = 0
    ) -> None:
        """A translucent disc, or a ring where a width in metres is given."""
        box = self._round(frame or self.frame, x, y, radius)
        self.marks.append(Mark("ground", "ellipse", box, paint, width / self.gsd, -1))

    def solid(
        self, frame: Frame, points: Sequence[Point], paint: Paint, *, height: float = 0.0, layer: Layer = "object"
    ) -> None:
        """A thing that stands on the ground, with the shadow of its height in metres."""
        flat = frame.flat(points)
        if height > 0:
            self.shadow(flat, height)
        self.marks.append(Mark(layer, "polygon", flat, paint, 0, -1))

    def solid_disc(
        self,
        frame: Frame,
        x: float,
        y: float,
        radius: float,
        paint: Paint,
        *,
        height: float = 0.0,
        layer: Layer = "object",
    ) -> None:
        """A round thing that stands on the ground."""
        box = self._round(frame, x, y, radius)
        if height > 0:
            self.shadow_disc(box, height)
        self.marks.append(Mark(layer, "ellipse", box, paint, 0, -1))

    def ring(self, frame: Frame, x: float, y: float, radius: float, width: float, paint: Paint) -> None:
        """A ring on top of things; the radius is its outer one."""
        self.marks.append(Mark("object", "ellipse", self._round(frame, x, y, radius), paint, width / self.gsd, -1))

    def shadow(self, flat: list[float], height: float) -> None:
        """The shadow of an upright prism over a convex or nearly convex outline, in pixels."""
        dx, dy = self.sun[0] * height, self.sun[1] * height
        moved = [v + (dy if i % 2 else dx) for i, v in enumerate(flat)]
        self.shades.append(Shade("polygon", moved))
        if math.hypot(dx, dy) < 2.5:  # pixels: too short for its sides to show
            return
        n = len(flat)
        for i in range(0, n, 2):
            j = (i + 2) % n
            side = [flat[i], flat[i + 1], flat[j], flat[j + 1], moved[j], moved[j + 1], moved[i], moved[i + 1]]
            self.shades.append(Shade("polygon", side))

    def shadow_disc(self, box: list[float], height: float) -> None:
        """The shadow of an upright cylinder over a round outline, in pixels."""
        dx, dy = self.sun[0] * height, self.sun[1] * height
        steps = max(1, math.ceil(math.hypot(dx, dy) / max(1.0, (box[2] - box[0]) / 3)))
        for i in range(1, steps + 1):
            t = i / steps
            self.shades.append(Shade("ellipse", [v + (dy if k % 2 else dx) * t for k, v in enumerate(box)]))

    def _round(self, frame: Frame, x: float, y: float, radius: float) -> list[float]:
        cx, cy = frame.px(x, y)
        r = radius * frame.scale
        return [cx - r, cy - r, cx + r, cy + r]

    # --- things

    def label(self, name: str, frame: Frame, length: float, width: float, *, solid: bool = False) -> bool:
        """Annotate a box around the frame's spot, `length` along its heading; False where it lies outside the picture.

        solid  it can stand only where no other solid thing stands, and is refused elsewhere
        What is refused here must not be drawn, so that everything seen is annotated and everything annotated is seen.
        """
        share = self.visible(frame, length, width)
        if share < VISIBLE:
            return False
        hl, hw = length / 2, width / 2
        if solid and not self._stand([frame.px(x, y) for x, y in ((-hl, -hw), (hl, -hw), (hl, hw), (-hl, hw))]):
            return False
        self.labels.append(name)
        box = [(-hl, -hw), (hl, -hw), (hl, hw), (-hl, hw)]
        self.boxes.append([frame.px(x, y) for x, y in box])
        self.shapes.append([frame.flat(box)])
        self.difficult.append(1.0 if share < 0.7 else 0.0)
        return True

    def _stand(self, corners: list[Point]) -> bool:
        """Take the ground under a box, in pixels; False where a solid thing has some of it."""
        side = NEIGHBOURS / self.gsd
        column, row = (int(sum(c[axis] for c in corners) / 4 // side) for axis in (0, 1))
        around = [(column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        if any(_overlap(corners, other) for cell in around for other in self.standing.get(cell, ())):
            return False
        self.standing.setdefault((column, row), []).append(corners)
        return True

    def shape(self, frame: Frame, *parts: Sequence[Point]) -> None:
        """What is seen from above of the thing labelled last: parts whose union it is; without a call it is its box."""
        self.shapes[-1] = [frame.flat(part) for part in parts]

    def visible(self, frame: Frame, length: float, width: float) -> float:
        """The share of a box that lies in the picture, from a grid of samples."""
        cx, cy = frame.px(0, 0)
        r = math.hypot(length, width) / 2 * frame.scale
        if r <= cx <= self.size - r and r <= cy <= self.size - r:
            return 1.0
        steps = 9 if max(length, width) < 60 else 21
        inside = 0
        for i in range(steps):
            for j in range(steps):
                x, y = frame.px(((i + 0.5) / steps - 0.5) * length, ((j + 0.5) / steps - 0.5) * width)
                inside += 0 <= x <= self.size and 0 <= y <= self.size
        return inside / steps**2

    def inside(self, x: float, y: float, margin: float = 0.0) -> bool:
        """The point of the site lies in the picture, `margin` metres from its edge."""
        px, py = self.frame.px(x, y)
        m = margin / self.gsd
        return m <= px <= self.size - m and m <= py <= self.size - m


def _cells(x: float, y: float, radius: float) -> list[tuple[int, int]]:
    """The squares of ground that a disc may meet."""
    columns = range(int((x - radius) // CELL), int((x + radius) // CELL) + 1)
    rows = range(int((y - radius) // CELL), int((y + radius) // CELL) + 1)
    return [(column, row) for column in columns for row in rows]


def _overlap(one: list[Point], other: list[Point]) -> bool:
    """Two rectangles have ground in common: along no side of either do they lie apart."""
    for corners in (one, other):
        for i in (0, 1):
            (ax, ay), (bx, by) = corners[i], corners[i + 1]
            dx, dy = bx - ax, by - ay
            ours = [x * dx + y * dy for x, y in one]
            theirs = [x * dx + y * dy for x, y in other]
            if max(ours) <= min(theirs) or max(theirs) <= min(ours):
                return False
    return True


def rectangle(length: float, width: float, x: float = 0.0, y: float = 0.0) -> list[Point]:
    """Corners of a rectangle around (x, y), its length along x."""
    hl, hw = length / 2, width / 2
    return [(x - hl, y - hw), (x + hl, y - hw), (x + hl, y + hw), (x - hl, y + hw)]


def disc(radius: float, x: float = 0.0, y: float = 0.0, points: int = 24, squash: float = 1.0) -> list[Point]:
    """Corners of a circle around (x, y); `squash` scales its y."""
    turn = 2 * math.pi / points
    return [(x + radius * math.cos(i * turn), y + radius * squash * math.sin(i * turn)) for i in range(points)]


def shade(colour: Colour, factor: float) -> Colour:
    """The colour times a factor, kept within bounds."""
    r, g, b = (max(0, min(255, int(c * factor))) for c in colour)
    return r, g, b

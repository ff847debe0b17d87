"""Evidence drawn on the image: outlines of the entities that matter, lettered, and failing pairs with their number.

The image file is used where it is known and readable; else the entities are sketched on neutral ground, so that a
verdict can always be looked at. Letters carry the meaning and colours only help: the colours are told apart by people
with any of the usual kinds of colour blindness (after Okabe and Ito, Color Universal Design, 2008), and every line has
a dark casing, so that it is seen on water, on snow and in print.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

    from .entities.scene import Scene

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom

COLOURS: tuple[tuple[int, int, int], ...] = (
    (255, 176, 0),  # amber
    (86, 190, 245),  # sky
    (240, 228, 66),  # yellow
    (235, 140, 190),  # pink
    (60, 214, 166),  # green
    (255, 120, 60),  # vermilion
    (190, 160, 255),  # violet
)
FAULT = (255, 92, 57)  # a failing pair
DARK = (18, 20, 24)
PAPER, GRID, INK = (236, 238, 240), (220, 223, 227), (96, 104, 114)  # a sketch's ground, its grid and its outlines

SAMPLES = 2  # strokes are drawn at twice the size and reduced, which smooths them
LARGEST_PICTURE = 160_000_000  # pixels; a larger file is not decoded for a drawing (half a gigabyte as RGB)
_UNREADABLE = (OSError, SyntaxError, ValueError)  # what Pillow raises for files that are no images, or damaged ones
SIDES_SHOWN = 0.8  # a crop that would take more than this share of the image is not worth it


@dataclass(frozen=True, slots=True)
class Outline:
    """An entity to be drawn: its rings in pixels of the image, holes after the outer ring, parts one after another."""

    entity_id: int
    label: str
    rings: tuple[tuple[Point, ...], ...]
    shape: Any = field(default=None, repr=False, compare=False)  # the shapely geometry the rings are of

    @property
    def bounds(self) -> Box:
        """Left, top, right, bottom in pixels of the image."""
        xs = [x for ring in self.rings for x, _ in ring]
        ys = [y for ring in self.rings for _, y in ring]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two entities on which a clause turns, and what to write on the line between them, say "143 px (86 m)"."""

    first: int
    second: int
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """The part of the image that is shown, `box` in its pixels, and how many drawing pixels one of them takes."""

    box: Box
    scale: float

    def at(self, x: float, y: float) -> Point:
        """A point of the image, in pixels of the drawing."""
        return (x - self.box[0]) * self.scale, (y - self.box[1]) * self.scale

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the drawing, pixels."""
        left, top, right, bottom = self.box
        return max(1, round((right - left) * self.scale)), max(1, round((bottom - top) * self.scale))


def picture(
    scene: Scene,
    lettered: Mapping[str, int] | None = None,
    pairs: Sequence[Pair] = (),
    *,
    others: Iterable[int] = (),
    size: int = 480,
    crop: bool = True,
    path: str | Path | None = None,
) -> Image.Image:
    """The image of a scene with its evidence drawn on it, RGB, its longer side at most `size` pixels.

    lettered  letter to entity id: drawn in colour with the letter beside (see `letters`)
    pairs     drawn as a line between the nearest points of two entities, with its text; both are outlined
    others    further entities, outlined thinly
    crop      show only the surroundings of what is marked where it would be small in the whole, with a small map
    path      the image file; the scene's own where not given. Unknown or unreadable: a sketch
    raises    KeyError for an entity id that the scene does not have
    """
    marked = dict(lettered or {})
    named = [*marked.values(), *(i for pair in pairs for i in (pair.first, pair.second))]
    source = Path(path) if path is not None else picture_path(scene)
    others = list(others)
    needed = outlines_of(scene, {*named, *others})
    missing = [i for i in named if i not in needed]
    if missing:
        raise KeyError(f"image {scene.image_id!r} has no entity {missing[0]}")

    def draw(background: Image.Image | None) -> Image.Image:
        # a sketch has nothing else to show, so it shows every entity; over a picture they would hide it
        everything = outlines_of(scene) if background is None else needed
        extent = _extent(scene, background, everything)
        view = _view(extent, [everything[i].bounds for i in named] if crop else [], size)
        canvas = _sketch(view, everything) if background is None else _photograph(background, extent, view)
        _annotate(canvas, view, everything, marked, pairs, others=[everything[i] for i in others if i in everything])
        if scene.gsd:
            _scale_bar(canvas, scene.gsd / view.scale)
        if view.box != extent:
            _locator(canvas, background, extent, view)
        return canvas

    if source is not None:
        try:
            with _open(source) as background:
                return draw(background)
        except _UNREADABLE:  # no image, too large, truncated: Pillow may say so only when it decodes
            pass
    return draw(None)


def letters(witness: Mapping[str, int | Sequence[int]]) -> dict[str, int]:
    """A letter for every entity of a witness, in the order of its variables: A, B, ..., Z, AA, AB, ...

    An entity that plays several variables has one letter.
    """
    ids: list[int] = []
    for value in witness.values():
        for entity in [value] if isinstance(value, int) else value:
            if entity not in ids:
                ids.append(entity)
    return {letter(i): entity for i, entity in enumerate(ids)}


def letter(index: int) -> str:
    """A for 0, Z for 25, AA for 26."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def colour_of(index: int) -> tuple[int, int, int]:
    """The colour of the letter with that place in the alphabet."""
    return COLOURS[index % len(COLOURS)]


def length_text(pixels: float, gsd: float | None) -> str:
    """A length as people read it: "143 px", with metres where the ground sample distance is known: "143 px (86 m)"."""
    text = f"{_rounded(pixels)} px"
    return f"{text} ({_rounded(pixels * gsd)} m)" if gsd else text


def _rounded(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.1f}"


def outlines_of(scene: Scene, ids: Iterable[int] | None = None) -> dict[int, Outline]:
    """Entity id to outline, for these ids (those that exist) or for all."""
    table = scene.table
    rows = scene.rows
    if ids is not None:
        rows = rows[np.isin(table.entity_id[rows], list(ids))]
    found: dict[int, Outline] = {}
    for row, shape in zip(rows.tolist(), table.outlines(rows), strict=True):
        entity_id = int(table.entity_id[row])
        found[entity_id] = Outline(entity_id, table.classes[table.label[row]], _rings(shape), shape)
    return found


def picture_path(scene: Scene) -> Path | None:
    """The image's file by its row in the archive, None where none is named or it is not there."""
    arrow = scene.table.images.arrow
    if "path" not in arrow.column_names:
        return None
    name = arrow.column("path")[scene.index].as_py()
    return Path(name) if name and Path(name).is_file() else None


def _rings(shape: Any) -> tuple[tuple[Point, ...], ...]:
    """Rings of a shapely geometry; a point or a line (an entity of zero area) is one ring of its coordinates."""
    parts = getattr(shape, "geoms", [shape])
    rings: list[tuple[Point, ...]] = []
    for part in parts:
        lines = [part.exterior, *part.interiors] if hasattr(part, "exterior") else [part]
        rings += [tuple((float(x), float(y)) for x, y, *_ in line.coords) for line in lines if not line.is_empty]
    return tuple(rings)


# --- what is shown ----------------------------------------------------------------------------------------------------


def _extent(scene: Scene, background: Image.Image | None, outlines: Mapping[int, Outline]) -> Box:
    """The whole image, in the pixels of its annotation."""
    if scene.width and scene.height:
        return 0.0, 0.0, float(scene.width), float(scene.height)
    if background is not None:
        return 0.0, 0.0, float(background.width), float(background.height)
    bounds = [outline.bounds for outline in outlines.values()]
    right = max((b[2] for b in bounds), default=100.0)
    bottom = max((b[3] for b in bounds), default=100.0)
    return min(0.0, *(b[0] for b in bounds), 0.0), min(0.0, *(b[1] for b in bounds), 0.0), right + 5, bottom + 5


def _view(extent: Box, marked: Sequence[Box], size: int) -> View:
    """The whole image, or a square around what is marked where that would be too small to see."""
    left, top, right, bottom = extent
    width, height = right - left, bottom - top
    whole = View(extent, size / max(width, height))
    if not marked:
        return whole
    x0, y0 = min(b[0] for b in marked), min(b[1] for b in marked)
    x1, y1 = max(b[2] for b in marked), max(b[3] for b in marked)
    smallest = min(max(b[2] - b[0], b[3] - b[1]) for b in marked)
    # twice the marked things' extent, room around the smallest, and never much larger than the file's own pixels
    side = max(1.9 * max(x1 - x0, y1 - y0), 9 * smallest, size / 3)
    if side >= SIDES_SHOWN * max(width, height):
        return whole
    box_w, box_h = min(side, width), min(side, height)
    cx = min(max((x0 + x1) / 2, left + box_w / 2), right - box_w / 2)
    cy = min(max((y0 + y1) / 2, top + box_h / 2), bottom - box_h / 2)
    box = (cx - box_w / 2, cy - box_h / 2, cx + box_w / 2, cy + box_h / 2)
    return View(box, size / max(box_w, box_h))


def _open(path: Path) -> Image.Image:
    """The image file, not decoded yet. Raises one of _UNREADABLE where it is no image or too large to decode."""
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None  # our own limit below, without Pillow's warning at half of it
    try:
        image = Image.open(path)
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    if image.width * image.height > LARGEST_PICTURE:
        image.close()
        raise ValueError(f"{path} has more than {LARGEST_PICTURE} pixels")
    return image


def _photograph(image: Image.Image, extent: Box, view: View) -> Image.Image:
    """The shown part of the image file at the size of the drawing."""
    from PIL import Image

    width, height = view.size
    # the file may have another resolution than the annotation
    fx, fy = image.width / (extent[2] - extent[0]), image.height / (extent[3] - extent[1])
    left, top, right, bottom = view.box
    full = (image.width, image.height)
    shrink = min((right - left) * fx / width, (bottom - top) * fy / height)
    if shrink >= 2:
        image.draft("RGB", (int(image.width / shrink), int(image.height / shrink)))  # JPEG alone can decode smaller
    fx, fy = fx * image.width / full[0], fy * image.height / full[1]
    box = (
        max(0.0, (left - extent[0]) * fx),
        max(0.0, (top - extent[1]) * fy),
        min(float(image.width), (right - extent[0]) * fx),
        min(float(image.height), (bottom - extent[1]) * fy),
    )
    part = image.crop((math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])))
    inner = (box[0] - math.floor(box[0]), box[1] - math.floor(box[1]))
    window = (inner[0], inner[1], inner[0] + box[2] - box[0], inner[1] + box[3] - box[1])
    return _as_rgb(part).resize((width, height), Image.Resampling.LANCZOS, box=window, reducing_gap=3.0)


def _as_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB; deeper or floating images are stretched between their 2nd and 98th percentile."""
    from PIL import Image

    if image.mode in ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr"):
        return image.convert("RGB")
    values = np.asarray(image, dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [2, 98]) if finite.size else (0.0, 1.0)
    scaled = np.nan_to_num((values - low) / max(high - low, 1e-9))
    return Image.fromarray((np.clip(scaled, 0, 1) * 255).astype(np.uint8)).convert("RGB")


def _sketch(view: View, outlines: Mapping[int, Outline]) -> Image.Image:
    """Every entity as a plain shape on squared paper."""
    from PIL import Image, ImageDraw

    width, height = view.size
    canvas = Image.new("RGB", (width * SAMPLES, height * SAMPLES), PAPER)
    draw = ImageDraw.Draw(canvas, "RGBA")
    step = _round_below((view.box[2] - view.box[0]) / 6)
    for low, high, axis in ((view.box[0], view.box[2], 0), (view.box[1], view.box[3], 1)):
        at = math.ceil(low / step) * step
        while at < high:
            p = (at - low) * view.scale * SAMPLES
            draw.line([p, 0, p, canvas.height] if axis == 0 else [0, p, canvas.width, p], fill=GRID, width=SAMPLES)
            at += step
    for outline in outlines.values():
        for ring in outline.rings:
            points = _flat(view, ring)
            if len(ring) > 2:
                draw.polygon(points, fill=(*INK, 40))
            draw.line([*points, *points[:2]], fill=(*INK, 170), width=SAMPLES)
    return canvas.reduce(SAMPLES)


def _flat(view: View, ring: Sequence[Point]) -> list[float]:
    return [SAMPLES * v for x, y in ring for v in view.at(x, y)]


# --- strokes and words ------------------------------------------------------------------------------------------------


def _annotate(
    canvas: Image.Image,
    view: View,
    outlines: Mapping[int, Outline],
    lettered: Mapping[str, int],
    pairs: Sequence[Pair],
    others: Sequence[Outline],
) -> None:
    """Outlines, lines and letters over the canvas, in place."""
    from PIL import Image, ImageDraw

    width, height = canvas.size
    layer = Image.new("RGBA", (width * SAMPLES, height * SAMPLES), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    thick = max(2.0, min(width, height) / 170)
    order = {entity: i for i, entity in enumerate(lettered.values())}
    for outline in others:
        if outline.entity_id not in order:
            _trace(draw, view, outline, (255, 255, 255, 150), thick * 0.5, casing=80)
    for i in dict.fromkeys(i for pair in pairs for i in (pair.first, pair.second)):
        if i not in order:
            _trace(draw, view, outlines[i], (*FAULT, 255), thick)
    for entity, index in order.items():
        _trace(draw, view, outlines[entity], (*colour_of(index), 255), thick)
    taken: list[Box] = []
    tags: list[tuple[Point, Point, str]] = []
    for pair in pairs:
        start, end = _between(outlines[pair.first], outlines[pair.second])
        a, b = view.at(*start), view.at(*end)
        _dashes(draw, a, b, thick)
        tags.append((a, b, pair.text))
    marked = dict.fromkeys([*order, *(i for pair in pairs for i in (pair.first, pair.second))])
    things = [_shown(view, outlines[entity].bounds) for entity in marked]
    font = _font(max(11.0, min(19.0, min(width, height) / 23)) * SAMPLES)
    for entity, index in order.items():
        _chip(draw, view, outlines[entity], list(lettered)[index], index, font, taken, things, canvas.size)
    for start, end, text in tags:
        _tag(draw, start, end, text, font, taken, things, canvas.size)
    canvas.paste(Image.alpha_composite(canvas.convert("RGBA"), layer.reduce(SAMPLES)).convert("RGB"))


def _trace(
    draw: ImageDraw.ImageDraw, view: View, outline: Outline, colour: tuple[int, ...], width: float, casing: int = 190
) -> None:
    """The rings of an outline, with a dark casing; one too small to be seen is drawn as a ring around its place."""
    left, top, right, bottom = _shown(view, outline.bounds)
    if max(right - left, bottom - top) < 7:
        cx, cy, r = (left + right) / 2 * SAMPLES, (top + bottom) / 2 * SAMPLES, 6 * SAMPLES
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), outline=(*DARK, casing), width=round((width + 2) * SAMPLES))
        r -= SAMPLES
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), outline=colour, width=round(width * SAMPLES))
        return
    for ring in outline.rings:
        points = _flat(view, ring)
        closed = [*points, *points[:4]]
        draw.line(closed, fill=(*DARK, casing), width=round((width + 2) * SAMPLES), joint="curve")
    for ring in outline.rings:
        points = _flat(view, ring)
        draw.line([*points, *points[:4]], fill=colour, width=round(width * SAMPLES), joint="curve")


def _dashes(draw: ImageDraw.ImageDraw, a: Point, b: Point, width: float) -> None:
    """A broken line with a dark casing and end stops, so that it is told from an outline without its colour."""
    ax, ay, bx, by = (v * SAMPLES for v in (*a, *b))
    length = math.hypot(bx - ax, by - ay)
    if length < 1:
        return
    ux, uy = (bx - ax) / length, (by - ay) / length
    stop = 5 * SAMPLES
    strokes = [(px - uy * stop, py + ux * stop, px + uy * stop, py - ux * stop) for px, py in ((ax, ay), (bx, by))]
    dash, gap = 9.0 * SAMPLES, 5.0 * SAMPLES
    count = max(1, round((length + gap) / (dash + gap)))
    pitch = (length + gap) / count
    for i in range(count):
        s, e = i * pitch, min(length, i * pitch + pitch - gap)
        strokes.append((ax + ux * s, ay + uy * s, ax + ux * e, ay + uy * e))
    for colour, extra in (((*DARK, 220), 3.0), ((*FAULT, 255), 0.5)):
        for stroke in strokes:
            draw.line(stroke, fill=colour, width=round((width + extra) * SAMPLES))


def _chip(
    draw: ImageDraw.ImageDraw,
    view: View,
    outline: Outline,
    text: str,
    index: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    taken: list[Box],
    things: Sequence[Box],
    canvas: tuple[int, int],
) -> None:
    """A letter on a disc of its colour, beside the outline where it hides least."""
    text_w, text_h = _measure(draw, text, font)
    r = max(text_h * 0.85, text_w * 0.68) / SAMPLES + 1.5
    spots = _around([view.at(x, y) for x, y in outline.rings[0]], r + 3.5)
    best: tuple[float, Point] | None = None
    for rank, (x, y) in enumerate(spots):
        x = min(max(x, r + 1), canvas[0] - r - 1)
        y = min(max(y, r + 1), canvas[1] - r - 1)
        here = (x - r, y - r, x + r, y + r)
        cost = rank * 0.1 + 30 * sum(_common(here, t) for t in taken) + 3 * sum(_common(here, t) for t in things)
        if best is None or cost < best[0]:
            best = cost, (x, y)
    assert best is not None
    x, y = best[1]
    taken.append((x - r, y - r, x + r, y + r))
    cx, cy, rr = x * SAMPLES, y * SAMPLES, r * SAMPLES
    draw.ellipse(
        (cx - rr, cy - rr, cx + rr, cy + rr), fill=(*colour_of(index), 255), outline=(*DARK, 255), width=SAMPLES
    )
    draw.text((cx, cy), text, fill=DARK, font=font, anchor="mm")


def _around(ring: Sequence[Point], gap: float) -> list[Point]:
    """Places outside a ring, `gap` away from its corners and from the middles of its sides, the upper ones first."""
    cx, cy = sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)
    corners = list(ring) if len(ring) <= 9 else list(ring[:: len(ring) // 8])
    middles = [((x0 + x1) / 2, (y0 + y1) / 2) for (x0, y0), (x1, y1) in pairwise(corners)]
    places: list[Point] = []
    for x, y in corners + middles:
        away = math.hypot(x - cx, y - cy)
        ux, uy = ((x - cx) / away, (y - cy) / away) if away > 1e-6 else (0.7, -0.7)
        places.append((x + ux * gap, y + uy * gap))
    return sorted(places, key=lambda place: (place[1] - cy) - 0.3 * (place[0] - cx))


def _tag(
    draw: ImageDraw.ImageDraw,
    start: Point,
    end: Point,
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    taken: list[Box],
    things: Sequence[Box],
    canvas: tuple[int, int],
) -> None:
    """A line's number on a dark plate beside its middle, clear of letters and things where there is room."""
    text_w, text_h = _measure(draw, text, font)
    half_w, half_h = text_w / SAMPLES / 2 + 6, text_h / SAMPLES / 2 + 5
    mx, my = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    length = math.hypot(end[0] - start[0], end[1] - start[1])
    ux, uy = ((end[0] - start[0]) / length, (end[1] - start[1]) / length) if length > 1e-6 else (1.0, 0.0)
    aside = abs(uy) * half_w + abs(ux) * half_h + 9
    along = abs(ux) * half_w + abs(uy) * half_h + 9 + length / 2
    spots = [(mx - uy * aside * k, my + ux * aside * k) for k in (1, -1, 1.8, -1.8)]
    spots += [(mx + ux * along * k, my + uy * along * k) for k in (1, -1)]
    spots += [
        (mx - uy * aside * k + ux * along * j, my + ux * aside * k + uy * along * j) for k in (1, -1) for j in (1, -1)
    ]
    best: tuple[float, Box] | None = None
    line = (min(start[0], end[0]) - 4, min(start[1], end[1]) - 4, max(start[0], end[0]) + 4, max(start[1], end[1]) + 4)
    for rank, (x, y) in enumerate(spots):
        x = min(max(x, half_w + 1), canvas[0] - half_w - 1)
        y = min(max(y, half_h + 1), canvas[1] - half_h - 1)
        here = (x - half_w, y - half_h, x + half_w, y + half_h)
        hidden = _common(line, here) + 0.5 * _common(here, line)
        cost = (
            rank * 0.1 + 30 * sum(_common(here, t) for t in taken) + 2 * sum(_common(here, t) for t in things) + hidden
        )
        if best is None or cost < best[0]:
            best = cost, here
    assert best is not None
    here = best[1]
    taken.append(here)
    plate = tuple(v * SAMPLES for v in here)
    draw.rounded_rectangle(plate, radius=5 * SAMPLES, fill=(*DARK, 235), outline=(*FAULT, 255), width=SAMPLES)
    draw.text(
        ((plate[0] + plate[2]) / 2, (plate[1] + plate[3]) / 2), text, fill=(255, 255, 255), font=font, anchor="mm"
    )


def _scale_bar(canvas: Image.Image, metres: float) -> None:
    """A bar of a round length at the lower left; `metres` to a pixel of the drawing."""
    from PIL import ImageDraw

    width, height = canvas.size
    if min(width, height) < 150:
        return
    length = _round_below(metres * width * 0.28)
    bar = length / metres
    draw = ImageDraw.Draw(canvas, "RGBA")
    font = _font(max(10.0, min(13.0, width / 38)))
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    text_w, text_h = _measure(draw, text, font)
    x, y = 8.0, height - 9.0
    draw.rounded_rectangle((3, y - text_h - 12, x + max(bar, text_w) + 6, height - 3), radius=3, fill=(*DARK, 150))
    draw.line([x, y - 4, x, y, x + bar, y, x + bar, y - 4], fill=(255, 255, 255), width=2)
    draw.text((x + 1, y - 6), text, fill=(255, 255, 255), font=font, anchor="ls")


def _locator(canvas: Image.Image, background: Image.Image | None, extent: Box, view: View) -> None:
    """A small map of the whole image in the upper right corner, the shown part framed."""
    from PIL import Image, ImageDraw

    width, height = extent[2] - extent[0], extent[3] - extent[1]
    side = min(canvas.size) // 5
    if side < 40:
        return
    small = View(extent, side / max(width, height))
    if background is None:
        chart = Image.new("RGB", small.size, GRID)
    else:
        chart = _photograph(background, extent, small)
    draw = ImageDraw.Draw(chart, "RGBA")
    x0, y0 = small.at(view.box[0], view.box[1])
    x1, y1 = small.at(view.box[2], view.box[3])
    draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=(*DARK, 200), width=3)
    draw.rectangle((x0, y0, x1, y1), outline=(255, 255, 255), width=1)
    framed = Image.new("RGB", (chart.width + 2, chart.height + 2), (255, 255, 255))
    framed.paste(chart, (1, 1))
    canvas.paste(framed, (canvas.width - framed.width - 5, 5))


def _between(first: Outline, second: Outline) -> tuple[Point, Point]:
    """The nearest points of two outlines; their middles where they meet."""
    import shapely

    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # coordinates a rounding apart
        line = shapely.shortest_line(first.shape, second.shape)
    if line is not None and line.length > 1:
        (ax, ay), (bx, by) = line.coords
        return (ax, ay), (bx, by)
    return _middle(first), _middle(second)


def _middle(outline: Outline) -> Point:
    left, top, right, bottom = outline.bounds
    return (left + right) / 2, (top + bottom) / 2


def _shown(view: View, box: Box) -> Box:
    return (*view.at(box[0], box[1]), *view.at(box[2], box[3]))


def _common(a: Box, b: Box) -> float:
    """The share of box a that lies in b."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / ((a[2] - a[0]) * (a[3] - a[1]))


def _round_below(value: float) -> float:
    """The largest of 1, 2, 5, 10, 20, 50, ... that is not above the value."""
    base = 10.0 ** math.floor(math.log10(max(value, 1e-6)))
    return next(base * step for step in (5, 2, 1) if base * step <= value * (1 + 1e-9))


def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _measure(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> Point:
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    return right - left, bottom - top

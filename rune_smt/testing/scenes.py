"""Random small scenes for laws: degenerate, nested, edge-sharing and turned outlines, and data that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st

from ..entities.scene import Scene

AttributeSpec: TypeAlias = str | Sequence[Any]  # "boolean", "number", or the values of a text attribute
Polygon: TypeAlias = list[Any]

CLASSES = ("ship", "harbor", "plane")
ATTRIBUTES: Mapping[str, AttributeSpec] = {"flooded": "boolean", "difficult": "number"}
GRID = 24  # px; small, so that edges, corners and centroids coincide often
TURNS = ((1.0, 0.0), (0.8, 0.6), (0.6, 0.8), (0.0, 1.0), (0.96, 0.28))  # cosine and sine, exact in few digits


@st.composite
def outlines(draw: st.DrawFn, grid: int = GRID) -> Polygon:
    """One outline as JSON has it: rectangles, also turned, any four corners, points, lines, rings, holes, parts."""
    kind = draw(st.sampled_from(("box", "box", "turned", "corners", "point", "line", "ring", "hole", "parts")))
    x, y = draw(st.integers(-2, grid)), draw(st.integers(-2, grid))
    w, h = draw(st.integers(1, 10)), draw(st.integers(1, 6))
    box = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
    point = st.tuples(st.integers(-2, grid), st.integers(-2, grid)).map(list)
    match kind:
        case "turned":
            cos, sin = draw(st.sampled_from(TURNS))
            return [[x + cos * a - sin * b, y + sin * a + cos * b] for a, b in ((0, 0), (w, 0), (w, h), (0, h))]
        case "corners":
            return draw(st.lists(point, min_size=4, max_size=4))
        case "point":
            return [[x, y]] * draw(st.sampled_from((1, 4)))
        case "line":
            return draw(st.sampled_from(([[x, y], [x + w, y + h]], [[x, y], [x + w, y], [x, y], [x + w, y]])))
        case "ring":
            return draw(st.lists(point, min_size=3, max_size=7))
        case "hole":
            outer = [[x, y], [x + w + 4, y], [x + w + 4, y + h + 4], [x, y + h + 4]]
            return [outer, [[x + 2, y + 2], [x + w + 2, y + 2], [x + w + 2, y + h + 2], [x + 2, y + h + 2]]]
        case "parts":
            return [[box], [[[a + 12, b] for a, b in box]]]
        case _:
            return box


@st.composite
def related(draw: st.DrawFn, earlier: Polygon) -> Polygon:
    """An outline that has to do with an earlier one: the same, beside it with a common edge, in it, or around it."""
    points = _points(earlier)
    left, top = min(p[0] for p in points), min(p[1] for p in points)
    right, bottom = max(p[0] for p in points), max(p[1] for p in points)
    wide, high = right - left, bottom - top
    match draw(st.sampled_from(("same", "beside", "beyond", "within", "around", "half"))):
        case "same":
            return earlier
        case "beside":
            return _box(right, top, right + max(wide, 1), bottom)
        case "beyond":
            step = draw(st.sampled_from((1, 1.5, wide, 3 * wide + 1)))
            return _box(right + step, top, right + step + max(wide, 1), bottom + 1)
        case "within":
            return _box(left + wide / 4, top + high / 4, right - wide / 4, bottom - high / 4)
        case "around":
            return [_box(left - 6, top - 6, right + 6, bottom + 6), _box(left, top, right, bottom)]
        case _:
            return _box(left, top, left + wide / 2, bottom)


@st.composite
def scenes(
    draw: st.DrawFn,
    classes: Sequence[str] = CLASSES,
    min_entities: int = 0,
    max_entities: int = 5,
    missing: bool = True,
    attributes: Mapping[str, AttributeSpec] = ATTRIBUTES,
) -> Scene:
    """A scene with random entities on a small grid of pixels.

    classes     labels to draw from
    missing     whether image size, gsd, transform and attribute values may be unknown; if not, all are there
    attributes  "boolean", "number" or a sequence of texts, by name
    """
    count = draw(st.integers(min_entities, max_entities))
    polygons: list[Polygon] = []
    for _ in range(count):
        fresh = not polygons or draw(st.booleans())
        polygons.append(draw(outlines()) if fresh else draw(related(draw(st.sampled_from(polygons)))))
    size_known, gsd_known, map_known = (not missing or draw(st.booleans()) for _ in range(3))
    document: dict[str, Any] = {
        "image_id": draw(st.sampled_from(("P0001", "P0706"))),
        "width": None,
        "height": None,
        "gsd": draw(st.sampled_from((0.5, 1.0, 0.3))) if gsd_known else None,
        "entities": [
            {
                "entity_id": i,
                "label": draw(st.sampled_from(tuple(classes))),
                "score": draw(st.sampled_from((1.0, 0.9, 0.5, 0.3, 0.0))),
                "polygon": polygon,
                "attributes": {name: _value(draw, spec, missing) for name, spec in attributes.items()},
            }
            for i, polygon in enumerate(polygons)
        ],
    }
    if size_known:
        document["width"], document["height"] = draw(st.sampled_from(((30, 30), (24, 36), (100, 60))))
    if map_known:
        document["transform"] = draw(
            st.sampled_from(([500.0, 0.5, 0.0, 4000.0, 0.0, -0.5], [0.0, 0.6, 0.8, 0.0, 0.8, -0.6]))
        )
    if draw(st.booleans()):
        document["reference_areas"] = {name: draw(st.sampled_from((0.0, 4.0, 20.0, 60.0))) for name in classes}
    return Scene.from_json(document)


def _value(draw: st.DrawFn, spec: AttributeSpec, missing: bool) -> bool | float | str | None:
    if missing and draw(st.integers(0, 3)) == 0:
        return None
    if spec == "boolean":
        return draw(st.booleans())
    if spec == "number":
        return draw(st.sampled_from((0.0, 1.0, 2.0, 0.5)))
    value: str = draw(st.sampled_from(tuple(spec)))
    return value


def _box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _points(polygon: Polygon) -> list[list[float]]:
    if isinstance(polygon[0][0], (int, float)):
        return polygon
    return [point for part in polygon for point in _points(part)]

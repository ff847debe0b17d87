"""What the laws of the solver share: a vocabulary, and scenes of boxes."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from rune_smt.entities.scene import Scene
from rune_smt.grammar.definitions import Written, with_formulas
from rune_smt.grammar.vocabulary import Vocabulary, load_vocabulary
from rune_smt.solver.world import World

CLASSES = ("ship", "harbor", "plane")


@cache
def vocabulary() -> Vocabulary:
    """The shipped one with two numeric attributes, a definition, one that uses it, and a link."""
    shipped = replace(load_vocabulary("dota-v1.5"), name="laws").with_attributes(
        {"flooded": "boolean", "difficult": "number"}
    )
    written = (
        Written(False, "alone", ("x",), "~(exists y (y != x & near(x, y)))", "definitions.alone(x)"),
        Written(False, "odd_pair", ("x", "y"), "alone(x) <-> near(x, y)", "definitions.odd_pair(x, y)"),
        Written(True, "linked", ("x", "y"), "touches(x, y) & ~flooded(x)", "links.linked"),
    )
    return with_formulas(shipped, written, "laws")


VOCABULARY = vocabulary()


def box(x: float, y: float, w: float, h: float) -> list[list[float]]:
    """Corners of an upright box."""
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


def scene_of(entities: Iterable[tuple], width=None, height=None, gsd=None, image_id="P0001", **more) -> Scene:
    """A scene of upright boxes: (label, x, y, w, h) or (label, x, y, w, h, score), ids from 0."""
    return Scene.from_json(
        {
            "image_id": image_id, "width": width, "height": height, "gsd": gsd, **more,
            "entities": [
                {"entity_id": i, "label": e[0], "polygon": box(*e[1:5]), "score": e[5] if len(e) > 5 else 1.0}
                for i, e in enumerate(entities)
            ],
        }
    )  # fmt: skip


def world_of(entities: Iterable[tuple], min_score: float = 0.5, **scene) -> World:
    """The world of such a scene."""
    return World(scene_of(entities, **scene), VOCABULARY, min_score)

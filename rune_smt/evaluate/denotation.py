"""Whether two formulas mean the same: by proof, by made scenes, or by a scene made to tell them apart."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ..grammar.nodes import Formula
from ..translate.agreement import mean_the_same, telling_scene

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

SCENES = 84  # twelve of each kind of place
SEED = 20240

How: TypeAlias = Literal["proved", "scenes", "shown", ""]


def same_denotation(one: Formula, other: Formula, vocabulary: Vocabulary) -> tuple[bool, How]:
    """Whether two closed formulas mean the same, and how it is known.

    (True, "proved")    equivalent in all scenes, of any size
    (False, "scenes")   their verdicts differ on one of the made scenes
    (False, "shown")    a scene was found that satisfies just one of them
    (True, "scenes")    neither proved nor told apart: the same verdict on every made scene
    """
    if not np.array_equal(_verdicts(one, vocabulary), _verdicts(other, vocabulary)):
        return False, "scenes"
    if mean_the_same(one, other, vocabulary):
        return True, "proved"
    if telling_scene(one, other, vocabulary) is not None:
        return False, "shown"
    return True, "scenes"


def _verdicts(formula: Formula, vocabulary: Vocabulary) -> Any:
    from ..grammar.definitions import expand_definitions
    from ..solver.array_engine import ArrayEngine
    from ..solver.normalise import normalise

    engine = ArrayEngine(_table(vocabulary), vocabulary, 0.5)
    return engine.decide(normalise(expand_definitions(formula, vocabulary)))


@lru_cache(maxsize=4)
def _table(vocabulary: Vocabulary) -> Any:
    """Made scenes as a table. Where the vocabulary lacks their classes its own take turns; attributes are drawn."""
    import pyarrow as pa

    from ..archives import archive_from_arrow
    from ..detect.synthetic import make_scenes, to_arrow

    entities, images = to_arrow(make_scenes(SCENES, SEED))
    rng = np.random.default_rng(SEED)
    labels = entities.column("label").to_pylist()
    own = [name for name in vocabulary.classes if len(vocabulary.descendants(name)) == 1]
    made = {label: label if label in vocabulary.classes else own[number % len(own)]
            for number, label in enumerate(sorted(set(labels)))}  # fmt: skip
    entities = entities.set_column(
        entities.column_names.index("label"), "label", pa.array([made[label] for label in labels])
    )
    for attribute in vocabulary.attributes.values():
        if attribute.name in entities.column_names:
            continue
        values: list[Any]
        match attribute.type:
            case "boolean":
                values = (rng.random(len(labels)) < 0.5).tolist()
            case "number":
                values = rng.integers(0, 3, len(labels)).astype(float).tolist()
            case "text":
                values = rng.choice(list(attribute.ordered) or ["a", "b"], len(labels)).tolist()
        entities = entities.append_column(attribute.name, pa.array(values))
    if "difficult" not in vocabulary.attributes:
        entities = entities.drop_columns(["difficult"])
    return archive_from_arrow(entities, images, vocabulary=vocabulary).table

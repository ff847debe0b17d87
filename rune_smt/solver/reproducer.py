"""A disagreement between engines as a short program: paste it into a file and run it where rune_smt is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pprint import pformat
from typing import TYPE_CHECKING, Any

from ..errors import LimitError

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..grammar.nodes import Formula
    from ..grammar.vocabulary import Vocabulary


def reproducer(formula: Formula, scene: Scene, vocabulary: Vocabulary, min_score: float, note: str = "") -> str:
    """The program: the query with definitions expanded, the scene, the vocabulary; it prints what each engine says.

    note  what went wrong, for its first line
    """
    from ..grammar.printer import canonical

    document = {
        "formula": canonical(formula),
        "min_score": min_score,
        "scene": scene.to_json(),
        "vocabulary": vocabulary.to_toml(),
    }
    first = " ".join(note.split()).replace('"""', "'''")
    return (
        f'"""{first or "What each engine says of one query in one scene."}"""\n'
        "from rune_smt.solver.reproducer import replay\n\n"
        f"raise SystemExit(replay({pformat(document, width=118, sort_dicts=False)}))\n"
    )


def replay(document: Mapping[str, Any]) -> int:
    """Prints the verdict of every engine; 0 where they agree, 5 where they do not (LimitError counts as no answer)."""
    verdicts = by_engine(document)
    for engine, verdict in verdicts.items():
        print(f"{engine}: {verdict}")
    said = {verdict for verdict in verdicts.values() if not verdict.startswith("no answer")}
    return 0 if len(said) <= 1 else 5


def by_engine(document: Mapping[str, Any]) -> dict[str, str]:
    """The verdict of each engine, in a word."""
    from ..entities.scene import Scene
    from ..grammar.reader import read
    from ..grammar.vocabulary import Vocabulary
    from ..verdict import Verdict
    from .array_engine import ArrayEngine
    from .evaluate import query_verdict
    from .holds import holds
    from .normalise import normalise
    from .world import World
    from .z3_engine import decide

    formula = read(document["formula"])
    vocabulary = Vocabulary.from_toml(document["vocabulary"], source="reproducer")
    scene = Scene.from_json(document["scene"])
    min_score = float(document["min_score"])
    world = World(scene, vocabulary, min_score)

    def array() -> Verdict:
        return Verdict(int(ArrayEngine(scene.table, vocabulary, min_score).decide(normalise(formula))[0]))

    engines: dict[str, Callable[[], Verdict]] = {
        "reference": lambda: holds(formula, world),
        "columns": lambda: query_verdict(formula, world),
        "array": array,
        "z3": lambda: decide(formula, world),
    }
    found = {}
    for name, decided in engines.items():
        try:
            found[name] = decided().word
        except LimitError as error:
            found[name] = f"no answer: {error.message}"
    return found

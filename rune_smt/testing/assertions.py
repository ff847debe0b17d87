"""The laws as assertions: a translator keeps the meaning of a text, an engine gives the verdict that `holds` gives.

They fail with an AssertionError that says what differs and shows a scene in which it does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..checking import equivalent
from ..entities.scene import Scene
from ..errors import RuneError
from ..grammar.definitions import expand_definitions
from ..grammar.nodes import Apply, Formula, Text, walk
from ..grammar.printer import canonical
from ..query import Query, QueryLike, VocabularyLike, as_query, vocabulary_of
from ..solver.array_engine import ArrayEngine
from ..solver.holds import holds
from ..solver.normalise import normalise
from ..solver.reproducer import reproducer
from ..solver.world import World
from ..verdict import SATISFIED, VIOLATED, Verdict
from .batches import batch

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

Translate: TypeAlias = Callable[[str], QueryLike]  # English in; a Query, a formula's text or a formula out
Decide: TypeAlias = Callable[[Formula, Scene], Verdict | str]  # a closed formula without definitions, one scene

SCENES = 300  # random scenes on which two formulas are compared
OTHER_CLASSES = 2  # classes that the query does not name, but that scenes have


def assert_translation(
    translate: Translate,
    text: str,
    meaning: QueryLike,
    *,
    vocabulary: VocabularyLike = None,
    scenes: int = SCENES,
    seed: int = 1,
    seconds: float = 1.0,
    proved: bool = False,
) -> str:
    """Asserts that a translator gives a text its meaning: a formula that scenes with nothing missing answer alike.

    translate   takes the text; gives a Query, a formula's text in any dialect, or a formula
    meaning     what the text means, in the same forms
    vocabulary  a Vocabulary, its name or file, or an Archive; dota-v1.5 if left out
    scenes      random scenes, drawn with `seed`, on which both are decided first
    seconds     how long `equivalent` then looks for a proof or for a scene that tells the two apart
    proved      fail too where neither a proof nor such a scene is found
    Returns "same" (the same formula up to names of variables), "proved", or "unknown": no scene tells them apart, but
    nothing proves them equal.
    raises      AssertionError, with the text, both formulas and a telling scene as JSON where there is one
    """
    known = vocabulary_of(vocabulary)
    expected = as_query(meaning, known)
    try:
        found = as_query(translate(text), known)
    except RuneError as error:
        raise AssertionError(f"{text!r} is not translated: {error}\nexpected: {expected}") from error
    if str(found) == str(expected):
        return "same"
    telling = _telling_scene(found, expected, known, scenes, seed)
    answer: bool | None = False
    if telling is None:
        relation = equivalent(found, expected, vocabulary=known, seconds=seconds)
        telling, answer = relation.telling_scene, relation.answer
    if answer or (answer is None and not proved):
        return "proved" if answer else "unknown"
    shown = "" if telling is None else f"\nin this scene they differ: {json.dumps(telling.to_json())}"
    what = "is not proved to mean" if answer is None else "does not mean"
    raise AssertionError(
        f"the translation of {text!r} {what} what it should\nfound:    {found}\nexpected: {expected}{shown}"
    )


def assert_engine(
    decide: Decide, formula: QueryLike, scene: Scene, *, vocabulary: VocabularyLike = None, min_score: float = 0.5
) -> None:
    """Asserts that an engine gives a query the verdict that `holds` gives it in a scene.

    decide      takes the formula, closed and without definitions, and the scene; gives a Verdict or its word
                (satisfied, violated, undecided)
    formula     a Query, a formula's text or a formula; its definitions are expanded before `decide` sees it
    vocabulary  a Vocabulary, its name or file, or an Archive; dota-v1.5 if left out
    min_score   entities below it do not exist; for `holds`, and `decide` has to know
    raises      AssertionError, with a program that shows what this package's engines say
    """
    known = vocabulary_of(vocabulary)
    expanded = expand_definitions(_formula(formula, known), known)
    expected = holds(expanded, World(scene, known, min_score))
    found = decide(expanded, scene)
    word = found.word if isinstance(found, Verdict) else found
    if word != expected.word:
        note = f"holds: {expected.word}, the engine: {word}"
        program = reproducer(expanded, scene, known, min_score, note)
        raise AssertionError(f"{note}\nquery: {canonical(expanded)}\n{program}")


def _formula(query: QueryLike, vocabulary: Vocabulary) -> Formula:
    """As it is where it is nodes already: names and dimensions are the caller's."""
    return as_query(query, vocabulary).formula if isinstance(query, Query | str) else query


def _telling_scene(one: Query, other: Query, vocabulary: Vocabulary, number: int, seed: int) -> Scene | None:
    """The first of some random scenes that satisfies one query and violates the other."""
    random = Random(seed)
    formulas = [expand_definitions(query.formula, vocabulary) for query in (one, other)]
    classes, attributes = _classes(formulas, vocabulary, random), _attributes(formulas, vocabulary)
    drawn = batch(random, number, classes, attributes, plain=False)
    verdicts = [ArrayEngine(drawn.table, vocabulary, 0.0).decide(normalise(formula)) for formula in formulas]
    apart = np.flatnonzero(np.abs(verdicts[0] - verdicts[1]) == SATISFIED - VIOLATED)
    return Scene.from_json(drawn.documents[int(apart[0])]) if len(apart) else None


def _classes(formulas: Sequence[Formula], vocabulary: Vocabulary, random: Random) -> list[str]:
    """The classes that are named, most often, and some others."""
    named = sorted(_names(formulas) & set(vocabulary.classes))
    below = [name for name in vocabulary.classes if any(vocabulary.is_a(name, cls) for cls in named)]
    others = [name for name in vocabulary.classes if name not in below]
    return [*below, *below, *random.sample(others, min(OTHER_CLASSES, len(others)))]


def _attributes(formulas: Sequence[Formula], vocabulary: Vocabulary) -> Mapping[str, Any]:
    """What is drawn for the attributes that are named."""
    texts = sorted({node.value for formula in formulas for node in walk(formula) if isinstance(node, Text)})
    return {
        name: tuple(attribute.ordered or texts or ("a", "b")) if attribute.type == "text" else attribute.type
        for name, attribute in vocabulary.attributes.items()
        if name in _names(formulas)
    }


def _names(formulas: Sequence[Formula]) -> set[str]:
    return {node.name for formula in formulas for node in walk(formula) if isinstance(node, Apply)}


__all__ = ["assert_engine", "assert_translation"]

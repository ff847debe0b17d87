"""What a language model is told: its task, the vocabulary, the conventions, and examples like the query.

The part that is the same for every query of a vocabulary comes first, so that a server may keep it.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..grammar.printer import written
from ..grammar.reader import read
from ..grammar.words import WORDS
from .depth_names import named_by_depth

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

PROMPT_VERSION = "1"  # counted up with every change of the text, so that measured figures name what they measured
SHOWN = 6  # examples: more help little and cost time on small machines
CANNOT = "CANNOT:"
LEFT_OUT = "LEFT OUT:"

Role: TypeAlias = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with a model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """English and its formula, variables named by depth."""

    english: str
    formula: str
    words: frozenset[str]  # of the template: not the names of classes


SYNTAX = """\
Formulas
- forall x1 (f), exists x1 (f), exists>=3 x1 (f), exists<=3 x1 (f), exists=3 x1 (f)
- ~f (not), f & g (and), f | g (or), f -> g (if ... then), f <-> g
- x1 = x2, x1 != x2: the same entity, another one. Two variables may be the same entity unless x1 != x2 is said.
- count x1 (f) is a number, cover x1 (f) the area of all entities with f. Comparisons: = != < <= > >=.
  Sums, and a number times a measure: 2 * count x1 (f).
- Lengths have a unit: px m km. Areas: px2 m2 ha km2, or % of the image. Angles: deg.
- Variables are x1, x2, ...; every variable belongs to a quantifier around it. Arguments are always variables."""

CONVENTIONS = """\
Conventions
- "a", "some" and plurals without a number ("ships") are at least one; a number N ("two ships") is exists>=N.
- "at most", "fewer than", "exactly", "more than" are exists<=N, exists<=N-1, exists=N, exists>=N+1.
- "several", "a few": at least {several}; "many": at least {many}.
- "no", "without": ~(exists ...).
- "all A are B", "every A is B": exists x1 (A(x1)) & forall x2 (A(x2) -> B(x2)).
- "A near a B": exists x1 (A(x1) & exists x2 (B(x2) & near(x1, x2))). "in", "on" something: inside.
- Two things in a relation to each other are two quantifiers and x1 != x2.
- "within 50 m of": distance(x1, x2) <= 50 m. "most A are B": 2 * count (A & B) > count (A).
- "the largest A": no other A is larger. "the top left corner": in_top & in_left.
- "images with", "show me", "is there" say nothing."""


def prompt(
    text: str, vocabulary: Vocabulary, *, lenient: bool = False, constrained: bool = False
) -> tuple[Message, ...]:
    """The conversation that asks for a formula.

    text         the query, as it is; nothing else of the user's goes into it but the vocabulary
    lenient      the model may leave out what it has no words for, and says so
    constrained  the decoder takes care of the form, so the prompt says less of it
    """
    turns: list[Message] = [Message("system", _system(vocabulary, lenient, constrained))]
    for example in chosen(text, vocabulary):
        turns += [Message("user", f"Query: {example.english}"), Message("assistant", example.formula)]
    return (*turns, Message("user", f"Query: {text}"))


def shown(messages: Sequence[Message]) -> str:
    """The conversation for people, with the version of the prompt."""
    parts = [f"prompt version {PROMPT_VERSION}"]
    parts += [f"--- {message.role} ---\n{message.content}" for message in messages]
    return "\n".join(parts)


# --- the part that all queries share ----------------------------------------------------------------------------------


def _system(vocabulary: Vocabulary, lenient: bool, constrained: bool) -> str:
    task = [
        "You translate English queries about aerial images into formulas of first-order logic with counts.",
        "An image is a set of entities; variables stand for entities. The formula is true of the images that are "
        "looked for.",
        "Answer with one formula on one line and nothing else.",
    ]
    if not constrained:
        task.append("Use only the words below.")
        if lenient:
            task.append(
                f"Leave out modifiers that no word below can say, and list them on a second line: {LEFT_OUT} word, word"
            )
        else:
            task.append(f"If a thing in the query has no word below, answer instead: {CANNOT} and the thing.")
    conventions = CONVENTIONS.format(several=vocabulary.several, many=vocabulary.many)
    return "\n".join(task) + "\n\n" + SYNTAX + "\n\n" + _words(vocabulary) + "\n\n" + conventions


@lru_cache(maxsize=16)
def _words(vocabulary: Vocabulary) -> str:
    lines = ["Classes"]
    for cls in vocabulary.classes.values():
        below = [name for name in vocabulary.descendants(cls.name) if vocabulary.classes[name].parent == cls.name]
        notes = [f"also {', '.join(cls.synonyms)}"] if cls.synonyms else []
        notes += [f"any {', '.join(below)}"] if below else []
        lines.append(f"{cls.name}(x)" + (f": {'; '.join(notes)}" if notes else ""))
    if vocabulary.attributes:
        lines.append("Attributes")
    for attribute in vocabulary.attributes.values():
        also = f"also {', '.join(attribute.synonyms)}" if attribute.synonyms else ""
        if attribute.type == "boolean":
            against = f"; {', '.join(attribute.opposite)} is ~{attribute.name}(x)" if attribute.opposite else ""
            lines.append(f"{attribute.name}(x): true or false{'; ' if also else ''}{also}{against}")
        elif attribute.type == "number":
            lines.append(f"{attribute.name}(x): a number, compared: {attribute.name}(x) > 1")
        else:
            values = ", ".join(f'"{value}"' for value in attribute.ordered)
            ordered = f', from low to high: {values}' if values else ""
            lines.append(f"{attribute.name}(x): a text, compared{ordered}")
    lines.append("Relations")
    lines += [f"{_call(word.name, word.arity, word.variadic)}: {word.gloss}" for word in WORDS.values()
              if word.kind == "relation"]  # fmt: skip
    lines.append("Measures, always compared")
    lines += [f"{_call(word.name, word.arity)}: {word.gloss}" for word in WORDS.values() if word.kind == "function"]
    named = [f"{each.name}({', '.join(each.params)}): {each.text}" for each in vocabulary.definitions.values()]
    named += [f"{each.name}({', '.join(each.params)}): a chain of pairs with {each.text}"
              for each in vocabulary.links.values()]  # fmt: skip
    if named:
        lines += ["Defined words", *named]
    return "\n".join(lines)


def _call(name: str, arity: int, variadic: bool = False) -> str:
    variables = ["x", "y", "z"][:arity] + (["..."] if variadic else [])
    return f"{name}({', '.join(variables)})"


# --- examples ---------------------------------------------------------------------------------------------------------


def chosen(text: str, vocabulary: Vocabulary, count: int = SHOWN) -> tuple[Example, ...]:
    """The examples that share most with the query, rare words counting more; the closest comes last."""
    known = examples(vocabulary)
    asked = _stems(text)
    weights = {word: math.log(len(known) / sum(word in each.words for each in known))
               for each in known for word in each.words}  # fmt: skip

    def likeness(number: int) -> tuple[float, int]:
        example = known[number]
        shared = sum(weights[word] for word in example.words & asked)
        return shared / math.sqrt(len(example.words) + 1), -number

    best = sorted(range(len(known)), key=likeness)[-count:]
    return tuple(known[number] for number in best)


@lru_cache(maxsize=16)
def examples(vocabulary: Vocabulary) -> tuple[Example, ...]:
    """All examples that can be said in the vocabulary, each with other classes."""
    leaves = [cls for cls in vocabulary.classes.values() if len(vocabulary.descendants(cls.name)) == 1]
    if not leaves:
        return ()
    made = []
    for number, (english, formula) in enumerate(_templates()):
        slots: dict[str, str] = {}
        for place, letter in enumerate("ABC"):
            cls = leaves[(number + place) % len(leaves)]
            article = "an" if cls.phrase[0] in "aeiou" else "a"
            slots |= {letter: cls.phrase, f"{letter}s": cls.plural_phrase, f"a{letter}": f"{article} {cls.phrase}"}
            slots[f"name{letter}"] = cls.name
        slots |= _attribute_slots(vocabulary)
        needed = set(re.findall(r"\{(\w+)\}", english + formula))
        if needed <= set(slots):
            names = {**slots, **{letter: slots[f"name{letter}"] for letter in "ABC"}}
            text = _filled(formula, names)
            made.append(Example(_filled(english, slots), written(named_by_depth(read(text))), _stems(english)))
    return tuple(made)


def _attribute_slots(vocabulary: Vocabulary) -> dict[str, str]:
    slots: dict[str, str] = {}
    for attribute in vocabulary.attributes.values():
        if attribute.type == "boolean" and "f" not in slots:
            slots |= {"f": attribute.name, "F": attribute.phrase}
        if attribute.type == "text" and "t" not in slots:
            for words, (name, value) in vocabulary.value_phrases().items():
                if name == attribute.name and len(words) > 1 and words[-1] == name:  # major damage
                    slots |= {"t": name, "v": value, "V": " ".join(words)}
    return slots


@cache
def _templates() -> tuple[tuple[str, str], ...]:
    path = Path(__file__).with_name("examples.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple((row["english"], row["formula"]) for row in rows)


def _filled(template: str, slots: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda slot: slots[slot[1]], template)


def _stems(text: str) -> frozenset[str]:
    """The words of a text without slots, lower-case, without the ends that change; numbers are one word."""
    words = re.findall(r"[a-z]+|\d+|%", re.sub(r"\{\w+\}", " ", text.lower()))
    return frozenset("number" if word.isdigit() else re.sub(r"(?:est|er|s)$", "", word) or word for word in words)

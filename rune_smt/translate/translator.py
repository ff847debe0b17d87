"""What a translator is: anything that turns English into a formula over a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..errors import QueryError
from ..grammar.nodes import Formula

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Candidate:
    """A formula that a translator proposed, and by how many of its samples."""

    formula: Formula
    votes: int


@dataclass(frozen=True, slots=True)
class Translation:
    """A translator's answer: the formula, the words left out (lenient reading only), and what else was proposed."""

    formula: Formula
    left_out: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()


class Translator(Protocol):
    """Turns English into a closed formula over the vocabulary; raises QueryError where it cannot."""

    name: str

    def __call__(self, text: str, vocabulary: Vocabulary, /, *, lenient: bool = False) -> Translation: ...


class ControlledEnglish:
    """The embedded translator: the conventions of LANGUAGE, section 8; no model, no network."""

    name = "english"

    def __call__(self, text: str, vocabulary: Vocabulary, /, *, lenient: bool = False) -> Translation:
        """One reading, or a QueryError that names the words it does not know."""
        from ..grammar.english import read_english

        reading = read_english(text, vocabulary, lenient=lenient)
        return Translation(reading.formula, reading.left_out, (Candidate(reading.formula, 1),))


TRANSLATORS: dict[str, type[ControlledEnglish]] = {"english": ControlledEnglish}


def translator(name: str) -> Translator:
    """The translator of this name; QueryError where there is none."""
    if name not in TRANSLATORS:
        raise QueryError(f"No translator '{name}'.", hint=f"There is: {', '.join(TRANSLATORS)}.")
    return TRANSLATORS[name]()

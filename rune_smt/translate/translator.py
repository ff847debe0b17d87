"""What a translator is: anything that turns English into a formula over a vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..errors import QueryError
from ..grammar.nodes import Formula

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..grammar.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Candidate:
    """A formula that a translator proposed, and by how many of its samples."""

    formula: Formula
    votes: int


@dataclass(frozen=True, slots=True)
class Translation:
    """A translator's answer.

    left_out       words of the query that lenient reading left out
    candidates     what was proposed, each meaning once, with how many samples meant it; the formula's own first
    agreement      the share of the samples that mean the formula; 1 where there is one reading
    telling_scene  satisfies just one of the first two candidates, where such a scene was found
    unusable       answers of a model that were no formula and were asked for again
    """

    formula: Formula
    left_out: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    agreement: float = 1.0
    telling_scene: Scene | None = None
    unusable: int = 0


class Translator(Protocol):
    """Turns English into a closed formula over the vocabulary; raises QueryError where it cannot."""

    @property
    def name(self) -> str:
        """For people: english, or the model's."""

    def __call__(self, text: str, vocabulary: Vocabulary, /, *, lenient: bool = False) -> Translation:
        """The formula that the text asks for."""
        ...


class ControlledEnglish:
    """The embedded translator: the conventions of LANGUAGE, section 8; no model, no network."""

    name = "english"

    def __call__(self, text: str, vocabulary: Vocabulary, /, *, lenient: bool = False) -> Translation:
        """One reading, or a QueryError that names the words it does not know."""
        from ..grammar.english import read_english

        reading = read_english(text, vocabulary, lenient=lenient)
        return Translation(reading.formula, reading.left_out, (Candidate(reading.formula, 1),))


@dataclass(frozen=True, slots=True)
class Options:
    """What a language model needs: its name, its server, how many answers. A translator takes what concerns it."""

    model: str | None = None
    base_url: str | None = None
    samples: int | None = None


def _english(_: Options) -> Translator:
    return ControlledEnglish()


def _openai(options: Options) -> Translator:
    from .language_model import ModelTranslator
    from .openai_server import OpenAiServer

    return ModelTranslator(OpenAiServer(options.model, options.base_url), options.samples or 1)


def _transformers(options: Options) -> Translator:
    from .language_model import ModelTranslator
    from .local_transformers import local_model

    return ModelTranslator(local_model(options.model), options.samples or 1)


TRANSLATORS: dict[str, Callable[[Options], Translator]] = {
    "english": _english,
    "openai": _openai,
    "transformers": _transformers,
}


def translator(
    name: str, *, model: str | None = None, base_url: str | None = None, samples: int | None = None
) -> Translator:
    """The translator of this name.

    model     the language model to use: a name, or for transformers a folder or a .gguf file
    base_url  of an OpenAI-compatible server
    samples   how many answers to ask a language model for
    raises    QueryError where there is no such translator or its options are wrong, MissingExtra
    """
    if name not in TRANSLATORS:
        raise QueryError(f"No translator '{name}'.", hint=f"There is: {', '.join(TRANSLATORS)}.")
    if samples is not None and samples < 1:
        raise QueryError(f"--samples is a whole number from 1, got {samples}.")
    return TRANSLATORS[name](Options(model, base_url, samples))

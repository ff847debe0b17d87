"""A query: a closed formula over a vocabulary, with the text it came from and how it was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .errors import QueryError
from .grammar.nodes import (
    And,
    Apply,
    Compare,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Truth,
)

if TYPE_CHECKING:
    from .entities.archive import Archive
    from .entities.scene import Scene
    from .entities.table import AttributeKind
    from .grammar.vocabulary import Vocabulary
    from .translate.translator import Candidate, Translator

FORMULA_NODES = (Apply, Compare, Truth, Not, And, Or, Implies, Iff, Exists, ForAll, ExistsCount)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of an archive.

    formula     closed and type-checked, bound variables named x1, x2, ... as in the canonical print
    text        as the caller gave it
    vocabulary  what it is checked against
    left_out    words of the text that lenient reading left out
    translator  english, a model's name, or "" for a formula
    candidates  what the translator proposed, with votes
    agreement   the share of a language model's samples that mean this formula; 1 where there is one reading
    telling_scene  satisfies just one of the first two candidates, where such a scene was found
    """

    formula: Formula
    text: str
    vocabulary: Vocabulary = field(repr=False, compare=False)
    left_out: tuple[str, ...] = ()
    translator: str = ""
    candidates: tuple[Candidate, ...] = ()
    agreement: float = 1.0
    telling_scene: Scene | None = None

    @property
    def reading(self) -> str:
        """The formula in English: how the text was understood. Put together when it is asked for."""
        from .grammar.verbalise import verbalise

        return verbalise(self.formula, self.vocabulary)

    def __str__(self) -> str:
        from .grammar.printer import canonical

        return canonical(self.formula)

    def __repr__(self) -> str:
        return f"Query({self.text!r}, reading={self.reading!r})"

    def _repr_html_(self) -> str:
        rows = [("query", self.text), ("read as", self.reading), ("formula", str(self))]
        if self.left_out:
            rows.append(("left out", ", ".join(self.left_out)))
        cells = "".join(f"<tr><th style='text-align:left'>{k}</th><td>{escape(v)}</td></tr>" for k, v in rows)
        return f"<table>{cells}</table>"


QueryLike: TypeAlias = "Query | str | Formula"
VocabularyLike: TypeAlias = "Vocabulary | Archive | str | Path | None"


def vocabulary_of(source: VocabularyLike) -> Vocabulary:
    """A vocabulary from its name, its file, an archive, or itself; None is dota-v1.5.

    An archive's vocabulary knows the archive's own classes and attribute columns too.
    """
    from .grammar.vocabulary import DEFAULT, Vocabulary, load_vocabulary

    if isinstance(source, Vocabulary):
        return source
    if source is None or isinstance(source, str | Path):
        return load_vocabulary(source or DEFAULT)
    return _archive_vocabulary(source)


@lru_cache(maxsize=8)
def _archive_vocabulary(archive: Archive) -> Vocabulary:
    return archived_vocabulary(archive.vocabulary_toml, archive.name, archive.classes, archive.kinds)


def archived_vocabulary(
    toml: str, name: str, classes: Iterable[str], kinds: Mapping[str, AttributeKind]
) -> Vocabulary:
    """The vocabulary that an archive called `name` keeps, with the classes and attributes that occur in it."""
    from .grammar.vocabulary import Vocabulary

    vocabulary = Vocabulary.from_toml(toml, source=f"{name}/archive.json")
    return vocabulary.with_classes(classes).with_attributes(kinds)


def parse(text: str, vocabulary: VocabularyLike = None) -> Query:
    """A query from a formula in any dialect (LANGUAGE, section 6).

    text        one formula
    vocabulary  a Vocabulary, its name or file, or an Archive; dota-v1.5 if left out
    raises      QueryError with the place, where the text is no formula or a name or dimension is wrong
    """
    from .grammar.reader import read

    return query_from(read(text), vocabulary_of(vocabulary), text=text)


def query_from(formula: Formula, vocabulary: Vocabulary, *, text: str | None = None) -> Query:
    """A query from formula nodes: checked against the vocabulary, bound variables renamed."""
    from .grammar.dimensions import check
    from .grammar.printer import canonical, canonical_names

    checked = canonical_names(check(formula, vocabulary, text))
    return Query(checked, text if text is not None else canonical(checked), vocabulary)


def translate(
    text: str,
    vocabulary: VocabularyLike = None,
    *,
    translator: Translator | str = "english",
    model: str | None = None,
    base_url: str | None = None,
    samples: int | None = None,
    lenient: bool = False,
) -> Query:
    """A query from English.

    text        a sentence or noun phrase: "ships that are not near any harbor"
    vocabulary  a Vocabulary, its name or file, or an Archive; dota-v1.5 if left out
    translator  "english" (no model, the conventions of LANGUAGE, section 8), "openai" (any server of that kind),
                "transformers" (a model on this machine), or any Translator
    model, base_url, samples   for the language models: which, where, and how many answers; only the query's text and
                the vocabulary go to a server
    lenient     leave out modifiers that are not understood; `left_out` lists them
    raises      QueryError that names the word or the place that was not understood, or shows every answer of a model
                that gave no formula; MissingExtra; LimitError where a server does not answer in time
    """
    from .grammar.dimensions import check
    from .grammar.printer import canonical_names
    from .translate.translator import translator as named

    known = vocabulary_of(vocabulary)
    if isinstance(translator, str):
        translator = named(translator, model=model, base_url=base_url, samples=samples)
    answer = translator(text, known, lenient=lenient)
    formula = canonical_names(check(answer.formula, known))
    return Query(
        formula, text, known, answer.left_out, translator.name, answer.candidates,
        answer.agreement, answer.telling_scene,
    )  # fmt: skip


def as_query(query: QueryLike, vocabulary: Vocabulary) -> Query:
    """A Query, formula text or formula nodes as a query over this vocabulary.

    A Query made with another vocabulary is checked again, for the archive decides what its names mean.
    """
    if isinstance(query, Query):
        from .grammar.dimensions import check

        check(query.formula, vocabulary)
        return query
    if isinstance(query, FORMULA_NODES):
        return query_from(query, vocabulary)
    if not isinstance(query, str):
        raise QueryError(f"A query is a Query, a formula's text or a formula, not {type(query).__name__}.")
    try:
        return parse(query, vocabulary)
    except QueryError as error:
        if _is_english(query):
            raise QueryError(
                error.message, text=error.text, span=error.span, hint=f"This is English: rune.translate({query!r})."
            ) from None
        raise


def _is_english(text: str) -> bool:
    """Whether a text that is no formula looks like a sentence: several words, no logical sign."""
    return len(text.split()) > 1 and not any(sign in text for sign in "()&|~∀∃¬∧∨→")

"""Arguments and options that several commands share, and what they are made into."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError, QueryError

if TYPE_CHECKING:
    from ..entities.archive import Archive
    from ..query import Query, VocabularyLike
    from ..side_by_side import Runner
    from ..translate.translator import Translator

ArchiveArgument = Annotated[Path, typer.Argument(metavar="ARCHIVE", help="The folder that `index` made.")]
QueryArgument = Annotated[
    str, typer.Argument(metavar="QUERY", help="English, or a formula with --fol; @FILE reads a file, - standard input.")
]
Fol = Annotated[bool, typer.Option("--fol", help="QUERY is a formula, in any dialect.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")]
Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Work on a Ray cluster: local, auto or HOST:PORT (extra `cluster`)."),
]
MinScore = Annotated[float, typer.Option("--min-score", help="Entities below this score do not exist.")]
VocabularyOption = Annotated[
    str | None, typer.Option("--vocabulary", help="A shipped vocabulary's name, or a TOML file.")
]
With = Annotated[
    str | None,
    typer.Option("--with", envvar="RUNE_SMT_WITH", help="Who translates English: english, openai, transformers."),
]
Model = Annotated[str | None, typer.Option("--model", envvar="RUNE_SMT_MODEL", help="The language model to use.")]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", envvar="RUNE_SMT_BASE_URL", help="An OpenAI-compatible server.")
]
Samples = Annotated[int | None, typer.Option("--samples", help="How many answers to ask the language model for.")]
Lenient = Annotated[bool, typer.Option("--lenient", help="Leave out modifiers that are not understood, and list them.")]


@dataclass(frozen=True, slots=True)
class TranslatorOptions:
    """Who turns English into a formula, and how."""

    name: str | None = None
    model: str | None = None
    base_url: str | None = None
    samples: int | None = None
    lenient: bool = False

    @property
    def translator(self) -> str:
        """The translator's name: the option, else `rune-smt.toml`'s, else english."""
        return self.name or configured("with") or "english"


@contextmanager
def runner(ray: str | None, workers: int | None, quiet: bool, *, short: bool = False) -> Iterator[Runner | None]:
    """What carries out work on the cluster of `--ray`, for as long as the `with` lasts; None without one.

    short  the tasks are short
    """
    if ray is None:
        yield None
        return
    from ..cluster import connected

    with connected(ray, workers=workers, progress=not quiet) as cluster:
        yield cluster.run_in_groups if short else cluster.run


def open_archive(path: Path) -> Archive:
    """The archive, or an error with the way out."""
    from ..entities.archive import open_archive as opened

    return opened(path)


def read_text(argument: str) -> str:
    """An argument as it is, the file behind @FILE, or standard input for -."""
    if argument == "-":
        return sys.stdin.read().strip()
    if argument.startswith("@"):
        try:
            return Path(argument[1:]).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{argument[1:]}: cannot be read: {error}") from None
    return argument


def make_query(argument: str, vocabulary: VocabularyLike, *, fol: bool, options: TranslatorOptions) -> Query:
    """The query behind QUERY: a formula with --fol, else English."""
    from ..query import parse, translate

    text = read_text(argument)
    if fol:
        return parse(text, vocabulary)
    if not text.strip():
        raise QueryError("The query is empty.", hint='Say what to look for: "ships that are not near any harbor".')
    from ..grammar.english import looks_like_formula

    if looks_like_formula(text):
        raise QueryError("This is a formula: add --fol.", text=text, span=(0, len(text)))
    if options.translator == "english":
        return translate(text, vocabulary, lenient=options.lenient)
    return translate(text, vocabulary, translator=make_translator(options), lenient=options.lenient)


def make_translator(options: TranslatorOptions) -> Translator:
    """The translator that the options, the environment or `rune-smt.toml` name."""
    from ..translate.translator import translator

    samples = options.samples
    if samples is None and configured("samples") is not None:
        samples = whole("samples", configured("samples"))
    return translator(
        options.translator,
        model=options.model or configured("model"),
        base_url=options.base_url or configured("base-url"),
        samples=samples,
    )


def whole(key: str, text: str | None) -> int:
    """A whole number of `rune-smt.toml`."""
    if text is None or not text.isdigit():
        raise DataError(f"rune-smt.toml: {key} is a whole number, got '{text}'.")
    return int(text)


@cache
def _configuration() -> dict[str, Any]:
    import tomllib

    path = Path("rune-smt.toml")
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"rune-smt.toml: cannot be read: {error}") from None


def configured(key: str) -> str | None:
    """A default from `rune-smt.toml` in the working folder: with, model, base-url, samples."""
    value = _configuration().get(key)
    return None if value is None else str(value)

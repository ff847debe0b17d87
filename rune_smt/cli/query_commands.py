"""check, parse, translate, words: the query alone, no archive."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import QueryError
from . import options as o
from .output import print_json, print_table, say
from .search_commands import print_query, write_text

if TYPE_CHECKING:
    from ..query import Query


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("check")(check)
    app.command("parse")(parse)
    app.command("translate")(translate)
    app.command("words")(words)


def check(
    query: o.QueryArgument,
    fol: o.Fol = False,
    vocabulary: o.VocabularyOption = None,
    against: Annotated[str | None, typer.Option("--against", help="A second query to compare with.")] = None,
    passes: Annotated[bool, typer.Option("--passes", help="Print the formula after each pass.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with the scenes drawn.")] = None,
    scenes: Annotated[
        Path | None, typer.Option("--scenes", help="Write the scenes as .scenes.jsonl, which `index` reads.")
    ] = None,
    with_: o.With = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    samples: o.Samples = None,
    lenient: o.Lenient = False,
    as_json: o.Json = False,
) -> None:
    """What a query says before it runs: contradictory, always true, or neither; clauses that say nothing."""
    from ..checking import check as run

    translator = o.TranslatorOptions(with_, model, base_url, samples, lenient)
    asked = o.make_query(query, vocabulary, fol=fol, options=translator)
    other = None if against is None else o.make_query(against, vocabulary, fol=fol, options=translator)
    if passes and not as_json:
        _print_passes(asked, vocabulary)
    report = run(asked, vocabulary=vocabulary, against=other)
    if html is not None:
        write_text(html, f"<!doctype html><meta charset='utf-8'><title>check</title>{report._repr_html_()}\n")
    if scenes is not None:
        documents = [{**scene.to_json(), "image_id": name} for name, scene in report.scenes.items()]
        write_text(scenes, "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents))
    if as_json:
        print_json(report.to_json())
    else:
        say(report.render())


def _print_passes(asked: Any, vocabulary: o.VocabularyOption) -> None:
    from ..grammar.definitions import expand_definitions
    from ..grammar.printer import canonical
    from ..query import vocabulary_of
    from ..solver.normalise import stages

    formula = expand_definitions(asked.formula, vocabulary_of(vocabulary))
    say(f"{'as read':26} {canonical(asked.formula)}")
    if formula != asked.formula:
        say(f"{'definitions expanded':26} {canonical(formula)}")
    for name, after in stages(formula):
        say(f"{name:26} {canonical(after)}")


def parse(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="A formula; - reads standard input.")] = None,
    open_vocabulary: Annotated[bool, typer.Option("--open", help="Any names, constants too: only spelling.")] = False,
    lines: Annotated[str | None, typer.Option("--lines", help="A file with a formula a line; - standard input.")] = None,
    vocabulary: o.VocabularyOption = None,
    as_json: o.Json = False,
) -> None:
    """Any dialect to canonical text."""
    if (text is None) == (lines is None):
        raise QueryError("Give TEXT, or a file of formulas with --lines.")
    if lines is not None:
        source = o.read_text("-" if lines == "-" else f"@{lines}")
        for line in source.splitlines():
            sys.stdout.write(json.dumps(_report(line, open_vocabulary, vocabulary), ensure_ascii=False) + "\n")
        return
    assert text is not None
    given = o.read_text(text)
    if as_json:
        report = _report(given, open_vocabulary, vocabulary)
        print_json(report)
        if not report["ok"]:
            raise typer.Exit(2)
        return
    say(_canonical(given, open_vocabulary, vocabulary))


def _canonical(text: str, open_vocabulary: bool, vocabulary: str | None) -> str:
    from ..grammar.printer import canonical
    from ..grammar.reader import read
    from ..query import parse as parsed

    if open_vocabulary:
        return canonical(read(text, open_vocabulary=True))
    return str(parsed(text, vocabulary))


def _report(text: str, open_vocabulary: bool, vocabulary: str | None) -> dict[str, Any]:
    from ..errors import place

    try:
        return {"ok": True, "canonical": _canonical(text, open_vocabulary, vocabulary)}
    except QueryError as error:
        line, column = place(error.text or text, error.span[0]) if error.span else (1, 1)
        expected = list(getattr(error, "expected", ()))
        return {
            "ok": False,
            "error": {
                "line": line,
                "column": column,
                "message": error.message,
                "expected": expected,
                "hint": error.hint or "",
            },
        }


def translate(
    query: o.QueryArgument,
    vocabulary: o.VocabularyOption = None,
    with_: o.With = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    samples: o.Samples = None,
    lenient: o.Lenient = False,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Print what a language model would be told, and ask none.")
    ] = False,
    as_json: o.Json = False,
) -> None:
    """English to formula, and how it was read."""
    from ..grammar.printer import canonical

    options = o.TranslatorOptions(with_, model, base_url, samples, lenient)
    if show_prompt:
        _print_prompt(o.read_text(query), vocabulary, lenient, as_json)
        return
    asked = o.make_query(query, vocabulary, fol=False, options=options)
    if as_json:
        candidates = [{"formula": canonical(c.formula), "votes": c.votes} for c in asked.candidates]
        print_json(
            {
                "text": asked.text,
                "formula": str(asked),
                "reading": asked.reading,
                "left_out": list(asked.left_out),
                "with": asked.translator,
                "candidates": candidates,
                "agreement": asked.agreement,
                "telling_scene": None if asked.telling_scene is None else asked.telling_scene.to_json(),
            }
        )
    else:
        print_query(asked)
        _print_agreement(asked)


def _print_agreement(asked: Query) -> None:
    """How many answers of a language model meant this, and what the others meant."""
    from ..entities.scene import describe_counts
    from ..grammar.printer import canonical

    if asked.agreement == 1 and len(asked.candidates) < 2:
        return
    say(f"agreement: {asked.agreement:.0%} of the answers mean this")
    for other in asked.candidates[1:]:
        say(f"  {other.votes} of them: {canonical(other.formula)}")
    scene = asked.telling_scene
    if scene is not None:
        labels = [scene.table.classes[int(scene.table.label[row])] for row in scene.rows]
        counts = {label: labels.count(label) for label in dict.fromkeys(labels)}
        held = describe_counts(counts) or "an image without entities"
        say(f"tells the first two apart: {held} (the scene itself with --json)")


def _print_prompt(text: str, vocabulary: str | None, lenient: bool, as_json: bool) -> None:
    from ..query import vocabulary_of
    from ..translate.prompt import PROMPT_VERSION, prompt, shown

    messages = prompt(text, vocabulary_of(vocabulary), lenient=lenient)
    if as_json:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        print_json({"version": PROMPT_VERSION, "messages": turns})
    else:
        say(shown(messages))


def words(vocabulary: o.VocabularyOption = None, as_json: o.Json = False) -> None:
    """Every class, attribute, relation and function, with an English example."""
    from ..grammar.words import WORDS
    from ..query import vocabulary_of

    known = vocabulary_of(vocabulary)
    listed = []
    for cls in known.classes.values():
        above = f", a kind of {cls.parent}" if cls.parent else ""
        also = f" (also {', '.join(cls.synonyms)})" if cls.synonyms else ""
        listed.append(("class", f"{cls.name}(x)", f"{cls.plural_phrase}{above}{also}"))
    for attribute in known.attributes.values():
        opposite = f"; the opposite: {', '.join(attribute.opposite)}" if attribute.opposite else ""
        values = f" of {', '.join(attribute.ordered)}" if attribute.ordered else ""
        listed.append(("attribute", f"{attribute.name}(x)", f"{attribute.type}{values}{opposite}"))
    for word in WORDS.values():
        variables = ["x", "y", "z"][: word.arity] + (["..."] if word.variadic else [])
        listed.append((word.kind, f"{word.name}({', '.join(variables)})", word.gloss))
    for definition in known.definitions.values():
        listed.append(("definition", f"{definition.name}({', '.join(definition.params)})", definition.text))
    for link in known.links.values():
        listed.append(("link", f"{link.name}({', '.join(link.params)})", f"a chain of pairs with {link.text}"))
    if as_json:
        print_json(
            {
                "vocabulary": known.name,
                "words": [{"kind": kind, "name": name, "example": gloss} for kind, name, gloss in listed],
            }
        )
        return
    say(f"vocabulary {known.name}")
    print_table(["kind", "word", "meaning or example"], listed)

"""The formula in a model's answer: alone, in a fence, behind a lead-in, on one of several lines, or inside JSON.

Nothing is put right here. Pieces of the answer are read as they are, those that the answer itself marks as the formula
first; two pieces of one kind that read differently make the answer ambiguous, and it is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import QueryError, RuneError
from ..grammar.dimensions import check
from ..grammar.nodes import Formula
from ..grammar.printer import canonical
from ..grammar.reader import MAX_LENGTH, read, read_many
from .prompt import CANNOT, LEFT_OUT

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[^\n`]*\n(.*?)(?:```|\Z)", re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LEAD_IN = re.compile(r"^\W*(?:\w+[ -]){0,3}(?:fol|formula|answer|translation|logic|output)\w*\W*?:\W*?(?=[\w~¬∃∀(])",
                      re.IGNORECASE)  # fmt: skip
_OPENING = re.compile(r"[∃∀¬]|~\s*\(|\b(?:exists|forall)\b|\\(?:exists|forall)|\bcount\b|\bcover\b", re.IGNORECASE)


def formula_in(answer: str, vocabulary: Vocabulary) -> Formula:
    """The closed, type-checked formula that an answer holds.

    raises  QueryError: the answer is empty, says that it cannot, holds no formula, a wrong one, or several. `text` and
            `span` show the place in the piece of the answer that came closest
    """
    said = without_left_out(_THOUGHT.sub(" ", answer)).strip()
    if not said:
        raise QueryError("The answer is empty.")
    if len(said) > MAX_LENGTH:
        raise QueryError(f"The answer has {len(said):,} characters; at most {MAX_LENGTH:,} are read.")
    if said.upper().startswith(CANNOT):
        raise CannotSay(said[len(CANNOT) :].strip().rstrip("."))
    if "(" not in said and not _OPENING.search(said):
        raise QueryError("The answer holds no formula.")
    first: RuneError | None = None
    for pieces in _pieces(said):
        found: dict[str, Formula] = {}
        for piece in pieces:
            try:
                read_here = [check(formula, vocabulary, piece) for formula in read_many(piece)]
            except RuneError as error:
                first = _more_telling(first, error)
                continue
            found |= {canonical(formula): formula for formula in read_here}
        if len(found) > 1:
            raise QueryError("The answer holds different formulas.", hint="One is asked for:\n" + "\n".join(found))
        if found:
            return next(iter(found.values()))
    assert first is not None  # there was a piece: what is neither fenced nor a line of its own is the whole
    raise first


class CannotSay(QueryError):
    """The model says that the vocabulary has no word for a thing; asking again does not help."""

    def __init__(self, thing: str):
        super().__init__(
            f"The language model finds no word for '{thing}' in the vocabulary.",
            hint="`rune-smt words` lists the words. --lenient leaves out what cannot be said.",
        )
        self.thing = thing


def left_out_in(answer: str) -> tuple[str, ...]:
    """The words that an answer lists as left out."""
    found = re.search(rf"^\W*{re.escape(LEFT_OUT)}(.*)$", answer, re.MULTILINE | re.IGNORECASE)
    words = [word.strip(" .\"'`*") for word in found[1].split(",")] if found else []
    return tuple(word for word in words if word and word.lower() not in ("none", "nothing", "-"))


def without_left_out(answer: str) -> str:
    """The answer less that line."""
    return re.sub(rf"^\W*{re.escape(LEFT_OUT)}.*$", "", answer, flags=re.MULTILINE | re.IGNORECASE)


def _pieces(said: str) -> Iterator[list[str]]:
    """Kinds of pieces, the surest first; the pieces of one kind should agree."""
    fenced = [piece.strip() for piece in _FENCE.findall(said) if piece.strip()]
    yield fenced  # before the whole: "or" between two fences is no connective
    if len(fenced) < 2:
        yield [said]
    if said.startswith("{"):
        yield _json_texts(said)
    lines = [line.strip() for line in said.replace("```", "\n").splitlines() if line.strip()]
    marked = []
    for number, line in enumerate(lines):
        lead = _LEAD_IN.match(line + " x")
        if lead:
            rest = line[lead.end() :].strip()
            marked.append(rest or (lines[number + 1] if number + 1 < len(lines) else ""))
    yield [piece for piece in marked if piece]
    yield [piece for piece in _INLINE.findall(said) if "(" in piece]
    yield lines
    yield [_from_opening(line) for line in lines if _OPENING.search(line)]
    flat = " ".join(lines)
    if len(lines) > 1 and _OPENING.search(flat):
        yield [_from_opening(flat)]


def _json_texts(said: str) -> list[str]:
    try:
        document = json.loads(said)
    except ValueError:
        return []
    values = document.values() if isinstance(document, dict) else ()
    return [value for value in values if isinstance(value, str)]


def _from_opening(line: str) -> str:
    """From the first quantifier, count or ~( to the last closing bracket, or to the end of a comparison behind it."""
    opening = _OPENING.search(line)
    start = opening.start() if opening else 0
    tail = re.match(r"\s*(?:[<>=!]=?|≤|≥)\s*\d+(?:\.\d+)?(?:\s*(?:px2?|k?m2?|ha|%))?", line[line.rfind(")") + 1 :])
    return line[start : line.rfind(")") + 1 + (tail.end() if tail else 0)]


def _more_telling(first: RuneError | None, error: RuneError) -> RuneError:
    """Of two refusals the one about a piece that is a formula, the earlier where both or neither are."""
    if first is None:
        return error
    return error if _is_formula(error.text) and not _is_formula(first.text) else first


def _is_formula(text: str | None) -> bool:
    try:
        return text is not None and bool(read(text, open_vocabulary=True))
    except RuneError:
        return False

"""The reader: a text in any dialect to nodes, or a FormulaError with place, reason and what was expected.

Three grammars (infix, TPTP, S-expressions) are tried on the whole text. What two of them read differently is refused
with both readings; what none reads gets the message of the one that came furthest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from lark import Lark
from lark.exceptions import UnexpectedToken

from ..errors import QueryError, place
from .actions import Actions, grammar_text
from .build import build
from .cleanup import clean, without_latex_layout
from .collisions import Collisions
from .kept_parsers import lalr_parser
from .mistakes import explained
from .nodes import Formula, conjunction
from .printer import canonical, same_up_to_bound_names
from .refusal import FormulaError
from .sexpr import parse_sexpr
from .syntax import Syntax
from .tptp import parse_tptp

MAX_LENGTH = 50_000  # characters of one text: read in about half a second, and no query of a person comes near


def read(text: str, *, open_vocabulary: bool = False) -> Formula:
    """The formula that `text` holds, in any dialect of LANGUAGE section 6; several are joined by `&`.

    text              canonical, Unicode, ASCII words, prover style, LaTeX, TPTP, S-expression
    open_vocabulary   nothing is asked of names: free ones are kept, aliases are not applied

    Spans of the nodes are offsets into `text`. Raises FormulaError (a QueryError) with `text`, `span`, `hint` and
    `expected` where the text is no formula, or one in two ways.
    """
    formulas = read_many(text, open_vocabulary=open_vocabulary)
    return formulas[0] if len(formulas) == 1 else conjunction(formulas)


def read_many(text: str, *, open_vocabulary: bool = False) -> list[Formula]:
    """The formulas of a text that numbers several, or ends each with a full stop and a new line; one or more."""
    try:
        return _read(text, open_vocabulary)
    except FormulaError as error:
        error.text = text
        raise


def parse_report(text: str, *, open_vocabulary: bool = False) -> dict[str, Any]:
    """The answer of `rune-smt parse` for one text.

    {"ok": True, "canonical": ...} or {"ok": False, "error": {"line", "column", "message", "expected", "hint"}},
    line and column from 1.
    """
    try:
        return {"ok": True, "canonical": canonical(read(text, open_vocabulary=open_vocabulary))}
    except QueryError as error:
        line, column = place(text, error.span[0] if error.span else 0)
        expected = list(error.expected) if isinstance(error, FormulaError) else []
        report = {"line": line, "column": column, "message": error.message, "expected": expected, "hint": error.hint}
        return {"ok": False, "error": report}


def _read(text: str, open_vocabulary: bool) -> list[Formula]:
    if len(text) > MAX_LENGTH:
        raise FormulaError(
            f"The text has {len(text):,} characters; at most {MAX_LENGTH:,} are read.",
            span=(MAX_LENGTH, MAX_LENGTH + 1),
            hint="Read the formulas one by one.",
        )
    cleaned = clean(text)
    readings: list[list[Formula]] = []
    refusals: list[tuple[int, FormulaError]] = []
    for parse in GRAMMARS:
        try:
            statements = parse(cleaned)
        except FormulaError as error:
            refusals.append((error.span[0] if error.span else 0, error))
            continue
        try:
            readings.append([build(statement, open_vocabulary=open_vocabulary) for statement in statements])
        except FormulaError as error:
            refusals.append((len(text) + 1, error))  # its syntax is right, so it came further than any that is not
    if not readings:
        raise _most_telling(cleaned, refusals)
    first = readings[0]
    for other in readings[1:]:
        if not _same(first, other):
            raise FormulaError(
                "This is ambiguous: two dialects read it differently.",
                span=(0, len(text)),
                hint=f"Either {_shown(first)}\nor     {_shown(other)}",
            )
    return first


def _most_telling(text: str, refusals: list[tuple[int, FormulaError]]) -> FormulaError:
    """The message of the dialect that the text looks like, else of the one that came furthest, infix before TPTP."""
    infix, tptp, sexpr = refusals
    if _LIKE_SEXPR.match(text) and not re.search(r"\w\(", text):
        return sexpr[1]
    if _LIKE_TPTP.search(text) and tptp[0] > infix[0]:
        return tptp[1]
    return infix[1]


_LIKE_SEXPR = re.compile(r"\s*\(\s*(?:and|or|not|xor|iff|implies|if|exists\S*|forall|assert|count|cover|[=<>+*/!-]+)\s")
_LIKE_TPTP = re.compile(r"[!?]\s*\[|\b(?:fof|tff|cnf)\s*\(")


def _same(first: list[Formula], other: list[Formula]) -> bool:
    return len(first) == len(other) and all(map(same_up_to_bound_names, first, other))


def _shown(formulas: list[Formula]) -> str:
    return canonical(conjunction(formulas))


# --- grammars ---------------------------------------------------------------------------------------------------------


@cache
def canonical_parser() -> Lark:
    """The grammar of section 2 alone: a subset of infix, and what constrains a model's decoding."""
    return Lark(grammar_text("canonical"), parser="lalr", lexer="contextual", transformer=Actions())


@cache
def infix_parser() -> Lark:
    """The grammar of every infix dialect, with the pass that resolves signs of two meanings."""
    return lalr_parser(grammar_text("infix"), lexer="basic", postlex=Collisions(), transformer=Actions())


def parse_infix(text: str) -> list[Syntax]:
    """The statements of a clean text in an infix dialect."""
    parser = infix_parser()
    try:
        return cast(list[Syntax], parser.parse(without_latex_layout(text)))
    except UnexpectedToken as error:
        raise explained(error, text, parser) from None


GRAMMARS: tuple[Callable[[str], list[Syntax]], ...] = (parse_infix, parse_tptp, parse_sexpr)

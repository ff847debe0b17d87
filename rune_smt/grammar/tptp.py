"""TPTP to the parse that all dialects share."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from ..errors import Span
from .actions import Actions, Children, grammar_text, span_of, spelled
from .kept_parsers import lalr_parser
from .refusal import FormulaError
from .syntax import Bound, Head, Spelled, Syntax

COMPARING = {"$less": "<", "$lesseq": "<=", "$greater": ">", "$greatereq": ">="}
CALCULATING = {"$sum": "+", "$difference": "-", "$product": "*", "$quotient": "/"}
COUNTED = {"$$at_least": ">=", "$$at_most": "<=", "$$exactly": "="}


def parse_tptp(text: str) -> list[Syntax]:
    """The formulas of a clean TPTP text, annotated or bare."""
    try:
        return cast(list[Syntax], _parser().parse(text))
    except UnexpectedToken as error:
        at = len(text.rstrip()) if error.token.type == "$END" else span_of(error.token)[0]
        message = (
            "The TPTP text ends too early." if error.token.type == "$END" else f"'{error.token}' is not TPTP here."
        )
        raise FormulaError(message, span=(at, at + max(1, len(error.token)))) from None
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        raise FormulaError(f"'{text[at]}' is not TPTP here.", span=(at, at + 1)) from None


@cache
def _parser() -> Lark:
    return lalr_parser(grammar_text("tptp"), lexer="contextual", transformer=_TptpActions())


def _nodes(parts: Children) -> list[Syntax]:
    return [part for part in parts if isinstance(part, Syntax)]


def _first(parts: Children, kind: str) -> Token:
    return next(part for part in parts if isinstance(part, Token) and part.type == kind)


def _whole(parts: Children) -> Span:
    last = parts[-1]
    return span_of(parts[0])[0], span_of(last)[1] if isinstance(last, Token) else last.whole[1]


def _word(token: Token) -> Spelled:
    return Spelled(str(token).strip("'").replace(" ", "_"), span_of(token))


class _TptpActions(Actions):
    """The rules that infix lacks."""

    def start(self, parts: Children) -> list[Syntax]:
        return _nodes(parts)

    def annotated(self, parts: Children) -> Syntax:
        return next(part for part in parts if isinstance(part, Syntax))

    def variable(self, parts: Children) -> Bound:
        name, _, sort = parts
        return Bound(spelled(name), _word(sort) if sort else None)

    def variables(self, parts: Children) -> tuple[Bound, ...]:
        return tuple(part for part in parts if isinstance(part, Bound))

    def tptp_quantified(self, parts: Children) -> Syntax:
        return self._binding("quantifier", parts[0].type.lower(), "0", parts)

    def tptp_counted(self, parts: Children) -> Syntax:
        number = _first(parts, "NUMBER")
        if not number.isdigit():
            raise FormulaError("A count is a whole number.", span=span_of(number), expected=("a whole number",))
        return self._binding("quantifier", COUNTED[parts[0]], str(number), parts)

    def tptp_measure(self, parts: Children) -> Syntax:
        return self._binding("measure", parts[0][2:], "0", parts)

    def _binding(self, kind: Any, word: str, n: str, parts: Children) -> Syntax:
        variables = next(part for part in parts if isinstance(part, tuple))
        span = _whole(parts)
        return Syntax(kind, _nodes(parts), span, Head(word, variables, n, span))

    def tptp_apply(self, parts: Children) -> Syntax:
        return Syntax("apply", _nodes(parts), _whole(parts), _word(parts[0]))

    def tptp_constant(self, parts: Children) -> Syntax:
        return Syntax("name", [], span_of(parts[0]), _word(parts[0]).text)

    def tptp_number(self, parts: Children) -> Syntax:
        span = span_of(parts[0])
        positive = Syntax("number", [], span, (parts[0].lstrip("-"), None))
        return Syntax("sign", [positive], span) if parts[0].startswith("-") else positive

    def tptp_quantity(self, parts: Children) -> Syntax:
        unit = parts[0][2:]
        return Syntax("number", [], _whole(parts), (str(parts[2]), "%" if unit == "percent" else unit))

    def tptp_comparison(self, parts: Children) -> Syntax:
        return Syntax("compare", _nodes(parts), _whole(parts), [COMPARING[parts[0]]])

    def tptp_arithmetic(self, parts: Children) -> Syntax:
        return Syntax("arithmetic", _nodes(parts), _whole(parts), CALCULATING[parts[0]], bracket=_whole(parts))

    def tptp_sign(self, parts: Children) -> Syntax:
        return Syntax("sign", _nodes(parts), _whole(parts))

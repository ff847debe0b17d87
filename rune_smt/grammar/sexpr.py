"""S-expressions (SMT-LIB and its kin) to the parse that all dialects share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import cast

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from ..errors import Span
from .actions import Children, grammar_text, span_of, unquoted
from .kept_parsers import lalr_parser
from .nodes import MAX_DEPTH, UNITS
from .refusal import FormulaError
from .syntax import Bound, Head, Kind, Spelled, Syntax, joined, too_deep

CONNECTIVES = {"and": "and", "&": "and", "∧": "and", "or": "or", "|": "or", "∨": "or"}
ARROWS = {"=>": "implies", "->": "implies", "implies": "implies", "if": "implies", "→": "implies",
          "<=>": "iff", "<->": "iff", "iff": "iff", "↔": "iff", "xor": "xor"}  # fmt: skip
QUANTIFIERS = {"exists": "exists", "∃": "exists", "forall": "forall", "∀": "forall"}
COUNTED = {"exists>=": ">=", "exists<=": "<=", "exists=": "="}
COMPARISONS = {"=": "=", "!=": "!=", "distinct": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "≤": "<=", "≥": ">=",
               "≠": "!="}  # fmt: skip
ARITHMETIC = ("+", "-", "*", "/")
PREAMBLE = ("set-logic", "set-option", "set-info", "declare-sort", "declare-fun", "declare-const", "check-sat", "exit",
            "get-model")  # fmt: skip

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
_NAME = re.compile(r"[^\W\d_][\w-]*\Z")


@dataclass(slots=True)
class _List:
    """( ... ), a symbol, or a text: what the grammar knows."""

    items: list[_List]
    span: Span
    symbol: str = ""
    text: str | None = None
    depth: int = 1

    @property
    def is_list(self) -> bool:
        return not self.symbol and self.text is None

    @property
    def head(self) -> str:
        return self.items[0].symbol if self.items else ""


class _Actions:
    def expression(self, parts: Children) -> _List:
        items = parts[1:-1]
        depth = 1 + max((item.depth for item in items), default=0)
        span = span_of(parts[0])[0], span_of(parts[-1])[1]
        if depth > 2 * MAX_DEPTH:  # variables stand in lists of their own, hence twice the tree's limit
            raise too_deep(span)
        return _List(items, span, depth=depth)

    def symbol(self, parts: Children) -> _List:
        return _List([], span_of(parts[0]), symbol=str(parts[0]))

    def string(self, parts: Children) -> _List:
        return _List([], span_of(parts[0]), text=unquoted(parts[0]))

    def start(self, parts: Children) -> list[_List]:
        return parts


@cache
def _parser() -> Lark:
    return lalr_parser(grammar_text("sexpr"), lexer="contextual", transformer=_Actions())


def parse_sexpr(text: str) -> list[Syntax]:
    """The formulas of a clean text of S-expressions; those in (assert ...) where there are such."""
    start = len(text) - len(text.lstrip())
    if text[start : start + 1] not in ("(", ";") and len(text.split(None, 2)) != 1:
        raise FormulaError("An S-expression starts with '('.", span=(start, start + 1), expected=("(",))
    try:
        items = cast(list[_List], _parser().parse(text))
    except UnexpectedToken as error:
        end = error.token.type == "$END"
        at = len(text.rstrip()) if end else span_of(cast(Token, error.token))[0]
        message = "An S-expression is not closed." if end else f"'{error.token}' stands where no S-expression can."
        raise FormulaError(message, span=(at, at + 1), expected=(")",) if end else ()) from None
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        raise FormulaError(f"'{text[at]}' is not read in S-expressions.", span=(at, at + 1)) from None
    formulas = [item for item in items if item.head not in PREAMBLE]
    asserted = [item.items[1] for item in formulas if item.head == "assert" and len(item.items) == 2]
    if asserted and len(asserted) == len(formulas):
        formulas = asserted
    if len(formulas) > 1 and not asserted:
        raise FormulaError("Several expressions stand side by side.", span=formulas[1].span,
                           hint="Join them: (and ... ...).")  # fmt: skip
    if not formulas:
        raise FormulaError("There is no formula here.", span=(0, 1))
    return [_syntax(item) for item in formulas]


def _syntax(item: _List) -> Syntax:
    """One expression; recursion is as deep as the lists nest, which `_Actions.list` limits."""
    if item.text is not None:
        return Syntax("text", [], item.span, item.text)
    if item.symbol:
        return _atom(item)
    if not item.items:
        raise FormulaError("The brackets are empty.", span=item.span, expected=("an operator or a name",))
    head, arguments = item.items[0], item.items[1:]
    if not head.symbol:
        raise FormulaError("A list starts with an operator or a name.", span=head.span,
                           expected=("an operator or a name",))  # fmt: skip
    word = head.symbol.lower()
    if word in QUANTIFIERS or word in COUNTED or word in ("exists!", "count", "cover"):
        return _binding(item, word, arguments)
    if word == "_":
        return _quantity(item, arguments)
    parts = []
    for argument in arguments:
        parts.append(_syntax(argument))
    return _operation(item, word, parts)


def _atom(item: _List) -> Syntax:
    symbol = item.symbol
    if symbol.lower() in ("true", "false"):
        return Syntax("truth", [], item.span, symbol.lower() == "true")
    if _NUMBER.match(symbol):
        return Syntax("number", [], item.span, (symbol, None))
    if _NAME.match(symbol):
        return Syntax("name", [], item.span, symbol)
    raise FormulaError(f"'{symbol}' is no name.", span=item.span, expected=("a name", "a number"))


def _operation(item: _List, word: str, parts: list[Syntax]) -> Syntax:
    def wants(least: int, most: int | None = None) -> None:
        if len(parts) < least or (most is not None and len(parts) > most):
            number = "one part" if most == 1 else f"{least} parts" if most == least else f"{least} parts or more"
            raise FormulaError(f"'{word}' takes {number}; here it has {len(parts)}.", span=item.span)

    span = item.span
    if word in CONNECTIVES:
        wants(1)
        kind = CONNECTIVES[word]
        node = parts[0]
        if len(parts) == 1:
            return node
        for part in parts[1:]:
            node = joined("and" if kind == "and" else "or", node, part)
        node.span, node.bracket = span, span
        return node
    if word in ARROWS:
        wants(2, None if word in ("=>", "implies", "->") else 2)
        node = parts[-1]
        for part in reversed(parts[:-1]):
            node = Syntax(cast(Kind, ARROWS[word]), [part, node], span, bracket=span)
        return node
    if word in ("not", "¬", "~"):
        wants(1, 1)
        return Syntax("not", parts, span)
    if word in COMPARISONS:
        wants(2, 2 if COMPARISONS[word] == "!=" else None)
        return Syntax("compare", parts, span, [COMPARISONS[word]] * (len(parts) - 1), bracket=span)
    if word == "-" and len(parts) == 1:
        return Syntax("sign", parts, span)
    if word in ARITHMETIC:
        wants(2)
        node = parts[0]
        for part in parts[1:]:
            node = Syntax("arithmetic", [node, part], span, word, bracket=span)
        return node
    if not _NAME.match(item.items[0].symbol):
        raise FormulaError(f"'{item.items[0].symbol}' is no name.", span=item.items[0].span, expected=("a name",))
    wants(1)
    return Syntax("apply", parts, span, Spelled(item.items[0].symbol, item.items[0].span))


def _binding(item: _List, word: str, arguments: list[_List]) -> Syntax:
    """(exists (x y) f), (forall ((x ship)) f), (exists>= 3 (x) f), (count (x) f)"""
    n = "1" if word == "exists!" else "0"
    if word in COUNTED and arguments:
        n, arguments = arguments[0].symbol, arguments[1:]
        if not n.isdigit() or not n.isascii():
            raise FormulaError(f"'{word}' takes a whole number first.", span=item.span, expected=("a whole number",))
    if len(arguments) != 2:
        raise FormulaError(f"'{word}' takes a list of variables and one formula.", span=item.span)
    listed, body = arguments
    variables = tuple(_bound(entry) for entry in ([listed] if listed.symbol else listed.items))
    if not variables:
        raise FormulaError("A quantifier needs a variable.", span=listed.span, expected=("a variable",))
    measure = word in ("count", "cover")
    known = "=" if word == "exists!" else COUNTED.get(word) or QUANTIFIERS.get(word) or word
    head = Head(known, variables, n, item.span)
    return Syntax("measure" if measure else "quantifier", [_syntax(body)], item.span, head)


def _bound(entry: _List) -> Bound:
    named = entry.items if entry.is_list else [entry]
    if not 1 <= len(named) <= 2 or not all(_NAME.match(part.symbol) for part in named):
        raise FormulaError("A variable is a name, or a name and its class: (x ship).", span=entry.span,
                           expected=("a variable",))  # fmt: skip
    spelled = [Spelled(part.symbol, part.span) for part in named]
    return Bound(spelled[0], spelled[1] if len(spelled) == 2 else None)


def _quantity(item: _List, arguments: list[_List]) -> Syntax:
    """(_ m 50)"""
    if len(arguments) == 2 and arguments[0].symbol in UNITS and _NUMBER.match(arguments[1].symbol):
        return Syntax("number", [], item.span, (arguments[1].symbol, arguments[0].symbol))
    raise FormulaError("A quantity is (_ UNIT NUMBER).", span=item.span, hint=f"Units are {', '.join(UNITS)}.")

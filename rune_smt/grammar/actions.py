"""What the parser does at each rule of `canonical.lark` and `infix.lark`: it makes the node of the parse."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from lark import Token

from ..errors import Span
from .syntax import Bound, Head, Spelled, Syntax, across, bracketed, chained, joined

Children: TypeAlias = list[Any]


def span_of(token: Token) -> Span:
    """Where a token stood in the text."""
    assert token.start_pos is not None and token.end_pos is not None
    return token.start_pos, token.end_pos


def spelled(token: Token) -> Spelled:
    """A name with its place."""
    return Spelled(str(token), span_of(token))


def unquoted(literal: str) -> str:
    r"""What stands between the quotes; \" is a quote and \\ a backslash."""
    return re.sub(r"\\(.)", r"\1", literal[1:-1], flags=re.DOTALL)


class Actions:
    """One method a rule, called from the leaves up with the rule's parts; nothing here recurses."""

    def iff(self, parts: Children) -> Syntax:
        """a <-> b"""
        return Syntax("iff", [parts[0], parts[-1]], across(parts[0], parts[-1]))

    def xor(self, parts: Children) -> Syntax:
        """a xor b"""
        return Syntax("xor", [parts[0], parts[-1]], across(parts[0], parts[-1]))

    def implication(self, parts: Children) -> Syntax:
        """a -> b"""
        return Syntax("implies", [parts[0], parts[-1]], across(parts[0], parts[-1]))

    def disjunction(self, parts: Children) -> Syntax:
        """a | b"""
        return joined("or", parts[0], parts[-1])

    def conjunction(self, parts: Children) -> Syntax:
        """a & b"""
        return joined("and", parts[0], parts[-1])

    def negation(self, parts: Children) -> Syntax:
        """~a"""
        return Syntax("not", [parts[1]], (span_of(parts[0])[0], parts[1].whole[1]))

    def minus(self, parts: Children) -> Syntax:
        """-a, a negation or a sign"""
        return Syntax("minus", [parts[1]], (span_of(parts[0])[0], parts[1].whole[1]))

    def sign(self, parts: Children) -> Syntax:
        """-a, a sign"""
        return Syntax("sign", [parts[1]], (span_of(parts[0])[0], parts[1].whole[1]))

    def bracket(self, parts: Children) -> Syntax:
        """( a )"""
        return bracketed(parts[1], (span_of(parts[0])[0], span_of(parts[2])[1]))

    def comparison(self, parts: Children) -> Syntax:
        """a < b, and a < b < c"""
        return chained(parts[0], str(parts[1]), parts[2])

    def arithmetic(self, parts: Children) -> Syntax:
        """a + b"""
        return Syntax("arithmetic", [parts[0], parts[2]], across(parts[0], parts[2]), str(parts[1]))

    def truth(self, parts: Children) -> Syntax:
        """true, false"""
        return Syntax("truth", [], span_of(parts[0]), parts[0].lower() == "true")

    def name(self, parts: Children) -> Syntax:
        """x"""
        return Syntax("name", [], span_of(parts[0]), str(parts[0]))

    def text(self, parts: Children) -> Syntax:
        """A text between quotes"""
        return Syntax("text", [], span_of(parts[0]), unquoted(parts[0]))

    def number(self, parts: Children) -> Syntax:
        """5, 5 m"""
        digits, unit = parts
        end = span_of(digits if unit is None else unit)[1]
        return Syntax("number", [], (span_of(digits)[0], end), (str(digits), None if unit is None else str(unit)))

    def apply(self, parts: Children) -> Syntax:
        """near(x, y)"""
        span = span_of(parts[0])[0], span_of(parts[-1])[1]
        return Syntax("apply", parts[2:-1], span, spelled(parts[0]))

    # --- quantifiers --------------------------------------------------------------------------------------------------

    def quantifier(self, parts: Children) -> Head:
        """exists, forall, exists>=3"""
        first = span_of(parts[0])
        if len(parts) == 1 or parts[1] is None:
            return Head(parts[0].type.lower(), (), span=first)
        return Head(str(parts[1]), (), str(parts[2]), span=(first[0], span_of(parts[2])[1]))

    def quantified(self, parts: Children) -> Syntax:
        """exists x (f)"""
        head, variable, left, body, right = parts
        return _closed(head, (Bound(spelled(variable)),), left, body, right)

    def measure(self, parts: Children) -> Syntax:
        """count x (f)"""
        word, variable, _, body, right = parts
        start, end = span_of(word)[0], span_of(right)[1]
        head = Head(str(word).lower(), (Bound(spelled(variable)),), span=(start, span_of(variable)[1]))
        return Syntax("measure", [body], (start, end), head)


def _closed(head: Head, variables: tuple[Bound, ...], left: Token, body: Syntax, right: Token) -> Syntax:
    start, end = head.span[0], span_of(right)[1]
    whole = Head(head.word, variables, head.n, True, (start, span_of(left)[0]))
    bracketed(body, (span_of(left)[0], end))
    return Syntax("quantifier", [body], (start, end), whole)

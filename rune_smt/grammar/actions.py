"""What the parser does at each rule of `canonical.lark` and `infix.lark`: it makes the node of the parse."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any, TypeAlias

from lark import Token

from ..errors import Span
from .syntax import Bound, Head, Spelled, Syntax, across, bracketed, chained, joined

Children: TypeAlias = list[Any]


def grammar_text(name: str) -> str:
    """The Lark source of a grammar of this folder."""
    return files(__package__).joinpath(f"{name}.lark").read_text(encoding="utf-8")


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
        return Syntax("arithmetic", [parts[0], parts[2]], across(parts[0], parts[2]), parts[1].strip())

    def truth(self, parts: Children) -> Syntax:
        """true, false"""
        return Syntax("truth", [], span_of(parts[0]), parts[0].type == "TRUE")

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
        return Syntax("apply", [part for part in parts if isinstance(part, Syntax)], span, spelled(parts[0]))

    # --- quantifiers --------------------------------------------------------------------------------------------------

    def quantifier(self, parts: Children) -> Head:
        """exists, forall, exists>=3"""
        first = span_of(parts[0])
        match parts[0].type:
            case "NO_EXISTS":
                return Head("no", (), span=first)
            case "UNIQUE":
                return Head("=", (), "1", span=first)
            case word if len(parts) == 1 or parts[1] is None:
                return Head(word.lower(), (), span=first)
        return Head(str(parts[1]), (), str(parts[2]), span=(first[0], span_of(parts[2])[1]))

    def variables(self, parts: Children) -> tuple[Bound, ...]:
        """x, y:ship. A class holds for every variable since the class before."""
        bound: list[Bound] = []
        unsorted = 0
        for token in parts:
            if token.type == "SORT":
                bound[unsorted:] = [Bound(variable.name, spelled(token)) for variable in bound[unsorted:]]
                unsorted = len(bound)
            else:
                bound.append(Bound(spelled(token)))
        return tuple(bound)

    def quantified(self, parts: Children) -> Syntax:
        """exists x (f)"""
        head, variables, left, body, right = parts
        start, end = head.span[0], span_of(right)[1]
        whole = Head(head.word, variables, head.n, (start, variables[-1].name.span[1]))
        return Syntax("quantifier", [bracketed(body, (span_of(left)[0], end))], (start, end), whole)

    def quantified_open(self, parts: Children) -> Syntax:
        """exists x. f"""
        head, variables, _, body = parts
        start = head.span[0]
        whole = Head(head.word, variables, head.n, (start, variables[-1].name.span[1]))
        return Syntax("quantifier", [body], (start, body.whole[1]), whole)

    def measure(self, parts: Children) -> Syntax:
        """count x (f)"""
        word, variables, _, body, right = parts
        start, end = span_of(word)[0], span_of(right)[1]
        head = Head(str(word).lower(), variables, span=(start, variables[-1].name.span[1]))
        return Syntax("measure", [body], (start, end), head)

    # --- infix alone --------------------------------------------------------------------------------------------------

    def member(self, parts: Children) -> Syntax:
        """x in ship"""
        member = Syntax("member", [parts[0]], (parts[0].whole[0], span_of(parts[2])[1]), spelled(parts[2]))
        return member if parts[1].type == "ELEMENT" else Syntax("not", [member], member.span)

    def cardinality(self, parts: Children) -> Syntax:
        """|{x in ship : f}|"""
        opening, variable, sort, _, body, closing = parts
        span = span_of(opening)[0], span_of(closing)[1]
        head = Head("count", (Bound(spelled(variable), spelled(sort) if sort else None),), span=span)
        return Syntax("measure", [body], span, head)

    def class_set(self, parts: Children) -> Syntax:
        """|{x in ship}|"""
        opening, variable, sort, closing = parts
        span = span_of(opening)[0], span_of(closing)[1]
        return Syntax("class set", [], span, Head("count", (Bound(spelled(variable), spelled(sort)),), span=span))

    def set_query(self, parts: Children) -> Syntax:
        """{x : f}, read as exists x (f)"""
        measure = self.cardinality(parts)
        count: Head = measure.value
        head = Head("exists", count.variables, span=count.span)
        return Syntax("quantifier", measure.parts, measure.span, head)

    def start(self, parts: Children) -> list[Syntax]:
        """The statements of a text."""
        return [part for part in parts if isinstance(part, Syntax)]

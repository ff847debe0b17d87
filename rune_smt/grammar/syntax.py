"""What every dialect is parsed to before it is known which part is a formula and which a term.

Brackets may enclose either, names have the spelling they were given, `-` may still be a negation. `build` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..errors import Span
from .nodes import MAX_DEPTH
from .refusal import FormulaError

Kind: TypeAlias = Literal[
    "name",  # value: the spelling
    "number",  # value: (digits, unit or None)
    "text",  # value: the text
    "truth",  # value: True or False
    "apply",  # value: Spelled; parts: the arguments
    "member",  # x in ship. value: Spelled; parts: (x,)
    "not",
    "minus",  # a "-" in front that is a negation or a sign
    "sign",  # a "-" in front that can only be a sign
    "and",
    "or",
    "implies",
    "iff",
    "xor",
    "compare",  # value: the operators, one fewer than the parts
    "arithmetic",  # value: the operator
    "quantifier",  # value: Head; parts: (body,)
    "measure",  # count or cover. value: Head; parts: (body,)
    "class set",  # |{x in ship}|, a measure without body. value: Head
]

CONNECTIVES = frozenset({"and", "or", "implies", "iff", "xor"})
FORMULAS = CONNECTIVES | {"truth", "member", "not", "compare", "quantifier"}  # what can never be a term
TERMS = frozenset({"name", "number", "text", "sign", "arithmetic", "measure", "class set"})  # never a formula


@dataclass(frozen=True, slots=True)
class Spelled:
    """A name as it was written, and where."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Bound:
    """A variable at its quantifier, with the class it ranges over where one is given."""

    name: Spelled
    sort: Spelled | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """A quantifier up to its body.

    word       "exists", "forall", "no" (not exists), ">=", "<=", "=" (exists with a count), "count" or "cover"
    variables  one or more
    n          the number of a count, as digits
    """

    word: str
    variables: tuple[Bound, ...]
    n: str = "0"
    span: Span = (0, 0)


@dataclass(slots=True)
class Syntax:
    """One node of the parse: what it is, what it holds, where it stood, and how deep it is.

    `bracket` is the span of the outermost brackets around it; bare brackets are no level of their own.
    """

    kind: Kind
    parts: list[Syntax]
    span: Span
    value: Any = None
    bracket: Span | None = None
    depth: int = 1

    def __post_init__(self) -> None:
        for part in self.parts:
            self.depth = max(self.depth, part.depth + 1)
        if self.depth > MAX_DEPTH:
            raise too_deep(self.span)

    @property
    def whole(self) -> Span:
        """From its first character to its last, brackets included."""
        return self.bracket or self.span


def too_deep(span: Span) -> FormulaError:
    """The refusal of a tree that no walk could hold."""
    return FormulaError(f"The formula is nested more than {MAX_DEPTH} levels deep.", span=span)


def across(first: Syntax, last: Syntax) -> Span:
    """From the start of one part to the end of another."""
    return first.whole[0], last.whole[1]


def joined(kind: Literal["and", "or"], left: Syntax, right: Syntax) -> Syntax:
    """a & b & c as one node of three parts, brackets among them or not; in time linear in the parts added."""
    span = across(left, right)
    if left.kind != kind:
        left = Syntax(kind, [left], left.span)
    added = right.parts if right.kind == kind else [right]
    left.parts.extend(added)
    depth = max(left.depth, *(part.depth + 1 for part in added))
    if depth > MAX_DEPTH:
        raise too_deep(span)
    left.depth, left.span, left.bracket = depth, span, None
    return left


def chained(left: Syntax, operator: str, right: Syntax) -> Syntax:
    """a < b <= c as one node of three parts."""
    span = across(left, right)
    if left.kind != "compare" or left.bracket:
        return Syntax("compare", [left, right], span, [operator])
    left.parts.append(right)
    left.value.append(operator)
    left.depth, left.span = max(left.depth, right.depth + 1), span
    if left.depth > MAX_DEPTH:
        raise too_deep(span)
    return left


def bracketed(inner: Syntax, span: Span) -> Syntax:
    """The same node, with brackets around it."""
    inner.bracket = span
    return inner

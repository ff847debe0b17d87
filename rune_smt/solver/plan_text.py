"""A plan in lines for people: a variable a line, indented by depth."""

from __future__ import annotations

from typing import assert_never

from ..grammar.nodes import Apply
from ..grammar.printer import written
from .plan import (
    AllOf,
    AnyStep,
    Bind,
    Constant,
    CountsCompared,
    CoversCompared,
    Literal,
    Many,
    OneOf,
    Opposite,
    Same,
    Some,
)


def describe(step: AnyStep, depth: int = 0) -> list[str]:
    """The step in lines for people, a variable a line, indented by depth."""
    indent = "  " * depth
    match step:
        case Some(bind=bind):
            return _describe_bind("some", bind, depth)
        case Opposite(part=Some(bind=bind)):
            return _describe_bind("no", bind, depth)
        case Many(op=op, n=n, bind=bind):
            return _describe_bind(f"{op} {n}", bind, depth)
        case CountsCompared(counts=counts):
            return [line for _, bind in counts for line in _describe_bind("count", bind, depth)]
        case CoversCompared(covers=covers):
            return [line for bind in covers for line in _describe_bind("cover", bind, depth)]
        case AllOf(parts=parts):
            return [line for part in parts for line in describe(part, depth)]
        case OneOf(parts=parts):
            return [f"{indent}one of", *(line for part in parts for line in describe(part, depth + 1))]
        case Opposite(part=part):
            return [f"{indent}not", *describe(part, depth + 1)]
        case Same(left=left, right=right):
            return [f"{indent}both or neither", *describe(left, depth + 1), *describe(right, depth + 1)]
        case Literal() | Constant():
            return [f"{indent}{written(step.formula)}"]
        case _:
            assert_never(step)


def _describe_bind(verb: str, bind: Bind, depth: int) -> list[str]:
    among = " or ".join(bind.classes) if len(bind.classes) <= 6 else f"{len(bind.classes)} classes"
    parts = bind.rest.parts if isinstance(bind.rest, AllOf) else (bind.rest,)
    literals = [part for part in (*bind.filters, *parts) if isinstance(part, Literal)]
    told = [written(literal.formula) for literal in literals if not _says_class(literal, bind)]
    line = f"{'  ' * depth}{verb} {bind.var} in {among or 'nothing'}"
    line += f" where {', '.join(told)}" if told else ""
    if bind.join is not None:
        line += f"; looked up by place near {bind.other}{' among other classes' if bind.unlike else ''}"
    elif bind.extreme is not None:
        line += "; the extreme one tells"
    if bind.twin:
        line += f"; each pair with {bind.twin} once"
    lines = [line]
    for each in bind.filters:
        if not isinstance(each, Literal):
            lines += [f"{'  ' * (depth + 1)}once for each {bind.var}:", *describe(each, depth + 2)]
    for part in parts:
        if part is not None and not isinstance(part, Literal):
            lines += describe(part, depth + 1)
    return lines


def _says_class(literal: Literal, bind: Bind) -> bool:
    """Whether a literal says what the classes of the line say already."""
    atom = literal.atom
    return isinstance(atom, Apply) and not literal.negated and [atom.name] == list(bind.classes)

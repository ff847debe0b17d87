"""The refusal of a name that nothing binds, with the way out: a wider bracket, or a quantifier for a class."""

from __future__ import annotations

import re
from dataclasses import replace

from .nodes import all_names
from .printer import written
from .refusal import FormulaError
from .spelling import canonical_name
from .syntax import CONNECTIVES, Bound, Head, Spelled, Syntax

VARIABLE_LIKE = re.compile(r"[a-z]_?[0-9]*\Z")
LETTERS = ("x", "y", "z", "u", "v", "w")


def free_name_error(use: Syntax, path: tuple[Syntax, ...]) -> FormulaError:
    """The error for the free name `use`; `path` leads from the root to it."""
    name = _name(Spelled(use.value, use.span))
    wider = _wider_bracket(name, path)
    if wider is not None:
        return FormulaError(
            f"The variable '{name}' is free here: its quantifier ends before.",
            span=use.span,
            hint=f"If it should reach this far: {wider}",
        )
    if not VARIABLE_LIKE.match(name):
        hint = _as_a_class(name, use, path)
        if hint is not None:
            return FormulaError(
                f"'{name}' stands where a variable should be, and nothing binds it.", span=use.span, hint=hint
            )
    return FormulaError(
        f"The variable '{name}' is free: no quantifier binds it.",
        span=use.span,
        hint=f"Write exists {name} (...) or forall {name} (...) around it.",
    )


def _wider_bracket(name: str, path: tuple[Syntax, ...]) -> str | None:
    """The smallest connective around the use, with the quantifier of `name` widened to all of it."""
    for node, below in zip(path[-2::-1], path[:0:-1], strict=True):
        if node.kind not in CONNECTIVES:
            continue
        for i, part in enumerate(node.parts):
            if part is below:
                break
            negations, inner = 0, part
            while inner.kind in ("not", "minus"):
                negations, inner = negations + 1, inner.parts[0]
            if inner.kind != "quantifier" or not _binds(inner.value, name):
                continue
            inside = Syntax(node.kind, [*node.parts[:i], inner.parts[0], *node.parts[i + 1 :]], node.span)
            widened = Syntax("quantifier", [inside], node.span, inner.value)
            for _ in range(negations):
                widened = Syntax("not", [widened], node.span)
            return _shown(widened)
    return None


def _binds(head: Head, name: str) -> bool:
    return any(_name(variable.name) == name for variable in head.variables)


def _as_a_class(name: str, use: Syntax, path: tuple[Syntax, ...]) -> str | None:
    """exists y (harbor(y) & near(x, y)) for near(x, Harbor)"""
    holder = next((node for node in reversed(path[:-1]) if node.kind in ("apply", "compare", "member")), None)
    if holder is None or holder.kind == "member" or not any(part is use for part in holder.parts):
        return None
    from .build import build

    shown = build(holder, open_vocabulary=True) if holder.kind == "compare" else None
    taken = {_name(Spelled(part.value, part.span)) for part in holder.parts if part.kind == "name"}
    if shown is not None:
        taken |= all_names(shown)
    letter = next(letter for letter in LETTERS if letter not in taken)
    if holder.kind == "apply" and len(holder.parts) == 1:
        letter = "x"
    at = Spelled(letter, use.span)
    parts = [Syntax("name", [], use.span, letter) if part is use else part for part in holder.parts]
    inner = Syntax(holder.kind, parts, holder.span, holder.value)
    guard = Syntax("apply", [Syntax("name", [], use.span, letter)], use.span, Spelled(name, use.span))
    body = Syntax("and", [guard, inner], holder.span)
    return "If a class is meant: " + _shown(Syntax("quantifier", [body], holder.span, Head("exists", (Bound(at),))))


def _shown(syntax: Syntax) -> str:
    from .build import build

    return written(build(replace(syntax), open_vocabulary=True))


def _name(spelled: Spelled) -> str:
    return canonical_name(spelled, open_vocabulary=True)

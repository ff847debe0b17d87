"""Bound variables named by depth: x1 outermost, x2 inside it; neighbours share names, as the constrained rules do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, assert_never

from ..grammar.nodes import (
    And,
    Apply,
    Arithmetic,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Node,
    Not,
    Number,
    Or,
    Text,
    Truth,
    Variable,
)


def named_by_depth(formula: Formula) -> Formula:
    """A closed formula, the same up to bound names, in which a variable's number is how deep its binder stands."""
    renamed: Any = _named(formula, {}, 1)
    return renamed  # type: ignore[no-any-return]


def _named(node: Node, names: Mapping[str, str], depth: int) -> Any:
    match node:
        case Variable(name):
            return replace(node, name=names[name])
        case Text() | Number() | Truth():
            return node
        case Apply(_, args):
            return replace(node, args=tuple(_named(arg, names, depth) for arg in args))
        case Arithmetic() | Compare() | Implies() | Iff():
            return replace(node, left=_named(node.left, names, depth), right=_named(node.right, names, depth))
        case And(parts) | Or(parts):
            return replace(node, parts=tuple(_named(part, names, depth) for part in parts))
        case Not(body):
            return replace(node, body=_named(body, names, depth))
        case Exists() | ForAll() | ExistsCount() | Count() | Cover():
            inner = {**names, node.var: f"x{depth}"}
            return replace(node, var=f"x{depth}", body=_named(node.body, inner, depth + 1))
        case _:
            assert_never(node)

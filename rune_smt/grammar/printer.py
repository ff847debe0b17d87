"""The canonical print: one ASCII spelling for every formula (LANGUAGE, section 2), and equality up to bound names.

`parse(print(f))` equals f up to the names of bound variables, and two formulas equal up to bound names print the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import assert_never

from .nodes import (
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
    Term,
    Text,
    Truth,
    Variable,
    free_variables,
)

# How tightly a form binds: a form stands without brackets where at least its own strength is asked for.
IFF, IMPLIES, OR, AND, UNARY, COMPARE, SUM, PRODUCT, FACTOR = range(9)


@dataclass(frozen=True, slots=True)
class Spelling:
    """The signs of one infix dialect. Shape (where brackets and spaces stand) is the same in all of them."""

    conjunction: str = "&"
    disjunction: str = "|"
    implication: str = "->"
    equivalence: str = "<->"
    negation: str = "~"
    exists: str = "exists "
    forall: str = "forall "
    count_operators: tuple[tuple[str, str], ...] = ((">=", "exists>={} "), ("<=", "exists<={} "), ("=", "exists={} "))
    true: str = "true"
    false: str = "false"
    comparisons: tuple[tuple[str, str], ...] = ()  # those that differ from the canonical sign
    count: str = "count {} ({})"
    cover: str = "cover {} ({})"
    body: str = " ({})"  # after the variable of a quantifier
    unit: str = "{} {}"
    name: tuple[tuple[str, str], ...] = ()  # pairs of text replaced in names
    function: str = "{}"  # around a name that is applied
    percent: str = "%"


CANONICAL = Spelling()


def canonical(formula: Formula) -> str:
    """The canonical text of a formula: bound variables are x1, x2, ... from left to right."""
    return written(canonical_names(formula))


def written(formula: Formula, spelling: Spelling = CANONICAL) -> str:
    """The text of a formula with the variable names that it has."""
    return _formula(formula, spelling, IFF)


def term_text(term: Term) -> str:
    """The canonical text of a term, with the variable names that it has."""
    return _term(term, CANONICAL, SUM)


def number_text(value: Decimal) -> str:
    """A decimal without exponent, leading or trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def quoted(value: str) -> str:
    r"""A text between double quotes; \" and \\ stand for a quote and a backslash."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def canonical_names(formula: Formula) -> Formula:
    """`formula` with bound variables x1, x2, ... in the order of their binders, leaving out names that occur free."""
    free = free_variables(formula)
    fresh = _fresh_names(free)
    renamed = _renamed(formula, {}, fresh)
    assert not isinstance(renamed, Variable | Text | Number | Arithmetic | Count | Cover)
    return renamed


def same_up_to_bound_names(f: Formula, g: Formula) -> bool:
    """Whether two formulas differ in nothing but the names of bound variables (and spans)."""
    return canonical_names(f) == canonical_names(g)


def _fresh_names(free: frozenset[str]) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        if f"x{number}" not in free:
            yield f"x{number}"


def _renamed(node: Node, names: Mapping[str, str], fresh: Iterator[str]) -> Node:
    # The order of the calls is the order of the binders from left to right; one frame a level keeps the stack low.
    match node:
        case Variable(name):
            return replace(node, name=names.get(name, name))
        case Text() | Number() | Truth():
            return node
        case Apply(_, args):
            arguments = []
            for arg in args:
                arguments.append(_renamed(arg, names, fresh))
            return replace(node, args=tuple(arguments))  # type: ignore[arg-type]
        case Arithmetic() | Compare() | Implies() | Iff():
            left = _renamed(node.left, names, fresh)
            return replace(node, left=left, right=_renamed(node.right, names, fresh))  # type: ignore[arg-type]
        case And(parts) | Or(parts):
            changed = []
            for part in parts:
                changed.append(_renamed(part, names, fresh))
            return replace(node, parts=tuple(changed))  # type: ignore[arg-type]
        case Not(body):
            return replace(node, body=_renamed(body, names, fresh))  # type: ignore[arg-type]
        case Exists() | ForAll() | ExistsCount() | Count() | Cover():
            name = next(fresh)
            inner = _renamed(node.body, {**names, node.var: name}, fresh)
            return replace(node, var=name, body=inner)  # type: ignore[arg-type]
        case _:
            assert_never(node)


def _formula(formula: Formula, spelling: Spelling, least: int) -> str:
    """The text of `formula`, in brackets if it binds less than `least`."""
    match formula:
        case Apply():
            return _apply(formula, spelling)
        case Truth(value):
            return spelling.true if value else spelling.false
        case Compare(op, left, right):
            sign = dict(spelling.comparisons).get(op, op)
            return f"{_term(left, spelling, SUM)} {sign} {_term(right, spelling, SUM)}"
        case Not(body):
            bare = isinstance(body, Apply | Truth | Not)
            text = _formula(body, spelling, IFF)
            return spelling.negation + (text if bare else f"({text})")
        case Exists(var, body):
            return spelling.exists + _bound(var, body, spelling)
        case ForAll(var, body):
            return spelling.forall + _bound(var, body, spelling)
        case ExistsCount(op, n, var, body):
            return dict(spelling.count_operators)[op].format(n) + _bound(var, body, spelling)
        case And(parts):
            text, strength = _joined(parts, spelling.conjunction, spelling, UNARY), AND
        case Or(parts):
            text, strength = _joined(parts, spelling.disjunction, spelling, AND), OR
        case Implies(left, right):
            text = f"{_formula(left, spelling, OR)} {spelling.implication} {_formula(right, spelling, IMPLIES)}"
            strength = IMPLIES
        case Iff(left, right):
            text = f"{_formula(left, spelling, IFF)} {spelling.equivalence} {_formula(right, spelling, IMPLIES)}"
            strength = IFF
        case _:
            assert_never(formula)
    return text if strength >= least else f"({text})"


def _joined(parts: tuple[Formula, ...], sign: str, spelling: Spelling, least: int) -> str:
    texts = []
    for part in parts:
        texts.append(_formula(part, spelling, least))
    return f" {sign} ".join(texts)


def _bound(var: str, body: Formula, spelling: Spelling) -> str:
    return _name(var, spelling) + spelling.body.format(_formula(body, spelling, IFF))


def _apply(node: Apply, spelling: Spelling) -> str:
    arguments = []
    for arg in node.args:
        arguments.append(_term(arg, spelling, SUM))
    return f"{spelling.function.format(_name(node.name, spelling))}({', '.join(arguments)})"


def _name(name: str, spelling: Spelling) -> str:
    for old, new in spelling.name:
        name = name.replace(old, new)
    return name


def _term(term: Term, spelling: Spelling, least: int) -> str:
    match term:
        case Variable(name):
            return _name(name, spelling)
        case Text(value):
            return quoted(value)
        case Number(value, unit):
            digits = number_text(value)
            if unit is None:
                return digits
            return spelling.unit.format(digits, spelling.percent if unit == "%" else unit)
        case Apply():
            return _apply(term, spelling)
        case Count(var, body):
            return spelling.count.format(_name(var, spelling), _formula(body, spelling, IFF))
        case Cover(var, body):
            return spelling.cover.format(_name(var, spelling), _formula(body, spelling, IFF))
        case Arithmetic("+" | "-" as op, left, right):
            text, strength = f"{_term(left, spelling, SUM)} {op} {_term(right, spelling, PRODUCT)}", SUM
        case Arithmetic(op, left, right):
            text, strength = f"{_term(left, spelling, PRODUCT)} {op} {_term(right, spelling, FACTOR)}", PRODUCT
        case _:
            assert_never(term)
    return text if strength >= least else f"({text})"

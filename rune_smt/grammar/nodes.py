"""The formula: its nodes, and the few walks over them that everything else is written with.

A node is its fields and one line of meaning (LANGUAGE, section 2). Nodes are frozen, hashable and compared by
structure, names of bound variables included; `same_up_to_bound_names` in `printer` forgets those. `span` (where in the
query it was said) and `origin` (the use of a definition that it came from) travel along and are no part of identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from operator import is_
from typing import Any, Literal, TypeAlias, assert_never

from ..errors import Span

CompareOp: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]
CountOp: TypeAlias = Literal[">=", "<=", "="]
ArithmeticOp: TypeAlias = Literal["+", "-", "*", "/"]

UNITS = ("px", "px2", "m", "km", "m2", "ha", "km2", "deg", "%")
RESERVED = ("exists", "forall", "count", "cover", "true", "false")

MAX_DEPTH = 200  # levels of nesting: the walks below recurse, and Python's stack holds about five times that


# --- terms ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Variable:
    """x1: an entity of the scene."""

    name: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """"destroyed": a value of a text attribute."""

    value: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """50 m: a decimal number, never negative, with its unit if it has one."""

    value: Decimal
    unit: str | None = None
    span: Span | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        value = Decimal(self.value)
        if not value.is_finite() or value < 0:
            raise ValueError(f"a number is finite and not negative, got {self.value}")
        object.__setattr__(self, "value", value.copy_abs())


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """a + b, a - b, a * b, a / b."""

    op: ArithmeticOp
    left: Term
    right: Term
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Count:
    """count x (f): how many entities satisfy f."""

    var: str
    body: Formula
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Cover:
    """cover x (f): the area, px2, of the union of the outlines of the entities that satisfy f."""

    var: str
    body: Formula
    span: Span | None = field(default=None, compare=False)


# --- formulas ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Apply:
    """near(x, y): a name applied to terms; a formula, or (area(x)) a term."""

    name: str
    args: tuple[Term, ...]
    span: Span | None = field(default=None, compare=False)
    origin: Apply | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """a < b between two terms."""

    op: CompareOp
    left: Term
    right: Term
    span: Span | None = field(default=None, compare=False)
    origin: Apply | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Truth:
    """true or false."""

    value: bool
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """~a"""

    body: Formula
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """a & b & ...: two or more parts, none of them an And (the constructor flattens)."""

    parts: tuple[Formula, ...]
    span: Span | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _flat(And, self.parts))


@dataclass(frozen=True, slots=True)
class Or:
    """a | b | ...: two or more parts, none of them an Or (the constructor flattens)."""

    parts: tuple[Formula, ...]
    span: Span | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _flat(Or, self.parts))


@dataclass(frozen=True, slots=True)
class Implies:
    """a -> b"""

    left: Formula
    right: Formula
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Iff:
    """a <-> b"""

    left: Formula
    right: Formula
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Exists:
    """exists x (f): some entity satisfies f."""

    var: str
    body: Formula
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ForAll:
    """forall x (f): every entity satisfies f."""

    var: str
    body: Formula
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ExistsCount:
    """exists>=N x (f), exists<=N x (f), exists=N x (f): at least, at most, exactly N entities satisfy f."""

    op: CountOp
    n: int
    var: str
    body: Formula
    span: Span | None = field(default=None, compare=False)


Term: TypeAlias = Variable | Text | Number | Arithmetic | Count | Cover | Apply
Formula: TypeAlias = (
    Apply | Compare | Truth | Not | And | Or | Implies | Iff | Exists | ForAll | ExistsCount
)
Node: TypeAlias = Term | Formula
Quantifier: TypeAlias = Exists | ForAll | ExistsCount
Binder: TypeAlias = Exists | ForAll | ExistsCount | Count | Cover

TRUE, FALSE = Truth(True), Truth(False)


def _flat(kind: type[And] | type[Or], parts: Iterable[Formula]) -> tuple[Formula, ...]:
    flat: list[Formula] = []
    for part in parts:
        if isinstance(part, kind):
            flat.extend(part.parts)
        else:
            flat.append(part)
    if len(flat) < 2:
        raise ValueError(f"{kind.__name__} has two or more parts, got {len(flat)}")
    return tuple(flat)


def conjunction(parts: Iterable[Formula]) -> Formula:
    """The `&` of any number of parts: true for none, the part itself for one."""
    listed = tuple(parts)
    if not listed:
        return TRUE
    return listed[0] if len(listed) == 1 else And(listed)


def disjunction(parts: Iterable[Formula]) -> Formula:
    """The `|` of any number of parts: false for none, the part itself for one."""
    listed = tuple(parts)
    if not listed:
        return FALSE
    return listed[0] if len(listed) == 1 else Or(listed)


# --- walks ------------------------------------------------------------------------------------------------------------


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below, from left to right."""
    return _CHILDREN[type(node)](node)


_CHILDREN: Mapping[type, Callable[[Any], tuple[Node, ...]]] = {  # every walk asks, so it is looked up by type
    **dict.fromkeys((Variable, Text, Number, Truth), lambda node: ()),
    Apply: lambda node: node.args,
    **dict.fromkeys((Arithmetic, Compare, Implies, Iff), lambda node: (node.left, node.right)),
    **dict.fromkeys((And, Or), lambda node: node.parts),
    **dict.fromkeys((Not, Exists, ForAll, Count, Cover, ExistsCount), lambda node: (node.body,)),
}


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first, from left to right."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(reversed(children(top)))


def size(node: Node) -> int:
    """How many nodes."""
    return sum(1 for _ in walk(node))


def depth(node: Node) -> int:
    """How many levels; 1 for a leaf."""
    deepest, stack = 0, [(node, 1)]
    while stack:
        top, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children(top))
    return deepest


def map_formulas(change: Callable[[Formula], Formula], formula: Formula) -> Formula:
    """`formula` with `change` applied to the formulas directly below it, those inside counts and covers too.

    A comparison in which nothing changes stays the same object.
    """
    match formula:
        case Truth() | Apply():
            return formula  # an application's arguments are terms without formulas (section 4), open vocabulary apart
        case Compare(_, left, right):
            one, other = map_in_term(change, left), map_in_term(change, right)
            return formula if one is left and other is right else replace(formula, left=one, right=other)
        case Not(body) | Exists(_, body) | ForAll(_, body) | ExistsCount(_, _, _, body):
            return replace(formula, body=change(body))
        case And(parts):
            return replace(formula, parts=tuple(change(part) for part in parts))
        case Or(parts):
            return replace(formula, parts=tuple(change(part) for part in parts))
        case Implies(left, right) | Iff(left, right):
            return replace(formula, left=change(left), right=change(right))
        case _:
            assert_never(formula)


def map_in_term(change: Callable[[Formula], Formula], term: Term) -> Term:
    """`term` with `change` applied to the bodies of its counts and covers."""
    match term:
        case Variable() | Text() | Number():
            return term
        case Apply(_, args):
            mapped = tuple(map_in_term(change, arg) for arg in args)
            return term if all(map(is_, mapped, args)) else replace(term, args=mapped)
        case Arithmetic(_, left, right):
            one, other = map_in_term(change, left), map_in_term(change, right)
            return term if one is left and other is right else replace(term, left=one, right=other)
        case Count(_, body) | Cover(_, body):
            return replace(term, body=change(body))
        case _:
            assert_never(term)


def free_variables(node: Node) -> frozenset[str]:
    """The names of variables that no quantifier, count or cover inside `node` binds."""
    found: set[str] = set()
    nothing: frozenset[str] = frozenset()
    stack = [(node, nothing)]  # and what is bound above
    while stack:
        top, bound = stack.pop()
        if isinstance(top, Variable):
            if top.name not in bound:
                found.add(top.name)
            continue
        if isinstance(top, Exists | ForAll | ExistsCount | Count | Cover):
            bound = bound | {top.var}
        stack += [(child, bound) for child in children(top)]
    return frozenset(found)


def all_names(node: Node) -> frozenset[str]:
    """Every variable name that occurs, bound or free."""
    names = set()
    for part in walk(node):
        match part:
            case Variable(name):
                names.add(name)
            case Exists(var) | ForAll(var) | Count(var) | Cover(var):
                names.add(var)
            case ExistsCount(_, _, var):
                names.add(var)
            case _:
                pass
    return frozenset(names)


def fresh_name(stem: str, taken: Iterable[str]) -> str:
    """`stem` if it is not taken, else stem_1, stem_2, ..."""
    taken = set(taken)
    name, number = stem, 0
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name


def rename(formula: Formula, names: Mapping[str, str]) -> Formula:
    """`formula` with free variables renamed; bound ones make way, so nothing is captured."""
    renamed = _rename(formula, dict(names))
    assert not isinstance(renamed, Variable | Text | Number | Arithmetic | Count | Cover)
    return renamed


def _rename(node: Node, names: dict[str, str]) -> Node:
    if not names:
        return node
    match node:
        case Variable(name):
            return replace(node, name=names.get(name, name))
        case Text() | Number() | Truth():
            return node
        case Apply(_, args):
            return replace(node, args=tuple(_rename(arg, names) for arg in args))  # type: ignore[misc]
        case Arithmetic(_, left, right) | Compare(_, left, right) | Implies(left, right) | Iff(left, right):
            return replace(node, left=_rename(left, names), right=_rename(right, names))  # type: ignore[arg-type]
        case And(parts) | Or(parts):
            return replace(node, parts=tuple(_rename(part, names) for part in parts))  # type: ignore[misc]
        case Not(body):
            return replace(node, body=_rename(body, names))  # type: ignore[arg-type]
        case Exists(var, body) | ForAll(var, body) | Count(var, body) | Cover(var, body) | ExistsCount(_, _, var, body):
            free = free_variables(body)
            inner = {old: new for old, new in names.items() if old != var and old in free}
            if var in inner.values():
                other = fresh_name(var, free | set(inner.values()))
                inner[var] = other
                var = other
            return replace(node, var=var, body=_rename(body, inner))  # type: ignore[arg-type]
        case _:
            assert_never(node)

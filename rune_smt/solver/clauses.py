"""The clause form of a query, and relaxing (LANGUAGE, section 9): what cores, repairs and certificates speak of.

The form stays in the language of `grammar.nodes`, so that `holds` judges it. It is made of And, Or, Exists, ForAll,
ExistsCount(>=, <=), true, false, comparisons of counts and covers (<, <=, >, >=), and literals: an application, its
negation, or a comparison without counts (whose negation is the opposite comparison).

A comparison of counts keeps its terms as they were written, so that it is computed as the query computes it; which
side a count stands on after moving is the sign of its factor: positive on the side that wants to be larger, where its
body is positive, negative on the other, where it is negative. In a negative body everything turns round once more.

One corner. `2 * count x (f) = 3` is violated whatever the count, yet with a count of 1 or 2 neither `>=` nor `<=` is:
the two halves are undecided. Where the range of a sum can skip a value, the comparison as it was written therefore
stands beside its halves, as a literal that all clauses of the halves share (relaxing any of them relaxes it), on the
side where it makes the query harder: `=` where the context is positive, `!=` where it is negative. So a query is
violated exactly if its form is, and relaxing still only raises verdicts. On the other side (`!=` in a positive
context) the halves stand alone, and the form may be undecided where the query is satisfied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count
from typing import TypeAlias, assert_never

from ..errors import LimitError, Span
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
    Term,
    Text,
    Truth,
    Variable,
    children,
    conjunction,
    disjunction,
    walk,
)
from .numbers import OPPOSITE, aggregates, difference

MAX_LITERALS = 5_000  # `<->` and `exists=N` double what is below them; beyond this no one reads a core

Copy: TypeAlias = tuple[int, ...]  # which copy, of every rule above it that duplicates


@dataclass(frozen=True, slots=True)
class Clause:
    """One atom occurrence of the form, or everything that comes from one use of a definition.

    index     its number, from 0, in the order in which the form has them
    formula   the literal as the form has it, or the use of the definition (negated where it stands under a `~`)
    positive  whether the query gets easier when `formula` is true; False in the body of an upper count
    span      where in the query it was said; two clauses that a rule made of one atom have the same
    origin    the use of a definition, if it comes from one
    """

    index: int
    formula: Formula
    positive: bool
    span: Span | None = None
    origin: Apply | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One literal of the form: the clauses it belongs to, and which constant makes the query easier in its place."""

    clauses: frozenset[int]
    positive: bool


@dataclass(frozen=True, slots=True)
class ClauseForm:
    """A query in clause form.

    formula      the form
    clauses      numbered in the order of their first literals
    occurrences  one for every literal of `formula`, from left to right
    """

    formula: Formula
    clauses: tuple[Clause, ...]
    occurrences: tuple[Occurrence, ...]

    @property
    def every(self) -> frozenset[int]:
        """The numbers of all clauses."""
        return frozenset(range(len(self.clauses)))


def clause_form(formula: Formula, *, halves: bool = True) -> ClauseForm:
    """The clause form of a closed formula whose definitions are expanded.

    halves   False leaves an equality of counts that can skip a value as it is, a literal; the form then has the
             query's verdict in every scene, but nothing inside that equality can be relaxed by itself
    raises   LimitError, before anything is built, where the form would have more than MAX_LITERALS literals
    """
    literals = _measure(formula)
    if literals > MAX_LITERALS:
        raise LimitError(
            f"The clause form of the query would have {literals:,} clauses, more than {MAX_LITERALS:,}.",
            hint="'<->' and 'exists=N' double what stands in them; nested ones do so again and again.",
        )
    builder = _Builder(formula, halves)
    built = builder.convert(formula, True, True, ())
    return builder.finish(built)


def relax(form: ClauseForm, keep: frozenset[int]) -> Formula:
    """The form with every clause outside `keep` relaxed: true in its place where it is positive, else false.

    Nodes that stay are the same objects as in the form, so what a world remembers of them stays good.
    """

    def choose(literal: Formula, at: int) -> Formula:
        occurrence = form.occurrences[at]
        return literal if occurrence.clauses <= keep else Truth(occurrence.positive)

    return replace_literals(form, choose)


def replace_literals(form: ClauseForm, choose: Callable[[Formula, int], Formula]) -> Formula:
    """The form with `choose(literal, its number)` in the place of every literal."""
    numbers = count()

    def formula(node: Formula) -> Formula:
        if is_literal(node):
            return choose(node, next(numbers))
        match node:
            case Truth():
                return node
            case And(parts):
                changed = tuple(formula(part) for part in parts)
                return node if _same(changed, parts) else replace(node, parts=changed)
            case Or(parts):
                changed = tuple(formula(part) for part in parts)
                return node if _same(changed, parts) else replace(node, parts=changed)
            case Exists(_, body) | ForAll(_, body) | ExistsCount(_, _, _, body):
                inner = formula(body)
                return node if inner is body else replace(node, body=inner)
            case Compare(_, left, right):
                one, other = term(left), term(right)
                return node if one is left and other is right else replace(node, left=one, right=other)
            case _:
                raise TypeError(f"not in clause form: {type(node).__name__}")

    def term(node: Term) -> Term:
        match node:
            case Arithmetic(_, left, right):
                one, other = term(left), term(right)
                return node if one is left and other is right else replace(node, left=one, right=other)
            case Count(_, body) | Cover(_, body):
                inner = formula(body)
                return node if inner is body else replace(node, body=inner)
            case _:
                return node

    return formula(form.formula)


def is_literal(node: Formula) -> bool:
    """Whether a node of a form is one of its literals: what relaxing replaces as a whole."""
    match node:
        case Apply() | Not():
            return True
        case Compare(op):
            return op in ("=", "!=") or not aggregates(node)
        case _:
            return False


def literals(node: Node) -> Iterator[Formula]:
    """The literals of a form (or of a part of it), from left to right."""
    match node:
        case Variable() | Text() | Number() | Truth():
            return
        case Arithmetic(_, left, right):
            yield from literals(left)
            yield from literals(right)
        case Count(_, body) | Cover(_, body) | Exists(_, body) | ForAll(_, body) | ExistsCount(_, _, _, body):
            yield from literals(body)
        case And(parts) | Or(parts):
            for part in parts:
                yield from literals(part)
        case Compare(_, left, right) if not is_literal(node):
            yield from literals(left)
            yield from literals(right)
        case Apply() | Not() | Compare():
            yield node
        case Implies() | Iff():
            raise TypeError(f"not in clause form: {type(node).__name__}")
        case _:
            assert_never(node)


def can_skip(comparison: Compare) -> bool:
    """Whether `left - right` of a comparison of counts can pass 0 without being 0 on the way.

    It cannot where all factors have one size that divides the constant: then every multiple in between is reached.
    """
    if any(isinstance(node, Cover) for node in aggregates(comparison)):
        return False  # a cover may be any number between its bounds
    constant, counts = difference(comparison).in_integers()
    steps = {abs(factor) for factor, _ in counts if factor}
    return bool(steps) and (len(steps) > 1 or constant % min(steps) != 0)


def _same(changed: tuple[Formula, ...], parts: tuple[Formula, ...]) -> bool:
    return all(one is other for one, other in zip(changed, parts, strict=True))


def _measure(node: Node) -> int:
    """How many literals the form will have."""
    match node:
        case Variable() | Text() | Number() | Truth():
            return 0
        case Apply():
            return 1
        case Compare(op, left, right):
            if not aggregates(node):
                return 1
            inside = _measure(left) + _measure(right)
            return 2 * inside + 1 if op in ("=", "!=") else inside
        case Iff(left, right):
            return 2 * (_measure(left) + _measure(right))
        case ExistsCount(op, _, _, body):
            return 2 * _measure(body) if op == "=" else _measure(body)
        case Not(body) | Exists(_, body) | ForAll(_, body) | Count(_, body) | Cover(_, body):
            return _measure(body)
        case And(parts) | Or(parts):
            return sum(_measure(part) for part in parts)
        case Implies(left, right) | Arithmetic(_, left, right):
            return _measure(left) + _measure(right)
        case _:
            assert_never(node)


class _Builder:
    """Converts and numbers.

    `sign` is False under an odd number of `~`, `wanted` False in the body of an upper count, `copy` tells the copies
    apart that rules outside of definitions have made.
    """

    def __init__(self, formula: Formula, halves: bool):
        self.halves = halves
        self.defined = any(isinstance(part, Apply | Compare) and part.origin is not None for part in walk(formula))
        self.keys: list[object] = []  # of each literal: what makes it one clause with others
        self.found: list[tuple[Formula, bool, Apply | None]] = []  # of each literal: itself, positive, its origin
        self.shared: dict[int, range] = {}  # of an equality beside its halves: the literals of the halves
        self.entered: dict[object, tuple[bool, bool]] = {}  # of each use of a definition: sign and wanted at its root

    def finish(self, built: Formula) -> ClauseForm:
        numbers: dict[object, int] = {}
        for at, key in enumerate(self.keys):
            if at not in self.shared:
                numbers.setdefault(key, len(numbers))
        clauses: dict[int, Clause] = {}
        occurrences = []
        for at, (key, (literal, positive, origin)) in enumerate(zip(self.keys, self.found, strict=True)):
            if at in self.shared:
                members = frozenset(numbers[self.keys[i]] for i in self.shared[at] if i not in self.shared)
            else:
                members = frozenset((numbers[key],))
                if numbers[key] not in clauses:
                    clauses[numbers[key]] = self._clause(numbers[key], key, literal, positive, origin)
            occurrences.append(Occurrence(members, positive))
        return ClauseForm(built, tuple(clauses[i] for i in range(len(clauses))), tuple(occurrences))

    def _clause(self, index: int, key: object, literal: Formula, positive: bool, origin: Apply | None) -> Clause:
        if origin is None:
            return Clause(index, literal, positive, literal.span or _span_below(literal))
        sign, wanted = self.entered[key]
        return Clause(index, origin if sign else Not(origin, origin.span), wanted, origin.span, origin)

    # --- conversion ---------------------------------------------------------------------------------------------------

    def convert(self, node: Formula, sign: bool, wanted: bool, copy: Copy) -> Formula:
        self._enter(node, sign, wanted, copy)
        match node:
            case Truth(value):
                return node if sign else replace(node, value=not value)
            case Apply():
                return self._literal(node if sign else Not(node, node.span), node, wanted, copy)
            case Compare(op):
                turned = node if sign else replace(node, op=OPPOSITE[op])
                if not aggregates(node):
                    return self._literal(turned, node, wanted, copy)
                return self._comparison(turned, wanted, copy)
            case Not(body):
                return self.convert(body, not sign, wanted, copy)
            case And(parts):
                join = conjunction if sign else disjunction
                return replace_span(join(self.convert(part, sign, wanted, copy) for part in parts), node.span)
            case Or(parts):
                join = disjunction if sign else conjunction
                return replace_span(join(self.convert(part, sign, wanted, copy) for part in parts), node.span)
            case Implies(left, right):
                join = disjunction if sign else conjunction
                parts = (self.convert(left, not sign, wanted, copy), self.convert(right, sign, wanted, copy))
                return replace_span(join(parts), node.span)
            case Iff(left, right):
                one, two = self._copies(node, copy)
                join, around = (disjunction, And) if sign else (conjunction, Or)  # (~a | b) & (~b | a); its negation
                forth = (self.convert(left, not sign, wanted, one), self.convert(right, sign, wanted, one))
                back = (self.convert(right, not sign, wanted, two), self.convert(left, sign, wanted, two))
                return around((join(forth), join(back)), node.span)
            case Exists(var, body):
                kind = Exists if sign else ForAll
                return kind(var, self.convert(body, sign, wanted, copy), node.span)
            case ForAll(var, body):
                kind = ForAll if sign else Exists
                return kind(var, self.convert(body, sign, wanted, copy), node.span)
            case ExistsCount("=", n, var, body):
                one, two = self._copies(node, copy)
                first = self._count(">=", n, var, body, sign, wanted, one, node.span)
                second = self._count("<=", n, var, body, sign, wanted, two, node.span)
                return (And if sign else Or)((first, second), node.span)
            case ExistsCount(op, n, var, body):
                return self._count(op, n, var, body, sign, wanted, copy, node.span)
            case _:
                assert_never(node)

    def _count(
        self, op: str, n: int, var: str, body: Formula, sign: bool, wanted: bool, copy: Copy, span: Span | None
    ) -> Formula:
        """~exists>=N is exists<=N-1 (false for N = 0), ~exists<=N is exists>=N+1; the body stays as it is."""
        if not sign:
            if op == ">=" and n == 0:
                return Truth(False, span)
            op, n = ("<=", n - 1) if op == ">=" else (">=", n + 1)
        if op == ">=":
            return ExistsCount(">=", n, var, self.convert(body, True, wanted, copy), span)
        return ExistsCount("<=", n, var, self.convert(body, True, not wanted, copy), span)

    def _comparison(self, node: Compare, wanted: bool, copy: Copy) -> Formula:
        """A comparison of counts or covers, its negation already taken in."""
        if node.op not in ("=", "!="):
            return self._inequality(node, wanted, copy)
        skips = can_skip(node)
        if skips and not self.halves:
            return self._literal(node, node, wanted, copy)
        one, two = self._copies(node, copy)
        start = len(self.keys)
        equal = node.op == "="
        first = self._inequality(replace(node, op=">=" if equal else "<"), wanted, one)
        second = self._inequality(replace(node, op="<=" if equal else ">"), wanted, two)
        halves = range(start, len(self.keys))
        if skips and equal == wanted:
            whole = replace(node)  # an object of its own
            self.shared[len(self.keys)] = halves
            self._literal(whole, node, wanted, copy)
            return (And if equal else Or)((first, second, whole), node.span)
        return (And if equal else Or)((first, second), node.span)

    def _inequality(self, node: Compare, wanted: bool, copy: Copy) -> Compare:
        larger = 1 if node.op in (">", ">=") else -1  # what a positive factor on the left side wants
        left = self._term(node.left, Fraction(larger), wanted, copy)
        right = self._term(node.right, Fraction(-larger), wanted, copy)
        return replace(node, left=left, right=right)

    def _term(self, term: Term, factor: Fraction, wanted: bool, copy: Copy) -> Term:
        """Counts and covers with a negative factor want to be small: their bodies turn the polarity round."""
        match term:
            case Variable() | Text() | Number() | Apply():
                return term
            case Count(_, body) | Cover(_, body):
                return replace(term, body=self.convert(body, True, wanted if factor >= 0 else not wanted, copy))
            case Arithmetic(op, left, right):
                if op in ("+", "-"):
                    of_left, of_right = factor, factor if op == "+" else -factor
                else:
                    of_left = factor * constant(right) if has_bodies(left) and op == "*" else factor
                    of_right = factor * constant(left) if has_bodies(right) else factor
                one, other = self._term(left, of_left, wanted, copy), self._term(right, of_right, wanted, copy)
                return replace(term, left=one, right=other)
            case _:
                assert_never(term)

    def _literal(self, literal: Formula, atom: Apply | Compare, wanted: bool, copy: Copy) -> Formula:
        origin = atom.origin
        self.keys.append(len(self.keys) if origin is None else self._use(origin, copy))
        self.found.append((literal, wanted, origin))
        return literal

    # --- definitions --------------------------------------------------------------------------------------------------

    def _use(self, origin: Apply, copy: Copy) -> object:
        key = (id(origin), copy)
        self.entered.setdefault(key, (True, True))
        return key

    def _enter(self, node: Formula, sign: bool, wanted: bool, copy: Copy) -> None:
        """Notes sign and polarity where the body of a definition begins: at the highest node that is inside of it."""
        origin = within_definition(node) if self.defined else None
        if origin is not None:
            self.entered.setdefault((id(origin), copy), (sign, wanted))

    def _copies(self, node: Formula, copy: Copy) -> tuple[Copy, Copy]:
        """Two names for the two copies of what is below; inside of a definition nothing is told apart."""
        return (copy, copy) if self.defined and within_definition(node) is not None else ((*copy, 0), (*copy, 1))


def within_definition(node: Formula) -> Apply | None:
    """The use of a definition whose body this node is in.

    All atoms below come from it, and the node was not said around it: what is said around has a wider span.
    """
    origins = {id(origin): origin for origin in _origins(node)}
    if len(origins) != 1:
        return None
    (origin,) = origins.values()
    if origin is None:
        return None
    if isinstance(node, Apply | Compare) or node.span is None or origin.span is None:
        return origin
    around = node.span[0] <= origin.span[0] and origin.span[1] <= node.span[1] and node.span != origin.span
    return None if around else origin


def _origins(node: Node) -> Iterator[Apply | None]:
    """The origin of every atom, and of every comparison of counts, from a node downwards."""
    if isinstance(node, Apply | Compare):
        yield node.origin
        if isinstance(node, Apply) or not aggregates(node):
            return
    for child in children(node):
        if not isinstance(child, Apply) or not isinstance(node, Compare | Arithmetic):
            yield from _origins(child)


def _span_below(node: Node) -> Span | None:
    spans = [part.span for part in walk(node) if part.span is not None]
    return (min(s for s, _ in spans), max(e for _, e in spans)) if spans else None


def has_bodies(term: Term) -> bool:
    """Whether a term contains a count or a cover."""
    return any(isinstance(node, Count | Cover) for node in walk(term))


def constant(term: Term) -> Fraction:
    """The value of a factor: a term of numbers only, its unit aside."""
    match term:
        case Number(value):
            return Fraction(value)
        case Arithmetic(op, left, right):
            a, b = constant(left), constant(right)
            return a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else a / b
        case _:
            raise TypeError(f"not a number: {type(term).__name__}")


def replace_span(formula: Formula, span: Span | None) -> Formula:
    """An `&` or `|` just built gets the span of what it was built from; anything else keeps its own."""
    return replace(formula, span=span) if isinstance(formula, And | Or) else formula

"""The plan of a query: a tree of steps that the array engine carries out (`plan_text` has it in lines for people).

Made from a formula and from how many entities of each class there are:

- `forall x (a)` becomes `~(exists x (~a))`, and `~` goes to the atoms: there are only counts of what satisfies.
- In a chain of `exists` the variables are bound in the order that keeps bindings few: the rarest class first, then what
  is tied to it by a bounded relation; what falls apart is decided apart (semi-joins).
- Each binder says which classes its variable ranges over, which parts of its body filter it alone, and which relation
  makes the candidates: then they come from the strip index (`joins`), not from all pairs.
- Parts of `&` and `|` stand in order of price.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from ..grammar.nodes import (
    And,
    Apply,
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
    Or,
    Truth,
    Variable,
    children,
    conjunction,
    free_variables,
    rename,
)
from ..grammar.printer import canonical, canonical_names
from ..grammar.words import WORDS
from ..verdict import SATISFIED
from .atoms import Rows
from .bounds import bounds
from .decompose import domain
from .joins import BOUNDED, is_bounded
from .numbers import aggregates, counts_in, covers_in, difference, distance_limit
from .passes.eliminate_implications import eliminate_implications
from .passes.push_negations_inward import push_negations_inward
from .scan import scannable

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

CHEAP = 5.0  # up to this price evaluating again is cheaper than finding the different bindings
NEIGHBOURS = 4.0  # entities within reach of another, typically
DECIDED_BY_BOXES = ("near", "far", "touches", "overlaps", "inside", "contains")
EXTREMES = {  # relation of the quantified variable as (first, second) argument: column, whether the first is below
    "left_of": ("cx", True),
    "right_of": ("cx", False),
    "above": ("cy", True),
    "below": ("cy", False),
    "smaller": ("area", True),
    "larger": ("area", False),
}


@dataclass(frozen=True, eq=False)
class Step:
    """A part of the plan: evaluated for many bindings at once.

    formula  what it decides
    names    variables that it speaks of
    price    of one binding, roughly in columns read
    """

    formula: Formula
    names: frozenset[str]
    price: float

    @cached_property
    def key(self) -> str:
        """Equal for steps that are the same but for the name of their one free variable."""
        return key_of(self.formula)


@dataclass(frozen=True, eq=False)
class Literal(Step):
    """An atom without counts, or its negation. by_boxes: boxes decide most of it before any outline is read."""

    atom: Apply | Compare = field(kw_only=True)
    negated: bool = field(kw_only=True)
    by_boxes: bool = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Constant(Step):
    """true or false."""

    value: bool = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class AllOf(Step):
    """a & b & ..., cheapest first."""

    parts: tuple[AnyStep, ...] = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class OneOf(Step):
    """a | b | ..., cheapest first."""

    parts: tuple[AnyStep, ...] = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Opposite(Step):
    """~a"""

    part: AnyStep = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Same(Step):
    """a <-> b"""

    left: AnyStep = field(kw_only=True)
    right: AnyStep = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Bind:
    """A variable, and what it may be.

    codes    int64: the classes (as codes of the table) that it ranges over
    filters  parts of the body that speak of it alone
    rest     the others as one step, None where there are none
    join     the literal of `rest` that makes its candidates: those within reach of `other`
    extreme  the literal is all of `rest`, an order: the greatest or least of the column decides
    twin     a variable bound before with which it may change places: of two bindings one is enough; else ""
    apart    the twin is certainly another entity
    unlike   only entities of another class than `other` are asked for
    scanned  the literals of `rest` that a compiled loop knows, about this variable and `other`
    beyond   what `rest` has besides; None where that is nothing
    """

    var: str
    classes: tuple[str, ...]
    codes: Rows
    filters: tuple[AnyStep, ...]
    rest: AnyStep | None
    join: Literal | None
    other: str
    extreme: Literal | None
    price: float
    twin: str = ""
    apart: bool = False
    unlike: bool = False
    scanned: tuple[Literal, ...] = ()
    beyond: AnyStep | None = None

    @property
    def scanned_whole(self) -> bool:
        """Whether the compiled loop decides all of `rest`."""
        return bool(self.scanned) and self.beyond is None


@dataclass(frozen=True, eq=False)
class Some(Step):
    """exists x (a)"""

    bind: Bind = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Many(Step):
    """exists>=N x (a), exists<=N, exists=N"""

    op: str = field(kw_only=True)
    n: int = field(kw_only=True)
    bind: Bind = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class CountsCompared(Step):
    """constant + sum of coefficient * count OP 0, all whole numbers."""

    op: str = field(kw_only=True)
    constant: int = field(kw_only=True)
    counts: tuple[tuple[int, Bind], ...] = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class CoversCompared(Step):
    """A comparison of covers, areas and percentages; a binder for each cover, in order."""

    comparison: Compare = field(kw_only=True)
    covers: tuple[Bind, ...] = field(kw_only=True)


AnyStep: TypeAlias = (
    Literal | Constant | AllOf | OneOf | Opposite | Same | Some | Many | CountsCompared | CoversCompared
)


@dataclass(frozen=True, eq=False)
class Planner:
    """What a plan is made from: the table's classes, and how many entities of each an image has on average."""

    classes: tuple[str, ...]
    vocabulary: Vocabulary
    average: NDArray[np.float64]
    _twins: dict[str, str] = field(default_factory=dict)
    _sizes: dict[tuple[str, tuple[Formula, ...]], float] = field(default_factory=dict)

    def plan(self, formula: Formula) -> AnyStep:
        """The plan of a formula; free variables are bound from outside."""
        normal = push_negations_inward(eliminate_implications(canonical_names(formula)))
        self._twins.clear()
        return self._step(normal, free_variables(normal))

    # --- formulas -----------------------------------------------------------------------------------------------------

    def _step(self, formula: Formula, bound: frozenset[str]) -> AnyStep:
        """The step of a formula in negation normal form."""
        names = free_variables(formula)
        match formula:
            case Truth(value):
                return Constant(formula, names, 0.0, value=value)
            case Not(Apply() as atom):
                return self._literal(formula, atom, True, names)
            case Apply():
                return self._literal(formula, formula, False, names)
            case Compare() if counts_in(formula):
                constant, counts = difference(formula).in_integers()
                binds = tuple((factor, self._bind(c.var, c.body, c, bound)) for factor, c in counts)
                price = sum(bind.price for _, bind in binds)
                return CountsCompared(formula, names, price, op=formula.op, constant=constant, counts=binds)
            case Compare() if covers_in(formula):
                covers = tuple(self._bind(c.var, c.body, c, bound) for c in aggregates(formula) if isinstance(c, Cover))
                price = 100.0 * sum(bind.price for bind in covers)
                return CoversCompared(formula, names, price, comparison=formula, covers=covers)
            case Compare():
                return self._literal(formula, formula, False, names)
            case Not(body):
                part = self._step(body, bound)
                return Opposite(formula, names, part.price, part=part)
            case And(parts) | Or(parts):
                steps = sorted((self._step(part, bound) for part in parts), key=lambda step: step.price)
                kind = AllOf if isinstance(formula, And) else OneOf
                return kind(formula, names, sum(step.price for step in steps), parts=tuple(steps))
            case Iff(left, right):
                one, other = self._step(left, bound), self._step(right, bound)
                return Same(formula, names, one.price + other.price, left=one, right=other)
            case ForAll(var, body):
                part = self._step(Exists(var, push_negations_inward(Not(body))), bound)
                return Opposite(formula, names, part.price, part=part)
            case Exists():
                return self._chain(formula, bound)
            case ExistsCount(op, n, var, body):
                bind = self._bind(var, body, formula, bound)
                return Many(formula, names, bind.price, op=op, n=n, bind=bind)
            case Implies():
                raise TypeError("implications are eliminated before")
            case _:
                assert_never(formula)

    def _literal(self, formula: Formula, atom: Apply | Compare, negated: bool, names: frozenset[str]) -> Literal:
        if isinstance(atom, Apply):
            by_boxes = atom.name in DECIDED_BY_BOXES
        else:
            found = distance_limit(atom)
            by_boxes = found is not None and found[0] == "distance"
        price = atom_price(atom, self.vocabulary)
        return Literal(formula, names, price, atom=atom, negated=negated, by_boxes=by_boxes)

    # --- binders ------------------------------------------------------------------------------------------------------

    def _size(self, codes: Rows) -> float:
        return max(1.0, float(self.average[codes].sum()))

    def _codes(self, binder: Node) -> Rows:
        admitted = set(domain(binder, self.classes, self.vocabulary))
        return np.flatnonzero([name in admitted for name in self.classes]).astype(np.int64)

    def _bind(self, var: str, body: Formula, binder: Node, bound: frozenset[str]) -> Bind:
        """One variable; `bound` are those in scope around it."""
        codes = self._codes(binder)
        parts = [part for part in conjuncts(body) if not (isinstance(part, Truth) and part.value)]
        # Few candidates at a time are looked at for the outermost variable, and where a join finds them: what is dear
        # is then asked of these only, else of everything that the variable may be, once.
        few = not bound or any(ties(part, var) for part in parts)
        alone, others = [], []
        for part in parts:
            if self._is_sure(part, var, codes):
                continue
            step = self._step(part, bound | {var}) if free_variables(part) <= {var} else None
            if step is not None and (step.price <= CHEAP or not few):
                alone.append(step)
            else:
                others.append(part)
        rest = self._step(conjunction(others), bound | {var}) if others else None
        join, other = self._join(var, rest)
        extreme = rest if isinstance(rest, Literal) and _is_order(rest) else None
        candidates = NEIGHBOURS if join is not None else self._size(codes)
        price = 2 * CHEAP + self._size(codes) * sum(step.price for step in alone)
        price += candidates * rest.price if rest is not None else 0.0
        filters = tuple(sorted(alone, key=lambda step: step.price))
        classes = tuple(self.classes[code] for code in codes)
        twin = self._twins.get(var, "")
        apart = twin != "" and any(keeps_apart(part, var, twin) for part in parts)
        known, beyond = _scanned(rest, {var, other}) if join is not None else ((), rest)
        # ~same_class(x, x) is satisfied: no entity stands in a relation to itself.
        unlike = any(_is_other_class(part, var, other) for part in parts)
        unlike = unlike and any(keeps_apart(part, var, other) for part in parts)
        return Bind(var, classes, codes, filters, rest, join, other, extreme, price, twin, apart, unlike, known, beyond)

    def _is_sure(self, part: Formula, var: str, codes: Rows) -> bool:
        """Whether the classes that the variable ranges over say the part already."""
        if free_variables(part) != {var}:
            return False
        return all(bounds(part, self.vocabulary, {var: self.classes[code]}, None)[0] == SATISFIED for code in codes)

    def _join(self, var: str, rest: AnyStep | None) -> tuple[Literal | None, str]:
        """The most selective bounded literal between the variable and one bound before."""
        parts = rest.parts if isinstance(rest, AllOf) else (rest,)
        pairs = [p for p in parts if isinstance(p, Literal) and var in p.names and len(p.names) == 2]
        fitting = [p for p in pairs if is_bounded(p.atom, p.negated)]
        if not fitting:
            return None, ""
        best = min(fitting, key=_selectivity)
        (other,) = best.names - {var}
        return best, other

    def _chain(self, formula: Exists, bound: frozenset[str]) -> AnyStep:
        """exists x (a & exists y (b & ...)): the variables in the order that keeps bindings few."""
        variables, parts = flattened(formula)
        ordered = self._ordered(variables, parts, bound)
        if isinstance(ordered, Exists):
            for other in variables - {ordered.var}:
                if interchangeable(ordered.var, other, parts):
                    self._twins[other] = ordered.var
            bind = self._bind(ordered.var, ordered.body, ordered, bound)
            return Some(formula, free_variables(formula), bind.price, bind=bind)
        return self._step(ordered, bound)

    def _ordered(self, variables: frozenset[str], parts: Sequence[Formula], bound: frozenset[str]) -> Formula:
        """exists variables (parts) as nested quantifiers: what shares no variable falls apart, the rest in order."""
        here = [part for part in parts if not free_variables(part) & variables]
        spoken = frozenset().union(*(free_variables(part) for part in parts)) & variables
        whole = [Exists(var, Truth(True)) for var in sorted(variables - spoken)]
        for names, mine in _connected(spoken, [part for part in parts if part not in here]):
            var = min(sorted(names), key=lambda name: self._first_price(name, mine, names, bound))
            whole.append(Exists(var, self._ordered(names - {var}, mine, bound | {var})))
        return conjunction((*here, *whole))

    def _first_price(self, var: str, parts: Sequence[Formula], names: frozenset[str], bound: frozenset[str]) -> float:
        """How many candidates the variable would have if it were bound next."""
        mine = tuple(part for part in parts if var in free_variables(part))
        if (var, mine) not in self._sizes:
            self._sizes[var, mine] = self._size(self._codes(Exists(var, conjunction(mine))))
        size = self._sizes[var, mine]
        if any(ties(part, var) and free_variables(part) - {var} <= bound for part in mine):
            return min(size, NEIGHBOURS)
        return size


def _scanned(rest: AnyStep | None, names: set[str]) -> tuple[tuple[Literal, ...], AnyStep | None]:
    """The literals of a step about two variables that the compiled loop knows, and what the step has besides."""
    parts = rest.parts if isinstance(rest, AllOf) else (rest,) if rest is not None else ()
    known = tuple(part for part in parts if isinstance(part, Literal) and part.names == names and scannable(part))
    others = tuple(part for part in parts if part not in known)
    if len(others) < 2:
        return known, others[0] if others else None
    formula = conjunction(part.formula for part in others)
    price = sum(part.price for part in others)
    return known, AllOf(formula, free_variables(formula), price, parts=others)


def ties(part: Formula, var: str) -> bool:
    """Whether the part is a literal that holds of the variable within reach of another only."""
    atom, negated = (part.body, True) if isinstance(part, Not) else (part, False)
    return isinstance(atom, Apply | Compare) and var in free_variables(part) and is_bounded(atom, negated)


def conjuncts(body: Formula) -> tuple[Formula, ...]:
    """The parts of an `&`, or the formula itself."""
    return body.parts if isinstance(body, And) else (body,)


def flattened(formula: Formula) -> tuple[frozenset[str], list[Formula]]:
    """The variables of a chain of `exists`, and all parts of their bodies; names differ."""
    if not isinstance(formula, Exists):
        return frozenset(), [formula]
    variables, parts = frozenset((formula.var,)), []
    for part in conjuncts(formula.body):
        inner, below = flattened(part)
        variables |= inner
        parts += [piece for other in below for piece in conjuncts(other)]
    return variables, [part for part in parts if not (isinstance(part, Truth) and part.value)]


def interchangeable(one: str, other: str, parts: Sequence[Formula]) -> bool:
    """Whether the parts say the same with the two variables exchanged."""
    from .entailment import ordered

    def kinds(var: str) -> set[str]:
        said = (part for part in parts if isinstance(part, Apply) and len(part.args) == 1)
        return {part.name for part in said if free_variables(part) == {var}}

    if kinds(one) != kinds(other):  # most pairs end here
        return False
    swapped = [rename(part, {one: other, other: one}) for part in parts]
    return {canonical(ordered(part)) for part in parts} == {canonical(ordered(part)) for part in swapped}


def keeps_apart(part: Formula, one: str, other: str) -> bool:
    """Whether the part is violated where both variables are one entity."""
    match part:
        case Compare("!=", Variable(a), Variable(b)):
            return {a, b} == {one, other}
        case Apply(name, args) if name in WORDS and WORDS[name].irreflexive:
            return {one, other} <= {arg.name for arg in args if isinstance(arg, Variable)}
    return False


def _connected(names: frozenset[str], parts: Sequence[Formula]) -> list[tuple[frozenset[str], list[Formula]]]:
    """The parts in groups that share none of the names."""
    groups: list[tuple[frozenset[str], list[Formula]]] = []
    for part in parts:
        own, mine = free_variables(part) & names, [part]
        apart = []
        for group in groups:
            if group[0] & own:
                own, mine = own | group[0], [*group[1], *mine]
            else:
                apart.append(group)
        groups = [*apart, (own, mine)]
    return groups


def _is_other_class(part: Formula, one: str, other: str) -> bool:
    match part:
        case Not(Apply("same_class", (Variable(a), Variable(b)))):
            return {a, b} == {one, other}
    return False


def _is_order(literal: Literal) -> bool:
    atom = literal.atom
    return isinstance(atom, Apply) and atom.name in EXTREMES and len(literal.names) == 2


def _selectivity(literal: Literal) -> int:
    atom = literal.atom
    return BOUNDED.index(atom.name) if isinstance(atom, Apply) else BOUNDED.index("far")


def key_of(formula: Formula) -> str:
    """The canonical text with its one free variable renamed; with any other number of them just the text."""
    names = free_variables(formula)
    return canonical(rename(formula, dict.fromkeys(names, "_x")) if len(names) == 1 else formula)


# --- prices -----------------------------------------------------------------------------------------------------------

_BY_COLUMNS = ("left_of", "right_of", "above", "below", "larger", "smaller", "same_class", "center_distance",
               "parallel", "perpendicular", "between", "north_of", "south_of", "east_of", "west_of")  # fmt: skip
_PRICES = {
    **dict.fromkeys(_BY_COLUMNS, 3.0),
    **dict.fromkeys(("aligned", "clustered"), 60.0),
    "surrounded_by": 100.0,
}


def atom_price(atom: Node, vocabulary: Vocabulary) -> float:
    """A rough price of an atom by binding, from cheap columns to geometry; only the order matters."""
    match atom:
        case Apply(name):
            word = WORDS.get(name)
            if word is None:
                return 50.0 if name in vocabulary.links else 1.0
            return _PRICES.get(name, 20.0 if word.arity > 1 else 2.0)
        case Compare(_, left, right):
            return 1.0 + max(atom_price(left, vocabulary), atom_price(right, vocabulary))
        case Variable() | Count():
            return 0.0
        case _:
            return max((atom_price(child, vocabulary) for child in children(atom)), default=0.0)


# --- walks ------------------------------------------------------------------------------------------------------------


def components(step: AnyStep) -> Iterator[AnyStep]:
    """The closed parts that are decided apart, in the order in which they are tried."""
    match step:
        case AllOf(parts=parts) | OneOf(parts=parts):
            for part in parts:
                yield from components(part)
        case Opposite(part=part):
            yield from components(part)
        case Same(left=left, right=right):
            yield from components(left)
            yield from components(right)
        case Constant():
            return
        case _:
            yield step


def own_binders(step: AnyStep | None) -> Sequence[Bind]:
    """The variables that the step binds outermost, each by itself."""
    match step:
        case Some(bind=bind) | Many(bind=bind):
            return (bind,)
        case CountsCompared(counts=counts):
            return [bind for _, bind in counts]
        case CoversCompared(covers=covers):
            return covers
        case AllOf(parts=parts) | OneOf(parts=parts):
            return [bind for part in parts for bind in own_binders(part)]
        case Opposite(part=part):
            return own_binders(part)
        case Same(left=left, right=right):
            return [*own_binders(left), *own_binders(right)]
    return ()


def binders(step: AnyStep | None) -> Iterator[Bind]:
    """The variables that the step binds, outer ones first."""
    for bind in own_binders(step):
        yield bind
        for below in (*bind.filters, bind.rest):
            yield from binders(below)


def nesting(step: AnyStep | None) -> int:
    """How many variables are bound inside each other."""
    inner = (max(map(nesting, (*bind.filters, bind.rest))) for bind in own_binders(step))
    return max((1 + depth for depth in inner), default=0)

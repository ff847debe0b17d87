"""Hypothesis strategies for formulas: any well-formed tree, or well-dimensioned queries over given classes and words.

`formulas()` draws trees of every kind of node, for laws of reading and printing. `formulas(vocabulary)` draws queries
that section 4 of the language accepts, for laws of meaning: engines, passes, explanations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import strategies as st

from ..grammar.nodes import (
    UNITS,
    And,
    Apply,
    Arithmetic,
    ArithmeticOp,
    Compare,
    CompareOp,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Number,
    Or,
    Term,
    Text,
    Truth,
    Variable,
)
from ..grammar.words import WORDS

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMES = ("ship", "harbor", "near", "area", "small_vehicle", "p", "a1", "m", "px", "deg", "existsx", "true_", "x_1")
VARIABLES = ("x", "y", "z", "x1", "x2", "x3", "m", "km", "px2")
COMPARISONS: tuple[CompareOp, ...] = ("=", "!=", "<", "<=", ">", ">=")
ARITHMETIC: tuple[ArithmeticOp, ...] = ("+", "-", "*", "/")
LENGTHS, AREAS = ("px", "m", "km"), ("px2", "m2", "ha", "km2")
DIMENSION_UNITS = {"length": LENGTHS, "area": AREAS, "angle": ("deg",), "none": ()}


def formulas(
    vocabulary: Vocabulary | None = None,
    *,
    max_depth: int = 4,
    closed: bool = True,
    classes: Sequence[str] | None = None,
    words: Iterable[str] | None = None,
    definitions: bool = False,
    counts: bool = True,
    numbers: bool = True,
) -> st.SearchStrategy[Formula]:
    """Formulas of at most about `max_depth` levels of connectives and quantifiers.

    vocabulary    its classes and attributes; without it and without `classes` any well-formed tree of nodes is drawn,
                  in which applications may nest, dimensions may disagree and names mean nothing
    closed        no free variables; else variables may be free too (`x`, `y`, `z` in well-dimensioned formulas)
    classes       these classes only (one or more names)
    words         these words of section 4 only (relations and functions); default all
    definitions   draw uses of the vocabulary's definitions and links too
    counts        draw `exists>=N` and its like, `count` and `cover`
    numbers       draw comparisons of numbers and texts
    """
    if vocabulary is None and classes is None:
        return _trees(max_depth, closed)
    pool = pool_of(vocabulary, classes, words, definitions)
    return _queries(pool, max_depth, closed, counts, numbers)


# --- any tree ---------------------------------------------------------------------------------------------------------


@st.composite
def _trees(draw: Draw, max_depth: int, closed: bool) -> Formula:
    return _Trees(draw, () if closed else ("x", "b", "x2", "ship")).formula(max_depth, ())


class _Trees:
    """Draws nodes of every kind; variables are those bound around, and `free` ones."""

    def __init__(self, draw: Draw, free: tuple[str, ...]):
        self.draw = draw
        self.free = free

    def one_of(self, choices: Sequence[T]) -> T:
        chosen: T = self.draw(st.sampled_from(choices))
        return chosen

    def formula(self, depth: int, scope: tuple[str, ...]) -> Formula:
        leaves = ("truth", "apply", "compare")
        kind = self.one_of(
            leaves if depth <= 1 else (*leaves, "not", "and", "or", "implies", "iff", "exists", "forall", "counted")
        )
        match kind:
            case "truth":
                return Truth(self.draw(st.booleans()))
            case "apply":
                return self.apply(depth - 1, scope)
            case "compare":
                op = self.one_of(COMPARISONS)
                return Compare(op, self.term(depth - 1, scope), self.term(depth - 1, scope))
            case "not":
                return Not(self.formula(depth - 1, scope))
            case "and" | "or":
                parts = [self.formula(depth - 1, scope) for _ in range(self.one_of((2, 2, 3)))]
                return And(tuple(parts)) if kind == "and" else Or(tuple(parts))
            case "implies":
                return Implies(self.formula(depth - 1, scope), self.formula(depth - 1, scope))
            case "iff":
                return Iff(self.formula(depth - 1, scope), self.formula(depth - 1, scope))
        var = self.one_of(VARIABLES)
        body = self.formula(depth - 1, (*scope, var))
        if kind == "counted":
            return ExistsCount(self.one_of((">=", "<=", "=")), self.draw(st.integers(0, 12)), var, body)
        return Exists(var, body) if kind == "exists" else ForAll(var, body)

    def apply(self, depth: int, scope: tuple[str, ...]) -> Apply:
        args = tuple(self.term(min(depth, 1), scope) for _ in range(self.one_of((1, 1, 2, 3))))
        return Apply(self.one_of(NAMES), args)

    def term(self, depth: int, scope: tuple[str, ...]) -> Term:
        variables = scope + self.free
        leaves = ("number", "text", *(("variable",) * 4 if variables else ()))
        match self.one_of(leaves if depth <= 0 else (*leaves, "apply", "arithmetic", "arithmetic", "measure")):
            case "number":
                return Number(self.draw(_decimals), self.one_of((None, None, *UNITS)))
            case "text":
                return Text(self.draw(_texts))
            case "variable":
                return Variable(self.one_of(variables))
            case "apply":
                return self.apply(depth - 1, scope)
            case "arithmetic":
                op = self.one_of(ARITHMETIC)
                return Arithmetic(op, self.term(depth - 1, scope), self.term(depth - 1, scope))
        var = self.one_of(VARIABLES)
        kind = Count if self.draw(st.booleans()) else Cover
        return kind(var, self.formula(depth - 1, (*scope, var)))


_decimals = st.one_of(
    st.integers(0, 20).map(Decimal),
    st.decimals(min_value=0, max_value=10**12, allow_nan=False, allow_infinity=False, places=3),
)
_texts = st.one_of(st.sampled_from(("destroyed", "no_damage", 'a "b"', "\\", "")), st.text(max_size=5))


# --- well-dimensioned queries -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pool:
    """What queries are drawn from: names by what they take and give."""

    predicates: tuple[tuple[str, int], ...]  # name, number of arguments
    functions: tuple[tuple[str, int, str], ...]  # name, number of arguments, dimension
    texts: tuple[tuple[str, tuple[str, ...], bool], ...]  # attribute, values, whether they are ordered


def pool_of(
    vocabulary: Vocabulary | None,
    classes: Sequence[str] | None = None,
    words: Iterable[str] | None = None,
    definitions: bool = False,
) -> Pool:
    """What a vocabulary's queries are drawn from: see `formulas`."""
    names = tuple(classes) if classes is not None else tuple(vocabulary.classes if vocabulary else ())
    predicates = [(name, 1) for name in names for _ in range(3)]  # a query is mostly about classes
    functions, texts = [], []
    for word in [WORDS[name] for name in (WORDS if words is None else words)]:
        if word.kind == "relation":
            predicates += [(word.name, word.arity + extra) for extra in ((0, 1) if word.variadic else (0,))]
        else:
            functions.append((word.name, word.arity, word.dimension))
    if vocabulary is not None:
        for attribute in vocabulary.attributes.values():
            if attribute.type == "boolean":
                predicates.append((attribute.name, 1))
            elif attribute.type == "number":
                functions.append((attribute.name, 1, "none"))
            elif attribute.ordered:
                texts.append((attribute.name, tuple(attribute.ordered), True))
            else:
                texts.append((attribute.name, ("a", "b"), False))
        if definitions:
            predicates += [(name, len(definition.params)) for name, definition in vocabulary.definitions.items()]
            predicates += [(name, 2) for name in vocabulary.links]
    return Pool(tuple(predicates), tuple(functions), tuple(texts))


@st.composite
def _queries(draw: Draw, pool: Pool, max_depth: int, closed: bool, counts: bool, numbers: bool) -> Formula:
    scope = () if closed else ("x", "y", "z")
    return Queries(draw, pool, counts, numbers).formula(max_depth, scope)


class Queries:
    """Draws formulas that pass the checks of section 4.

    Chance enters by four methods, `one_of`, `yes`, `whole` and `small`: another source of it overrides them.
    """

    def __init__(self, draw: Draw, pool: Pool, counts: bool, numbers: bool):
        self.draw = draw
        self.pool = pool
        self.counts = counts
        self.dimensions = tuple(sorted({dimension for _, _, dimension in pool.functions})) if numbers else ()
        self.texts = pool.texts if numbers else ()

    def one_of(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        chosen: T = self.draw(st.sampled_from(choices))
        return chosen

    def yes(self) -> bool:
        """One of two."""
        return bool(self.draw(st.booleans()))

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.draw(st.integers(low, high)))

    def small(self) -> Decimal:
        """A limit: small, some of them not whole."""
        return Decimal(self.draw(_small_numbers))

    def formula(self, depth: int, scope: tuple[str, ...]) -> Formula:
        """A formula of about this many levels over the variables in scope."""
        binders = ("exists", "exists", "forall", *(("counted", "counts", "cover") if self.counts else ()))
        connectives = ("not", "and", "and", "or", "implies", "iff")
        if depth <= 1:
            return self.atom(scope) if scope else Truth(self.yes())
        if not scope:
            kind = self.one_of((*binders, *binders, *(connectives if depth > 2 else ())))
        else:
            kind = self.one_of(("atom",) * 5 + binders + connectives)
        match kind:
            case "atom":
                return self.atom(scope)
            case "not":
                return Not(self.formula(depth - 1, scope))
            case "and" | "or":
                parts = tuple(self.formula(depth - 1, scope) for _ in range(self.one_of((2, 2, 3))))
                return And(parts) if kind == "and" else Or(parts)
            case "implies":
                return Implies(self.formula(depth - 1, scope), self.formula(depth - 1, scope))
            case "iff":
                return Iff(self.formula(depth - 1, scope), self.formula(depth - 1, scope))
            case "counts":
                return self.counts_compared(depth, scope)
            case "cover":
                return self.covers_compared(depth, scope)
        var = self.one_of(("x", "y", "z", "w"))
        body = self.formula(depth - 1, tuple(dict.fromkeys((*scope, var))))
        if kind == "counted":
            return ExistsCount(self.one_of((">=", "<=", "=")), self.whole(0, 4), var, body)
        return Exists(var, body) if kind == "exists" else ForAll(var, body)

    def atom(self, scope: tuple[str, ...]) -> Formula:
        """An application or a comparison without counts."""
        kinds = [*("predicate",) * 6, "equal", "truth"]
        kinds += ["number", "number"] if self.dimensions else []
        kinds += ["text"] if self.texts else []
        match self.one_of(kinds):
            case "number":
                return self.measures_compared(scope)
            case "text":
                name, values, ordered = self.one_of(self.texts)
                op = self.one_of(COMPARISONS if ordered else COMPARISONS[:2])
                return Compare(op, Apply(name, (self.variable(scope),)), Text(self.one_of(values)))
            case "equal":
                return Compare(self.one_of(COMPARISONS[:2]), self.variable(scope), self.variable(scope))
            case "predicate" if self.pool.predicates:
                return self.applied(*self.one_of(self.pool.predicates), scope)
        return Truth(self.yes())

    def variable(self, scope: tuple[str, ...]) -> Variable:
        """One of the variables in scope."""
        return Variable(self.one_of(scope))

    def applied(self, name: str, arity: int, scope: tuple[str, ...]) -> Apply:
        """A word, class or definition of some of them."""
        return Apply(name, tuple(self.variable(scope) for _ in range(arity)))

    def measures_compared(self, scope: tuple[str, ...]) -> Formula:
        """Lengths, areas, angles or bare numbers of entities, compared with each other or with a limit."""
        dimension = self.one_of(self.dimensions)
        left = self.quantity(dimension, scope, 2)
        right: Term
        match self.one_of(("limit", "limit", "quantity", "percent")):
            case "percent" if dimension in ("length", "area"):
                right = Number(self.small(), "%")
            case "quantity":
                right = self.quantity(dimension, scope, 1)
            case _:
                right = self.limit(dimension)
        if self.yes():
            left, right = right, left
        return Compare(self.one_of(COMPARISONS), left, right)

    def limit(self, dimension: str) -> Number:
        """A number with a unit of the dimension."""
        return Number(self.small(), self.one_of((None, *DIMENSION_UNITS[dimension])))

    def quantity(self, dimension: str, scope: tuple[str, ...], depth: int) -> Term:
        """A term of this dimension with at least one function in it."""
        made = [(name, arity) for name, arity, given in self.pool.functions if given == dimension]
        match self.one_of(("function", "function", "times", "over", "sum", "square") if depth > 0 else ("function",)):
            case "times":
                return Arithmetic("*", Number(self.small()), self.quantity(dimension, scope, depth - 1))
            case "over":
                divisor = Number(Decimal(self.whole(1, 4)))  # never 0
                return Arithmetic("/", self.quantity(dimension, scope, depth - 1), divisor)
            case "sum":
                left = self.quantity(dimension, scope, depth - 1)
                right = (
                    self.limit(dimension) if self.yes() else self.quantity(dimension, scope, depth - 1)
                )
                return Arithmetic(self.one_of(ARITHMETIC[:2]), left, right)
            case "square" if dimension == "area" and "length" in self.dimensions:
                left, right = self.quantity("length", scope, 0), self.quantity("length", scope, 0)
                return Arithmetic("*", left, right)
        return self.applied(*self.one_of(made), scope)

    def counts_compared(self, depth: int, scope: tuple[str, ...]) -> Formula:
        """Sums of counts with whole or decimal factors, compared with each other or with a number."""
        right: Term = self.counted(depth, scope) if self.yes() else Number(Decimal(self.whole(0, 4)))
        return Compare(self.one_of(COMPARISONS), self.counted(depth, scope), right)

    def counted(self, depth: int, scope: tuple[str, ...]) -> Term:
        """A count, times or plus a number."""
        var = self.one_of(("x", "y", "z", "w"))
        count = Count(var, self.formula(depth - 1, tuple(dict.fromkeys((*scope, var)))))
        match self.one_of(("plain", "plain", "plain", "times", "plus")):
            case "times":
                return Arithmetic("*", Number(self.small()), count)
            case "plus":
                return Arithmetic(self.one_of(ARITHMETIC[:2]), count, Number(Decimal(self.whole(0, 3))))
        return count

    def covers_compared(self, depth: int, scope: tuple[str, ...]) -> Formula:
        """The area of a union, compared with another, with an area or with a share of the image."""
        left: Term = self.covered(depth, scope)
        right: Term = self.covered(depth, scope)
        match self.one_of(("cover", "area", "percent")):
            case "area":
                right = Number(self.small(), self.one_of(AREAS))
            case "percent":
                right = Number(Decimal(self.whole(0, 100)), "%")
        return Compare(self.one_of(COMPARISONS), left, right)

    def covered(self, depth: int, scope: tuple[str, ...]) -> Cover:
        """A cover."""
        var = self.one_of(("x", "y", "z", "w"))
        return Cover(var, self.formula(depth - 1, tuple(dict.fromkeys((*scope, var)))))


_small_numbers = st.one_of(
    st.integers(0, 10).map(Decimal), st.sampled_from((Decimal("0.5"), Decimal("1.5"), Decimal(50)))
)

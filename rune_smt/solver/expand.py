"""A form expanded over the entities of a scene: one walk, whatever is computed in it.

The walk turns every subformula into an array with one axis for each variable around it, and asks an algebra for the
values: booleans (`evaluate`), ground terms over the clauses (`ground`), or limits (`nearest`). It computes how *good*
each subformula is for the query: that it holds, or, in the body of an upper count, that it fails. Seen so everything is
monotone: `&` and forall need all, `|` and exists need one, and every count or comparison of counts is "at least so
many", because exists<=N over d entities says that at least d - N fail.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import LimitError
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
    Node,
    Not,
    Or,
    Term,
    Truth,
    free_variables,
)
from ..verdict import SATISFIED, UNDECIDED, VIOLATED
from .clauses import ClauseForm, Occurrence, is_literal, literals
from .decompose import domain
from .numbers import compare_intervals, compare_to_zero, counts_in, covers_in, difference, interval
from .tables import Mask, Places, Scope, Tables
from .world import World

Level: TypeAlias = Literal["sure", "open"]  # LANGUAGE, section 10: atoms must be true, or must not be false
Array: TypeAlias = NDArray[Any]
Binder: TypeAlias = Exists | ForAll | ExistsCount | Count | Cover
Domain: TypeAlias = Callable[[Binder], Places]

MAX_CELLS = 12_000_000  # ground instances of one query in one scene; beyond this memory passes half a gigabyte
FAILING: dict[str, str] = {">=": "<", "<=": ">", ">": "<=", "<": ">="}


class Expander(ABC):
    """The walk. Subclasses say what a value is; an array of values has the scope's axes, some of length 1."""

    def __init__(self, form: ClauseForm, world: World, level: Level, domain: Domain | None = None):
        self.form = form
        self.world = world
        self.level = level
        self.tables = Tables.of(world)
        everything = self.tables.places(world)
        self.domain: Domain = domain if domain is not None else lambda binder: everything
        self._sizes: dict[int, tuple[Node, int]] = {}
        self._costs: dict[int, tuple[Node, tuple[int, int]]] = {}

    def root(self) -> Any:
        """The value of the whole form."""
        return self.good(self.form.formula, 0, True, (), None).item()

    # --- what a subclass says -----------------------------------------------------------------------------------------

    @abstractmethod
    def known(self, value: bool) -> Array:
        """A constant, an array without axes."""

    @abstractmethod
    def literal(self, good: Mask, occurrence: Occurrence) -> Array:
        """A literal, where it is good for the query and where it is not."""

    @abstractmethod
    def join(self, one: Array, other: Array, every: bool) -> Array:
        """Both (every) or at least one of the two, elementwise with broadcasting."""

    @abstractmethod
    def gather(self, values: Array, every: bool) -> Array:
        """All, or at least one, along the last axis, which is not empty."""

    @abstractmethod
    def at_least(self, parts: Sequence[tuple[int, Array, int]], threshold: int) -> Array:
        """Weight times number of good entities, summed up, reaches the threshold; a part is (weight, values, entities).

        The values' last axis has one place for each entity, or length 1 when it is the same for all.
        """

    @abstractmethod
    def measured(self, parts: Sequence[tuple[Array, int]], holds: Callable[[Sequence[Mask]], bool]) -> Array:
        """A comparison of covers, each given as (values, entities).

        `holds`, monotone, says whether it does when just these entities are good.
        """

    def undecided(self, need: Mask | None, one: Array, every: bool, literals_only: bool) -> Mask | None:
        """Where the other parts of an `&` or `|` still matter, given the value of some; None for everywhere.

        literals_only   the parts so far are literals
        """
        return need

    # --- the walk -----------------------------------------------------------------------------------------------------

    def good(self, node: Formula, start: int, wanted: bool, scope: Scope, need: Mask | None) -> Array:
        """How good `node` is: that it holds if `wanted`, that it fails if not. `start` numbers its first literal."""
        if is_literal(node):
            return self._literal(node, start, wanted, scope, need)
        match node:
            case Truth(value):
                return self._spread(self.known(value == wanted), scope)
            case And(parts) | Or(parts):
                return self._junction(parts, start, isinstance(node, And) == wanted, wanted, scope, need)
            case Exists(var, body) | ForAll(var, body):
                every = isinstance(node, ForAll) == wanted
                places = self.domain(node)
                if not len(places):
                    return self._spread(self.known(every), scope)
                inner = self.good(body, start, wanted, (*scope, (var, places)), _one_more(need))
                return self.gather(inner, every)
            case ExistsCount(op, n, var, body):
                places = self.domain(node)
                # wanted: at least n hold, or all but n fail; not wanted: all but n - 1 fail, or more than n hold
                hold = (op == ">=") == wanted
                least = n if wanted else n + 1 if hold else n - 1
                values = self._body(body, start, hold, var, places, scope, need)
                return self.at_least([(1, values, len(places))], least if hold else len(places) - least)
            case Compare():
                return self._comparison(node, start, wanted, scope, need)
            case _:
                raise TypeError(f"not in clause form: {type(node).__name__}")

    def _literal(self, node: Formula, at: int, wanted: bool, scope: Scope, need: Mask | None) -> Array:
        holds = wanted
        if isinstance(node, Not):
            holds, node = not wanted, node.body
        assert isinstance(node, Apply | Compare)
        if isinstance(node, Compare) and counts_in(node):
            codes = self._equality(node, scope)
        else:
            codes = self.tables.atom(node, scope, need, self.world)
        if holds:
            good = codes >= (SATISFIED if self.level == "sure" else UNDECIDED)
        else:
            good = codes <= (VIOLATED if self.level == "sure" else UNDECIDED)
        return self.literal(good, self.form.occurrences[at])

    def _junction(
        self, parts: Sequence[Formula], start: int, every: bool, wanted: bool, scope: Scope, need: Mask | None
    ) -> Array:
        """Cheap parts first: where these settle it, geometry need not be asked."""
        starts = []
        for part in parts:
            starts.append(start)
            start += self._size(part)
        result: Array | None = None
        literals_only = True
        for i in sorted(range(len(parts)), key=lambda i: self._cost(parts[i])):
            if result is None:
                result, literals_only = self.good(parts[i], starts[i], wanted, scope, need), is_literal(parts[i])
                continue
            here = self.undecided(need, result, every, literals_only)
            if here is not None and not here.any():
                break
            result = self.join(result, self.good(parts[i], starts[i], wanted, scope, here), every)
            literals_only = literals_only and is_literal(parts[i])
        assert result is not None
        return result

    def _body(
        self, body: Formula, start: int, wanted: bool, var: str, places: Places, scope: Scope, need: Mask | None
    ) -> Array:
        if not len(places):
            return np.zeros((*(1 for _ in scope), 0), dtype=self.known(True).dtype)
        return self.good(body, start, wanted, (*scope, (var, places)), _one_more(need))

    # --- comparisons of counts and covers -----------------------------------------------------------------------------

    def _comparison(self, node: Compare, start: int, wanted: bool, scope: Scope, need: Mask | None) -> Array:
        op = node.op if wanted else FAILING[node.op]
        larger = 1 if op in (">", ">=") else -1
        if covers_in(node):
            return self._covers(node, op, start, scope, need)
        constant, counts = difference(node).in_integers()
        threshold = -larger * constant + (1 if op in (">", "<") else 0)
        parts = []
        for factor, count in counts:
            weight = factor * larger
            places = self.domain(count)
            if weight:
                values = self._body(count.body, start, weight > 0, count.var, places, scope, need)
                parts.append((abs(weight), values, len(places)))
            if weight < 0:
                threshold += -weight * len(places)
            start += self._size(count.body)
        if not parts:  # every factor is 0
            return self._spread(self.known(threshold <= 0), scope)
        return self.at_least(parts, threshold)

    def _covers(self, node: Compare, op: str, start: int, scope: Scope, need: Mask | None) -> Array:
        larger = 1 if op in (">", ">=") else -1
        sides: list[tuple[Cover, bool, Places]] = []  # each cover, whether it wants to be large, its entities
        values: list[Array] = []
        for cover, sign in signed_covers(node):
            places = self.domain(cover)
            values.append(self._body(cover.body, start, sign * larger > 0, cover.var, places, scope, need))
            sides.append((cover, sign * larger > 0, places))
            start += self._size(cover.body)

        def holds(good: Sequence[Mask]) -> bool:
            """Larger covers as large as the good entities make them, smaller ones as large as those not good."""
            areas = iter(
                self.tables.cover(places[mask if wants else ~mask])
                for mask, (_, wants, places) in zip(good, sides, strict=True)
            )

            def leaf(term: Term) -> tuple[float, float] | None:
                area = next(areas) if isinstance(term, Cover) else self.world.area_limit(term)
                return None if area is None else (area, area)

            left, right = interval(node.left, leaf), interval(node.right, leaf)
            if left is None or right is None:
                return self.level == "open"
            return compare_intervals(op, left, right) == SATISFIED  # type: ignore[arg-type]

        entities = [len(places) for _, _, places in sides]
        return self.measured(list(zip(values, entities, strict=True)), holds)

    def _equality(self, node: Compare, scope: Scope) -> NDArray[np.int8]:
        """Verdict codes of an equality of counts that can skip a value, nothing inside of it relaxed."""
        from .evaluate import count_ranges

        constant, counts = difference(node).in_integers()
        ranges = [count_ranges(count, self.world, scope, self.domain) for _, count in counts]
        arrays = np.broadcast_arrays(*(bound for pair in ranges for bound in pair))
        codes = np.empty(arrays[0].shape, dtype=np.int8)
        for cell in np.ndindex(codes.shape):
            bounds = [
                (factor, int(arrays[2 * i][cell]), int(arrays[2 * i + 1][cell])) for i, (factor, _) in enumerate(counts)
            ]
            codes[cell] = compare_to_zero(node.op, constant, bounds)
        return codes

    # --- small helps --------------------------------------------------------------------------------------------------

    @staticmethod
    def _spread(value: Array, scope: Scope) -> Array:
        return value.reshape((1,) * len(scope))

    def _size(self, node: Node) -> int:
        """How many literals a part of the form has."""
        known = self._sizes.get(id(node))
        if known is None:
            known = self._sizes[id(node)] = (node, sum(1 for _ in literals(node)))
        return known[1]

    def _cost(self, node: Formula) -> tuple[int, int]:
        """Constants before classes before relations before anything that binds; fewer variables first."""
        known = self._costs.get(id(node))
        if known is None:
            atom = node.body if isinstance(node, Not) else node
            if isinstance(atom, Truth):
                kind = 0
            elif isinstance(atom, Apply):
                kind = 1 if atom.name in self.tables.vocabulary.classes else 2
            else:
                kind = 2 if is_literal(node) else 3
            known = self._costs[id(node)] = (node, (kind, len(free_variables(node))))
        return known[1]


def signed_covers(comparison: Compare) -> list[tuple[Cover, int]]:
    """The covers from left to right, each with the sign of its factor in left - right."""
    from .clauses import constant, has_bodies

    def below(term: Term, sign: int) -> list[tuple[Cover, int]]:
        match term:
            case Cover():
                return [(term, sign)]
            case Arithmetic("-", left, right):
                return below(left, sign) + below(right, -sign)
            case Arithmetic("*", left, right):
                factor = constant(right if has_bodies(left) else left)
                turned = sign if factor >= 0 else -sign
                return below(left, turned) + below(right, turned)
            case Arithmetic(_, left, right):
                return below(left, sign) + below(right, sign)
            case _:
                return []

    return below(comparison.left, 1) + below(comparison.right, -1)


def measure(form: ClauseForm, world: World, domain: Domain | None = None) -> int:
    """How many ground instances the literals and quantified bodies of a form have, nothing being built."""
    everything = len(world.entities)

    def below(node: Node, sizes: dict[str, int]) -> int:
        match node:
            case Exists() | ForAll() | ExistsCount() | Count() | Cover():
                var, body = node.var, node.body
                inner = {**sizes, var: everything if domain is None else len(domain(node))}
                here = prod(inner[name] for name in free_variables(body) | {var})
                return here + below(body, inner)
            case And(parts) | Or(parts):
                return sum(below(part, sizes) for part in parts)
            case Compare(_, left, right) if not is_literal(node):
                return below(left, sizes) + below(right, sizes)
            case Arithmetic(_, left, right):
                return below(left, sizes) + below(right, sizes)
            case Apply() | Not() | Compare():
                return prod(sizes[name] for name in free_variables(node))
            case _:
                return 0

    return below(form.formula, {})


def refuse_if_large(form: ClauseForm, world: World, domain: Domain | None = None, limit: int = MAX_CELLS) -> int:
    """The measure of a form. raises LimitError with the number, before anything is built, where it is above `limit`."""
    cells = measure(form, world, domain)
    if cells > limit:
        raise LimitError(
            f"Written out over the {len(world.entities)} entities of image '{world.scene.image_id}' the query has "
            f"{cells:,} ground instances, more than {limit:,}.",
            hint="A query in which each relation joins two variables, or a higher min_score, is smaller.",
        )
    return cells


def guarded(world: World, classes: Sequence[str]) -> Domain:
    """For each binder the entities of the classes that its guards admit (LANGUAGE, section 12)."""
    tables = Tables.of(world)
    everything = tables.places(world)
    labels = tables.scene.table.label[tables.rows[everything]]
    known: dict[int, tuple[Node, Places]] = {}

    def places(binder: Binder) -> Places:
        if id(binder) not in known:
            names = domain(binder, classes, world.vocabulary)
            codes = [code for code, name in enumerate(tables.scene.table.classes) if name in names]
            known[id(binder)] = (binder, everything[np.isin(labels, codes)])
        return known[id(binder)][1]

    return places


def _one_more(need: Mask | None) -> Mask | None:
    return None if need is None else need[..., None]

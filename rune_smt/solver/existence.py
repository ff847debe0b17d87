"""A query over one image as a formula over which of its entities exist.

Everything else is known: classes, attributes and geometry do not depend on what exists, `score(x)` and reference areas
are those of the archive (LANGUAGE, section 7). Existence matters wherever something ranges over entities: `exists` and
`forall`, counts, covers, and the chains of links. Each subformula becomes two terms for every binding of the variables
around it: that it is satisfied, and that it is not violated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

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
    Term,
    Truth,
    Variable,
)
from ..verdict import SATISFIED, UNDECIDED, Verdict
from .array_engine import cost
from .atoms import Facts
from .decompose import domain
from .numbers import aggregates, compare_intervals, counts_in, covers_in, difference, interval
from .propositions import FALSE, TRUE, Holds, HoldsInRanges, Propositions, Rule, TooLarge, Weight
from .tables import Mask, Places, Scope, Tables
from .world import World, variables_of

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..grammar.vocabulary import Vocabulary

Numbers: TypeAlias = NDArray[np.int32]  # of terms

MAX_BINDINGS = 4_000_000  # of one subformula, and tuples of one atom's table
MAX_LINKED = 60  # entities that chains of a link may join: each pair of them asks about all
SLACK = 1e-9  # relative: unions of more outlines are no smaller, up to rounding


@dataclass(frozen=True, slots=True)
class Pair:
    """That a subformula is satisfied, and that it is not violated: one array where nothing is undecided."""

    sure: Numbers
    open: Numbers

    @property
    def same(self) -> bool:
        """Whether nothing in it is undecided."""
        return self.sure is self.open


class Existence:
    """The walk over one scene. Entity number i of the scene (by id) is proposition i; score 0 never exists."""

    def __init__(
        self, scene: Scene, vocabulary: Vocabulary, facts: Facts | None = None, *, max_work: int | None = None
    ):
        self.scene = scene
        self.vocabulary = vocabulary
        self.tables = Tables(scene, vocabulary, facts)
        scores = scene.table.score[self.tables.rows]
        chances = [float(score) for score in scores]
        self.terms = Propositions(chances) if max_work is None else Propositions(chances, max_work)
        self.possible: Places = np.flatnonzero(scores > 0)
        self.exist = np.array([self.terms.literal(i) for i in range(len(scores))], dtype=np.int32)
        self._world = World(scene, vocabulary, exists=scene.table.score > 0, facts=self.tables.facts)
        self._labels = scene.table.label[self.tables.rows]
        self._places: dict[int, tuple[Node, Places]] = {}
        self._linked: dict[str, Pair] = {}
        self._chains: dict[tuple[str, bool], Chains] = {}

    def query(self, formula: Formula) -> tuple[int, int]:
        """That a closed formula is satisfied, and that it is not violated. raises TooLarge before much is built."""
        found = self.ground(formula, (), None)
        return int(found.sure), int(found.open)

    # --- the walk -----------------------------------------------------------------------------------------------------

    def ground(self, node: Formula, scope: Scope, need: Mask | None) -> Pair:
        """The terms of a subformula, with an axis for each variable of the scope (length 1: it does not matter).

        need  where the value matters
        """
        match node:
            case Truth(value):
                return self._constant(value, scope)
            case Apply(name) if name in self.vocabulary.links:
                return self._link(node, scope, need)
            case Apply():
                return self._atom(node, scope, need)
            case Compare():
                if counts_in(node):
                    return self._counts(node, scope, need)
                return self._covers(node, scope, need) if covers_in(node) else self._atom(node, scope, need)
            case Not(body):
                return self._negated(self.ground(body, scope, need))
            case And(parts):
                return self._junction(parts, True, scope, need)
            case Or(parts):
                return self._junction(parts, False, scope, need)
            case Implies(left, right):
                return self._junction((Not(left), right), False, scope, need)
            case Iff(left, right):
                a, b = self.ground(left, scope, need), self.ground(right, scope, need)
                there, back = self._both(self._negated(a), b, False), self._both(self._negated(b), a, False)
                return self._both(there, back, True)
            case Exists(var, body):
                return self._quantified(node, var, body, False, scope, need)
            case ForAll(var, body):
                return self._quantified(node, var, body, True, scope, need)
            case ExistsCount(op, n, var, body):
                counted = self._members(node, var, body, scope, need)
                return self._compared(op, -n, [(1, counted)], scope)
            case _:
                assert_never(node)

    def _constant(self, value: bool, scope: Scope) -> Pair:
        terms = np.full((1,) * len(scope), TRUE if value else FALSE, dtype=np.int32)
        return Pair(terms, terms)

    def _atom(self, atom: Apply | Compare, scope: Scope, need: Mask | None) -> Pair:
        if len(self.tables.rows) ** len(variables_of(atom)) > 4 * MAX_BINDINGS:
            raise TooLarge
        codes = self.tables.atom(atom, scope, need, self._world)
        sure = (codes == SATISFIED).astype(np.int32)
        return Pair(sure, sure) if not (codes == UNDECIDED).any() else Pair(sure, (codes >= UNDECIDED).astype(np.int32))

    def _negated(self, pair: Pair) -> Pair:
        if pair.same:
            sure = self._each(pair.sure, self.terms.negation)
            return Pair(sure, sure)
        return Pair(self._each(pair.open, self.terms.negation), self._each(pair.sure, self.terms.negation))

    def _both(self, one: Pair, other: Pair, every: bool) -> Pair:
        sure = self._join(one.sure, other.sure, every)
        return Pair(sure, sure if one.same and other.same else self._join(one.open, other.open, every))

    def _junction(self, parts: Sequence[Formula], every: bool, scope: Scope, need: Mask | None) -> Pair:
        """Cheap parts first, each only where those before leave it open."""
        result: Pair | None = None
        for part in sorted(parts, key=cost):
            if result is not None:
                left = result.open != FALSE if every else result.sure != TRUE
                need = left if need is None else need & left
                if not need.any():
                    break
            found = self.ground(part, scope, need)
            result = found if result is None else self._both(result, found, every)
        assert result is not None
        return result

    # --- quantifiers and counts ---------------------------------------------------------------------------------------

    def _range(self, binder: Exists | ForAll | ExistsCount | Count | Cover) -> Places:
        """The entities of the classes that the guards admit, those of score 0 left out."""
        if id(binder) not in self._places:
            classes = self.scene.table.classes
            names = domain(binder, classes, self.vocabulary)
            codes = [code for code, name in enumerate(classes) if name in names]
            self._places[id(binder)] = (binder, self.possible[np.isin(self._labels[self.possible], codes)])
        return self._places[id(binder)][1]

    def _body(self, var: str, body: Formula, places: Places, scope: Scope, need: Mask | None) -> Pair:
        inner = (*scope, (var, places))  # bound again, a name means its last axis
        if prod(len(each) for _, each in inner) > MAX_BINDINGS:
            raise TooLarge
        return self.ground(body, inner, None if need is None else need[..., None])

    def _quantified(
        self, node: Exists | ForAll, var: str, body: Formula, every: bool, scope: Scope, need: Mask | None
    ) -> Pair:
        places = self._range(node)
        if not len(places):
            return self._constant(every, scope)
        values = self._body(var, body, places, scope, need)
        guards = self.exist[places]
        if every:
            guards = self._each(guards, self.terms.negation)
        gather = self.terms.every if every else self.terms.some
        sure = self._gathered(self._join(values.sure, guards, not every), gather, TRUE if every else FALSE)
        if values.same:
            return Pair(sure, sure)
        return Pair(sure, self._gathered(self._join(values.open, guards, not every), gather, TRUE if every else FALSE))

    def _members(
        self, binder: ExistsCount | Count | Cover, var: str, body: Formula, scope: Scope, need: Mask | None
    ) -> Pair:
        """For each entity that a count or cover ranges over (the last axis): that it exists and satisfies the body."""
        places = self._range(binder)
        if not len(places):
            nothing = np.zeros((*(1 for _ in scope), 0), dtype=np.int32)
            return Pair(nothing, nothing)
        values = self._body(var, body, places, scope, need)
        sure = self._join(values.sure, self.exist[places], True)
        return Pair(sure, sure if values.same else self._join(values.open, self.exist[places], True))

    def _counts(self, comparison: Compare, scope: Scope, need: Mask | None) -> Pair:
        constant, counts = difference(comparison).in_integers()
        members = [
            (factor, self._members(count, count.var, count.body, scope, need)) for factor, count in counts if factor
        ]
        return self._compared(comparison.op, constant, members, scope)

    def _compared(self, op: Any, constant: int, counts: Sequence[tuple[int, Pair]], scope: Scope) -> Pair:
        """constant + sum of factor * count OP 0, for each binding."""
        shape = np.broadcast_shapes((1,) * len(scope), *(pair.sure.shape[:-1] for _, pair in counts))
        rows = [(factor, *self._rows(pair, shape)) for factor, pair in counts]
        same = all(pair.same for _, pair in counts)
        known: dict[bytes, tuple[int, int]] = {}
        sure, possible = np.empty(prod(shape), dtype=np.int32), np.empty(prod(shape), dtype=np.int32)
        for cell in range(prod(shape)):
            here = [(factor, low[cell], high[cell]) for factor, low, high in rows]
            key = b"".join(low.tobytes() + b"|" + high.tobytes() + b"|" for _, low, high in here)
            if key not in known:
                known[key] = self._sums(op, constant, [(f, low.tolist(), high.tolist()) for f, low, high in here], same)
            sure[cell], possible[cell] = known[key]
        terms = sure.reshape(shape)
        return Pair(terms, terms if same else possible.reshape(shape))

    @staticmethod
    def _rows(pair: Pair, shape: tuple[int, ...]) -> tuple[Numbers, Numbers]:
        size = pair.sure.shape[-1]
        low = np.broadcast_to(pair.sure, (*shape, size)).reshape(prod(shape), size)
        high = low if pair.same else np.broadcast_to(pair.open, (*shape, size)).reshape(prod(shape), size)
        return low, high

    def _sums(
        self, op: Any, constant: int, counts: Sequence[tuple[int, list[int], list[int]]], same: bool
    ) -> tuple[int, int]:
        """That it is satisfied, and that it is not violated, each count between its sure and its open members."""

        def least_or_most(most: bool) -> list[tuple[int, Weight]]:
            chosen = [(f, high if (f > 0) == most else low) for f, low, high in counts]
            return [(part, factor) for factor, parts in chosen for part in parts]

        def total(most: bool, test: Holds) -> int:
            return self.terms.total(least_or_most(most), constant, test)

        if same:
            sure = total(True, Holds(op))
            return sure, sure
        if op in (">", ">="):
            return total(False, Holds(op)), total(True, Holds(op))
        if op in ("<", "<="):
            return total(True, Holds(op)), total(False, Holds(op))
        if all(abs(factor) == 1 for factor, _, _ in counts):  # as in exists=N: the sum skips nothing
            exact = self.terms.every((total(False, Holds(">=")), total(True, Holds("<="))))
            apart = self.terms.some((total(False, Holds(">")), total(True, Holds("<"))))
            found = (exact, self.terms.negation(apart))
            return found if op == "=" else (self.terms.negation(found[1]), self.terms.negation(found[0]))
        parts: list[tuple[int, Weight]] = []
        for i, (_, low_terms, high_terms) in enumerate(counts):
            for j, terms in enumerate((low_terms, high_terms)):
                weight = tuple(int(place == 2 * i + j) for place in range(2 * len(counts)))
                parts += [(term, weight) for term in terms]
        zero = (0,) * (2 * len(counts))
        factors = tuple(factor for factor, _, _ in counts)
        levels = (SATISFIED, UNDECIDED)
        a, b = (self.terms.total(parts, zero, HoldsInRanges(op, constant, factors, level)) for level in levels)
        return a, b

    # --- covers -------------------------------------------------------------------------------------------------------

    def _covers(self, comparison: Compare, scope: Scope, need: Mask | None) -> Pair:
        """Depends on which outlines are there: a rule over the members of its covers."""
        covers = [cover for cover in aggregates(comparison) if isinstance(cover, Cover)]
        members = [self._members(cover, cover.var, cover.body, scope, need) for cover in covers]
        shape = np.broadcast_shapes((1,) * len(scope), *(pair.sure.shape[:-1] for pair in members))
        rules = [
            self.terms.rule(self._cover_rule(comparison, covers, level)) for level in (SATISFIED, UNDECIDED)
        ]
        rows = [self._rows(pair, shape) for pair in members]
        cells = [
            [int(term) for low, high in rows for each in (low, high) for term in each[cell]]
            for cell in range(prod(shape))
        ]
        sure, possible = ([self.terms.ruled(parts, rule) for parts in cells] for rule in rules)
        return Pair(np.array(sure, dtype=np.int32).reshape(shape), np.array(possible, dtype=np.int32).reshape(shape))

    def _cover_rule(self, comparison: Compare, covers: Sequence[Cover], level: Verdict) -> Rule:
        """Whether the comparison has at least this verdict; parts are the sure and the open members of each cover."""
        ranges = [self._range(cover) for cover in covers]

        def area(places: Places, chosen: Iterable[bool]) -> float:
            return self.tables.cover(places[np.fromiter(chosen, dtype=bool, count=len(places))])

        def rule(known: Sequence[bool | None]) -> bool | None:
            exact = all(value is not None for value in known)
            bounds, at = {}, 0
            for cover, places in zip(covers, ranges, strict=True):
                sure, possible = known[at : at + len(places)], known[at + len(places) : at + 2 * len(places)]
                at += 2 * len(places)
                low, high = area(places, (v is True for v in sure)), area(places, (v is not False for v in possible))
                bounds[id(cover)] = (low, high) if exact else (low * (1 - SLACK), high * (1 + SLACK))

            def leaf(term: Term) -> tuple[float, float] | None:
                if isinstance(term, Cover):
                    return bounds[id(term)]
                value = self._world.area_limit(term)
                return None if value is None else (value, value)

            left, right = interval(comparison.left, leaf), interval(comparison.right, leaf)
            if left is None or right is None:
                return level <= UNDECIDED
            found = compare_intervals(comparison.op, left, right)
            return found >= level if exact or found != UNDECIDED else None

        return rule

    # --- links --------------------------------------------------------------------------------------------------------

    def _link(self, atom: Apply, scope: Scope, need: Mask | None) -> Pair:
        """A chain of entities that exist, each pair of neighbours linked: a rule over the pairs that may be."""
        at = {name: axis for axis, (name, _) in enumerate(scope)}
        first, second = (at[arg.name] for arg in atom.args if isinstance(arg, Variable))
        shape = [1] * len(scope)
        for axis in (first, second):
            shape[axis] = len(scope[axis][1])
        wanted = np.ones(shape, dtype=bool)
        if need is not None:
            others = tuple(axis for axis in range(len(scope)) if axis not in (first, second))
            whole = np.broadcast_to(need, tuple(len(places) for _, places in scope))
            wanted = np.asarray(whole.any(axis=others, keepdims=True))
        result = []
        for sure in (True, False):
            terms = np.zeros(shape, dtype=np.int32)
            for cell in map(tuple, np.argwhere(wanted)):
                x, y = int(scope[first][1][cell[first]]), int(scope[second][1][cell[second]])
                terms[cell] = self._connected(atom.name, x, y, sure)
            result.append(terms)
        return Pair(*result)

    def _pairs(self, name: str) -> Pair:
        """For every two entities that they exist and are linked, in either order."""
        if name not in self._linked:
            link = self.vocabulary.links[name]
            (a, b), places, n = link.params, self.possible, len(self.possible)
            found = self.ground(link.body, ((a, places), (b, places)), None)
            both = self._join(self.exist[places][:, None], self.exist[places][None, :], True)
            apart = ~np.eye(n, dtype=bool)

            def linked(terms: Numbers) -> Numbers:
                full = np.broadcast_to(terms, (n, n))
                either = self._join(full, full.T, False)
                return np.where(apart, self._join(either, both, True), np.int32(FALSE))

            sure = linked(found.sure)
            self._linked[name] = Pair(sure, sure if found.same else linked(found.open))
        return self._linked[name]

    def _connected(self, name: str, x: int, y: int, sure: bool) -> int:
        """That a chain of linked pairs leads from x to y."""
        if (name, sure) not in self._chains:
            pairs = self._pairs(name)
            self._chains[name, sure] = Chains(self.terms, pairs.sure if sure else pairs.open)
        i, j = sorted(int(place) for place in np.searchsorted(self.possible, (x, y)))
        return self._chains[name, sure].between(i, j)

    # --- arrays of terms ----------------------------------------------------------------------------------------------

    @staticmethod
    def _each(terms: Numbers, change: Callable[[int], int]) -> Numbers:
        distinct, back = np.unique(terms, return_inverse=True)
        changed = np.array([change(int(term)) for term in distinct], dtype=np.int32)
        return changed[back.reshape(terms.shape)] if len(distinct) else terms

    def _join(self, one: Numbers, other: Numbers, every: bool) -> Numbers:
        """And, or, elementwise: constants by columns, what is left once for each different pair."""
        settling, neutral = (FALSE, TRUE) if every else (TRUE, FALSE)
        one, other = np.broadcast_arrays(one, other)
        result: Numbers = np.where(one == neutral, other, one)
        result[other == settling] = settling
        open_here = (one > TRUE) & (other > TRUE)
        if open_here.any():
            join = self.terms.every if every else self.terms.some
            codes = one[open_here].astype(np.int64) * len(self.terms.terms) + other[open_here]
            distinct, back = np.unique(codes, return_inverse=True)
            size = len(self.terms.terms)
            joined = [join((int(code // size), int(code % size))) for code in distinct]
            result[open_here] = np.array(joined, dtype=np.int32)[back.reshape(-1)]
        return result

    @staticmethod
    def _gathered(values: Numbers, gather: Callable[[Iterable[int]], int], neutral: int) -> Numbers:
        """All or any along the last axis, once for each different row."""
        rows = np.ascontiguousarray(values.reshape(-1, values.shape[-1]))
        known: dict[bytes, int] = {}
        result = np.empty(len(rows), dtype=np.int32)
        idle = (rows == neutral).all(axis=1)
        result[idle] = neutral
        for cell in np.flatnonzero(~idle):
            key = rows[cell].tobytes()
            if key not in known:
                known[key] = gather(np.unique(rows[cell]).tolist())
            result[cell] = known[key]
        return result.reshape(values.shape[:-1])


class Chains:
    """The terms that a chain leads from one entity to another, given those of the pairs, int32 (n, n)."""

    def __init__(self, terms: Propositions, pairs: Numbers):
        self.terms = terms
        self.pairs = pairs
        self.reach = pairs != FALSE
        for k in range(len(pairs)):  # Warshall's closure
            self.reach |= self.reach[:, k : k + 1] & self.reach[k : k + 1, :]
        self._known: dict[tuple[int, int], int] = {}

    def between(self, i: int, j: int) -> int:
        """From i to j, i <= j. raises TooLarge where too many entities may take part."""
        if i == j:
            return self.terms.some(self.pairs[i].tolist())
        if not self.reach[i, j]:
            return FALSE
        if (i, j) not in self._known:
            members = np.flatnonzero(self.reach[i]).tolist()
            if len(members) > MAX_LINKED:
                raise TooLarge
            edges = [(a, b) for a in members for b in members if a < b and self.pairs[a, b] != FALSE]
            rule = self.terms.rule(_chain_rule(edges, i, j))
            self._known[i, j] = self.terms.ruled([int(self.pairs[a, b]) for a, b in edges], rule)
        return self._known[i, j]


def _chain_rule(edges: Sequence[tuple[int, int]], start: int, end: int) -> Rule:
    def leads(known: Sequence[bool | None], maybe: bool) -> bool:
        parent: dict[int, int] = {}

        def root(i: int) -> int:
            while parent.get(i, i) != i:
                i = parent[i]
            return i

        for (a, b), value in zip(edges, known, strict=True):
            if value is True or (maybe and value is None):
                parent[root(a)] = root(b)
        return root(start) == root(end)

    def rule(known: Sequence[bool | None]) -> bool | None:
        if leads(known, False):
            return True
        return None if leads(known, True) else False

    return rule


__all__ = ["Existence", "TooLarge"]

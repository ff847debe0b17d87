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
    Number,
    Or,
    Term,
    Truth,
    Variable,
    walk,
)
from ..verdict import SATISFIED, UNDECIDED, Verdict
from .atoms import Facts
from .decompose import domain
from .judge import nesting
from .numbers import aggregates, compare_intervals, counts_in, covers_in, difference, interval
from .propositions import FALSE, TRUE, Holds, HoldsInRanges, Propositions, TooLarge, Weight
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
        for part in sorted(parts, key=self._price):
            if result is not None:
                left = result.open != FALSE if every else result.sure != TRUE
                need = left if need is None else need & left
                if not need.any():
                    break
            found = self.ground(part, scope, need)
            result = found if result is None else self._both(result, found, every)
        assert result is not None
        return result

    def _price(self, part: Formula) -> tuple[int, int]:
        """Classes before other atoms before anything that binds; fewer variables first."""
        atom = part.body if isinstance(part, Not) else part
        if isinstance(atom, Truth):
            return 0, 0
        if isinstance(atom, Apply) or (isinstance(atom, Compare) and not aggregates(atom)):
            is_class = isinstance(atom, Apply) and atom.name in self.vocabulary.classes
            return 1 if is_class else 2, len(variables_of(atom))
        return 3 + nesting(atom), 0

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
        same = [pair.same for pair in members]
        rows = [self._rows(pair, shape) for pair in members]
        cells = [
            [
                int(term)
                for (low, high), one in zip(rows, same, strict=True)
                for each in ((low,) if one else (low, high))
                for term in each[cell]
            ]
            for cell in range(prod(shape))
        ]
        areas = [Areas(self.tables, self._range(cover)) for cover in covers]

        def ruled(level: Verdict) -> Numbers:
            rule = self.terms.rule(CoverRule(comparison, covers, areas, same, level, self._world))
            return np.array([self.terms.ruled(parts, rule) for parts in cells], dtype=np.int32).reshape(shape)

        sure = ruled(SATISFIED)
        limits = [part for part in walk(comparison) if isinstance(part, Number) and part.unit is not None]
        decided = all(same) and all(self._world.area_limit(limit) is not None for limit in limits)
        return Pair(sure, sure if decided else ruled(UNDECIDED))

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


class CoverRule:
    """Whether a comparison of covers has at least a verdict; parts are the sure and the open members of each cover.

    same  for each cover whether sure and open members are the same, and given once
    """

    work = 90  # what looking at it once costs, in parts of other terms

    def __init__(
        self, comparison: Compare, covers: Sequence[Cover], areas: Sequence[Areas], same: Sequence[bool],
        level: Verdict, world: World,
    ):  # fmt: skip
        self.comparison = comparison
        self.covers = covers
        self.areas = areas
        self.same = same
        self.level = level
        self.world = world

    def __call__(self, known: Sequence[bool | None]) -> bool | None:
        """Whether it has; None where that hangs on what is not known."""
        least = np.array([[value is True for value in known]], dtype=bool)
        most = np.array([[value is not False for value in known]], dtype=bool)
        return self._of(self._masks(least, most), self._bounds(self._masks(least, most)), 0, None not in known)

    def many(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The same for many worlds, bool (worlds, parts)."""
        masks = self._masks(rows, rows)
        bounds = self._bounds(masks)
        return np.array([bool(self._of(masks, bounds, row, True)) for row in range(len(rows))], dtype=bool)

    def _masks(self, least: NDArray[np.bool_], most: NDArray[np.bool_]) -> list[tuple[Mask, Mask]]:
        """For each cover the entities that are in it at least, and at most."""
        masks, at = [], 0
        for area, one in zip(self.areas, self.same, strict=True):
            size = len(area.places)
            low = least[:, at : at + size]
            at += 0 if one else size
            masks.append((low, most[:, at : at + size]))
            at += size
        return masks

    def _bounds(self, masks: Sequence[tuple[Mask, Mask]]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        return [
            (area.bounds(low)[0], area.bounds(high)[1]) for area, (low, high) in zip(self.areas, masks, strict=True)
        ]

    def _of(self, masks: Any, bounds: Any, row: int, known: bool) -> bool | None:
        """Bounds first, then unions of what overlaps, then, where all is known, the unions themselves."""
        found = self._compared([(float(low[row]), float(high[row])) for low, high in bounds])
        if found is None:
            return self.level <= UNDECIDED
        here = [(area, low[row], high[row]) for area, (low, high) in zip(self.areas, masks, strict=True)]
        if found == UNDECIDED:
            found = self._compared(
                [(area.roughly(low) * (1 - SLACK), area.roughly(high) * (1 + SLACK)) for area, low, high in here]
            )
        if found == UNDECIDED:
            if not known:
                return None
            found = self._compared([(area.exact(low), area.exact(high)) for area, low, high in here])
        return found is not None and found >= self.level

    def _compared(self, bounds: Sequence[tuple[float, float]]) -> Verdict | None:
        """The verdict when each cover lies in its bounds; None where a limit is missing."""
        leaves = {id(cover): bound for cover, bound in zip(self.covers, bounds, strict=True)}

        def leaf(term: Term) -> tuple[float, float] | None:
            if isinstance(term, Cover):
                return leaves[id(term)]
            value = self.world.area_limit(term)
            return None if value is None else (value, value)

        left, right = interval(self.comparison.left, leaf), interval(self.comparison.right, leaf)
        return None if left is None or right is None else compare_intervals(self.comparison.op, left, right)


class Areas:
    """The areas of unions of some entities' outlines: outlines apart add up, and what overlaps is remembered."""

    def __init__(self, tables: Tables, places: Places):
        self.tables = tables
        self.places = places
        table, rows = tables.scene.table, tables.rows[places]
        self.area = table.area[rows]
        left, top, right, bottom = (column[rows] for column in (table.min_x, table.min_y, table.max_x, table.max_y))
        meets = (left[:, None] <= right[None, :]) & (top[:, None] <= bottom[None, :])
        groups = _groups(meets & meets.T)
        self.alone = np.zeros(len(places), dtype=bool)
        self.alone[[group[0] for group in groups if len(group) == 1]] = True
        self.groups = [np.array(group) for group in groups if len(group) > 1]
        self._known: list[dict[bytes, float]] = [{} for _ in self.groups]

    def bounds(self, masks: Mask) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds of the area when these are there, bool (worlds, entities), wider than any rounding."""
        apart = masks[:, self.alone] @ self.area[self.alone]
        low, high = apart.copy(), apart
        for group in self.groups:
            areas = masks[:, group] * self.area[group]
            low, high = low + areas.max(axis=1), high + areas.sum(axis=1)
        return low * (1 - SLACK), high * (1 + SLACK)

    def roughly(self, mask: Mask) -> float:
        """The area when these are there, up to rounding."""
        total = float(self.area[mask & self.alone].sum())
        for group, known in zip(self.groups, self._known, strict=True):
            here = mask[group]
            key = here.tobytes()
            if key not in known:
                known[key] = self.tables.cover(self.places[group[here]])
            total += known[key]
        return total

    def exact(self, mask: Mask) -> float:
        """The area as every engine computes it."""
        return self.tables.cover(self.places[mask])


def _groups(meets: Mask) -> list[list[int]]:
    """The connected components of a symmetric relation."""
    left, groups = set(range(len(meets))), []
    while left:
        front = [left.pop()]
        group = list(front)
        while front:
            new = [int(j) for j in np.flatnonzero(meets[front.pop()]) if int(j) in left]
            left.difference_update(new)
            group += new
            front += new
        groups.append(sorted(group))
    return groups


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
            rule = self.terms.rule(ChainRule(edges, i, j))
            self._known[i, j] = self.terms.ruled([int(self.pairs[a, b]) for a, b in edges], rule)
        return self._known[i, j]


class ChainRule:
    """Whether a chain leads from one entity to another; parts are the pairs that may be linked."""

    work = 10

    def __init__(self, edges: Sequence[tuple[int, int]], start: int, end: int):
        self.edges = edges
        self.start = start
        self.end = end

    def __call__(self, known: Sequence[bool | None]) -> bool | None:
        """Whether it does; None where that hangs on what is not known."""
        if self._leads(known, False):
            return True
        return None if self._leads(known, True) else False

    def many(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """The same for many worlds, bool (worlds, parts)."""
        return np.array([self._leads(row, False) for row in rows.tolist()], dtype=bool)

    def _leads(self, known: Sequence[bool | None], maybe: bool) -> bool:
        parent: dict[int, int] = {}

        def root(i: int) -> int:
            while parent.get(i, i) != i:
                i = parent[i]
            return i

        for (a, b), value in zip(self.edges, known, strict=True):
            if value is True or (maybe and value is None):
                parent[root(a)] = root(b)
        return root(self.start) == root(self.end)


__all__ = ["Existence", "TooLarge"]

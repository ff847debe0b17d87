"""How close a scene came: the nearest limit at which a query would be satisfied (LANGUAGE, section 9).

Moving the limit of one clause only raises the verdict, and it changes only at the values that occur in the scene. So
the query is computed once over these values: a literal that fails is worth the limit that would make it good, `&` the
largest of its parts, `|` and exists the smallest, exists>=N the N-th smallest. That is where bisection over the values
would end. The entities on which it turns are those whose value it is, and `holds` confirms the limit with the geometry
module's own comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import inf, isfinite, nextafter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import (
    METRES,
    PIXELS,
    RATIO,
    TOUCH_PX,
    angle_between,
    common_areas,
    far_limits,
    gaps,
    near_limits,
    truth,
)
from ..grammar.nodes import Apply, Arithmetic, Compare, CompareOp, Formula, Not, Number, Text, Truth, Variable, walk
from ..grammar.printer import term_text
from ..grammar.words import WORDS
from ..verdict import SATISFIED
from .atoms import Facts, Rows
from .clauses import Clause, ClauseForm, Occurrence, replace_literals
from .evaluate import Booleans
from .expand import Array, Expander
from .ground import Ground, expanded
from .judge import judged
from .tables import Mask, Scope
from .world import World, variables_of

Floats = NDArray[np.float64]

MAX_TIES = 50  # tuples with the very same value that are tried one by one
DOUBLINGS = 12  # how often the step past a value is doubled, from one float on: sums and products round


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest limit of one clause, relaxing which alone would satisfy the query.

    clause        its number
    quantity      what was measured: gap, share, angle, area, or the left side of a comparison
    unit          of actual and limit
    actual        the quantity of the entities on which the clause turns
    limit         what the clause asks of these entities now
    limit_needed  the value nearest to `limit_now`, in `limit_unit`, at which the query is satisfied
    past          the limit has to go just past limit_needed, at which it still fails
    limit_now     the present value; limit_unit is x (times the smaller diagonal), share, deg, times, or a unit
    entities      ids of the entities on which it turns
    metres        actual and limit in m or m2 where the gsd is known and unit is px or px2
    text          all this in words
    """

    clause: int
    quantity: str
    unit: str
    actual: float
    limit: float
    limit_needed: float
    past: bool
    limit_now: float
    limit_unit: str
    entities: tuple[int, ...]
    metres: tuple[float, float] | None
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A numeric atom seen as `value OP limit`, over tuples of entities.

    op       how value and limit compare when the atom is true
    now      the present limit, in `unit`
    values   of rows: the value, NaN where the atom's truth does not depend on the limit
    altered  of a limit: the facts by which the atom is judged then, or the atom to judge
    told     of rows: quantity, its unit, actual and present limit of these entities
    """

    op: CompareOp
    now: float
    unit: str
    values: Callable[[tuple[Rows, ...]], Floats]
    altered: Callable[[float], Facts | Compare]
    told: Callable[[tuple[Rows, ...]], tuple[str, str, float, float]]


def nearest(form: ClauseForm, world: World, ground: Ground | None = None) -> tuple[Nearest, ...]:
    """The nearest limit of every numeric clause whose relaxing alone satisfies the query, in the order of the clauses.

    ground   the form expanded at sure, if that is at hand
    raises   LimitError where the expansion is too large
    """
    ground = ground if ground is not None else expanded(form, world, "sure")
    if ground.holds(frozenset()):
        return ()
    found = (
        nearest_of(form, world, clause) for clause in form.clauses if ground.holds(frozenset((clause.index,)))
    )
    return tuple(each for each in found if each is not None)


def nearest_of(form: ClauseForm, world: World, clause: Clause) -> Nearest | None:
    """The nearest limit of one clause; None where it is not numeric or no limit satisfies the query."""
    atom = clause.formula.body if isinstance(clause.formula, Not) else clause.formula
    if clause.origin is not None or not isinstance(atom, Apply | Compare):
        return None
    scale = scale_of(atom, world)
    if scale is None:
        return None
    holding = not isinstance(clause.formula, Not) if clause.positive else isinstance(clause.formula, Not)
    op: CompareOp = scale.op if holding else _FAILS[scale.op]
    if op == "!=":
        return None  # any limit but the present one would do: there is no nearest
    if op == "=":
        return _nearest_equal(form, world, clause, atom, scale)
    rising = op in ("<", "<=")  # the limit has to go up to the value
    below_zero = isinstance(atom, Apply) and op == ">"
    walk_ = _Limits(form, world, clause.index, scale, 1.0 if rising else -1.0, below_zero)
    key = walk_.root()
    if not isfinite(key):
        return None
    entities = _turning(form, world, clause.index, walk_, walk_.keys < key, walk_.keys == key)
    return _confirmed(form, world, clause, atom, scale, key if rising else -key, op in ("<", ">"), rising, entities)


_FAILS: dict[CompareOp, CompareOp] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}


def _nearest_equal(
    form: ClauseForm, world: World, clause: Clause, atom: Apply | Compare, scale: Scale
) -> Nearest | None:
    """For `=` the amounts that occur are tried, the smallest first."""
    walk_ = _Limits(form, world, clause.index, scale, 1.0)
    walk_.root()
    amounts = sorted({float(v) for v in walk_.keys[np.isfinite(walk_.keys)]}, key=lambda v: (abs(v), v))
    for amount in amounts:
        equal = walk_.keys == amount
        if _With(form, world, clause.index, equal).root():
            entities = _turning(form, world, clause.index, walk_, np.zeros_like(equal), equal)
            return _confirmed(form, world, clause, atom, scale, amount, False, amount > 0, entities)
    return None


def _confirmed(
    form: ClauseForm, world: World, clause: Clause, atom: Apply | Compare, scale: Scale, needed: float, past: bool,
    rising: bool, entities: tuple[int, ...],
) -> Nearest | None:  # fmt: skip
    """The nearest limit, once `holds` has found the query satisfied at it, or just past it."""
    limit, toward = needed, inf if rising else -inf
    for step in range(DOUBLINGS):
        if (step or not past) and satisfied_at(form, world, clause, scale, limit):
            rows = tuple(np.array([world.row(entity)]) for entity in entities)
            quantity, unit, actual, present = scale.told(rows)
            negated = isinstance(clause.formula, Not) == clause.positive
            metres = _metres(world, unit, actual, present)
            text = sentence(world, atom, (quantity, unit, actual, present), entities, negated)
            shown = needed if past else limit
            return Nearest(
                clause.index, quantity, unit, actual, present, shown, past, scale.now, scale.unit, entities, metres,
                text,
            )  # fmt: skip
        limit = nextafter(needed + (limit - needed) * 2, toward)
    return None


def satisfied_at(form: ClauseForm, world: World, clause: Clause, scale: Scale, limit: float) -> bool:
    """Whether `holds` finds the query satisfied with the clause's limit at `limit`, all else unchanged."""
    altered = scale.altered(limit)
    marked: list[Formula] = []

    def choose(literal: Formula, at: int) -> Formula:
        occurrence = form.occurrences[at]
        if clause.index not in occurrence.clauses:
            return literal
        if len(occurrence.clauses) > 1:
            return Truth(occurrence.positive)
        atom = literal.body if isinstance(literal, Not) else literal
        assert isinstance(atom, Apply | Compare)
        new: Formula = altered if isinstance(altered, Compare) else replace(atom)
        marked.append(new)
        return Not(new) if isinstance(literal, Not) else new

    changed = replace_literals(form, choose)
    judge = _Altered(world, marked, altered) if isinstance(altered, Facts) else world
    return judged(changed, judge) == SATISFIED


class _Altered(World):
    """A world in which certain atoms, told by identity, are judged by other facts."""

    def __init__(self, world: World, atoms: Sequence[Formula], facts: Facts):
        exists = np.zeros(len(world.scene.table.score), dtype=bool)
        exists[world.rows] = True
        super().__init__(world.scene, world.vocabulary, world.min_score, facts=world.facts, exists=exists)
        self._atoms = {id(atom) for atom in atoms}
        self._other = facts

    def facts_of(self, atom: Apply | Compare) -> Facts:
        """The other facts where the atom is one of those."""
        return self._other if id(atom) in self._atoms else self.facts


# --- the walk over limits ---------------------------------------------------------------------------------------------


class _Limits(Expander):
    """How far the limit of one clause has to go: -inf for not at all, inf for as far as you like.

    keys   after `root`: for each tuple of the clause's literal the limit that makes it good, times `sign`
    """

    def __init__(self, form: ClauseForm, world: World, clause: int, scale: Scale, sign: float, positive: bool = False):
        super().__init__(form, world, "sure")
        self.positive = positive  # a limit just past 0 would be negative: no word has such a limit
        self.clause = clause
        self.scale = scale
        self.sign = sign
        self.keys: Floats = np.zeros(())
        self.names: tuple[str, ...] = ()
        self.scope: Scope = ()

    def known(self, value: bool) -> Array:
        """A constant."""
        return np.array(-inf if value else inf)

    def literal(self, good: Mask, occurrence: Occurrence) -> Array:
        """Good or not, whatever the limit."""
        if self.clause in occurrence.clauses:
            return np.full((1,) * good.ndim, -inf)
        return np.where(good, -inf, inf)

    def _literal(self, node: Formula, at: int, wanted: bool, scope: Scope, need: Mask | None) -> Array:
        if self.form.occurrences[at].clauses != {self.clause}:
            return super()._literal(node, at, wanted, scope, need)
        atom = node.body if isinstance(node, Not) else node
        assert isinstance(atom, Apply | Compare)
        codes = self.tables.atom(atom, scope, need, self.world)
        good = (codes == SATISFIED) if wanted != isinstance(node, Not) else (codes == 0)
        keys = np.array(np.where(good, -inf, inf), order="C")
        open_here = ~good if need is None else ~good & _fitted(need, good.shape)
        open_here = np.atleast_1d(open_here)  # a scope without variables has arrays without axes
        cells = np.nonzero(open_here)
        names = variables_of(atom)
        axis = {name: i for i, (name, _) in enumerate(scope)}
        rows = tuple(self.tables.rows[scope[axis[name]][1][cells[axis[name]]]] for name in names)
        if len(cells[0]):
            values: Floats = self.sign * self.scale.values(rows)
            if self.positive:
                values[values == 0] = np.nan
            keys.reshape(open_here.shape)[cells] = np.where(np.isnan(values), inf, values)
        self.keys, self.names, self.scope = keys, names, scope
        return keys

    def join(self, one: Array, other: Array, every: bool) -> Array:
        """All: the limit that suits the hardest; one of them: the easiest."""
        return np.maximum(one, other) if every else np.minimum(one, other)

    def gather(self, values: Array, every: bool) -> Array:
        """As join, along an axis."""
        return np.asarray(values.max(axis=-1) if every else values.min(axis=-1))

    def at_least(self, parts: Sequence[tuple[int, Array, int]], threshold: int) -> Array:
        """The smallest limit at which the weights sum up."""
        outer = np.broadcast_shapes(*(values.shape[:-1] for _, values, _ in parts))
        keys, weights = [np.full((*outer, 1), inf)], [np.zeros(1, dtype=np.int64)]
        for weight, values, entities in parts:
            keys.append(np.broadcast_to(values, (*outer, values.shape[-1])))
            same = values.shape[-1] == 1 and entities != 1
            weights.append(np.full(values.shape[-1], weight * entities if same else weight, dtype=np.int64))
        if threshold <= 0:
            return np.full(outer, -inf)
        joined, amounts = np.concatenate(keys, axis=-1), np.concatenate(weights)
        order = np.argsort(joined, axis=-1, kind="stable")
        reached = np.cumsum(amounts[order], axis=-1) >= threshold
        first = np.take_along_axis(order, reached.argmax(axis=-1)[..., None], axis=-1)
        limit = np.take_along_axis(joined, first, axis=-1)[..., 0]
        return np.where(reached.any(axis=-1), limit, inf)

    def measured(self, parts: Sequence[tuple[Array, int]], holds: Callable[[Sequence[Mask]], bool]) -> Array:
        """The smallest limit at which the covers compare as wanted."""
        shape = np.broadcast_shapes(*(values.shape[:-1] for values, _ in parts))
        result = np.full(shape, inf)
        for cell in np.ndindex(shape):
            here = [
                np.broadcast_to(np.broadcast_to(values, (*shape, values.shape[-1]))[cell], entities)
                for values, entities in parts
            ]
            steps = np.unique(np.concatenate([*here, [-inf]]))
            result[cell] = next((s for s in steps[steps < inf] if holds([keys <= s for keys in here])), inf)
        return result

    def undecided(self, need: Mask | None, one: Array, every: bool, literals_only: bool) -> Mask | None:
        """Where the value so far does not settle it."""
        open_here: Mask = np.asarray(one != (inf if every else -inf))
        return open_here if need is None else need & open_here


class _With(Booleans):
    """The query with the literal of one clause good exactly where a mask says."""

    def __init__(self, form: ClauseForm, world: World, clause: int, mask: Mask):
        super().__init__(form, world, "sure")
        self.clause = clause
        self.mask = mask

    def literal(self, good: Mask, occurrence: Occurrence) -> Array:
        """As the mask says."""
        if occurrence.clauses == {self.clause}:
            return self.mask
        if self.clause in occurrence.clauses:
            return np.ones((1,) * good.ndim, dtype=bool)
        return super().literal(good, occurrence)


def _fitted(need: Mask, shape: tuple[int, ...]) -> Mask:
    """A mask over the scope as one of the given shape, whose axes of length 1 stand for all."""
    for axis, length in enumerate(shape):
        if length == 1 and need.shape[axis] != 1:
            need = np.asarray(need.any(axis=axis, keepdims=True))
    return np.broadcast_to(need, shape)


def _turning(
    form: ClauseForm, world: World, clause: int, limits: _Limits, before: Mask, at: Mask
) -> tuple[int, ...]:
    """The entities on which the clause turns at a limit: of the tuples with that value the first that decides alone."""
    axis = {name: i for i, (name, _) in enumerate(limits.scope)}

    def ids(cell: tuple[int, ...]) -> tuple[int, ...]:
        places = (limits.scope[axis[name]][1][cell[axis[name]]] for name in limits.names)
        return tuple(int(limits.tables.ids[place]) for place in places)

    cells: list[tuple[int, ...]] = sorted((tuple(int(i) for i in cell) for cell in np.argwhere(at)), key=ids)
    if len(cells) > 1:
        for cell in cells[:MAX_TIES]:
            only = before.copy()
            only[cell] = True
            if _With(form, world, clause, only).root():
                return ids(cell)
    return ids(cells[0]) if cells else ()


# --- the numeric atoms ------------------------------------------------------------------------------------------------


def scale_of(atom: Apply | Compare, world: World) -> Scale | None:
    """A numeric atom as a value beside a limit; None for any other."""
    if isinstance(atom, Compare):
        return _comparison_scale(atom, world)
    repeated = len(variables_of(atom)) < len(atom.args)  # false of an entity and itself, whatever the limit
    if atom.name in WORDS and WORDS[atom.name].numeric and not repeated:
        return _WORD_SCALES[atom.name](world)
    return None


def _facts_with(world: World, **changed: Any) -> Facts:
    facts = Facts(world.scene.table, world.vocabulary)
    facts.parameters = replace(world.facts.parameters, **changed)
    return facts


def _near(world: World) -> Scale:
    table, parameters = world.scene.table, world.facts.parameters
    mixed = np.asarray(parameters.near_value).ndim > 0
    unit = int(np.asarray(parameters.near_unit).flat[0]) if not mixed else RATIO

    def one_unit(x: Rows, y: Rows) -> Floats:
        """The gap, px, that a limit of 1 allows."""
        if mixed:  # far beyond the least limit of 1 px
            return near_limits(table, x, y, replace(parameters, near_value=parameters.near_value * 1e9)) / 1e9
        if unit == RATIO:
            return np.minimum(table.diag[x], table.diag[y])
        return np.ones(len(x)) if unit == PIXELS else 1.0 / table.images.gsd[table.image[x]]

    def values(rows: tuple[Rows, ...]) -> Floats:
        gap, one = gaps(table, *rows), one_unit(*rows)
        return _quotient(gap, one, (rows[0] != rows[1]) & (gap > TOUCH_PX))

    def told(rows: tuple[Rows, ...]) -> tuple[str, str, float, float]:
        x, y = rows
        return "gap", "px", float(gaps(table, x, y)[0]), float(near_limits(table, x, y, parameters)[0])

    now = 1.0 if mixed else float(np.asarray(parameters.near_value).flat[0])
    shown = "times" if mixed else {RATIO: "x", PIXELS: "px", METRES: "m"}[unit]
    return Scale(
        "<=", now, shown, values,
        lambda limit: _facts_with(world, near_value=parameters.near_value * limit if mixed else limit), told,
    )  # fmt: skip


def _far(world: World) -> Scale:
    table, parameters = world.scene.table, world.facts.parameters

    def values(rows: tuple[Rows, ...]) -> Floats:
        gap = gaps(table, *rows)
        near = truth("near", table, rows, parameters) == SATISFIED
        matters = (rows[0] != rows[1]) & (gap > TOUCH_PX) & ~near
        return _quotient(gap, np.minimum(table.diag[rows[0]], table.diag[rows[1]]), matters)

    def told(rows: tuple[Rows, ...]) -> tuple[str, str, float, float]:
        x, y = rows
        return "gap", "px", float(gaps(table, x, y)[0]), float(far_limits(table, x, y, parameters)[0])

    return Scale(">", parameters.far_ratio, "x", values, lambda limit: _facts_with(world, far_ratio=limit), told)


def _touches(world: World) -> Scale:
    table, parameters = world.scene.table, world.facts.parameters

    def values(rows: tuple[Rows, ...]) -> Floats:
        return np.where(rows[0] != rows[1], gaps(table, *rows), np.nan)

    return Scale(
        "<=", parameters.touch_px, "px", values, lambda limit: _facts_with(world, touch_px=limit),
        lambda rows: ("gap", "px", float(gaps(table, *rows)[0]), parameters.touch_px),
    )  # fmt: skip


def _share(turned: bool) -> Callable[[World], Scale]:
    def scale(world: World) -> Scale:
        table, parameters = world.scene.table, world.facts.parameters

        def share(rows: tuple[Rows, ...]) -> Floats:
            x, y = reversed(rows) if turned else rows
            common = common_areas(table, x, y)
            return _quotient(common, table.area[x], (x != y) & (common > 0))

        return Scale(
            ">=", parameters.inside_share, "share", share, lambda limit: _facts_with(world, inside_share=limit),
            lambda rows: ("share", "share", float(np.nan_to_num(share(rows))[0]), parameters.inside_share),
        )  # fmt: skip

    return scale


def _direction(op: CompareOp, field: str) -> Callable[[World], Scale]:
    def scale(world: World) -> Scale:
        table, now = world.scene.table, float(getattr(world.facts.parameters, field))

        def values(rows: tuple[Rows, ...]) -> Floats:
            return np.where(rows[0] != rows[1], angle_between(table, *rows), np.nan)

        return Scale(
            op, now, "deg", values, lambda limit: _facts_with(world, **{field: limit}),
            lambda rows: ("angle", "deg", float(angle_between(table, *rows)[0]), now),
        )  # fmt: skip

    return scale


def _size(large: bool) -> Callable[[World], Scale]:
    def scale(world: World) -> Scale:
        table, now = world.scene.table, world.facts.parameters.size_factor

        def values(rows: tuple[Rows, ...]) -> Floats:
            area, reference = table.area[rows[0]], table.reference_area[table.label[rows[0]]]
            one, other = (area, reference) if large else (reference, area)
            return _quotient(one, other, one > 0)

        def told(rows: tuple[Rows, ...]) -> tuple[str, str, float, float]:
            reference = float(table.reference_area[table.label[rows[0]]][0])
            return "area", "px2", float(table.area[rows[0]][0]), reference * now if large else reference / now

        return Scale(">", now, "times", values, lambda limit: _facts_with(world, size_factor=limit), told)

    return scale


def _quotient(one: Floats, other: Floats, matters: Mask) -> Floats:
    """one / other, NaN where that does not matter or the divisor is 0."""
    with np.errstate(all="ignore"):
        return np.where(matters & (other > 0), one / other, np.nan)


_WORD_SCALES: dict[str, Callable[[World], Scale]] = {
    "near": _near,
    "far": _far,
    "touches": _touches,
    "inside": _share(False),
    "contains": _share(True),
    "parallel": _direction("<=", "parallel_deg"),
    "perpendicular": _direction(">=", "perpendicular_deg"),
    "large": _size(True),
    "small": _size(False),
}


def _comparison_scale(atom: Compare, world: World) -> Scale | None:
    """left OP right + amount, for numbers without counts; the amount is 0 at present, in px, px2, degrees or bare."""
    if any(isinstance(node, Variable | Text) for node in (atom.left, atom.right)):
        return None
    facts, names = world.facts, variables_of(atom)
    if any(_names_a_text(node, world) for node in walk(atom)):
        return None

    def sides(rows: tuple[Rows, ...]) -> tuple[Floats, Floats]:
        bound = dict(zip(names, rows, strict=True))
        images = np.full(len(rows[0]) if rows else 1, world.scene.index, dtype=np.int64)
        return (
            facts._number(atom.left, bound, images, facts._percent_base(atom.right, bound, images)),
            facts._number(atom.right, bound, images, facts._percent_base(atom.left, bound, images)),
        )

    def values(rows: tuple[Rows, ...]) -> Floats:
        left, right = sides(rows)
        return left - right

    def altered(limit: float) -> Compare:
        amount = Number(Decimal(abs(limit)))
        right = Arithmetic("+" if limit >= 0 else "-", atom.right, amount) if limit else atom.right
        return replace(atom, right=right)

    power = max(facts.power(atom.left), facts.power(atom.right))
    unit = "deg" if _is_angle(atom) else ("", "px", "px2")[power]

    def told(rows: tuple[Rows, ...]) -> tuple[str, str, float, float]:
        left, right = sides(rows)
        return _term_words(atom), unit, float(left[0]), float(right[0])

    return Scale(atom.op, 0.0, unit, values, altered, told)


def _is_angle(atom: Compare) -> bool:
    return any(
        (isinstance(node, Apply) and node.name in WORDS and WORDS[node.name].dimension == "angle")
        or (isinstance(node, Number) and node.unit == "deg")
        for node in walk(atom)
    )


def _names_a_text(node: Any, world: World) -> bool:
    if not isinstance(node, Apply) or node.name not in world.vocabulary.attributes:
        return False
    return world.vocabulary.attributes[node.name].type == "text"


def _term_words(atom: Compare) -> str:
    """What the left side measures: "center distance" for center_distance(x1, x2), a sum as it is written."""
    if isinstance(atom.left, Apply):
        return atom.left.name.replace("_", " ")
    return term_text(atom.left)


# --- words ------------------------------------------------------------------------------------------------------------


def _metres(world: World, unit: str, actual: float, limit: float) -> tuple[float, float] | None:
    gsd = world.scene.gsd
    if gsd is None or unit not in ("px", "px2"):
        return None
    factor = gsd if unit == "px" else gsd * gsd
    return actual * factor, limit * factor


def sentence(
    world: World, atom: Apply | Compare, told: tuple[str, str, float, float], entities: Sequence[int], negated: bool
) -> str:
    """What a numeric atom measures of entities beside its limit: quantity, unit, actual, limit; metres where known."""
    quantity, unit, actual, limit = told
    things = " and ".join(f"{world.label(entity).replace('_', ' ')} {entity}" for entity in entities) or "the image"
    here, there = amount(actual, unit), amount(limit, unit)
    metres = _metres(world, unit, actual, limit)
    if metres is not None:
        here += f" ({amount(metres[0], 'm' if unit == 'px' else 'm2')})"
        there += f" ({amount(metres[1], 'm' if unit == 'px' else 'm2')})"
    if isinstance(atom, Compare):
        return f"{quantity} of {things} is {here}, the query asks for {atom.op} {there}"
    match atom.name:
        case "near" | "touches":
            verb = "ends at" if negated else "allows"
            return f"{things} are {here} apart, {atom.name} {verb} {there}"
        case "far":
            return f"{things} are {here} apart, far begins beyond {there}"
        case "inside" | "contains":
            inner, outer = things.split(" and ")[:: 1 if atom.name == "inside" else -1]
            return f"{here} of {inner} lies in {outer}, {atom.name} asks for {there}"
        case "parallel" | "perpendicular":
            return f"{things} differ by {here} in direction, {atom.name} asks for {there}"
        case _:
            return f"{things} has an area of {here}, {atom.name} begins at {there}"


def amount(value: float, unit: str) -> str:
    """A number as people read it: three significant digits at least, whole from 100 on."""
    if unit == "share":
        return f"{100 * value:.3g} %"
    text = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()

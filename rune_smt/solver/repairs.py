"""What would make a query satisfied in a scene: the five kinds of repair (LANGUAGE, section 9).

Each search steers by the column evaluator; each repair that is told was confirmed by `holds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from time import monotonic
from typing import Any, Literal, TypeAlias

import numpy as np

from ..errors import DisagreementError, LimitError
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
    children,
)
from ..grammar.printer import canonical
from ..verdict import SATISFIED
from .atoms import Rows
from .clauses import ClauseForm, clause_form, relax, within_definition
from .cores import Clauses, by_size, marco, stopped_in
from .evaluate import Booleans, count_ranges
from .expand import MAX_CELLS, Array, refuse_if_large
from .ground import Ground, expanded
from .judge import judged
from .nearest import Nearest, amount
from .numbers import aggregates
from .tables import Mask, Scope, Tables
from .world import World

Kind: TypeAlias = Literal["drop", "number", "limit", "remove", "admit"]

MAX_DROPS = 20  # the smallest sets; the others are larger and say less
TIME_LIMIT_S = 2.0  # for each kind that tries entity after entity


@dataclass(frozen=True, slots=True)
class Repair:
    """One change that makes the query satisfied.

    kind     drop, number, limit, remove or admit
    text     the change in words
    changes  the same as data: clauses and the query without them; from, to and the query with the new number; the
             clause and its limit; the entity, with its score where it is admitted
    """

    kind: Kind
    text: str
    changes: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Repairs:
    """The repairs found; `unfinished` names the kinds whose time ran out before every candidate was tried."""

    found: tuple[Repair, ...]
    unfinished: tuple[Kind, ...] = ()


# --- drop -------------------------------------------------------------------------------------------------------------


def drops(
    form: ClauseForm, world: World, ground: Ground | None = None, *, limit: int = MAX_DROPS,
    time_limit_s: float = TIME_LIMIT_S,
) -> tuple[Clauses, ...]:  # fmt: skip
    """The minimal sets of clauses whose relaxing makes the query satisfied, smaller first; at most `limit`.

    ground   the form expanded at sure, if that is at hand
    raises   DisagreementError where `holds` does not confirm one
    """
    ground = ground if ground is not None else expanded(form, world, "sure")
    listed = marco(form.every, stopped_in(ground, form.every), time_limit_s=time_limit_s)
    found = tuple(sorted(listed.corrections, key=by_size))[:limit]
    for dropped in found:
        confirm_drop(form, world, dropped)
    return found


def confirm_drop(form: ClauseForm, world: World, dropped: Clauses) -> None:
    """Re-checks by `holds` that relaxing these clauses satisfies the query, and relaxing fewer does not."""
    keep = form.every - dropped
    good = judged(relax(form, keep), world) == SATISFIED
    if not good or any(judged(relax(form, keep | {clause}), world) == SATISFIED for clause in dropped):
        raise DisagreementError(
            f"The engines disagree on relaxing clauses {sorted(dropped)} in image '{world.scene.image_id}' at "
            f"min_score {world.min_score:g}.\nClause form: {canonical(form.formula)}"
        )


# --- number -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewNumber:
    """A count of the query with another N.

    site      the quantifier or comparison as the query has it
    old, new  its number and the closest one that does
    formula   the query with it
    """

    site: ExistsCount | Compare
    old: Decimal
    new: int
    formula: Formula


def numbers(formula: Formula, world: World) -> tuple[NewNumber, ...]:
    """For each count of the query the closest N with which it is satisfied, where there is one.

    A count is `exists>=N`, `exists<=N`, `exists=N`, or a comparison of one `count` with a number. The verdict changes
    only where N passes a number of entities that occurs, so these and their neighbours are tried, the closest first.
    """
    found = []
    for site, scope, put in _counts(formula, (), lambda changed: changed):
        new = _closest(site, scope, put, world)
        if new is not None:
            found.append(new)
    return tuple(found)


def _closest(
    site: ExistsCount | Compare, scope: tuple[str, ...], put: Callable[[Formula], Formula], world: World
) -> NewNumber | None:
    old, count, with_number = _number_of(site)
    everything = Tables.of(world).places(world)
    around: Scope = tuple((name, everything) for name in scope)
    if max(1, len(everything)) ** (len(scope) + 1) > MAX_CELLS:
        return None
    fewest, most = count_ranges(count, world, around, lambda _: everything)
    occurring = {int(v) for v in np.unique(fewest)} | {int(v) for v in np.unique(most)}
    candidates = {n for c in occurring for n in (c - 1, c, c + 1) if n >= 0 and n != old}
    for n in sorted(candidates, key=lambda n: (abs(n - old), n)):
        changed = put(with_number(n))
        if satisfied(clause_form(changed, halves=False), world) and judged(changed, world) == SATISFIED:
            return NewNumber(site, old, n, changed)
    return None


def _number_of(site: ExistsCount | Compare) -> tuple[Decimal, Count, Callable[[int], Formula]]:
    if isinstance(site, ExistsCount):
        return Decimal(site.n), Count(site.var, site.body), lambda n: replace(site, n=n)
    if isinstance(site.left, Count):
        assert isinstance(site.right, Number)
        number = site.right
        return number.value, site.left, lambda n: replace(site, right=replace(number, value=Decimal(n)))
    assert isinstance(site.left, Number) and isinstance(site.right, Count)
    other = site.left
    return other.value, site.right, lambda n: replace(site, left=replace(other, value=Decimal(n)))


def _is_count(node: Node) -> bool:
    match node:
        case ExistsCount():
            return True
        case Compare(_, Count(), Number(_, None)) | Compare(_, Number(_, None), Count()):
            return True
        case _:
            return False


def _counts(
    node: Node, scope: tuple[str, ...], put: Callable[[Any], Formula]
) -> Iterator[tuple[ExistsCount | Compare, tuple[str, ...], Callable[[Formula], Formula]]]:
    """Every count outside of definitions, the variables around it, and how a changed one is put in its place."""
    if not isinstance(node, Number | Arithmetic | Count | Cover) and within_definition(node):  # type: ignore[arg-type]
        return
    if _is_count(node):
        yield node, scope, put  # type: ignore[misc]
    inner = (*scope, node.var) if isinstance(node, Exists | ForAll | ExistsCount | Count | Cover) else scope
    for at, child in enumerate(children(node)):
        yield from _counts(child, inner, _putting(node, at, put))


def _putting(node: Node, at: int, put: Callable[[Any], Formula]) -> Callable[[Any], Formula]:
    def in_place(changed: Any) -> Formula:
        if isinstance(node, And | Or):
            return put(replace(node, parts=(*node.parts[:at], changed, *node.parts[at + 1 :])))
        if isinstance(node, Implies | Iff | Compare | Arithmetic):
            return put(replace(node, **{("left", "right")[at]: changed}))
        assert isinstance(node, Not | Exists | ForAll | ExistsCount | Count | Cover)
        return put(replace(node, body=changed))

    return in_place


# --- remove and admit -------------------------------------------------------------------------------------------------


def removable(formula: Formula, world: World, *, time_limit_s: float = TIME_LIMIT_S) -> tuple[tuple[int, ...], bool]:
    """The entities without which the query is satisfied, each alone; and whether all candidates were tried in time.

    raises LimitError where the expansion is too large
    """
    form = clause_form(formula, halves=False)
    refuse_if_large(form, world)
    hopeful = _OneLess(form, world)
    if not hopeful.root():
        return (), True
    deadline = monotonic() + time_limit_s
    found: list[int] = []
    for entity in hopeful.candidates():
        if monotonic() > deadline:
            return tuple(found), False
        without = with_rows(world, world.rows[world.rows != world.row(entity)])
        if satisfied(form, without) and judged(formula, without) == SATISFIED:
            found.append(entity)
    return tuple(found), True


def admissible(formula: Formula, world: World, *, time_limit_s: float = TIME_LIMIT_S) -> tuple[int | None, bool]:
    """The highest-scored entity below min_score with which the query is satisfied (the lowest id among equals).

    Also whether every candidate above it, or every one, was tried in time.
    """
    form = clause_form(formula, halves=False)
    table, rows = world.scene.table, Tables.of(world).rows
    below = rows[~np.isin(rows, world.rows)]
    deadline = monotonic() + time_limit_s
    for row in sorted(below.tolist(), key=lambda row: (-float(table.score[row]), int(table.entity_id[row]))):
        if monotonic() > deadline:
            return None, False
        joined = with_rows(world, rows[np.isin(rows, world.rows) | (rows == row)])
        if satisfied(form, joined) and judged(formula, joined) == SATISFIED:
            return int(table.entity_id[row]), True
    return None, True


def with_rows(world: World, rows: Rows) -> World:
    """The world of the same scene in which just these rows of the table exist; tables are shared."""
    exists = np.zeros(len(world.scene.table.score), dtype=bool)
    exists[rows] = True
    other = World(world.scene, world.vocabulary, world.min_score, facts=world.facts, exists=exists)
    Tables.of(world).share(other)
    return other


def satisfied(form: ClauseForm, world: World) -> bool:
    """Whether the column evaluator finds a form satisfied. raises LimitError where the expansion is too large."""
    refuse_if_large(form, world)
    return bool(Booleans(form, world, "sure").root())


class _OneLess(Booleans):
    """Hopes for the best of leaving out one entity: every "all" forgives one, every count comes one closer.

    Where even so the query is not satisfied, no single entity is to blame; else only those that failed somewhere are.
    """

    def __init__(self, form: ClauseForm, world: World):
        super().__init__(form, world, "sure")
        self.failed = np.zeros(len(self.tables.places(world)), dtype=bool)

    def candidates(self) -> tuple[int, ...]:
        """Entities that failed in an "all" or a count, ascending."""
        return tuple(entity for entity, failed in zip(self.world.entities, self.failed, strict=True) if failed)

    def _note(self, values: Array) -> None:
        self.failed |= ~values.all(axis=tuple(range(values.ndim - 1)))  # one value for all: each of them

    def gather(self, values: Array, every: bool) -> Array:
        """All but one will do."""
        if not every:
            return super().gather(values, every)
        self._note(values)
        if values.shape[-1] == 1 and len(self.failed) > 1:
            return values[..., 0]
        return np.asarray((~values).sum(axis=-1) <= 1)

    def at_least(self, parts: Sequence[tuple[int, Array, int]], threshold: int) -> Array:
        """One closer, for every count that is compared."""
        for _, values, entities in parts:
            if entities:
                self._note(values)
        return super().at_least(parts, threshold - sum(weight for weight, _, _ in parts))

    def measured(self, parts: Sequence[tuple[Array, int]], holds: Callable[[Sequence[Mask]], bool]) -> Array:
        """Any union may change."""
        self.failed[:] = True
        return np.ones(np.broadcast_shapes(*(values.shape[:-1] for values, _ in parts)), dtype=bool)

    def undecided(self, need: Mask | None, one: Array, every: bool, literals_only: bool) -> Mask | None:
        """A part that is only hoped for hides no other: entities that fail there are to be noted too."""
        return super().undecided(need, one, every, literals_only) if every or literals_only else need

    def _literal(self, node: Formula, at: int, wanted: bool, scope: Scope, need: Mask | None) -> Array:
        atom = node.body if isinstance(node, Not) else node
        linked = isinstance(atom, Apply) and atom.name in self.tables.vocabulary.links
        if linked or (isinstance(atom, Compare) and aggregates(atom)):  # these may change with any entity
            self.failed[:] = True
            return np.ones((1,) * len(scope), dtype=bool)
        return super()._literal(node, at, wanted, scope, need)


# --- all five ---------------------------------------------------------------------------------------------------------


def repairs(
    formula: Formula, form: ClauseForm, world: World, near_misses: Sequence[Nearest] = (), *,
    ground: Ground | None = None, of_scene: bool = True, time_limit_s: float = TIME_LIMIT_S,
) -> Repairs:  # fmt: skip
    """All repairs of a query that is not satisfied: drop, number, limit, remove, admit, in this order.

    formula      closed, definitions expanded; `form` its clause form
    near_misses  what `nearest` found
    of_scene     False leaves out remove and admit, which change the scene
    raises       LimitError where the expansion is too large, DisagreementError where `holds` does not confirm one
    """
    found = [_drop(form, dropped) for dropped in drops(form, world, ground, time_limit_s=time_limit_s)]
    found += [_number(each) for each in numbers(formula, world)]
    found += [_limit(each) for each in near_misses]
    if not of_scene:
        return Repairs(tuple(found))
    unfinished: list[Kind] = []
    try:
        gone, finished = removable(formula, world, time_limit_s=time_limit_s)
        found += [_remove(world, entity) for entity in gone]
        unfinished += [] if finished else ["remove"]
        let_in, finished = admissible(formula, world, time_limit_s=time_limit_s)
        found += [] if let_in is None else [_admit(world, let_in)]
        unfinished += [] if finished else ["admit"]
    except LimitError:
        unfinished += ["remove", "admit"]
    return Repairs(tuple(found), tuple(unfinished))


def _drop(form: ClauseForm, dropped: Clauses) -> Repair:
    said = [literal_text(form.clauses[clause].formula) for clause in sorted(dropped)]
    changes = {"clauses": said, "indices": sorted(dropped), "formula": canonical(relax(form, form.every - dropped))}
    return Repair("drop", f"without {' and '.join(said)}", changes)


def _number(new: NewNumber) -> Repair:
    said = {">=": "at least", "<=": "at most", "=": "exactly"}
    words = said.get(new.site.op, "") if isinstance(new.site, ExistsCount) else f"count {new.site.op}"
    old = f"{new.old:f}"
    return Repair(
        "number", f"{words} {new.new} instead of {old}",
        {"span": new.site.span, "op": new.site.op, "from": float(new.old) if new.old % 1 else int(new.old),
         "to": new.new, "formula": canonical(new.formula)},
    )  # fmt: skip


def _limit(near: Nearest) -> Repair:
    past = "just past " if near.past else ""
    here = f"a limit {past}{amount(near.limit_needed, near.limit_unit)} instead of"
    if near.limit_unit in ("", "px", "px2", "deg") and near.limit_now == 0:
        more = "more" if near.limit_needed > 0 else "less"
        here = f"{past}{amount(abs(near.limit_needed), near.limit_unit)} {more} than"
    return Repair(
        "limit", f"{here} {amount(near.limit_now if near.limit_now else near.limit, near.limit_unit)}",
        {"clause": near.clause, "limit": near.limit_now, "limit_needed": near.limit_needed, "past": near.past,
         "unit": near.limit_unit, "entities": list(near.entities)},
    )  # fmt: skip


def _remove(world: World, entity: int) -> Repair:
    return Repair("remove", f"without {world.label(entity).replace('_', ' ')} {entity}", {"entity": entity})


def _admit(world: World, entity: int) -> Repair:
    table = world.scene.table
    row = next(row for row in Tables.of(world).rows.tolist() if int(table.entity_id[row]) == entity)
    score, label = float(table.score[row]), table.classes[int(table.label[row])]
    text = f"with {label.replace('_', ' ')} {entity}, whose score {score:.3g} is below {world.min_score:g}"
    return Repair("admit", text, {"entity": entity, "score": score, "label": label})


def literal_text(literal: Formula) -> str:
    """A clause as canonical text with the names it has."""
    from ..grammar.printer import written

    return written(literal)


__all__ = ["Kind", "Repair", "Repairs", "admissible", "drops", "numbers", "removable", "repairs"]

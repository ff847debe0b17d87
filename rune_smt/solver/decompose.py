"""A query split into independent components: closed subformulas, each with the entities that its guards admit.

LANGUAGE, section 12: closed subformulas are decided apart and combined by Kleene's tables, whatever classes they share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    walk,
)
from ..verdict import Verdict, conjunction, disjunction, negation, of
from .bounds import admitted

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Component:
    """A closed quantified formula or comparison, decided by itself.

    domains  for each of its binders, in reading order: the variable and the classes it needs to range over
    """

    formula: Formula
    domains: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A query as a propositional formula over components; equal components are one."""

    formula: Formula
    components: tuple[Component, ...]

    def combine(self, verdicts: Mapping[Formula, Verdict]) -> Verdict:
        """The query's verdict from those of its components, keyed by their formulas."""
        return _combine(self.formula, verdicts)


def decompose(formula: Formula, classes: Sequence[str], vocabulary: Vocabulary) -> Decomposition:
    """Splits a closed, normalised formula; `classes` are those that occur in the scenes."""
    found: dict[Formula, Component] = {}
    for part in _closed_parts(formula):
        if part not in found:
            found[part] = Component(part, tuple(_domains(part, classes, vocabulary)))
    return Decomposition(formula, tuple(found.values()))


def _closed_parts(formula: Formula) -> list[Formula]:
    match formula:
        case Truth():
            return []
        case Not(body):
            return _closed_parts(body)
        case And(parts) | Or(parts):
            return [closed for part in parts for closed in _closed_parts(part)]
        case Implies(left, right) | Iff(left, right):
            return [*_closed_parts(left), *_closed_parts(right)]
        case _:
            return [formula]


def _domains(part: Formula, classes: Sequence[str], vocabulary: Vocabulary) -> list[tuple[str, tuple[str, ...]]]:
    domains = []
    for node in walk(part):
        if isinstance(node, Exists | ForAll | ExistsCount | Count | Cover):
            domains.append((node.var, domain(node, classes, vocabulary)))
    return domains


def domain(binder: Node, classes: Sequence[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """The classes that the variable of a quantifier, count or cover needs to range over."""
    match binder:
        case ForAll(var, body):
            return admitted(var, body, classes, vocabulary, "forall")
        case Exists(var, body) | Count(var, body) | Cover(var, body) | ExistsCount(_, _, var, body):
            return admitted(var, body, classes, vocabulary, "exists")
        case _:
            raise TypeError(f"{type(binder).__name__} binds nothing")


def _combine(formula: Formula, verdicts: Mapping[Formula, Verdict]) -> Verdict:
    match formula:
        case Truth(value):
            return of(value)
        case Not(body):
            return negation(_combine(body, verdicts))
        case And(parts):
            return conjunction(_combine(part, verdicts) for part in parts)
        case Or(parts):
            return disjunction(_combine(part, verdicts) for part in parts)
        case Implies(left, right):
            return disjunction((negation(_combine(left, verdicts)), _combine(right, verdicts)))
        case Iff(left, right):
            a, b = _combine(left, verdicts), _combine(right, verdicts)
            return conjunction((disjunction((negation(a), b)), disjunction((negation(b), a))))
        case Apply() | Compare() | Exists() | ForAll() | ExistsCount():
            return verdicts[formula]

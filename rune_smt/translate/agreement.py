"""Several answers to one query: those that mean the same are one group, and the largest group is the translation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..grammar.nodes import Formula
from ..grammar.printer import same_up_to_bound_names

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..grammar.vocabulary import Vocabulary

PROOF_STEPS = 500_000  # Z3's resource units for one implication: about an eighth of a second
TELLING_SECONDS = 1.0  # how long to look for a scene that tells two groups apart


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that mean the same: the one that came first stands for all, `votes` is how many there are."""

    formula: Formula
    votes: int


def grouped(formulas: Sequence[Formula], vocabulary: Vocabulary) -> tuple[Group, ...]:
    """The groups, the largest first, and of equal ones the one that was answered first.

    Two formulas are of one group where their equivalence is proved; where it is not known, only if they are equal up to
    bound names.
    """
    groups: list[list[Formula]] = []
    for formula in formulas:
        for group in groups:
            if mean_the_same(group[0], formula, vocabulary):
                group.append(formula)
                break
        else:
            groups.append([formula])
    return tuple(Group(group[0], len(group)) for group in sorted(groups, key=len, reverse=True))


def mean_the_same(one: Formula, other: Formula, vocabulary: Vocabulary) -> bool:
    """Whether it is proved that the same scenes satisfy both."""
    if same_up_to_bound_names(one, other):
        return True
    from ..grammar.definitions import expand_definitions
    from ..solver.entailment import implies

    first, second = expand_definitions(one, vocabulary), expand_definitions(other, vocabulary)
    return implies(first, second, vocabulary, PROOF_STEPS) and implies(second, first, vocabulary, PROOF_STEPS)


def telling_scene(one: Formula, other: Formula, vocabulary: Vocabulary) -> Scene | None:
    """A scene that satisfies one of two formulas and not the other, if one is found."""
    from ..grammar.definitions import expand_definitions
    from ..solver.query_checks import QueryChecks

    first, second = expand_definitions(one, vocabulary), expand_definitions(other, vocabulary)
    checks = QueryChecks(vocabulary, TELLING_SECONDS)
    return checks.implication(first, second).scene or checks.implication(second, first).scene

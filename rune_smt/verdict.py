"""The three truth values, and the tables of strong Kleene logic (Kleene 1952, section 64) over them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Verdict(IntEnum):
    """Truth in a scene. As numbers: conjunction is min, disjunction is max, negation is 2 - v."""

    VIOLATED = 0
    UNDECIDED = 1
    SATISFIED = 2

    @property
    def word(self) -> str:
        """satisfied, violated or undecided: the word that JSON carries."""
        return self.name.lower()

    @property
    def plain(self) -> str:
        """The word for people: match, no match, cannot tell."""
        return ("no match", "cannot tell", "match")[self]


VIOLATED, UNDECIDED, SATISFIED = Verdict.VIOLATED, Verdict.UNDECIDED, Verdict.SATISFIED
VERDICTS = (VIOLATED, UNDECIDED, SATISFIED)  # by number


def of(value: bool) -> Verdict:
    """The verdict of a fact that is known."""
    return SATISFIED if value else VIOLATED


def negation(value: Verdict) -> Verdict:
    """~a"""
    return VERDICTS[2 - value]


def conjunction(values: Iterable[Verdict]) -> Verdict:
    """a & b & ...: stops at the first violated part; satisfied when there is none."""
    result = SATISFIED
    for value in values:
        if value < result:
            result = value
            if result == VIOLATED:
                break
    return result


def disjunction(values: Iterable[Verdict]) -> Verdict:
    """a | b | ...: stops at the first satisfied part; violated when there is none."""
    result = VIOLATED
    for value in values:
        if value > result:
            result = value
            if result == SATISFIED:
                break
    return result

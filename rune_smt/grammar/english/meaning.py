"""What the parts of a sentence mean, as functions that make formulas once the variables they speak of are known.

A predicate is true of a variable; a noun phrase takes a scope (what is said of its thing) and makes a formula; a
sentence makes one from nothing. Quantifiers take scope in the order in which they are said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ..nodes import And, Formula, Term, Truth

Scope: TypeAlias = Callable[[str], Formula]
Pair: TypeAlias = Callable[[str, str], Formula]
GroupOf: TypeAlias = Callable[[tuple[str, ...]], Formula]
Make: TypeAlias = Callable[[], Formula]
Terms: TypeAlias = Callable[[Callable[[Term], Formula]], Formula]  # "the area of a ship" takes scope over its sentence


class NoMeaning(Exception):
    """A tree of the grammar that means nothing: another reading is tried; the message is shown if there is none."""

    def __init__(self, message: str, hint: str | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint


class NoAntecedent(NoMeaning):
    """it, they, another, a letter: with nothing before it that it could stand for."""


@dataclass(frozen=True)
class Predicate:
    """What is said of one thing (`of`), of the two of a pair (`pair`), or of all of a group at once (`group`).

    also   of each thing, beside what is said of them together
    """

    of: Scope
    pair: Pair | None = None
    group: GroupOf | None = None
    also: Scope | None = None

    @property
    def plain(self) -> bool:
        """Said of each thing by itself."""
        return self.pair is None and self.group is None


@dataclass(frozen=True)
class Nominal:
    """A noun with what stands around it.

    base       the noun and its adjectives: what a superlative compares
    mods       what stands behind it
    others     "other": different from what was spoken of
    letter     ship A
    parts      of "ships and planes": the nouns that are joined, and by what
    """

    base: Scope
    mods: tuple[Scope, ...] = ()
    other: bool = False
    apart: bool = False  # different ones: from each other, where there are several
    rest: bool = False  # the others: of something that was named
    letter: str | None = None
    plural: bool = False
    pairs: tuple[Pair, ...] = ()
    groups: tuple[GroupOf, ...] = ()
    parts: tuple[Nominal, ...] = ()
    joint: bool = False  # parts joined by "and"
    cls: str | None = None  # the class, where it is one
    word: str | None = None  # as the text has it
    plainly: bool = False  # nothing but the noun
    first: Callable[[int], Nominal] | None = None  # "largest", of several: the three largest


@dataclass(frozen=True)
class Phrase:
    """A noun phrase.

    apply        the formula for a scope
    indefinite   "a ship", "any ship", "ships": none of them is what "no ship" says
    none         the formula that the scope holds of none of them, for an indefinite one
    every        the formula that it holds of each of them, for an indefinite one
    importing    as `every`, and there is one
    members      binders for things that are to be different: one for "a ship", three for "three ships"
    pairwise     said of a whole class: "all ships are parallel"
    any          "any ship", "any of the ships"
    plain        a letter, "it"
    """

    apply: Callable[[Scope], Formula]
    indefinite: bool = False
    none: Callable[[Scope], Formula] | None = None
    every: Callable[[Scope], Formula] | None = None
    importing: Callable[[Scope], Formula] | None = None
    members: tuple[Callable[[Scope], Formula], ...] | None = None
    pairwise: Callable[[Pair], Formula] | None = None
    any: bool = False
    universal: bool = False
    plain: bool = False
    definite: bool = False
    cls: str | None = None
    noun: Nominal | None = None
    them: bool = False  # "them"
    bare: bool = False  # "ships": two of them for "near each other", one of them beside others
    other: bool = False  # "another ship": different from what was named before it
    exact: bool = False  # "exactly two ships": what is said later of "them" is said of each
    named: tuple[Callable[[Scope], Formula], ...] | None = None  # binders, where its noun says more of them together
    positive: Phrase | None = None  # "a ship", of "no ship"
    grouped: Callable[[Predicate], Formula] | None = None


@dataclass(frozen=True)
class Sentence:
    """A sentence; what follows it may speak of its first thing.

    extend   the sentence and another, said of the same thing: "there is a ship and it is large"
    donkey   if the sentence holds of a thing, then another does: "if a ship is near a harbor, it is large"
    spelled  the sentence, its things named one by one, and another: "two ships are large, and another is small"
    """

    make: Make
    extend: Callable[[Make], Formula] | None = None
    donkey: Callable[[Make], Formula] | None = None
    topic: str | None = None  # the class of its first thing
    definites: frozenset[str] = frozenset()  # classes said with "the" and nothing more
    noun: Nominal | None = None  # "all of them": which they are
    spelled: Callable[[Callable[[tuple[str, ...]], Formula]], Formula] | None = None


def both(*parts: Formula) -> Formula:
    """The conjunction, without parts that are always true."""
    kept = tuple(part for part in parts if not (isinstance(part, Truth) and part.value))
    if not kept:
        return Truth(True)
    return kept[0] if len(kept) == 1 else And(kept)

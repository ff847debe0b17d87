"""The regular form of English: every formula as a sentence with a letter for every variable and brackets for structure.

Long, but it can say everything, and the grammar reads it back: "there is a ship A such that (...)".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from ..nodes import (
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
    Not,
    Number,
    Or,
    Term,
    Text,
    Truth,
    Variable,
)
from ..printer import number_text, quoted
from ..vocabulary import Vocabulary

COUNTED = {">=": "at least", "<=": "at most", "=": "exactly"}
COMPARED = {
    "=": "equal to", "!=": "different from", ">": "more than", ">=": "at least", "<": "less than", "<=": "at most",
}  # fmt: skip
ARITHMETIC = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}

UNARY = {
    "in_left": "on the left", "in_right": "on the right", "in_top": "at the top", "in_bottom": "at the bottom",
    "in_center": "in the center", "at_border": "at the border", "large": "large", "small": "small",
}  # fmt: skip

# what stands between subject and object, after "is"; those that have a verb of their own below
BINARY = {
    "near": "near", "far": "far from", "inside": "inside", "left_of": "left of", "right_of": "right of",
    "above": "above", "below": "below", "larger": "larger than", "smaller": "smaller than", "parallel": "parallel to",
    "perpendicular": "perpendicular to", "surrounded_by": "surrounded by", "north_of": "north of",
    "south_of": "south of", "east_of": "east of", "west_of": "west of", "same_class": "of the same class as",
}  # fmt: skip
VERBS = {"touches": ("touches", "touch"), "overlaps": ("overlaps", "overlap"), "contains": ("contains", "contain")}
PREPOSITIONS = frozenset(("at", "by", "from", "in", "of", "on", "to", "with"))
GROUPS = {"aligned": "in a row", "clustered": "clustered"}


def letters() -> Iterator[str]:
    """A, B, ... without those that look like a word or a unit, then A1, B1, ..."""
    plain = [letter for letter in "ABCDEFGHJKLNOPQRSTUVWXYZ" if letter not in "MKI"]
    yield from plain
    number = 1
    while True:
        yield from (f"{letter}{number}" for letter in plain)
        number += 1


def article(noun: str) -> str:
    """a ship, an aircraft"""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def relating(name: str) -> str:
    """connected -> connected to; cut_off_from -> cut off from"""
    words = name.split("_")
    return " ".join(words if words[-1] in PREPOSITIONS else (*words, "to"))


def listed(texts: list[str], last: str = "and") -> str:
    """a, b and c"""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}"


class Lettered:
    """Says formulas in the regular form."""

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.unused = letters()

    def said(self, formula: Formula) -> str:
        """The formula as a sentence."""
        return self.sentence(formula, {})

    def sentence(self, formula: Formula, names: Mapping[str, str]) -> str:
        """A sentence; `names` are the letters of the variables bound around it."""
        match formula:
            case Truth(value):
                return "it is always true" if value else "it is never true"
            case Apply():
                return self.applied(formula, names)
            case Compare():
                return self.compared(formula, names)
            case Not(Apply(_, args) as atom) if len(args) < 3 and atom.name not in GROUPS:
                return self.applied(atom, names, denied=True)
            case Not(body):
                return f"it is not true that {self.bracket(body, names)}"
            case And(parts):
                return " and ".join(self.bracket(part, names) for part in parts)
            case Or(parts):
                return " or ".join(self.bracket(part, names) for part in parts)
            case Implies(left, right):
                return f"if {self.bracket(left, names)}, then {self.bracket(right, names)}"
            case Iff(left, right):
                return f"{self.bracket(left, names)} if and only if {self.bracket(right, names)}"
            case Exists(var, body):
                return f"there is {self.things(var, body, names, 'a')}"
            case ExistsCount(op, n, var, body):
                return f"there are {self.things(var, body, names, f'{COUNTED[op]} {n}', plural=True)}"
            case ForAll(var, Implies(Apply(cls, (Variable(name),)), body)) if name == var and self.noun(cls):
                letter = next(self.unused)
                return f"for every {self.noun(cls)} {letter}, {self.bracket(body, {**names, var: letter})}"
            case ForAll(var, body):
                letter = next(self.unused)
                return f"for every thing {letter}, {self.bracket(body, {**names, var: letter})}"
            case _:
                assert_never(formula)

    def bracket(self, formula: Formula, names: Mapping[str, str]) -> str:
        """The sentence, in brackets unless it is a simple one."""
        said = self.sentence(formula, names)
        simple = isinstance(formula, Apply | Truth | Compare) or (
            isinstance(formula, Not) and isinstance(formula.body, Apply)
        )
        return said if simple and not _inner(formula) else f"({said})"

    def noun(self, cls: str, plural: bool = False) -> str | None:
        """The class as a noun; None where it is none."""
        found = self.vocabulary.classes.get(cls)
        if found is None:
            return None
        return found.plural_phrase if plural else found.phrase

    def things(
        self, var: str, body: Formula, names: Mapping[str, str], determiner: str, plural: bool = False
    ) -> str:
        """a ship A such that (...); at least 3 ships A such that (...)"""
        letter = next(self.unused)
        parts = body.parts if isinstance(body, And) else (body,)
        noun, rest = ("things" if plural else "thing"), parts
        match parts[0]:
            case Apply(cls, (Variable(name),)) if name == var and self.noun(cls):
                noun, rest = self.noun(cls, plural) or noun, parts[1:]
        start = f"{determiner} {noun}" if determiner != "a" else article(noun)
        if not determiner:
            start = noun
        inner = {**names, var: letter}
        if not rest:
            return f"{start} {letter}"
        whole = rest[0] if len(rest) == 1 else And(rest)
        return f"{start} {letter} such that ({self.sentence(whole, inner)})"

    def applied(self, atom: Apply, names: Mapping[str, str], denied: bool = False) -> str:
        """A is near B; A touches B; A, B and C are in a row"""
        args = [self.term(arg, names) for arg in atom.args]
        no = " not" if denied else ""
        name = atom.name
        if name in GROUPS:
            return f"{listed(args)} are {GROUPS[name]}"
        if name == "between":
            return f"{args[0]} is between {args[1]} and {args[2]}"
        if name in VERBS and len(args) == 2:
            verb = f"does not {VERBS[name][1]}" if denied else VERBS[name][0]
            return f"{args[0]} {verb} {args[1]}"
        if name in BINARY and len(args) == 2:
            return f"{args[0]} is{no} {BINARY[name]} {args[1]}"
        if name in UNARY:
            return f"{args[0]} is{no} {UNARY[name]}"
        if name in self.vocabulary.classes:
            return f"{args[0]} is{no} {article(self.noun(name) or name)}"
        phrase = name.replace("_", " ")
        if len(args) == 1 and name in self.vocabulary.attributes:
            return f"{args[0]} is{no} {self.vocabulary.attributes[name].phrase}"
        if len(args) == 1:
            return f"{args[0]} is{no} {phrase}"
        if len(args) == 2:
            return f"{args[0]} is{no} {relating(name)} {args[1]}"
        said = f"{phrase} holds of {listed(args)}"
        return f"it is not true that ({said})" if denied else said

    def compared(self, formula: Compare, names: Mapping[str, str]) -> str:
        """the area of A is at least 50 m2; A is the same as B"""
        left, right = self.term(formula.left, names), self.term(formula.right, names)
        if isinstance(formula.left, Variable) and isinstance(formula.right, Variable):
            return f"{left} is {'not ' if formula.op == '!=' else ''}the same as {right}"
        if formula.op == "=" and isinstance(formula.right, Text):
            return f"{left} is {right}"
        return f"{left} is {COMPARED[formula.op]} {right}"

    def term(self, term: Term, names: Mapping[str, str]) -> str:
        """A term."""
        match term:
            case Variable(name):
                return names.get(name, name.upper())
            case Text(value):
                return quoted(value)
            case Number(value, unit):
                return self.number(term) if unit or value >= 0 else ""
            case Arithmetic(op, left, right):
                return f"({self.term(left, names)} {ARITHMETIC[op]} {self.term(right, names)})"
            case Apply("distance", (a, b)):
                return f"the distance between {self.term(a, names)} and {self.term(b, names)}"
            case Apply("center_distance", (a, b)):
                return f"the distance between the centers of {self.term(a, names)} and {self.term(b, names)}"
            case Apply(name, args):
                return f"the {name.replace('_', ' ')} of {self.term(args[0], names)}"
            case Count(var, body):
                return f"the number of {self.things(var, body, names, '', plural=True)}"
            case Cover(var, body):
                return f"the area covered by {self.things(var, body, names, '', plural=True)}"
            case _:
                assert_never(term)

    def number(self, number: Number) -> str:
        """50 m, 5 % of the image, 3"""
        text = number_text(number.value)
        return text if number.unit is None else f"{text} {number.unit}"


def _inner(formula: Formula) -> bool:
    """Whether a comparison has sentences inside."""
    from ..nodes import walk

    return any(isinstance(part, Count | Cover) for part in walk(formula))

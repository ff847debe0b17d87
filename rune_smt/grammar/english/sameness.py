"""When two formulas say the same in other words: a normal form for names, order and the shape of negations.

Sound, not complete: equal keys mean equal verdicts in every scene, all three verdicts; different keys mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import prod
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
    free_variables,
)
from ..printer import number_text
from ..words import RELATIONS, WORDS

MIRROR = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
MOST_CHOICES = 4  # more are not taken apart, nor is what stands DEEPEST quantifiers deep: each "or" doubles the work
DEEPEST = 3
DENIED = {"<": ">=", ">=": "<", "=": "!=", "!=": "="}


def same_meaning(first: Formula, second: Formula) -> bool:
    """Whether the two are seen to say the same."""
    return key(first) == key(second)


def key(formula: Formula) -> str:
    """The normal form as a text."""
    return _key(formula, {}, 0, True)


def _key(formula: Formula, names: Mapping[str, str], depth: int, positive: bool) -> str:
    match formula:
        case Truth(value):
            return "T" if value == positive else "F"
        case Apply():
            text = _applied(formula, names, depth)
            return text if positive else f"~{text}"
        case Compare():
            return _compared(formula, names, depth, positive)
        case Not(body):
            return _key(body, names, depth, not positive)
        case And(parts):
            return _many("&" if positive else "|", [_key(part, names, depth, positive) for part in parts])
        case Or(parts):
            return _many("|" if positive else "&", [_key(part, names, depth, positive) for part in parts])
        case Implies(left, right):
            sides = [_key(left, names, depth, not positive), _key(right, names, depth, positive)]
            return _many("|" if positive else "&", sides)
        case Iff(left, right):
            sides = sorted((_key(left, names, depth, True), _key(right, names, depth, True)))
            return f"{'' if positive else '~'}<->({';'.join(sides)})"
        case Exists(var, body):
            return _some(1, var, body, names, depth, positive)
        case ForAll(var, body):
            return _some(1, var, Not(body), names, depth, not positive)
        case ExistsCount(">=", n, var, body):
            return _some(n, var, body, names, depth, positive)
        case ExistsCount("<=", n, var, body):
            return _some(n + 1, var, body, names, depth, not positive)
        case ExistsCount(_, n, var, body):
            least = _some(n, var, body, names, depth, positive)
            most = _some(n + 1, var, body, names, depth, not positive)
            return _many("&" if positive else "|", [least, most])
        case _:
            assert_never(formula)


def _some(n: int, var: str, body: Formula, names: Mapping[str, str], depth: int, positive: bool) -> str:
    """At least n things are so: exists>=n. What does not speak of the thing stands outside."""
    if n == 0:
        return "T" if positive else "F"
    choices = _disjuncts(body, True)
    if n == 1 and len(choices) > 1:  # exists x (a | b) is exists x (a) | exists x (b)
        split = [_some(1, var, part if sign else Not(part), names, depth, positive) for part, sign in choices]
        return _many("|" if positive else "&", split)
    if n == 1:
        cases = _distributed(body) if depth < DEEPEST else []
        if cases:
            keys = [_some(1, var, case, names, depth, positive) for case in cases]
            return _many("|" if positive else "&", keys)
    inner = {**names, var: f"v{depth}"}
    outside: list[str] = []
    inside: list[str] = []
    for part, sign in _conjuncts(body, True):
        if var in free_variables(part):
            inside.append(_key(part, inner, depth + 1, sign))
        else:
            outside.append(_key(part, names, depth, sign))
    within = _many("&", inside)
    whole = "F" if within == "F" else _many("&", [*outside, f"E{n}[{depth}]({within})"])
    if positive or whole in "TF":
        return whole if positive else {"T": "F", "F": "T"}[whole]
    return f"~({whole})"


def _distributed(body: Formula) -> list[Formula]:
    """(a | b) & c as a & c, b & c; empty where nothing is to be distributed"""
    parts = [part if sign else Not(part) for part, sign in _conjuncts(body, True)]
    choices = [_disjuncts(part, True) for part in parts]
    if not 1 < prod(map(len, choices)) <= MOST_CHOICES:
        return []
    at = next(i for i, several in enumerate(choices) if len(several) > 1)
    rest = (*parts[:at], *parts[at + 1 :])
    return [And((*rest, one if sign else Not(one))) for one, sign in choices[at]]


def _disjuncts(formula: Formula, positive: bool) -> list[tuple[Formula, bool]]:
    """The parts of which one is to hold, each as it is or denied."""
    match formula:
        case Not(body):
            return _disjuncts(body, not positive)
        case Or(parts) if positive:
            return [one for part in parts for one in _disjuncts(part, True)]
        case And(parts) if not positive:
            return [one for part in parts for one in _disjuncts(part, False)]
        case Implies(left, right) if positive:
            return [*_disjuncts(left, False), *_disjuncts(right, True)]
        case _:
            return [(formula, positive)]


def _conjuncts(formula: Formula, positive: bool) -> list[tuple[Formula, bool]]:
    """The parts that are all to hold, each as it is or denied."""
    match formula:
        case Not(body):
            return _conjuncts(body, not positive)
        case And(parts) if positive:
            return [one for part in parts for one in _conjuncts(part, True)]
        case Or(parts) if not positive:
            return [one for part in parts for one in _conjuncts(part, False)]
        case Implies(left, right) if not positive:
            return [*_conjuncts(left, True), *_conjuncts(right, False)]
        case _:
            return [(formula, positive)]


def _parts(text: str, sign: str) -> list[str]:
    """The parts of a joined key: &{...} holds them between line ends of its own level."""
    if not text.startswith(f"{sign}{{"):
        return [text]
    parts: list[str] = []
    depth, start = 0, 2
    quoted = False
    for at in range(2, len(text)):
        char = text[at]
        if char == '"':
            quoted = not quoted
        if quoted:
            continue
        if char in "{([":
            depth += 1
        elif char in "})]":
            if depth == 0:
                parts.append(text[start:at])
                break
            depth -= 1
        elif char == ";" and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return parts


def _many(sign: str, parts: list[str]) -> str:
    neutral, absorbing = ("T", "F") if sign == "&" else ("F", "T")
    flat: set[str] = set()
    for part in parts:
        flat.update(_parts(part, sign))
    flat.discard(neutral)
    if absorbing in flat:
        return absorbing
    if sign == "&":
        flat -= {part for part in flat if part.startswith("~=(") and _needless(part, flat)}
    if not flat:
        return neutral
    return flat.pop() if len(flat) == 1 else f"{sign}{{{';'.join(sorted(flat))}}}"


def _needless(different: str, parts: set[str]) -> bool:
    """x != y beside near(x, y): relations are false of an entity and itself."""
    pair = set(different[3:-1].split(","))
    relations = [part.partition("(") for part in parts]
    return any(pair <= set(args.rstrip(")").split(",")) for name, _, args in relations if name in RELATIONS)


def _applied(formula: Apply, names: Mapping[str, str], depth: int) -> str:
    args = [_term(arg, names, depth) for arg in formula.args]
    word = WORDS.get(formula.name)
    name = formula.name
    if word is not None:
        if word.inverse and word.inverse < name:
            name, args = word.inverse, args[::-1]
        places = tuple(range(len(args))) if word.symmetric else word.swappable
        moved = sorted(args[place] for place in places if place < len(args))
        for place, arg in zip(places, moved, strict=False):
            args[place] = arg
    return f"{name}({','.join(args)})"


def _compared(formula: Compare, names: Mapping[str, str], depth: int, positive: bool) -> str:
    left, right = _term(formula.left, names, depth), _term(formula.right, names, depth)
    op: str = formula.op
    left, right = _reduced(formula.left, formula.right, left, right, names, depth)
    if op in (">", "<="):  # only < and >= are kept
        op, left, right = MIRROR[op], right, left
    if not positive:
        op = DENIED[op]
    if op == ">=":
        op, denied = "<", True
    elif op == "!=":
        op, denied = "=", True
    else:
        denied = False
    if op == "=":
        left, right = sorted((left, right))
    return f"{'~' if denied else ''}{op}({left},{right})"


def _reduced(a: Term, b: Term, left: str, right: str, names: Mapping[str, str], depth: int) -> tuple[str, str]:
    """10 * count ... against 6 * count ...: 5 and 3"""
    match a, b:
        case Arithmetic("*", Number(p, None), Count() as first), Arithmetic("*", Number(q, None), Count() as second):
            if p > 0 and q > 0:
                ratio = Fraction(p) / Fraction(q)
                sides = ((ratio.numerator, first), (ratio.denominator, second))
                told = [_term(Arithmetic("*", Number(Decimal(k)), term), names, depth) for k, term in sides]
                return told[0], told[1]
    return left, right


def _term(term: Term, names: Mapping[str, str], depth: int) -> str:
    match term:
        case Variable(name):
            return names.get(name, f"free_{name}")
        case Text(value):
            return '"' + "".join(f"u{ord(char):x}_" for char in value) + '"'
        case Number(value, unit):
            return f"{number_text(Decimal(value))}{unit or ''}"
        case Apply():
            return _applied(term, names, depth)
        case Arithmetic(op, left, right):
            sides = [_term(left, names, depth), _term(right, names, depth)]
            return f"({op};{';'.join(sides)})"
        case Count(var, body) | Cover(var, body):
            sign = "C" if isinstance(term, Count) else "U"
            return f"{sign}[{depth}]({_key(body, {**names, var: f'v{depth}'}, depth + 1, True)})"
        case _:
            assert_never(term)

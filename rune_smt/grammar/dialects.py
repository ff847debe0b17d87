"""A formula in the spelling of a dialect; what any of them prints, the reader reads back to the same formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from .nodes import (
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
from .printer import CANONICAL, Spelling, canonical_names, number_text, quoted, written

UNICODE = Spelling(
    conjunction="∧", disjunction="∨", implication="→", equivalence="↔", negation="¬", exists="∃", forall="∀",
    count_operators=((">=", "∃≥{} "), ("<=", "∃≤{} "), ("=", "∃={} ")),
    comparisons=(("!=", "≠"), ("<=", "≤"), (">=", "≥")), true="⊤", false="⊥", count="|{{{} : {}}}|",
)  # fmt: skip
ASCII_WORDS = replace(
    CANONICAL, conjunction="and", disjunction="or", implication="implies", equivalence="iff", negation="not "
)
PROVER = replace(
    CANONICAL, negation="-", forall="all ", count="count {} ({})",
)  # fmt: skip
LATEX = Spelling(
    conjunction=r"\land", disjunction=r"\lor", implication=r"\rightarrow", equivalence=r"\leftrightarrow",
    negation=r"\lnot ", exists=r"\exists ", forall=r"\forall ",
    count_operators=((">=", r"\exists_{{\geq {}}} "), ("<=", r"\exists_{{\leq {}}} "), ("=", r"\exists_{{= {}}} ")),
    comparisons=(("!=", r"\neq"), ("<=", r"\leq"), (">=", r"\geq")), true=r"\top", false=r"\bot",
    count=r"|\{{{} \mid {}\}}|", body=r"\,({})", unit=r"{}\,{}", name=(("_", r"\_"),), function=r"\mathrm{{{}}}",
    percent=r"\%",
)  # fmt: skip


def render(formula: Formula, dialect: str) -> str:
    """The text of `formula` in a dialect of DIALECTS, with bound variables x1, x2, ... ValueError for another name."""
    if dialect not in DIALECTS:
        raise ValueError(f"no dialect {dialect!r}; there are {', '.join(DIALECTS)}")
    return DIALECTS[dialect](canonical_names(formula))


def _infix(spelling: Spelling) -> Callable[[Formula], str]:
    return lambda formula: written(formula, spelling)


# --- TPTP -------------------------------------------------------------------------------------------------------------

_TPTP_COMPARISONS = {"<": "$less", "<=": "$lesseq", ">": "$greater", ">=": "$greatereq"}
_TPTP_ARITHMETIC = {"+": "$sum", "-": "$difference", "*": "$product", "/": "$quotient"}
_TPTP_COUNTS = {">=": "$$at_least", "<=": "$$at_most", "=": "$$exactly"}


def tptp(formula: Formula, bound: frozenset[str] = frozenset()) -> str:
    """TPTP first-order form; counts, covers and units as system words: $$count(^ [X] : (...)), $$m(50)."""
    match formula:
        case Truth(value):
            return "$true" if value else "$false"
        case Apply():
            return _tptp_term(formula, bound)
        case Compare("=" | "!=" as op, left, right):
            return f"{_tptp_term(left, bound)} {op} {_tptp_term(right, bound)}"
        case Compare(op, left, right):
            return f"{_TPTP_COMPARISONS[op]}({_tptp_term(left, bound)}, {_tptp_term(right, bound)})"
        case Not(body):
            return f"~ {_tptp_unit(body, bound)}"
        case And(parts) | Or(parts):
            texts = []
            for part in parts:
                texts.append(_tptp_unit(part, bound))
            return (" & " if isinstance(formula, And) else " | ").join(texts)
        case Implies(left, right):
            return f"{_tptp_unit(left, bound)} => {_tptp_unit(right, bound)}"
        case Iff(left, right):
            return f"{_tptp_unit(left, bound)} <=> {_tptp_unit(right, bound)}"
        case Exists(var, body) | ForAll(var, body):
            mark = "?" if isinstance(formula, Exists) else "!"
            return f"{mark} [{var.capitalize()}] : ({tptp(body, bound | {var})})"
        case ExistsCount(op, n, var, body):
            return f"{_TPTP_COUNTS[op]}({n}, {_tptp_lambda(var, body, bound)})"
        case _:
            assert_never(formula)


def _tptp_unit(formula: Formula, bound: frozenset[str]) -> str:
    text = tptp(formula, bound)
    return f"({text})" if isinstance(formula, And | Or | Implies | Iff) else text


def _tptp_lambda(var: str, body: Formula, bound: frozenset[str]) -> str:
    return f"^ [{var.capitalize()}] : ({tptp(body, bound | {var})})"


def _tptp_term(term: Term, bound: frozenset[str]) -> str:
    match term:
        case Variable(name):
            return name.capitalize() if name in bound else name
        case Text(value):
            return quoted(value)
        case Number(value, unit):
            digits = number_text(value)
            return digits if unit is None else f"$${'percent' if unit == '%' else unit}({digits})"
        case Apply(name, args):
            texts = []
            for arg in args:
                texts.append(_tptp_term(arg, bound))
            return f"{name}({', '.join(texts)})"
        case Arithmetic(op, left, right):
            return f"{_TPTP_ARITHMETIC[op]}({_tptp_term(left, bound)}, {_tptp_term(right, bound)})"
        case Count(var, body):
            return f"$$count({_tptp_lambda(var, body, bound)})"
        case Cover(var, body):
            return f"$$cover({_tptp_lambda(var, body, bound)})"
        case _:
            assert_never(term)


# --- S-expressions ----------------------------------------------------------------------------------------------------


def sexpr(node: Formula | Term) -> str:
    """S-expressions in SMT-LIB's manner; counts as (exists>= 3 (x) ...) and (count (x) ...), quantities as (_ m 50)."""
    match node:
        case Truth(value):
            return "true" if value else "false"
        case Variable(name):
            return name
        case Text(value):
            return quoted(value)
        case Number(value, unit):
            return _sexpr_number(value, unit)
        case Apply(name, args):
            return _listed(name, args)
        case Compare(op, left, right):
            return _listed(op, (left, right))
        case Arithmetic(op, left, right):
            return _listed(op, (left, right))
        case Not(body):
            return _listed("not", (body,))
        case And(parts):
            return _listed("and", parts)
        case Or(parts):
            return _listed("or", parts)
        case Implies(left, right):
            return _listed("=>", (left, right))
        case Iff(left, right):
            return _listed("iff", (left, right))
        case Exists(var, body):
            return f"(exists ({var}) {sexpr(body)})"
        case ForAll(var, body):
            return f"(forall ({var}) {sexpr(body)})"
        case ExistsCount(op, n, var, body):
            return f"(exists{op} {n} ({var}) {sexpr(body)})"
        case Count(var, body):
            return f"(count ({var}) {sexpr(body)})"
        case Cover(var, body):
            return f"(cover ({var}) {sexpr(body)})"
        case _:
            assert_never(node)


def _listed(head: str, parts: tuple[Formula | Term, ...]) -> str:
    texts = [head]
    for part in parts:
        texts.append(sexpr(part))
    return f"({' '.join(texts)})"


def _sexpr_number(value: Decimal, unit: str | None) -> str:
    return number_text(value) if unit is None else f"(_ {unit} {number_text(value)})"


DIALECTS: Mapping[str, Callable[[Formula], str]] = {
    "canonical": written,
    "unicode": _infix(UNICODE),
    "ascii-words": _infix(ASCII_WORDS),
    "prover": _infix(PROVER),
    "latex": _infix(LATEX),
    "tptp": tptp,
    "sexpr": sexpr,
}

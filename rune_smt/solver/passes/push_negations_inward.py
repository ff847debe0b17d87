"""Negation normal form, as far as it doubles nothing."""

from dataclasses import replace

from ...grammar.nodes import (
    And,
    Apply,
    Compare,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Truth,
    conjunction,
    disjunction,
    map_formulas,
    walk,
)
from ..numbers import OPPOSITE


def push_negations_inward(formula: Formula) -> Formula:
    """~(a & b) -> ~a | ~b;   ~(exists x (a)) -> forall x (~a);   ~~a -> a;   ~(s < t) -> s >= t

    ~(a <-> b) -> ~a <-> b;   ~(exists>=N x (a)) -> exists<=N-1 x (a);   ~(exists<=N x (a)) -> exists>=N+1 x (a)
    """
    if not isinstance(formula, Not):
        return map_formulas(push_negations_inward, formula)
    body = formula.body
    match body:
        case Truth(value):
            return replace(body, value=not value)
        case Apply():
            return formula
        case Compare(op, _, _):
            return map_formulas(push_negations_inward, replace(body, op=OPPOSITE[op]))
        case Not(inner):
            return push_negations_inward(inner)
        case And(parts):
            return disjunction(push_negations_inward(Not(part, part.span)) for part in parts)
        case Or(parts):
            return conjunction(push_negations_inward(Not(part, part.span)) for part in parts)
        case Implies(left, right):
            return conjunction((push_negations_inward(left), push_negations_inward(Not(right, right.span))))
        case Iff(left, right):
            return Iff(push_negations_inward(Not(left, left.span)), push_negations_inward(right), body.span)
        case Exists(var, inner):
            return ForAll(var, push_negations_inward(Not(inner, inner.span)), body.span)
        case ForAll(var, inner):
            return Exists(var, push_negations_inward(Not(inner, inner.span)), body.span)
        case ExistsCount(">=", 0):
            return Truth(False, body.span)
        case ExistsCount(">=", n, var, inner):
            return ExistsCount("<=", n - 1, var, push_negations_inward(inner), body.span)
        case ExistsCount("<=", n, var, inner):
            return ExistsCount(">=", n + 1, var, push_negations_inward(inner), body.span)
        case ExistsCount():
            return replace(formula, body=map_formulas(push_negations_inward, body))
        case _:
            raise TypeError(f"not a formula: {type(body).__name__}")


def is_negation_normal(formula: Formula) -> bool:
    """`~` only in front of applications and `exists=N`, the one quantifier whose negation would double its body."""

    def fits(body: Formula) -> bool:
        return isinstance(body, Apply) or (isinstance(body, ExistsCount) and body.op == "=")

    return all(fits(node.body) for node in walk(formula) if isinstance(node, Not))

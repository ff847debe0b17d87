"""Counting quantifiers that say no more than the plain ones."""

from ...grammar.nodes import Exists, ExistsCount, ForAll, Formula, Not, Truth, map_formulas, walk
from .push_negations_inward import push_negations_inward


def simplify_quantifiers(formula: Formula) -> Formula:
    """exists>=1 x (a) -> exists x (a);   exists<=0 x (a), exists=0 x (a) -> forall x (~a);   exists>=0 x (a) -> true"""
    inner = map_formulas(simplify_quantifiers, formula)
    match inner:
        case ExistsCount(">=", 0, _, _):
            return Truth(True, inner.span)
        case ExistsCount(">=", 1, var, body):
            return Exists(var, body, inner.span)
        case ExistsCount("<=" | "=", 0, var, body):
            return ForAll(var, push_negations_inward(Not(body, body.span)), inner.span)
        case _:
            return inner


def has_simple_quantifiers(formula: Formula) -> bool:
    """Every counting quantifier has N >= 1, and N >= 2 under `>=`."""
    counting = (node for node in walk(formula) if isinstance(node, ExistsCount))
    return all(node.n >= (2 if node.op == ">=" else 1) for node in counting)

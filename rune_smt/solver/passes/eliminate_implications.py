"""Implication written with negation and disjunction."""

from ...grammar.nodes import Formula, Implies, Not, disjunction, map_formulas, walk


def eliminate_implications(formula: Formula) -> Formula:
    """a -> b   becomes   ~a | b

    `<->` stays: written out it would double both its sides, and every engine evaluates it as it is.
    """
    inner = map_formulas(eliminate_implications, formula)
    if isinstance(inner, Implies):
        return disjunction((Not(inner.left, inner.left.span), inner.right))
    return inner


def is_without_implications(formula: Formula) -> bool:
    """No `->` anywhere."""
    return not any(isinstance(node, Implies) for node in walk(formula))

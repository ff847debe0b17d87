"""Quantifiers as far inside as they go: what speaks of fewer variables is then evaluated once, not per binding."""

from ...grammar.nodes import (
    And,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Not,
    Or,
    Truth,
    conjunction,
    disjunction,
    free_variables,
    map_formulas,
    walk,
)


def miniscope(formula: Formula) -> Formula:
    """exists x (a & b) -> a & exists x (b);   forall x (a | b) -> a | forall x (b)        where x is not free in a

    exists x (a | b) -> exists x (a) | exists x (b);   forall x (a & b) -> forall x (a) & forall x (b)
    exists>=N x (a & b) -> a & exists>=N x (b) for N >= 1;   exists<=N x (a & b) -> ~a | exists<=N x (b)
    exists x (a) -> a & exists x (true);   forall x (a) -> a | forall x (false)
    Never: exists x (a | b) -> a | exists x (b), for the scene may be empty (LANGUAGE, section 12).
    """
    inner = map_formulas(miniscope, formula)
    match inner:
        case Exists(var, Or(parts)):
            return disjunction(_pull_out(Exists(var, part, inner.span)) for part in parts)
        case ForAll(var, And(parts)):
            return conjunction(_pull_out(ForAll(var, part, inner.span)) for part in parts)
        case Exists() | ForAll() | ExistsCount():
            return _pull_out(inner)
        case _:
            return inner


def _pull_out(quantified: Exists | ForAll | ExistsCount) -> Formula:
    """The parts that do not speak of the variable, taken out of its scope; what stays is miniscoped again.

    Where no part speaks of it, `exists x (true)` or its like stays behind: it says that the scene is not empty.
    """
    var, body, span = quantified.var, quantified.body, quantified.span
    outside, inside = _apart(var, body, Or if isinstance(quantified, ForAll) else And)
    if not outside:
        return quantified
    match quantified:
        case Exists():
            return conjunction((*outside, miniscope(Exists(var, conjunction(inside), span))))
        case ForAll():
            return disjunction((*outside, miniscope(ForAll(var, disjunction(inside), span))))
        case ExistsCount(">=", n) if n >= 1:
            return conjunction((*outside, ExistsCount(">=", n, var, conjunction(inside), span)))
        case ExistsCount("<=", n):
            return disjunction((Not(conjunction(outside)), ExistsCount("<=", n, var, conjunction(inside), span)))
        case _:
            return quantified


def _apart(var: str, body: Formula, kind: type[And] | type[Or]) -> tuple[list[Formula], list[Formula]]:
    """The parts of the body without and with the variable; constants stay inside."""
    parts: tuple[Formula, ...] = body.parts if isinstance(body, kind) else (body,)
    outside: list[Formula] = [p for p in parts if var not in free_variables(p) and not isinstance(p, Truth)]
    return outside, [part for part in parts if part not in outside]


def is_miniscoped(formula: Formula) -> bool:
    """No quantifier could be moved further in by the rules above."""
    return all(miniscope(node) == node for node in walk(formula) if isinstance(node, Exists | ForAll | ExistsCount))

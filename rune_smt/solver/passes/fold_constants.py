"""true and false taken as far up as they go."""

from ...grammar.nodes import (
    And,
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


def fold_constants(formula: Formula) -> Formula:
    """a & true -> a;   a & false -> false;   true <-> a -> a;   exists x (false) -> false;   forall x (true) -> true

    `exists x (true)` stays, for a scene may be empty.
    """
    inner = map_formulas(fold_constants, formula)
    match inner:
        case Not(Truth(value)):
            return Truth(not value, inner.span)
        case And(parts):
            if any(part == Truth(False) for part in parts):
                return Truth(False, inner.span)
            return conjunction(part for part in parts if part != Truth(True))
        case Or(parts):
            if any(part == Truth(True) for part in parts):
                return Truth(True, inner.span)
            return disjunction(part for part in parts if part != Truth(False))
        case Implies(Truth(value), right):
            return right if value else Truth(True, inner.span)
        case Implies(left, Truth(value)):
            return Truth(True, inner.span) if value else fold_constants(Not(left, left.span))
        case Iff(Truth(value), other) | Iff(other, Truth(value)):
            return other if value else fold_constants(Not(other, other.span))
        case Exists(_, Truth(False)):
            return Truth(False, inner.span)
        case ForAll(_, Truth(True)):
            return Truth(True, inner.span)
        case ExistsCount(op, n, _, Truth(False)):
            return Truth(op == "<=" or n == 0, inner.span)
        case _:
            return inner


def is_folded(formula: Formula) -> bool:
    """true and false only as the whole formula, the body of a quantifier that needs it, or of a count or cover."""
    return fold_constants(formula) == formula and not any(
        isinstance(part, Truth)
        for node in walk(formula)
        if isinstance(node, And | Or)
        for part in node.parts
    )

"""What was spoken of before: the things of a formula that can be named again, and formulas that go on inside another.

"a ship near a harbor, and the harbor is large" is no conjunction of two closed formulas: the second speaks of what the
first binds. exists x (a) & b(x), said in this order, is exists x (a & b(x)), and exists x (a) -> b(x) is
forall x (a -> b(x)). Jeroen Groenendijk and Martin Stokhof, Dynamic predicate logic, Linguistics and Philosophy 14
(1991).
"""

from __future__ import annotations

from collections.abc import Iterator

from ..nodes import And, Exists, ForAll, Formula, Implies, Truth, free_variables
from .meaning import both


def spoken_of(formula: Formula) -> dict[str, None]:
    """The variables that what follows may speak of: bound by exists, with nothing but & and exists around; in order."""
    return dict.fromkeys(part for part in _walk(formula) if isinstance(part, str))


def said(formula: Formula) -> frozenset[Formula]:
    """What is said of these variables, as parts of the conjunctions around."""
    return frozenset(part for part in _walk(formula) if not isinstance(part, str))


def _walk(formula: Formula) -> Iterator[str | Formula]:
    match formula:
        case Exists(x, body):
            yield x
            yield from _walk(body)
        case And(parts):
            for part in parts:
                yield from _walk(part)
        case _:
            yield formula


def go_on(first: Formula, then: Formula, implied: bool = False) -> Formula:
    """first & then, or first -> then, the second inside the quantifiers of the first whose variables it speaks of."""
    needed = free_variables(then)
    match first:
        case Exists(x, body) if needed & {x, *spoken_of(body)}:
            return (ForAll if implied else Exists)(x, go_on(body, then, implied), first.span)
        case And(parts):
            holders = [part for part in parts if needed & spoken_of(part).keys()]
            for part in reversed(holders):
                then = go_on(part, then, implied)
            others = both(*(part for part in parts if part not in holders)) if holders else first
            return _joined(others, then, implied)
        case _:
            return _joined(first, then, implied)


def _joined(first: Formula, then: Formula, implied: bool) -> Formula:
    if not implied:
        return both(first, then)
    return then if isinstance(first, Truth) and first.value else Implies(first, then)

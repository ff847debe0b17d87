"""Whether a term is an area: of what a percentage beside it is a share (LANGUAGE, section 4)."""

from __future__ import annotations

from ..grammar.nodes import Apply, Arithmetic, Cover, Number, Term
from ..grammar.words import WORDS


def is_area(term: Term) -> bool:
    """True for an area, of which N % is a share of the image's area; else it is a length, and the image's diagonal."""
    return _power(term) == 2


def _power(term: Term) -> int:
    """How many lengths are multiplied."""
    match term:
        case Number(_, "px2" | "m2" | "ha" | "km2") | Cover():
            return 2
        case Number(_, "px" | "m" | "km"):
            return 1
        case Apply(name):
            return {"area": 2, "length": 1}.get(WORDS[name].dimension, 0) if name in WORDS else 0
        case Arithmetic("*", left, right):
            return _power(left) + _power(right)
        case Arithmetic("/", left, _):
            return _power(left)
        case Arithmetic(_, left, right):
            return max(_power(left), _power(right))
        case _:
            return 0

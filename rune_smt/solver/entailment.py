"""What is true of queries in all scenes: refuted by Z3 over the laws (proved), or not known.

`refuted` is the only way to *proved*: Z3 found the formula unsatisfiable in `abstract`'s theory, with entities and
without. Its budget is Z3's own count of steps, not time, so the same question gets the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..grammar.nodes import (
    And,
    Apply,
    Compare,
    Formula,
    Iff,
    Not,
    Or,
    Text,
    Variable,
    map_formulas,
)
from ..grammar.printer import canonical, canonical_names, term_text
from ..grammar.words import WORDS
from .clauses import ClauseForm, relax, replace_literals
from .normalise import normalise

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

SEED = 1
STEPS = 1_000_000  # Z3's resource units for one refutation, half of them without the ties of counts
LONGEST_MS = 20_000  # a last resort where a step takes far longer than it should
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}


def refuted(formulas: Iterable[Formula], vocabulary: Vocabulary, steps: int = STEPS) -> bool:
    """Whether the formulas, closed and without definitions, are proved to be satisfied together in no scene.

    steps  Z3's resource units; False when they run out, as when the formulas can hold together
    """
    asked = tuple(canonical_names(formula) for formula in formulas)
    key = tuple(canonical(formula) for formula in asked)
    return _refuted(key, _Asked(asked, vocabulary), steps)


class _Asked:
    """Formulas and vocabulary, the same for the memo as any other with the same vocabulary."""

    def __init__(self, formulas: tuple[Formula, ...], vocabulary: Vocabulary):
        self.formulas = formulas
        self.vocabulary = vocabulary

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Asked) and self.vocabulary == other.vocabulary

    def __hash__(self) -> int:
        return hash(self.vocabulary)


@lru_cache(maxsize=1024)
def _refuted(key: tuple[str, ...], asked: _Asked, steps: int) -> bool:
    from .abstract import Theory

    for without_entities in (True, False):
        theory = Theory(asked.vocabulary, without_entities=without_entities)
        if not _unsatisfiable(theory, asked.formulas, steps):
            return False
    return True


def _unsatisfiable(theory: Any, formulas: tuple[Formula, ...], steps: int) -> bool:
    """Tried as written, then normalised, then with the ties between counts: each finds what the others may miss."""
    import z3

    solver = z3.SimpleSolver(ctx=theory.context)
    for name, value in (("rlimit", max(steps // 2, 1)), ("timeout", LONGEST_MS), ("random_seed", SEED)):
        solver.set(name, value)
    solver.add([theory.formula(formula) for formula in formulas])
    if theory.without_entities:
        solver.add(theory.laws())
        return bool(solver.check() == z3.unsat)
    solver.add([theory.formula(normalise(formula)) for formula in formulas])
    solver.push()
    solver.add(theory.laws())
    said = solver.check()
    if said == z3.unsat:
        return True
    ties = theory.ties()
    if not ties:
        return False
    solver.pop()
    solver.add(ties)
    solver.add(theory.laws())  # the ties may speak of words and numbers not seen before
    return bool(solver.check() == z3.unsat)


# --- equal without a solver -------------------------------------------------------------------------------------------


def same_by_form(one: Formula, other: Formula) -> bool:
    """Whether two formulas are equal up to bound names, or have one normal form."""
    if canonical_names(one) == canonical_names(other):
        return True
    return canonical(ordered(normalise(one))) == canonical(ordered(normalise(other)))


def ordered(formula: Formula) -> Formula:
    """The parts of & and | and of symmetric words in one order, each part once.

    a & b & a -> a & b;   near(y, x) -> near(x, y);   contains(x, y) -> inside(y, x);   a > b -> b < a
    """
    match formula:
        case Apply(name, args) if name in WORDS and WORDS[name].inverse is not None:
            inverse = WORDS[name].inverse
            if inverse is not None and inverse < name:
                return Apply(inverse, (args[1], args[0]))
            return formula
        case Apply(name, args) if name in WORDS and (WORDS[name].symmetric or WORDS[name].swappable):
            places = tuple(range(len(args))) if WORDS[name].symmetric else WORDS[name].swappable
            moved = iter(sorted((args[i] for i in places), key=term_text))
            return Apply(name, tuple(next(moved) if i in places else arg for i, arg in enumerate(args)))
        case Compare(op, left, right):
            inner = map_formulas(ordered, formula)
            assert isinstance(inner, Compare)
            swap = op in (">", ">=") or (op in ("=", "!=") and _turns(inner))
            return Compare(FLIPPED[op], inner.right, inner.left) if swap else inner  # type: ignore[arg-type]
        case And(parts):
            return _sorted(And, parts)
        case Or(parts):
            return _sorted(Or, parts)
        case Iff(left, right):
            one, two = sorted((ordered(left), ordered(right)), key=_shape)
            return Iff(one, two)
        case _:
            return map_formulas(ordered, formula)


def _turns(comparison: Compare) -> bool:
    left, right = comparison.left, comparison.right
    if isinstance(left, Variable | Text) and isinstance(right, Variable | Text):
        return term_text(right) < term_text(left)
    return False


def _sorted(kind: type[And] | type[Or], parts: tuple[Formula, ...]) -> Formula:
    changed = {canonical(each): each for each in (ordered(part) for part in parts)}
    if len(changed) == 1:
        return next(iter(changed.values()))
    return kind(tuple(sorted(changed.values(), key=_shape)))


def _shape(formula: Formula) -> str:
    """A key that bound names do not change."""
    return canonical(formula)


# --- questions --------------------------------------------------------------------------------------------------------


def implies(one: Formula, other: Formula, vocabulary: Vocabulary, steps: int = STEPS) -> bool:
    """Whether it is proved that every scene which satisfies `one` satisfies `other`."""
    return same_by_form(one, other) or refuted((one, Not(other)), vocabulary, steps)


def contradictory_core(form: ClauseForm, vocabulary: Vocabulary, steps: int = STEPS) -> frozenset[int] | None:
    """A set of clauses proved contradictory with all others relaxed, from which none could be left out in a proof.

    None where the whole form is not proved contradictory. Clauses are tried from the last to the first, so that the
    earlier ones stay (deletion, as in Dershowitz, Hanna, Nadel, A scalable algorithm for minimal unsatisfiable core
    extraction, SAT 2006).
    """
    keep = form.every
    if not refuted((relax(form, keep),), vocabulary, steps):
        return None
    return shrunk(keep, lambda fewer: refuted((relax(form, fewer),), vocabulary, steps))


def shrunk(keep: frozenset[int], stays: Callable[[frozenset[int]], bool]) -> frozenset[int]:
    """A subset for which `stays` holds and for none that lacks one more member; halves are tried before members."""
    chunk = len(keep) // 2
    while chunk > 1:
        for start in range(0, len(keep), chunk):
            fewer = keep - frozenset(sorted(keep, reverse=True)[start : start + chunk])
            if stays(fewer):
                keep = fewer
                break
        else:
            chunk //= 2
            continue
        chunk = min(chunk, len(keep) // 2)
    for clause in sorted(keep, reverse=True):
        if stays(keep - {clause}):
            keep -= {clause}
    return keep


def with_constant(form: ClauseForm, clause: int, easier: bool) -> Formula:
    """The form with the constant in the place of one clause that makes the query easier, or harder."""
    from ..grammar.nodes import Truth

    def choose(literal: Formula, at: int) -> Formula:
        occurrence = form.occurrences[at]
        return Truth(occurrence.positive == easier) if clause in occurrence.clauses else literal

    return replace_literals(form, choose)

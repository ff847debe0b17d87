"""Z3 over one scene: the expanded query as ground terms, its clauses tracked by assumptions.

What Z3 is given is the term that `ground` leaves: atoms are truth values already, and a literal that fails stands as
"its clause is relaxed". Under the assumptions that the clauses kept are not relaxed it is satisfiable exactly if the
relaxed query holds at the level it was expanded for; an unsatisfiable core is a set of clauses that stop it together.
Terms are made through Z3's C interface: its Python classes cost ten times as much a node.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from z3 import z3core as c
from z3 import z3types

from ..errors import LimitError
from ..grammar.nodes import Formula
from ..verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict
from .clauses import ClauseForm, clause_form
from .decompose import decompose
from .expand import MAX_CELLS, Domain, guarded
from .ground import AtLeast, Every, Ground, Relaxed, Some, Term, expanded
from .normalise import normalise
from .world import World

SEED = 1  # the same question gets the same answer
TIME_LIMIT_MS = 10_000
MAX_WEIGHT = 2**30  # Z3's pseudo-boolean sums take machine integers; larger ones are written with its whole numbers

_L_FALSE, _L_TRUE = -1, 1  # Z3_lbool


@dataclass(frozen=True, slots=True)
class Answer:
    """What Z3 said of the clauses that were kept.

    satisfiable  the query, all other clauses relaxed, holds at the level asked for
    core         clauses among those kept that cannot hold together, where it is not; not promised to be minimal
    """

    satisfiable: bool
    core: frozenset[int]


class Tracked:
    """A ground term in a Z3 solver, each clause a proposition. Not to be shared between threads."""

    def __init__(self, ground: Ground, clauses: Iterable[int], time_limit_ms: int = TIME_LIMIT_MS):
        self._z3 = _context()
        self.time_limit_ms = time_limit_ms
        self._kept = {clause: self._z3.proposition(clause) for clause in clauses}
        self._solver = self._z3.solver(time_limit_ms)
        self._z3.assert_term(self._solver, ground)

    def __del__(self) -> None:
        solver = getattr(self, "_solver", None)
        if solver is not None:
            self._z3.release(solver)

    def check(self, keep: Iterable[int]) -> Answer:
        """Whether the query holds with every clause outside of `keep` relaxed. raises LimitError when time runs out."""
        said, core = self._z3.check(self._solver, [self._kept[clause] for clause in sorted(keep)])
        if said == _L_TRUE:
            return Answer(True, frozenset())
        if said == _L_FALSE:
            return Answer(False, core)
        raise LimitError(f"Z3 gave no answer within {self.time_limit_ms / 1000:g} s.")


def decide(
    formula: Formula, world: World, *, time_limit_ms: int = TIME_LIMIT_MS, max_cells: int = MAX_CELLS
) -> Verdict:
    """The verdict of a closed formula without definitions in a scene, by Z3: closed parts apart, combined by Kleene.

    raises LimitError, before anything is built, where a part expands to more than `max_cells` ground instances, and
    when Z3 reaches its time limit
    """
    parts = decompose(normalise(formula), world.scene.table.classes, world.vocabulary)
    domains = guarded(world, world.scene.table.classes)
    verdicts = {
        part.formula: decide_part(part.formula, world, domains, time_limit_ms, max_cells) for part in parts.components
    }
    return parts.combine(verdicts)


def decide_part(
    formula: Formula, world: World, domain: Domain | None = None, time_limit_ms: int = TIME_LIMIT_MS,
    max_cells: int = MAX_CELLS,
) -> Verdict:  # fmt: skip
    """The verdict of one closed formula: satisfied if it holds at sure, violated if it does not hold at open."""
    form = clause_form(formula, halves=False)
    sure = expanded(form, world, "sure", domain, max_cells)
    if Tracked(sure, form.every, time_limit_ms).check(form.every).satisfiable:
        return SATISFIED
    possible = expanded(form, world, "open", domain, max_cells)
    return UNDECIDED if Tracked(possible, form.every, time_limit_ms).check(form.every).satisfiable else VIOLATED


def tracked_form(form: ClauseForm, world: World, time_limit_ms: int = TIME_LIMIT_MS) -> Tracked:
    """A form at level open: unsatisfiable under the kept clauses exactly if the relaxed query is violated."""
    return Tracked(expanded(form, world, "open"), form.every, time_limit_ms)


# --- the C interface --------------------------------------------------------------------------------------------------


class _Z3:
    """One context, and the few calls that are made of it."""

    def __init__(self) -> None:
        config = c.Z3_mk_config()
        self.context = c.Z3_mk_context_rc(config)
        c.Z3_del_config(config)
        self.boolean = self._keep(c.Z3_mk_bool_sort(self.context))
        self.whole = self._keep(c.Z3_mk_int_sort(self.context))
        self.true = self._keep(c.Z3_mk_true(self.context))
        self.false = self._keep(c.Z3_mk_false(self.context))
        self._propositions: dict[int, Any] = {}
        self._clauses: dict[int, int] = {}

    def _keep(self, made: Any) -> Any:
        c.Z3_inc_ref(self.context, made)
        return made

    def proposition(self, clause: int) -> Any:
        """The proposition that a clause is kept; the same term every time."""
        if clause not in self._propositions:
            symbol = c.Z3_mk_int_symbol(self.context, clause)
            made = self._keep(c.Z3_mk_const(self.context, symbol, self.boolean))
            self._propositions[clause] = made
            self._clauses[c.Z3_get_ast_id(self.context, made)] = clause
        return self._propositions[clause]

    def solver(self, time_limit_ms: int) -> Any:
        """A solver with the seed and the time limit; to be released."""
        solver = c.Z3_mk_simple_solver(self.context)
        c.Z3_solver_inc_ref(self.context, solver)
        params = c.Z3_mk_params(self.context)
        c.Z3_params_inc_ref(self.context, params)
        for name, value in (("random_seed", SEED), ("timeout", time_limit_ms)):
            c.Z3_params_set_uint(self.context, params, c.Z3_mk_string_symbol(self.context, name), value)
        c.Z3_solver_set_params(self.context, solver, params)
        c.Z3_params_dec_ref(self.context, params)
        return solver

    def release(self, solver: Any) -> None:
        """Lets a solver go."""
        c.Z3_solver_dec_ref(self.context, solver)

    def assert_term(self, solver: Any, ground: Ground) -> None:
        """Asserts the ground term; its parts are made from the lowest number upwards."""
        made: list[Any] = []
        for term in ground.terms[: ground.root + 1]:
            made.append(self._term(term, made))
        c.Z3_solver_assert(self.context, solver, made[ground.root])
        for term in made:
            c.Z3_dec_ref(self.context, term)

    def _term(self, term: Term, made: Sequence[Any]) -> Any:
        """A term, its reference counted: Z3 frees at the next call what nobody holds."""
        match term:
            case bool():
                return self._keep(self.true if term else self.false)
            case Relaxed(clause):
                return self._keep(c.Z3_mk_not(self.context, self.proposition(clause)))
            case Every(parts):
                each = _array([made[part] for part in sorted(parts)])
                return self._keep(c.Z3_mk_and(self.context, len(parts), each))
            case Some(parts):
                each = _array([made[part] for part in sorted(parts)])
                return self._keep(c.Z3_mk_or(self.context, len(parts), each))
            case AtLeast(threshold, weights):
                return self._at_least(threshold, weights, made)

    def _at_least(self, threshold: int, weights: Sequence[tuple[int, int]], made: Sequence[Any]) -> Any:
        if sum(weight for _, weight in weights) < MAX_WEIGHT:  # a threshold above the sum is false already
            amounts = (ctypes.c_int * len(weights))(*(weight for _, weight in weights))
            terms = _array([made[part] for part, _ in weights])
            return self._keep(c.Z3_mk_pbge(self.context, len(weights), terms, amounts, threshold))
        return self._sum_reaches(threshold, [(made[part], weight) for part, weight in weights])

    def _sum_reaches(self, threshold: int, weights: Sequence[tuple[Any, int]]) -> Any:
        """As a sum of whole numbers; every part is held until the whole holds it."""
        held: list[Any] = []

        def hold(term: Any) -> Any:
            held.append(self._keep(term))
            return term

        def whole(value: int) -> Any:
            return hold(c.Z3_mk_numeral(self.context, str(value), self.whole))

        zero = whole(0)
        summands = [hold(c.Z3_mk_ite(self.context, part, whole(weight), zero)) for part, weight in weights]
        total = hold(c.Z3_mk_add(self.context, len(summands), _array(summands)))
        reached = self._keep(c.Z3_mk_ge(self.context, total, whole(threshold)))
        for term in held:
            c.Z3_dec_ref(self.context, term)
        return reached

    def check(self, solver: Any, assumed: Sequence[Any]) -> tuple[int, frozenset[int]]:
        """Z3's answer under assumptions, and the clauses of its core if it says unsatisfiable."""
        said = c.Z3_solver_check_assumptions(self.context, solver, len(assumed), _array(assumed))
        if said != _L_FALSE:
            return said, frozenset()
        core = c.Z3_solver_get_unsat_core(self.context, solver)
        c.Z3_ast_vector_inc_ref(self.context, core)
        clauses = frozenset(
            self._clauses[c.Z3_get_ast_id(self.context, c.Z3_ast_vector_get(self.context, core, i))]
            for i in range(c.Z3_ast_vector_size(self.context, core))
        )
        c.Z3_ast_vector_dec_ref(self.context, core)
        return said, clauses


def _array(terms: Sequence[Any]) -> Any:
    return (z3types.Ast * len(terms))(*terms)


_LOCAL = threading.local()


def _context() -> _Z3:
    """The context of this thread: Z3's are not to be shared."""
    if not hasattr(_LOCAL, "z3"):
        _LOCAL.z3 = _Z3()
    found: _Z3 = _LOCAL.z3
    return found

"""Which clauses stop a query together: minimal cores, and the minimal sets of clauses whose relaxing lets it through.

`marco` enumerates both over any oracle (Liffiton, Previti, Malik, Marques-Silva, Fast, flexible MUS enumeration,
Constraints 21, 2016). Its map of what is unexplored is kept as the correction sets found, which the next set to try has
to hit, and the cores found, none of which it may contain; trying the smallest such set first makes every violated one
a minimal core at once, smaller cores before larger ones. No core is told that `holds` has not confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Literal, TypeAlias

from ..errors import DisagreementError
from ..grammar.printer import canonical
from ..verdict import VIOLATED
from .clauses import ClauseForm, relax
from .ground import Ground, expanded
from .judge import judged
from .world import World
from .z3_engine import Tracked

Clauses: TypeAlias = frozenset[int]  # numbers of clauses of a form
Oracle: TypeAlias = Callable[[Clauses], bool]  # whether the query is stopped when only these clauses are kept

TIME_LIMIT_S = 5.0
MAX_NUMBER = 1_000  # cores and correction sets together; no one reads more


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Minimal cores and minimal correction sets, each list smaller first, then by position.

    budget   "" when these are all; "time" or "number" when that budget was reached and more may exist
    """

    cores: tuple[Clauses, ...]
    corrections: tuple[Clauses, ...]
    budget: Literal["", "time", "number"] = ""

    @property
    def complete(self) -> bool:
        """Whether these are all."""
        return not self.budget


class _OutOfTimeError(Exception):
    """The time budget is used up."""


def marco(
    every: Clauses, stopped: Oracle, *, smallest_only: bool = False, time_limit_s: float = TIME_LIMIT_S,
    max_number: int = MAX_NUMBER,
) -> Enumeration:  # fmt: skip
    """All minimal sets that are stopped, and all minimal sets without which the rest is not.

    stopped        monotone: more clauses kept never lets a query through
    smallest_only  ends after the cores of least size; the correction sets are then those met on the way
    """
    deadline = monotonic() + time_limit_s
    cores: list[Clauses] = []
    corrections: list[Clauses] = []

    def found(budget: Literal["", "time", "number"] = "") -> Enumeration:
        return Enumeration(tuple(sorted(cores, key=by_size)), tuple(sorted(corrections, key=by_size)), budget)

    try:
        for size in range(len(every) + 1):
            if smallest_only and cores:
                break
            while (seed := _smallest_unexplored(cores, corrections, size, deadline)) is not None:
                if stopped(seed):
                    cores.append(seed)
                    if not seed:
                        return found()
                else:
                    corrections.append(every - _grown(seed, every, stopped, deadline))
                    if not corrections[-1]:
                        return found()
                if len(cores) + len(corrections) >= max_number:
                    return found("number")
    except _OutOfTimeError:
        return found("time")
    return found()


def by_size(clauses: Clauses) -> tuple[int, list[int]]:
    """Smaller first, then by position."""
    return len(clauses), sorted(clauses)


def _smallest_unexplored(
    cores: list[Clauses], corrections: list[Clauses], size: int, deadline: float
) -> Clauses | None:
    """A set of at most `size` clauses that hits every correction set and contains no core."""

    def extend(chosen: Clauses, barred: Clauses) -> Clauses | None:
        if monotonic() > deadline:
            raise _OutOfTimeError
        missed = next((each for each in corrections if chosen.isdisjoint(each)), None)
        if missed is None:
            return chosen
        if len(chosen) == size:
            return None
        for clause in sorted(missed - barred):
            larger = chosen | {clause}
            if not any(core <= larger for core in cores):
                result = extend(larger, barred)
                if result is not None:
                    return result
            barred |= {clause}
        return None

    return None if any(not core for core in cores) else extend(frozenset(), frozenset())


def _grown(seed: Clauses, every: Clauses, stopped: Oracle, deadline: float) -> Clauses:
    """The seed made as large as it goes without being stopped, lower numbers first."""
    for clause in sorted(every - seed):
        if monotonic() > deadline:
            raise _OutOfTimeError
        if not stopped(seed | {clause}):
            seed |= {clause}
    return seed


# --- over a scene -----------------------------------------------------------------------------------------------------


def stopped_in(ground: Ground, every: Clauses) -> Oracle:
    """The oracle of a ground term: whether the query fails, at its level, when only these clauses are kept."""
    return lambda keep: not ground.holds(every - keep)


def minimal_core(form: ClauseForm, world: World, tracked: Tracked | None = None) -> Clauses | None:
    """A minimal core: Z3's own, made smaller by deletion, re-checked with `holds`; None if the query is not violated.

    raises LimitError where the expansion is too large or Z3 runs out of time, DisagreementError if `holds` refuses it
    """
    tracked = tracked if tracked is not None else Tracked(expanded(form, world, "open"), form.every)
    answer = tracked.check(form.every)
    if answer.satisfiable:
        return None
    core = answer.core
    for clause in sorted(answer.core, reverse=True):
        if clause in core:
            without = tracked.check(core - {clause})
            if not without.satisfiable:
                core = without.core
    confirm_core(form, world, core)
    return core


def all_cores(
    form: ClauseForm, world: World, *, ground: Ground | None = None, smallest_only: bool = False,
    time_limit_s: float = TIME_LIMIT_S, max_number: int = MAX_NUMBER,
) -> Enumeration:  # fmt: skip
    """All minimal cores and all minimal correction sets of a query in a scene, within a budget.

    The sets are found over the ground term, confirmed by Z3 over the same term, and re-checked with `holds`.
    """
    ground = ground if ground is not None else expanded(form, world, "open")
    every = form.every
    listed = marco(
        every, stopped_in(ground, every), smallest_only=smallest_only, time_limit_s=time_limit_s, max_number=max_number
    )
    confirm_by_z3(Tracked(ground, every), every, listed.cores[:1] if smallest_only else listed.cores)
    for core in listed.cores[:1] if smallest_only else listed.cores:
        confirm_core(form, world, core)
    return listed


def confirm_by_z3(tracked: Tracked, every: Clauses, cores: Iterable[Clauses]) -> None:
    """Has Z3 confirm that cores are violated. raises DisagreementError where it finds one satisfiable."""
    for core in cores:
        if tracked.check(core).satisfiable:
            raise DisagreementError(f"The ground term is stopped by clauses {sorted(core)}, Z3 says it is not.")


def confirm_core(form: ClauseForm, world: World, core: Clauses) -> None:
    """Re-checks by `holds` that the query relaxed to `core` is violated, and that no clause of it can be spared.

    Relaxing only raises verdicts, so sparing one clause at a time is enough. raises DisagreementError with a reproducer
    """
    if judged(relax(form, core), world) != VIOLATED:
        raise _refused(form, world, core, "holds does not find the relaxed query violated")
    for clause in sorted(core):
        if judged(relax(form, core - {clause}), world) == VIOLATED:
            raise _refused(form, world, core, f"holds finds it violated without clause {clause} too")


def _refused(form: ClauseForm, world: World, core: Clauses, why: str) -> DisagreementError:
    return DisagreementError(
        f"The engines disagree on a core of image '{world.scene.image_id}' at min_score {world.min_score:g}: {why}.\n"
        f"Clause form: {canonical(form.formula)}\nClauses: {sorted(core)}"
    )

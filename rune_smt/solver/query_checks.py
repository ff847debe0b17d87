"""What can be said of a query before any image is looked at (LANGUAGE, section 11), and of two beside each other.

Every answer is proved (Z3 refuted the opposite), shown (a scene confirmed by `holds`) or unknown. A short search and a
proof are tried before the long search: most queries are shown or proved within a fraction of their budget.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..errors import LimitError
from ..grammar.nodes import (
    And,
    Apply,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Node,
    Not,
    Number,
    Or,
    Variable,
    children,
    conjunction,
    free_variables,
    walk,
)
from ..grammar.printer import canonical
from ..verdict import SATISFIED, VIOLATED, Verdict
from .clauses import ClauseForm, clause_form, relax
from .entailment import contradictory_core, refuted, same_by_form, with_constant
from .holds import holds
from .numbers import aggregates
from .scene_finder import SceneFinder
from .world import World

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..grammar.vocabulary import Vocabulary

How: TypeAlias = Literal["proved", "shown", "unknown"]
Status: TypeAlias = Literal["contingent", "contradictory", "always_true", "unknown"]
Relating: TypeAlias = Literal["equivalent", "implies", "implied_by", "overlapping", "disjoint", "unknown"]

SECONDS = 2.0
SEARCH_STEPS = 150_000  # of one search, for each second given
PROOF_STEPS = 400_000  # of one proof, for each second given
CLAUSE_STEPS = 800_000  # of all proofs about single clauses together, for each second given
MAX_CLAUSES = 16  # clauses looked at one by one; with more the report says that it did not
MAX_NUMBERS = 12  # numbers asked whether they can be reached


@dataclass(frozen=True, slots=True)
class Bound:
    """How far was looked: scenes with up to so many entities, for so many seconds."""

    entities: int
    seconds: float

    def __str__(self) -> str:
        return f"up to {self.entities} entities in {self.seconds:.1f} s"


@dataclass(frozen=True)
class Finding:
    """Whether some scene satisfies a formula: shown (with the scene), proved that none does, or unknown."""

    how: How
    scene: Scene | None = None


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A part that probably does not say what was meant, or says nothing."""

    formula: Formula
    text: str


@dataclass(frozen=True)
class Checked:
    """The answer about one query; clauses by their numbers in `form`.

    core          empty unless contradictory
    core_minimal  whether a scene was found for the core without each of its clauses
    redundant, vacuous  proved; None where there were too many clauses to ask
    unreached     parts whose number no scene reaches
    just_fails    whether `counter` is a small change away from `example`
    """

    form: ClauseForm
    status: Status
    how: How
    bound: Bound
    core: tuple[int, ...] = ()
    core_minimal: bool = False
    redundant: tuple[int, ...] | None = ()
    vacuous: tuple[int, ...] | None = ()
    unreached: tuple[Formula, ...] = ()
    suspicious: tuple[Suspicion, ...] = ()
    example: Scene | None = None
    counter: Scene | None = None
    just_fails: bool = False


@dataclass(frozen=True)
class Related:
    """The answer about two queries.

    both, one_only, other_only   whether some scene satisfies both, the first alone, the second alone
    """

    relation: Relating
    how: How
    bound: Bound
    both: Finding
    one_only: Finding
    other_only: Finding

    @property
    def telling(self) -> Scene | None:
        """A scene that tells the two apart, else one that satisfies both."""
        return self.one_only.scene or self.other_only.scene or self.both.scene


class QueryChecks:
    """The questions, over one vocabulary and within one budget. Formulas are closed, their definitions expanded."""

    def __init__(self, vocabulary: Vocabulary, seconds: float = SECONDS):
        self.vocabulary = vocabulary
        self.seconds = seconds
        self.entities = 0
        self._started = monotonic()

    @property
    def bound(self) -> Bound:
        """How far was looked so far."""
        return Bound(self.entities, round(monotonic() - self._started, 2))

    @property
    def _proof_steps(self) -> int:
        return max(int(PROOF_STEPS * self.seconds), 1)

    def _refuted(self, *formulas: Formula, steps: int | None = None) -> bool:
        return refuted(formulas, self.vocabulary, steps or self._proof_steps)

    def _search(self, formula: Formula, share: float = 1.0) -> Scene | None:
        finder = SceneFinder(self.vocabulary, steps=max(int(SEARCH_STEPS * self.seconds * share), 1))
        try:
            found = finder.find(formula)
        except LimitError:  # of clauses: too large to search for
            return None
        self.entities = max(self.entities, found.entities)
        return found.scene

    def holds(self, formula: Formula, scene: Scene) -> Verdict:
        """The verdict in a scene, all of its entities taken as existing."""
        return holds(formula, World(scene, self.vocabulary, 0.0))

    def satisfiable(self, formula: Formula, known: tuple[Scene, ...] = ()) -> Finding:
        """Whether some scene satisfies the formula; `known` scenes are tried first."""
        for scene in known:
            if self.holds(formula, scene) == SATISFIED:
                return Finding("shown", scene)
        for share in (0.1, 1.0):
            found = self._search(formula, share)
            if found is not None:
                return Finding("shown", found)
            if share < 1 and self._refuted(formula):
                return Finding("proved")
        return Finding("unknown")

    # --- one query ----------------------------------------------------------------------------------------------------

    def check(self, formula: Formula) -> Checked:
        """Contradictory, always true or neither, and what each clause has to do with it."""
        form = clause_form(formula)
        example, failing, impossible = self._example(formula)
        if impossible:
            core = contradictory_core(form, self.vocabulary, self._proof_steps)
            members = form.every if core is None else core
            minimal = core is not None and self._is_minimal(form, core)
            return Checked(
                form, "contradictory", "proved", self.bound, tuple(sorted(members)), minimal,
                unreached=self._unreached(formula), suspicious=tuple(self._suspicions(formula, ())),
            )  # fmt: skip
        counter = Finding("shown", failing) if failing is not None else self.satisfiable(Not(formula))
        scenes = tuple(scene for scene in (example, counter.scene) if scene is not None)
        suspicious = tuple(self._suspicions(formula, scenes))
        status: Status = "unknown"
        how: How = "unknown"
        if counter.how == "proved":
            status, how = "always_true", "proved"
        elif example is not None and counter.scene is not None:
            status, how = "contingent", "shown"
        redundant: tuple[int, ...] | None = ()
        vacuous: tuple[int, ...] | None = ()
        unreached: tuple[Formula, ...] = ()
        if status != "always_true":
            redundant, vacuous = self._idle_clauses(formula, form, scenes)
            unreached = self._unreached(formula)
        return Checked(
            form, status, how, self.bound, redundant=redundant, vacuous=vacuous, unreached=unreached,
            suspicious=suspicious, example=example, counter=counter.scene, just_fails=failing is not None,
        )  # fmt: skip

    def _example(self, formula: Formula) -> tuple[Scene | None, Scene | None, bool]:
        """A scene, one that just fails, and whether it is proved that there is none."""
        for share in (0.1, 1.0):
            finder = SceneFinder(self.vocabulary, steps=max(int(SEARCH_STEPS * self.seconds * share), 1))
            found, failing = finder.pair(formula)
            self.entities = max(self.entities, found.entities)
            if found.scene is not None:
                return found.scene, failing, False
            if share < 1 and self._refuted(formula):
                return None, None, True
        return None, None, False

    def _is_minimal(self, form: ClauseForm, core: frozenset[int]) -> bool:
        return all(self._search(relax(form, core - {clause}), 0.25) is not None for clause in core)

    def _idle_clauses(
        self, formula: Formula, form: ClauseForm, scenes: tuple[Scene, ...]
    ) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
        """Clauses whose relaxing, and whose opposite constant, is proved to change nothing."""
        count = len(form.clauses)
        if count > MAX_CLAUSES:
            return None, None
        steps = max(int(CLAUSE_STEPS * self.seconds) // (2 * max(count, 1)), 1)
        steps = min(steps, self._proof_steps)
        redundant, vacuous = [], []
        for clause in range(count):
            easier, harder = with_constant(form, clause, True), with_constant(form, clause, False)
            if self._never_apart(easier, formula, scenes, steps):
                redundant.append(clause)
            if self._never_apart(formula, harder, scenes, steps):
                vacuous.append(clause)
        return tuple(redundant), tuple(vacuous)

    def _never_apart(self, one: Formula, other: Formula, scenes: tuple[Scene, ...], steps: int) -> bool:
        """Whether it is proved that every scene which satisfies `one` satisfies `other`."""
        if any(self.holds(one, scene) == SATISFIED and self.holds(other, scene) == VIOLATED for scene in scenes):
            return False
        return same_by_form(one, other) or self._refuted(one, Not(other), steps=steps)

    # --- numbers and readings -----------------------------------------------------------------------------------------

    def _unreached(self, formula: Formula) -> tuple[Formula, ...]:
        """Counts and limits that no scene reaches, whatever else the query says."""
        asked = [node for node in walk(formula) if _has_number(node)][:MAX_NUMBERS]
        found = []
        for node in asked:
            assert isinstance(node, ExistsCount | Compare)
            closed: Formula = node
            for name in sorted(free_variables(node), reverse=True):
                closed = Exists(name, closed)
            if isinstance(node, ExistsCount):
                inner: Formula = Exists(node.var, node.body)
                for name in sorted(free_variables(inner), reverse=True):
                    inner = Exists(name, inner)
                if self._refuted(inner, steps=self._proof_steps // 4):
                    continue  # what is counted is the matter, not the number
            if closed not in found and self._refuted(closed, steps=self._proof_steps // 4):
                found.append(closed)
        return tuple(found)

    def _suspicions(self, formula: Formula, scenes: tuple[Scene, ...]) -> Iterator[Suspicion]:
        for node, positive in polarities(formula):
            match node:
                case ExistsCount(">=", 0):
                    yield Suspicion(node, "'exists>=0' is always true.")
                case ForAll(var, Implies(guard, _)) if positive and free_variables(guard) == {var}:
                    none = Not(Exists(var, guard))
                    finding = self._without(formula, none, scenes)
                    if finding is not None:
                        yield Suspicion(
                            node,
                            f"Satisfied by images without any such entity: nothing requires "
                            f"{canonical(Exists(var, guard))}.",
                        )
                case Exists(var, Implies(guard, _)) if free_variables(guard) == {var}:
                    yield Suspicion(node, f"Any entity that is not {canonical(guard)} satisfies it; '&' may be meant.")
                case ForAll(_, And(parts)) if any(self._is_class(part) for part in parts):
                    yield Suspicion(node, "Says that every entity is of this class; '->' may be meant.")
                case _:
                    pass

    def _is_class(self, part: Formula) -> bool:
        return isinstance(part, Apply) and part.name in self.vocabulary.classes

    def _without(self, formula: Formula, none: Formula, scenes: tuple[Scene, ...]) -> Scene | None:
        both = conjunction((formula, none))
        for scene in scenes:
            if self.holds(both, scene) == SATISFIED:
                return scene
        return self._search(both, 0.05)

    # --- two queries --------------------------------------------------------------------------------------------------

    def relate(self, one: Formula, other: Formula) -> Related:
        """How two queries stand to each other."""
        if same_by_form(one, other):
            proved = Finding("proved")
            return Related("equivalent", "proved", self.bound, Finding("unknown"), proved, proved)
        one_only = self.satisfiable(conjunction((one, Not(other))))
        known = tuple(scene for scene in (one_only.scene,) if scene is not None)
        other_only = self.satisfiable(conjunction((other, Not(one))), known)
        if one_only.how == other_only.how == "proved":
            return Related("equivalent", "proved", self.bound, Finding("unknown"), one_only, other_only)
        both = self.satisfiable(conjunction((one, other)), known)
        relation: Relating = "unknown"
        how: How = "proved"
        if one_only.how == "proved":
            relation = "implies"
        elif other_only.how == "proved":
            relation = "implied_by"
        elif both.how == "proved":
            relation = "disjoint"
        elif both.how == one_only.how == other_only.how == "shown":
            relation, how = "overlapping", "shown"
        else:
            how = "unknown"
        return Related(relation, how, self.bound, both, one_only, other_only)

    def implication(self, one: Formula, other: Formula) -> Finding:
        """Whether some scene satisfies `one` and not `other`: proved that none does is that `one` implies `other`."""
        if same_by_form(one, other):
            return Finding("proved")
        return self.satisfiable(conjunction((one, Not(other))))


def polarities(formula: Formula, positive: bool = True) -> Iterator[tuple[Formula, bool]]:
    """Every formula inside, with whether the query gets easier when it is true; both sides of `<->` are both."""
    yield formula, positive
    match formula:
        case Not(body):
            yield from polarities(body, not positive)
        case Implies(left, right):
            yield from polarities(left, not positive)
            yield from polarities(right, positive)
        case Iff(left, right):
            for side in (left, right):
                yield from polarities(side, positive)
        case ExistsCount("<=", _, _, body):
            yield from polarities(body, not positive)
        case And() | Or() | Exists() | ForAll() | ExistsCount():
            for child in children(formula):
                if not isinstance(child, Variable):
                    yield from polarities(child, positive)  # type: ignore[arg-type]
        case _:
            return


def _has_number(node: Node) -> bool:
    """A count of two or more, or a comparison with a number in it."""
    match node:
        case ExistsCount(">=" | "=", n):
            return n >= 2
        case Compare(_, left, right):
            outside = [part for side in (left, right) for part in _without_bodies(side)]
            return any(isinstance(part, Number) for part in outside) and (
                bool(aggregates(node)) or any(isinstance(part, Apply) for part in outside)
            )
        case _:
            return False


def _without_bodies(node: Node) -> Iterator[Node]:
    yield node
    if not isinstance(node, Count | Cover):
        for child in children(node):
            yield from _without_bodies(child)

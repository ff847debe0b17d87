"""Why a scene satisfies a query, why it does not, or why it cannot be told: one answer, as data.

Found by the column evaluator and over the ground term, confirmed by Z3, and told only after `holds` has agreed: on the
verdict, or where that is violated on the core, whose relaxed query is violated only if the query is. `render` says it
in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..errors import DataError, DisagreementError
from ..grammar.definitions import expand_definitions
from ..grammar.nodes import Formula, Not
from ..grammar.printer import canonical, canonical_names
from ..verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict
from .clauses import ClauseForm, clause_form
from .cores import TIME_LIMIT_S, Clauses, all_cores
from .evaluate import verdict as verdict_of
from .failing import Failing, failing
from .ground import expanded
from .judge import judged
from .nearest import Nearest, nearest
from .repairs import Repair, repairs
from .stability import stability
from .tightest import Tightest, tightest
from .witness import Witness, witness
from .world import World

if TYPE_CHECKING:
    from ..entities.scene import Scene
    from ..grammar.vocabulary import Vocabulary

Budget: TypeAlias = Literal["", "time", "number"]
Tell: TypeAlias = Literal["core", "query", "all"]  # how much an explanation tells


@dataclass(frozen=True, eq=False, kw_only=True)
class Explanation:
    """What every explanation has.

    world        the scene, its vocabulary and min_score
    formula      the query with canonical names, definitions as they were written
    expanded     the same with definitions put in
    stability    the verdict is the same for low < min_score <= high; None where it was not asked for
    tightest     the atom with the smallest margin among those that would change the verdict alone
    certificate  a proof that the checker can follow; None where none was made, `uncertified` says why one that was
                 asked for was not
    assumed      what the archive takes for granted, as certificates have it
    draw         makes the picture, where one is known
    """

    world: World
    formula: Formula
    expanded: Formula
    stability: tuple[float, float] | None = None
    tightest: Tightest | None = None
    certificate: Mapping[str, Any] | None = None
    uncertified: str = ""
    assumed: tuple[str, ...] = ()
    draw: Callable[[Explanation], Any] | None = field(default=None, repr=False)

    @property
    def image_id(self) -> str:
        """The image's name."""
        return self.world.scene.image_id

    @property
    def verdict(self) -> Verdict:
        """Satisfied, violated or undecided."""
        raise NotImplementedError

    def render(self, form: Literal["text", "html", "json"] = "text") -> str:
        """The explanation as text for a terminal, as HTML, or as one JSON document (INTERFACE, "explain")."""
        import json

        from .render import render_html, render_text, to_json

        match form:
            case "text":
                return render_text(self)
            case "html":
                return render_html(self)
            case "json":
                return json.dumps(to_json(self), ensure_ascii=False)
            case _:
                raise ValueError(f"an explanation renders as text, html or json, not as {form!r}")

    def picture(self) -> Any:
        """The image with the entities that matter drawn on it, a PIL image. raises DataError where none is known."""
        if self.draw is None:
            raise DataError(f"No picture of image '{self.image_id}' is known.")
        return self.draw(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.image_id!r}, {canonical(self.formula)!r})"

    def __str__(self) -> str:
        return self.render("text")

    def _repr_html_(self) -> str:
        return self.render("html")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Satisfied(Explanation):
    """The scene satisfies the query: which entity plays each variable (a list of N for exists>=N)."""

    witness: Witness

    @property
    def verdict(self) -> Verdict:
        """Satisfied."""
        return SATISFIED


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Violated(Explanation):
    """The scene does not satisfy the query.

    form         the clause form; cores and nearest speak of its clauses by number
    cores        minimal sets of clauses that cannot hold together, smaller first; the first one only, unless all were
                 asked for. An empty one says that there are too few entities
    corrections  with all cores: the minimal sets of clauses without which the query is not violated
    budget       which budget ended the search for all cores and correction sets; "" when these are all
    nearest      limits that come closest, of the clauses whose relaxing alone satisfies the query
    repairs      changes that satisfy it, each confirmed; `unfinished` names kinds of which more may exist
    failing      where it fails: candidates, offenders, have and need
    """

    form: ClauseForm
    cores: tuple[Clauses, ...]
    corrections: tuple[Clauses, ...] = ()
    budget: Budget = ""
    nearest: tuple[Nearest, ...] = ()
    repairs: tuple[Repair, ...] = ()
    unfinished: tuple[str, ...] = ()
    failing: tuple[Failing, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Violated."""
        return VIOLATED

    def core_certificate(self, number: int = 0) -> dict[str, Any]:
        """A proof for the checker that core `number` is one: violated alone, and by none of its clauses less.

        raises LimitError as certificates of verdicts
        """
        from .certificate import core_certificate

        return core_certificate(self.form, self.expanded, self.cores[number], self.world, assumed=self.assumed)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Undecided(Explanation):
    """It cannot be told: `missing` lists what the scene lacks (gsd, image size, transform, names of attributes)."""

    missing: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """Undecided."""
        return UNDECIDED


def explain_scene(
    query_formula: Formula,
    scene: Scene,
    vocabulary: Vocabulary,
    min_score: float = 0.5,
    *,
    all_cores: bool = False,
    tell: Tell = "all",
    time_limit_s: float = TIME_LIMIT_S,
    world: World | None = None,
) -> Satisfied | Violated | Undecided:
    """Explains the verdict of a closed, type-checked query in one scene.

    query_formula  definitions may stand in it or be expanded already
    all_cores      every minimal core and correction set, within `time_limit_s`; else the first core
    tell           "core": the core, the witness or what is missing alone; "query": also what of the query could change,
                   nearest limits and the repairs drop, number and limit; "all": all fields
    world          the scene's world, where it was made already: what it remembers is used again
    raises         LimitError, before anything is built, where the expansion is too large; DisagreementError where
                   engines differ
    """
    world = world if world is not None else World(scene, vocabulary, min_score)
    formula = canonical_names(query_formula)
    expanded_query = expand_definitions(formula, vocabulary)
    whole = clause_form(expanded_query, halves=False)
    verdict = verdict_of(whole, world)
    if verdict != VIOLATED:  # a core that `holds` confirms shows that the query is violated too: relaxing only raises
        by_holds = judged(expanded_query, world)
        if by_holds != verdict:
            raise DisagreementError(
                f"holds finds image '{world.scene.image_id}' {by_holds.word} at min_score {world.min_score:g}, "
                f"the column evaluator {verdict.word}.\nQuery: {canonical(expanded_query)}"
            )
    stable = stability(expanded_query, world, verdict) if tell == "all" else None
    if verdict == SATISFIED:
        shown = witness(expanded_query, world)
        turns = tightest(nearest(clause_form(Not(expanded_query)), world), world) if tell == "all" else None
        return Satisfied(
            world=world, formula=formula, expanded=expanded_query, stability=stable, tightest=turns, witness=shown
        )
    if verdict == UNDECIDED:
        missing = tuple(world.missing(expanded_query))
        return Undecided(world=world, formula=formula, expanded=expanded_query, stability=stable, missing=missing)
    return _violated(formula, expanded_query, world, stable, all_cores, tell, time_limit_s)


def _violated(
    formula: Formula, expanded_query: Formula, world: World, stable: tuple[float, float] | None, every_core: bool,
    tell: Tell, time_limit_s: float,
) -> Violated:  # fmt: skip
    form = clause_form(expanded_query)
    possible = expanded(form, world, "open")
    listed = all_cores(form, world, ground=possible, smallest_only=not every_core, time_limit_s=time_limit_s)
    if not listed.cores and (listed.complete or judged(expanded_query, world) != VIOLATED):
        raise DisagreementError(
            f"The column evaluator finds image '{world.scene.image_id}' violated, the ground term or holds does not.\n"
            f"Query: {canonical(expanded_query)}"
        )
    cores = listed.cores if every_core else listed.cores[:1]
    corrections = listed.corrections if every_core else ()
    if tell == "core":
        return Violated(
            world=world, formula=formula, expanded=expanded_query, form=form, cores=cores, corrections=corrections,
            budget=listed.budget,
        )  # fmt: skip
    sure = expanded(form, world, "sure")
    close = nearest(form, world, sure)
    changes = repairs(
        expanded_query, form, world, close, ground=sure, of_scene=tell == "all", time_limit_s=time_limit_s
    )
    return Violated(
        world=world, formula=formula, expanded=expanded_query, stability=stable, tightest=tightest(close, world),
        form=form, cores=cores, corrections=corrections, budget=listed.budget, nearest=close, repairs=changes.found,
        unfinished=changes.unfinished, failing=failing(expanded_query, world) if tell == "all" else (),
    )  # fmt: skip


__all__ = ["Explanation", "Satisfied", "Undecided", "Violated", "explain_scene"]

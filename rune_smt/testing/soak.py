"""The soak run: random (formula, scene) pairs through every engine and mode, with oracles beside plain agreement.

    python -m rune_smt.testing.soak --pairs 100000 --seed 1          (make soak)

Every pair is decided by `holds`, the array engine, the column evaluator and Z3. The other oracles compare answers that
have to go together: of a formula and its negation, of a query and its components, of a scene and the same scene moved,
mirrored, renamed or resampled, of a scene and one with an entity more, of modes; and explanations and certificates with
`holds` and the checker. Exit status 0, or 5 with a program that shows each disagreement.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..entities.scene import Scene
from ..entities.table import EntityTable
from ..errors import LimitError
from ..grammar.definitions import expand_definitions
from ..grammar.nodes import (
    And,
    Apply,
    Arithmetic,
    Compare,
    Exists,
    ExistsCount,
    Formula,
    Node,
    Not,
    Number,
    Or,
    Truth,
    walk,
)
from ..grammar.printer import canonical, canonical_names
from ..grammar.vocabulary import Vocabulary
from ..solver.array_engine import ArrayEngine
from ..solver.atoms import Facts
from ..solver.decompose import decompose
from ..solver.evaluate import query_verdict
from ..solver.graded import grades, grades_by
from ..solver.holds import holds
from ..solver.judge import cheap_first
from ..solver.normalise import normalise
from ..solver.numbers import METRIC, aggregates, covers_in
from ..solver.passes.fold_constants import fold_constants
from ..solver.passes.miniscope import miniscope
from ..solver.probability import by_enumeration, probabilities
from ..solver.reproducer import reproducer
from ..solver.witness import witness
from ..solver.world import World
from ..solver.z3_engine import decide as z3_decide
from ..verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict
from . import batches
from .batches import Batch, Document, RandomQueries, batch, table_of
from .formulas import pool_of
from .soak_explanations import certified, explained

Codes: TypeAlias = NDArray[np.int8]

PAIRS = 20_000
SCENES = 48  # of a batch: what the array engine is given at once
FORMULAS = 4  # asked of a batch before new scenes are drawn
MIN_SCORES = (0.0, 0.4, 0.5)
REPORTED = 10  # disagreements written out; all are counted
ROUNDING = 1e-9

VOCABULARY = """
name = "soak"
[classes.vehicle]
[classes.small_vehicle]
parent = "vehicle"
[classes.ship]
[classes.harbor]
[attributes.flooded]
type = "boolean"
[attributes.height]
type = "number"
[attributes.damage]
type = "text"
ordered = ["none", "minor", "major"]
[near]
default = "1 x"
"harbor ship" = "3 m"
[definitions]
"isolated(x)" = "~(exists y (y != x & near(x, y)))"
[links]
connected = "vehicle(x) & vehicle(y) & ~flooded(x) & distance(x, y) <= 2 px"
"""
CLASSES = ("ship", "harbor", "vehicle", "small_vehicle")
ATTRIBUTES: Mapping[str, Any] = {"flooded": "boolean", "height": "number", "damage": ("none", "minor", "major")}
RENAMED = {"ship": "a_boat", "harbor": "quay", "vehicle": "machine", "small_vehicle": "zippy"}  # another order of names
PLACES = frozenset(("in_left", "in_right", "in_top", "in_bottom", "in_center", "at_border"))
SWAPPED = {"left_of": "right_of", "right_of": "left_of", "in_left": "in_right", "in_right": "in_left"}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What an oracle found: in words, and as a program to run."""

    oracle: str
    text: str
    program: str


@dataclass(slots=True)
class Report:
    """Counts by oracle: what was compared, what was skipped at a limit, what disagreed."""

    pairs: int = 0
    formulas: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    disagreements: list[Disagreement] = field(default_factory=list)
    seconds: float = 0.0

    def render(self) -> str:
        """For people."""
        lines = [
            f"{self.pairs} pairs of {self.formulas} formulas in {self.seconds:.0f} s "
            f"({60 * self.pairs / max(self.seconds, 1e-9):.0f} a minute): "
            + ", ".join(f"{self.verdicts[word]} {word}" for word in ("satisfied", "violated", "undecided")),
            f"{'oracle':34} {'compared':>10} {'limit':>7} {'disagree':>9}",
        ]
        wrong = Counter(each.oracle for each in self.disagreements)
        for oracle in sorted(set(self.compared) | set(self.skipped)):
            lines.append(f"{oracle:34} {self.compared[oracle]:10d} {self.skipped[oracle]:7d} {wrong[oracle]:9d}")
        lines.append(f"{len(self.disagreements)} disagreements")
        for each in self.disagreements[:REPORTED]:
            lines += ["", f"--- {each.oracle}: {each.text}", each.program]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Case:
    """One formula and a batch of scenes: what an oracle is given."""

    formula: Formula
    normal: Formula
    batch: Batch
    min_score: float
    verdicts: Codes  # of the array engine
    soak: Soak

    def scene(self, index: int) -> Scene:
        """One of the scenes."""
        return Scene(self.batch.table, index)


Oracle: TypeAlias = Callable[[Case], None]


class Soak:
    """A run: draws, compares and counts."""

    def __init__(self, seed: int = 1, scenes: int = SCENES):
        self.seed = seed
        self.scenes = scenes
        self.random = Random(seed)
        self.vocabulary = Vocabulary.from_toml(VOCABULARY, source="soak")
        words = VOCABULARY.replace('"harbor ship" = "3 m"', '"harbor ship" = "6 m"')
        self.coarse_vocabulary = Vocabulary.from_toml(words, source="soak, twice as coarse")
        renamed = VOCABULARY.replace('"harbor ship"', '"quay a_boat"')
        for old, new in sorted(RENAMED.items(), key=lambda item: -len(item[0])):
            renamed = renamed.replace(f"classes.{old}]", f"classes.{new}]").replace(f'"{old}"', f'"{new}"')
            renamed = renamed.replace(f"{old}(", f"{new}(")
        self.renamed_vocabulary = Vocabulary.from_toml(renamed, source="soak, renamed")
        self.pool = pool_of(self.vocabulary, definitions=True)
        self.report = Report()

    # --- the run ------------------------------------------------------------------------------------------------------

    def run(self, pairs: int, progress: Callable[[Report], None] | None = None) -> Report:
        """Compares until so many pairs are done."""
        started = time.perf_counter()
        while self.report.pairs < pairs:
            plain = self.random.random() < 0.6
            scenes = batch(self.random, self.scenes, CLASSES, ATTRIBUTES, plain)
            for _ in range(FORMULAS):
                self.compare(self.formula(), scenes)
            self.report.seconds = time.perf_counter() - started
            if progress is not None:
                progress(self.report)
        return self.report

    def formula(self) -> Formula:
        """A random closed query, definitions expanded; every third is existential and positive."""
        if self.random.random() < 0.33:
            drawn: Formula = _existential(self.random, self.pool)
        else:
            queries = RandomQueries(self.random, self.pool)
            drawn = queries.formula(self.random.choice((3, 3, 4, 4, 5)), ())
        return expand_definitions(drawn, self.vocabulary)

    def compare(self, formula: Formula, scenes: Batch) -> None:
        """One formula over a batch, through every oracle that it is right for."""
        normal, min_score = normalise(formula), self.random.choice(MIN_SCORES)
        verdicts = self.array(normal, scenes.table, min_score)
        case = Case(formula, normal, scenes, min_score, verdicts, self)
        report = self.report
        report.formulas += 1
        report.pairs += len(verdicts)
        for code in (SATISFIED, VIOLATED, UNDECIDED):
            report.verdicts[code.word] += int((verdicts == code).sum())
        for oracle in (engines, negation, decomposed, ground_truth, one_more, around_a_witness):
            oracle(case)
        if scenes.plain and not _on_the_edge(formula):
            for oracle in (renamed, translated, mirrored, resampled):
                oracle(case)
        turn = report.formulas % 24
        if turn % 4 == 0:
            graded_by_holds(case)
        if turn % 4 == 2:
            probability_by_worlds(case)
        if turn % 6 == 1:
            explained(case)
        if turn % 6 == 3:
            certified(case)
        if turn == 5:
            other_engines_graded(case)
        if turn == 17:
            other_engines_probability(case)

    def array(
        self, normal: Formula, table: EntityTable, min_score: float, vocabulary: Vocabulary | None = None,
        exists: NDArray[np.bool_] | None = None,
    ) -> Codes:  # fmt: skip
        """The array engine's verdicts."""
        return ArrayEngine(table, vocabulary or self.vocabulary, min_score, exists=exists).decide(normal)

    # --- what oracles say ---------------------------------------------------------------------------------------------

    def equal(
        self, case: Case, oracle: str, expected: Any, found: Any, note: str = "",
        programs: Callable[[int], str] | None = None,
    ) -> None:  # fmt: skip
        """Two columns over the scenes that have to be equal."""
        expected, found = np.asarray(expected), np.asarray(found)
        self.report.compared[oracle] += len(expected)
        apart = expected != found if expected.dtype.kind != "f" else np.abs(expected - found) > ROUNDING
        for index in np.flatnonzero(apart):
            self.wrong(case, oracle, int(index), f"{expected[index]} and {found[index]} {note}".strip(), programs)

    def wrong(
        self, case: Case, oracle: str, index: int, text: str, programs: Callable[[int], str] | None = None
    ) -> None:
        """Notes a disagreement."""
        where = f"{text}; seed {self.seed}, formula {self.report.formulas}, scene {index}, min_score {case.min_score}"
        said = f"{where}: {canonical(case.formula)}"
        program = reproducer(case.formula, case.scene(index), self.vocabulary, case.min_score, f"{oracle}: {where}")
        if programs is not None:
            program += "\n# and the other side:\n" + programs(index)
        self.report.disagreements.append(Disagreement(oracle, said, program))


# --- oracles ----------------------------------------------------------------------------------------------------------


def engines(case: Case) -> None:
    """holds, the array engine, the column evaluator and Z3 give the same verdict."""
    soak = case.soak
    facts = Facts(case.batch.table, soak.vocabulary)
    decided: tuple[tuple[str, Callable[[Formula, World], Verdict]], ...] = (
        ("columns = holds", query_verdict), ("z3 = holds", z3_decide), ("sifting holds = holds", sifted),
    )  # fmt: skip
    expected = np.empty(len(case.verdicts), dtype=np.int8)
    for index in range(len(case.verdicts)):
        world = World(case.scene(index), soak.vocabulary, case.min_score, facts=facts)
        expected[index] = holds(case.formula, world)
        for oracle, engine in decided:
            try:
                found = engine(case.formula, world)
            except LimitError:
                soak.report.skipped[oracle] += 1
                continue
            soak.report.compared[oracle] += 1
            if found != expected[index]:
                soak.wrong(case, oracle, index, f"holds {Verdict(int(expected[index])).word}, other {found.word}")
    soak.equal(case, "array = holds", expected, case.verdicts)


def sifted(formula: Formula, world: World) -> Verdict:
    """As `holds` is asked about large scenes: parts in another order, entities left out that make no difference."""
    return holds(cheap_first(miniscope(fold_constants(formula))), world.sifting())


def negation(case: Case) -> None:
    """hits(f) + hits(~f) + undecided = all."""
    other = case.soak.array(normalise(Not(case.formula)), case.batch.table, case.min_score)
    case.soak.equal(case, "f and ~f make all", 2 - case.verdicts, other)


def decomposed(case: Case) -> None:
    """Components decided apart and combined are the whole."""
    soak, table = case.soak, case.batch.table
    split = decompose(case.normal, table.classes, soak.vocabulary)
    columns = {part.formula: soak.array(part.formula, table, case.min_score) for part in split.components}
    combined = [
        split.combine({formula: Verdict(int(column[index])) for formula, column in columns.items()})
        for index in range(len(case.verdicts))
    ]
    whole = ArrayEngine(table, soak.vocabulary, case.min_score).decide(case.formula)
    soak.equal(case, "decomposed = undecomposed", whole, combined)


def ground_truth(case: Case) -> None:
    """With all scores 1 the three modes have the same answers."""
    soak = case.soak
    table = replace(case.batch.table, score=np.ones(len(case.batch.table)))
    formula = case.normal
    if any(isinstance(node, Apply) and node.name == "score" for node in walk(formula)):
        return
    plain = soak.array(formula, table, 0.5)
    soak.equal(case, "ground truth: graded", plain, grades(formula, table, soak.vocabulary).verdicts)
    soak.equal(case, "ground truth: probability", plain, probabilities(formula, table, soak.vocabulary).verdicts)


def one_more(case: Case) -> None:
    """Adding an entity never loses a match of a positive existential query."""
    if not _is_existential(case.normal, case.soak.vocabulary):
        return
    table = case.batch.table
    alive = table.score >= case.min_score
    fewer = case.soak.array(case.normal, table, case.min_score, exists=alive & batches.without_last(table))
    lost = (fewer == SATISFIED) & (case.verdicts != SATISFIED)
    case.soak.equal(case, "an entity more loses no match", np.zeros(len(lost), dtype=bool), lost)


def around_a_witness(case: Case) -> None:
    """A scene of the entities of a witness, with those of another scene, is found."""
    soak = case.soak
    if not _is_existential(case.normal, soak.vocabulary) or not _shown_whole(case.normal):
        return
    found = np.flatnonzero(case.verdicts == SATISFIED)
    documents: list[Document] = []
    rows = found[:4].tolist()
    named = canonical_names(_with_names(case.normal, {}))  # each variable its own name, no definitions
    for index in rows:
        ids: set[int] = set()
        world = World(case.scene(index), soak.vocabulary, case.min_score)
        for shown in witness(named, world).values():
            ids.update(shown if isinstance(shown, list) else (shown,))
        other = soak.random.choice(case.batch.documents)["entities"]
        documents.append(batches.joined_with(batches.kept(case.batch.documents[index], sorted(ids)), other))
    if not any(document["entities"] for document in documents):
        return
    table = table_of([{**document, "image_id": f"w{i}"} for i, document in enumerate(documents)])
    table = replace(table, reference_area=_areas(table, case.batch.documents[0]))
    verdicts = soak.array(case.normal, table, case.min_score)
    oracle = "a scene around a witness is found"
    soak.report.compared[oracle] += len(rows)
    for place, index in enumerate(rows):
        if verdicts[place] != SATISFIED:
            soak.wrong(case, oracle, index, f"built: {documents[place]}")


def _areas(table: EntityTable, document: Document) -> NDArray[np.float64]:
    return np.array([document["reference_areas"][name] for name in table.classes], dtype=np.float64)


def renamed(case: Case) -> None:
    """Other names of classes, images and variables, entities numbered the other way round: the same verdicts."""
    soak = case.soak
    documents = [
        {**batches.changed(document, labels=RENAMED, backwards=True), "image_id": f"r{999 - i:03d}"}
        for i, document in enumerate(case.batch.documents)
    ][::-1]
    other = normalise(_with_names(case.formula, RENAMED))
    found = soak.array(other, table_of(documents), case.min_score, soak.renamed_vocabulary)[::-1]
    _compare_changed(case, "renamed", found, other, documents[::-1], soak.renamed_vocabulary)


def translated(case: Case) -> None:
    """Everything moved by whole pixels: the same verdicts, where the query asks for no place in the image."""
    if _names(case.formula) & PLACES:
        return
    documents = [batches.shifted(document, 128, 64) for document in case.batch.documents]
    found = case.soak.array(case.normal, table_of(documents), case.min_score)
    _compare_changed(case, "translated", found, case.formula, documents, case.soak.vocabulary)


def mirrored(case: Case) -> None:
    """Left and right swapped in scene and query: the same verdicts, where the query asks for no angle."""
    if "angle" in _names(case.formula):
        return
    documents = [batches.mirrored(document) for document in case.batch.documents]
    other = _with_names(case.formula, SWAPPED)
    found = case.soak.array(normalise(other), table_of(documents), case.min_score)
    _compare_changed(case, "mirrored", found, other, documents, case.soak.vocabulary)


def resampled(case: Case) -> None:
    """Twice the ground sample distance with twice the metres: the same verdicts."""
    soak = case.soak
    documents = [batches.coarser(document, 2.0) for document in case.batch.documents]
    other = _coarser(case.formula)
    found = soak.array(normalise(other), table_of(documents), case.min_score, soak.coarse_vocabulary)
    _compare_changed(case, "gsd and metres doubled", found, other, documents, soak.coarse_vocabulary)


def _compare_changed(
    case: Case, oracle: str, found: Codes, formula: Formula, documents: Sequence[Document], vocabulary: Vocabulary
) -> None:
    def program(index: int) -> str:
        return reproducer(formula, Scene.from_json(documents[index]), vocabulary, case.min_score, f"{oracle}: changed")

    case.soak.equal(case, oracle, case.verdicts, found, programs=program)


def graded_by_holds(case: Case) -> None:
    """Mode graded: degrees are the measure of the thresholds at which `holds` is satisfied; ~f has the rest."""
    _compare_degrees(case, "graded = thresholds by holds", holds)
    soak, table = case.soak, case.batch.table
    found = grades(case.normal, table, soak.vocabulary)
    opposite = grades(normalise(Not(case.formula)), table, soak.vocabulary)
    soak.equal(case, "degree of ~f is 1 - degree of f", 1 - found.upper, opposite.degree)


def _compare_degrees(case: Case, oracle: str, engine: Callable[[Formula, World], Verdict]) -> None:
    soak, table = case.soak, case.batch.table
    found = grades(case.normal, table, soak.vocabulary)
    try:
        expected = grades_by(engine, case.formula, table, soak.vocabulary)
    except LimitError:
        soak.report.skipped[oracle] += len(case.verdicts)
        return
    soak.equal(case, oracle, expected.degree, found.degree)
    soak.equal(case, oracle, expected.upper, found.upper, "as upper bounds")
    soak.equal(case, oracle, expected.verdicts, found.verdicts)


def probability_by_worlds(case: Case) -> None:
    """Mode probability: the sum over all worlds, each decided by the array engine."""
    soak, table = case.soak, case.batch.table
    found = probabilities(case.normal, table, soak.vocabulary)
    below, above = np.zeros(len(case.verdicts)), np.zeros(len(case.verdicts))
    for chance, exists in _worlds(table):
        codes = soak.array(case.normal, table, 0.0, exists=exists)
        below += chance * (codes == SATISFIED)
        above += chance * (codes >= UNDECIDED)
    oracle = "probability = sum over worlds"
    soak.report.skipped[oracle] += len(found.intervals)
    exact = np.ones(len(below), dtype=bool)
    exact[list(found.intervals)] = False
    soak.equal(case, oracle, np.where(exact, below, 0), np.where(exact, found.degree, 0))
    soak.equal(case, oracle, np.where(exact, above, 0), np.where(exact, found.upper, 0), "as upper bounds")


def _worlds(table: EntityTable) -> Iterator[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """World number k of every image at once: entity i exists where bit i of k is set; and its chance in each."""
    ids = table.entity_id.astype(np.int64)
    most = int(ids.max(initial=-1)) + 1
    sizes = np.bincount(table.image, minlength=len(table.offsets))
    for number in range(1 << most):
        exists = (number >> ids & 1).astype(bool)
        chance = np.ones(len(table.offsets))
        np.multiply.at(chance, table.image, np.where(exists, table.score, 1.0 - table.score))
        chance[number >> sizes > 0] = 0.0  # a bit for an entity that the image has not: counted without it already
        if chance.any():
            yield chance, exists


def other_engines_graded(case: Case) -> None:
    """Mode graded by Z3."""
    _compare_degrees(case, "graded = thresholds by z3", z3_decide)


def other_engines_probability(case: Case) -> None:
    """Mode probability by `holds` and by Z3 in every world."""
    soak, table = case.soak, case.batch.table
    found = probabilities(case.normal, table, soak.vocabulary)
    for oracle, engine in (("probability = worlds by holds", holds), ("probability = worlds by z3", z3_decide)):
        try:
            expected = by_enumeration(case.formula, table, soak.vocabulary, engine)
        except LimitError:
            soak.report.skipped[oracle] += len(case.verdicts)
            continue
        exact = np.ones(len(case.verdicts), dtype=bool)
        exact[list(found.intervals)] = False
        soak.equal(case, oracle, np.where(exact, expected.degree, 0), np.where(exact, found.degree, 0))


# --- formulas ---------------------------------------------------------------------------------------------------------


def _existential(random: Random, pool: Any) -> Formula:
    """exists x (exists y (literals and conjunctions and disjunctions of them))."""
    queries = RandomQueries(random, pool, counts=False)
    names = ("x", "y", "z")[: random.choice((1, 2, 2, 3))]

    def body(depth: int) -> Formula:
        if depth == 0:
            atom = queries.atom(names)
            return Not(atom) if random.random() < 0.25 else atom
        kind = random.choice((And, And, Or))
        return kind(tuple(body(depth - 1) for _ in range(2)))

    formula = body(random.choice((1, 2)))
    for name in reversed(names):
        if random.random() < 0.25:
            formula = ExistsCount(">=", random.choice((1, 2, 3)), name, formula)
        else:
            formula = Exists(name, formula)
    return formula


def _is_existential(node: Formula, vocabulary: Vocabulary) -> bool:
    """Whether an entity more can only help: exists, exists>=N, `&`, `|` over literals; chains of links not negated."""
    match node:
        case Exists(_, body) | ExistsCount(">=", _, _, body):
            return _is_existential(body, vocabulary)
        case And(parts) | Or(parts):
            return all(_is_existential(part, vocabulary) for part in parts)
        case Truth() | Apply():
            return True
        case Not(Apply(name)):
            return name not in vocabulary.links
        case Compare():
            return not aggregates(node)
        case _:
            return False


def _shown_whole(node: Formula) -> bool:
    """Whether a witness names everything that makes it true: no quantifier inside exists>=N, no links."""
    match node:
        case ExistsCount(_, _, _, body):
            return not any(isinstance(part, Exists | ExistsCount) for part in walk(body)) and _shown_whole(body)
        case Exists(_, body):
            return _shown_whole(body)
        case And(parts) | Or(parts):
            return all(_shown_whole(part) for part in parts)
        case Apply(name):
            return name != "connected"
        case _:
            return True


def _on_the_edge(formula: Formula) -> bool:
    """Whether a comparison may hold or not by rounding alone, in scenes where nothing else is on the edge.

    Covers compared with covers: where one outline lies in another they are equal. A product of measures compared with a
    measure: the area of a rectangle is its length times its width.
    """
    for node in walk(formula):
        if isinstance(node, Compare):
            if len(aggregates(node)) > 1 and covers_in(node):
                return True
            product = any(
                isinstance(part, Arithmetic) and part.op == "*" and _measures(part.left) and _measures(part.right)
                for part in walk(node)
            )
            if product and _measures(node.left) and _measures(node.right):
                return True
    return False


def _measures(node: Node) -> bool:
    """Whether something is measured in a term."""
    return any(isinstance(part, Apply) for part in walk(node))


def _names(formula: Formula) -> frozenset[str]:
    return frozenset(node.name for node in walk(formula) if isinstance(node, Apply))


def _with_names(formula: Formula, names: Mapping[str, str]) -> Formula:
    """Applications renamed."""

    def change(node: Any) -> Any:
        if isinstance(node, Apply):
            arguments = tuple(change(argument) for argument in node.args)
            return replace(node, name=names.get(node.name, node.name), args=arguments, origin=None)
        return _rebuilt(node, change)

    result: Formula = change(formula)
    return result


def _coarser(formula: Formula) -> Formula:
    """Twice the metres, four times the square metres."""

    def change(node: Any) -> Any:
        if isinstance(node, Number) and node.unit in METRIC:
            return Number(node.value * 2 ** METRIC[node.unit][1], node.unit)
        return _rebuilt(node, change)

    result: Formula = change(formula)
    return result


def _rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A node with everything directly below it changed, formulas and terms."""
    match node:
        case Compare():
            return replace(node, left=change(node.left), right=change(node.right), origin=None)
        case Apply():
            return replace(node, args=tuple(change(argument) for argument in node.args))
        case And(parts) | Or(parts):
            return replace(node, parts=tuple(change(part) for part in parts))
    for name in ("left", "right", "body"):
        if hasattr(node, name):
            node = replace(node, **{name: change(getattr(node, name))})
    return node


# --- the command ------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: its exit status."""
    parser = argparse.ArgumentParser(prog="python -m rune_smt.testing.soak", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"how many pairs (default {PAIRS})")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default 1)")
    parser.add_argument("--quiet", action="store_true", help="no line in between")
    options = parser.parse_args(arguments)
    last = [0.0]
    told = [0]

    def progress(report: Report) -> None:
        for each in report.disagreements[told[0] : REPORTED]:
            print(f"{each.oracle}: {each.text}", file=sys.stderr, flush=True)
        told[0] = len(report.disagreements)
        if not options.quiet and report.seconds - last[0] >= 30:
            last[0] = report.seconds
            print(
                f"{report.pairs} pairs, {len(report.disagreements)} disagreements, {report.seconds:.0f} s",
                file=sys.stderr, flush=True,
            )  # fmt: skip

    report = Soak(options.seed).run(options.pairs, progress)
    print(f"seed {options.seed}")
    print(report.render())
    return 5 if report.disagreements else 0


__all__ = ["Disagreement", "Report", "Soak", "main"]

if __name__ == "__main__":
    sys.exit(main())

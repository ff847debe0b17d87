"""The translation benchmark: English queries with gold formulas, put to a translator.

denotation   the share of queries whose formula means what the gold one means (see `denotation`)
exact        the share whose canonical text equals the gold one's
F1           of the names that a formula applies, each as often as it occurs; 0 without a formula; the mean
no formula   the share that got none
repaired     the share that got one only after a wrong answer was asked for again (language models)
"""

from __future__ import annotations

import csv
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, LimitError, QueryError, RuneError
from ..grammar.nodes import (
    Apply,
    Arithmetic,
    Compare,
    Count,
    Cover,
    ExistsCount,
    ForAll,
    Formula,
    Not,
    Number,
    Or,
    Variable,
    walk,
)
from ..grammar.printer import canonical
from ..grammar.words import WORDS
from .denotation import How, same_denotation

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary
    from ..translate.translator import Translator

KINDS = ("sets compared", "every", "how many", "measures", "no and or", "relations", "things")
COLUMNS = ("vocabulary", "english", "formula")


@dataclass(frozen=True, slots=True)
class Case:
    """A query, its gold formula, and what kind of query that is."""

    english: str
    gold: Formula
    vocabulary: Vocabulary
    kind: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a translator made of a case.

    formula   None where there was none; `error` says why
    right     whether it means what the gold formula means, known `how`
    unusable  answers of a language model that were asked for again
    """

    case: Case
    formula: Formula | None
    right: bool
    how: How
    f1: float
    seconds: float
    unusable: int = 0
    error: str = ""

    @property
    def exact(self) -> bool:
        """Whether the canonical texts are equal."""
        return self.formula is not None and canonical(self.formula) == canonical(self.case.gold)

    def to_json(self) -> dict[str, Any]:
        """One line of the detailed report."""
        return {
            "english": self.case.english,
            "vocabulary": self.case.vocabulary.name,
            "kind": self.case.kind,
            "gold": canonical(self.case.gold),
            "formula": None if self.formula is None else canonical(self.formula),
            "right": self.right,
            "how": self.how,
            "exact": self.exact,
            "f1": self.f1,
            "seconds": round(self.seconds, 3),
            "unusable": self.unusable,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The outcomes of one translator."""

    translator: str
    outcomes: tuple[Outcome, ...]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each kind of query that occurs, and one for all; shares between 0 and 1, seconds as a median."""
        kinds = [kind for kind in KINDS if any(each.case.kind == kind for each in self.outcomes)]
        kinds += sorted({each.case.kind for each in self.outcomes} - set(KINDS))
        rows = [self._row(kind, [each for each in self.outcomes if each.case.kind == kind]) for kind in kinds]
        return [*rows, self._row("all", list(self.outcomes))]

    def _row(self, kind: str, outcomes: list[Outcome]) -> dict[str, Any]:
        def share(hits: Iterable[bool]) -> float:
            return sum(hits) / len(outcomes)

        return {
            "translator": self.translator,
            "kind": kind,
            "queries": len(outcomes),
            "denotation": share(each.right for each in outcomes),
            "exact": share(each.exact for each in outcomes),
            "f1": statistics.fmean(each.f1 for each in outcomes),
            "no_formula": share(each.formula is None for each in outcomes),
            "repaired": share(each.formula is not None and each.unusable > 0 for each in outcomes),
            "unproved": share(each.right and each.how != "proved" for each in outcomes),
            "seconds": statistics.median(each.seconds for each in outcomes),
        }


def read_cases(path: Path, limit: int | None = None) -> list[Case]:
    """The cases of a file of tab-separated lines with a heading: vocabulary, english, formula, and perhaps kind.

    limit   so many at most, spread evenly over the file
    raises  DataError with file and line
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    if not rows:
        raise DataError(f"{path}: no queries.")
    missing = [column for column in COLUMNS if column not in rows[0]]
    if missing:
        raise DataError(f"{path}:1: no column '{missing[0]}'.", hint=f"The columns are {', '.join(COLUMNS)}.")
    numbers = list(range(len(rows)))
    if limit is not None and limit < len(rows):
        numbers = [number * len(rows) // limit for number in range(limit)]
    return [_case(rows[number], f"{path}:{number + 2}") for number in numbers]


def _case(row: dict[str, str | None], place: str) -> Case:
    from ..grammar.dimensions import check
    from ..grammar.reader import read
    from ..grammar.vocabulary import load_vocabulary

    vocabulary, english, formula = (row[column] for column in COLUMNS)
    if not (vocabulary and english and formula):
        raise DataError(f"{place}: a field is empty.")
    try:
        known = load_vocabulary(vocabulary)
        gold = check(read(formula), known, formula)
    except RuneError as error:
        raise DataError(f"{place}: {error}") from None
    return Case(english, gold, known, row.get("kind") or kind_of(gold))


def evaluate(translator: Translator, cases: Sequence[Case], *, progress: bool = False) -> Report:
    """Every case put to the translator, one after the other.

    raises  ServerError, MissingExtra: a translator that cannot be reached has no figures
    """
    from ..progress import track

    listed = track(cases, f"Asking {translator.name}", progress)
    return Report(translator.name, tuple(_outcome(translator, case) for case in listed))


def _outcome(translator: Translator, case: Case) -> Outcome:
    from ..translate.openai_server import ServerError

    started = time.perf_counter()
    try:
        answer = translator(case.english, case.vocabulary)
    except ServerError:
        raise
    except (QueryError, LimitError) as error:
        return Outcome(case, None, False, "", 0.0, time.perf_counter() - started, error=str(error))
    seconds = time.perf_counter() - started
    right, how = same_denotation(case.gold, answer.formula, case.vocabulary)
    return Outcome(
        case, answer.formula, right, how, name_f1(case.gold, answer.formula), seconds, answer.unusable
    )


def name_f1(gold: Formula, formula: Formula) -> float:
    """How well the applied names agree, as multisets: 2 * common / (gold's + formula's); 1 where neither has any."""
    wanted, got = _names(gold), _names(formula)
    total = wanted.total() + got.total()
    return 1.0 if not total else 2 * (wanted & got).total() / total


def _names(formula: Formula) -> Counter[str]:
    return Counter(node.name for node in walk(formula) if isinstance(node, Apply))


def kind_of(formula: Formula) -> str:
    """What is hardest in a query, of KINDS, the first that fits."""
    nodes = list(walk(formula))
    if any(isinstance(node, Count | Cover) for node in nodes):
        return "sets compared"
    if any(isinstance(node, ForAll) for node in nodes):
        return "every"
    if any(isinstance(node, ExistsCount) for node in nodes):
        return "how many"
    if any(isinstance(node, Compare) and _measures(node) for node in nodes):
        return "measures"
    if any(isinstance(node, Not | Or) for node in nodes):
        return "no and or"
    if any(isinstance(node, Apply) and node.name in WORDS and len(node.args) > 1 for node in nodes):
        return "relations"
    return "things"


def _measures(node: Compare) -> bool:
    sides = (node.left, node.right)
    return not all(isinstance(side, Variable) for side in sides) and any(
        isinstance(side, Number | Apply | Arithmetic) for side in sides
    )

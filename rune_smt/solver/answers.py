"""Which entities answer a variable of a query: `select` (LANGUAGE, section 9), over all images at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import QueryError
from ..grammar.nodes import (
    And,
    Exists,
    ExistsCount,
    Formula,
    Or,
    conjunction,
)
from ..grammar.printer import canonical
from ..verdict import SATISFIED
from .array_engine import ArrayEngine, Frame
from .atoms import Rows
from .normalise import normalise

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary


def answers(
    formula: Formula, table: EntityTable, vocabulary: Vocabulary, min_score: float, variable: str | None = None
) -> tuple[str, Rows]:
    """The variable, and the rows (int64, in order of image and entity id) of the entities that answer it.

    formula   closed, definitions expanded
    raises    QueryError where no such variable stands under `&`, `|`, exists and exists>=N alone
    """
    opened = open_variable(formula, variable)
    if opened is None:
        wanted = f"variable {variable}" if variable else "outermost variable"
        raise QueryError(
            f"No entity can answer: the query has no {wanted} under '&', '|', 'exists' and 'exists>=N' alone.",
            hint=f"The formula is {canonical(formula)}. Ask for {{x | ...}}, or search for images instead.",
        )
    name, body = opened
    engine = ArrayEngine(table, vocabulary, min_score)
    rows = np.flatnonzero(table.score >= min_score).astype(np.int64)
    verdicts = engine.evaluate(normalise(body), Frame(table.image[rows].astype(np.int64), {name: rows}))
    rows = rows[verdicts == SATISFIED]
    return name, rows[np.lexsort((table.entity_id[rows], table.image[rows]))]


def open_variable(formula: Formula, variable: str | None) -> tuple[str, Formula] | None:
    """The formula with one variable left free: true of an entity where the query is satisfied with it in that place.

    Under `|` the other parts are left out: they would make every entity an answer.
    """
    match formula:
        case (Exists(var, body) | ExistsCount(">=", _, var, body)) if variable in (None, var):
            return var, body
        case Exists(_, body):
            opened = open_variable(body, variable)
            return None if opened is None else (opened[0], replace(formula, body=opened[1]))
        case And(parts):
            for i, part in enumerate(parts):
                opened = open_variable(part, variable)
                if opened is not None:
                    return opened[0], conjunction((*parts[:i], opened[1], *parts[i + 1 :]))
            return None
        case Or(parts):
            for part in parts:
                opened = open_variable(part, variable)
                if opened is not None:
                    return opened
            return None
        case _:
            return None

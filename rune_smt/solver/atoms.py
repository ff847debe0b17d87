"""The truth of atoms, over rows of the entity table: the only door from formulas to geometry.

Every engine asks here (and here the geometry module is asked), so two engines can never differ by a rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import OPEN, UNITS, Parameters, gap_by_boxes, measure, truth
from ..grammar.nodes import Apply, Arithmetic, Compare, CompareOp, Number, Term, Text, Variable
from ..grammar.words import WORDS
from ..verdict import SATISFIED, UNDECIDED, VIOLATED
from .numbers import METRIC, distance_limit, in_metres

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from ..grammar.vocabulary import Vocabulary

Codes = NDArray[np.int8]  # verdicts as numbers, one a row
Rows = NDArray[np.int64]  # rows of the entity table
Images = NDArray[np.integer[Any]]  # rows of the image table

_COMPARE: dict[CompareOp, Any] = {
    "=": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


class Facts:
    """What is true of the entities of a table under a vocabulary: atoms without counts, links apart."""

    def __init__(self, table: EntityTable, vocabulary: Vocabulary):
        self.table = table
        self.vocabulary = vocabulary
        self.parameters = parameters_of(vocabulary, table.classes)
        self._members: dict[str, NDArray[np.bool_]] = {}

    def members(self, cls: str) -> NDArray[np.bool_]:
        """For each class code of the table whether it is `cls` or a class below it; bool (C,)."""
        if cls not in self._members:
            self._members[cls] = np.array([self.vocabulary.is_a(c, cls) for c in self.table.classes], dtype=bool)
        return self._members[cls]

    def truth(self, atom: Apply | Compare, rows: Mapping[str, Rows], images: Images) -> Codes:
        """Verdict codes of `atom`, int8 (n,): `rows` binds each variable to n rows, `images` holds the n images."""
        if isinstance(atom, Compare):
            limit = distance_limit(atom)
            if limit is not None and limit[0] == "distance":
                return self._distance(atom, limit, rows, images)
            return self._compare(atom, rows, images)
        name, args = atom.name, tuple(rows[arg.name] for arg in atom.args if isinstance(arg, Variable))
        if name in WORDS:
            return truth(name, self.table, args, self.parameters)
        if name in self.vocabulary.classes:
            return _codes(self.members(name)[self.table.label[args[0]]])
        if name in self.vocabulary.attributes:
            values = self._attribute(name, args[0])
            return np.where(np.isnan(values), np.int8(UNDECIDED), _codes(values != 0)).astype(np.int8)
        raise KeyError(f"{name} is neither a word, a class nor an attribute of vocabulary {self.vocabulary.name}")

    def _compare(self, atom: Compare, rows: Mapping[str, Rows], images: Images) -> Codes:
        left, right = atom.left, atom.right
        if isinstance(left, Variable) and isinstance(right, Variable):
            return _codes(_COMPARE[atom.op](rows[left.name], rows[right.name]))
        if isinstance(left, Text) or isinstance(right, Text) or self._is_text(left) or self._is_text(right):
            a, b = self._text_rank(left, right, rows, images), self._text_rank(right, left, rows, images)
        else:
            a = self._number(left, rows, images, self._percent_base(right, rows, images))
            b = self._number(right, rows, images, self._percent_base(left, rows, images))
        with np.errstate(invalid="ignore"):
            known = _codes(_COMPARE[atom.op](a, b))
        known[np.isnan(a) | np.isnan(b)] = UNDECIDED
        return known

    def _distance(
        self, atom: Compare, limit: tuple[str, str, Number], rows: Mapping[str, Rows], images: Images
    ) -> Codes:
        """distance(x, y) against a length: boxes first, for outlines of masks have thousands of corners."""
        _, op, length = limit
        (x, y) = (rows[name] for name in _arguments(atom))
        found = gap_by_boxes(self.table, x, y, self._number(length, rows, images, np.empty(0)))
        if op in (">", ">="):
            found = np.where(found == OPEN, OPEN, SATISFIED - found).astype(np.int8)
        unknown = np.flatnonzero(found == OPEN)
        found[unknown] = self._compare(atom, {name: row[unknown] for name, row in rows.items()}, images[unknown])
        return found

    # --- numbers ------------------------------------------------------------------------------------------------------

    def _number(
        self, term: Term, rows: Mapping[str, Rows], images: Images, percent: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The value in pixels, square pixels, degrees or bare; float64 (n,), NaN where a number it needs is missing."""
        match term:
            case Number(value, "%"):
                return float(value) * percent / 100.0
            case Number(_, unit) if unit in METRIC:
                metres, power = in_metres(term)
                gsd = self.table.images.gsd[images]
                return metres / gsd if power == 1 else metres / (gsd * gsd)
            case Number(value):
                return np.full(len(images), float(value))
            case Arithmetic(op, left, right):
                a, b = self._number(left, rows, images, percent), self._number(right, rows, images, percent)
                with np.errstate(all="ignore"):
                    return {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[op](a, b)
            case Apply(name, args):
                bound = tuple(rows[arg.name] for arg in args if isinstance(arg, Variable))
                if name in WORDS:
                    return measure(name, self.table, bound, self.parameters)
                return self._attribute(name, bound[0])
            case _:
                raise TypeError(f"not a number: {term}")

    def _percent_base(self, other: Term, rows: Mapping[str, Rows], images: Images) -> NDArray[np.float64]:
        """What N % is a share of: the image's area beside an area, its diagonal beside a length; NaN if unknown."""
        width, height = self.table.images.width[images], self.table.images.height[images]
        if self.power(other) == 2:
            return width * height
        return np.hypot(width, height)

    def power(self, term: Term) -> int:
        """2 for an area, 1 for a length, 0 for all else."""
        match term:
            case Number(_, "px2" | "m2" | "ha" | "km2"):
                return 2
            case Number(_, "px" | "m" | "km"):
                return 1
            case Apply(name):
                dimension = WORDS[name].dimension if name in WORDS else "none"
                return {"area": 2, "length": 1}.get(dimension, 0)
            case Arithmetic("*", left, right):
                return self.power(left) + self.power(right)
            case Arithmetic("/", left, _):
                return self.power(left)
            case Arithmetic(_, left, right):
                return max(self.power(left), self.power(right))
            case _:
                return 2 if not isinstance(term, Variable | Text | Number) else 0  # cover

    # --- attributes ---------------------------------------------------------------------------------------------------

    def _attribute(self, name: str, rows: Rows) -> NDArray[np.float64]:
        attribute = self.table.attributes.get(name)
        return np.full(len(rows), np.nan) if attribute is None else attribute.values[rows]

    def _is_text(self, term: Term) -> bool:
        if not isinstance(term, Apply) or term.name not in self.vocabulary.attributes:
            return False
        return self.vocabulary.attributes[term.name].type == "text"

    def _text_rank(self, term: Term, other: Term, rows: Mapping[str, Rows], images: Images) -> NDArray[np.float64]:
        """A text as its place in the attribute's order (declared values, then any others by name); NaN if missing."""
        order = self._text_order(term, other)
        if isinstance(term, Text):
            return np.full(len(images), float(order.index(term.value)) if term.value in order else -1.0)
        assert isinstance(term, Apply) and isinstance(term.args[0], Variable)
        attribute = self.table.attributes.get(term.name)
        if attribute is None:
            return np.full(len(images), np.nan)
        ranks = np.array([float(order.index(text)) for text in attribute.texts] + [np.nan])
        values = attribute.values[rows[term.args[0].name]]
        return ranks[np.where(np.isnan(values), len(attribute.texts), values).astype(np.int64)]

    def _text_order(self, *terms: Term) -> list[str]:
        names = [term.name for term in terms if isinstance(term, Apply)]
        ordered = [text for name in names for text in self.vocabulary.attributes[name].ordered]
        seen = {text for name in names if name in self.table.attributes for text in self.table.attributes[name].texts}
        return list(dict.fromkeys(ordered)) + sorted(seen.difference(ordered))


def _arguments(atom: Compare) -> list[str]:
    """The variables of the function that is compared, as they stand."""
    term = atom.left if isinstance(atom.left, Apply) else atom.right
    assert isinstance(term, Apply)
    return [arg.name for arg in term.args if isinstance(arg, Variable)]


def _codes(known: NDArray[np.bool_]) -> Codes:
    return np.where(known, np.int8(SATISFIED), np.int8(VIOLATED)).astype(np.int8)


def parameters_of(vocabulary: Vocabulary, classes: Sequence[str]) -> Parameters:
    """The vocabulary's numbers as the geometry module wants them, for the classes of a table."""
    if not vocabulary.near.pairs:
        limit = vocabulary.near.default
        return Parameters(limit.value, UNITS[limit.unit], vocabulary.far_ratio)
    limits = [[vocabulary.near_limit(a, b) for b in classes] for a in classes]
    shape = (len(classes), len(classes))
    value = np.array([[limit.value for limit in row] for row in limits], dtype=np.float64).reshape(shape)
    unit = np.array([[UNITS[limit.unit] for limit in row] for row in limits], dtype=np.int8).reshape(shape)
    return Parameters(value, unit, vocabulary.far_ratio)

"""Which entities near others satisfy a few literals, counted or listed in a compiled loop: for each of many, in turn.

Where numba is installed and `python -m rune_smt.solver.scan` has been run once (it compiles, and numba keeps the result
on disk), the array engine asks here first. A pair is decided by boxes, centroids and the corners of quadrilaterals, as
in `relations`; one that lies within rounding of a limit, that is undecided, or whose outlines are of another shape
counts as open, and the engine looks at its binding in the ordinary way. So the answer is that of the geometry module,
with numba or without. Nothing is ever compiled for a query.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..entities.relations import Parameters
from ..grammar.kept_parsers import folder
from ..grammar.nodes import Apply, Compare, Variable
from ..verdict import SATISFIED
from .frame import Runs, expand, run_starts
from .joins import Ranking, in_pixels
from .numbers import distance_limit

if TYPE_CHECKING:
    from ..entities.table import EntityTable
    from .atoms import Rows
    from .plan import Literal

LEAST = 2_000  # pairs of images' owners and candidates together: below it the ordinary way is as quick
WORTH_LOADING = 1_000_000  # the same, where numba is not loaded yet: loading it takes a third of a second

SIZES = 16  # powers of four, as in `joins`: one large outline does not widen the search among small ones
FIELDS = 10  # of a size's grid, see `scan_loop`
COLUMNS = ("min_x", "min_y", "max_x", "max_y", "diag", "area", "cx", "cy")
SCANNED = ("near", "far", "touches", "overlaps", "inside", "contains", "same_class", "left_of", "right_of", "above",
           "below", "larger", "smaller")  # fmt: skip
OTHER, WITHIN, BELOW = len(SCANNED), len(SCANNED) + 1, len(SCANNED) + 2  # x != y, distance <= limit, distance < limit


@dataclass(frozen=True, slots=True)
class Scanned:
    """For each owner how many candidates satisfy all literals, and how many may; int64 (k,) each."""

    sure: NDArray[np.int64]
    open: NDArray[np.int64]


def scannable(literal: Literal) -> bool:
    """Whether the loop knows the literal."""
    atom = literal.atom
    if isinstance(atom, Apply):
        return atom.name in SCANNED
    if isinstance(atom.left, Variable) and isinstance(atom.right, Variable):
        return atom.op == "!="
    found = distance_limit(atom)
    return found is not None and found[0] == "distance" and not literal.negated


def is_worth(work: int) -> bool:
    """Whether so many pairs are worth a scan: they need the compiled loop, and perhaps loading it."""
    if work < LEAST or not is_prepared():
        return False
    return "numba" in sys.modules or work >= WORTH_LOADING


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What is asked of pairs of an owner and a candidate of its image: all literals.

    names       of the owner's variable and of the candidate's
    owners, images      rows, in order of image, and their images
    candidates, runs    rows, ascending, and where those of an image start
    reach       for each owner how far from its box a candidate's box may be, px, without rounding
    per_diag    a candidate's reach is at most its diagonal times this, or 1 px
    onwards     1: each pair of two candidates once, from either side; 2: and each with itself; 0: both ways
    unlike      only candidates of another class than the owner's are asked for
    """

    table: EntityTable
    parameters: Parameters
    literals: tuple[Literal, ...]
    names: tuple[str, str]
    owners: Rows
    images: Rows
    candidates: Rows
    runs: Runs
    reach: NDArray[np.float64]
    per_diag: float = np.inf
    onwards: int = 0
    unlike: bool = False

    def count(self, group: Rows, done: NDArray[np.bool_], enough: int = 0) -> Scanned:
        """Counts for each owner the candidates that satisfy.

        group, done  owners of a group that is done are not asked
        enough       stop counting there, and then the group is done; 0 to count all and leave groups alone
        """
        result = self._nothing()
        rounds = self._rounds()
        self._loop(rounds)(group, done, enough, result, np.zeros((0, 3), np.int64), np.zeros(3, np.int64))
        return result

    def pairs(self, asked: NDArray[np.bool_], room: int) -> Iterator[tuple[Rows, Rows, NDArray[np.bool_]]]:
        """The pairs that satisfy, and that may: numbers of the owners, rows of the candidates, whether it is sure.

        asked  for each owner whether it is asked; may be changed while pairs come
        room   how many come at once; more where one image has more candidates
        """
        rounds, unused = self._rounds(), self._nothing()
        loop = self._loop(rounds)
        listed = np.empty((max(room, _most(rounds)), 3), np.int64)
        state, every = np.zeros(3, np.int64), np.arange(len(self.owners), dtype=np.int64)
        while state[0] < len(rounds):
            state[2] = 0
            loop(every, ~asked, 0, unused, listed, state)
            found = listed[: state[2]].copy()
            if len(found):
                yield found[:, 0], found[:, 1], found[:, 2] == SATISFIED

    def _nothing(self) -> Scanned:
        return Scanned(np.zeros(len(self.owners), np.int64), np.zeros(len(self.owners), np.int64))

    def _loop(self, rounds: Rows) -> Callable[[Rows, NDArray[np.bool_], int, Scanned, Rows, Rows], None]:
        """The compiled loop over these rounds, asked with: group, done, enough, what counts and pairs are put into."""
        table, parameters = self.table, self.parameters
        program = np.array([_operation(literal, self.names) for literal in self.literals], np.int64).reshape(-1, 3)
        limits = np.zeros((len(self.literals), len(self.owners)))
        for i, literal in enumerate(self.literals):
            if program[i, 0] in (WITHIN, BELOW):
                assert isinstance(literal.atom, Compare)
                found = distance_limit(literal.atom)
                assert found is not None
                limits[i] = in_pixels(found[2], table, self.owners)
        value, unit = np.asarray(parameters.near_value, np.float64), np.asarray(parameters.near_unit, np.int64)
        by_class = (len(table.classes),) * 2 if value.ndim or unit.ndim else (1, 1)
        asked = tuple(map(np.ascontiguousarray, (self.owners, rounds, self.candidates, self.reach)))
        about = (
            tuple(np.ascontiguousarray(getattr(table, name)) for name in COLUMNS),
            np.ascontiguousarray(table.label), np.ascontiguousarray(table.image), *table.shapes.corners_in_place(),
            program, limits,
            np.ascontiguousarray(np.broadcast_to(value, by_class)),
            np.ascontiguousarray(np.broadcast_to(unit, by_class)),
            np.ascontiguousarray(table.images.gsd),
            (parameters.far_ratio, parameters.touch_px, parameters.inside_share), self.per_diag,
        )  # fmt: skip
        onwards, workspace = 0 if self.unlike else self.onwards, _workspace(_most(rounds))

        def loop(
            group: Rows, done: NDArray[np.bool_], enough: int, result: Scanned, listed: Rows, state: Rows
        ) -> None:
            _compiled()(
                *asked, np.ascontiguousarray(group), done, *about, enough, onwards, *workspace,
                result.sure, result.open, listed, state,
            )  # fmt: skip

        return loop

    def _rounds(self) -> Rows:
        """Where some owners start and end, and their candidates; int64 (k, 4)."""
        if self.unlike:
            return _class_by_class(self.table, self.owners, self.candidates, once=self.onwards > 0)
        return _image_by_image(self.images, self.runs)


def _most(rounds: Rows) -> int:
    """The most candidates of a round."""
    return int((rounds[:, 3] - rounds[:, 2]).max(initial=1))


def _image_by_image(images: Rows, runs: Runs) -> Rows:
    """A round for each image; `images` are those of the owners."""
    starts = run_starts(images)
    begin, count = runs.at(images[starts])
    return _side_by_side(starts, np.append(starts[1:], len(images)), begin, begin + count)


def _class_by_class(table: EntityTable, owners: Rows, candidates: Rows, once: bool) -> Rows:
    """A round for every two classes of an image, in order of the candidates.

    once  of two classes the one with fewer candidates owns
    """
    ranking = Ranking(table, candidates)
    sides = []
    for rows in (owners, candidates):
        kind = ranking.kinds(rows)
        starts = run_starts(kind)
        sides.append((starts, np.append(starts[1:], len(rows)), kind[starts]))
    (start, stop, own), (begin, end, other) = sides
    image, of_image = own // ranking.step, other // ranking.step
    low, high = (np.searchsorted(of_image, image, side).astype(np.int64) for side in ("left", "right"))
    mine, theirs = expand(low, high - low)
    differ = np.flatnonzero(other[theirs] > own[mine] if once else other[theirs] != own[mine])
    mine, theirs = mine[differ], theirs[differ]
    by_candidates = np.argsort(theirs, kind="stable")
    mine, theirs = mine[by_candidates], theirs[by_candidates]
    return _side_by_side(start[mine], stop[mine], begin[theirs], end[theirs])


def _side_by_side(*columns: Any) -> Rows:
    return np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.int64)


def _workspace(most: int) -> tuple[Any, Any]:
    """What the loop writes in: for images with up to so many candidates."""
    numbers = (np.zeros((SIZES, FIELDS)), np.zeros((most, 4)), np.zeros(8), np.zeros(8), np.zeros((2, 32)))
    cells = np.zeros(8 * most + 4 * SIZES + 2, np.int64)
    cell, order, place = (np.zeros(most, np.int64) for _ in range(3))
    return numbers, (cell, cells, order, place, np.zeros(1, np.int64))


def _operation(literal: Literal, names: tuple[str, str]) -> tuple[int, int, int]:
    """The number of a literal's word, whether it is negated, whether the candidate comes first in it."""
    atom = literal.atom
    if isinstance(atom, Apply):
        swapped = isinstance(atom.args[0], Variable) and atom.args[0].name == names[1]
        return SCANNED.index(atom.name), int(literal.negated), int(swapped)
    found = distance_limit(atom)
    if found is None:
        return OTHER, int(literal.negated), 0
    strict = found[1] in ("<", ">=")
    return BELOW if strict else WITHIN, int(found[1] in (">", ">=")), 0


# --- the compiled loop: is it there? ----------------------------------------------------------------------------------


@cache
def is_prepared() -> bool:
    """Whether numba is installed and the loop was compiled on this machine, for this version of it."""
    mark = _mark()
    return mark is not None and mark.is_file()


def prepare() -> Path | None:
    """Compiles the loop, and marks that it is; where the mark is, None where nothing may be kept."""
    from . import scan_loop

    scan_loop.scan_all  # noqa: B018  compiled as the module is imported
    mark = _mark()
    if mark is not None:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text("compiled\n", encoding="utf-8")
    is_prepared.cache_clear()
    return mark


def _mark() -> Path | None:
    where = folder()
    if where is None:
        return None
    try:
        numba = version("numba")
    except PackageNotFoundError:
        return None
    source = (Path(__file__).parent / "scan_loop.py").read_bytes()
    key = json.dumps([numba, np.__version__, sys.version_info[:2], sys.platform]).encode()
    return where / f"scan-{sha256(key + source).hexdigest()[:32]}.mark"


@cache
def _compiled() -> Any:
    from .scan_loop import scan_all

    return scan_all


if __name__ == "__main__":
    print(f"compiled; marked at {prepare()}")

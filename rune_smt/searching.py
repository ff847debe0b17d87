"""Search: which images of an archive satisfy a query, and which entities answer it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from .errors import DisagreementError, QueryError
from .query import Query, QueryLike, as_query, vocabulary_of
from .verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict

if TYPE_CHECKING:
    import pandas
    import pyarrow as pa

    from .entities.archive import Archive
    from .grammar.nodes import Formula
    from .grammar.vocabulary import Vocabulary
    from .solver.array_engine import Statistics
    from .solver.world import World

Engine: TypeAlias = Literal["auto", "array", "z3", "reference"]
Mode: TypeAlias = Literal["threshold", "graded", "probability"]
Witness: TypeAlias = dict[str, int | list[int]]  # which entity, or entities, play each variable
ENGINES = ("auto", "array", "z3", "reference")
MODES = ("threshold", "graded", "probability")


@dataclass(frozen=True, slots=True)
class Match:
    """An image that is an answer: its degree (1 in mode threshold), and the witness, found when it is asked for."""

    image_id: str
    degree: float
    find_witness: Callable[[], Witness] = field(repr=False, compare=False)

    @property
    def witness(self) -> Witness:
        """The entities that make the query true: ids by variable (LANGUAGE, section 9)."""
        return self.find_witness()


@dataclass(frozen=True)
class SearchResult:
    """The answers to a query, in order of degree and then image id; the images that cannot be told apart from them.

    ids         image ids of the answers, all of them whatever `limit`
    undecided   image id -> what is missing, for images that cannot be told
    counts      images, satisfied, violated, undecided
    verdicts    int8 codes in the order of the archive's images
    elapsed_ms  load, translate, plan, decide, explain
    """

    archive: Archive = field(repr=False)
    query: Query
    engine: str
    mode: Mode
    min_score: float
    verdicts: NDArray[np.int8] = field(repr=False)
    degrees: NDArray[np.float64] = field(repr=False)
    limit: int | None
    elapsed_ms: dict[str, float]
    statistics: Statistics | None = None
    verified: int = 0

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        found = np.flatnonzero(self.verdicts == SATISFIED)
        return found[np.argsort(-self.degrees[found], kind="stable")]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Image ids of the answers, best first."""
        names = self.archive.table.images.image_id
        return tuple(names[int(i)] for i in self._order)

    @cached_property
    def undecided(self) -> dict[str, list[str]]:
        """Image id -> what is missing to tell."""
        names = self.archive.table.images.image_id
        return {
            names[int(i)]: self._world(int(i)).missing(self._expanded)
            for i in np.flatnonzero(self.verdicts == UNDECIDED)
        }

    @property
    def counts(self) -> dict[str, int]:
        """How many images, and how many of them satisfied, violated and undecided."""
        return {
            "images": len(self.verdicts),
            "satisfied": int((self.verdicts == SATISFIED).sum()),
            "violated": int((self.verdicts == VIOLATED).sum()),
            "undecided": int((self.verdicts == UNDECIDED).sum()),
        }

    def _world(self, index: int) -> World:
        from .entities.scene import Scene
        from .solver.world import World

        scene = Scene(self.archive.table, index)
        return World(scene, vocabulary_of(self.archive), self.min_score)

    @cached_property
    def _expanded(self) -> Formula:
        from .grammar.definitions import expand_definitions

        return expand_definitions(self.query.formula, vocabulary_of(self.archive))

    def _match(self, index: int) -> Match:
        from .solver.witness import witness

        name = self.archive.table.images.image_id[index]
        return Match(name, float(self.degrees[index]), lambda: dict(witness(self._expanded, self._world(index))))

    def __len__(self) -> int:
        return len(self._order) if self.limit is None else min(self.limit, len(self._order))

    def __iter__(self) -> Iterator[Match]:
        return (self._match(int(i)) for i in self._order[: self.limit])

    @overload
    def __getitem__(self, key: int) -> Match: ...
    @overload
    def __getitem__(self, key: slice) -> list[Match]: ...
    def __getitem__(self, key: int | slice) -> Match | list[Match]:
        shown = self._order[: self.limit]
        if isinstance(key, slice):
            return [self._match(int(i)) for i in shown[key]]
        return self._match(int(shown[key]))

    def __contains__(self, image_id: object) -> bool:
        return image_id in self._id_set

    @cached_property
    def _id_set(self) -> frozenset[str]:
        return frozenset(self.ids)

    # --- out ----------------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """The shape of INTERFACE: query, engine, mode, counts, matches with witnesses, undecided, elapsed_ms."""
        started = time.perf_counter()
        matches = [
            {"image_id": match.image_id, "degree": match.degree, "witness": match.witness}
            for match in self
        ]
        undecided = [{"image_id": name, "missing": missing} for name, missing in self.undecided.items()]
        elapsed = {**self.elapsed_ms, "explain": _since(started)}
        query = {
            "text": self.query.text,
            "formula": str(self.query),
            "reading": self.query.reading,
            "left_out": list(self.query.left_out),
        }
        return {
            "query": query,
            "engine": self.engine,
            "mode": self.mode,
            "counts": self.counts,
            "matches": matches,
            "undecided": undecided,
            "elapsed_ms": elapsed,
        }

    def to_arrow(self) -> pa.Table:
        """One row a match: image_id, degree, witness (JSON text), then the columns of the images table."""
        import json

        import pyarrow as pa

        matches = list(self)
        index = pa.array([int(i) for i in self._order[: self.limit]], pa.int64())
        columns = {
            "image_id": pa.array([match.image_id for match in matches], pa.string()),
            "degree": pa.array([match.degree for match in matches], pa.float64()),
            "witness": pa.array([json.dumps(match.witness) for match in matches], pa.string()),
        }
        images = self.archive.images.take(index).drop_columns(["image_id"])
        return pa.table({**columns, **{name: images[name] for name in images.column_names if name not in columns}})

    def to_pandas(self) -> pandas.DataFrame:
        """`to_arrow` as a data frame (needs pandas)."""
        return self.to_arrow().to_pandas()

    def to_geojson(self) -> dict[str, Any]:
        """The witnesses' outlines, a feature an entity; see `rune_smt.geojson`."""
        from .geojson import witnesses

        return witnesses(self)

    def __repr__(self) -> str:
        counts = self.counts
        return (
            f"SearchResult({self.query.text!r}: {counts['satisfied']} match, {counts['violated']} no match, "
            f"{counts['undecided']} cannot tell, of {counts['images']} images)"
        )

    def _repr_html_(self) -> str:
        from .notebook import result_html

        return result_html(self)


def search(
    archive: Archive,
    query: QueryLike,
    *,
    mode: Mode = "threshold",
    engine: Engine = "auto",
    min_score: float = 0.5,
    min_degree: float = 0.0,
    verify: bool = False,
    limit: int | None = None,
) -> SearchResult:
    """The images of an archive that satisfy a query.

    query      a Query, formula text in any dialect, or a formula; English goes through `translate` first
    mode       threshold: entities with score >= min_score exist; graded: the share of thresholds at which the image is
               satisfied (LANGUAGE, section 7)
    engine     auto and array: vectorised over the archive; z3: one component and image at a time; reference: `holds`
    min_degree answers have a degree above it (mode graded)
    verify     have Z3 confirm every verdict that is returned
    limit      how many matches to hand out; `ids` and `counts` are of all
    raises     QueryError (the query, an unknown engine or mode), DisagreementError (verify found one)
    """
    from .grammar.definitions import expand_definitions
    from .solver.normalise import normalise

    if engine not in ENGINES:
        raise QueryError(f"No engine '{engine}'.", hint=f"There is: {', '.join(ENGINES)}.")
    if mode not in ("threshold", "graded"):
        raise QueryError(f"No mode '{mode}'.", hint="There is: threshold, graded.")
    if not 0 <= min_score <= 1:
        raise QueryError(f"min_score lies between 0 and 1, got {min_score}.")
    elapsed = {"load": 0.0, "translate": 0.0, "plan": 0.0, "decide": 0.0, "explain": 0.0}

    started = time.perf_counter()
    table = archive.table
    elapsed["load"] = _since(started)

    started = time.perf_counter()
    vocabulary = vocabulary_of(archive)
    asked = as_query(query, vocabulary)
    formula = expand_definitions(asked.formula, vocabulary)
    normal = normalise(formula)
    elapsed["plan"] = _since(started)

    started = time.perf_counter()
    statistics = None
    if mode == "graded":
        from .solver.graded import degrees as graded_degrees

        degrees, verdicts = graded_degrees(normal, table, vocabulary, min_degree)
    elif engine in ("auto", "array"):
        from .solver.array_engine import ArrayEngine

        array = ArrayEngine(table, vocabulary, min_score)
        verdicts = array.decide(normal)
        statistics = array.statistics
    else:
        verdicts = _one_by_one(formula, archive, vocabulary, min_score, engine)
    if mode == "threshold":
        degrees = (verdicts == SATISFIED).astype(np.float64)
    elapsed["decide"] = _since(started)

    used = "array" if engine == "auto" else engine
    result = SearchResult(
        archive, asked, used, mode, min_score, verdicts, degrees, limit, elapsed, statistics
    )
    if verify and mode == "threshold":
        started = time.perf_counter()
        confirmed = _confirm(result, formula, vocabulary)
        elapsed["explain"] = _since(started)
        result = SearchResult(
            archive, asked, used, mode, min_score, verdicts, degrees, limit, elapsed, statistics, confirmed
        )
    return result


def _one_by_one(
    formula: Formula, archive: Archive, vocabulary: Vocabulary, min_score: float, engine: str
) -> NDArray[np.int8]:
    """Verdicts by an engine that takes one image at a time."""
    from .solver.atoms import Facts

    decide = _decider(engine)
    facts = Facts(archive.table, vocabulary)
    return np.array([decide(formula, world) for world in _worlds(archive, vocabulary, min_score, facts)], dtype=np.int8)


def _decider(engine: str) -> Callable[[Formula, World], Verdict]:
    if engine == "z3":
        from .solver.z3_engine import decide

        return decide
    from .solver.holds import holds

    return holds


def _worlds(archive: Archive, vocabulary: Vocabulary, min_score: float, facts: Any) -> Iterator[World]:
    from .entities.scene import Scene
    from .solver.world import World

    for index in range(len(archive)):
        yield World(Scene(archive.table, index), vocabulary, min_score, facts=facts)


def _confirm(result: SearchResult, formula: Formula, vocabulary: Vocabulary) -> int:
    """Has Z3 confirm every satisfied and undecided verdict that is returned; how many those were."""
    from .entities.scene import Scene
    from .grammar.printer import canonical
    from .solver.atoms import Facts
    from .solver.world import World
    from .solver.z3_engine import decide

    facts = Facts(result.archive.table, vocabulary)
    returned = np.flatnonzero(result.verdicts != VIOLATED)
    for index in returned:
        world = World(Scene(result.archive.table, int(index)), vocabulary, result.min_score, facts=facts)
        found = decide(formula, world)
        if found != result.verdicts[index]:
            raise DisagreementError(
                f"Two engines disagree on image {world.scene.image_id!r}: {result.engine} says "
                f"{Verdict(int(result.verdicts[index])).word}, z3 says {found.word}.",
                hint=f"Reproduce it: formula {canonical(formula)}; min_score {result.min_score}; "
                f"scene {world.scene.to_json()}",
            )
    return len(returned)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


# --- select: the things, not the images -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Selection:
    """The entities that answer the outermost variable of a query, in order of image and entity id.

    rows  their rows in the archive's table, int64 (n,)
    """

    archive: Archive = field(repr=False)
    query: Query
    variable: str
    rows: NDArray[np.int64] = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        table = self.archive.table
        names = table.images.image_id
        return ((names[int(table.image[row])], int(table.entity_id[row])) for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """query, variable, count, entities: image_id, entity_id, label, score, polygon."""
        from .entities.scene import Scene

        entities = []
        for image in np.unique(self.archive.table.image[self.rows]) if len(self.rows) else ():
            scene = Scene(self.archive.table, int(image)).to_json()
            mine = set(self.archive.table.entity_id[self.rows[self.archive.table.image[self.rows] == image]].tolist())
            entities += [
                {"image_id": scene["image_id"], **entity} for entity in scene["entities"] if entity["entity_id"] in mine
            ]
        return {
            "query": {"text": self.query.text, "formula": str(self.query), "reading": self.query.reading},
            "variable": self.variable,
            "count": len(self),
            "entities": entities,
        }

    def to_arrow(self) -> pa.Table:
        """The rows of the entities table that answer."""
        import pyarrow as pa

        table = self.archive.table
        names = table.images.image_id
        keys = pa.table(
            {
                "image_id": pa.array([names[int(i)] for i in table.image[self.rows]], pa.string()),
                "entity_id": pa.array(table.entity_id[self.rows], pa.int32()),
            }
        )
        return keys.join(self.archive.entities, ["image_id", "entity_id"], join_type="inner").sort_by(
            [("image_id", "ascending"), ("entity_id", "ascending")]
        )

    def to_geojson(self) -> dict[str, Any]:
        """The answers' outlines, a feature an entity; see `rune_smt.geojson`."""
        from .geojson import entities

        return entities(self.archive, self.rows, {"variable": self.variable})

    def __repr__(self) -> str:
        images = len(np.unique(self.archive.table.image[self.rows]))
        return f"Selection({self.query.text!r}: {len(self)} entities in {images} images)"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def select(
    archive: Archive, query: QueryLike, variable: str | None = None, *, min_score: float = 0.5
) -> Selection:
    """The entities that answer the outermost variable of `exists x (f)` or `exists>=N x (f)`, over the whole archive.

    query      as for `search`; also set notation, {x | ship(x) & large(x)}
    variable   another variable (its name in the canonical text) under `&`, `|` and `exists` only: those entities for
               which the query can be satisfied with that variable bound to them
    raises     QueryError where the query has no such variable
    """
    from .grammar.definitions import expand_definitions
    from .solver.answers import answers

    vocabulary = vocabulary_of(archive)
    asked = as_query(set_notation(query), vocabulary)
    formula = expand_definitions(asked.formula, vocabulary)
    name, rows = answers(formula, archive.table, vocabulary, min_score, variable)
    return Selection(archive, asked, name, rows)


def set_notation(query: QueryLike) -> QueryLike:
    """{x | f} as exists x (f)."""
    if not isinstance(query, str):
        return query
    text = query.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return query
    head, bar, body = text[1:-1].partition("|")
    if not bar:
        head, bar, body = text[1:-1].partition(":")
    if not bar or not head.strip().isidentifier():
        raise QueryError("A set of answers is written {x | formula}.", text=query, span=(0, len(query)))
    return f"exists {head.strip()} ({body})"

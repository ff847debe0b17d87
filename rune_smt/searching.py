"""Search: which images of an archive satisfy a query, and which entities answer it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from .errors import QueryError
from .query import Query, QueryLike, as_query, vocabulary_of
from .verdict import SATISFIED, UNDECIDED, VIOLATED

if TYPE_CHECKING:
    from pathlib import Path

    import pandas
    import pyarrow as pa

    from .archive_certificates import Written
    from .confirming import Confirmation
    from .deciding import Asked
    from .entities.archive import Archive
    from .grammar.nodes import Formula
    from .grammar.vocabulary import Vocabulary
    from .side_by_side import Runner
    from .solver.array_engine import Statistics
    from .solver.degrees import Degrees, Interval, Stretches
    from .solver.world import World

Engine: TypeAlias = Literal["auto", "array", "z3", "reference"]
Mode: TypeAlias = Literal["threshold", "graded", "probability"]
Witness: TypeAlias = dict[str, int | list[int]]  # which entity, or entities, play each variable
ENGINES = ("auto", "array", "z3", "reference")
MODES = ("threshold", "graded", "probability")


@dataclass(frozen=True, slots=True)
class Match:
    """An image that is an answer: its degree (1 in mode threshold), and the witness, found when it is asked for.

    upper       the degree with what is undecided counted in
    thresholds  mode graded: where it is satisfied, each stretch above the first and up to the second
    interval    mode probability: where it was sampled, its 95 % interval, sample size and seed; None where it is exact
    """

    image_id: str
    degree: float
    find_witness: Callable[[], Witness] = field(repr=False, compare=False)
    upper: float = 1.0
    thresholds: Stretches = ()
    interval: Interval | None = None

    @property
    def witness(self) -> Witness:
        """The entities that make the query true: ids by variable (LANGUAGE, section 9).

        In mode graded at the highest threshold at which it holds; in mode probability in a likely world in which it
        does.
        """
        return self.find_witness()

    @property
    def said(self) -> str:
        """What the degree rests on: "from 0.31 to 0.84", or the interval of a sampled probability."""
        if self.interval is not None:
            found = self.interval
            return f"{found.low:.3f} to {found.high:.3f} ({found.samples} worlds sampled, seed {found.seed})"
        return ", ".join(f"from {low:.4g} to {high:.4g}" for low, high in self.thresholds)


@dataclass(frozen=True)
class SearchResult:
    """The answers to a query, in order of degree and then image id; the images that cannot be told apart from them.

    ids         image ids of the answers, all of them whatever `limit`
    undecided   image id -> what is missing, for images that cannot be told
    counts      images, satisfied, violated, undecided
    verdicts    int8 codes in the order of the archive's images
    grades      modes graded and probability: degrees, upper bounds, thresholds, intervals of every image
    confirmation  what Z3 confirmed, where that was asked for
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
    confirmation: Confirmation | None = None
    grades: Degrees | None = None

    @property
    def verified(self) -> int:
        """How many of the returned verdicts Z3 confirmed."""
        return 0 if self.confirmation is None else self.confirmation.returned

    @property
    def intervals(self) -> dict[str, Interval]:
        """Mode probability: image id -> the interval of those that were sampled; all others are exact."""
        names = self.archive.image_table.image_id
        found = {} if self.grades is None else self.grades.intervals
        return {names[index]: interval for index, interval in found.items()}

    @property
    def uppers(self) -> NDArray[np.float64]:
        """Each image's upper bound, float64 (m,): its degree with what is undecided counted in."""
        if self.grades is None:
            return (self.verdicts >= UNDECIDED).astype(np.float64)
        return self.grades.upper

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        found = np.flatnonzero(self.verdicts == SATISFIED)
        return found[np.argsort(-self.degrees[found], kind="stable")]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Image ids of the answers, best first."""
        names = self.archive.image_table.image_id
        return tuple(names[int(i)] for i in self._order)

    @cached_property
    def undecided(self) -> dict[str, list[str]]:
        """Image id -> what is missing to tell; nothing where only more sampled worlds could."""
        names = self.archive.image_table.image_id
        return {
            names[int(i)]: self._widest(int(i)).missing(self._expanded)
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

    def _widest(self, index: int) -> World:
        """The image with every entity that the mode may have."""
        from .solver.world import World

        scene, vocabulary = self.archive.scene(index), vocabulary_of(self.archive)
        if self.mode == "threshold":
            return World(scene, vocabulary, self.min_score)
        return World(scene, vocabulary, 0.0, exists=scene.table.score > 0)

    def _telling(self, index: int) -> World | None:
        """A world of the image that satisfies the query; None where none was found."""
        from .solver.world import World

        if self.mode == "threshold":
            return self._widest(index)
        scene, vocabulary = self.archive.scene(index), vocabulary_of(self.archive)
        if self.mode == "graded":
            assert self.grades is not None
            return World(scene, vocabulary, self.grades.stretches[index][-1][1])
        from .solver.probability import likely_world

        return likely_world(self._expanded, scene, vocabulary)

    @cached_property
    def _expanded(self) -> Formula:
        from .grammar.definitions import expand_definitions

        return expand_definitions(self.query.formula, vocabulary_of(self.archive))

    def _match(self, index: int) -> Match:
        name, degree = self.archive.image_table.image_id[index], float(self.degrees[index])
        if self.grades is None:
            return Match(name, degree, lambda: self._witness(index))
        upper, stretches = float(self.grades.upper[index]), self.grades.stretches.get(index, ())
        return Match(
            name, degree, lambda: self._witness(index), upper, stretches, self.grades.intervals.get(index)
        )  # fmt: skip

    def _witness(self, index: int) -> Witness:
        from .solver.witness import witness

        world = self._telling(index)
        return {} if world is None else dict(witness(self._expanded, world))

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
        from .hints import lower_bound_hint

        started = time.perf_counter()
        matches = [
            {"image_id": match.image_id, "degree": match.degree, "witness": match.witness, **self._beside(match)}
            for match in self
        ]
        undecided = [
            {"image_id": name, "missing": missing, **({} if self.grades is None else {"upper": float(upper)})}
            for (name, missing), upper in zip(
                self.undecided.items(), self.uppers[self.verdicts == UNDECIDED], strict=True
            )
        ]
        elapsed = {**self.elapsed_ms, "explain": _since(started)}
        query = {
            "text": self.query.text,
            "formula": str(self.query),
            "reading": self.query.reading,
            "left_out": list(self.query.left_out),
        }
        note = lower_bound_hint(self)
        return {
            **({"notes": [note]} if note else {}),
            "query": query,
            "engine": self.engine,
            "mode": self.mode,
            "counts": self.counts,
            "matches": matches,
            "undecided": undecided,
            "elapsed_ms": elapsed,
        }

    def _beside(self, match: Match) -> dict[str, Any]:
        """What the degree rests on: `upper`, and `thresholds` or `interval`."""
        if self.mode == "graded":
            return {"upper": match.upper, "thresholds": [list(stretch) for stretch in match.thresholds]}
        if self.mode == "probability":
            return {"upper": match.upper, "interval": None if match.interval is None else asdict(match.interval)}
        return {}

    def certify(self, directory: str | Path, *, violated: bool = False, progress: bool = True) -> Written:
        """Writes a certificate for every verdict that is returned, and for the violated ones where asked for.

        See `rune_smt.archive_certificates`; `rune_smt.verify_all` checks all of them. Mode threshold only.
        """
        from .archive_certificates import write_certificates

        return write_certificates(self, directory, violated=violated, progress=progress)

    def to_arrow(self) -> pa.Table:
        """One row a match: image_id, degree, witness (JSON text), then the columns of the images table.

        Modes graded and probability have `upper` and `rests_on`, the thresholds or the interval, before these.
        """
        import json

        import pyarrow as pa

        matches = list(self)
        index = pa.array([int(i) for i in self._order[: self.limit]], pa.int64())
        columns = {
            "image_id": pa.array([match.image_id for match in matches], pa.string()),
            "degree": pa.array([match.degree for match in matches], pa.float64()),
            "witness": pa.array([json.dumps(match.witness) for match in matches], pa.string()),
        }
        if self.grades is not None:
            columns["upper"] = pa.array([match.upper for match in matches], pa.float64())
            columns["rests_on"] = pa.array([match.said for match in matches], pa.string())
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
    workers: int | None = None,
    runner: Runner | None = None,
) -> SearchResult:
    """The images of an archive that satisfy a query.

    query      a Query, formula text in any dialect, or a formula; English goes through `translate` first
    mode       threshold: entities with score >= min_score exist; graded: the share of thresholds at which the image is
               satisfied; probability: each detection exists with its score as probability (LANGUAGE, section 7)
    engine     auto and array: vectorised over the archive; z3: one component and image at a time; reference: `holds`;
               these two decide each threshold or each world by itself in the other modes, LimitError beyond 2^14 worlds
    min_degree answers have a degree above it (modes graded and probability)
    verify     have Z3 confirm every verdict that is returned, and a seeded sample of the others (mode threshold)
    limit      how many matches to hand out; `ids` and `counts` are of all
    workers    threads of the array engine: parts side by side, or in mode threshold the images of one part; the answers
               are the same for any number; one for each core where none is given
    runner     has every part decided in the place of workers: see rune_smt.cluster
    raises     QueryError (the query, an unknown engine or mode), DisagreementError (verify found one)
    """
    from .deciding import decide

    if verify and mode != "threshold":
        raise QueryError(
            f"verify is for mode threshold, not for mode {mode}.",
            hint="With engine z3 every threshold, or every world, is decided by Z3.",
        )
    if workers is not None and workers < 1:
        raise QueryError(f"workers is 1 or more, got {workers}.")
    elapsed = {"load": 0.0, "translate": 0.0, "plan": 0.0, "decide": 0.0, "explain": 0.0}

    started = time.perf_counter()
    vocabulary = vocabulary_of(archive)
    asked, asking = question(vocabulary, query, mode, engine, min_score, min_degree)
    elapsed["plan"] = _since(started)

    started = time.perf_counter()
    found = decide(archive, vocabulary, asking, workers, runner)
    elapsed["decide"] = _since(started)

    used = "array" if engine == "auto" else engine
    confirmation = None
    if verify:
        from .confirming import confirm

        started = time.perf_counter()
        confirmation = confirm(archive, asking.formula, vocabulary, min_score, found.verdicts, used)
        elapsed["explain"] = _since(started)
    return SearchResult(
        archive, asked, used, mode, min_score, found.verdicts, found.degrees, limit, elapsed, found.statistics,
        confirmation, found.grades,
    )  # fmt: skip


def question(
    vocabulary: Vocabulary, query: QueryLike, mode: str, engine: str, min_score: float, min_degree: float
) -> tuple[Query, Asked]:
    """A query, and what is asked of every part for it; see `search`."""
    from .deciding import Asked
    from .grammar.definitions import expand_definitions
    from .solver.normalise import normalise

    if engine not in ENGINES:
        raise QueryError(f"No engine '{engine}'.", hint=f"There is: {', '.join(ENGINES)}.")
    if mode not in MODES:
        raise QueryError(f"No mode '{mode}'.", hint=f"There is: {', '.join(MODES)}.")
    if not 0 <= min_score <= 1:
        raise QueryError(f"min_score lies between 0 and 1, got {min_score}.")
    asked = as_query(query, vocabulary)
    formula = expand_definitions(asked.formula, vocabulary)
    return asked, Asked(formula, normalise(formula), mode, engine, min_score, min_degree)  # type: ignore[arg-type]


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

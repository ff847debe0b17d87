"""Why: one image explained, or what stops most images of an archive."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import LimitError
from .query import Query, QueryLike, as_query, vocabulary_of
from .verdict import VIOLATED, Verdict

if TYPE_CHECKING:
    from .entities.archive import Archive
    from .entities.scene import Scene
    from .grammar.vocabulary import Vocabulary
    from .solver.explain import Explanation, Satisfied, Undecided, Violated
    from .solver.repairs import Repair

SAMPLE = 2000  # images that `why_none` explains; a larger archive is sampled evenly, and the answer says so
PICTURE_SIDE = 1024  # pixels

Clauses: TypeAlias = frozenset[int]  # numbers of clauses
Number: TypeAlias = tuple[Any, str, float, int]  # a count: its place in the query, its comparison, old and new number


def explain(
    archive: Archive,
    query: QueryLike,
    image_id: str,
    *,
    min_score: float = 0.5,
    all_cores: bool = False,
    certify: bool = True,
    seconds: float = 5.0,
) -> Satisfied | Violated | Undecided:
    """Why an image satisfies a query, or why not.

    query      a Query, formula text or a formula
    all_cores  every minimal core and minimal correction set, within a budget; else the first core
    certify    make the certificate too; above a stated size there is none, and `notes` of the JSON says so
    seconds    how long cores, and then each kind of repair, are looked for at most; what is known then is told
    raises     QueryError (query, image), LimitError where the image is too large to explain
    """
    from .solver.explain import explain_scene

    vocabulary = vocabulary_of(archive)
    asked = as_query(query, vocabulary)
    scene = archive[image_id]
    try:
        why = explain_scene(
            asked.formula, scene, vocabulary, min_score, all_cores=all_cores, time_limit_s=seconds
        )
    except LimitError as limit:
        raise LimitError(
            f"{image_id}: {_verdict(asked, scene, vocabulary, min_score).plain}, but not explained: too large. "
            f"{limit.message}",
            hint=limit.hint,
        ) from None
    if certify:
        why = _certified(why, asked, archive)
    return replace(why, assumed=tuple(archive.assumptions), draw=_draw)


def _verdict(asked: Query, scene: Scene, vocabulary: Vocabulary, min_score: float) -> Verdict:
    """The array engine's answer, which stands where an explanation would be too large."""
    from .grammar.definitions import expand_definitions
    from .solver.array_engine import ArrayEngine
    from .solver.normalise import normalise

    normal = normalise(expand_definitions(asked.formula, vocabulary))
    return Verdict(int(ArrayEngine(scene.table, vocabulary, min_score).decide(normal, [scene.index])[0]))


def _certified(
    why: Satisfied | Violated | Undecided, asked: Query, archive: Archive
) -> Satisfied | Violated | Undecided:
    from .solver.certificate import make_certificate

    try:
        made = make_certificate(
            why.expanded, why.world, why.verdict, text=asked.text, translator=asked.translator or None,
            assumed=archive.assumptions,
        )  # fmt: skip
    except LimitError as limit:
        return replace(why, uncertified=limit.message)
    return replace(why, certificate=made)


def _draw(why: Explanation) -> Any:
    """The picture with the witness lettered, or with the pair on which the nearest limit turns."""
    from .drawing import Pair, letters, picture
    from .solver.explain import Satisfied, Violated
    from .solver.nearest import amount

    scene = why.world.scene
    if isinstance(why, Satisfied):
        return picture(scene, letters(why.witness), size=PICTURE_SIDE)
    if isinstance(why, Violated) and why.nearest:
        closest = why.nearest[0]
        entities = closest.entities
        text = amount(closest.actual, closest.unit)
        if closest.metres is not None:
            text += f" ({amount(closest.metres[0], 'm' if closest.unit == 'px' else 'm2')})"
        pairs = [Pair(entities[0], entities[1], text)] if len(entities) == 2 else []
        return picture(scene, letters({"x": entities}), pairs, size=PICTURE_SIDE)
    return picture(scene, others=why.world.entities, size=PICTURE_SIDE)


# --- over a whole archive ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stop:
    """A minimal core that stops images: what it asks, in English; its clauses; of how many images it is the core."""

    text: str
    clauses: tuple[str, ...]
    images: int
    example: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A change to the query, and how many of the explained images satisfy it then.

    formula  the query changed so
    cost     how many clauses it drops; 1 for another number
    """

    kind: str
    text: str
    formula: str
    cost: int
    images: int
    example: str


@dataclass(frozen=True, slots=True)
class Near:
    """An image that a moved limit would bring back: `stretch` is how far it has to move, as a ratio."""

    image_id: str
    text: str
    clause: str
    stretch: float


@dataclass(frozen=True)
class WhyNone:
    """What keeps the images of an archive from satisfying a query.

    stops      minimal cores, the most frequent first
    offers     changes to the query (clauses dropped, another number), the cheapest first, then the most helpful
    nearest    the ten nearest misses
    explained  how many violated images were explained, of `violated`; `too_large` could not be
    """

    query: Query
    images: int
    satisfied: int
    violated: int
    undecided: int
    explained: int
    too_large: int
    stops: tuple[Stop, ...] = field(repr=False)
    offers: tuple[Offer, ...] = field(repr=False)
    nearest: tuple[Near, ...] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """All of it as data."""
        from .solver.render import CLOSED_WORLD

        return {
            "query": {"text": self.query.text, "formula": str(self.query), "reading": self.query.reading},
            "counts": {
                "images": self.images,
                "satisfied": self.satisfied,
                "violated": self.violated,
                "undecided": self.undecided,
            },
            "explained": self.explained,
            "too_large": self.too_large,
            "cores": [
                {"text": s.text, "clauses": list(s.clauses), "images": s.images, "example": s.example}
                for s in self.stops
            ],
            "repairs": [
                {
                    "kind": o.kind, "text": o.text, "formula": o.formula, "cost": o.cost, "images": o.images,
                    "example": o.example,
                }
                for o in self.offers
            ],
            "nearest": [
                {"image_id": n.image_id, "text": n.text, "clause": n.clause, "stretch": n.stretch}
                for n in self.nearest
            ],
            "notes": [CLOSED_WORLD],
        }

    def render(self) -> str:
        """All of it for a terminal."""
        from .solver.render import CLOSED_WORLD

        lines = [f"{self.violated} of {self.images} images do not match, {self.undecided} cannot be told."]
        if self.explained < self.violated:
            lines.append(f"Explained: {self.explained} of them, evenly sampled; the counts below are of these.")
        if self.too_large:
            lines.append(f"{self.too_large} have too many entities to be explained.")
        if self.stops:
            lines.append("What they fail at already (minimal cores):")
            lines += [f"  {s.images:6d}  {s.text}  (e.g. {s.example})" for s in self.stops[:10]]
        if self.offers:
            lines.append("What would bring images back:")
            lines += [f"  {o.images:6d}  {o.text}  (e.g. {o.example})" for o in self.offers[:10]]
        if self.nearest:
            lines.append("The nearest misses:")
            lines += [f"  {n.image_id}: {n.text}" for n in self.nearest]
        return "\n".join([*lines, CLOSED_WORLD])

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.render())}</pre>"


def why_none(
    archive: Archive, query: QueryLike, *, min_score: float = 0.5, sample: int = SAMPLE, progress: bool = True
) -> WhyNone:
    """Which minimal cores stop most images of an archive, what each change would bring back, the nearest misses.

    sample    at most so many violated images are explained, evenly spread over the archive's order; the answer says so
    progress  a progress bar where standard error is a terminal
    raises    QueryError for the query
    """
    from .progress import track
    from .searching import search

    vocabulary = vocabulary_of(archive)
    asked = as_query(query, vocabulary)
    counts = search(archive, asked, min_score=min_score)
    violated = np.flatnonzero(counts.verdicts == VIOLATED)
    chosen = violated if len(violated) <= sample else violated[np.linspace(0, len(violated) - 1, sample).astype(int)]
    tally = _Tally()
    for index in track([int(i) for i in chosen], "explaining", progress):
        tally.add(_explained_or_none(asked, archive, vocabulary, min_score, index))
    return WhyNone(
        asked,
        counts.counts["images"],
        counts.counts["satisfied"],
        len(violated),
        counts.counts["undecided"],
        len(chosen),
        tally.too_large,
        *tally.sorted(),
    )


def _explained_or_none(
    asked: Query, archive: Archive, vocabulary: Vocabulary, min_score: float, index: int
) -> Explanation | None:
    from .solver.explain import explain_scene

    try:
        return explain_scene(asked.formula, archive.scene(index), vocabulary, min_score, tell="query")
    except LimitError:
        return None


class _Tally:
    """Cores, changes and nearest misses, counted image by image."""

    def __init__(self) -> None:
        self.too_large = 0
        self._cores: Counter[Clauses] = Counter()
        self._said: dict[Clauses, tuple[str, tuple[str, ...], str]] = {}
        self._drops: list[tuple[Clauses, ...]] = []  # of each image the minimal sets that it is enough to drop
        self._numbers: Counter[Number] = Counter()  # of each count the closest number that is enough
        self._offers: dict[Clauses | Number, tuple[Repair, str]] = {}  # with the first image
        self._near: list[Near] = []

    def add(self, why: Explanation | None) -> None:
        """One image; None for one that was too large."""
        from .solver.explain import Violated
        from .solver.render import core_asks, sorted_texts

        if not isinstance(why, Violated):
            self.too_large += why is None
            return
        for core in why.cores[:1]:
            self._cores[core] += 1
            if core not in self._said:
                self._said[core] = core_asks(why, core), tuple(sorted_texts(why.form, core)), why.image_id
        drops = []
        for repair in why.repairs:
            if repair.kind == "drop":
                drops.append(frozenset(repair.changes["indices"]))
                self._offers.setdefault(drops[-1], (repair, why.image_id))
            elif repair.kind == "number" and repair.changes["to"] != 0:
                number = repair.changes["span"], repair.changes["op"], repair.changes["from"], repair.changes["to"]
                self._numbers[number] += 1
                self._offers.setdefault(number, (repair, why.image_id))
        self._drops.append(tuple(drops))
        if why.nearest:
            closest = min(why.nearest, key=lambda n: stretch(n.limit_now, n.limit_needed))
            clause = sorted_texts(why.form, frozenset((closest.clause,)))[0]
            moved = stretch(closest.limit_now, closest.limit_needed)
            self._near.append(Near(why.image_id, closest.text, clause, moved))

    def sorted(self) -> tuple[tuple[Stop, ...], tuple[Offer, ...], tuple[Near, ...]]:
        """The most frequent cores first; the cheapest changes, the most helpful of these; the ten nearest."""
        stops = tuple(Stop(*self._said[key][:2], count, self._said[key][2]) for key, count in self._cores.most_common())
        offers = [
            Offer(each.kind, each.text, each.changes["formula"], _cost(change), self._brought_back(change), example)
            for change, (each, example) in self._offers.items()
        ]
        offers.sort(key=lambda offer: (offer.cost, -offer.images, offer.text))
        return stops, tuple(offers), tuple(sorted(self._near, key=lambda near: (near.stretch, near.image_id))[:10])

    def _brought_back(self, change: Clauses | Number) -> int:
        """Images that a change is enough for, those for which less of it is enough too."""
        if isinstance(change, frozenset):
            return sum(any(each <= change for each in drops) for drops in self._drops)
        span, op, now, new = change
        if op in ("=", "!="):
            return self._numbers[change]
        return sum(
            count
            for (other, by, _, less), count in self._numbers.items()
            if (other, by) == (span, op) and (new <= less < now or now < less <= new)
        )


def _cost(change: Clauses | Number) -> int:
    return len(change) if isinstance(change, frozenset) else 1


def stretch(now: float, needed: float) -> float:
    """How far a limit has to move, as a ratio of at least 1; infinite from or to 0."""
    low, high = sorted((abs(now), abs(needed)))
    return high / low if low > 0 else float("inf") if high > 0 else 1.0

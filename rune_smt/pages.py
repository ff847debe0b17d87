"""From what a search found to the page that shows it: matches with witnesses, near misses by repair, cores counted.

`report.py` knows how the page looks and nothing of engines; here the answers of `search` and `explain` become its data.
Images are explained while a query's time lasts, those with most of the query's classes first, for the near misses are
among them; what was left unexplained is said on the page.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import __version__
from .drawing import Pair, letters, outlines_of, picture
from .errors import LimitError
from .report import (
    CoreCount,
    Explained,
    Legend,
    MatchCard,
    MissCard,
    MissGroup,
    QuerySection,
    Report,
    Shot,
    UndecidedGroup,
)
from .report import write_page as write_report
from .verdict import VIOLATED

if TYPE_CHECKING:
    from .entities.archive import Archive
    from .entities.scene import Scene
    from .searching import SearchResult

Facts = Mapping[str, Any]  # an explanation's JSON (INTERFACE, "explain")

SECONDS = 8.0  # to explain misses in, for each query
MATCHES, CARDS, GROUPS, CORES = 8, 4, 5, 8  # shown at most: matches, cards of a group, groups, cores
LETTERS = 12  # entities lettered on one picture; more would hide it
OTHERS = 60  # further entities outlined on one picture
SIDE = 400  # pixels, longer side of a picture

TRUSTED = (
    "The boxes and their classes: what is not among them is not in the scene. The reading shown above each answer: "
    "whether it is what was meant is for you to judge. The vocabulary's idea of near, far and large."
)
VERIFIED = (
    "That these boxes, under this formula and this vocabulary, give this verdict: every core was confirmed by the "
    "reference evaluator, and every repair shown was tried."
)


@dataclass(frozen=True, slots=True)
class Miss:
    """An image that does not match, with what its explanation says."""

    image_id: str
    facts: Facts

    @property
    def repair(self) -> tuple[int, tuple[Any, ...], str] | None:
        """The mildest change that brings it back: how mild, what it is grouped by, and the words.

        A limit moved is milder than a number changed, that than one entity gone or come, that than a clause dropped.
        """
        if self.facts["nearest"]:
            closest = min(self.facts["nearest"], key=_stretch)
            return 0, ("limit", str(closest["clause"])), ""
        ranked = {"number": 1, "admit": 2, "remove": 3, "drop": 4}
        offers = [r for r in self.facts["repairs"] if r["kind"] in ranked and not _drops_many(r)]
        if not offers:
            return None
        mildest = min(offers, key=lambda r: ranked[r["kind"]])
        words = _without_numbers(mildest["text"]) if mildest["kind"] in ("remove", "admit") else mildest["text"]
        return ranked[mildest["kind"]], (mildest["kind"], words), words


def write_page(path: str | Path, results: SearchResult | Sequence[SearchResult], *, seconds: float = SECONDS) -> int:
    """Write the page of one search or several over the same archive; its size in bytes.

    seconds  to explain the misses of each query in
    """
    several = list(results) if isinstance(results, Sequence) else [results]
    if not several:
        raise ValueError("a page needs one result at least")
    sections = tuple(section_of(result, seconds=seconds) for result in several)
    archive = several[0].archive
    title = sections[0].text if len(sections) == 1 else f"{len(sections)} queries"
    lead = f"Asked of {len(archive.images)} images. Each answer shows its evidence, each near miss what it failed by."
    return write_report(Report(title, lead, sections, TRUSTED, VERIFIED, facts_of(archive), footer()), path)


def facts_of(archive: Archive) -> tuple[tuple[str, str], ...]:
    """Name and value of what a reader should know of an archive."""
    images, entities = len(archive.images), len(archive.table.entity_id)
    return ("Images", f"{images:,}"), ("Entities", f"{entities:,}"), ("Vocabulary", archive.name)


def footer() -> str:
    """Who made the page."""
    return f"Made by rune-smt {__version__}. This file needs no network and no JavaScript."


def section_of(result: SearchResult, *, seconds: float = SECONDS, explained: int = 0) -> QuerySection:
    """All that was found for one query.

    seconds    to explain misses in
    explained  how many misses are explained in full, near misses first
    """
    counts = result.counts
    misses, left = _explain(result, seconds)
    notes = [f"{left} of the {counts['violated']} images that do not match were not explained in time."] if left else []
    groups = _groups(result.archive, misses)
    full = [miss for miss in _nearest_first(misses) if miss.repair is not None][:explained]
    return QuerySection(
        text=result.query.text,
        reading=result.query.reading,
        formula=str(result.query),
        match=counts["satisfied"],
        no_match=counts["violated"],
        cannot_tell=counts["undecided"],
        matches=tuple(_match_card(result, match) for match in result[:MATCHES]),
        match_ids=result.ids,
        miss_groups=groups,
        cores=_cores(misses),
        undecided=_undecided(result),
        explained=tuple(_explained(result.archive, miss) for miss in full),
        left_out=result.query.left_out,
        elapsed_ms=sum(result.elapsed_ms.get(step, 0.0) for step in ("plan", "decide")),
        notes=tuple(notes),
    )


# --- misses -----------------------------------------------------------------------------------------------------------


def _explain(result: SearchResult, seconds: float) -> tuple[list[Miss], int]:
    """Misses explained within the time, the likeliest near misses first, and how many were left."""
    from .explaining import explain

    names = result.archive.table.images.image_id
    misses: list[Miss] = []
    order = _likeliest(result)
    deadline = time.monotonic() + seconds
    skipped = 0
    for index in order:
        if time.monotonic() > deadline:
            break
        try:
            why = explain(result.archive, result.query, names[index], min_score=result.min_score)
        except LimitError:
            skipped += 1
            continue
        misses.append(Miss(names[index], json.loads(why.render("json"))))
    return misses, len(order) - len(misses)


def _likeliest(result: SearchResult) -> list[int]:
    """Places of the images that do not match: those with most of the query's classes first, then in their order."""
    from .grammar.nodes import Apply, walk
    from .query import vocabulary_of

    vocabulary = vocabulary_of(result.archive)
    table = result.archive.table
    here = {name: i for i, name in enumerate(table.classes)}
    violated = np.flatnonzero(result.verdicts == VIOLATED)
    have = np.zeros(len(violated), dtype=np.int64)
    asked = {node.name for node in walk(result.query.formula) if isinstance(node, Apply)} & set(vocabulary.classes)
    sizes = np.diff(table.offsets, axis=1)[violated]
    for name in sorted(asked):
        columns = [here[below] for below in vocabulary.descendants(name) if below in here]
        have += sizes[:, columns].sum(axis=1) > 0
    return [int(i) for i in violated[np.argsort(-have, kind="stable")]]


def _groups(archive: Archive, misses: Iterable[Miss]) -> tuple[MissGroup, ...]:
    """Near misses by the repair that brings them back, the mildest repairs first."""
    by_repair: dict[tuple[Any, ...], list[Miss]] = {}
    rank: dict[tuple[Any, ...], int] = {}
    words: dict[tuple[Any, ...], str] = {}
    for miss in misses:
        repair = miss.repair
        if repair is None:
            continue
        mildness, key, text = repair
        by_repair.setdefault(key, []).append(miss)
        rank[key], words[key] = mildness, text
    groups: list[MissGroup] = []
    for key in sorted(by_repair, key=lambda k: (rank[k], -len(by_repair[k]), str(k))):
        members = by_repair[key]
        if key[0] == "limit":
            groups += _limit_groups(archive, members)
        else:
            cards = tuple(_miss_card(archive, miss) for miss in members[:CARDS])
            groups.append(MissGroup(words[key], len(members), cards))
    return tuple(groups[:GROUPS])


def _limit_groups(archive: Archive, misses: Sequence[Miss]) -> list[MissGroup]:
    """Misses of one clause's limit: the few that need least, and then all others, each under the limit they need."""
    ordered = sorted(misses, key=lambda miss: _stretch(_closest(miss)))
    groups = []
    for part in (ordered[:CARDS], ordered[CARDS:]):
        if part:
            most = _closest(part[-1])
            count = len(part) if part[0] is ordered[0] else len(ordered)
            cards = tuple(_miss_card(archive, miss) for miss in part[:CARDS])
            groups.append(MissGroup(_limit_words(most), count, cards))
    return groups


def _closest(miss: Miss) -> Facts:
    return min(miss.facts["nearest"], key=_stretch)


def _stretch(nearest: Facts) -> float:
    """How far a limit has to be moved, as a ratio of at least 1."""
    needed, limit = abs(float(nearest["actual"])), abs(float(nearest["limit"]))
    if needed == limit:
        return 1.0
    return float("inf") if min(needed, limit) == 0 else max(needed / limit, limit / needed)


def _nearest_first(misses: Iterable[Miss]) -> list[Miss]:
    """Limits that need least first, then the other repairs."""
    return sorted(
        misses, key=lambda m: (0, _stretch(_closest(m))) if m.facts["nearest"] else (1, len(m.facts["cores"]))
    )


def _drops_many(repair: Facts) -> bool:
    return repair["kind"] == "drop" and isinstance(repair["changes"], list) and len(repair["changes"]) > 1


def _without_numbers(text: str) -> str:
    """The words of a repair of one entity, without its number, so that images can share it."""
    return " ".join("one" if word.rstrip(",.").isdigit() else word for word in text.split())


def _limit_words(nearest: Facts) -> str:
    """If near reached 1.49 times the smaller one's diagonal, instead of 1."""
    unit = {"x": "times the smaller diagonal", "times": "times the usual area", "share": "of it"}
    name = str(nearest["limit_unit"])
    told = unit.get(name, name)
    now, needed = _figure(nearest["limit_now"], name), _figure(nearest["limit_needed"], name)
    return f"if the limit of {nearest['reading']} were {needed} {told} instead of {now}"


def _figure(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.3g} %"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cores(misses: Sequence[Miss]) -> tuple[CoreCount, ...]:
    """How many images each minimal core stops; an image counts for its smallest core."""
    counts: Counter[tuple[str, ...]] = Counter()
    for miss in misses:
        if miss.facts["cores"]:
            counts[tuple(clause["reading"] for clause in miss.facts["cores"][0]["clauses"])] += 1
    return tuple(CoreCount(clauses, count) for clauses, count in counts.most_common(CORES))


def _undecided(result: SearchResult) -> tuple[UndecidedGroup, ...]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for image_id, missing in result.undecided.items():
        groups.setdefault(tuple(missing), []).append(image_id)
    return tuple(UndecidedGroup(missing, tuple(ids)) for missing, ids in groups.items())


# --- pictures ---------------------------------------------------------------------------------------------------------


def _match_card(result: SearchResult, match: Any) -> MatchCard:
    scene = result.archive[match.image_id]
    note = "" if result.mode == "threshold" else f"{result.mode} {match.degree:.2f}"
    witness: dict[str, list[int]] = {}
    for name, value in match.witness.items():
        witness[name] = [value] if isinstance(value, int) else list(value)
    shown = dict(list(letters(witness).items())[:LETTERS])
    return MatchCard(match.image_id, _shot(scene, shown, (), "matches"), note)


def _miss_card(archive: Archive, miss: Miss) -> MissCard:
    return MissCard(miss.image_id, _miss_shot(archive[miss.image_id], miss), _sentence(miss))


def _sentence(miss: Miss) -> str:
    if miss.facts["nearest"]:
        return _capital(str(_closest(miss)["text"]))
    return _capital(str(miss.facts["cores"][0]["text"])) if miss.facts["cores"] else ""


def _miss_shot(scene: Scene, miss: Miss) -> Shot:
    """The entities on which the nearest clause turns, joined with their number; else those that a repair names."""
    if miss.facts["nearest"]:
        closest = _closest(miss)
        entities = [int(e) for e in closest["entities"]][:LETTERS]
        pairs = [Pair(entities[0], entities[1], _amount(closest, scene.gsd))] if len(entities) == 2 else []
        return _shot(scene, letters({"x": entities}), pairs, "does not match")
    named = sorted({e for repair in miss.facts["repairs"] for e in _entities_of(repair)})
    return _shot(scene, letters({"x": named[:LETTERS]}), (), "does not match")


def _amount(nearest: Facts, gsd: float | None) -> str:
    """What was measured, short enough for a plate on a line."""
    value, unit = float(nearest["actual"]), str(nearest["unit"])
    text = _figure(value, unit) + ("" if unit == "share" else f" {unit}")
    return f"{text} ({_figure(value * gsd, 'm')} m)" if unit == "px" and gsd else text


def _entities_of(repair: Facts) -> list[int]:
    changes = repair["changes"]
    if repair["kind"] not in ("remove", "admit") or not isinstance(changes, Mapping):
        return []
    entity = changes.get("entity", changes.get("entity_id"))
    return [int(entity)] if entity is not None else []


def _shot(scene: Scene, lettered: Mapping[str, int], pairs: Sequence[Pair], verdict: str) -> Shot:
    outlines = outlines_of(scene, lettered.values())
    legend = tuple(
        Legend(letter, f"{outlines[entity].label.replace('_', ' ')} {entity}", i)
        for i, (letter, entity) in enumerate(lettered.items())
    )
    parts = [f"{item.letter} is {item.text}" for item in legend]
    parts += [
        f"{_letter_of(lettered, p.first)} and {_letter_of(lettered, p.second)} are joined: {p.text}" for p in pairs
    ]
    alt = f"Image {scene.image_id}, which {verdict}" + (": " + "; ".join(parts) if parts else "")
    return Shot(picture(scene, lettered, pairs, size=SIDE), alt, legend)


def _letter_of(lettered: Mapping[str, int], entity: int) -> str:
    return next((letter for letter, e in lettered.items() if e == entity), str(entity))


def _explained(archive: Archive, miss: Miss) -> Explained:
    facts = miss.facts
    notes = []
    low_high: Callable[[Any], str] = lambda v: f"{float(v):.2g}"  # noqa: E731
    stability = (facts.get("stability") or {}).get("min_score")
    if stability:
        notes.append(
            f"The verdict is the same at every min_score from {low_high(stability[0])} to {low_high(stability[1])}."
        )
    return Explained(
        miss.image_id,
        _miss_shot(archive[miss.image_id], miss),
        cores=tuple(tuple(clause["reading"] for clause in core["clauses"]) for core in facts["cores"]),
        nearest=tuple(_capital(str(each["text"])) for each in facts["nearest"]),
        repairs=tuple(_capital(str(repair["text"])) for repair in facts["repairs"]),
        notes=tuple(notes),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

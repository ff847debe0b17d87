"""From what a search found to the page that shows it: matches with witnesses, near misses by repair, cores counted.

`report.py` knows how the page looks and nothing of engines; here the answers of `search` and `explain` become its data.
Images are explained while a query's time lasts, those with most of the query's classes first, for the near misses are
among them; what was left unexplained is said on the page.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import __version__
from .drawing import Pair, letters, outlines_of, picture
from .errors import CertificateError, LimitError
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
    from .searching import Match, SearchResult

Labels = Mapping[str, frozenset[str]]  # class of the query -> labels it is true of
Facts = Mapping[str, Any]  # an explanation's JSON (INTERFACE, "explain")

FAILS = "fails already at: "  # how an explanation begins to tell a core
SHORT = 80  # characters: a longer sentence is no caption
LONGEST = 1.0  # seconds for each search within one explanation
SECONDS = 8.0  # to explain misses in, for each query
MATCHES, CARDS, GROUPS, CORES = 8, 4, 5, 8  # shown at most: matches, cards of a group, groups, cores
FARTHEST = 3.0  # a limit that would have to move by more than this factor is no near miss
LETTERS = 12  # entities lettered on one picture; more would hide it
LONG_LEGEND = 6  # entries
OTHERS = 60  # further entities outlined on one picture
SIDE = 400  # pixels, longer side of a picture

TRUSTED = (
    "The boxes and their classes: what is not among them is not in the scene. The reading shown above each answer: "
    "whether it is what was meant is for you to judge. The vocabulary's idea of near, far and large."
)
VERIFIED = (
    "That these boxes, under this formula and this vocabulary, give this verdict: the matches shown and the misses "
    "explained in full have certificates that the independent checker replayed; every core was confirmed by Z3 and by "
    "the reference evaluator, and every repair was tried."
)


@dataclass(frozen=True, slots=True)
class Miss:
    """An image that does not match, with what its explanation says."""

    image_id: str
    facts: Facts

    @property
    def closest(self) -> Facts | None:
        """The limit that has to move least, where one alone would do and it is not far off."""
        closest = min(self.facts["nearest"], key=_stretch, default=None)
        return closest if closest is not None and _stretch(closest) <= FARTHEST else None

    @property
    def repair(self) -> tuple[float, tuple[str, ...], str] | None:
        """The mildest change that brings it back: how mild, what it is grouped by, and the words.

        A limit moved is milder than a number changed, that than one entity gone or come, that than a clause dropped.
        Dropping a class that is asked for brings back nearly every image, so it is no near miss.
        """
        if self.closest is not None:
            return 0, ("limit", str(self.closest["clause"])), ""
        offers = [(rank, repair) for repair in self.facts["repairs"] if (rank := self._mildness(repair)) is not None]
        if not offers:
            return None
        rank, mildest = min(offers, key=lambda offer: offer[0])
        words = self._words(mildest)
        return rank, (mildest["kind"], words), words

    def _mildness(self, repair: Facts) -> float | None:
        """From 1 for a number a little changed to 4 for a clause dropped; None for what brings back anything."""
        changes = repair["changes"]
        match repair["kind"]:
            case "number":
                old, new = float(changes["from"]), float(changes["to"])
                far_off = new == 0 or max(old, new) > FARTHEST * min(old, new)
                return None if far_off else 1 + abs(new - old) / max(old, new)
            case "admit":
                return 2
            case "remove":
                return 3
            case "drop":
                return (
                    None
                    if len(changes["clauses"]) > 1 or _is_class(str(repair["text"]).removeprefix("without "))
                    else 4
                )
            case _:
                return None

    def _words(self, repair: Facts) -> str:
        """The repair in words that images can share: clauses in English, entities without their numbers."""
        text = str(repair["text"])
        match repair["kind"]:
            case "number":
                return f"with {text}"
            case "remove":
                return re.sub(r"^without (.+) \d+$", r"without one \1", text)
            case "admit":
                return re.sub(r"^with (.+) \d+, whose .*$", r"with one \1 of a lower score", text)
            case _:
                return _repair_words(self.facts, repair)


def _is_class(literal: str) -> bool:
    """ship(x1): one word of one variable, not negated."""
    return re.fullmatch(r"\w+\(\w+\)", literal) is not None


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
    from .query import vocabulary_of

    images, entities = len(archive.images), archive.entity_count
    return ("Images", f"{images:,}"), ("Entities", f"{entities:,}"), ("Vocabulary", vocabulary_of(archive).name)


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
    shown = _spread(result)
    labels = _asked(result)
    full = [miss for miss in _nearest_first(misses) if miss.repair is not None][:explained]
    accepted = _certify(result, [*(match.image_id for match in shown), *(miss.image_id for miss in full)])
    notes = []
    if left:
        notes.append(f"{left} of the {counts['violated']} images that do not match were not explained in time.")
    if accepted:
        notes.append(f"Certificates replayed by the independent checker: {accepted}, all accepted.")
    return QuerySection(
        text=result.query.text,
        reading=result.query.reading,
        formula=str(result.query),
        match=counts["satisfied"],
        no_match=counts["violated"],
        cannot_tell=counts["undecided"],
        matches=tuple(_match_card(result, match) for match in shown),
        match_ids=result.ids,
        miss_groups=_groups(result.archive, misses, labels),
        cores=_cores(misses),
        undecided=_undecided(result),
        explained=tuple(_explained(result.archive, miss, labels) for miss in full),
        left_out=result.query.left_out,
        elapsed_ms=sum(result.elapsed_ms.get(step, 0.0) for step in ("plan", "decide")),
        notes=tuple(notes),
    )


# --- misses -----------------------------------------------------------------------------------------------------------


def _explain(result: SearchResult, seconds: float) -> tuple[list[Miss], int]:
    """Misses explained within the time, the likeliest near misses first, and how many were left.

    An image that has all classes of the query is explained in full, any other one by its core alone.
    """
    from .query import vocabulary_of
    from .solver.explain import explain_scene
    from .solver.render import to_json

    vocabulary = vocabulary_of(result.archive)
    names = result.archive.image_table.image_id
    misses: list[Miss] = []
    order = _likeliest(result)
    deadline = time.monotonic() + seconds
    for index, likely in order:
        if time.monotonic() > deadline:
            break
        scene = result.archive[names[index]]
        try:
            why = explain_scene(
                result.query.formula, scene, vocabulary, result.min_score, tell="all" if likely else "core",
                time_limit_s=LONGEST,
            )  # fmt: skip
        except LimitError:
            continue
        misses.append(Miss(names[index], to_json(why)))
    return misses, len(order) - len(misses)


def _certify(result: SearchResult, image_ids: Iterable[str]) -> int:
    """How many certificates of these images the checker accepted; some verdicts are too large for one.

    raises CertificateError where the checker refuses one
    """
    from .checker import check
    from .explaining import explain

    accepted = 0
    for image_id in image_ids:
        try:
            why = explain(result.archive, result.query, image_id, min_score=result.min_score)
        except LimitError:
            continue
        if why.certificate is None:
            continue
        report = check(json.loads(json.dumps(why.certificate)), result.archive[image_id].to_json())
        if not report.ok:
            raise CertificateError(
                f"The certificate of image '{image_id}' is refused: {report.message}", step=report.step
            )
        accepted += 1
    return accepted


def _likeliest(result: SearchResult) -> list[tuple[int, bool]]:
    """Places of the images that do not match, and whether each has as many of the query's classes as any of them.

    Those with most of the classes come first, then those with fewest entities, which are explained fastest.
    """
    table = result.archive.table
    violated = np.flatnonzero(result.verdicts == VIOLATED)
    have = np.zeros(len(violated), dtype=np.int64)
    sizes = np.diff(table.offsets, axis=1)[violated]
    for labels in _asked(result).values():
        have += sizes[:, [i for i, name in enumerate(table.classes) if name in labels]].sum(axis=1) > 0
    order = np.lexsort((sizes.sum(axis=1), -have))
    most = have.max(initial=0)
    return [(int(violated[i]), bool(have[i] == most)) for i in order]


def _asked(result: SearchResult) -> dict[str, frozenset[str]]:
    """The classes that the query names, each with the labels it is true of."""
    from .grammar.nodes import Apply, walk
    from .query import vocabulary_of

    vocabulary = vocabulary_of(result.archive)
    named = {node.name for node in walk(result.query.formula) if isinstance(node, Apply)} & set(vocabulary.classes)
    return {name: frozenset(vocabulary.descendants(name)) for name in sorted(named)}


def _groups(archive: Archive, misses: Iterable[Miss], labels: Labels) -> tuple[MissGroup, ...]:
    """Near misses by the repair that brings them back, the mildest repairs first."""
    by_repair: dict[tuple[str, ...], list[Miss]] = {}
    rank: dict[tuple[str, ...], float] = {}
    words: dict[tuple[str, ...], str] = {}
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
            groups += _limit_groups(archive, members, labels)
        else:
            cards = tuple(_miss_card(archive, miss, labels) for miss in members[:CARDS])
            groups.append(MissGroup(words[key], len(members), cards))
    return tuple(groups[:GROUPS])


def _limit_groups(archive: Archive, misses: Sequence[Miss], labels: Labels) -> list[MissGroup]:
    """Misses of one clause's limit: the few that need least, and then all others, each under the limit they need."""
    measured = [(miss.closest, miss) for miss in misses if miss.closest is not None]
    measured.sort(key=lambda pair: _stretch(pair[0]))
    groups = []
    for start, end in ((0, CARDS), (CARDS, len(measured))):
        part = measured[start:end]
        if part:
            cards = tuple(_miss_card(archive, miss, labels) for _, miss in part[:CARDS])
            groups.append(MissGroup(_limit_words(part[-1][0]), start + len(part), cards))
    return groups


def _stretch(nearest: Facts) -> float:
    """How far a limit has to be moved, as a ratio of at least 1."""
    needed, limit = abs(float(nearest["actual"])), abs(float(nearest["limit"]))
    if needed == limit:
        return 1.0
    return float("inf") if min(needed, limit) == 0 else max(needed / limit, limit / needed)


def _nearest_first(misses: Iterable[Miss]) -> list[Miss]:
    """Limits that need least first, then the other repairs."""

    def closeness(miss: Miss) -> tuple[float, float]:
        repair = miss.repair
        return (
            repair[0] if repair is not None else float("inf"),
            _stretch(miss.closest) if miss.closest is not None else 0.0,
        )

    return sorted(misses, key=closeness)


def _limit_words(nearest: Facts) -> str:
    """If “near” reached 1.49 times the smaller one's diagonal instead of 1."""
    word = _word_of(nearest)
    if word not in _VERBS:  # a comparison: what it asks for, as it was said where the gsd is known
        metres = nearest.get("metres")
        unit = str(nearest["unit"]).replace("px", "m") if metres else str(nearest["unit"])
        actual, limit = (float((metres or nearest)[name]) for name in ("actual", "limit"))
        return f"if the query asked for {_figure(actual, unit)} {unit} instead of {_figure(limit, unit)} {unit}"
    unit = str(nearest["limit_unit"])
    now, needed = _figure(nearest["limit_now"], unit), _figure(nearest["limit_needed"], unit)
    told = {"x": " times the smaller one's diagonal", "times": " times the usual area", "share": ""}.get(
        unit, f" {unit}"
    )
    return f"if “{word}” {_VERBS[word]} {needed}{told} instead of {now}"


_VERBS = {
    "near": "reached", "touches": "reached", "far": "began at", "inside": "asked for", "contains": "asked for",
    "parallel": "allowed", "perpendicular": "asked for", "large": "began at", "small": "began at",
}  # fmt: skip


def _word_of(nearest: Facts) -> str:
    """The word of section 4 whose limit it is: near, of "~near(x1, x2)"; none for a comparison."""
    found = re.fullmatch(r"~?(\w+)\([^<>=]*\)", str(nearest["clause"]))
    return found.group(1) if found else ""


def _figure(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.3g} %"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cores(misses: Sequence[Miss]) -> tuple[CoreCount, ...]:
    """How many images each minimal core stops; an image counts for its first, the smallest."""
    counts: Counter[tuple[str, ...]] = Counter()
    said: dict[tuple[str, ...], str] = {}
    for miss in misses:
        for core in miss.facts["cores"][:1]:
            clauses = tuple(clause["formula"] for clause in core["clauses"])
            counts[clauses] += 1
            said.setdefault(clauses, _core_words(core))
    return tuple(CoreCount(said[clauses], clauses, count) for clauses, count in counts.most_common(CORES))


def _undecided(result: SearchResult) -> tuple[UndecidedGroup, ...]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for image_id, missing in result.undecided.items():
        groups.setdefault(tuple(missing), []).append(image_id)
    return tuple(UndecidedGroup(missing, tuple(ids)) for missing, ids in groups.items())


# --- pictures ---------------------------------------------------------------------------------------------------------


def _spread(result: SearchResult) -> list[Match]:
    """The matches to show: the best, and where all are equally good, ones from the whole archive."""
    matches = result[:]
    if len(matches) <= MATCHES or matches[0].degree != matches[-1].degree:
        return matches[:MATCHES]
    return [matches[i * len(matches) // MATCHES] for i in range(MATCHES)]


def _match_card(result: SearchResult, match: Match) -> MatchCard:
    scene = result.archive[match.image_id]
    note = "" if result.mode == "threshold" else f"{result.mode} {match.degree:.2f}"
    witness: dict[str, list[int]] = {}
    for name, value in match.witness.items():
        witness[name] = [value] if isinstance(value, int) else list(value)
    shown = dict(list(letters(witness).items())[:LETTERS])
    return MatchCard(match.image_id, _shot(scene, shown, (), "matches"), note)


def _miss_card(archive: Archive, miss: Miss, labels: Labels) -> MissCard:
    return MissCard(miss.image_id, _miss_shot(archive[miss.image_id], miss, labels), _sentence(miss))


def _sentence(miss: Miss) -> str:
    """The number on which the image turns, in one line."""
    if miss.closest is not None:
        return _capital(str(miss.closest["text"]))
    for part in miss.facts.get("failing", ()):
        have, need = part["have"], part["need"]
        match part["kind"]:
            case "too few":
                return f"{have} found, {need} asked for"
            case "too many":
                return f"{have} found, at most {need} allowed"
            case "offenders":
                return f"{have} {'stands' if have == 1 else 'stand'} in the way"
            case "amounts":
                return _capital("; ".join(f"{_counted(each['of'])}: {each['least']:g}" for each in part["amounts"]))
            case _:
                pass
    said = _core_words(miss.facts["cores"][0]) if miss.facts["cores"] else ""
    return _capital(f"{FAILS}{said}") if len(said) <= SHORT else ""


def _core_words(core: Facts) -> str:
    """What fails already, in English; clause by clause where that would be a long sentence."""
    if not core["clauses"]:
        return "too few entities"
    text = str(core["text"]).removeprefix(FAILS)
    return text if len(text) <= SHORT else " and ".join(str(clause["reading"]) for clause in core["clauses"])


def _counted(term: str) -> str:
    """large vehicle, of "count x1 (large_vehicle(x1))"; another term as it is."""
    found = re.fullmatch(r"(?:count|cover) \w+ \((\w+)\(\w+\)\)", term)
    return _spoken(found.group(1)) if found else term


def _miss_shot(scene: Scene, miss: Miss, labels: Labels) -> Shot:
    """The entities on which the nearest clause turns, joined with their number; else those that a repair names.

    Where no pair says it all, the other things of the query's classes are outlined thinly.
    """
    closest = miss.closest
    if closest is not None:
        entities = [int(e) for e in closest["entities"]][:LETTERS]
        pairs = [Pair(entities[0], entities[1], _amount(closest, scene.gsd))] if len(entities) == 2 else []
        return _shot(scene, letters({"x": entities}), pairs, "does not match")
    named = sorted({e for repair in miss.facts["repairs"] for e in _entities_of(repair)})
    if not named:
        parts = [part for part in miss.facts.get("failing", ()) if part["kind"] in ("offenders", "too many")]
        named = [entity for part in parts for entity in part["entities"]]
    others = _entities_with(scene, frozenset().union(*labels.values()))[:OTHERS]
    return _shot(scene, letters({"x": named[:LETTERS]}), (), "does not match", others)


def _entities_with(scene: Scene, labels: frozenset[str]) -> list[int]:
    table, rows = scene.table, scene.rows
    wanted = np.isin(table.label[rows], [i for i, name in enumerate(table.classes) if name in labels])
    return [int(i) for i in table.entity_id[rows[wanted]]]


def _amount(nearest: Facts, gsd: float | None) -> str:
    """What was measured, short enough for a plate on a line."""
    value, unit = float(nearest["actual"]), str(nearest["unit"])
    text = _figure(value, unit) + ("" if unit == "share" else f" {unit}")
    return f"{text} ({_figure(value * gsd, 'm')} m)" if unit == "px" and gsd else text


def _entities_of(repair: Facts) -> list[int]:
    changes = repair["changes"]
    return [int(changes["entity"])] if repair["kind"] == "remove" else []


def _shot(
    scene: Scene, lettered: Mapping[str, int], pairs: Sequence[Pair], verdict: str, others: Sequence[int] = ()
) -> Shot:
    outlines = outlines_of(scene, lettered.values())
    legend = tuple(
        Legend(letter, f"{_spoken(outlines[entity].label)} {entity}", i)
        for i, (letter, entity) in enumerate(lettered.items())
    )
    parts = [f"{item.letter} is {item.text}" for item in legend]
    parts += [
        f"{_letter_of(lettered, p.first)} and {_letter_of(lettered, p.second)} are joined: {p.text}" for p in pairs
    ]
    alt = f"Image {scene.image_id}, which {verdict}" + (": " + "; ".join(parts) if parts else "")
    return Shot(picture(scene, lettered, pairs, others=others, size=SIDE), alt, _shortened(legend))


def _spoken(label: str) -> str:
    return label.replace("_", " ")


def _shortened(legend: tuple[Legend, ...]) -> tuple[Legend, ...]:
    """A long legend says a class once for a run of things of that class: storage tank 0, 1, 2, ..."""
    if len(legend) <= LONG_LEGEND:
        return legend
    texts = [item.text.rpartition(" ") for item in legend]
    return tuple(
        replace(item, text=number) if i and texts[i - 1][0] == label else item
        for i, (item, (label, _, number)) in enumerate(zip(legend, texts, strict=True))
    )


def _letter_of(lettered: Mapping[str, int], entity: int) -> str:
    return next((letter for letter, e in lettered.items() if e == entity), str(entity))


def _explained(archive: Archive, miss: Miss, labels: Labels) -> Explained:
    facts = miss.facts
    failed = [core["text"] for core in facts["cores"]] + [near["text"] for near in facts["nearest"]]
    if not facts["nearest"] and _sentence(miss) not in ("", *map(_capital, failed)):
        failed.append(_sentence(miss))
    return Explained(
        miss.image_id,
        _miss_shot(archive[miss.image_id], miss, labels),
        cores=tuple(tuple(clause["reading"] for clause in core["clauses"]) for core in facts["cores"]),
        nearest=tuple(_capital(str(text)) for text in failed),
        repairs=tuple(_capital(_repair_words(facts, repair)) for repair in facts["repairs"]),
        notes=tuple(facts["notes"]),
    )


def _repair_words(facts: Facts, repair: Facts) -> str:
    """A repair in words, clauses in English where the cores say them."""
    said = {str(clause["formula"]): str(clause["reading"]) for core in facts["cores"] for clause in core["clauses"]}
    dropped = repair["changes"].get("clauses", ()) if repair["kind"] == "drop" else ()
    if dropped and all(clause in said for clause in dropped):
        return "without " + " and ".join(f"“{said[clause]}”" for clause in dropped)
    return str(repair["text"])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

"""An explanation in words, as HTML and as JSON (INTERFACE, "explain"): three functions, no logic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from ..errors import RuneError
from ..grammar.english.lettered import Lettered
from ..grammar.nodes import (
    And,
    Apply,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Implies,
    Node,
    Not,
    Or,
    Truth,
    Variable,
    children,
    conjunction,
    disjunction,
    free_variables,
    map_formulas,
    walk,
)
from ..grammar.printer import canonical, written
from ..grammar.verbalise import verbalise
from .clauses import Clause, ClauseForm, relax
from .cores import Clauses
from .explain import Explanation, Satisfied, Undecided, Violated
from .failing import Failing
from .nearest import Nearest
from .passes.fold_constants import fold_constants
from .repairs import Repair
from .tightest import Tightest

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

CLOSED_WORLD = "What is not among the entities of the image counts as not there: a detector may have missed it."
TRUSTED = (
    "Trusted: the entities and their classes, the reading of the query, what the vocabulary means by near or large.",
    "Verified: that these entities, under this formula and this vocabulary, give this verdict.",
)

WOULD_MATCH = {  # title -> whom the repairs below it blame
    "It would match with another query": "query",
    "It would match with another limit of the words": "vocabulary",
    "It would match had the detector been more, or less, sure": "detector",
}


def to_json(explanation: Explanation) -> dict[str, Any]:
    """The document of INTERFACE, "explain", with some more: failing, blame, budget, missing, notes."""
    stable = explanation.stability
    document: dict[str, Any] = {
        "image_id": explanation.image_id,
        "verdict": explanation.verdict.word,
        "formula": canonical(explanation.formula),
        "min_score": explanation.world.min_score,
        "witness": {},
        "cores": [],
        "nearest": [],
        "repairs": [],
        "stability": {"min_score": list(stable)} if stable is not None else None,
        "tightest": tightest_json(explanation.tightest) if explanation.tightest is not None else None,
        "certificate": explanation.certificate,
    }
    match explanation:
        case Satisfied():
            document["witness"] = explanation.witness
        case Undecided():
            document["missing"] = list(explanation.missing)
        case Violated():
            document["cores"] = [core_json(explanation, core) for core in explanation.cores]
            document["corrections"] = [sorted_texts(explanation.form, each) for each in explanation.corrections]
            document["budget"] = explanation.budget
            document["nearest"] = [nearest_json(explanation.form, each) for each in explanation.nearest]
            document["repairs"] = [repair_json(each) for each in explanation.repairs]
            document["unfinished"] = list(explanation.unfinished)
            document["failing"] = [failing_json(each) for each in explanation.failing]
        case _:
            pass
    document["blame"] = blame(explanation)
    document["notes"] = list(notes(explanation))
    return document


def core_json(explanation: Violated, core: Clauses) -> dict[str, Any]:
    """The clauses of a core with formula, reading and span, and the core in words."""
    form, vocabulary = explanation.form, explanation.world.vocabulary
    clauses = [
        {
            "formula": written(form.clauses[i].formula),
            "reading": reading(form, form.clauses[i], vocabulary),
            "span": list(span) if (span := form.clauses[i].span) is not None else None,
            "index": i,
        }
        for i in sorted(core)
    ]
    return {"clauses": clauses, "text": core_text(explanation, core)}


def core_text(explanation: Violated, core: Clauses) -> str:
    """What the image fails at when nothing but the core is asked of it."""
    asks = core_asks(explanation, core)
    if core:
        return f"fails already at: {asks}"
    if isinstance(_left(explanation, core), Truth):
        return "no clause is to blame, the query is false of every image"
    number = len(explanation.world.entities)
    have = "1 entity" if number == 1 else f"{number} entities" if number else "no entity"
    return f"no clause is to blame, the image has too few entities ({have}): {asks}"


def core_asks(explanation: Violated, core: Clauses) -> str:
    """What is left of the query when nothing but the core is asked, in English."""
    left = _left(explanation, core)
    try:
        return verbalise(left, explanation.world.vocabulary)
    except RuneError:
        return canonical(left)


def _left(explanation: Violated, core: Clauses) -> Formula:
    return readable(fold_constants(unnested(fold_constants(relax(explanation.form, core)))))


def unnested(formula: Formula, inhabited: bool = False) -> Formula:
    """exists x (a & b) -> exists x (a) & b where x is not free in b, exists>=N likewise;
    exists y (true) -> true where an entity is known to be
    """
    binds = isinstance(formula, Exists | ForAll | ExistsCount)
    inner = map_formulas(lambda part: unnested(part, inhabited or binds), formula)
    match inner:
        case Exists(_, Truth(True)) if inhabited:
            return Truth(True)
        case Exists(var, body) | ExistsCount(">=", _, var, body):
            parts = body.parts if isinstance(body, And) else (body,)
        case _:
            return inner
    apart = [part for part in parts if var not in free_variables(part) and not isinstance(part, Truth)]
    if not apart or (isinstance(inner, ExistsCount) and inner.n == 0):
        return inner
    within = conjunction(part for part in parts if part not in apart)
    if isinstance(inner, Exists) and within == Truth(True) and any(isinstance(part, Exists) for part in apart):
        return conjunction(apart)
    return conjunction((replace(inner, body=within), *apart))


def readable(formula: Formula) -> Formula:
    """forall x (~a | b) -> forall x (a -> b);   forall x (~a | ~b) -> ~exists x (a & b)"""
    inner = map_formulas(readable, formula)
    if not isinstance(inner, ForAll):
        return inner
    parts = inner.body.parts if isinstance(inner.body, Or) else (inner.body,)
    denied = [part.body for part in parts if isinstance(part, Not)]
    others = [part for part in parts if not isinstance(part, Not)]
    if not denied:
        return inner
    if not others:
        return Not(Exists(inner.var, conjunction(denied)))
    return ForAll(inner.var, Implies(conjunction(denied), disjunction(others)))


def reading(form: ClauseForm, clause: Clause, vocabulary: Vocabulary) -> str:
    """A clause in English: "ship x1 is near harbor x2". A variable is named by the class that is asked of it."""
    nouns = _nouns(form.formula, vocabulary)
    atom = clause.formula.body if isinstance(clause.formula, Not) else clause.formula
    own = isinstance(atom, Apply) and atom.name in vocabulary.classes
    names = {
        name: name if own or name not in nouns else f"{nouns[name]} {name}"
        for name in (node.name for node in walk(clause.formula) if isinstance(node, Variable))
    }
    if clause.origin is None:
        return Lettered(vocabulary).sentence(clause.formula, names)
    said = Lettered(vocabulary).sentence(clause.origin, names)
    return f"it is not true that ({said})" if isinstance(clause.formula, Not) else said


def _nouns(formula: Formula, vocabulary: Vocabulary) -> dict[str, str]:
    """For each variable the class in its guard: c(x) & ... under exists and counts, ~c(x) | ... under forall."""
    found: dict[str, str] = {}
    for node in walk(formula):
        match node:
            case Exists(var, body) | ExistsCount(_, _, var, body):
                guards: tuple[Formula, ...] = body.parts if isinstance(body, And) else (body,)
            case ForAll(var, body):
                parts = body.parts if isinstance(body, Or) else (body,)
                guards = tuple(part.body for part in parts if isinstance(part, Not))
            case _:
                continue
        for guard in guards:
            match guard:
                case Apply(name, (Variable(of),)) if of == var and name in vocabulary.classes:
                    found.setdefault(var, vocabulary.classes[name].phrase)
                case _:
                    pass
    return found


def sorted_texts(form: ClauseForm, clauses: Clauses) -> list[str]:
    """The clauses as canonical text, by position."""
    return [written(form.clauses[i].formula) for i in sorted(clauses)]


def nearest_json(form: ClauseForm, near: Nearest) -> dict[str, Any]:
    """One nearest limit; actual and limit are in `unit`, limit_needed and limit_now in `limit_unit`."""
    return {
        "clause": written(form.clauses[near.clause].formula),
        "quantity": near.quantity,
        "unit": near.unit,
        "actual": near.actual,
        "limit": near.limit,
        "limit_needed": near.limit_needed,
        "entities": list(near.entities),
        "limit_now": near.limit_now,
        "limit_unit": near.limit_unit,
        "past": near.past,
        "metres": {"actual": near.metres[0], "limit": near.metres[1]} if near.metres else None,
        "text": near.text,
        "index": near.clause,
    }


def tightest_json(turns: Tightest) -> dict[str, Any]:
    """The atom on which the verdict turns first."""
    return {
        "quantity": turns.quantity,
        "unit": turns.unit,
        "actual": turns.actual,
        "limit": turns.limit,
        "margin": turns.margin,
        "entities": list(turns.entities),
        "text": turns.text,
    }


def repair_json(repair: Repair) -> dict[str, Any]:
    """One repair."""
    return {"kind": repair.kind, "text": repair.text, "changes": dict(repair.changes)}


def failing_json(part: Failing) -> dict[str, Any]:
    """One part that stops the query."""
    return {
        "kind": part.kind,
        "part": part.part,
        "variable": part.variable,
        "have": part.have,
        "need": part.need,
        "stages": [{"part": s.part, "left": s.left, "variables": list(s.variables)} for s in part.stages],
        "bindings": [
            {"entities": dict(each.entities), "stopped_by": each.stopped_by, "text": each.text}
            for each in part.bindings
        ],
        "entities": list(part.entities),
        "amounts": [{"of": of, "least": least, "most": most} for of, least, most in part.amounts],
        "text": failing_text(part),
    }


def failing_text(part: Failing) -> str:
    """One part that stops the query, in a line."""
    named = ", ".join(str(each) for each in part.entities)
    more = ", ..." if part.have > len(part.entities) else ""
    match part.kind:
        case "candidates" | "too few" if part.stages:
            need = "" if part.need == 1 else f" of {part.need}"
            return f"{part.have}{need} found for {part.variable}{_stages(part)}"
        case "offenders":
            return f"{part.have} in the way of {part.part}: {part.variable} = {named}{more}{_stages(part)}"
        case "too many":
            return f"{part.have}, at most {part.need} allowed, in {part.part}: {part.variable} = {named}{more}"
        case "amounts":
            said = "; ".join(f"{of} is {_range(least, most)}" for of, least, most in part.amounts)
            return f"{part.part}: {said}"
        case _:
            return f"{part.part} does not hold"


def _stages(part: Failing) -> str:
    """: 531 with ship(x1); of x1, x2: 2655 with harbor(x2); 0 with inside(x1, x2)"""
    text = ": "
    told: tuple[str, ...] = (part.variable,)
    for number, stage in enumerate(part.stages):
        deeper = f"; of {', '.join(stage.variables)}: " if stage.variables != told else "; " if number else ""
        text += f"{deeper}{stage.left} with {stage.part}"
        told = stage.variables
    return text.replace(": ; ", "; ") if part.stages else ""


def _range(least: float, most: float) -> str:
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def blame(explanation: Explanation) -> dict[str, list[str]]:
    """What could be changed, by whom: the query, the detector's confidence, missing data about the image, the words."""
    found: dict[str, list[str]] = {"query": [], "detector": [], "metadata": [], "vocabulary": []}
    if isinstance(explanation, Undecided):
        found["metadata"] = list(explanation.missing)
    if isinstance(explanation, Violated):
        for part, repairs in _by_blame(explanation).items():
            found[part] = [repair.text for repair in repairs]
        found["vocabulary"] += [f"no entity of the archive is {noun}" for noun in _unseen(explanation)]
    return found


def _by_blame(explanation: Violated) -> dict[str, list[Repair]]:
    """The repairs by what they would change: the query, the detector's confidence, the meaning of a word."""
    literals = {clause.index: clause.formula for clause in explanation.form.clauses}
    words = {i for i, each in literals.items() if isinstance(each.body if isinstance(each, Not) else each, Apply)}
    found: dict[str, list[Repair]] = {"query": [], "detector": [], "vocabulary": []}
    for repair in explanation.repairs:
        if repair.kind in ("admit", "remove"):
            found["detector"].append(repair)
        elif repair.kind == "limit" and repair.changes["clause"] in words:
            found["vocabulary"].append(repair)
        else:
            found["query"].append(repair)
    return found


def _unseen(explanation: Explanation) -> list[str]:
    """Classes the query names of which the archive has no entity."""
    vocabulary = explanation.world.vocabulary
    present = explanation.world.scene.table.classes
    named = dict.fromkeys(node.name for node in walk(explanation.expanded) if isinstance(node, Apply))
    return [
        vocabulary.classes[name].phrase
        for name in named
        if name in vocabulary.classes and not any(vocabulary.is_a(label, name) for label in present)
    ]


def notes(explanation: Explanation) -> Iterator[str]:
    """What to keep in mind: stability, the closed world, what was assumed, which budget was reached."""
    if explanation.stability is not None:
        low, high = explanation.stability
        yield f"The verdict is the same for every min_score above {low:g} up to {high:g}."
    if explanation.tightest is not None and isinstance(explanation, Satisfied):  # of a miss it is the nearest limit
        yield f"The verdict turns first on the {explanation.tightest.text}."
    if explanation.world.facts.parameters.assume_extent and explanation.world.scene.width is None:
        yield "The image size is unknown: the largest x and y of its entities were taken instead."
    if explanation.uncertified:
        yield explanation.uncertified
    if isinstance(explanation, Violated):
        yield CLOSED_WORLD
        if explanation.budget:
            yield f"The budget in {explanation.budget} was reached: there may be more cores and correction sets."
        if explanation.unfinished:
            yield f"Time ran out before every candidate was tried: {', '.join(explanation.unfinished)}."
    elif isinstance(explanation, Satisfied) and _denies(explanation.expanded):
        yield CLOSED_WORLD


def _denies(node: Node) -> bool:
    """Whether the verdict rests on something not being there."""
    if isinstance(node, Not | ForAll) or (isinstance(node, ExistsCount) and node.op != ">="):
        return True
    return any(_denies(child) for child in children(node))


# --- for people -------------------------------------------------------------------------------------------------------


def render_text(explanation: Explanation) -> str:
    """For a terminal."""
    lines = [f"{explanation.image_id}: {explanation.verdict.plain}", f"  {canonical(explanation.formula)}"]
    for title, entries in _sections(explanation):
        if entries:
            lines += ["", title, *(f"  {entry}" for entry in entries)]
    return "\n".join(lines)


def render_html(explanation: Explanation) -> str:
    """A self-contained fragment."""
    parts = [
        f"<div><p><b>{escape(explanation.image_id)}</b>: {escape(explanation.verdict.plain)}</p>",
        f"<p><code>{escape(canonical(explanation.formula))}</code></p>",
    ]
    for title, entries in _sections(explanation):
        if entries:
            items = "".join(f"<li>{escape(entry)}</li>" for entry in entries)
            parts.append(f"<p>{escape(title)}</p><ul>{items}</ul>")
    return "".join(parts) + "</div>"


def _sections(explanation: Explanation) -> Iterator[tuple[str, list[str]]]:
    match explanation:
        case Satisfied():
            yield "Witness", list(_witness_lines(explanation))
        case Undecided():
            yield "Missing", list(explanation.missing)
        case Violated():
            for number, core in enumerate(explanation.cores, 1):
                title = "Why not" if len(explanation.cores) == 1 else f"Why not ({number})"
                clauses = [
                    f"{written(clause.formula)}: {reading(explanation.form, clause, explanation.world.vocabulary)}"
                    for clause in (explanation.form.clauses[i] for i in sorted(core))
                ]
                yield title, [core_text(explanation, core), *clauses]
            yield "Nearest", [near.text for near in explanation.nearest]
            yield "Where it fails", [
                line for part in explanation.failing
                for line in (failing_text(part), *(f"  {each.text}" for each in part.bindings))
            ]  # fmt: skip
            if explanation.corrections:
                known = "all minimal ones" if not explanation.budget else "those known so far"
                sets = [" and ".join(sorted_texts(explanation.form, each)) for each in explanation.corrections]
                yield f"No longer violated without one of these sets ({known})", sets
            whose = _by_blame(explanation)
            for title, part in WOULD_MATCH.items():
                yield title, [repair.text for repair in whose[part]]
        case _:
            pass
    yield "Note", [*notes(explanation), *TRUSTED]


def _witness_lines(explanation: Satisfied) -> Iterator[str]:
    world = explanation.world
    for name, value in explanation.witness.items():
        entities = [value] if isinstance(value, int) else value
        said = ", ".join(f"{world.label(entity).replace('_', ' ')} {entity}" for entity in entities)
        yield f"{name} = {said}"


__all__ = ["render_html", "render_text", "to_json"]

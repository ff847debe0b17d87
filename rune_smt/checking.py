"""What a query says before it runs: contradictory, always true or neither, and how two queries stand to each other.

    report = rune.check("exists x (ship(x) & harbor(x))")
    report.status, report.how                     # "contradictory", "proved"
    bool(rune.equivalent(q1, q2))                  # True only where it is proved

Each answer says how it is known: *proved* by a solver from the laws of the words, for scenes of any size; *shown* by a
scene with real outlines; or *unknown*, with how far was looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from .query import Query, QueryLike, VocabularyLike, as_query, vocabulary_of

if TYPE_CHECKING:
    from .entities.scene import Scene
    from .errors import Span
    from .grammar.nodes import Formula
    from .grammar.vocabulary import Vocabulary
    from .solver.clauses import Clause
    from .solver.query_checks import Bound, Checked, How, Related, Relating, Status

SECONDS = 2.0  # about so long is searched; as steps, so that the same question gets the same answer

STATUS_TEXT = {
    "contingent": "Some scenes satisfy it, some do not",
    "contradictory": "No scene satisfies it",
    "always_true": "Every scene satisfies it",
}
RELATION_TEXT = {
    "equivalent": "The two mean the same",
    "implies": "Whatever satisfies the query satisfies the other",
    "implied_by": "Whatever satisfies the other satisfies the query",
    "overlapping": "Some scenes satisfy both, some only the one, some only the other",
    "disjoint": "No scene satisfies both",
}
HOW_TEXT = {"proved": "proved, for scenes of any size", "shown": "shown by scenes"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the query: as formula, in English, and where it was said."""

    formula: str
    reading: str
    span: Span | None = None

    def to_json(self) -> dict[str, Any]:
        """As INTERFACE has clauses."""
        return {"formula": self.formula, "reading": self.reading, "span": list(self.span) if self.span else None}


@dataclass(frozen=True)
class Relation:
    """How two queries stand to each other.

    relation      equivalent, implies, implied_by, overlapping, disjoint or unknown
    how           proved, shown or unknown
    bound         up to how many entities and how long was looked for scenes
    telling_scene satisfies one query and not the other, else both; None where none was found or there is none
    answer        to the question that was asked (`equivalent` or `entails`): True is proved, False shown, None unknown
    """

    relation: Relating
    how: How
    bound: Bound
    telling_scene: Scene | None
    answer: bool | None

    def __bool__(self) -> bool:
        """Whether what was asked is proved."""
        return self.answer is True

    def to_json(self) -> dict[str, Any]:
        """As INTERFACE has `against`."""
        return {
            "relation": self.relation,
            "how": self.how,
            "bound": _bound(self.bound),
            "telling_scene": None if self.telling_scene is None else self.telling_scene.to_json(),
        }

    def render(self) -> str:
        """For people."""
        if self.relation == "unknown":
            text = f"Not known how the two stand to each other: no scene that would tell was found with {self.bound}."
        else:
            text = f"{RELATION_TEXT[self.relation]} ({HOW_TEXT[self.how]})."
        if self.telling_scene is not None:
            text += f"\nA telling scene: {_described(self.telling_scene)}"
        return text

    def __repr__(self) -> str:
        return f"Relation({self.relation}, {self.how})"

    def _repr_html_(self) -> str:
        drawn = "" if self.telling_scene is None else self.telling_scene.drawing(named=True)
        return f"<div><p>{escape(self.render()).replace(chr(10), '<br>')}</p>{drawn}</div>"


@dataclass(frozen=True)
class CheckReport:
    """What a query says before it runs (LANGUAGE, section 11).

    status         contingent, contradictory, always_true or unknown
    how            proved, shown or unknown
    bound          up to how many entities, and how long, was looked for scenes
    core           of a contradiction: clauses that cannot hold together, whatever the others say
    core_minimal   whether a scene was found for the core without each one of its clauses
    redundant      clauses without which the query means the same, each by itself; proved
    vacuous        clauses whose opposite would not change it either; proved
    clauses_asked  False where there were too many clauses to ask for redundant and vacuous ones
    unreached      parts with a number that no scene reaches; proved
    suspicious     parts that may not say what was meant, with why
    example_scene  satisfies the query, made as small as could be
    counter_scene  violates it; `just_fails`: by one small change to the example
    against        how it stands to a second query, where one was given
    """

    formula: str
    reading: str
    status: Status
    how: How
    bound: Bound
    core: tuple[Part, ...]
    core_minimal: bool
    redundant: tuple[Part, ...]
    vacuous: tuple[Part, ...]
    clauses_asked: bool
    unreached: tuple[Part, ...]
    suspicious: tuple[tuple[Part, str], ...]
    example_scene: Scene | None
    counter_scene: Scene | None
    just_fails: bool
    against: Relation | None = None

    def to_json(self) -> dict[str, Any]:
        """As INTERFACE has `check`; `unreached`, `suspicious` and what is said of the core besides."""
        document: dict[str, Any] = {
            "formula": self.formula,
            "reading": self.reading,
            "status": self.status,
            "how": self.how,
            "bound": _bound(self.bound),
            "core": [part.to_json() for part in self.core],
            "core_minimal": self.core_minimal,
            "redundant": [part.to_json() for part in self.redundant],
            "vacuous": [part.to_json() for part in self.vacuous],
            "clauses_asked": self.clauses_asked,
            "unreached": [part.to_json() for part in self.unreached],
            "suspicious": [{**part.to_json(), "text": text} for part, text in self.suspicious],
            "example_scene": None if self.example_scene is None else self.example_scene.to_json(),
            "counter_scene": None if self.counter_scene is None else self.counter_scene.to_json(),
            "just_fails": self.just_fails,
        }
        if self.against is not None:
            document["against"] = self.against.to_json()
        return document

    @property
    def verdict(self) -> str:
        """Status and how it is known, one sentence."""
        if self.status != "unknown":
            return f"{STATUS_TEXT[self.status]} ({HOW_TEXT[self.how]})."
        if self.example_scene is not None:
            return f"Some scene satisfies it; no scene that violates it was found with {self.bound}."
        if self.counter_scene is not None:
            return f"Some scene violates it; no scene that satisfies it was found with {self.bound}."
        return f"Not known: no scene was found either way with {self.bound}."

    def render(self) -> str:
        """For people, plain text."""
        lines = [f"formula  {self.formula}", f"reading  {self.reading}", self.verdict]
        if self.status == "contradictory":
            lines += _section("These cannot hold together:", self.core)
            if not self.core:
                lines.append("No clause is to blame: the numbers alone cannot be met.")
        lines += _section("Says nothing, the query means the same without it:", self.redundant)
        lines += _section("Makes no difference, true or false:", self.vacuous)
        if not self.clauses_asked:
            lines.append("Too many clauses to ask of each whether it makes a difference.")
        lines += _section("Can never be reached:", self.unreached)
        for part, text in self.suspicious:
            lines.append(f"Look again: {part.formula}\n  {text}")
        if self.example_scene is not None:
            lines.append(f"Satisfies it: {_described(self.example_scene)}")
        if self.counter_scene is not None:
            lines.append(f"{'Just fails' if self.just_fails else 'Violates'} it: {_described(self.counter_scene)}")
        if self.against is not None:
            lines.append(f"Against the other query: {self.against.render()}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"CheckReport({self.formula!r}: {self.status}, {self.how})"

    @property
    def scenes(self) -> dict[str, Scene]:
        """The scenes that were made, by what they show: satisfies, just-fails or violates, tells-apart."""
        made = {
            "satisfies": self.example_scene,
            "just-fails" if self.just_fails else "violates": self.counter_scene,
            "tells-apart": None if self.against is None else self.against.telling_scene,
        }
        return {name: scene for name, scene in made.items() if scene is not None}

    def _repr_html_(self) -> str:
        places = any(word in self.formula for word in ("in_", "at_border", " %"))  # these need the whole image
        drawn = [
            f"<figure style='display:inline-block'>{scene.drawing(close=not places, named=True)}"
            f"<figcaption>{name.replace('-', ' ')}</figcaption></figure>"
            for name, scene in self.scenes.items()
            if len(scene)
        ]
        return f"<div><pre style='white-space:pre-wrap'>{escape(self.render())}</pre>{''.join(drawn)}</div>"


def check(
    query: QueryLike, *, vocabulary: VocabularyLike = None, against: QueryLike | None = None, seconds: float = SECONDS
) -> CheckReport:
    """What a query says, without any archive.

    query       a Query, formula text in any dialect, or a formula
    vocabulary  a Vocabulary, its name or file, or an Archive; dota-v1.5 if left out
    against     a second query to compare with
    seconds     about how long to look at most for each question; counted in steps, so that the answer never varies
    raises      QueryError where a query is none
    """
    from .solver.query_checks import QueryChecks

    known = vocabulary_of(vocabulary)
    asked, formula = _expanded(query, known)
    checked = QueryChecks(known, seconds).check(formula)
    relation = None
    if against is not None:
        _, other = _expanded(against, known)
        related = QueryChecks(known, seconds).relate(formula, other)
        relation = _relation(related, None)
    return _report(asked, checked, known, relation)


def equivalent(
    one: QueryLike, other: QueryLike, *, vocabulary: VocabularyLike = None, seconds: float = SECONDS
) -> Relation:
    """Whether two queries are satisfied by the same scenes; true as a condition only where that is proved.

    Arguments as `check`. A scene that satisfies just one of them is in `telling_scene`.
    """
    from .solver.query_checks import QueryChecks

    known = vocabulary_of(vocabulary)
    related = QueryChecks(known, seconds).relate(_expanded(one, known)[1], _expanded(other, known)[1])
    apart = "shown" in (related.one_only.how, related.other_only.how)
    return _relation(related, True if related.relation == "equivalent" else False if apart else None)


def entails(
    one: QueryLike, other: QueryLike, *, vocabulary: VocabularyLike = None, seconds: float = SECONDS
) -> Relation:
    """Whether every scene that satisfies the first query satisfies the second; true only where that is proved.

    Arguments as `check`. A scene that satisfies the first and not the second is in `telling_scene`.
    """
    from .solver.query_checks import QueryChecks

    known = vocabulary_of(vocabulary)
    related = QueryChecks(known, seconds).relate(_expanded(one, known)[1], _expanded(other, known)[1])
    answer = {"proved": True, "shown": False, "unknown": None}[related.one_only.how]
    return _relation(related, answer)


# --- from the solver's words to people's ------------------------------------------------------------------------------


def _expanded(query: QueryLike, vocabulary: Vocabulary) -> tuple[Query, Formula]:
    from .grammar.definitions import expand_definitions

    asked = as_query(query, vocabulary)
    return asked, expand_definitions(asked.formula, vocabulary)


def _relation(related: Related, answer: bool | None) -> Relation:
    return Relation(related.relation, related.how, related.bound, related.telling, answer)


def _report(asked: Query, checked: Checked, vocabulary: Vocabulary, against: Relation | None) -> CheckReport:
    form = checked.form

    def clauses(numbers: Iterable[int] | None) -> tuple[Part, ...]:
        return tuple(_clause(form.clauses[number], asked.formula, vocabulary) for number in numbers or ())

    return CheckReport(
        formula=str(asked),
        reading=asked.reading,
        status=checked.status,
        how=checked.how,
        bound=checked.bound,
        core=clauses(checked.core),
        core_minimal=checked.core_minimal,
        redundant=clauses(checked.redundant),
        vacuous=clauses(checked.vacuous),
        clauses_asked=checked.redundant is not None,
        unreached=tuple(_part(formula, vocabulary) for formula in checked.unreached),
        suspicious=tuple((_part(each.formula, vocabulary), each.text) for each in checked.suspicious),
        example_scene=checked.example,
        counter_scene=checked.counter,
        just_fails=checked.just_fails,
        against=against,
    )


def _part(formula: Formula, vocabulary: Vocabulary) -> Part:
    """A part of a query, in English where it is closed."""
    from .errors import RuneError
    from .grammar.nodes import free_variables
    from .grammar.printer import canonical, written
    from .grammar.verbalise import verbalise

    if free_variables(formula):
        text = written(formula)
        return Part(text, text, formula.span)
    try:
        return Part(canonical(formula), verbalise(formula, vocabulary), formula.span)
    except RuneError:
        return Part(canonical(formula), canonical(formula), formula.span)


def _clause(clause: Clause, query: Formula, vocabulary: Vocabulary) -> Part:
    """A clause with the variables of the query in it: ship x1 is near harbor x2."""
    from .grammar.nodes import Apply, Not, Variable
    from .grammar.printer import written
    from .grammar.words import WORDS

    text = written(clause.formula)
    negated = isinstance(clause.formula, Not)
    atom = clause.formula.body if isinstance(clause.formula, Not) else clause.formula
    reading = text
    if isinstance(atom, Apply):
        names = [arg.name for arg in atom.args if isinstance(arg, Variable)]
        named = [_named(name, query, vocabulary) for name in names]
        if atom.name in WORDS:
            phrase = WORDS[atom.name].phrase
            together = f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]
            reading = phrase.replace("{...}", together)
            for place, name in enumerate(named):
                reading = reading.replace(f"{{{place}}}", name)
        elif atom.name in vocabulary.classes:
            reading = f"{names[0]} is a {vocabulary.classes[atom.name].phrase}"
        elif atom.name in vocabulary.attributes:
            reading = f"{named[0]} is {vocabulary.attributes[atom.name].phrase}"
        else:
            reading = f"{atom.name.replace('_', ' ')} of {', '.join(named)}"
        if negated:
            reading = reading.replace(" is ", " is not ", 1) if " is " in reading else f"not: {reading}"
    return Part(text, reading, clause.span)


def _named(name: str, query: Formula, vocabulary: Vocabulary) -> str:
    """A variable with the one class that the query gives it: harbor x2."""
    from .grammar.nodes import Apply, Variable, walk

    classes = {
        node.name
        for node in walk(query)
        if isinstance(node, Apply) and node.name in vocabulary.classes and node.args[0] == Variable(name)
    }
    return f"{vocabulary.classes[classes.pop()].phrase} {name}" if len(classes) == 1 else name


def _section(title: str, parts: tuple[Part, ...]) -> list[str]:
    if not parts:
        return []
    lines = (f"  {part.formula}" + (f"   ({part.reading})" if part.reading != part.formula else "") for part in parts)
    return [title, *lines]


def _described(scene: Scene) -> str:
    from .entities.scene import describe_counts

    counts: dict[str, int] = {}
    table = scene.table
    for row in scene.rows:
        label = table.classes[int(table.label[row])]
        counts[label] = counts.get(label, 0) + 1
    return describe_counts(counts) or "an image without entities"


def _bound(bound: Bound) -> dict[str, Any]:
    return {"entities": bound.entities, "seconds": bound.seconds}

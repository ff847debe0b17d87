"""What the composition of a sentence has to keep in mind: variables, what "it" may stand for, what is negated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ...errors import Span
from ..nodes import (
    And,
    Apply,
    Compare,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Truth,
    Variable,
    free_variables,
    map_in_term,
)
from ..vocabulary import Vocabulary
from .lexicon import Relation
from .meaning import NoAntecedent, NoMeaning, Nominal, Predicate, Scope, both


@dataclass
class Host:
    """A phrase of several things while its formula is made: "the same harbor" inside it is one for all of them."""

    outside: frozenset[str]  # the variables bound outside of it
    counted: bool  # three ships, many ships; not all ships
    joined: bool = False  # a ship and a plane: "the same harbor" is one for both, "the harbor" is as it stands
    denied: bool = False  # not all ships near the harbor: the harbor stands outside of "not"
    wide: list[tuple[str, Formula]] = field(default_factory=list)
    shared: dict[int, str] = field(default_factory=dict)  # the variable of a noun that was met before


class Context:
    """State and small helpers shared by the composition of phrases, predicates and sentences."""

    def __init__(self, vocabulary: Vocabulary, ones: dict[Span, str]):
        self.vocabulary = vocabulary
        self.ones = ones  # the class that each "ones" repeats, by its place in the text
        self.made = 0
        self.active: list[str] = []  # variables bound around the place that is being composed
        self.frames: list[str] = []  # the things being spoken of, the last one innermost
        self.exclude: str | None = None  # "it" as an object is not the subject
        self.letters: dict[str, str] = {}
        self.class_of: dict[str, str | None] = {}  # of the variables bound so far
        self.known: dict[str, str] = {}  # "the ship": the ship that was spoken of
        self.bases: list[Scope] = []  # the nouns being modified: what "closest" compares
        self.hosts: list[Host] = []
        self.speaks_of_image = False  # "an image with a plane in it": the image, where nothing else is meant
        self.conditional = 0  # depth of if ... then: "all" asks for none there
        self.asked = 0  # depth of antecedents and questions: "any" is "some" there
        self.them: Nominal | None = None  # what "all of them" speaks of
        self.last_said: Predicate | None = None  # what "and no ship is" repeats
        self.no_antecedents = False  # "another ship near a ship": nothing comes before it
        self.importing: set[str] = set()  # variables of universals that ask for at least one

    def fresh(self) -> str:
        """A variable that nothing else uses."""
        self.made += 1
        return f"x{self.made}"

    @contextmanager
    def frame(self, x: str) -> Iterator[None]:
        """While x is spoken of."""
        self.frames.append(x)
        before, self.exclude = self.exclude, None
        try:
            yield
        finally:
            self.frames.pop()
            self.exclude = before

    @contextmanager
    def object_of(self, x: str) -> Iterator[None]:
        """While the object of something said of x is composed."""
        before, self.exclude = self.exclude, x
        try:
            yield
        finally:
            self.exclude = before

    @contextmanager
    def bound(self, x: str, noun: Nominal) -> Iterator[None]:
        """While x, one of these, is bound, under its letter if it has one."""
        before = dict(self.letters)
        self.active.append(x)
        self.class_of[x] = noun.cls
        if noun.letter:
            self.letters[noun.letter] = x
        try:
            yield
        finally:
            self.active.pop()
            self.letters = before

    @contextmanager
    def host(self, counted: bool, joined: bool = False, denied: bool = False) -> Iterator[Host]:
        """While a phrase of several things is composed; `wrap` what comes of it."""
        host = Host(frozenset(self.active), counted, joined, denied)
        self.hosts.append(host)
        try:
            yield host
        finally:
            self.hosts.pop()

    @contextmanager
    def again(self, host: Host) -> Iterator[None]:
        """While what is composed is said of all things of the phrase, not of the one part of it that is innermost."""
        self.hosts.append(host)
        try:
            yield
        finally:
            self.hosts.pop()

    @staticmethod
    def wrap(host: Host, formula: Formula) -> Formula:
        """The formula below the things of which there is one for all."""
        for y, restriction in reversed(host.wide):
            formula = Exists(y, both(restriction, formula))
        return formula

    def it(self) -> str:
        """What "it" stands for: the innermost thing spoken of that is not the subject. raises NoAntecedent"""
        for x in reversed(self.frames):
            if x != self.exclude:
                return x
        raise NoAntecedent("There is nothing before it that it could stand for.")

    def _exclude(self, cls: str, other: str | None) -> bool:
        known = self.vocabulary
        return other is not None and not known.is_a(cls, other) and not known.is_a(other, cls)

    def restrict(self, noun: Nominal, x: str) -> Formula:
        """x is one of these."""
        parts: list[Formula] = []
        if noun.other:
            if self.frames and noun.cls and self._exclude(noun.cls, self.class_of.get(self.frames[-1])):
                raise NoMeaning(f"Which other {noun.cls.replace('_', ' ')}? None was named before it.")
            if self.frames:
                parts.append(Compare("!=", Variable(x), Variable(self.frames[-1])))
            elif not self.no_antecedents:
                raise NoAntecedent("Different from what? Nothing before it says.")
        parts.insert(0, noun.base(x))
        with self.frame(x):
            self.bases.append(noun.base)
            try:
                parts += [mod(x) for mod in noun.mods]
            finally:
                self.bases.pop()
        for pair in noun.pairs:  # with "at most", "most": one that has another
            y = self.fresh()
            parts.append(Exists(y, both(noun.base(y), Compare("!=", Variable(y), Variable(x)), pair(x, y))))
        if noun.groups:
            raise NoMeaning("In a row, together: how many? Say a number, such as 'three ships in a row'.")
        return both(*parts)

    def some(self, noun: Nominal, scope: Scope) -> Formula:
        """exists x (noun(x) & scope(x))"""
        x = self.fresh()
        with self.bound(x, noun):
            return Exists(x, both(self.restrict(noun, x), scope(x)))

    def every(self, noun: Nominal, scope: Scope, importing: bool) -> Formula:
        """forall x (noun(x) -> scope(x)); `importing`: and there is one, outside the smallest negation"""
        x = self.fresh()
        if importing and not self.conditional:
            self.importing.add(x)
        with self.host(counted=False) as host, self.bound(x, noun):
            formula = ForAll(x, Implies(self.restrict(noun, x), scope(x)))
        return self.wrap(host, formula)

    def one_for_all(self, noun: Nominal, scope: Scope, how: str) -> Formula:
        """exists x (noun(x) & ...) around the nearest phrase of several things, else in place.

        how   "same": the same harbor; "the": the harbor; "one": one harbor
        """
        hosts = [host for host in self.hosts if how == "same" or not host.joined]
        if how != "the":
            hosts = [host for host in hosts if not host.denied]
        host = hosts[-1] if hosts else None
        if how == "the" and len(hosts) > 1 and hosts[-2].denied:
            host = hosts[-2]
        if host is None or (how == "one" and not host.counted):
            return self.some(noun, scope)
        x = host.shared.get(id(noun))
        if x is None:
            x = self.fresh()
            restriction = self.restrict(noun, x)
            if not free_variables(restriction) - {x} <= host.outside:
                return self.some(noun, scope)
            host.wide.append((x, restriction))
            host.shared[id(noun)] = x
        with self.bound(x, noun):
            return scope(x)

    def relate(self, relation: Relation, x: str, y: str, span: Span | None) -> Formula:
        """The relation between x and y."""
        pair = (y, x) if relation.swapped else (x, y)
        atom = Apply(relation.name, tuple(Variable(name) for name in pair), span)
        return Not(atom, span) if relation.negated else atom


def place_existence(formula: Formula, importing: frozenset[str]) -> Formula:
    """forall x (a -> b), for x importing: with exists x (a) beside it, or outside the smallest negation around it."""
    placed, left = _place(formula, importing, negated=False)
    return both(*left, placed)


def _place(formula: Formula, importing: frozenset[str], negated: bool) -> tuple[Formula, list[Formula]]:
    def inner(part: Formula) -> Formula:
        placed, left = _place(part, importing, negated=False)
        return both(*left, placed)

    match formula:
        case ForAll(x, Implies(a, b)) if x in importing:
            restriction = inner(a)
            body, left = _place(b, importing, negated)
            stays = [part for part in left if x in free_variables(part)]
            body = both(*stays, body)
            always = isinstance(restriction, Truth) and restriction.value
            whole: Formula = replace(formula, body=body if always else Implies(restriction, body))
            witness = Exists(x, restriction)
            others = [part for part in left if x not in free_variables(part)]
            return (whole, [witness, *others]) if negated else (both(witness, *others, whole), [])
        case Not(ForAll(x, Implies(a, b))) if x in importing:
            body, left = _place(b, importing, negated=True)
            return Exists(x, both(inner(a), *left, Not(body)), formula.span), []
        case Not(body):
            placed, left = _place(body, importing, negated=True)
            return both(*left, Not(placed, formula.span)), []
        case Exists(x, body) | ForAll(x, body) | ExistsCount(_, _, x, body):
            below = negated or (isinstance(formula, ExistsCount) and formula.op == "<=")
            placed, left = _place(body, importing, below)
            stays = [part for part in left if x in free_variables(part)]
            others = [part for part in left if x not in free_variables(part)]
            whole = replace(formula, body=both(*stays, placed))
            return (whole, others) if negated else (both(*others, whole), [])
        case And(parts) | Or(parts):
            pairs = [_place(part, importing, negated) for part in parts]
            return replace(formula, parts=tuple(p for p, _ in pairs)), [one for _, left in pairs for one in left]
        case Implies(a, b) | Iff(a, b):
            return replace(formula, left=inner(a), right=inner(b)), []
        case Compare(_, left_term, right_term):
            return replace(formula, left=map_in_term(inner, left_term), right=map_in_term(inner, right_term)), []
        case _:
            return formula, []

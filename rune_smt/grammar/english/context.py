"""What the composition of a sentence has to keep in mind: variables, what "it" may stand for, what is negated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ...errors import LimitError, Span
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
from .discourse import go_on, said, spoken_of
from .lexicon import Relation
from .meaning import Make, NoAntecedent, NoMeaning, Nominal, Predicate, Scope, both

MOST_WORK = 3_000  # variables for one reading: a part that is made anew for each part around it doubles them
MOST_IMPORTING = 8  # universals that ask for something: each doubles those around it


@dataclass(frozen=True)
class Referent:
    """A thing that was spoken of, and all that was said with it."""

    x: str
    facts: frozenset[Formula]


@dataclass
class Host:
    """A phrase of several things while its formula is made: "the same harbor" inside it is one for all of them."""

    outside: frozenset[str]  # the variables bound outside of it
    counted: bool  # three ships, many ships, all ships; not every ship
    joined: bool = False  # a ship and a plane: "the same harbor" is one for both, "the harbor" is as it stands
    outermost: bool = False  # sentences joined by "or": the bridge of one of them, "it" in another
    denied: bool = False  # not all ships near the harbor: the harbor stands outside of "not"
    wide: list[tuple[str, Formula]] = field(default_factory=list)
    shared: dict[int, str] = field(default_factory=dict)  # the variable of a noun that was met before


class Context:
    """State and small helpers shared by the composition of phrases, predicates and sentences."""

    def __init__(self, vocabulary: Vocabulary, ones: dict[Span, str]):
        self.vocabulary = vocabulary
        self.ones = ones  # the class that each "ones" repeats, by its place in the text
        self.made = 0
        self.work = 0  # variables made, those of readings given up included
        self.active: list[str] = []  # variables bound around the place that is being composed
        self.frames: list[str] = []  # the things being spoken of, the last one innermost
        self.exclude: str | None = None  # "it" as an object is not the subject
        self.letters: dict[str, str] = {}
        self.class_of: dict[str, str | None] = {}  # of the variables bound so far
        self.word_of: dict[str, str | None] = {}  # the nouns by which they were named
        self.together_with: dict[str, str] = {}  # for "two adjacent courts": which phrase named it
        self.plural_of: dict[str, bool] = {}
        self.known: dict[str, str] = {}  # "the ship": the ship that was spoken of
        self.referents: list[Referent] = []  # what was spoken of before, for "the harbor", in order
        self.bases: list[Scope] = []  # the nouns being modified: what "closest" compares
        self.hosts: list[Host] = []
        self.speaks_of_image = False  # "an image with a plane in it": the image, where nothing else is meant
        self.conditional = 0  # depth of if ... then: "all" asks for none there
        self.asked = 0  # depth of antecedents and questions: "any" is "some" there
        self.them: Nominal | None = None  # what "all of them" speaks of
        self.several: tuple[str, ...] = ()  # two ships, spoken of before: "another" is neither
        self.firsts = 1  # "the two closest": of how many the closest are spoken
        self.widened = False  # "outside the harbor and near it": there is one that it is not in
        self.two: list[str] = []  # two planes with a helicopter between "them"
        self.strict = False  # "it" is not one of several things
        self.domain: Scope | None = None  # "a harbor where ...": what is said there is said of the things in it
        self.last_place: Predicate | None = None  # what "elsewhere" denies
        self.last_said: Predicate | None = None  # what "and no ship is" repeats
        self.no_antecedents = False  # "another ship near a ship": nothing comes before it
        self.importing: dict[str, Formula] = {}  # universals that ask for at least one: variable -> of what

    def fresh(self) -> str:
        """A variable that nothing else uses. raises LimitError where too many are made"""
        self.made += 1
        self.work += 1
        if self.work > MOST_WORK:
            raise LimitError("The query nests too deep to be read.")
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
        self.word_of[x] = noun.word
        self.plural_of[x] = noun.plural
        if noun.letter:
            self.letters[noun.letter] = x
        try:
            yield
        finally:
            self.active.pop()
            self.letters = before

    @contextmanager
    def host(
        self, counted: bool, joined: bool = False, denied: bool = False, outermost: bool = False
    ) -> Iterator[Host]:
        """While a phrase of several things is composed; `wrap` what comes of it."""
        host = Host(frozenset(self.active), counted, joined, outermost, denied)
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

    def they(self) -> list[str]:
        """As `it`, and those that were named together with it, as in "two adjacent courts". raises NoAntecedent"""
        first = self.it(plural=True)
        phrase = self.together_with.get(first)
        with_it = [x for x in self.frames if x != self.exclude and self.together_with.get(x) == phrase]
        return with_it if phrase else [first]

    def it(self, plural: bool | None = None) -> str:
        """What "it" stands for: the innermost thing spoken of that is not the subject. raises NoAntecedent

        plural   "them": rather several things; None: either
        """
        things = [x for x in reversed(self.frames) if x != self.exclude]
        if self.strict and plural is False:
            things = [x for x in things if not self.plural_of.get(x)]
        if not things:
            raise NoAntecedent("There is nothing before it that it could stand for.")
        agreeing = [x for x in things if plural is None or self.plural_of.get(x, plural) == plural]
        return agreeing[0] if agreeing else things[0]

    def then(
        self, first: Formula, more: Make, x: str | None = None, implied: bool = False, topic: bool = False
    ) -> Formula:
        """first & more, or first -> more; what comes later may speak of what the first names: "the harbor", "it".

        x       the thing that both speak of, while it is framed
        topic   a sentence of its own: its "it" is rather the first thing named than the last
        """
        named = list(spoken_of(first))
        if not named:
            return go_on(first, more(), implied)
        facts, before = said(first), list(self.referents)
        self.referents += [Referent(y, facts) for y in named]
        try:
            going = more()
        except NoAntecedent:
            frames = list(self.frames)
            at = len(frames) - 1 if x is not None and frames and frames[-1] == x else len(frames)
            self.frames[at:at] = [*named[1:], named[0]] if topic else named
            try:
                going = more()
            finally:
                self.frames[:] = frames
        finally:
            self.referents = before
        return go_on(first, going, implied)

    def resolve(self, noun: Nominal) -> str | None:
        """The thing named before that "the ship" stands for, if there is one."""
        for x in reversed(self.frames):
            if x != self.exclude and noun.plainly and self.word_of.get(x) == noun.word:
                return x
        fitting = [one.x for one in self.referents if self._fits(noun, one)]
        exact = [x for x in fitting if self._named_so(x, noun)]
        return next(iter(exact or fitting), None)

    def _named_so(self, x: str, noun: Nominal) -> bool:
        """by this noun, or by a longer one that ends with it: a storage tank is the tank"""
        word = self.word_of[x] or ""
        return word == noun.word or word.endswith(f" {noun.word}")

    def _fits(self, noun: Nominal, one: Referent) -> bool:
        """a large ship: the ship, the large ship, the vessel is not, the vehicle would be for a car"""
        cls = self.class_of.get(one.x)
        if cls is None or noun.cls is None or one.x == self.exclude or not self.vocabulary.is_a(cls, noun.cls):
            return False
        if cls == noun.cls and not self._named_so(one.x, noun):
            return False
        wanted = noun.base(one.x)
        parts = wanted.parts if isinstance(wanted, And) else (wanted,)
        return all(part in one.facts for part in parts[1:])

    def excludes(self, cls: str, other: str | None) -> bool:
        """Whether nothing is of both classes; False where the other is not known."""
        known = self.vocabulary
        return other is not None and not known.is_a(cls, other) and not known.is_a(other, cls)

    def restrict(self, noun: Nominal, x: str) -> Formula:
        """x is one of these."""
        parts: list[Formula] = []
        if noun.other:
            parts += self._different(noun, x)
        restriction = both(noun.base(x), *parts)
        with self.frame(x):
            self.bases.append(noun.base)
            try:
                for mod in noun.mods:
                    restriction = self.then(restriction, lambda: mod(x), x)  # noqa: B023
            finally:
                self.bases.pop()
        parts = [restriction]
        for pair in noun.pairs:  # with "at most", "most": one that has another
            y = self.fresh()
            parts.append(Exists(y, both(noun.base(y), Compare("!=", Variable(y), Variable(x)), pair(x, y))))
        if noun.groups:
            raise NoMeaning("In a row, together: how many? Say a number, such as 'three ships in a row'.")
        return both(*parts)

    def _different(self, noun: Nominal, x: str) -> list[Formula]:
        """another ship: not the ship that is spoken of"""
        things = [y for y in reversed(self.frames) if y != x]
        if not things and self.several and (noun.cls is None or noun.cls == self.class_of.get(self.several[0])):
            return [Compare("!=", Variable(x), Variable(y)) for y in self.several]
        if not things:
            if not self.no_antecedents or noun.rest:
                raise NoAntecedent("Different from what? Nothing before it says.")
            return []
        alike = [y for y in things if not (noun.cls and self.excludes(noun.cls, self.class_of.get(y)))]
        if not alike:
            assert noun.cls is not None
            raise NoAntecedent(f"Which other {noun.cls.replace('_', ' ')}? None was named before it.")
        phrase = self.together_with.get(alike[0])  # of three planes close together, "a fourth" is none
        named = [y for y in alike if self.together_with.get(y) == phrase] if phrase else alike[:1]
        return [Compare("!=", Variable(x), Variable(y)) for y in named]

    def some(self, noun: Nominal, scope: Scope) -> Formula:
        """exists x (noun(x) & scope(x))"""
        x = self.fresh()
        with self.bound(x, noun):
            return Exists(x, self.then(self.restrict(noun, x), lambda: scope(x)))

    def every(self, noun: Nominal, scope: Scope, importing: bool, several: bool = False) -> Formula:
        """forall x (noun(x) -> scope(x)); `importing`: and there is one, outside the smallest negation

        several   all ships, so that "one harbor" in the scope is one for all; not each ship
        """
        x = self.fresh()
        with self.host(counted=several) as host, self.bound(x, noun):
            restriction = self.restrict(noun, x)
            if importing and not self.conditional:
                self.importing[x] = restriction
            body = self.then(restriction, lambda: scope(x), implied=True)
            formula = ForAll(x, body)
        return self.wrap(host, formula)

    def one_for_all(self, noun: Nominal, scope: Scope, how: str) -> Formula:
        """exists x (noun(x) & ...) around the nearest phrase of several things, else in place.

        how   "same": the same harbor; "the": the harbor; "one": one harbor
        """
        hosts = [host for host in self.hosts if how == "same" or not host.joined]
        if how != "the":
            hosts = [host for host in hosts if not host.denied]
        host = hosts[-1] if hosts else None
        if how == "the":
            host = next((other for other in hosts if other.outermost), host)
        if how == "the" and len(hosts) > 1 and hosts[-2].denied:
            host = hosts[-2]
        if host is None or (how == "one" and not host.counted):
            return self.some(noun, scope)
        x = host.shared.get(id(noun))
        if x is None:
            x = self.fresh()
            restriction = self.restrict(noun, x)
            if not free_variables(restriction) - {x} <= host.outside | {one.x for one in self.referents}:
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


def place_existence(formula: Formula, importing: Mapping[str, Formula]) -> Formula:
    """forall x (a -> b), for x importing: with exists x (a) beside it, or outside the smallest negation around it.

    raises    LimitError where there are too many of them
    """
    if len(importing) > MOST_IMPORTING:
        raise LimitError("The query says 'all' too often to be read.", hint="Say it in several queries.")
    placed, left = _place(formula, importing, negated=False)
    return both(*left, placed)


def _place(formula: Formula, importing: Mapping[str, Formula], negated: bool) -> tuple[Formula, list[Formula]]:
    def inner(part: Formula) -> Formula:
        placed, left = _place(part, importing, negated=False)
        return both(*left, placed)

    match formula:
        case ForAll(x, body) if x in importing:
            placed, others = _below_restriction(body, importing, negated, x)
            whole: Formula = replace(formula, body=placed)
            witness = Exists(x, inner(importing[x]))
            return (whole, [witness, *others]) if negated else (both(witness, *others, whole), [])
        case Not(ForAll(x, Implies(a, b))) if x in importing:
            body, left = _place(b, importing, negated=True)
            return Exists(x, both(inner(a), *left, Not(body)), formula.span), []
        case Not(ForAll(x, body)) if x in importing:
            placed, left = _place(body, importing, negated=True)
            return Exists(x, both(*left, Not(placed)), formula.span), []
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


def _below_restriction(
    body: Formula, importing: Mapping[str, Formula], negated: bool, x: str
) -> tuple[Formula, list[Formula]]:
    """What all x of forall x (a -> b) are, placed; what is to exist beside it goes outside, unless it speaks of x."""
    if isinstance(body, Implies):
        restriction, within = _place(body.left, importing, negated=False)
        restriction = both(*within, restriction)
        then = body.right
    else:
        restriction, then = Truth(True), body
    placed, left = _place(then, importing, negated)
    placed = both(*(part for part in left if x in free_variables(part)), placed)
    others = [part for part in left if x not in free_variables(part)]
    always = isinstance(restriction, Truth) and restriction.value
    return (placed if always else Implies(restriction, placed)), others

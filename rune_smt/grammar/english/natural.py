"""The short form of English: formulas that have the shape of a sentence, said as that sentence.

What has no such shape is handed to the regular form, part by part. A variable gets a letter only where "it" or a
modifier does not do: the first attempt is made without letters, and every variable that turns out to need one gets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from ..nodes import (
    And,
    Apply,
    Arithmetic,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Number,
    Or,
    Term,
    Text,
    Truth,
    Variable,
    conjunction,
    free_variables,
    rename,
)
from ..printer import canonical, same_up_to_bound_names
from ..vocabulary import Vocabulary
from ..words import WORDS
from .lettered import (
    ARITHMETIC,
    BINARY,
    COMPARED,
    COUNTED,
    GROUPS,
    UNARY,
    VERBS,
    Lettered,
    article,
    letters,
    listed,
    relating,
)

NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
PLACES = {
    ("in_left", "in_top"): "in the top left corner", ("in_right", "in_top"): "in the top right corner",
    ("in_bottom", "in_left"): "in the bottom left corner", ("in_bottom", "in_right"): "in the bottom right corner",
    ("in_left",): "on the left", ("in_right",): "on the right", ("in_top",): "at the top",
    ("in_bottom",): "at the bottom", ("in_center",): "in the center",
}  # fmt: skip
SUPERLATIVES = {
    "larger": "largest", "smaller": "smallest", "left_of": "leftmost", "right_of": "rightmost", "above": "topmost",
    "below": "bottommost", "north_of": "northernmost", "south_of": "southernmost", "east_of": "easternmost",
    "west_of": "westernmost",
}  # fmt: skip
LONG = {"area": "large", "length": "long", "width": "wide"}
LONGER = {"length": ("longer", "shorter"), "width": ("wider", "narrower"), "area": ("larger", "smaller")}


class NeedsLetter(Exception):
    """A variable that cannot be spoken of without a letter."""

    def __init__(self, var: str):
        super().__init__(var)
        self.var = var


class NoShape(Exception):
    """The formula has no shape that this form can say."""


@dataclass(frozen=True)
class Every:
    """Every a is b, and there is one: exists x (a) & forall x (a -> b)."""

    var: str
    restriction: Formula
    body: Formula


@dataclass(frozen=True)
class Share:
    """So many of a are b, and there is one: exists x (a) & denominator * count x (a & b) op numerator * count x (a)."""

    op: str
    share: Fraction
    some: Count  # a & b
    whole: Count  # a


Part = Formula | Every | Share


def natural(formula: Formula, vocabulary: Vocabulary, terse: bool = True) -> str | None:
    """The formula, whose bound names are all different, in the short form; None where there is none.

    terse   "is" once for several things that are said: "is large or near a harbor"
    """
    lettered: set[str] = set()
    while True:
        try:
            return Natural(vocabulary, frozenset(lettered), terse).whole(formula)
        except NeedsLetter as need:
            if need.var in lettered:
                return None
            lettered.add(need.var)
        except NoShape:
            return None


class Natural:
    """One attempt, with letters for these variables."""

    def __init__(self, vocabulary: Vocabulary, lettered: frozenset[str], terse: bool):
        self.terse = terse
        self.vocabulary = vocabulary
        self.lettered = lettered
        self.unused = letters()
        self.names: dict[str, str] = {}
        self.regular = Lettered(vocabulary)

    # --- sentences ---

    def whole(self, formula: Formula) -> str:
        """The text of a query: things where it is about things, sentences else."""
        parts = self.merged(formula.parts if isinstance(formula, And) else (formula,))
        if all(self.is_existence(part) and self.best(part) is None for part in parts):
            return listed([self.existing(part, fragment=True) for part in parts])
        return self.sentence(formula)

    def best(self, part: Part) -> str | None:
        """the largest ship is near a harbor; None where it is not about the largest, or nothing else is said of it"""
        match part:
            case Exists(var, And(parts)):
                merged = self.merged(parts)
                best = next((p for p in merged if isinstance(p, Not) and self.superlative(p, var, merged)), None)
                rest = [p for p in parts if p is not best and not self.before_noun(p, var)]
                if best is None or not rest:
                    return None
                try:
                    noun = self.things(var, conjunction([p for p in parts if p not in rest]), "a", frame=None)
                    return f"{noun} {self.verb(var, conjunction(rest))}"
                except NoShape:
                    return None
        return None

    def is_existence(self, part: Part) -> bool:
        """Whether the part says how many of something there are."""
        match part:
            case Exists() | ExistsCount():
                return True
            case Not(Exists()):
                return True
            case _:
                return False

    def sentence(self, formula: Part) -> str:
        """A sentence."""
        match formula:
            case Every(var, restriction, body):
                noun = self.things(var, restriction, "every", frame=None)
                return f"{noun} {self.verb(var, body)}"
            case Share():
                told = self.share(formula)
                if told is None:
                    raise NoShape
                return told
            case Exists() | ExistsCount() | Not(Exists()):
                return self.existing(formula, fragment=False)
            case ForAll(var, Implies(restriction, body)):
                if var in self.lettered or isinstance(restriction, ForAll):
                    noun = self.things(var, restriction, "for every", frame=None)
                    return f"{noun}, {self.bracket(body)}"
                noun = self.things(var, restriction, "every", frame=None)
                try:
                    return f"{noun}, if any, {self.verb(var, body)}"
                except NoShape:
                    raise NeedsLetter(var) from None
            case ForAll(var, body):
                if var not in self.lettered:
                    raise NeedsLetter(var)
                return f"{self.things(var, Truth(True), 'for every', frame=None)}, {self.bracket(body)}"
            case And(parts):
                merged = self.merged(parts)
                if len(merged) == 1:
                    return self.sentence(merged[0])
                if all(self.is_existence(part) and self.best(part) is None for part in merged):
                    first = self.existing(merged[0], fragment=False)
                    return listed([first, *(self.existing(part, fragment=True) for part in merged[1:])])
                return ", and ".join(self.bracket(part) for part in merged)
            case Or(parts):
                return " or ".join(self.bracket(part) for part in parts)
            case Implies(left, right):
                return f"if {self.bracket(left)}, then {self.bracket(right)}"
            case Iff(left, right):
                return f"{self.bracket(left)} if and only if {self.bracket(right)}"
            case Not(Apply(_, args)) | Apply(_, args):
                return self.atom(formula, args)
            case Not(body):
                return f"it is not true that {self.bracket(body)}"
            case Truth():
                return self.regular.sentence(formula, {})
            case Compare():
                return self.comparison(formula)
        raise NoShape

    def bracket(self, formula: Part) -> str:
        """A sentence as part of another: in brackets where it has parts itself."""
        said = self.sentence(formula)
        if isinstance(formula, And):
            merged = self.merged(formula.parts)
            if len(merged) > 1:
                return f"({said})"
        if isinstance(formula, Or | Implies | Iff | Every | ForAll) or " such that " in said:
            return f"({said})" if not isinstance(formula, Every) or " such that " in said else said
        return said

    def existing(self, formula: Part, fragment: bool) -> str:
        """there is a ship; as a fragment: at least one ship"""
        match formula:
            case Exists() | Not(Exists()) if (told := self.together(formula, fragment)) is not None:
                return told
            case Exists() if not fragment and (told := self.best(formula)) is not None:
                return told
            case Exists(var, body):
                if fragment:
                    return self.things(var, body, "at least one", frame=None)
                return f"there is {self.things(var, body, 'a', frame=None)}"
            case Not(Exists(var, body)):
                said = self.things(var, body, "no", frame=None)
                return said if fragment else f"there is {said}"
            case ExistsCount(op, n, var, body):
                number = NUMBER_WORDS[n] if n < len(NUMBER_WORDS) else str(n)
                said = self.things(var, body, f"{COUNTED[op]} {number}", frame=None, plural=n != 1)
                return said if fragment else f"there {'is' if n == 1 else 'are'} {said}"
        raise NoShape

    def together(self, formula: Exists | Not, fragment: bool) -> str | None:
        """Several different things of one kind, related to each other: three planes in a row."""
        inner = formula if isinstance(formula, Exists) else formula.body
        assert isinstance(inner, Exists)
        found = _several(inner)
        if found is None:
            return None
        names, restriction, rest = found
        told = self.each_other(names, rest)
        if told is None:
            return None
        number = NUMBER_WORDS[len(names)] if len(names) < len(NUMBER_WORDS) else str(len(names))
        determiner = f"no {number}" if isinstance(formula, Not) else f"at least {number}"
        said = self.things(names[0], restriction, determiner, frame=None, plural=True, group=told)
        return said if fragment else f"there are {said}"

    def each_other(self, names: list[str], rest: list[Formula]) -> str | None:
        """What is said of all of them together, or of every two of them; None where it is anything else."""
        match rest:
            case [Apply(name, args)] if name in GROUPS:
                named = {arg.name for arg in args if isinstance(arg, Variable)}
                return GROUPS[name] if named == set(names) else None
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        told: set[str] = set()
        for pair in pairs:
            between = [part for part in rest if free_variables(part) == set(pair)]
            if len(between) != 1:
                return None
            match between[0]:
                case Compare(op, Apply("distance"), Number() as limit) if op in (">=", ">", "<", "<="):
                    told.add(f"{COMPARED[op]} {self.regular.number(limit)} from each other")
                case Apply(name) if name in BINARY and WORDS[name].symmetric:
                    told.add(f"{BINARY[name]} each other")
                case _:
                    return None
        return told.pop() if len(told) == 1 and len(rest) == len(pairs) else None

    def merged(self, parts: Iterable[Formula]) -> list[Part]:
        """The parts, with every exists x (a) beside a forall x (a -> b) made one."""
        left: list[Part] = list(parts)
        for part in [each for each in left if isinstance(each, ForAll)]:
            match part:
                case ForAll(x, Implies(a, b)):
                    witness = next(
                        (p for p in left if isinstance(p, Exists) and same_up_to_bound_names(p, Exists(x, a))), None
                    )
                    if witness is not None:
                        left.remove(witness)
                        left[left.index(part)] = Every(x, a, b)
        for compared in [each for each in left if isinstance(each, Compare)]:
            share = _share_of(compared)
            if share is not None and share.op != ">":
                some = Exists(share.whole.var, share.whole.body)
                witness = next((p for p in left if isinstance(p, Exists) and same_up_to_bound_names(p, some)), None)
                if witness is not None and self.fraction(share.share) is not None:
                    left.remove(witness)
                    left[left.index(compared)] = share
        return left

    def comparison(self, formula: Compare) -> str:
        """Counts, covers and everything else that has two sides."""
        match formula:
            case Compare(">") if (share := _share_of(formula)) and (told := self.share(share)) is not None:
                return told
            case Compare(op, Count() as a, Count() as b):
                return self.counts(op, a, b, "")
            case Compare(op, Count() as a, Arithmetic("*", Number(value, None), Count() as b)) if op != "=":
                if op in (">=", ">") and value == int(value) and value > 1:
                    times = "twice" if value == 2 else f"{int(value)} times"
                    return self.counts(op, a, b, f"{COMPARED[op]} {times} ")
            case Compare(op, Cover(var, body), Number(_, "%") as share) if op != "!=":
                covered = self.things(var, body, "", frame=None, plural=True)
                return f"{_share(op)} {self.regular.number(share)} of the image is covered by {covered}"
        left, right = self.term(formula.left), self.term(formula.right)
        if isinstance(formula.left, Variable) and isinstance(formula.right, Variable):
            return f"{left} is {'not ' if formula.op == '!=' else ''}the same as {right}"
        if isinstance(formula.right, Text) and formula.op == "=":
            return f"{left} is {right}"
        return f"{left} is {COMPARED[formula.op]} {right}"

    def counts(self, op: str, a: Count, b: Count, factor: str) -> str:
        """there are more ships than planes"""
        first = self.things(a.var, a.body, "", frame=None, plural=True)
        second = self.things(b.var, b.body, "", frame=None, plural=True)
        if factor:
            return f"there are {factor}as many {first} as {second}"
        match op:
            case ">":
                return f"there are more {first} than {second}"
            case "<":
                return f"there are fewer {first} than {second}"
            case ">=":
                return f"there are at least as many {first} as {second}"
            case "<=":
                return f"there are at least as many {second} as {first}"
            case "=":
                return f"there are exactly as many {first} as {second}"
        raise NoShape

    def share(self, share: Share) -> str | None:
        """most A are B, at least half of the A are B; None where one of the counts is not of some of the other"""
        a, b = share.some, share.whole
        restriction = rename(b.body, {b.var: a.var}) if b.var != a.var else b.body
        wanted = list(restriction.parts if isinstance(restriction, And) else (restriction,))
        rest = []
        for part in a.body.parts if isinstance(a.body, And) else (a.body,):
            match_ = next((w for w in wanted if canonical(w) == canonical(part)), None)
            if match_ is None:
                rest.append(part)
            else:
                wanted.remove(match_)
        if wanted or not rest or self.fraction(share.share) is None:
            return None
        determiner = f"{_share(share.op)} {self.fraction(share.share)} of the"
        if share.op == ">" and share.share == Fraction(1, 2):
            determiner = "most"
        noun = self.things(a.var, restriction, determiner, frame=None, plural=True)
        return f"{noun} {self.verb(a.var, conjunction(rest), plural=True)}"

    def fraction(self, share: Fraction) -> str | None:
        """half, two thirds, 35 %; None where it has no short name"""
        percent = share * 100
        if share == Fraction(1, 2):
            return "half"
        if share in (Fraction(1, 3), Fraction(2, 3)):
            return "a third" if share.numerator == 1 else "two thirds"
        return f"{percent.numerator} %" if percent.denominator == 1 and 0 < share <= 1 else None

    def term(self, term: Term) -> str:
        """A term that stands by itself."""
        match term:
            case Count(var, body):
                return f"the number of {self.things(var, body, '', frame=None, plural=True)}"
            case Cover(var, body):
                return f"the area covered by {self.things(var, body, '', frame=None, plural=True)}"
            case Arithmetic(op, left, right):
                return f"({self.term(left)} {ARITHMETIC[op]} {self.term(right)})"
            case Variable(name):
                return self.letter(name)
            case Apply():
                return self.regular.term(term, self.lettered_names(term))
            case _:
                return self.regular.term(term, {})

    # --- things ---

    def letter(self, var: str) -> str:
        """The letter of a variable. raises NeedsLetter"""
        if var not in self.names:
            raise NeedsLetter(var)
        return self.names[var]

    def lettered_names(self, node: Formula | Term) -> dict[str, str]:
        """The letters of all variables in it. raises NeedsLetter"""
        return {var: self.letter(var) for var in sorted(free_variables(node))}

    def atom(self, formula: Formula, args: tuple[Term, ...]) -> str:
        """A is near B, between letters"""
        return self.regular.sentence(formula, self.lettered_names(formula))

    def things(
        self, var: str, body: Formula, determiner: str, frame: str | None, plural: bool = False, group: str = ""
    ) -> str:
        """A noun phrase for the variable, with everything that the body says of it."""
        parts = self.merged(body.parts if isinstance(body, And) else (body,))
        parts = [part for part in parts if not (isinstance(part, Truth) and part.value)]
        noun, adjectives, other = "things" if plural else "thing", [], False
        places: list[str] = []
        rest: list[Part] = []
        superlative = ""
        cls = next((p.name for p in parts if isinstance(p, Apply) and self.is_class(p, var)), None)
        for part in parts:
            match part:
                case Apply(name, (Variable(x),)) if x == var and name == cls and noun in ("thing", "things"):
                    noun = self.regular.noun(name, plural) or name
                case Or(choices) if noun in ("thing", "things") and all(self.is_class(c, var) for c in choices):
                    nouns = [self.regular.noun(c.name, plural) or c.name for c in choices if isinstance(c, Apply)]
                    noun = listed(nouns, "or")
                case Apply(name, (Variable(x),)) if x == var and name.startswith("in_"):
                    places.append(name)
                case Compare("!=", Variable(a), Variable(b)) if frame in (a, b) and var in (a, b) and a != b:
                    other = True
                case Apply() | Not() | Compare() if (adjective := self.adjective(part, var)) is not None:
                    adjectives.append(adjective)
                case Not(Exists()) if determiner in ("a", "at least one") and not superlative and cls:
                    found = self.superlative(part, var, parts)
                    if found:
                        superlative = found
                    else:
                        rest.append(part)
                case _:
                    rest.append(part)
        if superlative and other:
            raise NoShape
        letter = ""
        if var in self.lettered:
            self.names[var] = next(self.unused)
            letter = f" {self.names[var]}"
        head = " ".join([*dict.fromkeys(adjectives), noun]) + letter
        if superlative:
            head = f"the {superlative} {head}"
        elif other:
            head = f"another {head}" if determiner in ("a", "at least one") else f"{determiner} other {head}"
        elif determiner == "a":
            head = article(head)
        elif determiner:
            head = f"{determiner} {head}"
        place = self.place(places)
        modifiers = self.modifiers(var, rest, place, plural)
        return " ".join(part for part in (head, group, modifiers) if part)

    def is_class(self, part: Part, var: str) -> bool:
        """ship(x)"""
        match part:
            case Apply(name, (Variable(x),)):
                return x == var and name in self.vocabulary.classes
            case _:
                return False

    def adjective(self, part: Formula, var: str) -> str | None:
        """large, flooded, dry, destroyed; None where it is none of these"""
        match part:
            case Apply("large" | "small" as name, (Variable(x),)) if x == var:
                return name
            case Apply(name, (Variable(x),)) if x == var and name in self.vocabulary.attributes:
                return self.vocabulary.attributes[name].phrase
            case Apply(name, (Variable(x),)) if x == var and name in self.vocabulary.definitions:
                return name.replace("_", " ")
            case Not(Apply(name, (Variable(x),))) if x == var and name in self.vocabulary.attributes:
                opposite = self.vocabulary.attributes[name].opposite
                return opposite[0] if opposite else None
            case Compare("=", Apply(name, (Variable(x),)), Text(value)) if x == var:
                phrases = self.vocabulary.value_phrases()
                words = tuple(value.replace("-", "_").split("_"))
                return " ".join(words) if phrases.get(words) == (name, value) and len(words) == 1 else None
            case _:
                return None

    def superlative(self, part: Formula, var: str, parts: list[Part]) -> str | None:
        """~(exists y (ship(y) & larger(y, x))): largest"""
        match part:
            case Not(Exists(y, And(said))):
                match said[-1]:
                    case Apply(by, (Variable(b), Variable(c))) if by in SUPERLATIVES and b == y and c == var:
                        plain = [p for p in parts if not isinstance(p, Every | Share)]
                        own = {canonical(p) for p in plain if free_variables(p) == {var}}
                        others = {canonical(rename(p, {y: var})) for p in said[:-1]}
                        named = {canonical(p) for p in plain if self.before_noun(p, var)}
                        return SUPERLATIVES[by] if others == named and others <= own else None
        return None

    def before_noun(self, part: Formula, var: str) -> bool:
        """Whether the part is said by the noun or an adjective."""
        if self.is_class(part, var):
            return True
        return isinstance(part, Apply | Not | Compare) and self.adjective(part, var) is not None

    def place(self, names: list[str]) -> str:
        """in the top left corner"""
        if not names:
            return ""
        wanted = tuple(sorted(set(names)))
        if wanted not in PLACES:
            raise NoShape
        return PLACES[wanted]

    def modifiers(self, var: str, parts: list[Part], place: str, plural: bool) -> str:
        """What stands behind the noun."""
        verbs: list[str] = []
        others: list[Part] = []
        for part in parts:
            try:
                verbs.append(self.verb(var, part, plural))
            except NoShape:
                others.append(part)
        said = place
        if len(verbs) == 1 and verbs[0].startswith(("is ", "are ")):
            verb = verbs[0].split(" ", 1)[1]
            link = "that is " if not plural else "that are "
            said += f" {link}{verb}" if verb.startswith("not ") or place or not self.terse else f" {verb}"
        elif verbs:
            said += f" that {self.chained(verbs, 'and')}"
        if others:
            if var not in self.lettered:
                raise NeedsLetter(var)
            inner = conjunction([part for part in others if not isinstance(part, Every | Share)])
            if any(isinstance(part, Every | Share) for part in others):
                raise NoShape
            return f"{said} such that ({self.sentence(inner)})".strip()
        return said.strip()

    # --- verbs ---

    def verb(self, var: str, part: Part, plural: bool = False) -> str:
        """What the part says of the variable, as a verb phrase: is near a harbor. raises NoShape"""
        be = "are" if plural else "is"
        match part:
            case Every(y, restriction, body):
                relation = self.relation(var, y, body)
                if relation is None:
                    raise NoShape
                return self.related(relation, self.things(y, restriction, "every", frame=var), plural)
            case And(parts):
                merged = self.merged(parts)
                places = [p.name for p in merged if isinstance(p, Apply) and self.in_place(p, var)]
                verbs = [f"{be} {self.place(places)}"] if places else []
                verbs += [self.verb(var, p, plural) for p in merged if not self.in_place(p, var)]
                return self.chained(verbs, "and")
            case Or(parts) if all(not isinstance(p, And | Or) for p in parts):
                return self.chained([self.verb(var, p, plural) for p in parts], "or")
            case Apply(name, (Variable(x),)) if x == var:
                if name in UNARY:
                    return f"{be} {UNARY[name]}"
                adjective = self.adjective(part, var)
                if adjective:
                    return f"{be} {adjective}"
                noun = self.regular.noun(name, plural)
                if noun:
                    return f"{be} {noun if plural else article(noun)}"
            case Not(Apply(_, (Variable(x),)) as atom) if x == var:
                adjective = self.adjective(part, var)
                if adjective:
                    return f"{be} {adjective}"
                return f"{be} not {self.verb(var, atom, plural).split(' ', 1)[1]}"
            case Compare("=", Apply(), Text()) if (adjective := self.adjective(part, var)) is not None:
                return f"{be} {adjective}"
            case Exists(y, body) if (told := self.between(var, y, body)) is not None:
                return f"{be} {told}"
            case Exists(y, body) | ExistsCount(_, _, y, body):
                return self.with_object(var, part, y, body, plural)
            case Not(Exists(y, body)):
                return self.without_object(var, y, body, plural)
            case Compare(op, Apply(name, (Variable(x),)), Number(_, unit) as limit) if x == var and name in LONGER:
                if unit is not None and op in (">", "<"):
                    return f"{be} {LONGER[name][0 if op == '>' else 1]} than {self.regular.number(limit)}"
            case Apply(name, (Variable(a), Variable(b))) if var in (a, b) and a != b:
                other = b if a == var else a
                relation = self.relation(var, other, part)
                if relation is not None:
                    return self.related(relation, self.letter(other), plural)
        raise NoShape

    def between(self, var: str, y: str, body: Formula) -> str | None:
        """What stands between: "between a harbor and a bridge", "between two harbors"."""
        parts = body.parts if isinstance(body, And) else (body,)
        match parts[-1]:
            case Exists(z, inner):
                last = inner.parts if isinstance(inner, And) else (inner,)
                match last[-1]:
                    case Apply("between", (Variable(a), Variable(b), Variable(c))) if (a, {b, c}) == (var, {y, z}):
                        first, second = conjunction(parts[:-1]), conjunction(last[:-1])
                        apart = [p for p in last[:-1] if not _differ(p, y, z)]
                        alike = same_up_to_bound_names(Exists(z, conjunction(apart)), Exists(y, first))
                        if alike and len(apart) < len(last) - 1:
                            return f"between {self.things(y, first, 'two', frame=var, plural=True)}"
                        one = self.things(y, first, "a", frame=var)
                        return f"between {one} and {self.things(z, second, 'a', frame=var)}"
        return None

    def chained(self, verbs: list[str], word: str) -> str:
        """The verbs joined: "is large or near a harbor", "is large or is near a harbor"."""
        start = verbs[0].split(" ", 1)[0] + " "
        denied = any(verb.startswith(f"{start}not ") for verb in verbs)  # "is not a and b" would deny both
        if self.terse and start in ("is ", "are ") and not denied and all(verb.startswith(start) for verb in verbs):
            verbs = [verbs[0], *(verb[len(start) :] for verb in verbs[1:])]
        return f" {word} ".join(verbs)

    def in_place(self, part: Part, var: str) -> bool:
        """in_left(x)"""
        match part:
            case Apply(name, (Variable(x),)):
                return x == var and name.startswith("in_")
            case _:
                return False

    def related(self, relation: tuple[str, str, str], thing: str, plural: bool) -> str:
        """is near a harbor, touches a plane"""
        verb, plural_verb, link = relation
        if verb:
            return f"{plural_verb if plural else verb} {thing}"
        return f"{'are' if plural else 'is'} {link} {thing}"

    def relation(self, x: str, y: str, part: Part) -> tuple[str, str, str] | None:
        """How x stands to y by an atom between them: (verb, its plural, "") or ("", "", preposition)."""
        match part:
            case Compare("<=", Apply("distance", args), Number() as limit):
                if {a.name for a in args if isinstance(a, Variable)} == {x, y}:
                    return "", "", f"within {self.regular.number(limit)} of"
            case Compare("<", Apply("distance", args), Number() as limit):
                if {a.name for a in args if isinstance(a, Variable)} == {x, y}:
                    return "", "", f"less than {self.regular.number(limit)} from"
            case Compare(op, left, Apply(name, (Variable(b),))) if name in LONG and op in (">=", ">"):
                match left:
                    case Apply(same, (Variable(a),)) if same == name and (a, b) == (x, y):
                        if op == ">":
                            return "", "", f"{LONGER[name][0]} than"
                        return "", "", f"at least as {LONG[name]} as"
            case Compare((">=" | ">") as op, Apply(name, args), Arithmetic("*", Number(k, None), Apply(same, others))):
                of = (args, others) == ((Variable(x),), (Variable(y),)) and same == name and name in LONG
                if of and k == int(k) and k > 1:
                    times = "twice" if k == 2 else f"{int(k)} times"
                    return "", "", f"{COMPARED[op]} {times} as {LONG[name]} as"
            case Apply("surrounded_by", (Variable(a), Variable(b))) if (a, b) == (y, x):
                return "surrounds", "surround", ""
            case Apply(name, (Variable(a), Variable(b))) if {a, b} == {x, y} and a != b:
                if a == y:
                    word = WORDS.get(name)
                    if word is None or not (word.symmetric or word.inverse):
                        return None
                    name = word.inverse or name
                if name in VERBS:
                    return (*VERBS[name], "")
                if name in BINARY:
                    return "", "", BINARY[name]
                if name in self.vocabulary.links or name in self.vocabulary.definitions:
                    return "", "", relating(name)
        return None

    def with_object(self, var: str, part: Part, y: str, body: Formula, plural: bool) -> str:
        """exists y (harbor(y) & near(x, y)): is near a harbor"""
        relation, rest = self.split(var, y, body)
        match part:
            case ExistsCount(op, n):
                number = NUMBER_WORDS[n] if n < len(NUMBER_WORDS) else str(n)
                thing = self.things(y, rest, f"{COUNTED[op]} {number}", frame=var, plural=n != 1)
            case _:
                thing = self.things(y, rest, "a", frame=var)
        return self.related(relation, thing, plural)

    def without_object(self, var: str, y: str, body: Formula, plural: bool) -> str:
        """~(exists y (harbor(y) & near(x, y))): is not near any harbor"""
        be, no = ("are", "do not") if plural else ("is", "does not")
        parts = list(body.parts) if isinstance(body, And) else [body]
        for part in parts:
            match part:
                case Compare("<" | "<=" as op, Apply("distance", args), Number() as limit):
                    if {a.name for a in args if isinstance(a, Variable)} == {var, y}:
                        rest = conjunction([p for p in parts if p is not part])
                        far = "at least" if op == "<" else "more than"
                        thing = self.things(y, rest, "any", frame=var)
                        return f"{be} {far} {self.regular.number(limit)} away from {thing}"
        (verb, plural_verb, link), rest = self.split(var, y, body)
        thing = self.things(y, rest, "any", frame=var)
        return f"{no} {plural_verb} {thing}" if verb else f"{be} not {link} {thing}"

    def split(self, x: str, y: str, body: Formula) -> tuple[tuple[str, str, str], Formula]:
        """The atom between x and y, and the rest, which speaks of y alone. raises NoShape"""
        parts = list(body.parts) if isinstance(body, And) else [body]
        for part in parts:
            relation = self.relation(x, y, part)
            if relation is not None:
                rest = conjunction([p for p in parts if p is not part])
                return relation, rest
        raise NoShape


def _differ(part: Formula, a: str, b: str) -> bool:
    match part:
        case Compare("!=", Variable(x), Variable(y)):
            return {x, y} == {a, b}
        case _:
            return False


def _several(formula: Exists) -> tuple[list[str], Formula, list[Formula]] | None:
    """Existences nested in each other, of different things of which the same is said: (names, what, the rest)."""
    names, parts = [formula.var], list(formula.body.parts if isinstance(formula.body, And) else (formula.body,))
    while True:
        deeper = next(
            (p for p in parts if isinstance(p, Exists) and any(_says_different(p.body, n, p.var) for n in names)), None
        )
        if deeper is None:
            break
        parts.remove(deeper)
        names.append(deeper.var)
        parts += deeper.body.parts if isinstance(deeper.body, And) else (deeper.body,)
    if len(names) < 2:
        return None
    said = {n: conjunction([p for p in parts if free_variables(p) == {n}]) for n in names}
    first = Exists(names[0], said[names[0]])
    if not all(same_up_to_bound_names(first, Exists(n, said[n])) for n in names):
        return None
    rest = [p for p in parts if len(free_variables(p)) > 1]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    if not all(any(_differ(p, a, b) for p in rest) for a, b in pairs):
        return None
    return names, said[names[0]], [p for p in rest if not any(_differ(p, a, b) for a, b in pairs)]


def _says_different(formula: Formula, a: str, b: str) -> bool:
    match formula:
        case And(parts):
            return any(_says_different(part, a, b) for part in parts)
        case Exists(_, body):
            return _says_different(body, a, b)
        case _:
            return _differ(formula, a, b)


def _share(op: str) -> str:
    return {">=": "at least", ">": "more than", "<": "less than", "<=": "at most", "=": "exactly"}[op]


def _share_of(formula: Compare) -> Share | None:
    """denominator * count x (a & b) op numerator * count x (a), as a share; whether a is in both is not looked at"""

    def factor(term: Term) -> tuple[Fraction, Count] | None:
        match term:
            case Count():
                return Fraction(1), term
            case Arithmetic("*", Number(value, None), Count() as count) if value > 0:
                return Fraction(value), count
            case _:
                return None

    left, right = factor(formula.left), factor(formula.right)
    if left is None or right is None or formula.op == "!=" or left[0] == right[0]:
        return None
    return Share(formula.op, right[0] / left[0], left[1], right[1])

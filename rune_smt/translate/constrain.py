"""The canonical grammar restricted to a vocabulary: what a model may write when its decoding is constrained.

The shape comes from the one grammar, `rune_smt/grammar/canonical.lark`: its operators, quantifiers, signs and brackets
are read from there, alternative by alternative, and one that is not known here is an error. What is added is what a
context-free grammar can say of types:

- Variables are x1, x2, ... by depth, a rule for each number of variables in scope: only bound ones occur, and the
  arguments of a relation are different.
- Names are those of the vocabulary, with their number of arguments.
- Both sides of a comparison have one dimension; entities and texts know = and != (values with an order all signs).
- Everything is bounded: variables in scope, brackets inside brackets, parts of a chain, digits.

So every sentence parses and type-checks. Left out although the language has it, for a translation never needs it:
`true`, `false`, `~~`, division, a product of two lengths, bare numbers beside lengths, areas and angles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations, permutations
from typing import TYPE_CHECKING, TypeAlias, get_args

from ..grammar.dimensions import UNIT_KINDS
from ..grammar.nodes import UNITS, CompareOp
from ..grammar.printer import quoted
from ..grammar.words import WORDS, Word
from .rules import OneOf, Repeat, Rules, Sequence_, Symbol, Use

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary

DIGIT = OneOf("0123456789", "[0-9]")
FIRST_DIGIT = OneOf("123456789", "[1-9]")
LETTER = OneOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-", "[a-zA-Z0-9 _-]")
LONGEST_TEXT = 24  # characters of a text that the vocabulary does not list
MOST_ARGUMENTS = 3  # of a word with a fixed number of arguments, whose arguments are listed in every order

Alternatives: TypeAlias = list[Sequence_]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a formula may get.

    variables   bound at one place: x1 ... x6
    brackets    one inside the other, counted anew inside each quantifier
    parts       of a chain of & | -> <->, counted anew in each bracket
    counts      how deep below other binders `count` and `cover` may stand
    digits      of a whole number; decimals: behind the dot
    """

    variables: int = 6
    brackets: int = 2
    parts: int = 10
    counts: int = 6
    digits: int = 5
    decimals: int = 3


DEFAULT_LIMITS = Limits()
REGEX_LIMITS = Limits(variables=2, brackets=0, counts=0)  # written out in full: about a quarter of a megabyte


@lru_cache(maxsize=16)
def constrained(vocabulary: Vocabulary, limits: Limits = DEFAULT_LIMITS) -> Rules:
    """The rules whose sentences are closed, type-checked formulas over the vocabulary; variables are named by depth."""
    return _Restricted(vocabulary, limits).rules()



class _Restricted:
    """One vocabulary's rules; a rule's name ends with how many variables are in scope."""

    def __init__(self, vocabulary: Vocabulary, limits: Limits):
        self.vocabulary = vocabulary
        self.limits = limits
        self.shape = _shape()
        self.found: dict[str, Alternatives] = {}

    def rules(self) -> Rules:
        limits = self.limits
        wholes: Sequence_ = (FIRST_DIGIT, Repeat((DIGIT,), limits.digits - 1))
        self.found["WHOLE"] = [("0",), wholes]
        fraction: Symbol = Repeat((".", DIGIT, Repeat((DIGIT,), limits.decimals - 1)), 1)
        self.found["NUMBER"] = [("0", fraction), (*wholes, fraction)]
        self.found["TEXT"] = [('"', LETTER, Repeat((LETTER,), LONGEST_TEXT - 1), '"')]
        for scope in reversed(range(limits.variables + 1)):
            self.scope(scope)
        return Rules("body0", _used("body0", _without_empty(self.found)))

    # --- formulas ---

    def scope(self, scope: int) -> None:
        """The rules of formulas in which x1 to x`scope` are bound."""
        self.arguments(scope)
        self.found[f"applied{scope}"] = self.applied(scope)
        self.found[f"compared{scope}"] = self.compared(scope)
        self.found[f"quantified{scope}"] = self.quantified(scope)
        for brackets in range(self.limits.brackets + 1):
            level = f"{scope}" + "b" * brackets
            unary = Use(f"unary{level}")
            self.found[f"unary{level}"] = self.unary(scope, brackets)
            chain: Sequence_ = (unary, Repeat((Use("operator"), unary), self.limits.parts - 1))
            self.found[f"body{level}"] = [chain]
        self.found["operator"] = [(f" {sign} ",) for sign in self.shape.operators]

    def unary(self, scope: int, brackets: int) -> Alternatives:
        """As canonical.lark has it; brackets only where one more is allowed, ~ before them and before applications."""
        inside = Use(f"body{scope}" + "b" * (brackets + 1))
        rule = f"negated{scope}" + "b" * brackets  # what a ~ may stand in front of
        self.found[rule] = []
        made: Alternatives = []
        for alternative in self.shape.unary:
            match alternative:
                case ("NOT", "unary"):
                    made.append((Repeat((self.shape.spelled["NOT"],), 1), Use(rule)))
                case ("quantified",):
                    made.append((Use(f"quantified{scope}"),))
                case ("LPAR", "formula", "RPAR"):
                    if brackets == self.limits.brackets:
                        inside = Use(f"quantified{scope}")  # a quantifier may always be negated
                    self.found[rule].append(("(", inside, ")"))
                case ("apply",):
                    self.found[rule].append((Use(f"applied{scope}"),))
                case ("term", "comparator", "term"):
                    made.append((Use(f"compared{scope}"),))
                case ("TRUE",) | ("FALSE",):
                    pass  # a constant translates nothing
                case _:
                    raise _unknown("unary", alternative)
        return made

    def quantified(self, scope: int) -> Alternatives:
        self.found["quantifier"] = [self.keyword(each) for each in self.shape.quantifiers]
        return [(Use("quantifier"), *self.bound(scope))] if scope < self.limits.variables else []

    def keyword(self, alternative: tuple[str, ...]) -> Sequence_:
        """forall, exists, exists>=N."""
        spelled = self.shape.spelled
        match alternative:
            case (keyword,):
                return (f"{spelled[keyword]} ",)
            case (keyword, sign, "WHOLE"):
                return (f"{spelled[keyword]}{spelled[sign]}", Use("WHOLE"), " ")
            case _:
                raise _unknown("quantifier", alternative)

    def bound(self, scope: int) -> Sequence_:
        """The next variable, and a body in which it may occur."""
        return (f"x{scope + 1} (", Use(f"body{scope + 1}"), ")")

    # --- applications ---

    def arguments(self, scope: int) -> None:
        """Lists of different variables: args2n1 is one of two in scope."""
        names = [f"x{number + 1}" for number in range(scope)]
        for count in range(1, MOST_ARGUMENTS + 1):
            self.found[f"args{scope}n{count}"] = [(", ".join(each),) for each in permutations(names, count)]

    def call(self, name: str, count: int, scope: int) -> Sequence_:
        return (f"{name}(", Use(f"args{scope}n{count}"), ")")

    def applied(self, scope: int) -> Alternatives:
        """Classes, boolean attributes, relations, definitions and links, of variables in scope."""
        v = self.vocabulary
        unary = [*v.classes, *(each.name for each in v.attributes.values() if each.type == "boolean")]
        made = [self.call(name, 1, scope) for name in unary]
        for word in WORDS.values():
            if word.kind == "relation":
                made += self.relation(word, scope)
        named = [(each.name, len(each.params)) for each in v.definitions.values()]
        named += [(each.name, len(each.params)) for each in v.links.values()]
        return made + [self.call(name, count, scope) for name, count in named if count <= MOST_ARGUMENTS]

    def relation(self, word: Word, scope: int) -> Alternatives:
        """A word with as many arguments as it takes; of a variadic one, symmetric in all, each set once."""
        if not word.variadic:
            return [self.call(word.name, word.arity, scope)]
        rule = f"several{scope}n{word.arity}"
        names = [f"x{number + 1}" for number in range(scope)]
        sets = [each for count in range(word.arity, scope + 1) for each in combinations(names, count)]
        self.found[rule] = [(", ".join(each),) for each in sets]
        return [(f"{word.name}(", Use(rule), ")")]

    # --- comparisons ---

    def compared(self, scope: int) -> Alternatives:
        """Entities, texts, and numbers of one dimension."""
        self.found["sign"] = [(f" {sign} ",) for sign in self.shape.signs]
        self.found["same"] = [(f" {sign} ",) for sign in ("=", "!=")]
        made = self.entities(scope) + self.texts(scope)
        for kind in ("length", "area", "angle", "plain"):
            made += self.numbers(kind, scope)
        for keyword in ("COUNT", "COVER"):
            made += self.counts(keyword, scope)
        return made

    def entities(self, scope: int) -> Alternatives:
        names = [f"x{number + 1}" for number in range(scope)]
        return [(one, Use("same"), other) for one, other in permutations(names, 2)]

    def texts(self, scope: int) -> Alternatives:
        """damage(x1) >= "major_damage"; an attribute without listed values knows = and != only."""
        made: Alternatives = []
        for attribute in self.vocabulary.attributes.values():
            if attribute.type != "text":
                continue
            sign = Use("sign" if attribute.ordered else "same")
            listed = f"text_{attribute.name}" if attribute.ordered else "TEXT"
            if attribute.ordered:
                self.found[listed] = [(quoted(value),) for value in attribute.ordered]
            left = self.call(attribute.name, 1, scope)
            made.append((*left, sign, Use(listed)))
            made.append((*left, sign, *left))
        return made

    def numbers(self, kind: str, scope: int) -> Alternatives:
        """Measures and attributes of one dimension, with sums, multiples and amounts in its units."""
        dimension = "none" if kind == "plain" else kind
        words = [word for word in WORDS.values() if word.kind == "function" and word.dimension == dimension]
        values = [self.call(word.name, word.arity, scope) for word in words]
        if kind == "plain":
            numeric = [each.name for each in self.vocabulary.attributes.values() if each.type == "number"]
            values += [self.call(name, 1, scope) for name in numeric]
        self.found[f"{kind}{scope}value"] = values
        return self.two_sides(f"{kind}{scope}", self.amount(kind), share=kind in ("length", "area"))

    def counts(self, keyword: str, scope: int) -> Alternatives:
        """Counts with numbers; covers with areas that have a unit, and with shares of the image."""
        if scope >= min(self.limits.variables, self.limits.counts):
            return []
        if not any("formula" in each and each[0] == keyword for each in self.shape.factors):
            raise _unknown("factor", (keyword,))
        spelled = self.shape.spelled[keyword]
        rule = f"{spelled}{scope}"
        self.found[f"{rule}value"] = [(f"{spelled} ", *self.bound(scope))]
        return self.two_sides(rule, self.amount("plain" if keyword == "COUNT" else "area"), share=keyword == "COVER")

    def two_sides(self, rule: str, amount: str, *, share: bool) -> Alternatives:
        """Comparisons of the values of `rule`: 2 * value, value + amount, value - value, with such a side or an amount.

        share   N % of the image may stand alone on the right
        """
        times: Symbol = Repeat((Use("NUMBER"), " * "), 1)
        self.found["sum"] = [(" + ",), (" - ",)]
        self.found[f"{rule}part"] = [(times, Use(f"{rule}value"))]
        self.found[f"{rule}more"] = [(Use(f"{rule}part"),), (Use(amount),)]
        self.found[f"{rule}side"] = [(Use(f"{rule}part"), Repeat((Use("sum"), Use(f"{rule}more")), 1))]
        self.found[f"{rule}other"] = [(Use(f"{rule}side"),), (Use(amount),)]
        if share:
            self.found["percent"] = [(Use("NUMBER"), " %")]
            self.found[f"{rule}other"].append((Use("percent"),))
        return [(Use(f"{rule}side"), Use("sign"), Use(f"{rule}other"))]

    def amount(self, kind: str) -> str:
        """The rule of an amount of this dimension: NUMBER, or amount_length: 50 m."""
        if kind == "plain":
            return "NUMBER"
        rule = f"amount_{kind}"
        units = [unit for unit in self.shape.units if UNIT_KINDS[unit] == kind]
        self.found[rule] = [(Use("NUMBER"), f" {unit}") for unit in units]
        return rule


# --- the shape, from canonical.lark -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """What canonical.lark says of formulas.

    operators    <-> -> | &, the loosest first
    unary, quantifiers, factors   alternatives as tuples of Lark's names
    signs        = != < <= > >=
    units        px m ...
    spelled      the text of each terminal that has just one
    """

    operators: tuple[str, ...]
    unary: tuple[tuple[str, ...], ...]
    quantifiers: tuple[tuple[str, ...], ...]
    factors: tuple[tuple[str, ...], ...]
    signs: tuple[str, ...]
    units: tuple[str, ...]
    spelled: dict[str, str]


@cache
def _shape() -> Shape:
    from lark.lexer import PatternStr

    from ..grammar.reader import canonical_parser

    parser = canonical_parser()
    patterns = {terminal.name: terminal.pattern for terminal in parser.terminals}
    spelled = {name: pattern.value for name, pattern in patterns.items() if isinstance(pattern, PatternStr)}
    alternatives: dict[str, list[tuple[str, ...]]] = {}
    for rule in parser.rules:
        name = str(rule.origin.name)
        alternatives.setdefault(name, []).append(tuple(str(symbol.name) for symbol in rule.expansion))
    operators: list[str] = []
    level = "formula"
    while level != "unary":  # each level: the next, or left and right of an operator
        below = [each[0] for each in alternatives[level] if len(each) == 1]
        binary = [each for each in alternatives[level] if len(each) == 3 and each[1] in spelled]
        if len(below) != 1 or len(below) + len(binary) != len(alternatives[level]):
            raise _unknown(level, *alternatives[level])
        operators += [spelled[sign] for _, sign, _ in binary]
        level = below[0]
    if alternatives["quantified"] != [("quantifier", "variables", "LPAR", "formula", "RPAR")]:
        raise _unknown("quantified", *alternatives["quantified"])

    def matched(texts: Iterable[str], *terminals: str) -> tuple[str, ...]:
        wanted = [re.compile(patterns[name].to_regexp()) for name in terminals]
        return tuple(text for text in texts if any(pattern.fullmatch(text) for pattern in wanted))

    return Shape(
        tuple(operators),
        tuple(alternatives["unary"]),
        tuple(alternatives["quantifier"]),
        tuple(alternatives["factor"]),
        matched(get_args(CompareOp), *(name for (name,) in alternatives["comparator"])),
        matched(UNITS, "UNIT"),
        spelled,
    )


def _unknown(rule: str, *alternatives: Iterable[str]) -> RuntimeError:
    said = "; ".join(" ".join(each) for each in alternatives)
    return RuntimeError(f"canonical.lark has an alternative of '{rule}' that is not restricted yet: {said}")


# --- tidying ----------------------------------------------------------------------------------------------------------


def _without_empty(rules: dict[str, Alternatives]) -> dict[str, Alternatives]:
    """Without alternatives that derive nothing: near(x1, x2) where one variable is in scope."""
    known: set[str] = set()
    while True:
        more = {name for name, listed in rules.items() if any(_derives(each, known) for each in listed)}
        if more == known:
            break
        known = more
    return {name: [each for each in rules[name] if _derives(each, known)] for name in rules if name in known}


def _derives(sequence: Sequence_, known: set[str]) -> bool:
    return all(not isinstance(symbol, Use) or symbol.rule in known for symbol in sequence)


def _used(start: str, rules: dict[str, Alternatives]) -> dict[str, Alternatives]:
    """Only the rules that the start leads to, in the order in which they are met."""
    order: dict[str, None] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in order:
            order[name] = None
            waiting += reversed([used for each in rules[name] for used in _uses(each)])
    return {name: rules[name] for name in order}


def _uses(sequence: Sequence_) -> Iterable[str]:
    for symbol in sequence:
        if isinstance(symbol, Use):
            yield symbol.rule
        elif isinstance(symbol, Repeat):
            yield from _uses(symbol.part)

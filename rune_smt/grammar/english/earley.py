"""Earley's parser over the rules of a Lark grammar, every reading kept in one shared forest.

Lark compiles the grammar; the chart is made here, on whole numbers, because Lark's own engine is about ten times slower
on a grammar of this size. What keeps the chart small: rules are predicted, and items go on, only where the next word
allows it. Jay Earley, An efficient context-free parsing algorithm, CACM 13 (1970); the forest is that of Elizabeth
Scott, SPPF-style parsing from Earley recognisers, ENTCS 203 (2008). The grammar has no empty rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..kept_parsers import kept


@dataclass(frozen=True, slots=True)
class Rule:
    """One production: `name` is its alias, else its origin; a `transparent` one passes on its only part."""

    origin: str
    expansion: tuple[str, ...]
    name: str
    transparent: bool


@dataclass(eq=False, slots=True)
class Item:
    """The first parts of a rule, read between two words: the ways in which they were."""

    ways: list[tuple[Item | None, Part]]


@dataclass(eq=False, slots=True)
class Symbol:
    """A part of speech between two words, and the rules by which it was read."""

    start: int
    end: int
    made: list[tuple[Rule, Item]] = field(default_factory=list)


MOST_WAYS = 150_000  # ways to read parts of rules, in all: about a second

Part: TypeAlias = "Symbol | tuple[str, int]"  # a word is its kind and its place
_Waiting: TypeAlias = dict[int, list[tuple[int, int, "Item | None"]]]  # symbol -> state, start, item


class Stuck(Exception):
    """The words are no sentence; `at` is the word that no reading can go on with, their number at the end."""

    def __init__(self, at: int):
        super().__init__(at)
        self.at = at


class Overflow(Exception):
    """The forest would have more than MOST_WAYS nodes."""


class Grammar:
    """Rules as numbered states: a rule of n parts has n + 1, one after another."""

    def __init__(self, rules: Sequence[Rule], start: str):
        self.numbers: dict[str, int] = {}  # symbol -> number
        self.names: list[str] = []
        self.rules: dict[int, Rule] = {}  # state in which a rule is complete -> rule
        self.lhs: dict[int, int] = {}  # the same -> the symbol that it makes
        self.expected: list[int] = []  # state -> symbol that comes next, -1 where the rule is complete
        self.begins: dict[int, list[int]] = {}  # symbol -> states before the first part of its rules
        for rule in rules:
            origin = self._number(rule.origin)
            self.begins.setdefault(origin, []).append(len(self.expected))
            self.expected += [self._number(part) for part in rule.expansion]
            self.rules[len(self.expected)] = rule
            self.lhs[len(self.expected)] = origin
            self.expected.append(-1)
        self.start = self.numbers[start]
        self.first = self._first()
        self.possible: dict[AbstractSet[str], tuple[frozenset[int], dict[int, tuple[int, ...]]]] = {}

    def _number(self, symbol: str) -> int:
        if symbol not in self.numbers:
            self.numbers[symbol] = len(self.names)
            self.names.append(symbol)
        return self.numbers[symbol]

    def _first(self) -> dict[int, set[str]]:
        """The kinds of words that each symbol may begin with."""
        first: dict[int, set[str]] = {n: set() for n in self.numbers.values()}
        for name, n in self.numbers.items():
            if n not in self.begins:
                first[n].add(name)
        grown = True
        while grown:
            grown = False
            for origin, states in self.begins.items():
                before = len(first[origin])
                for state in states:
                    first[origin] |= first[self.expected[state]]
                grown = grown or len(first[origin]) > before
        return first

    def _beginning(self, kinds: frozenset[str]) -> tuple[frozenset[int], dict[int, tuple[int, ...]]]:
        """What a word of these kinds may begin: symbols, and for each the states that are tried (filled in later)."""
        known = self.possible.get(kinds)
        if known is None:
            symbols = frozenset(n for n, first in self.first.items() if not kinds.isdisjoint(first))
            known = self.possible[kinds] = (symbols, {})
        return known

    def _predicted(self, symbol: int, can_begin: frozenset[int], known: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
        states = known.get(symbol)
        if states is None:
            states = tuple(state for state in self.begins[symbol] if self.expected[state] in can_begin)
            known[symbol] = states
        return states

    def forest(self, kinds: Sequence[frozenset[str]]) -> Symbol:
        """All readings of words of these kinds. raises Stuck, Overflow"""
        expected, begins, lhs, rules, names = self.expected, self.begins, self.lhs, self.rules, self.names
        columns: list[_Waiting] = []
        ways = 0
        scan: list[tuple[int, int, Item | None]] = []  # items that wait for the word before this column
        for at in range(len(kinds) + 1):
            can_begin, known = self._beginning(kinds[at] if at < len(kinds) else frozenset())
            waiting: _Waiting = {}
            columns.append(waiting)
            items: dict[tuple[int, int], Item] = {}
            symbols: dict[tuple[int, int], Symbol] = {}
            agenda: list[tuple[int, int, Item | None]] = []
            if at == 0:
                agenda += [(state, 0, None) for state in self._predicted(self.start, can_begin, known)]
            for state, start, item in scan:
                after = state + 1
                symbol = expected[after]
                if symbol < 0 or symbol in can_begin:
                    found = items.get((after, start))
                    if found is None:
                        found = items[after, start] = Item([])
                        agenda.append((after, start, found))
                    found.ways.append((item, (names[expected[state]], at - 1)))
            scan = []
            while agenda:
                state, start, item = agenda.pop()
                symbol = expected[state]
                if symbol < 0:
                    assert item is not None
                    origin = lhs[state]
                    made = symbols.get((origin, start))
                    if made is not None:
                        made.made.append((rules[state], item))
                        continue
                    made = symbols[origin, start] = Symbol(start, at, [(rules[state], item)])
                    ways += len(columns[start].get(origin, ()))
                    if ways > MOST_WAYS:
                        raise Overflow
                    for before, began, held in columns[start].get(origin, ()):
                        after = before + 1
                        following = expected[after]
                        if following < 0 or following in can_begin:
                            found = items.get((after, began))
                            if found is None:
                                found = items[after, began] = Item([])
                                agenda.append((after, began, found))
                            found.ways.append((held, made))
                elif symbol in begins:
                    waits = waiting.get(symbol)
                    if waits is None:
                        waiting[symbol] = [(state, start, item)]
                        agenda += [(new, at, None) for new in self._predicted(symbol, can_begin, known)]
                    else:
                        waits.append((state, start, item))
                else:
                    scan.append((state, start, item))
            if not scan and at < len(kinds):
                raise Stuck(at)
        whole = symbols.get((self.start, 0))
        if whole is None:
            raise Stuck(len(kinds))
        return whole


def grammar(text: str, start: str) -> Grammar:
    """The parser of a grammar file (its star and plus are helper rules of their own)."""

    def over(rules: Any) -> Grammar:
        return Grammar([Rule(origin, tuple(parts), name, plain) for origin, parts, name, plain in rules], start)

    return kept(f"earley {start}", text, lambda: _compiled(text, start), over)


def _compiled(text: str, start: str) -> list[tuple[str, list[str], str, bool]]:
    """The rules that Lark makes of a grammar file: the fields of `Rule`."""
    from lark import Lark
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        def __init__(self, conf: object):
            pass

    rules = []
    for rule in Lark(text, parser=None, lexer=NoLexer, start=start).rules:
        origin = str(getattr(rule.origin.name, "value", rule.origin.name))
        transparent = rule.alias is None and rule.options.expand1
        name = origin if origin.startswith("__") else str(rule.alias or origin)
        rules.append((origin, [str(part.name) for part in rule.expansion], name, transparent))
    return rules

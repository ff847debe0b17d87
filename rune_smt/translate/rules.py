"""Rules of a small text language, and the machine that follows a text through them character by character.

The constrained language of `constrain` is kept as these rules. They are printed in the notations of decoders by
`notations`; here they are run: whether a text is a beginning, whether it is a sentence, and how few characters more
make it one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these characters; `pattern` says the same as a regular expression's class: [0-9]."""

    characters: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Use:
    """Whatever the rule of this name derives."""

    rule: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """The part, no times to `most` times."""

    part: Sequence_
    most: int


Symbol: TypeAlias = "str | OneOf | Use | Repeat"  # a str stands for itself
Sequence_: TypeAlias = "tuple[Symbol, ...]"


class Stack:
    """What is still to come: `top` first, then `rest`; `needed` is how few characters that is. Compared by identity."""

    __slots__ = ("needed", "rest", "top")

    def __init__(self, top: Symbol, rest: Stack | None, needed: int):
        self.top = top
        self.rest = rest
        self.needed = needed


State: TypeAlias = frozenset[Stack]
MOST_REMEMBERED = 200_000  # stacks and steps; beyond that they are forgotten and made anew


@dataclass(frozen=True, eq=False)
class Rules:
    """Alternatives by rule name. No rule begins with itself; names in capitals derive no rule's name (tokens)."""

    start: str
    alternatives: Mapping[str, Sequence[Sequence_]]

    # --- lengths ---

    @cached_property
    def _shortest(self) -> dict[str, int]:
        """The fewest characters each rule derives."""
        known: dict[str, int] = {}
        changed = True
        while changed:
            changed = False
            for name, listed in self.alternatives.items():
                lengths = [self._length(sequence, known) for sequence in listed]
                least = min((length for length in lengths if length is not None), default=None)
                if least is not None and least < known.get(name, least + 1):
                    known[name] = least
                    changed = True
        return known

    def _length(self, sequence: Sequence_, known: Mapping[str, int]) -> int | None:
        total = 0
        for symbol in sequence:
            match symbol:
                case str():
                    total += len(symbol)
                case OneOf():
                    total += 1
                case Use(rule):
                    if rule not in known:
                        return None
                    total += known[rule]
                case Repeat():
                    pass
        return total

    # --- running ---

    @cached_property
    def _done(self) -> Stack:
        """Nothing more to come."""
        return Stack("", None, 0)

    @cached_property
    def _stacks(self) -> dict[tuple[Symbol, Stack], Stack]:
        return {}

    @cached_property
    def _steps(self) -> dict[tuple[Stack, str], State]:
        return {}

    @cached_property
    def begin(self) -> State:
        """The state before the first character."""
        return self._opened(self._pushed((Use(self.start),), self._done))

    def after(self, state: State, text: str) -> State:
        """The state after more text; empty where no sentence goes on like that."""
        for character in text:
            found: set[Stack] = set()
            for stack in state:
                top = stack.top
                if (top[:1] == character) if isinstance(top, str) else self._admits(top, character):
                    found |= self._step(stack, character)
            state = frozenset(found)
            if not state:
                break
        return state

    def _admits(self, top: Symbol, character: str) -> bool:
        return isinstance(top, OneOf) and character in top.characters

    def _step(self, stack: Stack, character: str) -> State:
        """The stacks behind a character that this one begins with."""
        known = self._steps.get((stack, character))
        if known is None:
            if len(self._steps) > MOST_REMEMBERED:
                self._steps.clear()
                self._stacks.clear()
            assert stack.rest is not None  # only the finished one has none, and it admits no character
            left = stack.top[1:] if isinstance(stack.top, str) else ""
            known = self._opened(self._pushed((left,), stack.rest) if left else stack.rest)
            self._steps[stack, character] = known
        return known

    def _opened(self, stack: Stack) -> State:
        """The stacks that this one stands for, each with a character to read on top, or done."""
        found: set[Stack] = set()
        waiting = [stack]
        while waiting:
            stack = waiting.pop()
            rest = stack.rest
            if rest is None:
                found.add(stack)
                continue
            match stack.top:
                case str() | OneOf():
                    found.add(stack)
                case Use(rule):
                    waiting += [self._pushed(sequence, rest) for sequence in self.alternatives[rule]]
                case Repeat(part, most):
                    waiting.append(rest)
                    if most:
                        waiting.append(self._pushed((*part, Repeat(part, most - 1)), rest))
        return frozenset(found)

    def _pushed(self, sequence: Sequence_, rest: Stack) -> Stack:
        """The stack with this on top; the same one for the same arguments."""
        for symbol in reversed(sequence):
            key = (symbol, rest)
            found = self._stacks.get(key)
            if found is None:
                needed = rest.needed + (self._length((symbol,), self._shortest) or 0)
                found = self._stacks[key] = Stack(symbol, rest, needed)
            rest = found
        return rest

    def accepts(self, text: str) -> bool:
        """Whether the text is a sentence."""
        return self._done in self.after(self.begin, text)

    def to_end(self, state: State) -> int | None:
        """How few characters more make a sentence; None in the empty state."""
        return min((stack.needed for stack in state), default=None)

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
Stack: TypeAlias = "tuple[Symbol, Stack] | None"  # what is still to come, the next first
State: TypeAlias = frozenset[Stack]


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
    def begin(self) -> State:
        """The state before the first character."""
        return self._opened((Use(self.start), None))

    def after(self, state: State, text: str) -> State:
        """The state after more text; empty where no sentence goes on like that."""
        for character in text:
            found: set[Stack] = set()
            for stack in state:
                if stack is None:
                    continue
                top, rest = stack
                if isinstance(top, str):
                    if top[0] == character:
                        found |= self._opened((top[1:], rest) if len(top) > 1 else rest)
                elif isinstance(top, OneOf) and character in top.characters:
                    found |= self._opened(rest)
            state = frozenset(found)
            if not state:
                break
        return state

    def _opened(self, stack: Stack) -> State:
        """The stacks that this one stands for, each with a character to read on top, or done."""
        found: set[Stack] = set()
        waiting = [stack]
        while waiting:
            stack = waiting.pop()
            if stack is None:
                found.add(stack)
                continue
            top, rest = stack
            match top:
                case str():
                    if top:
                        found.add(stack)
                    else:
                        waiting.append(rest)
                case OneOf():
                    found.add(stack)
                case Use(rule):
                    waiting += [_pushed(sequence, rest) for sequence in self.alternatives[rule]]
                case Repeat(part, most):
                    waiting.append(rest)
                    if most:
                        waiting.append(_pushed(part, (Repeat(part, most - 1), rest)))
        return frozenset(found)

    def accepts(self, text: str) -> bool:
        """Whether the text is a sentence."""
        return None in self.after(self.begin, text)

    def to_end(self, state: State) -> int | None:
        """How few characters more make a sentence; None in the empty state."""
        return min((self._rest_length(stack) for stack in state), default=None)

    def _rest_length(self, stack: Stack) -> int:
        total = 0
        while stack is not None:
            top, stack = stack
            total += self._length((top,), self._shortest) or 0
        return total


def _pushed(sequence: Sequence_, rest: Stack) -> Stack:
    for symbol in reversed(sequence):
        rest = (symbol, rest)
    return rest

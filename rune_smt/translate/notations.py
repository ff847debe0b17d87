"""Constrained rules in the notations that decoders read: llguidance's Lark, GBNF, a regular expression, JSON schema."""

from __future__ import annotations

import json
import re
from typing import Any, assert_never

from ..errors import LimitError
from .rules import OneOf, Repeat, Rules, Sequence_, Symbol, Use

MOST_REGEX = 400_000  # characters: no server takes more


def llguidance_lark(rules: Rules) -> str:
    """The rules as llguidance reads Lark: rules in small letters, tokens in capitals, repetitions {0,n}."""
    lines = ["%llguidance {}", f"start: {_lark_name(rules.start)}"]
    for name, alternatives in rules.alternatives.items():
        texts = [" ".join(_lark(symbol) for symbol in each) for each in alternatives]
        lines.append(f"{_lark_name(name)}: " + "\n  | ".join(texts))
    return "\n".join(lines) + "\n"


def _lark_name(rule: str) -> str:
    return rule.upper() if rule[0].isupper() else rule


def _lark(symbol: Symbol) -> str:
    match symbol:
        case str():
            return json.dumps(symbol)
        case OneOf(_, pattern):
            return f"/{pattern}/"
        case Use(rule):
            return _lark_name(rule)
        case Repeat(part, most):
            return f"({' '.join(_lark(each) for each in part)}){{0,{most}}}"
        case _:
            assert_never(symbol)


def gbnf(rules: Rules) -> str:
    """The rules as llama.cpp and its kin read them."""
    lines = [f"root ::= {_gbnf_name(rules.start)}"]
    for name, alternatives in rules.alternatives.items():
        texts = [" ".join(_gbnf(symbol) for symbol in each) for each in alternatives]
        lines.append(f"{_gbnf_name(name)} ::= " + " | ".join(texts))
    return "\n".join(lines) + "\n"


def _gbnf_name(rule: str) -> str:
    return rule.replace("_", "-").lower()


def _gbnf(symbol: Symbol) -> str:
    match symbol:
        case str():
            return json.dumps(symbol)
        case OneOf(_, pattern):
            return pattern
        case Use(rule):
            return _gbnf_name(rule)
        case Repeat(part, most):
            return f"({' '.join(_gbnf(each) for each in part)}){{0,{most}}}"
        case _:
            assert_never(symbol)


def regex(rules: Rules) -> str:
    """The rules written out as one regular expression; LimitError where that gets too long for any server.

    Rules that lead nowhere back are written out each time they are used, so few variables and brackets are wise: see
    `REGEX_LIMITS` in `constrain`.
    """
    length = _regex_length(rules)
    if length > MOST_REGEX:
        raise LimitError(f"The regular expression has {length:,} characters; at most {MOST_REGEX:,} are written.",
                         hint="Allow fewer variables, brackets or counts.")  # fmt: skip
    return _regex(rules, (Use(rules.start),), {})


def _regex(rules: Rules, sequence: Sequence_, memo: dict[str, str]) -> str:
    texts = []
    for symbol in sequence:
        match symbol:
            case str():
                texts.append(_escaped(symbol))
            case OneOf(_, pattern):
                texts.append(pattern)
            case Use(rule):
                if rule not in memo:
                    listed = [_regex(rules, each, memo) for each in rules.alternatives[rule]]
                    memo[rule] = listed[0] if len(listed) == 1 else f"(?:{'|'.join(listed)})"
                texts.append(memo[rule])
            case Repeat(part, most):
                texts.append(f"(?:{_regex(rules, part, memo)}){{0,{most}}}")
            case _:
                assert_never(symbol)
    return "".join(texts)


def _escaped(text: str) -> str:
    r"""Only what every dialect of regular expressions wants escaped; a blank, ~ or " stays as it is."""
    return re.sub(r"([\\.^$|()\[\]{}*+?])", r"\\\1", text)


def _regex_length(rules: Rules) -> int:
    memo: dict[str, int] = {}

    def of(sequence: Sequence_) -> int:
        total = 0
        for symbol in sequence:
            match symbol:
                case str():
                    total += len(_escaped(symbol))
                case OneOf(_, pattern):
                    total += len(pattern)
                case Use(rule):
                    if rule not in memo:
                        listed = rules.alternatives[rule]
                        memo[rule] = sum(of(each) for each in listed) + (len(listed) + 3 if len(listed) > 1 else 0)
                    total += memo[rule]
                case Repeat(part, most):
                    total += of(part) + 8 + len(str(most))
                case _:
                    assert_never(symbol)
        return total

    return of((Use(rules.start),))


def json_schema(rules: Rules) -> dict[str, Any]:
    """An object with one member, `formula`, whose text the rules derive; LimitError as `regex`."""
    return {
        "type": "object",
        "properties": {"formula": {"type": "string", "pattern": f"^{regex(rules)}$"}},
        "required": ["formula"],
        "additionalProperties": False,
    }

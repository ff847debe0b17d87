"""A model's answer made sure of: read, checked against the vocabulary, asked for again with the error, few times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import QueryError, RuneError, underline
from ..grammar.nodes import Formula
from .extract import CannotSay, formula_in, left_out_in
from .prompt import Message

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary
    from .language_model import LanguageModel
    from .rules import Rules

ROUNDS = 2  # how often an answer is asked for again
REPAIR_TEMPERATURE = 0.4  # at least: a model at 0 mostly says the same again
LONGEST_SHOWN = 400  # characters of an answer in an error


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer, and what was wrong with it; `error` is None for the one that was taken."""

    answer: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What became of one question: the formula, if there is one, and every attempt at it."""

    formula: Formula | None
    attempts: tuple[Attempt, ...]
    left_out: tuple[str, ...] = ()


def ask(
    model: LanguageModel,
    messages: Sequence[Message],
    vocabulary: Vocabulary,
    *,
    rules: Rules | None,
    temperature: float,
    seed: int,
    rounds: int = ROUNDS,
) -> Sample:
    """One formula from the model, with at most `rounds` requests to put right what was wrong.

    rules   what the answer must derive from, where the model can be held to it
    raises  CannotSay where the model says so; whatever the model raises when it cannot be reached
    """
    attempts: list[Attempt] = []
    turns = tuple(messages)
    for number in range(rounds + 1):
        warmth = max(temperature, REPAIR_TEMPERATURE) if number else temperature
        answer = model.answer(turns, rules=rules, temperature=warmth, seed=seed + number)
        try:
            if answer.cut:
                raise QueryError("The answer was cut off before its end.", hint="Answer with the formula alone.")
            formula = formula_in(answer.text, vocabulary)
        except CannotSay:
            raise
        except RuneError as error:
            attempts.append(Attempt(answer.text, str(error)))
            turns = (*messages, *repair_request(answer.text, error))
            continue
        return Sample(formula, (*attempts, Attempt(answer.text, None)), left_out_in(answer.text))
    return Sample(None, tuple(attempts))


def repair_request(answer: str, error: RuneError) -> tuple[Message, ...]:
    """The turns that show a model its answer and what is wrong with it: the matter, the place and the way out."""
    lines = [error.message]
    if error.text is not None and error.span is not None:
        lines += underline(error.text, error.span)
        start, end = error.span
        piece = error.text[start:end]
        if piece.strip():
            lines.append(f"The place is '{piece}', from character {start + 1}.")
    if error.hint:
        lines.append(error.hint)
    lines.append("Write the whole formula again, put right, on one line and nothing else.")
    given = answer if answer.strip() else "(nothing)"
    return Message("assistant", given[:LONGEST_SHOWN]), Message("user", "\n".join(lines))


def failed(samples: Sequence[Sample], name: str) -> QueryError:
    """The error that shows every attempt."""
    attempts = [attempt for sample in samples for attempt in sample.attempts]
    parts = [f"The language model {name} gave no formula in {len(attempts)} attempt{'s'[: len(attempts) != 1]}."]
    for number, attempt in enumerate(attempts, 1):
        shown = attempt.answer.strip() or "(empty)"
        if len(shown) > LONGEST_SHOWN:
            shown = shown[:LONGEST_SHOWN] + " ..."
        parts.append(f"{number}. {_indented(shown)}\n   {_indented(attempt.error or '')}")
    return QueryError("\n".join(parts), hint="Say it in other words, or ask without a model: --with english.")


def _indented(text: str) -> str:
    return text.replace("\n", "\n   ")

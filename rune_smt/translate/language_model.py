"""English to formula with any language model: prompt, constrained answer where it can be had, check, repair, vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..errors import QueryError
from .agreement import grouped, telling_scene
from .constrain import Limits, constrained
from .extract import CannotSay
from .prompt import Message, prompt
from .repair import ROUNDS, Sample, ask, failed

if TYPE_CHECKING:
    from ..grammar.vocabulary import Vocabulary
    from .rules import Rules
    from .translator import Translation

TEMPERATURE = 0.7  # of samples after the first, which is the model's likeliest answer
MOST_SAMPLES = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote; `cut` where it stopped at a limit and not by itself."""

    text: str
    cut: bool = False


class LanguageModel(Protocol):
    """Whatever answers a conversation.

    name    for people: the model, not the program behind it
    limits  how large the formulas are that its decoding can be held to; None where it cannot be held to a grammar
    """

    @property
    def name(self) -> str:
        """For people."""

    @property
    def limits(self) -> Limits | None:
        """For `constrained`."""

    def answer(self, messages: Sequence[Message], /, *, rules: Rules | None, temperature: float, seed: int) -> Answer:
        """One answer; the same one for the same arguments at temperature 0.

        raises  QueryError, LimitError: the model cannot be had, with the reason
        """
        ...


@dataclass(frozen=True, eq=False)
class ModelTranslator:
    """A Translator that asks a language model.

    samples  how many answers are asked for; they are grouped by what they mean, and the largest group wins
    rounds   how often a wrong answer is asked for again
    """

    model: LanguageModel
    samples: int = 1
    rounds: int = ROUNDS

    def __post_init__(self) -> None:
        if not 1 <= self.samples <= MOST_SAMPLES:
            raise QueryError(f"--samples is a whole number from 1 to {MOST_SAMPLES}, got {self.samples}.")

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    def prompt(self, text: str, vocabulary: Vocabulary, *, lenient: bool = False) -> tuple[Message, ...]:
        """What the model is told of this query."""
        return prompt(text, vocabulary, lenient=lenient, constrained=self.model.limits is not None)

    def __call__(self, text: str, vocabulary: Vocabulary, /, *, lenient: bool = False) -> Translation:
        """The formula that most samples mean, with their share.

        raises  QueryError with every attempt where no sample gave a formula, or where the model cannot be had
        """
        from .translator import Candidate, Translation

        messages = self.prompt(text, vocabulary, lenient=lenient)
        limits = self.model.limits
        rules = None if limits is None else constrained(vocabulary, limits)
        samples: list[Sample] = []
        refusal: CannotSay | None = None
        for number in range(self.samples):
            try:
                sample = ask(
                    self.model, messages, vocabulary, rules=rules, temperature=TEMPERATURE if number else 0.0,
                    seed=number * (self.rounds + 1), rounds=self.rounds,
                )  # fmt: skip
            except CannotSay as error:
                refusal = error
            else:
                samples.append(sample)
        formulas = [sample.formula for sample in samples if sample.formula is not None]
        if not formulas:
            if refusal is not None:
                raise refusal
            raise failed(samples, self.name)
        groups = grouped(formulas, vocabulary)
        telling = telling_scene(groups[0].formula, groups[1].formula, vocabulary) if len(groups) > 1 else None
        return Translation(
            groups[0].formula,
            _left_out(groups[0].formula, samples, text, vocabulary) if lenient else (),
            tuple(Candidate(group.formula, group.votes) for group in groups),
            agreement=groups[0].votes / self.samples,
            telling_scene=telling,
            unusable=sum(attempt.error is not None for sample in samples for attempt in sample.attempts),
        )


def _left_out(formula: object, samples: Sequence[Sample], text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """What the model listed; else the words that neither vocabulary nor conventions know, whatever it made of them."""
    for sample in samples:
        if sample.formula == formula and sample.left_out:
            return sample.left_out
    from ..grammar.english.lexicon import lexicon

    words = lexicon(vocabulary).words(text)
    return tuple(dict.fromkeys(text[slice(*word.span)] for word in words if "UNKNOWN" in word.kinds))

"""Language models on this machine, through transformers: a folder, a name that is in the cache, or a .gguf file.

Decoding is held to the constrained rules by llguidance: a token that leads out of them cannot be chosen. The rules
bound every part of a formula, but a formula of the largest size would be longer than any answer should be; so near the
end of the answer only those tokens are left from which the formula can still be finished in time. Whatever the weights
are, the answer is a whole formula that type-checks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtra, QueryError
from .constrain import DEFAULT_LIMITS, Limits
from .language_model import Answer
from .notations import llguidance_lark
from .prompt import Message

if TYPE_CHECKING:
    from .rules import Rules, State

MOST_TOKENS = 600  # of an answer
SLACK = 120  # characters: far more than one token can add to what is still needed to finish


class LocalModel:
    """A causal language model and its tokenizer.

    model      a transformers model; its device is used as it is
    tokenizer  a fast tokenizer; its chat template is used if it has one
    name       for people
    """

    def __init__(self, model: Any, tokenizer: Any, name: str, *, most_tokens: int = MOST_TOKENS):
        self.model = model
        self.tokenizer = tokenizer
        self.name = name
        self.most_tokens = most_tokens
        self.limits: Limits | None = DEFAULT_LIMITS
        self._tokens = _token_table(tokenizer, int(model.config.vocab_size))

    def answer(self, messages: Sequence[Message], /, *, rules: Rules | None, temperature: float, seed: int) -> Answer:
        """One answer; greedy at temperature 0, else drawn with this seed."""
        import torch
        from transformers import GenerationConfig

        prompt = self._encoded(messages)
        held = None if rules is None else Held(rules, self._tokens, prompt.shape[1], self.most_tokens)
        end = int(self._tokens.eos_token)
        settings = GenerationConfig(
            max_new_tokens=self.most_tokens,
            do_sample=temperature > 0,
            temperature=temperature if temperature > 0 else None,
            top_k=0 if temperature > 0 else None,
            eos_token_id=end,
            pad_token_id=end,
        )
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(seed)
            made = self.model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                generation_config=settings,
                logits_processor=[] if held is None else [held],
            )
        tokens = [int(token) for token in made[0][prompt.shape[1] :]]
        ended = end in tokens
        text = self._tokens.decode_bytes([token for token in tokens if token != end]).decode("utf-8", "replace")
        return Answer(text, cut=not ended and not (rules is not None and rules.accepts(text)))

    def _encoded(self, messages: Sequence[Message]) -> Any:
        """The conversation as token ids, shape (1, n)."""
        if getattr(self.tokenizer, "chat_template", None):
            turns = [{"role": message.role, "content": message.content} for message in messages]
            text = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
            encoded = self.tokenizer(text, return_tensors="pt", add_special_tokens=False)
        else:  # a model that only goes on with a text
            parts = [f"Formula: {each.content}" if each.role == "assistant" else each.content for each in messages]
            encoded = self.tokenizer("\n".join(parts) + "\nFormula: ", return_tensors="pt")
        return encoded["input_ids"].to(self.model.device)


class Held:
    """A logits processor: leaves only tokens after which the answer is still the beginning of a sentence of the rules.

    rules, tokens    what to hold to, and llguidance's table of tokens
    start            how many tokens the prompt has
    most_tokens      how long the answer may be; the sentence is finished within it
    """

    def __init__(self, rules: Rules, tokens: Any, start: int, most_tokens: int):
        from llguidance import LLMatcher

        self.rules = rules
        self.tokens = tokens
        self.read = start
        self.end = start + most_tokens
        self.state: State = rules.begin
        self.matcher = LLMatcher(tokens, LLMatcher.grammar_from_lark(llguidance_lark(rules)))
        _sound(self.matcher)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores, shape (1, vocabulary), with minus infinity for every token that is not allowed."""
        import numpy as np
        import torch

        for token in input_ids[0, self.read :].tolist():
            self.matcher.consume_token(token)
            if token != self.tokens.eos_token:
                self.state = self.rules.after(self.state, self._text(token))
        self.read = input_ids.shape[1]
        bits = np.unpackbits(np.frombuffer(self.matcher.compute_bitmask(), np.uint8), bitorder="little")
        _sound(self.matcher)
        allowed = torch.from_numpy(bits[: scores.shape[1]].astype(bool)).to(scores.device)
        scores = scores.float().masked_fill(~allowed, float("-inf"))
        left = self.end - self.read
        if (self.rules.to_end(self.state) or 0) + SLACK >= left:
            self._finish_within(left - 1, scores)
        return scores

    def _finish_within(self, left: int, scores: Any) -> None:
        """Forbids tokens after which more than `left` characters are needed; a character is one token at worst."""
        allowed = (scores[0] > float("-inf")).nonzero().flatten().tolist()
        late = []
        for token in allowed:
            if token == self.tokens.eos_token:
                continue
            needed = self.rules.to_end(self.rules.after(self.state, self._text(token)))
            if needed is None or needed > left:
                late.append(token)
        if len(late) < len(allowed):
            scores[0, late] = float("-inf")

    def _text(self, token: int) -> str:
        return str(self.tokens.decode_bytes([token]).decode("utf-8", "replace"))


def _sound(matcher: Any) -> None:
    if matcher.is_error():
        raise RuntimeError(f"llguidance: {matcher.get_error()}")


def _token_table(tokenizer: Any, size: int) -> Any:
    try:
        from llguidance.hf import from_tokenizer
    except ImportError:
        raise _missing("llguidance") from None
    return from_tokenizer(tokenizer, n_vocab=size)


@lru_cache(maxsize=1)
def local_model(model: str | None = None) -> LocalModel:
    """The model of this name, loaded from this machine: nothing is fetched unless the name is one of a hub.

    model   a folder in transformers' format, a .gguf file, or a name; RUNE_SMT_MODEL where none is given
    raises  MissingExtra; QueryError where there is no such model or it cannot be read
    """
    name = model or os.environ.get("RUNE_SMT_MODEL")
    if not name:
        raise QueryError("No model is named.", hint="Give --model: a folder, a .gguf file or a name.")
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise _missing(error.name or "transformers") from None
    if not sys.stderr.isatty():
        from transformers.utils import logging

        logging.disable_progress_bar()
    path = Path(name)
    where, options = (str(path.parent), {"gguf_file": path.name}) if path.suffix == ".gguf" else (name, {})
    if path.suffix == ".gguf" and not path.is_file():
        raise QueryError(f"No such file: {name}.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, **options)
        loaded = AutoModelForCausalLM.from_pretrained(where, dtype=torch.float32, **options)
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise QueryError(f"The model {name} cannot be loaded: {reason}") from error
    return LocalModel(loaded.eval(), tokenizer, path.stem if path.exists() else name)


def _missing(package: str) -> MissingExtra:
    return MissingExtra(f"{package} is not installed.", hint="pip install 'rune-smt[transformers]'")

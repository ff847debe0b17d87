"""Any server that speaks OpenAI's chat completions: OpenAI, llama.cpp, vLLM, Ollama, and many more.

Only the prompt goes there: the query's text and the vocabulary. Base URL, model and key come from options or from the
environment: RUNE_SMT_BASE_URL or OPENAI_BASE_URL, RUNE_SMT_MODEL, RUNE_SMT_API_KEY or OPENAI_API_KEY; RUNE_SMT_TIMEOUT
is in seconds. RUNE_SMT_CONSTRAIN says how answers are held to the grammar:

auto       the `grammar` field (GBNF, as llama.cpp reads it) on any server that is not OpenAI's own; left out from
           then on if the server refuses it
gbnf, llguidance, json, regex   in this form: `grammar` with GBNF or llguidance's Lark, `response_format` with a JSON
           schema, `guided_regex` as vLLM reads it
none       not at all: answers are checked and asked for again
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from time import sleep
from typing import TYPE_CHECKING, Any

from ..errors import LimitError, MissingExtra, QueryError
from .constrain import DEFAULT_LIMITS, REGEX_LIMITS, Limits
from .language_model import Answer
from .prompt import Message

if TYPE_CHECKING:
    from openai import OpenAI

    from .rules import Rules

TIMEOUT_S = 120.0
RETRIES = 2  # after "too many requests" or a failure of the server's own
LONGEST_WAIT_S = 20.0
MOST_TOKENS = 1000  # of an answer: several times the longest formula that a query of a person needs
OPENAI_HOST = "api.openai.com"
WAYS = ("auto", "gbnf", "llguidance", "json", "regex", "none")


class ServerError(QueryError):
    """The server is not there, refuses, or answers with something else than its API says."""


class OpenAiServer:
    """A model behind an OpenAI-compatible server.

    model     its name; where none is given and the server has one model only, that
    base_url  http://127.0.0.1:8080/v1; OpenAI's own where none is given
    key       sent as the server wants it; a server of one's own mostly asks for none
    constrain one of WAYS
    raises    MissingExtra, QueryError (no key, no model, a server that refuses), LimitError (no answer in time)
    """

    def __init__(
        self,
        model: str | None = None,
        base_url: str | None = None,
        *,
        key: str | None = None,
        timeout_s: float | None = None,
        constrain: str | None = None,
    ):
        environment = os.environ.get
        self.base_url = base_url or environment("RUNE_SMT_BASE_URL") or environment("OPENAI_BASE_URL")
        self._key = key or environment("RUNE_SMT_API_KEY") or environment("OPENAI_API_KEY")
        self.timeout_s = timeout_s if timeout_s is not None else _seconds(environment("RUNE_SMT_TIMEOUT"))
        way = constrain or environment("RUNE_SMT_CONSTRAIN") or "auto"
        if way not in WAYS:
            raise QueryError(f"No way to constrain answers is called '{way}'.", hint=f"There is: {', '.join(WAYS)}.")
        if not self._key and not self.base_url:
            raise QueryError(
                "No language model server is named.",
                hint="Give --base-url, or set OPENAI_API_KEY for OpenAI's own.",
            )
        own = self.base_url is None or OPENAI_HOST in self.base_url
        self._guess = way == "auto"
        self._way = ("none" if own else "gbnf") if way == "auto" else way
        self._client = _client(self.base_url, self._key or "none", self.timeout_s)
        self.name = model or environment("RUNE_SMT_MODEL") or self._only_model()

    @property
    def limits(self) -> Limits | None:
        """What is written out in full has to be small."""
        return {"none": None, "json": REGEX_LIMITS, "regex": REGEX_LIMITS}.get(self._way, DEFAULT_LIMITS)

    def answer(self, messages: Sequence[Message], /, *, rules: Rules | None, temperature: float, seed: int) -> Answer:
        """One completion."""
        from openai import BadRequestError, UnprocessableEntityError

        request: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": temperature,
            "seed": seed,
            "max_tokens": MOST_TOKENS,
        }
        extra = {} if rules is None else _held(rules, self._way)
        try:
            completion = self._asked(lambda: self._client.chat.completions.create(**request, **extra))
        except ServerError as error:
            if not (extra and self._guess and isinstance(error.__cause__, BadRequestError | UnprocessableEntityError)):
                raise
            self._way = "none"  # the server does not know grammars: what it answers is checked and repaired instead
            completion = self._asked(lambda: self._client.chat.completions.create(**request))
        return self._answer(completion)

    def _answer(self, completion: Any) -> Answer:
        try:
            choice = completion.choices[0]
            content = choice.message.content
            cut = choice.finish_reason == "length"
        except (AttributeError, IndexError, TypeError):
            raise ServerError(
                f"{self._where} answered, but not with a chat completion.",
                hint="Does the base URL end with the path of the API, such as /v1?",
            ) from None
        if content is not None and not isinstance(content, str):
            raise ServerError(f"{self._where} answered with something that is no text.")
        return Answer(content or "", cut)

    def _only_model(self) -> str:
        """The server's one model."""
        if self.base_url is None or OPENAI_HOST in self.base_url:
            raise QueryError("No model is named.", hint="Give --model, or set RUNE_SMT_MODEL.")
        listed = self._asked(lambda: self._client.models.list())
        names = [str(getattr(model, "id", "")) for model in getattr(listed, "data", None) or ()]
        if len(names) == 1 and names[0]:
            return names[0]
        known = f"It has: {', '.join(names[:10])}." if names else "It lists none."
        raise QueryError(f"No model is named, and {self._where} has not just one.", hint=f"Give --model. {known}")

    # --- what may go wrong ---

    @property
    def _where(self) -> str:
        return self.base_url or f"https://{OPENAI_HOST}/v1"

    def _asked(self, call: Callable[[], Any]) -> Any:
        """The call's result, or an error that says what is the matter with the server."""
        import openai

        try:
            for number in range(RETRIES):
                try:
                    return call()
                except (openai.RateLimitError, openai.InternalServerError) as error:
                    sleep(_wait(error.response.headers.get("retry-after"), number))
            return call()
        except openai.APITimeoutError as error:
            raise LimitError(
                f"{self._where} gave no answer within {self.timeout_s:g} s.",
                hint="RUNE_SMT_TIMEOUT sets how many seconds to wait.",
            ) from error
        except openai.APIStatusError as error:
            raise ServerError(*self._refusal(error.status_code, error.message)) from error
        except openai.APIResponseValidationError as error:
            raise ServerError(f"{self._where} answered with something that is no JSON of the API.") from error
        except openai.APIConnectionError as error:
            reason = self._without_key(str(error.__cause__ or error))
            raise ServerError(
                f"No language model answers at {self._where}: {reason}",
                hint="Is the server running, and is --base-url right?",
            ) from error
        except openai.OpenAIError as error:
            raise ServerError(f"{self._where}: {self._without_key(str(error))}") from error
        except ValueError as error:  # the body is no JSON
            raise ServerError(f"{self._where} answered with something that is no JSON: {error}") from error

    def _refusal(self, status: int, said: str) -> tuple[str]:
        reason = {401: "the key is missing or wrong", 403: "the key may not do this", 404: "no such model or address",
                  429: "too many requests, or no credit left"}.get(status)  # fmt: skip
        shown = self._without_key(" ".join(said.split()))[:300]
        return (f"{self._where} refused with HTTP status {status}{f' ({reason})' if reason else ''}: {shown}",)

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


@lru_cache(maxsize=8)
def _written(rules: Rules, way: str) -> Any:
    from . import notations

    return {
        "gbnf": notations.gbnf, "llguidance": notations.llguidance_lark, "json": notations.json_schema,
        "regex": notations.regex,
    }[way](rules)  # fmt: skip


def _held(rules: Rules, way: str) -> dict[str, Any]:
    """The arguments that hold an answer to the rules."""
    match way:
        case "gbnf" | "llguidance":
            return {"extra_body": {"grammar": _written(rules, way)}}
        case "json":
            schema = {"name": "formula", "strict": True, "schema": _written(rules, way)}
            return {"response_format": {"type": "json_schema", "json_schema": schema}}
        case "regex":
            return {"extra_body": {"guided_regex": _written(rules, way)}}
        case _:
            return {}


def _client(base_url: str | None, key: str, timeout_s: float) -> OpenAI:
    try:
        from openai import OpenAI
    except ImportError:
        raise MissingExtra("openai is not installed.", hint="pip install 'rune-smt[openai]'") from None
    return OpenAI(api_key=key, base_url=base_url, timeout=timeout_s, max_retries=0)


def _wait(asked: str | None, number: int) -> float:
    """Seconds: what the server asks for, else 1, 4."""
    try:
        return min(max(float(asked or ""), 0.0), LONGEST_WAIT_S)
    except ValueError:
        return float(4**number)


def _seconds(text: str | None) -> float:
    if not text:
        return TIMEOUT_S
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise QueryError(f"RUNE_SMT_TIMEOUT is a number of seconds, got '{text}'.")
    return seconds

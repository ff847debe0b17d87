"""A real language model behind a server on 127.0.0.1: small and often wrong, so it is asked for form, not for truth."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

import rune_smt as rune
from rune_smt.errors import LimitError
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.translate.constrain import constrained
from rune_smt.translate.language_model import ModelTranslator
from rune_smt.translate.openai_server import OpenAiServer
from rune_smt.translate.prompt import prompt
from tests.shared import shared

pytest.importorskip("openai", reason="openai is not installed")

DOTA = load_vocabulary("dota-v1.5")
SECONDS = 1500  # the server stops by itself
START_S = 600  # the first start fetches the model
QUERIES = ("ships near a harbor", "no plane is inside a roundabout")


@pytest.fixture(scope="module")
def url():
    """The base URL of a server that runs as long as the tests of this file."""
    program = shared("tools", "local-llm")
    fetched = subprocess.run([sys.executable, program, "--fetch-only"], capture_output=True, text=True, timeout=START_S)
    if fetched.returncode:
        pytest.skip(f"no local model: {fetched.stderr.strip().splitlines()[-1:]}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    server = subprocess.Popen(
        [sys.executable, program, "--port", str(port), "--seconds", str(SECONDS)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True,
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(120):
            if server.poll() is not None:
                pytest.skip(f"the local model ended with status {server.returncode}")
            try:
                with urllib.request.urlopen(f"{base}/models", timeout=5) as answer:
                    json.load(answer)
                break
            except (urllib.error.URLError, OSError, ValueError):
                time.sleep(0.5)
        else:
            pytest.skip("the local model did not start within a minute")
        yield base
    finally:
        os.killpg(server.pid, 15)
        server.wait(10)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setenv("RUNE_SMT_TIMEOUT", "400")


def in_time(call, *arguments, **options):
    """The call's result; skips where this machine is too slow for the model."""
    try:
        return call(*arguments, **options)
    except LimitError as error:
        pytest.skip(f"the model is too slow here: {error.message}")


@pytest.mark.parametrize("way", ["gbnf", "llguidance"])
def test_held_to_the_grammar_the_first_answer_is_a_formula(url, way):
    server = OpenAiServer(base_url=url, constrain=way)
    rules = constrained(DOTA, server.limits)
    for query in QUERIES:
        asked = prompt(query, DOTA, constrained=True)
        answer = in_time(server.answer, asked, rules=rules, temperature=0.0, seed=0)
        assert not answer.cut
        assert rules.accepts(answer.text)
        check(read(answer.text), DOTA, answer.text)


def test_a_simple_query_is_right(url):
    query = in_time(rune.translate, "ships near a harbor", translator="openai", base_url=url)
    assert str(query) == "exists x1 (ship(x1) & exists x2 (harbor(x2) & near(x1, x2)))"


def test_without_a_grammar_answers_are_checked_all_the_same(url):
    translator = ModelTranslator(OpenAiServer(base_url=url, constrain="none"), rounds=1)
    try:
        translation = in_time(translator, QUERIES[0], DOTA)
    except rune.QueryError as error:
        assert "1. " in str(error)
    else:
        check(translation.formula, DOTA)


def test_samples_are_grouped(url):
    query = in_time(rune.translate, QUERIES[1], translator="openai", base_url=url, samples=3)
    assert sum(candidate.votes for candidate in query.candidates) == 3
    assert query.agreement == max(candidate.votes for candidate in query.candidates) / 3

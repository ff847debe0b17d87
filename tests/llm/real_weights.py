"""A real model's weights in this process, from a .gguf file: what it answers is a formula all the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rune_smt.grammar.dimensions import check
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.translate.language_model import ModelTranslator
from tests.shared import shared

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("gguf", reason="gguf is not installed")

DOTA = load_vocabulary("dota-v1.5")
FETCH_S = 600
NEEDED_GB = 6  # half a billion weights as float32, and again while they are read


def available_gb():
    """Memory that can be had without swapping; infinite where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return float("inf")
    return next((int(line.split()[1]) / 2**20 for line in lines if line.startswith("MemAvailable:")), float("inf"))


@pytest.fixture(scope="module")
def model():
    """The model that the local server runs, loaded with transformers."""
    from rune_smt.translate.local_transformers import local_model

    program = shared("tools", "local-llm")
    free_gb = available_gb()
    if free_gb < NEEDED_GB:
        pytest.skip(f"{free_gb:.1f} GB of memory are free and {NEEDED_GB} GB are needed")
    fetched = subprocess.run([sys.executable, program, "--fetch-only"], capture_output=True, text=True, timeout=FETCH_S)
    if fetched.returncode:
        pytest.skip(f"no local model: {fetched.stderr.strip().splitlines()[-1:]}")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "local-llm"
    weights = sorted(cache.glob("*.gguf"))
    if not weights:
        pytest.skip(f"no .gguf file in {cache}")
    return local_model(str(weights[0]))


def test_real_weights_held_to_the_grammar_write_a_query(model):
    translation = ModelTranslator(model)("ships near a harbor", DOTA)
    assert translation.unusable == 0
    assert check(translation.formula, DOTA) == translation.formula


def test_real_weights_left_free_are_checked(model):
    """Without the grammar the same weights may write anything; what is taken is a query, what is not is shown."""
    from rune_smt.errors import QueryError
    from rune_smt.translate.prompt import prompt
    from rune_smt.translate.repair import ask, failed

    sample = ask(model, prompt("ships near a harbor", DOTA), DOTA, rules=None, temperature=0.0, seed=0, rounds=1)
    if sample.formula is None:
        assert len(sample.attempts) == 2
        assert all(attempt.error for attempt in sample.attempts)
        assert isinstance(failed([sample], model.name), QueryError)
    else:
        check(read(sample.attempts[-1].answer), DOTA)

"""The prompt: every word of the vocabulary, examples that are right, nothing of the user's but the query."""

import pytest

from rune_smt.grammar.dimensions import check
from rune_smt.grammar.english import read_english
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import VOCABULARIES, Vocabulary, load_vocabulary
from rune_smt.grammar.words import WORDS
from rune_smt.translate.agreement import mean_the_same
from rune_smt.translate.constrain import constrained
from rune_smt.translate.prompt import PROMPT_VERSION, chosen, examples, prompt, shown

DOTA = load_vocabulary("dota-v1.5")


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_example_is_right(name):
    """Its formula is one that decoding allows, and means what the conventions of English say of its text."""
    vocabulary = load_vocabulary(name)
    known = examples(vocabulary)
    assert len(known) >= 30
    for example in known:
        assert constrained(vocabulary).accepts(example.formula), example
        formula = check(read(example.formula), vocabulary)
        by_convention = read_english(example.english, vocabulary).formula
        assert mean_the_same(formula, by_convention, vocabulary), example


@pytest.mark.parametrize("name", VOCABULARIES)
def test_the_prompt_has_every_word(name):
    vocabulary = load_vocabulary(name)
    system = prompt("ships", vocabulary)[0].content
    for word in (*vocabulary.classes, *vocabulary.attributes, *vocabulary.definitions, *vocabulary.links, *WORDS):
        assert f"\n{word}(" in system, word


def test_turns_alternate_and_end_with_the_query():
    messages = prompt("two ships near a harbor", DOTA)
    assert [each.role for each in messages] == ["system", *["user", "assistant"] * 6, "user"]
    assert messages[-1].content == "Query: two ships near a harbor"


def test_queries_share_the_long_part():
    assert prompt("two ships", DOTA)[0] == prompt("no plane", DOTA)[0]


@pytest.mark.parametrize(
    "text, part",
    [
        ("most planes are near a helicopter", "2 * count"),
        ("planes cover 5 % of the image", "cover x1"),
        ("every ship is in a harbor", "forall"),
        ("planes in a row", "aligned"),
        ("a ship within 30 m of a bridge", "distance"),
        ("the largest ship", "larger(x2, x1)"),
    ],
)
def test_examples_are_like_the_query(text, part):
    assert any(part in example.formula for example in chosen(text, DOTA))


def test_it_says_what_to_do_with_unknown_things():
    assert "CANNOT:" in prompt("x", DOTA)[0].content
    assert "LEFT OUT:" in prompt("x", DOTA, lenient=True)[0].content
    assert "CANNOT:" not in prompt("x", DOTA, constrained=True)[0].content


def test_a_vocabulary_without_classes_has_a_prompt():
    assert len(prompt("anything", Vocabulary("empty"))) == 2


def test_shown_for_people():
    said = shown(prompt("ships", DOTA))
    assert said.startswith(f"prompt version {PROMPT_VERSION}\n--- system ---\n")
    assert said.endswith("--- user ---\nQuery: ships")

"""The formula in an answer: prose, fences, lead-ins, several lines, JSON; and refusals that say why."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.errors import QueryError, RuneError
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.testing.formulas import formulas
from rune_smt.translate.extract import CannotSay, formula_in, left_out_in

DOTA = load_vocabulary("dota-v1.5")
GOLD = "exists x1 (ship(x1) & exists x2 (harbor(x2) & near(x1, x2)))"


@pytest.mark.parametrize(
    "answer",
    [
        GOLD,
        f"  {GOLD}.\n\n",
        f"```\n{GOLD}\n```",
        f"```fol\n{GOLD}\n```",
        f"Here is the formula:\n\n```text\n{GOLD}\n```\nIt says that a ship is near a harbor.",
        f"FOL: {GOLD}",
        f"Formula: {GOLD}",
        f"**Formula:** {GOLD}",
        f"The formula is: {GOLD}",
        f"Answer:\n{GOLD}",
        f"Sure! Here is what you asked for.\nFormula: {GOLD}\nLet me know if you need more.",
        f"Sure!\n{GOLD}\nThis reads: there is a ship and a harbor near it.",
        f"The formula `{GOLD}` says it.",
        f"The answer is {GOLD}",
        f"A ship near a harbor is {GOLD}, as asked.",
        f"<think>The user wants exists x1 (plane(x1)).</think>\n{GOLD}",
        f"{GOLD}\n{GOLD}",
        f"Formula: {GOLD}\n\nOr with signs: ∃x (Ship(x) ∧ ∃y (Harbor(y) ∧ Near(x, y)))",
        json.dumps({"formula": GOLD}),
        "∃x (Ship(x) ∧ ∃y (Harbor(y) ∧ Near(x, y)))",
        "$\\exists x (ship(x) \\land \\exists y (harbor(y) \\land near(x, y)))$",
        "exists x1 (\n  ship(x1) &\n  exists x2 (\n    harbor(x2) & near(x1, x2)\n  )\n)",
        "Formula:\nexists x1 (ship(x1) &\n  exists x2 (harbor(x2) & near(x1, x2)))\nDone",
        "exists x (boat(x) & exists y (port(y) & next_to(x, y)))",  # synonyms and aliases
    ],
)
def test_the_formula_is_found(answer):
    assert canonical(formula_in(answer, DOTA)) == GOLD


@pytest.mark.parametrize(
    "answer, formula",
    [
        ("It is count x (ship(x)) >= 3.", "count x1 (ship(x1)) >= 3"),
        ("So: cover x1 (ship(x1)) >= 10 %", "cover x1 (ship(x1)) >= 10 %"),
        ("The formula would be ~(exists x (ship(x))) I think", "~(exists x1 (ship(x1)))"),
    ],
)
def test_what_stands_behind_the_last_bracket_belongs_to_it(answer, formula):
    assert canonical(formula_in(answer, DOTA)) == formula


@pytest.mark.parametrize(
    "answer, message",
    [
        ("", "The answer is empty."),
        (" \n\t", "The answer is empty."),
        ("<think>I wonder", "The answer is empty."),
        ("I am sorry, but I cannot do this.", "The answer holds no formula."),
        ("exists x1 (shp(x1))", "No class or attribute 'shp' in vocabulary dota-v1.5."),
        ("FOL: exists x1 (shp(x1))", "No class or attribute 'shp' in vocabulary dota-v1.5."),
        ("```\nexists x1 (ship(x1))\n```\nor\n```\nexists x1 (plane(x1))\n```", "The answer holds different formulas."),
        ("1. exists x1 (ship(x1))\n2. exists x1 (plane(x1))", "The answer holds different formulas."),
        ("Formula: exists x1 (ship(x1))\nFormula: exists x1 (plane(x1))", "The answer holds different formulas."),
        ("x" * 60_000, "The answer has 60,000 characters; at most 50,000 are read."),
    ],
)
def test_what_is_no_answer_says_why(answer, message):
    with pytest.raises(QueryError) as caught:
        formula_in(answer, DOTA)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "answer",
    [
        "exists x1 (ship(x1) & near(x1, x2))",  # x2 is free
        "exists x1 (ship(x1) & exists x2 (harbor(x2) & near(x1",  # half
        "exists x1 (ship(x1)) & area(x1) > 5 m",
        "ship(harbor)",
        "SELECT * FROM ships WHERE near(ship, harbor)",
        "(((((",
        '{"formula": 5} (',
        "exists x1 (ship(x1)) exists x1 (plane(x1))",
    ],
)
def test_nothing_wrong_is_taken(answer):
    with pytest.raises(QueryError):
        formula_in(answer, DOTA)


def test_the_model_may_say_that_it_cannot():
    with pytest.raises(CannotSay) as caught:
        formula_in("CANNOT: helipad.", DOTA)
    assert caught.value.thing == "helipad"


@pytest.mark.parametrize(
    "answer, words",
    [
        (f"{GOLD}\nLEFT OUT: blue, parked", ("blue", "parked")),
        (f"{GOLD}\nLeft out: none", ()),
        (f"```\n{GOLD}\n```\n- LEFT OUT: `in this area`.", ("in this area",)),
        (GOLD, ()),
    ],
)
def test_what_was_left_out_is_no_part_of_the_formula(answer, words):
    assert left_out_in(answer) == words
    assert canonical(formula_in(answer, DOTA)) == GOLD


@settings(max_examples=60)
@given(formula=formulas(DOTA, max_depth=3), frame=st.sampled_from(["{}", "FOL: {}", "```\n{}\n```", "Well.\n{}\nYes."]))
def test_any_formula_is_found_in_any_frame(formula, frame):
    text = canonical(formula)
    assert canonical(formula_in(frame.format(text), DOTA)) == text


@settings(max_examples=150)
@given(text=st.text(max_size=80) | st.text("exists x1(ship)&~|->`\n:{}\" ", max_size=80))
def test_any_text_is_a_formula_or_a_refusal(text):
    try:
        formula_in(text, DOTA)
    except RuneError as error:
        assert error.message

"""Every case of the specification in grammar/, and the messages that are taught by example."""

from pathlib import Path

import pytest

from rune_smt.grammar.mistakes import MISTAKES, taught
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import infix_parser, parse_report, read

SPECIFICATION = Path(__file__).resolve().parents[1] / "grammar"


def cases(name):
    lines = (SPECIFICATION / name).read_text(encoding="utf-8").splitlines()
    return [
        tuple(field.replace("⏎", "\n") for field in line.split("\t"))
        for line in lines
        if line and not line.startswith("## ")
    ]


@pytest.mark.parametrize(("text", "expected"), cases("dialects.tsv"))
def test_a_spelling_has_its_canonical_text(text, expected):
    assert canonical(read(text)) == expected
    assert canonical(read(expected)) == expected


@pytest.mark.parametrize(("text", "expected"), cases("open.tsv"))
def test_a_spelling_has_its_canonical_text_with_open_vocabulary(text, expected):
    assert canonical(read(text, open_vocabulary=True)) == expected
    assert canonical(read(expected, open_vocabulary=True)) == expected


@pytest.mark.parametrize(("text", "line", "column", "message", "hint"), cases("refused.tsv"))
def test_what_is_refused_has_its_place_message_and_hint(text, line, column, message, hint):
    report = parse_report(text)
    assert not report["ok"]
    error = report["error"]
    assert (error["line"], error["column"]) == (int(line), int(column))
    assert (error["message"], error["hint"] or "-") == (message, hint)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "```\n```", "\u200b"])
def test_an_empty_text_holds_no_formula(text):
    assert parse_report(text)["error"]["message"] == "There is no formula here."


def test_no_place_is_taught_two_messages():
    lessons = {}
    for place, mistake in taught(infix_parser()):
        assert lessons.setdefault(place, mistake) == mistake, place


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.message)
def test_every_example_gets_the_message_it_stands_beside(mistake):
    for example in mistake.examples:
        start, _, end = mistake.message.partition("{}")
        message = parse_report(example)["error"]["message"]
        if "{}" in mistake.message and "{x" not in mistake.message:
            assert message.startswith(start) and message.endswith(end), example
        else:
            assert message == mistake.message, example


def test_an_error_shows_the_place_and_the_way_out():
    with pytest.raises(Exception, match="free here") as caught:
        read("∃x (Ship(x)) ∧ Near(x, x)")
    assert str(caught.value) == (
        "The variable 'x' is free here: its quantifier ends before.\n"
        "  ∃x (Ship(x)) ∧ Near(x, x)\n"
        "                      ^\n"
        "If it should reach this far: exists x (ship(x) & near(x, x))"
    )


def test_an_ambiguous_text_is_refused_with_both_readings():
    with pytest.raises(Exception, match="ambiguous") as caught:
        read("? [X] : ship(X) & ? [Y] : plane(Y)")
    assert caught.value.hint == (
        "Either exists x1 (ship(x1) & exists x2 (plane(x2)))\nor     exists x1 (ship(x1)) & exists x2 (plane(x2))"
    )

"""Parsers that are kept on disk read as those made in the process, and what is damaged is made anew."""

import json

import pytest

from rune_smt.grammar import kept_parsers
from rune_smt.grammar.english.earley import grammar
from rune_smt.grammar.kept_parsers import VARIABLE, lalr_parser

SUMS = """
start: NUMBER ("+" NUMBER)*
NUMBER: /[0-9]+/
%ignore " "
"""
SPOKEN = """
start: thing (AND thing)*
thing: NOUN -> plain | ADJ thing -> said
%declare NOUN ADJ AND
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where this test keeps parsers."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def values(parser, text):
    return [str(child) for child in parser.parse(text).children]


def test_a_kept_parser_reads_like_the_one_that_was_made(folder):
    made = lalr_parser(SUMS, lexer="contextual")
    (file,) = folder.iterdir()
    before = file.stat().st_mtime_ns
    kept = lalr_parser(SUMS, lexer="contextual")
    assert values(made, "1 + 23+4") == values(kept, "1 + 23+4") == ["1", "23", "4"]
    assert file.stat().st_mtime_ns == before
    assert lalr_parser(SUMS.replace('"+"', '"-"'), lexer="contextual").parse("1 - 2")
    assert len(list(folder.iterdir())) == 2


def test_kept_rules_make_the_same_forest(folder):
    words = [frozenset({"ADJ"}), frozenset({"NOUN"}), frozenset({"AND"}), frozenset({"NOUN"})]
    trees = [grammar(SPOKEN, "start").forest(words) for _ in range(2)]
    assert [(tree.start, tree.end, [rule for rule, _ in tree.made]) for tree in trees] == [
        (0, 4, [rule for rule, _ in trees[0].made])
    ] * 2
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:200] + b"x" + whole[201:],
        lambda whole: b"",
        lambda whole: b"\xff\n\xff",
        lambda whole: kept_parsers.sha256(b'{"data": 1}').hexdigest().encode() + b'\n{"data": 1}',
    ],
    ids=["cut short", "one byte", "empty", "no text", "of another hand"],
)
def test_a_damaged_one_is_made_anew(folder, damage):
    lalr_parser(SUMS, lexer="contextual")
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert values(lalr_parser(SUMS, lexer="contextual"), "1+2") == ["1", "2"]
    checksum, text = file.read_bytes().split(b"\n", 1)
    assert checksum.decode() == kept_parsers.sha256(text).hexdigest()
    assert json.loads(text)["data"]["parser"]


def test_nothing_is_kept_where_nothing_may_be(folder, monkeypatch):
    folder.write_text("a file stands where the folder should be")
    assert values(lalr_parser(SUMS, lexer="contextual"), "1+2") == ["1", "2"]
    monkeypatch.setenv(VARIABLE, "")
    assert kept_parsers.folder() is None
    assert values(lalr_parser(SUMS, lexer="contextual"), "1+2") == ["1", "2"]

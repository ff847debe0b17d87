"""The words of section 4 as data: that they are all there, and that what they say of each other agrees."""

import pytest

from rune_smt.grammar.dimensions import check
from rune_smt.grammar.nodes import RESERVED
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.grammar.suggestions import nearest, nearest_sentence
from rune_smt.grammar.vocabulary import Vocabulary
from rune_smt.grammar.words import ALIASES, FUNCTIONS, RELATIONS, WORDS, laws


def test_every_word_is_there() -> None:
    relations = (
        "near far touches overlaps inside contains left_of right_of above below larger smaller parallel perpendicular "
        "between aligned clustered surrounded_by north_of south_of east_of west_of at_border same_class in_left "
        "in_right in_top in_bottom in_center large small"
    )
    functions = "area length width distance center_distance angle score"
    numeric = "near far touches inside contains parallel perpendicular large small"
    assert set(RELATIONS) == set(relations.split())
    assert set(FUNCTIONS) == set(functions.split())
    assert {name for name, word in WORDS.items() if word.numeric} == set(numeric.split())
    assert not set(WORDS) & set(RESERVED)


def test_aliases_name_relations_and_are_no_words() -> None:
    assert set(ALIASES.values()) <= set(RELATIONS)
    assert not set(ALIASES) & (set(WORDS) | set(RESERVED))
    assert ALIASES["next_to"] == "near"
    assert ALIASES["is_on"] == "inside"
    assert ALIASES["to_the_left_of"] == ALIASES["is_left_of"] == "left_of"
    assert ALIASES["is_above"] == "above"
    assert ALIASES["greater_than"] == ALIASES["bigger"] == "larger"


def test_what_words_need() -> None:
    needs = {name: word.needs for name, word in WORDS.items() if word.needs}
    positions = ("at_border", "in_left", "in_right", "in_top", "in_bottom", "in_center")
    directions = ("north_of", "south_of", "east_of", "west_of")
    assert needs == {
        **dict.fromkeys(positions, "image size"),
        **dict.fromkeys(directions, "transform"),
        "angle": "direction",
    }


@pytest.mark.parametrize("name", WORDS)
def test_a_word_agrees_with_the_words_it_mentions(name: str) -> None:
    word = WORDS[name]
    assert (word.kind == "relation") == (word.dimension == "truth")
    if word.inverse:
        assert WORDS[word.inverse].inverse == name
    for other in word.excludes:
        assert name in WORDS[other].excludes or name in WORDS[other].complement
    for other in (*word.implies, *word.excludes, *word.complement):
        assert WORDS[other].arity == word.arity
    assert word.gloss and word.phrase
    if word.variadic:
        assert "{...}" in word.phrase
    else:
        assert all(f"{{{i}}}" in word.phrase for i in range(word.arity))


@pytest.mark.parametrize("name", RELATIONS)
@pytest.mark.parametrize("more", [0, 1])
def test_laws_are_canonical_formulas_of_the_language(name: str, more: int) -> None:
    word = RELATIONS[name]
    for law in laws(name, word.arity + (more if word.variadic else 0)):
        formula = read(law)
        assert canonical(check(formula, Vocabulary("none"))) == law


def test_laws_say_what_the_table_says() -> None:
    assert laws("touches") == (
        "forall x1 (forall x2 (touches(x1, x2) -> x1 != x2))",
        "forall x1 (forall x2 (touches(x1, x2) -> touches(x2, x1)))",
        "forall x1 (forall x2 (touches(x1, x2) -> near(x1, x2)))",
    )
    assert "forall x1 (forall x2 (inside(x1, x2) <-> contains(x2, x1)))" in laws("inside")
    assert "forall x1 (forall x2 (forall x3 (above(x1, x2) & above(x2, x3) -> above(x1, x3))))" in laws("above")
    assert "forall x1 (forall x2 (forall x3 (between(x1, x2, x3) -> between(x1, x3, x2))))" in laws("between")
    assert "forall x1 (forall x2 (clustered(x1, x2) <-> near(x1, x2)))" in laws("clustered")
    assert not any("<->" in law for law in laws("clustered", 3))
    assert laws("at_border") == ()
    assert laws("in_center")[-1] == (
        "forall x1 (in_center(x1) <-> ~in_left(x1) & ~in_right(x1) & ~in_top(x1) & ~in_bottom(x1))"
    )
    assert not any("inside(x2, x3)" in law for law in laws("inside"))  # not transitive


def test_nearest_names() -> None:
    known = ("ship", "harbor", "helicopter", "small_vehicle", "large_vehicle")
    assert nearest("shp", known) == ("ship",)
    assert nearest("Small-Vehicel", known) == ("small_vehicle",)
    assert nearest("helipads", known) == ("helicopter",)
    assert nearest("zzz", known) == ()
    assert nearest("ship", ()) == ()
    assert nearest("x" * 5000, ("y" * 5000, "ship")) == ()
    assert nearest_sentence("vehicle", known) == "Nearest: large_vehicle, small_vehicle."
    assert nearest_sentence("zzz", known) == ""

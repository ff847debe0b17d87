"""Formulas to English: short where they can be, and always read back to the same meaning."""

import pytest
from hypothesis import HealthCheck, given, settings

from rune_smt.grammar.english import read_english
from rune_smt.grammar.english.lettered import Lettered
from rune_smt.grammar.english.sameness import same_meaning
from rune_smt.grammar.printer import canonical_names
from rune_smt.grammar.reader import read
from rune_smt.grammar.verbalise import verbalise
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.testing.formulas import formulas
from tests.abstract_models import telling_model

DOTA, FLOOD = load_vocabulary("dota-v1.5"), load_vocabulary("flood")
quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))

SHORT = [
    ("exists x (ship(x) & ~(exists y (harbor(y) & near(x, y))))", "at least one ship that is not near any harbor"),
    ("exists>=2 x (plane(x) & in_top(x) & in_left(x)) & ~(exists x (ship(x)))",
     "at least two planes in the top left corner and no ship"),
    ("exists x (ship(x)) & forall x (ship(x) -> exists y (harbor(y) & near(x, y)))", "every ship is near a harbor"),
    ("forall x (ship(x) -> exists y (harbor(y) & near(x, y)))", "every ship, if any, is near a harbor"),
    ("count x (ship(x)) > count y (plane(y))", "there are more ships than planes"),
    ("2 * count x (ship(x) & large(x)) > count x (ship(x))", "most ships are large"),
    ("exists=1 x (roundabout(x) & in_center(x))", "exactly one roundabout in the center"),
    ("exists x (ship(x) & ~(exists y (harbor(y) & distance(x, y) < 50 m)))",
     "at least one ship at least 50 m away from any harbor"),
    ("cover x (ship(x)) >= 20 %", "at least 20 % of the image is covered by ships"),
    ("exists x (ship(x) & exists y (ship(y) & x != y & near(x, y)))", "at least two ships near each other"),
    ("exists x (ship(x) & ~(exists y (ship(y) & larger(y, x))) & exists y (harbor(y) & near(x, y)))",
     "the largest ship is near a harbor"),
    ("exists x (ship(x)) & 2 * count x (ship(x) & large(x)) >= count x (ship(x))",
     "at least half of the ships are large"),
    ("5 * count x (ship(x) & large(x)) > 3 * count x (ship(x))", "more than 60 % of the ships are large"),
    ("exists x (ship(x)) -> ~(exists y (plane(y)))", "if there is a ship, then there is no plane"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "text"), SHORT, ids=[text for _, text in SHORT])
def test_short_forms(formula, text):
    assert verbalise(read(formula), DOTA) == text


@quick
@given(formula=formulas(DOTA, max_depth=4, definitions=True))
def test_what_is_said_reads_back_to_the_same_meaning(formula):
    back = read_english(verbalise(formula, DOTA), DOTA).formula
    assert telling_model(formula, back) is None


@quick
@given(formula=formulas(FLOOD, max_depth=4, definitions=True))
def test_the_regular_form_says_every_formula(formula):
    named = canonical_names(formula)
    back = read_english(Lettered(FLOOD).said(named), FLOOD).formula
    assert telling_model(named, back, 12) is None


@settings(max_examples=80, deadline=None)
@given(first=formulas(FLOOD, max_depth=4), second=formulas(FLOOD, max_depth=3))
def test_formulas_seen_to_be_the_same_are_the_same(first, second):
    if same_meaning(first, second):
        assert telling_model(first, second) is None


@quick
@given(formula=formulas(DOTA, max_depth=4))
def test_verbalising_is_deterministic_and_blind_to_names(formula):
    assert verbalise(formula, DOTA) == verbalise(canonical_names(formula), DOTA)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("exists x (vehicle(x) & exists y (road(y) & cut_off_from(x, y)))", "at least one vehicle cut off from a road"),
        ("exists x (road(x) & exists y (bridge(y) & connected(x, y)))", "at least one road connected to a bridge"),
    ],
)
def test_definitions_of_two_bring_their_preposition_or_get_one(formula, text):
    assert verbalise(read(formula), FLOOD) == text

"""The development set, the conventions of LANGUAGE section 8, and what is refused."""

import csv
from collections import defaultdict
from itertools import permutations
from pathlib import Path
from random import Random

import pytest

from rune_smt.errors import LimitError, QueryError
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.english import looks_like_formula, read_english
from rune_smt.grammar.english.lexicon import lexicon
from rune_smt.grammar.english.readings import rules as english_rules
from rune_smt.grammar.english.sameness import same_meaning
from rune_smt.grammar.nodes import And, Or
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import Vocabulary, load_vocabulary
from tests.abstract_models import telling_model

PARAPHRASES = Path(__file__).parent.parent / "grammar" / "paraphrases.tsv"
DEVELOPMENT = Path(__file__).parent.parent / "grammar" / "english.tsv"
DOTA = load_vocabulary("dota-v1.5")


def rows():
    with DEVELOPMENT.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def right(row):
    try:
        formula = read_english(row["english"], load_vocabulary(row["vocabulary"])).formula
    except QueryError:
        return False
    wanted = read(row["formula"])
    return same_meaning(formula, wanted) or telling_model(formula, wanted, 12) is None


def test_the_development_set_is_read_right():
    read_rows = rows()
    wrong = [row["english"] for row in read_rows if not right(row)]
    assert len(read_rows) >= 330
    assert len(wrong) <= 0.05 * len(read_rows), wrong


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["english"])
def test_every_gold_formula_is_canonical_and_well_typed(row):
    formula = read(row["formula"])
    assert canonical(formula) == row["formula"]
    check(formula, load_vocabulary(row["vocabulary"]))


SHIP_NEAR_HARBOR = "exists y (harbor(y) & near(x, y))"

CONVENTIONS = [
    ("ships", "exists x (ship(x))"),
    ("a pair of ships", "exists>=2 x (ship(x))"),
    ("more than 4 ships", "exists>=5 x (ship(x))"),
    ("less than 4 ships", "exists<=3 x (ship(x))"),
    ("only three ships", "exists=3 x (ship(x))"),
    ("between 2 and 4 ships", "exists>=2 x (ship(x)) & exists<=4 x (ship(x))"),
    ("several ships", "exists>=3 x (ship(x))"),
    ("a few ships", "exists>=3 x (ship(x))"),
    ("lots of ships", "exists>=10 x (ship(x))"),
    ("a dozen ships", "exists>=12 x (ship(x))"),
    ("without ships", "~(exists x (ship(x)))"),
    ("an image free of ships", "~(exists x (ship(x)))"),
    ("all ships are near a harbor", f"exists x (ship(x)) & forall x (ship(x) -> {SHIP_NEAR_HARBOR})"),
    ("not all ships are near a harbor", f"exists x (ship(x) & ~({SHIP_NEAR_HARBOR}))"),
    ("if all ships are near a harbor, then there is a plane",
     f"forall x (ship(x) -> {SHIP_NEAR_HARBOR}) -> exists x (plane(x))"),
    ("no harbor is near all ships", "exists x (ship(x)) & ~(exists y (harbor(y) & forall x (ship(x) -> near(y, x))))"),
    ("any ship is near a harbor", f"exists x (ship(x)) & forall x (ship(x) -> {SHIP_NEAR_HARBOR})"),
    ("are there any ships?", "exists x (ship(x))"),
    ("most ships are large", "2 * count x (ship(x) & large(x)) > count x (ship(x))"),
    ("half of the ships are large",
     "exists x (ship(x)) & 2 * count x (ship(x) & large(x)) >= count x (ship(x))"),
    ("20 % of the image is covered by ships", "cover x (ship(x)) >= 20 %"),
    ("ships at least 50 m away from a harbor", "exists x (ship(x) & ~(exists y (harbor(y) & distance(x, y) < 50 m)))"),
    ("ships 50 m or more from any harbor", "exists x (ship(x) & ~(exists y (harbor(y) & distance(x, y) < 50 m)))"),
    ("more ships than planes", "count x (ship(x)) > count x (plane(x))"),
    ("as many ships as planes", "count x (ship(x)) >= count x (plane(x))"),
    ("twice as many ships as planes", "count x (ship(x)) >= 2 * count x (plane(x))"),
    ("a harbor with a ship near it", "exists x (harbor(x) & exists y (ship(y) & near(y, x)))"),
    ("three ships near the same harbor", "exists y (harbor(y) & exists>=3 x (ship(x) & near(x, y)))"),
    ("three ships near a harbor", f"exists>=3 x (ship(x) & {SHIP_NEAR_HARBOR})"),
    ("two ships near each other", "exists x (ship(x) & exists y (ship(y) & x != y & near(x, y)))"),
    ("two parallel ships", "exists x (ship(x) & exists y (ship(y) & x != y & parallel(x, y)))"),
    ("ships within 50 m of a harbor", "exists x (ship(x) & exists y (harbor(y) & distance(x, y) <= 50 m))"),
    ("a ship in the top left corner", "exists x (ship(x) & in_top(x) & in_left(x))"),
    ("a ship larger than a plane", "exists x (ship(x) & exists y (plane(y) & larger(x, y)))"),
    ("a ship twice as large as a plane", "exists x (ship(x) & exists y (plane(y) & area(x) >= 2 * area(y)))"),
    ("the leftmost ship is large", "exists x (ship(x) & ~(exists y (ship(y) & left_of(y, x))) & large(x))"),
    ("a ship near another ship", "exists x (ship(x) & exists y (ship(y) & y != x & near(x, y)))"),
    ("either ships or planes but not both",
     "(exists x (ship(x)) | exists x (plane(x))) & ~(exists x (ship(x)) & exists x (plane(x)))"),
    ("neither ships nor planes", "~(exists x (ship(x))) & ~(exists x (plane(x)))"),
    ("large tanks next to small ones",
     "exists x (storage_tank(x) & large(x) & exists y (storage_tank(y) & small(y) & near(x, y)))"),
    ("every ship, if any, is near a harbor", f"forall x (ship(x) -> {SHIP_NEAR_HARBOR})"),
    ("all but one of the ships are near a harbor", f"exists=1 x (ship(x) & ~({SHIP_NEAR_HARBOR}))"),
    ("only ships are near a harbor", f"forall x ({SHIP_NEAR_HARBOR} -> ship(x))"),
    ("two parallel ships near the same harbor",
     "exists h (harbor(h) & exists x (ship(x) & near(x, h) & "
     "exists y (ship(y) & near(y, h) & x != y & parallel(x, y))))"),
    ("a ship adjacent to a harbor or to a bridge",
     f"exists x (ship(x) & ({SHIP_NEAR_HARBOR} | exists y (bridge(y) & near(x, y))))"),
    ("no tennis court without a swimming pool near it",
     "~(exists x (tennis_court(x) & ~(exists y (swimming_pool(y) & near(y, x)))))"),
    ("a bridge on which there are two cars", "exists x (bridge(x) & exists>=2 y (small_vehicle(y) & inside(y, x)))"),
    ("on every bridge there are two cars",
     "exists x (bridge(x)) & forall x (bridge(x) -> exists>=2 y (small_vehicle(y) & inside(y, x)))"),
    ("between 10 and 20 percent of the image is covered by ships",
     "cover x (ship(x)) >= 10 % & cover x (ship(x)) <= 20 %"),
    ("more ships than planes and helicopters together", "count x (ship(x)) > count x (plane(x) | helicopter(x))"),
    ("no fewer ships than planes", "count x (ship(x)) >= count x (plane(x))"),
    ("the two largest ships", "exists>=2 x (ship(x) & exists<=1 y (ship(y) & larger(y, x)))"),
    ("the second largest ship", "exists x (ship(x) & exists=1 y (ship(y) & larger(y, x)))"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "formula"), CONVENTIONS, ids=[text for text, _ in CONVENTIONS])
def test_the_conventions(text, formula):
    assert same_meaning(read_english(text, DOTA).formula, read(formula))


USAGE = [  # which reading is meant: the rules in `readings`
    ("ships near a harbor in the top left corner",
     "exists x (ship(x) & exists y (harbor(y) & in_top(y) & in_left(y) & near(x, y)))"),
    ("a ship near a harbor and a plane near a bridge",
     "exists x (ship(x) & exists y (harbor(y) & near(x, y))) & "
     "exists x (plane(x) & exists y (bridge(y) & near(x, y)))"),
    ("a ship near a harbor and a bridge",
     "exists x (ship(x) & exists y (harbor(y) & near(x, y)) & exists y (bridge(y) & near(x, y)))"),
    ("a ship near a harbor and no bridge",
     "exists x (ship(x) & exists y (harbor(y) & near(x, y))) & ~(exists x (bridge(x)))"),
    ("there is a large ship. It is near a harbor.",
     "exists x (ship(x) & large(x) & exists y (harbor(y) & near(x, y)))"),
    ("if a ship is near a harbor, then it is large",
     "forall x (ship(x) & exists y (harbor(y) & near(x, y)) -> large(x))"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "formula"), USAGE, ids=[text for text, _ in USAGE])
def test_the_rules_of_usage(text, formula):
    found = read_english(text, DOTA).formula
    assert same_meaning(found, read(formula)) or telling_model(found, read(formula), 200) is None


def groups():
    with PARAPHRASES.open(encoding="utf-8", newline="") as file:
        for vocabulary, sentences in list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]:
            yield vocabulary, sentences.split(" | ")


GROUPS = list(groups())


@pytest.mark.parametrize(("name", "sentences"), GROUPS, ids=[sentences[0] for _, sentences in GROUPS])
def test_other_words_for_it_mean_the_same(name, sentences):
    vocabulary = load_vocabulary(name)
    first, *others = (read_english(text, vocabulary).formula for text in sentences)
    for text, formula in zip(sentences[1:], others, strict=True):
        assert same_meaning(formula, first) or telling_model(formula, first, 12) is None, text


SIMPLE = [  # sentences that say one thing each, and go with one another
    "a ship is near a harbor", "no plane is large", "there are at least three bridges", "most ships are small",
    "every helicopter is within 50 m of a plane", "there are more cars than trucks", "two tennis courts are parallel",
    "there is no roundabout without a car on it", "exactly one harbor contains ten ships",
    "storage tanks cover more than 5 % of the image", "there is a ship in the top left corner",
    "the number of pools is at most 4", "not all tennis courts are near a pool", "there is nothing in the center",
]  # fmt: skip


@pytest.mark.parametrize("pattern", ["{}, and {}", "{} and {}", "{}, but {}", "{}. {}", "images in which {} and {}"])
def test_two_sentences_joined_say_both(pattern):
    alone = {text: read_english(text, DOTA).formula for text in SIMPLE}
    for first, second in permutations(SIMPLE, 2):
        text = pattern.format(first, second)
        assert same_meaning(read_english(text, DOTA).formula, And((alone[first], alone[second]))), text


@pytest.mark.parametrize("pattern", ["either {}, or {}", "{}, or {}"])
def test_two_sentences_of_which_one_holds(pattern):
    alone = {text: read_english(text, DOTA).formula for text in SIMPLE}
    for first, second in permutations(SIMPLE, 2):
        text = pattern.format(first, second)
        assert same_meaning(read_english(text, DOTA).formula, Or((alone[first], alone[second]))), text


SPOKEN_OF = [  # what comes later speaks of what was named before
    ("a ship near a harbor, and the harbor is large",
     "exists x (ship(x) & exists y (harbor(y) & near(x, y) & large(y)))"),
    ("a plane and a ship, where the plane is larger than the ship",
     "exists x (plane(x) & exists y (ship(y) & larger(x, y)))"),
    ("every ship near a harbor is smaller than it",
     "exists x (ship(x) & exists y (harbor(y) & near(x, y))) & "
     "forall x (forall y (ship(x) & harbor(y) & near(x, y) -> smaller(x, y)))"),
    ("ships that overlap a harbor but are not inside it",
     "exists x (ship(x) & exists y (harbor(y) & overlaps(x, y) & ~inside(x, y)))"),
    ("small vehicles on a bridge, but no large vehicles on it",
     "exists x (small_vehicle(x) & exists y (bridge(y) & inside(x, y) & "
     "~(exists z (large_vehicle(z) & inside(z, y)))))"),
    ("two planes are near a helicopter, and another plane is in the center",
     "exists x (plane(x) & in_center(x) & exists>=2 y (plane(y) & y != x & exists z (helicopter(z) & near(y, z))))"),
    ("two harbors, one with a ship in it and the other without any ship",
     "exists x (harbor(x) & exists z (ship(z) & inside(z, x)) & "
     "exists y (harbor(y) & x != y & ~(exists z (ship(z) & contains(y, z)))))"),
    ("a harbor in which every ship is small",
     "exists x (harbor(x) & exists y (ship(y) & inside(y, x)) & forall y (ship(y) & inside(y, x) -> small(y)))"),
    ("ships that are not near any harbor and all ships are near a harbor",
     "exists x (ship(x) & ~(exists y (harbor(y) & near(x, y)))) & exists x (ship(x)) & "
     "forall x (ship(x) -> exists y (harbor(y) & near(x, y)))"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "formula"), SPOKEN_OF, ids=[text for text, _ in SPOKEN_OF])
def test_what_was_named_before_is_spoken_of_again(text, formula):
    found = read_english(text, DOTA).formula
    assert same_meaning(found, read(formula)) or telling_model(found, read(formula), 200) is None


NUMBER = [  # the verb tells which noun is meant
    ("ships near a harbor that are large", "exists x (ship(x) & exists y (harbor(y) & near(x, y)) & large(x))"),
    ("ships near a harbor that is large", "exists x (ship(x) & exists y (harbor(y) & large(y) & near(x, y)))"),
    ("a plane and a helicopter that are near each other",
     "exists x (plane(x) & exists y (helicopter(y) & near(x, y)))"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "formula"), NUMBER, ids=[text for text, _ in NUMBER])
def test_verbs_agree_with_their_nouns(text, formula):
    assert same_meaning(read_english(text, DOTA).formula, read(formula))


@pytest.mark.parametrize(
    "text",
    [
        "ships" + " and planes or harbors" * 40,
        "no ship without a harbor" + " without a bridge" * 20,
        "every ship near every harbor" + " near every bridge" * 9,
        "a ship" + " near a harbor" * 300,
        "ship " * 1000,
    ],
    ids=lambda text: text[:40],
)
def test_what_is_too_long_or_too_deep_is_refused(text):
    with pytest.raises((LimitError, QueryError)):
        read_english(text, DOTA)


def test_any_sentence_of_the_grammar_is_read_or_refused():
    """Sentences drawn from the grammar itself, most of them odd: a formula, or an error that says why, and no other."""
    words = defaultdict(list)
    for phrase, kinds in lexicon(DOTA).phrases.items():
        for kind in kinds:
            words[kind].append(" ".join(phrase))
    words |= {"STRING": ['"x"'], "LETTER": ["A"], "NUM": ["2", "three"]}
    rules = defaultdict(list)
    for rule in english_rules().rules.values():
        rules[rule.origin].append(rule)
    depth = defaultdict(lambda: 99, dict.fromkeys(words, 0))  # a kind of which the vocabulary has no word is too deep

    def deepest(rule):
        return max(depth[part] for part in rule.expansion)

    for _ in range(30):
        for origin, alternatives in rules.items():
            depth[origin] = 1 + min(map(deepest, alternatives))

    def drawn(symbol, deep):
        if symbol not in rules:
            return [rng.choice(words[symbol])]
        near = [rule for rule in rules[symbol] if deepest(rule) < max(deep, depth[symbol])]
        return [word for part in rng.choice(near).expansion for word in drawn(part, deep - 1)]

    rng = Random(0)
    read_well = 0
    for _ in range(400):
        text = " ".join(drawn("line", rng.randint(5, 9)))
        if len(text.split()) <= 30:
            try:
                check(read_english(text, DOTA).formula, DOTA, text)
                read_well += 1
            except (QueryError, LimitError):
                pass
    assert read_well > 20


def message(text, vocabulary=DOTA, **options):
    with pytest.raises(QueryError) as caught:
        read_english(text, vocabulary, **options)
    return str(caught.value)


def test_an_unknown_word_is_named_with_the_nearest():
    assert message("two planes near helipads") == (
        "No class or attribute 'helipads' in vocabulary dota-v1.5.\n"
        "  two planes near helipads\n"
        "                  ^^^^^^^^\n"
        "Nearest: helicopter. dota-v2.0 has 'helipad': index or search with --vocabulary dota-v2.0."
    )


def test_what_cannot_be_read_is_underlined():
    assert message("two near ships") == (
        "'near' cannot be read here.\n"
        "  two near ships\n"
        "      ^^^^\n"
        "Say it another way, or give the formula with --fol."
    )
    assert message("ships near") == (
        "The sentence stops before it is complete.\n  ships near\n            ^\nSay of what, such as 'near a harbor'."
    )


@pytest.mark.parametrize(
    "text", ["if no ship is near the bridge, then a plane is on it", "two ships, each near a different harbor"]
)
def test_what_speaks_of_nothing_is_refused(text):
    assert message(text)


def test_a_superlative_of_nothing():
    assert message("show me the biggest").endswith("Say the largest of which things, such as 'the largest ship'.")


def test_an_empty_query():
    assert message("  ") == 'The query is empty.\nSay what to look for, such as "two ships near a harbor".'


@pytest.mark.parametrize("text", ["exists x (ship(x))", "∃x (Ship(x) ∧ Near(x, y))", "ship(x) & plane(y)"])
def test_a_formula_is_no_english(text):
    assert looks_like_formula(text)
    assert message(text).startswith("This is a formula: add --fol.")


def test_a_mixture_of_and_and_or_shows_both_readings():
    said = message("ships and planes or harbors near a bridge")
    assert said.startswith("This can be read in more than one way:\n  1.")


LENIENT = [
    ("many planes are parked near the terminal", "exists>=10 x (plane(x))", ("are parked near the terminal",)),
    ("some blue boats near a harbor", f"exists x (ship(x) & {SHIP_NEAR_HARBOR})", ("blue",)),
    ("planes in this area", "exists x (plane(x))", ("in this area",)),
]


@pytest.mark.parametrize(("text", "formula", "left_out"), LENIENT, ids=[text for text, _, _ in LENIENT])
def test_lenient_reading_lists_what_it_leaves_out(text, formula, left_out):
    reading = read_english(text, DOTA, lenient=True)
    assert same_meaning(reading.formula, read(formula))
    assert reading.left_out == left_out


@pytest.mark.parametrize("text", ["ships and trees", "ships, trees and planes", "many green trees around the bridge"])
def test_lenient_reading_never_leaves_out_what_the_text_is_about(text):
    assert "No class or attribute" in message(text, lenient=True)


FARM = Vocabulary.from_toml("""
name = "farm"
several = 4
[classes.animal]
[classes.cow]
parent = "animal"
synonyms = ["cattle"]
[classes.sheep]
parent = "animal"
[classes.fence_post]
[classes.barn]
[attributes.grazing]
type = "boolean"
opposite = ["resting"]
[attributes.age]
type = "number"
[definitions]
"lonely(x)" = "~(exists y (animal(y) & y != x & near(x, y)))"
[links]
fenced = "fence_post(x) & fence_post(y) & distance(x, y) <= 20 px"
""")

FARM_CASES = [
    ("several cows near a barn", "exists>=4 x (cow(x) & exists y (barn(y) & near(x, y)))"),
    ("no lonely cow", "~(exists x (cow(x) & lonely(x)))"),
    ("resting sheep inside a barn", "exists x (sheep(x) & ~grazing(x) & exists y (barn(y) & inside(x, y)))"),
    ("two fence posts fenced to each other",
     "exists x (fence_post(x) & exists y (fence_post(y) & x != y & fenced(x, y)))"),
    ("every cattle whose age is at least 3 is grazing",
     "exists x (cow(x) & age(x) >= 3) & forall x (cow(x) & age(x) >= 3 -> grazing(x))"),
    ("animals that are not lonely", "exists x (animal(x) & ~lonely(x))"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "formula"), FARM_CASES, ids=[text for text, _ in FARM_CASES])
def test_words_come_from_the_vocabulary(text, formula):
    assert same_meaning(read_english(text, FARM).formula, read(formula))


def test_spans_point_at_the_words():
    from rune_smt.grammar.nodes import Apply, walk

    text = "two ships near a harbor"
    found = {node.name: text[slice(*node.span)] for node in walk(read_english(text, DOTA).formula)
             if isinstance(node, Apply) and node.span}  # fmt: skip
    assert found == {"ship": "ships", "harbor": "harbor", "near": "near a harbor"}


def test_what_is_said_of_each_stays_beside_what_is_said_of_both():
    assert same_meaning(
        read_english("two ships that are in the same harbor but not near each other", DOTA).formula,
        read("exists h (harbor(h) & exists x (ship(x) & inside(x, h) & exists y (ship(y) & inside(y, h) & x != y & "
             "~near(x, y))))"),
    )  # fmt: skip

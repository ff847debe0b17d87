"""The constrained rules: every sentence parses and type-checks, and what a query needs is among them."""

import csv
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from rune_smt.errors import LimitError
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.nodes import free_variables
from rune_smt.grammar.printer import written
from rune_smt.grammar.reader import canonical_parser, read
from rune_smt.grammar.vocabulary import VOCABULARIES, AttributeWord, load_vocabulary
from rune_smt.translate.constrain import DEFAULT_LIMITS, REGEX_LIMITS, Limits, constrained
from rune_smt.translate.depth_names import named_by_depth
from rune_smt.translate.notations import gbnf, json_schema, llguidance_lark, regex
from rune_smt.translate.rules import OneOf, Repeat, Rules, Use

DEVELOPMENT = Path(__file__).parent.parent / "grammar" / "english.tsv"
DOTA = load_vocabulary("dota-v1.5")
FLOOD = load_vocabulary("flood")
LONG_ENOUGH = 250  # characters; from here on the sampler takes the shortest way out


def sentence(rules: Rules, rng: random.Random) -> str:
    """A random sentence, drawn top down."""
    written_so_far = 0

    def derive(symbol, budget):
        nonlocal written_so_far
        tight = written_so_far > LONG_ENOUGH or budget < 0
        match symbol:
            case str():
                written_so_far += len(symbol)
                return symbol
            case OneOf(characters):
                written_so_far += 1
                return rng.choice(characters)
            case Use(rule):
                alternatives = rules.alternatives[rule]
                if tight:
                    alternatives = [min(alternatives, key=lambda each: rules._length(each, rules._shortest))]
                return "".join(derive(each, budget - 1) for each in rng.choice(alternatives))
            case Repeat(part, most):
                times = 0 if tight else min(most, int(rng.expovariate(1.0)))
                return "".join(derive(each, budget - 1) for _ in range(times) for each in part)

    return derive(Use(rules.start), 40)


def assert_well_formed(text, vocabulary):
    canonical_parser().parse(text)
    formula = check(read(text), vocabulary, text)
    assert not free_variables(formula)


def with_more_attributes():
    """A vocabulary with an attribute of every type, one text without listed values."""
    more = {"height": AttributeWord("height", "number"), "owner": AttributeWord("owner", "text")}
    return replace(FLOOD, attributes={**FLOOD.attributes, **more})


@pytest.mark.parametrize("limits", [DEFAULT_LIMITS, REGEX_LIMITS, Limits(3, 1, 3, 2)], ids=["default", "regex", "own"])
@pytest.mark.parametrize("vocabulary", [DOTA, with_more_attributes()], ids=["dota", "flood"])
def test_every_sentence_parses_and_type_checks(vocabulary, limits):
    rules = constrained(vocabulary, limits)
    rng = random.Random(7)
    used = set()
    for _ in range(150):
        text = sentence(rules, rng)
        assert_well_formed(text, vocabulary)
        assert rules.accepts(text)
        used |= set(re.findall(r"[a-z_]+(?=\()|exists|forall|count|cover|<->|->|[|~]", text))
    if limits == DEFAULT_LIMITS:
        assert {"exists", "forall", "count", "cover", "<->", "->", "|", "~", "near", "distance", "area"} <= used


def test_every_rule_leads_to_well_formed_sentences():
    """One sentence through each alternative of each rule: random walks alone would miss the rare ones."""
    vocabulary = with_more_attributes()
    rules = constrained(vocabulary, Limits(3, 1, 2, 3))
    ways = ways_to(rules)
    rng = random.Random(1)
    for rule, alternatives in rules.alternatives.items():
        for alternative in alternatives[:60]:
            before, after = ways[rule]
            middle = "".join(shortest(rules, symbol, rng) for symbol in alternative)
            assert_well_formed(before + middle + after, vocabulary)


def shortest(rules, symbol, rng):
    match symbol:
        case str():
            return symbol
        case OneOf(characters):
            return rng.choice(characters)
        case Use(rule):
            best = min(rules.alternatives[rule], key=lambda each: rules._length(each, rules._shortest))
            return "".join(shortest(rules, each, rng) for each in best)
        case Repeat():
            return ""


def ways_to(rules):
    """What stands before and behind a rule in some sentence, by rule."""
    rng = random.Random(0)
    ways = {rules.start: ("", "")}
    waiting = [rules.start]
    while waiting:
        name = waiting.pop(0)
        before, after = ways[name]
        for alternative in rules.alternatives[name]:
            parts = [symbol.part if isinstance(symbol, Repeat) else [symbol] for symbol in alternative]
            flat = [symbol for part in parts for symbol in part]
            for place, symbol in enumerate(flat):
                if isinstance(symbol, Use) and symbol.rule not in ways:
                    left = "".join(shortest(rules, each, rng) for each in flat[:place])
                    right = "".join(shortest(rules, each, rng) for each in flat[place + 1 :])
                    ways[symbol.rule] = (before + left, right + after)
                    waiting.append(symbol.rule)
    return ways


def development():
    with DEVELOPMENT.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_rules_hold_every_formula_of_the_development_set():
    for row in development():
        text = written(named_by_depth(read(row["formula"])))
        assert constrained(load_vocabulary(row["vocabulary"])).accepts(text), text


@pytest.mark.parametrize(
    "text",
    [
        "exists x1 (near(x1, x2))",  # x2 is free
        "exists x1 (shp(x1))",
        "exists x1 (near(x1, x1))",
        "exists x1 (area(x1) > 5 m)",
        "exists x1 (area(x1))",
        "exists x1 (ship(x1) > 1)",
        "exists x1 (x1 < x1)",
        "count x1 (ship(x1)) > 5 px2",
        "true",
        "exists x1 (ship(x1)",
        "exists x1 (ship(x1)) ",
        "exists x2 (ship(x2))",
        "",
    ],
)
def test_what_is_no_query_is_no_sentence(text):
    assert not constrained(DOTA).accepts(text)


def test_how_much_is_still_to_be_written():
    rules = constrained(DOTA)
    start = rules.begin
    assert rules.to_end(start) == len("exists x1 (car(x1))") + len("ship") - len("car")
    assert rules.to_end(rules.after(start, "exists x1 (ship(x1) & ")) == len("ship(x1))")
    assert rules.to_end(rules.after(start, "exists x1 (ship(x1))")) == 0
    assert rules.to_end(rules.after(start, "exists x1 (shop")) is None


# --- notations --------------------------------------------------------------------------------------------------------


def test_the_regular_expression_holds_the_same_sentences():
    rules = constrained(DOTA, REGEX_LIMITS)
    pattern = re.compile(regex(rules))
    rng = random.Random(3)
    for _ in range(60):
        text = sentence(rules, rng)
        assert pattern.fullmatch(text)
        assert not pattern.fullmatch(text + " &")
        assert not pattern.fullmatch(text.replace("x1", "y", 1))
    assert len(pattern.pattern) < 300_000


def test_a_regular_expression_that_is_too_long_is_refused():
    with pytest.raises(LimitError, match=r"The regular expression has .* characters"):
        regex(constrained(DOTA))


def test_the_json_schema_holds_one_text():
    schema = json_schema(constrained(FLOOD, REGEX_LIMITS))
    assert json.loads(json.dumps(schema)) == schema
    pattern = schema["properties"]["formula"]["pattern"]
    assert re.search(pattern, "exists x1 (building(x1) & ~(exists x2 (road(x2) & near(x1, x2))))")
    assert not re.search(pattern, "exists x1 (building(x1) & exists)")


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_llguidance_takes_the_lark_form(vocabulary):
    llguidance = pytest.importorskip("llguidance", reason="llguidance is not installed")
    matcher = llguidance.LLMatcher
    text = llguidance_lark(constrained(load_vocabulary(vocabulary)))
    assert matcher.validate_grammar_with_warnings(matcher.grammar_from_lark(text)) == (False, [])


@pytest.mark.parametrize("form", ["lark", "gbnf", "regex"])
def test_random_bytes_held_to_the_exported_grammar_are_formulas(form):
    """llguidance picks what may come next, chance picks among it: no model, no weights."""
    llguidance = pytest.importorskip("llguidance", reason="llguidance is not installed")
    matcher_of = llguidance.LLMatcher
    rules = constrained(DOTA, REGEX_LIMITS if form == "regex" else DEFAULT_LIMITS)
    grammar = {
        "lark": lambda: matcher_of.grammar_from_lark(llguidance_lark(rules)),
        "gbnf": lambda: matcher_of.grammar_from_lark(llguidance.gbnf_to_lark.gbnf_to_lark(gbnf(rules))),
        "regex": lambda: matcher_of.grammar_from_regex(regex(rules)),
    }[form]()
    tokens = llguidance.LLTokenizer("byte")
    rng = random.Random(5)
    for _ in range(12):
        text = walk(matcher_of(tokens, grammar), tokens, rules, rng)
        assert_well_formed(text, DOTA)


def walk(matcher, tokens, rules, rng):
    """Bytes drawn among the allowed ones; when the text is long, among those that lead to the end soonest."""
    assert not matcher.is_error(), matcher.get_error()
    state, text = rules.begin, ""
    while True:
        mask = matcher.compute_bitmask()
        allowed = [byte for byte in range(256) if mask[byte // 8] >> (byte % 8) & 1]
        # both machines, llguidance's and ours, allow the same characters
        ours = {c for byte in range(256) if (c := chr(byte)) and rules.after(state, c)}
        assert {chr(byte) for byte in allowed} == ours
        if matcher.is_accepting() and (not allowed or len(text) > 100 or rng.random() < 0.5):
            return text
        if len(text) > 100:
            allowed = sorted(allowed, key=lambda byte: rules.to_end(rules.after(state, chr(byte))))[:1]
        byte = rng.choice(allowed)
        matcher.consume_token(byte)
        text += chr(byte)
        state = rules.after(state, chr(byte))

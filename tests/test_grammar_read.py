"""Laws of the reader: every dialect reads back, spans point into the text as given, nothing crashes, time is linear."""

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark

from rune_smt.errors import QueryError
from rune_smt.grammar.actions import grammar_text
from rune_smt.grammar.build import build
from rune_smt.grammar.cleanup import clean, without_latex_layout
from rune_smt.grammar.collisions import resolve
from rune_smt.grammar.dialects import DIALECTS, render
from rune_smt.grammar.nodes import MAX_DEPTH, Apply, Variable, depth, walk
from rune_smt.grammar.printer import canonical, same_up_to_bound_names
from rune_smt.grammar.reader import MAX_LENGTH, canonical_parser, infix_parser, parse_report, read, read_many
from rune_smt.grammar.refusal import FormulaError
from rune_smt.testing.formulas import formulas

from .shared import shared


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=60)
@given(formulas(closed=False))
def test_every_dialect_reads_back_to_the_formula_it_shows(dialect, formula):
    text = render(formula, dialect)
    assert same_up_to_bound_names(read(text, open_vocabulary=True), formula)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=40)
@given(formulas(classes=("ship", "small_vehicle")))
def test_a_closed_query_reads_back_without_open_vocabulary(dialect, formula):
    assert same_up_to_bound_names(read(render(formula, dialect)), formula)


# --- sentences of the grammars ----------------------------------------------------------------------------------------

# names and keywords bring their own spaces, else the generator glues them together
CANONICAL_WORDS = {
    "NAME": st.sampled_from((" x ", " y ", " ship ", " near ", " a_1 ", " m ")),
    "WHOLE": st.sampled_from((" 0 ", " 3 ", " 12 ")),
    "NUMBER": st.sampled_from((" 0.5 ", " 3.25 ")),
    "UNIT": st.sampled_from((" px2 ", " m ", " % ", " km ")),
    "STRING": st.sampled_from(('"a"', r'"\"\\"')),
    **{word.upper(): st.just(f" {word} ") for word in ("forall", "exists", "count", "cover", "true", "false")},
}


@settings(max_examples=12)
@given(from_lark(canonical_parser(), explicit=CANONICAL_WORDS))
def test_every_sentence_of_the_canonical_grammar_is_read_by_both_readers_alike(text):
    (tree,) = canonical_parser().parse(text)
    if tree.depth > 60:
        return
    expected = build(tree, open_vocabulary=True)
    assert read(text, open_vocabulary=True) == expected


SIGNS = """
    exists forall ∃ ∀ ∃! ∃≥2 x y X ship Near count cover ( ) [ ] { } | : . , - ! ? ~ & and or -> <-> <= => = != < 5 .5 m
    % + * / ⊕ xor ∈ in #{ |{ }| "a" 'b' \\land \\{ \\} \\exists 1. a-b $ $true (and (not (exists ![X]: ^ ; α
"""
HEAP = (*re.findall(r"\S+", SIGNS), "\n")


@settings(max_examples=200)
@given(st.lists(st.sampled_from(HEAP), max_size=25), st.sampled_from(("", " ")))
def test_any_heap_of_signs_is_read_or_refused_with_a_place(words, glue):
    check_answer(glue.join(words))


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_place(text):
    check_answer(text)


def check_answer(text):
    for open_vocabulary in (False, True):
        try:
            formula = read(text, open_vocabulary=open_vocabulary)
        except FormulaError as error:
            start, end = error.span
            assert 0 <= start <= end <= max(len(text), start) + 1 and start <= len(text)
            assert error.text == text and error.message and str(error)
        else:
            assert read(canonical(formula), open_vocabulary=open_vocabulary) is not None
            for node in walk(formula):
                assert node.span is None or 0 <= node.span[0] <= node.span[1] <= len(text)


# --- places -----------------------------------------------------------------------------------------------------------


@given(formulas(max_depth=3), st.sampled_from(tuple(DIALECTS)))
def test_clean_up_keeps_every_offset(formula, dialect):
    text = f"Here it is:\n```\n{render(formula, dialect)}\n```"
    assert len(clean(text)) == len(text) == len(without_latex_layout(clean(text)))
    assert same_up_to_bound_names(read(text), formula)


@pytest.mark.parametrize(
    "text",
    [
        "∃x (Ship(x) ∧ Harbor(x))",
        "FOL: `∃x\u00a0(Ship(x)\u200b & Harbor(x))`.",
        "```fol\nexists x. Ship(x) and Harbor(x)\n```",
        r"$\exists x \left( \text{Ship}(x) \land \mathrm{Harbor}(x) \right)$",
        "1. ∃x Ship(x)\n2. ∃x Harbor(x)",
        "![X]: (Ship(X) & Harbor(X))",
        "(exists (x) (and (Ship x) (Harbor x)))",
        "? [X] : (ship(X) & harbor(X))",
    ],
)
def test_spans_point_into_the_text_as_it_was_given(text):
    for node in walk(read(text)):
        if isinstance(node, Apply):
            said = re.sub(r"[^a-z]", "", text[slice(*node.span)].lower())
            assert said.lstrip("(").replace("text", "").replace("mathrm", "").startswith(node.name)
        if isinstance(node, Variable):
            assert text[slice(*node.span)].lower() == node.name


# --- several formulas, reports ----------------------------------------------------------------------------------------


def test_numbered_formulas_are_a_list_or_their_conjunction():
    text = "Formulas:\n1. exists x (ship(x)).\n2) forall y harbor(y)\n3. true"
    assert [canonical(formula) for formula in read_many(text)] == [
        "exists x1 (ship(x1))", "forall x1 (harbor(x1))", "true"
    ]  # fmt: skip
    assert canonical(read(text)) == "exists x1 (ship(x1)) & forall x2 (harbor(x2)) & true"


def test_lines_that_end_with_a_full_stop_are_formulas_of_their_own():
    assert len(read_many("all x (man(x) -> mortal(x)).\nman(socrates).\n", open_vocabulary=True)) == 2


def test_the_report_has_the_shape_that_programs_rely_on():
    assert parse_report("∃x Ship(x)") == {"ok": True, "canonical": "exists x1 (ship(x1))"}
    assert parse_report("exists x\n(ship(x) ^ true)") == {
        "ok": False,
        "error": {
            "line": 2,
            "column": 10,
            "message": "'^' is not read as a connective.",
            "expected": ["a connective", "a comparison", "an operator", ")"],
            "hint": "Write '&' for and, '|' for or.",
        },
    }


def test_aliases_are_replaced_unless_the_vocabulary_is_open():
    text = "exists x exists y is_close(x, y)"
    assert canonical(read(text)) == "exists x1 (exists x2 (near(x1, x2)))"
    assert canonical(read(text, open_vocabulary=True)) == "exists x1 (exists x2 (is_close(x1, x2)))"


def test_open_vocabulary_keeps_names_and_nested_applications():
    text = "∀x (Employee(x) ∧ Schedule(x, customer(x)) → Appear(bonnie, 8pm))"
    assert canonical(read(text, open_vocabulary=True)) == (
        "forall x1 (employee(x1) & schedule(x1, customer(x1)) -> appear(bonnie, n8pm))"
    )
    with pytest.raises(QueryError, match="bonnie"):
        read("∀x Appear(bonnie, x)")


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["exists x ({}ship(x){})", "![X]: ({}ship(X){})"])
def test_ten_thousand_bare_brackets_collapse(dialect):
    assert depth(read(dialect.format("(" * 10_000, ")" * 10_000))) == 3


@pytest.mark.parametrize(
    "text",
    [
        "~" * 10_000 + "true",
        "-" * 10_000 + "(true)",
        "not " * 10_000 + "true",
        "true -> " * 5_000 + "true",
        "f(" * 10_000 + "x" + ")" * 10_000,
        "exists x " * 5_000 + "true",
        "(not " * 8_000 + "true" + ")" * 8_000,
        "1" + " + 1" * 5_000 + " > 2",
        "|{x : " * 4_000 + "true" + "}| > 1" * 4_000,
    ],
)
def test_what_is_nested_too_deep_is_refused_in_a_sentence(text):
    with pytest.raises(QueryError, match=f"nested more than {MAX_DEPTH} levels"):
        read(text, open_vocabulary=True)


@pytest.mark.parametrize(
    "text",
    ["(" * 10_000, ")" * 10_000, '"' * 10_001, '"' + '\\"' * 20_000, "'" * 10_001, "[" * 30_000 + "]", "`" * 60_000,
     "$" * 60_001, "{" * 9_999, "p(" + "x, " * 20_000, "\\text{" * 9_000, "1. " * 20_000, "a-" * 30_000, ":" * 60_000,
     "exists x " * 7_000, "! [" * 20_000, "|{" * 20_000, "(exists " * 8_000, "\\exists_{" * 6_000, "~" * 50_000],
)  # fmt: skip
def test_long_nonsense_is_refused(text):
    for open_vocabulary in (False, True):
        with pytest.raises(QueryError):
            read(text, open_vocabulary=open_vocabulary)


def test_a_text_too_long_is_refused_before_it_is_looked_at():
    with pytest.raises(QueryError, match="1,000,000 characters; at most 50,000"):
        read("a" * 1_000_000)


def test_the_greatest_depth_is_read_printed_and_read_again():
    text = "~" * (MAX_DEPTH - 1) + "true"
    assert canonical(read(text)) == text
    with pytest.raises(QueryError):
        read("~" + text)


class Counting(list):
    """A list of tokens that counts how often it is looked at."""

    looks = 0

    def __getitem__(self, index):
        self.looks += 1
        return super().__getitem__(index)


@pytest.mark.parametrize(
    "unit",
    ["exists x (ship(x)) & ", "exists x exists y near(x, y) & ", "p(a, b, f(c)) & ", "|{x : ship(x)}| > 3 & ",
     "exists x human(f(x), y) & ", "(exists x)(exists y)(near(x, y)) & ", "1 < 2 & ", "exists x:ship, y in harbor. "],
)  # fmt: skip
def test_the_pass_over_the_tokens_is_linear(unit):
    def looks(times):
        tokens = lexed(unit * times + "true")
        resolve(tokens)
        return tokens.looks

    assert looks(400) <= 2.2 * looks(200)


def lexed(text):
    lexer = infix_parser().parser.lexer
    from lark.lexer import LexerThread

    return Counting(lexer.lexer.lex(LexerThread.from_text(lexer.lexer, text).state, None))


@pytest.mark.parametrize("unit", ["ship(x) & ", "(ship(x) | ship(x)) & ", "near(x, y) | ", "exists x (ship(x)) & "])
def test_a_long_text_within_the_limit_is_read(unit):
    times = (MAX_LENGTH - 10) // len(unit)
    assert len(read(unit * times + "true", open_vocabulary=True).parts) >= times


# --- real output of a language model ----------------------------------------------------------------------------------


def test_nearly_all_lines_that_a_language_model_wrote_are_read():
    lines = shared("data", "llm-fol", "folio-gpt-3.5-turbo.jsonl").read_text(encoding="utf-8").splitlines()
    reports = [parse_report(json.loads(line)["fol"], open_vocabulary=True) for line in lines]
    assert sum(report["ok"] for report in reports) >= 0.98 * len(lines)
    for report in reports:
        if report["ok"]:
            again = parse_report(report["canonical"], open_vocabulary=True)
            assert again == report
        else:
            assert report["error"]["message"] and report["error"]["line"] == 1


@example("infix")
@given(st.sampled_from(("canonical", "infix", "tptp", "sexpr")))
def test_the_grammars_are_data_beside_the_code(name):
    assert "start:" in grammar_text(name)


@pytest.mark.parametrize(
    "text", ["p(5 px2, 5 px, 5 m2, 5 m, 5 km2, 5 km, 5 ha, 5 deg, 5 %)", "exists m (p(m) & 5 m > 3)"]
)
def test_the_canonical_grammar_reads_units_after_numbers_only(text):
    (tree,) = canonical_parser().parse(text)
    assert build(tree, open_vocabulary=True) == read(text, open_vocabulary=True)


@given(formulas(closed=False))
def test_the_canonical_grammar_reads_every_canonical_text(formula):
    (tree,) = canonical_parser().parse(canonical(formula))
    assert same_up_to_bound_names(build(tree, open_vocabulary=True), formula)

"""Laws of the canonical print, and the canonical grammar against the reader."""

from decimal import Decimal

import pytest
from hypothesis import given, settings

from rune_smt.grammar.nodes import (
    And,
    Apply,
    Arithmetic,
    Compare,
    Exists,
    Iff,
    Implies,
    Not,
    Number,
    Or,
    Text,
    Truth,
    Variable,
    rename,
    walk,
)
from rune_smt.grammar.printer import canonical, canonical_names, number_text, same_up_to_bound_names, term_text
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.testing.formulas import formulas

X, Y = Variable("x"), Variable("y")
A, B, C = (Apply(name, (X,)) for name in "abc")


@given(formulas())
def test_a_printed_formula_reads_back_up_to_bound_names(formula):
    assert same_up_to_bound_names(read(canonical(formula)), formula)


@given(formulas(closed=False))
def test_with_open_vocabulary_free_names_read_back_too(formula):
    assert same_up_to_bound_names(read(canonical(formula), open_vocabulary=True), formula)


@given(formulas(closed=False))
def test_printing_settles(formula):
    text = canonical(formula)
    assert canonical(read(text, open_vocabulary=True)) == text


@given(formulas(closed=False, max_depth=3), formulas(closed=False, max_depth=3))
def test_formulas_print_the_same_exactly_when_they_are_equal_up_to_bound_names(f, g):
    assert (canonical(f) == canonical(g)) == same_up_to_bound_names(f, g)


@given(formulas())
def test_bound_variables_are_numbered_from_left_to_right(formula):
    named = canonical_names(formula)
    binders = [node.var for node in walk(named) if hasattr(node, "var")]
    assert binders == [f"x{i + 1}" for i in range(len(binders))]


@settings(max_examples=50)
@given(formulas(load_vocabulary("flood"), closed=True))
def test_a_query_over_a_vocabulary_reads_back(formula):
    assert same_up_to_bound_names(read(canonical(formula)), formula)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (Not(A), "~a(x)"),
        (Not(Not(A)), "~~a(x)"),
        (Not(Truth(True)), "~true"),
        (Not(Compare("=", X, Y)), "~(x = y)"),
        (Not(Exists("y", B)), "~(exists x1 (b(x)))"),
        (Not(And((A, B))), "~(a(x) & b(x))"),
        (Iff(A, Iff(B, C)), "a(x) <-> (b(x) <-> c(x))"),
        (Iff(Iff(A, B), C), "a(x) <-> b(x) <-> c(x)"),
        (Implies(Implies(A, B), C), "(a(x) -> b(x)) -> c(x)"),
        (Implies(A, Implies(B, C)), "a(x) -> b(x) -> c(x)"),
        (Or((And((A, B)), C)), "a(x) & b(x) | c(x)"),
        (And((Or((A, B)), C)), "(a(x) | b(x)) & c(x)"),
        (And((Implies(A, B), C)), "(a(x) -> b(x)) & c(x)"),
        (Iff(Implies(A, B), Implies(B, C)), "a(x) -> b(x) <-> b(x) -> c(x)"),
        (And((Exists("y", B), C)), "exists x1 (b(x)) & c(x)"),
        (Exists("x", And((A, Exists("x", B)))), "exists x1 (a(x1) & exists x2 (b(x2)))"),
        (Exists("y", Compare("!=", Y, Variable("x1"))), "exists x2 (x2 != x1)"),
        (Apply("p", (Text('a "b" \\'),)), r'p("a \"b\" \\")'),
    ],
)
def test_brackets_stand_where_precedence_needs_them(formula, text):
    assert canonical(formula) == text


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Arithmetic("-", X, Arithmetic("-", Y, X)), "x - (y - x)"),
        (Arithmetic("-", Arithmetic("-", X, Y), X), "x - y - x"),
        (Arithmetic("*", Arithmetic("+", X, Y), X), "(x + y) * x"),
        (Arithmetic("/", X, Arithmetic("*", Y, X)), "x / (y * x)"),
        (Number(Decimal("50.0"), "m"), "50 m"),
        (Number(Decimal("5"), "%"), "5 %"),
    ],
)
def test_terms_have_brackets_and_units_as_written(term, text):
    assert term_text(term) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.50", "0.5"), ("10", "10"), ("100.00", "100"), ("1E+3", "1000"), ("0", "0"), ("0.000", "0"),
     ("1234567890123456789012345678901234567890.10", "1234567890123456789012345678901234567890.1")],
)  # fmt: skip
def test_numbers_have_no_zeros_to_spare(value, text):
    assert number_text(Decimal(value)) == text


def test_shadowing_disappears_and_nothing_is_captured():
    inner = Exists("x", And((A, Exists("y", Apply("r", (X, Y))))))
    assert canonical(rename(inner, {"x": "q"})) == "exists x1 (a(x1) & exists x2 (r(x1, x2)))"

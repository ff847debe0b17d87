"""The type check: what it makes of a formula, the full text of every error, and its laws."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rune_smt.errors import LimitError, QueryError
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.nodes import (
    TRUE,
    And,
    Apply,
    Arithmetic,
    Compare,
    Count,
    Cover,
    Exists,
    ForAll,
    Formula,
    Not,
    Number,
    Term,
    Variable,
    depth,
)
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import AttributeWord, Vocabulary, load_vocabulary

CASES = Path(__file__).resolve().parents[1] / "grammar" / "types_cases.txt"


def cases() -> list[tuple[str, str, str]]:
    """(vocabulary, formula, what is expected: "= canonical" or the error's lines)"""
    found, vocabulary = [], ""
    for block in CASES.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        if lines[0].startswith("["):
            vocabulary = lines[0][1:-1]
            continue
        found.append((vocabulary, lines[0], "\n".join(lines[1:])))
    return found


@pytest.mark.parametrize(("vocabulary", "text", "expected"), cases(), ids=[case[1][:60] for case in cases()])
def test_case(vocabulary: str, text: str, expected: str) -> None:
    try:
        checked = check(read(text, open_vocabulary=True), load_vocabulary(vocabulary), text)
    except QueryError as error:
        assert "\n".join(f"! {line}" for line in str(error).splitlines()) == expected
    else:
        assert f"= {canonical(checked)}" == expected


def test_there_are_cases_of_both_kinds() -> None:
    signs = [expected[:1] for _, _, expected in cases()]
    assert signs.count("=") > 40
    assert signs.count("!") > 70


OWN = Vocabulary(
    "own",
    attributes={
        "status": AttributeWord("status", "text"),
        "damage": AttributeWord("damage", "text", ordered=("none", "some", "all")),
        "wear": AttributeWord("wear", "text", ordered=("low", "high")),
    },
)


def refusal(text: str, vocabulary: Vocabulary = OWN) -> str:
    with pytest.raises(QueryError) as caught:
        check(read(text), vocabulary, text)
    return str(caught.value)


def test_a_text_without_order_knows_equality_only() -> None:
    assert refusal('exists x (status(x) < "new")') == (
        "'status' has no order: its values know = and != only, not <.\n"
        '  exists x (status(x) < "new")\n'
        "            ^^^^^^^^^^^^^^^^^\n"
        "Give it one in the vocabulary: [attributes.status] ordered = [...]"
    )
    check(read('exists x (status(x) != "anything at all")'), OWN)


def test_two_orders_do_not_compare() -> None:
    assert refusal("exists x (damage(x) < wear(x))") == (
        "'damage' and 'wear' have different orders.\n  exists x (damage(x) < wear(x))\n            ^^^^^^^^^^^^^^^^^^^"
    )
    check(read("exists x (damage(x) = wear(x))"), OWN)


def test_an_error_without_a_text_has_no_place_to_show() -> None:
    with pytest.raises(QueryError) as caught:
        check(Apply("ship", (Variable("x"),)), load_vocabulary("dota-v1.5"))
    assert str(caught.value) == (
        "The variable 'x' is free: no quantifier binds it.\nWrite exists x (...) or forall x (...) around it."
    )


def test_parameters_may_be_free() -> None:
    formula = read("ship(a) & near(a, b)", open_vocabulary=True)
    assert check(formula, load_vocabulary("dota-v1.5"), free=("a", "b")) == formula
    with pytest.raises(QueryError, match="'b' is free"):
        check(formula, load_vocabulary("dota-v1.5"), free=("a",))


def test_names_resolve_in_formulas_that_were_built() -> None:
    """Aliases and opposites too; the spans stay."""
    dry = Apply("dry", (Variable("x"),), (0, 6))
    close = Apply("close_to", (Variable("x"), Variable("x")))
    checked = check(ForAll("x", And((dry, close))), load_vocabulary("flood"))
    assert checked == read("forall x (~flooded(x) & near(x, x))")
    assert isinstance(checked, ForAll) and isinstance(checked.body, And)
    assert checked.body.parts[0].span == (0, 6)


def test_columns_of_an_archive_can_be_named() -> None:
    vocabulary = OWN.with_attributes({"truncation": "number", "cloudy": "boolean"})
    text = "exists x (truncation(x) > 0.5 & cloudy(x))"
    assert check(read(text), vocabulary) == read(text)


@pytest.mark.parametrize("levels", [198, 199])
def test_deep_formulas_are_checked(levels: int) -> None:
    formula: Formula = TRUE
    for _ in range(levels):
        formula = Not(formula)
    assert check(formula, OWN) == formula


def test_too_deep_is_a_limit() -> None:
    formula: Formula = TRUE
    for _ in range(5000):
        formula = Not(formula)
    with pytest.raises(LimitError) as caught:
        check(formula, OWN)
    assert str(caught.value) == "The formula has 5001 levels of nesting; at most 200 are read."


# --- laws -------------------------------------------------------------------------------------------------------------

NUMBERS = st.sampled_from([Number(Decimal(2)), Number(Decimal(3), "px"), Number(Decimal("0.5"), "ha"),
                           Number(Decimal(45), "deg"), Number(Decimal(0))])  # fmt: skip
VALUES = st.sampled_from([Apply(name, (Variable("x"),)) for name in ("area", "length", "width", "angle", "score")])
COUNTS = st.sampled_from([Count("y", Apply("ship", (Variable("y"),))), Cover("y", Apply("ship", (Variable("y"),)))])


def joined(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    return st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/"]), inner, inner)


TERMS = st.recursive(NUMBERS | VALUES | COUNTS, joined, max_leaves=4)
COMPARISONS = st.builds(Compare, st.sampled_from(["<", "<=", "=", "!=", ">=", ">"]), TERMS, TERMS)

UNIT_OF = {"area": 2, "length": 1, "width": 1}


def power(term: Term) -> int | None:
    """The power of pixels that a term has by physics, None where it has none or any (a bare number)."""
    match term:
        case Apply(name):
            return UNIT_OF.get(name, 0)
        case Cover():
            return 2
        case Count():
            return 0
        case Number(_, unit):
            return {"px": 1, "ha": 2}.get(unit or "")
        case Arithmetic("*", left, right):
            powers = [p for p in (power(left), power(right)) if p is not None]
            return sum(powers) if powers else None
        case Arithmetic(_, left, right):
            return power(left) if power(left) is not None else power(right)
        case _:
            return None


@given(COMPARISONS)
def test_what_passes_has_equal_powers_of_pixels(compare: Compare) -> None:
    """Physics agrees: in all that the check lets through both sides scale alike with the pixel."""
    formula = Exists("x", compare)
    try:
        checked = check(formula, load_vocabulary("dota-v1.5"))
    except QueryError:
        return
    assert checked == formula  # these names are the vocabulary's own
    powers = {power(compare.left), power(compare.right)} - {None}
    if "deg" not in canonical(formula):
        assert len(powers) <= 1


@given(COMPARISONS)
def test_sides_may_be_exchanged(compare: Compare) -> None:
    """A comparison passes exactly if it passes the other way round."""
    turned = Compare(compare.op, compare.right, compare.left)
    passed = []
    for each in (compare, turned):
        try:
            check(Exists("x", each), load_vocabulary("dota-v1.5"))
            passed.append(True)
        except QueryError:
            passed.append(False)
    assert passed[0] == passed[1]


@given(COMPARISONS)
def test_an_error_shows_a_place_in_the_text(compare: Compare) -> None:
    text = canonical(Exists("x", compare))
    try:
        checked = check(read(text), load_vocabulary("dota-v1.5"), text)
    except QueryError as error:
        assert error.text == text
        assert error.span is not None
        assert 0 <= error.span[0] < error.span[1] <= len(text)
        return
    assert check(checked, load_vocabulary("dota-v1.5")) == checked  # it settles
    assert depth(checked) == depth(read(text))

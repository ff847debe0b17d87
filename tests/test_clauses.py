"""Laws of the clause form: it keeps verdicts, and relaxing only raises them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.errors import LimitError
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.nodes import Apply, Compare, Iff, Implies, Not, walk
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.solver.clauses import clause_form, is_literal, literals, relax
from rune_smt.solver.holds import holds
from rune_smt.solver.numbers import aggregates
from rune_smt.solver.world import World
from rune_smt.testing.formulas import formulas
from rune_smt.testing.scenes import scenes
from rune_smt.verdict import SATISFIED, UNDECIDED, VIOLATED
from tests.solver_cases import CLASSES, VOCABULARY, counting, scene_of, world_of

queries = st.one_of(formulas(VOCABULARY, classes=CLASSES, max_depth=4, definitions=True), counting())
places = scenes(classes=CLASSES, max_entities=4)


def form_of(text, **options):
    return clause_form(expand_definitions(check(read(text), VOCABULARY), VOCABULARY), **options)


@given(formula=queries, scene=places)
@settings(max_examples=200)
def test_form_is_violated_exactly_where_the_query_is(formula, scene):
    world = World(scene, VOCABULARY)
    formula = expand_definitions(formula, VOCABULARY)
    form = clause_form(formula)
    query, formed = holds(formula, world), holds(form.formula, world)
    assert (formed == VIOLATED) == (query == VIOLATED)
    if formed != query:  # only the corner that the module's docstring names
        assert (query, formed) == (SATISFIED, UNDECIDED)
        assert any(isinstance(n, Compare) and n.op in ("=", "!=") and aggregates(n) for n in walk(formula))
    assert holds(clause_form(formula, halves=False).formula, world) == query


@given(formula=queries)
def test_form_is_made_of_what_it_says(formula):
    form = clause_form(expand_definitions(formula, VOCABULARY))
    found = list(literals(form.formula))
    assert len(found) == len(form.occurrences)
    assert [clause.index for clause in form.clauses] == list(range(len(form.clauses)))
    assert frozenset().union(*(o.clauses for o in form.occurrences)) == form.every
    for literal in found:
        assert is_literal(literal)
        if isinstance(literal, Not):
            assert isinstance(literal.body, Apply)
    if not any(isinstance(n, Compare) and n.op in ("=", "!=") and aggregates(n) for n in walk(formula)):
        assert not any(isinstance(node, Iff | Implies) for node in walk(form.formula))


@given(formula=queries, scene=places, data=st.data())
@settings(max_examples=200)
def test_relaxing_only_raises_verdicts(formula, scene, data):
    world = World(scene, VOCABULARY)
    form = clause_form(expand_definitions(formula, VOCABULARY))
    some = st.frozensets(st.integers(0, max(0, len(form.clauses) - 1)))
    keep = data.draw(some) & form.every
    fewer = keep & data.draw(some)
    assert relax(form, form.every) is form.formula
    assert holds(form.formula, world) <= holds(relax(form, keep), world) <= holds(relax(form, fewer), world)


def shown(form):
    return [("+" if c.positive else "-") + canonical_literal(c.formula) for c in form.clauses]


def canonical_literal(literal):
    return canonical(literal).replace(" ", "")


@pytest.mark.parametrize(
    ("query", "form", "clauses"),
    [
        ("forall x (ship(x) -> plane(x))", "forall x1 (~ship(x1) | plane(x1))", ["+~ship(x)", "+plane(x)"]),
        ("~(forall x (ship(x)))", "exists x1 (~ship(x1))", ["+~ship(x)"]),
        ("~(exists>=3 x (ship(x)))", "exists<=2 x1 (ship(x1))", ["-ship(x)"]),
        ("~(exists<=3 x (ship(x)))", "exists>=4 x1 (ship(x1))", ["+ship(x)"]),
        ("~(exists>=0 x (ship(x)))", "false", []),
        (
            "exists=2 x (ship(x))",
            "exists>=2 x1 (ship(x1)) & exists<=2 x2 (ship(x2))",
            ["+ship(x)", "-ship(x)"],
        ),
        (
            "~(count x (ship(x)) <= 2 * count y (~(plane(y) & harbor(y))))",
            "count x1 (ship(x1)) > 2 * count x2 (~plane(x2) | ~harbor(x2))",
            ["+ship(x)", "-~plane(y)", "-~harbor(y)"],
        ),
        (
            "count x (ship(x)) = count y (plane(y))",
            "count x1 (ship(x1)) >= count x2 (plane(x2)) & count x3 (ship(x3)) <= count x4 (plane(x4))",
            ["+ship(x)", "-plane(y)", "-ship(x)", "+plane(y)"],
        ),
        (
            "3 - count x (ship(x)) != 1",
            "3 - count x1 (ship(x1)) < 1 | 3 - count x2 (ship(x2)) > 1",
            ["+ship(x)", "-ship(x)"],
        ),
        (
            "2 * count x (ship(x)) = 3",
            "2 * count x1 (ship(x1)) >= 3 & 2 * count x2 (ship(x2)) <= 3 & 2 * count x3 (ship(x3)) = 3",
            ["+ship(x)", "-ship(x)"],
        ),
        ("exists x (~(length(x) < 5 px))", "exists x1 (length(x1) >= 5 px)", ["+length(x)>=5px"]),
        (
            "exists x (exists<=1 y (near(x, y) & ~(exists>=2 z (plane(z)))))",
            "exists x1 (exists<=1 x2 (near(x1, x2) & exists<=1 x3 (plane(x3))))",
            ["-near(x,y)", "+plane(z)"],
        ),
        ("exists x (alone(x))", "exists x1 (forall x2 (x2 = x1 | ~near(x1, x2)))", ["+alone(x)"]),
        ("exists x (~alone(x))", "exists x1 (exists x2 (x2 != x1 & near(x1, x2)))", ["+~alone(x)"]),
        ("exists<=1 x (alone(x))", "exists<=1 x1 (forall x2 (x2 = x1 | ~near(x1, x2)))", ["-alone(x)"]),
    ],
)
def test_form_and_clauses(query, form, clauses):
    found = form_of(query)
    assert canonical(found.formula) == form
    assert shown(found) == clauses


def test_two_uses_of_a_definition_are_two_clauses_and_one_use_is_one():
    form = form_of("exists x (exists y (alone(x) & alone(y) & odd_pair(x, y)))")
    assert shown(form) == ["+alone(x)", "+alone(y)", "+odd_pair(x,y)"]
    assert len(form.occurrences) == 2 + 2 + 6
    assert [c.origin is not None for c in form.clauses] == [True] * 3


def test_a_use_doubled_by_a_rule_is_two_clauses_with_one_span():
    text = "forall x (alone(x) <-> ship(x))"
    form = form_of(text)
    assert shown(form) == ["+~alone(x)", "+ship(x)", "+~ship(x)", "+alone(x)"]
    first, ship, no_ship, last = form.clauses
    assert first.span == last.span == (text.index("alone"), text.index("alone") + 8)
    assert ship.span == no_ship.span


def test_spans_show_where_a_clause_was_said():
    text = "exists x (ship(x) & ~(exists y (harbor(y) & near(x, y))))"
    assert [text[slice(*clause.span)] for clause in form_of(text).clauses] == ["ship(x)", "harbor(y)", "near(x, y)"]


def test_the_corner_where_a_sum_skips_a_value():
    text = "exists x (ship(x) & length(x) > 5 m)"  # undecided without a gsd
    world = world_of([("ship", 0, 0, 12, 4)])
    assert holds(read(text), world) == UNDECIDED
    query = read("2 * count x (ship(x) & length(x) > 5 m) = 1")
    assert holds(query, world) == VIOLATED
    form = clause_form(query)
    assert holds(form.formula, world) == VIOLATED
    assert holds(relax(form, frozenset((0, 1, 2))), world) == UNDECIDED  # one half relaxed: the whole is relaxed too
    negated = clause_form(Not(query))
    assert (holds(Not(query), world), holds(negated.formula, world)) == (SATISFIED, UNDECIDED)


def test_a_form_too_large_is_refused_before_it_is_built():
    text = "exists x (ship(x))"
    for _ in range(13):
        text = f"({text}) <-> exists x (plane(x))"
    with pytest.raises(LimitError, match="would have") as raised:
        clause_form(read(text))
    assert raised.value.exit_status == 4


def test_relaxing_in_a_count_makes_the_smaller_side_smaller():
    scene = scene_of([("plane", 0, 0, 2, 2), ("plane", 9, 9, 2, 2), ("ship", 30, 30, 2, 2)])
    form = form_of("count x (ship(x)) > count y (plane(y))")
    world = World(scene, VOCABULARY)
    assert holds(form.formula, world) == VIOLATED
    assert canonical(relax(form, frozenset((0,)))) == "count x1 (ship(x1)) > count x2 (false)"
    assert canonical(relax(form, frozenset((1,)))) == "count x1 (true) > count x2 (plane(x2))"
    assert holds(relax(form, frozenset((0,))), world) == SATISFIED


def test_the_corner_inside_of_an_upper_count():
    """There `!=` makes the query harder, and the comparison as it was written stands beside its halves."""
    world = world_of([("ship", 0, 0, 12, 4)])  # whether it is flooded is not known
    query = read("exists<=0 x (2 * count y (flooded(y)) != 1)")
    form = clause_form(query)
    assert canonical(form.formula) == (
        "exists<=0 x1 (2 * count x2 (flooded(x2)) < 1 | 2 * count x3 (flooded(x3)) > 1 | "
        "2 * count x4 (flooded(x4)) != 1)"
    )
    assert holds(query, world) == holds(form.formula, world) == VIOLATED
    equal = clause_form(read("exists<=0 x (2 * count y (flooded(y)) = 1)"))
    assert len(equal.occurrences) == 2


def test_a_sum_that_skips_inside_of_another():
    form = form_of("2 * count x (3 * count y (near(x, y)) = count z (near(x, z))) = count w (ship(w))")
    assert (len(form.clauses), len(form.occurrences)) == (10, 12)  # the inner whole stands in one half only
    whole = form.occurrences[-1]
    assert whole.clauses == form.every

"""Laws of the Z3 engine: it gives what `holds` gives, relaxed or not, missing values included."""

from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from z3 import z3core

from rune_smt.errors import LimitError
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.reader import read
from rune_smt.solver.clauses import clause_form, relax
from rune_smt.solver.evaluate import query_verdict
from rune_smt.solver.expand import measure
from rune_smt.solver.ground import Ground
from rune_smt.solver.holds import holds
from rune_smt.solver.world import World
from rune_smt.solver.z3_engine import Tracked, decide, tracked_form
from rune_smt.testing.formulas import formulas
from rune_smt.testing.scenes import scenes
from rune_smt.verdict import SATISFIED, UNDECIDED, VIOLATED
from tests.solver_cases import CLASSES, VOCABULARY, counting, covering, nested_counts, world_of

queries = st.one_of(formulas(VOCABULARY, classes=CLASSES, max_depth=4, definitions=True), counting())
places = scenes(classes=CLASSES, max_entities=4)


@given(formula=queries, scene=places)
@settings(max_examples=120)
def test_z3_and_holds_agree(formula, scene):
    world = World(scene, VOCABULARY)
    formula = expand_definitions(formula, VOCABULARY)
    assert decide(formula, world) == holds(formula, world)


@given(formula=queries, scene=places)
@settings(max_examples=120)
def test_columns_and_holds_agree(formula, scene):
    world = World(scene, VOCABULARY)
    formula = expand_definitions(formula, VOCABULARY)
    assert query_verdict(formula, world) == holds(formula, world)


@given(formula=queries, scene=places, data=st.data())
@settings(max_examples=150)
def test_z3_and_holds_agree_on_relaxed_queries(formula, scene, data):
    world = World(scene, VOCABULARY)
    form = clause_form(expand_definitions(formula, VOCABULARY))
    keep = data.draw(st.frozensets(st.integers(0, max(0, len(form.clauses) - 1)))) & form.every
    answer = tracked_form(form, world).check(keep)
    assert answer.satisfiable == (holds(relax(form, keep), world) != VIOLATED)
    assert answer.core <= keep
    if not answer.satisfiable:
        assert holds(relax(form, answer.core), world) == VIOLATED


@given(formula=st.one_of(nested_counts(), covering()), data=st.data(),
       scene=scenes(classes=CLASSES, max_entities=4, attributes={"flooded": "boolean"}))  # fmt: skip
@settings(max_examples=240)
def test_z3_and_holds_agree_on_counts_in_counts_and_sums_of_covers(formula, scene, data):
    world = World(scene, VOCABULARY)
    assert decide(formula, world) == query_verdict(formula, world) == holds(formula, world)
    form = clause_form(formula)
    keep = data.draw(st.frozensets(st.sampled_from(sorted(form.every))))
    answer = tracked_form(form, world).check(keep)
    assert answer.satisfiable == (holds(relax(form, keep), world) != VIOLATED)


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("exists x (ship(x) & exists y (harbor(y) & near(x, y)))", SATISFIED),
        ("forall x (ship(x) -> exists y (harbor(y) & near(x, y)))", VIOLATED),
        ("exists=3 x (ship(x))", SATISFIED),
        ("exists>=4 x (ship(x))", VIOLATED),
        ("exists<=1 x (exists>=2 y (near(x, y)))", SATISFIED),
        ("exists<=0 x (exists>=3 y (near(x, y)))", SATISFIED),
        ("exists<=0 x (exists>=2 y (near(x, y)))", VIOLATED),
        ("exists<=1 x (exists<=0 y (near(x, y)))", SATISFIED),
        ("exists<=0 x (exists<=0 y (near(x, y)))", VIOLATED),
        ("2 * count x (ship(x)) > 5 * count x (harbor(x))", SATISFIED),
        ("count x (ship(x)) * 1000000000 >= 3000000001 * count x (harbor(x))", VIOLATED),
        ("2 * count x (ship(x) & length(x) > 5 m) != 3", SATISFIED),
        ("2 * count x (ship(x) & length(x) > 5 m) = 3", VIOLATED),
        ("2 * count x (ship(x) & length(x) > 5 m) = 4", UNDECIDED),
        ("cover x (harbor(x)) >= 3200 px2", SATISFIED),
        ("cover x (harbor(x)) > 10 %", VIOLATED),
        ("2 * cover x (ship(x) & length(x) > 5 m) > 10 px2", UNDECIDED),
        ("(1 - 2) * cover x (ship(x) & length(x) > 5 m) > 0 px2 - 10 px2", UNDECIDED),
        ("exists x (ship(x) & length(x) > 5 m)", UNDECIDED),
        ("true", SATISFIED),
    ],
)
def test_verdicts_of_a_harbor(query, verdict):
    world = world_of(
        [("harbor", 0, 0, 80, 40), ("ship", 20, 45, 12, 4), ("ship", 60, 50, 12, 4), ("ship", 250, 180, 12, 4)],
        width=300, height=200,
    )  # fmt: skip
    formula = read(query)
    assert holds(formula, world) == verdict
    assert decide(formula, world) == verdict


def test_too_large_is_refused_with_its_size_before_it_is_built():
    world = world_of([("ship", 10 * i, 0, 4, 4) for i in range(40)])
    formula = read("exists x (exists y (exists z (near(x, y) & near(y, z) & near(z, x))))")
    size = measure(clause_form(formula), world)
    assert size > 40**3
    with pytest.raises(LimitError, match="more than 1,000") as raised:
        decide(formula, world, max_cells=1000)
    assert "ground instances" in raised.value.message
    assert raised.value.exit_status == 4
    with pytest.raises(LimitError):  # one that holds, too
        decide(read("exists x (exists y (exists z (x = y & y = z & z = x)))"), world, max_cells=1000)


def test_guards_make_it_small():
    world = world_of([("ship", 10 * i, 0, 4, 4) for i in range(40)] + [("harbor", 0, 20, 9, 9)])
    formula = read("exists x (harbor(x) & exists y (harbor(y) & exists z (harbor(z) & between(x, y, z))))")
    assert decide(formula, world, max_cells=1000) == VIOLATED


@st.composite
def ground_terms(draw):
    """A random term over five clauses, built up from its parts."""
    ground = Ground()
    numbers = [ground.relaxed(clause) for clause in range(5)] + [0, 1]
    for _ in range(draw(st.integers(1, 8))):
        parts = draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=5))
        match draw(st.sampled_from(("every", "some", "at least", "at least"))):
            case "every":
                numbers.append(ground.every(parts))
            case "some":
                numbers.append(ground.some(parts))
            case _:
                unit = draw(st.sampled_from((1, 1, 2**29)))  # the large ones are beyond Z3's machine integers
                weights = [(part, unit * draw(st.integers(1, 4))) for part in parts]
                numbers.append(ground.at_least(unit * draw(st.integers(0, 9)), weights))
    ground.root = numbers[-1]
    return ground


@given(ground=ground_terms(), kept=st.frozensets(st.integers(0, 4)))
@settings(max_examples=120)
def test_a_ground_term_means_the_same_to_z3(ground, kept):
    every = frozenset(range(5))
    answer = Tracked(ground, every).check(kept)
    assert answer.satisfiable == ground.holds(every - kept)
    if not answer.satisfiable:
        assert answer.core <= kept
        assert not ground.holds(every - answer.core)


@given(weights=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5)), max_size=6), threshold=st.integers(-1, 12),
       relaxed=st.frozensets(st.integers(0, 4)))  # fmt: skip
@settings(max_examples=120)
def test_a_sum_is_what_it_says_however_it_is_simplified(weights, threshold, relaxed):
    ground = Ground()
    terms = [ground.relaxed(clause) for clause in range(5)]
    ground.root = ground.at_least(threshold, [(terms[clause], weight) for clause, weight in weights])
    assert ground.holds(relaxed) == (sum(w for clause, w in weights if clause in relaxed) >= threshold)


def test_sums_beyond_machine_integers():
    ground = Ground()
    terms = [ground.relaxed(clause) for clause in range(3)]
    ground.root = ground.at_least(2**32, [(term, 2**31) for term in terms])  # two of three
    tracked = Tracked(ground, range(3))
    assert not tracked.check((0, 1, 2)).satisfiable
    assert not tracked.check((0, 1)).satisfiable
    assert tracked.check((0,)).satisfiable
    ground.root = ground.at_least(2**31 + 1, [(terms[0], 2**31), (terms[1], 1), (terms[2], 1)])  # the first and one
    tracked = Tracked(ground, range(3))
    assert not tracked.check((0,)).satisfiable
    assert not tracked.check((1, 2)).satisfiable
    assert tracked.check((1,)).satisfiable


def test_every_thread_has_a_context_of_its_own():
    """Z3's are not to be shared: what one thread has begun, others do not disturb."""
    world = world_of([("ship", 0, 0, 4, 4), ("harbor", 9, 0, 4, 4)])
    texts = ("exists x (ship(x))", "exists x (plane(x))", "count x (ship(x)) * 4000000000 > count x (harbor(x))")
    expected = [decide(read(text), world) for text in texts]
    assert expected == [SATISFIED, VIOLATED, SATISFIED]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda text: decide(read(text), world), texts * 5))
    assert found == expected * 5
    with ThreadPoolExecutor(1) as pool:
        pool.submit(test_sums_beyond_machine_integers).result()


def test_a_time_limit_that_is_reached_is_said():
    """Sums of which Z3 takes some hundred times as long."""
    ground, numbers = Ground(), Random(1)
    terms = [ground.relaxed(clause) for clause in range(300)]
    sums = [[(term, numbers.randrange(2**40, 2**41)) for term in numbers.sample(terms, 60)] for _ in range(300)]
    ground.root = ground.every([ground.at_least(sum(w for _, w in each) // 2, each) for each in sums])
    tracked = Tracked(ground, range(300), time_limit_ms=1)
    with pytest.raises(LimitError) as raised:
        tracked.check(range(150))
    assert str(raised.value) == "Z3 gave no answer within 0.001 s."
    form = clause_form(read("exists x (ship(x))"))
    assert tracked_form(form, world_of([]), time_limit_ms=7).time_limit_ms == 7


def test_a_term_that_is_let_go_leaves_nothing_behind():
    """Of an archive, Z3 keeps no more memory than of a few images."""

    def ask(seed):
        ground, numbers = Ground(), Random(seed)
        terms = [ground.relaxed(clause) for clause in range(12)]
        sums = [[(term, numbers.randrange(2**40, 2**41)) for term in numbers.sample(terms, 8)] for _ in range(6)]
        ground.root = ground.every([ground.at_least(sum(w for _, w in each) // 2, each) for each in sums])
        tracked = Tracked(ground, range(12))
        assert not any(tracked.check(range(12)).satisfiable for _ in range(10))

    for seed in range(30):
        ask(seed)
    before = z3core.Z3_get_estimated_alloc_size()
    for seed in range(30, 90):
        ask(seed)
    assert z3core.Z3_get_estimated_alloc_size() - before < 30_000  # bytes

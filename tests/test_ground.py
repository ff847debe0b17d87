"""Ground terms over the clauses: arrays of them are joined as each for itself, and simple ones stay simple."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.errors import LimitError
from rune_smt.grammar.reader import read
from rune_smt.solver.clauses import clause_form
from rune_smt.solver.expand import guarded, measure, refuse_if_large
from rune_smt.solver.ground import FALSE, MAX_COVER_CLAUSES, TRUE, Every, Ground, Relaxed, Some, Terms, expanded
from tests.solver_cases import world_of

CLAUSES = 70  # more than the bits of a machine word


@st.composite
def arrays(draw):
    """A walk with some terms made, and three arrays of their numbers, of shapes (2, 3, n), (2, 1, n) and (1, 3, 1)."""
    walk = Terms(clause_form(read("true")), world_of([]), "sure")
    ground = walk.ground
    single = [ground.relaxed(clause) for clause in range(CLAUSES)]
    made = [FALSE, TRUE, *single[:4]]
    for _ in range(draw(st.integers(0, 4))):
        parts = draw(st.lists(st.sampled_from(made[2:]), min_size=2, max_size=3))
        made.append(draw(st.sampled_from((ground.every, ground.some)))(parts))
    wide = draw(st.booleans())
    n = CLAUSES if wide else draw(st.integers(1, 4))
    pool = draw(st.lists(st.sampled_from(made), min_size=1, max_size=4))
    chosen = np.array([draw(st.sampled_from(pool)) for _ in range(6 * min(n, 5))], dtype=np.int32)
    first = np.resize(chosen, (2, 3, n)).astype(np.int32)
    if wide:
        first[draw(st.integers(0, 1)), draw(st.integers(0, 2))] = single
    return walk, first, first[:, :1][..., ::-1], first[:1, :, :1], wide


relaxations = st.frozensets(st.integers(0, 4)).map(lambda some: some | frozenset(range(5, CLAUSES)))


@given(drawn=arrays(), every=st.booleans(), relaxed=st.one_of(relaxations, st.just(frozenset(range(CLAUSES)))))
@settings(max_examples=100)
def test_arrays_of_terms_are_joined_and_gathered_each_for_itself(drawn, every, relaxed):
    walk, first, second, third, _ = drawn
    gathered = walk.gather(first, every)
    pairs = [(one, other, walk.join(one, other, every)) for one, other in ((first, second), (second, third))]
    truth = np.array(walk.ground.values(relaxed))
    assert truth[gathered].tolist() == (truth[first].all(axis=-1) if every else truth[first].any(axis=-1)).tolist()
    for one, other, joined in pairs:
        both = truth[one] & truth[other] if every else truth[one] | truth[other]
        assert truth[joined].tolist() == both.tolist()


@given(drawn=arrays(), weights=st.tuples(st.integers(1, 3), st.integers(1, 3)), threshold=st.integers(-1, 12),
       relaxed=relaxations)  # fmt: skip
@settings(max_examples=100)
def test_sums_of_arrays_are_summed_each_for_itself(drawn, weights, threshold, relaxed):
    walk, first, _, third, wide = drawn
    entities = 3  # of the second part, the same for all
    threshold = threshold + CLAUSES * weights[0] - 9 if wide else threshold
    found = walk.at_least([(weights[0], first, first.shape[-1]), (weights[1], third, entities)], threshold)
    truth = np.array(walk.ground.values(relaxed))
    total = weights[0] * truth[first].sum(axis=-1) + weights[1] * entities * truth[third[..., 0]]
    assert truth[found].tolist() == (total >= threshold).tolist()


def test_sums_of_nothing():
    walk = Terms(clause_form(read("true")), world_of([]), "sure")
    nothing = np.zeros((2, 0), dtype=np.int32)
    assert walk.at_least([(1, nothing, 0)], 1).tolist() == [FALSE, FALSE]
    assert walk.at_least([(1, nothing, 0)], 0).tolist() == [TRUE, TRUE]
    one = np.array([[TRUE], [FALSE]], dtype=np.int32)
    assert walk.at_least([(1, nothing, 0), (2, one, 3)], 6).tolist() == [TRUE, FALSE]


def test_simple_terms_stay_simple():
    ground = Ground()
    a, b, c = (ground.relaxed(clause) for clause in range(3))
    assert ground.relaxed(1) == b and ground.terms[b] == Relaxed(1)
    assert ground.every(()) == TRUE and ground.some(()) == FALSE
    assert ground.every((a, TRUE)) == a and ground.some((FALSE, a, a)) == a
    assert ground.every((a, FALSE)) == FALSE and ground.some((a, TRUE)) == TRUE
    assert ground.terms[ground.every((a, ground.every((b, c))))] == Every(frozenset((a, b, c)))
    assert ground.terms[ground.some((a, ground.some((b, c))))] == Some(frozenset((a, b, c)))
    assert ground.every((a, ground.some((a, b)))) == a and ground.some((a, ground.every((a, b)))) == a
    assert ground.every((a, b)) == ground.every((b, a)) != ground.some((a, b))
    assert ground.at_least(0, [(a, 1)]) == TRUE and ground.at_least(2, [(TRUE, 2), (a, 1)]) == TRUE
    assert ground.at_least(3, [(a, 1), (b, 1), (FALSE, 9)]) == FALSE
    assert ground.at_least(1, [(a, 1), (b, 2)]) == ground.some((a, b))
    assert ground.at_least(3, [(a, 1), (b, 2)]) == ground.at_least(4, [(a, 2), (b, 3)]) == ground.every((a, b))
    assert ground.at_least(2, [(a, 1), (b, 1), (c, 1)]) == ground.at_least(4, [(c, 1), (a, 1), (TRUE, 2), (b, 1)])
    assert not ground.holds(frozenset((0, 1)))  # the root of a new one is false


def test_a_cover_with_too_many_clauses_is_refused():
    world = world_of([("ship", 0, 0, 4, 4)])
    parts = [f"length(x) > {limit} px" for limit in range(5, 5 + MAX_COVER_CLAUSES)]
    within = clause_form(read(f"cover x ({' | '.join(parts)}) > 1 px2"))
    assert expanded(within, world, "open").holds(frozenset((3,)))
    beyond = clause_form(read(f"cover x ({' | '.join(parts)} | harbor(x)) > 1 px2"))
    with pytest.raises(LimitError) as raised:
        expanded(beyond, world, "open")
    assert str(raised.value) == "A comparison of covers has 13 clauses, more than the 12 that can be told apart."


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("true", 0),
        ("exists x (ship(x))", 4 + 4),
        ("forall x (~ship(x) | harbor(x))", 4 + 4 + 4),
        ("exists>=2 x (exists y (near(x, y)))", 4 + 16 + 16),
        ("exists x (ship(x) & exists y (harbor(y)))", 4 + 4 + 4 + 4),
        ("2 * count x (ship(x)) > count y (exists z (near(y, z)))", (4 + 4) + (4 + 16 + 16)),
        ("cover x (ship(x)) > 3 px2", 4 + 4),
        ("exists x (area(x) > 3 px2)", 4 + 4),
    ],
)
def test_how_many_ground_instances_a_form_has(query, size):
    world = world_of([("ship", 20 * i, 0, 4, 4) for i in range(3)] + [("harbor", 0, 20, 9, 9)])
    form = clause_form(read(query))
    assert measure(form, world) == size
    assert refuse_if_large(form, world, limit=size) == size


def test_guards_are_measured_too():
    world = world_of([("ship", 20 * i, 0, 4, 4) for i in range(3)] + [("harbor", 0, 20, 9, 9)])
    form = clause_form(read("exists x (harbor(x) & exists y (ship(y) & near(x, y)))"))
    domain = guarded(world, world.scene.table.classes)
    assert measure(form, world, domain) == 1 + 1 + (3 + 3 + 3)
    with pytest.raises(LimitError) as raised:
        refuse_if_large(form, world, domain, limit=10)
    assert str(raised.value) == (
        "Written out over the 4 entities of image 'P0001' the query has 11 ground instances, more than 10.\n"
        "A query in which each relation joins two variables, or a higher min_score, is smaller."
    )


def test_what_is_not_in_clause_form_is_refused():
    world, form = world_of([]), clause_form(read("exists x (ship(x))"))
    walk = Terms(form, world, "sure")
    with pytest.raises(TypeError, match=r"^not in clause form: Implies$"):
        walk.good(read("true -> exists x (ship(x))"), 0, True, (), None)

"""Formulas over independent propositions: whatever is asked of a term, the answer is that of all its worlds."""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.solver.numbers import compare_to_zero
from rune_smt.solver.propositions import FALSE, TRUE, Holds, HoldsInRanges, Propositions, TooLarge
from rune_smt.verdict import UNDECIDED

OPS = ("<", "<=", ">", ">=", "=", "!=")
HUGE = 1 << 41  # a weight beyond what sums are kept as distributions of
RANGES = ((1, 1, 0, 0), (0, 1, 0, 0), (0, 0, 1, 1), (0, 0, 0, 1))  # fewest and most of two counts that a part adds


@dataclass(frozen=True)
class Most:
    """More than half of the parts: a rule."""

    work: int = 1

    def __call__(self, known):
        if 2 * sum(value is True for value in known) > len(known):
            return True
        return False if 2 * sum(value is False for value in known) >= len(known) else None

    def many(self, rows):
        return 2 * rows.sum(axis=1) > rows.shape[1]


@st.composite
def built(draw, units=(1,)):
    """Propositions, and terms over them, each with its number and its truth in a world: a tuple of bools."""
    chances = draw(st.lists(st.sampled_from((0.2, 0.5, 0.7, 0.9, 1.0)), min_size=2, max_size=5))
    terms = Propositions(chances)
    rule = terms.rule(Most())
    made = [(TRUE, lambda world: True), (FALSE, lambda world: False)]
    for i in range(len(chances)):
        made.append((terms.literal(i), lambda world, i=i: world[i]))
        made.append((terms.literal(i, False), lambda world, i=i: not world[i]))
    for _ in range(draw(st.integers(3, 7))):
        open_ones = [(number, truth) for number, truth in made if number > TRUE] or made
        parts = draw(st.lists(st.sampled_from([*open_ones, *open_ones, *made[:2]]), min_size=2, max_size=4))
        numbers = [number for number, _ in parts]
        truths = [truth for _, truth in parts]
        wanted = draw(st.booleans())
        match draw(st.sampled_from(("every", "some", "negation", "sum", "sum", "ranges", "ranges", "rule"))):
            case "every":
                made.append((terms.every(numbers), lambda world, t=truths: all(f(world) for f in t)))
            case "some":
                made.append((terms.some(numbers), lambda world, t=truths: any(f(world) for f in t)))
            case "negation":
                made.append((terms.negation(numbers[0]), lambda world, t=truths: not t[0](world)))
            case "sum":
                unit = draw(st.sampled_from(units))
                weights = [unit * draw(st.integers(-2, 3)) for _ in parts]
                offset = unit * draw(st.integers(-4, 3))
                test = Holds(draw(st.sampled_from(OPS)))
                made.append(
                    (
                        terms.total(zip(numbers, weights, strict=True), offset, test, wanted),
                        lambda world, t=truths, w=weights, o=offset, test=test, wanted=wanted: test(
                            o + sum(weight for f, weight in zip(t, w, strict=True) if f(world))
                        ) == wanted,
                    )
                )  # fmt: skip
            case "ranges":
                op, constant = draw(st.sampled_from(OPS)), draw(st.integers(-3, 2))
                factors = (draw(st.integers(-2, 2)), draw(st.integers(1, 2)))
                test = HoldsInRanges(op, constant, factors, UNDECIDED)
                weights = [draw(st.sampled_from(RANGES)) for _ in parts]

                def in_ranges(world, t=truths, w=weights, op=op, constant=constant, factors=factors, wanted=wanted):
                    total = np.zeros(4, dtype=int) + sum(np.array(x) for f, x in zip(t, w, strict=True) if f(world))
                    ranges = [(factors[0], *map(int, total[:2])), (factors[1], *map(int, total[2:]))]
                    return (compare_to_zero(op, constant, ranges) >= UNDECIDED) == wanted

                made.append((terms.total(zip(numbers, weights, strict=True), (0, 0, 0, 0), test, wanted), in_ranges))
            case "rule":
                made.append(
                    (
                        terms.ruled(numbers, rule, wanted),
                        lambda world, t=truths, wanted=wanted: (2 * sum(f(world) for f in t) > len(t)) == wanted,
                    )
                )
    return terms, made


def worlds_of(terms):
    """Every possible world and how probable it is."""
    for world in product((False, True), repeat=len(terms.probabilities)):
        chance = np.prod([p if there else 1 - p for p, there in zip(terms.probabilities, world, strict=True)])
        if chance > 0:
            yield world, float(chance)


@settings(max_examples=200)
@given(drawn=built())
def test_a_probability_is_that_of_the_worlds_in_which_it_is_true(drawn):
    terms, made = drawn
    for number, truth in made[-6:]:
        inside = [chance for world, chance in worlds_of(terms) if truth(world)]
        outside = [chance for world, chance in worlds_of(terms) if not truth(world)]
        found = terms.probability(number)
        assert found == pytest.approx(sum(inside), abs=1e-12)
        assert terms.probability(terms.negation(number)) == pytest.approx(sum(outside), abs=1e-12)
        assert terms.probability(terms.negation(terms.negation(number))) == found
        assert (terms.negation(TRUE), terms.negation(FALSE)) == (FALSE, TRUE)
        assert (found == 0.0) == (not inside)
        assert (found == 1.0) == (not outside)


@settings(max_examples=150)
@given(drawn=built(units=(1, 1, HUGE)))
def test_terms_are_true_in_the_worlds_in_which_they_are(drawn):
    terms, made = drawn
    every = [world for world, _ in worlds_of(terms)]
    found = terms.in_worlds([number for number, _ in made], np.array(every))
    for (_, truth), values in zip(made, found, strict=True):
        assert values.tolist() == [truth(world) for world in every]


@settings(max_examples=150)
@given(drawn=built(), value=st.booleans())
def test_what_is_known_is_put_in(drawn, value):
    terms, made = drawn
    number, truth = made[-1]
    for proposition in range(len(terms.probabilities)):
        left = terms.given(number, proposition, value)
        assert not terms.support[left] >> proposition & 1 or terms.probabilities[proposition] in (0.0, 1.0)
        for world, _ in worlds_of(terms):
            known = (*world[:proposition], value, *world[proposition + 1 :])
            if terms.probabilities[proposition] not in (0.0, 1.0):
                assert terms.in_worlds([left], np.array([world]))[0].tolist() == [truth(known)]


@settings(max_examples=150)
@given(drawn=built())
def test_a_model_makes_it_true_whatever_else_is(drawn):
    terms, made = drawn
    number, truth = made[-1]
    if not any(truth(world) for world, _ in worlds_of(terms)):
        with pytest.raises(ValueError, match="no world"):
            terms.model(number)
        return
    model = terms.model(number)
    agreeing = [world for world, _ in worlds_of(terms) if all(world[p] == value for p, value in model.items())]
    assert agreeing and all(truth(world) for world in agreeing)


def test_a_model_takes_the_likelier_value_where_both_may_be():
    terms = Propositions([0.7, 0.3, 0.5])
    literals = [terms.literal(i) for i in range(3)]
    assert terms.model(terms.some(literals)) == {0: True}
    assert terms.model(terms.some(literals[1:])) == {1: False, 2: True}
    assert terms.model(terms.every((literals[1], literals[2]))) == {1: True, 2: True}
    even = Propositions([0.5, 0.5])
    assert even.model(even.some((even.literal(0), even.literal(1)))) == {0: True}


def test_equal_terms_are_one_and_the_simplest_they_can_be():
    terms = Propositions([0.5, 0.5, 0.5, 1.0, 0.0])
    a, b, c, always, never = (terms.literal(i) for i in range(5))
    assert (always, never, terms.literal(3, False), terms.literal(4, False)) == (TRUE, FALSE, FALSE, TRUE)
    assert terms.every((a, terms.every((b, c)))) == terms.every((c, b, a))
    assert terms.some((a, FALSE)) == a and terms.every((a, a, TRUE)) == a
    assert terms.every((a, FALSE)) == FALSE and terms.some((a, TRUE)) == TRUE
    assert terms.every(()) == TRUE and terms.some(()) == FALSE
    assert terms.every((a, b, terms.negation(a))) == FALSE
    assert terms.negation(terms.every((a, b))) == terms.some((terms.negation(b), terms.negation(a)))
    once = terms.total([(a, 1), (b, 2)], 0, Holds(">"))
    assert terms.total([(b, 2), (a, 3), (a, -2), (c, 0), (FALSE, 9)], 0, Holds(">")) == once
    assert terms.total([(TRUE, 4), (a, 1), (b, 2)], -4, Holds(">")) == once
    for offset, op, settled in (
        (0, ">=", TRUE), (0, "<", FALSE), (-3, "<=", TRUE), (-3, ">", FALSE), (1, ">", TRUE), (-4, "<", TRUE),
        (1, "=", FALSE), (-4, "!=", TRUE), (0, "<=", None), (0, ">", None), (-3, ">=", None), (-3, "<", None),
        (-1, "=", None), (0, "=", None), (-3, "!=", None),
    ):  # fmt: skip
        total = terms.total([(a, 1), (b, 2)], offset, Holds(op))
        assert total == settled if settled is not None else total > TRUE, (offset, op)


def test_more_work_than_allowed_is_refused():
    def entangled(max_work):
        terms = Propositions([0.5] * 12, max_work)
        numbers = [terms.literal(i) for i in range(12)]
        return terms, terms.some(terms.every((numbers[i], numbers[(i + 1) % 12])) for i in range(12))

    terms, number = entangled(10)
    with pytest.raises(TooLarge):
        terms.probability(number)
    terms, number = entangled(60_000)
    expected = sum(
        any(world[i] and world[(i + 1) % 12] for i in range(12)) for world in product((0, 1), repeat=12)
    ) / 2**12  # fmt: skip
    assert terms.probability(number) == pytest.approx(expected, abs=1e-12)
    assert 0 < terms.work < 2_000
    ring = Propositions([0.5] * 16)
    literals = [ring.literal(i) for i in range(16)]
    pairs = [ring.every((literals[i - 1], literals[i])) for i in range(16)]
    assert ring.probability(ring.total([(pair, 1) for pair in pairs], -8, Holds(">="))) == pytest.approx(4685 / 2**16)
    assert ring.work < 2_000  # without remembering what remains: ten times as much
    wide = Propositions([0.5] * 3)
    far = wide.total([(wide.literal(i), 1_000_000 * (i + 1)) for i in range(3)], -1_000_001, Holds("="))
    with pytest.raises(TooLarge):
        wide.probability(far)


def test_what_goes_too_deep_is_refused_before_the_stack_ends():
    for n, refused in ((20, False), (250, True)):
        terms = Propositions([0.5] * n, max_work=1 << 40)
        literals = [terms.literal(i) for i in range(n)]
        pairs = [terms.every(pair) for pair in pairwise(literals)]
        for number in (
            terms.some(pairs),
            terms.total([(pair, 1) for pair in pairs], -n // 2, Holds(">=")),
            terms.total([(pair, (1, 0)) for pair in pairs], (0, 0), HoldsInRanges(">", -2, (1,), UNDECIDED)),
        ):
            if refused:
                with pytest.raises(TooLarge):
                    terms.probability(number)
            else:
                assert 0 < terms.probability(number) < 1

"""The meaning itself: cases worked out by hand, counts over ranges, links, graded degrees, what is missing."""

import itertools
import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities.scene import Scene
from rune_smt.grammar.definitions import link_body
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import Vocabulary, load_vocabulary
from rune_smt.solver.graded import degrees
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.numbers import compare_to_zero
from rune_smt.solver.world import World
from rune_smt.verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict
from tests.laws import VOCABULARY, law_scenes, queries

DOTA = load_vocabulary("dota-v1.5")


def box(x, y, w, h):
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


def scene(*entities, **image):
    listed = [
        {"entity_id": i, "label": label, "score": score, "polygon": polygon, "attributes": {}}
        for i, (label, polygon, score) in enumerate((*e, 1.0)[:3] for e in entities)
    ]
    return Scene.from_json({"image_id": "s", **image, "entities": listed})


HARBOR_AND_SHIPS = scene(("ship", box(0, 0, 10, 4)), ("ship", box(80, 50, 10, 4)), ("harbor", box(0, 8, 30, 20)))

CASES = [
    ("exists x (ship(x))", SATISFIED),
    ("exists x (ship(x) & ~(exists y (harbor(y) & near(x, y))))", SATISFIED),
    ("forall x (ship(x) -> exists y (harbor(y) & near(x, y)))", VIOLATED),
    ("exists>=3 x (ship(x))", VIOLATED),
    ("exists=2 x (ship(x))", SATISFIED),
    ("exists>=0 x (plane(x))", SATISFIED),
    ("count x (ship(x)) = 2 * count x (harbor(x))", SATISFIED),
    ("count x (ship(x)) > count x (harbor(x)) + 1", VIOLATED),
    ("exists x (ship(x) & in_left(x))", UNDECIDED),
    ("exists x exists y (ship(x) & harbor(y) & distance(x, y) <= 50 m)", None),
    ("exists x (exists y (ship(x) & harbor(y) & distance(x, y) <= 4 px))", SATISFIED),
    ("exists x (exists y (ship(x) & harbor(y) & distance(x, y) <= 50 m))", UNDECIDED),
    ("forall x (plane(x))", VIOLATED),
    ("forall x (plane(x) -> false)", SATISFIED),
    ("cover x (harbor(x)) = 600 px2", SATISFIED),
    ("cover x (ship(x)) >= 10 %", UNDECIDED),
    ("in_left(x)", None),
]


@pytest.mark.parametrize(("text", "expected"), [case for case in CASES if case[1] is not None])
def test_cases_worked_out_by_hand(text, expected):
    formula = check(read(text), DOTA, text)
    assert holds(formula, World(HARBOR_AND_SHIPS, DOTA)) == expected


def test_an_empty_scene_satisfies_every_universal_and_no_existential():
    empty = World(scene(), DOTA)
    assert holds(read("forall x (ship(x))"), empty) == SATISFIED
    assert holds(read("exists x (true)"), empty) == VIOLATED


def test_entities_below_min_score_do_not_exist():
    weak = scene(("ship", box(0, 0, 10, 4), 0.3), ("ship", box(20, 0, 10, 4), 0.8))
    assert World(weak, DOTA).entities == (1,)
    assert World(weak, DOTA, 0.3).entities == (0, 1)
    assert holds(read("exists=1 x (ship(x))"), World(weak, DOTA)) == SATISFIED


def test_what_is_missing_is_named_and_sorted():
    world = World(HARBOR_AND_SHIPS, DOTA)
    formula = read("exists x (in_left(x) & length(x) > 5 m & exists y (north_of(x, y)))")
    assert world.missing(formula) == ["gsd", "image size", "transform"]


@pytest.mark.parametrize("op", ["=", "!=", "<", "<=", ">", ">="])
@settings(max_examples=60)
@given(
    constant=st.integers(-12, 12),
    ranges=st.lists(
        st.tuples(st.integers(-4, 4), st.integers(0, 3), st.integers(0, 3)).map(lambda t: (t[0], t[1], t[1] + t[2])),
        max_size=3,
    ),
)
def test_a_comparison_of_ranging_counts_is_that_of_all_their_values(op, constant, ranges):
    compare = {
        "=": lambda v: v == 0, "!=": lambda v: v != 0, "<": lambda v: v < 0, "<=": lambda v: v <= 0,
        ">": lambda v: v > 0, ">=": lambda v: v >= 0,
    }[op]  # fmt: skip
    values = [
        compare(constant + sum(c * n for (c, _, _), n in zip(ranges, choice, strict=True)))
        for choice in itertools.product(*(range(low, high + 1) for _, low, high in ranges))
    ]
    expected = SATISFIED if all(values) else UNDECIDED if any(values) else VIOLATED
    assert compare_to_zero(op, constant, ranges) == expected


@settings(max_examples=100)
@given(formula=queries(counts=False), scene=law_scenes())
def test_kleene_a_decided_verdict_stands_however_missing_values_are_filled_in(formula, scene):
    """What is satisfied with values missing is satisfied with any values in their place."""
    document = scene.to_json()
    filled = {**document, "width": document["width"] or 30, "height": document["height"] or 30}
    filled["gsd"] = document["gsd"] or 0.5
    filled.setdefault("transform", [0.0, 1.0, 0.0, 0.0, 0.0, -1.0])
    before = holds(formula, World(scene, VOCABULARY))
    after = holds(formula, World(Scene.from_json(filled), VOCABULARY))
    assert before in (after, UNDECIDED)


@settings(max_examples=60)
@given(formula=queries(max_depth=3), scene=law_scenes(), scores=st.lists(st.integers(1, 4), min_size=4, max_size=4))
def test_a_degree_is_the_measure_of_the_thresholds_at_which_the_scene_is_satisfied(formula, scene, scores):
    document = scene.to_json()
    for entity, score in zip(document["entities"], scores, strict=False):
        entity["score"] = score / 4
    scored = Scene.from_json(document)
    steps = [0.25, 0.5, 0.75, 1.0]
    verdicts = [holds(formula, World(scored, VOCABULARY, step)) for step in steps]
    found, code = degrees(normalise(formula), scored.table, VOCABULARY)
    assert found[0] == pytest.approx(0.25 * verdicts.count(SATISFIED))
    possible = any(v >= UNDECIDED for v in verdicts)
    assert code[0] == (SATISFIED if found[0] > 0 else UNDECIDED if possible else VIOLATED)


def test_links_are_chains_and_carry_what_is_missing():
    touching = [("vehicle", box(10 * i, 0, 9, 5)) for i in range(3)]
    base = {"image_id": "s", "entities": []}
    cases = (  # a pair is linked where the formula, ~flooded(x) & ..., holds in either order
        ([False] * 3, SATISFIED),
        ([False, True, False], SATISFIED),
        ([False, True, True], VIOLATED),
        ([False, True, None], UNDECIDED),
    )
    for flooded, expected in cases:
        entities = [
            {"entity_id": i, "label": label, "polygon": polygon, "attributes": {"flooded": value}}
            for i, ((label, polygon), value) in enumerate(zip(touching, flooded, strict=True))
        ]
        world = World(Scene.from_json({**base, "entities": entities}), VOCABULARY)
        assert Verdict(int(world.links("connected").table()[0, 2])) == expected


def test_a_link_may_use_definitions():
    flood = load_vocabulary("flood")
    roads = scene(("road", box(0, 0, 9, 5)), ("road", box(10, 0, 9, 5)), ("road", box(40, 0, 9, 5)))
    linked = World(roads, flood).links("connected").table()
    assert [Verdict(int(v)) for v in linked[0]] == [UNDECIDED, UNDECIDED, VIOLATED]  # whether they are dry is not known


def test_numbers_keep_their_digits():
    formula = read("exists x (area(x) >= 0.10 ha)")
    number = formula.body.right
    assert number.value == Decimal("0.1")


LINK_BODIES = (
    "vehicle(x) & vehicle(y) & ~flooded(x) & distance(x, y) <= 2 px",
    "vehicle(x) & distance(x, y) > 3 m & (height(x) > height(y) | near(x, y))",
    "(flooded(x) <-> flooded(y)) & (ship(x) -> exists z (z != y & near(z, x)))",
    "overlaps(x, y) & count z (near(z, y)) >= 2 & true",
    "far(x, y) & distance(x, y) < 9 px & ~(damage(x) = damage(y))",
)


@pytest.mark.parametrize("body", LINK_BODIES)
@settings(max_examples=25)
@given(scene=law_scenes(max_entities=5))
def test_pairs_are_linked_where_the_formula_holds_in_either_order_and_chains_join_them(body, scene):
    text = VOCABULARY.to_toml().split("[links]")[0] + f"[links]\nconnected = {json.dumps(body)}\n"
    vocabulary = Vocabulary.from_toml(text, source="law")
    world = World(scene, vocabulary)
    formula, n = link_body("connected", vocabulary), len(world)
    step = np.zeros((n, n), dtype=int)
    for i, j in itertools.product(range(n), repeat=2):
        if i != j:
            either = ({"x": i, "y": j}, {"x": j, "y": i})
            envs = [{name: world.entities[place] for name, place in env.items()} for env in either]
            step[i, j] = max(holds(formula, world, env) for env in envs)
    reached = step.copy()
    for middle in range(n):  # the best chain is as good as its worst step
        reached = np.maximum(reached, np.minimum(reached[:, middle, None], reached[None, middle, :]))
    assert world.links("connected").table().tolist() == reached.tolist()

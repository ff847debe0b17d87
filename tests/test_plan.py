"""The plan keeps every verdict, binds few things first, and leaves out only what is too far away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities import corners as quadrilaterals
from rune_smt.entities.relations import (
    BY_BOXES,
    BY_CORNERS,
    OPEN,
    by_boxes,
    by_corners,
    common_areas,
    gap_by_boxes,
    gap_by_corners,
    gaps,
    truth,
)
from rune_smt.entities.scene import Scene
from rune_smt.grammar.nodes import Apply, Variable
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.solver.array_engine import ArrayEngine
from rune_smt.solver.atoms import parameters_of
from rune_smt.solver.holds import holds
from rune_smt.solver.joins import BOUNDED, StripIndex, boxes_of, reach
from rune_smt.solver.normalise import normalise
from rune_smt.solver.plan import Planner, components
from rune_smt.solver.plan_text import describe
from rune_smt.solver.world import World
from rune_smt.testing.scenes import scenes
from tests.laws import VOCABULARY, joined, law_scenes, queries

DOTA = load_vocabulary("dota-v1.0")


@settings(max_examples=120)
@given(
    formula=queries(),
    several=st.lists(law_scenes(), min_size=1, max_size=4),
    batch=st.integers(1, 9),
    workers=st.integers(1, 3),
)
def test_batches_and_workers_make_no_difference(formula, several, batch, workers):
    table = joined(several)
    expected = [holds(formula, World(Scene(table, i), VOCABULARY)) for i in range(len(several))]
    engine = ArrayEngine(table, VOCABULARY, batch=batch, workers=workers)
    assert engine.decide(normalise(formula)).tolist() == expected


# Variables that may change places, in formulas that the generator of queries seldom makes.
TWINS = (
    "exists x (exists y (x != y & overlaps(x, y) & ~same_class(x, y)))",
    "exists x (exists y (near(x, y) & flooded(x) & flooded(y)))",
    "exists x (exists y ((touches(x, y) | x = y) & large(x) & large(y)))",
    "exists x (ship(x) & exists y (ship(y) & exists z (harbor(z) & between(z, x, y))))",
    "exists x (exists y (exists z (clustered(x, y, z) & ship(x) & ship(y) & ship(z))))",
    "exists x (exists y (exists z (x != y & y != z & x != z & near(x, y) & near(y, z) & near(x, z))))",
    "exists x (ship(x) & exists y (ship(y) & x != y & ~(exists z (near(x, z) & near(y, z) & flooded(z)))))",
    "forall x (forall y (near(x, y) & x != y -> parallel(x, y)))",
    "exists x (ship(x) & forall y (ship(y) & near(x, y) -> exists z (ship(z) & near(y, z) & flooded(z))))",
    "exists x (exists y (~same_class(x, y) & near(x, y) & ~flooded(y)))",
    "exists x (exists y (exists z (overlaps(x, y) & ~same_class(x, y) & overlaps(z, y) & ~same_class(z, y) & x != z)))",
    "exists x (count y (near(x, y) & ~same_class(x, y)) > 1)",
    "exists x (forall y (~same_class(x, y) & distance(x, y) < 30 px -> far(x, y)))",
    "forall x (exists y (~same_class(y, x) & distance(x, y) < 3 px))",
    "exists z (harbor(z) & exists x (ship(x) & near(x, z) & exists y (ship(y) & near(y, z) & near(x, y))))",
    "exists z (exists x (near(x, z) & flooded(z) & exists y (x != y & near(y, z) & touches(x, y))))",
    "exists x (exists y (near(x, y) & larger(x, y)))",
)


@pytest.mark.parametrize("text", TWINS)
@settings(max_examples=15)
@given(several=st.lists(law_scenes(), min_size=1, max_size=3), chunk=st.integers(1, 30))
def test_of_two_bindings_that_say_the_same_one_is_enough(text, several, chunk):
    table, formula = joined(several), read(text)
    expected = [holds(formula, World(Scene(table, i), VOCABULARY)) for i in range(len(several))]
    engine = ArrayEngine(table, VOCABULARY, chunk=chunk)
    assert engine.decide(normalise(formula)).tolist() == expected


def test_what_may_change_places():
    planner = Planner(("harbor", "ship"), VOCABULARY, np.ones(2))
    assert planner.plan(read(TWINS[0])).bind.rest.bind.twin == planner.plan(read(TWINS[0])).bind.var
    assert planner.plan(read(TWINS[0])).bind.rest.bind.apart
    assert not planner.plan(read(TWINS[2])).bind.rest.bind.apart
    assert planner.plan(read(TWINS[-1])).bind.rest.bind.twin == ""


def pairs_of(table):
    n = len(table)
    first, second = (side.ravel() for side in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    return first, second


@pytest.mark.parametrize("tell", [by_boxes, by_corners])
@pytest.mark.parametrize("word", BY_BOXES)
@settings(max_examples=20)
@given(scene=scenes(classes=("ship", "harbor"), max_entities=8))
def test_boxes_and_corners_tell_nothing_but_the_truth(scene, word, tell):
    table, rows = scene.table, pairs_of(scene.table)
    parameters = parameters_of(VOCABULARY, table.classes)
    told = tell(word, table, rows, parameters)
    known = told != OPEN
    assert (told[known] == truth(word, table, rows, parameters)[known]).all()


@pytest.mark.parametrize("tell", [gap_by_boxes, gap_by_corners])
@settings(max_examples=60)
@given(scene=scenes(classes=("ship",), max_entities=8), limit=st.floats(0, 500))
def test_boxes_and_corners_tell_the_truth_of_gaps(scene, limit, tell):
    first, second = pairs_of(scene.table)
    told = tell(scene.table, first, second, np.full(len(first), limit))
    gap = gaps(scene.table, first, second)
    assert (gap[told == 2] < limit).all()
    assert (gap[told == 0] > limit).all()


@pytest.mark.parametrize("word", BOUNDED)
@settings(max_examples=25)
@given(scene=scenes(classes=("ship", "harbor"), max_entities=9))
def test_whatever_satisfies_lies_within_reach(scene, word):
    table, (first, second) = scene.table, pairs_of(scene.table)
    parameters = parameters_of(VOCABULARY, table.classes)
    atom = Apply(word, (Variable("x"), Variable("y")))
    verdicts = truth(word, table, (first, second), parameters)
    wanted = (verdicts < 2 if word == "far" else verdicts > 0) & (first != second)
    assert {*zip(first[wanted], second[wanted], strict=True)} <= found_by_index(table, atom, parameters)


@settings(max_examples=150)
@given(
    corners=st.lists(
        st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=4, max_size=4), min_size=2, max_size=6
    ),
    scale=st.sampled_from([1e-3, 1.0, 1e4]),
    shift=st.sampled_from([0.0, 1e6]),
)
def test_corners_bound_gap_and_common_area_of_any_quadrilaterals(corners, scale, shift):
    points = np.array(corners) * scale + shift
    table = scene_of([(ring.tolist(), "ship") for ring in points]).table
    first, second = pairs_of(table)
    low, high = quadrilaterals.gaps(table.corners(first), table.corners(second), np.full(len(first), np.inf))
    gap, meet = gaps(table, first, second), common_areas(table, first, second)
    other = first != second
    assert (low[other] <= gap[other]).all()
    assert (gap[other] <= high[other]).all()
    least, most = quadrilaterals.common_areas(table.corners(first), table.corners(second))
    assert (least[other] <= meet[other]).all()
    assert (meet[other] <= most[other]).all()


@pytest.mark.parametrize("word", BY_CORNERS)
def test_corners_tell_nearly_all_of_quadrilaterals(word):
    rng = np.random.default_rng(5)
    boxes = [turned(*rng.uniform(0, 200, 2), *rng.uniform(10, 60, 2), rng.uniform(0, np.pi)) for _ in range(60)]
    table = scene_of([(box.tolist(), "ship") for box in boxes]).table
    first, second = pairs_of(table)
    rows = first[first != second], second[first != second]
    told = by_corners(word, table, rows, parameters_of(VOCABULARY, table.classes))
    assert (told != OPEN).all()
    assert (told == truth(word, table, rows, parameters_of(VOCABULARY, table.classes))).all()


def scene_of(outlines):
    """A scene of outlines with their labels."""
    entities = [{"polygon": points, "label": label} for points, label in outlines]
    return Scene.from_json({"image_id": "a", "entities": entities})


def turned(cx, cy, length, width, angle):
    """The corners of a rectangle at an angle."""
    along = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * width / 2
    return np.array([cx, cy]) + np.array([along + across, along - across, -along - across, across - along])


def found_by_index(table, atom, parameters):
    rows = np.arange(len(table))
    index = StripIndex(table, rows, lambda own: reach(atom, "y", table, own, parameters))
    boxes = boxes_of(table, rows, reach(atom, "x", table, rows, parameters))
    owner, start, length = index.ranges(index.groups(rows, table.image.astype(np.int64)), boxes)
    pairs = set()
    for box, begin, count in zip(owner, start, length, strict=True):
        places = np.arange(begin, begin + count)
        kept, near = index.within_reach(np.full(count, box), places, boxes)
        pairs |= {*zip(kept, index.order[near], strict=True)}
    return pairs


@pytest.mark.parametrize("seed", range(3))
def test_the_index_finds_the_same_in_a_crowd(seed):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 3000, (400, 2))
    sides = rng.lognormal(2.5, 1.2, (400, 2))
    entities = [
        {
            "entity_id": i,
            "label": "ship",
            "score": 1.0,
            "polygon": [[x, y], [x + w, y], [x + w, y + h], [x, y + h]],
        }
        for i, ((x, y), (w, h)) in enumerate(zip(corners.tolist(), sides.tolist(), strict=True))
    ]
    crowd = {"image_id": "crowd", "width": 4000, "height": 4000, "gsd": None, "entities": entities}
    table = Scene.from_json(crowd).table
    parameters = parameters_of(DOTA, table.classes)
    first, second = pairs_of(table)
    for word in ("near", "overlaps", "touches"):
        verdicts = truth(word, table, (first, second), parameters)
        wanted = {*zip(first[verdicts == 2], second[verdicts == 2], strict=True)}
        found = found_by_index(table, Apply(word, (Variable("x"), Variable("y"))), parameters)
        assert wanted <= found
        assert len(found) < len(first) / 4


def planned(text, **average):
    classes = tuple(sorted(average))
    return Planner(classes, DOTA, np.array([float(average[name]) for name in classes])).plan(normalise(read(text)))


def test_the_rarest_class_is_bound_first_and_the_others_within_its_reach():
    step = planned(
        "exists x (small_vehicle(x) & exists y (harbor(y) & near(x, y)))", small_vehicle=40, harbor=0.5
    )
    assert describe(step) == [
        "some x2 in harbor",
        "  some x1 in small_vehicle where near(x1, x2); looked up by place near x2",
    ]


def test_a_universal_is_planned_as_its_counterexamples():
    step = planned("forall x (plane(x) -> exists y (harbor(y) & left_of(x, y)))", plane=3, harbor=1)
    assert describe(step) == [
        "no x1 in plane",
        "  no x2 in harbor where left_of(x1, x2); the extreme one tells",
    ]


def test_counts_and_pairs_are_described():
    text = "exists x (ship(x) & count y (ship(y) & x != y & near(x, y)) > 2 * count z (plane(z)) + 1)"
    assert describe(planned(text, ship=9, plane=1)) == [
        "some x1 in ship",
        "  count x2 in ship where x1 != x2, near(x1, x2); looked up by place near x1",
        "  count x3 in plane",
    ]
    text = "exists x (ship(x) & exists y (ship(y) & touches(x, y) & (large(x) | large(y))))"
    assert describe(planned(text, ship=9)) == [
        "some x1 in ship",
        "  some x2 in ship where touches(x1, x2); looked up by place near x1; each pair with x1 once",
        "    one of",
        "      large(x1)",
        "      large(x2)",
    ]


def test_components_stand_in_order_of_price():
    step = planned("exists x (ship(x) & exists y (ship(y) & near(x, y))) & exists z (plane(z))", ship=9, plane=1)
    assert [part.price for part in components(step)] == sorted(part.price for part in components(step))
    assert len(list(components(step))) == 2

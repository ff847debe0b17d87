"""The laws of the words, each over random, degenerate and edge-sharing outlines; and their definitions."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities import geometry
from rune_smt.entities.relations import (
    METRES,
    PIXELS,
    RATIO,
    RELATIONS,
    Parameters,
    common_areas,
    gaps,
    measure,
    near_limits,
    truth,
    union_area,
)
from rune_smt.entities.scene import Scene
from rune_smt.testing.scenes import scenes

VIOLATED, UNDECIDED, SATISFIED = 0, 1, 2

PLAIN = Parameters()
UNARY = ("at_border", "in_left", "in_right", "in_top", "in_bottom", "in_center", "large", "small")
TERNARY = ("between", "aligned")
BINARY = tuple(word for word in RELATIONS if word not in (*UNARY, *TERNARY))
SYMMETRIC = ("near", "far", "touches", "overlaps", "parallel", "perpendicular", "same_class", "clustered")
STRICT_ORDERS = (
    *("left_of", "right_of", "above", "below", "larger", "smaller"),
    *("north_of", "south_of", "east_of", "west_of"),
)
INVERSES = (
    *(("left_of", "right_of"), ("above", "below"), ("larger", "smaller"), ("contains", "inside")),
    *(("north_of", "south_of"), ("east_of", "west_of")),
)
IMPLICATIONS = (("touches", "near"), ("overlaps", "touches"), ("inside", "overlaps"))
EXCLUSIONS = (("far", "near"), ("parallel", "perpendicular"), ("surrounded_by", "inside"))
UNARY_EXCLUSIONS = (("in_left", "in_right"), ("in_top", "in_bottom"), ("large", "small"))
NEVER_UNDECIDED = tuple(word for word in BINARY if not word.endswith("th_of") and not word.endswith("st_of"))


@st.composite
def parameters(draw):
    """Ratios, and near limits in every unit."""
    near = draw(st.sampled_from((0.0, 0.5, 1.0, 2.0)))
    unit = draw(st.sampled_from((RATIO, RATIO, PIXELS, METRES)))
    limit = near if unit == RATIO else draw(st.sampled_from((0.5, 3.0, 30.0)))
    return Parameters(
        limit, unit, far_ratio=max(near, draw(st.sampled_from((1.0, 3.0)))), assume_extent=draw(st.booleans())
    )


def table_of(word, scene, given_parameters=PLAIN):
    """The truth of a word for every tuple, as an array of one axis an argument."""
    arity = 1 if word in UNARY else 3 if word in TERNARY else 2
    rows = scene.rows
    n = len(rows)
    tuples = np.array(list(product(rows, repeat=arity)), np.int64).reshape(-1, arity)
    return truth(word, scene.table, tuple(tuples.T), given_parameters).reshape((n,) * arity)


def implies(a, b):
    """No place where a is surely true and b surely false, nor where b is less sure than a."""
    return bool((a <= b).all())


# --- laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(scene=scenes(), given_parameters=parameters())
def test_laws_of_pairs(scene, given_parameters):
    t = {word: table_of(word, scene, given_parameters) for word in BINARY}
    for word in SYMMETRIC:
        assert (t[word] == t[word].T).all(), word
    for a, b in INVERSES:
        assert (t[a] == t[b].T).all(), (a, b)
    for a, b in EXCLUSIONS:
        assert (np.minimum(t[a], t[b]) < SATISFIED).all(), (a, b)
    for word in BINARY:
        assert (np.diag(t[word]) == VIOLATED).all(), word
    assert implies(t["overlaps"], t["touches"])
    assert implies(t["inside"], t["overlaps"])
    assert not ((t["touches"] == SATISFIED) & (t["near"] == VIOLATED)).any()
    assert (t["clustered"] == t["near"]).all()  # of two
    for word in set(NEVER_UNDECIDED) - {"near", "far", "clustered"}:
        assert (t[word] != UNDECIDED).all(), word
    if given_parameters.near_unit != METRES or scene.gsd is not None:
        assert implies(t["touches"], t["near"])
        assert (t["near"] != UNDECIDED).all() and (t["far"] != UNDECIDED).all()


@settings(max_examples=100)
@given(scene=scenes(min_entities=3, max_entities=5))
def test_orders_are_transitive_and_classes_too(scene):
    for word in (*STRICT_ORDERS, "same_class"):
        holds = table_of(word, scene) == SATISFIED
        through = (holds[:, :, None] & holds[None, :, :]).any(axis=1)
        if word == "same_class":
            np.fill_diagonal(through, False)
        assert not (through & ~holds).any(), word


@given(scene=scenes(min_entities=1), given_parameters=parameters())
def test_laws_of_single_entities(scene, given_parameters):
    t = {word: table_of(word, scene, given_parameters) for word in UNARY}
    for a, b in UNARY_EXCLUSIONS:
        assert (np.minimum(t[a], t[b]) < SATISFIED).all(), (a, b)
    sides = np.maximum.reduce([t[word] for word in ("in_left", "in_right", "in_top", "in_bottom")])
    assert (t["in_center"] == 2 - sides).all()
    assert (t["large"] != UNDECIDED).all() and (t["small"] != UNDECIDED).all()
    if scene.width is None and not given_parameters.assume_extent:
        assert all((t[word] == UNDECIDED).all() for word in (*UNARY[:5], "in_center"))
    if scene.width is not None:
        assert all((t[word] != UNDECIDED).all() for word in UNARY)


@settings(max_examples=60)
@given(scene=scenes(min_entities=3, max_entities=5), given_parameters=parameters())
def test_laws_of_several(scene, given_parameters):
    between = table_of("between", scene, given_parameters)
    assert (between == between.transpose(0, 2, 1)).all()
    assert (between != UNDECIDED).all()
    aligned = table_of("aligned", scene, given_parameters)
    clustered = table_of_three("clustered", scene, given_parameters)
    for order in permutations(range(3)):
        assert (aligned == aligned.transpose(order)).all()
        assert (clustered == clustered.transpose(order)).all()
    assert implies(aligned, clustered)


def table_of_three(word, scene, given_parameters):
    n = len(scene.rows)
    tuples = np.array(list(product(scene.rows, repeat=3)), np.int64)
    return truth(word, scene.table, tuple(tuples.T), given_parameters).reshape(n, n, n)


@settings(max_examples=60)
@given(scene=scenes(min_entities=1, max_entities=4), given_parameters=parameters())
def test_a_repeated_entity_violates_whatever_is_missing(scene, given_parameters):
    row = scene.rows[:1]
    for word in (*BINARY, "between", "aligned", "clustered"):
        arities = (2,) if word in BINARY and word != "clustered" else (3,) if word == "between" else (3, 4)
        for arity in arities:
            assert truth(word, scene.table, (row,) * arity, given_parameters).tolist() == [VIOLATED], word


# --- exactness --------------------------------------------------------------------------------------------------------


def pairs(scene):
    tuples = np.array([(x, y) for x in scene.rows for y in scene.rows if x != y], np.int64).reshape(-1, 2)
    return tuples[:, 0], tuples[:, 1]


@settings(max_examples=150)
@given(scene=scenes(min_entities=2), given_parameters=parameters())
def test_what_boxes_decide_is_what_the_outlines_say(scene, given_parameters):
    table = scene.table
    x, y = pairs(scene)
    low, high = np.minimum(x, y), np.maximum(x, y)
    swap = table.entity_id[low] > table.entity_id[high]
    first, second = np.where(swap, high, low), np.where(swap, low, high)
    gap = shapely.distance(table.outlines(first), table.outlines(second))
    assert (gaps(table, x, y) == gap).all()
    limit = near_limits(table, x, y, given_parameters)
    near = np.where(np.isnan(limit), UNDECIDED, np.where(gap <= limit, SATISFIED, VIOLATED))
    assert (truth("near", table, (x, y), given_parameters) == near).all()
    assert (truth("touches", table, (x, y), given_parameters) == np.where(gap <= 1, 2, 0)).all()

    common = geometry.common_area(table.outlines(first), table.outlines(second))
    assert (common_areas(table, x, y) == common).all()
    areal = (table.area[x] > 0) & (table.area[y] > 0) & (common > 0)
    for word, share in (
        ("overlaps", 0.001 * np.minimum(table.area[x], table.area[y])),
        ("inside", 0.5 * table.area[x]),
    ):
        assert (truth(word, table, (x, y), given_parameters) == np.where(areal & (common >= share), 2, 0)).all()

    rings = geometry.ring_around(table.outlines(x), np.maximum(1.0, table.width[x]))
    share = geometry.common_area(rings, table.outlines(y))
    held = (share >= 0.75 * shapely.area(rings)) & (truth("inside", table, (x, y), given_parameters) == VIOLATED)
    assert (truth("surrounded_by", table, (x, y), given_parameters) == np.where(held, 2, 0)).all()


@settings(max_examples=60)
@given(scene=scenes(min_entities=1), given_parameters=parameters())
def test_many_tuples_at_once_are_what_each_is_alone(scene, given_parameters):
    for word in RELATIONS:
        together = table_of(word, scene, given_parameters)
        arity = together.ndim
        for place in list(np.ndindex(together.shape))[:: 7 if arity == 3 else 3]:
            rows = tuple(scene.rows[[i]] for i in place)
            assert truth(word, scene.table, rows, given_parameters)[0] == together[place], word


@given(scene=scenes())
def test_no_tuples_no_verdicts(scene):
    none = np.zeros(0, np.int64)
    for word in RELATIONS:
        arity = 1 if word in UNARY else 3 if word in TERNARY else 2
        assert truth(word, scene.table, (none,) * arity, Parameters()).shape == (0,)


@given(scene=scenes(min_entities=1))
def test_functions_and_cover(scene):
    table, rows = scene.table, scene.rows
    for name in ("area", "length", "width", "angle", "score"):
        np.testing.assert_array_equal(measure(name, table, (rows,), Parameters()), getattr(table, name)[rows])
    x, y = np.repeat(rows, len(rows)), np.tile(rows, len(rows))
    for name in ("distance", "center_distance"):
        square = measure(name, table, (x, y), Parameters()).reshape(len(rows), len(rows))
        assert (square == square.T).all() and (np.diag(square) == 0).all()
    cover = union_area(table, rows)
    assert cover == union_area(table, rows[::-1])
    assert table.area[rows].max() * (1 - 1e-9) <= cover <= table.area[rows].sum() * (1 + 1e-9)
    assert union_area(table, rows[:0]) == 0


# --- small cases ------------------------------------------------------------------------------------------------------


def box(x, y, w=10, h=4):
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


def scene_of(*polygons, labels=None, **fields):
    entities = [
        {"entity_id": i, "label": (labels or {}).get(i, "ship"), "score": 1.0, "polygon": polygon, "attributes": {}}
        for i, polygon in enumerate(polygons)
    ]
    return Scene.from_json({"image_id": "P1", "width": 300, "height": 300, "gsd": None, "entities": entities, **fields})


def holds(word, scene, *ids, **changes):
    row_of = dict(zip(scene.table.entity_id[scene.rows].tolist(), scene.rows.tolist(), strict=True))
    rows = tuple(np.array([row_of[i]]) for i in ids)
    return int(truth(word, scene.table, rows, replace(Parameters(), **changes))[0])


def test_near_reaches_one_diagonal_of_the_smaller():
    first, diagonal = box(0, 0, 4, 3), 5
    assert holds("near", scene_of(first, box(4 + diagonal, 0, 4, 3)), 0, 1) == SATISFIED
    assert holds("near", scene_of(first, box(4.001 + diagonal, 0, 4, 3)), 0, 1) == VIOLATED
    assert holds("near", scene_of([[0, 0]], [[1, 0]]), 0, 1) == SATISFIED  # at least one pixel
    assert holds("near", scene_of([[0, 0]], [[1.01, 0]]), 0, 1) == VIOLATED
    assert holds("far", scene_of(first, box(4 + 3 * diagonal, 0, 4, 3)), 0, 1) == VIOLATED
    assert holds("far", scene_of(first, box(4.001 + 3 * diagonal, 0, 4, 3)), 0, 1) == SATISFIED


def test_near_limits_of_class_pairs_in_every_unit():
    classes = {0: "building", 1: "road", 2: "road"}
    value = np.array([[1.0, 30.0], [30.0, 1.0]])
    unit = np.array([[RATIO, METRES], [METRES, RATIO]], np.int8)
    scene = scene_of(box(0, 0), box(70, 0), box(1, 0), labels=classes, gsd=0.5)
    assert holds("near", scene, 0, 1, near_value=value, near_unit=unit) == SATISFIED  # 60 px, 30 m
    assert holds("near", scene, 1, 2, near_value=value, near_unit=unit) == VIOLATED
    assert holds("far", scene, 0, 1, near_value=value, near_unit=unit) == VIOLATED  # far_ratio alone says far
    unknown = scene_of(box(0, 0), box(70, 0), box(1, 0), labels=classes)
    assert holds("near", unknown, 0, 1, near_value=value, near_unit=unit) == UNDECIDED
    assert holds("far", unknown, 0, 1, near_value=value, near_unit=unit) == UNDECIDED
    assert holds("far", unknown, 0, 2, near_value=value, near_unit=unit) == VIOLATED
    assert holds("near", unknown, 1, 2, near_value=value, near_unit=unit) == VIOLATED
    assert holds("near", unknown, 0, 1, near_value=60.0, near_unit=PIXELS) == SATISFIED
    assert holds("near", unknown, 0, 1, near_value=59.9, near_unit=PIXELS) == VIOLATED


def test_touching_overlapping_inside():
    assert holds("touches", scene_of(box(0, 0), box(11, 0)), 0, 1) == SATISFIED
    assert holds("touches", scene_of(box(0, 0), box(11.01, 0)), 0, 1) == VIOLATED
    assert holds("overlaps", scene_of(box(0, 0), box(10, 0)), 0, 1) == VIOLATED  # a common edge is no area
    assert holds("overlaps", scene_of(box(0, 0), box(9.98, 0)), 0, 1) == SATISFIED
    assert holds("overlaps", scene_of(box(0, 0), box(9.995, 0)), 0, 1) == VIOLATED
    assert holds("inside", scene_of(box(0, 0), box(5, 0, 30)), 0, 1) == SATISFIED  # exactly half
    assert holds("inside", scene_of(box(0, 0), box(5.01, 0, 30)), 0, 1) == VIOLATED
    assert holds("contains", scene_of(box(0, 0), box(5, 0, 30)), 1, 0) == SATISFIED
    assert holds("inside", scene_of([[1, 1]], box(0, 0)), 0, 1) == VIOLATED


def test_directions():
    along, across = box(0, 0, 20, 4), box(50, 50, 4, 20)
    slope = [[0, 0], [20, 3], [19.4, 7], [-0.6, 4]]  # 8.5 degrees
    steep = [[0, 0], [20, 4], [19.2, 8], [-0.8, 4]]  # 11.3 degrees
    scene = scene_of(along, across, slope, steep, box(0, 0, 5, 5))
    assert holds("parallel", scene, 0, 2) == SATISFIED
    assert holds("parallel", scene, 0, 3) == VIOLATED
    assert holds("perpendicular", scene, 0, 1) == SATISFIED
    assert holds("perpendicular", scene, 2, 1) == SATISFIED
    assert holds("perpendicular", scene, 3, 1) == VIOLATED
    assert holds("parallel", scene, 0, 4) == VIOLATED  # a square has no direction
    falling = [[0, 3], [20, 0], [20.6, 4], [0.6, 7]]
    assert holds("parallel", scene_of(along, falling), 0, 1) == SATISFIED  # 171.5 and 0 degrees


def test_between():
    ends = box(0, 0), box(100, 0)
    assert holds("between", scene_of(*ends, box(50, 25)), 2, 0, 1) == SATISFIED  # a quarter of the way off
    assert holds("between", scene_of(*ends, box(50, 25.5)), 2, 0, 1) == VIOLATED
    assert holds("between", scene_of(*ends, box(101, 0)), 2, 0, 1) == VIOLATED
    assert holds("between", scene_of(*ends, box(100, 3)), 2, 0, 1) == VIOLATED  # projects on the end itself
    assert holds("between", scene_of(box(0, 0), box(0, 0), box(0, 0)), 2, 0, 1) == VIOLATED


def test_aligned():
    row = [box(x, 0) for x in (0, 15, 30, 45)]
    assert holds("aligned", scene_of(*row), 0, 1, 2) == SATISFIED
    assert holds("aligned", scene_of(*row), 3, 0, 2, 1) == SATISFIED
    assert holds("aligned", scene_of(*row), 0, 1, 3) == VIOLATED  # the last step, 20 px, is longer than a diagonal
    assert holds("aligned", scene_of(box(0, 0), box(15, 2), box(30, 0)), 0, 1, 2) == SATISFIED  # half its width off
    assert holds("aligned", scene_of(box(0, 0), box(15, 2.1), box(30, 0)), 0, 1, 2) == VIOLATED
    metres = {"near_value": 3.0, "near_unit": METRES}
    assert holds("aligned", scene_of(*row), 0, 1, 2, **metres) == UNDECIDED
    assert holds("aligned", scene_of(*row, gsd=0.5), 0, 1, 2, **metres) == SATISFIED
    assert holds("aligned", scene_of(box(0, 0), box(15, 9), box(30, 0)), 0, 1, 2, **metres) == VIOLATED


def test_clustered():
    corner = [box(0, 0), box(15, 0), box(30, 0), box(30, 12), box(200, 0)]
    assert holds("clustered", scene_of(*corner), 0, 1, 2, 3) == SATISFIED
    assert holds("clustered", scene_of(*corner), 0, 2, 3) == VIOLATED
    assert holds("clustered", scene_of(*corner), 0, 1, 2, 4) == VIOLATED
    value, unit = np.array([[1.0, 9.0], [9.0, 1.0]]), np.array([[RATIO, METRES], [METRES, RATIO]], np.int8)
    mixed = scene_of(*corner, labels={4: "tank"})
    assert holds("clustered", mixed, 0, 1, 2, 4, near_value=value, near_unit=unit) == UNDECIDED
    assert holds("clustered", mixed, 0, 2, 3, near_value=value, near_unit=unit) == VIOLATED


def test_surrounded_by():
    house = box(20, 20, 4, 4)
    water = [box(0, 0, 50, 50), box(20, 20, 4, 4)]
    assert holds("surrounded_by", scene_of(house, water), 0, 1) == SATISFIED
    assert holds("inside", scene_of(house, water), 0, 1) == VIOLATED  # on an island
    assert holds("surrounded_by", scene_of(house, box(0, 0, 50, 50)), 0, 1) == VIOLATED  # it is inside
    half = [box(0, 0, 22, 50), box(20, 20, 1, 1)]
    assert holds("surrounded_by", scene_of(house, half), 0, 1) == VIOLATED
    assert holds("surrounded_by", scene_of([[5, 2]], box(0, 0)), 0, 1) == SATISFIED  # a point is inside nothing


def test_parts_of_the_image():
    scene = scene_of(box(94, 0, 10, 4), box(96, 0, 10, 4), box(250, 250))  # a third is 100 px
    assert [holds("in_left", scene, i) for i in range(3)] == [SATISFIED, VIOLATED, VIOLATED]
    assert [holds("in_top", scene, i) for i in range(3)] == [SATISFIED, SATISFIED, VIOLATED]
    assert holds("in_right", scene, 2) == holds("in_bottom", scene, 2) == SATISFIED
    assert holds("in_center", scene_of(box(140, 140)), 0) == SATISFIED
    unknown = scene_of(box(94, 0), box(290, 290), width=None)
    assert holds("in_left", unknown, 0) == holds("in_center", unknown, 0) == holds("at_border", unknown, 0) == UNDECIDED
    assert holds("in_left", unknown, 0, assume_extent=True) == SATISFIED
    assert holds("at_border", unknown, 1, assume_extent=True) == SATISFIED


@pytest.mark.parametrize(
    ("polygon", "verdict"),
    [
        (box(1, 50), SATISFIED),
        (box(1.1, 50), VIOLATED),
        (box(289, 50), SATISFIED),
        (box(288.9, 50), VIOLATED),
        (box(50, -40), SATISFIED),
        (box(50, 295), SATISFIED),
        (box(50, 294.9), VIOLATED),
    ],
)
def test_at_border(polygon, verdict):
    assert holds("at_border", scene_of(polygon), 0) == verdict


def test_map_directions_follow_the_transform():
    north_up = scene_of(box(0, 0), box(50, 60), transform=[500000, 0.5, 0, 4600000, 0, -0.5])
    assert holds("north_of", north_up, 0, 1) == holds("west_of", north_up, 0, 1) == SATISFIED
    turned = scene_of(box(0, 0), box(50, 0), transform=[0, 0, 0.5, 0, 0.5, 0])  # rows run east, columns north
    assert holds("north_of", turned, 1, 0) == SATISFIED
    assert holds("east_of", turned, 1, 0) == VIOLATED
    assert holds("north_of", scene_of(box(0, 0), box(50, 60)), 0, 1) == UNDECIDED


def test_large_and_small_go_by_the_own_label():
    boxes = [box(0, 0, 10, 10), box(20, 0, 16, 10), box(40, 0, 6, 10), box(60, 0, 100, 100)]
    scene = scene_of(*boxes, labels={3: "harbor"}, reference_areas={"ship": 100.0, "harbor": 10000.0})
    assert [holds("large", scene, i) for i in range(4)] == [VIOLATED, SATISFIED, VIOLATED, VIOLATED]
    assert [holds("small", scene, i) for i in range(4)] == [VIOLATED, VIOLATED, SATISFIED, VIOLATED]
    own = scene_of(*boxes, labels={3: "harbor"})
    assert own.reference_areas == {"ship": 100.0, "harbor": 10000.0}
    assert holds("large", own, 1, size_factor=1.7) == VIOLATED

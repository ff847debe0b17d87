"""Uncertain detections: probabilities are those of all worlds, degrees the measure of thresholds, in every engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rune_smt as rune
from rune_smt.entities.scene import Scene
from rune_smt.errors import LimitError, QueryError
from rune_smt.grammar.nodes import Apply, Not, walk
from rune_smt.solver.array_engine import ArrayEngine
from rune_smt.solver.degrees import wilson
from rune_smt.solver.graded import grades, grades_by
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.probability import by_enumeration, likely_world, probabilities, probability, worlds
from rune_smt.solver.propositions import TRUE, Holds, Propositions
from rune_smt.solver.world import World
from rune_smt.solver.z3_engine import decide
from rune_smt.verdict import SATISFIED, UNDECIDED
from tests.laws import VOCABULARY, joined, law_scenes, queries
from tests.shared import shared


def with_scores(scene, scores):
    document = scene.to_json()
    for entity, score in zip(document["entities"], scores, strict=False):
        entity["score"] = score
    return Scene.from_json(document)


# --- laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(formula=queries(), scene=law_scenes())
def test_a_probability_is_the_sum_over_all_worlds(formula, scene):
    below, above = 0.0, 0.0
    for chance, world in worlds(scene, VOCABULARY):
        verdict = holds(formula, world)
        below += chance * (verdict == SATISFIED)
        above += chance * (verdict >= UNDECIDED)
    found = probability(normalise(formula), scene, VOCABULARY)
    assert found[0] == pytest.approx(below, abs=1e-12)
    assert found[1] == pytest.approx(above, abs=1e-12)
    assert found[2] is None
    assert (found[0] > 0) == (below > 0)
    assert (found[1] > 0) == (above > 0)


@settings(max_examples=60)
@given(formula=queries(), scenes=st.lists(law_scenes(), min_size=1, max_size=3))
def test_an_archive_has_the_probabilities_of_its_scenes(formula, scenes):
    table = joined(scenes)
    expected = by_enumeration(formula, table, VOCABULARY, holds)
    found = probabilities(normalise(formula), table, VOCABULARY)
    assert found.degree == pytest.approx(expected.degree, abs=1e-12)
    assert found.upper == pytest.approx(expected.upper, abs=1e-12)
    assert found.verdicts.tolist() == expected.verdicts.tolist()


@settings(max_examples=60)
@given(formula=queries(), scene=law_scenes())
def test_a_formula_and_its_negation_share_the_whole(formula, scene):
    below, above, _ = probability(normalise(formula), scene, VOCABULARY)
    other_below, other_above, _ = probability(normalise(Not(formula)), scene, VOCABULARY)
    assert below + other_above == pytest.approx(1, abs=1e-12)
    assert above + other_below == pytest.approx(1, abs=1e-12)


@settings(max_examples=40)
@given(formula=queries(max_depth=3), scene=law_scenes(max_entities=3))
def test_z3_and_holds_find_the_same_degrees_and_probabilities(formula, scene):
    table = scene.table
    for engine in (holds, decide):
        expected = by_enumeration(formula, table, VOCABULARY, engine)
        assert probabilities(normalise(formula), table, VOCABULARY).degree == pytest.approx(expected.degree, abs=1e-12)
        by_thresholds = grades_by(engine, formula, table, VOCABULARY)
        found = grades(normalise(formula), table, VOCABULARY)
        assert found.degree.tolist() == by_thresholds.degree.tolist()
        assert found.upper.tolist() == by_thresholds.upper.tolist()
        assert found.stretches == by_thresholds.stretches


@settings(max_examples=80)
@given(formula=queries(), scene=law_scenes(), at=st.floats(0.001, 1.0))
def test_the_stretches_of_a_degree_are_where_holds_is_satisfied(formula, scene, at):
    found = grades(normalise(formula), scene.table, VOCABULARY)
    inside = any(low < at <= high for low, high in found.stretches.get(0, ()))
    assert inside == (holds(formula, World(scene, VOCABULARY, at)) == SATISFIED)
    assert found.degree[0] == pytest.approx(sum(high - low for low, high in found.stretches.get(0, ())))


@settings(max_examples=60)
@given(formula=queries(), scene=law_scenes())
def test_ground_truth_has_the_same_answers_in_every_mode(formula, scene):
    truth = with_scores(scene, [1.0] * len(scene))
    normal = normalise(formula)
    plain = ArrayEngine(truth.table, VOCABULARY, 0.5).decide(normal).tolist()
    assert grades(normal, truth.table, VOCABULARY).verdicts.tolist() == plain
    assert probabilities(normal, truth.table, VOCABULARY).verdicts.tolist() == plain


@settings(max_examples=60)
@given(formula=queries(), scene=law_scenes())
def test_sampled_worlds_find_the_verdicts_of_the_formula(formula, scene):
    """What sampling evaluates is the formula: in every world of a scene its terms say what `holds` says."""
    from rune_smt.solver.existence import Existence

    existence = Existence(scene, VOCABULARY)
    sure, possible = existence.query(normalise(formula))
    rows = existence.tables.rows
    drawn = np.array([np.isin(rows, world.rows) for _, world in worlds(scene, VOCABULARY)], dtype=bool)
    below, above = existence.terms.in_worlds((sure, possible), drawn)
    for i, (_, world) in enumerate(worlds(scene, VOCABULARY)):
        verdict = holds(formula, world)
        assert (below[i], above[i]) == (verdict == SATISFIED, verdict >= UNDECIDED)


@settings(max_examples=80)
@given(formula=queries(), scene=law_scenes())
def test_a_likely_world_satisfies_the_query(formula, scene):
    found = probability(normalise(formula), scene, VOCABULARY)[0]
    world = likely_world(formula, scene, VOCABULARY)
    if found > 0:
        assert world is not None
        assert holds(formula, world) == SATISFIED
    else:
        assert world is None or holds(formula, world) == SATISFIED


@settings(max_examples=100)
@given(
    chances=st.lists(st.sampled_from((0.0, 0.1, 0.5, 0.9, 1.0)), min_size=1, max_size=6),
    weights=st.lists(st.integers(-3, 3), min_size=1, max_size=6),
    constant=st.integers(-5, 5),
    op=st.sampled_from(("<", "<=", ">", ">=", "=", "!=")),
)
def test_a_sum_has_the_probability_of_its_worlds(chances, weights, constant, op):
    n = min(len(chances), len(weights))
    terms = Propositions(chances[:n])
    parts = [(terms.literal(i), weights[i]) for i in range(n)]
    pairs = [(terms.every((parts[i][0], parts[i - 1][0])), 2) for i in range(1, n)]
    total = terms.total([*parts, *pairs], constant, Holds(op))
    expected = 0.0
    for number in range(1 << n):
        there = [bool(number >> i & 1) for i in range(n)]
        value = constant + sum(w for w, t in zip(weights, there, strict=False) if t)
        value += sum(2 for i in range(1, n) if there[i] and there[i - 1])
        chance = float(np.prod([c if t else 1 - c for c, t in zip(chances, there, strict=False)]))
        expected += chance * Holds(op)(value)
    assert terms.probability(total) == pytest.approx(expected, abs=1e-12)


# --- numbers worked out by hand ---------------------------------------------------------------------------------------


def box(x, y, w=10, h=4):
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


def archive_of(*scenes):
    import pyarrow as pa
    import shapely

    rows = [(name, i, *entity) for name, entities in scenes for i, entity in enumerate(entities)]
    entities = pa.table(
        {
            "image_id": pa.array([row[0] for row in rows], pa.string()),
            "entity_id": pa.array([row[1] for row in rows], pa.int32()),
            "label": pa.array([row[2] for row in rows], pa.string()),
            "score": pa.array([row[3] for row in rows], pa.float64()),
            "geometry": pa.array([shapely.Polygon(row[4]).wkb for row in rows], pa.binary()),
        }
    )
    images = pa.table({"image_id": pa.array([name for name, _ in scenes], pa.string())})
    return rune.archive_from_arrow(entities, images, vocabulary="dota-v1.5")


ARCHIVE = archive_of(
    ("a", [("ship", 0.5, box(0, 0)), ("ship", 0.8, box(50, 50))]),
    ("b", [("ship", 0.9, box(0, 0)), ("harbor", 0.5, box(0, 5, 30, 20))]),
    ("c", []),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("exists x (ship(x))", {"a": 0.9, "b": 0.9}),
        ("exists>=2 x (ship(x))", {"a": 0.4}),
        ("~(exists x (ship(x)))", {"c": 1.0, "a": 0.1, "b": 0.1}),
        ("exists x (ship(x) & exists y (harbor(y) & near(x, y)))", {"b": 0.45}),
        ("exists x (ship(x) & ~(exists y (harbor(y) & near(x, y))))", {"a": 0.9, "b": 0.45}),
        ("count x (ship(x)) > count x (harbor(x))", {"a": 0.9, "b": 0.45}),
        ("cover x (ship(x)) >= 80 px2", {"a": 0.4}),
        ("forall x (harbor(x) -> exists y (ship(y)))", {"a": 1.0, "b": 0.95, "c": 1.0}),
    ],
)
def test_probabilities_worked_out_by_hand(query, expected):
    result = rune.search(ARCHIVE, query, mode="probability")
    assert {match.image_id: match.degree for match in result} == pytest.approx(expected)
    assert not result.intervals
    degrees = [match.degree for match in result]
    assert degrees == sorted(degrees, reverse=True)
    assert all(match.interval is None for match in result)


def test_small_probabilities_keep_their_digits():
    many = archive_of(("a", [("ship", 0.9, box(20 * i, 0)) for i in range(30)]))
    result = rune.search(many, "~(exists x (ship(x)))", mode="probability")
    assert result[0].degree == pytest.approx(0.1**30, rel=1e-9)


def test_a_degree_comes_with_its_thresholds():
    result = rune.search(ARCHIVE, "exists=1 x (ship(x))", mode="graded")
    shown = {match.image_id: (match.degree, match.thresholds, match.said) for match in result}
    assert shown["a"] == (pytest.approx(0.3), ((0.5, 0.8),), "from 0.5 to 0.8")
    assert shown["b"] == (0.9, ((0.0, 0.9),), "from 0 to 0.9")
    table = result.to_arrow()
    assert table["rests_on"].to_pylist() == ["from 0 to 0.9", "from 0.5 to 0.8"]
    assert table["upper"].to_pylist() == pytest.approx([0.9, 0.3])
    assert result.to_json()["matches"][0] == {
        "image_id": "b", "degree": 0.9, "witness": result[0].witness, "upper": 0.9,
        "thresholds": [[0.0, 0.9]],
    }  # fmt: skip


def test_witnesses_are_of_worlds_in_which_the_query_holds():
    graded = rune.search(ARCHIVE, "exists x (ship(x) & ~(exists y (harbor(y) & near(x, y))))", mode="graded")
    assert {match.image_id: match.witness for match in graded} == {"a": {"x1": 1}, "b": {"x1": 0}}
    alone = rune.search(ARCHIVE, "exists x (harbor(x) & ~(exists y (ship(y))))", mode="probability")
    assert [(match.image_id, match.degree, match.witness) for match in alone] == [
        ("b", pytest.approx(0.05), {"x1": 1})
    ]


def test_what_cannot_be_told_is_an_upper_bound():
    result = rune.search(ARCHIVE, "exists x (ship(x) & length(x) > 5 m)", mode="probability")
    assert len(result) == 0
    assert result.undecided == {"a": ["gsd"], "b": ["gsd"]}
    assert result.uppers.tolist() == pytest.approx([0.9, 0.9, 0.0])
    assert [row["upper"] for row in result.to_json()["undecided"]] == pytest.approx([0.9, 0.9])


def test_reference_engines_find_the_same_and_refuse_too_many_worlds():
    query = "exists x (ship(x) & ~(exists y (harbor(y) & near(x, y))))"
    for mode in ("graded", "probability"):
        found = [rune.search(ARCHIVE, query, mode=mode, engine=engine) for engine in ("auto", "reference", "z3")]
        assert found[0].degrees == pytest.approx(found[1].degrees)
        assert found[0].degrees == pytest.approx(found[2].degrees)
    many = archive_of(("a", [("ship", 0.9, box(20 * i, 0)) for i in range(30)]))
    with pytest.raises(LimitError, match="30 uncertain entities"):
        rune.search(many, query, mode="probability", engine="reference")


def test_modes_that_do_not_exist_and_verify_in_others():
    with pytest.raises(QueryError, match="No mode 'fuzzy'"):
        rune.search(ARCHIVE, "exists x (ship(x))", mode="fuzzy")
    with pytest.raises(QueryError, match="mode threshold"):
        rune.search(ARCHIVE, "exists x (ship(x))", mode="graded", verify=True)


# --- sampling ---------------------------------------------------------------------------------------------------------


def crowd():
    """Detections over each other: what is near hangs on nearly everything."""
    rng = np.random.default_rng(3)
    ships = [("ship", 0.3, box(*rng.uniform(0, 60, 2))) for _ in range(40)]
    return archive_of(("a", [*ships, *(("harbor", 0.2, box(*rng.uniform(0, 60, 2))) for _ in range(25))]))


def test_what_takes_too_long_is_sampled_with_its_interval():
    archive = crowd()
    query = rune.parse("exists>=3 x (ship(x) & ~(exists y (harbor(y) & near(x, y))))", archive)
    vocabulary = rune.load_vocabulary("dota-v1.5")
    normal = normalise(query.formula)
    first = probabilities(normal, archive.table, vocabulary, max_work=500)
    again = probabilities(normal, archive.table, vocabulary, max_work=500)
    other = probabilities(normal, archive.table, vocabulary, max_work=500, seed=2)
    interval = first.intervals[0]
    assert interval.samples == 10_000
    assert interval.seed == 1
    assert interval.low <= first.degree[0] <= interval.high <= interval.low + 0.02
    assert first.degree[0] == again.degree[0]
    assert first.degree[0] != other.degree[0]
    assert abs(first.degree[0] - other.degree[0]) < 0.03


def test_a_sampled_probability_agrees_with_the_exact_one():
    entities = [("ship", 0.4, box(15 * i, 0)) for i in range(12)]
    archive = archive_of(("a", entities))
    vocabulary = rune.load_vocabulary("dota-v1.5")
    normal = normalise(rune.parse("exists>=4 x (ship(x) & exists y (y != x & ship(y) & near(x, y)))", archive).formula)
    exact = probabilities(normal, archive.table, vocabulary)
    sampled = probabilities(normal, archive.table, vocabulary, max_work=1)
    assert not exact.intervals
    assert sampled.intervals[0].low - 0.01 <= exact.degree[0] <= sampled.intervals[0].high + 0.01


def test_wilson_intervals():
    assert wilson(0, 100) == (0.0, pytest.approx(0.0370, abs=1e-4))
    assert wilson(50, 100) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))
    assert wilson(100, 100)[1] == 1.0


def test_tautologies_and_contradictions_are_certain():
    terms = Propositions([0.3, 0.7])
    a, b = terms.literal(0), terms.literal(1)
    exclusive = terms.some((terms.every((a, terms.negation(b))), terms.every((terms.negation(a), b))))
    both = terms.every((exclusive, a, b))
    assert terms.probability(both) == 0.0
    assert terms.probability(terms.negation(both)) == 1.0
    assert terms.some((a, terms.negation(a))) == TRUE


# --- real scores ------------------------------------------------------------------------------------------------------


def test_real_detections_are_ranked_in_every_mode():
    archive = rune.index(str(shared("data", "detections")), format="dota-task1", progress=False)
    assert len(archive) == 823
    query = rune.parse("exists>=3 x (tennis_court(x) & score(x) >= 0.3)", archive)
    assert any(isinstance(node, Apply) and node.name == "score" for node in walk(query.formula))
    found = {mode: rune.search(archive, query, mode=mode) for mode in ("threshold", "graded", "probability")}
    assert set(found["threshold"].ids) <= set(found["graded"].ids) <= set(found["probability"].ids)
    for mode in ("graded", "probability"):
        degrees = [match.degree for match in found[mode]]
        assert degrees == sorted(degrees, reverse=True)
        assert 0 < degrees[-1] <= degrees[0] <= 1

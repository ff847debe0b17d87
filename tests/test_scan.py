"""The loop over pairs says what `holds` says: compiled where numba is installed, else the same code as it stands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rune_smt.entities.relations import gaps
from rune_smt.entities.scene import Scene
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import Vocabulary, load_vocabulary
from rune_smt.solver import batch as steps
from rune_smt.solver import candidates, scan, scan_loop
from rune_smt.solver.array_engine import ArrayEngine
from rune_smt.solver.frame import Runs
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.world import World
from rune_smt.testing.scenes import scenes
from tests.laws import VOCABULARY, joined, law_scenes, queries
from tests.test_plan import TWINS, scene_of, turned

METRES = Vocabulary.from_toml(
    """
name = "metres"
[classes.ship]
[classes.harbor]
[near]
default = "2 x"
"ship harbor" = "40 m"
"""
)
DOTA = load_vocabulary("dota-v1.0")
WORDS = ("near", "far", "touches", "overlaps", "inside", "contains", "~far", "~same_class", "larger")


@pytest.fixture(autouse=True)
def always_scanned(monkeypatch):
    """However few pairs there are, the loop is asked; how often it was."""
    asked = []
    prepared = scan.Scan._loop

    def counted(self, rounds):
        asked.append(self)
        loop = prepared(self, rounds)

        def quiet(*args):
            with np.errstate(all="ignore"):
                loop(*args)

        return quiet

    for module in (steps, candidates):
        monkeypatch.setattr(module, "is_worth", lambda work: True)
    monkeypatch.setattr(scan.Scan, "_loop", counted)
    return asked


def same(formula, table, vocabulary=VOCABULARY, **options):
    expected = [holds(formula, World(Scene(table, i), vocabulary)) for i in range(len(table.images))]
    assert ArrayEngine(table, vocabulary, **options).decide(normalise(formula)).tolist() == expected


@settings(max_examples=60)
@given(formula=queries(), several=st.lists(law_scenes(), min_size=1, max_size=3), batch=st.integers(1, 9))
def test_queries_are_answered_alike(formula, several, batch):
    same(formula, joined(several), batch=batch)


@pytest.mark.parametrize("text", TWINS)
@settings(max_examples=8)
@given(several=st.lists(law_scenes(), min_size=1, max_size=3))
def test_variables_that_may_change_places(text, several):
    same(read(text), joined(several))


@pytest.mark.parametrize("word", WORDS)
@settings(max_examples=16)
@given(
    scene=scenes(classes=("ship", "harbor"), max_entities=8),
    join=st.sampled_from(["near(x, y)", "overlaps(y, x)", "distance(y, x) <= 60 m", "distance(x, y) < 30 px"]),
    asked=st.sampled_from(["exists", "forall", "exists>=2", "exists<=1"]),
    vocabulary=st.sampled_from([VOCABULARY, METRES, DOTA]),
)
def test_every_word_that_the_loop_knows(scene, word, join, asked, vocabulary):
    inner = f"harbor(y) & {join} & {word}(x, y)"
    text = f"exists x (ship(x) & {asked} y ({f'{join} -> {word}(x, y)' if asked == 'forall' else inner}))"
    same(read(text), scene.table, vocabulary)


@settings(max_examples=12)
@given(seed=st.integers(0, 1000), count=st.integers(25, 70), side=st.sampled_from([60.0, 300.0, 3000.0]))
def test_cells_miss_no_pair(seed, count, side):
    rng = np.random.default_rng(seed)
    lengths = rng.choice([3.0, 20.0, 400.0], count, p=[0.4, 0.5, 0.1])
    boxes = [turned(*rng.uniform(0, side, 2), length, length / 3, rng.uniform(0, 3)) for length in lengths]
    table = scene_of([(box.tolist(), "ship") for box in boxes]).table
    rows = np.arange(count)
    first, second = (each.ravel() for each in np.meshgrid(rows, rows, indexing="ij"))
    wanted = gaps(table, first, second) <= 25.0
    text = "exists x (ship(x) & count y (ship(y) & x != y & distance(x, y) <= 25 px) > 1)"
    engine = ArrayEngine(table, VOCABULARY)
    bind = engine.plan(normalise(read(text))).bind.rest.counts[0][1]
    asked = scan.Scan(table, engine.facts.parameters, bind.scanned, (bind.other, bind.var), rows, 0 * rows, rows,
                      Runs.of(np.array([count]), 0), np.full(count, 25.1))  # fmt: skip
    found = asked.count(rows, np.zeros(count, bool))
    assert not found.open.any()
    assert found.sure.tolist() == (wanted.reshape(count, count).sum(axis=1) - 1).tolist()
    listed = [pair for x, y, _ in asked.pairs(np.ones(count, bool), 1) for pair in zip(x, y, strict=True)]
    other = wanted & (first != second)
    assert sorted(listed) == [*zip(first[other], second[other], strict=True)]


def test_the_loop_decides_quadrilaterals_by_itself(always_scanned):
    rng = np.random.default_rng(3)
    boxes = [turned(*rng.uniform(0, 400, 2), 30, 12, rng.uniform(0, 3)) for _ in range(120)]
    table = scene_of([(box.tolist(), rng.choice(["ship", "harbor"])) for box in boxes]).table
    for word in ("near", "overlaps", "inside", "touches"):
        same(read(f"exists x (ship(x) & count y (harbor(y) & {word}(x, y)) > 2)"), table, DOTA)
        asked = always_scanned[-1]
        rows = np.arange(len(asked.owners))
        assert not asked.count(rows, np.zeros(len(rows), bool)).open.any()


def test_common_areas_are_those_of_the_geometry_module():
    import shapely

    rng = np.random.default_rng(8)
    for _ in range(200):
        one, other = (turned(*rng.uniform(0, 40, 2), 50, 20, rng.uniform(0, 3)) for _ in range(2))
        exact = shapely.Polygon(one).intersection(shapely.Polygon(other)).area
        one, other = (ring if shapely.is_ccw(shapely.LinearRing(ring)) else ring[::-1] for ring in (one, other))
        found = scan_loop._common(one.ravel().copy(), other.ravel().copy(), np.zeros((2, 32)))
        assert found == pytest.approx(exact, abs=1e-9)


def test_nothing_is_compiled_for_a_query(monkeypatch, tmp_path):
    monkeypatch.setenv("RUNE_SMT_CACHE", str(tmp_path))
    scan.is_prepared.cache_clear()
    assert not scan.is_prepared()
    assert not scan.is_worth(1 << 40)
    scan.is_prepared.cache_clear()

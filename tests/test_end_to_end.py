"""Real annotations in, answers out: every engine gives on every scene exactly what the meaning gives."""

import json

import pytest

import rune_smt as rune
from rune_smt.entities.scene import Scene
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.query import vocabulary_of
from rune_smt.solver.array_engine import ArrayEngine
from rune_smt.solver.atoms import Facts
from rune_smt.solver.holds import holds
from rune_smt.solver.normalise import normalise
from rune_smt.solver.world import World
from rune_smt.solver.z3_engine import decide
from rune_smt.verdict import Verdict
from tests.shared import shared

# Counts, negation, nesting, universals, three-place relations, rows, comparisons of counts, metric distances, and
# queries that cannot be decided where the data is silent.
FORMULAS = [
    "exists>=3 x1 (plane(x1))",
    "exists x1 (ship(x1) & ~(exists x2 (harbor(x2) & near(x1, x2))))",
    "exists x1 (harbor(x1) & exists>=5 x2 (ship(x2) & near(x2, x1)))",
    "exists x1 (ship(x1)) & forall x1 (ship(x1) -> exists x2 (harbor(x2) & near(x1, x2)))",
    "~(exists x1 (vehicle(x1)))",
    "exists=1 x1 (bridge(x1)) & exists<=4 x1 (vehicle(x1))",
    "count x1 (vehicle(x1)) > 2 * count x1 (bridge(x1))",
    "count x1 (tennis_court(x1)) = count x1 (basketball_court(x1)) + 1",
    "exists x1 (bridge(x1) & exists>=2 x2 (vehicle(x2) & inside(x2, x1)))",
    "exists x1 (plane(x1) & exists x2 (plane(x2) & x1 != x2 & parallel(x1, x2) & touches(x1, x2)))",
    "exists x1 (harbor(x1) & exists x2 (ship(x2) & exists x3 (ship(x3) & between(x1, x2, x3))))",
    "exists x1 (storage_tank(x1) & exists x2 (storage_tank(x2) & x1 != x2 & exists x3 (storage_tank(x3) & "
    "x3 != x1 & x3 != x2 & aligned(x1, x2, x3))))",
    "exists x1 (ship(x1) & exists x2 (harbor(x2) & distance(x1, x2) <= 20 m))",
    "exists x1 (plane(x1) & length(x1) > 40 m)",
    "exists x1 (tennis_court(x1) & in_left(x1) & ~(exists x2 (tennis_court(x2) & in_right(x2))))",
    "forall x1 (plane(x1) -> exists x2 (plane(x2) & x1 != x2 & near(x1, x2)))",
    "exists x1 (exists x2 (larger(x1, x2) & left_of(x1, x2) & far(x1, x2) & ~same_class(x1, x2)))",
    "exists x1 (vehicle(x1) & forall x2 (vehicle(x2) & x2 != x1 -> left_of(x1, x2)))",
    "cover x1 (tennis_court(x1)) >= 5 %",
    "exists x1 (ground_track_field(x1) & exists x2 (soccer_ball_field(x2) & inside(x2, x1))) <-> "
    "exists x1 (tennis_court(x1))",
    "exists>=2 x1 (ship(x1) & large(x1) & ~(exists x2 (ship(x2) & x1 != x2 & near(x1, x2))))",
    "exists x1 (vehicle(x1) & north_of(x1, x1)) | exists x1 (exists x2 (ship(x1) & north_of(x1, x2)))",
]


@pytest.fixture(scope="module")
def vhr10(tmp_path_factory):
    out = tmp_path_factory.mktemp("vhr10") / "vhr10.rune"
    return rune.index(str(shared("data", "vhr10", "annotations_dev.json")), out=out, progress=False)


@pytest.fixture(scope="module")
def dota(tmp_path_factory):
    out = tmp_path_factory.mktemp("dota") / "dota.rune"
    labels = str(shared("data", "dota", "labelTxt"))
    return rune.index(labels, out=out, images=shared("data", "dota", "images"), progress=False)


@pytest.fixture(params=["vhr10", "dota"])
def archive(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("text", FORMULAS)
def test_array_engine_and_z3_give_what_the_meaning_gives(archive, text):
    vocabulary = vocabulary_of(archive)
    formula = expand_definitions(rune.parse(text, archive).formula, vocabulary)
    facts = Facts(archive.table, vocabulary)
    worlds = [World(Scene(archive.table, i), vocabulary, facts=facts) for i in range(len(archive))]
    expected = [holds(formula, world) for world in worlds]
    assert ArrayEngine(archive.table, vocabulary).decide(normalise(formula)).tolist() == expected
    assert [decide(formula, world) for world in worlds] == expected


def test_every_verdict_occurs(vhr10):
    seen = {verdict for text in FORMULAS for verdict in rune.search(vhr10, text).verdicts.tolist()}
    assert seen == set(Verdict)


def test_the_whole_of_vhr10_and_of_dota_is_in_the_archives(vhr10, dota):
    document = json.loads(shared("data", "vhr10", "annotations_dev.json").read_text())
    assert (len(vhr10), len(vhr10.table)) == (len(document["images"]), len(document["annotations"])) == (488, 2933)
    assert {name: len(dota[name]) for name in dota.images["image_id"].to_pylist()}["P0706"] == 536


def test_english_to_witness(dota):
    query = rune.translate("ships near a harbor", dota)
    result = rune.search(dota, query, verify=True)
    assert "P0706" in result and result.verified == len(result) + len(result.undecided)
    assert set(result[0].witness) == {"x1", "x2"}

"""Questions about a query alone: nothing called proved is refuted by a scene, and what is shown is confirmed."""

import json
import subprocess
import sys
from itertools import combinations_with_replacement, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rune_smt as rune
from rune_smt.checking import CheckReport, check, entails, equivalent
from rune_smt.entities.scene import Scene
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.nodes import And, Exists, ForAll, Iff, Not, Or, conjunction
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.solver.abstract import FACTS
from rune_smt.solver.clauses import clause_form, relax
from rune_smt.solver.entailment import contradictory_core, ordered, refuted, same_by_form
from rune_smt.solver.holds import holds
from rune_smt.solver.query_checks import QueryChecks
from rune_smt.solver.world import World
from rune_smt.testing.formulas import formulas
from rune_smt.verdict import SATISFIED, VIOLATED
from tests.laws import VOCABULARY, law_scenes, queries

CASES = Path(__file__).parent.parent / "solver" / "check_cases.tsv"
PLAIN = VOCABULARY
FEW_STEPS = 30_000


def verdict(formula, scene):
    return holds(formula, World(scene, PLAIN, 0.0))


@st.composite
def crowded(draw):
    """A few literals over the same variables: often contradictory, or true by the laws."""
    atoms = formulas(VOCABULARY, max_depth=2, closed=False, definitions=True)
    formula = conjunction(draw(st.lists(atoms, min_size=1, max_size=4)))
    for variable in ("x", "y", "z", "w"):
        formula = draw(st.sampled_from((Exists, ForAll, Exists)))(variable, formula)
    return expand_definitions(formula, VOCABULARY)


any_query = st.one_of(queries(max_depth=3), queries(max_depth=4), crowded())


# --- proved -----------------------------------------------------------------------------------------------------------


@given(any_query, st.lists(law_scenes(max_entities=3), min_size=3, max_size=3))
@settings(max_examples=60)
def test_nothing_proved_is_refuted_by_a_scene(formula, scenes):
    verdicts = {verdict(formula, scene) for scene in scenes}
    if SATISFIED in verdicts:
        assert not refuted((formula,), VOCABULARY, FEW_STEPS), canonical(formula)
    if VIOLATED in verdicts:
        assert not refuted((Not(formula),), VOCABULARY, FEW_STEPS), canonical(formula)


@given(law_scenes(max_entities=4))
@settings(max_examples=60)
def test_the_facts_of_the_words_hold_in_every_scene(scene):
    for fact in FACTS:
        assert verdict(read(fact), scene) != VIOLATED, fact


@given(any_query)
@settings(max_examples=40)
def test_a_formula_and_its_negation(formula):
    assert refuted((And((formula, Not(formula))),), VOCABULARY, FEW_STEPS)
    assert refuted((Not(Or((formula, Not(formula)))),), VOCABULARY, FEW_STEPS)
    assert refuted((Not(Iff(formula, formula)),), VOCABULARY, FEW_STEPS)


@given(any_query, law_scenes(max_entities=3))
@settings(max_examples=100)
def test_the_order_of_parts_keeps_the_meaning(formula, scene):
    assert verdict(ordered(formula), scene) == verdict(formula, scene)
    assert same_by_form(formula, ordered(formula))


def test_a_scene_without_entities_is_a_scene():
    assert not refuted((read("forall x (ship(x)) & ~(exists x (ship(x)))"),), VOCABULARY)
    assert refuted((read("forall x (ship(x)) & ~(exists x (ship(x))) & exists x (true)"),), VOCABULARY)


def test_scenes_are_finite():
    assert refuted((read("exists x (true) & forall x (exists y (left_of(x, y)))"),), VOCABULARY)


@pytest.mark.parametrize(
    "text",
    [
        "exists x (area(x) + 0.1 px2 - 0.1 px2 != area(x))",  # rounding may do that
        "exists x (exists y (3 * (area(x) + area(y)) != 3 * area(x) + 3 * area(y)))",
        "exists x (exists y (distance(x, y) > 5 m & distance(x, y) < 2 px))",  # depends on the metres per pixel
        "exists x (area(x) > 1 % & area(x) < 1 px2)",
        "exists x (exists y (exists z (inside(x, y) & inside(y, z) & ~inside(x, z))))",  # not transitive
    ],
)
def test_what_the_laws_do_not_say_is_not_proved(text):
    assert not refuted((read(text),), VOCABULARY, 200_000)


# --- the specification's cases ----------------------------------------------------------------------------------------


def cases():
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield tuple(line.split("\t"))


@pytest.mark.parametrize(("vocabulary", "status", "how", "query"), list(cases()))
def test_check_case(vocabulary, status, how, query):
    known = load_vocabulary(vocabulary)
    formula = expand_definitions(rune.parse(query, known).formula, known)
    checks = QueryChecks(known, 1.0)
    example, _, impossible = checks._example(formula)
    found = "unknown"
    if impossible:
        found = "contradictory"
    else:
        opposite = checks.satisfiable(Not(formula))
        if opposite.how == "proved":
            found = "always_true"
        elif example is not None and opposite.scene is not None:
            found = "contingent"
            assert holds(formula, World(example, known, 0.0)) == SATISFIED
            assert holds(formula, World(opposite.scene, known, 0.0)) == VIOLATED
    assert found == status
    assert how == ("shown" if status == "contingent" else "proved")


# --- reports ----------------------------------------------------------------------------------------------------------


@given(queries(max_depth=3, words=("near", "inside", "left_of", "large", "area")))
@settings(max_examples=12)
def test_scenes_of_a_report_are_what_it_says(formula):
    report = check(formula, vocabulary=VOCABULARY, seconds=0.2)
    expanded = expand_definitions(formula, VOCABULARY)
    document = json.loads(json.dumps(report.to_json()))
    for key, wanted in (("example_scene", SATISFIED), ("counter_scene", VIOLATED)):
        if document[key] is not None:
            assert verdict(expanded, Scene.from_json(document[key])) == wanted
    assert (report.status == "contingent") <= (report.example_scene is not None and report.counter_scene is not None)
    assert (report.status == "contradictory") <= (report.example_scene is None)
    assert (report.status == "always_true") <= (report.counter_scene is None)


def test_the_same_call_gives_the_same_answer():
    text = "exists>=3 x (ship(x) & exists y (harbor(y) & near(x, y)))"
    documents = [check(text).to_json() for _ in range(2)]
    for document in documents:
        document["bound"].pop("seconds")
    assert documents[0] == documents[1]


def test_a_core_is_contradictory_and_minimal():
    text = "exists x (ship(x) & large(x) & exists y (plane(y) & inside(x, y) & above(x, y) & far(y, x)))"
    report = check(text, vocabulary="dota-v1.5")
    assert [part.formula for part in report.core] == ["inside(x1, x2)", "far(x2, x1)"]
    assert report.core_minimal
    form = clause_form(rune.parse(text).formula)
    core = contradictory_core(form, load_vocabulary("dota-v1.5"))
    assert core is not None and refuted((relax(form, core),), load_vocabulary("dota-v1.5"))


def test_the_core_of_numbers_alone_is_empty():
    report = check("exists>=3 x (true) & exists<=2 x (true)")
    assert (report.status, report.core) == ("contradictory", ())
    assert "No clause is to blame: the numbers alone cannot be met." in report.render()


def test_redundant_and_vacuous_clauses():
    report = check("exists x (small_vehicle(x) & vehicle(x) & large(x))")
    assert [part.formula for part in report.redundant] == ["vehicle(x1)"]
    assert report.vacuous == ()
    report = check("exists x (ship(x) & (large(x) | ship(x)))")
    assert [part.formula for part in report.vacuous] == ["large(x1)"]


def test_numbers_that_are_never_reached():
    report = check("exists x (ship(x)) | exists x (score(x) > 1)")
    assert [part.formula for part in report.unreached] == ["exists x1 (score(x1) > 1)"]
    report = check("exists x (harbor(x)) | exists>=2 x (ship(x) & forall y (y != x -> larger(x, y)))")
    assert len(report.unreached) == 1


def test_suspicious_readings():
    report = check("forall x (ship(x) -> exists y (harbor(y) & near(x, y)))")
    assert [text for _, text in report.suspicious] == [
        "Satisfied by images without any such entity: nothing requires exists x1 (ship(x1))."
    ]
    assert not check("forall x (ship(x) -> large(x)) & exists x (ship(x))", seconds=0.5).suspicious
    assert len(check("exists x (ship(x) -> large(x))", seconds=0.5).suspicious) == 1
    assert len(check("forall x (ship(x) & large(x))", seconds=0.5).suspicious) == 1
    assert [text for _, text in check("exists>=0 x (ship(x))").suspicious] == ["'exists>=0' is always true."]


def test_a_bounded_search_is_never_called_a_proof():
    report = check("exists=1 x (exists=1 y (near(x, y))) & exists<=3 x (true)", seconds=0.2)
    assert report.status == "unknown" and report.how == "unknown"
    assert "proved" not in report.verdict
    assert "up to 12 entities in " in report.verdict


def test_a_report_for_people():
    report = check("exists x (ship(x) & harbor(x))")
    assert report.render() == (
        "formula  exists x1 (ship(x1) & harbor(x1))\n"
        f"reading  {report.reading}\n"
        "No scene satisfies it (proved, for scenes of any size).\n"
        "These cannot hold together:\n"
        "  ship(x1)   (x1 is a ship)\n"
        "  harbor(x1)   (x1 is a harbor)"
    )
    assert repr(report) == "CheckReport('exists x1 (ship(x1) & harbor(x1))': contradictory, proved)"
    page = check("exists x (ship(x))")._repr_html_()
    assert "<svg" in page and "http" not in page and "<script" not in page


def test_json_has_every_field_of_the_interface():
    document = check("exists x (ship(x))", against="exists x (plane(x))").to_json()
    assert {"formula", "reading", "status", "how", "bound", "core", "redundant", "vacuous", "example_scene",
            "counter_scene", "against"} <= set(document)  # fmt: skip
    assert set(document["bound"]) == {"entities", "seconds"}
    assert set(document["against"]) == {"relation", "how", "bound", "telling_scene"}
    assert document["against"]["relation"] == "overlapping"
    assert isinstance(check("true"), CheckReport)


# --- two queries ------------------------------------------------------------------------------------------------------

PAIRS = [
    ("exists x (ship(x) & exists y (harbor(y) & near(x, y)))", "exists a (harbor(a) & exists b (ship(b) & near(a, b)))",
     "equivalent"),
    ("exists>=2 x (ship(x))", "exists x (exists y (x != y & ship(x) & ship(y)))", "equivalent"),
    ("count x (ship(x)) >= 5", "exists>=5 x (ship(x))", "equivalent"),
    ("2 * count x (ship(x) & large(x)) > count x (ship(x))",
     "count x (ship(x) & large(x)) > count x (ship(x) & ~large(x))", "equivalent"),
    ("exists x (exists y (contains(x, y)))", "exists x (exists y (inside(x, y)))", "equivalent"),
    ("exists>=3 x (ship(x))", "exists>=2 x (ship(x))", "implies"),
    ("exists x (vehicle(x))", "exists x (small_vehicle(x))", "implied_by"),
    ("exists=2 x (ship(x))", "exists=3 x (ship(x))", "disjoint"),
    ("exists x (ship(x))", "exists x (harbor(x))", "overlapping"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "relation"), PAIRS)
def test_how_two_queries_stand_to_each_other(one, other, relation):
    found = equivalent(one, other, seconds=1.0)
    assert found.relation == relation
    assert found.how == ("shown" if relation == "overlapping" else "proved")
    assert bool(found) == (relation == "equivalent")
    assert found.answer == (relation == "equivalent")
    assert bool(entails(one, other, seconds=1.0)) == (relation in ("equivalent", "implies"))
    if found.telling_scene is not None and relation != "disjoint":
        known = load_vocabulary("dota-v1.5")
        world = World(found.telling_scene, known, 0.0)
        assert holds(read(one), world) != holds(read(other), world)


@given(queries(max_depth=3), queries(max_depth=3), st.lists(law_scenes(max_entities=3, missing=False), max_size=4))
@settings(max_examples=12)
def test_relations_agree_with_every_scene(one, other, scenes):
    checks = QueryChecks(VOCABULARY, 0.1)
    there, back = checks.relate(one, other), checks.relate(other, one)
    turned = {"implies": "implied_by", "implied_by": "implies"}
    if "unknown" not in (there.relation, back.relation) and there.one_only.how != "proved":
        assert back.relation == turned.get(there.relation, there.relation)
    for scene in scenes:
        a, b = verdict(one, scene), verdict(other, scene)
        if there.relation in ("equivalent", "implies"):
            assert not (a == SATISFIED and b == VIOLATED)
        if there.relation in ("equivalent", "implied_by"):
            assert not (b == SATISFIED and a == VIOLATED)
        if there.relation == "disjoint":
            assert not (a == b == SATISFIED)


def small_scenes():
    """Every scene of at most two entities, each a ship or a harbor at one of four places, and what is known of it all.

    Two places lie side by side, one lies inside another, one is far from all.
    """
    boxes = [(0, 0, 8, 4), (9, 0, 4, 4), (1, 1, 4, 2), (90, 70, 8, 4)]
    things = list(product(("ship", "harbor"), boxes))
    for size in range(3):
        for chosen in combinations_with_replacement(things, size):
            entities = [
                {
                    "entity_id": i, "label": label, "score": 1.0, "attributes": {"flooded": False, "height": 1.0},
                    "polygon": [[x, y], [x + w, y], [x + w, y + h], [x, y + h]],
                }
                for i, (label, (x, y, w, h)) in enumerate(chosen)
            ]  # fmt: skip
            yield Scene.from_json(
                {"image_id": "s", "width": 100, "height": 80, "gsd": 0.5, "entities": entities,
                 "transform": [0.0, 0.5, 0.0, 0.0, 0.0, -0.5], "reference_areas": {"ship": 16.0, "harbor": 16.0}}
            )  # fmt: skip


ALL_SMALL_SCENES = tuple(small_scenes())
SIMPLE = formulas(
    VOCABULARY, classes=("ship", "harbor"), words=("near", "inside", "left_of", "large", "area"), max_depth=3
)


@given(SIMPLE, SIMPLE)
@settings(max_examples=25)
def test_equivalence_agrees_with_all_small_scenes(one, other):
    """Proved equivalent: alike in each of the 45 small scenes. Apart in one of them: never proved equivalent."""
    assert len(ALL_SMALL_SCENES) == 1 + 8 + 36
    checks = QueryChecks(VOCABULARY, 0.05)
    worlds = [World(scene, VOCABULARY, 0.0) for scene in ALL_SMALL_SCENES]
    relation = checks.relate(one, other).relation
    pairs = {(holds(one, world), holds(other, world)) for world in worlds}
    if relation in ("equivalent", "implies"):
        assert (SATISFIED, VIOLATED) not in pairs
    if relation in ("equivalent", "implied_by"):
        assert (VIOLATED, SATISFIED) not in pairs
    if relation == "disjoint":
        assert (SATISFIED, SATISFIED) not in pairs
    for query, place in ((one, 0), (other, 1)):
        assert checks.satisfiable(query).how != "proved" or all(pair[place] != SATISFIED for pair in pairs)
        assert checks.satisfiable(Not(query)).how != "proved" or all(pair[place] != VIOLATED for pair in pairs)


@given(any_query)
@settings(max_examples=30)
def test_a_query_is_equivalent_to_itself(formula):
    assert QueryChecks(VOCABULARY, 0.1).relate(formula, formula).relation == "equivalent"


def test_checking_imports_nothing_heavy():
    code = "import sys, rune_smt.checking; print([m for m in ('z3', 'shapely', 'pyarrow', 'lark') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

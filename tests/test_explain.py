"""Laws of explanations: the witness satisfies, the verdict is that of `holds`, and the document has its shape."""

import json
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import assume, given, settings

from rune_smt.errors import DataError, LimitError
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.nodes import And, Exists, ExistsCount, Or
from rune_smt.grammar.printer import canonical, canonical_names
from rune_smt.grammar.reader import read
from rune_smt.solver.clauses import clause_form, within_definition
from rune_smt.solver.explain import Satisfied, Undecided, Violated, explain_scene
from rune_smt.solver.failing import failing
from rune_smt.solver.holds import holds
from rune_smt.solver.judge import cheap_first, judged
from rune_smt.solver.passes.fold_constants import fold_constants
from rune_smt.solver.passes.miniscope import miniscope
from rune_smt.solver.render import readable, unnested
from rune_smt.solver.stability import stability
from rune_smt.solver.witness import answers, witness
from rune_smt.solver.world import World
from rune_smt.testing.formulas import formulas
from rune_smt.testing.scenes import scenes
from rune_smt.verdict import SATISFIED, UNDECIDED, VIOLATED
from tests.shared import shared
from tests.solver_cases import CLASSES, VOCABULARY, scene_of

queries = formulas(VOCABULARY, classes=CLASSES, max_depth=4, definitions=True)
places = scenes(classes=CLASSES, max_entities=4)


def lowest(formula, world, env):
    """The witness by brute force: all choices are listed and the least taken, level by level."""
    if within_definition(formula):
        return {}
    match formula:
        case And(parts):
            shown = {}
            for part in parts:
                shown |= lowest(part, world, env)
            return shown
        case Or(parts):
            good = [part for part in parts if holds(part, world, env) == SATISFIED]
            return lowest(good[0], world, env)
        case Exists(var, body):
            (entity,) = least(1, var, body, world, env)
            return {var: entity, **lowest(body, world, {**env, var: entity})}
        case ExistsCount(">=", n, var, body) if n:
            chosen = least(n, var, body, world, env)
            return {var: list(chosen), **lowest(body, world, {**env, var: chosen[0]})}
        case _:
            return {}


def least(n, var, body, world, env):
    choices = combinations(world.entities, n)
    return min(c for c in choices if all(holds(body, world, {**env, var: e}) == SATISFIED for e in c))


@given(formula=queries, scene=places)
@settings(max_examples=120)
def test_witness_equals_brute_force(formula, scene):
    world = World(scene, VOCABULARY)
    formula = canonical_names(expand_definitions(formula, VOCABULARY))
    assume(holds(formula, world) == SATISFIED)
    assert witness(formula, world) == lowest(clause_form(formula, halves=False).formula, world, {})


simple = formulas(VOCABULARY, classes=CLASSES, words=("near", "left_of", "larger"), max_depth=2, counts=False)


@given(body=formulas(VOCABULARY, classes=CLASSES, max_depth=1, closed=False, counts=False), scene=places)
@settings(max_examples=100)
def test_a_witness_put_in_satisfies(body, scene):
    world = World(scene, VOCABULARY)
    query = Exists("x", Exists("y", Exists("z", body)))
    shown = witness(query, world) if holds(query, world) == SATISFIED else None
    choices = [
        dict(zip("xyz", chosen, strict=True))
        for chosen in product(world.entities, repeat=3)
        if holds(body, world, dict(zip("xyz", chosen, strict=True))) == SATISFIED
    ]
    if shown is None:
        assert not choices
    else:
        first = {name: shown[name] for name in "xyz"}
        assert holds(body, world, first) == SATISFIED
        assert first == choices[0]


@given(body=formulas(VOCABULARY, classes=CLASSES, max_depth=2, closed=False), scene=places)
@settings(max_examples=100)
def test_answers_equal_brute_force(body, scene):
    world = World(scene, VOCABULARY)
    query = Exists("x", Exists("y", Exists("z", body)))
    inner = Exists("y", Exists("z", body))
    assert answers(query, world) == tuple(e for e in world.entities if holds(inner, world, {"x": e}) == SATISFIED)
    assert answers(ExistsCount(">=", 2, "x", inner), world) == answers(query, world)


def test_only_an_outermost_variable_has_answers():
    world = World(scene_of([("ship", 0, 0, 9, 3)]), VOCABULARY)
    with pytest.raises(ValueError, match="begins with exists"):
        answers(read("forall x (ship(x))"), world)


@given(formula=queries, scene=places)
@settings(max_examples=100)
def test_explanations_answer_to_holds_and_have_their_shape(formula, scene):
    world = World(scene, VOCABULARY)
    why = explain_scene(formula, scene, VOCABULARY, all_cores=True, time_limit_s=30)
    verdict = holds(expand_definitions(formula, VOCABULARY), world)
    assert why.verdict == verdict
    assert isinstance(why, {SATISFIED: Satisfied, VIOLATED: Violated, UNDECIDED: Undecided}[verdict])
    document = json.loads(why.render("json"))
    assert document["verdict"] == verdict.word
    assert document["formula"] == canonical(formula)
    assert {"image_id", "witness", "cores", "nearest", "repairs", "stability", "certificate"} <= set(document)
    assert all(set(r) == {"kind", "text", "changes"} for r in document["repairs"])
    assert why.render("text").startswith(f"{scene.image_id}: {verdict.plain}")
    assert why._repr_html_().startswith("<div>")
    if verdict == VIOLATED:
        assert why.cores
        assert [len(core) for core in why.cores] == sorted(len(core) for core in why.cores)
        first = explain_scene(formula, scene, VOCABULARY, tell="core")
        assert first.cores == why.cores[:1]


@given(formula=queries, scene=places)
@settings(max_examples=100)
def test_stability_equals_trying_every_score(formula, scene):
    formula = expand_definitions(formula, VOCABULARY)
    verdict = holds(formula, World(scene, VOCABULARY, 0.5))
    low, high = stability(formula, World(scene, VOCABULARY, 0.5), verdict)
    assert low <= 0.5 <= high
    scores = sorted({0.0, 1.0, *scene.table.score.tolist()})
    for least in np.unique([*scores, *(s + 1e-9 for s in scores if s < 1), 0.4, 0.7]):
        same = holds(formula, World(scene, VOCABULARY, float(least))) == verdict
        if low < least <= high:
            assert same
    if low > 0:
        assert holds(formula, World(scene, VOCABULARY, low)) != verdict
    if high < 1:
        assert holds(formula, World(scene, VOCABULARY, float(np.nextafter(high, 2)))) != verdict


@given(formula=queries, scene=places)
@settings(max_examples=100)
def test_what_fails_is_told_of_every_violated_query(formula, scene):
    world = World(scene, VOCABULARY)
    formula = expand_definitions(formula, VOCABULARY)
    assert bool(failing(formula, world)) == (holds(formula, world) == VIOLATED)


SHIPS = [("ship", 0, 0, 20, 6), ("ship", 40, 0, 20, 6), ("harbor", 163, 0, 100, 20)]


def test_the_text_of_a_miss():
    scene = scene_of(SHIPS, image_id="P0706", gsd=0.5)
    why = explain_scene(read("exists x (ship(x) & exists y (harbor(y) & near(x, y)))"), scene, VOCABULARY)
    assert why.render() == """\
P0706: no match
  exists x1 (ship(x1) & exists x2 (harbor(x2) & near(x1, x2)))

Why not
  fails already at: at least one thing near a harbor
  harbor(x2): x2 is a harbor
  near(x1, x2): ship x1 is near harbor x2

Nearest
  ship 1 and harbor 2 are 103 px (51.5 m) apart, near allows 20.9 px (10.4 m)

Where it fails
  0 found for x1: 2 with ship(x1); 0 with exists x2 (harbor(x2) & near(x1, x2)); of x1, x2: 2 with harbor(x2); \
0 with near(x1, x2)
    ship 1 and harbor 2 are 103 px (51.5 m) apart, near allows 20.9 px (10.4 m)
    ship 0 and harbor 2 are 143 px (71.5 m) apart, near allows 20.9 px (10.4 m)

It would match with another query
  without harbor(x2)
  without near(x1, x2)

It would match with another limit of the words
  a limit 4.93 x instead of 1 x

Note
  The verdict is the same for every min_score above 0 up to 1.
  What is not among the entities of the image counts as not there: a detector may have missed it.
  Trusted: the entities and their classes, the reading of the query, what the vocabulary means by near or large.
  Verified: that these entities, under this formula and this vocabulary, give this verdict."""
    assert repr(why) == "Violated('P0706', 'exists x1 (ship(x1) & exists x2 (harbor(x2) & near(x1, x2)))')"


def test_the_document_of_a_miss():
    scene = scene_of(SHIPS, image_id="P0706")
    text = "exists x (ship(x) & exists y (harbor(y) & near(x, y)))"
    document = json.loads(explain_scene(read(text), scene, VOCABULARY, all_cores=True).render("json"))
    (core,) = document["cores"]
    assert core["text"] == "fails already at: at least one thing near a harbor"
    assert core["clauses"] == [
        {"formula": "harbor(x2)", "reading": "x2 is a harbor", "span": [30, 39], "index": 1},
        {"formula": "near(x1, x2)", "reading": "ship x1 is near harbor x2", "span": [42, 52], "index": 2},
    ]
    assert document["corrections"] == [["harbor(x2)"], ["near(x1, x2)"]]
    assert document["stability"] == {"min_score": [0.0, 1.0]}
    assert document["blame"]["vocabulary"] == ["a limit 4.93 x instead of 1 x"]
    (part,) = document["failing"]
    assert [(stage["left"], stage["variables"]) for stage in part["stages"]] == [
        (2, ["x1"]), (0, ["x1"]), (2, ["x1", "x2"]), (0, ["x1", "x2"])
    ]  # fmt: skip
    assert [(each["entities"], each["stopped_by"]) for each in part["bindings"]] == [
        ({"x1": 1, "x2": 2}, "near(x1, x2)"), ({"x1": 0, "x2": 2}, "near(x1, x2)")
    ]  # fmt: skip
    text = explain_scene(read(text), scene, VOCABULARY, all_cores=True).render()
    assert """
No longer violated without one of these sets (all minimal ones)
  harbor(x2)
  near(x1, x2)
""" in text


def test_the_texts_of_counts_and_offenders():
    scene = scene_of(SHIPS)
    for query, expected in [
        ("exists>=3 x (ship(x))", "2 of 3 found for x1: 2 with ship(x1)"),
        ("exists<=1 x (ship(x))", "2, at most 1 allowed, in exists<=1 x1 (ship(x1)): x1 = 0, 1"),
        ("forall x (ship(x))", "1 in the way of forall x1 (ship(x1)): x1 = 2"),
        (
            "count x (harbor(x)) >= count x (ship(x))",
            "count x1 (harbor(x1)) >= count x2 (ship(x2)): count x1 (harbor(x1)) is 1; count x2 (ship(x2)) is 2",
        ),
    ]:
        why = explain_scene(read(query), scene, VOCABULARY)
        assert f"Where it fails\n  {expected}\n" in why.render()


def test_too_few_entities_are_nobodys_fault():
    why = explain_scene(read("exists>=4 x (ship(x))"), scene_of(SHIPS), VOCABULARY)
    assert why.cores == (frozenset(),)
    assert "no clause is to blame, the image has too few entities (3 entities): at least four things" in why.render()


def test_an_undecided_scene_says_what_is_missing():
    query = read("exists x (ship(x) & length(x) > 5 m & in_left(x))")
    why = explain_scene(query, scene_of(SHIPS), VOCABULARY)
    assert isinstance(why, Undecided)
    assert why.missing == ("gsd", "image size")
    assert json.loads(why.render("json"))["missing"] == ["gsd", "image size"]


def test_a_definition_is_one_clause_and_one_word():
    scene = scene_of([*SHIPS[:1], ("ship", 22, 0, 20, 6)])
    why = explain_scene(read("exists x (ship(x) & alone(x))"), scene, VOCABULARY)
    document = json.loads(why.render("json"))
    assert document["formula"] == "exists x1 (ship(x1) & alone(x1))"
    assert [c["formula"] for c in document["cores"][0]["clauses"]] == ["alone(x1)"]


def test_too_large_a_query_is_refused_with_its_size():
    scene = scene_of([("ship", 10 * i, 0, 4, 4) for i in range(300)])
    query = read("exists x (exists y (exists z (exists w (near(x, y) & near(y, z) & near(z, w) & near(w, x)))))")
    with pytest.raises(LimitError, match="ground instances, more than"):
        explain_scene(query, scene, VOCABULARY)


def test_a_picture_is_made_only_where_one_is_known():
    why = explain_scene(read("exists x (ship(x))"), scene_of(SHIPS), VOCABULARY)
    with pytest.raises(DataError, match="No picture of image 'P0001' is known"):
        why.picture()


def test_a_real_image_with_hundreds_of_ships():
    from rune_smt.entities.scene import Scene
    from rune_smt.grammar.vocabulary import load_vocabulary

    entities = []
    for line in shared("data", "dota", "labelTxt", "P0706.txt").read_text().splitlines():
        fields = line.split()
        if len(fields) >= 9:
            v = [float(f) for f in fields[:8]]
            polygon = [v[i : i + 2] for i in range(0, 8, 2)]
            entities.append({"label": fields[8].replace("-", "_"), "polygon": polygon})
    scene = Scene.from_json({"image_id": "P0706", "entities": entities})
    vocabulary = load_vocabulary("dota-v1.5")
    query = read("forall x (ship(x) -> exists y (harbor(y) & near(x, y)))")
    why = explain_scene(query, scene, vocabulary, all_cores=True)
    assert isinstance(why, Violated)
    assert [sorted(core) for core in why.cores] == [[0, 2]]
    (near,) = why.nearest
    labels = [why.world.label(entity) for entity in near.entities]
    assert labels == ["ship", "harbor"]
    assert near.actual > near.limit


@given(formula=queries, scene=places)
@settings(max_examples=100)
def test_the_order_in_which_holds_is_asked_changes_nothing(formula, scene):
    world = World(scene, VOCABULARY)
    formula = expand_definitions(formula, VOCABULARY)
    ordered = cheap_first(miniscope(fold_constants(formula)))
    expected = holds(formula, World(scene, VOCABULARY))
    assert holds(ordered, world) == expected
    assert holds(ordered, world.sifting()) == holds(formula, world.sifting()) == holds(formula, world) == expected


@given(formula=queries, scene=places)
@settings(max_examples=100)
def test_what_a_core_asks_is_said_in_other_words_of_the_same_meaning(formula, scene):
    world = World(scene, VOCABULARY)
    formula = expand_definitions(formula, VOCABULARY)
    assert holds(unnested(formula), world) == holds(readable(formula), world) == holds(formula, world)


def test_a_large_scene_is_judged_as_holds_judges_it():
    world = World(scene_of([("ship", 30 * i, 0, 20, 6) for i in range(60)]), VOCABULARY)
    for text in (
        "exists x (exists y (near(x, y) & ship(x) & harbor(y)))",
        "forall x (exists y (near(x, y)) | plane(x))",
    ):
        assert judged(read(text), world) == holds(read(text), world)


@given(formula=queries, scene=places)
@settings(max_examples=150)
def test_a_binding_that_got_far_passes_what_it_passed_and_fails_what_stops_it(formula, scene):
    world = World(scene, VOCABULARY)
    for part in failing(expand_definitions(canonical_names(formula), VOCABULARY), world):
        for binding in part.bindings:
            passed = [stage.part for stage in part.stages if stage.variables == tuple(binding.entities)]
            passed = passed[: passed.index(binding.stopped_by)] if passed else []
            assert holds(with_free(binding.stopped_by), world, binding.entities) == VIOLATED
            assert all(holds(with_free(text), world, binding.entities) != VIOLATED for text in passed)
        counted = [stage for stage in part.stages if len(stage.variables) == 1]
        assert [stage.left for stage in counted] == sorted((stage.left for stage in counted), reverse=True)


def test_offenders_are_told_with_what_they_miss():
    why = explain_scene(read("forall x (ship(x) -> exists y (harbor(y) & near(x, y)))"), scene_of(SHIPS), VOCABULARY)
    assert """
Where it fails
  2 in the way of forall x1 (~ship(x1) | exists x2 (harbor(x2) & near(x1, x2))): x1 = 0, 1; of x1, x2: \
2 with harbor(x2); 0 with near(x1, x2)
    ship 1 and harbor 2 are 103 px apart, near allows 20.9 px
    ship 0 and harbor 2 are 143 px apart, near allows 20.9 px
""" in why.render()
    why = explain_scene(read("forall x (ship(x) -> length(x) > 25 px)"), scene_of(SHIPS), VOCABULARY)
    assert "    length of ship 0 is 20 px, the query asks for > 25 px\n" in why.render()


def with_free(text):
    return expand_definitions(read(text, open_vocabulary=True), VOCABULARY)

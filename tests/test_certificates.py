"""Certificates of every verdict replay, a changed one fails with the step named, and what is accepted is true."""

import ast
import copy
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from rune_smt import checker
from rune_smt.entities.archive import archive_from_arrow
from rune_smt.entities.relations import measure, truth
from rune_smt.entities.scene import Scene
from rune_smt.errors import CertificateError, LimitError
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import Vocabulary, load_vocabulary
from rune_smt.grammar.words import FUNCTIONS, RELATIONS
from rune_smt.solver import certificate as making
from rune_smt.solver.certificate import Numbering, core_certificate, make_certificate, sha256
from rune_smt.solver.clauses import clause_form, relax
from rune_smt.solver.cores import all_cores
from rune_smt.solver.holds import holds
from rune_smt.solver.world import World
from rune_smt.verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict
from rune_smt.verification import verify
from tests.laws import VOCABULARY, law_scenes, queries

CHECKER = Path(checker.__file__)
SCHEMA = json.loads((CHECKER.parent / "certificate.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def as_read(document):
    """A document as it comes out of a file."""
    return json.loads(json.dumps(document))


def certified(formula, scene, vocabulary=VOCABULARY, min_score=0.5):
    """A certificate for the verdict that `holds` gives, and the scene, both as read from files."""
    formula = expand_definitions(formula, vocabulary)
    world = World(scene, vocabulary, min_score)
    try:
        made = make_certificate(formula, world, holds(formula, world), time="2024-01-01T00:00:00+00:00")
    except LimitError:
        assume(False)  # an equality of counts that can skip values
        raise
    return as_read(made), as_read(scene.to_json())


def resealed(certificate):
    """The certificate with a seal that fits it: what someone who wants to deceive would hand over."""
    certificate = {name: value for name, value in certificate.items() if name not in ("seal", "about")}
    return {**certificate, "seal": sha256(certificate)}


# --- replay -----------------------------------------------------------------------------------------------------------


@given(formula=queries(max_depth=5), scene=law_scenes())
@settings(max_examples=150)
def test_certificates_of_every_verdict_replay(formula, scene):
    certificate, document = certified(formula, scene)
    event(certificate["verdict"])
    VALIDATOR.validate(certificate)
    report = checker.check(certificate, document)
    assert report.ok, (report, certificate["query"])


@given(formula=queries(max_depth=4), scene=law_scenes())
@settings(max_examples=80)
def test_no_other_verdict_has_a_certificate(formula, scene):
    world = World(scene, VOCABULARY)
    verdict = holds(formula, world)
    for other in Verdict:
        if other == verdict:
            continue
        try:
            made = make_certificate(formula, world, other)
        except (CertificateError, LimitError):
            continue
        # What an atom is on its very limit is accepted either way, and listed.
        report = checker.check(as_read(made), as_read(scene.to_json()))
        assert report.borderline or not report.ok


@given(formula=queries(max_depth=4), scene=law_scenes(max_entities=3))
@settings(max_examples=80)
def test_certificates_of_cores_replay(formula, scene):
    world = World(scene, VOCABULARY)
    assume(holds(formula, world) == VIOLATED)
    form, document = clause_form(formula), as_read(scene.to_json())
    for core in all_cores(form, world).cores:
        try:
            made = as_read(core_certificate(form, formula, core, world))
        except LimitError:
            continue
        event(f"core of {len(core)}")
        VALIDATOR.validate(made)
        report = checker.check(made, document)
        assert report.ok, (report, canonical(formula), made["core"])
        assert len(made["core"]) == len(core)


@given(formula=queries(max_depth=4), scene=law_scenes(max_entities=3), data=st.data())
@settings(max_examples=150)
def test_only_a_core_has_the_certificate_of_a_core(formula, scene, data):
    world = World(scene, VOCABULARY)
    form = clause_form(formula)
    keep = data.draw(st.frozensets(st.sampled_from(sorted(form.every)))) if form.every else frozenset()
    is_core = holds(relax(form, keep), world) == VIOLATED and not any(
        holds(relax(form, keep - {clause}), world) == VIOLATED for clause in keep
    )
    try:
        made = core_certificate(form, formula, keep, world)
    except LimitError:
        return
    except CertificateError as refused:
        assert not is_core, refused
        return
    report = checker.check(as_read(made), as_read(scene.to_json()))
    assert report.ok
    assert is_core or report.borderline


@given(formula=queries(max_depth=5))
def test_atoms_are_numbered_alike(formula):
    scene = Scene.from_json({"image_id": "P0001", "entities": []})
    certificate, _ = certified(formula, scene)
    assert checker.parse(certificate["query"]).atoms == Numbering().of(expand_definitions(formula, VOCABULARY))


# --- changed certificates ---------------------------------------------------------------------------------------------


def leaves(document, path=()):
    """The paths of everything that is not an object or list with something in it."""
    if isinstance(document, dict) and document:
        for key, value in document.items():
            yield from leaves(value, (*path, key))
    elif isinstance(document, list) and document:
        for key, value in enumerate(document):
            yield from leaves(value, (*path, key))
    else:
        yield path


def changed(document, path, value):
    """A copy with another value at a path."""
    result = copy.deepcopy(document)
    place = result
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return result


def at(document, path):
    for key in path:
        document = document[key]
    return document


def others(value):
    """Values that a leaf might be changed into."""
    try:
        return [other for other in candidates(value) if type(other) is not type(value) or other != value]
    except OverflowError:  # a whole number beyond every float
        return [0, None]


def candidates(value):
    match value:
        case bool():
            return [not value, None, "x"]
        case int():
            return [value + 1, -1, value + 0.5, str(value), None, True, 10**400, [value]]
        case float():
            return [value + 1e-7, -value - 1, value + 1.5, str(value), None, float("nan"), float("inf")]
        case str():
            return [value + "x", value[:-1], "", None, 7, [value]]
        case None:
            return [0, "", {}, [], {"all": []}, {"part": 0, "proof": None}, {"each": []}]
        case _:
            return [None, 0, "x", [0], {"x": 0}]


RICH = " & ".join(
    (
        "exists x (ship(x) & ~(exists y (harbor(y) & near(x, y))))",
        "exists>=2 x (vehicle(x) & large(x))",
        "count x (ship(x)) >= 1",
        "(exists x (flooded(x)) | cover x (vehicle(x)) > 10 px2)",
        "exists x (exists y (connected(x, y)))",
    )
)


def rich_scene():
    """Something for every kind of proof."""

    def box(i, label, x, y, size, flooded):
        return {
            "entity_id": i,
            "label": label,
            "score": 0.9,
            "polygon": [[x, y], [x + size, y], [x + size, y + size], [x, y + size]],
            "attributes": {"flooded": flooded},
        }

    return Scene.from_json(
        {
            "image_id": "P0706",
            "width": 100,
            "height": 80,
            "gsd": 0.5,
            "transform": [500.0, 0.5, 0.0, 4000.0, 0.0, -0.5],
            "crs": "EPSG:32632",
            "reference_areas": {"vehicle": 4.0, "ship": 9.0, "harbor": 100.0},
            "entities": [
                box(0, "ship", 1, 1, 4, None),
                box(1, "harbor", 60, 50, 10, False),
                box(2, "vehicle", 20, 20, 3, False),
                box(3, "vehicle", 24, 20, 3, False),
                box(4, "ship", 90, 60, 5, True),
            ],
        }
    )


@pytest.fixture(scope="module", params=[RICH, f"~({RICH})", "exists x (flooded(x) & small(x)) | height(x1) > 2"])
def rich(request):
    text = request.param.replace(" | height(x1) > 2", " | exists x (height(x) > 2)")
    return certified(read(text), rich_scene())


def test_the_rich_certificates_use_every_kind_of_proof():
    apart = "forall x (forall y (ship(x) -> ~connected(x, y)))"
    text = "".join(json.dumps(certified(read(t), rich_scene())[0]["proof"]) for t in (RICH, f"~({RICH})", apart))
    assert all(f'"{kind}"' in text for kind in ("all", "part", "each", "chain", "steps", "reach", "ids", "proof"))


def test_every_leaf_that_is_changed_is_caught(rich):
    certificate, document = rich
    assert checker.check(certificate, document).ok
    tried = 0
    for path in leaves(certificate):
        if path[0] == "about":
            continue
        for value in others(at(certificate, path)):
            report = checker.check(changed(certificate, path, value), document)
            assert not report.ok and report.step and report.message, (path, value)
            tried += 1
    assert tried > 100


def test_every_part_that_is_missing_is_caught(rich):
    certificate, document = rich
    for path in {leaf[:i] for leaf in leaves(certificate) for i in range(1, len(leaf) + 1)}:
        if path[0] == "about":
            continue
        cut = copy.deepcopy(certificate)
        del at(cut, path[:-1])[path[-1]]
        report = checker.check(cut, document)
        assert not report.ok and report.step, path


def test_what_is_told_beside_the_certificate_may_change(rich):
    certificate, document = rich
    assert checker.check({**certificate, "about": {"text": "ships"}}, document).ok
    assert checker.check({name: value for name, value in certificate.items() if name != "about"}, document).ok
    assert not checker.check({**certificate, "more": 1}, document).ok


def test_a_certificate_holds_for_one_scene(rich):
    certificate, document = rich
    for path in leaves(document):
        if path[0] == "reference_areas":
            continue  # bound by the certificate's own where the query asks for them
        for value in others(at(document, path))[:3]:
            if value is None and at(document, path) == 1.0:
                continue
            assert not checker.check(certificate, changed(document, path, value)).ok, (path, value)


@given(formula=queries(max_depth=4), scene=law_scenes(), random=st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_random_changes_are_caught(formula, scene, random):
    """A thousand: ten of each of a hundred certificates."""
    certificate, document = certified(formula, scene)
    paths = [path for path in leaves(certificate) if path[0] != "about"]
    for _ in range(10):
        path = random.choice(paths)
        values = [v for v in others(at(certificate, path)) if v is not True or at(certificate, path) != 1]
        report = checker.check(changed(certificate, path, random.choice(values)), document)
        assert not report.ok and report.step


@given(formula=queries(max_depth=4), scene=law_scenes(), data=st.data())
@settings(max_examples=150)
def test_what_is_accepted_is_true_whoever_sealed_it(formula, scene, data):
    """Proofs and verdicts changed at will and sealed anew: what is reported as proved is still true."""
    certificate, document = certified(formula, scene)
    verdict = holds(formula, World(scene, VOCABULARY)).word
    paths = sorted({p[:i] for p in leaves(certificate) for i in range(1, len(p) + 1) if p[0] == "proof"}, key=str)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths))
        try:
            old = at(certificate, path)
        except (KeyError, IndexError, TypeError):
            continue
        pieces = [at(certificate, p) for p in paths if exists(certificate, p)]
        certificate = changed(certificate, path, data.draw(st.sampled_from(pieces + others(old))))
    if data.draw(st.booleans()):
        certificate["verdict"] = data.draw(st.sampled_from(("satisfied", "violated", "undecided")))
        sides = {"satisfied": ["query"], "violated": ["negation"], "undecided": ["query", "negation"]}
        proofs = certificate["proof"] if isinstance(certificate["proof"], dict) else {}
        any_proof = next(iter(proofs.values()), None)
        certificate["proof"] = dict.fromkeys(sides[certificate["verdict"]], any_proof)
    try:
        certificate = resealed(certificate)
    except (ValueError, OverflowError):
        return  # a number that no float is
    report = checker.check(certificate, document)
    event(report.outcome)
    if report.ok and not report.borderline:
        assert certificate["verdict"] == verdict


def exists(document, path):
    try:
        at(document, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


@pytest.mark.parametrize(
    ("proof", "outcome", "step"),
    [
        ({}, "not proved", "proof"),
        ({"query": {}}, "not proved", "proof.query"),
        ({"query": None}, "not proved", "proof.query"),
        ({"query": {"each": [[]]}}, "not proved", "proof.query"),
        ({"query": {"each": [[{"ids": [0], "proof": {"all": [None, None]}}]]}}, "not proved", "proof.query"),
        (
            {"query": {"each": [[{"ids": [0, 4], "proof": {"all": [None]}}]]}},
            "not proved",
            "proof.query.each[0][0].proof",
        ),
        ({"query": {"each": [[{"ids": [0, 4]}]]}}, "not proved", "proof.query"),
        (
            {"query": {"each": [[{"ids": [0, 0], "proof": {"all": [None, None]}}]]}},
            "failed",
            "proof.query.each[0][0].ids",
        ),
        (
            {"query": {"each": [[{"ids": [0, 9], "proof": {"all": [None, None]}}]]}},
            "failed",
            "proof.query.each[0][0].ids",
        ),
        (
            {"query": {"each": [[{"ids": [0, 1], "proof": {"all": [None, None]}}]]}},
            "failed",
            "proof.query.each[0][0].proof.all[0]",
        ),
    ],
)
def test_an_incomplete_proof_is_not_proved(proof, outcome, step):
    certificate, document = certified(read("exists>=2 x (ship(x) & ~large(x))"), rich_scene())
    assert certificate["verdict"] == "violated"
    certificate, document = certified(read("exists>=2 x (ship(x) & score(x) > 0.5)"), rich_scene())
    assert certificate["proof"] == {"query": {"each": [[{"ids": [0, 4], "proof": {"all": [None, None]}}]]}}
    report = checker.check(resealed({**certificate, "proof": proof}), document)
    assert (report.outcome, report.step, report.ok) == (outcome, step, False)


# --- geometry, numbers, text ------------------------------------------------------------------------------------------


def replay_of(scene, vocabulary, min_score=0.0):
    """The checker's own reading of a scene, ready to be asked for atoms."""
    replay = checker.Replay()
    replay.read(as_read(scene.to_json()))
    replay.words = {
        "near": {
            "default": [vocabulary.near.default.value, vocabulary.near.default.unit],
            "pairs": [[a, b, limit.value, limit.unit] for (a, b), limit in vocabulary.near.pairs.items()],
        },
        "far_ratio": vocabulary.far_ratio,
    }
    replay.parents = {name: word.parent for name, word in vocabulary.classes.items()}
    replay.attributes, replay.links = {}, {}
    replay.entities = {i: e for i, e in replay.all.items() if e.score >= min_score}
    replay.areas = as_read(scene.to_json())["reference_areas"]
    return replay


def verdicts_of(replay, word, ids):
    """What the checker takes the word to be of these entities: two verdicts where it is borderline."""
    node = checker.parse(f"{word}({', '.join(f'x{i}' for i in range(len(ids)))})", [f"x{i}" for i in range(len(ids))])
    env = {f"x{i}": entity for i, entity in enumerate(ids)}
    found = set()
    for replay.slack in (1, -1):
        found.add(int(replay.truth(node, env)))
    return found


@pytest.mark.parametrize("word", sorted(RELATIONS))
@given(scene=law_scenes(max_entities=5), data=st.data())
@settings(max_examples=25)
def test_the_checkers_words_are_those_of_the_geometry_module(word, scene, data):
    world = World(scene, VOCABULARY, 0.0)
    assume(world.entities)
    replay = replay_of(scene, VOCABULARY)
    arity = RELATIONS[word].arity + (data.draw(st.integers(0, 2)) if RELATIONS[word].variadic else 0)
    for _ in range(4):
        ids = data.draw(st.lists(st.sampled_from(world.entities), min_size=arity, max_size=arity))
        rows = tuple(np.array([world.row(i)]) for i in ids)
        expected = int(truth(word, scene.table, rows, world.facts.parameters)[0])
        assert expected in verdicts_of(replay, word, ids), ids


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
@given(scene=law_scenes(max_entities=5), data=st.data())
@settings(max_examples=25)
def test_the_checkers_functions_are_those_of_the_geometry_module(function, scene, data):
    world = World(scene, VOCABULARY, 0.0)
    assume(world.entities)
    replay = replay_of(scene, VOCABULARY)
    arity = FUNCTIONS[function].arity
    ids = data.draw(st.lists(st.sampled_from(world.entities), min_size=arity, max_size=arity))
    expected = measure(function, scene.table, tuple(np.array([world.row(i)]) for i in ids), world.facts.parameters)[0]
    names = [f"x{i}" for i in range(arity)]
    comparison = checker.parse(f"{function}({', '.join(names)}) = 0", names)
    value, _ = replay.number(comparison.parts[0], dict(zip(names, ids, strict=True)), 0)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@given(formula=queries(max_depth=5))
@settings(max_examples=80)
def test_the_checker_reads_all_canonical_text(formula):
    text = canonical(formula)
    assert checker.parse(text).kind not in checker.TERMS


@pytest.mark.parametrize(
    "text",
    ["", "ship(x1)", "exists x1 (ship(x1)", "exists x1 (ship(x1)))", "exists x1 ship(x1)", "exists x1 (x1)", "5 = ",
     "1 & 2", "exists x1 (ship(x1) & 3)", "exists x1 (ship(x1) &)", "exists>=1.5 x1 (ship(x1))", "true false",
     "exists x1 (near(x1, 3) = 2)", "exists x1 (ship(x1 &)", "exists x1 (~area(x1))", "exists x1 (area(x1))",
     "exists x1 (near(x1))", "count x1 (true)", "exists x1 (ship(x1) > 3)", "exists x1 (palace(x1))",
     "count x1 (true) / 0 = 1", "count x1 (true) * count x1 (true) = 1"],
)  # fmt: skip
def test_what_is_no_query_is_never_proved(text):
    certificate, document = certified(read("exists x (ship(x))"), rich_scene())
    for proof in (None, {"each": [[{"ids": [0, 1, 2, 3, 4], "proof": None}]]}, {"all": [None, None]}):
        for verdict, sides in (("satisfied", ["query"]), ("violated", ["negation"])):
            made = {**certificate, "query": text, "verdict": verdict, "proof": dict.fromkeys(sides, proof)}
            report = checker.check(resealed(made), document)
            assert not report.ok, (proof, verdict)


def test_a_borderline_atom_is_accepted_as_stated_and_listed():
    scene = Scene.from_json(
        {
            "image_id": "P0001",
            "entities": [
                {"entity_id": 0, "label": "ship", "score": 1, "polygon": [[0, 0], [4, 0], [4, 3], [0, 3]]},
                {"entity_id": 1, "label": "ship", "score": 1, "polygon": [[9, 0], [13, 0], [13, 3], [9, 3]]},
            ],
        }
    )  # the gap is the diagonal, 5
    certificate, document = certified(read("exists x (exists y (x != y & near(x, y)))"), scene)
    report = checker.check(certificate, document)
    step = "proof.query.each[0][0].proof.each[0][0].proof.all[1]"
    assert report.ok and report.borderline == (f"{step}: near with x1 = 0, x2 = 1",)
    certificate, document = certified(read("exists x (exists y (distance(x, y) = 5))"), scene)
    assert checker.check(certificate, document).borderline
    # Scores and attributes are no geometry: they are what they are.
    certificate, document = certified(read("exists x (score(x) >= 1) & count x (ship(x)) <= 2"), scene)
    assert checker.check(certificate, document).ok and not checker.check(certificate, document).borderline
    proof = {"part": 0, "proof": {"each": [[{"ids": [0, 1], "proof": None}]]}}
    claim = {"verdict": "violated", "proof": {"negation": proof}}
    assert checker.check(resealed({**certificate, **claim}), document).outcome == "failed"


def test_counts_are_exact():
    text = "0.1 * count x (true) >= 0.5 & count x (ship(x)) / 3 < 1 & 2 * count x (ship(x)) = count x (true) - 1"
    certificate, document = certified(read(text), rich_scene())
    assert certificate["verdict"] == "satisfied"
    assert checker.check(certificate, document).ok


def test_an_equality_that_can_skip_values_is_never_wrongly_open():
    """`2 * count x (f) = 3` is violated whatever f is; its open halves must not pass for a proof."""
    world = World(rich_scene(), VOCABULARY)
    formula = read("2 * count x (ship(x) & flooded(x)) = 3")
    assert holds(formula, world) == VIOLATED
    with pytest.raises(LimitError) as caught:
        make_certificate(formula, world, VIOLATED)
    assert str(caught.value) == (
        "No certificate is made: the query has an equality of counts that can skip values.\n"
        "Its verdict stands; write it with >= and <= for one with a certificate."
    )
    halves = [certified(read(f"2 * count x (ship(x) & flooded(x)) {op} 3"), rich_scene()) for op in (">=", "<=")]
    assert all(half["verdict"] == "undecided" for half, _ in halves)
    (above, document), (below, _) = halves
    proof = {
        "query": {"all": [above["proof"]["query"], below["proof"]["query"]]},
        "negation": {"part": 0, "proof": above["proof"]["negation"]},
    }
    report = checker.check(resealed({**above, "query": canonical(formula), "proof": proof}), document)
    assert (report.outcome, report.message) == (
        "failed", "an equality that can skip values has no proof at this level",
    )  # fmt: skip
    # Where it cannot skip any, the same proof is one.
    formula = read("2 * count x (ship(x) & flooded(x)) = 4")
    certificate, document = certified(formula, rich_scene())
    assert certificate["verdict"] == "undecided" and checker.check(certificate, document).ok


def test_a_core_beside_an_equality_that_can_skip_values_has_no_certificate():
    """It is a core all the same: the limit is told, not that the clause is not needed."""
    world = World(rich_scene(), VOCABULARY)
    formula = read("exists x (~same_class(x, x) & ship(x) & harbor(x)) & 2 * count y (ship(y)) != count y (true)")
    form = clause_form(formula)
    (core, *_) = all_cores(form, world).cores
    with pytest.raises(LimitError, match="an equality of counts that can skip values"):
        core_certificate(form, formula, core, world)


def test_near_by_classes_goes_to_the_closest_pair():
    vocabulary = Vocabulary.from_toml(
        '''
name = "pairs"
[classes.vehicle]
[classes.car]
parent = "vehicle"
[classes.road]
[near]
default = "1 x"
"road vehicle" = "40 px"
"car road" = "2 px"
''',
        source="pairs",
    )

    def box(i, label, x):
        return {"entity_id": i, "label": label, "score": 1.0, "polygon": [[x, 0], [x + 2, 0], [x + 2, 2], [x, 2]]}

    boxes = [box(0, "car", 0), box(1, "road", 10), box(2, "vehicle", 30)]
    scene = Scene.from_json({"image_id": "a", "entities": boxes})
    for text, verdict in (
        ("exists x (exists y (car(x) & road(y) & near(x, y)))", "violated"),
        ("exists x (exists y (road(x) & ~car(y) & near(y, x)))", "satisfied"),
    ):
        certificate, document = certified(read(text), scene, vocabulary)
        assert certificate["verdict"] == verdict
        assert checker.check(certificate, document).ok


@given(scene=law_scenes(max_entities=5))
@settings(max_examples=25)
def test_links_replay_as_chains_and_as_what_is_reached(scene):
    for text in (
        "exists x (exists y (x != y & connected(x, y)))",
        "forall x (forall y (connected(x, y) -> vehicle(y)))",
        "exists x (~connected(x, x) & vehicle(x))",
    ):
        certificate, document = certified(read(text), scene)
        assert checker.check(certificate, document).ok


def test_shipped_vocabularies_have_certificates():
    for name in ("dota-v1.5", "flood"):
        certificate, document = certified(read("forall x (exists y (near(x, y)))"), rich_scene(), load_vocabulary(name))
        VALIDATOR.validate(certificate)
        assert checker.check(certificate, document).ok


# --- limits and hostile documents -------------------------------------------------------------------------------------


def test_above_the_stated_size_none_is_made(monkeypatch):
    monkeypatch.setattr(making, "MAX_STEPS", 10)
    with pytest.raises(LimitError) as caught:
        certified_or_raise(RICH)
    assert str(caught.value) == (
        "No certificate is made: its proof takes more than 10 steps.\n"
        "The verdict stands; only its certificate would be too large."
    )


def certified_or_raise(text):
    world = World(rich_scene(), VOCABULARY)
    formula = expand_definitions(read(text), VOCABULARY)
    return make_certificate(formula, world, holds(formula, world))


def test_another_verdict_is_refused_with_the_side_that_has_no_proof():
    world = World(rich_scene(), VOCABULARY)
    with pytest.raises(CertificateError) as caught:
        make_certificate(read("exists x (ship(x))"), world, VIOLATED)
    assert str(caught.value) == "The query has no proof that it is violated here."
    assert caught.value.step == "proof.negation"
    with pytest.raises(CertificateError):
        make_certificate(read("exists x (ship(x))"), world, UNDECIDED)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400)
KEYS = st.sampled_from(("ids", "proof", "all", "each", "x"))
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


@given(certificate=JSON, document=JSON)
def test_any_document_is_answered(certificate, document):
    assert not checker.check(certificate, document).ok


@given(data=st.data(), value=JSON)
@settings(max_examples=80)
def test_any_value_anywhere_is_answered(data, value):
    certificate, document = certified(read(RICH), rich_scene())
    both = {"certificate": certificate, "scene": document}
    bound = [path for path in leaves(both) if path[:2] != ("certificate", "about")]
    paths = sorted({path[:i] for path in bound for i in range(2, len(path) + 1)}, key=str)
    path = data.draw(st.sampled_from(paths))
    both = changed(both, path, value)
    if path[0] == "certificate":
        with suppress(ValueError, OverflowError):  # a number that no float is
            both["certificate"] = resealed(both["certificate"])
    report = checker.check(both["certificate"], both["scene"])
    assert report.ok or (report.step and report.message)


@pytest.mark.parametrize(
    "query",
    ["~" * 5000 + "true", "(" * 5000 + "true" + ")" * 5000, " <-> ".join(["true"] * 3000), "true -> " * 3000 + "true",
     "true & " * 1_000 + "true", "1" * 5000 + " = 1", "count x1 (true) = " + "9" * 5000],
    ids=["not", "brackets", "iff", "implies", "and", "number", "count"],
)  # fmt: skip
def test_deep_and_long_queries_are_answered(query):
    certificate, document = certified(read("true"), rich_scene())
    proof = None
    for _ in range(600):
        proof = {"part": 0, "proof": proof}
    for inner in (None, proof, {"all": [None] * 1_001}):
        report = checker.check(resealed({**certificate, "query": query, "proof": {"query": inner}}), document)
        assert report.outcome in ("failed", "not proved", "proved")


def test_a_proof_that_multiplies_is_stopped(monkeypatch):
    monkeypatch.setattr(checker, "MAX_WORK", 1000)
    query = "".join(f"exists x{i} (" for i in range(1, 9)) + "ship(x1)" + ")" * 8
    proof = None
    for _ in range(8):
        proof = {"each": [[{"ids": [0, 1, 2, 3, 4], "proof": proof}]]}
    certificate, document = certified(read("true"), rich_scene())
    query = query.replace("ship(x1)", "true")
    report = checker.check(resealed({**certificate, "query": query, "proof": {"query": proof}}), document)
    assert (report.outcome, report.message) == ("failed", "is too large")


# --- one file, a command, an archive ----------------------------------------------------------------------------------


def test_the_checker_is_one_short_file_of_standard_library_and_shapely():
    text = CHECKER.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module]
        else:
            continue
        assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"shapely"}


def test_a_copy_of_the_checker_is_a_command(tmp_path):
    (tmp_path / "checker.py").write_bytes(CHECKER.read_bytes())
    certificate, document = certified(read(RICH), rich_scene())
    files = {
        "good.json": certificate,
        "scene.json": document,
        "changed.json": {**certificate, "verdict": "violated"},
        "incomplete.json": resealed({**certificate, "proof": {"query": {}}}),
        "other.json": {**document, "entities": 7},
    }
    for name, value in files.items():
        (tmp_path / name).write_text(json.dumps(value))
    (tmp_path / "broken.json").write_text('{"a": ')
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "nan.json").write_text(json.dumps({**certificate, "min_score": float("nan")}))

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-I", "checker.py", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    status, said = run("good.json", "scene.json")
    assert status == 0
    assert said.startswith(f"proved: P0706 is satisfied: {certificate['query']}\n")
    assert said.endswith(
        "Verified: these entities, under this formula and this vocabulary, give this verdict.\n"
        "Not verified: that the detector saw everything, or that the formula says what was meant.\n"
    )
    assert run("changed.json", "scene.json")[0] == 5
    assert run("incomplete.json", "scene.json")[0] == 5
    assert "not proved" in run("incomplete.json", "scene.json")[1]
    assert run("nan.json", "scene.json")[0] == 5
    for bad in ("broken.json", "deep.json", "absent.json"):
        assert run(bad, "scene.json")[0] == 3
        assert run("good.json", bad)[0] == 3
    assert run("good.json", "other.json")[0] == 3
    assert run("good.json") == (2, "usage: python checker.py CERTIFICATE.json SCENE.json\n")


def test_verify_replays_against_an_archive():
    scene = rich_scene()
    archive = archive_from_arrow(*arrow_of(scene), vocabulary=None, out=None)
    kept = archive["P0706"]
    certificate, _ = certified(read(RICH.replace(" & large(x)", "")), kept)
    assert verify(certificate, archive).ok
    with pytest.raises(CertificateError) as caught:
        verify({**certificate, "verdict": "violated"}, archive)
    assert caught.value.step == "proof" and caught.value.exit_status == 5
    with pytest.raises(CertificateError) as caught:
        verify({**certificate, "scene_sha256": "0" * 64}, archive)
    assert caught.value.step == "scene_sha256"
    with pytest.raises(CertificateError):
        verify({}, archive)


def arrow_of(scene):
    import pyarrow as pa
    import shapely

    document = scene.to_json()
    entities = pa.table(
        {
            "image_id": [document["image_id"]] * len(document["entities"]),
            "entity_id": pa.array([e["entity_id"] for e in document["entities"]], pa.int32()),
            "label": [e["label"] for e in document["entities"]],
            "source_label": [e["label"] for e in document["entities"]],
            "score": [e["score"] for e in document["entities"]],
            "geometry": [shapely.Polygon(e["polygon"]).wkb for e in document["entities"]],
            "source": ["made"] * len(document["entities"]),
            "flooded": [e["attributes"]["flooded"] for e in document["entities"]],
        }
    )
    images = pa.table(
        {
            "image_id": [document["image_id"]],
            "width": pa.array([document["width"]], pa.int32()),
            "height": pa.array([document["height"]], pa.int32()),
            "gsd": pa.array([document["gsd"]], pa.float64()),
        }
    )
    return entities, images


def test_verdicts_are_covered():
    texts = ("true", "false", "exists x (ship(x) & height(x) > 1)")
    words = [certified(read(text), rich_scene())[0]["verdict"] for text in texts]
    assert words == [SATISFIED.word, VIOLATED.word, UNDECIDED.word]


def test_constants_are_never_relaxed_in_a_core():
    """Found by a soak run: true and false are numbered like atoms, but are no clauses."""
    formula = read("exists x (~(false <-> aligned(x, x, x)))")
    scene = Scene.from_json(rich_scene().to_json())
    world = World(scene, VOCABULARY)
    form = clause_form(formula)
    (core,) = all_cores(form, world).cores
    made = as_read(core_certificate(form, formula, core, world))
    assert checker.check(made, as_read(scene.to_json())).ok

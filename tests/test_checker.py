"""What the checker says: of each refusal its outcome, the step and the words; of its command every line."""

import json
import math

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rune_smt import checker
from rune_smt.entities.relations import measure, truth
from rune_smt.entities.scene import Scene
from rune_smt.grammar.reader import read
from rune_smt.grammar.words import RELATIONS
from rune_smt.solver.world import World
from tests.laws import VOCABULARY
from tests.test_certificates import certified, changed, replay_of, resealed, rich_scene, verdicts_of


def of(*ids, proof=None):
    """A proof of a quantifier: these entities, each with the same proof of the body."""
    return {"each": [[{"ids": list(ids), "proof": proof}]]}


LINKED = "exists x (exists y (connected(x, y)))"
APART = "forall x (forall y (ship(x) -> ~connected(x, y)))"


def answer(certificate, document):
    """What is reported: outcome, step, message."""
    report = checker.check(certificate, document)
    assert report.ok == (report.outcome == "proved")
    return report.outcome, report.step, report.message


def claim(query, proof, verdict="satisfied", **changes):
    """The answer to a certificate of the rich scene with this query, verdict and proof, sealed anew."""
    certificate, document = certified(read("exists x (ship(x))"), rich_scene())
    sides = {"satisfied": ["query"], "violated": ["negation"], "undecided": ["query", "negation"]}
    made = {**certificate, "query": query, "verdict": verdict, "proof": dict.fromkeys(sides[verdict], proof), **changes}
    return answer(resealed(made), document)


def test_what_is_proved_is_said_with_what_was_assumed():
    certificate, document = certified(read("exists x (ship(x))"), rich_scene())
    proved = ("proved", "seal", "P0706 is satisfied: exists x1 (ship(x1))")
    assert answer(certificate, document) == proved
    assumed = resealed({**certificate, "assumed": ["a", "b"]})
    assert answer(assumed, document) == (*proved[:2], f"{proved[2]}; assumed: a; assumed: b")
    report = checker.check(certificate, document)
    assert (report.borderline, report.work, report.ok) == ((), 2, True)


@pytest.mark.parametrize(
    ("path", "value", "step", "message"),
    [
        (("format",), "other", "format", "is 'other', here it is 'rune-smt certificate'"),
        (("version",), 2, "version", "is '2', here it is 1"),
        (("mode",), "graded", "mode", "is 'graded', here it is 'threshold'"),
        (("image_id",), "P0707", "image_id", "is 'P0707', here it is 'P0706'"),
        (("kind",), "core", "kind", "does not fit the core"),
        (("core",), [], "kind", "does not fit the core"),
        (("verdict",), "true", "verdict", "is of no use: KeyError('true')"),
        (("reference_areas",), {"ship": 9.1}, "reference_areas", "that of ship is 9.0 here"),
        (("query",), "exists x1 (ship(x1)", "query", "has no bracket where it needs one, 0 tokens from its end"),
        (("proof",), {}, "proof", "the proof lacks 'query'"),
        (("min_score",), None, "min_score",
         "is of no use: TypeError(\"'>=' not supported between instances of 'float' and 'NoneType'\")"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_header_is_said(path, value, step, message):
    certificate, document = certified(read("exists x (ship(x))"), rich_scene())
    outcome = "not proved" if path == ("proof",) else "failed"
    assert answer(resealed(changed(certificate, path, value)), document) == (outcome, step, message)


def test_a_seal_and_a_scene_that_are_others_are_named():
    certificate, document = certified(read("exists x (ship(x))"), rich_scene())
    assert answer({**certificate, "seal": "0" * 64}, document) == ("failed", "seal", "is another one")
    outcome, step, message = answer({**certificate, "scene_sha256": "0" * 90}, document)
    assert (outcome, step) == ("failed", "scene_sha256")
    assert message == f"is '{'0' * 80}', here it is '{certificate['scene_sha256']}'"
    made = {**certificate, "kind": "core", "core": []}
    assert answer(resealed(made), document) == ("failed", "core", "a core is of a violated query")
    nameless = {name: value for name, value in document.items() if name != "image_id"}
    assert answer(certificate, nameless) == ("failed", "certificate", "is of no use: KeyError('image_id')")
    lacking = {name: value for name, value in certificate.items() if name != "mode"}
    assert answer(lacking, document) == ("failed", "mode", "is of no use: KeyError('mode')")


@pytest.mark.parametrize(
    ("path", "value", "step", "message"),
    [
        (("entities", 1, "entity_id"), 0, "scene.entities[4]", "an entity_id stands twice"),
        (("entities", 1, "entity_id"), "1", "scene.entities[1]", "no proper id, label or score"),
        (("entities", 1, "score"), 1.1, "scene.entities[1]", "no proper id, label or score"),
        (("entities", 1, "score"), -0.1, "scene.entities[1]", "no proper id, label or score"),
        (("entities", 1, "label"), None, "scene.entities[1]", "no proper id, label or score"),
        (("entities", 2, "polygon", 1, 0), float("inf"), "scene.entities[2]", "a coordinate is not finite"),
        (("entities", 2, "polygon"), [[1], [2]], "scene.entities[2]",
         "is of no use: ValueError('not enough values to unpack (expected 2, got 1)')"),
        (("entities",), 7, "scene", "is of no use: TypeError(\"'int' object is not iterable\")"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_scene_is_said(path, value, step, message):
    certificate, document = certified(read("exists x (ship(x))"), rich_scene())
    assert answer(certificate, changed(document, path, value)) == ("unreadable", step, message)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (7, "is no formula"),
        ("exists x (ship(x)); true", "is no formula"),
        ("true" + " " * 100_000, "is no formula"),
        ("exists x (true & x)", "a part of & is of the wrong sort"),
        ("exists x (near(x, x) + 1 = 2 & ~3)", "a part of ~ is of the wrong sort"),
        ("(true) (true", "is not one formula"),
        ("((true)", "has no bracket where it needs one, 0 tokens from its end"),
        ("(true | (false true) & true", "has no bracket where it needs one, 4 tokens from its end"),
        ("exists x ship(x)", "exists x has no body, or no whole number"),
        ("exists>=1.5 y (true)", "exists y has no body, or no whole number"),
        ("exists x (ship(y))", "ship takes variables that are bound"),
        ("exists x (near(x, y))", "near takes variables that are bound"),
        ("exists x (near(x y))", "near takes variables that are bound"),
        ("exists x (true) & ship(x)", "ship takes variables that are bound"),
        ("x = 3", "x is bound by nothing"),
        ("true false", "is not one formula"),
        ("exists x (3)", "a part of x is of the wrong sort"),
        ("3 + 4", "is not one formula"),
    ],
)
def test_what_is_wrong_with_the_query_is_said(query, message):
    assert claim(query, None) == ("failed", "query", message)


@pytest.mark.parametrize(
    ("query", "proof", "step", "message"),
    [
        ("exists x (ship(x))", of(0, 1), ".each[0][0].proof", "ship with x = 1 fails"),
        ("exists x (~ship(x))", of(0), ".each[0][0].proof", "~ship with x = 0 fails"),
        ("exists x (exists y (x != y & near(x, y)))",
         of(0, proof=of(4, proof={"all": [None, None]})),
         ".each[0][0].proof.each[0][0].proof.all[1]", "near with x = 0, y = 4 fails"),
        ("exists x (ship(x))", of(0, proof=1), ".each[0][0].proof", "an atom has no proof"),
        ("exists x (ship(x))", of(7), ".each[0][0].ids",
         "entity 7 does not exist or stands twice"),
        ("exists x (ship(x))", {"each": [[{"ids": [0], "proof": None}, {"ids": [4, 0], "proof": None}]]},
         ".each[0][1].ids", "entity 0 does not exist or stands twice"),
        ("true | false", {"part": 2, "proof": None}, "", "there is no part 2"),
        ("true | false", {"part": -1, "proof": None}, "", "there is no part -1"),
        ("true | false", {"part": 1, "proof": None}, ".proof", "false fails"),
        ("exists x (palace(x))", of(0), ".each[0][0].proof", "palace is not known"),
        ("exists x (ship(x, x))", of(0), ".each[0][0].proof",
         "ship does not take 2 arguments"),
        ("exists x (near(x))", of(0), ".each[0][0].proof",
         "near does not take 1 arguments"),
        ("exists x (between(x, x))", of(0), ".each[0][0].proof",
         "between does not take 2 arguments"),
        ("exists x (clustered(x))", of(0), ".each[0][0].proof",
         "clustered does not take 1 arguments"),
        ("exists x (area(x, x) > 1)", of(0), ".each[0][0].proof", "area is none"),
        ("exists x (speed(x) > 1)", of(0), ".each[0][0].proof", "speed is none"),
    ],
)  # fmt: skip
def test_the_step_that_fails_is_told(query, proof, step, message):
    assert claim(query, proof) == ("failed", f"proof.query{step}", message)


@pytest.mark.parametrize(
    ("query", "proof", "step", "message"),
    [
        ("exists>=3 x (ship(x))", of(0, 4), "", ">= fails"),
        ("count x (ship(x)) > 2", of(0, 4), "", "> fails"),
        ("exists<=1 x (ship(x))", of(1, 2), "", "<= fails"),
        ("true & true", {"all": [None]}, "", "2 parts are to be proved"),
        ("true & true", {"some": []}, "", "the proof lacks 'all'"),
        ("true | true", {"proof": None}, "", "the proof lacks 'part'"),
        ("true | true", {"part": 0}, "", "the proof lacks 'proof'"),
        ("exists x (ship(x))", None, "", "the proof lacks 'each'"),
        ("exists x (ship(x))", {"each": [[{"ids": [0]}]]}, "", "the proof lacks 'proof'"),
        ("exists x (ship(x))", {"each": [[{"proof": None}]]}, "", "the proof lacks 'ids'"),
    ],
)
def test_what_is_lacking_is_told(query, proof, step, message):
    assert claim(query, proof) == ("not proved", f"proof.query{step}", message)


def test_the_side_that_lacks_its_proof_is_told():
    assert claim("exists x (ship(x))", of(1, 2, 3), "violated") == (
        "not proved", "proof.negation", ">= fails",
    )  # fmt: skip


CHAIN = ("proof", "query", "each", 0, 0, "proof", "each", 0, 0, "proof")
REACH = ("proof", "query", "each", 0, 0, "proof", "each", 0, 0, "proof", "proof")


@pytest.mark.parametrize(
    ("query", "path", "value", "outcome", "step", "message"),
    [
        (LINKED, (*CHAIN, "chain"), [2, 3], "failed", "", "no chain from 2 to 2"),
        (LINKED, (*CHAIN, "chain"), [3, 2], "failed", "", "no chain from 2 to 2"),
        (LINKED, (*CHAIN, "chain"), [2], "failed", "", "no chain from 2 to 2"),
        (LINKED, (*CHAIN, "chain"), [2, 2], "failed", "", "2 and 2 are no pair"),
        (LINKED, (*CHAIN, "chain"), [2, 9, 2], "failed", "", "2 and 9 are no pair"),
        (LINKED, (*CHAIN, "chain"), [2, 0, 2], "failed", ".steps[0].proof.all[1]", "vehicle with x = 2, y = 0 fails"),
        (LINKED, CHAIN, {}, "not proved", "", "the proof lacks 'chain'"),
        (LINKED, CHAIN, {"chain": [2, 3, 2]}, "not proved", "", "the proof lacks 'steps'"),
        (APART, (*REACH, "reach"), [], "failed", "", "0 reaches 0"),
        (APART, (*REACH, "reach", 0, "ids"), [1], "failed", "", "0 reaches 0"),
        (APART, (*REACH, "reach", 0, "each"), [], "not proved", "", "not every entity is proved apart from 0"),
        (APART, (*REACH, "reach", 0), {"ids": [0]}, "not proved", "", "the proof lacks 'each'"),
        (APART, REACH, None, "not proved", "", "the proof lacks 'reach'"),
    ],
)
def test_what_is_wrong_with_a_chain_or_with_what_is_reached_is_told(query, path, value, outcome, step, message):
    certificate, document = certified(read(query), rich_scene())
    assert checker.check(certificate, document).ok
    place = path[1 : len(CHAIN if query == LINKED else REACH)]
    where = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)
    found = answer(resealed(changed(certificate, path, value)), document)
    assert found == (outcome, f"proof{where}{step}", message)


def test_the_command_says_what_came_of_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    certificate, document = certified(read("exists x (exists y (distance(x, y) = 1))"), rich_scene())
    files = {
        "good.json": certificate,
        "wrong.json": resealed({**certificate, "verdict": "violated"}),
        "lacking.json": resealed({**certificate, "proof": {"query": {}}}),
        "scene.json": document,
        "other.json": {**document, "entities": 7},
    }
    for name, value in files.items():
        (tmp_path / name).write_text(json.dumps(value), encoding="utf-8")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")

    def run(*arguments):
        status = checker.main(list(arguments))
        return status, *capsys.readouterr()

    assert run("good.json", "scene.json") == (
        0,
        "proved: P0706 is satisfied: exists x1 (exists x2 (distance(x1, x2) = 1))\n"
        "  step: seal; 3 steps replayed\n"
        "  borderline, accepted as stated: proof.query.each[0][0].proof.each[0][0].proof: = with x1 = 2, x2 = 3\n"
        "Verified: these entities, under this formula and this vocabulary, give this verdict.\n"
        "Not verified: that the detector saw everything, or that the formula says what was meant.\n",
        "",
    )
    lacks = "not proved: the proof lacks '{}'\n  step: {}; {} steps replayed\n"
    assert run("wrong.json", "scene.json") == (5, lacks.format("negation", "proof", 0), "")
    assert run("lacking.json", "scene.json") == (5, lacks.format("each", "proof.query", 1), "")
    assert run("good.json", "other.json") == (
        3,
        "unreadable: is of no use: TypeError(\"'int' object is not iterable\")\n  step: scene; 0 steps replayed\n",
        "",
    )
    assert run("good.json") == (2, "", "usage: python checker.py CERTIFICATE.json SCENE.json\n")
    assert run("a", "b", "c")[0] == 2
    status, out, err = run("broken.json", "scene.json")
    assert (status, out) == (3, "")
    assert err.startswith("broken.json or scene.json cannot be read: Expecting property name enclosed in double quotes")
    assert run("good.json", "absent.json")[0] == 3


def ships(*outlines, **image):
    """A scene of ships with these outlines, numbered from 0."""
    rows = [{"entity_id": i, "label": "ship", "score": 1.0, "polygon": points} for i, points in enumerate(outlines)]
    return Scene.from_json({"image_id": "P0001", "entities": rows, **image})


def upright(x, y, w, h):
    return [[x - w / 2, y - h / 2], [x + w / 2, y - h / 2], [x + w / 2, y + h / 2], [x - w / 2, y + h / 2]]


# ships with areas of 16 and 25 px2, a harbor of 10 by 10 px, in an image of 100 by 80 px at 0.5 m
@pytest.mark.parametrize(
    "query",
    [
        "cover x (ship(x)) > 0.5 % & cover x (ship(x)) < 0.52 %",
        "2 * cover x (ship(x)) > 1.02 % & cover x (ship(x)) + cover y (harbor(y)) < 1.77 %",
        "forall x (harbor(x) -> area(x) > 1.24 % & area(x) < 1.26 %)",
        "forall x (harbor(x) -> area(x) + area(x) > 2.49 % & area(x) + area(x) < 2.51 %)",
        "forall x (harbor(x) -> area(x) / 2 > 0.62 % & 0.63 % > area(x) / 2)",
        "forall x (harbor(x) -> 3 * length(x) > 23.4 % & 3 * length(x) < 23.5 %)",
        "forall x (harbor(x) -> length(x) > 7.8 % & 7.9 % > length(x))",
        "forall x (harbor(x) -> length(x) - width(x) < 0.1 % & length(x) + width(x) > 15.6 %)",
        "forall x (harbor(x) -> length(x) > 4.99 m & 0.00501 km > length(x) & area(x) > 24.9 m2 & area(x) < 25.1 m2)",
        "forall x (harbor(x) -> area(x) < 0.0026 ha & area(x) > 0.0024 ha & area(x) > 0.000024 km2)",
    ],
)
def test_numbers_have_their_units(query):
    certificate, document = certified(read(query), rich_scene())
    assert certificate["verdict"] == "satisfied"
    assert answer(certificate, document)[0] == "proved"


HOLE = [[3, 3], [3, 5], [5, 5], [5, 3]]
OUTLINES = {
    "corners crosswise": [[0, 0], [10, 0], [0, 6], [10, 6]],
    "a corner inside": [[0, 0], [10, 0], [3, 2], [0, 10]],
    "five corners, one inside": [[0, 0], [10, 0], [10, 8], [5, 2], [0, 8]],
    "corners twice": [[0, 0], [0, 0], [8, 0], [8, 4], [8, 4], [0, 4]],
    "closed": [[0, 0], [8, 0], [8, 4], [0, 4], [0, 0]],
    "turned": [[0, 0], [6, 8], [2, 11], [-4, 3]],
    "crossing itself, one part small": [[0, 0], [10, 0], [10, 8], [0.5, -1], [0, 8]],
    "an hourglass of five corners": [[0, 0], [10, 0], [5, 3], [10, 8], [0, 8]],
    "a line": [[0, 0], [3, 4], [6, 8]],
    "a point": [[2, 3], [2, 3], [2, 3]],
    "a hole": [[[0, 0], [10, 0], [10, 8], [0, 8]], HOLE],
    "two parts": [[[[0, 0], [10, 0], [10, 8], [0, 8]], HOLE], [[[20, 0], [22, 0], [21, 4]]]],
    "two parts that overlap": [[[[0, 0], [10, 0], [10, 8], [0, 8]]], [[[5, 2], [14, 2], [14, 4]]]],
}


@pytest.mark.parametrize("name", OUTLINES)
def test_outlines_have_the_measures_that_the_geometry_module_gives(name):
    scene = ships(OUTLINES[name], upright(100, 40, 6, 2))
    world, replay = World(scene, VOCABULARY), replay_of(scene, VOCABULARY)
    row, other = (np.array([world.row(i)]) for i in (0, 1))
    entity = checker.Entity({"entity_id": 0, "label": "ship", "polygon": OUTLINES[name]}, [math.nan] * 6)
    replay.entities[0] = entity  # as it was given, not as the entity table hands it on
    for function in ("area", "length", "width", "angle"):
        expected = float(measure(function, scene.table, (row,), world.facts.parameters)[0])
        if function != "angle" or not math.isnan(expected):
            assert getattr(entity, function) == pytest.approx(expected, abs=1e-9), function
    for function in ("distance", "center_distance"):
        expected = float(measure(function, scene.table, (row, other), world.facts.parameters)[0])
        node = checker.parse(f"{function}(x, y) = 0", ["x", "y"]).parts[0]
        assert replay.number(node, {"x": 0, "y": 1}, 0)[0] == pytest.approx(expected, abs=1e-9), function


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ('exists x (damage(x) < "minor")', "satisfied"),
        ('exists x (damage(x) > "minor")', "violated"),
        ('forall x (damage(x) <= "minor")', "satisfied"),
        ('exists x ("major" <= damage(x))', "violated"),
        ('exists x (exists y (damage(x) < damage(y)))', "satisfied"),
        ('exists x (damage(x) = "none") & ~(exists x (damage(x) = "lost"))', "satisfied"),
    ],
)  # fmt: skip
def test_texts_are_ordered_as_the_vocabulary_says(query, verdict):
    scene = changed(rich_scene().to_json(), ("entities",), rich_scene().to_json()["entities"][:2])
    for entity, damage in zip(scene["entities"], ("none", "minor"), strict=True):
        entity["attributes"]["damage"] = damage
    certificate, document = certified(read(query), Scene.from_json(scene))
    assert certificate["verdict"] == verdict
    assert answer(certificate, document)[0] == "proved"
    other = {"satisfied": "violated", "violated": "satisfied"}[verdict]
    assert answer(resealed({**certificate, "verdict": other}), document)[0] != "proved"


@st.composite
def rows_of_boxes(draw):
    """A scene of three to five boxes more or less in a row, sometimes of one inside of another."""
    x, boxes = 0, []
    for _ in range(draw(st.integers(3, 5))):
        x += draw(st.sampled_from((0, 6, 8, 11)))
        y, w, h = (draw(st.sampled_from(some)) for some in ((0, 0, 1, 2, -2, 5), (2, 4, 6, 30), (2, 3, 5, 8)))
        boxes.append(upright(x, y, w, h))
    return ships(*boxes)


@st.composite
def frames(draw):
    """A scene of a box, thin or not, and of a frame around it that is open at one side, more or less."""
    height, gap, apart = (draw(st.sampled_from(some)) for some in ((1, 10), (0.2, 4, 8), (0.2, 0.4, 1.3, 2, 4)))
    x, y, half = 5 + apart, height / 2 + apart, min(gap, height) / 2
    frame = [[x, half], [x, y], [-x, y], [-x, -y], [x, -y], [x, -half],
             [20, -half], [20, -20], [-20, -20], [-20, 20], [20, 20], [20, half]]  # fmt: skip
    return ships(upright(0, 0, 10, height), frame)


@st.composite
def bordering(draw):
    """A scene of a box near a border of its image, or near where a third of it ends."""
    edges = (0, 0.5, 1, 1.5, 2, 10, 30, 33, 34, 48)
    x, y, w, h = draw(st.sampled_from(edges)), draw(st.sampled_from(edges[:7])), 4, 2
    x, y = (x if draw(st.booleans()) else 100 - x - w), (y if draw(st.booleans()) else 80 - y - h)
    return ships(upright(x + w / 2, y + h / 2, w, h), width=100, height=80)


@st.composite
def mapped(draw):
    """A scene of two boxes in an image that lies on the map as it may: turned, mirrored, on its side."""
    turns = ([500, 0.5, 0.3, 4000, 0.3, -0.5], [0, 0, 1, 0, 1, 0], [9, -0.5, 0, 9, 0, 0.5], [0, 0.2, -1, 0, -1, -0.2])
    places = st.tuples(st.integers(0, 40), st.integers(0, 40))
    boxes = [upright(x, y, 4, 2) for x, y in draw(st.lists(places, min_size=2, max_size=2, unique=True))]
    return ships(*boxes, transform=draw(st.sampled_from(turns)), crs="EPSG:32632")


@st.composite
def turned(draw):
    """A scene of two long boxes that differ in direction by about as much as parallel and perpendicular allow."""
    first = draw(st.sampled_from((0, 5, 88, 172)))
    second = first + draw(st.sampled_from((0, 9.5, 10.5, 79.5, 80.5, 90, 99.5, 100.5, 169.5, 170.5, 175)))
    outlines = []
    for x, degrees in ((0, first), (40, second)):
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        outlines.append([[x + a * cos - b * sin, a * sin + b * cos] for a, b in upright(0, 0, 20, 4)])
    return ships(*outlines)


@pytest.mark.parametrize(
    ("word", "places"),
    [
        *((word, rows_of_boxes()) for word in ("aligned", "between", "clustered")),
        *((word, rows_of_boxes()) for word in ("inside", "overlaps")),
        ("surrounded_by", frames()),
        *((word, turned()) for word in ("parallel", "perpendicular")),
        *((word, mapped()) for word in ("west_of", "east_of", "south_of", "north_of")),
        *((word, bordering()) for word in ("at_border", "in_left", "in_right", "in_top", "in_bottom", "in_center")),
    ],
)
@given(data=st.data())
@settings(max_examples=40)
def test_the_checkers_words_are_those_of_the_geometry_module_near_their_limits_too(word, places, data):
    scene = data.draw(places)
    world, replay = World(scene, VOCABULARY), replay_of(scene, VOCABULARY)
    arity = RELATIONS[word].arity
    for _ in range(4):
        most = len(world.entities) if RELATIONS[word].variadic else arity
        ids = data.draw(st.permutations(world.entities))[: data.draw(st.integers(arity, most))]
        rows = tuple(np.array([world.row(i)]) for i in ids)
        expected = int(truth(word, scene.table, rows, world.facts.parameters)[0])
        event(f"{word} {expected}")
        assert expected in verdicts_of(replay, word, ids), ids

"""What the laws of the solver share: a vocabulary, and scenes of boxes."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

from rune_smt.entities.scene import Scene
from rune_smt.grammar.definitions import Written, with_formulas
from rune_smt.grammar.nodes import (
    TRUE,
    And,
    Apply,
    Arithmetic,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    Formula,
    Not,
    Number,
    Or,
    Term,
    Variable,
)
from rune_smt.grammar.vocabulary import Vocabulary, load_vocabulary
from rune_smt.solver.world import World

CLASSES = ("ship", "harbor", "plane")


@cache
def vocabulary() -> Vocabulary:
    """The shipped one with two numeric attributes, a definition, one that uses it, and a link."""
    shipped = replace(load_vocabulary("dota-v1.5"), name="laws").with_attributes(
        {"flooded": "boolean", "difficult": "number"}
    )
    written = (
        Written(False, "alone", ("x",), "~(exists y (y != x & near(x, y)))", "definitions.alone(x)"),
        Written(False, "odd_pair", ("x", "y"), "alone(x) <-> near(x, y)", "definitions.odd_pair(x, y)"),
        Written(True, "linked", ("x", "y"), "touches(x, y) & ~flooded(x)", "links.linked"),
    )
    return with_formulas(shipped, written, "laws")


VOCABULARY = vocabulary()


def box(x: float, y: float, w: float, h: float) -> list[list[float]]:
    """Corners of an upright box."""
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


def scene_of(entities: Iterable[tuple], width=None, height=None, gsd=None, image_id="P0001", **more) -> Scene:
    """A scene of upright boxes: (label, x, y, w, h) or (label, x, y, w, h, score), ids from 0."""
    return Scene.from_json(
        {
            "image_id": image_id, "width": width, "height": height, "gsd": gsd, **more,
            "entities": [
                {"entity_id": i, "label": e[0], "polygon": box(*e[1:5]), "score": e[5] if len(e) > 5 else 1.0}
                for i, e in enumerate(entities)
            ],
        }
    )  # fmt: skip


def world_of(entities: Iterable[tuple], min_score: float = 0.5, **scene) -> World:
    """The world of such a scene."""
    return World(scene_of(entities, **scene), VOCABULARY, min_score)


@st.composite
def counting(draw, depth: int = 3, scope: tuple[str, ...] = ()) -> Formula:
    """Formulas in which counts stand inside of counts: lower, upper and exact ones, and sums that can skip a value."""
    kinds = ["literal"] * bool(scope) + (["count", "count", "compare", "join", "not"] if depth else [])
    match draw(st.sampled_from(kinds or ["truth"])):
        case "literal":
            name = draw(st.sampled_from(("ship", "flooded", "near")))
            args = tuple(Variable(draw(st.sampled_from(scope))) for _ in range(2 if name == "near" else 1))
            return Apply(name, args)
        case "count":
            var = f"v{len(scope)}"
            op, n = draw(st.sampled_from((">=", "<=", "="))), draw(st.integers(0, 3))
            return ExistsCount(op, n, var, draw(counting(depth=depth - 1, scope=(*scope, var))))
        case "compare":
            left, right = draw(_sums(depth, scope)), draw(_sums(depth, scope))
            return Compare(draw(st.sampled_from(("=", "!=", "=", "<", ">="))), left, right)
        case "join":
            kind = draw(st.sampled_from((And, Or)))
            return kind((draw(counting(depth=depth - 1, scope=scope)), draw(counting(depth=depth - 1, scope=scope))))
        case "not":
            return Not(draw(counting(depth=depth - 1, scope=scope)))
        case _:
            return TRUE


@st.composite
def _sums(draw, depth: int, scope: tuple[str, ...]) -> Term:
    number = Number(Decimal(draw(st.integers(0, 3))))
    if draw(st.booleans()):
        return number
    var = f"v{len(scope)}"
    count = Count(var, draw(counting(depth=depth - 1, scope=(*scope, var))))
    match draw(st.sampled_from(("one", "times", "minus"))):
        case "times":
            return Arithmetic("*", Number(Decimal(draw(st.integers(0, 3)))), count)
        case "minus":
            return Arithmetic("-", number, count)
        case _:
            return count


@st.composite
def nested_counts(draw) -> Formula:
    """A count of entities that have so many near them: every pair of bounds, the inner one wanted or not."""
    near = Apply("near", (Variable("x"), Variable("y")))
    some = draw(st.sampled_from((near, Not(near), And((near, Apply("ship", (Variable("y"),)))))))
    inner = ExistsCount(draw(st.sampled_from((">=", "<=", "="))), draw(st.integers(0, 3)), "y", some)
    body = draw(st.sampled_from((inner, Not(inner), And((inner, Apply("ship", (Variable("x"),)))))))
    if draw(st.booleans()):
        return ExistsCount(draw(st.sampled_from((">=", "<=", "="))), draw(st.integers(0, 3)), "x", body)
    op = draw(st.sampled_from(("<", "<=", ">", ">=", "=", "!=")))
    return Compare(op, Count("x", body), Number(Decimal(draw(st.integers(0, 3)))))


@st.composite
def covering(draw) -> Formula:
    """Comparisons of sums, differences and multiples of covers, by themselves or of what is near some entity."""
    compare = Compare(draw(st.sampled_from(("<", "<=", ">", ">=", "=", "!="))), draw(_areas(2)), draw(_areas(1)))
    formula = draw(st.sampled_from((compare, Not(compare))))
    return draw(st.sampled_from((And((formula, Exists("x", Apply("ship", (Variable("x"),))))), Exists("x", formula))))


@st.composite
def _areas(draw, depth: int) -> Term:
    leaves = ("cover", "cover", "number")
    match draw(st.sampled_from((*leaves, "+", "-", "-", "*", "/") if depth else leaves)):
        case "number":
            return Number(Decimal(draw(st.sampled_from((0, 5, 20, 100)))), "px2")
        case "cover":
            parts = [Apply(name, (Variable("y"),)) for name in ("ship", "harbor", "flooded", "large")]
            some = draw(st.lists(st.sampled_from([*parts, Not(parts[0]), Not(parts[2])]), min_size=1, max_size=2))
            return Cover("y", some[0] if len(some) == 1 else draw(st.sampled_from((And, Or)))(tuple(some)))
        case "*":
            number = Arithmetic("-", Number(Decimal(draw(st.integers(0, 2)))), Number(Decimal(1)))
            area = draw(_areas(depth - 1))
            return draw(st.sampled_from((Arithmetic("*", number, area), Arithmetic("*", area, number))))
        case "/":
            return Arithmetic("/", draw(_areas(depth - 1)), Number(Decimal(2)))
        case op:
            return Arithmetic(op, draw(_areas(depth - 1)), draw(_areas(depth - 1)))

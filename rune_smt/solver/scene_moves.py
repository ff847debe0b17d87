"""Moves that make one atom true or false in a sketch: set a class, push a box beside another, turn it, scale it.

A move aims, it does not promise: the search looks at the result under the geometry module and keeps what helps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, floor, hypot, isfinite, radians, sin, sqrt
from random import Random

from ..entities.relations import TOUCH_PX
from ..grammar.nodes import Apply, Arithmetic, Compare, CompareOp, Number, Term, Text, Variable, walk
from ..grammar.vocabulary import Vocabulary
from ..grammar.words import WORDS
from .dimension import is_area
from .numbers import METRIC, OPPOSITE, REVERSED, in_metres
from .sketch import CELL, LENGTH, USUAL_AREA, WIDTH, Picture, Sketch, Thing, Value

SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1))  # right of, left of, above, below
SMALLEST_PX = 1.0  # sides are not made shorter
HOLDS: dict[CompareOp, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


@dataclass
class Moves:
    """Changes a sketch in place. `classes` are labels that a thing may get, most wanted first."""

    sketch: Sketch
    vocabulary: Vocabulary
    classes: Sequence[str]
    random: Random
    placed: set[int] = field(default_factory=set)  # things that have their place beside another: others move to them

    @property
    def things(self) -> list[Thing]:
        """Those of the sketch."""
        return self.sketch.things

    def add(self) -> int:
        """A new thing in a free place, far from all others; its number."""
        side = self.sketch.frame.side
        across = max(1, floor(side / CELL))
        place = 0
        while True:
            row, column = divmod(place, across)
            x, y = CELL / 2 + column * CELL, CELL / 2 + row * CELL
            if all(abs(t.x - x) > t.reach[0] + CELL / 2 or abs(t.y - y) > t.reach[1] + CELL / 2 for t in self.things):
                break
            place += 1
        label = self.random.choice(self.classes[:4])
        self.things.append(Thing(label, x, y, attributes=dict(self.sketch.frame.attributes)))
        return len(self.things) - 1

    def move(self, atom: Apply | Compare, wanted: bool, env: Mapping[str, int], picture: Picture | None) -> None:
        """Aims at `atom` being `wanted`; `picture` is the state before, where one is known."""
        if isinstance(atom, Compare):
            self._compare(atom if wanted else Compare(OPPOSITE[atom.op], atom.left, atom.right), env)
            return
        args = [env[arg.name] for arg in atom.args if isinstance(arg, Variable)]
        name = atom.name
        if name in self.vocabulary.classes:
            self._label(args[0], name, wanted)
        elif name in self.vocabulary.attributes:
            self.things[args[0]].attributes[name] = wanted
        elif name in self.vocabulary.links:
            self._apart(*self._mover_first(args[0], args[1]), 0.0 if wanted else 2 * CELL)
        elif len(args) == 1:
            self._place(name, args[0], wanted)
        elif len(set(args)) == len(args):
            self._relate(name, args, wanted)

    def _shuffled(self, args: Sequence[int]) -> tuple[int, int]:
        first, second = self.random.sample(list(args), 2) if len(set(args)) > 1 else (args[0], args[0])
        return first, second

    # --- one thing ----------------------------------------------------------------------------------------------------

    def _label(self, i: int, cls: str, wanted: bool) -> None:
        thing = self.things[i]
        if self.vocabulary.is_a(thing.label, cls) == wanted:
            return
        below = self.vocabulary.descendants(cls)
        if wanted:
            leaves = [name for name in below if len(self.vocabulary.descendants(name)) == 1] or list(below)
            mentioned = [name for name in leaves if name in self.classes]
            thing.label = self.random.choice(mentioned or leaves)
        else:
            others = [name for name in self.classes if name not in below]
            others += [name for name in self.vocabulary.classes if name not in below and name not in others][:1]
            if others:
                thing.label = self.random.choice(others[:5])

    def _place(self, name: str, i: int, wanted: bool) -> None:
        """Position words and sizes; one that is not wanted is left for another place or size."""
        thing, side = self.things[i], float(self.sketch.frame.side)
        if name in ("large", "small"):
            self._scale(thing, USUAL_AREA * {"large": 2.25, "small": 0.4}[name] if wanted else USUAL_AREA)
            return
        if name == "at_border":
            self._shift(thing, thing.reach[0] if wanted else side / 4, side / 2 if wanted else side / 4)
            return
        spots = {"in_left": (1 / 6, None), "in_right": (5 / 6, None), "in_center": (1 / 2, 1 / 2),
                 "in_top": (None, 1 / 6), "in_bottom": (None, 5 / 6)}  # fmt: skip
        x, y = spots[name] if wanted else self.random.choice([spot for key, spot in spots.items() if key != name])
        jitter = self.random.choice((0.0, 0.1, -0.1))
        to_x = thing.x if x is None else (x + jitter) * side
        self._shift(thing, to_x, thing.y if y is None else (y + self.random.choice((0.0, jitter))) * side)

    def _shift(self, thing: Thing, x: float, y: float) -> None:
        """Moves a thing, every other time with all that is close by, so that what holds among them goes on to hold."""
        dx, dy = x - thing.x, y - thing.y
        company = [thing]
        if self.random.random() < 0.5:
            company = [each for each in self.things if hypot(each.x - thing.x, each.y - thing.y) <= 1.2 * CELL]
        for each in company:
            each.x, each.y = each.x + dx, each.y + dy

    def _scale(self, thing: Thing, area: float) -> None:
        """The same proportions, another area; exact where the sides allow it."""
        area = max(area, SMALLEST_PX * SMALLEST_PX)
        thing.hole = None
        if thing.w * thing.h <= 0:
            thing.w, thing.h = LENGTH, WIDTH
        factor = sqrt(area / thing.area)
        thing.w = max(round(thing.w * factor, 1), SMALLEST_PX)
        thing.h = area / thing.w

    def _direct(self, thing: Thing) -> None:
        """Gives it a direction."""
        if thing.w * thing.h <= 0:
            thing.w, thing.h = LENGTH, WIDTH
        if max(thing.w, thing.h) < 1.25 * min(thing.w, thing.h):
            thing.w, thing.h = 2 * thing.w, thing.h / 2

    # --- two and more -------------------------------------------------------------------------------------------------

    def near_limit(self, i: int, j: int) -> float:
        """The largest gap at which two things are near, px."""
        one, other = self.things[i], self.things[j]
        limit = self.vocabulary.near_limit(one.label, other.label)
        match limit.unit:
            case "x":
                value = limit.value * min(one.diagonal, other.diagonal)
            case "m":
                value = limit.value / self.sketch.frame.gsd
            case _:
                value = limit.value
        return max(TOUCH_PX, value)

    def far_limit(self, i: int, j: int) -> float:
        """The gap beyond which two things are far, px."""
        smaller = min(self.things[i].diagonal, self.things[j].diagonal)
        return max(TOUCH_PX, self.vocabulary.far_ratio * smaller, self.near_limit(i, j))

    def _relate(self, name: str, args: list[int], wanted: bool) -> None:
        if name == "contains":
            self._relate("inside", args[::-1], wanted)
            return
        if name in ("between", "aligned", "clustered"):
            self._several(name, args, wanted)
            return
        i, j = args
        if name not in ("inside", "surrounded_by", "larger", "smaller"):
            i, j = self._mover_first(i, j)
        near, far = self.near_limit(i, j), self.far_limit(i, j)
        match name, wanted:
            case "near", True:
                self._apart(i, j, self.random.choice((0.25, 0.5, 0.9)) * near)
            case "near", False:
                self._apart(i, j, self.random.choice((1.5 * near, 1.1 * far, 2 * CELL)))
            case "far", True:
                self._apart(i, j, self.random.choice((1.1, 1.5, 3.0)) * far)
            case "far", False:
                self._apart(i, j, self.random.choice((0.5 * near, 0.75 * far)))
            case "touches", True:
                self._apart(i, j, self.random.choice((0.0, 0.5)))
            case "touches", False:
                self._apart(i, j, self.random.choice((1.5, 0.5 * near, 1.5 * near, 1.1 * far)))
            case "overlaps", True:
                self._apart(i, j, -0.3 * 2 * min(*self.things[i].reach, *self.things[j].reach))
            case "overlaps", False:
                self._apart(i, j, self.random.choice((0.0, 0.5 * near, 1.1 * far)))
            case "inside", True:
                self._enclose(i, j)
            case "inside", False:
                gap = self.random.choice((-0.2 * 2 * min(*self.things[i].reach, *self.things[j].reach), 0.0, far * 1.1))
                self._apart(i, j, gap)
            case "surrounded_by", True:
                self._surround(i, j)
            case "surrounded_by", False:
                self._apart(*self._shuffled((i, j)), self.random.choice((0.0, 1.1 * far)))
            case (("larger" | "smaller"), _):
                self._resize(i, j, (name == "larger") == wanted, strict=wanted)
            case (("parallel" | "perpendicular"), _):
                self._turn(i, j, name, wanted)
            case "same_class", True:
                self.things[i].label = self.things[j].label
            case "same_class", False:
                self._label(i, self.things[j].label, False)
            case _:
                self._beside_in_order(args[0], args[1], name, wanted)

    def _mover_first(self, i: int, j: int) -> tuple[int, int]:
        """The one that moves, then the one that stays: mostly the one that something was put beside already."""
        if (i in self.placed) != (j in self.placed) and self.random.random() < 0.85:
            return (j, i) if i in self.placed else (i, j)
        return (i, j) if self.random.random() < 0.5 else (j, i)

    def _apart(self, i: int, j: int, gap: float) -> None:
        """Puts i at this gap from j, on a side at random, sometimes on the side where it is; negative is overlap."""
        if i == j:
            return
        self.placed.update((i, j))
        one, other = self.things[i], self.things[j]
        if self.random.random() < 0.4:
            dx, dy = one.x - other.x, one.y - other.y
            side = ((1 if dx > 0 else -1), 0) if abs(dx) >= abs(dy) else (0, (1 if dy > 0 else -1))
        else:
            side = self.random.choice(SIDES)
        shift_x, shift_y = one.reach[0] + other.reach[0] + gap, one.reach[1] + other.reach[1] + gap
        offset = self.random.choice((0.0, 0.0, 0.0, 0.5))  # half beside the middle, so that orders are kept apart too
        one.x = other.x + (side[0] * shift_x if side[0] else offset * other.reach[0])
        one.y = other.y + (side[1] * shift_y if side[1] else offset * other.reach[1])

    def _enclose(self, i: int, j: int) -> None:
        """Puts i into j, one of them scaled where it does not fit."""
        inner, outer = self.things[i], self.things[j]
        outer.hole = None
        settled = j in self.placed and i not in self.placed
        self.placed.update((i, j))
        if inner.reach[0] > 0.6 * outer.reach[0] or inner.reach[1] > 0.6 * outer.reach[1]:
            if self.random.random() < (0.3 if settled else 0.7):
                outer.w = 4 * max(inner.w, inner.h)
                outer.h = 3 * max(inner.w, inner.h)
            else:
                inner.w, inner.h = 0.4 * min(outer.w, outer.h), 0.2 * min(outer.w, outer.h)
        across = self.random.choice((0.0, 0.25, -0.25))
        along = self.random.choice((0.0, 0.25, -0.25))
        if self.random.random() < (0.95 if settled else 0.7):
            inner.x, inner.y = outer.x + across * outer.reach[0], outer.y + along * outer.reach[1]
        else:
            outer.x, outer.y = inner.x - across * outer.reach[0], inner.y - along * outer.reach[1]

    def _surround(self, i: int, j: int) -> None:
        """Makes of j a frame around i."""
        inner, outer = self.things[i], self.things[j]
        breadth = max(1.0, min(inner.w, inner.h))
        outer.x, outer.y, outer.angle = inner.x, inner.y, inner.angle
        outer.hole = (inner.w, inner.h)
        outer.w, outer.h = inner.w + 2.5 * breadth, inner.h + 2.5 * breadth

    def _resize(self, i: int, j: int, larger: bool, strict: bool) -> None:
        """Makes i larger than j, or smaller; equal will do where the order is not strict."""
        one, other = self.things[i], self.things[j]
        factor = self.random.choice((1.25, 2.0) if strict else (1.0, 1.25))
        if self.random.random() < 0.5:
            self._scale(one, other.area * factor if larger else other.area / factor)
        else:
            self._scale(other, one.area / factor if larger else one.area * factor)

    def _turn(self, i: int, j: int, name: str, wanted: bool) -> None:
        one, other = self.things[i], self.things[j]
        if not wanted and self.random.random() < 0.2:
            one.w = one.h = round(sqrt(one.area), 1)  # a square has no direction
            one.hole = None
            return
        self._direct(one)
        if wanted:
            self._direct(other)
        turned = {"parallel": 0.0, "perpendicular": 90.0}[name] if wanted else self.random.choice((30.0, 45.0, 60.0))
        if not wanted and self.random.random() < 0.5:
            turned = {"parallel": 90.0, "perpendicular": 0.0}[name]
        long_axis = 90.0 if (other.h > other.w) != (one.h > one.w) else 0.0
        one.angle = (other.angle + turned + long_axis) % 180

    def _beside_in_order(self, i: int, j: int, name: str, wanted: bool) -> None:
        """left_of and its like: i moves, along one axis only; where it is not wanted to the other side or level."""
        axis, sign = {
            "left_of": ("x", -1), "right_of": ("x", 1), "above": ("y", -1), "below": ("y", 1),
            "west_of": ("x", -1), "east_of": ("x", 1), "north_of": ("y", -1), "south_of": ("y", 1),
        }[name]  # fmt: skip
        moving, fixed = self._mover_first(i, j)
        sign = sign if moving == i else -sign
        one, other = self.things[moving], self.things[fixed]
        step = self.random.choice((0.25, 1.0, 2.5)) * (one.reach[axis == "y"] + other.reach[axis == "y"])
        if not wanted:
            sign, step = -sign, self.random.choice((0.0, step))
        setattr(one, axis, getattr(other, axis) + sign * step)

    def _several(self, name: str, args: list[int], wanted: bool) -> None:
        if not wanted:
            i, j = self._shuffled(args)
            self._apart(i, j, self.random.choice((1.1, 2.0)) * self.far_limit(i, j))
            return
        if name == "between":
            i, j, k = args
            one, first, second = (self.things[n] for n in (i, j, k))
            if hypot(first.x - second.x, first.y - second.y) < 1:
                self._apart(j, k, 2 * max(one.reach))
            one.x, one.y = (first.x + second.x) / 2, (first.y + second.y) / 2
            return
        if name == "clustered":
            for place in range(1, len(args)):
                near = self.near_limit(args[place], args[place - 1])
                self._apart(args[place], args[place - 1], 0.5 * near)
            return
        self._along(self.random.sample(args, len(args)))

    def _along(self, args: Sequence[int]) -> None:
        """One after the other in a row, each near the next."""
        side = self.random.choice(SIDES)
        for before, after in pairwise(args):
            one, other = self.things[after], self.things[before]
            gap = 0.4 * self.near_limit(before, after)
            one.x = other.x + side[0] * (one.reach[0] + other.reach[0] + gap)
            one.y = other.y + side[1] * (one.reach[1] + other.reach[1] + gap)

    # --- numbers and texts --------------------------------------------------------------------------------------------

    def _compare(self, atom: Compare, env: Mapping[str, int]) -> None:
        """Sets one measure of one thing to where the comparison holds."""
        if isinstance(atom.left, Variable) or isinstance(atom.right, Variable):
            return  # which entity is which cannot be moved
        if any(isinstance(side, Text) or self._is_text(side) for side in (atom.left, atom.right)):
            self._compare_texts(atom, env)
            return
        leaves = list(dict.fromkeys(node for node in walk(atom) if isinstance(node, Apply)))
        if not leaves:
            return
        leaf = self.random.choice(leaves)
        numbers = [env[arg.name] for arg in leaf.args if isinstance(arg, Variable)]
        now = self._measured(leaf, env)

        def difference(value: float) -> float:
            left = self._value(atom.left, atom.right, env, leaf, value)
            return left - self._value(atom.right, atom.left, env, leaf, value)

        step = max(1.0, abs(now) / 4)
        low, high = difference(now), difference(now + step)
        slope = (high - low) / step
        if not isfinite(slope) or slope == 0:
            return
        root = now - low / slope
        for _ in range(4):  # products of two measures are not straight
            value = difference(root)
            if abs(value) < 1e-9 or not isfinite(value):
                break
            root -= value / slope
        margins = [0.0, 0.02 * abs(root) + 0.01, 0.25 * abs(root) + 0.1, abs(root) + 1.0]
        targets = [root + sign * margin for margin in margins for sign in (1, -1)] + [float(round(root))]
        fitting = [target for target in targets if HOLDS[atom.op](difference(target), 0.0)]
        self._set(leaf.name, numbers, self.random.choice(fitting or [root]))

    def _value(self, term: Term, other: Term, env: Mapping[str, int], leaf: Apply, at: float) -> float:
        frame = self.sketch.frame
        match term:
            case Number(value, "%"):
                whole = frame.side * frame.side if is_area(other) else hypot(frame.side, frame.side)
                return float(value) * whole / 100
            case Number(_, unit) if unit in METRIC:
                metres, power = in_metres(term)
                return metres / frame.gsd**power
            case Number(value):
                return float(value)
            case Arithmetic(op, left, right):
                a, b = self._value(left, other, env, leaf, at), self._value(right, other, env, leaf, at)
                return a + b if op == "+" else a - b if op == "-" else a * b if op == "*" else a / b
            case Apply() if term == leaf:
                return at
            case Apply():
                return self._measured(term, env)
            case _:
                raise TypeError(f"not a measure: {type(term).__name__}")

    def _measured(self, leaf: Apply, env: Mapping[str, int]) -> float:
        """About what it is now: boxes are taken as upright."""
        numbers = [env[arg.name] for arg in leaf.args if isinstance(arg, Variable)]
        one, other = self.things[numbers[0]], self.things[numbers[-1]]
        match leaf.name:
            case "area":
                return one.area
            case "length":
                return max(one.w, one.h)
            case "width":
                return min(one.w, one.h)
            case "angle":
                return (one.angle + (90 if one.h > one.w else 0)) % 180
            case "score":
                return one.score
            case "center_distance":
                return hypot(one.x - other.x, one.y - other.y)
            case "distance":
                if one is other:
                    return 0.0
                dx = abs(one.x - other.x) - one.reach[0] - other.reach[0]
                dy = abs(one.y - other.y) - one.reach[1] - other.reach[1]
                return hypot(max(dx, 0), max(dy, 0))
            case _:
                value = one.attributes.get(leaf.name, 0.0)
                return float(value) if not isinstance(value, str) else 0.0

    def _set(self, name: str, numbers: list[int], value: float) -> None:
        one = self.things[numbers[0]]
        if name in WORDS and name != "angle":
            value = max(value, 0.0)
        match name:
            case "area":
                self._set_area(one, value)
            case "length" | "width":
                self._set_side(one, name, max(value, 0.0))
            case "angle":
                self._direct(one)
                one.angle = (value - (90 if one.h > one.w else 0)) % 180
            case "score":
                one.score = min(value, 1.0)
            case "distance":
                i, j = self._mover_first(numbers[0], numbers[1])
                self._apart(i, j, value)
            case "center_distance":
                i, j = self._shuffled(numbers)
                if i != j:
                    turn = radians(self.random.choice((0, 90, 180, 270)))
                    self.things[i].x = self.things[j].x + round(value * cos(turn), 6)
                    self.things[i].y = self.things[j].y + round(value * sin(turn), 6)
            case _:
                one.attributes[name] = value

    def _set_area(self, thing: Thing, area: float) -> None:
        """In proportion, or by one side alone."""
        if area <= 0:
            thing.h, thing.hole = 0.0, None  # a line
            return
        if thing.w * thing.h <= 0:
            self._scale(thing, area)
            return
        match self.random.choice(("both", "both", "w", "h")):
            case "w":
                thing.w, thing.hole = area / thing.h, None
            case "h":
                thing.h, thing.hole = area / thing.w, None
            case _:
                self._scale(thing, area)

    def _set_side(self, thing: Thing, name: str, value: float) -> None:
        thing.hole = None
        flat = thing.w >= thing.h
        longer, shorter = max(thing.w, thing.h), min(thing.w, thing.h)
        if name == "length":
            longer, shorter = value, min(shorter, value)
        else:
            longer, shorter = max(longer, value), value
        thing.w, thing.h = (longer, shorter) if flat else (shorter, longer)

    def _is_text(self, term: Term) -> bool:
        attributes = self.vocabulary.attributes
        return isinstance(term, Apply) and term.name in attributes and attributes[term.name].type == "text"

    def _compare_texts(self, atom: Compare, env: Mapping[str, int]) -> None:
        sides = [(atom.op, atom.left, atom.right), (REVERSED[atom.op], atom.right, atom.left)]
        op, term, other = self.random.choice([side for side in sides if isinstance(side[1], Apply)] or [sides[0]])
        if not isinstance(term, Apply) or not isinstance(term.args[0], Variable):
            return
        value = self._text(other, env)
        listed = list(self.vocabulary.attributes[term.name].ordered) or [value, "a", "b"]
        rank = listed.index(value) if value in listed else -1
        fitting: list[Value] = [text for place, text in enumerate(listed) if _fits(op, text, value, place, rank)]
        if fitting:
            self.things[env[term.args[0].name]].attributes[term.name] = self.random.choice(fitting)

    def _text(self, term: Term, env: Mapping[str, int]) -> str:
        if isinstance(term, Text):
            return term.value
        assert isinstance(term, Apply) and isinstance(term.args[0], Variable)
        return str(self.things[env[term.args[0].name]].attributes.get(term.name, ""))


def _fits(op: CompareOp, text: str, other: str, place: int, rank: int) -> bool:
    if op in ("=", "!="):
        return (text == other) == (op == "=")
    return HOLDS[op](place, rank)

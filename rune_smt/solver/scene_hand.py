"""Building in a sketch: new things and moves that make one part of a goal true, or all of it."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TypeAlias

from ..grammar.nodes import (
    FALSE,
    And,
    Apply,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Not,
    Number,
    Or,
    Truth,
    Variable,
)
from .numbers import aggregates, difference
from .scene_goal import Goal, atoms
from .scene_moves import Moves
from .sketch import Picture, Sketch

LinkForm: TypeAlias = tuple[tuple[str, str], Formula]  # parameters of a link, and its formula in clause form


class Hand:
    """Changes a sketch so that a part of the goal becomes true; `picture` is the state before the first change."""

    def __init__(
        self, goal: Goal, links: Mapping[str, LinkForm], moves: Moves, sketch: Sketch, picture: Picture, cap: int
    ):
        self.goal = goal
        self.links = links
        self.moves = moves
        self.random = moves.random
        self.sketch = sketch
        self.picture = picture
        self.cap = cap
        self.before = len(sketch.things)
        self.touched: set[int] = set()
        self.stale = False  # a thing was removed and numbers have moved: the picture shows others
        self.made: dict[int, list[int]] = {}  # for each body: new things built for it, which may do for others

    def _known(self, env: Mapping[str, int]) -> bool:
        """Whether the picture still shows these things as they are."""
        return not self.stale and all(n < self.before and n not in self.touched for n in env.values())

    def _costs(self, var: str, body: Formula, env: Mapping[str, int]) -> list[int]:
        """The cost of the body for every thing in the picture; new and changed ones are taken as costly."""
        if self.stale or any(number >= self.before for number in env.values()):
            return [atoms(body)] * self.before
        return self.goal.each(var, body, self.picture, dict(env))

    def _holds(self, node: Formula, env: Mapping[str, int]) -> bool:
        return self._known(env) and self.goal.cost(node, self.picture, dict(env)) == 0

    def repair(self, node: Formula, env: dict[str, int]) -> None:
        """Makes one violated part of `node` true."""
        self._build(node, env, thorough=False)

    def make(self, node: Formula, env: dict[str, int]) -> None:
        """Makes all of `node` true, as far as its parts do not disturb each other."""
        self._build(node, env, thorough=True)

    def _build(self, node: Formula, env: dict[str, int], *, thorough: bool) -> None:
        match node:
            case Truth():
                return
            case Not(Apply() as atom):
                self._atom(node, atom, False, env)
            case Apply():
                self._atom(node, node, True, env)
            case Compare() if not aggregates(node):
                self._atom(node, node, True, env)
            case Compare():
                self._compare(node, env)
            case And(parts):
                open_ = [part for part in parts if not self._holds(part, env)]
                if not thorough and open_:
                    self._build(self.random.choice(open_), env, thorough=self.random.random() < 0.3)
                    return
                for part in sorted(open_, key=_eager):
                    self._build(part, env, thorough=True)
            case Or(parts):
                self._build(self._one_of(parts, env), env, thorough=thorough)
            case Exists(var, body):
                self._at_least(var, body, 1, env, thorough)
            case ExistsCount(">=", n, var, body):
                self._at_least(var, body, n, env, thorough)
            case ForAll(var, body):
                self._all_but(var, body, 0, env, thorough)
            case ExistsCount(_, n, var, body):
                self._all_but(var, self.goal.negated(body), n, env, thorough)
            case _:
                raise TypeError(f"not in clause form: {type(node).__name__}")

    def _atom(self, node: Formula, atom: Apply | Compare, wanted: bool, env: dict[str, int]) -> None:
        used = {name: env[name] for name in env}
        if self._holds(node, used):
            return
        if isinstance(atom, Apply) and atom.name in self.links:
            self._link(atom, wanted, env)
            return
        self.moves.move(atom, wanted, env, self.picture)
        self.touched.update(used.values())

    def _link(self, atom: Apply, wanted: bool, env: dict[str, int]) -> None:
        """A linked pair, or two with a new thing between them; one pair less where it is not wanted."""
        (first, second), body = self.links[atom.name]
        x, y = (env[arg.name] for arg in atom.args if isinstance(arg, Variable))
        if not wanted:
            self._build(self.goal.negated(body), {first: x, second: y}, thorough=True)
        elif x != y and self.random.random() < 0.5:
            self._build(body, {first: x, second: y}, thorough=True)
        elif len(self.sketch.things) < self.cap:
            middle = self.moves.add()
            self._build(body, {first: x, second: middle}, thorough=True)
            if x != y:
                self._build(body, {first: middle, second: y}, thorough=True)

    def _one_of(self, parts: tuple[Formula, ...], env: dict[str, int]) -> Formula:
        if self._known(env) and self.random.random() < 0.6:
            return min(parts, key=lambda part: (self.goal.cost(part, self.picture, dict(env)), self.random.random()))
        possible = [part for part in parts if not isinstance(part, Truth) or part.value]
        return self.random.choice(possible or list(parts))

    def _at_least(self, var: str, body: Formula, n: int, env: dict[str, int], thorough: bool) -> None:
        costs = self._costs(var, body, env)
        ranked = sorted(range(len(costs)), key=lambda i: (costs[i], self.random.random()))
        room = self.cap - len(self.sketch.things)
        missing = [number for number in ranked[:n] if costs[number]]
        fresh = n - min(n, len(ranked))
        if missing and room > 0:  # an existing one that would have to change, or a new one
            swapped = [number for number in missing if self.random.random() < 0.5]
            missing = [number for number in missing if number not in swapped]
            fresh += len(swapped)
        fresh = min(fresh, max(room, 0))
        if not thorough:
            missing, fresh = (missing[:1], 0) if missing else ([], min(fresh, max(1, n - len(costs))))
        for number in missing:
            self._build(body, {**env, var: number}, thorough=thorough or self.random.random() < 0.5)
        made = self.made.setdefault(id(body), [])
        earlier = [number for number in made if number not in env.values()]
        for _ in range(fresh):
            if earlier and self.random.random() < 0.6:
                number = earlier.pop()
            else:
                number = self.moves.add()
                made.append(number)
            self._build(body, {**env, var: number}, thorough=True)

    def _all_but(self, var: str, body: Formula, n: int, env: dict[str, int], thorough: bool) -> None:
        costs = self._costs(var, body, env)
        failing = [number for number, cost in enumerate(costs) if cost]
        self.random.shuffle(failing)
        surplus = failing[: max(len(failing) - n, 0)]
        if surplus and not thorough:
            surplus = surplus[:1]
        for number in surplus:
            if not thorough and self.random.random() < 0.15 and number < len(self.sketch.things) and not env:
                self._remove(number)
                return
            self._build(body, {**env, var: number}, thorough=thorough)

    def _compare(self, node: Compare, env: dict[str, int]) -> None:
        """More or fewer entities in one of the counts, or larger and smaller ones in a cover."""
        options = [
            (part, more, self._satisfying(part, env))
            for part in aggregates(node)
            for more in self._directions(node, part)
        ]
        useful = [(part, more, now) for part, more, now in options if (part.body != FALSE if more else now)]
        if not useful:
            return
        chosen, more, now = self.random.choice(useful)
        if isinstance(chosen, Cover) and now and self.random.random() < 0.8:
            thing = self.sketch.things[self.random.choice(now)]
            factor = self.random.choice((1.2, 2.0, 4.0)) ** (1 if more else -1)
            thing.w, thing.h, thing.hole = thing.w * factor, thing.h * factor, None
            return
        for _ in range(self._lacking(node, chosen, env)):
            if more:
                self._one_more(chosen, now, env)
            else:
                self._one_less(chosen, now, env)

    def _directions(self, node: Compare, part: Count | Cover) -> tuple[bool, ...]:
        """Whether more of a count helps a comparison, or less, or either."""
        if node.op in ("=", "!="):
            return (True, False)
        return (self._sign(node, part) == (node.op in (">", ">=")),)

    def _satisfying(self, part: Count | Cover, env: Mapping[str, int]) -> list[int]:
        known = self.goal.satisfying(part, self.picture, dict(env)) if self._known(env) else []
        return [number for number in known if number < len(self.sketch.things)]

    def _lacking(self, node: Compare, chosen: Count | Cover, env: Mapping[str, int]) -> int:
        """By how many a count has to change, as the picture shows it; now and then just one."""
        if isinstance(chosen, Cover) or not self._known(env) or self.random.random() < 0.2:
            return 1
        constant, counts = difference(node).in_integers()
        total = constant + sum(f * len(self.goal.satisfying(c, self.picture, dict(env))) for f, c in counts)
        factor = next((abs(f) for f, c in counts if c is chosen and f), 1)
        strict = node.op in ("<", ">", "!=")
        return min(max(abs(total) // factor + 1 if strict else ceil(abs(total) / factor), 1), self.cap)

    def _one_more(self, chosen: Count | Cover, now: list[int], env: Mapping[str, int]) -> None:
        others = [number for number in range(self.before) if number not in now]
        room = len(self.sketch.things) < self.cap
        if not others and not room:
            return
        number = self.moves.add() if room and (not others or self.random.random() < 0.7) else self.random.choice(others)
        self._build(self.goal.asserted(chosen.body), {**env, chosen.var: number}, thorough=True)

    def _one_less(self, chosen: Count | Cover, now: list[int], env: Mapping[str, int]) -> None:
        if not now:
            return
        number = now.pop(self.random.randrange(len(now)))
        if not env and self.random.random() < 0.5:
            self._remove(number)
            now.clear()
        else:
            self._build(self.goal.negated(chosen.body), {**env, chosen.var: number}, thorough=False)

    def _remove(self, number: int) -> None:
        del self.sketch.things[number]
        self.before, self.made, self.stale = 0, {}, True

    def _sign(self, node: Compare, chosen: Count | Cover) -> bool:
        """Whether more of it makes the left side larger against the right."""
        if isinstance(chosen, Count):
            return next((factor > 0 for factor, count in difference(node).counts if count is chosen), True)
        return any(part is chosen for part in aggregates(Compare("=", node.left, Number(0))))  # type: ignore[arg-type]


def _eager(part: Formula) -> int:
    """Classes first, then what is said of one thing, then of several, quantifiers last."""
    match part:
        case Apply(_, args) | Not(Apply(_, args)):
            return len(args)
        case Compare():
            return 3
        case _:
            return 4

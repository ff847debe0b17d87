"""A formula to be made true in a sketch, and how far each part of it is from being so: what the search climbs on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import ceil

from ..grammar.nodes import (
    And,
    Apply,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Node,
    Not,
    Or,
    Term,
    Truth,
    walk,
)
from ..verdict import SATISFIED, VIOLATED, Verdict
from .clauses import clause_form
from .numbers import aggregates, compare_intervals, counts_in, difference, interval
from .scene_moves import HOLDS
from .sketch import Picture
from .world import variables_of

Cost = Callable[[Picture, dict[str, int]], int]


@dataclass
class Goal:
    """A formula to be made true, in clause form, with how far each part of it is from being so.

    The cost of a part is 0 where it holds, else about how many atoms have to change.
    """

    formula: Formula
    work: list[int] = field(default_factory=lambda: [0])  # bodies looked at so far
    _costs: dict[int, tuple[Formula, Cost]] = field(default_factory=dict)
    _forms: dict[tuple[int, bool], tuple[Formula, Formula]] = field(default_factory=dict)
    _weights: dict[int, int] = field(default_factory=dict)

    def cost(self, node: Formula, picture: Picture, env: dict[str, int]) -> int:
        """How far `node`, a part of the goal, is from being true with its variables bound by `env`."""
        return self._cost(node)(picture, env)

    def asserted(self, body: Formula) -> Formula:
        """The clause form of the body of a count, which an equality of counts leaves as it was written."""
        return self._in_form(body, True)

    def negated(self, body: Formula) -> Formula:
        """The clause form of ~body."""
        return self._in_form(body, False)

    def _in_form(self, body: Formula, sign: bool) -> Formula:
        """The same object every time."""
        known = self._forms.get((id(body), sign))
        if known is None:
            form = clause_form(body if sign else Not(body), halves=False)
            known = self._forms[(id(body), sign)] = (body, form.formula)
        return known[1]

    def _cost(self, node: Formula) -> Cost:
        known = self._costs.get(id(node))
        if known is None:
            known = self._costs[id(node)] = (node, self._compiled(node))
        return known[1]

    def _compiled(self, node: Formula) -> Cost:
        match node:
            case Truth(value):
                fixed = 0 if value else 1000
                return lambda picture, env: fixed
            case Not(Apply() as atom):
                return _literal(atom, VIOLATED)
            case Apply():
                return _literal(node, SATISFIED)
            case Compare() if aggregates(node):
                return lambda picture, env: self._compared(node, picture, env)
            case Compare():
                return _literal(node, SATISFIED)
            case And(parts):
                every = [self._cost(part) for part in parts]
                return lambda picture, env: sum([each(picture, env) for each in every])
            case Or(parts):
                some = [self._cost(part) for part in parts]
                return lambda picture, env: min([each(picture, env) for each in some])
            case Exists(var, body):
                return self._among(var, body, 1)
            case ExistsCount(">=", n, var, body):
                return self._among(var, body, n)
            case ForAll(var, body):
                return self._except(var, body, 0)
            case ExistsCount(_, n, var, body):
                return self._except(var, self.negated(body), n)
            case _:
                raise TypeError(f"not in clause form: {type(node).__name__}")

    def each(self, var: str, body: Formula, picture: Picture, env: dict[str, int]) -> list[int]:
        """The cost of the body for every thing."""
        cost, costs = self._cost(body), []
        self.work[0] += picture.count * self._weight(body)
        before = env.get(var)
        for number in range(picture.count):
            env[var] = number
            costs.append(cost(picture, env))
        if before is None:
            env.pop(var, None)
        else:
            env[var] = before
        return costs

    def _weight(self, body: Formula) -> int:
        """What looking at a body costs, quantifiers inside of it apart."""
        if id(body) not in self._weights:
            self._weights[id(body)] = 1 + sum(1 for _ in _near_literals(body))
        return self._weights[id(body)]

    def _among(self, var: str, body: Formula, n: int) -> Cost:
        new = 1 + max(1, atoms(body) // 2)

        def cost(picture: Picture, env: dict[str, int]) -> int:
            costs = sorted(self.each(var, body, picture, env))[:n]
            return sum(costs) + (n - len(costs)) * new

        return cost

    def _except(self, var: str, body: Formula, n: int) -> Cost:
        def cost(picture: Picture, env: dict[str, int]) -> int:
            return sum(sorted(self.each(var, body, picture, env))[: max(picture.count - n, 0)])

        return cost

    def satisfying(self, node: Count | Cover, picture: Picture, env: dict[str, int]) -> list[int]:
        """The things that satisfy the body of a count or a cover."""
        body = self.asserted(node.body)
        return [i for i, cost in enumerate(self.each(node.var, body, picture, env)) if not cost]

    def _compared(self, node: Compare, picture: Picture, env: dict[str, int]) -> int:
        if counts_in(node):
            constant, counts = difference(node).in_integers()
            total = constant + sum(f * len(self.satisfying(count, picture, env)) for f, count in counts)
            smallest = max(1, min((abs(f) for f, _ in counts if f), default=1))
            return 0 if HOLDS[node.op](total, 0) else 1 + min(ceil(abs(total) / smallest), 20)

        def leaf(term: Term) -> tuple[float, float] | None:
            if isinstance(term, Cover):
                value: float | None = picture.world.cover(self.satisfying(term, picture, env))
            else:
                value = picture.world.area_limit(term)
            return None if value is None else (value, value)

        left, right = interval(node.left, leaf), interval(node.right, leaf)
        if left is None or right is None:
            return 1000
        self.work[0] += 50
        return 0 if compare_intervals(node.op, left, right) == SATISFIED else 2


def _literal(atom: Apply | Compare, wanted: Verdict) -> Cost:
    names = variables_of(atom)
    if len(names) == 1:
        (only,) = names

        def cost(picture: Picture, env: dict[str, int]) -> int:
            codes = picture.codes(atom)
            return 0 if (picture.code(atom, env) if codes is None else codes[env[only]]) == wanted else 1

        return cost
    if len(names) == 2:
        first, second = names

        def cost_of_two(picture: Picture, env: dict[str, int]) -> int:
            codes = picture.codes(atom)
            if codes is None:
                return 0 if picture.code(atom, env) == wanted else 1
            return 0 if codes[env[first] * picture.count + env[second]] == wanted else 1

        return cost_of_two
    return lambda picture, env: 0 if picture.code(atom, env) == wanted else 1


def _near_literals(node: Formula) -> Iterator[Formula]:
    """The literals of a part that stand outside of any further quantifier."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _near_literals(part)
        case Exists() | ForAll() | ExistsCount():
            return
        case _:
            yield node


def atoms(node: Node) -> int:
    """How many atoms a part has."""
    return sum(isinstance(part, Apply | Compare) for part in walk(node))

"""Scenes made to order: one that satisfies a query, the smallest that can be found, and one that just fails it.

A walk in the manner of WalkSAT (Selman, Kautz, Cohen, Noise strategies for improving local search, AAAI 1994): from the
empty image, build what the query asks for, then again and again pick something that is violated and move a box so that
it is not. What is true is asked of the geometry module after every step; what is handed out is a scene read back from
its JSON and judged by `holds`. Steps are counted, not seconds, so the same question gets the same scene.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from random import Random

from ..entities.scene import Scene
from ..grammar.definitions import expand_definitions
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
    Node,
    Not,
    Number,
    Or,
    Term,
    Text,
    Truth,
    Variable,
    walk,
)
from ..grammar.printer import canonical_names
from ..grammar.vocabulary import Vocabulary
from ..verdict import SATISFIED, VIOLATED, Verdict
from .clauses import clause_form
from .holds import holds
from .numbers import METRIC, aggregates, compare_intervals, counts_in, difference, in_metres, interval
from .scene_moves import HOLDS, Moves
from .sketch import LENGTH, WIDTH, Frame, Picture, Sketch, Thing, Value, first_value
from .world import World, variables_of

SEED = 1
STEPS = 500_000  # about half a second: one for each body looked at, PICTURE for each sketch measured
PICTURE = 500
MAX_ENTITIES = 12  # or a few more than the query's largest number asks for
MOST_ENTITIES = 60
TRIES = 4  # moves tried before the best of them is taken
PATIENCE = 25  # such choices without anything better before the walk starts anew
NOISE = 0.15  # how often a move is kept that helps nothing
GROUND_DISTANCES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)  # m per px
ROOM_PX = 400.0  # for the longest metric length that a query names

Cost = Callable[[Picture, dict[str, int]], int]


@dataclass(frozen=True)
class Found:
    """What a search gave.

    scene     confirmed by `holds`; None where none was found
    entities  up to how many were tried
    steps     how many were used
    """

    scene: Scene | None
    entities: int
    steps: int


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


def with_plain_links(vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary with the formulas of its links written out, definitions expanded."""
    links = {
        name: replace(link, body=expand_definitions(link.body, vocabulary)) for name, link in vocabulary.links.items()
    }
    return replace(vocabulary, links=links) if links else vocabulary


# --- the search -------------------------------------------------------------------------------------------------------


class SceneFinder:
    """Scenes for formulas over one vocabulary. Formulas are closed; definitions are expanded here."""

    def __init__(self, vocabulary: Vocabulary, *, steps: int = STEPS):
        self.vocabulary = vocabulary
        self.steps = steps

    def find(self, formula: Formula, *, steps: int | None = None, smallest: bool = True) -> Found:
        """A scene that satisfies the formula, with as few entities as the budget allows, or none within it.

        steps     the budget for finding; making the scene smaller may use as much again
        smallest  False stops at the first scene
        """
        search = self._search_for(formula, steps)
        sketch = search.run()
        if sketch is not None and smallest:
            sketch = search.smaller(sketch)
        scene = None if sketch is None else sketch.scene()
        return Found(scene, search.max_entities, search.spent)

    def pair(self, formula: Formula) -> tuple[Found, Scene | None]:
        """A scene that satisfies the formula, and one a small change away that violates it, from one search."""
        search = self._search_for(formula)
        sketch = search.run()
        if sketch is None:
            return Found(None, search.max_entities, search.spent), None
        sketch = search.smaller(sketch)
        failing = search.just_fails(sketch)
        return Found(sketch.scene(), search.max_entities, search.spent), failing

    def _search_for(self, formula: Formula, steps: int | None = None) -> _Search:
        return _Search(formula, self.vocabulary, steps or self.steps)


class _Search:
    """One search for one formula."""

    def __init__(self, formula: Formula, vocabulary: Vocabulary, steps: int):
        self.vocabulary = vocabulary = with_plain_links(vocabulary)
        self.judged = expand_definitions(formula, vocabulary)
        self.goal = Goal(clause_form(canonical_names(self.judged), halves=False).formula)
        self.links = {
            name: (link.params, clause_form(link.body, halves=False).formula) for name, link in vocabulary.links.items()
        }
        self.random = Random(SEED)
        self.steps = steps
        self.pictures = 0
        mentioned = [
            node.name for node in walk(self.judged) if isinstance(node, Apply) and node.name in vocabulary.classes
        ]
        leaves = [leaf for name in dict.fromkeys(mentioned) for leaf in self._leaves(name)]
        spare = [name for name in vocabulary.classes if len(vocabulary.descendants(name)) == 1]
        self.classes = list(dict.fromkeys(leaves)) or spare[:2] or ["thing"]
        largest = max((node.n for node in walk(self.judged) if isinstance(node, ExistsCount)), default=0)
        numbers = [
            int(number.value)
            for node in walk(self.judged)
            if isinstance(node, Compare) and counts_in(node)
            for number in walk(node)
            if isinstance(number, Number) and number.value <= MOST_ENTITIES
        ]
        self.largest = max([largest, *numbers])
        self.max_entities = max(MAX_ENTITIES, min(self.largest + 6, MOST_ENTITIES))
        self.frame = self._frame()

    def _leaves(self, name: str) -> list[str]:
        """The class itself where it has no children, else the first two below it."""
        below = self.vocabulary.descendants(name)
        return [leaf for leaf in below if len(self.vocabulary.descendants(leaf)) == 1][:2]

    def _frame(self) -> Frame:
        lengths = [1.0]
        texts: list[Text] = []
        attributes: dict[str, Value] = {}
        bodies: list[Node] = [self.judged]
        bodies += [link.body for link in self.vocabulary.links.values()]
        for node in (node for body in bodies for node in walk(body)):
            match node:
                case Number(_, unit) if unit in METRIC:
                    metres, power = in_metres(node)
                    lengths.append(metres if power == 1 else metres**0.5)
                case Text():
                    texts.append(node)
                case _:
                    pass
        for node in (node for body in bodies for node in walk(body)):
            if isinstance(node, Apply) and node.name in self.vocabulary.attributes:
                attributes[node.name] = first_value(self.vocabulary, node.name, tuple(texts))
        gsd = next((g for g in GROUND_DISTANCES if g >= 0.5 and max(lengths) / g <= ROOM_PX), GROUND_DISTANCES[-1])
        return Frame(1000 if self.largest <= 30 else 2000, gsd, attributes)

    @property
    def spent(self) -> int:
        """Steps used so far."""
        return self.pictures * PICTURE + self.goal.work[0]

    def look(self, sketch: Sketch) -> tuple[Picture, int]:
        """The sketch under the geometry module, and its cost."""
        self.pictures += 1
        picture = Picture(sketch, self.vocabulary)
        cost = self.goal.cost(self.goal.formula, picture, {})
        self.goal.work[0] += picture.work
        return picture, cost

    def confirmed(self, sketch: Sketch, verdict: Verdict = SATISFIED) -> bool:
        """Whether `holds` gives this verdict of the scene as it would be read from a file."""
        return holds(self.judged, World(sketch.scene(), self.vocabulary, 0.0)) == verdict

    def blank(self) -> Sketch:
        """The image without entities."""
        return Sketch(self.frame)

    # --- finding ------------------------------------------------------------------------------------------------------

    def run(self) -> Sketch | None:
        """Walks until a scene satisfies the formula or the steps are used up."""
        budget = self.spent + self.steps
        cap = self.max_entities
        first = True
        while first or self.spent < budget:
            sketch = self.blank()
            picture, cost = self.look(sketch)
            if cost and not first and self.random.random() < 0.3:
                self.moves(sketch).add()
                picture, cost = self.look(sketch)
            first = False
            found = self._walk(sketch, picture, cost, cap, budget)
            if found is not None:
                return found
        return None

    def _walk(self, sketch: Sketch, picture: Picture, cost: int, cap: int, budget: int) -> Sketch | None:
        best, waited, build = cost, 0, True
        while True:
            if cost == 0:
                return sketch if self.confirmed(sketch) else None
            if self.spent >= budget or waited > PATIENCE:
                return None
            options: list[tuple[int, int, int, Sketch, Picture]] = []
            for _ in range(TRIES):
                changed = sketch.copy()
                hand = _Hand(self, changed, picture, cap)
                if build or self.random.random() < 0.2:
                    hand.make(self.goal.formula, {})
                else:
                    hand.repair(self.goal.formula, {})
                if len(changed.things) > cap:
                    continue
                seen, new = self.look(changed)
                options.append((new, len(changed.things), len(options), changed, seen))
                if new == 0:
                    break
            build = False
            if not options:
                return None
            new, _, _, changed, seen = min(options, key=lambda option: option[:3])
            if new <= cost or self.random.random() < NOISE:
                sketch, picture, cost = changed, seen, new
            if cost < best:
                best, waited = cost, 0
            else:
                waited += 1

    def moves(self, sketch: Sketch) -> Moves:
        """The moves on a sketch."""
        return Moves(sketch, self.vocabulary, self.classes, self.random)

    # --- making smaller -----------------------------------------------------------------------------------------------

    def smaller(self, sketch: Sketch) -> Sketch:
        """The scene without every entity that it can do without, and once more from scratch with one less."""
        budget = self.spent + self.steps // 2
        sketch = self._dropped(sketch)
        while sketch.things and self.spent < budget and len(sketch.things) > self.largest:
            start = self.blank()
            picture, cost = self.look(start)
            cap = len(sketch.things) - 1
            attempt = self._walk(start, picture, cost, cap, min(budget, self.spent + self.steps // 8))
            if attempt is None:
                break
            sketch = self._dropped(attempt)
        return self._plain(sketch)

    def _dropped(self, sketch: Sketch) -> Sketch:
        number = len(sketch.things) - 1
        while number >= 0:
            fewer = sketch.without(number)
            if self.look(fewer)[1] == 0 and self.confirmed(fewer):
                sketch = fewer
            number -= 1
        return sketch

    def _plain(self, sketch: Sketch) -> Sketch:
        """Everything that does not matter back to the usual: shape, angle, attributes; the whole moved into view."""
        for number, thing in enumerate(sketch.things):
            for change in _plainer(self.frame, thing):
                plainer = sketch.copy()
                for name, value in change.items():
                    setattr(plainer.things[number], name, value)
                if plainer.things[number] != thing and self.look(plainer)[1] == 0 and self.confirmed(plainer):
                    sketch = plainer
                    thing = plainer.things[number]
        return self._in_view(sketch)

    def _in_view(self, sketch: Sketch) -> Sketch:
        if not sketch.things:
            return sketch
        moved = sketch.copy()
        left = min(t.x - t.reach[0] for t in moved.things)
        top = min(t.y - t.reach[1] for t in moved.things)
        right = max(t.x + t.reach[0] for t in moved.things)
        bottom = max(t.y + t.reach[1] for t in moved.things)
        side = float(self.frame.side)
        if left >= 0 and top >= 0 and right <= side and bottom <= side:
            return sketch
        dx, dy = round(side / 2 - (left + right) / 2), round(side / 2 - (top + bottom) / 2)
        for thing in moved.things:
            thing.x, thing.y = thing.x + dx, thing.y + dy
        return moved if self.look(moved)[1] == 0 and self.confirmed(moved) else sketch

    # --- just failing -------------------------------------------------------------------------------------------------

    def just_fails(self, sketch: Sketch) -> Scene | None:
        """One change away and violated: a box moved as little as it takes, else an attribute, a class, an entity."""
        moved = [found for number in range(len(sketch.things)) if (found := self._moved_out(sketch, number))]
        for _, changed in sorted(moved, key=lambda item: item[0]):
            if self.confirmed(changed, VIOLATED):
                return changed.scene()
        for changed in self._changes(sketch):
            if self.look(changed)[1] and self.confirmed(changed, VIOLATED):
                return changed.scene()
        return None

    def _moved_out(self, sketch: Sketch, number: int) -> tuple[float, Sketch] | None:
        """The shortest move of one box along an axis after which the formula fails, within a pixel or so."""
        best: tuple[float, Sketch] | None = None
        for axis, sign in (("x", 1), ("x", -1), ("y", 1), ("y", -1)):
            step, good = 2.0, 0.0
            while step <= self.frame.side / 2 and (best is None or good < best[0]):
                changed = self._shifted(sketch, number, axis, sign * step)
                if self.look(changed)[1]:
                    while step - good > 1.0:
                        middle = float(round((step + good) / 2))
                        nearer = self._shifted(sketch, number, axis, sign * middle)
                        if self.look(nearer)[1]:
                            step, changed = middle, nearer
                        else:
                            good = middle
                    if best is None or step < best[0]:
                        best = (step, changed)
                    break
                good, step = step, 4 * step
        return best

    def _shifted(self, sketch: Sketch, number: int, axis: str, by: float) -> Sketch:
        changed = sketch.copy()
        thing = changed.things[number]
        setattr(thing, axis, getattr(thing, axis) + by)
        return changed

    def _changes(self, sketch: Sketch) -> Iterator[Sketch]:
        for number, thing in enumerate(sketch.things):
            for factor in (0.9, 1.1, 0.5, 2.0):
                changed = sketch.copy()
                changed.things[number].w, changed.things[number].h = thing.w * factor, thing.h * factor
                yield changed
            for angle in (12.0, 45.0, 90.0):
                changed = sketch.copy()
                changed.things[number].angle = (thing.angle + angle) % 180
                yield changed
            for name, value in thing.attributes.items():
                for other in self._other_values(name, value):
                    changed = sketch.copy()
                    changed.things[number].attributes[name] = other
                    yield changed
        others = [label for label in self.vocabulary.classes if label not in self.classes][:2]
        for label in [*self.classes, *others]:  # one more: beside a thing, in it, or far from all
            for number in [*range(len(sketch.things)), None]:
                for inside in (False, True) if number is not None else (False,):
                    changed = sketch.copy()
                    new = self.moves(changed).add()
                    added = changed.things[new]
                    added.label = label
                    if number is not None:
                        other = sketch.things[number]
                        added.x = other.x + (0.0 if inside else other.reach[0] + added.reach[0] + 5)
                        added.y = other.y
                    yield changed
        for number in range(len(sketch.things)):
            yield sketch.without(number)
        for number, thing in enumerate(sketch.things):
            for label in [*self.classes, *others]:
                if label != thing.label:
                    changed = sketch.copy()
                    changed.things[number].label = label
                    yield changed

    def _other_values(self, name: str, value: Value) -> list[Value]:
        if isinstance(value, bool):
            return [not value]
        if isinstance(value, str):
            return [text for text in (*self.vocabulary.attributes[name].ordered, "a", "b") if text != value]
        return [value + 1, max(value - 1, 0.0)]


def _plainer(frame: Frame, thing: Thing) -> list[dict[str, object]]:
    """Changes that make a thing more like a new one."""
    attributes = thing.attributes
    usual: list[dict[str, object]] = [{"angle": 0.0}, {"w": LENGTH, "h": WIDTH, "hole": None}]
    return usual + [{"attributes": {**attributes, name: value}} for name, value in frame.attributes.items()]


class _Hand:
    """Changes a sketch so that a part of the goal becomes true; `picture` is the state before the first change."""

    def __init__(self, search: _Search, sketch: Sketch, picture: Picture, cap: int):
        self.search = search
        self.goal = search.goal
        self.random = search.random
        self.sketch = sketch
        self.picture = picture
        self.cap = cap
        self.moves = search.moves(sketch)
        self.before = len(sketch.things)
        self.touched: set[int] = set()
        self.made: dict[int, list[int]] = {}  # for each body: new things built for it, which may do for others

    def _known(self, env: Mapping[str, int]) -> bool:
        """Whether the picture still shows these things as they are."""
        return all(number < self.before and number not in self.touched for number in env.values())

    def _costs(self, var: str, body: Formula, env: Mapping[str, int]) -> list[int]:
        """The cost of the body for every thing in the picture; new and changed ones are taken as costly."""
        if any(number >= self.before for number in env.values()):
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
        if isinstance(atom, Apply) and atom.name in self.search.links:
            self._link(atom, wanted, env)
            return
        self.moves.move(atom, wanted, env, self.picture)
        self.touched.update(used.values())

    def _link(self, atom: Apply, wanted: bool, env: dict[str, int]) -> None:
        """A linked pair, or two with a new thing between them; one pair less where it is not wanted."""
        (first, second), body = self.search.links[atom.name]
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
        self.before, self.touched, self.made = 0, set(), {}  # numbers have moved: the picture shows others

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


__all__ = ["STEPS", "Found", "Goal", "SceneFinder", "Verdict"]

"""Scenes made to order: one that satisfies a query, the smallest that can be found, and one that just fails it.

A walk in the manner of WalkSAT (Selman, Kautz, Cohen, Noise strategies for improving local search, AAAI 1994): from the
empty image, build what the query asks for, then again and again pick something that is violated and move a box so that
it is not. What is true is asked of the geometry module after every step; what is handed out is a scene read back from
its JSON and judged by `holds`. Steps are counted, not seconds, so the same question gets the same scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from ..entities.scene import Scene
from ..grammar.definitions import expand_definitions, link_body
from ..grammar.nodes import (
    Apply,
    Compare,
    ExistsCount,
    Formula,
    Node,
    Number,
    Text,
    walk,
)
from ..grammar.printer import canonical_names
from ..grammar.vocabulary import Vocabulary
from ..verdict import SATISFIED, VIOLATED, Verdict
from .clauses import clause_form
from .holds import holds
from .numbers import METRIC, counts_in, in_metres
from .scene_goal import Goal
from .scene_hand import Hand, LinkForm
from .scene_moves import Moves
from .sketch import LENGTH, WIDTH, Frame, Picture, Sketch, Thing, Value, first_value
from .world import World

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
        self.vocabulary = vocabulary = vocabulary
        self.judged = expand_definitions(formula, vocabulary)
        self.goal = Goal(clause_form(canonical_names(self.judged), halves=False).formula)
        self.links: dict[str, LinkForm] = {
            name: (link.params, clause_form(link_body(name, vocabulary), halves=False).formula)
            for name, link in vocabulary.links.items()
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
        bodies += [link_body(name, self.vocabulary) for name in self.vocabulary.links]
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
                hand = Hand(self.goal, self.links, self.moves(changed), changed, picture, cap)
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

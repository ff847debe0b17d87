"""The query alone as Z3 sees it: words as unknown predicates, measures as unknown numbers, counts as unknown wholes.

What is asserted of them is what LANGUAGE, sections 1, 4 and 5 say and nothing more, so what is refuted here is true in
no scene, of any size. (Entities are an uninterpreted sort: what no structure satisfies, no finite one does.) A model
shows nothing, for it need not come from polygons: shown is only what `scene_finder` draws.

Refuting over two truth values is enough for three: a formula that strong Kleene logic finds satisfied in a scene with
missing values is satisfied whatever these values are. Z3's sort of entities is never empty, a scene may be: the scene
without entities is a case of its own (`without_entities`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import combinations, permutations
from typing import Any, assert_never

import z3

from ..grammar.definitions import link_body
from ..grammar.nodes import (
    And,
    Apply,
    Compare,
    CompareOp,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Node,
    Not,
    Or,
    Text,
    Truth,
    Variable,
    conjunction,
    free_variables,
    rename,
    walk,
)
from ..grammar.printer import canonical_names
from ..grammar.vocabulary import Vocabulary
from ..grammar.words import RELATIONS, WORDS, laws
from .abstract_numbers import Numbers, compared
from .numbers import counts_in, difference

MAX_WITNESSES = 4  # counts up to here are tied to so many different witnesses; larger ones are numbers with an order
MAX_TIED_PAIRS = 12  # counts compared with each other by what they count; with more the solver drowns in cases
MAX_TIED_TRIPLES = 4
MAX_KINDS, MAX_MEASURES = 4, 3  # of which it is said that a finite scene has extremes
MAX_TREES = 4  # members of a `clustered` that is written out as the chains which connect them

# What section 4's definitions say of two words together, each asserted where all of its words are in use.
FACTS: tuple[str, ...] = (
    "forall x (area(x) >= 0 px2)",
    "forall x (width(x) >= 0 px)",
    "forall x (length(x) >= 0 px)",
    "forall x (length(x) >= width(x))",
    "forall x (angle(x) >= 0 deg & angle(x) < 180 deg)",
    "forall x (score(x) >= 0 & score(x) <= 1)",
    "forall x (forall y (distance(x, y) >= 0 px & distance(x, y) = distance(y, x)))",
    "forall x (distance(x, x) = 0 px)",
    "forall x (center_distance(x, x) = 0 px)",
    "forall x (forall y (center_distance(x, y) >= 0 px & center_distance(x, y) = center_distance(y, x)))",
    "forall x (forall y (touches(x, y) <-> x != y & distance(x, y) <= 1 px))",
    "forall x (forall y (x != y & distance(x, y) <= 1 px -> near(x, y)))",
    "forall x (forall y (far(x, y) -> distance(x, y) > 1 px))",
    "forall x (forall y (overlaps(x, y) -> area(x) > 0 px2 & area(y) > 0 px2))",
    "forall x (forall y (same_class(x, y) & large(x) & area(y) >= area(x) -> large(y)))",
    "forall x (forall y (same_class(x, y) & small(x) & area(y) <= area(x) -> small(y)))",
)

# Words that compare one number of each argument: (number, whether the first argument's is the smaller).
ORDERS: Mapping[str, tuple[str, bool]] = {
    "left_of": ("cx", True), "right_of": ("cx", False), "above": ("cy", True), "below": ("cy", False),
    "larger": ("area", False), "smaller": ("area", True), "west_of": ("easting", True), "east_of": ("easting", False),
    "south_of": ("northing", True), "north_of": ("northing", False),
}  # fmt: skip

# Outer thirds: (number, limit, whether it is below the limit).
THIRDS: Mapping[str, tuple[str, str, bool]] = {
    "in_left": ("cx", "first third of the width", True), "in_right": ("cx", "last third of the width", False),
    "in_top": ("cy", "first third of the height", True), "in_bottom": ("cy", "last third of the height", False),
}  # fmt: skip


@dataclass
class Counted:
    """One count: a function of the entities that its body's free variables stand for.

    body        bound variable `q`, free ones p0, p1, ... in the order in which they occur
    thresholds  numbers for which `count >= n` is tied to n different witnesses
    """

    body: Formula
    arity: int
    function: Any
    thresholds: set[int] = field(default_factory=lambda: {1})


class Theory:
    """Translates formulas to Z3, and gives the laws of all that was translated. One context; not for two threads."""

    def __init__(self, vocabulary: Vocabulary, *, without_entities: bool = False):
        self.vocabulary = vocabulary
        self.without_entities = without_entities
        self.context = z3.Context()
        self.entity = z3.DeclareSort("Entity", self.context)
        self.text = z3.DeclareSort("Text", self.context)
        self.numbers = Numbers(self.context)
        self._functions: dict[str, Any] = {}
        self._used: dict[tuple[str, int], None] = {}  # relations with their number of arguments, in order of use
        self._counts: dict[Formula, Counted] = {}
        self._covers: dict[Formula, Counted] = {}
        self._guards: dict[Formula, None] = {}
        self._texts: dict[str, Any] = {}
        self._ranks: dict[tuple[str, ...], Any] = {}

    # --- formulas -----------------------------------------------------------------------------------------------------

    def formula(self, node: Formula, env: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
        """The Z3 term of a formula without definitions; `env` binds its free variables to entities.

        Bound variables are named by their depth, so formulas equal up to bound names are one term.
        """
        env = env or {}
        match node:
            case Truth(value):
                return z3.BoolVal(value, self.context)
            case Apply():
                return self._apply(node.name, [env[arg.name] for arg in node.args if isinstance(arg, Variable)])
            case Compare():
                return self._compare(node, env, depth)
            case Not(body):
                return z3.Not(self.formula(body, env, depth))
            case And(parts):
                return z3.And([self.formula(part, env, depth) for part in parts])
            case Or(parts):
                return z3.Or([self.formula(part, env, depth) for part in parts])
            case Implies(left, right):
                return z3.Implies(self.formula(left, env, depth), self.formula(right, env, depth))
            case Iff(left, right):
                return self.formula(left, env, depth) == self.formula(right, env, depth)
            case Exists(var, body):
                if isinstance(body, And):
                    own = [part for part in body.parts if free_variables(part) == {var}]
                    self._note_guard(var, conjunction(own))
                return self._some(var, body, env, depth)
            case ForAll(var, body):
                if isinstance(body, Implies):
                    self._note_guard(var, body.left)
                return z3.Not(self._some(var, Not(body), env, depth))
            case ExistsCount(op, n, var, body):
                return self._exists_count(op, n, Count(var, body), env, depth)
            case _:
                assert_never(node)

    def _some(self, var: str, body: Formula, env: Mapping[str, Any], depth: int) -> Any:
        if self.without_entities:
            return z3.BoolVal(False, self.context)
        bound = z3.Const(f"v{depth}", self.entity)
        match body:
            case Not(inner):
                return z3.Not(z3.ForAll([bound], self.formula(inner, {**env, var: bound}, depth + 1)))
            case _:
                return z3.Exists([bound], self.formula(body, {**env, var: bound}, depth + 1))

    def _exists_count(self, op: str, n: int, count: Count, env: Mapping[str, Any], depth: int) -> Any:
        if op == ">=" and n <= 1:
            return z3.BoolVal(True, self.context) if n == 0 else self._some(count.var, count.body, env, depth)
        if op in ("<=", "=") and n == 0:
            return z3.Not(self._some(count.var, count.body, env, depth))
        thresholds = {">=": (n,), "<=": (n + 1,), "=": (n, n + 1)}[op]
        number = self._count(count, env, thresholds)
        return _as_compared(op, number, z3.IntVal(n, self.context))

    # --- atoms --------------------------------------------------------------------------------------------------------

    def _apply(self, name: str, args: list[Any]) -> Any:
        if name in ORDERS:
            number, smaller = ORDERS[name]
            first, second = (self.measure(number, [arg]) for arg in args)
            return first < second if smaller else first > second
        if name in THIRDS:
            number, limit, below = THIRDS[name]
            value, bound = self.measure(number, [args[0]]), z3.Real(limit, self.context)
            return value < bound if below else value > bound
        match name:
            case "in_center":
                return z3.And([z3.Not(self._apply(third, args)) for third in THIRDS])
            case "contains":
                return self._apply("inside", [args[1], args[0]])
            case "clustered" if len(args) <= MAX_TREES:
                return z3.And(self._distinct(args), z3.Or([z3.And(tree) for tree in self._trees(args)]))
            case _:
                if name in RELATIONS or name in self.vocabulary.links:
                    self._used[(name, len(args))] = None
                return self._function(name, len(args), z3.BoolSort(self.context))(*args)

    def _trees(self, args: list[Any]) -> Iterator[list[Any]]:
        """The pairs of every tree over the arguments, each pair near: connected is having one of these."""
        pairs = list(combinations(range(len(args)), 2))
        for edges in combinations(pairs, len(args) - 1):
            reached = {0}
            for _ in edges:
                reached |= {node for edge in edges for node in edge if reached.intersection(edge)}
            if len(reached) == len(args):
                yield [self._apply("near", [args[a], args[b]]) for a, b in edges]

    def _distinct(self, args: list[Any]) -> Any:
        return z3.Distinct(*args) if len(args) > 1 else z3.BoolVal(True, self.context)

    def _function(self, name: str, arity: int, result: Any) -> Any:
        key = f"{name}/{arity}"
        if key not in self._functions:
            self._functions[key] = z3.Function(key, *[self.entity] * arity, result)
        return self._functions[key]

    def measure(self, name: str, args: list[Any]) -> Any:
        """A function of section 4 or a numeric attribute, as an unknown number of its arguments."""
        if name in WORDS:
            self._used[(name, len(args))] = None
        return self._function(name, len(args), z3.RealSort(self.context))(*args)

    def _compare(self, node: Compare, env: Mapping[str, Any], depth: int) -> Any:
        left, right = node.left, node.right
        if isinstance(left, Variable) and isinstance(right, Variable):
            same = env[left.name] == env[right.name]
            return same if node.op == "=" else z3.Not(same)
        if self._is_text(left) or self._is_text(right):
            return self._compare_texts(node, env)
        if counts_in(node):
            constant, counts = difference(node).in_integers()
            total = z3.IntVal(constant, self.context)
            for factor, count in counts:
                total = total + factor * self._count(count, env, (1, 2))
            return _as_compared(node.op, total, z3.IntVal(0, self.context))

        def leaf(term: Apply | Count | Cover) -> Any:
            if isinstance(term, Apply):
                return self.measure(term.name, [env[arg.name] for arg in term.args if isinstance(arg, Variable)])
            return self._cover(term, env)

        return compared(self.numbers, node, leaf)

    # --- texts --------------------------------------------------------------------------------------------------------

    def _is_text(self, term: Node) -> bool:
        if isinstance(term, Text):
            return True
        attributes = self.vocabulary.attributes
        return isinstance(term, Apply) and term.name in attributes and attributes[term.name].type == "text"

    def _compare_texts(self, node: Compare, env: Mapping[str, Any]) -> Any:
        if isinstance(node.left, Text) and isinstance(node.right, Text):
            return z3.Bool(f"{node.left.value!r} {node.op} {node.right.value!r}", self.context)
        left, right = (self._text(term, env) for term in (node.left, node.right))
        if node.op in ("=", "!="):
            return left == right if node.op == "=" else left != right
        named = [term.name for term in (node.left, node.right) if isinstance(term, Apply)]
        rank = self._rank(self.vocabulary.attributes[named[0]].ordered)
        return _as_compared(node.op, rank(left), rank(right))

    def _text(self, term: Node, env: Mapping[str, Any]) -> Any:
        if isinstance(term, Text):
            return self._texts.setdefault(term.value, z3.Const(f"text {term.value}", self.text))
        assert isinstance(term, Apply) and isinstance(term.args[0], Variable)
        return self._function(term.name, 1, self.text)(env[term.args[0].name])

    def _rank(self, ordered: tuple[str, ...]) -> Any:
        if ordered not in self._ranks:
            name = f"rank in {', '.join(ordered)}"
            self._ranks[ordered] = z3.Function(name, self.text, z3.RealSort(self.context))
            for value in ordered:
                self._text(Text(value), {})
        return self._ranks[ordered]

    def _text_laws(self) -> Iterator[Any]:
        """Different texts differ; the listed values of an attribute are in order, below any other text."""
        if len(self._texts) > 1:
            yield z3.Distinct(*self._texts.values())
        one, other = z3.Consts("s t", self.text)
        for ordered, rank in self._ranks.items():
            for place, value in enumerate(ordered):
                yield rank(self._texts[value]) == place
            listed = z3.Or([one == self._texts[value] for value in ordered])
            yield z3.ForAll([one], z3.Or(listed, rank(one) > len(ordered) - 1))
            yield z3.ForAll([one, other], z3.Implies(rank(one) == rank(other), one == other))

    # --- counts and covers --------------------------------------------------------------------------------------------

    def _count(self, count: Count, env: Mapping[str, Any], thresholds: Iterable[int]) -> Any:
        if self.without_entities:
            return z3.IntVal(0, self.context)
        counted, args = self._counted(count, self._counts, z3.IntSort(self.context))
        counted.thresholds.update(n for n in thresholds if 1 <= n <= MAX_WITNESSES)
        return counted.function(*[env[name] for name in args])

    def _cover(self, cover: Count | Cover, env: Mapping[str, Any]) -> Any:
        if self.without_entities:
            return z3.RealVal(0, self.context)
        covered, args = self._counted(cover, self._covers, z3.RealSort(self.context))
        return covered.function(*[env[name] for name in args])

    def _counted(self, node: Count | Cover, known: dict[Formula, Counted], result: Any) -> tuple[Counted, list[str]]:
        """The same number for the same body up to names; and the free variables that it is a function of."""
        free = free_variables(node.body) - {node.var}
        names = list(dict.fromkeys(v.name for v in walk(node.body) if isinstance(v, Variable) and v.name in free))
        places = {name: f"p{place}" for place, name in enumerate(names)}
        body = canonical_names(rename(node.body, {node.var: "q", **places}))
        if body not in known:
            function = z3.Function(f"{type(node).__name__} {len(known)}", *[self.entity] * len(names), result)
            if not names:
                constant = z3.Const(f"{type(node).__name__} {len(known)}", result)
                known[body] = Counted(body, 0, lambda: constant)
            else:
                known[body] = Counted(body, len(names), function)
        return known[body], names

    def _body(self, counted: Counted, element: Any, parameters: list[Any]) -> Any:
        env = {"q": element, **{f"p{i}": parameter for i, parameter in enumerate(parameters)}}
        return self.formula(counted.body, env, 100)

    def _count_laws(self, counted: Counted) -> Iterator[Any]:
        """A count is not negative, and at least n exactly where n different entities satisfy its body."""
        parameters = [z3.Const(f"p{i}", self.entity) for i in range(counted.arity)]
        number = counted.function(*parameters)
        yield _for_all(parameters, number >= 0)
        for n in sorted(counted.thresholds):
            witnesses = [z3.Const(f"w{i}", self.entity) for i in range(n)]
            found = [self._body(counted, witness, parameters) for witness in witnesses]
            there_are = z3.Exists(witnesses, z3.And(*found, self._distinct(witnesses)))
            yield _for_all(parameters, (number >= n) == there_are)

    def _cover_laws(self, covered: Counted) -> Iterator[Any]:
        """A cover is not negative, and 0 where nothing satisfies its body."""
        parameters = [z3.Const(f"p{i}", self.entity) for i in range(covered.arity)]
        number = covered.function(*parameters)
        yield _for_all(parameters, number >= 0)
        witness = z3.Const("w0", self.entity)
        none = z3.Not(z3.Exists([witness], self._body(covered, witness, parameters)))
        yield _for_all(parameters, z3.Implies(none, number == 0))

    def ties(self) -> list[Any]:
        """How counts go together by what they count, covers of the same entities, and that scenes are finite."""
        counts, covers = list(self._counts.values()), list(self._covers.values())
        said = [self._tied(pair, _equal_bodies_equal_numbers) for pair in combinations(covers, 2)]
        if len(counts) * (len(counts) - 1) <= MAX_TIED_PAIRS:
            said += [self._tied(pair, _fewer) for pair in permutations(counts, 2)]
        if len(counts) <= MAX_TIED_TRIPLES:
            for whole in counts:
                for one, other in combinations([count for count in counts if count is not whole], 2):
                    said.append(self._tied((whole, one, other), _in_two_parts))
        return said + list(self._extremes())

    def _tied(self, counted: tuple[Counted, ...], law: Callable[..., Any]) -> Any:
        """A law of several counts, for all their parameters; it gets `everywhere` and the counts' numbers."""
        parameters = [z3.Const(f"p{i}", self.entity) for i in range(max(each.arity for each in counted))]
        element = z3.Const("e", self.entity)
        bodies = [self._body(each, element, parameters[: each.arity]) for each in counted]

        def everywhere(relation: Callable[..., Any]) -> Any:
            return z3.ForAll([element], relation(*bodies))

        numbers = [each.function(*parameters[: each.arity]) for each in counted]
        return _for_all(parameters, law(everywhere, *numbers))

    def _extremes(self) -> Iterator[Any]:
        """A scene is finite: of the entities of one kind some has the largest number, and some the smallest."""
        x, y = z3.Consts("x y", self.entity)
        kinds = [Truth(True), *self._guards][:MAX_KINDS]
        measures = [f for f in self._functions.values() if f.arity() == 1 and f.range().kind() == z3.Z3_REAL_SORT]
        if len(measures) > MAX_MEASURES:
            return
        for kind in kinds:
            here, there = (self.formula(kind, {"q": entity}, 300) for entity in (x, y))
            some = z3.Exists([x], here)
            for f in measures:
                for bound in (f(y) <= f(x), f(y) >= f(x)):
                    last = z3.Exists([x], z3.And(here, z3.ForAll([y], z3.Implies(there, bound))))
                    yield z3.Implies(some, last)

    def _note_guard(self, var: str, guard: Formula) -> None:
        """What a quantifier says of its own variable alone."""
        if free_variables(guard) == {var}:
            self._guards[canonical_names(rename(guard, {var: "q"}))] = None

    # --- laws ---------------------------------------------------------------------------------------------------------

    def laws(self) -> list[Any]:
        """Everything asserted of the words, numbers and counts that the formulas so far use."""
        asserted: list[Any] = []
        if not self.without_entities:
            done: set[object] = set()
            while True:
                self._add_implied()
                fresh = [law for law in self._pending() if law[0] not in done]
                if not fresh:
                    break
                for key, made in fresh:
                    done.add(key)
                    asserted += made()
            asserted += self._class_laws()
        asserted += self._text_laws()
        asserted += self._thirds()
        return asserted + self.numbers.laws()

    def _add_implied(self) -> None:
        """The words that the used ones imply, so that a chain of implications has no gap."""
        queue = list(self._used)
        for name, arity in queue:
            word = WORDS.get(name)
            for other in word.implies if word else ():
                if (other, arity) not in self._used:
                    self._used[(other, arity)] = None
                    queue.append((other, arity))
            if name == "aligned" and arity <= MAX_TREES:
                self._used[("near", 2)] = None

    def _pending(self) -> Iterator[tuple[object, Callable[[], Iterable[Any]]]]:
        """Laws as (key, how to make them); making one may use a number or a count not seen before."""
        used = {name for name, _ in self._used}
        for name, arity in list(self._used):
            if name in RELATIONS:
                for law in laws(name, arity):
                    if _names(law) <= used:
                        yield law, partial(self._said, law)
                yield (name, arity), partial(self._word_laws, name, arity)
            elif name in self.vocabulary.links:
                yield (name, arity), partial(self._link_laws, name)
        for text in FACTS:
            if _names(text) <= used:
                yield text, partial(self._said, text)
        for body, counted in list(self._counts.items()):
            yield ("count", body), partial(self._count_laws, counted)
        for body, covered in list(self._covers.items()):
            yield ("cover", body), partial(self._cover_laws, covered)

    def _said(self, law: str) -> list[Any]:
        return [self.formula(_read(law))]

    def _word_laws(self, name: str, arity: int) -> list[Any]:
        """What some words say beyond their listed laws."""
        said: list[Any] = []
        if name == "aligned" and arity <= MAX_TREES:
            members = [z3.Const(f"x{i}", self.entity) for i in range(arity)]  # each is near the next of the row
            row = self._apply(name, members)
            said.append(z3.ForAll(members, z3.Implies(row, self._apply("clustered", members))))
        if name in ("large", "small"):
            said += self._size_laws(name)
        return said

    def _size_laws(self, name: str) -> list[Any]:
        """Large is above a limit of its class, small below one that is not higher."""
        x = z3.Const("x", self.entity)
        limit = self._function(f"{name} limit", 1, z3.RealSort(self.context))(x)
        area = self.measure("area", [x])
        said = self._apply(name, [x])
        return [z3.ForAll([x], said == (area > limit if name == "large" else area < limit))]

    def _link_laws(self, name: str) -> list[Any]:
        """Symmetric, transitive, true of every linked pair, and of no entity that no pair links."""
        link, body = self.vocabulary.links[name], link_body(name, self.vocabulary)
        x, y, z = z3.Consts("x y z", self.entity)

        def chain(a: Any, b: Any) -> Any:
            return self._apply(name, [a, b])

        def pair(a: Any, b: Any) -> Any:
            first, second = link.params
            either = [self.formula(body, {first: a, second: b}, 200), self.formula(body, {first: b, second: a}, 200)]
            return z3.And(a != b, z3.Or(either))

        return [
            z3.ForAll([x, y], chain(x, y) == chain(y, x)),
            z3.ForAll([x, y, z], z3.Implies(z3.And(chain(x, y), chain(y, z)), chain(x, z))),
            z3.ForAll([x, y], z3.Implies(pair(x, y), chain(x, y))),
            z3.ForAll([x, y], z3.Implies(chain(x, y), z3.Exists([z], pair(x, z)))),
        ]

    def _class_laws(self) -> list[Any]:
        """A class is below its ancestors and excludes every other; things of the same class share all classes."""
        names = [key[: -len("/1")] for key in self._functions if key[: -len("/1")] in self.vocabulary.classes]
        x, y = z3.Consts("x y", self.entity)
        made: list[Any] = []
        for one, other in combinations(names, 2):
            first, second = self._apply(one, [x]), self._apply(other, [x])
            if self.vocabulary.is_a(one, other):
                made.append(z3.ForAll([x], z3.Implies(first, second)))
            elif self.vocabulary.is_a(other, one):
                made.append(z3.ForAll([x], z3.Implies(second, first)))
            else:
                made.append(z3.ForAll([x], z3.Not(z3.And(first, second))))
        if ("same_class", 2) in self._used:
            same = self._apply("same_class", [x, y])
            for name in names:
                first, second = self._apply(name, [x]), self._apply(name, [y])
                made.append(z3.ForAll([x, y], z3.Implies(same, first == second)))
                if len(self.vocabulary.descendants(name)) == 1:
                    made.append(z3.ForAll([x, y], z3.Implies(z3.And(first, second, x != y), same)))
        return made

    def _thirds(self) -> list[Any]:
        """The first third of the image ends before the last one begins."""
        return [
            z3.Real(f"first third of the {side}", self.context) < z3.Real(f"last third of the {side}", self.context)
            for side in ("width", "height")
        ]


def _as_compared(op: CompareOp | str, left: Any, right: Any) -> Any:
    match op:
        case "=":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right


def _equal_bodies_equal_numbers(everywhere: Callable[..., Any], a: Any, b: Any) -> Any:
    return z3.Implies(everywhere(lambda f, g: f == g), a == b)


def _fewer(everywhere: Callable[..., Any], a: Any, b: Any) -> Any:
    """What is counted in a is counted in b: no more; and fewer unless they are the same."""
    same = everywhere(lambda f, g: f == g)
    return z3.Implies(everywhere(z3.Implies), z3.And(a <= b, z3.Or(same, a < b)))


def _in_two_parts(everywhere: Callable[..., Any], whole: Any, a: Any, b: Any) -> Any:
    """No more than the parts that cover it, no fewer than those that are apart in it."""
    covered = everywhere(lambda w, f, g: z3.Implies(w, z3.Or(f, g)))
    apart = everywhere(lambda w, f, g: z3.And(z3.Implies(z3.Or(f, g), w), z3.Not(z3.And(f, g))))
    return z3.And(z3.Implies(covered, whole <= a + b), z3.Implies(apart, whole >= a + b))


def _for_all(variables: list[Any], body: Any) -> Any:
    return z3.ForAll(variables, body) if variables else body


@cache
def _read(text: str) -> Formula:
    from ..grammar.reader import read

    return read(text)


@cache
def _names(text: str) -> frozenset[str]:
    """The words that a law speaks of."""
    return frozenset(node.name for node in walk(_read(text)) if isinstance(node, Apply))

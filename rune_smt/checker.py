"""Replays a certificate against the entities of one scene: `python checker.py CERTIFICATE.json SCENE.json`.

One file, made to be copied out of rune-smt: it asks for the standard library and shapely and has its own parser, clause
form and geometry, from the language page. Proofs are those of its section 10; nothing is searched. Exit status: 0 full,
valid proof; 5 it fails or is no full proof; 3 a file cannot be read; 2 the call is wrong. Verdicts are 0 violated,
1 undecided, 2 satisfied: & is min, | is max, ~ is 2 - v. An atom near its limit is computed twice, once either way up
(`slack`): it is accepted as stated, and listed.
"""
from __future__ import annotations

import hashlib
import json
import math
import operator
import re
import sys
from fractions import Fraction
from itertools import accumulate, combinations, pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import shapely

__all__ = ["Report", "check", "main"]
MAX_TEXT, MAX_WORK, BORDER = 100_000, 20_000_000, 1e-9  # characters, steps, relative distance from a limit
OUTCOMES, Q = ("failed", "not proved"), ("query", "negation")  # Q: the sides of a proof
SAID = ("Verified: these entities, under this formula and this vocabulary, give this verdict.",
        "Not verified: that the detector saw everything, or that the formula says what was meant.")
OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
OPS = dict(zip([*OPPOSITE, *"+-*/"], (getattr(operator, f"__{name}__") for name in (
    "eq", "ne", "lt", "ge", "gt", "le", "add", "sub", "mul", "truediv")), strict=True))
UNITS = {"m": (1, 1, 1), "km": (1000, 1, 1), "m2": (1, 2, 2), "ha": (10_000, 2, 2), "km2": (1_000_000, 2, 2),
         **dict.fromkeys(("px", "length", "width", "distance", "center_distance"), (1, 0, 1)), "deg": (1, 0, 0),
         "px2": (1, 0, 2), "area": (1, 0, 2), "%": (1, 0, 0)}  # factor, power of gsd; 1 for a length, 2 for an area
ORDERS = dict(zip(re.findall(r"\w+", "left_of right_of above below smaller larger west_of east_of south_of north_of"), (
    (axis, op) for axis in ("cx", "cy", "area", "east", "north") for op in "<>"), strict=True))
THIRDS = {"in_left": ("cx", "<", 0), "in_right": ("cx", ">", 0), "in_top": ("cy", "<", 1), "in_bottom": ("cy", ">", 1)}
ARITY = {**dict.fromkeys((*THIRDS, "in_center", "at_border", "large", "small"), 1), "between": 3, "aligned": 3,
         **dict.fromkeys((*ORDERS, "near", "far", "touches", "overlaps", "inside", "contains", "parallel", "clustered",
                          "perpendicular", "surrounded_by", "same_class"), 2)}  # of relations
FUNCTIONS = {"area": 1, "length": 1, "width": 1, "angle": 1, "score": 1, "distance": 2, "center_distance": 2}
def need(condition: Any, message: str, outcome: str = "failed") -> None:
    if not condition:
        raise AssertionError(message, outcome)
def entry(proof: Any, key: str) -> Any:  # without it nothing is proved
    need(isinstance(proof, dict) and key in proof, f"the proof lacks {key!r}", "not proved")
    return proof[key]
def digest(value: Any) -> str:  # of compact JSON, keys sorted, each number the shortest decimal of its float64
    same = json.loads(json.dumps(value), parse_int=float)
    return hashlib.sha256(json.dumps(same, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()

# --- canonical text to a tree (section 2); -> and <-> are written out, quantifiers are comparisons of a count ---
TOKEN = re.compile(r'[0-9]+(?:\.[0-9]+)?|[a-z][a-z0-9_]*|"(?:[^"\\]|\\["\\])*"|<->|->|[<>!]=|[()~&|,=<>+*/%-]')
LEVEL = {"<->": 1, "->": 2, "|": 3, "&": 4, **dict.fromkeys(OPPOSITE, 6), "+": 7, "-": 7, "*": 8, "/": 8}  # ~ is at 5
TERMS = ("variable", "number", "string", "arithmetic", "count", "cover")
class Node(NamedTuple):  # a formula (~ & | compare sum apply truth) or a term (one of TERMS, or apply)
    kind: str
    value: str  # its name, operator or text
    parts: tuple[Node, ...]
    extra: str = ""  # the unit of a number; whether a sum is half of an equality
    atoms: int = 0  # how many atoms its clause form has
    sums: tuple[Node, ...] = ()  # of a term or comparison: its counts and covers
def make(kind: str, value: str, parts: Any = (), extra: str = "") -> Node:
    parts, terms = tuple(parts), kind in ("arithmetic", "compare", "apply")
    need(all(p.kind == "apply" or (p.kind in TERMS) == terms for p in parts), f"a part of {value} is of the wrong sort")
    sums = tuple(s for p in parts if terms for s in (p.sums if p.kind not in ("count", "cover") else (p,)))
    if kind == "compare" and sums and value in ("=", "!="):  # >= and <=; < or >
        halves = [make(kind, op, parts, "half") for op in ((">=", "<=") if value == "=" else ("<", ">"))]
        return make("&" if value == "=" else "|", "halves", halves)
    kind, below = "sum" if kind == "compare" and sums else kind, sum(p.atoms for p in sums or parts)
    return Node(kind, value, parts, extra, 1 if kind in ("apply", "truth", "compare") else below, sums)
def parse(text: Any, scope: Any = ()) -> Node:  # by precedence; scope: the variables that are bound
    need(isinstance(text, str) and len(text) <= MAX_TEXT and not TOKEN.sub("", text).strip(" "), "is no formula")
    tokens, bound = ["", *TOKEN.findall(text)[::-1]], list(scope)
    def climb(lowest: int) -> Node:
        left = prefix(tokens.pop())
        while LEVEL.get(op := tokens[-1], -1) >= lowest:
            right = climb(LEVEL[tokens.pop()] + (op != "->"))
            if op in ("->", "<->"):  # ~a | b, in both directions
                ways = [make("|", op, (make("~", op, (a,)), b)) for a, b in ((left, right), (right, left))]
                left = ways[0] if op == "->" else make("&", op, ways)
            elif op in ("&", "|"):
                left = make(op, op, (*(left.parts if left.kind == left.value == op else (left,)), right))
            else:
                left = make("compare" if op in OPPOSITE else "arithmetic", op, (left, right))
        return left
    def prefix(word: str) -> Node:
        if word == "~":
            return make("~", word, (climb(6),))
        if word == "(":
            inner = climb(0)
            need(tokens.pop() == ")", f"has no bracket where it needs one, {len(tokens)} tokens from its end")
            return inner
        if word in ("forall", "exists", "count", "cover"):
            op, n = (tokens.pop(), tokens.pop()) if tokens[-1] in (">=", "<=", "=") else (">=", "1")
            bound.append(tokens.pop())
            need(tokens[-1] == "(" and n.isdigit(), f"{word} {bound[-1]} has no body, or no whole number")
            body, name = prefix(tokens.pop()), bound.pop()
            op, n, body = ("<=", "0", make("~", word, (body,))) if word == "forall" else (op, n, body)
            counted = make("cover" if word == "cover" else "count", name, (body,))
            return counted if word in ("count", "cover") else make("compare", op, (counted, make("number", n)))
        if tokens[-1] == "(" and word[0].isalpha():
            given = []
            while (end := tokens.pop()) in ("(", ","):
                given.append(make("variable", tokens.pop()))
            need(end == ")" and all(v.value in bound for v in given), f"{word} takes variables that are bound")
            return make("apply", word, given)
        if word[0] in '"0123456789':
            unit = tokens.pop() if word[0] != '"' and tokens[-1] in UNITS else ""
            return make("string" if word[0] == '"' else "number", re.sub(r'^"|\\(.)|"$', r"\1", word), (), unit)
        need(word in bound or word in ("true", "false"), f"{word} is bound by nothing")
        return make("variable" if word in bound else "truth", word)
    formula = climb(0)
    need(tokens == [""] and formula.kind not in TERMS, "is not one formula")
    return formula

# --- outlines and their measures (section 1) --------------------------------------------------------------------------
def outline(p: Any) -> Any:  # of a list of points, of rings (the first the outer one), or of polygons
    listed = [[p]] if not isinstance(p[0][0], list) else [p] if not isinstance(p[0][0][0], list) else p
    polygons = [[[(x + 0.0, y + 0.0) for x, y in ring] for ring in rings] for rings in listed]
    points = [point for rings in polygons for ring in rings for point in ring]
    need(all(map(math.isfinite, (v for point in points for v in point))), "a coordinate is not finite")
    hull, corners = shapely.MultiPoint(points).convex_hull, sum(map(operator.ne, points, points[1:] + points[:1]))
    if hull.area == 0 or (corners == 4 and len(polygons) == len(polygons[0]) == 1):
        return hull if hull.geom_type != "Polygon" or hull.area > 0 else hull.boundary
    solid = [shapely.Polygon(shell, holes) for shell, *holes in ([r + r[:1] * 3 for r in rings] for rings in polygons)]
    shape = shapely.MultiPolygon(solid) if len(solid) > 1 else solid[0]
    parts = [q for p in shapely.get_parts(shapely.make_valid(shape)) for q in shapely.get_parts(p) if q.area > 0]
    return shape if shape.is_valid else shapely.union_all(parts) if parts else shape.boundary
def rectangle(hull: Any) -> tuple[float, float, float]:  # length, width, angle; of equal ones the longest, least turned
    found, ring = [], hull.exterior.coords if hull.geom_type == "Polygon" else ()
    for (ax, ay), (bx, by) in pairwise(ring):
        ex, ey, edge = bx - ax, by - ay, math.hypot(bx - ax, by - ay)
        along, across = ([f * (x - ax) + g * (y - ay) for x, y in ring] for f, g in ((ex, ey), (-ey, ex)))
        a, c = (max(along) - min(along)) / edge, (max(across) - min(across)) / edge
        angle = math.degrees(math.atan2(ey, ex) if a >= c else math.atan2(ex, -ey)) % 180.0 % 180.0
        found.append((a * c, max(a, c), min(a, c), angle))
    least = [f for f in found if f[0] <= min(found)[0] * (1 + BORDER)] or [(0.0, float(hull.length), 0.0, 0.0)]
    return min((f[1:] for f in least if f[1] >= max(g[1] for g in least) * (1 - BORDER)), key=lambda f: f[2])
class Entity:  # one row of a scene with its measures
    def __init__(self, row: Any, t: Any):
        self.id, self.label, score = row["entity_id"], row["label"], row.get("score")
        self.score = 1.0 if score is None else score
        need(type(self.id) is int and type(self.label) is str and 0 <= self.score <= 1, "no proper id, label or score")
        self.attributes = {k: v for k, v in (row.get("attributes") or {}).items() if v is not None and v == v}
        self.polygon, self.shape = row["polygon"], outline(row["polygon"])
        self.area, (self.left, self.top, self.right, self.bottom) = self.shape.area, self.shape.bounds
        self.cx = min(max(self.shape.centroid.x, self.left), self.right)
        self.cy = min(max(self.shape.centroid.y, self.top), self.bottom)
        self.east, self.north = t[0] + self.cx * t[1] + self.cy * t[2], t[3] + self.cx * t[4] + self.cy * t[5]
        self.length, self.width, self.angle = rectangle(self.shape.convex_hull)
        self.diag = math.hypot(self.length, self.width)
class Replay:  # sections 3, 4, 10. `step`: where it stands; `sure`: the level; atoms outside `keep` are relaxed
    step, work, slack, close, sure, forward = "scene", 0, 1, False, True, True
    def read(self, scene: Any) -> None:  # the entities, whatever their score; the SHA-256 of their rows and the image's
        self.borderline, self.all, self.scene = dict[str, None](), dict[int, Entity](), scene
        given = ((scene.get("width"), 0, 1e300), (scene.get("height"), 0, 1e300), (scene.get("gsd"), 0.005, 1000))
        *size, self.gsd = (float(v) if v is not None and low <= v <= high else math.nan for v, low, high in given)
        self.size = [math.nan, math.nan] if math.isnan(sum(size)) else size
        for i, row in enumerate(scene["entities"]):
            self.step = f"scene.entities[{i}]"
            self.all[row["entity_id"]] = Entity(row, scene.get("transform") or [math.nan] * 6)
        need(len(self.all) == len(scene["entities"]), "an entity_id stands twice")
        rows = [[e.id, e.label, e.score, e.polygon, e.attributes] for _, e in sorted(self.all.items())]
        self.sha256 = digest([[*map(scene.get, ("image_id", "width", "height", "gsd", "transform", "crs"))], *rows])
    def run(self, c: Any) -> None:  # the whole certificate: header, query, proofs, seal
        def field(name: str) -> Any:
            self.step = name
            return c[name]
        for name, here in (("format", "rune-smt certificate"), ("version", 1), ("mode", "threshold"),
                           ("image_id", self.scene["image_id"]), ("scene_sha256", self.sha256)):
            need(field(name) == here, f"is {str(c[name])[:80]!r}, here it is {here!r}")
        least, own = field("min_score"), self.scene.get("reference_areas") or {}
        self.entities = {i: e for i, e in self.all.items() if e.score >= least}
        self.words = field("vocabulary")
        self.parents, self.attributes, links = (self.words[part] for part in ("parents", "attributes", "links"))
        self.links = {name: (scope, parse(text, scope)) for name, (scope, text) in links.items() if name not in ARITY}
        self.areas = field("reference_areas")
        for label, area in self.areas.items():
            known = own[label] if label in own else median(e.area for e in self.all.values() if e.label == label)
            need(abs(area - known) <= BORDER * known, f"that of {label} is {known} here")
        query = parse(field("query"))
        sides = {"satisfied": Q[:1], "violated": Q[1:], "undecided": Q}[field("verdict")]
        need(field("kind") == ("verdict" if c["core"] is None else "core"), "does not fit the core")
        need((core := field("core")) is None or sides == Q[1:], "a core is of a violated query")
        for i, side in enumerate([*sides, *(f"without_{i}" for i in range(len(core or ())))]):
            self.keep = None if core is None else {a for j, atoms in enumerate(core) for a in atoms if j != i - 1}
            self.forward, self.sure = side != "negation", i == 0 and c["verdict"] != "undecided"
            self.prove(query, self.forward, entry(field("proof"), side), {}, f"proof.{side}", 0)
        need(field("seal") == digest({k: v for k, v in c.items() if k not in ("seal", "about")}), "is another one")
    def prove(self, node: Node, positive: bool, proof: Any, env: dict[str, int], path: str, first: int) -> None:
        self.step, self.work, parts = path, self.work + 1, node.parts  # first: the number of the first atom of `node`
        need(self.work <= MAX_WORK, "is too large")
        starts = list(accumulate((part.atoms for part in node.sums or parts), initial=first))
        kept = first < 0 or self.keep is None or first in self.keep or node.kind == "truth"
        if node.kind in ("~", "swap"):
            env = env if node.kind == "~" else dict(zip(env, [*env.values()][::-1], strict=True))
            self.prove(parts[0], positive != (node.kind == "~"), proof, env, path, first)
        elif node.kind in ("&", "|") and (node.kind == "&") == positive:
            need(len(entry(proof, "all")) == len(parts), f"{len(parts)} parts are to be proved", "not proved")
            for i, part in enumerate(parts):
                self.prove(part, positive, proof["all"][i], env, f"{path}.all[{i}]", starts[i])
        elif node.kind in ("&", "|"):
            need((i := entry(proof, "part")) in range(len(parts)), f"there is no part {i!r}")
            self.prove(parts[i], positive, entry(proof, "proof"), env, f"{path}.proof", starts[i])
        elif node.kind == "sum":
            self.total(node, positive, proof, env, path, starts)
        elif node.kind == "apply" and node.value in self.links and kept:
            self.link(node, positive, proof, env, path)
        else:
            need(proof is None, "an atom has no proof")
            self.accept(node, lambda: self.truth(node, env) if kept else 2 * (self.forward == positive), positive, env)
    def accept(self, node: Node, truth: Any, positive: bool, env: dict[str, int]) -> None:
        self.slack, self.close, at = 1, False, ", ".join(f"{x} = {i}" for x, i in env.items())
        truths, self.slack = [truth()], -1
        truths += [truth()] if self.close else []
        said = f"{'' if positive else '~'}{node.value}{' with ' if at else ''}{at}"
        need(any((v if positive else 2 - v) > self.sure for v in truths), f"{said} fails", OUTCOMES[node.kind == "sum"])
        self.borderline.update({f"{self.step}: {said}": None} if self.close else {})
    def each(self, node: Node, positive: bool, listed: Any, env: dict[str, int], path: str, first: int) -> set[int]:
        found = set[int]()  # the entities that are listed, each with a proof of the body of `node` or of its negation
        for i, e, p in [(i, e, entry(group, "proof")) for i, group in enumerate(listed) for e in entry(group, "ids")]:
            self.step = f"{path}[{i}].ids"
            need(e in self.entities and e not in found, f"entity {e!r} does not exist or stands twice")
            found.add(e)
            self.prove(node.parts[0], positive, p, {**env, node.value: e}, f"{path}[{i}].proof", first)
        return found
    def total(self, node: Node, positive: bool, proof: Any, env: dict[str, int], path: str, starts: list[int]) -> None:
        op, bounds, size = node.value if positive else OPPOSITE[node.value], [], 0.0  # counts, covers or a quantifier
        ends = [[self.number(side, {}, 2, {id(s): Fraction(s is one) for s in node.sums})[0] for side in node.parts]
                for one in (None, *node.sums)]  # both sides, exact, where all sums are 0, and where one of them is 1
        rest, *ones = (left - right if op[0] == ">" else right - left for left, right in ends)
        factors = [one - rest for one in ones]
        unit = min((abs(f) for f in factors if f), default=1)
        for i, (s, f) in enumerate(zip(node.sums, factors, strict=True)) if not math.isnan(rest) else ():
            ids = self.each(s, f > 0, entry(proof, "each")[i], env, f"{path}.each[{i}]", starts[i])
            ids = ids if f > 0 else {*self.entities} - ids
            shapes = [self.entities[e].shape for e in sorted(ids) if self.entities[e].area and s.kind == "cover"]
            bounds.append(f * (len(ids) if s.kind == "count" else shapely.union_all(shapes).area))
            size += abs(float(bounds[-1])) if s.kind == "cover" else 0.0
            whole = s.kind == "cover" or (abs(f) in (0, unit) and rest % unit == 0)
            need(self.sure or whole or not node.extra, "an equality that can skip values has no proof at this level")
        self.step = path
        self.accept(node, lambda: self.compare(rest + sum(bounds), ">=" if "=" in op else ">", 0, size), True, env)
    def link(self, node: Node, positive: bool, proof: Any, env: dict[str, int], path: str) -> None:
        (a, b), body = self.links[node.value]
        x, y, linked = *(env[part.value] for part in node.parts), Node("|", "link", (body, Node("swap", "", (body,))))
        if positive:  # a chain of pairs that are linked, in either order, leads from x to y
            chain = entry(proof, "chain")
            need(chain[0] == x and chain[-1] == y and len(chain) > 1, f"no chain from {x} to {y}")
            for i, (s, t) in enumerate(pairwise(chain)):
                need({s, t} <= {*self.entities} and s != t, f"{s} and {t} are no pair")
                self.prove(linked, True, entry(proof, "steps")[i], {a: s, b: t}, f"{path}.steps[{i}]", -MAX_WORK)
        else:  # x reaches these, and none of them is linked to any other
            inside = {s for group in entry(proof, "reach") for s in entry(group, "ids")}
            need(x in inside and (y not in inside or inside == {y}), f"{x} reaches {y}")
            for i, s in ((i, s) for i, group in enumerate(proof["reach"]) for s in group["ids"]):
                each, pairs = entry(proof["reach"][i], "each"), Node("count", b, (linked,))
                found = self.each(pairs, False, each, {a: s}, f"{path}.reach[{i}].each", -MAX_WORK)
                need(inside | found >= {*self.entities}, f"not every entity is proved apart from {s}", "not proved")
    def compare(self, a: float, op: str, b: float, size: float | None = None) -> int:
        size = max(abs(a), abs(b)) if size is None else size  # what rounding goes by; 0 if both are exact
        self.close |= (close := size > 0 and abs(a - b) <= BORDER * size)
        return 1 if math.isnan(a) or math.isnan(b) else 1 + self.slack if close else 2 if OPS[op](a, b) else 0
    def truth(self, node: Node, env: dict[str, int]) -> int:
        name, parts = node.value, node.parts
        e = [self.entities[env[part.value]] for part in parts if part.kind == "variable"]
        if node.kind == "truth" or (node.kind == "compare" and e):
            return 2 if name == "true" or (e and OPS[name](e[0].id, e[1].id)) else 0
        if node.kind == "compare":
            known = [self.attributes.get(part.value, {}) if part.kind == "apply" else {} for part in parts]
            (x, s), (y, t) = (self.number(p, env, power(q)) for p, q in (parts, parts[::-1]))
            if all(k.get("type") != "text" for k in known):
                return self.compare(x, name, y, s + t)
            order = [value for k in known for value in k.get("ordered", ())]
            a, b = ((order.index(v), "") if v in order else (len(order), v) for v in (x, y))
            return 1 if math.nan in (x, y) else 2 if OPS[name](a, b) else 0
        more = name in ("aligned", "clustered") and len(e) > 2
        need(len(e) == ARITY.get(name, 1) or more, f"{name} does not take {len(e)} arguments")
        if name in ARITY or name in self.parents:
            here = name in self.parents and name in self.above(e[0].label)
            return 2 * here if name not in ARITY else self.word(name, e) if len({x.id for x in e}) == len(e) else 0
        need(name in self.attributes, f"{name} is not known")
        return 1 if name not in e[0].attributes else 2 if e[0].attributes[name] else 0
    def number(self, term: Node, env: dict[str, int], base: int, sums: Any = None) -> tuple[Any, float]:
        name = term.value  # of a term the value (NaN: missing), and the size that its rounding goes by (0: exact)
        if term.kind == "number":
            factor, exponent, _ = UNITS.get(term.extra, (1, 0, 0))
            whole = self.size[0] * self.size[1] if base == 2 else math.hypot(*self.size)
            share = whole / 100 if term.extra == "%" else 1 / self.gsd**exponent if exponent else 1.0
            exact = math.nan if math.isnan(share) else Fraction(name) * factor * Fraction(share)
            return exact if sums else float(exact), 0.0
        if term.kind == "arithmetic":
            (a, s), (b, t) = (self.number(part, env, base, sums) for part in term.parts)
            return OPS[name](a, b), s + t if name in "+-" else s * abs(b) + t * abs(a) if name == "*" else s / abs(b)
        if term.kind in ("count", "cover", "string"):
            return name if term.kind == "string" else sums[id(term)], 0.0
        x, *_ = e = [self.entities[env[part.value]] for part in term.parts]
        need(len(e) == FUNCTIONS.get(name, 1) and (name in FUNCTIONS or name in self.attributes), f"{name} is none")
        if name not in FUNCTIONS or name == "score":
            return x.score if name == "score" else x.attributes.get(name, math.nan), 0.0
        y = e[-1]
        value = (math.hypot(x.cx - y.cx, x.cy - y.cy) if name == "center_distance" else x.shape.distance(y.shape)
                 if name == "distance" else math.nan if name == "angle" and not self.directed(x) else getattr(x, name))
        return value, abs(value)
    def directed(self, *e: Entity) -> int:  # whether the long sides have a direction
        return min(self.compare(x.length, ">=", 1.1 * x.width) if x.area > 0 else 0 for x in e)
    def above(self, label: str) -> list[str]:  # a class and its ancestors
        return [label, *(self.above(self.parents[label]) if self.parents.get(label) is not None else ())]
    def near(self, x: Entity, y: Entity) -> int:  # the limit is that of the closest pair of classes, of these the first
        first, second, table = self.above(x.label), self.above(y.label), self.words["near"]
        fits = [(first.index(p) + second.index(q), i, limit) for i, (a, b, *limit) in enumerate(table["pairs"])
                for p, q in ((a, b), (b, a)) if p in first and q in second]
        value, unit = min(fits)[2] if fits else table["default"]
        limit = value * {"x": min(x.diag, y.diag), "px": 1.0, "m": 1.0 / self.gsd}[unit]
        return self.compare(x.shape.distance(y.shape), "<=", limit if math.isnan(limit) else max(1.0, limit))
    def beside(self, x: Entity, p: Entity, q: Entity, reach: float) -> tuple[float, int]:  # where on the way p q
        dx, dy, ex, ey = q.cx - p.cx, q.cy - p.cy, x.cx - p.cx, x.cy - p.cy  # x is; inside, and not far aside?
        length = math.hypot(dx, dy) or math.inf
        at, aside = (ex * dx + ey * dy) / length**2, abs(ex * dy - ey * dx) / length
        return at, min(self.compare(at, ">", 0, 1), self.compare(at, "<", 1, 1), self.compare(aside, "<=", reach))
    def aligned(self, p: Entity, q: Entity, others: set[Entity]) -> int:  # ties go by id, either way
        at = {x: self.beside(x, p, q, x.width / 2) for x in others}
        row = sorted(others, key=lambda x: (round(at[x][0], 9), self.slack * x.id))
        self.close |= len({round(place, 9) for place, _ in at.values()}) < len(at)
        return min(*(t for _, t in at.values()), *(self.near(a, b) for a, b in pairwise([p, *row, q])))
    def clustered(self, e: list[Entity]) -> int:  # all are reached from the first over near pairs
        near, reached = {(a, b): self.near(a, b) for a, b in combinations(e, 2)}, {x: 2 if x is e[0] else 0 for x in e}
        for (a, b), truth in [*near.items()] * len(e):
            reached[a], reached[b] = max(reached[a], min(reached[b], truth)), max(reached[b], min(reached[a], truth))
        return min(reached.values())
    def word(self, name: str, e: list[Entity]) -> int:  # a relation between different entities
        x, y, (width, height), cmp = e[0], e[-1], self.size, self.compare
        turn = min(abs(x.angle - y.angle), 180 - abs(x.angle - y.angle))
        a, b, diag, areas = x.shape, y.shape, min(x.diag, y.diag), self.areas
        if name in THIRDS or name in ORDERS:
            axis, op, *side = THIRDS.get(name) or ORDERS[name]
            return cmp(getattr(x, axis), op, self.size[side[0]] * (1 + (op == ">")) / 3 if side else getattr(y, axis))
        def common(x: Any, y: Any, share: float) -> int:
            return cmp(x.intersection(y).area, ">=", max(share, 1e-300))
        words: dict[str, Any] = {
            "near": lambda: self.near(x, y), "touches": lambda: cmp(a.distance(b), "<=", 1.0),
            "far": lambda: min(2 - self.near(x, y), cmp(a.distance(b), ">", max(1.0, self.words["far_ratio"] * diag))),
            "overlaps": lambda: common(a, b, 0.001 * min(x.area, y.area)), "inside": lambda: common(a, b, 0.5 * x.area),
            "contains": lambda: common(b, a, 0.5 * y.area), "clustered": lambda: self.clustered(e),
            "parallel": lambda: min(self.directed(x, y), cmp(turn, "<=", 10)),
            "surrounded_by": lambda: min(2 - self.word("inside", e), common(
                ring := a.buffer(max(1.0, x.width), quad_segs=8).difference(a), b, 0.75 * ring.area)),
            "perpendicular": lambda: min(self.directed(x, y), cmp(turn, ">=", 80)),
            "between": lambda: self.beside(x, e[1], y, math.hypot(y.cx - e[1].cx, y.cy - e[1].cy) / 4)[1],
            "aligned": lambda: max(self.aligned(p, q, {*e} - {p, q}) for p, q in combinations(e, 2)),
            "at_border": lambda: 1 if math.isnan(width) else max(cmp(min(x.left, x.top), "<=", 1), cmp(
                max(x.right - width, x.bottom - height), ">=", -1, max(width, height))),
            "in_center": lambda: min(2 - self.word(side, e) for side in THIRDS),
            "same_class": lambda: 2 * (x.label == y.label), "large": lambda: cmp(x.area, ">", 1.5 * areas[x.label]),
            "small": lambda: cmp(x.area, "<", areas[x.label] / 1.5)}
        return int(words[name]())
def power(term: Node) -> int:  # 2 for an area, 1 for a length, 0 for all else
    below, own = [power(part) for part in term.parts], UNITS.get(term.extra or term.value, (1, 0, 0))[2]
    return sum(below) if term.value == "*" else below[0] if term.value == "/" else max(own, *below, 0)
class Report(NamedTuple):
    """What came of it: "proved", "not proved" (incomplete), "failed" or "unreadable"; `step` says where it ended."""

    outcome: str
    step: str
    message: str
    borderline: tuple[str, ...]
    work: int  # steps replayed
    ok: bool  # whether it is a full and valid proof
def check(certificate: Any, scene: Any) -> Report:
    """Replays a certificate against a scene, both as dicts; raises nothing, whatever they hold."""
    replay, outcome = Replay(), "unreadable"
    try:
        replay.read(scene)
        outcome, replay.step = "failed", "certificate"
        replay.run(certificate)
        said = f"{certificate['query']}{''.join(f'; assumed: {what}' for what in certificate['assumed'])}"
        outcome, message = "proved", f"{certificate['image_id']} is {certificate['verdict']}: {said}"
    except Exception as error:  # a refusal, or whatever else a hostile document leads to
        message, refused = error.args if type(error) is AssertionError else (f"is of no use: {error!r:.200}", outcome)
        outcome = refused if outcome == "failed" else outcome
    return Report(outcome, replay.step, message, tuple(replay.borderline), replay.work, outcome == "proved")
def main(arguments: list[str]) -> int:
    """The command: its exit status."""
    if len(arguments) != 2:
        print("usage: python checker.py CERTIFICATE.json SCENE.json", file=sys.stderr)
        return 2
    try:
        certificate, scene = (json.loads(Path(name).read_bytes()) for name in arguments)
    except (OSError, ValueError, RecursionError) as error:
        print(f"{' or '.join(arguments)} cannot be read: {error}", file=sys.stderr)
        return 3
    report = check(certificate, scene)
    print(f"{report.outcome}: {report.message}\n  step: {report.step}; {report.work} steps replayed",
          *(f"  borderline, accepted as stated: {atom}" for atom in report.borderline), *SAID * report.ok, sep="\n")
    return 0 if report.ok else 3 if report.outcome == "unreadable" else 5
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Replays a certificate against the entities of one scene: `python checker.py CERTIFICATE.json SCENE.json`.

One file, made to be copied out of rune-smt and read whole: it asks for the standard library and shapely. Parser, clause
form and geometry are its own, written from the language page (sections 2, 9, 4); proofs are those of section 10. It
never searches: every step of a proof is looked up or computed. Exit status: 0 a full and valid proof; 5 the certificate
fails or is not a full proof; 3 a file cannot be read; 2 the call is wrong.
"""

from __future__ import annotations

import hashlib
import json
import math
import operator
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, combinations, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import shapely

__all__ = ["Report", "check", "main"]
SEALED = ("format", "version", "kind", "mode", "query", "verdict", "image_id", "min_score", "scene_sha256", "vocabulary",
          "reference_areas", "assumed", "core", "proof")  # all but the seal itself and "about"
MAX_TEXT, MAX_WORK = 100_000, 20_000_000  # characters of a formula, steps of a replay: what is larger is refused
BORDER = 1e-9  # relative distance from its limit within which an atom is borderline: accepted as stated, and listed
OPS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
UNITS = {"m": (1, 1, 1), "km": (1000, 1, 1), "m2": (1, 2, 2), "ha": (10_000, 2, 2), "km2": (1_000_000, 2, 2),
         **dict.fromkeys(("px", "length", "width", "distance", "center_distance"), (1, 0, 1)),
         "px2": (1, 0, 2), "area": (1, 0, 2), "deg": (1, 0, 0), "%": (1, 0, 0)}  # factor, power of gsd, power of a length
ORDERS = {"left_of": ("cx", "<"), "right_of": ("cx", ">"), "above": ("cy", "<"), "below": ("cy", ">"),
          "smaller": ("area", "<"), "larger": ("area", ">"), "west_of": ("east", "<"), "east_of": ("east", ">"),
          "south_of": ("north", "<"), "north_of": ("north", ">")}
THIRDS = {"in_left": ("cx", "<", 0), "in_right": ("cx", ">", 0), "in_top": ("cy", "<", 1), "in_bottom": ("cy", ">", 1)}
NAMES = {**dict.fromkeys((*THIRDS, "in_center", "at_border", "large", "small"), 1), "between": 3, "aligned": 3,
         **dict.fromkeys((*ORDERS, "near", "far", "touches", "overlaps", "inside", "contains", "parallel", "clustered",
                          "perpendicular", "surrounded_by", "same_class"), 2)}  # relations, with how many arguments
FUNCTIONS = {"area": 1, "length": 1, "width": 1, "angle": 1, "score": 1, "distance": 2, "center_distance": 2}

class Refusal(Exception):  # noqa: N818  a message, and the outcome that it leads to
    pass

def need(condition: Any, message: str, outcome: str = "failed") -> None:
    if not condition:
        raise Refusal(message, outcome)

def entry(proof: Any, key: str) -> Any:  # without it nothing is proved
    need(isinstance(proof, dict) and key in proof, f"the proof lacks {key!r}", "not proved")
    return proof[key]

def digest(value: Any) -> str:  # of compact JSON with sorted keys; numbers are shortest round-trip decimals
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()

# --- canonical text to a tree (section 2); -> <-> forall exists=N are written out at once (section 9) ------------------

TOKEN = re.compile(r'[0-9]+(?:\.[0-9]+)?|[a-z][a-z0-9_]*|"(?:[^"\\]|\\["\\])*"|<->|->|[<>!]=|[()~&|,=<>+*/%-]')
LEVEL = {"<->": 1, "->": 2, "|": 3, "&": 4, **dict.fromkeys(OPPOSITE, 6), "+": 7, "-": 7, "*": 8, "/": 8}  # ~ is at 5
TERMS = ("variable", "number", "string", "arithmetic", "count", "cover")

@dataclass(frozen=True, eq=False)
class Node:  # a formula (~ & | exists compare sum apply truth) or a term (those above; apply)
    kind: str
    value: str  # its name, operator or text
    parts: tuple[Node, ...]
    extra: Any  # the unit of a number; ">=" or "<=" and N of exists; whether a sum is half of an equality
    text: str
    atoms: int  # how many atoms its clause form has
    sums: tuple[Node, ...] = ()  # of a term or comparison: its counts and covers

def parse(text: Any, scope: Sequence[str] = ()) -> Node:  # by precedence; scope: the variables that are bound
    need(isinstance(text, str) and len(text) <= MAX_TEXT, f"is no text of at most {MAX_TEXT} characters")
    need(not TOKEN.sub("", text).strip(" "), "is no canonical text")
    tokens, at, bound = [*TOKEN.findall(text), ""], 0, list(scope)

    def take(*expected: str) -> str:
        nonlocal at
        need(tokens[at] and tokens[at] in (expected or tokens), f"token {at} is {tokens[at]!r}, not {' or '.join(expected)}")
        at += 1
        return tokens[at - 1]

    def make(start: int, kind: str, value: str, parts: Iterable[Node] = (), extra: Any = None) -> Node:
        parts, terms = tuple(parts), kind in ("arithmetic", "compare", "sum", "apply")
        need(all(p.kind == "apply" or (p.kind in TERMS) == terms for p in parts), f"a part of {value} is of the wrong sort")
        sums = tuple(s for p in parts if terms for s in (p.sums if p.kind not in ("count", "cover") else (p,)))
        if kind == "compare" and sums and value in ("=", "!="):  # >= and <=; < or >
            halves = [make(start, kind, op, parts, "half") for op in ((">=", "<=") if value == "=" else ("<", ">"))]
            return make(start, "&" if value == "=" else "|", value, halves)
        atoms = 1 if kind in ("apply", "truth") or (kind == "compare" and not sums) else sum(p.atoms for p in sums or parts)
        said = "".join(tokens[start:at]).replace(",", ", ")
        return Node("sum" if kind == "compare" and sums else kind, value, parts, extra, said, atoms, sums)

    def climb(lowest: int) -> Node:
        start, left = at, prefix()
        while LEVEL.get(op := tokens[at], -1) >= lowest:
            parts = [left]
            while tokens[at] == op and (len(parts) == 1 or op in "&|"):
                parts.append(climb(LEVEL[take()] + (op != "->")))
            if op in ("->", "<->"):  # ~a | b, in both directions
                ways = [make(start, "|", op, (make(start, "~", op, (a,)), b)) for a, b in (parts, parts[::-1])]
                left = ways[0] if op == "->" else make(start, "&", op, ways)
            else:
                left = make(start, op if op in "&|" else "compare" if op in OPPOSITE else "arithmetic", op, parts)
        return left

    def bracket() -> Node:
        take("(")
        inner = climb(0)
        take(")")
        return inner

    def prefix() -> Node:
        nonlocal at
        start, word = at, take()
        if word == "(":
            at -= 1
            return bracket()
        if word in ("forall", "exists", "count", "cover"):
            op, n = (take(), int(take())) if word == "exists" and tokens[at] in (">=", "<=", "=") else (">=", 1)
            bound.append(take())
            body = bracket()
            name = bound.pop()
            if word in ("count", "cover"):
                return make(start, word, name, (body,))
            op, n, body = ("<=", 0, make(start, "~", word, (body,))) if word == "forall" else (op, n, body)
            halves = [make(start, "exists", name, (body,), (half, n)) for half in ((">=", "<=") if op == "=" else (op,))]
            return make(start, "&", op, halves) if op == "=" else halves[0]
        if tokens[at] == "(" and word[0].isalpha():
            given = [climb(7)] if take("(") else []
            while take(",", ")") == ",":
                given.append(climb(7))
            need(all(argument.kind == "variable" for argument in given), f"{word} takes variables")
            return make(start, "apply", word, given)
        if word == "~":
            return make(start, "~", word, (climb(6),))
        if word[0].isdigit():
            return make(start, "number", word, (), take() if tokens[at] in UNITS else None)
        if word[0] == '"':
            return make(start, "string", re.sub(r"\\(.)", r"\1", word[1:-1]))
        need(word in bound or word in ("true", "false"), f"{word} is bound by nothing")
        return make(start, "variable" if word in bound else "truth", word)

    formula = climb(0)
    need(not tokens[at] and formula.kind not in TERMS, "is not one formula")
    return formula

# --- outlines and their measures (section 1) --------------------------------------------------------------------------

def outline(polygon: Any) -> Any:  # of a list of points, of rings (the first the outer one), or of polygons
    first = polygon[0][0]
    listed = [[polygon]] if not isinstance(first, list) else [polygon] if not isinstance(first[0], list) else polygon
    polygons = [[[(x + 0.0, y + 0.0) for x, y in ring] for ring in rings] for rings in listed]
    points = [point for rings in polygons for ring in rings for point in ring]
    need(all(map(math.isfinite, (v for point in points for v in point))), "a coordinate is not finite")
    hull, corners = shapely.convex_hull(shapely.MultiPoint(points)), sum(p != q for p, q in pairwise([*points, points[0]]))
    if hull.area == 0 or (corners == 4 and len(polygons) == len(polygons[0]) == 1):
        return hull if hull.geom_type != "Polygon" or hull.area > 0 else hull.boundary
    closed = [[(ring + ring[:1] * 3)[: max(4, len(ring) + 1)] for ring in rings] for rings in polygons]
    parts = [shapely.Polygon(rings[0], rings[1:]) for rings in closed]
    shape = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    if shape.is_valid:
        return shape
    pieces = [q for p in shapely.get_parts(shapely.make_valid(shape)) for q in shapely.get_parts(p) if q.area > 0]
    return shapely.union_all(pieces) if pieces else shape.boundary

def rectangle(hull: Any) -> tuple[float, float, float]:  # length, width, angle; of equal ones the longest, then least turned
    if hull.geom_type != "Polygon":
        return float(hull.length), 0.0, 0.0
    (x0, y0), found = hull.exterior.coords[0], []
    ring = [(x - x0, y - y0) for x, y in hull.exterior.coords]
    for (ax, ay), (bx, by) in pairwise(ring):
        ex, ey, edge = bx - ax, by - ay, math.hypot(bx - ax, by - ay)
        along, across = ([f * x + g * y for x, y in ring] for f, g in ((ex, ey), (-ey, ex)))
        a, c = max(along) - min(along), max(across) - min(across)
        angle = math.degrees(math.atan2(ey, ex) if a >= c else math.atan2(ex, -ey)) % 180.0 % 180.0
        found.append((a * c / edge**2, max(a, c) / edge, min(a, c) / edge, angle))
    least = [f for f in found if f[0] <= min(found)[0] * (1 + BORDER)]
    return min((f[1:] for f in least if f[1] >= max(g[1] for g in least) * (1 - BORDER)), key=lambda f: f[2])

class Entity:  # one row of a scene with its measures
    def __init__(self, row: Any, t: Any):
        self.id, self.label, self.score = row["entity_id"], row["label"], 1.0 if row.get("score") is None else row["score"]
        need(type(self.id) is int and isinstance(self.label, str), "needs a whole number as entity_id, a text as label")
        need(0 <= self.score <= 1, "the score is no number from 0 to 1")
        self.attributes = {k: v for k, v in (row.get("attributes") or {}).items() if v is not None and v == v}
        self.shape = outline(row["polygon"])
        self.area, (self.left, self.top, self.right, self.bottom) = float(self.shape.area), self.shape.bounds
        self.cx = min(max(self.shape.centroid.x, self.left), self.right)
        self.cy = min(max(self.shape.centroid.y, self.top), self.bottom)
        self.east, self.north = t[0] + self.cx * t[1] + self.cy * t[2], t[3] + self.cx * t[4] + self.cy * t[5]
        self.length, self.width, self.angle = rectangle(self.shape.convex_hull)
        self.diag = math.hypot(self.length, self.width)

# --- replay (sections 3, 4 and 10); verdicts are 0 violated, 1 undecided, 2 satisfied: & is min, | is max, ~ is 2 - v ---

class Replay:  # `step`: where it stands; `sure`: the level; atoms outside `keep` are relaxed, to true when going `forward`
    def __init__(self) -> None:
        self.step, self.work, self.slack, self.close, self.sure, self.forward = "scene", 0, 1, False, True, True
        self.keep: set[int] | None = None
        self.borderline, self.all = dict[str, None](), dict[int, Entity]()

    def read(self, scene: Any) -> None:  # the entities, whatever their score, and the SHA-256 of their rows and the image's
        given = ((scene.get("width"), 0, 1e300), (scene.get("height"), 0, 1e300), (scene.get("gsd"), 0.005, 1000))
        numbers = [float(v) if v is not None and low <= v <= high else math.nan for v, low, high in given]
        self.gsd, self.size = numbers[2], numbers[:2] if not math.isnan(sum(numbers[:2])) else [math.nan, math.nan]
        t = [float(v) for v in scene.get("transform") or [math.nan] * 6]
        for i, row in enumerate(scene["entities"]):
            self.step, entity = f"scene.entities[{i}]", Entity(row, t)
            need(self.all.setdefault(entity.id, entity) is entity, f"entity_id {entity.id} stands twice")
        rows = [[e.id, e.label, float(e.score), shapely.geometry.mapping(shapely.normalize(e.shape)), e.attributes]
                for _, e in sorted(self.all.items())]
        image = [scene["image_id"], *(None if math.isnan(v) else v for v in (*numbers, *t)), scene.get("crs")]
        self.scene, self.sha256 = scene, digest([image, *rows])

    def run(self, c: Any) -> None:  # the whole certificate: header, query, proofs, seal
        need(isinstance(c, dict) and {*c, "about"} == {*SEALED, "seal", "about"}, "its fields are not those of a certificate")
        for field, here in (("format", "rune-smt certificate"), ("version", 1), ("mode", "threshold"),
                            ("image_id", self.scene["image_id"]), ("scene_sha256", self.sha256)):
            self.step = field
            need(c[field] == here, f"is {str(c[field])[:80]!r}, here it is {here!r}")
        self.step, self.vocabulary, self.links = "min_score", c["vocabulary"], dict[str, tuple[Any, Node]]()
        self.entities = {i: e for i, e in self.all.items() if e.score >= c["min_score"]}
        self.step, self.parents, self.attributes = "vocabulary", self.vocabulary["parents"], self.vocabulary["attributes"]
        for name, (scope, text) in self.vocabulary["links"].items():
            self.step = f"vocabulary.links.{name}"
            self.links[name] = scope, parse(text, scope)
        self.step, own, self.references = "reference_areas", self.scene.get("reference_areas") or {}, c["reference_areas"]
        for label, area in self.references.items():
            known = own[label] if label in own else median(e.area for e in self.all.values() if e.label == label)
            need(abs(area - known) <= BORDER * known, f"that of {label} is {known} here")
        self.step, proof, verdict = "query", c["proof"], c["verdict"]
        query = parse(c["query"])
        self.step, core = "core", [set(clause) for clause in c["core"] or ()]
        need((c["kind"], c["core"] is None) in (("verdict", True), ("core", False)), "kind and core do not fit")
        if core or c["kind"] == "core":
            need(verdict == "violated" and len(entry(proof, "without")) == len(core), "every clause needs its proof", "not proved")
            sides = [("negation", entry(proof, "negation"), set().union(*core))]
            sides += [(f"without[{i}]", p, set().union(*core[:i], *core[i + 1 :])) for i, p in enumerate(proof["without"])]
        else:
            wanted = {"satisfied": ["query"], "violated": ["negation"], "undecided": ["query", "negation"]}
            sides = [(side, entry(proof, side), None) for side in wanted[verdict]]
        for side, inner, self.keep in sides:
            self.forward, self.sure = side != "negation", side in ("query", "negation") and verdict != "undecided"
            self.prove(query, self.forward, inner, {}, f"proof.{side}", 0)
        self.step = "seal"
        need(c["seal"] == digest({name: c[name] for name in SEALED}), "the certificate was changed after it was made")

    def prove(self, node: Node, positive: bool, proof: Any, env: Mapping[str, int], path: str, first: int) -> None:
        self.step, self.work, parts = path, self.work + 1, node.parts  # first: the number of the first atom of `node`
        need(self.work <= MAX_WORK, "is too large")
        starts = list(accumulate((part.atoms for part in node.sums or parts), initial=first))
        if node.kind == "~":
            self.prove(parts[0], not positive, proof, env, path, first)
        elif node.kind in ("&", "|") and (node.kind == "&") == positive:
            need(len(entry(proof, "all")) == len(parts), f"{len(parts)} parts are to be proved", "not proved")
            for i, part in enumerate(parts):
                self.prove(part, positive, proof["all"][i], env, f"{path}.all[{i}]", starts[i])
        elif node.kind in ("&", "|"):
            need((i := entry(proof, "part")) in range(len(parts)), f"there is no part {i!r}")
            self.prove(parts[i], positive, entry(proof, "proof"), env, f"{path}.proof", starts[i])
        elif node.kind == "exists":
            (op, n), lower = node.extra, positive == (node.extra[0] == ">=")  # ~exists>=N is exists<=N-1
            least = n + (not positive) if lower else len(self.entities) - n + (not positive)
            given = len(self.each(node, lower, entry(proof, "each"), env, f"{path}.each", first))
            need(given >= least, f"{given} entities have a proof, {least} are needed", "not proved")
        elif node.kind == "sum":
            op = node.value if positive else OPPOSITE[node.value]
            sign = 1 if op[0] == ">" else -1
            constant, *units = (sign * self.difference(node, one) for one in (None, *node.sums))
            if math.isnan(constant):
                need(proof is None and not self.sure, "a number is missing")
                return
            least, bounds = min((abs(u - constant) for u in units if u != constant), default=1), []
            for i, (s, factor) in enumerate(zip(node.sums, (u - constant for u in units), strict=True)):
                ids = self.each(s, factor > 0, entry(proof, "bounds")[i], env, f"{path}.bounds[{i}]", starts[i])
                ids = ids if factor > 0 else {*self.entities} - ids
                shapes = [self.entities[e].shape for e in sorted(ids) if self.entities[e].area]
                need(self.sure or not node.extra or s.kind == "cover" or (abs(factor) in (0, least) and constant % least == 0),
                     "an equality that may skip a value is not proved at this level")
                bounds.append(factor * (len(ids) if s.kind == "count" else shapely.union_all(shapes).area))
            size = sum(map(abs, bounds)) if node.sums[0].kind == "cover" else 0
            self.accept(node, lambda: self.compare(constant + sum(bounds), ">=" if "=" in op else ">", 0, size), True, env)
        elif node.value in self.links and (self.keep is None or first in self.keep or first < 0):
            self.link(node, positive, proof, env, path)
        else:
            need(proof is None, "an atom has no proof")
            kept, easy = self.keep is None or first in self.keep or first < 0, 2 if self.forward == positive else 0
            self.accept(node, lambda: self.truth(node, env) if kept else easy, positive, env)

    def accept(self, node: Node, truth: Callable[[], int], positive: bool, env: Mapping[str, int]) -> None:
        self.slack, self.close = 1, False  # whether the level allows the verdict, or the other one of a borderline atom
        truths = [truth()]
        if self.close:
            self.slack = -1
            truths.append(truth())
        said = f"{'' if positive else '~'}{node.text} with {', '.join(f'{x} = {i}' for x, i in env.items()) or 'nothing'}"
        need(any((v if positive else 2 - v) > self.sure for v in truths), f"{said} is not {('open', 'satisfied')[self.sure]}")
        self.borderline.update({said: None} if self.close else {})

    def each(self, node: Node, positive: bool, listed: Any, env: Mapping[str, int], path: str, first: int) -> set[int]:
        found: set[int] = set()  # the entities that are listed, each with a proof of the body of `node` or of its negation
        for i, group in enumerate(listed):
            for e in entry(group, "ids"):
                self.step = f"{path}[{i}].ids"
                need(e in self.entities and e not in found, f"entity {e!r} does not exist or stands twice")
                found.add(e)
                self.prove(node.parts[0], positive, entry(group, "proof"), {**env, node.value: e}, f"{path}[{i}].proof", first)
        return found

    def link(self, node: Node, positive: bool, proof: Any, env: Mapping[str, int], path: str) -> None:
        (a, b), body = self.links[node.value]
        x, y = (env[part.value] for part in node.parts)
        if positive:  # a chain of pairs that are linked, in either order, leads from x to y
            chain, steps = entry(proof, "chain"), entry(proof, "steps")
            need(chain[0] == x and chain[-1] == y and len(chain) == len(steps) + 1 > 1, f"no chain from {x} to {y}")
            for i, (s, t) in enumerate(pairwise(chain)):
                need({s, t} <= {*self.entities} and s != t, f"{s} and {t} are no pair")
                scope = {a: s, b: t} if entry(steps[i], "part") == 0 else {a: t, b: s}
                self.prove(body, True, entry(steps[i], "proof"), scope, f"{path}.steps[{i}].proof", -MAX_WORK)
            return
        inside = {s for group in entry(proof, "reach") for s in entry(group, "ids")}  # none of these is linked to any other
        need(x in inside and (y not in inside or inside == {y}), f"{x} reaches {y}")
        for i, group in enumerate(proof["reach"]):
            for s, name, one, other in ((s, *way) for s in group["ids"] for way in (("to", a, b), ("from", b, a))):
                pairs, where = Node("exists", other, (body,), None, "", 0), f"{path}.reach[{i}].{name}"
                found = self.each(pairs, False, entry(group, name), {one: s}, where, -MAX_WORK)
                need(inside | found >= {*self.entities}, f"not every entity is proved apart from {s}", "not proved")

    # --- atoms ---

    def compare(self, a: float, op: str, b: float, size: float | None = None) -> int:
        if math.isnan(a) or math.isnan(b):
            return 1
        size = max(abs(a), abs(b)) if size is None else size  # what rounding goes by; 0 if both are exact
        close = bool(size) and abs(a - b) <= BORDER * size
        self.close |= close
        return 1 + self.slack if close else 2 if OPS[op](a, b) else 0

    def truth(self, node: Node, env: Mapping[str, int]) -> int:
        name, parts = node.value, node.parts
        e = [self.entities[env[part.value]] for part in parts if part.kind == "variable"]
        if node.kind == "truth":
            return 2 if name == "true" else 0
        if node.kind == "compare" and e:
            return 2 if OPS[name](e[0].id, e[1].id) else 0
        if node.kind == "compare":
            known = [self.attributes.get(part.value, {}) if part.kind == "apply" else {} for part in parts]
            if any(k.get("type") == "text" for k in known):
                order = list(dict.fromkeys(value for k in known for value in k.get("ordered", ())))
                texts = [p.value if p.kind == "string" else self.number(p, env, 0)[0] for p in parts]
                a, b = ((order.index(t), "") if t in order else (len(order), t) for t in texts)
                return 1 if math.nan in texts else 2 if OPS[name](a, b) else 0
            (x, s), (y, t) = (self.number(p, env, power(q)) for p, q in (parts, parts[::-1]))
            return self.compare(x, name, y, s + t)
        need(len(e) == NAMES.get(name, 1) or (name in ("aligned", "clustered") and len(e) > NAMES[name]), f"{node.text}: arity")
        if name in NAMES:
            return self.word(name, e) if len({x.id for x in e}) == len(e) else 0
        need(name in self.parents or name in self.attributes, f"{name} is not known")
        if name in self.parents:
            return 2 if name in self.above(e[0].label) else 0
        return 1 if name not in e[0].attributes else 2 if e[0].attributes[name] else 0

    def difference(self, node: Node, one: Node | None) -> Any:  # left - right, exact, where sum `one` is 1 and the others 0
        a, b = (self.number(side, {}, 2, {s: Fraction(s is one) for s in node.sums})[0] for side in node.parts)
        return a - b

    def number(self, term: Node, env: Mapping[str, int], base: int, sums: Mapping[Node, Any] | None = None) -> tuple[Any, float]:
        if term.kind == "number":  # its value (NaN: missing), and the size that its rounding goes by (0: exact)
            factor, exponent, _ = UNITS.get(term.extra, (1, 0, 0))
            whole = (self.size[0] * self.size[1] if base == 2 else math.hypot(*self.size)) / 100 if term.extra == "%" else 1.0
            share = whole / (self.gsd**exponent if exponent else 1)
            exact = math.nan if math.isnan(share) else Fraction(term.value) * factor * Fraction(share)
            return exact if sums else float(exact), 0.0
        if term.kind == "arithmetic":
            (a, s), (b, t) = (self.number(part, env, base, sums) for part in term.parts)
            size = s + t if term.value in "+-" else s * abs(b) + t * abs(a) if term.value == "*" else s / abs(b)
            return OPS[term.value](a, b), size
        if term.kind in ("count", "cover"):
            return (sums or {})[term], 0.0
        name, e = term.value, [self.entities[env[part.value]] for part in term.parts]
        need(len(e) == FUNCTIONS.get(name, 1) and (name in FUNCTIONS or name in self.attributes), f"{term.text} is no number")
        if name not in FUNCTIONS or name == "score":
            return e[0].score if name == "score" else e[0].attributes.get(name, math.nan), 0.0
        x, y = e[0], e[-1]
        value = (math.hypot(x.cx - y.cx, x.cy - y.cy) if name == "center_distance" else x.shape.distance(y.shape) if y is not x
                 else 0.0 if name == "distance" else math.nan if name == "angle" and not self.directed(x) else getattr(x, name))
        return value, abs(value)

    def directed(self, x: Entity) -> int:  # whether the long side has a direction
        return self.compare(x.length, ">=", 1.1 * x.width) if x.area > 0 else 0

    def above(self, label: str) -> list[str]:  # a class and its ancestors
        found = [label]
        while (parent := self.parents.get(found[-1])) is not None and parent not in found:
            found.append(parent)
        return found

    def near(self, x: Entity, y: Entity) -> int:  # the limit is that of the closest pair of classes, of these the first
        first, second, table = self.above(x.label), self.above(y.label), self.vocabulary["near"]
        fits = [(first.index(p) + second.index(q), i, limit) for i, (a, b, *limit) in enumerate(table["pairs"])
                for p, q in ((a, b), (b, a)) if p in first and q in second]
        value, unit = min(fits)[2] if fits else table["default"]
        limit = value * {"x": min(x.diag, y.diag), "px": 1.0, "m": 1.0 / self.gsd}[unit]
        return self.compare(x.shape.distance(y.shape), "<=", limit if math.isnan(limit) else max(1.0, limit))

    def beside(self, x: Entity, p: Entity, q: Entity, reach: float) -> tuple[float, int]:  # where x is on the way from p to q,
        dx, dy, ex, ey = q.cx - p.cx, q.cy - p.cy, x.cx - p.cx, x.cy - p.cy  # and whether at most `reach` aside of it
        length = math.hypot(dx, dy)
        at, aside = ((ex * dx + ey * dy) / length**2, abs(ex * dy - ey * dx) / length) if length else (0.0, 0.0)
        inside = min(self.compare(at, ">", 0, 1), self.compare(at, "<", 1, 1), self.compare(aside, "<=", reach, max(reach, length)))
        return at, inside if length else 0

    def aligned(self, p: Entity, q: Entity, others: list[Entity]) -> int:  # with ends p, q; places that tie go by id, or not
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
        x, y, (width, height), compare = e[0], e[-1], self.size, self.compare

        def common(a: Entity, b: Entity, share: float) -> int:
            area = a.shape.intersection(b.shape).area if a.area and b.area else 0.0
            return compare(area, ">=", share) if area > 0 else 0

        def turned(op: str, limit: float) -> int:
            turn = abs(x.angle - y.angle)
            return min(self.directed(x), self.directed(y), compare(min(turn, 180 - turn), op, limit))

        def surrounded() -> int:
            ring = x.shape.buffer(max(1.0, x.width), quad_segs=8).difference(x.shape)
            held = compare(ring.intersection(y.shape).area, ">=", 0.75 * ring.area) if y.area else 0
            return min(held, 2 - common(x, y, 0.5 * x.area))

        def third(side: str) -> int:
            axis, op, i = THIRDS[side]
            return compare(getattr(x, axis), op, self.size[i] * (1 if op == "<" else 2) / 3)

        if name in ORDERS:
            return compare(getattr(x, ORDERS[name][0]), ORDERS[name][1], getattr(y, ORDERS[name][0]))
        words: dict[str, Callable[[], int]] = {
            "near": lambda: self.near(x, y), "touches": lambda: compare(x.shape.distance(y.shape), "<=", 1.0),
            "far": lambda: min(2 - self.near(x, y), compare(
                x.shape.distance(y.shape), ">", max(1.0, self.vocabulary["far_ratio"] * min(x.diag, y.diag)))),
            "overlaps": lambda: common(x, y, 0.001 * min(x.area, y.area)), "inside": lambda: common(x, y, 0.5 * x.area),
            "contains": lambda: common(y, x, 0.5 * y.area), "surrounded_by": surrounded,
            "parallel": lambda: turned("<=", 10), "perpendicular": lambda: turned(">=", 80),
            "between": lambda: self.beside(x, e[1], y, math.hypot(y.cx - e[1].cx, y.cy - e[1].cy) / 4)[1],
            "aligned": lambda: max(self.aligned(p, q, [r for r in e if r not in (p, q)]) for p, q in combinations(e, 2)),
            "clustered": lambda: self.clustered(e), "same_class": lambda: 2 if x.label == y.label else 0,
            "at_border": lambda: 1 if math.isnan(width) else max(compare(x.left, "<=", 1), compare(x.top, "<=", 1), compare(
                x.right, ">=", width - 1), compare(x.bottom, ">=", height - 1)),
            "in_center": lambda: min(2 - third(side) for side in THIRDS),
            "large": lambda: compare(x.area, ">", 1.5 * self.references[x.label]),
            "small": lambda: compare(x.area, "<", self.references[x.label] / 1.5)}
        return words.get(name, lambda: third(name))()

def power(term: Node) -> int:  # 2 for an area, 1 for a length, 0 for all else
    if term.kind == "arithmetic":
        a, b = map(power, term.parts)
        return a + b if term.value == "*" else a if term.value == "/" else max(a, b)
    return UNITS.get(term.extra or term.value, (1, 0, 0))[2]

# --- the command ------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Report:
    """What came of it: "proved", "not proved" (incomplete), "failed" or "unreadable"; `step` says where it ended."""

    outcome: str
    step: str
    message: str
    borderline: tuple[str, ...] = ()
    work: int = 0  # steps replayed

    @property
    def ok(self) -> bool:
        """Whether the certificate is a full and valid proof."""
        return self.outcome == "proved"

    def text(self) -> str:
        """The report for people."""
        said = ["Verified: these entities, under this formula and this vocabulary, give this verdict.", "Not verified: "
                "that the detector saw everything, or that the formula says what was meant."] if self.ok else []
        return "\n".join([f"{self.outcome}: {self.message}", f"  step: {self.step}; {self.work} steps replayed",
                          *(f"  borderline, accepted as stated: {atom}" for atom in self.borderline), *said])

def check(certificate: Any, scene: Any) -> Report:
    """Replays a certificate against a scene, both as dicts; raises nothing, whatever they hold."""
    replay, outcome = Replay(), "unreadable"
    try:
        replay.read(scene)
        outcome, replay.step = "failed", "certificate"
        replay.run(certificate)
        outcome, message = "proved", f"{certificate['image_id']} is {certificate['verdict']} under {certificate['query']}"
    except Refusal as refusal:
        outcome, message = outcome if outcome == "unreadable" else refusal.args[1], refusal.args[0]
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError,
            shapely.errors.ShapelyError) as error:
        message = f"is not of the form that is expected here ({type(error).__name__}: {str(error)[:200]})"
    return Report(outcome, replay.step, message, tuple(replay.borderline), replay.work)

def main(arguments: list[str]) -> int:
    """The command: its exit status."""
    if len(arguments) != 2:
        print("usage: python checker.py CERTIFICATE.json SCENE.json", file=sys.stderr)
        return 2
    documents = []
    for name in arguments:
        try:
            documents.append(json.loads(Path(name).read_bytes()))
        except (OSError, ValueError, RecursionError) as error:
            print(f"{name} cannot be read: {error}", file=sys.stderr)
            return 3
    report = check(*documents)
    print(report.text())
    return 0 if report.ok else 3 if report.outcome == "unreadable" else 5

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Certificates: a verdict as a complete strategy, which the checker replays without searching (LANGUAGE, section 10).

The format is described in solver/certificates.md and in certificate.schema.json beside this package's modules. What is
here searches for the proof and writes the header; `rune_smt.checker`, which shares nothing with it, replays it. Proofs
follow the clause form of section 9 node by node, nothing flattened or simplified, so the place of a part in a proof is
its place in the query.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, assert_never

import numpy as np

from ..errors import CertificateError, LimitError
from ..grammar.definitions import expand_definitions, link_body
from ..grammar.nodes import (
    And,
    Apply,
    Arithmetic,
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
    Number,
    Or,
    Term,
    Truth,
    Variable,
    walk,
)
from ..grammar.printer import canonical
from ..verdict import SATISFIED, UNDECIDED, Verdict
from .clauses import ClauseForm, literals
from .numbers import OPPOSITE

if TYPE_CHECKING:
    from .world import World

MAX_STEPS = 1_000_000  # of making a proof, which bounds its size and the time to check it: some seconds each
BORDER = 1e-9  # relative: the checker accepts a cover as close to its limit as this
LINK = -(10**7)  # where the atoms of a link's formula are numbered from: they are no clauses

Env: TypeAlias = Mapping[str, int]
Side: TypeAlias = Literal["query", "negation"]


# --- proofs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """One step and what is below it. Equal proofs are one object: that is how entities with the same proof are found.

    kind    "atom", "all", "part", "each", "chain" or "reach"
    fields  of what it is made: proofs, numbers, entity ids, groups of ids with their proof
    """

    kind: str
    fields: tuple[Any, ...]

    def to_json(self) -> Any:
        """As the certificate has it."""
        match self.kind, self.fields:
            case "atom", _:
                return None
            case "all", parts:
                return {"all": [part.to_json() for part in parts]}
            case "part", (number, proof):
                return {"part": number, "proof": proof.to_json()}
            case "each", counted:
                return {"each": [_groups(groups) for groups in counted]}
            case "chain", (ids, *steps):
                return {"chain": list(ids), "steps": [{"part": way, "proof": p.to_json()} for way, p in steps]}
            case "reach", groups:
                return {"reach": [{"ids": list(ids), "each": _groups(others)} for ids, others in groups]}
        raise AssertionError(self.kind)


Groups: TypeAlias = tuple[tuple[tuple[int, ...], Proof], ...]  # entities that have the same proof, with it
ATOM = Proof("atom", ())


def _groups(groups: Groups) -> list[dict[str, Any]]:
    return [{"ids": list(ids), "proof": proof.to_json()} for ids, proof in groups]


class Prover:
    """Finds proofs in one world.

    sure      whether atoms have to be true, or only not false (the levels "sure" and "open")
    keep      numbers of the atoms that are not relaxed; None keeps all
    max_steps   what the search may take; MAX_STEPS unless given
    forward   whether the query itself is proved: relaxed atoms are true then, and false in a proof of its negation
    """

    def __init__(
        self,
        world: World,
        *,
        sure: bool,
        forward: bool,
        keep: Collection[int] | None = None,
        max_steps: int | None = None,
    ):
        self.world = world
        self.max_steps = MAX_STEPS if max_steps is None else max_steps
        self.sure = sure
        self.forward = forward
        self.keep = keep
        self.steps = 0
        self.known: dict[tuple[Any, ...], Proof] = {}
        self.pairs: dict[tuple[str, int, int, bool], Proof | None] = {}  # of links
        self.halves: dict[tuple[int, CompareOp], Compare] = {}
        self.bodies: dict[str, Formula] = {}  # of links
        self.atoms = Numbering()

    def prove(self, formula: Formula, positive: bool, env: Env, first: int = 0) -> Proof | None:
        """A proof of the formula, or of its negation; None where there is none. `first` is its first atom's number.

        raises   LimitError beyond max_steps
        """
        self.steps += 1
        if self.steps > self.max_steps:
            raise LimitError(
                f"No certificate is made: its proof takes more than {self.max_steps:,} steps.",
                hint="The verdict stands; only its certificate would be too large.",
            )
        match formula:
            case Not(body):
                return self.prove(body, not positive, env, first)
            case And(parts):
                return self.junction([(part, positive) for part in parts], positive, env, first)
            case Or(parts):
                return self.junction([(part, positive) for part in parts], not positive, env, first)
            case Implies(left, right):
                return self.junction([(left, not positive), (right, positive)], not positive, env, first)
            case Iff(left, right):
                there, back = Implies(left, right), Implies(right, left)
                return self.junction([(there, positive), (back, positive)], positive, env, first)
            case Exists(var, body):
                return self.quantified(var, body, positive, 1 if positive else self.all_but(0), env, first)
            case ForAll(var, body):
                return self.quantified(var, body, positive, self.all_but(0) if positive else 1, env, first)
            case ExistsCount(">=", n, var, body):
                return self.quantified(var, body, positive, n if positive else self.all_but(n - 1), env, first)
            case ExistsCount("<=", n, var, body):
                return self.quantified(var, body, not positive, self.all_but(n) if positive else n + 1, env, first)
            case ExistsCount(_, n, var, body):
                both = (ExistsCount(">=", n, var, body), ExistsCount("<=", n, var, body))
                return self.junction([(part, positive) for part in both], positive, env, first)
            case Compare(op) if counted(formula):
                if op in ("=", "!="):
                    if not self.sure and can_skip(formula, self.world):
                        return None  # the halves may both be open and the whole false
                    halves = [(self.half(formula, half), positive) for half in HALVES[op]]
                    return self.junction(halves, positive == (op == "="), env, first)
                return self.comparison(formula, positive, env, first)
            case Truth() | Apply() | Compare():
                return self.atom(formula, positive, env, first)
            case _:
                assert_never(formula)

    def make(self, kind: str, *fields: Any) -> Proof:
        """The proof of these fields, always the same object."""
        return self.known.setdefault((kind, *fields), Proof(kind, fields))

    def half(self, comparison: Compare, op: CompareOp) -> Compare:
        """`comparison` with another operator, always the same object."""
        made = Compare(op, comparison.left, comparison.right, comparison.span, comparison.origin)
        return self.halves.setdefault((id(comparison), op), made)

    def atom(self, atom: Truth | Apply | Compare, positive: bool, env: Env, first: int) -> Proof | None:
        """An atom has a proof if its verdict is good at the level, or it is relaxed and easier for it."""
        if self.keep is not None and first >= 0 and first not in self.keep and not isinstance(atom, Truth):
            return ATOM if self.forward else None
        if isinstance(atom, Apply) and atom.name in self.world.vocabulary.links:
            return self.link(atom, positive, env)
        verdict = Verdict(2 * atom.value) if isinstance(atom, Truth) else self.world.truth(atom, env)
        good = verdict if positive else 2 - verdict
        return ATOM if good == SATISFIED or (good == UNDECIDED and not self.sure) else None

    def junction(self, parts: Sequence[tuple[Formula, bool]], every: bool, env: Env, first: int) -> Proof | None:
        """All parts, or the first that has a proof."""
        proofs = []
        for number, (part, positive) in enumerate(parts):
            proof = self.prove(part, positive, env, first)
            first += self.atoms.of(part)
            if every:
                if proof is None:
                    return None
                proofs.append(proof)
            elif proof is not None:
                return self.make("part", number, proof)
        return self.make("all", *proofs) if every else None

    def all_but(self, n: int) -> int:
        """How many entities that is."""
        return len(self.world.entities) - n

    def quantified(self, var: str, body: Formula, positive: bool, least: int, env: Env, first: int) -> Proof | None:
        """`least` entities, each with a proof of the body or of its negation."""
        groups = self.each(var, body, positive, env, first, least)
        return None if groups is None else self.make("each", groups)

    def each(
        self, var: str, body: Formula, positive: bool, env: Env, first: int, least: int | None = None
    ) -> Groups | None:
        """The entities that have a proof: all of them, or the first `least`; None if there are fewer."""
        found: dict[Proof, list[int]] = {}
        given, left = 0, len(self.world.entities)
        for entity, seen in zip(self.world.entities, self.seen(var, body, positive, env), strict=True):
            if least is not None and (given >= least or given + left < least):
                break
            left -= 1
            proof = seen or self.prove(body, positive, {**env, var: entity}, first)
            if proof is not None:
                found.setdefault(proof, []).append(entity)
                given += 1
        if least is not None and given < least:
            return None
        return tuple((tuple(ids), proof) for proof, ids in found.items())

    def seen(self, var: str, body: Formula, positive: bool, env: Env) -> Sequence[Proof | None]:
        """For each entity the proof by one part of the body, where a whole column of truths shows it at once.

        These are the proofs that `prove` finds, part after part, in a fraction of the time.
        """
        found: list[Proof | None] = [None] * len(self.world.entities)
        match body:
            case And(parts) if not positive:
                ways = [(part, False) for part in parts]
            case Or(parts) if positive:
                ways = [(part, True) for part in parts]
            case Implies(left, right) if positive:
                ways = [(left, False), (right, True)]
            case _:
                ways = []
        for number, (part, wanted) in enumerate(ways if self.keep is None else ()):
            while isinstance(part, Not):
                part, wanted = part.body, not wanted
            literal = isinstance(part, Apply) or (isinstance(part, Compare) and not counted(part))
            codes = self.world.column(part, var, env) if literal else None  # type: ignore[arg-type]
            if codes is None:
                break
            good = codes >= 2 - (not self.sure) if wanted else codes <= (not self.sure)
            proof = self.make("part", number, ATOM)
            for place in np.flatnonzero(good).tolist():
                if found[place] is None:
                    found[place] = proof
                    self.steps += 1
        return found

    def comparison(self, comparison: Compare, positive: bool, env: Env, first: int) -> Proof | None:
        """For each sum that wants to be larger the entities surely in it, for each other those surely not in it."""
        op = comparison.op if positive else OPPOSITE[comparison.op]
        sums = [*aggregates(comparison.left), *aggregates(comparison.right)]
        linear = difference(comparison, self.world)
        if linear is None:
            return None if self.sure else ATOM  # a number is missing: undecided, whatever the covers are
        constant, factors = linear
        if op in ("<", "<="):
            constant, factors = -constant, [-factor for factor in factors]
        bounds: list[Groups] = []
        total, size = constant, 0.0
        for factor, one in zip(factors, sums, strict=True):
            groups = self.each(one.var, one.body, factor > 0, env, first) if factor else ()
            first += self.atoms.of(one.body)
            assert groups is not None
            bounds.append(groups)
            ids = {entity for listed, _ in groups for entity in listed}
            within = ids if factor > 0 else set(self.world.entities) - ids
            if isinstance(one, Cover):
                part = factor * Fraction(self.world.cover(sorted(within)))
                size += float(abs(part))
            else:
                part = factor * len(within)
            total += part
        close = size > 0 and abs(float(total)) <= BORDER * size / 2
        holds = total >= 0 if op in ("<=", ">=") else total > 0
        return self.make("each", *bounds) if holds or close else None

    # --- links ---

    def link(self, atom: Apply, positive: bool, env: Env) -> Proof | None:
        """A chain of linked pairs; or all that x reaches, with proofs that nothing else is linked to any of these."""
        name = atom.name
        x, y = (env[arg.name] for arg in atom.args if isinstance(arg, Variable))
        if positive:
            ids = self.path(name, x, y)
            steps = [self.linked(name, a, b) for a, b in pairwise(ids)]
            return self.make("chain", tuple(ids), *steps) if ids else None
        reached = self.reached(name, x)
        if y in reached and reached != {y}:
            return None
        others = [entity for entity in self.world.entities if entity not in reached]
        found: dict[Groups, list[int]] = {}
        for one in sorted(reached):
            grouped: dict[Proof, list[int]] = {}
            for other in others:
                apart = self.make("all", *(self.step(name, one, other, there, False) for there in (True, False)))
                grouped.setdefault(apart, []).append(other)
            found.setdefault(tuple((tuple(ids), proof) for proof, ids in grouped.items()), []).append(one)
        return self.make("reach", *((tuple(ids), groups) for groups, ids in found.items()))

    def step(self, name: str, one: int, other: int, there: bool, positive: bool) -> Proof | None:
        """A proof of the link's formula of (one, other), or of (other, one), or of its negation."""
        key = (name, one, other) if there else (name, other, one)
        if (*key, positive) not in self.pairs:
            if name not in self.bodies:
                self.bodies[name] = link_body(name, self.world.vocabulary)
            first, second = self.world.vocabulary.links[name].params
            scope = {first: key[1], second: key[2]}
            self.pairs[*key, positive] = self.prove(self.bodies[name], positive, scope, LINK)
        return self.pairs[*key, positive]

    def linked(self, name: str, one: int, other: int) -> tuple[int, Proof] | None:
        """Which way round a pair is linked, 0 or 1, and the proof."""
        for way, there in enumerate((True, False)):
            proof = self.step(name, one, other, there, True)
            if proof is not None:
                return way, proof
        return None

    def path(self, name: str, x: int, y: int) -> list[int]:
        """A shortest chain of linked pairs from x to y, both ends included; empty if there is none."""
        if x == y:
            beside = next((other for other in self.world.entities if other != x and self.linked(name, x, other)), None)
            return [] if beside is None else [x, beside, x]
        before: dict[int, int] = {x: x}
        front = [x]
        while front and y not in before:
            new = []
            for one in front:
                for other in self.world.entities:
                    if other not in before and self.linked(name, one, other) is not None:
                        before[other] = one
                        new.append(other)
            front = new
        if y not in before:
            return []
        ids = [y]
        while ids[-1] != x:
            ids.append(before[ids[-1]])
        return ids[::-1]

    def reached(self, name: str, x: int) -> set[int]:
        """All that chains may lead to from x, x included: over pairs of which it has no proof that they are apart."""
        found = {x}
        front = [x]
        while front:
            one = front.pop()
            for other in self.world.entities:
                if other not in found and any(self.step(name, one, other, t, False) is None for t in (True, False)):
                    found.add(other)
                    front.append(other)
        return found


class Numbering:
    """How many atoms the clause form of a formula has; each formula is counted once."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Formula, int]] = {}

    def of(self, formula: Formula) -> int:
        """Atoms, those that section 9 duplicates as often as it does."""
        if id(formula) not in self.known:
            self.known[id(formula)] = (formula, sum(1 for _ in self.listed(formula)))
        return self.known[id(formula)][1]

    def listed(self, formula: Formula) -> Iterable[Truth | Apply | Compare]:
        """The atoms, in the order in which proofs number them."""
        match formula:
            case Not(body) | Exists(_, body) | ForAll(_, body) | ExistsCount(">=" | "<=", _, _, body):
                return self.listed(body)
            case ExistsCount(_, _, _, body):
                return [*self.listed(body), *self.listed(body)]
            case And(parts) | Or(parts):
                return [atom for part in parts for atom in self.listed(part)]
            case Implies(left, right):
                return [*self.listed(left), *self.listed(right)]
            case Iff(left, right):
                one, other = [*self.listed(left)], [*self.listed(right)]
                return [*one, *other, *other, *one]
            case Compare(op, left, right) if counted(formula):
                inner = [atom for s in (*aggregates(left), *aggregates(right)) for atom in self.listed(s.body)]
                return inner * 2 if op in ("=", "!=") else inner
            case Truth() | Apply() | Compare():
                return [formula]
            case _:
                assert_never(formula)


HALVES: dict[str, tuple[CompareOp, CompareOp]] = {"=": (">=", "<="), "!=": ("<", ">")}


def aggregates(term: Term) -> list[Count | Cover]:
    """The counts and covers of a term, from left to right."""
    match term:
        case Count() | Cover():
            return [term]
        case Arithmetic(_, left, right):
            return [*aggregates(left), *aggregates(right)]
        case _:
            return []


def counted(comparison: Compare) -> bool:
    """Whether it compares counts or covers."""
    return bool(aggregates(comparison.left) or aggregates(comparison.right))


def difference(comparison: Compare, world: World) -> tuple[Fraction, list[Fraction]] | None:
    """left - right as constant and the factor of each sum; areas in px2. None if a number is missing."""

    def linear(term: Term) -> tuple[Fraction | None, list[Fraction]]:
        match term:
            case Number(value, unit):
                if unit is None:
                    return Fraction(value), []
                limit = world.area_limit(term)
                return None if limit is None else Fraction(limit), []
            case Count() | Cover():
                return Fraction(0), [Fraction(1)]
            case Arithmetic(op, left, right):
                (a, x), (b, y) = linear(left), linear(right)
                if a is None or b is None:
                    return None, []
                match op:
                    case "+":
                        return a + b, [*x, *y]
                    case "-":
                        return a - b, [*x, *(-factor for factor in y)]
                    case "*":
                        return a * b, [*(factor * b for factor in x), *(factor * a for factor in y)]
                    case "/":
                        return a / b, [factor / b for factor in x]
            case _:
                raise TypeError(f"cannot stand beside a count or cover: {term}")

    (a, x), (b, y) = linear(comparison.left), linear(comparison.right)
    return None if a is None or b is None else (a - b, [*x, *(-factor for factor in y)])


def can_skip(comparison: Compare, world: World) -> bool:
    """Whether a sum of counts may pass 0 without being 0 on the way, as `2 * count x (f) - 3` does."""
    linear = difference(comparison, world)
    sums = (*aggregates(comparison.left), *aggregates(comparison.right))
    if linear is None or any(isinstance(one, Cover) for one in sums):
        return False
    constant, factors = linear
    sizes = {abs(factor) for factor in factors if factor}
    return bool(sizes) and (len(sizes) > 1 or constant % min(sizes) != 0)


def make_certificate(
    formula: Formula,
    world: World,
    verdict: Verdict,
    *,
    text: str | None = None,
    translator: str | None = None,
    detector: str | None = None,
    assumed: Sequence[str] = (),
    time: str | None = None,
    max_steps: int | None = None,
) -> dict[str, Any]:
    """The certificate that `formula` has this verdict in `world`: what INTERFACE calls `why.certificate`.

    formula   closed; definitions are expanded here
    text, translator, detector   where the query and the entities come from; outside of the seal
    assumed   what was assumed of the data, as the archive has it
    time      when, ISO 8601; now if not given
    max_steps   the stated size, in steps of making it: MAX_STEPS unless given
    raises    LimitError if the proof takes more steps than that, or the query has an equality of counts that can
              skip values (`2 * count x (f) = 3`) whose verdict its two inequalities do not give;
              CertificateError if the verdict is another one
    """
    formula = expand_definitions(formula, world.vocabulary)
    sides: dict[Verdict, tuple[Side, ...]] = {
        Verdict.SATISFIED: ("query",),
        Verdict.VIOLATED: ("negation",),
        Verdict.UNDECIDED: ("query", "negation"),
    }
    proofs: dict[str, Any] = {}
    for side in sides[verdict]:
        prover = Prover(world, sure=verdict != UNDECIDED, forward=side == "query", max_steps=max_steps)
        proof = prover.prove(formula, side == "query", {})
        if proof is None:
            raise _no_proof(formula, world, verdict, side)
        proofs[side] = proof.to_json()
    about = _about(text, translator, detector, time)
    return _sealed("verdict", formula, world, verdict, None, proofs, assumed, about)


def core_certificate(
    form: ClauseForm,
    formula: Formula,
    core: Collection[int],
    world: World,
    *,
    text: str | None = None,
    translator: str | None = None,
    detector: str | None = None,
    assumed: Sequence[str] = (),
    time: str | None = None,
    max_steps: int | None = None,
) -> dict[str, Any]:
    """The certificate that a set of clauses is a core: the query with all other clauses relaxed is violated, and with
    any one of these relaxed as well it is not.

    form      of `formula`, whose definitions are expanded; `core` holds numbers of its clauses
    raises    LimitError as `make_certificate`, and where the form has an equality that can skip values;
              CertificateError if it is no core
    """
    numbers = _atoms_of_clauses(form, formula)
    clauses = [numbers[clause] for clause in sorted(core)]
    proofs: dict[str, Any] = {}
    kept = set(chain.from_iterable(clauses))
    prover = Prover(world, sure=True, forward=False, keep=kept, max_steps=max_steps)
    negation = prover.prove(formula, False, {})
    if negation is None:
        unproved = "The query with all other clauses relaxed is not violated."
        raise _skipping(formula, world) or CertificateError(unproved, step="proof.negation")
    proofs["negation"] = negation.to_json()
    for number, clause in enumerate(clauses):
        rest = kept.difference(clause)
        prover = Prover(world, sure=False, forward=True, keep=rest, max_steps=max_steps)
        without = prover.prove(formula, True, {})
        if without is None:
            unproved = "The query is violated without this clause too."
            raise _skipping(formula, world) or CertificateError(unproved, step=f"proof.without_{number}")
        proofs[f"without_{number}"] = without.to_json()
    about = _about(text, translator, detector, time)
    return _sealed("core", formula, world, Verdict.VIOLATED, clauses, proofs, assumed, about)


def _atoms_of_clauses(form: ClauseForm, formula: Formula) -> dict[int, list[int]]:
    """For each clause the numbers that proofs give to its atoms."""
    atoms = list(Numbering().listed(formula))
    found: dict[int, list[int]] = {clause.index: [] for clause in form.clauses}
    place = 0
    for literal, occurrence in zip(literals(form.formula), form.occurrences, strict=True):
        atom = literal.body if isinstance(literal, Not) else literal
        if isinstance(atom, Compare) and counted(atom):
            raise LimitError("No certificate is made for a core where an equality of counts can skip values.")
        while place < len(atoms) and not _same_atom(atoms[place], atom):
            place += 1  # clause form has dropped it: it stood below a count that is true or false by itself
        if place == len(atoms) or len(occurrence.clauses) != 1:
            raise LimitError("No certificate is made for this core: its clauses are no atoms of the query.")
        found[min(occurrence.clauses)].append(place)
        place += 1
    return found


def _same_atom(one: Formula, other: Formula) -> bool:
    if isinstance(one, Compare) and isinstance(other, Compare):
        return (one.left, one.right) == (other.left, other.right) and one.op in (other.op, OPPOSITE[other.op])
    return one == other


def _no_proof(formula: Formula, world: World, verdict: Verdict, side: str) -> Exception:
    unproved = f"The query has no proof that it is {verdict.word} here."
    return _skipping(formula, world) or CertificateError(unproved, step=f"proof.{side}")


def _skipping(formula: Formula, world: World) -> LimitError | None:
    """Why a true verdict may have no proof."""
    comparisons = (node for node in walk(formula) if isinstance(node, Compare) and counted(node))
    if any(node.op in ("=", "!=") and can_skip(node, world) for node in comparisons):
        return LimitError(
            "No certificate is made: the query has an equality of counts that can skip values.",
            hint="Its verdict stands; write it with >= and <= for one with a certificate.",
        )
    return None


def _sealed(
    kind: str,
    formula: Formula,
    world: World,
    verdict: Verdict,
    core: list[list[int]] | None,
    proof: Mapping[str, Any],
    assumed: Sequence[str],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Header and proof, with the seal over everything but itself and `about`."""
    certificate: dict[str, Any] = {
        "format": "rune-smt certificate",
        "version": 1,
        "kind": kind,
        "mode": "threshold",
        "query": canonical(formula),
        "verdict": verdict.word,
        "image_id": world.scene.image_id,
        "min_score": float(world.min_score),
        "scene_sha256": scene_sha256(world.scene.to_json()),
        "vocabulary": _vocabulary(formula, world),
        "reference_areas": _reference_areas(formula, world),
        "assumed": list(assumed),
        "core": core,
        "proof": dict(proof),
    }
    certificate["seal"] = sha256(certificate)
    certificate["about"] = dict(about)
    return certificate


def scene_sha256(scene: Mapping[str, Any]) -> str:
    """What binds a certificate to a scene (INTERFACE's shape): its image's row and the rows of its entities by id.

    Rows hold what the scene's JSON holds, the score 1 where it is null, and no attribute that is null.
    """
    image = [scene.get(name) for name in ("image_id", "width", "height", "gsd", "transform", "crs")]
    rows = [
        [
            entity["entity_id"],
            entity["label"],
            1.0 if entity.get("score") is None else entity["score"],
            entity["polygon"],
            {name: value for name, value in (entity.get("attributes") or {}).items() if value is not None},
        ]
        for entity in sorted(scene["entities"], key=lambda entity: int(entity["entity_id"]))
    ]
    return sha256([image, *rows])


def sha256(value: Any) -> str:
    """Of compact JSON with sorted keys, ASCII, every number as the shortest decimal that reads back as its float64."""
    as_floats = json.loads(json.dumps(value), parse_int=float)
    text = json.dumps(as_floats, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _named(formula: Formula, world: World) -> set[str]:
    """The names that the query applies, those in the formulas of its links included."""
    nodes: list[Node] = [*walk(formula)]
    for name in {node.name for node in nodes if isinstance(node, Apply)}.intersection(world.vocabulary.links):
        nodes += walk(link_body(name, world.vocabulary))
    return {node.name for node in nodes if isinstance(node, Apply)}


def _vocabulary(formula: Formula, world: World) -> dict[str, Any]:
    """What the query's meaning hangs on: parents of classes, near and far, the attributes and links that it uses."""
    vocabulary, used = world.vocabulary, _named(formula, world)
    near = vocabulary.near
    labels = {world.label(entity) for entity in world.entities}
    return {
        "name": vocabulary.name,
        "parents": {
            **dict.fromkeys(sorted(labels.difference(vocabulary.classes))),
            **{name: word.parent for name, word in vocabulary.classes.items()},
        },
        "near": {
            "default": [float(near.default.value), near.default.unit],
            "pairs": [[a, b, float(limit.value), limit.unit] for (a, b), limit in near.pairs.items()],
        },
        "far_ratio": float(vocabulary.far_ratio),
        "attributes": {
            name: {"type": word.type, "ordered": list(word.ordered)}
            for name, word in vocabulary.attributes.items()
            if name in used
        },
        "links": {
            name: [list(link.params), canonical(link_body(name, vocabulary))]
            for name, link in vocabulary.links.items()
            if name in used
        },
    }


def _reference_areas(formula: Formula, world: World) -> dict[str, float]:
    """The reference areas, px2, of the classes here, where the query asks whether something is large or small."""
    if not _named(formula, world) & {"large", "small"}:
        return {}
    labels = {world.label(entity) for entity in world.entities}
    return {label: area for label, area in world.scene.reference_areas.items() if label in labels}


def _about(text: str | None, translator: str | None, detector: str | None, time: str | None) -> dict[str, Any]:
    """What is told beside the certificate and bound by nothing."""
    import importlib.metadata

    import shapely

    try:
        version = importlib.metadata.version("rune-smt")
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    return {
        "text": text,
        "translator": translator,
        "detector": detector,
        "libraries": {
            "rune-smt": version,
            "shapely": shapely.__version__,
            "geos": shapely.geos_version_string,
            "python": platform.python_version(),
        },
        "time": time or datetime.now(UTC).isoformat(timespec="seconds"),
    }

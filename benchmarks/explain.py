"""Minimal cores of violated queries: this project beside a plain Z3 encoding and clingo, on the same scenes.

    python benchmarks/explain.py [--images 60] [--least 20] [--most 300] [--runs 2]

Each engine gets the same query and must return a minimal core: the plain encodings write the clause form out over all
entities of the image, atoms as truth values, one assumption for each clause, and make the engine's core smaller by
deletion. Ours gives the verdict and a core that Z3 has confirmed and `holds` re-checked; the second line of it adds all
that `explain` tells: nearest limits, repairs, candidates, stability. Every one starts from a scene of which no truth is
known, its outlines decoded. Times are of the processor, the best of `--runs`, so that what else runs counts little.
Cores may differ where there are several; their sizes are compared, and every core is checked to be violated.

    python benchmarks/explain.py --archive harbors.rune --image P0706

explains one image of an archive by two-variable queries instead, certificates included.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections import Counter
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pyarrow.compute as pc

from rune_smt import archive_from_arrow, explain, open_archive
from rune_smt.detect.synthetic import make_scenes, to_arrow
from rune_smt.entities.scene import Scene
from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.nodes import And, Apply, Compare, Exists, ExistsCount, ForAll, Not, Or, Truth
from rune_smt.query import parse, vocabulary_of
from rune_smt.solver.array_engine import ArrayEngine
from rune_smt.solver.clauses import clause_form, relax
from rune_smt.solver.explain import explain_scene
from rune_smt.solver.judge import judged
from rune_smt.solver.normalise import normalise
from rune_smt.solver.world import World
from rune_smt.verdict import VIOLATED

QUERIES = (
    "exists x1 (ship(x1) & ~(exists x2 (harbor(x2) & near(x1, x2))))",
    "exists x1 (ship(x1)) & forall x1 (ship(x1) -> exists x2 (harbor(x2) & near(x1, x2)))",
    "exists>=3 x1 (vehicle(x1) & exists x2 (bridge(x2) & inside(x1, x2)))",
    "exists x1 (large_vehicle(x1) & exists x2 (storage_tank(x2) & distance(x1, x2) <= 20 px))",
    "exists x1 (plane(x1) & exists x2 (helicopter(x2) & near(x1, x2) & larger(x1, x2)))",
)

ONE_IMAGE = (
    "exists x (ship(x) & exists y (harbor(y) & inside(x, y)))",
    "forall x (ship(x) -> exists y (harbor(y) & near(x, y)))",
    "exists x (ship(x) & exists y (ship(y) & inside(x, y) & larger(x, y)))",
    "exists>=5 x (ship(x) & large(x) & exists y (small_vehicle(y) & near(x, y)))",
)


def shrunk(core_of, every):
    """Deletion: a core of the core without each clause in turn. `core_of` gives a core, or None if there is none."""
    core = core_of(every)
    if core is None:
        return None
    for clause in sorted(core, reverse=True):
        smaller = core_of(core - {clause}) if clause in core else None
        core = smaller if smaller is not None else core
    return frozenset(core)


def literal(node):
    """Whether a node of a clause form is a literal."""
    return isinstance(node, Apply | Compare) or (isinstance(node, Not) and isinstance(node.body, Apply))


def written_out(form, world, combine, env=None, node=None):
    """The clause form over all entities of the world, nothing folded, in the terms that `combine` makes."""
    node, env = form.formula if node is None else node, env or {}

    def here(part, **more):
        return written_out(form, world, combine, {**env, **more}, part)

    def over(var, body):
        return [here(body, **{var: entity}) for entity in world.entities]

    if literal(node):
        index = next(clause.index for clause in form.clauses if clause.formula == node)  # no two are equal here
        atom = node.body if isinstance(node, Not) else node
        true = int(world.truth(atom, env))
        return combine("literal", (2 - true if isinstance(node, Not) else true) > 0, index)
    match node:
        case Truth(value):
            return combine("constant", value)
        case And(parts):
            return combine("and", [here(part) for part in parts])
        case Or(parts):
            return combine("or", [here(part) for part in parts])
        case Exists(var, body):
            return combine("or", over(var, body))
        case ForAll(var, body):
            return combine("and", over(var, body))
        case ExistsCount(">=", n, var, body):
            return combine("at least", over(var, body), n)
    raise TypeError(f"these queries have no {type(node).__name__}")


def plain_z3(form, world):
    """z3py, as the textbook has it."""
    import z3

    relaxed = {clause.index: z3.Bool(f"relaxed_{clause.index}") for clause in form.clauses}

    def combine(kind, *given):
        match kind:
            case "literal":
                return z3.Or(z3.BoolVal(given[0]), relaxed[given[1]])
            case "constant":
                return z3.BoolVal(given[0])
            case "and":
                return z3.And(given[0])
            case "or":
                return z3.Or(given[0])
        return z3.PbGe([(term, 1) for term in given[0]], given[1]) if given[0] else z3.BoolVal(given[1] <= 0)

    solver = z3.Solver()
    solver.set("random_seed", 1)
    solver.add(written_out(form, world, combine))
    kept = {index: z3.Bool(f"kept_{index}") for index in relaxed}
    for index, proposition in kept.items():
        solver.add(z3.Implies(proposition, z3.Not(relaxed[index])))
    numbers = {str(proposition): index for index, proposition in kept.items()}

    def core_of(keep):
        if solver.check([kept[index] for index in sorted(keep)]) != z3.unsat:
            return None
        return frozenset(numbers[str(each)] for each in solver.unsat_core())

    return shrunk(core_of, form.every)


def clingo(form, world):
    """Answer set programming: a rule for every ground node."""
    from clingo import Control, Function, Number

    rules, count = [f"{{ relaxed({clause.index}) }}." for clause in form.clauses], 0

    def combine(kind, *given):
        nonlocal count
        count += 1
        name = f"n{count}"
        match kind:
            case "literal":
                rules.append(f"{name}." if given[0] else f"{name} :- relaxed({given[1]}).")
            case "constant":
                rules.append(f"{name}." if given[0] else f"{name} :- 1 = 2.")
            case "and":
                rules.append(f"{name} :- {', '.join(given[0])}." if given[0] else f"{name}.")
            case "or":
                rules.extend(f"{name} :- {part}." for part in given[0])
            case _:
                rules.append(f"{name} :- {given[1]} {{ {'; '.join(given[0]) or '1 = 2'} }}.")
        return name

    rules.append(f":- not {written_out(form, world, combine)}.")
    control = Control(["--seed=1", "--warn=none"])
    control.add("base", [], "\n".join(rules))
    control.ground([("base", [])])
    numbers = {
        control.symbolic_atoms[Function("relaxed", [Number(clause.index)])].literal: clause.index
        for clause in form.clauses
    }

    def core_of(keep):
        assumed = [(Function("relaxed", [Number(index)]), False) for index in sorted(keep)]
        with control.solve(assumptions=assumed, yield_=True) as handle:
            if handle.get().satisfiable:
                return None
            return frozenset(numbers[abs(each)] for each in handle.core())

    return shrunk(core_of, form.every)


def core_of(query, world):
    """Ours: the verdict and the first minimal core, confirmed and re-checked."""
    return explain_scene(query, world.scene, world.vocabulary, tell="core", world=world).cores[0]


def everything(query, world):
    """Ours: all that `explain` tells of an image, the certificate apart."""
    return explain_scene(query, world.scene, world.vocabulary, world=world).cores[0]


def one_image(name, image_id):
    """Explains one image of an archive, certificate included, and prints the time that each query takes."""
    archive = open_archive(name)
    sizes = Counter(archive.entities.filter(pc.equal(archive.entities["image_id"], image_id))["label"].to_pylist())
    print(f"image {image_id}: {', '.join(f'{count} {label}' for label, count in sizes.most_common())}")
    for text in ONE_IMAGE:
        explain(archive, text, image_id)  # imports, grammars, the archive's columns
        started = time.process_time()
        why = explain(archive, text, image_id)
        print(f"{time.process_time() - started:6.2f} s  {why.verdict.word:9}  {text}")


def main() -> None:
    """Times every engine on every violated pair of query and image, and prints one table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=int, default=60)
    options.add_argument("--least", type=int, default=20, help="entities in an image, at least")
    options.add_argument("--most", type=int, default=300, help="entities in an image, at most")
    options.add_argument("--runs", type=int, default=2, help="of each, of which the best counts")
    options.add_argument("--ours", action="store_true", help="leave the other engines out")
    options.add_argument("--archive", help="explain one image of this archive instead")
    options.add_argument("--image", help="its name")
    chosen = options.parse_args()
    if chosen.archive:
        one_image(chosen.archive, chosen.image)
        return
    archive = archive_from_arrow(*to_arrow(make_scenes(chosen.images, seed=0)))
    vocabulary, table = vocabulary_of(archive), archive.table
    sizes = table.offsets[:, -1] - table.offsets[:, 0]
    fit = np.flatnonzero((sizes >= chosen.least) & (sizes <= chosen.most))
    engines = {"ours": core_of, "ours, all that is told": everything}
    if not chosen.ours:
        engines["plain z3"] = plain_z3
    try:
        print(f"clingo {version('clingo')}", end=", ")
        if not chosen.ours:
            engines["clingo"] = clingo
    except PackageNotFoundError:
        print("clingo is not installed: pip install clingo", end=", ")
    print(f"z3 {version('z3-solver')}, {platform.platform()}, Python {platform.python_version()}, seed 1")
    taken = {name: [] for name in engines}
    pairs = different = 0
    for text in QUERIES:
        query = expand_definitions(parse(text, archive).formula, vocabulary)
        form = clause_form(query)
        verdicts = ArrayEngine(table, vocabulary).decide(normalise(query), fit)
        for image in fit[verdicts == VIOLATED]:
            cores = {}
            everything(query, World(Scene(table, int(image)), vocabulary))  # outlines are decoded once, for all
            for name, engine in engines.items():
                asked, runs = query if name.startswith("ours") else form, []
                for _ in range(chosen.runs):
                    world = World(Scene(table, int(image)), vocabulary)  # fresh: nothing remembered from another run
                    started = time.process_time()
                    cores[name] = engine(asked, world)
                    runs.append(time.process_time() - started)
                taken[name].append(min(runs))
                assert judged(relax(form, cores[name]), world) == VIOLATED, (name, text, image)
            pairs += 1
            different += len({len(core) for core in cores.values()}) > 1
    print(f"{pairs} violated pairs of query and image, {int(sizes[fit].min())} to {int(sizes[fit].max())} entities")
    print(f"cores of different sizes in {different} of them (several minimal cores may exist)")
    median = statistics.median(taken["ours"])
    for name, times in taken.items():
        p50, p95 = np.percentile(times, [50, 95]) * 1000
        print(f"{name:24} p50 {p50:8.2f} ms   p95 {p95:8.2f} ms   median {p50 / 1000 / median:6.1f} times ours")


if __name__ == "__main__":
    main()

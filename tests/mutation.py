"""Mutation testing of passes, encodings and the checker: `make mutation`, or `python tests/mutation.py GROUP...`.

mutmut changes one place of a function at a time (an operator, a number, a text, an argument, a branch of a `match`) and
runs the tests that reach the function; a change that no test notices survives. What is changed, which tests are asked
and how many changes are tried stands in `mutation.toml` beside this file; what survives and why in `mutation.md`. Each
group has its own copy of the tree under `.mutation/`. Prints the share of killed mutants by module and writes every
survivor as a diff to `.mutation/GROUP/survivors.diff`.
"""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from contextlib import chdir
from fnmatch import fnmatch
from pathlib import Path

from mutmut.configuration import reset_config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import get_mutant_name

TOP = Path(__file__).resolve().parents[1]
WORK = TOP / ".mutation"
COPIED = ("rune_smt", "tests", "grammar", "solver", "detect", "pyproject.toml")
SEED = 1
STACK = 4_000  # Python's frames: mutmut calls every function through two more
MEMORY = 8 << 30  # bytes a run may take: a changed loop can grow without end
CAUGHT = ("killed", "timeout", "segfault")  # a change that makes a test fail, hang or crash is noticed


def main() -> int:
    """The command. Its exit status is 0 whatever survives: survivors are to be read, not counted."""
    parser = argparse.ArgumentParser(description="Mutation testing; see tests/mutation.md.")
    groups = tomllib.loads((TOP / "tests" / "mutation.toml").read_text(encoding="utf-8"))
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(groups)}; all by default")
    parser.add_argument("--again", action="store_true", help="what survived or was not tried last time")
    parser.add_argument("--only", action="append", help="mutants whose name fits this pattern, such as '*at_least*'")
    parser.add_argument("--workers", type=int, default=1, help="mutants tried at a time")
    given = parser.parse_args()
    unknown = sorted(set(given.groups) - set(groups))
    if unknown:
        parser.error(f"no group {', '.join(unknown)}; there are {', '.join(groups)}")
    for name in given.groups or groups:
        print(f"--- {name}")
        run(WORK / name, groups[name], given.again, given.only or ['*'], given.workers)
    report([WORK / name for name in groups if (WORK / name / "results.json").exists()])
    return 0


def run(folder: Path, group: dict, again: bool, only: list[str], workers: int) -> None:
    """Tries the mutants of one group. `results.json` keeps by module how many there are, and what came of each chosen.

    `again` tries those that survived and, where a run was broken off, that have not been tried. It needs the functions
    they are in as they were, for mutants are known by their numbers.
    """
    kept = folder / "results.json"
    results = json.loads(kept.read_text()) if again and kept.exists() else {}
    found = {path.relative_to(TOP) for pattern in group["modules"] for path in TOP.glob(pattern)}
    modules = sorted(path for path in found if path.name != "__init__.py")
    copy(folder, [str(module) for module in modules], group["tests"])
    tried = {}
    with chdir(folder):
        reset_config()
        for module in modules:
            if str(module) not in results:
                made = mutants(module)
                chosen = set(random.Random(SEED).sample(made, min(len(made), group["sample"])))
                outcomes = {name: "not checked" for name in made if name in chosen}
                results[str(module)] = {"made": len(made), "outcomes": outcomes}
            left = [name for name, said in results[str(module)]["outcomes"].items() if said not in CAUGHT]
            tried[module] = [name for name in left if any(fnmatch(name, pattern) for pattern in only)]
        kept.write_text(json.dumps(results, indent=1))
        names = [name for several in tried.values() for name in several]
        try:
            if names:
                command = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", str(workers), *names]
                environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
                subprocess.run(command, check=True, env=environment, preexec_fn=limit_memory)
        finally:
            survivors = []
            for module, several in tried.items():
                data = SourceFileMutationData(path=module)
                data.load()
                outcomes = results[str(module)]["outcomes"]
                said = {name: status_by_exit_code[data.exit_code_by_key.get(name)] for name in several}
                outcomes.update(said)
                for name, outcome in outcomes.items() if names else ():
                    if outcome not in (*CAUGHT, "not checked"):
                        survivors.append(f"# {name}: {outcome}\n{get_diff_for_mutant(name, path=module)}")
            kept.write_text(json.dumps(results, indent=1))
            Path("survivors.diff").write_text("\n".join(survivors))


def copy(folder: Path, modules: list[str], tests: list[str]) -> None:
    """A fresh copy of the tree with mutmut's configuration in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for part in COPIED:
        if (TOP / part).is_dir():
            shutil.copytree(TOP / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(TOP / part, folder / part)
    with (folder / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(f"\n\nimport sys\n\nsys.setrecursionlimit({STACK})\n")
    options = {
        "source_paths": "rune_smt",
        "only_mutate": listed(modules),
        "also_copy": listed(part for part in COPIED if part != "rune_smt"),
        "pytest_add_cli_args": listed(("--hypothesis-profile=mutation", "-p", "no:cacheprovider")),
        "pytest_add_cli_args_test_selection": listed(tests),
        "process_isolation": "forkserver",  # a mutant starts without what tests before it have left in memory
        "timeout_multiplier": 6,
        "timeout_constant": 5,
        "track_dependencies": "false",
    }
    lines = [f"{name} = {value}" for name, value in options.items()]
    (folder / "setup.cfg").write_text("\n".join(["[mutmut]", *lines, ""]))


def listed(values: Iterable[str]) -> str:
    """As `setup.cfg` has a list: one value a line."""
    return "".join(f"\n    {value}" for value in values)


def mutants(module: Path) -> list[str]:
    """The names of all mutants of a module, in its order."""
    mutated = mutate_file_contents(str(module), module.read_text(encoding="utf-8"))
    return [get_mutant_name(module, name) for name in mutated.mutant_names]


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def report(folders: list[Path]) -> None:
    """Prints the share of killed mutants by module, of all that have been tried."""
    print(f"{'module':44} {'mutants':>8} {'tried':>6} {'killed':>6} {'survived':>8} {'share':>7}")
    for folder in folders:
        for module, result in json.loads((folder / "results.json").read_text()).items():
            outcomes = [outcome for outcome in result["outcomes"].values() if outcome != "not checked"]
            killed = sum(outcome in CAUGHT for outcome in outcomes)
            share = f"{killed / len(outcomes):.1%}" if outcomes else "-"
            print(f"{module:44} {result['made']:8} {len(outcomes):6} {killed:6} {len(outcomes) - killed:8} {share:>7}")
    print(f"Survivors: {', '.join(str((folder / 'survivors.diff').relative_to(TOP)) for folder in folders)}")


if __name__ == "__main__":
    sys.exit(main())

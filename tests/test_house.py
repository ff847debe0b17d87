"""What holds for the whole project: imports run one way, importing is light, nothing heavy before it is used."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rune_smt"
SHARED_BY_ALL = {"errors", "verdict"}
MAY_IMPORT = {
    "entities": set(),
    "grammar": set(),
    "detect": {"entities"},
    "solver": {"grammar", "entities"},
    "translate": {"solver", "grammar", "entities"},
    "testing": {"grammar", "entities", "solver", "translate", "query", "checking", "checker"},
}
FILES = [path for part in MAY_IMPORT for path in sorted((PACKAGE / part).rglob("*.py"))]


def imported_parts(path: Path) -> set[str]:
    """The first names below `rune_smt` that a file imports, wherever in the file."""
    depth = len(path.relative_to(PACKAGE).parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth and node.module:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.level == depth:
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("rune_smt."):
            found.add(node.module.split(".")[1])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    part = path.relative_to(PACKAGE).parts[0]
    assert imported_parts(path) <= MAY_IMPORT[part] | SHARED_BY_ALL | {part}


def test_importing_the_package_loads_nothing_heavy():
    heavy = ["torch", "z3", "shapely", "numpy", "pyarrow", "lark", "PIL", "rich", "typer"]
    code = f"import sys, rune_smt; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_every_public_name_exists_and_says_what_it_is():
    import rune_smt

    for name in rune_smt.__all__:
        value = getattr(rune_smt, name)
        assert name == "__version__" or name == "Formula" or value.__doc__, name


def test_translate_stays_the_function_when_its_subpackage_is_imported():
    import rune_smt
    import rune_smt.translate.translator

    assert callable(rune_smt.translate)


def test_the_readme_example_runs(capsys):
    blocks = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1:]
    for block in blocks:
        exec(compile(block.split("```")[0], "README.md", "exec"), {})
    assert "exists x1 (ship(x1)" in capsys.readouterr().out


def test_what_mutation_testing_names_is_there():
    for name, group in tomllib.loads((ROOT / "tests" / "mutation.toml").read_text(encoding="utf-8")).items():
        assert all(list(ROOT.glob(pattern)) for pattern in group["modules"]), name
        for test in group["tests"]:
            path, _, function = test.partition("::")
            assert f"def {function}" in (ROOT / path).read_text(encoding="utf-8"), test

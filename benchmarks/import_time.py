"""How long `import rune_smt` takes in a fresh process, beside a bare interpreter; and what it must not load."""

import platform
import statistics
import subprocess
import sys
import time

HEAVY = ("torch", "z3", "shapely", "numpy", "pyarrow", "lark", "PIL")


def seconds(code: str, runs: int = 7) -> float:
    """Median wall time of a fresh interpreter that runs `code`."""
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    bare, ours = seconds("pass"), seconds("import rune_smt")
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print(f"bare interpreter {bare:.3f} s, with import rune_smt {ours:.3f} s: {ours - bare:.3f} s of its own")
    probe = f"import rune_smt, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    print("heavy modules loaded:", subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout)

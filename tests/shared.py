"""Where the development data lies, for the tests that use it: beside the checkout, or where RUNE_SMT_SHARED says."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("RUNE_SMT_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def shared(*parts: str) -> Path:
    """The path below the shared folder; skips the test with a line that names what is missing."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {'/'.join(parts)} of the development data (set RUNE_SMT_SHARED to its folder)")
    return path

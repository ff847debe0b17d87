"""Hypothesis strategies for formulas and scenes, and the laws as assertions for users' own translators and engines.

    from rune_smt.testing import assert_engine, assert_translation, formulas, scenes

README.md beside this file shows a translator and an engine tested with them. It needs the extra "testing".
"""

from __future__ import annotations

from ..errors import MissingExtra

try:
    import hypothesis as _  # noqa: F401
except ModuleNotFoundError:
    raise MissingExtra("hypothesis is not installed.", hint="pip install 'rune-smt[testing]'") from None

from .assertions import assert_engine, assert_translation
from .formulas import formulas
from .scenes import scenes

__all__ = ["assert_engine", "assert_translation", "formulas", "scenes"]

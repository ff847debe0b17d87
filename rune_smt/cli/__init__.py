"""The command line: `rune-smt COMMAND`. One file a family of commands; `app.py` gathers them."""

from .app import main

__all__ = ["main"]

"""Parsers made from grammars, kept on disk: making one takes many times what reading a query with it does.

A kept parser is a JSON text of its tables, in the user's cache folder, under a name that hangs on the grammar, the
version of Lark and that of Python: a changed grammar makes a new one. The text begins with its own checksum; what is
damaged, of another kind, or cannot be read is made anew, and where nothing can be written nothing is kept. There is no
code in it and none is run.

The folder is $RUNE_SMT_CACHE, else the one that the system has for caches; where the variable is set but empty, none.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from lark import Lark

FORMAT = 1  # of the kept texts; raised when they change
VARIABLE = "RUNE_SMT_CACHE"

Made = TypeVar("Made")


def lalr_parser(grammar: str, *, lexer: str, **live: Any) -> Lark:
    """The LALR(1) parser of a grammar without imports.

    lexer  basic or contextual
    live   what is no part of the tables: transformer, postlex
    """
    import lark

    def tables() -> Any:
        from lark.grammar import Rule
        from lark.lexer import TerminalDef

        parser = lark.Lark(grammar, parser="lalr", lexer=lexer, **live)
        data, memo = parser.memo_serialize([TerminalDef, Rule])
        data["options"] = {k: value for k, value in data["options"].items() if k not in live and _plain(value)}
        return {"data": data, "memo": memo}

    def parser_over(tables: Any) -> Lark:
        parser: Lark = cast(Any, lark.Lark)._load_from_dict(tables["data"], tables["memo"], **live)
        return parser

    return kept(f"lalr {lexer}", grammar, tables, parser_over)


def kept(kind: str, grammar: str, tables: Callable[[], Any], parser_over: Callable[[Any], Made]) -> Made:
    """The parser over the tables that are kept of a grammar; where none are, over those made now and kept.

    tables       makes them: what JSON can hold, and numbers as names of states
    parser_over  makes the parser; raises LookupError, TypeError, ValueError or AttributeError over what are no tables
    """
    import lark

    key = json.dumps([FORMAT, kind, lark.__version__, sys.version_info[:2], grammar])
    where = folder()
    file = None if where is None else where / f"parser-{sha256(key.encode()).hexdigest()[:32]}.json"
    if file is not None:
        try:
            checksum, text = file.read_bytes().split(b"\n", 1)
            if checksum.decode() == sha256(text).hexdigest():
                return parser_over(_read(text))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            pass  # not there, cut short, of another hand: made anew
    text = json.dumps(tables(), separators=(",", ":")).encode()
    if file is not None:
        _write(file, text)
    return parser_over(_read(text))


def folder() -> Path | None:
    """Where parsers are kept; None for nowhere."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return Path(chosen) if chosen else None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    if not base:
        return None
    try:
        return Path(base).expanduser() / "rune-smt"
    except RuntimeError:  # nobody's home
        return None


def _write(file: Path, text: bytes) -> None:
    """Whole or not at all; a folder that cannot be written keeps nothing."""
    beside = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(sha256(text).hexdigest().encode() + b"\n" + text)
        beside.replace(file)
    except OSError:
        try:
            beside.unlink(missing_ok=True)
        except OSError:
            return


def _read(text: bytes) -> Any:
    """JSON makes texts of the numbers of states; they are numbers again."""

    def numbered(read: dict[str, Any]) -> dict[Any, Any]:
        return {int(name): value for name, value in read.items()} if read and next(iter(read)).isdigit() else read

    return json.loads(text, object_hook=numbered)


def _plain(value: Any) -> bool:
    """Whether JSON can hold it as it is."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and _plain(item) for name, item in value.items())
    return value is None or isinstance(value, bool | int | float | str) or (
        isinstance(value, list) and all(map(_plain, value))
    )

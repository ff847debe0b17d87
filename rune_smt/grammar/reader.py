"""The reader: a text in any dialect to nodes, or a FormulaError with place, reason and what was expected."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import cast

from lark import Lark
from lark.exceptions import UnexpectedInput, UnexpectedToken

from .actions import Actions
from .build import build
from .nodes import Formula
from .refusal import FormulaError
from .syntax import Syntax


@cache
def _parser(name: str) -> Lark:
    grammar = files(__package__).joinpath(f"{name}.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=Actions(), maybe_placeholders=True)


def read(text: str, *, open_vocabulary: bool = False) -> Formula:
    """The formula that `text` holds, in any dialect of LANGUAGE section 6; spans are offsets into `text`.

    With `open_vocabulary` nothing is asked of names: free ones are kept, aliases not applied. Raises FormulaError.
    """
    try:
        try:
            return build(cast(Syntax, _parser("canonical").parse(text)), open_vocabulary=open_vocabulary)
        except UnexpectedInput as error:
            at = error.pos_in_stream
            if at is None or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
                at = len(text)
            end = at + (len(error.token) if isinstance(error, UnexpectedToken) else 1)
            raise FormulaError("This is not a formula.", span=(at, end)) from None
    except FormulaError as error:
        error.text = text
        raise

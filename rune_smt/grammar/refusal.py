"""The error of a text that is not a formula, or is one in two ways."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import QueryError, Span


class FormulaError(QueryError):
    """A text that cannot be read as one formula.

    expected   what could have stood at the place, in words or signs; empty where the matter is not one of syntax
    """

    def __init__(
        self,
        message: str,
        *,
        text: str | None = None,
        span: Span | None = None,
        hint: str | None = None,
        expected: Iterable[str] = (),
    ):
        super().__init__(message, text=text, span=span, hint=hint)
        self.expected = tuple(expected)

"""The errors that people meet: a message, the place in the query, and the way out; the text is made from these."""

from __future__ import annotations

from typing import ClassVar

Span = tuple[int, int]  # start and end (exclusive), offsets into the text as it was given


class RuneError(Exception):
    """Base of every error a user can cause or meet.

    message      what is the matter, one or two sentences
    text, span   the query and the place in it, where the matter has one
    hint         the way out, where one is known
    exit_status  what the command line ends with
    """

    exit_status: ClassVar[int] = 2

    def __init__(self, message: str, *, text: str | None = None, span: Span | None = None, hint: str | None = None):
        super().__init__(message)
        self.message = message
        self.text = text
        self.span = span
        self.hint = hint

    def __str__(self) -> str:
        lines = [self.message]
        if self.text is not None and self.span is not None:
            lines += underline(self.text, self.span)
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class QueryError(RuneError):
    """The query, or the call, is wrong."""


class MissingExtra(RuneError):
    """An optional package is not installed; the hint names the extra that brings it."""


class DataError(RuneError):
    """Data cannot be read; the message names file and line where there is one."""

    exit_status = 3


class LimitError(RuneError):
    """A limit of time, memory or size was reached before there was an answer."""

    exit_status = 4


class DisagreementError(RuneError):
    """Two engines gave different answers; the message holds both and a reproducer."""

    exit_status = 5


class CertificateError(RuneError):
    """A certificate fails, or is not a full proof; `step` names where."""

    exit_status = 5

    def __init__(self, message: str, *, step: str | None = None, hint: str | None = None):
        super().__init__(message, hint=hint)
        self.step = step


def underline(text: str, span: Span, width: int = 100) -> list[str]:
    """The line of `text` that holds `span`, with carets under it: two lines, indented by two.

    A line longer than `width` is cut to a window around the span.
    """
    start, end = span
    start = max(0, min(start, len(text)))
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    line = text[line_start:line_end].replace("\t", " ").rstrip("\r")
    column = start - line_start
    length = max(1, min(end, line_end) - start)
    if len(line) > width:
        left = max(0, min(column - width // 2, len(line) - width))
        head, tail = ("..." if left else ""), ("..." if left + width < len(line) else "")
        line = head + line[left : left + width] + tail
        column = column - left + len(head)
        length = max(1, min(length, len(line) - column))
    return ["  " + line, "  " + " " * column + "^" * length]


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset in a text."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1

"""The functions of pyarrow.compute, which is imported when the first is asked for: that takes 20 ms of a cold start."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    import pyarrow.compute

    return getattr(pyarrow.compute, name)

"""The name that a mistyped one was probably meant to be, among many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def nearest_name(name: str, names: Sequence[str]) -> str | None:
    """The name with the fewest single-character edits (Levenshtein 1966), None where they exceed a third of `name`.

    Of several equally near, the one that starts most alike, then the first in byte order.
    """
    allowed = -(-len(name) // 3)
    candidates = [other for other in names if abs(len(other) - len(name)) <= allowed]
    if not candidates:
        return None
    edits = _edits(name, candidates)
    fewest = int(edits.min())
    if fewest > allowed:
        return None
    tied = [other for other, count in zip(candidates, edits, strict=True) if count == fewest]
    return min(tied, key=lambda other: (-_shared_start(name, other), other))


def _edits(name: str, others: Sequence[str]) -> NDArray[np.int64]:
    """Edit distance to every other name: Levenshtein's table, one cell for all names at a time."""
    lengths = np.array([len(other) for other in others])
    longest = int(lengths.max())
    letters = np.array(others, dtype=f"U{max(longest, 1)}").view(np.uint32).reshape(len(others), -1)
    above = np.tile(np.arange(longest + 1), (len(others), 1)).T  # (longest + 1, n)
    for i, letter in enumerate(name):
        row = np.empty_like(above)
        row[0] = i + 1
        for j in range(longest):
            replaced = above[j] + (letters[:, j] != ord(letter))
            row[j + 1] = np.minimum(replaced, np.minimum(above[j + 1], row[j]) + 1)
        above = row
    distances: NDArray[np.int64] = above[lengths, np.arange(len(others))]
    return distances


def _shared_start(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))

"""The nearest names to one that is not known: the only "did you mean"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

CLOSE_ENOUGH = 0.55  # below this share of common letters a suggestion misleads more than it helps
AS_GOOD = 0.12  # a suggestion this much worse than the best one is noise


def squeeze(name: str) -> str:
    """Letters and digits alone, lower-case: small-vehicle, SmallVehicle and "small vehicle" are one."""
    return re.sub(r"[\W_]+", "", name).casefold()


def nearest(name: str, candidates: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """At most `limit` of the candidates, the most alike first, each once; empty where none is alike."""
    wanted = squeeze(name)
    scored: list[tuple[float, str]] = []
    for candidate in dict.fromkeys(candidates):
        scored.append((_likeness(wanted, squeeze(candidate)), candidate))
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    if not scored or scored[0][0] < CLOSE_ENOUGH:
        return ()
    best = scored[0][0]
    return tuple(text for score, text in scored if score >= max(CLOSE_ENOUGH, best - AS_GOOD))[:limit]


def _likeness(first: str, second: str) -> float:
    """0 to 1: the share of letters in common, in order; the same either way round."""
    if len(first) > 200 or len(second) > 200:  # nobody's typing error, and the comparison is quadratic
        return 1.0 if first == second else 0.0
    return max(SequenceMatcher(None, *pair, autojunk=False).ratio() for pair in ((first, second), (second, first)))


def nearest_sentence(name: str, candidates: Iterable[str], limit: int = 3) -> str:
    """Nearest: a, b.    Empty where nothing is alike."""
    found = nearest(name, candidates, limit)
    return f"Nearest: {', '.join(found)}." if found else ""

"""What to say when a result leaves people waiting: images that cannot be told, and what to give so that they can."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from .grammar.nodes import Number, walk
from .solver.numbers import METRIC, in_metres

if TYPE_CHECKING:
    from .searching import SearchResult

USUAL_GSD = 0.3  # metres per pixel, for the example in the hint
UNIT_WORDS = {
    "m": r"m|met(?:er|re)s?", "km": r"km|kilomet(?:er|re)s?", "m2": r"m2|m²|square met(?:er|re)s?",
    "ha": r"ha|hectares?", "km2": r"km2|km²|square kilomet(?:er|re)s?",
}  # fmt: skip
BEFORE = r"(?:within|at least|at most|more than|less than|up to|over|under)\s+"


def undecided_hint(result: SearchResult) -> str:
    """Why images cannot be told, with the number of each reason and the way out; empty where all can."""
    undecided = result.undecided
    if not undecided:
        return ""
    reasons = Counter(missing for every in undecided.values() for missing in every)
    total = len(result.verdicts)
    parts = []
    for missing, count in sorted(reasons.items()):
        if missing == "gsd":
            parts.append(_gsd(result, count, total))
        elif missing == "image size":
            parts.append(
                f"Positions and shares of the image need its size; {count} of {total} images have none, "
                "so they cannot be told.\n"
                "Give it: --images DIR, --image-table FILE (image_id,width,height) or --image-size WxH at index."
            )
        elif missing == "transform":
            parts.append(
                f"Map directions need a transform; {count} of {total} images have none, so they cannot be told.\n"
                "Give it: --image-table FILE (image_id,transform,crs) at index. Or ask for above, left of, ..."
            )
        else:
            parts.append(f"'{missing}' is not known of some entities; {count} of {total} images cannot be told.")
    return "\n".join(parts)


def _gsd(result: SearchResult, count: int, total: int) -> str:
    phrase, number = _metric_phrase(result)
    if number is None:
        return (
            f"The query needs a ground sample distance; {count} of {total} images have none, so they cannot be told.\n"
            f"Give it: --image-table FILE (image_id,gsd) or --gsd {USUAL_GSD} at index."
        )
    metres, power = in_metres(number)
    pixels = _two_digits(metres / USUAL_GSD**power)
    in_pixels = re.sub(r"\d[\d.,]*\s*[^\d\s].*$", f"{pixels} {'px' if power == 1 else 'px2'}", phrase)
    return (
        f"'{phrase}' needs a ground sample distance; {count} of {total} images have none, so they cannot be told.\n"
        f"Give it: --image-table FILE (image_id,gsd) or --gsd {USUAL_GSD} at index. Or ask in pixels: '{in_pixels}'."
    )


def _metric_phrase(result: SearchResult) -> tuple[str, Number | None]:
    """The words of the query that hold the first metric length or area."""
    from .grammar.printer import term_text

    for node in walk(result.query.formula):
        if isinstance(node, Number) and node.unit in METRIC:
            value = term_text(Number(node.value))
            pattern = rf"({BEFORE})?{re.escape(value)}\s*(?:{UNIT_WORDS[node.unit]})\b"
            found = re.search(pattern, result.query.text, re.IGNORECASE)
            return (found.group(0) if found else term_text(node)), node
    return "", None


def _two_digits(value: float) -> str:
    """170 for 166.67: two significant digits."""
    return f"{float(f'{value:.2g}'):.10g}"

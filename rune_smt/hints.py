"""What to say beside a result: images that cannot be told and what to give so that they can, counts that are bounds."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from .grammar.nodes import Apply, Count, ExistsCount, Formula, Number, Variable, walk
from .solver.numbers import METRIC, in_metres

if TYPE_CHECKING:
    from .grammar.vocabulary import Vocabulary
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


def lower_bound_hint(result: SearchResult) -> str:
    """That a query counts what the archive has from masks, where things that touch are one; empty where it does not.

    Existence and absence are not touched by it: only counts, and numbers of one and more.
    """
    from .query import vocabulary_of

    merged = result.archive.facts.merged
    if not merged:
        return ""
    vocabulary = vocabulary_of(result.archive)
    counted = [
        vocabulary.classes[name].plural_phrase if name is not None else "things"
        for name in _counted(result.query.formula, vocabulary)
        if any(name is None or vocabulary.is_a(label, name) for label in merged)
    ]
    if not counted:
        return ""
    names = " and ".join(sorted(dict.fromkeys(counted)))
    masks = "Their outlines come from masks, in which what touches is one entity"
    return f"{masks}: the number of {names} is a lower bound."


def _counted(formula: Formula, vocabulary: Vocabulary) -> list[str | None]:
    """The classes that a formula counts; None for a count that names none."""
    from .grammar.definitions import expand_definitions

    found: list[str | None] = []
    for node in walk(expand_definitions(formula, vocabulary)):
        if isinstance(node, ExistsCount) and node.n <= (1 if node.op == ">=" else 0):
            continue  # whether there is one
        if isinstance(node, Count | ExistsCount):
            found += _classes_of(node.var, node.body, vocabulary) or [None]
    return found


def _classes_of(var: str, body: Formula, vocabulary: Vocabulary) -> list[str]:
    """The classes that are said of a variable."""
    atoms = [node for node in walk(body) if isinstance(node, Apply) and node.name in vocabulary.classes]
    return [atom.name for atom in atoms if isinstance(atom.args[0], Variable) and atom.args[0].name == var]

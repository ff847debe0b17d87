"""Formulas to English: the reading that is shown back to people beside every result.

Short and natural where the formula has such a shape, and always a sentence that `read_english` reads back to a formula
of the same meaning: what is not seen to do so is said in the regular form, with letters.
"""

from __future__ import annotations

from functools import lru_cache

from .nodes import Formula
from .printer import canonical_names
from .vocabulary import Vocabulary

LONGEST_CHECKED = 320  # letters of a short form; a longer one is not short, and reading it back takes its time


def verbalise(formula: Formula, vocabulary: Vocabulary) -> str:
    """The formula, closed and of this vocabulary, in English. Deterministic; reads back to the same meaning."""
    return _said(canonical_names(formula), vocabulary)


@lru_cache(maxsize=256)
def _said(formula: Formula, vocabulary: Vocabulary) -> str:
    from .english.lettered import Lettered
    from .english.natural import natural
    from .english.reading import reads_as

    tried = None
    for terse in (True, False):
        short = natural(formula, vocabulary, terse)
        if short is None or short == tried or len(short) > LONGEST_CHECKED:
            continue
        if reads_as(short, formula, vocabulary):
            return short
        tried = short
    return Lettered(vocabulary).said(formula)


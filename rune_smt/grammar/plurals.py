"""Plurals of English nouns, made by rule where a vocabulary gives none."""

from __future__ import annotations

IRREGULAR = {
    "person": "people", "man": "men", "woman": "women", "child": "children", "foot": "feet", "mouse": "mice",
    "leaf": "leaves", "shelf": "shelves", "wharf": "wharves", "aircraft": "aircraft", "spacecraft": "spacecraft",
    "watercraft": "watercraft", "hovercraft": "hovercraft", "sheep": "sheep", "debris": "debris",
    "water": "water", "grass": "grass", "quay": "quays", "bus": "buses", "gas": "gases",
}  # fmt: skip

VOWELS = "aeiou"


def plural(phrase: str) -> str:
    """The plural of a singular phrase, by its last word: small vehicle -> small vehicles, bus -> buses."""
    head, space, last = phrase.rpartition(" ")
    return head + space + _plural_of_word(last)


def _plural_of_word(word: str) -> str:
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith("man") and word != "human":
        return word[:-3] + "men"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and len(word) > 1 and word[-2] not in VOWELS:
        return word[:-1] + "ies"
    return word + "s"

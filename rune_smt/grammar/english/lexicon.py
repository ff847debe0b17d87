"""Texts into words: every word with the kinds of word it may be, and what it stands for as each.

The longest phrase known wins: "small vehicles" is one word where the vocabulary has it. A word that nothing knows is
kept with the single kind UNKNOWN, so that the reader can name it, or leave it out where it is asked to be lenient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import QueryError, Span
from ..kept_parsers import lalr_parser
from ..plurals import plural
from ..vocabulary import Vocabulary
from ..words import ALIASES, FUNCTIONS, RELATIONS
from .function_words import CONTRACTIONS, FRACTIONS, IMAGE_DETERMINERS, IMAGE_KINDS, IMAGES, NUMBERS, PLAIN, VALUED

if TYPE_CHECKING:
    from lark import Lark

Kinds = Mapping[str, Any]  # kind of word -> what it stands for as that kind; None where the kind says it all

RELATING = ("PREP", "PREPWHICH", "RELV", "ADV", "RECIPROCAL")  # kinds of words that stand for a relation

LONGEST_WORD_LIST = 4000  # words of a text; a longer one is no query


@dataclass(frozen=True, slots=True)
class Word:
    """One word or phrase of the text: its kinds, and where it stands in the text."""

    text: str
    kinds: Kinds
    span: Span


@dataclass(frozen=True, slots=True)
class Noun:
    """A class name as a noun; `ones` is true of "ones", which repeats the noun before it, `other` of "others"."""

    cls: str | None
    plural: bool = False
    ones: bool = False
    other: bool = False
    word: str | None = None  # as it was named before, where a part of that is said again: the track, a running track


@dataclass(frozen=True, slots=True)
class Quality:
    """What an adjective says: a word or attribute of one argument, or a text attribute with this value."""

    name: str
    negated: bool = False
    value: str | None = None
    never: frozenset[str] = frozenset()  # classes of which it is not said


@dataclass(frozen=True, slots=True)
class Relation:
    """What a preposition or verb says: a word, link or definition of two arguments, perhaps turned round or negated."""

    name: str
    swapped: bool = False
    negated: bool = False

    @classmethod
    def of(cls, code: str) -> Relation:
        """~inside: not inside; -contains: the arguments the other way round."""
        return cls(code.lstrip("~-"), swapped=code.startswith("-"), negated=code.startswith("~"))


@dataclass(frozen=True)
class Lexicon:
    """All phrases that a vocabulary's queries may use: tuple of lower-case words -> kinds."""

    phrases: Mapping[tuple[str, ...], Kinds]
    longest: int
    vocabulary: Vocabulary = field(repr=False)

    def words(self, text: str) -> list[Word]:
        """The text as words. raises QueryError where it is too long."""
        raw = _raw(text)
        if len(raw) > LONGEST_WORD_LIST:
            raise QueryError(f"The query has {len(raw)} words; the longest that is read has {LONGEST_WORD_LIST}.")
        found: list[Word] = []
        at = 0
        while at < len(raw):
            for count in range(min(self.longest, len(raw) - at), 0, -1):
                key = tuple(word.lower for word in raw[at : at + count])
                kinds = self.phrases.get(key)
                if kinds is not None:
                    break
            else:
                count, kinds = 1, None
            first, last = raw[at], raw[at + count - 1]
            span = (first.span[0], last.span[1])
            named = _kinds(first, count, kinds)
            if "UNKNOWN" in named:
                named = _said_again(first.lower, found) or named
            found.append(Word(text[span[0] : span[1]], named, span))
            at += count
        return [word for word in found if "FILLER" not in word.kinds]


    def splits(self, word: Word) -> Iterator[list[Word]]:
        """The other ways to read a phrase of several words: as shorter phrases, the longest first ones first."""
        raw = _raw(word.text)
        for count in range(len(raw) - 1, 0, -1):
            if tuple(each.lower for each in raw[:count]) not in self.phrases:
                continue
            cut = raw[count].span[0]
            parts = [*self.words(word.text[:cut]), *self.words(word.text[cut:])]
            starts = [0] * len(self.words(word.text[:cut])) + [cut] * len(parts)
            yield [
                Word(part.text, part.kinds, (word.span[0] + start + part.span[0], word.span[0] + start + part.span[1]))
                for part, start in zip(parts, starts, strict=False)
            ]


@dataclass(frozen=True, slots=True)
class _Raw:
    text: str
    lower: str
    kind: str
    span: Span


def _said_again(word: str, before: list[Word]) -> Kinds | None:
    """the track, where a running track was named: the last word of a noun of several words"""
    for earlier in reversed(before):
        noun: Noun | None = earlier.kinds.get("NOUN")
        last = earlier.text.lower().split()[-1] if noun else ""
        if noun and " " in earlier.text and word in (last, plural(last)):
            return {"NOUN": replace(noun, plural=noun.plural or word != last, word=earlier.text.lower())}
    return None


def _kinds(first: _Raw, count: int, known: Kinds | None) -> Kinds:
    """The kinds of a phrase that starts with `first`, those that only its spelling shows included."""
    kinds = dict(known or {})
    if count == 1:
        if first.kind == "NUMBER":
            kinds["NUM"] = Decimal(first.text.replace(",", ""))
        elif first.kind == "STRING":
            kinds["STRING"] = first.text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        elif first.text[0].isupper() and (len(first.text) == 1 or first.text[1:].isdigit()):
            kinds["LETTER"] = first.text
    return kinds or {"UNKNOWN": None}


def _raw(text: str) -> list[_Raw]:
    found: list[_Raw] = []
    for token in _scanner().lex(text):
        start, end = token.start_pos or 0, token.end_pos or 0
        lower = token.lower().replace("’", "'")
        if lower in CONTRACTIONS:
            parts = CONTRACTIONS[lower].split()
            found += [_Raw(str(token), part, "WORD", (start, end)) for part in parts]
        elif lower.endswith("'s") and len(lower) > 2:
            found.append(_Raw(str(token)[:-2], lower[:-2], "WORD", (start, end - 2)))
            found.append(_Raw("'s", "'s", "WORD", (end - 2, end)))
        else:
            found.append(_Raw(str(token), lower, str(token.type), (start, end)))
    # A hyphen between two words joins them as a space does: small-vehicle, top-left.
    kept: list[_Raw] = []
    for index, word in enumerate(found):
        if word.text == "-" and 0 < index < len(found) - 1:
            before, after = found[index - 1], found[index + 1]
            if before.span[1] == word.span[0] and after.span[0] == word.span[1] and before.kind == "WORD":
                continue
        kept.append(word)
    return kept


@lru_cache(maxsize=1)
def _scanner() -> Lark:
    grammar = (Path(__file__).parent / "words.lark").read_text(encoding="utf-8")
    return lalr_parser(grammar, lexer="basic")


class _Builder:
    def __init__(self) -> None:
        self.phrases: dict[tuple[str, ...], dict[str, Any]] = {}

    def add(self, kind: str, phrase: str, value: object = None) -> None:
        self.phrases.setdefault(_key(phrase), {}).setdefault(kind, value)

    def add_words(self, kind: str, words: tuple[str, ...]) -> None:
        self.phrases.setdefault(words, {}).setdefault(kind, None)


def _key(phrase: str) -> tuple[str, ...]:
    words: list[str] = []
    for word in phrase.lower().replace("_", " ").split():
        words += CONTRACTIONS.get(word, word.replace("-", " ") if len(word) > 1 else word).split()
    return tuple(words)


@lru_cache(maxsize=32)
def lexicon(vocabulary: Vocabulary) -> Lexicon:
    """The lexicon of a vocabulary, made once."""
    builder = _Builder()
    add = builder.add
    _add_vocabulary(add, vocabulary)
    for kind, phrases in PLAIN.items():
        for phrase in phrases.split("|"):
            add(kind, phrase)
    for kind, by_value in VALUED.items():
        for value, phrases in by_value.items():
            for phrase in phrases.split("|"):
                add(kind, phrase, Relation.of(str(value)) if kind in RELATING else value)
    for alias, name in ALIASES.items():
        if RELATIONS[name].arity == 2:
            add("PREP", alias.removeprefix("is_"), Relation(name))
    for phrase in ("thing", "object", "entity", "item"):
        add("NOUN", phrase, Noun(None))
    for phrase in ("things", "objects", "entities", "items"):
        add("NOUN", phrase, Noun(None, plural=True))
    add("NOUN", "one", Noun(None, ones=True))
    add("NOUN", "ones", Noun(None, plural=True, ones=True))
    add("NOUN", "others", Noun(None, plural=True, ones=True, other=True))
    for name in ("large", "small"):
        for phrase in VALUED["SIZEADJ"][name].split("|"):
            add("ADJ", phrase, Quality(name))
    for side in ("left", "right", "top", "bottom"):
        for closest in ("closest to", "nearest to", "closest to the", "nearest to the", "furthest to the"):
            for edge in ("", " edge", " border", " side"):
                add("CLOSESTSIDE", f"{closest} {side}{edge}", side)
    for name in FUNCTIONS:
        if FUNCTIONS[name].arity == 1:
            add("FUNC", name, name)
    add("FUNC", "size", "area")
    add("FUNC", "confidence", "score")
    add("DISTANCE", "distance", "distance")
    add("CENTERDISTANCE", "distance between the centers", "center_distance")
    add("CENTERDISTANCE", "distance between the centres", "center_distance")
    for number, value in NUMBERS.items():
        add("NUM", number, value)
    for fraction, share in FRACTIONS.items():
        add("FRACTION", fraction, share)
    _add_images(builder)
    for phrase in ("of it", "of the area", "of the ground"):
        add("OFAREA", phrase)
    for words, kinds in builder.phrases.items():  # "under water" is flooded, or of a picture covered by water
        if words[0] == "under" and "NOUN" in builder.phrases.get(words[1:], {}):
            kinds["UNDERNOUN"] = builder.phrases[words[1:]]["NOUN"]
    longest = max(len(key) for key in builder.phrases)
    return Lexicon(builder.phrases, longest, vocabulary)


def _add_images(builder: _Builder) -> None:
    """What images are called, and phrases of them: sixteen thousand, so they are put together from words."""
    add = builder.add_words
    determiners = [_key(determiner) for determiner in ("", *IMAGE_DETERMINERS)]
    for image in [_key(kind + word) for kind in IMAGE_KINDS for word in IMAGES]:
        add("IMAGE", image)
        for determiner in determiners:
            whole = determiner + image
            owner = (*whole[:-1], whole[-1] + "'s")
            add("OFIMG", ("of", *whole))
            for area in ("area", "surface"):
                add("OFIMG", ("of", "the", area, "of", *whole))
                add("OFIMG", ("of", *whole, area))
                add("OFIMG", ("of", *owner, area))
            for preposition in ("in", "inside", "within", "on", "across", "throughout"):
                add("INIMG", (preposition, *whole))


def _add_vocabulary(add: Any, vocabulary: Vocabulary) -> None:
    for words, phrase in vocabulary.phrases().items():
        text = " ".join(words)
        if phrase.kind == "class":
            add("NOUN", text, Noun(phrase.name, plural=phrase.plural))
        elif vocabulary.attributes[phrase.name].type == "boolean":
            never = frozenset(vocabulary.attributes[phrase.name].never)
            add("ADJ", text, Quality(phrase.name, negated=phrase.opposite, never=never))
        else:
            add("FUNC", text, phrase.name)
    for words, (attribute, value) in vocabulary.value_phrases().items():
        add("ADJ", " ".join(words), Quality(attribute, value=value))
        add("VALUE", " ".join(words), value)
        if len(words) > 1 and words[-1] == attribute:  # "major": the major damage that a house's damage is
            add("VALUE", " ".join(words[:-1]), value)
    for name, arity in named_arities(vocabulary).items():
        text = name.replace("_", " ")
        third, base, going = verb_forms(text)
        if arity == 1:
            add("ADJ", text, Quality(name))
            for form in (third, base):
                if form:
                    add("VERB", form, Quality(name))
            if going:
                add("ADJ", going, Quality(name))
        elif arity == 2:
            relation = Relation(name)
            add("RECIPROCAL", text, relation)
            add("RELV", text, relation)
            if base and going:
                add("RELV", base, relation)
                add("PREP", going, relation)
                first, space, rest = base.partition(" ")
                fed = first + ("d" if first.endswith("e") else "ed") + space + rest + " by"
                add("PREP", fed, Relation(name, swapped=True))
            for ending in ("", " to", " with", " from", " by", " of"):
                add("PREP", text + ending, relation)
        add("NAMED", f"{text}", name)


def verb_forms(text: str) -> tuple[str | None, str | None, str | None]:
    """leads out: leads out, lead out, leading out; None each where the name begins with no verb in its third person"""
    first, space, rest = text.partition(" ")
    if not first.endswith("s") or first.endswith(("ss", "us", "is")) or len(first) < 4:
        return None, None, None
    base = first[:-2] if first.endswith(("shes", "ches", "sses", "xes")) else first[:-1]
    stem = base[:-1] if base.endswith("e") and not base.endswith("ee") else base
    return text, base + space + rest, stem + "ing" + space + rest


def named_arities(vocabulary: Vocabulary) -> dict[str, int]:
    """How many arguments each definition and link takes."""
    arities = {name: len(definition.params) for name, definition in vocabulary.definitions.items()}
    return arities | dict.fromkeys(vocabulary.links, 2)

"""A vocabulary: the classes, attributes, definitions and links that a formula may name (LANGUAGE, section 5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from ..errors import DataError, QueryError
from .nodes import RESERVED, Formula
from .plurals import plural
from .suggestions import nearest_sentence, squeeze
from .words import ALIASES, WORDS

VOCABULARIES = ("dota-v1.0", "dota-v1.5", "dota-v2.0", "flood")
DEFAULT = "dota-v1.5"
FOLDER = Path(__file__).parent / "vocabularies"

AttributeType: TypeAlias = Literal["boolean", "number", "text"]
AttributeValue: TypeAlias = bool | float | str
How: TypeAlias = Literal["class", "map", "synonym", "spelling"]
NameKind: TypeAlias = Literal["class", "attribute", "definition", "link", "relation", "function"]

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ClassWord:
    """A class: its name, the class above it, and what else people call it."""

    name: str
    parent: str | None = None
    synonyms: tuple[str, ...] = ()
    plural: tuple[str, ...] = ()  # those that the rule of English does not make; see Vocabulary.phrases

    @property
    def phrase(self) -> str:
        """The name with spaces: small vehicle."""
        return self.name.replace("_", " ")

    @property
    def plural_phrase(self) -> str:
        """As the vocabulary gives it for the name, else by rule: small vehicles."""
        made = {plural(synonym) for synonym in self.synonyms}
        given = [text for text in self.plural if text not in made]
        by_rule = plural(self.phrase)
        return given[0] if given and by_rule not in self.plural else by_rule


@dataclass(frozen=True, slots=True)
class AttributeWord:
    """An attribute: flooded(x) for a boolean; a number or a text that is compared."""

    name: str
    type: AttributeType
    synonyms: tuple[str, ...] = ()
    opposite: tuple[str, ...] = ()  # of a boolean: words that read as ~flooded(x)
    ordered: tuple[str, ...] = ()  # of a text: its values, the lowest first; empty where any text is one
    never: tuple[str, ...] = ()  # classes of which English does not say it: water is not flooded

    @property
    def phrase(self) -> str:
        """The name with spaces: damage level."""
        return self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class NearLimit:
    """How close is near: `value` times the smaller diagonal ("x"), or a distance in px or m."""

    value: float
    unit: Literal["x", "px", "m"] = "x"

    def __str__(self) -> str:
        plain = format(Decimal(number_text(self.value)), "f")  # the file's limits know no exponents
        return f"{plain} {self.unit}"


@dataclass(frozen=True, slots=True)
class NearTable:
    """The limit of near: for certain pairs of classes (names in alphabetical order), and for all others."""

    default: NearLimit = NearLimit(1.0)
    pairs: Mapping[tuple[str, str], NearLimit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Definition:
    """isolated(x): a name for a formula whose free variables are `params`."""

    name: str
    params: tuple[str, ...]
    body: Formula
    text: str  # the body as it was written


@dataclass(frozen=True, slots=True)
class Link:
    """connected(x, y): a chain of pairs for which `body`, a formula in the two params, holds in either order."""

    name: str
    params: tuple[str, str]
    body: Formula
    text: str


_Formula = TypeVar("_Formula", Definition, Link)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a data set's own name stands for, and how it was found."""

    label: str
    attributes: Mapping[str, AttributeValue]
    how: How


class Phrase(NamedTuple):
    """What an English phrase of one or more words names.

    plural      the phrase is a plural and not also the singular
    opposite    the phrase names the negation of a boolean attribute
    invariant   singular and plural alike: aircraft
    """

    kind: Literal["class", "attribute"]
    name: str
    plural: bool = False
    opposite: bool = False
    invariant: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """Everything a formula may name besides the words of section 4. Mappings keep the order of the file.

    classes, attributes, definitions, links   by name
    map          a data set's own name -> (class, attribute values)
    near         how close is near; far_ratio: how far is far, times the smaller diagonal
    several, few, many   how many English means by them, at least
    """

    name: str
    classes: Mapping[str, ClassWord] = field(default_factory=dict)
    attributes: Mapping[str, AttributeWord] = field(default_factory=dict)
    map: Mapping[str, tuple[str, Mapping[str, AttributeValue]]] = field(default_factory=dict)
    near: NearTable = NearTable()
    far_ratio: float = 3.0
    several: int = 3
    few: int = 3
    many: int = 10
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.classes), tuple(self.attributes), tuple(self.definitions)))

    # --- the tree of classes ---

    def ancestors(self, cls: str) -> tuple[str, ...]:
        """The class itself, its parent, and so on upwards."""
        chain: list[str] = []
        above: str | None = cls
        while above is not None:
            chain.append(above)
            above = self.classes[above].parent
        return tuple(chain)

    def descendants(self, cls: str) -> tuple[str, ...]:
        """The class itself, then every class below it, in the order of the file."""
        return self._descendants[cls]

    @cached_property
    def _descendants(self) -> dict[str, tuple[str, ...]]:
        below: dict[str, list[str]] = {name: [name] for name in self.classes}
        for name in self.classes:
            for above in self.ancestors(name)[1:]:
                below[above].append(name)
        return {name: tuple(names) for name, names in below.items()}

    def is_a(self, label: str, cls: str) -> bool:
        """Whether an entity with this label is a cls: by name and ancestors. A label not known here is only itself."""
        return label == cls or (label in self.classes and cls in self.ancestors(label))

    def near_limit(self, first: str, second: str) -> NearLimit:
        """The limit of near between two labels: that of the closest pair among their ancestors, else the default.

        Symmetric. The pair with the fewest generations in between wins, and of these the earlier in the file.
        """
        if not self.near.pairs:
            return self.near.default
        up_first = self.ancestors(first) if first in self.classes else (first,)
        up_second = self.ancestors(second) if second in self.classes else (second,)
        best: tuple[int, NearLimit] | None = None
        for (one, other), limit in self.near.pairs.items():
            for left, right in ((one, other), (other, one)):
                if left in up_first and right in up_second:
                    generations = up_first.index(left) + up_second.index(right)
                    if best is None or generations < best[0]:
                        best = (generations, limit)
        return best[1] if best else self.near.default

    # --- names ---

    def kind_of(self, name: str) -> NameKind | None:
        """What a name of the canonical text stands for, words of section 4 included; None where it is unknown."""
        if name in WORDS:
            return WORDS[name].kind
        for kind, names in self._named:
            if name in names:
                return kind
        return None

    @property
    def _named(self) -> tuple[tuple[NameKind, Mapping[str, object]], ...]:
        return (
            ("class", self.classes),
            ("attribute", self.attributes),
            ("definition", self.definitions),
            ("link", self.links),
        )

    @cached_property
    def _squeezed_phrases(self) -> dict[str, tuple[str, Phrase]]:
        """Every phrase without spaces and hyphens: (the phrase, what it names)."""
        found: dict[str, tuple[str, Phrase]] = {}
        for words, phrase in self.phrases().items():
            found.setdefault(squeeze("".join(words)), (" ".join(words), phrase))
        return found

    def phrase_of(self, spelling: str) -> Phrase | None:
        """What a name in any spelling stands for: car, under_water, small-vehicle, ships, dry; None where unknown."""
        found = self._squeezed_phrases.get(squeeze(spelling))
        return found[1] if found else None

    def phrases(self) -> Mapping[tuple[str, ...], Phrase]:
        """Every English phrase for a class or attribute, as lower-case words: ("small", "vehicles").

        Hyphens and underscores separate words as spaces do. Names come before synonyms, synonyms before plurals made
        by rule, so that a phrase means what the file says rather than what the rule makes of another.
        """
        return self._phrases

    @cached_property
    def _phrases(self) -> dict[tuple[str, ...], Phrase]:
        found: dict[tuple[str, ...], Phrase] = {}
        for cls in self.classes.values():
            for text in (cls.phrase, *cls.synonyms):
                found.setdefault(words_of(text), Phrase("class", cls.name))
        for attribute in self.attributes.values():
            for text in (attribute.phrase, *attribute.synonyms):
                found.setdefault(words_of(text), Phrase("attribute", attribute.name))
            for text in attribute.opposite:
                found.setdefault(words_of(text), Phrase("attribute", attribute.name, opposite=True))
        for cls in self.classes.values():
            for text in cls.plural:
                _add_plural(found, cls.name, text)
        for cls in self.classes.values():
            for text in (cls.phrase, *cls.synonyms):
                _add_plural(found, cls.name, plural(" ".join(words_of(text))))
        return found

    def value_phrases(self) -> Mapping[tuple[str, ...], tuple[str, str]]:
        """English phrases for the listed values of text attributes: ("major", "damage") -> ("damage", "major_damage").

        A phrase that names a class or attribute, or values of two attributes, is left out.
        """
        found: dict[tuple[str, ...], tuple[str, str]] = {}
        twice: set[tuple[str, ...]] = set()
        for attribute in self.attributes.values():
            for value in attribute.ordered:
                words = words_of(value)
                if words in found:
                    twice.add(words)
                found[words] = (attribute.name, value)
        return {words: value for words, value in found.items() if words not in twice and words not in self._phrases}

    # --- data sets' own names ---

    def resolve(self, source_name: str) -> Resolved | None:
        """The class (and attribute values) that a data set's own name stands for; None where there is none.

        First an entry of [map] or a class of exactly this name; then the same without regard to case, hyphens,
        underscores and spaces (small-vehicle, SmallVehicle); then synonyms and plurals.
        """
        name = source_name.strip()
        if name in self.map:
            label, values = self.map[name]
            return Resolved(label, values, "map")
        if name in self.classes:
            return Resolved(name, {}, "class")
        key = squeeze(name)
        if not key:
            return None
        if key in self._squeezed_classes:
            return Resolved(self._squeezed_classes[key], {}, "spelling")
        if key in self._squeezed_map:
            label, values = self._squeezed_map[key]
            return Resolved(label, values, "map")
        phrase = self.phrase_of(name)
        if phrase is not None and phrase.kind == "class":
            own = squeeze(self.classes[phrase.name].plural_phrase) == key
            return Resolved(phrase.name, {}, "spelling" if own else "synonym")
        return None

    @cached_property
    def _squeezed_classes(self) -> dict[str, str]:
        return {squeeze(name): name for name in reversed(list(self.classes))}

    @cached_property
    def _squeezed_map(self) -> dict[str, tuple[str, Mapping[str, AttributeValue]]]:
        return {squeeze(name): self.map[name] for name in reversed(list(self.map))}

    # --- an archive's own vocabulary ---

    def with_classes(self, labels: Iterable[str]) -> Vocabulary:
        """The vocabulary with every label that it lacks as a class without parent, in the order given.

        A synonym or plural that equals a new class gives way to it.
        raises DataError for a label that cannot be a name: a word of the language, a name already taken, a spelling
        that is none (`class_name` makes one)
        """
        new = [label for label in dict.fromkeys(labels) if label not in self.classes]
        if not new:
            return self
        for label in new:
            self._refuse_as_name(label, "class")
        trimmed = self._without_phrases(new)
        return replace(trimmed, classes={**trimmed.classes, **{label: ClassWord(label) for label in new}})

    def with_attributes(self, types: Mapping[str, AttributeType]) -> Vocabulary:
        """The vocabulary with the columns of an archive that it lacks as attributes, so that queries may name them.

        A column that no query could name (area, near, a class, `Source ID`) is left out: the name means what it meant.
        One that is declared here with another type is refused: DataError.
        """
        new: dict[str, AttributeWord] = {}
        for name, kind in types.items():
            declared = self.attributes.get(name)
            if declared is not None and declared.type != kind:
                raise DataError(
                    f"Column '{name}' holds values of type {kind}, vocabulary {self.name} declares {declared.type}.",
                    hint="Give the column another name, or change the vocabulary.",
                )
            if declared is None and NAME.fullmatch(name) and self.taken(name) is None:
                new[name] = AttributeWord(name, kind)
        if not new:
            return self
        trimmed = self._without_phrases(new)
        return replace(trimmed, attributes={**trimmed.attributes, **new})

    def _without_phrases(self, names: Iterable[str]) -> Vocabulary:
        """Synonyms, plurals and opposites that spell one of `names` dropped; definitions that used them spelled out."""
        gone = {squeeze(name) for name in names}
        if not any(squeeze(text) in gone for text in self._said):
            return self

        def kept(texts: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(text for text in texts if squeeze(text) not in gone)

        return replace(
            self._spelled_out(),
            classes={
                name: replace(cls, synonyms=kept(cls.synonyms), plural=kept(cls.plural))
                for name, cls in self.classes.items()
            },
            attributes={
                name: replace(attribute, synonyms=kept(attribute.synonyms), opposite=kept(attribute.opposite))
                for name, attribute in self.attributes.items()
            },
        )

    def _spelled_out(self) -> Vocabulary:
        """The vocabulary with the texts of its formulas in canonical names, which no synonym can change."""
        if not self.definitions and not self.links:
            return self
        from .printer import canonical, canonical_names

        def spelled_out(each: _Formula) -> _Formula:
            return replace(each, body=canonical_names(each.body), text=canonical(each.body))

        return replace(
            self,
            definitions={name: spelled_out(each) for name, each in self.definitions.items()},
            links={name: spelled_out(each) for name, each in self.links.items()},
        )

    @property
    def _said(self) -> Iterable[str]:
        for cls in self.classes.values():
            yield from (*cls.synonyms, *cls.plural)
        for attribute in self.attributes.values():
            yield from (*attribute.synonyms, *attribute.opposite)

    def taken(self, name: str) -> str | None:
        """What a name already means, so that nothing else may have it: "a word of the language", "a class", ..."""
        if name in RESERVED:
            return "a reserved word"
        if name in WORDS or name in ALIASES:
            return "a word of the language"
        kind = self.kind_of(name)
        return None if kind is None else ("an attribute" if kind == "attribute" else f"a {kind}")

    def _refuse_as_name(self, label: str, kind: str) -> None:
        if not NAME.fullmatch(label):
            raise DataError(
                f"'{label}' cannot name a {kind}: a name has small letters, digits and _ and starts with a letter.",
                hint=f"Call it '{class_name(label)}'.",
            )
        means = self.taken(label)
        if means:
            raise DataError(
                f"'{label}' cannot name a {kind}: it is already {means}.",
                hint=f'Give it another name in the vocabulary\'s [map]: {label} = "...".',
            )

    # --- files ---

    def to_toml(self) -> str:
        """The vocabulary as a file that `from_toml` reads back as an equal one."""
        from .vocabulary_file import to_toml

        return to_toml(self)

    @classmethod
    def from_toml(cls, text: str, source: str = "vocabulary") -> Vocabulary:
        """Reads a vocabulary; `source` names the file in messages. DataError names file and key."""
        from .vocabulary_file import from_toml

        return from_toml(text, source)


def load_vocabulary(name_or_path: str | Path) -> Vocabulary:
    """A vocabulary that ships with the project, by name, or one of the user's own, by the path of its TOML file.

    raises QueryError where there is neither, DataError where the file cannot be read or is refused
    """
    name = str(name_or_path)
    shipped = name.removesuffix(".toml")
    if shipped in VOCABULARIES and not Path(name).is_file():
        return _shipped(shipped)
    path = Path(name_or_path)
    if not path.is_file():
        found = nearest_sentence(name, VOCABULARIES) or f"There are {', '.join(VOCABULARIES)}."
        raise QueryError(f"No vocabulary '{name}'.", hint=f"{found} Or give the path of a TOML file.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{name}: cannot be read as text: {error}") from error
    return Vocabulary.from_toml(text, source=name)


_LOADED: dict[str, Vocabulary] = {}


def _shipped(name: str) -> Vocabulary:
    if name not in _LOADED:
        path = FOLDER / f"{name}.toml"
        _LOADED[name] = Vocabulary.from_toml(path.read_text(encoding="utf-8"), source=f"{name}.toml")
    return _LOADED[name]


def class_name(source_name: str) -> str:
    """A data set's own name as a name of the language: Small-Vehicle -> small_vehicle, 3 axles -> class_3_axles."""
    plain = unicodedata.normalize("NFKD", source_name)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    plain = "".join(char if char.isascii() else f"_u{ord(char):x}" for char in plain).lower()
    plain = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return plain if plain[:1].isalpha() else f"class_{plain}".rstrip("_")


def words_of(phrase: str) -> tuple[str, ...]:
    """The lower-case words of a phrase; hyphens and underscores separate as spaces do."""
    return tuple(re.split(r"[\s_-]+", phrase.strip().lower()))


def number_text(value: float) -> str:
    """3 for 3.0, else the shortest decimal that reads back the same."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def unknown_name(name: str, vocabulary: Vocabulary, candidates: Iterable[str]) -> str:
    """The hint for a name that is not known: the nearest that are, and the shipped vocabulary that has it.

    Where there is neither, the command that lists what there is.
    """
    parts = [nearest_sentence(name, candidates)]
    for other in VOCABULARIES:
        if other == vocabulary.name:
            continue
        phrase = load_vocabulary(other).phrase_of(name)
        if phrase is not None:
            parts.append(f"{other} has '{phrase.name}': index or search with --vocabulary {other}.")
            break
    named = f"--vocabulary {vocabulary.name}" if vocabulary.name in VOCABULARIES else "--vocabulary FILE"
    return " ".join(part for part in parts if part) or f"rune-smt words {named} lists all that is known."


def unknown_word_error(
    name: str, vocabulary: Vocabulary, text: str | None = None, span: tuple[int, int] | None = None
) -> QueryError:
    """No class or attribute 'helipads' in vocabulary dota-v1.5. With the nearest names, for whoever reads queries."""
    candidates = [" ".join(words) if "_" not in phrase.name else phrase.name
                  for words, phrase in vocabulary.phrases().items() if not phrase.plural]  # fmt: skip
    return QueryError(
        f"No class or attribute '{name}' in vocabulary {vocabulary.name}.",
        text=text, span=span, hint=unknown_name(name, vocabulary, candidates),
    )  # fmt: skip


def _add_plural(found: dict[tuple[str, ...], Phrase], name: str, text: str) -> None:
    words = words_of(text)
    present = found.get(words)
    if present is None:
        found[words] = Phrase("class", name, plural=True)
    elif present.kind == "class" and present.name == name and not present.plural:
        found[words] = present._replace(invariant=True)

"""Vocabularies as TOML files: reading, with a message that names file and key for all that is refused; and writing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from ..errors import DataError
from .suggestions import nearest_sentence, squeeze
from .vocabulary import (
    NAME,
    AttributeType,
    AttributeValue,
    AttributeWord,
    ClassWord,
    NearLimit,
    NearTable,
    Vocabulary,
    number_text,
)

TOP_KEYS = (
    "name", "near_ratio", "far_ratio", "several", "few", "many",
    "classes", "attributes", "map", "near", "definitions", "links",
)  # fmt: skip
CLASS_KEYS = ("parent", "synonyms", "plural")
ATTRIBUTE_KEYS = ("type", "synonyms", "opposite", "ordered", "never")
TYPES = ("boolean", "number", "text")

LIMIT = re.compile(r"(\d+(?:\.\d+)?)\s*(x|px|m|km)")
APPLIED = re.compile(r"\s*([^\s()]+)\s*\(([^()]*)\)\s*")


def from_toml(text: str, source: str = "vocabulary") -> Vocabulary:
    """The vocabulary that a TOML text describes. DataError names `source` and the key of what is refused."""
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        place = f"{source}:{where.group(1)}" if where else source
        raise DataError(f"{place}: not TOML: {error}") from error
    return _Reader(source).vocabulary(data)


class _Reader:
    """Reads one file; `error` words every refusal alike: file, key, matter."""

    def __init__(self, source: str) -> None:
        self.source = source

    def error(self, key: str, matter: str, hint: str | None = None) -> DataError:
        place = f"{self.source}: {key}" if key else self.source
        return DataError(f"{place}: {matter}", hint=hint or None)

    def vocabulary(self, data: Mapping[str, Any]) -> Vocabulary:
        self.known_keys("", data, TOP_KEYS)
        if "name" not in data:
            raise self.error("name", "missing: a vocabulary has a name.")
        name = self.text("name", data["name"])
        if not name.strip():
            raise self.error("name", "is empty.")
        classes = {key: self.class_word(key, value) for key, value in self.table("classes", data).items()}
        attributes = {key: self.attribute_word(key, value) for key, value in self.table("attributes", data).items()}
        bare = Vocabulary(
            name=name,
            several=self.whole("several", data.get("several", 3)),
            few=self.whole("few", data.get("few", 3)),
            many=self.whole("many", data.get("many", 10)),
        )
        self.names(bare, "classes", classes)
        self.parents(classes)
        with_classes = replace(bare, classes=classes)
        self.names(with_classes, "attributes", attributes)
        for word in attributes.values():
            for cls in word.never:
                if cls not in classes:
                    key = f"attributes.{word.name}.never"
                    raise self.error(key, f"no class '{cls}'.", nearest_sentence(cls, classes))
        named = replace(with_classes, attributes=attributes)
        self.phrases(named)
        near = self.near(data, named)
        far_ratio = self.far(data, near)
        mapped = {key: self.map_entry(key, value, named) for key, value in self.table("map", data).items()}
        complete = replace(named, near=near, far_ratio=far_ratio, map=mapped)
        return self.formulas(complete, data)

    # --- values ---

    def known_keys(self, path: str, data: Mapping[str, Any], known: Iterable[str]) -> None:
        for key in data:
            if key not in known:
                place = f"{path}.{key}" if path else key
                known = tuple(known)
                raise self.error(place, "unknown key.", nearest_sentence(key, known) or f"Known: {', '.join(known)}.")

    def table(self, key: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        value = data.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, f"expected a table, got {_kind(value)}.")
        return value

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.error(key, f"expected a text, got {_kind(value)}.")
        return value

    def texts(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, f"expected a list of texts, got {_kind(value)}.")
        for item in value:
            if not squeeze(item):
                raise self.error(key, f"'{item}' is no word.")
            if value.count(item) > 1:
                raise self.error(key, f"'{item}' is listed twice.")
        return tuple(value)

    def whole(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.error(key, f"expected a whole number from 1, got {value!r}.")
        return value

    def ratio(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise self.error(key, f"expected a number from 0, got {value!r}.")
        return float(value)

    # --- classes and attributes ---

    def class_word(self, name: str, value: object) -> ClassWord:
        path = f"classes.{name}"
        if not isinstance(value, dict):
            raise self.error(path, f"expected a table, got {_kind(value)}.", f"Write [classes.{name}].")
        self.known_keys(path, value, CLASS_KEYS)
        return ClassWord(
            name,
            self.text(f"{path}.parent", value["parent"]) if "parent" in value else None,
            self.texts(f"{path}.synonyms", value.get("synonyms", [])),
            self.texts(f"{path}.plural", value.get("plural", [])),
        )

    def attribute_word(self, name: str, value: object) -> AttributeWord:
        path = f"attributes.{name}"
        if not isinstance(value, dict):
            raise self.error(path, f"expected a table, got {_kind(value)}.", f"Write [attributes.{name}].")
        self.known_keys(path, value, ATTRIBUTE_KEYS)
        if "type" not in value:
            raise self.error(f"{path}.type", f"missing: one of {', '.join(TYPES)}.")
        kind = value["type"]
        if kind not in TYPES:
            raise self.error(f"{path}.type", f"expected one of {', '.join(TYPES)}, got {kind!r}.")
        for key, of in (("opposite", "boolean"), ("ordered", "text")):
            if key in value and kind != of:
                raise self.error(f"{path}.{key}", f"only a {of} attribute has it, {name} is a {kind}.")
        return AttributeWord(
            name,
            cast(AttributeType, kind),
            self.texts(f"{path}.synonyms", value.get("synonyms", [])),
            self.texts(f"{path}.opposite", value.get("opposite", [])),
            self.texts(f"{path}.ordered", value.get("ordered", [])),
            self.texts(f"{path}.never", value.get("never", [])),
        )

    def names(self, before: Vocabulary, table: str, names: Iterable[str]) -> None:
        """Refuses spellings that are no names, and names that already mean something."""
        for name in names:
            self.name(before, f"{table}.{name}" if NAME.fullmatch(name) else f'{table}."{name}"', name)

    def name(self, before: Vocabulary, key: str, name: str) -> None:
        if not NAME.fullmatch(name):
            raise self.error(key, f"'{name}' is no name: small letters, digits and _, a letter first.")
        means = before.taken(name)
        if means:
            raise self.error(key, f"the name '{name}' is taken: it is already {means}.")

    def parents(self, classes: Mapping[str, ClassWord]) -> None:
        for cls in classes.values():
            if cls.parent is not None and cls.parent not in classes:
                key = f"classes.{cls.name}.parent"
                raise self.error(key, f"no class '{cls.parent}'.", nearest_sentence(cls.parent, classes))
        for cls in classes.values():
            chain = [cls.name]
            above = cls.parent
            while above is not None:
                if above == cls.name:
                    line = " under ".join([*chain, above])
                    raise self.error(f"classes.{cls.name}.parent", f"'{cls.name}' is its own ancestor: {line}.")
                if above in chain:
                    break  # a circle that this class only hangs on; it is named at one of its members
                chain.append(above)
                above = classes[above].parent

    def phrases(self, vocabulary: Vocabulary) -> None:
        """Refuses a phrase that means two things, and one that a word of the language has."""
        meaning: dict[str, str] = {squeeze(name): name for name in (*vocabulary.classes, *vocabulary.attributes)}
        said: list[tuple[str, str, str]] = []
        for cls in vocabulary.classes.values():
            said += [(f"classes.{cls.name}.synonyms", text, cls.name) for text in cls.synonyms]
            said += [(f"classes.{cls.name}.plural", text, cls.name) for text in cls.plural]
        for attribute in vocabulary.attributes.values():
            path = f"attributes.{attribute.name}"
            said += [(f"{path}.synonyms", text, attribute.name) for text in attribute.synonyms]
            said += [(f"{path}.opposite", text, f"not {attribute.name}") for text in attribute.opposite]
        for key, text, name in said:
            other = meaning.setdefault(squeeze(text), name)
            if other != name:
                raise self.error(key, f"'{text}' would mean both '{other}' and '{name}'.")
            spelled = re.sub(r"[\s-]+", "_", text.strip().lower())
            means = None if spelled == name else Vocabulary("").taken(spelled)
            if means:
                raise self.error(key, f"'{text}' is taken: it is already {means}.")

    # --- ratios and the map ---

    def near(self, data: Mapping[str, Any], vocabulary: Vocabulary) -> NearTable:
        table = self.table("near", data)
        default = NearLimit(1.0)
        if "near_ratio" in data:
            if "default" in table:
                raise self.error("near_ratio", "said twice: near.default is there too.")
            default = NearLimit(self.ratio("near_ratio", data["near_ratio"]))
        pairs: dict[tuple[str, str], NearLimit] = {}
        for key, value in table.items():
            path = f'near."{key}"' if " " in key else f"near.{key}"
            limit = self.limit(path, value)
            if key == "default":
                default = limit
                continue
            words = key.split()
            if len(words) != 2:
                raise self.error(path, "expected the names of two classes, or default.")
            for word in words:
                if word not in vocabulary.classes:
                    raise self.error(path, f"no class '{word}'.", nearest_sentence(word, vocabulary.classes))
            first, second = sorted(words)
            if (first, second) in pairs:
                raise self.error(path, "these two classes are there twice.")
            pairs[first, second] = limit
        return NearTable(default, pairs)

    def limit(self, path: str, value: object) -> NearLimit:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return NearLimit(self.ratio(path, value))
        match = LIMIT.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise self.error(path, f'expected a limit such as "1 x", "30 m" or "20 px", got {value!r}.')
        number, unit = float(match.group(1)), match.group(2)
        if unit == "km":
            return NearLimit(number * 1000, "m")
        return NearLimit(number, "x" if unit == "x" else "px" if unit == "px" else "m")

    def far(self, data: Mapping[str, Any], near: NearTable) -> float:
        far_ratio = self.ratio("far_ratio", data.get("far_ratio", 3.0))
        for pair, limit in ((("default",), near.default), *near.pairs.items()):
            if limit.unit == "x" and far_ratio < limit.value:
                raise self.error(
                    "far_ratio",
                    f"{number_text(far_ratio)} is less than the near ratio {number_text(limit.value)} "
                    f"(near.{pair[0] if len(pair) == 1 else _quoted(' '.join(pair))}): "
                    "two things would be near and far at once.",
                )
        return far_ratio

    def map_entry(self, key: str, value: object, vocabulary: Vocabulary) -> tuple[str, Mapping[str, AttributeValue]]:
        path = f"map.{_key(key)}"
        if isinstance(value, str):
            label, rest = value, {}
        elif isinstance(value, dict):
            if "label" not in value:
                raise self.error(path, "label is missing.")
            label, rest = self.text(f"{path}.label", value["label"]), {k: v for k, v in value.items() if k != "label"}
        else:
            raise self.error(path, f"expected a class, or a table with a label, got {_kind(value)}.")
        if label not in vocabulary.classes:
            raise self.error(path, f"no class '{label}'.", nearest_sentence(label, vocabulary.classes))
        return label, {name: self.map_value(f"{path}.{name}", name, rest[name], vocabulary) for name in rest}

    def map_value(self, path: str, name: str, value: object, vocabulary: Vocabulary) -> AttributeValue:
        attribute = vocabulary.attributes.get(name)
        if attribute is None:
            raise self.error(path, f"no attribute '{name}'.", nearest_sentence(name, vocabulary.attributes))
        match attribute.type, value:
            case "boolean", bool():
                return value
            case "number", int() | float() if not isinstance(value, bool):
                return value
            case "text", str():
                if attribute.ordered and value not in attribute.ordered:
                    near = nearest_sentence(value, attribute.ordered)
                    raise self.error(path, f"'{value}' is no value of {name}.", near)
                return value
            case _:
                pass
        raise self.error(path, f"expected a {attribute.type}, got {_kind(value)}.")

    # --- definitions and links ---

    def formulas(self, vocabulary: Vocabulary, data: Mapping[str, Any]) -> Vocabulary:
        """Adds definitions and links, read and checked. A vocabulary without any needs no reader."""
        definitions = self.table("definitions", data)
        links = self.table("links", data)
        if not definitions and not links:
            return vocabulary
        from .definitions import Written, with_formulas

        written: list[Written] = []
        for kind, table in (("definitions", definitions), ("links", links)):
            for key, value in table.items():
                path = f"{kind}.{_key(key)}"
                name, params = self.head(path, kind, key)
                if any(name == other.name for other in written):
                    raise self.error(path, f"the name '{name}' is taken: it is already there.")
                self.name(vocabulary, path, name)
                phrase = vocabulary.phrase_of(name)
                if phrase is not None:
                    raise self.error(path, f"the name '{name}' is taken: it also means '{phrase.name}'.")
                written.append(Written(kind == "links", name, params, self.text(path, value), path))
        return with_formulas(vocabulary, tuple(written), self.source)

    def head(self, path: str, kind: str, key: str) -> tuple[str, tuple[str, ...]]:
        """isolated(x) -> name and parameters; a link may leave (x, y) out."""
        if kind == "links" and NAME.fullmatch(key):
            return key, ("x", "y")
        match = APPLIED.fullmatch(key)
        if match is None:
            example = '"connected(x, y)"' if kind == "links" else '"isolated(x)"'
            raise self.error(path, f"expected a name with its parameters, such as {example}.")
        params = tuple(part.strip() for part in match.group(2).split(","))
        for param in params:
            if not NAME.fullmatch(param) or Vocabulary("").taken(param) == "a reserved word":
                raise self.error(path, f"'{param}' is no name of a parameter.")
        if len(set(params)) < len(params):
            raise self.error(path, "its parameters are not different.")
        if kind == "links" and len(params) != 2:
            raise self.error(path, f"a link has two parameters, got {len(params)}.")
        return match.group(1), params


# --- writing ----------------------------------------------------------------------------------------------------------


def to_toml(vocabulary: Vocabulary) -> str:
    """The file for a vocabulary: `from_toml` reads it back as an equal one."""
    v = vocabulary
    lines = [f"name = {_quoted(v.name)}", f"far_ratio = {number_text(v.far_ratio)}"]
    lines += [f"several = {v.several}", f"few = {v.few}", f"many = {v.many}"]
    for cls in v.classes.values():
        lines += ["", f"[classes.{cls.name}]"]
        if cls.parent is not None:
            lines.append(f"parent = {_quoted(cls.parent)}")
        lines += _lists(synonyms=cls.synonyms, plural=cls.plural)
    for attribute in v.attributes.values():
        lines += ["", f"[attributes.{attribute.name}]", f"type = {_quoted(attribute.type)}"]
        lines += _lists(synonyms=attribute.synonyms, opposite=attribute.opposite, ordered=attribute.ordered)
        lines += _lists(never=attribute.never)
    if v.map:
        lines += ["", "[map]"]
    for key, (label, values) in v.map.items():
        inline = "".join(f", {name} = {_value(value)}" for name, value in values.items())
        lines.append(f"{_key(key)} = " + (f"{{ label = {_quoted(label)}{inline} }}" if values else _quoted(label)))
    lines += ["", "[near]", f"default = {_quoted(str(v.near.default))}"]
    lines += [f"{_quoted(' '.join(pair))} = {_quoted(str(limit))}" for pair, limit in v.near.pairs.items()]
    if v.definitions:
        lines += ["", "[definitions]"]
    lines += [_formula_line(each.name, each.params, each.text) for each in v.definitions.values()]
    if v.links:
        lines += ["", "[links]"]
    for link in v.links.values():
        lines.append(
            f"{link.name} = {_quoted(link.text)}"
            if link.params == ("x", "y")
            else _formula_line(link.name, link.params, link.text)
        )
    return "\n".join(lines) + "\n"


def _formula_line(name: str, params: tuple[str, ...], text: str) -> str:
    return f"{_quoted(name + '(' + ', '.join(params) + ')')} = {_quoted(text)}"


def _lists(**lists: tuple[str, ...]) -> list[str]:
    return [f"{key} = [{', '.join(_quoted(text) for text in texts)}]" for key, texts in lists.items() if texts]


def _value(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else number_text(value) if value == value else "nan"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    """A TOML basic string: quotes, backslashes and control characters escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match.group()):04x}", escaped) + '"'


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "a boolean"), (str, "a text"), ((int, float), "a number"), (list, "a list"), (dict, "a table"),
)  # fmt: skip


def _kind(value: object) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "a date")

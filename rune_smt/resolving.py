"""What the sources' names become: the vocabulary, classes, attribute columns, and the table of entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rune_smt.detect.assemble import Assembled
from rune_smt.detect.columns import arrow_column
from rune_smt.detect.records import Ints, Journal
from rune_smt.detect.report import LabelRow
from rune_smt.entities.archive import Archive
from rune_smt.entities.incoming import ENTITY_COLUMNS
from rune_smt.errors import DataError, QueryError
from rune_smt.grammar.suggestions import nearest_sentence
from rune_smt.grammar.vocabulary import (
    DEFAULT,
    NAME,
    VOCABULARIES,
    AttributeType,
    Vocabulary,
    class_name,
    load_vocabulary,
)

if TYPE_CHECKING:
    import pyarrow as pa


def chosen_vocabulary(
    given: str | Path | Vocabulary | None, read: Assembled, present: Archive | None
) -> tuple[Vocabulary, str]:
    """The vocabulary that names are looked up in, and why this one."""
    if present is not None and present.vocabulary_toml:
        kept = Vocabulary.from_toml(present.vocabulary_toml, source=f"{present.name}/archive.json")
        asked = load_vocabulary(given).name if isinstance(given, str | Path) else getattr(given, "name", kept.name)
        if asked != kept.name:
            raise QueryError(
                f"The archive's vocabulary is {kept.name}, not {asked}.",
                hint="Leave --vocabulary out, or make the archive anew with --overwrite.",
            )
        return kept, "that of the archive"
    if isinstance(given, Vocabulary):
        return given, ""
    if given is not None:
        return load_vocabulary(given), ""
    order = sorted(VOCABULARIES, key=lambda name: (name != DEFAULT, VOCABULARIES[::-1].index(name)))
    shipped = [load_vocabulary(name) for name in order]
    known = [sum(vocabulary.resolve(label) is not None for label in read.labels) for vocabulary in shipped]
    best = known.index(max(known)) if known else 0
    total = len(read.labels)
    if not total:
        return shipped[best], "the default"
    all_known = "all" if known[best] == total else f"{known[best]}"
    return shipped[best], f"it knows {all_known} of the {total} names" if total > 1 or not known[
        best
    ] else "it knows the name"


@dataclass(frozen=True, slots=True)
class Classes:
    """What each of the sources' names became: its class, and attribute values that the name holds."""

    label: tuple[str, ...]
    values: tuple[Mapping[str, Any], ...]


def resolve(
    read: Assembled, vocabulary: Vocabulary, unknown: str, min_score: float, journal: Journal
) -> tuple[Vocabulary, Classes, NDArray[np.bool_], tuple[LabelRow, ...]]:
    """Classes of the names, which entities are kept, and the table of the report."""
    kept = ~read.left_out
    low = kept & (read.scores < min_score)
    if low.any():
        journal.note("below min_score", count=int(low.sum()), min_score=f"{min_score:g}")
        kept &= ~low
    counts = np.bincount(read.label[kept], minlength=len(read.labels))
    found = [vocabulary.resolve(label) for label in read.labels]
    lacking = [label for label, entry, n in zip(read.labels, found, counts, strict=True) if entry is None and n]
    if lacking and unknown == "error":
        raise _lacking_error(lacking, vocabulary)
    labels: list[str] = []
    hows: list[str] = []
    new: dict[str, None] = {}
    for label, entry, count in zip(read.labels, found, counts.tolist(), strict=True):
        if entry is not None:
            labels.append(entry.label)
            hows.append(entry.how)
        elif unknown == "drop":
            labels.append("")
            hows.append("dropped")
            if count:
                journal.note("unknown dropped", label, count=count, vocabulary=vocabulary.name)
        else:
            name = _free_name(label, vocabulary)
            labels.append(name)
            hows.append("kept")
            if count:
                new[name] = None
                journal.note("unknown kept", label, vocabulary=vocabulary.name)
    if unknown == "drop":
        kept &= np.array([bool(label) for label in labels], dtype=bool)[read.label] if len(read) else kept
    rows = [
        LabelRow(source, label, how, count)
        for source, label, how, count in zip(read.labels, labels, hows, counts.tolist(), strict=True)
        if count
    ]
    rows.sort(key=lambda row: (-row.count, row.source))
    values = tuple({} if entry is None else entry.attributes for entry in found)
    return vocabulary.with_classes(new), Classes(tuple(labels), values), kept, tuple(rows)


def _free_name(label: str, vocabulary: Vocabulary) -> str:
    """The label as a name of the language; one that means something else already gets `_class` behind it."""
    name = class_name(label)
    taken = vocabulary.taken(name)
    return name if taken in (None, "a class") else f"{name}_class"


def _lacking_error(lacking: Sequence[str], vocabulary: Vocabulary) -> DataError:
    shown = ", ".join(f"'{name}'" for name in lacking[:10]) + (", ..." if len(lacking) > 10 else "")
    what = "class" if len(lacking) == 1 else "classes"
    near = nearest_sentence(lacking[0], vocabulary.classes) if len(lacking) == 1 else ""
    ways = "Map it in a vocabulary of your own ([map]), or give --unknown keep or drop."
    return DataError(f"Vocabulary {vocabulary.name} lacks the {what} {shown}.", hint=f"{near} {ways}".strip())


def attribute_columns(
    read: Assembled, classes: Classes, rows: Ints, vocabulary: Vocabulary, journal: Journal
) -> tuple[dict[str, Any], Vocabulary]:
    """The attributes of these rows, an Arrow array each by name in the archive, and the vocabulary that knows them."""
    columns: dict[str, Any] = {}
    types: dict[str, AttributeType] = {}
    for name, values in _attributes(read, classes, rows, journal).items():
        declared = vocabulary.attributes.get(name)
        column, kind, mixed = arrow_column(values, want=declared.type if declared is not None else None)
        if mixed:
            journal.note("column mixed", name)
        columns[name] = column
        types[name] = kind  # type: ignore[assignment]
    return columns, vocabulary.with_attributes(types)


def entities_table(
    ids: Sequence[str],
    labels: Sequence[str],
    sources: Sequence[str],
    image: Ints,
    label: Ints,
    columns: Mapping[str, Any],
) -> pa.Table:
    """The table `entities` (INTERFACE, "Tables").

    image    indexes `ids`; label indexes `labels`, the classes, and `sources`, what the sources call them
    columns  entity_id, score, geometry, source and the attributes
    """
    import pyarrow as pa

    first = {
        "image_id": _decoded(ids, image),
        "entity_id": pa.array(columns["entity_id"], pa.int32()),
        "label": _decoded(labels, label),
        "source_label": _decoded(sources, label),
    }
    return pa.table({**first, **{name: values for name, values in columns.items() if name not in first}})


def _decoded(names: Sequence[str], codes: Ints) -> Any:
    """A column of texts from their numbers."""
    import pyarrow as pa

    dictionary = pa.array(list(names), pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int64()), dictionary).cast(pa.string())


def _attributes(read: Assembled, classes: Classes, rows: Ints, journal: Journal) -> dict[str, NDArray[Any]]:
    """Attribute columns by their names in the archive: the sources' fields, then values that class names hold."""
    found: dict[str, NDArray[Any]] = {}
    for own, values in read.attributes.items():
        name = column_name(own, found)
        if name != own:
            journal.note("column renamed", f"{own} is {name}")
        found[name] = values[rows]
    label = read.label[rows]
    for name in dict.fromkeys(name for values in classes.values for name in values):
        by_label = np.empty(len(classes.values), dtype=object)
        by_label[:] = [values.get(name) for values in classes.values]
        mapped = by_label[label] if len(label) else np.empty(0, dtype=object)
        if name in found:
            given = found[name].astype(object)
            missing = np.array([value is None for value in given], dtype=bool)
            given[missing] = mapped[missing]
            mapped = given
        if not all(value is None for value in mapped):
            found[name] = mapped
    return found


def column_name(own: str, others: Mapping[str, Any]) -> str:
    """A field's name as one that queries can use, and that no other column of the table has."""
    name = own if NAME.fullmatch(own) else class_name(own)
    if name in ENTITY_COLUMNS:
        name = f"{name}_in_source"
    number = 2
    free = name
    while free in others:
        free, number = f"{name}_{number}", number + 1
    return free


def merged_classes(read: Assembled, classes: Classes, kept: NDArray[np.bool_]) -> list[str]:
    """The classes, sorted, of which things that touch are one entity."""
    present = np.bincount(read.label[kept], minlength=len(read.labels)).tolist()
    return sorted(
        {
            label
            for source, label, count in zip(read.labels, classes.label, present, strict=True)
            if count and source in read.merged
        }
    )


def agreed_areas(read: Assembled, journal: Journal) -> dict[str, float] | None:
    """The areas that scenes carried along, of classes for which all of them agree."""
    seen: dict[str, set[float]] = {}
    for areas in read.areas:
        for label, area in areas.items():
            seen.setdefault(label, set()).add(float(area))
    agreed = {label: next(iter(areas)) for label, areas in seen.items() if len(areas) == 1}
    journal.note_all("reference areas kept", list(agreed))
    journal.note_all("reference areas differ", [label for label in seen if label not in agreed])
    return agreed or None



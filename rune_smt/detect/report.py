"""What an index was made of: the table of names, and every count of what was repaired, skipped, assumed or left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from rune_smt.detect.records import Journal

Level: TypeAlias = Literal["warning", "note"]

LISTED = 20  # skipped places that the text shows; the data has all

# kind -> (level, what happened; {n} is the count, {name} a value that came with it). Singular, plural.
SENTENCES: Mapping[str, tuple[Level, str, str]] = {
    "only detections": (
        "warning",
        "This format names only images with detections: {n} image. "
        'Queries with "no ..." cannot return the others. Give --images, --image-list or --image-table.',
        "This format names only images with detections: {n} images. "
        'Queries with "no ..." cannot return the others. Give --images, --image-list or --image-table.',
    ),
    "picture twice": (
        "warning",
        "{n} picture is the same file as another, byte for byte; both are images",
        "{n} pictures are the same files as others, byte for byte; all are images",
    ),
    "list full": (
        "warning",
        "{n} picture has as many detections as the model ever reports: there may be more things in it (truncated)",
        "{n} pictures have as many detections as the model ever reports: there may be more things in them (truncated)",
    ),
    "in tiles": (
        "note",
        "{n} picture was looked at in tiles",
        "{n} pictures were looked at in tiles",
    ),
    "tiles merged": (
        "note",
        "{n} image is put together from tiles",
        "{n} images are put together from tiles",
    ),
    "tiles joined": (
        "note",
        "{n} piece of a thing that tiles share or cut was joined with another",
        "{n} pieces of things that tiles share or cut were joined with others",
    ),
    "tiles with gaps": (
        "warning",
        "the tiles of {n} image leave gaps: its size is unknown, and what lies in between counts as not there",
        "the tiles of {n} images leave gaps: their sizes are unknown, and what lies in between counts as not there",
    ),
    "resumed": (
        "note",
        "{n} picture had been looked at before an interruption and was not again",
        "{n} pictures had been looked at before an interruption and were not again",
    ),
    "tiles resumed": (
        "note",
        "{n} tile had been looked at before an interruption and was not again",
        "{n} tiles had been looked at before an interruption and were not again",
    ),
    "shards resumed": (
        "note",
        "{n} file had been read before an interruption and was not again",
        "{n} files had been read before an interruption and were not again",
    ),
    "skipped": ("warning", "{n} unreadable place was skipped", "{n} unreadable places were skipped"),
    "repaired": (
        "warning",
        "{n} outline crossed itself and was repaired (make_valid, its area parts kept)",
        "{n} outlines crossed themselves and were repaired (make_valid, their area parts kept)",
    ),
    "zero area": (
        "note",
        "{n} outline has no area: it overlaps nothing and has no direction",
        "{n} outlines have no area: they overlap nothing and have no direction",
    ),
    "touching merge": (
        "warning",
        "In masks what touches is one entity, such as houses side by side: counts of {classes} are lower bounds",
        "In masks what touches is one entity, such as houses side by side: counts of {classes} are lower bounds",
    ),
    "small parts": (
        "note",
        "{n} part of a mask of fewer than {area} pixels was left out (--min-area)",
        "{n} parts of masks of fewer than {area} pixels were left out (--min-area)",
    ),
    "no geometry": (
        "note",
        "{n} feature has no geometry and was left out",
        "{n} features have no geometry and were left out",
    ),
    "no label": (
        "warning",
        "{n} feature has nothing in the field '{field}' and was left out (--label-field)",
        "{n} features have nothing in the field '{field}' and were left out (--label-field)",
    ),
    "no place": (
        "warning",
        "{n} picture says not where it lies, and was not used",
        "{n} pictures say not where they lie, and were not used",
    ),
    "no bounds": (
        "warning",
        "{n} feature has empty bounds and was left out",
        "{n} features have empty bounds and were left out",
    ),
    "below min_score": (
        "note",
        "{n} entity with a score below {min_score} was left out (--min-score)",
        "{n} entities with a score below {min_score} were left out (--min-score)",
    ),
    "crowd": (
        "warning",
        "{n} annotation of a crowd (iscrowd = 1) was left out; --crowd keep keeps it, with the attribute crowd",
        "{n} annotations of crowds (iscrowd = 1) were left out; --crowd keep keeps them, with the attribute crowd",
    ),
    "unknown kept": (
        "warning",
        "{n} name that vocabulary {vocabulary} lacks became a class without parent",
        "{n} names that vocabulary {vocabulary} lacks became classes without parent",
    ),
    "unknown dropped": (
        "warning",
        "{n} entity was left out, its class is not in vocabulary {vocabulary} (--unknown drop)",
        "{n} entities were left out, their classes are not in vocabulary {vocabulary} (--unknown drop)",
    ),
    "ids by path": (
        "warning",
        "{n} image shares its name with one of another folder; its id is its path",
        "{n} images share their names with others in other folders; their ids are their paths",
    ),
    "file twice": ("note", "{n} file was named twice and read once", "{n} files were named twice and read once"),
    "other files": (
        "note",
        "{n} file below the sources is of another kind and was not read",
        "{n} files below the sources are of another kind and were not read",
    ),
    "other format": (
        "warning",
        "{n} of the first files looks like another format",
        "{n} of the first files look like another format",
    ),
    "gsd unknown": (
        "warning",
        "{n} ground sample distance outside 0.005 to 1,000 m per pixel was taken as unknown",
        "{n} ground sample distances outside 0.005 to 1,000 m per pixel were taken as unknown",
    ),
    "gsd given": (
        "note",
        "{n} image without a ground sample distance was given {gsd} m per pixel (--gsd)",
        "{n} images without a ground sample distance were given {gsd} m per pixel (--gsd)",
    ),
    "size given": (
        "note",
        "{n} image of unknown size was given {size} pixels (--image-size)",
        "{n} images of unknown size were given {size} pixels (--image-size)",
    ),
    "size differs": (
        "warning",
        "{n} image has another size in its annotations than its picture has; that of the annotations is kept",
        "{n} images have another size in their annotations than their pictures have; that of the annotations is kept",
    ),
    "extent assumed": (
        "warning",
        "{n} image of unknown size is taken to end at its largest x and y; verdicts that use this say so",
        "{n} images of unknown size are taken to end at their largest x and y; verdicts that use this say so",
    ),
    "picture missing": (
        "warning",
        "{n} image has no picture in {folder}",
        "{n} images have no picture in {folder}",
    ),
    "picture ambiguous": (
        "warning",
        "{n} image fits several pictures equally well; none was taken",
        "{n} images fit several pictures equally well; none was taken",
    ),
    "picture without labels": (
        "note",
        "{n} picture without annotations is an image in which nothing is",
        "{n} pictures without annotations are images in which nothing is",
    ),
    "picture not indexed": (
        "warning",
        "{n} picture in {folder} has no annotation file and was not indexed; "
        "if nothing is in it, name it in --image-list",
        "{n} pictures in {folder} have no annotation file and were not indexed; "
        "if nothing is in them, name them in --image-list",
    ),
    "not in list": (
        "warning",
        "{n} image with detections is not in {given}; it is kept",
        "{n} images with detections are not in {given}; they are kept",
    ),
    "table row unused": (
        "warning",
        "{n} row of --image-table names an image that the sources lack and was not used",
        "{n} rows of --image-table name images that the sources lack and were not used",
    ),
    "header unused": (
        "note",
        "{n} file of --headers is of an image that the sources lack",
        "{n} files of --headers are of images that the sources lack",
    ),
    "column renamed": (
        "note",
        "{n} field of the source has another name as attribute",
        "{n} fields of the source have other names as attributes",
    ),
    "column mixed": (
        "warning",
        "{n} attribute has values of several types and became text",
        "{n} attributes have values of several types and became text",
    ),
    "reference areas kept": (
        "note",
        "{n} reference area for large and small came with the scenes and was kept",
        "{n} reference areas for large and small came with the scenes and were kept",
    ),
    "reference areas differ": (
        "warning",
        "{n} class has different reference areas in different scenes; it was computed anew",
        "{n} classes have different reference areas in different scenes; they were computed anew",
    ),
    "no images": ("warning", "The sources name no image", "The sources name no image"),
}


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A name of the source, the class that it became ("" for none), how it was found, and how many entities have it.

    how  class, spelling, synonym, map; kept or dropped where the vocabulary lacks it
    """

    source: str
    label: str
    how: str
    count: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened `count` times; `text` says what, `examples` the first places."""

    kind: str
    level: Level
    count: int
    text: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """How an archive was made.

    format, why       the format read, and why --format auto chose it ("" where it was given)
    vocabulary, how   its name, and why this one ("" where it was given)
    files, images, entities   read files, images and entities of the archive
    empty_images, without_size, without_gsd   images in which nothing is, or of which this is unknown
    labels            one row a name of the source, most frequent first
    notes             everything repaired, skipped, assumed, dropped
    skipped           every place that --skip-bad passed over, with what is wrong there
    """

    format: str
    why: str
    vocabulary: str
    how: str
    files: int
    images: int
    entities: int
    empty_images: int
    without_size: int
    without_gsd: int
    labels: tuple[LabelRow, ...]
    notes: tuple[Note, ...]
    skipped: tuple[str, ...]

    def note(self, kind: str) -> Note | None:
        """The note of a kind, None where it did not happen."""
        return next((note for note in self.notes if note.kind == kind), None)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists of all of this."""
        return asdict(self)


def notes_of(journal: Journal) -> tuple[Note, ...]:
    """The notes of a journal, in the order of SENTENCES."""
    notes = []
    for kind, (level, one, many) in SENTENCES.items():
        if kind == "skipped" and journal.skipped:
            count, examples, values = len(journal.skipped), journal.skipped[:LISTED], {}
        elif kind in journal.tallies:
            tally = journal.tallies[kind]
            count, examples, values = tally.count, tally.examples, tally.values
        else:
            continue
        text = (one if count == 1 else many).format(n=f"{count:,}", **values)
        notes.append(Note(kind, level, count, text, tuple(examples)))
    return tuple(notes)


def render_report(report: IndexReport, *, ascii_only: bool = False) -> str:
    """The report as plain text: the table source name, class, how, count; then the totals and the notes."""
    arrow = "->" if ascii_only else "→"
    lines = [f"Format {report.format}" + (f": {report.why}." if report.why else ".")]
    lines.append(f"Vocabulary {report.vocabulary}" + (f": {report.how}." if report.how else "."))
    if report.labels:
        names = [f"{row.source} {arrow} {row.label or '(left out)'} ({row.how})" for row in report.labels]
        counts = [f"{row.count:,}" for row in report.labels]
        left, right = max(map(len, names)), max(map(len, counts))
        lines += [f"  {name:<{left}}  {count:>{right}}" for name, count in zip(names, counts, strict=True)]
    totals = [f"{_counted(report.entities, 'entity', 'entities')} in {_counted(report.images, 'image', 'images')}"]
    for count, words in (
        (report.empty_images, "with nothing in it" if report.empty_images == 1 else "with nothing in them"),
        (report.without_size, "of unknown size"),
        (report.without_gsd, "of unknown ground sample distance"),
    ):
        if count:
            totals.append(f"{count:,} {words}")
    lines.append(", ".join(totals) + ".")
    for note in report.notes:
        lines += _note_lines(note)
    text = "\n".join(lines)
    return text.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else text


def _note_lines(note: Note) -> list[str]:
    head = f"{note.level}: {note.text}"
    if note.kind == "skipped":
        rest = note.count - len(note.examples)
        return [f"{head}:", *(f"  {place}" for place in note.examples), *([f"  and {rest:,} more"] if rest > 0 else [])]
    if not note.examples:
        return [head if head.endswith(".") else head + "."]
    more = ", ..." if note.count > len(note.examples) else ""
    return [f"{head.rstrip('.')}: {', '.join(note.examples)}{more}."]


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"

"""What every reader speaks of: image names, image records, stretches of entities, and what happened on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rune_smt.errors import DataError

if TYPE_CHECKING:
    from rune_smt.detect.images import Pictures

Scalar: TypeAlias = bool | int | float | str
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

MIN_AREA = 64  # px: smaller parts of a mask are mostly its ragged edges
MANY_EXAMPLES = 5  # of what a note counts; skipped lines are all kept, they are the user's to mend


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image as its source names it. `stem` is its id as long as no other image has the same one.

    folder  its folder below SOURCE, parts joined by "/", empty for none
    root    SOURCE itself as it was given: tells two sources apart
    """

    stem: str
    folder: str = ""
    root: str = ""

    def longer(self) -> tuple[str, str, str]:
        """The ids to try, shortest first."""
        below = f"{self.folder}/{self.stem}" if self.folder else self.stem
        return self.stem, below, f"{self.root}/{below}" if self.root else below


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What a source says of an image; None where it is silent. Sizes in pixels, gsd in metres a pixel.

    further  any other scalar field: a column of the table `images`
    """

    name: ImageName
    width: int | None = None
    height: int | None = None
    gsd: float | None = None
    gsd_source: str | None = None
    path: str | None = None
    further: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """The outlines of n entities, flat: entity i has rings parts[i]:parts[i+1], ring r points rings[r]:rings[r+1].

    column  dtype    shape   meaning
    points  float64  (p, 2)  corners in pixels, x to the right, y downwards, finite
    rings   int64    (r+1,)  first point of each ring
    parts   int64    (n+1,)  first ring of each entity; several rings fill by the even-odd rule
    ready   geometry by entity number, for outlines that come as shapely geometries already; such an entity has no ring
    """

    points: Floats
    rings: Ints
    parts: Ints
    ready: Mapping[int, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.parts) - 1

    @classmethod
    def of_quads(cls, corners: Floats) -> Outlines:
        """From corners of shape (n, 4, 2) or (n, 8)."""
        n = len(corners)
        return cls(corners.reshape(-1, 2), np.arange(n + 1, dtype=np.int64) * 4, np.arange(n + 1, dtype=np.int64))

    @classmethod
    def of_lists(cls, entities: Sequence[Sequence[Floats]], ready: Mapping[int, Any] | None = None) -> Outlines:
        """From one list of rings, arrays of shape (k, 2), for each entity."""
        rings = [ring for entity in entities for ring in entity]
        points = np.concatenate(rings) if rings else np.empty((0, 2))
        return cls(points, offsets(len(ring) for ring in rings), offsets(len(e) for e in entities), ready or {})


def offsets(lengths: Iterable[int]) -> Ints:
    """0 and the running sums: where each stretch begins, and where the last ends."""
    counts = np.fromiter(lengths, dtype=np.int64)
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Images and entities of one file, or of a stretch of it, in reading order.

    column      dtype    shape  meaning
    images      records  (m,)   every image this stretch names, with or without entities
    image       int64    (n,)   index into `images`
    labels      str      (n,)   the class as the source spells it
    scores      float64  (n,)   0 to 1
    outlines    n outlines
    origins     str      (n,)   file:line, or file#id: goes to the column `source`
    attributes  (n,) each: numpy numbers, or a list with None for missing
    entity_id   int64    (n,)   only where the source numbers them itself, else None: reading order
    left_out    bool     (n,)   read and numbered, but not to be kept; None for none

    reference_areas  px2 by label, where the source carries them along, else None
    merged           labels of which things that touch are one entity here, so that their counts are lower bounds
    """

    images: Sequence[ImageRecord]
    image: Ints
    labels: Sequence[str]
    scores: Floats
    outlines: Outlines
    origins: Sequence[str]
    attributes: Mapping[str, NDArray[Any] | Sequence[Any]] = field(default_factory=dict)
    entity_id: Ints | None = None
    left_out: NDArray[np.bool_] | None = None
    reference_areas: Mapping[str, float] | None = None
    merged: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        n = len(self.labels)
        for column, length in (
            ("image", len(self.image)),
            ("scores", len(self.scores)),
            ("outlines", len(self.outlines)),
            ("origins", len(self.origins)),
            *((name, len(values)) for name, values in self.attributes.items()),
        ):
            if length != n:
                raise ValueError(f"{column} must have {n} rows, got {length}")


def bare_chunk(images: Sequence[ImageRecord]) -> Chunk:
    """Images without entities."""
    none = np.empty(0, dtype=np.int64)
    return Chunk(images, none, (), np.empty(0), Outlines.of_lists(()), ())


@dataclass(slots=True)
class Tally:
    """How often one thing happened, the first few places, and values that its sentence needs."""

    count: int = 0
    examples: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Journal:
    """What happened while reading: everything repaired, skipped, assumed or dropped is counted here, by kind.

    skip_bad  go on after bad data and list it, instead of raising DataError
    """

    skip_bad: bool = False
    tallies: dict[str, Tally] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def bad(self, message: str, *, hint: str | None = None) -> None:
        """Bad data at a place that `message` names: raises DataError, or with skip_bad counts it and returns."""
        if not self.skip_bad:
            raise DataError(message, hint=hint)
        self.skipped.append(message)

    def bad_lines(self, problems: Iterable[tuple[int, str, str | None]]) -> None:
        """Bad data of one file, (line, message, hint) each, in the order of its lines."""
        for _, message, hint in sorted(problems, key=lambda problem: problem[0]):
            self.bad(message, hint=hint)

    def note(self, kind: str, example: str | None = None, count: int = 1, **values: object) -> None:
        """One of the kinds of report.SENTENCES happened `count` times."""
        tally = self.tallies.setdefault(kind, Tally())
        tally.count += count
        tally.values.update(values)
        if example is not None and len(tally.examples) < MANY_EXAMPLES:
            tally.examples.append(example)

    def take_in(self, kind: str, other: Tally) -> None:
        """What was counted elsewhere, after what was counted here."""
        tally = self.tallies.setdefault(kind, Tally())
        tally.count += other.count
        tally.values.update(other.values)
        tally.examples += other.examples[: MANY_EXAMPLES - len(tally.examples)]

    def note_all(self, kind: str, examples: Sequence[str], **values: object) -> None:
        """One note for each of the examples; none for none."""
        for example in examples:
            self.note(kind, example, 1, **values)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source.

    path    where it lies
    shown   as people gave it, for messages
    origin  SOURCE's own name and what is below it: the same wherever the folder lies
    folder  folder below SOURCE, parts joined by "/"
    root    SOURCE as it was given; for a single file, its folder
    """

    path: Any
    shown: str
    origin: str
    folder: str
    root: str

    def image_name(self) -> ImageName:
        """The image that a file of one image stands for."""
        return ImageName(str(self.path.stem), self.folder, self.root)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader may need beside its files.

    journal     where bad data goes
    pictures    the pictures of --images, or None
    image_size  (width, height) in pixels for images of unknown size, or None
    names       class names by number, for formats that write numbers
    coco_gt     COCO file with the images and categories that a results list speaks of, or None
    keep_crowd  keep COCO's iscrowd=1 as entities
    mask_suffix how the names of masks end, None for the usual endings
    min_area    parts of masks with fewer pixels are left out
    palette     file that names the colours of masks, or None
    simplify    how far outlines of masks may lie from the pixels' corners, px; 0 for not at all
    label_field, image_field   of map features: the properties that say class and image, or None
    line_width, point_size     the breadth of map features without area, such as 6m, or None
    tell        takes the number of files done, with the part of the one under way; None for nobody to tell
    """

    journal: Journal
    pictures: Pictures | None = None
    image_size: tuple[int, int] | None = None
    names: Mapping[int, str] | None = None
    coco_gt: Any = None
    keep_crowd: bool = False
    mask_suffix: str | None = None
    min_area: int = MIN_AREA
    palette: Any = None
    simplify: float = 0.0
    label_field: str | None = None
    image_field: str | None = None
    line_width: str | None = None
    point_size: str | None = None
    tell: Callable[[float], None] | None = None


Chunks: TypeAlias = Iterator[Chunk]

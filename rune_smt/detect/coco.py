"""COCO json: ground truth {images, annotations, categories}, or a list of results with --coco-gt.

The format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from rune_smt.detect.files import LARGEST_COORDINATE, as_size, as_text, excerpt, parse_json, read_bytes
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.gsd import parse_gsd
from rune_smt.detect.images import without_picture_suffix
from rune_smt.detect.records import (
    Chunk,
    Chunks,
    Floats,
    ImageName,
    ImageRecord,
    Journal,
    Outlines,
    ReadOptions,
    Scalar,
    SourceFile,
    bare_chunk,
)
from rune_smt.detect.rle import decode, mask_outline
from rune_smt.errors import DataError

STRETCH = 20_000  # annotations a chunk
OWN_IMAGE_FIELDS = frozenset({"id", "file_name", "width", "height", "gsd"})
OWN_FIELDS = frozenset({"id", "image_id", "category_id", "segmentation", "bbox", "score", "iscrowd", "attributes"})
RESULTS_HINT = "Results name images and categories by number: give --coco-gt FILE, the ground truth they are in."


class _BadError(Exception):
    """What is wrong with one annotation, and the way out."""

    def __init__(self, message: str, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """The images of a file, then its annotations in list order. Bad data is named by file and annotation."""
    known = None if options.coco_gt is None else _named_by(Path(options.coco_gt), options)
    told = False
    for file in files:
        if known is not None and Path(file.path).resolve() == Path(options.coco_gt).resolve():
            continue  # it lies among the results, and is there to name things only
        try:
            document = _load(file.path, file.shown)
        except DataError as error:
            options.journal.bad(error.message, hint=error.hint)
            continue
        if isinstance(document, list):
            if known is None:
                raise DataError(f"{file.shown}: a list of results, and no images and categories.", hint=RESULTS_HINT)
            if not told:
                yield bare_chunk(known.records)
                told = True
            yield from _chunks(file, document, known, options)
        elif _is_ground_truth(document):
            catalogue = _Catalogue(document, file, options.journal, many=len(files) > 1)
            yield bare_chunk(catalogue.records)
            yield from _chunks(file, document.get("annotations") or [], catalogue, options)
        else:
            keys = ", ".join(map(str, list(document)[:6])) if isinstance(document, dict) else type(document).__name__
            options.journal.bad(
                f"{file.shown}: expected a COCO file with 'images', 'annotations' and 'categories', "
                f"got {keys or 'nothing'}."
            )


def _named_by(path: Path, options: ReadOptions) -> _Catalogue:
    """The images and categories of --coco-gt."""
    shown = path.as_posix()
    document = _load(path, shown)
    if not _is_ground_truth(document):
        raise DataError(f"{shown}: --coco-gt needs a COCO file with 'images' and 'categories'.")
    return _Catalogue(document, SourceFile(path, shown, path.name, "", ""), options.journal, many=False)


def _load(path: Path, shown: str) -> Any:
    return parse_json(as_text(read_bytes(path, shown), shown), shown)


def _is_ground_truth(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    lists = [document.get("images"), document.get("categories"), document.get("annotations", [])]
    return all(isinstance(part, list) and all(isinstance(item, dict) for item in part) for part in lists)


class _Catalogue:
    """The images and categories that annotations name by number."""

    def __init__(self, document: Mapping[str, Any], file: SourceFile, journal: Journal, *, many: bool):
        self.shown = file.shown
        self.records: list[ImageRecord] = []
        self.position: dict[Any, int] = {}
        names: set[ImageName] = set()
        for index, image in enumerate(document["images"]):
            number = image.get("id")
            place = f"{file.shown}: image {number}"
            if number is None or isinstance(number, list | dict):
                journal.bad(f"{file.shown}: image at position {index} has no id.")
                continue
            name = _image_name(image, file if many else None)
            if number in self.position:
                journal.bad(f"{place}: two images have this id.")
            elif name in names:
                journal.bad(f"{place}: two images have the file_name '{image.get('file_name')}'.")
            else:
                names.add(name)
                self.position[number] = len(self.records)
                self.records.append(_image_record(image, name, f"{place} ('{name.stem}')", journal))
        named = [category for category in document["categories"] if category.get("name") is not None]
        self.categories = {_key(category.get("id")): str(category["name"]) for category in named}


def _image_name(image: Mapping[str, Any], file: SourceFile | None) -> ImageName:
    """By file_name, else by id; among several COCO files the file's own name tells equal ones apart."""
    text = str(image.get("file_name") or image["id"]).replace("\\", "/")
    path = PurePosixPath(text)
    folder = "" if path.parent == PurePosixPath(".") else str(path.parent).strip("/")
    root = ""
    if file is not None:
        stem = str(Path(file.path).stem)
        root = f"{file.folder}/{stem}" if file.folder else stem
    return ImageName(without_picture_suffix(path.name), folder, root)


def _image_record(image: Mapping[str, Any], name: ImageName, place: str, journal: Journal) -> ImageRecord:
    sides = {}
    for side in ("width", "height"):
        value = image.get(side)
        sides[side] = as_size(value)
        if value is not None and sides[side] is None:
            journal.bad(f"{place}: {side} must be a whole number of pixels above 0, got {value!r}.")
    gsd = parse_gsd(image.get("gsd"), place, journal)
    further: dict[str, Any] = {"coco_id": image["id"]}
    for key, value in image.items():
        if key not in OWN_IMAGE_FIELDS and isinstance(value, str | int | float):
            further[key] = value
    if image.get("file_name"):
        further["file_name"] = str(image["file_name"])
    return ImageRecord(name, sides["width"], sides["height"], gsd, "coco" if gsd is not None else None, None, further)


def _chunks(
    file: SourceFile, annotations: Sequence[Any], catalogue: _Catalogue, options: ReadOptions
) -> Iterable[Chunk]:
    for start in range(0, len(annotations), STRETCH):
        yield _stretch(file, annotations[start : start + STRETCH], start, catalogue, options)


def _stretch(
    file: SourceFile, annotations: Sequence[Any], start: int, catalogue: _Catalogue, options: ReadOptions
) -> Chunk:
    images: list[int] = []
    labels: list[str] = []
    scores: list[float] = []
    rings: list[list[Floats]] = []
    ready: dict[int, Any] = {}
    origins: list[str] = []
    crowds: list[bool] = []
    any_crowd_field = False
    fields: list[dict[str, Scalar]] = []
    for index, annotation in enumerate(annotations, start):
        number = annotation.get("id", index) if isinstance(annotation, dict) else index
        try:
            if not isinstance(annotation, dict):
                raise _BadError(f"expected an object, got {type(annotation).__name__}")
            image = catalogue.position.get(_key(annotation.get("image_id")))
            if image is None:
                raise _BadError(f"image {annotation.get('image_id')!r} is not among the 'images' of {catalogue.shown}")
            category = annotation.get("category_id")
            label = catalogue.categories.get(_key(category))
            if label is None:
                raise _BadError(f"category {category!r} has no name among the 'categories' of {catalogue.shown}")
            score = _score(annotation.get("score"))
            outline, geometry = _outline(annotation)
        except _BadError as wrong:
            options.journal.bad(f"{file.shown}: annotation {number}: {wrong.message}.", hint=wrong.hint)
            continue
        if geometry is not None:
            ready[len(labels)] = geometry
        any_crowd_field |= "iscrowd" in annotation
        images.append(image)
        labels.append(label)
        scores.append(score)
        rings.append(outline)
        origins.append(f"{file.origin}#{number}")
        crowds.append(annotation.get("iscrowd") in (1, True))
        fields.append(_further(annotation))
    columns: dict[str, Sequence[Any]] = {}
    for name in dict.fromkeys(key for field in fields for key in field):
        columns[name] = [field.get(name) for field in fields]
    if any_crowd_field:
        columns["crowd"] = crowds
    left_out = None
    if not options.keep_crowd and any(crowds):
        left_out = np.array(crowds, dtype=bool)
        for origin, crowd in zip(origins, crowds, strict=True):
            if crowd:
                options.journal.note("crowd", origin)
    return Chunk(
        images=catalogue.records,
        image=np.array(images, dtype=np.int64),
        labels=labels,
        scores=np.array(scores, dtype=np.float64),
        outlines=Outlines.of_lists(rings, ready),
        origins=origins,
        attributes=columns,
        left_out=left_out,
    )


def _key(value: Any) -> Any:
    """A number or text to look up; lists and the like are found nowhere."""
    return None if isinstance(value, list | dict) else value


def _score(value: Any) -> float:
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise _BadError(f"score must be from 0 to 1, got {value!r}")
    return float(value)


def _outline(annotation: Mapping[str, Any]) -> tuple[list[Floats], Any]:
    """Rings, or a geometry that is ready: of the segmentation, else of the box."""
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        try:
            mask, origin = decode(segmentation)
        except ValueError as error:
            raise _BadError(str(error)) from error
        geometry = mask_outline(mask, origin)
        if geometry is None:
            raise _BadError("its mask is empty: an entity needs one point at least")
        return [], geometry
    if isinstance(segmentation, list) and segmentation:
        parts = segmentation if isinstance(segmentation[0], list) else [segmentation]
        return [_ring(part) for part in parts], None
    if segmentation not in (None, []):
        raise _BadError(f"segmentation must be a list of parts or a mask, got {type(segmentation).__name__}")
    bbox = annotation.get("bbox")
    if bbox is None:
        raise _BadError("neither segmentation nor bbox")
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise _BadError(f"bbox must be [x, y, width, height], got {bbox!r}")
    x, y, width, height = _numbers(bbox, "bbox").tolist()
    if width < 0 or height < 0:
        raise _BadError(f"width and height of bbox must not be negative, got {bbox!r}")
    return [np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])], None


def _ring(part: Any) -> Floats:
    """The corners (k, 2) of [x1, y1, x2, y2, ...], without a repeated first one at the end."""
    if not isinstance(part, list) or len(part) < 2 or len(part) % 2:
        length = f"{len(part)} numbers" if isinstance(part, list) else type(part).__name__
        raise _BadError(f"a part of segmentation must be [x1, y1, x2, y2, ...], got {length}")
    ring = _numbers(part, "segmentation").reshape(-1, 2)
    return ring[:-1] if len(ring) > 1 and (ring[0] == ring[-1]).all() else ring


def _numbers(values: list[Any], field: str) -> Floats:
    """The values as float64; bool is no number here."""
    if set(map(type, values)) <= {int, float}:
        numbers = np.array(values, dtype=np.float64)
        if (np.abs(numbers) <= LARGEST_COORDINATE).all():
            return numbers
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _BadError(f"{field} has {value!r} where a number was expected")
        if not abs(value) <= LARGEST_COORDINATE:
            finite = "is beyond any picture" if value - value == 0 else "is not a finite number"
            raise _BadError(f"{field} has the coordinate {excerpt([str(value)])}, which {finite}")
    return np.array(values, dtype=np.float64)


def _further(annotation: Mapping[str, Any]) -> dict[str, Scalar]:
    """Every other scalar field, and the scalar values of the dictionary `attributes`."""
    found: dict[str, Scalar] = {
        key: value
        for key, value in annotation.items()
        if key not in OWN_FIELDS and isinstance(value, bool | int | float | str)
    }
    attributes = annotation.get("attributes")
    if isinstance(attributes, dict):
        found.update({str(k): v for k, v in attributes.items() if isinstance(v, bool | int | float | str)})
    return found


def sniff(sample: Sample) -> str | None:
    """Why the text looks like COCO, or None."""
    head = sample.text.lstrip()[:1]
    if head == "{" and sample.holds('"images"') and (sample.holds('"annotations"') or sample.holds('"categories"')):
        return "an object with images and annotations or categories"
    if head == "[" and sample.holds('"category_id"') and sample.holds('"image_id"'):
        return "a list of objects with image_id and category_id"
    return None


def wanted(path: PurePosixPath) -> bool:
    """Any .json file."""
    return path.suffix.lower() == ".json"


FORMAT = Format(
    name="coco",
    title="COCO json",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=True,
)

"""Semantic masks: a picture of one band whose values are classes; what touches is one entity.

value      class number: its name by --names, else the number itself, which a vocabulary's [map] knows; 0 is background
colour     of a picture of three bands: its name by --palette; colour tables of one data set differ from place to place
instances  beside 7_lab.png, 7_inst.png: numbers from 1 that keep touching things apart (24 bits, if it has three bands)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.components import Keys, components
from rune_smt.detect.files import as_text, read_bytes
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.images import read_picture, without_size_limit
from rune_smt.detect.records import Chunk, Chunks, ImageName, ImageRecord, Outlines, ReadOptions, SourceFile, bare_chunk
from rune_smt.errors import DataError

SUFFIXES = ("_lab", "_label", "_labels", "_mask")
INSTANCES = ("_inst", "_instance", "_instances", "_instance_id_RGB")
ENDINGS = frozenset({".png", ".tif", ".tiff", ".bmp"})  # no JPEG: its values are not those that were written
LARGEST_CLASS = 65_535
LARGEST = 1 << 28  # pixels of a mask, about 5 gigabytes while its parts are found
BACKGROUND = frozenset({"background", "unlabeled", "unlabelled", "void", "ignore"})
COLOUR_MODES = frozenset({"RGB", "RGBA"})
CLASS_MODES = frozenset({"1", "L", "P", "I", "I;16", "I;16B", "I;16L"})
PALETTE_HINT = (
    "Give --palette FILE with a line 'R G B name' for each colour: colour tables of one data set differ from place to "
    "place."
)

Colour = tuple[int, int, int]


class _BadMaskError(Exception):
    """What is wrong with one mask, and the way out."""

    def __init__(self, message: str, hint: str | None = None):
        super().__init__(message)
        self.message, self.hint = message, hint


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a mask. Entities are numbered by class (of a palette, by line), then by their first pixel."""
    palette = read_palette(Path(options.palette)) if options.palette is not None else None
    masks, instances = _masks_among(files, options)
    for file in masks:
        name = replace(file.image_name(), stem=image_stem(str(file.path.stem), options.mask_suffix))
        record = replace(read_picture(file, name, options.journal), path=None)  # the mask is not the picture
        if record.width is None or record.height is None:
            continue  # unreadable, and told
        try:
            if record.width * record.height > LARGEST:
                raise _BadMaskError(f"{record.width} x {record.height} pixels are too many for one mask", "Cut it up.")
            values, labels = _values(file, options.names, palette)
            numbers = _numbers(instances[name], values.shape) if name in instances else None
        except _BadMaskError as wrong:
            options.journal.bad(f"{file.shown}: {wrong.message}.", hint=wrong.hint)
            yield bare_chunk((record,))
            continue
        yield _chunk(file, record, values, labels, numbers, options)


def _chunk(
    file: SourceFile,
    record: ImageRecord,
    values: Keys,
    labels: Mapping[int, str],
    numbers: Keys | None,
    options: ReadOptions,
) -> Chunk:
    keyed, whole = (values, {}) if numbers is None else _with_instances(values, numbers)
    found = components(keyed, min_area=options.min_area, whole=np.array(sorted(whole), dtype=np.int32))
    if len(found.small):
        options.journal.note("small parts", file.shown, len(found.small), area=options.min_area)
    value = np.array([whole[key][0] if key in whole else key for key in found.key.tolist()], dtype=np.int64)
    order = np.argsort(value, kind="stable")
    number = [whole[key][1] if key in whole else None for key in found.key[order].tolist()]
    named = [labels[v] for v in value[order].tolist()]
    n = len(order)
    return Chunk(
        images=(record,),
        image=np.zeros(n, dtype=np.int64),
        labels=named,
        scores=np.ones(n),
        outlines=Outlines.of_lists([()] * n, dict(enumerate(_simplified(found.shapes[order], options.simplify)))),
        origins=[f"{file.origin}#{index}" for index in range(n)],
        attributes={"instance": number} if numbers is not None else {},
        merged=frozenset(label for label, own in zip(named, number, strict=True) if own is None),
    )


def _simplified(shapes: NDArray[np.object_], tolerance: float) -> NDArray[np.object_]:
    """Outlines with fewer corners, none farther than `tolerance` px from where it was (Douglas and Peucker, valid)."""
    if not tolerance:
        return shapes
    return np.asarray(shapely.simplify(shapes, tolerance, preserve_topology=True), dtype=np.object_)


def _with_instances(values: Keys, numbers: Keys) -> tuple[Keys, dict[int, tuple[int, int]]]:
    """Keys that tell instances apart, and what the new ones stand for: (value, instance number)."""
    inside = (numbers > 0) & (values > 0)
    pairs = values[inside].astype(np.int64) << 32 | numbers[inside]
    unique, inverse = np.unique(pairs, return_inverse=True)
    first = int(values.max(initial=0)) + 1
    keyed = values.copy()
    keyed[inside] = first + inverse.reshape(-1)
    return keyed, {first + i: (pair >> 32, pair & 0xFFFFFFFF) for i, pair in enumerate(unique.tolist())}


# --- files ------------------------------------------------------------------------------------------------------------


def image_stem(stem: str, suffix: str | None) -> str:
    """`6279_lab` -> `6279`: the stem less the suffix given, or less one of the usual ones."""
    for known in (suffix,) if suffix is not None else SUFFIXES:
        if known and stem.endswith(known) and len(stem) > len(known):
            return stem[: -len(known)]
    return stem


def _masks_among(
    files: Sequence[SourceFile], options: ReadOptions
) -> tuple[list[SourceFile], dict[ImageName, SourceFile]]:
    """The masks, and the files of instance numbers by image. If some are called as masks are, the others are none."""
    endings = (options.mask_suffix,) if options.mask_suffix is not None else SUFFIXES
    instances, rest = {}, []
    for file in files:
        ending = next((end for end in INSTANCES if file.path.stem.endswith(end)), None)
        if ending is None:
            rest.append(file)
        else:
            instances[replace(file.image_name(), stem=file.path.stem.removesuffix(ending))] = file
    called = [file for file in rest if str(file.path.stem).endswith(tuple(endings))]
    masks = called if called or options.mask_suffix else rest
    if masks is called:
        mine = {file.shown for file in called}
        options.journal.note_all("other files", [file.shown for file in rest if file.shown not in mine])
    if not masks:
        raise DataError(f"No mask's name ends in '{options.mask_suffix}'.", hint="Give another --mask-suffix.")
    return masks, instances


def _pixels(file: SourceFile) -> tuple[NDArray[Any], str]:
    """The picture as an array, and its mode in Pillow's words."""
    from PIL import Image

    try:
        with without_size_limit(), Image.open(file.path) as picture:
            return np.asarray(picture), picture.mode
    except (OSError, ValueError, SyntaxError, OverflowError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise _BadMaskError(f"cannot be read: {reason.rstrip('.')}") from error


def _values(
    file: SourceFile, names: Mapping[int, str] | None, palette: Mapping[Colour, str] | None
) -> tuple[Keys, dict[int, str]]:
    """Class values int32 (rows, columns), 0 for background, and the name of each that occurs."""
    pixels, mode = _pixels(file)
    if mode in COLOUR_MODES:
        if palette is None:
            raise _BadMaskError(f"is a picture of {pixels.shape[2]} bands, not of one with class numbers", PALETTE_HINT)
        return _by_palette(_packed(pixels), palette)
    if mode not in CLASS_MODES or pixels.ndim != 2:
        raise _BadMaskError(f"is of mode {mode}; class numbers are a band of whole numbers")
    values = pixels.astype(np.int32)
    if values.min(initial=0) < 0 or values.max(initial=0) > LARGEST_CLASS:
        wrong = values.min() if values.min() < 0 else values.max()
        raise _BadMaskError(f"has the class number {int(wrong)}; they go from 0 to {LARGEST_CLASS:,}")
    occurring = np.flatnonzero(np.bincount(values.reshape(-1)))
    labels: dict[int, str] = {}
    for value in occurring.tolist():
        name = str(value) if names is None else names.get(value)
        if names is not None and name is None and value:
            hint = f"The names go from {min(names)} to {max(names)}." if names else None
            raise _BadMaskError(f"class number {value} has no name", hint)
        if name is not None and not _is_background(name) and (value or names is not None):
            labels[value] = name
    if set(labels) == set(occurring.tolist()) - {0}:
        return values, labels
    # 0 is a class, or another value is background
    shifted = np.zeros(int(occurring.max(initial=0)) + 1, dtype=np.int32)
    shifted[list(labels)] = np.array(list(labels), dtype=np.int32) + 1
    return shifted[values], {value + 1: name for value, name in labels.items()}


def _is_background(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.lower()) in BACKGROUND


def _packed(pixels: NDArray[Any]) -> Keys:
    """Three bands of 8 bits as one number; a fourth band is transparency and means nothing here."""
    red, green, blue = (pixels[:, :, band].astype(np.int32) for band in range(3))
    packed: Keys = red << 16 | green << 8 | blue
    return packed


def _by_palette(packed: Keys, palette: Mapping[Colour, str]) -> tuple[Keys, dict[int, str]]:
    names = [name for name in dict.fromkeys(palette.values()) if not _is_background(name)]
    numbers = {name: number for number, name in enumerate(names, 1)}
    codes = sorted((red << 16 | green << 8 | blue, name) for (red, green, blue), name in palette.items())
    value = [numbers.get(name, 0) for _, name in codes]
    known = np.array([code for code, _ in codes], dtype=np.int32)
    place = np.searchsorted(known, packed).clip(0, len(known) - 1)
    foreign = known[place] != packed
    if foreign.any():
        y, x = (int(v[0]) for v in np.nonzero(foreign))
        code = int(packed[y, x])
        shown = f"{code >> 16} {code >> 8 & 255} {code & 255}"
        raise _BadMaskError(
            f"the colour {shown} of pixel ({x}, {y}) is not in the palette ({int(foreign.sum()):,} such pixels)",
            "Add it to the palette; a mask that was resized or saved as JPEG has colours in between.",
        )
    return np.array(value, dtype=np.int32)[place], {number: name for name, number in numbers.items()}


def _numbers(file: SourceFile, shape: tuple[int, ...]) -> Keys:
    """Instance numbers int32 of the mask's shape, 0 for none."""
    pixels, mode = _pixels(file)
    if mode not in COLOUR_MODES and (mode not in CLASS_MODES or pixels.ndim != 2):
        raise _BadMaskError(f"its instances {file.shown} are of mode {mode}, not whole numbers")
    numbers = _packed(pixels) if mode in COLOUR_MODES else pixels.astype(np.int32)
    if numbers.shape != shape:
        raise _BadMaskError(f"its instances {file.shown} are of another size")
    if numbers.min(initial=0) < 0:
        raise _BadMaskError(f"its instances {file.shown} have a number below 0")
    return numbers


# --- palettes ---------------------------------------------------------------------------------------------------------

NUMBERS_FIRST = re.compile(r"(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(.*\S)")
NAME_FIRST = re.compile(r"(.*[^\s,;])[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})")
HEXADECIMAL = re.compile(r"#([0-9a-fA-F]{6})[\s,;]+(.*\S)")


def read_palette(path: Path) -> dict[Colour, str]:
    """--palette: a line `R G B name`, `name,R,G,B` or `#RRGGBB name` for each colour; a first line may be a header.

    DataError that names the line.
    """
    shown = path.as_posix()
    palette: dict[Colour, str] = {}
    for number, line in enumerate(as_text(read_bytes(path, shown), shown).split("\n"), 1):
        text = line.strip()
        entry = _palette_entry(text)
        if entry is None:
            if not text or (text.startswith("#") and not HEXADECIMAL.match(text)) or (number == 1 and not palette):
                continue  # a blank line, a remark, a header
            raise DataError(f"{shown}:{number}: expected 'R G B name', the three from 0 to 255, got '{text[:60]}'.")
        colour, name = entry
        if palette.setdefault(colour, name) != name:
            raise DataError(f"{shown}:{number}: the colour {' '.join(map(str, colour))} has two names.")
    if not palette:
        raise DataError(f"{shown} names no colour.", hint="A palette has lines such as: 61 230 250 water")
    return palette


def _palette_entry(text: str) -> tuple[Colour, str] | None:
    if found := HEXADECIMAL.fullmatch(text):
        code = int(found[1], 16)
        return (code >> 16, code >> 8 & 255, code & 255), found[2].strip("\"'")
    if found := NUMBERS_FIRST.fullmatch(text):
        colour, name = found.groups()[:3], found[4]
    elif found := NAME_FIRST.fullmatch(text):
        colour, name = found.groups()[1:], found[1]
    else:
        return None
    red, green, blue = (int(part) for part in colour)
    return ((red, green, blue), name.strip("\"'")) if max(red, green, blue) <= 255 else None


# --- the format -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Named:
    """Files below a folder that are called as masks are; with no suffix known, every picture that may be one."""

    suffixes: tuple[str, ...]

    def __call__(self, path: PurePosixPath) -> bool:
        return path.suffix.lower() in ENDINGS and path.stem.endswith((*self.suffixes, *INSTANCES))


def every_picture(path: PurePosixPath) -> bool:
    """For --format masks: any picture without loss; `read` takes those that are called as masks, if there are any."""
    return path.suffix.lower() in ENDINGS


def sniff(sample: Sample) -> str | None:
    """Why a picture looks like a mask, or None: its name and its one band."""
    if sample.path is None or not wanted(PurePosixPath(sample.name)):
        return None
    from PIL import Image

    try:
        with without_size_limit(), Image.open(sample.path) as picture:
            return "a mask's name and one band" if picture.mode in CLASS_MODES else None
    except (OSError, ValueError, SyntaxError, OverflowError):
        return None


wanted = _Named(SUFFIXES)

FORMAT = Format(
    name="masks",
    title="semantic masks (PNG, TIFF)",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=True,
    wanted_when_named=every_picture,
)

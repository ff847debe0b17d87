"""Runs a detector over pictures: damaged ones are reported and passed over, equal ones noticed, nothing done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rune_smt.detect.detector import Detections, Detector, side_of
from rune_smt.detect.formats import Format
from rune_smt.detect.images import is_picture, read_picture
from rune_smt.detect.memory import Memory, digest_of
from rune_smt.detect.rasters import PictureError, Raster, open_raster
from rune_smt.detect.records import Chunks, ImageRecord, Journal, ReadOptions, SourceFile
from rune_smt.detect.tiling import OVERLAP, WHOLE, Once, detect_in_tiles
from rune_smt.errors import DataError, LimitError


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How pictures are shown to a detector.

    tile     side of tiles in pixels; None for the detector's own, 0 to show every picture whole
    overlap  what neighbouring tiles share, as part of the side
    memory   file that keeps what was seen until the archive is written; None keeps nothing
    """

    tile: int | None = None
    overlap: float = OVERLAP
    memory: Path | None = None


def detector_format(detector: Detector, shown: str, run: RunOptions) -> Format:
    """Pictures as a format whose reader is a detector: everything that indexing does with annotations it does here."""
    return Format(
        name="detector",
        title=f"pictures seen by {shown}",
        read=partial(detect_files, detector, run),
        sniff=lambda sample: None,
        wanted=is_picture,
        names_every_image=True,
    )


def detect_files(detector: Detector, run: RunOptions, files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a picture, in the order of the files.

    A picture that cannot be decoded is listed among what was skipped and is no image of the archive: that nothing was
    seen in it would not be true. Raises DataError where that is so of all of them.
    Files of the same bytes are looked at once; both are images, and the journal names them.
    """
    journal, tell = options.journal, options.tell or (lambda done: None)
    patient = Journal(True, journal.tallies, journal.skipped)  # damaged pictures never end a long run
    sizes = Counter(_size(file.path) for file in files)
    seen_before: dict[str, tuple[str, Detections]] = {}
    done = 0
    identity = getattr(detector, "identity", None)  # one that does not say what it is cannot be resumed
    with Memory(run.memory if identity else None, f"{identity} tile {run.tile} overlap {run.overlap}") as memory:
        for number, file in enumerate(files):
            tell(number)
            record = _record(file, patient)
            if record is None:
                continue
            digest = str(record.further["sha256"])
            if digest in seen_before:
                first, seen = seen_before[digest]
                journal.note("picture twice", f"{file.shown} ({first})")
            else:
                recalled = memory.recall(digest)
                if recalled is not None:
                    journal.note("resumed")
                    seen = recalled
                else:
                    try:
                        once = partial(_from_memory, memory, digest, journal)
                        seen = _look(detector, run, file, journal, partial(_tell_part, tell, number), once)
                    except (PictureError, LimitError) as error:
                        patient.bad(error.message, hint=error.hint)
                        continue
                    memory.keep(digest, seen)
                if sizes[_size(file.path)] > 1:
                    seen_before[digest] = file.shown, seen
            if seen.truncated:
                journal.note("list full", file.shown)
                record = replace(record, further={**record.further, "truncated": True})
            done += 1
            yield seen.chunk(record, file.origin)
    if files and not done:
        raise DataError(journal.skipped[-1], hint="None of the pictures can be read.")


def look(
    detector: Detector,
    raster: Raster,
    run: RunOptions,
    tell: Callable[[int, int], None] | None = None,
    once: Once | None = None,
) -> Detections:
    """What a detector sees in one picture, whole or in tiles, the best first."""
    side = run.tile if run.tile is not None else side_of(detector)
    longer = max(raster.width, raster.height)
    whole = side == 0 or longer <= (side if run.tile is not None else side * WHOLE)
    if whole:
        return detector(raster.read((0, 0, raster.width, raster.height))).at_least(0.0)
    return detect_in_tiles(detector, raster, side, run.overlap, tell, once)


def _look(
    detector: Detector,
    run: RunOptions,
    file: SourceFile,
    journal: Journal,
    tell: Callable[[int, int], None],
    once: Once,
) -> Detections:
    tiles = 0

    def count(number: int, of: int) -> None:
        nonlocal tiles
        tiles = of
        tell(number, of)

    with open_raster(file.path, file.shown) as raster:
        seen = look(detector, raster, run, count, once)
    if tiles > 1:
        journal.note("in tiles", f"{file.shown} ({tiles})")
    return seen


def _from_memory(
    memory: Memory, digest: str, journal: Journal, number: int, look_at: Callable[[], Detections]
) -> Detections:
    """What is seen in a tile of a picture, looked at once: large pictures take longer than people let them."""
    key = f"{digest} {number}"
    seen = memory.recall(key)
    if seen is None:
        seen = look_at()
        memory.keep(key, seen)
    else:
        journal.note("tiles resumed")
    return seen


def _tell_part(tell: Callable[[float], None], number: int, done: int, of: int) -> None:
    tell(number + done / of)


def _record(file: SourceFile, journal: Journal) -> ImageRecord | None:
    """The picture's size, place and SHA-256; None for one that cannot be read, which the journal lists."""
    bad = len(journal.skipped)
    try:
        digest = digest_of(file.path)
    except OSError as error:
        journal.bad(f"{file.shown}: cannot be read: {error.strerror or error}.")
        return None
    record = read_picture(file, file.image_name(), journal)
    if len(journal.skipped) > bad:
        return None
    return replace(record, further={**record.further, "sha256": digest})


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1

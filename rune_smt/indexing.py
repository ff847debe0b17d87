"""From annotation files to an archive: readers, images, vocabulary and the archive on disk joined together.

Nothing is printed here: everything that was repaired, skipped, assumed or left out is in the report.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, Unpack

import numpy as np

from rune_smt.building_parts import Pieces, build, working_folder
from rune_smt.detect.assemble import Assembled, Assembly, merged
from rune_smt.detect.auto import choose_format
from rune_smt.detect.columns import images_table
from rune_smt.detect.detector import Detector, ModelOptions, load_detector
from rune_smt.detect.dota import read_headers
from rune_smt.detect.files import as_size, list_files
from rune_smt.detect.formats import Format, find_format
from rune_smt.detect.gsd import GSD_RANGE
from rune_smt.detect.images import ImageRow, Pictures, find_pictures, is_picture, read_list, read_picture, read_table
from rune_smt.detect.merged_tiles import merge_tiles
from rune_smt.detect.records import MIN_AREA, Chunk, ImageName, ImageRecord, Ints, Journal, ReadOptions, SourceFile
from rune_smt.detect.report import IndexReport, notes_of, render_report
from rune_smt.detect.running import RunOptions, detector_format
from rune_smt.detect.shards import SHARD_BYTES, read_shards, shards_of
from rune_smt.detect.tile_names import TilePattern
from rune_smt.detect.tiling import OVERLAP, windows
from rune_smt.detect.yolo import read_names
from rune_smt.entities.archive import Archive, Facts, archive_from_arrow, is_archive, open_archive
from rune_smt.entities.compacting import PART_ENTITIES
from rune_smt.errors import DataError, QueryError
from rune_smt.grammar.vocabulary import Vocabulary
from rune_smt.resolving import (
    Classes,
    agreed_areas,
    attribute_columns,
    chosen_vocabulary,
    entities_table,
    merged_classes,
    resolve,
)
from rune_smt.side_by_side import Runner, in_processes

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["IndexReport", "index", "index_with_report", "render_report"]

PathLike: TypeAlias = str | os.PathLike[str]
Sources: TypeAlias = PathLike | Sequence[PathLike]
Tell: TypeAlias = Callable[[float], None]
Names: TypeAlias = PathLike | Sequence[str] | Mapping[int, str]

ASSUME_EXTENT = "assume_extent"
UNKNOWN = ("keep", "drop", "error")
CROWD = {"exclude": False, "mark": False, "keep": True}
MIN_SCORE = 0.05
LARGEST_TOLERANCE = 100.0  # px: beyond it an outline has little to do with its pixels


class IndexOptions(TypedDict, total=False):
    """The options of `index` and `index_with_report`: what they mean stands there."""

    format: str
    images: PathLike | None
    image_list: PathLike | None
    image_table: PathLike | None
    image_size: str | tuple[int, int] | None
    gsd: float | None
    headers: PathLike | None
    coco_gt: PathLike | None
    crowd: str
    names: Names | None
    vocabulary: str | Path | Vocabulary | None
    unknown: str
    min_score: float
    append: bool
    refit_sizes: bool
    overwrite: bool
    skip_bad: bool
    assume_extent: bool
    mask_suffix: str | None
    min_area: int
    palette: PathLike | None
    simplify: float
    label_field: str | None
    image_field: str | None
    line_width: str | None
    point_size: str | None
    join: bool
    tiles: str | None
    detector: str | Path | Detector | None
    device: str
    tile: int | None
    overlap: float
    workers: int
    progress: bool


def index(sources: Sources, out: PathLike | None = None, **options: Unpack[IndexOptions]) -> Archive:
    """An archive from annotation files or detections.

    sources  a file or folder, or several
    out      the folder to make; None keeps the archive in memory
    options  those of `index_with_report`, which also says what was repaired, skipped, assumed and left out:
             format, images, image_list, image_table, image_size, gsd, headers, coco_gt, crowd, names, vocabulary,
             unknown, min_score, append, refit_sizes, overwrite, skip_bad, assume_extent, mask_suffix, min_area,
             palette, simplify, label_field, image_field, line_width, point_size, join, tiles, detector, device, tile,
             overlap, workers, progress
    Raises DataError that names file and line, QueryError for options that cannot be.
    """
    return index_with_report(sources, out, **options).archive


@dataclass(frozen=True, slots=True)
class Indexed:
    """An archive, and how it came to be."""

    archive: Archive
    report: IndexReport

    def to_json(self) -> dict[str, Any]:
        """The report as plain dictionaries and lists, with the archive's place."""
        return {"archive": None if self.archive.path is None else str(self.archive.path), **self.report.to_json()}

    def render(self, *, ascii_only: bool = False) -> str:
        """The report as text: the table source name, class, how, count, and the notes."""
        return render_report(self.report, ascii_only=ascii_only)


def index_with_report(
    sources: Sources,
    out: PathLike | None = None,
    *,
    format: str = "auto",
    images: PathLike | None = None,
    image_list: PathLike | None = None,
    image_table: PathLike | None = None,
    image_size: str | tuple[int, int] | None = None,
    gsd: float | None = None,
    headers: PathLike | None = None,
    coco_gt: PathLike | None = None,
    crowd: str = "exclude",
    names: Names | None = None,
    vocabulary: str | Path | Vocabulary | None = None,
    unknown: str = "keep",
    min_score: float = MIN_SCORE,
    append: bool = False,
    refit_sizes: bool = False,
    overwrite: bool = False,
    skip_bad: bool = False,
    assume_extent: bool = False,
    mask_suffix: str | None = None,
    min_area: int = MIN_AREA,
    palette: PathLike | None = None,
    simplify: float = 0.0,
    label_field: str | None = None,
    image_field: str | None = None,
    line_width: str | None = None,
    point_size: str | None = None,
    join: bool = False,
    tiles: str | None = None,
    detector: str | Path | Detector | None = None,
    device: str = "auto",
    tile: int | None = None,
    overlap: float = OVERLAP,
    workers: int = 1,
    progress: bool = True,
    runner: Runner | None = None,
) -> Indexed:
    """Reads annotations or detections, and writes them as an archive.

    sources      a file or folder, or several
    out          the folder to make; None keeps the archive in memory
    format       auto, or a name of rune_smt.detect.formats; with join one for each source, parted by commas
    images       folder of pictures: sizes, and the images in which nothing was found
    image_list   file with one image name a line: the same without sizes
    image_table  CSV or Parquet with image_id and any of width, height, gsd, ...; its values come before the sources'
    image_size   (width, height) or "WxH", pixels, of images of unknown size
    gsd          metres a pixel of images that have none
    headers      folder of labelTxt files whose header lines give gsd and source
    coco_gt      COCO file that names the images and categories of a list of results
    crowd        exclude or keep COCO's iscrowd = 1
    names        class names by number: data.yaml, a file with one name a line, a list or a dictionary
    vocabulary   name or file; None takes the archive's own when appending, else the shipped one that knows most names
    unknown      names that the vocabulary lacks: keep (as classes without parent), drop (the entities) or error
    min_score    detections below it are left out; those kept have the ids that they would have without it
    append, overwrite  add to an archive at `out`, or replace it
    refit_sizes  with append: reference areas are fitted anew, over all; else they stay, and new classes get theirs
    skip_bad     leave out what cannot be read, and list it
    assume_extent  take images of unknown size to end at their largest x and y
    mask_suffix  how the names of masks end before the dot; None for _lab, _label, _labels, _mask
    min_area     parts of masks of fewer pixels are left out
    palette      file with a line 'R G B name' for each colour of masks
    simplify     how far outlines of masks may lie from the corners of their pixels, px; 0 keeps every corner
    label_field, image_field  properties of map features that say their class, and the scene they are in
    line_width, point_size    breadth of map features without area, such as '6m' or '20px'
    join         the sources are layers: images of one name are one scene with the entities of all of them
    tiles        the images are tiles of pictures, called by this pattern: "dota" (P0861__1024__0___1648) or with fields
                 such as "{image}_{x}_{y}"; each picture becomes one image
    detector     model file or name, or a detector: then the sources are pictures, and the entities what it sees in them
    device       auto, cpu or cuda, for the detector
    tile         side of the tiles, pixels, in which it sees pictures; None for its own choice, 0 for pictures whole
    overlap      what neighbouring tiles share, as part of the side
    workers      processes that read and build side by side, where there is much to read; the same archive in any number
    progress     show a progress bar, if standard error is a terminal
    runner       carries out the work in the place of `workers`: see rune_smt.cluster

    Much text of formats whose files can be read apart (DOTA, DOTA Task1, xBD) is read in shards and becomes parts of
    about a million entities. What is done is kept beside `out`: after an interruption the same call goes on from there.

    Raises DataError that names file and line (or that `out` exists), QueryError for options that cannot be.
    """
    paths = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    size = _image_size(image_size)
    _check_options(paths, gsd, crowd, unknown, min_score, min_area, simplify, append, refit_sizes, overwrite)
    present = _present_archive(out, append, overwrite)
    journal = Journal(skip_bad=skip_bad)
    pattern = TilePattern.of(tiles) if tiles is not None else None
    memory = _memory(out)
    layers: list[tuple[Format, list[SourceFile]]] = []
    if join:
        layers, chosen, why = _layers(format, paths, detector is not None, journal)
    elif detector is None:
        chosen, why = _format(format, paths, journal)
    else:
        options_of_model = ModelOptions(min_score=min_score, device=device, names=_names(names))
        chosen, why = _detecting(detector, options_of_model, format, RunOptions(tile, overlap, memory))
    if not join:
        layers = [(chosen, _files(paths, chosen, journal, named=format != "auto"))]
    files = [file for _, mine in layers for file in mine]
    pictures = find_pictures(images) if images is not None else None
    options = ReadOptions(
        journal=journal,
        pictures=pictures,
        image_size=size,
        names=_names(names),
        coco_gt=coco_gt,
        keep_crowd=CROWD[crowd],
        mask_suffix=mask_suffix,
        min_area=min_area,
        palette=palette,
        simplify=simplify,
        label_field=label_field,
        image_field=image_field,
        line_width=line_width,
        point_size=point_size,
    )
    with ExitStack() as stack:
        folder = None
        if out is not None and detector is None and not join and pattern is None and _is_much(chosen, files):
            folder = stack.enter_context(working_folder(Path(out)))
            run = stack.enter_context(in_processes(workers)) if runner is None else runner
        spilled = None
        with _progress(files, progress) as (watched, tell):
            if folder is None:
                read = _read(layers, watched, replace(options, tell=tell), join)
            else:
                spilled = read_shards(shards_of(chosen.name, files, options, folder, SHARD_BYTES), run, journal, tell)
                read = spilled.read
        extra = _Extra(
            pictures,
            read_list(image_list) if image_list is not None else None,
            read_table(image_table, journal) if image_table is not None else None,
            read_headers(headers, journal) if headers is not None else None,
            {"--image-list": image_list, "--image-table": image_table},
        )
        records = _all_images(read, chosen, extra, journal)
        if not chosen.names_every_image and not extra.names_images and not any(record.path for record in records):
            journal.note("only detections", count=len(records))
        if pattern is not None:
            read, records = merge_tiles(read, records, pattern, size, journal)
            size = None  # that of tiles, not of the pictures
        ids = image_ids([record.name for record in records])
        for record, image_id in zip(records, ids, strict=True):
            if image_id != record.name.stem:
                journal.note("ids by path", image_id)
        records = _completed(records, ids, extra, size, gsd, journal)
        if assume_extent:
            sizeless = [i for i, r in zip(ids, records, strict=True) if not (r.width and r.height)]
            journal.note_all("extent assumed", sizeless)
        if not records:
            journal.note("no images")

        own, how = chosen_vocabulary(vocabulary, read, present)
        own, classes, kept, rows = resolve(read, own, unknown, min_score, journal)
        taken = np.flatnonzero(kept)
        attributes, own = attribute_columns(read, classes, taken, own, journal)
        merged = merged_classes(read, classes, kept)
        if merged:
            journal.note("touching merge", count=len(merged), classes=", ".join(merged))
        table = images_table(ids, records, journal)
        facts = Facts(
            vocabulary={"name": own.name, "toml": own.to_toml()},
            assumptions=(ASSUME_EXTENT,) if assume_extent else (),
            merged=tuple(merged),
        )
        areas = agreed_areas(read, journal) or {}
        _refuse_known(ids, present)
        _refuse_raw_scores(read, taken, present)
        if spilled is None:
            entities = _entities(read, taken, ids, classes, attributes)
            place = Path(out) if out is not None else None
            archive = _write(entities, table, facts, place, present, areas, refit_sizes, overwrite)
        else:
            assert folder is not None and out is not None
            known = areas if present is None else present.reference_areas
            pieces = Pieces(folder, spilled, taken, ids, table, classes, attributes, known, facts, PART_ENTITIES)
            archive = build(pieces, run, Path(out), present=present, refit_sizes=refit_sizes, overwrite=overwrite)
        if detector is not None and memory is not None:
            memory.unlink(missing_ok=True)
    filled = np.unique(read.image[kept])
    report = IndexReport(
        format=chosen.name,
        why=why,
        vocabulary=own.name,
        how=how,
        files=len(files),
        images=len(records),
        entities=int(kept.sum()),
        empty_images=len(records) - len(filled),
        without_size=sum(record.width is None or record.height is None for record in records),
        without_gsd=sum(record.gsd is None for record in records),
        labels=rows,
        notes=notes_of(journal),
        skipped=tuple(journal.skipped),
    )
    return Indexed(archive, report)


# --- options and files ------------------------------------------------------------------------------------------------


def _check_options(
    paths: Sequence[PathLike],
    gsd: float | None,
    crowd: str,
    unknown: str,
    min_score: float,
    min_area: int,
    simplify: float,
    append: bool,
    refit_sizes: bool,
    overwrite: bool,
) -> None:
    if not paths:
        raise QueryError("No source to index.")
    if unknown not in UNKNOWN:
        raise QueryError(f"--unknown is keep, drop or error, got '{unknown}'.")
    if crowd not in CROWD:
        raise QueryError(f"--crowd is exclude or keep, got '{crowd}'.")
    if append and overwrite:
        raise QueryError("--append and --overwrite exclude each other.")
    if refit_sizes and not append:
        raise QueryError("--refit-sizes goes with --append: a new archive has its own sizes.")
    if not 0.0 <= min_score <= 1.0:
        raise QueryError(f"--min-score goes from 0 to 1, got {min_score}.")
    if min_area < 0:
        raise QueryError(f"--min-area is a number of pixels, got {min_area}.")
    if not 0.0 <= simplify <= LARGEST_TOLERANCE:
        raise QueryError(f"--simplify goes from 0 to {LARGEST_TOLERANCE:g} pixels, got {simplify}.")
    if gsd is not None and not GSD_RANGE[0] <= gsd <= GSD_RANGE[1]:
        raise QueryError(f"--gsd goes from {GSD_RANGE[0]} to {GSD_RANGE[1]:,.0f} m per pixel, got {gsd}.")


def _image_size(size: str | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    if isinstance(size, str):
        found = re.fullmatch(r"\s*(\d+)\s*[xX×,]\s*(\d+)\s*", size)
        sides: tuple[Any, ...] = (int(found[1]), int(found[2])) if found else ()
    else:
        sides = tuple(size)
    checked = [as_size(side) for side in sides]
    if len(checked) != 2 or checked[0] is None or checked[1] is None:
        raise QueryError(f"--image-size is WxH in pixels, both above 0, such as 1024x768; got '{size}'.")
    return checked[0], checked[1]


def _present_archive(out: PathLike | None, append: bool, overwrite: bool) -> Archive | None:
    """The archive to append to; a DataError for an output that is in the way, before anything is read."""
    if out is None:
        if append:
            raise QueryError("--append needs the archive to add to.")
        return None
    path = Path(out)
    if append and path.exists():
        return open_archive(path)
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return None
    if not is_archive(path):
        raise DataError(f"{path} exists and is not an archive; it is left alone.", hint="Choose another output.")
    if not overwrite:
        raise DataError(f"{path} exists.", hint="Add to it with --append, or replace it with --overwrite.")
    return None


def _format(name: str, paths: Sequence[PathLike], journal: Journal) -> tuple[Format, str]:
    if name != "auto":
        return find_format(name), ""
    choice = choose_format(paths)
    journal.note_all("other format", choice.others)
    return choice.format, choice.why


def _detecting(
    detector: str | Path | Detector, options: ModelOptions, format: str, run: RunOptions
) -> tuple[Format, str]:
    """Pictures as a format, read by a detector; and what reads them."""
    if format not in ("auto", "detector"):
        raise QueryError(f"--detector looks at pictures itself; --format {format} reads files that others made.")
    if run.tile is not None and run.tile < 0:
        raise QueryError(f"--tile is a number of pixels, or 0 for pictures whole; got {run.tile}.")
    windows(1, 1, run.tile or 1, run.overlap)  # refuses an overlap that cannot be before a model is loaded
    if isinstance(detector, str | Path):
        return detector_format(load_detector(detector, options), Path(detector).name, run), Path(detector).name
    name = type(detector).__name__
    return detector_format(detector, name, run), name


def _memory(out: PathLike | None) -> Path | None:
    """The file beside the output that keeps what a detector saw until the archive is written."""
    if out is None:
        return None
    path = Path(out).absolute()
    return path.parent / f".{path.name}.detections.jsonl"


def _layers(
    formats: str, paths: Sequence[PathLike], detecting: bool, journal: Journal
) -> tuple[list[tuple[Format, list[SourceFile]]], Format, str]:
    """Format and files of each source by itself; and what stands for all of them."""
    if detecting:
        raise QueryError("--join joins files: give the detections as a source, not --detector.")
    names = [name.strip() for name in formats.split(",")]
    if len(names) == 1:
        names *= len(paths)
    if len(names) != len(paths):
        raise QueryError(
            f"--format names {len(names)} formats for {len(paths)} sources.",
            hint="Give one for each, parted by commas, or one for all.",
        )
    layers, reasons = [], []
    for name, path in zip(names, paths, strict=True):
        chosen, why = _format(name, [path], journal)
        layers.append((chosen, _files([path], chosen, journal, named=name != "auto")))
        reasons += [f"{chosen.name}: {why}"] if why else []
    every = any(layer.names_every_image for layer, _ in layers)
    together = "+".join(dict.fromkeys(layer.name for layer, _ in layers))
    return layers, replace(layers[0][0], name=together, names_every_image=every), "; ".join(reasons)


def _as_layer(chunk: Chunk) -> Chunk:
    """The chunk with images by their names alone, so that those of all layers meet; entities are numbered anew."""
    images = [replace(record, name=ImageName(record.name.stem)) for record in chunk.images]
    return replace(chunk, images=images, entity_id=None)


def _files(paths: Sequence[PathLike], chosen: Format, journal: Journal, *, named: bool) -> list[SourceFile]:
    listing = list_files(paths, chosen.wanted_when_named if named and chosen.wanted_when_named else chosen.wanted)
    if not listing.files:
        shown = ", ".join(Path(path).as_posix() for path in paths)
        raise DataError(f"{shown}: no files of format {chosen.name} ({chosen.title}) found.")
    journal.note_all("file twice", listing.twice)
    journal.note_all("other files", [path for path in listing.others if not is_picture(PurePosixPath(path))])
    return listing.files


def _names(names: Names | None) -> Mapping[int, str] | None:
    if names is None or isinstance(names, Mapping):
        return names
    if isinstance(names, str | os.PathLike):
        return read_names(Path(names))
    return dict(enumerate(names))


class _Watched(Sequence[SourceFile]):
    """A list that tells how far it has been walked through."""

    def __init__(self, files: Sequence[SourceFile], tell: Any):
        self.files, self.tell = files, tell

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Any) -> Any:
        return self.files[index]

    def __iter__(self) -> Iterator[SourceFile]:
        for index, file in enumerate(self.files):
            self.tell(index)
            yield file


@contextmanager
def _progress(files: Sequence[SourceFile], wanted: bool) -> Iterator[tuple[Sequence[SourceFile], Tell | None]]:
    """The files and where to tell how many are done: a bar on standard error if that is a terminal or a notebook.

    Walking through the files tells by itself.
    """
    if not wanted:
        yield files, None
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield files, None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("reading", total=len(files))

        def tell(done: float) -> None:
            bar.update(task, completed=done)

        yield _Watched(files, tell), tell


# --- images -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Extra:
    """What is told of images beside the sources; None for what was not given."""

    pictures: Pictures | None
    listed: list[str] | None
    table: list[ImageRow] | None
    headers: list[ImageRecord] | None
    given: Mapping[str, PathLike | None]

    @property
    def names_images(self) -> bool:
        """Whether images without detections are named."""
        return self.pictures is not None or self.listed is not None or self.table is not None


def _all_images(read: Assembled, chosen: Format, extra: _Extra, journal: Journal) -> list[ImageRecord]:
    """The images of the sources, then those that only pictures, list or table name."""
    records = list(read.images)
    if extra.pictures is not None:
        records += _pictured(records, chosen, extra, extra.pictures, journal)
    stems = {stem for record in records for stem in record.name.longer()}
    for listed, flag in ((extra.listed, "--image-list"), (_table_names(extra, chosen), "--image-table")):
        if listed is None:
            continue
        named = set(listed)
        for record in records:
            if not named.intersection(record.name.longer()):
                journal.note("not in list", record.name.stem, given=Path(extra.given[flag] or "").as_posix())
        new = [name for name in listed if name not in stems]
        records += [ImageRecord(ImageName(name)) for name in new]
        stems.update(new)
    return records


def _table_names(extra: _Extra, chosen: Format) -> list[str] | None:
    """The images that a table names, where the sources do not name all themselves."""
    if extra.table is None or chosen.names_every_image:
        return None
    return [row.image_id for row in extra.table]


def _pictured(
    records: list[ImageRecord], chosen: Format, extra: _Extra, pictures: Pictures, journal: Journal
) -> list[ImageRecord]:
    """Gives the records their pictures' size and path, in place; the images that only a picture names come back."""
    taken: set[Any] = set()
    for index, record in enumerate(records):
        if record.path is not None and chosen.name == "yolo-obb":
            taken.add(Path(record.path))
            continue
        file = pictures.of(record.name, journal)
        if file is None:
            if record.name.stem not in pictures.by_stem:
                journal.note("picture missing", record.name.stem, folder=pictures.shown)
            continue
        taken.add(Path(file.path).resolve())
        seen = read_picture(file, record.name, journal)
        if None not in (record.width, record.height, seen.width, seen.height):
            ours, theirs = (record.width, record.height), (seen.width, seen.height)
            if ours != theirs:
                journal.note(
                    "size differs", f"{record.name.stem} ({ours[0]} x {ours[1]}, picture {theirs[0]} x {theirs[1]})"
                )
        records[index] = merged(replace(record, path=None), seen)
    left = [file for file in pictures.files if Path(file.path).resolve() not in taken]
    listed = set(extra.listed or ())
    stems = {record.name.stem for record in records}
    new = []
    for file in left:
        if chosen.names_every_image and file.path.stem not in listed:
            journal.note("picture not indexed", file.path.stem, folder=pictures.shown)
        elif file.path.stem not in stems:
            new.append(read_picture(file, file.image_name(), journal))
    return new


def image_ids(names: Sequence[ImageName]) -> list[str]:
    """The shortest of a name's ids that no other image of the same stem has."""
    same: dict[str, list[ImageName]] = {}
    for name in names:
        same.setdefault(name.stem, []).append(name)
    chosen: dict[ImageName, str] = {}
    for stem, group in same.items():
        for level in range(3):
            ids = [name.longer()[level] for name in group]
            if len(set(ids)) == len(ids):
                chosen.update(zip(group, ids, strict=True))
                break
        else:
            raise DataError(
                f"Two images are called '{stem}', in {group[0].root or 'the source'} and in {group[-1].root}."
            )
    return [chosen[name] for name in names]


def _completed(
    records: list[ImageRecord],
    ids: Sequence[str],
    extra: _Extra,
    size: tuple[int, int] | None,
    gsd: float | None,
    journal: Journal,
) -> list[ImageRecord]:
    """The records with what the table, the headers and the options say of them."""
    by_id = {image_id: index for index, image_id in enumerate(ids)}
    by_stem: dict[str, list[int]] = {}
    for index, record in enumerate(records):
        by_stem.setdefault(record.name.stem, []).append(index)
    done = list(records)
    for header in extra.headers or ():
        found = by_stem.get(header.name.stem, [])
        if not found:
            journal.note("header unused", header.name.stem)
        for index in found:
            done[index] = merged(done[index], header)
    for row in extra.table or ():
        found = [by_id[row.image_id]] if row.image_id in by_id else by_stem.get(row.image_id, [])
        if not found:
            journal.note("table row unused", row.image_id)
        for index in found:
            done[index] = merged(replace(row.record, name=done[index].name), done[index])
    for index, record in enumerate(done):
        if size is not None and (record.width is None or record.height is None):
            done[index] = record = replace(record, width=size[0], height=size[1])
            journal.note("size given", ids[index], size=f"{size[0]} x {size[1]}")
        if gsd is not None and record.gsd is None:
            done[index] = replace(record, gsd=float(gsd), gsd_source="option")
            journal.note("gsd given", ids[index], gsd=f"{gsd:g}")
    return done


# --- the archive ------------------------------------------------------------------------------------------------------


def _read(
    layers: Sequence[tuple[Format, list[SourceFile]]], watched: Sequence[SourceFile], options: ReadOptions, join: bool
) -> Assembled:
    """Everything in this process, in memory."""
    assembly = Assembly(options.journal)
    start = 0
    for layer, mine in layers:
        part = watched[start : start + len(mine)] if join else watched
        start += len(mine)
        for chunk in layer.read(part, options):
            assembly.add(_as_layer(chunk) if join else chunk)
    return assembly.finish()


def _is_much(chosen: Format, files: Sequence[SourceFile]) -> bool:
    """Whether there is more to read than one shard holds, in files that can be read apart."""
    if not chosen.files_apart:
        return False
    size = 0
    for file in files:
        with suppress(OSError):
            size += file.path.stat().st_size
    return size > SHARD_BYTES


def _refuse_raw_scores(read: Assembled, taken: Ints, present: Archive | None) -> None:
    """Scores of a detector beside probabilities would mean two things in one column."""
    if present is not None and present.facts.calibration is not None and bool((read.scores[taken] < 1).any()):
        raise DataError(
            f"The scores of {present.name} are probabilities, and what is to be added has scores of a detector.",
            hint="Add it to the archive before calibration, then: rune-smt calibrate ... --like this one.",
        )


def _refuse_known(ids: Sequence[str], present: Archive | None) -> None:
    twice = present.known(ids) if present is not None else []
    if twice and present is not None:
        more = f" and {len(twice) - 1} more are" if len(twice) > 1 else " is"
        raise DataError(
            f"Image '{twice[0]}'{more} in {present.path} already.",
            hint="Append only new images, or make the archive anew with --overwrite.",
        )


def _entities(
    read: Assembled, rows: Ints, ids: Sequence[str], classes: Classes, attributes: Mapping[str, Any]
) -> pa.Table:
    import pyarrow as pa

    everything = len(rows) == len(read)
    columns = {
        "entity_id": read.entity_id[rows],
        "score": pa.array(read.scores[rows], pa.float64()),
        "geometry": read.geometry if everything else read.geometry.take(pa.array(rows)),
        "source": read.origins if everything else read.origins.take(pa.array(rows)),
        **attributes,
    }
    return entities_table(ids, classes.label, read.labels, read.image[rows], read.label[rows], columns)


def _write(
    entities: pa.Table,
    images: pa.Table,
    facts: Facts,
    out: Path | None,
    present: Archive | None,
    areas: Mapping[str, float],
    refit_sizes: bool,
    overwrite: bool,
) -> Archive:
    if present is None:
        return archive_from_arrow(
            entities,
            images,
            vocabulary=facts.vocabulary,
            out=out,
            overwrite=overwrite,
            reference_areas=areas or None,
            assumptions=facts.assumptions,
            merged=facts.merged,
        )
    return present.append(
        entities,
        images,
        vocabulary=facts.vocabulary,
        refit_sizes=refit_sizes,
        assumptions=facts.assumptions,
        merged=facts.merged,
    )

"""Whole sets of made pictures on disk, in the formats that detectors are trained on and `rune-smt index` reads back."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from rune_smt.errors import DataError, LimitError, QueryError

from ..error_model import ErrorModel
from .annotations import CLASSES, Annotations, coco_document, write_annotations
from .detections import Detected, detect, write_detections
from .dials import AS_IT_COMES, Dials
from .scenes import kinds_of, make_scene
from .tables import write_picture

SetFormat: TypeAlias = Literal["dota", "coco", "yolo-obb", "masks", "scenes"]
Border: TypeAlias = Literal["keep", "clip"]
Made: TypeAlias = tuple[Annotations, Detected | None]

FORMATS: tuple[str, ...] = get_args(SetFormat)
SIZES = (64, 4096)  # pixels of a side
BATCH = 4  # scenes a worker makes at a time
IMAGE_COLUMNS = ("image_id", "width", "height", "gsd", "kind")
OBJECT_COLUMNS = (
    *("image_id", "entity_id", "label", "difficult", "occluded", "flooded", "network", "leads_out", "cut_off"),
)


@dataclass(frozen=True, slots=True)
class SetReport:
    """What was written.

    out       the folder
    read_with  the command that makes an archive of it
    detections, read_detections_with  the same of the scored detections; None where none were asked for
    classes   how many things of each class there are
    kinds     how many images of each kind of place
    """

    out: Path
    format: str
    images: int
    seed: int
    size: int
    dials: dict[str, Any]
    kinds: dict[str, int]
    classes: dict[str, int]
    vocabulary: str
    read_with: str
    seconds: float
    detections: int | None = None
    read_detections_with: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return {
            "out": str(self.out),
            "format": self.format,
            "images": self.images,
            "entities": sum(self.classes.values()),
            "seed": self.seed,
            "size": self.size,
            "dials": self.dials,
            "kinds": self.kinds,
            "classes": self.classes,
            "vocabulary": self.vocabulary,
            "read_with": self.read_with,
            "detections": self.detections,
            "read_detections_with": self.read_detections_with,
            "seconds": round(self.seconds, 2),
        }


def write_set(
    out: str | Path,
    images: int = 100,
    seed: int = 0,
    *,
    format: str = "dota",
    kinds: Sequence[str] | None = None,
    size: int = 1024,
    dials: Dials = AS_IT_COMES,
    pictures: str = "jpg",
    border: str = "keep",
    errors: ErrorModel | None = None,
    workers: int = 1,
    overwrite: bool = False,
    tell: Callable[[int], None] | None = None,
) -> SetReport:
    """Makes scenes and writes their pictures and exact annotations; the same arguments give the same bytes.

    out       the folder to make: images/, images.csv (size and gsd), objects.csv (what each thing has, hidden share and
              all), README.md, and by format
                dota      labelTxt/NAME.txt
                coco      annotations/instances.json: outlines as segmentation, masks for what has holes
                yolo-obb  labels/NAME.txt, data.yaml
                masks     masks/NAME_lab.png (classes), masks/NAME_inst.png (numbers of things), names.txt
                scenes    set.scenes.jsonl: as the archive has them, attributes too
    images    how many; scene i depends on the seed, i, size, kinds and dials alone
    kinds     of places, in turn; None for all whose classes are those of dota-v1.5
    size      side of the pictures, pixels, 64 to 4,096
    dials     how the pictures are taken
    pictures  jpg or png
    border    a thing that reaches beyond the picture is kept as it is, or clipped to it (corner by corner): Ultralytics
              passes over pictures with labels outside
    errors    of a detector: then detections/ has scored detections of the same scenes, as it would report them
    workers   processes; with more than one a script needs `if __name__ == "__main__":`
    overwrite  replaces a folder that is there
    tell      called with the number of scenes done

    Raises DataError where `out` exists or cannot be written, QueryError for what cannot be asked for.
    """
    started = time.monotonic()
    chosen = kinds_of(kinds)
    _refuse(images, size, format, chosen, pictures, border, workers, errors)
    job = partial(
        _write_scene,
        seed=seed,
        kinds=chosen,
        size=size,
        dials=dials,
        format=format,
        pictures=pictures,
        border=border,
        errors=errors,
    )
    rows: list[Annotations] = []
    found: list[Detected] = []
    with _fresh_folder(Path(out), overwrite) as folder:
        for row, detected in _mapped(partial(job, folder), images, workers):
            rows.append(row)
            found += [detected] if detected is not None else []
            if tell is not None:
                tell(len(rows))
        vocabulary = rows[0].vocabulary
        report = SetReport(
            out=Path(out),
            format=format,
            images=images,
            seed=seed,
            size=size,
            dials=dials.turned(),
            kinds=dict(sorted(Counter(row.kind for row in rows).items())),
            classes=dict(sorted(Counter(label for row in rows for label in row.labels).items())),
            vocabulary=vocabulary,
            read_with=_read_with(Path(out), format, vocabulary),
            detections=None if errors is None else sum(len(detected.labels) for detected in found),
            read_detections_with=None if errors is None else _read_detections_with(Path(out), format, vocabulary),
            seconds=time.monotonic() - started,
        )
        _write_shared(folder, rows, report)
        if errors is not None:
            write_detections(found, folder, format, CLASSES[vocabulary])
    return report


def _refuse(
    images: int,
    size: int,
    format: str,
    kinds: Sequence[str],
    pictures: str,
    border: str,
    workers: int,
    errors: ErrorModel | None,
) -> None:
    """QueryError for what cannot be asked for."""
    for name, value, allowed in (
        ("format", format, FORMATS), ("pictures", pictures, ("jpg", "png")), ("border", border, get_args(Border)),
    ):  # fmt: skip
        if value not in allowed:
            raise QueryError(f"No {name} '{value}'.", hint=f"There are: {', '.join(allowed)}.")
    if images < 1 or workers < 1:
        raise QueryError("There must be at least one image, and one worker.")
    if not SIZES[0] <= size <= SIZES[1]:
        raise QueryError(f"Pictures have sides of {SIZES[0]} to {SIZES[1]:,} pixels, got {size:,}.")
    if errors is not None and "flooded_street" in kinds:
        raise QueryError("The errors of a detector are those of boxes; a flood's water, roads and lawns are none.")
    if errors is not None and format == "masks":
        raise QueryError("Masks have no scores.", hint="Write detections as dota, coco, yolo-obb or scenes.")
    if "flooded_street" in kinds and format in ("dota", "yolo-obb"):
        raise QueryError(
            f"A flood's water, roads and lawns have holes, which the boxes of {format} cannot hold.",
            hint="Write it as masks, coco or scenes.",
        )


@contextmanager
def _fresh_folder(out: Path, overwrite: bool) -> Iterator[Path]:
    """A folder beside `out` that takes its name once all is written: what is half done never has it."""
    if out.exists() and not overwrite:
        raise DataError(f"{out} exists.", hint="Give another name, or --overwrite to replace it.")
    if out.exists() and not (out.is_dir() and ((out / "objects.csv").is_file() or not any(out.iterdir()))):
        raise DataError(f"{out} is no set of made pictures, and is not replaced.", hint="Give another name.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        folder.chmod(0o755)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}.") from error
    try:
        yield folder
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mapped(job: Callable[[int], Made], count: int, workers: int) -> Iterator[Made]:
    """The job of every number below `count`, in order."""
    if workers == 1 or count == 1:
        yield from map(job, range(count))
        return
    # new processes, not forked ones: the threads of Arrow and of a progress bar do not survive a fork
    try:
        with ProcessPoolExecutor(min(workers, count), mp_context=get_context("spawn")) as pool:
            yield from pool.map(job, range(count), chunksize=min(BATCH, -(-count // workers)))
    except BrokenProcessPool as error:
        raise LimitError(
            "A worker ended before its work was done: out of memory, or it could not start.",
            hint="Take one worker; a script that takes more needs `if __name__ == \"__main__\":`.",
        ) from error


def _write_scene(
    folder: Path,
    index: int,
    *,
    seed: int,
    kinds: Sequence[str],
    size: int,
    dials: Dials,
    format: str,
    pictures: str,
    border: str,
    errors: ErrorModel | None,
) -> Made:
    """One scene's own files; what goes into shared ones comes back."""
    scene = make_scene(index, seed, size, kinds=kinds, dials=dials, withhold=False)
    picture = write_picture(scene, folder / "images", pictures)
    made = write_annotations(scene, folder, format, picture.name, clip=border == "clip")
    return made, None if errors is None else detect(scene, errors, CLASSES[scene.vocabulary])


def _write_shared(folder: Path, rows: Sequence[Annotations], report: SetReport) -> None:
    """What is written once for the whole set."""
    _write_csv(folder / "images.csv", IMAGE_COLUMNS, [row.image for row in rows])
    _write_csv(folder / "objects.csv", OBJECT_COLUMNS, [thing for row in rows for thing in row.objects])
    names = CLASSES[report.vocabulary]
    match report.format:
        case "coco":
            (folder / "annotations").mkdir()
            text = json.dumps(coco_document(rows, names), ensure_ascii=False, separators=(",", ":"))
            _write(folder / "annotations" / "instances.json", text + "\n")
        case "yolo-obb":
            listed = "".join(f"  {number}: {name}\n" for number, name in enumerate(names))
            _write(folder / "data.yaml", f"path: .\ntrain: images\nval: images\nnames:\n{listed}")
        case "masks":
            _write(folder / "names.txt", "".join(f"{name}\n" for name in ("background", *names)))
        case "scenes":
            _write(folder / "set.scenes.jsonl", "".join(f"{row.scene}\n" for row in rows))
    dials = ", ".join(f"{name} {value:g}" for name, value in report.dials.items()) or "as they stand"
    _write(
        folder / "README.md",
        f"# {report.images} made pictures\n\n"
        f"Seed {report.seed}, {report.size} px, {report.format}; kinds: {', '.join(report.kinds)}; dials: {dials}.\n"
        "Nothing in them is real; every annotation is exact. `objects.csv` has a line for each thing: `occluded` is\n"
        "the share of it that crowns and clouds hide, `difficult` is 1 where that is more than half or where less\n"
        "than 0.7 of its box lies in the picture; of floods, `network` numbers the dry roads that are connected,\n"
        "`leads_out` says whether they reach the border, and `cut_off` whether a building has none of those near.\n\n"
        f"    {_read_with(Path(report.out.name), report.format, report.vocabulary)}\n"
        + ("" if report.detections is None else _about_detections(report)),
    )


def _about_detections(report: SetReport) -> str:
    read = _read_detections_with(Path(report.out.name), report.format, report.vocabulary)
    return (
        f"\n`detections/` has {report.detections:,} scored detections of the same scenes, made with a model of a\n"
        f"detector's errors, not with a detector.\n\n    {read}\n"
    )


def _read_with(out: Path, format: str, vocabulary: str) -> str:
    """The command that makes an archive of the set."""
    where = {
        "dota": out / "labelTxt",
        "coco": out / "annotations",
        "yolo-obb": out / "labels",
        "masks": out / "masks",
        "scenes": out / "set.scenes.jsonl",
    }[format]
    extra = f" --names {out / 'names.txt'} --min-area 1" if format == "masks" and vocabulary != "flood" else ""
    table = "" if format in ("coco", "scenes") else f" --image-table {out / 'images.csv'}"
    archive, images = out.with_name(out.name + ".rune"), out / "images"
    options = f"--format {format} --images {images}{table}{extra} --vocabulary {vocabulary}"
    return f"rune-smt index {where} -o {archive} {options}"


def _read_detections_with(out: Path, format: str, vocabulary: str) -> str:
    """The command that makes an archive of the detections."""
    archive, folder = out.with_name(out.name + "-detections.rune"), out / "detections"
    reader = "dota-task1" if format == "dota" else format
    extra = f" --coco-gt {out / 'annotations' / 'instances.json'}" if format == "coco" else ""
    extra += f" --image-table {out / 'images.csv'}" if format in ("dota", "yolo-obb") else ""
    images = f" --images {out / 'images'}"
    return f"rune-smt index {folder} -o {archive} --format {reader}{images}{extra} --vocabulary {vocabulary}"


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")

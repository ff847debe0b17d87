"""xBD: a JSON a picture, before and after a disaster; buildings in pixels as WKT, with their damage.

R. Gupta et al., Creating xBD: A Dataset for Assessing Building Damage from Satellite Imagery, CVPR Workshops 2019.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import shapely

from rune_smt.detect.files import as_size, as_text, parse_json, read_bytes
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.gsd import parse_gsd
from rune_smt.detect.records import Chunk, Chunks, ImageRecord, Outlines, ReadOptions, SourceFile
from rune_smt.errors import DataError

UNKNOWN_DAMAGE = frozenset({"un-classified", "unclassified"})
NAMED = re.compile(r"(.+)_(pre|post)_disaster")


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a file. Columns of the image: group, epoch (pre, post), disaster; of a building: damage, object_id."""
    for file in files:
        try:
            document = parse_json(as_text(read_bytes(file.path, file.shown), file.shown), file.shown)
        except DataError as error:
            options.journal.bad(error.message, hint=error.hint)
            continue
        features = document.get("features") if isinstance(document, dict) else None
        buildings = features.get("xy") if isinstance(features, dict) else None
        if not isinstance(buildings, list):
            options.journal.bad(f"{file.shown}: expected an xBD label with features.xy.")
            continue
        metadata = document.get("metadata") or {}
        if not isinstance(metadata, dict):
            options.journal.bad(f"{file.shown}: its metadata are no object.")
            metadata = {}
        yield _chunk(file, metadata, buildings, options)


def _chunk(file: SourceFile, metadata: Mapping[str, Any], buildings: Sequence[Any], options: ReadOptions) -> Chunk:
    labels: list[str] = []
    shapes: dict[int, Any] = {}
    origins: list[str] = []
    damage: list[str | None] = []
    identity: list[str | None] = []
    for index, building in enumerate(buildings):
        place = f"{file.shown}: features.xy {index}"
        try:
            shape = shapely.from_wkt(building["wkt"])
            if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
                raise ValueError("its outline has no point, or one that is not finite")
            if shape.geom_type not in ("Polygon", "MultiPolygon"):
                raise ValueError(f"its outline is a {shape.geom_type}")
        except (KeyError, TypeError, AttributeError, ValueError, shapely.errors.ShapelyError) as error:
            options.journal.bad(f"{place}: no outline as WKT: {str(error).splitlines()[0].rstrip('.')}.")
            continue
        properties = building.get("properties") or {}
        subtype = properties.get("subtype") if isinstance(properties, dict) else None
        if not isinstance(properties, dict) or not isinstance(subtype, str | None):
            options.journal.bad(f"{place}: its properties are no object, or its subtype no text.")
            continue
        shapes[len(labels)] = shapely.force_2d(shape)
        labels.append(str(properties.get("feature_type") or "building"))
        known = subtype is not None and subtype not in UNKNOWN_DAMAGE
        damage.append(str(subtype).replace("-", "_") if known else None)
        identity.append(str(properties["uid"]) if properties.get("uid") is not None else None)
        origins.append(f"{file.origin}#{index}")
    n = len(labels)
    return Chunk(
        images=(_record(file, metadata, options),),
        image=np.zeros(n, dtype=np.int64),
        labels=labels,
        scores=np.ones(n),
        outlines=Outlines.of_lists([()] * n, shapes),
        origins=origins,
        attributes={"damage": damage, "object_id": identity} if n else {},
    )


def _record(file: SourceFile, metadata: Mapping[str, Any], options: ReadOptions) -> ImageRecord:
    gsd = parse_gsd(metadata.get("gsd"), file.shown, options.journal)
    further: dict[str, Any] = {}
    named = NAMED.fullmatch(str(file.path.stem))
    if named is not None:
        further = {"group": named[1], "epoch": named[2]}
    for key, value in metadata.items():
        if key in ("width", "height", "gsd") or not isinstance(value, str | int | float) or isinstance(value, bool):
            continue
        further["acquired" if key == "capture_date" else key] = value
    width, height = as_size(metadata.get("width")), as_size(metadata.get("height"))
    source = "xbd" if gsd is not None else None
    return ImageRecord(file.image_name(), width, height, gsd, source, None, further)


def sniff(sample: Sample) -> str | None:
    """Why the text looks like an xBD label, or None."""
    return "features.xy with wkt" if '"xy"' in sample.text and sample.holds('"wkt"') else None


def wanted(path: PurePosixPath) -> bool:
    """JSON files, of which those of predictions and targets are called otherwise."""
    return path.suffix.lower() == ".json"


FORMAT = Format(
    name="xbd",
    title="xBD labels",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=True,
    files_apart=True,
)

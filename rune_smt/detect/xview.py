"""xView: one GeoJSON of boxes in pixels. `bounds_imcoords` counts, the geometry beside it does not.

D. Lam et al., xView: Objects in Context in Overhead Imagery, arXiv:1802.07856; names as in its xview_class_labels.txt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from rune_smt.detect.files import LARGEST_COORDINATE, as_text, parse_json, read_bytes
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.images import without_picture_suffix
from rune_smt.detect.records import Chunk, Chunks, ImageName, ImageRecord, Outlines, ReadOptions, SourceFile
from rune_smt.errors import DataError

OWN_FIELDS = frozenset({"bounds_imcoords", "type_id", "image_id"})
NAMES = {
    11: "Fixed-wing Aircraft", 12: "Small Aircraft", 13: "Cargo Plane", 15: "Helicopter", 17: "Passenger Vehicle",
    18: "Small Car", 19: "Bus", 20: "Pickup Truck", 21: "Utility Truck", 23: "Truck", 24: "Cargo Truck",
    25: "Truck with Box", 26: "Truck Tractor", 27: "Trailer", 28: "Truck with Flatbed", 29: "Truck with Liquid",
    32: "Crane Truck", 33: "Railway Vehicle", 34: "Passenger Car", 35: "Cargo Car", 36: "Flat Car", 37: "Tank Car",
    38: "Locomotive", 40: "Maritime Vessel", 41: "Motorboat", 42: "Sailboat", 44: "Tugboat", 45: "Barge",
    47: "Fishing Vessel", 49: "Ferry", 50: "Yacht", 51: "Container Ship", 52: "Oil Tanker", 53: "Engineering Vehicle",
    54: "Tower Crane", 55: "Container Crane", 56: "Reach Stacker", 57: "Straddle Carrier", 59: "Mobile Crane",
    60: "Dump Truck", 61: "Haul Truck", 62: "Scraper or Tractor", 63: "Front Loader or Bulldozer", 64: "Excavator",
    65: "Cement Mixer", 66: "Ground Grader", 71: "Hut or Tent", 72: "Shed", 73: "Building", 74: "Aircraft Hangar",
    76: "Damaged Building", 77: "Facility", 79: "Construction Site", 83: "Vehicle Lot", 84: "Helipad",
    86: "Storage Tank", 89: "Shipping Container Lot", 91: "Shipping Container", 93: "Pylon", 94: "Tower",
}  # fmt: skip


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a file. Features with empty bounds are counted; a type without a name is `unknown_75`."""
    for file in files:
        try:
            document = parse_json(as_text(read_bytes(file.path, file.shown), file.shown), file.shown)
        except DataError as error:
            options.journal.bad(error.message, hint=error.hint)
            continue
        features = document.get("features") if isinstance(document, dict) else None
        if not isinstance(features, list):
            options.journal.bad(f"{file.shown}: expected a GeoJSON FeatureCollection with bounds_imcoords.")
            continue
        yield _chunk(file, features, options)


def _chunk(file: SourceFile, features: Sequence[Any], options: ReadOptions) -> Chunk:
    images: dict[str, int] = {}
    image: list[int] = []
    labels: list[str] = []
    boxes: list[list[float]] = []
    origins: list[str] = []
    fields: list[Mapping[str, Any]] = []
    for index, feature in enumerate(features):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        place = f"{file.shown}: feature {index}"
        if not isinstance(properties, dict) or not properties.get("image_id"):
            options.journal.bad(f"{place}: no properties with an image_id.")
            continue
        number = images.setdefault(without_picture_suffix(str(properties["image_id"])), len(images))
        if not str(properties.get("bounds_imcoords") or "").strip():
            options.journal.note("no bounds", place)
            continue
        box = _box(properties["bounds_imcoords"])
        if box is None:
            got = str(properties["bounds_imcoords"])[:60]
            options.journal.bad(f"{place}: bounds_imcoords must be 'xmin,ymin,xmax,ymax', got '{got}'.")
            continue
        image.append(number)
        labels.append(_label(properties.get("type_id"), options.names or NAMES))
        boxes.append(box)
        origins.append(f"{file.origin}#{index}")
        fields.append({k: v for k, v in properties.items() if k not in OWN_FIELDS and isinstance(v, str | int | float)})
    corners = np.array(boxes, dtype=np.float64).reshape(-1, 4)[:, [0, 1, 2, 1, 2, 3, 0, 3]]
    keys = dict.fromkeys(key for field in fields for key in field)
    return Chunk(
        images=[ImageRecord(ImageName(stem, file.folder, file.root)) for stem in images],
        image=np.array(image, dtype=np.int64),
        labels=labels,
        scores=np.ones(len(labels)),
        outlines=Outlines.of_quads(corners),
        origins=origins,
        attributes={key: [field.get(key) for field in fields] for key in keys},
    )


def _box(text: Any) -> list[float] | None:
    try:
        numbers = [float(part) for part in str(text).split(",")]
    except ValueError:
        return None
    return numbers if len(numbers) == 4 and all(abs(n) <= LARGEST_COORDINATE for n in numbers) else None


def _label(type_id: Any, names: Mapping[int, str]) -> str:
    try:
        return names.get(int(type_id)) or f"unknown_{int(type_id)}"
    except (TypeError, ValueError, OverflowError):
        return "unknown"


def sniff(sample: Sample) -> str | None:
    """Why the text looks like xView, or None."""
    return "features with bounds_imcoords" if '"bounds_imcoords"' in sample.text else None


def wanted(path: PurePosixPath) -> bool:
    """Any GeoJSON."""
    return path.suffix.lower() in {".geojson", ".json"}


FORMAT = Format(
    name="xview",
    title="xView GeoJSON",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=False,
)

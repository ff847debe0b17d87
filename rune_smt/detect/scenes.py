"""Scenes, one JSON object a line (.scenes.jsonl): what Scene.to_json writes."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import shapely

from rune_smt.detect.files import LARGEST_COORDINATE, as_size, parse_json, read_lines
from rune_smt.detect.formats import Format, Sample
from rune_smt.detect.gsd import parse_gsd
from rune_smt.detect.records import (
    Chunk,
    Chunks,
    Floats,
    ImageName,
    ImageRecord,
    Journal,
    Outlines,
    ReadOptions,
    SourceFile,
)
from rune_smt.entities.geometry import OutlineError, polygon
from rune_smt.errors import DataError

OWN_FIELDS = frozenset({"image_id", "width", "height", "gsd", "gsd_source", "path", "entities", "reference_areas"})
OWN_ENTITY_FIELDS = frozenset({"entity_id", "label", "score", "polygon", "attributes"})
LARGEST_ID = 2**31 - 1
NUMBER = (int, float)  # what JSON makes of numbers; bool is another type


def read(files: Sequence[SourceFile], options: ReadOptions) -> Chunks:
    """One chunk a scene. A line that is no scene is bad data at file:line."""
    places: dict[str, str] = {}
    for file in files:
        lines = read_lines(file, options.journal)
        if lines is None:
            continue
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{file.shown}:{number}"
            try:
                scene = parse_json(line, file.shown, number)
                chunk = _scene(scene, place, f"{file.origin}:{number}", options.journal)
                image_id = chunk.images[0].name.stem
                if image_id in places:
                    raise DataError(f"{place}: image '{image_id}' is named twice; first at {places[image_id]}.")
            except DataError as error:
                options.journal.bad(error.message, hint=error.hint)
                continue
            places[image_id] = place
            yield chunk


def _scene(scene: Any, place: str, origin: str, journal: Journal) -> Chunk:
    if not isinstance(scene, Mapping) or not isinstance(scene.get("image_id"), str) or not scene["image_id"]:
        raise DataError(f"{place}: expected a scene: an object with a text 'image_id' and a list 'entities'.")
    entities = scene.get("entities")
    if not isinstance(entities, list):
        raise DataError(f"{place}: scene '{scene['image_id']}' has no list 'entities'.")
    ids: list[int] = []
    taken: set[int] = set()
    labels: list[str] = []
    scores: list[float] = []
    rings: list[list[Floats]] = []
    ready: dict[int, Any] = {}
    fields: list[dict[str, Any]] = []
    for index, entity in enumerate(entities):
        try:
            entity_id, label, score = _entity(entity, index, taken)
            outline, shape = _outline(entity.get("polygon"))
        except (OutlineError, ValueError) as error:
            text = error.message if isinstance(error, OutlineError) else str(error)
            hint = error.hint if isinstance(error, OutlineError) else None
            journal.bad(f"{place}: entity {index}: {text}", hint=hint)
            continue
        if shape is not None:
            ready[len(labels)] = shape
        ids.append(entity_id)
        taken.add(entity_id)
        labels.append(label)
        scores.append(score)
        rings.append(outline)
        fields.append(_further(entity))
    columns = {name: [f.get(name) for f in fields] for name in dict.fromkeys(key for f in fields for key in f)}
    return Chunk(
        images=(_record(scene, place, journal),),
        image=np.zeros(len(labels), dtype=np.int64),
        labels=labels,
        scores=np.array(scores, dtype=np.float64),
        outlines=Outlines.of_lists(rings, ready),
        origins=[origin] * len(labels),
        attributes=columns,
        entity_id=np.array(ids, dtype=np.int64),
        reference_areas=_areas(scene.get("reference_areas"), place),
    )


def _entity(entity: Any, index: int, taken: Container[int]) -> tuple[int, str, float]:
    """Number, label and score. ValueError says what is wrong with them."""
    if not isinstance(entity, Mapping):
        raise ValueError(f"expected an object, got {type(entity).__name__}.")
    entity_id = entity.get("entity_id", index)
    if isinstance(entity_id, bool) or not isinstance(entity_id, int) or not 0 <= entity_id <= LARGEST_ID:
        raise ValueError(f"entity_id must be a whole number from 0 to {LARGEST_ID}, got {entity_id!r}.")
    if entity_id in taken:
        raise ValueError(f"entity_id {entity_id} occurs twice in its scene.")
    label = entity.get("label")
    if not isinstance(label, str) or not label:
        raise ValueError(f"label must be a class name, got {label!r}.")
    score = entity.get("score")
    score = 1.0 if score is None else score
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0.0 <= score <= 1.0:
        raise ValueError(f"score must be from 0 to 1, got {score!r}.")
    return entity_id, label, float(score)


def _outline(value: Any) -> tuple[list[Floats], Any]:
    """One ring of a list of points, or a geometry of a list of rings or of polygons. DataError or ValueError."""
    shape = None
    if _is_points(value):
        points = np.array(value, dtype=np.float64)
        rings = [points[:-1] if len(points) > 1 and (points[0] == points[-1]).all() else points]
    else:
        shape, rings = polygon(value), []
        points = shapely.get_coordinates(shape)
    if not np.isfinite(points).all():
        raise ValueError("an outline has a coordinate that is NaN or infinite.")
    if not (np.abs(points) <= LARGEST_COORDINATE).all():
        raise ValueError("an outline has a coordinate that is beyond any picture.")
    return rings, shape


def _is_points(value: Any) -> bool:
    """A list of pairs of numbers."""
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(p, list) and len(p) == 2 and type(p[0]) in NUMBER and type(p[1]) in NUMBER for p in value)
    )


def _further(entity: Mapping[str, Any]) -> dict[str, Any]:
    """The scalar values of `attributes` and of further fields; null is a missing value."""
    found = {k: v for k, v in entity.items() if k not in OWN_ENTITY_FIELDS and _scalar(v)}
    attributes = entity.get("attributes")
    if isinstance(attributes, Mapping):
        found.update({str(k): v for k, v in attributes.items() if _scalar(v)})
    return found


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _record(scene: Mapping[str, Any], place: str, journal: Journal) -> ImageRecord:
    sides = {}
    for side in ("width", "height"):
        value = scene.get(side)
        sides[side] = as_size(value)
        if value is not None and sides[side] is None:
            journal.bad(f"{place}: {side} must be a whole number of pixels above 0, got {value!r}.")
    gsd = parse_gsd(scene.get("gsd"), f"{place} ('{scene['image_id']}')", journal)
    further = {k: v for k, v in scene.items() if k not in OWN_FIELDS and v is not None and _scalar(v)}
    transform = scene.get("transform")
    if transform is not None:
        numbers = isinstance(transform, list) and all(isinstance(v, int | float) and abs(v) < np.inf for v in transform)
        if numbers and len(transform) == 6:
            further["transform"] = [float(value) for value in transform]
        else:
            journal.bad(f"{place}: transform must be six numbers, got {transform!r}.")
    path = scene.get("path")
    source = scene.get("gsd_source") or "scenes"
    return ImageRecord(
        ImageName(scene["image_id"]),
        sides["width"],
        sides["height"],
        gsd,
        str(source) if gsd is not None else None,
        str(path) if path else None,
        further,
    )


def _areas(areas: Any, place: str) -> Mapping[str, float] | None:
    if not areas:
        return None
    good = isinstance(areas, Mapping) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v < np.inf for v in areas.values()
    )
    if not good:
        raise DataError(f"{place}: reference_areas must be areas in square pixels by class, got {areas!r}.")
    return {str(label): float(area) for label, area in areas.items()}


def sniff(sample: Sample) -> str | None:
    """Why the text looks like scenes, or None."""
    rows = [line for line in sample.lines if line.strip()] or [sample.text]
    if rows[0].lstrip().startswith("{") and '"entities"' in sample.text and '"image_id"' in sample.text:
        return "an object with image_id and entities a line"
    return None


def wanted(path: PurePosixPath) -> bool:
    """Any .jsonl file; .scenes.jsonl is what this program writes."""
    return path.suffix.lower() == ".jsonl"


FORMAT = Format(
    name="scenes",
    title="scenes, one JSON object a line",
    read=read,
    sniff=sniff,
    wanted=wanted,
    names_every_image=True,
)

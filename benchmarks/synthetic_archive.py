"""Archives to measure on: rotated boxes with real float corners, heavy-tailed counts, things that stand in groups.

Counts of entities are log-normal: median 24, mean about 75, some images over 1,000. An image holds one to five of the
fifteen DOTA classes; things of a class stand in groups with a common direction, as cars on a car park do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

MEDIAN, SIGMA = 24.0, 1.51  # mean = median * exp(sigma^2 / 2) = 75
CHUNK = 20_000  # images made at once
PART = 100_000  # images of a part of the archive
SIDES = (800, 1024, 2048, 4000)
# class: how often an image has it, its share there, typical length in px, length / width
CLASSES: dict[str, tuple[float, float, float, float]] = {
    "small_vehicle": (0.45, 12.0, 22, 2.1),
    "large_vehicle": (0.30, 5.0, 50, 3.4),
    "ship": (0.25, 6.0, 45, 3.0),
    "plane": (0.12, 3.0, 70, 1.1),
    "harbor": (0.18, 1.5, 160, 3.5),
    "storage_tank": (0.08, 4.0, 40, 1.0),
    "tennis_court": (0.12, 1.5, 80, 2.0),
    "bridge": (0.10, 0.6, 120, 4.0),
    "swimming_pool": (0.12, 1.0, 35, 1.5),
    "helicopter": (0.04, 0.8, 50, 1.3),
    "roundabout": (0.08, 0.4, 70, 1.0),
    "basketball_court": (0.06, 0.6, 70, 1.8),
    "baseball_diamond": (0.06, 0.5, 110, 1.0),
    "soccer_ball_field": (0.05, 0.4, 200, 1.6),
    "ground_track_field": (0.05, 0.3, 280, 1.7),
}


def make_archive(path: Path, images: int, seed: int = 1) -> None:
    """Writes an archive with that many images, a part for every `PART`; the same numbers give the same archive."""
    from rune_smt.entities.archive import archive_from_arrow, open_archive
    from rune_smt.grammar.vocabulary import load_vocabulary

    vocabulary = load_vocabulary("dota-v1.0")
    rng = np.random.default_rng(seed)
    for start in range(0, images, PART):
        entities, table = _part(rng, start, min(PART, images - start))
        if start:
            open_archive(path).append(entities, table)
            print(f"{start + PART:,} images", flush=True)
            continue
        archive_from_arrow(
            entities, table, vocabulary={"name": vocabulary.name, "toml": vocabulary.to_toml()}, out=path,
            overwrite=True,
        )  # fmt: skip


def _part(rng: np.random.Generator, first: int, images: int) -> tuple[Any, Any]:
    """The entities and the images of a part."""
    parts = [_entities(rng, start, min(CHUNK, first + images - start)) for start in range(first, first + images, CHUNK)]
    sides = np.concatenate([sides for sides, _ in parts])
    table = pa.table(
        {
            "image_id": pa.array([_name(i) for i in range(first, first + images)]),
            "width": pa.array(sides, pa.int32()),
            "height": pa.array(sides, pa.int32()),
            "gsd": pa.array(np.full(images, 0.3)),
        }
    )
    return pa.concat_tables([entities for _, entities in parts]), table


def _name(image: int) -> str:
    return f"I{image:07d}"


def _entities(rng: np.random.Generator, first: int, images: int) -> tuple[Any, Any]:
    """The sides of the images, px, int64 (images,), and the Arrow table of their entities."""
    sides = rng.choice(SIDES, images)
    image, label = _labels(rng, images)
    n = len(image)
    names = list(CLASSES)
    lengths = np.array([CLASSES[name][2] for name in names])
    ratios = np.array([CLASSES[name][3] for name in names])

    side = sides[image].astype(float)
    group = _groups(rng, image * len(names) + label)
    groups = int(group.max(initial=-1)) + 1
    centre = rng.uniform(0, 1, (groups, 2))[group] * side[:, None]
    direction = rng.uniform(0, np.pi, groups)[group] + rng.normal(0, 0.05, n)
    length = lengths[label] * rng.lognormal(0, 0.15, n)
    width = length / ratios[label] * rng.lognormal(0, 0.08, n)
    middle = centre + _places(rng, group, direction, 1.2 * lengths[label], 1.5 * (lengths / ratios)[label])
    middle = np.clip(middle, 0, side[:, None])

    along = np.stack([np.cos(direction), np.sin(direction)], 1) * length[:, None] / 2
    across = np.stack([-np.sin(direction), np.cos(direction)], 1) * width[:, None] / 2
    corners = np.stack([middle + along + across, middle - along + across, middle - along - across,
                        middle + along - across], 1)  # fmt: skip
    corners += rng.normal(0, 0.3, corners.shape)
    wkb = shapely.to_wkb(shapely.polygons(corners))
    table = pa.table(
        {
            "image_id": pa.array([_name(i) for i in range(first, first + images)]).take(pa.array(image)),
            "label": pa.array(names).take(pa.array(label)),
            "geometry": pa.array(wkb, pa.binary()),
            "score": pa.array(rng.uniform(0.3, 1.0, n)),
        }
    )
    return sides, table


def _groups(rng: np.random.Generator, kind: Any) -> Any:
    """A group for every entity: those of one kind (image and class) stand in groups of about fifteen; int64 (n,)."""
    _, kind, size = np.unique(kind, return_inverse=True, return_counts=True)
    several = 1 + size[kind] // 15
    _, group = np.unique(kind * 100_003 + rng.integers(0, 1 << 30, len(kind)) % several, return_inverse=True)
    return group


def _places(rng: np.random.Generator, group: Any, direction: Any, along: Any, across: Any) -> Any:
    """Places in rows and columns around the middle of the group, a little out of line; float64 (n, 2), px."""
    size = np.bincount(group)
    order = np.argsort(group, kind="stable")
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(np.cumsum(size) - size, size)
    columns = np.ceil(np.sqrt(size[group]))
    u = (rank % columns - columns / 2 + rng.normal(0, 0.05, len(group))) * along
    v = (rank // columns - columns / 2 + rng.normal(0, 0.05, len(group))) * across
    turn = np.zeros(len(size))
    turn[group] = direction
    cos, sin = np.cos(turn[group]), np.sin(turn[group])
    return np.stack([u * cos - v * sin, u * sin + v * cos], 1)


def _labels(rng: np.random.Generator, images: int) -> tuple[Any, Any]:
    """Image and class of every entity, int64 (n,) each, in order of image."""
    total = np.round(rng.lognormal(np.log(MEDIAN), SIGMA, images)).astype(np.int64)
    here = rng.uniform(0, 1, (images, len(CLASSES))) < [often for often, *_ in CLASSES.values()]
    weight = rng.gamma(1.0, 1.0, here.shape) * [share for _, share, *_ in CLASSES.values()] * here
    weight[~here.any(axis=1), 0] = 1.0
    ends = np.cumsum(weight / weight.sum(axis=1, keepdims=True), axis=1)
    image = np.repeat(np.arange(images), total)
    label = (rng.uniform(0, 1, len(image))[:, None] > ends[image]).sum(axis=1)
    return image, np.minimum(label, len(CLASSES) - 1)

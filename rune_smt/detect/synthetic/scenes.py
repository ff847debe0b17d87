"""The scene maker: seeded places, each with a picture that is painted on demand and its exact annotation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .airfields import airfield
from .car_parks import car_park
from .harbors import harbor
from .neighbourhoods import neighbourhood
from .paint import paint
from .rivers import river
from .site import Frame, Site
from .sports_grounds import sports_ground
from .tank_farms import tank_farm

if TYPE_CHECKING:
    from PIL import Image

Transform = tuple[float, float, float, float, float, float]

# kind of place: its layout, and the ground sample distances it is seen at, metres per pixel of a 512 px picture
KINDS: Mapping[str, tuple[Callable[[Site], None], tuple[float, float]]] = {
    "harbor": (harbor, (0.50, 0.80)),
    "airfield": (airfield, (0.50, 0.80)),
    "car_park": (car_park, (0.20, 0.30)),
    "sports_ground": (sports_ground, (0.42, 0.55)),
    "river": (river, (0.35, 0.50)),
    "tank_farm": (tank_farm, (0.45, 0.65)),
    "neighbourhood": (neighbourhood, (0.25, 0.36)),
}

CRS = "EPSG:32631"  # WGS 84 / UTM zone 31N: the made places lie somewhere in it
KNOWN_GSD = 0.85  # share of scenes whose ground sample distance is told
KNOWN_PLACE = 0.6  # share of those whose place on the map is told as well


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticScene:
    """One made picture and what is in it.

    kind         the kind of place, a key of KINDS
    width, height  pixels
    gsd          metres per pixel, or None where the annotation keeps it back (as real archives often do)
    transform    pixel to `CRS`, GDAL order, or None; told only with gsd
    labels       class of each thing, n names of the vocabulary dota-v1.5
    polygons     float64 (n, 4, 2): oriented boxes in pixels, x right, y down; a thing at the border reaches beyond it
    attributes   column name to float64 (n,): `difficult`, 1 where less than 0.7 of the box lies in the picture
    """

    image_id: str
    kind: str
    width: int
    height: int
    gsd: float | None
    transform: Transform | None
    labels: tuple[str, ...]
    polygons: npt.NDArray[np.float64]
    attributes: Mapping[str, npt.NDArray[np.float64]]
    site: Site = field(repr=False)
    seed: tuple[int, int] = field(repr=False)

    def render(self) -> Image.Image:
        """The picture, RGB; the same one every time."""
        return paint(self.site, np.random.default_rng((*self.seed, 1)))


def make_scenes(count: int, seed: int = 0, size: int = 512) -> Iterator[SyntheticScene]:
    """`count` scenes of `size` pixels square; scene i depends on seed, i and size alone.

    The kinds take turns. Within a kind much is left to chance, so that a query meets matches, near misses and neither:
    ships moored and ships far out, harbors without ships, planes in a row or every which way, empty and full bridges.
    """
    return (make_scene(index, seed, size) for index in range(count))


def make_scene(index: int, seed: int = 0, size: int = 512) -> SyntheticScene:
    """Scene number `index` of a seed."""
    rng = np.random.default_rng((seed, index))
    kind = tuple(KINDS)[index % len(KINDS)]
    layout, (fine, coarse) = KINDS[kind]
    gsd = round(float(rng.uniform(fine, coarse)) * 512 / size, 3)
    heading = float(rng.uniform(0, 2 * math.pi))
    scale = 1 / gsd
    frame = Frame(size / 2, size / 2, math.cos(heading) * scale, math.sin(heading) * scale)
    azimuth, lean = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.35, 0.95))
    sun = (math.cos(azimuth) * lean * scale, math.sin(azimuth) * lean * scale)
    site = Site(rng=rng, size=size, gsd=gsd, frame=frame, sun=sun)
    layout(site)

    told = np.random.default_rng((seed, index, 2))
    knows_gsd, knows_place = told.random() < KNOWN_GSD, told.random() < KNOWN_PLACE
    east, north = round(float(told.uniform(400_000, 600_000))), round(float(told.uniform(5_500_000, 5_900_000)))
    return SyntheticScene(
        image_id=f"{kind}-{index:04d}",
        kind=kind,
        width=size,
        height=size,
        gsd=gsd if knows_gsd else None,
        transform=(float(east), gsd, 0.0, float(north), 0.0, -gsd) if knows_gsd and knows_place else None,
        labels=tuple(site.labels),
        polygons=np.array(site.boxes, dtype=np.float64).reshape(-1, 4, 2),
        attributes={"difficult": np.array(site.difficult, dtype=np.float64)},
        site=site,
        seed=(seed, index),
    )

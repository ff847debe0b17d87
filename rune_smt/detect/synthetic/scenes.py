"""The scene maker: seeded places, each with a picture that is painted on demand and its exact annotation."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rune_smt.errors import QueryError

from .airfields import airfield
from .car_parks import car_park
from .clouds import HIDES, clouds
from .dials import AS_IT_COMES, Dials
from .flood_map import FloodMap, flood_map
from .flooded_streets import flooded_street
from .harbors import harbor
from .neighbourhoods import neighbourhood
from .paint import paint
from .plants import overhang
from .raster import covered
from .rivers import river
from .site import Frame, Site
from .sports_grounds import sports_ground
from .tank_farms import tank_farm
from .textures import Floats
from .visibility import hidden_shares, instances

if TYPE_CHECKING:
    from PIL import Image

Transform = tuple[float, float, float, float, float, float]
Sky = tuple[Floats, Floats]

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

# kinds whose classes are those of the vocabulary flood
FLOODS: Mapping[str, tuple[Callable[[Site], None], tuple[float, float]]] = {
    "flooded_street": (flooded_street, (0.25, 0.36)),
}

GROUND = 50.0  # metres of side: less has no room for a place
LEAST = 1e-6  # of a shadow: none is seen, but what is lit and what is not still have their sides
HALF = 0.5  # of a thing: where more is hidden, people disagree whether they see it
CRS = "EPSG:32631"  # WGS 84 / UTM zone 31N: the made places lie somewhere in it
KNOWN_GSD = 0.85  # share of scenes whose ground sample distance is told
KNOWN_PLACE = 0.6  # share of those whose place on the map is told as well


@dataclass(frozen=True, eq=False)
class SyntheticScene:
    """One made picture and what is in it.

    kind         the kind of place, a key of KINDS or FLOODS
    width, height  pixels
    gsd          metres per pixel, or None where the annotation keeps it back (as real archives often do)
    transform    pixel to `CRS`, GDAL order, or None; told only with gsd
    labels       class of each thing, n names of the vocabulary
    polygons     float64 (n, 4, 2): oriented boxes in pixels, x right, y down; a thing at the border reaches beyond it
    attributes   column name to float64 (n,), NaN where a thing has no such attribute:
                 difficult  1 where less than 0.7 of the box lies in the picture, or more than half of it is hidden
                 occluded   the share of the thing's pixels in the picture that crowns or clouds hide
                 flooded    of a flood's buildings, roads and grass: 1 in the water, 0 on dry ground
    dials        how it is seen
    flood        of a flooded place, which pixels are what, and which houses are cut off; None for other kinds
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
    dials: Dials
    site: Site = field(repr=False)
    seed: tuple[int, int] = field(repr=False)
    flood: FloodMap | None = field(repr=False)

    @property
    def vocabulary(self) -> str:
        """The shipped vocabulary that its labels are of."""
        return "flood" if self.kind in FLOODS else "dota-v1.5"

    @cached_property
    def outlines(self) -> npt.NDArray[np.object_]:
        """What is seen from above of each thing, were nothing over it: n shapely polygons and multipolygons."""
        import shapely

        if self.flood is not None:
            return self.flood.outlines
        made = np.empty(len(self.site.shapes), dtype=object)
        for i, parts in enumerate(self.site.shapes):
            rings = [np.asarray(part, dtype=np.float64).reshape(-1, 2) for part in parts]
            made[i] = shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in rings])
        return made

    def instances(self) -> npt.NDArray[np.int32]:
        """The number, from 1, of the thing that is seen in each pixel, (height, width); 0 where none is.

        In a flood they keep houses, cars, trees and pools apart; the rest is 0, for there what touches is one thing.
        """
        if self.flood is not None:
            return self.flood.numbers
        return instances(self.labels, self.site.shapes, _above(self.site, self._sky()))

    def render(self) -> Image.Image:
        """The picture, RGB; the same one every time."""
        return paint(self.site, np.random.default_rng((*self.seed, 1)), self.dials, self._sky())

    def _sky(self) -> Sky | None:
        return sky_of(self.site, self.dials, self.seed)


def make_scenes(
    count: int,
    seed: int = 0,
    size: int = 512,
    *,
    kinds: Sequence[str] | None = None,
    dials: Dials = AS_IT_COMES,
    withhold: bool = True,
) -> Iterator[SyntheticScene]:
    """`count` scenes of `size` pixels square; scene i depends on seed, i, size, kinds and dials alone.

    kinds     take turns; None for all of KINDS. Within a kind much is left to chance, so that a query meets matches,
              near misses and neither: ships moored and ships far out, harbors without ships, planes in a row or every
              which way, empty and full bridges
    dials     how the pictures are taken
    withhold  some scenes keep back their ground sample distance, and more their place on the map
    Raises QueryError for a kind that is not known, or where a picture shows less than 50 m of ground.
    """
    chosen = kinds_of(kinds)
    return (make_scene(index, seed, size, kinds=chosen, dials=dials, withhold=withhold) for index in range(count))


def kinds_of(kinds: Sequence[str] | None) -> tuple[str, ...]:
    """The kinds asked for; QueryError where one is not known, or where two of them have different vocabularies."""
    chosen = tuple(dict.fromkeys(KINDS if kinds is None else kinds))
    known = {**KINDS, **FLOODS}
    for kind in chosen:
        if kind not in known:
            near = difflib.get_close_matches(kind, known, n=1, cutoff=0.5)
            raise QueryError(
                f"No kind of scene '{kind}'.",
                hint=f"{f'Did you mean {near[0]}? ' if near else ''}There are: {', '.join(known)}.",
            )
    if not chosen:
        raise QueryError("Give one kind of scene at least.", hint=f"There are: {', '.join(known)}.")
    mine = [kind for kind in chosen if kind in FLOODS]
    if mine and len(mine) < len(chosen):
        raise QueryError(
            f"{mine[0]} has the classes of the vocabulary flood, the other kinds those of dota-v1.5.",
            hint="Make two sets.",
        )
    return chosen


def make_scene(
    index: int,
    seed: int = 0,
    size: int = 512,
    *,
    kinds: Sequence[str] | None = None,
    dials: Dials = AS_IT_COMES,
    withhold: bool = True,
) -> SyntheticScene:
    """Scene number `index` of a seed; the arguments are those of `make_scenes`."""
    rng = np.random.default_rng((seed, index))
    chosen = kinds_of(kinds)
    kind = chosen[index % len(chosen)]
    layout, (fine, coarse) = {**KINDS, **FLOODS}[kind]
    gsd = round(float(rng.uniform(fine, coarse)) * math.sqrt(512 / size), 3)
    gsd = max(gsd, GROUND / size) if dials.gsd is None else dials.gsd
    if gsd * size < GROUND:
        raise QueryError(
            f"A picture of {size} px shows {gsd * size:.3g} m of ground at {gsd:g} m a pixel; a place needs "
            f"{GROUND:g} m.",
            hint="Give a coarser --gsd, or larger pictures.",
        )
    heading = float(rng.uniform(0, 2 * math.pi))
    scale = 1 / gsd
    frame = Frame(size / 2, size / 2, math.cos(heading) * scale, math.sin(heading) * scale)
    azimuth, lean = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.35, 0.95))
    lean *= max(dials.shadows, LEAST)
    sun = (math.cos(azimuth) * lean * scale, math.sin(azimuth) * lean * scale)
    site = Site(rng=rng, size=size, gsd=gsd, frame=frame, sun=sun)
    layout(site)
    if dials.trees:
        overhang(site, dials.trees)
    sky = sky_of(site, dials, (seed, index))
    flood = flood_map(site, None if sky is None else sky[0] > HIDES) if kind in FLOODS else None
    hidden = hidden_shares(site.shapes, _above(site, sky)) if flood is None else flood.occluded
    cut = np.array(site.difficult, dtype=np.float64) if flood is None else np.zeros(len(hidden))
    attributes = {"difficult": np.maximum(cut, hidden > HALF), "occluded": hidden}
    if flood is not None:
        attributes["flooded"] = flood.flooded

    told = np.random.default_rng((seed, index, 2))
    knows_gsd, knows_place = told.random() < KNOWN_GSD or not withhold, told.random() < KNOWN_PLACE
    east, north = round(float(told.uniform(400_000, 600_000))), round(float(told.uniform(5_500_000, 5_900_000)))
    return SyntheticScene(
        image_id=f"{kind}-{index:04d}",
        kind=kind,
        width=size,
        height=size,
        gsd=gsd if knows_gsd else None,
        transform=(float(east), gsd, 0.0, float(north), 0.0, -gsd) if knows_gsd and knows_place else None,
        labels=tuple(site.labels) if flood is None else flood.labels,
        polygons=np.array(site.boxes, dtype=np.float64).reshape(-1, 4, 2) if flood is None else flood.boxes,
        attributes=attributes,
        dials=dials,
        site=site,
        seed=(seed, index),
        flood=flood,
    )


def sky_of(site: Site, dials: Dials, seed: tuple[int, int]) -> Sky | None:
    """The clouds over a site, and their shadows; None on a clear day."""
    return clouds(site.size, dials.clouds, site.sun, np.random.default_rng((*seed, 3))) if dials.clouds else None


def _above(site: Site, sky: Sky | None) -> npt.NDArray[np.bool_]:
    """The pixels over which something hangs."""
    above = covered(site.crowns, site.size)
    return above if sky is None else above | (sky[0] > HIDES)

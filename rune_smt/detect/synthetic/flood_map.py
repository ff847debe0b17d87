"""The map of a flooded place: one class a pixel, as FloodNet's masks have, and the things that come of it.

value  1 building flooded, 2 building, 3 road flooded, 4 road, 5 water, 6 tree, 7 vehicle, 8 pool, 9 grass; 0 paved
       ground and what clouds hide. Things of one class that touch are one, but for those that have numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from ..components import components
from ..records import MIN_AREA
from .raster import Bools, Window, covered, inside, union
from .site import Site

CLASSES = ("", "building", "building", "road", "road", "water", "tree", "vehicle", "pool", "grass")
FLOODED = (np.nan, 1.0, 0.0, 1.0, 0.0, np.nan, np.nan, np.nan, np.nan, 0.0)
BUILDING_FLOODED, BUILDING, ROAD_FLOODED, ROAD, WATER, TREE, VEHICLE, POOL, GRASS = range(1, 10)
STANDS_IN = 1 / 3  # of a house's ground: with more of it under water the house is flooded
LINK = 5.0  # pixels between dry roads that are still connected: the vocabulary's


@dataclass(frozen=True, eq=False)
class FloodMap:
    """What is seen in each pixel, and the things of MIN_AREA pixels and more in the order in which masks are read.

    values    uint8 (size, size)
    numbers   int32 (size, size): from 1, what keeps houses, cars, trees and pools apart; 0 where touching decides
    value     int64 (n,), class number of each thing
    outlines  object (n,), shapely polygons and multipolygons at pixel corners, with holes
    occluded  float64 (n,): share of a house, car or pool that crowns or clouds hide; NaN for what has no outline beyond
    """

    values: npt.NDArray[np.uint8]
    numbers: npt.NDArray[np.int32]
    value: npt.NDArray[np.int64]
    outlines: npt.NDArray[np.object_]
    occluded: npt.NDArray[np.float64]

    @property
    def labels(self) -> tuple[str, ...]:
        """The class of each thing, of the vocabulary flood."""
        return tuple(CLASSES[v] for v in self.value.tolist())

    @property
    def flooded(self) -> npt.NDArray[np.float64]:
        """1 for what stands in water, 0 for what is dry, NaN where the class has no such attribute; (n,)."""
        return np.array(FLOODED)[self.value]

    @property
    def boxes(self) -> npt.NDArray[np.float64]:
        """Corners of the smallest rotated rectangle around each thing, float64 (n, 4, 2)."""
        return boxes_around(self.outlines)

    def networks(self) -> npt.NDArray[np.int64]:
        """Of each thing the number of its network of dry roads, from 0, or -1; roads within LINK pixels are one."""
        network = np.full(len(self.value), -1, dtype=np.int64)
        dry = np.flatnonzero(self.value == ROAD)
        for number, road in enumerate(dry.tolist()):
            network[road] = number
        roads = self.outlines[dry]
        shapely.prepare(roads)
        for i, j in zip(*np.nonzero(shapely.dwithin(roads[:, None], roads[None, :], LINK)), strict=True):
            network[network == network[dry[j]]] = network[dry[i]]
        _, dense = np.unique(network[dry], return_inverse=True)
        network[dry] = dense
        return network

    def ways_out(self) -> npt.NDArray[np.bool_]:
        """The dry roads of a network that reaches the border of the picture, (n,)."""
        network, size = self.networks(), len(self.values)
        left, top, right, bottom = shapely.bounds(self.outlines).T
        at_border = (left <= 1) | (top <= 1) | (right >= size - 1) | (bottom >= size - 1)
        leading = set(network[at_border & (network >= 0)].tolist())
        return np.isin(network, list(leading))

    def cut_off(self) -> npt.NDArray[np.bool_]:
        """The buildings that no dry road out of the picture is near to, as the vocabulary flood means near, (n,)."""
        roads = self.outlines[self.ways_out()]
        houses = np.flatnonzero((self.value == BUILDING) | (self.value == BUILDING_FLOODED))
        reach = np.minimum(_diagonals(self.outlines[houses])[:, None], _diagonals(roads)[None, :])
        shapely.prepare(roads)
        near = shapely.dwithin(roads[None, :], self.outlines[houses][:, None], np.maximum(1.0, reach))
        cut = np.zeros(len(self.value), dtype=bool)
        cut[houses[~near.any(axis=1)]] = True
        return cut


def flood_map(site: Site, sky: Bools | None) -> FloodMap:
    """The map of a flooded site; `sky` is where clouds hide the ground."""
    size = site.size
    wet = np.zeros((size, size), dtype=bool) if site.depth is None else site.depth > 0
    values = np.full((size, size), GRASS, dtype=np.uint8)
    numbers = np.zeros((size, size), dtype=np.int32)
    values[covered(site.paved, size)] = 0
    roads = covered(site.roads, size)
    values[roads] = ROAD
    values[wet] = np.where(roads[wet], ROAD_FLOODED, WATER)
    full: dict[int, tuple[Window, Bools]] = {}
    for number, (label, parts) in enumerate(zip(site.labels, site.shapes, strict=True), 1):
        found = union(parts, size)
        if found is None:
            continue
        window, filled = found
        if label == "pool":
            filled = filled & ~wet[window]
            value = POOL
        elif label == "building":
            value = BUILDING_FLOODED if wet[window][filled].mean() > STANDS_IN else BUILDING
        else:
            value = VEHICLE
        values[window][filled] = value
        numbers[window][filled] = number
        full[number] = window, filled
    for number, crown in enumerate(site.crowns, len(site.labels) + 1):
        found = inside(crown, size)
        if found is not None:
            values[found[0]][found[1]] = TREE
            numbers[found[0]][found[1]] = number
    if sky is not None:
        values[sky] = 0
        numbers[sky] = 0
    return _things(values, numbers, full)


def _things(
    values: npt.NDArray[np.uint8], numbers: npt.NDArray[np.int32], full: dict[int, tuple[Window, Bools]]
) -> FloodMap:
    first = len(CLASSES)
    numbered = numbers > 0
    keyed = np.where(numbered, numbers + first, values).astype(np.int32)
    whole, at = np.unique(keyed[numbered], return_index=True)
    found = components(keyed, min_area=MIN_AREA, whole=whole.astype(np.int32))
    class_of = np.zeros(int(keyed.max(initial=0)) + 1, dtype=np.int64)
    class_of[:first] = np.arange(first)
    class_of[whole] = values[numbered][at]
    value = class_of[found.key]
    order = np.argsort(value, kind="stable")
    occluded = np.full(len(order), np.nan)
    for i, key in enumerate(found.key[order].tolist()):
        if key - first in full:
            window, filled = full[key - first]
            occluded[i] = float((numbers[window][filled] != key - first).mean()) if filled.any() else 0.0
    return FloodMap(values, numbers, value[order], found.shapes[order], occluded)


def _diagonals(outlines: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Of the smallest rotated rectangle around each, pixels."""
    made = np.zeros(len(outlines))
    for i, box in enumerate(boxes_around(outlines)):
        made[i] = float(np.hypot(*(box[2] - box[0])))
    return made


def boxes_around(outlines: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Corners of the smallest rotated rectangle around each outline of some area, float64 (n, 4, 2)."""
    if not len(outlines):
        return np.empty((0, 4, 2))
    around = shapely.oriented_envelope(outlines)
    return np.stack([shapely.get_coordinates(one)[:4] for one in around])

"""Flooded streets: houses, roads, cars, trees, pools and lawns, some under water, some cut off by it.

Its classes are those of the vocabulary flood. Here what is seen counts, not boxes: each pixel has one class, as in the
masks of FloodNet, and what touches is one thing, but for houses, cars, trees and pools, which are kept apart.
"""

from __future__ import annotations

import math

import numpy as np

from .courts import swimming_pool
from .plants import scrub, tree
from .site import Frame, Point, Site, rectangle
from .structures import ROOFS, house, road
from .textures import Colour, Floats, noise_field, window
from .vehicles import car, lorry

MUD: tuple[Colour, ...] = ((158, 134, 98), (142, 126, 98), (122, 116, 98), (104, 110, 102), (86, 98, 98))
STREET, LANE = 7.0, 5.5  # breadth of roads, metres


def flooded_street(site: Site) -> None:
    """Streets in a grid on ground that rises from one side, and water up to a level: from none to nearly all of it."""
    half, reach = site.half, site.reach
    site.base = "grass" if site.chance(0.7) else "dry_grass"
    site.tints["asphalt"] = site.vary((104, 104, 104), 0.06)
    site.tints["water"] = site.vary(site.pick(MUD), 0.06)
    site.depth = _depth(site)
    scrub(site, 70, lambda x, y: True)
    pitch, block = site.between(62, 74), site.between(84, 130)
    ys = [site.between(-0.3, 0.3) * pitch + i * pitch for i in range(-int(reach / pitch) - 1, int(reach / pitch) + 2)]
    shift = site.between(-0.5, 0.5) * block
    xs = [shift + i * block for i in range(-int(reach / block) - 1, int(reach / block) + 2)]
    for y in ys:
        _way(site, [(-reach, y), (reach, y)], LANE)
    for x in xs:
        if site.chance(0.8):
            _way(site, [(x, -reach), (x, reach)], STREET)
            site.take_rectangle(x, 0, 2 * reach, STREET + 4, math.pi / 2)
    for y in ys:
        site.take_rectangle(0, y, 2 * reach, LANE + 4)
    pools = site.between(0.1, 0.5)
    for y in ys:
        for side in (-1, 1):
            x = -reach
            while x < reach:
                plot = site.between(18, 25)
                middle = x + plot / 2
                if all(abs(middle - cross) > plot / 2 + 5 for cross in xs) and site.inside(middle, y + side * 16, -14):
                    _plot(site, middle, y, side, plot, pitch, pools)
                x += plot
        for _ in range(site.whole(0, 3)):
            _stray_car(site, site.between(-1, 1) * half, y + site.between(-0.22, 0.22) * LANE, 0.0)
    for _ in range(site.whole(1, 5)):  # left standing on lawns, or drifted there
        x, y = site.between(-0.9, 0.9) * half, site.between(-0.9, 0.9) * half
        if site.free(x, y, 3.5):
            _stray_car(site, x, y, site.between(0, 6.3))
            site.take(x, y, 4)
    wanted = round(site.between(25, 80) * max(1.0, (half / 100) ** 2))
    for _ in range(12 * wanted):
        x, y, r = site.between(-reach, reach), site.between(-reach, reach), site.between(2.0, 4.4)
        if wanted and site.inside(x, y, -r) and site.free(x, y, r + 0.5):
            tree(site, x, y, r)
            site.take(x, y, r)
            wanted -= 1


def _depth(site: Site) -> Floats:
    """Metres of water over each pixel, (size, size): a level less a slope with hollows; negative on dry ground."""
    size = site.size
    across = float(site.between(0, 2 * math.pi))
    rise = site.between(0.9, 2.2)  # metres from one side of the picture to the other
    ys, xs = (np.mgrid[0:size, 0:size].astype(np.float32) + 0.5) / size - 0.5
    ground = rise * (math.cos(across) * xs + math.sin(across) * ys)
    row, column = (int(v) for v in site.rng.integers(0, 1024, size=2))
    stretch = max(1, round(size / 512))
    hollows = window(noise_field(70.0, 9, 1.6), -(-size // stretch), row, column)
    hollows = np.kron(hollows, np.ones((stretch, stretch), dtype=np.float32))[:size, :size] if stretch > 1 else hollows
    ground = ground + 0.32 * rise * _smooth(hollows, 3 * stretch)
    wet = site.between(0.08, 0.8) if site.chance(0.92) else 0.0
    level = float(np.quantile(ground, wet)) if wet else float(ground.min()) - 1.0
    return np.asarray(level - ground, dtype=np.float32)


def _smooth(field: Floats, reach: int) -> Floats:
    """The mean over a square of 2 * reach + 1 pixels."""
    padded = np.pad(field, reach + 1, mode="edge")
    sums = padded.cumsum(axis=0).cumsum(axis=1)
    k = 2 * reach + 1
    n, m = field.shape
    total = sums[k : k + n, k : k + m] - sums[:n, k : k + m] - sums[k : k + n, :m] + sums[:n, :m]
    return np.asarray(total / k**2, dtype=np.float32)


def _way(site: Site, points: list[Point], width: float) -> None:
    """A road, kept as a region of the ground."""
    road(site, points, width, marked=False, verge=False)
    (x0, y0), (x1, y1) = points
    length, heading = math.hypot(x1 - x0, y1 - y0), math.atan2(y1 - y0, x1 - x0)
    site.roads.append(site.frame.at((x0 + x1) / 2, (y0 + y1) / 2, heading).flat(rectangle(length, width)))


def _plot(site: Site, x: float, street: float, side: int, plot: float, pitch: float, pools: float) -> None:
    """A house with its drive, perhaps a car there, a pool behind, trees."""
    length, width = site.between(11, min(15, plot - 4)), site.between(8.5, 11)
    y = street + side * (LANE / 2 + 5.5 + width / 2 + site.between(-1, 2))
    drive = x + 0.36 * plot
    edge = street + side * LANE / 2
    site.ground([(drive - 1.6, edge), (drive + 1.6, edge), (drive + 1.6, y), (drive - 1.6, y)], "concrete")
    site.paved.append(site.frame.flat([(drive - 1.6, edge), (drive + 1.6, edge), (drive + 1.6, y), (drive - 1.6, y)]))
    _house(site, site.frame.at(x - 1.5, y, float(site.rng.normal(0, 0.02))), length, width, side)
    site.take_rectangle(x, y, length + 3, width + 5)
    if site.chance(0.5):
        spot = site.frame.at(drive, edge + side * 3.6, side * math.pi / 2)
        _as_vehicle(site, car(site, spot))
    back = street + side * (pitch / 2 - 6.5)
    if site.chance(pools) and not _wet(site, x, back):
        size = site.between(7.5, 10)
        if swimming_pool(site, site.frame.at(x, back), size, size * site.between(0.42, 0.55)):
            site.labels[-1] = "pool"
            rim = site.frame.at(x, back).flat(rectangle(size + 4.4, size * 0.55 + 4.4))
            site.paved.append(rim)
            site.take(x, back, size * 0.8)


def _house(site: Site, frame: Frame, length: float, width: float, side: int) -> None:
    """A house with a wing or without: one building."""
    wing = rectangle(7.2, width + 3, -2.0, side * 3.0) if site.chance(0.35) else None
    colour = site.pick(ROOFS)
    if not site.label("building", frame, length, width + (6.0 if wing else 0.0)):
        return
    house(site, frame, length, width, colour)
    parts = [rectangle(length, width)]
    if wing:
        house(site, frame.at(-2.0, side * 3.0, math.pi / 2), width + 3, 7.2, colour)
        parts.append(wing)
    site.shape(frame, *parts)


def _wet(site: Site, x: float, y: float) -> bool:
    """Water stands at a point of the site."""
    px, py = (min(max(int(v), 0), site.size - 1) for v in site.frame.px(x, y))
    return site.depth is not None and bool(site.depth[py, px] > 0)


def _stray_car(site: Site, x: float, y: float, heading: float) -> None:
    frame = site.frame.at(x, y, heading + (math.pi if site.chance(0.5) else 0.0))
    _as_vehicle(site, lorry(site, frame, length=site.between(8.2, 10)) if site.chance(0.12) else car(site, frame))


def _as_vehicle(site: Site, placed: bool) -> None:
    if placed:
        site.labels[-1] = "vehicle"

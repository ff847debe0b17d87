"""Streets of houses with gardens, pools, parked cars, a roundabout, now and then a court."""

from __future__ import annotations

import math

from .courts import basketball_court, swimming_pool, tennis_court
from .plants import scrub, tree, trees
from .site import Site, rectangle
from .structures import ROOFS, house, road, roundabout
from .vehicles import car, large, traffic


def neighbourhood(site: Site) -> None:
    """Parallel streets along the site's x axis, crossed by one; plots on both sides of each."""
    half, reach = site.half, site.reach
    site.base = "grass" if site.chance(0.7) else "dry_grass"
    site.tints["asphalt"] = site.vary((104, 104, 104), 0.06)
    scrub(site, 70, lambda x, y: True)
    pitch = site.between(62, 76)
    offset = site.between(-0.3, 0.3) * pitch
    count = int(reach / pitch) + 1
    streets = [offset + i * pitch for i in range(-count, count + 1)]
    cross = site.between(-0.5, 0.5) * half
    for y in streets:
        road(site, [(-reach, y), (reach, y)], 6.5, marked=False)
        site.take_rectangle(0, y, 2 * reach, 10)
    road(site, [(cross, -reach), (cross, reach)], 7.5)
    site.take_rectangle(cross, 0, 2 * reach, 11, math.pi / 2)
    circle = None
    if site.chance(0.45):
        nearest = min(streets, key=abs)
        radius = site.between(11.5, 15)
        if roundabout(site, site.frame.at(cross, nearest), radius):
            circle = (cross, nearest, radius)
            site.take(cross, nearest, radius + 3)
    pools = site.between(0.0, 0.75) if site.chance(0.75) else 0.0
    roof = site.pick(ROOFS) if site.chance(0.5) else None
    special = site.chance(0.35)
    for y in streets:
        for side in (-1, 1):
            x = -reach
            while x < reach:
                plot = site.between(19, 26)
                middle = x + plot / 2
                if abs(middle - cross) > plot / 2 + 8 and not _circle_near(circle, middle, y, plot):
                    if special and abs(middle) < half * 0.6 and abs(y) < half * 0.6 and site.chance(0.3):
                        special = False
                        _court(site, middle + 8, y, side, pitch)
                        plot = 38
                    elif site.inside(middle, y + side * 18, -14):
                        _plot(site, middle, y, side, plot, pitch, pools, roof)
                x += plot
        _parked(site, y, cross, circle)
    for y in (-half * 1.2, 0.0):
        traffic(site, [(cross, y), (cross, y + half * 1.2 - 24)], 7.5, 55, 0.08)
    trees(site, 90, lambda x, y: True, (2.0, 4.2))


def _circle_near(circle: tuple[float, float, float] | None, x: float, y: float, plot: float) -> bool:
    return circle is not None and math.hypot(x - circle[0], y - circle[1]) < circle[2] + plot / 2 + 2


def _plot(
    site: Site,
    x: float,
    street: float,
    side: int,
    plot: float,
    pitch: float,
    pools: float,
    roof: tuple[int, int, int] | None,
) -> None:
    """A house, its drive with a car, a garden with a pool in some."""
    depth = pitch / 2 - 6
    length, width = site.between(11, min(16, plot - 4)), site.between(8.5, 11.5)
    house_y = street + side * (6 + 5 + width / 2 + site.between(-1, 2))
    drive_x = x + site.between(0.3, 0.36) * plot
    drive = [
        (drive_x - 1.7, street + side * 4.5),
        (drive_x + 1.7, street + side * 4.5),
        (drive_x + 1.7, house_y),
        (drive_x - 1.7, house_y),
    ]
    site.ground(drive, "concrete")
    fence = street + side * (pitch / 2)
    site.line([(x - plot / 2, street + side * 9), (x - plot / 2, fence)], 0.4, (128, 112, 88, 150))
    site.line([(x - plot / 2, fence), (x + plot / 2, fence)], 0.4, (128, 112, 88, 150))
    if site.chance(0.5):
        tone = (96, 116, 62, 90) if site.chance(0.5) else (146, 134, 96, 90)
        site.stain(
            [
                (x - plot / 2, street + side * 6),
                (x + plot / 2, street + side * 6),
                (x + plot / 2, fence),
                (x - plot / 2, fence),
            ],
            tone,
        )
    house(site, site.frame.at(x - 1, house_y, float(site.rng.normal(0, 0.02))), length, width, roof)
    if site.chance(0.35):
        house(site, site.frame.at(x - 3, house_y + side * 4, math.pi / 2), width + 3, 7.5, roof)
    site.take_rectangle(x, house_y, length + 2, width + 4)
    if site.chance(0.55):
        car(
            site,
            site.frame.at(drive_x, street + side * 8.0, side * math.pi / 2 + (math.pi if site.chance(0.4) else 0.0)),
        )
    back = street + side * (depth - 0.5)
    if site.chance(pools):
        size = site.between(7.5, 11)
        px = x + site.between(-0.12, 0.12) * plot
        if swimming_pool(
            site, site.frame.at(px, back, float(site.rng.normal(0, 0.05))), size, size * site.between(0.42, 0.55)
        ):
            site.take(px, back, size * 0.75)
    elif site.chance(0.4):
        site.solid(site.frame.at(x + site.between(-5, 5), back), rectangle(3, 2.4), (140, 132, 122), height=2.2)
    if site.chance(0.5):
        tree(site, x - plot * 0.38, street + side * 8, site.between(1.8, 3.4))


def _court(site: Site, x: float, street: float, side: int, pitch: float) -> None:
    """A tennis or basketball court between the houses, its long side along the street, and perhaps the club's pool."""
    y = street + side * (pitch / 2 - 14)
    frame = site.frame.at(x, y)
    if site.chance(0.6):
        tennis_court(site, frame, ((70, 108, 78), (66, 96, 136)))
    else:
        basketball_court(site, frame, ((134, 110, 92), (110, 122, 100)))
    site.take_rectangle(x, y, 38, 22)


def _parked(site: Site, street: float, cross: float, circle: tuple[float, float, float] | None) -> None:
    """Cars at the kerb, and now and then a lorry or a bus in the street."""
    for _ in range(site.whole(1, 7)):
        x = site.between(-1, 1) * site.half
        if abs(x - cross) > 12 and not _circle_near(circle, x, street, 6):
            side = -1 if site.chance(0.5) else 1
            car(site, site.frame.at(x, street + side * 2.2, 0.0 if side > 0 else math.pi))
    if site.chance(0.22):
        x = site.between(-0.9, 0.9) * site.half
        if abs(x - cross) > 20 and not _circle_near(circle, x, street, 14):
            large(site, site.frame.at(x, street - 0.3, 0.0))

"""Rivers with bridges, traffic, passing ships and a roundabout at the bridge's head."""

from __future__ import annotations

import math

from .plants import scrub, trees, wood
from .site import Point, Site, shade
from .structures import bridge, house, pier, road, roundabout
from .textures import Colour
from .vehicles import large, traffic
from .vessels import ship

WATERS: tuple[Colour, ...] = ((74, 88, 72), (58, 78, 72), (88, 92, 74), (52, 70, 76))


def river(site: Site) -> None:
    """A winding river along the site's x axis, with none, one or two bridges across it."""
    half, reach = site.half, site.reach
    site.base = "grass" if site.chance(0.7) else "crop"
    site.tints["water"] = site.vary(site.pick(WATERS), 0.05)
    _fields(site)
    scrub(site, 50, lambda x, y: True)
    breadth = site.between(34, 74)
    bend, wave, phase = site.between(4, 20), site.between(120, 260), site.between(0, 6.3)

    def middle(x: float) -> float:
        return bend * math.sin(x / wave * 2 * math.pi + phase)

    def bank(side: int, extra: float = 0.0) -> list[Point]:
        xs = [-reach + i * reach / 24 for i in range(49)]
        return [(x, middle(x) + side * (breadth / 2 + extra + 2.5 * math.sin(x / 23 + side))) for x in xs]

    def dry(x: float, y: float) -> bool:
        return abs(y - middle(x)) > breadth / 2 + 9

    for extra, tone in ((11.0, (94, 100, 66)), (5.0, (128, 118, 92))):
        site.ground([*bank(-1, extra), *reversed(bank(1, extra))], "dirt", paint=(*tone, 150))
    site.ground([*bank(-1), *reversed(bank(1))], "water")
    deep = shade(site.colour_of("water"), 0.88)
    for share in (10.0, 18.0):
        site.stain([*bank(-1, -share), *reversed(bank(1, -share))], (*deep, 60))

    count = 0 if site.chance(0.14) else (2 if site.chance(0.35) else 1)
    width = site.between(11, 17)
    spots = (
        [site.between(-0.35, 0.35) * half]
        if count == 1
        else [-half * site.between(0.35, 0.55), half * site.between(0.3, 0.55)]
    )
    for x in spots[:count]:
        _crossing(site, x, middle(x), breadth, width)
    site.take_rectangle(0, middle(0), 2 * reach, breadth + bend)

    lowest, highest = -half * 0.8, half * 0.8
    if count == 0 or site.chance(0.5):
        y = lowest if site.chance(0.5) else highest
        road(site, [(-reach, y), (reach, y)], 7.5)
        traffic(site, [(-reach, y), (reach, y)], 7.5, 50, 0.15)
        site.take_rectangle(0, y, 2 * reach, 13)
    _ships(site, middle, breadth, spots[:count], width)
    _settlement(site, dry)
    for _ in range(3):
        x, y = site.between(-1, 1) * half, site.between(-1, 1) * half
        if dry(x, y) and site.free(x, y, 24):
            wood(site, x, y, site.between(15, 30), dry)
    trees(site, 70, dry)


def _fields(site: Site) -> None:
    """Plots of farmland in different greens and browns, some with furrows."""
    reach = site.reach
    tones: tuple[Colour, ...] = (
        (112, 116, 70),
        (136, 124, 84),
        (92, 112, 64),
        (150, 136, 98),
        (104, 126, 74),
        (124, 104, 80),
    )
    y = -reach
    while y < reach:
        depth = site.between(45, 90)
        x = -reach
        while x < reach:
            length = site.between(60, 150)
            if site.chance(0.55):
                tone = site.vary(site.pick(tones), 0.06)
                site.ground(
                    [(x, y), (x + length - 3, y), (x + length - 3, y + depth - 3), (x, y + depth - 3)],
                    "crop",
                    paint=tone,
                )
                if site.chance(0.5):
                    at = x
                    while at < x + length - 3:
                        site.line([(at, y), (at, y + depth - 3)], 0.7, (*shade(tone, 0.86), 90))
                        at += 3.4
            x += length
        y += depth


def _crossing(site: Site, x: float, y: float, breadth: float, width: float) -> None:
    """A road across the river at x, carried by a bridge; traffic on both, and perhaps a roundabout at its end."""
    reach, half = site.reach, site.half
    length = breadth + site.between(18, 30)
    carriage = width * 0.76
    road(site, [(x, -reach), (x, y - length / 2)], carriage)
    road(site, [(x, y + length / 2), (x, reach)], carriage)
    frame = site.frame.at(x, y, math.pi / 2)
    bridge(site, frame, length, width)
    circle = None
    if site.chance(0.4):
        radius = site.between(14, 20)
        side = -1 if site.chance(0.5) else 1
        circle = y + side * (length / 2 + radius + site.between(12, 30))
        spot = site.frame.at(x, circle)
        if site.inside(x, circle, -radius * 0.2):
            road(site, [(x - reach * 2, circle), (x + reach * 2, circle)], 7.5)
            site.take_rectangle(x, circle, 4 * reach, 13)
            roundabout(site, spot, radius)
            site.take(x, circle, radius + 4)
        else:
            circle = None
    busy = site.rng.random()
    gap = 14.0 if busy < 0.35 else (45.0 if busy < 0.7 else 160.0)
    if busy < 0.9:
        traffic(site, [(x, y - length / 2), (x, y + length / 2)], carriage, gap, 0.22)
    approach_top = min(y - length / 2 - 4, circle + 22) if circle and circle < y else y - length / 2 - 4
    approach_end = max(y + length / 2 + 4, circle - 22) if circle and circle > y else y + length / 2 + 4
    if circle and circle < y:
        traffic(site, [(x, -half * 1.3), (x, circle - 24)], carriage, gap * 2, 0.15)
    else:
        traffic(site, [(x, -half * 1.3), (x, approach_top)], carriage, gap * 1.6, 0.15)
    if circle and circle > y:
        traffic(site, [(x, circle + 24), (x, half * 1.3)], carriage, gap * 2, 0.15)
    else:
        traffic(site, [(x, approach_end), (x, half * 1.3)], carriage, gap * 1.6, 0.15)
    if circle and site.chance(0.4):
        large(site, site.frame.at(x + 30, circle + 1.8, 0.0))
    site.take_rectangle(x, y, 2 * reach, width + 3, math.pi / 2)


def _ships(site: Site, middle, breadth: float, bridges: list[float], width: float) -> None:  # type: ignore[no-untyped-def]
    """Barges and boats along the river, clear of the bridges; perhaps a landing stage."""
    clear = [(x, width / 2 + 4) for x in bridges]
    if site.chance(0.3):
        x = site.between(-0.7, 0.7) * site.half
        if all(abs(x - bx) > 40 for bx, _ in clear):
            frame = site.frame.at(x, middle(x) - breadth / 2 + 4)
            pier(site, frame, site.between(28, 46), 6, wooden=True)
            if site.chance(0.7):
                size = site.between(20, 30)
                ship(site, frame.at(0, 3 + 3.4), size)
            clear.append((x, 34))
    for _ in range(site.whole(0, 3)):
        size = site.between(22, min(70, breadth * 1.3))
        x = site.between(-0.85, 0.85) * site.half
        if all(abs(x - bx) > size / 2 + r for bx, r in clear):
            slope = math.atan2(middle(x + 5) - middle(x - 5), 10)
            turn = 0.0 if site.chance(0.5) else math.pi
            y = middle(x) + site.between(-0.2, 0.2) * breadth
            ship(site, site.frame.at(x, y, slope + turn), size, moving=site.chance(0.6) and size < 40)
            clear.append((x, size / 2 + 8))


def _settlement(site: Site, dry) -> None:  # type: ignore[no-untyped-def]
    """Farmhouses and cottages on the banks."""
    for _ in range(40):
        x, y = site.between(-1, 1) * site.half, site.between(-1, 1) * site.half
        if dry(x, y) and site.free(x, y, 13) and site.chance(0.5):
            house(site, site.frame.at(x, y, site.between(0, 3.2)), site.between(10, 20), site.between(8, 12))
            site.take(x, y, 12)

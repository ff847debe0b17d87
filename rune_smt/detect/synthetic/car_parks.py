"""Car parks in rows before a store, and depots where lorries and buses stand side by side."""

from __future__ import annotations

import math

from .plants import avenue, scrub, tree, trees
from .site import Site, disc, rectangle, shade
from .structures import hall, road
from .vehicles import bus, car, large, lorry, stalls, traffic


def car_park(site: Site) -> None:
    """A lot in rows along the site's x axis, a road on one side, a hall on the other; now and then for lorries."""
    half, reach = site.half, site.reach
    site.base = "grass" if site.chance(0.6) else "dry_grass"
    site.tints["asphalt"] = site.vary(site.pick(((106, 105, 102), (122, 119, 113), (94, 94, 95))), 0.05)
    scrub(site, 30, lambda x, y: True)
    road_y = half * site.between(0.62, 0.86)
    top = -half * site.between(0.25, 0.55)
    width = 2 * half * site.between(0.78, 1.25)
    x0, x1 = -width / 2, width / 2
    road(site, [(-reach, road_y), (reach, road_y)], 9.0)
    traffic(site, [(-reach, road_y), (reach, road_y)], 9.0, site.between(14, 60), 0.12)
    site.take_rectangle(0, road_y, 2 * reach, 14)
    bottom = road_y - site.between(9, 15)
    site.ground([(x0 - 3, top), (x1 + 3, top), (x1 + 3, bottom), (x0 - 3, bottom)], "concrete")
    site.ground([(x0 - 2, top + 1), (x1 + 2, top + 1), (x1 + 2, bottom - 1), (x0 - 2, bottom - 1)], "asphalt")
    gate = site.between(-0.4, 0.4) * width
    site.strip([(gate, bottom - 2), (gate, road_y)], 8, "asphalt")
    _wear(site, x0, top, x1, bottom)
    site.take_rectangle(0, (top + bottom) / 2, width + 6, bottom - top)
    if site.chance(0.3):
        _depot(site, x0, top, x1, bottom)
    else:
        _rows(site, x0, top, x1, bottom)
    depth = site.between(24, 46)
    hall(
        site, site.frame.at(site.between(-0.1, 0.1) * half, top - depth / 2 - 3), width * site.between(0.5, 0.85), depth
    )
    site.take_rectangle(0, top - depth / 2, width, depth)
    avenue(site, (-reach, bottom + 5), (reach, bottom + 5), 12, 2.6)
    trees(site, 40, lambda x, y: abs(x) > width / 2 + 4 or y > road_y + 9 or y < top - depth - 6)


def _wear(site: Site, x0: float, y0: float, x1: float, y1: float) -> None:
    """Patches, cracks and oil on old asphalt."""
    asphalt = site.colour_of("asphalt")
    for _ in range(14):
        x, y = site.between(x0, x1), site.between(y0, y1)
        length, width = site.between(4, 26), site.between(2, 9)
        site.stain(rectangle(length, width, x, y), (*shade(asphalt, site.between(0.82, 1.16)), 80))
    for _ in range(30):
        x, y = site.between(x0, x1), site.between(y0, y1)
        site.stain(disc(site.between(0.4, 1.3), x, y, points=8), (*shade(asphalt, 0.66), 70))
    for _ in range(6):
        x, y = site.between(x0, x1), site.between(y0, y1)
        crack = [(x + i * 5, y + site.between(-1.5, 1.5)) for i in range(6)]
        site.line(crack, 0.2, (*shade(asphalt, 0.6), 110))


def _rows(site: Site, x0: float, y0: float, x1: float, y1: float) -> None:
    """Double rows of stalls with lanes between them and islands at their ends."""
    filled = site.between(0.1, 0.97)
    y = y0 + 5.5
    module = 2 * 5.2 + 6.6
    islands = site.chance(0.6)
    large_row = site.chance(0.25)
    while y + 5.2 < y1 - 3:
        count = int((x1 - x0 - 10) / 2.6)
        middle = (x0 + x1) / 2
        share = max(0.0, min(1.0, filled + site.between(-0.25, 0.15)))
        stalls(site, site.frame.at(middle, y, math.pi / 2), count, share)
        if y + 5.2 + 5 < y1 - 3:
            stalls(site, site.frame.at(middle, y + 5.2, -math.pi / 2), count, share)
        if islands:
            for x in (x0 + 2.5, x1 - 2.5):
                bed = rectangle(3.0, 9.6, x, y + 2.6)
                site.ground(bed, "concrete")
                site.ground(rectangle(2.2, 8.8, x, y + 2.6), "grass")
                if site.chance(0.7):
                    tree(site, x, y + 2.6, site.between(1.5, 2.4))
        lane = y + 5.2 + 2.6 + 3.3
        for _ in range(site.whole(0, 2)):
            car(site, site.frame.at(site.between(x0 + 6, x1 - 6), lane + 1.4, 0.0))
        y += module
    if large_row:
        for _ in range(site.whole(1, 3)):
            large(site, site.frame.at(site.between(x0 + 10, x1 - 10), y0 + 1.6, 0.0))


def _depot(site: Site, x0: float, y0: float, x1: float, y1: float) -> None:
    """Rows of lorries or buses, with room to turn; a few cars of those who drive them."""
    buses = site.chance(0.4)
    colour = site.pick(((232, 232, 228), (206, 166, 60), (74, 108, 152)))
    filled = site.between(0.3, 0.95)
    y = y0 + 12
    while y + 8 < y1 - 8:
        count = int((x1 - x0 - 14) / 4.0)
        frame = site.frame.at((x0 + x1) / 2, y, math.pi / 2)
        for i in range(count + 1):
            at = i * 4.0 - count * 2.0
            site.line([(-8, at), (8, at)], 0.16, (210, 208, 196, 170), frame=frame)
        for i in range(count):
            if site.chance(filled):
                spot = frame.at(
                    site.between(-0.4, 0.4), (i + 0.5) * 4.0 - count * 2.0, 0.0 if site.chance(0.85) else math.pi
                )
                if buses:
                    bus(site, spot, colour)
                else:
                    lorry(site, spot)
        y += 31
    for _ in range(site.whole(0, 6)):
        car(site, site.frame.at(site.between(x0 + 6, x1 - 6), y1 - 4, math.pi / 2))

"""Coasts: ports with quays and cranes, marinas, jetties with or without ships, anchorages, empty shores."""

from __future__ import annotations

import math

from .plants import avenue, scrub, trees, wood
from .site import Frame, Point, Site, rectangle, shade
from .structures import container_crane, containers, hall, house, pier, road
from .textures import Colour
from .vehicles import large, stalls, traffic
from .vessels import beam_of, ship, wake_reach

WATERS: tuple[Colour, ...] = ((44, 66, 66), (38, 62, 74), (58, 76, 64), (30, 52, 66), (64, 84, 80), (48, 72, 82))


def harbor(site: Site) -> None:
    """A coast along the site's x axis, land above it; which of six kinds is drawn by lot."""
    site.base = "water"
    site.tints["water"] = site.vary(site.pick(WATERS), 0.05)
    kind = site.whole(0, 9)
    if kind <= 1:
        _port(site, site.between(-0.15, 0.1) * site.half)
    elif kind <= 4:
        _marina(site, site.between(-0.45, -0.15) * site.half)
    elif kind <= 6:
        _jetties(site, site.between(-0.35, -0.05) * site.half)
    elif kind == 7:
        _anchorage(site)
    elif kind == 8:
        _jetties(site, site.between(-0.3, 0.1) * site.half, ships=False)
    else:
        _beach(site, site.between(-0.3, 0.2) * site.half)


def _swell(site: Site) -> None:
    """Long faint streaks of wind on the water."""
    water = site.colour_of("water")
    for _ in range(26):
        x, y = site.between(-1, 1) * site.reach, site.between(-1, 1) * site.reach
        length, width = site.between(30, 130), site.between(3, 14)
        tone = shade(water, site.between(0.84, 1.24))
        frame = site.frame.at(x, y, 0.35 + float(site.rng.normal(0, 0.05)))
        drop = [
            (-length / 2, 0),
            (-length * 0.2, width * 0.4),
            (length * 0.3, width * 0.3),
            (length / 2, 0),
            (length * 0.2, -width * 0.4),
            (-length * 0.3, -width * 0.3),
        ]
        site.stain(drop, (*tone, 36), frame=frame)


def _shallows(site: Site, shore: float, wave: list[Point] | None = None) -> None:
    """Water that grows lighter towards the shore."""
    reach, water = site.reach, site.colour_of("water")
    pale = (max(water[0], 96), max(water[1], 112), max(water[2], 104))
    line = wave or [(-reach, shore), (reach, shore)]
    for depth in (46, 36, 27, 19, 12, 6):
        band = [*line, (reach, shore - 60), (-reach, shore - 60)]
        site.stain([(x, y + depth) for x, y in band[: len(line)]] + band[len(line) :], (*pale, 20))


def _quay(site: Site, shore: float, apron: float) -> None:
    """Straight edge between land and water, paved `apron` metres deep."""
    reach = site.reach
    site.ground([(-reach, -reach), (reach, -reach), (reach, shore), (-reach, shore)], site_land(site))
    site.ground([(-reach, shore - apron), (reach, shore - apron), (reach, shore), (-reach, shore)], "concrete")
    site.line([(-reach, shore - 0.5), (reach, shore - 0.5)], 1.0, shade(site.colour_of("concrete"), 1.18))
    site.stain([(-reach, shore), (reach, shore), (reach, shore + 2.5), (-reach, shore + 2.5)], (10, 16, 20, 110))


def site_land(site: Site) -> str:
    """What the land behind a shore is covered with."""
    return "grass" if site.chance(0.5) else "dry_grass"


def _hinterland(site: Site, shore: float, apron: float) -> None:
    """Road, parking, halls or houses and trees behind the quay."""
    reach = site.reach
    y = shore - apron - site.between(10, 16)
    road(site, [(-reach, y), (reach, y)], 8.5)
    traffic(site, [(-reach, y), (reach, y)], 8.5, site.between(35, 90), 0.25)
    site.take_rectangle(0, y, 2 * reach, 12)
    x = -site.half * 1.3
    back = y - 12
    while x < site.half * 1.3:
        length, width = site.between(24, 58), site.between(18, 34)
        kind = site.rng.random()
        if kind < 0.45:
            hall(site, site.frame.at(x + length / 2, back - width / 2), length, width)
            site.take_rectangle(x + length / 2, back - width / 2, length, width)
        elif kind < 0.7:
            count = int(length / 2.6)
            lot = [(x, back - 26), (x + length, back - 26), (x + length, back), (x, back)]
            site.ground(lot, "asphalt")
            filled = site.between(0.3, 0.9)
            stalls(site, site.frame.at(x + length / 2, back - 4, math.pi / 2), count, filled)
            stalls(site, site.frame.at(x + length / 2, back - 20, -math.pi / 2), count, filled)
            site.take_rectangle(x + length / 2, back - 13, length, 27)
        else:
            for _ in range(3):
                hx, hy = x + site.between(0, length), back - site.between(8, 30)
                if site.free(hx, hy, 9):
                    house(
                        site, site.frame.at(hx, hy, site.between(-0.1, 0.1)), site.between(11, 18), site.between(8, 11)
                    )
                    site.take(hx, hy, 9)
        x += length + site.between(6, 18)
    _back_country(site, back - 52)
    scrub(site, 50, lambda px, py: py < back)
    avenue(site, (-reach, shore - apron - 4), (reach, shore - apron - 4), site.between(10, 18), 2.8)
    trees(site, 60, lambda px, py: py < back - 4)


def _back_country(site: Site, y: float) -> None:
    """Farther from the water: a second street with houses on both sides, a wood here and there."""
    reach, half = site.reach, site.half
    if y < -reach:
        return
    if site.chance(0.7):
        road(site, [(-reach, y), (reach, y)], 6.5, marked=False)
        traffic(site, [(-reach, y), (reach, y)], 6.5, 90, 0.05)
        site.take_rectangle(0, y, 2 * reach, 10)
        for side in (-1, 1):
            x = -half * 1.4
            while x < half * 1.4:
                x += site.between(17, 28)
                hy = y + side * site.between(13, 16)
                if site.free(x, hy, 8) and not site.chance(0.15):
                    house(
                        site,
                        site.frame.at(x, hy, float(site.rng.normal(0, 0.06))),
                        site.between(11, 15),
                        site.between(8, 10),
                    )
                    site.take(x, hy, 9)
    for _ in range(site.whole(1, 3)):
        wood(
            site, site.between(-1, 1) * half, y - site.between(20, 80), site.between(14, 32), lambda px, py: py < y + 40
        )


def _port(site: Site, shore: float) -> None:
    """A commercial quay: freighters alongside, cranes, container stacks, lorries."""
    reach, apron = site.reach, 34.0
    _swell(site)
    _quay(site, shore, 78.0)
    length = min(2 * site.half * 0.9, site.between(190, 300))
    middle = site.between(-0.1, 0.1) * site.half
    pier(site, site.frame.at(middle, shore - apron / 2), length, apron)
    x = middle - length / 2 + site.between(4, 30)
    spots: list[tuple[float, float]] = []
    while True:
        size = site.between(72, 120)
        if x + size > middle + length / 2 + 25:
            break
        if not site.chance(0.15):
            beam = beam_of(size)
            frame = site.frame.at(
                x + size / 2, shore + beam / 2 + site.between(1.5, 3), 0.0 if site.chance(0.5) else math.pi
            )
            if ship(site, frame, size):
                spots.append((x + size / 2, size))
        x += size + site.between(14, 34)
    for at, size in spots:
        if site.chance(0.6):
            for shift in (-0.2, 0.2) if site.chance(0.4) else (0.0,):
                container_crane(site, site.frame.at(at + shift * size, shore + 4, math.pi / 2))
    for bx in range(int(-site.half * 1.2), int(site.half * 1.2), 48):
        if site.chance(0.75):
            containers(site, site.frame.at(bx + 20, shore - 52), site.whole(3, 6), site.whole(3, 6))
    for _ in range(site.whole(2, 9)):
        large(
            site,
            site.frame.at(
                site.between(-1, 1) * site.half, shore - 37 + site.between(-2, 2), 0 if site.chance(0.5) else math.pi
            ),
        )
    site.take_rectangle(0, shore - 39, 2 * reach, 80)
    _hinterland(site, shore, 78)
    _open_water(site, shore + 60, site.whole(0, 2), (45, 115))


def _marina(site: Site, shore: float) -> None:
    """Finger piers with yachts side by side on both sides."""
    reach = site.reach
    _swell(site)
    _shallows(site, shore)
    _quay(site, shore, site.between(8, 16))
    room = site.half - shore
    count = site.whole(1, 4)
    pitch = min(92.0, 2 * site.half * 0.92 / count)
    wooden = site.chance(0.5)
    filled = site.between(0.35, 0.95)
    for i in range(count):
        x = (i - (count - 1) / 2) * pitch
        length = room * site.between(0.45, 0.78)
        width = site.between(3.5, 6.0)
        frame = site.frame.at(x, shore + length / 2 - 1, math.pi / 2)
        if not pier(site, frame, length, width, wooden=wooden):
            continue
        size = site.between(21.5, 27)
        slot = beam_of(size + 3) + 2.0
        along = -length / 2 + slot
        while along < length / 2 - slot / 2:
            for side in (-1, 1):
                if site.chance(filled):
                    boat = size + site.between(-1.5, 3)
                    out = width / 2 + boat / 2 + 0.8
                    heading = (side * math.pi / 2) if site.chance(0.7) else (-side * math.pi / 2)
                    ship(site, frame.at(along, side * out, heading + float(site.rng.normal(0, 0.02))), boat)
            along += slot
    site.take_rectangle(0, shore - 8, 2 * reach, 18)
    _hinterland(site, shore, 16)
    _open_water(site, shore + room * 0.86, site.whole(0, 2), (20, 30))


def _jetties(site: Site, shore: float, *, ships: bool = True) -> None:
    """One to three solid jetties; ships alongside, and others that lie off at all distances."""
    reach = site.reach
    _swell(site)
    _shallows(site, shore)
    _quay(site, shore, site.between(5, 14))
    room = site.half - shore
    count = site.whole(1, 3)
    pitch = 2 * site.half / (count + 0.6)
    for i in range(count):
        x = (i - (count - 1) / 2) * pitch + site.between(-8, 8)
        length, width = site.between(0.35, 0.6) * room, site.between(9, 16)
        frame = site.frame.at(x, shore + length / 2 - 1, math.pi / 2 + float(site.rng.normal(0, 0.06)))
        if not pier(site, frame, length, width) or not ships:
            continue
        for side in (-1, 1):
            if site.chance(0.5):
                size = min(site.between(34, 95), length * 1.05)
                if size >= 24:
                    ship(
                        site,
                        frame.at(
                            site.between(-0.1, 0.25) * (length - size * 0.4),
                            side * (width / 2 + beam_of(size) / 2 + 1.5),
                            0.0 if site.chance(0.5) else math.pi,
                        ),
                        size,
                    )
    site.take_rectangle(0, shore - 8, 2 * reach, 18)
    _hinterland(site, shore, 14)
    if ships:
        _open_water(site, shore + room * 0.5, site.whole(1, 4), (22, 70))


def _beach(site: Site, shore: float) -> None:
    """Sand and surf without any harbor; perhaps a ship far out."""
    reach = site.reach
    _swell(site)
    phase = site.between(0, 6)
    wave: list[Point] = [
        (x, shore + 7 * math.sin(x / 41 + phase) + 3 * math.sin(x / 17))
        for x in range(int(-reach), int(reach) + 12, 10)
    ]
    _shallows(site, shore, wave)
    site.stain([*((x, y + 7) for x, y in wave), *((x, y + 3) for x, y in reversed(wave))], (226, 230, 224, 120))
    site.ground([*wave, (reach, -reach), (-reach, -reach)], "sand")
    site.stain([*wave, *((x, y - 6) for x, y in reversed(wave))], (120, 104, 78, 110))
    inland = shore - site.between(24, 50)
    site.ground([*((x, y - (shore - inland)) for x, y in wave), (reach, -reach), (-reach, -reach)], site_land(site))
    y = inland - 22
    road(site, [(-reach, y), (reach, y)], 7.5)
    traffic(site, [(-reach, y), (reach, y)], 7.5, 60, 0.1)
    site.take_rectangle(0, y, 2 * reach, 12)
    for _ in range(7):
        hx, hy = site.between(-1, 1) * site.half, y - site.between(16, 50)
        if site.free(hx, hy, 10):
            house(site, site.frame.at(hx, hy), site.between(11, 18), site.between(8, 11))
            site.take(hx, hy, 10)
    scrub(site, 40, lambda px, py: py < inland - 6)
    trees(site, 70, lambda px, py: py < inland - 8)
    if site.chance(0.6):
        _open_water(site, shore + 70, site.whole(1, 2), (22, 60))


def _anchorage(site: Site) -> None:
    """Open water: ships at anchor or under way, no land, no harbor."""
    _swell(site)
    _swell(site)
    _open_water(site, -site.half * 0.9, site.whole(1, 6), (28, 118))


def _open_water(site: Site, from_y: float, count: int, lengths: tuple[float, float]) -> None:
    """Ships at free places below `from_y`, some of them under way, none touching another."""
    spots: list[tuple[float, float, float]] = []
    for _ in range(count * 8):
        if len(spots) >= count:
            return
        size = site.between(*lengths)
        x = site.between(-0.92, 0.92) * site.half
        y = site.between(from_y, site.half * 0.92) if from_y < site.half * 0.9 else site.half * 0.9
        if any(math.hypot(x - sx, y - sy) < (size + s) / 2 + 6 for sx, sy, s in spots):
            continue
        frame = site.frame.at(x, y, site.between(0, 2 * math.pi) if site.chance(0.6) else 0.35)
        tail = frame.px(-wake_reach(size), 0)
        moving = site.chance(0.5) and _metres_below(site, tail) > from_y
        if _clear_of_boxes(site, frame, size, beam_of(size)) and ship(site, frame, size, moving=moving):
            spots.append((x, y, size))


def _metres_below(site: Site, pixel: Point) -> float:
    """The y of a pixel in the site's own metres: how far it lies out from the coast."""
    frame = site.frame
    dx, dy = pixel[0] - frame.ox, pixel[1] - frame.oy
    return (dy * frame.cos - dx * frame.sin) / frame.scale**2


def _clear_of_boxes(site: Site, frame: Frame, length: float, width: float) -> bool:
    """No labelled thing and no land lies under the ship: its sample points are clear of every box, grown a little."""
    xs = [frame.px(x, y) for x, y in rectangle(length + 6, width + 6)] + [
        frame.px(t * length / 8, 0) for t in range(-4, 5)
    ]
    for box in site.boxes:
        (ax, ay), (bx, by), _, (dx, dy) = box
        ux, uy, vx, vy = bx - ax, by - ay, dx - ax, dy - ay
        uu, vv = ux * ux + uy * uy, vx * vx + vy * vy
        for px, py in xs:
            s = ((px - ax) * ux + (py - ay) * uy) / uu
            t = ((px - ax) * vx + (py - ay) * vy) / vv
            if -0.02 <= s <= 1.02 and -0.02 <= t <= 1.02:
                return False
    return True

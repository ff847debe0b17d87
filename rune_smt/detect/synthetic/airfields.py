"""Airfields: planes in rows, at gates or left about, helicopter grounds, a plane on the runway."""

from __future__ import annotations

import math

from .aircraft import helicopter, helipad, plane
from .plants import scrub, trees
from .site import Site, rectangle, shade
from .structures import hall, road
from .vehicles import car, lorry, stalls

YELLOW = (214, 178, 62, 210)


def airfield(site: Site) -> None:
    """An apron with the site's x axis along its edge; which of five kinds is drawn by lot."""
    site.base = "dry_grass" if site.chance(0.6) else "grass"
    site.tints["concrete"] = site.vary((176, 172, 162), 0.06)
    scrub(site, 60, lambda x, y: True)
    kind = site.whole(0, 9)
    if kind <= 3:
        _rows(site)
    elif kind <= 5:
        _terminal(site)
    elif kind == 6:
        _scattered(site)
    elif kind <= 8:
        _heliport(site)
    else:
        _runway_only(site)


def _slabs(site: Site, x0: float, y0: float, x1: float, y1: float) -> None:
    """A concrete apron with its joints, stains and tyre marks."""
    site.ground([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], "concrete")
    joint = (*shade(site.colour_of("concrete"), 0.86), 120)
    x = x0
    while x <= x1:
        site.line([(x, y0), (x, y1)], 0.25, joint)
        x += 15
    y = y0
    while y <= y1:
        site.line([(x0, y), (x1, y)], 0.25, joint)
        y += 15
    concrete = site.colour_of("concrete")
    for _ in range(26):
        px = x0 + 15 * site.whole(0, max(0, int((x1 - x0) / 15) - 1))
        py = y0 + 15 * site.whole(0, max(0, int((y1 - y0) / 15) - 1))
        site.stain(
            [(px, py), (px + 15, py), (px + 15, py + 15), (px, py + 15)], (*shade(concrete, site.between(0.9, 1.1)), 70)
        )


def _taxiway(site: Site, y: float) -> None:
    reach = site.reach
    site.strip([(-reach, y), (reach, y)], 24, "asphalt", paint=(118, 116, 112))
    site.line([(-reach, y), (reach, y)], 0.5, YELLOW)
    for side in (-11, 11):
        site.line([(-reach, y + side), (reach, y + side)], 0.35, YELLOW)


def _runway(site: Site, y: float, width: float = 44.0) -> None:
    """A runway with its centre line, and the threshold where one lies in the picture."""
    reach = site.reach
    site.strip([(-reach, y), (reach, y)], width + 10, "asphalt", paint=(120, 118, 114))
    site.strip([(-reach, y), (reach, y)], width, "asphalt", paint=(92, 92, 92))
    white = (226, 226, 220, 220)
    for side in (-width / 2 + 1, width / 2 - 1):
        site.line([(-reach, y + side), (reach, y + side)], 0.9, white)
    x = -reach
    while x < reach:
        site.stain(rectangle(30, 0.9, x + 15, y), white)
        x += 50
    threshold = site.between(-0.6, 0.2) * site.half
    for i in range(6):
        for side in (-1, 1):
            site.stain(rectangle(28, 1.8, threshold, y + side * (3.2 + i * 3.1)), white)
    for side in (-1, 1):
        site.stain(rectangle(42, 6, threshold + 110, y + side * 9), white)
    for _ in range(24):
        start = threshold + 60 + float(site.rng.exponential(60))
        lane = site.between(-5.5, 5.5)
        site.stain(rectangle(site.between(40, 110), 0.9, start, y + lane), (38, 38, 38, 60))


def _service(site: Site, x: float, y: float, count: int) -> None:
    """Vans and tankers around a standing plane."""
    for _ in range(count):
        frame = site.frame.at(x + site.between(-5, 5), y + site.between(-7, 7), site.between(0, 6.3))
        if site.chance(0.5):
            car(site, frame)
        else:
            lorry(site, frame, length=site.between(8, 11))


def _stand(site: Site, x: float, y: float, heading: float) -> None:
    """A stand's yellow lead-in line."""
    frame = site.frame.at(x, y, heading)
    site.line([(24, 0), (-38, 0)], 0.4, YELLOW, frame=frame)
    site.line([(24, -3.5), (24, 3.5)], 0.5, YELLOW, frame=frame)


def _rows(site: Site) -> None:
    """One or two rows of planes on an open apron, all with one heading; some places empty."""
    half, reach = site.half, site.reach
    size = site.between(28, 52)
    pitch = size * site.between(1.1, 1.32)
    rows = 1 if size > 40 or site.chance(0.55) else 2
    top = -half * site.between(0.35, 0.6)
    depth = rows * size * 1.45 + 34
    _taxiway(site, top - 34)
    if site.chance(0.6):
        _runway(site, top - 34 - 92)
    _slabs(site, -reach, top - 10, reach, top + depth)
    count = max(2, int(2 * half * 0.95 / pitch))
    lean = site.between(-0.5, 0.5) if site.chance(0.4) else 0.0
    heading = (math.pi / 2 if site.chance(0.5) else -math.pi / 2) + lean
    filled = site.between(0.45, 1.0)
    first = site.whole(0, max(0, count - 2))
    for r in range(rows):
        y = top + 12 + size * (0.55 + 1.45 * r)
        for i in range(count):
            x = (i - (count - 1) / 2) * pitch
            _stand(site, x, y, heading)
            if site.chance(filled) or i == first:
                plane(
                    site,
                    site.frame.at(x, y, heading + float(site.rng.normal(0, 0.012))),
                    size * site.between(0.97, 1.03),
                )
                if site.chance(0.3):
                    _service(site, x + pitch / 2, y + size * 0.1, 1)
    _buildings(site, top + depth)


def _terminal(site: Site) -> None:
    """A terminal with planes nose in at its gates."""
    half, reach = site.half, site.reach
    edge = half * site.between(-0.05, 0.3)
    _slabs(site, -reach, -reach, reach, edge)
    _taxiway(site, edge - 128)
    size = site.between(34, 60)
    pitch = size * 1.22
    count = max(2, int(2 * half * 0.96 / pitch))
    filled = site.between(0.4, 0.95)
    for i in range(count):
        x = (i - (count - 1) / 2) * pitch
        y = edge - size * 0.5 - 7
        _stand(site, x, y, math.pi / 2)
        if site.chance(filled):
            plane(site, site.frame.at(x, y, math.pi / 2), size * site.between(0.8, 1.0))
            site.solid(
                site.frame.at(x - 5.5, edge - size * 0.16), rectangle(3.0, size * 0.36), (150, 154, 158), height=4
            )
            _service(site, x + pitch / 2, y, site.whole(0, 2))
    hall(site, site.frame.at(0, edge + 17), 2 * reach, 32, height=14, colour=site.vary((204, 206, 206), 0.05))
    site.ground([(-reach, edge + 33), (reach, edge + 33), (reach, edge + 48), (-reach, edge + 48)], "asphalt")
    site.take_rectangle(0, edge + 20, 2 * reach, 60)
    if site.chance(0.5):
        frame = site.frame.at(site.between(-0.7, 0.7) * half, edge - 128, 0 if site.chance(0.5) else math.pi)
        plane(site, frame, site.between(32, 46))
    _buildings(site, edge + 50)


def _scattered(site: Site) -> None:
    """Planes of all sizes, left standing every way: parked, but not in a row."""
    half, reach = site.half, site.reach
    _slabs(site, -reach * 0.9, -half * 0.75, reach, half * 0.6)
    spots: list[tuple[float, float, float]] = []
    for _ in range(60):
        size = site.between(28, 56)
        x, y = site.between(-0.85, 0.85) * half, site.between(-0.62, 0.45) * half
        if all(math.hypot(x - a, y - b) > (size + s) * 0.53 for a, b, s in spots):
            spots.append((x, y, size))
            plane(site, site.frame.at(x, y, site.between(0, 2 * math.pi)), size)
        if len(spots) >= site.whole(2, 7):
            break
    _buildings(site, half * 0.62)


def _heliport(site: Site) -> None:
    """Landing pads in a line, helicopters on some of them, hangars behind; now and then a plane beside."""
    half, reach = site.half, site.reach
    _slabs(site, -reach, -half * 0.4, reach, half * 0.45)
    count = site.whole(2, 6)
    pitch = min(40.0, 2 * half * 0.85 / count)
    for i in range(count):
        frame = site.frame.at((i - (count - 1) / 2) * pitch, -half * 0.12, -math.pi / 2)
        helipad(site, frame)
        if site.chance(0.6):
            helicopter(site, frame.at(0, 0, float(site.rng.normal(0, 0.25))))
    if site.chance(0.4):
        plane(
            site,
            site.frame.at(site.between(-0.5, 0.5) * half, half * 0.25, site.between(-0.3, 0.3)),
            site.between(28, 38),
        )
    for i in range(3):
        x = (i - 1) * 52.0
        hall(site, site.frame.at(x, -half * 0.4 - 20), site.between(34, 46), 30, height=11)
        site.take_rectangle(x, -half * 0.4 - 20, 46, 30)
    _buildings(site, half * 0.47)


def _runway_only(site: Site) -> None:
    """A runway and a taxiway; at most one plane about to take off."""
    half = site.half
    _runway(site, -half * 0.2)
    _taxiway(site, half * 0.35)
    site.strip([(half * 0.5, -half * 0.2), (half * 0.5, half * 0.35)], 24, "asphalt", paint=(118, 116, 112))
    site.take_rectangle(0, -half * 0.2, 2 * site.reach, 70)
    site.take_rectangle(0, half * 0.35, 2 * site.reach, 40)
    site.take_rectangle(half * 0.5, 0, half, 30, math.pi / 2)
    if site.chance(0.6):
        plane(site, site.frame.at(site.between(-0.6, 0.3) * half, -half * 0.2, 0.0), site.between(34, 60))
    trees(site, 25, lambda x, y: y > half * 0.6)


def _buildings(site: Site, from_y: float) -> None:
    """The land side: a road, hangars or a car park, a few trees."""
    half, reach = site.half, site.reach
    if from_y > half * 1.3:
        return
    road(site, [(-reach, from_y + 10), (reach, from_y + 10)], 7.5)
    site.take_rectangle(0, from_y + 8, 2 * reach, 20)
    x = -half * 1.2
    while x < half * 1.2:
        length = site.between(30, 60)
        if site.chance(0.45):
            hall(site, site.frame.at(x + length / 2, from_y + 42), length, 40, height=12)
            site.take_rectangle(x + length / 2, from_y + 42, length, 40)
        elif site.chance(0.5):
            site.ground(
                [(x, from_y + 20), (x + length, from_y + 20), (x + length, from_y + 58), (x, from_y + 58)], "asphalt"
            )
            for row, turn in ((26, 1), (46, -1)):
                stalls(
                    site,
                    site.frame.at(x + length / 2, from_y + row, turn * math.pi / 2),
                    int(length / 2.6),
                    site.between(0.3, 0.9),
                )
            site.take_rectangle(x + length / 2, from_y + 40, length, 42)
        x += length + site.between(8, 20)
    trees(site, 30, lambda px, py: py > from_y + 16)

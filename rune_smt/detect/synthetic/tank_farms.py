"""Tank farms: storage tanks in bunds, pipes, loading racks, and sometimes a tanker at a jetty."""

from __future__ import annotations

import math

from .plants import scrub, trees
from .site import Site, rectangle, shade
from .structures import hall, pier, road, storage_tank
from .vehicles import car, lorry, stalls, traffic
from .vessels import beam_of, ship


def tank_farm(site: Site) -> None:
    """A grid of bunds, one tank or four small ones in each, along the site's axes."""
    half, reach = site.half, site.reach
    site.base = "dry_grass" if site.chance(0.6) else "grass"
    scrub(site, 40, lambda x, y: True)
    waterside = site.chance(0.35)
    bottom = half * site.between(0.25, 0.4) if waterside else half * 0.98
    if waterside:
        site.tints["water"] = site.vary((46, 68, 72), 0.08)
        site.ground([(-reach, bottom + 12), (reach, bottom + 12), (reach, reach), (-reach, reach)], "water")
        site.line([(-reach, bottom + 12), (reach, bottom + 12)], 2.4, shade(site.colour_of("concrete"), 1.05))
        _jetty(site, bottom + 12)
    top = -half * site.between(0.7, 1.0)
    yard = [(-half * 0.95, top), (half * 0.95, top), (half * 0.95, bottom), (-half * 0.95, bottom)]
    site.ground(yard, "gravel")
    cell = site.between(52, 74)
    columns = max(2, int(2 * half * 0.92 / cell))
    rows = max(1, int((bottom - top - 10) / cell))
    x0 = -columns * cell / 2
    site.take_rectangle(0, (top + bottom) / 2, 2 * half * 0.95, bottom - top)
    for r in range(rows):
        y = top + (r + 0.5) * cell
        for c in range(columns):
            _cell(site, x0 + (c + 0.5) * cell, y, cell)
        _pipes(site, x0, x0 + columns * cell, y + cell / 2)
    for c in range(columns + 1):
        road(site, [(x0 + c * cell, top), (x0 + c * cell, bottom)], 5.5, marked=False, verge=False)
    for _ in range(site.whole(0, 5)):
        x = x0 + cell * site.whole(0, columns)
        frame = site.frame.at(x + 1.2, site.between(top + 8, bottom - 8), math.pi / 2)
        if site.chance(0.6):
            lorry(site, frame, trailer=(206, 208, 208), length=site.between(11, 15))
        else:
            car(site, frame)
    y = top - 12
    road(site, [(-reach, y), (reach, y)], 8)
    traffic(site, [(-reach, y), (reach, y)], 8, 55, 0.4)
    site.take_rectangle(0, y, 2 * reach, 13)
    trees(site, 40, lambda px, py: py < bottom)


def _cell(site: Site, x: float, y: float, cell: float) -> None:
    """One bund: an earth wall around one large tank, four small ones, a rack with lorries, an office, or nothing."""
    frame = site.frame.at(x, y)
    room = cell - 11
    kind = site.rng.random()
    if kind < 0.74:
        earth = site.vary((158, 146, 122), 0.06)
        site.ground(rectangle(room, room), "dirt", frame=frame, paint=shade(earth, 1.06))
        inner = room - 5
        site.ground(rectangle(inner, inner), "gravel", frame=frame, paint=shade(earth, 0.93))
        site.stain(
            [
                (-inner / 2, -inner / 2),
                (inner / 2, -inner / 2),
                (inner / 2, -inner / 2 + 1.6),
                (-inner / 2, -inner / 2 + 1.6),
            ],
            (60, 52, 40, 90),
            frame=frame,
        )
        if kind < 0.5:
            radius = inner / 2 * site.between(0.55, 0.84)
            storage_tank(site, frame, radius, site.between(11, 16))
        else:
            for sx in (-1, 1):
                for sy in (-1, 1):
                    if not site.chance(0.12):
                        storage_tank(
                            site, frame.at(sx * inner * 0.245, sy * inner * 0.245), inner * 0.19, site.between(8, 12)
                        )
    elif kind < 0.84:
        site.ground(rectangle(room, room), "concrete", frame=frame)
        for i in range(4):
            at = (i - 1.5) * 7.5
            site.line([(-9, at + 3.7), (9, at + 3.7)], 0.8, (120, 118, 112), frame=frame)
            if site.chance(0.65):
                lorry(site, frame.at(site.between(-2, 2), at), trailer=(212, 212, 208), length=site.between(12, 15.5))
    elif kind < 0.93:
        hall(site, frame, room * 0.6, room * 0.4, height=6)
        stalls(site, frame.at(0, room * 0.38, math.pi / 2), int(room * 0.7 / 2.6), 0.6)


def _pipes(site: Site, x0: float, x1: float, y: float) -> None:
    """A pipe rack: several thin bright lines with cross beams."""
    for i in range(5):
        at = y - 2.4 + i * 1.2
        site.line([(x0, at), (x1, at)], 0.45, (198, 196, 190), layer="ground")
        site.line([(x0, at + 0.5), (x1, at + 0.5)], 0.35, (84, 80, 74), layer="ground")
    x = x0
    while x < x1:
        site.line([(x, y - 3), (x, y + 3)], 0.6, (142, 138, 130))
        x += 12


def _jetty(site: Site, shore: float) -> None:
    """A jetty out into the water, with or without a tanker at its head; perhaps one waits farther out."""
    half = site.half
    x = site.between(-0.4, 0.4) * half
    length = (half - shore) * site.between(0.3, 0.5)
    if not pier(site, site.frame.at(x, shore + length / 2, math.pi / 2), length, 8):
        return
    head = site.frame.at(x, shore + length + 4)
    pier(site, head, 62, 9)
    size = site.between(80, 118)
    if site.chance(0.6):
        ship(site, head.at(0, 4.5 + beam_of(size) / 2 + 1.5), size)
    elif site.chance(0.6):
        ship(
            site,
            site.frame.at(-x * 1.2 + site.between(-40, 40), half * 0.88, site.between(-0.2, 0.2)),
            site.between(30, 60),
        )

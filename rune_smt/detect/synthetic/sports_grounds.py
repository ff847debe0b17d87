"""Sports grounds: a track, a pitch or a ball park, courts in a row, a public pool, paths and parking."""

from __future__ import annotations

import math
from itertools import pairwise

from .courts import (
    baseball_diamond,
    basketball_court,
    running_track,
    soccer_pitch,
    swimming_pool,
    tennis_court,
)
from .plants import scrub, trees, wood
from .site import Site, shade
from .structures import hall, road
from .textures import Colour
from .vehicles import stalls, traffic

COURT_COLOURS: tuple[tuple[Colour, Colour], ...] = (
    ((70, 108, 78), (62, 92, 132)), ((58, 92, 70), (78, 120, 84)),
    ((156, 88, 66), (172, 100, 74)), ((86, 118, 96), (70, 104, 142)),
    ((148, 100, 78), (82, 116, 88)),
)  # fmt: skip
BALL_COLOURS: tuple[tuple[Colour, Colour], ...] = (
    ((150, 92, 68), (96, 118, 84)), ((92, 112, 134), (160, 92, 70)),
    ((126, 126, 124), (104, 104, 108)), ((98, 124, 98), (156, 96, 72)),
)  # fmt: skip


def sports_ground(site: Site) -> None:
    """One large field in the upper half, a row of courts below, and what else finds room."""
    half, reach = site.half, site.reach
    site.base = "grass"
    site.tints["turf"] = site.vary(site.pick(((70, 112, 62), (82, 118, 66), (60, 102, 64), (94, 122, 70))), 0.05)
    scrub(site, 60, lambda x, y: True)
    road_y = half * site.between(0.84, 0.95)
    road(site, [(-reach, road_y), (reach, road_y)], 8.0)
    traffic(site, [(-reach, road_y), (reach, road_y)], 8.0, site.between(20, 80), 0.1)
    site.take_rectangle(0, road_y, 2 * reach, 12)
    courts_y = half * site.between(0.42, 0.56)
    kind = site.whole(0, 9)
    top = -half * 0.94
    field_y = (top + courts_y - 17) / 2
    depth = courts_y - 17 - top
    if kind <= 3:
        scale = min(1.0, depth / 96, 2 * half * 0.94 / 178)
        running_track(site, site.frame.at(site.between(-8, 8), field_y), soccer=site.chance(0.75), scale=scale)
        site.take_rectangle(0, field_y, 180 * scale, 96 * scale)
    elif kind <= 5:
        length = min(100.0, 2 * half * 0.6)
        width = min(length * 0.64, depth * 0.92)
        x = site.between(-0.3, 0.3) * half
        soccer_pitch(site, site.frame.at(x, field_y), length, width)
        site.take_rectangle(x, field_y, length + 6, width + 6)
        if site.chance(0.5) and half * 0.94 - x - length / 2 > 40:
            r = min(half * 0.94 - x - length / 2 - 8, depth * 0.8, 92)
            _ball_park(site, x + length / 2 + 6, field_y - r / 2, r)
    elif kind <= 7:
        r = min(depth * 0.94, site.between(58, 92))
        _ball_park(site, -r * site.between(0.2, 1.0), top + (depth - r) / 2, r)
        if site.chance(0.5):
            _ball_park(site, half * 0.92 - r * 0.55, top + 4, r * 0.55, only_if_free=True)
    else:
        for y in (top + 24, field_y + 6):
            _court_row(site, y, site.whole(2, 5), (-0.8, 0.1))
    _court_row(site, courts_y, site.whole(1, 5), (-0.9, 0.2))
    if site.chance(0.55):
        _pool(site, site.between(0.35, 0.75) * half, courts_y)
    if site.chance(0.6):
        _parking(site, road_y - 17, site.between(-0.8, 0.2) * half)
    _paths(site, road_y, courts_y)
    if site.chance(0.6):
        _gymnasium(site, site.between(-0.8, 0.8) * half, courts_y + site.between(-6, 6))
    for _ in range(3):
        x, y = site.between(-1, 1) * half, site.between(-1, 0.6) * half
        if site.free(x, y, 20):
            wood(site, x, y, site.between(16, 30), lambda px, py: py < road_y - 8)
    trees(site, 70, lambda x, y: y < road_y - 8)


def _paths(site: Site, road_y: float, courts_y: float) -> None:
    """Foot paths of gravel from the road to the fields; they run only over what is free."""
    tone = (*site.colour_of("gravel"), 210)
    x = site.between(-0.6, 0.6) * site.half
    points = [(x, road_y), (x + site.between(-12, 12), courts_y + 20), (x + site.between(-20, 20), courts_y - 26)]
    steps = 24
    for (x0, y0), (x1, y1) in pairwise(points):
        for i in range(steps):
            ax, ay = x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps
            bx, by = x0 + (x1 - x0) * (i + 1) / steps, y0 + (y1 - y0) * (i + 1) / steps
            if site.free((ax + bx) / 2, (ay + by) / 2, 0.5):
                site.strip([(ax, ay), (bx, by)], 2.2, "gravel", paint=tone)
                site.take((ax + bx) / 2, (ay + by) / 2, 1.2)


def _gymnasium(site: Site, x: float, y: float) -> None:
    """A sports hall where there is room for one."""
    if site.free(x, y, 24):
        hall(site, site.frame.at(x, y), 38, 24)
        site.take(x, y, 24)


def _ball_park(site: Site, x: float, y: float, radius: float, *, only_if_free: bool = False) -> None:
    """A baseball ground with its home plate at the upper left of its square."""
    if only_if_free and not site.free(x + radius / 2, y + radius / 2, radius * 0.6):
        return
    baseball_diamond(site, site.frame.at(x, y), radius)
    site.take_rectangle(x + radius / 2, y + radius / 2, radius, radius)


def _court_row(site: Site, y: float, count: int, span: tuple[float, float]) -> None:
    """Tennis or basketball courts side by side on a paved ground."""
    tennis = site.chance(0.62)
    pitch = 18.6 if tennis else 19.4
    x = site.between(*span) * site.half
    if not all(site.free(x + i * pitch, y, 16) for i in range(count)):
        return
    tennis_pair = COURT_COLOURS[site.whole(0, len(COURT_COLOURS) - 1)]
    ball_pair = BALL_COLOURS[site.whole(0, len(BALL_COLOURS) - 1)]
    ground = shade(tennis_pair[0] if tennis else (128, 126, 122), 0.92)
    length = 36.0 if tennis else 32.0
    x0, x1 = x - pitch / 2 - 1, x + (count - 0.5) * pitch + 1
    if all(site.inside(px, y, -8) for px in (x0, x1)):
        pad = [(x0, y - length / 2), (x1, y - length / 2), (x1, y + length / 2), (x0, y + length / 2)]
        site.ground(pad, "smooth", paint=ground)
    for i in range(count):
        frame = site.frame.at(x + i * pitch, y, math.pi / 2)
        if tennis:
            tennis_court(site, frame, tennis_pair)
        else:
            basketball_court(site, frame, ball_pair)
    site.take_rectangle((x0 + x1) / 2, y, x1 - x0, length)


def _pool(site: Site, x: float, y: float) -> None:
    """A public pool with lanes and the bath house beside it."""
    length, width = (50.0, 21.0) if site.chance(0.3) else (25.0, 12.5)
    if not site.free(x, y, length * 0.6):
        return
    if swimming_pool(site, site.frame.at(x, y, 0.0 if site.chance(0.7) else math.pi / 2), length, width, lanes=True):
        site.take(x, y, length * 0.6)
        if site.free(x, y - length * 0.75, 12):
            hall(site, site.frame.at(x, y - length * 0.62), length * 0.8, 9, height=4)
            site.take(x, y - length * 0.62, length * 0.4)


def _parking(site: Site, y: float, x: float) -> None:
    """A short strip of stalls along the road."""
    count = site.whole(8, 22)
    length = count * 2.6 + 6
    if not all(site.free(x + t * length, y, 8) for t in (-0.45, 0, 0.45)):
        return
    site.ground(
        [(x - length / 2, y - 6), (x + length / 2, y - 6), (x + length / 2, y + 8), (x - length / 2, y + 8)], "asphalt"
    )
    stalls(site, site.frame.at(x, y - 2.6, math.pi / 2), count, site.between(0.2, 0.95))
    site.take_rectangle(x, y + 1, length, 14)

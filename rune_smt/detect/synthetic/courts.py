"""Sports grounds with their lines in true measure, and swimming pools."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .site import Frame, Point, Site, disc, rectangle, shade
from .textures import Colour

WHITE = (232, 234, 230, 225)


def tennis_court(site: Site, frame: Frame, colours: tuple[Colour, Colour]) -> bool:
    """A tennis court, 23.8 m by 11 m, in a ground of 34 m by 17 m; colours of the ground and the court."""
    length, width = 34.0, 17.0
    if not site.label("tennis_court", frame, 23.8, 11.0):
        return False
    outer, inner = colours
    site.ground(rectangle(length, width), "smooth", frame=frame, paint=outer)
    site.ground(rectangle(23.8, 11.0), "smooth", frame=frame, paint=inner)
    for y in (-5.5, -4.1, 4.1, 5.5):
        site.line([(-11.9, y), (11.9, y)], 0.22, WHITE, frame=frame)
    for x in (-11.9, 11.9):
        site.line([(x, -5.5), (x, 5.5)], 0.22, WHITE, frame=frame)
    for x in (-6.4, 6.4):
        site.line([(x, -4.1), (x, 4.1)], 0.22, WHITE, frame=frame)
    site.line([(-6.4, 0), (6.4, 0)], 0.22, WHITE, frame=frame)
    site.stain(rectangle(0.9, 12.6, 0.5), (30, 34, 32, 70), frame=frame)
    site.line([(0, -6.3), (0, 6.3)], 0.3, (64, 68, 66), frame=frame)
    return True


def basketball_court(site: Site, frame: Frame, colours: tuple[Colour, Colour]) -> bool:
    """A basketball court, 30 m by 17 m with its margin; colours of field and keys."""
    length, width = 30.0, 17.0
    if not site.label("basketball_court", frame, length, width):
        return False
    field, key = colours
    site.ground(rectangle(length, width), "smooth", frame=frame, paint=shade(field, 0.86))
    site.ground(rectangle(28, 15), "smooth", frame=frame, paint=field)
    for side in (-1, 1):
        site.ground(rectangle(5.8, 4.9, side * 11.1), "smooth", frame=frame, paint=key)
        site.line(_closed(rectangle(5.8, 4.9, side * 11.1)), 0.2, WHITE, frame=frame)
        arc = [(side * (12.4 - 6.75 * math.cos(a)), 6.75 * math.sin(a)) for a in _steps(-1.25, 1.25, 14)]
        site.line([(side * 14, arc[0][1]), *arc, (side * 14, arc[-1][1])], 0.2, WHITE, frame=frame)
        site.solid(frame, rectangle(0.7, 1.8, side * 12.9), (228, 228, 226), height=3.2)
    site.line(_closed(rectangle(28, 15)), 0.2, WHITE, frame=frame)
    site.line([(0, -7.5), (0, 7.5)], 0.2, WHITE, frame=frame)
    site.line(_closed(disc(1.8)), 0.2, WHITE, frame=frame)
    return True


def soccer_pitch(site: Site, frame: Frame, length: float = 100.0, width: float = 64.0) -> bool:
    """A soccer field with mowing stripes."""
    if not site.label("soccer_ball_field", frame, length, width):
        return False
    _pitch(site, frame, length, width)
    return True


def _pitch(site: Site, frame: Frame, length: float, width: float) -> None:
    turf = site.colour_of("turf")
    site.ground(rectangle(length, width), "turf", frame=frame)
    bands = 12
    step = length / bands
    for i in range(0, bands, 2):
        x = -length / 2 + (i + 0.5) * step
        site.stain(rectangle(step, width, x), (*shade(turf, 1.25), 70), frame=frame)
    inner_l, inner_w = length * 0.95, width * 0.93
    line = (228, 232, 224, 205)
    site.line(_closed(rectangle(inner_l, inner_w)), 0.35, line, frame=frame)
    site.line([(0, -inner_w / 2), (0, inner_w / 2)], 0.35, line, frame=frame)
    site.line(_closed(disc(length * 0.0915)), 0.35, line, frame=frame)
    for side in (-1, 1):
        edge = side * inner_l / 2
        for depth, breadth in ((length * 0.165, inner_w * 0.6), (length * 0.055, inner_w * 0.28)):
            x = edge - side * depth
            site.line(
                [(edge, -breadth / 2), (x, -breadth / 2), (x, breadth / 2), (edge, breadth / 2)],
                0.35,
                line,
                frame=frame,
            )
        site.stain(rectangle(2.0, 7.3, edge + side * 1.0), (230, 232, 230, 150), frame=frame)
        wear = disc(5.5, edge - side * 5.0, 0, squash=1.3)
        site.stain(wear, (150, 136, 96, 60), frame=frame)


def running_track(site: Site, frame: Frame, *, soccer: bool = True, scale: float = 1.0) -> bool:
    """A 400 m track, 176 m by 92 m, with a soccer field inside it where asked for."""
    length, width = 176.5 * scale, 92.5 * scale
    if not site.label("ground_track_field", frame, length, width):
        return False
    straight = length - width
    red = site.vary(site.pick(((164, 82, 66), (152, 74, 62), (176, 96, 76), (92, 110, 138))), 0.05)
    site.shape(frame, _stadium(straight, width / 2))
    site.ground(_stadium(straight, width / 2), "smooth", frame=frame, paint=red)
    lane = 1.22 * scale
    for i in range(1, 8):
        site.line(_closed(_stadium(straight, width / 2 - i * lane)), 0.18, (224, 206, 198, 130), frame=frame)
    inner = width / 2 - 8 * lane
    site.ground(_stadium(straight, inner), "turf", frame=frame)
    site.line(_closed(_stadium(straight, inner)), 0.3, WHITE, frame=frame)
    for side in (-1, 1):
        bay = [
            (side * (straight / 2 + 2), -inner * 0.62),
            (side * (straight / 2 + 2), inner * 0.62),
            (side * (straight / 2 + inner * 0.62), 0),
        ]
        site.stain(bay, (*red, 235), frame=frame)
    pitch_l, pitch_w = straight * 1.16, inner * 1.62
    if soccer and site.label("soccer_ball_field", frame, pitch_l, pitch_w):
        _pitch(site, frame, pitch_l, pitch_w)
    return True


def baseball_diamond(site: Site, corner: Frame, radius: float) -> bool:
    """A baseball ground: a quarter disc around home plate at the frame's spot, foul lines along x and y."""
    middle = corner.at(radius / 2, radius / 2)
    if not site.label("baseball_diamond", middle, radius, radius):
        return False
    fan = [(0.0, 0.0)] + [(radius * math.cos(a), radius * math.sin(a)) for a in _steps(0, math.pi / 2, 24)]
    site.shape(corner, fan)
    site.ground(fan, "turf", frame=corner)
    dirt = site.vary((172, 136, 102), 0.06)
    for i in range(5):
        inner, outer = radius * (0.5 + i * 0.1), radius * (0.55 + i * 0.1)
        band = [(inner * math.cos(a), inner * math.sin(a)) for a in _steps(0.04, math.pi / 2 - 0.04, 16)]
        band += [(outer * math.cos(a), outer * math.sin(a)) for a in reversed(_steps(0.04, math.pi / 2 - 0.04, 16))]
        site.stain(band, (150, 176, 110, 42), frame=corner)
    base = 27.4 * min(1.0, radius / 75)
    infield = base * 1.42
    skin = [(0.0, 0.0)] + [(infield * math.cos(a), infield * math.sin(a)) for a in _steps(0, math.pi / 2, 16)]
    site.ground(skin, "dirt", frame=corner, paint=dirt)
    site.ground(rectangle(base - 4, base - 4, base / 2 + 1, base / 2 + 1), "turf", frame=corner)
    site.ground_disc(base / 2, base / 2, 2.7, "dirt", frame=corner, paint=dirt)
    site.ground_disc(1.6, 1.6, 4.0, "dirt", frame=corner, paint=dirt)
    for end in ((radius, 0.15), (0.15, radius)):
        site.line([(0, 0), end], 0.3, WHITE, frame=corner)
    for x, y in ((base, 0), (base, base), (0, base)):
        site.solid(corner, rectangle(1.1, 1.1, x, y), (236, 236, 232))
    site.line(
        [(radius * math.cos(a), radius * math.sin(a)) for a in _steps(0, math.pi / 2, 24)],
        1.2,
        (150, 128, 96, 200),
        frame=corner,
    )
    return True


def swimming_pool(site: Site, frame: Frame, length: float, width: float, *, lanes: bool = False) -> bool:
    """A pool; with lanes a public one, else one in a garden with its paving."""
    if not site.label("swimming_pool", frame, length, width):
        return False
    water = site.vary(site.pick(((72, 168, 196), (62, 150, 186), (88, 184, 204), (58, 138, 166))), 0.04)
    rim = site.between(1.0, 2.2) if not lanes else site.between(3, 6)
    site.ground(
        rectangle(length + 2 * rim, width + 2 * rim), "concrete", frame=frame, paint=site.vary((206, 200, 188), 0.05)
    )
    if lanes or site.chance(0.6):
        shape = rectangle(length, width)
    else:
        shape = [
            (length / 2 * _round(math.cos(a)), width / 2 * _round(math.sin(a))) for a in _steps(0, 2 * math.pi, 28)
        ]
    site.shape(frame, shape)
    site.ground(shape, "smooth", frame=frame, paint=water)
    site.stain([(x * 0.72 + length * 0.05, y * 0.66) for x, y in shape], (*shade(water, 0.82), 120), frame=frame)
    if lanes:
        count = max(4, int(width / 2.5))
        for i in range(1, count):
            y = (i / count - 0.5) * width
            site.line([(-length / 2, y), (length / 2, y)], 0.25, (232, 236, 236, 170), frame=frame)
    else:
        for _ in range(site.whole(1, 3)):
            x = site.between(-0.4, 0.4) * length
            side = -1 if site.chance(0.5) else 1
            site.solid(frame, rectangle(1.8, 0.7, x, side * (width / 2 + rim * 0.55)), (238, 238, 236), height=0.5)
    return True


def _round(v: float) -> float:
    """A superellipse's coordinate from a circle's: fuller at the corners."""
    return math.copysign(abs(v) ** 0.6, v)


def _stadium(straight: float, radius: float) -> list[Point]:
    right = [(straight / 2 + radius * math.cos(a), radius * math.sin(a)) for a in _steps(-math.pi / 2, math.pi / 2, 18)]
    return right + [(-x, -y) for x, y in right]


def _closed(points: Sequence[Point]) -> list[Point]:
    return [*points, points[0]]


def _steps(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * i / (count - 1) for i in range(count)]

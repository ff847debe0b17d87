"""What is built: houses, halls, roads, bridges, tanks, piers, cranes, containers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .site import Frame, Point, Site, disc, rectangle, shade
from .textures import Colour
from .vessels import BOXES

ROOFS: Sequence[Colour] = (
    (146, 92, 74), (158, 104, 82), (122, 84, 72), (112, 108, 104),
    (96, 94, 94), (134, 122, 110), (168, 140, 116), (84, 86, 92),
)  # fmt: skip
HALL_ROOFS: Sequence[Colour] = (
    (206, 206, 202),
    (186, 190, 192),
    (170, 164, 154),
    (146, 150, 154),
    (220, 218, 210),
    (150, 110, 96),
)

ROUND = 48  # corners of what is round: at 100 px across it lies within a tenth of a pixel


def house(site: Site, frame: Frame, length: float, width: float, colour: Colour | None = None) -> None:
    """A dwelling with a hipped roof; its faces are lit by the sun's place."""
    roof = site.vary(colour or site.pick(ROOFS), 0.07)
    height = site.between(5.0, 8.0)
    hl, hw = length / 2, width / 2
    ridge = max(0.0, hl - hw)
    outline = rectangle(length, width)
    site.solid(frame, outline, roof, height=height)
    faces: list[tuple[Point, list[Point]]] = [
        ((0, 1), [(-hl, hw), (hl, hw), (ridge, 0), (-ridge, 0)]),
        ((0, -1), [(-hl, -hw), (hl, -hw), (ridge, 0), (-ridge, 0)]),
        ((1, 0), [(hl, -hw), (hl, hw), (ridge, 0)]),
        ((-1, 0), [(-hl, -hw), (-hl, hw), (-ridge, 0)]),
    ]
    for (nx, ny), points in faces:
        site.solid(frame, points, shade(roof, 1 - 0.24 * _away_from_sun(site, frame, nx, ny)))
    if site.chance(0.5):
        site.solid(frame, rectangle(0.9, 0.9, site.between(-0.5, 0.5) * ridge, hw * 0.3), shade(roof, 0.6), height=0)
    if site.chance(0.2):
        site.solid(frame, rectangle(length * 0.3, hw * 0.5, 0, hw * 0.5), (38, 46, 66))


def hall(
    site: Site, frame: Frame, length: float, width: float, *, height: float = 9.0, colour: Colour | None = None
) -> None:
    """A large flat-roofed building with parapet, rows of skylights and plant on its roof."""
    roof = site.vary(colour or site.pick(HALL_ROOFS), 0.05)
    site.solid(frame, rectangle(length, width), shade(roof, 0.8), height=height)
    site.solid(frame, rectangle(length - 1.4, width - 1.4), roof)
    if site.chance(0.5):
        rows = max(1, int(width / 14))
        for r in range(rows):
            y = ((r + 0.5) / rows - 0.5) * width
            for i in range(int(length / 9)):
                x = (i + 0.5) * 9 - int(length / 9) * 4.5
                site.solid(frame, rectangle(3.6, 1.2, x, y), shade(roof, 1.14))
    else:
        bands = max(2, int(length / 12))
        for i in range(1, bands):
            x = (i / bands - 0.5) * (length - 2)
            site.line([(x, -width / 2 + 1), (x, width / 2 - 1)], 0.4, shade(roof, 0.9), frame=frame, layer="object")
    for _ in range(int(length * width / 500) + 1):
        x, y = site.between(-0.4, 0.4) * length, site.between(-0.4, 0.4) * width
        size = site.between(1.5, 3.5)
        # roof plant is small against the hall: a dark sliver on its lee side is shadow enough
        site.solid(frame.at(x, y), rectangle(size + 0.7, size + 0.5, 0.5, 0.4), shade(roof, 0.62))
        site.solid(frame.at(x, y), rectangle(size, size * 0.8), shade(roof, 1.05))


def _away_from_sun(site: Site, frame: Frame, nx: float, ny: float) -> float:
    """From -1 (faces the sun) to 1 (lies in its own shade) for a roof face with that local normal."""
    dx, dy = nx * frame.cos - ny * frame.sin, nx * frame.sin + ny * frame.cos
    length = math.hypot(*site.sun) * frame.scale or 1.0
    return (dx * site.sun[0] + dy * site.sun[1]) / length


def road(
    site: Site,
    points: Sequence[Point],
    width: float,
    *,
    marked: bool = True,
    verge: bool = True,
    frame: Frame | None = None,
) -> None:
    """A road along points in site metres, with kerbs and a broken centre line."""
    asphalt = site.colour_of("asphalt")
    if verge:
        site.strip(points, width + 3.0, "concrete", paint=shade(site.colour_of("concrete"), 0.92), frame=frame)
    site.strip(points, width, "asphalt", paint=asphalt, frame=frame)
    for side in (-0.27, 0.27):
        site.strip(
            _beside(points, side * width), width * 0.12, "asphalt", paint=(*shade(asphalt, 0.86), 90), frame=frame
        )
    if not marked:
        return
    for side in (-0.46, 0.46):
        site.line(_beside(points, side * width), 0.16, (212, 212, 206, 150), frame=frame)
    for i in range(len(points) - 1):
        (x0, y0), (x1, y1) = points[i], points[i + 1]
        length = math.hypot(x1 - x0, y1 - y0)
        if length < 1e-6:
            continue
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        along = 0.0
        while along < length:
            end = min(along + 3.0, length)
            site.line(
                [(x0 + ux * along, y0 + uy * along), (x0 + ux * end, y0 + uy * end)],
                0.2,
                (218, 216, 204, 200),
                frame=frame,
            )
            along += 8.0


def _beside(points: Sequence[Point], offset: float) -> list[Point]:
    """The line moved to its right by `offset`, bends ignored."""
    moved: list[Point] = []
    for i, (x, y) in enumerate(points):
        x0, y0 = points[max(0, i - 1)]
        x1, y1 = points[min(len(points) - 1, i + 1)]
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        moved.append((x - (y1 - y0) / length * offset, y + (x1 - x0) / length * offset))
    return moved


def bridge(site: Site, frame: Frame, length: float, width: float, piers: int = 3) -> bool:
    """A road bridge along the frame's x axis; its deck is part of the ground so that traffic can stand on it."""
    if not site.label("bridge", frame, length, width):
        return False
    # the shadow falls on the water below the deck, so it is painted before the deck and not with the other shadows;
    # where the road goes on there is no drop for it to fall
    _, aside = _local(Frame(0, 0, frame.cos, frame.sin), site.sun[0] * 9, site.sun[1] * 9)
    site.stain(rectangle(length, width, 0, aside), (16, 22, 28, 130), frame=frame)
    for i in range(1, piers + 1):
        x = (i / (piers + 1) - 0.5) * length
        site.ground(rectangle(3.0, width + 3.0, x), "concrete", frame=frame, paint=(132, 130, 124))
    deck = site.vary((176, 172, 164), 0.05)
    site.ground(rectangle(length, width), "concrete", frame=frame, paint=deck)
    lane = shade(site.colour_of("asphalt"), 1.08)
    site.ground(rectangle(length, width * 0.76), "asphalt", frame=frame, paint=lane)
    for y in (-0.36, 0.36):
        site.line([(-length / 2, y * width), (length / 2, y * width)], 0.2, (220, 220, 214, 170), frame=frame)
    x = -length / 2
    while x < length / 2 - 3:
        site.line([(x, 0), (x + 3, 0)], 0.22, (222, 220, 208, 210), frame=frame)
        x += 8
    for y in (-0.49, 0.49):
        site.line([(-length / 2, y * width), (length / 2, y * width)], 0.5, shade(deck, 1.15), frame=frame)
    if site.chance(0.35):
        for y in (-0.47, 0.47):
            for i in range(int(length / 14)):
                x = (i + 0.5) * 14 - int(length / 14) * 7
                site.line(
                    [(x - 7, y * width), (x, y * width + (1.6 if y > 0 else -1.6)), (x + 7, y * width)],
                    0.5,
                    shade(deck, 0.72),
                    frame=frame,
                )
    return True


def _local(frame: Frame, px: float, py: float) -> Point:
    k = frame.cos**2 + frame.sin**2
    dx, dy = px - frame.ox, py - frame.oy
    return (dx * frame.cos + dy * frame.sin) / k, (dy * frame.cos - dx * frame.sin) / k


def roundabout(site: Site, frame: Frame, radius: float) -> bool:
    """A roundabout, its outer kerb at `radius`; the box is the square around it."""
    if not site.label("roundabout", frame, 2 * radius, 2 * radius):
        return False
    site.shape(frame, disc(radius, points=ROUND))
    site.ground_disc(0, 0, radius, "asphalt", frame=frame)
    site.stain_disc(0, 0, radius * 0.99, (206, 206, 200, 150), frame=frame, width=0.3)
    inner = radius * 0.55
    site.ground_disc(0, 0, inner + 1.2, "concrete", frame=frame)
    site.ground_disc(0, 0, inner, "grass", frame=frame)
    if site.chance(0.6):
        site.ground_disc(0, 0, inner * 0.5, "dirt", frame=frame, paint=site.vary((160, 120, 92), 0.1))
    return True


def storage_tank(site: Site, frame: Frame, radius: float, height: float) -> bool:
    """A round tank: rim, roof with its seams, inside the rim the shadow on a floating roof, and a stair."""
    if not site.label("storage_tank", frame, 2 * radius, 2 * radius):
        return False
    site.shape(frame, disc(radius, points=ROUND))
    shell = site.vary(site.pick(((222, 222, 216), (206, 206, 200), (188, 190, 188), (214, 206, 190))), 0.04)
    site.solid_disc(frame, 0, 0, radius, shade(shell, 0.9), height=height)
    lean = math.hypot(*site.sun)
    sx, sy = (site.sun[0] / lean, site.sun[1] / lean) if lean else (0.0, 0.0)
    if site.chance(0.45):  # floating roof: the sunward wall throws a crescent on it
        roof = shade(shell, 0.86)
        site.solid_disc(frame, 0, 0, radius * 0.95, shade(roof, 0.55))
        lx, ly = _local(Frame(0, 0, frame.cos, frame.sin), sx * frame.scale, sy * frame.scale)
        drop = radius * site.between(0.1, 0.28)
        r = radius * 0.95
        lens = _overlap_of_discs(r, (lx * drop, ly * drop))
        site.solid(frame, lens, roof)
        site.solid_disc(frame, lx * drop * 0.6, ly * drop * 0.6, radius * 0.05, shade(roof, 0.8))
    else:
        site.solid_disc(frame, 0, 0, radius * 0.955, shell)
        for i in range(8):
            a = i * math.pi / 4
            site.line(
                [(0, 0), (radius * 0.95 * math.cos(a), radius * 0.95 * math.sin(a))],
                0.22,
                shade(shell, 0.93),
                frame=frame,
                layer="object",
            )
        site.solid_disc(frame, 0, 0, radius * 0.09, shade(shell, 0.84))
    start = site.between(0, 2 * math.pi)
    stair = [
        (radius * 0.985 * math.cos(start + t), radius * 0.985 * math.sin(start + t)) for t in (0, 0.2, 0.4, 0.6, 0.8)
    ]
    site.line(stair, 0.7, (122, 120, 116), frame=frame, layer="object")
    return True


def _overlap_of_discs(radius: float, shift: Point) -> list[Point]:
    """The part of a disc in its own copy moved by `shift`; it is convex, so corners are sorted around its middle."""
    mx, my = shift[0] / 2, shift[1] / 2
    edge = [(x, y) for x, y in disc(radius, *shift, points=60) if math.hypot(x, y) <= radius]
    edge += [(x, y) for x, y in disc(radius, points=60) if math.hypot(x - shift[0], y - shift[1]) <= radius]
    return sorted(edge, key=lambda p: math.atan2(p[1] - my, p[0] - mx))


def pier(site: Site, frame: Frame, length: float, width: float, *, wooden: bool = False) -> bool:
    """A pier, jetty or quay, annotated as harbor; a solid deck over water with its shadow on it."""
    if not site.label("harbor", frame, length, width):
        return False
    deck = site.vary((150, 128, 106) if wooden else (172, 168, 160), 0.05)
    flat = frame.flat(rectangle(length, width))
    dx, dy = site.sun[0] * 3, site.sun[1] * 3
    shadow = [_local(frame, flat[i] + dx, flat[i + 1] + dy) for i in range(0, 8, 2)]
    site.stain(shadow, (12, 18, 24, 120), frame=frame)
    site.ground(rectangle(length, width), "concrete", frame=frame, paint=deck)
    site.line(
        [*rectangle(length - 0.6, width - 0.6), rectangle(length - 0.6, width - 0.6)[0]],
        0.6,
        shade(deck, 1.14),
        frame=frame,
    )
    if wooden:
        x = -length / 2
        while x < length / 2:
            site.line([(x, -width / 2), (x, width / 2)], 0.3, shade(deck, 0.86), frame=frame)
            x += 2.4
    else:
        x = -length / 2 + 10
        while x < length / 2:
            site.line([(x, -width / 2 + 0.6), (x, width / 2 - 0.6)], 0.25, (*shade(deck, 0.84), 150), frame=frame)
            x += 16
    return True


def container_crane(site: Site, frame: Frame, reach: float = 62.0) -> bool:
    """A ship-to-shore crane: boom along x, reaching out over the water, on a portal across the quay."""
    width = 17.0
    if not site.label("container_crane", frame, reach, width):
        return False
    colour = site.pick(((186, 62, 46), (54, 92, 150), (206, 170, 64), (196, 200, 204)))
    hr = reach / 2
    legs = [rectangle(1.8, width, x) for x in (-hr * 0.42, hr * 0.08)]
    site.shape(frame, rectangle(reach, 6.5), *legs)
    for y in (-2.6, 2.6):
        beam = rectangle(reach, 1.3, 0, y)
        flat = frame.flat(beam)
        dx, dy = site.sun[0] * 24, site.sun[1] * 24
        shadow = [v + (dy if i % 2 else dx) for i, v in enumerate(flat)]
        site.stain([_local(frame, shadow[i], shadow[i + 1]) for i in range(0, 8, 2)], (14, 18, 24, 105), frame=frame)
        site.solid(frame, beam, colour)
    steps = int(reach / 6)
    for i in range(steps):
        x = (i / steps - 0.5) * reach
        site.line([(x, -2.6), (x + 3, 2.6), (x + 6, -2.6)], 0.6, shade(colour, 0.85), frame=frame, layer="object")
    for leg in legs:
        site.solid(frame, leg, shade(colour, 0.92), height=6)
    site.solid(frame, rectangle(8, 6.5, -hr * 0.62), (222, 222, 218))
    site.solid(frame, rectangle(3.4, 4.2, hr * 0.3), (230, 214, 120))
    return True


def containers(site: Site, frame: Frame, rows: int, columns: int) -> None:
    """A stack of containers, 6.1 m by 2.44 m each, some places empty; not a class of the vocabulary."""
    for r in range(rows):
        for c in range(columns):
            if site.chance(0.18):
                continue
            x = (c - (columns - 1) / 2) * 6.5
            y = (r - (rows - 1) / 2) * 2.6
            site.solid(
                frame, rectangle(6.1, 2.44, x, y), site.vary(site.pick(BOXES), 0.08), height=2.6 * site.whole(1, 3)
            )

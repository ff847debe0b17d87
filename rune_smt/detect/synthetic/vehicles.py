"""Cars, vans, lorries and buses, and the ways in which they stand and drive."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .site import Frame, Point, Site, rectangle, shade
from .textures import Colour

BODIES: Sequence[Colour] = (
    (240, 241, 240), (248, 248, 246), (232, 234, 236), (244, 244, 243),
    (204, 208, 212), (178, 182, 188), (134, 138, 146), (52, 54, 66),
    (34, 34, 44), (28, 28, 38), (38, 40, 50), (150, 40, 36),
    (48, 62, 104), (72, 92, 134), (70, 78, 74), (186, 176, 156),
)  # fmt: skip
TRAILERS: Sequence[Colour] = (
    (232, 232, 230),
    (222, 224, 226),
    (240, 240, 238),
    (176, 186, 196),
    (72, 98, 146),
    (152, 62, 52),
)
CABS: Sequence[Colour] = ((206, 56, 44), (236, 236, 234), (52, 84, 148), (216, 178, 62), (60, 62, 66), (196, 200, 204))
SKY = (30, 33, 40)
GLASS = (26, 30, 40)


def car(site: Site, frame: Frame) -> bool:
    """A car or van: 4.1 to 5.4 m by 1.8 to 2.1 m, along the heading. False where it lies outside the picture."""
    length, width = site.between(4.1, 5.0), site.between(1.78, 1.95)
    if site.chance(0.12):
        length, width = site.between(5.0, 5.4), 2.05
    if not site.label("small_vehicle", frame, length, width, solid=True):
        return False
    body = site.vary(site.pick(BODIES), 0.04)
    hl, hw = length / 2, width / 2
    hull = [
        (hl, -hw * 0.7),
        (hl, hw * 0.7),
        (hl * 0.9, hw),
        (-hl * 0.92, hw),
        (-hl, hw * 0.75),
        (-hl, -hw * 0.75),
        (-hl * 0.92, -hw),
        (hl * 0.9, -hw),
    ]
    site.shape(frame, hull)
    site.solid(frame, hull, body, height=1.5)
    site.solid(
        frame, [(hl * 0.42, -hw * 0.85), (hl * 0.42, hw * 0.85), (hl * 0.1, hw * 0.7), (hl * 0.1, -hw * 0.7)], GLASS
    )
    site.solid(
        frame, [(-hl * 0.62, -hw * 0.7), (-hl * 0.62, hw * 0.7), (-hl * 0.82, hw * 0.8), (-hl * 0.82, -hw * 0.8)], GLASS
    )
    sky = (body[0] + SKY[0], body[1] + SKY[1], body[2] + SKY[2])  # what roof and bonnet mirror, seen on dark paint most
    site.solid(frame, rectangle(length * 0.34, width * 0.72, -length * 0.13), shade(sky, 1.0))
    site.solid(frame, rectangle(length * 0.2, width * 0.56, length * 0.34), shade(sky, 0.96))
    return True


def lorry(site: Site, frame: Frame, trailer: Colour | None = None, length: float | None = None) -> bool:
    """A lorry: 8 to 17 m by 2.55 m, cab in front, box behind."""
    length = length or site.between(8.5, 16.5)
    if not site.label("large_vehicle", frame, length, 2.55, solid=True):
        return False
    box = site.vary(trailer or site.pick(TRAILERS), 0.03)
    cab = site.pick(CABS)
    hl = length / 2
    front, hitch = rectangle(2.2, 2.45, hl - 1.1), rectangle(0.9, 1.2, hl - 2.55)
    back = rectangle(length - 2.9, 2.55, -hl + (length - 2.9) / 2)
    site.shape(frame, front, hitch, back)
    site.solid(frame, hitch, (58, 58, 60))
    site.solid(frame, front, cab, height=3.0)
    site.solid(frame, rectangle(0.5, 2.1, hl - 0.45), GLASS)
    site.solid(frame, back, box, height=3.8)
    site.solid(frame, rectangle(length - 3.3, 0.25, -hl + (length - 2.9) / 2), shade(box, 0.93))
    return True


def bus(site: Site, frame: Frame, colour: Colour | None = None) -> bool:
    """A bus or coach: 11 to 13 m by 2.55 m."""
    length = site.between(11.0, 13.0)
    if not site.label("large_vehicle", frame, length, 2.55, solid=True):
        return False
    body = site.vary(colour or (236, 236, 232), 0.03)
    site.solid(frame, rectangle(length, 2.55), body, height=3.1)
    site.solid(frame, rectangle(0.6, 2.2, length / 2 - 0.45), GLASS)
    site.solid(frame, rectangle(2.2, 1.5, -length * 0.2), shade(body, 0.82))
    site.solid(frame, rectangle(1.0, 1.2, length * 0.22), shade(body, 0.88))
    return True


def large(site: Site, frame: Frame) -> bool:
    """A lorry, now and then a bus."""
    return bus(site, frame) if site.chance(0.25) else lorry(site, frame)


def traffic(site: Site, points: Sequence[Point], width: float, gap: float, lorries: float = 0.15) -> int:
    """Vehicles on a two-way road along `points` (site metres), about `gap` metres apart; how many there are."""
    placed = 0
    for lane in (-0.25, 0.25):
        for i in range(len(points) - 1):
            (x0, y0), (x1, y1) = points[i], points[i + 1]
            length = math.hypot(x1 - x0, y1 - y0)
            heading = math.atan2(y1 - y0, x1 - x0)
            along = site.between(0, gap)
            while along < length - 9:
                t = along / length
                ox, oy = -math.sin(heading) * lane * width, math.cos(heading) * lane * width
                # traffic keeps to the right, so the lane to the left of the line comes towards us
                turn = heading if lane > 0 else heading + math.pi
                frame = site.frame.at(x0 + (x1 - x0) * t + ox, y0 + (y1 - y0) * t + oy, turn)
                is_large = site.chance(lorries)
                placed += (large if is_large else car)(site, frame)
                along += (16 if is_large else 6) + float(site.rng.exponential(gap))
    return placed


def stalls(
    site: Site,
    frame: Frame,
    count: int,
    filled: float,
    *,
    stall: tuple[float, float] = (5.2, 2.6),
    lorries: bool = False,
) -> int:
    """A row of parking stalls along y, noses along x, with their lines; how many vehicles stand there."""
    depth, pitch = stall
    line = (206, 206, 200, 190)
    placed = 0
    for i in range(count + 1):
        y = i * pitch - count * pitch / 2
        site.line([(-depth / 2, y), (depth / 2, y)], 0.14, line, frame=frame)
    for i in range(count):
        if not site.chance(filled):
            continue
        y = (i + 0.5) * pitch - count * pitch / 2
        turn = (math.pi if site.chance(0.3) else 0.0) + float(site.rng.normal(0, 0.02))
        spot = frame.at(site.between(-0.25, 0.25), y + site.between(-0.12, 0.12), turn)
        placed += lorry(site, spot, length=min(depth - 0.6, 15.5)) if lorries else car(site, spot)
    return placed

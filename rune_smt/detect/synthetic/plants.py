"""Trees, rows of trees, woods and scrub."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .site import Frame, Point, Site, disc, shade
from .textures import Colour

GREENS: Sequence[Colour] = ((58, 80, 46), (66, 90, 50), (50, 72, 44), (76, 96, 56), (84, 98, 54), (46, 66, 42))

COUNTED = 410.0  # metres of side: the widest place for which the numbers of trees and bushes were chosen


def tree(site: Site, x: float, y: float, radius: float) -> None:
    """A crown with a lit and a shaded side, and its shadow; it may hide what lies below."""
    if not site.inside(x, y, -radius * 3):
        return
    green = site.vary(site.pick(GREENS), 0.08)
    frame = site.frame.at(x, y, site.between(0, 6.3))
    box = [*frame.px(0, 0), *frame.px(0, 0)]
    r = radius / site.gsd
    box = [box[0] - r, box[1] - r, box[0] + r, box[1] + r]
    site.shadow_disc(box, radius * 1.7)
    lobes = [(radius * (1 + 0.16 * math.sin(3.1 * i + radius) * (1 if i % 2 else -1)), i) for i in range(9)]
    crown = [(r * math.cos(i * 0.698), r * math.sin(i * 0.698)) for r, i in lobes]
    site.crowns.append(frame.flat(crown))
    site.solid(frame, crown, shade(green, 0.82), layer="canopy")
    lean = math.hypot(*site.sun) or 1.0
    # towards the sun, in pixels, then back to this frame's metres
    sx, sy = -site.sun[0] / lean, -site.sun[1] / lean
    lx = (sx * frame.cos + sy * frame.sin) / frame.scale
    ly = (sy * frame.cos - sx * frame.sin) / frame.scale
    site.solid_disc(frame, lx * radius * 0.22, ly * radius * 0.22, radius * 0.68, green, layer="canopy")
    site.solid_disc(frame, lx * radius * 0.38, ly * radius * 0.38, radius * 0.36, shade(green, 1.2), layer="canopy")


def trees(
    site: Site, count: int, where: Callable[[float, float], bool], radius: tuple[float, float] = (2.5, 5.0)
) -> None:
    """Up to `count` trees at free places of the picture for which `where` is true."""
    half = site.reach
    placed, count = 0, _spread(site, count)
    for _ in range(count * 4):
        if placed >= count:
            return
        x, y, r = site.between(-half, half), site.between(-half, half), site.between(*radius)
        if site.inside(x, y, -r) and where(x, y) and site.free(x, y, r):
            tree(site, x, y, r)
            placed += 1


def avenue(site: Site, start: Point, end: Point, pitch: float = 11.0, radius: float = 3.2) -> None:
    """Trees in a line from start to end."""
    length = math.hypot(end[0] - start[0], end[1] - start[1])
    steps = max(1, int(length / pitch))
    for i in range(steps + 1):
        t = i / steps
        x, y = start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t
        if site.inside(x, y, -radius) and site.free(x, y, radius * 0.8) and not site.chance(0.12):
            tree(site, x + site.between(-0.8, 0.8), y + site.between(-0.8, 0.8), radius * site.between(0.75, 1.2))


def wood(
    site: Site, x: float, y: float, radius: float, where: Callable[[float, float], bool] = lambda x, y: True
) -> None:
    """A patch of dense trees around (x, y)."""
    blob = [(px * site.between(0.8, 1.1), py * site.between(0.8, 1.1)) for px, py in disc(radius * 0.82, points=14)]
    if all(where(x + px, y + py) and site.free(x + px, y + py, 2) for px, py in blob) and site.free(x, y, radius * 0.5):
        site.ground([(x + px, y + py) for px, py in blob], "woods")
    for _ in range(int(radius**2 / 14)):
        a, r = site.between(0, 2 * math.pi), radius * math.sqrt(site.between(0, 1))
        px, py, size = x + r * math.cos(a), y + r * math.sin(a), site.between(2.6, 5.2)
        if where(px, py) and site.free(px, py, size):
            tree(site, px, py, size)


def scrub(site: Site, count: int, where: Callable[[float, float], bool]) -> None:
    """Low bushes and stains on open ground, so that no meadow is a flat colour."""
    half = site.half
    for _ in range(_spread(site, count)):
        x, y = site.between(-half, half) * 1.3, site.between(-half, half) * 1.3
        if not (site.inside(x, y, -4) and where(x, y)):
            continue
        r = site.between(2, 12)
        tone = (92, 84, 58, site.whole(10, 34)) if site.chance(0.5) else (58, 76, 44, site.whole(10, 40))
        site.stain(
            [(x + px * site.between(0.6, 1.2), y + py * site.between(0.6, 1.2)) for px, py in disc(r, points=9)], tone
        )


def _spread(site: Site, count: int) -> int:
    """As many as keep a wide place as green as one of `COUNTED` metres is with `count`."""
    return round(count * max(1.0, 2 * site.half / COUNTED) ** 2)


# what stands or lies where trees grow; of large things a crown hides too little to matter
UNDER_TREES = frozenset(
    {"small_vehicle", "large_vehicle", "vehicle", "swimming_pool", "pool", "tennis_court", "basketball_court"}
)


def overhang(site: Site, share: float) -> None:
    """Trees that hang over the given share of the things that can stand under one, each hidden in part."""
    local = Frame(0, 0, site.frame.cos, site.frame.sin)
    for i in range(len(site.labels)):
        if site.labels[i] not in UNDER_TREES or not site.chance(share):
            continue
        (ax, ay), (bx, by), _, (dx, dy) = site.boxes[i]
        along, across = site.between(0, 1), float(site.rng.choice([0.0, 1.0]))
        x, y = ax + along * (bx - ax) + across * (dx - ax), ay + along * (by - ay) + across * (dy - ay)
        px, py = x - site.frame.ox, y - site.frame.oy
        k = local.scale**2
        tree(
            site,
            (px * local.cos + py * local.sin) / k,
            (py * local.cos - px * local.sin) / k,
            site.between(1.6, 4.2),
        )

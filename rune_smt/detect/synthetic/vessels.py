"""Ships, from yachts to container carriers, with their wakes."""

from __future__ import annotations

from collections.abc import Sequence

from .site import Frame, Point, Site, rectangle, shade
from .textures import Colour

BOXES: Sequence[Colour] = (
    (158, 52, 44), (52, 84, 128), (196, 128, 54), (76, 112, 84),
    (208, 206, 198), (124, 60, 70), (88, 92, 98), (60, 110, 130),
)  # fmt: skip
HULLS: Sequence[Colour] = ((48, 52, 60), (122, 42, 38), (42, 62, 94), (70, 74, 76), (196, 196, 190), (34, 36, 40))
DECKS: Sequence[Colour] = ((136, 72, 60), (110, 118, 112), (148, 142, 130), (104, 84, 76), (120, 130, 136))


def hull(length: float, beam: float, bow: float = 0.22, stern: float = 0.85) -> list[Point]:
    """Outline of a hull around its middle, bow towards x; `bow` is the tapering share of the length."""
    hl, hb = length / 2, beam / 2
    taper = length * bow
    return [
        (hl, 0),
        (hl - taper * 0.25, hb * 0.42),
        (hl - taper * 0.6, hb * 0.8),
        (hl - taper, hb),
        (-hl * 0.9, hb),
        (-hl, hb * stern),
        (-hl, -hb * stern),
        (-hl * 0.9, -hb),
        (hl - taper, -hb),
        (hl - taper * 0.6, -hb * 0.8),
        (hl - taper * 0.25, -hb * 0.42),
    ]


def beam_of(length: float) -> float:
    """A usual beam for a ship of that length: slender when long."""
    return 2.4 + length * 0.135


def bow_of(length: float) -> float:
    """The tapering share of a ship's hull: yachts are pointed, freighters blunt."""
    return 0.45 if length < 34 else 0.3 if length < 62 else 0.22


def ship(site: Site, frame: Frame, length: float, *, moving: bool = False) -> bool:
    """A ship of 20 to 120 m, bow along the frame's heading. False where it lies outside the picture."""
    beam = beam_of(length)
    if not site.label("ship", frame, length, beam):
        return False
    if moving:
        wake(site, frame, length, beam)
    site.shape(frame, hull(length, beam, bow=bow_of(length)))
    if length < 34:
        _yacht(site, frame, length, beam)
    elif length < 62:
        _working_boat(site, frame, length, beam)
    else:
        _freighter(site, frame, length, beam)
    return True


def wake_reach(length: float) -> float:
    """How far behind a ship under way its foam is seen, in metres from its middle."""
    return length * 2.1


def wake(site: Site, frame: Frame, length: float, beam: float) -> None:
    """Foam behind a ship under way, and the two arms of its bow wave, both fading out."""
    hl, hb = length / 2, beam / 2
    reach = wake_reach(length) - hl
    foam = (206, 216, 214)
    steps = 12
    for i in range(steps):
        share = (steps - i) / steps
        tail = reach * share**1.5
        spread = hb * (0.55 + 0.75 * share)
        strip = [
            (-hl * 0.9, -hb * 0.6),
            (-hl * 0.9, hb * 0.6),
            (-hl - tail, spread),
            (-hl - tail * 1.04, 0),
            (-hl - tail, -spread),
        ]
        site.stain(strip, (*foam, 13), frame=frame)
    for side in (-1, 1):
        for i in range(8):
            share = (8 - i) / 8
            x = hl * 0.7 - (hl + reach * 0.5) * share
            y = side * (hb * 0.9 + (hl * 0.7 - x) * 0.3)
            arm = [(hl * 0.75, side * hb * 0.5), (x, y), (x - 1.5, y - side * beam * 0.3)]
            site.stain(arm, (*foam, 11), frame=frame)


def _yacht(site: Site, frame: Frame, length: float, beam: float) -> None:
    white = site.vary((232, 234, 234), 0.03)
    site.solid(frame, hull(length, beam, bow=bow_of(length)), white, height=2.4)
    deck = site.pick(((190, 164, 126), (204, 196, 180), (210, 212, 212)))
    site.solid(frame, hull(length * 0.9, beam * 0.74, bow=0.5), deck)
    site.solid(frame, rectangle(length * 0.42, beam * 0.62, -length * 0.06), (240, 241, 241), height=3.0)
    site.solid(frame, rectangle(length * 0.06, beam * 0.56, length * 0.13), (44, 54, 66))
    site.solid(frame, rectangle(length * 0.2, beam * 0.42, -length * 0.1), shade(white, 0.9))
    if site.chance(0.35):
        site.line([(-length * 0.3, 0), (length * 0.1, 0)], 0.5, (214, 214, 210), frame=frame, layer="object")
    if site.chance(0.4):
        cover = site.pick(((52, 76, 128), (60, 62, 66), (148, 60, 52)))
        site.solid(frame, rectangle(length * 0.16, beam * 0.6, -length * 0.36), cover)


def _working_boat(site: Site, frame: Frame, length: float, beam: float) -> None:
    rim = site.pick(HULLS)
    site.solid(frame, hull(length, beam, bow=bow_of(length)), rim, height=4.0)
    site.solid(frame, hull(length * 0.95, beam * 0.8, bow=0.32), site.pick(DECKS))
    aft = -1 if site.chance(0.6) else 1
    site.solid(frame, rectangle(length * 0.2, beam * 0.72, aft * length * 0.22), (234, 235, 233), height=7.0)
    site.solid(frame, rectangle(length * 0.1, beam * 0.5, aft * length * 0.22), (206, 210, 212))
    site.solid(frame, rectangle(length * 0.035, beam * 0.6, aft * length * 0.22 + length * 0.085), (46, 56, 66))
    site.solid(frame, rectangle(length * 0.24, beam * 0.5, -aft * length * 0.1), (112, 110, 104))
    site.line([(-aft * length * 0.3, 0), (aft * length * 0.05, 0)], 0.7, (222, 190, 80), frame=frame, layer="object")


def _freighter(site: Site, frame: Frame, length: float, beam: float) -> None:
    rim = site.pick(HULLS)
    site.solid(frame, hull(length, beam), rim, height=7.0)
    deck = site.pick(DECKS)
    site.solid(frame, hull(length * 0.975, beam * 0.86), deck)
    house = -length * 0.36
    hold = (-length * 0.26, length * 0.33)
    kind = site.whole(0, 2)
    if kind == 0:
        _containers(site, frame, hold, beam)
    elif kind == 1:
        _hatches(site, frame, hold, beam, deck)
    else:
        _tanker(site, frame, hold, beam)
    site.solid(frame, rectangle(length * 0.11, beam * 0.84, house), (236, 237, 235), height=13.0)
    site.solid(frame, rectangle(length * 0.05, beam * 0.5, house - length * 0.01), (206, 210, 210))
    site.solid(frame, rectangle(length * 0.016, beam * 0.8, house + length * 0.045), (52, 60, 68))
    site.solid_disc(frame, house - length * 0.03, 0, beam * 0.11, (60, 60, 62))


def _containers(site: Site, frame: Frame, hold: tuple[float, float], beam: float) -> None:
    rows = max(2, int(beam * 0.82 / 2.5))
    x = hold[0] + 3.2
    while x < hold[1] - 3:
        if not site.chance(0.12):
            for r in range(rows):
                y = (r - (rows - 1) / 2) * 2.5
                if not site.chance(0.08):
                    site.solid(frame, rectangle(6.0, 2.4, x, y), site.vary(site.pick(BOXES), 0.05))
        x += 6.9


def _hatches(site: Site, frame: Frame, hold: tuple[float, float], beam: float, deck: Colour) -> None:
    count = 4
    step = (hold[1] - hold[0]) / count
    lid = site.pick(((166, 92, 70), (120, 128, 126), (176, 170, 154), (98, 116, 104)))
    for i in range(count):
        x = hold[0] + (i + 0.5) * step
        site.solid(frame, rectangle(step * 0.74, beam * 0.6, x), lid, height=0)
        site.solid(frame, rectangle(step * 0.74, beam * 0.05, x), shade(lid, 0.8))
        site.solid(frame, rectangle(0.7, beam * 0.6, x), shade(lid, 0.82))
        if i < count - 1:
            site.line(
                [(x + step * 0.5, -beam * 0.12), (x + step * 0.5, beam * 0.3)],
                1.3,
                (226, 200, 120),
                frame=frame,
                layer="object",
            )
    site.solid_disc(frame, hold[1] + 4, 0, beam * 0.08, shade(deck, 1.3))


def _tanker(site: Site, frame: Frame, hold: tuple[float, float], beam: float) -> None:
    length = hold[1] - hold[0]
    middle = (hold[0] + hold[1]) / 2
    for y in (-0.06, 0.0, 0.06):
        site.line([(hold[0], y * beam), (hold[1], y * beam)], 0.6, (206, 204, 196), frame=frame, layer="object")
    for i in range(5):
        x = hold[0] + (i + 0.5) * length / 5
        site.line([(x, -beam * 0.36), (x, beam * 0.36)], 0.5, (176, 172, 162), frame=frame, layer="object")
    site.line([(middle, -beam * 0.42), (middle, beam * 0.42)], 1.6, (208, 204, 192), frame=frame, layer="object")
    site.solid_disc(frame, middle + length * 0.3, beam * 0.2, beam * 0.07, (216, 196, 92))

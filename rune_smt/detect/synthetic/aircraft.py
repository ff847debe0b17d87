"""Airliners and helicopters."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .site import Frame, Point, Site, disc, rectangle, shade
from .textures import Colour

TAILS: Sequence[Colour] = (
    (40, 66, 132), (178, 42, 42), (226, 226, 224), (52, 118, 88),
    (232, 152, 48), (88, 60, 120), (60, 64, 70), (44, 138, 168),
)  # fmt: skip


def plane(site: Site, frame: Frame, length: float) -> bool:
    """An airliner of 28 to 62 m, nose along the frame's heading; the box is its length by its wing span."""
    span = length * site.between(0.88, 0.98)
    if not site.label("plane", frame, length, span):
        return False
    white = site.vary((232, 234, 235), 0.025)
    body = white if site.chance(0.85) else site.vary((186, 192, 198), 0.03)
    tail = site.pick(TAILS)
    hl, hs = length / 2, span / 2
    r = length * 0.05
    lift = 4.0
    parts = [_fuselage(hl, r)]
    for side in (-1, 1):
        wing = [
            (hl * 0.26, side * r * 0.8),
            (-hl * 0.20, side * hs * 0.985),
            (-hl * 0.275, side * hs),
            (-hl * 0.30, side * hs * 0.97),
            (-hl * 0.16, side * hs * 0.34),
            (-hl * 0.19, side * r * 0.8),
        ]
        parts.append(wing)
        site.solid(frame, wing, shade(body, 0.93), height=lift)
        flap = [
            (-hl * 0.155, side * hs * 0.34),
            (-hl * 0.19, side * r),
            (-hl * 0.15, side * r),
            (-hl * 0.12, side * hs * 0.34),
        ]
        site.solid(frame, flap, shade(body, 0.8))
        fin = [
            (-hl * 0.80, side * r * 0.5),
            (-hl * 0.93, side * hs * 0.37),
            (-hl * 0.985, side * hs * 0.37),
            (-hl * 0.94, side * r * 0.3),
        ]
        parts.append(fin)
        site.solid(frame, fin, shade(body, 0.95), height=lift)
        engines = (0.33,) if length < 48 else (0.30, 0.56)
        for at in engines:
            ex = hl * (0.26 - 0.47 * at) + length * 0.035
            pod = rectangle(length * 0.085, length * 0.036, ex, side * hs * at)
            intake = rectangle(length * 0.014, length * 0.036, ex + length * 0.045, side * hs * at)
            parts += [pod, intake]
            site.solid(frame, pod, shade(body, 0.84), height=2.0)
            site.solid(frame, intake, (58, 60, 64))
    site.shape(frame, *parts)
    site.solid(frame, parts[0], body, height=lift + 1)
    dark = [(-hl * 0.9, -r * 0.12), (hl * 0.8, -r * 0.7), (hl * 0.8, -r * 0.98), (-hl * 0.6, -r * 0.95)]
    if site.sun[1] * frame.cos - site.sun[0] * frame.sin > 0:  # the side away from the sun
        dark = [(x, -y) for x, y in dark]
    site.solid(frame, dark, shade(body, 0.82))
    site.solid(
        frame,
        [(hl * 0.93, -r * 0.5), (hl * 0.93, r * 0.5), (hl * 0.885, r * 0.62), (hl * 0.885, -r * 0.62)],
        (44, 50, 58),
    )
    site.solid(
        frame,
        [(-hl * 0.70, 0), (-hl * 0.78, r * 0.16), (-hl, r * 0.14), (-hl, -r * 0.14), (-hl * 0.78, -r * 0.16)],
        tail,
        height=lift + 5,
    )
    return True


def _fuselage(hl: float, r: float) -> list[Point]:
    """Outline of the body: round nose, tapering tail; exactly 2 * hl long."""
    side = [
        (hl, 0.0),
        (hl * 0.985, r * 0.4),
        (hl * 0.94, r * 0.78),
        (hl * 0.86, r),
        (-hl * 0.5, r),
        (-hl * 0.8, r * 0.6),
        (-hl, r * 0.16),
    ]
    return side + [(x, -y) for x, y in reversed(side[1:])]


def helicopter(site: Site, frame: Frame) -> bool:
    """A helicopter, nose along the frame's heading; the box holds body, tail and rotor."""
    length = site.between(13.5, 17.5)
    rotor = length * 0.40
    if not site.label("helicopter", frame, length, rotor * 2):
        return False
    hl = length / 2
    centre = hl - rotor
    colour = site.vary(site.pick(((70, 82, 62), (214, 216, 216), (182, 52, 44), (44, 62, 98), (216, 168, 60))), 0.05)
    site.stain(disc(rotor, centre), (40, 42, 44, 34), frame=frame)
    flat = frame.flat(rectangle(length * 0.5, length * 0.13, centre))
    site.shadow(flat, 2.5)
    tail = [
        (centre, length * 0.05),
        (-hl * 0.98, length * 0.018),
        (-hl * 0.98, -length * 0.018),
        (centre, -length * 0.05),
    ]
    site.solid(frame, tail, shade(colour, 0.9), height=2.5)
    body = [(centre + x, y) for x, y in disc(length * 0.22, squash=0.42, points=18)]
    steering = rectangle(length * 0.05, length * 0.16, -hl * 0.93)
    site.shape(frame, body, tail, steering)  # the rotor turns, and is hardly seen
    site.solid(frame, body, colour)
    nose = [
        (centre + length * 0.20, -length * 0.035),
        (centre + length * 0.20, length * 0.035),
        (centre + length * 0.12, length * 0.07),
        (centre + length * 0.12, -length * 0.07),
    ]
    site.solid(frame, nose, (36, 42, 50))
    site.solid(frame, steering, shade(colour, 0.8))
    turn = site.between(0, math.pi / 2)
    hub = frame.at(centre, 0, turn)
    for quarter in range(4):
        arm = hub.at(0, 0, quarter * math.pi / 2)
        reach = rotor * (1.0 if quarter % 2 else 0.999)
        site.line([(0, 0), (reach, 0)], 0.45, (52, 54, 56), frame=arm, layer="object")
    site.solid_disc(frame, centre, 0, 0.7, (58, 60, 62))
    return True


def helipad(site: Site, frame: Frame, radius: float = 11.0) -> None:
    """A painted landing spot with its H."""
    site.ground_disc(0, 0, radius, "asphalt", frame=frame, paint=(104, 104, 104))
    site.stain_disc(0, 0, radius * 0.92, (232, 232, 226, 220), frame=frame, width=0.7)
    for y in (-1.8, 1.8):
        site.line([(-3, y), (3, y)], 0.8, (232, 232, 226, 230), frame=frame)
    site.line([(0, -1.8), (0, 1.8)], 0.8, (232, 232, 226, 230), frame=frame)

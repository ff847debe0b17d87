"""The dials of a made picture: how far the camera is, and what lies between it and the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from rune_smt.errors import QueryError

RANGES: dict[str, tuple[float, float]] = {
    "gsd": (0.05, 2.0),
    "shadows": (0.0, 3.0),
    "haze": (0.0, 1.0),
    "blur": (0.0, 10.0),
    "noise": (0.0, 64.0),
    "clouds": (0.0, 0.9),
    "trees": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Dials:
    """How a place is seen. None leaves a dial to chance, within what good pictures have.

    gsd      ground sample distance, metres a pixel, 0.05 to 2: a coarser one shows more ground in as many pixels
    shadows  length of shadows, times the sun's own; 0 is an overcast day without any, 3 a low sun
    haze     0 (clear air) to 1 (nothing but haze)
    blur     standard deviation of the lens's blur, pixels, up to 10
    noise    standard deviation of the sensor's noise, grey levels of 256, up to 64
    clouds   share of the picture under clouds, up to 0.9
    trees    share of the vehicles, pools and courts that a tree hangs over
    Raises QueryError for a number out of range.
    """

    gsd: float | None = None
    shadows: float = 1.0
    haze: float | None = None
    blur: float | None = None
    noise: float | None = None
    clouds: float = 0.0
    trees: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and low <= value <= high):
                raise QueryError(f"{name} goes from {low:g} to {high:g}, got {value:g}.")

    def turned(self) -> dict[str, Any]:
        """The dials that are not where they stand by themselves."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}


AS_IT_COMES = Dials()

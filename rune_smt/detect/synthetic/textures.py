"""What grounds look like from above: a colour, and how noise of three grain sizes varies it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]
Floats = npt.NDArray[np.float32]

FIELD = 1024  # side of the repeating noise fields, in pixels


@dataclass(frozen=True, slots=True)
class Material:
    """A ground cover: `code` names it in the texture map; the amplitudes are relative changes of brightness."""

    code: int
    colour: Colour
    coarse: float  # patches, tens of pixels
    medium: float  # clumps, a few pixels
    fine: float  # grain, one pixel
    hue: float = 0.0  # how far the patches drift between green and brown


MATERIALS: dict[str, Material] = {
    "smooth": Material(0, (128, 128, 128), 0.015, 0.01, 0.02),
    "grass": Material(1, (90, 104, 66), 0.07, 0.08, 0.065, 0.045),
    "dry_grass": Material(2, (138, 128, 94), 0.06, 0.07, 0.06, 0.035),
    "dirt": Material(3, (146, 124, 98), 0.07, 0.06, 0.05, 0.02),
    "sand": Material(4, (196, 180, 146), 0.035, 0.03, 0.05, 0.01),
    "asphalt": Material(5, (106, 105, 102), 0.03, 0.014, 0.018),
    "concrete": Material(6, (168, 164, 156), 0.03, 0.014, 0.02),
    "water": Material(7, (42, 66, 70), 0.035, 0.02, 0.035),
    "woods": Material(8, (52, 70, 42), 0.08, 0.36, 0.24, 0.04),
    "gravel": Material(9, (150, 145, 136), 0.045, 0.03, 0.035),
    "turf": Material(10, (70, 112, 62), 0.03, 0.025, 0.05, 0.015),
    "crop": Material(11, (112, 116, 70), 0.05, 0.05, 0.05, 0.04),
    "canopy": Material(12, (60, 80, 48), 0.05, 0.30, 0.24, 0.03),
}

NAMES = {material.code: name for name, material in MATERIALS.items()}


def lookup(amplitude: str) -> Floats:
    """The named amplitude of every material, by code."""
    table = np.zeros(256, dtype=np.float32)
    for material in MATERIALS.values():
        table[material.code] = getattr(material, amplitude)
    return table


@lru_cache(maxsize=16)
def noise_field(grain: float, seed: int, slope: float = 1.0) -> Floats:
    """Seamless noise, (FIELD, FIELD), zero mean and unit deviation, with features about `grain` pixels across.

    White noise is filtered in the frequency domain: a low-pass at 1 / grain, with energy falling off as the power
    `slope` of the frequency, so that patches have smaller patches inside.
    """
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((FIELD, FIELD)))
    fy = np.fft.fftfreq(FIELD)[:, None]
    fx = np.fft.rfftfreq(FIELD)[None, :]
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = 1.0
    weight = np.exp(-((frequency * grain) ** 2)) / np.maximum(frequency * grain, 0.05) ** slope
    weight[0, 0] = 0.0
    field = np.fft.irfft2(spectrum * weight, s=(FIELD, FIELD))
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)


def noise(grain: float, size: int, rng: np.random.Generator, slope: float = 1.0) -> Floats:
    """A window of `size` pixels square out of the field of that grain, at a random place."""
    row, column = (int(v) for v in rng.integers(0, FIELD, size=2))
    return window(noise_field(grain, seed=int(grain * 1000), slope=slope), size, row, column)


def window(field: Floats, size: int, row: int, column: int) -> Floats:
    """A window of `size` pixels square of a seamless field, from any row and column on."""
    row, column = row % FIELD, column % FIELD
    if row + size <= FIELD and column + size <= FIELD:
        return field[row : row + size, column : column + size]
    rows = (row + np.arange(size)) % FIELD
    columns = (column + np.arange(size)) % FIELD
    return field[rows[:, None], columns[None, :]]

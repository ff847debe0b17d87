"""Ground sample distance, metres a pixel: what counts as one, from text or number."""

from __future__ import annotations

from typing import Any

import numpy as np

from rune_smt.detect.records import Journal

GSD_RANGE = (0.005, 1000.0)  # metres a pixel; outside it the value is unknown (language page, section 1)
MISSING = {"", "null", "none", "nan", "na", "n/a"}


def parse_gsd(value: Any, place: str, journal: Journal) -> float | None:
    """The value in metres a pixel; None where it is missing, or out of range, which is noted with its place."""
    if value is None or (isinstance(value, str) and value.strip().lower() in MISSING):
        return None
    try:
        gsd = float(value)
    except (TypeError, ValueError):
        gsd = float("nan")
    if isinstance(value, float) and np.isnan(value):
        return None
    if isinstance(value, bool) or not GSD_RANGE[0] <= gsd <= GSD_RANGE[1]:
        journal.note("gsd unknown", f"{place}: {value}")
        return None
    return gsd

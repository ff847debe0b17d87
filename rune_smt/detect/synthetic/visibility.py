"""What of each thing is seen from above: the share that tree crowns and clouds hide, and masks of what is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .raster import Bools, union

Ints = npt.NDArray[np.int32]

# what lies on the ground, under whatever stands there
FLAT = frozenset(
    {
        *("harbor", "bridge", "roundabout", "swimming_pool", "tennis_court", "basketball_court", "baseball_diamond"),
        *("ground_track_field", "soccer_ball_field"),
    }
)


def hidden_shares(shapes: Sequence[Sequence[Sequence[float]]], above: Bools) -> npt.NDArray[np.float64]:
    """Of each thing the share of its pixels in the picture over which something hangs, float64 (n,).

    shapes  the parts of each thing, x0, y0, x1, y1, ... in pixels
    above   (size, size): where crowns or clouds are
    """
    shares = np.zeros(len(shapes))
    for i, parts in enumerate(shapes):
        if not _around(parts, above).any():
            continue
        found = union(parts, len(above))
        if found is not None:
            window, filled = found
            shares[i] = float(above[window][filled].mean()) if filled.any() else 0.0
    return shares


def _around(parts: Sequence[Sequence[float]], above: Bools) -> Bools:
    """The pixels of the upright box around a thing."""
    xs, ys = [v for part in parts for v in part[::2]], [v for part in parts for v in part[1::2]]
    return above[max(0, int(min(ys))) : max(0, int(max(ys)) + 1), max(0, int(min(xs))) : max(0, int(max(xs)) + 1)]


def instances(labels: Sequence[str], shapes: Sequence[Sequence[Sequence[float]]], above: Bools) -> Ints:
    """The number, from 1, of the thing that is seen in each pixel, (size, size); 0 for none.

    What stands lies over what is flat; among equals the later one lies over the earlier.
    """
    size = len(above)
    seen = np.zeros((size, size), dtype=np.int32)
    for i in sorted(range(len(labels)), key=lambda i: labels[i] not in FLAT):
        found = union(shapes[i], size)
        if found is not None:
            window, filled = found
            seen[window][filled] = i + 1
    seen[above] = 0
    return seen

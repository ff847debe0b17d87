"""Of several outlines of one thing the best stays: non-maximum suppression with the exact overlap of rotated shapes."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from rune_smt.detect.records import Floats, Ints

Shapes: TypeAlias = NDArray[np.object_]


def suppress(shapes: Shapes, scores: Floats, groups: Ints, same: float) -> Ints:
    """The rows that stay, the best first: greedy suppression within each group, without any limit on their number.

    shapes  object (n,), valid shapely polygons
    scores  float64 (n,); equal scores: the earlier row comes first
    groups  int64 (n,), rows of different groups never suppress each other
    same    a row goes when its IoU with a better one that stays is above this, 0 to 1

    Equal to taking rows one by one from the best, but in rounds: a row that no undecided better row could suppress
    stays; what it suppresses goes; so exact overlaps are computed only against rows that stay. Candidates come from
    bounding boxes, which bound the IoU from above.
    """
    n = len(shapes)
    rank = np.empty(n, np.int64)  # 0 for the best
    rank[np.argsort(-scores, kind="stable")] = np.arange(n)
    better, worse = _candidates(shapes, groups, rank, same)
    undecided, stays = np.ones(n, bool), np.zeros(n, bool)
    while undecided.any():
        waiting = np.zeros(n, bool)
        waiting[worse[undecided[better]]] = True
        winners = undecided & ~waiting
        stays |= winners
        undecided &= ~winners
        live = undecided[worse]
        better, worse = better[live], worse[live]
        tested = winners[better]
        high = overlap_ratio(shapes[better[tested]], shapes[worse[tested]]) > same
        undecided[worse[tested][high]] = False
        live = ~tested & undecided[worse]
        better, worse = better[live], worse[live]
    rows = np.flatnonzero(stays)
    result: Ints = rows[np.argsort(rank[rows])]
    return result


def overlap_ratio(first: Shapes, second: Shapes) -> Floats:
    """IoU of each pair, float64 (n,): 0 to 1, and 0 where neither has area."""
    with np.errstate(all="ignore"):
        common = shapely.area(shapely.intersection(first, second))
        union = shapely.area(first) + shapely.area(second) - common
        return np.asarray(np.where(union > 0, common / union, 0.0), np.float64)


def share_inside(first: Shapes, second: Shapes) -> Floats:
    """The share of the smaller one that lies inside the other, for each pair, float64 (n,)."""
    with np.errstate(all="ignore"):
        common = shapely.area(shapely.intersection(first, second))
        smaller = np.minimum(shapely.area(first), shapely.area(second))
        return np.asarray(np.where(smaller > 0, common / smaller, 0.0), np.float64)


def meeting(shapes: Shapes) -> tuple[Ints, Ints]:
    """Pairs of rows whose bounding boxes meet, each pair once, the lower row first."""
    if len(shapes) < 2:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    left, right = shapely.STRtree(shapely.box(*shapely.bounds(shapes).T)).query(shapely.box(*shapely.bounds(shapes).T))
    once = left < right
    return left[once].astype(np.int64), right[once].astype(np.int64)


def _candidates(shapes: Shapes, groups: Ints, rank: Ints, same: float) -> tuple[Ints, Ints]:
    """Pairs (better, worse) of a group whose IoU could be above `same`, by their boxes and areas."""
    pairs: list[tuple[Ints, Ints]] = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        one, other = meeting(shapes[rows])
        pairs.append((rows[one], rows[other]))
    one = np.concatenate([pair[0] for pair in pairs]) if pairs else np.empty(0, np.int64)
    other = np.concatenate([pair[1] for pair in pairs]) if pairs else np.empty(0, np.int64)
    bounds, area = shapely.bounds(shapes), shapely.area(shapes)
    possible = _highest_ratio(bounds[one], bounds[other], area[one], area[other]) > same
    one, other = one[possible], other[possible]
    first = rank[one] < rank[other]
    return np.where(first, one, other), np.where(first, other, one)


def _highest_ratio(a: Floats, b: Floats, area_a: Floats, area_b: Floats) -> Any:
    """An upper bound of the IoU: no more in common than the boxes have, nor than the smaller shape has."""
    wide = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    high = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    common = np.minimum(np.maximum(wide, 0) * np.maximum(high, 0), np.minimum(area_a, area_b))
    union = area_a + area_b - common
    with np.errstate(all="ignore"):
        return np.where(union > 0, common / union, 0.0) * (1 + 1e-9)

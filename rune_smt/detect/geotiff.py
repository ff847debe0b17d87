"""What TIFF tags say of the place and time of a picture (OGC GeoTIFF 1.1, 19-008r4)."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

PIXEL_SCALE, TIEPOINT, MATRIX, KEYS, DATE_TIME = 33550, 33922, 34264, 34735, 306
RASTER_TYPE, GEOGRAPHIC_CRS, PROJECTED_CRS, LINEAR_UNIT = 1025, 2048, 3072, 3076
PIXEL_IS_POINT = 2
METRE = 9001
USER_DEFINED = 32767
EQUATOR_RADIUS, FLATTENING = 6378137.0, 1 / 298.257223563  # WGS 84


def read_geotiff(picture: Any) -> dict[str, Any]:
    """Of an open TIFF, what is there: `transform` (GDAL order, pixel corner to crs), `crs`, `gsd`, `acquired`.

    gsd is given where the crs is projected in metres, or geographic (metres at the middle of the picture, WGS 84), and
    is the square root of the area of a pixel.
    """
    tags = picture.tag_v2
    found: dict[str, Any] = {}
    keys = _geo_keys(tags.get(KEYS))
    transform = _transform(tags, keys)
    if transform is not None:
        found["transform"] = transform
    code = keys.get(PROJECTED_CRS) or keys.get(GEOGRAPHIC_CRS)
    if code is not None and code != USER_DEFINED:
        found["crs"] = f"EPSG:{code}"
    if transform is not None:
        area = abs(transform[1] * transform[5] - transform[2] * transform[4])
        if PROJECTED_CRS in keys:
            if keys.get(LINEAR_UNIT, METRE) == METRE:
                found["gsd"] = math.sqrt(area)
        elif GEOGRAPHIC_CRS in keys:
            width, height = picture.size
            latitude = transform[3] + transform[4] * width / 2 + transform[5] * height / 2
            if abs(latitude) < 90:
                east, north = metres_per_degree(latitude)
                found["gsd"] = math.sqrt(area * east * north)
    acquired = _date(tags.get(DATE_TIME))
    if acquired is not None:
        found["acquired"] = acquired
    return found


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Length of a degree of longitude and of latitude on the WGS 84 ellipsoid, at a latitude in degrees."""
    eccentricity = FLATTENING * (2 - FLATTENING)
    phi = math.radians(latitude)
    curve = 1 - eccentricity * math.sin(phi) ** 2
    east = math.radians(1) * EQUATOR_RADIUS * math.cos(phi) / math.sqrt(curve)
    north = math.radians(1) * EQUATOR_RADIUS * (1 - eccentricity) / curve**1.5
    return east, north


def _geo_keys(directory: Any) -> dict[int, int]:
    """The keys whose value stands in the directory itself."""
    if not directory or len(directory) < 4:
        return {}
    keys = {}
    for start in range(4, min(len(directory), 4 + 4 * directory[3]) - 3, 4):
        key, location, _, value = directory[start : start + 4]
        if location == 0:
            keys[int(key)] = int(value)
    return keys


def _transform(tags: Any, keys: dict[int, int]) -> list[float] | None:
    """Six numbers: x = t0 + t1 * column + t2 * row, y = t3 + t4 * column + t5 * row, from the pixel's corner."""
    matrix, scale, tie = tags.get(MATRIX), tags.get(PIXEL_SCALE), tags.get(TIEPOINT)
    if matrix is not None and len(matrix) == 16:
        t = [matrix[3], matrix[0], matrix[1], matrix[7], matrix[4], matrix[5]]
    elif scale is not None and tie is not None and len(scale) >= 2 and len(tie) >= 6:
        t = [tie[3] - tie[0] * scale[0], scale[0], 0.0, tie[4] + tie[1] * scale[1], 0.0, -scale[1]]
    else:
        return None
    t = [float(value) for value in t]
    if keys.get(RASTER_TYPE) == PIXEL_IS_POINT:
        t[0] -= (t[1] + t[2]) / 2
        t[3] -= (t[4] + t[5]) / 2
    determinant = t[1] * t[5] - t[2] * t[4]
    return t if all(map(math.isfinite, t)) and determinant != 0 else None


def _date(value: Any) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None

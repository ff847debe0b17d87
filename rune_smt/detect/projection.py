"""Map coordinates to longitude and latitude and back: WGS 84, its UTM zones and web Mercator here, all else by pyproj.

UTM by Krüger's series to the fourth order, better than a millimetre within a zone: C. Karney, Transverse Mercator
with an accuracy of a few nanometers, J. Geodesy 85 (2011), equations 7 to 36.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from rune_smt.detect.geotiff import EQUATOR_RADIUS, FLATTENING
from rune_smt.detect.records import Floats
from rune_smt.errors import DataError, MissingExtra

Projection: TypeAlias = Callable[[Floats], Floats]  # (n, 2) to (n, 2); longitude and latitude in degrees, in this order

LONGITUDE_LATITUDE = frozenset({"EPSG:4326", "OGC:CRS84", "CRS84"})
WEB_MERCATOR = "EPSG:3857"
SCALE, FALSE_EASTING, FALSE_NORTHING = 0.9996, 500_000.0, 10_000_000.0
N = FLATTENING / (2 - FLATTENING)
RADIUS = EQUATOR_RADIUS / (1 + N) * (1 + N**2 / 4 + N**4 / 64)  # of the rectifying sphere
ECCENTRICITY = float(np.sqrt(FLATTENING * (2 - FLATTENING)))
ALPHA = (
    N / 2 - 2 / 3 * N**2 + 5 / 16 * N**3 + 41 / 180 * N**4,
    13 / 48 * N**2 - 3 / 5 * N**3 + 557 / 1440 * N**4,
    61 / 240 * N**3 - 103 / 140 * N**4,
    49561 / 161280 * N**4,
)
BETA = (
    N / 2 - 2 / 3 * N**2 + 37 / 96 * N**3 - 1 / 360 * N**4,
    1 / 48 * N**2 + 1 / 15 * N**3 - 437 / 1440 * N**4,
    17 / 480 * N**3 - 37 / 840 * N**4,
    4397 / 161280 * N**4,
)


def crs_name(text: str) -> str:
    """`urn:ogc:def:crs:EPSG::32616` -> `EPSG:32616`; longitude and latitude in any spelling -> `EPSG:4326`."""
    found = re.search(r"(EPSG|OGC)(?:[:/][\d.]*)?[:/]+(\w+)$", text.strip(), re.IGNORECASE)
    name = f"{found[1].upper()}:{found[2].upper()}" if found else text.strip()
    return "EPSG:4326" if name in LONGITUDE_LATITUDE else name


def utm_zone(longitude: float, latitude: float) -> str:
    """The EPSG name of the UTM zone of a place (without the exceptions of Norway and Svalbard)."""
    zone = min(max(int((longitude + 180) // 6) + 1, 1), 60)
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def to_degrees(crs: str) -> Projection:
    """From a coordinate reference system to longitude and latitude."""
    name = crs_name(crs)
    if name == "EPSG:4326":
        return lambda points: points
    if name == WEB_MERCATOR:
        return _from_web_mercator
    zone = _utm(name)
    if zone is not None:
        return lambda points: _from_utm(points, *zone)
    return _by_pyproj(name, "OGC:CRS84")


def from_degrees(crs: str) -> Projection:
    """From longitude and latitude to a coordinate reference system."""
    name = crs_name(crs)
    if name == "EPSG:4326":
        return lambda points: points
    if name == WEB_MERCATOR:
        return _to_web_mercator
    zone = _utm(name)
    if zone is not None:
        return lambda points: _to_utm(points, *zone)
    return _by_pyproj("OGC:CRS84", name)


def between(source: str, target: str) -> Projection:
    """From one coordinate reference system to another."""
    if crs_name(source) == crs_name(target):
        return lambda points: points
    first, second = to_degrees(source), from_degrees(target)
    return lambda points: second(first(points))


def _by_pyproj(source: str, target: str) -> Projection:
    try:
        import pyproj
    except ImportError:
        other = target if source == "OGC:CRS84" else source
        raise MissingExtra(
            f"Coordinates in {other} need pyproj to become longitude and latitude.",
            hint="pip install 'rune-smt[geo]', or write pixels.",
        ) from None
    try:
        transformer = pyproj.Transformer.from_crs(source, target, always_xy=True)
    except pyproj.exceptions.CRSError as error:
        wrong = target if source == "OGC:CRS84" else source
        raise DataError(f"The coordinate reference system {wrong!r} is not known: {error}") from None

    def project(points: Floats) -> Floats:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return project


def _utm(name: str) -> tuple[float, float] | None:
    """Middle meridian in degrees and false northing of a zone of WGS 84; None for what is no such zone."""
    found = re.fullmatch(r"EPSG:32([67])(\d\d)", name)
    if found is None or not 1 <= int(found[2]) <= 60:
        return None
    return int(found[2]) * 6.0 - 183.0, FALSE_NORTHING if found[1] == "7" else 0.0


def _to_utm(points: Floats, meridian: float, northing: float) -> Floats:
    longitude, latitude = np.radians(points[:, 0] - meridian), np.radians(points[:, 1])
    sine = np.sin(latitude)
    t = np.sinh(np.arctanh(sine) - ECCENTRICITY * np.arctanh(ECCENTRICITY * sine))
    xi = np.arctan2(t, np.cos(longitude))
    eta = np.arcsinh(np.sin(longitude) / np.hypot(t, np.cos(longitude)))
    along = xi + sum(a * np.sin(2 * j * xi) * np.cosh(2 * j * eta) for j, a in enumerate(ALPHA, 1))
    across = eta + sum(a * np.cos(2 * j * xi) * np.sinh(2 * j * eta) for j, a in enumerate(ALPHA, 1))
    return np.column_stack([FALSE_EASTING + SCALE * RADIUS * across, northing + SCALE * RADIUS * along])


def _from_utm(points: Floats, meridian: float, northing: float) -> Floats:
    xi = (points[:, 1] - northing) / (SCALE * RADIUS)
    eta = (points[:, 0] - FALSE_EASTING) / (SCALE * RADIUS)
    along = xi - sum(b * np.sin(2 * j * xi) * np.cosh(2 * j * eta) for j, b in enumerate(BETA, 1))
    across = eta - sum(b * np.cos(2 * j * xi) * np.sinh(2 * j * eta) for j, b in enumerate(BETA, 1))
    conformal = np.sin(along) / np.hypot(np.sinh(across), np.cos(along))  # tangent of the conformal latitude
    tangent = conformal
    for _ in range(4):  # Newton: equations 19 to 21
        root = np.sqrt(1 + tangent**2)
        sigma = np.sinh(ECCENTRICITY * np.arctanh(ECCENTRICITY * tangent / root))
        value = tangent * np.sqrt(1 + sigma**2) - sigma * root
        shrunk = 1 - ECCENTRICITY**2
        step = (conformal - value) / np.sqrt(1 + value**2) * (1 + shrunk * tangent**2) / (shrunk * root)
        tangent = tangent + step
    longitude = np.degrees(np.arctan2(np.sinh(across), np.cos(along))) + meridian
    return np.column_stack([longitude, np.degrees(np.arctan(tangent))])


def _to_web_mercator(points: Floats) -> Floats:
    longitude, latitude = np.radians(points[:, 0]), np.radians(points[:, 1])
    return np.column_stack([longitude, np.arcsinh(np.tan(latitude))]) * EQUATOR_RADIUS


def _from_web_mercator(points: Floats) -> Floats:
    scaled = points / EQUATOR_RADIUS
    degrees: Floats = np.degrees(np.column_stack([scaled[:, 0], np.arctan(np.sinh(scaled[:, 1]))]))
    return degrees

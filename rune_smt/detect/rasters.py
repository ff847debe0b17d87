"""Pictures read window by window, so that memory is bounded by the window and not by the picture."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rune_smt.detect.detector import Pixels
from rune_smt.detect.images import without_size_limit
from rune_smt.errors import DataError, LimitError

Window: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are outside

LARGEST_DECODED = 160_000_000  # pixels: half a gigabyte as RGB, the most that is decoded at once
LARGEST_WINDOWED = 10_000_000_000  # pixels: 100,000 x 100,000, days of work; headers can claim any size
GEO_SUFFIXES = frozenset({".tif", ".tiff", ".jp2"})
BLOCKS_KEPT = 64 << 20  # bytes of decoded blocks; left alone, GDAL keeps a twentieth of the machine's memory
GLANCE = 1024  # pixels: the longer side of the small copy that brightness is judged by
DARK, BRIGHT = 2.0, 98.0  # percent of pixels below the darkest and the brightest shade of pictures of more than 8 bits


class PictureError(DataError):
    """A picture, or a window of it, cannot be decoded."""


class Raster(Protocol):
    """A picture of `width` x `height` pixels."""

    @property
    def width(self) -> int:
        """Pixels."""
        ...

    @property
    def height(self) -> int:
        """Pixels."""
        ...

    def read(self, window: Window) -> Pixels:
        """The pixels of a window inside the picture, uint8 (height, width, 3) RGB."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ArrayRaster:
    """A picture in memory, uint8 (height, width, 3) RGB."""

    pixels: Pixels

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[0])

    def read(self, window: Window) -> Pixels:
        """The pixels of a window."""
        left, top, right, bottom = window
        return self.pixels[top:bottom, left:right]


@dataclass(frozen=True, slots=True, eq=False)
class RasterioRaster:
    """An open rasterio data set; `low` and `high` are the values of each of its three bands that are black and white.

    bands  three band numbers, the same one three times for a grey picture
    shown  the file, for messages
    """

    dataset: Any
    shown: str
    bands: tuple[int, int, int]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.dataset.width)

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.dataset.height)

    def read(self, window: Window) -> Pixels:
        """The pixels of a window; only its blocks are decoded. PictureError where they are damaged."""
        from rasterio.errors import RasterioError
        from rasterio.windows import Window as RasterioWindow

        left, top, right, bottom = window
        if (right - left) * (bottom - top) > LARGEST_DECODED:
            raise LimitError(
                f"{self.shown}: {right - left} x {bottom - top} pixels are too many to decode at once.",
                hint="Look at it in tiles: leave --tile 0 out.",
            )
        part = RasterioWindow(left, top, right - left, bottom - top)
        try:
            values = self.dataset.read(list(self.bands), window=part)
        except (RasterioError, OSError, ValueError) as error:
            raise PictureError(f"{self.shown}: cannot be read: {_first_line(error)}.") from error
        return np.ascontiguousarray(_shades(values, self.low, self.high).transpose(1, 2, 0))


@contextmanager
def open_raster(path: Path, shown: str) -> Iterator[Raster]:
    """The picture in a file: GeoTIFF and JPEG 2000 by rasterio where it is installed, everything else by Pillow.

    Pictures of more than 8 bits a band are brought to 8 by their own percentiles. Raises PictureError for a file that
    cannot be read or is damaged, now or when a window of it is read; LimitError for one too large to decode at
    once.
    """
    if path.suffix.lower() in GEO_SUFFIXES and has_rasterio():
        with _by_rasterio(path, shown) as raster:
            yield raster
    else:
        yield _by_pillow(path, shown)


def has_rasterio() -> bool:
    """Whether rasterio can be imported."""
    from importlib.util import find_spec

    return find_spec("rasterio") is not None


@contextmanager
def _by_rasterio(path: Path, shown: str) -> Iterator[Raster]:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    with ExitStack() as stack:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                stack.enter_context(rasterio.Env(GDAL_CACHEMAX=BLOCKS_KEPT))
                dataset = stack.enter_context(rasterio.open(path))
            raster = _opened(dataset, shown)
        except (RasterioError, OSError, ValueError) as error:
            raise PictureError(f"{shown}: cannot be read: {_first_line(error)}.") from error
        yield raster


def _opened(dataset: Any, shown: str) -> RasterioRaster:
    if dataset.width * dataset.height > LARGEST_WINDOWED:
        raise LimitError(
            f"{shown}: {dataset.width} x {dataset.height} pixels are beyond any picture.", hint="Cut it into parts."
        )
    bands = (1, 2, 3) if dataset.count >= 3 else (1, 1, 1)
    if all(dataset.dtypes[band - 1] == "uint8" for band in bands):
        return RasterioRaster(dataset, shown, bands, np.zeros(3), np.full(3, 255.0))
    shrink = max(1.0, max(dataset.width, dataset.height) / GLANCE)
    size = (3, max(1, round(dataset.height / shrink)), max(1, round(dataset.width / shrink)))
    glance = dataset.read(list(bands), out_shape=size, masked=True)
    low, high = _range(np.ma.filled(glance.astype(np.float64), np.nan))
    return RasterioRaster(dataset, shown, bands, low, high)


def _range(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The values of three bands (3, ...) that become black and white."""
    flat = values.reshape(3, -1)
    flat = np.where(np.isfinite(flat), flat, np.nan)
    low, high = np.zeros(3), np.ones(3)
    for band in range(3):
        known = flat[band][~np.isnan(flat[band])]
        if len(known):
            low[band], high[band] = np.percentile(known, [DARK, BRIGHT])
    return low, np.where(high > low, high, low + 1)


def _shades(values: NDArray[Any], low: NDArray[np.float64], high: NDArray[np.float64]) -> Pixels:
    """Bands (3, height, width) as uint8."""
    if values.dtype == np.uint8:
        return values
    scaled = (values.astype(np.float64) - low[:, None, None]) / (high - low)[:, None, None] * 255
    return np.nan_to_num(scaled).clip(0, 255).astype(np.uint8)


def _by_pillow(path: Path, shown: str) -> Raster:
    from PIL import Image

    try:
        with without_size_limit(), Image.open(path) as picture:
            width, height = picture.size
            if width * height > LARGEST_DECODED:
                raise LimitError(
                    f"{shown}: {width} x {height} pixels are too many to decode at once.",
                    hint="Store it as a tiled GeoTIFF and install rasterio: pip install 'rune-smt[geo]'.",
                )
            if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
                grey = np.asarray(picture, np.float64)
                values = np.broadcast_to(grey, (3, *grey.shape))
                return ArrayRaster(np.ascontiguousarray(_shades(values, *_range(values)).transpose(1, 2, 0)))
            return ArrayRaster(np.asarray(picture.convert("RGB")))
    except (OSError, SyntaxError, ValueError, OverflowError, MemoryError) as error:
        raise PictureError(f"{shown}: cannot be read: {_first_line(error)}.") from error


def _first_line(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or "no picture that this program knows"
    return str(text).splitlines()[0].rstrip(".")

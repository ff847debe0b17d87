"""Windows of pictures: GeoTIFFs block by block, other files by Pillow, pictures of more than 8 bits, damaged files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rune_smt.detect import rasters
from rune_smt.detect.rasters import PictureError, open_raster
from rune_smt.errors import LimitError


def write_geotiff(path, values, **more):
    rasterio = pytest.importorskip("rasterio")
    transform = rasterio.Affine(0.5, 0, 500000, 0, -0.5, 5800000)
    bands, height, width = values.shape
    options = {"crs": "EPSG:32633", "transform": transform, "tiled": True, "blockxsize": 256, "blockysize": 256}
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=bands, dtype=values.dtype, **{**options, **more}
    ) as out:
        out.write(values)
    return path


def test_a_geotiff_is_read_window_by_window(tmp_path):
    values = np.random.default_rng(1).integers(0, 255, (3, 600, 700), np.uint8)
    with open_raster(write_geotiff(tmp_path / "a.tif", values), "a.tif") as raster:
        assert (raster.width, raster.height) == (700, 600)
        assert np.array_equal(raster.read((100, 50, 400, 300)), values[:, 50:300, 100:400].transpose(1, 2, 0))


@pytest.mark.parametrize("bands", [1, 2, 4])
def test_other_numbers_of_bands_become_three(tmp_path, bands):
    values = np.random.default_rng(1).integers(0, 255, (bands, 30, 40), np.uint8)
    with open_raster(write_geotiff(tmp_path / "a.tif", values), "a.tif") as raster:
        pixels = raster.read((0, 0, 40, 30))
    taken = values[:3] if bands >= 3 else values[[0, 0, 0]]
    assert np.array_equal(pixels, taken.transpose(1, 2, 0))


def test_more_than_8_bits_are_stretched(tmp_path):
    values = np.linspace(300, 2300, 200 * 200).reshape(1, 200, 200).astype(np.uint16)
    with open_raster(write_geotiff(tmp_path / "a.tif", values), "a.tif") as raster:
        whole, part = raster.read((0, 0, 200, 200)), raster.read((50, 60, 90, 100))
    assert whole.min() == 0 and whole.max() == 255 and abs(float(whole.mean()) - 127) < 5
    assert np.array_equal(whole[60:100, 50:90], part)
    Image.fromarray(values[0]).save(tmp_path / "b.png")
    with open_raster(tmp_path / "b.png", "b.png") as raster:
        other = raster.read((0, 0, 200, 200))
    assert np.abs(other.astype(int) - whole).max() <= 2


def test_values_that_are_missing_or_all_alike(tmp_path):
    values = np.full((3, 20, 20), np.nan, np.float32)
    values[0] = 7
    with open_raster(write_geotiff(tmp_path / "a.tif", values), "a.tif") as raster:
        assert not raster.read((0, 0, 20, 20)).any()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "CMYK", "F", "I"])
def test_every_mode_of_pillow_becomes_rgb(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode in ("CMYK", "F", "I") else "a.png")
    picture = Image.linear_gradient("L").convert("RGB").convert(mode)
    picture.save(path)
    with open_raster(path, "a") as raster:
        pixels = raster.read((0, 0, 256, 256))
    assert pixels.shape == (256, 256, 3) and pixels.dtype == np.uint8
    assert mode == "CMYK" or pixels[200:].mean() > pixels[:50].mean()  # a TIFF of four inks is read as it is stored


def test_a_picture_too_large_to_decode_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    Image.new("RGB", (300, 200)).save(tmp_path / "a.png")
    monkeypatch.setattr(rasters, "LARGEST_DECODED", 50_000)
    with pytest.raises(LimitError) as error, open_raster(tmp_path / "a.png", "a.png"):
        pass
    assert str(error.value) == (
        "a.png: 300 x 200 pixels are too many to decode at once.\n"
        "Store it as a tiled GeoTIFF and install rasterio: pip install 'rune-smt[geo]'."
    )


def test_a_geotiff_too_large_to_decode_at_once_is_read_in_windows_only(tmp_path, monkeypatch):
    path = write_geotiff(tmp_path / "a.tif", np.zeros((3, 300, 300), np.uint8))
    monkeypatch.setattr(rasters, "LARGEST_DECODED", 50_000)
    with open_raster(path, "a.tif") as raster:
        assert raster.read((0, 0, 200, 200)).shape == (200, 200, 3)
        with pytest.raises(LimitError, match=r"a\.tif: 300 x 300 pixels are too many to decode at once"):
            raster.read((0, 0, 300, 300))
    monkeypatch.setattr(rasters, "LARGEST_WINDOWED", 80_000)
    with pytest.raises(LimitError, match=r"300 x 300 pixels are beyond any picture"), open_raster(path, "a.tif"):
        pass


@given(st.sampled_from(["a.png", "a.jpg", "a.tif"]), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255))))
@settings(max_examples=150)
def test_any_damage_is_a_picture_or_an_error(tmp_path_factory, kind, changes):
    folder = tmp_path_factory.getbasetemp() / "damage"
    folder.mkdir(exist_ok=True)
    if not (folder / kind).exists():
        values = np.random.default_rng(1).integers(0, 255, (60, 70, 3), np.uint8)
        if kind == "a.tif":
            write_geotiff(folder / kind, values.transpose(2, 0, 1), compress="deflate", blockxsize=32, blockysize=32)
        else:
            Image.fromarray(values).save(folder / kind)
    data = bytearray((folder / kind).read_bytes())
    for place, value in changes:
        data[place % len(data)] = value
    if changes and changes[0][1] > 200:
        del data[changes[0][0] % len(data) :]
    (folder / f"damaged{kind}").write_bytes(data)
    try:
        with open_raster(folder / f"damaged{kind}", kind) as raster:
            window = (0, 0, min(raster.width, 90), min(raster.height, 90))
            assert raster.read(window).shape == (window[3], window[2], 3)
    except (PictureError, LimitError) as error:
        assert error.message.startswith(f"{kind}: ")


def test_damaged_files(tmp_path):
    rng = np.random.default_rng(1)
    picture = Image.fromarray(rng.integers(0, 255, (200, 200, 3), np.uint8))
    for name in ("a.png", "a.jpg"):
        picture.save(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(PictureError, match=f"^{name}: cannot be read: "), open_raster(tmp_path / name, name):
            pass
    path = write_geotiff(tmp_path / "a.tif", rng.integers(0, 255, (3, 600, 700), np.uint8), compress="deflate")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(PictureError, match=r"^a\.tif: cannot be read: "), open_raster(path, "a.tif") as raster:
        raster.read((0, 0, 700, 600))
    path.write_bytes(b"II*\0 no tiff")
    with pytest.raises(PictureError, match=r"^a\.tif: cannot be read: "), open_raster(path, "a.tif"):
        pass


def test_an_error_while_a_picture_is_open_is_not_the_pictures(tmp_path):
    path = write_geotiff(tmp_path / "a.tif", np.zeros((3, 20, 20), np.uint8))
    with pytest.raises(ValueError, match="mine"), open_raster(path, "a.tif"):
        raise ValueError("mine")

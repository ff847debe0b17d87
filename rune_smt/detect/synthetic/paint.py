"""A site's marks to a picture: ground, water, shadows, things, tree crowns, clouds; then lens, haze and noise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from .dials import AS_IT_COMES, Dials
from .site import Layer, Mark, Shade, Site
from .textures import MATERIALS, Floats, lookup, noise

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

SAMPLES = 2  # canvas pixels per picture pixel, each way
THIN, CLEAR = 0.05, 0.7  # metres of flood water that hide most of the ground, and nearly all of it
RIM = 0.05  # metres above the water up to which the ground is wet
SHARPENED = (1.2, 90, 0)  # radius in px, percent, threshold: as pictures from the air are before they are sold
SHADE = np.array([0.40, 0.43, 0.50], dtype=np.float32)  # what light is left in a shadow: the sky's, so bluish

COARSE, MEDIUM, FINE, HUE = (lookup(name) for name in ("coarse", "medium", "fine", "hue"))


def paint(
    site: Site,
    rng: np.random.Generator,
    dials: Dials = AS_IT_COMES,
    sky: tuple[Floats, Floats] | None = None,
) -> Image.Image:
    """The picture of a site, RGB, `site.size` pixels square; `sky` is the opacity of clouds and of their shadows."""
    from PIL import Image, ImageDraw, ImageFilter

    size, big = site.size, (site.size * SAMPLES, site.size * SAMPLES)

    ground = Image.new("RGB", big, site.colour_of(site.base))
    texture = Image.new("L", (size, size), MATERIALS[site.base].code)
    _draw_ground(site.marks, ImageDraw.Draw(ground, "RGBA"), ImageDraw.Draw(texture))
    picture = _pixels(ground.reduce(SAMPLES))
    picture *= _grain(np.asarray(texture), rng)
    if site.depth is not None:
        picture = _flood(picture, site, site.depth, rng)

    shades = Image.new("L", big, 0)
    _draw_shades(site.shades, ImageDraw.Draw(shades))
    dark = _pixels(shades.reduce(SAMPLES).filter(ImageFilter.GaussianBlur(0.6)))[..., None] / 255
    picture *= 1 - dark * (1 - SHADE)

    fine = noise(1.2, size, rng, slope=0.0)[..., None]
    picture = _lay_over(picture, site.marks, "object", big, 1 + 0.025 * fine)
    crowns = MATERIALS["canopy"]
    leaves = 1 + crowns.medium * 0.7 * noise(4.0, size, rng)[..., None] + crowns.fine * 0.7 * fine
    picture = _lay_over(picture, site.marks, "canopy", big, leaves)
    if sky is not None:
        picture = _under_clouds(picture, *sky)
    return _camera(picture, rng, dials)


def _draw_ground(marks: Iterable[Mark], draw: ImageDraw.ImageDraw, texture: ImageDraw.ImageDraw) -> None:
    for mark in marks:
        if mark.layer != "ground":
            continue
        _stroke(draw, mark, SAMPLES, mark.paint)
        if mark.texture >= 0:
            _stroke(texture, mark, 1, mark.texture)


def _lay_over(picture: Floats, marks: Iterable[Mark], layer: Layer, big: tuple[int, int], grain: Floats) -> Floats:
    """The picture with the marks of a layer, times their grain, over it."""
    from PIL import Image, ImageDraw

    chosen = [mark for mark in marks if mark.layer == layer]
    if not chosen:
        return picture
    canvas, mask = Image.new("RGB", big), Image.new("L", big)
    draw, draw_mask = ImageDraw.Draw(canvas), ImageDraw.Draw(mask)
    for mark in chosen:
        _stroke(draw, mark, SAMPLES, mark.paint)
        _stroke(draw_mask, mark, SAMPLES, 255)
    colour = _pixels(canvas.reduce(SAMPLES))  # black where empty, so already multiplied by its own coverage
    cover = _pixels(mask.reduce(SAMPLES))[..., None] / 255
    picture *= 1 - cover
    colour *= grain
    picture += colour
    return picture


def _draw_shades(shades: Iterable[Shade], draw: ImageDraw.ImageDraw) -> None:
    for shade in shades:
        points = [SAMPLES * v - 0.5 for v in shade.points]
        if shade.shape == "polygon":
            draw.polygon(points, fill=255)
        else:
            draw.ellipse(points, fill=255)


def _stroke(draw: ImageDraw.ImageDraw, mark: Mark, scale: int, fill: tuple[int, ...] | int) -> None:
    points = [scale * v - 0.5 for v in mark.points]
    if mark.shape == "polygon":
        draw.polygon(points, fill=fill)
    elif mark.shape == "line":
        width = max(1, round(mark.width * scale))
        draw.line(points, fill=fill, width=width, joint="curve" if width > 4 and len(points) > 4 else None)
    elif mark.width > 0:
        draw.ellipse(points, outline=fill, width=max(1, round(mark.width * scale)))
    else:
        draw.ellipse(points, fill=fill)


def _grain(texture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], rng: np.random.Generator) -> Floats:
    """Factors, (size, size, 3), by which the covers' noise changes the ground's colours."""
    size = texture.shape[0]
    patches = noise(24.0, size, rng, slope=0.8)
    light = COARSE[texture] * patches
    light += MEDIUM[texture] * noise(4.0, size, rng, slope=0.5)
    light += FINE[texture] * noise(1.2, size, rng, slope=0.0)
    drift = HUE[texture] * noise(90.0, size, rng)
    return np.stack([1 + light + drift, 1 + light + 0.2 * drift, 1 + light - 0.4 * drift], axis=-1)


def _flood(picture: Floats, site: Site, depth: Floats, rng: np.random.Generator) -> Floats:
    """Muddy water over the ground, through which its shallow parts show; foam and flotsam at its edge."""
    size = site.size
    mud = np.array(site.colour_of("water"), dtype=np.float32) * (
        1 + 0.05 * noise(60.0, size, rng)[..., None] + 0.02 * noise(3.0, size, rng)[..., None]
    )
    mud *= (1.16 - 0.18 * np.clip(depth, 0, 1))[..., None]
    opaque = (np.clip(depth / THIN, 0, 1) * 0.66 + np.clip(depth / CLEAR, 0, 1) * 0.30)[..., None]
    wet = np.clip(1 + depth / RIM, 0, 1)[..., None]  # the ground beside water is dark with it
    return np.asarray(picture * (1 - 0.22 * wet) * (1 - opaque) + mud * opaque, dtype=np.float32)


def _under_clouds(picture: Floats, cloud: Floats, shadow: Floats) -> Floats:
    """The picture under clouds that are brighter where they are thicker."""
    picture *= 1 - 0.48 * shadow[..., None]
    white = (200 + 48 * cloud)[..., None] * np.array([0.985, 0.992, 1.0], dtype=np.float32)
    return np.asarray(picture * (1 - cloud[..., None]) + white * cloud[..., None], dtype=np.float32)


def _camera(picture: Floats, rng: np.random.Generator, dials: Dials) -> Image.Image:
    """Haze, white balance, contrast, a soft lens and the sensor's noise; what no dial says is left to chance."""
    from PIL import Image, ImageFilter

    haze = float(rng.uniform(0.0, 0.14))
    haze = haze if dials.haze is None else dials.haze
    balance = np.array([rng.normal(1.0, 0.03), 1.0, rng.normal(0.99, 0.04)], dtype=np.float32)
    exposure = float(rng.uniform(0.92, 1.12))
    picture *= (1 - haze) * exposure * balance
    picture += haze * np.array([172, 180, 186], dtype=np.float32)
    size = picture.shape[0]
    picture += 1.4 * noise(1.0, size, rng, slope=0.0)[..., None]
    soft = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    blur = float(rng.uniform(0.35, 0.65))
    soft = soft.filter(ImageFilter.GaussianBlur(blur if dials.blur is None else dials.blur))
    if dials.blur is None:
        soft = soft.filter(ImageFilter.UnsharpMask(*SHARPENED))
    if dials.noise is None:
        return soft
    # a dial's noise comes after the lens, as a sensor's does, so that it has the strength it says
    grey = rng.standard_normal((size, size, 3), dtype=np.float32) * dials.noise
    return Image.fromarray(np.clip(np.asarray(soft, dtype=np.float32) + grey, 0, 255).astype(np.uint8))


def _pixels(image: Image.Image) -> Floats:
    return np.asarray(image, dtype=np.float32)

"""A detector that looks at pixels and needs no model: things of one colour, in their smallest rotated rectangles."""

from dataclasses import dataclass, field

import numpy as np
import shapely
from PIL import Image, ImageDraw

from rune_smt.detect.components import components
from rune_smt.detect.detector import Detections

COLOURS = {1: ("ship", (255, 0, 0)), 2: ("plane", (0, 0, 255))}
WATER = (20, 40, 60)


@dataclass
class PixelDetector:
    """Sees red ships and blue planes; `shown` holds the sizes of what it was shown."""

    side: int = 64
    identity: str = "pixels 1"
    shown: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, image):
        self.shown.append(image.shape[:2])
        keys = np.zeros(image.shape[:2], np.int32)
        for key, (_, colour) in COLOURS.items():
            keys[(np.abs(image.astype(int) - colour) < 60).all(axis=2)] = key
        found = components(keys, min_area=6)
        shapes = shapely.minimum_rotated_rectangle(found.shapes)
        return Detections([COLOURS[key][0] for key in found.key.tolist()], np.full(len(shapes), 0.9), shapes)


def paint(width, height, things):
    """A picture of things: (label, outline) each."""
    picture = Image.new("RGB", (width, height), WATER)
    draw = ImageDraw.Draw(picture)
    colours = dict(COLOURS.values())
    for label, outline in things:
        draw.polygon([tuple(point) for point in np.asarray(outline)], fill=colours[label])
    return picture

"""What a detector saw, drawn on the pictures: what is right, what is wrong, and what it missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .detection import MIN_IOU, MIN_SCORE, Ints, Outcome, outcomes

if TYPE_CHECKING:
    from PIL import Image

    from ..entities.archive import Archive
    from ..entities.scene import Scene

SIDE = 2400  # pixels: a ship of 20 px in a picture of 4,000 is still told from its neighbour
# told apart by the colour-blind too; dashes would be lost on small boxes
RIGHT, WRONG, MISSED = (86, 190, 245), (255, 92, 57), (240, 228, 66)
DARK = (18, 20, 24)


def overlays(
    labels: Archive,
    seen: Archive,
    *,
    min_score: float = MIN_SCORE,
    min_iou: float = MIN_IOU,
    difficult: str | None = "difficult",
    side: int = SIDE,
) -> Iterator[tuple[str, Image.Image]]:
    """Image id and picture, RGB, its longer side `side` pixels at most, of every image that both archives have.

    Detections that are right are blue, wrong ones red, missed things yellow; on neutral ground where the picture cannot
    be read. An image of unknown size has no picture. The other arguments, and QueryError, as for `compare_detections`.
    """
    from ..drawing import picture

    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes(labels.table, seen.table, min_score=min_score, min_iou=min_iou, difficult=difficult):
        found.setdefault(outcome.image_id, []).append(outcome)
    for image_id, mine in found.items():
        scene = seen[image_id]
        if not scene.width or not scene.height:
            continue
        longer = int(max(scene.width, scene.height))
        canvas = picture(scene, size=min(side, longer), crop=False)
        scale = min(side, longer) / longer
        for rows, source, colour in (
            ([one.right for one in mine], scene, RIGHT),
            ([one.missed for one in mine], labels[image_id], MISSED),
            ([one.wrong for one in mine], scene, WRONG),
        ):
            _trace(canvas, source, np.concatenate(rows), scale, colour)
        _legend(canvas, mine)
        yield image_id, canvas


def _trace(canvas: Image.Image, scene: Scene, rows: Ints, scale: float, colour: tuple[int, int, int]) -> None:
    """Outlines in a colour, with a dark line below that parts them from water and roofs."""
    from PIL import ImageDraw

    from ..drawing import outlines_of

    draw = ImageDraw.Draw(canvas)
    drawn = outlines_of(scene, scene.table.entity_id[rows].tolist())
    rings = [ring for outline in drawn.values() for ring in outline.rings]
    for width, ink in ((4, DARK), (2, colour)):
        for ring in rings:
            points = [(x * scale, y * scale) for x, y in ring]
            draw.line([*points, points[0]], fill=ink, width=width, joint="curve")


def _legend(canvas: Image.Image, mine: Sequence[Outcome]) -> None:
    """What the colours say and how many of each there are, in the lower right corner."""
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(15)
    words = [
        (f"{sum(len(getattr(one, name)) for one in mine)} {name}", colour)
        for name, colour in (("right", RIGHT), ("wrong", WRONG), ("missed", MISSED))
    ]
    width = 24 + int(max(draw.textlength(text, font=font) for text, _ in words))
    left, top = canvas.width - width - 10, canvas.height - 20 * len(words) - 14
    draw.rectangle((left - 8, top - 6, canvas.width, canvas.height), fill=DARK)
    for number, (text, colour) in enumerate(words):
        y = top + 20 * number
        draw.rectangle((left, y + 2, left + 12, y + 14), outline=colour, width=2)
        draw.text((left + 20, y), text, fill="white", font=font)

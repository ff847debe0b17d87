"""What names of tiles say: the picture that a tile was cut from, and where.

P0861__1024__0___1648    the DOTA tools': picture, side of the tile or scale of the picture, left, top
{image}_{x}_{y}          any other scheme, as a pattern
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rune_smt.errors import QueryError

DOTA = "{image}__{size}__{x}___{y}"
SMALLEST_SIDE = 16  # the DOTA tools write the tile's side or, below this, how much the picture was scaled up
FIELDS = {
    "image": r"(?P<image>.+?)",
    "x": r"(?P<x>\d{1,9})",
    "y": r"(?P<y>\d{1,9})",
    "column": r"(?P<column>\d{1,9})",
    "row": r"(?P<row>\d{1,9})",
    "size": r"(?P<size>\d{1,9}(?:\.\d{1,9})?)",
    "any": r".*?",
}
WAYS = "Write dota, or fields: {image}_{x}_{y} in pixels, {image}_{row}_{column} in tiles; {any} is the rest."


@dataclass(frozen=True, slots=True)
class TileName:
    """A tile of a picture.

    image       the picture's name
    x, y        its left upper corner: pixels, or with `in_tiles` columns and rows from 0
    side        pixels, where the name says it, else None
    scale       how much larger the tile's pixels are drawn than the picture's; 1 for not at all
    """

    image: str
    x: int
    y: int
    in_tiles: bool = False
    side: int | None = None
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class TilePattern:
    """How names of tiles are made. `text` has the fields of FIELDS."""

    text: str
    expression: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> TilePattern:
        """From `dota` or a pattern. Raises QueryError for one that does not say picture and place."""
        pattern = DOTA if text == "dota" else text
        fields = re.findall(r"\{(\w*)\}", pattern)
        known = [field for field in fields if field != "any"]
        unknown = next((field for field in fields if field not in FIELDS), None)
        if unknown is not None:
            raise QueryError(f"'{{{unknown}}}' is no field of names of tiles.", hint=WAYS)
        placed = {"image", "x", "y"} <= set(known) or {"image", "row", "column"} <= set(known)
        if not placed or len(set(known)) != len(known) or {"x", "row"} <= set(known) or {"y", "column"} <= set(known):
            raise QueryError(f"'{text}' does not say which picture a tile is of, and where it lies in it.", hint=WAYS)
        parts = re.split(r"\{(\w+)\}", pattern)  # texts and fields take turns
        body = "".join(FIELDS[part] if index % 2 else re.escape(part) for index, part in enumerate(parts))
        return cls(pattern, re.compile(body))

    def read(self, stem: str) -> TileName | None:
        """What a file's stem says; None for one that is not made in this way."""
        found = self.expression.fullmatch(stem)
        if found is None:
            return None
        said = found.groupdict()
        size = float(said.get("size") or 0)
        scale = size if 0 < size < SMALLEST_SIDE else 1.0
        side = round(size) if size >= SMALLEST_SIDE else None
        if "x" in said:
            return TileName(said["image"], int(said["x"]), int(said["y"]), False, side, scale)
        return TileName(said["image"], int(said["column"]), int(said["row"]), True, side, scale)

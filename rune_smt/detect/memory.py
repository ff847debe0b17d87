"""What a detector saw before it was interrupted: a file of JSON lines beside the archive that is being made.

The first line says for which detector and settings; each further one holds the detections of a picture under the
SHA-256 of its bytes, or of a tile under that and the tile's number. Every line is written when its picture or tile is
done, so that an interruption loses one of them at most.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import shapely

from rune_smt.detect.detector import Detections
from rune_smt.errors import DataError

FORMAT = "rune-smt detections 1"
BLOCK = 1 << 20


@dataclass(slots=True)
class Memory:
    """Detections by the SHA-256 of the picture's file.

    path   the file; None remembers nothing
    key    what the detections depend on beside the picture: a file of another key is begun anew
    """

    path: Path | None
    key: str
    places: dict[str, int] = field(default_factory=dict)
    file: IO[bytes] | None = None

    def __enter__(self) -> Memory:
        if self.path is None:
            return self
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.path.open("a+b")
            self._look_through()
        except OSError as error:
            raise DataError(f"{self.path} cannot be written: {error.strerror or error}.") from error
        return self

    def __exit__(self, *error: object) -> None:
        if self.file is not None:
            self.file.close()

    def recall(self, digest: str) -> Detections | None:
        """What was seen in a picture, None if it was not looked at."""
        if self.file is None or digest not in self.places:
            return None
        self.file.seek(self.places[digest])
        return from_plain(json.loads(self.file.readline()))

    def keep(self, digest: str, seen: Detections) -> None:
        """What was seen in a picture, to be found again after an interruption."""
        if self.file is None:
            return
        self.file.seek(0, 2)
        self.places[digest] = self.file.tell()
        self.file.write(json.dumps({"sha256": digest, **to_plain(seen)}).encode() + b"\n")
        self.file.flush()

    def _look_through(self) -> None:
        """Finds the whole lines; a line that is cut off, and whatever follows it, is forgotten."""
        assert self.file is not None
        self.file.seek(0)
        head = json.dumps({"format": FORMAT, "key": self.key}).encode() + b"\n"
        if self.file.readline() != head:
            self.file.truncate(0)
            self.file.write(head)
            self.file.flush()
            return
        while True:
            place = self.file.tell()
            line = self.file.readline()
            try:
                plain: Any = json.loads(line) if line.endswith(b"\n") else None
                from_plain(plain)
                self.places[plain["sha256"]] = place
            except (ValueError, KeyError, TypeError, shapely.errors.ShapelyError):
                self.file.truncate(place)
                return


def to_plain(seen: Detections) -> dict[str, Any]:
    """Detections as JSON has them: outlines as WKB in hexadecimal, so that no number changes."""
    return {
        "labels": list(seen.labels),
        "scores": seen.scores.tolist(),
        "shapes": shapely.to_wkb(seen.shapes, hex=True).tolist(),
        "attributes": {name: list(values) for name, values in seen.attributes.items()},
        "truncated": seen.truncated,
    }


def from_plain(plain: Any) -> Detections:
    """The detections of `to_plain`; ValueError, KeyError or TypeError for anything else."""
    shapes = np.empty(len(plain["shapes"]), object)
    shapes[:] = shapely.from_wkb(plain["shapes"])
    return Detections(
        plain["labels"], np.array(plain["scores"], np.float64), shapes, plain["attributes"], plain["truncated"]
    )


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal. OSError where it cannot be read."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            whole.update(block)
    return whole.hexdigest()

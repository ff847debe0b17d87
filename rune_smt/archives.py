"""An archive from Arrow tables, under a vocabulary: what a program that has its own detections calls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .query import VocabularyLike, vocabulary_of

if TYPE_CHECKING:
    import pyarrow as pa

    from .entities.archive import Archive


def archive_from_arrow(
    entities: pa.Table,
    images: pa.Table,
    out: str | Path | None = None,
    *,
    vocabulary: VocabularyLike = None,
    overwrite: bool = False,
) -> Archive:
    """An archive from the tables of INTERFACE, "Tables".

    entities    image_id, entity_id, label, score, geometry (WKB, pixels) and attribute columns
    images      image_id, and where known width, height, gsd, transform, ...; every image, those without entities too
    out         the folder to make; None keeps the archive in memory
    vocabulary  labels that it lacks become classes without parent
    raises      DataError that names the row
    """
    import pyarrow.compute as pc

    from .entities.archive import archive_from_arrow as build

    labels = sorted(label for label in pc.unique(entities["label"]).to_pylist() if label is not None)
    known = vocabulary_of(vocabulary).with_classes(labels)
    return build(
        entities,
        images,
        vocabulary={"name": known.name, "toml": known.to_toml()},
        out=None if out is None else Path(out),
        overwrite=overwrite,
    )

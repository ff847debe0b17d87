"""Hugging Face `object-detection` pipelines. Needs the extra `transformers`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from rune_smt.detect.detector import SAME_UPRIGHT, SIDE, Detections, DetectorKind, ModelOptions, Pixels, distinct
from rune_smt.errors import DataError, MissingExtra, QueryError

PREFIX = "hf:"
SAFE = frozenset({"model.safetensors", "model.safetensors.index.json"})
WEIGHTS = SAFE | {"pytorch_model.bin"}


def detections_of(results: Sequence[Mapping[str, Any]]) -> Detections:
    """The detections of a pipeline's result for one picture.

    results  one mapping a thing: {"score": 0 to 1, "label": text, "box": {"xmin", "ymin", "xmax", "ymax"}}, pixels
    """
    box = np.array([[row["box"][side] for side in ("xmin", "ymin", "xmax", "ymax")] for row in results], np.float64)
    scores = np.array([row["score"] for row in results], np.float64)
    return Detections([str(row["label"]) for row in results], scores.clip(0, 1), shapely.box(*box.reshape(-1, 4).T))


@dataclass(frozen=True, slots=True)
class HuggingFaceDetector:
    """A transformers pipeline.

    side      its tile, pixels
    same      IoU above which two outlines of a class are one thing
    identity  changes with the model and the limits
    """

    pipeline: Any = field(repr=False)
    options: ModelOptions
    side: int
    same: float
    identity: str

    def __call__(self, image: Pixels, /) -> Detections:
        """What is seen in a picture, uint8 (height, width, 3) RGB."""
        from PIL import Image

        return distinct(
            detections_of(self.pipeline(Image.fromarray(image), threshold=self.options.min_score)), self.same
        )


def load(model: str, options: ModelOptions) -> HuggingFaceDetector:
    """The detector of a folder as `save_pretrained` writes it, or of `hf:NAME`, a model of the hub.

    Of the hub only weights in safetensors are loaded. A pytorch_model.bin is a pickle, which runs what is in it: it is
    loaded from a folder that has nothing else, so name only folders that you trust.
    Raises MissingExtra without transformers or torch, DataError for a model that cannot be read.
    """
    name = model.removeprefix(PREFIX)
    try:
        import torch
        from transformers import pipeline
    except ImportError as error:
        raise MissingExtra("transformers is not installed.", hint="pip install 'rune-smt[transformers]'") from error
    devices = {"auto": "cuda" if torch.cuda.is_available() else "cpu", "cpu": "cpu", "cuda": "cuda"}
    if options.device not in devices:
        raise QueryError(f"--device is auto, cpu or cuda, got '{options.device}'.")
    try:
        kept_out = {"use_safetensors": True} if no_pickles(model) else {}
        loaded = pipeline("object-detection", model=name, device=devices[options.device], model_kwargs=kept_out)
    except Exception as error:  # the hub, torch and the model's own code all fail in their own ways
        raise DataError(f"{name}: cannot be loaded by transformers: {str(error).splitlines()[0]}") from error
    if options.names is not None:
        loaded.model.config.id2label = dict(options.names)
    said = getattr(loaded.image_processor, "size", None)
    sides = [value for value in dict(said or {}).values() if isinstance(value, int)]
    same = options.same if options.same is not None else SAME_UPRIGHT
    mark = json.dumps([name, _when(Path(name)), options.min_score, same])
    return HuggingFaceDetector(loaded, options, max(sides, default=SIDE), same, mark)


def no_pickles(model: str) -> bool:
    """Whether pickled weights are refused: for models of the hub, and where there are others."""
    return model.startswith(PREFIX) or any((Path(model) / name).is_file() for name in SAFE)


def _when(folder: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of a folder's files: what tells two states of a model apart."""
    if not folder.is_dir():
        return []
    found = sorted(path for path in folder.iterdir() if path.is_file())
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in found]


def _is_folder(text: str) -> bool:
    folder = Path(text)
    return (folder / "config.json").is_file() and any((folder / name).is_file() for name in WEIGHTS)


KIND = DetectorKind(
    name="Hugging Face",
    looks="hf:OWNER/NAME or a folder with config.json and weights",
    takes=lambda text: text.startswith(PREFIX) or _is_folder(text),
    load=load,
)

"""How well queries over a detector's output find the images that the truth has: modes threshold, graded, probability.

    python benchmarks/uncertain_search.py --images 400 --seed 1 [--errors default|FILE] [--json FILE]

Exact scenes are the truth; the model of a detector's errors makes detections of them; each mode ranks the images, and is
held to the verdicts on the truth. Probabilities are also taken after calibration on as many other scenes.
"""

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

import rune_smt as rune
from rune_smt.calibrating import calibrated, fit_calibration
from rune_smt.detect.error_model import load_error_model
from rune_smt.detect.synthetic import Dials, make_scenes
from rune_smt.detect.synthetic.annotations import CLASSES
from rune_smt.detect.synthetic.detections import detect
from rune_smt.verdict import SATISFIED

VOCABULARY = "dota-v1.5"
QUERIES = (
    "a helicopter",
    "at least 3 ships",
    "a ship but no harbor",
    "ships that are not near any harbor",
    "all ships are near a harbor",
    "no large vehicle",
    "more large vehicles than small vehicles",
    "at least three small vehicles on a bridge",
    "two parallel ships near the same harbor",
    "a large vehicle within 20 m of a storage tank",
    "exactly two bridges",
    "a tennis court next to a basketball court",
)
SETTINGS = {
    "as usually seen": Dials(),
    "far off, under trees and clouds": Dials(gsd=0.9, trees=0.5, clouds=0.15),
}


def archives(count, seed, dials, errors):
    """The truth, and what a detector with these errors sees, of the same scenes."""
    lines = {"truth": [], "seen": []}
    for scene in make_scenes(count, seed, 512, dials=dials, withhold=False):
        found = detect(scene, errors, CLASSES[VOCABULARY])
        for name, labels, scores, boxes in (
            ("truth", scene.labels, np.ones(len(scene.labels)), scene.polygons),
            ("seen", found.labels, found.scores, found.boxes),
        ):
            entities = [
                {"entity_id": i, "label": label, "score": float(score), "polygon": box.tolist()}
                for i, (label, score, box) in enumerate(zip(labels, scores, boxes, strict=True))
            ]
            size = {"width": scene.width, "height": scene.height, "gsd": scene.gsd}
            lines[name].append(json.dumps({"image_id": scene.image_id, **size, "entities": entities}))
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in lines.items():
            path = Path(folder) / f"{name}.scenes.jsonl"
            path.write_text("\n".join(text))
            made.append(rune.index(path, vocabulary=VOCABULARY, progress=False, min_score=0.0))
    return made


def average_precision(degrees, true):
    """Of the ranking by degree; what has equal degrees comes in every order with equal chance (their mean share)."""
    order = np.argsort(-degrees, kind="stable")
    ranked, hits = degrees[order], true[order].astype(float)
    for value in np.unique(ranked):
        same = ranked == value
        hits[same] = hits[same].mean()
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1) * hits).sum() / hits.sum())


def f1(chosen, true):
    """Harmonic mean of precision and recall, and both."""
    right = (chosen & true).sum()
    return 2 * right / max(1, chosen.sum() + true.sum()), right / max(1, chosen.sum()), right / max(1, true.sum())


def measure(truth, seen, sure):
    """A row for each query: how each mode does."""
    rows = []
    for text in QUERIES:
        query = rune.translate(text, truth)
        true = rune.search(truth, query).verdicts == SATISFIED
        row = {"query": text, "true": int(true.sum()), "images": len(true)}
        if 0 < true.sum() < len(true):
            for score in (0.25, 0.5, 0.75):
                found = rune.search(seen, query, min_score=score).verdicts == SATISFIED
                row[f"threshold {score}"] = {"F1": f1(found, true)[0], "precision": f1(found, true)[1], "recall": f1(found, true)[2]}
            for name, archive, mode in (
                ("graded", seen, "graded"), ("probability", seen, "probability"), ("calibrated", sure, "probability"),
            ):  # fmt: skip
                before = time.perf_counter()
                result = rune.search(archive, query, mode=mode)
                degrees = np.asarray(result.degrees, dtype=float)
                row[name] = {
                    "AP": average_precision(degrees, true),
                    "F1": f1(degrees >= 0.5, true)[0],
                    "Brier": float(np.mean((degrees - true) ** 2)),
                    "seconds": time.perf_counter() - before,
                }
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--errors", default="default")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    errors = load_error_model(options.errors)
    print(f"{options.images} scenes of 512 px, seed {options.seed}, errors {options.errors}, rune-smt {rune.__version__}, Python {platform.python_version()}")
    everything = {}
    for title, dials in SETTINGS.items():
        truth, seen = archives(options.images, options.seed, dials, errors)
        other_truth, other_seen = archives(options.images, options.seed + 1000, dials, errors)
        fitted = fit_calibration(other_seen, other_truth)
        rows = everything[title] = measure(truth, seen, calibrated(seen, fitted.calibration))
        print(f"\n{title}: {len(truth.table):,} things, {len(seen.table):,} detections; expected calibration error of scores "
              f"{fitted.before:.3f}, of probabilities {fitted.after:.3f} (on the other scenes)\n")
        print("| query | true | F1 at 0.25 | at 0.5 | at 0.75 | AP graded | AP probability | AP calibrated | F1 graded | F1 probability | F1 calibrated | Brier graded | probability | calibrated |")
        print("| --- |" + " ---: |" * 13)
        scored = [row for row in rows if "graded" in row]
        for row in rows:
            print("| " + " | ".join([row["query"], str(row["true"]), *(_cells(row) if row in scored else ["-"] * 12)]) + " |")
        means = np.mean([[float(v) for v in _cells(row)] for row in scored], axis=0)
        print("| mean |  | " + " | ".join(f"{v:.2f}" if i < 9 else f"{v:.3f}" for i, v in enumerate(means)) + " |")
        seconds = {name: sum(row[name]["seconds"] for row in scored) for name in ("graded", "probability", "calibrated")}
        print("\nseconds, all queries: " + ", ".join(f"{name} {value:.1f}" for name, value in seconds.items()))
    if options.json is not None:
        options.json.write_text(json.dumps(everything, indent=1))


def _cells(row):
    modes = ("graded", "probability", "calibrated")
    figures = [f"{row[f'threshold {score}']['F1']:.2f}" for score in (0.25, 0.5, 0.75)]
    for what, digits in (("AP", 2), ("F1", 2), ("Brier", 3)):
        figures += [f"{row[name][what]:.{digits}f}" for name in modes]
    return figures


if __name__ == "__main__":
    main()

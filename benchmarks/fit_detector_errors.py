"""Fits the shipped detector-error model to real scored detections; prints every figure that its file states.

    RUNE_SMT_SHARED=... python benchmarks/fit_detector_errors.py --work DIR [--write]

Needs the development data: data/dota, data/dota8 (pictures with labels), data/detections (detections without labels) and
models/yolo26n-obb.onnx. What is slow, running the detector, is kept in DIR. `--write` puts the model into the package.
"""

import argparse
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

import rune_smt as rune
from rune_smt.detect.error_model import ErrorModel, save_error_model
from rune_smt.detect.error_sampling import sample
from rune_smt.detect.synthetic.raster import covered, inside
from rune_smt.evaluate.detection import compare_detections
from rune_smt.evaluate.detector_errors import fit_error_model, fit_without_labels

SHARED = Path(os.environ.get("RUNE_SMT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
DOTA8 = [  # the order of the numbers in DOTA8's label files
    *("plane", "ship", "storage_tank", "baseball_diamond", "tennis_court", "basketball_court", "ground_track_field"),
    *("harbor", "bridge", "large_vehicle", "small_vehicle", "helicopter", "roundabout", "soccer_ball_field"),
    "swimming_pool",
]
VOCABULARY = "dota-v1.5"
RUN = 912  # images that the detector without labels was run on
SCALES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18)  # of the real pictures: the same things in fewer pixels
HIDING = ((1.0, 0), (1.0, 1), (0.5, 2), (0.5, 3))  # scale, and seed of the patches
FEWEST_VIEWS = 30  # of three things
GREY = (114, 114, 114)  # what detectors pad with
PATCHES = ((236, 238, 240), (58, 76, 46))  # clouds and crowns


def labelled_pictures():
    """(path, labels, corners, difficult) of each real picture that has labels."""
    sources = (
        ("dota", rune.index(SHARED / "data/dota/labelTxt", vocabulary=VOCABULARY, progress=False)),
        ("dota8", rune.index(SHARED / "data/dota8/labels", names=DOTA8, vocabulary=VOCABULARY, progress=False)),
    )
    for folder, archive in sources:
        table = archive.table
        paths = sorted((SHARED / "data" / folder / "images").rglob("*.*"))
        for path in paths:
            rows = np.flatnonzero(table.image == table.images.index(path.stem))
            corners = np.stack([np.asarray(o.exterior.coords)[:4] for o in table.outlines(rows)])
            hard = table.attributes["difficult"].values[rows] if "difficult" in table.attributes else np.zeros(len(rows))
            yield path, [table.classes[code] for code in table.label[rows]], corners, np.nan_to_num(hard)


def variant(picture, corners, scale, seed):
    """The picture in fewer pixels on a canvas of the same size, patches over its things; their corners, hidden shares."""
    canvas = Image.new("RGB", picture.size, GREY)
    small = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BOX)
    canvas.paste(small, (0, 0))
    corners = corners * scale
    if seed is None:
        return canvas, corners, np.zeros(len(corners))
    rng = np.random.default_rng(seed)
    strips = []
    texture = np.asarray(canvas).astype(np.int16)
    for box in corners:
        if rng.random() < 0.35:
            continue
        share, side = rng.uniform(0.1, 0.9), int(rng.integers(4))
        a, b, c, d = np.roll(box, -side, axis=0)
        strip = np.stack([a, b, b + share * (c - b), a + share * (d - a)])
        strips.append(strip.reshape(-1).tolist())
        found = inside(strips[-1], max(picture.size))
        if found is not None:
            (rows, columns), filled = found
            rows, columns = slice(rows.start, min(rows.stop, picture.height)), slice(columns.start, min(columns.stop, picture.width))
            filled = filled[: rows.stop - rows.start, : columns.stop - columns.start]
            colour = np.array(PATCHES[int(rng.integers(2))]) + rng.normal(0, 12, (*filled.shape, 3))
            texture[rows, columns][filled] = colour[filled]
    above = covered(strips, max(picture.size))
    hidden = np.zeros(len(corners))
    for i, box in enumerate(corners):
        found = inside(box.reshape(-1).tolist(), max(picture.size))
        if found is not None and found[1].any():
            hidden[i] = above[found[0]][found[1]].mean()
    return Image.fromarray(np.clip(texture, 0, 255).astype(np.uint8)), corners, hidden


def gather(work):
    """Archives of labels and of what the detector sees, of every picture in every variant."""
    pictures = work / "pictures"
    if not (work / "seen.rune").exists():
        pictures.mkdir(parents=True, exist_ok=True)
        lines = []
        for path, labels, corners, hard in labelled_pictures():
            with Image.open(path) as opened:
                picture = opened.convert("RGB")
            for scale, seed in [*((s, None) for s in SCALES), *HIDING]:
                name = f"{path.stem}@{scale:g}" + ("" if seed is None else f"h{seed}")
                made, moved, hidden = variant(picture, corners, scale, seed)
                made.save(pictures / f"{name}.png")
                entities = [
                    {
                        "entity_id": i, "label": label, "score": 1.0, "polygon": moved[i].tolist(),
                        "attributes": {"difficult": int(hard[i]), "occluded": float(hidden[i])},
                    }
                    for i, label in enumerate(labels)
                ]  # fmt: skip
                size = {"width": made.width, "height": made.height, "area": made.width * made.height * scale**2}
                lines.append(json.dumps({"image_id": name, **size, "entities": entities}))
        (work / "labels.scenes.jsonl").write_text("\n".join(lines) + "\n")
        options = {"vocabulary": VOCABULARY, "overwrite": True}
        rune.index(work / "labels.scenes.jsonl", work / "labels.rune", **options)
        rune.index(pictures, work / "seen.rune", detector=SHARED / "models/yolo26n-obb.onnx", **options)
    labels, seen = rune.open_archive(work / "labels.rune"), rune.open_archive(work / "seen.rune")
    entities = seen.entities
    unlabelled = pc.and_(pc.equal(entities["label"], "small_vehicle"), pc.starts_with(entities["image_id"], "P0706@"))
    return labels, rune.archive_from_arrow(entities.filter(pc.invert(unlabelled)), seen.images, vocabulary=VOCABULARY)


def without_labels():
    """Scores and false alarms of the four classes of data/detections; the area of the images is a guess from extents."""
    read, extents = {}, {}
    for path in sorted((SHARED / "data/detections").glob("*.txt")):
        lines = [line.split() for line in path.read_text().splitlines()]
        corners = np.array([line[2:] for line in lines], dtype=float).reshape(-1, 4, 2)
        read[path.stem.replace("-", "_")] = [line[0] for line in lines], np.array([float(line[1]) for line in lines]), corners
        for name, box in zip([line[0] for line in lines], corners, strict=True):
            extents[name] = np.maximum(extents.get(name, 0), box.max(axis=0))
    megapixels = float(np.mean([np.prod(e) for e in extents.values()])) * RUN / 1e6
    number = {name: i for i, name in enumerate(sorted(extents))}
    fitted = {}
    for label, (names, scores, corners) in read.items():
        one, other = (np.hypot(*(corners[:, k + 1] - corners[:, k]).T) for k in (0, 1))
        sides = np.maximum(one, other), np.minimum(one, other)
        fitted[label] = *fit_without_labels(scores, *sides, [number[n] for n in names], megapixels, of=RUN), len(scores)
    return fitted, megapixels, len(extents)


def only(archive, keep):
    """The images whose names pass."""
    names = [name for name in archive.images["image_id"].to_pylist() if keep(name)]
    entities = archive.entities.filter(pc.is_in(archive.entities["image_id"], pa.array(names)))
    images = archive.images.filter(pc.is_in(archive.images["image_id"], pa.array(names)))
    return rune.archive_from_arrow(entities, images, vocabulary=VOCABULARY)


def compose(labels, seen):
    """The shipped model: everything from pictures with labels, but for what 912 images without labels tell better."""
    every = fit_error_model(labels.table, seen.table)
    plain = [only(archive, lambda name: name.endswith("@1")) for archive in (labels, seen)]
    as_taken = fit_error_model(plain[0].table, plain[1].table)
    fitted, megapixels, some = without_labels()
    classes = {}
    for name in sorted({*every.classes, *fitted}):
        own = every.of(name)
        if own.things < FEWEST_VIEWS and name not in fitted:
            continue
        alarms = as_taken.of(name).false_alarms
        own = replace(own, false_alarms=alarms, confused=as_taken.of(name).confused)
        if name in fitted:
            scores, alarms, _, _ = fitted[name]
            own = replace(own, scores=replace(scores, occluded=own.scores.occluded), false_alarms=alarms)
        classes[name] = own
    other = replace(every.other, false_alarms=as_taken.other.false_alarms)
    about = {
        "what": "Errors of detectors of the fifteen DOTA classes. Fitted numbers; none of the data is here.",
        "made_with": "benchmarks/fit_detector_errors.py",
        "labelled_pictures": {
            "data": "P0706 and P1888 of DOTA (example of CAPTAIN-WHU/DOTA_devkit), and the eight crops of Ultralytics' DOTA8, "
            "with their labels",
            "detector": "yolo26n-obb, ONNX, 1024 px, score from 0.05",
            "variants": f"each picture at scales {', '.join(f'{s:g}' for s in SCALES)} on a grey canvas of its size, and "
            f"{len(HIDING)} times with patches over two thirds of its things (scales 1 and 0.5)",
            "things": as_taken.about["things"],
            "views": every.about["things"],
            "views_missed": every.about["missed"],
            "things_missed_as_taken": as_taken.about["missed"],
            "false_alarms_as_taken": as_taken.about["false_alarms"],
            "megapixels_as_taken": as_taken.about["megapixels"],
            "tells": "seen, jitter, confused, and scores and false alarms of classes not named below",
        },
        "detections_without_labels": {
            "data": "results of GGHL, a rotated detector (Shank2358/GGHL), on 912 DOTA test images, score from 0.05",
            "detections": {name: entry[3] for name, entry in fitted.items()},
            "share_taken_for_right": {name: round(entry[2], 3) for name, entry in fitted.items()},
            "megapixels_guessed": round(megapixels),
            "tells": "scores and false alarms of " + ", ".join(fitted),
        },
        "assumed": [
            "Some of the pictures were in the detector's training set: on new pictures it misses more and is less sure.",
            "Labels are taken for complete, but for the cars of P0706: it shows more than a hundred, none is labelled, and "
            "what is reported as small vehicle there is left out. Rates of false alarms are upper bounds.",
            "The ten views of a thing count as ten things, which they are not: the figures look firmer than they are.",
            "Things of 0.18 of their size in a shrunk picture are taken for things seen from farther off.",
            "Patches of one colour stand for clouds and crowns.",
            "Of the detections without labels nobody knows which are right: a falling crowd of false ones and a hump of right "
            "ones are told apart by their shape. Their misses cannot be told and are those of all classes together.",
            f"The area of the {RUN} images is guessed from the extent of the detections in {some} of them.",
            "Things are missed independently of each other, and false alarms anywhere or beside things of their class: ten "
            "pictures cannot tell how misses go together.",
            "Classes of which fewer than three things were labelled count as all classes together; so do the misses and the "
            "jitter of helicopters and roundabouts.",
            f"Things below {every.sizes[0]:.0f} or above {every.sizes[1]:.0f} px (root of length times width) count as of that size.",
        ],
    }
    return ErrorModel(classes, other, every.min_score, every.min_iou, every.sizes, about), plain


def made_again(model, labels, seed=0):
    """An archive of detections that the model makes of labels."""
    table, rng, scenes = labels.table, np.random.default_rng(seed), []
    for image in range(len(table.images)):
        rows = np.flatnonzero(table.image == image)
        size = int(table.images.width[image]), int(table.images.height[image])
        names = [table.classes[code] for code in table.label[rows]]
        hidden = table.attributes["occluded"].values[rows]
        found = sample(model, names, table.outlines(rows), hidden, size, rng).detections
        entities = [
            {"entity_id": i, "label": label, "score": score, "polygon": np.asarray(shape.exterior.coords)[:4].tolist()}
            for i, (label, score, shape) in enumerate(zip(found.labels, found.scores.tolist(), found.shapes, strict=True))
        ]
        scenes.append({"image_id": table.images.image_id[image], "width": size[0], "height": size[1], "entities": entities})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.scenes.jsonl"
        path.write_text("\n".join(map(json.dumps, scenes)))
        return rune.index(path, vocabulary=VOCABULARY, progress=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    labels, seen = gather(options.work)
    model, (plain, real) = compose(labels, seen)
    print(json.dumps(model.about, indent=1))
    print(f"{'class':<20} {'views':>6}  seen at 32 px  per octave  occluded   score  per octave  deviation  alarms/Mpx  a thing")
    for name, errors in [*model.classes.items(), ("other", model.other)]:
        s, t = errors.seen, errors.scores
        print(
            f"{name:<20} {errors.things:6}  {s.intercept:13.2f}  {s.per_octave:10.2f}  {s.occluded:8.2f}  {t.mean:6.2f}"
            f"  {t.per_octave:10.2f}  {t.deviation:9.2f}  {errors.false_alarms.per_megapixel:10.2f}  {errors.false_alarms.per_thing:7.3f}"
        )
    made = made_again(model, labels)
    print("\nrecall and precision of what was seen, and of what the model makes of the same labels")
    for title, ours, theirs, fake in (("as taken", plain, real, only(made, lambda n: n.endswith("@1"))), ("all variants", labels, seen, made)):
        for score in (0.05, 0.25, 0.5):
            reports = [compare_detections(ours.table, other.table, min_score=score) for other in (theirs, fake)]
            for name in ("ship", "large_vehicle", "small_vehicle", "harbor", "all"):
                pair = [r.total if name == "all" else r.of(name) for r in reports]
                figures = "   ".join(f"{p.recall:.3f} {p.precision:.3f}" for p in pair)
                print(f"{title:<12} score {score:<4}  {name:<14} real / made  {figures}")
    if options.write:
        path = Path(rune.__file__).parent / "detect" / "error_models" / "default.json"
        path.parent.mkdir(exist_ok=True)
        save_error_model(model, path)
        print(path)


if __name__ == "__main__":
    main()

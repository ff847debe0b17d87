"""evaluate translation, detection and errors, calibrate: how well the parts do, and scores made into probabilities."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import DataError, QueryError
from . import options as o
from .output import print_json, print_table, say, warn

evaluate = typer.Typer(help="How well the parts do on data with known answers.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(evaluate, name="evaluate")
    app.command("calibrate")(calibrate)


@evaluate.command("translation")
def translation(
    queries: Annotated[Path, typer.Option("--set", help="Tab-separated: vocabulary, english, formula.")],
    with_: Annotated[
        list[str] | None, typer.Option("--with", help="Who translates: english, openai, transformers; repeatable.")
    ] = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    samples: o.Samples = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many queries, spread over the file.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A file for every query's outcome, a JSON line each.")] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Denotation accuracy, exact match, name F1 and failures of translators, per kind of query."""
    from ..evaluate.translation import evaluate as run
    from ..evaluate.translation import read_cases

    cases = read_cases(queries, limit)
    reports = []
    for name in with_ or [""]:
        translator = o.make_translator(o.TranslatorOptions(name or None, model, base_url, samples))
        reports.append(run(translator, cases, progress=not quiet))
    if out is not None:
        lines = [
            json.dumps({"translator": report.translator, **outcome.to_json()}, ensure_ascii=False)
            for report in reports
            for outcome in report.outcomes
        ]
        try:
            out.write_text("\n".join(lines) + "\n", encoding="utf-8")
        except OSError as error:
            raise DataError(f"{out}: cannot be written: {error}") from None
    rows = [row for report in reports for row in report.rows()]
    if as_json:
        print_json({"set": str(queries), "rows": rows})
        return
    columns = ["queries of this kind", "n", "denotation", "exact", "F1", "no formula", "repaired", "s"]
    for report in reports:
        say(f"{Path(report.translator).stem}: {len(report.outcomes)} queries of {queries.name}")
        print_table(columns, [_cells(row) for row in report.rows()], right=columns[1:])


@evaluate.command("detection")
def detection(
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="The archive of the labels.")],
    seen: Annotated[Path, typer.Argument(metavar="SEEN", help="The archive of what a detector saw in the same images.")],
    min_score: Annotated[float, typer.Option("--min-score", min=0, max=1, help="Detections below do not count.")] = 0.25,
    min_iou: Annotated[
        float, typer.Option("--min-iou", min=0.01, max=1, help="Overlap of two outlines that are one thing.")
    ] = 0.5,
    every: Annotated[bool, typer.Option("--difficult", help="Count labels that are marked difficult too.")] = False,
    overlay: Annotated[
        Path | None, typer.Option("--overlay", metavar="DIR", help="Draw what is right, wrong and missed on the pictures.")
    ] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Recall and precision of a detector, by class, against labels of the same images."""
    from ..evaluate.detection import compare_detections
    from ..evaluate.overlay import overlays

    truth, found = o.open_archive(labels), o.open_archive(seen)
    difficult = None if every else "difficult"
    report = compare_detections(truth.table, found.table, min_score=min_score, min_iou=min_iou, difficult=difficult)
    if overlay is not None:
        drawn = 0
        for image_id, picture in overlays(truth, found, min_score=min_score, min_iou=min_iou, difficult=difficult):
            path = overlay / f"{image_id}.png"
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                picture.save(path)
            except OSError as error:
                raise DataError(f"{path}: cannot be written: {error.strerror or error}") from None
            drawn += 1
        left = len(report.images) - drawn
        if not quiet:
            warn(f"Wrote {drawn} pictures to {overlay}." + (f" {left} images are of unknown size." if left else ""))
    if as_json:
        print_json(report.to_json())
        return
    say(report.render())


@evaluate.command("errors")
def errors(
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="The archive of the labels.")],
    seen: Annotated[Path, typer.Argument(metavar="SEEN", help="What a detector saw in the same images, weak detections too.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="MODEL.json", help="The file for `synth --detector-errors`.")],
    min_score: Annotated[float, typer.Option("--min-score", min=0.001, max=0.9, help="The least score that SEEN has all of.")] = 0.05,
    min_iou: Annotated[
        float, typer.Option("--min-iou", min=0.01, max=0.99, help="Overlap of two outlines that are one thing.")
    ] = 0.5,
    every: Annotated[bool, typer.Option("--difficult", help="Count labels that are marked difficult too.")] = False,
    occluded: Annotated[str, typer.Option("--occluded", help="The labels' attribute that is the hidden share.")] = "occluded",
    as_json: o.Json = False,
) -> None:
    """Fit a model of a detector's misses, false alarms, jitter and scores to labels of the same images."""
    from ..detect.error_model import save_error_model
    from ..evaluate.detector_errors import fit_error_model

    truth, found = o.open_archive(labels), o.open_archive(seen)
    difficult = None if every else "difficult"
    model = fit_error_model(
        truth.table, found.table, min_score=min_score, min_iou=min_iou, difficult=difficult, occluded=occluded
    )
    save_error_model(model, out)
    if as_json:
        print_json(model.to_json())
        return
    rows = [
        [
            name, f"{entry.things:,}", f"{chance(entry.seen.intercept):.3f}", f"{chance(entry.scores.mean):.3f}",
            f"{entry.false_alarms.per_megapixel:.2f}", f"{entry.false_alarms.per_thing:.2f}",
        ]
        for name, entry in [*model.classes.items(), ("other", model.other)]
    ]  # fmt: skip
    columns = ["class", "things", "seen", "score", "alarms/Mpx", "per thing"]
    say(f"{model.about['images']} images, {model.about['things']:,} things, {model.about['missed']:,} missed, {model.about['false_alarms']:,} false alarms")
    print_table(columns, rows, right=columns[1:])
    say("seen, score: of a thing of 32 px that nothing hides.")
    if model.about["hardly_told_by_the_data"]:
        say(f"Assumed, for the data hardly tell: {', '.join(model.about['hardly_told_by_the_data'])}.")
    say(f"Wrote {out}.")


def chance(odds: float) -> float:
    """The probability with these log-odds."""
    return 1 / (1 + math.exp(-odds))


def calibrate(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="An archive of detections.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="ARCHIVE", help="The folder to make.")],
    labels: Annotated[
        Path | None, typer.Option("--labels", metavar="ARCHIVE", help="Labels of images that the detector has seen.")
    ] = None,
    on: Annotated[
        Path | None, typer.Option("--on", metavar="ARCHIVE", help="What it saw in the labelled images, if not ARCHIVE itself.")
    ] = None,
    like: Annotated[
        Path | None, typer.Option("--like", metavar="ARCHIVE", help="Take the calibration of an archive that has one.")
    ] = None,
    method: Annotated[str, typer.Option("--method", help="isotonic or temperature.")] = "isotonic",
    diagram: Annotated[Path | None, typer.Option("--diagram", metavar="FILE", help="Draw the reliability diagram.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an archive.")] = False,
    as_json: o.Json = False,
) -> None:
    """Turn a detector's scores into probabilities, learnt from labelled images."""
    from ..calibrating import calibrated, calibration_of, fit_calibration

    opened = o.open_archive(archive)
    if (labels is None) == (like is None):
        raise QueryError("Give --labels, or --like: one of them says what the probabilities are learnt from.")
    if like is not None:
        if on is not None or diagram is not None:
            raise QueryError("--on and --diagram go with --labels.")
        calibration, said = calibration_of(o.open_archive(like)), {}
    else:
        fitted = fit_calibration(o.open_archive(on) if on else opened, o.open_archive(labels), method)  # type: ignore[arg-type]
        calibration, said = fitted.calibration, {"error_before": fitted.before, "error_after": fitted.after}
        if diagram is not None:
            try:
                fitted.picture.save(diagram)
            except (OSError, ValueError) as error:
                raise DataError(f"{diagram}: cannot be written: {error}") from None
    made = calibrated(opened, calibration, out, overwrite=overwrite)
    own = sorted(calibration.by_label)
    if as_json:
        document = {"archive": str(out), "method": calibration.method, "detections": calibration.detections}
        print_json({**document, "classes_of_their_own": own, **said, "entities": len(made.table)})
        return
    say(
        f"Learnt by {calibration.method} from {calibration.detections:,} detections"
        + (f"; a curve of their own have {', '.join(own)}." if own else "; one curve for all classes.")
    )
    if said:
        say(
            f"Expected calibration error on these: {said['error_before']:.3f} before, {said['error_after']:.3f} after. "
            "On other images it is larger."
        )
    say(f"{out}: {len(made.table):,} entities; their scores are probabilities, the detector's own is detector_score.")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """A row for people: shares in percent, the median time of a query in seconds."""
    right, exact, none, repaired = (
        f"{100 * row[key]:.0f} %" for key in ("denotation", "exact", "no_formula", "repaired")
    )
    return row["kind"], str(row["queries"]), right, exact, f"{row['f1']:.2f}", none, repaired, f"{row['seconds']:.2g}"

"""index, info, compact, verify: archives, and certificates held against them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import CertificateError, QueryError
from . import options as o
from .output import print_json, print_table, say, warn


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("index")(index)
    app.command("info")(info)
    app.command("compact")(compact)
    app.command("verify")(verify)


def index(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Files or folders of annotations; with --detector, of pictures.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="ARCHIVE", help="The folder to make.")],
    format: Annotated[str, typer.Option("--format", help="auto, dota, dota-task1, coco, scenes, ...")] = "auto",
    images: Annotated[Path | None, typer.Option("--images", help="The pictures' folder.")] = None,
    image_list: Annotated[Path | None, typer.Option("--image-list", help="A file with an image id a line.")] = None,
    image_table: Annotated[
        Path | None, typer.Option("--image-table", help="CSV or Parquet: image_id, width, height, gsd, ...")
    ] = None,
    image_size: Annotated[str | None, typer.Option("--image-size", help="WxH of every image, pixels.")] = None,
    gsd: Annotated[float | None, typer.Option("--gsd", help="Metres per pixel, where a source has none.")] = None,
    headers: Annotated[Path | None, typer.Option("--headers", help="DOTA label files to read gsd from.")] = None,
    coco_gt: Annotated[Path | None, typer.Option("--coco-gt", help="The ground truth beside COCO results.")] = None,
    crowd: Annotated[str, typer.Option("--crowd", help="COCO crowds: exclude or keep.")] = "exclude",
    names: Annotated[Path | None, typer.Option("--names", help="The names of class numbers, a line each.")] = None,
    vocabulary: o.VocabularyOption = None,
    unknown: Annotated[str, typer.Option("--unknown", help="Classes the vocabulary lacks: keep, drop or error.")] = "keep",
    min_score: Annotated[float, typer.Option("--min-score", help="Detections below are left out.")] = 0.05,
    append: Annotated[bool, typer.Option("--append", help="Add to an archive.")] = False,
    refit_sizes: Annotated[
        bool, typer.Option("--refit-sizes", help="With --append: fit the classes' usual sizes anew, over all.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an archive.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out records that cannot be read, and count.")] = False,
    assume_extent: Annotated[
        bool, typer.Option("--assume-extent", help="Take the largest x and y where the image size is unknown.")
    ] = False,
    mask_suffix: Annotated[
        str | None, typer.Option("--mask-suffix", help="How names of masks end: _lab in 7_lab.png.")
    ] = None,
    min_area: Annotated[int, typer.Option("--min-area", min=0, help="Parts of masks of fewer pixels are left out.")] = 64,
    palette: Annotated[Path | None, typer.Option("--palette", help="Colours of masks: 'R G B name' a line.")] = None,
    simplify: Annotated[float, typer.Option("--simplify", help="How far outlines of masks may lie from their pixels, px.")] = 0.0,
    label_field: Annotated[str | None, typer.Option("--label-field", help="The field of map features that is their class.")] = None,
    image_field: Annotated[str | None, typer.Option("--image-field", help="The field of map features that parts scenes.")] = None,
    line_width: Annotated[str | None, typer.Option("--line-width", help="Breadth of map lines, such as 6m.")] = None,
    point_size: Annotated[str | None, typer.Option("--point-size", help="Breadth of map points, such as 3m.")] = None,
    join: Annotated[bool, typer.Option("--join", help="The sources are layers: images of one name are one scene.")] = False,
    tiles: Annotated[
        str | None,
        typer.Option("--tiles", metavar="PATTERN", help="The images are tiles: 'dota' for P0861__1024__0___1648, or {image}_{x}_{y}."),
    ] = None,
    detector: Annotated[
        str | None, typer.Option("--detector", metavar="MODEL", help="Look at pictures with a model: FILE.onnx, FILE.pt, ...")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Where the detector runs: auto, cpu or cuda.")] = "auto",
    tile: Annotated[
        int | None, typer.Option("--tile", min=0, help="Side of the detector's tiles, pixels; 0 for pictures whole.")
    ] = None,
    overlap: Annotated[float, typer.Option("--overlap", help="What neighbouring tiles share, part of a side.")] = 0.25,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that read and build, where there is much text.")] = 1,
    ray: o.Ray = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Build an archive from annotations, or from what a detector sees in pictures."""
    from ..indexing import index_with_report

    with o.runner(ray, workers, quiet) as runner:
        report = index_with_report(
            sources,
            out,
            format=format,
            images=images,
            image_list=image_list,
            image_table=image_table,
            image_size=image_size,
            gsd=gsd,
            headers=headers,
            coco_gt=coco_gt,
            crowd=crowd,
            names=names,
            vocabulary=vocabulary,
            unknown=unknown,
            min_score=min_score,
            append=append,
            refit_sizes=refit_sizes,
            overwrite=overwrite,
            skip_bad=skip_bad,
            assume_extent=assume_extent,
            mask_suffix=mask_suffix,
            min_area=min_area,
            palette=palette,
            simplify=simplify,
            label_field=label_field,
            image_field=image_field,
            line_width=line_width,
            point_size=point_size,
            join=join,
        tiles=tiles,
            detector=detector,
            device=device,
            tile=tile,
            overlap=overlap,
            workers=workers,
            runner=runner,
            progress=not quiet,
        )
    if as_json:
        print_json(report.to_json())
        return
    say(report.render())


def info(archive: o.ArchiveArgument, as_json: o.Json = False) -> None:
    """What an archive holds."""
    import numpy as np

    from ..query import vocabulary_of

    opened = o.open_archive(archive)
    vocabulary = vocabulary_of(opened).name
    images, areas = opened.image_table, opened.reference_areas
    known = {
        "image size": int((~np.isnan(images.width)).sum()),
        "gsd": int((~np.isnan(images.gsd)).sum()),
        "transform": int((~np.isnan(images.transform).any(axis=1)).sum()),
    }
    classes = [
        {"class": name, "count": count, "reference_area": areas.get(name, float("nan"))} for name, count in opened.class_counts().items()
    ]
    empty = sum(int((part.table.offsets[:, -1] == part.table.offsets[:, 0]).sum()) for part in opened.parts)
    sizes = [part.entity_count for part in opened.parts]
    parts = [
        {"path": part.path.relative_to(archive).as_posix(), "images": len(part), "entities": size}
        for part, size in zip(opened.parts, sizes, strict=True)
        if part.path is not None
    ]
    if as_json:
        print_json(
            {
                "archive": str(archive),
                "vocabulary": vocabulary,
                "images": len(opened),
                "images_without_entities": empty,
                "entities": opened.entity_count,
                "known": known,
                "classes": classes,
                "attributes": opened.kinds,
                "parts": parts,
            }
        )
        return
    say(f"{archive}: {len(opened)} images ({empty} without entities), {opened.entity_count} entities, vocabulary {vocabulary}")
    if len(parts) > 1:
        say(f"in {len(parts)} parts, of {min(sizes)} to {max(sizes)} entities")
    say("known of the images: " + ", ".join(f"{name} of {count}" for name, count in known.items()))
    rows = [[str(c["class"]), str(c["count"]), f"{c['reference_area']:.0f}"] for c in classes]
    print_table(["class", "entities", "median area px2"], rows, right=("entities", "median area px2"))
    if opened.kinds:
        say("attributes: " + ", ".join(f"{name} ({kind})" for name, kind in sorted(opened.kinds.items())))


def compact(
    archive: o.ArchiveArgument,
    part_entities: Annotated[int, typer.Option("--part-entities", min=1, help="How many entities a part may have.")] = 1_000_000,
    as_json: o.Json = False,
) -> None:
    """Put an archive's small parts together, as many small appends make them."""
    from ..entities.compacting import compact as run

    opened = o.open_archive(archive)
    before, after = len(opened.parts), len(run(opened, part_entities).parts)
    if as_json:
        print_json({"archive": str(archive), "parts": {"before": before, "after": after}})
        return
    say(f"{archive}: {before} parts before, {after} now" if after != before else f"{archive}: {before} parts, as before")


def verify(
    files: Annotated[list[Path], typer.Argument(metavar="CERTIFICATE... ARCHIVE")],
    every: Annotated[
        bool, typer.Option("--all", help="The one CERTIFICATE is the folder of `search --certificates`: every image of the archive needs one.")
    ] = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Check certificates against an archive with the independent checker."""
    from ..archive_certificates import read_certificate, verify_all
    from ..verification import verify as run

    if len(files) < 2:
        raise QueryError("Give one certificate or more, and then the archive.")
    if every and len(files) > 2:
        raise QueryError("With --all give one folder of certificates, and then the archive.")
    opened = o.open_archive(files[-1])
    if every:
        checked = verify_all(files[0], opened, progress=not quiet)
        for name, message in checked.failed.items():
            warn(f"{name}: {message}")
        if as_json:
            print_json(checked.to_json())
        else:
            say(checked.text)
        if not checked.ok:
            raise typer.Exit(5)
        return
    failed = 0
    reports: list[dict[str, Any]] = []
    for path in _with_folders(files[:-1]):
        try:
            certificate = read_certificate(path)
            report = run(certificate, opened)
        except CertificateError as error:
            failed += 1
            reports.append({"certificate": str(path), "ok": False, "step": error.step, "message": error.message})
            if not as_json:
                warn(f"{path}: {error}")
            continue
        reports.append({"certificate": str(path), "ok": True, "verdict": certificate["verdict"], "borderline": report.borderline})
        if not as_json:
            borderline = f"; {len(report.borderline)} borderline atoms accepted as stated" if report.borderline else ""
            say(f"{path}: holds ({certificate['verdict']}){borderline}")
    if as_json:
        print_json(reports)
    if failed:
        raise typer.Exit(5)


def _with_folders(paths: list[Path]) -> list[Path]:
    """The files, and those of certificates in the folders among them."""
    from ..archive_certificates import SUFFIX

    return [file for path in paths for file in (sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path])]

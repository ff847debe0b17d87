"""search and select: which images, which things."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import DataError, QueryError
from . import options as o
from .export_commands import ExportOption, FormatOption, Pixels, write_export
from .output import print_json, print_table, say, warn

if TYPE_CHECKING:
    from ..entities.archive import Archive
    from ..query import Query
    from ..searching import Match, SearchResult

SHOWN = 20  # rows on a terminal; files and JSON get all


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("search")(search)
    app.command("select")(select)


def search(
    archive: o.ArchiveArgument,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="English, or a formula with --fol.")] = None,
    fol: o.Fol = False,
    engine: Annotated[str, typer.Option("--engine", help="auto, array, z3 or reference.")] = "auto",
    mode: Annotated[str, typer.Option("--mode", help="threshold, graded or probability.")] = "threshold",
    min_score: o.MinScore = 0.5,
    min_degree: Annotated[float, typer.Option("--min-degree", help="With --mode graded or probability: answers above it.")] = 0.0,
    limit: Annotated[int | None, typer.Option("--limit", min=0, help="How many matches at most.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Threads that decide, by default one for each core; the answers are the same for any number.")] = None,
    ray: o.Ray = None,
    verify: Annotated[bool, typer.Option("--verify", help="Have Z3 confirm every verdict that is returned, and 100 of the others.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say what stops the other images.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Print what each step decided.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with pictures.")] = None,
    geojson: Annotated[Path | None, typer.Option("--geojson", help="Write the witnesses' outlines.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write a row for each match.")] = None,
    export: ExportOption = None,
    export_format: FormatOption = None,
    pixels: Pixels = False,
    certificates: Annotated[
        Path | None, typer.Option("--certificates", metavar="DIR", help="Write a certificate for every match and every image that cannot be told.")
    ] = None,
    certify_all: Annotated[bool, typer.Option("--certify-all", help="With --certificates: for the images that do not match too.")] = False,
    queries: Annotated[Path | None, typer.Option("--queries", help="A file with a query a line.")] = None,
    with_: o.With = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    samples: o.Samples = None,
    lenient: o.Lenient = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Find the images that satisfy a query, each with its witness."""
    from ..searching import search as run

    opened = o.open_archive(archive)
    translator = o.TranslatorOptions(with_, model, base_url, samples, lenient)
    texts = _queries(query, queries)
    if certificates is not None and (mode != "threshold" or len(texts) > 1):
        raise QueryError("--certificates is for one query, in mode threshold.")
    if certify_all and certificates is None:
        raise QueryError("--certify-all goes with --certificates DIR.")
    results = []
    with o.runner(ray, workers, quiet, short=True) as runner:
        for text in texts:
            asked, spent = _timed_query(text, opened, fol, translator)
            result = run(
                opened, asked, mode=mode, engine=engine, min_score=min_score, min_degree=min_degree,  # type: ignore[arg-type]
                verify=verify, limit=limit, workers=workers, runner=runner,
            )  # fmt: skip
            result.elapsed_ms["translate"] = spent
            results.append(result)
            if not as_json:
                _print_result(result, explain=explain, plan=plan, verify=verify, quiet=quiet)
    if as_json:
        documents = [_document(result, explain) for result in results]
        print_json(documents if queries is not None else documents[0])
    if csv_file is not None:
        _write_csv(csv_file, results)
    if geojson is not None:
        write_json(geojson, results[0].to_geojson(), quiet)
    write_export(results[0], export, export_format, pixels, quiet)
    if certificates is not None:
        written = results[0].certify(certificates, violated=certify_all, progress=not quiet)
        if not quiet:
            warn(written.text)
    if html is not None:
        from ..pages import write_page

        write_page(html, results)
        if not quiet:
            warn(f"Wrote {html}.")


def _queries(query: str | None, queries: Path | None) -> list[str]:
    if (query is None) == (queries is None):
        raise QueryError("Give one QUERY, or a file of queries with --queries.")
    if query is not None:
        return [query]
    assert queries is not None
    lines = [line for line in o.read_text(f"@{queries}").splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise QueryError(f"{queries}: no query in it.")
    return lines


def _timed_query(text: str, archive: Archive, fol: bool, options: o.TranslatorOptions) -> tuple[Query, float]:
    import time

    started = time.perf_counter()
    asked = o.make_query(text, archive, fol=fol, options=options)
    return asked, round((time.perf_counter() - started) * 1000, 3)


def _document(result: SearchResult, explain: bool) -> dict[str, Any]:
    document = result.to_json()
    if explain:
        from ..explaining import why_none

        document["why_none"] = why_none(result.archive, result.query, min_score=result.min_score).to_json()
    return document


def _print_result(result: SearchResult, *, explain: bool, plan: bool, verify: bool, quiet: bool) -> None:
    from ..hints import lower_bound_hint, undecided_hint

    print_query(result.query)
    counts = result.counts
    shown = result[:SHOWN]
    if shown:
        columns, rows = _rows(result, shown)
        print_table(columns, rows, right=("degree", "probability"))
        if len(result) > len(shown):
            say(f"... and {len(result) - len(shown)} more (--limit, --json, --csv and --html have them all)")
    if result.intervals:
        sizes = sorted({interval.samples for interval in result.intervals.values()})
        say(
            f"{len(result.intervals)} probabilities are sampled, with 95 % intervals "
            f"(worlds: {', '.join(map(str, sizes))}); all others are exact"
        )
    say(
        f"{counts['satisfied']} match, {counts['violated']} no match, {counts['undecided']} cannot tell, "
        f"of {counts['images']} images"
    )
    if verify and result.confirmation is not None:
        say(result.confirmation.text)
    for hint in (undecided_hint(result), lower_bound_hint(result)):
        if hint and not quiet:
            warn(hint)
    if plan:
        _print_plan(result)
    if explain:
        from ..explaining import why_none

        say(why_none(result.archive, result.query, min_score=result.min_score).render())
    elif not counts["satisfied"] and not quiet:
        warn("Nothing matches. `rune-smt why-none` says what stops most images.")


def _rows(result: SearchResult, shown: list[Match]) -> tuple[list[str], list[list[str]]]:
    """The table of matches: with the thresholds in mode graded, with intervals where some are sampled."""
    match result.mode:
        case "graded":
            beside = ["degree", "thresholds"]
        case "probability":
            beside = ["probability", *(["95 % interval"] if any(match.interval for match in shown) else [])]
        case _:
            beside = []
    rows = []
    for match in shown:
        cells = [f"{match.degree:.3g}", match.said or "exact"][: len(beside)]
        rows.append([match.image_id, *cells, witness_text(match.witness)])
    return ["image", *beside, "witness"], rows


def _print_plan(result: SearchResult) -> None:
    """What was planned, and how many images each step decided at what cost."""
    from ..solver.plan import components
    from ..solver.plan_text import describe

    run = result.statistics
    if run is None or run.plan is None:
        say("plan: none; only mode threshold with the array engine has one")
        return
    say("plan")
    left = run.images - run.by_counts
    say(
        f"1. how many entities of each class an image has: decides {run.by_counts:,} of {run.images:,} images, "
        f"{left:,} left; {1000 * run.counts_seconds:,.1f} ms"
    )
    shown: set[str] = set()
    for step in components(run.plan):
        if step.key in shown:
            continue
        shown.add(step.key)
        done = run.components[step.key]
        say(f"{len(shown) + 1}. {done.text}")
        for line in describe(step, depth=2):
            say(line)
        if not done.images:
            say("   not asked: no image is left to it")
            continue
        counted = f", {done.by_counts:,} of them decided by class counts" if done.by_counts else ""
        say(
            f"   asked of {done.images:,} images{counted}: {done.satisfied:,} satisfied; "
            f"{done.bindings:,} combinations looked at; {1000 * done.seconds:,.1f} ms"
        )
    spent = [f"{_SPENT[name]} {ms:,.1f} ms" for name, ms in result.elapsed_ms.items() if ms >= 0.05]
    say(f"time: {', '.join(spent)}")


_SPENT = {
    "load": "opening",
    "translate": "reading the query",
    "plan": "planning",
    "decide": "deciding",
    "explain": "explaining",
}


def print_query(query: Query) -> None:
    """How a query was read, and its formula."""
    say(f"read as: {query.reading}")
    say(f"formula: {query}")
    if query.left_out:
        say(f"left out: {', '.join(query.left_out)}")


def witness_text(witness: Any) -> str:
    """x1 = 17, x2 = 3, 5, 8"""
    parts = []
    for name, ids in witness.items():
        parts.append(f"{name} = {', '.join(map(str, ids)) if isinstance(ids, list) else ids}")
    return "; ".join(parts)


def _write_csv(path: Path, results: list[SearchResult]) -> None:
    with _opened(path) as file:
        writer = csv.writer(file)
        writer.writerow(["query", "image_id", "degree", "witness", "upper", "rests_on"])
        for result in results:
            for match in result:
                row = [result.query.text, match.image_id, match.degree, json.dumps(match.witness)]
                writer.writerow([*row, match.upper, match.said])


def _opened(path: Path) -> Any:
    try:
        return path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None


def write_json(path: Path, document: Any, quiet: bool = False) -> None:
    """A JSON file, and a line that says so."""
    write_text(path, json.dumps(document, ensure_ascii=False) + "\n", quiet)


def write_text(path: Path, text: str, quiet: bool = False) -> None:
    """A file, and a line that says so."""
    with _opened(path) as file:
        file.write(text)
    if not quiet:
        warn(f"Wrote {path}.")


def select(
    archive: o.ArchiveArgument,
    query: o.QueryArgument,
    fol: o.Fol = False,
    variable: Annotated[str | None, typer.Option("--variable", help="x1, x2, ... of the canonical formula.")] = None,
    min_score: o.MinScore = 0.5,
    geojson: Annotated[Path | None, typer.Option("--geojson", help="Write the answers' outlines.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write a row for each answer.")] = None,
    export: ExportOption = None,
    export_format: FormatOption = None,
    pixels: Pixels = False,
    with_: o.With = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    samples: o.Samples = None,
    lenient: o.Lenient = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Find the things: every entity that answers the query's outermost variable."""
    from ..searching import select as run
    from ..searching import set_notation

    opened = o.open_archive(archive)
    translator = o.TranslatorOptions(with_, model, base_url, samples, lenient)
    text = o.read_text(query)
    asked = o.make_query(str(set_notation(text)) if fol else text, opened, fol=fol, options=translator)
    selection = run(opened, asked, variable, min_score=min_score)
    if geojson is not None:
        write_json(geojson, selection.to_geojson(), quiet)
    write_export(selection, export, export_format, pixels, quiet)
    if csv_file is not None:
        table = selection.to_arrow()
        if "geometry" in table.column_names:
            table = table.drop_columns(["geometry"])
        with _opened(csv_file) as file:
            writer = csv.writer(file)
            writer.writerow(table.column_names)
            writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    if as_json:
        print_json(selection.to_json())
        return
    print_query(asked)
    table = opened.table
    rows = [
        [name, str(entity), table.classes[table.label[row]], f"{table.score[row]:.2f}", f"{table.area[row]:.0f}"]
        for (name, entity), row in zip(list(selection)[:SHOWN], selection.rows[:SHOWN], strict=True)
    ]
    if rows:
        print_table(["image", "entity", "class", "score", "area px2"], rows, right=("entity", "score", "area px2"))
    images = len({name for name, _ in selection})
    say(f"{len(selection)} entities answer {selection.variable}, in {images} of {len(opened)} images")
    sys.stdout.flush()

"""evaluate translation: how well translators do on queries with known formulas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import DataError
from . import options as o
from .output import print_json, print_table, say

evaluate = typer.Typer(help="How well the parts do on data with known answers.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(evaluate, name="evaluate")


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


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """A row for people: shares in percent, the median time of a query in seconds."""
    right, exact, none, repaired = (
        f"{100 * row[key]:.0f} %" for key in ("denotation", "exact", "no_formula", "repaired")
    )
    return row["kind"], str(row["queries"]), right, exact, f"{row['f1']:.2f}", none, repaired, f"{row['seconds']:.2g}"

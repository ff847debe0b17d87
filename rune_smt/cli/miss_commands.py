"""explain and why-none: reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DataError, LimitError, QueryError
from . import options as o
from .output import print_json, say, warn
from .search_commands import print_query, write_json


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("explain")(explain)
    app.command("why-none")(why_none)


def explain(
    archive: o.ArchiveArgument,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="An image id.")],
    query: o.QueryArgument,
    fol: o.Fol = False,
    every: Annotated[bool, typer.Option("--all", help="Every minimal core and correction set.")] = False,
    min_score: o.MinScore = 0.5,
    picture: Annotated[Path | None, typer.Option("--picture", help="Draw the evidence: PNG or JPEG.")] = None,
    certificate: Annotated[Path | None, typer.Option("--certificate", help="Write the certificate.")] = None,
    core_certificate: Annotated[
        Path | None, typer.Option("--core-certificate", help="Write the certificate of the first core.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.0, help="How long cores and repairs are looked for at most.")
    ] = 5.0,
    smt2: Annotated[Path | None, typer.Option("--smt2", help="Write the problem as SMT-LIB 2.")] = None,
    with_: o.With = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    samples: o.Samples = None,
    lenient: o.Lenient = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Why an image matches, or why not."""
    from ..explaining import explain as run
    from ..solver.explain import Violated

    opened = o.open_archive(archive)
    translator = o.TranslatorOptions(with_, model, base_url, samples, lenient)
    asked = o.make_query(query, opened, fol=fol, options=translator)
    certify = certificate is not None or as_json
    why = run(opened, asked, image, min_score=min_score, all_cores=every, certify=certify, seconds=seconds)
    if as_json:
        print_json(json.loads(why.render("json")))
    else:
        print_query(asked)
        say(why.render("text"))
    if picture is not None:
        try:
            why.picture().save(picture)
        except (OSError, ValueError) as error:
            raise DataError(f"{picture}: cannot be written: {error}") from None
        if not quiet:
            warn(f"Wrote {picture}.")
    if certificate is not None:
        if why.certificate is None:
            raise LimitError(why.uncertified, hint="The verdict stands.")
        write_json(certificate, dict(why.certificate), quiet)
    if core_certificate is not None:
        if not isinstance(why, Violated):
            raise QueryError(f"{image} has no core: it is {why.verdict.word}.", hint="Only a violated query has one.")
        write_json(core_certificate, why.core_certificate(), quiet)
    if smt2 is not None:
        from ..solver.smtlib import smtlib

        smt2.write_text(smtlib(why.expanded, why.world), encoding="utf-8")
        if not quiet:
            warn(f"Wrote {smt2}.")


def why_none(
    archive: o.ArchiveArgument,
    query: o.QueryArgument,
    fol: o.Fol = False,
    min_score: o.MinScore = 0.5,
    sample: Annotated[int, typer.Option("--sample", min=1, help="Explain at most so many images.")] = 2000,
    with_: o.With = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    samples: o.Samples = None,
    lenient: o.Lenient = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """What stops most images of the archive, and what would bring them back."""
    from ..explaining import why_none as run

    opened = o.open_archive(archive)
    translator = o.TranslatorOptions(with_, model, base_url, samples, lenient)
    asked = o.make_query(query, opened, fol=fol, options=translator)
    answer = run(opened, asked, min_score=min_score, sample=sample, progress=not quiet)
    if as_json:
        print_json(answer.to_json())
        return
    print_query(asked)
    say(answer.render())

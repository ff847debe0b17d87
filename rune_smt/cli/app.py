"""The program: its commands, and how errors become a message and an exit status."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from ..errors import RuneError
from . import (
    archive_commands,
    evaluate_commands,
    export_commands,
    miss_commands,
    query_commands,
    search_commands,
    synth_commands,
    tool_commands,
)
from .output import error_console

app = typer.Typer(
    name="rune-smt",
    help="Find the images in which something complicated is true, with evidence that can be checked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for family in (
    archive_commands, search_commands, miss_commands, query_commands, tool_commands, evaluate_commands, export_commands,
    synth_commands,
):  # fmt: skip
    family.register(app)


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Options before the command."""
    if version:
        from .. import __version__

        print(f"rune-smt {__version__}")
        raise typer.Exit()


def main() -> None:
    """Runs the command line: exit status 0 done, 2 the call, 3 the data, 4 a limit, 5 a disagreement or a bad proof."""
    try:
        app()
    except RuneError as error:
        error_console().print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_status)
    except BrokenPipeError:  # the reader of our output has gone: `rune-smt search ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        error_console().print("Stopped.")
        sys.exit(130)

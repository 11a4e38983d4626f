"""How commands report figures: a table for people, `--json FILE` for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, ProgressColumn
from rich.table import Column, Table

from behaviors_ros.errors import InputError


def _writable(path: Path | None) -> Path | None:
    """The file, if figures can go there: said before the work and not after it."""
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            there = path.exists()
            path.open("a").close()
            if not there:
                path.unlink()
        except OSError as error:
            raise _unwritable(path, error) from None
    return path


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(path, "--json", f"cannot be written ({error.strerror})", "give a path that can be written")


JsonOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the figures to this file as well.", callback=_writable),
]


def add(_: typer.Typer) -> None:
    """No command of its own."""


def write_json(path: Path | None, figures: Any) -> None:
    """The figures as a JSON file, if one is wanted."""
    if path is None:
        return
    try:
        path.write_text(json.dumps(figures, indent=2) + "\n")
    except OSError as error:
        raise _unwritable(path, error) from None


def progress(*columns: ProgressColumn) -> Progress:
    """A progress bar on a terminal's error output, gone when the work is done; nothing where there is no terminal."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on the terminal."""
    table = Table(*(Column(name, overflow="fold") for name in columns), title=title)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table)

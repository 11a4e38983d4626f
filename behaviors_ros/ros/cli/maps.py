"""`behaviors maps check`: does every map load, and what is in it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from behaviors_ros.maps.check import check as check_maps
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json


def add(app: typer.Typer) -> None:
    """Add the command."""
    maps = typer.Typer(help="Maps.", no_args_is_help=True)
    maps.command()(check)
    maps.callback()(lambda: None)
    app.add_typer(maps, name="maps")


def check(
    paths: Annotated[list[Path], typer.Argument(help="Map files, or folders that are searched for them.")],
    json: JsonOption = None,
) -> None:
    """Load maps and say of each what it holds, or why it cannot be used. Exit code 1 when one cannot."""
    files = [file for path in paths for file in (_below(path) if path.is_dir() else [path])]
    rows = [row for file in track(files, description="maps", transient=True) for row in check_maps([file])]
    columns = ("file", "kind", "lanes", "crosswalks", "signals", "stop lines", "km", "s", "error")
    print_table("Maps", columns, [
        (Path(r.file).name, r.kind, r.lanes, r.crosswalks, r.signals, r.stop_lines, f"{r.length_km:.1f}",
         f"{r.seconds:.2f}", r.error) for r in rows
    ])  # fmt: skip
    write_json(json, [asdict(row) for row in rows])
    raise typer.Exit(1 if any(row.error for row in rows) else 0)


def _below(folder: Path) -> list[Path]:
    kinds = (".osm", ".xml", ".xml.gz", ".json")
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith(kinds))

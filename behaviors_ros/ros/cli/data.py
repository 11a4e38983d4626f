"""`behaviors data build|check`: recordings of many kinds in one form to learn from."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TextColumn

from behaviors_ros.evaluation.sets import data_folder
from behaviors_ros.learning.data_build import build, read_building
from behaviors_ros.learning.data_store import verify
from behaviors_ros.ros.bag_recordings import read_bags
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json

Folder = Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the built data.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    data = typer.Typer(help="Recordings to learn from.", no_args_is_help=True)
    data.command("build")(build_data)
    data.command("check")(check)
    app.add_typer(data, name="data")


def build_data(
    config: Annotated[Path, typer.Argument(help="What to build, as in config/data.")],
    out: Folder,
    data: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the sources lie.")] = None,
    workers: Annotated[int, typer.Option(help="Sources read at a time; more than one needs Ray.", min=1)] = 1,
    json: JsonOption = None,
) -> None:
    """Read recordings, bring them to steps of 0.1 s, divide them into splits, and write Parquet shards and a manifest.

    A state that two splits have in common fails the build. JSON: the table's rows, `source, split, recordings,
    locations, tracks, rows, hours, quality, may_ship`.
    """
    with progress(TextColumn("{task.description}")) as bar:
        task = bar.add_task("reading")
        manifest = build(
            read_building(config), data_folder(data), out, {"rosbag2": read_bags}, workers,
            lambda text: bar.update(task, description=text),
        )  # fmt: skip
    _report(out, manifest, json)


def check(out: Folder, json: JsonOption = None) -> None:
    """Compare built data with the checksums of its manifest, and say what is in it. JSON as of build."""
    _report(out, verify(out), json)


def _report(out: Path, manifest: dict[str, Any], json: Path | None) -> None:
    rows = summary(manifest)
    print_table(str(out), tuple(rows[0]) if rows else (), [tuple(row.values()) for row in rows])
    write_json(json, rows)


def summary(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a source and split."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for entry in manifest["recordings"]:
        groups[entry["source"], entry["split"]].append(entry)
    return [
        {
            "source": source, "split": split, "recordings": len(entries),
            "locations": len({entry["location"] for entry in entries}),
            "tracks": sum(entry["tracks"] for entry in entries), "rows": sum(entry["rows"] for entry in entries),
            "hours": round(sum(entry["steps"] for entry in entries) / 36000.0, 3),
            "quality": round(sum(entry["quality"] for entry in entries) / len(entries), 3),
            "may_ship": all(entry["may_ship"] for entry in entries),
        }
        for (source, split), entries in sorted(groups.items())
    ]  # fmt: skip

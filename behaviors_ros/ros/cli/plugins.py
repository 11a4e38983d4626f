"""`behaviors plugins`."""

from __future__ import annotations

from pathlib import Path

import typer

from behaviors_ros import registry
from behaviors_ros.parameters import flat
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.declare import ros_value
from behaviors_ros.ros.documents import documents


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plugins)


def plugins(json: JsonOption = None) -> None:
    """List the registered plugins with their parameters and defaults."""
    documents(Path())  # importing the nodes registers all plugins of this package
    rows, figures = [], []
    for kind in registry.KINDS:
        for name in registry.names(kind):
            cls = registry.get(kind, name)
            values = {key: ros_value(key, field) for key, field in flat(cls.parameters)}
            summary = " ".join((cls.__doc__ or "").split("\n\n")[0].split())
            rows.append((kind, name, summary, "\n".join(f"{key} = {leaf}" for key, leaf in values.items())))
            figures.append(
                {"kind": kind, "name": name, "module": cls.__module__, "summary": summary, "parameters": values}
            )
    print_table("Plugins", ("kind", "name", "what it does", "parameters"), rows)
    write_json(json, figures)

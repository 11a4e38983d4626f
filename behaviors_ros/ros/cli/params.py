"""`behaviors params docs` and `behaviors plugins`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros import registry
from behaviors_ros.errors import BehaviorsError
from behaviors_ros.parameters import flat
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.declare import ros_value
from behaviors_ros.ros.documents import documents


def add(app: typer.Typer) -> None:
    """Add the commands."""
    params = typer.Typer(help="Parameters of the nodes and plugins.", no_args_is_help=True)
    params.command()(docs)
    # A group of one command would become that command.
    params.callback()(lambda: None)
    app.add_typer(params, name="params")
    app.command()(plugins)


def docs(
    root: Annotated[Path, typer.Option(help="Checkout to write into.")] = Path(),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a file is stale.")] = False,
) -> None:
    """Write config/*.yaml and docs/parameters.md from the parameter classes."""
    if not (root / "behaviors_ros").is_dir():
        raise BehaviorsError(f"{root.resolve()} is not a checkout of behaviors_ros; run there or give --root")
    stale = [path for path, text in documents(root).items() if not path.is_file() or path.read_text() != text]
    if check and stale:
        raise BehaviorsError(f"stale: {', '.join(str(path) for path in stale)}; run `behaviors params docs`")
    for path, text in documents(root).items():
        if path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"written {path}")


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

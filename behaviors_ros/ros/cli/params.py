"""`behaviors params docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.ros.documents import documents


def add(app: typer.Typer) -> None:
    """Add the command."""
    params = typer.Typer(help="Parameters of the nodes and plugins.", no_args_is_help=True)
    params.command()(docs)
    # A group of one command would become that command.
    params.callback()(lambda: None)
    app.add_typer(params, name="params")


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

"""The command `behaviors`. Every module of this folder adds one command, of its own name, in `add(app)`; nothing else
knows of it. Only the module of the command that is run is imported: a recorder beside a drive takes no time from it."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import typer
from rclpy.executors import ExternalShutdownException

from behaviors_ros.errors import BehaviorsError


def application(command: str | None = None) -> typer.Typer:
    """All commands, or only `command` where there is one of that name."""
    app = typer.Typer(
        name="behaviors",
        help="Behaviours stack of an urban automated vehicle: predict, generate, score, select.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(lambda: None)  # keeps the name of the only command
    names = sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))
    for name in [command] if command in names else names:
        importlib.import_module(f"{__name__}.{name}").add(app)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Wrong use is one line and exit code 2, an interrupt exit code 130, both without a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        application(given[0] if given else None)(arguments, prog_name="behaviors")
    except BehaviorsError as error:
        print(f"behaviors: {error}", file=sys.stderr)
        sys.exit(2)
    except ExternalShutdownException:
        print("behaviors: interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        place = error.filename or "output"
        print(f"behaviors: {place}: {error.strerror or error}; give a place that can be used", file=sys.stderr)
        sys.exit(2)

"""The command `behaviors`. Every module of this folder adds its commands in `add(app)`; nothing else knows of it."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import typer
from rclpy.executors import ExternalShutdownException

from behaviors_ros.errors import BehaviorsError


def application() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="behaviors",
        help="Behaviours stack of an urban automated vehicle: predict, generate, score, select.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if not found.name.startswith("_"):
            importlib.import_module(f"{__name__}.{found.name}").add(app)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Wrong use is one line and exit code 2, an interrupt exit code 130, both without a traceback."""
    try:
        application()(arguments, prog_name="behaviors")
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

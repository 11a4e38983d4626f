"""`behaviors train`: a learned predictor from built data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.parameters import merged, nested, validated
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


def train(
    config: Annotated[Path, typer.Argument(help="Configuration, as in config/learning (.yaml).")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default out/learning/NAME.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder that behaviors data build wrote.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the configuration's.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on from the last checkpoints in the run folder.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE, any value by its dotted name; may be repeated.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Train a predictor, calibrate it on the held-out split, and write a run folder.

    JSON: {seed, agents, kinds, calibration, val: {time_s: {agents, fde_1, min_fde, miss_1, miss, ece}}}.
    """
    try:
        from behaviors_ros.learning.train import TrainParameters, read_config
        from behaviors_ros.learning.train import train as trained
    except ImportError as error:
        raise BehaviorsError(
            f"train: needs torch and lightning ({error}); pip install behaviors_ros[learning]"
        ) from None
    import yaml

    values = read_config(config)
    changes = dict(each.split("=", 1) for each in set_ or [] if "=" in each)
    tree = {name: yaml.safe_load(text) for name, text in changes.items()}
    tree |= {"seed": seed} if seed is not None else {}
    tree |= {"material.folder": str(data)} if data is not None else {}
    values = validated(TrainParameters, merged(values.model_dump(), nested(tree)), str(config))
    summary = trained(values, out or Path("out") / "learning" / config.stem, resume)
    columns = ("agents", "fde_1", "min_fde", "miss_1", "miss", "ece")
    rows = [(f"{time} s", *(f"{row[name]:g}" for name in columns)) for time, row in summary["val"].items()]
    print_table("Held-out agents", ("after", *columns), rows)
    write_json(json, summary)

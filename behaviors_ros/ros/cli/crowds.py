"""`behaviors crowds CONFIG OUT`: the ETH/UCY benchmark, learned and tested."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import TextColumn

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.evaluation.sets import data_folder
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(crowds)


def crowds(
    config: Annotated[Path, typer.Argument(help="What to learn, as config/learning/eth_ucy.yaml.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the networks and results; goes on with them.")],
    data: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the folder eth_ucy lies.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of the training.", min=1)] = 1,
    json: JsonOption = None,
) -> None:
    """Learn to predict pedestrians on four scenes of ETH/UCY and test on the fifth, for all five and several seeds.

    JSON: {rows, means}; rows: scene, seed, windows, minade, minfde, network_minade, network_minfde; means: the same
    over the seeds, with `_sd`.
    """
    try:
        from behaviors_ros.learning.leave_one_out import leave_one_out, means, read_leave_one_out
    except ModuleNotFoundError as error:
        raise BehaviorsError(f"crowds: needs {error.name}; pip install 'behaviors_ros[learning]'") from None
    settings = read_leave_one_out(config)
    with progress(TextColumn("{task.description}")) as bar:
        task = bar.add_task("reading")
        rows = leave_one_out(
            settings, data_folder(data) / "eth_ucy", out, threads, lambda text: bar.update(task, description=text)
        )
    table, kept = means(rows), settings.training.size.hypotheses
    print_table(
        f"ETH/UCY, {settings.seeds} seeds: minADE{kept}, minFDE{kept}, m",
        ("left out", "windows", "minADE", "minFDE", "one network", ""),
        [
            (row["scene"], row["windows"], *(f"{row[key]:.3f} +- {row[f'{key}_sd']:.3f}" for key in (
                "minade", "minfde", "network_minade", "network_minfde")))
            for row in table
        ],
    )  # fmt: skip
    write_json(json, {"rows": rows, "means": table})

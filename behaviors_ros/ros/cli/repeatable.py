"""`behaviors repeatable`: the same bags again and again, with other numbers of threads: the same decisions?"""

from __future__ import annotations

import json as json_module
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json
from behaviors_ros.ros.environment import environment
from behaviors_ros.ros.graph import NAMESPACE

# What numpy's, numba's and shapely's libraries size their pools by; onnxruntime is told by the predictor's parameter.
_POOLS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(repeatable)


def repeatable(
    bags: Annotated[list[Path], typer.Argument(metavar="BAG...", help="Bags as `behaviors replay` takes them.")],
    repeat: Annotated[int, typer.Option(help="Replays of each bag and number of threads.", min=1, max=100)] = 3,
    threads: Annotated[str, typer.Option(help="Numbers of worker threads, with commas.")] = "1,2",
    predictor: Annotated[str, typer.Option(help="Plugin that predicts; empty: the default.")] = "",
    json: JsonOption = None,
) -> None:
    """Replay bags several times, each in a process of its own, and compare the hashes of their decisions.

    JSON: a list of {bag, predictor, plans, replays, hashes: {hash: n}, equal}. Exit code 1 when decisions of a bag
    differ.
    """
    try:
        numbers = [int(word) for word in threads.split(",")]
    except ValueError:
        raise InputError("repeatable", "--threads", f"is '{threads}'", "give numbers with commas: 1,2") from None
    rows = []
    with progress() as bar:
        task = bar.add_task("replaying", total=len(bags) * len(numbers) * repeat)
        for bag in bags:
            found = []
            for number in numbers:
                for _ in range(repeat):
                    found.append(_replayed(bag, number, predictor))
                    bar.advance(task)
            hashes: dict[str, int] = {}
            for each in found:
                hashes[each["decision_hash"]] = hashes.get(each["decision_hash"], 0) + 1
            rows.append({
                "bag": str(bag), "predictor": predictor or "default", "plans": found[0]["plans"],
                "replays": len(found), "hashes": hashes, "equal": len(hashes) == 1,
            })  # fmt: skip
    print_table("Replays", ("bag", "plans", "replays", "decision hashes"), [
        (row["bag"], row["plans"], row["replays"], ", ".join(f"{key[:16]} x {n}" for key, n in row["hashes"].items()))
        for row in rows
    ])  # fmt: skip
    write_json(json, rows)
    raise typer.Exit(0 if all(row["equal"] for row in rows) else 1)


def _replayed(bag: Path, threads: int, predictor: str) -> dict[str, Any]:
    """The figures of one replay in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="behaviors_replay_") as folder:
        figures, parameters = Path(folder) / "figures.json", Path(folder) / "nodes.yaml"
        arguments = ["replay", str(bag), "--out", f"{folder}/out", "--json", str(figures)]
        if predictor:
            values: dict[str, Any] = {"predictor": predictor}
            if predictor == "learned":
                values["learned"] = {"threads": threads}
            parameters.write_text(yaml.safe_dump({f"{NAMESPACE}/prediction": {"ros__parameters": values}}))
            arguments += ["--params", str(parameters)]
        done = subprocess.run(
            [sys.executable, "-m", "behaviors_ros.ros.cli", *arguments], capture_output=True, text=True, check=False,
            env=environment() | dict.fromkeys(_POOLS, str(threads)) | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        if done.returncode or not figures.is_file():
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise BehaviorsError(f"{bag}: the replay failed: {said[-1] if said else done.returncode}")
        read: dict[str, Any] = json_module.loads(figures.read_text())
        return read

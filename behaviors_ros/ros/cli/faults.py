"""`behaviors faults list` and `run`: what the stack does when something goes wrong, on the live graph."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.errors import InputError
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.faults.case import SCENARIOS, find_cases
from behaviors_ros.ros.faults.rig import Rig
from behaviors_ros.ros.faults.suite import Row, run_suite
from behaviors_ros.ros.faults.table import write_table

Patterns = Annotated[list[str] | None, typer.Argument(metavar="[PATTERN]...", help="Names with *; none: all.")]
Folder = Annotated[Path | None, typer.Option("--folder", metavar="FOLDER", help="Faults of your own, besides ours.")]
Subset = Annotated[str, typer.Option("--subset", help="all, or fast: a few that stand for the others.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    faults = typer.Typer(help="Faults injected into the running graph.", no_args_is_help=True)
    faults.command("list")(list_faults)
    faults.command()(run)
    app.add_typer(faults, name="faults")


def _fast(subset: str) -> bool:
    if subset not in ("all", "fast"):
        raise InputError("faults", "--subset", f"is '{subset}'", "known: all, fast")
    return subset == "fast"


def list_faults(
    patterns: Patterns = None, folder: Folder = None, subset: Subset = "all", json: JsonOption = None
) -> None:
    """List the faults, what happens and what is expected. JSON: {name: the fault's fields}."""
    cases = find_cases(patterns or (), folder, _fast(subset))
    rows = [
        (name, case.about, " or ".join(case.expect.outcome), "fast" if case.fast else "")
        for name, (_, case) in cases.items()
    ]
    print_table(f"{len(rows)} faults", ("fault", "what happens", "outcome", "subset"), rows)
    write_json(json, {name: case.model_dump(mode="json") for name, (_, case) in cases.items()})


def run(
    patterns: Patterns = None,
    folder: Folder = None,
    subset: Subset = "all",
    speed_factor: Annotated[
        float, typer.Option(help="Simulated seconds a second; below 1 on a busy machine.", min=0.05, max=5.0)
    ] = 1.0,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Keep logs and drives there.")] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table of this page: docs/faults.md."),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Inject faults one after the other, and judge what the stack does. Exit code 1 when one did not react as it must.

    JSON: a list of {fault, expected, observed, reaction_ms, outcome, invalid_published, passed, crashes, why}.
    """
    cases = find_cases(patterns or (), folder, _fast(subset))
    rows: list[Row] = []

    def tell(row: Row) -> None:
        rows.append(row)
        typer.echo(f"{len(rows)}/{len(cases)} {'passed' if row.passed else 'FAILED'} {row.fault}: {row.observed}"
                   + (f"; {row.why}" if row.why else ""))  # fmt: skip
        write_json(json, [asdict(found) for found in rows])

    with (
        tempfile.TemporaryDirectory(prefix="behaviors_faults_") as scratch,
        Rig(SCENARIOS / "street.yaml", out or Path(scratch), speed_factor) as rig,
    ):
        found = run_suite(cases, rig, tell)
        checked = rig.observer.checker.checked
    if table is not None:
        write_table(table, found, cases, checked)
    write_json(json, [asdict(row) for row in found])
    failed = [row for row in found if not row.passed]
    crashes, invalid = sum(row.crashes for row in found), sum(row.invalid_published for row in found)
    typer.echo(f"{len(found) - len(failed)} of {len(found)} faults passed; {crashes} crashes; "
               f"{invalid} invalid of {checked} trajectories")  # fmt: skip
    if failed:
        raise typer.Exit(1)

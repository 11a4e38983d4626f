"""`behaviors soak`: the live graph under steady load, held to bars of memory, latency drift and misses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.parameters import validated
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.soak import Row, Soak
from behaviors_ros.ros.soak import soak as run_soak


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(soak)


def soak(
    minutes: Annotated[float, typer.Option(help="Time of the soak.")] = 30.0,
    agents: Annotated[int, typer.Option(help="Tracks in each message, 10 messages a second.")] = 100,
    kill_every: Annotated[float, typer.Option(help="Seconds between two kills of a node; 0: none.")] = 0.0,
    row: Annotated[float, typer.Option(help="Seconds between two rows.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Which nodes are killed when.")] = 1,
    log: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Output of each process to a file there.")] = None,
    json: JsonOption = None,
) -> None:
    """The planning nodes and the bridge, one process each, fed at 10 Hz: a row a minute, a verdict at the end.

    JSON: rows, growth of memory by node, p99_first_ms, p99_last_ms, cycles, missed, kills, recovery_s, passed.
    Exit code 1 when a bar is broken.
    """
    given = {"minutes": minutes, "agents": agents, "kill_every_s": kill_every, "row_s": row, "seed": seed}
    found = run_soak(validated(Soak, given, "soak"), log, _tell)
    rows: list[tuple[str, object]] = [
        ("tracks after warm-up", found.cycles),
        ("missed", found.missed),
        ("p99 first, last quarter", f"{found.p99_first_ms:.1f} ms, {found.p99_last_ms:.1f} ms"),
        *[(f"memory of {name}", f"{100.0 * growth:+.2f} %") for name, growth in found.growth.items()],
        *[(f"kills of {name}", number) for name, number in found.kills.items()],
        *([("longest outage", f"{max(found.recovery_s):.1f} s")] if found.recovery_s else []),
        *[(bar, "kept" if good else "BROKEN") for bar, good in found.passed.items()],
    ]
    print_table("Soak", ("", ""), rows)
    write_json(json, found.tree())
    raise typer.Exit(0 if all(found.passed.values()) else 1)


def _tell(row: Row) -> None:
    """One line a row, as it comes."""
    taken = ", ".join(f"{name} {use.rss_mb:.1f} MB {use.threads} t {use.descriptors} fd"
                      for name, use in sorted(row.processes.items()))  # fmt: skip
    typer.echo(f"{row.at_s:7.0f} s  {row.cycles} tracks, {row.missed} missed, p50 {row.p50_ms:.1f} ms, "
               f"p99 {row.p99_ms:.1f} ms; {taken}" + (f"; {row.killed} kills" if row.killed else ""))  # fmt: skip

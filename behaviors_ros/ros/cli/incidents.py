"""`behaviors incidents`: what a recorded run tells about its stops."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.conversion import NS
from behaviors_ros.ros.incidents import Happening, Incident, incidents


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="incidents")(show)


def show(
    bag: Annotated[Path, typer.Argument(help="Bag of a run, or one that the blackbox wrote.")],
    before: Annotated[float, typer.Option(help="Seconds before a stop whose events belong to it.", min=0.0)] = 5.0,
    whole: Annotated[bool, typer.Option("--all", help="The whole log, not only what is around stops.")] = False,
    json: JsonOption = None,
) -> None:
    """Every stop of a recorded run: when, why, from which plan, how long; and what was told before and during it.

    JSON: {incidents: [{stamp_ns, rung, cause, plan_id, plan_age_s, latency_s, speed_mps, lasted_s, end_speed_mps,
    log}], log: [{stamp_ns, node, kind, subject, reason, plan_id, severity}]}.
    """
    found, log = incidents(bag, before)
    begin_ns = min((happening.stamp_ns for happening in log), default=0)
    rows = [_row(number, incident, begin_ns) for number, incident in enumerate(found, 1)]
    print_table(f"{len(found)} stops", ("", "at s", "rung", "m/s", "lasted s", "plan", "age s", "cause"), rows)
    if whole:
        print_table("log", _COLUMNS, [_line(happening, begin_ns) for happening in log])
    else:
        for number, incident in enumerate(found, 1):
            print_table(f"around stop {number}", _COLUMNS, [_line(happening, begin_ns) for happening in incident.log])
    write_json(json, {"incidents": [asdict(incident) for incident in found], "log": [asdict(h) for h in log]})


_COLUMNS = ("at s", "who", "what", "about", "why", "plan")


def _row(number: int, incident: Incident, begin_ns: int) -> tuple[str, ...]:
    lasted = "to the end" if incident.lasted_s is None else f"{incident.lasted_s:.1f}"
    end = "" if incident.end_speed_mps is None else f" to {incident.end_speed_mps:.1f}"
    return (
        str(number), f"{(incident.stamp_ns - begin_ns) / NS:.2f}", incident.rung, f"{incident.speed_mps:.1f}{end}",
        lasted, str(incident.plan_id), f"{incident.plan_age_s:.2f}", incident.cause,
    )  # fmt: skip


def _line(happening: Happening, begin_ns: int) -> tuple[str, ...]:
    return (
        f"{(happening.stamp_ns - begin_ns) / NS:.2f}", happening.node, happening.kind, happening.subject,
        happening.reason, str(happening.plan_id or ""),
    )  # fmt: skip

"""`behaviors compare`: two runs of `behaviors evaluate` side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from behaviors_ros.evaluation import folder
from behaviors_ros.evaluation.compare import Change, Comparison, ComparisonRules, Difference, compare
from behaviors_ros.evaluation.compare_report import write_compare_report
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare_runs)


def compare_runs(
    a: Annotated[Path, typer.Argument(help="Folder of the run to compare with.")],
    b: Annotated[Path, typer.Argument(help="Folder of the other run.")],
    seed: Annotated[int, typer.Option(help="Of the resampling behind the intervals.", min=0)] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page; compare-A.html in the folder of B.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Say what of run A got better and worse in run B, paired by scenario, with bootstrap intervals.

    JSON: `a, b, n, only_a, only_b, differences: [{name, unit, count, a, b, difference, low, high, better}], better,
    worse, equal, settings: [[name, a, b]]`; better and worse: `[{name, success_a, success_b, score_a, score_b, why_a,
    why_b}]`.
    """
    found = compare(folder.read(a), folder.read(b), ComparisonRules(seed=seed))
    page = write_compare_report(out or b / f"compare-{a.resolve().name}.html", found)
    _print(found)
    print(page)
    write_json(json, found.json())


def _print(found: Comparison) -> None:
    print_table(f"{found.n} in both: {len(found.better)} better, {len(found.worse)} worse, {found.equal} the same",
                ("figure", "a", "b", "b - a", "95 % interval", ""), [_line(d) for d in found.differences])  # fmt: skip
    if found.settings:
        print_table("Settings that differ", ("name", "a", "b"), found.settings)
    for title, changes in (("Worse", found.worse), ("Better", found.better)):
        if changes:
            print_table(title, ("scenario", "solved", "score", "why not"), [_changed(change) for change in changes])


def _line(d: Difference) -> tuple[str, ...]:
    verdict = {True: "better", False: "worse", None: "the same" if d.difference == 0.0 else "cannot be told"}[d.better]
    unit = f" ({d.unit})" if d.unit else ""
    return f"{d.name}{unit}", f"{d.a:.3f}", f"{d.b:.3f}", f"{d.difference:+.3f}", f"{d.low:+.3f} {d.high:+.3f}", verdict


def _changed(change: Change) -> tuple[str, ...]:
    solved = tuple("yes" if success else "NO" for success in (change.success_a, change.success_b))
    return change.name, " > ".join(solved), f"{change.score_a:.2f} > {change.score_b:.2f}", change.why_b or change.why_a

"""`behaviors evaluate`: closed-loop drives of a set of scenarios, judged; one cycle of a run explained."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation import folder
from behaviors_ros.evaluation.case import stages_of
from behaviors_ros.evaluation.explain import Explained, Line, explain, lines
from behaviors_ros.evaluation.judgement import judge
from behaviors_ros.evaluation.options import BMW_320I, GROUND_TRUTH, Options, configuration, setting, vehicle_of
from behaviors_ros.evaluation.run_report import write_run_report
from behaviors_ros.evaluation.sets import Case, chosen, data_folder, find
from behaviors_ros.evaluation.totals import totals
from behaviors_ros.evaluation.workers import evaluated
from behaviors_ros.parameters import Vehicle, validated
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json


class SetFirst(TyperGroup):
    """`evaluate SET` is short for `evaluate set SET`."""

    default_command = "set"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command that is meant in front."""
        named = args and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named or not args else [self.default_command, *args])


def add(app: typer.Typer) -> None:
    """Add the commands."""
    evaluate = typer.Typer(
        cls=SetFirst, help="Closed-loop evaluation: `evaluate SET` is `evaluate set SET`.", no_args_is_help=True
    )
    evaluate.command(SetFirst.default_command)(evaluate_set)
    evaluate.command("explain")(explain_cycle)
    evaluate.command("report")(report)
    app.add_typer(evaluate, name="evaluate")


Workers = Annotated[int, typer.Option(help="Processes; more than one needs Ray.", min=1, max=1024)]
Address = Annotated[str | None, typer.Option(metavar="RAY", help="Ray cluster (host:port, auto) to work on.")]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a run.")]


def evaluate_set(
    name: Annotated[str, typer.Argument(metavar="SET", help="List, folder, scenario, log, or a list's name.")],
    planner: Annotated[str, typer.Option(help="`behaviors`, or a configuration file.")] = "behaviors",
    predictor: Annotated[str | None, typer.Option(help=f"A predictor, or {GROUND_TRUTH}; else as configured.")] = None,
    traffic: Annotated[str, typer.Option(help="Recorded vehicles: recorded or reactive.")] = "recorded",
    tracking: Annotated[str, typer.Option(help="perfect, or vehicle: controller and delayed vehicle.")] = "perfect",
    workers: Workers = 1,
    address: Address = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="The run's folder; out/runs/SET-TIME.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the files of lists are.")] = None,
    vehicle: Annotated[Path | None, typer.Option(metavar="FILE", help="Vehicle of all scenarios.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of the planner.")] = None,
    seed: Annotated[int, typer.Option(help="Of generated scenarios.", min=0)] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    limit: Annotated[int | None, typer.Option(help="Only the first scenarios.", min=1)] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="PATTERN", help="Names with *; may be repeated.")] = None,
    judge_with: Annotated[
        Path | None,
        typer.Option("--judge", metavar="PYTHON", help="Interpreter that has commonroad-drivability-checker."),
    ] = None,
    page: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.")] = True,
    json: JsonOption = None,
) -> None:
    """Drive every scenario of a set in closed loop, without ROS, and judge it; the run becomes a folder.

    JSON: `n, success, collisions, at_fault_collisions, off_road, timeout, no_plan, score_mean, plan_ms: {p50, p99},
    realtime_factor` and more. Exit code 1 when a scenario ended by an error.
    """
    tree = configuration(planner, dict(setting(text) for text in settings or ()))
    given = tree.pop("vehicle", None)
    driven_with = vehicle_of(vehicle) if vehicle else validated(Vehicle, given, planner) if given else None
    options = validated(Options, {
        "planner": planner, "predictor": predictor, "traffic": traffic, "tracking": tracking, "configuration": tree,
        "vehicle": driven_with, "seed": seed,
    }, "evaluate")  # fmt: skip
    stages_of(options, driven_with or BMW_320I)  # says at once what is wrong with the planner
    path = out if resume and out is not None and _goes_on(name, options, out) else None
    path = path or _begun(name, options, out, chosen(find(name, data_folder(data), seed), only)[:limit])
    _drive(path, workers, address)
    if judge_with is not None:
        judge(path, judge_with)
    _finished(path, json, page, workers, address)


def _goes_on(name: str, options: Options, out: Path) -> bool:
    """Whether the folder holds a run to be gone on with."""
    if not (out / "run.json").exists():
        return False
    before = folder.read(out)
    if (before.set_name, before.options) != (name, options):
        raise InputError(out, "--resume", "the run has another set or options", "give those of run.json")
    return True


def _begun(name: str, options: Options, out: Path | None, cases: tuple[Case, ...]) -> Path:
    """The folder of a new run."""
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    path = out or Path("out") / "runs" / f"{Path(name).name.partition('.')[0]}-{stamp}"
    folder.begin(path, name, options, cases, folder.command_line())
    return path


def _drive(path: Path, workers: int, address: str | None) -> None:
    """Drive what the run has no row of yet."""
    run = folder.read(path)
    done = {row["name"] for row in run.rows}
    left = [case for case in run.cases if case.name not in done]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with progress(*columns) as bar:
        task = bar.add_task("driving", total=len(run.cases), completed=len(run.cases) - len(left))
        solved = sum(row["success"] for row in run.rows)
        for result in evaluated(left, run.options, workers, address):
            folder.add(path, result.row, result.arrays)
            solved += result.row["success"]
            bar.update(task, advance=1, description=f"{solved} solved; {result.row['name']}")


def _finished(path: Path, json: Path | None, page: bool, workers: int, address: str | None) -> None:
    run = folder.read(path)
    figures = totals(run.rows)
    write_json(path / "summary.json", figures)
    write_json(json, figures)
    if page:
        with progress(TextColumn("{task.description}")) as bar:
            bar.add_task("writing the report: driving the worst scenarios again")
            write_run_report(path / "report.html", run, workers, address)
    _print_rows(run)
    _print_totals(path, figures)
    raise typer.Exit(1 if figures["errors"] else 0)


def _print_rows(run: folder.Run) -> None:
    print_table(f"{run.set_name}: {run.options.planner}, {run.options.predictor or 'own predictor'}",
                ("scenario", "solved", "score", "why not"),
                [(row["name"], "yes" if row["success"] else "NO", f"{row['score']:.2f}", row["why"])
                 for row in sorted(run.rows, key=lambda row: (row["success"], row["score"], row["name"]))])  # fmt: skip


def _print_totals(path: Path, figures: dict[str, Any]) -> None:
    n, ms = figures["n"], figures["plan_ms"]
    shown = [
        (name.replace("_", " "), f"{figures[name]} of {n}")
        for name in (
            "success",
            "goal_reached",
            "collisions",
            "at_fault_collisions",
            "off_road",
            "timeout",
            "no_plan",
            "errors",
        )
    ]
    shown += [
        ("score, nuPlan's part", f"{figures['score_mean']}, {figures['nuplan_score_mean']}"),
        ("plan p50 / p99", f"{ms['p50']} / {ms['p99']} ms CPU"),
        ("x real time", figures["realtime_factor"]),
    ]
    if "judge" in figures:
        shown.append(("judge", ", ".join(f"{key} {number}" for key, number in figures["judge"].items())))
    print_table(str(path), ("", ""), shown)


def explain_cycle(
    run: RunArgument,
    scenario: Annotated[str, typer.Argument(help="Name of a scenario of the run.")],
    time: Annotated[float, typer.Option(help="Time since the scenario's start, s.", min=0.0)] = 0.0,
    most: Annotated[int, typer.Option(help="Candidates to print; 0: all.", min=0)] = 40,
    json: JsonOption = None,
) -> None:
    """Drive a scenario of a run again up to a cycle, and tell of every candidate why it won or lost.

    JSON: `time_s, same, outcome, reason, candidates: [{index, generator, label, total, scores, broken, lost}]`.
    """
    found = explain(folder.read(run), scenario, time)
    plan = found.cycle.plan
    told = lines(found.cycle.candidates, plan)
    console = Console()
    console.print(f"{scenario} at {found.time_s:.1f} s, {found.cycle.ego.speed:.1f} m/s, {len(told)} candidates")
    console.print(f"{plan.outcome.name.lower()}: {plan.reason}", highlight=False)
    if not found.same:
        console.print("[yellow]decisions before differ from the recorded ones: code or data changed since the run")
    winner = told[0].scores if told else ()
    terms = ", ".join(f"{name} {score:.2f}" for name, score in zip(found.scorers, winner, strict=True))
    console.print(f"terms of the winner: {terms}", highlight=False)
    print_table("Candidates, the winner first", ("#", "candidate", "total", "why it lost", "terms against the winner"),
                [_candidate(line, found.scorers, winner) for line in told[: most or None]])  # fmt: skip
    write_json(json, _explained_json(found, told))


def _candidate(line: Line, scorers: tuple[str, ...], winner: tuple[float, ...]) -> tuple[str, ...]:
    """A row of the table; of the terms those that differ from the winner's, as differences."""
    compared = zip(scorers, line.scores, winner, strict=True)
    against = ", ".join(f"{name} {own - best:+.2f}" for name, own, best in compared if abs(own - best) >= 0.005)
    return str(line.index), f"{line.label} ({line.generator})", f"{line.total:.3f}", line.lost or "wins", against


def _explained_json(found: Explained, told: tuple[Line, ...]) -> dict[str, Any]:
    plan = found.cycle.plan
    return {
        "time_s": found.time_s, "same": found.same, "outcome": plan.outcome.name, "reason": plan.reason,
        "candidates": [
            {"index": line.index, "generator": line.generator, "label": line.label, "total": line.total,
             "scores": dict(zip(found.scorers, line.scores, strict=True)), "broken": list(line.broken),
             "lost": line.lost} for line in told
        ],
    }  # fmt: skip


def report(run: RunArgument, workers: Workers = 1, address: Address = None) -> None:
    """Write the report page of a run again (report.html in its folder)."""
    print(write_run_report(run / "report.html", folder.read(run), workers, address))

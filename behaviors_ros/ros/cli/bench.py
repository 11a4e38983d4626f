"""`behaviors bench kill`, `latency`, `plan`, `predict`, `throughput` and `tracking`."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from behaviors_ros import registry
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation import bench_plan, bench_plot, bench_predict, bench_throughput, bench_tracking
from behaviors_ros.evaluation.sets import data_folder
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.faults import kill as bench_kill
from behaviors_ros.ros.latency import default_map, measure


def add(app: typer.Typer) -> None:
    """Add the command."""
    bench = typer.Typer(help="Benchmarks.", no_args_is_help=True)
    bench.command()(kill)
    bench.command()(latency)
    bench.command()(plan)
    bench.command()(predict)
    bench.command()(throughput)
    bench.command()(tracking)
    app.add_typer(bench, name="bench")


def kill(
    node: Annotated[list[str] | None, typer.Option(help="Node to kill, may be given again; none: all three.")] = None,
    count: Annotated[int, typer.Option(help="Deaths of each node.", min=1)] = 50,
    seed: Annotated[int, typer.Option(help="Draws the instants within the planning period.")] = 0,
    log: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Output of each process to a file there.")] = None,
    json: JsonOption = None,
) -> None:
    """Death (SIGKILL) of a planning node to the first stop on the controller's topic, on the live graph.

    JSON: a list of {node, count, p50_ms, p99_ms, max_ms, stopped, invalid_published}.
    """
    names = tuple(node or bench_kill.PLANNING)
    for name in names:
        if name not in bench_kill.PLANNING:
            raise InputError("bench kill", "--node", f"is '{name}'", f"known: {', '.join(bench_kill.PLANNING)}")

    def tell(name: str, death: bench_kill.Death) -> None:
        typer.echo(f"{name}: {death.reaction_ms:.0f} ms{'; ' + death.why if death.why else ''}")

    with tempfile.TemporaryDirectory(prefix="behaviors_kill_") as scratch:
        found = bench_kill.measure(names, count, seed, log or Path(scratch), tell)
    columns = ("node", "count", "p50_ms", "p99_ms", "max_ms", "stopped", "invalid_published")
    print_table("Death to the first stop", [name.replace("_", " ") for name in columns],
                [[getattr(row, name) for name in columns] for row in found])  # fmt: skip
    write_json(json, [asdict(row) for row in found])
    if any(row.stopped < row.count for row in found):
        raise typer.Exit(1)


def latency(
    agents: Annotated[str, typer.Option(help="Numbers of agents, with commas.")] = "0,20,50,100,200",
    seconds: Annotated[float, typer.Option(help="Measured time for each number.", min=2.0, max=600.0)] = 20.0,
    map_file: Annotated[Path | None, typer.Option("--map", help="A map; without one the embedded urban map.")] = None,
    mapless: Annotated[bool, typer.Option("--mapless", help="A straight line instead of a map.")] = False,
    log: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Output of each process to a file there.")] = None,
    json: JsonOption = None,
) -> None:
    """Perception stamp to controls output over ROS, one process a node: p50, p99 and the share of answered cycles.

    JSON: a list of {agents, cycles, answered, p50_ms, p99_ms, max_ms, prediction_ms, generation_ms, scoring_ms}.
    """
    numbers = _numbers(agents, "bench latency", "--agents")
    chosen = None if mapless else map_file or default_map()
    found = [measure(number, seconds, chosen, log) for number in track(numbers, description="agents", transient=True)]
    columns = ("agents", "cycles", "answered", "p50 ms", "p99 ms", "max ms", "prediction", "generation", "scoring")
    print_table("Perception stamp to controls output", columns, [
        (r.agents, r.cycles, r.answered, *(f"{x:.1f}" for x in (
            r.p50_ms, r.p99_ms, r.max_ms, r.prediction_ms, r.generation_ms, r.scoring_ms))) for r in found
    ])  # fmt: skip
    write_json(json, [asdict(row) for row in found])


def _numbers(text: str, source: str, field: str) -> list[int]:
    """Numbers with commas between them."""
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise InputError(source, field, f"is '{text}'", "give numbers with commas: 0,20,50") from None


def plan(
    agents: Annotated[str, typer.Option(help="Numbers of agents, with commas.")] = "0,10,25,50,100",
    candidates: Annotated[
        str, typer.Option(help="Least numbers of candidates, with commas; 0: the default configuration.")
    ] = "0,1000,2000,4000",
    at_agents: Annotated[int, typer.Option(help="Agents while the candidates vary.", min=0)] = 50,
    at_candidates: Annotated[int, typer.Option(help="Candidates while the agents vary.", min=0)] = 1000,
    score_all: Annotated[
        bool, typer.Option("--score-all", help="Every candidate through every gate and scorer, none screened.")
    ] = False,
    repeats: Annotated[int, typer.Option(help="Rounds of 16 cycles for each row.", min=1)] = 8,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the figures into this SVG file.")] = None,
    json: JsonOption = None,
) -> None:
    """CPU time of one call of the planner over the number of agents and of candidates, on one core.

    JSON: a list of {agents, candidates, scored, p50_ms, p99_ms, predict_ms, generate_ms, score_ms, cycles}.
    """
    pairs = [(number, at_candidates) for number in _numbers(agents, "bench plan", "--agents")]
    first = len(pairs)
    pairs += [(at_agents, number) for number in _numbers(candidates, "bench plan", "--candidates")]
    known: dict[tuple[int, int], bench_plan.PlanCost] = {}
    for pair in track(pairs, description="rows", transient=True):
        known[pair] = known.get(pair) or bench_plan.measure(*pair, repeats, score_all)
    found = [known[pair] for pair in pairs]
    names = ("agents", "candidates", "scored", "p50_ms", "p99_ms", "predict_ms", "generate_ms", "score_ms")
    shown = [[f"{value:.1f}" if isinstance(value, float) else value for value in row] for row in (
        [getattr(row, name) for name in names] for row in known.values())]  # fmt: skip
    print_table("CPU time of one plan", [name.replace("_", " ") for name in names], shown)
    if plot is not None:
        plot.write_text(bench_plot.picture(found[:first], found[first:]))
    write_json(json, [asdict(row) for row in known.values()])


def predict(
    predictor: Annotated[str, typer.Option(help="Plugin that predicts.")] = "learned",
    agents: Annotated[str, typer.Option(help="Numbers of agents, with commas.")] = "1,5,10,20,40,64,100,150,200",
    repeats: Annotated[int, typer.Option(help="Rounds of 8 scenes for each number.", min=1)] = 25,
    model: Annotated[str, typer.Option(help="Of `learned`: model file or folder; empty: the shipped one.")] = "",
    mapless: Annotated[bool, typer.Option("--mapless", help="Scenes without a map.")] = False,
    json: JsonOption = None,
) -> None:
    """CPU time of one call of a predictor over the number of agents, features and all; the model is asked for all.

    JSON: a list of {predictor, agents, p50_ms, p99_ms, by_model, calls}.
    """
    numbers = _numbers(agents, "bench predict", "--agents")
    values = {"model": model, "max_agents": max(*numbers, 1)} if predictor == "learned" else {}
    made = bench_predict.predictor_of(predictor, values)
    found = [
        bench_predict.measure(made, number, repeats, mapless=mapless)
        for number in track(numbers, description="agents", transient=True)
    ]
    columns = ("agents", "p50 ms", "p99 ms", "by the model")
    print_table(f"CPU time of {predictor}", columns, [(r.agents, r.p50_ms, r.p99_ms, r.by_model) for r in found])
    write_json(json, [asdict(row) for row in found])


def throughput(
    peers: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Scripts throughput_*.py that measure other planners.")
    ] = Path("benchmarks/peers"),
    peer_python: Annotated[
        str, typer.Option(metavar="PYTHON", help="Interpreter in which the other planners are installed.")
    ] = ".venv-peers/bin/python",
    repeats: Annotated[int, typer.Option(help="Repeats of our measurement.", min=1)] = 30,
    json: JsonOption = None,
) -> None:
    """Candidates a second by generation, limits, cost and chance of collision with 10 agents, beside other planners.

    JSON: threads (a list of {threads, ours_per_s, <peer>_per_s}), ours, peers (all their figures), reasons.
    """
    found = bench_throughput.compared(repeats, peers, peer_python)
    keys = list(dict.fromkeys(key for row in found["threads"] for key in row))
    rows = [[row[key] if row[key] is not None else "absent" for key in keys] for row in found["threads"]]
    print_table("Candidates a second", [key.replace("_", " ") for key in keys], rows)
    for name, reason in found["reasons"].items():
        typer.echo(f"{name}: {reason}")
    write_json(json, found)


def tracking(
    controller: Annotated[list[str] | None, typer.Option(help="Tracker, again for more; all without it.")] = None,
    recorded: Annotated[int, typer.Option(help="CommonRoad scenarios beside our own, where the data is.", min=0)] = 8,
    off: Annotated[
        float, typer.Option(help="Share by which delay, lags and wheel base are off in further rows.", min=0.0, max=0.9)
    ] = bench_tracking.OFF,
    data: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where recorded scenarios lie.")] = None,
    json: JsonOption = None,
) -> None:
    """Errors of the trackers against the planner's trajectories, in closed loop with the delayed vehicle model.

    Exit code 1 when a row is beyond a bar: lateral error 0.15 m, speed error 0.3 m/s (both p95), CPU time 4 ms (p99).

    JSON: a list of {controller, vehicle, lateral_*_m, speed_*_mps, heading_p95_rad, longitudinal_p95_m, cpu_*_ms,
    not_solved, distance_m, passed}.
    """
    names = controller or list(registry.names("controller"))
    for name in names:
        registry.get("controller", name)  # a wrong one is told before the drives are planned
    builders = list(bench_tracking.scenarios(data_folder(data), recorded))
    courses = [bench_tracking.course(build()) for build in track(builders, description="drives", transient=True)]
    rules, found = bench_tracking.TrackingRules(), []
    count = len(names) * len(bench_tracking.vehicles(courses[0].vehicle, off))
    rows = bench_tracking.compared(names, courses, rules, off)
    for row in track(rows, description="rows", total=count, transient=True):
        found.append(row)
    print_table("Tracking", ("controller", "vehicle", "lateral p50, p95, max m", "speed p50, p95, max m/s",
                             "CPU p50, p99 ms", "not solved", "passed"), [
        (r.controller, r.vehicle, f"{r.lateral_p50_m:.3f} {r.lateral_p95_m:.3f} {r.lateral_max_m:.3f}",
         f"{r.speed_p50_mps:.3f} {r.speed_p95_mps:.3f} {r.speed_max_mps:.3f}", f"{r.cpu_p50_ms:.2f} {r.cpu_p99_ms:.2f}",
         r.not_solved, "yes" if r.passed else "no") for r in found
    ])  # fmt: skip
    write_json(json, [asdict(row) for row in found])
    raise typer.Exit(0 if all(row.passed for row in found) else 1)

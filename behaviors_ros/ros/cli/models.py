"""`behaviors models list|show|verify|compare|promote|shadow`: the folder of learned models, and which one is active."""

from __future__ import annotations

import json as json_module
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import TextColumn

from behaviors_ros import registry
from behaviors_ros.datatypes import Grid
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.evaluation import folder as runs
from behaviors_ros.evaluation.divergence import Divergence, added
from behaviors_ros.evaluation.promotion import GATES, read_gates
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction import models
from behaviors_ros.ros.bags import about
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json
from behaviors_ros.ros.model_comparison import (
    checksum_of,
    compared,
    driven,
    kept_rows,
    predictor_of,
    require_passed,
    tested,
)
from behaviors_ros.ros.recorded_cycles import recorded_scenes
from behaviors_ros.ros.scene import SceneParameters

Folder = Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Folder of models; the shipped one.")]
Name = Annotated[str, typer.Argument(metavar="MODEL", help="Name in the folder, or a file NAME.onnx.")]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Learned models: what there is, which is active, is another better.", no_args_is_help=True)
    group.command("list")(listed)
    group.command()(show)
    group.command()(verify)
    group.command()(export)
    group.command()(compare)
    group.command()(promote)
    group.command()(shadow)
    app.add_typer(group, name="models")


def listed(folder: Folder = models.SHIPPED, json: JsonOption = None) -> None:
    """List the models of a folder. JSON: [{name, active, made, kinds, bytes, sha256, may_ship, problem}]."""
    figures = [_summary(entry) for entry in models.entries(folder)]
    rows = [["*" if f["active"] else "", f["name"], f["made"], ", ".join(f["kinds"]).lower(), f["bytes"],
             f["sha256"][:12], f["problem"] or "good"] for f in figures]  # fmt: skip
    print_table(str(folder), ("active", "model", "made", "classes", "bytes", "checksum", "state"), rows)
    write_json(json, figures)


def _summary(entry: models.Entry) -> dict[str, Any]:
    contract = entry.contract
    return {
        "name": entry.name, "active": entry.active, "problem": entry.problem,
        "made": contract.made if contract else "", "kinds": list(contract.kinds) if contract else [],
        "bytes": contract.model_bytes if contract else 0, "sha256": contract.model_sha256 if contract else "",
        "may_ship": bool(contract and contract.data and all(source.may_ship for source in contract.data)),
    }  # fmt: skip


def show(name: Name, folder: Folder = models.SHIPPED, json: JsonOption = None) -> None:
    """Show a model's contract, card and figures. JSON: {contract, card, metrics, problem}."""
    entry = models.entry(models.find(folder, name))
    tree = entry.contract.model_dump(mode="json") if entry.contract else {}
    for field in ("inputs", "outputs"):
        rows = [
            (t["name"], f"agent, {', '.join(map(str, t['shape']))}", t["unit"], t["meaning"])
            for t in tree.get(field, ())
        ]
        print_table(field, ("name", "axes", "unit", "meaning"), rows)
    rest = {key: leaf for key, leaf in tree.items() if key not in ("inputs", "outputs")}
    print_table(entry.name, ("", ""), [(key, json_module.dumps(leaf)) for key, leaf in rest.items()])
    typer.echo(entry.card or "no card")
    write_json(json, {"contract": tree, "card": entry.card, "metrics": entry.metrics, "problem": entry.problem})
    if entry.problem:
        raise BehaviorsError(entry.problem)


def verify(
    name: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Name or file; without one, all.")] = None,
    folder: Folder = models.SHIPPED,
    provider: Annotated[str, typer.Option(help="Run it on cpu, cuda or tensorrt.")] = "cpu",
    json: JsonOption = None,
) -> None:
    """Check files, checksums, contracts and graphs, and run each model once, as the prediction node does at configure.

    JSON: [{name, provider, problem}]. Exit code 1 when a model cannot be used.
    """
    paths = [models.find(folder, name)] if name else [entry.path for entry in models.entries(folder)]
    found = [_verified(path, provider) for path in paths]
    print_table(
        "Models", ("model", "runs on", "state"), [(f["name"], f["provider"], f["problem"] or "good") for f in found]
    )
    write_json(json, found)
    raise typer.Exit(1 if any(f["problem"] for f in found) else 0)


def _verified(path: Path, provider: str) -> dict[str, str]:
    try:
        made: Any = registry.create("predictor", "learned", {"model": str(path), "provider": provider}, Vehicle())
    except BehaviorsError as error:
        return {"name": path.stem, "provider": "", "problem": str(error)}
    return {"name": path.stem, "provider": made.provider, "problem": ""}


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run of `behaviors train`.")],
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Model file NAME.onnx to write.")],
    kinds: Annotated[str, typer.Option(help="Classes it answers for, with commas; else those of the run.")] = "",
    data: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The built data; else where the run says.")
    ] = None,
    command: Annotated[list[str] | None, typer.Option(help="A command that led to it, for the card.")] = None,
    json: JsonOption = None,
) -> None:
    """Export a trained run as NAME.onnx with contract and card; torch and onnxruntime must agree within 1e-4 m.

    JSON: the contract.
    """
    if out.suffix != ".onnx":
        raise InputError(out, "FILE", "does not end in .onnx", "give NAME.onnx")
    try:
        from behaviors_ros.learning.export_run import export_run
    except ImportError as error:
        raise BehaviorsError(f"export needs torch, onnx ({error}); pip install behaviors_ros[learning]") from None
    day = datetime.now(timezone.utc).date().isoformat()
    commands = [*(command or ()), " ".join(runs.command_line())]
    contract = export_run(run, out, day, commands, tuple(filter(None, kinds.split(","))), data)
    rows = [(name, getattr(contract, name)) for name in ("name", "kinds", "model_bytes", "model_sha256", "parity_m")]
    print_table(str(out), ("", ""), rows)
    write_json(json, contract.model_dump(mode="json"))


def compare(
    a: Annotated[str, typer.Argument(help="The model to beat: name, file, or another predictor such as class_aware.")],
    b: Annotated[str, typer.Argument(help="The candidate: name or file.")],
    folder: Folder = models.SHIPPED,
    on: Annotated[
        Path | None, typer.Option("--on", metavar="FOLDER", help="Built data or recordings to test on.")
    ] = None,
    rows_a: Annotated[Path | None, typer.Option(help="Figures of `behaviors test --json` of A.")] = None,
    rows_b: Annotated[
        Path | None, typer.Option(help="Figures of B; without any, those kept beside the models.")
    ] = None,
    closed: Annotated[str | None, typer.Option("--closed", metavar="SET", help="Drive this set with both.")] = None,
    run_a: Annotated[Path | None, typer.Option(metavar="RUN", help="Run of A instead of driving.")] = None,
    run_b: Annotated[Path | None, typer.Option(metavar="RUN", help="Run of B instead of driving.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first scenarios, and scenes of --on.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Processes; more than one needs Ray.", min=1, max=1024)] = 1,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the runs of --closed go.")] = Path("out/models"),
    gates: Annotated[Path, typer.Option(metavar="FILE", help="Gates for promotion.")] = GATES,
    json: JsonOption = None,
) -> None:
    """Compare two models open loop (figures of `behaviors test`) and closed loop (drives), by the gates for promotion.

    JSON: {a, b, gates: [{gate, a, b, passed}], differences, passed}. Exit code 1 when a gate is not passed.
    """
    asked = read_gates(gates)
    if (run_a is None) != (run_b is None):
        raise BehaviorsError("models compare: give --run-a and --run-b, or neither")
    if closed is not None and run_a is None:
        stamp = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
        run_a, run_b = (driven(name, folder, closed, limit, workers, out / f"{stamp}-{at}")
                        for at, name in (("a", a), ("b", b)))  # fmt: skip
    if on is not None:
        rows = tested({name: predictor_of(name, folder) for name in (a, b)}, on, limit)
        rows_of = [[row for row in rows if row["predictor"] == name] for name in (a, b)]
    else:
        rows_of = [kept_rows(name, folder, file) for name, file in ((a, rows_a), (b, rows_b))]
    figures = compared(asked, rows_of[0], rows_of[1], run_a, run_b)
    figures |= {"a": a, "b": b, "model_sha256": checksum_of(b, folder)}
    _print_verdicts(figures)
    write_json(json, figures)
    raise typer.Exit(0 if figures["passed"] else 1)


def _print_verdicts(figures: dict[str, Any]) -> None:
    rows = [(v["gate"], _figure(v["a"]), _figure(v["b"]), "passed" if v["passed"] else "NOT PASSED")
            for v in figures["gates"]]  # fmt: skip
    print_table(f"{figures['b']} against {figures['a']}", ("gate", "A", "B", ""), rows)
    shown = [
        (d["name"], f"{d['a']:.4g}", f"{d['b']:.4g}", f"{d['low']:+.3g} to {d['high']:+.3g}")
        for d in figures["differences"]
    ]
    if shown:
        print_table("Drives", ("figure", "A", "B", "B - A, 95 %"), shown)


def _figure(figure: float | None) -> str:
    return "none" if figure is None else f"{figure:.4g}"


def promote(
    name: Name,
    comparison: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON of `models compare A MODEL`.")] = None,
    folder: Folder = models.SHIPPED,
    first: Annotated[bool, typer.Option("--first", help="There is no active model to compare with yet.")] = False,
) -> None:
    """Make a model the active one of its folder: it must run, and have passed all gates, open and closed loop."""
    path = models.find(folder, name)
    problem = _verified(path, "cpu")["problem"]
    if problem:
        raise BehaviorsError(problem)
    active = models.active_name(folder)
    if first and active:
        raise BehaviorsError(f"models promote: '{active}' is active; compare with it and give --comparison")
    if not first:
        require_passed(comparison, path, active)
    record = {"promoted": datetime.now(timezone.utc).date().isoformat(),
              "comparison": json_module.loads(comparison.read_text()) if comparison else None}  # fmt: skip
    models.promote(folder, path.stem, record)
    typer.echo(f"{path.stem} is active in {folder}")


def shadow(
    bag: Annotated[Path, typer.Argument(help="Bag with tracks, odometry and route.")],
    candidate: Annotated[str, typer.Option(help="Model of the candidate: name or file.")],
    active: Annotated[str, typer.Option(help="What it runs beside: a predictor's name, or a model.")] = "class_aware",
    folder: Folder = models.SHIPPED,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="Map of the run; without one, the one the bag names, or none.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Run a candidate beside the active predictor on a bag, and tell how far they diverge by class and horizon.

    JSON: {active, candidate, scenes, warnings, rows: [{class, horizon_s, agents, likeliest_m, mean_m, largest_m}]}.
    """
    chosen = str(map_file.resolve()) if map_file else about(bag).get("map", "")
    first, second, grid = predictor_of(active, folder), predictor_of(candidate, folder), Grid()
    found = Divergence.none(tuple(float(second) for second in range(1, int(grid.horizon_s + 1e-9) + 1)))
    with progress(TextColumn("{task.description}")) as bar:
        bar.add_task("predicting twice")
        for scene in recorded_scenes(bag, SceneParameters(map=chosen), Vehicle()):
            found = added(found, first.predict(scene, grid), second.predict(scene, grid))
    if not found.scenes:
        raise InputError(bag, "tracks", "no scene can be made of it", "record tracks, odometry and route")
    rows = found.rows()
    columns = ("class", "horizon_s", "agents", "likeliest_m", "mean_m", "largest_m")
    print_table(f"{candidate} beside {active}, {found.scenes} scenes", [name.replace("_", " ") for name in columns],
                [[row[name] for name in columns] for row in rows])  # fmt: skip
    figures = {"active": active, "candidate": candidate, "scenes": found.scenes, "warnings": found.warnings}
    write_json(json, figures | {"rows": rows})

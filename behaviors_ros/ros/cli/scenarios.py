"""`behaviors scenarios list | generate | show`: the generated situations."""

from __future__ import annotations

import html as html_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track

from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.picture import pixels, png, svg
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.simulation import situations
from behaviors_ros.simulation.scenario import Scenario, load_scenario

KindsOption = Annotated[str, typer.Option(help="Kinds, with commas; without it, all.")]
SeedOption = Annotated[int, typer.Option(help="Seed: another one gives other variants.", min=0)]
VariantsOption = Annotated[int, typer.Option(help="Variants of each kind.", min=1, max=100000)]


def add(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(help="Generated situations.", no_args_is_help=True)
    commands.command("list")(list_)
    commands.command()(generate)
    commands.command()(show)
    app.add_typer(commands, name="scenarios")


def list_(
    kinds: KindsOption = "", variants: VariantsOption = 20, seed: SeedOption = 0, json: JsonOption = None
) -> None:
    """The kinds: what happens, and how the difficulty of the variants spreads.

    JSON: a list of {kind, about, variants, difficulty: {min, mean, max}}.
    """
    rows: list[dict[str, Any]] = []
    for kind in track(_chosen(kinds), description="kinds", transient=True):
        hard = [situations.drafted(kind, variant, seed).form.difficulty or 0.0 for variant in range(variants)]
        spread = {"min": min(hard), "mean": round(sum(hard) / len(hard), 3), "max": max(hard)}
        rows.append({"kind": kind, "about": situations.about(kind), "variants": variants, "difficulty": spread})
    print_table("Generated situations", ("kind", "variants", "difficulty", "what happens"), [
        (r["kind"], r["variants"], f"{r['difficulty']['min']:.2f} to {r['difficulty']['max']:.2f}", r["about"])
        for r in rows
    ])  # fmt: skip
    write_json(json, rows)


def generate(
    folder: Annotated[Path, typer.Argument(help="Where to write; it is made where it is missing.")],
    kinds: KindsOption = "",
    variants: VariantsOption = 20,
    seed: SeedOption = 0,
    maps: Annotated[
        Path | None,
        typer.Option(help="Folder of map files: kinds that fit any map are laid on straight stretches of them."),
    ] = None,
    json: JsonOption = None,
) -> None:
    """Write situations as scenario form (.yaml) and map (.osm), one pair each.

    JSON: a list of {name, file, difficulty, provenance}.
    """
    stretches = situations.stretches(maps) if maps is not None else ()
    chosen = _chosen(kinds, situations.anywhere() if maps is not None else situations.kinds())
    rows = []
    tasks = [(kind, variant) for kind in chosen for variant in range(variants)]
    for kind, variant in track(tasks, description="writing", transient=True):
        made = situations.drafted(kind, variant, seed, stretches)
        path, form = made.write(folder), made.form
        what = {"difficulty": form.difficulty, "provenance": form.provenance}
        rows.append({"name": form.name, "file": str(path), **what})
    print(f"{len(rows)} situations in {folder}")
    write_json(json, rows)


def show(
    name: Annotated[str, typer.Argument(help="A situation (crosswalk_03) or a scenario file.")],
    png_file: Annotated[Path | None, typer.Option("--png", help="Write a picture.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a page with a picture.")] = None,
    seed: SeedOption = 0,
) -> None:
    """Say what a situation holds, and draw it."""
    scenario = _scenario(name, seed)
    about = [
        ("from", scenario.provenance),
        ("difficulty", scenario.difficulty),
        ("longest time", f"{scenario.duration_s} s"),
        ("road users", len(scenario.agents)),
        ("signal groups", len(scenario.signals)),
    ]
    print_table(scenario.name, ("", ""), about)
    if png_file is not None:
        png_file.write_bytes(png(pixels(scenario)))
    if html_file is not None:
        words = "".join(f"<p>{html_module.escape(f'{key}: {text}')}</p>" for key, text in about)
        title = html_module.escape(scenario.name)
        page = f"<!doctype html><meta charset='utf-8'><title>{title}</title><h1>{title}</h1>{words}{svg(scenario)}"
        html_file.write_text(page, encoding="utf-8")


def _scenario(name: str, seed: int) -> Scenario:
    if Path(name).suffix:
        return load_scenario(name)
    kind, _, number = name.rpartition("_")
    if not number.isdigit():
        raise InputError(name, "name", "is no situation", "give KIND_NN, as `behaviors scenarios list` names kinds")
    return situations.situation(kind, int(number), seed)


def _chosen(text: str, known: tuple[str, ...] | None = None) -> tuple[str, ...]:
    known = known or situations.kinds()
    chosen = tuple(word.strip() for word in text.split(",") if word.strip()) or known
    unknown = [kind for kind in chosen if kind not in known]
    if unknown:
        raise InputError("scenarios", "--kinds", f"'{unknown[0]}' is unknown", f"known: {', '.join(known)}")
    return chosen

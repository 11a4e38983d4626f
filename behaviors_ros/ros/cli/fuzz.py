"""`behaviors fuzz messages` and `files`: wrong input through the nodes and the readers, by the thousand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer

from behaviors_ros.errors import InputError
from behaviors_ros.ros.cli.figures import JsonOption, print_table, progress, write_json
from behaviors_ros.ros.fuzz.files import FORMATS, FileFuzz
from behaviors_ros.ros.fuzz.messages import MessageFuzz, fuzzed_topics
from behaviors_ros.ros.fuzz.supervision import Outcome, Work, supervised

SeedOption = Annotated[int, typer.Option(help="Another seed, other mutations; the same seed, the same ones.")]
FirstOption = Annotated[int, typer.Option(help="Number of the first mutation: to look at one found before.", min=0)]
JobsOption = Annotated[int, typer.Option(help="Processes at a time.", min=1, max=64)]


def add(app: typer.Typer) -> None:
    """Add the command."""
    fuzz = typer.Typer(help="Wrong input through nodes and readers.", no_args_is_help=True)
    fuzz.command()(messages)
    fuzz.command()(files)
    app.add_typer(fuzz, name="fuzz")


def messages(
    topics: Annotated[list[str] | None, typer.Argument(help="Topics of the graph; without any, all.")] = None,
    count: Annotated[int, typer.Option(help="Messages a topic.", min=1)] = 100_000,
    seed: SeedOption = 1,
    first: FirstOption = 0,
    jobs: JobsOption = 1,
    json: JsonOption = None,
) -> None:
    """Mutated messages through the callbacks of the nodes that read a topic, whole cycles in between.

    JSON: {name: {steps, seconds, counts, failures: a list of {index, kind, what, detail}}}. Exit code 1 when an
    exception but BehaviorsError came up, a number that is not finite was published, or a process died or hung.
    """
    chosen = _chosen(topics, fuzzed_topics(), "fuzz messages", "topic")
    _run(chosen, MessageFuzz, seed, range(first, first + count), jobs, 30.0, json, "Mutated messages")


def files(
    formats: Annotated[list[str] | None, typer.Argument(help="Formats; without any, all.")] = None,
    count: Annotated[int, typer.Option(help="Files a format.", min=1)] = 5_000,
    seed: SeedOption = 1,
    first: FirstOption = 0,
    jobs: JobsOption = 1,
    json: JsonOption = None,
) -> None:
    """Mutated maps, scenarios, parameter files, bags, models and logs through their readers.

    JSON: as of `fuzz messages`. Exit code 1 when a file was neither read nor refused in one line that names it, within
    10 s and 2 GB.
    """
    chosen = _chosen(formats, tuple(FORMATS), "fuzz files", "format")
    _run(chosen, FileFuzz, seed, range(first, first + count), jobs, 10.0, json, "Mutated files")


def _chosen(named: Sequence[str] | None, known: Sequence[str], source: str, field: str) -> Sequence[str]:
    wrong = [name for name in named or () if name not in known]
    if wrong:
        raise InputError(source, field, f"'{wrong[0]}' is unknown", f"known: {', '.join(known)}")
    return named or known


def _run(
    names: Sequence[str], make: Callable[..., Work], seed: int, steps: range, jobs: int, patience_s: float, json: Any,
    title: str,
) -> None:  # fmt: skip
    """Fuzz all names, show and write what came of it, and end with exit code 1 when there were failures."""
    with progress() as bar, ThreadPoolExecutor(jobs) as pool:

        def one(name: str) -> Outcome:
            task = bar.add_task(name, total=len(steps))
            found = supervised(
                make, (name, seed), steps, patience_s, progress=lambda done: bar.update(task, completed=done)
            )  # fmt: skip
            bar.remove_task(task)
            return found

        found = dict(zip(names, pool.map(one, names), strict=True))
    print_table(title, ("", "steps", "counts", "failures", "s"), [
        (name, o.steps, ", ".join(f"{key} {number}" for key, number in sorted(o.counts.items())), len(o.failures),
         f"{o.seconds:.0f}") for name, o in found.items()
    ])  # fmt: skip
    for name, outcome in found.items():
        for failure in outcome.failures[:10]:
            typer.echo(f"{name} {failure.index}: {failure.kind}: {failure.what}")
    write_json(json, {name: outcome.row() for name, outcome in found.items()})
    raise typer.Exit(1 if any(outcome.failures for outcome in found.values()) else 0)

"""`behaviors record`: the graph's topics into a bag."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Annotated

import rclpy
import typer
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.signals import SignalHandlerOptions

from behaviors_ros.ros.bags import BagWriter
from behaviors_ros.ros.cli.figures import JsonOption, print_table, write_json
from behaviors_ros.ros.environment import adopt
from behaviors_ros.ros.recorder import Recorder, new_bag_path, recorded_topics


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(record)


def record(
    out: Annotated[Path | None, typer.Argument(metavar="BAG", help="Bag folder; without one, out/recording.")] = None,
    sim_time: Annotated[bool, typer.Option("--sim-time", help="Stamp with /clock instead of the wall clock.")] = False,
    duration: Annotated[float, typer.Option(help="Seconds of wall time; 0: until interrupted.", min=0.0)] = 0.0,
    json: JsonOption = None,
) -> None:
    """Record inputs and outputs of the stack until interrupted. The bag is whole whenever it ends.

    JSON: {topic: messages}.
    """
    path = out or new_bag_path(Path("out"), "recording")
    adopt()
    writer = BagWriter(path)
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda which, _: told.append(which))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        with writer as bag:
            recorder, executor = Recorder(bag, recorded_topics(), sim_time), EventsExecutor()
            executor.add_node(recorder)
            since = time.monotonic()
            print(f"recording into {path}", flush=True)
            while not told and (duration == 0.0 or time.monotonic() - since < duration):
                executor.spin_once(timeout_sec=0.1)
    finally:
        rclpy.try_shutdown()
    print_table(str(path), ("topic", "messages"), list(recorder.counts.items()))
    write_json(json, recorder.counts)

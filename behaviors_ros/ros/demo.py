"""The main job: drive a scenario in closed loop through the nodes over ROS, record it, measure it, draw it."""

from __future__ import annotations

import shutil
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from rclpy.experimental.events_executor import EventsExecutor

from behaviors_ros.datatypes import Plan
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.evaluation.metrics import measure
from behaviors_ros.evaluation.report import write_report
from behaviors_ros.evaluation.summary import Summary, summarise
from behaviors_ros.pipeline import build
from behaviors_ros.ros.bags import BagWriter
from behaviors_ros.ros.conversion import NS
from behaviors_ros.ros.drive_log import read_drive
from behaviors_ros.ros.environment import adopt
from behaviors_ros.ros.graph import TOPICS
from behaviors_ros.ros.recorded_cycles import RecordedCycle, recorded_cycles
from behaviors_ros.ros.recorder import Recorder, full_name, recorded_topics
from behaviors_ros.ros.scene import SceneParameters
from behaviors_ros.ros.up import Graph, GraphConfig, node_parameters
from behaviors_ros.ros.warm_drive import warm_up
from behaviors_ros.simulation.rollout import Log
from behaviors_ros.simulation.scenario import DEMO, Scenario, load_scenario

DEADLINE_MS = 100.0  # the planning period at 10 Hz


@dataclass(frozen=True)
class DemoResult:
    """Figures of the drive and the files that were written."""

    summary: Summary
    folder: Path
    report: Path
    bag: Path


class TimedRecorder(Recorder):
    """A recorder that also notes, on the wall clock, when tracks and trajectories first arrived, by their stamp."""

    def __init__(self, bag: BagWriter) -> None:
        """Record all topics of the table in simulated time."""
        self.arrivals: dict[str, dict[int, float]] = {"tracks": {}, "trajectory": {}}
        super().__init__(bag, recorded_topics(), sim_time=True)

    def _keep(self, bag: BagWriter, name: str) -> Callable[[Any], None]:
        keep = super()._keep(bag, name)
        noted = next((seen for topic, seen in self.arrivals.items() if full_name(TOPICS[topic]) == name), None)

        def keep_and_note(data: bytes) -> None:
            if noted is not None:
                noted.setdefault(header_stamp_ns(data), time.perf_counter())
            keep(data)

        return keep_and_note if noted is not None else keep


def header_stamp_ns(data: bytes) -> int:
    """Stamp of a serialised message that begins with a header: after 4 bytes of encapsulation, seconds, nanoseconds."""
    seconds, nanos = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return int(seconds) * NS + int(nanos)


def latencies_ms(cycles: list[RecordedCycle], arrivals: dict[str, dict[int, float]]) -> list[float]:
    """Wall time from a cycle's tracks to the first trajectory that the bridge handed on from it, ms."""
    tracks, handed = arrivals["tracks"], arrivals["trajectory"]
    pairs = [(tracks.get(c.of.inputs.tracks), handed.get(c.plan.stamp_ns)) for c in cycles]
    return [1e3 * (after - before) for before, after in pairs if before is not None and after is not None]


def missed(log: Log, latencies: list[float], answered: int) -> int:
    """Planning periods of the drive without a plan handed on in time: 10 Hz asked for, one period allowed."""
    asked = int(log.duration_s * 1e3 / DEADLINE_MS)
    late = sum(latency > DEADLINE_MS for latency in latencies)
    return max(asked - answered, 0) + late


def run_demo(
    scenario_file: Path | None,
    folder: Path,
    traffic: str = "recorded",
    tools: bool = False,
    speed_factor: float = 1.0,
    progress: Callable[[float, float], None] = lambda driven_s, most_s: None,
) -> DemoResult:
    """Drive, record, measure and draw; everything lies in `folder`, where a former drive is replaced.

    `progress` is called with the simulated time since the beginning and the scenario's longest, s.
    Raises BehaviorsError when the graph does not come up or does not drive.
    """
    path = scenario_file or DEMO
    if traffic not in ("recorded", "reactive"):
        raise InputError("demo", "--traffic", f"is '{traffic}'", "known: recorded, reactive")
    scenario = load_scenario(path, traffic=traffic)  # type: ignore[arg-type]
    if (folder / "bag").exists() and not (folder / "logs").exists():
        raise InputError(folder / "bag", "--out", "is not of a former drive", "choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for stale in ("bag", "logs"):
        shutil.rmtree(folder / stale, ignore_errors=True)
    executed = folder.resolve() / "drive.npz"
    executed.unlink(missing_ok=True)
    groups = ("stack", "loopback", "tools") if tools else ("stack", "loopback")
    loopback = {"log": str(executed), "traffic": traffic, "speed_factor": speed_factor}
    config = GraphConfig(groups=groups, scenario=str(path.resolve()), nodes={"loopback_simulator": loopback})
    about = {"source": path.name, "licence": scenario.provenance, "map": map_of(config)}
    # One process compiles what is not compiled yet; three nodes at once would each do the same.
    warm_up(build({"vehicle": scenario.vehicle.model_dump()}))
    arrivals = _driven(config, folder, about, lambda driven_s: progress(driven_s, scenario.duration_s))
    if not executed.is_file():
        raise BehaviorsError(f"the drive did not take place; see the nodes' output in {folder / 'logs'}")
    log = read_drive(executed, scenario)
    cycles = _cycles(config, folder / "bag", scenario)
    summary = _measured(log, cycles, arrivals)
    summary.write(folder / "summary.json")
    shown = summary.__dict__ | {"latency_ms": summary.latency_ms.__dict__}
    title = f"{scenario.name}: {summary.distance_m:.0f} m, {summary.duration_s:.0f} s"
    report = write_report(folder / "report.html", cycles, scenario.vehicle, title, shown)
    return DemoResult(summary, folder, report, folder / "bag")


def _driven(
    config: GraphConfig, folder: Path, about: dict[str, str], progress: Callable[[float], None]
) -> dict[str, dict[int, float]]:
    """Run the graph until the drive has ended, recording it; when messages arrived."""
    adopt()
    rclpy.init()
    try:
        with BagWriter(folder / "bag", about) as bag:
            recorder, executor = TimedRecorder(bag), EventsExecutor()
            executor.add_node(recorder)
            with Graph(config, folder / "logs") as graph:
                code = None
                while code is None:
                    executor.spin_once(timeout_sec=0.05)
                    code = graph.watch()
                    progress(max(recorder.get_clock().now().nanoseconds / NS - 1.0, 0.0))  # the drive begins at 1 s
            executor.remove_node(recorder)
            recorder.destroy_node()
    finally:
        rclpy.try_shutdown()
    if code not in (0, None):
        raise BehaviorsError(f"the graph ended with code {code}; see the nodes' output in {folder / 'logs'}")
    return recorder.arrivals


def _cycles(config: GraphConfig, bag: Path, scenario: Scenario) -> list[RecordedCycle]:
    """Recorded cycles of the drive, with the scene parameters that the nodes had."""
    return list(recorded_cycles(bag, SceneParameters(map=map_of(config)), scenario.vehicle))


def map_of(config: GraphConfig) -> str:
    """The map file that the planning nodes of a configuration load, '' for none."""
    return str(node_parameters(config)["prediction"]["scene"]["map"])


def _measured(log: Log, cycles: list[RecordedCycle], arrivals: dict[str, dict[int, float]]) -> Summary:
    """The summary of the executed drive and its decisions."""
    if not cycles:
        raise BehaviorsError("no planning cycle was recorded whole; see the nodes' output")
    scenario = log.scenario
    drive = Drive(log.ego, log.tracks, log.signals, scenario.route, scenario.map, scenario.goal, scenario.vehicle)
    plans: list[Plan] = [cycle.plan for cycle in cycles]
    latencies = latencies_ms(cycles, arrivals)
    return summarise(measure(drive), plans, log.duration_s, latencies, missed(log, latencies, len(latencies)))


def describe(result: DemoResult) -> list[tuple[str, str]]:
    """Rows of the table that is printed after the drive."""
    s = result.summary
    milliseconds = lambda x: "-" if x is None else f"{x:.0f} ms"  # noqa: E731
    return [
        ("goal", "reached" if s.goal_reached else "not reached"),
        ("collisions (at fault)", f"{s.collisions} ({s.at_fault_collisions})"),
        ("red lights run", str(s.red_lights_run)),
        ("off the road", f"{s.off_road_m:.2f} m" if s.off_road else "no"),
        ("comfort limits", "kept" if s.comfort_ok else f"broken: {', '.join(s.comfort_violations)}"),
        ("acceleration", f"{-s.deceleration_max_mps2:.2f} to {s.acceleration_max_mps2:.2f} m/s2"),
        ("lateral acceleration", f"{s.lateral_acceleration_max_mps2:.2f} m/s2"),
        ("driven", f"{s.distance_m:.0f} m in {s.duration_s:.1f} s"),
        ("planning cycles (missed)", f"{s.cycles} ({s.missed_cycles})"),
        ("tracks to trajectory p50, p99, max", ", ".join(
            milliseconds(x) for x in (s.latency_ms.p50, s.latency_ms.p99, s.latency_ms.max))),
        ("decision hash", s.decision_hash),
        ("report", str(result.report)),
        ("bag", str(result.bag)),
        ("summary", str(result.folder / "summary.json")),
    ]  # fmt: skip

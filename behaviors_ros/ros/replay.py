"""A bag through the planning nodes in lock step: the same bag gives the same decisions, however fast the machine is.

The nodes run in this process on one executor, which handles events in the order they arrive. The feeder hands in one
message at a time, waits until every subscription has it, and after tracks waits for the plan made of them.
"""

from __future__ import annotations

import gc
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from rclpy.duration import Duration
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from behaviors_ros.datatypes import Degraded, Plan
from behaviors_ros.errors import BehaviorsError, InputError
from behaviors_ros.evaluation.summary import decision_hash
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros.bags import BagWriter, count_messages, read_bag
from behaviors_ros.ros.conversion_stages import cycle
from behaviors_ros.ros.graph import NAMESPACE, TOPICS, nodes
from behaviors_ros.ros.node import LifecycleAdapter
from behaviors_ros.ros.planning import PlanningNode
from behaviors_ros.ros.prediction import PredictionNode
from behaviors_ros.ros.qos import PROFILES
from behaviors_ros.ros.recorder import full_name
from behaviors_ros.ros.trajectory_generation import GenerationNode
from behaviors_ros.ros.trajectory_scoring import ScoringNode
from behaviors_ros.yaml_files import read_mapping

INPUTS = ("route", "odometry", "tracks", "signals")
STAGES = ("predictions", "candidates", "scores", "selected")
OUTPUTS = (*STAGES, "trajectory", "path", "status")


@dataclass(frozen=True, eq=False)
class Replayed:
    """What came of a replay: tracks messages handed in, plans got, tracks without a plan, stage times, the hash."""

    tracks: int
    plans: tuple[Plan, ...]
    unanswered: int
    stage_ms: dict[str, list[float]]

    @property
    def decision_hash(self) -> str:
        """SHA-256 over all decisions."""
        return decision_hash(self.plans)


# One of these counts of the prediction node goes up with every tracks message that it has handled.
_HANDLED = ("cycles", "cycles not begun", "tracks refused", "tracks repeated", "errors")


class Feeder(Node):
    """Publishes recorded inputs and the clock; records what the nodes answer."""

    def __init__(self, bag: BagWriter | None) -> None:
        """`bag`: where inputs and answers are recorded, open; None: nowhere."""
        super().__init__("replay", namespace=NAMESPACE)
        self.bag, self.stamp_ns = bag, 0
        self.answered: dict[int, dict[str, Any]] = {}
        self.clock_publisher = self.create_publisher(Clock, "/clock", PROFILES[TOPICS["/clock"].qos])
        self.inputs = {
            name: self.create_publisher(TOPICS[name].message(), full_name(TOPICS[name]), PROFILES[TOPICS[name].qos])
            for name in INPUTS
        }
        for name in OUTPUTS:
            topic = TOPICS[name]
            self.create_subscription(topic.message(), full_name(topic), self._taker(name), PROFILES[topic.qos])

    def _taker(self, name: str) -> Callable[[Any], None]:
        def take(message: Any) -> None:
            if self.bag is not None:
                self.bag.write(full_name(TOPICS[name]), message, self.stamp_ns)
            if name in STAGES:
                self.answered.setdefault(cycle(message).number, {})[name] = message

        return take

    def hand_in(self, name: str, message: Any) -> None:
        """Publish one recorded input, and return when every subscription has it."""
        if self.bag is not None:
            self.bag.write(full_name(TOPICS[name]), message, self.stamp_ns, latched=name == "route")
        self.inputs[name].publish(message)
        self.inputs[name].wait_for_all_acked(Duration(seconds=2))


class LockStep:
    """The feeder and the nodes on one executor."""

    def __init__(self, feeder: Feeder, stack: list[LifecycleAdapter], patience_s: float) -> None:
        """`patience_s`: wall time to wait for an answer before going on without."""
        self.feeder, self.stack, self.patience_s = feeder, stack, patience_s
        self.executor = EventsExecutor()
        for node in (feeder, *stack):
            self.executor.add_node(node)

    def until(self, holds: Callable[[], bool], patience_s: float) -> bool:
        """Handle events until the condition holds; False when patience ends first."""
        end = time.monotonic() + patience_s
        while not holds():
            if time.monotonic() > end:
                return False
            self.executor.spin_once(timeout_sec=0.005)
        return True

    def to(self, stamp_ns: int) -> None:
        """Move every node's clock to the stamp. The clock is best effort: it is repeated until all have it."""
        self.feeder.stamp_ns = stamp_ns
        message = Clock(clock=conversion.time_message(stamp_ns))
        for _ in range(50):
            self.feeder.clock_publisher.publish(message)
            if self.until(lambda: all(node.now_ns >= stamp_ns for node in self.stack), 0.1):
                return
        raise BehaviorsError("replay: the nodes do not take the clock; is another /clock being published?")

    def close(self) -> None:
        """Let go of the nodes."""
        for node in (self.feeder, *self.stack):
            self.executor.remove_node(node)
        self.executor.shutdown()
        self.stack = []

    def answer(self, before: Counter[str]) -> bool:
        """Wait for all that comes of the tracks handed in, and until every planning node knows their plan as previous.

        `before`: the prediction node's counts before they were. False when no cycle began (inputs still missing, or the
        tracks refused) or none ended in time.
        """
        counts = self.prediction.counts
        if not self.until(lambda: any(counts[key] > before[key] for key in _HANDLED), self.patience_s):
            return False
        if counts["cycles"] == before["cycles"]:
            return False
        number = self.prediction.number
        if not self.until(lambda: len(self.feeder.answered.get(number, ())) == len(STAGES), self.patience_s):
            return False
        planning = [node for node in self.stack if isinstance(node, PlanningNode)]
        return self.until(lambda: all(node.inputs.plan_id == number for node in planning), self.patience_s)

    @property
    def scoring(self) -> ScoringNode:
        """The node that makes the plans."""
        return next(node for node in self.stack if isinstance(node, ScoringNode))

    @property
    def generation(self) -> GenerationNode:
        """The node that makes the candidates."""
        return next(node for node in self.stack if isinstance(node, GenerationNode))

    @property
    def prediction(self) -> PredictionNode:
        """The node that begins cycles."""
        return next(node for node in self.stack if isinstance(node, PredictionNode))


@contextmanager
def lock_step(
    parameter_files: list[Path], overrides: dict[str, str], bag: BagWriter | None, patience_s: float, log_level: str
) -> Iterator[LockStep]:
    """The stack and a feeder, configured, active and connected."""
    arguments = ["--ros-args", "--log-level", log_level, "-p", "use_sim_time:=true"]
    for file in parameter_files:
        arguments += ["--params-file", str(file)]
    for name, text in overrides.items():
        arguments += ["-p", f"{name}:={json.dumps(text)}"]  # quoted: a text whatever is in it
    try:
        rclpy.init(args=arguments)
    except RuntimeError as error:
        why = " ".join(str(error).split()).split(", at /")[0]
        raise InputError("nodes", "parameters", why, "give files as in config/") from None
    with ExitStack() as closing:
        closing.callback(_forget)
        feeder = Feeder(bag)
        closing.callback(feeder.destroy_node)
        stack: list[LifecycleAdapter] = []
        for entry in nodes(("stack",)):
            stack.append(entry.load()())
            closing.callback(stack[-1].destroy_node)
            if not stack[-1].autostart():
                raise BehaviorsError(f"{entry.name}: {stack[-1].failure}")
        step = LockStep(feeder, stack, patience_s)
        closing.callback(step.close)
        connected = lambda: all(p.get_subscription_count() >= _readers(n) for n, p in feeder.inputs.items())  # noqa: E731
        if not step.until(connected, 10.0):
            raise BehaviorsError("replay: the nodes do not subscribe; is the middleware configured for this machine?")
        yield step


def _forget() -> None:
    """Nodes that have been active are frozen for the garbage collector: without this their participant lives on."""
    rclpy.try_shutdown()
    gc.unfreeze()
    gc.collect()


def input_counts(bag: Path) -> dict[str, int]:
    """How many messages of each input a bag holds, by topic.

    One without those that every plan needs, or with another type of message, raises InputError.
    """
    counts = count_messages(bag, {full_name(TOPICS[name]): TOPICS[name].message() for name in INPUTS})
    for name in ("tracks", "odometry", "route"):
        topic = full_name(TOPICS[name])
        if not counts[topic]:
            raise InputError(bag, topic, "is not recorded", "record it too: nothing can be planned without")
    return counts


def require_parameters(files: list[Path]) -> None:
    """Raise InputError for a parameter file that is no YAML mapping."""
    for file in files:
        read_mapping(file, "give a file as in config/ with --params")


def _readers(name: str) -> int:
    return sum(name in entry.reads for entry in nodes(("stack",)))


@dataclass(frozen=True)
class Shortened:
    """What was left out for lack of time when a bag was recorded, by odometry stamp, ns: how many candidates were
    scored, which generators were asked, and the cycles in which far agents went on as now.
    """

    evaluated: dict[int, int]
    asked: dict[int, tuple[str, ...]]
    far_simple: frozenset[int]


def shortened(bag: Path) -> Shortened:
    """What a bag's own cycles left out; nothing where they were recorded with other types of message."""
    topics = {full_name(TOPICS[name]): name for name in ("predictions", "candidates", "selected")}
    try:
        found = [
            (topics[topic], message) for topic, message, _ in
            read_bag(bag, {topic: TOPICS[name].message() for topic, name in topics.items()})
        ]  # fmt: skip
    except InputError:
        return Shortened({}, {}, frozenset())

    def cycles(topic: str, flag: Degraded) -> list[tuple[int, Any]]:
        return [(cycle(m).inputs.odometry, m) for name, m in found if name == topic and cycle(m).degraded & flag]

    return Shortened(
        {stamp: int(m.evaluated) for stamp, m in cycles("selected", Degraded.SLOW) if m.evaluated},
        {stamp: tuple(dict.fromkeys(m.generator)) for stamp, m in cycles("candidates", Degraded.SLOW)},
        frozenset(stamp for stamp, _ in cycles("predictions", Degraded.FAR_AGENTS)),
    )


def replay(
    bag: Path,
    out: BagWriter | None,
    parameter_files: list[Path],
    overrides: dict[str, str],
    progress: Callable[[], None] = lambda: None,
    patience_s: float = 5.0,
    log_level: str = "warn",
) -> Replayed:
    """Run a bag's inputs through the nodes. `out` is open; `progress` is called after every tracks message.

    Raises InputError for a bag that cannot be read, BehaviorsError for nodes that cannot be configured.
    """
    types = {full_name(TOPICS[name]): TOPICS[name].message() for name in INPUTS}
    with lock_step(parameter_files, overrides, out, patience_s, log_level) as step:
        left_out = shortened(bag)
        step.scoring.to_evaluate, step.generation.to_ask = left_out.evaluated, left_out.asked
        step.prediction.far_simple = set(left_out.far_simple)
        handed = unanswered = 0
        for topic, message, stamp_ns in read_bag(bag, types):
            name = topic.removeprefix(f"{NAMESPACE}/")
            if stamp_ns > step.feeder.stamp_ns:
                step.to(stamp_ns)
            before = step.prediction.counts.copy()
            step.feeder.hand_in(name, message)
            if name == "tracks":
                handed += 1
                unanswered += not step.answer(before)
                progress()
        answered = step.feeder.answered
        found = [answered[number]["selected"] for number in sorted(answered) if "selected" in answered[number]]
    plans = tuple(conversion_plan.plan(message) for message in found)
    times = {
        stage: [1e3 * getattr(m.times, f"{stage}_s") for m in found]
        for stage in ("prediction", "generation", "scoring")
    }
    return Replayed(handed, plans, unanswered, times)

"""What every node shares: lifecycle with autostart, guarded callbacks, diagnostics, and a run that ends cleanly.

The one `except Exception` of the project is in `LifecycleAdapter.guarded`: a bug in a cycle is logged with its
traceback and shown as an error on /diagnostics; nothing is published, so the controls bridge goes down to a stop.
"""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.executors import ExternalShutdownException
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.msg import StackEvent
from behaviors_ros.parameters import Parameters
from behaviors_ros.ros.declare import declared
from behaviors_ros.ros.graph import NAMESPACE, TOPICS
from behaviors_ros.ros.qos import DIAGNOSTICS, PROFILES

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
_SEVERITY = {OK: StackEvent.INFO, WARN: StackEvent.WARN, ERROR: StackEvent.ERROR}


class LifecycleAdapter(LifecycleNode):
    """A lifecycle node around core calls. A subclass has `name`, `model` (its parameters) and `configure(parameters)`.

    `plugins`: which of its parameters names plugins, and of what kind.
    """

    name: ClassVar[str]
    model: ClassVar[type[Parameters]]
    plugins: ClassVar[dict[str, str]] = {}

    def __init__(self, **kwargs: Any) -> None:
        """Create the node in our namespace; nothing is declared or subscribed before it is configured."""
        super().__init__(self.name, namespace=NAMESPACE, **kwargs)
        self.active = False
        self.failure = ""
        self.counts: Counter[str] = Counter()
        self._state = (OK, "starting")
        self._seen = 0
        self._last_refusals: dict[str, str] = {}
        self._made: list[tuple[Callable[[Any], Any], Any]] = []
        if not self.has_parameter("autostart"):
            self.declare_parameter("autostart", True)

    # --- lifecycle ---------------------------------------------------------------------------------------------------

    def autostart(self) -> bool:
        """Configure and activate, unless the parameter `autostart` leaves it to a lifecycle manager."""
        if not self.get_parameter("autostart").value:
            return True
        good = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == good and self.trigger_activate() == good

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read and validate the parameters, load, subscribe, and run once so that nothing is compiled in a cycle."""
        self.failure = "configuring failed"
        self.guarded("configure", self._configure)()
        return TransitionCallbackReturn.FAILURE if self.failure else super().on_configure(state)

    def _configure(self) -> None:
        publisher = self.create_publisher(DiagnosticArray, "/diagnostics", DIAGNOSTICS)
        events = TOPICS["events"]
        self._events = self.create_publisher(StackEvent, events.name, PROFILES[events.qos])
        self._diagnostics = publisher
        self._made = [(self.destroy_publisher, publisher), (self.destroy_publisher, self._events)]
        self.every(1.0, self._diagnose, always=True)
        try:
            self.configure(declared(self, self.model))
        except BehaviorsError as error:
            self.failure = str(error)
            self.get_logger().error(self.failure)
            return
        self.failure = ""

    def configure(self, parameters: Any) -> None:
        """Build the node's core objects and its publishers and subscriptions."""
        raise TypeError(f"{type(self).__name__} does not say how it is configured")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Take part in the cycle. What exists now is not looked at by the garbage collector again."""
        gc.collect()
        gc.freeze()
        self.active = True
        self.report(OK, "active")
        self.event("lifecycle", self.name, "active")
        self.get_logger().info("active")
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop taking part."""
        self.active = False
        self.report(OK, "inactive")
        self.event("lifecycle", self.name, "inactive")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give up publishers, subscriptions and timers."""
        self.active = False
        result = super().on_cleanup(state)
        for destroy, made in self._made:
            destroy(made)
        self._made = []
        return result

    # --- topics, timers ----------------------------------------------------------------------------------------------

    def writes(self, name: str) -> Any:
        """Publisher of a topic of the graph table; silent while the node is not active."""
        topic = TOPICS[name]
        return self.writes_to(topic.message(), topic.name, PROFILES[topic.qos])

    def writes_to(self, kind: Any, topic: str, profile: QoSProfile) -> Any:
        """Publisher of a message type on any topic; silent while the node is not active."""
        publisher = self.create_lifecycle_publisher(kind, topic, profile)
        self.keeps(self.destroy_lifecycle_publisher, publisher)
        return publisher

    def keeps(self, destroy: Callable[[Any], Any], made: Any) -> None:
        """Destroy what has been made when the node is cleaned up."""
        self._made.append((destroy, made))

    def reads(self, name: str, callback: Callable[[Any], None], raw: bool = False) -> None:
        """Subscription of a topic of the graph table; the callback is guarded, and only called while active.

        `raw`: it gets the serialised bytes.
        """
        topic = TOPICS[name]
        self.reads_from(topic.message(), topic.name, PROFILES[topic.qos], name, callback, raw)

    def reads_from(
        self, kind: Any, topic: str, profile: QoSProfile, source: str, callback: Callable[[Any], None],
        raw: bool = False,
    ) -> None:  # fmt: skip
        """Subscription of a message type on any topic, likewise; `source` is its name in what is refused."""
        made = self.create_subscription(kind, topic, self.guarded(source, callback), profile, raw=raw)
        self.keeps(self.destroy_subscription, made)

    def every(
        self, period_s: float, callback: Callable[[], None], always: bool = False, clock: Clock | None = None
    ) -> None:
        """Call back at a fixed period of the node's clock, or of another; `always`: also while not active."""
        work = callback if always else self.guarded("timer", callback)
        # A timer whose callback takes arguments is given timer information: ours take none.
        made = self.create_timer(period_s, lambda: work(), clock=clock)
        self._made.append((self.destroy_timer, made))

    def guarded(self, source: str, work: Callable[..., None]) -> Callable[..., None]:
        """`work` as a callback that cannot bring the node down: bad input is refused and counted, a bug is reported."""

        def call(*arguments: Any) -> None:
            # While shutting down nothing can be published any more.
            if not self.context.ok() or (not self.active and source not in ("configure", "executor")):
                return
            try:
                work(*arguments)
            except BehaviorsError as refused:
                self.refuse(source, str(refused))
            except Exception:
                if not self.context.ok():
                    return
                self.counts["errors"] += 1
                reason = traceback.format_exc(limit=-1).strip().splitlines()[-1]
                self.report(ERROR, f"{source}: {reason}")
                self.get_logger().error(f"{source}: {traceback.format_exc()}", throttle_duration_sec=1.0)
                self.event("error", source, reason, ERROR)

        return call

    # --- facts -------------------------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Now on the node's clock (simulated time where use_sim_time is set)."""
        return int(self.get_clock().now().nanoseconds)

    def refuse(self, source: str, reason: str) -> None:
        """Count a refused input; log it when the reason is another one than before."""
        self.counts[f"{source} refused"] += 1
        self.report(WARN, f"{source}: {reason}")
        kind = reason.translate(str.maketrans("", "", "0123456789."))
        if self._last_refusals.get(source) != kind:
            self._last_refusals[source] = kind
            self.event("refused", source, reason, WARN)
            self.get_logger().warning(f"{source} refused: {reason}")

    def event(self, kind: str, subject: str, reason: str, level: bytes = OK, plan_id: int = 0) -> None:
        """Say on the topic of events that something happened; for what changes, not for what goes on."""
        message = StackEvent(severity=_SEVERITY[level], node=self.name, kind=kind, subject=subject, reason=reason,
                             plan_id=plan_id)  # fmt: skip
        message.header.stamp = self.get_clock().now().to_msg()
        self._events.publish(message)

    def report(self, level: bytes, text: str) -> None:
        """What /diagnostics says about this node from now on; a lower level waits until the higher has been shown."""
        if level >= self._state[0] or self._seen > 0:
            self._state, self._seen = (level, text), 0

    def facts(self) -> dict[str, str]:
        """What /diagnostics shows besides the counts."""
        return {}

    def _diagnose(self) -> None:
        level, text = self._state
        shown = {key: str(number) for key, number in self.counts.items()} | self.facts()
        values = [KeyValue(key=key, value=text) for key, text in sorted(shown.items())]
        status = DiagnosticStatus(
            level=level, name=f"behaviors: {self.name}", message=text, hardware_id="behaviors_ros", values=values
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)
        self._seen += 1


class _Told(BaseException):
    """A signal to end, where it arrives while the nodes still start."""


class _Ending:
    """Whether this process has been told to end. rclpy's handlers raise in the midst of callbacks, ours set a flag."""

    def __init__(self) -> None:
        self.told, self.starting = False, True
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self.told = True
        if self.starting:  # each time: a compiler's callback may have swallowed the first
            raise _Told


def run(classes: Sequence[type[LifecycleAdapter]], arguments: Sequence[str] | None = None) -> int:
    """Run nodes in this process until it is told to end; 2 when one cannot be configured (its reason is logged)."""
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # a parameter file that is none, among others
        print(f"behaviors: nodes: arguments: {' '.join(str(error).split())[:300]}", file=sys.stderr)
        return 2
    ending = _Ending()
    nodes: list[LifecycleAdapter] = []
    try:
        for cls in classes:
            nodes.append(cls())
            if not nodes[-1].autostart():
                return 2
        ending.starting = False
        _spin(nodes, ending)
    except (_Told, ExternalShutdownException):
        pass
    finally:
        ending.starting = False
        for node in nodes:
            node.destroy_node()
        rclpy.try_shutdown()
        # An interrupt often comes twice, from the terminal and from what started us: the second must not kill the exit.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    return 0


def _spin(nodes: Sequence[LifecycleAdapter], ending: _Ending) -> None:
    # The events executor: a third less CPU and jitter than the others (docs/decisions/0003-executor.md).
    executor = EventsExecutor()
    for node in nodes:
        executor.add_node(node)
    # What rclpy's own callbacks raise (a clock before zero, bytes that are no message) must not end the process.
    step = nodes[0].guarded("executor", lambda: executor.spin_once(timeout_sec=0.1))
    while rclpy.ok() and not ending.told:
        step()
    for node in nodes:
        executor.remove_node(node)


def main(cls: type[LifecycleAdapter]) -> None:
    """Entry point of an executable that runs one node."""
    sys.exit(run([cls]))

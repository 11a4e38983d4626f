"""Quality of service, named in one place. No deadline, no liveliness: ages are judged by stamps, by what reads them."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy


def _profile(depth: int, reliability: ReliabilityPolicy, durability: DurabilityPolicy) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=reliability, durability=durability
    )  # fmt: skip


# Only the latest counts: commands, trajectories, status.
LATEST = _profile(1, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)
# Planning messages and the sensor inputs that name cycles: a node that was busy for a moment still finds every stamp.
CYCLE = _profile(10, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)
# Odometry at 50 Hz and more: one second of it, so that consecutive speeds are the same in every node.
ODOMETRY = _profile(50, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)
# What sensors publish, reliably or not.
SENSOR = _profile(5, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE)
# Set once and kept for late joiners: route.
LATCHED = _profile(1, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)
# Simulated time.
CLOCK = _profile(1, ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE)
DIAGNOSTICS = _profile(10, ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)

# Few, in bursts; kept for who joins late.
EVENTS = _profile(100, ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL)

PROFILES = {
    "latest": LATEST, "cycle": CYCLE, "odometry": ODOMETRY, "latched": LATCHED, "clock": CLOCK, "events": EVENTS,
}  # fmt: skip

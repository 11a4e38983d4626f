"""What a tracking controller says of itself, and what the bridge makes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from behaviors_ros.parameters import Parameters, value

NS = 1_000_000_000


class FeedbackLimits(Parameters):
    """When a controller counts as not following."""

    required: bool = value(False, "a controller that was never heard is a cause to stop")
    silence_max_s: float = value(0.5, "time without a report after which it is dead", low=0.05, high=10.0)
    lateral_max_m: float = value(0.8, "largest distance across the trajectory", low=0.05, high=5.0)
    heading_max_rad: float = value(0.35, "largest angle to the trajectory", low=0.02, high=1.6)
    longitudinal_max_m: float = value(3.0, "largest distance along the trajectory", low=0.1, high=20.0)
    speed_max_mps: float = value(2.5, "largest difference of speed", low=0.1, high=10.0)
    stopping_max_s: float = value(
        0.3, "time for which it may stop by itself while it is handed a plan to follow", low=0.02, high=5.0
    )


@dataclass(frozen=True)
class ControllerReport:
    """State of a tracking controller: whether it follows, why not, and the errors it leaves (NaN: not known).

    lateral_m: + vehicle left of the trajectory; heading_rad: + turned left of it; longitudinal_m: + ahead of it;
    speed_mps: + faster. trajectory_ns: stamp of the trajectory it follows, 0 none.
    """

    stamp_ns: int
    tracking: bool
    reason: str = ""
    fault: bool = False
    trajectory_ns: int = 0
    lateral_m: float = math.nan
    heading_rad: float = math.nan
    longitudinal_m: float = math.nan
    speed_mps: float = math.nan


@dataclass(frozen=True)
class ControllerWatch:
    """The last report, when it arrived, and since when reports say that it tracks, or that it does not."""

    report: ControllerReport | None = None
    heard_ns: int = 0
    since_ns: int = 0


def reported(watch: ControllerWatch, report: ControllerReport, now_ns: int) -> ControllerWatch:
    """The watch after a report that arrived now."""
    same = watch.report is not None and watch.report.tracking == report.tracking and watch.since_ns <= now_ns
    return ControllerWatch(report, now_ns, watch.since_ns if same else now_ns)


def not_following(watch: ControllerWatch, asked_ns: int, now_ns: int, limits: FeedbackLimits) -> str:
    """Why the controller cannot be relied on; empty while it can. asked_ns: since when it has been handed plans."""
    report = watch.report
    if report is None:
        return "the controller has never been heard" if limits.required else ""
    silence_s = (now_ns - watch.heard_ns) / NS
    if abs(silence_s) > limits.silence_max_s:
        return f"the controller has been silent for {silence_s:.2f} s"
    if report.fault:
        return f"the controller has a fault: {report.reason or 'not named'}"
    if not report.tracking:
        # A moment is granted: what is handed on has to reach it, and its answer us.
        stopping_s = (now_ns - max(watch.since_ns, asked_ns)) / NS
        reason = report.reason or "does not say why"
        return f"the controller stops by itself: {reason}" if stopping_s > limits.stopping_max_s else ""
    for name, error, limit, unit in (
        ("lateral", report.lateral_m, limits.lateral_max_m, "m"),
        ("heading", report.heading_rad, limits.heading_max_rad, "rad"),
        ("longitudinal", report.longitudinal_m, limits.longitudinal_max_m, "m"),
        ("speed", report.speed_mps, limits.speed_max_mps, "m/s"),
    ):
        if abs(error) > limit:
            return f"the controller does not follow: {name} error {error:.2f} {unit}"
    return ""

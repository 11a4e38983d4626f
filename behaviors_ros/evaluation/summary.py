"""The summary of a drive: a value, its JSON, and the hash of its decisions. Keys are stable."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import POSITION_QUANTUM_M, Plan
from behaviors_ros.evaluation.metrics import Metrics


@dataclass(frozen=True)
class Latency:
    """Time from a cycle's tracks to its plan, ms; None where nothing was measured."""

    p50: float | None
    p99: float | None
    max: float | None


@dataclass(frozen=True)
class Summary:
    """Figures of one drive. The first nine are those that a demo is judged by; None: not measured or never.

    duration_s: driven time; cycles: plans made; missed_cycles: plans that came too late; latency_ms: see `Latency`;
    decision_hash: SHA-256 over all decisions (`decision_hash`); min_ttc_s: least time to collision; the maxima are
    magnitudes of the executed motion after smoothing (`evaluation.comfort`).
    """

    goal_reached: bool
    collisions: int
    at_fault_collisions: int
    red_lights_run: int
    duration_s: float
    cycles: int
    missed_cycles: int
    latency_ms: Latency
    decision_hash: str
    goal_time_s: float | None
    comfort_ok: bool
    comfort_violations: tuple[str, ...]
    acceleration_max_mps2: float
    deceleration_max_mps2: float
    lateral_acceleration_max_mps2: float
    longitudinal_jerk_max_mps3: float
    jerk_max_mps3: float
    yaw_rate_max_radps: float
    off_road: bool
    off_road_m: float
    min_ttc_s: float | None
    distance_m: float
    progress_m: float
    speed_limit_compliance: float
    overspeed_max_mps: float

    def json(self) -> str:
        """As JSON text."""
        return json.dumps(asdict(self), indent=2)

    def write(self, path: Path) -> None:
        """Write the JSON, making its folder where needed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.json() + "\n", encoding="utf-8")


def summarise(
    metrics: Metrics,
    plans: Sequence[Plan],
    duration_s: float,
    latencies_ms: Iterable[float] = (),
    missed_cycles: int = 0,
) -> Summary:
    """The summary of measured metrics and made plans."""
    felt = metrics.comfort
    return Summary(
        goal_reached=metrics.goal_reached,
        collisions=len(metrics.collisions),
        at_fault_collisions=len(metrics.at_fault),
        red_lights_run=metrics.red_lights_run,
        duration_s=round(duration_s, 3),
        cycles=len(plans),
        missed_cycles=missed_cycles,
        latency_ms=latency(latencies_ms),
        decision_hash=decision_hash(plans),
        goal_time_s=_finite(metrics.goal_time_s),
        comfort_ok=not metrics.comfort_violations,
        comfort_violations=metrics.comfort_violations,
        acceleration_max_mps2=float(felt.acceleration.max(initial=0.0)),
        deceleration_max_mps2=float(-felt.acceleration.min(initial=0.0)),
        lateral_acceleration_max_mps2=float(np.abs(felt.lateral_acceleration).max(initial=0.0)),
        longitudinal_jerk_max_mps3=float(np.abs(felt.longitudinal_jerk).max(initial=0.0)),
        jerk_max_mps3=float(felt.jerk.max(initial=0.0)),
        yaw_rate_max_radps=float(np.abs(felt.yaw_rate).max(initial=0.0)),
        off_road=metrics.off_road,
        off_road_m=metrics.off_road_m,
        min_ttc_s=_finite(metrics.min_ttc_s),
        distance_m=metrics.distance_m,
        progress_m=metrics.progress_m,
        speed_limit_compliance=metrics.speed_limit_compliance,
        overspeed_max_mps=metrics.overspeed_max_mps,
    )


def latency(latencies_ms: Iterable[float]) -> Latency:
    """Median, 99th percentile (linear between ranks) and maximum."""
    values = np.array(list(latencies_ms), dtype=np.float64)
    if not values.size:
        return Latency(None, None, None)
    p50, p99 = np.percentile(values, (50, 99))
    return Latency(float(p50), float(p99), float(values.max()))


def decision_hash(plans: Iterable[Plan]) -> str:
    """SHA-256 over (stamp, generator, label, candidate index, trajectory) of every plan, in order.

    The trajectory counts with the precision of a message: positions in quanta of 2^-13 m, the rest as float32.
    """
    digest = hashlib.sha256()
    for plan in plans:
        digest.update(f"{plan.stamp_ns}|{plan.generator}|{plan.label}|{plan.index}|".encode())
        trajectory = plan.trajectory
        digest.update(np.round(trajectory.position / POSITION_QUANTUM_M).astype("<i8").tobytes())
        for name in ("yaw", "speed", "acceleration", "curvature"):
            digest.update((getattr(trajectory, name).astype("<f4") + np.float32(0.0)).tobytes())
    return digest.hexdigest()


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None

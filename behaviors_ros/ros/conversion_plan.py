"""Messages <-> datatypes: the decision and what follows it (trajectory, path, selected trajectory, control, status)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path

from behaviors_ros.control.feedback import ControllerReport
from behaviors_ros.datatypes import ControlCommand, Decision, Degraded, Manoeuvre, Outcome, Plan, Trajectory
from behaviors_ros.errors import InputError
from behaviors_ros.msg import ControlCommand as ControlCommandMessage
from behaviors_ros.msg import ControllerState, SelectedTrajectory, TrajectoryPoint
from behaviors_ros.msg import Trajectory as TrajectoryMessage
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros.conversion import NS, Bounds, header, nanoseconds, packed, set_yaw, time_message, yaw_of
from behaviors_ros.ros.conversion_stages import Cycle, inputs_message, plan_number, times_message


def trajectory_message(found: Trajectory, vehicle: Vehicle) -> TrajectoryMessage:
    """A trajectory as a message; heading rate and wheel angle follow from speed and curvature (kinematic bicycle)."""
    wheel = np.arctan(vehicle.wheel_base_m * found.curvature)
    columns = (found.time_s, found.position[:, 0], found.position[:, 1], found.yaw, found.speed, found.acceleration,
               found.speed * found.curvature, wheel, found.curvature)  # fmt: skip
    points = [_point(*row) for row in np.stack(columns, axis=1).tolist()]
    return TrajectoryMessage(header=header(found.stamp_ns), points=points)


def _point(
    time: float,
    x: float,
    y: float,
    yaw: float,
    speed: float,
    acceleration: float,
    rate: float,
    wheel: float,
    bend: float,
) -> TrajectoryPoint:
    point = TrajectoryPoint()
    nanos = round(time * NS)
    point.time_from_start.sec, point.time_from_start.nanosec = nanos // NS, nanos % NS
    point.pose.position.x, point.pose.position.y = x, y
    set_yaw(point.pose.orientation, yaw)
    point.longitudinal_velocity_mps, point.acceleration_mps2 = speed, acceleration
    point.heading_rate_rps, point.front_wheel_angle_rad, point.curvature_1pm = rate, wheel, bend
    return point


def trajectory(message: TrajectoryMessage) -> Trajectory:
    """The trajectory of a message. On an even time grid the instants are those of `datatypes.Grid`, to the bit."""
    if not message.points:
        raise InputError("trajectory", "points", "is empty", "send at least one point")
    rows = [
        (p.pose.position.x, p.pose.position.y, yaw_of(p.pose.orientation), p.longitudinal_velocity_mps,
         p.acceleration_mps2, p.curvature_1pm) for p in message.points
    ]  # fmt: skip
    columns = np.array(rows, dtype=np.float64)
    nanos = np.array([nanoseconds(point.time_from_start) for point in message.points], dtype=np.int64)
    return Trajectory(
        stamp_ns=nanoseconds(message.header.stamp),
        time_s=_instants(nanos),
        position=columns[:, :2].copy(),
        # The quaternion keeps a yaw to 1e-15; float32 is the precision of what the stages hand on.
        yaw=columns[:, 2].astype(np.float32).astype(np.float64),
        speed=columns[:, 3].copy(),
        acceleration=columns[:, 4].copy(),
        curvature=columns[:, 5].copy(),
    )


def usable(found: Trajectory, source: str, bounds: Bounds = Bounds()) -> Trajectory:
    """The trajectory, for readers that do not judge it themselves; one no vehicle can be on raises `InputError`."""
    limits = (
        (found.position, bounds.position_max_m), (found.yaw, 1e3), (found.speed, bounds.speed_max_mps),
        (found.acceleration, bounds.acceleration_max_mps2), (found.curvature, bounds.curvature_max_1pm),
    )  # fmt: skip
    if not all((np.abs(numbers) <= most).all() for numbers, most in limits):
        raise InputError(source, "points", "are not finite, or beyond what a vehicle can do", "send m, s and rad")
    if (np.diff(found.time_s) <= 0.0).any():
        raise InputError(source, "time_from_start", "does not increase", "send the points in the order of their times")
    return found


def _instants(nanos: np.ndarray) -> np.ndarray:
    steps = np.arange(len(nanos))
    if len(nanos) > 1 and np.array_equal(nanos, steps * nanos[1]):
        return steps * (int(nanos[1]) / NS)
    return nanos / NS


def path_message(found: Trajectory) -> Path:
    """Where a trajectory goes, without time."""
    top = header(found.stamp_ns)
    poses = []
    for x, y, yaw in zip(*found.position.T.tolist(), found.yaw.tolist(), strict=True):
        stamped = PoseStamped(header=top)
        stamped.pose.position.x, stamped.pose.position.y = x, y
        set_yaw(stamped.pose.orientation, yaw)
        poses.append(stamped)
    return Path(header=top, poses=poses)


def plan_message(plan: Plan, of: Cycle, vehicle: Vehicle, model_hash: str = "") -> SelectedTrajectory:
    """The decision of a cycle as a message, with the selected candidate's row of the score table."""
    message = SelectedTrajectory(
        header=header(plan.stamp_ns),
        plan_id=plan.plan_id,
        inputs=inputs_message(of.inputs),
        times=times_message(of.times_s),
        degraded=int(plan.degraded),
        valid_until=time_message(plan.valid_until_ns),
        trajectory=trajectory_message(plan.trajectory, vehicle),
        stop=trajectory_message(plan.stop, vehicle),
        generator=plan.generator,
        label=plan.label,
        candidate=plan.index,
        stop_candidate=plan.stop_index,
        outcome=int(plan.outcome),
        reason=plan.reason,
        model_hash=model_hash,
        evaluated=plan.evaluated,
        **_decided(plan.decision),
    )
    if plan.scores is not None:
        row, table = plan.index, plan.scores
        message.gates, message.scorers = list(table.gates), list(table.scorers)
        message.gate_passed = table.passed[row].tolist()
        message.gate_value, message.gate_limit = packed("f", table.value[row]), packed("f", table.limit)
        message.raw, message.score = packed("f", table.raw[row]), packed("f", table.score[row])
        message.weight, message.total = packed("f", table.weight), float(table.total[row])
    return message


def _decided(decision: Decision | None) -> dict[str, Any]:
    """The fields that tell what a plan means."""
    if decision is None:
        return {"manoeuvre": SelectedTrajectory.NOT_TOLD}
    return {
        "manoeuvre": int(decision.manoeuvre),
        "subject": decision.subject,
        "since": time_message(decision.since_ns),
        "lead": decision.lead,
        "before": list(decision.before),
        "behind": list(decision.behind),
        "doubt_since": time_message(decision.doubt_since_ns),
        "waits_since": time_message(decision.waits_since_ns),
    }


def _decision(message: SelectedTrajectory) -> Decision | None:
    if message.manoeuvre == SelectedTrajectory.NOT_TOLD:
        return None
    if message.manoeuvre not in tuple(Manoeuvre):
        raise InputError("selected", "manoeuvre", f"is {message.manoeuvre}", "known: 0 to 13, 255: not told")
    return Decision(
        Manoeuvre(message.manoeuvre), message.subject, nanoseconds(message.since), message.lead,
        tuple(message.before), tuple(message.behind), nanoseconds(message.doubt_since),
        nanoseconds(message.waits_since),
    )  # fmt: skip


def plan(message: SelectedTrajectory) -> Plan:
    """The decision of a message. The score table and the meaning of the other candidates are not part of it: None."""
    if message.outcome not in tuple(Outcome):
        raise InputError("selected", "outcome", f"is {message.outcome}", "known: 0 to 3")
    return Plan(
        stamp_ns=nanoseconds(message.header.stamp),
        plan_id=plan_number(message.plan_id),
        trajectory=trajectory(message.trajectory),
        stop=trajectory(message.stop),
        valid_until_ns=nanoseconds(message.valid_until),
        index=int(message.candidate),
        stop_index=int(message.stop_candidate),
        generator=message.generator,
        label=message.label,
        outcome=Outcome(message.outcome),
        reason=message.reason,
        degraded=Degraded(int(message.degraded)),
        decision=_decision(message),
        evaluated=int(message.evaluated),
    )


def usable_plan(message: SelectedTrajectory) -> Plan:
    """The decision of a message whose trajectories are `usable`."""
    found = plan(message)
    usable(found.trajectory, "selected")
    usable(found.stop, "selected")
    return found


def command_message(command: ControlCommand) -> ControlCommandMessage:
    """A control command as a message."""
    return ControlCommandMessage(
        header=header(command.stamp_ns, "base_link"),
        steering_angle_rad=float(command.steering),
        steering_rate_radps=float(command.steering_rate),
        speed_mps=float(command.speed),
        acceleration_mps2=float(command.acceleration),
    )


def command(message: ControlCommandMessage) -> ControlCommand:
    """The control command of a message; a number that is not finite raises `InputError`."""
    found = ControlCommand(
        nanoseconds(message.header.stamp), message.steering_angle_rad, message.steering_rate_radps,
        message.speed_mps, message.acceleration_mps2,
    )  # fmt: skip
    if not math.isfinite(found.steering + found.steering_rate + found.speed + found.acceleration):
        raise InputError("control_command", "values", "are not finite", "send finite numbers")
    return found


def controller_report(message: ControllerState) -> ControllerReport:
    """What a controller says of itself; errors that are not finite are not known. An unknown state: `InputError`."""
    if message.state not in (ControllerState.TRACKING, ControllerState.STOPPING, ControllerState.FAULT):
        raise InputError("controller_state", "state", f"is {message.state}", "known: 0 to 2")
    return ControllerReport(
        nanoseconds(message.header.stamp), message.state == ControllerState.TRACKING, message.reason,
        message.state == ControllerState.FAULT, nanoseconds(message.trajectory), message.lateral_error_m,
        message.heading_error_rad, message.longitudinal_error_m, message.speed_error_mps,
    )  # fmt: skip

"""Paths that keep the lane, keep an offset in it, or change to the lane beside."""

from __future__ import annotations

import math
from functools import lru_cache

from behaviors_ros.generation.paths import Paths, Profile, joined, lateral_paths
from behaviors_ros.generation.pursuit import Turning, pursuit_paths
from behaviors_ros.generation.situation import Situation
from behaviors_ros.generation.smooth_path import Wide, wide_path
from behaviors_ros.parameters import Parameters, Vehicle, value


class Lateral(Parameters):
    """Which lateral motions are offered."""

    offsets_m: tuple[float, ...] = value((-1.0, -0.5, 0.5, 1.0), "offsets from the centre line, + left")
    times_s: tuple[float, ...] = value((2.0, 3.5, 5.0), "durations of lateral motions at the present speed")
    length_min_m: float = value(6.0, "shortest lateral motion", low=1.0, high=50.0)
    acceleration_mps2: float = value(1.2, "lateral acceleration that sets the least length", low=0.2, high=5.0)
    margin_m: float = value(
        0.15, "distance of the ego's side to a boundary; vehicle.tracking_error_m at least", low=0.0, high=2.0
    )
    pursuit_offset_m: float = value(2.5, "farther off than this, pursuit paths are added", low=0.0, high=50.0)
    pursuit_heading_rad: float = value(0.35, "turned more than this, pursuit paths are added", low=0.0, high=3.2)
    wide: Wide = Wide()
    lane_changes: bool = value(True, "offer changes to neighbouring lanes of the same direction")


def margin(lateral: Lateral, vehicle: Vehicle) -> float:
    """Distance of the ego's side to a boundary, m: no less than the controller strays."""
    return max(lateral.margin_m, vehicle.tracking_error_m)


def length_for(situation: Situation, lateral: Lateral, offset_m: float, time_s: float) -> float:
    """Length of a quintic to an offset, m. Its largest curvature is 10 / sqrt(3) |offset change| / length^2, which must
    stay within the vehicle's limit and the wanted lateral acceleration; its curvature changes at most by
    60 |offset change| / length^3 per metre, which the steering must follow.
    """
    across, vehicle = abs(offset_m - situation.offset), situation.vehicle
    change = 10.0 / math.sqrt(3.0) * across
    speed = situation.start.speed
    rate = situation.driving.steering_share * vehicle.steering_rate_max_radps
    steered = (60.0 * across * speed * vehicle.wheel_base_m / rate) ** (1.0 / 3.0)
    curve = math.sqrt(change / (0.6 * vehicle.curvature_max_1pm))
    comfort = speed * math.sqrt(change / lateral.acceleration_mps2) * time_s / max(lateral.times_s)
    return max(lateral.length_min_m, speed * time_s, curve, comfort, steered)


def middle(lateral: Lateral) -> float:
    """The middle one of the durations, s."""
    return sorted(lateral.times_s)[len(lateral.times_s) // 2]


def sampled(situation: Situation, profiles: list[Profile]) -> Paths:
    """The profiles as paths from the start; none where the start cannot be left by a profile."""
    start, table = situation.lateral, situation.reference.table
    take = profiles if start is not None else []
    state = start if start is not None else situation.reference.table[0, :3]
    return lateral_paths(
        table, situation.reference.spacing_m, situation.station, state, take, situation.step_m, situation.samples
    )


def keeping(situation: Situation, lateral: Lateral) -> list[Profile]:
    """To the centre line, at several lengths while there is something to correct."""
    start = situation.lateral
    settled = start is not None and abs(start[0]) < 0.1 and abs(start[1]) < 0.02
    times = (middle(lateral),) if settled else lateral.times_s
    return [Profile("keep lane", 0.0, length_for(situation, lateral, 0.0, time)) for time in times]


def shifted(situation: Situation, lateral: Lateral, offsets: tuple[float, ...]) -> list[Profile]:
    """To offsets within the lanes of the ego's direction, smaller ones where there is less room."""
    time = middle(lateral)
    half = 0.5 * situation.vehicle.width_m + margin(lateral, situation.vehicle)
    profiles: list[Profile] = []
    for offset in offsets:
        side, sign = ("left", 1.0) if offset > 0.0 else ("right", -1.0)
        s = situation.s + min(length_for(situation, lateral, offset, time), situation.reach_m)
        room = situation.width(f"{side}_same", s) - half
        target = sign * min(abs(offset), max(room, 0.0))
        if abs(target) > 0.3 and all(abs(target - other.offset_m) > 0.1 for other in profiles):
            label = f"keep {abs(target):.1f} m {side} of the centre"
            profiles.append(Profile(label, target, length_for(situation, lateral, target, time)))
    return profiles


def changing(situation: Situation, lateral: Lateral) -> list[Profile]:
    """To the centre of the neighbouring lane on either side, taken to be as wide as the ego's lane."""
    profiles = []
    for side, sign in (("left", 1.0), ("right", -1.0)):
        s = situation.s + situation.start.speed * middle(lateral)
        own = situation.width("left_lane", s) + situation.width("right_lane", s)
        edge = situation.width(f"{side}_lane", s)
        if lateral.lane_changes and situation.width(f"{side}_same", s) >= edge + 0.75 * own:
            target = sign * (edge + 0.5 * own)
            profiles += [
                Profile(f"change to the {side} lane", target, length_for(situation, lateral, target, time))
                for time in sorted(lateral.times_s)[1:]
            ]
    return profiles


@lru_cache(maxsize=4)
def pursued(situation: Situation, lateral: Lateral) -> Paths:
    """Pursuit paths back to the lane, where the start is far off or turned away, or the lane bends too tightly; and the
    path that swings wide there.
    """
    start, vehicle, table = situation.lateral, situation.vehicle, situation.reference.table
    spacing = situation.reference.spacing_m
    turned = math.pi if start is None else abs(math.atan2(start[1], 1.0))
    ahead = table[situation.index : situation.index + math.ceil(situation.reach_m / spacing), 3]
    tight = float(abs(ahead).max(initial=0.0)) > vehicle.curvature_max_1pm
    driving = situation.driving
    turning = Turning(
        driving.deceleration_mps2, driving.lateral_acceleration_mps2,
        driving.steering_share * vehicle.steering_rate_max_radps, vehicle.wheel_base_m,
    )  # fmt: skip
    lost = turned > lateral.pursuit_heading_rad or abs(situation.offset) > lateral.pursuit_offset_m
    pursuit = pursuit_paths(
        table, spacing, situation.index, situation.start, situation.curvature,
        {"return to the lane": 0.0} if lost or tight else {}, situation.step_m, situation.samples,
        0.9 * vehicle.curvature_max_1pm, turning,
    )  # fmt: skip
    return joined([pursuit, wide_path(situation, lateral.wide)])

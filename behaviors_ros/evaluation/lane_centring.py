"""Lane keeping by the extended driving score (EPDMS; NAVSIM v2): not beside the lane's centre for long."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from behaviors_ros.datatypes import Array, Turn
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.maps.lane_graph import lanes_at_many
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, value


class CentringRules(Parameters):
    """What keeping the lane means."""

    offset_m: float = value(0.5, "distance to the nearest centre line that is still in the middle", low=0.0, high=5.0)
    time_s: float = value(2.0, "how long the vehicle may be farther off without a break", low=0.0, high=60.0)
    reach_m: float = value(5.0, "a centre line farther away is not the ego's", low=1.0, high=20.0)


def longest_off_centre_s(drive: Drive, rules: CentringRules) -> float:
    """Longest unbroken time farther than `offset_m` from the nearest centre line of the own direction, s.

    Judged at the rear axle. Junctions (lanes that turn) and places without a lane do not count; without a map the
    route's path is the centre line.
    """
    offset, judged = _offset(drive, rules)
    off = judged & (offset > rules.offset_m)
    longest = run = 0
    for step in off:
        run = run + 1 if step else 0
        longest = max(longest, run)
    return max(0, longest - 1) * drive.dt_s


def keeps_lane(off_centre_s: float, rules: CentringRules) -> bool:
    """Never off for longer than allowed."""
    return off_centre_s <= rules.time_s + 1e-9


def _offset(drive: Drive, rules: CentringRules) -> tuple[Float[Array, "step"], Bool[Array, "step"]]:
    """Distance to the centre line at each instant, m, and where that is judged."""
    if drive.map is None:
        return np.abs(route_frame(drive.route).project(drive.position)[1]), np.ones(len(drive.ego), dtype=bool)
    offset, judged = np.zeros(len(drive.ego)), np.zeros(len(drive.ego), dtype=bool)
    matches = lanes_at_many(drive.map, drive.position, drive.yaw, rules.reach_m)
    for step, near in enumerate(matches):
        own = [(lane_id, abs(d)) for lane_id, _, d, turned in near if abs(turned) <= 0.5 * np.pi]
        if own:
            lane_id, offset[step] = min(own, key=lambda found: found[1])
            judged[step] = drive.map.lanes[lane_id].turn is Turn.NONE
    return offset, judged

"""Driving direction compliance: how far the ego drove against traffic (nuPlan; Karnchanachari et al. 2024)."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import shapely
from jaxtyping import Float

from behaviors_ros.datatypes import Array, LaneKind, LaneMap
from behaviors_ros.evaluation.drive import Drive
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.maps.lane_graph import lane_frame
from behaviors_ros.maps.lanes import lane_polygon
from behaviors_ros.parameters import Parameters, value

DIRECTED = (LaneKind.ROAD, LaneKind.BUS)
_trees: WeakKeyDictionary[LaneMap, tuple[tuple[int, ...], shapely.STRtree]] = WeakKeyDictionary()


class DirectionRules(Parameters):
    """How much driving against traffic is tolerated."""

    window_s: float = value(1.0, "time over which the way against traffic is summed", low=0.1, high=10.0)
    compliant_m: float = value(2.0, "up to this way a drive complies", low=0.0, high=100.0)
    violation_m: float = value(6.0, "up to this way it half complies, beyond it does not", low=0.0, high=100.0)


def against_traffic_m(drive: Drive, rules: DirectionRules) -> float:
    """Longest way driven against traffic within any window, m; 0 without a map.

    A step counts while the box centre is in lanes of opposite direction only (heading more than 90 deg off), with the
    way that it covers against the lane's direction.
    """
    if drive.map is None or len(drive.ego) < 2:
        return 0.0
    way = _against(drive, drive.map)
    count = max(1, round(rules.window_s / drive.dt_s))
    total = np.concatenate([[0.0], np.cumsum(way)])
    return float((total[count:] - total[:-count]).max()) if len(way) > count else float(total[-1])


def compliance(against_m: float, rules: DirectionRules) -> float:
    """1, 0.5 or 0."""
    return 1.0 if against_m <= rules.compliant_m else 0.5 if against_m <= rules.violation_m else 0.0


def _against(drive: Drive, lane_map: LaneMap) -> Float[Array, "step"]:
    """Way against traffic of each step, m."""
    ids, tree = _tree(lane_map)
    centre, moved = drive.centre[:-1], np.diff(drive.centre, axis=0)
    along, found = np.full(len(centre), -np.inf), np.zeros(len(centre), dtype=bool)
    steps, lanes = tree.query(shapely.points(centre), predicate="intersects")
    for lane in np.unique(lanes):
        here = steps[lanes == lane]
        frame = lane_frame(lane_map.lanes[ids[lane]])
        heading = np.asarray(frame.heading(frame.project(centre[here])[0]))
        turned = np.abs(wrap(drive.yaw[here] - heading))
        forward = moved[here, 0] * np.cos(heading) + moved[here, 1] * np.sin(heading)
        # Of several lanes one in the ego's direction excuses: nothing is then driven against traffic.
        along[here] = np.maximum(along[here], np.where(turned <= 0.5 * np.pi, 0.0, forward))
        found[here] = True
    return np.where(found, np.maximum(0.0, -along), 0.0)


def _tree(lane_map: LaneMap) -> tuple[tuple[int, ...], shapely.STRtree]:
    """Polygons of the directed lanes and their ids, cached by the map's identity."""
    if lane_map not in _trees:
        lanes = [lane for lane in lane_map.lanes.values() if lane.kind in DIRECTED]
        polygons = [shapely.make_valid(shapely.Polygon(lane_polygon(lane))) for lane in lanes]
        _trees[lane_map] = tuple(lane.id for lane in lanes), shapely.STRtree(polygons)
    return _trees[lane_map]

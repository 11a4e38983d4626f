"""Route search: the cheapest chain of lanes from a pose to a goal (Dijkstra over lanes, lane changes at a cost)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from behaviors_ros.datatypes import Array, Goal, Lane, LaneKind, LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.angles import wrap
from behaviors_ros.maps.lane_graph import Match, lane_frame, lanes_at
from behaviors_ros.parameters import Parameters, value

DRIVEN = (LaneKind.ROAD, LaneKind.BUS)


class SearchCosts(Parameters):
    """Costs of a route in metres driven, and how far from a lane a pose may be."""

    lane_change_m: float = value(40.0, "cost of one lane change", low=0.0, high=1000.0)
    change_soon: float = value(
        1e-3, "extra share of a change's cost for each metre driven before it", low=0.0, high=1.0
    )
    heading_m_per_rad: float = value(30.0, "cost of starting or arriving turned against a lane", low=0.0, high=1000.0)
    offset_cost: float = value(4.0, "cost of a metre between a pose and a lane's centre line", low=0.0, high=100.0)
    turned_rad: float = value(1.05, "a lane turned by more is not the one a pose is on", low=0.1, high=3.15)
    off_map_m: float = value(8.0, "a pose farther from every centre line is off the map", low=0.5, high=100.0)


@dataclass(frozen=True)
class Arrival:
    """A lane on which the goal can be reached: where along it at best and at last, m, and at what extra cost, m."""

    s: float
    last_s: float
    cost: float


Node = tuple[int, bool]  # lane, and whether the vehicle has left the lanes beside its start


def search(
    lane_map: LaneMap, start_position: Array, start_yaw: float, goal: Goal, costs: SearchCosts | None = None
) -> tuple[int, ...]:
    """Lane ids from the start to the goal, each a successor of the one before or its left or right neighbour.

    Overlapping lanes at the start are told apart by heading, offset and whether they lead to the goal; lanes at the
    goal by its region and yaw. Raises `InputError` for a start off the map and for a goal that no lane leads to.
    """
    costs = costs or SearchCosts()
    starts = start_lanes(lane_map, start_position, start_yaw, costs)
    for arrivals in goal_lanes(lane_map, goal, costs):
        found = _cheapest(lane_map, starts, arrivals, costs)
        if found:
            return found
    problem = f"({goal.position[0]:.1f}, {goal.position[1]:.1f}) cannot be reached over the lanes"
    raise InputError(lane_map.name or "map", "goal", problem, "choose a goal downstream of the start")


def _cheapest(
    lane_map: LaneMap, starts: list[Match], arrivals: dict[int, Arrival], costs: SearchCosts
) -> tuple[int, ...]:
    """Dijkstra from any of the starts to any of the arrivals; () when none can be reached."""
    begins = {lane_id: s for lane_id, s, _, _ in starts}
    distance: dict[Node, float] = {(match[0], False): _pose_cost(match, costs) for match in starts}
    before: dict[Node, Node | None] = dict.fromkeys(distance)
    queue = [(cost, node) for node, cost in distance.items()]
    heapq.heapify(queue)
    best, last = np.inf, None
    done: set[Node] = set()
    while queue and queue[0][0] < best:
        cost, node = heapq.heappop(queue)
        if node in done:
            continue
        done.add(node)
        begin = 0.0 if node[1] else begins[node[0]]
        arrival = arrivals.get(node[0])
        if arrival is not None and arrival.last_s >= begin:
            total = cost + max(arrival.s - begin, 0.0) + arrival.cost
            best, last = min((best, last), (total, node), key=lambda pair: pair[0])
        for after, step in _steps(lane_map, node, begin, cost, costs):
            if after in done or cost + step >= distance.get(after, np.inf):
                continue
            distance[after], before[after] = cost + step, node
            if not after[1] and after[0] not in begins:
                begins[after[0]] = _beside(lane_map.lanes[after[0]], lane_map.lanes[node[0]], begin)
            heapq.heappush(queue, (cost + step, after))
    return tuple(_backwards(before, last))[::-1]


def start_lanes(lane_map: LaneMap, position: Array, yaw: float, costs: SearchCosts) -> list[Match]:
    """Lanes a pose may be on, those along its heading if any; raises `InputError` when it is off the map."""
    if not (np.all(np.isfinite(position)) and np.isfinite(yaw)):
        raise InputError(lane_map.name or "map", "start", f"is {position}, {yaw}", "give a finite position and yaw")
    near = lanes_at(lane_map, position, yaw, costs.off_map_m, DRIVEN)
    if not near:
        problem = f"({position[0]:.1f}, {position[1]:.1f}) is more than {costs.off_map_m:g} m from every lane"
        raise InputError(lane_map.name or "map", "start", problem, "start on the map, in the map's frame")
    along = [match for match in near if abs(match[3]) <= costs.turned_rad] or near
    inside = [match for match in along if abs(match[2]) <= 0.5 * _width(lane_map.lanes[match[0]], match[1]) + 0.5]
    return inside or along[:1]


def goal_lanes(lane_map: LaneMap, goal: Goal, costs: SearchCosts) -> list[dict[int, Arrival]]:
    """Lanes on which the goal lies, best first: centre line through its region; nearest to its position; near."""
    if not np.all(np.isfinite(goal.position)):
        raise InputError(lane_map.name or "map", "goal", f"is {goal.position}", "give a finite position")
    choices = [_through(lane_map, goal, costs)] if goal.polygon is not None else []
    yaw = 0.0 if goal.yaw is None else 0.5 * (goal.yaw[0] + goal.yaw[1])
    near = lanes_at(lane_map, goal.position, yaw, costs.off_map_m, DRIVEN)
    if goal.yaw is not None:
        near = [match for match in near if abs(match[3]) <= costs.turned_rad] or near
    for slack in (1.0, costs.off_map_m):
        close = [match for match in near if abs(match[2]) <= abs(near[0][2]) + slack]
        choices.append({m[0]: Arrival(m[1], m[1], _pose_cost(m, costs, goal.yaw is not None)) for m in close})
    if not any(choices):
        problem = f"({goal.position[0]:.1f}, {goal.position[1]:.1f}) is more than {costs.off_map_m:g} m from every lane"
        raise InputError(lane_map.name or "map", "goal", problem, "choose a goal on the map")
    return choices


def _through(lane_map: LaneMap, goal: Goal, costs: SearchCosts) -> dict[int, Arrival]:
    region = shapely.make_valid(shapely.Polygon(goal.polygon))
    middle = np.array(region.centroid.coords[0])
    found = {}
    for lane in lane_map.lanes.values():
        if lane.kind not in DRIVEN:
            continue
        inside = shapely.LineString(lane.centre).intersection(region)
        if inside.length < 0.5:
            continue
        frame = lane_frame(lane)
        point = np.array(inside.interpolate(0.5, normalized=True).coords[0])
        s = float(frame.project(point)[0])
        turned = 0.0
        if goal.yaw is not None:
            half, centre = 0.5 * (goal.yaw[1] - goal.yaw[0]), 0.5 * (goal.yaw[1] + goal.yaw[0])
            turned = max(0.0, float(abs(wrap(frame.heading(s) - centre))) - half)
            if turned > costs.turned_rad:
                continue
        aside = float(np.hypot(*(middle - frame.point(s)))) if inside.length < 20.0 else 0.0
        last = max(float(frame.project(p)[0]) for p in shapely.get_coordinates(inside))
        found[lane.id] = Arrival(s, last, costs.offset_cost * aside + costs.heading_m_per_rad * turned)
    return found


def _steps(
    lane_map: LaneMap, node: Node, begin: float, cost: float, costs: SearchCosts
) -> Iterator[tuple[Node, float]]:
    lane = lane_map.lanes[node[0]]
    for after in lane.successors:
        if after in lane_map.lanes and lane_map.lanes[after].kind in DRIVEN:
            yield (after, True), lane_frame(lane).length - begin
    for beside in (lane.left, lane.right):
        if beside is not None and beside in lane_map.lanes:
            yield (beside, node[1]), costs.lane_change_m * (1.0 + costs.change_soon * cost)


def _beside(lane: Lane, other: Lane, s: float) -> float:
    """Arc length on `lane` abreast of `s` on `other`."""
    along, _ = lane_frame(lane).project(lane_frame(other).point(s))
    return float(np.clip(along, 0.0, lane_frame(lane).length))


def _pose_cost(match: Match, costs: SearchCosts, with_heading: bool = True) -> float:
    turned = abs(match[3]) * costs.heading_m_per_rad if with_heading else 0.0
    return abs(match[2]) * costs.offset_cost + turned


def _width(lane: Lane, s: float) -> float:
    fraction = s / lane_frame(lane).length
    ends = [bound[min(int(fraction * len(bound)), len(bound) - 1)] for bound in (lane.left_bound, lane.right_bound)]
    return float(np.hypot(*(ends[0] - ends[1])))


def _backwards(before: dict[Node, Node | None], last: Node | None) -> Iterator[int]:
    node = last
    while node is not None:
        yield node[0]
        node = before[node]

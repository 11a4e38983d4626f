"""How far lanes with priority are seen along the ego's way, for the scorer `occlusion` and the gate `yield`."""

from __future__ import annotations

from functools import lru_cache
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import Array, Candidates, LaneMap, Route, Scene, StopPoint
from behaviors_ros.maps.lane_graph import lane_frame
from behaviors_ros.maps.route import route_frame
from behaviors_ros.parameters import Parameters, Vehicle, value

Boxes = tuple[Float[Array, "agent 2"], Float[Array, "agent"], Float[Array, "agent 2"]]


class SightParameters(Parameters):
    """The view into lanes with priority, and who may come on them."""

    reach_m: float = value(80.0, "how far up a lane with priority one must see", low=5.0, high=300.0)
    spacing_m: float = value(2.0, "distance between the points of a lane that are looked at", low=0.5, high=10.0)
    phantom_m: float = value(4.0, "a hidden stretch shorter than this hides no vehicle", low=0.5, high=20.0)
    eye_m: float = value(2.25, "distance of the sensors behind the front bumper", low=0.0, high=10.0)
    before_m: float = value(24.0, "the view is taken from here on before the line", low=2.0, high=100.0)
    own_lane_m: float = value(1.75, "who stands within this of the lane's centre blocks it, and hides nobody", low=0.0)
    response_s: float = value(0.3, "time before the ego's braking takes hold", low=0.0, high=3.0)
    braking_mps2: float = value(3.0, "braking with which it halts before the line once it sees somebody", low=0.5)
    creep_mps: float = value(1.5, "speed at which it may feel its way in without a view", low=0.1, high=5.0)
    chance: float = value(0.7, "how much a hidden vehicle counts", low=0.0, high=1.0)


def arrivals(
    scene: Scene, stop: StopPoint, boxes: Boxes, front: Float[Array, "candidate step"], candidates: Candidates,
    vehicle: Vehicle, p: SightParameters,
) -> Float[Array, "candidate"]:  # fmt: skip
    """Risk in [0, 1] that each candidate is still in the conflict zone of `stop` when a hidden vehicle gets there.

    What counts is the view where the ego can last halt before the line. From the first stretch of a lane that is hidden
    there a phantom comes at the lane's speed limit. Risk: chance x the share of the ego's passage, from then until it
    has left the zone, that the phantom comes too early; it grows from 0 at `creep_mps` to full at twice that, so that
    the ego can always feel its way in. Boxes: position, yaw, half length and width of what hides.
    """
    before = np.arange(0.0, p.before_m + 1e-9, 2.0)
    arrival_s = np.full(len(before), np.inf)
    for away, limit in views(scene, stop, boxes, stop.s - before, p):
        arrival_s = np.minimum(arrival_s, away / limit)
    if not np.isfinite(arrival_s).any():
        return np.zeros(len(candidates))
    last, leaving_s, speed, _ = passages(
        front, candidates.speed, candidates.time_s, stop.s, stop.clear_s + vehicle.length_m, p.response_s,
        p.braking_mps2, 0.0,
    ).T  # fmt: skip
    comes_s = nearest_view(arrival_s, before, last)
    # Who never comes is not early, not even for who never leaves.
    early = np.clip(1.0 - np.minimum(comes_s, 1e6) / np.clip(leaving_s, 1e-6, 1e5), 0.0, 1.0)
    risk = p.chance * early * np.clip(speed / p.creep_mps - 1.0, 0.0, 1.0)
    return np.where(np.isfinite(last), risk, 0.0)


def views(
    scene: Scene, stop: StopPoint, boxes: Boxes, bumper_s: Float[Array, "view"], p: SightParameters
) -> list[tuple[Float[Array, "view"], float]]:
    """For each lane with priority how far up it one sees with the bumper at `bumper_s`, m, infinite where all of it,
    and its speed limit, m/s. What hides: boxes (position, yaw, half length and width) and perceived outlines.
    """
    lines = approaches(scene.route, scene.map, stop, p.reach_m, p.spacing_m) if scene.map is not None else ()
    walls, found = sides(scene.tracks.occluders), []
    eyes = np.ascontiguousarray(route_frame(scene.route).point(bumper_s - p.eye_m))
    for line, limit in lines:
        apart = np.hypot(*np.moveaxis(line[:, None] - boxes[0], -1, 0)).min(axis=0, initial=np.inf)
        hides = apart > p.own_lane_m
        position, yaw, half = (np.concatenate((box[hides], wall)) for box, wall in zip(boxes, walls, strict=True))
        run = max(int(np.ceil(p.phantom_m / p.spacing_m)), 1)
        found.append((first_hidden(eyes, line, position, yaw, half, p.spacing_m, run), limit))
    return found


def sides(rings: tuple[Array, ...]) -> Boxes:
    """The sides of outlines as boxes without width: position, yaw, half length and width."""
    ends = np.concatenate([np.zeros((0, 2, 2)), *(np.stack((ring, np.roll(ring, -1, axis=0)), 1) for ring in rings)])
    along = ends[:, 1] - ends[:, 0]
    half = np.stack((0.5 * np.hypot(along[:, 0], along[:, 1]), np.zeros(len(along))), axis=-1)
    return ends.mean(axis=1), np.arctan2(along[:, 1], along[:, 0]), half


def nearest_view(
    of_view: Float[Array, "view"], before: Float[Array, "view"], distance: Float[Array, "candidate"]
) -> Float[Array, "candidate"]:
    """The lesser one of what is told for the two views next to a distance before the line, m."""
    after = np.searchsorted(before, distance)
    last = len(before) - 1
    return np.minimum(of_view[np.minimum(after, last)], of_view[np.clip(after - 1, 0, last)])


@lru_cache(maxsize=32)
def approaches(
    route: Route, lane_map: LaneMap, stop: StopPoint, reach_m: float, spacing_m: float
) -> tuple[tuple[Float[Array, "point 2"], float], ...]:
    """Points up the lanes with priority over a stop, from the conflict on, `spacing_m` apart, and their speed limit."""
    inside = route.path[(route.s >= stop.s) & (route.s <= stop.clear_s)]
    found = []
    for lane in (lane_map.lanes[i] for i in stop.yields_to if i in lane_map.lanes):
        if not len(inside):
            continue
        s, d = lane_frame(lane).project(inside)
        at = float(np.clip(s[np.argmin(np.abs(d))], 0.0, lane_frame(lane).length))
        found += [(line, lane.speed_limit) for line in upstream(lane_map, lane.id, at, reach_m, spacing_m)]
    return tuple(found)


def upstream(
    lane_map: LaneMap, lane_id: int, s: float, reach_m: float, spacing_m: float
) -> list[Float[Array, "point 2"]]:
    """Points against the driving direction from `s` on a lane, one line a choice of predecessors, at most 4."""
    lane = lane_map.lanes[lane_id]
    own = lane_frame(lane).point(np.maximum(s - np.arange(0.0, min(reach_m, s) + 1e-9, spacing_m), 0.0))
    left = reach_m - s
    before = [i for i in lane.predecessors if i in lane_map.lanes]
    if left < spacing_m or not before:
        return [own]
    further = [
        line
        for i in before[:4]
        for line in upstream(lane_map, i, lane_frame(lane_map.lanes[i]).length, left, spacing_m)
    ]
    return [np.concatenate([own, line]) for line in further[:4]]


@no_type_check
@njit(cache=True)
def first_hidden(eyes, line, position, yaw, half, spacing, run):
    """Distance (eye,) along `line` to the first of `run` points in a row that no eye ray reaches past the boxes, m."""
    out = np.full(len(eyes), np.inf)
    for e in range(len(eyes)):
        hidden = 0
        for point in range(len(line)):
            blocked = False
            for k in range(len(position)):
                if crosses(
                    eyes[e, 0], eyes[e, 1], line[point, 0], line[point, 1], position[k, 0], position[k, 1],
                    np.cos(yaw[k]), np.sin(yaw[k]), half[k, 0], half[k, 1],
                ):  # fmt: skip
                    blocked = True
                    break
            hidden = hidden + 1 if blocked else 0
            if hidden == run:
                out[e] = (point - run + 1) * spacing
                break
    return out


@no_type_check
@njit(cache=True)
def crosses(ax, ay, bx, by, x, y, cos, sin, length, width):
    """Whether the segment from a to b meets the box at x, y with cos and sin of its yaw and half sizes (slab test)."""
    px, py = (ax - x) * cos + (ay - y) * sin, (ay - y) * cos - (ax - x) * sin
    dx, dy = (bx - ax) * cos + (by - ay) * sin, (by - ay) * cos - (bx - ax) * sin
    first, last = 0.0, 1.0
    for p, d, half in ((px, dx, length), (py, dy, width)):
        if abs(d) < 1e-12:
            if abs(p) > half:
                return False
            continue
        enter, leave = (-half - p) / d, (half - p) / d
        first, last = max(first, min(enter, leave)), min(last, max(enter, leave))
    return first <= last


@no_type_check
@njit(cache=True)
def passages(front, speed, time_s, line, clear, response, braking, nose):
    """How each candidate passes a line, (candidate, 4): the distance before it at which it can last halt before it, m,
    infinite where it does not pass it; the time from then until it has left `clear`, s; its speed then; and its
    greatest speed from then until it is `nose` m beyond the line, m/s.
    """
    out = np.full((len(front), 4), np.inf)
    end = front.shape[1] - 1
    for i in range(len(front)):
        if not front[i, 0] < line < front[i, end]:
            continue
        bound = 0
        while bound < end and front[i, bound + 1] < line:
            v = speed[i, bound]
            if v * response + 0.5 * v * v / braking > line - front[i, bound]:
                break
            bound += 1
        gone, fastest = bound, speed[i, bound]
        while gone < end and front[i, gone] < clear:
            gone += 1
            if front[i, gone - 1] < line + nose:
                fastest = max(fastest, speed[i, gone])
        leaving = time_s[gone] + max(clear - front[i, gone], 0.0) / max(speed[i, gone], 1.0)
        out[i, 0], out[i, 1] = line - front[i, bound], leaving - time_s[bound]
        out[i, 2], out[i, 3] = speed[i, bound], fastest
    return out

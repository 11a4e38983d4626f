"""Lanes from their two boundaries: centre line, checks. Used by every reader."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float

from behaviors_ros.datatypes import Array, Lane, LaneKind
from behaviors_ros.errors import InputError
from behaviors_ros.maps.documents import Limits
from behaviors_ros.parameters import Parameters, value


class Sampling(Parameters):
    """How finely centre lines are sampled."""

    spacing_m: float = value(1.0, "distance between the points of a centre line", low=0.1, high=10.0)
    duplicate_m: float = value(0.01, "points nearer than this to the one before are one point", low=0.0, high=0.5)
    shortest_m: float = value(0.05, "a lane shorter than this is an error of the map", low=0.0, high=5.0)


def cleaned(points: Float[Array, "point 2"], apart_m: float) -> Float[Array, "kept 2"]:
    """The points without those nearer than `apart_m` to their kept predecessor; both ends stay."""
    kept = [0]
    for index in range(1, len(points)):
        if np.hypot(*(points[index] - points[kept[-1]])) > apart_m:
            kept.append(index)
    if len(kept) > 1 and kept[-1] != len(points) - 1:
        kept[-1] = len(points) - 1
    return points[kept]


def at_fractions(points: Float[Array, "point 2"], fractions: Float[Array, "n"]) -> Float[Array, "n 2"]:
    """Points of a polyline at fractions of its length."""
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    return np.column_stack([np.interp(fractions * s[-1], s, points[:, axis]) for axis in (0, 1)])


def length_of(points: Float[Array, "point 2"]) -> float:
    """Length of a polyline, m."""
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def centre_line(
    left: Float[Array, "left 2"], right: Float[Array, "right 2"], sampling: Sampling
) -> Float[Array, "point 2"]:
    """Midpoints of the two boundaries at equal fractions of their lengths, about `spacing_m` apart."""
    longest = max(length_of(left), length_of(right))
    fractions = np.linspace(0.0, 1.0, max(2, int(np.ceil(longest / sampling.spacing_m)) + 1))
    return cleaned(0.5 * (at_fractions(left, fractions) + at_fractions(right, fractions)), sampling.duplicate_m)


def boundary(points: Iterable[Iterable[float]], source: object, field: str, limits: Limits) -> Float[Array, "point 2"]:
    """Checked boundary: at least two points, finite, not huge."""
    line = np.array(list(points), dtype=np.float64).reshape(-1, 2)
    if len(line) < 2:
        raise InputError(source, field, f"has {len(line)} points", "give at least two")
    if len(line) > limits.lane_points:
        raise InputError(source, field, f"has {len(line)} points", f"give at most {limits.lane_points}")
    if not np.all(np.abs(line) <= limits.coordinate_m):
        problem = "has a coordinate that is not a number or is too large"
        raise InputError(source, field, problem, f"give finite coordinates within {limits.coordinate_m:g} m")
    return line


def make_lane(
    source: object,
    id_: int,
    kind: LaneKind,
    left: Array,
    right: Array,
    speed_limit: float,
    sampling: Sampling,
    limits: Limits,
) -> Lane:
    """A lane with its geometry only; raises `InputError` for one without length or with an impossible speed limit."""
    if not 0.0 < speed_limit <= limits.speed_mps:
        remedy = f"give a speed above 0 and up to {limits.speed_mps:g} m/s"
        raise InputError(source, f"lane {id_}, speed limit", f"is {speed_limit:g} m/s", remedy)
    left, right = cleaned(left, sampling.duplicate_m), cleaned(right, sampling.duplicate_m)
    shortest = min(length_of(left), length_of(right)) if min(len(left), len(right)) > 1 else 0.0
    if max(length_of(left), length_of(right)) < sampling.shortest_m or len(left) < 2 or len(right) < 2:
        raise InputError(
            source, f"lane {id_}", f"has no length ({shortest:.2f} m)", "remove it or give it two boundaries"
        )
    centre = centre_line(left, right, sampling)
    if len(centre) < 2:
        raise InputError(source, f"lane {id_}", "its bounds run in opposite directions", "turn one of them round")
    return Lane(id_, kind, centre, left, right, float(speed_limit))


def lane_polygon(lane: Lane) -> Float[Array, "point 2"]:
    """Outline of a lane: the left boundary forward, the right one back."""
    return np.vstack([lane.left_bound, lane.right_bound[::-1]])

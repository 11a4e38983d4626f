"""Tracks: the chains of lanes that a route follows between its lane changes, with room before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from behaviors_ros.datatypes import Array, LaneMap
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import without_duplicates
from behaviors_ros.maps.lane_graph import lane_frame


@dataclass(frozen=True, eq=False)
class Track:
    """Lanes that follow each other; `frame` of their joined centre lines, `ends`: arc length at which each ends, m.

    first, last: which of them are the route's own; the lanes before and after are there for room.
    """

    lanes: tuple[int, ...]
    frame: FrenetFrame
    ends: Float[Array, "lane"]
    first: int
    last: int

    def lane_at(self, s: Float[Array, "point"]) -> Int[Array, "point"]:
        """Lane id at arc lengths."""
        return np.asarray(self.lanes)[np.minimum(np.searchsorted(self.ends, s), len(self.lanes) - 1)]

    def begin(self, index: int) -> float:
        """Arc length at which the lane at `index` begins, m."""
        return float(self.ends[index - 1]) if index else 0.0

    def s_on(self, index: int, point: Float[Array, "2"]) -> float:
        """Arc length of a point on or beside the lane at `index`, m."""
        begin, end = self.begin(index), float(self.ends[index])
        return float(self.frame.project_near(point, 0.5 * (begin + end), 0.5 * (end - begin) + 5.0)[0])


def tracks_of(lane_map: LaneMap, lane_ids: tuple[int, ...], before_m: float, past_goal_m: float) -> tuple[Track, ...]:
    """The tracks of a route, one more than its lane changes; the first reaches back, the last past the goal."""
    chains = _chains(lane_map, lane_ids)
    extended = _extended(lane_map, chains, before_m, past_goal_m)
    return tuple(
        _track(lane_map, ids, first, first + len(chain) - 1)
        for (ids, first), chain in zip(extended, chains, strict=True)
    )


def _chains(lane_map: LaneMap, lane_ids: tuple[int, ...]) -> list[list[int]]:
    """The route cut at its lane changes."""
    chains = [[lane_ids[0]]]
    for lane_id in lane_ids[1:]:
        if lane_id in lane_map.lanes[chains[-1][-1]].successors:
            chains[-1].append(lane_id)
        else:
            chains.append([lane_id])
    return chains


def _extended(
    lane_map: LaneMap, chains: list[list[int]], before_m: float, past_goal_m: float
) -> list[tuple[tuple[int, ...], int]]:
    """Chains with lanes before and after them (to give lane changes room), and the index where each begins."""
    result = []
    for index, chain in enumerate(chains):
        head = _alongside(lane_map, chain[0], chains[index - 1][::-1], "predecessors") if index else []
        tail = _alongside(lane_map, chain[-1], chains[index + 1], "successors") if index + 1 < len(chains) else []
        if index == 0:
            head = _onward(lane_map, chain[0], "predecessors", before_m)
        if index == len(chains) - 1:
            tail = _onward(lane_map, chain[-1], "successors", past_goal_m)
        result.append(((*head[::-1], *chain, *tail), len(head)))
    return result


def _alongside(lane_map: LaneMap, lane_id: int, beside: list[int], link: str) -> list[int]:
    """Lanes on from `lane_id` along `link` as long as each is a neighbour of a lane of `beside`."""
    found: list[int] = []
    neighbours = {i for b in beside for i in (lane_map.lanes[b].left, lane_map.lanes[b].right)}
    while True:
        after = [i for i in getattr(lane_map.lanes[lane_id], link) if i in neighbours and i not in found]
        if not after:
            return found
        lane_id = after[0]
        found.append(lane_id)


def _onward(lane_map: LaneMap, lane_id: int, link: str, length_m: float) -> list[int]:
    """Lanes on from a lane for at least `length_m` or as far as they go, turning least at each branch."""
    found: list[int] = []
    while length_m > 0.0:
        lane = lane_map.lanes[lane_id]
        after = [i for i in getattr(lane, link) if i in lane_map.lanes and i not in found]
        if not after:
            return found
        lane_id = min(after, key=lambda i: _turning(lane_map, i))
        found.append(lane_id)
        length_m -= lane_frame(lane_map.lanes[lane_id]).length
    return found


def _turning(lane_map: LaneMap, lane_id: int) -> float:
    frame = lane_frame(lane_map.lanes[lane_id])
    first, last = frame.cartesian(np.array([0.0, frame.length]), 1.0) - frame.point(np.array([0.0, frame.length]))
    return float(np.arccos(np.clip(first @ last, -1.0, 1.0)))


def _track(lane_map: LaneMap, ids: tuple[int, ...], first: int, last: int) -> Track:
    lines = [lane_map.lanes[i].centre for i in ids]
    frame = FrenetFrame(without_duplicates(np.vstack(lines), 0.01))
    ends, s = [], 0.0
    for line in lines:
        length = float(np.hypot(*np.diff(line, axis=0).T).sum())
        s = float(frame.project_near(line[-1], s + length, max(5.0, 0.3 * length))[0])
        ends.append(s)
    return Track(ids, frame, np.maximum.accumulate(ends), first, last)

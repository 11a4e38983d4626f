"""Messages to Scene: the one place where the planning nodes' inputs become what the stages read.

The prediction node names the stamps of a cycle's inputs (`latest`); every planning node builds the Scene of those
stamps (`scene`). A Scene depends on the named messages only, so all nodes and an offline run of `pipeline.plan` see
the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from behaviors_ros.datatypes import Degraded, EgoState, LaneMap, Plan, Route, Scene, Signals, TrackHistory, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.maps.load import load_map
from behaviors_ros.maps.route import build_route, mapless_route
from behaviors_ros.maps.signal_reports import held
from behaviors_ros.msg import Route as RouteMessage
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.prediction.history import jumped, updated
from behaviors_ros.ros.conversion import (
    NS,
    ReceivedTracks,
    TrackLimits,
    centre_line,
    goal,
    nanoseconds,
    route_start,
)
from behaviors_ros.ros.conversion_stages import Inputs

T = TypeVar("T")


class SceneParameters(Parameters):
    """What a scene is built from, and when its inputs are too old."""

    map: str = value("", "file of the map (Lanelet2 .osm, CommonRoad .xml, Argoverse .json); empty: mapless mode")
    frame: str = value("map", "frame of all inputs; a message in another frame is refused")
    age_max_s: float = value(0.5, "an input older than this against the clock is refused", low=0.05, high=10.0)
    future_max_s: float = value(0.1, "an input stamped further ahead of the clock is refused", low=0.0, high=10.0)
    tracks_late_s: float = value(0.25, "tracks older than this against the vehicle state are late", low=0.02, high=5.0)
    previous_age_max_s: float = value(
        0.5, "a plan older than this is not continued by the next cycle", low=0.1, high=5.0
    )
    cycle_age_max_s: float = value(0.3, "a cycle older than this is given up", low=0.05, high=5.0)
    tracks_max: int = value(300, "most tracks that are planned with; the nearest are kept", low=1, high=5000)
    signals_age_max_s: float = value(1.0, "signals older than this count as absent", low=0.05, high=30.0)
    signals_hold_s: float = value(
        2.0,
        "a signal group that turned back to a colour within this time has the strictest it showed",
        low=0.0,
        high=10.0,
    )
    route_off_max_m: float = value(
        30.0, "a route whose path is farther from the vehicle than this is not followed", low=5.0, high=1000.0
    )
    history_steps: int = value(31, "length of the track history in the prediction node, 0.1 s a step", low=1, high=200)
    track: TrackLimits = TrackLimits()


class Recent(Generic[T]):
    """The last few values by key (a stamp or an id)."""

    def __init__(self, size: int) -> None:
        """Keep `size` values."""
        self._values: OrderedDict[int, T] = OrderedDict()
        self._size = size

    def add(self, key: int, found: T) -> None:
        """Remember a value; the oldest goes."""
        self._values.pop(key, None)
        self._values[key] = found
        while len(self._values) > self._size:
            self._values.popitem(last=False)

    def get(self, key: int) -> T | None:
        """The value of a key, None when it has not come or has gone."""
        return self._values.get(key)

    @property
    def last(self) -> tuple[int, T] | None:
        """The newest key and value."""
        return next(reversed(self._values.items()), None)

    @property
    def newest_first(self) -> Iterator[tuple[int, T]]:
        """All keys and values, from the newest on."""
        return reversed(self._values.items())

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()


class SceneInputs:
    """Short buffers of converted inputs, by stamp."""

    def __init__(self, parameters: SceneParameters, vehicle: Vehicle, history: bool = False) -> None:
        """Load the map. `history`: whether scenes carry the track history (only prediction reads it)."""
        self.parameters, self.vehicle = parameters, vehicle
        self.map: LaneMap | None = load_map(Path(parameters.map)) if parameters.map else None
        self._with_history = history
        self._history: TrackHistory | None = None
        self._tracks: Recent[tuple[ReceivedTracks, TrackHistory | None]] = Recent(20)
        self._odometry: Recent[EgoState] = Recent(150)
        self._signals: Recent[Signals] = Recent(50)
        self._reports: tuple[Signals, ...] = ()
        self._plans: Recent[Plan] = Recent(20)
        # Some, because the one that is followed stays while newer ones are out of reach.
        self._routes: Recent[tuple[RouteMessage, Route | None]] = Recent(10)

    def clear(self) -> None:
        """Forget what has been received, but the route: after a clock jump."""
        for buffer in (self._tracks, self._odometry, self._signals, self._plans):
            buffer.clear()
        self._history, self._reports = None, ()

    # --- what arrives ------------------------------------------------------------------------------------------------

    def add_tracks(self, received: ReceivedTracks) -> None:
        """Remember tracks, and whether they jumped from the last ones; move the history on."""
        last = self._tracks.last
        before = last[1][0].tracks if last is not None else None
        received = replace(received, jumped=jumped(before, received.tracks, self.parameters.track.jump_max_m))
        if self._with_history:
            self._history = updated(self._history, received.tracks, self.parameters.history_steps)
        self._tracks.add(received.tracks.stamp_ns, (received, self._history))

    @property
    def ego(self) -> EgoState | None:
        """The latest vehicle state."""
        return self._odometry.last[1] if self._odometry.last else None

    def add_odometry(self, ego: EgoState) -> None:
        """Remember a vehicle state."""
        self._odometry.add(ego.stamp_ns, ego)

    def add_signals(self, signals: Signals) -> None:
        """Remember signals, as they count after those reported shortly before."""
        oldest_ns = signals.stamp_ns - self.parameters.signals_hold_s * NS
        self._reports = (*(found for found in self._reports if found.stamp_ns >= oldest_ns), signals)
        self._signals.add(signals.stamp_ns, held(self._reports))

    def add_plan(self, plan: Plan) -> None:
        """Remember a plan by its id."""
        self._plans.add(plan.plan_id, plan)

    @property
    def plan_id(self) -> int:
        """Id of the newest plan, 0 before the first."""
        return self._plans.last[0] if self._plans.last else 0

    def add_route(self, message: RouteMessage) -> None:
        """Build the route of a message once; one that the map cannot give raises `InputError`."""
        self._routes.add(nanoseconds(message.header.stamp), (message, self._route(message)))

    def _route(self, message: RouteMessage) -> Route | None:
        """Route along lanes or a centre line; None where it follows the heading and so depends on the vehicle state."""
        lanes = tuple(int(lane) for lane in message.lane_id)
        if lanes:
            if self.map is None:
                raise InputError("route", "lane_id", "names lanes, but there is no map", "set the parameter scene.map")
            unknown = [lane for lane in lanes if lane not in self.map.lanes]
            if unknown:
                raise InputError("route", "lane_id", f"lane {unknown[0]} is not in the map", "send lanes of this map")
            set_ns = nanoseconds(message.header.stamp)
            return build_route(self.map, lanes, goal(message), route_start(message), stamp_ns=set_ns)
        line = centre_line(message)
        if len(line) < 2:
            return None
        start = EgoState(0, line[0], float(np.arctan2(*(line[1] - line[0])[::-1])), 0.0)
        set_ns = nanoseconds(message.header.stamp)
        return mapless_route(line, start, goal(message), message.speed_limit_mps, message.half_width_m, stamp_ns=set_ns)

    # --- a cycle -----------------------------------------------------------------------------------------------------

    def latest(self) -> Inputs | str:
        """The inputs that a cycle beginning now uses, or what it still waits for."""
        for name, buffer in (("tracks", self._tracks), ("odometry", self._odometry), ("route", self._routes)):
            if buffer.last is None:
                return f"waiting for {name}"
        assert self._tracks.last and self._odometry.last
        now, ego = self._odometry.last
        route = next((stamp for stamp, (_, found) in self._routes.newest_first if self._reaches(found, ego)), None)
        if route is None:
            return "waiting for a route that the vehicle can reach"
        signals = self._signals.last
        fresh = signals is not None and now - signals[0] <= self.parameters.signals_age_max_s * NS
        return Inputs(
            tracks=self._tracks.last[0],
            odometry=now,
            signals=signals[0] if signals is not None and fresh else 0,
            route=route,
            previous_plan_id=self._continued(now),
        )

    def _reaches(self, route: Route | None, ego: EgoState) -> bool:
        """Whether the vehicle is near a route's path; one that follows the heading begins at it."""
        return route is None or _off_m(route, ego) <= self.parameters.route_off_max_m

    @property
    def route_refusal(self) -> str:
        """Why the newest route is not followed; empty when it is, or nothing is known yet."""
        if self.ego is None or self._routes.last is None:
            return ""
        route = self._routes.last[1][1]
        if route is None or self._reaches(route, self.ego):
            return ""
        return f"its path is {_off_m(route, self.ego):.0f} m from the vehicle: the route cannot be reached"

    def _continued(self, now_ns: int) -> int:
        """Id of the plan that a cycle at `now_ns` continues, 0 for none: not too old, not of before a clock jump."""
        last, early_ns = self._plans.last, -self.parameters.future_max_s * NS
        if last is None or not early_ns <= now_ns - last[1].stamp_ns <= self.parameters.previous_age_max_s * NS:
            return 0
        return last[0]

    def scene(self, inputs: Inputs) -> Scene | None:
        """The scene of the named inputs; None while one of them has not arrived."""
        found = self._tracks.get(inputs.tracks)
        ego, route = self._odometry.get(inputs.odometry), self._routes.get(inputs.route)
        signals = self._signals.get(inputs.signals) if inputs.signals else None
        previous = self._plans.get(inputs.previous_plan_id) if inputs.previous_plan_id else None
        lacking = (inputs.signals and signals is None) or (inputs.previous_plan_id and previous is None)
        if found is None or ego is None or route is None or lacking:
            return None
        received, history = found
        return Scene(
            stamp_ns=ego.stamp_ns,
            ego=ego,
            tracks=nearest(received.tracks, ego, self.parameters.tracks_max),
            route=route[1] or self._heading_route(route[0], ego),
            map=self.map,
            signals=signals,
            history=history,
            previous=previous,
            degraded=self._degraded(received, ego, signals, route[0]),
        )

    def _heading_route(self, message: RouteMessage, ego: EgoState) -> Route:
        set_ns = nanoseconds(message.header.stamp)
        return mapless_route(None, ego, goal(message), message.speed_limit_mps, message.half_width_m, stamp_ns=set_ns)

    def _degraded(
        self, received: ReceivedTracks, ego: EgoState, signals: Signals | None, route: RouteMessage
    ) -> Degraded:
        late = ego.stamp_ns - received.tracks.stamp_ns > self.parameters.tracks_late_s * NS
        signalised = self.map is not None and any(lane.signals for lane in self.map.lanes.values())
        modes = (
            (Degraded.NO_MAP, self.map is None),
            (Degraded.NO_SIGNALS, signalised and signals is None),
            (Degraded.NO_ROUTE, not len(route.lane_id) and len(route.centre_line) < 4),
            (Degraded.TRACKS_LATE, late),
            (Degraded.TRACKS_JUMP, received.jumped),
            (Degraded.TRACKS_DROPPED, bool(received.dropped) or len(received.tracks) > self.parameters.tracks_max),
        )
        found = Degraded.NONE
        for mode, holds in modes:
            found |= mode if holds else Degraded.NONE
        return found


def _off_m(route: Route, ego: EgoState) -> float:
    """Distance from the vehicle to the nearest point of a route's path, m."""
    return float(np.hypot(*(route.path - ego.position).T).min())


def nearest(tracks: Tracks, ego: EgoState, most: int) -> Tracks:
    """The `most` tracks nearest to the vehicle, in their order."""
    if len(tracks) <= most:
        return tracks
    distance = np.hypot(*(tracks.position - ego.position).T)
    return tracks.take(np.sort(np.argsort(distance, kind="stable")[:most]))


def refusal(stamp_ns: int, last_ns: int, now_ns: int, parameters: SceneParameters) -> str:
    """Why an input of this stamp is refused after one of `last_ns`, seen at `now_ns`; empty when it is taken."""
    if stamp_ns > now_ns + parameters.future_max_s * NS:
        return f"is {(stamp_ns - now_ns) / NS:.2f} s ahead of the clock"
    if stamp_ns < now_ns - parameters.age_max_s * NS:
        return f"is {(now_ns - stamp_ns) / NS:.2f} s old"
    if stamp_ns <= last_ns:
        return f"is not newer than the last, by {(last_ns - stamp_ns) / NS:.2f} s"
    return ""

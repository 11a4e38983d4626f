"""Visualisation node: the topics of the stack as markers. It can be left out or turned off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from visualization_msgs.msg import MarkerArray

from behaviors_ros.datatypes import Candidates, EgoState, Goal, LaneMap, Mode, Plan, Predictions, Scores, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.maps.load import load_map
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.ros import conversion, conversion_plan, conversion_stages, markers
from behaviors_ros.ros.conversion import TrackLimits
from behaviors_ros.ros.node import LifecycleAdapter
from behaviors_ros.ros.node import main as run_node


class VisualisationParameters(Parameters):
    """Parameters of the visualisation node."""

    vehicle: Vehicle = Vehicle()
    map: str = value("", "file of the map; empty: no lanes are drawn")
    rate_hz: float = value(10.0, "rate of the markers", low=0.5, high=30.0)
    enabled: bool = value(True, "whether markers are published")
    candidates: bool = value(True, "whether every candidate is drawn")


class VisualisationNode(LifecycleAdapter):
    """Everything of the data path -> markers."""

    name = "visualisation"
    model = VisualisationParameters

    def configure(self, parameters: VisualisationParameters) -> None:
        """Load the map; subscribe only when markers are wanted."""
        self.parameters = parameters
        self.map: LaneMap | None = load_map(Path(parameters.map)) if parameters.map else None
        self.ego: EgoState | None = None
        self.route: tuple[list[np.ndarray], Goal] | None = None
        self.tracks: Tracks | None = None
        self.predictions: Predictions | None = None
        self.candidates: Candidates | None = None
        self.scores: Scores | None = None
        self.plan: Plan | None = None
        self.mode, self.ticks = Mode.STANDBY, 0
        self.publisher = self.writes("markers")
        if parameters.enabled:
            self._listen()
            self.every(1.0 / parameters.rate_hz, self._tick)

    def _listen(self) -> None:
        def keep(name: str, convert: Any) -> None:
            self.reads(name, lambda message: setattr(self, name, convert(message)))

        keep("tracks", lambda message: conversion.tracks(message, TrackLimits()).tracks)
        keep("predictions", conversion_stages.predictions)
        keep("candidates", conversion_stages.candidates)
        keep("scores", conversion_stages.scores)
        self.reads("selected", lambda message: setattr(self, "plan", conversion_plan.usable_plan(message)))
        self.reads("status", self._status)
        self.reads("odometry", self._odometry)
        self.reads("route", self._route)

    def _status(self, message: Any) -> None:
        if message.mode not in tuple(Mode):
            raise InputError("status", "mode", f"is {message.mode}", f"known: 0 to {max(Mode):d}")
        self.mode = Mode(message.mode)

    def _odometry(self, message: Any) -> None:
        self.ego = conversion.ego_state(message, self.ego, self.parameters.vehicle)

    def _route(self, message: Any) -> None:
        """The centre lines of the route's lanes, or the line that was given instead of lanes."""
        lanes = self.map.lanes if self.map is not None else {}
        lines = [lanes[number].centre for number in message.lane_id if number in lanes]
        given = conversion.centre_line(message)
        self.route = (lines or ([given] if len(given) else []), conversion.goal(message))

    def _tick(self) -> None:
        """Draw what is there; lanes once every five seconds, for viewers that came late."""
        drawn = [marker for group in self._groups() for marker in group]
        if self.map is not None and self.ticks % max(1, round(5.0 * self.parameters.rate_hz)) == 0:
            drawn.extend(markers.lanes(self.map, self.now_ns))
        self.ticks += 1
        self.publisher.publish(MarkerArray(markers=drawn))

    def _groups(self) -> list[Any]:
        groups: list[Any] = []
        if self.route is not None:
            groups.append(markers.route(*self.route, self.now_ns))
        if self.ego is not None:
            groups.append(markers.ego(self.ego, self.parameters.vehicle, self.mode))
        if self.tracks is not None:
            groups.append(markers.tracks(self.tracks))
        if self.predictions is not None:
            groups.append(markers.predictions(self.predictions))
        if self.candidates is not None and self.parameters.candidates:
            groups.append(markers.candidates(self.candidates, self.scores))
        if self.plan is not None:
            groups.append(markers.plan(self.plan))
        return groups


def main() -> None:
    """Run the node."""
    run_node(VisualisationNode)


if __name__ == "__main__":
    main()

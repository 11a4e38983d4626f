"""Agents from their forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from behaviors_ros.datatypes import AgentClass, Array, Goal, LaneMap
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.polylines import without_duplicates
from behaviors_ros.maps.route import search
from behaviors_ros.simulation.forms import (
    AnyAgentForm,
    GiveWayForm,
    LaneChangeForm,
    ReactiveForm,
    RecordedForm,
    ScriptedForm,
    StationaryForm,
    TriggerForm,
)
from behaviors_ros.simulation.giving_way import GiveWay, give_way
from behaviors_ros.simulation.lane_change import LaneChange
from behaviors_ros.simulation.reactive import Reactive, reactive_path
from behaviors_ros.simulation.recorded import Recorded, RecordedStates
from behaviors_ros.simulation.scripted import Script, Scripted
from behaviors_ros.simulation.traffic import Agent, Body, Motion, Stationary, Trigger, identity


def agent_of(form: AnyAgentForm, lane_map: LaneMap | None) -> Agent:
    """The agent that a form describes; one whose lanes cannot be found raises `InputError`."""
    body = Body(identity(form.name), AgentClass[form.kind.upper()], *form.size)
    if isinstance(form, StationaryForm):
        return Stationary(body, Motion(np.array(form.position), form.yaw_rad, 0.0))
    if isinstance(form, RecordedForm):
        return _recorded(form, body)
    if isinstance(form, ScriptedForm):
        return _scripted(form, body)
    return _reactive(form, body, lane_map)


def _recorded(form: RecordedForm, body: Body) -> Recorded:
    columns = [np.array([getattr(state, name) for state in form.states]) for name in _STATE]
    return Recorded(body, RecordedStates(*columns))


_STATE = ("time_s", "position", "yaw_rad", "speed_mps")


def _scripted(form: ScriptedForm, body: Body) -> Scripted:
    count = len(form.waypoints)
    speeds = np.array([form.speeds_mps[min(i, len(form.speeds_mps) - 1)] for i in range(count)])
    script = Script(
        np.array(form.waypoints), speeds, form.acceleration_mps2, _trigger(form.trigger),
        form.hidden_before, form.hidden_after,
    )  # fmt: skip
    moving = form.trigger == TriggerForm()
    return Scripted(body, script, speed=float(speeds[0]) if moving else 0.0, started=moving)


def _reactive(form: ReactiveForm, body: Body, lane_map: LaneMap | None) -> Reactive:
    points = np.array(form.path) if form.path is not None else _lane_path(form, lane_map)
    if form.offset_m:
        frame = FrenetFrame(points)
        points = without_duplicates(frame.cartesian(frame.s, np.full(len(frame.s), form.offset_m)))
    path = reactive_path(points, form.driver, lane_map, tuple((x.from_m, x.to_m, x.speed_mps) for x in form.slow))
    path = replace(path, gives_way=tuple(gives_way(rule, points) for rule in form.gives_way))
    start_s = float(path.frame.project(np.array(form.position))[0]) if form.position is not None else 0.0
    moving = form.trigger == TriggerForm()
    speed = form.speed_mps if moving or form.hidden_before else 0.0
    return Reactive(
        body, path, form.driver, start_s, speed, trigger=_trigger(form.trigger),
        hidden_before=form.hidden_before, started=moving, change=_change(form.change),
    )  # fmt: skip


def gives_way(form: GiveWayForm, points: Array) -> GiveWay:
    """The rule of giving way that a form describes, for a path along `points`."""
    approaches = [np.array(line) for line in form.approaches]
    return give_way(points, np.array(form.line), np.array(form.area), approaches, form.manners)


def _change(form: LaneChangeForm | None) -> LaneChange | None:
    if form is None:
        return None
    return LaneChange(form.offset_m, form.duration_s, _trigger(form.trigger), form.ego_gap_m)


def _lane_path(form: ReactiveForm, lane_map: LaneMap | None) -> Array:
    """Centre lines of the lanes from the form's position to its destination, joined."""
    if lane_map is None or form.position is None or form.destination is None:
        raise InputError(form.name, "position", "needs a map to find its lanes", "give map, or give path")
    lanes = search(lane_map, np.array(form.position), form.yaw_rad, Goal(np.array(form.destination)))
    return without_duplicates(np.concatenate([lane_map.lanes[lane].centre for lane in lanes]))


def _trigger(form: TriggerForm) -> Trigger:
    point = np.array(form.point) if form.point is not None else None
    return Trigger(form.time_s, point, form.ego_within_m, form.ego_arrival_s, form.delay_s)

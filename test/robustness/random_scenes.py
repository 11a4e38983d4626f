"""Scenes from recipes: a recipe says which kind of each part a scene has, its seed the numbers.

Nothing is asked of the parts to fit each other: that is what the scenes are for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from behaviors_ros import pipeline
from behaviors_ros.datatypes import (
    AgentClass,
    Degraded,
    EgoState,
    Goal,
    LaneMap,
    Plan,
    Route,
    Scene,
    SignalColor,
    Signals,
    TrackHistory,
    Tracks,
)
from behaviors_ros.maps.commonroad_lanes import SignalCycle
from behaviors_ros.maps.route import build_route, mapless_route, route_frame
from behaviors_ros.prediction.history import updated
from behaviors_ros.simulation.rollout import state_at
from behaviors_ros.simulation.scenario import DEMO, load_scenario
from behaviors_ros.simulation.signals import signals_at
from behaviors_ros.simulation.situations import kinds, situation

NOW_NS = 100_000_000_000
MAPLESS = ("mapless line", "mapless bend", "mapless hairpin", "mapless ahead", "mapless short")
SITES = ("urban", *MAPLESS, *kinds())
GRIDS = {
    "6 s": {}, "3 s": {"steps": 31}, "coarse": {"dt_s": 0.2, "steps": 31}, "fine": {"dt_s": 0.05, "steps": 81},
    "1 s": {"steps": 11}, "10 s": {"steps": 101},
}  # fmt: skip
VEHICLES = {
    "car": {},
    "bus": {"wheel_base_m": 6.0, "length_m": 12.0, "width_m": 2.55, "rear_overhang_m": 3.3, "steering_max_rad": 0.75,
            "speed_max_mps": 19.0, "acceleration_max_mps2": 1.3, "deceleration_max_mps2": 6.0},
    "shuttle": {"wheel_base_m": 2.4, "length_m": 4.0, "width_m": 1.9, "rear_overhang_m": 0.8, "speed_max_mps": 7.0,
                "acceleration_max_mps2": 1.2, "deceleration_max_mps2": 5.0, "steering_rate_max_radps": 0.4},
}  # fmt: skip
OPTIONS: dict[str, tuple[str, ...]] = {
    "site": SITES,
    "goal": ("as it is", "place", "region", "anywhere", "timed", "heading", "halting", "behind", "near",
             "alternatives"),
    "pose": (*6 * ("on",), "beside", "turned", "backwards", "off", "before", "after", "last metres"),
    "speed": ("standing", "town", "town", "fast", "any", "rolling back"),
    "controls": (*4 * ("steady",), "at limits", "beyond limits"),
    "crowd": ("0", "1", "1", "3", "3", "10", "10", "10", "30", "100"),
    "agents": ("along the route", "around", *4 * ("mixed",), "on the ego", "standing", "fast"),
    "flaw": (*8 * ("none",), "noise", "noise", "NaN covariance", "NaN velocity", "NaN yaw", "NaN position", "NaN size",
             "NaN rates", "zero size", "zero covariance", "no covariance", "same ids", "unlikely", "huge", "infinite"),
    "history": ("none", "full", "holes", "of others"),
    "signals": ("as they are", "as they are", "none", "unknown", "stale", "all red"),
    "previous": ("none", "none", "valid", "expired", "far off", "of another route"),
    "degraded": ("none", "none", "some"),
    "grid": ("6 s", "6 s", "6 s", *GRIDS),
    "vehicle": ("car", "car", *VEHICLES),
    "walls": ("none", "none", "blocks", "anywhere"),
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Where a scene is: a map or none, the lanes of a way through it, the route, and the plans of its signals."""

    map: LaneMap | None
    lanes: tuple[int, ...]
    route: Route
    signals: tuple[SignalCycle, ...] = ()


@dataclass(frozen=True)
class Case:
    """A scene to plan for."""

    scene: Scene
    stages: pipeline.Stages


def recipe(seed: int) -> dict[str, Any]:
    """The recipe of a seed."""
    rng = np.random.default_rng(seed)
    return {part: str(rng.choice(options)) for part, options in OPTIONS.items()} | {"seed": seed}


def case(recipe: dict[str, Any]) -> Case:
    """The scene of a recipe."""
    rng = np.random.default_rng([recipe["seed"], 1])
    stages = stages_of(recipe["grid"], recipe["vehicle"])
    where = site(recipe["site"])
    route = (
        where.route if recipe["goal"] == "as it is" else _route(recipe["site"], recipe["goal"], int(rng.integers(3)))
    )
    ego = _ego(recipe, route, stages, rng)
    if recipe["site"] == "mapless ahead":
        route = mapless_route(None, ego, None, 13.89, 3.5)
    tracks = _flawed(recipe["flaw"], _tracks(recipe, ego, route, rng), rng)
    tracks = replace(tracks, occluders=_walls(recipe["walls"], route, np.random.default_rng([recipe["seed"], 2])))
    scene = Scene(
        NOW_NS, ego, tracks, route, where.map, _signals(recipe["signals"], where, rng),
        _history(recipe["history"], tracks, rng), None, _degraded(recipe["degraded"], rng),
    )  # fmt: skip
    return Case(_continued(recipe["previous"], scene, stages, rng), stages)


@cache
def stages_of(grid: str, vehicle: str) -> pipeline.Stages:
    """The stages with default parameters."""
    return pipeline.build({"grid": GRIDS[grid], "vehicle": VEHICLES[vehicle]})


# --- map, route, goal ------------------------------------------------------------------------------------------------


@cache
def site(name: str) -> Site:
    """A site by its name."""
    if name in MAPLESS:
        start = EgoState(NOW_NS, np.zeros(2), 0.0, 5.0)
        return Site(None, (), mapless_route(_line(name), start, None, 10.0, 2.5, stamp_ns=NOW_NS))
    made = load_scenario(DEMO) if name == "urban" else situation(name, 0)
    return Site(made.map, made.route.lanes, made.route, made.signals)


def _line(name: str) -> np.ndarray | None:
    along = np.arange(0.0, 161.0)
    if name == "mapless ahead":
        return None
    if name == "mapless short":
        return np.array([[0.0, 0.0], [12.0, 1.0]])
    if name == "mapless line":
        return np.stack((along, 0.0 * along), axis=1)
    radius, turn = (25.0, 0.5 * np.pi) if name == "mapless bend" else (7.0, np.pi)
    heading = np.clip((along - 60.0) / radius, 0.0, turn)
    steps = np.stack((np.cos(heading), np.sin(heading)), axis=1)
    return np.concatenate((np.zeros((1, 2)), np.cumsum(steps[:-1], axis=0)))


@lru_cache(maxsize=400)
def _route(name: str, kind: str, variant: int) -> Route:
    where = site(name)
    goal = _goal(kind, where.route, variant)
    set_ns = NOW_NS - (0, 3, 20)[variant] * 10**9
    if where.map is None:
        start = EgoState(NOW_NS, np.zeros(2), 0.0, 5.0)
        return mapless_route(where.route.path, start, goal, 10.0, 2.5, stamp_ns=set_ns)
    return build_route(where.map, where.lanes, goal, where.route.path[0], stamp_ns=set_ns)


def _goal(kind: str, route: Route, variant: int) -> Goal:
    share = {"behind": 0.1, "near": 0.35}.get(kind, (0.5, 0.8, 1.0)[variant])
    s = share * float(route.s[-1])
    frame = route_frame(route)
    place, yaw = frame.point(np.array([s]))[0], float(frame.heading(s))
    ahead, left = np.array((np.cos(yaw), np.sin(yaw))), np.array((-np.sin(yaw), np.cos(yaw)))
    corners = np.array([[4.0, 1.5], [-4.0, 1.5], [-4.0, -1.5], [4.0, -1.5]])
    polygon = place + corners[:, :1] * ahead + corners[:, 1:] * left
    time = ((2.0, 5.0), (4.0, 12.0), (25.0, 40.0))[variant]
    if kind == "place":
        return Goal(place)
    if kind == "anywhere":
        return Goal(place, anywhere=True, time=time, speed=(0.0, 5.0))
    if kind == "timed":
        return Goal(place, polygon, time=time, speed=((0.0, 3.0), (4.0, 9.0), None)[variant])
    if kind == "heading":
        return Goal(place, polygon, yaw=(yaw + 0.2 * variant - 0.1, yaw + 0.2 * variant + 0.1), time=time)
    if kind == "halting":
        return Goal(place, polygon, speed=(0.0, 0.1))
    if kind == "alternatives":
        return Goal(place, polygon, alternatives=(Goal(place + 5.0 * left, time=time),))
    return Goal(place, polygon, speed=(0.5, 30.0))


# --- ego -------------------------------------------------------------------------------------------------------------


def _ego(recipe: dict[str, Any], route: Route, stages: pipeline.Stages, rng: np.random.Generator) -> EgoState:
    vehicle, frame, length = stages.vehicle, route_frame(route), float(route.s[-1])
    s, d, turn = rng.uniform(0.0, length), rng.normal(0.0, 0.3), rng.normal(0.0, 0.05)
    pose = recipe["pose"]
    s = {"before": -rng.uniform(0.0, 20.0), "after": length + rng.uniform(0.0, 15.0),
         "last metres": max(length - rng.uniform(0.0, 8.0), 0.0)}.get(pose, s)  # fmt: skip
    d = {"beside": rng.uniform(-7.0, 7.0), "off": rng.choice((-1.0, 1.0)) * rng.uniform(20.0, 400.0)}.get(pose, d)
    turn = {"turned": rng.uniform(-2.0, 2.0), "backwards": np.pi + turn}.get(pose, turn)
    on = float(np.clip(s, 0.0, length))
    heading = float(frame.heading(on))
    ahead, left = np.array((np.cos(heading), np.sin(heading))), np.array((-np.sin(heading), np.cos(heading)))
    position = frame.point(np.array([on]))[0] + (s - on) * ahead + d * left
    speed = {"standing": 0.0, "town": rng.uniform(2.0, 12.0), "fast": rng.uniform(12.0, 30.0),
             "rolling back": -rng.uniform(0.0, 1.5)}.get(recipe["speed"], rng.uniform(0.0, 30.0))  # fmt: skip
    steering, acceleration = rng.normal(0.0, 0.02), rng.normal(0.0, 0.5)
    if recipe["controls"] != "steady":
        factor = 1.0 if recipe["controls"] == "at limits" else rng.uniform(1.0, 2.0)
        steering = factor * rng.choice((-1.0, 1.0)) * vehicle.steering_max_rad
        acceleration = factor * rng.choice((-vehicle.deceleration_max_mps2, vehicle.acceleration_max_mps2))
    rate = speed * np.tan(np.clip(steering, -1.4, 1.4)) / vehicle.wheel_base_m
    return EgoState(
        NOW_NS, position, float(np.remainder(heading + turn + np.pi, 2.0 * np.pi) - np.pi), float(speed),
        float(acceleration), float(steering), float(rate),
    )  # fmt: skip


# --- tracks ----------------------------------------------------------------------------------------------------------

SIZES = {AgentClass.TRUCK: (9.0, 2.5), AgentClass.BUS: (12.0, 2.55), AgentClass.TRAILER: (10.0, 2.5),
         AgentClass.MOTORCYCLE: (2.2, 0.8), AgentClass.BICYCLE: (1.8, 0.6), AgentClass.PEDESTRIAN: (0.6, 0.6),
         AgentClass.ANIMAL: (0.9, 0.4), AgentClass.HAZARD: (1.0, 1.0)}  # fmt: skip


def _tracks(recipe: dict[str, Any], ego: EgoState, route: Route, rng: np.random.Generator) -> Tracks:
    n, how = int(recipe["crowd"]), recipe["agents"]
    if n == 0:
        return Tracks.empty(NOW_NS)
    frame = route_frame(route)
    near_s = float(frame.project(ego.position)[0])
    s = rng.uniform(near_s - 40.0, near_s + 90.0, n)
    lane_yaw = frame.heading(np.clip(s, 0.0, frame.length)) + np.pi * (rng.random(n) < 0.3)
    side = frame.heading(np.clip(s, 0.0, frame.length))[:, None] + np.array([[0.5 * np.pi]])
    on_route = frame.point(np.clip(s, 0.0, frame.length)) + rng.normal(0.0, 3.0, (n, 1)) * np.concatenate(
        (np.cos(side), np.sin(side)), axis=1
    )
    around = ego.position + rng.normal(0.0, 25.0, (n, 2))
    along = np.ones(n, bool) if how == "along the route" else rng.random(n) < 0.6
    along &= how != "around"
    position = np.where(along[:, None], on_route, around)
    if how == "on the ego":
        position[: max(n // 3, 1)] = ego.position + rng.normal(0.0, 1.5, (max(n // 3, 1), 2))
    yaw = np.where(along, lane_yaw, rng.uniform(-np.pi, np.pi, n)) + rng.normal(0.0, 0.05, n)
    kind = rng.integers(0, len(AgentClass), n)
    kind = np.where(rng.random(n) < 0.5, rng.choice((1, 1, 6, 7), n), kind)
    speed = np.where(np.isin(kind, (7, 8)), rng.uniform(0.0, 2.5, n), rng.uniform(0.0, 13.0, n))
    speed = {"standing": np.zeros(n), "fast": rng.uniform(15.0, 60.0, n)}.get(how, speed * (rng.random(n) < 0.8))
    size = np.array([SIZES.get(AgentClass(int(k)), (4.5, 1.8)) for k in kind]) * rng.uniform(0.8, 1.2, (n, 1))
    heading = np.stack((np.cos(yaw), np.sin(yaw)), axis=1)
    return Tracks(
        NOW_NS - int(rng.choice((0, 0, 50, 100, 400))) * 10**6, tuple(f"{i + 1:032x}" for i in range(n)),
        kind.astype(np.int64), position, np.remainder(yaw + np.pi, 2.0 * np.pi) - np.pi, speed[:, None] * heading,
        rng.normal(0.0, 0.7, (n, 1)) * heading, rng.normal(0.0, 0.05, n), size[:, 0], size[:, 1],
        rng.uniform(0.001, 0.3, (n, 1, 1)) * np.eye(2), rng.uniform(0.3, 1.0, n),
    )  # fmt: skip


def _flawed(flaw: str, tracks: Tracks, rng: np.random.Generator) -> Tracks:
    """Some of the tracks with what perception may get wrong."""
    n = len(tracks)
    if n == 0 or flaw == "none":
        return tracks
    bad = rng.random(n) < rng.choice((0.1, 0.5, 1.0))
    if flaw == "noise":
        return replace(
            tracks, position=tracks.position + rng.normal(0.0, 0.4, (n, 2)), yaw=tracks.yaw + rng.normal(0.0, 0.2, n),
            velocity=tracks.velocity + rng.normal(0.0, 0.8, (n, 2)),
        )  # fmt: skip
    if flaw == "same ids":
        return replace(tracks, id=tuple(tracks.id[0] if bad[i] else tracks.id[i] for i in range(n)))
    fields: dict[str, tuple[tuple[str, ...], float]] = {
        "NaN covariance": (("covariance",), np.nan), "NaN velocity": (("velocity",), np.nan),
        "NaN yaw": (("yaw",), np.nan), "NaN position": (("position",), np.nan),
        "NaN size": (("length", "width"), np.nan),
        "NaN rates": (("acceleration", "yaw_rate", "existence"), np.nan), "zero size": (("length", "width"), 0.0),
        "zero covariance": (("covariance",), 0.0), "no covariance": (("covariance",), -1.0),
        "unlikely": (("existence",), 0.0), "huge": (("covariance", "length"), 300.0),
        "infinite": (("velocity", "acceleration"), np.inf),
    }  # fmt: skip
    names, number = fields[flaw]
    return replace(tracks, **{name: _with(getattr(tracks, name), bad, number) for name in names})


def _with(values: np.ndarray, rows: np.ndarray, number: float) -> np.ndarray:
    changed = values.copy()
    changed[rows] = number
    return changed


def _walls(kind: str, route: Route, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Outlines of blocks beside the route, or of anything anywhere: on it, pointed, with corners that are the same."""
    if kind == "none":
        return ()
    places = route.path[rng.integers(0, len(route.path), 4)]
    if kind == "blocks":
        size = rng.uniform(1.0, 15.0, (4, 1, 2)) * np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
        return tuple(places[:, None] + 20.0 * rng.choice((-1.0, 1.0), (4, 1, 2)) + size)
    rings = [place + rng.normal(0.0, 8.0, (int(rng.integers(3, 7)), 2)) for place in places]
    return (*rings, np.repeat(places[:1], 3, axis=0))


def _history(kind: str, tracks: Tracks, rng: np.random.Generator) -> TrackHistory | None:
    if kind == "none":
        return None
    seen, history = tracks, None
    for age in range(30, -1, -1):
        moved = tracks.position - 0.1 * age * np.nan_to_num(tracks.velocity, posinf=0.0, neginf=0.0)
        seen = replace(tracks, stamp_ns=tracks.stamp_ns - age * 10**8, position=moved)
        if kind == "holes":
            seen = seen.take(rng.random(len(tracks)) < 0.7)
        if kind == "of others":
            seen = replace(seen, id=tuple(f"{i + 900:032x}" for i in range(len(seen))))
        if age % 5 == 0 or kind != "of others":
            history = updated(history, seen, 31)
    return history


# --- signals, previous plan, degraded modes --------------------------------------------------------------------------


def _signals(kind: str, where: Site, rng: np.random.Generator) -> Signals | None:
    if kind == "none" or not where.signals:
        return None
    found = signals_at(where.signals, NOW_NS, float(rng.uniform(0.0, 90.0)))
    if kind == "unknown":
        return replace(found, color=np.zeros_like(found.color), next_change_s=np.full(len(found.id), np.nan))
    if kind == "all red":
        return replace(found, color=np.full_like(found.color, int(SignalColor.RED)))
    return replace(found, stamp_ns=NOW_NS - 10**9) if kind == "stale" else found


def _continued(kind: str, scene: Scene, stages: pipeline.Stages, rng: np.random.Generator) -> Scene:
    """The scene with a previous plan: its own, a little later, or one that does not fit."""
    if kind == "none":
        return scene
    if kind == "of another route":
        return replace(scene, previous=_elsewhere())
    plan = pipeline.plan(replace(scene, signals=None), stages, 1)
    if kind == "far off":
        far = replace(plan.trajectory, position=plan.trajectory.position + np.array([7.0, -4.0]))
        return replace(scene, previous=replace(plan, trajectory=far))
    later_ns = scene.stamp_ns + (10**8 if kind == "valid" else 3 * 10**9)
    ego = state_at(plan.trajectory, later_ns, stages.vehicle)
    ego = replace(ego, position=ego.position + rng.normal(0.0, 0.05, 2), speed=ego.speed + rng.normal(0.0, 0.1))
    return replace(scene, stamp_ns=later_ns, ego=ego, previous=plan)


@lru_cache(maxsize=1)
def _elsewhere() -> Plan:
    where = site("mapless bend")
    ego = EgoState(NOW_NS, where.route.path[20], 0.0, 6.0)
    return pipeline.plan(Scene(NOW_NS, ego, Tracks.empty(NOW_NS), where.route), stages_of("6 s", "car"), 1)


def _degraded(kind: str, rng: np.random.Generator) -> Degraded:
    return Degraded.NONE if kind == "none" else Degraded(int(rng.integers(0, 128)))

"""Scorer: what may come out of where the ego cannot see."""

from __future__ import annotations

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

from behaviors_ros.datatypes import VEHICLES, AgentClass, Array, Candidates, Predictions, Scene, StopKind, Terms, among
from behaviors_ros.parameters import Parameters, Vehicle, value
from behaviors_ros.registry import register
from behaviors_ros.scoring.footprint import foreseeable, now_on_route, terms
from behaviors_ros.scoring.passage import front_s, stops_ahead
from behaviors_ros.scoring.sight import SightParameters, arrivals

HIDING = (*VEHICLES, AgentClass.HAZARD, AgentClass.UNKNOWN)


class OcclusionParameters(Parameters):
    """Who may come out, and what the ego can do then."""

    weight: float = value(
        3.0, "share in the weighted mean: past a parked van 1 m away 16 instead of 36 km/h is worth 3.0 s of delay",
        low=0.0, high=100.0,
    )  # fmt: skip
    response_s: float = value(0.3, "time before the ego's braking takes hold", low=0.0, high=3.0)
    braking_mps2: float = value(5.0, "braking that the ego counts on", low=0.5, high=12.0)
    floor_mps: float = value(4.5, "passing speed that always is slow enough", low=0.5, high=20.0)
    harm_mps: float = value(8.0, "speed of impact from which harm counts in full", low=1.0, high=30.0)
    walker_mps: float = value(1.5, "speed at which somebody on foot comes out", low=0.2, high=10.0)
    walkers_limit_mps: float = value(20.0, "nobody walks on roads with a higher speed limit", low=1.0, high=60.0)
    chance: float = value(0.8, "how much a hidden person counts", low=0.0, high=1.0)
    crosswalk_chance: float = value(1.0, "likewise at a crosswalk", low=0.0, high=1.0)
    crosswalk_m: float = value(8.0, "who hides a crosswalk ends at most this far before it", low=0.0, high=30.0)
    car_hides: float = value(0.6, "share of this behind a car, over which one may see", low=0.0, high=1.0)
    van_length_m: float = value(5.4, "vehicles from this length on, trucks and buses hide in full", low=1.0, high=30.0)
    van_width_m: float = value(2.05, "or from this width on", low=0.5, high=4.0)
    standing_mps: float = value(1.0, "up to this speed an agent hides who is behind it", low=0.0, high=20.0)
    sight: SightParameters = SightParameters()


class Hiding(NamedTuple):
    """Standing boxes on the route: far end s, lowest and highest d, m, and how much a person behind counts."""

    edges: Float[Array, "agent 4"]
    position: Float[Array, "agent 2"]
    yaw: Float[Array, "agent"]
    half: Float[Array, "agent 2"]


@register("scorer", "occlusion")
class Occlusion:
    """Raw: largest risk from who may be hidden, in [0, 1]. Score: 1 - raw.

    Set-based, of one phantom each (Orzechowski, Meyer, Lauer, "Tackling occlusions and limited sensor range with
    set-based safety verification", ITSC 2018), weighed instead of forbidden.

    On foot: somebody at the far corner of every standing box beside the way walks into it the moment the ego can just
    not pass before. With gap y, walking speed w and the ego's speed v then, y / w s remain, in which the ego is to have
    passed, v y / w m, or to have halted, v response + v^2 / (2 b) m: safe up to u = max(2 b (y / w - response), floor),
    above it braking still leaves an impact at v (v - u) = impact^2. Risk: chance x hidden share x impact^2 / harm^2.

    On lanes with priority: see `sight.py`. A candidate that stays before the line has no risk from these.

    Boxes of standing agents hide, and the outlines that perception tells; walls, hedges and hills are on no map that we
    read. Where a file gives buildings as obstacles they count.
    """

    parameters = OcclusionParameters

    def __init__(self, parameters: OcclusionParameters, vehicle: Vehicle) -> None:
        """Keep parameters and vehicle."""
        self.p, self.vehicle = parameters, vehicle

    def score(self, scene: Scene, predictions: Predictions, candidates: Candidates) -> Terms:
        """One term a candidate."""
        if not foreseeable(predictions):
            return terms(np.full(len(candidates), np.nan), np.zeros(len(candidates)), candidates)
        hiding, risk = self._hiding(scene, predictions), np.zeros(len(candidates))
        front = front_s(candidates, self.vehicle)
        if len(hiding.edges):
            risk = self._walkers(scene, hiding, candidates, front)
        if len(hiding.edges) or scene.tracks.occluders:
            for stop in stops_ahead(scene.route, (StopKind.YIELD, StopKind.STOP_SIGN), candidates, self.vehicle):
                boxes = (hiding.position, hiding.yaw, hiding.half)
                on_lanes = arrivals(scene, stop, boxes, front, candidates, self.vehicle, self.p.sight)
                risk = np.maximum(risk, on_lanes)
        return terms(risk, 1.0 - risk, candidates)

    def _hiding(self, scene: Scene, predictions: Predictions) -> Hiding:
        """The standing boxes, and where they are on the route."""
        now = now_on_route(scene, predictions)
        rows = np.flatnonzero((now.speed <= self.p.standing_mps) & among(predictions.kind, HIDING))
        position, yaw, s, d = now.position[rows], now.yaw[rows], now.s[rows], now.d[rows]
        length, width = predictions.length[rows], predictions.width[rows]
        cos, sin = np.abs(now.cos[rows]), np.abs(now.sin[rows])
        along, half = 0.5 * (length * cos + width * sin), 0.5 * (length * sin + width * cos)
        large = (length >= self.p.van_length_m) | (width >= self.p.van_width_m)
        large |= among(predictions.kind[rows], (AgentClass.TRUCK, AgentClass.BUS, AgentClass.TRAILER))
        chance = np.full(len(rows), self.p.chance)
        for stop in (each for each in scene.route.stops if each.kind == StopKind.CROSSWALK):
            at = (s + along >= stop.s - self.p.crosswalk_m) & (s + along <= stop.clear_s)
            chance = np.where(at, self.p.crosswalk_chance, chance)
        counts = chance * np.where(large, 1.0, self.p.car_hides)
        edges = np.column_stack([s + along, d - half, d + half, counts])
        return Hiding(edges, position, yaw, 0.5 * np.column_stack([length, width]))

    def _walkers(
        self, scene: Scene, hiding: Hiding, candidates: Candidates, front: Float[Array, "candidate step"]
    ) -> Float[Array, "candidate"]:
        """Largest risk from people behind the boxes."""
        p, far = self.p, hiding.edges[:, 0]
        limit = np.interp(far, scene.route.s, scene.route.speed_limit)
        ahead = (far > np.nanmin(front, initial=np.inf)) & (far < np.nanmax(front, initial=-np.inf))
        edges = hiding.edges[ahead & (limit <= p.walkers_limit_mps)]
        return walker_risk(
            front, candidates.d, candidates.speed, edges, 0.5 * self.vehicle.width_m, p.walker_mps, p.response_s,
            p.braking_mps2, p.floor_mps, p.harm_mps,
        )  # fmt: skip


@no_type_check
@njit(cache=True)
def walker_risk(front, d, speed, edges, half_width, walking, response, braking, floor, harm):
    """Largest risk (candidate,) from people behind boxes; `edges` as in `Hiding`; front, d, speed (candidate, step).

    For each box the step counts at which the ego comes so near that it can just pass before the person is there.
    """
    risk = np.zeros(len(front))
    for i in range(len(front)):
        for k in range(len(edges)):
            far, low, high, chance = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]
            if far <= front[i, 0] or far > front[i, -1] or chance <= risk[i]:
                continue
            for step in range(front.shape[1]):
                v = speed[i, step]
                gap = max(low - d[i, step], d[i, step] - high) - half_width
                remaining = max(gap, 0.0) / walking
                if far - front[i, step] <= v * remaining or front[i, step] >= far:
                    safe = max(2.0 * braking * (remaining - response), floor)
                    impact2 = max(v * (v - safe), 0.0)
                    risk[i] = max(risk[i], chance * min(impact2 / (harm * harm), 1.0))
                    break
    return risk

"""End states from agents that come across our lane without a rule of the map: who steps, runs or pulls out before us.

For each of them there are three things to do: halt before the place, arrive after it has gone, or be gone before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from behaviors_ros.datatypes import Array, Predictions
from behaviors_ros.generation import agents as columns
from behaviors_ros.generation.agents import agents_along
from behaviors_ros.generation.longitudinal import ALONG_LANE
from behaviors_ros.generation.motions import FREE, Leads, Motions
from behaviors_ros.generation.situation import Situation
from behaviors_ros.parameters import Parameters, value


class Yielding(Parameters):
    """Which crossings are met, and with what room in space and time."""

    crossings: int = value(2, "crossings ahead for which end states are made", low=0.0, high=10.0)
    beside_m: float = value(0.6, "distance beside the ego's width that is kept free", low=0.0, high=3.0)
    before_m: float = value(2.0, "front bumper to the place when halted", low=0.2, high=10.0)
    apart_s: float = value(0.8, "time between the agent and the ego at the place", low=0.0, high=5.0)
    probability_min: float = value(0.15, "second modes less probable than this do not count", low=0.0, high=1.0)
    halt_decelerations_mps2: tuple[float, ...] = value((1.5, 3.0, 5.0), "braking of the halts")
    halt_jerk_ratio_1ps: float = value(1.2, "jerk of a halt over its braking", low=0.1, high=5.0)
    deceleration_mps2: float = value(2.0, "braking to arrive after the agent", low=0.2, high=6.0)
    acceleration_mps2: float = value(2.2, "most acceleration to be gone before the agent", low=0.2, high=4.0)


@dataclass(frozen=True)
class Crossing:
    """An agent in the ego's lane for a time. label: its short name; rear, front: the stations it takes up there, m;
    enters_s, leaves_s: when, from now; infinite: it stays.
    """

    label: str
    rear: float
    front: float
    enters_s: float
    leaves_s: float


def crossings(situation: Situation, predictions: Predictions, rules: Yielding) -> list[Crossing]:
    """Who comes into the lane ahead from its side, or leaves it to a side; nearest first, one for each agent's mode."""
    groups = [(situation.agents.along, [situation.label_of(n) for n in range(len(situation.agents))])]
    second = _second_modes(situation, predictions, rules.probability_min)
    if second is not None:
        groups.append(second)
    half = 0.5 * situation.vehicle.width_m + rules.beside_m
    found = []
    for along, labels in groups:
        inside = (along[..., columns.RIGHT] < half) & (along[..., columns.LEFT] > -half)
        for row in np.flatnonzero(inside.any(axis=1) & ~inside.all(axis=1)):
            crossing = _crossing(situation, along[row], inside[row], labels[row])
            found += [] if crossing is None else [crossing]
    return sorted(found, key=lambda item: (item.rear, item.label, item.enters_s))[: rules.crossings]


def _second_modes(situation: Situation, predictions: Predictions, least: float) -> tuple[Array, list[str]] | None:
    """The second modes of the agents near the reference, where probable enough."""
    near = situation.agents.index
    if predictions.probability.shape[1] < 2 or not len(near):
        return None
    probability = predictions.probability[near]
    order = np.argsort(-probability, axis=1, kind="stable")[:, 1]
    rows = np.flatnonzero(probability[np.arange(len(near)), order] >= least)
    if not len(rows):
        return None
    reference, reach_m = situation.reference, situation.reach_m
    found = agents_along(
        reference.table, reference.spacing_m, predictions, situation.station, reach_m, 12.0, situation.grid.steps,
        near[rows], order[rows],
    )  # fmt: skip
    return found.along, [situation.agent_id[n][:4] for n in found.index]


def _crossing(situation: Situation, along: Array, inside: Array, label: str) -> Crossing | None:
    """When an agent is in the ego's lane ahead, `inside` (step,); None for one behind, far on, or that leads."""
    first, last = (int(edge) for edge in np.flatnonzero(inside)[[0, -1]])
    ahead = float(along[first, columns.CENTRE]) > situation.station + situation.front_m
    sideways = first > 0 or abs(float(along[last, columns.LEFT] - along[first, columns.LEFT])) > 0.3
    if not ahead or not sideways:
        return None
    part = along[first : last + 1]
    rear, front = float(np.nanmin(part[:, columns.REAR])), float(np.nanmax(part[:, columns.FRONT]))
    if not rear < situation.station + situation.reach_m:
        return None
    dt, stays = situation.grid.dt_s, last == len(along) - 1
    # One that stays and drives on leads from where it came in.
    end = float(part[0, columns.FRONT]) if stays else front
    return Crossing(label, rear, end, first * dt, math.inf if stays else (last + 1) * dt)


def add_yields(situation: Situation, motions: Motions, rules: Yielding, found: list[Crossing]) -> None:
    """Along the lane: halts before each crossing, speeds that arrive after it, speeding up to be gone before it."""
    for path, name in enumerate(motions.paths.label):
        if name not in ALONG_LANE:
            continue
        for crossing in found:
            _halts(situation, motions, rules, path, crossing)
            _after(situation, motions, rules, path, crossing)
            _before(situation, motions, rules, path, crossing)


def _halts(situation: Situation, motions: Motions, rules: Yielding, path: int, crossing: Crossing) -> None:
    """Halts with the bumper before the place."""
    place = situation.s + crossing.rear - situation.station - situation.front_m - rules.before_m
    length = motions.paths.length_at(path, place)
    if length < 0.0:
        return
    for braking in rules.halt_decelerations_mps2:
        label = f"halt for {crossing.label}, {motions.paths.label[path]}"
        motions.halt(path, length, braking, rules.halt_jerk_ratio_1ps * braking, label, Leads.NONE)


def _after(situation: Situation, motions: Motions, rules: Yielding, path: int, crossing: Crossing) -> None:
    """The speed by which the bumper reaches the place once the agent has left it."""
    if not math.isfinite(crossing.leaves_s):
        return
    distance = crossing.rear - situation.station - situation.front_m
    speed = arriving(situation.start.speed, distance, crossing.leaves_s + rules.apart_s, rules.deceleration_mps2)
    if speed is not None and 0.3 < speed < situation.start.speed:
        label = f"let {crossing.label} cross at {speed:.1f} m/s, {motions.paths.label[path]}"
        motions.drive(path, speed, rules.deceleration_mps2, situation.driving.jerk_mps3, label, Leads.NONE)


def _before(situation: Situation, motions: Motions, rules: Yielding, path: int, crossing: Crossing) -> None:
    """The acceleration by which the rear is past the place before the agent comes."""
    time = crossing.enters_s - rules.apart_s
    distance = crossing.front + situation.vehicle.rear_overhang_m - situation.station
    if time <= 0.5:
        return
    needed = 2.0 * (distance - situation.start.speed * time) / time**2
    most = min(rules.acceleration_mps2, situation.vehicle.acceleration_max_mps2)
    if situation.driving.acceleration_mps2 < 1.3 * needed and needed < most:
        strength = min(1.3 * needed, most)
        label = f"go before {crossing.label}, {motions.paths.label[path]}"
        motions.drive(path, FREE, strength, 2.0 * situation.driving.jerk_mps3, label, Leads.NONE)


def arriving(speed: float, distance: float, time: float, braking: float) -> float | None:
    """The speed to brake to, held from then on, that covers `distance` m in `time` s; None: a halt is needed.

    With the present speed v, braking b and the speed wanted u: distance = (v^2 - u^2) / 2b + u (time - (v - u) / b),
    so that u = v - b time + sqrt((b time)^2 - 2 b v time + 2 b distance).
    """
    root = (braking * time) ** 2 - 2.0 * braking * speed * time + 2.0 * braking * distance
    if root < 0.0:
        return None
    wanted = speed - braking * time + math.sqrt(root)
    return wanted if wanted > 0.0 else None

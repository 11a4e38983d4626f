"""Longitudinal end states on the paths of a generator: target speeds, and halts at the places ahead."""

from __future__ import annotations

from behaviors_ros.generation.motions import FREE, Leads, Motions
from behaviors_ros.generation.situation import Situation, halts
from behaviors_ros.parameters import Parameters, value

ALONG_LANE = ("keep lane", "continue")


class Longitudinal(Parameters):
    """Which speeds and halts are offered on a path."""

    speed_fractions: tuple[float, ...] = value((0.2, 0.4, 0.6, 0.8, 1.0), "target speeds as fractions of the limit")
    accelerations_mps2: tuple[float, ...] = value((0.7, 1.4), "acceleration and braking towards a target speed")
    halt_decelerations_mps2: tuple[float, ...] = value(
        (0.9, 1.5, 2.5), "braking of halts; off the lane's path only the middle one"
    )
    halt_jerk_ratio_1ps: float = value(0.9, "jerk of a halt over its braking", low=0.1, high=5.0)


def leads_of(label: str, follows: bool) -> Leads:
    """Whom a path keeps behind; `follows`: the generator's motions follow agents. Nobody closes up to a parked agent,
    for from there it cannot be passed.
    """
    if follows:
        return Leads.WAITING
    return Leads.PARKED if label in ALONG_LANE else Leads.NONE


def add_speeds(situation: Situation, motions: Motions, ends: Longitudinal, follows: bool) -> None:
    """Every path at every target speed; the whole limit follows the limits ahead."""
    for path, label in enumerate(motions.paths.label):
        leads = leads_of(label, follows)
        for fraction in ends.speed_fractions:
            speed = fraction * situation.limit_mps
            cap = FREE if fraction >= 1.0 else speed
            for strength in ends.accelerations_mps2:
                motions.drive(path, cap, strength, situation.driving.jerk_mps3, f"{label}, {speed:.1f} m/s", leads)


def add_halts(situation: Situation, motions: Motions, ends: Longitudinal, follows: bool) -> None:
    """Every path with a halt at every place ahead."""
    strengths = ends.halt_decelerations_mps2
    middle = len(strengths) // 2
    for halt in halts(situation):
        for path, label in enumerate(motions.paths.label):
            length, leads = motions.paths.length_at(path, halt.s), leads_of(label, follows)
            for braking in strengths if label in ALONG_LANE else strengths[middle : middle + 1]:
                motions.halt(path, length, braking, ends.halt_jerk_ratio_1ps * braking, f"{halt.label}, {label}", leads)

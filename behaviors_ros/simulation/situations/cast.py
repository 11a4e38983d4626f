"""Road users of situations, as forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from behaviors_ros.datatypes import Array
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.simulation.forms import GiveWayForm, ReactiveForm, StationaryForm, TriggerForm
from behaviors_ros.simulation.giving_way import Manners
from behaviors_ros.simulation.reactive import Idm
from behaviors_ros.simulation.situations.draft import at, line

Walker = Literal["pedestrian", "animal"]
WALKER = Idm(
    desired_speed_mps=1.4, headway_s=0.3, gap_min_m=0.6, acceleration_mps2=1.5, deceleration_mps2=2.0,
    lateral_acceleration_mps2=6.0, clearance_m=0.05, sight_m=6.0, crossing_horizon_s=0.0,
)  # fmt: skip
CYCLIST = Idm(desired_speed_mps=5.0, acceleration_mps2=1.0, clearance_m=0.1, gap_min_m=1.0, sight_m=40.0)


def standing(name: str, position: Array, yaw: float, **more: Any) -> StationaryForm:
    """One that stays where it is."""
    yaw = round(float(np.arctan2(np.sin(yaw), np.cos(yaw))), 6)
    return StationaryForm(name=name, behaviour="stationary", position=at(position), yaw_rad=yaw, **more)


def driving(name: str, path: Array, speed_mps: float, begin: Array | None = None, **more: Any) -> ReactiveForm:
    """A driver along a path from `begin` (the path's start) at its wanted speed."""
    if "driver" not in more:
        more["driver"] = Idm(desired_speed_mps=speed_mps)
    more.setdefault("speed_mps", round(speed_mps, 3))
    return ReactiveForm(
        name=name, behaviour="reactive", path=line(path), position=at(path[0] if begin is None else begin), **more
    )


def walking(
    name: str, path: Array, speed_mps: float, trigger: TriggerForm, kind: Walker = "pedestrian", **more: Any
) -> ReactiveForm:
    """One on foot or paw that starts when triggered and does not walk into what stands before it."""
    quick = {"desired_speed_mps": speed_mps, "acceleration_mps2": 4.0 if kind == "animal" or speed_mps > 2.0 else 1.5}
    driver = WALKER.model_copy(update=quick)
    return ReactiveForm(
        name=name, behaviour="reactive", kind=kind, path=line(path), position=at(path[0]), driver=driver,
        trigger=trigger, **more,
    )  # fmt: skip


def stream(
    name: str, path: Array, meeting: Array, times_s: Sequence[float], speed_mps: float, **more: Any
) -> list[ReactiveForm]:
    """Drivers along one path who would reach the place `meeting` at the given times, undisturbed.

    Those who would have to start before the path begins appear at its start when they are due.
    """
    frame = FrenetFrame(path)
    meets = float(frame.project(meeting)[0])
    more.setdefault("driver", Idm(desired_speed_mps=speed_mps, headway_s=0.7))
    found = []
    for index, time_s in enumerate(times_s):
        begin = meets - speed_mps * time_s
        late = TriggerForm(time_s=round(max(0.0, -begin / speed_mps), 3))
        found.append(
            driving(
                f"{name} {index + 1}",
                path,
                speed_mps,
                frame.point(max(0.0, begin)),
                trigger=late,
                hidden_before=late.time_s > 0.0,
                **more,
            )  # fmt: skip
        )
    return found


def approaching(point: Array, within_m: float, delay_s: float = 0.0) -> TriggerForm:
    """When the ego's front comes within a distance of a point."""
    return TriggerForm(point=at(point), ego_within_m=round(within_m, 3), delay_s=round(delay_s, 3))


def yielding(where: Array, area: Array, approaches: Sequence[Array], **manners: Any) -> GiveWayForm:
    """A place to give way."""
    return GiveWayForm(
        line=at(where), area=line(area), approaches=tuple(line(way) for way in approaches), manners=Manners(**manners)
    )


def gaps(first_s: float, *between_s: float) -> list[float]:
    """Arrival times from the first one and the gaps after it."""
    return [round(float(time), 3) for time in np.cumsum([first_s, *between_s])]

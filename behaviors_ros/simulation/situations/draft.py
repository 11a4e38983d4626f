"""A situation before it is a scenario: our form, its map, and how a careful driver solves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from behaviors_ros.datatypes import Array
from behaviors_ros.errors import InputError
from behaviors_ros.maps.load import load_map
from behaviors_ros.parameters import Vehicle
from behaviors_ros.simulation.forms import AnyAgentForm, GiveWayForm, GoalForm, ScenarioForm, StartForm
from behaviors_ros.simulation.scenario import Scenario, scenario_of
from behaviors_ros.simulation.situations.variation import Variation
from behaviors_ros.simulation.traffic import Perception
from behaviors_ros.simulation.worlds.osm import OsmMap

Point = tuple[float, float]
PERCEPTION = Perception(range_m=120.0, occlusion=True)


@dataclass(frozen=True)
class Careful:
    """How a careful driver solves a situation along the route.

    gives_way: where it waits for whom; offsets: (place, shift to the left of the route there, m), blended in between;
    slow: (from place, to place, speed m/s). path: of its box centre, instead of the route's with its shifts.
    """

    gives_way: tuple[GiveWayForm, ...] = ()
    offsets: tuple[tuple[Point, float], ...] = ()
    slow: tuple[tuple[Point, Point, float], ...] = ()
    path: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A situation: map as a Lanelet2 map to be written, or the file of one."""

    form: ScenarioForm
    map: OsmMap | Path
    careful: Careful

    def scenario(self, vehicle: Vehicle | None = None) -> Scenario:
        """The scenario; the map takes the way over its file form, so that a written situation reads back the same."""
        if isinstance(self.map, Path):
            lane_map = replace(load_map(self.map), name=Path(str(self.form.map)).stem)
            return scenario_of(self.form, lane_map, self.form.provenance, vehicle)
        with TemporaryDirectory(prefix="behaviors_") as folder:
            path = Path(folder) / str(self.form.map)
            path.write_text(self.map.text(), encoding="utf-8")
            return scenario_of(self.form, load_map(path), self.form.provenance, vehicle)

    def write(self, folder: Path) -> Path:
        """Write map and form; gives the form's path."""
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.map, Path):
            (folder / str(self.form.map)).write_bytes(self.map.read_bytes())
        else:
            (folder / str(self.form.map)).write_text(self.map.text(), encoding="utf-8")
        path = folder / f"{self.form.name}.yaml"
        tree = self.form.model_dump(mode="json", exclude_defaults=True)
        # What tells the forms apart has to be there, default or not.
        for agent, form in zip(tree.get("agents", ()), self.form.agents, strict=True):
            agent["behaviour"] = form.behaviour
        path.write_text(yaml.safe_dump(tree, sort_keys=False, default_flow_style=None, width=120), encoding="utf-8")
        return path


def at(point: Array | Sequence[float]) -> Point:
    """A point as the forms hold it, to the millimetre."""
    return round(float(point[0]), 3), round(float(point[1]), 3)


def line(points: Iterable[Array]) -> tuple[Point, ...]:
    """Points as the forms hold them; those that fall on one another are one."""
    found: list[Point] = []
    for point in points:
        if not found or at(point) != found[-1]:
            found.append(at(point))
    return tuple(found)


def start(position: Array, yaw: float, speed_mps: float) -> StartForm:
    """The ego's rear axle at the start."""
    return StartForm(position=at(position), yaw_rad=_turned(yaw), speed_mps=round(speed_mps, 3))


def goal(
    position: Array, yaw: float, length_m: float = 8.0, width_m: float = 3.0, speed_mps: Point | None = (0.5, 30.0)
) -> GoalForm:
    """A region along a lane; by default it is driven through, not halted in."""
    along = 0.5 * length_m * np.array((np.cos(yaw), np.sin(yaw)))
    aside = 0.5 * width_m * np.array((-np.sin(yaw), np.cos(yaw)))
    ring = line(
        (position + along + aside, position - along + aside, position - along - aside, position + along - aside)
    )
    return GoalForm(position=at(position), polygon=ring, speed_mps=speed_mps)


def draft(
    v: Variation,
    osm: OsmMap | Path,
    begin: StartForm,
    end: GoalForm,
    agents: Sequence[AnyAgentForm],
    duration_s: float,
    difficulty: float,
    why: str,
    careful: Careful,
    **more: Any,
) -> Draft:
    """Put together; `why`: what the difficulty is made of, in words with numbers; more: other fields of the form."""
    if not 0.0 <= difficulty <= 1.0:
        raise InputError(v.name, "difficulty", f"is {difficulty}", "give a share from 0 to 1")
    source = f"generated situation {v.kind}, variant {v.variant}, seed {v.seed}"
    suffix = osm.suffix if isinstance(osm, Path) else ".osm"
    form = ScenarioForm(
        name=v.name,
        provenance=f"{source}; difficulty {difficulty:.2f}: {why}",
        map=f"{v.name}{suffix}",
        duration_s=round(duration_s, 1),
        start=begin,
        goal=end,
        perception=PERCEPTION,
        agents=tuple(agents),
        difficulty=round(difficulty, 3),
        **more,
    )
    return Draft(form, osm, careful)


def _turned(yaw: float) -> float:
    return round(float(np.arctan2(np.sin(yaw), np.cos(yaw))), 6)

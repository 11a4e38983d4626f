"""Our scenario form in YAML, field by field. `worlds/urban.yaml` is the worked example.

Positions are [x, y] of box centres in m, map frame; the ego's start is its rear axle. A wrong file raises `InputError`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, Vehicle, validated, value
from behaviors_ros.simulation.giving_way import Manners
from behaviors_ros.simulation.reactive import Idm
from behaviors_ros.simulation.traffic import Perception
from behaviors_ros.yaml_files import read_mapping

Point = tuple[float, float]
Interval = tuple[float, float]
Line = Annotated[tuple[Point, ...], Field(min_length=2)]
Ring = Annotated[tuple[Point, ...], Field(min_length=3)]
Kind = Literal[
    "car", "truck", "bus", "trailer", "motorcycle", "bicycle", "pedestrian", "animal", "hazard", "unknown"
]  # fmt: skip

SIZES = {
    "car": (4.5, 1.85), "truck": (7.5, 2.4), "bus": (12.0, 2.55), "trailer": (10.0, 2.5), "motorcycle": (2.2, 0.8),
    "bicycle": (1.8, 0.65), "pedestrian": (0.5, 0.5), "animal": (0.9, 0.35), "hazard": (0.6, 0.6),
    "unknown": (1.0, 1.0),
}  # fmt: skip


class TriggerForm(Parameters):
    """When an agent starts to move; all that is given must hold."""

    time_s: float = value(0.0, "not before this time since the start", low=0.0, high=86400.0)
    point: Point | None = value(None, "the place that the ego approaches")
    ego_within_m: float | None = value(None, "largest distance of the ego's front bumper to the point", low=0.0)
    ego_arrival_s: float | None = value(None, "largest time of the ego to the point, distance over speed", low=0.0)
    delay_s: float = value(0.0, "wait after the condition first held", low=0.0, high=3600.0)


class AgentForm(Parameters):
    """What all agents have."""

    name: str = Field(description="unique; the track id is made from it", min_length=1)
    kind: Kind = value("car", "class of the road user")
    length_m: float | None = value(None, "box length; None: usual for the class", low=0.1, high=40.0)
    width_m: float | None = value(None, "box width; None: usual for the class", low=0.1, high=10.0)

    @property
    def size(self) -> Point:
        """Length and width, m."""
        usual = SIZES[self.kind]
        return self.length_m or usual[0], self.width_m or usual[1]


class StationaryForm(AgentForm):
    """Stays where it is."""

    behaviour: Literal["stationary"]
    position: Point
    yaw_rad: float = value(0.0, "heading", low=-7.0, high=7.0)


class ScriptedForm(AgentForm):
    """Goes along waypoints once triggered, whatever comes."""

    behaviour: Literal["scripted"]
    waypoints: Line
    speeds_mps: tuple[Annotated[float, Field(gt=0.0, le=60.0)], ...] = Field(
        description="speed from each waypoint on; the last one holds to the end", min_length=1
    )
    acceleration_mps2: float = value(2.0, "how fast the speed changes", low=0.1, high=20.0)
    trigger: TriggerForm = TriggerForm()
    hidden_before: bool = value(False, "not there before the trigger; then at once at its speed")
    hidden_after: bool = value(False, "gone after the last waypoint")


class GiveWayForm(Parameters):
    """Where a reactive road user gives way."""

    line: Point = Field(description="a point of the line before which it waits")
    area: Ring = Field(description="what it shares with those who go first")
    approaches: tuple[Line, ...] = Field(description="the ways of those who go first, through the area")
    manners: Manners = Manners()


class SlowForm(Parameters):
    """A stretch of the path that is driven more slowly; it is not foreseen."""

    from_m: float = value(..., "begin, arc length of the path", low=0.0)
    to_m: float = value(..., "end, arc length of the path", low=0.0)
    speed_mps: float = value(..., "speed there", low=0.05, high=60.0)


class LaneChangeForm(Parameters):
    """A lane change during the drive."""

    offset_m: float = value(..., "where to, left positive", low=-10.0, high=10.0)
    duration_s: float = value(3.0, "how long it takes", low=0.5, high=20.0)
    trigger: TriggerForm = TriggerForm()
    ego_gap_m: Interval | None = value(None, "distance from the ego's front to the own rear in which it begins")


class ReactiveForm(AgentForm):
    """Drives by the intelligent driver model along a path, or along the lanes from `position` to `destination`."""

    behaviour: Literal["reactive"]
    path: Line | None = value(None, "where it drives")
    position: Point | None = value(None, "start on a lane")
    yaw_rad: float = value(0.0, "heading at the start, chooses the lane", low=-7.0, high=7.0)
    destination: Point | None = value(None, "end on a lane")
    offset_m: float = value(0.0, "lateral shift of the path, left positive", low=-5.0, high=5.0)
    speed_mps: float = value(0.0, "speed at the start", low=0.0, high=60.0)
    driver: Idm = Idm()
    trigger: TriggerForm = TriggerForm()
    hidden_before: bool = value(False, "not there before the trigger; then at once at its speed")
    gives_way: tuple[GiveWayForm, ...] = value((), "where it gives way, in the order of the path")
    slow: tuple[SlowForm, ...] = value((), "where it drives more slowly")
    change: LaneChangeForm | None = value(None, "a lane change")


class StateForm(Parameters):
    """One recorded state."""

    time_s: float = value(..., "since the start", low=-86400.0, high=86400.0)
    position: Point
    yaw_rad: float
    speed_mps: float


class RecordedForm(AgentForm):
    """Replays states; there only between the first and the last."""

    behaviour: Literal["recorded"]
    states: Annotated[tuple[StateForm, ...], Field(min_length=1)]


AnyAgentForm = Annotated[StationaryForm | ScriptedForm | ReactiveForm | RecordedForm, Field(discriminator="behaviour")]


class SignalForm(Parameters):
    """Fixed-time plan of one signal group of the map."""

    id: int = value(..., "signal group of the map")
    offset_s: float = value(0.0, "first green after the start", low=-3600.0, high=3600.0)
    green_s: float = value(..., "green span", low=0.1, high=3600.0)
    amber_s: float = value(3.0, "amber span", low=0.0, high=60.0)
    red_s: float = value(..., "red span", low=0.0, high=3600.0)


class StartForm(Parameters):
    """The ego at the start: rear axle centre."""

    position: Point
    yaw_rad: float = value(0.0, "heading", low=-7.0, high=7.0)
    speed_mps: float = value(0.0, "speed", low=0.0, high=60.0)


class GoalForm(Parameters):
    """Where to arrive."""

    position: Point
    polygon: Annotated[tuple[Point, ...], Field(min_length=3)] | None = value(None, "region for the ego's box centre")
    yaw_rad: Interval | None = value(None, "heading interval at the goal")
    speed_mps: Interval | None = value(None, "speed interval at the goal")
    time_s: Interval | None = value(None, "arrival interval since the start")


class ScenarioForm(Parameters):
    """A whole scenario."""

    name: str = Field(description="short name", min_length=1)
    provenance: str = value("", "where it is from")
    map: str | None = value(None, "map file, relative to this file; None: mapless")
    duration_s: float = value(60.0, "longest time to the goal", low=0.1, high=86400.0)
    start: StartForm
    goal: GoalForm
    vehicle: Vehicle = Vehicle()
    perception: Perception = Perception()
    signals: tuple[SignalForm, ...] = ()
    agents: tuple[AnyAgentForm, ...] = ()
    occluders: tuple[Ring, ...] = value((), "what one cannot see through: outlines of buildings, fences, hedges")
    difficulty: float | None = value(None, "how hard it is, where it was graded", low=0.0, high=1.0)


def read_form(path: Path) -> ScenarioForm:
    """The form in a YAML file."""
    tree = read_mapping(path, "give the fields name, map, start, goal, agents")
    form = validated(ScenarioForm, tree, str(path))
    _check(form, path)
    return form


def _check(form: ScenarioForm, path: Path) -> None:
    """What ranges cannot say: unique names, and what each agent needs besides."""
    names = [agent.name for agent in form.agents]
    for i, agent in enumerate(form.agents):
        field = f"agents.{i}"
        if names.index(agent.name) != i:
            raise InputError(path, f"{field}.name", f"'{agent.name}' is used twice", "give each agent its own name")
        if isinstance(agent, ReactiveForm):
            if (agent.path is None) == (agent.position is None or agent.destination is None):
                raise InputError(path, field, "its way is not clear", "give either path, or position and destination")
            if agent.path is None and form.map is None:
                raise InputError(path, field, "needs a map to find its lanes", "give map, or give path")
        if isinstance(agent, RecordedForm) and any(
            b.time_s <= a.time_s for a, b in zip(agent.states, agent.states[1:], strict=False)
        ):
            raise InputError(path, f"{field}.states", "times do not increase", "sort the states by time_s")

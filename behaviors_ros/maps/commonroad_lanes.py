"""The road network of a CommonRoad file: lanelets, signs, lights, intersections."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from lxml import etree

from behaviors_ros.datatypes import Array, Crosswalk, Lane, LaneKind, LaneMap, SignalColor, Turn
from behaviors_ros.errors import InputError
from behaviors_ros.maps.commonroad_values import points, reference
from behaviors_ros.maps.derive import Derivation, completed, stop_line_of
from behaviors_ros.maps.documents import Limits, finite, integer
from behaviors_ros.maps.lanes import Sampling, boundary, lane_polygon, make_lane
from behaviors_ros.parameters import Parameters, value

KINDS = {
    "busLane": LaneKind.BUS,
    "bicycleLane": LaneKind.BICYCLE,
    "crosswalk": LaneKind.CROSSWALK,
    "sidewalk": LaneKind.WALKWAY,
    "shoulder": LaneKind.SHOULDER,
    "border": LaneKind.SHOULDER,
    "parking": LaneKind.PARKING,
}
MOTORWAY_TYPES = {"highway", "interstate", "accessRamp", "exitRamp", "mainCarriageWay"}
SPEED_SIGNS = ("274", "274.1", "R2-1", "s301", "r301")
STOP_SIGNS = ("206", "R1-1", "s2", "r2")
YIELD_SIGNS = ("205", "R1-2", "s1", "r1")
UNCROSSABLE = ("solid", "broad_solid")
COLORS = {
    "red": SignalColor.RED,
    "redYellow": SignalColor.RED,
    "yellow": SignalColor.AMBER,
    "green": SignalColor.GREEN,
    "inactive": SignalColor.UNKNOWN,
}


class CommonRoadReading(Parameters):
    """Choices where a CommonRoad file leaves them open."""

    speed_motorway_mps: float = value(33.33, "speed limit of a motorway lane without a sign", low=1.0, high=70.0)
    speed_urban_mps: float = value(13.89, "speed limit of an urban lane without a sign", low=1.0, high=50.0)
    speed_other_mps: float = value(27.78, "speed limit of any other lane without a sign", low=1.0, high=50.0)
    derivation: Derivation = Derivation()
    sampling: Sampling = Sampling()
    limits: Limits = Limits()


@dataclass(frozen=True)
class SignalCycle:
    """A traffic light that repeats its phases: colors, durations_s; offset_s: how late the first cycle starts."""

    id: int
    colors: tuple[SignalColor, ...]
    durations_s: tuple[float, ...]
    offset_s: float

    def phase(self, time_s: float) -> tuple[SignalColor, float]:
        """(colour, s until it changes) at a time since the scenario's start."""
        rest = (time_s - self.offset_s) % sum(self.durations_s)
        for color, duration in zip(self.colors, self.durations_s, strict=True):
            if rest < duration:
                return color, duration - rest
            rest -= duration
        return self.colors[0], self.durations_s[0]


def read_lanes(root: etree._Element, source: object, reading: CommonRoadReading) -> LaneMap:
    """The lane map of a parsed CommonRoad file."""
    elements = by_id(root, "lanelet", source)
    if not elements:
        raise InputError(source, "lanelet", "the map is empty", "give a scenario with at least one lanelet")
    signs = {id_: _sign(e, source) for id_, e in by_id(root, "trafficSign", source).items()}
    lights = set(by_id(root, "trafficLight", source))
    default = _default_speed(root, reading)
    lanes, give_way = {}, set()
    for id_, element in elements.items():
        lane = _lane(id_, element, signs, default, source, reading)
        lanes[id_] = _regulated(lane, element, signs, lights, source, reading)
        refs = [reference(e, source, f"lanelet {id_}") for e in element.iterfind("trafficSignRef")]
        if any(sign in YIELD_SIGNS + STOP_SIGNS for ref in refs for sign, _ in signs.get(ref, ())):
            give_way.add(id_)
    lanes = {id_: _connected(lane, elements[id_], lanes, source) for id_, lane in lanes.items()}
    _mark_turns(root, lanes, source)
    walks = tuple(Crosswalk(i, lane_polygon(lane)) for i, lane in lanes.items() if lane.kind is LaneKind.CROSSWALK)
    result = LaneMap(root.get("benchmarkID", ""), lanes, walks)
    return completed(result, {}, reading.derivation, give_way)


def read_cycles(root: etree._Element, source: object) -> tuple[SignalCycle, ...]:
    """The traffic lights that have a cycle."""
    dt = finite(root.get("timeStepSize"), source, "timeStepSize")
    cycles = []
    for id_, light in by_id(root, "trafficLight", source).items():
        phases = list(light.iterfind("cycle/cycleElement"))
        if not phases or light.findtext("active", "true").strip() == "false":
            continue
        field = f"trafficLight {id_}"
        colors = tuple(COLORS.get(phase.findtext("color", "").strip(), SignalColor.UNKNOWN) for phase in phases)
        durations = tuple(dt * finite(phase.findtext("duration"), source, f"{field}, duration") for phase in phases)
        if not sum(durations) > 0.0 or min(durations) < 0.0:
            raise InputError(source, field, "its cycle has no duration", "give every phase a positive duration")
        offset = dt * finite(light.findtext("cycle/timeOffset", "0"), source, f"{field}, timeOffset")
        cycles.append(SignalCycle(id_, colors, durations, offset))
    return tuple(cycles)


def by_id(root: etree._Element, tag: str, source: object) -> dict[int, etree._Element]:
    """Children of the root by id; an id that occurs twice raises `InputError`."""
    found: dict[int, etree._Element] = {}
    for element in root.iterfind(tag):
        id_ = integer(element.get("id"), source, f"{tag} id on line {element.sourceline}")
        if id_ in found:
            raise InputError(source, f"{tag} {id_}", "occurs twice", "give each its own id")
        found[id_] = element
    return found


def _default_speed(root: etree._Element, reading: CommonRoadReading) -> float:
    tags = {child.tag for child in root.iterfind("scenarioTags/*")}
    if tags & {"highway", "interstate"}:
        return reading.speed_motorway_mps
    return reading.speed_urban_mps if "urban" in tags else reading.speed_other_mps


def _sign(element: etree._Element, source: object) -> list[tuple[str, str | None]]:
    """(sign id, additional value) of each element of a sign."""
    return [
        ((e.findtext("trafficSignID") or "").strip(), e.findtext("additionalValue"))
        for e in element.iterfind("trafficSignElement")
    ]


def _lane(
    id_: int,
    element: etree._Element,
    signs: dict[int, list[tuple[str, str | None]]],
    default: float,
    source: object,
    reading: CommonRoadReading,
) -> Lane:
    types = {(t.text or "").strip() for t in element.iterfind("laneletType")}
    kind = next((KINDS[t] for t in sorted(types) if t in KINDS), LaneKind.ROAD)
    field, largest = f"lanelet {id_}", reading.limits.coordinate_m
    sides = []
    for tag in ("leftBound", "rightBound"):
        line = element.find(tag)
        if line is None:
            raise InputError(source, field, f"has no {tag}", "give it both bounds")
        raw = points(line, source, f"{field}, {tag}", largest)
        sides.append(boundary(raw, source, f"{field}, {tag}", reading.limits))
    if types & MOTORWAY_TYPES:
        default = reading.speed_motorway_mps
    elif "urban" in types and default != reading.speed_motorway_mps:  # converters call lanes of motorways urban, too
        default = reading.speed_urban_mps
    speeds = _speeds(element, signs, source, field)
    return make_lane(
        source, id_, kind, sides[0], sides[1], min(speeds, default=default), reading.sampling, reading.limits
    )


def _speeds(
    element: etree._Element, signs: dict[int, list[tuple[str, str | None]]], source: object, field: str
) -> list[float]:
    """Speed limits of a lanelet, m/s: its signs' additional values (2020a) or its own (2018b)."""
    texts = [(f"{field}, speedLimit", e.text) for e in element.iterfind("speedLimit")]
    for sign in element.iterfind("trafficSignRef"):
        ref = reference(sign, source, field)
        texts += [(f"trafficSign {ref}", text) for name, text in signs.get(ref, ()) if name in SPEED_SIGNS]
    return [finite(text, source, where) for where, text in texts if text is not None]


def _regulated(
    lane: Lane,
    element: etree._Element,
    signs: dict[int, list[tuple[str, str | None]]],
    lights: set[int],
    source: object,
    reading: CommonRoadReading,
) -> Lane:
    """The lane with its lights, stop sign and stop line (across the lane's end where the line has no points)."""
    field = f"lanelet {lane.id}"
    refs = [reference(e, source, field) for e in element.iterfind(".//trafficLightRef")]
    signals = tuple(dict.fromkeys(ref for ref in refs if ref in lights))
    sign_refs = [reference(e, source, field) for e in element.iterfind(".//trafficSignRef")]
    stop = any(name in STOP_SIGNS for ref in sign_refs for name, _ in signs.get(ref, ()))
    return replace(lane, signals=signals, stop=stop, stop_line=_stop_line(lane, element, source, reading.limits))


def _stop_line(lane: Lane, element: etree._Element, source: object, limits: Limits) -> Array | None:
    stop = element.find("stopLine")
    if stop is None:
        return None
    line = points(stop, source, f"lanelet {lane.id}, stopLine", limits.coordinate_m)
    return stop_line_of(line if len(line) == 2 else np.array([lane.left_bound[-1], lane.right_bound[-1]]))


def _connected(lane: Lane, element: etree._Element, lanes: dict[int, Lane], source: object) -> Lane:
    """The lane with its successors, predecessors and neighbours; a reference to no lanelet raises `InputError`."""
    field = f"lanelet {lane.id}"
    beside: dict[str, Any] = {"left": None, "right": None, "oncoming": None}
    for tag, side in (("adjacentLeft", "left"), ("adjacentRight", "right")):
        other = element.find(tag)
        if other is None:
            continue
        id_ = _known(other, lanes, source, field)
        marking = (element.findtext(f"{side}Bound/lineMarking") or "").strip()
        if other.get("drivingDir") == "opposite":
            beside["oncoming"] = id_
        elif marking not in UNCROSSABLE and {lane.kind, lanes[id_].kind} <= {LaneKind.ROAD, LaneKind.BUS}:
            beside[side] = id_
    chain = [
        tuple(dict.fromkeys(_known(e, lanes, source, field) for e in element.iterfind(tag)))
        for tag in ("successor", "predecessor")
    ]
    return replace(lane, successors=chain[0], predecessors=chain[1], **beside)


def _known(element: etree._Element, lanes: dict[int, Lane], source: object, field: str) -> int:
    id_ = reference(element, source, f"{field}, {element.tag}")
    if id_ not in lanes:
        raise InputError(source, f"{field}, {element.tag}", f"refers to the missing lanelet {id_}", "add the lanelet")
    return id_


def _mark_turns(root: etree._Element, lanes: dict[int, Lane], source: object) -> None:
    """Turns of the lanes inside intersections, as the file names them."""
    names = (("successorsLeft", Turn.LEFT), ("successorsRight", Turn.RIGHT), ("successorsStraight", Turn.STRAIGHT))
    for tag, turn in names:
        for element in root.iterfind(f"intersection/incoming/{tag}"):
            id_ = reference(element, source, "intersection")
            if id_ in lanes:
                lanes[id_] = replace(lanes[id_], turn=turn)

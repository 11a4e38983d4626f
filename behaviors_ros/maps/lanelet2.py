"""Lanelet2 maps (.osm), Autoware's extensions included. Parsing and topology are the Lanelet2 library's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lanelet2
import numpy as np

from behaviors_ros.datatypes import Array, Crosswalk, Lane, LaneKind, LaneMap, Turn
from behaviors_ros.errors import InputError
from behaviors_ros.geometry.polylines import intersection
from behaviors_ros.maps.derive import MOTOR, Derivation, completed, stop_line_of
from behaviors_ros.maps.documents import Limits
from behaviors_ros.maps.lanes import Sampling, boundary, lane_polygon, make_lane
from behaviors_ros.maps.osm import OsmDocument, read_osm
from behaviors_ros.parameters import Parameters, value

KINDS = {
    "": LaneKind.ROAD,
    "road": LaneKind.ROAD,
    "highway": LaneKind.ROAD,
    "play_street": LaneKind.ROAD,
    "exit": LaneKind.ROAD,
    "bus_lane": LaneKind.BUS,
    "bicycle_lane": LaneKind.BICYCLE,
    "crosswalk": LaneKind.CROSSWALK,
    "walkway": LaneKind.WALKWAY,
    "shared_walkway": LaneKind.WALKWAY,
    "pedestrian_lane": LaneKind.WALKWAY,
    "stairs": LaneKind.WALKWAY,
    "road_shoulder": LaneKind.SHOULDER,
    "emergency_lane": LaneKind.SHOULDER,
    "parking": LaneKind.PARKING,
}
TURNS = {"straight": Turn.STRAIGHT, "left": Turn.LEFT, "right": Turn.RIGHT}
UNITS_MPS = {"": 1 / 3.6, "kmh": 1 / 3.6, "km/h": 1 / 3.6, "kph": 1 / 3.6, "mph": 0.44704, "m/s": 1.0, "mps": 1.0}
PATHS = (*MOTOR, LaneKind.BICYCLE)
DRIVABLE_AREAS = ("parking", "parking_lot", "intersection_area", "freespace")


class Lanelet2Reading(Parameters):
    """Choices where a Lanelet2 file leaves them open."""

    origin_step_deg: float = value(0.1, "the default origin is rounded to this", low=0.001, high=10.0)
    speed_urban_mps: float = value(13.89, "speed limit of an urban lane that has none", low=1.0, high=50.0)
    speed_nonurban_mps: float = value(27.78, "speed limit of a nonurban lane that has none", low=1.0, high=50.0)
    speed_private_mps: float = value(5.56, "speed limit of a private lane that has none", low=1.0, high=50.0)
    derivation: Derivation = Derivation()
    sampling: Sampling = Sampling()
    limits: Limits = Limits()


@dataclass
class _View:
    """A lanelet in one driving direction: bounds oriented along it. `reverse` of a two-way one has another id."""

    id: int
    lanelet: Any
    left: Array
    right: Array
    start: tuple[int, int]
    end: tuple[int, int]
    kind: LaneKind
    tags: dict[str, str]
    rules: list[Any] = field(default_factory=list)


def read_map(
    path: str | Path, origin: tuple[float, float] | None = None, reading: Lanelet2Reading | None = None
) -> LaneMap:
    """Read a Lanelet2 map.

    Coordinates are local_x/local_y where every node has them (Autoware's map frame), else UTM metres relative to
    `origin` (latitude, longitude in degrees; by default the map's corner rounded to 0.1 degrees, the convention of
    published maps). Raises `InputError` for a file that is no usable map.
    """
    reading = reading or Lanelet2Reading()
    document = read_osm(path, reading.limits)
    origin = origin or _default_origin(document, reading)
    raw, points = _load(path, document, origin)
    views = _views(raw, document, points, path, reading)
    if not any(view.kind in MOTOR for view in views):
        raise InputError(path, "lanelet", "the map is empty: no lanelet for vehicles", "give a map with road lanelets")
    lanes = {view.id: _lane(view, path, reading) for view in views}
    lanes = _connected(lanes, views)
    lanes = _regulated(lanes, views, document, points)
    lanes = _signalled(lanes, raw, points)
    crosswalks = tuple(
        Crosswalk(view.id, lane_polygon(lanes[view.id])) for view in views if view.kind is LaneKind.CROSSWALK
    )
    areas = _areas(raw, points, path, reading.limits)
    result = LaneMap(Path(path).stem, lanes, crosswalks, areas)
    return completed(result, _stop_lines(document, points), reading.derivation)


def _default_origin(document: OsmDocument, reading: Lanelet2Reading) -> tuple[float, float]:
    if document.local:
        return 0.0, 0.0
    corner = np.array(list(document.nodes.values())).min(axis=0)
    rounded = np.round(corner / reading.origin_step_deg) * reading.origin_step_deg
    return float(rounded[0]), float(rounded[1])


def _load(path: str | Path, document: OsmDocument, origin: tuple[float, float]) -> tuple[Any, dict[int, Array]]:
    """The library's map, and metres of every node by id."""
    try:
        projector = lanelet2.projection.UtmProjector(lanelet2.io.Origin(*origin))
        raw, _ = lanelet2.io.loadRobust(str(path), projector)
        dropped = [
            i for i, r in document.relations.items() if r.tags.get("type") == "lanelet" and i not in raw.laneletLayer
        ]
        if dropped:
            problem = f"the library cannot use {len(dropped)} of the lanelets, the first is {dropped[0]}"
            raise InputError(path, "lanelet", problem, "check its coordinates and bounds")
        if document.local:
            return raw, {id_: np.array(xy) for id_, xy in document.nodes.items()}
        points = {}
        for id_, (lat, lon) in document.nodes.items():
            point = projector.forward(lanelet2.core.GPSPoint(lat, lon))
            points[id_] = np.array([point.x, point.y])
        return raw, points
    except RuntimeError as error:
        problem = str(error).strip().splitlines()[0]
        raise InputError(path, "Lanelet2", f"the library refuses it ({problem})", "correct the map") from None


def _views(
    raw: Any, document: OsmDocument, points: dict[int, Array], path: object, reading: Lanelet2Reading
) -> list[_View]:
    taken = {lanelet.id for lanelet in raw.laneletLayer}
    views = []
    for lanelet in sorted(raw.laneletLayer, key=lambda item: item.id):
        tags = document.relations[lanelet.id].tags
        kind = _kind(tags)
        views.append(_view(lanelet.id, _aligned(lanelet, points), tags, kind, points, path, reading))
        if kind is LaneKind.ROAD and tags.get("one_way") == "no":
            other = -lanelet.id if -lanelet.id not in taken else max(taken) + 1
            taken.add(other)
            views.append(_view(other, _aligned(lanelet, points).invert(), tags, kind, points, path, reading))
    return views


def _view(
    id_: int,
    lanelet: Any,
    tags: dict[str, str],
    kind: LaneKind,
    points: dict[int, Array],
    path: object,
    reading: Lanelet2Reading,
) -> _View:
    ids = [[point.id for point in bound] for bound in (lanelet.leftBound, lanelet.rightBound)]
    field_ = f"lanelet {id_}"
    left, right = (boundary((points[i] for i in side), path, field_, reading.limits) for side in ids)
    start, end = (ids[0][0], ids[1][0]), (ids[0][-1], ids[1][-1])
    return _View(id_, lanelet, left, right, start, end, kind, tags, list(lanelet.regulatoryElements))


def _aligned(lanelet: Any, points: dict[int, Array]) -> Any:
    """The lanelet with its left bound on the left. The library judged by latitude and longitude, we by metres."""
    left, right = (np.array([points[p.id] for p in b]) for b in (lanelet.leftBound, lanelet.rightBound))
    along = np.hypot(*(left[[0, -1]] - right[[0, -1]]).T).sum()
    if np.hypot(*(left[[0, -1]] - right[[-1, 0]]).T).sum() < along:
        lanelet.rightBound, right = lanelet.rightBound.invert(), right[::-1]
    x, y = (np.vstack([right, left[::-1]]) - right[0]).T
    if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0.0:
        lanelet.leftBound, lanelet.rightBound = lanelet.leftBound.invert(), lanelet.rightBound.invert()
    return lanelet


def _kind(tags: dict[str, str]) -> LaneKind:
    """What the lanelet is for: its subtype, unless it is a road that its participants say vehicles may not use."""
    kind = KINDS.get(tags.get("subtype", ""), LaneKind.WALKWAY)
    users = {key.split(":")[1] for key, flag in tags.items() if key.startswith("participant:") and flag == "yes"}
    if kind is not LaneKind.ROAD or not users or users & {"vehicle", "car"}:
        return kind
    return LaneKind.BICYCLE if users == {"bicycle"} else LaneKind.WALKWAY if "pedestrian" in users else kind


def _lane(view: _View, path: object, reading: Lanelet2Reading) -> Lane:
    speed = _speed_limit(view, path, reading)
    lane = make_lane(path, view.id, view.kind, view.left, view.right, speed, reading.sampling, reading.limits)
    return replace(lane, turn=TURNS.get(view.tags.get("turn_direction", ""), Turn.NONE))


def _speed_limit(view: _View, path: object, reading: Lanelet2Reading) -> float:
    """Speed limit in m/s: the speed_limit tag (km/h unless it names a unit), a sign's, or the location's default."""
    text = view.tags.get("speed_limit", "").strip()
    number = text.rstrip("kmhps/ ").strip()
    unit = text[len(number) :].strip()
    if text:
        try:
            return float(number) * UNITS_MPS[unit]
        except (ValueError, KeyError):
            known = ", ".join(u for u in UNITS_MPS if u)
            raise InputError(
                path, f"lanelet {view.id}, speed_limit", f"is {text!r}", f"give a number, or with {known}"
            ) from None
    if any(isinstance(rule, lanelet2.core.SpeedLimit) for rule in view.rules):
        return _rules().speedLimit(view.lanelet).speedLimit / 3.6
    location = view.tags.get("location", "urban")
    defaults = {"nonurban": reading.speed_nonurban_mps, "private": reading.speed_private_mps}
    return defaults.get(location, reading.speed_urban_mps)


def _rules() -> Any:
    rules = lanelet2.traffic_rules
    return rules.create(rules.Locations.Germany, rules.Participants.Vehicle)


def _connected(lanes: dict[int, Lane], views: list[_View]) -> dict[int, Lane]:
    """Successors by shared end points, neighbours by shared boundaries that the library's rules let one cross."""
    starts, ends, lefts, rights = (defaultdict(list) for _ in range(4))
    for view in views:
        starts[view.start, view.kind in PATHS].append(view.id)
        ends[view.end, view.kind in PATHS].append(view.id)
        lefts[view.lanelet.leftBound.id, view.start[0]].append(view)
        rights[view.lanelet.rightBound.id, view.start[1]].append(view)
    rules, result = _rules(), dict(lanes)
    for view in views:
        road = view.kind in PATHS
        left = _neighbour(view, rights[view.lanelet.leftBound.id, view.start[0]], rules)
        right = _neighbour(view, lefts[view.lanelet.rightBound.id, view.start[1]], rules)
        result[view.id] = replace(
            lanes[view.id],
            successors=tuple(i for i in starts[view.end, road] if i != view.id),
            predecessors=tuple(i for i in ends[view.start, road] if i != view.id),
            left=left,
            right=right,
        )
    return result


def _neighbour(view: _View, beside: list[_View], rules: Any) -> int | None:
    """The lane of the same kind of traffic across a shared boundary, if the boundary may be crossed."""
    for other in beside:
        roads = {view.kind, other.kind} <= set(MOTOR)
        if roads and other.id != view.id and rules.canChangeLane(view.lanelet, other.lanelet):
            return other.id
    return None


def _regulated(
    lanes: dict[int, Lane], views: list[_View], document: OsmDocument, points: dict[int, Array]
) -> dict[int, Lane]:
    """Signals, stop signs, stop lines and right of way from the regulatory elements."""
    result = dict(lanes)
    for view in views:
        lane = result[view.id]
        for rule in view.rules:
            line = _reference_line(rule, points)
            if isinstance(rule, lanelet2.core.TrafficLight):
                lane = replace(lane, signals=(*lane.signals, rule.id), stop_line=_first(lane.stop_line, line))
            elif isinstance(rule, lanelet2.core.RightOfWay):
                lane = _yielding(lane, rule, line, view.lanelet.id, result)
            elif _is_stop_sign(rule):
                lane = replace(lane, stop=True, stop_line=_first(line, lane.stop_line))
        for kind, _, ref in document.relations[view.lanelet.id].members:
            if kind == "relation" and ref in document.relations and lane.stop_line is None:
                lane = replace(lane, stop_line=_marked_line(document, ref, points))
        result[view.id] = lane
    return result


def _signalled(lanes: dict[int, Lane], raw: Any, points: dict[int, Array]) -> dict[int, Lane]:
    """Traffic lights that no lanelet refers to, given to the lanes that run over their stop line."""
    linked = {rule.id for lanelet in raw.laneletLayer for rule in lanelet.regulatoryElements}
    result = dict(lanes)
    for rule in raw.regulatoryElementLayer:
        line = _reference_line(rule, points)
        if rule.id in linked or line is None or not isinstance(rule, lanelet2.core.TrafficLight):
            continue
        for lane in result.values():
            if lane.kind in MOTOR and intersection(lane.centre, line) is not None:
                result[lane.id] = replace(lane, signals=(*lane.signals, rule.id), stop_line=line)
    return result


def _first(line: Array | None, other: Array | None) -> Array | None:
    return line if line is not None else other


def _yielding(lane: Lane, rule: Any, line: Array | None, lanelet_id: int, lanes: dict[int, Lane]) -> Lane:
    if lanelet_id not in {lanelet.id for lanelet in rule.yieldLanelets()}:
        return lane
    over = tuple(item.id for item in rule.rightOfWayLanelets() if item.id in lanes and item.id != lanelet_id)
    return replace(
        lane, yields_to=tuple(dict.fromkeys((*lane.yields_to, *over))), stop_line=_first(lane.stop_line, line)
    )


def _is_stop_sign(rule: Any) -> bool:
    if not isinstance(rule, lanelet2.core.TrafficSign) or isinstance(rule, lanelet2.core.SpeedLimit):
        return False
    signs = [sign.attributes["subtype"] for sign in rule.trafficSigns() if "subtype" in sign.attributes]
    return any(sign in ("stop_sign", "de206", "usR1-1") for sign in signs)


def _reference_line(rule: Any, points: dict[int, Array]) -> Array | None:
    """Stop line of a regulatory element as its two end points."""
    lines = list(rule.parameters["ref_line"]) if "ref_line" in rule.parameters else []
    if not lines:
        return None
    return stop_line_of(np.array([points[point.id] for point in lines[0]]))


def _marked_line(document: OsmDocument, ref: int, points: dict[int, Array]) -> Array | None:
    """Stop line named by an Autoware element that the library does not know (road_marking)."""
    relation = document.relations[ref]
    if relation.tags.get("subtype") != "road_marking":
        return None
    ways = [ref for kind, role, ref in relation.members if kind == "way" and role in ("refers", "ref_line")]
    nodes = document.ways.get(ways[0], ()) if ways else ()
    return stop_line_of(np.array([points[i] for i in nodes])) if len(nodes) > 1 else None


def _stop_lines(document: OsmDocument, points: dict[int, Array]) -> dict[int, list[Array]]:
    """Stop lines of Autoware's crosswalk elements, by crosswalk lanelet id."""
    found: dict[int, list[Array]] = defaultdict(list)
    for relation in document.relations.values():
        if relation.tags.get("type") != "regulatory_element" or relation.tags.get("subtype") != "crosswalk":
            continue
        lines = [ref for kind, role, ref in relation.members if kind == "way" and role == "ref_line"]
        lanelets = [ref for kind, role, ref in relation.members if kind == "relation" and role == "refers"]
        for nodes in (document.ways.get(line, ()) for line in lines):
            if lanelets and len(nodes) > 1:
                found[lanelets[0]].append(stop_line_of(np.array([points[i] for i in nodes])))
    return found


def _areas(raw: Any, points: dict[int, Array], path: object, limits: Limits) -> tuple[Array, ...]:
    """Drivable polygons: Lanelet2 areas and Autoware's polygons that vehicles may enter."""
    rings = [[p.id for p in polygon] for polygon in raw.polygonLayer if _tag(polygon, "type") in DRIVABLE_AREAS]
    for area in raw.areaLayer:
        if _tag(area, "subtype") in DRIVABLE_AREAS:
            rings.append([p.id for bound in area.outerBound for p in bound])
    return tuple(boundary((points[i] for i in ring), path, "area", limits) for ring in rings if len(set(ring)) > 2)


def _tag(element: Any, key: str) -> str:
    return element.attributes[key] if key in element.attributes else ""  # noqa: SIM401  (no `get` there)

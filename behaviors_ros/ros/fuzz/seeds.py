"""Small valid files of every format that is read, for the fuzz to spoil."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rclpy.serialization import serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer

from behaviors_ros.datatypes import Goal
from behaviors_ros.parameters import Vehicle, yaml_tree
from behaviors_ros.prediction.models import model_file
from behaviors_ros.ros import conversion
from behaviors_ros.ros.bags import BagWriter, type_name, typestore
from behaviors_ros.ros.drive_log import DriveLog
from behaviors_ros.ros.warm import warm_scene
from behaviors_ros.simulation.scenario import load_scenario
from behaviors_ros.simulation.world import start
from behaviors_ros.simulation.worlds.osm import OsmMap


def osm() -> str:
    """Two lanes side by side, a crosswalk, a signal with its stop line."""
    found = OsmMap()
    xs = (0.0, 50.0, 100.0)
    lines = [found.way([(x, 3.5 * i) for x in xs], type="line_thin", subtype="dashed") for i in range(3)]
    lanes = [
        found.lanelet(lines[i + 1], lines[i], {"subtype": "road", "one_way": "yes", "speed_limit": "50"})
        for i in range(2)
    ]
    stop = found.way([(40.0, 0.0), (40.0, 7.0)], type="stop_line")
    light = found.way([(45.0, 0.0), (45.0, 1.0)], type="traffic_light", subtype="red_yellow_green")
    found.regulate(lanes, "traffic_light", [("way", "refers", light), ("way", "ref_line", stop)])
    sides = [found.way([(x, -2.0), (x, 9.0)], type="pedestrian_marking") for x in (60.0, 64.0)]
    found.lanelet(sides[0], sides[1], {"subtype": "crosswalk", "participant:pedestrian": "yes", "one_way": "no"})
    return found.text()


def commonroad() -> str:
    """Two lanelets, a sign, a signal, a moving and a standing road user, a planning problem."""

    def points(*rows: tuple[float, float]) -> str:
        return "".join(f"<point><x>{x}</x><y>{y}</y></point>" for x, y in rows)

    def lanelet(number: int, x: float, links: str) -> str:
        left = f"<leftBound>{points((x, 4), (x + 50, 4))}<lineMarking>dashed</lineMarking></leftBound>"
        right = f"<rightBound>{points((x, 0), (x + 50, 0))}<lineMarking>solid</lineMarking></rightBound>"
        return f'<lanelet id="{number}">{left}{right}{links}<laneletType>urban</laneletType></lanelet>'

    def state(tag: str, step: int, x: float, speed: float) -> str:
        place = f"<position>{points((x, 2))}</position><orientation><exact>0.0</exact></orientation>"
        return f"<{tag}>{place}<time><exact>{step}</exact></time><velocity><exact>{speed}</exact></velocity></{tag}>"

    shape = "<shape><rectangle><length>4.0</length><width>2.0</width></rectangle></shape>"
    moving = state("initialState", 0, 20, 5) + "<trajectory>" + state("state", 1, 20.5, 5) + "</trajectory>"
    standing = "<shape><circle><radius>0.5</radius></circle></shape>" + state("initialState", 0, 80, 0)
    goal = "<time><intervalStart>30</intervalStart><intervalEnd>50</intervalEnd></time>"
    cycle = "".join(f"<cycleElement><duration>{n}</duration><color>{c}</color></cycleElement>"
                    for c, n in (("red", 30), ("green", 20), ("yellow", 10)))  # fmt: skip
    return (
        '<?xml version="1.0"?><commonRoad benchmarkID="TST_Small-1" commonRoadVersion="2020a" timeStepSize="0.1">'
        + lanelet(1, 0, '<successor ref="2"/><stopLine><lineMarking>solid</lineMarking></stopLine>'
                        '<trafficSignRef ref="9"/><trafficLightRef ref="8"/>')
        + lanelet(2, 50, '<predecessor ref="1"/>')
        + '<trafficSign id="9"><trafficSignElement><trafficSignID>274</trafficSignID><additionalValue>8.5'
        "</additionalValue></trafficSignElement></trafficSign>"
        f'<trafficLight id="8"><cycle>{cycle}<timeOffset>10</timeOffset></cycle></trafficLight>'
        f'<dynamicObstacle id="30"><type>car</type>{shape}{moving}</dynamicObstacle>'
        f'<staticObstacle id="31"><type>unknown</type>{standing}</staticObstacle>'
        f'<planningProblem id="40">{state("initialState", 0, 5, 8)}<goalState><position><lanelet ref="2"/></position>'
        f"{goal}</goalState></planningProblem></commonRoad>"
    )  # fmt: skip


def argoverse() -> str:
    """Three lanes, a crossing, an area."""

    def line(*rows: tuple[float, float]) -> list[dict[str, float]]:
        return [{"x": x, "y": y, "z": 0.0} for x, y in rows]

    def segment(number: int, y: float, **links: Any) -> dict[str, Any]:
        return {
            "id": number, "lane_type": "VEHICLE", "is_intersection": False,
            "left_lane_boundary": line((0, y + 1.5), (50, y + 1.5)), "left_lane_mark_type": "DASHED_WHITE",
            "right_lane_boundary": line((0, y - 1.5), (50, y - 1.5)), "right_lane_mark_type": "DASHED_WHITE",
            "successors": [], "predecessors": [], "left_neighbor_id": None, "right_neighbor_id": None, **links,
        }  # fmt: skip

    lanes = [segment(1, 0.0, left_neighbor_id=2), segment(2, 3.0, right_neighbor_id=1), segment(3, -3.0)]
    crossing = {"id": 7, "edge1": line((20, -2), (20, 5)), "edge2": line((23, -2), (23, 5))}
    area = {"id": 8, "area_boundary": line((-1, -5), (51, -5), (51, 9), (-1, 9))}
    return json.dumps({
        "lane_segments": {str(lane["id"]): lane for lane in lanes}, "pedestrian_crossings": {"7": crossing},
        "drivable_areas": {"8": area},
    }, indent=0)  # fmt: skip


def scenario() -> str:
    """A mapless scenario with a standing, a scripted and a reactive road user."""
    return """\
name: small
provenance: made for the fuzz
start: {position: [0.0, 0.0], yaw_rad: 0.0, speed_mps: 5.0}
goal: {position: [80.0, 0.0], speed_mps: [0.0, 2.0]}
duration_s: 20.0
agents:
  - {name: van, kind: truck, behaviour: stationary, position: [40.0, 3.0], yaw_rad: 0.1}
  - name: child
    kind: pedestrian
    behaviour: scripted
    waypoints: [[50.0, 6.0], [50.0, -6.0]]
    speeds_mps: [1.5]
    trigger: {point: [50.0, 0.0], ego_within_m: 20.0, delay_s: 0.5}
occluders: [[[30.0, 5.0], [35.0, 5.0], [35.0, 9.0]]]
"""


def node_parameters(model: Any, node: str) -> str:
    """The defaults of a node as its parameter file."""
    return yaml.safe_dump({f"/behaviors/{node}": {"ros__parameters": yaml_tree(model())}})


def up_config() -> str:
    """A configuration of `behaviors up`."""
    return yaml.safe_dump({
        "groups": ["stack", "loopback"], "without": ["visualisation"], "vehicle": {"length_m": 4.2},
        "nodes": {"controls_bridge": {"rate_hz": 50.0}, "trajectory_scoring": {"scorers": ["comfort", "progress"]}},
        "remap": {"tracks": "/perception/tracks"}, "respawn": True,
    })  # fmt: skip


def bag_messages() -> list[tuple[str, Any, int]]:
    """(topic, message, stamp) of half a second."""
    scene = warm_scene(None, Vehicle())
    route = conversion.route_message(conversion.NS, (), Goal(np.array([140.0, 0.0])), scene.route.path)
    found: list[tuple[str, Any, int]] = [("/behaviors/route", route, conversion.NS)]
    for step in range(5):
        stamp = conversion.NS + step * 100_000_000
        ego = type(scene.ego)(stamp, scene.ego.position, scene.ego.yaw, scene.ego.speed)
        found.append(("/behaviors/odometry", conversion.odometry_message(ego), stamp))
        tracks = conversion.tracks_message(scene.tracks)
        tracks.header.stamp = conversion.time_message(stamp)
        found.append(("/behaviors/tracks", tracks, stamp))
    return found


def write_bag(folder: Path, sqlite: bool) -> None:
    """A bag of those messages, in MCAP or SQLite."""
    if not sqlite:
        with BagWriter(folder, {"source": "fuzz", "map": ""}) as bag:
            for topic, message, stamp in bag_messages():
                bag.write(topic, message, stamp)
        return
    store, known = typestore(), {}
    with Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3) as bag:
        for topic, message, stamp in bag_messages():
            if topic not in known:
                known[topic] = bag.add_connection(topic, type_name(type(message)), typestore=store)
            bag.write(known[topic], stamp, serialize_message(message))


def write_model(folder: Path) -> None:
    """The shipped model with its contract."""
    model = model_file("")
    folder.mkdir(parents=True, exist_ok=True)
    for file in (model, model.with_suffix(".json")):
        shutil.copy(file, folder / f"model{file.suffix}")


def write_drive(path: Path, scenario_file: Path) -> None:
    """The first instants of a drive."""
    log, world = DriveLog(), start(load_scenario(scenario_file))
    for _ in range(3):
        log.add(world)
    log.write(path, False, "small")


def laughs(kind: str) -> str:
    """Entities or aliases that expand to gigabytes."""
    if kind == "yaml":
        rows = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
        rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
        return "\n".join(rows) + "\n"
    rows = ['<!ENTITY a0 "ha">'] + [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)]
    return f'<?xml version="1.0"?><!DOCTYPE {kind} [{"".join(rows)}]><{kind}>&a11;</{kind}>'


def deep(kind: str, depth: int = 100_000) -> str:
    """Nesting without end."""
    opened: Sequence[str] = {"json": ("[", "]"), "yaml": ("[", "]")}.get(kind, (f"<{kind}>", f"</{kind}>"))
    return opened[0] * depth + opened[1] * depth

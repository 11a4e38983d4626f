"""RViz config and Foxglove layout show topics and fields that there are; the markers they draw."""

import json
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml

from behaviors_ros.datatypes import AgentClass, Goal
from behaviors_ros.parameters import Vehicle
from behaviors_ros.ros import markers
from behaviors_ros.ros.graph import NAMESPACE, TOPICS
from behaviors_ros.ros.warm import warm_scene

CONFIG = Path(__file__).resolve().parents[2] / "config"
RVIZ_TYPES = {
    "rviz_default_plugins/MarkerArray": "visualization_msgs/msg/MarkerArray",
    "rviz_default_plugins/Path": "nav_msgs/msg/Path",
    "rviz_default_plugins/Odometry": "nav_msgs/msg/Odometry",
}


def topic(name):
    """A topic of the graph table by its full name."""
    return TOPICS[name.removeprefix(f"{NAMESPACE}/")]


def resolve(cls, path):
    """Follow `a.b[0].c` from a message class; an unknown field raises `KeyError`."""
    kind = None
    for part in path.split("."):
        name = part.split("[")[0]
        kind = cls.get_fields_and_field_types()[name]
        element = re.sub(r"^sequence<(.*?)(, \d+)?>$", r"\1", kind)
        if "/" in element:
            package, message = element.split("/")
            cls = getattr(import_module(f"{package}.msg"), message)
    return kind


def test_rviz_shows_topics_of_the_graph():
    tree = yaml.safe_load((CONFIG / "behaviors.rviz").read_text())["Visualization Manager"]
    assert tree["Global Options"]["Fixed Frame"] == "map"
    shown = {display["Class"]: display for display in tree["Displays"] if "Topic" in display}
    assert {display["Topic"]["Value"] for display in shown.values()} == {
        "/behaviors/markers", "/behaviors/path", "/behaviors/odometry",
    }  # fmt: skip
    for kind, display in shown.items():
        found = topic(display["Topic"]["Value"])
        assert found.type == RVIZ_TYPES[kind]
        # Ours are all reliable and volatile; a reliable reader hears them.
        assert (
            display["Topic"]["Reliability Policy"] == "Reliable" and display["Topic"]["Durability Policy"] == "Volatile"
        )


def test_foxglove_layout_names_every_panel_once():
    tree = json.loads((CONFIG / "foxglove_layout.json").read_text())

    def panels(node):
        return [node] if isinstance(node, str) else [*panels(node["first"]), *panels(node["second"])]

    assert sorted(panels(tree["layout"])) == sorted(tree["configById"])


def test_foxglove_plots_fields_that_there_are():
    panels = json.loads((CONFIG / "foxglove_layout.json").read_text())["configById"]
    paths = [series["value"] for panel in panels.values() for series in panel.get("paths", [])]
    assert len(paths) >= 8
    for path in paths:
        name, field = path.split(".", 1)
        assert resolve(topic(name).message(), field) in ("float", "double", "uint8", "uint64"), path
    for panel in panels.values():
        if "topicPath" in panel:
            name, _, field = panel["topicPath"].partition(".")
            assert not field or resolve(topic(name).message(), field)
        for name in panel.get("topics", {}):
            assert topic(name)


def test_rviz_knows_the_names_of_what_is_drawn():
    """Each namespace of the markers module has a switch in RViz, and the other way round."""
    displays = yaml.safe_load((CONFIG / "behaviors.rviz").read_text())["Visualization Manager"]["Displays"]
    listed = next(set(display["Namespaces"]) for display in displays if "Namespaces" in display)
    text = Path(markers.__file__).read_text()
    drawn = set(re.findall(r'(?:marker|line|box|_trajectory)\("(\w+)"', text))
    assert drawn == listed


def test_a_route_is_drawn_with_its_goal():
    lines = [np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([[10.0, 0.0], [20.0, 5.0]])]
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    drawn = list(markers.route(lines, Goal(np.array([0.5, 0.5]), square), 7))
    assert [(found.ns, found.id, len(found.points)) for found in drawn] == [
        ("route", 0, 2),
        ("route", 1, 2),
        ("goal", 0, 5),
    ]
    disc = list(markers.route([], Goal(np.array([3.0, 4.0])), 7))[0]
    assert (disc.ns, disc.pose.position.x, disc.pose.position.y) == ("goal", 3.0, 4.0)


def test_road_users_are_told_apart_by_class():
    tracks = warm_scene(None, Vehicle()).tracks
    tracks.kind[0] = AgentClass.PEDESTRIAN
    body, label = list(markers.tracks(tracks))[:2]
    assert (body.color.r, body.color.g, body.color.b) == pytest.approx(markers.PINK)
    assert body.pose.position.z == pytest.approx(0.5 * 1.75)
    assert label.text == f"pedestrian {tracks.speed[0]:.1f} m/s"

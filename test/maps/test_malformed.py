"""Files that are wrong in one way each: one `InputError` of one line that names the file, and no other exception."""

import gzip
import json

import pytest

from behaviors_ros.errors import InputError
from behaviors_ros.maps.commonroad import read_document
from behaviors_ros.maps.documents import Limits, read_bytes
from behaviors_ros.maps.lanelet2 import Lanelet2Reading, read_map
from behaviors_ros.maps.load import load_map

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><osm><node>&d;</node></osm>'
)
OSM = {
    "truncated": (lambda t: t[: len(t) // 2], "is not XML"),
    "not XML": (lambda t: "lanelets, but in prose", "is not XML"),
    "wrong root": (lambda t: t.replace("osm", "gpx"), "is <gpx>, not <osm>"),
    "entity bomb": (lambda t: LAUGHS, "declarations and entities"),
    "empty file": (lambda t: "", "file is empty"),
    "empty map": (lambda t: '<osm version="0.6"/>', "map is empty"),
    "no lanelets": (lambda t: t.replace('v="lanelet"', 'v="route"'), "no lanelet for vehicles"),
    "NaN coordinate": (lambda t: t.replace('k="local_x" v="0.0"', 'k="local_x" v="nan"'), "local_x: is 'nan'"),
    "huge coordinate": (lambda t: t.replace('k="local_x" v="0.0"', 'k="local_x" v="1e30"'), "local_x: is '1e30'"),
    "text for a number": (lambda t: t.replace('k="local_y" v="3.5"', 'k="local_y" v="up"'), "local_y: is 'up'"),
    "bound missing": (lambda t: t.replace('role="right"', 'role="middle"', 1), "has 0 right bounds"),
    "way missing": (lambda t: t.replace('role="left" ref="1001"', 'role="left" ref="77"'), "missing way 77"),
    "node missing": (lambda t: t.replace('<nd ref="1"/>', '<nd ref="777"/>', 1), "missing node 777"),
    "duplicate node": (lambda t: t.replace('<node id="2"', '<node id="1"'), "node 1: occurs twice"),
    "duplicate lanelet": (lambda t: t.replace('<relation id="2"', '<relation id="1"'), "relation 1: occurs twice"),
    "own member": (
        lambda t: t.replace('role="regulatory_element" ref="50"', 'role="x" ref="1"', 1),
        "member of itself",
    ),
    "zero-length bound": (lambda t: t.replace('<nd ref="5"/><nd ref="6"/>', '<nd ref="4"/>'), "has no length"),
    "negative speed limit": (lambda t: t.replace('v="36"', 'v="-36"', 1), "speed limit: is -10 m/s"),
    "speed limit in words": (lambda t: t.replace('v="36"', 'v="fast"', 1), "speed_limit: is 'fast'"),
    "id in words": (lambda t: t.replace('<node id="1"', '<node id="one"'), "is 'one'"),
}


@pytest.mark.parametrize("fault", OSM)
def test_lanelet2(fault, straight_osm, tmp_path):
    spoil, says = OSM[fault]
    text = straight_osm.text()
    path = tmp_path / "bad.osm"
    path.write_text(spoil(text))
    assert spoil(text) != text
    refused(load_map, path, says)


def test_zero_length_lanelet(straight_osm, tmp_path):
    ways = [straight_osm.line([(300.0, y), (300.001, y)]) for y in (0.0, 3.0)]
    straight_osm.lanelet(70, ways[1], ways[0])
    refused(load_map, straight_osm.write(tmp_path / "bad.osm"), "lane 70: has no length")


COMMONROAD = {
    "version": (lambda t: t.replace('"2020a"', '"2031z"'), "commonRoadVersion: is '2031z'"),
    "no lanelets": (lambda t: t.replace("lanelet id", "street id").replace("/lanelet>", "/street>"), "map is empty"),
    "duplicate lanelet": (lambda t: t.replace('<lanelet id="2"', '<lanelet id="1"'), "lanelet 1: occurs twice"),
    "successor missing": (lambda t: t.replace('successor ref="2"', 'successor ref="66"'), "missing lanelet 66"),
    "bound missing": (lambda t: t.replace("leftBound", "middleLine"), "has no leftBound"),
    "one-point bound": (lambda t: t.replace("<point><x>50</x><y>4</y></point>", "", 1), "has 1 points"),
    "infinite coordinate": (lambda t: t.replace("<x>50</x>", "<x>inf</x>", 1), "is 'inf'"),
    "negative speed limit": (lambda t: t.replace("8.5", "-8.5"), "speed limit: is -8.5"),
    "no time step": (lambda t: t.replace('timeStepSize="0.1"', ""), "timeStepSize"),
    "time step of zero": (lambda t: t.replace('timeStepSize="0.1"', 'timeStepSize="0"'), "timeStepSize: is 0"),
    "state without time": (lambda t: t.replace("<time><exact>1</exact></time>", ""), "time: is missing"),
    "state without position": (
        lambda t: t.replace("<x>20.5</x><y>2</y>", "").replace("<point></point>", ""),
        "position",
    ),
    "size of zero": (lambda t: t.replace("<length>4.0", "<length>0.0"), "length: is 0"),
    "goal lanelet missing": (lambda t: t.replace('lanelet ref="2"', 'lanelet ref="67"'), "missing lanelet 67"),
    "no goal": (lambda t: t.replace("goalState", "wish"), "has no goalState"),
    "light without duration": (lambda t: t.replace("<duration>", "<duration>-"), "cycle has no duration"),
}


@pytest.mark.parametrize("fault", COMMONROAD)
def test_commonroad(fault, make_commonroad, tmp_path):
    spoil, says = COMMONROAD[fault]
    text = make_commonroad()
    path = tmp_path / "bad.xml"
    path.write_text(spoil(text))
    assert spoil(text) != text
    refused(read_document, path, says)


ARGOVERSE = {
    "not JSON": ("{", "is not JSON"),
    "a list": ("[]", "lane_segments: is missing"),
    "a part missing": ('{"lane_segments": {}}', "pedestrian_crossings: is missing"),
    "empty": ('{"lane_segments": {}, "pedestrian_crossings": {}, "drivable_areas": {}}', "map is empty"),
    "another form": ('{"lane_segments": {"1": {}}, "pedestrian_crossings": {}, "drivable_areas": {}}', "another form"),
    "deep nesting": ("[" * 100_000, "is not JSON"),
}


@pytest.mark.parametrize("fault", ARGOVERSE)
def test_argoverse(fault, tmp_path):
    text, says = ARGOVERSE[fault]
    path = tmp_path / "bad.json"
    path.write_text(text)
    refused(load_map, path, says)


def test_argoverse_nan(tmp_path):
    line = [{"x": float("nan"), "y": 0.0}, {"x": 1.0, "y": 0.0}]
    lane = {"id": 1, "lane_type": "VEHICLE", "left_lane_boundary": line, "right_lane_boundary": line}
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({"lane_segments": {"1": lane}, "pedestrian_crossings": {}, "drivable_areas": {}}))
    refused(load_map, path, "lane 1: has a coordinate that is not a number")


def test_binary_junk(tmp_path):
    for name in ("junk.osm", "junk.xml", "junk.json"):
        path = tmp_path / name
        path.write_bytes(bytes(range(256)) * 64)
        refused(load_map, path, "is not ")


def test_gzip(make_commonroad, tmp_path):
    path = tmp_path / "bad.xml.gz"
    packed = gzip.compress(make_commonroad().encode())
    for content in (packed[: len(packed) // 2], b"not gzip at all", packed[:20] + b"\xff" * 50):
        path.write_bytes(content)
        refused(load_map, path, "cannot be decompressed")


def test_paths(tmp_path, monkeypatch):
    refused(load_map, tmp_path / "none.osm", "no such file")
    (tmp_path / "folder.osm").mkdir()
    refused(load_map, tmp_path / "folder.osm", "is a directory")
    refused(load_map, tmp_path / "road.xodr", "known endings: .osm, .xml, .xml.gz, .json")

    def denied(*_args, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)
    refused(load_map, tmp_path / "secret.osm", "check its permissions")


def test_limits(straight_osm, tmp_path):
    path = straight_osm.write(tmp_path / "big.osm")
    refused(lambda p: read_bytes(p, Limits(file_mb=0.001)), path, "more than 0.001 MB")
    refused(lambda p: read_map(p, reading=Lanelet2Reading(limits=Limits(elements=10))), path, "at most 10")
    refused(lambda p: read_map(p, reading=Lanelet2Reading(limits=Limits(lane_points=2))), path, "give at most 2")


def refused(read, path, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read(path)
    line = str(caught.value)
    assert "\n" not in line and line.startswith(str(path))
    assert says in line
    assert caught.value.remedy

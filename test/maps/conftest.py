"""Small maps written out as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from behaviors_ros.datatypes import LaneMap
from behaviors_ros.maps import lanelet2


class OsmText:
    """Writes a Lanelet2 file from metres: nodes shared by coordinates, lat/lon near (0, 0) beside local_x/local_y."""

    def __init__(self, local: bool = True) -> None:
        self.local, self.nodes, self.ways, self.relations = local, {}, [], []

    def node(self, x: float, y: float) -> int:
        return self.nodes.setdefault((round(x, 4), round(y, 4)), len(self.nodes) + 1)

    def line(self, points, **tags: str) -> int:
        id_ = 1000 + len(self.ways)
        refs = "".join(f'<nd ref="{self.node(x, y)}"/>' for x, y in points)
        self.ways.append(f'<way id="{id_}">{refs}{self._tags(tags)}</way>')
        return id_

    def lanelet(self, id_: int, left: int, right: int, rules=(), **tags: str) -> None:
        members = [("way", "left", left), ("way", "right", right)]
        members += [("relation", "regulatory_element", rule) for rule in rules]
        defaults = {"type": "lanelet", "subtype": "road", "location": "urban", "one_way": "yes"}
        self.relation(id_, members, **{**defaults, **tags})

    def rule(self, id_: int, subtype: str, members) -> None:
        self.relation(id_, members, type="regulatory_element", subtype=subtype)

    def relation(self, id_: int, members, **tags: str) -> None:
        text = "".join(f'<member type="{kind}" role="{role}" ref="{ref}"/>' for kind, role, ref in members)
        self.relations.append(f'<relation id="{id_}">{text}{self._tags(tags)}</relation>')

    @staticmethod
    def _tags(tags) -> str:
        return "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())

    def text(self) -> str:
        nodes = []
        for (x, y), id_ in self.nodes.items():
            local = self._tags({"local_x": x, "local_y": y}) if self.local else ""
            nodes.append(f'<node id="{id_}" lat="{y / 110574.0:.10f}" lon="{3.0 + x / 111319.491:.10f}">{local}</node>')
        return '<?xml version="1.0"?><osm version="0.6">' + "".join([*nodes, *self.ways, *self.relations]) + "</osm>"

    def write(self, path: Path) -> Path:
        path.write_text(self.text())
        return path


def straight_text(local: bool = True) -> OsmText:
    """East-bound lanes 1, 2 then 11, 12 (3.5 m wide, right ones 1 and 11), west-bound 13 then 3, a crosswalk at x = 60.

    Lines at y = 0, 3.5, 7, 10.5; each 100 m. Signal 50 with its stop line at x 55 controls lanes 1 and 2.
    """
    osm = OsmText(local)
    marks = ["solid", "dashed", "solid", "solid"]
    east = [
        [osm.line([(x0, 3.5 * i), (x0 + 50.0, 3.5 * i), (x0 + 100.0, 3.5 * i)], type="line_thin", subtype=marks[i])
         for i in range(4)]
        for x0 in (0.0, 100.0)
    ]  # fmt: skip
    stop = osm.line([(55.0, 0.0), (55.0, 7.0)], type="stop_line")
    light = osm.line([(70.0, 0.0), (70.0, 1.0)], type="traffic_light", subtype="red_yellow_green")
    bulbs = osm.line([(70.0, 0.2), (70.0, 0.8)], type="light_bulbs", traffic_light_id=str(light))
    osm.rule(50, "traffic_light", [("way", "refers", light), ("way", "ref_line", stop), ("way", "light_bulbs", bulbs)])
    for lines, base in zip(east, (0, 10), strict=True):
        rules = (50,) if base == 0 else ()
        osm.lanelet(base + 1, lines[1], lines[0], rules, speed_limit="36")
        osm.lanelet(base + 2, lines[2], lines[1], rules, speed_limit="36")
    for base, lines in zip((0, 10), east, strict=True):
        back = osm.line([(x, 10.5) for x in ((100.0, 50.0, 0.0) if base == 0 else (200.0, 150.0, 100.0))])
        osm.lanelet(base + 3, lines[2], back, speed_limit="10 m/s")
    walk = [osm.line([(x, -1.0), (x, 11.5)], type="pedestrian_marking") for x in (60.0, 64.0)]
    osm.lanelet(90, walk[0], walk[1], subtype="crosswalk", one_way="no", **{"participant:pedestrian": "yes"})
    return osm


def arc(centre, radius: float, start: float, end: float, n: int = 12):
    angle = np.linspace(start, end, n)
    return [(centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a)) for a in angle]


def junction_text(left_hand: bool = False, right_of_way: bool = False) -> OsmText:
    """Right-hand traffic: from the south (1) north over 2 and 8, or left over 3 to the west (4); 5, 6, 7 come south.

    Lane width 4 m, lane 1 centred on x = 2, lane 5 on x = -2; the junction is the square |x|, |y| < 10. `left_hand`
    mirrors everything in x.
    """
    osm, sign = OsmText(), -1.0 if left_hand else 1.0

    def line(points) -> int:
        return osm.line([(sign * x, y) for x, y in points], type="line_thin", subtype="solid")

    def lanelet(id_: int, left, right, rules=(), **tags: str) -> None:
        sides = (line(left), line(right))
        osm.lanelet(id_, *(sides[::-1] if left_hand else sides), rules, **tags)

    lanelet(1, [(0, -60), (0, -10)], [(4, -60), (4, -10)])
    rules = (80,) if right_of_way else ()
    lanelet(2, [(0, -10), (0, 10)], [(4, -10), (4, 10)], turn_direction="straight")
    across = "right" if left_hand else "left"
    lanelet(3, arc((-10, -10), 10, 0, np.pi / 2), arc((-10, -10), 14, 0, np.pi / 2), rules, turn_direction=across)
    lanelet(4, [(-10, 0), (-60, 0)], [(-10, 4), (-60, 4)])
    lanelet(5, [(0, 60), (0, 10)], [(-4, 60), (-4, 10)])
    lanelet(6, [(0, 10), (0, -10)], [(-4, 10), (-4, -10)], turn_direction="straight")
    lanelet(7, [(0, -10), (0, -60)], [(-4, -10), (-4, -60)])
    lanelet(8, [(0, 10), (0, 60)], [(4, 10), (4, 60)])
    if right_of_way:
        osm.rule(80, "right_of_way", [("relation", "right_of_way", 2), ("relation", "yield", 3)])
    return osm


@pytest.fixture(scope="session")
def straight_map(tmp_path_factory) -> LaneMap:
    return lanelet2.read_map(straight_text().write(tmp_path_factory.mktemp("maps") / "straight.osm"))


@pytest.fixture(scope="session")
def junction_map(tmp_path_factory) -> LaneMap:
    return lanelet2.read_map(junction_text().write(tmp_path_factory.mktemp("maps") / "junction.osm"))


@pytest.fixture
def straight_osm() -> OsmText:
    return straight_text()


@pytest.fixture
def make_junction():
    return junction_text


@pytest.fixture
def make_straight():
    return straight_text


def commonroad_text(version: str = "2020a", bound: str = "", extra: str = "", goal: str | None = None) -> str:
    """Lanelets 1 then 2 to the east (y 0 to 4, x 0 to 50 to 100), 3 left of 1; a car, an object, one problem."""

    def points(rows) -> str:
        return "".join(f"<point><x>{x}</x><y>{y}</y></point>" for x, y in rows)

    def lanelet(id_: int, x0: float, y0: float, links: str) -> str:
        left = f"<leftBound>{points([(x0, y0 + 4), (x0 + 50, y0 + 4)])}<lineMarking>dashed</lineMarking></leftBound>"
        right = f"<rightBound>{points([(x0, y0), (x0 + 50, y0)])}<lineMarking>dashed</lineMarking></rightBound>"
        return f'<lanelet id="{id_}">{left}{right}{links}</lanelet>'

    stop = "<stopLine><lineMarking>solid</lineMarking></stopLine><laneletType>urban</laneletType>"
    first = f'<successor ref="2"/><adjacentLeft ref="3" drivingDir="same"/>{stop}' + (
        '<trafficSignRef ref="9"/><trafficLightRef ref="8"/>'
    )
    lanelets = lanelet(1, 0, 0, first) + lanelet(2, 50, 0, '<predecessor ref="1"/>')
    lanelets += lanelet(3, 0, 4, '<adjacentRight ref="1" drivingDir="same"/>')
    sign = '<trafficSign id="9"><trafficSignElement><trafficSignID>274</trafficSignID>'
    sign += "<additionalValue>8.5</additionalValue></trafficSignElement></trafficSign>"
    phases = [("red", 30), ("redYellow", 5), ("green", 20), ("yellow", 10)]
    cycle = "".join(f"<cycleElement><duration>{n}</duration><color>{c}</color></cycleElement>" for c, n in phases)
    light = f'<trafficLight id="8"><cycle>{cycle}<timeOffset>10</timeOffset></cycle></trafficLight>'

    def state(tag: str, t: int, x: float, v: float) -> str:
        return (
            f"<{tag}><position>{points([(x, 2)])}</position><orientation><exact>0.0</exact></orientation>"
            f"<time><exact>{t}</exact></time><velocity><exact>{v}</exact></velocity></{tag}>"
        )

    shape = "<shape><rectangle><length>4.0</length><width>2.0</width></rectangle></shape>"
    moving = state("initialState", 0, 20, 5) + "<trajectory>" + state("state", 1, 20.5, 5) + "</trajectory>"
    still = "<shape><circle><radius>0.5</radius></circle></shape>" + state("initialState", 0, 80, 0)
    car, box = "<type>car</type>" + shape + moving, "<type>unknown</type>" + still
    if version == "2018b":
        users = f'<obstacle id="30"><role>dynamic</role>{car}</obstacle>'
        users += f'<obstacle id="31"><role>static</role>{box}</obstacle>'
    else:
        users = f'<dynamicObstacle id="30">{car}</dynamicObstacle><staticObstacle id="31">{box}</staticObstacle>'
    goal = '<position><lanelet ref="2"/></position>' if goal is None else goal
    problem = f'<planningProblem id="40">{state("initialState", 0, 5, 8)}<goalState>{goal}'
    problem += (
        "<time><intervalStart>30</intervalStart><intervalEnd>50</intervalEnd></time></goalState></planningProblem>"
    )
    head = f'<commonRoad benchmarkID="TST_Small-1" commonRoadVersion="{version}" timeStepSize="0.1">'
    return f'<?xml version="1.0"?>{head}{lanelets}{bound}{sign}{light}{users}{extra}{problem}</commonRoad>'


@pytest.fixture
def make_commonroad():
    return commonroad_text

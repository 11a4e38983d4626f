"""Scenario files: ours and CommonRoad's."""

import numpy as np
import pytest
import yaml

from behaviors_ros.datatypes import SignalColor
from behaviors_ros.errors import InputError
from behaviors_ros.maps.commonroad import read_document
from behaviors_ros.simulation.reactive import Reactive
from behaviors_ros.simulation.recorded import Recorded
from behaviors_ros.simulation.scenario import DEMO, load_scenario
from behaviors_ros.simulation.world import observe, signals, start, step

MINIMAL = {"name": "m", "start": {"position": [0, 0], "speed_mps": 5.0}, "goal": {"position": [100, 0]}}


def written(tmp_path, **changes):
    path = tmp_path / "scenario.yaml"
    path.write_text(yaml.safe_dump({**MINIMAL, **changes}))
    return path


def test_minimal_scenario_is_mapless(tmp_path):
    scenario = load_scenario(written(tmp_path))
    assert scenario.map is None and scenario.agents == () and scenario.start.speed == 5.0
    assert scenario.route.lanes == () or set(scenario.route.lanes) == {-1}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strat": {}}, "strat: Extra inputs are not permitted; known: name, "),
        ({"start": {"position": [0, float("nan")]}}, "start.position.1: Input should be a finite number"),
        ({"goal": {}}, "goal.position: Field required"),
        ({"duration_s": -1}, "duration_s: Input should be greater than or equal to 0.1"),
        ({"agents": [{"name": "a", "behaviour": "flies"}]}, "agents.0"),
        ({"agents": [{"name": "a", "behaviour": "stationary"}]}, "agents.0.stationary.position: Field required"),
        ({"agents": [{"name": "a", "behaviour": "stationary", "position": [0, 0]}] * 2}, "'a' is used twice"),
        ({"agents": [{"name": "a", "behaviour": "reactive"}]}, "agents.0: its way is not clear"),
        (
            {"agents": [{"name": "a", "behaviour": "reactive", "position": [0, 0], "destination": [9, 0]}]},
            "needs a map",
        ),
        ({"agents": [{"name": "a", "behaviour": "scripted", "waypoints": [[0, 0]], "speeds_mps": [1]}]}, "waypoints"),
        ({"map": "missing.osm"}, "missing.osm"),
    ],
)
def test_wrong_fields_give_one_clear_line(tmp_path, changes, says):
    path = written(tmp_path, **changes)
    with pytest.raises(InputError) as error:
        load_scenario(path)
    assert says in str(error.value) and "\n" not in str(error.value) and str(tmp_path) in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.yaml", "name: [", "is not YAML"),
        ("a.yaml", "- 1", "is not a mapping"),
        ("a.yaml", "\x00", "is not YAML"),
        ("a.txt", "x", "is of no known kind"),
        ("a.xml", "<commonRoad", "a.xml"),
    ],
)
def test_wrong_files_give_one_clear_line(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=says) as error:
        load_scenario(tmp_path / name)
    assert "\n" not in str(error.value)


def test_missing_file():
    with pytest.raises(InputError, match="does not exist"):
        load_scenario("nowhere.yaml")


def test_all_kinds_of_agents_are_cast(tmp_path):
    agents = [
        {"name": "r", "behaviour": "recorded", "states": [
            {"time_s": 0.0, "position": [1, 2], "yaw_rad": 0.1, "speed_mps": 3.0},
            {"time_s": 1.0, "position": [4, 2], "yaw_rad": 0.1, "speed_mps": 3.0}]},
        {"name": "i", "behaviour": "reactive", "path": [[0, 5], [50, 5]], "speed_mps": 4.0, "offset_m": 1.0},
        {"name": "s", "kind": "pedestrian", "behaviour": "scripted", "waypoints": [[0, 0], [0, 9]],
         "speeds_mps": [1.5]},
        {"name": "p", "kind": "bus", "behaviour": "stationary", "position": [9, 9], "length_m": 10.0},
    ]  # fmt: skip
    tracks = observe(start(load_scenario(written(tmp_path, agents=agents))))[1]
    assert tracks.position == pytest.approx(np.array(((1.0, 2.0), (0.0, 6.0), (0.0, 0.0), (9.0, 9.0))))
    assert tracks.length == pytest.approx([4.5, 4.5, 0.5, 10.0])
    assert tracks.speed == pytest.approx([3.0, 4.0, 1.5, 0.0])


def test_world_steps_are_deterministic_and_follow_the_signals():
    first, second = start(load_scenario(DEMO)), start(load_scenario(DEMO))
    for _ in range(20):
        first, second = step(first, None, 0.1), step(second, None, 0.1)
    assert first.time_s == pytest.approx(2.0)
    assert np.array_equal(observe(first)[1].position, observe(second)[1].position)
    assert observe(first)[1].id == observe(second)[1].id
    lights = signals(first)
    # After 2 s: the main street is red until 34 s, the crossing street green until 25 s: changes after 32 and 23 s.
    assert lights.next_change_s == pytest.approx([32.0, 32.0, 23.0, 23.0])
    assert list(lights.color) == [1, 1, 3, 3]


def test_commonroad_recorded_and_reactive(shared_data):
    path = sorted((shared_data / "commonroad_ngsim" / "US101").glob("*.xml.gz"))[0]
    recorded, reactive = load_scenario(path), load_scenario(path, traffic="reactive")
    assert any(isinstance(a, Recorded) for a in recorded.agents)
    assert any(isinstance(a, Reactive) for a in reactive.agents)
    # Both kinds of traffic begin at the same places.
    places = [dict(zip((t := observe(start(s))[1]).id, t.position, strict=True)) for s in (recorded, reactive)]
    for name, position in places[1].items():
        assert position == pytest.approx(places[0][name], abs=0.3)
    # CommonRoad's initial position is the box centre; ours the rear axle.
    vehicle, ego = recorded.vehicle, recorded.start
    centre = ego.position + vehicle.centre_offset_m * np.array((np.cos(ego.yaw), np.sin(ego.yaw)))
    assert centre == pytest.approx(read_document(path).problems[0].position)


def test_signals_that_the_recording_contradicts_are_green_on_the_way(shared_data):
    path = shared_data / "commonroad_ngsim" / "Lankershim" / "USA_Lanker-2_17_T-1.xml.gz"
    scenario = load_scenario(path)
    # A recorded vehicle crosses the line of 3832 and 3833 after 1.4 s; the file's cycles have them red and dark then.
    lights = signals(start(scenario))
    assert {group: lights.color_of(group) for group in (3832, 3833)} == {
        3832: SignalColor.GREEN,
        3833: SignalColor.GREEN,
    }
    # Nobody contradicts 3831: green from 16 s on, so red at the start.
    assert lights.color_of(3831) is SignalColor.RED

"""Files that replay parts of one recording."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from behaviors_ros.datatypes import AgentClass
from behaviors_ros.learning.data_commonroad import read_ngsim
from behaviors_ros.learning.data_overlap import Overlap, joined, shifts
from behaviors_ros.learning.data_recording import Origin, RawRecording, RawTrack

STEPS = 120


def drive(generator):
    """Positions and speeds of a car whose speed wanders."""
    speed = 10.0 + np.cumsum(generator.normal(0.0, 0.2, STEPS))
    return np.cumsum(speed) * 0.1, speed


DRIVES = [drive(np.random.default_rng(seed)) for seed in range(4)]


def cut(name, begin, end, cars, x=0.0, y=0.0):
    """A file with some cars of the recording from `begin` on, on its own clock and with its own origin."""
    tracks, speeds = [], {}
    for car in cars:
        along, speed = DRIVES[car]
        position = np.column_stack([along[begin:end] + x, np.full(end - begin, 4.0 * car + y)])
        time_s = np.arange(end - begin) * 0.1
        own = f"{name}{car}"
        tracks.append(RawTrack(own, int(AgentClass.CAR), 4.0, 2.0, time_s, position, np.zeros(end - begin)))
        speeds[own] = speed[begin:end]
    return RawRecording(Origin("made", name, "here", "none"), tuple(tracks)), speeds


def test_the_shift_between_two_files():
    """The second file begins 30 steps later, and its origin lies 100 m ahead and 5 m to the left."""
    files, speeds = zip(cut("a", 0, 80, (0, 1)), cut("b", 30, 110, (0, 1), -100.0, -5.0), strict=True)
    found = shifts(files, speeds, Overlap())[0, 1]
    assert (found.steps, round(found.x, 6), round(found.y, 6)) == (-30, -100.0, -5.0)
    assert found.votes == 2 * (50 - 10 + 1)


def test_every_road_user_once():
    """Three files hold 0 to 11.9 s of cars 0, 1 and 2 in parts: three tracks with all their states come back."""
    parts = [cut("a", 0, 80, (0, 1), 7.0), cut("b", 30, 120, (1, 2), -100.0, -5.0), cut("c", 60, 120, (0, 2), 0.0, 9.0)]
    files, speeds = zip(*parts, strict=True)
    found = joined(files, speeds)
    assert [each.origin.name for each in found] == ["a+2"]
    spans = sorted((len(track.time_s), round(track.time_s[0], 3)) for track in found[0].tracks)
    assert spans == [(90, 3.0), (120, 0.0), (120, 0.0)]
    whole = next(track for track in found[0].tracks if len(track.time_s) == 120)
    assert np.allclose(np.diff(whole.position[:, 0]), np.diff(DRIVES[0][0])) or np.allclose(
        np.diff(whole.position[:, 0]), np.diff(DRIVES[1][0])
    )


def test_others_stay_apart():
    files, speeds = zip(cut("a", 0, 80, (0, 1)), cut("b", 0, 80, (2, 3)), strict=True)
    assert len(joined(files, speeds)) == 2


def test_standing_cars_join_nothing():
    files, speeds = zip(cut("a", 0, 80, (0,)), cut("b", 0, 80, (1,)), strict=True)
    still = [{name: np.zeros_like(speed) for name, speed in each.items()} for each in speeds]
    assert shifts(files, still, Overlap()) == {}


def test_ngsim_files_of_one_recording(shared_data: Path, tmp_path: Path):
    """Two with one clock and one with its own: the vehicle numbers that they name are 59 different ones."""
    for name in ("18_1", "18_2", "27_1"):
        source = shared_data / "commonroad_ngsim" / "US101" / f"USA_US101-{name}_T-1.xml.gz"
        (tmp_path / source.name).symlink_to(source)
    found = read_ngsim(tmp_path, "US101")
    assert len(found) == 1 and len(found[0].tracks) == 59
    assert found[0].lane_map is not None and replace(found[0].origin).may_ship

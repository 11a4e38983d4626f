import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors_ros.learning.crowd_windows import Cutting, framed, on_frames, windows
from behaviors_ros.learning.data_recording import Origin, RawRecording, RawTrack

CUTTING = Cutting(past=3, future=2, neighbours=2)


def track(name, first, positions, every=0.4):
    position = np.array(positions, float)
    time_s = (first + np.arange(len(position))) * every
    return RawTrack(name, 7, 0.5, 0.5, time_s, position, np.full(len(position), np.nan))


def recording(*tracks):
    return RawRecording(Origin("made", "made", "here", "own"), tracks)


def along_x(first, count, y=0.0, speed=1.0, start=0.0):
    return [(start + speed * k, y) for k in range(first, first + count)]


def test_who_is_there_throughout_is_a_window():
    # a: frames 0 to 6, windows of 5 begin at 0, 1, 2. b: frames 1 to 5, one window. c: 4 frames, none.
    made = recording(track("a", 0, along_x(0, 7)), track("b", 1, along_x(1, 5, 1.0)), track("c", 0, along_x(0, 4, 3.0)))
    found = windows([made], CUTTING)
    assert len(found) == 4
    # The window of a that begins at frame 0: now is frame 2, b (1 m away, there since frame 1), then c (3 m away).
    assert found.past[0] == pytest.approx(np.array([(0, 0), (1, 0), (2, 0)]))
    assert found.future[0] == pytest.approx(np.array([(3, 0), (4, 0)]))
    assert np.isnan(found.others[0, 0, 0]).all()
    assert found.others[0, 0, 1:] == pytest.approx(np.array([(1, 1), (2, 1)]))
    assert found.others[0, 1] == pytest.approx(np.array([(0, 3), (1, 3), (2, 3)]))


def test_frames_are_those_in_which_anybody_is():
    # Nobody is there in frames 2 and 3: frames 0, 1, 4 follow each other.
    made = recording(track("a", 0, along_x(0, 2)), track("b", 4, along_x(0, 1)))
    assert np.isfinite(on_frames(made)[..., 0]).tolist() == [[True, True, False], [False, False, True]]


def test_nothing_is_found_in_nothing():
    assert len(windows([], CUTTING)) == 0
    assert len(windows([recording(track("a", 0, along_x(0, 4)))], CUTTING)) == 0


def test_the_frame_looks_along_the_last_step():
    # From (0, 0) over (0, 1) to (1, 1): the last step goes along x of the map; then from (1, 1) up along y.
    made = recording(track("a", 0, [(0, 0), (1, 1), (1, 2), (1, 3), (0, 3)]))
    shown = framed(windows([made], CUTTING), CUTTING)
    assert shown.past[0] == pytest.approx(np.array([(-2, 1), (-1, 0), (0, 0)]), abs=1e-6)
    assert shown.future[0] == pytest.approx(np.array([(1, 0), (1, 1)]), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(-3.0, 3.0), st.floats(-50.0, 50.0), st.floats(-50.0, 50.0))
def test_moving_the_place_changes_nothing(angle, x, y):
    generator = np.random.default_rng(0)
    paths = np.cumsum(generator.normal(size=(4, 6, 2)), axis=1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = paths @ turn.T + [x, y]
    first, second = (
        framed(windows([recording(*(track(str(k), 0, path) for k, path in enumerate(all_paths)))], CUTTING), CUTTING)
        for all_paths in (paths, moved)
    )
    for name in ("past", "future", "others"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=1e-4, nan_ok=True)


def test_nothing_shown_knows_of_the_future():
    # Three people over 5 frames: one window each. Then all futures are others, and two people are gone after now.
    generator = np.random.default_rng(1)
    paths = np.cumsum(generator.normal(size=(3, 5, 2)), axis=1)
    before = windows([recording(*(track(str(k), 0, path) for k, path in enumerate(paths)))], CUTTING)
    paths[:, 3:] = generator.normal(size=(3, 2, 2)) * 100.0
    gone = [track("0", 0, paths[0]), track("1", 0, paths[1, :3]), track("2", 0, paths[2, :3])]
    after = windows([recording(*gone)], CUTTING)
    assert (len(before), len(after)) == (3, 1)
    shown, still = framed(before, CUTTING), framed(after, CUTTING)
    np.testing.assert_array_equal(still.past[0], shown.past[0])
    np.testing.assert_array_equal(still.others[0], shown.others[0])
    assert not np.allclose(still.future[0], shown.future[0])


@pytest.mark.parametrize(("fold", "count"), [("eth", 364), ("hotel", 1197), ("zara1", 2356)])
def test_as_many_windows_as_in_the_literature(shared_data, fold, count):
    from behaviors_ros.learning.data_pedestrians import read_eth_ucy

    tested = [found for found, split in read_eth_ucy(shared_data / "eth_ucy", fold) if split == "test"]
    assert len(windows(tested, Cutting())) == count

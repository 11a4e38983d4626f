"""The Frenet frame: by hand, against shapely, and properties on paths of every shape."""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba import njit
from shapely.geometry import LineString, Point

from behaviors_ros.errors import BehaviorsError
from behaviors_ros.geometry.frenet import FrenetFrame
from behaviors_ros.geometry.projection import only_foot, project_point, project_point_near
from behaviors_ros.geometry.transforms import pose_matrix, transform

CORNER = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
U_TURN = np.array([[0.0, 0.0], [50.0, 0.0], [50.0, 4.0], [0.0, 4.0]])
coordinates = st.floats(-30.0, 30.0)


def arc(radius, angle, spacing=0.5):
    """Left turn (radius < 0: right) from (0, 0) heading +x."""
    turn = np.linspace(0.0, angle, max(round(abs(radius) * angle / spacing), 2) + 1)
    return np.stack([abs(radius) * np.sin(turn), radius * (1.0 - np.cos(turn))], axis=-1)


def figure_eight(size=30.0):
    """Crosses itself at the origin, at a quarter and at three quarters of its length."""
    t = np.linspace(np.pi / 2, 2.5 * np.pi, 400)
    return np.stack([size * np.sin(t), size * np.sin(t) * np.cos(t)], axis=-1)


@st.composite
def smooth_paths(draw):
    """Paths of constant-curvature pieces, radius 12 m and above, points about 0.5 m apart, with their least radius."""
    curvatures = draw(st.lists(st.floats(-1 / 12, 1 / 12), min_size=1, max_size=4))
    heading = draw(st.floats(-4.0, 4.0)) + np.cumsum(np.repeat(curvatures, 20) * 0.5)
    steps = 0.5 * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    return np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


@st.composite
def wild_paths(draw):
    """Anything: random corners, hairpins, exact reversals, near and exact repetitions."""
    points = draw(arrays(np.float64, st.tuples(st.integers(2, 14), st.just(2)), elements=coordinates))
    if draw(st.booleans()):
        points = (
            np.repeat(points, 2, axis=0)
            + draw(st.sampled_from([0.0, 1e-9, 2e-3])) * np.arange(2 * len(points))[:, None]
        )
    if draw(st.booleans()):
        points = np.concatenate([points, points[::-1]])
    if draw(st.booleans()):
        points = np.round(points)
    assume(np.ptp(points, axis=0).max() > 0.1)
    return points


def test_a_corner_by_hand():
    """10 m along +x, then 10 m along +y.

    The direction turns evenly from 0 deg at the start over 45 deg at the corner to 90 deg at the end. Half way along
    the first leg it is that of (1, 0) + (cos 45, sin 45): 22.5 deg; so 2 m left of (5, 0) is (5 - 2 sin, 2 cos).
    """
    frame, turn = FrenetFrame(CORNER), np.deg2rad(22.5)
    assert frame.length == 20.0
    np.testing.assert_allclose(
        frame.heading(np.array([0.0, 5.0, 10.0, 15.0, 20.0])), np.deg2rad([0, 22.5, 45, 67.5, 90])
    )
    point = np.array([5.0 - 2.0 * np.sin(turn), 2.0 * np.cos(turn)])
    np.testing.assert_allclose(frame.cartesian(5.0, 2.0), point)
    np.testing.assert_allclose(frame.project(point), (5.0, 2.0))
    # Outside of the corner all that lies on its normal belongs to it: 3 sqrt 2 m to the right.
    np.testing.assert_allclose(frame.project(np.array([13.0, -3.0])), (10.0, -3.0 * 2**0.5))


def test_two_points_and_beyond():
    """A straight line is a rotated plane: heading +y, left is -x. s runs on below 0 and above the length."""
    frame = FrenetFrame(np.array([[1.0, 1.0], [1.0, 5.0]]))
    s, d = frame.project(np.array([[0.0, 2.0], [3.0, -99.0], [1.0, 101.0]]))
    np.testing.assert_allclose(s, [1.0, -100.0, 100.0])
    np.testing.assert_allclose(d, [1.0, -2.0, 0.0])
    np.testing.assert_allclose(frame.cartesian(np.array([-100.0, 104.0]), 2.0), [[-1.0, -99.0], [-1.0, 105.0]])
    np.testing.assert_allclose(frame.heading(np.array([-5.0, 2.0, 99.0])), np.pi / 2)
    np.testing.assert_array_equal(frame.curvature(np.array([-5.0, 99.0])), 0.0)


def test_shapes_broadcast():
    """Any leading shape; scalars give arrays without axes."""
    frame = FrenetFrame(CORNER)
    s, d = frame.project(np.zeros((3, 4, 2)))
    assert s.shape == d.shape == (3, 4)
    assert frame.cartesian(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4, 2)
    assert frame.project_near(np.zeros((3, 1, 2)), np.zeros(4), 5.0)[0].shape == (3, 4)
    assert frame.project(np.zeros((0, 2)))[0].shape == (0,)
    assert frame.point(3.0).shape == (2,) and frame.heading(3.0).shape == () and frame.curvature(3.0).shape == ()
    assert frame.project(np.zeros(2))[0].shape == ()


def test_far_away_is_finite():
    """Not even absurd places overflow; those that would are NaN."""
    frame = FrenetFrame(U_TURN)
    s, d = frame.project(np.array([[1e99, -1e98], [-1e90, 1e99], [3e5, 5e6], [1e200, 0.0]]))
    np.testing.assert_array_equal(np.isfinite(s), [True, True, True, False])
    np.testing.assert_array_equal(np.isfinite(d), [True, True, True, False])


def test_invalid_stays_invalid():
    """NaN and infinity give NaN, beside valid neighbours."""
    frame = FrenetFrame(CORNER)
    points = np.array([[np.nan, 0.0], [0.0, np.nan], [np.inf, 0.0], [5.0, 0.0]])
    for s, d in (frame.project(points), frame.project_near(points, 5.0, 2.0)):
        np.testing.assert_array_equal(np.isnan(s), [True, True, True, False])
        np.testing.assert_array_equal(np.isnan(d), [True, True, True, False])
    s = np.array([np.nan, 1.0])
    for value in (frame.cartesian(s, 0.0), frame.point(s), frame.heading(s), frame.curvature(s)):
        assert np.isnan(value[0]).all() and np.isfinite(value[1]).all()


@pytest.mark.parametrize(
    "points", [[[1.0, 1.0]], [[1.0, 1.0]] * 3, [[0.0, 0.0], [0.0, 1e-6]], [[0.0, 0.0], [np.inf, 0.0]]]
)
def test_no_path_raises(points):
    """A frame needs a direction."""
    with pytest.raises(BehaviorsError, match="distinct points|NaN or infinity"):
        FrenetFrame(np.array(points))


def test_ties_go_to_the_least_s():
    """Half way between the legs of a U-turn, 2 m from each: the first leg counts."""
    frame = FrenetFrame(np.array([[0.0, 0.0], [50.0, 0.0], [54.0, 2.0], [50.0, 4.0], [0.0, 4.0]]))
    s, d = frame.project(np.array([[0.0, 2.0], [0.0, 2.0 + 1e-6], [-1.0, 2.0]]))
    np.testing.assert_allclose(s, [0.0, frame.length, -1.0], atol=1e-5)
    np.testing.assert_allclose(d, [2.0, 2.0, 2.0], atol=1e-5)


def test_the_path_counts_before_the_imagined_straight():
    """The straight beyond the end of this path crosses its first leg at x = 5; who drives there is on the leg."""
    frame = FrenetFrame(np.array([[0.0, 0.0], [50.0, 0.0], [50.0, 30.0], [5.0, 30.0], [5.0, 20.0]]))
    s, d = frame.project(np.array([[5.0, 0.5], [5.0, 18.0]]))
    np.testing.assert_allclose(s, [5.0, frame.length + 2.0], atol=0.2)
    np.testing.assert_allclose(d, [0.5, 0.0], atol=0.02)


def test_near_search_follows_its_branch():
    """At the crossing of a figure eight both passes hold the point; the hint says which."""
    frame = FrenetFrame(figure_eight())
    for s in (frame.length / 4.0, 3.0 * frame.length / 4.0):
        found, d = frame.project_near(frame.cartesian(s, 0.3), s + 2.0, 5.0)
        np.testing.assert_allclose((found, d), (s, 0.3), atol=1e-6)


def test_near_search_beyond_its_window_is_the_global_answer():
    """No foot within the window, and hints that say nothing."""
    frame = FrenetFrame(CORNER)
    point = np.array([10.0, 8.0])
    for hint in (2.0, -50.0, 500.0, np.nan, np.inf):
        np.testing.assert_allclose(frame.project_near(point, hint, 3.0), (18.0, 0.0), atol=1e-9)
    np.testing.assert_allclose(frame.project_near(np.array([-3.0, 1.0]), -2.0, 2.0), (-3.0, 1.0))


def test_curvature_and_heading_of_a_circle():
    """Left turn of radius 20 m: curvature 1/20, heading s/20 but for the end segment's direction at the ends."""
    frame = FrenetFrame(arc(20.0, 3.0))
    s = np.linspace(3.0, frame.length - 3.0, 200)
    np.testing.assert_allclose(frame.curvature(s), 0.05, rtol=5e-3)
    np.testing.assert_allclose(frame.heading(s), s / 20.0, atol=1e-3)


@given(smooth_paths(), st.floats(-0.2, 1.2), st.floats(-8.0, 8.0))
def test_round_trip(points, part, d):
    """(s, d) -> (x, y) -> (s, d) below the radius of curvature; searched near s, for other parts may be nearer."""
    frame = FrenetFrame(points)
    s = part * frame.length
    found_s, found_d = frame.project_near(frame.cartesian(s, d), s, 2.0)
    np.testing.assert_allclose((found_s, found_d), (s, d), atol=1e-6)
    np.testing.assert_allclose(frame.cartesian(*frame.project(frame.cartesian(s, d))), frame.cartesian(s, d), atol=1e-6)


def turning_around_in_2_mm():
    """A straight of 8 m there and back in which the path turns around between points 2 mm apart."""
    start = -6.0 + 0.002 * np.arange(8.0)
    rows = [*zip(start, start, strict=True), (0.01606104, 0.016), (0.01806104, 0.018), (-5.98, -5.98), (-5.978, -5.978)]
    return np.array(rows + rows[::-1])


@settings(max_examples=300)
@example(turning_around_in_2_mm(), np.array([[0.0, 8.0]] + [[8.0, 8.0]] * 5), 0.0)
@given(wild_paths(), arrays(np.float64, (6, 2), elements=st.floats(-60.0, 60.0)), st.floats(-50.0, 250.0))
def test_projection_is_total_and_consistent(points, queries, hint):
    """Every finite point has a finite (s, d), which leads back to the point, on whatever path.

    Where the direction turns around within 2 mm, the last digits of s turn it visibly: no s is nearer than those say.
    """
    frame = FrenetFrame(points)
    for s, d in (frame.project(queries), frame.project_near(queries, hint, 10.0)):
        digits = 4.0 * np.spacing(np.abs(s) + frame.length)
        neighbours = frame.cartesian(s - digits, d), frame.cartesian(s + digits, d)
        reach = np.max([np.linalg.norm(point - queries, axis=-1) for point in neighbours], axis=0)
        miss = np.linalg.norm(frame.cartesian(s, d) - queries, axis=-1)
        assert np.all(miss <= 1e-6 + reach), (miss, reach)
        assert np.all(miss < 0.01), miss


@given(wild_paths(), arrays(np.float64, (6, 2), elements=st.floats(-60.0, 60.0)))
def test_no_box_hides_the_answer(points, queries):
    """Second derivation: the same search segment by segment over all feet, without bounding boxes."""
    frame = FrenetFrame(np.concatenate([points, points + [0.7, 61.0], points + [130.0, 3.0]]))
    path = frame.arrays[0]
    one_box = np.array([[-np.inf, -np.inf, np.inf, np.inf]])
    everywhere = np.repeat(one_box, len(frame.arrays[1]), axis=0), np.repeat(one_box, len(frame.arrays[2]), axis=0)
    expected = [project_point(path, *everywhere, x, y) for x, y in queries]
    np.testing.assert_array_equal(np.stack(frame.project(queries), axis=-1), expected)


@given(st.one_of(wild_paths(), smooth_paths()), st.floats(-0.1, 1.1), st.floats(-6.0, 6.0), st.floats(-2.0, 2.0))
def test_the_only_foot_is_the_one_of_a_full_search(points, part, d, miss):
    """Second derivation: with bends declared infinite every projection searches."""
    frame = FrenetFrame(points)
    path, blocks, groups = frame.arrays
    searching = path.copy()
    searching[:, 5] = np.inf
    hint = part * frame.length + miss
    x, y = frame.cartesian(part * frame.length, d)
    expected = project_point_near(searching, blocks, groups, x, y, hint, 2.25)
    np.testing.assert_allclose(project_point_near(path, blocks, groups, x, y, hint, 2.25), expected, atol=1e-9)


def test_bends_of_an_arc():
    """Radius 10 m: bend 0.1 1/m; points 5 m aside have one foot near s = 10 m; 9 m left it cannot be told."""
    angle = np.arange(0.0, 2.5, 0.05)
    frame = FrenetFrame(10.0 * np.stack([np.sin(angle), 1.0 - np.cos(angle)], axis=-1))
    path = frame.arrays[0]
    np.testing.assert_allclose(path[9:-9, 5], 0.1, rtol=2e-3)
    for d, told in ((5.0, True), (-5.0, True), (9.0, False)):
        s, found = only_foot(path, *frame.cartesian(10.0, d), 10.0, 2.0)
        assert np.isfinite(s) == told
        if told:
            np.testing.assert_allclose((s, found), (10.0, d), atol=1e-9)


@given(smooth_paths(), st.floats(0.02, 0.98), st.floats(-3.0, 3.0))
def test_offset_is_the_distance_to_the_line(points, part, d):
    """Second derivation: |d| is shapely's distance, and the foot its nearest point but for the lean of the normals."""
    frame = FrenetFrame(points)
    point = frame.cartesian(part * frame.length, d)
    found_s, found_d = frame.project(point)
    line = LineString(points)
    assert abs(found_d) == pytest.approx(line.distance(Point(point)), abs=2e-3)
    nearest, foot = line.interpolate(line.project(Point(point))), Point(frame.point(found_s))
    # A segment of 0.5 m on a radius of 12 m: its normals lean by half of 0.5 / 12 rad at most.
    assert nearest.distance(foot) < 0.5 / 12.0 * abs(d) + 1e-6


@given(wild_paths(), coordinates, coordinates, st.floats(-4.0, 4.0))
def test_rigid_motion_changes_nothing(points, x, y, turn):
    """|d| is the same after path and point are turned and moved (s may tie where the path runs over itself)."""
    motion, query = pose_matrix(np.array([x, y]), turn), np.array([3.3, -4.7])
    frame, moved = FrenetFrame(points), FrenetFrame(transform(motion, points))
    assume(len(frame.s) == len(moved.s))
    _, d = frame.project(query)
    _, moved_d = moved.project(transform(motion, query))
    assert abs(moved_d) == pytest.approx(abs(d), abs=1e-5)


@given(wild_paths(), st.floats(-10.0, 10.0))
def test_cartesian_has_no_jumps(points, d):
    """Both sides of every point of the path, and of both ends, give the same place at any d."""
    frame = FrenetFrame(points)
    assume(np.diff(frame.s).min() > 0.05)
    step = 1e-7
    gap = frame.cartesian(frame.s + step, d) - frame.cartesian(frame.s - step, d)
    # The direction turns at most by half a turn, through near zero, over 0.05 m.
    inner = np.hypot(*gap.T)
    directions = frame.arrays[0][:, 2:4]
    turning = (directions[:-1] * directions[1:]).sum(axis=1).min(initial=1.0)
    assume(turning > -0.9)
    assert inner.max() < 2.1 * step * (1.0 + abs(d) * 10.0 / 0.05)


@given(smooth_paths(), st.floats(-6.0, 6.0))
def test_progress_is_monotonic(points, d):
    """Driving along at constant d below the radius, s found near the last one never falls back."""
    frame = FrenetFrame(points)
    s = np.linspace(-3.0, frame.length + 3.0, 80)
    found, _ = frame.project_near(frame.cartesian(s, d), s, 1.0)
    assert (np.diff(found) > 0.0).all()


def test_lane_of_a_u_turn():
    """4 m apart, opposite legs: 1 m beside each belongs to it."""
    frame = FrenetFrame(U_TURN)
    s, d = frame.project(np.array([[20.0, 1.0], [20.0, 3.0]]))
    assert s[0] < 50.0 < 54.0 < s[1]
    assert 0.0 < d[0] < 1.2 and 0.0 < d[1] < 1.2


def test_scalar_kernels_run_inside_other_kernels():
    """A caller compiled by numba gets the same answers."""

    @njit
    def both(path, blocks, groups):
        near = project_point_near(path, blocks, groups, 10.0, 4.0, 13.0, 5.0)
        return project_point(path, blocks, groups, 10.0, 4.0), near

    frame = FrenetFrame(CORNER)
    np.testing.assert_allclose(both(*frame.arrays), [(14.0, 0.0), (14.0, 0.0)], atol=1e-12)

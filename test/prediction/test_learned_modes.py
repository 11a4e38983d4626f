import math
from dataclasses import replace

import numpy as np
import pytest
from prediction_scenes import scene, tracks

from behaviors_ros.datatypes import Grid, Intent
from behaviors_ros.parameters import Vehicle
from behaviors_ros.prediction.agents import agents_now
from behaviors_ros.prediction.learned_features import FeatureSchema
from behaviors_ros.prediction.learned_modes import Answer, Frames, Plausible, learned_modes, usable

SCHEMA = FeatureSchema()
KNOTS_S = SCHEMA.future_dt_s * np.arange(1, SCHEMA.future_steps + 1)


def answer(path, log_along=0.0, log_across=0.0, correlation=0.0):
    """One mode along `path` (knot, 2) m for one agent."""
    spread = np.tile(np.array([log_along, log_across, correlation]), (1, 1, len(KNOTS_S), 1))
    return Answer(np.ones((1, 1), np.float32), np.asarray(path, np.float32)[None, None], spread.astype(np.float32))


def decoded(path, speed, yaw=0.0, kind=1, box_yaw=None, grid=None, **spread):
    row = (kind, 10.0, 20.0, yaw if box_yaw is None else box_yaw, speed)
    agents = agents_now(scene(tracks([row], covariance=np.zeros((1, 2, 2)))), Vehicle())
    said, frames = answer(path, **spread), Frames(np.array([[10.0, 20.0]]), np.array([yaw]), np.array([speed]))
    modes, covariance = learned_modes(said, agents, frames, SCHEMA, grid or Grid(), Plausible())
    return {name: array[0, 0] for name, array in vars(modes).items()} | {"covariance": covariance[0, 0]}


def straight(speed):
    return np.stack([speed * KNOTS_S, np.zeros_like(KNOTS_S)], axis=1)


def test_constant_speed_is_a_straight_line_in_the_map():
    # Frame at (10, 20), x along +y: after 1 s at 8 m/s it is 8 m further up.
    got = decoded(straight(8.0), 8.0, yaw=np.pi / 2)
    assert got["position"][0] == pytest.approx([10.0, 20.0])
    assert got["position"][10] == pytest.approx([10.0, 28.0], abs=1e-5)
    assert got["position"][37] == pytest.approx([10.0, 20.0 + 3.7 * 8.0], abs=1e-5)
    assert got["speed"] == pytest.approx(np.full(61, 8.0), abs=1e-4)
    assert got["yaw"] == pytest.approx(np.full(61, np.pi / 2), abs=1e-6)
    assert got["intent"] == Intent.KEEP_LANE


def test_beyond_the_last_knot_the_velocity_goes_on():
    seconds = KNOTS_S[-1] + 2.0
    got = decoded(straight(5.0), 5.0, grid=Grid(0.1, round(seconds / 0.1) + 1))
    assert got["position"][-1] == pytest.approx([10.0 + 5.0 * seconds, 20.0], abs=1e-4)
    assert (np.diff(np.trace(got["covariance"], axis1=1, axis2=2)) >= 0.0).all()


def test_who_stops_does_not_swing_back():
    # 6 m/s until the first knot, then at rest there.
    path = np.zeros((len(KNOTS_S), 2))
    path[:, 0] = 6.0 * KNOTS_S[0]
    got = decoded(path, 6.0)
    assert (np.diff(got["position"][:, 0]) >= -1e-9).all()
    assert got["position"][-1] == pytest.approx([10.0 + 6.0 * KNOTS_S[0], 20.0], abs=1e-6)
    assert got["speed"][-1] == pytest.approx(0.0, abs=1e-9) and got["intent"] == Intent.STOP


def test_who_stands_does_not_spin():
    jitter = 0.03 * np.random.default_rng(0).normal(size=(len(KNOTS_S), 2))
    got = decoded(jitter, 0.0, yaw=0.4)
    # 0.25 / m times the 0.1 m or so that it wanders every knot, over all knots within 6 s.
    moved = np.hypot(*np.diff(got["position"], axis=0).T).sum()
    assert np.abs(got["yaw"] - 0.4).max() <= 0.25 * moved + 1e-9 < 0.5


def test_yaw_follows_the_curve():
    # Left on a circle of 20 m at 5 m/s: after t it has turned by 5 t / 20.
    angle = 5.0 * KNOTS_S / 20.0
    got = decoded(np.stack([20.0 * np.sin(angle), 20.0 - 20.0 * np.cos(angle)], axis=1), 5.0)
    assert got["yaw"][40] == pytest.approx(1.0, abs=0.03)
    assert got["yaw"][-1] > 0.79 and got["intent"] == Intent.TURN_LEFT
    assert got["speed"][1:] == pytest.approx(np.full(60, 5.0), abs=0.1)


def test_a_pedestrian_is_free_and_reversing_keeps_the_box():
    assert decoded(straight(1.4), 1.4, kind=7)["intent"] == Intent.FREE
    # The box looks along -x, the motion goes along +x: it reverses at -2 m/s and its box does not turn round.
    agents_yaw = decoded(straight(2.0), 2.0, yaw=0.0, box_yaw=np.pi)
    assert np.cos(agents_yaw["yaw"] - np.pi) == pytest.approx(np.ones(61))


def test_covariance_lies_along_the_motion():
    # Moving up (+y): 2 m along is the variance of y, 0.5 m across that of x; at knots after the first exactly so.
    got = decoded(straight(8.0), 8.0, yaw=np.pi / 2, log_along=math.log(2.0), log_across=math.log(0.5))
    step = round(KNOTS_S[0] / 0.1)
    assert got["covariance"][step] == pytest.approx(np.diag([0.25, 4.0]), abs=1e-6)
    # Now: the floor of 0.1 m.
    assert got["covariance"][0] == pytest.approx(np.diag([0.01, 0.01]), abs=1e-9)


def test_correlation_turns_with_the_motion():
    # Correlation 0.5 of along and across, along x: cov_xy = 0.5 x 2 x 0.5.
    got = decoded(straight(8.0), 8.0, log_along=math.log(2.0), log_across=math.log(0.5), correlation=math.atanh(0.5))
    step = round(KNOTS_S[0] / 0.1)
    assert got["covariance"][step] == pytest.approx(np.array([[4.0, 0.5], [0.5, 0.25]]), abs=1e-5)
    assert (np.linalg.eigvalsh(got["covariance"]) > 0.0).all()


@pytest.mark.parametrize("spoil", ["nan", "far", "sum", "negative", "narrow", "wide", "infinite spread"])
def test_what_cannot_be_used_is_told_by_agent(spoil):
    speed = np.full(2, 8.0)
    one = answer(straight(8.0))
    good = Answer(*(np.concatenate([part, part]) for part in vars(one).values()))
    assert usable(good, speed, SCHEMA, Plausible())[0].tolist() == [True, True]
    parts = {name: array.copy() for name, array in vars(good).items()}
    if spoil == "nan":
        parts["position"][1, 0, -1, 1] = np.nan
    elif spoil == "far":
        # At the first knot t: 2 + 5 t^2 m off constant velocity can be reached, no more.
        parts["position"][1, 0, 0, 1] = 2.1 + 5.0 * KNOTS_S[0] ** 2
    elif spoil in ("sum", "negative"):
        parts["probability"][1] = 0.9 if spoil == "sum" else -1.0
    else:
        parts["spread"][1, 0, 0, 0] = {"narrow": -20.0, "wide": 20.0}.get(spoil, np.inf)
    assert usable(Answer(**parts), speed, SCHEMA, Plausible())[0].tolist() == [True, False]


def test_a_mode_that_cannot_be_reached_is_left_out():
    # Two modes of 0.7 and 0.3; the second jumps aside by 50 m at the first knot.
    one = answer(straight(8.0))
    position, spread = (np.repeat(part, 2, axis=1) for part in (one.position, one.spread))
    position[0, 1, 0, 1] = 50.0
    said, speed = Answer(np.array([[0.7, 0.3]], np.float32), position, spread), np.full(1, 8.0)
    good, kept = usable(said, speed, SCHEMA, Plausible())
    assert good.tolist() == [True] and kept.probability == pytest.approx(np.array([[0.7, 0.0]]))
    # What is left must be as likely as not.
    few = replace(said, probability=np.array([[0.4, 0.6]], np.float32))
    assert usable(few, speed, SCHEMA, Plausible())[0].tolist() == [False]

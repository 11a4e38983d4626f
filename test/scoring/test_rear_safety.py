"""Who comes from behind. The ego's rear end is at 49.1 m, a car's front 2.25 m ahead of its centre."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, Tracks


def found(bench, agents, *drives, spoil=None):
    predictions = bench.predictions(*agents)
    if spoil is not None:
        spoil(predictions)
    terms = bench.scorer("rear_safety").score(bench.scene(), predictions, bench.candidates(*drives))
    return terms.raw, terms.score


def test_nobody_behind(bench):
    raw, score = found(bench, [], bench.drive())
    assert (raw[0], score[0]) == (8.0, 1.0)


def test_a_faster_one_in_the_lane(bench):
    # 49.1 - 32.25 = 16.85 m at 20 - 10 m/s: 2 m are left in the step at 1.5 s, nothing in that at 1.7 s. It would go on
    # so, and is predicted to: the lesser of (1.5 - 1) / (4 - 1) and (1.7 - 1) / (8 - 1). At 14 m/s it closes at 6 m/s:
    # in the steps at 2.5 s and 2.9 s.
    raw, score = found(bench, [bench.Agent((30.0, 0.0), 20.0)], bench.drive(10.0), bench.drive(14.0))
    assert raw == pytest.approx([1.5, 2.5])
    assert score == pytest.approx([0.1, 1.9 / 7.0])


def test_one_who_is_predicted_to_brake(bench):
    # As above, but its predicted place stays where it is now: it is only run into if it does not react.
    def brakes(predictions):
        predictions.position[...] = [30.0, 0.0]

    raw, score = found(bench, [bench.Agent((30.0, 0.0), 20.0)], bench.drive(10.0), spoil=brakes)
    assert raw == pytest.approx([1.5]) and score == pytest.approx([0.5 / 3.0])


@pytest.mark.parametrize(
    ("acceleration", "raw", "score"), [(4.0, 2.9, 1.9 / 3.0), (-4.0, 8.0, 1.0), (np.nan, 8.0, 1.0)]
)
def test_one_who_speeds_up(bench, acceleration, raw, score):
    # All but 2 of 16.85 m at 12 - 10 m/s: after 7.4 s, too late to count. Speeding up by 4 m/s^2 for 1 s it closes
    # 2 + 2 m, and then at 6 m/s: 10.85 / 6 = 1.81 s more, in the step at 2.9 s. One who brakes goes on at its speed.
    predictions = bench.predictions(bench.Agent((30.0, 0.0), 12.0))
    one = {name: np.zeros(1) for name in ("yaw", "yaw_rate", "length", "width", "existence")}
    tracks = Tracks(
        0, predictions.id, kind=np.zeros(1, np.int64), position=np.array([[30.0, 0.0]]),
        velocity=np.array([[12.0, 0.0]]), acceleration=np.array([[acceleration, 0.0]]), covariance=np.zeros((1, 2, 2)),
        **one,
    )  # fmt: skip
    scene = replace(bench.scene(), tracks=tracks)
    found = bench.scorer("rear_safety").score(scene, predictions, bench.candidates(bench.drive()))
    assert found.raw[0] == pytest.approx(raw) and found.score[0] == pytest.approx(score)


def test_one_who_is_near_already(bench):
    # 1 m behind, at 10.4 - 10 m/s: half of that is left after 1.25 s, in the step at 1.3 s.
    raw, score = found(bench, [bench.Agent((45.85, 0.0), 10.4)], bench.drive())
    assert raw == pytest.approx([1.3]) and score == pytest.approx([0.1])


def test_one_in_the_lane_that_is_changed_into(bench):
    # At 3 m to the left it passes an ego that keeps its lane: 0.925 + 0.1 + 0.9 = 1.925 m are enough. Changing by
    # 3.5 m, the ego's offset exceeds 3 - 1.925 = 1.075 m from u = 0.364 on (3.5 (3 u^2 - 2 u^3) = 1.054), 2.2 s.
    follower = bench.Agent((30.0, 3.0), 20.0)
    raw, _ = found(bench, [follower], bench.drive(10.0), bench.drive(10.0, d_end=3.5))
    assert raw[0] == 8.0 and raw[1] == pytest.approx(2.3, abs=0.11)


@pytest.mark.parametrize(
    "agent",
    [
        ((70.0, 0.0), 0.0, 0.0, AgentClass.CAR),  # ahead
        ((-15.0, 0.0), 30.0, 0.0, AgentClass.CAR),  # its front 61.85 m behind: more than 60 m
        ((40.0, -6.0), 12.0, np.pi / 2, AgentClass.CAR),  # crosses behind
        ((30.0, 0.0), 20.0, 0.0, AgentClass.UNDER_DRIVABLE),
    ],
)
def test_no_followers(bench, agent):
    position, speed, yaw, kind = agent
    made = bench.Agent(position, speed, yaw)

    def of_kind(predictions):
        predictions.kind[:] = int(kind)
        if position[0] < 0.0:
            predictions.position[...] = position  # how it goes on, not how it is predicted to

    assert found(bench, [made], bench.drive(10.0), spoil=of_kind)[0][0] == 8.0


def test_without_a_usable_future_the_score_is_zero(bench):
    def unknown(predictions):
        predictions.position[:] = np.nan

    raw, score = found(bench, [bench.Agent((30.0, 0.0), 20.0)], bench.drive(10.0), spoil=unknown)
    assert np.isnan(raw[0]) and score[0] == 0.0

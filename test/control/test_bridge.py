"""The ladder: each rung's entry and exit, with the time it takes."""

from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.control.bridge import BridgeState, Ladder, Seen, plan_age_s, receive, step
from behaviors_ros.control.feedback import ControllerReport, ControllerWatch, reported
from behaviors_ros.control.stop import BridgeStop, own_stop
from behaviors_ros.control.validation import Limits
from behaviors_ros.datatypes import AgentClass, Degraded, EgoState, Mode, Outcome, Plan, Predictions, Trajectory
from behaviors_ros.parameters import Vehicle

VEHICLE, LIMITS, LADDER = Vehicle(), Limits(), Ladder()
TIME = np.arange(41) * 0.1
MS = 1_000_000
SPEED = 10.0
START_NS = 1_000 * MS


def driving(stamp_ns):
    """The vehicle on its way along x at 10 m/s."""
    return EgoState(stamp_ns, np.array([SPEED * (stamp_ns - START_NS) * 1e-9, 0.0]), 0.0, SPEED)


def plan(plan_id, stamp_ns, **changes):
    """Go on at 10 m/s, with a comfortable stop."""
    ego, zeros = driving(stamp_ns), np.zeros(41)
    position = ego.position + np.stack([SPEED * TIME, zeros], axis=1)
    go = Trajectory(stamp_ns, TIME, position, zeros, zeros + SPEED, zeros, zeros)
    stop = own_stop(ego, VEHICLE, BridgeStop(deceleration_mps2=2.0))
    good = Plan(stamp_ns, plan_id, go, stop, stamp_ns + 500 * MS, 0, 1, "g", "go", Outcome.SELECTED, "best")
    return replace(good, **changes)


def nobody(stamp_ns):
    """Predictions of an empty road."""
    none, flat = np.zeros(0, int), np.zeros((0, 1))
    along = np.zeros((0, 1, 41))
    return Predictions(
        stamp_ns, TIME, (), none, np.zeros(0), np.zeros(0), flat.astype(bool), flat, flat.astype(int),
        np.zeros((0, 1, 41, 2)), along, along, np.zeros((0, 1, 41, 2, 2)),
    )  # fmt: skip


class Bench:
    """The bridge with a clock: plans every 100 ms that arrive 40 ms after their stamp, steps every 20 ms."""

    def __init__(self, ladder=LADDER):
        self.state, self.now, self.number, self.ladder = BridgeState(), START_NS, 0, ladder
        self.handed, self.latest, self.odometry, self.predicted = None, None, driving, nobody
        self.engaged, self.controller, self.heard_ns = True, ControllerWatch(), {}

    @property
    def seen(self):
        """What the bridge sees now."""
        predicted = self.predicted(self.now - 40 * MS)
        return Seen(self.now, self.odometry(self.now), predicted, self.engaged, self.controller, self.heard_ns)

    def plan(self, **changes):
        """A plan arrives now."""
        self.number += 1
        self.latest = plan(self.number, self.now - 40 * MS, **changes)
        self.state = receive(self.state, self.latest, self.seen, self.ladder, VEHICLE, LIMITS)
        self.step()

    def step(self):
        """The timer fires."""
        self.state, self.handed = step(self.state, self.seen, self.ladder, VEHICLE, LIMITS)

    def pass_by(self, ms, **changes):
        """Time goes on; with changes given, plans keep arriving."""
        for _ in range(ms // 20):
            self.now += 20 * MS
            if changes.pop("plans", True) and (self.now - START_NS) % (100 * MS) == 0 and not changes.get("silent"):
                self.plan(**{key: value for key, value in changes.items() if key != "silent"})
            else:
                self.step()

    def report(self, found):
        """The controller reports now."""
        self.controller = reported(self.controller, found, self.now)

    @property
    def mode(self):
        """Rung."""
        return self.state.mode


@pytest.fixture
def bench():
    """A bridge in nominal operation."""
    found = Bench()
    found.pass_by(500)
    assert found.mode is Mode.NOMINAL
    return found


def test_standby_hands_on_nothing():
    bench = Bench()
    bench.step()
    assert bench.mode is Mode.STANDBY and bench.handed is None and np.isnan(plan_age_s(bench.state, bench.now))


def test_standby_without_odometry():
    bench = Bench()
    bench.odometry = lambda now: None
    bench.plan()
    assert bench.mode is Mode.STANDBY and bench.state.rejected == 1 and "odometry" in bench.state.rejection


def test_nominal_hands_on_the_selected_trajectory(bench):
    assert bench.handed is bench.latest.trajectory
    assert plan_age_s(bench.state, bench.now) == pytest.approx(0.04)


def test_silence_ends_in_the_standing_stop_within_200_ms(bench):
    last = bench.now
    while bench.mode is Mode.NOMINAL:
        bench.pass_by(20, silent=True)
    assert bench.mode is Mode.COMFORT_STOP
    assert bench.handed is bench.latest.stop
    assert bench.now - last <= 180 * MS  # 175 ms of silence, rounded up to the next step of 20 ms
    assert "no accepted plan" in bench.state.reason


@pytest.mark.parametrize("stage", ["predictions", "candidates"])
def test_a_stage_that_ends_ends_in_the_standing_stop_although_a_last_plan_came(bench, stage):
    bench.heard_ns = {"predictions": bench.now, "candidates": bench.now}
    bench.pass_by(100)
    bench.heard_ns = {**dict.fromkeys(bench.heard_ns, bench.now), stage: bench.heard_ns[stage]}
    assert bench.mode is Mode.NOMINAL and bench.state.arrived_ns == bench.now
    bench.pass_by(80)
    assert bench.mode is Mode.COMFORT_STOP and bench.state.reason == f"no {stage} for 0.18 s"
    for _ in range(4):
        bench.heard_ns = dict.fromkeys(bench.heard_ns, bench.now)
        bench.pass_by(100)
    assert bench.mode is Mode.NOMINAL


def test_comfort_stop_ends_after_two_plans(bench):
    bench.pass_by(200, silent=True)
    bench.pass_by(100)
    assert bench.mode is Mode.COMFORT_STOP and bench.state.streak == 1
    assert bench.handed is bench.latest.stop
    bench.pass_by(100)
    assert bench.mode is Mode.COMFORT_STOP and "0.2 of 0.3 s" in bench.state.reason
    bench.pass_by(80)
    # Back on the trajectory; two periods were missed lately, so it is called slow for a second.
    assert bench.mode is Mode.DEGRADED and bench.handed is bench.latest.trajectory
    bench.pass_by(1100)
    assert bench.mode is Mode.NOMINAL


def test_missed_cycles_are_counted(bench):
    before = bench.state.missed
    bench.pass_by(300, silent=True)
    bench.pass_by(100)
    # Plans at 500 and 900 ms: three periods without one.
    assert bench.state.missed == before + 3


def test_off_the_stop_the_bridge_stops_by_itself(bench):
    bench.odometry = lambda now: replace(driving(now), position=driving(now).position + [0.0, 1.5])
    bench.step()
    assert bench.mode is Mode.EMERGENCY_STOP
    assert "left the trajectory" in bench.state.reason and "standing stop" in bench.state.reason
    assert bench.handed is bench.state.stop and bench.handed.position[0, 1] == 1.5


def test_own_stop_is_kept_while_the_vehicle_follows_it(bench):
    bench.odometry = lambda now: replace(driving(now), position=driving(now).position + [0.0, 1.5])
    bench.step()
    first = bench.handed
    bench.odometry = lambda now: replace(
        driving(now), position=first.position[0] + [SPEED * 0.02, 0.0], speed=SPEED - 0.01, stamp_ns=now
    )
    bench.now += 20 * MS
    bench.step()
    assert bench.handed is first


def test_emergency_stop_ends_after_five_plans(bench):
    bench.odometry = lambda now: replace(driving(now), position=driving(now).position + [0.0, 1.5])
    bench.step()
    bench.odometry = driving
    modes = []
    for _ in range(5):
        bench.pass_by(100)
        modes.append(bench.mode)
    assert modes == [Mode.EMERGENCY_STOP] * 5 and "1.0 s" in bench.state.reason
    bench.pass_by(500)
    assert bench.mode is Mode.NOMINAL


def test_a_refused_trajectory_is_never_handed_on(bench):
    good = bench.latest
    wild = replace(good.trajectory, curvature=np.full(41, 0.2))
    while bench.mode is Mode.NOMINAL:
        bench.pass_by(20, trajectory=wild)
        assert bench.handed is not wild
    assert (
        bench.mode is Mode.COMFORT_STOP
        and bench.state.rejected >= 1
        and "lateral acceleration" in bench.state.rejection
    )
    assert bench.state.plan is good


def test_old_and_future_and_repeated_plans(bench):
    state = bench.state

    def after(stamp_ns):
        return receive(state, plan(99, stamp_ns), bench.seen, LADDER, VEHICLE, LIMITS)

    assert "not newer" in after(state.plan.stamp_ns - 1).rejection
    assert "ahead of the clock" in after(bench.now + 200 * MS).rejection
    assert after(state.plan.stamp_ns) is state


def test_clock_that_goes_back_is_followed(bench):
    bench.now = START_NS - 10_000 * MS
    bench.step()
    assert bench.mode >= Mode.COMFORT_STOP and "the clock went back by 10" in bench.state.reason
    bench.plan()
    assert bench.state.plan is bench.latest
    bench.pass_by(1200)
    assert bench.mode is Mode.NOMINAL


def test_validity_ends_the_trajectory(bench):
    bench.now += 80 * MS
    bench.state = replace(bench.state, plan=replace(bench.state.plan, valid_until_ns=bench.now - 1))
    bench.step()
    assert bench.mode is Mode.COMFORT_STOP and "validity" in bench.state.reason


def test_blind_vehicle_takes_the_standing_stop(bench):
    last = driving(bench.now)
    bench.odometry = lambda now: last
    bench.pass_by(240)
    assert bench.mode is Mode.EMERGENCY_STOP and "odometry" in bench.state.reason
    assert bench.handed.speed[-1] == 0.0


def test_degraded_and_back_with_hysteresis(bench):
    bench.pass_by(100, degraded=Degraded.NO_SIGNALS)
    assert bench.mode is Mode.DEGRADED and bench.state.reason == "no signals"
    assert bench.handed is bench.latest.trajectory
    bench.pass_by(900)
    assert bench.mode is Mode.DEGRADED
    bench.pass_by(300)
    assert bench.mode is Mode.NOMINAL


def test_nothing_clear_hands_on_the_stop_of_least_harm(bench):
    bench.now += 100 * MS
    stop = own_stop(driving(bench.now - 40 * MS), VEHICLE, BridgeStop(deceleration_mps2=6.0))
    bench.plan(outcome=Outcome.EMERGENCY, trajectory=stop, reason="nothing is clear")
    assert bench.mode is Mode.EMERGENCY_STOP and bench.handed is stop and bench.state.reason == "nothing is clear"


def test_least_harm_must_be_a_stop(bench):
    bench.now += 100 * MS
    bench.plan(outcome=Outcome.EMERGENCY)
    assert bench.state.rejected == 1 and "not a stop" in bench.state.rejection


def test_standing_after_the_stop_stays_a_comfortable_stop(bench):
    bench.pass_by(200, silent=True)
    stop, end = bench.latest.stop, bench.latest.stop.position[-1]
    bench.now = bench.latest.stamp_ns + round(stop.time_s[-1] * 1e9) + 500 * MS
    bench.odometry = lambda now: EgoState(now, end, 0.0, 0.0)
    bench.step()
    assert bench.mode is Mode.COMFORT_STOP
    np.testing.assert_allclose(bench.handed.speed, 0.0)


def test_a_flapping_stack_drives_on_from_standstill_only(bench):
    for _ in range(3):
        bench.pass_by(200, silent=True)
        bench.pass_by(800)
    assert bench.mode is Mode.COMFORT_STOP and "from standstill only" in bench.state.reason
    moving = bench.odometry
    bench.odometry = lambda now: replace(moving(now), speed=0.0)
    standing = replace(bench.latest.trajectory, speed=np.zeros(41), position=np.zeros((41, 2)))
    bench.now += 20 * MS
    bench.state = replace(bench.state, streak=2, plan=replace(bench.latest, trajectory=replace(
        standing, position=standing.position + moving(bench.now).position)))  # fmt: skip
    bench.step()
    assert bench.mode in (Mode.NOMINAL, Mode.DEGRADED)


def test_without_predictions_no_plan_is_accepted(bench):
    bench.predicted = lambda stamp: None
    bench.pass_by(300)
    assert bench.mode is Mode.COMFORT_STOP and "no predictions" in bench.state.reason
    bench.predicted = lambda stamp: nobody(stamp - 400 * MS)
    bench.pass_by(200)
    assert "0.40 s away" in bench.state.rejection


def test_a_plan_that_jumps_away_from_the_vehicle_is_refused(bench):
    """0.6 m to the left of what is followed, on which the vehicle is; towards the vehicle it may jump."""
    bench.now += 100 * MS
    good = plan(99, bench.now - 40 * MS).trajectory
    aside = replace(good, position=good.position + [0.0, 0.6])
    bench.plan(trajectory=aside)
    assert bench.state.refused and "jumps by 0.60 m" in bench.state.rejection
    bench.now += 20 * MS
    bench.odometry = lambda now: replace(driving(now), position=driving(now).position + [0.0, 0.5])
    good = plan(99, bench.now - 40 * MS).trajectory
    bench.plan(trajectory=replace(good, position=good.position + [0.0, 0.6]))
    assert not bench.state.refused


def test_a_driver_takes_over_and_hands_back(bench):
    """The plan is shown while it fits; a driver who leaves it is no stop, and engaging finds a plan that fits."""
    bench.engaged = False
    bench.pass_by(100)
    assert bench.mode is Mode.STANDBY and bench.state.reason == "a driver drives"
    assert bench.handed is bench.latest.trajectory
    bench.odometry = lambda now: replace(driving(now), position=driving(now).position + [0.0, 1.5])
    bench.pass_by(200)
    assert bench.mode is Mode.STANDBY and bench.handed is None
    bench.odometry = driving
    bench.pass_by(100)
    bench.engaged = True
    bench.pass_by(100)
    assert bench.mode is Mode.NOMINAL and bench.handed is bench.latest.trajectory


def test_a_controller_that_does_not_follow_is_a_cause_to_stop(bench):
    following = ControllerReport(bench.now, True, lateral_m=0.1)
    bench.report(following)
    bench.pass_by(100)
    assert bench.mode is Mode.NOMINAL
    bench.report(replace(following, lateral_m=-0.9))
    bench.pass_by(100)
    assert bench.mode is Mode.COMFORT_STOP and "lateral error -0.90 m" in bench.state.reason
    bench.report(replace(following, tracking=False, fault=True, reason="no steering"))
    bench.pass_by(100)
    assert "no steering" in bench.state.reason


def reporting(bench, ms, **changes):
    """Time goes on, and the controller reports with each step."""
    for _ in range(ms // 20):
        bench.report(ControllerReport(bench.now, **changes))
        bench.pass_by(20)


def test_a_controller_that_stops_by_itself_is_given_a_moment(bench):
    reporting(bench, 300, tracking=False, reason="no trajectory for 0.51 s")
    assert bench.mode is Mode.NOMINAL
    reporting(bench, 40, tracking=False, reason="no trajectory for 0.83 s")
    assert bench.mode is Mode.COMFORT_STOP and "stops by itself: no trajectory" in bench.state.reason
    reporting(bench, 1000, tracking=False)
    assert bench.mode is Mode.COMFORT_STOP and bench.handed is bench.latest.stop
    reporting(bench, 200, tracking=True)
    assert bench.mode is Mode.NOMINAL


def test_a_controller_that_had_nothing_to_follow_is_not_blamed_for_it():
    bench = Bench()
    for _ in range(50):
        bench.now += 20 * MS
        bench.report(ControllerReport(bench.now, False, "no trajectory yet"))
        bench.step()
    reporting(bench, 300, tracking=False)
    assert bench.mode is Mode.NOMINAL


def test_a_vehicle_that_goes_faster_by_itself_is_stopped_and_goes_on_when_it_follows(bench):
    bench.pass_by(1000)
    begun = bench.now

    def faster(now):
        gained = max(now - begun, 0) * 1e-9
        return replace(driving(now), speed=SPEED + 1.5 * gained, acceleration=1.5)

    bench.odometry = faster
    bench.pass_by(500)
    assert bench.mode is Mode.NOMINAL
    bench.pass_by(220)
    assert bench.mode is Mode.COMFORT_STOP and "gained" in bench.state.reason
    bench.odometry = driving
    bench.pass_by(2000)
    assert bench.mode is Mode.NOMINAL


def car_at(x):
    """Predictions of a car that stands at x."""

    def predicted(stamp_ns):
        shape = (1, 1, 41)
        return Predictions(
            stamp_ns, TIME, ("0" * 32,), np.array([int(AgentClass.CAR)]), np.array([4.5]), np.array([2.0]),
            np.ones((1, 1), bool), np.ones((1, 1)), np.ones((1, 1), int), np.zeros((*shape, 2)) + [x, 0.0],
            np.zeros(shape), np.zeros(shape), np.zeros((*shape, 2, 2)) + 0.01 * np.eye(2),
        )  # fmt: skip

    return predicted


def on(trajectory):
    """The vehicle where a trajectory along x has it."""

    def odometry(now):
        time_s = (now - trajectory.stamp_ns) * 1e-9
        columns = (trajectory.position[:, 0], trajectory.speed, trajectory.acceleration)
        x, speed, acceleration = (float(np.interp(time_s, trajectory.time_s, column)) for column in columns)
        return EgoState(now, np.array([x, 0.0]), 0.0, speed, acceleration)

    return odometry


def test_a_standing_stop_that_would_hit_who_has_braked_since_gives_way_to_a_harder_one(bench):
    bench.odometry = on(bench.latest.stop)
    for _ in range(10):
        bench.now += 20 * MS
        bench.step()
    assert bench.mode is Mode.COMFORT_STOP and bench.handed is bench.latest.stop
    bench.predicted = car_at(driving(bench.now).position[0] + 22.0)
    bench.step()
    assert bench.mode is Mode.COMFORT_STOP
    while bench.mode is Mode.COMFORT_STOP:
        bench.now += 20 * MS
        bench.step()
    assert "collision" in bench.state.reason and bench.handed is bench.state.stop


def test_a_controller_that_falls_silent_is_dead(bench):
    bench.report(ControllerReport(bench.now, True))
    bench.pass_by(500)
    assert bench.mode is Mode.NOMINAL
    bench.pass_by(20)
    assert bench.mode is Mode.COMFORT_STOP and "silent for 0.52 s" in bench.state.reason


def test_a_controller_may_be_required():
    bench = Bench(Ladder(controller={"required": True}))
    bench.pass_by(300)
    assert bench.mode is Mode.COMFORT_STOP and "never been heard" in bench.state.reason


def test_blind_beyond_the_end_of_the_stop_it_stands_where_that_ends(bench):
    """No plans and no odometry: the standing stop takes 5.4 s; one from where the vehicle was seen would be behind."""
    last = driving(bench.now)
    bench.odometry = lambda now: last
    bench.pass_by(240, silent=True)
    stop = bench.handed
    bench.pass_by(12_000, silent=True)
    assert bench.handed is stop and bench.mode is Mode.EMERGENCY_STOP and "odometry" in bench.state.reason

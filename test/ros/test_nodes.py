"""Every node as a process of its own: what goes in, what comes out, what is refused, how it ends."""

import math
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
from harness import VEHICLE, Harness, Stages, stops_within
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rosgraph_msgs.msg import Clock

from behaviors_ros.datatypes import Mode
from behaviors_ros.ros import conversion, conversion_plan
from behaviors_ros.ros import conversion_stages as stages
from behaviors_ros.ros.faults.checker import is_stop


def test_prediction_names_its_inputs_and_survives_nonsense():
    with Harness("prediction") as harness:
        sent = []
        harness.until(lambda: harness.heard["predictions"], act=lambda: sent.append(harness.feed()))
        message = harness.heard["predictions"][-1]
        of = stages.cycle(message)
        assert of.inputs.odometry in [ego.stamp_ns for ego in sent] and of.inputs.route == 1
        predictions = stages.predictions(message)
        assert predictions.id == harness.scene.tracks.id and predictions.stamp_ns == of.inputs.odometry
        assert message.degraded & 1 and math.isfinite(message.times.prediction_s)
        _nonsense(harness)
        before = len(harness.heard["predictions"])
        harness.until(lambda: len(harness.heard["predictions"]) > before + 1, act=harness.feed)
        refused = {"tracks refused", "odometry refused", "tracks dropped: not finite"}
        harness.until(lambda: refused <= _counts(harness))
        started = time.monotonic()
        assert stops_within(harness.process) == 0
        assert time.monotonic() - started < 2.0


def _counts(harness):
    return {
        value.key for message in harness.heard["diagnostics"] for status in message.status for value in status.values
    }


def _nonsense(harness):
    """Messages that a node must live through."""
    now = time.time_ns()
    for spoil in ("size", "frame", "future", "nan", "old"):
        tracks = harness.tracks({"future": now + 10**10, "old": 5}.get(spoil, time.time_ns()))
        if spoil == "size":
            tracks.num = 4_000_000
        elif spoil == "frame":
            tracks.header.frame_id = "moon"
        elif spoil == "nan":
            tracks.x[0] = math.nan
        harness.send("tracks", tracks)
    odometry = conversion.odometry_message(harness.ego())
    odometry.pose.pose.position.x = math.nan
    harness.send("odometry", odometry)
    route = harness.route()
    route.goal_x = math.inf
    harness.send("route", route)
    route = harness.route()
    route.lane_id.append(5)
    harness.send("route", route)
    harness.spin(0.3)


def test_generation_works_on_the_named_scene():
    with Harness("trajectory_generation") as harness:
        harness.active()

        def act():
            ego = harness.feed()
            made = Stages(harness.scene_of(ego))
            harness.send("predictions", made.predictions)

        harness.until(lambda: harness.heard["candidates"], act=act, every_s=0.5)
        candidates = stages.candidates(harness.heard["candidates"][-1])
        assert len(candidates) > 3 and candidates.is_stop.any() and np.isfinite(candidates.position).all()


def test_scoring_selects():
    with Harness("trajectory_scoring") as harness:
        harness.active()
        made = []

        def act():
            ego = harness.feed()
            made.append(Stages(harness.scene_of(ego), len(made) + 1))
            harness.send("predictions", made[-1].predictions)
            harness.send("candidates", made[-1].candidates)

        harness.until(lambda: harness.heard["selected"] and harness.heard["scores"], act=act, every_s=0.5)
        plan = conversion_plan.plan(harness.heard["selected"][0])
        expected = next(stage.plan for stage in made if stage.plan.plan_id == plan.plan_id)
        # The node decides as the functions do.
        assert (plan.index, plan.stop_index, plan.label) == (expected.index, expected.stop_index, expected.label)
        np.testing.assert_array_equal(plan.trajectory.position, expected.trajectory.position)
        table = stages.scores(harness.heard["scores"][0])
        assert table.total.argmax() == plan.index or plan.outcome != 0


def test_scoring_waits_for_predictions_that_come_after_their_candidates():
    with Harness("trajectory_scoring") as harness:
        harness.active()
        made = []

        def act():
            ego = harness.feed()
            made.append(Stages(harness.scene_of(ego), len(made) + 1))
            harness.send("candidates", made[-1].candidates)
            time.sleep(0.1)
            harness.send("predictions", made[-1].predictions)

        harness.until(lambda: harness.heard["selected"], act=act, every_s=0.5)


def feed_plan(harness, made, ego):
    """A plan of the stamp of the vehicle, which is where the plan begins."""
    harness.send("odometry", conversion.odometry_message(ego))
    message = conversion_plan.plan_message(made.plan, made.cycle, VEHICLE)
    message.header.stamp = message.trajectory.header.stamp = message.stop.header.stamp = conversion.time_message(
        ego.stamp_ns
    )
    message.valid_until = conversion.time_message(ego.stamp_ns + 500_000_000)
    made.predictions.header.stamp = conversion.time_message(ego.stamp_ns)
    harness.send("predictions", made.predictions)
    harness.spin(0.02)
    harness.send("selected", message)


def test_a_bridge_that_stood_still_in_simulated_time_hands_on_nothing_that_waited_for_it():
    with Harness("controls_bridge", "-p", "use_sim_time:=true") as harness:
        clock = harness.node.create_publisher(Clock, "/clock", 10)
        stands = replace(harness.scene.ego, speed=0.0)
        made, now_ns = Stages(replace(harness.scene, ego=stands)), 1_000_000_000

        def act():
            """0.1 s of simulated time, as long in wall time."""
            nonlocal now_ns
            now_ns += 100_000_000
            clock.publish(Clock(clock=conversion.time_message(now_ns)))
            feed_plan(harness, made, replace(stands, stamp_ns=now_ns))
            harness.spin(0.08)

        def drives():
            """Stamps of the trajectories that are no stops."""
            return [conversion.nanoseconds(m.header.stamp) for m in harness.heard["trajectory"] if not is_stop(m)]

        harness.until(lambda: len(drives()) > 5, act=act, every_s=0.0)
        harness.process.send_signal(signal.SIGSTOP)
        for _ in range(15):
            act()
        before, thawed_ns = len(drives()), now_ns
        harness.process.send_signal(signal.SIGCONT)
        harness.until(lambda: len(drives()) > before + 3, act=act, every_s=0.0)
        assert min(drives()[before:]) >= thawed_ns - 200_000_000


def test_bridge_goes_down_to_the_stop_when_plans_end():
    with Harness("controls_bridge") as harness:
        harness.active()
        assert [m.mode for m in harness.heard["status"]] == [Mode.STANDBY] * len(harness.heard["status"])
        made = Stages(harness.scene)

        def act():
            feed_plan(harness, made, harness.ego())

        harness.until(
            lambda: any(m.mode == Mode.NOMINAL or m.mode == Mode.DEGRADED for m in harness.heard["status"]), act=act
        )
        harness.until(lambda: harness.heard["trajectory"] and harness.heard["path"], act=act)
        last = time.monotonic()
        odometry = lambda: harness.send("odometry", conversion.odometry_message(harness.ego()))  # noqa: E731
        stop = (Mode.COMFORT_STOP, Mode.EMERGENCY_STOP)
        harness.until(lambda: harness.heard["status"][-1].mode in stop, patience_s=5.0, every_s=0.02, act=odometry)
        # 150 ms of silence, a step of 20 ms; the rest is what this machine adds.
        assert time.monotonic() - last < 1.0
        harness.until(
            lambda: harness.heard["trajectory"][-1].points[-1].longitudinal_velocity_mps < 0.01,
            patience_s=5.0,
            act=odometry,
        )
        assert stops_within(harness.process, signal.SIGINT) == 0


def test_bridge_stops_when_candidates_end_although_plans_come():
    with Harness("controls_bridge") as harness:
        harness.active()
        made = Stages(harness.scene)
        act = lambda: feed_plan(harness, made, harness.ego())  # noqa: E731
        driving = (Mode.NOMINAL, Mode.DEGRADED)
        harness.until(lambda: any(m.mode in driving for m in harness.heard["status"]), act=act)
        harness.send("candidates", made.candidates)
        harness.until(lambda: "no candidates" in harness.heard["status"][-1].reason, patience_s=5.0, act=act)
        assert harness.heard["status"][-1].mode in (Mode.COMFORT_STOP, Mode.EMERGENCY_STOP)


def test_controller_commands():
    with Harness("tracking_controller") as harness:
        harness.active()
        made = Stages(harness.scene)

        def act():
            ego = harness.ego()
            harness.send("odometry", conversion.odometry_message(ego))
            message = conversion_plan.trajectory_message(made.plan.trajectory, VEHICLE)
            message.header.stamp = conversion.time_message(ego.stamp_ns)
            harness.send("trajectory", message)

        harness.until(lambda: len(harness.heard["control_command"]) > 5, act=act)
        command = conversion_plan.command(harness.heard["control_command"][-1])
        assert abs(command.steering) <= VEHICLE.steering_max_rad and math.isfinite(command.acceleration)


def test_simulator_waits_then_drives():
    with Harness("loopback_simulator") as harness:
        harness.until(lambda: harness.heard["tracks"] and harness.heard["route"] and harness.heard["/clock"])
        stamps = {conversion.nanoseconds(message.clock) for message in harness.heard["/clock"]}
        # Time all but stands still: a microsecond from word to word, so that each begins a cycle.
        assert all(0 <= stamp - 1_000_000_000 < 1_000_000 for stamp in stamps)
        made = Stages(harness.scene)
        answer = conversion_plan.trajectory_message(made.plan.trajectory, VEHICLE)
        harness.until(lambda: len(harness.heard["/clock"]) > 40, act=lambda: harness.send("trajectory", answer))
        times = [conversion.nanoseconds(message.clock) for message in harness.heard["/clock"]]
        assert times == sorted(times) and times[-1] > 1_200_000_000
        assert stops_within(harness.process) == 0


def test_visualisation_draws():
    with Harness("visualisation") as harness:
        harness.active()
        made = Stages(harness.scene)

        def act():
            ego = harness.ego()
            harness.send("odometry", conversion.odometry_message(ego))
            harness.send("tracks", harness.tracks(ego.stamp_ns))
            for topic in ("predictions", "candidates", "selected"):
                harness.send(topic, getattr(made, topic))
            harness.send("scores", stages.scores_message(made.scores, made.offered, made.plan, made.cycle))

        wanted = {"ego", "tracks", "predictions", "uncertainty", "candidates", "selected", "stop", "reason"}
        harness.until(
            lambda: harness.heard["markers"] and wanted <= {m.ns for m in harness.heard["markers"][-1].markers}, act=act
        )


def test_lifecycle_without_autostart():
    with Harness("controls_bridge", "-p", "autostart:=false") as harness:
        state = harness.node.create_client(GetState, "controls_bridge/get_state")
        change = harness.node.create_client(ChangeState, "controls_bridge/change_state")

        def call(client, request):
            answer = client.call_async(request)
            harness.until(answer.done)
            return answer.result()

        harness.until(lambda: state.service_is_ready() and change.service_is_ready())
        assert call(state, GetState.Request()).current_state.id == State.PRIMARY_STATE_UNCONFIGURED
        for step, reached in (
            (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
            (Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED),
            (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
        ):
            assert call(change, ChangeState.Request(transition=Transition(id=step))).success
            assert call(state, GetState.Request()).current_state.id == reached


@pytest.mark.parametrize(
    ("argument", "named"),
    [("vehicle.wheel_base_m:=99.0", "wheel_base_m"), ("ladder.recover_plans:=many", "recover_plans")],
)
def test_bad_parameter_is_one_line_and_exit_code_2(argument, named):
    with Harness("controls_bridge", "-p", argument) as harness:
        assert harness.process.wait(60) == 2
        output = harness.process.stdout.read()
        assert named in output and "Traceback" not in output

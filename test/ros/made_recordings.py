"""Small recorded drives made by hand, and how the tests of commands run a command."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from behaviors_ros.datatypes import AgentClass, EgoState, Goal, Tracks
from behaviors_ros.ros.cli import main
from behaviors_ros.ros.conversion import odometry_message, route_message, tracks_message
from behaviors_ros.ros.environment import environment
from behaviors_ros.simulation.recordings.recording import Recording

NS = 1_000_000_000
START_NS = 100 * NS
LINE = np.column_stack((np.arange(-10.0, 151.0), np.zeros(161)))


def ego(time_s, start_ns=START_NS):
    """At 8 m/s along the x axis."""
    return EgoState(start_ns + round(time_s * NS), np.array([8.0 * time_s, 0.0]), 0.0, 8.0)


def tracks(time_s, start_ns=START_NS):
    """A car 30 m ahead at 6 m/s, and a pedestrian who stands beside the road."""
    return Tracks(
        start_ns + round(time_s * NS), (f"{1:032x}", f"{2:032x}"),
        np.array([int(AgentClass.CAR), int(AgentClass.PEDESTRIAN)]),
        np.array([[30.0 + 6.0 * time_s, 0.0], [60.0, 5.0]]), np.zeros(2), np.array([[6.0, 0.0], [0.0, 0.0]]),
        np.zeros((2, 2)), np.zeros(2), np.array([4.5, 0.6]), np.array([1.9, 0.6]), np.tile(np.eye(2) * 0.01, (2, 1, 1)),
        np.ones(2),
    )  # fmt: skip


def recording(seconds=3.0, start_ns=START_NS):
    """The drive: vehicle states at 50 Hz, tracks at 10 Hz, along a centre line, without a map."""
    states = tuple(ego(0.02 * i, start_ns) for i in range(round(seconds * 50) + 1))
    seen = tuple(tracks(0.1 * i, start_ns) for i in range(round(seconds * 10) + 1))
    return Recording("made", "made for a test", states, seen, Goal(np.array([140.0, 0.0])), centre_line=LINE)


def messages(seconds=1.0):
    """The drive as (topic, message, stamp in ns), the route first, tracks after the vehicle state of their time."""
    drive = recording(seconds)
    route = route_message(START_NS, (), drive.goal, LINE, 13.9, 1.75)
    found = [("/behaviors/odometry", odometry_message(e), e.stamp_ns) for e in drive.ego]
    found += [("/behaviors/tracks", tracks_message(t), t.stamp_ns) for t in drive.tracks]
    return [("/behaviors/route", route, START_NS), *sorted(found, key=lambda f: (f[2], f[0]))]


def behaviors(*arguments, cwd=None, timeout_s=100.0, **more):
    """Run `behaviors` as a process; its result, with text."""
    return subprocess.run(
        [sys.executable, "-m", "behaviors_ros.ros.cli", *map(str, arguments)],
        env=command_environment(), cwd=cwd, capture_output=True, text=True, timeout=timeout_s, **more,
    )  # fmt: skip


def command_environment():
    """This environment, on a wide terminal, and with the package found from any folder."""
    path = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH", ""))))
    return environment() | {"COLUMNS": "200", "PYTHONPATH": path}


def here(capfd, *arguments):
    """Run `behaviors` in this process, for what ends before a node is made; as `behaviors` gives it."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return subprocess.CompletedProcess(arguments, ended.value.code, out, err)


def refused(result, *words):
    """Whether a command ended as wrong use does: exit code 2, one line that says what is wrong, no traceback."""
    said = result.stderr.strip().splitlines()
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert len(said) == 1 and said[0].startswith("behaviors: "), result.stderr
    assert all(word in said[0] for word in words), said[0]
    return True


def interrupted(process, after_s=0.0, which=signal.SIGINT, patience_s=20.0):
    """Send a signal to a process and wait for it: its exit code and what it printed."""
    time.sleep(after_s)
    process.send_signal(which)
    out, err = process.communicate(timeout=patience_s)
    return process.returncode, out, err

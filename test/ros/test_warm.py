"""Warming up leaves nothing to compile for a cycle."""

import sys

import numpy as np
from numba.core.dispatcher import Dispatcher

from behaviors_ros.pipeline import build
from behaviors_ros.ros import warm_drive
from behaviors_ros.simulation.scenario import DEMO, load_scenario


def signatures():
    kernels = {}
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("behaviors_ros"):
            found = (value for value in vars(module).values() if isinstance(value, Dispatcher))
            kernels |= {(f.py_func.__module__, f.py_func.__name__): len(f.signatures) for f in found}
    return kernels


def test_nothing_is_compiled_after_the_warm_up():
    stages, scenario = build({}), load_scenario(DEMO)
    warm_drive.warm_up(stages)
    before = signatures()
    assert sum(before.values()) > 30
    for place in ((150.0, 9.0, 0.0, 0.0), (400.0, 5.0, 0.2, 0.0), (600.0, 0.0, 0.0, 0.1)):
        for scene in warm_drive._scenes_at(scenario, *place):
            for agents in (2, len(scene.tracks)):
                tracks = scene.tracks.take(np.arange(min(agents, len(scene.tracks))))
                warm_drive._cycle(warm_drive.replace(scene, tracks=tracks), stages, predict_only=False)
    assert signatures() == before

"""Warming up leaves nothing to compile for a cycle."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numba.core.dispatcher import Dispatcher

from behaviors_ros.pipeline import build
from behaviors_ros.ros import warm_drive
from behaviors_ros.simulation.scenario import DEMO, load_scenario

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "robustness"))
from random_scenes import case, recipe


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
                unknown = replace(tracks, kind=np.zeros_like(tracks.kind))
                for found in (tracks, unknown, unknown.take(np.arange(1))):
                    warm_drive._cycle(replace(scene, tracks=found), stages, predict_only=False)
    for seed in range(40):
        warm_drive._cycle(case(recipe(seed)).scene, stages, predict_only=False)
    assert signatures() == before

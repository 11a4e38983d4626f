"""Kernels meet one memory layout, however many candidates there are: a new one would be compiled in a cycle."""

import gc

import numpy as np

from behaviors_ros.evaluation.bench_plan import _scene
from behaviors_ros.pipeline import build, run
from behaviors_ros.scoring.score import score
from behaviors_ros.simulation.scenario import DEMO, load_scenario


def signatures():
    kernels = [each for each in gc.get_objects() if type(each).__name__ == "CPUDispatcher"]
    return {(each.py_func.__module__, each.py_func.__name__): len(each.signatures) for each in kernels}


def test_a_single_candidate_compiles_nothing():
    stages, scene = build({}), _scene(load_scenario(DEMO), 40.0, 20, 1, 0)
    cycle = run(scene, stages, 1)
    before = signatures()
    score(scene, cycle.predictions, cycle.candidates.take(np.array([0])), stages.gates, stages.scorers)
    assert signatures() == before

"""What every registered gate and scorer promises."""

from dataclasses import replace

import numpy as np
import pytest

import behaviors_ros.scoring.interface  # noqa: F401
from behaviors_ros import registry
from behaviors_ros.datatypes import AgentClass, LaneMap, SignalColor, Signals, StopKind, StopPoint
from behaviors_ros.parameters import flat

GATES, SCORERS = registry.names("gate"), registry.names("scorer")
ANGLE, SHIFT = 2.3, np.array([431.0, -87.0])
POLYGON = np.array([[100.0, -5.0], [104.0, -5.0], [104.0, 8.0], [100.0, 8.0]])
STOPS = (
    StopPoint(StopKind.CROSSWALK, 5, 98.0, 104.0, polygon=POLYGON),
    StopPoint(StopKind.STOP_SIGN, 3, 105.0, 112.0),
    StopPoint(StopKind.SIGNAL, 7, 108.0, 120.0, signals=(7,)),
)


def world(bench):
    """A bit of everything: scene, predictions, candidates."""
    signals = Signals(5_000_000_000, (7,), np.array([int(SignalColor.RED)]), np.array([np.nan]))
    plan = bench.plan(bench.drive(9.0))
    scene = bench.scene(route=bench.route(STOPS), signals=signals, previous=plan, map=LaneMap("none", {}))
    predictions = bench.predictions(
        bench.Agent((90.0, 0.3), 4.0, deviation=0.8),
        bench.Agent((120.0, 3.5), 9.0, np.pi, deviation=0.5, modes=((0.7, 9.0, np.pi), (0.3, 7.0, 3.3))),
        bench.Agent((102.0, -7.0), 1.2, np.pi / 2, AgentClass.PEDESTRIAN, deviation=0.4),
        bench.Agent((30.0, 0.1), 14.0, deviation=0.5),
        bench.Agent((70.0, 2.2), 3.0, 0.1, AgentClass.BICYCLE, deviation=0.3),
    )
    ways = [(v, a, end) for v in (9.0, 10.0) for a in (0.0, -1.5, -3.0) for end in (-0.9, 0.1, 3.0)]
    drives = [bench.drive(v, a, d=0.1, d_end=end) for v, a, end in ways]
    return scene, predictions, bench.candidates(*drives)


def answer(plugin, scene, predictions, candidates):
    """(values, verdicts or scores) of a gate or scorer."""
    if hasattr(plugin, "check"):
        verdict = plugin.check(scene, predictions, candidates)
        return verdict.value, verdict.passed
    terms = plugin.score(scene, predictions, candidates)
    return terms.raw, terms.score


def make(bench, name):
    return bench.gate(name) if name in GATES else bench.scorer(name)


def moved(points):
    return points @ np.array([[np.cos(ANGLE), np.sin(ANGLE)], [-np.sin(ANGLE), np.cos(ANGLE)]]) + SHIFT


def moved_world(scene, predictions, candidates):
    """The same, turned and shifted."""
    turn = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
    route = replace(
        scene.route, path=moved(scene.route.path),
        stops=tuple(s if s.polygon is None else replace(s, polygon=moved(s.polygon)) for s in scene.route.stops),
    )  # fmt: skip
    old = scene.previous.trajectory
    plan = replace(scene.previous, trajectory=replace(old, position=moved(old.position), yaw=old.yaw + ANGLE))
    ego = replace(scene.ego, position=moved(scene.ego.position), yaw=scene.ego.yaw + ANGLE)
    return (
        replace(scene, route=route, previous=plan, ego=ego),
        replace(
            predictions, position=moved(predictions.position), yaw=predictions.yaw + ANGLE,
            covariance=turn @ predictions.covariance @ turn.T,
        ),
        replace(candidates, position=moved(candidates.position), yaw=candidates.yaw + ANGLE),
    )  # fmt: skip


@pytest.mark.parametrize("name", GATES + SCORERS)
def test_shape_range_and_determinism(bench, name):
    values, result = answer(make(bench, name), *world(bench))
    assert values.shape == result.shape == (18,)
    assert not np.isnan(values).any()
    assert (result.dtype == bool) == (name in GATES)
    assert (result >= 0.0).all() and (result <= 1.0).all()
    again = answer(make(bench, name), *world(bench))
    assert np.array_equal(values, again[0]) and np.array_equal(result, again[1])


@pytest.mark.parametrize("name", GATES + SCORERS)
def test_a_rigid_motion_of_the_world_changes_nothing(bench, name):
    before, result = answer(make(bench, name), *world(bench))
    after, same = answer(make(bench, name), *moved_world(*world(bench)))
    assert after == pytest.approx(before, abs=1e-6)
    assert np.asarray(same, dtype=float) == pytest.approx(np.asarray(result, dtype=float), abs=1e-6)


@pytest.mark.parametrize("name", GATES + SCORERS)
def test_nobody_else_on_an_empty_road(bench, name):
    candidates = bench.candidates(bench.drive(8.0), bench.drive(0.0))
    _, result = answer(make(bench, name), bench.scene(speed=8.0), bench.predictions(), candidates)
    assert result[0] == 1 if name in GATES else result[0] > 0.5


@pytest.mark.parametrize("quantity", ["position", "yaw", "speed", "acceleration", "curvature", "s", "d"])
@pytest.mark.parametrize("name", GATES + SCORERS)
def test_a_candidate_with_nan_is_forbidden_and_the_others_are_not_touched(bench, name, quantity):
    scene, predictions, candidates = world(bench)
    before, result = answer(make(bench, name), scene, predictions, candidates)
    spoiled = replace(candidates, **{quantity: getattr(candidates, quantity).copy()})
    getattr(spoiled, quantity)[4, 20] = np.nan
    values, after = answer(make(bench, name), scene, predictions, spoiled)
    others = np.arange(18) != 4
    assert np.isnan(values[4]) and after[4] == 0
    assert values[others] == pytest.approx(before[others], abs=1e-9)
    assert np.array_equal(np.asarray(after)[others] > 0.5, np.asarray(result)[others] > 0.5)


@pytest.mark.parametrize("name", GATES + SCORERS)
def test_nothing_is_changed_in_place(bench, name):
    inputs = world(bench)
    copies = [{k: v.copy() for k, v in vars(part).items() if isinstance(v, np.ndarray)} for part in inputs]
    answer(make(bench, name), *inputs)
    for part, copy in zip(inputs, copies, strict=True):
        assert all(np.array_equal(getattr(part, k), v, equal_nan=True) for k, v in copy.items())


def test_names_are_unique_over_all_kinds():
    # Parameters stand under the plugin's name, whatever its kind.
    everything = [name for kind in registry.KINDS for name in registry.names(kind)]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("name", GATES + SCORERS)
def test_parameters_say_what_they_mean(name):
    model = registry.get("gate" if name in GATES else "scorer", name).parameters
    for parameter, field in flat(model):
        assert field.description, parameter
    assert (name in SCORERS) == ("weight" in model.model_fields)

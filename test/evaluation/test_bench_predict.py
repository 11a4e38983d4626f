import numpy as np
import pytest

from behaviors_ros.evaluation import bench_predict
from behaviors_ros.simulation.scenario import DEMO, load_scenario


@pytest.fixture(autouse=True)
def few_places(monkeypatch):
    monkeypatch.setattr(bench_predict, "PLACES_M", (120.0, 290.0))


def test_scenes_have_a_past_that_led_to_now():
    first, second = bench_predict.scenes(load_scenario(DEMO), 12, 3)
    assert len(first.tracks) == 12 and first.map is not None
    assert first.history.id[:12] == first.tracks.id and first.history.valid[:12].all()
    assert np.array_equal(first.history.position[:12, -1], first.tracks.position)
    # A second ago each was a second of its velocity behind.
    assert first.history.position[:12, -11] == pytest.approx(first.tracks.position - first.tracks.velocity)
    assert not np.array_equal(first.tracks.position, second.tracks.position)
    again = next(bench_predict.scenes(load_scenario(DEMO), 12, 3))
    assert np.array_equal(first.tracks.position, again.tracks.position)


def test_physics_is_measured_too():
    found = bench_predict.measure(bench_predict.predictor_of("constant_velocity", {}), 5, 3)
    assert (found.predictor, found.agents, found.by_model, found.calls) == ("constant_velocity", 5, 0, 6)
    assert 0.0 < found.p50_ms <= found.p99_ms

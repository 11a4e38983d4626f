"""Figures of predictors side by side, each with its arithmetic."""

from dataclasses import replace

import numpy as np
import pytest
from made_drives import route

from behaviors_ros.datatypes import AgentClass, EgoState, Grid, Predictions, Scene, Tracks
from behaviors_ros.errors import InputError
from behaviors_ros.evaluation.prediction_metrics import Sample
from behaviors_ros.evaluation.prediction_rows import Case, Judging, measured, rows_of

GRID = Grid(1.0, 3)  # now, 1 s, 2 s
KEYS = {"predictor", "class", "horizon_s", "k", "n", "minade", "minfde", "miss_rate", "nll", "coverage50", "coverage90",
        "ece", "cpu_ms", "moving"}  # fmt: skip


def case(recording, ends, kinds=None, speed=1.0):
    """Agents that start at x = 0 and are at `speed` x and `end` (x, m) after 1 and 2 s; NaN: not seen on."""
    count = len(ends)
    tracks = replace(
        Tracks.empty(0), id=tuple(f"{k:032x}" for k in range(count)),
        kind=np.array(kinds or [int(AgentClass.CAR)] * count), position=np.zeros((count, 2)), yaw=np.zeros(count),
        velocity=np.zeros((count, 2)), acceleration=np.zeros((count, 2)), yaw_rate=np.zeros(count),
        length=np.ones(count), width=np.ones(count), covariance=np.tile(np.eye(2), (count, 1, 1)),
        existence=np.ones(count),
    )  # fmt: skip
    future = np.zeros((count, 3, 2))
    future[:, 1, 0], future[:, 2, 0] = speed, ends
    scene = Scene(0, EgoState(0, np.zeros(2), 0.0, 0.0), tracks, route())
    return Case(recording, Sample(scene, future))


class Fixed:
    """Every agent goes to the given places (x, m, at 1 s and 2 s), one mode each, with a standard deviation of 1 m."""

    name = "fixed"

    def __init__(self, modes, probability):
        self.modes, self.probability = np.array(modes, float), np.array(probability)

    def predict(self, scene, grid):
        count, modes = len(scene.tracks), len(self.modes)
        position = np.zeros((count, modes, 3, 2))
        position[:, :, 1:, 0] = self.modes
        nothing = np.zeros((count, modes, 3))
        return Predictions(
            0, grid.time_s, scene.tracks.id, scene.tracks.kind, np.ones(count), np.ones(count),
            np.ones((count, modes), bool), np.tile(self.probability, (count, 1)), np.zeros((count, modes), np.int64),
            position, nothing, nothing, np.tile(np.eye(2), (count, modes, 3, 1, 1)),
        )  # fmt: skip


class WithOneAnswer(Fixed):
    """Asked for one answer it says 2 and 4 m."""

    def single(self, scene, grid):
        return Fixed([[2.0, 4.0]], [1.0]).predict(scene, grid)


def judged(predictors, cases, **values):
    settings = Judging(**({"horizons_s": (2.0,), "modes": (1, 2), "bootstrap": 200} | values))
    return rows_of(measured(predictors, cases, GRID, settings), settings)


def row(rows, predictor="fixed", kind="all", moving="all", k=1, horizon=2.0):
    (found,) = [each for each in rows if (each["predictor"], each["class"], each["moving"], each["k"],
                                          each["horizon_s"]) == (predictor, kind, moving, k, horizon)]  # fmt: skip
    return found


def test_displacements_and_misses():
    """Modes to (1, 2) with 0.7 and (2, 5) with 0.3; agents go to (1, 5) and (1, 2).

    K = 1: ends 3 and 0 m off, means over both steps (0 + 3)/2 and 0: minade 0.75, minfde 1.5, half are misses.
    K = 2: the second mode ends 0 m off, its mean is (1 + 0)/2: minade (0.5 + 0)/2 = 0.25, minfde 0, no miss.
    """
    rows = judged({"fixed": Fixed([[1.0, 2.0], [2.0, 5.0]], [0.7, 0.3])}, [case("a", [5.0, 2.0])])
    one, two = row(rows), row(rows, k=2)
    assert (one["minade"], one["minfde"], one["miss_rate"], one["n"]) == pytest.approx((0.75, 1.5, 0.5, 2))
    assert (two["minade"], two["minfde"], two["miss_rate"]) == pytest.approx((0.25, 0.0, 0.0))
    assert set(one) >= KEYS and one["modes"] == 2
    # Of the best modes' probabilities: K = 1 (0.3^2 + 0.3^2) / 2 more; K = 2 0.7^2 and 0.3^2.
    assert (one["brier_minfde"], two["brier_minfde"]) == pytest.approx((1.59, 0.29))


def test_likelihood_coverage_and_calibration():
    """One mode to 2 m; agents end at 2, 3 and 5 m: 0, 1 and 3 standard deviations off.

    -log density = log(2 pi) + m^2 / 2: the mean of m^2 / 2 is (0 + 1 + 9) / 6 = 5/3. Regions: 1 - exp(-m^2 / 2) = 0,
    0.393, 0.989: two of three within 50 %, two within 90 %. The one mode is sure and always the nearest: no error.
    """
    rows = judged({"fixed": Fixed([[1.0, 2.0]], [1.0])}, [case("a", [2.0, 3.0, 5.0])])
    found = row(rows)
    assert found["nll"] == pytest.approx(np.log(2.0 * np.pi) + 5.0 / 3.0)
    assert found["coverage50"] == pytest.approx(2 / 3) and found["coverage90"] == pytest.approx(2 / 3)
    assert found["ece"] == 0.0


def test_calibration_error_of_two_modes():
    """0.7 to the mode that is nearest to one of two agents, 0.3 to the other's: each is off by |0.7 - 0.5| = 0.2."""
    rows = judged({"fixed": Fixed([[1.0, 2.0], [1.0, 6.0]], [0.7, 0.3])}, [case("a", [2.0, 6.0])])
    assert row(rows)["ece"] == pytest.approx(0.2)


def test_one_answer_counts_at_k_1_alone():
    rows = judged({"fixed": WithOneAnswer([[1.0, 2.0], [2.0, 5.0]], [0.7, 0.3])}, [case("a", [5.0])])
    assert row(rows)["minfde"] == pytest.approx(1.0) and row(rows, k=2)["minfde"] == 0.0


def test_classes_and_motion_apart():
    """A car goes 5 m, a pedestrian 0.5 m and stands by the limit of 1 m; a cone is in no total."""
    kinds = [int(AgentClass.CAR), int(AgentClass.PEDESTRIAN), int(AgentClass.HAZARD)]
    rows = judged({"fixed": Fixed([[0.0, 2.0]], [1.0])}, [case("a", [5.0, 0.5, 0.0], kinds, speed=0.0)])
    assert row(rows)["n"] == 2 and row(rows)["minfde"] == pytest.approx((3.0 + 1.5) / 2)
    assert row(rows, kind="car", moving="moving")["minfde"] == pytest.approx(3.0)
    assert row(rows, kind="pedestrian", moving="standing")["minfde"] == pytest.approx(1.5)
    assert row(rows, moving="moving")["n"] == row(rows, moving="standing")["n"] == 1
    assert not [each for each in rows if (each["class"], each["moving"]) == ("car", "standing")]
    assert row(rows, kind="hazard")["n"] == 1


def test_agents_without_truth_do_not_count():
    rows = judged({"fixed": Fixed([[1.0, 2.0]], [1.0])}, [case("a", [np.nan, 3.0])], horizons_s=(1.0, 2.0))
    assert row(rows, horizon=1.0)["n"] == 2 and row(rows)["n"] == 1


def test_ratio_to_the_baselines():
    """Off by 1 m each against 2 m each of constant velocity: a half, in every draw."""
    predictors = {"constant_velocity": Fixed([[0.0, 0.0]], [1.0]), "fixed": Fixed([[1.0, 1.0]], [1.0])}
    rows = judged(predictors, [case(name, [2.0]) for name in "abcdef"])
    found = row(rows)
    assert found["to_constant_velocity"] == found["to_constant_velocity_low"] == pytest.approx(0.5)
    assert row(rows, "constant_velocity")["to_constant_velocity"] == 1.0


def test_intervals_are_over_recordings():
    """Eight recordings, four of them 0 and four 4 m off: a mean of 2 with a deviation of 2 / sqrt(8) = 0.71.

    Ten times the scenes in each recording say nothing more; scenes that count apart would give 0.22.
    """
    cases = [case(f"r{k}", [2.0 + 4.0 * (k % 2)]) for k in range(8) for _ in range(10)]
    found = row(judged({"fixed": Fixed([[1.0, 2.0]], [1.0])}, cases, bootstrap=2000))
    width = found["minfde_high"] - found["minfde_low"]
    assert found["minfde"] == pytest.approx(2.0) and found["recordings"] == 8
    assert 0.9 * 2 * 1.96 * 0.71 < width < 1.1 * 2 * 1.96 * 0.71


def test_intervals_of_few_recordings_are_over_scenes():
    cases = [case("one", [2.0 + 4.0 * (k % 2)]) for k in range(80)]
    found = row(judged({"fixed": Fixed([[1.0, 2.0]], [1.0])}, cases, bootstrap=2000))
    assert 0.7 < found["minfde_high"] - found["minfde_low"] < 1.1  # 2 x 1.96 x 2 / sqrt(80) = 0.88


def test_one_scene_has_no_interval():
    found = row(judged({"fixed": Fixed([[1.0, 2.0]], [1.0])}, [case("one", [4.0])]))
    assert found["minfde"] == 2.0 and np.isnan(found["minfde_low"])


def test_horizons_beside_the_grid():
    with pytest.raises(InputError, match=r"1\.5 s"):
        measured({}, [], GRID, Judging(horizons_s=(1.5,)))
    with pytest.raises(InputError, match="3 s"):
        measured({}, [], GRID, Judging(horizons_s=(3.0,)))

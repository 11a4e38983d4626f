from dataclasses import replace

import numpy as np
import pytest

from behaviors_ros.datatypes import Predictions
from behaviors_ros.evaluation.divergence import Divergence, added

TIME_S = 0.5 * np.arange(5)


def predictions(modes, kinds=(1,)):
    """modes: of each agent (probability, speed along x) pairs."""
    n, count = len(modes), max(len(each) for each in modes)
    valid, probability = np.zeros((n, count), bool), np.zeros((n, count))
    position = np.full((n, count, len(TIME_S), 2), np.nan)
    for row, each in enumerate(modes):
        for column, (share, speed) in enumerate(each):
            valid[row, column], probability[row, column] = True, share
            position[row, column] = np.stack([speed * TIME_S, np.zeros_like(TIME_S)], axis=1)
    rest = np.where(valid[..., None], np.zeros(len(TIME_S)), np.nan)
    return Predictions(
        0, TIME_S, tuple(f"{i:032x}" for i in range(n)), np.array(kinds), np.full(n, 4.0), np.full(n, 2.0), valid,
        probability, np.zeros((n, count), np.int64), position, rest, rest, np.full((*position.shape, 2), 1.0),
    )  # fmt: skip


def test_likeliest_modes_and_means():
    # At 2 s: likeliest 10 m/s against 4 m/s are 12 m apart; means 0.75 x 20 + 0.25 x 0 = 15 m against 8 m: 7 m.
    active, candidate = predictions([[(0.75, 10.0), (0.25, 0.0)]]), predictions([[(1.0, 4.0)]])
    found = added(Divergence.none((1.0, 2.0)), active, candidate)
    rows = {(row["class"], row["horizon_s"]): row for row in found.rows()}
    assert set(rows) == {("all", 1.0), ("all", 2.0), ("car", 1.0), ("car", 2.0)}
    assert {name: rows["car", 2.0][name] for name in ("agents", "likeliest_m", "mean_m", "largest_m")} == {
        "agents": 1, "likeliest_m": 12.0, "mean_m": 7.0, "largest_m": 12.0,
    }  # fmt: skip
    assert rows["all", 1.0]["likeliest_m"] == pytest.approx(6.0)


def test_scenes_add_up_by_class():
    first = added(Divergence.none((2.0,)), predictions([[(1.0, 1.0)]]), predictions([[(1.0, 2.0)]]))
    walkers = predictions([[(1.0, 1.0)], [(1.0, 5.0)]], (7, 1)), predictions([[(1.0, 1.0)], [(1.0, 1.0)]], (7, 1))
    both = added(first, *walkers)
    rows = {row["class"]: row for row in both.rows()}
    # Cars: 2 m and 8 m at 2 s; the pedestrian 0 m; all (2 + 8 + 0) / 3.
    assert rows["car"]["likeliest_m"] == 5.0 and rows["car"]["largest_m"] == 8.0 and rows["car"]["agents"] == 2
    assert rows["pedestrian"]["mean_m"] == 0.0 and rows["all"]["mean_m"] == pytest.approx(10.0 / 3.0, abs=1e-4)
    assert both.scenes == 2 and first.scenes == 1


def test_what_is_not_predicted_does_not_count():
    active = predictions([[], [(1.0, 1.0)]], (1, 1))
    found = added(Divergence.none((2.0, 9.0)), active, replace(active, warning="an answer refused"))
    # Horizons beyond the grid are left out, as is the agent without a mode.
    assert [(row["class"], row["agents"]) for row in found.rows()] == [("all", 1), ("car", 1)]
    assert found.warnings == 1
    empty = predictions([[(1.0, 1.0)]])
    arrays = {name: array[:0] for name, array in vars(empty).items() if isinstance(array, np.ndarray)}
    nobody = replace(empty, id=(), **(arrays | {"time_s": TIME_S}))
    assert added(Divergence.none((2.0,)), nobody, nobody).rows() == []

"""Training from arrays to a run folder that can be loaded, resumed and repeated."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from behaviors_ros.errors import InputError  # noqa: E402
from behaviors_ros.learning import train as training  # noqa: E402
from behaviors_ros.learning.cross_fitting import divided, folds  # noqa: E402
from behaviors_ros.learning.train import TrainParameters, load_run, outputs, read_config, train  # noqa: E402
from behaviors_ros.learning.train_data import in_frames  # noqa: E402
from behaviors_ros.prediction.learned_features import AGENT, FeatureSchema  # noqa: E402
from behaviors_ros.prediction.learned_paths import PATH  # noqa: E402

SCHEMA = FeatureSchema(neighbours=1, paths=2, path_points=4, leaders=1, future_steps=4, past_steps=3, neighbour_steps=2)
CONFIG = TrainParameters(
    features=SCHEMA, model={"residual": {"hidden": 8}}, members=2, optimisation={"epochs": 2, "batch": 16},
)  # fmt: skip


def arrays(n=48, seed=0):
    """Agents on a straight lane who brake by 1 m/s^2."""
    speed = np.random.default_rng(seed).uniform(6.0, 15.0, n).astype(np.float32)
    out = {name: np.zeros((n, *shape), np.float32) for name, shape in SCHEMA.shapes.items()}
    out["agent"][:, :3] = speed[:, None]
    out["agent"][:, AGENT.index("car")] = 1.0
    out["past"][..., 0] = speed[:, None] * 0.2 * np.arange(-2, 1)
    out["past_valid"][:], out["path_valid"][:] = 1.0, 1.0
    out["path"][..., PATH.index("spacing")], out["path"][..., PATH.index("cos")] = 30.0, 1.0
    out["path_point"][..., 0], out["path_point"][..., 2] = 30.0 * np.arange(4), 1.0
    time = 0.5 * np.arange(1, 5)
    out["base"][..., 0] = speed[:, None] * time
    out["truth"] = np.zeros((n, 4, 2), np.float32)
    out["truth"][..., 0] = speed[:, None] * time - 0.5 * time**2
    out["known"] = np.ones((n, 4), np.float32)
    return out | {"kind": np.ones(n, np.int64), "recording": np.zeros(n, np.int64)}


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(training, "dataset", lambda material, schema, split: arrays(seed=int(split == "val")))


def weights(folder):
    return torch.load(folder / "model.pt", weights_only=True)


def test_a_run_is_written_loaded_and_repeated(made, tmp_path):
    summary = train(CONFIG, tmp_path / "a")
    assert summary["agents"] == {"train": 48, "val": 48}
    assert summary["val"]["1"]["agents"] == 48.0 and "3" not in summary["val"]
    answer, config = load_run(tmp_path / "a")
    assert config == CONFIG
    said, truth, _ = outputs(answer, arrays(seed=1))
    off = torch.linalg.vector_norm(said["single"][:, 1] - truth[:, 1], dim=-1).mean().item()
    assert off == pytest.approx(summary["val"]["1"]["fde_1"], abs=1e-3)
    train(CONFIG, tmp_path / "b")
    for name, values in weights(tmp_path / "a").items():
        assert torch.equal(values, weights(tmp_path / "b")[name]), name
    train(CONFIG.model_copy(update={"seed": 7}), tmp_path / "c")
    assert any(
        not torch.equal(values, weights(tmp_path / "c")[name]) for name, values in weights(tmp_path / "a").items()
    )


def test_every_recording_is_held_out_once_in_the_order_of_speed():
    # Recordings 7, 8 and 9 with mean speeds of 10, 2 and 5 m/s: the two slowest are one part, the fast one the other.
    known = {"recording": np.array([7, 8, 8, 9, 7]), "agent": np.zeros((5, len(AGENT)), np.float32)}
    known["agent"][:, 0] = [9.0, 1.0, 3.0, 5.0, 11.0]
    np.testing.assert_array_equal(folds(known, 2), [[0, 1, 1, 1, 0], [1, 0, 0, 0, 1]])
    assert len(folds(known, 10)) == 3
    learned, held_out = next(divided(known, 2))
    assert set(learned["recording"]) == {7} and sorted(held_out["recording"]) == [8, 8, 9]


def test_calibrated_on_what_other_networks_were_kept_from(monkeypatch, tmp_path):
    splits = []

    def made(material, schema, split):
        splits.append(split)
        return arrays() | {"recording": np.arange(48) % 4}

    monkeypatch.setattr(training, "dataset", made)
    summary = train(CONFIG.model_copy(update={"folds": 2, "members": 1}), tmp_path)
    # Each of the 48 is judged once; one network learned all of them, two a half each; nothing else is read.
    assert summary["agents"] == {"train": 48, "val": 48} and splits == ["train"]
    assert sorted(path.name for path in tmp_path.glob("member_*")) == ["member_0", "member_1", "member_2"]
    answer, _ = load_run(tmp_path)
    assert len(answer.model.members) == 1
    assert answer.temperature.item() == pytest.approx(summary["calibration"]["temperature"])


def test_a_finished_run_resumes_to_itself(made, tmp_path):
    config = CONFIG.model_copy(update={"members": 1})
    train(config, tmp_path / "a")
    before = weights(tmp_path / "a")
    train(config, tmp_path / "a", resume=True)
    for name, values in before.items():
        assert torch.allclose(values, weights(tmp_path / "a")[name]), name


def test_configurations_in_the_repository_can_be_read():
    from pathlib import Path

    folder = Path(__file__).resolve().parents[2] / "config" / "learning"
    for name in ("ngsim_us101", "ngsim_lankershim", "shipped"):
        config = read_config(folder / f"{name}.yaml")
        assert config.features.future_steps * config.features.future_dt_s == 8.0


def test_wrong_configurations_are_told(tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text("optimisation: {epochs: 0}\n")
    with pytest.raises(InputError, match="optimisation.epochs"):
        read_config(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_config(tmp_path / "none.yaml")
    file.write_text("[]\n")
    with pytest.raises(InputError, match="mapping"):
        read_config(file)


def test_truth_in_the_frame_of_the_agent_by_hand():
    # The agent at (10, 20) looks north: 3 m north of it is 3 m ahead, 4 m west is 4 m left.
    found = in_frames(
        np.array([[[10.0, 23.0], [6.0, 20.0], [np.nan, np.nan]]]), np.array([[10.0, 20.0]]), np.array([np.pi / 2])
    )
    np.testing.assert_allclose(found[0], [[3, 0], [0, 4], [0, 0]], atol=1e-6)

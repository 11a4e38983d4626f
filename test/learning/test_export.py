import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

from behaviors_ros import registry  # noqa: E402
from behaviors_ros.datatypes import AgentClass, Grid, Predictions  # noqa: E402
from behaviors_ros.errors import BehaviorsError, InputError  # noqa: E402
from behaviors_ros.evaluation.bench_predict import scenes  # noqa: E402
from behaviors_ros.learning.export import Exporting, export  # noqa: E402
from behaviors_ros.parameters import Vehicle  # noqa: E402
from behaviors_ros.prediction.learned_features import AGENT, FeatureSchema, features  # noqa: E402
from behaviors_ros.prediction.model_contract import read_model  # noqa: E402
from behaviors_ros.simulation.scenario import DEMO, load_scenario  # noqa: E402

SCHEMA = FeatureSchema()
ABOUT = {"kinds": ["CAR", "PEDESTRIAN"], "made": "2026-01-01", "metrics": {"minfde_5s": 1.5}}


class Small(torch.nn.Module):
    """Attention over the neighbours, and a mode for each of a few speeds."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.near = torch.nn.Linear(SCHEMA.shapes["neighbour"][1], 16)
        self.own = torch.nn.Linear(len(AGENT), 16)
        self.attention = torch.nn.MultiheadAttention(16, 2, batch_first=True)
        self.bend = torch.nn.Linear(16, SCHEMA.modes * SCHEMA.future_steps * 2)

    def forward(self, arrays):
        own, near = self.own(arrays["agent"])[:, None], self.near(arrays["neighbour"])
        hidden = self.attention(own, near, near, need_weights=False)[0][:, 0]
        modes, steps = SCHEMA.modes, SCHEMA.future_steps
        time_s = SCHEMA.future_dt_s * torch.arange(1, steps + 1)
        speed = arrays["agent"][:, :1, None] * torch.linspace(0.8, 1.0, modes)[None, :, None] * time_s
        position = torch.stack([speed, torch.zeros_like(speed)], dim=-1)
        position = position + 0.1 * torch.tanh(self.bend(hidden)).reshape(-1, modes, steps, 2)
        every = sum(arrays[name].flatten(1).sum(dim=1) for name in SCHEMA.shapes)
        share = torch.softmax(hidden[:, :modes] + 0.0 * every[:, None], dim=1)
        return {
            "probability": share, "position": position, "single": position[:, 0],
            "spread": torch.zeros(modes, steps, 3) + 0.0 * position[..., :1],
        }  # fmt: skip


def examples():
    found = []
    for agents, scene in zip((12, 1, 40), scenes(load_scenario(DEMO), 40, 1), strict=False):
        found.append(features(scene, np.arange(agents), SCHEMA, Vehicle()).arrays)
    return found


def test_onnxruntime_says_what_torch_says_and_the_car_can_run_it(tmp_path):
    path = tmp_path / "small.onnx"
    made = export(Small(), SCHEMA, examples(), path, ABOUT)
    assert 0.0 < made.parity_m <= 1e-4
    contract = read_model(path).contract
    assert contract == made and contract.classes == (AgentClass.CAR, AgentClass.PEDESTRIAN)
    assert contract.metrics == {"minfde_5s": 1.5} and len(contract.code_sha256) == 64
    predictor = registry.create("predictor", "learned", {"model": str(path)}, Vehicle())
    scene = next(scenes(load_scenario(DEMO), 20, 3))
    found: Predictions = predictor.predict(scene, Grid())
    assert found.model_hash == made.model_sha256 and not found.warning and found.valid.any(axis=1).all()


def test_what_differs_is_not_written(tmp_path):
    class Drawn(Small):
        def forward(self, arrays):
            answers = super().forward(arrays)
            # A value that the graph keeps from the tracing, and torch counts on.
            Drawn.calls += 1
            return answers | {"position": answers["position"] + 0.001 * float(Drawn.calls)}

    Drawn.calls = 0
    with pytest.raises(BehaviorsError, match="position of torch and onnxruntime differ"):
        export(Drawn(), SCHEMA, examples(), tmp_path / "drawn.onnx", ABOUT)
    assert not list(tmp_path.iterdir())


def test_too_large_and_too_few(tmp_path):
    with pytest.raises(BehaviorsError, match="bytes"):
        export(Small(), SCHEMA, examples(), tmp_path / "x.onnx", ABOUT, Exporting(bytes_max=100))
    with pytest.raises(InputError, match="fewer than 2 agents"):
        export(Small(), SCHEMA, examples()[1:], tmp_path / "x.onnx", ABOUT)
    with pytest.raises(InputError, match="kinds"):
        export(Small(), SCHEMA, examples(), tmp_path / "x.onnx", {"kinds": 3})
    assert not list(tmp_path.iterdir())


def test_the_contract_is_json_with_finite_numbers(tmp_path):
    export(Small(), SCHEMA, examples(), tmp_path / "small.onnx", ABOUT)
    tree = json.loads((tmp_path / "small.json").read_text())
    assert tree["features"]["modes"] == SCHEMA.modes and tree["model_bytes"] == (tmp_path / "small.onnx").stat().st_size

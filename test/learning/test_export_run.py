"""A run of `behaviors train` becomes a model that the car can run."""

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("onnxruntime")

from behaviors_ros import registry  # noqa: E402
from behaviors_ros.datatypes import Grid  # noqa: E402
from behaviors_ros.errors import InputError  # noqa: E402
from behaviors_ros.evaluation.bench_predict import scenes  # noqa: E402
from behaviors_ros.learning.answer import Answer, Ensemble  # noqa: E402
from behaviors_ros.learning.data_split import Splitting  # noqa: E402
from behaviors_ros.learning.data_store import FORMAT  # noqa: E402
from behaviors_ros.learning.export_run import export_run, sources  # noqa: E402
from behaviors_ros.learning.networks import NetworkParameters, network  # noqa: E402
from behaviors_ros.learning.train import TrainParameters  # noqa: E402
from behaviors_ros.learning.train_data import Material  # noqa: E402
from behaviors_ros.parameters import Vehicle  # noqa: E402
from behaviors_ros.prediction.learned_features import FeatureSchema  # noqa: E402
from behaviors_ros.prediction.model_contract import Contract, read_model  # noqa: E402
from behaviors_ros.simulation.scenario import DEMO, load_scenario  # noqa: E402


@pytest.fixture
def data(tmp_path):
    """A manifest of two places, one of which must not be shipped."""
    entries = [
        {"source": "open", "location": "town", "name": "a", "licence": "free", "may_ship": True, "split": "train"},
        {"source": "open", "location": "town", "name": "b", "licence": "free", "may_ship": True, "split": "train"},
        {
            "source": "closed",
            "location": "road",
            "name": "c",
            "licence": "research only",
            "may_ship": False,
            "split": "val",
        },
        {"source": "open", "location": "hill", "name": "d", "licence": "free", "may_ship": True, "split": "test"},
    ]
    (tmp_path / "data").mkdir()
    manifest = {"format": FORMAT, "recordings": entries, "shards": []}
    (tmp_path / "data" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path / "data"


@pytest.fixture
def run(tmp_path, data):
    """A run of two members that learned nothing yet."""
    torch.manual_seed(0)
    schema = FeatureSchema(neighbours=2, paths=3, path_points=8, leaders=2, future_steps=4, past_steps=4, modes=3)
    config = TrainParameters(
        members=2, model=NetworkParameters(residual={"hidden": 16}), features=schema,
        material=Material(folder=str(data), sources=("open/*",)),
    )  # fmt: skip
    folder = tmp_path / "run"
    folder.mkdir()
    answer = Answer(Ensemble([network(config.features, config.model) for _ in range(2)]), config.features)
    answer.temperature.fill_(1.5)
    torch.save(answer.state_dict(), folder / "model.pt")
    (folder / "config.json").write_text(config.model_dump_json())
    summary = {"kinds": ["CAR", "BUS"], "calibration": {"temperature": 1.5}, "agents": {"train": 10, "val": 5},
               "val": {"5": {"agents": 5.0, "fde_1": 2.5}}}  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def test_a_run_becomes_a_model_with_card(run, tmp_path):
    path = tmp_path / "models" / "small.onnx"
    contract = export_run(run, path, "2026-01-02", ["behaviors train small.yaml"])
    assert contract == read_model(path).contract and contract.parity_m <= 1e-4
    assert contract.kinds == ("CAR", "BUS") and contract.made == "2026-01-02"
    assert [(source.name, source.may_ship) for source in contract.data] == [("open/town", True)]
    assert contract.calibration == {"temperature": 1.5} and len(contract.data_sha256) == 64
    card = path.with_suffix(".md").read_text()
    assert all(
        word in card for word in ("open/town", "free", "2.5", "behaviors train small.yaml", contract.model_sha256)
    )
    predictor = registry.create("predictor", "learned", {"model": str(path)}, Vehicle())
    found = predictor.predict(next(scenes(load_scenario(DEMO), 20, 2)), Grid())
    assert found.model_hash == contract.model_sha256 and found.valid.any(axis=1).all()


def test_classes_can_be_left_to_physics(run, tmp_path, monkeypatch):
    def export(answer, schema, examples, path, about, values):
        return Contract(features=schema, kinds=tuple(about["kinds"]))

    monkeypatch.setattr("behaviors_ros.learning.export_run.export", export)
    assert export_run(run, tmp_path / "x.onnx", "2026-01-02", kinds=("CAR",)).kinds == ("CAR",)


def test_all_sources_that_are_learned_from(data):
    found = sources(data, Material(folder=str(data)))
    assert [(source["name"], source["may_ship"]) for source in found] == [("open/town", True), ("closed/road", False)]
    own = Material(folder=str(data), own_splits=False, splitting=Splitting(test=("closed/*", "open/hill/*")))
    assert [source["name"] for source in sources(data, own)] == ["open/town"]


def test_what_is_no_run(run, tmp_path, data):
    (run / "summary.json").write_text("{}")
    with pytest.raises(InputError, match="summary"):
        export_run(run, tmp_path / "x.onnx", "2026-01-02")
    with pytest.raises(InputError):
        export_run(tmp_path / "nothing", tmp_path / "x.onnx", "2026-01-02")

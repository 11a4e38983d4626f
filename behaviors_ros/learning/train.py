"""From a configuration to a run: members trained one after another, calibrated on held-out data, kept in one folder.

A run folder holds `config.json` (all values, completed), `model.pt` (weights and calibration), `summary.json` (what was
measured on the held-out split) and, a folder a member, checkpoints and TensorBoard logs, from which training resumes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from pydantic import Field
from torch import Tensor

from behaviors_ros.datatypes import AgentClass, Array
from behaviors_ros.errors import InputError
from behaviors_ros.learning.answer import Answer, Ensemble
from behaviors_ros.learning.augmentation import Augmentation
from behaviors_ros.learning.calibration import calibrate
from behaviors_ros.learning.cross_fitting import divided
from behaviors_ros.learning.losses import LossParameters
from behaviors_ros.learning.networks import NetworkParameters, network
from behaviors_ros.learning.residual import Residual
from behaviors_ros.learning.train_data import Material, dataset
from behaviors_ros.learning.train_module import Optimisation, Training, loader
from behaviors_ros.parameters import Parameters, validated, value
from behaviors_ros.prediction.learned_features import FeatureSchema
from behaviors_ros.yaml_files import read_mapping

CONFIG, WEIGHTS, SUMMARY = "config.json", "model.pt", "summary.json"
Output = dict[str, Tensor]


class Hardware(Parameters):
    """Where and how exactly it is computed; nothing else changes from one CPU to many GPUs."""

    accelerator: str = value("auto", "cpu, gpu, ...")
    devices: int = value(1, "devices of a node", low=1, high=64)
    nodes: int = value(1, "computers", low=1, high=1024)
    strategy: str = value("auto", "auto, or ddp for several processes")
    precision: str = value("32-true", "32-true, 16-mixed or bf16-mixed")
    threads: int = value(1, "threads of a process on the CPU", low=1, high=256)


class TrainParameters(Parameters):
    """All of a training."""

    seed: int = value(0, "of the first member; the others have the next ones", low=0, high=2**31)
    members: int = value(1, "networks of the ensemble", low=1, high=20)
    folds: int = value(
        0, "parts of the recordings learned from, each held out in turn instead of the validation split", low=0, high=50
    )
    material: Material = Material()
    features: FeatureSchema = Field(default=FeatureSchema(), description="what the network is shown, and its answer")
    model: NetworkParameters = NetworkParameters()
    loss: LossParameters = LossParameters()
    augmentation: Augmentation = Augmentation()
    optimisation: Optimisation = Optimisation()
    hardware: Hardware = Hardware()


def read_config(path: Path) -> TrainParameters:
    """The configuration of a training, from YAML or from the `config.json` of a run."""
    return validated(TrainParameters, read_mapping(path, "give a file as in config/learning"), str(path))


def train(config: TrainParameters, out: Path, resume: bool = False) -> dict[str, Any]:
    """Train, calibrate and write the run folder; gives its summary. resume: go on from the last checkpoints."""
    torch.set_num_threads(config.hardware.threads)
    known = dataset(config.material, config.features, "train")
    out.mkdir(parents=True, exist_ok=True)
    (out / CONFIG).write_text(config.model_dump_json(indent=1) + "\n")
    if config.folds:
        members = [_member(config, known, None, out, number, resume) for number in range(config.members)]
        output, truth, steps = _cross_fitted(config, known, out, resume)
    else:
        held_out = dataset(config.material, config.features, "val")
        members = [_member(config, known, held_out, out, number, resume) for number in range(config.members)]
        output, truth, steps = outputs(Ensemble(members).eval(), held_out)
    answer = Answer(Ensemble(members), config.features).eval()
    fitted = calibrate(answer, output, truth, steps)
    torch.save(answer.state_dict(), out / WEIGHTS)
    summary = {"seed": config.seed, "agents": {"train": len(known["truth"]), "val": len(truth)}}
    summary |= {"kinds": kinds_of(known), "calibration": fitted, "val": figures(answer, output, truth, steps)}
    (out / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def _cross_fitted(
    config: TrainParameters, known: dict[str, Array], out: Path, resume: bool
) -> tuple[Output, Tensor, Tensor]:
    """What networks say of the recordings that they were kept from, with the truth and which steps of it are known.

    One network for each part: the members of an ensemble differ little in how sure they are.
    """
    parts = []
    for fold, (learned, held_out) in enumerate(divided(known, config.folds)):
        network_of = _member(config, learned, None, out, config.members + fold, resume)
        parts.append(outputs(Ensemble([network_of]).eval(), held_out))
    output, truth, steps = zip(*parts, strict=True)
    said = {name: torch.cat([part[name] for part in output]) for name in output[0]}
    return said, torch.cat(truth), torch.cat(steps)


def _member(
    config: TrainParameters, known: dict[str, Array], held_out: dict[str, Array] | None, out: Path, number: int,
    resume: bool,
) -> torch.nn.Module:  # fmt: skip
    """One trained network of the ensemble; held_out: what is logged beside, of its validation."""
    seed, how, hardware = config.seed + number, config.optimisation, config.hardware
    lightning.seed_everything(seed, workers=True, verbose=False)
    module = Training(config.features, config.model, config.loss, how, config.augmentation, seed)
    if isinstance(module.model, Residual):
        module.model.fit({name: torch.from_numpy(known[name]) for name in module.model.inputs})
        known = {name: known[name] for name in (*module.model.inputs, "truth", "known")}  # a tenth of all arrays
    folder = out / f"member_{number}"
    last = folder / "last.ckpt"
    trainer = lightning.Trainer(
        accelerator=hardware.accelerator, devices=hardware.devices, num_nodes=hardware.nodes,
        strategy=hardware.strategy, precision=hardware.precision, max_epochs=how.epochs, gradient_clip_val=how.clip,
        logger=TensorBoardLogger(str(out), name="", version=folder.name), enable_progress_bar=False,
        callbacks=[ModelCheckpoint(str(folder), save_last=True, save_top_k=0)], enable_model_summary=False,
        log_every_n_steps=10,
    )  # fmt: skip
    trainer.fit(
        module, loader(known, how.batch, True, seed),
        None if held_out is None else loader(held_out, how.batch, False, seed),
        ckpt_path=str(last) if resume and last.is_file() else None,
    )  # fmt: skip
    return module.model.cpu().eval()


def load_run(folder: Path) -> tuple[Answer, TrainParameters]:
    """The answer that a run trained, ready for use, and its configuration."""
    config = read_config(folder / CONFIG)
    answer = Answer(Ensemble([network(config.features, config.model) for _ in range(config.members)]), config.features)
    try:
        answer.load_state_dict(torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError) as error:
        problem = " ".join(str(error).split())[:200]
        raise InputError(folder / WEIGHTS, "weights", problem, "train again with this version") from None
    return answer.eval(), config


def outputs(model: torch.nn.Module, arrays: dict[str, Array], batch: int = 2048) -> tuple[Output, Tensor, Tensor]:
    """What a model says of all rows, with the truth and which steps of it are known."""
    rows = loader(arrays, batch, False, 0)
    with torch.no_grad():
        parts = [model(each) for each in rows]
    tensors = rows.dataset.tensors
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}, tensors["truth"], tensors["known"]


def kinds_of(arrays: dict[str, Array], least: int = 100) -> list[str]:
    """Names of the classes with at least `least` agents."""
    kind, count = np.unique(arrays["kind"], return_counts=True)
    return [AgentClass(int(k)).name for k, many in zip(kind, count, strict=True) if many >= least]


def figures(answer: Answer, said: Output, truth: Tensor, known: Tensor) -> dict[str, dict[str, float]]:
    """Of what the answer's model said, by time in s (1, 3, 5, 8 where known): agents, FDE of the K = 1 answer, least
    FDE of all futures, misses, ECE.
    """
    output, schema = answer.calibrated(said), answer.schema
    out: dict[str, dict[str, float]] = {}
    for time_s in (1.0, 3.0, 5.0, 8.0):
        step = round(time_s / schema.future_dt_s) - 1
        rows = known[:, step] > 0.5 if 0 <= step < schema.future_steps else torch.zeros(len(known), dtype=torch.bool)
        if rows.any():
            out[f"{time_s:g}"] = _figures(output, truth, rows, step)
    return out


def _figures(output: Output, truth: Tensor, rows: Tensor, step: int) -> dict[str, float]:
    at = truth[rows, step]
    single = torch.linalg.vector_norm(output["single"][rows, step] - at, dim=-1)
    modes = torch.linalg.vector_norm(output["position"][rows, :, step] - at[:, None], dim=-1)
    least = modes.amin(1)
    chance, hit = output["probability"][rows].flatten(), torch.nn.functional.one_hot(modes.argmin(1), modes.shape[1])
    place = torch.clamp((chance * 10).long(), max=9)
    gap = torch.zeros(10).index_add(0, place, chance - hit.flatten().float())
    found = {"agents": float(rows.sum()), "fde_1": single.mean(), "min_fde": least.mean()}
    found |= {"miss_1": (single > 2.0).float().mean(), "miss": (least > 2.0).float().mean()}
    found["ece"] = gap.abs().sum() / len(chance)
    return {name: round(float(value), 4) for name, value in found.items()}

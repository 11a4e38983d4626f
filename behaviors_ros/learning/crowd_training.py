"""Training of one network on windows of crowds, and the hypotheses of several. Seeded; one network a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from behaviors_ros.datatypes import Array
from behaviors_ros.learning.crowd_model import CrowdLoss, CrowdNetwork, CrowdParameters, crowd_loss
from behaviors_ros.learning.crowd_windows import Cutting, Framed
from behaviors_ros.parameters import Parameters, value

Batch = tuple[Tensor, Tensor, Tensor]  # past, future, others


class Augmentation(Parameters):
    """How windows are varied in training; each is mirrored in half of the cases."""

    smallest: float = value(0.7, "least factor of all lengths", low=0.01, high=1.0)
    largest: float = value(1.4, "largest factor of all lengths", low=1.0, high=100.0)
    turn_rad: float = value(0.15, "standard deviation of the angle by which the frame is turned", low=0.0, high=10.0)
    noise_m: float = value(0.03, "standard deviation added to the observed positions before now", low=0.0, high=1.0)
    hidden: float = value(0.1, "share of the neighbours that are left out", low=0.0, high=1.0)


class CrowdTraining(Parameters):
    """One training: AdamW with one cycle of the learning rate."""

    steps: int = value(1500, "steps", low=1, high=10_000_000)
    batch: int = value(256, "windows a step", low=1, high=1_000_000)
    learning_rate: float = value(1.5e-3, "largest learning rate", low=0.0, high=1.0)
    weight_decay: float = value(1e-3, "pull of the weights to zero", low=0.0, high=10.0)
    clip: float = value(2.0, "largest norm of a gradient", low=0.0, high=1e6)
    size: CrowdParameters = value(CrowdParameters(), "the network")
    loss: CrowdLoss = value(CrowdLoss(), "the loss")
    augmentation: Augmentation = value(Augmentation(), "the variation of the windows")


def trained(data: Framed, cutting: Cutting, training: CrowdTraining, seed: int) -> CrowdNetwork:
    """A network trained on the windows; the same seed gives the same one on the same machine."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = CrowdNetwork(cutting, training.size)
    shown = tuple(torch.from_numpy(array) for array in (data.past, data.future, data.others))
    adam = torch.optim.AdamW(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        adam, training.learning_rate, total_steps=training.steps + 1, pct_start=0.1
    )
    for _ in range(training.steps):
        rows = torch.randint(len(data.past), (training.batch,), generator=generator)
        seen = (shown[0][rows], shown[1][rows], shown[2][rows])
        past, future, others = varied(seen, training.augmentation, generator)
        adam.zero_grad()
        crowd_loss(network(past, others), future, training.loss).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), training.clip)
        adam.step()
        cycle.step()
    return network.eval()


def varied(batch: Batch, augmentation: Augmentation, generator: torch.Generator) -> Batch:
    """A batch mirrored, scaled, turned, with noise before now and with neighbours left out."""
    past, future, others = batch
    count = len(past)
    low, high = math.log(augmentation.smallest), math.log(augmentation.largest)
    factor = torch.exp(low + (high - low) * torch.rand(count, 1, 1, generator=generator)).repeat(1, 1, 2)
    factor[torch.rand(count, generator=generator) < 0.5, :, 1] *= -1.0
    past, future, others = past * factor, future * factor, others * factor[:, None]
    turn = _turned(augmentation.turn_rad * torch.randn(count, generator=generator))
    past, future, others = past @ turn, future @ turn, others @ turn[:, None]
    noise = augmentation.noise_m * torch.randn(past[:, :-1].shape, generator=generator)
    past = torch.cat([past[:, :-1] + noise, past[:, -1:]], 1)
    hidden = torch.rand(others.shape[:2], generator=generator) < augmentation.hidden
    return past, future, others.masked_fill(hidden[..., None, None], float("nan"))


class Views(Parameters):
    """How a window is shown to every network: as it is, turned, and scaled; each of these mirrored as well."""

    turns_rad: tuple[float, ...] = value((-0.15, 0.15), "angles by which it is turned")
    scales: tuple[float, ...] = value((0.8, 1.25), "factors of all its lengths")
    most: int = value(4096, "windows at a time", low=1, high=10_000_000)


@torch.no_grad()
def hypotheses(
    networks: Sequence[CrowdNetwork],
    past: Float[Array, "window past 2"],
    others: Float[Array, "window neighbour past 2"],
    views: Views,
) -> Float[Array, "window set hypothesis future 2"]:
    """One set of each network and view, those of a network together; the first view is the window as it is."""
    changes, parts = _changes(views), []
    for begin in range(0, len(past), views.most):
        own = torch.from_numpy(past[begin : begin + views.most])
        around = torch.from_numpy(others[begin : begin + views.most])
        sets = [
            network(own @ change, around @ change) @ torch.linalg.inv(change)
            for network in networks
            for change in changes
        ]
        parts.append(torch.stack(sets, 1).numpy())
    return np.concatenate(parts)


def _changes(views: Views) -> list[Tensor]:
    """Matrices for rows."""
    turned = [_turned(torch.tensor(angle)) for angle in (0.0, *views.turns_rad)]
    scaled = [torch.eye(2) * factor for factor in views.scales]
    return [change * mirror for change in turned + scaled for mirror in (torch.ones(2), torch.tensor([1.0, -1.0]))]


def _turned(angle: Tensor) -> Tensor:
    """Matrices (..., 2, 2) that turn rows by the angle."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    return torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2)


def saved(network: CrowdNetwork, path: Path) -> None:
    """Write the weights, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(network.state_dict(), partial)
    partial.replace(path)


def restored(path: Path, cutting: Cutting, size: CrowdParameters) -> CrowdNetwork:
    """A saved network."""
    network = CrowdNetwork(cutting, size)
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval()

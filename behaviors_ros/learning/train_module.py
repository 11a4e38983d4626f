"""The training of one network in Lightning: batches, steps, learning rate, what is logged."""

from __future__ import annotations

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from behaviors_ros.datatypes import Array
from behaviors_ros.learning.augmentation import Augmentation, augmented
from behaviors_ros.learning.losses import LossParameters, losses
from behaviors_ros.learning.networks import NetworkParameters, network
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.learned_features import FeatureSchema

Output = dict[str, Tensor]


class Optimisation(Parameters):
    """How the weights are found."""

    epochs: int = value(5, "passes over the data", low=1, high=100_000)
    batch: int = value(256, "agents of a step", low=1, high=1_000_000)
    rate: float = value(4e-3, "highest learning rate of the one cycle", low=1e-6, high=1.0)
    warm_up: float = value(0.2, "share of the steps in which it rises", low=0.01, high=0.99)
    decay: float = value(1e-2, "weight decay of AdamW", low=0.0, high=10.0)
    clip: float = value(5.0, "largest norm of a gradient", low=1e-3, high=1e6)


class Rows(Dataset[int]):
    """Numbers of rows; the batch is taken out of the arrays at once."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        self.tensors = {name: torch.from_numpy(values) for name, values in arrays.items() if values.dtype == np.float32}

    def __len__(self) -> int:
        return len(self.tensors["truth"])

    def __getitem__(self, row: int) -> int:
        return row

    def collate(self, rows: list[int]) -> Output:
        """The batch of some rows."""
        index = torch.tensor(rows)
        return {name: values[index] for name, values in self.tensors.items()}


def loader(arrays: dict[str, Array], batch: int, shuffle: bool, seed: int) -> DataLoader[int]:
    """Batches of arrays; Lightning puts a distributed sampler in place where several processes train."""
    rows = Rows(arrays)
    order = torch.Generator().manual_seed(seed)
    last = shuffle and len(rows) > batch
    return DataLoader(rows, batch, shuffle=shuffle, collate_fn=rows.collate, drop_last=last, generator=order)


class Training(lightning.LightningModule):
    """One network on its way."""

    def __init__(
        self, schema: FeatureSchema, size: NetworkParameters, weights: LossParameters, optimisation: Optimisation,
        augmentation: Augmentation, seed: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.model = network(schema, size)
        self.weights, self.optimisation, self.augmentation = weights, optimisation, augmentation
        self.seed = seed

    def training_step(self, batch: Output, index: int) -> Tensor:
        """One step on a changed batch; the changes depend on seed, process and step alone, also after a resumption."""
        draw = torch.Generator().manual_seed(hash((self.seed, self.global_rank, self.global_step)) % 2**62)
        changed = augmented({name: values.cpu() for name, values in batch.items()}, self.augmentation, draw)
        changed = {name: values.to(self.device) for name, values in changed.items()}
        found = losses(self.model(changed), changed["truth"], changed["known"], self.weights)
        self.log_dict({f"train/{name}": part for name, part in found.items()}, on_step=False, on_epoch=True)
        return found["total"]

    def validation_step(self, batch: Output, index: int) -> None:
        """Losses of held-out agents, and displacements at the last step known."""
        output = self.model(batch)
        found = losses(output, batch["truth"], batch["known"], self.weights)
        size = len(batch["truth"])
        self.log_dict({f"val/{name}": part for name, part in found.items()}, batch_size=size, sync_dist=True)
        last = batch["known"].cumsum(1).argmax(1)
        rows = torch.arange(size, device=last.device)
        truth = batch["truth"][rows, last]
        single = torch.linalg.vector_norm(output["single"][rows, last] - truth, dim=-1)
        modes = torch.linalg.vector_norm(output["position"][rows, :, last] - truth[:, None], dim=-1)
        figures = {"val/fde_1": single.mean(), "val/min_fde": modes.amin(1).mean()}
        self.log_dict(figures, batch_size=size, sync_dist=True)

    def configure_optimizers(self) -> dict[str, object]:
        """AdamW with one cycle of the learning rate (Smith and Topin 2019)."""
        how = self.optimisation
        solver = torch.optim.AdamW(self.parameters(), how.rate, weight_decay=how.decay)
        steps = int(self.trainer.estimated_stepping_batches)
        cycle = torch.optim.lr_scheduler.OneCycleLR(solver, how.rate, total_steps=steps + 1, pct_start=how.warm_up)
        return {"optimizer": solver, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}

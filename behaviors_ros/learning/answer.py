"""What is exported: several trained networks as one, with their calibration, giving the answers of the contract."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from behaviors_ros.prediction.learned_features import FeatureSchema

Output = dict[str, Tensor]


class Ensemble(nn.Module):
    """The mean of the members, future by future: they start alike, so that the same future means the same in all.

    Positions, logits and the K = 1 answer are means; the variances are the mean variance, and the members' spread.
    """

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.inputs: tuple[str, ...] = members[0].inputs

    def forward(self, x: Output) -> Output:
        """The same outputs as a member's."""
        outputs = [member(x) for member in self.members]
        if len(outputs) == 1:
            return dict(outputs[0])
        mean = {name: torch.stack([each[name] for each in outputs]).mean(0) for name in outputs[0]}
        position = torch.stack([each["position"] for each in outputs])
        apart = ((position - mean["position"]) ** 2).mean(0).sum(-1, keepdim=True) * 0.5
        variance = torch.stack([torch.exp(2.0 * each["spread"][..., :2]) for each in outputs]).mean(0) + apart
        mean["spread"] = torch.cat([0.5 * torch.log(variance), mean["spread"][..., 2:]], -1)
        return mean


class Answer(nn.Module):
    """Features in, answers out: `probability`, `position`, `spread`, `single` in the agents' frames.

    temperature divides the logits; inflation (step, 2) is added to the logarithms of the deviations along and across.
    Both are fitted on held-out data (`calibration.py`).
    """

    def __init__(self, model: nn.Module, schema: FeatureSchema) -> None:
        super().__init__()
        self.model, self.schema = model, schema
        self.inputs = tuple(getattr(model, "inputs", schema.shapes))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("inflation", torch.zeros(schema.future_steps, 2))

    def forward(self, x: Output) -> Output:
        """x: the arrays of the features by name, first axis the agents."""
        return self.calibrated(self.model(x))

    def calibrated(self, out: Output) -> Output:
        """The answer to what the model says."""
        log_deviation = out["spread"][..., :2] + self.inflation
        return {
            "probability": torch.softmax(out["logit"] / self.temperature, dim=1),
            "position": out["position"],
            "spread": torch.cat([log_deviation, out["spread"][..., 2:]], -1),
            "single": out["single"],
        }

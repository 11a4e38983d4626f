"""A small network from the observed steps of a person and of those around to a set of hypotheses, without a map.

Everything is in the person's frame (`crowd_windows.framed`). The hypotheses are constant velocity and what the network
adds to it. Neighbours are read by attention and by their largest activations, so that their order says nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from behaviors_ros.learning.crowd_windows import Cutting
from behaviors_ros.parameters import Parameters, value


class CrowdParameters(Parameters):
    """Size of the network."""

    hidden: int = value(128, "width of the layers", low=4, high=4096)
    neighbour: int = value(64, "width of what is read of a neighbour", low=4, high=4096)
    hypotheses: int = value(20, "futures of one network", low=1, high=1000)
    dropout: float = value(0.0, "share of the layers that is left out in training", low=0.0, high=0.9)
    start_m: float = value(0.5, "how far apart the hypotheses begin, at the last step", low=0.0, high=10.0)


class CrowdNetwork(nn.Module):
    """past (n, past, 2), others (n, neighbour, past, 2), NaN where not seen -> (n, hypothesis, future, 2), m."""

    def __init__(self, cutting: Cutting, size: CrowdParameters) -> None:
        super().__init__()
        self.cutting, self.size = cutting, size
        hidden, width = size.hidden, size.neighbour
        self.earlier = tuple(range(cutting.past - 3, -1, -2))[:3]
        self.own = nn.Sequential(
            nn.Linear(4 * cutting.past - 2, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.other = nn.Sequential(
            nn.Linear(7 + 2 * len(self.earlier), width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        # Keys and contents linear in what is read of a neighbour are part of `query` and `mix`.
        self.query, self.mix = nn.Linear(hidden, width), nn.Linear(2 * width, hidden)
        layers = (nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(size.dropout))
        self.deep = nn.Sequential(*layers, nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(size.dropout))
        self.out = nn.Linear(hidden, size.hypotheses * cutting.future * 2)
        grown = torch.arange(1, cutting.future + 1).view(1, -1, 1) / cutting.future
        with torch.no_grad():
            self.out.weight.mul_(0.3)
            self.out.bias.copy_((torch.randn(size.hypotheses, 1, 2) * size.start_m * grown).flatten())
        self.register_buffer("ahead", torch.arange(1.0, cutting.future + 1).view(1, 1, -1, 1), persistent=False)

    def forward(self, past: Tensor, others: Tensor) -> Tensor:
        """The hypotheses."""
        moved = past[:, 1:] - past[:, :-1]
        now = moved[:, -1:]
        code = self.own(torch.cat([past.flatten(1), 3.0 * moved.flatten(1)], 1))
        code = code + self.mix(self._around(code, others, now))
        code = code + self.deep(code)
        added = self.out(code).view(len(past), self.size.hypotheses, self.cutting.future, 2)
        return now[:, None] * self.ahead + added

    def _around(self, code: Tensor, others: Tensor, now: Tensor) -> Tensor:
        """What attention and the maximum read of the neighbours; zeros where there is none."""
        seen = torch.isfinite(others).all(-1)
        there = seen[:, :, -1]
        known = torch.nan_to_num(others)
        position = known[:, :, -1]
        velocity = (position - known[:, :, -2]) * (there & seen[:, :, -2])[..., None]
        earlier = (known[:, :, self.earlier] - position[:, :, None]) * seen[:, :, self.earlier, None]
        away = position.norm(dim=-1, keepdim=True)
        read = self.other(torch.cat([position, 3.0 * velocity, 3.0 * (velocity - now), earlier.flatten(2), away], 2))
        score = (read * self.query(code)[:, None]).sum(-1) / math.sqrt(self.size.neighbour)
        score = score.masked_fill(~there, -1e4)
        # Beside the neighbours stands an empty one, so that attention may go to nobody.
        weight = torch.softmax(torch.cat([score, torch.zeros_like(score[:, :1])], 1), 1)[:, :-1] * there
        attended = torch.bmm(weight[:, None], read)[:, 0]
        return torch.cat([attended, (read * there[..., None]).amax(1)], 1)


class CrowdLoss(Parameters):
    """Weights of the parts of the loss."""

    final: float = value(1.0, "final displacement beside the mean one", low=0.0, high=100.0)
    soft_m: float = value(0.001, "distances are rounded off below this", low=1e-6, high=1.0)
    others: float = value(0.05, "share that all hypotheses have, so that none is left behind", low=0.0, high=1.0)


def crowd_loss(answer: Tensor, truth: Tensor, weights: CrowdLoss) -> Tensor:
    """Least mean and least final displacement over the hypotheses, each its own, as minADE and minFDE count; scalar, m.

    answer (n, hypothesis, step, 2), truth (n, step, 2).
    """
    dx, dy = answer[..., 0] - truth[:, None, :, 0], answer[..., 1] - truth[:, None, :, 1]
    away = torch.sqrt(dx * dx + dy * dy + weights.soft_m**2)
    mean, final = away.mean(-1), away[..., -1]
    best = mean.amin(1) + weights.final * final.amin(1)
    every = (mean + weights.final * final).mean(1)
    return ((1.0 - weights.others) * best + weights.others * every).mean()

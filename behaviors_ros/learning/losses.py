"""What training makes small. All in the agents' frames; `known` says at which steps the truth is known."""

from __future__ import annotations

import torch
from torch import Tensor

from behaviors_ros.parameters import Parameters, value

Output = dict[str, Tensor]


class LossParameters(Parameters):
    """Weights of the parts of the loss."""

    single: float = value(1.0, "mean displacement of the K = 1 answer, m", low=0.0, high=100.0)
    best: float = value(1.0, "mean displacement of the nearest future, m", low=0.0, high=100.0)
    choice: float = value(0.3, "cross entropy of which future is nearest", low=0.0, high=100.0)
    density: float = value(0.1, "negative log likelihood of the mixture, its means held", low=0.0, high=100.0)
    others: float = value(0.05, "share of `best` that all futures have, so that none is left behind", low=0.0, high=1.0)
    miss: float = value(2.0, "beside the displacement of the nearest future: that it misses", low=0.0, high=100.0)
    miss_m: float = value(2.0, "final displacement from which on a future misses", low=0.1, high=20.0)
    final_step: int = value(
        10, "the displacement at this step, or the last one known before it, counts once more", low=1
    )
    later: float = value(0.25, "what the steps after that one count", low=0.0, high=1.0)
    soft_m: float = value(0.1, "distances are rounded off below this", low=1e-6, high=10.0)


def displacement(position: Tensor, truth: Tensor, soft_m: float) -> Tensor:
    """Distance sqrt(d^2 + soft^2) - soft, m, over the last axis of both."""
    return torch.sqrt(((position - truth) ** 2).sum(-1) + soft_m**2) - soft_m


def over_steps(distance: Tensor, known: Tensor) -> Tensor:
    """Mean over the known steps (last axis), 0 where there is none."""
    return (distance * known).sum(-1) / torch.clamp(known.sum(-1), min=1.0)


def mixture_nll(output: Output, truth: Tensor, known: Tensor) -> Tensor:
    """-log density of the truth (n, step), each step alone, of the mixture of Gaussians whose means are held still.

    The Gaussians are given along and across the motion of their future.
    """
    position = output["position"].detach()
    cos, sin = motion(position)
    away = truth[:, None] - position
    log_x, log_y, rho = output["spread"][..., 0], output["spread"][..., 1], torch.tanh(output["spread"][..., 2])
    u = (cos * away[..., 0] + sin * away[..., 1]) * torch.exp(-log_x)
    v = (cos * away[..., 1] - sin * away[..., 0]) * torch.exp(-log_y)
    left = 1.0 - rho**2 + 1e-6
    peak = -log_x - log_y - 0.5 * torch.log(left) - 1.8378770664
    each = peak - 0.5 * (u**2 - 2.0 * rho * u * v + v**2) / left
    return -torch.logsumexp(each + torch.log_softmax(output["logit"], 1)[..., None], 1) * known


def motion(position: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the direction (n, mode, step) in which each step of a future goes; x ahead where it stands."""
    before = torch.cat([torch.zeros_like(position[..., :1, :]), position[..., :-1, :]], -2)
    step = position - before
    length = torch.sqrt((step**2).sum(-1))
    stands = (length < 0.05).to(step.dtype)
    safe = torch.clamp(length, min=1e-3)
    return step[..., 0] / safe * (1.0 - stands) + stands, step[..., 1] / safe * (1.0 - stands)


def losses(output: Output, truth: Tensor, known: Tensor, weights: LossParameters) -> Output:
    """`total` and its parts. truth (n, step, 2), known (n, step) 0 or 1."""
    steps = torch.arange(1, known.shape[1] + 1, device=known.device)
    counted = known * torch.where(steps <= weights.final_step, 1.0, weights.later)
    last = torch.clamp(known.cumsum(1).argmax(1), max=weights.final_step - 1)
    rows = torch.arange(len(known), device=known.device)
    alone = displacement(output["single"], truth, weights.soft_m)
    each = displacement(output["position"], truth[:, None], weights.soft_m)
    single, final = over_steps(alone, counted) + alone[rows, last], each[rows, :, last]
    cost = over_steps(each, counted[:, None]) + final
    cost = cost + weights.miss * torch.sigmoid(4.0 * (final / weights.miss_m - 1.0))
    nearest = cost.detach().argmin(1)
    best = cost.gather(1, nearest[:, None])[:, 0]
    choice = torch.nn.functional.cross_entropy(output["logit"], nearest, reduction="none")
    density = mixture_nll(output, truth, known).sum(1) / torch.clamp(known.sum(1), min=1.0)
    share = counted.mean(1)
    parts = {"single": single, "best": best + weights.others * cost.mean(1), "choice": choice, "density": density}
    out = {name: (part * share).sum() / torch.clamp(share.sum(), min=1e-6) for name, part in parts.items()}
    out["total"] = sum(getattr(weights, name) * part for name, part in out.items())
    return out

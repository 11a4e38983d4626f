"""Calibration on held-out data: one temperature of the probabilities, one factor of the deviations for every step.

The temperature is the one with the highest likelihood of which future is nearest (Guo et al., "On calibration of modern
neural networks", ICML 2017). The factors are those with the highest likelihood of the truth under the mixture, also
below 1: what is held out is by its speed already unlike what was learned from (`cross_fitting.py`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from behaviors_ros.learning.answer import Answer
from behaviors_ros.learning.losses import mixture_nll

Output = dict[str, Tensor]
WIDEST = 1.5  # largest logarithm of a temperature; searched, since a solver may leap to where all is flat


def calibrate(answer: Answer, output: Output, truth: Tensor, known: Tensor) -> dict[str, list[float] | float]:
    """Fit the answer's temperature and inflation to outputs of its model on held-out data; what was found.

    truth (n, step, 2) in the agents' frames; known (n, step) 0 or 1. A step that is never known has its neighbour's.
    """
    temperature = _temperature(output, truth, known)
    inflation = _inflation({**output, "logit": output["logit"] / temperature}, truth, known)
    answer.temperature.copy_(temperature)
    answer.inflation.copy_(inflation)
    return {"temperature": float(temperature), "inflation": inflation.flatten().tolist()}


def nearest_at(output: Output, truth: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """For each step that is known: which future is nearest (case,), and the row of the case (case,)."""
    row, step = torch.nonzero(known > 0.5, as_tuple=True)
    away = ((output["position"][row, :, step] - truth[row, step][:, None]) ** 2).sum(-1)
    return away.argmin(1), row


def bounded(free: Tensor, most: float = 3.0) -> Tensor:
    """Between -most and most: a likelihood may grow without end where the held-out data is met exactly."""
    return most * torch.tanh(free / most)


def _minimised(start: Tensor, cost: object, iterations: int = 60) -> Tensor:
    """The free values with the least cost, by quasi-Newton steps."""
    free = start.clone().requires_grad_(True)
    solver = torch.optim.LBFGS([free], lr=0.5, max_iter=iterations, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        value = cost(free)  # type: ignore[operator]
        value.backward()
        return value

    solver.step(closure)
    return free.detach()


def _temperature(output: Output, truth: Tensor, known: Tensor) -> Tensor:
    nearest, row = nearest_at(output, truth, known)
    if len(row) == 0:
        return torch.ones(())
    logit, tried = output["logit"].detach()[row], torch.exp(torch.linspace(-WIDEST, WIDEST, 121))
    entropy = [torch.nn.functional.cross_entropy(logit / each, nearest) for each in tried]
    return tried[int(torch.stack(entropy).argmin())]


def _inflation(output: Output, truth: Tensor, known: Tensor) -> Tensor:
    held = {name: values.detach() for name, values in output.items()}
    count = torch.clamp(known.sum(), min=1.0)

    def cost(free: Tensor) -> Tensor:
        spread = torch.cat([held["spread"][..., :2] + bounded(free), held["spread"][..., 2:]], -1)
        nll = mixture_nll({**held, "spread": spread}, truth, known).sum() / count
        return nll + 0.01 * ((free[1:] - free[:-1]) ** 2).sum() + 1e-3 * (free**2).mean()

    return bounded(_minimised(torch.zeros(truth.shape[1], 2), cost))

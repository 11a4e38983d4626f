"""Driving along a path behind others, as differentiable steps: the Intelligent Driver Model and a learned correction.

The law is that of the lane following predictor (`prediction/following.py`; IDM: Treiber, Hennecke, Helbing 2000). A
small network sees what the law sees, and what led to it, and adds an acceleration. One network drives everybody, so
that each recorded agent teaches it about all.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

FAR_M = 100.0  # a gap that is as good as none
RISE, BRAKING, HARDEST = 1.5, 2.0, 6.0  # the law's accelerations, m/s^2, as `lane_following` has them by default
SPACE_M, QUEUE_M, GAIN_MPS, STEADY_MPS, STANDING_MPS = 2.5, 10.0, 3.5, 0.6, 0.25
SEEN = 20  # what the correction sees


class Traffic:
    """What stays the same while a rollout goes on, of agents in any layout (..., ): first speed, limit, gap wanted."""

    def __init__(self, speed: Tensor, speed_1s: Tensor, speed_2s: Tensor, limit: Tensor, gap: Tensor) -> None:
        """Take the wishes from the state at the start: each is content with the gap it keeps."""
        spread = torch.maximum((speed - speed_1s).abs(), (speed - speed_2s).abs())
        spread = torch.maximum(spread, (speed_1s - speed_2s).abs())
        free = (gap > torch.clamp(3.0 * speed, min=20.0)).float()
        settled = 0.8 * torch.clamp(1.0 - spread / STEADY_MPS, min=0.0) * free
        moves = (speed > STANDING_MPS).float()
        starts = torch.maximum(moves, (gap < QUEUE_M).float())
        self.speed, self.gap = speed, gap
        self.wish = starts * (speed + torch.clamp(limit - speed, 0.0, GAIN_MPS) * (1.0 - settled))
        self.space = moves * SPACE_M + (1.0 - moves) * torch.clamp(gap, 0.5 * SPACE_M, QUEUE_M)
        self.headway = torch.clamp((gap - self.space) / torch.clamp(speed, min=1.0), 0.3, 2.0)
        self.trend_1s, self.trend_2s = speed - speed_1s, 0.5 * (speed - speed_2s)

    def pull(self, speed: Tensor, gap: Tensor, ahead: Tensor) -> Tensor:
        """Acceleration of the law behind someone `gap` m in front with speed `ahead`."""
        ratio = speed / torch.clamp(self.wish, min=0.1)
        square = ratio * ratio
        free = torch.where(self.wish > 0.1, 1.0 - square * square, torch.full_like(speed, -1.0))
        closing = speed * (speed - ahead) / (2.0 * math.sqrt(RISE * BRAKING))
        wanted = self.space + torch.relu(speed * self.headway + closing)
        push = wanted / torch.clamp(gap, min=0.5)
        return torch.clamp(RISE * torch.minimum(free, 1.0 - push * push), min=-HARDEST)


class Correction(nn.Module):
    """The learned part of an acceleration, at most `limit` m/s^2 in size; zero before training."""

    def __init__(self, hidden: int, traits: int, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.state = nn.Linear(SEEN, hidden)
        with torch.no_grad():
            self.state.weight[:, -2:] = 0.0  # a place without signals must not teach what they mean
        self.trait = nn.Linear(traits, hidden, bias=False)
        self.net = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, seen: Tensor, trait: Tensor | None) -> Tensor:
        """seen (..., SEEN); trait (..., hidden): what `self.trait` made of the driver's traits."""
        hidden = self.state(seen)
        hidden = hidden if trait is None else hidden + trait
        return self.limit * torch.tanh(self.net(hidden)[..., 0] / self.limit)


def view(
    traffic: Traffic, law: Tensor, speed: Tensor, gap: Tensor, has: Tensor, ahead: Tensor, gap_2: Tensor, has_2: Tensor,
    ahead_2: Tensor, pulled: Tensor, signal: Tensor, time_s: float,
) -> Tensor:  # fmt: skip
    """What the correction sees, scaled: (..., SEEN). pulled: the acceleration of who is in front, a step ago; signal:
    m to the next line with signals, far below 0 where there is none.
    """
    before = (signal > 0.0).to(speed.dtype)
    near = torch.clamp(gap, -1.0, FAR_M)
    columns = [
        torch.clamp(speed, max=20.0) / 10.0,
        has * (ahead - speed) / 5.0,
        has_2 * (ahead_2 - speed) / 5.0,
        near / 20.0,
        torch.log1p(torch.clamp(near, min=0.0)) / 2.0,
        torch.clamp(near, max=10.0) / 5.0 - 1.0,
        torch.clamp(near / (speed + 1.0), max=6.0) / 3.0,
        has,
        has_2,
        torch.clamp(gap_2, 0.0, 150.0) / 50.0,
        traffic.trend_1s * math.exp(-time_s / 1.5),
        traffic.trend_2s * math.exp(-time_s / 3.0),
        has * pulled,
        torch.full_like(speed, time_s / 8.0),
        (speed < STANDING_MPS).to(speed.dtype),
        (speed - traffic.speed) / 5.0,
        has * (near - torch.clamp(traffic.gap, -1.0, FAR_M)) / 20.0,
        law,
        before * torch.clamp(1.0 - signal / 80.0, min=0.0),
        before * torch.clamp(speed * speed / (6.0 * torch.clamp(signal, min=1.0)), max=2.0),
    ]
    return torch.stack(columns, dim=-1)


def shifted(values: Tensor, by: int, fill: float = 0.0) -> Tensor:
    """Along the last axis: who is `by` places farther ahead."""
    return nn.functional.pad(values[..., by:], (0, by), value=fill)


def stepped(speed: Tensor, pull: Tensor, dt_s: float) -> tuple[Tensor, Tensor]:
    """Speed after a step, never below 0, and the way of it, m."""
    faster = torch.relu(speed + pull * dt_s)
    return faster, 0.5 * (speed + faster) * dt_s


class Chain:
    """The motion of the agents in front on some paths: place (..., ahead) m from the agent's centre, speed, at each
    step; each behind the next one.
    """

    def __init__(
        self, correction: Correction, place: Tensor, speed: Tensor, speed_1s: Tensor, speed_2s: Tensor, length: Tensor,
        has: Tensor, limit: Tensor, signal: Tensor, steps: int, dt_s: float,
    ) -> None:  # fmt: skip
        """Roll the chain out; `has` says which entries hold an agent; signal: m from the agent's centre to the next
        line with signals.
        """
        has_1, has_2 = shifted(has, 1), shifted(has, 2)
        half_1 = 0.5 * (length + shifted(length, 1))
        half_2 = 0.5 * (length + shifted(length, 2))

        def gaps(at: Tensor) -> tuple[Tensor, Tensor]:
            first = has_1 * (shifted(at, 1) - at - half_1) + (1.0 - has_1) * FAR_M
            return first, has_2 * (shifted(at, 2) - at - half_2) + (1.0 - has_2) * 1.5 * FAR_M

        traffic = Traffic(speed, speed_1s, speed_2s, limit, gaps(place)[0])
        pull = torch.zeros_like(speed)
        self.place, self.speed, self.pull = [place], [speed], [pull]
        for step in range(steps):
            gap, gap_2 = gaps(place)
            ahead, ahead_2 = shifted(speed, 1), shifted(speed, 2)
            law = traffic.pull(speed, gap, ahead)
            to_line = signal - place - 0.5 * length
            seen = view(
                traffic, law, speed, gap, has_1, ahead, gap_2, has_2, ahead_2, shifted(pull, 1), to_line, step * dt_s
            )
            faster, way = stepped(speed, torch.clamp(law + correction(seen, None), min=-HARDEST), dt_s)
            pull, speed, place = (faster - speed) / dt_s, faster, place + way
            self.place.append(place)
            self.speed.append(speed)
            self.pull.append(pull)

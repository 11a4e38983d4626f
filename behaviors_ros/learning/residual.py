"""The network: how an agent's futures differ from the one that physics finds likeliest, along its way and beside it.

It sees only what means the same in every place: how an agent's speed has changed, who drives in front of it, and what
physics makes of that, all beside its own speed. Position, speed limit, width of the lane and the like tell one place
from another; shown, they are learned by heart, and elsewhere every future is wrong (docs/learning.md). Plain
operations only, so that ONNX holds all.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from behaviors_ros.learning.losses import motion
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.learned_features import AGENT, GROUPS, FeatureSchema
from behaviors_ros.prediction.learned_paths import QUEUE

LEADERS = 3  # agents in front that are shown
LIKELIEST = 1  # among the paths; the first one goes straight ahead
EXPECTED_S = (1.0, 3.0, 5.0)  # when it is asked how much faster physics expects an agent to have been
# What a future is put together from: shapes over time, and a share of what keeping the speed differs from physics.
ALONG, BESIDE, KEPT = 3, 2, 1
# Along the way before training, m/s^2: as physics says, then faster and slower.
STARTS = (0.0, 0.25, -0.25, 0.6, -0.6, 1.0)
Output = dict[str, Tensor]


class ResidualParameters(Parameters):
    """Size of the network."""

    hidden: int = value(32, "width of the layers", low=4, high=512)
    dropout: float = value(0.4, "share of the layers that is left out in training", low=0.0, high=0.9)
    noise: float = value(0.03, "standard deviation added in training to what is seen", low=0.0, high=1.0)
    clipped: float = value(
        0.02, "what is seen is kept between this and one less this quantile of the training data", low=0.0, high=0.4
    )


def seen(x: Output, future_dt_s: float = 0.5) -> Tensor:
    """What the network sees of each agent (n, column): speed and trend, leaders on the likeliest path, expectation."""
    agent, queue, has = x["agent"], x["queue"][:, LIKELIEST], x["queue_valid"][:, LIKELIEST]
    speed, speed_1s, speed_2s = (agent[:, AGENT.index(name), None] for name in ("speed", "speed_1s", "speed_2s"))
    columns = [speed / 10.0, (speed < 0.25).to(speed.dtype), speed - speed_1s, 0.5 * (speed - speed_2s)]
    for k in range(1, min(LEADERS, queue.shape[1] - 1) + 1):
        gap, other, other_1s, other_2s = (queue[:, k, QUEUE.index(n), None] for n in QUEUE[:4])
        shown = [
            torch.ones_like(gap),
            torch.clamp((other - speed) / 5.0, -2.0, 2.0),
            torch.clamp((other - other_1s) / 2.0, -2.0, 2.0),
            torch.clamp((other - other_2s) / 2.0, -2.0, 2.0),
            0.5 * torch.clamp(gap / (speed + 2.0), -1.0, 5.0),
            torch.clamp(gap, 0.0, 40.0) / 20.0,
        ]
        columns += [has[:, k, None] * each for each in shown]
    return torch.clamp(torch.cat([*columns, *_expected(x["base"], speed, future_dt_s)], 1), -6.0, 6.0)


def _expected(way: Tensor, speed: Tensor, dt_s: float) -> list[Tensor]:
    """Constant accelerations (n, 1), m/s^2, with which one is as far at EXPECTED_S as physics says."""
    reached, last = torch.cumsum(pieces(way)[1], -1), way.shape[-2]
    steps = [min(round(time_s / dt_s), last) for time_s in EXPECTED_S]
    return [2.0 * (reached[:, k - 1, None] / (k * dt_s) - speed) / (k * dt_s) for k in steps]


def pieces(way: Tensor) -> tuple[Tensor, Tensor]:
    """The pieces (..., point, 2) of ways from the origin over their points, and how long they are (..., point)."""
    each = way - torch.cat([torch.zeros_like(way[..., :1, :]), way[..., :-1, :]], -2)
    return each, torch.sqrt((each**2).sum(-1) + 1e-12)


def on_way(way: Tensor, s: Tensor) -> Tensor:
    """Position (n, future, step, 2) at distances s >= 0 along ways (n, point, 2) from the origin, straight on beyond
    their ends; the way of who stands goes along x.
    """
    each, length = pieces(way)
    cos, sin = motion(way[:, -2:])
    ahead = torch.stack([cos[:, -1:], sin[:, -1:]], -1)
    # A way is the sum of its turns: from where each piece begins, its direction less the one before.
    direction = torch.cat([each / length[..., None], ahead], 1)
    turn = torch.cat([direction[:, :1], direction[:, 1:] - direction[:, :-1]], 1)
    begin = torch.cat([torch.zeros_like(length[:, :1]), torch.cumsum(length, 1)], 1)
    return torch.relu(s[..., None] - begin[:, None, None]) @ turn[:, None]


class Residual(nn.Module):
    """Futures of each agent: `logit`, `position`, `spread`, `single` as in the contract, but for the softmax."""

    inputs = ("agent", "queue", "queue_valid", "base")

    def __init__(self, schema: FeatureSchema, size: ResidualParameters) -> None:
        super().__init__()
        self.schema, self.size = schema, size
        hidden, futures = size.hidden, schema.modes
        columns = 4 + 6 * min(LEADERS, schema.leaders) + len(EXPECTED_S)
        for name, start in (("low", -6.0), ("high", 6.0), ("mean", 0.0), ("scale", 1.0)):
            self.register_buffer(name, torch.full((columns,), start))
        self.first = nn.Sequential(nn.Linear(columns, hidden), nn.SiLU(), nn.Dropout(size.dropout))
        self.group = nn.Linear(len(GROUPS), hidden, bias=False)
        self.second = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Dropout(size.dropout))
        self.shape = nn.Linear(hidden, futures * (ALONG + BESIDE + KEPT))
        self.logit = nn.Linear(hidden, schema.modes)
        self.spread = nn.Linear(hidden, schema.modes * 9)
        for part in (self.group.weight, self.shape.weight, self.shape.bias, self.spread.weight, self.spread.bias):
            nn.init.zeros_(part)
        with torch.no_grad():
            starts = [STARTS[k % len(STARTS)] for k in range(schema.modes)]
            self.shape.bias.view(futures, -1)[:, 0] = torch.tensor(starts)
        t = torch.arange(1, schema.future_steps + 1) * schema.future_dt_s
        along = torch.stack([0.5 * t**2 / (1.0 + t / 8.0), t**3 / 30.0, t**3 * (t - 5.0) / 120.0])
        self.register_buffer("along", along, persistent=False)
        self.register_buffer("beside", torch.stack([t / 5.0, (t / 5.0) ** 2]), persistent=False)
        growth = torch.stack([torch.ones_like(t), torch.log(t), t / t[-1]], 1)
        self.register_buffer("growth", growth, persistent=False)
        self.register_buffer("time_s", t, persistent=False)

    def fit(self, x: Output) -> None:
        """Take limits, mean and scale of what is seen from the training data."""
        shown, rare = seen(x, self.schema.future_dt_s), self.size.clipped
        self.low.copy_(torch.quantile(shown, rare, 0))
        self.high.copy_(torch.quantile(shown, 1.0 - rare, 0))
        kept = torch.clamp(shown, self.low, self.high)
        self.mean.copy_(kept.mean(0))
        self.scale.copy_(1.0 / (kept.std(0) + 0.05))

    def forward(self, x: Output) -> Output:
        """x: the arrays of the features by name, first axis n."""
        shown = seen(x, self.schema.future_dt_s)
        shown = (torch.maximum(torch.minimum(shown, self.high), self.low) - self.mean) * self.scale
        if self.training:
            shown = shown + self.size.noise * torch.randn_like(shown)
        code = self.second(self.first(shown) + self.group(x["agent"][:, -len(GROUPS) :]))
        futures, way = self.schema.modes, x["base"]
        shape = self.shape(code).view(-1, futures, ALONG + BESIDE + KEPT)
        kept = x["agent"][:, :1] * self.time_s - torch.cumsum(pieces(way)[1], -1)
        s = self._travelled(way, shape[..., :ALONG] @ self.along + shape[..., -KEPT:] * kept[:, None])
        cos, sin = motion(way)
        aside = (shape[..., ALONG : ALONG + BESIDE] @ self.beside)[..., None] * torch.stack([-sin, cos], -1)[:, None]
        position = on_way(way, s) + aside
        spread = self.growth @ self.spread(code).view(-1, self.schema.modes, 3, 3)
        spread = torch.clamp(spread + self._doubt(s.detach()), -5.0, 4.0)
        # Alone, physics is as near: what is learned of one place about the mean does not hold in another.
        return {"logit": self.logit(code), "position": position, "spread": spread, "single": way}

    def _doubt(self, s: Tensor) -> Tensor:
        """Spread before training, as in the contract: it grows with the time that one has moved; s: distances, m."""
        moved = torch.minimum(0.5 * s, self.time_s.expand_as(s))
        along, across = 0.03 + 0.02 * self.time_s + 0.25 * moved, 0.03 + 0.01 * self.time_s + 0.08 * moved
        return torch.stack([torch.log(along), torch.log(across), torch.zeros_like(s)], -1)

    def _travelled(self, way: Tensor, more: Tensor) -> Tensor:
        """Distance along the way at each step (n, future, step), m: that of physics and `more`; nobody goes back."""
        grown = more - torch.cat([torch.zeros_like(more[..., :1]), more[..., :-1]], -1)
        return torch.cumsum(torch.relu(pieces(way)[1][:, None] + grown), -1)

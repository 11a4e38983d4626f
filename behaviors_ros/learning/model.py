"""The network: what `prediction/learned_features.py` shows of an agent, to its futures with probability and spread.

Agent, past, neighbours and paths are encoded with attention over the latter two. Each future drives along a path behind
the queue on it (`rollout.py`), with traits and a lateral profile that the encoding gives it. An agent on no lane has a
straight path and may leave it freely. Plain operations only, so that ONNX holds all of it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from behaviors_ros.learning.rollout import FAST_MPS, Correction, Places, rolled_out
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.learned_features import AGENT, GROUPS, NEIGHBOUR, FeatureSchema
from behaviors_ros.prediction.learned_paths import PATH

AGENT_SCALE = {"speed": 10.0, "speed_1s": 10.0, "speed_2s": 10.0, "seen_s": 3.0, "length": 5.0, "width": 2.0}
NEIGHBOUR_SCALE = {"x": 20.0, "y": 20.0, "velocity_x": 10.0, "velocity_y": 10.0, "length": 5.0, "width": 2.0}
PATH_SHOWN = ("offset", "sin", "weight", "half_width", "keep_lane", "change_left", "change_right", "turn_left",
              "turn_right", "straight")  # fmt: skip
PLAIN, PLAIN_WIDTH = 5, 16  # numbers that tell how far apart futures are, and the layer behind them
KNOTS = 4  # of what varies along the future
# The futures before training: acceleration, m/s^2, and wanted speed, m/s, beside those of the law.
STARTS = ((0.0, 0.0), (0.4, 1.0), (-0.4, 0.0), (0.9, 3.0), (-1.0, 0.0), (0.0, 0.0))
REACH = (0.4, 0.8, 2.0)  # how far training may move accelerations now, their change until the end, and wanted speeds


class ModelParameters(Parameters):
    """Size of the network, and which of its parts are used."""

    hidden: int = value(64, "width of the layers", low=4, high=512)
    driver: int = value(32, "width of the correction of the law", low=4, high=128)
    traits: int = value(8, "what a future knows of its driver", low=1, high=64)
    dropout: float = value(0.1, "share of the encoding that is left out in training", low=0.0, high=0.9)
    correction_mps2: float = value(3.0, "largest correction of the law of following", low=0.0, high=10.0)
    slots: tuple[int, ...] = value((0, 0, 0, 0, 0, 1), "path of each future: 0 the likeliest, 1 the next, ...")


Output = dict[str, Tensor]


def mlp(inputs: int, hidden: int, outputs: int, dropout: float = 0.0) -> nn.Sequential:
    """Two layers."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), nn.Dropout(dropout), nn.Linear(hidden, outputs))


def scales(names: tuple[str, ...], known: dict[str, float]) -> Tensor:
    """1 / scale of each column."""
    return torch.tensor([1.0 / known.get(name, 1.0) for name in names])


def attended(query: Tensor, key: Tensor, content: Tensor, valid: Tensor) -> Tensor:
    """Softmax attention of (n, width) over (n, items, width), where valid (n, items); nothing where none is."""
    score = (key * query[:, None]).sum(-1) / math.sqrt(query.shape[-1]) - (1.0 - valid) * 1e4
    weight = torch.softmax(score, dim=1) * valid
    return (weight[..., None] * content).sum(1)


def on_path(points: Tensor, spacing: Tensor, s: Tensor, d: Tensor) -> Tensor:
    """Position (..., step, 2) at arc length s >= 0 and offset d (..., step) of paths (..., point, 5).

    Linear between the points, straight on beyond the last one.
    """
    count = points.shape[-2]
    place = s / spacing[..., None]
    weight = torch.relu(1.0 - (torch.clamp(place, max=count - 1.0)[..., None] - torch.arange(float(count))).abs())
    at = weight @ points[..., :4]
    over = torch.relu(place - (count - 1.0)) * spacing[..., None]
    cos, sin = at[..., 2], at[..., 3]
    return torch.stack([at[..., 0] + over * cos - d * sin, at[..., 1] + over * sin + d * cos], dim=-1)


class Encoder(nn.Module):
    """One vector an agent."""

    def __init__(self, schema: FeatureSchema, size: ModelParameters) -> None:
        super().__init__()
        hidden, past = size.hidden, schema.past_steps
        self.register_buffer("agent_scale", scales(AGENT, AGENT_SCALE), persistent=False)
        self.register_buffer("neighbour_scale", scales(NEIGHBOUR, NEIGHBOUR_SCALE), persistent=False)
        self.dt_s, self.shown = schema.dt_s, [PATH.index(name) for name in PATH_SHOWN]
        plain = len(AGENT) - len(GROUPS)
        self.agent = mlp(plain + 3 * (past - 1), hidden, hidden, size.dropout)
        self.group = nn.Linear(len(GROUPS), hidden, bias=False)
        nn.init.zeros_(self.group.weight)
        self.neighbour = mlp(
            len(NEIGHBOUR) - len(GROUPS) + 3 * schema.neighbour_steps, hidden, 2 * hidden, size.dropout
        )
        self.neighbour_group = nn.Linear(len(GROUPS), 2 * hidden, bias=False)
        nn.init.zeros_(self.neighbour_group.weight)
        self.path = mlp(len(PATH_SHOWN) + past + 5 * (schema.leaders + 1) + 2, hidden, 2 * hidden, size.dropout)
        self.out = nn.Sequential(nn.Linear(3 * hidden, hidden), nn.SiLU(), nn.Dropout(size.dropout))

    def forward(self, x: Output) -> Tensor:
        """(n, hidden)."""
        plain = len(AGENT) - len(GROUPS)
        speed = x["agent"][:, :1]
        moved = (x["past"][:, 1:] - x["past"][:, :-1]) / self.dt_s
        both = x["past_valid"][:, 1:] * x["past_valid"][:, :-1]
        slower = torch.cat([moved[..., 0] - speed, moved[..., 1]], 1) / 3.0 * torch.cat([both, both], 1)
        trend = torch.cat([torch.clamp(speed, max=FAST_MPS) / 3.0, x["agent"][:, 1:3] - speed], 1) / 3.0
        own = torch.cat([trend, (x["agent"] * self.agent_scale)[:, 3:plain], slower, both], 1)
        token = self.agent(own) + self.group(x["agent"][:, plain:])
        others = self._neighbours(x)
        paths = self._paths(x)
        half = token.shape[1]
        seen = attended(token, others[..., :half], others[..., half:], x["neighbour_valid"])
        ways = attended(token, paths[..., :half], paths[..., half:], x["path_valid"])
        return self.out(torch.cat([token, seen, ways], 1))

    def _neighbours(self, x: Output) -> Tensor:
        plain = len(NEIGHBOUR) - len(GROUPS)
        now = x["neighbour"] * self.neighbour_scale
        valid = x["neighbour_past_valid"]
        past = (x["neighbour_past"] - x["neighbour"][:, :, None, :2]) * valid[..., None] / 5.0
        ahead = now[..., 2:3] - x["agent"][:, None, :1] / 10.0
        shown = torch.cat([now[..., :2], ahead, now[..., 3:plain], past.flatten(2), valid], 2)
        return self.neighbour(shown) + self.neighbour_group(x["neighbour"][..., plain:])

    def _paths(self, x: Output) -> Tensor:
        speed = x["agent"][:, None, None, :1]
        queue, valid = x["queue"], x["queue_valid"][..., None]
        gap, drift = queue[..., :1] / 20.0, (queue[..., 1:2] - speed) / 5.0
        faster = torch.cat([queue[..., 1:2] - queue[..., 2:3], queue[..., 1:2] - queue[..., 3:4]], 3) / 2.0
        seen = torch.cat([torch.clamp(gap, -2.0, 4.0) * valid, drift * valid, faster * valid, valid], 3)
        bend = x["path_point"][:, :, -1, 2:4]
        return self.path(torch.cat([x["path"][..., self.shown], x["path_past"], seen.flatten(2), bend], 2))


class Forecaster(nn.Module):
    """Futures of each agent: `logit`, `position`, `spread`, `single` as in the contract, but for the softmax."""

    def __init__(self, schema: FeatureSchema, size: ModelParameters) -> None:
        super().__init__()
        self.inputs = tuple(name for name in schema.shapes if name != "base")
        self.schema, self.size = schema, size
        self.slots = [*(size.slots[k] if k < len(size.slots) else 0 for k in range(schema.modes)), 0]
        futures, hidden = schema.modes + 1, size.hidden
        self.encoder = Encoder(schema, size)
        self.places = Places(self.slots, schema.leaders)
        self.correction = Correction(size.driver, size.traits, size.correction_mps2)
        self.trait = nn.Linear(hidden, futures * size.traits)
        self.push = mlp(PLAIN, PLAIN_WIDTH, futures * 3)
        self.lateral = mlp(hidden + schema.past_steps + 5, hidden, futures * KNOTS, size.dropout)
        self.free = mlp(hidden, hidden, futures * KNOTS * 2, size.dropout)
        self.logit = mlp(hidden, hidden, schema.modes, size.dropout)
        self.spread = mlp(PLAIN, PLAIN_WIDTH, schema.modes * 3 * 3)
        for part in (self.push, self.lateral, self.free, self.spread):
            nn.init.zeros_(part[-1].weight)
            nn.init.zeros_(part[-1].bias)
        starts = torch.zeros(futures, 3)
        starts[:-1, [0, 2]] = torch.tensor([STARTS[k % len(STARTS)] for k in range(schema.modes)])
        self.register_buffer("starts", starts, persistent=False)
        self.register_buffer("reach", torch.tensor(REACH), persistent=False)
        time = torch.arange(1, schema.future_steps + 1) / schema.future_steps
        centre = torch.arange(1, KNOTS + 1) / KNOTS
        self.register_buffer("hats", torch.relu(1.0 - (time[:, None] - centre).abs() * KNOTS), persistent=False)
        seconds = time * schema.future_steps * schema.future_dt_s
        growth = torch.stack([torch.ones_like(seconds), torch.log(seconds), time], 1)
        self.register_buffer("growth", growth, persistent=False)
        base = torch.stack([torch.log(0.15 + 0.3 * seconds), torch.log(0.1 + 0.1 * seconds), 0.0 * seconds], 1)
        self.register_buffer("base_spread", base, persistent=False)

    def forward(self, x: Output) -> Output:
        """x: the arrays of the features by name, first axis n."""
        code = self.encoder(x)
        n, futures = code.shape[0], self.schema.modes + 1
        ways = self._ways(x)
        on_lane = x["path_valid"][:, 1]
        traits = self.trait(code).view(n, futures, self.size.traits)
        plain = self._plain(x, ways)
        push = self.starts + self.reach * torch.tanh(self.push(plain).view(n, futures, 3))
        # The K = 1 answer is that of the law and its correction alone.
        s = self._driven(x, ways, traits, torch.cat([push[:, :-1], 0.0 * push[:, -1:]], 1))
        d = self._beside(x, ways, code, s)
        points, spacing = ways["path_point"][:, self.slots], ways["path"][:, self.slots][..., PATH.index("spacing")]
        position = on_path(points, spacing, s, d)
        free = (self.hats @ self.free(code).view(n, futures, KNOTS, 2)) * (1.0 - on_lane)[:, None, None, None]
        position = position + free
        spread = self.growth @ self.spread(plain).view(n, self.schema.modes, 3, 3)
        spread = torch.clamp(spread + self.base_spread, -5.0, 4.0)
        out = {"logit": self.logit(code), "position": position[:, :-1], "spread": spread}
        return out | {"single": position[:, -1]}

    def _plain(self, x: Output, ways: Output) -> Tensor:
        """The little that tells how far apart futures are, everywhere alike: speed, and who is in front (n, PLAIN)."""
        speed, has = x["agent"][:, :1], ways["queue_valid"][:, 0, 1:2]
        gap = has * torch.clamp(ways["queue"][:, 0, 1, :1], 0.0, 50.0) / 50.0
        closing = has * torch.clamp(ways["queue"][:, 0, 1, 1:2] - speed, -5.0, 5.0) / 5.0
        slow = torch.clamp(speed, max=2.0) / 2.0
        return torch.cat([slow, torch.clamp(speed, max=FAST_MPS) / 10.0, has, gap, closing], 1)

    def _ways(self, x: Output) -> Output:
        """Of each array of the paths the likeliest, the next ones; the straight one where there is none."""
        slots = max(self.slots) + 1
        valid = x["path_valid"][:, 1 : slots + 1]
        out = {}
        for name in ("path", "path_point", "path_past", "queue", "queue_valid"):
            array = x[name]
            some = valid.view(*valid.shape, *([1] * (array.dim() - 2)))
            home = some[:, :1] * array[:, 1:2] + (1.0 - some[:, :1]) * array[:, :1]
            out[name] = some * array[:, 1 : slots + 1] + (1.0 - some) * home
        return out

    def _driven(self, x: Output, ways: Output, traits: Tensor, push: Tensor) -> Tensor:
        """How far each future has come along its path at each step (n, future, step), m."""
        schema, limit = self.schema, ways["path"][..., PATH.index("limit")]
        queue, has = ways["queue"][:, :, 1:], ways["queue_valid"][:, :, 1:]
        futures, leaders = len(self.slots), schema.leaders
        length = x["agent"][:, AGENT.index("length"), None]
        has_line = ways["path"][..., PATH.index("has_signal")]
        line = has_line * ways["path"][..., PATH.index("signal")] - (1.0 - has_line) * 1e4

        def entries(ahead: Tensor, own: Tensor) -> Tensor:
            """Of those in front (n, path, leader) and of the agent (n, 1 or future): (1, n, entry)."""
            return torch.cat([ahead.flatten(1), own.expand(-1, futures)], 1)[None]

        place = has * (queue[..., 0] + 0.5 * (length[..., None] + queue[..., 4]))
        to_line = (line + 0.5 * length)[..., None] - 0.5 * queue[..., 4]
        padding = (0, 0, self.places.ahead, 0)
        s = rolled_out(
            self.correction, self.places, entries(place, 0.0 * length),
            tuple(entries(queue[..., k], x["agent"][:, k - 1, None]) for k in (1, 2, 3)),
            entries(queue[..., 4], length), entries(has, torch.ones_like(length)),
            entries(limit[..., None].expand(-1, -1, leaders), limit[:, self.slots]),
            entries(to_line, line[:, self.slots]), nn.functional.pad(traits, padding),
            nn.functional.pad(push, padding), schema.future_steps, schema.future_dt_s,
        )  # fmt: skip
        return s[:, self.places.ahead :]

    def _beside(self, x: Output, ways: Output, code: Tensor, s: Tensor) -> Tensor:
        """Offset from the path at each step (n, future, step), m: critically damped to the centre, and a profile."""
        state = ways["path"][:, self.slots]
        offset, sin, cos = (state[..., PATH.index(name)] for name in ("offset", "sin", "cos"))
        slope = torch.clamp(sin, -0.8, 0.8) / torch.clamp(cos, min=0.6)
        speed = x["agent"][:, :1]
        settle = torch.clamp(2.5 * speed, min=8.0)[..., None]
        rise = slope[..., None] + offset[..., None] / settle
        d = (offset[..., None] + rise * s) * torch.exp(-s / settle)
        home = ways["path"][:, 0]
        own = torch.cat([code, speed / 10.0, ways["path_past"][:, 0], home[:, [PATH.index(name) for name in
                        ("offset", "sin", "weight", "half_width")]]], 1)  # fmt: skip
        profile = self.lateral(own).view(own.shape[0], -1, KNOTS) @ self.hats.T
        return d + profile * torch.tanh(s / 5.0)

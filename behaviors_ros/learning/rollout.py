"""Driving along a path behind others, as differentiable steps: the Intelligent Driver Model and a learned correction.

The law is that of the lane following predictor (`prediction/following.py`; IDM: Treiber, Hennecke, Helbing 2000). A
small network sees what the law sees, and what led to it, and adds an acceleration. One network drives everybody, so
that each recorded agent teaches it about all.

All drive together, those in front and the futures of the agent itself, as entries of one axis. States have a first axis
of 1, along which what the network sees is joined in whole blocks, and what stays the same is computed once: exported, a
rollout costs by the number of its operations more than by the number of agents.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

FAR_M = 100.0  # a gap that is as good as none
RISE, BRAKING, HARDEST = 1.5, 2.0, 6.0  # the law's accelerations, m/s^2, as `lane_following` has them by default
SPACE_M, QUEUE_M, GAIN_MPS, STEADY_MPS, STANDING_MPS = 2.5, 10.0, 3.5, 0.6, 0.25
SEEN = 20  # what the correction sees
# Who stands goes by the law but for this share of the correction, who drives so fast as the correction says: why one
# stands (a signal, a passenger) is hardly ever seen, and differs from place to place more than how one drives.
STANDING_SHARE, DRIVING_MPS = 0.15, 2.0
FAST_MPS = 20.0  # who is faster is taken for as fast


def share_of(speed: Tensor) -> Tensor:
    """Share of the correction by the speed at the start, m/s."""
    return STANDING_SHARE + (1.0 - STANDING_SHARE) * torch.clamp(speed / DRIVING_MPS, max=1.0)


class Traffic:
    """What stays the same while a rollout goes on, of agents in any layout (1, ...): first speed, limit, gap wanted.

    has, has_2: whether there is an agent in front, and a second one. eager: wanted speed beyond the law's, m/s.
    """

    def __init__(
        self, speed: Tensor, speed_1s: Tensor, speed_2s: Tensor, limit: Tensor, gap: Tensor, has: Tensor, has_2: Tensor,
        eager: Tensor | None = None,
    ) -> None:  # fmt: skip
        """Take the wishes from the state at the start: each is content with the gap it keeps."""
        change = torch.maximum((speed - speed_1s).abs(), (speed - speed_2s).abs())
        spread = torch.maximum(change, (speed_1s - speed_2s).abs())
        free = (gap > torch.clamp(3.0 * speed, min=20.0)).float()
        settled = 0.8 * torch.clamp(1.0 - spread / STEADY_MPS, min=0.0) * free
        moves = (speed > STANDING_MPS).float()
        starts = torch.maximum(moves, (gap < QUEUE_M).float())
        wish = starts * (speed + torch.clamp(limit - speed, 0.0, GAIN_MPS) * (1.0 - settled))
        wish = wish if eager is None else torch.relu(wish + eager)
        self.has, self.has_2, self.speed, self.near = has, has_2, speed, torch.clamp(gap, -1.0, FAR_M)
        self.wants, self.wish, self.per_wish = wish > 0.1, wish, 1.0 / torch.clamp(wish, min=0.1)
        self.space = moves * SPACE_M + (1.0 - moves) * torch.clamp(gap, 0.5 * SPACE_M, QUEUE_M)
        self.headway = torch.clamp((gap - self.space) / torch.clamp(speed, min=1.0), 0.3, 2.0)
        self.share, self.ones = share_of(speed), torch.ones_like(speed)
        self.trend_1s, self.trend_2s = speed - speed_1s, 0.5 * (speed - speed_2s)

    def pull(self, speed: Tensor, gap: Tensor, ahead: Tensor, dt_s: float) -> Tensor:
        """Acceleration of the law behind someone `gap` m in front with speed `ahead`.

        On a free road a step leads to the wanted speed at most, not past it: the law is stiff where that is small, and
        would swing about it, and with it the last digits of whatever computes it.
        """
        ratio = speed * self.per_wish
        square = ratio * ratio
        lacking = (self.wish - speed) * (1.0 / (RISE * dt_s))
        free = torch.minimum(torch.maximum(1.0 - square * square, torch.clamp(lacking, max=0.0)), torch.relu(lacking))
        free = torch.where(self.wants, free, torch.tensor(-1.0))
        closing = (speed - ahead) * (1.0 / (2.0 * math.sqrt(RISE * BRAKING)))
        wanted = self.space + torch.relu(speed * (self.headway + closing))
        push = wanted / torch.clamp(gap, min=0.5)
        return torch.clamp(RISE * torch.minimum(free, 1.0 - push * push), min=-HARDEST)

    def view(
        self, law: Tensor, speed: Tensor, gap: Tensor, ahead: Tensor, gap_2: Tensor, ahead_2: Tensor, pulled: Tensor,
        signal: Tensor,
    ) -> Tensor:  # fmt: skip
        """What the correction sees, before it is scaled, with ones in place of the time: (SEEN, ...).

        pulled: the acceleration of who is in front, a step ago; signal: m to the next line with signals, far below 0
        where there is none.
        """
        before = (signal > 0.0).to(speed.dtype)
        near = torch.clamp(gap, -1.0, FAR_M)
        columns = [
            torch.clamp(speed, max=FAST_MPS),
            self.has * (ahead - speed),
            self.has_2 * (ahead_2 - speed),
            near,
            torch.log(1.0 + torch.relu(near)),
            torch.clamp(near, max=10.0),
            torch.clamp(near / (speed + 1.0), max=6.0),
            self.has,
            self.has_2,
            torch.clamp(gap_2, 0.0, 150.0),
            self.trend_1s,
            self.trend_2s,
            self.has * pulled,
            self.ones,
            (speed < STANDING_MPS).to(speed.dtype),
            speed - self.speed,
            self.has * (near - self.near),
            law,
            before * torch.relu(80.0 - signal),
            before * torch.clamp(speed * speed / torch.clamp(signal, min=1.0), max=12.0),
        ]
        return torch.cat(columns)


TIME, NEAR_CAPPED, TREND_1S, TREND_2S = 13, 5, 10, 11  # columns of what the correction sees
SCALE = (10.0, 5.0, 5.0, 20.0, 2.0, 5.0, 3.0, 1.0, 1.0, 50.0, 1.0, 1.0, 1.0, 8.0, 1.0, 5.0, 20.0, 1.0,
         80.0, 6.0)  # fmt: skip


# What changes: differences of speed, trends, the law's pull, signals. Where none of this is, the correction is zero.
CHANGES = (1, 2, 10, 11, 12, 15, 16, 17, 18, 19)


class Correction(nn.Module):
    """The learned part of an acceleration, at most `limit` m/s^2 in size; zero before training.

    It is what the network says less what it says where nothing changes, all else the same: where all drive on as they
    do, the law is right. What a place does to everybody (its signals, a jam ahead) is not carried to the next place.
    """

    def __init__(self, hidden: int, traits: int, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.state = nn.Linear(SEEN, hidden)
        with torch.no_grad():
            self.state.weight[:, -2:] = 0.0  # a place without signals must not teach what they mean
        still = torch.ones(SEEN)
        still[list(CHANGES)] = 0.0
        self.register_buffer("still", still, persistent=False)
        self.register_buffer("time_only", torch.eye(SEEN)[TIME], persistent=False)
        self.trait = nn.Linear(traits, hidden, bias=False)
        self.net = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, seen: Tensor, time_s: float, trait: Tensor) -> Tensor:
        """Acceleration (1, n, entry). seen (SEEN, n, entry); trait (hidden, 2 n x entry): what `of_driver` made.

        The scales of the columns and the bias are put into the first layer's weights: in a graph these are constants.
        """
        entries, scale = seen.shape[2], [1.0 / size for size in SCALE]
        scale[TREND_1S], scale[TREND_2S], scale[TIME] = math.exp(-time_s / 1.5), math.exp(-time_s / 3.0), 0.0
        always = self.state.bias - self.state.weight[:, NEAR_CAPPED]
        always = always + self.state.weight[:, TIME] * (time_s / SCALE[TIME])
        weight = self.state.weight * torch.tensor(scale) + always[:, None] * self.time_only
        seen = seen.view(SEEN, -1)
        both = torch.cat([weight @ seen, (weight * self.still) @ seen], 1) + trait
        both = self.net[1].weight @ nn.functional.silu(both) + self.net[1].bias[:, None]
        said, still = (self.net[3].weight @ nn.functional.silu(both) + self.net[3].bias[:, None]).chunk(2, 1)
        return (self.limit * torch.tanh((said - still) / self.limit)).view(1, -1, entries)

    def of_driver(self, traits: Tensor) -> Tensor:
        """What the first layer is given of the drivers' traits (n, entry, trait), for both answers."""
        told = self.trait.weight @ traits.flatten(0, 1).T
        return torch.cat([told, told], 1)


class Places:
    """Who drives behind whom: entries are those in front, path by path, then the futures on the paths of `slots`."""

    def __init__(self, slots: list[int], leaders: int) -> None:
        """`leaders` in front on each path; the one farthest ahead has nobody in front."""
        paths = max(slots) + 1
        self.ahead = paths * leaders
        self.first, self.second = (self._behind(slots, paths, leaders, by) for by in (1, 2))

    def _behind(self, slots: list[int], paths: int, leaders: int, by: int) -> tuple[list[int], Tensor]:
        """Entry of who is `by` places farther ahead of each, and 1 or 0: whether there is such a place."""
        entries, there = [], []
        for path in range(paths):
            for place in range(leaders):
                there.append(float(place + by < leaders))
                entries.append(path * leaders + min(place + by, leaders - 1))
        entries += [slot * leaders + by - 1 for slot in slots]
        return entries, torch.tensor(there + [1.0] * len(slots))

    def of(self, values: Tensor, by: int) -> Tensor:
        """Along the last axis: the values of who is `by` places farther ahead; 0 where there is no place."""
        return self.at(values, by) * (self.first if by == 1 else self.second)[1]

    def at(self, values: Tensor, by: int) -> Tensor:
        """The same, with anything where there is no place: for what is not looked at where nobody is."""
        return values[..., (self.first if by == 1 else self.second)[0]]


def stepped(speed: Tensor, pull: Tensor, dt_s: float) -> tuple[Tensor, Tensor]:
    """Speed after a step, never below 0, and the way of it, m."""
    faster = torch.relu(speed + pull * dt_s)
    return faster, (speed + faster) * (0.5 * dt_s)


def rolled_out(
    correction: Correction, places: Places, place: Tensor, speed: tuple[Tensor, Tensor, Tensor], length: Tensor,
    has: Tensor, limit: Tensor, line: Tensor, traits: Tensor, push: Tensor, steps: int, dt_s: float,
) -> Tensor:  # fmt: skip
    """Where each entry is after each step (n, entry, step), m.

    All (1, n, entry): place m along the path from the agent's centre; speeds now, one and two seconds ago; length;
    has: whether there is somebody; line: m from the agent's centre to where the entry's centre is at the line with
    signals. traits (n, entry, trait); push (n, entry, 3): acceleration, its rise, and wanted speed beside the law's.
    """
    has_1, has_2 = places.of(has, 1), places.of(has, 2)
    half_1, half_2 = (0.5 * (length + places.of(length, by)) for by in (1, 2))
    far_1, far_2 = (1.0 - has_1) * FAR_M, (1.0 - has_2) * 1.5 * FAR_M
    extra, rising, eager = push[None].unbind(-1)
    first = has_1 * (places.of(place, 1) - place - half_1) + far_1
    traffic = Traffic(*speed, limit, first, has_1, has_2, eager)
    trait, now, pull, out = correction.of_driver(traits), speed[0], place * 0.0, []
    for step in range(steps):
        state = torch.cat([place, now, pull])
        place_1, ahead, pulled = places.at(state, 1).split(1)
        place_2, ahead_2 = places.at(state[:2], 2).split(1)
        ahead = ahead * places.first[1]
        gap = has_1 * (place_1 - place - half_1) + far_1
        gap_2 = has_2 * (place_2 - place - half_2) + far_2
        law = traffic.pull(now, gap, ahead, dt_s)
        seen = traffic.view(law, now, gap, ahead, gap_2, ahead_2, pulled, line - place)
        own = extra + (step / steps) * rising
        wanted = law + traffic.share * correction(seen, step * dt_s, trait) + own
        faster, way = stepped(now, torch.clamp(wanted, min=-HARDEST), dt_s)
        pull, now, place = (faster - now) * (1.0 / dt_s), faster, place + way
        out.append(place)
    return torch.stack(out, -1)[0]

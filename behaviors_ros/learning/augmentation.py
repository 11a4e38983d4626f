"""Batches of features made different: mirrored, with less seen, less exact, without a map.

What is seen of an agent is already free of place and direction, so that a rotation would change nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from behaviors_ros.parameters import Parameters, value
from behaviors_ros.prediction.learned_features import AGENT, NEIGHBOUR
from behaviors_ros.prediction.learned_paths import PATH, POINT

Output = dict[str, Tensor]

MIRRORED = {
    "past": (1,), "neighbour_past": (1,), "truth": (1,), "base": (1,),
    "agent": (AGENT.index("sideways_1s"), AGENT.index("yaw_rate")),
    "neighbour": tuple(NEIGHBOUR.index(name) for name in ("y", "velocity_y", "sin")),
    "path": (PATH.index("offset"), PATH.index("sin")),
    "path_point": (POINT.index("y"), POINT.index("sin")),
}  # fmt: skip
SCALED = {
    "past": (0, 1), "neighbour_past": (0, 1), "truth": (0, 1), "base": (0, 1), "path_past": (),
    "agent": tuple(AGENT.index(name) for name in ("speed", "speed_1s", "speed_2s", "sideways_1s", "length", "width")),
    "neighbour": tuple(NEIGHBOUR.index(name) for name in ("x", "y", "velocity_x", "velocity_y", "length", "width")),
    "path": tuple(PATH.index(n) for n in ("spacing", "offset", "limit", "half_width", "line", "sign", "signal")),
    "path_point": tuple(POINT.index(name) for name in ("x", "y", "cap")),
    "queue": (0, 1, 2, 3, 4),
}  # fmt: skip
SWAPPED = (("change_left", "change_right"), ("turn_left", "turn_right"))
MAP = ("path", "path_valid", "path_point", "path_past", "queue", "queue_valid")


class Augmentation(Parameters):
    """How often each change is made, drawn for each agent."""

    mirror: float = value(0.5, "share that is mirrored at the x axis", low=0.0, high=1.0)
    scale: float = value(1.6, "lengths and speeds are multiplied with up to this, or its inverse", low=1.0, high=3.0)
    shorten: float = value(0.3, "share whose past is cut to a random length", low=0.0, high=1.0)
    least_past: int = value(5, "steps of the past that are left at least", low=2, high=64)
    no_map: float = value(0.05, "share that is shown no lane", low=0.0, high=1.0)
    no_neighbours: float = value(0.02, "share that is shown no neighbour", low=0.0, high=1.0)
    position_m: float = value(0.02, "standard deviation added to positions of the past", low=0.0, high=2.0)
    speed_mps: float = value(0.1, "standard deviation added to the speeds of who drives in front", low=0.0, high=5.0)


def augmented(batch: Output, how: Augmentation, draw: torch.Generator) -> Output:
    """A changed copy of a batch of features, with `truth` and `known`; what the batch does not hold is not missed."""
    out = dict(batch)
    n = len(out["agent"])

    def chosen(share: float) -> Tensor:
        return (torch.rand(n, generator=draw) < share).to(out["agent"].dtype)

    _mirror(out, chosen(how.mirror))
    _scale(out, torch.exp((2.0 * torch.rand(n, generator=draw) - 1.0) * math.log(how.scale)))
    _shorten(out, chosen(how.shorten), how.least_past, draw)
    _blur(out, how, draw)
    _hide_map(out, chosen(how.no_map))
    alone = chosen(how.no_neighbours)
    if "neighbour_valid" in out:
        out["neighbour_valid"] = out["neighbour_valid"] * (1.0 - alone)[:, None]
    return out


def _held(out: Output, columns: dict[str, tuple[int, ...]]) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, numbers) for name, numbers in columns.items() if name in out]


def _mirror(out: Output, which: Tensor) -> None:
    for name, columns in _held(out, MIRRORED):
        sign = torch.ones(out[name].shape[-1])
        sign[list(columns)] = -1.0
        flip = which.view(-1, *([1] * (out[name].dim() - 1)))
        out[name] = out[name] * (1.0 + flip * (sign - 1.0))
    if "path" not in out:
        return
    out["path_past"] = out["path_past"] * (1.0 - 2.0 * which[:, None, None])
    order = list(range(len(PATH)))
    for left, right in SWAPPED:
        a, b = PATH.index(left), PATH.index(right)
        order[a], order[b] = b, a
    out["path"] = torch.where(which[:, None, None] > 0.5, out["path"][..., order], out["path"])


def _scale(out: Output, by: Tensor) -> None:
    """Larger or smaller, at the same pace: a town becomes a motorway."""
    for name, columns in _held(out, SCALED):
        share = torch.zeros(out[name].shape[-1])
        share[list(columns) or slice(None)] = 1.0
        factor = by.view(-1, *([1] * (out[name].dim() - 1)))
        out[name] = out[name] * (1.0 + (factor - 1.0) * share)


def _shorten(out: Output, which: Tensor, least: int, draw: torch.Generator) -> None:
    """Hide the oldest steps of the own past; speeds of then become the oldest ones still seen."""
    if "past" not in out:
        return
    valid = out["past_valid"]
    n, steps = valid.shape
    kept = torch.randint(min(least, steps), steps + 1, (n, 1), generator=draw)
    age = steps - 1 - torch.arange(steps)
    left = torch.where((age < kept) | (which[:, None] < 0.5), 1.0, 0.0)
    out["past_valid"] = valid * left
    out["past"] = out["past"] * left[..., None]
    out["path_past"] = out["path_past"] * left[:, None]


def _blur(out: Output, how: Augmentation, draw: torch.Generator) -> None:
    """Noise of a tracker."""

    def noise(like: Tensor, deviation: float) -> Tensor:
        return torch.randn(like.shape, generator=draw) * deviation

    if "past" in out:
        moved = out["past_valid"].clone()
        moved[:, -1] = 0.0
        out["past"] = out["past"] + noise(out["past"], how.position_m) * moved[..., None]
    queue = out["queue"].clone()
    moving = (queue[..., 1] > 0.5).to(queue.dtype) * out["queue_valid"]
    queue[..., 1] = torch.relu(queue[..., 1] + noise(moving, how.speed_mps) * moving)
    out["queue"] = queue


def _hide_map(out: Output, which: Tensor) -> None:
    """Leave only the straight path."""
    for name in (name for name in MAP if name in out):
        array = out[name].clone()
        array[:, 1:] = array[:, 1:] * (1.0 - which).view(-1, *([1] * (array.dim() - 1)))
        out[name] = array

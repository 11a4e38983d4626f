"""What is beside the ego along its candidates: kernels of the scorers `lateral_safety` and `felt_clearance`."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from behaviors_ros.datatypes import Array, Scene
from behaviors_ros.maps.stops import waits_at_stop
from behaviors_ros.scoring.blocks import BLOCK, GROUP, block_rectangles, near_blocks
from behaviors_ros.scoring.footprint import ModeBoxes


def parked(scene: Scene, modes: ModeBoxes, s: Float[Array, "mode"], queue_m: float) -> Bool[Array, "mode"]:
    """Modes, at `s` on the route now, that stand throughout, and not because they wait within `queue_m` before a stop
    point.
    """
    first, last = modes.pose[:, 0, :2], modes.pose[:, -1, :2]
    stands = np.hypot(*(last - first).T) < 0.5
    return stands & ~waits_at_stop(scene.route, s + modes.half_length, queue_m)


@no_type_check
@njit(cache=True)
def beside(e, a, i, m, step, ego_length, ego_width, length, width, reach):
    """Of mode m in the axes of the ego's box of candidate i: gap across, m, cos and sin of its yaw, side (1: left).

    The gap is infinite where the box is before or behind the ego, or surely more than `reach` m away. Half sizes.
    """
    c, s = e[i, step, 2], e[i, step, 3]
    dx, dy = a[m, step, 0] - e[i, step, 0], a[m, step, 1] - e[i, step, 1]
    x, y = abs(dx * c + dy * s) - ego_length, dy * c - dx * s
    if x > length + width or abs(y) - ego_width > length + width + reach:
        return np.inf, 1.0, 0.0, 1.0
    cos, sin = a[m, step, 2] * c + a[m, step, 3] * s, a[m, step, 3] * c - a[m, step, 2] * s
    if x > length * abs(cos) + width * abs(sin):
        return np.inf, cos, sin, 1.0
    gap = abs(y) - ego_width - length * abs(sin) - width * abs(cos)
    return max(gap, 0.0), cos, sin, 1.0 if y > 0.0 else -1.0


@no_type_check
@njit(cache=True)
def slack(ego, modes):
    """How much farther apart (mode,) two boxes may be than `beside` says, m: it takes the other as its bounding box.

    That leaves up to twice the half sizes x the sine of the turn between the two empty at a corner; the turn is at most
    that of the ego plus that of the mode from the ego's axes at step 0.
    """
    sway, out = 0.0, np.zeros(len(modes.pose))
    for i in range(len(ego.pose)):
        for step in range(ego.pose.shape[1]):
            sine = abs(ego.pose[i, step, 3] * ego.axes[2] - ego.pose[i, step, 2] * ego.axes[3])
            sway = sine if sine > sway else sway  # a NaN stays out
    for m in range(len(out)):
        swing = 0.0
        for step in range(modes.pose.shape[1]):
            swing = max(swing, abs(modes.pose[m, step, 3] * ego.axes[2] - modes.pose[m, step, 2] * ego.axes[3]))
        out[m] = 2.0 * (modes.half_length[m] + modes.half_width[m]) * min(sway + swing, 1.0)
    return out


@no_type_check
@njit(cache=True)
def least_gap_ratio(ego, modes, steps, first, stride, base, gain):
    """Least ratio (candidate,), at most 1, of the gap beside to base m (mode,) + gain s x closing speed along the ego.

    Asked at every `stride`-th step from `first` on below `steps`. Not of modes right behind the ego at step 0.
    """
    e, a, groups, least = ego.pose, modes.pose, ego.groups, np.ones(len(ego.pose))
    ego_length, ego_width, half_length, half_width = (
        ego.half_length,
        ego.half_width,
        modes.half_length,
        modes.half_width,
    )
    close, turned = np.zeros(groups.shape[2], np.bool_), slack(ego, modes)
    boxes = block_rectangles(a, half_length, half_width, ego.axes, a.shape[1], 1, 0.0, 0.0, 0.0)
    fastest = 0.0
    for i in range(len(e)):
        for step in range(0, steps, stride):
            fastest = abs(e[i, step, 4]) if abs(e[i, step, 4]) > fastest else fastest  # a NaN stays out
    for m in range(len(a)):
        if modes.behind[m]:
            continue
        length, width = half_length[m], half_width[m]
        most = base[m] + gain * (fastest + np.abs(a[m, :, 4]).max())
        for g in range(len(groups)):
            if not near_blocks(groups, g, boxes, m, most + turned[m], close):
                continue
            for i in range(g * GROUP, min((g + 1) * GROUP, len(e))):
                for step in range(first, steps, stride):
                    if not close[step // BLOCK]:
                        continue
                    gap, cos, _, _ = beside(e, a, i, m, step, ego_length, ego_width, length, width, most * least[i])
                    if gap == np.inf or abs(e[i, step, 4]) <= 0.05:
                        continue
                    wished = base[m] + gain * abs(e[i, step, 4] - a[m, step, 4] * cos)
                    if gap < least[i] * wished:
                        least[i] = gap / wished
    return least


@no_type_check
@njit(cache=True)
def least_lateral_ratio(ego, aside, modes, steps, first, stride, response, margin, own, others, reach_m):
    """Least ratio (candidate,), at most 1, of the gap beside to the lateral safe distance of `lateral_safety`.

    aside (candidate, step): the ego's speed across the route, + left, m/s. margin (mode,) m. own (2,) and others
    (mode, 2): acceleration across in the response time and braking across after it, m/s^2. reach_m: who is farther away
    across does not count.
    """
    e, a, groups, least = ego.pose, modes.pose, ego.groups, np.ones(len(ego.pose))
    ego_length, ego_width, half_length, half_width = (
        ego.half_length,
        ego.half_width,
        modes.half_length,
        modes.half_width,
    )
    close, turned = np.zeros(groups.shape[2], np.bool_), slack(ego, modes)
    boxes = block_rectangles(a, half_length, half_width, ego.axes, a.shape[1], 1, 0.0, 0.0, 0.0)
    quickest = 0.0
    for i in range(len(e)):
        for step in range(first, steps, stride):
            quickest = abs(aside[i, step]) if abs(aside[i, step]) > quickest else quickest  # a NaN stays out
    for m in range(len(a)):
        if modes.behind[m]:
            continue
        length, width = half_length[m], half_width[m]
        most = margin[m] + braked(np.abs(a[m, :, 4]).max(), response, others[m, 0], others[m, 1])
        most = min(most + braked(quickest, response, own[0], own[1]), reach_m)
        for g in range(len(groups)):
            if not near_blocks(groups, g, boxes, m, most + turned[m], close):
                continue
            for i in range(g * GROUP, min((g + 1) * GROUP, len(e))):
                for step in range(first, steps, stride):
                    if not close[step // BLOCK]:
                        continue
                    gap, cos, sin, left = beside(
                        e, a, i, m, step, ego_length, ego_width, length, width, most * least[i]
                    )
                    speed = abs(e[i, step, 4])
                    if gap == np.inf or speed <= 0.05:
                        continue
                    skew = min(max(aside[i, step] / max(speed, 1.0), -1.0), 1.0)
                    agent = a[m, step, 4] * (sin * np.sqrt(1.0 - skew * skew) + cos * skew)
                    safe = braked(left * aside[i, step], response, own[0], own[1])
                    safe += braked(-left * agent, response, others[m, 0], others[m, 1])
                    safe = margin[m] + max(safe, 0.0)
                    if gap < least[i] * safe:
                        least[i] = gap / safe
    return least


@no_type_check
@njit(cache=True)
def braked(v, response, acceleration, braking):
    """Way across towards the other, m: at v m/s with `acceleration` for the response time, then braking to a halt."""
    after = v + response * acceleration
    return 0.5 * (v + after) * response + (0.5 * after * after / braking if after > 0.0 else 0.0)

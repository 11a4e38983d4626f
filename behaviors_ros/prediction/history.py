"""The past of the tracks as a value: a history goes in, a longer one comes out."""

from __future__ import annotations

import numpy as np

from behaviors_ros.datatypes import Array, TrackHistory, Tracks

BIN_NS = 100_000_000  # the past axis of TrackHistory is 0.1 s apart by definition
_STATES = ("position", "yaw", "speed")


def updated(history: TrackHistory | None, tracks: Tracks, steps: int) -> TrackHistory:
    """`history` moved on to the tracks' stamp, with the tracks as its last step; `steps` >= 1 bins of 0.1 s, oldest
    first.

    The first rows are the agents of `tracks`, in their order; then come those gone, as long as a state of theirs lies
    on the axis. Old states move by whole bins, each stamp counted in the bin nearest to it, so that no rate of tracks
    makes the axis drift; bins without a state stay invalid (NaN), nothing is made up. Tracks older than the history
    start anew.
    """
    if history is None or tracks.stamp_ns < history.stamp_ns:
        history = TrackHistory(
            tracks.stamp_ns, (), np.zeros((0, 1, 2)), np.zeros((0, 1)), np.zeros((0, 1)), np.zeros((0, 1), bool)
        )
    into, out_of = _same_bins(history, tracks.stamp_ns, steps)
    rows = _rows(history, tracks, out_of)
    source = np.array(rows, dtype=np.int64)
    known = np.flatnonzero(source >= 0)
    new, old = (known[:, None], into), (source[known][:, None], out_of)
    moved = {name: np.full((len(rows), steps, *getattr(history, name).shape[2:]), np.nan) for name in _STATES}
    for name, values in moved.items():
        values[new] = getattr(history, name)[old]
    valid = np.zeros((len(rows), steps), dtype=bool)
    valid[new] = history.valid[old]
    now, seen = slice(0, len(tracks)), np.isfinite(tracks.position).all(axis=1)
    moved["position"][now, -1] = np.where(seen[:, None], tracks.position, np.nan)
    moved["yaw"][now, -1] = np.where(seen, tracks.yaw, np.nan)
    moved["speed"][now, -1] = np.where(seen, tracks.speed, np.nan)
    valid[now, -1] = seen
    ids = tracks.id + tuple(history.id[row] for row in rows[len(tracks) :])
    return TrackHistory(tracks.stamp_ns, ids, valid=valid, **moved)


def jumped(before: Tracks | None, now: Tracks, jump_max_m: float) -> bool:
    """Whether an agent is farther than that from where its speed led since the tracks before, within a second.

    It may as well be another agent under the same id, so it is planned with; but such tracks are not to be trusted.
    """
    elapsed_s = np.inf if before is None else (now.stamp_ns - before.stamp_ns) * 1e-9
    if before is None or not 0.0 < elapsed_s < 1.0:
        return False
    row = {name: index for index, name in enumerate(before.id)}
    pairs = np.array([(row[name], index) for index, name in enumerate(now.id) if name in row], dtype=np.int64)
    pairs = pairs.reshape(-1, 2)
    expected = before.position[pairs[:, 0]] + elapsed_s * before.velocity[pairs[:, 0]]
    return bool((np.hypot(*(now.position[pairs[:, 1]] - expected).T) > jump_max_m).any())


def _rows(history: TrackHistory, tracks: Tracks, kept: Array) -> list[int]:
    """Row in the history of every agent of the new one, -1 where it is new."""
    row = {name: index for index, name in enumerate(history.id)}
    present = set(tracks.id)
    gone = [i for i, name in enumerate(history.id) if name not in present and history.valid[i, kept].any()]
    return [row.get(name, -1) for name in tracks.id] + gone


def _same_bins(history: TrackHistory, stamp_ns: int, steps: int) -> tuple[Array, Array]:
    """Columns of the new axis and of the old one that are the same instants; the newest is left to the tracks."""
    shift = _bin(stamp_ns) - _bin(history.stamp_ns)
    past = history.valid.shape[1]
    old = np.arange(past)
    new = old - (past - 1) - shift + steps - 1
    inside = (new >= 0) & (new < steps - (shift == 0))
    return new[inside], old[inside]


def _bin(stamp_ns: int) -> int:
    return (stamp_ns + BIN_NS // 2) // BIN_NS

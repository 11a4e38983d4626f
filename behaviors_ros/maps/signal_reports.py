"""What signal groups count as where reports contradict each other: the stricter colour, in a message and over time.

A red light that is read as green for an instant must not make the ego speed up towards it. Real signals never turn back
within seconds: the shortest green of any programme lasts longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from behaviors_ros.datatypes import SignalColor, Signals

# Unknown is held like red, but says less.
STRICTEST_FIRST = (SignalColor.RED, SignalColor.UNKNOWN, SignalColor.AMBER, SignalColor.GREEN)


def agreed(signals: Signals) -> Signals:
    """Every group once: of several reports the strictest colour counts, and no announced change is believed."""
    rows: dict[int, list[int]] = {}
    for row, group in enumerate(signals.id):
        rows.setdefault(group, []).append(row)
    if len(rows) == len(signals.id):
        return signals
    first = np.array([same[0] for same in rows.values()])
    color = np.array([strictest([int(signals.color[row]) for row in same]) for same in rows.values()])
    once = np.array([len(same) == 1 for same in rows.values()])
    return Signals(signals.stamp_ns, tuple(rows), color, np.where(once, signals.next_change_s[first], np.nan))


def held(reports: Sequence[Signals]) -> Signals:
    """The last of some seconds' reports, oldest first; a group that turned back to a colour has the strictest."""
    last = reports[-1]
    color, change_s = last.color.copy(), last.next_change_s.copy()
    tables = [dict(zip(found.id, found.color.tolist(), strict=True)) for found in reports]
    for row, group in enumerate(last.id):
        known = [found for found, _ in groupby(table[group] for table in tables if table.get(group))]
        if len(set(known)) < len(known):
            color[row], change_s[row] = strictest([*known, int(last.color[row])]), np.nan
    return Signals(last.stamp_ns, last.id, color, change_s)


def strictest(colors: Sequence[int]) -> int:
    """The colour that forbids most."""
    return min(colors, key=STRICTEST_FIRST.index)

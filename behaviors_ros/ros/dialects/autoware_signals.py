"""In: autoware_perception_msgs/TrafficLightGroupArray -> signals.

A group has one colour here and several elements there. What is lit counts, the most restrictive of it, arrows only
where nothing else is lit: a red light with a green arrow is red.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from behaviors_ros.datatypes import SignalColor, Signals
from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, value
from behaviors_ros.ros.conversion import nanoseconds, signals_message
from behaviors_ros.ros.dialects.interface import HeardDialect
from behaviors_ros.ros.qos import LATEST

SOLID_OFF = 1
ARROWS = range(2, 10)


class AutowareSignalsParameters(Parameters):
    """Autoware's traffic lights in."""

    topic: str = value(
        "/perception/traffic_light_recognition/traffic_signals",
        "topic of autoware_perception_msgs/TrafficLightGroupArray",
    )
    confidence_min: float = value(0.0, "an element less certain than this is not seen", low=0.0, high=1.0)
    reliability_min: float = value(0.5, "a coming change less reliable than this is not heard", low=0.0, high=1.0)


class AutowareSignals(HeardDialect):
    """Traffic light groups -> signals."""

    name = "autoware_signals"
    needs = ("autoware_perception_msgs/msg/TrafficLightGroupArray",)

    def begin(self) -> None:
        """Subscribe."""
        self.publisher = self.node.output("signals")
        self.node.reads_from(self.types.TrafficLightGroupArray, self.p.topic, LATEST, self.name, self._hear)

    def _hear(self, message: Any) -> None:
        counts: Counter[str] = Counter()
        found = signals_message(signals(message, self.p, counts))
        found.header.frame_id = self.node.frame
        self.publisher.publish(found)
        self.node.counted(self.name, counts)


def signals(message: Any, parameters: AutowareSignalsParameters, counts: Counter[str]) -> Signals:
    """The signals of a message; of two entries for one group the more restrictive counts."""
    stamp = nanoseconds(message.stamp)
    if stamp == 0:
        raise InputError("autoware_signals", "stamp", "is zero", "stamp the traffic lights")
    found: dict[int, tuple[SignalColor, float]] = {}
    for group in message.traffic_light_groups:
        color = color_of(group.elements, parameters.confidence_min, counts)
        entry = color, _change_s(group.predictions, color, stamp, parameters, counts)
        before = found.get(int(group.traffic_light_group_id))
        if before is None or _restrictive(color) > _restrictive(before[0]):
            found[int(group.traffic_light_group_id)] = entry
    return Signals(
        stamp, tuple(found), np.array([int(color) for color, _ in found.values()], dtype=np.int64),
        np.array([change for _, change in found.values()], dtype=np.float64),
    )  # fmt: skip


def color_of(elements: Sequence[Any], confidence_min: float, counts: Counter[str]) -> SignalColor:
    """The one colour of some elements; white, or nothing lit, is unknown."""
    lit = [e for e in elements if e.status != SOLID_OFF and e.confidence >= confidence_min]
    lit = [e for e in lit if e.shape not in ARROWS] or lit
    colors = [SignalColor(e.color) for e in lit if e.color in tuple(SignalColor)]
    if len(colors) < len(lit):
        counts["elements of a colour not known"] += len(lit) - len(colors)
    return max(colors, key=_restrictive, default=SignalColor.UNKNOWN)


def _restrictive(color: SignalColor) -> int:
    return (SignalColor.UNKNOWN, SignalColor.GREEN, SignalColor.AMBER, SignalColor.RED).index(color)


def _change_s(
    predictions: Sequence[Any], color: SignalColor, stamp: int, parameters: AutowareSignalsParameters,
    counts: Counter[str],
) -> float:  # fmt: skip
    """Seconds to the first announced change of colour, NaN when none is."""
    for coming in sorted(predictions, key=lambda told: nanoseconds(told.predicted_stamp)):
        after_s = (nanoseconds(coming.predicted_stamp) - stamp) * 1e-9
        then = color_of(coming.simultaneous_elements, 0.0, counts)
        reliable = coming.reliability >= parameters.reliability_min
        if after_s > 0.0 and reliable and then not in (color, SignalColor.UNKNOWN):
            return after_s
    return math.nan

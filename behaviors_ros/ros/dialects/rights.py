"""What the dialects of a configuration publish, hear and call, for the access policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from behaviors_ros.parameters import Parameters, validated
from behaviors_ros.ros.dialects.command_outputs import COMMAND_OUTPUTS, CommandDialects
from behaviors_ros.ros.dialects.inputs import INPUTS, InputDialects
from behaviors_ros.ros.dialects.interface import Dialect, Rights
from behaviors_ros.ros.dialects.trajectory_outputs import TRAJECTORY_OUTPUTS, TrajectoryDialects

_SPEAKERS: dict[str, tuple[str, Mapping[str, type[Dialect]], type[Parameters]]] = {
    "controls_bridge": ("outputs", TRAJECTORY_OUTPUTS, TrajectoryDialects),
    "tracking_controller": ("outputs", COMMAND_OUTPUTS, CommandDialects),
    "input_adapter": ("inputs", INPUTS, InputDialects),
}


def rights(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Rights]]:
    """Rights by node, of the dialects that the parameters of the nodes choose; unknown names have none."""
    found: dict[str, list[Rights]] = {}
    for node, (field, known, model) in _SPEAKERS.items():
        values = nodes.get(node, {})
        parameters = validated(model, values.get("dialects", {}), f"parameters of {node}")
        chosen = [name for name in values.get(field, ()) if name in known]
        found[node] = [known[name].rights(getattr(parameters, name)) for name in chosen]
    return found

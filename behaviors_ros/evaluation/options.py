"""What a run is: its options, and the vehicle that CommonRoad's benchmarks are driven with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from behaviors_ros.errors import InputError
from behaviors_ros.parameters import Parameters, Vehicle, merged, nested, validated, value
from behaviors_ros.simulation.commonroad import Traffic
from behaviors_ros.yaml_files import read_mapping

BMW_320I = Vehicle(
    wheel_base_m=2.5789, length_m=4.508, width_m=1.61, rear_overhang_m=0.8313, steering_max_rad=1.066,
    steering_rate_max_radps=0.4, speed_max_mps=50.8, acceleration_max_mps2=2.4,
)  # fmt: skip
GROUND_TRUTH = "ground_truth"


class Options(Parameters):
    """Everything that decides what a run does; the same options give the same drives."""

    planner: str = value("behaviors", "`behaviors`: the default configuration; else the name of a configuration file")
    predictor: str | None = value(None, "plugin that predicts, or `ground_truth`; None: the configuration's")
    traffic: Traffic = value("recorded", "what recorded vehicles do: their recording, or react to the ego")
    tracking: Literal["perfect", "vehicle"] = value("perfect", "on the trajectory, or controller and vehicle model")
    configuration: dict[str, Any] = value({}, "the tree of `pipeline.build`, without what has its default")
    vehicle: Vehicle | None = value(None, "vehicle of all scenarios; None: each scenario's own")
    seed: int = value(0, "seed of generated scenarios and of the intervals of figures", low=0)


def configuration(planner: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration tree of a planner by name, with dotted `settings` in place of its own values."""
    if planner == "behaviors":
        return nested(settings)
    return merged(_tree(Path(planner)), nested(settings))


def vehicle_of(path: Path) -> Vehicle:
    """The vehicle of a file."""
    return validated(Vehicle, _tree(path), str(path))


def setting(text: str) -> tuple[str, Any]:
    """`key=value`, the value in YAML."""
    key, equals, leaf = text.partition("=")
    if not equals or not key.strip():
        raise InputError("--set", text, "is not key=value", "give for example progress.weight=3")
    try:
        return key.strip(), yaml.safe_load(leaf)
    except yaml.YAMLError:
        raise InputError("--set", key, f"the value {leaf} is not YAML", "give a number, a word or a list") from None


def _tree(path: Path) -> dict[str, Any]:
    return read_mapping(path, "give a YAML file of keys and values")

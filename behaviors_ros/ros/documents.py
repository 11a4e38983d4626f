"""Generated files: config/<node>.yaml and docs/parameters.md of the parameter classes, the policy of the graph."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from behaviors_ros import registry
from behaviors_ros.parameters import Parameters, flat, limits, markdown
from behaviors_ros.ros.declare import ros_value
from behaviors_ros.ros.graph import NAMESPACE, NODES, Entry
from behaviors_ros.ros.security import policy

NOTE = "Generated from the parameter classes by `behaviors params docs`; a test fails when it is stale."


def documents(root: Path) -> dict[Path, str]:
    """Every generated file of a checkout at `root`, with its text."""
    found = {root / "config" / entry.config: node_yaml(entry) for entry in NODES}
    found[root / "docs" / "parameters.md"] = parameters_page()
    found[root / "config" / "security" / "policy.xml"] = policy()
    return found


def node_yaml(entry: Entry) -> str:
    """Default parameters of a node as its ROS parameter file, each with its meaning and range."""
    cls: Any = entry.load()
    lines = [f"# {NOTE}", f"{NAMESPACE}/{entry.name}:", "  ros__parameters:"]
    lines.append("    autostart: true  # configure and activate without a lifecycle manager")
    lines += _lines(cls.model, "")
    defaults = cls.model()
    for field, kind in cls.plugins.items():
        chosen = getattr(defaults, field)
        for name in (chosen,) if isinstance(chosen, str) else chosen:
            lines += _lines(registry.get(kind, name).parameters, f"{name}.")
    return "\n".join(lines) + "\n"


def _lines(model: type[Parameters], prefix: str) -> Iterator[str]:
    """One line a parameter, with a line before it for every branch of the tree that it is the first of."""
    open_branches: list[str] = []
    for name, field in flat(model, prefix):
        *branches, last = name.split(".")
        kept = 0
        while kept < min(len(branches), len(open_branches)) and branches[kept] == open_branches[kept]:
            kept += 1
        for depth in range(kept, len(branches)):
            yield f"{'  ' * (depth + 2)}{branches[depth]}:"
        open_branches = branches
        meaning = f"{field.description or ''}{_range(field)}"
        yield f"{'  ' * (len(branches) + 2)}{last}: {_text(ros_value(name, field))}  # {meaning}"


def _text(leaf: Any) -> str:
    """A value as YAML 1.1 reads it back: a float with an exponent needs a point, or it is read as a string."""
    text = json.dumps(leaf)
    return text.replace("e", ".0e") if isinstance(leaf, float) and "e" in text and "." not in text else text


def _range(field: Any) -> str:
    low, high = limits(field)
    return "" if math.isinf(low) and math.isinf(high) else f" [{low:g}, {high:g}]"


def parameters_page() -> str:
    """docs/parameters.md: the nodes, then every registered plugin."""
    nodes: dict[str, type[Parameters]] = {f"Node {entry.name}": entry.load().model for entry in NODES}  # type: ignore[attr-defined]
    plugins: dict[str, type[Parameters]] = {
        f"{kind.capitalize()} {name}": registry.get(kind, name).parameters
        for kind in registry.KINDS
        for name in registry.names(kind)
    }
    about = (
        "A node's parameters stand in `config/<node>.yaml`. A plugin's stand in the file of the node that runs it, "
        "under the plugin's name."
    )
    return f"# Parameters\n\n{NOTE}\n\n{about}\n\n{markdown(nodes)}\n{markdown(plugins)}".rstrip() + "\n"

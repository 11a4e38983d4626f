"""The environment in which nodes and commands run."""

from __future__ import annotations

import os
import sys


def environment() -> dict[str, str]:
    """The environment of the nodes: this one, local to the machine unless told otherwise."""
    found = dict(os.environ)
    found.setdefault("AMENT_PREFIX_PATH", sys.prefix)
    found.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    found.setdefault("PYTHONUNBUFFERED", "1")
    return found

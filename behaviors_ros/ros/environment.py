"""The environment in which nodes and commands run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rclpy.utilities import get_rmw_implementation_identifier

PROFILE = "FASTDDS_DEFAULT_PROFILES_FILE"
# Who sets one of these has chosen the transports; or, of the second, how far his nodes are heard.
TRANSPORTS = (PROFILE, "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")
REACH = ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOCALHOST_ONLY", "ROS_STATIC_PEERS")


def environment() -> dict[str, str]:
    """The environment of the nodes: this one, local to the machine unless told otherwise."""
    found = (loopback() or network()) | dict(os.environ)
    found.setdefault("AMENT_PREFIX_PATH", sys.prefix)
    found.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    found.setdefault("PYTHONUNBUFFERED", "1")
    return found


def adopt() -> None:
    """Make it the environment of this process, before its first node."""
    os.environ.update(environment())


def loopback() -> dict[str, str]:
    """What keeps Fast DDS on the loopback interface and out of shared memory; empty where the user has chosen.

    In there a process that dies or is stopped can hold up those that send to it, for longer than a stop may take
    (docs/decisions/0011-no-shared-memory.md). The range LOCALHOST would bring shared memory with it.
    """
    if any(name in os.environ for name in REACH):
        return {}
    profile = _profile("loopback.xml")
    return profile and profile | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}


def network() -> dict[str, str]:
    """What keeps Fast DDS out of shared memory, however far the nodes are heard; empty where the user has chosen."""
    return _profile("network.xml")


def _profile(name: str) -> dict[str, str]:
    ours = get_rmw_implementation_identifier().startswith("rmw_fastrtps")
    chosen = any(name in os.environ for name in TRANSPORTS)
    return {PROFILE: str(Path(__file__).with_name(name))} if ours and not chosen else {}

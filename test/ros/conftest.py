"""Every ROS test runs in a domain of its own, on this machine only."""

import fcntl
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from behaviors_ros.ros.environment import loopback

DOMAINS = range(1, 102)  # above 101 the ports overlap the ephemeral ones of Linux
_TURN = itertools.cycle(DOMAINS)


@pytest.fixture(autouse=True)
def ros_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The domain id of this test, held by a file lock so that no other test run on the machine takes it meanwhile.

    The next test gets another: what one leaves behind, until its lease is over, is not heard by the next.
    """
    for _ in DOMAINS:
        domain = next(_TURN)
        lock = os.open(
            Path(tempfile.gettempdir(), f"behaviors_ros_domain_{domain}.lock"), os.O_RDWR | os.O_CREAT, 0o666
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
        for name, text in (loopback() or {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}).items():
            monkeypatch.setenv(name, text)
        if os.environ.get("ROS_DISTRO") == "humble":
            monkeypatch.setenv("ROS_LOCALHOST_ONLY", "1")  # what the above is called there
        if "AMENT_PREFIX_PATH" not in os.environ:
            monkeypatch.setenv("AMENT_PREFIX_PATH", sys.prefix)
        yield domain
        os.close(lock)
        return
    pytest.fail("all ROS domains are taken")


@pytest.fixture(params=["stand-ins", "real"])
def types(request: pytest.FixtureRequest) -> Any:
    """Message types of other projects: stand-ins of ours, then the real packages where they are installed."""
    from standins import Types

    return Types(request.param == "real")

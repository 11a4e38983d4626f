"""Several nodes in one process: `python -m behaviors_ros.ros.compose prediction trajectory_scoring --ros-args ...`."""

from __future__ import annotations

import sys

from behaviors_ros.ros.graph import NODES, entry
from behaviors_ros.ros.node import run


def main() -> None:
    """Run the nodes named before `--ros-args`."""
    split = sys.argv.index("--ros-args") if "--ros-args" in sys.argv else len(sys.argv)
    names = sys.argv[1:split]
    unknown = [name for name in names if name not in {found.name for found in NODES}]
    if unknown or not names:
        sys.exit(f"nodes to run: {' '.join(found.name for found in NODES)}; given: {' '.join(names) or 'none'}")
    sys.exit(run([entry(name).load() for name in names]))


if __name__ == "__main__":
    main()

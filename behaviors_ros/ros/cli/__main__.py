"""`python -m behaviors_ros.ros.cli`."""

from behaviors_ros.ros.cli import main

main()

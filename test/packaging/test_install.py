"""What the installation that these tests run in must have."""

import re
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import behaviors_ros
import behaviors_ros.msg

ROOT = Path(__file__).resolve().parents[2]


def executables() -> dict[str, str]:
    """Name and module of the executables, from CMakeLists.txt."""
    return dict(re.findall(r"^  (\w+)=(ros\.\w+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE))


def test_sources_come_from_the_checkout_and_messages_from_the_installation():
    # Two traps of an editable install. Without the override of has_data in setup.py its messages are left out; without
    # package-dir in pyproject.toml the folder of the messages hides the sources.
    assert Path(behaviors_ros.__file__).parent == ROOT / "behaviors_ros"
    assert Path(behaviors_ros.msg.__file__).is_relative_to(sys.prefix)


def test_every_executable_runs_a_module_that_exists():
    assert "prediction" in executables()
    for name, module in executables().items():
        assert find_spec(f"behaviors_ros.{module}"), f"{name}: no module behaviors_ros.{module}"


def test_every_executable_is_installed():
    folder = Path(sys.prefix, "lib", "behaviors_ros")
    assert {path.name for path in folder.iterdir() if path.stat().st_mode & 0o111} >= set(executables())


def test_the_command_line_is_installed():
    scripts = entry_points(group="console_scripts", name="behaviors")
    assert [script.value for script in scripts] == ["behaviors_ros.ros.cli:main"]

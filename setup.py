"""Build commands for pip: run the CMakeLists.txt that colcon runs and ship what it installs as data files."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from xml.etree import ElementTree

from setuptools import Command, Distribution, setup
from setuptools.command.build import build

SOURCE = Path(__file__).resolve().parent
NAME = "behaviors_ros"
SITE_PACKAGES = Path("lib", f"python{sys.version_info[0]}.{sys.version_info[1]}", "site-packages")


class RosDistribution(Distribution):
    """A distribution whose data files are known only once CMake ran."""

    def has_ext_modules(self):
        """The wheel is tied to the interpreter: it carries compiled message support."""
        return True

    def has_data(self):
        """Asked by an editable install before data files are installed; the default answers from the wrong list."""
        return bool(self.data_files)


class BuildRos(Command):
    """Generate and compile msg/ with CMake and hand the staged install to setuptools."""

    description = "generate and compile the messages, stage everything for the wheel"
    user_options: list = []
    editable_mode = False

    def initialize_options(self):
        """Command protocol of setuptools."""
        self.build_base = None

    def finalize_options(self):
        """Command protocol of setuptools."""
        self.set_undefined_options("build", ("build_base", "build_base"))

    def get_source_files(self):
        """Command protocol of setuptools."""
        return []

    def get_outputs(self):
        """Command protocol of setuptools."""
        return []

    def get_output_mapping(self):
        """Command protocol of setuptools."""
        return {}

    def run(self):
        """Configure, build and install into a stage below the build folder."""
        if not (os.environ.get("CXX") or any(map(shutil.which, ("c++", "g++", "clang++")))):
            sys.exit("behaviors_ros: no C++ compiler found; install one (Debian, Ubuntu: apt install g++)")
        folder = SOURCE / self.build_base / f"ros-{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
        stage = folder / "stage"
        shutil.rmtree(stage, ignore_errors=True)
        environment = build_environment()
        for arguments in cmake_commands(folder, stage):
            print("+", *arguments, flush=True)
            if subprocess.call([str(argument) for argument in arguments], env=environment):
                sys.exit(f"behaviors_ros: failed: {' '.join(map(str, arguments))}")
        self.distribution.data_files = staged_files(stage)


def ros_prefix():
    """The prefix of the ROS to build against: a sourced one, this venv, or pip's isolated build environment."""
    import ament_package

    return Path(ament_package.__file__).resolve().parents[4]


def build_environment():
    """Environment in which CMake finds that ROS; overlays sourced on top of it stay."""
    prefix = str(ros_prefix())
    sourced = os.environ.get("AMENT_PREFIX_PATH", "")
    prefixes = sourced if prefix in sourced.split(os.pathsep) else prefix
    path = os.pathsep.join([str(Path(prefix, "bin")), os.environ["PATH"]])
    return dict(os.environ, AMENT_PREFIX_PATH=prefixes, CMAKE_PREFIX_PATH=prefixes.replace(os.pathsep, ";"), PATH=path)


def cmake_commands(folder, stage):
    """The three commands that leave a finished install in stage."""
    configure = ["cmake", "-S", SOURCE, "-B", folder, "-G", "Ninja", "--fresh"]
    configure += [f"-DCMAKE_INSTALL_PREFIX={stage}", f"-DPython3_EXECUTABLE={sys.executable}"]
    configure += [f"-DCMAKE_PROJECT_INCLUDE={SOURCE / 'cmake' / 'wheel_paths.cmake'}", "-DRELOCATABLE=ON"]
    configure += ["-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release"]
    return [configure, ["cmake", "--build", folder], ["cmake", "--install", folder]]


def staged_files(stage):
    """(destination folder, files) pairs of the staged install, without what setuptools ships itself."""
    own = {path.relative_to(SOURCE) for path in (SOURCE / NAME).rglob("*")}
    groups = {}
    for path in sorted(path for path in stage.rglob("*") if path.is_file()):
        relative = path.relative_to(stage)
        if relative.is_relative_to(SITE_PACKAGES):
            module = relative.relative_to(SITE_PACKAGES)
            if module in own or path.suffix == ".c" or ".egg-info" in str(module):
                continue
        if relative.parts[0] == "include" or "__pycache__" in relative.parts:
            continue
        groups.setdefault(str(relative.parent), []).append(os.path.relpath(path, SOURCE))
    return list(groups.items())


class Build(build):
    """setuptools' build, followed by the CMake build."""

    sub_commands = [*build.sub_commands, ("build_ros", None)]


setup(
    version=ElementTree.parse(SOURCE / "package.xml").findtext("version"),
    distclass=RosDistribution,
    cmdclass={"build": Build, "build_ros": BuildRos},
)

"""Builders of the scoring tests, and the option by which expectations are written anew."""

import importlib.util
import sys
from pathlib import Path

import pytest

import behaviors_ros.scoring.interface  # noqa: F401  (registers)

_builders = Path(__file__).parents[1] / "scoring" / "conftest.py"
_spec = importlib.util.spec_from_file_location("scoring_builders", _builders)
builders = importlib.util.module_from_spec(_spec)
sys.modules["scoring_builders"] = builders
_spec.loader.exec_module(builders)


@pytest.fixture(scope="session")
def bench():
    return builders.Bench()


@pytest.fixture
def update(request) -> bool:
    return request.config.getoption("--update-golden")

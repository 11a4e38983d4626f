"""Fixtures shared by all rooms."""

from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
from hypothesis import settings

# The gate tries the same examples in every run; `pytest --hypothesis-profile=explore` tries others.
settings.register_profile("explore", derandomize=False)
settings.register_profile("gate", derandomize=True)
settings.load_profile("gate")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden`: write what is found into the files of test/golden."""
    parser.addoption("--update-golden", action="store_true", help="write the expectations of golden scenes anew")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Recordings and maps for development; tests that use them run where they are present."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("development data is not present beside the checkout")
    return folder


@pytest.fixture(scope="module")
def without_shape_checks() -> Iterator[None]:
    """For modules whose drives of many cycles would take most of their time to check the same shapes again."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)

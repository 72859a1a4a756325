"""One Prefect server for every flow and command of the session: each its own would take ten seconds a module."""

from collections.abc import Generator

import pytest
from prefect.settings import PREFECT_API_URL
from prefect.testing.utilities import prefect_test_harness


@pytest.fixture(scope="session")
def prefect_url() -> Generator[str]:
    """The API of a server of the tests' own; what a test asks of it, it asks for its own campaigns.

    Prefect's client in this process talks to it from then on, unless a test says otherwise.
    """
    with prefect_test_harness(server_startup_timeout=120):
        yield str(PREFECT_API_URL.value())

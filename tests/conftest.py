"""What the tests share: real servers on loopback, one of each a session, and folders of their own in them."""

import uuid
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings

from deployments.sandbox.s3 import S3Server
from tasks.s3 import S3Access
from tasks.store import LocalStore, S3Store, Store

# A slow machine is no failing example.
settings.register_profile("globe-sms", deadline=None)
settings.load_profile("globe-sms")

_TESTS = Path(__file__).parent
# Those that share servers or compiled tables, and those that must not compete with others of their kind.
_TOGETHER = {
    "chaos": "chaos",
    "integration/test_approval_flow.py": "flows",
    "integration/test_canary_flow.py": "flows",
    "integration/test_cli.py": "flows",
    "integration/test_dead_workers.py": "flows",
    "integration/test_flow.py": "flows",
    "unit/numbers": "numbers",
}


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests one process runs when the suite runs in several (`make test`): those of a file at least."""
    for item in items:
        path = item.path.relative_to(_TESTS)
        group = next((_TOGETHER[str(part)] for part in (path, *path.parents) if str(part) in _TOGETHER), str(path))
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def s3_server() -> Generator[S3Server]:
    """A real S3-compatible server (SeaweedFS) for the whole session."""
    with S3Server("tests") as server:
        yield server


@pytest.fixture(scope="session")
def s3_access_of_session(s3_server: S3Server) -> S3Access:
    """One client for all tests: making one takes longer than most of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment.items():
            patch.setenv(name, value)
        return S3Access.from_environment()


@pytest.fixture
def s3_access(s3_server: S3Server, s3_access_of_session: S3Access, monkeypatch: pytest.MonkeyPatch) -> S3Access:
    """S3 as the pipeline sees it: by the environment, which points at the server."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_access_of_session


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Both kinds of store, each in a folder of its own."""
    if request.param == "local":
        return LocalStore(tmp_path / "store")
    access: S3Access = request.getfixturevalue("s3_access")
    return S3Store(access.client(), "tests", f"stores/{uuid.uuid4().hex}")


@pytest.fixture
def local_store(tmp_path: Path) -> LocalStore:
    """A local directory as the store."""
    return LocalStore(tmp_path / "store")


@pytest.fixture
def key() -> Callable[[], str]:
    """Names that no other test uses."""
    return lambda: uuid.uuid4().hex

"""What the tests share: real servers on loopback, one of each a session, and folders of their own in them."""

import signal
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from globe_sms.deployments.sandbox.s3_server import S3Server
from globe_sms.tasks.store import LocalStore, S3Store, Store
from globe_sms.tasks.store.s3_access import S3Access
from tests.prefect_server import PrefectApi, PrefectServer
from tests.waiting import await_event

# No deadline: a slow machine must not fail an example. The same examples each time: a commit passes or fails by itself,
# and fifty say as much as more would, run after run. `make examples` looks at others.
settings.register_profile("same-examples", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("new-examples", deadline=None)
settings.load_profile("same-examples")

# Where the suite runs in several processes, one runs all of these, since they share compiled tables or a server with a
# UI. Everything else stays together by files.
_TOGETHER = ("tests/unit/numbers/", "tests/browser/")


_SHARED = pytest.StashKey[PrefectServer]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out what runs together to one process, in the order of the suite (pytest-xdist's `loadgroup` does not)."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((each for each in _TOGETHER if nodeid.startswith(each)), super()._split_scope(nodeid))

    return Together(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give the processes of the suite one Prefect server: one for each would take 10 s of CPU to start."""
    if all({"unit", "contract"} & {*Path(each).parts} for each in node.config.args):
        return
    server = node.config.stash.get(_SHARED, None)
    if server is None:
        server = node.config.stash[_SHARED] = PrefectServer()
        node.config.add_cleanup(server.stop)
    node.workerinput["prefect"] = (server.url, str(server.home))


@pytest.fixture(scope="session")
def prefect_server(request: pytest.FixtureRequest) -> Generator[PrefectApi]:
    """The suite's Prefect server; what a test asks of it, it asks for its own campaigns."""
    shared: tuple[str, str] | None = getattr(request.config, "workerinput", {}).get("prefect")
    if shared is None:
        with PrefectServer() as server:
            yield server
    else:
        api = PrefectApi(shared[0], Path(shared[1]))
        await_event(api.is_up, "Prefect's server")
        yield api
        api.stop()


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


@pytest.fixture
def interruptible() -> Generator[None]:
    """SIGINT interrupts, also where a shell has started the suite in the background and so with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

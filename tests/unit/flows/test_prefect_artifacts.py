"""What Prefect is shown of a run, and that nothing of it can hold up the run."""

import threading
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from globe_sms.flows.observers.outlet_threads import OutletThreads
from globe_sms.flows.observers.prefect_artifacts import PrefectArtifacts, artifact_key
from globe_sms.tasks.delivery.reconcile import Reconciled
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.statuses import Status
from tests.unit.flows.previews import PREVIEW
from tests.waiting import await_event


class Server:
    """Takes the artifacts of a run; `answer` is called before each answer."""

    def __init__(self, answer: Callable[[], object] = lambda: None) -> None:
        self.answer = answer
        self.created: list[Any] = []
        self.updated: list[Any] = []
        self.clients = 0

    def connect(self) -> Any:
        """Return a client."""
        self.clients += 1
        return nullcontext(self)

    def create_artifact(self, artifact: Any) -> Any:
        self.answer()
        self.created.append(artifact)
        return SimpleNamespace(id=uuid.uuid4())

    def update_artifact(self, _: uuid.UUID, artifact: Any) -> None:
        self.answer()
        self.updated.append(artifact)


def artifacts_on(server: Server, **options: Any) -> PrefectArtifacts:
    """The artifacts of a run of Camp_1."""
    given: dict[str, Any] = {"connect": server.connect, **options}
    artifacts = PrefectArtifacts(uuid.uuid4(), **given)
    artifacts.opened("Camp_1")
    return artifacts


def observer_on(server: Server, *, patience: float = 10.0, **options: Any) -> OutletThreads:
    """The observer of a run whose artifacts go to this server."""
    return OutletThreads((artifacts_on(server, **options),), patience=patience)


def test_a_preview_in_prefect_names_the_fields_of_the_form() -> None:
    """What changed since the last plan, for people who have never seen an option of the terminal."""
    server = Server()
    artifacts_on(server).previewed(replace(PREVIEW, changes=(("--message", "was 'Helo', now '--hello'"),)))
    (preview,) = server.created
    assert r"""**"Message"** was 'Helo', now '\-\-hello'""" in preview.data


def test_progress_moves_while_the_run_goes_on() -> None:
    """With the numbers by status, the calls a second and the time left."""
    now = [0.0]
    progress = Progress(lambda: now[0])
    progress.expect(500)
    server = Server()
    with observer_on(server, sending_seconds=0.01) as observer:
        observer.sending(progress)
        for now[0] in (1.0, 2.0):  # a call a second
            progress.called()
        progress.settled(Status.ACCEPTED, 240)
        progress.settled(Status.FAILED, 10)
        await_event(lambda: bool(server.updated) and server.updated[-1].data == 50.0, "an update")
    assert [artifact.type for artifact in server.created] == ["progress"]
    assert "250 of 500 numbers: 240 accepted, 10 failed, 0 unknown; 2 calls at 1.00 a second" in (
        server.updated[-1].description
    )
    assert "left" in server.updated[-1].description


def test_the_last_progress_is_that_of_the_end() -> None:
    """Also when the run ends before the first update is due."""
    progress = Progress()
    progress.expect(10)
    server = Server()
    with observer_on(server, sending_seconds=3600.0) as observer:
        observer.sending(progress)
        progress.settled(Status.ACCEPTED, 10)
    assert server.updated[-1].data == 100.0


def test_a_canary_and_the_others_move_one_progress() -> None:
    """The run reports the sending twice."""
    server = Server()
    artifacts = artifacts_on(server)
    artifacts.sending(Progress())
    artifacts.sending(Progress())
    assert [artifact.key for artifact in server.created] == ["camp-1-progress"]


OUTCOME = TrackingOutcome(
    campaign="Camp_1",
    uri="out/Camp_1/results.parquet",
    counts={"accepted": 4},
    deliveries={"delivered": 3, "pending": 1},
    settled=Reconciled(),
    queries=7,
    learned=3,
    seconds=1.0,
)


def test_a_tracking_moves_one_artifact_by_one_client_every_ten_seconds() -> None:
    """However often the tracking reports: each client and each update would cost queries their turns."""
    server = Server()
    artifacts = artifacts_on(server)
    progress = TrackingProgress(open=4)
    for progress.asked in range(1, 100):
        artifacts.tracking(progress)
    assert [artifact.key for artifact in server.created] == ["camp-1-tracking"]
    assert (server.updated, server.clients, artifacts.refresh_seconds) == ([], 1, 10.0)
    progress.open, progress.learned["delivered"] = 1, 3
    artifacts.refresh()
    assert (server.updated[-1].data, server.updated[-1].description) == (
        75.0,
        "3 of 4 messages have a final status; 99 queries.",
    )
    artifacts.tracked(OUTCOME, progress)
    artifacts.closed()
    assert [artifact.key for artifact in server.created] == ["camp-1-tracking", "camp-1-deliveries"]
    assert "3 delivered, 1 pending" in server.created[-1].data
    assert server.clients == 1


def test_a_tracking_without_queries_is_shown_as_complete() -> None:
    """Nothing was open, or the gateway wasn't to be asked."""
    server = Server()
    artifacts_on(server).tracked(OUTCOME, TrackingProgress(open=0))
    assert [artifact.key for artifact in server.created] == ["camp-1-tracking", "camp-1-deliveries"]
    assert server.updated[-1].data == 100.0


def _refuse() -> None:
    raise ConnectionError("503")


def test_a_server_that_fails_costs_pictures_and_nothing_else() -> None:
    """Every call fails; nothing is raised, and the end comes at once."""
    progress = Progress()
    progress.expect(10)
    with observer_on(Server(_refuse), sending_seconds=0.01) as observer:
        observer.previewed(PREVIEW)
        observer.sending(progress)


def test_one_artifact_that_fails_costs_no_other() -> None:
    """Each is tried by itself."""
    server = Server(_refuse)
    artifacts = artifacts_on(server)
    artifacts.tracking(TrackingProgress(open=0))
    server.answer = lambda: None
    artifacts.tracked(OUTCOME, TrackingProgress(open=0))
    assert [artifact.key for artifact in server.created] == ["camp-1-deliveries"]


def test_a_server_that_hangs_is_left_behind() -> None:
    """The run goes on while it hangs, and leaves at the end without it."""
    hangs, ends = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        ends.wait(30.0)

    with observer_on(Server(hang), patience=0.01) as observer:
        observer.previewed(PREVIEW)
        assert hangs.wait(10.0)
        observer.sending(Progress())
    assert not ends.is_set()
    ends.set()


def test_no_server_at_all_is_no_error() -> None:
    """Not even when it cannot be connected to."""

    def connect() -> Any:
        raise OSError("no server")

    with observer_on(Server(), connect=connect) as observer:
        observer.previewed(PREVIEW)


@pytest.mark.parametrize(
    ("campaign", "key"),
    [("Camp_1", "camp-1-report"), ("a--B", "a-b-report"), ("2026-11-24", "2026-11-24-report"), ("X_", "x-report")],
)
def test_keys_are_what_prefect_takes(campaign: str, key: str) -> None:
    """Small letters, digits and dashes."""
    assert artifact_key(campaign, "report") == key

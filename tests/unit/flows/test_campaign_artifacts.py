"""What Prefect is told, and that nothing of it can hold up a send."""

import threading
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from globe_sms.flows.orchestration.campaign_artifacts import EVENTS, CampaignArtifacts, artifact_key
from globe_sms.tasks.campaign.senders import Senders
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.statuses import Status
from tests.waiting import LONGEST_WAIT, await_event

PREVIEW = Preview(
    campaign="Camp_1",
    lists=("a.csv",),
    type="NOTIFY",
    senders=Senders(),
    dry_run=False,
    rows=0,
    groups=(),
    destinations=(),
    refused=(),
    samples=(),
    numbers=0,
    calls=0,
    resent_chunks=0,
    calls_per_second=1.0,
)


class Server:
    """Takes what a bulletin tells it; `answer` is done before each answer."""

    def __init__(self, answer: Callable[[], object] = lambda: None) -> None:
        self.answer = answer
        self.created: list[Any] = []
        self.updated: list[Any] = []

    def create_artifact(self, artifact: Any) -> Any:
        self.answer()
        self.created.append(artifact)
        return SimpleNamespace(id=uuid.uuid4())

    def update_artifact(self, _: uuid.UUID, artifact: Any) -> None:
        self.answer()
        self.updated.append(artifact)


def bulletin_to(server: Any, **options: Any) -> CampaignArtifacts:
    return CampaignArtifacts(
        "Camp_1", uuid.uuid4(), **{"connect": lambda: nullcontext(server), "emit": lambda **_: None} | options
    )


def test_progress_moves_while_the_run_goes_on() -> None:
    """With what became of the numbers, the calls a second and the time left."""
    now = [0.0]
    progress = Progress(lambda: now[0])
    progress.expect(500)
    server = Server()
    with bulletin_to(server, every=0.01) as artifacts:
        artifacts.sending(progress)
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
    with bulletin_to(server, every=3600.0) as artifacts:
        artifacts.sending(progress)
        progress.settled(Status.ACCEPTED, 10)
    assert server.updated[-1].data == 100.0


def test_events_name_the_campaign_and_the_run_and_hold_counts() -> None:
    """So that an automation can act on them."""
    told: list[dict[str, Any]] = []
    with bulletin_to(Server(), emit=lambda **event: told.append(event)) as artifacts:
        artifacts.asking(PREVIEW)
        artifacts.sending(Progress())
    assert [event["event"] for event in told] == ["sms.campaign.approval_needed", "sms.campaign.started"]
    assert {event["event"] for event in told} <= set(EVENTS)
    assert told[0]["resource"]["prefect.resource.id"] == "globe-sms.campaign.Camp_1"
    assert told[0]["related"][0]["prefect.resource.role"] == "flow-run"
    assert told[0]["payload"] == {"numbers": 0, "calls": 0, "seconds": 0}


def _refuse() -> None:
    raise ConnectionError("503")


def test_a_server_that_fails_costs_pictures_and_nothing_else() -> None:
    """Every call fails; nothing is raised, and the end comes at once."""
    progress = Progress()
    progress.expect(10)
    with bulletin_to(Server(_refuse), every=0.01) as artifacts:
        artifacts.previewed(PREVIEW)
        artifacts.sending(progress)


def test_a_server_that_hangs_is_left_behind() -> None:
    """The run goes on while it hangs, and leaves at the end without it."""
    hangs, ends = threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        ends.wait(30.0)

    with bulletin_to(Server(hang), patience=0.01) as artifacts:
        artifacts.previewed(PREVIEW)
        assert hangs.wait(LONGEST_WAIT)
        artifacts.sending(Progress())
    assert not ends.is_set()
    ends.set()


def test_no_server_at_all_is_no_error() -> None:
    """Not even when it cannot be connected to."""

    def connect() -> Any:
        raise OSError("no server")

    with bulletin_to(Server(), connect=connect) as artifacts:
        artifacts.previewed(PREVIEW)


@pytest.mark.parametrize(
    ("campaign", "key"),
    [("Camp_1", "camp-1-report"), ("a--B", "a-b-report"), ("2026-11-24", "2026-11-24-report"), ("X_", "x-report")],
)
def test_keys_are_what_prefect_takes(campaign: str, key: str) -> None:
    """Small letters, digits and dashes."""
    assert artifact_key(campaign, "report") == key

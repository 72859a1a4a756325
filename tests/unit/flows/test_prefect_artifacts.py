"""What Prefect is shown of a run, and that nothing of it can hold up the run."""

import threading
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from globe_sms.flows.observers.outlet_threads import OutletThreads
from globe_sms.flows.observers.prefect_artifacts import PrefectArtifacts, artifact_key
from globe_sms.tasks.campaign.approval import Answer, Decision
from globe_sms.tasks.delivery.reconcile import Reconciled
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.pacing.schedule_state import ActiveSender, ScheduleState
from globe_sms.tasks.pacing.throttling import Throttled
from globe_sms.tasks.reports.run_page import Interruption
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.vocabulary.statuses import Status
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause
from tests.unit.flows.previews import PREVIEW
from tests.unit.reports.test_campaign_page import report_of, sent
from tests.waiting import await_event


class Server:
    """Takes the artifacts of a run; `answer` is called before each answer."""

    def __init__(self, answer: Callable[[], object] = lambda: None) -> None:
        self.answer = answer
        self.earlier: list[Any] = []
        self.created: list[Any] = []
        self.updated: list[Any] = []
        self.clients = 0

    def connect(self) -> Any:
        """Return a client."""
        self.clients += 1
        return nullcontext(self)

    def read_artifacts(self, *, artifact_filter: Any) -> list[Any]:
        """Return what an earlier process of the run has made."""
        self.answer()
        return [found for found in self.earlier if found.key in artifact_filter.key.any_]

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
    assert r"""**Message** was 'Helo', now '\-\-hello'""" in preview.data


def test_the_page_moves_while_the_run_goes_on() -> None:
    """With the counts, the calls a second, the time left and what to do; its first line is its description."""
    now = [0.0]
    progress = Progress(lambda: now[0])
    progress.expect(500)
    server = Server()
    with observer_on(server, sending_seconds=0.01) as observer:
        observer.previewed(PREVIEW)
        observer.sending(progress)
        for now[0] in (1.0, 2.0):  # a call a second
            progress.called()
            progress.landed()
        progress.settled(Status.ACCEPTED, 240)
        progress.settled(Status.FAILED, 10)
        await_event(lambda: "250 of 500" in str(server.updated[-1:]), "an update")
    assert [(artifact.key, artifact.type) for artifact in server.created] == [("camp-1-page", "markdown")]
    page = server.updated[-1]
    assert page.description == "Sending: 250 of 500 numbers (50 %), about 1 s left."
    for line in ("| accepted | 240 |", "| failed | 10 |", "| to be sent | 250 |", "| calls a second | 1.00 |"):
        assert line in page.data
    assert "To stop, press Cancel" in page.data
    assert "Lists: a.csv" in page.data  # the preview is still there


def test_the_account_s_schedule_is_an_artifact_of_its_own() -> None:
    """Who sends, how fast, what was throttled, the rate to set, and why Prefect's own page doesn't have it."""
    judged = Throttled(calls=2_000, throttled=800, seconds=40.0)
    others = (ActiveSender("winter on b-host", 50.0),)
    schedule = ScheduleState(others, 50.0, 0.02, 1.0, judged, judged, place="s3://campaigns/.globe-sms/pacing")
    server = Server()
    artifacts_on(server).previewed(replace(PREVIEW, schedule=schedule))
    (found,) = [artifact for artifact in server.created if artifact.key == "camp-1-account"]
    assert "1 other run" in found.description
    for said in ("winter on b-host", "admits about 30 calls a second, not 50", "Prefect's concurrency page", "pacing"):
        assert said in found.data.replace("\\", "")
    assert "--calls-per-second" not in found.data


def test_the_last_page_is_that_of_the_end() -> None:
    """Also when the run ends before the first update is due."""
    progress = Progress()
    progress.expect(10)
    server = Server()
    with observer_on(server, sending_seconds=3600.0) as observer:
        observer.sending(progress)
        progress.settled(Status.ACCEPTED, 10)
    assert "10 of 10 numbers (100 %)" in server.updated[-1].description


def test_a_canary_and_the_others_move_one_page() -> None:
    """The run reports the sending twice."""
    server = Server()
    artifacts = artifacts_on(server)
    artifacts.sending(Progress())
    artifacts.sending(Progress())
    assert [artifact.key for artifact in server.created] == ["camp-1-page"]


def test_a_run_that_goes_on_in_another_process_keeps_its_page() -> None:
    """It was suspended, or retried: its list of artifacts has one page, not one for each process."""
    server = Server()
    server.earlier = [SimpleNamespace(id=uuid.uuid4(), key="camp-1-page")]
    artifacts_on(server).previewed(PREVIEW)
    assert server.created == []
    assert "Preview of" not in server.updated[0].data
    assert server.updated[0].description.startswith("Planned: ")


def test_a_page_says_until_when_somebody_is_asked_and_how_to_answer() -> None:
    """The newer UI has no button for it, only a menu."""
    server = Server()
    artifacts = artifacts_on(server)
    artifacts.previewed(PREVIEW)
    artifacts.asking(PREVIEW, 1_800_000_000.0)
    page = server.updated[-1]
    assert page.description.startswith("Waiting for approval until 2027-01-15 08:00 UTC: no answer by then")
    assert "menu with three dots" in page.data
    artifacts.answered(Answer(Decision.APPROVED, "Mei", "in Prefect"))
    assert "Waiting" not in server.updated[-1].data


def test_a_page_says_why_a_run_has_no_results_and_what_to_press() -> None:
    """In the words of the form."""
    server = Server()
    artifacts = artifacts_on(server)
    artifacts.previewed(PREVIEW)
    artifacts.failed("above --max-recipients: 30")
    page = server.updated[-1]
    assert page.description == 'Ended without results: above "Cap": 30'
    assert "press Retry" in page.data


@pytest.mark.parametrize(
    ("why", "first", "then"),
    [
        (
            Interruption.PAUSED,
            "Paused at 240 of 500 numbers (48 %): nothing more is sent until the run is resumed.",
            "choose Resume",
        ),
        (
            Interruption.CANCELLED,
            "Cancelled at 240 of 500 numbers (48 %): nothing more is sent until the run is tried",
            "press Retry",
        ),
    ],
)
def test_a_page_says_that_somebody_interrupted_the_run_and_what_to_press(
    why: Interruption, first: str, then: str
) -> None:
    """Its last line isn't Sending, although the last update comes later."""
    progress = Progress()
    progress.expect(500)
    server = Server()
    with observer_on(server, sending_seconds=3600.0) as observer:
        observer.previewed(PREVIEW)
        observer.sending(progress)
        progress.settled(Status.ACCEPTED, 240)
        observer.interrupted(why)
    page = server.updated[-1]
    assert page.description.startswith(first)
    assert "| accepted | 240 |" in page.data
    assert then in page.data


def test_a_run_that_is_paused_before_its_first_call_says_so() -> None:
    """Nothing of this run was sent."""
    server = Server()
    artifacts = artifacts_on(server)
    artifacts.previewed(PREVIEW)
    artifacts.interrupted(Interruption.PAUSED)
    assert server.updated[-1].description.startswith("Paused before the first call of this run: ")


def test_a_stopped_run_says_on_its_page_what_to_press(tmp_path: Path) -> None:
    """And leads to the results and to the run's page, which has the buttons."""
    server = Server()
    stop = Stop(StopCause.STOPPED, "no balance. Top up. Then run the same command again: it continues.")
    run = uuid.uuid4()
    artifacts = PrefectArtifacts(run, connect=server.connect)
    artifacts.opened("Camp_1")
    artifacts.ended(report_of(tmp_path, [sent("accepted"), sent("not_sent", "stopped")], stop=stop))
    (page,) = server.created
    assert page.description.startswith("Stopped: no balance. Top up. Then press Retry on this run's page")
    assert f"(<../../runs/flow-run/{run}>)" in page.data
    assert f"(<{(tmp_path / 'results.parquet').as_uri()}>)" in page.data
    assert "--" not in page.data.replace("---", "")


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

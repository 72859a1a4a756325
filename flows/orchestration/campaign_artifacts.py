"""What a run tells Prefect as it goes: artifacts and events.

One thread of its own talks to the server, and whatever goes wrong there is swallowed: a server that is down, slow or
busy costs pictures, never a call. Artifacts and events hold counts, reasons and masked numbers; no whole number.

Artifacts, by key (`<campaign>` in small letters, digits and dashes):

    <campaign>-preview     markdown  what would be sent, before the first call
    <campaign>-progress    progress  how far it has come, every five seconds
    <campaign>-report      markdown  what became of it
    <campaign>-failures    table     the first rows of each failure
    <campaign>-results     markdown  a link to the results

Events, of the resource `globe-sms.campaign.<campaign>`: see `EVENTS`.
"""

import contextvars
import json
import queue
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any, Final, Self
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.events import emit_event

from globe_sms.tasks.reports.campaign_page import failures_table, report_page
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page
from globe_sms.tasks.reports.results_link import results_link
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.sending.progress_text import percent, progress_sentence
from globe_sms.tasks.vocabulary.stop_signal import StopCause

EVENTS: Final = {
    "sms.campaign.approval_needed": "the run waits for somebody to approve it",
    "sms.campaign.started": "the first call is about to leave",
    "sms.campaign.finished": "the run came to its end; `settled` says whether rows are left unknown or not sent",
    "sms.campaign.stopped": "the run stopped before its end; `message` says why, `code` is the gateway's",
    "sms.campaign.declined": "somebody declined it, or nobody answered in time; nothing was sent",
    "sms.campaign.cancelled": "the run was cancelled; what was in the air is accounted for",
}
_PROGRESS_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 10.0
_HTTP_SECONDS: Final = 10.0
_ENDED = {None: "finished", StopCause.CANCELLED: "cancelled", StopCause.DECLINED: "declined"}


class CampaignArtifacts:
    """One run's artifacts and events; use as a context manager within the flow run. No method waits or raises."""

    def __init__(
        self,
        campaign: str,
        flow_run: UUID | None,
        *,
        every: float = _PROGRESS_SECONDS,
        patience: float = _PATIENCE_SECONDS,
        connect: Callable[[], AbstractContextManager[SyncPrefectClient]] | None = None,
        emit: Callable[..., object] = emit_event,
    ) -> None:
        self._campaign = campaign
        self._flow_run = flow_run
        self._every = every
        self._patience = patience
        self._connect = connect or _connect
        self._emit = emit
        self._jobs: queue.SimpleQueue[Callable[[SyncPrefectClient], object] | None] = queue.SimpleQueue()
        self._tally: Progress | None = None
        self._progress: UUID | None = None
        self._began = False
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work,), name="bulletin", daemon=True)

    def previewed(self, preview: Preview) -> None:
        """Show the preview."""
        self._show("preview", "markdown", lambda: as_markdown(preview_page(preview)))

    def asking(self, preview: Preview) -> None:
        """Tell that somebody must approve the campaign."""
        self._tell("approval_needed", numbers=preview.numbers, calls=preview.calls, seconds=round(preview.seconds))

    def sending(self, progress: Progress) -> None:
        """Show the progress from here on; after the first time it is shown already."""
        if self._began:
            return
        self._began = True
        self._tell("started", numbers=progress.snapshot.total)
        self._jobs.put(lambda client: self._follow(client, progress))

    def ended(self, report: CampaignReport) -> None:
        """Show the report, the failures and where the results are, and tell how it ended."""
        self._jobs.put(self._update)
        self._show("report", "markdown", lambda: as_markdown(report_page(report)))
        if report.figures.failures:
            table = failures_table(report)
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            self._show("failures", "table", lambda: json.dumps(rows), table.heading)
        self._show("results", "markdown", lambda: results_link(report.uri, report.s3))
        cause = None if report.stop is None else report.stop.cause
        summary = {name: value for name, value in report.summary().items() if name != "campaign"}
        stop = {} if report.stop is None else {"message": report.stop.message, "code": report.stop.code}
        self._tell(_ENDED.get(cause, "stopped"), **summary, settled=report.settled, dry_run=report.dry_run, **stop)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait a little for what is still to be told; what the server does not take in time is dropped."""
        self._jobs.put(None)
        self._thread.join(self._patience)

    def _show(self, name: str, kind: str, make: Callable[[], str], description: str | None = None) -> None:
        self._jobs.put(lambda client: self._create(client, name, kind, make(), description))

    def _tell(self, what: str, **payload: Any) -> None:
        resource = {
            "prefect.resource.id": f"globe-sms.campaign.{self._campaign}",
            "prefect.resource.name": self._campaign,
        }
        event = {
            "event": f"sms.campaign.{what}",
            "resource": resource,
            "related": [] if self._flow_run is None else [_flow_run_resource(self._flow_run)],
            "payload": payload,
        }
        self._jobs.put(lambda _: self._emit(**event))

    def _create(
        self, client: SyncPrefectClient, name: str, kind: str, data: Any, description: str | None = None
    ) -> UUID:
        made = client.create_artifact(
            ArtifactCreate(
                key=artifact_key(self._campaign, name),
                type=kind,
                data=data,
                description=description,
                flow_run_id=self._flow_run,
            )
        )
        return made.id

    def _follow(self, client: SyncPrefectClient, progress: Progress) -> None:
        self._tally = progress
        self._progress = self._create(client, "progress", "progress", 0.0, "The first call is about to leave.")

    def _update(self, client: SyncPrefectClient) -> None:
        if self._tally is None or self._progress is None:
            return
        snapshot = self._tally.snapshot
        said = progress_sentence(snapshot, self._tally.seconds)
        client.update_artifact(self._progress, ArtifactUpdate(data=round(percent(snapshot), 1), description=said))

    def _work(self) -> None:
        with suppress(Exception), self._connect() as client:  # no server, no pictures
            due = time.monotonic() + self._every
            while True:
                try:
                    job = self._jobs.get(timeout=max(0.0, due - time.monotonic()))
                except queue.Empty:
                    _swallow(self._update, client)
                    due = time.monotonic() + self._every
                    continue
                if job is None:
                    _swallow(self._update, client)
                    return
                _swallow(job, client)


def artifact_key(campaign: str, name: str) -> str:
    """Return the artifact's key: small letters, digits and dashes, as Prefect wants it."""
    return f"{re.sub(r'[^a-z0-9]+', '-', campaign.lower()).strip('-')}-{name}"


def _connect() -> SyncPrefectClient:
    # Settings of its own make it a client of its own: the flow's must not wait for this one's answers.
    return get_client(httpx_settings={"timeout": _HTTP_SECONDS}, sync_client=True)


def _swallow(job: Callable[[SyncPrefectClient], object], client: SyncPrefectClient) -> None:
    try:
        job(client)
    except Exception:  # noqa: BLE001  # whatever the server, its client or a figure has: the send goes on
        return


def _flow_run_resource(flow_run: UUID) -> dict[str, str]:
    return {"prefect.resource.id": f"prefect.flow-run.{flow_run}", "prefect.resource.role": "flow-run"}

"""The artifacts that a run leaves in Prefect: counts, reasons and masked numbers; no whole number.

By key (`<campaign>` in small letters, digits and dashes):

    <campaign>-page        markdown  the campaign's page: preview, then progress every five seconds, then report
    <campaign>-failures    table     the first rows of each failure
    <campaign>-account     markdown  the account's schedule, as it stood before the first call and after the last
    <campaign>-tracking    progress  how far a tracking is, every ten seconds
    <campaign>-deliveries  markdown  what a tracking learned

A run has one page, also when it was suspended and goes on in another process. The page's description is its first line,
so that a run's list of artifacts shows how far it is.
"""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey

from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.tasks.campaign.approval import Answer
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.pacing.schedule_state import ScheduleState
from globe_sms.tasks.reports.campaign_page import failures_table
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.page_blocks import Link
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.run_page import Interruption, RunView, run_page, run_sentence
from globe_sms.tasks.reports.schedule_page import schedule_page
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.sending.progress import Progress

PAGE: Final = "page"
_SENDING_SECONDS: Final = 5.0
_TRACKING_SECONDS: Final = 10.0  # so an update costs a tracking no queries
_HTTP_SECONDS: Final = 10.0

_Connect = Callable[[], AbstractContextManager[SyncPrefectClient]]


def _connect() -> SyncPrefectClient:
    # With settings of its own it's a client of its own: the flow's doesn't wait for this one's answers.
    return get_client(httpx_settings={"timeout": _HTTP_SECONDS}, sync_client=True)


class PrefectArtifacts(RunObserver):
    """Makes the artifacts of one flow run. Each is tried once: a server that's down or slow costs pictures only.

    One client is kept: making one for each update would cost a tracking the turns of some hundred queries.
    """

    def __init__(
        self, flow_run: UUID | None, *, connect: _Connect = _connect, sending_seconds: float = _SENDING_SECONDS
    ) -> None:
        self.refresh_seconds = sending_seconds
        self._flow_run = flow_run
        self._connect = connect
        self._open = ExitStack()
        self._client: SyncPrefectClient | None = None
        self._view = RunView(campaign="")
        self._sending: Progress | None = None
        self._tracking: TrackingProgress | None = None
        self._pages: dict[str, UUID] = {}

    def opened(self, campaign: str) -> None:
        """Keep the campaign's id: the keys begin with it."""
        self._view = replace(self._view, campaign=campaign)

    def previewed(self, preview: Preview) -> None:
        """Show the preview."""
        self._show(preview=preview)
        self._show_schedule(preview.schedule)

    def asking(self, preview: Preview, until: float) -> None:
        """Show that somebody is asked, and how to answer."""
        self._sending = None
        self._show(preview=preview, progress=None, asking_until=until)

    def answered(self, answer: Answer) -> None:  # noqa: ARG002  # the log has who and what
        """Show that nobody is asked any more."""
        self._show(asking_until=None)

    def sending(self, progress: Progress) -> None:
        """Show how far the sending is from here on."""
        self._sending = progress
        self.refresh()

    def tracking(self, progress: TrackingProgress) -> None:
        """Show how far the tracking is from here on."""
        first = self._tracking is None
        self.refresh_seconds = _TRACKING_SECONDS
        self._tracking = progress
        if first:
            self._put("tracking", "progress", 0.0, "The first query is about to leave.")

    def failed(self, message: str) -> None:
        """Show why the run ended without results."""
        self._show(failure=message)

    def interrupted(self, why: Interruption) -> None:
        """Show how far it came, and how to go on."""
        self.refresh()
        self._sending = None
        self._show(asking_until=None, interruption=why)

    def ended(self, report: CampaignReport) -> None:
        """Show the report and the failures."""
        self._sending = None
        self._show(report=report)
        self._show_schedule(report.schedule)
        if report.figures.failures:
            table = failures_table(report)
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            self._put("failures", "table", json.dumps(rows), table.heading)

    def tracked(self, outcome: TrackingOutcome, progress: TrackingProgress) -> None:
        """Show what is known of the messages now."""
        self.tracking(progress)
        self.refresh()
        with suppress(Exception):
            self._put("deliveries", "markdown", _deliveries_text(outcome))

    def refresh(self) -> None:
        """Show how far the run is now."""
        if self._sending is not None:
            self._show(progress=self._sending.snapshot, seconds=self._sending.seconds)
        if self._tracking is not None and "tracking" in self._pages:
            self._put("tracking", "progress", *_tracking_figures(self._tracking))

    def closed(self) -> None:
        """Show the last progress, and let go of the server."""
        self.refresh()
        self._open.close()

    def _show(self, **changes: Any) -> None:
        """Show the campaign's page with these changes. Before the campaign is known there's none."""
        self._view = view = replace(self._view, **changes)
        if not view.campaign:
            return
        with suppress(Exception):
            page = as_markdown(run_page(view, self._link_to_run()).in_words(in_form_words))
            self._put(PAGE, "markdown", page, in_form_words(run_sentence(view)))

    def _show_schedule(self, schedule: ScheduleState | None) -> None:
        if schedule is not None:
            with suppress(Exception):
                page = as_markdown(schedule_page(schedule).in_words(in_form_words))
                self._put("account", "markdown", page, in_form_words(schedule.sentence()))

    def _link_to_run(self) -> Link | None:
        run = self._flow_run
        return (
            None
            if run is None
            else Link("This run's page", f"../../runs/flow-run/{run}", "has the log and the buttons")
        )

    def _put(self, name: str, kind: str, data: str | float, description: str | None = None) -> None:
        """Update this run's artifact of that name, or create it."""
        with suppress(Exception):
            found = self._pages.get(name) or self._made_earlier(name)
            if found is not None:
                self._server().update_artifact(found, ArtifactUpdate(data=data, description=description))
                self._pages[name] = found
                return
            artifact = ArtifactCreate(
                key=artifact_key(self._view.campaign, name),
                type=kind,
                data=data,
                description=description,
                flow_run_id=self._flow_run,
            )
            self._pages[name] = self._server().create_artifact(artifact).id

    def _made_earlier(self, name: str) -> UUID | None:
        """Return what this flow run made in an earlier process, before it was suspended or retried."""
        if self._flow_run is None:
            return None
        key, run = artifact_key(self._view.campaign, name), self._flow_run
        of_this_run = ArtifactFilter(key=ArtifactFilterKey(any_=[key]), flow_run_id=ArtifactFilterFlowRunId(any_=[run]))
        found = self._server().read_artifacts(artifact_filter=of_this_run)
        return found[0].id if found else None

    def _server(self) -> SyncPrefectClient:
        if self._client is None:
            self._client = self._open.enter_context(self._connect())
        return self._client


def artifact_key(campaign: str, name: str) -> str:
    """Return the artifact's key in Prefect's spelling: small letters, digits and dashes."""
    return f"{re.sub(r'[^a-z0-9]+', '-', campaign.lower()).strip('-')}-{name}"


def _tracking_figures(progress: TrackingProgress) -> tuple[float, str]:
    """Return how many percent are final, and the same in words."""
    final, whole = progress.final, progress.final + progress.open
    said = f"{final:,} of {whole:,} messages have a final status; {progress.asked:,} queries."
    return round(100 * final / whole if whole else 100.0, 1), said


def _deliveries_text(outcome: TrackingOutcome) -> str:
    said = "\n\n".join(outcome.sentences())
    return said if outcome.report is None else f"{outcome.report.markdown()}\n\n{said}"

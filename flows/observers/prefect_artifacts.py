"""The artifacts that a run leaves in Prefect: counts, reasons and masked numbers; no whole number.

By key (`<campaign>` in small letters, digits and dashes):

    <campaign>-preview     markdown  what would be sent, before the first call
    <campaign>-progress    progress  how far the sending is, every five seconds
    <campaign>-report      markdown  how it ended
    <campaign>-failures    table     the first rows of each failure
    <campaign>-results     markdown  a link to the results
    <campaign>-tracking    progress  how far a tracking is, every ten seconds
    <campaign>-deliveries  markdown  what a tracking learned
"""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Final
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate

from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.reports.campaign_page import failures_table, report_page
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.preview_page import preview_page
from globe_sms.tasks.reports.results_link import results_link
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.sending.progress_text import percent, progress_sentence

_SENDING_SECONDS: Final = 5.0
_TRACKING_SECONDS: Final = 10.0  # so an update costs a tracking no queries
_HTTP_SECONDS: Final = 10.0

_Connect = Callable[[], AbstractContextManager[SyncPrefectClient]]
_Figures = tuple[float, str]  # percent, and the same in words


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
        self._campaign = ""
        self._figures: Callable[[], _Figures] | None = None
        self._progress: UUID | None = None

    def opened(self, campaign: str) -> None:
        """Keep the campaign's id: the keys begin with it."""
        self._campaign = campaign

    def previewed(self, preview: Preview) -> None:
        """Show the preview."""
        self._create("preview", "markdown", lambda: as_markdown(preview_page(preview).in_words(in_form_words)))

    def sending(self, progress: Progress) -> None:
        """Show how far the sending is from here on."""
        figures = lambda: _sending_figures(progress)  # noqa: E731  # read at each refresh
        self._follow("progress", "The first call is about to leave.", figures)

    def tracking(self, progress: TrackingProgress) -> None:
        """Show how far the tracking is from here on."""
        self.refresh_seconds = _TRACKING_SECONDS
        self._follow("tracking", "The first query is about to leave.", lambda: _tracking_figures(progress))

    def ended(self, report: CampaignReport) -> None:
        """Show the report, the failures and where the results are."""
        self.refresh()
        self._create("report", "markdown", lambda: as_markdown(report_page(report).in_words(in_form_words)))
        if report.figures.failures:
            table = failures_table(report)
            rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
            self._create("failures", "table", lambda: json.dumps(rows), table.heading)
        self._create("results", "markdown", lambda: results_link(report.uri, report.s3))

    def tracked(self, outcome: TrackingOutcome, progress: TrackingProgress) -> None:
        """Show what is known of the messages now."""
        self.tracking(progress)
        self.refresh()
        self._create("deliveries", "markdown", lambda: _deliveries_text(outcome))

    def refresh(self) -> None:
        """Show how far the run is now."""
        if self._figures is None or self._progress is None:
            return
        with suppress(Exception):
            done, said = self._figures()
            self._server().update_artifact(self._progress, ArtifactUpdate(data=round(done, 1), description=said))

    def closed(self) -> None:
        """Show the last progress, and let go of the server."""
        self.refresh()
        self._open.close()

    def _follow(self, name: str, before: str, figures: Callable[[], _Figures]) -> None:
        first = self._figures is None
        self._figures = figures
        if first:
            self._progress = self._create(name, "progress", lambda: 0.0, before)

    def _create(
        self, name: str, kind: str, make: Callable[[], str | float], description: str | None = None
    ) -> UUID | None:
        with suppress(Exception):
            artifact = ArtifactCreate(
                key=artifact_key(self._campaign, name),
                type=kind,
                data=make(),
                description=description,
                flow_run_id=self._flow_run,
            )
            return self._server().create_artifact(artifact).id
        return None

    def _server(self) -> SyncPrefectClient:
        if self._client is None:
            self._client = self._open.enter_context(self._connect())
        return self._client


def artifact_key(campaign: str, name: str) -> str:
    """Return the artifact's key in Prefect's spelling: small letters, digits and dashes."""
    return f"{re.sub(r'[^a-z0-9]+', '-', campaign.lower()).strip('-')}-{name}"


def _sending_figures(progress: Progress) -> _Figures:
    snapshot = progress.snapshot
    return percent(snapshot), progress_sentence(snapshot, progress.seconds)


def _tracking_figures(progress: TrackingProgress) -> _Figures:
    final, whole = progress.final, progress.final + progress.open
    said = f"{final:,} of {whole:,} messages have a final status; {progress.asked:,} queries."
    return (100 * final / whole if whole else 100.0), said


def _deliveries_text(outcome: TrackingOutcome) -> str:
    said = "\n\n".join(outcome.sentences())
    return said if outcome.report is None else f"{outcome.report.markdown()}\n\n{said}"

"""The last report of a deployment, as an artifact with a key of its own that the deployment's page links to.

<deployment>-last-report    markdown    the report of its last run that had one
"""

from contextlib import suppress
from typing import Final
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate

from globe_sms.flows.observers.prefect_artifacts import artifact_key
from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.tasks.campaign.options.words import in_form_words
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.reports.campaign_page import report_page
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.page_as_markdown import as_markdown
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome

_NAME: Final = "last-report"


class LastReport(RunObserver):
    """Makes the artifact when a run of the deployment ends. It's tried once: a server that's down costs a page only."""

    def __init__(self, flow_run: UUID | None, deployment: str) -> None:
        self._flow_run = flow_run
        self._key = artifact_key(deployment, _NAME)

    def ended(self, report: CampaignReport) -> None:
        """Show the campaign's report."""
        self._put(as_markdown(report_page(report).in_words(in_form_words)), report.sentence())

    def tracked(self, outcome: TrackingOutcome, progress: TrackingProgress) -> None:  # noqa: ARG002  # the report has it
        """Show the delivery report."""
        self._put("" if outcome.report is None else outcome.report.markdown(), outcome.sentence())

    def _put(self, page: str, sentence: str) -> None:
        with suppress(Exception), get_client(sync_client=True) as client:
            client.create_artifact(
                ArtifactCreate(
                    key=self._key,
                    type="markdown",
                    data=page or sentence,
                    description=sentence,
                    flow_run_id=self._flow_run,
                )
            )

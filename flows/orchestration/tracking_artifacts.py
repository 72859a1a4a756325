"""What a tracking tells Prefect as it goes: how far it has come, and what became of the messages."""

import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_progress_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate

from globe_sms.flows.orchestration.campaign_artifacts import artifact_key
from globe_sms.tasks.delivery.tracker import TrackingProgress
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.tracking_run import Watch

_EVERY_SECONDS: Final = 10.0
_HTTP_SECONDS: Final = 5.0


class TrackingArtifacts:
    """One tracking's artifacts; a context manager. A server that does not answer keeps the tracking from nothing.

    `watch` is told of the progress as well. One client is kept for the progress: making one for each update would
    take the turns of some hundred queries.
    """

    def __init__(self, campaign: str, watch: Watch, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._campaign = campaign
        self._watch = watch
        self._monotonic = monotonic
        self._progress: UUID | None = None
        self._client = get_client(httpx_settings={"timeout": _HTTP_SECONDS}, sync_client=True)
        with suppress(Exception):
            made = create_progress_artifact(
                0.0, key=artifact_key(campaign, "tracking"), description="The first query is about to leave."
            )
            self._progress = made if isinstance(made, UUID) else None
        self._due = monotonic() + _EVERY_SECONDS

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Exception):
            self._client.__exit__(kind, error, trace)

    def follow(self, progress: TrackingProgress) -> None:
        """Pass the progress on, and show it every ten seconds."""
        self._watch(progress)
        if self._progress is None or self._monotonic() < self._due:
            return
        self._due = self._monotonic() + _EVERY_SECONDS
        self._show(progress)

    def _show(self, progress: TrackingProgress) -> None:
        if self._progress is None:
            return
        known, whole = progress.final, progress.final + progress.open
        said = f"{known:,} of {whole:,} messages have come to their end; {progress.asked:,} queries."
        percent = round(100 * known / whole, 1) if whole else 100.0
        with suppress(Exception):
            self._client.update_artifact(self._progress, ArtifactUpdate(data=percent, description=said))

    def ended(self, outcome: TrackingOutcome, progress: TrackingProgress) -> None:
        """Show what is known at the end."""
        self._show(progress)
        said = "\n\n".join(outcome.sentences())
        with suppress(Exception):
            page = said if outcome.report is None else f"{outcome.report.markdown()}\n\n{said}"
            create_markdown_artifact(page, key=artifact_key(self._campaign, "deliveries"))

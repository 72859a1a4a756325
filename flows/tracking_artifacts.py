"""What a tracking tells Prefect as it goes: how far it has come, and what became of the messages."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact

from tasks.bulletin import artifact_key
from tasks.delivery.outcome import TrackingOutcome
from tasks.delivery.report_page import delivery_markdown
from tasks.delivery.tracked import Watch
from tasks.delivery.tracking import Progress

_EVERY_SECONDS: Final = 10.0


class TrackingArtifacts:
    """One tracking's artifacts; a server that does not answer keeps it from nothing. `watch` is told as well."""

    def __init__(self, campaign: str, watch: Watch, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._campaign = campaign
        self._watch = watch
        self._monotonic = monotonic
        self._progress: UUID | None = None
        self._due = monotonic()

    def follow(self, progress: Progress) -> None:
        """Pass the progress on, and show it every ten seconds."""
        self._watch(progress)
        if self._monotonic() < self._due:
            return
        self._due = self._monotonic() + _EVERY_SECONDS
        known, whole = progress.final, progress.final + progress.open
        said = f"{known:,} of {whole:,} messages have come to their end; {progress.asked:,} queries."
        percent = round(100 * known / whole, 1) if whole else 100.0
        with suppress(Exception):
            if self._progress is None:
                made = create_progress_artifact(percent, key=artifact_key(self._campaign, "tracking"), description=said)
                self._progress = made if isinstance(made, UUID) else None
            else:
                update_progress_artifact(self._progress, percent, description=said)

    def ended(self, outcome: TrackingOutcome) -> None:
        """Show what is known at the end."""
        said = "\n\n".join(outcome.sentences())
        with suppress(Exception):
            page = said if outcome.report is None else f"{delivery_markdown(outcome.report)}\n\n{said}"
            create_markdown_artifact(page, key=artifact_key(self._campaign, "deliveries"))

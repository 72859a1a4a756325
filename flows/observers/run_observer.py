"""What a run reports while it goes on. A terminal, Prefect's artifacts and Prefect's events are its outlets."""

from collections.abc import Callable

from globe_sms.tasks.campaign.approval import Answer
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.reports.run_page import Interruption
from globe_sms.tasks.reports.tracking_outcome import TrackingOutcome
from globe_sms.tasks.sending.progress import Progress

Ask = Callable[[Preview], Answer]


class RunObserver:
    """Hears each event of a run once, in order. By itself it shows nothing: an outlet overrides what it shows.

    An outlet may take its time and may fail: `outlet_threads` calls it, so neither reaches the run.
    """

    refresh_seconds: float = 10.0

    def step(self, what: str) -> None:
        """A step begins; `what` names it in a few words."""

    def opened(self, campaign: str) -> None:
        """The campaign's id is known."""

    def previewed(self, preview: Preview) -> None:
        """The plan is made, and it's known what this run would send."""

    def question(self, *, required: bool) -> Ask | None:  # noqa: ARG002  # for outlets that reach a person
        """Return how to ask the person at this outlet whether to send; None if the outlet asks nobody.

        Called in the run's own thread, and so is what it returns. `required`: nothing is sent without an answer.

        Raises:
            InputError: an answer is required, and this outlet should ask but can't.
        """
        return None

    def asking(self, preview: Preview, until: float) -> None:
        """The run waits until somebody answers in Prefect; no answer until then (Unix time) counts as no."""

    def answered(self, answer: Answer) -> None:
        """Somebody has answered, or nobody has in time."""

    def sending(self, progress: Progress) -> None:
        """Calls are about to leave; `progress` keeps counting. Reported again after a canary."""

    def tracking(self, progress: TrackingProgress) -> None:
        """Queries are leaving; `progress` keeps counting. Reported about once a second."""

    def no_rows(self, message: str) -> None:
        """The lists have no rows, so the run ends without results; `message` says which lists."""

    def failed(self, message: str) -> None:
        """The run ends with an error and without results; `message` says why."""

    def interrupted(self, why: Interruption) -> None:
        """Somebody has paused the run, or cancelled it before there was anything to account for; no results follow."""

    def ended(self, report: CampaignReport) -> None:
        """The campaign's results are written."""

    def tracked(self, outcome: TrackingOutcome, progress: TrackingProgress) -> None:
        """What a tracking learned is written."""

    def refresh(self) -> None:
        """Another `refresh_seconds` have passed: time to show the progress again."""

    def closed(self) -> None:
        """The run is over, with or without results; no event follows."""

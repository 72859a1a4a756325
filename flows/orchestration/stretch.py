"""A stretch of sending: the campaign waits for others with its text, and finds out who has the text by then."""

import contextlib
from collections.abc import Generator
from pathlib import Path

from prefect import get_run_logger

from globe_sms.flows.observers.run_observer import RunObserver
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.campaign.sending_now import SendingNow
from globe_sms.tasks.campaign_run import CampaignRun
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.repeats.same_text_at_once import SameTextAtOnce
from globe_sms.tasks.vocabulary.redact_errors import redact_errors
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


@contextlib.contextmanager
def stretch_of_sending(
    run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, observer: RunObserver
) -> Generator[Path | None]:
    """Yield who of what's left already has the text, as a file of `leave_out`; None if nobody has.

    As long as it is open, no campaign that begins later sends the same text to the same people. A test, whose numbers
    are the operator's own, neither waits nor keeps others waiting. If the run is stopped while it waits, it's over.

    Raises:
        InputError, StoreError: it isn't known who has the text, or who sends now.
    """
    if run.config.test_to:
        yield None
        return
    sending = SendingNow(run.resources.store, run.campaign.owner)
    at_once = SameTextAtOnce(run.resources.store, run.campaign.id, run.texts, sending, run.stop)
    with at_once.stretch() as ours:
        finder = run.repeat_finder()
        if finder is None:
            yield None
            return
        rows = plan.scan_numbers(remaining.chunks)

        def say(what: str) -> None:
            observer.step(what)
            get_run_logger().info("%s: %s", run.campaign.id, what)

        try:
            with redact_errors():
                at_once.wait(ours, finder, rows, run.scratch, say)
        except Exception:
            raise
        except BaseException as error:  # noqa: BLE001  # Prefect's termination signal and Ctrl-C, as in `send_shard`
            run.stop.set(
                Stop(
                    StopCause.CANCELLED,
                    f"The run was cancelled ({type(error).__name__}). Run the same campaign again to go on.",
                )
            )
        with redact_errors():
            found = finder.find(rows, run.scratch) if run.stop.stop is None else None
        yield found

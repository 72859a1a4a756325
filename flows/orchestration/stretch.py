"""A stretch of sending: before it a campaign waits for others that send the same text to the same people."""

import contextlib
from collections.abc import Generator

from globe_sms.flows.orchestration.executor import Executor
from globe_sms.tasks.campaign.remaining_chunks import RemainingChunks
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.steps.preview_campaign import reserve_budgets
from globe_sms.tasks.steps.read_ledger import leave_out_now
from globe_sms.tasks.steps.send_chunks import cancelled
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


@contextlib.contextmanager
def stretch_of_sending(
    run: CampaignRun, plan: FrozenPlan, remaining: RemainingChunks, executor: Executor
) -> Generator[RemainingChunks]:
    """Yield what is left to send in the body, without people who have got the text meanwhile.

    Campaigns that begin later and send the same text to the same people wait until it ends. If the run is stopped
    while it waits, the body has nothing to send. A test, whose numbers are the operator's own, doesn't wait, and others
    wait for it only if the policy has budgets. If too little is left of the budgets after this run has called already,
    it's stopped.

    Raises:
        InputError: the policy's budgets don't have enough left; this run has sent nothing.
        InputError, StoreError: it's unknown which campaigns are being sent.
    """
    if run.config.test_to and not run.has_budgets:
        yield remaining
        return

    def say(what: str) -> None:
        executor.observer.step(what)
        executor.log.info("%s: %s", run.campaign.id, what)

    with contextlib.ExitStack() as stretch:
        try:
            rows = plan.scan_numbers(remaining.chunks)
            reserve = reserve_budgets(run, plan, remaining)
            stretch.enter_context(run.repeats.stretch(rows, say, has_ended=lambda: run.has_ended, reserve=reserve))
        except InputError as error:
            if not run.progress.snapshot.calls:
                raise
            run.stop.set(Stop(StopCause.STOPPED, f"{error} What was sent before stays sent."))
        except Exception:
            raise
        except BaseException as error:  # noqa: BLE001  # Prefect's termination signal and Ctrl-C: the results follow
            run.stop.set(cancelled(error))
        yield remaining if run.stop.stop is not None else leave_out_now(run, plan, remaining)

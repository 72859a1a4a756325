"""How somebody is asked to approve a campaign: at the terminal, on a paused run, or on a suspended run."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from globe_sms.flows.observers.run_observer import Ask
from globe_sms.flows.orchestration.approval_page import AnswerNeededError, ApprovalPage, Stage
from globe_sms.flows.orchestration.executor import Executor
from globe_sms.tasks.campaign.approval import Answer, Approval
from globe_sms.tasks.planning.frozen_plan import FrozenPlan
from globe_sms.tasks.reports.preview import Preview
from globe_sms.tasks.runs.campaign_run import CampaignRun
from globe_sms.tasks.steps.write_results import write_campaign_results
from globe_sms.tasks.vocabulary.durations import in_words
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """One question about one campaign. `preview` is what the person sees, `question` what campaign.json keeps."""

    run: CampaignRun
    plan: FrozenPlan
    preview: Preview
    question: Approval
    stage: Stage
    executor: Executor

    def ask_here(self, ask: Ask) -> Answer:
        """Ask the person at this process's terminal, and wait.

        Raises:
            CampaignBusyError: another run has taken the campaign in the meantime.
        """
        return self._wait_for(lambda: ask(self.preview))

    def ask_in_prefect(self) -> Answer:
        """Ask on the flow run's page. A run of a deployment is suspended, any other is paused and waits.

        Raises:
            InputError: the run isn't recorded, or on a temporary Prefect server, where nobody can answer.
            CampaignBusyError: another run has taken the campaign in the meantime.
            AnswerNeededError: the run must be suspended; its process ends here.
        """
        page = self._page()
        if page.suspends:
            self._write_unapproved_results()
            return self.answer_of_suspended_run()
        seconds = self.run.config.approval_timeout
        self.executor.observer.asking(self.preview, time.time() + seconds)
        return self._wait_for(lambda: page.pause(self.preview, seconds, self.stage))

    def answer_of_suspended_run(self) -> Answer:
        """Return the answer in the run that it starts; before, and where it's unclear, have this run suspended.

        Raises:
            AnswerNeededError: the run must be suspended.
        """
        key = self.stage.key(self.question.content)
        try:
            return self._page().suspend(self.preview, self.run.config.approval_timeout, key)
        except AnswerNeededError as needed:
            self.executor.observer.asking(self.preview, needed.until)
            raise

    def _page(self) -> ApprovalPage:
        if self.executor.approval_page is None:
            raise InputError(
                "this campaign needs approval, but no Prefect server is set, so there's no page where somebody could "
                "give it. Set PREFECT_API_URL to your Prefect server, or send it with `globe-sms send` at a terminal."
            )
        return self.executor.approval_page

    def _wait_for(self, ask: Callable[[], Answer]) -> Answer:
        """Wait for the answer without the campaign's lease, so other runs can take it; then take it again.

        After a canary the results are written first: its numbers were texted, even if this process never goes on.
        """
        if self.question.after_canary:
            self._write_unapproved_results()
        else:
            self.run.campaign.update(approval=self.question)
        self.run.campaign.give_back()
        answer = ask()
        self.run.campaign.open(self.run.config.frozen_settings())
        return answer

    def _write_unapproved_results(self) -> None:
        """Write the results as they stand if nobody ever answers: then no process may be left to write them."""
        waited = in_words(self.run.config.approval_timeout)
        message = (
            f"nobody has approved it yet; no answer within {waited} counts as declined. {only_sent(self.question)} was "
            "sent."
        )
        unapproved = Stop(StopCause.DECLINED, message)
        self.executor.call(write_campaign_results, self.run, self.plan, 0, unapproved)
        self.run.campaign.update(approval=self.question)


def only_sent(question: Approval) -> str:
    """Say what was sent before the question: nothing, or only the canary."""
    return "Only the canary" if question.after_canary else "Nothing"

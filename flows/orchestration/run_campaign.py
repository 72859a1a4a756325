"""The steps of a campaign in their order, the same for a flow run and for a run without a Prefect server."""

from globe_sms.flows.orchestration.approval import approve
from globe_sms.flows.orchestration.canary import send_canary
from globe_sms.flows.orchestration.executor import Executor
from globe_sms.flows.orchestration.shards import send_shards
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.runs.open_campaign_run import open_run
from globe_sms.tasks.steps.plan_campaign import plan_campaign
from globe_sms.tasks.steps.preview_campaign import check_caps, preview_campaign
from globe_sms.tasks.steps.read_ledger import read_ledger
from globe_sms.tasks.steps.write_results import write_campaign_results


def run_campaign(config: CampaignConfig, executor: Executor) -> CampaignReport:
    """Plan the campaign, have it approved, send it, and account for every row; return the report, however it ended.

    Raises:
        InputError: the input or the configuration is wrong; nothing was sent.
        CampaignBusyError: another run is sending this campaign.
        LeaseLostError: another run has taken the campaign over.
        AnswerNeededError: the flow run must be suspended until somebody has answered.
    """
    observer = executor.observer
    asking = ", and asking the database if the plan may still change" if config.asks_database else ""
    observer.step(f"checking the results folder and the credentials{asking}")
    with open_run(config, flow_run=executor.flow_run) as run:
        executor.took_over(run.campaign)
        executor.check_lasting("The account's pacing folder", run.resources.account.pacing_place)
        observer.opened(run.campaign.id)
        observer.step("reading and validating the lists, or the plan that was frozen earlier")
        plan = executor.call(plan_campaign, run)
        remaining = executor.call(read_ledger, run, plan)
        preview = executor.call(preview_campaign, run, plan, remaining)
        observer.previewed(preview)
        check_caps(run, preview)
        approved = approve(run, plan, remaining, preview, executor)
        rest = send_canary(run, plan, approved, preview, executor)
        send_shards(run, plan, rest, executor)
        observer.step("writing the results")
        report = executor.call(write_campaign_results, run, plan, len(approved.resent))
    observer.ended(report)
    return report

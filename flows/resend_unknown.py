"""The flow `resend-unknown`: send a campaign's unknown rows once more, with the settings of its last run.

What must exist: a run of the campaign on this Prefect server, whose parameters are taken.
"""

from typing import Any, cast

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from globe_sms.flows.option_signatures import chosen_parameters, takes
from globe_sms.flows.orchestration.earlier_run import settings_of_last_run
from globe_sms.flows.orchestration.final_states import name_refusals
from globe_sms.flows.orchestration.run_name import run_name
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.campaign.options.flow_parameters import group_options
from globe_sms.tasks.campaign.options.left_out import OnUnknown
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.sending.shard import MOST_THREADS


@flow(
    name="resend-unknown",
    flow_run_name=run_name,
    task_runner=cast("Any", ThreadPoolTaskRunner(max_workers=MOST_THREADS)),
    persist_result=False,
)
@takes(chosen_parameters("campaign", "results", required=("campaign",)))
@name_refusals
def resend_unknown(campaign: str, results: str) -> CampaignReport:
    """Send once more to the numbers that a campaign left unknown; some people may get the text twice.

    Its lists, message and settings are those of its last run. People who opted out since then are left out.

    Returns:
        The report, as `send_campaign` does.

    Raises:
        InputError: this Prefect server has no run of the campaign, or its settings can't be used any more.
    """
    settings = settings_of_last_run(campaign, results)
    return send_campaign.fn(**group_options({**settings, "on_unknown": OnUnknown.RESEND}))

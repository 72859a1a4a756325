"""The flow `send-campaign`: one message to one recipient list, to each number once.

What must exist: Alibaba Cloud credentials (an account block, or its default credential chain), AWS credentials where
the lists or the results are on S3 (a block, or the environment), and a results folder that supports conditional
writes. See README.md for the settings.
"""

from typing import Any, cast

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from globe_sms.flows.observers.current_observer import observe_run
from globe_sms.flows.option_signatures import form_parameters, takes
from globe_sms.flows.orchestration.answer_due import end_wait, is_answer_due
from globe_sms.flows.orchestration.approval_form import suspend_last
from globe_sms.flows.orchestration.campaign_parameters import campaign_config, refuse_recorded_numbers
from globe_sms.flows.orchestration.deployed_run import check_campaign_id, check_places, in_place_of_nulls
from globe_sms.flows.orchestration.final_states import campaign_state, late_state, name_refusals
from globe_sms.flows.orchestration.prefect_executor import PrefectExecutor
from globe_sms.flows.orchestration.run_campaign import run_campaign
from globe_sms.flows.orchestration.run_name import run_name
from globe_sms.flows.orchestration.scheduled_start import lateness, scheduled_time
from globe_sms.flows.orchestration.this_flow_run import this_flow_run
from globe_sms.tasks.campaign.options.every_campaign import EveryCampaign
from globe_sms.tasks.campaign.options.flow_parameters import flatten_options
from globe_sms.tasks.campaign.options.groups import GROUPS
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.sending.shard import MOST_THREADS


@flow(
    name="send-campaign",
    flow_run_name=run_name,
    task_runner=cast("Any", ThreadPoolTaskRunner(max_workers=MOST_THREADS)),
    persist_result=False,
)
@takes(form_parameters(EveryCampaign, GROUPS))
@name_refusals
@suspend_last
def send_campaign(**parameters: Any) -> CampaignReport:
    """Send one text message to every number of the lists, once, and account for every row.

    Running the same campaign ID again resumes it: what was sent, or may have been, is not sent again. The parameters
    are those of the form, declared in `tasks.campaign.options`.

    Returns:
        The report, with `.counts`, `.uri` and `.results()`.

    Raises:
        InputError: the input or the configuration is wrong; nothing was sent.
        CampaignStoppedError: the campaign was stopped or declined; `.report` says how far it got.
        AllFailedError: the gateway refused every number.
    """
    flow_run = this_flow_run()
    if is_answer_due(flow_run):
        return end_wait(flow_run)  # pyright: ignore[reportReturnType]  # a state, as at the end
    given = in_place_of_nulls(flatten_options(parameters), flow_run)
    scheduled = scheduled_time(given.get("time_zone"))
    late = lateness(scheduled, given.get("latest_start_minutes"))
    if late is not None:
        return late_state(late)  # pyright: ignore[reportReturnType]  # a state, as at the end
    check_campaign_id(given.get("campaign"), flow_run)
    refuse_recorded_numbers(flow_run.parameters)
    config = campaign_config(given, scheduled, from_form=flow_run.deployment_id is not None)
    check_places(config, flow_run)
    with observe_run() as observer:
        report = run_campaign(config, PrefectExecutor(observer, flow_run))
    return campaign_state(report)  # pyright: ignore[reportReturnType]  # Prefect unwraps a returned state's data

"""The flow `send-campaign`: one message to one recipient list, to each number once.

What must exist: Alibaba Cloud credentials (an account block, or its default credential chain), AWS credentials where
the lists or the results are on S3 (a block, or the environment), and a results place that keeps conditional writes.
See README.md for the settings.
"""

from typing import Any, cast

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from globe_sms.flows.orchestration.approval import approve
from globe_sms.flows.orchestration.approval_form import this_run
from globe_sms.flows.orchestration.campaign_artifacts import CampaignArtifacts
from globe_sms.flows.orchestration.campaign_parameters import campaign_config, refuse_recorded_numbers
from globe_sms.flows.orchestration.canary import send_canary
from globe_sms.flows.orchestration.final_state import final_state, late_state
from globe_sms.flows.orchestration.observer import observer
from globe_sms.flows.orchestration.scheduled_start import lateness, run_name, scheduled_time
from globe_sms.flows.orchestration.shards import send_shards
from globe_sms.flows.signatures import form_parameters, takes
from globe_sms.tasks.campaign.option_groups import GROUPS, flatten_options
from globe_sms.tasks.campaign.options import EveryCampaign
from globe_sms.tasks.campaign_run import open_run
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.send_campaign import (
    check_caps,
    plan_campaign,
    preview_campaign,
    read_ledger,
    write_campaign_results,
)
from globe_sms.tasks.sending.dispatch import MOST_THREADS


@flow(
    name="send-campaign",
    flow_run_name=run_name,
    task_runner=cast("Any", ThreadPoolTaskRunner(max_workers=MOST_THREADS)),
    persist_result=False,
)
@takes(form_parameters(EveryCampaign, GROUPS))
def send_campaign(**parameters: Any) -> CampaignReport:
    """Send one text message to every number of the lists, once, and account for every row.

    Running the same campaign ID again resumes it: what was sent, or may have been, is not sent again. The parameters
    are those of the form: `tasks.campaign.options` declares what every campaign has, `tasks.campaign.option_groups` the
    six groups.

    Returns:
        The report, with `.counts`, `.uri` and `.results()`.

    Raises:
        InputError: the input or the configuration is wrong; nothing was sent.
        CampaignStoppedError: the campaign was stopped or declined; `.report` says how far it came.
    """
    given = flatten_options(parameters)
    scheduled = scheduled_time(given.get("time_zone"))
    late = lateness(scheduled, given.get("latest_start_minutes"))
    if late is not None:
        return late_state(late)  # pyright: ignore[reportReturnType]  # a state, as below
    refuse_recorded_numbers(this_run().parameters)
    config = campaign_config(given, scheduled)
    watch = observer()
    watch.step("checking the results place and the credentials")
    with open_run(config) as run, CampaignArtifacts(run.campaign.id, this_run().id) as artifacts:
        watch.step("reading and judging the lists, or the plan that was frozen before")
        plan = plan_campaign(run)
        remaining = read_ledger(run, plan)
        preview = preview_campaign(run, plan, remaining)
        artifacts.previewed(preview)
        watch.previewed(preview)
        check_caps(run, preview)
        remaining = approve(run, plan, remaining, preview, artifacts)
        rest = send_canary(run, plan, remaining, preview, artifacts)
        if rest.chunks and not config.dry_run:
            artifacts.sending(run.progress)
            watch.sending(run.progress)
            send_shards(run, plan, rest)
        watch.step("writing the results")
        report = write_campaign_results(run, plan, len(remaining.resent))
        artifacts.ended(report)
    watch.ended(report)
    return final_state(report)  # pyright: ignore[reportReturnType]  # Prefect unwraps a returned state's data

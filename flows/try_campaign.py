"""The flow `try-campaign`: plan a campaign and call nothing, or send its first texts to your own numbers.

It needs what `send-campaign` needs, and has only the fields that decide who gets which text.
"""

from typing import Any, Final, cast

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from globe_sms.flows.option_signatures import chosen_parameters, takes
from globe_sms.flows.orchestration.run_name import run_name
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.campaign.options.flow_parameters import group_options
from globe_sms.tasks.reports.campaign_report import CampaignReport
from globe_sms.tasks.sending.shard import MOST_THREADS

FIELDS: Final = (
    *("recipients", "campaign", "message", "type", "results", "test_to", "sender_id", "suppress", "default_region"),
    *("account", "aws_credentials", "query", "query_file", "connection"),
)


@flow(
    name="try-campaign",
    flow_run_name=run_name,
    task_runner=cast("Any", ThreadPoolTaskRunner(max_workers=MOST_THREADS)),
    persist_result=False,
)
@takes(chosen_parameters(*FIELDS, required=("recipients", "campaign", "message")))
def try_campaign(**options: Any) -> CampaignReport:
    """Try a campaign: a dry run, or a test that only your own numbers get.

    Without test numbers nobody is texted: the preview and the report say what the campaign would do. Nothing is frozen
    by it, so the campaign may still be changed, and is then sent under the same ID.

    Returns:
        The report, as `send_campaign` does.

    Raises:
        InputError: the input or the configuration is wrong.
    """
    return send_campaign.fn(**group_options({**options, "dry_run": not options.get("test_to")}))

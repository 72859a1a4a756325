"""The flow `send-campaign`: one message to one recipient list, to each number once.

What must exist: Alibaba Cloud credentials (an account block, or its default credential chain), AWS credentials where
the lists or the results are on S3 (a block, or the environment), and a results place that keeps conditional writes.
See README.md for the settings.
"""

from typing import Annotated, Any, cast

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows.scheduled import filled, lateness, scheduled_time
from flows.send_shards import send_shards
from flows.watching import watcher
from tasks.dispatch import MOST_THREADS
from tasks.errors import CampaignStoppedError
from tasks.gateway import MessageType
from tasks.order import OnUnknown, Order
from tasks.report import CampaignReport
from tasks.run import open_run
from tasks.steps import plan_campaign, read_ledger, write_campaign_results
from tasks.stopping import StopCause


def _run_name() -> str:
    from prefect.runtime import flow_run

    return str(flow_run.parameters.get("campaign") or f"send-{flow_run.id}"[:13])


@flow(
    name="send-campaign",
    flow_run_name=_run_name,
    task_runner=cast("Any", ThreadPoolTaskRunner(max_workers=MOST_THREADS)),
    persist_result=False,
)
def send_campaign(
    recipients: list[str],
    *,
    message: str,
    type: MessageType,  # noqa: A002  # Alibaba's name for it
    results: str,
    campaign: str | None = None,
    sender_id: str | None = None,
    default_region: str | None = None,
    number_column: str | None = None,
    numbers_per_call: Annotated[int, Field(ge=1, le=1000)] | None = None,
    calls_per_second: Annotated[float, Field(gt=0, le=100)] | None = None,
    on_unknown: OnUnknown = OnUnknown.HOLD,
    max_failure_rate: Annotated[float, Field(ge=0, le=1)] = 0.5,
    dry_run: bool = False,
    account: str | None = None,
    aws_credentials: str | None = None,
    time_zone: str = "UTC",
    latest_start_minutes: Annotated[int, Field(ge=0)] | None = None,
) -> CampaignReport:
    """Send one text message to every number of the lists, once, and account for every row.

    Running the same campaign id again resumes it: what was sent, or may have been, is not sent again.

    Args:
        recipients: Where the lists are: s3:// objects, prefixes or globs, or local paths. CSV, parquet, NDJSON, XLSX.
            {date}, {year}, {month}, {day} and {hour} are filled in from the time that the run was scheduled for.
        message: The text, at most 1,500 characters, the same for everyone.
        type: OTP (verification code), NOTIFY (notification), MKT (promotion) or GENERAL.
        results: Where the campaign's folder goes: an s3://bucket/prefix or a local directory.
        campaign: The campaign's id: letters, digits, dashes, underscores. Without one it is made from the settings and
            the lists' contents, so that the same command on the same lists is the same campaign. Takes {date} and
            its like as the lists do: a run that is repeated for its day is the same campaign, and sends nothing twice.
        sender_id: Who it is from: an approved sender ID, letters and digits (at most 11), or digits only (at most 15).
        default_region: The region of numbers written without a country code, like SG. Without one, numbers must be
            international; the plus sign may be missing.
        number_column: The column of the phone numbers, where its name does not tell.
        numbers_per_call: How many numbers go out in one call: up to 1,000 for an upgraded account. Without it what the
            account's block says, or 250.
        calls_per_second: How many calls the account may make in a second, over all runs. Without it what the account's
            block says, or 1.
        on_unknown: What to do with chunks that may have been sent in an earlier run: hold them, or resend them once.
        max_failure_rate: Stop when more than this share of the numbers failed or is unknown, after the first 1,000.
        dry_run: Plan and write results, but call nothing.
        account: The name of an Alibaba SMS account block. Without one the environment has the key and the endpoint.
        aws_credentials: The name of an AWS or MinIO credentials block. Without one the environment has the keys of S3.
        time_zone: Whose date {date} is, like Asia/Singapore.
        latest_start_minutes: A run that starts later than so many minutes after its time sends nothing.

    Returns:
        The report, with `.counts`, `.uri` and `.results()`.

    Raises:
        InputError: the input or the configuration is wrong; nothing was sent.
        CampaignStoppedError: the campaign was stopped; `.report` says how far it came.
    """
    parameters = locals()  # nothing else is local yet
    scheduled = scheduled_time(parameters.pop("time_zone"))
    late = lateness(scheduled, parameters.pop("latest_start_minutes"))
    if late is not None:
        return Completed(name="Late", message=late)  # pyright: ignore[reportReturnType]  # a state, as below
    order = Order.checked(**filled(parameters, scheduled))
    log = get_run_logger()
    watcher().step("checking the results place and the credentials")
    with open_run(order) as run:
        watcher().step("reading and judging the lists")
        plan = plan_campaign(run)
        todo = read_ledger(run, plan)
        log.info("%s: %d chunks to send, %d numbers", run.campaign.id, len(todo.chunks), todo.numbers)
        if todo.resent:
            log.warning("%s: %d unknown chunks are sent again, as asked", run.campaign.id, len(todo.resent))
        if todo.chunks and not order.dry_run:
            watcher().sending(run.tally)
            send_shards(run, plan, todo)
        watcher().step("writing the results")
        report = write_campaign_results(run, plan, len(todo.resent))
    watcher().ended(report)
    return _final_state(report)  # pyright: ignore[reportReturnType]  # Prefect unwraps a returned state's data


def _final_state(report: CampaignReport) -> State[CampaignReport]:
    if report.stop is not None and report.stop.cause is StopCause.CANCELLED:
        return Cancelled(message=report.sentence())
    if report.stop is not None:
        message = f"{report.stop.message} ({report.sentence()})"
        return Failed(name="Stopped", message=message, data=CampaignStoppedError(message, report))
    if not report.settled:
        return Completed(name="CompletedWithUnknown", message=report.sentence(), data=report)
    return Completed(message=report.sentence(), data=report)

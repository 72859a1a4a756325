"""Opens what a run of a campaign needs, in order, and closes it in order."""

import contextlib
import os
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path

from globe_sms.tasks.campaign.campaign import Campaign
from globe_sms.tasks.campaign.campaign_json import query_on
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.lease import Owner
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill, spill_folder
from globe_sms.tasks.campaign.stored_document import frozen_settings_of
from globe_sms.tasks.gateway import Gateway
from globe_sms.tasks.pacing.pacer import Pacer
from globe_sms.tasks.planning.campaign_lists import check_campaign_lists, open_campaign_lists
from globe_sms.tasks.planning.opt_outs import check_opt_outs
from globe_sms.tasks.policy.read_policy import Policy, read_policy
from globe_sms.tasks.policy.tighten import tightened
from globe_sms.tasks.publishing.publish import check_table
from globe_sms.tasks.recipients import EmptyListError, ListSource
from globe_sms.tasks.recipients.database_query import QueryRows
from globe_sms.tasks.runs.campaign_run import CampaignRun, CampaignTables
from globe_sms.tasks.runs.keep_query import as_list, ask_query, check_query, keep_query, read_query
from globe_sms.tasks.runs.run_resources import RunResources, open_resources, prompt_threads
from globe_sms.tasks.sending.call_content import CallContent
from globe_sms.tasks.sending.failure_limit import FailureLimit
from globe_sms.tasks.sending.retries import Retries
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.store import probe
from globe_sms.tasks.vocabulary.errors import about
from globe_sms.tasks.vocabulary.redact_errors import redact_errors
from globe_sms.tasks.vocabulary.stop_signal import StopCause, StopSignal


@contextlib.contextmanager
def open_run(
    config: CampaignConfig, environ: Mapping[str, str] = os.environ, *, flow_run: str = ""
) -> Generator[CampaignRun]:
    """Check the place and the credentials, take the campaign's lease, and give everything back at the end.

    `flow_run` is the id of the flow run that carries it out, if Prefect records it; the lease names it.

    Raises:
        InputError: the results folder, the credentials, the endpoint or the settings can't be used.
        CampaignBusyError: another run is sending this campaign.
    """
    with redact_errors(), _opened(config, environ, flow_run) as run:
        yield run


@redact_errors()
def preflight(config: CampaignConfig, environ: Mapping[str, str] = os.environ) -> None:
    """Find what would fail a run at its start, before Prefect is started for it; leaves nothing behind.

    Raises:
        InputError: as `open_run` and the reading of the lists would.
    """
    resources, policy, _ = _open_inputs(config, environ)
    read_query(config, resources.s3)
    if _check_lists(tightened(config, policy), resources) is not None:
        check_query(config, environ)


@contextlib.contextmanager
def open_sender(run: CampaignRun) -> Generator[Sender]:
    """Connect the run to the gateway and to the account's schedule.

    Raises:
        InputError: the credentials, the endpoint or the pacing folder can't be used.
    """
    credentials = run.resources.credentials()
    sender = f"{run.campaign.id} on {run.campaign.owner.host}"
    pacer = Pacer(run.resources.schedule(credentials, run.config.calls_per_second, sender=sender), run.stop)
    with Gateway(run.resources.account.endpoint(), credentials) as gateway, prompt_threads():
        try:
            yield Sender(
                campaign=run.campaign,
                ledger=run.ledger,
                gateway=gateway,
                pacer=pacer,
                texts=CallContent(run.config.wording.text, run.config.type, run.config.sender_id),
                stop=run.stop,
                progress=run.progress,
                retries=Retries(),
                failure_limit=FailureLimit(run.config.max_failure_rate),
                hours=run.config.quiet_hours,
                call_size=run.call_size,
                end=run.end,
                validity=run.config.validity,
            )
        finally:
            pacer.leave()


def _open_inputs(
    config: CampaignConfig, environ: Mapping[str, str]
) -> tuple[RunResources, Policy | None, CampaignTables]:
    """Open what needs no lease."""
    resources = open_resources(
        config.account, config.aws_credentials, config.results, environ, calls_gateway=not config.dry_run
    )
    with about("--results"):
        probe(resources.store)
    policy = read_policy(resources.account, config.results, resources.s3)
    if config.publish is not None and not config.dry_run:
        check_table(config.publish, resources.s3)
    return resources, policy, CampaignTables.read(config, policy, resources.s3)


@contextlib.contextmanager
def _opened(config: CampaignConfig, environ: Mapping[str, str], flow_run: str) -> Generator[CampaignRun]:
    resources, policy, tables = _open_inputs(config, environ)
    config = config.overriding(tables.overrides)
    if tables.own is not None:
        config = config.testing(tables.own["e164"])
    query = read_query(config, resources.s3)
    config = config.asking(query)
    stop = StopSignal()
    with contextlib.ExitStack() as opened:
        scratch = Path(
            opened.enter_context(tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True))
        )
        # Before the lease: bad lists leave nothing behind.
        sources = _check_lists(tightened(config, policy), resources)
        rows = None if sources is None else _ask(config, query, resources, scratch, environ)
        if rows is not None and not rows.rows and not sources:
            raise EmptyListError(f"{query_on(rows.connection)}: no rows found, so nothing was sent")
        identities = [f"{source.uri} {source.identity}" for source in sources or ()]
        campaign_id = config.campaign_for((*identities, *(() if rows is None else (f"query {rows.digest}",))))
        config = _with_account(config, resources, campaign_id)
        campaign = opened.enter_context(Campaign(resources.store, campaign_id, stop=stop, owner=Owner.here(flow_run)))
        with about("--campaign"):
            campaign.open(config.frozen_settings())
        if rows is not None and campaign.document.sending_since is None:
            sources = (*(sources or ()), keep_query(rows, config, campaign.store))
        spill = Spill(
            spill_folder(environ, Path.home()),
            campaign.store.uri,
            hurry=lambda: stop.stop is not None and stop.stop.cause is StopCause.CANCELLED,
        )
        run = CampaignRun(
            config=config,
            policy=policy,
            resources=resources,
            tables=tables,
            campaign=campaign,
            ledger=Ledger(campaign.store, spill),
            stop=stop,
            scratch=scratch,
            sources=sources,
        )
        run.note_policy()
        yield run


def _check_lists(config: CampaignConfig, resources: RunResources) -> tuple[ListSource, ...] | None:
    """Check the lists that a plan would be made of, and return them; None if the campaign's plan is frozen."""
    if config.campaign is None or config.test_to or frozen_settings_of(resources.store, config.campaign) is None:
        return check_campaign_lists(config, resources.s3)
    check_opt_outs(config.suppress, resources.s3)
    return None


def _ask(
    config: CampaignConfig, query: str | None, resources: RunResources, scratch: Path, environ: Mapping[str, str]
) -> QueryRows | None:
    """Return the rows of the campaign's query, once it's known that they can be a list; None without a query."""
    known = config if config.campaign is None else _with_account(config, resources, config.campaign)
    rows = ask_query(known, query, resources.store, scratch, environ)
    if rows is not None:
        open_campaign_lists(config, (as_list(rows, config),), resources.s3)
    return rows


def _with_account(config: CampaignConfig, resources: RunResources, campaign: str) -> CampaignConfig:
    """Take from the account what was left to it; a campaign that is being sent keeps what it was frozen with."""
    if config.account is None:
        return config
    limits = {name: getattr(resources.account, name) for name in config.inherited}
    return config.taking_from({**limits, **(frozen_settings_of(resources.store, campaign) or {})})

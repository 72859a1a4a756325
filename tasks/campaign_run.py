"""One run of a campaign: everything that it needs, opened in order and closed in order."""

import contextlib
import gc
import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from functools import cache
from pathlib import Path

import polars as pl

from globe_sms.tasks.account.account import Account
from globe_sms.tasks.aws_credentials import open_s3
from globe_sms.tasks.campaign.campaign import PLAN_KEY, Campaign, settings_of
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.local_spill import Spill, spill_folder
from globe_sms.tasks.gateway import CredentialsSource, Gateway
from globe_sms.tasks.numbers import NO_OVERRIDES, Overrides
from globe_sms.tasks.pacing.account_schedule import Schedule
from globe_sms.tasks.pacing.pacer import Pacer
from globe_sms.tasks.planning.make_plan import check_campaign_lists, find_campaign_lists
from globe_sms.tasks.planning.own_numbers import read_own_numbers
from globe_sms.tasks.planning.prefix_override_table import read_overrides
from globe_sms.tasks.recipients import ListSource
from globe_sms.tasks.reports.prices import Prices, read_prices
from globe_sms.tasks.sending.call_content import CallContent
from globe_sms.tasks.sending.limits import RetryLimits
from globe_sms.tasks.sending.progress import Progress
from globe_sms.tasks.sending.sender import Sender
from globe_sms.tasks.store import Store, probe
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError
from globe_sms.tasks.vocabulary.redact_errors import RedactErrors
from globe_sms.tasks.vocabulary.stop_signal import StopCause, StopSignal


class CampaignRun:
    """One run: its order, what it stands on, and what it counts. `scratch` is a folder that goes with it.

    `sources` are the lists that the campaign's id was made of, where it was: they and no others are planned.
    `own` are the numbers that a test goes to; None where the campaign goes to the lists.

    Not a dataclass, so that Prefect passes it to a task unread.
    """

    def __init__(
        self,
        *,
        config: CampaignConfig,
        account: Account,
        campaign: Campaign,
        ledger: Ledger,
        stop: StopSignal,
        progress: Progress,
        scratch: Path,
        s3: Callable[[], S3Access],
        overrides: Overrides = NO_OVERRIDES,
        prices: Prices | None = None,
        sources: tuple[ListSource, ...] | None = None,
        own: pl.DataFrame | None = None,
    ) -> None:
        self.config = config
        self.account = account
        self.campaign = campaign
        self.ledger = ledger
        self.stop = stop
        self.progress = progress
        self.scratch = scratch
        self.s3 = s3
        self.overrides = overrides
        self.prices = prices
        self.sources = sources
        self.own = own

    @property
    def store(self) -> Store:
        """The campaign's own folder."""
        return self.campaign.store


@contextlib.contextmanager
def open_run(config: CampaignConfig, environ: Mapping[str, str] = os.environ) -> Generator[CampaignRun]:
    """Check the place and the credentials, take the campaign's lease, and give all back at the end.

    Raises:
        InputError: the results place, the credentials, the endpoint or the settings will not do.
        CampaignBusyError: another run is sending this campaign.
    """
    with RedactErrors(), _opened(config, environ) as run:
        yield run


@contextlib.contextmanager
def _opened(config: CampaignConfig, environ: Mapping[str, str]) -> Generator[CampaignRun]:
    s3 = cache(lambda: open_s3(config.aws_credentials))
    account = open_account(config.account, environ)
    if not config.dry_run:
        _credentials(account)
    store = open_store(config.results, s3)
    probe(store)
    overrides = read_overrides(config.numbers_override, s3)
    config = config.overriding(overrides)
    prices = read_prices(config.prices, s3)
    stop = StopSignal()
    own = _own_numbers(config, overrides, s3)
    if own is not None:
        config = config.testing(own["e164"])
    sources = None if config.campaign and own is None else find_campaign_lists(config, s3)
    campaign_id = config.campaign_for(_identities(sources or ()))
    config = _settled(config, account, store, campaign_id)
    with (
        tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch,
        Campaign(store, campaign_id, stop=stop) as campaign,
    ):
        campaign.open(config.frozen_settings())
        spill = Spill(
            spill_folder(environ, Path.home()),
            campaign.store.uri,
            hurry=lambda: stop.stop is not None and stop.stop.cause is StopCause.CANCELLED,
        )
        yield CampaignRun(
            config=config,
            account=account,
            campaign=campaign,
            ledger=Ledger(campaign.store, spill),
            stop=stop,
            progress=Progress(),
            scratch=Path(scratch),
            s3=s3,
            overrides=overrides,
            prices=prices,
            sources=sources,
            own=own,
        )


@RedactErrors()
def preflight(config: CampaignConfig, environ: Mapping[str, str] = os.environ) -> None:
    """Find what would fail a run at its start, before Prefect is started for it; leaves nothing behind.

    Raises:
        InputError: as `open_run` and the reading of the lists would.
    """
    s3 = cache(lambda: open_s3(config.aws_credentials))
    account = open_account(config.account, environ)
    if not config.dry_run:
        _credentials(account)
    store = open_store(config.results, s3)
    probe(store)
    overrides = read_overrides(config.numbers_override, s3)
    read_prices(config.prices, s3)
    _own_numbers(config, overrides, s3)
    if config.campaign is None or config.test_to or PLAN_KEY not in store.within(config.campaign).list(PLAN_KEY):
        check_campaign_lists(config, s3)


@contextlib.contextmanager
def open_sender(run: CampaignRun) -> Generator[Sender]:
    """Connect the run to the gateway and to the account's schedule.

    Raises:
        InputError: credentials, endpoint or pacing place will not do.
    """
    source = _credentials(run.account)
    pacing = run.account.open_pacing(run.config.results, run.s3)
    try:
        probe(pacing)
    except StoreError as error:
        raise InputError(str(error)) from error
    schedule = Schedule(
        pacing,
        run.account.fingerprint(source()),
        run.config.calls_per_second,
        margin=run.account.rate_margin(),
    )
    pacer = Pacer(schedule, run.stop)
    with Gateway(run.account.endpoint(), source) as gateway, short_collections():
        try:
            yield Sender(
                campaign=run.campaign,
                ledger=run.ledger,
                gateway=gateway,
                pacer=pacer,
                texts=CallContent(run.config.wording.text, run.config.type, run.config.sender_id),
                stop=run.stop,
                progress=run.progress,
                limits=RetryLimits(max_failure_rate=run.config.max_failure_rate),
                hours=run.config.quiet_hours,
            )
        finally:
            pacer.leave()


@contextlib.contextmanager
def short_collections() -> Generator[None]:
    """Keep what is loaded by now out of the garbage collector's rounds.

    A full round over all of Prefect and polars stops every thread for a quarter of a second (measured): turns would be
    missed for it.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def open_account(name: str | None, environ: Mapping[str, str]) -> Account:
    """Return the account of that block, or the environment's.

    Raises:
        InputError: there is no such block, or it cannot be used.
    """
    if name is None:
        return Account(environ)
    from globe_sms.tasks.blocks import load_account

    return load_account(name, environ)


def _settled(config: CampaignConfig, account: Account, store: Store, campaign: str) -> CampaignConfig:
    """Take from the account what was left to it; a frozen plan keeps what it was frozen with."""
    if config.account is None:
        return config
    limits = {name: getattr(account, name) for name in config.inherited}
    return config.taking_from({**limits, **(settings_of(store, campaign) or {})})


def _credentials(account: Account) -> CredentialsSource:
    account.endpoint()
    account.rate_margin()
    return account.credentials()


def _own_numbers(config: CampaignConfig, overrides: Overrides, s3: Callable[[], S3Access]) -> pl.DataFrame | None:
    if not config.test_to:
        return None
    return read_own_numbers(config.test_to, default_region=config.default_region, overrides=overrides, s3=s3)


def _identities(sources: tuple[ListSource, ...]) -> tuple[str, ...]:
    return tuple(f"{source.uri} {source.identity}" for source in sources)

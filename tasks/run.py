"""One run of a campaign: everything that it needs, opened in order and closed in order."""

import contextlib
import gc
import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from functools import cache
from pathlib import Path

import polars as pl

from tasks.account import Account
from tasks.aws_blocks import open_s3
from tasks.campaign import PLAN_KEY, Campaign, settings_of
from tasks.errors import InputError, StoreError
from tasks.gateway import CredentialsSource, Gateway
from tasks.ledger import Ledger
from tasks.numbers import NO_OVERRIDES, Overrides
from tasks.order import Order
from tasks.origins import WithoutOrigins
from tasks.override_table import read_overrides
from tasks.pacing import Pacer
from tasks.places import open_store
from tasks.planning import check_order_lists, find_order_lists
from tasks.prices import Prices, read_prices
from tasks.recipients import ListSource
from tasks.rehearsal import read_own_numbers
from tasks.s3 import S3Access
from tasks.schedule import Schedule
from tasks.send import Limits, Sender
from tasks.spill import Spill, spill_folder
from tasks.stopping import StopCause, StopSignal
from tasks.store import Store, probe
from tasks.tally import Tally
from tasks.texts import Texts


class Run:
    """One run: its order, what it stands on, and what it counts. `scratch` is a folder that goes with it.

    `sources` are the lists that the campaign's id was made of, where it was: they and no others are planned.
    `own` are the numbers that a test goes to; None where the campaign goes to the lists.

    Not a dataclass, so that Prefect passes it to a task unread.
    """

    def __init__(
        self,
        *,
        order: Order,
        account: Account,
        campaign: Campaign,
        ledger: Ledger,
        stop: StopSignal,
        tally: Tally,
        scratch: Path,
        s3: Callable[[], S3Access],
        overrides: Overrides = NO_OVERRIDES,
        prices: Prices | None = None,
        sources: tuple[ListSource, ...] | None = None,
        own: pl.DataFrame | None = None,
    ) -> None:
        self.order = order
        self.account = account
        self.campaign = campaign
        self.ledger = ledger
        self.stop = stop
        self.tally = tally
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
def open_run(order: Order, environ: Mapping[str, str] = os.environ) -> Generator[Run]:
    """Check the place and the credentials, take the campaign's lease, and give all back at the end.

    Raises:
        InputError: the results place, the credentials, the endpoint or the settings will not do.
        CampaignBusyError: another run is sending this campaign.
    """
    with WithoutOrigins(), _opened(order, environ) as run:
        yield run


@contextlib.contextmanager
def _opened(order: Order, environ: Mapping[str, str]) -> Generator[Run]:
    s3 = cache(lambda: open_s3(order.aws_credentials))
    account = open_account(order.account, environ)
    if not order.dry_run:
        _credentials(account)
    store = open_store(order.results, s3)
    probe(store)
    overrides = read_overrides(order.numbers_override, s3)
    order = order.overriding(overrides)
    prices = read_prices(order.prices, s3)
    stop = StopSignal()
    own = _own_numbers(order, overrides, s3)
    if own is not None:
        order = order.testing(own["e164"])
    sources = None if order.campaign and own is None else find_order_lists(order, s3)
    campaign_id = order.campaign_for(_identities(sources or ()))
    order = _settled(order, account, store, campaign_id)
    with (
        tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch,
        Campaign(store, campaign_id, stop=stop) as campaign,
    ):
        campaign.open(order.frozen_settings())
        spill = Spill(
            spill_folder(environ, Path.home()),
            campaign.store.uri,
            hurry=lambda: stop.stop is not None and stop.stop.cause is StopCause.CANCELLED,
        )
        yield Run(
            order=order,
            account=account,
            campaign=campaign,
            ledger=Ledger(campaign.store, spill),
            stop=stop,
            tally=Tally(),
            scratch=Path(scratch),
            s3=s3,
            overrides=overrides,
            prices=prices,
            sources=sources,
            own=own,
        )


@WithoutOrigins()
def preflight(order: Order, environ: Mapping[str, str] = os.environ) -> None:
    """Find what would fail a run at its start, before Prefect is started for it; leaves nothing behind.

    Raises:
        InputError: as `open_run` and the reading of the lists would.
    """
    s3 = cache(lambda: open_s3(order.aws_credentials))
    account = open_account(order.account, environ)
    if not order.dry_run:
        _credentials(account)
    store = open_store(order.results, s3)
    probe(store)
    overrides = read_overrides(order.numbers_override, s3)
    read_prices(order.prices, s3)
    _own_numbers(order, overrides, s3)
    if order.campaign is None or order.test_to or PLAN_KEY not in store.within(order.campaign).list(PLAN_KEY):
        check_order_lists(order, s3)


@contextlib.contextmanager
def open_sender(run: Run) -> Generator[Sender]:
    """Connect the run to the gateway and to the account's schedule.

    Raises:
        InputError: credentials, endpoint or pacing place will not do.
    """
    source = _credentials(run.account)
    pacing = run.account.open_pacing(run.order.results, run.s3)
    try:
        probe(pacing)
    except StoreError as error:
        raise InputError(str(error)) from error
    schedule = Schedule(
        pacing,
        run.account.fingerprint(source()),
        run.order.calls_per_second,
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
                texts=Texts(run.order.wording.text, run.order.type, run.order.sender_id),
                stop=run.stop,
                tally=run.tally,
                limits=Limits(max_failure_rate=run.order.max_failure_rate),
                hours=run.order.quiet_hours,
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
    from tasks.blocks import load_account

    return load_account(name, environ)


def _settled(order: Order, account: Account, store: Store, campaign: str) -> Order:
    """Take from the account what was left to it; a frozen plan keeps what it was frozen with."""
    if order.account is None:
        return order
    limits = {name: getattr(account, name) for name in order.inherited}
    return order.taking_from({**limits, **(settings_of(store, campaign) or {})})


def _credentials(account: Account) -> CredentialsSource:
    account.endpoint()
    account.rate_margin()
    return account.credentials()


def _own_numbers(order: Order, overrides: Overrides, s3: Callable[[], S3Access]) -> pl.DataFrame | None:
    if not order.test_to:
        return None
    return read_own_numbers(order.test_to, default_region=order.default_region, overrides=overrides, s3=s3)


def _identities(sources: tuple[ListSource, ...]) -> tuple[str, ...]:
    return tuple(f"{source.uri} {source.identity}" for source in sources)

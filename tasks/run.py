"""One run of a campaign: everything that it needs, opened in order and closed in order."""

import contextlib
import gc
import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from functools import cache
from pathlib import Path

from tasks.campaign import PLAN_KEY, Campaign
from tasks.errors import InputError, StoreError
from tasks.gateway import Credentials, Endpoint, Gateway, credentials_from_default_chain, fingerprint
from tasks.ledger import Ledger
from tasks.order import Order
from tasks.pacing import Pacer
from tasks.places import open_pacing, open_store
from tasks.planning import find_order_lists
from tasks.recipients import ListSource, read_lists
from tasks.s3 import S3Access
from tasks.schedule import Schedule
from tasks.send import Limits, Sender, Texts
from tasks.spill import Spill, spill_folder
from tasks.stopping import StopCause, StopSignal
from tasks.store import Store, probe
from tasks.tally import Tally


class Run:
    """One run: its order, what it stands on, and what it counts. `scratch` is a folder that goes with it.

    `sources` are the lists that the campaign's id was made of, where it was: they and no others are planned.

    Not a dataclass, so that Prefect passes it to a task unread.
    """

    def __init__(
        self,
        *,
        order: Order,
        campaign: Campaign,
        ledger: Ledger,
        stop: StopSignal,
        tally: Tally,
        scratch: Path,
        s3: Callable[[], S3Access],
        environ: Mapping[str, str],
        sources: tuple[ListSource, ...] | None = None,
    ) -> None:
        self.order = order
        self.campaign = campaign
        self.ledger = ledger
        self.stop = stop
        self.tally = tally
        self.scratch = scratch
        self.s3 = s3
        self.environ = environ
        self.sources = sources

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
    s3 = cache(S3Access.from_environment)
    if not order.dry_run:
        _credentials(environ)
    store = open_store(order.results, s3)
    probe(store)
    stop = StopSignal()
    sources = None if order.campaign else find_order_lists(order, s3)
    campaign_id = order.campaign_for(_identities(sources or ()))
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
            campaign=campaign,
            ledger=Ledger(campaign.store, spill),
            stop=stop,
            tally=Tally(),
            scratch=Path(scratch),
            s3=s3,
            environ=environ,
            sources=sources,
        )


def preflight(order: Order, environ: Mapping[str, str] = os.environ) -> None:
    """Find what would fail a run at its start, before Prefect is started for it; leaves nothing behind.

    Raises:
        InputError: as `open_run` and the reading of the lists would.
    """
    s3 = cache(S3Access.from_environment)
    if not order.dry_run:
        _credentials(environ)
    store = open_store(order.results, s3)
    probe(store)
    if order.campaign is None or PLAN_KEY not in store.within(order.campaign).list(PLAN_KEY):
        read_lists(find_order_lists(order, s3), number_column=order.number_column, s3=s3)


@contextlib.contextmanager
def open_sender(run: Run) -> Generator[Sender]:
    """Connect the run to the gateway and to the account's schedule.

    Raises:
        InputError: credentials, endpoint or pacing place will not do.
    """
    source = _credentials(run.environ)
    account = fingerprint(source())
    pacing = open_pacing(run.order.results, run.environ, run.s3)
    try:
        probe(pacing)
    except StoreError as error:
        raise InputError(str(error)) from error
    schedule = Schedule(pacing, account, run.order.calls_per_second)
    pacer = Pacer(schedule, run.stop)
    with Gateway(Endpoint.from_environment(run.environ), source) as gateway, _short_collections():
        try:
            yield Sender(
                campaign=run.campaign,
                ledger=run.ledger,
                gateway=gateway,
                pacer=pacer,
                texts=Texts(run.order.message, run.order.type, run.order.sender_id),
                stop=run.stop,
                tally=run.tally,
                limits=Limits(max_failure_rate=run.order.max_failure_rate),
            )
        finally:
            pacer.leave()


@contextlib.contextmanager
def _short_collections() -> Generator[None]:
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


def _credentials(environ: Mapping[str, str]) -> Callable[[], Credentials]:
    Endpoint.from_environment(environ)
    return credentials_from_default_chain()


def _identities(sources: tuple[ListSource, ...]) -> tuple[str, ...]:
    return tuple(f"{source.uri} {source.identity}" for source in sources)

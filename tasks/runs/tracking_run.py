"""One tracking of a campaign: opens everything it needs in order, and closes it in order."""

import asyncio
import contextlib
import math
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from globe_sms.tasks.campaign.campaign_json import CampaignDocument
from globe_sms.tasks.campaign.ledger import Ledger
from globe_sms.tasks.campaign.records_kept_locally import Spill, spill_folder
from globe_sms.tasks.campaign.results_schema import RESULTS_KEY
from globe_sms.tasks.campaign.stored_document import read_document
from globe_sms.tasks.delivery.archive import DeliveryArchive
from globe_sms.tasks.delivery.config import TrackingConfig
from globe_sms.tasks.delivery.open_messages import open_messages
from globe_sms.tasks.delivery.tracker import Tracker
from globe_sms.tasks.delivery.tracking_progress import TrackingProgress
from globe_sms.tasks.gateway.query_message import QueryClient
from globe_sms.tasks.pacing.async_pacer import QUERIES, QUERY_MARGIN, QueryTurns
from globe_sms.tasks.policy.read_policy import read_policy
from globe_sms.tasks.runs.run_resources import RunResources, open_resources, prompt_threads
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreError
from globe_sms.tasks.vocabulary.interruptions import interruption_words
from globe_sms.tasks.vocabulary.redact_errors import redact_errors

_ANSWERS_SECONDS: Final = 10.0  # how long an answer may take before queries have to wait for others
_MOST_IN_AIR: Final = 900  # below the 1,024 open files that many machines allow
_WAITING_SECONDS: Final = 0.2  # of turns: time to connect before them
_FEWEST_WAITING: Final = 2
_LOOK_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 20.0

Watch = Callable[[TrackingProgress], None]


class TrackingRun:
    """A campaign that is tracked, under the account's policy; `scratch` is a folder that is deleted at the end."""

    def __init__(
        self, config: TrackingConfig, resources: RunResources, scratch: Path, document: CampaignDocument
    ) -> None:
        self.config = config
        self.settings = document.settings
        self.policy = read_policy(resources.account, config.results, resources.s3)
        self.resources = resources
        self.scratch = scratch
        self.began = time.monotonic()
        self.cancelled = False
        self.archive = DeliveryArchive(self.folder, scratch)

    @property
    def folder(self) -> Store:
        """The campaign's own folder."""
        return self.resources.store.within(self.config.campaign)

    def open_messages(self, environ: Mapping[str, str] = os.environ) -> pl.DataFrame:
        """Return the messages without a final state; see `open_messages.OPEN_SCHEMA`.

        Raises:
            InputError: the campaign has no results yet.
        """
        results = self.scratch / f"tracked-{RESULTS_KEY}"
        if not self.folder.fetch(RESULTS_KEY, results):
            raise InputError(
                f"{self.folder.uri} has no {RESULTS_KEY}, because the campaign hasn't finished: run it again first."
            )
        ledger = Ledger(self.folder, Spill(spill_folder(environ, Path.home()), self.folder.uri))
        try:
            return open_messages(results, self.archive.scan(), ledger)
        finally:
            results.unlink()

    def ask(self, messages: pl.DataFrame, watch: Watch) -> TrackingProgress:
        """Ask about the messages until `Tracker.run` ends; meanwhile `watch` is called about once a second.

        After Ctrl-C, SIGTERM or a cancelled flow run it waits some seconds for pending queries, keeps what was learned,
        and returns with `cancelled` set.

        Raises:
            InputError: the credentials, the endpoint or the pacing folder can't be used.
            StoreError: what was learned couldn't be kept.
        """
        credentials, rate = self.resources.credentials(), self.config.queries_per_second
        schedule = self.resources.schedule(
            credentials,
            rate,
            sender=f"{self.config.campaign} on {socket.gethostname()}",
            least_margin=QUERY_MARGIN,
            of=QUERIES,
        )
        turns = QueryTurns(schedule)
        most_in_air = max(1, min(_MOST_IN_AIR, math.ceil(rate * _ANSWERS_SECONDS)))
        client = QueryClient(self.resources.account.endpoint(), credentials)
        tracker = Tracker(
            messages,
            client,
            turns,
            self.archive.append,
            most_in_air=most_in_air,
            most_waiting=min(most_in_air, max(_FEWEST_WAITING, math.ceil(rate * _WAITING_SECONDS))),
            wait=self.config.wait_seconds,
        )

        async def track() -> None:
            try:
                async with client:
                    await tracker.run()
            finally:
                await turns.leave()

        with prompt_threads():
            self._watched(track, tracker, watch)
        return tracker.progress

    def _watched(self, track: Callable[[], Coroutine[None, None, None]], tracker: Tracker, watch: Watch) -> None:
        failed: list[BaseException] = []
        ended = threading.Event()  # not join(): after a signal it takes the thread for ended (CPython 3.11)

        def run() -> None:
            try:
                asyncio.run(track())
            except BaseException as error:  # noqa: BLE001 # handed to the thread that waits
                failed.append(error)
            finally:
                ended.set()

        threading.Thread(target=run, name="globe-sms-tracker", daemon=True).start()
        try:
            while not ended.wait(_LOOK_SECONDS):
                watch(tracker.progress)
        except BaseException as error:  # noqa: BLE001 # also Prefect's termination signal and Ctrl-C
            self.cancelled = True
            tracker.progress.stopped = f"{interruption_words(error)} What was learned is kept."
            tracker.stop()
            ended.wait(_GRACE_SECONDS)
        if failed:
            raise failed[0]


@contextlib.contextmanager
def open_tracking(config: TrackingConfig, environ: Mapping[str, str] = os.environ) -> Generator[TrackingRun]:
    """Check the results folder, the campaign and the credentials, and open the tracking.

    Raises:
        InputError: the folder, the campaign, the credentials or the endpoint can't be used.
    """
    with redact_errors(), _opened(config, environ) as tracked:
        yield tracked


@contextlib.contextmanager
def _opened(config: TrackingConfig, environ: Mapping[str, str]) -> Generator[TrackingRun]:
    resources = open_resources(
        config.account, config.aws_credentials, config.results, environ, calls_gateway=not config.no_query
    )
    store = resources.store
    try:
        known = read_document(store, config.campaign)
    except StoreError as error:
        raise InputError(str(error)) from error
    if known is None or known.plan is None:
        raise InputError(
            f"{store.uri} has no campaign {config.campaign!r} with a plan: check --results and the id (globe-sms "
            "campaigns lists them)."
        )
    if known.erased_at is not None:
        raise InputError(
            f"campaign {config.campaign!r}: its numbers were erased on {known.erased_at:%Y-%m-%d} (globe-sms purge), "
            "so nothing more is tracked. Its results have what was known by then."
        )
    with tempfile.TemporaryDirectory(prefix="globe-sms-", ignore_cleanup_errors=True) as scratch:
        yield TrackingRun(config, resources, Path(scratch), known)

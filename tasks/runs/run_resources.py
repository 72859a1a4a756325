"""Opens what sending and tracking both need first: the account, S3, the results folder, the account's schedule."""

import contextlib
import gc
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from globe_sms.tasks.account.account import Account
from globe_sms.tasks.gateway import CredentialsSource
from globe_sms.tasks.pacing.account_schedule import Schedule
from globe_sms.tasks.pacing.schedule_state import ScheduleState, read_schedule
from globe_sms.tasks.runs.account_settings import load_account
from globe_sms.tasks.runs.aws_credentials import open_s3
from globe_sms.tasks.store import Store, probe
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, about

_SWITCH_SECONDS: Final = 0.0005


@dataclass(frozen=True)
class RunResources:
    """An account, the access to S3 and a results folder. Nothing needs closing."""

    account: Account
    s3: Callable[[], S3Access]
    store: Store
    results: str

    def credentials(self) -> CredentialsSource:
        """Return where each call's credentials come from, after checking the account's settings.

        Raises:
            InputError: the credentials, the endpoint or the margin can't be used.
        """
        self.account.endpoint()
        self.account.rate_margin()
        return self.account.credentials()

    def schedule(
        self, credentials: CredentialsSource, rate: float, *, sender: str, least_margin: float = 0.0, of: str = ""
    ) -> Schedule:
        """Return the schedule of the account's calls, which all of its runs share.

        Args:
            credentials: The account's; the schedule is named after them.
            rate: The account's limit, in calls a second.
            sender: Who sends, for `globe-sms account`.
            least_margin: The share of it that stays unused, even if the account's margin is smaller.
            of: What the calls are for, if not for sending; they have a limit of their own.

        Raises:
            InputError: the credentials or the pacing folder can't be used.
        """
        pacing = self.account.open_pacing(self.results, self.s3)
        try:
            probe(pacing)
        except StoreError as error:
            raise InputError(str(error)) from error
        margin = max(least_margin, self.account.rate_margin())
        return Schedule(pacing, self._schedule_name(credentials, of), rate, margin=margin, sender=sender)

    def schedule_state(self, credentials: CredentialsSource, *, of: str = "") -> ScheduleState | None:
        """Return the current schedule of the account's calls; None if it has none.

        Raises:
            InputError: the credentials or the pacing folder can't be used.
            StoreError: it can't be read.
        """
        pacing = self.account.open_pacing(self.results, self.s3)
        return read_schedule(pacing, self._schedule_name(credentials, of), time.time())

    def schedule_to_show(self) -> ScheduleState | None:
        """Return the schedule of the account's calls as it stands, or None: what is only shown stops no campaign."""
        with contextlib.suppress(InputError, StoreError):
            return self.schedule_state(self.credentials())
        return None

    def _schedule_name(self, credentials: CredentialsSource, of: str) -> str:
        return self.account.fingerprint(credentials()) + (f"-{of}" if of else "")


def open_resources(
    account: str | None, aws_credentials: str | None, results: str, environ: Mapping[str, str], *, calls_gateway: bool
) -> RunResources:
    """Open a results folder with an account.

    Args:
        account: The account's block; None for the environment's account.
        aws_credentials: The S3 credentials' block; None for the environment's.
        results: The results folder: an s3:// prefix or a directory.
        environ: The environment.
        calls_gateway: Whether the run calls the gateway; if so, the credentials are checked now.

    Raises:
        InputError: a block, the credentials, the endpoint or the folder can't be used.
    """
    s3 = cache(about("--aws-credentials")(lambda: open_s3(aws_credentials)))
    with about("--results"):
        store = open_store(results, s3)
    with about("--account"):
        resources = RunResources(open_account(account, environ), s3, store, results)
        if calls_gateway:
            resources.credentials()
    return resources


@contextlib.contextmanager
def prompt_threads() -> Generator[None]:
    """Let a thread run soon after its time has come, though others are busy.

    The garbage collector is kept away from objects that exist already: a full collection over all of Prefect and polars
    stops every thread for a quarter of a second (measured). And a busy thread gives way after half a millisecond
    instead of five: on busy cores that makes calls a fifth as late (the median of 500 wake-ups beside nine busy
    threads: 9 ms instead of 55).
    """
    interval = sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.unfreeze()


def open_account(name: str | None, environ: Mapping[str, str]) -> Account:
    """Return the account of that block, or of the environment if no block is named.

    Raises:
        InputError: the block can't be read.
    """
    return Account(environ) if name is None else load_account(name, environ)

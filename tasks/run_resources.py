"""What every run opens first, whether it sends or tracks: the account, S3, the results place, the account's turns."""

import contextlib
import gc
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import cache

from globe_sms.tasks.account.account import Account
from globe_sms.tasks.aws_credentials import open_s3
from globe_sms.tasks.gateway import CredentialsSource
from globe_sms.tasks.pacing.account_schedule import Schedule
from globe_sms.tasks.store import Store, probe
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError, StoreError


@dataclass(frozen=True)
class RunResources:
    """An account, the access to S3 and a results place. Nothing needs closing."""

    account: Account
    s3: Callable[[], S3Access]
    store: Store
    results: str

    def credentials(self) -> CredentialsSource:
        """Return where each call's credentials come from; the account can be called, as far as settings say.

        Raises:
            InputError: credentials, endpoint or margin won't do.
        """
        self.account.endpoint()
        self.account.rate_margin()
        return self.account.credentials()

    def schedule(
        self, credentials: CredentialsSource, rate: float, *, least_margin: float = 0.0, of: str = ""
    ) -> Schedule:
        """Return the schedule of the account's turns, which all of its runs share.

        Args:
            credentials: Of the account, by which its schedule is known.
            rate: The account's limit, in calls a second.
            least_margin: The least share of it that stays unused, whatever the account says.
            of: What the turns are for, if not for sending: that has a limit of its own.

        Raises:
            InputError: credentials or pacing place won't do.
        """
        pacing = self.account.open_pacing(self.results, self.s3)
        try:
            probe(pacing)
        except StoreError as error:
            raise InputError(str(error)) from error
        name = self.account.fingerprint(credentials()) + (f"-{of}" if of else "")
        return Schedule(pacing, name, rate, margin=max(least_margin, self.account.rate_margin()))


def open_resources(
    account: str | None, aws_credentials: str | None, results: str, environ: Mapping[str, str], *, calls_gateway: bool
) -> RunResources:
    """Open a results place with an account.

    Args:
        account: The account's block; None for the environment's account.
        aws_credentials: The S3 credentials' block; None for the environment's.
        results: The results place: an s3:// prefix or a directory.
        environ: The environment.
        calls_gateway: Whether the run will call it; then the credentials are looked for now.

    Raises:
        InputError: a block, the credentials, the endpoint or the place won't do.
    """
    s3 = cache(lambda: open_s3(aws_credentials))
    resources = RunResources(_account(account, environ), s3, open_store(results, s3), results)
    if calls_gateway:
        resources.credentials()
    return resources


@contextlib.contextmanager
def short_collections() -> Generator[None]:
    """Keep what is loaded by now out of the garbage collector's rounds.

    A full round over all of Prefect and polars stops every thread for a quarter of a second (measured), which would
    miss turns.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _account(name: str | None, environ: Mapping[str, str]) -> Account:
    if name is None:
        return Account(environ)
    from globe_sms.tasks.blocks import load_account

    return load_account(name, environ)

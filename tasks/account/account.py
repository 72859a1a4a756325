"""The Alibaba account that a run sends from: key, endpoint, limits, and where its call schedule is kept.

Settings come from a block of `tasks.blocks`; the environment fills in what the block leaves empty.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from globe_sms.tasks.account.policy_location import POLICY_VARIABLE, PolicyFile, find_policy
from globe_sms.tasks.account.rate_margin import margin_of
from globe_sms.tasks.account.schedule_location import PACING_VARIABLE, open_pacing
from globe_sms.tasks.gateway import (
    Credentials,
    CredentialsSource,
    Endpoint,
    credentials_from_default_chain,
    fingerprint,
)
from globe_sms.tasks.gateway.credentials import ACCOUNT_VARIABLE
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.s3_access import S3Access


@dataclass(frozen=True, slots=True)
class Account:
    """One account; the defaults describe a new account with its key in the environment.

    Attributes:
        environ: the environment, read for each setting that is None.
        key: the access key; None: Alibaba's default credential chain.
        url: the gateway's URL; None: GLOBE_SMS_ENDPOINT.
        name: the account's name; None: GLOBE_SMS_ACCOUNT, or derived from the key.
        pacing: an s3:// prefix or a directory for the schedule; None: GLOBE_SMS_PACING, or beside the results.
        policy: the policy's URI; None: GLOBE_SMS_POLICY, or `.globe-sms/policy.toml` beside the schedule.
        calls_per_second: the account's limit.
        numbers_per_call: the most numbers in one call.
        sender_id: the sender ID of campaigns that don't set one.
        margin: the share of the limit left unused, so that delayed calls don't exceed it on arrival;
            None: GLOBE_SMS_MARGIN, or 0.01.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    key: Credentials | None = None
    url: str | None = None
    name: str | None = None
    pacing: str | None = None
    policy: str | None = None
    calls_per_second: float = 1.0
    numbers_per_call: int = 250
    sender_id: str | None = None
    margin: float | None = None

    def endpoint(self) -> Endpoint:
        """Return the gateway's endpoint.

        Raises:
            InputError: the URL isn't a valid endpoint.
        """
        return Endpoint.from_environment(self.environ) if self.url is None else Endpoint.parse(self.url)

    def credentials(self) -> CredentialsSource:
        """Return the source of each call's credentials.

        Raises:
            InputError: no credentials were found.
        """
        key = self.key
        return credentials_from_default_chain() if key is None else lambda: key

    def fingerprint(self, credentials: Credentials) -> str:
        """Return the account's fingerprint, 12 hex digits: the key of the schedule that all its runs share."""
        return fingerprint(credentials, environ=self._with(ACCOUNT_VARIABLE, self.name))

    def open_pacing(self, results: str, s3: Callable[[], S3Access]) -> Store:
        """Return the store that keeps the account's schedule.

        Raises:
            InputError: the place isn't valid, or there are no S3 credentials.
        """
        return open_pacing(results, self._with(PACING_VARIABLE, self.pacing), s3)

    def find_policy(self, results: str, s3: Callable[[], S3Access]) -> PolicyFile | None:
        """Find and read the policy that applies to the account's runs; None without one.

        Raises:
            InputError: a named policy doesn't exist, or the policy can't be read.
        """
        environ = self._with(PACING_VARIABLE, self.pacing)
        return find_policy(results, environ, s3, of_block=self.policy)

    def policy_uri(self) -> str | None:
        """Return the policy that the block or the environment names; None if neither does."""
        return self.policy or self.environ.get(POLICY_VARIABLE) or None

    @property
    def pacing_place(self) -> str | None:
        """Where the schedule is kept, as it was named; None: beside the results."""
        return self.pacing or self.environ.get(PACING_VARIABLE)

    def rate_margin(self) -> float:
        """Return the share of the limit that is left unused, from 0 to 0.5.

        Raises:
            InputError: GLOBE_SMS_MARGIN isn't such a share.
        """
        return margin_of(self.environ) if self.margin is None else self.margin

    def _with(self, variable: str, value: str | None) -> Mapping[str, str]:
        return self.environ if value is None else {**self.environ, variable: value}

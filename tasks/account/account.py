"""The Alibaba account that a run sends from: its key, its endpoint, its limits, and where its turns are kept.

It comes from the environment, or from a block of `tasks.blocks`; what the block leaves empty comes from the
environment.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from globe_sms.tasks.account.pacing_place import PACING_VARIABLE, open_pacing
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
from globe_sms.tasks.vocabulary.errors import InputError

MARGIN_VARIABLE: Final = "GLOBE_SMS_MARGIN"
USUAL_MARGIN: Final = 0.01
WIDEST_MARGIN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Account:
    """One account; the defaults are those of a new account with its key in the environment.

    Attributes:
        environ: the environment to read what is None from.
        key: the access key; None: Alibaba's default credential chain.
        url: the gateway's URL; None: GLOBE_SMS_ENDPOINT.
        name: the account's name; None: GLOBE_SMS_ACCOUNT, or what the key tells.
        pacing: an s3:// prefix or a directory; None: GLOBE_SMS_PACING, or beside the results.
        calls_per_second: the account's limit.
        numbers_per_call: the most numbers of one call.
        sender_id: the sender ID of campaigns that name none.
        margin: the share of the limit that is left unused, so that calls that are held up on their way do not meet;
            None: GLOBE_SMS_MARGIN, or 0.01.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    key: Credentials | None = None
    url: str | None = None
    name: str | None = None
    pacing: str | None = None
    calls_per_second: float = 1.0
    numbers_per_call: int = 250
    sender_id: str | None = None
    margin: float | None = None

    def endpoint(self) -> Endpoint:
        """Return where the gateway is.

        Raises:
            InputError: the URL cannot be an endpoint.
        """
        return Endpoint.from_environment(self.environ) if self.url is None else Endpoint.parse(self.url)

    def credentials(self) -> CredentialsSource:
        """Return where each call's credentials come from.

        Raises:
            InputError: there are none.
        """
        key = self.key
        return credentials_from_default_chain() if key is None else lambda: key

    def fingerprint(self, credentials: Credentials) -> str:
        """Name the account in 12 hex digits, for the schedule that all its runs share."""
        return fingerprint(credentials, environ=self._with(ACCOUNT_VARIABLE, self.name))

    def open_pacing(self, results: str, s3: Callable[[], S3Access]) -> Store:
        """Return where the account's turns are kept.

        Raises:
            InputError: the place is none, or there are no S3 credentials.
        """
        return open_pacing(results, self._with(PACING_VARIABLE, self.pacing), s3)

    def rate_margin(self) -> float:
        """Return the share of the limit that is left unused, from 0 to 0.5.

        Raises:
            InputError: GLOBE_SMS_MARGIN is no such share.
        """
        if self.margin is not None:
            return self.margin
        text = self.environ.get(MARGIN_VARIABLE) or str(USUAL_MARGIN)
        try:
            margin = float(text)
        except ValueError:
            margin = -1.0
        if not 0.0 <= margin <= WIDEST_MARGIN:
            raise InputError(f"{MARGIN_VARIABLE}: {text!r} is no share of the rate from 0 to {WIDEST_MARGIN}")
        return margin

    def _with(self, variable: str, value: str | None) -> Mapping[str, str]:
        return self.environ if value is None else {**self.environ, variable: value}

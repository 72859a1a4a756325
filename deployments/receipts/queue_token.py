"""The temporary keys by which an account reads Alibaba's queue of its receipts: QueryTokenForMnsQueue.

Alibaba keeps the queues of receipts and replies in an account of its own, so one's own keys don't open them. They open
this action (Dybaseapi, version 2017-05-25), which gives keys for one queue and one message type. Its answer has `Code`
and `MessageTokenDTO`, with AccessKeyId, AccessKeySecret, SecurityToken, CreateTime and ExpireTime, in a time zone that
isn't documented: only the time between the two is used.
Source: https://help.aliyun.com/zh/sms/globesmsreport, and the SDK alibabacloud_dybaseapi20170525.
"""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

import httpx
from pydantic import SecretStr

from globe_sms.deployments.receipts.message_queue import QueueRefusedError, QueueUnavailableError
from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.signature import AcsV3Auth, Credentials, CredentialsSource
from globe_sms.tasks.vocabulary.masking import mask_numbers_in
from globe_sms.tasks.vocabulary.network_faults import network_fault

ACTION: Final = "QueryTokenForMnsQueue"
VERSION: Final = "2017-05-25"

_SECONDS: Final = 20.0
_SOONER: Final = 120.0  # seconds before they expire; Alibaba's demos have the same
_AT_LEAST: Final = 60.0
_UNLESS_IT_SAYS: Final = 1_800.0  # seconds that keys are used whose times can't be read
_OK: Final = "OK"
_SERVER_ERRORS: Final = 500


class QueueTokens:
    """Gives the keys that are valid now, and gets new ones before they expire; thread-safe.

    Args:
        endpoint: the endpoint of Dybaseapi.
        credentials: the account's own keys.
        message_type: such as GlobeSmsReport or SmsUp.
        queue: the queue's name.
        transport: replaces httpx's own.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: CredentialsSource,
        *,
        message_type: str,
        queue: str,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = endpoint.url
        self._form = {"MessageType": message_type, "QueueName": queue}
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Credentials | None = None
        self._until = 0.0
        self._client = httpx.Client(
            transport=transport,
            auth=AcsV3Auth(credentials),
            trust_env=not endpoint.is_loopback,
            timeout=_SECONDS,
            headers={"accept": "application/json", "x-acs-action": ACTION, "x-acs-version": VERSION},
        )

    def __call__(self) -> Credentials:
        """Return the keys.

        Raises:
            QueueRefusedError: Alibaba gives none.
            QueueUnavailableError: it didn't answer.
        """
        with self._lock:
            if self._keys is None or self._clock() >= self._until:
                self._keys, seconds = self._ask()
                self._until = self._clock() + max(_AT_LEAST, seconds - _SOONER)
            return self._keys

    def forget(self) -> None:
        """Get new keys at the next call: the queue doesn't take these any more."""
        with self._lock:
            self._keys = None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ask(self) -> tuple[Credentials, float]:
        try:
            answer = self._client.post(self._url, data=self._form)
        except httpx.HTTPError as error:
            raise QueueUnavailableError(f"{self._url}: {network_fault(error)}") from None
        try:
            said: Any = answer.json()
        except ValueError:
            said = None
        fields = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
        token = fields.get("MessageTokenDTO")
        if answer.is_success and fields.get("Code") == _OK and isinstance(token, dict):
            return _keys_in(cast("dict[str, Any]", token)), _seconds_of(cast("dict[str, Any]", token))
        code = mask_numbers_in(str(fields.get("Code") or f"HTTP {answer.status_code}"))
        what = f"{self._url}: {ACTION} was answered {code}"
        if answer.status_code >= _SERVER_ERRORS or not fields or code.startswith("Throttling"):
            raise QueueUnavailableError(what)
        raise QueueRefusedError(
            f"{what}. Check the queue's name and the message type ({', '.join(self._form.values())}) in Alibaba's "
            "console, and that the key may read SMS receipts (RAM: AliyunDysmsFullAccess, AliyunMNSFullAccess)."
        )


def _keys_in(token: Mapping[str, Any]) -> Credentials:
    security = str(token.get("SecurityToken") or "")
    return Credentials(
        str(token.get("AccessKeyId") or ""),
        SecretStr(str(token.get("AccessKeySecret") or "")),
        SecretStr(security) if security else None,
    )


def _seconds_of(token: Mapping[str, Any]) -> float:
    try:
        created, expires = (datetime.fromisoformat(str(token.get(name))) for name in ("CreateTime", "ExpireTime"))
        return (expires - created) / timedelta(seconds=1)
    except (ValueError, TypeError):
        return _UNLESS_IT_SAYS

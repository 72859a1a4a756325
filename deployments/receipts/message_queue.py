"""Alibaba's message queue (MNS, now Simple Message Queue), by its official client, aliyun-mns-sdk.

Of the packages with MNS in their name this is the one that Alibaba documents for receiving and deleting messages
(https://help.aliyun.com/en/mns/developer-reference/install-python-sdk). aliyun-mns is its earlier name,
alibabacloud-mns-open20220119 only manages queues, and alibabacloud-gateway-mns is a part of other SDKs.

A message that was received is hidden for the queue's VisibilityTimeout, and comes again unless it's deleted by then.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.signature import Credentials, CredentialsSource
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.masking import mask_numbers_in
from globe_sms.tasks.vocabulary.network_faults import network_fault

MOST_AT_ONCE: Final = 16
"""The most messages that a call receives or deletes."""

_ANSWER_SECONDS: Final = 20.0  # beside the time that an empty queue waits
_EMPTY: Final = "MessageNotExist"
_NO_KEYS: Final = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "SecurityTokenExpired")
_WRONG: Final = ("QueueNotExist", "InvalidQueueName", *_NO_KEYS)


class QueueUnavailableError(Exception):
    """The queue didn't answer, or not clearly; the message says how."""


class QueueRefusedError(InputError):
    """The queue doesn't exist, or the keys don't open it."""


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """A message: its body as it came, and the handle that deletes it for as long as it's hidden."""

    body: bytes
    handle: str


class MessageQueue:
    """One connection to a queue; not thread-safe.

    Args:
        endpoint: where the queue is.
        name: its name.
        credentials: called once per request.
        wait_seconds: how long an empty queue may take to answer.
        on_no_keys: called if the queue doesn't take the keys.

    Raises:
        InputError: the extra `mns` isn't installed, or the name isn't one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        credentials: CredentialsSource,
        *,
        wait_seconds: int,
        on_no_keys: Callable[[], object] = lambda: None,
    ) -> None:
        account, errors = _sdk()
        self._errors: type[Exception] = errors
        self._wait_seconds = wait_seconds
        self._on_no_keys = on_no_keys
        self._where = f"{endpoint}/queues/{name}"
        opened = account(str(endpoint), credentials_provider=_KeysForSdk(credentials))
        self._client: Any = opened.get_client()
        self._client.set_connection_timeout(_ANSWER_SECONDS + wait_seconds)
        self._client.http.conn.timeout = _ANSWER_SECONDS + wait_seconds  # its https connections would wait for ever
        self._queue: Any = opened.get_queue(name)
        self._queue.set_encoding(False)  # bodies as they are, in base64 or not

    def receive(self, *, wait: bool) -> tuple[QueueMessage, ...]:
        """Receive up to sixteen messages; none if the queue is empty, after a while if `wait`.

        Raises:
            QueueRefusedError: the queue doesn't exist, or the keys don't open it.
            QueueUnavailableError: it didn't answer.
        """
        try:
            found: list[Any] = self._queue.batch_receive_message(MOST_AT_ONCE, self._wait_seconds if wait else 0)
        except self._errors as error:
            if getattr(error, "type", None) == _EMPTY:
                return ()
            raise self._translated(error) from None
        return tuple(QueueMessage(_bytes(each.message_body), str(each.receipt_handle)) for each in found)

    def delete(self, handles: Sequence[str]) -> int:
        """Delete up to sixteen messages; return how many weren't, because their handles are too old.

        Raises:
            QueueRefusedError, QueueUnavailableError: as for `receive`.
        """
        try:
            self._queue.batch_delete_message(list(handles))
        except self._errors as error:
            failed: list[Any] | None = getattr(error, "sub_errors", None)
            if failed:
                return len(failed)
            raise self._translated(error) from None
        return 0

    def close(self) -> None:
        """Close the connection."""
        self._client.close_connection()

    def _translated(self, error: Exception) -> Exception:
        kind = mask_numbers_in(str(getattr(error, "type", None) or network_fault(error)))
        if kind in _NO_KEYS:
            self._on_no_keys()
        if kind in _WRONG:
            return QueueRefusedError(
                f"{self._where}: {kind}. Check the queue's name and its endpoint, and whether the key may read it."
            )
        return QueueUnavailableError(f"{self._where}: {kind}")


class _KeysForSdk:
    """Credentials as the SDK asks for them."""

    def __init__(self, credentials: CredentialsSource) -> None:
        self._credentials = credentials

    def get_credentials(self) -> "_Key":
        return _Key(self._credentials())


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    key: Credentials

    def get_access_key_id(self) -> str:
        return self.key.access_key_id

    def get_access_key_secret(self) -> str:
        return self.key.secret.get_secret_value()

    def get_security_token(self) -> str:
        return "" if self.key.token is None else self.key.token.get_secret_value()


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body).encode()


def _sdk() -> tuple[Any, type[Exception]]:
    try:
        account: Any = importlib.import_module("mns.account")
        exceptions: Any = importlib.import_module("mns.mns_exception")
    except ImportError:
        raise InputError(
            "globe-sms receipts pull needs Alibaba's client of message queues: install globe-sms with the extra mns, "
            'like pip install "globe-sms[mns]"'
        ) from None
    return account.Account, exceptions.MNSExceptionBase

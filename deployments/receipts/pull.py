"""`globe-sms receipts pull`: takes receipts and replies from Alibaba's queue, from its settings to a clean stop."""

import logging
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Final

from globe_sms.deployments.receipts.lines_in_store import IMPATIENT, REFUSED
from globe_sms.deployments.receipts.message_queue import MessageQueue
from globe_sms.deployments.receipts.process_log import TroubleLog, log_end, log_to_stderr
from globe_sms.deployments.receipts.pull_queue import Puller
from globe_sms.deployments.receipts.queue_token import QueueTokens
from globe_sms.deployments.receipts.started import prove_writable, tidy_replies
from globe_sms.tasks.gateway.credentials import credentials_from_default_chain
from globe_sms.tasks.gateway.endpoint import Endpoint
from globe_sms.tasks.gateway.signature import CredentialsSource
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

QUEUE_VARIABLE: Final = "GLOBE_SMS_QUEUE_ENDPOINT"
TOKEN_VARIABLE: Final = "GLOBE_SMS_QUEUE_TOKEN_ENDPOINT"  # noqa: S105  # the variable's name
QUEUE_ENDPOINT: Final = "https://1493622401794734.mns.ap-southeast-1.aliyuncs.com"
TOKEN_ENDPOINT: Final = "https://dybaseapi.ap-southeast-1.aliyuncs.com"  # noqa: S105  # an address
MESSAGE_TYPES: Final = ("GlobeSmsReport", "SmsUp", "SmsReport")

_CONNECTIONS: Final = 8
_WAIT_SECONDS: Final = 10  # also how long SIGTERM may take on an empty queue

_log = logging.getLogger("globe_sms.receipts")


def pull(
    queue: str,
    to: str,
    *,
    message_type: str | None = None,
    own_queue: bool = False,
    until_empty: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Take messages until SIGTERM or SIGINT, or until the queue is empty; what was received is kept and deleted first.

    Raises:
        InputError: a setting, the queue, the keys or the place isn't usable.
    """
    at = _endpoint(environ, QUEUE_VARIABLE, QUEUE_ENDPOINT)
    credentials = credentials_from_default_chain(environ=environ)
    store = open_store(to, lambda: S3Access.from_environment(client_config=IMPATIENT), "--to")
    with ExitStack() as opened:
        tokens = None if own_queue else opened.enter_context(_tokens(environ, credentials, queue, message_type))
        queues = [
            opened.enter_context(
                closing(
                    MessageQueue(
                        at,
                        queue,
                        tokens or credentials,
                        wait_seconds=_WAIT_SECONDS,
                        on_no_keys=tokens.forget if tokens else _keep_them,
                    )
                )
            )
            for _ in range(_CONNECTIONS)
        ]
        _take_messages(queues, f"{at}/queues/{queue}", store, until_empty=until_empty)


def _take_messages(queues: Sequence[MessageQueue], place: str, store: Store, *, until_empty: bool) -> None:
    log_to_stderr()
    prove_writable(store)
    tidy_replies(store)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_stop, stop))
    trouble = TroubleLog("Messages stay in the queue, which is tried again.", "Messages are taken again.")
    puller = Puller(queues, store, stop, on_trouble=trouble)
    _log.info("Taking messages from %s into %s.", place, store.uri)
    puller.run(until_empty=until_empty)
    pulled = puller.pulled
    log_end(store, receipts=pulled.receipts, replies=pulled.replies, objects=pulled.objects)
    if pulled.refused:
        _log.warning("Messages that weren't JSON: %d, kept in %s/%s.", pulled.refused, store.uri, REFUSED)
    if pulled.not_deleted:
        _log.warning(
            "Messages that are written, but come again: %d. The queue showed them again before they could be deleted; "
            "give it a longer visibility timeout if it's yours.",
            pulled.not_deleted,
        )


def _tokens(
    environ: Mapping[str, str], credentials: CredentialsSource, queue: str, message_type: str | None
) -> "closing[QueueTokens]":
    kind = message_type or next((each for each in MESSAGE_TYPES if queue.endswith(each)), None)
    if kind is None:
        raise InputError(
            f"--queue {queue}: its name doesn't end in {', '.join(MESSAGE_TYPES)}: say with --message-type what it "
            "has, or with --own-queue that it's a queue of your own."
        )
    endpoint = _endpoint(environ, TOKEN_VARIABLE, TOKEN_ENDPOINT)
    return closing(QueueTokens(endpoint, credentials, message_type=kind, queue=queue))


def _keep_them() -> None:
    """Own keys stay what they are."""


def _endpoint(environ: Mapping[str, str], variable: str, default: str) -> Endpoint:
    try:
        return Endpoint.parse(environ.get(variable, "").strip() or default)
    except InputError as error:
        raise InputError(f"{variable}: {error}") from None


def _stop(stop: threading.Event, number: int, _frame: object) -> None:
    stop.set()
    signal.signal(number, signal.SIG_DFL)  # a second one ends it at once, and loses nothing

"""`globe-sms receipts serve`: runs the endpoint as a process, from reading its settings to a clean stop."""

import os
import re
import signal
from collections.abc import Mapping

import uvicorn
from pydantic import SecretStr

from globe_sms.deployments.receipts.endpoint import ReceiptsEndpoint
from globe_sms.deployments.receipts.group_commit import Batches
from globe_sms.deployments.receipts.lines_in_store import IMPATIENT
from globe_sms.deployments.receipts.process_log import TroubleLog, log_end, log_to_stderr
from globe_sms.deployments.receipts.started import prove_writable, tidy_replies
from globe_sms.tasks.replies.stored_replies import REPLIES
from globe_sms.tasks.store import Store
from globe_sms.tasks.store.open_store import open_store
from globe_sms.tasks.store.s3_access import S3Access
from globe_sms.tasks.vocabulary.errors import InputError

SECRET_VARIABLE = "GLOBE_SMS_RECEIPTS_SECRET"  # noqa: S105  # the variable's name
_SHORTEST_SECRET = 16
_IN_A_PATH = re.compile(r"[A-Za-z0-9._~-]+")
_MOST_CONNECTIONS = 1_000
_LAST_ANSWERS_SECONDS = 20


def serve(to: str, *, host: str, port: int, environ: Mapping[str, str] = os.environ) -> None:
    """Serve until SIGTERM or SIGINT; pushes received by then are written and answered first.

    Raises:
        InputError: the secret, the place, the host or the port isn't usable.
    """
    secret = read_secret(environ)
    store = open_store(to, lambda: S3Access.from_environment(client_config=IMPATIENT), "--to")
    log_to_stderr()
    prove_writable(store)
    tidy_replies(store)
    batches, replies = (_batches(each) for each in (store, store.within(REPLIES)))
    server = uvicorn.Server(
        uvicorn.Config(
            ReceiptsEndpoint(store, batches, replies, secret).application(),
            host=host,
            port=port,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,  # it would log the secret
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
        )
    )
    # uvicorn raises the signal that ended it again for earlier handlers.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        server.run()
    except SystemExit:
        raise InputError(f"the endpoint can't listen on {host}:{port}: see the line above") from None
    objects = batches.objects + replies.objects
    log_end(store, receipts=batches.written, replies=replies.written, objects=objects)


def read_secret(environ: Mapping[str, str]) -> SecretStr:
    """Read the secret of the path.

    Raises:
        InputError: the secret is missing, too short, or has characters that a path can't contain.
    """
    secret = SecretStr(environ.get(SECRET_VARIABLE, ""))
    how = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(24))"'
    value = secret.get_secret_value()
    if not value:
        raise InputError(f"{SECRET_VARIABLE} isn't set; the endpoint needs a secret: {how}")
    if len(value) < _SHORTEST_SECRET:
        raise InputError(f"{SECRET_VARIABLE} has fewer than {_SHORTEST_SECRET} characters: {how}")
    if not _IN_A_PATH.fullmatch(value):
        raise InputError(f"{SECRET_VARIABLE} may only contain letters, digits and . _ ~ - (it's part of a path): {how}")
    return secret


def _batches(store: Store) -> Batches:
    consequence = "Pushes are refused until the store recovers; Alibaba repeats them."
    return Batches(store, on_write=TroubleLog(consequence, f"{store.uri} accepts receipts again."))

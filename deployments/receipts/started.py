"""Says in a place of receipts that something keeps them there, by an object of when it started."""

import json
import logging
import os
import platform
import uuid
from datetime import UTC, datetime

from globe_sms.tasks.replies.stored_replies import STARTED
from globe_sms.tasks.store import Store
from globe_sms.tasks.vocabulary.errors import InputError, StoreError, StoreUnavailableError

_log = logging.getLogger("globe_sms.receipts")


def prove_writable(store: Store) -> None:
    """Record when and where this process started, which proves that the store is writable, and what the place is for.

    Raises:
        InputError: the store isn't writable.
    """
    now = datetime.now(UTC)
    started = {"started_at": now.isoformat(), "host": platform.node(), "process": os.getpid()}
    try:
        store.put_if_absent(f"{STARTED}/{now:%Y%m%dT%H%M%S}Z-{uuid.uuid4().hex}.json", json.dumps(started).encode())
    except StoreUnavailableError as error:
        _log.warning("%s Nothing is acknowledged until the store recovers.", error)
    except StoreError as error:
        raise InputError(str(error)) from error

"""What a process does with a place of receipts when it starts: it says so there, and tidies up."""

import json
import logging
import os
import platform
import threading
import uuid
from datetime import UTC, datetime

from globe_sms.tasks.replies.put_together import put_replies_together
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


def tidy_replies(store: Store) -> None:
    """Put small objects of replies together, in a thread that may be killed at any time."""

    def tidy() -> None:
        try:
            if gone := put_replies_together(store):
                _log.info("Put %d objects of replies together.", gone)
        except StoreError as error:
            _log.warning("Small objects of replies stay as they are, which makes reading them slower: %s", error)

    threading.Thread(target=tidy, name="tidy-replies", daemon=True).start()

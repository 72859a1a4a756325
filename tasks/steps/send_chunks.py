"""The step that sends a shard: a second of turns at a time, until all of it is sent or something interrupts it."""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from globe_sms.tasks.sending.shard import Shard
from globe_sms.tasks.vocabulary.errors import GlobeSmsError
from globe_sms.tasks.vocabulary.interruptions import interruption_words, is_pause
from globe_sms.tasks.vocabulary.redact_errors import redact_errors
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause

_LOG: Final = logging.getLogger(__name__)
_GRACE_SECONDS: Final = 15.0
_STOPPING: Final = f"stopping: calls in progress get {_GRACE_SECONDS:.0f} s, Ctrl-C again ends them now"
_AGAIN: Final = "Run the same campaign again to go on."
_RESUME: Final = "Resume it to go on."
_UNFORESEEN: Final = (
    "This should not have happened: {kind} while calls were prepared. No further call was made. The log has the "
    "details, for a bug report. Run the same campaign again to go on."
)

Launch = Callable[[Sequence[tuple[int, ...]]], None]
"""Begins to send groups of chunks, and doesn't wait for them."""
AwaitEnd = Callable[[float | None], bool]
"""Waits until all that was begun has ended, at most so many seconds; returns whether it has."""


def send_shard(
    shard: Shard, say: Callable[[str], None], launch: Launch | None = None, await_end: AwaitEnd | None = None
) -> None:
    """Send a shard: with its own threads, or with what `launch` begins and `await_end` waits for.

    Whatever interrupts it (Ctrl-C, SIGTERM, a cancelled flow run) stops the sending: no new call starts, and calls in
    the air get 15 seconds to end, or until it's interrupted again. After that they're recorded as unknown. Returns in
    both cases; `say` tells that it waits.
    """
    launch, await_end = launch or shard.start, await_end or shard.await_end
    shard.began = True
    try:
        with redact_errors():
            for window in shard.windows():
                launch(window)
            await_end(None)
    except BaseException as error:  # noqa: BLE001  # also Prefect's termination signal and Ctrl-C; nothing is hidden
        shard.stop(cancelled(error) if not isinstance(error, Exception) else _failed(error))
        say(_STOPPING)
        if not _have_ended(await_end):
            shard.abort()
            await_end(_GRACE_SECONDS)


def _have_ended(await_end: AwaitEnd) -> bool:
    try:
        return await_end(_GRACE_SECONDS)
    except BaseException:  # noqa: BLE001  # a second Ctrl-C means: don't wait
        return False


def cancelled(error: BaseException) -> Stop:
    """Return the stop of a run that this has interrupted."""
    return Stop(StopCause.CANCELLED, f"{interruption_words(error)} {_RESUME if is_pause(error) else _AGAIN}")


def _failed(error: Exception) -> Stop:
    if isinstance(error, GlobeSmsError):
        return Stop(StopCause.STOPPED, f"{error} Nobody else was texted. {_AGAIN}")
    _LOG.error("calls couldn't be prepared", exc_info=error)
    return Stop(StopCause.STOPPED, _UNFORESEEN.format(kind=type(error).__name__))

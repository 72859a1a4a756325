"""The task that sends chunks, mapped over a shard a second of turns at a time."""

from typing import Final

from prefect import task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Completed

from globe_sms.tasks.sending.shard import Shard
from globe_sms.tasks.vocabulary.redact_errors import redact_errors
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause

_GRACE_SECONDS: Final = 15.0
CANCELLED: Final = "The run was cancelled ({kind}). Run the same campaign again to go on."


def _send_run_name() -> str:
    from prefect.runtime import task_run

    indexes = task_run.parameters["indexes"]
    return f"send-{indexes[0]}" if len(indexes) == 1 else f"send-{indexes[0]}-to-{indexes[-1]}"


@task(name="send-chunks", task_run_name=_send_run_name, cache_policy=NO_CACHE, persist_result=False)
@redact_errors()
def send_chunks(indexes: tuple[int, ...], shard: Shard) -> State:
    """Send chunks: turn, claim, call, send record for each. Prefect never retries it: the ledger decides what may be.

    Prefect carries the chunks' numbers only; what is sent is read from the plan.
    """
    outcome = shard.send(indexes)
    return Completed(name=outcome.name, message=outcome.message)


def send_shard(shard: Shard) -> None:
    """Map `send_chunks` over a shard, a second of turns at a time.

    Whatever interrupts it (Ctrl-C, SIGTERM, a cancelled flow run) stops the sending: no new call starts, calls in
    the air get 15 seconds to end and are recorded as unknown after that. Returns in both cases.
    """
    shard.began = True
    runs: list[PrefectFuture[State]] = []
    try:
        for window in shard.windows():
            runs.extend(send_chunks.map(window, unmapped(shard)))
        wait(runs)
    except BaseException as error:  # noqa: BLE001  # also Prefect's termination signal and Ctrl-C; nothing is hidden
        shard.stop(Stop(StopCause.CANCELLED, CANCELLED.format(kind=type(error).__name__)))
        if wait(runs, timeout=_GRACE_SECONDS).not_done:
            shard.abort()
            wait(runs, timeout=_GRACE_SECONDS)

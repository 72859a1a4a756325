"""How a shard is sent, and how the sending ends when something interrupts it."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from prefect.exceptions import Pause, TerminationSignal

from globe_sms.flows.orchestration.sigterm import Sigterm
from globe_sms.tasks.sending.shard import Shard
from globe_sms.tasks.steps.send_chunks import send_shard
from globe_sms.tasks.vocabulary.errors import StoreError
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause


class _Shard:
    """A shard of three windows; `interrupts` are raised in the first window, then while it waits."""

    def __init__(self, *interrupts: BaseException, ends: bool = True) -> None:
        self.began = False
        self.started: list[tuple[int, ...]] = []
        self.waited: list[float | None] = []
        self.stopped: list[Stop] = []
        self.aborted = 0
        self._interrupts = list(interrupts)
        self._ends = ends

    def windows(self) -> Iterator[list[tuple[int, ...]]]:
        for index in range(3):
            yield [(index,)]
            self._interrupt()

    def start(self, groups: list[tuple[int, ...]]) -> None:
        assert not self.stopped, "a call was started after the stop"
        self.started += groups

    def await_end(self, seconds: float | None) -> bool:
        self.waited.append(seconds)
        if self.stopped:
            self._interrupt()
        return self._ends or self.aborted > 0

    def stop(self, stop: Stop) -> None:
        self.stopped.append(stop)

    def abort(self) -> None:
        self.aborted += 1

    def _interrupt(self) -> None:
        if self._interrupts:
            raise self._interrupts.pop(0)


def _send(shard: _Shard) -> list[str]:
    said: list[str] = []
    send_shard(cast("Shard", cast("Any", shard)), said.append)
    assert shard.began
    return said


def test_all_windows_are_started_and_awaited() -> None:
    shard = _Shard()
    assert _send(shard) == []
    assert (shard.started, shard.waited, shard.stopped, shard.aborted) == ([(0,), (1,), (2,)], [None], [], 0)


@pytest.mark.parametrize(("ends", "waited"), [(True, [15.0]), (False, [15.0, 15.0])])
def test_an_interruption_starts_no_call_and_lets_those_in_the_air_end(*, ends: bool, waited: list[float]) -> None:
    """After 15 seconds they're ended."""
    shard = _Shard(KeyboardInterrupt(), ends=ends)
    assert _send(shard) == ["stopping: calls in progress get 15 s, Ctrl-C again ends them now"]
    assert (shard.started, shard.waited, shard.aborted) == ([(0,)], waited, 0 if ends else 1)
    assert shard.stopped == [
        Stop(StopCause.CANCELLED, "The run was stopped by Ctrl-C. Run the same campaign again to go on.")
    ]


@pytest.mark.parametrize(
    ("interrupt", "cause", "message"),
    [
        (TerminationSignal(15), StopCause.CANCELLED, "Somebody cancelled the run, or its worker was stopped. {again}"),
        (Sigterm(), StopCause.CANCELLED, "The run was told to end (SIGTERM). {again}"),
        (Pause(), StopCause.CANCELLED, "Somebody paused the run. Resume it to go on."),
        (StoreError("The folder is gone."), StopCause.STOPPED, "The folder is gone. Nobody else was texted. {again}"),
        (
            KeyError("+6581234567"),
            StopCause.STOPPED,
            (
                "This should not have happened: KeyError while calls were prepared. No further call was made. The log "
                "has the details, for a bug report. {again}"
            ),
        ),
    ],
)
def test_a_stop_says_in_plain_words_what_it_was(interrupt: BaseException, cause: StopCause, message: str) -> None:
    """A class's name is only in what nobody foresaw, and what goes wrong isn't said to be cancelled."""
    shard = _Shard(interrupt)
    _send(shard)
    assert shard.stopped == [Stop(cause, message.format(again="Run the same campaign again to go on."))]


def test_a_second_interruption_ends_the_calls_in_the_air_at_once() -> None:
    shard = _Shard(KeyboardInterrupt(), KeyboardInterrupt(), ends=False)
    _send(shard)
    assert (shard.waited, shard.aborted) == ([15.0, 15.0], 1)

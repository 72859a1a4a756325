"""SIGHUP (the terminal or the ssh session was closed) ends a command like SIGTERM."""

import os
import signal
import sys
from types import FrameType
from typing import Final

_STREAMS: Final = (0, 1, 2)


def end_on_hangup() -> None:
    """Let SIGHUP end this process as SIGTERM does; under `nohup`, which ignores it, it changes nothing.

    From then on, whatever is written to the terminal is discarded: writing to a closed one is an error, which must not
    keep a run from writing its results.
    """
    if sys.platform == "win32" or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return
    terminals = [stream for stream in _STREAMS if os.isatty(stream)]

    def end(_number: int, _frame: FrameType | None) -> None:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in terminals:
            os.dup2(nowhere, stream)
        os.close(nowhere)
        signal.raise_signal(signal.SIGTERM)

    signal.signal(signal.SIGHUP, end)

"""SIGTERM ends a run without a flow run in the same order as Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType
from typing import NoReturn


class Sigterm(BaseException):
    """SIGTERM has come; not an `Exception`, like Ctrl-C's `KeyboardInterrupt`."""


@contextlib.contextmanager
def raise_on_sigterm() -> Generator[None]:
    """Raise `Sigterm` in the body when SIGTERM comes.

    If the body lets it through, this process ends by the signal, unless the process has a handler of its own. Outside
    the main thread, which alone hears signals, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Sigterm

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except Sigterm:
        signal.signal(signal.SIGTERM, before)
        signal.raise_signal(signal.SIGTERM)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)

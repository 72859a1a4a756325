"""SIGTERM in a run without a flow run: heard like Ctrl-C, and passed on if nobody has dealt with it."""

import signal
import subprocess
import sys
import threading

import pytest

from globe_sms.flows.orchestration.sigterm import Sigterm, raise_on_sigterm


def test_sigterm_is_raised_where_the_run_is_and_the_handler_before_it_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with raise_on_sigterm():
        with pytest.raises(Sigterm):
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_sigterm_that_nobody_deals_with_ends_the_process_after_its_cleanup() -> None:
    program = (
        "import signal\nfrom globe_sms.flows.orchestration.sigterm import raise_on_sigterm\n"
        "with raise_on_sigterm():\n"
        "    try: signal.raise_signal(signal.SIGTERM)\n"
        "    finally: print('cleaned up', flush=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGTERM, "cleaned up\n", "")


def test_a_run_in_another_thread_leaves_signals_alone() -> None:
    """Only the main thread may set handlers, such as a notebook's or a web server's."""
    found: list[object] = []

    def run() -> None:
        with raise_on_sigterm():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]

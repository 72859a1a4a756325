"""`globe-sms` in a process of its own: started, watched, typed at and ended."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.waiting import LONGEST_WAIT, await_event

PROGRAMS = Path(sys.executable).parent
_DIGITS = re.compile(r"\d{7,}")


class Command:
    """One run of `globe-sms` in a process (and session) of its own; what it prints goes to files.

    Its output is looked at when it has ended: no traceback, no secret, no whole phone number. `program` is another
    one of the environment's. At a `terminal` (a pseudo one) what it says and what is typed go through that.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        *,
        secrets: Collection[str],
        numbers: Collection[str],
        program: str = "globe-sms",
        terminal: bool = False,
    ) -> None:
        self._secrets = secrets
        self._numbers = frozenset(numbers)
        self._out, self._err = folder / "stdout", folder / "stderr"
        self._terminal = Terminal(self._err) if terminal else None
        with self._out.open("wb") as out, self._err.open("ab") as err:
            self._process = subprocess.Popen(
                [PROGRAMS / program, *arguments],
                stdin=subprocess.DEVNULL if self._terminal is None else self._terminal.end,
                stdout=out,
                stderr=err if self._terminal is None else self._terminal.end,
                env={**environment, "TERM": "dumb"},
                cwd=folder,
                start_new_session=True,
            )
        if self._terminal is not None:
            self._terminal.copy()

    @property
    def running(self) -> bool:
        """Whether it has not ended; a suspended one has not."""
        return self._process.poll() is None

    @property
    def code(self) -> int:
        """The exit code of a run that has ended; that of a killed one is -9."""
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def stdout(self) -> str:
        """What it has printed so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self) -> str:
        """What it has said so far."""
        return self._err.read_text(encoding="utf-8", errors="replace")

    def type(self, line: str) -> None:
        """Type a line at its terminal."""
        assert self._terminal is not None
        self._terminal.type(line)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and to whatever it has started, as a terminal does."""
        os.killpg(self._process.pid, number)

    def kill(self) -> float:
        """End it with SIGKILL and look at its output; return the monotonic time at which it was gone."""
        self.end()
        gone = time.monotonic()
        self.check_output()
        return gone

    def end(self) -> None:
        """End it with SIGKILL if it still runs, whatever it has printed."""
        with suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self._process.wait()
        self._hear_out()

    def ends_within(self, seconds: float) -> bool:
        """Wait so long for its end; say whether it came."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.running

    def wait(self, seconds: float = LONGEST_WAIT) -> int:
        """Wait for its end, look at its output and return its exit code.

        Raises:
            TimeoutError: it still runs.
        """
        if not self.ends_within(seconds):
            raise TimeoutError(f"still running after {seconds:g} s:\n{self.stderr}")
        self._hear_out()
        self.check_output()
        return self.code

    def _hear_out(self) -> None:
        """Wait until all that it has said at its terminal is in the file."""
        if self._terminal is not None:
            self._terminal.wait()

    def await_step(self, step: str) -> bool:
        """Wait until it says that the step has begun; False if it ended before."""
        line = f"globe-sms: {step}"
        await_event(lambda: not self.running or line in self.stderr, f"the step {step!r}")
        return self.running

    def check_output(self) -> None:
        """Assert that nothing was printed that must not be."""
        printed = self.stdout + self.stderr
        assert "Traceback" not in printed, printed[-4_000:]
        assert "should not have happened" not in printed, printed
        assert "prefect._internal" not in printed, f"Prefect's own troubles were printed:\n{printed[:2_000]}"
        assert not [secret for secret in self._secrets if secret in printed], "a secret was printed"
        for run in _DIGITS.findall(printed):
            windows = {run[at : at + size] for size in (8, 10) for at in range(len(run) - size + 1)}
            assert not windows & self._numbers, f"a whole phone number was printed: {printed}"


class Terminal:
    """A pseudo-terminal: `end` is what a process gets, and what the process says there is appended to a file."""

    def __init__(self, said: Path) -> None:
        self._ours, self.end = os.openpty()
        self._said = said.open("ab", buffering=0)
        self._thread = threading.Thread(target=self._copy, daemon=True)

    def copy(self) -> None:
        """Copy from here on; the process has its end by now."""
        os.close(self.end)
        self._thread.start()

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{line}\n".encode())

    def wait(self) -> None:
        """Wait until all is copied, which comes after the process's end."""
        self._thread.join(LONGEST_WAIT)

    def _copy(self) -> None:
        with self._said, suppress(OSError):  # how a pseudo-terminal ends
            while piece := os.read(self._ours, 65_536):
                self._said.write(piece)
        os.close(self._ours)

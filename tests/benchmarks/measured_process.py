"""The processes that are measured, and what the kernel knows of them: CPU time and memory."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_SAMPLE_SECONDS = 0.2


class Program:
    """One process with its output in files. `peak_mb` is followed until its end."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> None:
        folder.mkdir(parents=True)
        self._out, self._err = folder / "stdout", folder / "stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )
        self.peak_mb = 0.0
        self.cpu_seconds = 0.0
        self._ended = threading.Event()
        self._follower = threading.Thread(target=self._follow, daemon=True)
        self._follower.start()

    def _follow(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            self.peak_mb = max(self.peak_mb, peak_mb(self._process.pid))
            self.cpu_seconds = max(self.cpu_seconds, cpu_seconds(self._process.pid))

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def stdout(self) -> str:
        """What it has printed so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    def wait(self, seconds: float) -> str:
        """Wait for its end and return what it printed.

        Raises:
            RuntimeError: it failed, or still runs; with the end of what it said.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        if self._process.poll() != 0:
            raise RuntimeError(self.failure())
        self._ended.set()
        self._follower.join()
        return self.stdout

    def failure(self) -> str:
        """Say how it stands with it: exit code, and the end of what it said."""
        said = self._err.read_text(encoding="utf-8", errors="replace")[-3000:]
        return f"{self._process.args}: exit code {self._process.poll()}\n{said}"

    def ask_to_end(self) -> None:
        """Send SIGTERM; returns at once."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)

    def stop(self, grace: float = 0.0) -> None:
        """Wait so many seconds for its end, then kill it; may be called twice."""
        self._ended.set()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # with whatever it has started and left behind
        self._process.wait()
        self._follower.join()


def script(name: str) -> Path:
    """Return the path of a console script of this environment."""
    return Path(sys.executable).parent / name


def peak_mb(pid: int) -> float:
    """The most memory that a process has had in RAM so far, in MB (VmHWM); 0 when it is gone."""
    with suppress(OSError):
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used so far, user and system, in steps of 10 ms; 0 when it is gone."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0

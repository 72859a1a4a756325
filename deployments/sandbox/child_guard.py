"""Prevents a child process from outliving its owner; runs as a script, with the standard library only.

    python guard.py OWNER_PID [--remove PATH]... -- COMMAND ...

Its standard input is the read end of a pipe. When the owner ends in any way, the pipe closes, and the guard kills the
command (SIGKILL) and removes the paths. A `start` line restarts the command after it has been killed. The guard answers
each start with a line that holds the process id. If the guard itself is killed, Linux ends the command with it. A death
signal set by the owner wouldn't do: it follows the thread that started the child, not the process.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from types import FrameType

_LOOK_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1


def _die_with_guard() -> None:
    # Runs between fork and exec, in a single-threaded process.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    child = subprocess.Popen(  # noqa: S603 - the owner's command
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # our standard output carries process ids only
        preexec_fn=_die_with_guard,  # noqa: PLW1509 - there is one thread here
    )
    os.write(sys.stdout.fileno(), f"{child.pid}\n".encode())
    return child


def _stop(child: "subprocess.Popen[bytes]") -> None:
    # No graceful end is needed: everything worth keeping is already on disk.
    if child.poll() is None:
        child.kill()
        child.wait()


def _remove(path: str) -> None:
    if os.path.isdir(path):  # noqa: PTH112 - pathlib would double the start of this small process
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - as above


def main(arguments: list[str]) -> None:
    """Start the command and stay until the owner has ended or asks to stop."""
    owner = int(arguments.pop(0))
    leftovers: list[str] = []
    while arguments[0] == "--remove":
        leftovers.append(arguments[1])
        del arguments[:2]
    command = arguments[1:]
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner decides what Ctrl-C means
    child = _start(command)
    try:
        while not asked and os.getppid() == owner:
            child.poll()  # reaps it if it has been killed
            ready, _, _ = select.select([sys.stdin], [], [], _LOOK_SECONDS)
            if ready:
                line = os.read(sys.stdin.fileno(), 64)
                if not line:
                    break
                child.poll()
                if child.returncode is not None:
                    child = _start(command)
    finally:
        _stop(child)
        for path in leftovers:
            _remove(path)


if __name__ == "__main__":
    main(sys.argv[1:])

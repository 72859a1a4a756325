"""The command `globe-sms`: `send`, and the sandbox's `demo` and `sandbox`."""

import shlex
import signal
import sys
import threading
from typing import Annotated, NoReturn

from cyclopts import Parameter
from rich.console import Console

from deployments.demo import run_demo
from flows.cli import make_app, run_app
from flows.leaving import leave


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    app = make_app()
    app.command(demo, name="demo")
    app.command(sandbox, name="sandbox")
    leave(run_app(app))


def demo(
    *,
    rows: Annotated[int, Parameter(help="How many rows the demo's list has.")] = 5_000,
) -> int:
    """Run the whole job on this machine: an S3 server, a stand-in gateway, a messy list, one campaign.

    Nothing leaves this machine. Needs the extra `sandbox` (`make demo` sets it up).
    """
    return run_demo(rows, Console(stderr=True, highlight=False))


def sandbox(
    *,
    calls_per_second: Annotated[int, Parameter(help="The account's limit.")] = 1,
    numbers_per_call: Annotated[int, Parameter(help="The most numbers that a call may have.")] = 250,
) -> None:
    """Start the S3 server and the stand-in gateway, and keep them up until Ctrl-C.

    Prints the environment variables that point a shell at them on stdout. In another shell:
    `globe-sms sandbox > sandbox.env &`, then `source sandbox.env` and `globe-sms send ...`.
    """
    from deployments.sandbox.sandbox import Sandbox

    console = Console(stderr=True, highlight=False)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Sandbox(calls_per_second=calls_per_second, numbers_per_call=numbers_per_call) as running:
        for name, value in running.environment.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
        sys.stdout.flush()
        console.print(
            f"The sandbox is up: bucket s3://{running.bucket}, {calls_per_second} calls a second of up to "
            f"{numbers_per_call} numbers. Its log: {running.gateway.endpoint}/_sandbox/log. Ctrl-C ends it."
        )
        ended.wait()

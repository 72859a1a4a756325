"""The command `globe-sms`: `send` and `track`, the sandbox's `demo` and `sandbox`, `deploy`, and `receipts serve`."""

import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table

from globe_sms.deployments.sandbox.demo import run_demo
from globe_sms.flows.command_line.app import make_app, run_app
from globe_sms.flows.command_line.process_exit import leave
from globe_sms.flows.command_line.whole_numbers import whole_number

_RECEIPTS_EPILOGUE = """\
Environment: GLOBE_SMS_RECEIPTS_SECRET, 16 characters at least; AWS's own
variables for S3. In Alibaba's console, enter the address that this endpoint has
for the outside world, with the secret as the last part of the path:

    https://sms.example.com/receipts/<secret>

A push is acknowledged when its receipts are in the store, and not before.
GET /health says how the endpoint stands.
"""


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    app = make_app()
    app.command(demo, name="demo")
    app.command(sandbox, name="sandbox")
    app.command(deploy, name="deploy")
    receipts = App(name="receipts", help="Delivery receipts that Alibaba pushes.", help_format="plaintext")
    receipts.command(serve_receipts, name="serve", help_epilogue=_RECEIPTS_EPILOGUE)
    app.command(receipts)
    leave(run_app(app))


def demo(
    *,
    rows: Annotated[
        int, Parameter(converter=whole_number, help="How many rows the demo's list has.", validator=Number(gte=1))
    ] = 5_000,
) -> int:
    """Run the whole job on this machine: an S3 server, a stand-in gateway, a messy list, one campaign.

    Nothing leaves this machine. Needs the extra `sandbox` (`make demo` sets it up).
    """
    return run_demo(rows, Console(stderr=True, highlight=False))


def sandbox(
    *,
    calls_per_second: Annotated[
        int,
        Parameter(
            converter=whole_number,
            help="How many calls the stand-in gateway takes in a second.",
            validator=Number(gte=1, lte=10_000),
        ),
    ] = 1,
    numbers_per_call: Annotated[
        int,
        Parameter(
            converter=whole_number, help="The most numbers that a call may have.", validator=Number(gte=1, lte=1_000)
        ),
    ] = 250,
) -> None:
    """Start the S3 server and the stand-in gateway, and keep them up until Ctrl-C.

    Prints the environment variables that point a shell at them on stdout:

        globe-sms sandbox > sandbox.env &
        until [ -s sandbox.env ]; do sleep 1; done; source sandbox.env
        globe-sms send ...

    Until they are set, a send goes to your real account.
    """
    from globe_sms.deployments.sandbox.sandbox import Sandbox

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


def deploy(
    *,
    work_pool: Annotated[str | None, Parameter(help="The work pool. Default: globe-sms, as the file has it.")] = None,
    pool_type: Annotated[
        Literal["process", "docker", "kubernetes"], Parameter(help="What the pool's workers start for a run.")
    ] = "process",
    image: Annotated[str | None, Parameter(help="The image of runs in a docker or kubernetes pool.")] = None,
    pause_schedules: Annotated[bool, Parameter(help="Switch the deployments' schedules off.")] = False,
    file: Annotated[
        Path | None,
        Parameter(help="Your own copy of deployments/prefect.yaml; it goes before what the server has."),
    ] = None,
    heartbeat_seconds: Annotated[
        int,
        Parameter(
            converter=whole_number,
            help="PREFECT_FLOWS_HEARTBEAT_FREQUENCY of the workers; silent for 3 times as long is dead.",
        ),
    ] = 180,
) -> None:
    """Put block type, work pool, deployments and automations on the Prefect server of PREFECT_API_URL.

    Safe to run again. Parameters and schedules that stand on the server stay as
    they are, unless --file is given.
    """
    from globe_sms.deployments.deploy import DeployOptions
    from globe_sms.deployments.deploy import deploy as put_on_the_server

    changes = put_on_the_server(
        DeployOptions(
            work_pool=work_pool,
            pool_type=pool_type,
            image=image,
            pause_schedules=pause_schedules,
            file=file,
            heartbeat_seconds=heartbeat_seconds,
        )
    )
    table = Table(show_edge=False, pad_edge=False)
    for column in ("what", "name", "done", ""):
        table.add_column(column, overflow="fold")
    for change in changes:
        table.add_row(change.kind, change.name, change.effect, change.note)
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"Start a worker: prefect worker start --pool {work_pool or 'globe-sms'} --type {pool_type}", soft_wrap=True
    )


def serve_receipts(
    *,
    to: Annotated[str, Parameter(help="Where the receipts are kept: s3://bucket/prefix or a directory.")],
    host: Annotated[str, Parameter(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(converter=whole_number, help="The port to listen on.")] = 8080,
) -> int:
    """Take the delivery receipts that Alibaba pushes by HTTP, and keep them, until Ctrl-C or SIGTERM.

    It speaks plain HTTP: put whatever ends TLS for you in front of it.
    """
    from globe_sms.deployments.receipts.serve import serve

    serve(to, host=host, port=port)
    return 0

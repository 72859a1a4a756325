"""The commands that deployments add to `globe-sms`: `demo`, `sandbox`, `deploy` and `receipts`."""

import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Table

from globe_sms.deployments.receipts.commands import receipts_app
from globe_sms.flows.command_line.app import make_app, run_app
from globe_sms.flows.command_line.hangup import end_on_hangup
from globe_sms.flows.command_line.process_exit import leave
from globe_sms.flows.command_line.whole_numbers import whole_number


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    app = make_app()
    app.command(demo, name="demo")
    app.command(sandbox, name="sandbox")
    app.command(deploy, name="deploy")
    app.command(receipts_app())
    end_on_hangup()
    leave(run_app(app))


def demo(
    *,
    rows: Annotated[
        int, Parameter(converter=whole_number, help="How many rows the demo's list has.", validator=Number(gte=1))
    ] = 5_000,
) -> int:
    """Run a whole campaign on this machine: an S3 server, a simulated gateway, a messy list.

    Nothing leaves this machine. Needs the extra `sandbox` (`make demo` sets it up).
    """
    from globe_sms.deployments.sandbox.demo import run_demo

    return run_demo(rows, Console(stderr=True, highlight=False))


def sandbox(
    *,
    calls_per_second: Annotated[
        int,
        Parameter(
            converter=whole_number,
            help="How many calls a second the simulated gateway accepts.",
            validator=Number(gte=1, lte=10_000),
        ),
    ] = 1,
    numbers_per_call: Annotated[
        int,
        Parameter(converter=whole_number, help="How many numbers a call may have.", validator=Number(gte=1, lte=1_000)),
    ] = 250,
) -> None:
    """Run an S3 server and a simulated gateway until Ctrl-C.

    Prints to stdout the environment variables that point a shell at them:

        globe-sms sandbox > sandbox.env &
        until [ -s sandbox.env ]; do sleep 1; done; source sandbox.env
        globe-sms send ...

    Until they are set, `globe-sms send` uses your real account.
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
            f"The sandbox is running: bucket s3://{running.bucket}, {calls_per_second} calls a second of up to "
            f"{numbers_per_call} numbers. Its log: {running.gateway.endpoint}/_sandbox/log. Press Ctrl-C to stop it."
        )
        ended.wait()


def deploy(
    *,
    work_pool: Annotated[str | None, Parameter(help="The work pool. Default: the one in the file, globe-sms.")] = None,
    pool_type: Annotated[
        Literal["process", "docker", "kubernetes"],
        Parameter(help="The work pool's type: what a worker starts for a run."),
    ] = "process",
    image: Annotated[str | None, Parameter(help="The image for runs in a docker or kubernetes pool.")] = None,
    pause_schedules: Annotated[bool, Parameter(help="Switch the deployments' schedules off.")] = False,
    file: Annotated[
        Path | None,
        Parameter(help="Your own copy of deployments/prefect.yaml. It overrides what the server has."),
    ] = None,
    heartbeat_seconds: Annotated[
        int | None,
        Parameter(
            converter=whole_number,
            help="How often a run sends a heartbeat; three missed ones mark it as crashed. Default: the file's, 30.",
            validator=Number(gte=30),
        ),
    ] = None,
    notify: Annotated[
        str | None,
        Parameter(help="A notification block that tells people when a campaign needs them: its name, or type/name."),
    ] = None,
) -> None:
    """Create or update block type, work pool, deployments and automations on a Prefect server.

    The server is the one of PREFECT_API_URL. Safe to run again: deployments keep
    the parameters and schedules that they have on the server, unless you give
    --file.
    """
    from globe_sms.deployments.deploy import DeployOptions
    from globe_sms.deployments.deploy import deploy as deploy_to_server
    from globe_sms.deployments.notifications import HOW, tells_people

    changes = deploy_to_server(
        DeployOptions(
            work_pool=work_pool,
            pool_type=pool_type,
            image=image,
            pause_schedules=pause_schedules,
            file=file,
            heartbeat_seconds=heartbeat_seconds,
            notify=notify,
        )
    )
    table = Table(show_edge=False, pad_edge=False)
    for column in ("object", "name", "result", "note"):
        table.add_column(column, overflow="fold")
    for change in changes:
        table.add_row(change.kind, change.name, change.effect, change.note)
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"Start a worker: prefect worker start --pool {work_pool or 'globe-sms'} --type {pool_type}", soft_wrap=True
    )
    if not any(tells_people(change) for change in changes):
        console.print(HOW, soft_wrap=True)

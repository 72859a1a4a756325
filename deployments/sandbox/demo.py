"""`globe-sms demo`: a whole campaign on one machine, in the sandbox, as a first look."""

import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import boto3
from rich.console import Console

from globe_sms.flows.command_line.exit_codes import exit_code
from globe_sms.flows.command_line.run_in_terminal import record_campaign
from globe_sms.flows.command_line.terminal_report import show_report
from globe_sms.tasks.campaign.config import CampaignConfig
from globe_sms.tasks.reports.campaign_report import CampaignReport

_CALLS_PER_SECOND = 10
_NUMBERS_PER_CALL = 50
_LATENCY = (0.2, 0.6)
_MESSAGE = "Your parcel arrives tomorrow between 9 and 12."


def run_demo(rows: int, console: Console) -> int:
    """Start the sandbox, put messy lists into its bucket, send a campaign to them, and show the result.

    The results are copied to the temporary folder, because the sandbox's bucket is removed with the demo.

    Raises:
        InputError: the extra `sandbox` isn't installed.
    """
    from globe_sms.deployments.sandbox.demo_lists import demo_lists
    from globe_sms.deployments.sandbox.sandbox import Sandbox

    console.print(
        "Starting an S3 server and a sandbox gateway on loopback: nothing leaves this machine.", soft_wrap=True
    )
    with Sandbox(calls_per_second=_CALLS_PER_SECOND, numbers_per_call=_NUMBERS_PER_CALL) as sandbox:
        _point_here(sandbox.environment)
        sandbox.gateway.set_latency(*_LATENCY)
        s3 = boto3.client("s3")
        lists = demo_lists(rows)
        s3.put_object(Bucket=sandbox.bucket, Key="lists/customers.csv", Body=lists.csv)
        s3.put_object(Bucket=sandbox.bucket, Key="lists/members.parquet", Body=lists.parquet)
        console.print(
            f"{rows:,} rows are in s3://{sandbox.bucket}/lists/ as CSV and parquet, as messy as real ones. The demo's "
            f"account may make {_CALLS_PER_SECOND} calls a second with {_NUMBERS_PER_CALL} numbers each; a new Alibaba "
            "account may make 1 call with 250.",
            soft_wrap=True,
        )
        report = record_campaign(
            CampaignConfig.checked(
                recipients=(f"s3://{sandbox.bucket}/lists/",),
                message=_MESSAGE,
                type="NOTIFY",
                results=f"s3://{sandbox.bucket}/campaigns",
                campaign=f"demo-{time.strftime('%Y%m%d-%H%M%S')}",
                sender_id="Parcels",
                numbers_per_call=_NUMBERS_PER_CALL,
                calls_per_second=_CALLS_PER_SECOND,
            ),
            console,
            yes=True,
        )
        show_report(report, as_json=False)
        stats = sandbox.gateway.stats()
        copy = _keep(report)
    out = Console(highlight=False)
    out.print(
        f"The gateway's own log: {stats.admitted:,} calls, at most {stats.max_admitted_in_second} in any second, "
        f"{stats.accepted_numbers:,} numbers accepted, {stats.accepted_twice} of them twice.",
        soft_wrap=True,
    )
    out.print(f"The bucket is removed with the sandbox; a copy of the results is in {copy}", soft_wrap=True)
    out.print("Look at them with:", soft_wrap=True)
    out.print(f"  {_python()} -c \"import polars; print(polars.read_parquet('{copy}'))\"", soft_wrap=True)
    return exit_code(report)


def _point_here(environment: dict[str, str]) -> None:
    """Point this process at the sandbox, and Prefect at the demo's own server and home."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "PREFECT_API_URL", "PREFECT_PROFILE"):
        os.environ.pop(name, None)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    os.environ.update(environment, PREFECT_HOME=str(writable_folder(cache / "globe-sms" / "demo-prefect")))


def writable_folder(wanted: Path) -> Path:
    """Return a folder, or a new temporary one if it can't be written: HOME is read-only, or it's another user's."""
    with suppress(OSError):
        wanted.mkdir(parents=True, exist_ok=True)
        if os.access(wanted, os.W_OK | os.X_OK):
            return wanted
    return Path(tempfile.mkdtemp(prefix="globe-sms-demo-"))


def _python() -> str:
    """Return the command for this Python, relative to the current folder if possible."""
    python = Path(sys.executable)
    return str(python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python)


def _keep(report: CampaignReport) -> Path:
    folder = writable_folder(Path(tempfile.gettempdir()) / "globe-sms-demo")
    path = folder / f"{report.campaign}.parquet"
    report.results().write_parquet(path, compression="zstd")
    return path

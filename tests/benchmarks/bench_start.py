"""How long a campaign of 1,000 rows takes from the command to its plan and to its first call.

Without a Prefect server, with results on local disks and on S3; with a server that runs; and with a temporary one, as
`globe-sms demo` starts it. Beside them Prefect's own hello flow, which starts the same temporary server. In turns, so
that all of them see the same machine; medians. Without a server the first call must leave within 4 s on a quiet
machine, 2.5 s of them before the plan. Some 4 minutes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from globe_sms.tasks.campaign.config import CampaignConfig
from tests.benchmarks.measured_campaigns import MESSAGE, Stage
from tests.benchmarks.measured_process import script
from tests.benchmarks.printed_table import print_table, say

_ROWS = 1_000
_LOOK_SECONDS = 0.01
_PLAN = "globe-sms: reading and validating the lists"
_HELLO = """
from prefect import flow

@flow
def hello():
    print("hello", flush=True)

hello()
"""
_RECORDED = """
import json, os, sys
from rich.console import Console
from globe_sms.flows.command_line.prefect_settings import set_prefect_defaults
from globe_sms.flows.command_line.run_in_terminal import record_campaign
from globe_sms.tasks.campaign.config import CampaignConfig
set_prefect_defaults(os.environ)
record_campaign(CampaignConfig.checked(**json.loads(sys.argv[1])), Console(stderr=True), yes=True)
"""


@dataclass(frozen=True, slots=True)
class _Start:
    """Seconds from the command to the plan, to the first call (or greeting) and to the end, and of CPU time in all."""

    plan: float | None
    call: float
    end: float
    cpu: float


def main() -> None:
    """Start all of them in turns, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[_Start]] = {}
    with Stage(calls_per_second=50) as stage:
        for number in range(options.rounds):
            for way, start in _ways(stage, number).items():
                say(f"{way}, {number + 1} of {options.rounds} ...")
                found.setdefault(way, []).append(start())
    print_table(
        f"Seconds from the command, {_ROWS:,} rows, medians of {options.rounds}",
        ["", "plan begins", "first call", "end", "CPU time"],
        [
            [way, *(_median([getattr(each, name) for each in starts]) for name in ("plan", "call", "end", "cpu"))]
            for way, starts in found.items()
        ],
    )


def _ways(stage: Stage, number: int) -> Mapping[str, Callable[[], _Start]]:
    on_s3 = f"s3://{stage.sandbox.bucket}/campaigns"
    here = {name: value for name, value in stage.environment.items() if not name.startswith("PREFECT_")}
    here["PREFECT_HOME"] = str(stage.folder / "home")  # whatever the user's profile says
    patient = {**here, "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120"}  # on a busy machine
    command = [str(script("globe-sms")), "send"]

    def send(results: str, environment: Mapping[str, str]) -> _Start:
        config = _config(stage, results)
        options = [f"--{name}={config[name]}" for name in ("message", "type", "results", "campaign")]
        speed = ["--calls-per-second=50", "--json"]
        return _measure(stage, [*command, str(config["recipients"]), *options, *speed], environment, results)

    def record() -> _Start:
        parameters = json.dumps({**_config(stage, on_s3), "calls_per_second": 50})
        return _measure(stage, [sys.executable, "-c", _RECORDED, parameters], here, on_s3)

    return {
        "without a server, on local disks": lambda: send(str(stage.folder / f"results-{number}"), here),
        "without a server, results on S3": lambda: send(on_s3, here),
        "with a server that runs": lambda: send(on_s3, stage.environment),
        "with a temporary server": record,
        "Prefect's hello flow": lambda: _measure(stage, [sys.executable, "-c", _HELLO], patient, None),
    }


def _config(stage: Stage, results: str) -> dict[str, str]:
    numbers = stage.numbers(_ROWS)
    path = stage.folder / f"list-{numbers.start}.csv"
    path.write_text("phone\n" + "".join(f"{number}\n" for number in numbers), encoding="utf-8")
    options = {"message": MESSAGE, "type": "NOTIFY", "results": results, "campaign": f"start-{numbers.start}"}
    CampaignConfig.checked(recipients=str(path), **options)
    return {"recipients": str(path), **options}


def _measure(stage: Stage, command: Sequence[str], environment: Mapping[str, str], results: str | None) -> _Start:
    stage.sandbox.gateway.reset()
    with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
        out, err = Path(folder) / "stdout", Path(folder) / "stderr"
        plan = greeted = None
        began, began_at = time.monotonic(), time.time()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=dict(environment), cwd=folder)
            ended = 0
            while not ended:
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
                now = time.monotonic() - began
                if plan is None and _PLAN in err.read_text(encoding="utf-8", errors="replace"):
                    plan = now
                if greeted is None and out.read_bytes():
                    greeted = now
                time.sleep(0 if ended else _LOOK_SECONDS)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or (greeted is None and results is None):
            raise RuntimeError(err.read_text(encoding="utf-8", errors="replace")[-2000:])
    first = greeted if results is None else min(each.wall for each in stage.sandbox.gateway.log()) - began_at
    assert first is not None
    return _Start(plan, first, now, usage.ru_utime + usage.ru_stime)


def _median(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.median(known):.1f}" if known else ""


if __name__ == "__main__":
    main()

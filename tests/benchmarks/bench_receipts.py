"""How soon the endpoint of delivery receipts answers, and how many it keeps: on a real S3 server, by connections.

Each connection pushes its next array when the last is answered, so it is as busy as it can be made. Alibaba is said to
wait 700 ms for an answer. Bound: 99 % of the pushes are answered within that. Some 2 minutes.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from globe_sms.deployments.sandbox.s3_server import S3Server
from tests.benchmarks.printed_table import print_table, say
from tests.chaos.receipts_endpoint_process import Endpoint

_PATIENCE = 0.7
_RECEIPT = {
    "To": "6581234567",
    "SendDate": "Thu, 25 Nov 2021 10:25:00 +0800",
    "ReceiveDate": "Thu, 25 Nov 2021 10:25:33 +0800",
    "Status": "1",
    "ErrorCode": "success",
    "ErrorDescription": "success",
    "TaskId": "spring-0-1",
    "SmsSize": "2",
    "MessageId": "1234500001234",
}


def main() -> None:
    """Measure each number of connections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--per-push", type=int, default=100)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 32, 64])
    options = parser.parse_args()
    rows, late = [], False
    with (
        S3Server("receipts") as s3,
        tempfile.TemporaryDirectory() as folder,
        Endpoint("s3://receipts/kept", s3.environment, Path(folder)) as endpoint,
    ):
        for connections in options.connections:
            say(f"{connections} connections ...")
            before = endpoint.health()
            waits = _push(endpoint.url, connections, options.per_push, options.seconds)
            after = endpoint.health()
            cuts = statistics.quantiles(waits, n=100)
            late |= cuts[98] > _PATIENCE
            rows.append(
                [
                    str(connections),
                    f"{(after['receipts'] - before['receipts']) / options.seconds:,.0f}",
                    f"{(after['objects'] - before['objects']) / options.seconds:.1f}",
                    *(f"{1000 * seconds:.0f}" for seconds in (cuts[49], cuts[98], max(waits))),
                ]
            )
    print_table(
        f"Pushes of {options.per_push} receipts, each acknowledged when S3 has it",
        ["connections", "receipts a second", "objects a second", "median ms", "99 % ms", "longest ms"],
        rows,
    )
    sys.exit(late)


def _push(url: str, connections: int, per_push: int, seconds: float) -> list[float]:
    waits: list[float] = []
    end = time.monotonic() + seconds
    push = [_RECEIPT] * per_push

    def push_on() -> None:
        with httpx.Client(trust_env=False, timeout=30.0) as client:
            while (began := time.monotonic()) < end:
                answer = client.post(url, json=push)
                waits.append(time.monotonic() - began)
                if answer.status_code != httpx.codes.OK or answer.json()["code"] != 0:
                    raise RuntimeError(f"a push was answered {answer.status_code}")

    threads = [threading.Thread(target=push_on) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


if __name__ == "__main__":
    main()

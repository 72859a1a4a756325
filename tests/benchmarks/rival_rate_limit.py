"""A rival: a mapped Prefect task that keeps the rate by Prefect's own `rate_limit` on a global concurrency limit.

python -m tests.benchmarks.rival_rate_limit --name N --limit LIMIT --threads 8 --calls 60 --first-number 6581000000 ...

It calls with our client, one connection a call, so that nothing but the pacing differs. A throttled call is not tried
again: it is counted at the gateway.
"""

import os

from prefect import flow, task
from prefect.concurrency.sync import rate_limit
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner

from globe_sms.tasks.gateway import BatchSend, Endpoint, Gateway, MessageType, credentials_from_default_chain
from tests.benchmarks.measured_campaigns import MESSAGE
from tests.benchmarks.rival_options import numbers, parser, task_id


def main() -> None:
    """Map the calls of one process."""
    made = parser()
    made.add_argument("--limit", required=True, help="the global concurrency limit, with slot decay")
    made.add_argument("--threads", type=int, required=True)
    options = made.parse_args()

    with Gateway(Endpoint.from_environment(os.environ), credentials_from_default_chain()) as gateway:

        @task(persist_result=False)
        def send_call(call: int) -> str:
            batch = BatchSend(
                numbers=numbers(options, call),
                messages=(MESSAGE,) * options.numbers_per_call,
                type=MessageType.NOTIFY,
                task_id=task_id(options, call),
            )
            rate_limit(options.limit, strict=True)
            return str(gateway.send(batch).verdict)

        @flow(task_runner=ThreadPoolTaskRunner(max_workers=options.threads), persist_result=False)
        def send_all() -> None:
            wait(send_call.map(range(options.calls)))

        send_all()


if __name__ == "__main__":
    main()

"""What Prefect's bare `.map` of an empty task reaches: the most task runs a second that anything built on it can have.

python -m tests.benchmarks.rival_empty_map --tasks 1000 --threads 256 prints the task runs a second.
"""

import argparse
import time

from prefect import flow, task
from prefect.futures import wait
from prefect.task_runners import ThreadPoolTaskRunner


@task(persist_result=False)
def do_nothing(index: int) -> int:
    """Do nothing."""
    return index


def main() -> None:
    """Map the empty task and print how many runs a second ended, from the first map to the last end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=options.threads), persist_result=False)
    def map_all() -> float:
        began = time.monotonic()
        wait(do_nothing.map(range(options.tasks)))
        return time.monotonic() - began

    print(options.tasks / map_all())


if __name__ == "__main__":
    main()

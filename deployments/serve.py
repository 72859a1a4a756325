"""The deployments on one machine without a work pool: `python -m globe_sms.deployments.serve`.

The process waits for runs and starts each in a process of its own. On SIGTERM or Ctrl-C the runs end in order: no new
call starts, calls in the air get 15 s, the results are written. (A process worker, when it is stopped, kills its runs.)
Parameters and schedules that the server has of a deployment stay. A deployment that is served leaves its work pool;
`globe-sms deploy` puts it back.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from globe_sms.deployments.deploy import open_server
from globe_sms.deployments.deployed_flows import flow_of
from globe_sms.deployments.prefect_yaml import SHIPPED, DeploymentSpec, Specification
from globe_sms.deployments.register_deployment import leave_work_pool, parameters_of, read_deployment, schedules_of
from globe_sms.tasks.vocabulary.errors import InputError


def serve(file: Path | None = None) -> None:
    """Serve the deployments of the file until SIGTERM or SIGINT.

    Raises:
        InputError: no Prefect server is set or it does not answer, or the file will not do.
    """
    specs = Specification.read(file or SHIPPED).deployments
    with open_server() as client:
        standing = [read_deployment(client, f"{flow_of(spec).name}/{spec.name}") for spec in specs]
        for deployment in standing:
            if deployment is not None:
                leave_work_pool(client, deployment)
    served = [
        _served(spec, deployment if file is None else None) for spec, deployment in zip(specs, standing, strict=True)
    ]
    # Schedules go on while the process is restarted: what falls into the gap is started late, or is too late.
    runner = OrderlyRunner(pause_on_shutdown=False, limit=len(served))
    for deployment in served:
        runner.add_deployment(deployment)
    signal.signal(signal.SIGINT, runner.handle_sigterm)
    asyncio.run(runner.start())


class OrderlyRunner(Runner):
    """Prefect's runner, which waits for its runs when it is stopped.

    Prefect 3.8.8's own leaves its loop at once on SIGTERM, and the runs are killed in mid-call.
    """

    def handle_sigterm(self, *_: Any, **__: Any) -> None:
        """Take no more runs, cancel those there are, and leave when they have ended (30 s at most)."""
        if not self.started:
            sys.exit(0)
        self.execute_in_background(self.astop)


def _served(spec: DeploymentSpec, existing: DeploymentResponse | None) -> RunnerDeployment:
    limit = spec.concurrency_limit
    deployment = RunnerDeployment.from_flow(
        flow_of(spec),
        name=spec.name,
        description=spec.description,
        version=spec.version,
        tags=list(spec.tags),
        parameters=parameters_of(spec, existing),
        schedules=[],
        concurrency_limit=limit
        and ConcurrencyLimitConfig(
            limit=limit.limit,
            collision_strategy=ConcurrencyLimitStrategy(limit.collision_strategy),
            grace_period_seconds=limit.grace_period_seconds,
        ),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    deployment.schedules = list(schedules_of(spec, existing, pause=False))
    return deployment


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    except InputError as error:
        sys.stderr.write(f"globe-sms: {error}\n")
        sys.exit(2)

"""Serve the deployments on one machine, without a work pool: `python -m globe_sms.deployments.serve`.

This process waits for runs and starts each one in a process of its own. On SIGTERM or Ctrl-C the runs shut down
gracefully: no new call starts, calls in progress get 15 s, the results are written. (A process worker kills its runs
when it is stopped.) Deployments that the server already has keep their parameters and schedules. A served deployment
leaves its work pool; `globe-sms deploy` puts it back.
"""

import asyncio
import signal
import sys
from pathlib import Path

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType
from prefect.utilities.callables import ParameterSchema

from globe_sms.deployments.automations import heartbeat_seconds_of
from globe_sms.deployments.deploy import open_server
from globe_sms.deployments.deployed_flows import flow_of, schema_of
from globe_sms.deployments.prefect_yaml import SHIPPED, DeploymentSpec, Specification
from globe_sms.deployments.register_deployment import leave_work_pool, parameters_of, read_deployment, schedules_of
from globe_sms.tasks.vocabulary.errors import InputError


def serve(file: Path | None = None) -> None:
    """Serve the file's deployments until SIGTERM or SIGINT.

    Raises:
        InputError: no Prefect server is set, it doesn't answer, or the file is wrong.
    """
    specs = Specification.read(file or SHIPPED).deployments
    with open_server() as client:
        existing = [read_deployment(client, f"{flow_of(spec).name}/{spec.name}") for spec in specs]
        for deployment in existing:
            if deployment is not None:
                leave_work_pool(client, deployment)
    served = [
        _runner_deployment(spec, deployment if file is None else None)
        for spec, deployment in zip(specs, existing, strict=True)
    ]
    heartbeat = max(heartbeat_seconds_of(spec.work_pool.job_variables) for spec in specs)
    # Schedules stay on while this process restarts: a run due in that time starts late, or ends as Late.
    runner = Runner(pause_on_shutdown=False, limit=len(served), heartbeat_seconds=heartbeat)
    for deployment in served:
        runner.add_deployment(deployment)
    signal.signal(signal.SIGINT, runner.handle_sigterm)
    asyncio.run(runner.start())


def _runner_deployment(spec: DeploymentSpec, existing: DeploymentResponse | None) -> RunnerDeployment:
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
    schema = schema_of(flow_of(spec), scheduled=bool(spec.schedules))
    deployment._parameter_openapi_schema = ParameterSchema.model_validate(schema)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # from_flow takes none
    deployment.schedules = list(schedules_of(spec, existing, pause=False))
    return deployment


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    except InputError as error:
        sys.stderr.write(f"globe-sms: {error}\n")
        sys.exit(2)

"""One deployment on the Prefect server: created, or brought up to date without taking away what the team has set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions, DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from pydantic import BaseModel

from globe_sms.deployments.prefect_yaml import DeploymentSpec
from globe_sms.deployments.server_changes import Change, Effect


@dataclass(frozen=True, slots=True)
class Registration:
    """What goes for every deployment of one deploying.

    `keep`: parameters and schedules of a deployment that is there already stay as the server has them.
    `pause`: every schedule is switched off.
    """

    flow_id: UUID
    flow_name: str
    schema: Mapping[str, Any]
    keep: bool
    pause: bool = False


def register_deployment(
    client: SyncPrefectClient, spec: DeploymentSpec, registration: Registration
) -> tuple[UUID, Change]:
    """Create the deployment, or change what differs; return its id and what was done."""
    name = f"{registration.flow_name}/{spec.name}"
    existing = read_deployment(client, name)
    wanted: dict[str, Any] = {
        "version": spec.version,
        "description": spec.description,
        "tags": list(spec.tags),
        "entrypoint": spec.entrypoint,
        "parameter_openapi_schema": dict(registration.schema),
        "enforce_parameter_schema": spec.enforce_parameter_schema,
        "work_pool_name": spec.work_pool.name,
        "work_queue_name": spec.work_pool.work_queue_name or "default",
        "job_variables": spec.work_pool.job_variables,
        "parameters": parameters_of(spec, existing if registration.keep else None),
        "schedules": schedules_of(spec, existing if registration.keep else None, pause=registration.pause),
        "concurrency_limit": None if spec.concurrency_limit is None else spec.concurrency_limit.limit,
        "concurrency_options": concurrency_options_of(spec),
    }
    differences = [] if existing is None else _differences(wanted, existing)
    if existing is not None and not differences:
        return existing.id, Change("deployment", name, Effect.UNCHANGED)
    identifier = client.create_deployment(flow_id=registration.flow_id, name=spec.name, pull_steps=[], **wanted)
    if existing is not None:
        return identifier, Change("deployment", name, Effect.UPDATED, ", ".join(differences))
    off = bool(spec.schedules) and not any(schedule.active for schedule in wanted["schedules"])
    return identifier, Change("deployment", name, Effect.CREATED, "its schedule is switched off" if off else "")


def read_deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse | None:
    """Return the deployment `flow/name` as the server has it; None if it has none."""
    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def leave_work_pool(client: SyncPrefectClient, existing: DeploymentResponse) -> None:
    """Take a deployment out of its work pool, so that no worker gets its runs."""
    if existing.work_pool_name is not None:
        client.update_deployment(existing.id, DeploymentUpdate(work_pool_name=None))


def parameters_of(spec: DeploymentSpec, existing: DeploymentResponse | None) -> dict[str, Any]:
    """Return the parameters: those of an existing deployment, or those of the file."""
    return spec.parameters if existing is None else existing.parameters


def schedules_of(
    spec: DeploymentSpec, existing: DeploymentResponse | None, *, pause: bool
) -> list[DeploymentScheduleCreate]:
    """Return the schedules: those of an existing deployment, or those of the file; all switched off with `pause`."""
    if existing is None:
        return [
            DeploymentScheduleCreate(
                schedule=CronSchedule(cron=schedule.cron, timezone=schedule.timezone),
                active=schedule.active and not pause,
                slug=schedule.slug,
            )
            for schedule in spec.schedules
        ]
    return [
        DeploymentScheduleCreate(
            schedule=schedule.schedule,
            active=schedule.active and not pause,
            max_scheduled_runs=schedule.max_scheduled_runs,
            parameters=schedule.parameters,
            slug=schedule.slug,
        )
        for schedule in existing.schedules
    ]


def concurrency_options_of(spec: DeploymentSpec) -> ConcurrencyOptions | None:
    """Return what becomes of a run beyond the limit."""
    limit = spec.concurrency_limit
    if limit is None:
        return None
    return ConcurrencyOptions(
        collision_strategy=ConcurrencyLimitStrategy(limit.collision_strategy),
        grace_period_seconds=limit.grace_period_seconds,
    )


def _differences(wanted: Mapping[str, Any], existing: DeploymentResponse) -> list[str]:
    """Name the fields that the server has otherwise."""
    limit = existing.global_concurrency_limit
    stands: dict[str, Any] = {"concurrency_limit": None if limit is None else limit.limit}
    stands |= {name: getattr(existing, name) for name in wanted if name not in stands}
    return sorted(name for name, value in wanted.items() if _plain(value) != _plain(stands[name]))


def _plain(value: Any) -> Any:
    """Make what was read and what is to be written comparable: without ids and what only one of them has."""
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, DeploymentSchedule | DeploymentScheduleCreate):
        kept = {"schedule", "active", "parameters", "slug", "max_scheduled_runs"}
        return value.model_dump(mode="json", include=kept)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    return value

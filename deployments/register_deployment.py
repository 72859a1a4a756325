"""Create one deployment on the Prefect server, or update it and keep what the team has edited there."""

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
    """How a deployment is registered.

    `keep_edits`: a deployment that already exists keeps the parameters and schedules that the server has.
    `pause_schedules`: switch every schedule off.
    """

    flow_id: UUID
    flow_name: str
    schema: Mapping[str, Any]
    keep_edits: bool
    pause_schedules: bool = False


def register_deployment(
    client: SyncPrefectClient, spec: DeploymentSpec, registration: Registration
) -> tuple[UUID, Change]:
    """Create the deployment, or update what differs; return its id and what was done."""
    name = f"{registration.flow_name}/{spec.name}"
    existing = read_deployment(client, name)
    edited = existing if registration.keep_edits else None
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
        "parameters": parameters_of(spec, edited),
        "schedules": schedules_of(spec, edited, pause=registration.pause_schedules),
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
    """Return the deployment `flow/name` from the server; None if there is none."""
    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def leave_work_pool(client: SyncPrefectClient, existing: DeploymentResponse) -> None:
    """Remove the deployment from its work pool, so that no worker picks up its runs."""
    if existing.work_pool_name is not None:
        client.update_deployment(existing.id, DeploymentUpdate(work_pool_name=None))


def parameters_of(spec: DeploymentSpec, existing: DeploymentResponse | None) -> dict[str, Any]:
    """Return the existing deployment's parameters, or else the file's."""
    return spec.parameters if existing is None else existing.parameters


def schedules_of(
    spec: DeploymentSpec, existing: DeploymentResponse | None, *, pause: bool
) -> list[DeploymentScheduleCreate]:
    """Return the existing deployment's schedules, or else the file's; `pause` switches them all off."""
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
    """Return what Prefect does with a run that exceeds the concurrency limit."""
    limit = spec.concurrency_limit
    if limit is None:
        return None
    return ConcurrencyOptions(
        collision_strategy=ConcurrencyLimitStrategy(limit.collision_strategy),
        grace_period_seconds=limit.grace_period_seconds,
    )


def _differences(wanted: Mapping[str, Any], existing: DeploymentResponse) -> list[str]:
    """Return the names of the fields that differ on the server."""
    limit = existing.global_concurrency_limit
    on_server: dict[str, Any] = {"concurrency_limit": None if limit is None else limit.limit}
    on_server |= {name: getattr(existing, name) for name in wanted if name not in on_server}
    return sorted(name for name, value in wanted.items() if _plain(value) != _plain(on_server[name]))


def _plain(value: Any) -> Any:
    """Make a value read from the server comparable with one to be written: no ids, no fields that only one has."""
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, DeploymentSchedule | DeploymentScheduleCreate):
        kept = {"schedule", "active", "parameters", "slug", "max_scheduled_runs"}
        return value.model_dump(mode="json", include=kept)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    return value

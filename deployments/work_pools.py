"""The work pool for the deployments' runs: processes on a machine, Docker containers or Kubernetes jobs.

The job template is Prefect's own for that type plus what a campaign needs: time for a graceful shutdown (15 s for calls
in progress, 15 s for the results), keys from a Kubernetes Secret, no privileges.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal, cast

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectNotFound

from globe_sms.deployments.server_changes import Change, Effect
from globe_sms.tasks.vocabulary.errors import InputError

PoolType = Literal["process", "docker", "kubernetes"]
_GRACE_SECONDS = 60
_SECRET = "globe-sms"  # noqa: S105  # the name of a Kubernetes Secret
_DOCKER_DEFAULTS = {"auto_remove": True, "image_pull_policy": "IfNotPresent", "mem_limit": "2g"}
_KUBERNETES_DEFAULTS = {
    "finished_job_ttl": 3600,
    "pod_watch_timeout_seconds": 300,
    "cpu_request": "250m",
    "memory_request": "512Mi",
    "memory_limit": "2Gi",
}


def create_work_pool(client: SyncPrefectClient, name: str, pool_type: PoolType) -> Change:
    """Create the work pool; an existing one isn't changed.

    Raises:
        InputError: a pool of that name has another type.
    """
    try:
        existing = client.read_work_pool(name)
    except ObjectNotFound:
        template = base_job_template(pool_type, client.read_worker_metadata())
        client.create_work_pool(
            WorkPoolCreate(
                name=name,
                type=pool_type,
                description="Runs of globe-sms campaigns. Created by globe-sms deploy.",
                base_job_template=template,
            )
        )
        return Change("work pool", name, Effect.CREATED, f"type {pool_type}")
    if existing.type != pool_type:
        raise InputError(
            f"--work-pool {name!r}: the server has a work pool of this name, of type {existing.type!r}: give "
            f"--pool-type {existing.type}, or another name"
        )
    return Change("work pool", name, Effect.UNCHANGED)


def base_job_template(pool_type: PoolType, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return Prefect's job template for the type, adapted to campaigns; `metadata` is the server's worker metadata."""
    workers = {worker["type"]: worker for package in metadata.values() for worker in package.values()}
    template: dict[str, Any] = deepcopy(workers[pool_type]["default_base_job_configuration"])
    if pool_type == "docker":
        _set_defaults(template, _DOCKER_DEFAULTS)
    if pool_type == "kubernetes":
        _set_defaults(template, _KUBERNETES_DEFAULTS)
        _harden(template["job_configuration"]["job_manifest"]["spec"]["template"]["spec"])
    return template


def _set_defaults(template: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    for variable, value in defaults.items():
        template["variables"]["properties"][variable]["default"] = value


def _harden(pod: dict[str, Any]) -> None:
    pod["terminationGracePeriodSeconds"] = _GRACE_SECONDS
    pod["automountServiceAccountToken"] = False
    pod["securityContext"] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    (container,) = cast("list[dict[str, Any]]", pod["containers"])
    container["envFrom"] = [{"secretRef": {"name": _SECRET, "optional": True}}]
    container["securityContext"] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}

"""`globe-sms deploy`: create or update the account block, work pool, deployments and automations on a Prefect server.

Safe to run again: it reports each object as created, updated or unchanged.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from packaging.version import Version
from prefect.client.base import ServerType
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import get_current_settings

from globe_sms.deployments.automations import (
    HEARTBEAT_VARIABLE,
    create_or_update,
    dead_worker_automations,
    own_deployments,
    pause_after_stop,
)
from globe_sms.deployments.deployed_flows import flow_of, schema_of
from globe_sms.deployments.notifications import block_of_notifications, find_notification_block, notifications
from globe_sms.deployments.prefect_yaml import SHIPPED, DeploymentSpec, Specification, unknown_parameters
from globe_sms.deployments.register_deployment import Registration, register_deployment
from globe_sms.deployments.server_changes import Change, Effect
from globe_sms.deployments.work_pools import PoolType, create_work_pool
from globe_sms.flows.command_line.prefect_server_check import OLDEST_SERVER
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.blocks import AlibabaSmsAccount
from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.network_faults import network_fault

_UNAUTHORIZED = (401, 403)


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """The options of `globe-sms deploy`.

    Without `file` the packaged prefect.yaml is used, and deployments that already exist keep their parameters and
    schedules, since the team may have edited them. A `file` given here overrides what the server has.
    """

    work_pool: str | None = None
    pool_type: PoolType = "process"
    image: str | None = None
    pause_schedules: bool = False
    file: Path | None = None
    heartbeat_seconds: int | None = None
    notify: str | None = None


def deploy(options: DeployOptions) -> list[Change]:
    """Create or update everything, each object after those it refers to; return what was done to each.

    Raises:
        InputError: no server is set, it doesn't answer or refuses, or the file or an option is wrong.
    """
    if options.pool_type != "process" and options.image is None:
        raise InputError(f"--image: a {options.pool_type} work pool needs the image that its runs start from")
    if options.pool_type == "process" and options.image is not None:
        raise InputError("--image: a process work pool uses no image; give --pool-type docker or kubernetes with it")
    specs = Specification.read(options.file or SHIPPED).deployments
    _check_parameters(specs)
    with open_server() as client:
        try:
            return _deploy(client, options, specs)
        except PrefectHTTPStatusError as error:
            raise InputError(f"the Prefect server refused: {_detail(error)}") from None
        except httpx.HTTPError as error:
            raise InputError(
                f"lost the connection to the Prefect server ({network_fault(error)}): run globe-sms deploy again"
            ) from None


def open_server() -> SyncPrefectClient:
    """Return a client for the configured Prefect server, once the server has answered.

    Raises:
        InputError: no server is set, it doesn't answer, it requires credentials, or it's too old.
    """
    url = get_current_settings().api.url
    if not url:
        raise InputError("no Prefect server is set: set PREFECT_API_URL, such as http://127.0.0.1:4200/api")
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pools(limit=1)
            _check_version(client, url)
        except PrefectHTTPStatusError as error:
            if error.response.status_code in _UNAUTHORIZED:
                raise InputError(
                    f"the Prefect server at {url} requires credentials: set PREFECT_API_AUTH_STRING or PREFECT_API_KEY"
                ) from None
            raise InputError(f"the Prefect server at {url} answered HTTP {error.response.status_code}") from None
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            raise InputError(
                f"the Prefect server at {url} doesn't answer ({network_fault(error)}): check PREFECT_API_URL and that "
                "the server is running"
            ) from None
    return get_client(sync_client=True)


def _check_version(client: SyncPrefectClient, url: str) -> None:
    """Refuse a server that is too old; Cloud is always new."""
    if client.server_type is ServerType.CLOUD:
        return
    version = client.api_version()
    if Version(version) < Version(OLDEST_SERVER):
        raise InputError(
            f"the Prefect server at {url} has Prefect {version}, and globe-sms needs {OLDEST_SERVER} or newer: upgrade "
            "the server"
        )


def _deploy(client: SyncPrefectClient, options: DeployOptions, specs: tuple[DeploymentSpec, ...]) -> list[Change]:
    block = None if options.notify is None else find_notification_block(client, options.notify).id
    pools = sorted({options.work_pool or spec.work_pool.name for spec in specs})
    changes = [_register_block(client), *(create_work_pool(client, pool, options.pool_type) for pool in pools)]
    registered: dict[str, UUID] = {}
    for spec in specs:
        flow = flow_of(spec)
        registration = Registration(
            client.create_flow_from_name(flow.name),
            flow.name,
            schema_of(flow, scheduled=bool(spec.schedules)),
            keep_edits=options.file is None,
            pause_schedules=options.pause_schedules,
        )
        registered[spec.name], change = register_deployment(client, _with_options(spec, options), registration)
        changes.append(change)
    own = own_deployments(client)
    changes += [create_or_update(client, automation) for automation in dead_worker_automations(own)]
    scheduled = next(
        (registered[spec.name] for spec in specs if spec.schedules and flow_of(spec) is send_campaign), None
    )
    if scheduled is not None:
        changes.append(create_or_update(client, pause_after_stop(scheduled)))
    # Without --notify those that exist go on, and see the deployments that were added.
    block = block or block_of_notifications(client)
    if block is not None:
        changes += [create_or_update(client, automation) for automation in notifications(own, block)]
    return changes


def _check_parameters(specs: tuple[DeploymentSpec, ...]) -> None:
    for spec in specs:
        schema = schema_of(flow_of(spec), scheduled=bool(spec.schedules))
        unknown = unknown_parameters(spec, schema)
        if unknown:
            raise InputError(
                f"deployment {spec.name!r}: its flow has no parameter {', '.join(unknown)}; the parameters are "
                f"{', '.join(schema['properties'])}"
            )


def _with_options(spec: DeploymentSpec, options: DeployOptions) -> DeploymentSpec:
    variables: dict[str, Any] = spec.work_pool.job_variables | ({"image": options.image} if options.image else {})
    if options.heartbeat_seconds is not None:
        heartbeat = {HEARTBEAT_VARIABLE: str(options.heartbeat_seconds)}
        environment: dict[str, Any] = variables.get("env") or {}
        variables["env"] = {**environment, **heartbeat}
    pool = spec.work_pool.model_copy(
        update={"name": options.work_pool or spec.work_pool.name, "job_variables": variables}
    )
    return spec.model_copy(update={"work_pool": pool})


def _register_block(client: SyncPrefectClient) -> Change:
    name = AlibabaSmsAccount.get_block_type_name()
    checksum = AlibabaSmsAccount._calculate_schema_checksum()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # Prefect identifies a schema by it
    try:
        client.read_block_type_by_slug(AlibabaSmsAccount.get_block_type_slug())
    except ObjectNotFound:
        effect = Effect.CREATED
    else:
        try:
            client.read_block_schema_by_checksum(checksum)
            effect = Effect.UNCHANGED
        except ObjectNotFound:
            effect = Effect.UPDATED
    AlibabaSmsAccount.register_type_and_schema()
    return Change("block type", name, effect)


def _detail(error: PrefectHTTPStatusError) -> str:
    try:
        return str(error.response.json().get("detail") or error.response.text)[:500]
    except ValueError:
        return f"HTTP {error.response.status_code}"

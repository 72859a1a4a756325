"""`globe-sms deploy`: put the account block, the work pool, the deployments and the automations on a Prefect server.

Safe to run again: it says of each thing whether it was created, updated or unchanged.
"""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import get_current_settings

from globe_sms.deployments import zombie_runs as dead_workers
from globe_sms.deployments.automations import bring_up_to_date, pause_after_a_stop
from globe_sms.deployments.deployed_flows import flow_of, schema_of
from globe_sms.deployments.prefect_yaml import SHIPPED, DeploymentSpec, Specification, unknown_parameters
from globe_sms.deployments.register_deployment import Registration, register_deployment
from globe_sms.deployments.server_changes import Change, Effect
from globe_sms.deployments.work_pools import PoolType, make_work_pool
from globe_sms.flows.send_campaign import send_campaign
from globe_sms.tasks.blocks import AlibabaSmsAccount
from globe_sms.tasks.vocabulary.errors import InputError

_UNAUTHORIZED = (401, 403)


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What `globe-sms deploy` was told.

    Without a `file` the shipped one is taken, and the parameters and schedules that stand on the server stay: they are
    the team's. A `file` of the team's own goes before the server.
    """

    work_pool: str | None = None
    pool_type: PoolType = "process"
    image: str | None = None
    pause_schedules: bool = False
    file: Path | None = None
    heartbeat_seconds: int = dead_workers.HEARTBEAT_SECONDS


def deploy(options: DeployOptions) -> list[Change]:
    """Do it all, in an order in which each thing finds what it needs.

    Raises:
        InputError: no server is set or it does not answer, the file or an option will not do.
    """
    if options.pool_type != "process" and options.image is None:
        raise InputError(f"--image: a work pool of type {options.pool_type!r} needs the image that its runs start from")
    if options.pool_type == "process" and options.image is not None:
        raise InputError("--image: runs of a process work pool start from no image; give --pool-type")
    specs = Specification.read(options.file or SHIPPED).deployments
    _check_parameters(specs)
    with open_server() as client:
        try:
            return _deploy(client, options, specs)
        except PrefectHTTPStatusError as error:
            raise InputError(f"the Prefect server refused: {_detail(error)}") from None
        except httpx.HTTPError as error:
            raise InputError(f"the Prefect server broke off ({type(error).__name__}); run it again") from None


def open_server() -> SyncPrefectClient:
    """Return a client of the Prefect server that is set; it has answered.

    Raises:
        InputError: none is set, it does not answer, or it wants credentials.
    """
    url = get_current_settings().api.url
    if not url:
        raise InputError("no Prefect server is set: set PREFECT_API_URL, like http://127.0.0.1:4200/api")
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pools(limit=1)
        except PrefectHTTPStatusError as error:
            if error.response.status_code in _UNAUTHORIZED:
                raise InputError(
                    f"the Prefect server at {url} wants credentials: set PREFECT_API_AUTH_STRING or PREFECT_API_KEY"
                ) from None
            raise InputError(f"the Prefect server at {url} answered {error.response.status_code}") from None
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            raise InputError(
                f"the Prefect server at {url} does not answer ({type(error).__name__}): check PREFECT_API_URL and the "
                "server"
            ) from None
    return get_client(sync_client=True)


def _deploy(client: SyncPrefectClient, options: DeployOptions, specs: tuple[DeploymentSpec, ...]) -> list[Change]:
    pools = sorted({options.work_pool or spec.work_pool.name for spec in specs})
    changes = [_register_block(client), *(make_work_pool(client, pool, options.pool_type) for pool in pools)]
    registered: dict[str, UUID] = {}
    for spec in specs:
        flow = flow_of(spec)
        registration = Registration(
            client.create_flow_from_name(flow.name),
            flow.name,
            schema_of(flow),
            keep=options.file is None,
            pause=options.pause_schedules,
        )
        registered[spec.name], change = register_deployment(client, _with_options(spec, options), registration)
        changes.append(change)
    changes += dead_workers.apply_all(client, options.heartbeat_seconds)
    scheduled = next(
        (registered[spec.name] for spec in specs if spec.schedules and flow_of(spec) is send_campaign), None
    )
    if scheduled is not None:
        changes.append(bring_up_to_date(client, pause_after_a_stop(scheduled)))
    return changes


def _check_parameters(specs: tuple[DeploymentSpec, ...]) -> None:
    for spec in specs:
        schema = schema_of(flow_of(spec))
        unknown = unknown_parameters(spec, schema)
        if unknown:
            raise InputError(
                f"deployment {spec.name!r}: the flow takes no parameter {', '.join(unknown)}; it takes "
                f"{', '.join(schema['properties'])}"
            )


def _with_options(spec: DeploymentSpec, options: DeployOptions) -> DeploymentSpec:
    variables = spec.work_pool.job_variables | ({"image": options.image} if options.image else {})
    pool = spec.work_pool.model_copy(
        update={"name": options.work_pool or spec.work_pool.name, "job_variables": variables}
    )
    return spec.model_copy(update={"work_pool": pool})


def _register_block(client: SyncPrefectClient) -> Change:
    name = AlibabaSmsAccount.get_block_type_name()
    checksum = AlibabaSmsAccount._calculate_schema_checksum()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # how Prefect tells schemas apart
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

"""Checks of the Prefect server: it answers, it fits this version, and what a deployed run needs is there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from packaging.version import Version

from globe_sms.flows.command_line.doctor.finding import Verdict
from globe_sms.flows.command_line.prefect_server_check import OLDEST_SERVER, check_server, check_server_url
from globe_sms.tasks.runs.read_block import ACCOUNT_BLOCK
from globe_sms.tasks.store.store_clock import StoreClock
from globe_sms.tasks.vocabulary.plurals import counted

_OWN_ENTRYPOINTS: Final = "globe_sms."
_SKEW_SECONDS: Final = 30.0  # states and schedules are in the server's time
_PAGE: Final = 200
_LEASES_IN_MEMORY: Final = "prefect.server.concurrency.lease_storage.memory"


def check_prefect(environ: Mapping[str, str]) -> Iterator[tuple[Verdict, str]]:
    """Tell whether the server of PREFECT_API_URL is ready for deployed runs.

    Raises:
        InputError: its address is malformed, it doesn't answer, rejects the key, or has another major version.
    """
    check_server_url(environ)
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        yield Verdict.NOTE, "PREFECT_API_URL isn't set: fine for a terminal; deployments and the form need a server"
        return
    check_server(environ)
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield from _versions(client)
        yield from _lease_storage(client)
        yield from _block_types(client)
        yield from _deployments(client)


def _versions(client: Any) -> Iterator[tuple[Verdict, str]]:
    from prefect import __version__

    clock = StoreClock()
    asked = clock.monotonic()
    answer = client.request("GET", "/admin/version")
    answered = clock.monotonic()
    theirs = str(answer.json())
    took = f"{answered - asked:.2f} s"
    yield Verdict.OK, f"the server answers in {took} and has Prefect {theirs}; this machine has {__version__}"
    if Version(theirs) < Version(OLDEST_SERVER):
        yield Verdict.WRONG, f"the server has Prefect {theirs}, and {OLDEST_SERVER} or newer is needed: upgrade it"
    elif Version(theirs) < Version(__version__):
        yield Verdict.NOTE, f"the server has Prefect {theirs} and this machine {__version__}: upgrade the server"
    clock.answered(answer.headers.get("date"), asked, answered)
    skew = clock.skew()
    if abs(skew) > _SKEW_SECONDS:
        yield Verdict.NOTE, f"this machine's clock is {skew:+.0f} s from the server's: synchronize both (chrony)"


def _lease_storage(client: Any) -> Iterator[tuple[Verdict, str]]:
    from httpx import HTTPError
    from prefect.exceptions import PrefectHTTPStatusError

    try:
        settings = client.request("GET", "/admin/settings").json()
        storage = settings["server"]["concurrency"]["lease_storage"]
    except (HTTPError, PrefectHTTPStatusError, KeyError, TypeError, ValueError):
        return  # Prefect Cloud, or a server that doesn't tell
    if storage == _LEASES_IN_MEMORY:
        yield (
            Verdict.NOTE,
            (
                "the server keeps concurrency leases in memory: after a restart the slots of its runs stay taken. Set "
                "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE=prefect.server.concurrency.lease_storage.filesystem on it"
            ),
        )


def _block_types(client: Any) -> Iterator[tuple[Verdict, str]]:
    from prefect.exceptions import ObjectNotFound

    try:
        client.read_block_type_by_slug(ACCOUNT_BLOCK)
    except ObjectNotFound:
        yield Verdict.NOTE, "the account block's type isn't registered: run `globe-sms deploy`"
        return
    blocks = client.read_block_documents_by_type(ACCOUNT_BLOCK, include_secrets=False)
    names = ", ".join(sorted(str(block.name) for block in blocks))
    yield Verdict.OK, f"account blocks: {names or 'none; runs use the keys of their environment'}"


def _deployments(client: Any) -> Iterator[tuple[Verdict, str]]:
    own = _own_deployments(client)
    if not own:
        yield Verdict.NOTE, "the server has no deployments of globe-sms: run `globe-sms deploy`"
        return
    yield Verdict.OK, f"deployments: {', '.join(sorted(each.name for each in own))}"
    for each in own:
        if each.paused and each.schedules:
            yield Verdict.NOTE, f"the schedule of {each.name} is paused"
    for pool in sorted({each.work_pool_name for each in own if each.work_pool_name}):
        yield from _work_pool(client, pool)


def _work_pool(client: Any, name: str) -> Iterator[tuple[Verdict, str]]:
    pool = client.read_work_pool(name)
    if pool.is_paused:
        yield Verdict.WRONG, f"the work pool {name} is paused, so no run starts: resume it in Prefect's UI"
    workers = [each for each in client.read_workers_for_work_pool(name) if str(each.status).endswith("ONLINE")]
    if workers:
        yield Verdict.OK, f"the work pool {name} ({pool.type}) has {counted(len(workers), 'worker')}"
    else:
        how = f"prefect worker start --pool {name} --type {pool.type}"
        yield Verdict.WRONG, f"the work pool {name} has no worker, so no run starts: {how}"


def _own_deployments(client: Any) -> list[Any]:
    found: list[Any] = []
    offset = 0
    while page := client.read_deployments(limit=_PAGE, offset=offset):
        found += [each for each in page if (each.entrypoint or "").startswith(_OWN_ENTRYPOINTS)]
        offset += len(page)
    return found

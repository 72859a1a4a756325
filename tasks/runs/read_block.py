"""What a block on the Prefect server holds, read without the package that its class comes from."""

from collections.abc import Mapping
from typing import Any, Final

from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.network_faults import network_fault

ACCOUNT_BLOCK: Final = "alibaba-sms-account"
"""The slug of the account block's type."""


def is_server_set() -> bool:
    """Whether a Prefect server is set, so that blocks may be read without starting a temporary one."""
    from prefect.settings import PREFECT_API_URL

    return bool(PREFECT_API_URL.value())


def read_block(slug: str, name: str) -> Mapping[str, Any] | None:
    """Return the fields of the block `slug`/`name`, secrets in clear; None if there is none.

    Raises:
        InputError: the Prefect server did not answer.
    """
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

    try:
        with get_client(sync_client=True) as client:
            return client.read_block_document_by_name(name, slug, include_secrets=True).data
    except ObjectNotFound:
        return None
    except (httpx.HTTPError, PrefectHTTPStatusError, RuntimeError) as error:
        raise InputError(
            f"the block {slug}/{name} couldn't be read from the Prefect server ({network_fault(error)}): "
            "check PREFECT_API_URL and the server"
        ) from None

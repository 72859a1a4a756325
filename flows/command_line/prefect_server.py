"""The Prefect server that a run from a terminal is recorded on: whether it is there, said before anything is sent.

Without one, Prefect starts a temporary server of its own in this process.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from globe_sms.tasks.vocabulary.errors import InputError

_VARIABLE: Final = "PREFECT_API_URL"
_EXAMPLE: Final = "write it like http://127.0.0.1:4200/api"


def check_server_url(environ: Mapping[str, str]) -> None:
    """Refuse an address that cannot be one; call it before Prefect is imported, which fails on some of them.

    Raises:
        InputError: PREFECT_API_URL is set and is no http(s) URL. The message does not repeat it.
    """
    url = environ.get(_VARIABLE)
    if not url:
        return
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise InputError(f"{_VARIABLE} is no http:// or https:// URL: {_EXAMPLE}, or unset it; nothing was sent")


def check_server(environ: Mapping[str, str]) -> None:
    """Ask the Prefect server that is set for its version; nothing is asked where none is.

    Raises:
        InputError: it does not answer, refuses the key, or is of another major version.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        return
    try:
        with get_client(sync_client=True) as client:
            client.raise_for_api_version_mismatch_once()
    except Exception as error:  # noqa: BLE001  # whatever Prefect's client and httpx make of an address
        said = str(error)
    else:
        return
    if "incompatible versions" in said:
        raise InputError(f"Prefect's server at {_shown(url)}: {said} Nothing was sent.")
    if "Unauthorized" in said:
        raise InputError(
            f"Prefect's server at {_shown(url)} refuses the key: check PREFECT_API_KEY or PREFECT_API_AUTH_STRING; "
            "nothing was sent"
        )
    raise InputError(
        f"Prefect's server at {_shown(url)} does not answer: check {_VARIABLE} (it ends in /api), that the server is "
        f"up, and the network{_without(environ)}; nothing was sent"
    )


def _without(environ: Mapping[str, str]) -> str:
    """Say how to do without the server, where Prefect may start a temporary one."""
    from prefect.settings import PREFECT_SERVER_ALLOW_EPHEMERAL_MODE

    if not PREFECT_SERVER_ALLOW_EPHEMERAL_MODE.value():
        return ""
    how = f"unset {_VARIABLE}" if environ.get(_VARIABLE) else f"`prefect config unset {_VARIABLE}`"
    return f"; or {how} to run on a temporary server"


def _shown(url: str) -> str:
    """Return the address without a user name and a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

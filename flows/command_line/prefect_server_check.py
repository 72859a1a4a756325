"""Check, before anything is sent, that the Prefect server that a run is recorded on can be reached.

If none is set, Prefect starts a temporary server in this process.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from globe_sms.tasks.vocabulary.errors import InputError

_VARIABLE: Final = "PREFECT_API_URL"
_EXAMPLE: Final = "write it like http://127.0.0.1:4200/api"


def check_server_url(environ: Mapping[str, str]) -> None:
    """Refuse a malformed address. Call it before importing Prefect, which fails on some of them.

    Raises:
        InputError: PREFECT_API_URL is set, but isn't an http(s) URL. The message doesn't repeat it.
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
        raise InputError(f"{_VARIABLE} isn't an http:// or https:// URL: {_EXAMPLE}, or unset it. Nothing was sent.")


def check_server(environ: Mapping[str, str]) -> None:
    """Ask the Prefect server for its version, if one is set.

    Raises:
        InputError: it doesn't answer, rejects the key, or has another major version.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        return
    try:
        with get_client(sync_client=True) as client:
            client.raise_for_api_version_mismatch_once()
    except Exception as error:  # noqa: BLE001  # Prefect's client and httpx raise many kinds
        said = str(error)
    else:
        return
    if "incompatible versions" in said:
        raise InputError(f"Prefect's server at {_shown(url)}: {said} Nothing was sent.")
    if "Unauthorized" in said:
        raise InputError(
            f"Prefect's server at {_shown(url)} rejects the key: check PREFECT_API_KEY or PREFECT_API_AUTH_STRING. "
            "Nothing was sent."
        )
    raise InputError(
        f"Prefect's server at {_shown(url)} doesn't answer: check {_VARIABLE} (it ends in /api), that the server is "
        f"up, and the network{_without(environ)}. Nothing was sent."
    )


def _without(environ: Mapping[str, str]) -> str:
    """Say how to run without the server, if Prefect may start a temporary one."""
    from prefect.settings import PREFECT_SERVER_ALLOW_EPHEMERAL_MODE

    if not PREFECT_SERVER_ALLOW_EPHEMERAL_MODE.value():
        return ""
    how = f"unset {_VARIABLE}" if environ.get(_VARIABLE) else f"`prefect config unset {_VARIABLE}`"
    return f"; or {how} to run on a temporary server"


def _shown(url: str) -> str:
    """Return the address without its user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

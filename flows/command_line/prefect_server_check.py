"""Check, before anything is sent, that the Prefect server that a run is recorded on can be reached."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from globe_sms.tasks.vocabulary.errors import InputError
from globe_sms.tasks.vocabulary.proxies import advice_on_proxy

_VARIABLE: Final = "PREFECT_API_URL"
OLDEST_SERVER: Final = "3.9.1"  # earlier ones give a retried run the answer of its earlier attempt
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


def check_home(environ: Mapping[str, str]) -> None:
    """Refuse a folder of Prefect's that can't be written, unless a server is set; its temporary server needs it.

    Call it before importing Prefect, which warns several times and then waits for a server that never starts.

    Raises:
        InputError: PREFECT_HOME, or `.prefect` in the home directory, can't be made or written.
    """
    named = environ.get("PREFECT_HOME")
    home = Path(named or "~/.prefect").expanduser()
    if environ.get(_VARIABLE) or (home / "profiles.toml").is_file():
        return
    try:
        home.mkdir(parents=True, exist_ok=True)
        said = "" if os.access(home, os.W_OK | os.X_OK) else "Permission denied"
    except OSError as error:
        said = error.strerror or type(error).__name__
    if said:
        raise InputError(
            f"Prefect's folder {home} can't be written ({said}): set PREFECT_HOME to a folder that can, or "
            f"{_VARIABLE} to a server. Nothing was sent."
        )


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
        f"up, and the network{advice_on_proxy(environ)}{_without(environ)}. Nothing was sent."
    )


def _without(environ: Mapping[str, str]) -> str:
    """Say how to run without the server."""
    how = f"unset {_VARIABLE}" if environ.get(_VARIABLE) else f"`prefect config unset {_VARIABLE}`"
    return f"; or {how} to run without a server"


def _shown(url: str) -> str:
    """Return the address without its user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

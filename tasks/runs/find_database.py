"""Finds the database of `--connection NAME`: in the environment, or in a block on the Prefect server."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from globe_sms.tasks.recipients.database_query import Database
from globe_sms.tasks.runs.read_block import is_server_set, read_block
from globe_sms.tasks.vocabulary.errors import InputError

_SECRET: Final = "secret"  # noqa: S105 - the slug of a block's type
_SQLALCHEMY: Final = "sqlalchemy-connector"
_READ: Final = ("driver", "database", "username", "password", "host", "port", "query", "url")


def find_database(
    name: str,
    environ: Mapping[str, str] = os.environ,
    read: Callable[[str, str], Mapping[str, Any] | None] = read_block,
    is_set: Callable[[], bool] = is_server_set,
) -> Database:
    """Return the database whose URI an environment variable of that name has; else a Secret or SQLAlchemy block.

    `read` returns a block's fields by its type and name, and `is_set` says whether a Prefect server is set.

    Raises:
        InputError: there is neither, or the block has no URI.
    """
    uri = environ.get(name, "").strip()
    if uri:
        return Database(name, uri)
    if not is_set():
        raise InputError(
            f"--connection {name!r}: no environment variable has this name, and no Prefect server is set that could "
            f"have a block of it: export {name}=postgresql://user:password@host/database, or set PREFECT_API_URL"
        )
    secret = read(_SECRET, name)
    if secret is not None:
        uri = secret.get("value")
    else:
        block = read(_SQLALCHEMY, name)
        if block is None:
            raise InputError(
                f"--connection {name!r}: there's neither an environment variable {name} nor a block {_SECRET}/{name} "
                f"or {_SQLALCHEMY}/{name} on the Prefect server: create a Secret block with the database's URI"
            )
        uri = _uri_of(block.get("connection_info"))
    if not isinstance(uri, str) or not uri.strip():
        raise InputError(f"--connection {name!r}: the block has no URI of a database: write it as a text")
    return Database(name, uri.strip())


def _uri_of(info: Any) -> str | None:
    """Return the URI of a SQLAlchemy block, which has it as a text or in parts; None without one."""
    if isinstance(info, str):
        return info
    if not isinstance(info, Mapping):
        return None
    parts = {key: value for key, value in cast("Mapping[str, Any]", info).items() if key in _READ and value}
    if "url" in parts:
        return str(parts["url"])
    if "driver" not in parts:
        return None
    user = quote(str(parts.get("username", "")), safe="")
    password = f":{quote(str(parts['password']), safe='')}" if "password" in parts else ""
    port = f":{parts['port']}" if "port" in parts else ""
    query = f"?{urlencode(parts['query'])}" if isinstance(parts.get("query"), Mapping) else ""
    at = "@" if user or password else ""
    return f"{parts['driver']}://{user}{password}{at}{parts.get('host', '')}{port}/{parts.get('database', '')}{query}"

"""Whether somebody has set a Prefect server, found where Prefect finds it, but without importing Prefect.

Importing Prefect takes seconds, and a run without a server needs nothing of it. The order is Prefect's: the
environment, `.env`, `prefect.toml` and `pyproject.toml` in the working directory, then the active profile. An empty
address counts too: no server.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from globe_sms.tasks.vocabulary.errors import InputError

_VARIABLE: Final = "PREFECT_API_URL"
_PROFILES: Final = "PREFECT_PROFILES_PATH"


def names_server(environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> bool:
    """Whether runs are to be recorded on a Prefect server; `folder` is the working directory.

    Raises:
        InputError: one of Prefect's files isn't TOML, so it's unknown.
    """
    found = _addresses(environ, Path() if folder is None else folder)
    return bool(next((address for address in found if address is not None), None))


def _addresses(environ: Mapping[str, str], folder: Path) -> Iterator[Any]:
    yield _of_environment(environ, _VARIABLE)
    dotenv = _read_dotenv(folder / ".env")
    yield dotenv.get(_VARIABLE)
    own = _read_toml(folder / "prefect.toml")
    project = _within(_read_toml(folder / "pyproject.toml"), "tool", "prefect")
    yield _within(own, "api").get("url")
    yield _within(project, "api").get("url")
    home = Path(_of_environment(environ, "PREFECT_HOME") or "~/.prefect").expanduser()
    named = (environ.get(_PROFILES), dotenv.get(_PROFILES), own.get("profiles_path"), project.get("profiles_path"))
    kept = _read_toml(next((folder / path for path in named if path), home / "profiles.toml"))
    profile = environ.get("PREFECT_PROFILE") or kept.get("active")
    yield _within(kept, "profiles", str(profile)).get(_VARIABLE)


def _of_environment(environ: Mapping[str, str], name: str) -> str | None:
    """Return a variable's value; Prefect reads its name in any case."""
    return next((value for each, value in environ.items() if each.upper() == name), None)


def _read_dotenv(path: Path) -> dict[str, str | None]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name.upper(): value for name, value in dotenv_values(path).items()}


def _read_toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}  # none there
    except ValueError as error:
        raise InputError(f"{path} isn't a TOML file, and may name a Prefect server: {error}") from None


def _within(table: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        inner = table.get(key)
        table = cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else {}
    return table
